use serde_json::json;

use super::*;

fn check(apply_to: ApplyTo, value: Value) -> Vec<PatchFault> {
    EnvoyMessages.check(apply_to, value.as_object().expect("an object"))
}

fn any(name: &str, mut fields: Value) -> Value {
    fields["@type"] = json!(format!("type.googleapis.com/{name}"));
    fields
}

fn http_filter(name: &str, typed_config: Value) -> Value {
    json!({ "name": name, "typed_config": typed_config })
}

const LUA: &str = "envoy.extensions.filters.http.lua.v3.Lua";

#[test]
fn a_ef_21_every_place_of_a_patch_has_a_message() {
    for target in [
        ApplyTo::Listener,
        ApplyTo::FilterChain,
        ApplyTo::NetworkFilter,
        ApplyTo::HttpFilter,
        ApplyTo::RouteConfiguration,
        ApplyTo::VirtualHost,
        ApplyTo::HttpRoute,
        ApplyTo::Cluster,
        ApplyTo::ExtensionConfig,
        ApplyTo::ListenerFilter,
    ] {
        assert!(message_of(target).is_some(), "{target}");
        let [PatchFault::Unreadable(why)] = &check(target, json!({ "name": { "a": 1 } }))[..] else {
            panic!("{target} takes an object for a name");
        };
        assert!(why.starts_with("name: expected"), "{why}");
    }
    assert_eq!(check(ApplyTo::Bootstrap, json!({ "node": {} })), []);
    assert_eq!(check(ApplyTo::Invalid, json!({ "name": 1 })), []);
}

#[test]
fn a_ef_21_extensions_that_are_not_converted_are_known() {
    let brotli = any(
        "envoy.extensions.filters.http.decompressor.v3.Decompressor",
        json!({ "decompressor_library": {
            "name": "brotli",
            "typed_config": any("envoy.extensions.compression.brotli.decompressor.v3.Brotli", json!({ "chunk_size": 4096 })),
        } }),
    );
    assert_eq!(check(ApplyTo::HttpFilter, http_filter("d", brotli)), []);
}

#[test]
fn a_ef_21_typed_structs_are_known() {
    for name in ["udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct"] {
        let lua = json!({ "type_url": format!("type.googleapis.com/{LUA}"), "value": { "inlineCode": "" } });
        assert_eq!(
            check(ApplyTo::HttpFilter, http_filter("x", any(name, lua))),
            [],
            "{name}"
        );
    }
}

#[test]
fn a_ef_21_unknown_types_are_refused_with_a_hint() {
    let v2 = any("envoy.config.filter.http.lua.v2.Lua", json!({}));
    let [PatchFault::Unreadable(why)] = &check(ApplyTo::HttpFilter, http_filter("lua", v2))[..] else {
        panic!("a type of the API v2 is taken");
    };
    assert_eq!(
        why,
        "typed_config: unknown type `type.googleapis.com/envoy.config.filter.http.lua.v2.Lua`, which may be of Envoy's \
         API v2: use that of v3"
    );
    let invented = any("envoy.extensions.filters.http.nothing.v3.Nothing", json!({}));
    let [PatchFault::Unreadable(why)] = &check(ApplyTo::HttpFilter, http_filter("n", invented))[..] else {
        panic!("an invented type is taken");
    };
    assert!(!why.contains("v2"), "{why}");
}

#[test]
fn a_ef_21_types_of_istio_and_contributed_ones_are_known_by_name() {
    for name in [
        "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig",
        "io.istio.http.peer_metadata.Config",
        "stats.PluginConfig",
        "envoy.extensions.filters.http.golang.v3alpha.Config",
        "envoy.extensions.filters.network.mysql_proxy.v3.MySQLProxy",
    ] {
        let value = http_filter("x", any(name, json!({ "whatever": true })));
        assert_eq!(check(ApplyTo::HttpFilter, value), [], "{name}");
    }
    assert!(!is_known_by_name("istionot.Config"));
    assert!(!is_known_by_name("statsd.Config"));
}

#[test]
fn a_ef_21_names_of_enums_are_checked_and_durations_are_those_of_go() {
    let [PatchFault::Unreadable(why)] = &check(ApplyTo::Cluster, json!({ "lbPolicy": "MAGIC" }))[..] else {
        panic!("an unknown name of an enum is taken");
    };
    assert!(why.starts_with("lbPolicy: expected a value of"), "{why}");
    for duration in ["500ms", "0.5s", "1h30m", "-1.5s", "0"] {
        let cluster = json!({ "connect_timeout": duration });
        assert_eq!(check(ApplyTo::Cluster, cluster), [], "{duration}");
    }
    assert_ne!(check(ApplyTo::Cluster, json!({ "connect_timeout": "1 s" })), []);
}

#[test]
fn a_ef_22_unknown_fields_are_told() {
    let cluster = json!({ "name": "c", "dns": true, "lb_subset_config": { "b": 1 } });
    let expected = ["dns", "lb_subset_config.b"].map(|path| PatchFault::UnknownField(path.to_owned()));
    assert_eq!(check(ApplyTo::Cluster, cluster), expected);
}

#[test]
fn a_ef_23_types_of_frozen_packages_are_told() {
    let value = http_filter("status", any("envoy.type.HttpStatus", json!({ "code": 200 })));
    assert_eq!(
        check(ApplyTo::HttpFilter, value),
        [PatchFault::DeprecatedType("envoy.type.HttpStatus".to_owned())]
    );
}

#[test]
fn a_ef_24_filters_without_configuration_are_told_at_any_depth() {
    assert_eq!(
        check(ApplyTo::HttpFilter, json!({ "name": "envoy.filters.http.cors" })),
        [PatchFault::NameOnly("envoy.filters.http.cors".to_owned())]
    );
    let discovered = json!({ "name": "lua", "config_discovery": { "type_urls": [LUA] } });
    assert_eq!(check(ApplyTo::HttpFilter, discovered), []);
    let manager = any(
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        json!({ "http_filters": [http_filter("lua", any(LUA, json!({}))), { "name": "router" }] }),
    );
    assert_eq!(
        check(
            ApplyTo::NetworkFilter,
            json!({ "name": "hcm", "typed_config": manager })
        ),
        [PatchFault::NameOnly("router".to_owned())]
    );
}
