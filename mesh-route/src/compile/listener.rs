//! The listeners of a sidecar's outbound traffic (X-LDS).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;
use mesh_api::mesh::MeshConfig;
use mesh_api::names::{Host, Protocol, Text};

use super::chain::{http_chain, http_settings, inspect, keep_shared, tcp_chain};
use super::l4::{L4View, has_no_listener};
use super::sidecar::SidecarTables;
use super::{egress_proxy_cluster, share};
use crate::plan::{
    Address, At, Bind, BindAddress, Capture, ChainClass, ChainMatch, ChainName, ClusterName, FilterChain,
    FixedCluster, HttpSettings, Inspect, Interception, Listener, ListenerName, ListenerRole, Origin,
    RouteSource, RouteTable, RouteTableName, RuleId, Terminal, TrafficPlan, Transport, TransportProtocol,
};
use crate::scope::{EgressScope, OutboundMode, SidecarScope};
use crate::snapshot::Indexes;
use crate::snapshot::service::{Service, ServicePort};
use crate::table::{Seq, Table};
use crate::trace::{Event, EventKind, Recorder};

/// Application protocols by which plaintext HTTP is recognised (R-PROTO-6).
const HTTP_ALPN: [&str; 2] = ["http/1.1", "h2c"];

/// Compiles outbound listeners and the route tables they ask for.
pub(super) struct Outbound<'a> {
    /// What the sidecar sees.
    pub(super) scope: &'a SidecarScope,
    /// The snapshot.
    pub(super) indexes: &'a Indexes,
    /// Mesh configuration.
    pub(super) mesh: &'a MeshConfig,
    /// Route tables.
    pub(super) tables: &'a SidecarTables<'a>,
}

/// What a listener carries so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carries {
    Http,
    Tcp,
    Auto,
}

struct Entry {
    carries: Carries,
    protocol: Protocol,
    host: Host,
    bind: IpAddr,
    port: u16,
    bound: bool,
    chains: Vec<FilterChain>,
    origin: Origin,
    locked: bool,
    table: Option<RouteTableName>,
}

type Compiled = (Table<ListenerName, Listener>, Table<RouteTableName, RouteTable>);

/// A request for a route table.
struct TableRequest {
    egress: usize,
    service: Option<Arc<Service>>,
    port: u16,
}

