//! Who may have which identity: registration entries, attested agents, and what follows from both (C-REG).
//!
//! ```
//! use std::collections::BTreeSet;
//! use mesh_ca::UnixTime;
//! use mesh_ca::registry::{AttestedAgent, RegistrationEntry, Registry, Selector};
//!
//! let now = UnixTime::from_secs(1_800_000_000);
//! let mut registry = Registry::new("example.org".parse()?);
//! let agent: mesh_ca::SpiffeId = "spiffe://example.org/spire/agent/1".parse()?;
//! registry.attest_agent(AttestedAgent {
//!     id: agent.clone(),
//!     selectors: BTreeSet::new(),
//!     expires_at: None,
//!     banned: false,
//! });
//! let reviews = "spiffe://example.org/ns/shop/sa/reviews".parse()?;
//! let entry = RegistrationEntry::new("reviews", agent.clone(), reviews)
//!     .with_selector(Selector::kubernetes_namespace("shop"))
//!     .with_selector(Selector::kubernetes_service_account("reviews"));
//! registry.insert(entry)?;
//!
//! // The agent attests a workload; the registry says what it may have.
//! let attested = ["k8s:ns:shop", "k8s:sa:reviews", "k8s:pod-uid:1234"];
//! let attested = attested.into_iter().map(str::parse).collect::<Result<_, _>>()?;
//! let entries = registry.matching(&agent, &attested, now);
//! assert_eq!(entries[0].spiffe_id.path(), "/ns/shop/sa/reviews");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod entry;
mod error;
mod index;
#[cfg(any(feature = "ring", feature = "soft", feature = "aws-lc"))]
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::spiffe_id::SpiffeId;
use crate::time::UnixTime;
use crate::trust_domain::TrustDomain;

use index::Children;

pub use entry::{AttestedAgent, EntryId, RegistrationEntry, Selector, SelectorError};
pub use error::RegistryError;
#[cfg(any(feature = "ring", feature = "soft", feature = "aws-lc"))]
pub use view::{HeldSvid, X509SvidView, X509View};

/// Registration entries and attested agents of a trust domain, with indices: what a workload with ten selectors may have is
/// found in microseconds among 100,000 entries. Saved, it is its entries with their revisions, and its agents; what
/// [`insert`](Self::insert) would refuse is not read back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "SavedRegistry", into = "SavedRegistry")]
pub struct Registry {
    trust_domain: TrustDomain,
    allow_reserved: bool,
    entries: BTreeMap<EntryId, Arc<RegistrationEntry>>,
    by_parent: HashMap<SpiffeId, Children>,
    by_spiffe_id: HashMap<SpiffeId, BTreeSet<EntryId>>,
    expiring: BTreeSet<(UnixTime, EntryId)>,
    agents: BTreeMap<SpiffeId, AttestedAgent>,
}

/// What changed for an agent since it last asked. Spec: C-REG-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryChanges {
    /// Entries that are new, or have another revision.
    pub changed: Vec<Arc<RegistrationEntry>>,
    /// Entries that the agent may not have any more: their SVIDs are dropped at once.
    pub removed: Vec<EntryId>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedRegistry {
    trust_domain: TrustDomain,
    #[serde(default)]
    allow_reserved: bool,
    entries: Vec<RegistrationEntry>,
    agents: Vec<AttestedAgent>,
}

impl From<Registry> for SavedRegistry {
    /// The indices follow from the entries.
    fn from(registry: Registry) -> Self {
        let entries = registry.entries.into_values();
        Self {
            trust_domain: registry.trust_domain,
            allow_reserved: registry.allow_reserved,
            entries: entries.map(Arc::unwrap_or_clone).collect(),
            agents: registry.agents.into_values().collect(),
        }
    }
}

impl TryFrom<SavedRegistry> for Registry {
    type Error = RegistryError;

