//! Messages that several groups share (upstream package `istio.type`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::wire::is_default;

/// Workloads by labels, in the form of the policy kinds and of DestinationRule; Sidecar and ServiceEntry use
/// [`networking::WorkloadSelector`](crate::networking::WorkloadSelector).
///
/// Source: Istio API `type/v1beta1/selector.proto`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadSelector {
    /// Labels that a workload must have. No wildcards, no empty keys. Empty selects all workloads.
    #[serde(skip_serializing_if = "is_default")]
    pub match_labels: BTreeMap<String, String>,
}
