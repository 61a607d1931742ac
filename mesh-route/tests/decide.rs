//! The evaluator over plans built by hand.

mod support;

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use mesh_api::names::Text;
use mesh_route::decide::{ClientHello, Draws, Effects, NotFound, OwnedOutcome, RedirectTo, Rejection};
use mesh_route::plan::*;
use mesh_route::trace::{EventKind, RouteOutcome};
use mesh_route::{Decision, Outcome, Request, Router};
use support::*;

fn cluster_of(decision: &Decision<'_>) -> String {
    decision.destination().map_or_else(
        || format!("{:?}", decision.outcome()),
        |target| target.name.to_string(),
    )
}

fn v(subset: &str) -> String {
    format!("outbound|9080|{subset}|{REVIEWS}")
}

#[test]
fn the_first_matching_route_wins() {
    // R-MATCH-1
    let router = bookinfo();
    let jason = get("/reviews/7").with_header("End-User", "jason");
    let decision = router.decide(&jason);
    let target = decision.destination().unwrap();
    assert_eq!(target.cluster_name().to_string(), v("v2"));
    assert_eq!(
        (target.subset(), target.port(), target.host()),
        (Some("v2"), 9080, REVIEWS)
    );
    assert_eq!(target.subset_labels().unwrap().get("version"), Some("v2"));
    assert_eq!(
        target
            .endpoints()
            .map(|e| e.endpoint.to_string())
            .collect::<Vec<_>>(),
        ["10.0.2.1:9080"]
    );
    assert_eq!(target.policy().unwrap().balancer.value.as_str(), "LEAST_REQUEST");
    assert_eq!(
        decision.origin().to_string(),
        "VirtualService shop/reviews spec.http[0]"
    );
    assert_eq!(
        (decision.status(), decision.virtual_host.unwrap().name.to_string()),
        (None, "reviews:9080".into())
    );
    let tablet = get("/x").with_header("user-agent", "A Tablet 1");
    assert_eq!(router.decide(&tablet).route.unwrap().name, "tablet");
    assert_eq!(router.decide(&get("/reviews/7")).route.unwrap().name, "default");
}

#[test]
fn weights_are_drawn_once_per_request() {
    // R-W-2
    let router = bookinfo();
    for (draw, subset) in [
        (0, "v1"),
        (79, "v1"),
        (80, "v2"),
        (99, "v2"),
        (100, "v1"),
        (u64::MAX, "v1"),
    ] {
        assert_eq!(
            cluster_of(&router.decide(&get("/").with_draw(draw))),
            v(subset),
            "{draw}"
        );
    }
    let decision = router.decide(&Request::get("http://reviews:9080/").unwrap().with_draw(80));
    let at = decision.target().unwrap().destination.unwrap().origin.at;
    assert_eq!(at.to_string(), "spec.http[2].route[1]");
}

#[test]
fn the_authority_chooses_the_virtual_host_and_never_falls_back() {
    // R-ENVH-1, R-ENVH-2, E-10
    let router = router(vec![route("only", 0, prefix("/reviews"), to(&v("v1")))]);
    let send = |authority: &str, path: &str| get(path).with_authority(authority);
    for authority in ["reviews", "REVIEWS:1", REVIEWS, "x.reviews.test"] {
        assert_eq!(
            cluster_of(&router.decide(&send(authority, "/reviews"))),
            v("v1"),
            "{authority}"
        );
    }
    let missed = send("reviews", "/other");
    let missed = router.decide(&missed);
    assert!(matches!(missed.outcome(), Outcome::NotFound(NotFound::Route)));
    assert_eq!(missed.status(), Some(404));
    for authority in ["other", "", "reviews.test"] {
        let request = send(authority, "/other");
        let decision = router.decide(&request);
        assert!(
            matches!(decision.outcome(), Outcome::PassThrough(_)),
            "{authority}"
        ); // R-VH-17, E-63
        assert_eq!(decision.origin().to_string(), "default (R-VH-17)");
    }
}

