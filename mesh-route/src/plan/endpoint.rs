//! Endpoints and how a cluster spreads its requests over them: the fast-changing half of a plan.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use mesh_api::names::{Labels, Namespace, Text};
use mesh_ca::SpiffeId;

use super::key::ClusterName;

/// The assignments of one service's clusters.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceEndpoints {
    /// One for each cluster that has endpoints of its own, in the order of the clusters. An assignment without
    /// endpoints is present, never missing (X-EDS-1).
    pub assignments: Box<[(ClusterName, Arc<Assignment>)]>,
}

/// The endpoints of a cluster, grouped by locality; filtering, failover and weights are done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    /// In order of locality, then priority.
    pub groups: Box<[LocalityGroup]>,
}

impl Assignment {
    /// All endpoints, in order.
    pub fn endpoints(&self) -> impl Iterator<Item = &WeightedEndpoint> {
        self.groups.iter().flat_map(|group| &*group.endpoints)
    }

    /// Whether no endpoint could take a request: there is none, or none is healthy.
    pub fn has_no_healthy(&self) -> bool {
        !self
            .endpoints()
            .any(|weighted| weighted.endpoint.health == Health::Healthy)
    }
}

/// Endpoints of one locality and priority.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalityGroup {
    /// Where they are.
    pub locality: Locality,
    /// 0 is used first; numbers are dense.
    pub priority: u32,
    /// Weight among the groups of its priority.
    pub weight: u32,
    /// The endpoints.
    pub endpoints: Box<[WeightedEndpoint]>,
}

/// A locality; empty parts are unknown. Prints as `region/zone/subzone` without trailing empty parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locality {
    /// Region.
    pub region: Text,
    /// Zone in the region.
    pub zone: Text,
    /// Part of the zone.
    pub subzone: Text,
}

impl Locality {
    /// Reads `region/zone/subzone`; missing parts are empty.
    ///
    /// ```
    /// use mesh_route::plan::Locality;
    ///
    /// let locality = Locality::parse("r1/z1");
    /// assert_eq!((locality.region.as_str(), locality.subzone.as_str()), ("r1", ""));
    /// assert_eq!(locality.to_string(), "r1/z1");
    /// ```
    pub fn parse(text: &str) -> Self {
        let mut parts = text.splitn(3, '/');
        let mut next = || Text::new(parts.next().unwrap_or_default());
        Self {
            region: next(),
            zone: next(),
            subzone: next(),
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        let Self {
            region,
            zone,
            subzone,
        } = self;
        [region, zone, subzone]
            .into_iter()
            .all(|part| part.as_str().is_empty())
    }
}

impl fmt::Display for Locality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            region,
            zone,
            subzone,
        } = self;
        match (zone.as_str(), subzone.as_str()) {
            ("", "") => write!(f, "{region}"),
            (_, "") => write!(f, "{region}/{zone}"),
            _ => write!(f, "{region}/{zone}/{subzone}"),
        }
    }
}

/// An endpoint as one cluster uses it.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedEndpoint {
    /// The endpoint, shared by all clusters and proxies.
    pub endpoint: Arc<Endpoint>,
    /// Weight in its group.
    pub weight: u32,
    /// Whether mutual TLS with mesh identities is used (X-EDS-8).
    pub mtls: bool,
}

/// A network endpoint of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Where it listens; the first is the primary one.
    pub addresses: Box<[Address]>,
    /// The port; 0 for Unix sockets.
    pub port: u16,
    /// The name of the service port that it serves.
    pub port_name: Text,
    /// Whether it can take requests.
    pub health: Health,
    /// Whether it terminates mesh TLS.
    pub tls: TlsCapability,
    /// Its identity.
    pub identity: Option<SpiffeId>,
    /// Its network; empty: the proxy's.
    pub network: Text,
    /// Its cluster; empty: the proxy's.
    pub cluster_id: Text,
    /// Where it is.
    pub locality: Locality,
    /// Its node, if known.
    pub node: Text,
    /// Its own weight; 0 counts as 1.
    pub weight: u32,
    /// The workload's name, if known.
    pub workload: Text,
    /// The workload's namespace.
    pub namespace: Namespace,
    /// The workload's labels.
    pub labels: Arc<Labels>,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.addresses.first() {
            None => write!(f, "-:{}", self.port),
            Some(Address::Ip(IpAddr::V6(address))) => write!(f, "[{address}]:{}", self.port),
            Some(Address::Unix(path)) => write!(f, "unix://{path}"),
            Some(address) => write!(f, "{address}:{}", self.port),
        }
    }
}

/// An address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// An IP address.
    Ip(IpAddr),
    /// A name to resolve (DNS clusters only).
    Name(Text),
    /// A Unix domain socket.
    Unix(Text),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => write!(f, "{address}"),
            Self::Name(name) => write!(f, "{name}"),
            Self::Unix(path) => write!(f, "unix://{path}"),
        }
    }
}

/// Whether an endpoint can take requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Health {
    /// It can.
    #[default]
    Healthy,
    /// It cannot.
    Unhealthy,
    /// It finishes what it has.
    Draining,
    /// It is going away; never delivered.
    Terminating,
}

/// Whether an endpoint terminates mesh TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TlsCapability {
    /// It has no proxy.
    #[default]
    Disabled,
    /// It has one.
    Istio,
}
