//! Saving the machine, and going on from what was saved.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::KeyId;
use crate::time::{MonotonicTime, Now};

use super::config::SvidRotationConfig;
use super::entry::{Entry, Work};
use super::output::SvidOutput;
use super::table::Table;
use super::{SvidRotator, schedule::mono_floor};

/// What [`SvidRotator::snapshot`] saves: everything but the configuration. It holds no keys. The form of its fields is
/// not for reading, and may change with the version of this crate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SvidRotatorSnapshot {
    at: Option<Now>,
    slots: Vec<Option<SavedSlot>>,
    free: Vec<u32>,
    next_request: u64,
    next_sequence: u64,
    issuers: Vec<Option<KeyId>>,
    outputs: VecDeque<SvidOutput>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SavedSlot {
    entry: Entry,
    wall: Option<i64>,
    mono: Option<i64>,
}

impl SvidRotator {
    /// What is needed to go on later, or elsewhere, with outputs that were not polled yet.
    pub fn snapshot(&self) -> SvidRotatorSnapshot {
        let (slots, free) = self.table.parts();
        let slots = slots.iter().zip(0u32..).map(|(entry, slot)| {
            entry.as_ref().map(|entry| SavedSlot {
                entry: entry.clone(),
                wall: self.wall.deadline(slot),
                mono: self.mono.deadline(slot),
            })
        });
        SvidRotatorSnapshot {
            at: self.last,
            slots: slots.collect(),
            free: free.to_vec(),
            next_request: self.next_request,
            next_sequence: self.next_sequence,
            issuers: self.issuers.clone(),
            outputs: self.outputs.clone(),
        }
    }

    /// Goes on from a snapshot (C-GEN-6). The monotonic clock may have another origin than then: what has passed since is
    /// told by the wall clock. Restored at the moment of the snapshot, the machine behaves as the one that was saved.
    ///
    /// # Errors
    /// When the snapshot contradicts itself: it was damaged, or put together by hand.
    pub fn restore(
        config: SvidRotationConfig,
        snapshot: SvidRotatorSnapshot,
        now: Now,
    ) -> Result<Self, SvidSnapshotError> {
        let mut rotator = Self::new(config);
        let at = snapshot.at.unwrap_or(now);
        let passed = now.wall.saturating_since(at.wall);
        let passed = mono_floor(Now::new(now.wall, MonotonicTime::from_origin(passed)));
        let shift = mono_floor(now)
            .saturating_sub(passed)
            .saturating_sub(mono_floor(at));

        let mut slots = Vec::with_capacity(snapshot.slots.len());
        for (saved, slot) in snapshot.slots.into_iter().zip(0u32..) {
            let Some(SavedSlot {
                mut entry,
                wall,
                mono,
            }) = saved
            else {
                slots.push(None);
                continue;
            };
            if let Work::Idle { earliest } = &mut entry.work {
                *earliest = earliest.saturating_add(shift);
            }
            rotator.wall.set(slot, wall);
            rotator
                .mono
                .set(slot, mono.map(|mono| mono.saturating_add(shift)));
            rotator.take_place(slot, &entry, snapshot.next_request)?;
            slots.push(Some(entry));
        }
        rotator.table = Table::from_parts(slots, snapshot.free).ok_or(SvidSnapshotError)?;
        rotator.next_request = snapshot.next_request;
        rotator.next_sequence = snapshot.next_sequence;
        rotator.issuers = snapshot.issuers;
        rotator.outputs = snapshot.outputs;
        rotator.last = snapshot.at.map(|at| Now::new(at.wall.max(now.wall), now.mono));
        Ok(rotator)
    }

    /// Puts a saved entry into the queue, or among the requests under way.
    fn take_place(&mut self, slot: u32, entry: &Entry, next_request: u64) -> Result<(), SvidSnapshotError> {
        let free = match entry.work {
            Work::Queued { sequence } => self.queue.insert((Reverse(entry.priority), sequence, slot)),
            Work::InFlight { request } => {
                request.0 < next_request && self.in_flight.insert(request, slot).is_none()
            }
            Work::Idle { .. } | Work::Waiting => true,
        };
        if free { Ok(()) } else { Err(SvidSnapshotError) }
    }
}

/// A snapshot contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SvidSnapshotError;

impl fmt::Display for SvidSnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the snapshot of the SVID rotation contradicts itself")
    }
}

impl std::error::Error for SvidSnapshotError {}
