//! Order, places, limits, and what a missing and a broken part do to the rest.

use super::*;
use crate::report::{Diagnostic, Severity};

fn lines(kind: Kind, text: &str) -> Vec<String> {
    let tree = Tree::parse("a.yaml", text).unwrap();
    let found = check(&ObjectKey::new(kind, "shop", "name"), tree.root());
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_cr_1_cel_is_asked_only_of_sound_values() {
    let wasm = |env: Value| {
        of_spec(
            &Kind::WasmPlugin,
            &json!({"url": "ftp://a", "vmConfig": {"env": [env]}}),
        )
    };
    // the variable is broken, the URL beside it is not
    assert_eq!(
        wasm(json!({"name": "a", "valueFrom": "HOST", "value": 1})),
        ["A-CR-33 spec.url", "A-CR-2 spec.vmConfig.env[0].value"]
    );
    // both conditions on the spec and on its members, where all is sound
    let target = json!([{"kind": "Service", "name": "a"}]);
    let both = json!({"url": "ftp://a", "selector": {}, "targetRefs": target});
    assert_eq!(
        of_spec(&Kind::WasmPlugin, &both),
        ["A-CR-33 spec.url", "A-CR-33 spec.selector"]
    );
    let broken = json!({"url": "ftp://a", "selector": {"a": 1}, "targetRefs": target});
    assert_eq!(
        of_spec(&Kind::WasmPlugin, &broken),
        ["A-CR-2 spec.selector.a", "A-CR-33 spec.url"]
    );
}

#[test]
fn a_cr_1_versions_are_aliases() {
    let versions = [
        "networking.istio.io/v1",
        "networking.istio.io/v1alpha3",
        "networking.istio.io/v9",
    ];
    for api_version in versions {
        let kind = Kind::of(api_version, "DestinationRule");
        assert_eq!(of_spec(&kind, &json!({})), ["A-CR-16 spec.host"], "{api_version}");
    }
}

#[test]
fn a_cr_3_lengths_are_code_points() {
    let group = |length: usize| json!({"selector": {"matchLabels": {"a": "😀".repeat(length)}}});
    assert!(of_spec(&Kind::ProxyConfig, &group(63)).is_empty());
    assert_eq!(
        of_spec(&Kind::ProxyConfig, &group(64)),
        ["A-CR-11 spec.selector.matchLabels.a"]
    );
}

#[test]
fn a_wire_10_null_fields_are_absent() {
    let kind = Kind::DestinationRule;
    assert!(of_spec(&kind, &json!({"host": "a", "trafficPolicy": null})).is_empty());
    assert_eq!(of_spec(&kind, &json!({"host": null})), ["A-CR-16 spec.host"]);
    let one =
        json!({"host": "a", "trafficPolicy": {"loadBalancer": {"simple": "RANDOM", "consistentHash": null}}});
    assert!(of_spec(&kind, &one).is_empty());
    let optional =
        json!({"host": "a", "trafficPolicy": {"outlierDetection": {"consecutive5xxErrors": null}}});
    assert!(of_spec(&kind, &optional).is_empty());
}

#[test]
fn a_wire_12_empty_is_there() {
    let entry = json!({"hosts": ["a"], "resolution": "STATIC", "workloadSelector": {}, "endpoints": []});
    assert_eq!(of_spec(&Kind::ServiceEntry, &entry), ["A-CR-25 spec.endpoints"]);
}

#[test]
fn other_kinds_have_no_schema() {
    assert!(of_spec(&Kind::Service, &json!({"anything": 1})).is_empty());
    assert!(of_spec(&Kind::of("a.b/v1", "VirtualService"), &json!({"anything": 1})).is_empty());
}

#[test]
fn findings_show_where_and_what_to_do() {
    let text = "\
metadata: {name: a, labels: {app: 'a b'}}
spec:
  host: a
  exportTo: .
  subsets:
  - labels: {v: v1}
    trafficPolicy:
      tls: {mode: simple}
      outlierDetection:
        interval: 10
        baseEjectionTime: soon
        maxEjectionPercent: 3000000000
      conectionPool: {}
";
    assert_eq!(
        lines(Kind::DestinationRule, text),
        [
            "a.yaml:1:35: `a b` is no value of a label [A-MET-5]",
            "a.yaml:4:13: `.` is a string and stands where a list is needed, write `- ` before it [A-CR-2]",
            "a.yaml:8:19: unknown value `simple`, did you mean `SIMPLE`? [A-CR-2]",
            "a.yaml:10:19: `10` is a number and stands where a string is needed, write \"10\" [A-CR-2]",
            "a.yaml:11:27: `soon` is no duration of at least 1ms, write a number with a unit, such as `10s` [A-CR-17]",
            "a.yaml:12:29: `3000000000` is out of range, -2147483648 to 2147483647 is allowed [A-CR-2]",
            "a.yaml:13:7: unknown field `conectionPool`, did you mean `connectionPool`? [A-CR-2]",
            "a.yaml:6:5: the field `name` is required, add `name` [A-CR-16]",
        ]
    );
}

#[test]
fn aliases_are_looked_at_where_they_stand() {
    let text = "spec:\n  host: a\n  trafficPolicy: &p\n    tls: {mode: 1}\n  subsets:\n  - {name: a, trafficPolicy: *p}\n";
    let tree = Tree::parse("a.yaml", text).unwrap();
    let found = check(
        &ObjectKey::new(Kind::DestinationRule, "shop", "name"),
        tree.root(),
    );
    let paths: Vec<String> = found.iter().map(|finding| finding.path.to_string()).collect();
    assert_eq!(
        paths,
        [
            "spec.trafficPolicy.tls.mode",
            "spec.subsets[0].trafficPolicy.tls.mode"
        ]
    );
}

#[test]
fn findings_of_one_object_are_limited() {
    let hosts = json!({"hosts": vec![1; 10_000]});
    let found = of_spec(&Kind::VirtualService, &hosts);
    assert_eq!(found.len(), 101);
    assert!(found.last().is_some_and(|last| last.starts_with("A-PAR-11")));
}

#[test]
fn findings_are_one_line_whatever_the_text() {
    let text = r#"{"spec": {"host": "a", "a\nb": 1, "subsets": [{"name": "x", "trafficPolicy": {"tls": {"mode": "S\u0000\nM"}}}]}}"#;
    let tree = Tree::parse("a.json", text).unwrap();
    let found: Vec<Diagnostic> = check(
        &ObjectKey::new(Kind::DestinationRule, "shop", "name"),
        tree.root(),
    );
    assert_eq!(found.len(), 2);
    for finding in found {
        assert!(!finding.message.contains(char::is_control) && finding.severity == Severity::Error);
    }
}
