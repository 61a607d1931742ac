//! Kubernetes Deployment.

use serde::{Deserialize, Serialize};

use super::PodSpec;
use crate::meta::ObjectMeta;
use crate::wire::is_default;

/// A Kubernetes Deployment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Deployment {
    /// What the deployment is meant to be.
    #[serde(skip_serializing_if = "is_default")]
    pub spec: DeploymentSpec,
}

/// The specification of a Deployment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeploymentSpec {
    /// The pods that it makes.
    #[serde(skip_serializing_if = "is_default")]
    pub template: PodTemplate,
}

/// What the pods of a workload look like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodTemplate {
    /// Their labels and annotations.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata: ObjectMeta,
    /// Their specification.
    #[serde(skip_serializing_if = "is_default")]
    pub spec: PodSpec,
}
