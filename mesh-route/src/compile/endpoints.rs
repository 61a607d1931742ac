//! The endpoints of a service's clusters: filtered, grouped, weighted (X-EDS).

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_api::names::Text;

use super::cluster::ClusterView;
use super::locality;
use super::traffic_policy::Blocks;
use crate::plan::{
    Assignment, Cluster, ClusterName, ClusterStyle, Discovery, Endpoint, Health, Level, Locality,
    LocalityGroup, ServiceClusters, ServiceEndpoints, TlsCapability, UpstreamTls, WeightedEndpoint,
};
use crate::snapshot::service::Service;

/// The assignments of all clusters of `service` that have endpoints of their own.
pub(super) fn service_endpoints(
    service: &Arc<Service>,
    clusters: &ServiceClusters,
    view: &ClusterView<'_>,
) -> ServiceEndpoints {
    let rule = view
        .indexes
        .rules
        .select(&view.facts.namespace, &view.facts.labels, service);
    let assign = |cluster: &Arc<Cluster>| -> (ClusterName, Arc<Assignment>) {
        let policy = rule.as_ref().and_then(|selected| selected.rule.traffic_policy());
        let mut blocks = policy.map_or_else(Blocks::default, |policy| {
            Blocks::at_port(policy, cluster.name.port(), Level::Top, Level::Port)
        });
        let subset = cluster.subset.as_ref().and_then(|subset| {
            let found = rule.as_ref()?.rule.subset(subset.name.as_str())?;
            found.spec()?.traffic_policy.as_deref()
        });
        if let Some(policy) = subset {
            let over = Blocks::at_port(policy, cluster.name.port(), Level::Subset, Level::SubsetPort);
            blocks = blocks.overlaid(over);
        }
        let groups = groups(service, cluster, view);
        let groups = match locality::setting(&blocks, service, view.mesh) {
            Some(setting) => {
                // R-LOC-2: for listed endpoints of DNS clusters the baseline's outlier detection counts as well.
                let listed = !matches!(cluster.discovery, Discovery::Eds) && cluster.policy.outlier.is_some();
                locality::apply(
                    groups,
                    &setting.value,
                    view.facts,
                    cluster.endpoints.failover || listed,
                )
            }
            None => groups,
        };
        (
            cluster.name.clone(),
            Arc::new(Assignment {
                groups: groups.into(),
            }),
        )
    };
    let assignments = clusters
        .clusters()
        .filter(|cluster| cluster.has_endpoints())
        .map(assign);
    ServiceEndpoints {
        assignments: assignments.collect(),
    }
}

/// One group per locality, in order of its text; endpoints keep their order (X-EDS-6).
fn groups(service: &Service, cluster: &Cluster, view: &ClusterView<'_>) -> Vec<LocalityGroup> {
    let mut by_locality: BTreeMap<Text, (Locality, Vec<WeightedEndpoint>)> = BTreeMap::new();
    for endpoint in service
        .endpoints
        .iter()
        .filter(|endpoint| belongs(endpoint, cluster, view))
    {
        let key = Text::from(endpoint.locality.to_string());
        let weighted = WeightedEndpoint {
            endpoint: Arc::clone(endpoint),
            weight: endpoint.weight.max(1),
            mtls: speaks_mesh_tls(endpoint, cluster),
        };
        by_locality
            .entry(key)
            .or_insert_with(|| (endpoint.locality.clone(), Vec::new()))
            .1
            .push(weighted);
    }
    by_locality
        .into_values()
        .map(|(locality, endpoints)| {
            let weight = endpoints
                .iter()
                .map(|endpoint| endpoint.weight)
                .fold(0, u32::saturating_add);
            LocalityGroup {
                locality,
                priority: 0,
                weight,
                endpoints: endpoints.into(),
            }
        })
        .collect()
}

/// X-EDS-2 to -4
fn belongs(endpoint: &Endpoint, cluster: &Cluster, view: &ClusterView<'_>) -> bool {
    let rule = &cluster.endpoints;
    let healthy = match endpoint.health {
        Health::Healthy => true,
        Health::Unhealthy => rule.keep_unhealthy,
        Health::Draining | Health::Terminating => false,
    };
    let here = !rule.node_local || endpoint.node == view.facts.node;
    // X-EDS-16: what passes through untouched needs an endpoint that terminates mesh TLS.
    let reachable = cluster.name.key().style != ClusterStyle::SniDnat || endpoint.tls == TlsCapability::Istio;
    reachable
        && healthy
        && here
        && endpoint.port_name == rule.port_name
        && rule.labels.is_subset_of(&endpoint.labels)
}

/// X-EDS-8
fn speaks_mesh_tls(endpoint: &Endpoint, cluster: &Cluster) -> bool {
    match &cluster.tls.value {
        UpstreamTls::Auto(_) => endpoint.tls == TlsCapability::Istio,
        UpstreamTls::Mesh(_) => true,
        UpstreamTls::Plain | UpstreamTls::Simple(_) | UpstreamTls::Mutual(_) => false,
    }
}
