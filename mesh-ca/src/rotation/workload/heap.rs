//! Deadlines of many slots, in the order in which they come.

/// A binary heap of deadlines, one for each slot at most, that knows where each slot is: the deadline of any slot can be
/// moved or taken away in O(log n), and nothing outdated stays behind. Takes 16 bytes for each slot.
///
/// Equal deadlines come in the order of their slots, so that the order depends on the content alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DeadlineHeap {
    deadlines: Vec<i64>,
    slots: Vec<u32>,
    // INVARIANT: for each place `p`, `places[slots[p]] == p`; slots without a deadline have `NOWHERE`.
    places: Vec<u32>,
}

impl DeadlineHeap {
    /// The earliest deadline, and its slot.
    pub(super) fn first(&self) -> Option<(i64, u32)> {
        self.at(0)
    }

    /// The deadline of a slot.
    pub(super) fn deadline(&self, slot: u32) -> Option<i64> {
        self.deadlines.get(self.place(slot)?).copied()
    }

    /// Gives a slot its deadline, in place of the one it had; `None` takes it away.
    pub(super) fn set(&mut self, slot: u32, deadline: Option<i64>) {
        match (self.place(slot), deadline) {
            (Some(place), Some(deadline)) => {
                if let Some(old) = self.deadlines.get_mut(place) {
                    *old = deadline;
                }
                self.settle(place);
            }
            (Some(place), None) => self.remove(place),
            (None, Some(deadline)) => self.insert(slot, deadline),
            (None, None) => {}
        }
    }

    /// All slots that have a deadline, in no particular order.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    fn insert(&mut self, slot: u32, deadline: i64) {
        let index = slot as usize;
        if index >= self.places.len() {
            self.places.resize(index + 1, NOWHERE);
        }
        let place = self.slots.len();
        self.deadlines.push(deadline);
        self.slots.push(slot);
        self.note(place);
        self.rise(place);
    }

    fn remove(&mut self, place: usize) {
        let last = self.slots.len().saturating_sub(1);
        self.exchange(place, last);
        self.deadlines.pop();
        if let Some(place) = self
            .slots
            .pop()
            .and_then(|slot| self.places.get_mut(slot as usize))
        {
            *place = NOWHERE;
        }
        if place < last {
            self.settle(place);
        }
    }

    fn settle(&mut self, place: usize) {
        let place = self.rise(place);
        self.sink(place);
    }

    fn rise(&mut self, mut place: usize) -> usize {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.at(parent) <= self.at(place) {
                break;
            }
            self.exchange(parent, place);
            place = parent;
        }
        place
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            if left >= self.slots.len() {
                return;
            }
            let child = if right < self.slots.len() && self.at(right) < self.at(left) {
                right
            } else {
                left
            };
            if self.at(place) <= self.at(child) {
                return;
            }
            self.exchange(place, child);
            place = child;
        }
    }

    fn at(&self, place: usize) -> Option<(i64, u32)> {
        Some((*self.deadlines.get(place)?, *self.slots.get(place)?))
    }

    fn place(&self, slot: u32) -> Option<usize> {
        let place = *self.places.get(slot as usize)?;
        (place != NOWHERE).then_some(place as usize)
    }

    fn exchange(&mut self, one: usize, other: usize) {
        self.deadlines.swap(one, other);
        self.slots.swap(one, other);
        self.note(one);
        self.note(other);
    }

    fn note(&mut self, place: usize) {
        let Some(slot) = self.slots.get(place) else {
            return;
        };
        if let Some(noted) = self.places.get_mut(*slot as usize) {
            // INVARIANT: slots are numbered with 32 bits, so there are no more places than that.
            *noted = u32::try_from(place).unwrap_or(NOWHERE);
        }
    }
}

const NOWHERE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The heap answers as a sorted map does, whatever is set, moved and taken away.
        #[test]
        fn agrees_with_a_sorted_map(steps in proptest::collection::vec((0u32..40, proptest::option::of(-20i64..20)), 0..300)) {
            let mut heap = DeadlineHeap::default();
            let mut map = BTreeMap::new();
            for (slot, deadline) in steps {
                heap.set(slot, deadline);
                match deadline {
                    Some(deadline) => map.insert(slot, deadline),
                    None => map.remove(&slot),
                };
                prop_assert_eq!(heap.len(), map.len());
                prop_assert_eq!(heap.deadline(slot), deadline);
                let first = map.iter().map(|(slot, deadline)| (*deadline, *slot)).min();
                prop_assert_eq!(heap.first(), first);
            }
        }
    }
}
