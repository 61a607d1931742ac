//! How the time of analysis grows with the number of objects: ten times the objects may take at most fifteen times as long.
//!
//! The mesh is mixed as real ones are: every application has a namespaced Service, pods, a Deployment, routing, policies and
//! a Gateway of its own on the one ingress workload, and some of them have a fault.
//!
//! Without `--bench` (as `cargo test` runs it) a small mesh is analyzed once.

use std::fmt::Write as _;

use benches::{medians, ratio, time_of};
use mesh_api::analyze::{AnalyzeOptions, analyze};
use mesh_api::{Decoded, ObjectSet};

const OBJECTS_PER_APP: usize = 11;
const APPS_PER_NAMESPACE: usize = 10;

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let (small, passes) = if full { (1_000, 7) } else { (100, 1) };
    let (small, large) = (Mesh::new(small), Mesh::new(small * 10));
    let [short, long] = medians(passes, 1, [&mut || small.analyze(), &mut || large.analyze()]);
    for (mesh, time) in [(&small, short), (&large, long)] {
        println!(
            "analyze: {} objects, {} messages, {:.1} ms",
            mesh.objects.len(),
            mesh.messages,
            time / 1e6
        );
    }
    ratio(
        "analyze/growth",
        long / short,
        "<=15",
        "time at ten times the objects",
    );
    let (decoding, _) = time_of(|| mesh_api::decode("mesh.yaml", large.text.as_bytes()));
    ratio(
        "analyze/decoding",
        long / (decoding.as_secs_f64() * 1e9),
        "none",
        "time to decode the same objects",
    );
}

struct Mesh {
    text: String,
    objects: ObjectSet,
    options: AnalyzeOptions,
    messages: usize,
}

impl Mesh {
    fn new(count: usize) -> Self {
        let mut decoded = Decoded::default();
        let mut text = String::new();
        for app in 0..count / OBJECTS_PER_APP {
            let mut objects = String::new();
            write_app(app, &mut objects);
            decoded.extend(mesh_api::decode(&format!("app-{app}.yaml"), objects.as_bytes()));
            text.push_str(&objects);
        }
        assert!(decoded.report().is_empty(), "{}", decoded.report());
        let (objects, _) = decoded.into_parts();
        let options = AnalyzeOptions::istioctl();
        let analysis = analyze(&objects, &options);
        assert!(!analysis.is_cut() && objects.len() * 10 > count * 9);
        Self {
            text,
            objects,
            options,
            messages: analysis.messages().len(),
        }
    }

    fn analyze(&self) {
        let analysis = analyze(&self.objects, &self.options);
        assert_eq!(analysis.messages().len(), self.messages);
    }
}

/// The objects of one application; every tenth has faults.
fn write_app(app: usize, text: &mut String) {
    let namespace = format!("team-{}", app / APPS_PER_NAMESPACE);
    let is_faulty = app % 10 == 3;
    let (subset, host) = if is_faulty {
        ("v9", "nowhere")
    } else {
        ("v2", "external")
    };
    let mut add = |kind: &str, name: &str, meta: &str, body: &str| {
        let meta = format!("{{name: {name}, namespace: {namespace}{meta}}}");
        let _ = write!(text, "---\napiVersion: {kind}\nmetadata: {meta}\n{body}\n");
    };
    let name = format!("app-{app}");
    let labels = format!("{{app: {name}, version: v1}}");
    add(
        "v1\nkind: Service",
        &name,
        "",
        &format!("spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}"),
    );
    let containers = "containers: [{name: app, image: app}, {name: istio-proxy, image: proxyv2}]";
    for version in ["v1", "v2"] {
        add(
            "v1\nkind: Pod",
            &format!("{name}-{version}"),
            &format!(", labels: {{app: {name}, version: {version}}}"),
            &format!("spec: {{{containers}}}"),
        );
    }
    add(
        "apps/v1\nkind: Deployment",
        &name,
        "",
        &format!("spec: {{template: {{metadata: {{labels: {labels}}}, spec: {{{containers}}}}}}}"),
    );
    add(
        "networking.istio.io/v1\nkind: VirtualService",
        &name,
        "",
        &format!(
            "spec: {{hosts: [{name}.example.com], gateways: [{name}], http: [{{match: [{{uri: {{prefix: /v2}}}}], \
         route: [{{destination: {{host: {name}, subset: {subset}}}}}]}}, {{route: [{{destination: {{host: {name}}}}}]}}]}}"
        ),
    );
    add(
        "networking.istio.io/v1\nkind: VirtualService",
        &format!("{name}-mesh"),
        "",
        &format!(
            "spec: {{hosts: [{name}], http: [{{route: [{{destination: {{host: {name}, subset: v1}}}}]}}]}}"
        ),
    );
    add(
        "networking.istio.io/v1\nkind: DestinationRule",
        &name,
        "",
        &format!(
            "spec: {{host: {name}, subsets: [{{name: v1, labels: {{version: v1}}}}, {{name: v2, labels: {{version: v2}}}}]}}"
        ),
    );
    add(
        "networking.istio.io/v1\nkind: Gateway",
        &name,
        "",
        &format!(
            "spec: {{selector: {{istio: ingressgateway}}, servers: [{{port: {{number: 443, name: https, protocol: HTTPS}}, \
         hosts: [{name}.example.com], tls: {{mode: PASSTHROUGH}}}}]}}"
        ),
    );
    add(
        "networking.istio.io/v1\nkind: ServiceEntry",
        &name,
        "",
        &format!(
            "spec: {{hosts: [{host}-{app}.example.org], ports: [{{number: 443, name: tls, protocol: TLS}}], resolution: DNS}}"
        ),
    );
    add(
        "security.istio.io/v1\nkind: AuthorizationPolicy",
        &name,
        "",
        &format!("spec: {{selector: {{matchLabels: {{app: {name}}}}}, action: ALLOW, rules: [{{}}]}}"),
    );
    add(
        "networking.istio.io/v1\nkind: Sidecar",
        &name,
        "",
        &format!("spec: {{workloadSelector: {{labels: {labels}}}, egress: [{{hosts: ['./*']}}]}}"),
    );
}
