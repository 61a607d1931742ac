//! HTTP routes: actions that exclude each other, conditions, redirects, rewrites, direct responses (A-VS-5, 13..34, 63..84).
//! Policies are in [`http_policy`](super::http_policy).

use super::http_policy as policy;
use super::*;
use crate::networking::{
    HttpBody, HttpDirectResponse, HttpMatchRequest, HttpRedirect, HttpRewrite, HttpRoute,
    HttpRouteDestination, RedirectPort, RegexRewrite, StringMatch,
};

const MIB: usize = 1 << 20;

pub(super) fn check(spec: &HttpRoute, scope: &Scope<'_>, at: &At<'_>, context: &mut Context<'_>) {
    let HttpRoute {
        name: _,
        matches,
        route,
        redirect,
        direct_response,
        delegate: _,
        rewrite,
        timeout,
        retries,
        fault,
        mirror,
        mirrors,
        mirror_percent,
        mirror_percentage,
        cors_policy,
        headers,
    } = spec;
    check_conflicts(spec, scope, at, context);
    for (index, condition) in matches.iter().enumerate() {
        check_condition(condition, scope, &at.item("match", index), context);
    }
    check_destinations(route, scope, &at.field("route"), context);
    if let Some(redirect) = redirect {
        check_redirect(redirect, matches, &at.field("redirect"), context);
    }
    if let Some(response) = direct_response {
        check_direct_response(response, &at.field("directResponse"), context);
    }
    if let Some(rewrite) = rewrite {
        check_rewrite(rewrite, &at.field("rewrite"), context);
    }
    shared::optional_duration(context, &VS_84, &at.field("timeout"), *timeout);
    if let Some(retries) = retries {
        policy::check_retries(retries, &at.field("retries"), context);
    }
    if let Some(fault) = fault {
        policy::check_fault(fault, &at.field("fault"), context);
    }
    if let Some(mirror) = mirror {
        check_destination(mirror, false, &at.field("mirror"), context);
    }
    policy::check_mirrors(mirrors, &at.field("mirrors"), context);
    if let Some(percent) = mirror_percent {
        policy::check_mirror_percent(*percent, &at.field("mirrorPercent"), context);
    }
    policy::check_mirror_share(mirror_percentage.as_ref(), &at.field("mirrorPercentage"), context);
    if let Some(cors_policy) = cors_policy {
        policy::check_cors(cors_policy, &at.field("corsPolicy"), context);
    }
    if let Some(headers) = headers {
        policy::check_headers(headers, &at.field("headers"), context);
    }
    check_authority(spec, at, context);
}

/// A-VS-13..24
fn check_conflicts(spec: &HttpRoute, scope: &Scope<'_>, at: &At<'_>, context: &mut Context<'_>) {
    let redirect = spec.redirect.is_some();
    let direct = spec.direct_response.is_some();
    let route = !spec.route.is_empty();
    let is_root = spec.delegate.is_some() && !scope.is_delegate;
    if is_root {
        for (rule, field, is_set) in [(&VS_13, "redirect", redirect), (&VS_14, "route", route)] {
            if is_set {
                context.report(
                    rule,
                    &at.field(field),
                    format!("a route with a delegate has no {field}"),
                );
            }
        }
        return; // A-VS-14: the others are not run
    }
    if spec.delegate.is_some() {
        context.report(
            &VS_15,
            &at.field("delegate"),
            "a delegate cannot delegate further",
        );
    }
    let fault = spec.fault.is_some();
    let rewrite = spec.rewrite.is_some();
    let mirrors = spec.mirror.is_some() && !spec.mirrors.is_empty();
    for (rule, both, one, other) in [
        (&VS_16, redirect && route, "redirect", "route"),
        (&VS_17, redirect && fault, "redirect", "fault"),
        (&VS_18, redirect && rewrite, "redirect", "rewrite"),
        (&VS_19, redirect && direct, "redirect", "directResponse"),
        (&VS_20, direct && route && !redirect, "directResponse", "route"),
        (&VS_21, direct && fault, "directResponse", "fault"),
        (&VS_22, direct && rewrite, "directResponse", "rewrite"),
        (&VS_24, mirrors, "mirror", "mirrors"),
    ] {
        if both {
            context.report(
                rule,
                &at.field(other),
                format!("{one} and {other} exclude each other"),
            );
        }
    }
    if !redirect && !direct && !route {
        context.report(
            &VS_23,
            at,
            "the route needs one of route, redirect and directResponse",
        );
    }
}

