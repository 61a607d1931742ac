//! Servers of a gateway merged by port, and the route tables they share (R-GW).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mesh_api::names::{Host, Text, host};

use super::view::{Common, Lookup, RouteView};
use super::{http, share};
use crate::plan::{
    At, Domain, Origin, RequireTls, Route, RouteTable, RouteTableName, RuleId, VirtualHost, VirtualHostName,
    clamp,
};
use crate::scope::GatewayScope;
use crate::snapshot::Indexes;
use crate::snapshot::gateway::{Gateway, Server};
use crate::snapshot::virtual_service::VirtualService;
use crate::table::Table;
use crate::trace::{Event, EventKind, Recorder, ServerRejection, VirtualServiceOutcome};

/// A server that was accepted.
#[derive(Clone, Debug)]
pub(super) struct MergedServer {
    /// Its Gateway.
    pub(super) gateway: Arc<Gateway>,
    /// Position in the Gateway's servers.
    pub(super) server: usize,
    /// The port it listens on (R-GW-3).
    pub(super) port: u16,
    /// Its route table, if it routes by HTTP (R-GW-9).
    pub(super) table: Option<RouteTableName>,
}

impl MergedServer {
    /// The server.
    pub(super) fn spec(&self) -> Option<&Server> {
        self.gateway.servers.get(self.server)
    }

    /// Whether it maps server names to clusters (R-GW-18).
    pub(super) fn is_auto_passthrough(&self) -> bool {
        self.spec().is_some_and(|server| {
            let mode = server.tls.as_ref().map(|tls| tls.mode);
            mode == Some(mesh_api::networking::ServerTlsMode::AutoPassthrough)
        })
    }

    /// Where it stands.
    pub(super) fn origin(&self) -> Origin {
        let position = self.spec().map_or(self.server, |server| server.position);
        Origin::new(Arc::clone(&self.gateway.key), At::Server(clamp(position)))
    }
}

/// Merges the servers of all Gateways, in order (R-GW-5, R-GW-6, R-GW-8). A server in conflict with an earlier one is
/// left out.
pub(super) fn merge_servers(scope: &GatewayScope, recorder: &mut impl Recorder) -> Vec<MergedServer> {
    let mut merge = Merge::default();
    for gateway in &scope.gateways {
        let servers = gateway.servers.iter().enumerate();
        let resolved = servers.flat_map(|(at, server)| {
            let ports = scope.resolve_ports(gateway, server.port).into_iter();
            ports.map(move |port| (at, server, port))
        });
        for (at, server, port) in resolved {
            let candidate = MergedServer {
                gateway: Arc::clone(gateway),
                server: at,
                port,
                table: table_name(gateway, server, port),
            };
            let verdict = match scope.facts.unprivileged && port < 1024 {
                true => Err(ServerRejection::PrivilegedPort(port)),
                false => merge.accept(&candidate, server),
            };
            recorder.record(|| {
                let kind = match &verdict {
                    Ok(()) => EventKind::ServerSelected {
                        port,
                        hosts: server.hosts.iter().cloned().collect(),
                        table: candidate.table.clone(),
                    },
                    Err(reason) => EventKind::ServerRejected(reason.clone()),
                };
                Event::new("R-GW-5", candidate.origin(), kind)
            });
            if verdict.is_ok() {
                merge.accepted.push(candidate);
            }
        }
    }
    merge.accepted
}

/// The name of a server's route table (R-GW-9).
fn table_name(gateway: &Gateway, server: &Server, port: u16) -> Option<RouteTableName> {
    let bind = (!server.bind.as_str().is_empty()).then(|| server.bind.clone());
    if server.protocol.is_http() {
        return Some(RouteTableName::GatewayHttp { port, bind });
    }
    server.terminates_https().then(|| RouteTableName::GatewayHttps {
        port: server.port,
        port_name: server.port_name.clone(),
        gateway: gateway.name.clone(),
        namespace: gateway.namespace.clone(),
        bind,
    })
}

#[derive(Default)]
struct Merge {
    accepted: Vec<MergedServer>,
    /// The last registered plaintext server of each port.
    plaintext: BTreeMap<u16, (Text, bool, Origin)>,
    /// Hosts of servers with a `tls` block, with their bind.
    tls_hosts: BTreeMap<(u16, Text), (Text, Origin)>,
    tables: BTreeSet<RouteTableName>,
}

