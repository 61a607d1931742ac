//! MeshNetworks: which endpoints lie in which network, and by which gateways networks are reached.
//!
//! Source: Istio API `mesh/v1alpha1/network.proto`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::wire::{is_default, oneofs};

/// The networks of a mesh, by name: the ConfigMap document `meshNetworks`.
///
/// ```
/// use mesh_api::mesh::{MeshNetworks, NetworkGatewayAddress};
///
/// let networks: MeshNetworks = serde_json::from_str(r#"{"networks": {"east": {
///     "endpoints": [{"fromRegistry": "cluster-east"}],
///     "gateways": [{"address": "203.0.113.7", "port": 15443}]
/// }}}"#)?;
/// assert_eq!(networks.networks["east"].gateways[0].gateway, Some(NetworkGatewayAddress::Address("203.0.113.7".into())));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MeshNetworks {
    /// The networks. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub networks: BTreeMap<String, Network>,
}

/// A network: endpoints that reach each other directly.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Network {
    /// The endpoints that lie in it: those that any of the entries means. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub endpoints: Vec<NetworkEndpoints>,
    /// The gateways by which other networks reach it. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub gateways: Vec<NetworkGateway>,
}

/// Some endpoints.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NetworkEndpointsWire", into = "NetworkEndpointsWire")]
pub struct NetworkEndpoints {
    /// Which they are. Required.
    pub source: Option<EndpointSource>,
}

/// Where the endpoints of a [`NetworkEndpoints`] come from.
#[derive(Debug, Clone, PartialEq)]
pub enum EndpointSource {
    /// Those with an address in this range, as `address/length`.
    FromCidr(String),
    /// Those of a registry, by the name of its cluster.
    FromRegistry(String),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "NetworkEndpoints(fromCidr|fromRegistry)")]
struct NetworkEndpointsWire {
    #[serde(skip_serializing_if = "is_default")]
    from_cidr: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    from_registry: Option<String>,
}

oneofs! {
    NetworkEndpoints as NetworkEndpointsWire {}
    source: EndpointSource { from_cidr => FromCidr, from_registry => FromRegistry }
}

/// A gateway by which a network is reached. Upstream: `IstioNetworkGateway`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "NetworkGatewayWire", into = "NetworkGatewayWire")]
pub struct NetworkGateway {
    /// Which it is. Required.
    pub gateway: Option<NetworkGatewayAddress>,
    /// Its port, 1..65535. Required.
    pub port: u32,
    /// Where it lies, as `region/zone/subzone`. Empty means unknown.
    pub locality: String,
}

/// Which gateway a [`NetworkGateway`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum NetworkGatewayAddress {
    /// The one behind a service, by its fully qualified name.
    RegistryServiceName(String),
    /// The one with this address, an IP or a host name.
    Address(String),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "NetworkGateway(registryServiceName|address)")]
struct NetworkGatewayWire {
    #[serde(skip_serializing_if = "is_default")]
    registry_service_name: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    address: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    port: u32,
    #[serde(skip_serializing_if = "is_default")]
    locality: String,
}

oneofs! {
    NetworkGateway as NetworkGatewayWire { port, locality }
    gateway: NetworkGatewayAddress { registry_service_name => RegistryServiceName, address => Address }
}
