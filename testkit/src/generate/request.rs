//! Requests that aim at the routes of a mesh and sometimes just miss them.

use mesh_api::networking::{HttpMatchRequest, StringMatch, VirtualService};
use mesh_route::{Outcome, Request};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::mesh::{Client, Mesh};
use super::words::{self, BARE, EXTERNAL, HEADERS, METHODS, PORTS, UNKNOWN, VALUES};
use crate::envoy::RawRequest;

/// A request, and who sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedRequest {
    /// The proxy that it comes to.
    pub client: Client,
    /// The port that it was sent to.
    pub port: u16,
    /// The method.
    pub method: String,
    /// The host as sent; `None`: no `Host` line.
    pub host: Option<String>,
    /// The target as sent.
    pub target: String,
    /// The other header lines.
    pub headers: Vec<(String, String)>,
}

impl GeneratedRequest {
    /// For the router.
    ///
    /// # Panics
    /// Never for requests of [`requests`]: their methods are words.
    pub fn to_request(&self) -> Request {
        let request = Request::new(&self.method, "http://x/").expect("a URL");
        let request = request.with_destination(self.port);
        let request = match &self.host {
            Some(host) => request.with_authority(host),
            None => request.without_authority(),
        };
        // The target comes last: one in absolute form brings its own host.
        let add = |request: Request, (name, value): &(String, String)| request.with_header(name, value);
        self.headers.iter().fold(request, add).with_target(&self.target)
    }

    /// For a proxy.
    pub fn to_raw(&self) -> RawRequest {
        let request = RawRequest::new(self.method.as_str(), self.target.as_str());
        let request = match &self.host {
            Some(host) => request.with_header("Host", host.as_str()),
            None => request,
        };
        let add = |request: RawRequest, (name, value): &(String, String)| {
            request.with_header(name.as_str(), value.as_str())
        };
        let request = self.headers.iter().fold(request, add);
        match self.method.as_str() {
            "POST" => request.with_header("content-length", "0"),
            _ => request,
        }
    }
}

/// Requests for a mesh. Most satisfy the conditions of one of its routes, and more than half of them one that forwards
/// them to somebody who is there; some are then changed in one place.
pub fn requests(mesh: &Mesh) -> impl Strategy<Value = GeneratedRequest> + use<> {
    let all = aims(mesh);
    let snapshot = mesh.snapshot();
    let routers = Client::ALL.map(|client| (client, snapshot.router_for(&client.workload())));
    let arrives = |aim: &&Aim| {
        let request = aim.request("").to_request();
        let router = routers.iter().find(|(client, _)| *client == aim.client);
        router.is_some_and(|(_, router)| matches!(router.decide(&request).outcome(), Outcome::Forward(_)))
    };
    let mut arriving: Vec<Aim> = all.iter().filter(arrives).cloned().collect();
    if arriving.is_empty() {
        arriving.clone_from(&all);
    }
    let pick = |aims: Vec<Aim>| any::<Index>().prop_map(move |at| at.get(&aims).clone());
    let aim = prop_oneof![1 => pick(arriving), 1 => pick(all)];
    (aim, suffix(), change()).prop_map(|(aim, suffix, change)| change.apply(aim.request(suffix)))
}

/// A route to hit: where it is served, and its conditions.
#[derive(Clone, Debug)]
struct Aim {
    client: Client,
    port: u16,
    host: String,
    condition: HttpMatchRequest,
}

