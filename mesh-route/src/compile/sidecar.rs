//! The route tables of a sidecar: which virtual hosts exist, under which domains, with whose routes (R-VH).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mesh_api::names::{GatewayRef, Host, Text};

use super::attach::{self, Attachment, most_specific_index};
use super::domains::service_domains;
use super::view::{Common, Lookup, RouteView};
use super::{defaults, forward, http, matcher, share};
use crate::plan::{
    Action, At, ClusterName, DirectResponse, Domain, FixedCluster, Forward, ForwardPolicy, Level, Origin,
    RequireTls, Route, RouteTable, RouteTableName, RuleId, Sourced, Split, Timeout, VirtualHost,
    VirtualHostName,
};
use crate::scope::{EgressScope, OutboundMode, SidecarScope};
use crate::snapshot::Indexes;
use crate::snapshot::service::{Resolution, Service};
use crate::snapshot::virtual_service::VirtualService;
use crate::table::Table;
use crate::trace::{Event, EventKind, Recorder, VirtualServiceOutcome};

/// What the tables of a sidecar are built from.
pub(super) struct SidecarTables<'a> {
    /// What the sidecar sees.
    pub(super) scope: &'a SidecarScope,
    /// The snapshot.
    pub(super) indexes: &'a Indexes,
    /// Shared values.
    pub(super) common: &'a Common,
}

/// A virtual host before its domains are final.
struct Draft {
    name: VirtualHostName,
    domains: Vec<super::domains::ServiceDomain>,
    routes: Arc<[Arc<Route>]>,
    origin: Origin,
}

