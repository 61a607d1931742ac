//! The mesh as it is configured: objects resolved, merged and indexed, immutable behind an `Arc`.
//!
//! A snapshot is the one-way door between what users wrote and what is compiled: before it names are strings as
//! written, after it they are resolved and typed. Building one never fails as a whole; what had to be left out is
//! listed beside it.

use std::sync::Arc;

use mesh_api::FieldPath;
use mesh_api::meta::ObjectMeta;
use mesh_api::names::{Namespace, Text};
use mesh_api::object::ObjectKey;

mod builder;
mod delegate;
pub mod destination_rule;
pub mod gateway;
mod kubernetes;
pub mod peer_authentication;
mod references;
pub mod service;
mod service_entry;
pub mod sidecar;
pub mod virtual_service;
pub mod visibility;

pub use builder::Builder;

/// The age of an object, for "the oldest wins": creation time in seconds, then name, then namespace. An object without
/// a time counts as older than all that have one (R-ORD-1).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age {
    /// Unix seconds.
    pub created: Option<i64>,
    /// Name; compared before the namespace.
    pub name: Text,
    /// Namespace.
    pub namespace: Namespace,
}

impl Age {
    /// The age of the object with this metadata.
    pub fn of(meta: &ObjectMeta) -> Self {
        Self {
            created: meta
                .creation_timestamp
                .as_ref()
                .map(mesh_api::scalar::Timestamp::unix_seconds),
            name: meta.name.clone(),
            namespace: meta.namespace.clone(),
        }
    }
}

/// Why something of an object was left out of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The object.
    pub object: Arc<ObjectKey>,
    /// The field it is about; the root for the object as a whole.
    pub path: FieldPath,
    /// The rule that says so.
    pub rule: &'static str,
    /// One line, with names in backticks.
    pub reason: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            object,
            path,
            rule,
            reason,
        } = self;
        if path.is_root() {
            write!(f, "{object}: {reason} ({rule})")
        } else {
            write!(f, "{object} {path}: {reason} ({rule})")
        }
    }
}

/// The path of `spec.http[entry]`.
fn http_entry(entry: u16) -> FieldPath {
    FieldPath::spec()
        .with_field("http")
        .with_index(usize::from(entry))
}

/// Everything that scopes and compile look up.
#[derive(Debug, Default)]
pub struct Indexes {
    /// Services.
    pub services: service::ServiceIndex,
    /// VirtualServices with hosts, delegates merged.
    pub virtual_services: virtual_service::VirtualServiceIndex,
    /// DestinationRules.
    pub rules: destination_rule::DestinationRuleIndex,
    /// Gateways, oldest first.
    pub gateways: Vec<Arc<gateway::Gateway>>,
    /// Sidecars.
    pub sidecars: sidecar::SidecarIndex,
    /// Modes that clients infer.
    pub peer_authentication: peer_authentication::PeerAuthenticationIndex,
    /// EnvoyFilters, by key.
    pub envoy_filters: Vec<EnvoyFilter>,
}

/// An EnvoyFilter. It patches the proxy's configuration after it was made, so decisions only name it as a caveat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvoyFilter {
    /// The object.
    pub key: ObjectKey,
    /// The workloads it is for; empty: all of its namespace, or of the mesh from the root namespace.
    pub selector: mesh_api::names::Labels,
}