    fn try_from(saved: SavedRegistry) -> Result<Self, RegistryError> {
        let SavedRegistry {
            trust_domain,
            allow_reserved,
            entries,
            agents,
        } = saved;
        let mut registry = Self::new(trust_domain).with_reserved(allow_reserved);
        for entry in entries {
            registry.insert(entry)?;
        }
        for agent in agents {
            if registry.agent(&agent.id).is_some() {
                return Err(RegistryError::DuplicateId);
            }
            registry.attest_agent(agent);
        }
        Ok(registry)
    }
}

impl PartialEq for Registry {
    /// The indices follow from the entries.
    fn eq(&self, other: &Self) -> bool {
        let parts = |registry: &Self| (registry.allow_reserved, registry.trust_domain.clone());
        parts(self) == parts(other) && self.entries == other.entries && self.agents == other.agents
    }
}

impl Eq for Registry {}

impl Registry {
    /// A registry without entries.
    pub fn new(trust_domain: TrustDomain) -> Self {
        Self {
            trust_domain,
            allow_reserved: false,
            entries: BTreeMap::new(),
            by_parent: HashMap::new(),
            by_spiffe_id: HashMap::new(),
            expiring: BTreeSet::new(),
            agents: BTreeMap::new(),
        }
    }

    /// Whether identities below [`SpiffeId::RESERVED_PREFIX`] can be registered. Default false.
    pub fn with_reserved(mut self, allowed: bool) -> Self {
        self.allow_reserved = allowed;
        self
    }

    /// The identity of the server: the parent of node aliases, `spiffe://TRUST_DOMAIN/spire/server`.
    pub fn server_id(&self) -> Option<SpiffeId> {
        SpiffeId::from_segments(&self.trust_domain, ["spire", "server"]).ok()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// An entry by its number.
    pub fn get(&self, id: &EntryId) -> Option<&Arc<RegistrationEntry>> {
        self.entries.get(id)
    }

    /// Every entry, by number. By serde the registry saves its agents too.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<RegistrationEntry>> {
        self.entries.values()
    }

    /// Registers an identity.
    ///
    /// # Errors
    /// When the entry breaks a rule, its number is taken, or another one has the same parent, identity and selectors.
    ///
    /// Spec: C-REG-1.
    pub fn insert(&mut self, entry: RegistrationEntry) -> Result<(), RegistryError> {
        if self.entries.contains_key(&entry.id) {
            return Err(RegistryError::DuplicateId);
        }
        self.check(&entry)?;
        self.put(entry);
        Ok(())
    }

    /// Replaces the entry with the same number, and counts its revision up.
    ///
    /// # Errors
    /// As [`insert`](Self::insert), or when there is no such entry.
    pub fn update(&mut self, mut entry: RegistrationEntry) -> Result<(), RegistryError> {
        let old = self
            .entries
            .get(&entry.id)
            .ok_or(RegistryError::NotFoundOrNotAuthorised)?;
        entry.revision = old.revision.saturating_add(1);
        self.check(&entry)?;
        self.remove(&entry.id.clone());
        self.put(entry);
        Ok(())
    }

    /// Removes an entry.
    pub fn remove(&mut self, id: &EntryId) -> Option<Arc<RegistrationEntry>> {
        let entry = self.entries.remove(id)?;
        if let Some(at) = entry.expires_at {
            self.expiring.remove(&(at, id.clone()));
        }
        if let Some(siblings) = self.by_parent.get_mut(&entry.parent_id) {
            siblings.remove(id);
            if siblings.entries.is_empty() {
                self.by_parent.remove(&entry.parent_id);
                self.mark_nested(&entry.parent_id, false);
            }
        }
        if let Some(same) = self.by_spiffe_id.get_mut(&entry.spiffe_id) {
            same.remove(id);
            if same.is_empty() {
                self.by_spiffe_id.remove(&entry.spiffe_id);
            }
        }
        Some(entry)
    }

    /// Notes the result of a node attestation; it replaces an earlier one.
    pub fn attest_agent(&mut self, agent: AttestedAgent) {
        self.agents.insert(agent.id.clone(), agent);
    }

    /// An agent gets nothing any more.
    pub fn ban_agent(&mut self, id: &SpiffeId) {
        if let Some(agent) = self.agents.get_mut(id) {
            agent.banned = true;
        }
    }

