use super::*;

pub(super) fn cases() -> Vec<Case> {
    [wasm_plugins(), traffic_extensions()]
        .into_iter()
        .flatten()
        .collect()
}

fn wasm_plugins() -> Vec<Case> {
    let case = |id, pass, fail, path| super::case(id, &Kind::WasmPlugin, plugin(pass), plugin(fail), path);
    let env = |variables: Value| json!({"vmConfig": {"env": variables}});
    vec![
        case(
            "A-WP-1",
            json!({"targetRefs": [{"group": "networking.istio.io", "kind": "ServiceEntry", "name": "a"}]}),
            json!({"targetRefs": [{"kind": "Service", "name": "a", "namespace": "b"}]}),
            "spec.targetRefs[0].namespace",
        ),
        case("A-WP-2", json!({}), json!({"url": null}), "spec.url"),
        case(
            "A-WP-3",
            json!({"url": "1.2.3.4:5000/a"}),
            json!({"url": "a.com/%zz"}),
            "spec.url",
        ),
        case(
            "A-WP-4",
            json!({"url": "docker.io/a:b"}),
            json!({"url": "registry:5000/a"}),
            "spec.url",
        ),
        case(
            "A-WP-5",
            json!({"sha256": "0".repeat(64)}),
            json!({"sha256": "0".repeat(63)}),
            "spec.sha256",
        ),
        case(
            "A-WP-6",
            json!({"sha256": "a".repeat(64)}),
            json!({"sha256": "A".repeat(64)}),
            "spec.sha256",
        ),
        case(
            "A-WP-7",
            json!({"imagePullSecret": "a".repeat(253)}),
            json!({"imagePullSecret": "a".repeat(254)}),
            "spec.imagePullSecret",
        ),
        case(
            "A-WP-8",
            json!({"pluginName": "a".repeat(256)}),
            json!({"pluginName": "a".repeat(257)}),
            "spec.pluginName",
        ),
        case(
            "A-WP-9",
            env(json!([{"name": "a"}])),
            env(json!([{"value": "a"}])),
            "spec.vmConfig.env[0].name",
        ),
        case(
            "A-WP-10",
            env(json!([{"name": "a".repeat(256)}])),
            env(json!([{"name": "a".repeat(257)}])),
            "spec.vmConfig.env[0].name",
        ),
        case(
            "A-WP-11",
            env(json!([{"name": "a"}, {"name": "b"}])),
            env(json!([{"name": "a"}, {"name": "a"}])),
            "spec.vmConfig.env[1].name",
        ),
        case(
            "A-WP-12",
            env(json!([{"name": "a", "valueFrom": "HOST"}])),
            env(json!([{"name": "a", "valueFrom": "HOST", "value": "b"}])),
            "spec.vmConfig.env[0].value",
        ),
        case(
            "A-WP-13",
            json!({"match": [{"ports": [{"number": 80}]}]}),
            json!({"match": [{"ports": [{"number": 80}, {}]}]}),
            "spec.match[0].ports[1].number",
        ),
    ]
}

fn plugin(patch: Value) -> Value {
    patched(json!({"url": "oci://a.com/b"}), patch)
}

fn traffic_extensions() -> Vec<Case> {
    let case = |id, pass, fail, path| super::case(id, &Kind::TrafficExtension, pass, fail, path);
    let lua = |code: String| json!({"lua": {"inlineCode": code}});
    vec![
        case("A-TE-1", lua("x = 1".into()), json!({}), "spec"),
        case(
            "A-TE-2",
            json!({"lua": {"inlineCode": "x = 1"}, "selector": {"matchLabels": {"a": "b"}}}),
            json!({"lua": {"inlineCode": "x = 1"}, "selector": {"matchLabels": {"*": "b"}}}),
            "spec.selector.matchLabels[\"*\"]",
        ),
        case(
            "A-TE-3",
            lua("x = 1".into()),
            lua(String::new()),
            "spec.lua.inlineCode",
        ),
        case(
            "A-TE-4",
            lua(" ".repeat(65536)),
            lua(" ".repeat(65537)),
            "spec.lua.inlineCode",
        ),
    ]
}
