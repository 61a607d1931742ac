//! What is written is read again by the decoder: `decode(encode(x)) == x`, and the bytes do not change (A-GEN-5).

use std::fmt::Debug;

use mesh_api::codec::{DecodeOptions, Profile};
use mesh_api::extensions::{TrafficExtension, WasmPlugin};
use mesh_api::kubernetes::{EndpointSlice, Namespace, Pod, Service};
use mesh_api::mesh::MeshConfig;
use mesh_api::networking::{
    DestinationRule, EnvoyFilter, Gateway, ProxyConfig, ServiceEntry, Sidecar, VirtualService, WorkloadEntry,
    WorkloadGroup,
};
use mesh_api::object::Model;
use mesh_api::security::{AuthorizationPolicy, PeerAuthentication, RequestAuthentication};
use mesh_api::telemetry::Telemetry;
use mesh_api::{AnyObject, Kind, Object, ObjectMeta, ObjectSet};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::random::value_from;

/// Reads as istiod does, which takes every form that the generator makes up, and fills nothing in.
fn read(text: &str) -> ObjectSet {
    let options = DecodeOptions {
        profile: Profile::Istiod,
        default_namespace: None,
        ..DecodeOptions::default()
    };
    let decoded = mesh_api::decode_with("a", text.as_bytes(), &options);
    assert!(decoded.report().is_empty(), "{}\n{text}", decoded.report());
    decoded.into_parts().0
}

/// Written, read, and written again; as the crate of libyaml reads it too.
fn assert_encodes(objects: &ObjectSet) {
    let (yaml, json) = (objects.to_yaml().unwrap(), objects.to_json().unwrap());
    for text in [&yaml, &json] {
        let again = read(text);
        assert_eq!(&again, objects, "{text}");
        assert_eq!(
            (&again.to_yaml().unwrap(), &again.to_json().unwrap()),
            (&yaml, &json)
        );
    }
    assert!(!json.contains(":null"), "{json}");
    let list: Value = serde_json::from_str(&json).unwrap();
    for (number, document) in yaml.split("---\n").enumerate() {
        let other: Value =
            serde_yaml::from_str(document).unwrap_or_else(|error| panic!("{error}\n{document}"));
        assert_eq!(other, list["items"][number], "{document}");
    }
}

fn object_of<T: Model>(bytes: &[u8], text: &str) -> Object<T> {
    let meta = ObjectMeta::new("a", "b")
        .with_annotation("k", text)
        .with_label("on", "y");
    Object::new(meta, value_from(bytes))
}

macro_rules! objects_encode {
    ($($name:ident $model:ty;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]
            $(#[test]
            fn $name(bytes in vec(any::<u8>(), 0..400), text in "[ -~é\n\t]{0,9}") {
                assert_encodes(&[object_of::<$model>(&bytes, &text)].into_iter().collect());
            })*

            #[test]
            fn every_kind_at_once(bytes in vec(any::<u8>(), 0..200)) {
                let objects: ObjectSet = [$(AnyObject::from(object_of::<$model>(&bytes, "x"))),*].into_iter().collect();
                assert_encodes(&objects);
            }
        }
    };
}

objects_encode! {
    authorization_policy AuthorizationPolicy;
    destination_rule DestinationRule;
    endpoint_slice EndpointSlice;
    envoy_filter EnvoyFilter;
    gateway Gateway;
    namespace Namespace;
    peer_authentication PeerAuthentication;
    pod Pod;
    proxy_config ProxyConfig;
    request_authentication RequestAuthentication;
    service Service;
    service_entry ServiceEntry;
    sidecar Sidecar;
    telemetry Telemetry;
    traffic_extension TrafficExtension;
    virtual_service VirtualService;
    wasm_plugin WasmPlugin;
    workload_entry WorkloadEntry;
    workload_group WorkloadGroup;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn mesh_config(bytes in vec(any::<u8>(), 0..600)) {
        let mesh: MeshConfig = value_from(&bytes);
        for text in [mesh_api::to_yaml(&mesh).unwrap(), mesh_api::to_json(&mesh).unwrap()] {
            let (again, report) = mesh_api::decode_value::<MeshConfig>("mesh", text.as_bytes());
            prop_assert!(report.is_empty(), "{report}\n{text}");
            prop_assert_eq!(&again, &mesh, "{}", text);
        }
    }
}

#[test]
fn fields_come_in_the_order_of_declaration_and_zeros_do_not_come() {
    // A-WIRE-15
    let text = "
kind: DestinationRule
spec:
  subsets: []
  trafficPolicy:
    connectionPool: {http: {maxRetries: 0, http2MaxRequests: 7}, tcp: {}}
    outlierDetection: {consecutive5xxErrors: 0, maxEjectionPercent: 0}
  host: reviews
apiVersion: networking.istio.io/v1beta1
status: {}
metadata: {labels: {z: '1', a: '012'}, namespace: shop, name: reviews}
";
    let objects = read(text);
    let written = "
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata:
  name: reviews
  namespace: shop
  labels:
    a: \"012\"
    z: \"1\"
spec:
  host: reviews
  trafficPolicy:
    connectionPool:
      tcp: {}
      http:
        http2MaxRequests: 7
    outlierDetection:
      consecutive5xxErrors: 0
";
    assert_eq!(objects.to_yaml().unwrap(), written.trim_start());
}

