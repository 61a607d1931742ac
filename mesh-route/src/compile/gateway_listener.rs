//! The listeners of a gateway (X-GW).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use mesh_api::mesh::MeshConfig;
use mesh_api::names::{GatewayRef, Host, Protocol, SubsetName, Text, host};
use mesh_api::networking as model;

use super::chain::{http_chain, http_settings, keep_shared, tcp_chain};
use super::gateway::{GatewayTables, MergedServer};
use super::l4;
use super::share;
use crate::plan::{
    At, Bind, BindAddress, CaRef, Capture, CertificateRef, ChainClass, ChainMatch, ChainName, ClientAuth,
    ClusterKey, ClusterName, ClusterStyle, DownstreamTls, FilterChain, HttpSettings, Index, Inspect,
    Listener, ListenerName, ListenerRole, MeshServerTls, Origin, RouteSource, RouteTable, RouteTableName,
    ServerTls, TcpProxy, Terminal, TlsVersion, TrafficPlan, Transport, clamp,
};
use crate::snapshot::gateway::Server;
use crate::snapshot::virtual_service::{Semantics, VirtualService};
use crate::table::{Seq, Table};
use crate::trace::Recorder;

/// Application protocols of mesh TLS (X-IL-4).
const MESH_ALPN: [&str; 5] = [
    "istio",
    "istio-peer-exchange",
    "istio-http/1.0",
    "istio-http/1.1",
    "istio-h2",
];

type Compiled = (Table<ListenerName, Listener>, Table<RouteTableName, RouteTable>);

/// All listeners and route tables of a gateway.
pub(super) fn compile(
    tables: &GatewayTables<'_>,
    mesh: &MeshConfig,
    servers: &[MergedServer],
    previous: Option<&TrafficPlan>,
    recorder: &mut impl Recorder,
) -> Compiled {
    let mut by_table: BTreeMap<&RouteTableName, Vec<&MergedServer>> = BTreeMap::new();
    let mut by_socket: BTreeMap<(IpAddr, u16), Vec<&MergedServer>> = BTreeMap::new();
    for server in servers {
        if let Some(name) = &server.table {
            by_table.entry(name).or_default().push(server);
        }
        let bind = server.spec().and_then(|spec| spec.bind.as_str().parse().ok());
        let bind = bind.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        by_socket.entry((bind, server.port)).or_default().push(server);
    }
    let empty = Table::new();
    let old = previous.map_or(&empty, |plan| &plan.route_tables);
    let made: Vec<_> = by_table
        .into_iter()
        .map(|(name, servers)| {
            let held = old.get(name);
            (
                name.clone(),
                share(held, tables.table(name, &servers, held, recorder)),
            )
        })
        .collect();
    let settings = Arc::new(http_settings(mesh, false));
    let listeners = by_socket.into_iter().filter_map(|((address, port), servers)| {
        let builder = SocketBuilder {
            tables,
            mesh,
            address,
            port,
            settings: &settings,
        };
        builder.listener(&servers)
    });
    (
        keep_shared(listeners.collect(), previous),
        Table::rebuild_sharing(old, made),
    )
}

struct SocketBuilder<'a> {
    tables: &'a GatewayTables<'a>,
    mesh: &'a MeshConfig,
    address: IpAddr,
    port: u16,
    settings: &'a Arc<HttpSettings>,
}

