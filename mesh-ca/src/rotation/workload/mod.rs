//! Rotation of the SVIDs of workloads (C-WR).

mod config;
mod entry;
mod heap;
mod output;
mod schedule;
mod snapshot;
mod table;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use crate::KeyId;
use crate::entropy::{Entropy, EntropyError};
use crate::spiffe_id::SpiffeId;
use crate::time::{MonotonicTime, Now, UnixTime};

use entry::{Entry, Work};
use heap::DeadlineHeap;
use schedule::unix;
use table::Table;

pub use config::{RenewalBasis, SvidRotationConfig};
pub use output::{RequestId, SvidAlarm, SvidFacts, SvidFailure, SvidOutput, SvidPriority, SvidState};
pub use snapshot::{SvidRotatorSnapshot, SvidSnapshotError};

/// Keeps the SVIDs of many identities fresh: asks for the first one, asks for the next one in time, spaces out failures,
/// and keeps the old one served until the new one is there.
///
/// The machine decides *when*; the embedder makes keys and signing requests, talks to the CA, and checks and keeps what
/// comes back. Call [`handle_timeout`](Self::handle_timeout) at [`poll_timeout`](Self::poll_timeout) and whenever a clock
/// was set, and drain [`poll_output`](Self::poll_output) after each call.
///
/// ```
/// use std::time::Duration;
/// use mesh_ca::rotation::{SvidFacts, SvidOutput, SvidPriority, SvidRotationConfig, SvidRotator};
/// use mesh_ca::{InsecureSeededEntropy, MonotonicTime, Now, UnixTime};
///
/// let entropy = &mut InsecureSeededEntropy::new(1);
/// let now = Now::new(UnixTime::from_secs(1_800_000_000), MonotonicTime::ORIGIN);
/// let mut rotator = SvidRotator::new(SvidRotationConfig::default());
///
/// rotator.want(now, &"spiffe://cluster.local/ns/shop/sa/reviews".parse()?, SvidPriority::Warmup);
/// let Some(SvidOutput::Request { request, .. }) = rotator.poll_output() else { panic!("it asks for the first one") };
/// // ... a key, a signing request, an answer of the CA, checked ...
/// let day = Duration::from_secs(86_400);
/// let facts = SvidFacts { not_before: now.wall, not_after: now.wall + day, issuer: None };
/// rotator.handle_signed(now, request, &facts, entropy)?;
/// assert!(matches!(rotator.poll_output(), Some(SvidOutput::Accepted { .. })));
///
/// // Half a day later, a hundredth more or less, it asks for the next one.
/// let wait = rotator.poll_timeout().expect("a renewal is planned").saturating_since(now.mono);
/// assert!(wait.abs_diff(day / 2) <= day / 100);
/// rotator.handle_timeout(now + wait, entropy)?;
/// assert!(matches!(rotator.poll_output(), Some(SvidOutput::Request { attempt: 1, .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # States
///
/// | state | event | next | outputs |
/// |---|---|---|---|
/// | none | [`want`](Self::want) | Pending(1) | Request, when one of the places is free |
/// | Pending(n) | signed | Valid | Accepted |
/// | Pending(n) | failed | Pending(n+1), after a wait | Failed, Alarm if permanent |
/// | Valid | time of renewal on either clock, or forced | Renewing(1) | Request |
/// | Renewing(n) | signed | Valid | Accepted |
/// | Renewing(n) | failed | Renewing(n+1), after a wait | Failed, Alarm if permanent |
/// | Valid, Renewing(n) | past `notAfter` | Expired(n) | Alarm, Withdraw by configuration |
/// | Expired(n) | signed | Valid | Accepted |
/// | any | [`forget`](Self::forget) | none | an answer that is still under way is ignored |
///
/// # Costs
///
/// Below 200 bytes for each idle identity, its id included. A call takes O(log n) for each identity that it concerns, and
/// O(1) when nothing is due; only a wall clock that was set back makes one call look at every identity.
#[derive(Debug, Clone)]
pub struct SvidRotator {
    config: SvidRotationConfig,
    table: Table,
    /// Deadlines on the wall clock and on the monotonic one, in milliseconds.
    wall: DeadlineHeap,
    mono: DeadlineHeap,
    /// Who waits for a free place: the most urgent first, then the first come.
    queue: BTreeSet<QueuePlace>,
    in_flight: BTreeMap<RequestId, u32>,
    next_request: u64,
    next_sequence: u64,
    issuers: Vec<Option<KeyId>>,
    last: Option<Now>,
    outputs: VecDeque<SvidOutput>,
}

