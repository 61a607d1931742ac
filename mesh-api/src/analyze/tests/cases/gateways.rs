use super::*;

pub(super) fn cases() -> Vec<Case> {
    [conflicts(), credentials(), ports()]
        .into_iter()
        .flatten()
        .collect()
}

const INGRESS: &str = "{istio: ingressgateway}";
const EDGE: &str = "{app: edge}";

fn gateway(name: &str, selector: &str, port: u32, host: &str) -> String {
    let server = format!("{{port: {{number: {port}, name: p, protocol: HTTP}}, hosts: ['{host}']}}");
    o(
        &format!("Gateway shop/{name}"),
        &format!("{{selector: {selector}, servers: [{server}]}}"),
    )
}

fn secured(name: &str, selector: &str, credential: &str) -> String {
    let tls = format!("tls: {{mode: SIMPLE, credentialName: {credential}}}");
    let server = format!("{{port: {{number: 443, name: p, protocol: HTTPS}}, {tls}, hosts: [{name}.com]}}");
    o(
        &format!("Gateway shop/{name}"),
        &format!("{{selector: {selector}, servers: [{server}]}}"),
    )
}

fn secret(certificate: &str, key: &str) -> String {
    let indent = |text: &str| text.trim().replace('\n', "\n    ");
    let data = format!(
        "stringData:\n  tls.crt: |\n    {}\n  tls.key: |\n    {}",
        indent(certificate),
        indent(key)
    );
    object("Secret istio-system/cert", "", &data)
}

fn port_of(name: &str) -> String {
    format!("Gateway shop/{name} spec.servers[0].port.number")
}

fn conflicts() -> Vec<Case> {
    let (a, b) = (port_of("a"), port_of("b"));
    let within = || {
        [
            gateway("a", EDGE, 80, "x.com"),
            gateway("b", "{app: edge, zone: a}", 80, "x.com"),
        ]
    };
    vec![
        case(
            "IST0138",
            &["Gateway shop/a metadata.name", "Gateway shop/b metadata.name"],
            [secured("a", INGRESS, "one"), secured("b", INGRESS, "one")],
            [
                secured("a", INGRESS, "one"),
                secured("b", EDGE, "one"),
                secured("c", INGRESS, "two"),
            ],
        ),
        case(
            "IST0145",
            &[&a, &b],
            [
                gateway("a", INGRESS, 80, "x.com"),
                gateway("b", INGRESS, 80, "*.com"),
            ],
            [
                gateway("a", INGRESS, 80, "x.com"),
                gateway("b", INGRESS, 80, "y.com"),
                gateway("c", EDGE, 80, "x.com"),
                gateway("d", INGRESS, 81, "x.com"),
            ],
        ),
        // one selector within the other, and a pod that both select
        case(
            "IST0145",
            &[&a, &b],
            within()
                .into_iter()
                .chain([pod("shop/p", "{app: edge, zone: a}")]),
            within()
                .into_iter()
                .chain([pod("shop/p", "{app: edge, zone: b}")]),
        ),
    ]
}

fn credentials() -> Vec<Case> {
    let at = "Gateway shop/a spec.servers[0].tls.credentialName";
    let user = || secured("a", INGRESS, "cert");
    // the first certificate ends in 2028, the other one in 2098
    let in_2030: fn(&mut AnalyzeOptions) = |options| options.now = "2030-01-01T00:00:00Z".parse().ok();
    let in_2027: fn(&mut AnalyzeOptions) = |options| options.now = "2027-01-01T00:00:00Z".parse().ok();
    let valid = || [user(), secret(CERTIFICATE, KEY)];
    let other = || [user(), secret(OTHER_CERTIFICATE, OTHER_KEY)];
    vec![
        case(
            "IST0101",
            &[at],
            [secured("a", INGRESS, "missing"), secret(CERTIFICATE, KEY)],
            valid(),
        ),
        case(
            "IST0161",
            &[at],
            [user(), secret(CERTIFICATE, OTHER_KEY)],
            valid(),
        ),
        case(
            "IST0161",
            &[at],
            [user(), secret(OTHER_CERTIFICATE, KEY)],
            other(),
        )
        .with(in_2030),
        case(
            "IST0161",
            &[at],
            [
                user(),
                object("Secret istio-system/cert", "", "data: {tls.crt: aGk=}"),
            ],
            valid(),
        )
        .with(in_2027),
        case("IST0161", &[at], valid(), other()).with(in_2030),
        case(
            "IST0161",
            &[at],
            [
                user(),
                secret(
                    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
                    KEY,
                ),
            ],
            other(),
        ),
    ]
}

fn ports() -> Vec<Case> {
    let a = port_of("a");
    let service = |target: u32| {
        o(
            "Service edge/s",
            &format!("{{selector: {EDGE}, ports: [{{name: http, port: 80, targetPort: {target}}}]}}"),
        )
    };
    vec![
        case(
            "IST0101",
            &["Gateway shop/a spec.selector.app"],
            [gateway("a", EDGE, 80, "x.com")],
            [gateway("a", INGRESS, 80, "x.com")],
        ),
        case(
            "IST0162",
            &[&a],
            [gateway("a", INGRESS, 8080, "x.com")],
            [gateway("a", INGRESS, 443, "x.com")],
        ),
        case(
            "IST0162",
            &[&a],
            [
                gateway("a", EDGE, 8080, "x.com"),
                pod("edge/p", EDGE),
                service(8081),
            ],
            [
                gateway("a", EDGE, 8080, "x.com"),
                pod("edge/p", EDGE),
                service(8080),
            ],
        ),
    ]
}