impl SocketBuilder<'_> {
    fn listener(&self, servers: &[&MergedServer]) -> Option<Listener> {
        let mut chains: Vec<FilterChain> = Vec::new();
        let mut tables: BTreeSet<&RouteTableName> = BTreeSet::new();
        let mut names: BTreeSet<Text> = BTreeSet::new();
        for merged in servers {
            let Some(server) = merged.spec() else { continue };
            match &merged.table {
                // R-GW-9: all plaintext servers of the port share one table and one chain.
                Some(name) if !tables.insert(name) => {}
                Some(name) => chains.push(self.http(merged, server, name)),
                None if merged.is_auto_passthrough() => chains.extend(self.auto_passthrough(merged, server)),
                None if server.is_passthrough() => {
                    chains.extend(self.passthrough(merged, server, &mut names));
                }
                None => chains.extend(self.tcp(merged, server)),
            }
        }
        let first = servers.first()?;
        if chains.is_empty() {
            return None;
        }
        let tls = chains.iter().any(|chain| {
            !chain.matching.server_names.is_empty() || !matches!(chain.tls, DownstreamTls::Plain)
        });
        Some(Listener {
            name: ListenerName::Bound {
                address: self.address,
                port: self.port,
            },
            role: ListenerRole::Gateway,
            bind: Bind {
                at: BindAddress::Ip(Box::new([self.address])),
                port: self.port,
                transport: Transport::Tcp,
            },
            capture: Capture::BoundToPort,
            inspect: Inspect {
                tls,
                http: false,
                proxy_protocol: false,
                timeout: None,
            },
            chains: Seq::from_items(chains.into_iter().map(Arc::new)),
            default_chain: None,
            origin: first.origin(),
        })
    }

    fn http(&self, merged: &MergedServer, server: &Server, name: &RouteTableName) -> FilterChain {
        let stat = Text::from(format!("{}_{}", self.address, self.port));
        let routes = RouteSource::Table(name.clone());
        let mut chain = http_chain(routes, self.settings, &stat, merged.origin());
        chain.class = ChainClass::Gateway;
        if server.terminates_https() {
            chain.matching.server_names = sni_names(server);
            chain.tls = server_tls(server, self.mesh, merged.origin());
        }
        chain
    }

    /// TCP, or TLS that is terminated: the first route of the VirtualServices bound to the gateway (R-L4-9).
    fn tcp(&self, merged: &MergedServer, server: &Server) -> Option<FilterChain> {
        let services = self.bound(merged);
        let mut meeting = services.iter().filter(|service| meets(server, service));
        let (proxy, origin) = meeting.find_map(|service| {
            let (at, entry, targets) = self.terminated_route(service, merged, server)?;
            let proxy = self.proxy(service, targets, entry, server)?;
            Some((proxy, Origin::new(Arc::clone(&service.key), at)))
        })?;
        let mut chain = self.chain(ChainClass::Gateway, Box::default(), proxy, origin);
        if server.tls.is_some() {
            chain.matching.server_names = sni_names(server);
            chain.tls = server_tls(server, self.mesh, merged.origin());
        }
        Some(chain)
    }

    /// The first `tcp` route that fits; behind terminated TLS also a `tls` route of a VirtualService with gateway
    /// semantics, which stands for a TLSRoute.
    fn terminated_route<'v>(
        &self,
        service: &'v VirtualService,
        merged: &MergedServer,
        server: &Server,
    ) -> Option<(At, usize, &'v [model::RouteDestination])> {
        let own = &merged.gateway.reference;
        let tcp = service.tcp.iter().enumerate().find(|(_, route)| {
            route.matches.is_empty()
                || route
                    .matches
                    .iter()
                    .any(|m| fits(m.port, &m.gateways, server, own))
        });
        if let Some((entry, route)) = tcp {
            let at = At::TcpRule {
                entry: clamp(entry),
                matching: Index::NONE,
            };
            return Some((at, entry, &route.route));
        }
        if server.tls.is_none() || service.semantics != Semantics::GatewayApi {
            return None;
        }
        let tls = service.tls.iter().enumerate().find_map(|(entry, route)| {
            let at = route
                .matches
                .iter()
                .position(|m| fits(m.port, &m.gateways, server, own))?;
            Some((entry, at, route))
        });
        let (entry, position, route) = tls?;
        let at = At::TlsRule {
            entry: clamp(entry),
            matching: Index::some(position),
        };
        Some((at, entry, &route.route))
    }

    /// A chain for every service of the mesh and every subset of it, by server name; VirtualServices do not count
    /// (R-GW-18, X-GW-10).
    fn auto_passthrough(&self, merged: &MergedServer, server: &Server) -> Vec<FilterChain> {
        let scope = self.tables.scope;
        let hosts: Vec<Host> = sni_hosts(server).map(Host::new).collect();
        let facts = &scope.facts;
        let mut chains = Vec::new();
        for service in scope.services.iter().filter(|service| !service.external) {
            if !hosts.iter().any(|host| service.host.is_subset_of(host)) {
                continue;
            }
            let rule = self
                .tables
                .indexes
                .rules
                .select(&facts.namespace, &facts.labels, service);
            let rule = rule.map(|selected| selected.rule);
            let subsets = rule
                .iter()
                .flat_map(|rule| &rule.subsets)
                .filter_map(|subset| subset.spec());
            let subsets: Vec<SubsetName> = subsets
                .map(|subset| SubsetName::new(subset.name.as_str()))
                .collect();
            for port in service.ports.iter().filter(|port| port.protocol != Protocol::Udp) {
                for subset in std::iter::once(None).chain(subsets.iter().cloned().map(Some)) {
                    let (style, host) = (ClusterStyle::SniDnat, service.host.clone());
                    let cluster = ClusterName::new(ClusterKey {
                        style,
                        host,
                        port: port.number,
                        subset,
                    });
                    let names: Box<[Text]> = Box::new([Text::from(cluster.sni())]);
                    let class = ChainClass::GatewayAutoPassthrough;
                    let mut chain = tcp_chain(
                        ChainName::Unnamed,
                        class,
                        ChainMatch::default(),
                        cluster,
                        merged.origin(),
                    );
                    chain.matching.server_names = names;
                    chain.matching.alpn = MESH_ALPN.iter().map(Text::new).collect();
                    chains.push(chain);
                }
            }
        }
        chains
    }

    /// TLS that is not looked into: a chain for each match (R-L4-10).
    fn passthrough(
        &self,
        merged: &MergedServer,
        server: &Server,
        names: &mut BTreeSet<Text>,
    ) -> Vec<FilterChain> {
        let mut chains = Vec::new();
        for service in self
            .bound(merged)
            .into_iter()
            .filter(|service| meets(server, service))
        {
            for (entry, route) in service.tls.iter().enumerate() {
                for (position, matching) in route.matches.iter().enumerate() {
                    if !fits(
                        matching.port,
                        &matching.gateways,
                        server,
                        &merged.gateway.reference,
                    ) {
                        continue;
                    }
                    let hosts: BTreeSet<Text> = matching.sni_hosts.iter().map(Text::from).collect();
                    // R-L4-10: any name that is taken skips the whole match.
                    if hosts.iter().any(|name| names.contains(name)) {
                        continue;
                    }
                    let Some(proxy) = self.proxy(&service, &route.route, entry, server) else {
                        continue;
                    };
                    names.extend(hosts.iter().cloned());
                    let any = hosts.iter().any(|name| name == "*");
                    let hosts = if any {
                        Box::default()
                    } else {
                        hosts.into_iter().collect()
                    };
                    let at = At::TlsRule {
                        entry: clamp(entry),
                        matching: Index::some(position),
                    };
                    let origin = Origin::new(Arc::clone(&service.key), at);
                    chains.push(self.chain(ChainClass::Gateway, hosts, proxy, origin));
                }
            }
        }
        chains
    }

    fn bound(&self, merged: &MergedServer) -> Vec<Arc<VirtualService>> {
        let namespace = &self.tables.scope.facts.namespace;
        self.tables
            .indexes
            .virtual_services
            .visible(namespace, &merged.gateway.reference)
    }

    fn proxy(
        &self,
        service: &VirtualService,
        targets: &[model::RouteDestination],
        entry: usize,
        server: &Server,
    ) -> Option<TcpProxy> {
        let scope = self.tables.scope;
        let lookup = |host: &Host| {
            scope
                .service(self.tables.indexes, host, &service.namespace)
                .cloned()
        };
        let split = l4::split(targets, &service.key, entry, server.port, lookup)?;
        let stat = l4::stat_name(&split, service);
        Some(TcpProxy {
            split,
            stat,
            idle: None,
            max_connection: None,
            hash_source_ip: false,
            tunnel: None,
            codec: None,
        })
    }

    fn chain(
        &self,
        class: ChainClass,
        server_names: Box<[Text]>,
        proxy: TcpProxy,
        origin: Origin,
    ) -> FilterChain {
        FilterChain {
            name: ChainName::Unnamed,
            class,
            matching: ChainMatch {
                server_names,
                ..ChainMatch::default()
            },
            tls: DownstreamTls::Plain,
            terminal: Terminal::Tcp(proxy),
            origin,
        }
    }
}

