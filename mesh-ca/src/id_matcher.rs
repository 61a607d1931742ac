//! Predicates over SPIFFE ids, as data.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{SpiffeId, SpiffeIdRef, TrustDomain};

/// Which ids are meant. Matchers are data, not closures, so that they can be stored, compared and shown.
///
/// ```
/// use mesh_ca::{IdMatcher, SpiffeId};
///
/// let shop = IdMatcher::path_prefix(&"cluster.local".parse()?, "/ns/shop")?;
/// let reviews: SpiffeId = "spiffe://cluster.local/ns/shop/sa/reviews".parse()?;
/// let shopping: SpiffeId = "spiffe://cluster.local/ns/shopping/sa/reviews".parse()?;
/// assert!(shop.matches(&reviews));
/// assert!(!shop.matches(&shopping));
/// # Ok::<(), mesh_ca::IdError>(())
/// ```
///
/// Source: ca.md C-ID-13; go-spiffe `spiffeid.Matcher`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IdMatcher {
    /// Every id.
    Any,
    /// This id.
    Exact(SpiffeId),
    /// Every id of this trust domain, its own id included.
    MemberOf(TrustDomain),
    /// Any of these ids; an empty set matches nothing.
    OneOf(BTreeSet<SpiffeId>),
    /// The id itself and the ids below it, by whole path segments: `spiffe://td/ns/x` is a prefix of
    /// `spiffe://td/ns/x/sa/y`, not of `spiffe://td/ns/xy`. See [`IdMatcher::path_prefix`].
    PathPrefix(SpiffeId),
}

impl IdMatcher {
    /// Any of these ids.
    pub fn one_of(ids: impl IntoIterator<Item = SpiffeId>) -> Self {
        Self::OneOf(ids.into_iter().collect())
    }

    /// The ids of a trust domain whose path is `path` or lies below it. An empty path matches the whole trust domain.
    ///
    /// # Errors
    /// As [`SpiffeId::from_path`].
    pub fn path_prefix(trust_domain: &TrustDomain, path: &str) -> Result<Self, crate::IdError> {
        SpiffeId::from_path(trust_domain, path).map(Self::PathPrefix)
    }

    /// Whether the id is one of those meant.
    pub fn matches<'i>(&self, id: impl Into<SpiffeIdRef<'i>>) -> bool {
        let id = id.into();
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact.as_str() == id.as_str(),
            Self::MemberOf(domain) => id.trust_domain() == *domain,
            Self::OneOf(ids) => ids.contains(id.as_str()),
            Self::PathPrefix(prefix) => id
                .as_str()
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

impl fmt::Display for IdMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any id"),
            Self::Exact(id) => write!(f, "`{id}`"),
            Self::MemberOf(domain) => write!(f, "any id of `{domain}`"),
            Self::OneOf(ids) => {
                f.write_str("one of")?;
                ids.iter().try_for_each(|id| write!(f, " `{id}`"))
            }
            Self::PathPrefix(prefix) => write!(f, "`{prefix}` or an id below it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> SpiffeId {
        text.parse().unwrap()
    }

    /// C-ID-13.
    #[test]
    fn each_kind_matches_what_it_says() {
        let domain: TrustDomain = "td".parse().unwrap();
        let prefix = IdMatcher::path_prefix(&domain, "/ns/x").unwrap();
        let whole = IdMatcher::path_prefix(&domain, "").unwrap();
        let exact = IdMatcher::Exact(id("spiffe://td/a"));
        let some = IdMatcher::one_of([id("spiffe://td/a"), id("spiffe://other/a")]);
        let member = IdMatcher::MemberOf(domain);
        let table: &[(&str, [bool; 6])] = &[
            // any, exact, one_of, member, prefix, whole
            ("spiffe://td", [true, false, false, true, false, true]),
            ("spiffe://td/a", [true, true, true, true, false, true]),
            ("spiffe://other/a", [true, false, true, false, false, false]),
            ("spiffe://td/ns/x", [true, false, false, true, true, true]),
            ("spiffe://td/ns/x/sa/y", [true, false, false, true, true, true]),
            ("spiffe://td/ns/xy", [true, false, false, true, false, true]),
            ("spiffe://td2/ns/x", [true, false, false, false, false, false]),
        ];
        for (text, expected) in table {
            let matchers = [&IdMatcher::Any, &exact, &some, &member, &prefix, &whole];
            let found = matchers.map(|matcher| matcher.matches(&id(text)));
            assert_eq!(found, *expected, "{text}");
        }
        assert!(!IdMatcher::one_of([]).matches(&id("spiffe://td/a")));
    }

    #[test]
    fn saved_matchers_come_back() {
        for matcher in [
            IdMatcher::Any,
            IdMatcher::one_of([id("spiffe://td/a")]),
            IdMatcher::MemberOf("td".parse().unwrap()),
            IdMatcher::path_prefix(&"td".parse().unwrap(), "/a").unwrap(),
        ] {
            let text = serde_json::to_string(&matcher).unwrap();
            assert_eq!(
                serde_json::from_str::<IdMatcher>(&text).unwrap(),
                matcher,
                "{text}"
            );
        }
        let bad = r#"{"exact":"spiffe://TD/a"}"#;
        assert!(serde_json::from_str::<IdMatcher>(bad).is_err());
    }
}
