//! WasmPlugin: filters compiled to WebAssembly.
//!
//! Source: Istio API `extensions/v1alpha1/wasm.proto`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::scalar::wire_enum;
use crate::type_::{PolicyTargetReference, PortSelector, WorkloadMode, WorkloadSelector};
use crate::wire::is_default;

/// A WebAssembly filter of some proxies. Without selector and targets it is for all proxies of its namespace, in the root
/// namespace for those of the mesh.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WasmPlugin {
    /// Workloads. At most one of this, `target_ref` and `target_refs` (A-X-26). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub selector: Option<WorkloadSelector>,
    /// What the object is attached to. Undocumented, the older form of `target_refs`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub target_ref: Option<PolicyTargetReference>,
    /// What the object is attached to: Gateways, GatewayClasses, Services, ServiceEntries. At most 16. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub target_refs: Vec<PolicyTargetReference>,
    /// Where the module is: `oci`, `http`, `https` or `file`. Without scheme it is an OCI image. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub url: String,
    /// SHA-256 of the module or image: 64 hexadecimal digits in lower case. Empty means unchecked.
    #[serde(skip_serializing_if = "is_default")]
    pub sha256: String,
    /// When an image is fetched anew. Default: IfNotPresent, or Always for the tag `latest`.
    #[serde(skip_serializing_if = "is_default")]
    pub image_pull_policy: PullPolicy,
    /// Secret of the object's namespace with credentials for the registry. At most 253 bytes. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub image_pull_secret: String,
    /// Public key for the image's signature. Undocumented and not used. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub verification_key: String,
    /// Configuration of the plugin. Its meaning is the plugin's. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub plugin_config: Option<Map<String, Value>>,
    /// Name of the plugin's root context. At most 256 bytes. Empty means the object's name.
    #[serde(skip_serializing_if = "is_default")]
    pub plugin_name: String,
    /// Where it is among Istio's filters. Default UNSPECIFIED_PHASE.
    #[serde(skip_serializing_if = "is_default")]
    pub phase: PluginPhase,
    /// Order in the phase: the higher comes first. Absent means 0.
    #[serde(skip_serializing_if = "is_default")]
    pub priority: Option<i32>,
    /// What happens when the plugin cannot be used. Default FAIL_CLOSE.
    #[serde(skip_serializing_if = "is_default")]
    pub fail_strategy: FailStrategy,
    /// The virtual machine. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub vm_config: Option<VmConfig>,
    /// The traffic it is for; any of them. Empty means all.
    #[serde(rename = "match", skip_serializing_if = "is_default")]
    pub matches: Vec<TrafficSelector>,
    /// What kind of filter it is. Default UNSPECIFIED_PLUGIN_TYPE.
    #[serde(rename = "type", skip_serializing_if = "is_default")]
    pub type_: PluginType,
}

/// Some traffic of a proxy: both conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TrafficSelector {
    /// The side. Zero means both.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: WorkloadMode,
    /// Ports, each 1..65535. Empty means all.
    #[serde(skip_serializing_if = "is_default")]
    pub ports: Vec<PortSelector>,
}

/// The virtual machine that runs a module.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VmConfig {
    /// Environment variables, names unique. At most 256. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<EnvVar>,
}

/// An environment variable of the virtual machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvVar {
    /// Name, 1 to 256 bytes. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Where the value comes from. Default INLINE.
    #[serde(skip_serializing_if = "is_default")]
    pub value_from: EnvValueSource,
    /// The value; only with INLINE. At most 2048 characters. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
}

wire_enum! {
    /// What kind of filter a plugin is.
    pub enum PluginType {
        /// An HTTP filter.
        Unspecified = 0 => "UNSPECIFIED_PLUGIN_TYPE",
        /// An HTTP filter.
        Http = 1 => "HTTP",
        /// A network filter.
        Network = 2 => "NETWORK",
    }
}

wire_enum! {
    /// Where a plugin is among Istio's filters.
    pub enum PluginPhase {
        /// At the end of the chain, before the router.
        Unspecified = 0 => "UNSPECIFIED_PHASE",
        /// Before Istio's authentication filters.
        Authn = 1 => "AUTHN",
        /// After authentication, before Istio's authorization filters.
        Authz = 2 => "AUTHZ",
        /// After authorization, before Istio's statistics filters.
        Stats = 3 => "STATS",
    }
}

wire_enum! {
    /// When an image is fetched anew.
    pub enum PullPolicy {
        /// As [`PullPolicy::IfNotPresent`], but always for the tag `latest`.
        Unspecified = 0 => "UNSPECIFIED_POLICY",
        /// Only if it is not there.
        IfNotPresent = 1 => "IfNotPresent",
        /// Whenever the object changes.
        Always = 2 => "Always",
    }
}

wire_enum! {
    /// Where the value of an environment variable comes from.
    pub enum EnvValueSource {
        /// It is given.
        Inline = 0 => "INLINE",
        /// The proxy's variable of the same name.
        Host = 1 => "HOST",
    }
}

wire_enum! {
    /// What happens when a plugin cannot be used.
    pub enum FailStrategy {
        /// Requests fail.
        FailClose = 0 => "FAIL_CLOSE",
        /// Requests pass without it.
        FailOpen = 1 => "FAIL_OPEN",
        /// The module is loaded anew; until then requests fail.
        FailReload = 2 => "FAIL_RELOAD",
    }
}
