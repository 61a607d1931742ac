//! WorkloadEntry: one workload outside of Kubernetes, or one endpoint of a ServiceEntry.
//!
//! Source: Istio API `networking/v1alpha3/workload_entry.proto`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::wire::is_default;

/// A single workload: a kind of its own, and the form of the endpoints of a [`ServiceEntry`](super::ServiceEntry).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadEntry {
    /// Address: IP, DNS name where the resolution allows it, or `unix://path`. Empty only together with `network`. Bounds:
    /// 256 characters (A-CR-26).
    #[serde(skip_serializing_if = "is_default")]
    pub address: String,
    /// Ports of the workload by name of the service's port, each 1..65535. Empty means the target port. Bounds: 128 entries
    /// (A-CR-26).
    #[serde(skip_serializing_if = "is_default")]
    pub ports: BTreeMap<String, u32>,
    /// Labels, to be found by selectors and subsets. Default none. Bounds: 256 entries (A-CR-26).
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// Network that the address belongs to. Empty means the network of the mesh's default. Bounds: 2048 characters
    /// (A-CR-26).
    #[serde(skip_serializing_if = "is_default")]
    pub network: String,
    /// Locality as `region/zone/subzone`. Empty means unknown. Bounds: 2048 characters (A-CR-26).
    #[serde(skip_serializing_if = "is_default")]
    pub locality: String,
    /// Share among the endpoints. Zero means 1.
    #[serde(skip_serializing_if = "is_default")]
    pub weight: u32,
    /// Service account, without namespace, that the workload runs as. Empty means none. Bounds: 253 characters (A-CR-26).
    #[serde(skip_serializing_if = "is_default")]
    pub service_account: String,
}
