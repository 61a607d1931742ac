//! Routes and conditions that can never be reached (A-VS-97..101). All findings are warnings.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::networking::{HttpMatchRequest, HttpRoute, StringMatch};

pub(super) fn check(spec: &VirtualService, at: &At<'_>, context: &mut Context<'_>) {
    let http = spec.http.iter().map(|route| Route {
        name: &route.name,
        conditions: route
            .matches
            .iter()
            .map(|condition| (condition.name.as_str(), nameless(condition)))
            .collect(),
    });
    check_duplicates(http, &at.field("http"), context);
    let tls = spec.tls.iter().map(|route| Route {
        name: "",
        conditions: route.matches.iter().map(|condition| ("", condition)).collect(),
    });
    check_duplicates(tls, &at.field("tls"), context);
    let tcp = spec.tcp.iter().map(|route| Route {
        name: "",
        conditions: route.matches.iter().map(|condition| ("", condition)).collect(),
    });
    check_duplicates(tcp, &at.field("tcp"), context);
    let conditions: usize = spec.http.iter().map(|route| route.matches.len()).sum();
    if conditions > 1 {
        check_prefixes(&spec.http, &at.field("http"), context);
    }
}

struct Route<'a, C> {
    name: &'a str,
    conditions: Vec<(&'a str, C)>,
}

/// A condition without its name, which does not count in comparisons.
fn nameless(condition: &HttpMatchRequest) -> HttpMatchRequest {
    HttpMatchRequest {
        name: String::new(),
        ..condition.clone()
    }
}

/// A-VS-102
fn label(name: &str, index: usize) -> String {
    match name {
        "" => format!("#{index}"),
        name => format!("\"{name}\""),
    }
}

/// A-VS-97..100
fn check_duplicates<'a, C: serde::Serialize>(
    routes: impl Iterator<Item = Route<'a, C>>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut catch_all: Option<String> = None;
    for (index, Route { name, conditions }) in routes.enumerate() {
        let (route_at, route) = (at.index(index), label(name, index));
        if conditions.is_empty() {
            if let Some(earlier) = &catch_all {
                let message =
                    format!("route {route} is unreachable: route {earlier} before has no conditions either");
                context.report(&VS_97, &route_at, message);
            }
            catch_all = Some(route);
            continue;
        }
        let mut duplicates = 0;
        for (position, (name, condition)) in conditions.iter().enumerate() {
            let at = route_at.field("match");
            let at = at.index(position);
            if let Some(earlier) = &catch_all {
                let message = format!(
                    "condition {} of route {route} is unreachable: route {earlier} before has no conditions",
                    label(name, position)
                );
                context.report(&VS_98, &at, message);
                continue;
            }
            // models have one JSON form each, so equal texts are equal conditions
            let key = serde_json::to_string(condition).unwrap_or_default();
            match seen.get(&key) {
                Some(earlier) => {
                    duplicates += 1;
                    let message = format!(
                        "condition {} of route {route} is in route {earlier} before",
                        label(name, position)
                    );
                    context.report(&VS_99, &at, message);
                }
                None => {
                    seen.insert(key, route.clone());
                }
            }
        }
        if duplicates == conditions.len() {
            let message = format!("route {route} is unreachable: all its conditions are in routes before");
            context.report(&VS_100, &route_at, message);
        }
    }
}

/// Most pairs of conditions that are compared for A-VS-101 in one object; upstream has no limit.
const PAIR_LIMIT: usize = 100_000;