impl Outbound<'_> {
    /// All outbound listeners and their route tables.
    pub(super) fn compile(&self, previous: Option<&TrafficPlan>, recorder: &mut impl Recorder) -> Compiled {
        let mut entries: BTreeMap<(IpAddr, u16), Entry> = BTreeMap::new();
        let mut requests: BTreeMap<RouteTableName, TableRequest> = BTreeMap::new();
        let settings = Arc::new(http_settings(self.mesh, true));
        for (at, egress) in self.scope.listeners.iter().enumerate() {
            if egress.port.is_none() {
                // X-LDS-2: a listener that catches all leaves those with a port alone.
                entries.values_mut().for_each(|entry| entry.locked = true);
            }
            for service in &egress.services {
                for port in service
                    .ports
                    .iter()
                    .filter(|port| !has_no_listener(service, port))
                {
                    let step = Step {
                        outbound: self,
                        egress,
                        egress_at: at,
                        service,
                        port,
                        settings: &settings,
                    };
                    step.add(&mut entries, &mut requests, recorder);
                }
            }
        }
        let mut listeners: Vec<Listener> = entries.into_values().map(|entry| self.listener(entry)).collect();
        if self.scope.facts.interception != Interception::None {
            listeners.push(self.virtual_outbound(&settings));
        }
        if self.mesh.proxy_http_port > 0 {
            listeners.extend(self.http_proxy(&settings, &mut requests));
        }
        let listeners = keep_shared(listeners, previous);
        (listeners, self.route_tables(requests, previous, recorder))
    }

    fn route_tables(
        &self,
        requests: BTreeMap<RouteTableName, TableRequest>,
        previous: Option<&TrafficPlan>,
        recorder: &mut impl Recorder,
    ) -> Table<RouteTableName, RouteTable> {
        let empty = Table::new();
        let old = previous.map_or(&empty, |plan| &plan.route_tables);
        let mut tables = Vec::new();
        for (name, request) in requests {
            let Some(egress) = self.scope.listeners.get(request.egress) else {
                continue;
            };
            let held = old.get(&name);
            let table = match &request.service {
                Some(service) => self
                    .tables
                    .sniffed_table(service, request.port, egress, held, recorder),
                None => self
                    .tables
                    .table(name.clone(), request.port, egress, held, recorder),
            };
            tables.push((name, share(held, table)));
        }
        Table::rebuild_sharing(old, tables)
    }

    fn wildcard(&self) -> IpAddr {
        let addresses = &self.scope.facts.addresses;
        let all_v6 = !addresses.is_empty() && addresses.iter().all(IpAddr::is_ipv6);
        if all_v6 {
            Ipv6Addr::UNSPECIFIED.into()
        } else {
            Ipv4Addr::UNSPECIFIED.into()
        }
    }

    /// Where traffic goes that no chain takes (R-VH-18).
    fn fallback(&self) -> FilterChain {
        let cluster = match &self.scope.outbound.mode {
            OutboundMode::RegistryOnly => ClusterName::fixed(FixedCluster::BlackHole),
            OutboundMode::AllowAny {
                egress_proxy: Some(proxy),
            } => egress_proxy_cluster(proxy),
            OutboundMode::AllowAny { egress_proxy: None } | OutboundMode::DynamicDns => {
                ClusterName::fixed(FixedCluster::Passthrough)
            }
        };
        let class = match &self.scope.outbound.mode {
            OutboundMode::RegistryOnly => ChainClass::BlackHole,
            OutboundMode::AllowAny { .. } | OutboundMode::DynamicDns => ChainClass::Passthrough,
        };
        tcp_chain(
            ChainName::Passthrough,
            class,
            ChainMatch::default(),
            cluster,
            self.scope.outbound.origin.clone(),
        )
    }

    fn listener(&self, entry: Entry) -> Listener {
        let Entry {
            carries: _,
            protocol: _,
            host: _,
            bind,
            port,
            bound,
            mut chains,
            origin,
            locked: _,
            table: _,
        } = entry;
        // X-LDS-14: a chain without any condition becomes the default, unless it is the only one.
        let default_chain =
            if chains.len() == 1 && chains.first().is_some_and(|chain| chain.matching.is_any()) {
                None
            } else {
                let at = chains.iter().position(|chain| chain.matching.is_any());
                Some(at.map_or_else(|| self.fallback(), |at| chains.remove(at)))
            };
        let inspect = inspect(&chains, self.mesh);
        Listener {
            name: ListenerName::Bound { address: bind, port },
            role: ListenerRole::Outbound,
            bind: Bind {
                at: BindAddress::Ip(Box::new([bind])),
                port,
                transport: Transport::Tcp,
            },
            capture: if bound {
                Capture::BoundToPort
            } else {
                Capture::Redirected
            },
            inspect,
            chains: Seq::from_items(chains.into_iter().map(Arc::new)),
            default_chain: default_chain.map(Arc::new),
            origin,
        }
    }

    /// Takes whatever no other listener does (X-LDS-20).
    fn virtual_outbound(&self, settings: &Arc<HttpSettings>) -> Listener {
        let port = u16::try_from(self.mesh.proxy_listen_port).unwrap_or(15001);
        let origin = || Origin::at(At::Default(RuleId::VirtualListeners));
        let loops = ChainMatch {
            port: Some(port),
            ..ChainMatch::default()
        };
        let black_hole = ClusterName::fixed(FixedCluster::BlackHole);
        let mut chains = vec![tcp_chain(
            ChainName::OutboundBlackHole,
            ChainClass::BlackHole,
            loops,
            black_hole,
            origin(),
        )];
        if self.scope.outbound.mode == OutboundMode::DynamicDns {
            let table = Arc::new(RouteTable {
                name: RouteTableName::Other(Text::new("allow_any_dynamic_dns")),
                port: 0,
                hosts: Table::new(),
                catch_all: Some(Arc::new(self.tables.catch_all())),
                ignore_port: true,
                attempt_count: true,
                origin: self.scope.outbound.origin.clone(),
            });
            let name = ChainName::Other(Text::new("virtualOutbound-catchall-tcp-http"));
            let routes = RouteSource::Inline(table);
            let mut chain = http_chain(routes, settings, &Text::new("virtualOutbound-catchall"), origin());
            chain.name = name;
            chain.matching.alpn = HTTP_ALPN.iter().map(Text::new).collect();
            chains.push(chain);
        }
        let mut fallback = self.fallback();
        fallback.name = ChainName::OutboundCatchAll;
        chains.push(fallback);
        let http = self.scope.outbound.mode == OutboundMode::DynamicDns;
        Listener {
            name: ListenerName::VirtualOutbound,
            role: ListenerRole::VirtualOutbound,
            bind: Bind {
                at: BindAddress::Ip(Box::new([self.wildcard()])),
                port,
                transport: Transport::Tcp,
            },
            capture: Capture::OriginalDestination {
                transparent: self.scope.facts.interception == Interception::Tproxy,
            },
            inspect: Inspect {
                tls: false,
                http,
                proxy_protocol: false,
                timeout: None,
            },
            chains: Seq::from_items(chains.into_iter().map(Arc::new)),
            default_chain: None,
            origin: origin(),
        }
    }

    /// The explicit HTTP proxy (X-LDS-21).
    fn http_proxy(
        &self,
        settings: &Arc<HttpSettings>,
        requests: &mut BTreeMap<RouteTableName, TableRequest>,
    ) -> Option<Listener> {
        let port = u16::try_from(self.mesh.proxy_http_port).ok()?;
        let address = IpAddr::from(Ipv4Addr::LOCALHOST);
        let origin = Origin::at(At::Default(RuleId::VirtualListeners));
        let settings = Arc::new(HttpSettings {
            allow_absolute_url: true,
            ..HttpSettings::clone(settings)
        });
        let egress = self
            .scope
            .listeners
            .iter()
            .position(|listener| listener.port.is_none())
            .unwrap_or(0);
        requests.insert(
            RouteTableName::HttpProxy,
            TableRequest {
                egress,
                service: None,
                port: 0,
            },
        );
        let routes = RouteSource::Table(RouteTableName::HttpProxy);
        let stat = Text::from(format!("{address}_{port}"));
        let chain = http_chain(routes, &settings, &stat, origin.clone());
        Some(Listener {
            name: ListenerName::Bound { address, port },
            role: ListenerRole::HttpProxy,
            bind: Bind {
                at: BindAddress::Ip(Box::new([address])),
                port,
                transport: Transport::Tcp,
            },
            capture: Capture::BoundToPort,
            inspect: Inspect {
                tls: false,
                http: false,
                proxy_protocol: false,
                timeout: None,
            },
            chains: Seq::from_items([Arc::new(chain)]),
            default_chain: None,
            origin,
        })
    }
}

