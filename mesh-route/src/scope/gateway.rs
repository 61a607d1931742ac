//! What a gateway sees: every service exported to its namespace, and the Gateways that select it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mesh_api::names::{Host, Namespace};

use crate::plan::{Address, ProxyFacts};
use crate::snapshot::Indexes;
use crate::snapshot::gateway::Gateway;
use crate::snapshot::service::{Service, ServicePort};

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
    /// Ports of services that the gateway's own workload belongs to.
    pub targets: Vec<ServiceTarget>,
}

/// A port of a service that the proxy's own workload belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTarget {
    /// The service.
    pub host: Host,
    /// The service port.
    pub port: u16,
    /// The port of the workload.
    pub target: u16,
    /// Whether the service asks gateways to listen on the number as it is.
    pub keeps_number: bool,
}

impl GatewayScope {
    /// Finds out what the gateway sees.
    pub fn new(facts: Arc<ProxyFacts>, indexes: &Indexes) -> Self {
        let targets = targets(&facts, indexes);
        let gateways = indexes
            .gateways
            .iter()
            .filter(|gateway| match &gateway.services {
                Some(hosts) => targets.iter().any(|target| hosts.contains(&target.host)),
                None => gateway.selects(&facts.labels),
            })
            .cloned()
            .collect();
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
            gateways,
            services: order
                .iter()
                .filter_map(|host| by_host.get(host))
                .cloned()
                .collect(),
            by_host,
            targets,
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

    /// The ports a server of `gateway` listens on. With a selector: the target port of the first own service with that
    /// port, else the number itself. A Gateway of named services: the target ports of all of them (R-GW-3).
    pub fn resolve_ports(&self, gateway: &Gateway, port: u16) -> Vec<u16> {
        let mut targets = self.targets.iter().filter(|target| target.port == port);
        match &gateway.services {
            None => {
                let first = targets.find(|target| !target.keeps_number);
                vec![first.map_or(port, |target| target.target)]
            }
            Some(hosts) => {
                let ports: BTreeSet<u16> = targets
                    .filter(|target| hosts.contains(&target.host))
                    .map(|target| target.target)
                    .collect();
                ports.into_iter().collect()
            }
        }
    }
}

/// Ports of the services that the workload belongs to, oldest service first: services of its namespace that select it
/// or that have an endpoint at one of its addresses.
fn targets(facts: &ProxyFacts, indexes: &Indexes) -> Vec<ServiceTarget> {
    let own = indexes
        .services
        .iter()
        .filter(|service| service.namespace == facts.namespace);
    own.flat_map(|service| {
        let keeps_number = service.labels.contains_key(NO_TRANSLATION);
        service.ports.iter().filter_map(move |port| {
            Some(ServiceTarget {
                host: service.host.clone(),
                port: port.number,
                target: target_port(facts, service, port)?,
                keeps_number,
            })
        })
    })
    .collect()
}

/// The workload's port behind a service port; `None`: the workload is not behind it.
fn target_port(facts: &ProxyFacts, service: &Service, port: &ServicePort) -> Option<u16> {
    let is_here = |address: &Address| matches!(address, Address::Ip(ip) if facts.addresses.contains(ip));
    let at_address = service
        .endpoints
        .iter()
        .find(|endpoint| endpoint.port_name == port.name && endpoint.addresses.iter().any(is_here));
    let is_selected = service.is_kubernetes()
        && service
            .selector
            .as_ref()
            .is_some_and(|selector| selector.is_subset_of(&facts.labels));
    let by_selector = || port.target.filter(|_| is_selected);
    at_address.map(|endpoint| endpoint.port).or_else(by_selector)
}
