use super::*;
use crate::meta::ObjectMeta;

pub(super) fn cases() -> Vec<Case> {
    [gateways(), server_tls()].into_iter().flatten().collect()
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