/// Whether the hosts of a VirtualService meet those of a server, which may be limited to a namespace.
fn meets(server: &Server, service: &VirtualService) -> bool {
    let names = host::names_for_namespace(&server.hosts, service.namespace.as_str());
    service
        .hosts
        .iter()
        .any(|own| names.iter().any(|name| own.matches(name)))
}

fn fits(port: u32, gateways: &[String], server: &Server, own: &GatewayRef) -> bool {
    let own = own.to_string();
    (port == 0 || port == u32::from(server.port)) && (gateways.is_empty() || gateways.contains(&own))
}

/// Server names of a server: its hosts without namespaces, sorted (R-GW-7). `*` is no condition.
fn sni_names(server: &Server) -> Box<[Text]> {
    let names: BTreeSet<Text> = sni_hosts(server).collect();
    if names.iter().any(|name| name == "*") {
        Box::default()
    } else {
        names.into_iter().collect()
    }
}

fn sni_hosts(server: &Server) -> impl Iterator<Item = Text> {
    let part = |host: &Text| {
        Text::new(
            host.as_str()
                .split_once('/')
                .map_or(host.as_str(), |(_, name)| name),
        )
    };
    server.hosts.iter().map(part)
}

/// TLS of a server (X-GW-9).
fn server_tls(server: &Server, mesh: &MeshConfig, origin: Origin) -> DownstreamTls {
    use model::ServerTlsMode as Mode;
    let Some(tls) = &server.tls else {
        return DownstreamTls::Plain;
    };
    let alpn: Box<[Text]> = ["h2", "http/1.1"].iter().map(Text::new).collect();
    if tls.mode == Mode::IstioMutual {
        return DownstreamTls::Mesh(Arc::new(MeshServerTls {
            trust_domains: Box::default(),
            alpn,
            require_tls13: false,
            ciphers: Box::default(),
        }));
    }
    let ca = match (
        tls.ca_cert_credential_name.as_str(),
        tls.credential_name.as_str(),
        tls.ca_certificates.as_str(),
    ) {
        ("", "", "") => None,
        ("", "", file) => Some(CaRef::File(Text::new(file))),
        ("", name, _) => Some(CaRef::Credential(Text::from(format!("{name}-cacert")))),
        (name, _, _) => Some(CaRef::Credential(Text::new(name))),
    };
    let client = match tls.mode {
        Mode::Mutual => ClientAuth::Require,
        Mode::OptionalMutual => ClientAuth::Request,
        _ => ClientAuth::None,
    };
    let texts = |list: &[String]| -> Box<[Text]> { list.iter().map(Text::from).collect() };
    let mesh_minimum = mesh
        .tls_defaults
        .as_ref()
        .and_then(|defaults| mesh_version(defaults.min_protocol_version));
    DownstreamTls::Server(Arc::new(ServerTls {
        certificates: certificates(tls),
        ca: ca.filter(|_| client != ClientAuth::None),
        client,
        sans: texts(&tls.subject_alt_names),
        spki: texts(&tls.verify_certificate_spki),
        hashes: texts(&tls.verify_certificate_hash),
        min_version: version(tls.min_protocol_version).or(mesh_minimum),
        max_version: version(tls.max_protocol_version),
        ciphers: texts(&tls.cipher_suites),
        alpn,
        crl: (!tls.ca_crl.is_empty()).then(|| Text::new(&tls.ca_crl)),
        accept_untrusted: tls.insecure_skip_verify.unwrap_or(false),
        origin,
    }))
}

