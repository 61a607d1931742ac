//! Small builders of plans, for tests of the evaluator alone.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_api::names::{Host, Labels, Namespace, SubsetName, Text};
use mesh_api::{Kind, ObjectKey};
use mesh_route::plan::*;
use mesh_route::table::Table;
use mesh_route::{Request, Router};

pub(crate) const REVIEWS: &str = "reviews.shop.svc.cluster.local";

pub(crate) fn origin(kind: Kind, name: &str, at: At) -> Origin {
    Origin::new(Arc::new(ObjectKey::new(kind, "shop", name)), at)
}

pub(crate) fn http_rule(name: &str, entry: u16) -> Origin {
    origin(
        Kind::VirtualService,
        name,
        At::HttpRule {
            entry,
            matching: Index::NONE,
        },
    )
}

pub(crate) fn cluster_name(text: &str) -> ClusterName {
    ClusterName::parse(text)
}

pub(crate) fn prefix(text: &str) -> RouteMatcher {
    RouteMatcher {
        path: PathMatcher::Prefix(Text::new(text)),
        ignore_case: false,
        conditions: Box::default(),
    }
}

pub(crate) fn exact_header(name: &str, value: &str) -> Condition {
    let test = Test::Text(TextMatcher {
        test: TextTest::Exact(Text::new(value)),
        ignore_case: false,
    });
    Condition::Header(HeaderCondition {
        name: Text::new(name),
        test,
        invert: false,
        missing: Missing::Fails,
    })
}

pub(crate) fn with(mut matcher: RouteMatcher, condition: Condition) -> RouteMatcher {
    matcher.conditions = matcher
        .conditions
        .into_vec()
        .into_iter()
        .chain([condition])
        .collect();
    matcher
}

pub(crate) fn policy() -> ForwardPolicy {
    ForwardPolicy {
        timeout: Sourced::new(Timeout::Disabled, Level::Default(RuleId::RouteTimeout)),
        retry: None,
        hash: Box::default(),
        mirrors: Box::default(),
    }
}

pub(crate) fn forward(split: Split) -> Forward {
    Forward {
        split,
        rewrite: None,
        policy: Arc::new(policy()),
        unknown_cluster: 503,
    }
}

pub(crate) fn to(cluster: &str) -> Action {
    Action::Forward(forward(Split::One(cluster_name(cluster))))
}

pub(crate) fn weighted(destinations: &[(&str, u32)]) -> Split {
    let destination = |(at, (cluster, weight)): (usize, &(&str, u32))| WeightedDestination {
        cluster: cluster_name(cluster),
        weight: *weight,
        headers: None,
        host: None,
        origin: origin(
            Kind::VirtualService,
            "reviews",
            At::HttpDestination {
                entry: 2,
                destination: at as u16,
            },
        ),
    };
    Split::Weighted(destinations.iter().enumerate().map(destination).collect())
}

pub(crate) fn route(name: &str, entry: u16, matcher: RouteMatcher, action: Action) -> Route {
    Route {
        name: Text::new(name),
        matcher,
        action,
        extras: None,
        origin: http_rule("reviews", entry),
    }
}

pub(crate) fn virtual_host(name: &str, domains: &[&str], routes: Vec<Route>) -> VirtualHost {
    VirtualHost {
        name: VirtualHostName::Host {
            host: Host::new(name),
            port: 9080,
        },
        domains: domains.iter().map(|domain| Domain::new(*domain)).collect(),
        routes: routes.into_iter().map(Arc::new).collect(),
        require_tls: RequireTls::None,
        origin: origin(Kind::VirtualService, name, At::Object),
    }
}

pub(crate) fn table(name: RouteTableName, hosts: Vec<VirtualHost>) -> RouteTable {
    RouteTable {
        name,
        port: 9080,
        hosts: hosts.into_iter().map(|host| (host.name.clone(), host)).collect(),
        catch_all: None,
        ignore_port: true,
        attempt_count: true,
        origin: Origin::at(At::Default(RuleId::CatchAll)),
    }
}

pub(crate) fn settings() -> HttpSettings {
    HttpSettings {
        path: PathNormalization::Base,
        use_remote_address: true,
        trusted_hops: 0,
        server: ServerHeader::Default,
        client_certificate: ForwardClientCertificate::SanitizeSet,
        request_id: true,
        port_header: false,
        preserve_case: false,
        allow_absolute_url: false,
        idle: None,
        hide_envoy_headers: false,
    }
}

pub(crate) fn http(name: RouteTableName) -> Terminal {
    let stat = Text::new(name.to_string());
    Terminal::Http(Arc::new(HttpConnection {
        routes: RouteSource::Table(name),
        settings: Arc::new(settings()),
        stat,
    }))
}

