//! ProxyConfig: settings of proxies that take effect when they start.
//!
//! Source: Istio API `networking/v1beta1/proxy_config.proto`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::type_::WorkloadSelector;
use crate::wire::is_default;

/// Settings of the proxies of a namespace, or of some of its workloads. The message of the same name inside MeshConfig is
/// another one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyConfig {
    /// Workloads of the object's namespace. Absent means all of them, in the root namespace all of the mesh.
    #[serde(skip_serializing_if = "is_default")]
    pub selector: Option<WorkloadSelector>,
    /// Number of worker threads; 0 or more, 0 means one per core. Absent means by the CPU limit of the container.
    #[serde(skip_serializing_if = "is_default")]
    pub concurrency: Option<i32>,
    /// Environment variables of the proxy. Bounds: values of at most 2048 characters (A-CR-35). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub environment_variables: BTreeMap<String, String>,
    /// Image of the proxy. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub image: Option<ProxyImage>,
}

/// Choice among the images of the proxy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyImage {
    /// Type of the image: `default`, `debug`, `distroless`. Empty means what the installation says.
    #[serde(skip_serializing_if = "is_default")]
    pub image_type: String,
}
