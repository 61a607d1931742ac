//! What a sidecar sees and how its virtual hosts come about (R-SC, R-VH, R-ORD, R-DEL).

use mesh_api::mesh::{MeshConfig, OutboundTrafficPolicyMode};

use super::bench::*;

const TO_ALT: &str = "[{route: [{destination: {host: alt-known.default.svc.cluster.local}}]}]";
const TO_KNOWN: &str = "[{route: [{destination: {host: known.default.svc.cluster.local}}]}]";

fn aged(document: String, second: u32) -> String {
    document.replacen(
        "metadata: {",
        &format!("metadata: {{creationTimestamp: \"2020-01-01T00:00:{second:02}Z\", "),
        1,
    )
}

#[test]
fn e6_the_older_public_one_wins_and_nothing_merges() {
    let host = "[known.default.svc.cluster.local]";
    let older = "[{match: [{uri: {prefix: /o}}], route: [{destination: {host: alt-known.default.svc.cluster.local}}]}]";
    let router = sidecar(&join(&[
        aged(virtual_service("new", "newer", host, "", TO_KNOWN), 2),
        aged(virtual_service("old", "older", host, "", older), 1),
    ]));
    assert_eq!(cluster(&router, &get("http://known/o")), ALT);
    assert_eq!(answer(&router, &get("http://known/n")), "404"); // R-VH-9: the other's routes are lost
}

#[test]
fn e7_a_private_one_beats_an_older_public_one() {
    // R-ORD-4 (quirk)
    let router = sidecar(&join(&[
        aged(
            virtual_service("new", "default", "[known]", "  exportTo: [\".\"]\n", TO_ALT),
            2,
        ),
        aged(
            virtual_service("old", "older", "[known.default.svc.cluster.local]", "", TO_KNOWN),
            1,
        ),
    ]));
    assert_eq!(cluster(&router, &get("http://known/")), ALT);
}

#[test]
fn e12_hosts_attach_without_regard_to_case() {
    let router = sidecar(&virtual_service(
        "vs",
        "default",
        "[Known.default.svc.cluster.local]",
        "",
        TO_ALT,
    ));
    assert_eq!(cluster(&router, &get("http://known/")), ALT);
}

#[test]
fn e13_e14_unregistered_hosts() {
    let alone = sidecar(&virtual_service("vs", "default", "[ext.com]", "", TO_ALT));
    let request = get("http://known:8080/").with_authority("ext.com");
    assert_eq!(cluster(&alone, &request), "PassthroughCluster");
    assert_eq!(
        cluster(&alone, &get("http://known/").with_authority("ext.com")),
        ALT
    ); // S-17
    let both = sidecar(&virtual_service("vs", "default", "[known, ext.com]", "", TO_ALT));
    let wanted = "outbound|8080||alt-known.default.svc.cluster.local";
    assert_eq!(cluster(&both, &request), wanted);
}

#[test]
fn e15_a_wildcard_serves_what_no_exact_one_does() {
    let router = sidecar(&join(&[
        aged(
            virtual_service("wild", "default", "[\"*.cluster.local\"]", "", TO_KNOWN),
            1,
        ),
        aged(virtual_service("exact", "default", "[known]", "", TO_ALT), 2),
    ]));
    assert_eq!(cluster(&router, &get("http://known/")), ALT);
    assert_eq!(cluster(&router, &get("http://nd.not-default/")), KNOWN);
    let request = get("http://known/").with_authority("other.cluster.local");
    assert_eq!(cluster(&router, &request), "PassthroughCluster");
}

#[test]
fn s20_a_wildcard_for_nothing_registered_is_a_bare_host() {
    let router = sidecar(&virtual_service(
        "vs",
        "default",
        "[\"*.unknown.example.com\"]",
        "",
        TO_ALT,
    ));
    let request = get("http://known/").with_authority("a.unknown.example.com");
    assert_eq!(cluster(&router, &request), ALT);
    assert_eq!(cluster(&router, &get("http://known/")), KNOWN);
}

const SIDECAR: &str = "apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: s, namespace: default}
spec: ";

