//! Text survives the way out and in again, whichever YAML the reader speaks (A-WIRE-15).

use std::collections::BTreeMap;

use mesh_api::codec::scanners::{Scanner, scan};
use mesh_api::codec::{DecodeOptions, Tree, YamlVersion};
use proptest::prelude::*;
use regex::Regex;
use serde_json::{Value, json};

use crate::generate::{text, value};

/// What readers of YAML 1.1 take for something else than text: the patterns of the type repository at yaml.org, and the words
/// that its readers add.
const OTHER_TYPES: [(&str, &str); 8] = [
    ("null", r"^(~|null|Null|NULL|)$"),
    (
        "bool",
        r"^(y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$",
    ),
    (
        "int",
        r"^[-+]?(0b[0-1_]+|0o?[0-7_]+|(0|[1-9][0-9_]*)|0x[0-9a-fA-F_]+|[1-9][0-9_]*(:[0-5]?[0-9])+)$",
    ),
    (
        "float",
        r"^([-+]?([0-9][0-9_]*)?\.[0-9._]*([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$",
    ),
    ("date", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    (
        "time",
        r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?$",
    ),
    ("merge", r"^<<$"),
    ("value", r"^=$"),
];

/// Texts that look like something else, and some that do not.
const LOOKALIKES: [&str; 64] = [
    "y",
    "Y",
    "n",
    "on",
    "On",
    "off",
    "yes",
    "NO",
    "true",
    "False",
    "null",
    "Null",
    "~",
    "=",
    "<<",
    "",
    "0",
    "-1",
    "+1",
    "012",
    "0o17",
    "08",
    "0x1",
    "0b1",
    "1_0",
    "1_000.5",
    "1.5",
    ".5",
    "5.",
    "1.2.3",
    "1e3",
    "1.5e+3",
    "1E-3",
    "12:30",
    "12:30:45.5",
    "190:20:30",
    ".inf",
    "-.INF",
    ".nan",
    "2024-01-01",
    "2024-01-01T00:00:00Z",
    "2001-12-14 21:59:43.10 -5",
    "0xg",
    "1h30m",
    "10.0.0.0/8",
    "v1",
    "1.20",
    "100Mi",
    "a: b",
    "a #b",
    "a:",
    "- a",
    "-",
    "?",
    "? a",
    "---",
    "...",
    "%a",
    "@a",
    "`a",
    "!a",
    "&a",
    "*a",
    "reviews.shop.svc.cluster.local",
];

fn looks_like(text: &str) -> Option<&'static str> {
    let fits = |(_, pattern): &&(&str, &str)| Regex::new(pattern).unwrap().is_match(text);
    OTHER_TYPES.iter().find(fits).map(|(name, _)| *name)
}

fn read(text: &str, scanner: Scanner, yaml: YamlVersion) -> Option<Value> {
    let options = DecodeOptions {
        yaml,
        ..DecodeOptions::default()
    };
    let scanned = scan(text, scanner, &options).pop().flatten()?;
    assert!(scanned.1.is_empty(), "{:?} in\n{text}", scanned.1);
    Some(scanned.0.expect("a tree").root().to_json())
}

fn assert_survives(value: &Value) {
    let (yaml, json) = (
        mesh_api::to_yaml(value).unwrap(),
        mesh_api::to_json(value).unwrap(),
    );
    let tree = Tree::parse("a.json", &format!(" {json}")).map(|tree| tree.root().to_json());
    assert!(tree.is_ok_and(|tree| tree == *value), "{json}");
    for version in [YamlVersion::Kubernetes, YamlVersion::Core12] {
        let events = read(&yaml, Scanner::Events, version).expect("events read everything");
        assert_eq!(&events, value, "{yaml}");
        if let Some(direct) = read(&yaml, Scanner::Direct, version) {
            assert_eq!(&direct, value, "{yaml}");
        }
    }
    let other: Value = serde_yaml::from_str(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    assert_eq!(&other, value, "{yaml}");
}

/// Whether the text is written without quotes.
fn is_plain(text: &str) -> bool {
    let yaml = mesh_api::to_yaml(text).unwrap();
    yaml.trim_end_matches('\n') == text
}

#[test]
fn texts_that_look_like_something_else_are_quoted() {
    let mut quoted = 0;
    for text in LOOKALIKES {
        assert!(!(is_plain(text) && looks_like(text).is_some()), "{text}");
        quoted += usize::from(looks_like(text).is_some());
        for value in [
            json!({text: text}),
            json!([text, {"a": text}]),
            json!({"a": {text: [text]}}),
        ] {
            assert_survives(&value);
        }
    }
    assert!(quoted > 35, "{quoted}");
    for text in [
        "v1",
        "reviews.shop.svc.cluster.local",
        "/a",
        "10.0.0.0/8",
        "1h30m",
        "http://a:80/b?c=d",
        "5xx,reset",
        "é",
    ] {
        assert!(is_plain(text), "{text}");
    }
}

#[test]
fn blocks_and_quotes() {
    let value = json!({
        "block": "two\nlines\n", "strip": "two\n\nlines", "keep": "two\n\n", "lead": "\na", "space": " a\nb", "trail": "a \nb", "tab": "a\n\tb",
        "control": "a\nb\u{1}", "odd": "a\u{85}b\u{2028}c\u{feff}d\u{ffff}", "return": "a\r\nb", "list": ["a\nb\n", ["c\nd"], {"e": "f\ng"}], "long": "x".repeat(3000),
    });
    assert_survives(&value);
    let yaml = mesh_api::to_yaml(&value).unwrap();
    assert!(
        yaml.contains("block: |\n  two\n  lines\n") && yaml.contains("strip: |-\n  two\n\n  lines\n"),
        "{yaml}"
    );
    assert!(
        yaml.contains("list:\n- |\n  a\n  b\n- - |-\n    c\n    d\n- e: |-\n    f\n    g\n"),
        "{yaml}"
    );
}

#[test]
fn keys_longer_than_simple_keys_may_be() {
    for length in [900, 1024, 1025, 2000] {
        let key = "k".repeat(length);
        assert_survives(&json!({&key: {&key: 1, "a": [1]}, "b": [{&key: "x\ny"}]}));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_survives(value in value()) {
        prop_assert_eq!(mesh_api::to_json(&value).unwrap(), value.to_string());
        assert_survives(&value);
    }

    #[test]
    fn any_text_survives(texts in prop::collection::vec(prop_oneof![text(), any::<String>(), "[ \n\ta:#-]{0,8}", "[-+0-9_.:eExobTZ]{0,8}"], 1..4)) {
        let keyed: BTreeMap<&String, &String> = texts.iter().map(|text| (text, text)).collect();
        for text in &texts {
            prop_assert!(!is_plain(text) || looks_like(text).is_none(), "{text}");
        }
        assert_survives(&json!({"list": texts, "map": keyed}));
    }

    #[test]
    fn any_number_survives(float in any::<f64>(), int in any::<i64>(), uint in any::<u64>()) {
        let float = if float.is_finite() { float } else { 0.5 };
        assert_survives(&json!([float, int, uint, {"a": float}]));
        // YAML 1.1 knows floats by their point and the sign of their exponent
        let yaml = mesh_api::to_yaml(&float).unwrap();
        let float11 = Regex::new(r"^-?[0-9]+\.[0-9]+(e[-+][0-9]+)?\n$").unwrap();
        prop_assert!(float11.is_match(&yaml), "{yaml}");
    }
}
