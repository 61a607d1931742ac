//! Telemetry: which object a workload gets, and providers. Source: Istio analysis telemetry.

use std::collections::BTreeMap;

use super::codes;
use super::index::{list, selector_text};
use super::path::{self, field};
use super::sink::Sink;
use super::view::View;
use crate::kind::Kind;
use crate::object::Object;
use crate::telemetry::Telemetry;

/// IST0160
pub(super) fn defaults(view: &View<'_>, sink: &mut Sink<'_>) {
    let mut whole: BTreeMap<&str, Vec<&Object<Telemetry>>> = BTreeMap::new();
    for object in view.objects.objects_of::<Telemetry>() {
        let Telemetry {
            selector,
            target_ref,
            target_refs,
            ..
        } = &object.spec;
        // what is attached by reference is not for the whole namespace
        if selector.is_none() && target_ref.is_none() && target_refs.is_empty() {
            whole
                .entry(object.meta.namespace.as_str())
                .or_default()
                .push(object);
        }
    }
    for (namespace, objects) in whole.iter().filter(|(_, objects)| objects.len() > 1) {
        let names = list(objects.iter().map(|object| &object.meta.name));
        for object in objects {
            let parameters = [names.clone(), (*namespace).to_owned()];
            sink.report(
                codes::MULTIPLE_TELEMETRIES_WITHOUT_SELECTORS,
                object,
                path::name(),
                parameters,
            );
        }
    }
}

/// IST0101 and IST0159
pub(super) fn selectors(view: &View<'_>, sink: &mut Sink<'_>) {
    if !view.knows(&Kind::Pod) {
        return;
    }
    let mut by_pod: BTreeMap<(&str, &str), Vec<&Object<Telemetry>>> = BTreeMap::new();
    for object in view.objects.objects_of::<Telemetry>() {
        let labels = object
            .spec
            .selector
            .as_ref()
            .map(|selector| &selector.match_labels);
        let Some(labels) = labels.filter(|labels| !labels.is_empty()) else {
            continue;
        };
        let namespace = object.meta.namespace.as_str();
        let mut found = false;
        for (meta, _) in view.pods().in_namespace(namespace, labels) {
            found = true;
            if by_pod.len() < view.options.max_messages {
                by_pod.entry((namespace, &meta.name)).or_default().push(object);
            }
        }
        if let (false, Some(label)) = (found, labels.keys().next()) {
            let parameters = ["selector".to_owned(), selector_text(labels)];
            let path = field!["spec", "selector", "matchLabels", label];
            sink.report(codes::REFERENCED_RESOURCE_NOT_FOUND, object, path, parameters);
        }
    }
    for ((namespace, pod), objects) in by_pod.iter().filter(|(_, objects)| objects.len() > 1) {
        let names = list(objects.iter().map(|object| &object.meta.name));
        for object in objects {
            if sink.is_full() {
                return;
            }
            let parameters = [names.clone(), (*namespace).to_owned(), (*pod).to_owned()];
            sink.report(
                codes::CONFLICTING_TELEMETRY_SELECTORS,
                object,
                path::name(),
                parameters,
            );
        }
    }
}

/// IST0157
pub(super) fn providers(view: &View<'_>, sink: &mut Sink<'_>) {
    if view.mesh().has_default_access_log {
        return;
    }
    for object in view.objects.objects_of::<Telemetry>() {
        for (at, log) in object.spec.access_logging.iter().enumerate() {
            if log.providers.is_empty() {
                let parameters = [object.meta.name.to_string(), object.meta.namespace.to_string()];
                let path = field!["spec", "accessLogging", at];
                sink.report(codes::INVALID_TELEMETRY_PROVIDER, object, path, parameters);
            }
        }
    }
}

/// IST0002
pub(super) fn lightstep(view: &View<'_>, sink: &mut Sink<'_>) {
    let mesh = view.mesh();
    for object in view.objects.objects_of::<Telemetry>() {
        for (at, tracing) in object.spec.tracing.iter().enumerate() {
            for (nth, provider) in tracing.providers.iter().enumerate() {
                if mesh.lightstep_providers.contains(&provider.name) {
                    let detail = format!(
                        "the tracer Lightstep of the provider `{}` is gone: use OpenTelemetry",
                        provider.name
                    );
                    let path = field!["spec", "tracing", at, "providers", nth, "name"];
                    sink.report(codes::DEPRECATED, object, path, [detail]);
                }
            }
        }
    }
    let by_default = mesh
        .default_tracing
        .iter()
        .any(|name| mesh.lightstep_providers.contains(name));
    if by_default || mesh.default_config_uses_lightstep {
        let key = crate::object::ObjectKey {
            kind: Kind::of("", "MeshConfig"),
            namespace: view.options.istio_namespace.clone(),
            name: "meshconfig".into(),
        };
        let detail = "the tracer Lightstep of the mesh configuration is gone: use OpenTelemetry";
        let path = match by_default {
            true => field!["defaultProviders", "tracing"],
            false => field!["defaultConfig", "tracing", "lightstep"],
        };
        sink.report_key(codes::DEPRECATED, key, path, [detail.to_owned()]);
    }
}
