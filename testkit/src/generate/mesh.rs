//! Small meshes: three services, a ServiceEntry, VirtualServices, DestinationRules and Gateways that meet each other.

use std::collections::{BTreeMap, BTreeSet};

use mesh_api::kubernetes::{self, EndpointPort, EndpointSlice, ServiceSpec};
use mesh_api::mesh::{MeshConfig, OutboundTrafficPolicy, OutboundTrafficPolicyMode};
use mesh_api::meta::ObjectMeta;
use mesh_api::names::Namespace;
use mesh_api::networking::{
    Delegate, DestinationRule, Gateway, HttpMatchRequest, HttpRoute, Location, Port, Resolution, Server,
    ServerTlsSettings, ServiceEntry, ServicePort, StringMatch, Subset, VirtualService, WorkloadEntry,
};
use mesh_api::scalar::Timestamp;
use mesh_api::{Object, ObjectSet};
use mesh_route::{MeshSnapshot, SnapshotOptions, Workload};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use super::action;
use super::words::{
    self, BARE, EDGE, EXTERNAL, HEADERS, METHODS, NAMESPACES, PORTS, QUERY, SERVICES, VERSIONS, word,
};

/// A mesh. Its objects are valid: an API server with Istio's webhook takes them all.
#[derive(Clone, Debug)]
pub struct Mesh {
    /// All objects.
    pub objects: ObjectSet,
    /// The mesh configuration.
    pub config: MeshConfig,
}

/// Who sends the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Client {
    /// A workload with a sidecar.
    Sidecar,
    /// Somebody outside, through the gateway.
    Gateway,
}

impl Client {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sidecar, Self::Gateway];

    /// The proxy.
    pub fn workload(self) -> Workload {
        match self {
            Self::Sidecar => Workload::new(Namespace::new(NAMESPACES[0])).with_label("app", "client"),
            Self::Gateway => Workload::gateway(Namespace::new(EDGE)).with_label("istio", "gate"),
        }
    }
}

impl Mesh {
    /// The snapshot.
    pub fn snapshot(&self) -> MeshSnapshot {
        let options = SnapshotOptions {
            mesh: self.config.clone(),
            ..SnapshotOptions::default()
        };
        MeshSnapshot::build_with(&self.objects, options)
    }

    /// The traffic objects, one a line, for whoever has to look at a mesh that was generated.
    pub fn describe(&self) -> String {
        let mut lines = vec![format!(
            "outbound: {}",
            json!(self.config.outbound_traffic_policy)
        )];
        macro_rules! add {
            ($($list:ident)*) => {$(
                for object in self.objects.$list() {
                    let age = object.meta.creation_timestamp.as_ref().map(Timestamp::as_str);
                    lines.push(format!("{} {age:?}: {}", object.key(), json!(object.spec)));
                }
            )*};
        }
        add!(services endpoint_slices service_entries gateways destination_rules virtual_services);
        lines.join("\n")
    }
}

/// Any mesh.
pub fn mesh() -> impl Strategy<Value = Mesh> {
    let parts = (
        vec(service(), SERVICES.len()),
        option::weighted(0.9, service_entry()),
        vec(virtual_service(), 1..6),
        vec(option::weighted(0.9, subsets()), SERVICES.len()),
        vec(destination_rule(), 0..2),
        vec(gateway(), 1..3),
        delegate(),
        prop_oneof![
            3 => Just(OutboundTrafficPolicyMode::AllowAny),
            1 => Just(OutboundTrafficPolicyMode::RegistryOnly),
        ],
    );
    parts.prop_map(
        |(services, entry, virtual_services, subsets, rules, gateways, delegate, mode)| {
            let mut objects = ObjectSet::new();
            for ((name, namespace), service) in SERVICES.iter().zip(services) {
                service.add(name, namespace, &mut objects);
            }
            if let Some(entry) = entry {
                objects.insert(Object::new(ObjectMeta::new("external", NAMESPACES[1]), entry));
            }
            objects.insert(Object::new(ObjectMeta::new("delegate", NAMESPACES[1]), delegate));
            for (at, (meta, spec)) in virtual_services.into_iter().enumerate() {
                objects.insert(Object::new(meta.named(format!("vs{at}")), spec));
            }
            for ((name, namespace), subsets) in SERVICES.iter().zip(subsets) {
                let Some(subsets) = subsets else { continue };
                let rule = DestinationRule {
                    host: (*name).to_owned(),
                    subsets,
                    ..DestinationRule::default()
                };
                objects.insert(Object::new(ObjectMeta::new(*name, *namespace), rule));
            }
            for (at, (meta, spec)) in rules.into_iter().enumerate() {
                objects.insert(Object::new(meta.named(format!("dr{at}")), spec));
            }
            for (at, gateway) in gateways.into_iter().enumerate() {
                objects.insert(Object::new(ObjectMeta::new(GATEWAYS[at], EDGE), gateway));
            }
            let config = MeshConfig {
                outbound_traffic_policy: OutboundTrafficPolicy {
                    mode,
                    ..OutboundTrafficPolicy::default()
                },
                ..MeshConfig::default()
            };
            Mesh { objects, config }
        },
    )
}