/// Most urgent first; then first come, first served.
type QueuePlace = (std::cmp::Reverse<SvidPriority>, u64, u32);

impl SvidRotator {
    /// A machine that tracks nothing yet.
    pub fn new(config: SvidRotationConfig) -> Self {
        Self {
            config,
            table: Table::default(),
            wall: DeadlineHeap::default(),
            mono: DeadlineHeap::default(),
            queue: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            next_request: 0,
            next_sequence: 0,
            issuers: Vec::new(),
            last: None,
            outputs: VecDeque::new(),
        }
    }

    /// How it renews.
    pub fn config(&self) -> &SvidRotationConfig {
        &self.config
    }

    /// How many identities are tracked.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether none is tracked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Requests that are under way, each with its identity. After a restart whose keys were lost, answer them with
    /// [`handle_failed`](Self::handle_failed); otherwise they end by their timeout.
    pub fn in_flight(&self) -> impl Iterator<Item = (RequestId, &SpiffeId)> {
        let ids = self.in_flight.iter();
        ids.filter_map(|(request, slot)| Some((*request, &self.table.get(*slot)?.id)))
    }

    /// Where an identity stands; `None` when it is not tracked.
    pub fn state(&self, id: &SpiffeId) -> Option<SvidState> {
        let slot = self.table.find(id)?;
        let entry = self.table.get(slot)?;
        let attempt = u32::from(entry.failures) + 1;
        Some(match (entry.held, entry.work) {
            (None, _) => SvidState::Pending { attempt },
            (Some(held), Work::Idle { .. }) => SvidState::Valid {
                // Without a deadline it is due, and waits for the shortest wait to be over.
                renew_at: self.wall.deadline(slot).map_or(self.last?.wall, unix),
                not_after: UnixTime::from_secs(held.not_after),
            },
            (Some(held), _) => {
                let not_after = UnixTime::from_secs(held.not_after);
                if held.expired {
                    SvidState::Expired { attempt, not_after }
                } else {
                    SvidState::Renewing { attempt, not_after }
                }
            }
        })
    }

    /// Tracks an identity from now on, and asks for its first SVID. One that waits in the queue already is lifted when
    /// `priority` is higher; for any other that is tracked nothing happens.
    pub fn want(&mut self, now: Now, id: &SpiffeId, priority: SvidPriority) {
        self.note_time(now);
        match self.table.find(id) {
            Some(slot) => self.lift(slot, priority),
            None => {
                let mut entry = Entry::new(id.clone());
                entry.priority = priority;
                if let Some(slot) = self.table.insert(entry) {
                    self.enqueue(slot);
                }
            }
        }
        self.dispatch(now);
    }

    /// Tracks an identity whose SVID is held already, for example one that was read from files, without a request. An SVID
    /// that has ended, or whose renewal is due, is asked for at once.
    ///
    /// # Errors
    /// When the entropy fails; nothing has changed then.
    pub fn adopt(
        &mut self,
        now: Now,
        id: &SpiffeId,
        facts: &SvidFacts,
        entropy: &mut dyn Entropy,
    ) -> Result<(), EntropyError> {
        let draws = self.draw_for_acceptance(entropy)?;
        self.note_time(now);
        let slot = match self.table.find(id) {
            Some(slot) => {
                self.release(slot);
                Some(slot)
            }
            None => self.table.insert(Entry::new(id.clone())),
        };
        if let Some(slot) = slot {
            self.accept(now, slot, facts, draws, Duration::ZERO);
        }
        self.run(now, entropy)
    }

