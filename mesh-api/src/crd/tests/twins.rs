//! What the API server and istiod judge alike, and what they do not (api.md 3.2).

use super::*;
use crate::codec::Profile;
use crate::validate::{ValidateOptions, covers, validate_decoded};
use crate::{DecodeOptions, decode_with};

/// Whether a profile accepts an object.
fn accepts(profile: Profile, kind: &Kind, spec: &Value) -> bool {
    assert!(covers(kind), "istiod's rules for {kind} are needed here");
    let api_version = kind.api_version().unwrap();
    let metadata = json!({"name": "name", "namespace": "shop"});
    let object = json!({"apiVersion": api_version, "kind": kind.name(), "metadata": metadata, "spec": spec});
    let options = DecodeOptions {
        profile,
        ..DecodeOptions::default()
    };
    let decoded = decode_with("object.json", object.to_string().as_bytes(), &options);
    validate_decoded(&decoded, &ValidateOptions::new(profile)).is_ok()
}

/// The verdicts of API server and istiod.
fn verdicts(kind: &Kind, spec: &Value) -> (bool, bool) {
    let verdicts = (
        accepts(Profile::ApiServer, kind, spec),
        accepts(Profile::Istiod, kind, spec),
    );
    // what a user sees on `apply` is both
    assert_eq!(
        accepts(Profile::Cluster, kind, spec),
        verdicts.0 && verdicts.1,
        "{spec}"
    );
    verdicts
}

fn service_entry(patch: Value) -> Value {
    let mut spec = json!({"hosts": ["a.com"], "ports": [{"name": "http", "number": 80, "protocol": "HTTP"}], "resolution": "STATIC"});
    spec.as_object_mut()
        .unwrap()
        .extend(patch.as_object().unwrap().clone());
    spec
}

#[test]
fn twins_agree() {
    let endpoint = json!({"address": "1.1.1.1"});
    let port = |name: &str, number: u32| json!({"name": name, "number": number, "protocol": "HTTP"});
    let peer =
        |labels: Value, ports: Value| json!({"selector": {"matchLabels": labels}, "portLevelMtls": ports});
    let (entry, workload, pa) = (Kind::ServiceEntry, Kind::WorkloadEntry, Kind::PeerAuthentication);
    let dns = |patch: Value| {
        let mut spec = service_entry(json!({"resolution": "DNS"}));
        spec.as_object_mut()
            .unwrap()
            .extend(patch.as_object().unwrap().clone());
        spec
    };
    for (kind, good, bad) in [
        (
            &entry,
            service_entry(json!({})),
            service_entry(json!({"hosts": ["*"]})),
        ),
        (
            &entry,
            service_entry(json!({"endpoints": [endpoint]})),
            service_entry(json!({"endpoints": [endpoint], "workloadSelector": {"labels": {"a": "b"}}})),
        ),
        (
            &entry,
            dns(json!({"addresses": ["1.1.1.1"]})),
            dns(json!({"addresses": ["1.1.1.0/24"]})),
        ),
        (
            &entry,
            service_entry(json!({"endpoints": [endpoint]})),
            service_entry(json!({"endpoints": [endpoint], "resolution": "NONE"})),
        ),
        (
            &entry,
            dns(json!({"endpoints": [endpoint], "resolution": "DNS_ROUND_ROBIN"})),
            dns(json!({"endpoints": [endpoint, endpoint], "resolution": "DNS_ROUND_ROBIN"})),
        ),
        (
            &entry,
            service_entry(json!({"ports": [port("a", 80), port("b", 81)]})),
            service_entry(json!({"ports": [port("a", 80), port("b", 80)]})),
        ),
        (
            &workload,
            json!({"address": "1.1.1.1"}),
            json!({"labels": {"a": "b"}}),
        ),
        (
            &workload,
            json!({"address": "unix:///a"}),
            json!({"address": "unix:///a", "ports": {"a": 1}}),
        ),
        (
            &pa,
            peer(json!({"a": "b"}), json!({"80": {}})),
            peer(json!({"a": "*"}), json!({"80": {}})),
        ),
        (
            &pa,
            peer(json!({"a": "b"}), json!({"80": {}})),
            peer(json!({"a": "b"}), json!({"0": {}})),
        ),
        (
            &pa,
            peer(json!({"a": "b"}), json!({"80": {}})),
            peer(json!({"a": "b"}), json!({})),
        ),
        (
            &pa,
            json!({"mtls": {"mode": "STRICT"}}),
            json!({"portLevelMtls": {"80": {}}}),
        ),
        (
            &pa,
            json!({"selector": {"matchLabels": {"a": "b"}}}),
            json!({"selector": {"matchLabels": {"": "b"}}}),
        ),
    ] {
        assert_eq!(verdicts(kind, &good), (true, true), "{kind} {good}");
        assert_eq!(verdicts(kind, &bad), (false, false), "{kind} {bad}");
    }
}

