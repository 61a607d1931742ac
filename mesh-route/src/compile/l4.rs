//! TCP and TLS chains of a service at a sidecar (R-L4, X-LDS-11 to -13).

use std::collections::BTreeSet;
use std::sync::Arc;

use ipnet::IpNet;
use mesh_api::mesh::MeshConfig;
use mesh_api::names::{Host, Protocol, SubsetName, Text};
use mesh_api::networking as model;

use super::action::cluster_host;
use super::domains::alternates;
use super::listener::Outbound;
use crate::plan::{
    At, ChainClass, ChainMatch, ChainName, ClusterName, DownstreamTls, FilterChain, FixedCluster, Index,
    Origin, ProxyFacts, Split, StatName, TcpCodec, TcpProxy, Terminal, WeightedDestination, clamp,
};
use crate::scope::EgressScope;
use crate::snapshot::service::{Resolution, Service, ServicePort};
use crate::snapshot::virtual_service::VirtualService;

/// The static predicates of a TCP or TLS match (R-L4-2).
struct Predicates<'a> {
    port: u32,
    gateways: &'a [String],
    source_labels: &'a std::collections::BTreeMap<String, String>,
    source_namespace: &'a str,
}

impl Predicates<'_> {
    fn hold(&self, facts: &ProxyFacts, port: u16) -> bool {
        (self.port == 0 || self.port == u32::from(port))
            && (self.gateways.is_empty() || self.gateways.iter().any(|gateway| gateway == "mesh"))
            && self
                .source_labels
                .iter()
                .all(|(key, value)| facts.labels.get(key) == Some(value.as_str()))
            && (self.source_namespace.is_empty() || facts.namespace == self.source_namespace)
    }
}

/// What chains of one service and port are built from.
pub(super) struct L4View<'a> {
    /// The listeners being compiled.
    pub(super) outbound: &'a Outbound<'a>,
    /// The egress listener.
    pub(super) egress: &'a EgressScope,
    /// The service.
    pub(super) service: &'a Arc<Service>,
    /// Its port.
    pub(super) port: &'a ServicePort,
    /// The port of the listener.
    pub(super) listen_port: u16,
    /// Networks that the chain is for; empty: the listener's own address.
    pub(super) networks: &'a [IpNet],
    /// Whether the address tells services apart.
    pub(super) bound_to_vip: bool,
    /// Whether the listener is for a single endpoint of a headless service.
    pub(super) headless: bool,
}

