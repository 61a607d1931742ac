use super::*;

pub(super) fn cases() -> Vec<Case> {
    let case = |id, pass, fail, path| super::case(id, &Kind::WorkloadGroup, pass, fail, path);
    let group = |patch: Value| patched(json!({"template": {"ports": {"http": 80}}}), patch);
    let probe =
        |patch: Value| group(json!({"probe": patched(json!({"exec": {"command": ["true"]}}), patch)}));
    let http = |patch: Value| group(json!({"probe": {"httpGet": patched(json!({"port": 80}), patch)}}));
    vec![
        case("A-WG-1", group(json!({})), json!({"probe": {}}), "spec.template"),
        case(
            "A-WG-2",
            group(json!({"metadata": {"labels": {"app": "a"}}})),
            group(json!({"metadata": {"labels": {"app": "a b"}}})),
            "spec.metadata.labels.app",
        ),
        case(
            "A-WG-3",
            probe(json!({"periodSeconds": 0, "failureThreshold": 3})),
            probe(json!({"failureThreshold": -1})),
            "spec.probe.failureThreshold",
        ),
        case(
            "A-WG-4",
            http(json!({})),
            http(json!({"port": 0})),
            "spec.probe.httpGet.port",
        ),
        case(
            "A-WG-5",
            http(json!({"scheme": "HTTPS"})),
            http(json!({"scheme": "https"})),
            "spec.probe.httpGet.scheme",
        ),
        case(
            "A-WG-6",
            http(json!({"httpHeaders": [{"name": "x-a"}]})),
            http(json!({"httpHeaders": [{"name": "x_a"}]})),
            "spec.probe.httpGet.httpHeaders[0].name",
        ),
        case(
            "A-WG-7",
            probe(json!({})),
            probe(json!({"exec": {"command": []}})),
            "spec.probe.exec.command",
        ),
        case(
            "A-WG-8",
            probe(json!({})),
            group(json!({"probe": {"grpc": {"port": 80}}})),
            "spec.probe.grpc",
        ),
    ]
}
