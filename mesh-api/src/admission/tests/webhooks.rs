//! The configurations of webhooks.

use serde_json::{Value, json};

use crate::admission::{ControlPlane, selects};
use crate::kubernetes::{FailurePolicy, Webhook};
use crate::names::{Labels, Namespace};
use crate::object::{AnyObject, Object};
use crate::scalar::Bytes;

fn canary() -> ControlPlane {
    ControlPlane {
        revision: "canary".into(),
        ..ControlPlane::default()
    }
}

fn elsewhere(control_plane: ControlPlane) -> ControlPlane {
    ControlPlane {
        namespace: Namespace::new("mesh"),
        ..control_plane
    }
}

fn written(object: impl Into<AnyObject>) -> Value {
    serde_json::from_str(&object.into().to_json().unwrap()).unwrap()
}

#[test]
fn a_revision_validates_what_bears_its_label() {
    // A-ADM-10, A-ADM-12
    let rules = json!([{
        "operations": ["CREATE", "UPDATE"],
        "apiGroups": ["security.istio.io", "networking.istio.io", "telemetry.istio.io", "extensions.istio.io"],
        "apiVersions": ["*"],
        "resources": ["*"],
    }]);
    let validator = |name: &str, revision: &str, service: &str, namespace: &str| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": { "name": name, "labels": { "app": "istiod", "istio": "istiod", "istio.io/rev": revision } },
            "webhooks": [{
                "name": "rev.validation.istio.io",
                "clientConfig": { "service": { "namespace": namespace, "name": service, "path": "/validate" } },
                "rules": rules,
                "failurePolicy": "Ignore",
                "objectSelector": {
                    "matchExpressions": [{ "key": "istio.io/rev", "operator": "In", "values": [revision] }],
                },
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }],
        })
    };
    assert_eq!(
        written(ControlPlane::default().validator()),
        validator(
            "istio-validator-istio-system",
            "default",
            "istiod",
            "istio-system"
        )
    );
    assert_eq!(
        written(elsewhere(canary()).validator()),
        validator("istio-validator-canary-mesh", "canary", "istiod-canary", "mesh")
    );

    let default = written(canary().default_validator());
    assert_eq!(default["metadata"]["name"], "istiod-default-validator");
    assert_eq!(default["metadata"]["labels"]["istio.io/tag"], "default");
    let webhook = &default["webhooks"][0];
    assert_eq!(webhook["name"], "validation.istio.io");
    assert_eq!(webhook["clientConfig"]["service"]["name"], "istiod-canary");
    assert_eq!(
        (&webhook["rules"], &webhook["failurePolicy"]),
        (&rules, &json!("Ignore"))
    );
    let unlabelled = json!({ "matchExpressions": [{ "key": "istio.io/rev", "operator": "DoesNotExist" }] });
    assert_eq!(webhook["objectSelector"], unlabelled);
}

#[test]
fn the_failure_policy_depends_on_the_roots_and_on_upgrades() {
    // A-ADM-10
    for (roots, is_upgrade, policy) in [
        ("", false, Some(FailurePolicy::Ignore)),
        ("", true, None),
        ("roots", false, Some(FailurePolicy::Fail)),
        ("roots", true, Some(FailurePolicy::Fail)),
    ] {
        let control_plane = ControlPlane {
            ca_bundle: Bytes::new(roots),
            is_upgrade,
            ..ControlPlane::default()
        };
        let [webhook] = &control_plane.validator().spec.webhooks[..] else {
            panic!("one webhook");
        };
        assert_eq!(webhook.failure_policy, policy, "{roots} {is_upgrade}");
        assert_eq!(webhook.client_config.ca_bundle.as_slice(), roots.as_bytes());
    }
}

#[test]
fn injectors_have_their_names_and_webhooks() {
    // A-ADM-23
    let names = |control_plane: ControlPlane| {
        let Object { meta, spec, .. } = control_plane.injector();
        let webhooks: Vec<String> = spec
            .webhooks
            .iter()
            .map(|webhook| webhook.name.replace("sidecar-injector.istio.io", ""))
            .collect();
        (meta.name.to_string(), webhooks.join(" "))
    };
    let both = "rev.namespace. rev.object.";
    for (control_plane, name, webhooks) in [
        (
            ControlPlane::default(),
            "istio-sidecar-injector",
            "rev.namespace. rev.object. namespace. object.",
        ),
        (canary(), "istio-sidecar-injector-canary", both),
        (elsewhere(canary()), "istio-sidecar-injector-canary-mesh", both),
        (
            ControlPlane {
                enable_namespaces_by_default: true,
                ..elsewhere(ControlPlane::default())
            },
            "istio-sidecar-injector-mesh",
            "rev.namespace. rev.object. namespace. object. auto.",
        ),
    ] {
        assert_eq!(names(control_plane), (name.to_owned(), webhooks.to_owned()));
    }
    let injector = written(canary().injector());
    assert_eq!(
        injector["webhooks"][0],
        json!({
            "name": "rev.namespace.sidecar-injector.istio.io",
            "clientConfig": {
                "service": { "namespace": "istio-system", "name": "istiod-canary", "path": "/inject", "port": 443 },
            },
            "rules": [{ "operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"] }],
            "failurePolicy": "Fail",
            "namespaceSelector": { "matchExpressions": [
                { "key": "istio.io/rev", "operator": "In", "values": ["canary"] },
                { "key": "istio-injection", "operator": "DoesNotExist" },
            ] },
            "objectSelector": { "matchExpressions": [
                { "key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"] },
            ] },
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "reinvocationPolicy": "Never",
        })
    );
}