pub(crate) fn tcp(cluster: &str) -> Terminal {
    Terminal::Tcp(TcpProxy {
        split: Split::One(cluster_name(cluster)),
        stat: StatName::Cluster,
        idle: None,
        max_connection: None,
        hash_source_ip: false,
        tunnel: None,
        codec: None,
    })
}

pub(crate) fn chain(name: &str, matching: ChainMatch, terminal: Terminal) -> FilterChain {
    FilterChain {
        name: ChainName::Other(Text::new(name)),
        class: ChainClass::Outbound,
        matching,
        tls: DownstreamTls::Plain,
        terminal,
        origin: origin(Kind::Service, name, At::Object),
    }
}

pub(crate) fn listener(address: &str, port: u16, chains: Vec<FilterChain>) -> Listener {
    let address: IpAddr = address.parse().unwrap();
    Listener {
        name: ListenerName::Bound { address, port },
        role: ListenerRole::Outbound,
        bind: Bind {
            at: BindAddress::Ip([address].into()),
            port,
            transport: Transport::Tcp,
        },
        capture: Capture::Redirected,
        inspect: Inspect {
            tls: true,
            http: true,
            proxy_protocol: false,
            timeout: None,
        },
        chains: chains.into_iter().collect(),
        default_chain: None,
        origin: Origin::at(At::Default(RuleId::VirtualListeners)),
    }
}

pub(crate) fn traffic_policy() -> TrafficPolicy {
    let default = Level::Default(RuleId::TrafficPolicy);
    let pool = Pool {
        connections: Limit::Unlimited,
        pending: Limit::Unlimited,
        requests: Limit::Unlimited,
        retries: Limit::Unlimited,
        per_connection: None,
        streams: None,
        connect_timeout: Duration::from_secs(10),
        idle: None,
        max_connection: None,
        http2_keepalive: None,
        http2_ignored: false,
    };
    TrafficPolicy {
        pool: Sourced::new(pool, default),
        balancer: Sourced::new(Balancer::LeastRequest(None), default),
        outlier: None,
        panic_percent: None,
        keepalive: None,
        retry_budget: None,
        proxy_protocol: None,
        tunnel: None,
    }
}

pub(crate) fn cluster(name: &str, discovery: Discovery) -> Arc<Cluster> {
    let name = cluster_name(name);
    let labels = Labels::new().with("version", name.subset().map_or("", SubsetName::as_str));
    let subset = name.subset().map(|subset| {
        Box::new(SubsetRef {
            name: subset.clone(),
            labels: Arc::new(labels),
            origin: origin(Kind::DestinationRule, "reviews", At::Subset(0)),
        })
    });
    Arc::new(Cluster {
        name,
        discovery,
        upstream: UpstreamProtocol::Unspecified,
        policy: Arc::new(traffic_policy()),
        tls: Sourced::new(UpstreamTls::Plain, Level::Default(RuleId::AutoMtls)),
        locality: None,
        endpoints: EndpointRule {
            port_name: Text::new("http"),
            labels: Arc::new(Labels::new()),
            keep_unhealthy: false,
            node_local: false,
            failover: false,
        },
        affinity: false,
        rule: None,
        subset,
        foreign: None,
    })
}

pub(crate) fn endpoint(address: &str, health: Health) -> WeightedEndpoint {
    let endpoint = Endpoint {
        addresses: [Address::Ip(address.parse().unwrap())].into(),
        port: 9080,
        port_name: Text::new("http"),
        health,
        tls: TlsCapability::Disabled,
        identity: None,
        network: Text::default(),
        cluster_id: Text::default(),
        locality: Locality::default(),
        node: Text::default(),
        weight: 1,
        workload: Text::default(),
        namespace: Namespace::new("shop"),
        labels: Arc::new(Labels::new()),
    };
    WeightedEndpoint {
        endpoint: Arc::new(endpoint),
        weight: 1,
        mtls: false,
    }
}

pub(crate) fn assignment(endpoints: Vec<WeightedEndpoint>) -> Arc<Assignment> {
    let group = LocalityGroup {
        locality: Locality::default(),
        priority: 0,
        weight: 1,
        endpoints: endpoints.into(),
    };
    Arc::new(Assignment {
        groups: [group].into(),
    })
}

