//! Gateways: merging of servers and of virtual hosts (R-GW).

use super::bench::*;

fn server(name: &str, namespace: &str, servers: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec:\n  selector: {{istio: ingressgateway}}\n  servers: {servers}"
    )
}

fn bound(name: &str, hosts: &str, gateway_name: &str, http: &str) -> String {
    virtual_service(
        name,
        "default",
        hosts,
        &format!("  gateways: [{gateway_name}]\n"),
        http,
    )
}

const HTTP: &str = "[{port: {number: 80, name: http, protocol: HTTP}, hosts: [\"*\"]}]";

#[test]
fn e8_e9_hosts_merge_and_catch_alls_go_last() {
    let router = gateway(&join(&[
        server("g", "default", HTTP),
        bound(
            "a-old",
            "[a.com]",
            "g",
            "[{route: [{destination: {host: known}}]}]",
        ),
        bound(
            "b-new",
            "[a.com]",
            "g",
            "[{match: [{uri: {prefix: /foo}}], route: [{destination: {host: alt-known, port: {number: 80}}}]}]",
        ),
    ]));
    assert!(cluster(&router, &get("http://a.com/foo")).contains("alt-known"));
    assert!(cluster(&router, &get("http://a.com/bar")).contains("||known"));

    let router = gateway(&join(&[
        server("g", "default", HTTP),
        bound(
            "a-old",
            "[a.com]",
            "g",
            "[{match: [{uri: {prefix: /foo}}], route: [{destination: {host: known}}]}]",
        ),
        bound(
            "b-new",
            "[a.com]",
            "g",
            "[{match: [{uri: {prefix: /foo/bar}}], route: [{destination: {host: alt-known}}]}]",
        ),
    ]));
    assert!(cluster(&router, &get("http://a.com/foo/bar")).contains("||known"));
}

#[test]
fn e10_no_fallback_to_a_wildcard_host() {
    let router = gateway(&join(&[
        server("g", "default", HTTP),
        bound("any", "[\"*\"]", "g", "[{route: [{destination: {host: known}}]}]"),
        bound(
            "one",
            "[a.com]",
            "g",
            "[{match: [{uri: {prefix: /x}}], route: [{destination: {host: alt-known}}]}]",
        ),
    ]));
    assert_eq!(answer(&router, &get("http://a.com/other")), "404");
    assert!(cluster(&router, &get("http://b.com/other")).contains("||known"));
}

#[test]
fn e11_hosts_intersect_with_regard_to_case() {
    let router = gateway(&join(&[
        server("g", "default", &HTTP.replace("\"*\"", "foo.com")),
        bound(
            "vs",
            "[Foo.com]",
            "g",
            "[{route: [{destination: {host: known}}]}]",
        ),
    ]));
    assert_eq!(answer(&router, &get("http://foo.com/")), "404");
}

#[test]
fn e18_a_port_less_destination_takes_the_services_only_port() {
    let router = gateway(&join(&[
        server("g", "default", HTTP),
        bound("vs", "[a.com]", "g", "[{route: [{destination: {host: b}}]}]"),
    ]));
    assert_eq!(
        cluster(&router, &get("http://a.com/")),
        "outbound|9080||b.default.svc.cluster.local"
    );
}

const REDIRECT: &str =
    "[{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.com], tls: {httpsRedirect: true}}]";

#[test]
fn e34_https_redirect_keeps_the_port() {
    let router = gateway(&join(&[
        server("g", "default", REDIRECT),
        bound("vs", "[a.com]", "g", "[{route: [{destination: {host: known}}]}]"),
    ]));
    let explanation = router.explain(&get("http://a.com/x?y").with_authority("a.com:80"));
    assert_eq!(explanation.decision().status, Some(301));
    assert!(
        explanation.to_string().contains("https://a.com:80/x?y"),
        "{explanation}"
    );
}

