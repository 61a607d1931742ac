//! Operations of EnvoyFilters that depend on other filters, or have no effect. Source: Istio analysis envoyfilter.go.

use std::collections::HashSet;

use super::codes;
use super::path::field;
use super::sink::Sink;
use super::view::View;
use crate::networking::envoy_filter::{
    ApplyTo, EnvoyConfigObjectPatch, EnvoyFilter, ObjectTypes, Patch, PatchOperation,
};
use crate::object::Object;

/// IST0151 to IST0155
pub(super) fn patches(view: &View<'_>, sink: &mut Sink<'_>) {
    // names of filters that an earlier patch changes for some versions of the proxy only
    let mut versioned: HashSet<String> = HashSet::new();
    for object in view.objects.objects_of::<EnvoyFilter>() {
        for (at, part) in object.spec.config_patches.iter().enumerate() {
            // upstream looks no further
            let Some(patch) = &part.patch else { break };
            let name = filter_name(part, patch);
            let verdict = judge(part.apply_to, patch.operation);
            let code = match verdict {
                Verdict::Fine => None,
                Verdict::Relative if object.spec.priority != 0 => None,
                Verdict::Relative if versioned.contains(&name) => Some(codes::ENVOY_FILTER_RELATIVE_VERSION),
                Verdict::Relative => Some(codes::ENVOY_FILTER_RELATIVE),
                Verdict::Add => Some(codes::ENVOY_FILTER_ADD),
                Verdict::Remove => Some(codes::ENVOY_FILTER_REMOVE),
                Verdict::Replace => Some(codes::ENVOY_FILTER_REPLACE),
            };
            if let Some(code) = code {
                report(object, at, code, sink);
            }
            let proxy = part.matches.as_ref().and_then(|matches| matches.proxy.as_ref());
            if proxy.is_some_and(|proxy| !proxy.proxy_version.is_empty()) {
                versioned.insert(name);
            }
        }
    }
}

fn report(object: &Object<EnvoyFilter>, at: usize, code: &'static super::MessageType, sink: &mut Sink<'_>) {
    let path = field!["spec", "configPatches", at, "patch", "operation"];
    sink.report(code, object, path, []);
}

enum Verdict {
    Add,
    Fine,
    Relative,
    Remove,
    Replace,
}

fn judge(apply_to: ApplyTo, operation: PatchOperation) -> Verdict {
    let is_route = matches!(apply_to, ApplyTo::RouteConfiguration | ApplyTo::HttpRoute);
    // upstream's text forgets the last, its code does not
    let is_replaceable = matches!(
        apply_to,
        ApplyTo::NetworkFilter | ApplyTo::HttpFilter | ApplyTo::VirtualHost
    );
    match operation {
        PatchOperation::InsertBefore | PatchOperation::InsertAfter => Verdict::Relative,
        PatchOperation::Replace if is_replaceable => Verdict::Relative,
        PatchOperation::Replace => Verdict::Replace,
        PatchOperation::Add if is_route => Verdict::Add,
        PatchOperation::Remove if is_route => Verdict::Remove,
        PatchOperation::Remove => Verdict::Relative,
        _ => Verdict::Fine,
    }
}

/// The name of the filter that a patch brings, or of the one that it looks for; empty if neither has one.
fn filter_name(part: &EnvoyConfigObjectPatch, patch: &Patch) -> String {
    let brought = patch.value.as_ref().and_then(|value| value.get("name")?.as_str());
    let sought = || match &part.matches.as_ref()?.object_types {
        Some(ObjectTypes::Listener(listener)) => {
            let filter = listener.filter_chain.as_ref()?.filter.as_ref()?;
            Some(filter.name.as_str())
        }
        _ => None,
    };
    brought
        .filter(|name| !name.is_empty())
        .or_else(sought)
        .unwrap_or_default()
        .to_owned()
}
