//! The API server's layer: the schemas of Istio's CustomResourceDefinitions (A-CR).
//!
//! A Kubernetes API server that holds Istio's CRDs refuses objects before istiod sees them, by OpenAPI schemas and by
//! expressions in CEL. Both are written out here as constants, one module per family of kinds, and are asked about the
//! document as it was read, so that a field that is there and empty differs from one that is not there.
//!
//! Nothing is called here directly: [`validate`](crate::validate) asks this layer in the profiles
//! [`ApiServer`](crate::Profile::ApiServer), [`Cluster`](crate::Profile::Cluster) and [`Strict`](crate::Profile::Strict).
//! [`outline`] prints a schema.
//!
//! # Order
//!
//! A value's structure is looked at first: types, fields, enum names, bounds, patterns, choices, keys of lists. CEL is asked
//! about a value only if its structure is sound, and that of everything in it (A-CR-1). The API server is less patient: after
//! some errors of structure it asks no CEL at all. The verdict is the same, and here more is found at once.
//!
//! # `null`
//!
//! A field that is `null` counts as absent, unless the CRD keeps `null` for it: the API server drops it. In lists and maps
//! `null` is an error where a value is needed.
//!
//! # What is not here
//!
//! The `status`, which controllers write, and the cost limits of CEL, which no expression reaches within the bounds of its
//! schema.

mod cel;
mod check;
mod destination_rule;
mod envoy_filter;
mod extensions;
mod gateway;
mod metadata;
mod outline;
mod rules;
mod schema;
mod security;
mod shared;
mod telemetry;
mod url;
mod virtual_service;
mod workload;

#[cfg(test)]
mod tests;

use crate::codec::Node;
use crate::kind::Kind;
use crate::object::ObjectKey;
use crate::report::{Diagnostic, Rule};
use check::Checker;
use rules::{CR_25, CR_26, CR_27, CR_33, CR_34};
use schema::Schema;

/// The schema of a kind, one line per field: path, type and constraints in alphabetic order. `None` for kinds that are not
/// Istio's CRDs.
///
/// Paths write `[]` for the items of a list and `{}` for the values of a map. Patterns and CEL expressions stand as the 64-bit
/// FNV-1a digests of their texts.
///
/// ```
/// use mesh_api::{Kind, crd};
///
/// let outline = crd::outline(&Kind::VirtualService).ok_or("a CRD")?;
/// assert!(outline.contains("spec.http[].match[].uri message oneof=exact|prefix|regex\n"));
/// assert!(outline.contains("spec.http[].timeout string cel=7c95a9d1dd6370a5\n"));
/// # Ok::<(), &str>(())
/// ```
pub fn outline(kind: &Kind) -> Option<String> {
    let spec = spec_of(kind)?;
    let mut lines = Vec::new();
    outline::write("spec", spec.schema, spec.required.is_some(), &mut lines);
    lines.push(String::new());
    Some(lines.join("\n"))
}

/// What the API server says of an object of any kind, in the order of the text within each map; nothing of kinds that have
/// no CRD of Istio.
pub(crate) fn check(key: &ObjectKey, object: Node<'_>) -> Vec<Diagnostic> {
    let Some(spec) = spec_of(&key.kind) else {
        return Vec::new();
    };
    let mut checker = Checker::new(object, key);
    metadata::check(object, &mut checker);
    checker.field("spec", spec.schema, spec.required);
    checker.into_findings()
}

/// Whether a kind has a schema.
pub(crate) fn covers(kind: &Kind) -> bool {
    spec_of(kind).is_some()
}

/// The rules of this layer.
pub(crate) const fn rules() -> &'static [Rule] {
    rules::RULES
}

/// The part of a CRD that is looked at.
struct Spec {
    schema: &'static Schema,
    /// The rule that wants a `spec`, if one does.
    required: Option<&'static Rule>,
}

fn spec_of(kind: &Kind) -> Option<Spec> {
    static SPECS: [(Kind, Spec); 15] = [
        (Kind::AuthorizationPolicy, spec(&security::AUTHORIZATION_POLICY)),
        (Kind::DestinationRule, spec(&destination_rule::SPEC)),
        (Kind::EnvoyFilter, spec(&envoy_filter::SPEC)),
        (Kind::Gateway, spec(&gateway::GATEWAY)),
        (Kind::PeerAuthentication, spec(&security::PEER_AUTHENTICATION)),
        (Kind::ProxyConfig, spec(&workload::PROXY_CONFIG)),
        (
            Kind::RequestAuthentication,
            spec(&security::REQUEST_AUTHENTICATION),
        ),
        (
            Kind::ServiceEntry,
            required_spec(&workload::SERVICE_ENTRY, &CR_25),
        ),
        (Kind::Sidecar, spec(&gateway::SIDECAR)),
        (Kind::Telemetry, spec(&telemetry::SPEC)),
        (
            Kind::TrafficExtension,
            required_spec(&extensions::TRAFFIC_EXTENSION, &CR_34),
        ),
        (Kind::VirtualService, spec(&virtual_service::SPEC)),
        (Kind::WasmPlugin, required_spec(&extensions::WASM_PLUGIN, &CR_33)),
        (
            Kind::WorkloadEntry,
            required_spec(&workload::WORKLOAD_ENTRY, &CR_26),
        ),
        (
            Kind::WorkloadGroup,
            required_spec(&workload::WORKLOAD_GROUP, &CR_27),
        ),
    ];
    let (_, Spec { schema, required }) = SPECS.iter().find(|(of, _)| of == kind)?;
    Some(Spec {
        schema,
        required: *required,
    })
}

const fn spec(schema: &'static Schema) -> Spec {
    Spec {
        schema,
        required: None,
    }
}

const fn required_spec(schema: &'static Schema, rule: &'static Rule) -> Spec {
    Spec {
        schema,
        required: Some(rule),
    }
}
