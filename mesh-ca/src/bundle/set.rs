//! Bundles of several trust domains.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::TrustBundle;
use super::saved::SavedSet;
use crate::{AliasIsFederated, TrustDomain, TrustDomainRef, TrustDomainSet};

/// The bundle of the local trust domain, with its aliases, and those of federated ones. Each vouches for its own trust
/// domain alone; they are never pooled.
///
/// ```
/// use mesh_ca::{BundleSet, TrustBundle, TrustDomain};
///
/// let domain = |name: &str| name.parse::<TrustDomain>();
/// let mut set = BundleSet::new(TrustBundle::new(domain("new")?)).with_aliases([domain("old")?])?;
/// set.insert(TrustBundle::new(domain("partner")?))?;
/// assert!(set.bundle_for(&domain("old")?).is_some());
/// assert!(set.bundle_for(&domain("stranger")?).is_none());
/// assert!(set.insert(TrustBundle::new(domain("old")?)).is_err(), "an alias cannot be federated");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: ca.md C-IST-6, C-VFY-1, C-VFY-14.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SavedSet", into = "SavedSet")]
pub struct BundleSet {
    pub(super) names: TrustDomainSet,
    // INVARIANT: its trust domain is the primary name.
    pub(super) local: TrustBundle,
    // INVARIANT: holds no name of `names`.
    pub(super) federated: BTreeMap<TrustDomain, TrustBundle>,
}

impl BundleSet {
    /// The local bundle alone.
    pub fn new(local: TrustBundle) -> Self {
        Self {
            names: TrustDomainSet::new(local.trust_domain().clone()),
            local,
            federated: BTreeMap::new(),
        }
    }

    /// Lets the local bundle vouch for further names.
    ///
    /// # Errors
    /// [`AliasIsFederated`] if one of them has a bundle of its own.
    pub fn with_aliases(
        mut self,
        aliases: impl IntoIterator<Item = TrustDomain>,
    ) -> Result<Self, AliasIsFederated> {
        let names = self.names.with_aliases(aliases);
        names.check_federated(self.federated.keys())?;
        self.names = names;
        Ok(self)
    }

    /// Adds or replaces a bundle. That of the local trust domain replaces the local one.
    ///
    /// # Errors
    /// [`AliasIsFederated`] if its trust domain is an alias of the local one.
    pub fn insert(&mut self, bundle: TrustBundle) -> Result<(), AliasIsFederated> {
        if bundle.trust_domain() == self.names.primary() {
            self.local = bundle;
            return Ok(());
        }
        self.names.check_federated([bundle.trust_domain()])?;
        self.federated.insert(bundle.trust_domain().clone(), bundle);
        Ok(())
    }

    /// Takes the bundle of a federated trust domain out: its members are not trusted any more.
    pub fn remove(&mut self, trust_domain: &TrustDomain) -> Option<TrustBundle> {
        self.federated.remove(trust_domain)
    }

    /// The bundle that vouches for a trust domain.
    pub fn bundle_for<'d>(&self, trust_domain: impl Into<TrustDomainRef<'d>>) -> Option<&TrustBundle> {
        let trust_domain = trust_domain.into();
        match self.names.contains(trust_domain) {
            true => Some(&self.local),
            false => self.federated.get(trust_domain.as_str()),
        }
    }

    /// The local trust domain and its aliases.
    pub fn names(&self) -> &TrustDomainSet {
        &self.names
    }

    /// The local bundle.
    pub fn local(&self) -> &TrustBundle {
        &self.local
    }

    /// The bundles of federated trust domains, by name.
    pub fn federated(&self) -> impl Iterator<Item = &TrustBundle> {
        self.federated.values()
    }
}

impl From<TrustBundle> for BundleSet {
    fn from(local: TrustBundle) -> Self {
        Self::new(local)
    }
}
