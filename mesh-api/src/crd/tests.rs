//! Every rule has an object that keeps to it and one that breaks it, and the finding names the place.

mod cases;
mod twins;
mod walk;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::codec::Tree;

/// The findings about an object, as `code path` lines.
fn findings(kind: &Kind, object: &Value) -> Vec<String> {
    let tree = Tree::parse("object.json", &object.to_string()).unwrap_or_else(|error| panic!("{error}"));
    let found = check(&ObjectKey::new(kind.clone(), "shop", "name"), tree.root());
    found
        .iter()
        .map(|finding| format!("{} {}", finding.code, finding.path))
        .collect()
}

fn of_spec(kind: &Kind, spec: &Value) -> Vec<String> {
    findings(kind, &json!({ "metadata": {"name": "name"}, "spec": spec }))
}

#[test]
fn every_rule_has_a_passing_and_a_failing_case() {
    // A-TYP-5
    let mut covered = BTreeSet::new();
    let mut wrong = Vec::new();
    for case in cases::all() {
        let cases::Case {
            id,
            kind,
            pass,
            fail,
            path,
        } = case;
        covered.insert(id);
        for (object, expected) in [(pass, Vec::new()), (fail, vec![format!("{id} {path}")])] {
            let found = findings(&kind, &object);
            if found != expected {
                wrong.push(format!("{kind} {object:.300}: {found:?}, not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let all: BTreeSet<&str> = rules().iter().map(|rule| rule.code.as_str()).collect();
    let missing: Vec<_> = all.difference(&covered).collect();
    assert!(missing.is_empty(), "rules without cases: {missing:?}");
}

#[test]
fn every_kind_of_the_crds_has_a_schema() {
    // A-RES-1
    let kinds: Vec<Kind> = Kind::known().filter(|kind| outline(kind).is_some()).collect();
    assert_eq!(kinds.len(), 15);
    assert!(
        kinds
            .iter()
            .all(|kind| kind.group().ends_with(".istio.io") && kind.is_namespaced())
    );
    for (kind, lines) in [
        (Kind::VirtualService, 200),
        (Kind::DestinationRule, 400),
        (Kind::ProxyConfig, 8),
    ] {
        assert!(outline(&kind).unwrap().lines().count() >= lines, "{kind}");
    }
}
