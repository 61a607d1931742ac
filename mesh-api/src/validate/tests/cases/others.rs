use super::*;
use crate::meta::ObjectMeta;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = metadata();
    cases.extend(gateways());
    cases.extend(server_tls());
    cases.extend(service_entries());
    cases.extend(resolutions());
    cases.extend(workload_entries());
    cases.extend(sidecars());
    cases.extend(sidecar_ports());
    cases.extend(peer_authentications());
    cases
}

fn metadata() -> Vec<Case> {
    let object = |annotation: Option<&'static str>| {
        let mut object = Object::new(Kind::PeerAuthentication, json!({}));
        if let Some(annotation) = annotation {
            object.meta = object.meta.with_annotation(annotation, "x");
        }
        object
    };
    [
        (
            "A-MV-1",
            "istio.io/dry-run",
            "metadata.annotations[\"istio.io/dry-run\"]",
        ),
        (
            "A-MV-4",
            "internal.istio.io/webhook-always-reject",
            "metadata.annotations[\"internal.istio.io/webhook-always-reject\"]",
        ),
        (
            "A-MV-5",
            "internal.istio.io/parent-namespace",
            "metadata.annotations[\"internal.istio.io/parent-namespace\"]",
        ),
        (
            "A-MV-6",
            "internal.istio.io/parents",
            "metadata.annotations[\"internal.istio.io/parents\"]",
        ),
    ]
    .into_iter()
    .map(|(id, annotation, path)| Case {
        id,
        pass: object(None),
        fail: object(Some(annotation)),
        path,
    })
    .collect()
}

