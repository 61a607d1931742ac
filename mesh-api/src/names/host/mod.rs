//! Host names as Istio writes them: short, fully qualified, or with a leading wildcard.

mod index;

use std::cmp::Ordering;
use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::text::text_newtype;
use super::{Text, check};

pub use index::HostIndex;

/// A host as written: short (`reviews`), fully qualified (`reviews.shop.svc.cluster.local`) or wildcard (`*.example.com`).
///
/// A host is a wildcard if its first byte is `*`; no other position is special (R-HOST-1). Comparison is byte-wise and
/// case-sensitive (R-HOST-4). Every text is a `Host`: whether it is valid is for the validator to say.
///
/// ```
/// use mesh_api::names::Host;
///
/// let wildcard = Host::from("*.example.com");
/// assert!(wildcard.matches(&Host::from("shop.example.com")));
/// assert!(!wildcard.matches(&Host::from("example.com")));
///
/// let short = Host::from("reviews");
/// assert_eq!(short.resolve("shop", "cluster.local"), Host::from("reviews.shop.svc.cluster.local"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Host(Text);

text_newtype!(Host);

impl Host {
    /// Whether the first byte is `*` (R-HOST-1).
    pub fn is_wildcard(&self) -> bool {
        self.wildcard_tail().is_some()
    }

    /// What follows the `*` of a wildcard; `None` for other hosts.
    pub fn wildcard_tail(&self) -> Option<&str> {
        self.as_str().strip_prefix('*')
    }

    /// Whether some name is covered by both hosts (R-HOST-2). The `*` stands for any text, the empty one too (R-HOST-5).
    ///
    /// Source: Istio host/name.go `Matches`.
    pub fn matches(&self, other: &Host) -> bool {
        match (self.wildcard_tail(), other.wildcard_tail()) {
            (None, None) => self == other,
            (Some(tail), None) => other.as_str().ends_with(tail),
            (None, Some(tail)) => self.as_str().ends_with(tail),
            (Some(a), Some(b)) if a.len() < b.len() => b.ends_with(a),
            (Some(a), Some(b)) => a.ends_with(b),
        }
    }

    /// Whether every name that this host covers is covered by `other` (R-HOST-3).
    ///
    /// Source: Istio host/name.go `SubsetOf`.
    pub fn is_subset_of(&self, other: &Host) -> bool {
        match (self.wildcard_tail(), other.wildcard_tail()) {
            (None, None) => self == other,
            (Some(_), None) => false,
            (None, Some(tail)) => self.as_str().ends_with(tail),
            (Some(a), Some(b)) => a.ends_with(b),
        }
    }

    /// Orders the more specific host first: no wildcard before wildcard, longer before shorter, then by bytes (R-HOST-6).
    pub fn cmp_specificity(&self, other: &Host) -> Ordering {
        self.is_wildcard()
            .cmp(&other.is_wildcard())
            .then_with(|| other.as_str().len().cmp(&self.as_str().len()))
            .then_with(|| self.cmp(other))
    }

    /// Whether this host sorts before `other` by [`cmp_specificity`](Self::cmp_specificity). Of two empty hosts each is
    /// called more specific than the other, as upstream has it (R-HOST-6).
    pub fn is_more_specific_than(&self, other: &Host) -> bool {
        (self.is_empty() && other.is_empty()) || self.cmp_specificity(other) == Ordering::Less
    }

    /// The fully qualified name of a host mentioned by an object of `namespace` (R-NAME-1).
    ///
    /// Empty hosts, `*`, IP literals and everything that holds a dot stay as they are, so `reviews.shop` is *not*
    /// completed. An empty `namespace` or `domain` adds nothing.
    ///
    /// Source: Istio config/model `ResolveShortnameToFQDN`.
    pub fn resolve(&self, namespace: &str, domain: &str) -> Host {
        let host = self.as_str();
        // quirk R-NAME-1: any dot makes a name final, `reviews.shop` included
        if host.is_empty() || host == "*" || host.contains('.') || check::ip_address(host).is_ok() {
            return self.clone();
        }
        let mut full = String::with_capacity(host.len() + namespace.len() + domain.len() + 6);
        full.push_str(host);
        if !namespace.is_empty() {
            full.push('.');
            full.push_str(namespace);
        }
        if !domain.is_empty() {
            full.push_str(".svc.");
            full.push_str(domain);
        }
        Host::new(full)
    }

    /// The host with ASCII letters in lower case; the same allocation if there is nothing to change.
    pub fn to_lowercase(&self) -> Host {
        if self.as_str().bytes().any(|byte| byte.is_ascii_uppercase()) {
            Host::new(self.as_str().to_ascii_lowercase())
        } else {
            self.clone()
        }
    }
}

