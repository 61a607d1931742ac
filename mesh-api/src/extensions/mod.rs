//! Kinds of the group `extensions.istio.io`, one module per kind, data only.

mod traffic_extension;
mod wasm_plugin;

pub use traffic_extension::{ExecutionPhase, FilterConfig, LuaConfig, TrafficExtension, WasmConfig};
pub use wasm_plugin::{
    EnvValueSource, EnvVar, FailStrategy, PluginPhase, PluginType, PullPolicy, TrafficSelector, VmConfig,
    WasmPlugin,
};
