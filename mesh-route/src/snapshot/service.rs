//! Services as the mesh sees them, whether declared by Kubernetes or by a ServiceEntry, and their index.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use mesh_api::names::{Host, Labels, Namespace, Protocol, Text};
use mesh_api::object::ObjectKey;

use super::Age;
use super::visibility::{Visibility, VisibilityClass};
use crate::plan::{Endpoint, Registry};

/// A service (routing.md R-IN-2, xds.md X-IN-2).
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its hostname, e.g. `reviews.shop.svc.cluster.local`; may be a wildcard.
    pub host: Host,
    /// Its name: the Kubernetes name, or the hostname.
    pub name: Text,
    /// Its namespace.
    pub namespace: Namespace,
    /// Who declared it.
    pub registry: Registry,
    /// How its endpoints are found.
    pub resolution: Resolution,
    /// Whether it lies outside of the mesh.
    pub external: bool,
    /// Its ports, in order of declaration.
    pub ports: Vec<ServicePort>,
    /// Its virtual addresses; networks for some ServiceEntries.
    pub addresses: Vec<IpNet>,
    /// Its labels.
    pub labels: Arc<Labels>,
    /// Which workloads it selects; `None`: no selector.
    pub selector: Option<Arc<Labels>>,
    /// Who sees it in lists.
    pub visibility: Visibility,
    /// Who may look it up by name.
    pub direct_visibility: Visibility,
    /// Its age.
    pub age: Age,
    /// Hostnames of ExternalName services that point to it.
    pub aliases: Vec<Host>,
    /// Whether endpoints that are not ready are published.
    pub publish_not_ready: bool,
    /// Whether only endpoints on the client's node are used.
    pub node_local: bool,
    /// Which endpoints are preferred.
    pub distribution: TrafficDistribution,
    /// Identities its servers may have, as a ServiceEntry lists them.
    pub subject_alt_names: Vec<Text>,
    /// The object that declares it.
    pub key: Arc<ObjectKey>,
    /// Its endpoints, in order.
    pub endpoints: Vec<Arc<Endpoint>>,
}

/// A port of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// Its number.
    pub number: u16,
    /// Its name; may be empty.
    pub name: Text,
    /// What is spoken.
    pub protocol: Protocol,
    /// The port of the workload; `None`: the same number, or given by name only.
    pub target: Option<u16>,
    /// Its position in the object.
    pub position: usize,
}

/// How endpoints of a service are found (X-IN-3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Listed; the client balances.
    ClientSide,
    /// By DNS, all addresses.
    Dns,
    /// By DNS, the first address for each new connection.
    DnsRoundRobin,
    /// Where the client wanted to go: headless services, ServiceEntries without resolution.
    Passthrough,
    /// Another service (Kubernetes ExternalName).
    Alias(Host),
    /// By DNS, from the host of the request; wildcard hosts only.
    DynamicDns,
}

/// Which endpoints are preferred (`trafficDistribution`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrafficDistribution {
    /// No preference.
    #[default]
    Any,
    /// Those in the client's zone.
    PreferSameZone,
    /// Those on the client's node.
    PreferSameNode,
}

impl Service {
    /// The port of that number.
    pub fn port(&self, number: u16) -> Option<&ServicePort> {
        self.ports.iter().find(|port| port.number == number)
    }

    /// Whether it has no address of its own, so that clients reach its endpoints one by one.
    pub fn is_headless(&self) -> bool {
        self.resolution == Resolution::Passthrough
    }

    /// Whether it was declared by Kubernetes.
    pub fn is_kubernetes(&self) -> bool {
        self.registry == Registry::Kubernetes
    }

    /// A copy with only the ports that `keep` accepts; `None` when no port is left.
    pub fn trimmed(self: &Arc<Self>, keep: impl Fn(&ServicePort) -> bool) -> Option<Arc<Self>> {
        if self.ports.iter().all(&keep) {
            return (!self.ports.is_empty()).then(|| Arc::clone(self));
        }
        let ports: Vec<_> = self.ports.iter().filter(|port| keep(port)).cloned().collect();
        (!ports.is_empty()).then(|| {
            Arc::new(Self {
                ports,
                ..Self::clone(self)
            })
        })
    }

    /// Addresses that are single hosts, without `0.0.0.0` and `::`.
    pub fn virtual_ips(&self) -> impl Iterator<Item = IpAddr> {
        let single = |net: &&IpNet| net.prefix_len() == net.max_prefix_len();
        self.addresses
            .iter()
            .filter(single)
            .map(IpNet::addr)
            .filter(|address| !address.is_unspecified())
    }
}

/// All services, in order of age, and by hostname.
#[derive(Clone, Debug, Default)]
pub struct ServiceIndex {
    services: Vec<Arc<Service>>,
    by_host: BTreeMap<Host, Vec<Arc<Service>>>,
}

impl ServiceIndex {
    /// Sorts and indexes `services` (R-ORD-3), and hands the names of ExternalName services to their targets.
    pub fn new(mut services: Vec<Service>) -> Self {
        services.sort_by(|a, b| a.age.cmp(&b.age));
        attach_aliases(&mut services);
        let services: Vec<Arc<Service>> = services.into_iter().map(Arc::new).collect();
        let mut by_host: BTreeMap<Host, Vec<Arc<Service>>> = BTreeMap::new();
        for service in &services {
            by_host
                .entry(service.host.clone())
                .or_default()
                .push(Arc::clone(service));
        }
        Self { services, by_host }
    }

    /// All services, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Service>> {
        self.services.iter()
    }

    /// The services of that hostname, oldest first.
    pub fn by_host(&self, host: &Host) -> &[Arc<Service>] {
        self.by_host.get(host).map_or(&[], Vec::as_slice)
    }

    /// All hostnames, sorted.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.by_host.keys()
    }

    /// What `namespace` sees: services exported to it by name, oldest first, then the public ones (R-ORD-3).
    pub fn visible_to(&self, namespace: &Namespace) -> Vec<Arc<Service>> {
        let class = |service: &Service| service.visibility.class_for(namespace, &service.namespace);
        let named = self.services.iter().filter(|s| {
            matches!(
                class(s),
                Some(VisibilityClass::Private | VisibilityClass::ExportedTo)
            )
        });
        let public = self
            .services
            .iter()
            .filter(|s| class(s) == Some(VisibilityClass::Public));
        named.chain(public).cloned().collect()
    }
}

/// Follows ExternalName services to the concrete service they stand for. Chains end after a few steps, since a circle
/// has no concrete service.
fn attach_aliases(services: &mut [Service]) {
    let targets: BTreeMap<Host, Host> = services
        .iter()
        .filter_map(|service| match &service.resolution {
            Resolution::Alias(target) => Some((service.host.clone(), target.clone())),
            _ => None,
        })
        .collect();
    let mut found: BTreeMap<Host, Vec<Host>> = BTreeMap::new();
    for (alias, first) in &targets {
        let mut target = first;
        for _ in 0..targets.len().min(16) {
            match targets.get(target) {
                Some(next) => target = next,
                None => break,
            }
        }
        if !targets.contains_key(target) {
            found.entry(target.clone()).or_default().push(alias.clone());
        }
    }
    for service in services {
        if let Some(aliases) = found.get(&service.host) {
            service.aliases.clone_from(aliases);
        }
    }
}