/// The clusters of `reviews` on port 9080: v1, v2, v3, of which v3 has no endpoint.
pub(crate) fn reviews() -> (ServiceClusters, ServiceEndpoints) {
    let names: Vec<String> = ["", "v1", "v2", "v3"]
        .iter()
        .map(|v| format!("outbound|9080|{v}|{REVIEWS}"))
        .collect();
    let service = ServiceFacts {
        host: Host::new(REVIEWS),
        name: Text::new("reviews"),
        namespace: Namespace::new("shop"),
        registry: Registry::Kubernetes,
        external: false,
        origin: origin(Kind::Service, "reviews", At::Object),
    };
    let port = PortClusters {
        port: 9080,
        default: cluster(&names[0], Discovery::Eds),
        subsets: names[1..]
            .iter()
            .map(|name| cluster(name, Discovery::Eds))
            .collect(),
        sni_dnat: Box::default(),
    };
    let endpoints = |at: usize| match at {
        3 => Vec::new(),
        at => vec![endpoint(&format!("10.0.{at}.1"), Health::Healthy)],
    };
    let assignments = names
        .iter()
        .enumerate()
        .map(|(at, name)| (cluster_name(name), assignment(endpoints(at))));
    (
        ServiceClusters {
            service: Arc::new(service),
            ports: [port].into(),
        },
        ServiceEndpoints {
            assignments: assignments.collect(),
        },
    )
}

pub(crate) fn plan(listeners: Vec<Listener>, tables: Vec<RouteTable>) -> TrafficPlan {
    let (clusters, endpoints) = reviews();
    let original = || Discovery::OriginalDestination {
        port_override: None,
        bind: None,
    };
    TrafficPlan {
        proxy: Arc::new(ProxyFacts {
            role: ProxyRole::Sidecar,
            namespace: Namespace::new("shop"),
            labels: Arc::new(Labels::new()),
            locality: Locality::default(),
            addresses: Box::default(),
            network: Text::default(),
            cluster_id: Text::default(),
            node: Text::default(),
            dns_domain: Text::new("shop.svc.cluster.local"),
            interception: Interception::Redirect,
            unprivileged: false,
        }),
        listeners: listeners
            .into_iter()
            .map(|listener| (listener.name.clone(), listener))
            .collect(),
        route_tables: tables
            .into_iter()
            .map(|table| (table.name.clone(), table))
            .collect(),
        clusters: Table::from_iter([(Host::new(REVIEWS), clusters)]),
        own_clusters: [
            cluster("BlackHoleCluster", Discovery::Empty),
            cluster("PassthroughCluster", original()),
        ]
        .into(),
        endpoints: Table::from_iter([(Host::new(REVIEWS), endpoints)]),
        caveats: Box::default(),
    }
}

/// A sidecar with `routes` on the virtual host of `reviews`, port 9080.
pub(crate) fn router(routes: Vec<Route>) -> Router {
    let name = RouteTableName::Port(9080);
    let mut table = table(
        name.clone(),
        vec![virtual_host(
            "reviews",
            &["reviews", REVIEWS, "*.reviews.test"],
            routes,
        )],
    );
    table.catch_all = Some(Arc::new(VirtualHost {
        name: VirtualHostName::AllowAny,
        domains: [Domain::new("*")].into(),
        routes: [Arc::new(Route {
            name: Text::new("allow_any"),
            origin: Origin::at(At::Default(RuleId::CatchAll)),
            ..route("", 0, prefix("/"), to("PassthroughCluster"))
        })]
        .into(),
        require_tls: RequireTls::None,
        origin: Origin::at(At::Default(RuleId::CatchAll)),
    }));
    let listener = listener(
        "0.0.0.0",
        9080,
        vec![chain("http", ChainMatch::default(), http(name))],
    );
    Router::new(Arc::new(plan(vec![listener], vec![table])))
}

/// Canary by header, tablet by user agent, then a weighted split.
pub(crate) fn bookinfo() -> Router {
    let cluster = |subset: &str| format!("outbound|9080|{subset}|{REVIEWS}");
    let tablet = Condition::Header(HeaderCondition {
        name: Text::new("user-agent"),
        test: Test::Text(TextMatcher {
            test: TextTest::Regex(Pattern::new(".*Tablet.*").unwrap()),
            ignore_case: false,
        }),
        invert: false,
        missing: Missing::Fails,
    });
    router(vec![
        route(
            "canary",
            0,
            with(prefix("/reviews"), exact_header("end-user", "jason")),
            to(&cluster("v2")),
        ),
        route("tablet", 1, with(prefix("/"), tablet), to(&cluster("v1"))),
        route(
            "default",
            2,
            prefix("/"),
            Action::Forward(forward(weighted(&[(&cluster("v1"), 80), (&cluster("v2"), 20)]))),
        ),
    ])
}

pub(crate) fn get(path: &str) -> Request {
    Request::get(&format!("http://reviews:9080{path}")).unwrap()
}