    /// The CA answered a request, and the SVID passed the checks of C-WR-7. An answer to a request that was given up in the
    /// meantime (forgotten, or over its time) is ignored. One with 30 s or less left counts as failed.
    ///
    /// # Errors
    /// When the machine never made such a request, or the entropy fails; nothing has changed then.
    pub fn handle_signed(
        &mut self,
        now: Now,
        request: RequestId,
        facts: &SvidFacts,
        entropy: &mut dyn Entropy,
    ) -> Result<(), SvidRotatorError> {
        if facts.not_after <= now.wall + LEAST_LIFE {
            let why = format!("ends at {}, in 30 s or less", facts.not_after);
            return self.handle_failed(now, request, SvidFailure::BadResponse(why), entropy);
        }
        let Some(slot) = self.answered(request)? else {
            return Ok(());
        };
        let draws = self.draw_for_acceptance(entropy)?;
        self.note_time(now);
        let shortened = self
            .held(slot)
            .is_some_and(|held| facts.not_after.as_secs() < held.not_after);
        self.release(slot);
        self.accept(now, slot, facts, draws, self.config.backoff_min);
        if let Some(entry) = self.table.get(slot) {
            self.outputs.push_back(SvidOutput::Accepted {
                id: entry.id.clone(),
                request,
                renew_at: self.wall.deadline(slot).map_or(now.wall, unix),
                lifetime_shortened: shortened,
            });
        }
        self.report_not_yet_valid(now, slot, facts.not_before);
        Ok(self.run(now, entropy)?)
    }

    /// A request brought no SVID. The next attempt follows after a wait; what is held stays. An answer to a request that was
    /// given up in the meantime is ignored.
    ///
    /// # Errors
    /// When the machine never made such a request, or the entropy fails; nothing has changed then.
    pub fn handle_failed(
        &mut self,
        now: Now,
        request: RequestId,
        failure: SvidFailure,
        entropy: &mut dyn Entropy,
    ) -> Result<(), SvidRotatorError> {
        let Some(slot) = self.answered(request)? else {
            return Ok(());
        };
        self.fail(now, slot, request, failure, entropy)?;
        self.note_time(now);
        Ok(self.run(now, entropy)?)
    }

    /// Whatever is due at `now`: renewals, next attempts, ends of held SVIDs and of waits for answers. May be called at any
    /// time.
    ///
    /// # Errors
    /// When the entropy fails; what is due and needs none has happened, the rest stays due.
    pub fn handle_timeout(&mut self, now: Now, entropy: &mut dyn Entropy) -> Result<(), EntropyError> {
        self.note_clock_set_back(now, entropy)?;
        self.note_time(now);
        self.run(now, entropy)
    }

    /// Renews one identity as soon as a place is free, but not within [`backoff_min`](SvidRotationConfig::backoff_min) of
    /// its last attempt. One whose request is under way is renewed once more after the answer.
    pub fn rotate(&mut self, now: Now, id: &SpiffeId) {
        self.note_time(now);
        if let Some(slot) = self.table.find(id) {
            self.force(now, slot, Duration::ZERO);
        }
        self.start_due(now);
        self.dispatch(now);
    }

    /// Renews everything that an authority has signed, each at a time of its own: spread evenly over `spread`, over the
    /// configured time where that is `None`. For an authority that was tainted, or left the bundle (C-WR-6).
    ///
    /// # Errors
    /// When the entropy fails; some may be planned then, and calling again plans the rest.
    pub fn rotate_issued_by(
        &mut self,
        now: Now,
        issuer: &KeyId,
        spread: Option<Duration>,
        entropy: &mut dyn Entropy,
    ) -> Result<(), EntropyError> {
        let Some(wanted) = self
            .issuers
            .iter()
            .position(|known| known.as_ref() == Some(issuer))
        else {
            // Nothing held is by it, but an answer that is under way may be.
            let flying: Vec<u32> = self.in_flight.values().copied().collect();
            flying
                .into_iter()
                .for_each(|slot| self.force(now, slot, Duration::ZERO));
            return Ok(());
        };
        self.rotate_where(now, |entry| entry.issuer as usize == wanted, spread, entropy)
    }

