//! A work bench: services that every case has, clients, and the answers that cases compare.

use mesh_api::decode;
use mesh_api::mesh::MeshConfig;
use mesh_route::{MeshSnapshot, Request, Router, SnapshotOptions, Workload};

/// `known` and `alt-known` on 80 and 8080, `b` on 9080 only, all in `default`; `nd` in `not-default`.
const SERVICES: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: known, namespace: default}
spec: {clusterIP: 10.1.0.1, ports: [{name: http, port: 80}, {name: http-alt, port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: alt-known, namespace: default}
spec: {clusterIP: 10.1.0.2, ports: [{name: http, port: 80}, {name: http-alt, port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: b, namespace: default}
spec: {clusterIP: 10.1.0.3, ports: [{name: http, port: 9080}]}
---
apiVersion: v1
kind: Service
metadata: {name: nd, namespace: not-default}
spec: {clusterIP: 10.1.0.4, ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: known-1, namespace: default, labels: {kubernetes.io/service-name: known}}
addressType: IPv4
endpoints: [{addresses: [10.2.0.1]}]
ports: [{name: http, port: 80}, {name: http-alt, port: 8080}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: alt-known-1, namespace: default, labels: {kubernetes.io/service-name: alt-known}}
addressType: IPv4
endpoints: [{addresses: [10.2.0.2]}]
ports: [{name: http, port: 80}, {name: http-alt, port: 8080}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: b-1, namespace: default, labels: {kubernetes.io/service-name: b}}
addressType: IPv4
endpoints: [{addresses: [10.2.0.3]}]
ports: [{name: http, port: 9080}]
"#;

/// Short names of clusters that cases speak of often.
pub(crate) const KNOWN: &str = "outbound|80||known.default.svc.cluster.local";
pub(crate) const ALT: &str = "outbound|80||alt-known.default.svc.cluster.local";

pub(crate) fn snapshot(config: &str) -> MeshSnapshot {
    snapshot_with(config, MeshConfig::default())
}

pub(crate) fn snapshot_with(config: &str, mesh: MeshConfig) -> MeshSnapshot {
    let text = format!("{SERVICES}\n---\n{config}");
    let decoded = decode("case.yaml", text.as_bytes());
    assert!(decoded.report().is_ok(), "{:?}", decoded.report());
    MeshSnapshot::build_with(
        decoded.objects(),
        SnapshotOptions {
            mesh,
            ..SnapshotOptions::default()
        },
    )
}

/// A client in `default` with the label `app: a`.
pub(crate) fn client() -> Workload {
    Workload::new("default".parse().expect("a namespace")).with_label("app", "a")
}

pub(crate) fn sidecar(config: &str) -> Router {
    snapshot(config).router_for(&client())
}

pub(crate) fn gateway(config: &str) -> Router {
    let edge =
        Workload::gateway("istio-system".parse().expect("a namespace")).with_label("istio", "ingressgateway");
    snapshot(config).router_for(&edge)
}

pub(crate) fn get(url: &str) -> Request {
    Request::get(url).expect("a URL")
}

/// The cluster, or the status where there is none.
pub(crate) fn answer(router: &Router, request: &Request) -> String {
    let decision = router.decide(request);
    match decision.target() {
        Some(target) if decision.destination().is_some() || target.endpoints().next().is_some() => {
            target.cluster_name().to_string()
        }
        Some(target) => match decision.status() {
            Some(status) => format!("{status} {}", target.cluster_name()),
            None => target.cluster_name().to_string(),
        },
        None => decision
            .status()
            .map_or_else(|| "closed".to_owned(), |status| status.to_string()),
    }
}

/// The cluster that is chosen, whether it can answer or not.
pub(crate) fn cluster(router: &Router, request: &Request) -> String {
    let decision = router.decide(request);
    match decision.target() {
        Some(target) => target.cluster_name().to_string(),
        None => decision
            .status()
            .map_or_else(|| "closed".to_owned(), |status| status.to_string()),
    }
}

/// A VirtualService for `known` with these `http` entries.
pub(crate) fn known(http: &str) -> String {
    virtual_service("vs", "default", "[known]", "", http)
}

pub(crate) fn virtual_service(name: &str, namespace: &str, hosts: &str, extra: &str, http: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\n\
         metadata: {{name: {name}, namespace: {namespace}}}\n\
         spec:\n  hosts: {hosts}\n  http: {http}\n{extra}"
    )
}

/// Documents of one stream.
pub(crate) fn join(documents: &[String]) -> String {
    documents.join("\n---\n")
}