impl SidecarTables<'_> {
    /// The table of a port, shared by all HTTP services on it. Port 0 stands for HTTP proxy and Unix socket listeners,
    /// which serve all ports.
    pub(super) fn table(
        &self,
        name: RouteTableName,
        port: u16,
        egress: &EgressScope,
        previous: Option<&Arc<RouteTable>>,
        recorder: &mut impl Recorder,
    ) -> RouteTable {
        let drafts = self.drafts(port, egress, recorder);
        let hosts = self.finish(drafts, egress, recorder);
        let catch_all = Arc::new(self.catch_all());
        let empty = Table::new();
        let old = previous.map_or(&empty, |table| &table.hosts);
        let entries = hosts.into_iter().map(|host| {
            let key = host.name.clone();
            let value = share(old.get(&key), host);
            (key, value)
        });
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let catch_all = match previous.and_then(|table| table.catch_all.as_ref()) {
            Some(held) if *held == catch_all => Arc::clone(held),
            _ => catch_all,
        };
        RouteTable {
            name,
            port,
            hosts: Table::rebuild_sharing(old, entries),
            catch_all: Some(catch_all),
            ignore_port: true,
            attempt_count: true,
            origin: egress.origin.clone(),
        }
    }

    /// The table of a sniffed service with an address of its own: only its virtual host, for every host (R-VH-16).
    pub(super) fn sniffed_table(
        &self,
        service: &Service,
        port: u16,
        egress: &EgressScope,
        previous: Option<&Arc<RouteTable>>,
        recorder: &mut impl Recorder,
    ) -> RouteTable {
        let wanted = VirtualHostName::Host {
            host: service.host.to_lowercase(),
            port,
        };
        let drafts = self.drafts(port, egress, recorder);
        let found = drafts
            .into_iter()
            .find(|draft| draft.name == wanted)
            .map(|draft| VirtualHost {
                name: draft.name,
                domains: Box::new([Domain::new("*")]),
                routes: draft.routes,
                require_tls: RequireTls::None,
                origin: draft.origin,
            });
        let catch_all = found.map(|host| share(previous.and_then(|table| table.catch_all.as_ref()), host));
        RouteTable {
            name: RouteTableName::HostPort {
                host: service.host.clone(),
                port,
            },
            port,
            hosts: Table::new(),
            catch_all,
            ignore_port: true,
            attempt_count: true,
            origin: egress.origin.clone(),
        }
    }

    fn drafts(&self, port: u16, egress: &EgressScope, recorder: &mut impl Recorder) -> Vec<Draft> {
        // R-SVC-1: the last service of a name supplies ports and addresses (quirk).
        let mut by_host: BTreeMap<Host, Arc<Service>> = BTreeMap::new();
        for service in &egress.services {
            if port == 0 || service.port(port).is_some() {
                by_host.insert(service.host.clone(), Arc::clone(service));
            }
        }
        let gateway = GatewayRef::Mesh;
        let view = RouteView {
            facts: &self.scope.facts,
            indexes: self.indexes,
            gateway: &gateway,
            port,
            listener_port: port,
            server_tls: false,
            services: if port == 0 {
                Lookup::Whole(&by_host)
            } else {
                Lookup::Trimmed(&by_host)
            },
            common: self.common,
        };
        let mut drafts = Vec::new();
        let mut taken: BTreeSet<Host> = BTreeSet::new();
        let index = most_specific_index(&egress.virtual_services);
        for (position, service) in egress.virtual_services.iter().enumerate() {
            let attachment = Attachment {
                service,
                all: &egress.virtual_services,
                position,
                port,
                by_host: &by_host,
                index: &index,
            };
            if port != 80 && !attachment.touches_port() {
                let hosts = service.hosts.iter().cloned();
                attach::considered(recorder, service, hosts, &VirtualServiceOutcome::NotOnPort80);
                continue;
            }
            let (attached, bare) = attachment.resolve(&self.scope.facts.namespace, recorder);
            if attached.is_empty() && bare.is_empty() {
                continue;
            }
            let routes = http::routes(service, &view, recorder);
            if routes.is_empty() {
                let hosts = attached.iter().map(|service| service.host.clone()).chain(bare);
                attach::considered(recorder, service, hosts, &VirtualServiceOutcome::NoUsableRoute);
                continue;
            }
            taken.extend(attached.iter().map(|service| service.host.clone()));
            self.group(service, &attached, &bare, routes.into(), port, &mut drafts);
        }
        let rest = by_host.values().filter(|service| !taken.contains(&service.host));
        for service in rest.filter(|service| !matches!(service.resolution, Resolution::Alias(_))) {
            drafts.extend(self.default_hosts(service, port, &view));
        }
        drafts
    }

    /// The virtual hosts of one VirtualService: its bare hosts, then its services (R-VH-6, R-VH-8).
    fn group(
        &self,
        service: &VirtualService,
        attached: &[Arc<Service>],
        bare: &[Host],
        routes: Arc<[Arc<Route>]>,
        port: u16,
        drafts: &mut Vec<Draft>,
    ) {
        let origin = Origin::new(Arc::clone(&service.key), At::Object);
        let mut ports: BTreeSet<u16> = BTreeSet::new();
        for attached in attached {
            ports.extend(http_ports(attached, port));
        }
        if attached.is_empty() && (port == 80 || port == 0) {
            ports.insert(80);
        }
        for number in ports {
            for host in bare {
                let host = host.to_lowercase();
                drafts.push(Draft {
                    domains: vec![super::domains::ServiceDomain {
                        text: host.as_text().clone(),
                        expanded: false,
                    }],
                    name: VirtualHostName::Host { host, port: number },
                    routes: Arc::clone(&routes),
                    origin: origin.clone(),
                });
            }
            for attached in attached
                .iter()
                .filter(|attached| http_ports(attached, port).any(|p| p == number))
            {
                drafts.push(Draft {
                    name: VirtualHostName::Host {
                        host: attached.host.to_lowercase(),
                        port: number,
                    },
                    domains: self.domains(attached, number, port),
                    routes: Arc::clone(&routes),
                    origin: origin.clone(),
                });
            }
        }
    }

    fn domains(&self, service: &Service, number: u16, port: u16) -> Vec<super::domains::ServiceDomain> {
        let addresses: Vec<_> = service.virtual_ips().collect();
        let names = service_domains(service, &self.scope.facts.dns_domain, &addresses);
        // quirk R-VH-15: with port 0, hosts of other ports than 80 keep only domains that no request can match.
        if port != 0 || number == 80 {
            return names;
        }
        let with_port = |domain: super::domains::ServiceDomain| super::domains::ServiceDomain {
            text: Text::from(format!("{}:{number}", domain.text)),
            expanded: domain.expanded,
        };
        names.into_iter().map(with_port).collect()
    }

    /// The virtual host of a service without a VirtualService (R-VH-7).
    fn default_hosts(&self, service: &Arc<Service>, port: u16, view: &RouteView<'_>) -> Vec<Draft> {
        let make = |number: u16| {
            let origin = service_origin(service, number);
            let host = service.host.to_lowercase();
            let cluster = ClusterName::outbound(
                number,
                None,
                if port == 0 {
                    service.host.clone()
                } else {
                    host.clone()
                },
            );
            let action = Action::Forward(Forward {
                split: Split::One(cluster),
                rewrite: None,
                policy: forward::service_policy(service, number, view),
                unknown_cluster: defaults::UNKNOWN_CLUSTER,
            });
            let route = Route {
                name: self.common.default_name.clone(),
                matcher: matcher::everything(&self.common.root_path),
                action,
                extras: None,
                origin: origin.clone(),
            };
            Draft {
                name: VirtualHostName::Host { host, port: number },
                domains: self.domains(service, number, port),
                routes: Arc::new([Arc::new(route)]),
                origin,
            }
        };
        http_ports(service, port).map(make).collect()
    }

    /// Drops repeated names and domains: the first wins (R-VH-9, R-VH-10).
    fn finish(
        &self,
        drafts: Vec<Draft>,
        egress: &EgressScope,
        recorder: &mut impl Recorder,
    ) -> Vec<VirtualHost> {
        let hostnames: BTreeSet<&str> = egress
            .services
            .iter()
            .map(|service| service.host.as_str())
            .collect();
        let mut names: HashMap<VirtualHostName, Origin> = HashMap::new();
        let mut domains: HashMap<Text, VirtualHostName> = HashMap::new();
        let mut hosts = Vec::with_capacity(drafts.len());
        for draft in drafts {
            if let Some(winner) = names.get(&draft.name) {
                let all = &egress.virtual_services;
                let host = host_of(&draft.name);
                attach::shadowed(
                    recorder,
                    all,
                    &self.scope.facts.namespace,
                    &host,
                    &draft.origin,
                    winner,
                );
                continue;
            }
            names.insert(draft.name.clone(), draft.origin.clone());
            if draft.origin.at == At::Object {
                recorder.record(|| {
                    let outcome = VirtualServiceOutcome::Selected;
                    let kind = EventKind::VirtualServiceConsidered {
                        host: host_of(&draft.name),
                        outcome,
                    };
                    Event::new("R-VH-8", draft.origin.clone(), kind)
                });
            }
            let mut kept = Vec::with_capacity(draft.domains.len());
            for domain in draft.domains {
                if domain.expanded && hostnames.contains(domain.text.as_str()) {
                    continue;
                }
                if let Some(winner) = domains.get(&domain.text) {
                    recorder.record(|| {
                        let kind = EventKind::DomainDropped {
                            domain: domain.text.clone(),
                            winner: winner.clone(),
                        };
                        Event::new("R-VH-10", draft.origin.clone(), kind)
                    });
                    continue;
                }
                domains.insert(domain.text.clone(), draft.name.clone());
                kept.push(Domain::new(domain.text));
            }
            if !kept.is_empty() {
                hosts.push(VirtualHost {
                    name: draft.name,
                    domains: kept.into(),
                    routes: draft.routes,
                    require_tls: RequireTls::None,
                    origin: draft.origin,
                });
            }
        }
        hosts
    }

    /// What takes requests for unknown hosts (R-VH-17).
    pub(super) fn catch_all(&self) -> VirtualHost {
        let outbound = &self.scope.outbound;
        let forward = |cluster| {
            let off = ForwardPolicy {
                timeout: Sourced::new(Timeout::Disabled, Level::Default(RuleId::CatchAll)),
                retry: None,
                hash: Box::default(),
                mirrors: Box::default(),
            };
            Action::Forward(Forward {
                split: Split::One(cluster),
                rewrite: None,
                policy: Arc::new(off),
                unknown_cluster: defaults::UNKNOWN_CLUSTER,
            })
        };
        let (name, text, action) = match &outbound.mode {
            OutboundMode::RegistryOnly => {
                let response = DirectResponse {
                    status: defaults::BLOCK_ALL_STATUS,
                    body: None,
                };
                (
                    VirtualHostName::BlockAll,
                    "block_all",
                    Action::Respond(Box::new(response)),
                )
            }
            OutboundMode::AllowAny { egress_proxy } => {
                let cluster = egress_proxy.as_ref().map_or_else(
                    || ClusterName::fixed(FixedCluster::Passthrough),
                    super::egress_proxy_cluster,
                );
                (VirtualHostName::AllowAny, "allow_any", forward(cluster))
            }
            OutboundMode::DynamicDns => {
                let cluster = ClusterName::fixed(FixedCluster::AllowAnyDynamicDns);
                (
                    VirtualHostName::AllowAnyDynamicDns,
                    "allow_any_dynamic_dns",
                    forward(cluster),
                )
            }
        };
        let route = Route {
            name: Text::new(text),
            matcher: matcher::everything(&self.common.root_path),
            action,
            extras: None,
            origin: outbound.origin.clone(),
        };
        VirtualHost {
            name,
            domains: Box::new([Domain::new("*")]),
            routes: Arc::new([Arc::new(route)]),
            require_tls: RequireTls::None,
            origin: outbound.origin.clone(),
        }
    }
}

/// Ports that get virtual hosts in the table of `port`: those of HTTP and of detected protocols (R-PROTO-5).
fn http_ports(service: &Service, port: u16) -> impl Iterator<Item = u16> + '_ {
    service
        .ports
        .iter()
        .filter(move |own| port == 0 || own.number == port)
        .filter(|own| own.protocol.is_http() || own.protocol.is_sniffed())
        .map(|own| own.number)
}

fn service_origin(service: &Service, number: u16) -> Origin {
    let at = service.port(number).map_or(At::Object, |port| {
        At::ServicePort(crate::plan::clamp(port.position))
    });
    Origin::new(Arc::clone(&service.key), at)
}

/// The host that a virtual host is named by.
fn host_of(name: &VirtualHostName) -> Host {
    match name {
        VirtualHostName::Host { host, port: _ } => host.clone(),
        other => Host::from(other.to_string()),
    }
}