#[test]
fn e35_the_redirect_is_per_host() {
    let plain = "[{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.com]}]";
    let router = gateway(&join(&[
        server("alpha", "default", REDIRECT),
        server("beta", "default", plain),
        bound(
            "vs",
            "[a.com]",
            "beta",
            "[{route: [{destination: {host: known}}]}]",
        ),
    ]));
    assert_eq!(answer(&router, &get("http://a.com/")), "301");
}

#[test]
fn e36_the_first_protocol_of_a_port_wins() {
    // R-ORD-1: by name before namespace.
    let tcp = "[{port: {number: 80, name: tcp, protocol: TCP}, hosts: [\"*\"]}]";
    let config = |first: &str, second: &str| {
        join(&[
            server("alpha", "ns-b", first),
            server("beta", "ns-a", second),
            virtual_service(
                "vs",
                "default",
                "[\"*\"]",
                "  gateways: [ns-b/alpha, ns-a/beta]\n  tcp: [{route: [{destination: {host: b}}]}]\n",
                "[{route: [{destination: {host: known}}]}]",
            ),
        ])
    };
    assert_eq!(
        cluster(&gateway(&config(tcp, HTTP)), &get("http://x.com/")),
        "outbound|9080||b.default.svc.cluster.local"
    );
    assert!(cluster(&gateway(&config(HTTP, tcp)), &get("http://x.com/")).contains("||known"));
}

#[test]
fn e61_a_second_redirecting_server_of_a_host_is_skipped() {
    let router = gateway(&join(&[
        server("alpha", "default", REDIRECT),
        server("beta", "default", REDIRECT),
        bound(
            "vs",
            "[a.com]",
            "beta",
            "[{match: [{uri: {prefix: /x}}], route: [{destination: {host: known}}]}]",
        ),
    ]));
    let explanation = router.explain(&get("http://a.com/x"));
    assert_eq!(explanation.decision().status, Some(301));
    assert!(
        explanation.to_string().contains("beta"),
        "the rejected server is named: {explanation}"
    );
}

#[test]
fn e62_different_binds_do_not_conflict() {
    let at = |bind: &str, protocol: &str| {
        format!("[{{port: {{number: 80, name: p, protocol: {protocol}}}, bind: {bind}, hosts: [\"*\"]}}]")
    };
    let config = join(&[
        server("a", "default", &at("10.5.0.1", "HTTP")),
        server("b", "default", &at("10.5.0.2", "HTTP")),
        server("c", "default", &at("10.5.0.1", "TCP")),
        virtual_service(
            "vs",
            "default",
            "[\"*\"]",
            "  gateways: [a, b, c]\n  tcp: [{route: [{destination: {host: b}}]}]\n",
            "[{route: [{destination: {host: known}}]}]",
        ),
    ]);
    let edge = mesh_route::Workload::gateway("istio-system".parse().expect("a namespace"))
        .with_label("istio", "ingressgateway");
    let plan = snapshot(&config).plan_for(&edge);
    let chains: Vec<usize> = plan
        .listeners
        .iter()
        .map(|(_, listener)| listener.chains.len())
        .collect();
    assert_eq!(
        chains,
        [2, 1],
        "{:?}",
        plan.listeners
            .iter()
            .map(|(name, _)| name.to_string())
            .collect::<Vec<_>>()
    );
}

#[test]
fn s43_s44_no_routes_no_hosts() {
    let router = gateway(&server("g", "default", HTTP));
    assert_eq!(answer(&router, &get("http://x.com/")), "404");
    assert_eq!(answer(&router, &get("http://x.com:81/")), "closed"); // R-GW-17
    let table = router
        .plan()
        .route_tables
        .iter()
        .next()
        .expect("a table")
        .1
        .clone();
    assert_eq!(
        table
            .catch_all
            .as_ref()
            .map(|host| host.name.to_string())
            .as_deref(),
        Some("blackhole:80")
    );
}