#[test]
fn requests_without_host_or_with_a_zero_byte_are_refused() {
    // R-ENVH-4, R-ENV-1
    let router = bookinfo();
    let without = get("/").without_authority();
    let decision = router.decide(&without);
    assert!(matches!(
        decision.outcome(),
        Outcome::Rejected(Rejection::NoAuthority)
    ));
    assert_eq!(decision.status(), Some(400));
    let zero = get("/a%00");
    assert!(matches!(
        router.decide(&zero).outcome(),
        Outcome::Rejected(Rejection::BadPath)
    ));
    // R-ENV-3: `*` is a target of OPTIONS only, and matches no path.
    let star = Request::new("OPTIONS", "http://reviews:9080/")
        .unwrap()
        .with_target("*");
    assert!(matches!(
        router.decide(&star).outcome(),
        Outcome::NotFound(NotFound::Route)
    ));
    for target in ["*", "reviews", ""] {
        let request = get("/").with_target(target);
        let decision = router.decide(&request);
        assert!(
            matches!(decision.outcome(), Outcome::Rejected(Rejection::BadTarget)),
            "{target}"
        );
        assert_eq!(decision.status(), Some(400));
    }
    let long = get(&format!("/reviews/{}", "a".repeat(8192)));
    assert_eq!(cluster_of(&router.decide(&long)), v("v1"));
}

#[test]
fn the_path_is_normalised_before_routing_and_forwarded_so() {
    // R-ENV-1, R-ENV-2
    let router = router(vec![route("only", 0, prefix("/reviews"), to(&v("v1")))]);
    let request = get("/x/..//%72eviews/../reviews?q=%72#f");
    assert!(matches!(router.decide(&request).outcome(), Outcome::NotFound(_)));
    let request = get("/x/../%72eviews/a?q=%72#f");
    let decision = router.decide(&request);
    let mut effects = Effects::new();
    decision.effects(&request, &mut effects);
    assert_eq!(
        (effects.target(), effects.host()),
        (&b"/reviews/a?q=%72"[..], &b"reviews:9080"[..])
    );
}

#[test]
fn a_dangling_cluster_answers_and_never_falls_through() {
    // R-DST-3, R-DST-4, E-19
    let gone = Forward {
        unknown_cluster: 500,
        ..forward(Split::One(cluster_name(&v("v9"))))
    };
    let router = router(vec![
        route("gone", 0, prefix("/gone"), to(&v("v9"))),
        route("gateway", 1, prefix("/semantics"), Action::Forward(gone)),
        route("empty", 2, prefix("/empty"), to(&v("v3"))),
        route("rest", 3, prefix("/"), to(&v("v1"))),
    ]);
    for (path, status, exists) in [
        ("/gone", 503, false),
        ("/semantics", 500, false),
        ("/empty", 503, true),
    ] {
        let request = get(path);
        let decision = router.decide(&request);
        assert!(matches!(decision.outcome(), Outcome::Unavailable(_)), "{path}");
        assert_eq!(
            (decision.status(), decision.destination().is_none()),
            (Some(status), true)
        );
        assert_eq!(decision.target().unwrap().cluster.is_some(), exists);
    }
}

fn with_extras(mut route: Route, extras: RouteExtras) -> Route {
    route.extras = Some(Box::new(extras));
    route
}

fn faulty(action: Action) -> Router {
    let half = Share {
        numerator: 50,
        denominator: Denominator::Hundred,
    };
    let fault = Fault {
        delay: Some(FaultDelay {
            duration: Duration::from_secs(2),
            share: half,
        }),
        abort: Some(FaultAbort {
            status: AbortStatus::Http(418),
            share: half,
        }),
    };
    let extras = RouteExtras {
        fault: Some(Arc::new(fault)),
        cors: Some(Arc::new(cors())),
        ..Default::default()
    };
    router(vec![with_extras(route("faulty", 0, prefix("/"), action), extras)])
}

fn cors() -> Cors {
    Cors {
        allow_origins: [TextMatcher {
            test: TextTest::Exact(Text::new("https://a")),
            ignore_case: false,
        }]
        .into(),
        allow_methods: Text::default(),
        allow_headers: Text::default(),
        expose_headers: Text::default(),
        max_age: None,
        allow_credentials: None,
        forward_unmatched_preflights: true,
    }
}

