//! Validation of made-up objects: it ends, says the same twice, and names only rules that there are.

use mesh_api::extensions::{TrafficExtension, WasmPlugin};
use mesh_api::mesh::{MeshConfig, MeshNetworks, MeshProxyConfig};
use mesh_api::networking::{
    DestinationRule, EnvoyFilter, Gateway, ProxyConfig, ServiceEntry, Sidecar, VirtualService, WorkloadEntry,
    WorkloadGroup,
};
use mesh_api::security::{AuthorizationPolicy, PeerAuthentication, RequestAuthentication};
use mesh_api::telemetry::Telemetry;
use mesh_api::validate::{
    Validate, ValidateOptions, rule, validate_mesh_config, validate_mesh_networks,
    validate_mesh_proxy_config, validate_spec,
};
use mesh_api::{ObjectMeta, Profile, Report};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::DeserializeOwned;

use crate::random::value_from;

fn assert_sound<T: Validate>(bytes: &[u8]) {
    let spec: T = value_from(bytes);
    let meta = ObjectMeta::new("name", "shop");
    let istiod = validate_spec(&meta, &spec, &ValidateOptions::new(Profile::Istiod));
    assert_eq!(
        istiod,
        validate_spec(&meta, &spec.clone(), &ValidateOptions::new(Profile::Istiod))
    );
    let strict = validate_spec(&meta, &spec, &ValidateOptions::new(Profile::Strict));
    for finding in istiod.iter().chain(strict.iter()) {
        assert!(rule(finding.code.as_str()).is_some(), "{finding}");
        assert!(
            !finding.path.is_root() && !finding.message.is_empty(),
            "{finding}"
        );
        assert!(!finding.message.contains(char::is_control), "{finding}");
        assert!(!finding.message.ends_with('.'), "{finding}");
    }
}

/// Bytes to the findings of one of the documents of the mesh.
fn assert_sound_document<T: DeserializeOwned>(bytes: &[u8], validate: fn(&T, &ValidateOptions) -> Report) {
    let document: T = value_from(bytes);
    for profile in [Profile::Istiod, Profile::Strict] {
        let report = validate(&document, &ValidateOptions::new(profile));
        assert_eq!(report, validate(&document, &ValidateOptions::new(profile)));
        for finding in &report {
            assert!(rule(finding.code.as_str()).is_some(), "{finding}");
            assert!(
                !finding.path.is_root() && !finding.message.contains(char::is_control),
                "{finding}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]
    #[test]
    fn documents_of_the_mesh(bytes in vec(any::<u8>(), 0..600)) {
        assert_sound_document::<MeshConfig>(&bytes, validate_mesh_config);
        assert_sound_document::<MeshProxyConfig>(&bytes, validate_mesh_proxy_config);
        assert_sound_document::<MeshNetworks>(&bytes, validate_mesh_networks);
    }
}

macro_rules! sound {
    ($($name:ident $model:ty;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]
            $(#[test]
            fn $name(bytes in vec(any::<u8>(), 0..400)) {
                assert_sound::<$model>(&bytes);
            })*
        }
    };
}

sound! {
    authorization_policy AuthorizationPolicy;
    destination_rule DestinationRule;
    envoy_filter EnvoyFilter;
    gateway Gateway;
    peer_authentication PeerAuthentication;
    proxy_config ProxyConfig;
    request_authentication RequestAuthentication;
    service_entry ServiceEntry;
    sidecar Sidecar;
    telemetry Telemetry;
    traffic_extension TrafficExtension;
    virtual_service VirtualService;
    wasm_plugin WasmPlugin;
    workload_entry WorkloadEntry;
    workload_group WorkloadGroup;
}
