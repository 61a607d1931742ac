//! PeerAuthentication: whether workloads accept plain text.
//!
//! Source: Istio API `security/v1beta1/peer_authentication.proto`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scalar::wire_enum;
use crate::type_::WorkloadSelector;
use crate::wire::is_default;

/// Mutual TLS that workloads ask of their clients.
///
/// Without selector the object holds for its namespace, in the root namespace for the mesh. More specific objects win.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PeerAuthentication {
    /// Workloads of the object's namespace. Absent means all of them.
    #[serde(skip_serializing_if = "is_default")]
    pub selector: Option<WorkloadSelector>,
    /// The mode. Absent, or mode UNSET, inherits that of the namespace, then of the mesh, then PERMISSIVE.
    #[serde(skip_serializing_if = "is_default")]
    pub mtls: Option<MutualTls>,
    /// Modes of single ports of the workload, by number 1..65535. Only with a selector (A-PA-1).
    ///
    /// The presence of an empty map is kept, because it is an error of its own (A-PA-2).
    #[serde(skip_serializing_if = "is_default")]
    pub port_level_mtls: Option<BTreeMap<u32, MutualTls>>,
}

/// Mutual TLS of a workload or port.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MutualTls {
    /// What is accepted. Default UNSET.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: MutualTlsMode,
}

wire_enum! {
    /// What a workload accepts.
    pub enum MutualTlsMode {
        /// Inherited from the next wider scope.
        Unset = 0 => "UNSET",
        /// Plain text only.
        Disable = 1 => "DISABLE",
        /// Plain text and mutual TLS.
        Permissive = 2 => "PERMISSIVE",
        /// Mutual TLS only.
        Strict = 3 => "STRICT",
    }
}