#[test]
fn s50_namespaces_of_server_hosts_limit_who_binds() {
    let hosts = "[{port: {number: 80, name: http, protocol: HTTP}, hosts: [\"ns-1/*.example.com\", \"ns-2/*.example.com\"]}]";
    let vs = |name: &str, ns: &str, host: &str| {
        virtual_service(
            name,
            ns,
            host,
            "  gateways: [default/g]\n",
            &format!("[{{route: [{{destination: {{host: {ns}.example.net, port: {{number: 80}}}}}}]}}]"),
        )
    };
    let router = gateway(&join(&[
        server("g", "default", hosts),
        vs("one", "ns-1", "[ns-1.example.com]"),
        vs("two", "ns-2", "[ns-2.example.com]"),
        vs("three", "ns-3", "[ns-3.example.com]"),
    ]));
    assert_eq!(
        cluster(&router, &get("http://ns-1.example.com/")),
        "outbound|80||ns-1.example.net"
    );
    assert_eq!(
        cluster(&router, &get("http://ns-2.example.com/")),
        "outbound|80||ns-2.example.net"
    );
    assert_eq!(answer(&router, &get("http://ns-3.example.com/")), "404");
}

#[test]
fn terminated_tls_takes_tls_routes_of_gateway_semantics_only() {
    // R-GW-18 says `tcp` only; routes made from TLSRoutes are the exception that Istio's own cases show.
    let servers = "[{port: {number: 443, name: tls, protocol: TLS}, hosts: [a.com], tls: {mode: SIMPLE, credentialName: c}}]";
    let chains = |annotation: &str| {
        let service = format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\n\
             metadata: {{name: vs, namespace: default, annotations: {{{annotation}}}}}\n\
             spec: {{hosts: [a.com], gateways: [g], tls: [{{match: [{{sniHosts: [a.com]}}], route: [{{destination: {{host: b.default.svc.cluster.local}}}}]}}]}}"
        );
        let router = gateway(&join(&[server("g", "default", servers), service]));
        router
            .plan()
            .listeners
            .iter()
            .map(|(_, listener)| listener.chains.len())
            .sum::<usize>()
    };
    assert_eq!(chains("internal.istio.io/route-semantics: gateway"), 1);
    assert_eq!(chains("a: b"), 0);
}

#[test]
fn auto_passthrough_maps_server_names_to_clusters() {
    // R-GW-18, X-GW-10, X-CDS-48, X-EDS-16: VirtualServices do not count, external services and plaintext endpoints stay out.
    let servers = "[{port: {number: 15443, name: tls, protocol: TLS}, hosts: [\"*.default.svc.cluster.local\"], tls: {mode: AUTO_PASSTHROUGH}}]";
    let router = gateway(&join(&[
        server("g", "default", servers),
        virtual_service("vs", "default", "[\"*.default.svc.cluster.local\"]", "  gateways: [g]\n  tls: [{match: [{sniHosts: [x.default.svc.cluster.local]}], route: [{destination: {host: b}}]}]\n", "[]"),
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: dr, namespace: default}\nspec: {host: b, subsets: [{name: v1}]}".to_owned(),
    ]));
    let (_, listener) = router.plan().listeners.iter().next().expect("a listener");
    let names: Vec<String> = listener
        .chains
        .iter()
        .flat_map(|chain| chain.matching.server_names.iter())
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        names,
        [
            "outbound_.80_._.alt-known.default.svc.cluster.local",
            "outbound_.8080_._.alt-known.default.svc.cluster.local",
            "outbound_.9080_._.b.default.svc.cluster.local",
            "outbound_.9080_.v1_.b.default.svc.cluster.local",
            "outbound_.80_._.known.default.svc.cluster.local",
            "outbound_.8080_._.known.default.svc.cluster.local",
        ]
    );
    let name = mesh_route::plan::ClusterName::parse("outbound_.9080_.v1_.b.default.svc.cluster.local");
    let cluster = router.plan().cluster(&name).expect("a cluster");
    assert_eq!(cluster.tls.value.as_str(), "plaintext");
    let endpoints = router.plan().endpoints(&name).expect("an assignment");
    assert_eq!(
        endpoints.endpoints().count(),
        0,
        "the endpoint of `b` terminates no mesh TLS"
    );
}
