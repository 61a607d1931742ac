//! Messages that several groups share (upstream package `istio.type`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scalar::wire_enum;
use crate::wire::is_default;

/// Workloads by labels, in the form of the policy kinds and of DestinationRule; Sidecar and ServiceEntry use
/// [`networking::WorkloadSelector`](crate::networking::WorkloadSelector).
///
/// Source: Istio API `type/v1beta1/selector.proto`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadSelector {
    /// Labels that a workload must have. No wildcards, no empty keys. Empty selects all workloads. Bounds: 4096 entries,
    /// values of at most 63 characters (A-CR-11).
    #[serde(skip_serializing_if = "is_default")]
    pub match_labels: BTreeMap<String, String>,
}

/// An object that a policy is attached to.
///
/// Source: Istio API `type/v1beta1/selector.proto`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicyTargetReference {
    /// API group of the object; empty or `core` for the core group. Bounds: 253 characters (A-CR-10).
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Kind of the object. Required. istiod takes Gateway and GatewayClass of the Gateway API, Service and ServiceEntry.
    /// Bounds: 1 to 63 characters (A-CR-10).
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Name of the object. Required. Bounds: 1 to 253 characters (A-CR-10).
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Namespace of the object. Must be empty: it is always that of the policy.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
}

/// A port by number, in the form of the extension kinds.
///
/// Source: Istio API `type/v1beta1/selector.proto`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PortSelector {
    /// Number, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub number: u32,
}

wire_enum! {
    /// The side of a connection, in the form of the extension kinds; Telemetry has
    /// [`telemetry::WorkloadMode`](crate::telemetry::WorkloadMode).
    ///
    /// Source: Istio API `type/v1beta1/selector.proto`.
    pub enum WorkloadMode {
        /// Both.
        Undefined = 0 => "UNDEFINED",
        /// That of the client, and gateways.
        Client = 1 => "CLIENT",
        /// That of the server.
        Server = 2 => "SERVER",
        /// Both.
        ClientAndServer = 3 => "CLIENT_AND_SERVER",
    }
}