fn preflight(origin: &str) -> Request {
    Request::new("OPTIONS", "http://reviews:9080/")
        .unwrap()
        .with_header("origin", origin)
        .with_header("access-control-request-method", "PUT")
        .with_draws(Draws {
            fault_abort: 50,
            fault_delay: 50,
            ..Draws::default()
        })
}

#[test]
fn faults_come_first_each_with_its_own_draw() {
    // R-FLT-1, R-CORS-1
    let responding = Action::Respond(Box::new(DirectResponse {
        status: 200,
        body: None,
    }));
    for action in [to(&v("v1")), responding] {
        let router = faulty(action);
        for (delay, abort, delayed, status) in
            [(0, 0, true, true), (50, 0, false, true), (149, 150, true, false)]
        {
            let draws = Draws {
                fault_delay: delay,
                fault_abort: abort,
                ..Draws::default()
            };
            let request = preflight("https://a").with_draws(draws);
            let decision = router.decide(&request);
            assert_eq!(decision.delay, delayed.then_some(Duration::from_secs(2)));
            assert_eq!(decision.status() == Some(418), status, "{delay} {abort}");
        }
    }
}

#[test]
fn preflights_are_answered_where_requests_are_forwarded() {
    // R-CORS-1, R-RD-5, S-66, E-64, E-65
    let router = faulty(to(&v("v1")));
    let allowed = preflight("https://a");
    assert!(matches!(
        router.decide(&allowed).outcome(),
        Outcome::Preflight { allowed: true, .. }
    ));
    let foreign = preflight("https://b");
    assert_eq!(cluster_of(&router.decide(&foreign)), v("v1"));
    let plain = Request::new("OPTIONS", "http://reviews:9080/")
        .unwrap()
        .with_header("origin", "https://a");
    let plain = plain.with_draws(Draws {
        fault_abort: 50,
        ..Draws::default()
    });
    assert_eq!(cluster_of(&router.decide(&plain)), v("v1"));
    let direct = faulty(Action::Respond(Box::new(DirectResponse {
        status: 204,
        body: None,
    })));
    assert_eq!(direct.decide(&allowed).status(), Some(204));
    let ignoring = Cors {
        forward_unmatched_preflights: false,
        ..cors()
    };
    let extras = RouteExtras {
        cors: Some(Arc::new(ignoring)),
        ..Default::default()
    };
    let ignoring = support::router(vec![with_extras(route("", 0, prefix("/"), to(&v("v1"))), extras)]);
    assert!(matches!(
        ignoring.decide(&foreign).outcome(),
        Outcome::Preflight { allowed: false, .. }
    ));
}

