//! The spine: a request on a small shop resolves to a subset, end to end.

use mesh_api::decode;
use mesh_route::{MeshSnapshot, Request, Router, Workload};

const MESH: &str = include_str!("bookinfo.yaml");

fn snapshot() -> MeshSnapshot {
    let decoded = decode("bookinfo.yaml", MESH.as_bytes());
    assert!(decoded.report().is_ok(), "{:?}", decoded.report());
    let snapshot = MeshSnapshot::build(decoded.objects());
    assert_eq!(snapshot.findings(), []);
    snapshot
}

fn client() -> Router {
    let workload = Workload::new("shop".parse().expect("a namespace")).with_label("app", "productpage");
    snapshot().router_for(&workload)
}

fn edge() -> Router {
    let workload =
        Workload::gateway("istio-system".parse().expect("a namespace")).with_label("istio", "ingressgateway");
    snapshot().router_for(&workload)
}

fn cluster(router: &Router, request: &Request) -> String {
    let decision = router.decide(request);
    decision.target().map_or_else(
        || format!("{:?}", decision.status()),
        |t| t.cluster_name().to_string(),
    )
}

fn get(url: &str) -> Request {
    Request::get(url).expect("a URL")
}

#[test]
fn a_header_selects_the_canary() {
    let request = get("http://reviews:9080/reviews/7").with_header("end-user", "jason");
    let router = client();
    let decision = router.decide(&request);
    assert_eq!(
        decision.origin().to_string(),
        "VirtualService shop/reviews spec.http[0].match[0]"
    );
    let target = decision.destination().expect("a destination");
    assert_eq!(
        target.cluster_name().to_string(),
        "outbound|9080|v2|reviews.shop.svc.cluster.local"
    );
    assert_eq!(target.subset(), Some("v2"));
    assert_eq!(
        target.subset_labels().map(ToString::to_string).as_deref(),
        Some("{version: v2}")
    );
    let endpoints: Vec<String> = target.endpoints().map(|e| e.endpoint.to_string()).collect();
    assert_eq!(endpoints, ["10.0.2.11:9080"]);
    // R-TP-5: the subset's pool replaces the rule's as a whole.
    let pool = &target.policy().expect("a policy").pool;
    assert_eq!(
        (pool.value.connections.number(), pool.value.pending.number()),
        (100, u32::MAX)
    );
}

#[test]
fn a_draw_splits_by_weight() {
    // R-W-2
    let router = client();
    let subset = |draw| cluster(&router, &get("http://reviews:9080/").with_draw(draw));
    assert_eq!(subset(79), "outbound|9080|v1|reviews.shop.svc.cluster.local");
    assert_eq!(subset(80), "outbound|9080|v3|reviews.shop.svc.cluster.local");
    assert_eq!(subset(100), "outbound|9080|v1|reviews.shop.svc.cluster.local");
}

#[test]
fn the_gateway_routes_by_host_and_path() {
    let router = edge();
    let request = get("http://shop.example.com/reviews/7").with_header("end-user", "jason");
    assert_eq!(
        cluster(&router, &request),
        "outbound|9080|v2|reviews.shop.svc.cluster.local"
    );
    assert_eq!(
        cluster(&router, &get("http://shop.example.com/productpage")),
        "outbound|9080||productpage.shop.svc.cluster.local"
    );
    assert_eq!(
        router.decide(&get("http://shop.example.com/admin")).status(),
        Some(404)
    ); // R-ENVH-1
    assert_eq!(
        router.decide(&get("http://other.example.com/")).status(),
        Some(404)
    ); // R-ENVH-5
}

#[test]
fn services_without_a_virtual_service_get_the_default_route() {
    // R-VH-7; short and long names, with and without ports
    let router = client();
    for host in [
        "details",
        "details.shop",
        "details.shop.svc",
        "details.shop.svc.cluster.local",
        "DETAILS:9080",
    ] {
        let request = get("http://details:9080/x").with_authority(host);
        assert_eq!(
            cluster(&router, &request),
            "outbound|9080||details.shop.svc.cluster.local",
            "{host}"
        );
    }
    // R-VH-17: unknown hosts pass through.
    let request = get("http://details:9080/x").with_authority("nowhere.example.com");
    assert_eq!(cluster(&router, &request), "PassthroughCluster");
}

#[test]
fn an_explanation_names_losers() {
    let text = client()
        .explain(&get("http://reviews:9080/reviews/7"))
        .to_string();
    assert!(text.contains("shop/reviews"), "{text}");
    assert!(text.contains("end-user"), "{text}");
    assert!(
        text.contains("legacy/reviews"),
        "the shadowed VirtualService is named: {text}"
    );
}

#[test]
fn input_order_does_not_matter() {
    // DESIGN 3.6
    let reversed: Vec<&str> = MESH
        .split("\n---\n")
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let decoded = decode("reversed.yaml", reversed.join("\n---\n").as_bytes());
    let other = MeshSnapshot::build(decoded.objects());
    let workload = Workload::new("shop".parse().expect("a namespace"));
    assert!(snapshot().plan_for(&workload) == other.plan_for(&workload));
}

#[test]
fn envoy_filters_are_caveats() {
    // STYLE 1: a filter acts after conversion, so a decision only names it.
    let filter = "
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: NAME, namespace: shop}
spec: {workloadSelector: {labels: {app: APP}}, configPatches: []}
";
    let texts = [("mine", "productpage"), ("other", "details")]
        .map(|(name, app)| filter.replace("NAME", name).replace("APP", app));
    let mut decoded = decode("bookinfo.yaml", MESH.as_bytes());
    decoded.extend(decode("filters.yaml", texts.join("---").as_bytes()));
    let workload = Workload::new("shop".parse().expect("a namespace")).with_label("app", "productpage");
    let router = MeshSnapshot::build(decoded.objects()).router_for(&workload);
    let decision = router.decide(&get("http://reviews:9080/"));
    let named: Vec<String> = decision
        .caveats
        .iter()
        .map(|caveat| caveat.object.to_string())
        .collect();
    assert_eq!(named, ["EnvoyFilter shop/mine"]);
}