const GATEWAYS: [&str; 2] = ["gate", "side"];
/// What VirtualServices are bound to.
const BINDINGS: [&[&str]; 5] = [
    &[],
    &["mesh"],
    &["edge/gate"],
    &["mesh", "edge/gate"],
    &["edge/gate", "edge/side"],
];

/// Where and when.
#[derive(Clone, Debug)]
struct Meta {
    namespace: &'static str,
    created: Option<i64>,
}

impl Meta {
    fn named(self, name: String) -> ObjectMeta {
        let mut meta = ObjectMeta::new(name, self.namespace);
        meta.creation_timestamp = self.created.and_then(Timestamp::from_unix_seconds);
        meta
    }
}

fn meta() -> impl Strategy<Value = Meta> {
    let namespace = prop_oneof![4 => select(&NAMESPACES[..]), 1 => Just(EDGE)];
    let created = option::weighted(0.5, 1_600_000_000_i64..1_600_000_003);
    (namespace, created).prop_map(|(namespace, created)| Meta { namespace, created })
}

/// A Kubernetes service: its ports, and how many endpoints of each version there are.
#[derive(Clone, Debug)]
struct GeneratedService {
    ports: Vec<u16>,
    endpoints: Vec<usize>,
}

fn service() -> impl Strategy<Value = GeneratedService> {
    let [first, second] = PORTS;
    let second = option::weighted(0.6, Just(second));
    let endpoints = vec(select(&[0_usize, 1, 1, 2, 2, 2][..]), VERSIONS.len() - 1);
    (second, endpoints).prop_map(move |(second, endpoints)| GeneratedService {
        ports: [first].into_iter().chain(second).collect(),
        endpoints,
    })
}

impl GeneratedService {
    fn add(&self, name: &str, namespace: &str, objects: &mut ObjectSet) {
        let at = SERVICES
            .iter()
            .position(|known| *known == (name, namespace))
            .unwrap_or_default();
        let port_name = |port: &u16| format!("http-{port}");
        let ports = self.ports.iter().map(|port| kubernetes::ServicePort {
            name: port_name(port),
            port: u32::from(*port),
            ..kubernetes::ServicePort::default()
        });
        let spec = ServiceSpec {
            ports: ports.collect(),
            selector: BTreeMap::from([("app".to_owned(), name.to_owned())]),
            cluster_ip: format!("10.0.0.{}", at + 1),
            ..ServiceSpec::default()
        };
        let service = kubernetes::Service {
            spec,
            ..kubernetes::Service::default()
        };
        objects.insert(Object::new(ObjectMeta::new(name, namespace), service));

        let mut slice = EndpointSlice {
            ports: self
                .ports
                .iter()
                .map(|port| EndpointPort {
                    name: port_name(port),
                    port: Some(u32::from(*port)),
                    ..EndpointPort::default()
                })
                .collect(),
            ..EndpointSlice::default()
        };
        for (version, count) in VERSIONS.iter().zip(&self.endpoints) {
            for number in 0..*count {
                let pod = format!("{name}-{version}-{number}");
                let address = format!("10.{}.{}.{}", at + 1, &version[1..], number + 1);
                slice.endpoints.push(endpoint(&address, &pod, namespace));
                objects.insert(workload(&pod, namespace, name, version, &address));
            }
        }
        let meta = ObjectMeta::new(name, namespace).with_label("kubernetes.io/service-name", name);
        objects.insert(Object::new(meta, slice));
    }
}

fn endpoint(address: &str, pod: &str, namespace: &str) -> kubernetes::Endpoint {
    kubernetes::Endpoint {
        addresses: vec![address.to_owned()],
        target_ref: Some(kubernetes::ObjectReference {
            kind: "Pod".to_owned(),
            namespace: namespace.to_owned(),
            name: pod.to_owned(),
        }),
        ..kubernetes::Endpoint::default()
    }
}

