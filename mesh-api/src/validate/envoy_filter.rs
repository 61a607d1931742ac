//! Rules of EnvoyFilter (A-EF).

use serde_json::{Map, Value};

use super::at::At;
use super::context::Context;
use super::envoy_schema::PatchFault;
use super::rule::rules;
use super::{shared, targets};
use crate::names::re2;
use crate::networking::EnvoyFilter;
use crate::networking::envoy_filter::{
    ApplyTo, EnvoyConfigObjectMatch, EnvoyConfigObjectPatch, FilterMatch, ListenerMatch, ObjectTypes, Patch,
    PatchContext, PatchOperation, ProxyMatch, SubFilterMatch,
};

rules! {
    EF_1 "A-EF-1" Warning "an EnvoyFilter is made anew when Istio or Envoy change";
    EF_2 "A-EF-2" Error "the workload selector has labels without wildcards" cites "A-X-23";
    EF_3 "A-EF-3" Warning "a selector without labels selects the whole namespace" cites "A-X-23";
    EF_6 "A-EF-6" Error "a patch says what it applies to";
    EF_7 "A-EF-7" Error "a patch says what is done";
    EF_8 "A-EF-8" Error "a patch has an operation";
    EF_9 "A-EF-9" Error "a patch has a value, unless it removes";
    EF_10 "A-EF-10" Warning "the expression for proxy versions has at most 1024 bytes";
    EF_11 "A-EF-11" Error "the expression for proxy versions has RE2's syntax";
    EF_12 "A-EF-12" Error "patches of listeners and filters have conditions on listeners";
    EF_13 "A-EF-13" Warning "conditions on filters are for patches of filters";
    EF_14 "A-EF-14" Error "a condition on a filter names it";
    EF_15 "A-EF-15" Error "conditions on filters in a filter are for patches of HTTP filters";
    EF_16 "A-EF-16" Error "only the HTTP connection manager has filters in it";
    EF_17 "A-EF-17" Error "a condition on a filter in a filter names it";
    EF_18 "A-EF-18" Warning "filters have their canonical names";
    EF_19 "A-EF-19" Error "patches of routes have conditions on routes";
    EF_20 "A-EF-20" Error "patches of clusters have conditions on clusters";
    EF_21 "A-EF-21" Error "the value of a patch is the Envoy message that it applies to";
    EF_22 "A-EF-22" Warning "the value of a patch has known fields alone";
    EF_23 "A-EF-23" Warning "the value of a patch has no types of frozen packages";
    EF_24 "A-EF-24" Warning "a filter that is added has a configuration";
    EF_25 "A-EF-25" Info "values of patches are checked where Envoy's messages are at hand";
}

pub(super) fn check(spec: &EnvoyFilter, at: At<'_>, context: &mut Context<'_>) {
    let EnvoyFilter {
        workload_selector,
        target_refs: _, // istiod does not check them
        config_patches,
        priority: _,
    } = spec;
    let message = "EnvoyFilter exposes internals of Istio, and a change of version may break it";
    context.report(&EF_1, &at, message);
    if let Some(selector) = workload_selector {
        let at = at.field("workloadSelector");
        let at = at.field("labels");
        if !shared::selector(context, &EF_2, &at, &selector.labels) {
            context.stop();
            return;
        }
        targets::warn_of_no_labels(context, &EF_3, &at, &selector.labels);
    }
    let mut unchecked = false;
    for (index, patch) in config_patches.iter().enumerate() {
        let at = at.item("configPatches", index);
        if let Some(value) = check_patch(patch, &at, context) {
            let at = at.field("patch");
            unchecked |= !check_value(patch.apply_to, value, &at.field("value"), context);
        }
    }
    if unchecked {
        let message = "the values of the patches are not checked against Envoy's messages";
        context.report(&EF_25, &at.field("configPatches"), message);
    }
}

/// A-EF-5..20; gives the value that is left to be checked.
fn check_patch<'a>(
    spec: &'a EnvoyConfigObjectPatch,
    at: &At<'_>,
    context: &mut Context<'_>,
) -> Option<&'a Map<String, Value>> {
    let EnvoyConfigObjectPatch {
        apply_to,
        matches,
        patch,
    } = spec;
    let matches = matches.as_deref();
    if matches.is_some_and(|matches| matches.context == PatchContext::Waypoint) {
        return None; // A-EF-5
    }
    if *apply_to == ApplyTo::Invalid {
        context.report(
            &EF_6,
            &at.field("applyTo"),
            "what the patch applies to is missing",
        );
        return None;
    }
    let Some(Patch {
        operation,
        value,
        filter_class: _,
    }) = patch
    else {
        context.report(&EF_7, &at.field("patch"), "the patch is missing");
        return None;
    };
    let patch_at = at.field("patch");
    if *operation == PatchOperation::Invalid {
        context.report(
            &EF_8,
            &patch_at.field("operation"),
            "the operation of the patch is missing",
        );
        return None;
    }
    if *operation != PatchOperation::Remove && value.is_none() {
        let message = format!("the value of the patch is missing, {operation} needs one");
        context.report(&EF_9, &patch_at.field("value"), message);
        return None;
    }
    if let Some(matches) = matches
        && !check_match(*apply_to, matches, &at.field("match"), context)
    {
        return None;
    }
    value.as_ref()
}

