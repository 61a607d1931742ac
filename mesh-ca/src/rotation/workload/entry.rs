//! What is kept for one identity: 72 bytes, its id apart.

use serde::{Deserialize, Serialize};

use crate::spiffe_id::SpiffeId;

use super::output::{RequestId, SvidPriority};

/// One tracked identity. Its deadlines are in the heaps of the machine: on the wall clock, the renewal of an idle SVID, or
/// else the end of the held one; on the monotonic clock, the renewal, the next try, or the end of the wait for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) id: SpiffeId,
    pub(super) held: Option<Held>,
    pub(super) work: Work,
    /// The index of the issuer of the held SVID in the machine's list.
    pub(super) issuer: u32,
    /// Failed attempts since the last success.
    pub(super) failures: u16,
    pub(super) priority: SvidPriority,
    /// Asked to rotate while a request was out, so that its answer may be what was to be replaced.
    pub(super) again: bool,
}

impl Entry {
    pub(super) fn new(id: SpiffeId) -> Self {
        Self {
            id,
            held: None,
            work: Work::Idle { earliest: i64::MIN },
            issuer: NO_ISSUER,
            failures: 0,
            priority: SvidPriority::Background,
            again: false,
        }
    }
}

/// The SVID that is served now, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) not_after: i64,
    /// From `notBefore` to `notAfter`; the longest value stands for longer ones too.
    pub(super) validity: u32,
    /// From the acceptance to `notAfter`.
    pub(super) life: u32,
    /// Its end has been reported.
    pub(super) expired: bool,
}

impl Held {
    /// `notBefore`, unless it is too far back to be known.
    pub(super) fn not_before(&self) -> Option<i64> {
        (self.validity < u32::MAX).then(|| self.not_after.saturating_sub(i64::from(self.validity)))
    }
}

/// What goes on for an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Work {
    /// Nothing until the renewal, which does not begin before `earliest` (milliseconds of the monotonic clock).
    Idle { earliest: i64 },
    /// It has a place in the queue.
    Queued { sequence: u64 },
    /// A request is out.
    InFlight { request: RequestId },
    /// An attempt failed; the next one waits for its time.
    Waiting,
}

pub(super) const NO_ISSUER: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    /// A million of them are kept: a larger entry has to be meant.
    #[test]
    fn entries_are_small() {
        assert!(size_of::<Option<Entry>>() <= 72);
    }
}
