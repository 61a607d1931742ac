//! TrafficExtension: filters in WebAssembly or Lua.
//!
//! Source: Istio API `extensions/v1alpha1/traffic_extension.proto`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{FailStrategy, PluginType, PullPolicy, TrafficSelector, VmConfig};
use crate::scalar::wire_enum;
use crate::type_::{PolicyTargetReference, WorkloadSelector};
use crate::wire::{is_default, oneofs};

/// A filter of some proxies. Without selector and targets it is for all proxies of its namespace, in the root namespace for
/// those of the mesh.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "TrafficExtensionWire", into = "TrafficExtensionWire")]
pub struct TrafficExtension {
    /// Workloads. At most one of this and `target_refs` (A-X-26). Default none.
    pub selector: Option<WorkloadSelector>,
    /// What the object is attached to: Gateways, GatewayClasses, Services, ServiceEntries. At most 16. Default none.
    pub target_refs: Vec<PolicyTargetReference>,
    /// Where it is among Istio's filters. Default UNSPECIFIED.
    pub phase: ExecutionPhase,
    /// Order in the phase: the higher comes first. Absent means 0.
    pub priority: Option<i32>,
    /// The traffic it is for; any of them. Empty means all.
    pub matches: Vec<TrafficSelector>,
    /// The filter. Required.
    pub filter_config: Option<FilterConfig>,
}

/// The filter of a [`TrafficExtension`].
#[derive(Debug, Clone, PartialEq)]
pub enum FilterConfig {
    /// A WebAssembly module.
    Wasm(Box<WasmConfig>),
    /// A Lua script.
    Lua(LuaConfig),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "TrafficExtension(wasm|lua)")]
struct TrafficExtensionWire {
    #[serde(skip_serializing_if = "is_default")]
    selector: Option<WorkloadSelector>,
    #[serde(skip_serializing_if = "is_default")]
    target_refs: Vec<PolicyTargetReference>,
    #[serde(skip_serializing_if = "is_default")]
    phase: ExecutionPhase,
    #[serde(skip_serializing_if = "is_default")]
    priority: Option<i32>,
    #[serde(rename = "match", skip_serializing_if = "is_default")]
    matches: Vec<TrafficSelector>,
    #[serde(skip_serializing_if = "is_default")]
    wasm: Option<Box<WasmConfig>>,
    #[serde(skip_serializing_if = "is_default")]
    lua: Option<LuaConfig>,
}

oneofs! {
    TrafficExtension as TrafficExtensionWire { selector, target_refs, phase, priority, matches }
    filter_config: FilterConfig { wasm => Wasm, lua => Lua }
}

wire_enum! {
    /// Where a filter is among Istio's.
    pub enum ExecutionPhase {
        /// At the end of the chain, before the router.
        Unspecified = 0 => "UNSPECIFIED",
        /// Before Istio's authentication filters.
        Authn = 1 => "AUTHN",
        /// After authentication, before Istio's authorization filters.
        Authz = 2 => "AUTHZ",
        /// After authorization, before Istio's statistics filters.
        Stats = 3 => "STATS",
    }
}

/// A WebAssembly module; the fields mean what they mean in [`WasmPlugin`](super::WasmPlugin).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WasmConfig {
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
    /// What happens when the plugin cannot be used. Default FAIL_CLOSE.
    #[serde(skip_serializing_if = "is_default")]
    pub fail_strategy: FailStrategy,
    /// The virtual machine. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub vm_config: Option<VmConfig>,
    /// What kind of filter it is. Default UNSPECIFIED_PLUGIN_TYPE.
    #[serde(rename = "type", skip_serializing_if = "is_default")]
    pub type_: PluginType,
}

/// A Lua script.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LuaConfig {
    /// The script, 1 to 65536 bytes. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub inline_code: String,
}