#[test]
fn mirrors_have_draws_of_their_own() {
    // R-MIR-1
    let mirror = |subset: &str, share| Mirror {
        cluster: cluster_name(&v(subset)),
        share,
        origin: http_rule("reviews", 0),
    };
    let half = Share {
        numerator: 500_000,
        denominator: Denominator::Million,
    };
    let mirrors = [mirror("v2", Share::ALWAYS), mirror("v3", half)].into();
    let action = Forward {
        policy: Arc::new(ForwardPolicy { mirrors, ..policy() }),
        ..forward(Split::One(cluster_name(&v("v1"))))
    };
    let router = router(vec![route("", 0, prefix("/"), Action::Forward(action))]);
    let sent = |mirrors: &[u64]| {
        let request = get("/").with_draws(Draws {
            mirrors: mirrors.to_vec(),
            ..Draws::default()
        });
        router
            .decide(&request)
            .mirrors(&request)
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(sent(&[]), [v("v2"), v("v3")]);
    assert_eq!(sent(&[999_999, 500_000]), [v("v2")]);
}

fn op(kind: HeaderOpKind, name: &str, value: &str) -> HeaderOp {
    HeaderOp {
        kind,
        name: Text::new(name),
        value: Text::new(value),
        level: Level::Own,
    }
}

fn ops(list: Vec<HeaderOp>) -> Option<Arc<HeaderOps>> {
    Some(Arc::new(HeaderOps {
        request: list.into(),
        response: Box::default(),
    }))
}

#[test]
fn header_operations_act_by_scope_and_kind() {
    use HeaderOpKind::{Add, Remove, Set};
    // S-65, R-HDR-1, R-HDR-3, R-HDR-4: the destination's operations, then the route's.
    let destination = vec![op(Set, "x", "d"), op(Add, "x", "da"), op(Add, "gone", "1")];
    let by_route = vec![op(Set, "x", "r"), op(Add, "x", "ra"), op(Remove, "gone", "")];
    let request = get("/").with_header("x", "o");
    let Split::Weighted(mut destinations) = weighted(&[(&v("v1"), 1)]) else {
        unreachable!()
    };
    destinations[0].headers = ops(destination.clone());
    let weighted = Action::Forward(forward(Split::Weighted(destinations)));
    let extras = |list: Vec<HeaderOp>| RouteExtras {
        headers: ops(list),
        ..Default::default()
    };
    let values = |router: &Router| {
        let decision = router.decide(&request);
        let headers = decision.upstream_headers(&request);
        assert_eq!(headers.first("gone"), None);
        headers
            .values("x")
            .map(|value| String::from_utf8(value.to_vec()).unwrap())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let several = router(vec![with_extras(
        route("", 0, prefix("/"), weighted),
        extras(by_route),
    )]);
    assert_eq!(values(&several), "r, ra");
    // For a single destination compile appends its operations to the route's.
    let joined = vec![
        op(Add, "x", "ra"),
        op(Set, "x", "r"),
        op(Set, "x", "d"),
        op(Add, "x", "da"),
    ];
    let single = router(vec![with_extras(
        route("", 0, prefix("/"), to(&v("v1"))),
        extras(joined),
    )]);
    assert_eq!(values(&single), "d, ra, da");
}

#[test]
fn hosts_and_paths_are_rewritten() {
    // R-RW-1, R-HDR-5
    let Split::Weighted(mut destinations) = weighted(&[(&v("v1"), 1), (&v("v2"), 1)]) else {
        unreachable!()
    };
    destinations[0].host = Some(Text::new("one.test"));
    let by_route = Rewrite {
        path: Some(PathRewrite::Prefix(Text::new("/v1"))),
        host: Some(Sourced::new(Text::new("route.test"), Level::Own)),
        append_forwarded_host: false,
    };
    let effects = |rewrite: Option<Rewrite>, draw| {
        let split = Split::Weighted(destinations.clone());
        let action = Forward {
            rewrite: rewrite.map(Box::new),
            ..forward(split)
        };
        let router = router(vec![route("", 0, prefix("/api"), Action::Forward(action))]);
        let request = get("/api/x?q").with_draw(draw);
        let mut effects = Effects::new();
        router.decide(&request).effects(&request, &mut effects);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (text(effects.host()), text(effects.target()))
    };
    let pair = |host: &str, target: &str| (host.to_owned(), target.to_owned());
    assert_eq!(effects(None, 0), pair("one.test", "/api/x?q"));
    assert_eq!(effects(None, 1), pair("reviews:9080", "/api/x?q"));
    assert_eq!(effects(Some(by_route), 0), pair("route.test", "/v1/x?q"));
}

#[test]
fn redirects_have_a_status_and_a_location() {
    let redirect = Redirect {
        scheme: Some(Text::new("https")),
        host: None,
        port: None,
        path: None,
        code: 308,
    };
    let router = router(vec![route(
        "",
        0,
        prefix("/"),
        Action::Redirect(Box::new(redirect)),
    )]);
    let request = get("/a?b").with_authority("reviews:80");
    let kept = router.decide(&request).to_owned(&request);
    assert_eq!(kept.status, Some(308));
    assert_eq!(
        kept.outcome,
        OwnedOutcome::Redirect {
            code: 308,
            location: Text::new("https://reviews/a?b")
        }
    );
    assert_eq!(kept.to_string(), "308 to https://reviews/a?b");
}

fn gateway(trusted_hops: u32, tls: bool) -> Router {
    let name = RouteTableName::GatewayHttp { port: 80, bind: None };
    let mut host = virtual_host(
        "shop",
        &["shop.test"],
        vec![route("", 0, prefix("/"), to(&v("v1")))],
    );
    host.require_tls = RequireTls::All;
    let settings = Arc::new(HttpSettings {
        trusted_hops,
        ..settings()
    });
    let http = HttpConnection {
        routes: RouteSource::Table(name.clone()),
        settings,
        stat: Text::default(),
    };
    let mut chain = chain("gateway", ChainMatch::default(), Terminal::Http(Arc::new(http)));
    if tls {
        let tls = MeshServerTls {
            trust_domains: Box::default(),
            alpn: Box::default(),
            require_tls13: false,
            ciphers: Box::default(),
        };
        chain.tls = DownstreamTls::Mesh(Arc::new(tls));
    }
    let mut listener = listener("0.0.0.0", 80, vec![chain]);
    listener.role = ListenerRole::Gateway;
    Router::new(Arc::new(plan(vec![listener], vec![table(name, vec![host])])))
}

#[test]
fn plaintext_is_sent_to_tls_where_a_host_requires_it() {
    // R-GW-14, E-34
    let request = Request::get("http://shop.test:80/a?b").unwrap();
    let router = gateway(0, false);
    let decision = router.decide(&request);
    assert!(matches!(decision.outcome(), Outcome::Redirect(RedirectTo::Tls)));
    assert_eq!(
        decision.to_owned(&request).to_string(),
        "301 to https://shop.test:80/a?b"
    );
    let claimed = request.clone().with_header("x-forwarded-proto", "https");
    assert_eq!(router.decide(&claimed).status(), Some(301)); // not believed
    assert_eq!(cluster_of(&gateway(1, false).decide(&claimed)), v("v1"));
    let tls = Request::get("https://shop.test/").unwrap().with_destination(80);
    assert_eq!(cluster_of(&gateway(0, true).decide(&tls)), v("v1"));
}

#[test]
fn connections_that_nobody_takes_are_closed() {
    let router = gateway(0, false);
    let other_port = Request::get("http://shop.test:81/").unwrap(); // R-GW-17
    assert!(matches!(router.decide(&other_port).outcome(), Outcome::Closed));
    let tls = Request::get("https://shop.test/").unwrap().with_destination(80); // R-L4-11
    assert!(matches!(router.decide(&tls).outcome(), Outcome::Closed));
    let plain = Request::get("http://shop.test/").unwrap();
    assert!(matches!(
        gateway(0, true).decide(&plain).outcome(),
        Outcome::Closed
    ));
    let host = Request::get("http://other.test/").unwrap(); // R-ENVH-5
    assert!(matches!(
        router.decide(&host).outcome(),
        Outcome::NotFound(NotFound::VirtualHost)
    ));
}

fn cidr(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn sni(names: &[&str]) -> ChainMatch {
    ChainMatch {
        server_names: names.iter().map(Text::new).collect(),
        ..ChainMatch::default()
    }
}

fn chosen(
    chains: Vec<FilterChain>,
    default: Option<FilterChain>,
    address: &str,
    name: Option<&str>,
) -> String {
    let mut listener = listener("0.0.0.0", 443, chains);
    listener.default_chain = default.map(Arc::new);
    let router = Router::new(Arc::new(plan(vec![listener], vec![])));
    let address: std::net::IpAddr = address.parse().unwrap();
    let hello = ClientHello {
        server_name: name.map(str::to_owned),
        alpn: vec!["h2".into()],
    };
    let request = Request::get("https://x/")
        .unwrap()
        .with_destination(std::net::SocketAddr::new(address, 443));
    let request = request.with_tls(Some(hello));
    router
        .decide(&request)
        .chain
        .map_or_else(|| "none".to_owned(), |chain| chain.name.to_string())
}

#[test]
fn a_chain_is_chosen_stage_by_stage_without_going_back() {
    // S-67, R-L4-7, R-L4-8
    let with_destinations = |name: &str, network: &str, host: &str| {
        let matching = ChainMatch {
            destinations: [cidr(network)].into(),
            ..sni(&[host])
        };
        chain(name, matching, tcp("PassthroughCluster"))
    };
    let chains = || {
        vec![
            with_destinations("a", "127.0.0.1/32", "a.com"),
            with_destinations("b", "127.0.0.0/8", "b.com"),
        ]
    };
    let default = || Some(chain("default", ChainMatch::default(), tcp("PassthroughCluster")));
    assert_eq!(chosen(chains(), None, "127.0.0.1", Some("b.com")), "none");
    assert_eq!(chosen(chains(), default(), "127.0.0.1", Some("b.com")), "default");
    assert_eq!(chosen(chains(), None, "127.0.0.2", Some("B.com")), "b");
    assert_eq!(chosen(chains(), None, "127.0.0.1", Some("a.com")), "a");
    assert_eq!(chosen(chains(), None, "10.0.0.1", Some("a.com")), "none");
}

#[test]
fn server_names_prefer_exact_then_the_longest_suffix() {
    // R-L4-7
    let all = || {
        ["*.com", "*.foo.com", "a.foo.com"]
            .map(|name| chain(name, sni(&[name]), tcp("PassthroughCluster")))
            .into_iter()
            .chain([chain("any", ChainMatch::default(), tcp("PassthroughCluster"))])
            .collect()
    };
    for (name, wanted) in [
        (Some("a.foo.com"), "a.foo.com"),
        (Some("b.foo.com"), "*.foo.com"),
        (Some("foo.com"), "*.com"),
        (Some("x.y.foo.com"), "*.foo.com"),
        (Some("com"), "any"),
        (None, "any"),
    ] {
        assert_eq!(chosen(all(), None, "10.0.0.1", name), wanted, "{name:?}");
    }
}

#[test]
fn transport_and_protocols_tell_chains_apart() {
    let tls = ChainMatch {
        transport: Some(TransportProtocol::Tls),
        ..ChainMatch::default()
    };
    let h2 = ChainMatch {
        alpn: [Text::new("h2")].into(),
        ..tls.clone()
    };
    let plain = ChainMatch {
        alpn: [Text::new("http/1.1"), Text::new("h2c")].into(),
        ..ChainMatch::default()
    };
    let chains = || {
        let name = RouteTableName::Port(443);
        vec![
            chain("plain", plain.clone(), http(name)),
            chain("tls", tls.clone(), tcp("PassthroughCluster")),
            chain("h2", h2.clone(), tcp("BlackHoleCluster")),
        ]
    };
    assert_eq!(chosen(chains(), None, "10.0.0.1", None), "h2");
    let listener = listener("0.0.0.0", 443, chains());
    let router = Router::new(Arc::new(plan(vec![listener], vec![])));
    let request = Request::get("http://x:443/").unwrap();
    assert_eq!(router.decide(&request).chain.unwrap().name.to_string(), "plain");
    let request = Request::get("https://x/").unwrap();
    let decision = router.decide(&request);
    assert_eq!(
        (decision.chain.unwrap().name.to_string(), cluster_of(&decision)),
        ("tls".into(), "PassthroughCluster".into())
    );
    let request = request.with_tls(Some(ClientHello {
        server_name: None,
        alpn: vec!["h2".into()],
    }));
    assert!(matches!(router.decide(&request).outcome(), Outcome::BlackHole));
}

#[test]
fn tcp_goes_to_its_cluster_without_looking_at_requests() {
    let outbound = listener(
        "0.0.0.0",
        9080,
        vec![chain("tcp", ChainMatch::default(), tcp(&v("v1")))],
    );
    let dead = listener(
        "10.1.1.1",
        9080,
        vec![chain("dead", ChainMatch::default(), tcp(&v("v3")))],
    );
    let mut rest = listener("0.0.0.0", 15001, vec![]);
    rest.name = ListenerName::VirtualOutbound;
    rest.role = ListenerRole::VirtualOutbound;
    rest.default_chain = Some(Arc::new(chain(
        "rest",
        ChainMatch::default(),
        tcp("PassthroughCluster"),
    )));
    let router = Router::new(Arc::new(plan(vec![outbound, dead, rest], vec![])));
    let to = |address: &str| get("/").with_destination(address.parse::<std::net::SocketAddr>().unwrap());
    let (known, empty, other) = (to("10.9.9.9:9080"), to("10.1.1.1:9080"), to("10.9.9.9:7"));
    assert!(matches!(router.decide(&known).outcome(), Outcome::Tcp(_)));
    assert!(matches!(router.decide(&empty).outcome(), Outcome::Closed));
    assert!(matches!(router.decide(&other).outcome(), Outcome::PassThrough(_)));
    assert!(matches!(router.decide(&get("/")).outcome(), Outcome::Tcp(_))); // address not known
}

#[test]
fn foreign_parts_make_an_answer_undecided_only_where_they_count() {
    // PLAN 10
    let foreign = |effect| {
        let parts = ForeignParts {
            type_url: Text::new("t"),
            bytes: Box::default(),
            name: Text::new("odd"),
            effect,
        };
        RouteExtras {
            foreign: Some(Box::new(parts)),
            ..Default::default()
        }
    };
    let routes = |effect| {
        let odd = with_extras(route("odd", 0, prefix("/odd"), to(&v("v1"))), foreign(effect));
        router(vec![odd, route("rest", 1, prefix("/"), to(&v("v2")))])
    };
    let (odd, rest) = (get("/odd"), get("/rest"));
    let unknown = routes(ForeignEffect::Condition);
    assert!(matches!(
        unknown.decide(&odd).outcome(),
        Outcome::Undecided(Some(_))
    ));
    assert_eq!(
        unknown.decide(&odd).to_owned(&odd).to_string(),
        "undecided: odd is not understood"
    );
    assert_eq!(cluster_of(&unknown.decide(&rest)), v("v2"));
    assert_eq!(cluster_of(&routes(ForeignEffect::None).decide(&odd)), v("v1"));
}

#[test]
fn an_explanation_is_the_decision_with_its_reasons() {
    let router = bookinfo();
    let requests = [
        get("/reviews/7").with_header("end-user", "jason"),
        get("/reviews/7").with_draw(85),
        get("/a/../b"),
        get("/x").with_authority("other"),
        get("/").without_authority(),
    ];
    for request in &requests {
        let explanation = router.explain(request);
        assert_eq!(*explanation.decision(), router.decide(request).to_owned(request));
        assert_eq!(explanation, router.explain(request)); // deterministic
        assert!(
            explanation
                .to_string()
                .lines()
                .all(|line| line.chars().count() <= 110),
            "{explanation}"
        );
    }
    let explanation = router.explain(&requests[1]);
    let failed: Vec<String> = explanation
        .events()
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::RouteEvaluated {
                outcome: RouteOutcome::Failed(why),
                ..
            } => Some(why.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(
        failed,
        [
            "header end-user is missing, wants `jason`",
            "header user-agent is missing, wants regex `.*Tablet.*`"
        ]
    );
    // The text as a whole, so that a change of it is seen.
    assert_eq!(
        explanation.to_string(),
        include_str!("explain.txt"),
        "{explanation}"
    );
}

#[test]
fn misses_tell_which_routes_were_near() {
    let router = router(vec![
        route("a", 0, with(prefix("/a"), exact_header("x", "1")), to(&v("v1"))),
        route("b", 1, with(prefix("/b"), exact_header("x", "1")), to(&v("v1"))),
    ]);
    let explanation = router.explain(&get("/a"));
    let nearest = explanation.events().iter().find_map(|event| match &event.kind {
        EventKind::NoRoute { nearest, .. } => {
            Some(nearest.iter().map(ToString::to_string).collect::<Vec<_>>())
        }
        _ => None,
    });
    assert_eq!(nearest.unwrap(), ["VirtualService shop/reviews spec.http[0]"]);
    assert_eq!(
        explanation.decision().to_string(),
        "404, no route of shop/reviews matches"
    );
}

#[test]
fn parts_stay_small() {
    // PLAN 17.4
    assert_eq!(size_of::<Origin>(), 16);
    assert!(size_of::<Route>() <= 144, "{}", size_of::<Route>());
    assert!(size_of::<Cluster>() <= 208, "{}", size_of::<Cluster>());
    assert!(size_of::<Decision<'_>>() <= 160, "{}", size_of::<Decision<'_>>());
    assert!(size_of::<ClusterName>() == 8 && size_of::<Pattern>() == 8);
}
