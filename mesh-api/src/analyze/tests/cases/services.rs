use super::*;

pub(super) fn cases() -> Vec<Case> {
    let service = |name: &str, ports: &str| {
        o(
            &format!("Service shop/{name}"),
            &format!("{{selector: {{app: a}}, ports: [{ports}]}}"),
        )
    };
    let deployment = || {
        let template = "{metadata: {labels: {app: a}}, spec: {containers: [{name: istio-proxy, image: p}]}}";
        object(
            "Deployment shop/d",
            "",
            &format!("spec: {{template: {template}}}"),
        )
    };
    let alias = |port: &str| {
        o(
            "Service shop/a",
            &format!("{{type: ExternalName, externalName: x.com, ports: [{{{port}, port: 80}}]}}"),
        )
    };
    let condition = |status: &str| {
        let condition =
            format!("{{type: istio.io/WaypointBound, status: '{status}', reason: a, message: b}}");
        object(
            "Service shop/a",
            "",
            &format!("status: {{conditions: [{condition}]}}"),
        )
    };
    let secret = |label: &str| {
        object(
            "Secret istio-system/s",
            &format!("labels: {{istio/multiCluster: '{label}'}}"),
            "data: {remote: ''}",
        )
    };
    let networks: fn(&mut AnalyzeOptions) = |options| {
        let text = b"{networks: {net: {endpoints: [{fromRegistry: remote}, {fromCidr: 10.0.0.0/8}]}}}";
        options.networks = crate::decode_value("networks.yaml", text).0;
    };
    let remote: fn(&mut AnalyzeOptions) = |options| {
        let copy = o("Service shop/a", "{ports: [{name: http, port: 80}]}");
        options
            .remote_clusters
            .insert("west".into(), super::super::read(&[copy]));
    };
    let at_port = "Service shop/a spec.ports[0].port";
    let at_deployment = "Deployment shop/d metadata.name";
    vec![
        case(
            "IST0116",
            &[at_deployment],
            [
                deployment(),
                service("a", "{name: tcp, port: 53, protocol: TCP}"),
                service("b", "{name: udp, port: 53, protocol: UDP}"),
            ],
            [
                deployment(),
                service("a", "{name: tcp, port: 53, protocol: TCP}"),
                service("b", "{name: udp, port: 54, protocol: UDP}"),
            ],
        ),
        case(
            "IST0118",
            &[at_port],
            [service("a", "{name: web, port: 80}")],
            [
                service("a", "{name: http-web, port: 80}"),
                service("b", "{name: web, port: 80, appProtocol: http}"),
            ],
        ),
        case(
            "IST0126",
            &["MeshNetworks istio-system/meshnetworks networks.net.endpoints[0].fromRegistry"],
            [secret("false")],
            [secret("true")],
        )
        .with(networks),
        case(
            "IST0137",
            &[at_deployment],
            [
                deployment(),
                service("a", "{name: http, port: 80, targetPort: 8080}"),
                service("b", "{name: http, port: 81, targetPort: 8080}"),
            ],
            [
                deployment(),
                service(
                    "a",
                    "{name: http, port: 80, targetPort: 8080}, {name: http-b, port: 82, targetPort: 8080}",
                ),
                service("b", "{name: http, port: 81}"),
            ],
        ),
        case("IST0150", &[at_port], [alias("name: tcp")], [alias("name: http")]),
        case(
            "IST0170",
            &["Service shop/a metadata.name"],
            [o("Service shop/a", "{ports: [{name: http, port: 81}]}")],
            [o("Service shop/a", "{ports: [{name: http, port: 80}]}")],
        )
        .with(remote),
        case(
            "IST0171",
            &["Service shop/a status.conditions[0].type"],
            [condition("False")],
            [condition("True")],
        ),
    ]
}
