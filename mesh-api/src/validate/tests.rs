//! Every rule has an object that keeps to it and one that breaks it, and the finding names the place.

mod cases;
mod profiles;

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::kind::Kind;
use crate::networking::{DestinationRule, Gateway, ServiceEntry, Sidecar, VirtualService, WorkloadEntry};
use crate::report::Severity;
use crate::security::PeerAuthentication;

/// An object for validation; the name is `name` and the namespace `shop` unless the metadata says otherwise.
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) meta: ObjectMeta,
    pub(super) spec: Value,
}

impl Object {
    pub(super) fn new(kind: Kind, spec: Value) -> Self {
        Self {
            kind,
            meta: ObjectMeta::new("name", "shop"),
            spec,
        }
    }

    pub(super) fn validate(&self, options: &ValidateOptions) -> Report {
        fn run<T: Validate>(object: &Object, options: &ValidateOptions) -> Report {
            let spec: T = serde_json::from_value(object.spec.clone())
                .unwrap_or_else(|error| panic!("{error} in {}", object.spec));
            validate_spec(&object.meta, &spec, options)
        }
        match self.kind {
            Kind::DestinationRule => run::<DestinationRule>(self, options),
            Kind::Gateway => run::<Gateway>(self, options),
            Kind::PeerAuthentication => run::<PeerAuthentication>(self, options),
            Kind::ServiceEntry => run::<ServiceEntry>(self, options),
            Kind::Sidecar => run::<Sidecar>(self, options),
            Kind::VirtualService => run::<VirtualService>(self, options),
            Kind::WorkloadEntry => run::<WorkloadEntry>(self, options),
            ref other => panic!("no rules for {other}"),
        }
    }
}

#[test]
fn rules_are_told_apart_by_their_ids() {
    let ids: Vec<&str> = rules().map(|rule| rule.code.as_str()).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    assert!(rules().all(|rule| rule.doc.len() > 10 && !rule.doc.ends_with('.')));
}

#[test]
fn every_rule_has_a_passing_and_a_failing_case() {
    // A-TYP-5
    let options = ValidateOptions::new(Profile::Istiod);
    let mut covered = BTreeSet::new();
    for case in cases::all() {
        let rule = rule(case.id).unwrap_or_else(|| panic!("{} is no rule", case.id));
        covered.insert(case.id);
        let strict = ValidateOptions::new(Profile::Strict);
        let options = if cases::STRICT_ONLY.contains(&case.id) {
            &strict
        } else {
            &options
        };

        let passing = case.pass.validate(options);
        let findings: Vec<String> = passing.iter().map(ToString::to_string).collect();
        assert!(
            passing.is_ok(),
            "{}: the passing case gives {findings:#?}",
            case.id
        );
        let silent = passing.iter().all(|finding| finding.code != rule.code);
        assert!(silent, "{}: the passing case gives {findings:#?}", case.id);

        let failing = case.fail.validate(options);
        let found = failing.iter().any(|finding| {
            finding.code == rule.code
                && finding.severity == rule.severity
                && finding.path.to_string() == case.path
        });
        let findings: Vec<String> = failing.iter().map(ToString::to_string).collect();
        assert!(
            found,
            "{} at {}: the failing case gives {findings:#?}",
            case.id, case.path
        );
        let own: Vec<_> = failing
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .collect();
        assert_eq!(failing.is_ok(), own.is_empty());
    }
    let all: BTreeSet<&str> = rules().map(|rule| rule.code.as_str()).collect();
    let missing: Vec<_> = all.difference(&covered).collect();
    assert!(missing.is_empty(), "rules without cases: {missing:?}");
}