/// A-VS-5 and A-VS-26..34
fn check_condition(spec: &HttpMatchRequest, scope: &Scope<'_>, at: &At<'_>, context: &mut Context<'_>) {
    let HttpMatchRequest {
        name: _,
        uri,
        scheme,
        method,
        authority,
        headers,
        port,
        source_labels,
        gateways,
        query_params,
        ignore_uri_case: _,
        without_headers,
        source_namespace,
        stat_prefix: _,
    } = spec;
    if let Some(uri) = uri {
        check_text(uri, Prefixes::MayBeEmpty, &at.field("uri"), context);
    }
    for (field, text) in [("scheme", scheme), ("method", method), ("authority", authority)] {
        if let Some(text) = text {
            check_text(text, Prefixes::NotEmpty, &at.field(field), context);
        }
    }
    for (key, text) in headers {
        let at = at.field("headers");
        check_header_key(&VS_26, key, scope, &at.key(key), context);
        check_text(text, Prefixes::NotEmpty, &at.key(key), context);
    }
    for (key, text) in without_headers {
        let at = at.field("withoutHeaders");
        check_header_key(&VS_27, key, scope, &at.key(key), context);
        if *text != StringMatch::regex("*") {
            check_text(text, Prefixes::NotEmpty, &at.key(key), context);
        }
    }
    for (key, text) in query_params {
        check_text(text, Prefixes::NotEmpty, &at.entry("queryParams", key), context);
    }
    if *port != 0 {
        context.check(&VS_31, &at.field("port"), check::port(*port));
    }
    shared::label_map(context, &VS_32, &at.field("sourceLabels"), source_labels);
    // quirk A-GEN-6: the warnings on gateways of a condition are lost
    context
        .without_warnings(|context| shared::gateway_refs(context, &VS_33, &at.field("gateways"), gateways));
    if !source_namespace.is_empty() {
        context.check(
            &VS_34,
            &at.field("sourceNamespace"),
            check::dns_label(source_namespace),
        );
    }
}

fn check_header_key(
    rule: &super::super::Rule,
    key: &str,
    scope: &Scope<'_>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    if shared::is_jwt_claim(key) {
        if !scope.gateway_bound {
            let message = format!("`{key}` is a claim of a token, which only gateways route by");
            context.report_with_help(&VS_5, at, message, "name gateways, `mesh` not among them");
        }
    } else if !matches!(key, ":method" | ":scheme" | ":authority" | ":path" | ":status") {
        context.check(rule, at, shared::header_name(key));
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Prefixes {
    MayBeEmpty,
    NotEmpty,
}

/// A-VS-28..30
fn check_text(text: &StringMatch, prefixes: Prefixes, at: &At<'_>, context: &mut Context<'_>) {
    match text {
        StringMatch::Prefix(prefix) if prefix.is_empty() && prefixes == Prefixes::NotEmpty => {
            context.report(
                &VS_28,
                &at.field("prefix"),
                "the prefix to match must not be empty",
            );
        }
        StringMatch::Regex(pattern) if pattern.is_empty() => {
            context.report(
                &VS_29,
                &at.field("regex"),
                "the regular expression to match must not be empty",
            );
        }
        StringMatch::Regex(pattern) => {
            context.check(&VS_30, &at.field("regex"), shared::regex(pattern));
        }
        StringMatch::Unset | StringMatch::Exact(_) | StringMatch::Prefix(_) => {}
    }
}

fn check_destinations(
    route: &[HttpRouteDestination],
    scope: &Scope<'_>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    for (
        index,
        HttpRouteDestination {
            destination,
            weight: _,
            headers,
        },
    ) in route.iter().enumerate()
    {
        let at = at.index(index);
        match destination {
            None => context.report(&VS_81, &at.field("destination"), "the destination is missing"),
            Some(destination) => {
                check_destination(destination, scope.gateway_api, &at.field("destination"), context);
            }
        }
        if let Some(headers) = headers {
            policy::check_headers(headers, &at.field("headers"), context);
        }
    }
    check_weights(route.iter().map(|entry| entry.weight), at, context);
}