impl L4View<'_> {
    /// The chains of the port: TLS routes for TLS ports, TCP routes otherwise (R-L4-1).
    pub(super) fn chains(&self) -> Vec<FilterChain> {
        if self.port.protocol.is_tls() {
            self.tls_chains()
        } else {
            self.tcp_chains()
        }
    }

    fn virtual_services(&self) -> impl Iterator<Item = &Arc<VirtualService>> {
        let host = &self.service.host;
        self.egress
            .virtual_services
            .iter()
            .filter(move |vs| vs.hosts.iter().any(|own| own.matches(host)))
    }

    fn facts(&self) -> &ProxyFacts {
        &self.outbound.scope.facts
    }

    fn tcp_chains(&self) -> Vec<FilterChain> {
        let mut chains = Vec::new();
        for service in self.virtual_services() {
            for (entry, route) in service
                .tcp
                .iter()
                .enumerate()
                .filter(|(_, route)| !route.route.is_empty())
            {
                let Some(proxy) = self.proxy(service, &route.route, entry) else {
                    continue;
                };
                let at = |matching| {
                    Origin::new(
                        Arc::clone(&service.key),
                        At::TcpRule {
                            entry: clamp(entry),
                            matching,
                        },
                    )
                };
                if route.matches.is_empty() {
                    chains.push(self.chain(&[], self.networks, proxy, at(Index::NONE)));
                    return chains;
                }
                let mut subnets: Vec<IpNet> = Vec::new();
                for (position, matching) in route.matches.iter().enumerate() {
                    let predicates = Predicates {
                        port: matching.port,
                        gateways: &matching.gateways,
                        source_labels: &matching.source_labels,
                        source_namespace: &matching.source_namespace,
                    };
                    if !predicates.hold(self.facts(), self.listen_port) {
                        continue;
                    }
                    if matching.destination_subnets.is_empty() {
                        // quirk R-L4-5: subnet matches listed before are lost.
                        chains.push(self.chain(&[], self.networks, proxy, at(Index::some(position))));
                        return chains;
                    }
                    subnets.extend(networks(&matching.destination_subnets));
                }
                if !subnets.is_empty() {
                    chains.push(self.chain(&[], &subnets, proxy, at(Index::NONE)));
                }
            }
        }
        let own: BTreeSet<&IpNet> = self.networks.iter().collect();
        let covered = chains.iter().any(|chain: &FilterChain| {
            !own.is_empty() && chain.matching.destinations.iter().collect::<BTreeSet<_>>() == own
        });
        if !covered {
            chains.push(self.default_chain(&[]));
        }
        chains
    }

    fn tls_chains(&self) -> Vec<FilterChain> {
        let mut chains: Vec<FilterChain> = Vec::new();
        let mut seen: BTreeSet<(Vec<String>, Vec<String>)> = BTreeSet::new();
        for service in self.virtual_services() {
            // quirk R-L4-3: networks of one match stay for the following ones.
            let mut current: Vec<IpNet> = self.networks.to_vec();
            for (entry, route) in service
                .tls
                .iter()
                .enumerate()
                .filter(|(_, route)| !route.route.is_empty())
            {
                for (position, matching) in route.matches.iter().enumerate() {
                    let predicates = Predicates {
                        port: matching.port,
                        gateways: &matching.gateways,
                        source_labels: &matching.source_labels,
                        source_namespace: &matching.source_namespace,
                    };
                    if !predicates.hold(self.facts(), self.listen_port) {
                        continue;
                    }
                    if !matching.destination_subnets.is_empty() {
                        current = networks(&matching.destination_subnets);
                    }
                    let mut names = matching.sni_hosts.clone();
                    names.sort();
                    let key = (names.clone(), current.iter().map(ToString::to_string).collect());
                    if !seen.insert(key) {
                        continue;
                    }
                    let Some(proxy) = self.proxy(service, &route.route, entry) else {
                        continue;
                    };
                    let at = At::TlsRule {
                        entry: clamp(entry),
                        matching: Index::some(position),
                    };
                    let names: Vec<Text> = names.iter().map(Text::from).collect();
                    chains.push(self.chain(
                        &names,
                        &current,
                        proxy,
                        Origin::new(Arc::clone(&service.key), at),
                    ));
                }
            }
        }
        if chains.is_empty() {
            let names = self.default_server_names();
            chains.push(self.default_chain(&names));
        }
        chains
    }

    /// Server names of a TLS service without routes: needed where the address cannot tell services apart (R-L4-4).
    fn default_server_names(&self) -> Vec<Text> {
        if self.headless || (self.bound_to_vip && self.networks.is_empty()) {
            return Vec::new();
        }
        let mut names = vec![self.service.host.as_text().clone()];
        for alias in &self.service.aliases {
            names.push(alias.as_text().clone());
            names.extend(
                alternates(alias.as_str(), &self.facts().dns_domain)
                    .into_iter()
                    .map(Text::from),
            );
        }
        names.sort();
        names
    }

    fn default_chain(&self, server_names: &[Text]) -> FilterChain {
        // R-L4-6
        let port = match self.service.ports.as_slice() {
            [only] => only.number,
            _ => self.listen_port,
        };
        let cluster = ClusterName::outbound(port, None, cluster_host(self.service));
        let at = At::ServicePort(clamp(self.port.position));
        let origin = Origin::new(Arc::clone(&self.service.key), at);
        self.chain(
            server_names,
            self.networks,
            self.tcp_proxy(Split::One(cluster), StatName::Cluster, None),
            origin,
        )
    }

    fn chain(
        &self,
        server_names: &[Text],
        networks: &[IpNet],
        proxy: TcpProxy,
        origin: Origin,
    ) -> FilterChain {
        // R-L4-8: `*` among the names means no condition.
        let any = server_names.iter().any(|name| name == "*");
        FilterChain {
            name: ChainName::Unnamed,
            class: ChainClass::Outbound,
            matching: ChainMatch {
                destinations: networks.into(),
                server_names: if any { Box::default() } else { server_names.into() },
                ..ChainMatch::default()
            },
            tls: DownstreamTls::Plain,
            terminal: Terminal::Tcp(proxy),
            origin,
        }
    }

    /// The proxy for the destinations of a route; `None` when all weights are 0 (X-LDS-18).
    fn proxy(
        &self,
        owner: &VirtualService,
        targets: &[model::RouteDestination],
        entry: usize,
    ) -> Option<TcpProxy> {
        let scope = self.outbound.scope;
        let lookup = |host: &Host| scope.service(host).cloned();
        let split = split(targets, &owner.key, entry, self.listen_port, lookup)?;
        let stat = stat_name(&split, owner);
        let first = targets.first().and_then(|target| target.destination.as_ref());
        Some(self.tcp_proxy(split, stat, first))
    }

    fn tcp_proxy(&self, split: Split, stat: StatName, first: Option<&model::Destination>) -> TcpProxy {
        let host = first.map_or_else(|| self.service.host.clone(), |d| Host::new(d.host.as_str()));
        let found = self.outbound.scope.service(&host);
        let subset = first.map_or("", |destination| destination.subset.as_str());
        let settings = TcpSettings::of(self.outbound, found, subset);
        TcpProxy {
            split,
            stat,
            idle: settings.idle,
            max_connection: settings.max_connection,
            hash_source_ip: settings.hash_source_ip,
            tunnel: None,
            codec: match self.port.protocol {
                Protocol::Mongo => Some(TcpCodec::Mongo),
                _ => None,
            },
        }
    }
}

