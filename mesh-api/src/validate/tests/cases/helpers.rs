//! The helpers of api.md 2.1, each seen through a rule that cites it.

use super::*;

/// A helper's id, and a case of a rule that cites it.
pub(in super::super) struct Helper {
    pub(in super::super) id: &'static str,
    pub(in super::super) case: Case,
}

pub(in super::super) fn helpers() -> Vec<Helper> {
    [names(), values(), lists(), routes()]
        .into_iter()
        .flatten()
        .collect()
}

fn helper(
    id: &'static str,
    rule: &'static str,
    kind: Kind,
    pass: Value,
    fail: Value,
    path: &'static str,
) -> Helper {
    let case = super::case(rule, &kind, pass, fail, path);
    Helper { id, case }
}

fn server(patch: Value) -> Value {
    let server = json!({"port": {"number": 80, "name": "a", "protocol": "HTTP"}, "hosts": ["*"]});
    json!({ "servers": [patched(server, patch)] })
}

fn policy(policy: Value) -> Value {
    json!({"host": "a", "trafficPolicy": policy})
}

fn route(patch: Value) -> Value {
    let route = json!({"route": [{"destination": {"host": "b"}}]});
    json!({"hosts": ["a.com"], "http": [patched(route, patch)]})
}

/// A-X-1..10
fn names() -> Vec<Helper> {
    let subset = |name: &str| route(json!({"route": [{"destination": {"host": "b", "subset": name}}]}));
    let sni = |name: &str| {
        let condition = json!({ "sniHosts": [name] });
        json!({
            "hosts": ["outbound_.80_._.a.com"], "gateways": ["a/b"],
            "tls": [{"match": [condition], "route": [{"destination": {"host": "b"}}]}],
        })
    };
    let egress = |host: &str| json!({"egress": [{"hosts": [host]}]});
    let entry = |patch: Value| patched(json!({"hosts": ["a.com"]}), patch);
    let tunnel = |port: u32| policy(json!({"tunnel": {"targetHost": "a.com", "targetPort": port}}));
    vec![
        helper(
            "A-X-1",
            "A-VS-60",
            Kind::VirtualService,
            subset("A-1"),
            subset("a_1"),
            "spec.http[0].route[0].destination.subset",
        ),
        helper(
            "A-X-2",
            "A-WE-5",
            Kind::WorkloadEntry,
            json!({"address": "a.com."}),
            json!({"address": "a.80"}),
            "spec.address",
        ),
        helper(
            "A-X-3",
            "A-DR-1",
            Kind::DestinationRule,
            json!({"host": "*-a.com"}),
            json!({"host": "a.*"}),
            "spec.host",
        ),
        helper(
            "A-X-4",
            "A-VS-88",
            Kind::VirtualService,
            sni("outbound_.80_._.a.com"),
            sni("outbound_.http_._.a.com"),
            "spec.tls[0].match[0].sniHosts[0]",
        ),
        helper(
            "A-X-5",
            "A-SC-32",
            Kind::Sidecar,
            egress("~b/a.com"),
            egress("a.com"),
            "spec.egress[0].hosts[0]",
        ),
        helper(
            "A-X-6",
            "A-GW-7",
            Kind::Gateway,
            server(json!({"hosts": ["b/1.2.3.4"]})),
            server(json!({"hosts": ["b/short"]})),
            "spec.servers[0].hosts[0]",
        ),
        helper(
            "A-X-7",
            "A-SE-7",
            Kind::ServiceEntry,
            entry(json!({"hosts": ["*.a.com"]})),
            entry(json!({"hosts": ["*a.com"]})),
            "spec.hosts[0]",
        ),
        helper(
            "A-X-8",
            "A-DR-41",
            Kind::DestinationRule,
            tunnel(65535),
            tunnel(65536),
            "spec.trafficPolicy.tunnel.targetPort",
        ),
        helper(
            "A-X-9",
            "A-GW-15",
            Kind::Gateway,
            server(json!({"bind": "fe80::1%eth0"})),
            server(json!({"bind": "[::1]"})),
            "spec.servers[0].bind",
        ),
        helper(
            "A-X-10",
            "A-SE-8",
            Kind::ServiceEntry,
            entry(json!({"addresses": ["10.0.0.1/8"]})),
            entry(json!({"addresses": ["10.0.0.0/08"]})),
            "spec.addresses[0]",
        ),
    ]
}

