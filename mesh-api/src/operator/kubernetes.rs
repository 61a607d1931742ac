//! Changes to the Kubernetes objects of a component.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::wire::is_default;

/// Changes to the Kubernetes objects of a component. Parts that are Kubernetes' own are kept as JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KubernetesResources {
    /// Affinity of the pods. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub affinity: Option<Map<String, Value>>,
    /// Environment variables of the container, merged by name. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<Map<String, Value>>,
    /// The `spec` of the HorizontalPodAutoscaler. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub hpa_spec: Option<Map<String, Value>>,
    /// `Always`, `IfNotPresent` or `Never`. Empty means what the charts say.
    #[serde(skip_serializing_if = "is_default")]
    pub image_pull_policy: String,
    /// Labels of the nodes that pods run on. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub node_selector: BTreeMap<String, String>,
    /// The `spec` of the PodDisruptionBudget. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub pod_disruption_budget: Option<Map<String, Value>>,
    /// Annotations of the pods. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub pod_annotations: BTreeMap<String, String>,
    /// Priority class of the pods. Empty means none.
    #[serde(skip_serializing_if = "is_default")]
    pub priority_class_name: String,
    /// Readiness probe of the container. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub readiness_probe: Option<Map<String, Value>>,
    /// Number of pods. Zero means what the charts or the autoscaler say.
    #[serde(skip_serializing_if = "is_default")]
    pub replica_count: u32,
    /// Requests and limits of the container. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Option<Map<String, Value>>,
    /// The `spec` of the Service. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub service: Option<Map<String, Value>>,
    /// How pods are replaced by new ones. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub strategy: Option<Map<String, Value>>,
    /// Tolerations of the pods. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub tolerations: Vec<Map<String, Value>>,
    /// Annotations of the Service. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub service_annotations: BTreeMap<String, String>,
    /// Security context of the pods. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub security_context: Option<Map<String, Value>>,
    /// Volumes of the pods, merged by name. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub volumes: Vec<Map<String, Value>>,
    /// Mounts of the container, merged by path. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub volume_mounts: Vec<Map<String, Value>>,
    /// Changes to any object that the charts render, by path. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub overlays: Vec<KubernetesOverlay>,
}

/// Changes to one rendered object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KubernetesOverlay {
    /// Group and version of the object. Not asked when the object is looked up (A-IOP-36). Required.
    #[serde(skip_serializing_if = "is_default")]
    pub api_version: String,
    /// Kind of the object. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Name of the object. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The changes, in order. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub patches: Vec<OverlayPatch>,
}

/// A change at a path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OverlayPatch {
    /// The path: `a.b.[key:value].c`, `[n]` or `[:value]` for items of lists, `\.` for a dot in a name. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// The new value. Absent or null deletes what is there.
    #[serde(skip_serializing_if = "is_default")]
    pub value: Option<Value>,
}