/// A valid gateway whose one server is changed.
fn gateway(patch: Value) -> Value {
    let server = json!({"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]});
    json!({"servers": [patched(server, patch)]})
}

/// The same on an HTTPS port, with changed TLS settings.
fn https(tls: Value) -> Value {
    gateway(json!({"port": {"number": 443, "protocol": "HTTPS"}, "tls": tls}))
}

fn gateways() -> Vec<Case> {
    let case = |id, pass, fail, path| super::case(id, &Kind::Gateway, pass, fail, path);
    let port = |port: Value| gateway(json!({ "port": port }));
    let files = json!({"mode": "SIMPLE", "serverCertificate": "/c", "privateKey": "/k"});
    let two = |second: &str| {
        let first = gateway(json!({}))["servers"][0].clone();
        json!({"servers": [first, patched(first.clone(), json!({"port": {"name": second}}))]})
    };
    let unix = |patch: Value| {
        gateway(patched(
            json!({"bind": "unix:///x", "port": {"number": null}}),
            patch,
        ))
    };
    let mut named = case("A-GW-1", gateway(json!({})), gateway(json!({})), "metadata.name");
    named.fail.meta = ObjectMeta::new("a.b", "shop");
    vec![
        named,
        case(
            "A-GW-2",
            gateway(json!({})),
            json!({"servers": []}),
            "spec.servers",
        ),
        case("A-GW-4", two("other"), two("http"), "spec.servers[1].port.name"),
        case(
            "A-GW-5",
            gateway(json!({"tls": {"httpsRedirect": true}})),
            https(patched(files.clone(), json!({"httpsRedirect": true}))),
            "spec.servers[0].tls.httpsRedirect",
        ),
        case(
            "A-GW-6",
            gateway(json!({})),
            gateway(json!({"hosts": []})),
            "spec.servers[0].hosts",
        ),
        case(
            "A-GW-7",
            gateway(json!({"hosts": ["./a.com", "*/*.a.com", "1.2.3.4"]})),
            gateway(json!({"hosts": ["short"]})),
            "spec.servers[0].hosts[0]",
        ),
        case(
            "A-GW-8",
            gateway(json!({})),
            gateway(json!({"port": null})),
            "spec.servers[0].port",
        ),
        case(
            "A-GW-9",
            port(json!({"protocol": "http2"})),
            port(json!({"protocol": ""})),
            "spec.servers[0].port.protocol",
        ),
        case(
            "A-GW-10",
            unix(json!({})),
            port(json!({"number": 0})),
            "spec.servers[0].port.number",
        ),
        case(
            "A-GW-11",
            gateway(json!({})),
            port(json!({"targetPort": 80})),
            "spec.servers[0].port.targetPort",
        ),
        case(
            "A-GW-12",
            gateway(json!({})),
            port(json!({"name": ""})),
            "spec.servers[0].port.name",
        ),
        case(
            "A-GW-13",
            unix(json!({"bind": "unix://@a"})),
            unix(json!({"bind": "unix://a"})),
            "spec.servers[0].bind",
        ),
        case(
            "A-GW-14",
            unix(json!({})),
            unix(json!({"port": {"number": 80}})),
            "spec.servers[0].bind",
        ),
        case(
            "A-GW-15",
            gateway(json!({"bind": "::1"})),
            gateway(json!({"bind": "a.com"})),
            "spec.servers[0].bind",
        ),
        case(
            "A-GW-16",
            https(files.clone()),
            https(json!(null)),
            "spec.servers[0].tls",
        ),
        case(
            "A-GW-17",
            gateway(json!({"tls": {"httpsRedirect": true}})),
            gateway(json!({"tls": files.clone()})),
            "spec.servers[0].tls",
        ),
        case(
            "A-GW-18",
            port(json!({"protocol": "TCP"})),
            gateway(json!({"port": {"protocol": "TCP"}, "tls": {}})),
            "spec.servers[0].tls",
        ),
    ]
}

fn server_tls() -> Vec<Case> {
    let case = |id, pass, fail, path| super::case(id, &Kind::Gateway, pass, fail, path);
    let simple = |patch: Value| {
        https(patched(
            json!({"mode": "SIMPLE", "serverCertificate": "/c", "privateKey": "/k"}),
            patch,
        ))
    };
    let certificates = |count: usize| {
        let list = vec![json!({"serverCertificate": "/c", "privateKey": "/k"}); count];
        https(json!({"mode": "SIMPLE", "tlsCertificates": list}))
    };
    vec![
        case(
            "A-ST-1",
            simple(json!({"minProtocolVersion": "TLSV1_1", "cipherSuites": ["AES128-SHA"]})),
            simple(json!({"minProtocolVersion": "TLSV1_1"})),
            "spec.servers[0].tls.minProtocolVersion",
        ),
        case(
            "A-ST-2",
            simple(json!({"cipherSuites": ["AES128-SHA"]})),
            simple(json!({"cipherSuites": ["RC4"]})),
            "spec.servers[0].tls.cipherSuites",
        ),
        case(
            "A-ST-3",
            simple(json!({"cipherSuites": ["AES128-SHA", "AES256-SHA"]})),
            simple(json!({"cipherSuites": ["AES128-SHA", "AES128-SHA"]})),
            "spec.servers[0].tls.cipherSuites",
        ),
        case(
            "A-ST-4",
            https(json!({"mode": "ISTIO_MUTUAL"})),
            https(json!({"mode": "ISTIO_MUTUAL", "privateKey": "/k"})),
            "spec.servers[0].tls.privateKey",
        ),
        case(
            "A-ST-5",
            https(json!({})),
            https(json!({"caCrl": "/crl"})),
            "spec.servers[0].tls.caCrl",
        ),
        case(
            "A-ST-6",
            simple(json!({})),
            simple(json!({"credentialName": "c"})),
            "spec.servers[0].tls",
        ),
        case(
            "A-ST-8",
            simple(json!({"mode": "MUTUAL", "caCertificates": "/ca"})),
            simple(json!({"mode": "OPTIONAL_MUTUAL"})),
            "spec.servers[0].tls.caCertificates",
        ),
        case(
            "A-ST-9",
            certificates(2),
            certificates(3),
            "spec.servers[0].tls.tlsCertificates",
        ),
        case(
            "A-ST-10",
            simple(json!({})),
            simple(json!({"serverCertificate": null})),
            "spec.servers[0].tls.serverCertificate",
        ),
        case(
            "A-ST-11",
            certificates(1),
            https(json!({"mode": "SIMPLE", "tlsCertificates": [{"serverCertificate": "/c"}]})),
            "spec.servers[0].tls.tlsCertificates[0].privateKey",
        ),
        case(
            "A-ST-12",
            https(json!({"credentialName": "c"})),
            https(json!({"credentialName": "c", "caCrl": "/crl"})),
            "spec.servers[0].tls.caCrl",
        ),
        case(
            "A-ST-13",
            simple(json!({"mode": "MUTUAL", "caCertificates": "/ca", "caCrl": "/crl"})),
            simple(json!({"caCrl": "/crl"})),
            "spec.servers[0].tls.caCrl",
        ),
    ]
}

/// A valid service entry, changed.
fn entry(patch: Value) -> Value {
    let ports = json!([{"number": 80, "name": "http", "protocol": "HTTP"}]);
    patched(
        json!({"hosts": ["a.com"], "ports": ports, "resolution": "STATIC"}),
        patch,
    )
}

/// The same with its one port changed.
fn port(patch: Value) -> Value {
    entry(json!({"ports": [patched(json!({"number": 80, "name": "http", "protocol": "HTTP"}), patch)]}))
}

fn entry_case(id: &'static str, pass: Value, fail: Value, path: &'static str) -> Case {
    super::case(id, &Kind::ServiceEntry, pass, fail, path)
}

fn service_entries() -> Vec<Case> {
    let case = entry_case;
    let selector = |labels: Value| json!({"workloadSelector": {"labels": labels}});
    let two = |number: u32, name: &str| {
        entry(json!({"ports": [
            {"number": 80, "name": "http", "protocol": "HTTP"},
            {"number": number, "name": name, "protocol": "HTTP"},
        ]}))
    };
    vec![
        case(
            "A-SE-1",
            entry(selector(json!({"a": "b"}))),
            entry(selector(json!({"a": "*"}))),
            "spec.workloadSelector.labels.a",
        ),
        case(
            "A-SE-2",
            entry(selector(json!({"a": "b"}))),
            entry(selector(json!({}))),
            "spec.workloadSelector.labels",
        ),
        case(
            "A-SE-3",
            entry(selector(json!({"a": "b"}))),
            patched(
                entry(selector(json!({"a": "b"}))),
                json!({"endpoints": [{"address": "1.1.1.1"}]}),
            ),
            "spec.workloadSelector",
        ),
        case(
            "A-SE-4",
            entry(json!({})),
            entry(json!({"hosts": []})),
            "spec.hosts",
        ),
        case(
            "A-SE-5",
            entry(json!({"hosts": ["*.a.com"]})),
            entry(json!({"hosts": ["*"]})),
            "spec.hosts[0]",
        ),
        case(
            "A-SE-6",
            entry(json!({"hosts": ["a"]})),
            entry(json!({"hosts": ["a_b"]})),
            "spec.hosts[0]",
        ),
        case(
            "A-SE-7",
            entry(json!({"hosts": ["*.a.com"]})),
            entry(json!({"hosts": ["*a.com"]})),
            "spec.hosts[0]",
        ),
        case(
            "A-SE-8",
            entry(json!({"addresses": ["10.0.0.1", "10.0.0.1/8"]})),
            entry(json!({"addresses": ["10.0.0"]})),
            "spec.addresses[0]",
        ),
        case(
            "A-SE-9",
            entry(json!({"addresses": ["10.0.0.0/8"]})),
            entry(json!({"resolution": "DNS", "addresses": ["10.0.0.1", "10.0.0.0/8"]})),
            "spec.addresses[1]",
        ),
        case("A-SE-11", two(81, "other"), two(81, "http"), "spec.ports[1].name"),
        case(
            "A-SE-12",
            two(81, "other"),
            two(80, "other"),
            "spec.ports[1].number",
        ),
        case(
            "A-SE-13",
            port(json!({"targetPort": 8080})),
            port(json!({"targetPort": 65536})),
            "spec.ports[0].targetPort",
        ),
        case(
            "A-SE-14",
            port(json!({"protocol": "TCP"})),
            patched(port(json!({"protocol": "TCP"})), json!({"resolution": null})),
            "spec.ports[0]",
        ),
        case(
            "A-SE-15",
            port(json!({"name": "http"})),
            port(json!({"name": "ht_tp"})),
            "spec.ports[0].name",
        ),
        case(
            "A-SE-16",
            port(json!({"protocol": ""})),
            port(json!({"protocol": "SMTP"})),
            "spec.ports[0].protocol",
        ),
        case(
            "A-SE-17",
            port(json!({"number": 1})),
            port(json!({"number": 0})),
            "spec.ports[0].number",
        ),
        case(
            "A-SE-34",
            entry(json!({})),
            entry(json!({"resolution": 9})),
            "spec.resolution",
        ),
        case(
            "A-SE-35",
            entry(json!({"hosts": ["a.com", "b.com"]})),
            patched(
                port(json!({"protocol": "TCP"})),
                json!({"hosts": ["a.com", "b.com"], "addresses": ["1.1.1.1"]}),
            ),
            "spec.ports[0].protocol",
        ),
        case(
            "A-SE-36",
            entry(json!({"exportTo": ["~"]})),
            entry(json!({"exportTo": ["~", "*"]})),
            "spec.exportTo",
        ),
    ]
}

fn resolutions() -> Vec<Case> {
    let case = entry_case;
    let none = |patch: Value| entry(patched(json!({"resolution": null}), patch));
    let dns = |patch: Value| entry(patched(json!({"resolution": "DNS"}), patch));
    let endpoint = |endpoint: Value| dns(json!({"endpoints": [endpoint]}));
    let dynamic = |patch: Value| {
        entry(patched(
            json!({"resolution": "DYNAMIC_DNS", "hosts": ["*.a.com"]}),
            patch,
        ))
    };
    let tcp = json!([{"number": 80, "name": "tcp", "protocol": "TCP"}]);
    let internal = |waypoint: &'static str| {
        let mut object = Object::new(Kind::ServiceEntry, dynamic(json!({"location": "MESH_INTERNAL"})));
        object.meta = object.meta.with_label("istio.io/use-waypoint", waypoint);
        object
    };
    vec![
        case(
            "A-SE-18",
            none(json!({})),
            none(json!({"endpoints": [{"address": "1.1.1.1"}]})),
            "spec.endpoints",
        ),
        case(
            "A-SE-19",
            entry(json!({"workloadSelector": {"labels": {"a": "b"}}})),
            none(json!({"workloadSelector": {"labels": {"a": "b"}}})),
            "spec.workloadSelector",
        ),
        case(
            "A-SE-21",
            dns(json!({})),
            dns(json!({"hosts": ["*.a.com"]})),
            "spec.hosts[0]",
        ),
        case(
            "A-SE-22",
            dns(json!({"endpoints": [{"address": "a"}, {"address": "b"}]})),
            dns(json!({"resolution": "DNS_ROUND_ROBIN", "endpoints": [{"address": "a"}, {"address": "b"}]})),
            "spec.endpoints",
        ),
        case(
            "A-SE-23",
            endpoint(json!({"address": "b.com"})),
            endpoint(json!({"address": "unix:///x"})),
            "spec.endpoints[0].address",
        ),
        case(
            "A-SE-24",
            endpoint(json!({"address": "b", "labels": {"a": "b"}})),
            endpoint(json!({"address": "b", "labels": {"a": "b c"}})),
            "spec.endpoints[0].labels.a",
        ),
        case(
            "A-SE-25",
            endpoint(json!({"address": "b", "ports": {"http": 80}})),
            endpoint(json!({"address": "b", "ports": {"other": 80}})),
            "spec.endpoints[0].ports.other",
        ),
        case(
            "A-SE-26",
            endpoint(json!({"address": "b", "ports": {"http": 80}})),
            endpoint(json!({"address": "b", "ports": {"http": 0}})),
            "spec.endpoints[0].ports.http",
        ),
        case(
            "A-SE-27",
            dns(json!({"ports": tcp.clone(), "addresses": ["1.1.1.1"]})),
            dns(json!({"ports": tcp.clone(), "addresses": ["1.1.1.1"], "hosts": ["a.com", "b.com"]})),
            "spec.hosts",
        ),
        case(
            "A-SE-28",
            dynamic(json!({})),
            dynamic(json!({"hosts": ["*.a.com", "a.com"]})),
            "spec.hosts[1]",
        ),
        case(
            "A-SE-29",
            dynamic(json!({})),
            dynamic(json!({"addresses": ["1.1.1.1"]})),
            "spec.addresses",
        ),
        case(
            "A-SE-30",
            dynamic(json!({})),
            dynamic(json!({"endpoints": [{"address": "a"}]})),
            "spec.endpoints",
        ),
        case(
            "A-SE-31",
            dynamic(json!({})),
            dynamic(json!({ "ports": tcp })),
            "spec.ports[0].protocol",
        ),
        case(
            "A-SE-32",
            dynamic(json!({"location": 1})),
            dynamic(json!({"location": 2})),
            "spec.location",
        ),
        Case {
            id: "A-SE-33",
            pass: internal("none"),
            fail: internal("waypoint"),
            path: "metadata.labels[\"istio.io/use-waypoint\"]",
        },
    ]
}

fn workload_entries() -> Vec<Case> {
    let case = |id, pass, fail, path| super::case(id, &Kind::WorkloadEntry, pass, fail, path);
    let workload = |patch: Value| patched(json!({"address": "1.1.1.1"}), patch);
    let endpoint = |endpoint: Value| entry(json!({"endpoints": [endpoint]}));
    vec![
        case("A-WE-1", workload(json!({})), json!({}), "spec.address"),
        case(
            "A-WE-2",
            workload(json!({"network": "n"})),
            json!({"network": "n"}),
            "spec.address",
        ),
        case(
            "A-WE-3",
            workload(json!({"address": "unix:///a"})),
            workload(json!({"address": "unix://"})),
            "spec.address",
        ),
        case(
            "A-WE-4",
            workload(json!({"ports": {"http": 80}})),
            workload(json!({"address": "unix:///a", "ports": {"http": 80}})),
            "spec.ports",
        ),
        case(
            "A-WE-5",
            workload(json!({"address": "a.com"})),
            workload(json!({"address": "a_b"})),
            "spec.address",
        ),
        entry_case(
            "A-WE-6",
            endpoint(workload(json!({"ports": {"http": 80}}))),
            endpoint(workload(json!({"ports": {"other": 80}}))),
            "spec.endpoints[0].ports.other",
        ),
        case(
            "A-WE-7",
            workload(json!({"ports": {"a": 1}})),
            workload(json!({"ports": {"a.b": 1}})),
            "spec.ports[\"a.b\"]",
        ),
        case(
            "A-WE-8",
            workload(json!({"ports": {"a": 1}})),
            workload(json!({"ports": {"a": 70000}})),
            "spec.ports.a",
        ),
        case(
            "A-WE-9",
            workload(json!({"labels": {"a": "b"}})),
            workload(json!({"labels": {"": "b"}})),
            "spec.labels[\"\"]",
        ),
        entry_case(
            "A-WE-10",
            endpoint(json!({"address": "unix:///a"})),
            patched(endpoint(json!({"address": "unix:///a"})), json!({"ports": []})),
            "spec.endpoints[0].address",
        ),
    ]
}

fn sidecar_case(id: &'static str, pass: Value, fail: Value, path: &'static str) -> Case {
    super::case(id, &Kind::Sidecar, pass, fail, path)
}

fn sidecar(patch: Value) -> Value {
    patched(json!({"egress": [{"hosts": ["./*"]}]}), patch)
}

fn egress(listeners: Value) -> Value {
    json!({ "egress": listeners })
}

fn sidecars() -> Vec<Case> {
    let case = sidecar_case;
    let selector = |labels: Value| sidecar(json!({"workloadSelector": {"labels": labels}}));
    let hosts = |hosts: Value| egress(json!([{ "hosts": hosts }]));
    let outbound = |policy: Value| sidecar(json!({ "outboundTrafficPolicy": policy }));
    let proxy = |patch: Value| {
        let proxy = patched(json!({"host": "a.com", "port": {"number": 80}}), patch);
        outbound(json!({"mode": "ALLOW_ANY", "egressProxy": proxy}))
    };
    vec![
        case(
            "A-SC-1",
            selector(json!({"a": "b"})),
            selector(json!({"": "b"})),
            "spec.workloadSelector.labels[\"\"]",
        ),
        case(
            "A-SC-2",
            selector(json!({"a": "b"})),
            selector(json!({})),
            "spec.workloadSelector.labels",
        ),
        case("A-SC-3", json!({"outboundTrafficPolicy": {}}), json!({}), "spec"),
        case(
            "A-SC-31",
            sidecar(json!({})),
            hosts(json!([])),
            "spec.egress[0].hosts",
        ),
        case(
            "A-SC-32",
            hosts(json!(["~/*", "*/a.com"])),
            hosts(json!(["a.com"])),
            "spec.egress[0].hosts[0]",
        ),
        case(
            "A-SC-33",
            hosts(json!(["./a.com", "x/a.com"])),
            hosts(json!(["./a.com", "shop/*"])),
            "spec.egress[0].hosts[1]",
        ),
        case(
            "A-SC-34",
            hosts(json!(["*/*"])),
            hosts(json!(["*/*", "./*"])),
            "spec.egress[0].hosts",
        ),
        case(
            "A-SC-35",
            outbound(json!({"mode": 1})),
            outbound(json!({"mode": 3})),
            "spec.outboundTrafficPolicy.mode",
        ),
        case(
            "A-SC-36",
            proxy(json!({})),
            patched(proxy(json!({})), json!({"outboundTrafficPolicy": {"mode": null}})),
            "spec.outboundTrafficPolicy.egressProxy",
        ),
        case(
            "A-SC-37",
            proxy(json!({})),
            proxy(json!({"host": "*.a.com"})),
            "spec.outboundTrafficPolicy.egressProxy.host",
        ),
        case(
            "A-SC-38",
            proxy(json!({})),
            proxy(json!({"port": null})),
            "spec.outboundTrafficPolicy.egressProxy.port",
        ),
    ]
}

fn sidecar_ports() -> Vec<Case> {
    let case = sidecar_case;
    let listener = |patch: Value| {
        patched(
            json!({"port": {"number": 80, "protocol": "HTTP", "name": "http"}}),
            patch,
        )
    };
    let ingress = |patch: Value| json!({"ingress": [listener(patch)]});
    let endpoint = |endpoint: &str| ingress(json!({ "defaultEndpoint": endpoint }));
    let tls = |patch: Value| {
        let tls = patched(
            json!({"mode": "SIMPLE", "serverCertificate": "/c", "privateKey": "/k"}),
            patch,
        );
        ingress(json!({"port": {"protocol": "TLS"}, "tls": tls}))
    };
    let out = |patch: Value| patched(json!({"port": {"number": 80}, "hosts": ["./*"]}), patch);
    let one = |patch: Value| egress(json!([out(patch)]));
    let two = |a: Value, b: Value| egress(json!([out(a), out(b)]));
    let unix = |patch: Value| patched(json!({"port": {"number": null}, "bind": "unix:///a"}), patch);
    let pool =
        |protocol: &str| ingress(json!({"port": {"protocol": protocol}, "connectionPool": {"http": {}}}));
    vec![
        case(
            "A-SC-4",
            ingress(json!({})),
            ingress(json!({"port": null})),
            "spec.ingress[0].port",
        ),
        case(
            "A-SC-5",
            ingress(json!({})),
            one(json!({"port": {"targetPort": 1}})),
            "spec.egress[0].port.targetPort",
        ),
        case(
            "A-SC-6",
            ingress(json!({})),
            ingress(json!({"port": {"name": "a_b"}})),
            "spec.ingress[0].port.name",
        ),
        case(
            "A-SC-7",
            ingress(json!({"port": {"protocol": ""}})),
            ingress(json!({"port": {"protocol": "x"}})),
            "spec.ingress[0].port.protocol",
        ),
        case(
            "A-SC-8",
            ingress(json!({})),
            ingress(json!({"port": {"number": 0}})),
            "spec.ingress[0].port.number",
        ),
        case(
            "A-SC-9",
            ingress(json!({"bind": "0.0.0.0"})),
            ingress(json!({"bind": "unix:///a"})),
            "spec.ingress[0].bind",
        ),
        case(
            "A-SC-10",
            json!({"ingress": [listener(json!({})), listener(json!({"port": {"number": 81}}))]}),
            json!({"ingress": [listener(json!({})), listener(json!({}))]}),
            "spec.ingress[1].port.number",
        ),
        case(
            "A-SC-11",
            endpoint("unix:///a"),
            endpoint("unix://"),
            "spec.ingress[0].defaultEndpoint",
        ),
        case(
            "A-SC-12",
            endpoint("[::1]:80"),
            endpoint("127.0.0.1"),
            "spec.ingress[0].defaultEndpoint",
        ),
        case(
            "A-SC-13",
            endpoint(":80"),
            endpoint("1.2.3.4:80"),
            "spec.ingress[0].defaultEndpoint",
        ),
        case(
            "A-SC-14",
            endpoint("127.0.0.1:80"),
            endpoint("127.0.0.1:http"),
            "spec.ingress[0].defaultEndpoint",
        ),
        case(
            "A-SC-15",
            tls(json!({})),
            tls(json!({"httpsRedirect": true})),
            "spec.ingress[0].tls.httpsRedirect",
        ),
        case(
            "A-SC-16",
            tls(json!({})),
            tls(json!({"mode": "AUTO_PASSTHROUGH"})),
            "spec.ingress[0].tls.mode",
        ),
        case(
            "A-SC-17",
            tls(json!({})),
            ingress(json!({"tls": {}})),
            "spec.ingress[0].tls",
        ),
        case(
            "A-SC-20",
            pool("HTTP"),
            pool("TCP"),
            "spec.ingress[0].connectionPool.http",
        ),
        case(
            "A-SC-22",
            two(json!({}), json!({"port": null})),
            two(json!({"port": null}), json!({})),
            "spec.egress[0].port",
        ),
        case(
            "A-SC-24",
            one(unix(json!({}))),
            one(unix(json!({"bind": null}))),
            "spec.egress[0].bind",
        ),
        case(
            "A-SC-25",
            one(unix(json!({}))),
            one(unix(json!({"bind": "unix://a"}))),
            "spec.egress[0].bind",
        ),
        case(
            "A-SC-26",
            one(unix(json!({"captureMode": "NONE"}))),
            one(unix(json!({"captureMode": "IPTABLES"}))),
            "spec.egress[0].captureMode",
        ),
        case(
            "A-SC-27",
            one(json!({})),
            one(json!({"port": {"number": 65536}})),
            "spec.egress[0].port.number",
        ),
        case(
            "A-SC-28",
            one(json!({"bind": "::"})),
            one(json!({"bind": "unix:///a"})),
            "spec.egress[0].bind",
        ),
        case(
            "A-SC-29",
            two(unix(json!({})), unix(json!({"bind": "unix:///b"}))),
            two(unix(json!({})), unix(json!({}))),
            "spec.egress[1].bind",
        ),
        case(
            "A-SC-30",
            two(json!({}), json!({"port": {"number": 81}})),
            two(json!({}), json!({})),
            "spec.egress[1].port.number",
        ),
    ]
}

fn peer_authentications() -> Vec<Case> {
    let case = |id, pass, fail, path| super::case(id, &Kind::PeerAuthentication, pass, fail, path);
    let selected = |ports: Value| json!({"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": ports});
    vec![
        case(
            "A-PA-1",
            selected(json!({"80": {}})),
            json!({"portLevelMtls": {"80": {}}}),
            "spec.portLevelMtls",
        ),
        case(
            "A-PA-2",
            selected(json!({"80": {}})),
            selected(json!({})),
            "spec.portLevelMtls",
        ),
        case(
            "A-PA-3",
            selected(json!({"80": {}})),
            selected(json!({"0": {}})),
            "spec.portLevelMtls.0",
        ),
        case(
            "A-PA-4",
            json!({"selector": {"matchLabels": {"a": "b"}}}),
            json!({"selector": {"matchLabels": {"a": "*"}}}),
            "spec.selector.matchLabels.a",
        ),
    ]
}
