//! The oracle itself: a real Envoy behind the loopback adapter answers what its configuration says. Runs when `ENVOY_BIN`
//! names the program, and says so when it does not.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::envoy::{Converted, Echo, EchoPool, Envoy, Loopback, RawRequest, program};

const SOON: Duration = Duration::from_secs(10);

/// X-REAL-9, X-REAL-10: two proxies with equal names in one Envoy; every request comes to the cluster of its own proxy.
#[test]
fn many_proxies_share_one_envoy() {
    let Some(program) = program() else { return };
    let mut echo = EchoPool::new();
    let mut loopback = Loopback::new(&mut echo);
    for name in ["one", "two"] {
        loopback
            .add(&proxy(name, &[route("/", forward("outbound|80||a.b"))]))
            .unwrap();
    }
    let bootstrap = loopback.bootstrap();
    let envoy = Envoy::start(&program, &bootstrap).unwrap();
    assert_eq!(
        envoy.listeners().collect::<Vec<_>>(),
        ["one/0.0.0.0_80", "two/0.0.0.0_80"]
    );
    for name in ["one", "two"] {
        let address = envoy
            .listener(&Loopback::listener_name(name, "0.0.0.0_80"))
            .unwrap();
        let response = RawRequest::new("GET", "/x?y")
            .with_header("host", "a.b")
            .send(address, SOON)
            .unwrap();
        let echo = Echo::of(&response).unwrap();
        assert_eq!(echo.upstream, Loopback::upstream_name(name, "outbound|80||a.b"));
        assert_eq!(echo.path, "/x?y");
    }
    assert_eq!(echo.answered(), 2);
}

/// What each kind of answer looks like through the adapter: weighted clusters, a cluster without endpoints, one that does
/// not exist, a redirect, a direct response, and no route.
#[test]
fn every_kind_of_answer_comes_through() {
    let Some(program) = program() else { return };
    let weighted = json!({ "weighted_clusters": { "clusters": [
        { "name": "outbound|80||a.b", "weight": 0 }, { "name": "outbound|80|v2|a.b", "weight": 1 }] } });
    let routes = [
        route("/weighted", json!({ "route": weighted })),
        route("/empty", forward("outbound|80|empty|a.b")),
        route("/missing", forward("outbound|80||missing")),
        route("/original", forward("PassthroughCluster")),
        route(
            "/redirect",
            json!({ "redirect": { "path_redirect": "/there", "response_code": "FOUND" } }),
        ),
        route(
            "/direct",
            json!({ "direct_response": { "status": 418, "body": { "inline_string": "tea" } } }),
        ),
    ];
    let mut echo = EchoPool::new();
    let mut loopback = Loopback::new(&mut echo);
    loopback.add(&proxy("p", &routes)).unwrap();
    let bootstrap = loopback.bootstrap();
    let envoy = Envoy::start(&program, &bootstrap).unwrap();
    let address = envoy.listener("p/0.0.0.0_80").unwrap();
    let ask = |path: &str| {
        RawRequest::new("GET", path)
            .with_header("host", "a.b")
            .send(address, SOON)
            .unwrap()
    };

    assert_eq!(
        ask("/weighted").header("x-echo-upstream").as_deref(),
        Some("p/outbound|80|v2|a.b")
    );
    assert_eq!(
        ask("/original").header("x-echo-upstream").as_deref(),
        Some("p/PassthroughCluster")
    );
    assert_eq!(
        (ask("/empty").status, ask("/empty").text().as_str()),
        (503, "no healthy upstream")
    );
    assert_eq!(
        (ask("/missing").status, ask("/missing").text().as_str()),
        (503, "")
    );
    let redirect = ask("/redirect");
    assert_eq!(
        (redirect.status, redirect.header("location").as_deref()),
        (302, Some("http://a.b/there"))
    );
    assert_eq!(
        (ask("/direct").status, ask("/direct").text().as_str()),
        (418, "tea")
    );
    assert_eq!(ask("/none").status, 404);
}

