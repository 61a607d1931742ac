//! Codes of this crate's own (A-AN-3).

use super::{Case, case, o};
use crate::mesh::ExtensionProvider;

fn delegating(to: &str) -> String {
    o(
        "VirtualService a/root",
        &format!("{{hosts: [x.com], http: [{{delegate: {to}}}]}}"),
    )
}

fn rule(spec: &str) -> String {
    o("DestinationRule a/r", &format!("{{host: s, {spec}}}"))
}

fn routed(route: &str) -> String {
    o(
        "VirtualService a/v",
        &format!("{{hosts: [s], http: [{{route: [{route}]}}]}}"),
    )
}

const PLAIN: &str = "trafficPolicy: {tls: {mode: DISABLE}}";

fn service() -> String {
    o(
        "Service a/s",
        "{selector: {app: s}, ports: [{name: http, port: 80}]}",
    )
}

fn peer(name: &str, spec: &str) -> String {
    o(&format!("PeerAuthentication {name}"), spec)
}

pub(super) fn cases() -> Vec<Case> {
    let delegate = "{name: d, namespace: b}";
    let leaf = || {
        o(
            "VirtualService b/d",
            "{http: [{route: [{destination: {host: s}}]}]}",
        )
    };
    let at_delegate = ["VirtualService a/root spec.http[0].delegate.name"];
    let at_tls = ["DestinationRule a/r spec.trafficPolicy.tls.mode"];
    let strict = "{mtls: {mode: STRICT}}";
    let gateway = |servers: &str| o("Gateway a/g", &format!("{{servers: [{servers}]}}"));
    let plain_server = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}";
    let passing =
        "{port: {number: 443, name: tls, protocol: TLS}, hosts: ['*'], tls: {mode: AUTO_PASSTHROUGH}}";
    let custom = |name: &str| {
        o(
            "AuthorizationPolicy a/p",
            &format!("{{action: CUSTOM, provider: {{name: {name}}}, rules: [{{}}]}}"),
        )
    };
    vec![
        case(
            "MESH0001",
            &at_delegate,
            [delegating(delegate)],
            [delegating(delegate), leaf()],
        ),
        case(
            "MESH0001",
            &at_delegate,
            [
                delegating(delegate),
                o(
                    "VirtualService b/d",
                    "{hosts: [y.com], http: [{route: [{destination: {host: s}}]}]}",
                ),
            ],
            [
                delegating("{name: d}"),
                o(
                    "VirtualService a/d",
                    "{http: [{route: [{destination: {host: s}}]}]}",
                ),
            ],
        ),
        case(
            "MESH0001",
            &[
                "VirtualService a/root spec.http[0].delegate.name",
                "VirtualService b/d spec.http[0].delegate.name",
            ],
            [
                delegating(delegate),
                o("VirtualService b/d", "{http: [{delegate: {name: d}}]}"),
            ],
            [leaf()],
        ),
        case(
            "MESH0002",
            &["DestinationRule a/r spec.subsets[1].name"],
            [
                rule("subsets: [{name: one}, {name: two}]"),
                routed("{destination: {host: s.a.svc.cluster.local, subset: one}}"),
            ],
            // without VirtualServices nothing is known of use
            [rule("subsets: [{name: one}, {name: two}]")],
        ),
        case(
            "MESH0003",
            &["DestinationRule a/r spec.exportTo"],
            [rule("exportTo: [gone, lost]"), o("Namespace a", "{}")],
            [
                rule("exportTo: [gone, b]"),
                o("Namespace a", "{}"),
                o("Namespace b", "{}"),
            ],
        ),
        case("MESH0003", &[], [], [rule("exportTo: [gone]")]),
        case(
            "MESH0004",
            &["Gateway a/g metadata.name"],
            [gateway(plain_server), routed("{destination: {host: s}}")],
            [
                gateway(plain_server),
                o("VirtualService b/v", "{hosts: [x.com], gateways: [a/g], tcp: []}"),
            ],
        ),
        case(
            "MESH0004",
            &[],
            [],
            [gateway(passing), routed("{destination: {host: s}}")],
        ),
        case(
            "MESH0005",
            &["VirtualService a/v spec.http[0].route"],
            [routed(
                "{destination: {host: s}, weight: 1}, {destination: {host: t}, weight: 2}",
            )],
            [routed(
                "{destination: {host: s}, weight: 10}, {destination: {host: t}, weight: 90}",
            )],
        ),
        case(
            "MESH0005",
            &[],
            [],
            [routed("{destination: {host: s}, weight: 1}")],
        ),
        case(
            "MESH0006",
            &["AuthorizationPolicy a/p spec.provider.name"],
            [custom("none")],
            [custom("opa")],
        )
        .with(|options| {
            options.mesh.extension_providers.push(ExtensionProvider {
                name: "opa".into(),
                ..ExtensionProvider::default()
            });
        }),
        case(
            "MESH0007",
            &at_tls,
            [rule(PLAIN), service(), peer("a/p", strict)],
            [rule(PLAIN), service(), peer("b/p", strict)],
        ),
        case(
            "MESH0007",
            &at_tls,
            [
                rule(PLAIN),
                service(),
                peer("istio-system/p", strict),
                peer("a/p", "{mtls: {}}"),
            ],
            [
                rule(PLAIN),
                service(),
                peer("istio-system/p", strict),
                peer("a/p", "{mtls: {mode: PERMISSIVE}}"),
            ],
        ),
        case(
            "MESH0007",
            &at_tls,
            [
                rule(PLAIN),
                service(),
                peer("a/p", "{selector: {matchLabels: {app: s}}, mtls: {mode: STRICT}}"),
            ],
            [
                rule(PLAIN),
                service(),
                peer("a/p", "{selector: {matchLabels: {app: t}}, mtls: {mode: STRICT}}"),
            ],
        ),
        case(
            "MESH0008",
            &[
                "PeerAuthentication a/p metadata.name",
                "PeerAuthentication a/q metadata.name",
            ],
            [peer("a/p", strict), peer("a/q", "{}")],
            [
                peer("a/p", strict),
                peer("b/q", "{}"),
                peer("a/s", "{selector: {matchLabels: {app: s}}}"),
            ],
        ),
        case(
            "MESH0009",
            &[
                "ProxyConfig a/p spec.selector.matchLabels",
                "ProxyConfig a/q spec.selector.matchLabels",
            ],
            [
                o("ProxyConfig a/p", "{selector: {matchLabels: {app: s}}}"),
                o("ProxyConfig a/q", "{selector: {matchLabels: {app: s}}}"),
            ],
            [
                o("ProxyConfig a/p", "{selector: {matchLabels: {app: s}}}"),
                o("ProxyConfig b/q", "{selector: {matchLabels: {app: s}}}"),
            ],
        ),
    ]
}