#[test]
fn e16_one_imported_host_imports_the_whole() {
    let router = sidecar(&join(&[
        format!("{SIDECAR}{{egress: [{{hosts: [\"*/known.default.svc.cluster.local\"]}}]}}"),
        virtual_service("vs", "default", "[known, alt.example.com]", "", TO_KNOWN),
    ]));
    assert_eq!(
        cluster(&router, &get("http://known/").with_authority("alt.example.com")),
        KNOWN
    );
    // `alt-known` is not imported.
    assert_eq!(cluster(&router, &get("http://alt-known/")), "PassthroughCluster");
}

#[test]
fn r_sc_8_destinations_are_imported_for_clusters() {
    let router = sidecar(&join(&[
        format!("{SIDECAR}{{egress: [{{hosts: [\"*/known.default.svc.cluster.local\"]}}]}}"),
        virtual_service(
            "vs",
            "default",
            "[known]",
            "",
            "[{route: [{destination: {host: alt-known, port: {number: 80}}}]}]",
        ),
    ]));
    assert_eq!(answer(&router, &get("http://known/")), ALT);
}

#[test]
fn r_sc_3_exclusions() {
    let router = sidecar(&format!(
        "{SIDECAR}{{egress: [{{hosts: [\"*/*\", \"~default/alt-known.default.svc.cluster.local\"]}}]}}"
    ));
    assert_eq!(cluster(&router, &get("http://known/")), KNOWN);
    assert_eq!(cluster(&router, &get("http://alt-known/")), "PassthroughCluster");
}

#[test]
fn e56_an_empty_outbound_policy_is_registry_only() {
    let router = sidecar(&format!("{SIDECAR}{{outboundTrafficPolicy: {{}}}}"));
    assert_eq!(
        answer(&router, &get("http://known/").with_authority("x.com")),
        "502"
    );
}

#[test]
fn r_vh_17_registry_only_blocks_unknown_hosts() {
    let mut mesh = MeshConfig::default();
    mesh.outbound_traffic_policy.mode = OutboundTrafficPolicyMode::RegistryOnly;
    let router = snapshot_with("", mesh).router_for(&client());
    let request = get("http://known/").with_authority("x.com");
    assert_eq!(router.decide(&request).status(), Some(502));
    // R-VH-18: a port that nothing listens on.
    let request = get("http://10.9.9.9:4444/");
    assert!(matches!(
        router.decide(&request).outcome(),
        mesh_route::Outcome::BlackHole
    ));
}

#[test]
fn e57_short_destinations_resolve_in_the_objects_namespace() {
    let router = sidecar(&virtual_service(
        "vs",
        "not-default",
        "[known.default.svc.cluster.local]",
        "",
        "[{route: [{destination: {host: nd}}]}]",
    ));
    assert_eq!(
        cluster(&router, &get("http://known/")),
        "outbound|80||nd.not-default.svc.cluster.local"
    );
}

fn delegate(root: &str, leaf: &str) -> String {
    join(&[
        virtual_service("root", "default", "[known]", "", root),
        format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: leaf, namespace: default}}\nspec:\n  http: {leaf}"
        ),
    ])
}

#[test]
fn s11_a_delegate_narrows_the_root() {
    let config = delegate(
        "[{match: [{uri: {prefix: /productpage}}], delegate: {name: leaf}}, {route: [{destination: {host: known}}]}]",
        "[{match: [{uri: {exact: /productpage/v1}}], route: [{destination: {host: alt-known}}]}]",
    );
    let router = sidecar(&config);
    assert_eq!(cluster(&router, &get("http://known/productpage/v1")), ALT);
    assert_eq!(cluster(&router, &get("http://known/productpage/v2")), KNOWN);
    let request = get("http://known/productpage/v1");
    assert_eq!(
        router.decide(&request).origin().to_string(),
        "VirtualService default/leaf spec.http[0].match[0]"
    );
}

