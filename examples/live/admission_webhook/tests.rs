//! The webhook, asked over TLS on loopback.

use std::sync::atomic::{AtomicBool, Ordering};

use mesh_ca::UnixTime;
use serde_json::{Value, json};

use crate::args::Args;
use crate::client::Client;
use crate::identity::Identity;
use crate::server::Server;
use crate::{ask, configuration, run};

const NAME: &str = "istiod.istio-system.svc";

fn identity() -> Identity {
    let now: UnixTime = live_examples::Clock::start().now().wall;
    Identity::issue(NAME, now, &mut live_examples::Device::open().unwrap()).unwrap()
}

/// Calls `ask` with a server that is up, and ends the server.
fn with_server<T>(identity: &Identity, ask: impl FnOnce(&Server) -> T) -> T {
    let server = Server::bind("127.0.0.1:0", identity).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| server.serve(&stop));
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| ask(&server)));
        stop.store(true, Ordering::SeqCst);
        server.wake();
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[test]
fn it_answers_as_istiod_does() {
    // A-ADM-2, A-ADM-4, A-ADM-5
    let mut out = Vec::new();
    run(&Args::parse(&[]).unwrap(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("https://127.0.0.1:"), "{text}");
    assert!(
        lines[1].contains("spiffe://cluster.local/ns/istio-system/sa/istiod, istiod.istio-system.svc until "),
        "{text}"
    );
    let verdicts: Vec<&&str> = lines[2..].iter().filter(|line| !line.starts_with("  ")).collect();
    assert_eq!(
        verdicts,
        [
            &"VirtualService shop/reviews: allowed",
            &"VirtualService shop/everything: denied",
            &"DestinationRule shop/reviews: allowed",
            &"PeerAuthentication shop/default: denied",
        ]
    );
    assert!(
        text.contains("  configuration is invalid: spec.hosts[0]: "),
        "{text}"
    );
    assert!(text.contains("spec.http[0].route[0].weight"), "{text}");
    assert!(
        text.contains("  warning: spec.trafficPolicy.outlierDetection.consecutiveErrors: "),
        "{text}"
    );
    assert!(
        text.contains("  unknown field `mtls` on PeerAuthentication resource shop/default"),
        "{text}"
    );
}

#[test]
fn one_connection_serves_many_requests_and_other_ones_are_refused() {
    // A-ADM-1, A-ADM-3
    let identity = identity();
    with_server(&identity, |server| {
        let mut client = Client::connect(server.address().unwrap(), NAME, &identity.root).unwrap();
        let bad = json!({ "apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": { "name": "a" }, "spec": {} });
        let mut review: Value = serde_json::from_slice(&ask::review("u", &bad)).unwrap();
        for (operation, allowed) in [("CREATE", false), ("DELETE", true), ("UPDATE", false)] {
            review["request"]["operation"] = json!(operation);
            let (status, body) = client
                .post("/validate", "application/json", review.to_string().as_bytes())
                .unwrap();
            let answer: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(
                (status, &answer["response"]["allowed"]),
                (200, &json!(allowed)),
                "{operation}"
            );
        }
        for (path, content_type, body, status) in [
            ("/validate", "application/json", &b""[..], 400),
            ("/validate", "text/plain", b"{}", 415),
            ("/validate?timeout=10s", "application/json", b"{}", 200),
            ("/inject", "application/json", b"{}", 404),
        ] {
            assert_eq!(
                client.post(path, content_type, body).unwrap().0,
                status,
                "{path} {content_type}"
            );
        }
        assert_eq!(
            client.send(b"GET /ready HTTP/1.1\r\n\r\n").unwrap(),
            (200, b"ready".to_vec())
        );
        assert_eq!(client.send(b"PUT /validate HTTP/1.1\r\n\r\n").unwrap().0, 405);
    });
}

#[test]
fn what_is_too_much_or_no_http_ends_the_connection() {
    // A-ADM-1
    let identity = identity();
    let long = format!("POST /validate HTTP/1.1\r\nx: {}", "y".repeat(20 << 10));
    with_server(&identity, |server| {
        for (request, status) in [
            (&b"hello\r\n\r\n"[..], 400),
            (
                b"POST /validate HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n",
                413,
            ),
            (b"POST /validate HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400),
            (
                b"POST /validate HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
                411,
            ),
            (long.as_bytes(), 431),
        ] {
            let mut client = Client::connect(server.address().unwrap(), NAME, &identity.root).unwrap();
            assert_eq!(
                client.send(request).unwrap().0,
                status,
                "{}",
                String::from_utf8_lossy(request)
            );
            assert!(
                client.send(b"GET /ready HTTP/1.1\r\n\r\n").is_err(),
                "the connection is closed"
            );
        }
    });
}

#[test]
fn a_server_must_have_the_name_and_the_root() {
    let identity = identity();
    let other = self::identity();
    with_server(&identity, |server| {
        let ready = |name: &str, root: &[u8]| {
            let mut client = Client::connect(server.address().unwrap(), name, root)?;
            client.send(b"GET /ready HTTP/1.1\r\n\r\n")
        };
        assert!(ready(NAME, &identity.root).is_ok());
        assert!(ready("another.istio-system.svc", &identity.root).is_err());
        assert!(ready(NAME, &other.root).is_err());
    });
}

#[test]
fn it_says_where_the_api_server_finds_it() {
    // A-ADM-10
    let identity = identity();
    let text = configuration(NAME, 8443, &identity).unwrap();
    let decoded = mesh_api::decode("configuration.yaml", text.as_bytes());
    assert!(decoded.report().is_empty(), "{}", decoded.report());
    assert!(
        text.contains("url: https://istiod.istio-system.svc:8443/validate\n"),
        "{text}"
    );
    assert!(!text.contains("service:"), "{text}");
}

#[test]
fn arguments_are_read() {
    let parse = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Args::parse(&arguments)
    };
    let args = parse(&["--serve", "127.0.0.1:0", "--name", "a.b"]).unwrap();
    assert_eq!(
        (args.serve.as_deref(), args.name.as_str()),
        (Some("127.0.0.1:0"), "a.b")
    );
    assert_eq!(parse(&["a.yaml"]).unwrap().files, ["a.yaml"]);
    assert!(parse(&["--serve"]).unwrap_err().contains("needs a value"));
    assert!(parse(&["--port"]).unwrap_err().contains("unknown argument"));
    assert!(parse(&["--serve", "a:1", "b.yaml"]).is_err());
}