/// A-X-11..20
fn values() -> Vec<Helper> {
    let labels = |labels: Value| json!({"host": "a", "subsets": [{"name": "a", "labels": labels}]});
    let unix = |bind: &str| server(json!({"bind": bind, "port": {"number": 0}}));
    let protocol = |name: &str| server(json!({"port": {"protocol": name}}));
    let exposed = |name: &str| route(json!({"corsPolicy": {"exposeHeaders": [name]}}));
    let copied = |header: &str| json!({"jwtRules": [{"issuer": "a", "outputClaimToHeaders": [{"header": header, "claim": "a"}]}]});
    let probed = |name: &str| json!({"template": {}, "probe": {"httpGet": {"port": 80, "httpHeaders": [{"name": name}]}}});
    let set = |value: &str| route(json!({"headers": {"request": {"set": {"a": value}}}}));
    let claim = |gateways: Value| {
        let condition = json!({"headers": {"@request.auth.claims[a]": {"exact": "b"}}});
        patched(
            route(json!({ "match": [condition] })),
            json!({ "gateways": gateways }),
        )
    };
    let regex = |pattern: &str| route(json!({"match": [{"uri": {"regex": pattern}}]}));
    vec![
        helper(
            "A-X-11",
            "A-VS-84",
            Kind::VirtualService,
            route(json!({"timeout": "1ms"})),
            route(json!({"timeout": "1500us"})),
            "spec.http[0].timeout",
        ),
        helper(
            "A-X-12",
            "A-DR-7",
            Kind::DestinationRule,
            labels(json!({"a.b/c_d": ""})),
            labels(json!({"a": "-b"})),
            "spec.subsets[0].labels.a",
        ),
        helper(
            "A-X-13",
            "A-GW-13",
            Kind::Gateway,
            unix("unix://@a"),
            unix("unix://a"),
            "spec.servers[0].bind",
        ),
        helper(
            "A-X-14",
            "A-GW-9",
            Kind::Gateway,
            protocol("grpc-web"),
            protocol("kafka"),
            "spec.servers[0].port.protocol",
        ),
        helper(
            "A-X-15",
            "A-VS-44",
            Kind::VirtualService,
            exposed("a,b"),
            exposed("a:b"),
            "spec.http[0].corsPolicy.exposeHeaders[0]",
        ),
        helper(
            "A-X-16",
            "A-RA-10",
            Kind::RequestAuthentication,
            copied("a_b-1"),
            copied("a.b"),
            "spec.jwtRules[0].outputClaimToHeaders[0].header",
        ),
        helper(
            "A-X-17",
            "A-WG-6",
            Kind::WorkloadGroup,
            probed("a-1"),
            probed("a_1"),
            "spec.probe.httpGet.httpHeaders[0].name",
        ),
        helper(
            "A-X-18",
            "A-VS-37",
            Kind::VirtualService,
            set("100%% %A(b)%"),
            set("100%"),
            "spec.http[0].headers.request.set.a",
        ),
        helper(
            "A-X-19",
            "A-VS-5",
            Kind::VirtualService,
            claim(json!(["b/c"])),
            claim(json!(["b/c", "mesh"])),
            "spec.http[0].match[0].headers[\"@request.auth.claims[a]\"]",
        ),
        helper(
            "A-X-20",
            "A-VS-30",
            Kind::VirtualService,
            regex(r"\Qa\E|b"),
            regex("(?=a)"),
            "spec.http[0].match[0].uri.regex",
        ),
    ]
}