#[test]
fn e51_e52_conflicts_drop_the_delegates_route() {
    for (root, leaf) in [
        ("{uri: {regex: /v1}}", "{uri: {regex: /v1}}"), // R-DEL-6
        (
            "{uri: {prefix: /v1}, sourceNamespace: default}",
            "{uri: {prefix: /v1}}",
        ), // R-DEL-5
    ] {
        let config = delegate(
            &format!(
                "[{{match: [{root}], delegate: {{name: leaf}}}}, {{route: [{{destination: {{host: known}}}}]}}]"
            ),
            &format!("[{{match: [{leaf}], route: [{{destination: {{host: alt-known}}}}]}}]"),
        );
        let snapshot = snapshot(&config);
        assert_eq!(
            cluster(&snapshot.router_for(&client()), &get("http://known/v1")),
            KNOWN,
            "{root}"
        );
        assert_eq!(snapshot.findings().len(), 1, "{root}");
    }
}

#[test]
fn e72_a_reference_to_a_virtual_service_with_hosts_is_dropped() {
    let config = join(&[
        virtual_service(
            "root",
            "default",
            "[known]",
            "",
            "[{match: [{uri: {prefix: /x}}], delegate: {name: other}}, {route: [{destination: {host: known}}]}]",
        ),
        virtual_service("other", "default", "[other.com]", "", TO_ALT),
    ]);
    let snapshot = snapshot(&config);
    assert_eq!(
        cluster(&snapshot.router_for(&client()), &get("http://known/x")),
        KNOWN
    );
    let finding = snapshot.findings().first().expect("a finding").to_string();
    assert_eq!(
        finding,
        "VirtualService default/root spec.http[0]: no delegate VirtualService `default/other` (R-DEL-2)"
    );
}

#[test]
fn s30_route_names() {
    let plan = snapshot(&known(
        "[{name: route, match: [{name: non-catch-all, uri: {prefix: /route/v1}}, {name: catch-all, uri: {prefix: /}}],
           route: [{destination: {host: known}}]}]",
    ))
    .plan_for(&client());
    let names: Vec<String> = plan
        .route_tables
        .iter()
        .flat_map(|(_, table)| table.hosts.iter())
        .filter(|(name, _)| name.to_string() == "known.default.svc.cluster.local:80")
        .flat_map(|(_, host)| host.routes.iter().map(|route| route.name.to_string()))
        .collect();
    assert_eq!(names, ["route.non-catch-all", "route.catch-all"]);
}

#[test]
fn references_that_lead_nowhere_are_found() {
    let config = join(&[
        virtual_service("vs", "default", "[known]", "  gateways: [mesh, absent]\n",
            "[{match: [{uri: {prefix: /1}}], route: [{destination: {host: nobody}}]},
              {match: [{uri: {prefix: /2}}], route: [{destination: {host: known, subset: v9}}]},
              {match: [{uri: {prefix: /3}}], route: [{destination: {host: known, subset: empty}}]},
              {route: [{destination: {host: known}}]}]"),
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: dr, namespace: default}\nspec: {host: known, subsets: [{name: empty, labels: {version: none}}]}".to_owned(),
    ]);
    let snapshot = snapshot(&config);
    let found: Vec<String> = snapshot.findings().iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "VirtualService default/vs spec.gateways[1]: no Gateway `default/absent` (R-GW-10)",
            "VirtualService default/vs spec.http[0].route[0]: no service has the hostname `nobody.default.svc.cluster.local` (R-DST-3)",
            "VirtualService default/vs spec.http[1].route[0]: no DestinationRule of `known.default.svc.cluster.local` has a subset `v9` (R-DST-4)",
            "VirtualService default/vs spec.http[2].route[0]: subset `empty` of `known.default.svc.cluster.local` selects no endpoint (R-DST-4)",
        ]
    );
    // None of them hides the others, and each has its outcome.
    let router = snapshot.router_for(&client());
    let status = |path: &str| router.decide(&get(&format!("http://known{path}"))).status();
    assert_eq!(
        (status("/1"), status("/2"), status("/3"), status("/4")),
        (Some(503), Some(503), Some(503), None)
    );
}
