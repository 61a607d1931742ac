//! The waist: what a proxy does with connections and requests, as data.
//!
//! A [`TrafficPlan`] says it in data-plane terms only: listeners, chains, domains, ordered routes, clusters,
//! endpoints. Merging, precedence, visibility, names and defaults are decided; no selector, `exportTo`, delegate or
//! source label is left. The router evaluates it and the xDS converter translates it, so the two cannot disagree.
//!
//! * Parts (listener, virtual host, the clusters of a service, its endpoints) are immutable values behind `Arc`,
//!   found by name in sorted tables that share what did not change. Equality is by value.
//! * Every node says where it is from: an [`Origin`] on nodes of one object, a [`Level`] in values that are shared.
//! * `T` is resolved; `Option<T>` is `None` where nothing is said and Envoy's own default acts; an enum has an *off*
//!   variant where off is not that default.
//! * Types here have public fields and are exhaustive: a new field must stop every converter's build.

use std::sync::Arc;

use mesh_api::names::Host;
use mesh_api::object::ObjectKey;

use crate::table::Table;

mod action;
mod chain;
mod cluster;
mod downstream_tls;
mod endpoint;
mod facts;
mod foreign;
mod headers;
mod http;
mod key;
mod l4;
mod listener;
mod matcher;
mod origin;
mod resilience;
mod route;
mod route_table;
mod traffic_policy;
mod upstream_tls;
mod walk;

pub use action::*;
pub use chain::*;
pub use cluster::*;
pub use downstream_tls::*;
pub use endpoint::*;
pub use facts::*;
pub use foreign::*;
pub use headers::*;
pub use http::*;
pub use key::*;
pub use l4::*;
pub use listener::*;
pub use matcher::*;
pub use origin::*;
pub use resilience::*;
pub use route::*;
pub use route_table::*;
pub use traffic_policy::*;
pub use upstream_tls::*;
pub use walk::*;

pub use crate::pattern::Pattern;

/// All that one proxy does.
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficPlan {
    /// What it was compiled for.
    pub proxy: Arc<ProxyFacts>,
    /// Where connections arrive.
    pub listeners: Table<ListenerName, Listener>,
    /// Where requests are routed.
    pub route_tables: Table<RouteTableName, RouteTable>,
    /// Clusters of services, by hostname.
    pub clusters: Table<Host, ServiceClusters>,
    /// Fixed and inbound clusters, few.
    pub own_clusters: Box<[Arc<Cluster>]>,
    /// Endpoints of services, by hostname.
    pub endpoints: Table<Host, ServiceEndpoints>,
    /// What a decision cannot know.
    pub caveats: Box<[Caveat]>,
}

impl TrafficPlan {
    /// The cluster of that name; `None` for one that does not exist, which a route may name all the same (R-DST-3).
    pub fn cluster(&self, name: &ClusterName) -> Option<&Cluster> {
        match name.key().style {
            ClusterStyle::Outbound | ClusterStyle::SniDnat => self
                .clusters
                .get(name.host())
                .and_then(|service| service.find(name))
                .map(AsRef::as_ref),
            ClusterStyle::Inbound
            | ClusterStyle::InboundVip
            | ClusterStyle::Fixed(_)
            | ClusterStyle::Other(_) => self
                .own_clusters
                .iter()
                .find(|cluster| cluster.name == *name)
                .map(AsRef::as_ref),
        }
    }

    /// The endpoints of that cluster; `None` for one that does not exist or has no endpoints of its own.
    pub fn endpoints(&self, name: &ClusterName) -> Option<&Assignment> {
        let service = self.endpoints.get(name.host())?;
        cluster::find_assignment(service, name).map(AsRef::as_ref)
    }

    /// All clusters: those of services in order of hostname, then the proxy's own.
    pub fn all_clusters(&self) -> impl Iterator<Item = &Arc<Cluster>> {
        self.clusters
            .iter()
            .flat_map(|(_, service)| service.clusters())
            .chain(&*self.own_clusters)
    }
}

/// Something that may change what a proxy does and that the plan does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caveat {
    /// The object, e.g. an EnvoyFilter.
    pub object: ObjectKey,
    /// Why the plan does not hold it, as one line.
    pub reason: &'static str,
}
