//! TLS and TCP routes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Destination;
use crate::wire::is_default;

/// A route for TLS connections that are not terminated, chosen by server name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsRoute {
    /// Alternatives: the route applies if any of them matches. Required.
    #[serde(rename = "match", skip_serializing_if = "is_default")]
    pub matches: Vec<TlsMatchAttributes>,
    /// Where connections go, weighted. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub route: Vec<RouteDestination>,
}

/// Conditions on a TLS connection that must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsMatchAttributes {
    /// Server names, of which one must match; wildcards allowed. Each must lie within a host of the object (A-VS-90).
    /// Required.
    #[serde(skip_serializing_if = "is_default")]
    pub sni_hosts: Vec<String>,
    /// Destination addresses, as `address` or `address/length`, of which one must match. Empty means any.
    #[serde(skip_serializing_if = "is_default")]
    pub destination_subnets: Vec<String>,
    /// Port on which the connection was addressed, 1..65535. Zero means any.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Labels that the client workload must have. Ignored on gateways. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub source_labels: BTreeMap<String, String>,
    /// Gateways for which the condition holds; overrides the list of the object. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub gateways: Vec<String>,
    /// Namespace of the client workload. Empty means any.
    #[serde(skip_serializing_if = "is_default")]
    pub source_namespace: String,
}

/// A route for opaque TCP connections.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TcpRoute {
    /// Alternatives: the route applies if any of them matches. Empty matches every connection.
    #[serde(rename = "match", skip_serializing_if = "is_default")]
    pub matches: Vec<L4MatchAttributes>,
    /// Where connections go, weighted. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub route: Vec<RouteDestination>,
}

/// Conditions on a TCP connection that must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct L4MatchAttributes {
    /// Destination addresses, as `address` or `address/length`, of which one must match. Empty means any.
    #[serde(skip_serializing_if = "is_default")]
    pub destination_subnets: Vec<String>,
    /// Port on which the connection was addressed, 1..65535. Zero means any.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Address or range of the client. Undocumented; without effect in Istio.
    #[serde(skip_serializing_if = "is_default")]
    pub source_subnet: String,
    /// Labels that the client workload must have. Ignored on gateways. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub source_labels: BTreeMap<String, String>,
    /// Gateways for which the condition holds; overrides the list of the object. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub gateways: Vec<String>,
    /// Namespace of the client workload. Empty means any.
    #[serde(skip_serializing_if = "is_default")]
    pub source_namespace: String,
}

/// A destination of a TLS or TCP route with its share of the connections.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteDestination {
    /// The service to forward to. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub destination: Option<Destination>,
    /// Share relative to the sum of all weights of the route. Zero on a single destination means everything.
    #[serde(skip_serializing_if = "is_default")]
    pub weight: i32,
}

impl From<Destination> for RouteDestination {
    fn from(destination: Destination) -> Self {
        Self {
            destination: Some(destination),
            weight: 0,
        }
    }
}
