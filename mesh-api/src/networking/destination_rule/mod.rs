//! DestinationRule: what holds for traffic to a service after routing chose it.
//!
//! Source: Istio API `networking/v1alpha3/destination_rule.proto`.

mod client_tls;
mod connection_pool;
mod load_balancer;
mod outlier_detection;

pub use client_tls::{ClientTlsMode, ClientTlsSettings};
pub use connection_pool::{
    ConnectionKeepalive, ConnectionPoolSettings, H2UpgradePolicy, HttpSettings, TcpKeepalive, TcpSettings,
};
pub use load_balancer::{
    BackendUtilization, ConsistentHashLb, Distribute, Failover, HashAlgorithm, HashKey, HttpCookie,
    HttpCookieAttribute, LbPolicy, LoadBalancerSettings, LocalityLoadBalancerSetting, MagLev, RingHash,
    SimpleLb, WarmupConfiguration, ZoneAwareLoadBalancerSetting,
};
pub use outlier_detection::OutlierDetection;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::PortSelector;
use crate::scalar::{Duration, wire_enum};
use crate::type_::WorkloadSelector;
use crate::wire::{is_default, write_optional_double};

/// Policies for the traffic to a host, and the host's subsets.
///
/// The policies apply after routing, to the destination that routing chose.
///
/// ```
/// use mesh_api::networking::{DestinationRule, Subset};
///
/// let rule = DestinationRule {
///     host: "reviews".into(),
///     subsets: vec![Subset::new("v2").with_label("version", "v2")],
///     ..DestinationRule::default()
/// };
/// let json = serde_json::to_string(&rule)?;
/// assert_eq!(json, r#"{"host":"reviews","subsets":[{"name":"v2","labels":{"version":"v2"}}]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DestinationRule {
    /// Name of a service of the registry; the first label may be a wildcard. Required.
    ///
    /// Short names resolve in the namespace of the object.
    #[serde(skip_serializing_if = "is_default")]
    pub host: String,
    /// Policies for the host as a whole. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub traffic_policy: Option<Box<TrafficPolicy>>,
    /// Named groups of the host's endpoints. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub subsets: Vec<Subset>,
    /// Namespaces to which the object is visible: `.` its own, `*` all, or a name.
    ///
    /// Empty means `defaultDestinationRuleExportTo` of the mesh, whose default is `*`.
    #[serde(skip_serializing_if = "is_default")]
    pub export_to: Vec<String>,
    /// Client workloads, in the object's namespace, to which the object is limited. Absent means all.
    #[serde(skip_serializing_if = "is_default")]
    pub workload_selector: Option<WorkloadSelector>,
}

/// A group of endpoints of a service, chosen by labels.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Subset {
    /// Name, unique within the object, a DNS label. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Labels that an endpoint must have. Empty selects all endpoints of the service.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// Policies of the subset: each block that is set replaces the whole block of the host's policy (R-TP-3). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub traffic_policy: Option<Box<TrafficPolicy>>,
}

impl Subset {
    /// A subset without labels.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The same subset with one more label to ask for.
    #[must_use]
    pub fn with_label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }
}

/// Policies for traffic to a host, a subset, or a port. At least one field must be set (A-DR-8).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TrafficPolicy {
    /// How an endpoint is chosen. Default: LEAST_REQUEST.
    #[serde(skip_serializing_if = "is_default")]
    pub load_balancer: Option<Box<LoadBalancerSettings>>,
    /// Limits and timeouts of connections. Default: as with no field set.
    #[serde(skip_serializing_if = "is_default")]
    pub connection_pool: Option<Box<ConnectionPoolSettings>>,
    /// When an endpoint is ejected. Default: never.
    #[serde(skip_serializing_if = "is_default")]
    pub outlier_detection: Option<Box<OutlierDetection>>,
    /// TLS towards the endpoints. Default: mutual TLS where the endpoint takes it, by `enableAutoMtls` of the mesh.
    #[serde(skip_serializing_if = "is_default")]
    pub tls: Option<Box<ClientTlsSettings>>,
    /// Policies of single ports; they replace the policies above for those ports, nothing is inherited. Default none.
    /// Bounds: 4096 entries.
    #[serde(skip_serializing_if = "is_default")]
    pub port_level_settings: Vec<PortTrafficPolicy>,
    /// Tunnel the TCP traffic through the host. Excludes `proxy_protocol`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub tunnel: Option<TunnelSettings>,
    /// Send a PROXY protocol header first. Excludes `tunnel`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Limit on concurrent retries in proportion to requests. Default: none, at most `maxRetries` at a time.
    #[serde(skip_serializing_if = "is_default")]
    pub retry_budget: Option<RetryBudget>,
}

/// Policies for the traffic to one port of a host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PortTrafficPolicy {
    /// The port of the service. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: Option<PortSelector>,
    /// How an endpoint is chosen. Default: LEAST_REQUEST.
    #[serde(skip_serializing_if = "is_default")]
    pub load_balancer: Option<Box<LoadBalancerSettings>>,
    /// Limits and timeouts of connections. Default: as with no field set.
    #[serde(skip_serializing_if = "is_default")]
    pub connection_pool: Option<Box<ConnectionPoolSettings>>,
    /// When an endpoint is ejected. Default: never.
    #[serde(skip_serializing_if = "is_default")]
    pub outlier_detection: Option<Box<OutlierDetection>>,
    /// TLS towards the endpoints. Default: mutual TLS where the endpoint takes it, by `enableAutoMtls` of the mesh.
    #[serde(skip_serializing_if = "is_default")]
    pub tls: Option<Box<ClientTlsSettings>>,
}

/// Tunnels TCP and TLS traffic through a proxy with the HTTP method CONNECT or POST.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TunnelSettings {
    /// `CONNECT` or `POST`. Empty means `CONNECT`.
    #[serde(skip_serializing_if = "is_default")]
    pub protocol: String,
    /// Host that the tunnel leads to: a DNS name or an address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub target_host: String,
    /// Port that the tunnel leads to, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub target_port: u32,
}

/// The PROXY protocol towards the endpoints.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyProtocol {
    /// Version of the header. Zero means V1.
    #[serde(skip_serializing_if = "is_default")]
    pub version: ProxyProtocolVersion,
}

wire_enum! {
    /// Versions of the PROXY protocol.
    pub enum ProxyProtocolVersion {
        /// The text form.
        V1 = 0 => "V1",
        /// The binary form.
        V2 = 1 => "V2",
    }
}

/// A budget for retries. It replaces the limit `max_retries` of the connection pool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RetryBudget {
    /// Concurrent retries allowed, in percent of the active requests, 0..100. Absent means 20.
    #[serde(skip_serializing_if = "is_default", serialize_with = "write_optional_double")]
    pub percent: Option<f64>,
    /// Concurrent retries that are always allowed. Zero means 3.
    #[serde(skip_serializing_if = "is_default")]
    pub min_retry_concurrency: u32,
    /// Time over which requests are counted. Absent means active requests only.
    #[serde(skip_serializing_if = "is_default")]
    pub budget_interval: Option<Duration>,
}
