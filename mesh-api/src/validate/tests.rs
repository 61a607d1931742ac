//! Every rule has an object that keeps to it and one that breaks it, and the finding names the place.

mod cases;
mod profiles;
mod registry;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::*;
use crate::extensions::{TrafficExtension, WasmPlugin};
use crate::kind::Kind;
use crate::mesh::MeshConfig;
use crate::networking::envoy_filter::ApplyTo;
use crate::networking::{
    DestinationRule, EnvoyFilter, Gateway, ProxyConfig, ServiceEntry, Sidecar, VirtualService, WorkloadEntry,
    WorkloadGroup,
};
use crate::report::Severity;
use crate::security::{AuthorizationPolicy, PeerAuthentication, RequestAuthentication};
use crate::telemetry::Telemetry;

/// An object for validation; the name is `name` and the namespace `shop` unless the metadata says otherwise.
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) meta: ObjectMeta,
    pub(super) spec: Value,
    /// Whether Envoy's messages are at hand.
    pub(super) knows_messages: bool,
}

impl Object {
    pub(super) fn new(kind: Kind, spec: Value) -> Self {
        Self {
            kind,
            meta: ObjectMeta::new("name", "shop"),
            spec,
            knows_messages: false,
        }
    }

    pub(super) fn validate(&self, options: &ValidateOptions) -> Report {
        fn run<T: Validate>(object: &Object, options: &ValidateOptions) -> Report {
            let spec: T = serde_json::from_value(object.spec.clone())
                .unwrap_or_else(|error| panic!("{error} in {}", object.spec));
            validate_spec(&object.meta, &spec, options)
        }
        let mut options = options.clone();
        if self.knows_messages {
            options.envoy_schema = Some(Arc::new(Messages));
        }
        let options = &options;
        match self.kind {
            Kind::AuthorizationPolicy => run::<AuthorizationPolicy>(self, options),
            Kind::DestinationRule => run::<DestinationRule>(self, options),
            Kind::EnvoyFilter => run::<EnvoyFilter>(self, options),
            Kind::Gateway => run::<Gateway>(self, options),
            Kind::PeerAuthentication => run::<PeerAuthentication>(self, options),
            Kind::ProxyConfig => run::<ProxyConfig>(self, options),
            Kind::RequestAuthentication => run::<RequestAuthentication>(self, options),
            Kind::ServiceEntry => run::<ServiceEntry>(self, options),
            Kind::Sidecar => run::<Sidecar>(self, options),
            Kind::Telemetry => run::<Telemetry>(self, options),
            Kind::TrafficExtension => run::<TrafficExtension>(self, options),
            Kind::VirtualService => run::<VirtualService>(self, options),
            Kind::WasmPlugin => run::<WasmPlugin>(self, options),
            Kind::WorkloadEntry => run::<WorkloadEntry>(self, options),
            Kind::WorkloadGroup => run::<WorkloadGroup>(self, options),
            Kind::Other { ref kind, .. } if kind == "MeshConfig" => {
                let mut mesh: MeshConfig = serde_json::from_value(self.spec.clone()).unwrap();
                if self.spec["defaultConfig"].is_null() {
                    mesh.default_config = None;
                }
                validate_mesh_config(&mesh, options)
            }
            Kind::Other { ref kind, .. } if kind == "MeshNetworks" => {
                validate_mesh_networks(&serde_json::from_value(self.spec.clone()).unwrap(), options)
            }
            ref other => panic!("no rules for {other}"),
        }
    }
}

/// Messages of Envoy as far as the cases need them: all have a name, and one is of a frozen package.
#[derive(Debug)]
struct Messages;

impl EnvoySchema for Messages {
    fn check(&self, _: ApplyTo, value: &Map<String, Value>) -> Vec<PatchFault> {
        let fault = |(key, value): (&String, &Value)| match (key.as_str(), value.as_str()) {
            ("name", None) => Some(PatchFault::Unreadable("name is no text".to_owned())),
            ("name", Some("")) => Some(PatchFault::NameOnly("a".to_owned())),
            ("name", Some(_)) => None,
            ("@type", Some(name)) => Some(PatchFault::DeprecatedType(name.to_owned())),
            _ => Some(PatchFault::UnknownField(key.clone())),
        };
        value.iter().filter_map(fault).collect()
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
    let mut covered = BTreeSet::new();
    for case in cases::all() {
        covered.insert(case.id);
        let profile = match cases::STRICT_ONLY.contains(&case.id) {
            true => Profile::Strict,
            false => Profile::Istiod,
        };
        check_case(&case, &ValidateOptions::new(profile));
    }
    let all: BTreeSet<&str> = istiod_rules().map(|rule| rule.code.as_str()).collect();
    let missing: Vec<_> = all.difference(&covered).collect();
    assert!(missing.is_empty(), "rules without cases: {missing:?}");
}

/// Asserts that the passing object of a case breaks no rule, and the failing one breaks that of the case at its place.
fn check_case(case: &cases::Case, options: &ValidateOptions) {
    let rule = rule(case.id).unwrap_or_else(|| panic!("{} is no rule", case.id));
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
