//! What a plan was compiled for.

use std::net::IpAddr;
use std::sync::Arc;

use mesh_api::names::{Labels, Namespace, Text};

use super::endpoint::Locality;

/// The proxy, as far as it changes decisions. What changes only the encoding belongs to the converter's options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyFacts {
    /// What it is.
    pub role: ProxyRole,
    /// Its namespace.
    pub namespace: Namespace,
    /// The workload's labels.
    pub labels: Arc<Labels>,
    /// Where it is.
    pub locality: Locality,
    /// Its addresses; empty: IPv4 is assumed.
    pub addresses: Box<[IpAddr]>,
    /// Its network; empty: not said.
    pub network: Text,
    /// Its cluster; empty: not said.
    pub cluster_id: Text,
    /// Its node; empty: not said.
    pub node: Text,
    /// The DNS search domain, e.g. `default.svc.cluster.local`.
    pub dns_domain: Text,
    /// How traffic reaches a sidecar.
    pub interception: Interception,
    /// Whether ports below 1024 cannot be bound.
    pub unprivileged: bool,
}

/// What a proxy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyRole {
    /// Beside a workload.
    Sidecar,
    /// At the edge.
    Gateway,
}

/// How traffic reaches a sidecar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Interception {
    /// Redirected by address translation.
    #[default]
    Redirect,
    /// Redirected with the source address kept.
    Tproxy,
    /// Not redirected.
    None,
}
