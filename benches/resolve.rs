//! How long a decision takes, against the two things that a reader would compare it with: a linear scan over the same
//! hosts and routes, which it must beat by far, and one look-up of the host in a hash map, which no router can beat.
//!
//! Every host has its own paths, header values and subsets, so that interning and the branch predictor have little to
//! help with. *Hot* asks a few hosts again and again; *cold* asks all of them in random order, over tables larger than the
//! caches.
//!
//! Without `--bench` (as `cargo test` runs it) a small mesh is built and each candidate runs once.

use std::collections::HashMap;
use std::hint::black_box;

use benches::{CountingAllocator, Numbers, allocations_of, medians, ratio, time_of};
use mesh_api::Decoded;
use mesh_route::{MeshSnapshot, Request, Router, Workload};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const ROUTES: usize = 10;
const HOSTS_PER_FILE: usize = 100;
const HOT_HOSTS: usize = 16;

/// How much is measured.
struct Size {
    hosts: usize,
    requests: usize,
    passes: usize,
}

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let size = if full {
        Size {
            hosts: 10_000,
            requests: 200_000,
            passes: 9,
        }
    } else {
        Size {
            hosts: 50,
            requests: 500,
            passes: 1,
        }
    };
    let mesh = Mesh::new(size.hosts);
    let small = Mesh::new(size.hosts / 100 + 1);
    println!(
        "resolve: {} hosts with {ROUTES} routes each, median of {} passes",
        size.hosts, size.passes
    );
    check(&mesh);

    let mut numbers = Numbers::new(1);
    let cold: Vec<usize> = std::iter::repeat_with(|| numbers.order(mesh.calls.len()))
        .flatten()
        .take(size.requests)
        .collect();
    // Hosts from all over the table: the first ones would suit the scan.
    let hot_hosts = &numbers.order(size.hosts)[..HOT_HOSTS];
    let hot: Vec<usize> = (0..size.requests)
        .map(|_| hot_hosts[numbers.below(HOT_HOSTS)] * ROUTES + numbers.below(ROUTES))
        .collect();
    for (name, order) in [("hot", &hot), ("cold", &cold)] {
        compare(name, &mesh, order, size.passes);
    }
    growth(&mesh, &small, &size);
    let (allocations, ()) = allocations_of(|| mesh.decide_all(&cold));
    let per_decision = allocations as f64 / cold.len() as f64;
    ratio(
        "resolve/allocations",
        per_decision,
        "none",
        "allocations of a warm decision",
    );
}

/// Decisions against both peers, on the same calls in the same order.
fn compare(name: &str, mesh: &Mesh, order: &[usize], passes: usize) {
    // A linear scan over 10,000 hosts is slow: fewer of the same calls are enough for it.
    let few = &order[..order.len() / 100 + 1];
    let [decide, hash] = medians(
        passes,
        order.len(),
        [&mut || mesh.decide_all(order), &mut || mesh.look_up_all(order)],
    );
    let [linear] = medians(passes, few.len(), [&mut || mesh.scan_all(few)]);
    println!(
        "  {name:<5} decide {decide:>9.1} ns   host hash {hash:>7.1} ns   linear scan {linear:>11.1} ns"
    );
    ratio(
        &format!("resolve/{name}/host-hash"),
        decide / hash,
        "none",
        "one HashMap look-up of the authority",
    );
    ratio(
        &format!("resolve/{name}/linear-scan"),
        decide / linear,
        "none",
        "linear scan of hosts, then of routes",
    );
}

/// What a hundred times as many hosts cost, each mesh asked all over.
fn growth(large: &Mesh, small: &Mesh, size: &Size) {
    let mut numbers = Numbers::new(2);
    let mut order = |mesh: &Mesh| -> Vec<usize> {
        (0..size.requests)
            .map(|_| numbers.below(mesh.calls.len()))
            .collect()
    };
    let (in_large, in_small) = (order(large), order(small));
    let (mut ask_large, mut ask_small) = (|| large.decide_all(&in_large), || small.decide_all(&in_small));
    let [many, few] = medians(size.passes, size.requests, [&mut ask_large, &mut ask_small]);
    println!(
        "  decide among {} hosts {many:.1} ns, among {} hosts {few:.1} ns",
        large.linear.len(),
        small.linear.len()
    );
    ratio(
        "resolve/growth",
        many / few,
        "none",
        "the same on a mesh of a hundredth of the hosts",
    );
}

/// Decisions and scan agree on every call: otherwise their times mean nothing.
fn check(mesh: &Mesh) {
    for call in &mesh.calls {
        let decision = mesh.router.decide(&call.request);
        let target = decision.destination().expect("every call ends at a destination");
        let scanned = scan(&mesh.linear, call).expect("every call is found by the scan");
        assert_eq!(
            target.cluster_name().to_string(),
            *scanned,
            "{}{}",
            call.authority,
            call.path
        );
        assert!(mesh.by_host.contains_key(call.authority.as_str()));
    }
}

/// A router over generated objects, the peers' tables of the same content, and calls.
struct Mesh {
    router: Router,
    linear: Vec<LinearHost>,
    by_host: HashMap<String, usize>,
    calls: Vec<Call>,
}

/// A request in the forms that the candidates take.
struct Call {
    request: Request,
    authority: String,
    path: String,
    header: String,
}

/// A host of the naive router.
struct LinearHost {
    domains: Vec<String>,
    routes: Vec<LinearRoute>,
}

/// A route of the naive router.
struct LinearRoute {
    prefix: String,
    header: Option<String>,
    cluster: String,
}