#[test]
fn twins_of_policies_agree() {
    let target = |namespace: Value| json!({"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "a", "namespace": namespace}]});
    let source = |source: Value| json!({"rules": [{"from": [{"source": source}]}]});
    let jwt = |uri: &str| json!({"jwtRules": [{"issuer": "a", "jwksUri": uri}]});
    let tag = |tag: Value| json!({"metrics": [{"overrides": [{"tagOverrides": {"a": tag}}]}]});
    let wasm = |url: &str| json!({ "url": url });
    let env = |variable: Value| json!({"url": "oci://a/b", "vmConfig": {"env": [variable]}});
    let mut two = target(json!(null));
    two["selector"] = json!({"matchLabels": {"a": "b"}});
    for (kind, good, bad) in [
        (Kind::AuthorizationPolicy, target(json!(null)), two.clone()),
        (Kind::RequestAuthentication, target(json!(null)), two.clone()),
        (Kind::Telemetry, target(json!(null)), two),
        (Kind::Telemetry, target(json!("")), target(json!("other"))),
        (
            Kind::AuthorizationPolicy,
            source(json!({"serviceAccounts": ["shop/a"]})),
            source(json!({"serviceAccounts": ["shop/a"], "principals": ["b"]})),
        ),
        (Kind::RequestAuthentication, jwt("https://a/b"), jwt("ftp://a/b")),
        (
            Kind::Telemetry,
            tag(json!({"operation": "UPSERT", "value": "'v'"})),
            tag(json!({"operation": "UPSERT"})),
        ),
        (
            Kind::Telemetry,
            tag(json!({"operation": "REMOVE"})),
            tag(json!({"operation": "REMOVE", "value": "'v'"})),
        ),
        (Kind::WasmPlugin, wasm("oci://a/b"), wasm("ftp://a/b")),
        (
            Kind::TrafficExtension,
            json!({"wasm": wasm("a/b")}),
            json!({"wasm": wasm("ftp://a/b")}),
        ),
        (
            Kind::WasmPlugin,
            env(json!({"name": "a", "valueFrom": "HOST"})),
            env(json!({"name": "a", "valueFrom": "HOST", "value": "b"})),
        ),
    ] {
        assert_eq!(verdicts(&kind, &good), (true, true), "{kind} {good}");
        assert_eq!(verdicts(&kind, &bad), (false, false), "{kind} {bad}");
    }
}

#[test]
fn known_mismatches() {
    let host = |policy: Value| json!({"host": "a", "trafficPolicy": policy});
    let (rule, entry, gateway) = (Kind::DestinationRule, Kind::ServiceEntry, Kind::Gateway);
    let server = |number: Value| json!({"servers": [{"port": {"number": number, "name": "a", "protocol": "HTTP"}, "hosts": ["*"]}]});
    let connect = |timeout: &str| host(json!({"connectionPool": {"tcp": {"connectTimeout": timeout}}}));
    let tag = |tag: Value| json!({"metrics": [{"overrides": [{"tagOverrides": {"a": tag}}]}]});
    for (kind, spec, api_server, istiod) in [
        // enums by number, quoted numbers, unknown fields, null in lists
        (&rule, host(json!({"tls": {"mode": 1}})), false, true),
        (&gateway, server(json!("80")), false, true),
        (&rule, json!({"host": "a", "subset": []}), false, true),
        (
            &entry,
            service_entry(json!({"subjectAltNames": ["a", null]})),
            false,
            true,
        ),
        // a list that is empty is there for the API server
        (
            &entry,
            service_entry(json!({"workloadSelector": {"labels": {"a": "b"}}, "endpoints": []})),
            false,
            true,
        ),
        // parts of a millisecond
        (&rule, connect("1.5ms"), true, false),
        // warmup aggression 0
        (
            &rule,
            host(
                json!({"loadBalancer": {"simple": "RANDOM", "warmup": {"duration": "1s", "aggression": 0}}}),
            ),
            true,
            false,
        ),
        // a tag that is set to nothing, with and without an operation
        (
            &Kind::Telemetry,
            tag(json!({"operation": "REMOVE", "value": ""})),
            false,
            true,
        ),
        (&Kind::Telemetry, tag(json!({})), true, false),
        // what a key set holds
        (
            &Kind::RequestAuthentication,
            json!({"jwtRules": [{"issuer": "a", "jwks": "no JSON"}]}),
            true,
            false,
        ),
        // probes by gRPC
        (
            &Kind::WorkloadGroup,
            json!({"template": {}, "probe": {"grpc": {"port": 80}}}),
            true,
            false,
        ),
        // a name of a port with 63 characters
        (
            &Kind::WorkloadEntry,
            json!({"address": "1.1.1.1", "ports": {"a".repeat(63): 80}}),
            false,
            true,
        ),
    ] {
        assert_eq!(verdicts(kind, &spec), (api_server, istiod), "{kind} {spec}");
    }
}
