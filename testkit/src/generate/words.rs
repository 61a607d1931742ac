//! The few words that meshes and requests are made of, so that they collide.

use mesh_api::networking::StringMatch;
use proptest::prelude::*;
use proptest::sample::select;

/// Namespaces of services and VirtualServices. The sidecar lives in the first one.
pub(super) const NAMESPACES: [&str; 2] = ["one", "two"];
/// The namespace of the gateway and of its Gateways.
pub(super) const EDGE: &str = "edge";
/// Kubernetes services: name and namespace.
pub(super) const SERVICES: [(&str, &str); 3] = [("a", "one"), ("b", "one"), ("a", "two")];
/// Ports of services and of gateways.
pub(super) const PORTS: [u16; 2] = [80, 8080];
/// A host that ServiceEntries declare.
pub(super) const EXTERNAL: &str = "ext.example.com";
/// Hosts that only VirtualServices name.
pub(super) const BARE: [&str; 4] = [
    "web.example.com",
    "api.example.com",
    "*.example.com",
    "*.api.example.com",
];
/// A host that nothing names.
pub(super) const UNKNOWN: &str = "unknown.test";
/// Versions of workloads; the last has no workload.
pub(super) const VERSIONS: [&str; 3] = ["v1", "v2", "v9"];

const PATHS: [&str; 9] = ["/", "/a", "/a/", "/ab", "/a/b", "/A", "/b", "/a/b/c", "/x.y"];
/// Expressions over paths, each with a path that it takes.
const PATH_PATTERNS: [(&str, &str); 6] = [
    (".*", "/z"),
    ("/a(/.*)?", "/a/x"),
    ("/[ab]+", "/ab"),
    (r"/(\w+)/(\d+)", "/b/7"),
    ("/a|/b/c", "/b/c"),
    ("/a.*/b", "/a/x/b"),
];
pub(super) const HEADERS: [&str; 3] = ["x-a", "x-b", "end-user"];
pub(super) const VALUES: [&str; 4] = ["1", "2", "12", "jason"];
/// Expressions over values, each with a value that it takes.
const VALUE_PATTERNS: [(&str, &str); 4] = [("1.*", "12"), ("[0-9]+", "2"), ("j|jason", "jason"), (".*", "")];
pub(super) const METHODS: [&str; 4] = ["GET", "POST", "DELETE", "OPTIONS"];
pub(super) const QUERY: [&str; 2] = ["q", "p"];

pub(super) fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(words).prop_map(str::to_owned)
}

/// A path as it stands in a rewrite or a redirect.
pub(super) fn path() -> impl Strategy<Value = String> {
    word(&PATHS)
}

/// A condition on the path.
pub(super) fn path_match() -> impl Strategy<Value = StringMatch> {
    prop_oneof![
        3 => word(&PATHS).prop_map(StringMatch::Exact),
        5 => word(&PATHS).prop_map(StringMatch::Prefix),
        2 => select(&PATH_PATTERNS[..]).prop_map(|(pattern, _)| StringMatch::regex(pattern)),
    ]
}

/// A condition on a header or query value, presence among them.
pub(super) fn value_match() -> impl Strategy<Value = StringMatch> {
    prop_oneof![
        4 => word(&VALUES).prop_map(StringMatch::Exact),
        2 => word(&VALUES).prop_map(StringMatch::Prefix),
        2 => select(&VALUE_PATTERNS[..]).prop_map(|(pattern, _)| StringMatch::regex(pattern)),
        1 => Just(StringMatch::Unset),
    ]
}

/// A text that a condition of [`path_match`] or [`value_match`] takes; `more` is put where anything may follow.
pub(super) fn taken_by(condition: &StringMatch, more: &str) -> String {
    let patterns = PATH_PATTERNS.iter().chain(&VALUE_PATTERNS);
    match condition {
        StringMatch::Unset => VALUES[0].to_owned(),
        StringMatch::Exact(text) => text.clone(),
        StringMatch::Prefix(text) => format!("{text}{more}"),
        StringMatch::Regex(pattern) => {
            let known = patterns.into_iter().find(|(known, _)| known == pattern);
            known.map_or(VALUES[0], |(_, text)| text).to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_takes_its_text() {
        for (pattern, text) in PATH_PATTERNS.iter().chain(&VALUE_PATTERNS) {
            let whole = regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
            assert!(whole.is_match(text), "{pattern} {text}");
        }
    }
}