/// Every choice of one value, or none, for each key.
fn all_labels(choices: &[(&str, &[&str])]) -> Vec<Labels> {
    choices.iter().fold(vec![Labels::new()], |so_far, (key, values)| {
        let with = |labels: &Labels| {
            let named = values.iter().map(|value| labels.clone().with(*key, *value));
            named.chain([labels.clone()]).collect::<Vec<_>>()
        };
        so_far.iter().flat_map(with).collect()
    })
}

/// Whether a pod is injected by the revision, told from what Istio's documentation says of labels.
fn is_injected(label: &str, is_default: bool, by_default: bool, namespace: &Labels, pod: &Labels) -> bool {
    let wish = pod.get("sidecar.istio.io/inject");
    if wish == Some("false") {
        return false;
    }
    match (namespace.get("istio-injection"), namespace.get("istio.io/rev")) {
        (Some(injection), _) => is_default && injection == "enabled",
        (None, Some(revision)) => revision == label,
        (None, None) => match pod.get("istio.io/rev") {
            Some(revision) => revision == label,
            None if wish == Some("true") => is_default,
            None => {
                let is_system = namespace
                    .get("kubernetes.io/metadata.name")
                    .is_some_and(|name| name.starts_with("kube-"));
                is_default && by_default && wish.is_none() && !is_system
            }
        },
    }
}

#[test]
fn at_most_one_webhook_of_a_revision_selects_a_pod() {
    // A-ADM-23, A-ADM-24
    let namespaces = all_labels(&[
        ("istio-injection", &["enabled", "disabled"]),
        ("istio.io/rev", &["default", "canary", "stable"]),
        ("kubernetes.io/metadata.name", &["shop", "kube-system"]),
    ]);
    let pods = all_labels(&[
        ("sidecar.istio.io/inject", &["true", "false", "maybe"]),
        ("istio.io/rev", &["default", "canary", "stable"]),
    ]);
    let by_default = ControlPlane {
        enable_namespaces_by_default: true,
        ..ControlPlane::default()
    };
    let mut injected = 0;
    for (configuration, label, is_default, everywhere) in [
        (ControlPlane::default().injector(), "default", true, false),
        (by_default.injector(), "default", true, true),
        (canary().injector(), "canary", false, false),
        (canary().tagged_injector("stable"), "stable", false, false),
        (canary().tagged_injector("default"), "default", true, false),
    ] {
        for (namespace, pod) in namespaces
            .iter()
            .flat_map(|namespace| pods.iter().map(move |pod| (namespace, pod)))
        {
            let fits = |webhook: &&Webhook| {
                let [namespaces, objects] = [&webhook.namespace_selector, &webhook.object_selector];
                namespaces.as_ref().unwrap().matches(namespace) && objects.as_ref().unwrap().matches(pod)
            };
            let fitting: Vec<&Webhook> = configuration.spec.webhooks.iter().filter(fits).collect();
            assert!(fitting.len() <= 1, "{namespace:?} {pod:?}: {fitting:?}");
            assert_eq!(
                selects(&configuration.spec, namespace, pod),
                fitting.first().copied()
            );
            let expected = is_injected(label, is_default, everywhere, namespace, pod);
            assert_eq!(!fitting.is_empty(), expected, "{label} {namespace:?} {pod:?}");
            injected += fitting.len();
        }
    }
    assert!(injected > 100, "{injected}");
}

#[test]
fn tags_lead_to_the_service_of_their_revision() {
    // A-ADM-24
    let tag = canary().tagged_injector("stable");
    assert_eq!(tag.meta.name, "istio-revision-tag-stable");
    assert_eq!(tag.meta.labels.get("istio.io/tag"), Some("stable"));
    assert_eq!(tag.meta.labels.get("istio.io/rev"), Some("canary"));
    for webhook in &tag.spec.webhooks {
        let service = webhook.client_config.service.as_ref().unwrap();
        assert_eq!(service.name, "istiod-canary");
    }
    assert_eq!(
        elsewhere(canary()).tagged_injector("stable").meta.name,
        "istio-revision-tag-stable-mesh"
    );
}

#[test]
fn configurations_survive_reading_and_writing() {
    // A-GEN-5: the reconciler writes whole objects, so nothing of them may be lost
    let text = r#"{
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": "a", "labels": { "istio.io/rev": "default" }, "resourceVersion": "7" },
        "webhooks": [{
            "name": "a.b.c",
            "clientConfig": { "url": "https://a.b/c", "caBundle": "YWJj" },
            "rules": [{
                "operations": ["*"], "apiGroups": [""], "apiVersions": ["*"], "resources": ["pods/*"], "scope": "Namespaced"
            }],
            "failurePolicy": "Fail",
            "matchPolicy": "Exact",
            "namespaceSelector": { "matchLabels": { "a": "b" } },
            "objectSelector": {},
            "sideEffects": "NoneOnDryRun",
            "timeoutSeconds": 5,
            "admissionReviewVersions": ["v1", "v1beta1"],
            "matchConditions": [{ "name": "a", "expression": "true" }]
        }]
    }"#;
    let decoded = crate::decode("webhook.json", text.as_bytes());
    assert!(decoded.report().is_empty(), "{}", decoded.report());
    let (_, object) = decoded.objects().iter().next().unwrap();
    assert_eq!(
        written(object.clone()),
        serde_json::from_str::<Value>(text).unwrap()
    );
}
