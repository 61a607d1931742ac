use super::*;

pub(super) fn cases() -> Vec<Case> {
    let case = |id, pass, fail, path| super::case(id, &Kind::Telemetry, pass, fail, path);
    let tracing = |entry: Value| json!({ "tracing": [entry] });
    let tag = |tag: Value| tracing(json!({"customTags": {"a": tag}}));
    let change = |change: Value| json!({"metrics": [{ "overrides": [change] }]});
    let tags = |tags: Value| change(json!({ "tagOverrides": tags }));
    let filter = |expression: &str| json!({"accessLogging": [{"filter": {"expression": expression}}]});
    vec![
        case(
            "A-TL-1",
            json!({"targetRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "a"}}),
            json!({"targetRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway"}}),
            "spec.targetRef.name",
        ),
        case(
            "A-TL-2",
            json!({"accessLogging": [{"providers": [{"name": "a"}]}]}),
            json!({"accessLogging": [{"providers": [{"name": "a"}, {}]}]}),
            "spec.accessLogging[0].providers[1].name",
        ),
        case(
            "A-TL-4",
            tags(json!({"a": {"value": "b"}})),
            tags(json!({"": {"value": "b"}})),
            "spec.metrics[0].overrides[0].tagOverrides[\"\"]",
        ),
        case(
            "A-TL-5",
            tags(json!({"a": {"operation": "UPSERT", "value": "b"}})),
            tags(json!({"a": {}})),
            "spec.metrics[0].overrides[0].tagOverrides.a.value",
        ),
        case(
            "A-TL-6",
            tags(json!({"a": {"operation": "REMOVE"}})),
            tags(json!({"a": {"operation": "REMOVE", "value": "b"}})),
            "spec.metrics[0].overrides[0].tagOverrides.a.value",
        ),
        case(
            "A-TL-7",
            change(json!({"match": {"customMetric": "a"}})),
            change(json!({"match": {"customMetric": ""}})),
            "spec.metrics[0].overrides[0].match.customMetric",
        ),
        case(
            "A-TL-8",
            json!({"tracing": [{}]}),
            json!({"tracing": [{}, {}]}),
            "spec.tracing",
        ),
        case(
            "A-TL-9",
            tracing(json!({"providers": [{"name": "a"}]})),
            tracing(json!({"providers": [{"name": "a"}, {"name": "b"}]})),
            "spec.tracing[0].providers",
        ),
        case(
            "A-TL-10",
            tracing(json!({"randomSamplingPercentage": 100})),
            tracing(json!({"randomSamplingPercentage": 100.5})),
            "spec.tracing[0].randomSamplingPercentage",
        ),
        case(
            "A-TL-11",
            tracing(json!({"customTags": {"a": {"formatter": {}}}})),
            tracing(json!({"customTags": {"": {"formatter": {}}}})),
            "spec.tracing[0].customTags[\"\"]",
        ),
        case(
            "A-TL-12",
            tag(json!({"header": {"name": "x-a"}})),
            tag(json!({"header": {"defaultValue": "a"}})),
            "spec.tracing[0].customTags.a.header.name",
        ),
        case(
            "A-TL-13",
            filter("response.code >= 400 || !has(connection.mtls)"),
            filter("response.code >="),
            "spec.accessLogging[0].filter.expression",
        ),
    ]
}
