//! Which Sidecar a workload gets. Source: Istio analysis sidecar/selector.go.

use std::collections::BTreeMap;

use super::codes;
use super::index::{list, selector_text};
use super::path::{self, field};
use super::sink::Sink;
use super::view::{View, is_ambient_namespace};
use crate::kind::Kind;
use crate::networking::Sidecar;
use crate::object::Object;

/// IST0101, IST0110, IST0111 and IST0167
pub(super) fn selectors(view: &View<'_>, sink: &mut Sink<'_>) {
    let mut whole: BTreeMap<&str, Vec<&Object<Sidecar>>> = BTreeMap::new();
    for sidecar in view.objects.sidecars() {
        let namespace = sidecar.meta.namespace.as_str();
        match &sidecar.spec.workload_selector {
            Some(selector) if !selector.labels.is_empty() => {}
            // an empty selector selects nothing and is no whole-namespace one either
            Some(_) => {}
            None if is_ambient(view, namespace) => {
                let reason = "its namespace is in ambient mode, where there are no sidecars";
                ineffective(sidecar, reason, sink);
            }
            None => whole.entry(namespace).or_default().push(sidecar),
        }
    }
    for (namespace, sidecars) in whole.iter().filter(|(_, sidecars)| sidecars.len() > 1) {
        let names = list(sidecars.iter().map(|sidecar| &sidecar.meta.name));
        for sidecar in sidecars {
            let parameters = [names.clone(), (*namespace).to_owned()];
            sink.report(
                codes::MULTIPLE_SIDECARS_WITHOUT_SELECTORS,
                sidecar,
                path::name(),
                parameters,
            );
        }
    }
    if view.knows(&Kind::Pod) {
        selected(view, sink);
    }
}

fn selected(view: &View<'_>, sink: &mut Sink<'_>) {
    let mut by_pod: BTreeMap<(&str, &str), Vec<&Object<Sidecar>>> = BTreeMap::new();
    for sidecar in view.objects.sidecars() {
        let labels = sidecar
            .spec
            .workload_selector
            .as_ref()
            .map(|selector| &selector.labels);
        let Some(labels) = labels.filter(|labels| !labels.is_empty()) else {
            continue;
        };
        let namespace = sidecar.meta.namespace.as_str();
        let (mut found, mut ambient) = (false, false);
        for (meta, _) in view.pods().in_namespace(namespace, labels) {
            found = true;
            ambient |= meta.annotation("ambient.istio.io/redirection") == Some("enabled");
            if by_pod.len() < view.options.max_messages {
                by_pod.entry((namespace, &meta.name)).or_default().push(sidecar);
            }
        }
        if ambient {
            let reason = "it selects pods in ambient mode, which have no sidecar";
            ineffective(sidecar, reason, sink);
        }
        if let (false, Some(label)) = (found, labels.keys().next()) {
            let parameters = ["selector".to_owned(), selector_text(labels)];
            let path = field!["spec", "workloadSelector", "labels", label];
            sink.report(codes::REFERENCED_RESOURCE_NOT_FOUND, sidecar, path, parameters);
        }
    }
    for ((namespace, pod), sidecars) in by_pod.iter().filter(|(_, sidecars)| sidecars.len() > 1) {
        let names = list(sidecars.iter().map(|sidecar| &sidecar.meta.name));
        for sidecar in sidecars {
            if sink.is_full() {
                return;
            }
            let parameters = [names.clone(), (*namespace).to_owned(), (*pod).to_owned()];
            sink.report(
                codes::CONFLICTING_SIDECAR_SELECTORS,
                sidecar,
                path::name(),
                parameters,
            );
        }
    }
}

fn is_ambient(view: &View<'_>, namespace: &str) -> bool {
    view.namespace(namespace).is_some_and(is_ambient_namespace)
}

fn ineffective(sidecar: &Object<Sidecar>, reason: &str, sink: &mut Sink<'_>) {
    let parameters = ["Sidecar".to_owned(), reason.to_owned()];
    sink.report(codes::INEFFECTIVE_POLICY, sidecar, path::name(), parameters);
}