impl Merge {
    fn accept(&mut self, candidate: &MergedServer, server: &Server) -> Result<(), ServerRejection> {
        let port = candidate.port;
        // R-GW-6: before anything else, and recorded even when the server is rejected later (quirk).
        if server.tls.is_some() {
            let mut owner = None;
            let taken = |host: &&Text| match self.tls_hosts.get(&(port, (*host).clone())) {
                Some((bind, origin)) if *bind == server.bind => {
                    owner.get_or_insert_with(|| origin.clone());
                    true
                }
                _ => false,
            };
            let hosts: Box<[Text]> = server.hosts.iter().filter(taken).cloned().collect();
            if let Some(owner) = owner {
                return Err(ServerRejection::DuplicateHosts { hosts, owner });
            }
            for host in &server.hosts {
                self.tls_hosts
                    .insert((port, host.clone()), (server.bind.clone(), candidate.origin()));
            }
        }
        let is_http = server.protocol.is_http();
        let plaintext = server.is_plaintext();
        let mut joins = false;
        if let Some((bind, held_http, origin)) = self.plaintext.get(&port) {
            let same_bind = *bind == server.bind;
            if same_bind && !(is_http && *held_http) {
                return Err(ServerRejection::ProtocolConflict { with: origin.clone() });
            }
            joins = same_bind;
        }
        if server.terminates_https()
            && let Some(name) = &candidate.table
            && !self.tables.insert(name.clone())
        {
            return Err(ServerRejection::DuplicateRouteName { name: name.clone() });
        }
        if plaintext && !joins {
            // R-GW-5 b, c: a newcomer of another bind becomes the one that is compared.
            let known = self.accepted.iter().any(|held| {
                held.port == port
                    && held.spec().is_some_and(|held| {
                        held.bind == server.bind && held.protocol_text == server.protocol_text
                    })
            });
            if !known {
                self.plaintext
                    .insert(port, (server.bind.clone(), is_http, candidate.origin()));
            }
        }
        Ok(())
    }
}

/// What the tables of a gateway are built from.
pub(super) struct GatewayTables<'a> {
    /// What the gateway sees.
    pub(super) scope: &'a GatewayScope,
    /// The snapshot.
    pub(super) indexes: &'a Indexes,
    /// Shared values.
    pub(super) common: &'a Common,
}

/// A virtual host that grows.
struct Growing {
    routes: Vec<Arc<Route>>,
    require_tls: RequireTls,
    origin: Origin,
    port: u16,
}

