//! The children of an identity, found by their selectors.

use std::collections::{BTreeSet, HashMap};

use super::entry::{EntryId, RegistrationEntry, Selector};

/// The entries below one parent.
#[derive(Debug, Clone, Default)]
pub(super) struct Children {
    pub(super) entries: BTreeSet<EntryId>,
    /// Those that are parents themselves.
    pub(super) nested: BTreeSet<EntryId>,
    /// Each entry under the one of its selectors that was the rarest among its siblings when it came: whoever has all of an
    /// entry's selectors has that one too, and those that many share hold few entries.
    by_selector: HashMap<Selector, BTreeSet<EntryId>>,
    filed_under: HashMap<EntryId, Selector>,
}

impl Children {
    pub(super) fn insert(&mut self, entry: &RegistrationEntry) {
        self.entries.insert(entry.id.clone());
        let filed = |selector: &&Selector| self.by_selector.get(*selector).map_or(0, BTreeSet::len);
        if let Some(rarest) = entry.selectors.iter().min_by_key(filed).cloned() {
            let under = self.by_selector.entry(rarest.clone()).or_default();
            under.insert(entry.id.clone());
            self.filed_under.insert(entry.id.clone(), rarest);
        }
    }

    pub(super) fn remove(&mut self, id: &EntryId) {
        self.entries.remove(id);
        self.nested.remove(id);
        if let Some(selector) = self.filed_under.remove(id)
            && let Some(under) = self.by_selector.get_mut(&selector)
        {
            under.remove(id);
            if under.is_empty() {
                self.by_selector.remove(&selector);
            }
        }
    }

    /// Entries that may match: all that do are among them.
    pub(super) fn candidates<'a, 's>(
        &'a self,
        selectors: &'s BTreeSet<Selector>,
    ) -> impl Iterator<Item = &'a EntryId> + use<'a, 's> {
        selectors
            .iter()
            .filter_map(|selector| self.by_selector.get(selector))
            .flatten()
    }
}
