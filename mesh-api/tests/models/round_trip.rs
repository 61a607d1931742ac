//! What a model writes it reads back, and writes again byte by byte (A-GEN-5).

use std::fmt::Debug;

use mesh_api::extensions::{TrafficExtension, WasmPlugin};
use mesh_api::kubernetes::{
    ConfigMap, EndpointSlice, Endpoints, MutatingWebhookConfiguration, Pod, Secret, Service,
};
use mesh_api::mesh::{MeshConfig, MeshNetworks, MeshProxyConfig};
use mesh_api::networking::{
    AbortErrorType, ConsistentHashLb, DestinationRule, EnvoyFilter, Gateway, HashKey, HttpFaultInjection,
    HttpRedirect, LbPolicy, LoadBalancerSettings, ProxyConfig, RedirectPort, RedirectPortSelection,
    ServiceEntry, Sidecar, SimpleLb, StringMatch, VirtualService, WorkloadEntry, WorkloadGroup,
};
use mesh_api::operator::IstioOperator;
use mesh_api::security::{AuthorizationPolicy, PeerAuthentication, RequestAuthentication};
use mesh_api::telemetry::Telemetry;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::random::value_from;

fn assert_round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    let value: T = value_from(bytes);
    let text = serde_json::to_string(&value).unwrap();
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"));
    assert_eq!(read, value, "{text}");
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    assert!(!text.contains("null"), "{text}");
}

macro_rules! round_trips {
    ($($name:ident $model:ty;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]
            $(#[test]
            fn $name(bytes in vec(any::<u8>(), 0..400)) {
                assert_round_trip::<$model>(&bytes);
            })*
        }
    };
}

round_trips! {
    virtual_service VirtualService;
    destination_rule DestinationRule;
    gateway Gateway;
    service_entry ServiceEntry;
    sidecar Sidecar;
    workload_entry WorkloadEntry;
    workload_group WorkloadGroup;
    envoy_filter EnvoyFilter;
    proxy_config ProxyConfig;
    authorization_policy AuthorizationPolicy;
    peer_authentication PeerAuthentication;
    request_authentication RequestAuthentication;
    telemetry Telemetry;
    wasm_plugin WasmPlugin;
    traffic_extension TrafficExtension;
    mesh_config MeshConfig;
    mesh_proxy_config MeshProxyConfig;
    mesh_networks MeshNetworks;
    istio_operator IstioOperator;
    kubernetes_service Service;
    kubernetes_pod Pod;
    kubernetes_endpoints Endpoints;
    kubernetes_endpoint_slice EndpointSlice;
    kubernetes_config_map ConfigMap;
    kubernetes_secret Secret;
    kubernetes_webhooks MutatingWebhookConfiguration;
}

#[test]
fn the_generator_fills_fields() {
    let bytes = [7; 400];
    let value: VirtualService = value_from(&bytes);
    assert_eq!(
        (value.hosts.len(), value.http.len(), value.http[0].matches.len()),
        (1, 1, 1)
    );
    assert_eq!(value_from::<VirtualService>(&[]), VirtualService::default());
}

#[test]
fn the_last_member_of_a_oneof_wins() {
    // A-WIRE-13
    fn read<T: DeserializeOwned>(value: serde_json::Value) -> T {
        serde_json::from_value(value).unwrap()
    }
    assert_eq!(
        read::<StringMatch>(json!({"regex": "c", "prefix": "b", "exact": "a"})),
        StringMatch::regex("c")
    );
    assert_eq!(
        read::<StringMatch>(json!({"prefix": "b", "exact": "a"})),
        StringMatch::prefix("b")
    );
    let redirect: HttpRedirect = read(json!({"derivePort": "FROM_REQUEST_PORT", "port": 80}));
    assert_eq!(
        redirect.redirect_port,
        Some(RedirectPort::DerivePort(RedirectPortSelection::FromRequestPort))
    );
    let balancer: LoadBalancerSettings =
        read(json!({"consistentHash": {"useSourceIp": false}, "simple": "RANDOM"}));
    let hash = ConsistentHashLb {
        hash_key: Some(HashKey::UseSourceIp(false)),
        ..Default::default()
    };
    assert_eq!(balancer, LoadBalancerSettings::consistent_hash(hash));
    let fault: HttpFaultInjection = read(json!({"abort": {"grpcStatus": "OK", "httpStatus": 500}}));
    assert_eq!(
        fault.abort.unwrap().error_type,
        Some(AbortErrorType::GrpcStatus("OK".into()))
    );
}

#[test]
fn members_of_oneofs_keep_their_presence() {
    // A-GEN-5: a zero member of a oneof is not the same as none
    let balancer = LoadBalancerSettings {
        lb_policy: Some(LbPolicy::Simple(SimpleLb::Unspecified)),
        ..Default::default()
    };
    assert_eq!(
        serde_json::to_value(&balancer).unwrap(),
        json!({"simple": "UNSPECIFIED"})
    );
    let redirect = HttpRedirect {
        redirect_port: Some(RedirectPort::Port(0)),
        ..Default::default()
    };
    assert_eq!(serde_json::to_value(&redirect).unwrap(), json!({"port": 0}));
}

#[test]
fn numbers_beyond_json_are_written_as_names() {
    // A-WIRE-6
    for (value, name) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
    ] {
        let percent = mesh_api::networking::Percent::new(value);
        assert_eq!(serde_json::to_value(&percent).unwrap(), json!({ "value": name }));
    }
}

#[test]
fn an_empty_map_of_port_modes_is_kept() {
    // A-WIRE-12
    let policy: PeerAuthentication = serde_json::from_value(json!({"portLevelMtls": {}})).unwrap();
    assert_eq!(policy.port_level_mtls, Some(Default::default()));
    assert_eq!(
        serde_json::to_value(&policy).unwrap(),
        json!({"portLevelMtls": {}})
    );
}

#[test]
fn mesh_config_reads_over_the_built_in_values() {
    // A-MRG-1: present fields replace whole, so a mode that is not there is REGISTRY_ONLY
    let mesh: MeshConfig =
        serde_json::from_value(json!({"outboundTrafficPolicy": {}, "trustDomain": "td"})).unwrap();
    let mut expected = MeshConfig {
        trust_domain: "td".into(),
        ..Default::default()
    };
    expected.outbound_traffic_policy.mode = mesh_api::mesh::OutboundTrafficPolicyMode::RegistryOnly;
    assert_eq!(mesh, expected);
    let off: MeshConfig = serde_json::from_value(json!({"enableAutoMtls": false})).unwrap();
    assert_eq!(
        serde_json::to_value(&off).unwrap()["enableAutoMtls"],
        json!(false)
    );
}
