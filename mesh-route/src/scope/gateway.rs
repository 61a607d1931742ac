//! What a gateway sees: every service exported to its namespace, and the Gateways that select it.

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_api::names::{Host, Namespace};

use crate::plan::ProxyFacts;
use crate::snapshot::Indexes;
use crate::snapshot::gateway::Gateway;
use crate::snapshot::service::Service;

/// Label of a service whose port translation is switched off for gateways (R-GW-3).
const NO_TRANSLATION: &str = "experimental.istio.io/disable-gateway-port-translation";

/// What a gateway sees.
#[derive(Clone, Debug)]
pub struct GatewayScope {
    /// The proxy.
    pub facts: Arc<ProxyFacts>,
    /// Gateways that select it, oldest first (R-GW-1).
    pub gateways: Vec<Arc<Gateway>>,
    /// Services, one per hostname, in order.
    pub services: Vec<Arc<Service>>,
    by_host: BTreeMap<Host, Arc<Service>>,
    /// Ports of services that select the gateway's own workload.
    pub targets: Vec<ServiceTarget>,
}

/// A port of a service that selects the proxy's own workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceTarget {
    /// The service port.
    pub port: u16,
    /// The port of the workload.
    pub target: u16,
}

impl GatewayScope {
    /// Finds out what the gateway sees.
    pub fn new(facts: Arc<ProxyFacts>, indexes: &Indexes) -> Self {
        let gateways = indexes
            .gateways
            .iter()
            .filter(|gateway| gateway.selects(&facts.labels));
        let mut by_host: BTreeMap<Host, Arc<Service>> = BTreeMap::new();
        let mut order: Vec<Host> = Vec::new();
        for service in indexes.services.visible_to(&facts.namespace) {
            match by_host.get_mut(&service.host) {
                None => {
                    order.push(service.host.clone());
                    by_host.insert(service.host.clone(), service);
                }
                // R-SVC-1
                Some(held) if service.is_kubernetes() && !held.is_kubernetes() => *held = service,
                Some(_) => {}
            }
        }
        Self {
            gateways: gateways.cloned().collect(),
            services: order
                .iter()
                .filter_map(|host| by_host.get(host))
                .cloned()
                .collect(),
            by_host,
            targets: targets(&facts, indexes),
            facts,
        }
    }

    /// A destination of a VirtualService in `namespace`: first a service of that namespace that the gateway may see,
    /// else whatever the gateway sees (R-SVC-2).
    pub fn service<'a>(
        &'a self,
        indexes: &'a Indexes,
        host: &Host,
        namespace: &Namespace,
    ) -> Option<&'a Arc<Service>> {
        let own = indexes.services.by_host(host).iter().find(|service| {
            service.namespace == *namespace && service.direct_visibility.allows(&self.facts.namespace)
        });
        own.or_else(|| self.by_host.get(host))
    }

    /// The port a server listens on: the target port of the first own service with that port, else the number itself
    /// (R-GW-3).
    pub fn resolve_port(&self, port: u16) -> u16 {
        self.targets
            .iter()
            .find(|target| target.port == port)
            .map_or(port, |target| target.target)
    }
}

/// Ports of the services that select the workload, oldest service first.
fn targets(facts: &ProxyFacts, indexes: &Indexes) -> Vec<ServiceTarget> {
    let selects = |service: &&Arc<Service>| {
        service.namespace == facts.namespace
            && service.is_kubernetes()
            && service
                .selector
                .as_ref()
                .is_some_and(|selector| selector.is_subset_of(&facts.labels))
            && !service.labels.contains_key(NO_TRANSLATION)
    };
    let ports = indexes
        .services
        .iter()
        .filter(selects)
        .flat_map(|service| &service.ports);
    ports
        .filter_map(|port| {
            Some(ServiceTarget {
                port: port.number,
                target: port.target?,
            })
        })
        .collect()
}