/// All routes of a mesh, and hosts without any.
fn aims(mesh: &Mesh) -> Vec<Aim> {
    let mut aims = Vec::new();
    for service in mesh.objects.virtual_services() {
        let namespace = service.meta.namespace.as_str();
        for client in clients(&service.spec) {
            for host in &service.spec.hosts {
                let host = concrete(host, namespace);
                let ports = ports(mesh, client, &host);
                add_routes(&mut aims, client, &host, &ports, &service.spec);
            }
        }
    }
    for service in mesh.objects.services() {
        let host = format!("{}.{}", service.meta.name, service.meta.namespace);
        for port in &service.spec.spec.ports {
            let port = u16::try_from(port.port).unwrap_or_default();
            aims.push(Aim::anything(Client::Sidecar, port, &host));
        }
    }
    let [port, _] = PORTS;
    let others = [
        (Client::Sidecar, EXTERNAL),
        (Client::Sidecar, UNKNOWN),
        (Client::Gateway, BARE[0]),
        (Client::Gateway, UNKNOWN),
    ];
    aims.extend(others.map(|(client, host)| Aim::anything(client, port, host)));
    aims
}

fn add_routes(aims: &mut Vec<Aim>, client: Client, host: &str, ports: &[u16], spec: &VirtualService) {
    for route in &spec.http {
        let everything = [HttpMatchRequest::default()];
        let conditions = match route.matches.is_empty() {
            true => &everything[..],
            false => &route.matches,
        };
        for condition in conditions {
            let fits = |port: &&u16| condition.port == 0 || condition.port == u32::from(**port);
            aims.extend(ports.iter().filter(fits).map(|port| Aim {
                condition: condition.clone(),
                ..Aim::anything(client, *port, host)
            }));
        }
    }
}

/// The ports on which a host is served: those of the service of that name, or of the Gateways; else the first one.
fn ports(mesh: &Mesh, client: Client, host: &str) -> Vec<u16> {
    let of_services = mesh.objects.services().flat_map(|service| {
        let own = format!(
            "{}.{}.svc.cluster.local",
            service.meta.name, service.meta.namespace
        ) == host;
        service
            .spec
            .spec
            .ports
            .iter()
            .filter(move |_| own)
            .map(|port| port.port)
    });
    let servers = mesh.objects.gateways().flat_map(|gateway| &gateway.spec.servers);
    let of_gateways = servers.filter_map(|server| Some(server.port.as_ref()?.number));
    let mut ports: Vec<u32> = match client {
        Client::Sidecar => of_services.collect(),
        Client::Gateway => of_gateways.collect(),
    };
    if ports.is_empty() {
        ports.push(u32::from(PORTS[0]));
    }
    ports.sort_unstable();
    ports.dedup();
    ports
        .into_iter()
        .filter_map(|port| u16::try_from(port).ok())
        .collect()
}

fn clients(spec: &VirtualService) -> Vec<Client> {
    let mesh = spec.gateways.is_empty() || spec.gateways.iter().any(|gateway| gateway == "mesh");
    let edge = spec.gateways.iter().any(|gateway| gateway != "mesh");
    let clients = [(Client::Sidecar, mesh), (Client::Gateway, edge)];
    clients
        .into_iter()
        .filter_map(|(client, serves)| serves.then_some(client))
        .collect()
}

/// A host that a host of a VirtualService takes.
fn concrete(host: &str, namespace: &str) -> String {
    match host.strip_prefix('*') {
        // A service that is there, or any name.
        Some(".two.svc.cluster.local") => "a.two.svc.cluster.local".to_owned(),
        Some(suffix) => format!("some{suffix}"),
        None if host.contains('.') => host.to_owned(),
        None => format!("{host}.{namespace}.svc.cluster.local"),
    }
}

impl Aim {
    fn anything(client: Client, port: u16, host: &str) -> Self {
        Self {
            client,
            port,
            host: host.to_owned(),
            condition: HttpMatchRequest::default(),
        }
    }

