//! YAML as the Kubernetes tools read it.

use crate::{accepted, decode, decode_as, places, virtual_service};
use mesh_api::Profile;
use mesh_api::codec::{DecodeOptions, Tree, YamlVersion};
use serde_json::{Value, json};

fn read(text: &str) -> Value {
    Tree::parse("a.yaml", text)
        .unwrap_or_else(|error| panic!("{text}\n{error}"))
        .root()
        .to_json()
}

#[test]
fn scalars_of_all_styles() {
    // A-PAR-7, A-PAR-12
    for (text, value) in [
        ("a: |\n  x\n  y\n\n", json!({"a": "x\ny\n"})),
        ("a: |-\n  x\n  ---\n", json!({"a": "x\n---"})),
        ("a: |+\n  x\n\n", json!({"a": "x\n\n"})),
        ("a: >\n  x\n  y\n\n  z\n", json!({"a": "x y\nz\n"})),
        ("a: |2\n    x\n", json!({"a": "  x\n"})),
        ("a: 'it''s'\n", json!({"a": "it's"})),
        ("a: \"\\x41\\u00e9\\n\"\n", json!({"a": "Aé\n"})),
        ("a: x\r\nb: z\r\n", json!({"a": "x", "b": "z"})),
        ("a: \tx\t# c\n", json!({"a": "x"})),
        ("a: x\n  y\n", json!({"a": "x y"})),
        (
            "a: {b: 1,\n  c: [2, 3, ]\n}\n",
            json!({"a": {"b": 1, "c": [2, 3]}}),
        ),
        ("- a\n-\n- - b\n", json!(["a", null, ["b"]])),
        (
            "a: y\nb: No\nc: 0x1F\nd: 017\ne: 1_000\nf: 1.5\ng: ~\nh: 12:30\ni: 2024-01-01\n",
            json!({"a": true, "b": false, "c": 31, "d": 15, "e": 1000, "f": 1.5, "g": null, "h": "12:30", "i": "2024-01-01"}),
        ),
        (
            "a: !!str 1\nb: !!int \"2\"\nc: !!float 3\nd: !!binary aGk=\ne: !x 5\nf: ! 6\n",
            json!({"a": "1", "b": 2, "c": 3, "d": "hi", "e": 5, "f": "6"}),
        ),
        (
            "8080: a\n1.5: b\ntrue: c\n",
            json!({"8080": "a", "1.5": "b", "true": "c"}),
        ), // A-PAR-8
        ("a: [001:db8::, b]\n", json!({"a": ["001:db8::", "b"]})),
        ("a: [b: , c:d]\n", json!({"a": [{"b": null}, "c:d"]})),
    ] {
        assert_eq!(read(text), value, "{text}");
    }
}

#[test]
fn anchors_aliases_and_merge_keys() {
    // A-PAR-9
    for (text, value) in [
        ("a: &x [1]\nb: *x\n", json!({"a": [1], "b": [1]})),
        (
            "a: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\n",
            json!({"a": {"k": 1, "l": 2}, "b": {"k": 3, "l": 2}}),
        ),
        (
            "a: &x {k: 1}\nb: &y {k: 2, m: 2}\nc: {<<: [*x, *y]}\n",
            json!({"a": {"k": 1}, "b": {"k": 2, "m": 2}, "c": {"k": 1, "m": 2}}),
        ),
        (
            "a: &x {k: 1}\nb: {\"<<\": *x}\n",
            json!({"a": {"k": 1}, "b": {"<<": {"k": 1}}}),
        ),
        ("a: {<<: {k: 1}, l: 2}\n", json!({"a": {"k": 1, "l": 2}})),
        (
            "a: &x {k: 1}\nb: &y {<<: *x, l: 2}\nc: {<<: *y}\n",
            json!({"a": {"k": 1}, "b": {"k": 1, "l": 2}, "c": {"k": 1, "l": 2}}),
        ),
        ("&k a: b\nc: *k\n", json!({"a": "b", "c": "a"})),
    ] {
        assert_eq!(read(text), value, "{text}");
    }
    assert!(Tree::parse("a", "a: &x [*x]\n").is_err()); // a circle
}

#[test]
fn a_typed_value_behind_an_alias_or_merge_key() {
    let object = accepted(&virtual_service(
        "hosts: &h [a]\nexportTo: *h\nhttp:\n- &r {name: x, timeout: 1s}\n- {<<: *r, name: z}",
    ));
    assert_eq!(object.spec.export_to, ["a"]);
    assert_eq!(
        (object.spec.http[1].name.as_str(), object.spec.http[1].timeout),
        ("z", object.spec.http[0].timeout)
    );
    // a fault behind an alias is one fault, shown where it is written
    let decoded = decode(&virtual_service("http:\n- &r {timeout: 5}\n- *r\n- *r"));
    assert_eq!(places(&decoded), ["6:18 A-WIRE-3"]);
}

#[test]
fn surprising_keys_are_warned_about() {
    // A-PAR-8
    let text = "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a}\ndata:\n  y: 1\n  on: 2\n";
    let decoded = decode(text);
    // `y` and `on` both become `true`
    assert_eq!(places(&decoded), ["5:3 A-PAR-8", "6:3 A-PAR-6", "6:3 A-PAR-8"]);
    assert_eq!(
        decoded.report().iter().next().unwrap().help.as_deref(),
        Some("write \"y\" in quotes")
    );
}

#[test]
fn the_core_schema_of_1_2_on_request() {
    let options = DecodeOptions {
        yaml: YamlVersion::Core12,
        ..DecodeOptions::default()
    };
    let text = virtual_service("hosts: [on, no, y, 1_0]");
    let decoded = mesh_api::decode_with("a.yaml", text.as_bytes(), &options);
    assert!(decoded.report().is_empty(), "{}", decoded.report());
    assert!(!decode(&text).report().is_ok());
}

#[test]
fn directives_and_foreign_tags() {
    let text = format!("%YAML 1.1\n---\n{}", virtual_service("hosts: [!x a]"));
    assert!(decode(&text).report().is_empty(), "{}", decode(&text).report());
    assert_eq!(places(&decode_as(Profile::Strict, &text)), ["7:11 A-PAR-10"]); // A-PAR-10
}
