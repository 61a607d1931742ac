use super::*;

pub(super) fn cases() -> Vec<Case> {
    [objects(), conditions(), values()]
        .into_iter()
        .flatten()
        .collect()
}

fn filter_case(id: &'static str, pass: Value, fail: Value, path: &'static str) -> Case {
    super::case(id, &Kind::EnvoyFilter, pass, fail, path)
}

/// One patch that removes clusters, changed.
fn patch(patch: Value) -> Value {
    let base = json!({"applyTo": "CLUSTER", "patch": {"operation": "REMOVE"}});
    json!({"configPatches": [patched(base, patch)]})
}

/// One patch that removes HTTP filters, with conditions on the filter and the filter in it.
fn filters(filter: Value) -> Value {
    patch(json!({
        "applyTo": "HTTP_FILTER",
        "match": {"listener": {"filterChain": {"filter": filter}}},
    }))
}

fn objects() -> Vec<Case> {
    let case = filter_case;
    vec![
        Case {
            id: "A-EF-1",
            pass: Object::new(Kind::PeerAuthentication, json!({})),
            fail: Object::new(Kind::EnvoyFilter, json!({})),
            path: "spec",
        },
        case(
            "A-EF-2",
            json!({"workloadSelector": {"labels": {"a": "b"}}}),
            json!({"workloadSelector": {"labels": {"a": "*"}}}),
            "spec.workloadSelector.labels.a",
        ),
        case(
            "A-EF-3",
            json!({"workloadSelector": {"labels": {"a": "b"}}}),
            json!({"workloadSelector": {}}),
            "spec.workloadSelector.labels",
        ),
        case(
            "A-EF-6",
            // A-EF-5: of patches for waypoints nothing is looked at
            json!({"configPatches": [{"match": {"context": "WAYPOINT"}}]}),
            json!({"configPatches": [{"match": {"context": "GATEWAY"}}]}),
            "spec.configPatches[0].applyTo",
        ),
        case(
            "A-EF-7",
            patch(json!({})),
            patch(json!({"patch": null})),
            "spec.configPatches[0].patch",
        ),
        case(
            "A-EF-8",
            patch(json!({})),
            patch(json!({"patch": {"operation": "INVALID"}})),
            "spec.configPatches[0].patch.operation",
        ),
        case(
            "A-EF-9",
            patch(json!({"patch": {"operation": "MERGE", "value": {"name": "a"}}})),
            patch(json!({"patch": {"operation": "MERGE"}})),
            "spec.configPatches[0].patch.value",
        ),
    ]
}

fn conditions() -> Vec<Case> {
    let case = filter_case;
    let version = |text: &str| patch(json!({"match": {"proxy": {"proxyVersion": text}}}));
    let manager = "envoy.filters.network.http_connection_manager";
    let sub = |name: &str| filters(json!({"name": manager, "subFilter": {"name": name}}));
    vec![
        case(
            "A-EF-10",
            version(&"a".repeat(1024)),
            version(&"(".repeat(1025)),
            "spec.configPatches[0].match.proxy.proxyVersion",
        ),
        case(
            "A-EF-11",
            version(r"^1\.2.*"),
            version("("),
            "spec.configPatches[0].match.proxy.proxyVersion",
        ),
        case(
            "A-EF-12",
            patch(json!({"applyTo": "LISTENER", "match": {"listener": {"portNumber": 80}}})),
            patch(json!({"applyTo": "LISTENER", "match": {"cluster": {"name": "a"}}})),
            "spec.configPatches[0].match.cluster",
        ),
        case(
            "A-EF-13",
            filters(json!({"name": "a"})),
            patch(json!({
                "applyTo": "LISTENER",
                "match": {"listener": {"filterChain": {"filter": {"name": "a"}}}},
            })),
            "spec.configPatches[0].match.listener.filterChain.filter",
        ),
        case(
            "A-EF-14",
            filters(json!({"name": "a"})),
            filters(json!({})),
            "spec.configPatches[0].match.listener.filterChain.filter.name",
        ),
        case(
            "A-EF-15",
            sub("a"),
            patch(json!({
                "applyTo": "NETWORK_FILTER",
                "match": {"listener": {"filterChain": {"filter": {"name": manager, "subFilter": {"name": "a"}}}}},
            })),
            "spec.configPatches[0].match.listener.filterChain.filter.subFilter",
        ),
        case(
            "A-EF-16",
            sub("a"),
            filters(json!({"name": "a", "subFilter": {"name": "b"}})),
            "spec.configPatches[0].match.listener.filterChain.filter.name",
        ),
        case(
            "A-EF-17",
            sub("a"),
            sub(""),
            "spec.configPatches[0].match.listener.filterChain.filter.subFilter.name",
        ),
        case(
            "A-EF-18",
            sub("envoy.filters.http.router"),
            sub("envoy.router"),
            "spec.configPatches[0].match.listener.filterChain.filter.subFilter.name",
        ),
        case(
            "A-EF-19",
            patch(json!({"applyTo": "VIRTUAL_HOST", "match": {"routeConfiguration": {"name": "80"}}})),
            patch(json!({"applyTo": "HTTP_ROUTE", "match": {"listener": {"name": "a"}}})),
            "spec.configPatches[0].match.listener",
        ),
        case(
            "A-EF-20",
            patch(json!({"match": {"cluster": {"service": "a.com"}}})),
            patch(json!({"match": {"routeConfiguration": {"name": "80"}}})),
            "spec.configPatches[0].match.routeConfiguration",
        ),
    ]
}

/// Cases that go by the messages that the tests know: see `Messages`.
fn values() -> Vec<Case> {
    let case = |id, fail: Value, path| {
        let object = |value: Value| Object {
            knows_messages: true,
            ..Object::new(
                Kind::EnvoyFilter,
                patch(json!({"patch": {"operation": "ADD", "value": value}})),
            )
        };
        Case {
            id,
            pass: object(json!({"name": "a"})),
            fail: object(fail),
            path,
        }
    };
    let value = "spec.configPatches[0].patch.value";
    vec![
        case("A-EF-21", json!({"name": 1}), value),
        case("A-EF-22", json!({"nam": "a"}), value),
        case("A-EF-23", json!({"@type": "envoy.api.v2.Cluster"}), value),
        case("A-EF-24", json!({"name": ""}), value),
        filter_case(
            "A-EF-25",
            patch(json!({})),
            patch(json!({"patch": {"operation": "ADD", "value": {}}})),
            "spec.configPatches",
        ),
    ]
}