#[test]
fn kubernetes_kinds_keep_the_fields_that_their_models_do_not_have() {
    // A-RES-2, A-GEN-5
    let text = "
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, selfLink: /x}
spec:
  terminationGracePeriodSeconds: 5
  containers:
  - {name: app, image: app, livenessProbe: {httpGet: {path: /, port: http}}, volumeMounts: [{name: v, mountPath: /v}]}
  volumes: [{name: v, emptyDir: {}}]
status: {qosClass: BestEffort}
";
    let mut objects = read(text);
    let written = objects.to_yaml().unwrap();
    for kept in [
        "terminationGracePeriodSeconds: 5",
        "path: /",
        "mountPath: /v",
        "emptyDir: {}",
        "qosClass: BestEffort",
        "selfLink: /x",
    ] {
        assert!(written.contains(kept), "{kept} is not in\n{written}");
    }
    assert_eq!(read(&written).to_yaml().unwrap(), written);

    let mut pod = (**objects.object::<Pod>("shop", "web").unwrap()).clone();
    pod.meta.labels.insert("app", "web");
    let relabelled = pod.to_json().unwrap();
    assert!(
        relabelled.contains("\"labels\":{\"app\":\"web\"}") && relabelled.contains("emptyDir"),
        "{relabelled}"
    );
    pod.spec.spec.containers[0].image = "other".into();
    assert!(
        pod.to_yaml().is_err() && pod.to_json().is_err(),
        "what would become of the probe?"
    );
    objects.insert(pod.clone());
    assert!(objects.to_yaml().is_err());

    // what the model has whole is written by the model, changed or not
    let objects =
        read("{kind: Service, apiVersion: v1, spec: {clusterIP: None}, metadata: {name: a, namespace: b}}");
    let mut service = (**objects.object::<Service>("b", "a").unwrap()).clone();
    service.spec.spec.cluster_ip = "10.0.0.1".into();
    let changed = service.to_json().unwrap();
    assert!(
        changed.ends_with(r#""spec":{"clusterIP":"10.0.0.1"}}"#),
        "{changed}"
    );

    pod.as_read = mesh_api::object::AsRead::default();
    let modelled = pod.to_yaml().unwrap();
    assert!(
        modelled.contains("image: other") && !modelled.contains("emptyDir"),
        "{modelled}"
    );
}

#[test]
fn objects_of_other_kinds_keep_what_they_hold() {
    // A-RES-2
    let text = "
apiVersion: v1
kind: LimitRange
metadata: {selfLink: /x, name: c, creationTimestamp: null, namespace: shop}
data: {b: &b \"yes\", a: *b, mesh: \"a: 1\\nb: |\\n  x\\n\"}
immutable: true
other: [1, 2.5, null, 18446744073709551615, {}]
";
    let objects = read(text);
    let written = "
apiVersion: v1
data:
  a: \"yes\"
  b: \"yes\"
  mesh: |
    a: 1
    b: |
      x
immutable: true
kind: LimitRange
metadata:
  name: c
  namespace: shop
  selfLink: /x
other:
- 1
- 2.5
- null
- 18446744073709551615
- {}
";
    assert_eq!(objects.to_yaml().unwrap(), written.trim_start());
    assert_eq!(read(written), objects);
    assert_eq!(read(&objects.to_json().unwrap()), objects);
    let kind = Kind::of("v1", "LimitRange");
    assert_ne!(read(&written.replace("2.5", "2.6")), objects);
    assert_eq!(objects.iter_kind(&kind).count(), 1);
}

#[test]
fn maps_are_sorted_whatever_their_order() {
    struct Unsorted(Vec<(&'static str, Value)>);

    impl serde::Serialize for Unsorted {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
        }
    }

    let map = Unsorted(vec![
        ("b", json!({"x": [1, {"y": 2}]})),
        ("c", json!("two\nlines")),
        ("a", json!([])),
    ]);
    assert_eq!(
        mesh_api::to_yaml(&[&map]).unwrap(),
        "- a: []\n  b:\n    x:\n    - 1\n    - \"y\": 2\n  c: |-\n    two\n    lines\n"
    );
    assert_eq!(
        mesh_api::to_json(&map).unwrap(),
        r#"{"a":[],"b":{"x":[1,{"y":2}]},"c":"two\nlines"}"#
    );
    let outer = json!({"z": 1});
    assert_eq!(mesh_api::to_yaml(&outer).unwrap(), "z: 1\n");
}

#[test]
fn what_has_no_form_is_refused() {
    fn refused<T: serde::Serialize + Debug>(value: T) {
        assert!(
            mesh_api::to_json(&value).is_err() && mesh_api::to_yaml(&value).is_err(),
            "{value:?}"
        );
    }
    refused(f64::NAN);
    refused(f32::INFINITY);
    refused(std::collections::BTreeMap::from([(vec![1], 1)]));
    refused([Some(f64::NEG_INFINITY)]);
}
