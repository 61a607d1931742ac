//! Which namespaces and pods are injected, and whether pods have what injection gives them.

mod images;

pub(super) use images::check as images;

use std::collections::BTreeSet;

use serde_json::Value;

use super::codes;
use super::path::{self, field};
use super::sink::Sink;
use super::view::{
    INJECT, INJECTION_LABEL, MODE_LABEL, PROXY, REVISION_LABEL, View, containers, is_system_namespace,
};
use super::webhook::is_injector;
use crate::kind::Kind;
use crate::kubernetes::{ConfigMap, Deployment, MutatingWebhookConfiguration, PodSpec, Webhook};
use crate::names::Labels;
use crate::object::Object;

/// IST0102, IST0103, IST0123 and IST0148. Source: Istio analysis injection.go.
pub(super) fn proxies(view: &View<'_>, sink: &mut Sink<'_>) {
    let injected = namespaces(view, sink);
    for pod in view.objects.pods() {
        let namespace = pod.meta.namespace.as_str();
        let label = pod.meta.labels.get(INJECT);
        let choice = label.or_else(|| pod.meta.annotation(INJECT));
        let opted_out = choice.is_some_and(|choice| choice.eq_ignore_ascii_case("false"));
        if !injected.contains(namespace) || opted_out || pod.spec.spec.host_network {
            continue;
        }
        let mut all = containers(&pod.spec.spec);
        if !all.any(|container| container.name == PROXY && !container.image.is_empty()) {
            let parameters = [pod.meta.name.to_string()];
            sink.report(codes::POD_MISSING_PROXY, pod, path::name(), parameters);
        }
    }
}

/// The namespaces whose pods are injected by their labels; reports the others.
fn namespaces<'a>(view: &View<'a>, sink: &mut Sink<'_>) -> BTreeSet<&'a str> {
    let by_default = injector_configs(view).any(|config| {
        let webhook =
            values(config).and_then(|mut values| Some(values.get_mut("sidecarInjectorWebhook")?.take()));
        webhook.is_some_and(|webhook| webhook.get("enableNamespacesByDefault") == Some(&Value::Bool(true)))
    });
    let mut injected = BTreeSet::new();
    for namespace in view.objects.namespaces() {
        let name = namespace.meta.name.as_str();
        if view.options.istio_namespace == name || is_system_namespace(name) {
            continue;
        }
        let labels = &namespace.meta.labels;
        // an empty label for injection is none
        let is_present = |label: &&str| match *label {
            INJECTION_LABEL => labels.get(INJECTION_LABEL).is_some_and(|value| !value.is_empty()),
            label => labels.contains_key(label),
        };
        let present: Vec<&str> = [INJECTION_LABEL, REVISION_LABEL, MODE_LABEL]
            .into_iter()
            .filter(is_present)
            .collect();
        match present[..] {
            [] if by_default => sink.report(codes::INJECTION_BY_DEFAULT, namespace, path::name(), []),
            [] => {
                let parameters = [
                    format!("{INJECTION_LABEL}=enabled"),
                    format!("{INJECTION_LABEL}=disabled"),
                ];
                sink.report(codes::NAMESPACE_NOT_INJECTED, namespace, path::name(), parameters);
            }
            [INJECTION_LABEL] if labels.get(INJECTION_LABEL) == Some("enabled") => {
                injected.insert(name);
            }
            [REVISION_LABEL] => {
                injected.insert(name);
            }
            [_] => {}
            [..] => {
                let parameters = [super::index::list(&present)];
                sink.report(
                    codes::NAMESPACE_MULTIPLE_LABELS,
                    namespace,
                    path::name(),
                    parameters,
                );
            }
        }
    }
    injected
}

/// The ConfigMaps of injectors: the default one, and those of revisions.
fn injector_configs<'a>(view: &View<'a>) -> impl Iterator<Item = &'a Object<ConfigMap>> + use<'a> {
    let configs = view.objects.objects_of::<ConfigMap>().map(|config| &**config);
    configs.filter(|config| config.meta.name.starts_with(INJECTOR))
}

const INJECTOR: &str = "istio-sidecar-injector";

/// The installation's values, which an injector's ConfigMap holds.
fn values(config: &Object<ConfigMap>) -> Option<Value> {
    let text = config.spec.data.get("values")?;
    serde_json::from_str(text).ok()
}

/// IST0146 and IST0147. Source: Istio analysis image-auto.go.
pub(super) fn auto_images(view: &View<'_>, sink: &mut Sink<'_>) {
    // a pod that is there with this image was not injected
    for pod in view.objects.pods() {
        if let Some(at) = auto_image(&pod.spec.spec) {
            let path = field!["spec", "containers", at, "image"];
            let parameters = ["Pod".to_owned(), pod.meta.name.to_string()];
            sink.report(codes::IMAGE_AUTO_ERROR, pod, path, parameters);
        }
    }
    if !view.knows(&Kind::MutatingWebhookConfiguration) {
        return;
    }
    let hooks: Vec<&Webhook> = view
        .objects
        .objects_of::<MutatingWebhookConfiguration>()
        .flat_map(|object| &object.spec.webhooks)
        .filter(|hook| is_injector(hook))
        .collect();
    for deployment in view.objects.objects_of::<Deployment>() {
        let template = &deployment.spec.spec.template;
        let Some(at) = auto_image(&template.spec) else {
            continue;
        };
        let none = Labels::new();
        let namespace = match view.namespace(deployment.meta.namespace.as_str()) {
            Some(meta) => &meta.labels,
            None if view.knows(&Kind::Namespace) => &none,
            None => continue,
        };
        let covers = |hook: &&Webhook| {
            let matches = |selector: &Option<crate::mesh::LabelSelector>, labels: &Labels| {
                selector.as_ref().is_none_or(|selector| selector.matches(labels))
            };
            matches(&hook.namespace_selector, namespace)
                && matches(&hook.object_selector, &template.metadata.labels)
        };
        if !hooks.iter().any(covers) {
            let path = field!["spec", "template", "spec", "containers", at, "image"];
            let parameters = ["Deployment".to_owned(), deployment.meta.name.to_string()];
            sink.report(codes::IMAGE_AUTO_WARNING, deployment, path, parameters);
        }
    }
}

/// The proxy's container, if its image is left to the injector.
fn auto_image(spec: &PodSpec) -> Option<usize> {
    let mut containers = spec.containers.iter();
    containers.position(|container| container.name == PROXY && container.image == "auto")
}
