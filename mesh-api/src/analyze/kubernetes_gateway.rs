//! Gateway API: policies that its workloads do not hear, and definitions that are too old.

use std::collections::BTreeMap;

use super::codes;
use super::path::field;
use super::sink::Sink;
use super::view::{GATEWAY_NAME_LABEL, View};
use crate::extensions::WasmPlugin;
use crate::kubernetes::CustomResourceDefinition;
use crate::object::{Model, Object};
use crate::security::{AuthorizationPolicy, RequestAuthentication};
use crate::telemetry::Telemetry;
use crate::type_::WorkloadSelector;

/// IST0166. Source: Istio analysis k8sgateway/selector.go.
pub(super) fn selectors(view: &View<'_>, sink: &mut Sink<'_>) {
    /// The selector of an object that is attached by nothing else.
    macro_rules! selector {
        () => {
            |spec| {
                let is_attached = spec.target_ref.is_some() || !spec.target_refs.is_empty();
                spec.selector.as_ref().filter(|_| !is_attached)
            }
        };
    }
    of_kind::<RequestAuthentication>(view, selector!(), sink);
    of_kind::<AuthorizationPolicy>(view, selector!(), sink);
    of_kind::<Telemetry>(view, selector!(), sink);
    of_kind::<WasmPlugin>(view, selector!(), sink);
}

fn of_kind<T: Model>(
    view: &View<'_>,
    selector: impl Fn(&T) -> Option<&WorkloadSelector>,
    sink: &mut Sink<'_>,
) {
    for object in view.objects.objects_of::<T>() {
        let labels = selector(&object.spec).map(|selector| &selector.match_labels);
        let Some(labels) = labels.filter(|labels| !labels.is_empty()) else {
            continue;
        };
        if let Some(gateway) = gateway_selected(view, object, labels) {
            let path = match labels.keys().next() {
                Some(label) => field!["spec", "selector", "matchLabels", label],
                None => field!["spec", "selector"],
            };
            sink.report(codes::INEFFECTIVE_SELECTOR, object, path, [gateway.to_owned()]);
        }
    }
}

/// The Gateway of the first of its workloads that the selector selects.
fn gateway_selected<'a, T: Model>(
    view: &View<'a>,
    object: &Object<T>,
    labels: &BTreeMap<String, String>,
) -> Option<&'a str> {
    let namespace = object.meta.namespace.as_str();
    let name = |meta: &'a crate::meta::ObjectMeta| meta.labels.get(GATEWAY_NAME_LABEL);
    if view.options.mesh.root_namespace == namespace {
        return view.pods().anywhere(labels).find_map(|(meta, _)| name(meta));
    }
    view.pods()
        .in_namespace(namespace, labels)
        .find_map(|(meta, _)| name(meta))
}

/// The lowest version of a definition that istiod can use.
const MINIMUM: &[(&str, [u64; 3])] = &[
    ("backendtlspolicies.gateway.networking.k8s.io", [1, 4, 0]),
    ("grpcroutes.gateway.networking.k8s.io", [1, 1, 0]),
    ("tcproutes.gateway.networking.k8s.io", [1, 6, 0]),
    ("tlsroutes.gateway.networking.k8s.io", [1, 5, 0]),
];

/// IST0176
pub(super) fn definitions(view: &View<'_>, sink: &mut Sink<'_>) {
    let key = "gateway.networking.k8s.io/bundle-version".to_owned();
    for (name, minimum) in MINIMUM {
        let Some(object) = view.objects.object::<CustomResourceDefinition>("", name) else {
            continue;
        };
        let Some(text) = object.meta.annotation(&key) else {
            continue;
        };
        if version(text).is_some_and(|version| version < *minimum) {
            let [major, minor, patch] = minimum;
            let parameters = [
                (*name).to_owned(),
                text.to_owned(),
                format!("v{major}.{minor}.{patch}"),
            ];
            let path = field!["metadata", "annotations", &key];
            sink.report(codes::GATEWAY_API_CRD_TOO_OLD, object, path, parameters);
        }
    }
}

/// `v1.2.3-rc.1` without the part that tells pre-releases apart.
fn version(text: &str) -> Option<[u64; 3]> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let text = text.split(['-', '+']).next()?;
    let mut parts = text.split('.').map(|part| part.parse().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}
