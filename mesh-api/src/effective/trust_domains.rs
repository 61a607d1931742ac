//! Trust domains that count as one.

use std::collections::BTreeSet;

use crate::mesh::MeshConfig;

/// The trust domain of a mesh and its aliases: identities of any of them count as those of the mesh (A-MSH-2).
///
/// ```
/// use mesh_api::effective::TrustDomains;
///
/// let domains = TrustDomains::new("new.example", ["old.example"]);
/// assert_eq!(
///     domains.expand_principal("old.example/ns/shop/sa/reviews"),
///     ["new.example/ns/shop/sa/reviews", "old.example/ns/shop/sa/reviews"]
/// );
/// // whatever is no principal of one of these trust domains stays as it is
/// assert_eq!(domains.expand_principal("*/ns/shop/sa/reviews"), ["*/ns/shop/sa/reviews"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustDomains {
    /// The own one first, each once.
    domains: Vec<String>,
}

/// The trust domain of old installations, which counts as the own one.
const LEGACY: &str = "cluster.local";

impl TrustDomains {
    /// A trust domain with aliases.
    pub fn new(own: impl Into<String>, aliases: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut seen = BTreeSet::new();
        let all = std::iter::once(own.into()).chain(aliases.into_iter().map(Into::into));
        Self {
            domains: all.filter(|domain| seen.insert(domain.clone())).collect(),
        }
    }

    /// The own trust domain.
    pub fn own(&self) -> &str {
        self.domains.first().map_or("", String::as_str)
    }

    /// All trust domains, the own one first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.domains.iter().map(String::as_str)
    }

    /// Whether a name in the place of a trust domain, which may begin or end with `*`, matches one of these. A bare `*`
    /// means any and needs no alias.
    pub fn matches(&self, pattern: &str) -> bool {
        pattern != "*" && self.iter().any(|domain| matches(domain, pattern))
    }

    /// The principals that a principal of an AuthorizationPolicy stands for: with five parts between slashes, of which the
    /// first is one of these trust domains or `cluster.local`, one per trust domain; every other one as it is.
    ///
    /// Source: Istio `pilot/pkg/security/trustdomain`.
    pub fn expand_principal(&self, principal: &str) -> Vec<String> {
        // quirk A-MSH-2: `cluster.local` counts as the own one even if it is not listed, and is then replaced
        match principal.split_once('/') {
            Some((domain, rest))
                if rest.split('/').count() == 4 && (self.matches(domain) || domain == LEGACY) =>
            {
                self.iter().map(|domain| format!("{domain}/{rest}")).collect()
            }
            _ => vec![principal.to_owned()],
        }
    }

    /// The trust domains that a value of `trustDomains` stands for: a listed one stands for all of them.
    pub fn expand_domain(&self, domain: &str) -> Vec<String> {
        match self.iter().any(|listed| listed == domain) {
            true => self.domains.clone(),
            false => vec![domain.to_owned()],
        }
    }
}

impl MeshConfig {
    /// The trust domain of the mesh and its aliases.
    pub fn trust_domains(&self) -> TrustDomains {
        TrustDomains::new(
            self.trust_domain.clone(),
            self.trust_domain_aliases.iter().cloned(),
        )
    }
}

/// Whether a trust domain matches a pattern with at most one `*`, at its start or end.
fn matches(domain: &str, pattern: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(suffix), _) => domain.ends_with(suffix),
        (None, Some(prefix)) => domain.starts_with(prefix),
        (None, None) => domain == pattern,
    }
}