impl Mesh {
    fn new(hosts: usize) -> Self {
        let texts: Vec<String> = (0..hosts)
            .collect::<Vec<_>>()
            .chunks(HOSTS_PER_FILE)
            .map(|hosts| hosts.iter().map(|host| objects_of(*host)).collect())
            .collect();
        let (time, decoded) = time_of(|| decode(&texts));
        assert!(decoded.report().is_empty(), "{}", decoded.report());
        println!(
            "  {hosts} hosts: decoded in {:.2} s of CPU time",
            time.as_secs_f64()
        );
        let (time, snapshot) = time_of(|| MeshSnapshot::build(decoded.objects()));
        println!(
            "  {hosts} hosts: indexed in {:.2} s of CPU time",
            time.as_secs_f64()
        );
        let client = Workload::new("bench".parse().expect("a namespace"));
        let (time, router) = time_of(|| snapshot.router_for(&client));
        println!(
            "  {hosts} hosts: compiled in {:.2} s of CPU time",
            time.as_secs_f64()
        );
        let linear: Vec<LinearHost> = (0..hosts).map(linear_host).collect();
        let by_host = (0..hosts).map(|host| (authority(host), host)).collect();
        let calls = (0..hosts)
            .flat_map(|host| (0..ROUTES).map(move |route| call(host, route)))
            .collect();
        Self {
            router,
            linear,
            by_host,
            calls,
        }
    }
}

impl Mesh {
    fn decide_all(&self, order: &[usize]) {
        for at in order {
            black_box(self.router.decide(&self.calls[*at].request));
        }
    }

    fn look_up_all(&self, order: &[usize]) {
        for at in order {
            black_box(self.by_host.get(self.calls[*at].authority.as_str()));
        }
    }

    fn scan_all(&self, order: &[usize]) {
        for at in order {
            black_box(scan(&self.linear, &self.calls[*at]));
        }
    }
}

fn decode(texts: &[String]) -> Decoded {
    let mut all = Decoded::default();
    for (number, text) in texts.iter().enumerate() {
        all.extend(mesh_api::decode(&format!("{number}.yaml"), text.as_bytes()));
    }
    all
}

/// The naive router: the first host with the domain, the first route that matches.
fn scan<'a>(hosts: &'a [LinearHost], call: &Call) -> Option<&'a String> {
    let host = hosts.iter().find(|host| host.domains.contains(&call.authority))?;
    let matches = |route: &&LinearRoute| {
        call.path.starts_with(&route.prefix)
            && route.header.as_ref().is_none_or(|value| *value == call.header)
    };
    host.routes.iter().find(matches).map(|route| &route.cluster)
}

fn service(host: usize) -> String {
    // The number comes first in the bytes that differ, and is scrambled, so that neighbours share no long prefix.
    format!("s{:08x}-{host}", Numbers::new(host as u64).next_number() >> 32)
}

fn fqdn(host: usize) -> String {
    format!("{}.bench.example", service(host))
}

fn authority(host: usize) -> String {
    format!("{}:8080", fqdn(host))
}

fn prefix(host: usize, route: usize) -> String {
    format!("/{}/r{route}/", service(host))
}

/// Every second route asks for a header as well.
fn header(host: usize, route: usize) -> Option<String> {
    (route % 2 == 1).then(|| format!("tenant-{host}-{route}"))
}

fn cluster(host: usize, route: usize) -> String {
    format!("outbound|8080|v{}|{}", route % 2, fqdn(host))
}

fn call(host: usize, route: usize) -> Call {
    let path = format!("{}item/{host}?page={route}", prefix(host, route));
    let header = header(host, route).unwrap_or_else(|| "none".to_owned());
    let request = Request::get(&format!("http://{}{path}", authority(host)))
        .expect("a URL")
        .with_header("x-tenant", header.as_str());
    Call {
        request,
        authority: authority(host),
        path,
        header,
    }
}

fn linear_host(host: usize) -> LinearHost {
    let domains = vec![fqdn(host), authority(host)];
    let routes = (0..ROUTES)
        .map(|route| LinearRoute {
            prefix: prefix(host, route),
            header: header(host, route),
            cluster: cluster(host, route),
        })
        .collect();
    LinearHost { domains, routes }
}

/// ServiceEntry, VirtualService and DestinationRule of a host, as text.
fn objects_of(host: usize) -> String {
    let fqdn = fqdn(host);
    let name = fqdn.split('.').next().expect("a first label");
    let routes: String = (0..ROUTES)
        .map(|route| {
            let header = header(host, route)
                .map(|value| format!("          headers: {{ x-tenant: {{ exact: {value} }} }}\n"))
                .unwrap_or_default();
            format!(
                "    - match:\n        - uri: {{ prefix: {} }}\n{header}      route:\n        - destination: \
                 {{ host: {fqdn}, subset: v{} }}\n",
                prefix(host, route),
                route % 2
            )
        })
        .collect();
    let endpoints: String = (0..2)
        .map(|version| {
            let address = format!("10.{}.{}.{}", host >> 7, (host << 1) & 255, version + 1);
            format!("    - {{ address: {address}, labels: {{ version: {version}-{host} }} }}\n")
        })
        .collect();
    format!(
        "apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{ name: {name}, namespace: bench }}
spec:
  hosts: [{fqdn}]
  ports: [{{ number: 8080, name: http, protocol: HTTP }}]
  resolution: STATIC
  endpoints:
{endpoints}---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{ name: {name}, namespace: bench }}
spec:
  host: {fqdn}
  subsets:
    - {{ name: v0, labels: {{ version: 0-{host} }} }}
    - {{ name: v1, labels: {{ version: 1-{host} }} }}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{ name: {name}, namespace: bench }}
spec:
  hosts: [{fqdn}]
  http:
{routes}---
"
    )
}
