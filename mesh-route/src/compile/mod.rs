//! From a scope to a plan.
//!
//! Compiling goes in two steps: *assign* finds out which parts exist, under which names and owners; *build* makes one
//! body. Builders take narrow views, so that a part depends on nothing that it cannot name, and a recorder that is told
//! what was decided. With a previous plan at hand, every part that comes out equal is shared with it.

use std::sync::Arc;

use mesh_api::mesh::MeshConfig;
use mesh_api::names::{Host, SubsetName};
use mesh_api::networking::Destination;

use crate::plan::{Caveat, ClusterName, ProxyFacts, ServiceClusters, ServiceEndpoints, TrafficPlan};
use crate::scope::{GatewayScope, OutboundMode, SidecarScope};
use crate::snapshot::service::Service;
use crate::snapshot::{EnvoyFilter, Indexes};
use crate::table::Table;
use crate::trace::Recorder;

mod action;
mod attach;
mod chain;
pub(crate) mod cluster;
mod defaults;
mod domains;
mod endpoints;
pub(crate) mod explain;
mod forward;
mod gateway;
mod gateway_listener;
mod headers;
mod http;
mod l4;
mod listener;
mod locality;
mod matcher;
mod sidecar;
mod traffic_policy;
mod upstream_tls;
mod view;

pub use domains::alternates;
pub use matcher::claim_path;

use cluster::ClusterView;
use view::Common;

/// Compiles the plan of a sidecar. Parts that are equal to those of `previous` are shared with it.
pub fn sidecar(
    scope: &SidecarScope,
    indexes: &Indexes,
    mesh: &MeshConfig,
    previous: Option<&TrafficPlan>,
    recorder: &mut impl Recorder,
) -> TrafficPlan {
    let common = Common::new(mesh);
    let tables = sidecar::SidecarTables {
        scope,
        indexes,
        common: &common,
    };
    let outbound = listener::Outbound {
        scope,
        indexes,
        mesh,
        tables: &tables,
    };
    let (listeners, route_tables) = outbound.compile(previous, recorder);
    let view = ClusterView {
        facts: &scope.facts,
        mesh,
        indexes,
        sni_dnat: false,
    };
    let (clusters, endpoints) = service_parts(&scope.services, &view, previous);
    let dynamic = scope.outbound.mode == OutboundMode::DynamicDns;
    TrafficPlan {
        proxy: shared_facts(&scope.facts, previous),
        listeners,
        route_tables,
        clusters,
        own_clusters: own_clusters(&scope.facts, mesh, dynamic, previous),
        endpoints,
        caveats: caveats(&scope.facts, indexes, mesh),
    }
}

/// Compiles the plan of a gateway. Parts that are equal to those of `previous` are shared with it.
pub fn gateway(
    scope: &GatewayScope,
    indexes: &Indexes,
    mesh: &MeshConfig,
    previous: Option<&TrafficPlan>,
    recorder: &mut impl Recorder,
) -> TrafficPlan {
    let common = Common::new(mesh);
    let tables = gateway::GatewayTables {
        scope,
        indexes,
        common: &common,
    };
    let servers = gateway::merge_servers(scope, recorder);
    let (listeners, route_tables) = gateway_listener::compile(&tables, mesh, &servers, previous, recorder);
    let sni_dnat = servers.iter().any(gateway::MergedServer::is_auto_passthrough);
    let view = ClusterView {
        facts: &scope.facts,
        mesh,
        indexes,
        sni_dnat,
    };
    let (clusters, endpoints) = service_parts(&scope.services, &view, previous);
    TrafficPlan {
        proxy: shared_facts(&scope.facts, previous),
        listeners,
        route_tables,
        clusters,
        own_clusters: own_clusters(&scope.facts, mesh, false, previous),
        endpoints,
        caveats: caveats(&scope.facts, indexes, mesh),
    }
}

type ServiceParts = (Table<Host, ServiceClusters>, Table<Host, ServiceEndpoints>);

/// Clusters and endpoints of all services.
fn service_parts(
    services: &[Arc<Service>],
    view: &ClusterView<'_>,
    previous: Option<&TrafficPlan>,
) -> ServiceParts {
    let (no_clusters, no_endpoints) = (Table::new(), Table::new());
    let (old_clusters, old_endpoints) = previous.map_or((&no_clusters, &no_endpoints), |plan| {
        (&plan.clusters, &plan.endpoints)
    });
    let (mut clusters, mut endpoints) = (Vec::new(), Vec::new());
    for service in services {
        let Some(made) = cluster::service_clusters(service, view) else {
            continue;
        };
        let assigned = endpoints::service_endpoints(service, &made, view);
        let host = service.host.clone();
        endpoints.push((host.clone(), share(old_endpoints.get(&host), assigned)));
        clusters.push((host.clone(), share(old_clusters.get(&host), made)));
    }
    clusters.sort_by(|a, b| a.0.cmp(&b.0));
    endpoints.sort_by(|a, b| a.0.cmp(&b.0));
    (
        Table::rebuild_sharing(old_clusters, clusters),
        Table::rebuild_sharing(old_endpoints, endpoints),
    )
}

fn own_clusters(
    facts: &ProxyFacts,
    mesh: &MeshConfig,
    dynamic: bool,
    previous: Option<&TrafficPlan>,
) -> Box<[Arc<crate::plan::Cluster>]> {
    let old = previous.map_or(&[][..], |plan| &plan.own_clusters);
    let made = cluster::own_clusters(facts, mesh, dynamic).into_iter();
    made.map(|cluster| {
        old.iter()
            .find(|held| ***held == *cluster)
            .cloned()
            .unwrap_or(cluster)
    })
    .collect()
}

/// EnvoyFilters that patch the proxy's configuration.
fn caveats(facts: &ProxyFacts, indexes: &Indexes, mesh: &MeshConfig) -> Box<[Caveat]> {
    let applies = |filter: &&EnvoyFilter| {
        let namespace = &filter.key.namespace;
        (*namespace == facts.namespace || *namespace == mesh.root_namespace.as_str())
            && filter.selector.is_subset_of(&facts.labels)
    };
    let caveat = |filter: &EnvoyFilter| Caveat {
        object: filter.key.clone(),
        reason: "its patches act on the proxy's configuration and are not evaluated",
    };
    indexes.envoy_filters.iter().filter(applies).map(caveat).collect()
}

fn shared_facts(facts: &Arc<ProxyFacts>, previous: Option<&TrafficPlan>) -> Arc<ProxyFacts> {
    previous
        .map(|plan| &plan.proxy)
        .filter(|held| *held == facts)
        .unwrap_or(facts)
        .clone()
}

/// The previous part, if the new one is equal to it.
pub(crate) fn share<T: PartialEq>(previous: Option<&Arc<T>>, made: T) -> Arc<T> {
    match previous {
        Some(held) if **held == made => Arc::clone(held),
        _ => Arc::new(made),
    }
}

/// The cluster of an egress proxy.
pub(crate) fn egress_proxy_cluster(destination: &Destination) -> ClusterName {
    let port = destination
        .port
        .as_ref()
        .and_then(|port| u16::try_from(port.number).ok())
        .unwrap_or(0);
    let subset = (!destination.subset.is_empty()).then(|| SubsetName::new(destination.subset.as_str()));
    ClusterName::outbound(port, subset, Host::new(destination.host.as_str()))
}
