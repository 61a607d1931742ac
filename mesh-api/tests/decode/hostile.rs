//! Input made to hurt: it is refused, soon, and for the right reason.

use std::fmt::Write;

use crate::{decode, places};

/// Codes of the findings. Time is held by counting: each case would take minutes or gigabytes if it were not cut short,
/// and the whole file is 100 kB to 1 MB.
fn codes(text: &str) -> Vec<String> {
    decode(text)
        .report()
        .iter()
        .map(|finding| finding.code.to_string())
        .collect()
}

#[test]
fn depth_is_cut_before_it_costs() {
    for text in [
        "{a: ".repeat(20_000),
        "{\"a\":".repeat(20_000),
        "[".repeat(10_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        (0..1300).fold(String::new(), |text, depth| text + &" ".repeat(depth) + "a:\n"),
    ] {
        assert_eq!(codes(&text), ["A-PAR-11"], "{}", &text[..20]);
    }
}

#[test]
fn alias_bombs_are_refused() {
    let mut bomb = String::from("a: &a [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n");
    for (name, previous) in ('b'..='i').zip('a'..) {
        let items = format!("*{previous},").repeat(9);
        writeln!(bomb, "{name}: &{name} [{items}]").unwrap();
    }
    assert_eq!(places(&decode(&bomb)), ["5:14 A-PAR-9"]);
    // many references to one large scalar
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(50_000), "*a,".repeat(100));
    assert_eq!(codes(&text), ["A-PAR-9"]);
    // merge keys that copy each other
    let mut merges = String::from("a0: &a0 {x: 1}\n");
    for n in 1..3000 {
        writeln!(merges, "a{n}: &a{n} {{<<: *a{}, y{n}: 1}}", n - 1).unwrap();
    }
    assert!(
        codes(&merges)
            .iter()
            .all(|code| code == "A-PAR-11" || code == "A-PAR-9")
    );
    // an honest use is fine
    let text = format!(
        "apiVersion: v1\nkind: X\nmetadata: {{name: x}}\na: &a {{b: 1}}\nc: [{}]\n",
        "*a,".repeat(100)
    );
    assert!(codes(&text).is_empty());
}

/// A-PAR-20: the limit on what values take is for lists of next to nothing; honest ones stay below it, be they ever so dense.
#[test]
fn dense_objects_are_not_refused() {
    let kinds = [
        (
            "networking",
            "ServiceEntry",
            r#""hosts":["a.b"],"addresses""#,
            r#""10.0.0.1""#,
        ),
        (
            "networking",
            "ServiceEntry",
            r#""hosts":["a.b"],"endpoints""#,
            r#"{"address":"10.0.0.1","ports":{"http":80},"labels":{"v":"1"}}"#,
        ),
        (
            "networking",
            "ServiceEntry",
            r#""hosts":["a.b"],"ports""#,
            r#"{"number":80,"name":"http","protocol":"HTTP"}"#,
        ),
        (
            "networking",
            "Sidecar",
            r#""egress""#,
            r#"{"hosts":["./*","istio-system/*"]}"#,
        ),
        (
            "networking",
            "DestinationRule",
            r#""host":"a","subsets""#,
            r#"{"name":"v1","labels":{"v":"1"}}"#,
        ),
        (
            "networking",
            "VirtualService",
            r#""http""#,
            r#"{"match":[{"uri":{"prefix":"/api/a"}}],"route":[{"destination":{"host":"reviews","subset":"v1"}}]}"#,
        ),
        (
            "networking",
            "VirtualService",
            r#""hosts":["a"],"exportTo""#,
            r#""ns1""#,
        ),
        (
            "security",
            "AuthorizationPolicy",
            r#""rules""#,
            r#"{"to":[{"operation":{"methods":["GET"],"paths":["/a"]}}]}"#,
        ),
    ];
    for (group, kind, field, item) in kinds {
        let items = vec![item; 90_000 / item.len()].join(",");
        // so long that the least which any input may take no longer counts
        let text: String = (0..30)
            .map(|number| {
                format!("{{\"apiVersion\":\"{group}.istio.io/v1\",\"kind\":\"{kind}\",\"metadata\":{{\"name\":\"a{number}\"}},\"spec\":{{{field}:[{items}]}}}}\n")
            })
            .collect();
        let decoded = decode(&text);
        assert_eq!(
            (decoded.objects().len(), codes(&text)),
            (30, Vec::new()),
            "{kind} {field}"
        );
    }
}

#[test]
fn masses_of_findings_are_cut() {
    let head = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: x}\nspec:\n";
    let unknown = (0..60_000).fold(head.to_owned(), |text, n| text + &format!("  k{n}: v\n"));
    assert_eq!(codes(&unknown).len(), 101);
    let wrong = (0..30_000).fold(format!("{head}  servers:\n"), |text, _| {
        text + "  - port: {number: x}\n"
    });
    let decoded = decode(&wrong);
    assert_eq!(decoded.report().len(), 101);
    assert!(
        decoded
            .report()
            .iter()
            .any(|finding| finding.message.contains("more than 100 findings"))
    );
    // one long line does not make columns expensive
    let line = (0..20_000).fold(String::from("{\"é\": [0"), |text, n| {
        text + &format!(", {{\"k{n}\": 1, \"k{n}\": 2}}")
    });
    assert_eq!(
        codes(&format!("{line}]}}"))
            .iter()
            .filter(|code| *code == "A-PAR-6")
            .count(),
        100
    );
}
