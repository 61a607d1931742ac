//! Clusters: one part per service, the unit in which services and DestinationRules change.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_api::names::{Host, Labels, Namespace, SubsetName, Text};

use super::endpoint::{Assignment, ServiceEndpoints};
use super::foreign::Foreign;
use super::key::ClusterName;
use super::origin::{Origin, Sourced};
use super::traffic_policy::{LocalityPolicy, TrafficPolicy};
use super::upstream_tls::UpstreamTls;

/// The clusters of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceClusters {
    /// What the service is.
    pub service: Arc<ServiceFacts>,
    /// In order of declaration (X-CDS-6).
    pub ports: Box<[PortClusters]>,
}

/// The clusters of one port of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct PortClusters {
    /// The service port.
    pub port: u16,
    /// The one without a subset.
    pub default: Arc<Cluster>,
    /// In order of the DestinationRule.
    pub subsets: Box<[Arc<Cluster>]>,
    /// Those that AUTO_PASSTHROUGH servers use; without TLS (X-CDS-48).
    pub sni_dnat: Box<[Arc<Cluster>]>,
}

impl ServiceClusters {
    /// The cluster of that name, if this service has it.
    pub fn find(&self, name: &ClusterName) -> Option<&Arc<Cluster>> {
        self.ports
            .iter()
            .filter(|port| port.port == name.port())
            .flat_map(|port| {
                std::iter::once(&port.default)
                    .chain(&*port.subsets)
                    .chain(&*port.sni_dnat)
            })
            .find(|cluster| cluster.name == *name)
    }

    /// All clusters: per port the default one, then its subsets, then the SNI-DNAT ones.
    pub fn clusters(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        self.ports.iter().flat_map(|port| {
            std::iter::once(&port.default)
                .chain(&*port.subsets)
                .chain(&*port.sni_dnat)
        })
    }
}

/// What a service is, as far as clusters tell of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceFacts {
    /// Its hostname.
    pub host: Host,
    /// Its name: the Kubernetes name, or the hostname.
    pub name: Text,
    /// Its namespace.
    pub namespace: Namespace,
    /// Who declared it.
    pub registry: Registry,
    /// Whether it lies outside of the mesh.
    pub external: bool,
    /// The object that declares it.
    pub origin: Origin,
}

/// Who declared a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Registry {
    /// A Kubernetes Service.
    Kubernetes,
    /// A ServiceEntry.
    External,
}

/// One cluster: how to find, reach and treat its endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// Its name.
    pub name: ClusterName,
    /// How endpoints are found.
    pub discovery: Discovery,
    /// The HTTP version spoken upstream.
    pub upstream: UpstreamProtocol,
    /// Pool, balancer, outlier detection and so on; shared.
    pub policy: Arc<TrafficPolicy>,
    /// TLS to the endpoints.
    pub tls: Sourced<UpstreamTls>,
    /// Locality load balancing as the cluster says it; `None`: off.
    pub locality: Option<Sourced<LocalityPolicy>>,
    /// Which endpoints belong to it.
    pub endpoints: EndpointRule,
    /// Whether hosts may be overridden by session affinity (X-CDS-37).
    pub affinity: bool,
    /// The DestinationRule that applies, and which policy of it.
    pub rule: Option<Origin>,
    /// The subset.
    pub subset: Option<Box<SubsetRef>>,
    /// Imported parts.
    pub foreign: Foreign,
}

/// The subset that a cluster stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubsetRef {
    /// Its name.
    pub name: SubsetName,
    /// Labels that its endpoints have.
    pub labels: Arc<Labels>,
    /// Where it is declared; after a merge, not always the rule of the cluster (R-DR-8).
    pub origin: Origin,
}

/// How endpoints of a cluster are found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Discovery {
    /// Delivered (EDS).
    Eds,
    /// Resolved from names.
    Dns(DnsLookup),
    /// Listed in the cluster.
    Static,
    /// Where the client wanted to go.
    OriginalDestination {
        /// The target port, when it differs from the service port.
        port_override: Option<u16>,
        /// The source address of upstream connections.
        bind: Option<IpAddr>,
    },
    /// Resolved from the host of the request.
    DynamicForward(Box<DnsCache>),
    /// No endpoints, ever: drops everything.
    Empty,
}

/// Name resolution of a cluster's endpoints (X-CDS-7, X-CDS-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DnsLookup {
    /// Whether each new connection takes the first address (LOGICAL_DNS) instead of all of them (STRICT_DNS).
    pub logical: bool,
    /// Which families are asked for.
    pub family: DnsFamily,
    /// How often names are resolved again.
    pub refresh: Duration,
}

/// Address families asked of DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DnsFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// Both.
    All,
}

/// A DNS cache of dynamic forwarding (X-NAME-15).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DnsCache {
    /// Its name; equal names must have equal parameters.
    pub name: Text,
    /// Which families are asked for.
    pub family: DnsFamily,
    /// How often names are resolved again.
    pub refresh: Duration,
}

/// The HTTP version spoken upstream; port protocol, h2 upgrade and `useClientProtocol` are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpstreamProtocol {
    /// Not said: HTTP/1.1 where HTTP is spoken at all.
    Unspecified,
    /// HTTP/1.1 with original header case.
    Http1PreserveCase,
    /// HTTP/2.
    Http2,
    /// As the client.
    FollowClient {
        /// Whether HTTP/1.1 keeps header case.
        preserve_case: bool,
    },
}

/// Which endpoints belong to a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndpointRule {
    /// The name of the service port.
    pub port_name: Text,
    /// Labels of the subset; empty selects all.
    pub labels: Arc<Labels>,
    /// Whether unhealthy endpoints are kept (X-EDS-4).
    pub keep_unhealthy: bool,
    /// Only endpoints on the proxy's node.
    pub node_local: bool,
    /// Whether locality failover acts on delivered endpoints (X-EDS-19; narrower than for the cluster itself).
    pub failover: bool,
}

impl Cluster {
    /// Whether it has endpoints of its own to choose from.
    pub fn has_endpoints(&self) -> bool {
        match self.discovery {
            Discovery::Eds | Discovery::Dns(_) | Discovery::Static => true,
            Discovery::OriginalDestination { .. } | Discovery::DynamicForward(_) | Discovery::Empty => false,
        }
    }
}

/// Looks an assignment up among those of a service.
pub(crate) fn find_assignment<'a>(
    endpoints: &'a ServiceEndpoints,
    name: &ClusterName,
) -> Option<&'a Arc<Assignment>> {
    endpoints
        .assignments
        .iter()
        .find(|(cluster, _)| cluster == name)
        .map(|(_, assignment)| assignment)
}
