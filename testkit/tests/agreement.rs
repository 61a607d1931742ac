//! A real Envoy, fed with what conversion makes of a mesh, does what the router says. Runs when `ENVOY_BIN` names the
//! program, and says so when it does not.
//!
//! `AGREEMENT_PAIRS` is the number of pairs of a mesh and a request, 1000 unless set; `AGREEMENT_SEED` picks others.

use std::time::Duration;

use mesh_route::{MeshSnapshot, Request, Router, Workload};
use testkit::agreement::{Class, Tally, differs, run, sample};
use testkit::envoy::{EchoPool, RawRequest, RawResponse, program};

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
        Err(_) => default,
    }
}

/// Meshes in one Envoy.
const BATCH: usize = 20;

// X-REAL-18, DESIGN 8: a comparison that did not happen is not agreement.
#[test]
fn envoy_does_what_the_router_says() {
    let Some(program) = program() else { return };
    let pairs = usize::try_from(number("AGREEMENT_PAIRS", 1000)).unwrap();
    let seed = number("AGREEMENT_SEED", 1);
    let samples = sample(pairs, pairs.div_ceil(2), seed);
    let mut whole = Tally::default();
    for batch in samples.chunks(BATCH) {
        let tally = run(&program, batch).unwrap_or_else(|error| panic!("{error}"));
        for disagreement in &tally.disagreements {
            let mesh = batch.iter().find(|sample| sample.number() == disagreement.mesh);
            eprintln!("DISAGREEMENT {disagreement:#?}");
            eprintln!(
                "{}\n",
                mesh.map(|sample| sample.mesh().describe()).unwrap_or_default()
            );
        }
        for (class, count) in tally.agreed {
            *whole.agreed.entry(class).or_default() += count;
        }
        whole.disagreements.extend(tally.disagreements);
    }
    println!("{whole} meshes={} seed={seed}", samples.len());
    assert!(whole.disagreements.is_empty(), "{whole}");
    assert!(whole.total() >= pairs, "only {whole}");
    for (class, share) in Class::SHARES {
        let count = whole.agreed.get(&class).copied().unwrap_or_default();
        assert!(count * 100 >= pairs * share, "{class:?}: {whole}");
    }
}

const MESH: &str = "
apiVersion: v1
kind: Service
metadata: {name: a, namespace: one}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a, namespace: one, labels: {kubernetes.io/service-name: a}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.1]}]
ports: [{name: http, port: 80}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: one}
spec:
  hosts: [a]
  http:
  - match: [{uri: {exact: /direct}}]
    directResponse: {status: 418, body: {string: tea}}
  - match: [{uri: {exact: /redirect}}]
    redirect: {uri: /new}
  - match: [{uri: {exact: /rewrite}}]
    rewrite: {uri: /new, authority: new.example.com}
    route: [{destination: {host: a}}]
  - match: [{uri: {exact: /headers}}]
    headers: {request: {set: {x-a: '1'}}, response: {remove: [x-reply]}}
    route: [{destination: {host: a}}]
  - match: [{uri: {exact: /weighted}}]
    route:
    - {destination: {host: a}, weight: 1}
    - {destination: {host: b.example.com}, weight: 1}
  - route: [{destination: {host: a}}]
";
const A: &str = "p/outbound|80||a.one.svc.cluster.local";

/// The oracle's own judge: what differs in one thing is told, and which.
struct Judge {
    router: Router,
    echo: EchoPool,
}

impl Judge {
    fn new() -> Self {
        let decoded = mesh_api::decode("mesh.yaml", MESH.as_bytes());
        assert!(decoded.report().is_ok(), "{}", decoded.report());
        let snapshot = MeshSnapshot::build(decoded.objects());
        Self {
            router: snapshot.router_for(&Workload::new("one".parse().unwrap())),
            echo: EchoPool::new(),
        }
    }

    /// What differs when the request reaches this upstream as it was sent.
    fn passed_on(&mut self, path: &str, upstream: &str) -> Option<String> {
        let address = self.echo.upstream(upstream).unwrap();
        let request = RawRequest::new("GET", path).with_header("host", "a");
        self.differs(path, &request.send(address, Duration::from_secs(5)).unwrap())
    }

    fn differs(&self, path: &str, response: &RawResponse) -> Option<String> {
        let request = Request::get("http://a/").unwrap().with_target(path);
        let why = differs(&self.router, "p", &request, response, Duration::ZERO)?;
        Some(why.split(':').next().unwrap_or_default().to_owned())
    }
}

#[test]
fn what_upstreams_see_is_compared() {
    let mut judge = Judge::new();
    assert_eq!(judge.passed_on("/plain?q", A), None);
    let told = |what: &str| Some(what.to_owned());
    assert_eq!(
        judge.passed_on("/plain", "p/outbound|80||other"),
        told("upstream")
    );
    assert_eq!(judge.passed_on("/rewrite", A), told("path"));
    assert_eq!(judge.passed_on("/headers", A), told("x-a"));
    assert_eq!(judge.passed_on("/direct", A), told("upstream"));
    assert_eq!(judge.passed_on("/weighted", A), None);
    assert_eq!(judge.passed_on("/weighted", "p/outbound|80||c"), told("upstream"));
}

#[test]
fn answers_of_the_proxy_are_compared() {
    let judge = Judge::new();
    let answer = |status: u16, body: &str, headers: &[(&str, &str)]| RawResponse {
        status,
        headers: headers
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect(),
        body: body.as_bytes().to_vec(),
    };
    let told = |what: &str| Some(what.to_owned());
    assert_eq!(judge.differs("/direct", &answer(418, "tea", &[])), None);
    assert_eq!(judge.differs("/direct", &answer(200, "tea", &[])), told("status"));
    assert_eq!(judge.differs("/direct", &answer(418, "", &[])), told("body"));
    let reply = answer(418, "tea", &[("x-new", "1")]);
    assert_eq!(judge.differs("/direct", &reply), told("x-new of the response"));
    let location = |to| answer(301, "", &[("location", to)]);
    assert_eq!(judge.differs("/redirect", &location("http://a/new")), None);
    assert_eq!(
        judge.differs("/redirect", &location("http://a/old")),
        told("location")
    );
    // A draw may lead to a cluster that does not exist.
    assert_eq!(judge.differs("/weighted", &answer(503, "", &[])), None);
    assert_eq!(judge.differs("/plain", &answer(503, "", &[])), told("upstream"));
}