fn workload(pod: &str, namespace: &str, app: &str, version: &str, address: &str) -> Object<kubernetes::Pod> {
    let meta = ObjectMeta::new(pod, namespace)
        .with_label("app", app)
        .with_label("version", version);
    let mut body = kubernetes::Pod::default();
    body.status.pod_ip = address.to_owned();
    Object::new(meta, body)
}

/// An external host: found by DNS, listed, or wherever the client wants to go.
fn service_entry() -> impl Strategy<Value = ServiceEntry> {
    let resolution = select(&[Resolution::Dns, Resolution::Static, Resolution::None][..]);
    let ports = subsequence(PORTS.to_vec(), 1..=PORTS.len());
    (resolution, ports).prop_map(|(resolution, ports)| {
        let ports = ports.iter().map(|port| ServicePort {
            number: u32::from(*port),
            protocol: "HTTP".to_owned(),
            name: format!("http-{port}"),
            ..ServicePort::default()
        });
        let listed = WorkloadEntry {
            address: "192.0.2.1".to_owned(),
            ..WorkloadEntry::default()
        };
        ServiceEntry {
            hosts: vec![EXTERNAL.to_owned()],
            ports: ports.collect(),
            location: Location::MeshExternal,
            endpoints: (resolution == Resolution::Static)
                .then_some(listed)
                .into_iter()
                .collect(),
            resolution,
            ..ServiceEntry::default()
        }
    })
}

fn destination_rule() -> impl Strategy<Value = (Meta, DestinationRule)> {
    let host = prop_oneof![
        6 => select(&SERVICES[..]).prop_map(|(name, namespace)| format!("{name}.{namespace}.svc.cluster.local")),
        1 => Just("*.one.svc.cluster.local".to_owned()),
        1 => Just(EXTERNAL.to_owned()),
    ];
    (meta(), host, subsets()).prop_map(|(meta, host, subsets)| {
        let rule = DestinationRule {
            host,
            subsets,
            ..DestinationRule::default()
        };
        (meta, rule)
    })
}

/// Mostly all versions.
fn subsets() -> impl Strategy<Value = Vec<Subset>> {
    let all = Just(VERSIONS.to_vec());
    prop_oneof![2 => all, 1 => subsequence(VERSIONS.to_vec(), 1..=VERSIONS.len())].prop_map(|versions| {
        let subset = |version: &str| Subset::new(version).with_label("version", version);
        versions.into_iter().map(subset).collect()
    })
}

/// A Gateway for plaintext HTTP.
fn gateway() -> impl Strategy<Value = Gateway> {
    let some = vec![
        "*.example.com",
        "web.example.com",
        "one/api.example.com",
        "./*",
        EXTERNAL,
    ];
    let hosts = prop_oneof![2 => Just(vec!["*"]), 1 => subsequence(some, 1..4)];
    let redirects = prop::bool::weighted(0.1);
    let server = |port: u16| {
        (hosts.clone(), redirects).prop_map(move |(hosts, redirects)| Server {
            port: Some(Port {
                number: u32::from(port),
                protocol: "HTTP".to_owned(),
                name: format!("http-{port}"),
                ..Port::default()
            }),
            hosts: hosts.into_iter().map(str::to_owned).collect(),
            tls: redirects.then(|| {
                Box::new(ServerTlsSettings {
                    https_redirect: true,
                    ..ServerTlsSettings::default()
                })
            }),
            ..Server::default()
        })
    };
    let [first, second] = PORTS;
    (server(first), option::weighted(0.8, server(second))).prop_map(|(first, second)| Gateway {
        servers: [first].into_iter().chain(second).collect(),
        selector: BTreeMap::from([("istio".to_owned(), "gate".to_owned())]),
    })
}