/// A-VS-63..68, the first failure only.
fn check_redirect(
    redirect: &HttpRedirect,
    matches: &[HttpMatchRequest],
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    let HttpRedirect {
        uri,
        authority,
        redirect_port,
        scheme,
        redirect_code,
        prefix_rewrite,
    } = redirect;
    let prefixes_only = || {
        let mut uris = matches.iter().filter_map(|condition| condition.uri.as_ref());
        uris.all(|uri| matches!(uri, StringMatch::Prefix(_)))
    };
    let is_empty = uri.is_empty()
        && prefix_rewrite.is_empty()
        && authority.is_empty()
        && scheme.is_empty()
        && redirect_port.is_none();
    if !uri.is_empty() && !prefix_rewrite.is_empty() {
        context.report(
            &VS_63,
            &at.field("prefixRewrite"),
            "uri and prefixRewrite exclude each other",
        );
    } else if !prefix_rewrite.is_empty() && !prefixes_only() {
        context.report(
            &VS_64,
            &at.field("prefixRewrite"),
            "prefixRewrite needs prefix conditions on the uri alone",
        );
    } else if is_empty {
        let message = "the redirect needs one of uri, prefixRewrite, authority, port, derivePort and scheme";
        context.report(&VS_65, at, message);
    } else if *redirect_code != 0 && !(300..=399).contains(redirect_code) {
        let message = format!("{redirect_code} is no status of a redirect from 300 to 399");
        context.report(&VS_66, &at.field("redirectCode"), message);
    } else if !matches!(scheme.as_str(), "" | "http" | "https") {
        context.report(
            &VS_67,
            &at.field("scheme"),
            format!("the scheme `{scheme}` is neither http nor https"),
        );
    } else if let Some(RedirectPort::Port(port)) = redirect_port
        && *port != 0
    {
        context.check(&VS_68, &at.field("port"), check::port(*port));
    }
}

/// A-VS-69..71
fn check_direct_response(response: &HttpDirectResponse, at: &At<'_>, context: &mut Context<'_>) {
    let HttpDirectResponse { status, body } = response;
    context.check(
        &VS_71,
        &at.field("status"),
        shared::http_status(i64::from(*status), context.is_strict()),
    );
    let size = match body {
        None | Some(HttpBody::Unset) => 0,
        Some(HttpBody::String(text)) => text.len(),
        Some(HttpBody::Bytes(bytes)) => bytes.len(),
    };
    if size > MIB {
        context.report(
            &VS_69,
            &at.field("body"),
            format!("the body has {size} bytes, at most {MIB} are allowed"),
        );
    } else if size > 100 * 1024 {
        let message = format!("the body has {size} bytes, which every proxy gets with its configuration");
        context.report(&VS_70, &at.field("body"), message);
    }
}

/// A-VS-76..79, the first failure only.
fn check_rewrite(rewrite: &HttpRewrite, at: &At<'_>, context: &mut Context<'_>) {
    let HttpRewrite {
        uri,
        authority,
        uri_regex_rewrite,
    } = rewrite;
    match uri_regex_rewrite {
        Some(_) if !uri.is_empty() => {
            context.report(
                &VS_76,
                &at.field("uriRegexRewrite"),
                "uri and uriRegexRewrite exclude each other",
            );
        }
        None if uri.is_empty() && authority.is_empty() => {
            context.report(
                &VS_77,
                at,
                "the rewrite needs one of uri, uriRegexRewrite and authority",
            );
        }
        Some(RegexRewrite { r#match, rewrite }) if r#match.is_empty() || rewrite.is_empty() => {
            context.report(
                &VS_78,
                &at.field("uriRegexRewrite"),
                "match and rewrite must not be empty",
            );
        }
        Some(RegexRewrite { r#match, rewrite: _ }) => {
            context.check(
                &VS_79,
                &at.field("uriRegexRewrite").field("match"),
                shared::regex(r#match),
            );
        }
        None => {}
    }
}

/// A-VS-80
fn check_authority(spec: &HttpRoute, at: &At<'_>, context: &mut Context<'_>) {
    let mut set = spec
        .rewrite
        .as_ref()
        .is_some_and(|rewrite| !rewrite.authority.is_empty());
    let Some(request) = spec.headers.as_ref().and_then(|headers| headers.request.as_ref()) else {
        return;
    };
    for (field, headers) in [("set", &request.set), ("add", &request.add)] {
        for (key, value) in headers {
            if !key.eq_ignore_ascii_case("host") && !key.eq_ignore_ascii_case(":authority") {
                continue;
            }
            if set {
                let at = at.field("headers");
                let at = at.field("request");
                context.report(
                    &VS_80,
                    &at.entry(field, key),
                    "the authority is set more than once",
                );
            }
            set |= !value.is_empty();
        }
    }
}
