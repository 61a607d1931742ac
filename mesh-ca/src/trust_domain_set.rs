//! A trust domain with its aliases, and the way from one to another.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{SpiffeId, SpiffeIdRef, TrustDomain, TrustDomainRef};

/// The trust domain of a mesh, and other names that its own roots may vouch for.
///
/// Aliases keep their order; duplicates and the primary name itself are dropped. An alias lets the *local* roots vouch for
/// it. It brings no foreign bundle in: an id of any other trust domain is verified with that domain's own roots or not at
/// all (C-IST-6).
///
/// ```
/// use mesh_ca::{TrustDomain, TrustDomainSet};
///
/// let domain = |name: &str| name.parse::<TrustDomain>();
/// let set = TrustDomainSet::new(domain("new")?).with_aliases([domain("old")?, domain("new")?]);
/// assert_eq!(set.aliases(), [domain("old")?]);
/// assert_eq!(
///     set.expand(["spiffe://old/ns/shop/sa/reviews", "spiffe://foreign/ns/shop/sa/reviews"]),
///     [
///         "spiffe://old/ns/shop/sa/reviews",
///         "spiffe://new/ns/shop/sa/reviews",
///         "spiffe://foreign/ns/shop/sa/reviews",
///     ]
/// );
/// # Ok::<(), mesh_ca::IdError>(())
/// ```
///
/// Source: ca.md C-IST-4, C-IST-6; Istio `trustDomain` and `trustDomainAliases`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct TrustDomainSet {
    primary: TrustDomain,
    // INVARIANT: without duplicates and without the primary.
    aliases: Vec<TrustDomain>,
}

impl TrustDomainSet {
    /// A trust domain without aliases.
    pub fn new(primary: TrustDomain) -> Self {
        Self {
            primary,
            aliases: Vec::new(),
        }
    }

    /// Adds aliases.
    pub fn with_aliases(mut self, aliases: impl IntoIterator<Item = TrustDomain>) -> Self {
        let mut known: BTreeSet<TrustDomain> = self.aliases.iter().cloned().collect();
        known.insert(self.primary.clone());
        self.aliases
            .extend(aliases.into_iter().filter(|alias| known.insert(alias.clone())));
        self
    }

    /// The name that ids are issued under.
    pub fn primary(&self) -> &TrustDomain {
        &self.primary
    }

    /// The other names.
    pub fn aliases(&self) -> &[TrustDomain] {
        &self.aliases
    }

    /// The primary name and then the aliases.
    pub fn iter(&self) -> impl Iterator<Item = &TrustDomain> {
        std::iter::once(&self.primary).chain(&self.aliases)
    }

    /// Whether the name is the primary one or an alias.
    pub fn contains<'d>(&self, domain: impl Into<TrustDomainRef<'d>>) -> bool {
        let domain = domain.into();
        self.iter().any(|member| *member == domain)
    }

    /// The same path under the primary name, for an id of this set; `None` for ids of other trust domains.
    ///
    /// # Errors
    /// [`TooLong`](crate::IdErrorKind::TooLong), if the primary name is so much longer that the id is.
    pub fn to_primary(&self, id: &SpiffeId) -> Result<Option<SpiffeId>, crate::IdError> {
        if !self.contains(id.trust_domain()) {
            return Ok(None);
        }
        SpiffeId::from_path(&self.primary, id.path()).map(Some)
    }

    /// Every text as it is, and after each id of this set the same path under each other name of the set, in order and
    /// without duplicates. Texts that are no SPIFFE ids, and ids of other trust domains, stay alone.
    ///
    /// Source: ca.md C-IST-4. Istio expands ids of foreign trust domains too: see [`expand_with`].
    pub fn expand<S: AsRef<str>>(&self, ids: impl IntoIterator<Item = S>) -> Vec<String> {
        let mut expanded = Expanded::default();
        for text in ids {
            let text = text.as_ref();
            expanded.add(text.to_owned());
            if let Ok(id) = SpiffeIdRef::parse(text)
                && self.contains(id.trust_domain())
            {
                expanded.add_under(id, self.iter());
            }
        }
        expanded.list
    }

    /// Checks that no name of this set has roots of its own among `federated`: otherwise the local authority could vouch
    /// for ids of a foreign domain, or the other way round.
    ///
    /// # Errors
    /// The first alias that is federated too, or the primary name.
    ///
    /// Source: ca.md C-IST-6.
    pub fn check_federated<'d>(
        &self,
        federated: impl IntoIterator<Item = &'d TrustDomain>,
    ) -> Result<(), AliasIsFederated> {
        match federated.into_iter().find(|domain| self.contains(*domain)) {
            Some(domain) => Err(AliasIsFederated {
                trust_domain: domain.clone(),
            }),
            None => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for TrustDomainSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Saved {
            primary: TrustDomain,
            #[serde(default)]
            aliases: Vec<TrustDomain>,
        }
        let Saved { primary, aliases } = Saved::deserialize(deserializer)?;
        Ok(Self::new(primary).with_aliases(aliases))
    }
}