fn virtual_service() -> impl Strategy<Value = (Meta, VirtualService)> {
    let hosts = vec(host(), 1..3);
    let gateways = select(&BINDINGS[..]);
    let delegates = prop::bool::weighted(0.1);
    let rest = option::weighted(0.7, action::route().prop_map(prefix_free));
    (meta(), hosts, gateways, vec(route(), 1..5), rest, delegates).prop_map(
        |(meta, hosts, gateways, mut http, rest, delegates)| {
            http.extend(rest);
            if delegates {
                let delegate = Delegate {
                    name: "delegate".to_owned(),
                    namespace: NAMESPACES[1].to_owned(),
                };
                http.insert(
                    0,
                    HttpRoute {
                        matches: vec![HttpMatchRequest {
                            uri: Some(StringMatch::prefix("/a")),
                            ..HttpMatchRequest::default()
                        }],
                        delegate: Some(Box::new(delegate)),
                        ..HttpRoute::default()
                    },
                );
            }
            let hosts: BTreeSet<String> = hosts.into_iter().collect();
            let spec = VirtualService {
                hosts: hosts.into_iter().collect(),
                gateways: gateways.iter().map(|name| (*name).to_owned()).collect(),
                http,
                ..VirtualService::default()
            };
            (meta, without_overlap(spec))
        },
    )
}

/// Hosts of one VirtualService must not take each other's requests.
fn without_overlap(mut spec: VirtualService) -> VirtualService {
    if spec.hosts.iter().any(|host| host.starts_with('*')) {
        spec.hosts.truncate(1);
    }
    spec
}

/// What a root hands over: its own conditions are narrower than the root's.
fn delegate() -> impl Strategy<Value = VirtualService> {
    let first = action::route().prop_map(|route| HttpRoute {
        matches: vec![HttpMatchRequest {
            uri: Some(StringMatch::prefix("/a/b")),
            ..HttpMatchRequest::default()
        }],
        ..prefix_free(route)
    });
    (first, action::route()).prop_map(|(first, second)| VirtualService {
        http: vec![first, prefix_free(second)],
        ..VirtualService::default()
    })
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&SERVICES[..]).prop_map(|(name, namespace)| format!("{name}.{namespace}.svc.cluster.local")),
        1 => select(&["a", "b"][..]).prop_map(str::to_owned),
        1 => Just(EXTERNAL.to_owned()),
        1 => Just("*.two.svc.cluster.local".to_owned()),
        4 => word(&BARE),
    ]
}

/// A route with its conditions.
fn route() -> impl Strategy<Value = HttpRoute> {
    let name = option::weighted(0.5, select(&["main", "canary"][..]));
    (name, vec(condition(), 1..3), action::route()).prop_map(|(name, matches, route)| {
        let route = HttpRoute {
            name: name.unwrap_or_default().to_owned(),
            matches,
            ..route
        };
        let prefixes = |m: &HttpMatchRequest| matches!(m.uri, Some(StringMatch::Prefix(_)));
        match !route.matches.is_empty() && route.matches.iter().all(prefixes) {
            true => route,
            false => prefix_free(route),
        }
    })
}

/// A redirect may replace a prefix only where every condition is one.
fn prefix_free(mut route: HttpRoute) -> HttpRoute {
    if let Some(redirect) = &mut route.redirect
        && !redirect.prefix_rewrite.is_empty()
    {
        redirect.uri = std::mem::take(&mut redirect.prefix_rewrite);
    }
    route
}

/// Conditions of every kind, mostly a path and little else.
fn condition() -> impl Strategy<Value = HttpMatchRequest> {
    let texts = |names: &'static [&'static str]| btree_map(word(names), words::value_match(), 1..3);
    let plain = (
        option::weighted(0.75, words::path_match()),
        option::weighted(0.15, select(&METHODS[..])),
        option::weighted(0.25, texts(&HEADERS)),
        option::weighted(0.1, texts(&HEADERS)),
        option::weighted(0.15, texts(&QUERY)),
    );
    let fixed = (
        prop::bool::weighted(0.15),
        option::weighted(0.1, select(&PORTS[..])),
        option::weighted(0.1, select(&["client", "other"][..])),
        option::weighted(0.1, select(&["http", "https"][..])),
        option::weighted(0.1, select(&["web.example.com", "a", "web.example.com:80"][..])),
    );
    (plain, fixed).prop_map(
        |((uri, method, headers, without, query), (ignore_case, port, app, scheme, authority))| {
            let exact = |text: &str| StringMatch::exact(text);
            HttpMatchRequest {
                ignore_uri_case: ignore_case,
                uri,
                method: method.map(exact),
                scheme: scheme.map(exact),
                authority: authority.map(exact),
                headers: headers.unwrap_or_default(),
                without_headers: without.unwrap_or_default(),
                query_params: query.unwrap_or_default(),
                port: port.unwrap_or_default().into(),
                source_labels: app
                    .map(|app| ("app".to_owned(), app.to_owned()))
                    .into_iter()
                    .collect(),
                ..HttpMatchRequest::default()
            }
        },
    )
}
