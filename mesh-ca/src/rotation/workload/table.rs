//! Slots of tracked identities, and which slot an identity has.

use std::hash::{BuildHasher, RandomState};

use crate::spiffe_id::SpiffeId;

use super::entry::Entry;

/// Entries in numbered slots, found by their id. The index holds slot numbers alone, 4 bytes for each place: the ids are
/// compared in the entries, so none is held twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
    // INVARIANT: a power of two of places (or none), at most three quarters of them taken; the slot of an id lies at the
    // first place of its hash, or after it with no free place between.
    index: Vec<u32>,
    hasher: RandomState,
}

impl Table {
    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn find(&self, id: &SpiffeId) -> Option<u32> {
        self.walk(id).find_map(|(_, slot)| {
            let found = self.get(slot).is_some_and(|entry| entry.id == *id);
            found.then_some(slot)
        })
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Entry> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Entry> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// Every entry with its slot, in the order of the slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(slot, entry)| Some((u32::try_from(slot).ok()?, entry.as_ref()?)))
    }

    /// Takes in an entry whose id is not there yet. `None` when all slots are taken.
    pub(super) fn insert(&mut self, entry: Entry) -> Option<u32> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => u32::try_from(self.slots.len()).ok().filter(|slot| *slot < FREE)?,
        };
        if (self.len() + 1) * 4 > self.index.len() * 3 {
            self.grow();
        }
        self.enter(&entry.id, slot);
        match self.slots.get_mut(slot as usize) {
            Some(place) => *place = Some(entry),
            None => self.slots.push(Some(entry)),
        }
        Some(slot)
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Entry> {
        let entry = self.slots.get_mut(slot as usize)?.take()?;
        let place = self.walk(&entry.id).find(|(_, found)| *found == slot);
        if let Some((place, _)) = place {
            self.close_gap(place);
        }
        self.free.push(slot);
        Some(entry)
    }

    /// What is saved: the slots, and the free ones in the order in which they are taken again.
    pub(super) fn parts(&self) -> (&[Option<Entry>], &[u32]) {
        (&self.slots, &self.free)
    }

    /// The table of saved parts. `None` when they do not fit together: an id twice, or a free slot that is none.
    pub(super) fn from_parts(slots: Vec<Option<Entry>>, free: Vec<u32>) -> Option<Self> {
        let mut table = Self::default();
        let mut seen = vec![false; slots.len()];
        for slot in &free {
            let seen = seen.get_mut(*slot as usize)?;
            if std::mem::replace(seen, true) || !matches!(slots.get(*slot as usize), Some(None)) {
                return None;
            }
        }
        if slots.iter().filter(|slot| slot.is_none()).count() != free.len() {
            return None;
        }
        (table.slots, table.free) = (slots, free);
        while table.len() * 4 > table.index.len() * 3 {
            table
                .index
                .resize((table.index.len() * 2).max(FIRST_PLACES), FREE);
        }
        table.rebuild().then_some(table)
    }

    fn grow(&mut self) {
        let places = (self.index.len() * 2).max(FIRST_PLACES);
        self.index.resize(places, FREE);
        self.rebuild();
    }

    /// Enters every slot anew. False when an id is there twice.
    fn rebuild(&mut self) -> bool {
        self.index.fill(FREE);
        let slots = std::mem::take(&mut self.slots);
        let mut unique = true;
        for (slot, entry) in slots.iter().enumerate() {
            if let (Ok(slot), Some(entry)) = (u32::try_from(slot), entry) {
                let same = |other: u32| {
                    slots.get(other as usize).and_then(Option::as_ref).map(|e| &e.id) == Some(&entry.id)
                };
                unique &= !self.walk(&entry.id).any(|(_, other)| same(other));
                self.enter(&entry.id, slot);
            }
        }
        self.slots = slots;
        unique
    }

    fn enter(&mut self, id: &SpiffeId, slot: u32) {
        let place = self.probe(id).find(|place| self.index.get(*place) == Some(&FREE));
        if let Some(place) = place.and_then(|place| self.index.get_mut(place)) {
            *place = slot;
        }
    }

    /// Frees a place, and moves what lies after it closer to where its hash points, so that no search ends too early.
    fn close_gap(&mut self, mut gap: usize) {
        let mask = self.index.len().wrapping_sub(1);
        let mut place = gap;
        loop {
            place = (place + 1) & mask;
            let slot = match self.index.get(place) {
                Some(slot) if *slot != FREE => *slot,
                _ => break,
            };
            let Some(home) = self.get(slot).map(|entry| self.home(&entry.id)) else {
                continue;
            };
            // It may move to the gap unless its home lies after the gap.
            if (place.wrapping_sub(home) & mask) >= (place.wrapping_sub(gap) & mask) {
                if let Some(free) = self.index.get_mut(gap) {
                    *free = slot;
                }
                gap = place;
            }
        }
        if let Some(free) = self.index.get_mut(gap) {
            *free = FREE;
        }
    }

    /// The taken places at which an id can be, up to the first free one, with their slots.
    fn walk(&self, id: &SpiffeId) -> impl Iterator<Item = (usize, u32)> {
        self.probe(id)
            .map_while(|place| Some((place, *self.index.get(place)?)))
            .take_while(|(_, slot)| *slot != FREE)
    }

    /// Every place, in the order in which an id is looked for.
    fn probe(&self, id: &SpiffeId) -> impl Iterator<Item = usize> + use<> {
        let places = self.index.len();
        let home = if places == 0 { 0 } else { self.home(id) };
        (0..places).map(move |step| (home + step) & (places - 1))
    }

    fn home(&self, id: &SpiffeId) -> usize {
        let hash = self.hasher.hash_one(id.as_str());
        usize::try_from(hash).unwrap_or(hash as u32 as usize) & self.index.len().wrapping_sub(1)
    }
}