    /// An attested agent.
    pub fn agent(&self, id: &SpiffeId) -> Option<&AttestedAgent> {
        self.agents.get(id)
    }

    /// Removes entries and agents that have ended, and says which entries (C-REG-7).
    pub fn prune(&mut self, now: UnixTime) -> Vec<EntryId> {
        let mut removed = Vec::new();
        while let Some((_, id)) = self.expiring.first().filter(|(at, _)| *at <= now).cloned() {
            self.remove(&id);
            removed.push(id);
        }
        self.agents
            .retain(|_, agent| agent.banned || !has_ended(agent, now));
        removed
    }

    /// Everything that an agent may have: the entries below its identity and below its aliases, by number (C-REG-4).
    pub fn authorized(&self, agent: &SpiffeId, now: UnixTime) -> Vec<&Arc<RegistrationEntry>> {
        let mut found = BTreeMap::new();
        for parent in self.parents_of(agent, now) {
            let ids = self.by_parent.get(&parent).map(|children| &children.entries);
            for entry in ids.into_iter().flatten().filter_map(|id| self.entries.get(id)) {
                if !entry.is_expired(now) {
                    found.insert(&entry.id, entry);
                }
            }
        }
        found.into_values().collect()
    }

    /// What a workload with these attested selectors may have of it, by number: entries whose selectors it has all. The first
    /// one is its default identity (C-REG-2, C-REG-6). Of entries with one hint, the first is returned (C-REG-9).
    pub fn matching(
        &self,
        agent: &SpiffeId,
        attested: &BTreeSet<Selector>,
        now: UnixTime,
    ) -> Vec<&Arc<RegistrationEntry>> {
        let mut found = BTreeMap::new();
        for parent in self.parents_of(agent, now) {
            for entry in self.children_with(&parent, attested, now) {
                found.insert(&entry.id, entry);
            }
        }
        let mut hints = HashSet::new();
        let unique =
            |entry: &&Arc<RegistrationEntry>| entry.hint.is_empty() || hints.insert(entry.hint.clone());
        found.into_values().filter(unique).collect()
    }

    /// The entry of this number, if the agent may have it. Names and lifetimes of its SVID come from it, never from a signing
    /// request.
    ///
    /// # Errors
    /// [`NotFoundOrNotAuthorised`](RegistryError::NotFoundOrNotAuthorised).
    ///
    /// Spec: C-REG-5.
    pub fn entitled(
        &self,
        agent: &SpiffeId,
        entry: &EntryId,
        now: UnixTime,
    ) -> Result<&Arc<RegistrationEntry>, RegistryError> {
        let found = self
            .entries
            .get(entry)
            .filter(|entry| !entry.is_expired(now) && self.parents_of(agent, now).contains(&entry.parent_id));
        found.ok_or(RegistryError::NotFoundOrNotAuthorised)
    }

    /// What changed for an agent that knows these revisions (C-REG-8).
    pub fn changes(&self, agent: &SpiffeId, known: &BTreeMap<EntryId, u64>, now: UnixTime) -> EntryChanges {
        let authorized = self.authorized(agent, now);
        let ids: BTreeSet<&EntryId> = authorized.iter().map(|entry| &entry.id).collect();
        let removed = known.keys().filter(|id| !ids.contains(id)).cloned().collect();
        let changed = authorized
            .into_iter()
            .filter(|entry| known.get(&entry.id) != Some(&entry.revision));
        EntryChanges {
            changed: changed.cloned().collect(),
            removed,
        }
    }

    /// The identities below which an agent may have entries: its own, its aliases, and those of entries below them that are
    /// parents themselves. Cycles end, since each is looked at once.
    fn parents_of(&self, agent: &SpiffeId, now: UnixTime) -> BTreeSet<SpiffeId> {
        let mut parents = BTreeSet::new();
        let Some(attested) = self
            .agents
            .get(agent)
            .filter(|agent| !agent.banned && !has_ended(agent, now))
        else {
            return parents;
        };
        let mut open = vec![agent.clone()];
        if let Some(server) = self.server_id() {
            let aliases = self.children_with(&server, &attested.selectors, now);
            open.extend(aliases.map(|alias| alias.spiffe_id.clone()));
        }
        while let Some(parent) = open.pop() {
            if parents.contains(&parent) {
                continue;
            }
            let nested = self.by_parent.get(&parent).map(|children| &children.nested);
            for entry in nested.into_iter().flatten().filter_map(|id| self.entries.get(id)) {
                if !entry.is_expired(now) {
                    open.push(entry.spiffe_id.clone());
                }
            }
            parents.insert(parent);
        }
        parents
    }

