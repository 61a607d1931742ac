//! What conversion makes, Envoy takes; and it does what the router says. Runs when `ENVOY_BIN` names the program, and says
//! so when it does not.

use std::time::Duration;

use mesh_route::{MeshSnapshot, Request, Router, Workload};
use mesh_xds::pb::Kind;
use mesh_xds::{Profile, convert};
use testkit::envoy::{Converted, Echo, EchoPool, Envoy, Loopback, RawRequest, program};

const BOOKINFO: &str = include_str!("../../mesh-route/tests/bookinfo.yaml");
const EVERYTHING: &str = include_str!("converted.yaml");
const SOON: Duration = Duration::from_secs(10);

fn snapshot(text: &str) -> MeshSnapshot {
    let decoded = mesh_api::decode("mesh.yaml", text.as_bytes());
    assert!(decoded.report().is_ok(), "{}", decoded.report());
    let snapshot = MeshSnapshot::build(decoded.objects());
    assert_eq!(snapshot.findings(), []);
    snapshot
}

/// A client in the shop, and the gateway.
fn routers(text: &str) -> [(&'static str, Router); 2] {
    let snapshot = snapshot(text);
    let client = Workload::new("shop".parse().unwrap()).with_label("app", "productpage");
    let gateway = Workload::gateway("istio-system".parse().unwrap()).with_label("istio", "ingressgateway");
    [
        ("client", snapshot.router_for(&client)),
        ("gateway", snapshot.router_for(&gateway)),
    ]
}

fn converted(name: &str, router: &Router, profile: Profile) -> Converted {
    let conversion = convert(router.plan(), profile);
    assert_eq!(conversion.not_expressed(), [], "{name}");
    assert_eq!(conversion.warnings(), [], "{name}");
    for kind in [Kind::Cluster, Kind::Endpoint, Kind::Listener, Kind::Route] {
        assert!(conversion.resources().of(kind).count() > 0, "{name}: no {kind}");
    }
    Converted::of(name, conversion.resources()).unwrap()
}

// X-REAL-1 to X-REAL-4, X-IN-13
#[test]
fn envoy_takes_what_conversion_makes() {
    let Some(program) = program() else { return };
    for mesh in [BOOKINFO, EVERYTHING] {
        for (name, router) in routers(mesh) {
            for profile in [Profile::UpstreamEnvoy, Profile::UpstreamEnvoyOptional] {
                let bootstrap = converted(name, &router, profile).bootstrap().unwrap();
                if let Err(error) = Envoy::validate(&program, &bootstrap) {
                    panic!("{name}, {profile:?}: {error}");
                }
            }
        }
    }
}

// X-IN-13: Envoy as released lacks what Istio's profile names, so that the profiles do differ.
#[test]
fn envoy_as_released_refuses_the_profile_of_istio() {
    let Some(program) = program() else { return };
    let [(name, router), _] = routers(BOOKINFO);
    let bootstrap = converted(name, &router, Profile::IstioProxy).bootstrap().unwrap();
    let error = Envoy::validate(&program, &bootstrap).unwrap_err().to_string();
    assert!(error.contains("istio."), "{error}");
}

// X-REAL-18, in small: where the router sends a request, Envoy sends it.
#[test]
fn envoy_sends_requests_where_the_router_does() {
    let Some(program) = program() else { return };
    let requests = [
        ("client", "0.0.0.0_9080", "http://reviews:9080/", "jason"),
        ("client", "0.0.0.0_9080", "http://reviews.shop:9080/x", "jason"),
        ("client", "0.0.0.0_9080", "http://details:9080/details/1", ""),
        ("client", "0.0.0.0_9080", "http://nowhere.example.com:9080/", ""),
        (
            "gateway",
            "0.0.0.0_80",
            "http://shop.example.com/reviews/7",
            "jason",
        ),
        ("gateway", "0.0.0.0_80", "http://shop.example.com/productpage", ""),
        ("gateway", "0.0.0.0_80", "http://shop.example.com/admin", ""),
        ("gateway", "0.0.0.0_80", "http://other.example.com/", ""),
    ];
    let routers = routers(BOOKINFO);
    let mut echo = EchoPool::new();
    let mut loopback = Loopback::new(&mut echo);
    for (name, router) in &routers {
        loopback
            .add(&converted(name, router, Profile::UpstreamEnvoy))
            .unwrap();
    }
    let bootstrap = loopback.bootstrap();
    let envoy = Envoy::start(&program, &bootstrap).unwrap();
    for (proxy, listener, url, user) in requests {
        let router = &routers.iter().find(|(name, _)| *name == proxy).unwrap().1;
        let request = Request::get(url).unwrap().with_header("end-user", user);
        let decision = router.decide(&request);
        let address = envoy.listener(&Loopback::listener_name(proxy, listener)).unwrap();
        let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
        let response = RawRequest::new("GET", format!("/{path}").as_str())
            .with_header("host", host)
            .with_header("end-user", user)
            .send(address, SOON)
            .unwrap();
        match decision.target() {
            Some(target) => {
                let expected = Loopback::upstream_name(proxy, &target.cluster_name().to_string());
                assert_eq!(Echo::of(&response).unwrap().upstream, expected, "{url}");
            }
            None => assert_eq!(Some(response.status), decision.status(), "{url}"),
        }
    }
    assert_eq!(echo.answered(), 6, "six requests came to an upstream");
}
