//! Routes and conditions that can never be reached (A-VS-97..101). All findings are warnings.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::hash::Hash;

use super::*;
use crate::networking::{HttpMatchRequest, HttpRoute, StringMatch};

pub(super) fn check(spec: &VirtualService, at: &At<'_>, context: &mut Context<'_>) {
    let http = spec.http.iter().map(|route| Route {
        name: &route.name,
        conditions: route.matches.iter().map(Nameless::new),
    });
    check_duplicates(http, &at.field("http"), context);
    let tls = spec.tls.iter().map(|route| Route {
        name: "",
        conditions: route.matches.iter().map(|condition| ("", condition)),
    });
    check_duplicates(tls, &at.field("tls"), context);
    let tcp = spec.tcp.iter().map(|route| Route {
        name: "",
        conditions: route.matches.iter().map(|condition| ("", condition)),
    });
    check_duplicates(tcp, &at.field("tcp"), context);
    check_prefixes(&spec.http, &at.field("http"), context);
}

/// A route with its conditions and their names.
struct Route<'a, I> {
    name: &'a str,
    conditions: I,
}

/// What a condition of HTTP asks for. Its name does not count in comparisons.
#[derive(PartialEq, Eq, Hash)]
struct Nameless<'a> {
    uri: &'a Option<StringMatch>,
    scheme: &'a Option<StringMatch>,
    method: &'a Option<StringMatch>,
    authority: &'a Option<StringMatch>,
    headers: &'a BTreeMap<String, StringMatch>,
    port: u32,
    source_labels: &'a BTreeMap<String, String>,
    gateways: &'a [String],
    query_params: &'a BTreeMap<String, StringMatch>,
    ignore_uri_case: bool,
    without_headers: &'a BTreeMap<String, StringMatch>,
    source_namespace: &'a str,
    stat_prefix: &'a str,
}

impl<'a> Nameless<'a> {
    /// The name of a condition, and the rest of it.
    fn new(condition: &'a HttpMatchRequest) -> (&'a str, Self) {
        let HttpMatchRequest {
            name,
            uri,
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
            stat_prefix,
        } = condition;
        let rest = Self {
            uri,
            scheme,
            method,
            authority,
            headers,
            port: *port,
            source_labels,
            gateways,
            query_params,
            ignore_uri_case: *ignore_uri_case,
            without_headers,
            source_namespace,
            stat_prefix,
        };
        (name, rest)
    }
}

/// What a route or condition is called in messages (A-VS-102).
#[derive(Clone, Copy)]
struct Label<'a> {
    name: &'a str,
    index: usize,
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            "" => write!(f, "#{}", self.index),
            name => write!(f, "\"{name}\""),
        }
    }
}

/// Conditions with what is known of each. A few are compared one by one, which is quicker than to hash them; with many of them
/// it would take too long.
struct Seen<C, T> {
    few: Vec<(C, T)>,
    many: HashMap<C, T>,
}

impl<C: Eq + Hash, T: Copy> Seen<C, T> {
    const FEW: usize = 16;

    fn new() -> Self {
        Self {
            few: Vec::new(),
            many: HashMap::new(),
        }
    }

    /// Puts a condition in, if it is not there; what is known of the one that is.
    fn insert(&mut self, condition: C, known: T) -> Option<T> {
        if self.many.is_empty() {
            let same = self.few.iter().find(|(earlier, _)| *earlier == condition);
            if let Some((_, earlier)) = same {
                return Some(*earlier);
            }
            if self.few.len() < Self::FEW {
                self.few.push((condition, known));
                return None;
            }
            self.many.extend(self.few.drain(..));
        }
        match self.many.entry(condition) {
            Entry::Occupied(same) => Some(*same.get()),
            Entry::Vacant(place) => {
                place.insert(known);
                None
            }
        }
    }
}

/// A-VS-97..100
fn check_duplicates<'a, C: Eq + Hash>(
    routes: impl Iterator<Item = Route<'a, impl ExactSizeIterator<Item = (&'a str, C)>>>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    let mut seen = Seen::new();
    let mut catch_all: Option<Label<'a>> = None;
    for (index, Route { name, conditions }) in routes.enumerate() {
        let (route_at, route) = (at.index(index), Label { name, index });
        let count = conditions.len();
        if count == 0 {
            if let Some(earlier) = &catch_all {
                let message =
                    format!("route {route} is unreachable: route {earlier} before has no conditions either");
                context.report(&VS_97, &route_at, message);
            }
            catch_all = Some(route);
            continue;
        }
        let mut duplicates = 0;
        for (position, (name, condition)) in conditions.enumerate() {
            let at = route_at.item("match", position);
            let label = Label {
                name,
                index: position,
            };
            if let Some(earlier) = &catch_all {
                let message = format!(
                    "condition {label} of route {route} is unreachable: route {earlier} before has no conditions"
                );
                context.report(&VS_98, &at, message);
                continue;
            }
            if let Some(earlier) = seen.insert(condition, route) {
                duplicates += 1;
                let message = format!("condition {label} of route {route} is in route {earlier} before");
                context.report(&VS_99, &at, message);
            }
        }
        if duplicates == count {
            let message = format!("route {route} is unreachable: all its conditions are in routes before");
            context.report(&VS_100, &route_at, message);
        }
    }
}

/// Most pairs of conditions that are compared for A-VS-101 in one object; upstream has no limit.
const PAIR_LIMIT: usize = 100_000;

/// A-VS-101
fn check_prefixes(routes: &[HttpRoute], at: &At<'_>, context: &mut Context<'_>) {
    // what follows a route without conditions is unreachable anyhow: A-VS-98
    let reachable = routes.iter().take_while(|route| !route.matches.is_empty());
    let conditions = reachable.enumerate().flat_map(|(index, route)| {
        let positions = route.matches.iter().enumerate();
        positions.map(move |(position, condition)| (index, route, position, condition))
    });
    let mut seen = Seen::new();
    let mut earlier: BTreeMap<&str, Vec<(&HttpMatchRequest, Label<'_>)>> = BTreeMap::new();
    let mut lengths = BTreeSet::new();
    let mut pairs = 0;
    for (index, route, position, condition) in conditions {
        let Some(StringMatch::Prefix(prefix)) = &condition.uri else {
            continue;
        };
        let (_, nameless) = Nameless::new(condition);
        if seen.insert(nameless, ()).is_some() {
            continue;
        }
        let label = Label {
            name: &route.name,
            index,
        };
        let route_at = at.index(index);
        let condition_at = route_at.item("match", position);
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
                    context.report(&VS_101, &condition_at, message);
                    return;
                }
                if covers(other, condition, context.is_strict()) {
                    let message = format!(
                        "the prefix `{prefix}` of route {label} is covered by `{covering}` of route {name} before"
                    );
                    context.report(&VS_101, &condition_at, message);
                }
            }
        }
        if !prefix.is_empty() {
            lengths.insert(prefix.len());
            earlier.entry(prefix).or_default().push((condition, label));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A-VS-99: whether conditions are few or many, the first of equal ones is found.
        #[test]
        fn the_first_of_equal_conditions_is_known(conditions in prop::collection::vec(0..40u8, 0..60)) {
            let mut seen = Seen::new();
            for (index, condition) in conditions.iter().enumerate() {
                let first = conditions.iter().position(|other| other == condition);
                prop_assert_eq!(seen.insert(condition, index), first.filter(|first| *first < index));
            }
        }
    }
}
