//! Sidecar: what the proxies of a group of workloads listen to and know.
//!
//! Source: Istio API `networking/v1alpha3/sidecar.proto`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ConnectionPoolSettings, Destination, ServerTlsSettings};
use crate::scalar::wire_enum;
use crate::wire::is_default;

/// Configuration of the sidecar proxies of a namespace, or of some of its workloads.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sidecar {
    /// Workloads of the object's namespace. Absent means all of them, and in the root namespace all of the mesh.
    #[serde(skip_serializing_if = "is_default")]
    pub workload_selector: Option<WorkloadSelector>,
    /// Inbound listeners. Empty means those that follow from the services of the workload.
    #[serde(skip_serializing_if = "is_default")]
    pub ingress: Vec<IstioIngressListener>,
    /// Outbound listeners with the hosts each may reach. Empty means all services visible to the namespace.
    ///
    /// A listener without port catches all others and must be the last (A-SC-22).
    #[serde(skip_serializing_if = "is_default")]
    pub egress: Vec<IstioEgressListener>,
    /// Connection limits of all inbound listeners; replaced by those of a listener. Default: that of the DestinationRule for
    /// the service.
    #[serde(skip_serializing_if = "is_default")]
    pub inbound_connection_pool: Option<Box<ConnectionPoolSettings>>,
    /// What becomes of traffic to unknown destinations. Absent means what the mesh says.
    #[serde(skip_serializing_if = "is_default")]
    pub outbound_traffic_policy: Option<OutboundTrafficPolicy>,
}

/// Workloads by labels, in the form of the networking kinds; the other kinds use
/// [`type_::WorkloadSelector`](crate::type_::WorkloadSelector).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadSelector {
    /// Labels that a workload must have. No wildcards. Empty selects all workloads of the namespace. Bounds: 256 entries,
    /// values of at most 63 characters (A-CR-12).
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
}

/// An inbound listener.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IstioIngressListener {
    /// Port to listen on. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: Option<SidecarPort>,
    /// IP address to listen on. Empty means the workload's addresses.
    #[serde(skip_serializing_if = "is_default")]
    pub bind: String,
    /// How traffic reaches the listener. Zero means as the workload is set up.
    #[serde(skip_serializing_if = "is_default")]
    pub capture_mode: CaptureMode,
    /// Where traffic goes: `127.0.0.1:port`, `[::1]:port`, `0.0.0.0:port` (the workload's address) or `unix:///path`.
    ///
    /// Empty means the port at 127.0.0.1.
    #[serde(skip_serializing_if = "is_default")]
    pub default_endpoint: String,
    /// TLS to terminate instead of mTLS. Only with protocol HTTPS or TLS. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub tls: Option<Box<ServerTlsSettings>>,
    /// Connection limits of this listener; replaces that of the object. Default: that of the object.
    #[serde(skip_serializing_if = "is_default")]
    pub connection_pool: Option<Box<ConnectionPoolSettings>>,
}

/// An outbound listener.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IstioEgressListener {
    /// Port to listen on. Absent means all ports of the imported services, and only the last listener may be so.
    #[serde(skip_serializing_if = "is_default")]
    pub port: Option<SidecarPort>,
    /// IP address or `unix://path` to listen on. Empty means the services' addresses, or all.
    #[serde(skip_serializing_if = "is_default")]
    pub bind: String,
    /// How traffic reaches the listener. Zero means as the workload is set up.
    #[serde(skip_serializing_if = "is_default")]
    pub capture_mode: CaptureMode,
    /// Hosts that can be reached, as `namespace/host`. Required.
    ///
    /// The namespace is a name, `.` for the object's own, `*` for all, `~` for none; the host a name, a wildcard or `*`.
    #[serde(skip_serializing_if = "is_default")]
    pub hosts: Vec<String>,
}

/// A port of a sidecar's listener.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SidecarPort {
    /// Number, 1..65535; zero on an egress listener only with a `unix://` bind.
    #[serde(skip_serializing_if = "is_default")]
    pub number: u32,
    /// Protocol in any letter case (A-X-14). Empty means detection.
    #[serde(skip_serializing_if = "is_default")]
    pub protocol: String,
    /// Name, a DNS label. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Deprecated and undocumented; refused by validation (A-SC-5).
    #[serde(skip_serializing_if = "is_default")]
    pub target_port: u32,
}

/// What becomes of outbound traffic to destinations that no service of the registry covers.
///
/// An empty message is [`OutboundTrafficPolicyMode::RegistryOnly`]; an absent one means what the mesh says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OutboundTrafficPolicy {
    /// Whether such traffic is let through. Default REGISTRY_ONLY.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: OutboundTrafficPolicyMode,
    /// Service that such traffic is sent to; only with [`OutboundTrafficPolicyMode::AllowAny`]. Undocumented. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub egress_proxy: Option<Destination>,
}

wire_enum! {
    /// Whether traffic to unknown destinations is let through.
    pub enum OutboundTrafficPolicyMode {
        /// It is dropped.
        RegistryOnly = 0 => "REGISTRY_ONLY",
        /// It is forwarded as it is.
        AllowAny = 1 => "ALLOW_ANY",
    }
}

wire_enum! {
    /// How traffic reaches a listener.
    pub enum CaptureMode {
        /// As the workload's interception is set up.
        Default = 0 => "DEFAULT",
        /// By redirection rules of the kernel.
        Iptables = 1 => "IPTABLES",
        /// Not at all: clients address the listener itself.
        None = 2 => "NONE",
    }
}
