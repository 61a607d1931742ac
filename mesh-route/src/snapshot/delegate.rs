//! Delegation: entries of a root VirtualService that are taken from another one (R-DEL).

use std::collections::BTreeMap;

use mesh_api::networking::{HttpMatchRequest, HttpRoute, StringMatch};

use super::virtual_service::FromRoot;

/// Why a delegate's entry cannot be merged with the root's match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MatchConflict {
    /// The field of the match on which they conflict.
    pub(super) field: &'static str,
}

/// Merges an entry of a delegate with the root's entry (R-DEL-3, R-DEL-8). `None` where the matches conflict. Beside the
/// merged entry come the positions of the delegate's matches, for each match of the result.
pub(super) fn merge_route(
    root: &HttpRoute,
    leaf: &HttpRoute,
) -> Result<(HttpRoute, Vec<Option<usize>>, FromRoot), MatchConflict> {
    let (matches, positions) = merge_matches(&root.matches, &leaf.matches)?;
    let from_root = FromRoot {
        timeout: leaf.timeout.is_none() && root.timeout.is_some(),
        retries: leaf.retries.is_none() && root.retries.is_some(),
        rewrite: leaf.rewrite.is_none() && root.rewrite.is_some(),
    };
    let mut merged = leaf.clone();
    merged.name = join_names(&root.name, &leaf.name);
    merged.matches = matches;
    merged.delegate = None;
    macro_rules! inherit {
        ($($field:ident)*) => { $(if merged.$field.is_none() { merged.$field = root.$field.clone(); })* };
    }
    inherit!(rewrite direct_response timeout retries fault mirror mirror_percent mirror_percentage cors_policy headers);
    if merged.mirrors.is_empty() {
        merged.mirrors.clone_from(&root.mirrors);
    }
    Ok((merged, positions, from_root))
}

fn join_names(root: &str, leaf: &str) -> String {
    match (root, leaf) {
        ("", name) | (name, "") => name.to_owned(),
        (root, leaf) => format!("{root}-{leaf}"),
    }
}

type Merged = (Vec<HttpMatchRequest>, Vec<Option<usize>>);

/// Merges match lists: every delegate match with every compatible root match. A delegate match without any compatible
/// one drops the whole entry (R-DEL-4).
fn merge_matches(root: &[HttpMatchRequest], leaf: &[HttpMatchRequest]) -> Result<Merged, MatchConflict> {
    if root.is_empty() {
        return Ok((leaf.to_vec(), (0..leaf.len()).map(Some).collect()));
    }
    if leaf.is_empty() {
        return Ok((root.to_vec(), vec![None; root.len()]));
    }
    let (mut merged, mut positions) = (Vec::new(), Vec::new());
    for (position, leaf) in leaf.iter().enumerate() {
        let mut refused = None;
        let before = merged.len();
        for root in root {
            match conflict(root, leaf) {
                Some(field) => refused = Some(field),
                None => {
                    merged.push(merge_match(root, leaf));
                    positions.push(Some(position));
                }
            }
        }
        if let (Some(field), true) = (refused, merged.len() == before) {
            return Err(MatchConflict { field });
        }
    }
    Ok((merged, positions))
}

/// The first field on which two matches conflict (R-DEL-5).
fn conflict(root: &HttpMatchRequest, leaf: &HttpMatchRequest) -> Option<&'static str> {
    let single = |r: &Option<StringMatch>, l: &Option<StringMatch>| string_conflict(r.as_ref(), l.as_ref());
    let maps = |r: &BTreeMap<String, StringMatch>, l: &BTreeMap<String, StringMatch>| {
        l.iter()
            .any(|(key, leaf)| string_conflict(r.get(key), Some(leaf)))
    };
    let labels = leaf
        .source_labels
        .iter()
        .any(|(key, value)| root.source_labels.get(key).is_some_and(|other| other != value));
    let gateways = !root.gateways.is_empty()
        && !leaf.gateways.is_empty()
        && (leaf.gateways.len() > root.gateways.len()
            || leaf
                .gateways
                .iter()
                .any(|gateway| !root.gateways.contains(gateway)));
    let ports = root.port != 0 && leaf.port != 0 && root.port != leaf.port;
    let namespaces = !root.source_namespace.is_empty() && root.source_namespace != leaf.source_namespace;
    let checks = [
        ("uri", single(&root.uri, &leaf.uri)),
        ("scheme", single(&root.scheme, &leaf.scheme)),
        ("method", single(&root.method, &leaf.method)),
        ("authority", single(&root.authority, &leaf.authority)),
        ("headers", maps(&root.headers, &leaf.headers)),
        (
            "withoutHeaders",
            maps(&root.without_headers, &leaf.without_headers),
        ),
        ("queryParams", maps(&root.query_params, &leaf.query_params)),
        ("ignoreUriCase", root.ignore_uri_case != leaf.ignore_uri_case),
        ("port", ports),
        ("sourceNamespace", namespaces),
        ("sourceLabels", labels),
        ("gateways", gateways),
    ];
    checks
        .into_iter()
        .find(|(_, conflicts)| *conflicts)
        .map(|(field, _)| field)
}

/// Whether two string matches conflict (R-DEL-6).
fn string_conflict(root: Option<&StringMatch>, leaf: Option<&StringMatch>) -> bool {
    use mesh_api::networking::StringMatch as M;
    let (Some(root), Some(leaf)) = (root, leaf) else {
        return false;
    };
    match (root, leaf) {
        (M::Regex(text), other) | (other, M::Regex(text)) => !text.is_empty() && text_of(other) != Some(""),
        (M::Exact(root), M::Exact(leaf)) => root != leaf,
        (M::Prefix(root), M::Prefix(leaf) | M::Exact(leaf)) => !leaf.starts_with(root.as_str()),
        _ => true,
    }
}

fn text_of(matcher: &StringMatch) -> Option<&str> {
    match matcher {
        StringMatch::Exact(text) | StringMatch::Prefix(text) | StringMatch::Regex(text) => Some(text),
        _ => None,
    }
}

/// The merged match: the delegate's values, else the root's; maps are united (R-DEL-7).
fn merge_match(root: &HttpMatchRequest, leaf: &HttpMatchRequest) -> HttpMatchRequest {
    let mut merged = leaf.clone();
    merged.name = join_names(&root.name, &leaf.name);
    macro_rules! inherit {
        ($($field:ident)*) => { $(if merged.$field.is_none() { merged.$field = root.$field.clone(); })* };
    }
    inherit!(uri scheme method authority);
    macro_rules! unite {
        ($($field:ident)*) => { $(
            for (key, value) in &root.$field {
                merged.$field.entry(key.clone()).or_insert_with(|| value.clone());
            }
        )* };
    }
    unite!(headers without_headers query_params source_labels);
    if merged.port == 0 {
        merged.port = root.port;
    }
    if merged.source_namespace.is_empty() {
        merged.source_namespace.clone_from(&root.source_namespace);
    }
    if merged.gateways.is_empty() {
        merged.gateways.clone_from(&root.gateways);
    }
    if merged.stat_prefix.is_empty() {
        merged.stat_prefix.clone_from(&root.stat_prefix);
    }
    merged
}