/// One service port of one egress listener.
struct Step<'a> {
    outbound: &'a Outbound<'a>,
    egress: &'a EgressScope,
    egress_at: usize,
    service: &'a Arc<Service>,
    port: &'a ServicePort,
    settings: &'a Arc<HttpSettings>,
}

impl Step<'_> {
    fn add(
        &self,
        entries: &mut BTreeMap<(IpAddr, u16), Entry>,
        requests: &mut BTreeMap<RouteTableName, TableRequest>,
        recorder: &mut impl Recorder,
    ) {
        let protocol = match self.egress.port {
            Some(port) if port.protocol != Protocol::Unsupported => port.protocol,
            _ => self.port.protocol,
        };
        let carries = match protocol {
            protocol if protocol.is_http() => Carries::Http,
            protocol if protocol.is_sniffed() => Carries::Auto,
            _ => Carries::Tcp,
        };
        for place in self.places(carries) {
            let entry = self.entry(protocol, carries, &place);
            let key = (entry.bind, entry.port);
            let wanted = entry.table.clone();
            let kept = match entries.get_mut(&key) {
                None => {
                    entries.insert(key, entry);
                    true
                }
                Some(held) => merge(held, entry, recorder),
            };
            if let (Some(name), true) = (wanted, kept) {
                let service =
                    matches!(name, RouteTableName::HostPort { .. }).then(|| Arc::clone(self.service));
                let request = TableRequest {
                    egress: self.egress_at,
                    service,
                    port: place.port,
                };
                requests.entry(name).or_insert(request);
            }
        }
    }

    /// Where the service port listens: the wildcard for HTTP, an address of its own otherwise (X-LDS-5 to -7).
    fn places(&self, carries: Carries) -> Vec<Place> {
        let port = self.egress.port.map_or(self.port.number, |port| port.number);
        let bound = self.egress.uncaptured || self.outbound.scope.facts.interception == Interception::None;
        let place = |bind, networks, headless| Place {
            bind,
            port,
            bound,
            networks,
            headless,
        };
        if let Ok(bind) = self.egress.bind.as_str().parse::<IpAddr>() {
            return vec![place(bind, Vec::new(), false)];
        }
        if bound {
            return vec![place(Ipv4Addr::LOCALHOST.into(), Vec::new(), false)];
        }
        let wildcard = self.outbound.wildcard();
        if carries == Carries::Http {
            return vec![place(wildcard, Vec::new(), false)];
        }
        let networks = &self.service.addresses;
        if let Some(address) = self
            .service
            .virtual_ips()
            .find(|ip| ip.is_ipv4() == wildcard.is_ipv4())
        {
            return vec![place(address, Vec::new(), false)];
        }
        if !networks.is_empty() {
            return vec![place(
                wildcard,
                networks.iter().map(IpNet::trunc).collect(),
                false,
            )];
        }
        let by_selector = self.service.selector.is_some() || self.service.is_kubernetes();
        if self.service.is_headless() && (by_selector || !self.service.endpoints.is_empty()) {
            let own = &self.outbound.scope.facts.addresses;
            let addresses: BTreeSet<IpAddr> = self
                .service
                .endpoints
                .iter()
                .filter(|endpoint| endpoint.port_name == self.port.name)
                .filter_map(|endpoint| match endpoint.addresses.first() {
                    Some(Address::Ip(address)) if !own.contains(address) => Some(*address),
                    _ => None,
                })
                .collect();
            return addresses
                .into_iter()
                .map(|address| place(address, Vec::new(), true))
                .collect();
        }
        vec![place(wildcard, Vec::new(), false)]
    }

    fn entry(&self, protocol: Protocol, carries: Carries, place: &Place) -> Entry {
        let on_wildcard = place.bind.is_unspecified();
        let table = match carries {
            Carries::Tcp => None,
            Carries::Auto if !on_wildcard => Some(RouteTableName::HostPort {
                host: self.service.host.clone(),
                port: place.port,
            }),
            Carries::Http | Carries::Auto => Some(RouteTableName::Port(place.port)),
        };
        let mut chains = Vec::new();
        if carries != Carries::Http {
            let view = L4View {
                outbound: self.outbound,
                egress: self.egress,
                service: self.service,
                port: self.port,
                listen_port: place.port,
                networks: &place.networks,
                bound_to_vip: !on_wildcard,
                headless: place.headless,
            };
            chains.extend(view.chains());
        }
        let at = At::ServicePort(crate::plan::clamp(self.port.position));
        let origin = Origin::new(Arc::clone(&self.service.key), at);
        if let Some(name) = &table {
            let stat = Text::from(format!("{}_{}", place.bind, place.port));
            let mut chain = http_chain(
                RouteSource::Table(name.clone()),
                self.settings,
                &stat,
                self.egress.origin.clone(),
            );
            if on_wildcard || carries == Carries::Auto {
                chain.matching.alpn = HTTP_ALPN.iter().map(Text::new).collect();
                chain.matching.transport = Some(TransportProtocol::RawBuffer);
            }
            chains.push(chain);
        }
        Entry {
            // X-LDS-5: with the HTTP condition the listener detects protocols.
            carries: if carries == Carries::Http && on_wildcard {
                Carries::Auto
            } else {
                carries
            },
            protocol,
            host: self.service.host.clone(),
            bind: place.bind,
            port: place.port,
            bound: place.bound,
            chains,
            origin,
            locked: false,
            table,
        }
    }
}