impl GatewayTables<'_> {
    /// The table that the servers of one name share (R-GW-10 to -16).
    pub(super) fn table(
        &self,
        name: &RouteTableName,
        servers: &[&MergedServer],
        previous: Option<&Arc<RouteTable>>,
        recorder: &mut impl Recorder,
    ) -> RouteTable {
        let mut hosts: BTreeMap<Host, Growing> = BTreeMap::new();
        let mut built: BTreeMap<(Text, Arc<mesh_api::object::ObjectKey>), Vec<Arc<Route>>> = BTreeMap::new();
        let first_port = servers
            .first()
            .and_then(|s| s.spec())
            .map_or(0, |server| server.port);
        for merged in servers {
            let Some(server) = merged.spec() else { continue };
            let reference = &merged.gateway.reference;
            let require_tls = match server.https_redirect() && server.protocol.is_http() {
                true => RequireTls::All,
                false => RequireTls::None,
            };
            let services = self
                .indexes
                .virtual_services
                .visible(&self.scope.facts.namespace, reference);
            for service in &services {
                let names = host::names_for_namespace(&server.hosts, service.namespace.as_str());
                let shared = host::intersection(&names, &service.hosts);
                let considered =
                    |recorder: &mut _, host: &Host, outcome| considered(recorder, service, host, outcome);
                if shared.is_empty() {
                    service.hosts.iter().for_each(|host| {
                        considered(recorder, host, VirtualServiceOutcome::NoHostIntersection);
                    });
                    continue;
                }
                // quirk R-GW-11: built once for each gateway, with the first server that yields routes.
                let key = (Text::from(reference.to_string()), Arc::clone(&service.key));
                let routes = match built.get(&key) {
                    Some(routes) => routes.clone(),
                    None => {
                        let routes = self.routes(service, merged, server, recorder);
                        if !routes.is_empty() {
                            built.insert(key, routes.clone());
                        }
                        routes
                    }
                };
                if routes.is_empty() {
                    shared.iter().for_each(|host| {
                        considered(recorder, host, VirtualServiceOutcome::NoUsableRoute);
                    });
                    continue;
                }
                for host in &shared {
                    let growing = hosts.entry(host.to_lowercase()).or_insert_with(|| Growing {
                        routes: Vec::new(),
                        require_tls: RequireTls::None,
                        origin: Origin::new(Arc::clone(&service.key), At::Object),
                        port: server.port,
                    });
                    let outcome = match growing.routes.len() {
                        0 => VirtualServiceOutcome::Selected,
                        position => VirtualServiceOutcome::Merged { position },
                    };
                    considered(recorder, host, outcome);
                    growing.routes.extend(routes.iter().cloned());
                    if require_tls == RequireTls::All {
                        growing.require_tls = RequireTls::All;
                    }
                }
            }
            if require_tls == RequireTls::All {
                // R-GW-14, R-GW-15: a placeholder for each listed host, under its raw name.
                for host in &server.hosts {
                    let growing = hosts
                        .entry(Host::new(host.as_str()).to_lowercase())
                        .or_insert_with(|| Growing {
                            routes: Vec::new(),
                            require_tls,
                            origin: merged.origin(),
                            port: server.port,
                        });
                    growing.require_tls = require_tls;
                }
            }
        }
        let origin = servers
            .first()
            .map_or(Origin::at(At::Default(RuleId::GatewayBlackHole)), |s| s.origin());
        let port = match name {
            RouteTableName::GatewayHttp { port, bind: _ } => *port,
            _ => servers.first().map_or(first_port, |server| server.port),
        };
        self.finish(name, port, first_port, origin, hosts, previous)
    }

    fn routes(
        &self,
        service: &VirtualService,
        merged: &MergedServer,
        server: &Server,
        recorder: &mut impl Recorder,
    ) -> Vec<Arc<Route>> {
        let view = RouteView {
            facts: &self.scope.facts,
            indexes: self.indexes,
            gateway: &merged.gateway.reference,
            port: server.port,
            listener_port: merged.port,
            server_tls: server.tls.is_some(),
            services: Lookup::Gateway(self.scope),
            common: self.common,
        };
        http::routes(service, &view, recorder)
    }

    fn finish(
        &self,
        name: &RouteTableName,
        port: u16,
        first_port: u16,
        origin: Origin,
        hosts: BTreeMap<Host, Growing>,
        previous: Option<&Arc<RouteTable>>,
    ) -> RouteTable {
        let black_hole = hosts.is_empty().then(|| VirtualHost {
            name: VirtualHostName::BlackHole(first_port),
            domains: Box::new([Domain::new("*")]),
            routes: Arc::new([]),
            require_tls: RequireTls::None,
            origin: Origin::at(At::Default(RuleId::GatewayBlackHole)),
        });
        let empty = Table::new();
        let old = previous.map_or(&empty, |table| &table.hosts);
        let mut entries: Vec<_> = hosts
            .into_iter()
            .map(|(host, growing)| {
                let Growing {
                    mut routes,
                    require_tls,
                    origin,
                    port,
                } = growing;
                // R-GW-12: catch-alls go last, in order.
                routes.sort_by_key(|route| route.is_catch_all());
                let domains = Box::new([Domain::new(host.as_text().clone())]);
                let name = VirtualHostName::Host { host, port };
                let host = VirtualHost {
                    name: name.clone(),
                    domains,
                    routes: routes.into(),
                    require_tls,
                    origin,
                };
                let value = share(old.get(&name), host);
                (name, value)
            })
            .collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let old_catch_all = previous.and_then(|table| table.catch_all.as_ref());
        RouteTable {
            name: name.clone(),
            port,
            hosts: Table::rebuild_sharing(old, entries),
            catch_all: black_hole.map(|host| share(old_catch_all, host)),
            ignore_port: true,
            attempt_count: true,
            origin,
        }
    }
}

fn considered(
    recorder: &mut impl Recorder,
    service: &VirtualService,
    host: &Host,
    outcome: VirtualServiceOutcome,
) {
    recorder.record(|| {
        let origin = Origin::new(Arc::clone(&service.key), At::Object);
        Event::new(
            "R-GW-10",
            origin,
            EventKind::VirtualServiceConsidered {
                host: host.clone(),
                outcome,
            },
        )
    });
}