/// A-EF-10..20; false where the evaluation of the patch ends.
fn check_match(
    apply_to: ApplyTo,
    matches: &EnvoyConfigObjectMatch,
    at: &At<'_>,
    context: &mut Context<'_>,
) -> bool {
    let EnvoyConfigObjectMatch {
        context: _,
        proxy,
        object_types,
    } = matches;
    if let Some(ProxyMatch {
        proxy_version,
        metadata: _,
    }) = proxy
    {
        let at = at.field("proxy");
        if !check_version(proxy_version, &at.field("proxyVersion"), context) {
            return false;
        }
    }
    let Some(object) = object_types else {
        return true;
    };
    let object_at = at.field(member(object));
    match apply_to {
        ApplyTo::Listener | ApplyTo::FilterChain | ApplyTo::NetworkFilter | ApplyTo::HttpFilter => {
            let ObjectTypes::Listener(listener) = object else {
                let message = format!("a patch of {apply_to} needs a condition on listeners");
                context.report(&EF_12, &object_at, message);
                return false;
            };
            return check_filter(apply_to, listener, &object_at, context);
        }
        ApplyTo::RouteConfiguration | ApplyTo::VirtualHost | ApplyTo::HttpRoute => {
            if !matches!(object, ObjectTypes::RouteConfiguration(_)) {
                let message = format!("a patch of {apply_to} needs a condition on route configurations");
                context.report(&EF_19, &object_at, message);
            }
        }
        ApplyTo::Cluster => {
            if !matches!(object, ObjectTypes::Cluster(_)) {
                let message = "a patch of CLUSTER needs a condition on clusters";
                context.report(&EF_20, &object_at, message);
            }
        }
        ApplyTo::Invalid
        | ApplyTo::ExtensionConfig
        | ApplyTo::Bootstrap
        | ApplyTo::ListenerFilter
        | ApplyTo::Unrecognized(_) => {}
    }
    true
}

fn member(object: &ObjectTypes) -> &'static str {
    match object {
        ObjectTypes::Listener(_) => "listener",
        ObjectTypes::RouteConfiguration(_) => "routeConfiguration",
        ObjectTypes::Cluster(_) => "cluster",
        ObjectTypes::Waypoint(_) => "waypoint",
    }
}

/// A-EF-10 and A-EF-11; false where the evaluation of the patch ends.
fn check_version(pattern: &str, at: &At<'_>, context: &mut Context<'_>) -> bool {
    const LIMIT: usize = 1024;
    if pattern.len() > LIMIT {
        let message = format!(
            "the expression has {} bytes, and is passed over as it is longer than {LIMIT}",
            pattern.len()
        );
        context.report(&EF_10, at, message);
        return true;
    }
    let verdict = re2::check_re2(pattern)
        .map_err(|error| format!("`{pattern}` is no regular expression of RE2: {error}"));
    context.check(&EF_11, at, verdict)
}

/// A-EF-13..18; false where the evaluation of the patch ends.
fn check_filter(apply_to: ApplyTo, listener: &ListenerMatch, at: &At<'_>, context: &mut Context<'_>) -> bool {
    let Some(filter) = listener
        .filter_chain
        .as_ref()
        .and_then(|chain| chain.filter.as_ref())
    else {
        return true;
    };
    let at = at.field("filterChain");
    let at = at.field("filter");
    let FilterMatch { name, sub_filter } = filter;
    if matches!(apply_to, ApplyTo::Listener | ApplyTo::FilterChain) {
        let message = format!("a condition on a filter has no effect on patches of {apply_to}");
        context.report(&EF_13, &at, message);
    }
    if name.is_empty() {
        context.report(&EF_14, &at.field("name"), "the name of the filter is missing");
        return false;
    }
    check_filter_name(name, &at.field("name"), context);
    let Some(SubFilterMatch { name: sub_name }) = sub_filter else {
        return true;
    };
    let sub_at = at.field("subFilter");
    if apply_to != ApplyTo::HttpFilter {
        let message = format!("a condition on an HTTP filter needs applyTo HTTP_FILTER, not {apply_to}");
        context.report(&EF_15, &sub_at, message);
        return false;
    }
    if !matches!(
        name.as_str(),
        CONNECTION_MANAGER | "envoy.http_connection_manager"
    ) {
        let message = format!("HTTP filters are in the connection manager, not in `{name}`");
        context.report_with_help(
            &EF_16,
            &at.field("name"),
            message,
            format!("write `{CONNECTION_MANAGER}`"),
        );
        return false;
    }
    if sub_name.is_empty() {
        context.report(&EF_17, &sub_at.field("name"), "the name of the filter is missing");
        return false;
    }
    check_filter_name(sub_name, &sub_at.field("name"), context);
    true
}