/// R-ENV-3, R-ENV-4, R-ENV-1: raw requests arrive as they are written, which no ordinary client allows.
#[test]
fn raw_requests_reach_envoy_as_they_are_written() {
    let Some(program) = program() else { return };
    let mut echo = EchoPool::new();
    let mut loopback = Loopback::new(&mut echo);
    loopback
        .add(&proxy("p", &[route("/", forward("outbound|80||a.b"))]))
        .unwrap();
    let bootstrap = loopback.bootstrap();
    let envoy = Envoy::start(&program, &bootstrap).unwrap();
    let address = envoy.listener("p/0.0.0.0_80").unwrap();

    let absolute = RawRequest::new("GET", "http://A.b:80/p%2Fq").with_header("host", "other");
    let seen = Echo::of(&absolute.send(address, SOON).unwrap()).unwrap();
    assert_eq!((seen.path.as_str(), seen.all("host")), ("/p%2Fq", vec!["A.b:80"]));

    let doubled = RawRequest::new("GET", "/")
        .with_header("host", "a.b")
        .with_header("x", "1")
        .with_header("x", "2");
    let seen = Echo::of(&doubled.send(address, SOON).unwrap()).unwrap();
    assert_eq!(seen.all("x"), ["1", "2"]);

    assert_eq!(
        RawRequest::new("GET", "/").send(address, SOON).unwrap().status,
        400,
        "no host"
    );
    let long = format!("/{}", "a".repeat(8 * 1024));
    let request = RawRequest::new("GET", long.as_str()).with_header("host", "a.b");
    assert_eq!(
        Echo::of(&request.send(address, SOON).unwrap()).unwrap().path,
        long
    );
}

/// Whatever keeps Envoy from starting is an error that says why, not a silent pass.
#[test]
fn a_refused_configuration_is_an_error_with_the_reason() {
    let Some(program) = program() else { return };
    let mut echo = EchoPool::new();
    let mut loopback = Loopback::new(&mut echo);
    let bad = json!({ "name": "r", "match": { "safe_regex": { "regex": "a(" } }, "direct_response": { "status": 200 } });
    loopback.add(&proxy("p", &[bad])).unwrap();
    let bootstrap = loopback.bootstrap();
    let error = Envoy::start(&program, &bootstrap)
        .err()
        .expect("Envoy starts")
        .to_string();
    assert!(error.contains("missing ): a("), "{error}");
    assert!(Envoy::start(std::path::Path::new("/nonexistent/envoy"), &bootstrap).is_err());
}

/// A sidecar's outbound port 80 in the shape that istiod gives it, with routes for the host `a.b`.
fn proxy(name: &str, routes: &[Value]) -> Converted {
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "statPrefix": "outbound_0.0.0.0_80;",
        "rds": { "configSource": { "ads": {}, "resourceApiVersion": "V3" }, "routeConfigName": "80" },
        "httpFilters": [{
            "name": "envoy.filters.http.router",
            "typedConfig": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        }],
        "normalizePath": true,
    });
    let listener = json!({
        "name": "0.0.0.0_80",
        "address": { "socketAddress": { "address": "0.0.0.0", "portValue": 80 } },
        "bindToPort": false,
        "listenerFilters": [{
            "name": "envoy.filters.listener.original_dst",
            "typedConfig": {
                "@type": "type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
            },
        }, {
            "name": "envoy.filters.listener.http_inspector",
            "typedConfig": {
                "@type": "type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
            },
        }],
        "filterChains": [{
            "filterChainMatch": { "transportProtocol": "raw_buffer", "applicationProtocols": ["http/1.1", "h2c"] },
            "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typedConfig": manager }],
        }],
    });
    let routes = json!({
        "name": "80", "validateClusters": false, "ignorePortInHostMatching": true,
        "virtualHosts": [{ "name": "a.b:80", "domains": ["a.b"], "routes": routes }],
    });
    let discovered = |name: &str| {
        json!({
            "name": name, "type": "EDS", "connectTimeout": "10s",
            "edsClusterConfig": { "edsConfig": { "ads": {} }, "serviceName": name },
            "transportSocket": { "name": "envoy.transport_sockets.tls" },
        })
    };
    let endpoint = json!({ "address": { "socketAddress": { "address": "10.0.0.1", "portValue": 9080 } } });
    let assigned = |name: &str| json!({ "clusterName": name, "endpoints": [{ "lbEndpoints": [{ "endpoint": endpoint }] }] });
    let http2 = json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicitHttpConfig": { "http2ProtocolOptions": {} },
    } });
    let mut speaks_http2 = discovered("outbound|80|v2|a.b");
    speaks_http2["typedExtensionProtocolOptions"] = http2;
    Converted {
        name: name.to_owned(),
        listeners: vec![listener],
        route_configurations: vec![routes],
        clusters: vec![
            discovered("outbound|80||a.b"),
            speaks_http2,
            discovered("outbound|80|empty|a.b"),
            json!({ "name": "PassthroughCluster", "type": "ORIGINAL_DST", "lbPolicy": "CLUSTER_PROVIDED" }),
        ],
        assignments: vec![assigned("outbound|80||a.b"), assigned("outbound|80|v2|a.b")],
    }
}

fn route(prefix: &str, action: Value) -> Value {
    let mut route = json!({ "name": prefix, "match": { "prefix": prefix } });
    route
        .as_object_mut()
        .unwrap()
        .extend(action.as_object().unwrap().clone());
    route
}

fn forward(cluster: &str) -> Value {
    json!({ "route": { "cluster": cluster, "timeout": "0s" } })
}
