//! The ports a gateway listens on: those of the servers, or what the services in front of it make of them.

use mesh_api::decode;
use mesh_route::{MeshSnapshot, Router, Workload};

const SERVERS: &str = "
spec:
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: [shop.example.com]
  - port: {number: 82, name: more, protocol: HTTP}
    hosts: [shop.example.com]
";

/// Listeners of a gateway at 10.0.0.1 with these services and this Gateway.
fn listeners(gateway: &str, services: &str) -> Vec<String> {
    let text = format!(
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: edge{gateway}}}{SERVERS}{services}"
    );
    let decoded = decode("mesh.yaml", text.as_bytes());
    assert!(decoded.report().is_ok(), "{:?}", decoded.report());
    let workload = Workload::gateway("edge".parse().unwrap())
        .with_label("app", "gateway")
        .with_addresses(["10.0.0.1".parse().unwrap()]);
    let router: Router = MeshSnapshot::build(decoded.objects()).router_for(&workload);
    let names = router.plan().listeners.iter().map(|(name, _)| name.to_string());
    names.collect()
}

fn service_entry(name: &str, namespace: &str, labels: &str, target: u16) -> String {
    format!(
        "
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: {namespace}, labels: {{{labels}}}}}
spec:
  hosts: [{name}.example.com]
  ports: [{{number: 80, targetPort: {target}, name: http, protocol: HTTP}}]
  resolution: STATIC
  endpoints: [{{address: 10.0.0.1}}]
"
    )
}

#[test]
fn the_first_service_of_the_workload_translates_the_port() {
    // R-GW-3: by address, whatever the labels; the number itself where no service has the port.
    let two = service_entry("a", "edge", "", 8080) + &service_entry("b", "edge", "", 9090);
    assert_eq!(listeners("", &two), ["0.0.0.0_8080", "0.0.0.0_82"]);
    // A service of another namespace is not the workload's own.
    let other = service_entry("a", "other", "", 8080);
    assert_eq!(listeners("", &other), ["0.0.0.0_80", "0.0.0.0_82"]);
    let opted_out = service_entry(
        "a",
        "edge",
        "experimental.istio.io/disable-gateway-port-translation: 'true'",
        8080,
    ) + &service_entry("b", "edge", "", 9090);
    assert_eq!(listeners("", &opted_out), ["0.0.0.0_82", "0.0.0.0_9090"]);
}

#[test]
fn a_kubernetes_service_selects_the_workload() {
    // R-GW-3
    let service = "
---
apiVersion: v1
kind: Service
metadata: {name: gateway, namespace: edge}
spec:
  selector: {app: gateway}
  ports: [{name: http, port: 80, targetPort: 8080}]
";
    assert_eq!(listeners("", service), ["0.0.0.0_8080", "0.0.0.0_82"]);
}

#[test]
fn a_gateway_of_named_services_listens_on_all_their_targets_and_nothing_else() {
    // R-GW-3, X-GW-2
    let named = ", annotations: {internal.istio.io/gateway-service: 'a.example.com,b.example.com'}";
    let two = service_entry("a", "edge", "", 8080) + &service_entry("b", "edge", "", 9090);
    assert_eq!(listeners(named, &two), ["0.0.0.0_8080", "0.0.0.0_9090"]);
    let none = service_entry("c", "edge", "", 8080);
    assert!(listeners(named, &none).is_empty());
}