/// A-EF-18
fn check_filter_name(name: &str, at: &At<'_>, context: &mut Context<'_>) {
    if let Some((_, canonical)) = DEPRECATED_NAMES.iter().find(|(old, _)| *old == name) {
        let message = format!("the name `{name}` is deprecated");
        context.report_with_help(&EF_18, at, message, format!("write `{canonical}`"));
    }
}

/// A-EF-21..24; false if it could not be checked.
fn check_value(
    apply_to: ApplyTo,
    value: &Map<String, Value>,
    at: &At<'_>,
    context: &mut Context<'_>,
) -> bool {
    let Some(schema) = context.options.envoy_schema.clone() else {
        return false;
    };
    for fault in schema.check(apply_to, value) {
        match fault {
            PatchFault::Unreadable(why) => {
                let message = format!("the value cannot be read as what {apply_to} means: {why}");
                context.report(&EF_21, at, message);
            }
            PatchFault::UnknownField(path) => {
                context.report(&EF_22, at, format!("the field `{path}` is not known"));
            }
            PatchFault::DeprecatedType(name) => {
                context.report(
                    &EF_23,
                    at,
                    format!("the type `{name}` is of a version that Envoy left"),
                );
            }
            PatchFault::NameOnly(name) => {
                let message = format!("the filter `{name}` has a name and no configuration");
                context.report_with_help(&EF_24, at, message, "give its typedConfig");
            }
        }
    }
    true
}

const CONNECTION_MANAGER: &str = "envoy.filters.network.http_connection_manager";

/// Names of filters before Envoy 1.14, and those since.
const DEPRECATED_NAMES: &[(&str, &str)] = &[
    ("envoy.buffer", "envoy.filters.http.buffer"),
    ("envoy.client_ssl_auth", "envoy.filters.network.client_ssl_auth"),
    ("envoy.cors", "envoy.filters.http.cors"),
    ("envoy.csrf", "envoy.filters.http.csrf"),
    ("envoy.echo", "envoy.filters.network.echo"),
    ("envoy.ext_authz", "envoy.filters.http.ext_authz"),
    ("envoy.fault", "envoy.filters.http.fault"),
    ("envoy.grpc_http1_bridge", "envoy.filters.http.grpc_http1_bridge"),
    (
        "envoy.grpc_json_transcoder",
        "envoy.filters.http.grpc_json_transcoder",
    ),
    ("envoy.grpc_web", "envoy.filters.http.grpc_web"),
    ("envoy.gzip", "envoy.filters.http.gzip"),
    ("envoy.health_check", "envoy.filters.http.health_check"),
    ("envoy.http_connection_manager", CONNECTION_MANAGER),
    ("envoy.http_dynamo_filter", "envoy.filters.http.dynamo"),
    ("envoy.ip_tagging", "envoy.filters.http.ip_tagging"),
    (
        "envoy.listener.http_inspector",
        "envoy.filters.listener.http_inspector",
    ),
    (
        "envoy.listener.original_dst",
        "envoy.filters.listener.original_dst",
    ),
    (
        "envoy.listener.original_src",
        "envoy.filters.listener.original_src",
    ),
    (
        "envoy.listener.proxy_protocol",
        "envoy.filters.listener.proxy_protocol",
    ),
    (
        "envoy.listener.tls_inspector",
        "envoy.filters.listener.tls_inspector",
    ),
    ("envoy.lua", "envoy.filters.http.lua"),
    ("envoy.mongo_proxy", "envoy.filters.network.mongo_proxy"),
    ("envoy.rate_limit", "envoy.filters.http.ratelimit"),
    ("envoy.ratelimit", "envoy.filters.network.ratelimit"),
    ("envoy.redis_proxy", "envoy.filters.network.redis_proxy"),
    ("envoy.router", "envoy.filters.http.router"),
    ("envoy.squash", "envoy.filters.http.squash"),
    ("envoy.tcp_proxy", "envoy.filters.network.tcp_proxy"),
];
