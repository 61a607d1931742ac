use super::*;

pub(super) fn cases() -> Vec<Case> {
    [metadata(), peer_authentications(), proxy_configs()]
        .into_iter()
        .flatten()
        .collect()
}

fn metadata() -> Vec<Case> {
    let object = |annotation: Option<&'static str>| {
        let mut object = Object::new(Kind::PeerAuthentication, json!({}));
        if let Some(annotation) = annotation {
            object.meta = object.meta.with_annotation(annotation, "x");
        }
        object
    };
    [
        (
            "A-MV-1",
            "istio.io/dry-run",
            "metadata.annotations[\"istio.io/dry-run\"]",
        ),
        (
            "A-MV-4",
            "internal.istio.io/webhook-always-reject",
            "metadata.annotations[\"internal.istio.io/webhook-always-reject\"]",
        ),
        (
            "A-MV-5",
            "internal.istio.io/parent-namespace",
            "metadata.annotations[\"internal.istio.io/parent-namespace\"]",
        ),
        (
            "A-MV-6",
            "internal.istio.io/parents",
            "metadata.annotations[\"internal.istio.io/parents\"]",
        ),
    ]
    .into_iter()
    .map(|(id, annotation, path)| Case {
        id,
        pass: object(None),
        fail: object(Some(annotation)),
        path,
    })
    .collect()
}

fn peer_authentications() -> Vec<Case> {
    let case = |id, pass, fail, path| super::case(id, &Kind::PeerAuthentication, pass, fail, path);
    let selected = |ports: Value| json!({"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": ports});
    vec![
        case(
            "A-PA-1",
            selected(json!({"80": {}})),
            json!({"portLevelMtls": {"80": {}}}),
            "spec.portLevelMtls",
        ),
        case(
            "A-PA-2",
            selected(json!({"80": {}})),
            selected(json!({})),
            "spec.portLevelMtls",
        ),
        case(
            "A-PA-3",
            selected(json!({"80": {}})),
            selected(json!({"0": {}})),
            "spec.portLevelMtls.0",
        ),
        case(
            "A-PA-4",
            json!({"selector": {"matchLabels": {"a": "b"}}}),
            json!({"selector": {"matchLabels": {"a": "*"}}}),
            "spec.selector.matchLabels.a",
        ),
    ]
}

fn proxy_configs() -> Vec<Case> {
    let case = |id, pass, fail, path| super::case(id, &Kind::ProxyConfig, pass, fail, path);
    vec![
        case(
            "A-PC-1",
            json!({"selector": {"matchLabels": {"a": "b"}}}),
            json!({"selector": {"matchLabels": {"a": "*"}}}),
            "spec.selector.matchLabels.a",
        ),
        case(
            "A-PC-2",
            json!({"concurrency": 0}),
            json!({"concurrency": -1}),
            "spec.concurrency",
        ),
    ]
}
