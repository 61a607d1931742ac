//! What the program prints and returns.

use mesh_api::Profile;
use serde_json::Value;

use crate::args::{self, Format, USAGE};
use crate::run::{BUNDLED, Process, run};

struct Ran {
    code: u8,
    out: String,
    err: String,
}

fn validate(arguments: &[&str], stdin: &str) -> Ran {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut process = Process {
        stdin: &mut stdin.as_bytes(),
        stdout: &mut out,
        stderr: &mut err,
        colour: false,
    };
    let code = run(&arguments, &mut process).unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        code,
        out: text(out),
        err: text(err),
    }
}

/// The codes of the findings, with lines.
fn codes(ran: &Ran) -> Vec<(String, u64)> {
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let line = finding["location"]["line"].as_u64().unwrap();
            (finding["code"].as_str().unwrap().to_owned(), line)
        })
        .collect()
}

const FINE: &str = "\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec: {host: reviews}
";

#[test]
fn without_arguments_the_bundled_file_is_told_about() {
    let ran = validate(&[], "");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let start = "\
error[A-WIRE-2]: unknown field `perfix`
  --> broken.yaml:19:9   VirtualService shop/reviews   spec.http[0].match[0].uri.perfix
   |
19 |         perfix: /reviews
   |         ^^^^^^ did you mean `prefix`?

error[A-WIRE-8]: ";
    assert!(ran.out.starts_with(start), "{}", ran.out);
    let end = ": 3 of 5 objects refused (documents 2, 3, 4 of 5); the others are fine
Try your files, --profile istiod, --format json: cargo run --example validate -- *.yaml
";
    assert!(ran.out.ends_with(end), "{}", ran.out);
    assert!(
        ran.out.lines().all(|line| line.chars().count() <= 110),
        "{}",
        ran.out
    );
}

#[test]
fn decoder_and_both_layers_are_heard_in_the_order_of_the_text() {
    let found = codes(&validate(&["--format", "json"], ""));
    let expected = [
        ("A-WIRE-2", 19), // the decoder
        ("A-WIRE-8", 21),
        ("A-CR-17", 22), // the API server, of an object that the decoder refused
        ("A-WIRE-4", 33),
        ("A-CR-16", 35),
        ("A-CR-25", 41), // both layers, of one that it read
        ("A-SE-5", 41),
    ];
    for (code, line) in expected {
        assert!(
            found.contains(&(code.to_owned(), line)),
            "{code} in line {line}: {found:?}"
        );
    }
    assert!(found.is_sorted_by_key(|(_, line)| *line), "{found:?}");
}

#[test]
fn profiles_give_different_verdicts() {
    let quoted = FINE.replace(
        "reviews}\n",
        "reviews, trafficPolicy: {tunnel: {targetHost: a, targetPort: '80'}}}\n",
    );
    let code = |profile: &str| validate(&["--profile", profile, "-"], &quoted).code;
    assert_eq!(
        (
            code("istiod"),
            code("api-server"),
            code("cluster"),
            code("strict")
        ),
        (0, 1, 1, 1)
    );
}

#[test]
fn nothing_to_say_is_one_line() {
    let ran = validate(&["-"], FINE);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "0 errors, 0 warnings: 1 object fine\n")
    );
    let ran = validate(&["-"], &format!("{FINE}---\n{FINE}"));
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(
        ran.out.contains("warning[A-RES-3]") && ran.out.ends_with("0 errors, 1 warning: 2 objects fine\n"),
        "{}",
        ran.out
    );
}

#[test]
fn a_text_without_objects_is_said_to_be_one() {
    for text in ["", "# nothing\n", "---\n---\n"] {
        let ran = validate(&["-"], text);
        let expected = (0, "0 errors, 0 warnings: there are no objects\n");
        assert_eq!((ran.code, ran.out.as_str()), expected, "{text:?}");
    }
}