/// A-X-21..29
fn lists() -> Vec<Helper> {
    let hosts = |hosts: Value| patched(route(json!({})), json!({ "hosts": hosts }));
    let exported = |namespaces: Value| json!({"hosts": ["a.com"], "exportTo": namespaces});
    let selected =
        |label: Value| json!({"workloadSelector": {"labels": label}, "egress": [{"hosts": ["*/*"]}]});
    let matched = |label: Value| json!({"selector": {"matchLabels": label}});
    let target = |group: &str| json!({"targetRef": {"group": group, "kind": "Gateway", "name": "a"}});
    let ciphers = |name: &str| {
        let tls = json!({"mode": "SIMPLE", "credentialName": "a", "cipherSuites": [name]});
        server(json!({"port": {"protocol": "HTTPS"}, "tls": tls}))
    };
    let gateways = |name: &str| patched(route(json!({})), json!({ "gateways": [name] }));
    vec![
        helper(
            "A-X-21",
            "A-VS-9",
            Kind::VirtualService,
            hosts(json!(["*.a.com", "a.com"])),
            hosts(json!(["*a.com", "xa.com"])),
            "spec.hosts[1]",
        ),
        helper(
            "A-X-22",
            "A-SE-36",
            Kind::ServiceEntry,
            exported(json!([".", "b"])),
            exported(json!(["~", "b"])),
            "spec.exportTo",
        ),
        helper(
            "A-X-23",
            "A-SC-1",
            Kind::Sidecar,
            selected(json!({"a": ""})),
            selected(json!({"a*": ""})),
            "spec.workloadSelector.labels[\"a*\"]",
        ),
        helper(
            "A-X-24",
            "A-PA-4",
            Kind::PeerAuthentication,
            matched(json!({"a": ""})),
            matched(json!({"": "a"})),
            "spec.selector.matchLabels[\"\"]",
        ),
        helper(
            "A-X-25",
            "A-AP-1",
            Kind::AuthorizationPolicy,
            target("gateway.networking.k8s.io"),
            target("networking.istio.io"),
            "spec.targetRef.kind",
        ),
        helper(
            "A-X-26",
            "A-AP-1",
            Kind::AuthorizationPolicy,
            json!({"selector": {"matchLabels": {"a": "b"}}, "targetRefs": []}),
            json!({"selector": {"matchLabels": {"a": "b"}}, "targetRefs": [{"kind": "Service", "name": "a"}]}),
            "spec.targetRefs",
        ),
        helper(
            "A-X-27",
            "A-ST-2",
            Kind::Gateway,
            ciphers("!MD5"),
            ciphers("MD5"),
            "spec.servers[0].tls.cipherSuites",
        ),
        helper(
            "A-X-29",
            "A-VS-4",
            Kind::VirtualService,
            gateways("a/b"),
            gateways("a/b_c"),
            "spec.gateways[0]",
        ),
    ]
}

/// A-X-30..33
fn routes() -> Vec<Helper> {
    let ejected = |percent: i32| policy(json!({"outlierDetection": {"maxEjectionPercent": percent}}));
    let abort = |abort: Value| route(json!({"fault": {"abort": abort}}));
    let share = |value: f64| abort(json!({"httpStatus": 500, "percentage": {"value": value}}));
    vec![
        helper(
            "A-X-30",
            "A-DR-13",
            Kind::DestinationRule,
            ejected(100),
            ejected(101),
            "spec.trafficPolicy.outlierDetection.maxEjectionPercent",
        ),
        helper(
            "A-X-31",
            "A-VS-48",
            Kind::VirtualService,
            share(0.0001),
            share(0.00001),
            "spec.http[0].fault.abort.percentage",
        ),
        helper(
            "A-X-32",
            "A-VS-51",
            Kind::VirtualService,
            abort(json!({"httpStatus": 600})),
            abort(json!({"httpStatus": 199})),
            "spec.http[0].fault.abort.httpStatus",
        ),
        helper(
            "A-X-33",
            "A-VS-49",
            Kind::VirtualService,
            abort(json!({"grpcStatus": "OK"})),
            abort(json!({"grpcStatus": "ok"})),
            "spec.http[0].fault.abort.grpcStatus",
        ),
    ]
}
