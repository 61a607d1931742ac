use super::*;

pub(super) fn cases() -> Vec<Case> {
    [sidecars(), sidecar_ports()].into_iter().flatten().collect()
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