/// P-256, made for this test; the key is SEC 1.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBbjCCAROgAwIBAgIURoRTE2E7ELYO/vvx+bLLJjwMvFAwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAeFw0yNjExMjgwODM0MThaFw0yODEwMjgwODM0MThaMAwx
CjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATquRR3ZvEkg1L+
fvorUUpTr5ASSJT8iLhljQotJRZmu/kdeJ21RSfWOH7TTP/MJ9KGoOBffoUq+gTW
fJxO3z44o1MwUTAdBgNVHQ4EFgQUWlFThxgEzaVipK0cFPuzPHJe28UwHwYDVR0j
BBgwFoAUWlFThxgEzaVipK0cFPuzPHJe28UwDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNJADBGAiEAhkUIPSITPRoaqtWyOFwwdBXhOhPpZSCDafIcaRpxUj0C
IQDQ5VhaoGeRThOK3uzJlDpqDjW7d2THrtljsH5ISVujMw==
-----END CERTIFICATE-----";

const KEY: &str = "\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEILKrQf9KGlBp8jPoBWJzKvu+3EPXstNizKzhTtwV9xggoAoGCCqGSM49
AwEHoUQDQgAE6rkUd2bxJINS/n76K1FKU6+QEkiU/Ii4ZY0KLSUWZrv5HXidtUUn
1jh+00z/zCfShqDgX36FKvoE1nycTt8+OA==
-----END EC PRIVATE KEY-----";

/// RSA with 1024 bits, made for this test; the key is PKCS #8.
const OTHER_CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIB9jCCAV+gAwIBAgIUaWDO5AyTtlTfv2bsqwHYTgqsfEMwDQYJKoZIhvcNAQEL
BQAwDDEKMAgGA1UEAwwBYjAgFw0yNjExMjgwODM0MThaGA8yMDk4MDIwMzA4MzQx
OFowDDEKMAgGA1UEAwwBYjCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAu2Li
TL3ftcqzbZ90rFXr2NERpT6QB1Dz6U8p1+APAQm3sMC4pb2UvolI9Ls7F8bBB4zU
oQuYIzdcsVJYwHE7xpfLhW9RBKWvigxHFk2g02jRbP7nI0nfkENye06uH9zCg4nC
9diCQmK5oLhVIO8tA0Di7GeF9Kd+ZYO7V0z9Y90CAwEAAaNTMFEwHQYDVR0OBBYE
FGeAd0fo5YLPVElOlWGdACJAQnP2MB8GA1UdIwQYMBaAFGeAd0fo5YLPVElOlWGd
ACJAQnP2MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADgYEAZ2EIBQsB
s7eCdSmB5s64GdAkkMXexC5NLYrRsTB6y0ii2Vc+/SDdYr3dHTz0VEaE7Mr9hzE7
lJVwP77sPgpMaf0Awv/3ZX/CWyvEun44nFtvBQVE/15KQthEo6uKeMGK8hZ/FJ6z
P0BzyKXicWXnhPnC94CLu0LMcXMSv2jMuqk=
-----END CERTIFICATE-----";

const OTHER_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALti4ky937XKs22f
dKxV69jREaU+kAdQ8+lPKdfgDwEJt7DAuKW9lL6JSPS7OxfGwQeM1KELmCM3XLFS
WMBxO8aXy4VvUQSlr4oMRxZNoNNo0Wz+5yNJ35BDcntOrh/cwoOJwvXYgkJiuaC4
VSDvLQNA4uxnhfSnfmWDu1dM/WPdAgMBAAECgYEAtkeXiT0+i7GVXvK45Rdjp/Kf
7pVwN5241uCJ/JPZJJJWXJrsQ1Wqhro2/NHQxu0xQm3tPIdxw/gLs/Y9nV3I3VYi
aXJ+7qZAnmfoFeBerv3AbGDWpPCEx9LEDquCVKHwAA/S0jvCp3Gi2n/Necy0EBSU
G6thCxP63dCh6gPtiWECQQD2aXjGbruiPMQ5uxNg1xPd4sRuxzHtoKfqySOomCsA
eVQmlcam71EPnCCQqtOmzMrn5EmVMl7GdUX6kzKbYYq1AkEAwq1z1mZFJ1nXUw6T
hpWOQt/O4xVcz0pa0k+vDfhN91IOPTinGhItR+DaI27Q5/YXkc2NU/jYuyYBHpNB
6oYliQJARMWtGpy/K4mQLpii0O1WMyBeOJjJu4uSMfoPRLerkMdMEDTPK7oxQo0N
nbK/vZb8rnnNe6GCSBtk+4lnn2w63QJAMHLmXzc4gqCTO/JmuJnDu9TjMhSA8n24
uJpoIHvpO2HKdWYCADUB29+TqjnL986A8yJKx9koZvsAUFGpl+omsQJAKoM3LMut
sSbBKKOd8AX1A6nefUinEwbY4a/u478wAgtfFVgXZ1/T9vEKjZHfWUVUO3B2ez1r
Zu6jytGpBlDS8w==
-----END PRIVATE KEY-----";
