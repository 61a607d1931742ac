//! IstioOperator: what an installation of Istio consists of. The model only.
//!
//! Values of the charts, the mesh configuration and parts of Kubernetes objects are kept as JSON: they are merged as such,
//! and what they mean depends on the release that is installed.
//!
//! Source: Istio `operator/pkg/apis/types.go`.

mod kubernetes;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use kubernetes::{KubernetesOverlay, KubernetesResources, OverlayPatch};

use crate::wire::is_default;

/// An installation of Istio, or a change to one of the profiles.
///
/// ```
/// use mesh_api::operator::IstioOperator;
///
/// let decoded = mesh_api::decode("install.yaml", b"
/// apiVersion: install.istio.io/v1alpha1
/// kind: IstioOperator
/// metadata: {name: mesh, namespace: istio-system}
/// spec:
///   profile: minimal
///   meshConfig: {enableTracing: false}
///   components: {pilot: {k8s: {replicaCount: 2}}}
/// ");
/// let operator = decoded.objects().object::<IstioOperator>("istio-system", "mesh").ok_or("the object")?;
/// let pilot = operator.spec.components.as_ref().and_then(|components| components.pilot.as_ref()).ok_or("pilot")?;
/// assert_eq!(pilot.k8s.as_ref().map(|k8s| k8s.replica_count), Some(2));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IstioOperator {
    /// The profile that is the base: `ambient`, `default`, `demo`, `empty`, `minimal`, `openshift`, `openshift-ambient`,
    /// `preview`, `remote` or `stable`. Empty means `default`.
    #[serde(skip_serializing_if = "is_default")]
    pub profile: String,
    /// Path of charts and profiles to be used in place of the built-in ones. Empty means those.
    #[serde(skip_serializing_if = "is_default")]
    pub install_package_path: String,
    /// Registry and path of the images, such as `docker.io/istio`. Empty means what the profile says.
    #[serde(skip_serializing_if = "is_default")]
    pub hub: String,
    /// Tag of the images: a text, or the number that YAML takes an unquoted one for (`1.10` is the number 1.1). Absent
    /// means what the profile says.
    #[serde(skip_serializing_if = "is_default")]
    pub tag: Option<Value>,
    /// Namespace of the control plane. Empty means that of the metadata, else `istio-system`.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name of the revision, a DNS label. Empty means the default revision.
    #[serde(skip_serializing_if = "is_default")]
    pub revision: String,
    /// The release, such as `1.20`, whose defaults hold. Empty means the installed one.
    #[serde(skip_serializing_if = "is_default")]
    pub compatibility_version: String,
    /// A document of the mesh configuration, not merged with anything. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub mesh_config: Option<Map<String, Value>>,
    /// What is installed. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub components: Option<Box<IstioComponents>>,
    /// Values of the charts. Names are checked when they are rendered. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub values: Option<Map<String, Value>>,
    /// Values of the charts whose names are not checked. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub unvalidated_values: Option<Map<String, Value>>,
}

/// What an installation consists of. Upstream: `IstioComponentSpec`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IstioComponents {
    /// CustomResourceDefinitions and objects that the whole cluster shares. Absent means installed.
    #[serde(skip_serializing_if = "is_default")]
    pub base: Option<BaseComponent>,
    /// The control plane, istiod. Absent means installed.
    #[serde(skip_serializing_if = "is_default")]
    pub pilot: Option<Component>,
    /// The CNI plugin. Absent means not installed.
    #[serde(skip_serializing_if = "is_default")]
    pub cni: Option<Component>,
    /// The node proxies of ambient mode. Absent means not installed.
    #[serde(skip_serializing_if = "is_default")]
    pub ztunnel: Option<Component>,
    /// Objects by which a cluster uses a control plane elsewhere. Absent means not installed.
    #[serde(skip_serializing_if = "is_default")]
    pub istiod_remote: Option<Component>,
    /// Ingress gateways. A list replaces that of the profile. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub ingress_gateways: Vec<GatewayComponent>,
    /// Egress gateways. A list replaces that of the profile. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub egress_gateways: Vec<GatewayComponent>,
}

/// The component `base`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BaseComponent {
    /// Whether it is installed. Absent means true.
    #[serde(skip_serializing_if = "is_default")]
    pub enabled: Option<bool>,
    /// Changes to its Kubernetes objects. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub k8s: Option<Box<KubernetesResources>>,
}

/// A component. Upstream: `ComponentSpec`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Component {
    /// Whether it is installed. Absent means true.
    #[serde(skip_serializing_if = "is_default")]
    pub enabled: Option<bool>,
    /// Its namespace. Empty means that of the control plane.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Registry and path of its images. Empty means that of the installation.
    #[serde(skip_serializing_if = "is_default")]
    pub hub: String,
    /// Tag of its images, a text or a number. Absent means that of the installation.
    #[serde(skip_serializing_if = "is_default")]
    pub tag: Option<Value>,
    /// Changes to its Kubernetes objects. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub k8s: Option<Box<KubernetesResources>>,
}

/// A gateway. Upstream: `GatewayComponentSpec`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayComponent {
    /// Whether it is installed. Absent means true.
    #[serde(skip_serializing_if = "is_default")]
    pub enabled: Option<bool>,
    /// Its namespace. Empty means that of the control plane.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Registry and path of its images. Empty means that of the installation.
    #[serde(skip_serializing_if = "is_default")]
    pub hub: String,
    /// Tag of its images, a text or a number. Absent means that of the installation.
    #[serde(skip_serializing_if = "is_default")]
    pub tag: Option<Value>,
    /// Changes to its Kubernetes objects. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub k8s: Option<Box<KubernetesResources>>,
    /// Its name: 1 to 254 lower-case letters, digits, dots and hyphens. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// More labels for its workloads. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub label: BTreeMap<String, String>,
}
