//! Kubernetes Endpoints, the older form of EndpointSlice.

use serde::{Deserialize, Serialize};

use super::{EndpointPort, ObjectReference};
use crate::wire::is_default;

/// The endpoints of the Service of the same name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Endpoints {
    /// Groups of addresses with the same ports.
    #[serde(skip_serializing_if = "is_default")]
    pub subsets: Vec<EndpointSubset>,
}

/// Addresses with the same ports.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointSubset {
    /// Addresses that take traffic.
    #[serde(skip_serializing_if = "is_default")]
    pub addresses: Vec<EndpointAddress>,
    /// Addresses that do not take traffic yet.
    #[serde(skip_serializing_if = "is_default")]
    pub not_ready_addresses: Vec<EndpointAddress>,
    /// Ports of each address.
    #[serde(skip_serializing_if = "is_default")]
    pub ports: Vec<EndpointPort>,
}

/// One address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EndpointAddress {
    /// IP address.
    #[serde(skip_serializing_if = "is_default")]
    pub ip: String,
    /// Host name of the endpoint.
    #[serde(skip_serializing_if = "is_default")]
    pub hostname: String,
    /// Node that it runs on.
    #[serde(skip_serializing_if = "is_default")]
    pub node_name: Option<String>,
    /// The object behind it.
    #[serde(skip_serializing_if = "is_default")]
    pub target_ref: Option<ObjectReference>,
}