/// A-VS-101
fn check_prefixes(routes: &[HttpRoute], at: &At<'_>, context: &mut Context<'_>) {
    let mut seen = BTreeSet::new();
    let mut earlier: BTreeMap<&str, Vec<(&HttpMatchRequest, String)>> = BTreeMap::new();
    let mut lengths = BTreeSet::new();
    let mut pairs = 0;
    for (index, route) in routes.iter().enumerate() {
        if route.matches.is_empty() {
            return; // whatever follows is unreachable anyhow: A-VS-98
        }
        for (position, condition) in route.matches.iter().enumerate() {
            let is_new = seen.insert(serde_json::to_string(&nameless(condition)).unwrap_or_default());
            let Some(StringMatch::Prefix(prefix)) = condition.uri.as_ref().filter(|_| is_new) else {
                continue;
            };
            let route_at = at.index(index);
            let list_at = route_at.field("match");
            let shorter = lengths
                .range(..prefix.len())
                .filter_map(|&length| prefix.get(..length));
            let candidates = shorter.filter_map(|prefix| earlier.get_key_value(prefix));
            for (covering, others) in candidates {
                for (other, name) in others {
                    pairs += 1;
                    if pairs > PAIR_LIMIT {
                        let message =
                            format!("of the prefixes from here on none is compared: {PAIR_LIMIT} pairs were");
                        context.report(&VS_101, &list_at.index(position), message);
                        return;
                    }
                    if covers(other, condition, context.is_strict()) {
                        let message = format!(
                            "the prefix `{prefix}` of route {} is covered by `{covering}` of route {name} before",
                            label(&route.name, index)
                        );
                        context.report(&VS_101, &list_at.index(position), message);
                    }
                }
            }
            if !prefix.is_empty() {
                lengths.insert(prefix.len());
                earlier
                    .entry(prefix)
                    .or_default()
                    .push((condition, label(&route.name, index)));
            }
        }
    }
}

/// Whether all that `b` matches is matched by `a` before, the prefixes apart.
fn covers(a: &HttpMatchRequest, b: &HttpMatchRequest, strict: bool) -> bool {
    if strict {
        return truly_covers(a, b);
    }
    // quirk A-VS-101: more conditions on `a` count as cover, and several fields are not looked at
    let tagged_method = |condition: &HttpMatchRequest| match &condition.method {
        None | Some(StringMatch::Regex(_) | StringMatch::Unset) => "exact:GET".to_owned(),
        Some(method) => tagged(method),
    };
    let tagged_authority =
        |condition: &HttpMatchRequest| condition.authority.as_ref().map(tagged).unwrap_or_default();
    let all_extend = |a: &BTreeMap<String, StringMatch>, b: &BTreeMap<String, StringMatch>| {
        a.len() == b.len()
            && a.iter()
                .all(|(key, a)| b.get(key).is_some_and(|b| tagged(a).starts_with(&tagged(b))))
    };
    a.port == b.port
        && tagged_method(a).starts_with(&tagged_method(b))
        && tagged_authority(a).starts_with(&tagged_authority(b))
        && all_extend(&a.headers, &b.headers)
        && all_extend(&a.query_params, &b.query_params)
        && all_extend(&a.without_headers, &b.without_headers)
}

fn tagged(text: &StringMatch) -> String {
    match text {
        StringMatch::Exact(text) => format!("exact:{text}"),
        StringMatch::Prefix(text) => format!("prefix:{text}"),
        StringMatch::Regex(_) | StringMatch::Unset => String::new(),
    }
}

/// Cover as it is meant: each condition of `a` is one of `b`, or the same for any value.
fn truly_covers(a: &HttpMatchRequest, b: &HttpMatchRequest) -> bool {
    let HttpMatchRequest {
        name: _,
        uri: _,
        scheme,
        method,
        authority,
        headers,
        port,
        source_labels,
        gateways,
        query_params,
        ignore_uri_case,
        without_headers,
        source_namespace,
        stat_prefix: _,
    } = a;
    let same = |a: &Option<StringMatch>, b: &Option<StringMatch>| a.is_none() || a == b;
    let all_in = |a: &BTreeMap<String, StringMatch>, b: &BTreeMap<String, StringMatch>| {
        a.iter().all(|(key, text)| b.get(key) == Some(text))
    };
    same(scheme, &b.scheme)
        && same(method, &b.method)
        && same(authority, &b.authority)
        && all_in(headers, &b.headers)
        && all_in(query_params, &b.query_params)
        && all_in(without_headers, &b.without_headers)
        && (*port == 0 || *port == b.port)
        && source_labels
            .iter()
            .all(|(key, value)| b.source_labels.get(key) == Some(value))
        && (gateways.is_empty()
            || (!b.gateways.is_empty() && b.gateways.iter().all(|name| gateways.contains(name))))
        && (*ignore_uri_case || !b.ignore_uri_case)
        && (source_namespace.is_empty() || *source_namespace == b.source_namespace)
}