/// What a DestinationRule says about TCP connections through the proxy (X-LDS-18: only its top level, quirk).
#[derive(Default)]
struct TcpSettings {
    idle: Option<std::time::Duration>,
    max_connection: Option<std::time::Duration>,
    hash_source_ip: bool,
}

impl TcpSettings {
    fn of(outbound: &Outbound<'_>, service: Option<&Arc<Service>>, subset: &str) -> Self {
        let facts = &outbound.scope.facts;
        let rule = service.and_then(|s| outbound.indexes.rules.select(&facts.namespace, &facts.labels, s));
        let Some(rule) = rule.map(|selected| selected.rule) else {
            return Self::default();
        };
        let top = rule.traffic_policy();
        let tcp = top.and_then(|policy| policy.connection_pool.as_deref()?.tcp.as_ref());
        let time = |time: &Option<mesh_api::scalar::Duration>| time.as_ref().and_then(|time| time.to_std());
        let named = rule
            .subset(subset)
            .and_then(|subset| subset.spec()?.traffic_policy.as_deref());
        let balancer = named
            .and_then(|policy| policy.load_balancer.as_deref())
            .or_else(|| top.and_then(|policy| policy.load_balancer.as_deref()));
        let hash_source_ip = matches!(
            balancer.and_then(|balancer| balancer.lb_policy.as_ref()),
            Some(model::LbPolicy::ConsistentHash(hash))
                if hash.hash_key == Some(model::HashKey::UseSourceIp(true))
        );
        Self {
            idle: tcp.and_then(|tcp| time(&tcp.idle_timeout)),
            max_connection: tcp.and_then(|tcp| time(&tcp.max_connection_duration)),
            hash_source_ip,
        }
    }
}

/// The choice among destinations of a TCP or TLS route (R-W-4).
pub(super) fn split(
    targets: &[model::RouteDestination],
    owner: &Arc<mesh_api::object::ObjectKey>,
    entry: usize,
    listen_port: u16,
    lookup: impl Fn(&Host) -> Option<Arc<Service>>,
) -> Option<Split> {
    let cluster = |target: &model::RouteDestination| match &target.destination {
        Some(destination) if !destination.host.is_empty() => {
            let host = Host::new(destination.host.as_str());
            let found = lookup(&host);
            let explicit = destination
                .port
                .as_ref()
                .and_then(|port| u16::try_from(port.number).ok());
            let single = found.as_ref().and_then(|service| match service.ports.as_slice() {
                [only] => Some(only.number),
                _ => None,
            });
            let port = explicit
                .filter(|port| *port != 0)
                .or(single)
                .unwrap_or(listen_port);
            let subset =
                (!destination.subset.is_empty()).then(|| SubsetName::new(destination.subset.as_str()));
            ClusterName::outbound(port, subset, found.map_or(host, |service| cluster_host(&service)))
        }
        _ => ClusterName::fixed(FixedCluster::UnknownService),
    };
    match targets {
        [] => None,
        [only] => Some(Split::One(cluster(only))),
        several => {
            let weighted: Box<[WeightedDestination]> = several
                .iter()
                .enumerate()
                .filter_map(|(position, target)| {
                    let weight = u32::try_from(target.weight).ok().filter(|weight| *weight > 0)?;
                    let at = At::TcpRule {
                        entry: clamp(entry),
                        matching: Index::some(position),
                    };
                    let origin = Origin::new(Arc::clone(owner), at);
                    Some(WeightedDestination {
                        cluster: cluster(target),
                        weight,
                        headers: None,
                        host: None,
                        origin,
                    })
                })
                .collect();
            (!weighted.is_empty()).then_some(Split::Weighted(weighted))
        }
    }
}

/// What statistics of a split are kept under.
pub(super) fn stat_name(split: &Split, owner: &VirtualService) -> StatName {
    match split {
        Split::Weighted(_) => StatName::Named(Text::from(format!("{}.{}", owner.key.name, owner.namespace))),
        Split::One(_) | Split::ByHeader(_) => StatName::Cluster,
    }
}

/// Networks from text; what is not one is left out.
pub(super) fn networks(list: &[String]) -> Vec<IpNet> {
    let parse = |text: &String| {
        text.parse::<IpNet>()
            .ok()
            .or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
    };
    list.iter()
        .filter_map(parse)
        .map(|network| network.trunc())
        .collect()
}

/// How long the first bytes of a connection are waited for; `None`: for ever (X-LDS-16).
pub(super) fn detection_timeout(mesh: &MeshConfig) -> Option<std::time::Duration> {
    mesh.protocol_detection_timeout
        .to_std()
        .filter(|time| !time.is_zero())
}

/// Whether a service has no listener of its own (X-LDS-10).
pub(super) fn has_no_listener(service: &Service, port: &ServicePort) -> bool {
    matches!(service.resolution, Resolution::Alias(_)) || port.protocol == Protocol::Udp
}
