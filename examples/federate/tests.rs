use super::run;

fn output(arguments: &[&str]) -> (u8, String) {
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let mut out = Vec::new();
    let code = run(&arguments, &mut out).expect("the example runs");
    (code, String::from_utf8(out).expect("text"))
}

/// No honest peer is refused between the first fetch and the end of the relationship, whatever root signs.
#[test]
fn the_story_has_no_gap() {
    let (code, text) = output(&[]);
    assert_eq!(code, 0);
    let verdicts: Vec<bool> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.contains(" accepts spiffe://") || line.contains(" refuses: "))
        .map(|line| line.contains(" accepts "))
        .collect();
    assert_eq!(
        verdicts,
        [
            false, false, true, true, true, true, true, true, true, true, true, false
        ],
        "{text}"
    );
    assert!(
        text.contains("shop.example accepts the token of spiffe://bank.example/ns/pay/sa/teller"),
        "{text}"
    );
    assert!(
        text.contains("sequence 2, 2 roots") && text.contains("sequence 3, 1 root,"),
        "{text}"
    );
    assert!(
        text.contains("the first root cannot leave: ") && text.contains("would lose trust"),
        "{text}"
    );
    assert!(
        text.contains("shop.example no longer trusts bank.example"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
    assert_eq!(output(&[]).1.lines().count(), text.lines().count());
}

#[test]
fn documents_are_described() {
    let file = std::env::temp_dir().join(format!("federate-{}.json", std::process::id()));
    std::fs::write(
        &file,
        br#"{"keys":[{"use":"x509-svid","kty":"EC"}],"spiffe_sequence":7}"#,
    )
    .expect("a file");
    let argument = format!("example.org={}", file.display());
    let (code, text) = output(&[&argument]);
    std::fs::remove_file(&file).expect("the file is there");
    assert_eq!(
        (code, text.as_str()),
        (
            1,
            "example.org\n  sequence   7\n  refresh    every 300 s\n  note       keys[0]: `x5c` holds no certificate\n"
        )
    );
    let mut out = Vec::new();
    for wrong in ["example.org", "Example.org=x", "example.org=/no/such/file"] {
        assert!(run(&[wrong.to_owned()], &mut out).is_err(), "{wrong}");
    }
    assert_eq!(output(&["--help"]).0, 0);
}