    /// A request that satisfies the conditions.
    fn request(&self, suffix: &str) -> GeneratedRequest {
        let condition = &self.condition;
        let text = |condition: &Option<StringMatch>| condition.as_ref().map(|c| words::taken_by(c, suffix));
        let mut target =
            text(&condition.uri).unwrap_or_else(|| format!("/{}", suffix.trim_start_matches('/')));
        let query = condition
            .query_params
            .iter()
            .map(|(name, value)| format!("{name}={}", words::taken_by(value, "")));
        let query: Vec<String> = query.collect();
        if !query.is_empty() {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(&query.join("&"));
        }
        let headers = condition.headers.iter();
        GeneratedRequest {
            client: self.client,
            port: self.port,
            method: text(&condition.method).unwrap_or_else(|| METHODS[0].to_owned()),
            host: Some(text(&condition.authority).unwrap_or_else(|| self.host.clone())),
            target,
            headers: headers
                .map(|(name, value)| (name.clone(), words::taken_by(value, "")))
                .collect(),
        }
    }
}

/// What follows a prefix.
fn suffix() -> impl Strategy<Value = &'static str> {
    select(&["", "", "/x", "x", "/b/7", "?q=1", "/x?p=2&q=1"][..])
}

/// One change to a request that hits.
#[derive(Clone, Debug)]
enum Change {
    Nothing,
    HostCase,
    HostPort,
    OtherHost(&'static str),
    EmptyHost,
    NoHost,
    Method(&'static str),
    Header(&'static str, &'static str),
    NoHeaders,
    Path(&'static str),
    PathTail(&'static str),
    PathCase,
    Absolute,
    Asterisk,
    Preflight,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        24 => Just(Change::Nothing),
        1 => Just(Change::HostCase),
        2 => Just(Change::HostPort),
        1 => select(&["a", "b", "b.one", UNKNOWN, "web.example.com"][..]).prop_map(Change::OtherHost),
        1 => prop_oneof![Just(Change::EmptyHost), Just(Change::NoHost)],
        1 => select(&METHODS[..]).prop_map(Change::Method),
        3 => (select(&HEADERS[..]), select(&VALUES[..])).prop_map(|(name, value)| Change::Header(name, value)),
        1 => Just(Change::NoHeaders),
        1 => select(&["/", "/a/../b", "//a", "/%61", "/a%2Fb", "/a%00", "/zzz", "/a;v=1", "*"][..]).prop_map(Change::Path),
        2 => select(&["#f", "?q=2", "&q=2", "/..", "%20", "/"][..]).prop_map(Change::PathTail),
        1 => Just(Change::PathCase),
        1 => Just(Change::Absolute),
        1 => prop_oneof![Just(Change::Asterisk), Just(Change::Preflight)],
    ]
}

impl Change {
    fn apply(self, mut request: GeneratedRequest) -> GeneratedRequest {
        let host = request.host.clone().unwrap_or_default();
        match self {
            Self::Nothing => {}
            Self::HostCase => request.host = Some(host.to_uppercase()),
            Self::HostPort => request.host = Some(format!("{host}:{}", request.port)),
            Self::OtherHost(other) => request.host = Some(other.to_owned()),
            Self::EmptyHost => request.host = Some(String::new()),
            Self::NoHost => request.host = None,
            Self::Method(method) => request.method = method.to_owned(),
            Self::Header(name, value) => request.headers.push((name.to_owned(), value.to_owned())),
            Self::NoHeaders => request.headers.clear(),
            Self::Path(path) => request.target = path.to_owned(),
            Self::PathTail(tail) => request.target.push_str(tail),
            Self::PathCase => request.target = request.target.to_uppercase(),
            Self::Absolute => request.target = format!("http://{host}{}", request.target),
            Self::Asterisk => {
                request.method = "OPTIONS".to_owned();
                request.target = "*".to_owned();
            }
            Self::Preflight => {
                request.method = "OPTIONS".to_owned();
                let lines = [
                    ("Origin", "https://web.example.com"),
                    ("Access-Control-Request-Method", "GET"),
                ];
                let lines = lines.map(|(name, value)| (name.to_owned(), value.to_owned()));
                request.headers.extend(lines);
            }
        }
        request
    }
}