    fn children_with<'a, 's>(
        &'a self,
        parent: &SpiffeId,
        selectors: &'s BTreeSet<Selector>,
        now: UnixTime,
    ) -> impl Iterator<Item = &'a Arc<RegistrationEntry>> + use<'a, 's> {
        let children = self.by_parent.get(parent);
        let candidates = children
            .into_iter()
            .flat_map(move |children| children.candidates(selectors));
        candidates
            .filter_map(|id| self.entries.get(id))
            .filter(move |entry| !entry.is_expired(now) && entry.selectors.is_subset(selectors))
    }

    fn check(&self, entry: &RegistrationEntry) -> Result<(), RegistryError> {
        let own = |id: &SpiffeId| id.is_member_of(&self.trust_domain);
        if !own(&entry.parent_id) || !own(&entry.spiffe_id) {
            return Err(RegistryError::ForeignTrustDomain);
        }
        if entry.spiffe_id.is_trust_domain_id() {
            return Err(RegistryError::NotAWorkload);
        }
        if !self.allow_reserved && entry.spiffe_id.is_reserved(SpiffeId::RESERVED_PREFIX) {
            return Err(RegistryError::Reserved);
        }
        if entry.selectors.is_empty() {
            return Err(RegistryError::NoSelectors);
        }
        if entry.hint.len() > LONGEST_HINT {
            return Err(RegistryError::HintTooLong);
        }
        let same_id = self.by_spiffe_id.get(&entry.spiffe_id).into_iter().flatten();
        let mut others = same_id
            .filter(|id| **id != entry.id)
            .filter_map(|id| self.entries.get(id));
        let duplicate =
            others.find(|other| other.parent_id == entry.parent_id && other.selectors == entry.selectors);
        match duplicate {
            Some(other) => Err(RegistryError::Duplicate { of: other.id.clone() }),
            None => Ok(()),
        }
    }

    fn put(&mut self, entry: RegistrationEntry) {
        let (id, parent) = (entry.id.clone(), entry.parent_id.clone());
        if let Some(at) = entry.expires_at {
            self.expiring.insert((at, id.clone()));
        }
        let first = !self.by_parent.contains_key(&parent);
        self.by_parent.entry(parent.clone()).or_default().insert(&entry);
        self.by_spiffe_id
            .entry(entry.spiffe_id.clone())
            .or_default()
            .insert(id.clone());
        let is_parent = self.by_parent.contains_key(&entry.spiffe_id);
        self.entries.insert(id.clone(), Arc::new(entry));
        if first {
            self.mark_nested(&parent, true);
        }
        if is_parent && let Some(siblings) = self.by_parent.get_mut(&parent) {
            siblings.nested.insert(id);
        }
    }

    /// Notes whether the entries with this identity are parents.
    fn mark_nested(&mut self, spiffe_id: &SpiffeId, nested: bool) {
        let ids = self.by_spiffe_id.get(spiffe_id).into_iter().flatten();
        for entry in ids.filter_map(|id| self.entries.get(id)) {
            if let Some(siblings) = self.by_parent.get_mut(&entry.parent_id) {
                if nested {
                    siblings.nested.insert(entry.id.clone());
                } else {
                    siblings.nested.remove(&entry.id);
                }
            }
        }
    }
}

fn has_ended(agent: &AttestedAgent, now: UnixTime) -> bool {
    agent.expires_at.is_some_and(|at| now >= at)
}

/// In bytes. Source: SPIRE; ca.md C-REG-1.
const LONGEST_HINT: usize = 1_024;