fn certificates(tls: &model::ServerTlsSettings) -> Box<[CertificateRef]> {
    let files = |certificate: &String, key: &String| CertificateRef::Files {
        certificate: Text::new(certificate),
        key: Text::new(key),
    };
    if !tls.credential_names.is_empty() {
        return tls
            .credential_names
            .iter()
            .map(|name| CertificateRef::Credential(Text::new(name)))
            .collect();
    }
    if !tls.credential_name.is_empty() {
        return Box::new([CertificateRef::Credential(Text::new(&tls.credential_name))]);
    }
    if !tls.tls_certificates.is_empty() {
        return tls
            .tls_certificates
            .iter()
            .map(|c| files(&c.server_certificate, &c.private_key))
            .collect();
    }
    Box::new([files(&tls.server_certificate, &tls.private_key)])
}

fn version(version: model::TlsProtocol) -> Option<TlsVersion> {
    match version {
        model::TlsProtocol::TlsV1_0 => Some(TlsVersion::V1_0),
        model::TlsProtocol::TlsV1_1 => Some(TlsVersion::V1_1),
        model::TlsProtocol::TlsV1_2 => Some(TlsVersion::V1_2),
        model::TlsProtocol::TlsV1_3 => Some(TlsVersion::V1_3),
        _ => None,
    }
}

fn mesh_version(version: mesh_api::mesh::TlsProtocol) -> Option<TlsVersion> {
    match version {
        mesh_api::mesh::TlsProtocol::TlsV1_2 => Some(TlsVersion::V1_2),
        mesh_api::mesh::TlsProtocol::TlsV1_3 => Some(TlsVersion::V1_3),
        _ => None,
    }
}
