//! One passing and one failing object per rule, as changes to a valid object of the kind.

use serde_json::{Value, json};

use super::Object;
use crate::kind::Kind;

mod authorization_policy;
mod destination_rule;
mod envoy_filter;
mod extensions;
mod gateway;
pub(super) mod helpers;
mod mesh;
mod others;
mod request_authentication;
mod service_entry;
mod sidecar;
mod telemetry;
mod virtual_service;
mod workload_group;

/// Rules whose finding upstream drops on the way (A-GEN-6), or does not have.
pub(super) const STRICT_ONLY: &[&str] = &["A-MC-19", "A-MC-21", "A-VS-52"];

pub(super) struct Case {
    pub(super) id: &'static str,
    pub(super) pass: Object,
    pub(super) fail: Object,
    /// Where the failing object breaks the rule.
    pub(super) path: &'static str,
}

pub(super) fn all() -> Vec<Case> {
    [
        virtual_service::cases(),
        destination_rule::cases(),
        gateway::cases(),
        service_entry::cases(),
        workload_group::cases(),
        sidecar::cases(),
        envoy_filter::cases(),
        authorization_policy::cases(),
        request_authentication::cases(),
        telemetry::cases(),
        extensions::cases(),
        others::cases(),
        mesh::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A case of two objects of one kind.
fn case(id: &'static str, kind: &Kind, pass: Value, fail: Value, path: &'static str) -> Case {
    Case {
        id,
        pass: Object::new(kind.clone(), pass),
        fail: Object::new(kind.clone(), fail),
        path,
    }
}

/// `base` changed by a JSON merge patch (RFC 7396): objects merge, `null` removes, all else replaces.
pub(super) fn patched(mut base: Value, patch: Value) -> Value {
    fn merge(base: &mut Value, patch: Value) {
        match patch {
            Value::Object(fields) => {
                if !base.is_object() {
                    *base = json!({});
                }
                for (key, value) in fields {
                    match value {
                        Value::Null => {
                            base.as_object_mut().unwrap().remove(&key);
                        }
                        value => merge(&mut base[key], value),
                    }
                }
            }
            other => *base = other,
        }
    }
    merge(&mut base, patch);
    base
}