struct Place {
    bind: IpAddr,
    port: u16,
    bound: bool,
    networks: Vec<IpNet>,
    headless: bool,
}

/// Puts a service onto a listener that another one has already (X-LDS-8, R-PROTO-7). Says whether anything of it is
/// served there.
fn merge(held: &mut Entry, incoming: Entry, recorder: &mut impl Recorder) -> bool {
    let server_first = |protocol| matches!(protocol, Protocol::Mongo | Protocol::MySql);
    let exclusive = held.protocol != incoming.protocol
        && (server_first(held.protocol) || server_first(incoming.protocol));
    let dropped = held.locked || exclusive;
    let same_table = held.table.is_some() && held.table == incoming.table;
    if !(incoming.protocol.is_http() && same_table) {
        recorder.record(|| {
            let kind = EventKind::ListenerConflict {
                host: incoming.host.clone(),
                protocol: Text::from(incoming.protocol.to_string()),
                with: held.host.clone(),
                dropped,
            };
            Event::new("R-PROTO-7", incoming.origin.clone(), kind)
        });
    }
    if dropped {
        return false;
    }
    match (incoming.carries, held.carries) {
        (Carries::Http, Carries::Http) => {}
        (Carries::Auto, Carries::Http) => {
            held.chains = incoming.chains;
            held.carries = Carries::Auto;
            held.table = incoming.table;
            return true;
        }
        _ => {
            let carries_http = |chain: &FilterChain| matches!(chain.terminal, Terminal::Http(_));
            let has_http = held.chains.iter().any(carries_http);
            for chain in incoming.chains {
                let conflicts = held
                    .chains
                    .iter()
                    .any(|own| conflict(&own.matching, &chain.matching));
                if !(conflicts || (has_http && carries_http(&chain))) {
                    held.chains.push(chain);
                }
            }
            if held.carries != incoming.carries {
                held.carries = Carries::Auto;
            }
            held.table = held.table.take().or(incoming.table);
        }
    }
    true
}

/// Whether two chains of a listener take the same connections (X-LDS-9).
fn conflict(a: &ChainMatch, b: &ChainMatch) -> bool {
    let set = |list: &[IpNet]| {
        list.iter()
            .filter(|net| !net.addr().is_unspecified())
            .map(IpNet::trunc)
            .collect::<BTreeSet<_>>()
    };
    a.transport == b.transport
        && a.alpn == b.alpn
        && a.server_names.iter().collect::<BTreeSet<_>>() == b.server_names.iter().collect()
        && set(&a.destinations) == set(&b.destinations)
}