/// Every text as it is, and after each id in Istio's form the same path under each alias, whatever its own trust domain:
/// Istio's rule for expected identities of peers.
///
/// It lets a local workload of the same namespace and service account stand in for a *foreign* id; where that is not
/// wanted, take [`TrustDomainSet::expand`].
///
/// ```
/// use mesh_ca::{TrustDomain, expand_with};
///
/// let aliases: [TrustDomain; 2] = ["td1".parse()?, "td2".parse()?];
/// assert_eq!(
///     expand_with(["spiffe://td1/ns/def/sa/def"], &aliases),
///     ["spiffe://td1/ns/def/sa/def", "spiffe://td2/ns/def/sa/def"]
/// );
/// # Ok::<(), mesh_ca::IdError>(())
/// ```
///
/// Source: ca.md C-IST-4; Istio spiffe.go ExpandWithTrustDomains.
pub fn expand_with<S: AsRef<str>>(ids: impl IntoIterator<Item = S>, aliases: &[TrustDomain]) -> Vec<String> {
    let mut expanded = Expanded::default();
    for text in ids {
        let text = text.as_ref();
        expanded.add(text.to_owned());
        if let Ok(id) = SpiffeIdRef::parse(text)
            && id.istio_identity().is_some()
        {
            expanded.add_under(id, aliases);
        }
    }
    expanded.list
}

/// Texts in order of their first appearance.
#[derive(Default)]
struct Expanded {
    list: Vec<String>,
    known: BTreeSet<String>,
}

impl Expanded {
    fn add(&mut self, text: String) {
        if self.known.insert(text.clone()) {
            self.list.push(text);
        }
    }

    fn add_under<'d>(&mut self, id: SpiffeIdRef<'_>, domains: impl IntoIterator<Item = &'d TrustDomain>) {
        for domain in domains {
            // An id that would be too long under a name names nobody.
            if let Ok(id) = SpiffeId::from_path(domain, id.path()) {
                self.add(id.as_str().to_owned());
            }
        }
    }
}

/// A trust domain is an alias of the local one, and has roots of its own as well (C-IST-6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasIsFederated {
    /// The trust domain.
    pub trust_domain: TrustDomain,
}

impl fmt::Display for AliasIsFederated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "trust domain `{}` is both local and federated",
            self.trust_domain
        )
    }
}

impl std::error::Error for AliasIsFederated {}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(name: &str) -> TrustDomain {
        name.parse().unwrap()
    }

    /// C-IST-4, scenario 7: the examples of the rule.
    #[test]
    fn expansion() {
        let one = ["spiffe://td1/ns/def/sa/def"];
        assert_eq!(expand_with(one, &[domain("td1"), domain("td2")]).len(), 2);
        let two = ["spiffe://td1/ns/def/sa/a", "spiffe://td1/ns/def/sa/b"];
        assert_eq!(
            expand_with(two, &[domain("td2")]),
            [
                "spiffe://td1/ns/def/sa/a",
                "spiffe://td2/ns/def/sa/a",
                "spiffe://td1/ns/def/sa/b",
                "spiffe://td2/ns/def/sa/b"
            ]
        );
        let foreign = [
            "spiffe://foreign/ns/a/sa/b",
            "reviews.shop.svc",
            "spiffe://td1/other",
        ];
        assert_eq!(expand_with(foreign, &[domain("td2")]).len(), 4);

        let set = TrustDomainSet::new(domain("td1")).with_aliases([domain("td2")]);
        assert_eq!(
            set.expand(foreign),
            [
                "spiffe://foreign/ns/a/sa/b",
                "reviews.shop.svc",
                "spiffe://td1/other",
                "spiffe://td2/other"
            ]
        );
        // Expanding again adds nothing.
        assert_eq!(set.expand(set.expand(foreign)), set.expand(foreign));
    }

    /// C-IST-6, scenario 7.
    #[test]
    fn an_alias_is_not_federated() {
        let set = TrustDomainSet::new(domain("td1")).with_aliases([domain("td2")]);
        assert_eq!(set.check_federated(&[domain("td3")]), Ok(()));
        for name in ["td1", "td2"] {
            let error = set.check_federated(&[domain("td3"), domain(name)]).unwrap_err();
            assert_eq!(error.trust_domain, domain(name));
        }
    }

    #[test]
    fn aliases_are_canonical_even_when_read() {
        let set: TrustDomainSet =
            serde_json::from_str(r#"{"primary":"a","aliases":["b","a","c","b"]}"#).unwrap();
        assert_eq!(set.aliases(), [domain("b"), domain("c")]);
        let text = serde_json::to_string(&set).unwrap();
        assert_eq!(serde_json::from_str::<TrustDomainSet>(&text).unwrap(), set);
    }
}
