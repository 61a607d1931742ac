//! Kubernetes Service.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Condition;
use crate::scalar::{IntOrString, wire_enum};
use crate::wire::is_default;

/// A Kubernetes Service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    /// What the service is meant to be.
    #[serde(skip_serializing_if = "is_default")]
    pub spec: ServiceSpec,
    /// What the platform reports.
    #[serde(skip_serializing_if = "is_default")]
    pub status: ServiceStatus,
}

/// The specification of a Service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceSpec {
    /// Ports of the service.
    #[serde(skip_serializing_if = "is_default")]
    pub ports: Vec<ServicePort>,
    /// Labels of the pods behind it. Empty means endpoints that something else maintains.
    #[serde(skip_serializing_if = "is_default")]
    pub selector: BTreeMap<String, String>,
    /// Virtual address; `None` for a headless service; empty until one is assigned.
    #[serde(rename = "clusterIP", skip_serializing_if = "is_default")]
    pub cluster_ip: String,
    /// Virtual addresses of all IP families; the first equals `cluster_ip`.
    #[serde(rename = "clusterIPs", skip_serializing_if = "is_default")]
    pub cluster_ips: Vec<String>,
    /// Kind of service. Zero means ClusterIP.
    #[serde(skip_serializing_if = "is_default")]
    pub r#type: ServiceType,
    /// Addresses outside of the cluster that lead to the service as well.
    #[serde(rename = "externalIPs", skip_serializing_if = "is_default")]
    pub external_ips: Vec<String>,
    /// DNS name that the service stands for, with type ExternalName.
    #[serde(skip_serializing_if = "is_default")]
    pub external_name: String,
    /// Whether pods that are not ready are endpoints too.
    #[serde(skip_serializing_if = "is_default")]
    pub publish_not_ready_addresses: bool,
    /// Which endpoints traffic from inside the cluster may use. Absent means all.
    #[serde(skip_serializing_if = "is_default")]
    pub internal_traffic_policy: InternalTrafficPolicy,
    /// Preference among endpoints by topology, such as `PreferClose`. Empty means none.
    #[serde(skip_serializing_if = "is_default")]
    pub traffic_distribution: String,
}

/// A port of a Service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServicePort {
    /// Name, needed and unique where there are several ports.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// `TCP`, `UDP` or `SCTP`. Empty means `TCP`.
    #[serde(skip_serializing_if = "is_default")]
    pub protocol: String,
    /// Application protocol: a standard name, or a prefixed one such as `kubernetes.io/h2c`. Beats the prefix of `name`.
    #[serde(skip_serializing_if = "is_default")]
    pub app_protocol: Option<String>,
    /// Port of the service, 1..65535.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Port of the pods, by number or name. Absent means `port`.
    #[serde(skip_serializing_if = "is_default")]
    pub target_port: Option<IntOrString>,
    /// Port on each node. Zero means none.
    #[serde(skip_serializing_if = "is_default")]
    pub node_port: u32,
}

/// What the platform reports about a Service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceStatus {
    /// The external load balancer.
    #[serde(skip_serializing_if = "is_default")]
    pub load_balancer: LoadBalancerStatus,
    /// Facts that controllers report; Istio says here whether a waypoint serves the service.
    #[serde(skip_serializing_if = "is_default")]
    pub conditions: Vec<Condition>,
}

/// Addresses of an external load balancer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancerStatus {
    /// Its points of entry.
    #[serde(skip_serializing_if = "is_default")]
    pub ingress: Vec<LoadBalancerIngress>,
}

/// A point of entry of an external load balancer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancerIngress {
    /// IP address, if it has one.
    #[serde(skip_serializing_if = "is_default")]
    pub ip: String,
    /// Host name, if it has one.
    #[serde(skip_serializing_if = "is_default")]
    pub hostname: String,
}

wire_enum! {
    /// Kinds of Services.
    pub enum ServiceType {
        /// A virtual address inside the cluster.
        ClusterIp = 0 => "ClusterIP",
        /// In addition a port on each node.
        NodePort = 1 => "NodePort",
        /// In addition an external load balancer.
        LoadBalancer = 2 => "LoadBalancer",
        /// An alias for a DNS name.
        ExternalName = 3 => "ExternalName",
    }
}

wire_enum! {
    /// Which endpoints traffic from inside the cluster may use.
    pub enum InternalTrafficPolicy {
        /// All.
        Cluster = 0 => "Cluster",
        /// Those on the node of the client.
        Local = 1 => "Local",
    }
}
