//! Which DestinationRule applies and what becomes of its policy (R-DR, R-TP, R-HASH).

use mesh_route::Workload;
use mesh_route::plan::ClusterName;

use super::bench::*;

fn rule(name: &str, namespace: &str, spec: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}"
    )
}

/// Subsets of `known` that a client of `namespace` has.
fn subsets(config: &str, namespace: &str) -> Vec<String> {
    let client = Workload::new(namespace.parse().expect("a namespace")).with_label("app", "b");
    let plan = snapshot(config).plan_for(&client);
    let clusters = plan
        .clusters
        .get("known.default.svc.cluster.local")
        .expect("a service");
    clusters
        .clusters()
        .filter(|cluster| cluster.name.port() == 80)
        .filter_map(|cluster| cluster.name.subset().map(ToString::to_string))
        .collect()
}

fn with_subset(host: &str, subset: &str, extra: &str) -> String {
    format!("{{host: \"{host}\", subsets: [{{name: {subset}, labels: {{v: x}}}}]{extra}}}")
}

const HOST: &str = "known.default.svc.cluster.local";

#[test]
fn e38_a_wildcard_of_the_client_hides_the_services_own() {
    let config = join(&[
        rule("wild", "client", &with_subset("*.local", "w", "")),
        rule("own", "default", &with_subset(HOST, "o", "")),
    ]);
    assert_eq!(subsets(&config, "client"), ["w"]);
    assert_eq!(subsets(&config, "other"), ["o"]);
}

#[test]
fn e39_the_host_is_chosen_before_the_export_filter() {
    let config = join(&[
        rule("exact", "default", &with_subset(HOST, "e", ", exportTo: [x]")),
        rule("wild", "default", &with_subset("*.local", "w", "")),
        rule("root", "istio-system", &with_subset(HOST, "r", "")),
    ]);
    assert_eq!(subsets(&config, "y"), ["r"]);
    assert_eq!(subsets(&config, "x"), ["e"]);
}

#[test]
fn e40_of_merged_rules_the_first_policy_counts_whole() {
    let config = join(&[
        rule(
            "a",
            "default",
            &format!("{{host: {HOST}, trafficPolicy: {{tls: {{mode: SIMPLE}}}}}}"),
        ),
        rule(
            "b",
            "default",
            &format!("{{host: {HOST}, trafficPolicy: {{connectionPool: {{tcp: {{maxConnections: 7}}}}}}}}"),
        ),
    ]);
    let plan = snapshot(&config).plan_for(&client());
    let cluster = plan.cluster(&ClusterName::parse(KNOWN)).expect("a cluster");
    assert_eq!(cluster.policy.pool.value.connections.number(), u32::MAX);
    assert_eq!(cluster.tls.value.as_str(), "TLS (SIMPLE)");
}

#[test]
fn e44_a_selector_that_does_not_fit() {
    let spec = with_subset(HOST, "s", ", workloadSelector: {matchLabels: {app: a}}");
    assert_eq!(
        subsets(&rule("r", "default", &spec), "default"),
        Vec::<String>::new()
    );
    let plan = snapshot(&rule("r", "default", &spec)).plan_for(&client());
    assert!(
        plan.cluster(&ClusterName::parse(
            "outbound|80|s|known.default.svc.cluster.local"
        ))
        .is_some()
    );
}

#[test]
fn e68_a_dot_is_not_expanded_in_the_exported_view() {
    let config = rule(
        "root",
        "istio-system",
        &with_subset(HOST, "r", ", exportTo: [\".\", x]"),
    );
    assert_eq!(subsets(&config, "x"), ["r"]);
    assert_eq!(subsets(&config, "istio-system"), Vec::<String>::new());
}

#[test]
fn s54_export_to() {
    // PushContext's own scenario: who sees which rule of one host.
    let host = "known.default.svc.cluster.local";
    let config = join(&[
        rule(
            "t1",
            "default",
            &with_subset(host, "s1", ", exportTo: [\".\", ns1]"),
        ),
        rule("t4", "test4", &with_subset(host, "s4", ", exportTo: [test4]")),
        rule("root", "istio-system", &with_subset(host, "r", "")),
        rule(
            "private",
            "istio-system",
            &with_subset(host, "p", ", exportTo: [\".\"]"),
        ),
    ]);
    assert_eq!(subsets(&config, "default"), ["s1"]);
    assert_eq!(subsets(&config, "ns1"), ["s1"]);
    assert_eq!(subsets(&config, "test4"), ["s4"]);
    assert_eq!(subsets(&config, "elsewhere"), ["r"]);
    assert_eq!(subsets(&config, "istio-system"), ["p"]);
}

#[test]
fn merged_subsets_keep_the_first_of_a_name() {
    // R-DR-8
    let config = join(&[
        rule("a", "default", &with_subset(HOST, "v1", "")),
        rule(
            "b",
            "default",
            &format!("{{host: {HOST}, subsets: [{{name: v1, labels: {{v: late}}}}, {{name: v2}}]}}"),
        ),
    ]);
    assert_eq!(subsets(&config, "default"), ["v1", "v2"]);
    let plan = snapshot(&config).plan_for(&client());
    let name = ClusterName::parse("outbound|80|v1|known.default.svc.cluster.local");
    let cluster = plan.cluster(&name).expect("a cluster");
    let subset = cluster.subset.as_ref().expect("a subset");
    assert_eq!(
        (
            subset.labels.to_string().as_str(),
            subset.origin.to_string().as_str()
        ),
        ("{v: x}", "DestinationRule default/a spec.subsets[0]")
    );
}

#[test]
fn s56_the_mesh_baseline_fills_whole_blocks() {
    let mesh: mesh_api::mesh::MeshConfig = serde_json::from_value(serde_json::json!({
        "defaultTrafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 33}},
                                 "outlierDetection": {"consecutive5xxErrors": 7}}}))
    .expect("a mesh");
    let config = rule(
        "r",
        "default",
        &format!("{{host: {HOST}, trafficPolicy: {{connectionPool: {{tcp: {{maxConnections: 99}}}}}}}}"),
    );
    let plan = snapshot_with(&config, mesh).plan_for(&client());
    let connections = |name: &str| {
        let cluster = plan.cluster(&ClusterName::parse(name)).expect("a cluster");
        let outlier = cluster
            .policy
            .outlier
            .as_ref()
            .and_then(|outlier| outlier.value.consecutive_5xx);
        (cluster.policy.pool.value.connections.number(), outlier)
    };
    assert_eq!(connections(KNOWN), (99, Some(7)));
    assert_eq!(connections(ALT), (33, Some(7)));
    assert_eq!(connections("PassthroughCluster"), (33, None));
}