    /// Renews everything, spread as by [`rotate_issued_by`](Self::rotate_issued_by).
    ///
    /// # Errors
    /// As [`rotate_issued_by`](Self::rotate_issued_by).
    pub fn rotate_all(
        &mut self,
        now: Now,
        spread: Option<Duration>,
        entropy: &mut dyn Entropy,
    ) -> Result<(), EntropyError> {
        self.rotate_where(now, |_| true, spread, entropy)
    }

    /// Stops tracking an identity. An answer to its request, if one is under way, will be ignored.
    pub fn forget(&mut self, now: Now, id: &SpiffeId) {
        self.note_time(now);
        if let Some(slot) = self.table.find(id) {
            self.release(slot);
            self.wall.set(slot, None);
            self.mono.set(slot, None);
            self.table.remove(slot);
        }
        self.dispatch(now);
    }

    /// The next thing to do or to know.
    pub fn poll_output(&mut self) -> Option<SvidOutput> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do, by what both clocks showed at the last call.
    pub fn poll_timeout(&self) -> Option<MonotonicTime> {
        let last = self.last?;
        let at =
            |millis: i64| MonotonicTime::from_origin(Duration::from_millis(millis.max(0).unsigned_abs()));
        let by_mono = self.mono.first().map(|(deadline, _)| at(deadline));
        let by_wall = self
            .wall
            .first()
            .map(|(deadline, _)| last.mono + unix(deadline).saturating_since(last.wall));
        by_mono.into_iter().chain(by_wall).min()
    }

    /// The slot whose request this answers; `None` for one that was given up.
    fn answered(&self, request: RequestId) -> Result<Option<u32>, SvidRotatorError> {
        if request.0 >= self.next_request {
            return Err(SvidRotatorError::UnknownRequest);
        }
        Ok(self.in_flight.get(&request).copied())
    }

    fn note_time(&mut self, now: Now) {
        self.last = Some(now);
    }

    fn rotate_where(
        &mut self,
        now: Now,
        chosen: impl Fn(&Entry) -> bool,
        spread: Option<Duration>,
        entropy: &mut dyn Entropy,
    ) -> Result<(), EntropyError> {
        self.note_time(now);
        let slots = self.table.iter();
        let slots: Vec<u32> = slots
            .filter(|(_, entry)| chosen(entry) || matches!(entry.work, Work::InFlight { .. }))
            .map(|(slot, _)| slot)
            .collect();
        for slot in slots {
            let delay = self.draw_spread(now, slot, spread, entropy)?;
            self.force(now, slot, delay);
        }
        self.run(now, entropy)
    }
}

/// What the caller did wrong, or could not provide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SvidRotatorError {
    /// The source of random bytes failed.
    Entropy(EntropyError),
    /// The machine never made this request.
    UnknownRequest,
}

impl SvidRotatorError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Entropy(_) => "svid_rotation.entropy",
            Self::UnknownRequest => "svid_rotation.unknown_request",
        }
    }
}

impl From<EntropyError> for SvidRotatorError {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}

impl fmt::Display for SvidRotatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entropy(error) => error.fmt(f),
            Self::UnknownRequest => f.write_str("no such request was ever made"),
        }
    }
}

impl std::error::Error for SvidRotatorError {}

/// An SVID that ends within this time is not accepted (C-WR-7).
const LEAST_LIFE: Duration = Duration::from_secs(30);

/// What [`handle_timeout`](SvidRotator::handle_timeout) compares with.
fn due(first: Option<(i64, u32)>, now: i64) -> Option<u32> {
    first
        .filter(|(deadline, _)| *deadline <= now)
        .map(|(_, slot)| slot)
}