const FREE: u32 = u32::MAX;
const FIRST_PLACES: usize = 8;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn id(number: u8) -> SpiffeId {
        format!("spiffe://example.org/{number}").parse().unwrap()
    }

    proptest! {
        /// Whatever is taken in and out, every id is found at its slot, and no other.
        #[test]
        fn agrees_with_a_map(steps in proptest::collection::vec((any::<u8>(), any::<bool>()), 0..600)) {
            let mut table = Table::default();
            let mut map = BTreeMap::new();
            for (number, take_in) in steps {
                let known = map.get(&number).copied();
                prop_assert_eq!(table.find(&id(number)), known);
                match (take_in, known) {
                    (true, None) => {
                        map.insert(number, table.insert(Entry::new(id(number))).unwrap());
                    }
                    (false, Some(slot)) => {
                        prop_assert_eq!(table.remove(slot).map(|entry| entry.id), Some(id(number)));
                        map.remove(&number);
                    }
                    _ => {}
                }
                prop_assert_eq!(table.len(), map.len());
            }
            for number in 0..=u8::MAX {
                prop_assert_eq!(table.find(&id(number)), map.get(&number).copied());
            }
            let (slots, free) = table.parts();
            let again = Table::from_parts(slots.to_vec(), free.to_vec()).unwrap();
            for number in 0..=u8::MAX {
                prop_assert_eq!(again.find(&id(number)), map.get(&number).copied());
            }
        }
    }

    #[test]
    fn saved_parts_are_checked() {
        let entry = || Some(Entry::new(id(1)));
        assert!(Table::from_parts(vec![entry(), entry()], vec![]).is_none());
        assert!(Table::from_parts(vec![entry()], vec![0]).is_none());
        assert!(Table::from_parts(vec![entry(), None], vec![]).is_none());
        assert!(Table::from_parts(vec![entry(), None, None], vec![1, 1]).is_none());
        assert!(Table::from_parts(vec![entry(), None], vec![1]).is_some());
    }
}
