//! Kubernetes EndpointSlice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ObjectReference;
use crate::scalar::wire_enum;
use crate::wire::is_default;

/// A part of the endpoints of a Service, which the label `kubernetes.io/service-name` of the metadata names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointSlice {
    /// What the addresses are.
    #[serde(skip_serializing_if = "is_default")]
    pub address_type: AddressType,
    /// The endpoints, at most 1000.
    #[serde(skip_serializing_if = "is_default")]
    pub endpoints: Vec<Endpoint>,
    /// Ports of each endpoint. Empty means no ports.
    #[serde(skip_serializing_if = "is_default")]
    pub ports: Vec<EndpointPort>,
}

/// One endpoint: usually a pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Endpoint {
    /// Addresses, of which consumers use the first. 1..100 of them.
    #[serde(skip_serializing_if = "is_default")]
    pub addresses: Vec<String>,
    /// State of the endpoint.
    #[serde(skip_serializing_if = "is_default")]
    pub conditions: EndpointConditions,
    /// Host name, if it is not derived from the address.
    #[serde(skip_serializing_if = "is_default")]
    pub hostname: Option<String>,
    /// Node that it runs on.
    #[serde(skip_serializing_if = "is_default")]
    pub node_name: Option<String>,
    /// Zone that it runs in.
    #[serde(skip_serializing_if = "is_default")]
    pub zone: Option<String>,
    /// The object behind it.
    #[serde(skip_serializing_if = "is_default")]
    pub target_ref: Option<ObjectReference>,
    /// Topology labels of the older API version; deprecated.
    #[serde(skip_serializing_if = "is_default")]
    pub deprecated_topology: BTreeMap<String, String>,
    /// Zones for which the platform proposes this endpoint.
    #[serde(skip_serializing_if = "is_default")]
    pub hints: Option<EndpointHints>,
}

/// State of an endpoint. Absent means unknown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointConditions {
    /// Whether it takes traffic. Absent counts as yes.
    #[serde(skip_serializing_if = "is_default")]
    pub ready: Option<bool>,
    /// Whether it can still answer while it terminates. Absent counts as `ready`.
    #[serde(skip_serializing_if = "is_default")]
    pub serving: Option<bool>,
    /// Whether it is being shut down. Absent counts as no.
    #[serde(skip_serializing_if = "is_default")]
    pub terminating: Option<bool>,
}

/// Proposals of the platform about the use of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointHints {
    /// Zones whose clients should use it.
    #[serde(skip_serializing_if = "is_default")]
    pub for_zones: Vec<ForZone>,
}

/// A zone in [`EndpointHints`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ForZone {
    /// Name of the zone.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// A port of the endpoints; also used by [`Endpoints`](super::Endpoints).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointPort {
    /// Name of the Service's port.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// `TCP`, `UDP` or `SCTP`. Empty means `TCP`.
    #[serde(skip_serializing_if = "is_default")]
    pub protocol: String,
    /// Port number of the endpoint. Absent means all ports.
    #[serde(skip_serializing_if = "is_default")]
    pub port: Option<u32>,
    /// Application protocol.
    #[serde(skip_serializing_if = "is_default")]
    pub app_protocol: Option<String>,
}

wire_enum! {
    /// What the addresses of an EndpointSlice are.
    pub enum AddressType {
        /// IPv4 addresses.
        Ipv4 = 0 => "IPv4",
        /// IPv6 addresses.
        Ipv6 = 1 => "IPv6",
        /// DNS names.
        Fqdn = 2 => "FQDN",
    }
}