#[test]
fn of_objects_with_one_key_the_broken_one_is_named() {
    let broken = FINE.replace("host: reviews", "host: re_views");
    for (text, number) in [
        (format!("{broken}---\n{FINE}"), 1),
        (format!("{FINE}---\n{broken}"), 2),
    ] {
        let ran = validate(&["-"], &text);
        let end = format!("1 of 2 objects refused (document {number} of 2); the others are fine\n");
        assert!(ran.code == 1 && ran.out.ends_with(&end), "{}", ran.out);
    }
}

#[test]
fn files_and_items_of_lists_are_named() {
    let folder = std::env::temp_dir().join(format!("validate-example-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (good, bad) = (folder.join("good.yaml"), folder.join("bad.yaml"));
    std::fs::write(&good, FINE).unwrap();
    let item = |name: &str, spec: &str| {
        format!(
            "{{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {{name: {name}}}, spec: {spec}}}"
        )
    };
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {}\n- {}\n",
        item("a", "{host: a}"),
        item("b", "{}")
    );
    std::fs::write(&bad, format!("{list}---\n: :\n")).unwrap();
    let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());

    let ran = validate(&[good, bad], "");
    assert_eq!(ran.code, 1);
    let end = "bad.yaml documents 1 item 2, 2 of 2); the others are fine";
    assert!(
        ran.out.contains("2 of 4 objects refused (") && ran.out.contains(end),
        "{}",
        ran.out
    );
    let missing = validate(&[&bad.replace("bad.yaml", "bed.yaml")], "");
    assert_eq!((missing.code, missing.out.as_str()), (2, ""));
    assert!(
        missing.err.contains("did you mean") && missing.err.contains("bad.yaml"),
        "{}",
        missing.err
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn json_says_what_became_of_the_objects() {
    let document: Value = serde_json::from_str(&validate(&["--format=json"], "").out).unwrap();
    assert_eq!(document["profile"], "cluster");
    assert_eq!(document["objects"]["total"], 5);
    let refused = document["objects"]["refused"].as_array().unwrap();
    let objects: Vec<&str> = refused.iter().filter_map(|one| one["object"].as_str()).collect();
    assert_eq!(
        objects,
        [
            "VirtualService shop/reviews",
            "DestinationRule shop/reviews",
            "ServiceEntry shop/payments"
        ]
    );
    assert_eq!(
        (&refused[0]["file"], &refused[0]["document"]),
        (&"broken.yaml".into(), &2.into())
    );
    assert_eq!(
        document["summary"]["errors"],
        document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["severity"] == "error")
            .count()
    );
}

#[test]
fn sarif_explains_its_rules() {
    let ran = validate(&["--format", "sarif"], "");
    assert_eq!(ran.code, 1);
    let log: Value = serde_json::from_str(&ran.out).unwrap();
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(
        rules.len() >= 6 && rules.iter().all(|rule| rule["help"]["text"].is_string()),
        "{rules:#?}"
    );
    let place = &run["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "broken.yaml");
    assert_eq!(place["region"]["startLine"], 19);
}

#[test]
fn every_option_is_read_and_wrong_ones_are_answered() {
    let parsed =
        |arguments: &[&str]| args::parse(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>());
    let args = parsed(&["a.yaml", "--profile=strict", "-", "--format", "sarif"]).unwrap();
    assert_eq!(
        (args.files.len(), args.profile, args.format),
        (2, Profile::Strict, Format::Sarif)
    );
    for (arguments, message) in [
        (&["--profil"][..], "did you mean `--profile`"),
        (&["--zzzzzzzz"], "see --help"),
        (&["--profile"], "--profile needs a value"),
        (&["--profile", "apiserver"], "did you mean `api-server`"),
        (&["--format", "xml"], "write text, json, sarif"),
        (&["--help=x"], "takes no value"),
        (&["-", "-"], "once only"),
    ] {
        let error = parsed(arguments).unwrap_err();
        assert!(error.contains(message), "{arguments:?}: {error}");
        assert_eq!(validate(arguments, "").code, 2);
    }
    let help = validate(&["--help"], "");
    assert_eq!((help.code, help.out.trim_end()), (0, USAGE));
    assert!(BUNDLED.lines().count() > 40);
}