impl From<&str> for Host {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Host {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<Text> for Host {
    fn from(text: Text) -> Self {
        Self(text)
    }
}

/// The hosts that both lists cover, each once, in the order of `a` and then of `b` (R-HOST-8).
///
/// ```
/// use mesh_api::names::{Host, host::intersection};
///
/// let gateway = [Host::from("*.example.com")];
/// let service = [Host::from("shop.example.com"), Host::from("other.org")];
/// assert_eq!(intersection(&gateway, &service), [Host::from("shop.example.com")]);
/// ```
///
/// Source: Istio host/names.go `Intersection`.
pub fn intersection(a: &[Host], b: &[Host]) -> Vec<Host> {
    let mut seen = HashSet::new();
    let mut common = Vec::new();
    for left in a {
        for right in b {
            let found = if left.is_subset_of(right) {
                left
            } else if right.is_subset_of(left) {
                right
            } else {
                continue;
            };
            if seen.insert(found) {
                common.push(found.clone());
            }
        }
    }
    common
}

/// Of entries like `namespace/host`, the hosts meant for `namespace` (R-HOST-9): `x/h` counts if `x` is that namespace or
/// `*`, and an entry without a slash always.
///
/// ```
/// use mesh_api::names::{Host, host::names_for_namespace};
///
/// let hosts = names_for_namespace(&["shop/a.com", "other/b.com", "*/c.com", "d.com"], "shop");
/// assert_eq!(hosts, [Host::from("a.com"), Host::from("c.com"), Host::from("d.com")]);
/// ```
pub fn names_for_namespace<S: AsRef<str>>(hosts: &[S], namespace: &str) -> Vec<Host> {
    hosts
        .iter()
        .filter_map(|entry| match entry.as_ref().split_once('/') {
            None => Some(Host::from(entry.as_ref())),
            Some((scope, host)) => (scope == "*" || scope == namespace).then(|| Host::from(host)),
        })
        .collect()
}

/// Sorts the most specific host to the front (R-HOST-6).
pub fn sort_by_specificity(hosts: &mut [Host]) {
    hosts.sort_by(Host::cmp_specificity);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        Host::from(text)
    }

    #[test]
    fn matching_follows_r_host_1_to_5() {
        for (a, b, expected) in [
            ("foo.com", "foo.com", true),
            ("*", "", true),         // R-HOST-5
            ("*.com", ".com", true), // R-HOST-5
            ("*.com", "com", false),
            ("a*.com", "ab.com", false), // R-HOST-1
            ("*foo.com", "xfoo.com", true),
            ("*.com", "*.foo.com", true),
            ("*.foo.com", "*.bar.com", false),
            ("a.facebook.com", "*.facebook.COM", false), // R-HOST-4
            ("*", "*", true),
        ] {
            assert_eq!(host(a).matches(&host(b)), expected, "{a} {b}");
            assert_eq!(host(b).matches(&host(a)), expected, "{b} {a}");
        }
    }

    #[test]
    fn subset_is_not_symmetric() {
        // R-HOST-3
        assert!(host("a.foo.com").is_subset_of(&host("*.foo.com")));
        assert!(!host("*.foo.com").is_subset_of(&host("a.foo.com")));
        assert!(host("*.foo.com").is_subset_of(&host("*.com")));
        assert!(!host("*.com").is_subset_of(&host("*.foo.com")));
        assert!(host("*").is_subset_of(&host("*")));
    }

    #[test]
    fn specificity_is_r_host_6() {
        let mut hosts = ["*", "*.com", "b.com", "*.a.com", "a.com", "long.a.com", "*.b.com"].map(host);
        sort_by_specificity(&mut hosts);
        assert_eq!(
            hosts,
            ["long.a.com", "a.com", "b.com", "*.a.com", "*.b.com", "*.com", "*"].map(host)
        );
        assert!(host("").is_more_specific_than(&host("")));
        assert!(!host("a").is_more_specific_than(&host("a")));
    }

    #[test]
    fn short_names_resolve_by_r_name_1() {
        for (text, namespace, domain, expected) in [
            ("reviews", "bar", "cluster.local", "reviews.bar.svc.cluster.local"),
            ("reviews.foo", "bar", "cluster.local", "reviews.foo"),
            ("", "bar", "cluster.local", ""),
            ("*", "bar", "cluster.local", "*"),
            ("::1", "bar", "cluster.local", "::1"),
            ("1.2.3.4", "bar", "cluster.local", "1.2.3.4"),
            ("reviews", "", "cluster.local", "reviews.svc.cluster.local"),
            ("reviews", "bar", "", "reviews.bar"),
            ("*reviews", "bar", "c", "*reviews.bar.svc.c"),
        ] {
            assert_eq!(host(text).resolve(namespace, domain), host(expected), "{text}");
        }
    }

    #[test]
    fn intersection_is_r_host_8() {
        assert_eq!(intersection(&[host("*")], &[host("foo.com")]), [host("foo.com")]);
        assert!(intersection(&[host("foo.com")], &[host("Foo.com")]).is_empty());
        let twice = intersection(&[host("*.com"), host("*")], &[host("a.com"), host("*.com")]);
        assert_eq!(twice, [host("a.com"), host("*.com")]);
    }

    #[test]
    fn lower_case_shares_what_needs_no_change() {
        let lower = host("a.com");
        assert!(lower.to_lowercase().as_text().ptr_eq(lower.as_text()));
        assert_eq!(host("A.Com").to_lowercase(), host("a.com"));
    }
}
