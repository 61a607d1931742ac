//! What happens when: renewals, waits, the queue, and the ends of SVIDs.

use std::cmp::Reverse;
use std::time::Duration;

use crate::KeyId;
use crate::entropy::{Entropy, EntropyError, below};
use crate::status::StatusCode;
use crate::time::{Now, UnixTime};

use super::config::{Backoff, HeldLife};
use super::entry::{Entry, Held, NO_ISSUER, Work};
use super::output::{RequestId, SvidAlarm, SvidFacts, SvidFailure, SvidOutput, SvidPriority};
use super::{SvidRotator, due};

/// What is drawn before an SVID is accepted, so that nothing changes when the entropy fails.
#[derive(Debug, Clone, Copy)]
pub(super) struct AcceptanceDraws {
    jitter: i32,
    /// For an SVID that is not valid yet: a draw for its wait, from 0 to 1,000,000.
    wait: u32,
}

impl SvidRotator {
    pub(super) fn draw_for_acceptance(
        &self,
        entropy: &mut dyn Entropy,
    ) -> Result<AcceptanceDraws, EntropyError> {
        Ok(AcceptanceDraws {
            jitter: self.config.draw_jitter(entropy)?,
            wait: u32::try_from(below(entropy, 1_000_001)?).unwrap_or(0),
        })
    }

    /// An SVID is held from now on.
    pub(super) fn accept(
        &mut self,
        now: Now,
        slot: u32,
        facts: &SvidFacts,
        draws: AcceptanceDraws,
        least_wait: Duration,
    ) {
        let renew_at = self
            .config
            .renew_at(now.wall, facts.not_before, facts.not_after, draws.jitter);
        let issuer = self.issuer_index(facts.issuer.as_ref());
        let not_yet_valid = facts.not_before > now.wall;
        let Some(entry) = self.table.get_mut(slot) else {
            return;
        };
        entry.held = Some(Held {
            not_after: facts.not_after.as_secs(),
            validity: whole_secs(facts.not_after.saturating_since(facts.not_before)),
            life: whole_secs(facts.not_after.saturating_since(now.wall)),
            expired: false,
        });
        entry.issuer = issuer;
        entry.priority = SvidPriority::Background;
        let again = std::mem::take(&mut entry.again);
        // One that is not valid yet is kept, and the next one asked for with growing waits (C-WR-10).
        let mut delay = renew_at.saturating_since(now.wall);
        if not_yet_valid {
            entry.failures = entry.failures.saturating_add(1);
            let doublings = u32::from(entry.failures - 1).min(31);
            let wait = self.config.backoff_min.saturating_mul(1 << doublings);
            let spread = Duration::from_micros(u64::from(draws.wait)).min(self.config.backoff_min);
            delay = delay.min(wait.min(self.config.backoff_max) + spread);
        } else {
            entry.failures = 0;
        }
        if again {
            delay = Duration::ZERO;
        }
        // The shortest wait keeps an SVID whose renewal is due at once from being a hot loop (C-WR-9).
        let earliest = mono_ceil(now).saturating_add(millis(least_wait));
        entry.work = Work::Idle { earliest };
        self.wall
            .set(slot, Some(wall_floor(renew_at.max(now.wall + least_wait))));
        let by_mono = mono_floor(now).saturating_add(millis(delay));
        self.mono.set(slot, Some(by_mono.max(earliest)));
    }

    /// An attempt failed. Draws first, so that nothing changes when the entropy fails.
    pub(super) fn fail(
        &mut self,
        now: Now,
        slot: u32,
        request: RequestId,
        failure: SvidFailure,
        entropy: &mut dyn Entropy,
    ) -> Result<(), EntropyError> {
        let held = self.held(slot).filter(|held| !has_ended(held, now));
        let failures = self
            .table
            .get(slot)
            .map_or(0, |entry| entry.failures)
            .saturating_add(1);
        let backoff = match &failure {
            SvidFailure::Status {
                code: StatusCode::ResourceExhausted,
                retry_after: Some(asked),
            } => Backoff::Asked(*asked),
            SvidFailure::Status { .. } if failure.is_retryable() => Backoff::Counted(failures),
            SvidFailure::BadResponse(_) | SvidFailure::Status { .. } => Backoff::Longest,
        };
        let life = held.map(|held| HeldLife {
            life: Duration::from_secs(u64::from(held.life)),
            left: UnixTime::from_secs(held.not_after).saturating_since(now.wall),
        });
        let wait = self.config.wait(backoff, life, entropy)?;
        self.in_flight.remove(&request);
        let Some(entry) = self.table.get_mut(slot) else {
            return Ok(());
        };
        entry.failures = failures;
        entry.work = Work::Waiting;
        let id = entry.id.clone();
        self.mono
            .set(slot, Some(mono_ceil(now).saturating_add(millis(wait))));
        if let SvidFailure::Status { code, .. } = failure
            && !failure.is_retryable()
        {
            let alarm = SvidAlarm::Refused { code };
            self.outputs.push_back(SvidOutput::Alarm {
                id: id.clone(),
                alarm,
            });
        }
        self.outputs.push_back(SvidOutput::Failed {
            id,
            request,
            failure,
            retry_in: wait,
            held: held.is_some(),
        });
        Ok(())
    }

    /// Everything that is due, then requests for the free places.
    pub(super) fn run(&mut self, now: Now, entropy: &mut dyn Entropy) -> Result<(), EntropyError> {
        // Answers that did not come in time free their places first.
        let mono = mono_floor(now);
        let result = self.end_waits_for_answers(now, mono, entropy);
        self.start_due(now);
        self.dispatch(now);
        result
    }

    fn end_waits_for_answers(
        &mut self,
        now: Now,
        mono: i64,
        entropy: &mut dyn Entropy,
    ) -> Result<(), EntropyError> {
        // Bounded by the places: at most `concurrency` requests are under way.
        let late: Vec<(RequestId, u32)> = self
            .in_flight
            .iter()
            .filter(|(_, slot)| {
                self.mono
                    .deadline(**slot)
                    .is_some_and(|deadline| deadline <= mono)
            })
            .map(|(request, slot)| (*request, *slot))
            .collect();
        for (request, slot) in late {
            let failure = SvidFailure::status(StatusCode::DeadlineExceeded);
            self.fail(now, slot, request, failure, entropy)?;
        }
        Ok(())
    }

    /// Renewals, next attempts and ends of held SVIDs that are due.
    pub(super) fn start_due(&mut self, now: Now) {
        let (wall, mono) = (wall_floor(now.wall), mono_floor(now));
        while let Some(slot) = due(self.wall.first(), wall) {
            match self.table.get(slot).map(|entry| entry.work) {
                Some(Work::Idle { earliest }) if earliest > mono => {
                    // The monotonic clock says when the shortest wait is over.
                    self.wall.set(slot, None);
                    let planned = self.mono.deadline(slot).unwrap_or(i64::MAX);
                    self.mono.set(slot, Some(planned.min(earliest)));
                }
                Some(Work::Idle { .. }) => self.enqueue(slot),
                _ => self.expire(slot),
            }
        }
        while let Some(slot) = due(self.mono.first(), mono) {
            match self.table.get(slot).map(|entry| entry.work) {
                Some(Work::Idle { .. } | Work::Waiting) => self.enqueue(slot),
                // A request whose time is over, and for which the entropy failed: it is tried again with the next call.
                Some(Work::InFlight { .. }) => break,
                Some(Work::Queued { .. }) | None => self.mono.set(slot, None),
            }
        }
        // Renewals that began by the monotonic clock may have brought the end of an SVID into the wall heap.
        while let Some(slot) = due(self.wall.first(), wall) {
            self.expire(slot);
        }
    }

    /// Gives an identity its place in the queue.
    pub(super) fn enqueue(&mut self, slot: u32) {
        let sequence = self.next_sequence;
        let Some(entry) = self.table.get_mut(slot) else {
            return;
        };
        self.next_sequence += 1;
        entry.work = Work::Queued { sequence };
        self.queue.insert((Reverse(entry.priority), sequence, slot));
        let end = entry
            .held
            .filter(|held| !held.expired)
            .map(|held| wall_floor(end_of(&held)));
        self.wall.set(slot, end);
        self.mono.set(slot, None);
    }

    /// Moves a queued identity forward, or one whose next attempt waits for its time.
    pub(super) fn lift(&mut self, slot: u32, priority: SvidPriority) {
        let Some(entry) = self.table.get_mut(slot) else {
            return;
        };
        if entry.priority >= priority {
            return;
        }
        match entry.work {
            Work::Queued { sequence } => {
                self.queue.remove(&(Reverse(entry.priority), sequence, slot));
                self.queue.insert((Reverse(priority), sequence, slot));
                entry.priority = priority;
            }
            Work::Waiting => entry.priority = priority,
            Work::Idle { .. } | Work::InFlight { .. } => {}
        }
    }

    /// Requests for those who come first, as long as places are free.
    pub(super) fn dispatch(&mut self, now: Now) {
        while self.in_flight.len() < self.config.concurrency.max(1) {
            let Some((_, _, slot)) = self.queue.pop_first() else {
                return;
            };
            let request = RequestId(self.next_request);
            let Some(entry) = self.table.get_mut(slot) else {
                continue;
            };
            self.next_request += 1;
            entry.work = Work::InFlight { request };
            entry.again = false;
            self.in_flight.insert(request, slot);
            let deadline = mono_ceil(now).saturating_add(millis(self.config.request_timeout));
            self.mono.set(slot, Some(deadline));
            self.outputs.push_back(SvidOutput::Request {
                id: entry.id.clone(),
                request,
                attempt: u32::from(entry.failures) + 1,
            });
        }
    }

    /// The held SVID has ended.
    fn expire(&mut self, slot: u32) {
        self.wall.set(slot, None);
        let Some(entry) = self.table.get_mut(slot) else {
            return;
        };
        let Some(held) = entry.held.as_mut() else {
            return;
        };
        held.expired = true;
        let not_after = UnixTime::from_secs(held.not_after);
        let id = entry.id.clone();
        let alarm = SvidAlarm::Expired { not_after };
        self.outputs.push_back(SvidOutput::Alarm {
            id: id.clone(),
            alarm,
        });
        if self.config.withdraw_expired {
            self.outputs.push_back(SvidOutput::Withdraw { id });
        }
    }

    /// Takes an identity out of the queue, or gives its request up.
    pub(super) fn release(&mut self, slot: u32) {
        let Some(entry) = self.table.get(slot) else {
            return;
        };
        match entry.work {
            Work::Queued { sequence } => {
                self.queue.remove(&(Reverse(entry.priority), sequence, slot));
            }
            Work::InFlight { request } => {
                self.in_flight.remove(&request);
            }
            Work::Idle { .. } | Work::Waiting => {}
        }
    }

    /// Renews after `delay`, and not within the shortest wait since the last attempt.
    pub(super) fn force(&mut self, now: Now, slot: u32, delay: Duration) {
        let Some(entry) = self.table.get_mut(slot) else {
            return;
        };
        match entry.work {
            Work::Idle { earliest } => {
                let wanted = mono_ceil(now).saturating_add(millis(delay)).max(earliest);
                let planned = self.mono.deadline(slot).unwrap_or(i64::MAX);
                self.mono.set(slot, Some(planned.min(wanted)));
            }
            Work::InFlight { .. } => entry.again = true,
            // The next attempt is what was wanted.
            Work::Queued { .. } | Work::Waiting => {}
        }
    }

    pub(super) fn draw_spread(
        &self,
        now: Now,
        slot: u32,
        spread: Option<Duration>,
        entropy: &mut dyn Entropy,
    ) -> Result<Duration, EntropyError> {
        let left = self
            .held(slot)
            .map_or(Duration::ZERO, |held| end_of(&held).saturating_since(now.wall));
        let spread = spread
            .or(self.config.spread)
            .unwrap_or_else(|| LONGEST_SPREAD.min(left / 4));
        let draw = below(entropy, millis(spread).unsigned_abs().saturating_add(1))?;
        Ok(Duration::from_millis(draw))
    }

    /// A wall clock that was set back may make SVIDs look not valid yet: they are kept, and renewed (C-WR-10). Those that
    /// looked ended, and do not any more, are served as before.
    pub(super) fn note_clock_set_back(
        &mut self,
        now: Now,
        entropy: &mut dyn Entropy,
    ) -> Result<(), EntropyError> {
        if self.last.is_none_or(|last| now.wall >= last.wall) {
            return Ok(());
        }
        let all: Vec<u32> = self.table.iter().map(|(slot, _)| slot).collect();
        for slot in all {
            let Some(held) = self.held(slot) else { continue };
            if held.expired && !has_ended(&held, now) && !self.config.withdraw_expired {
                self.revive(slot);
            }
            let idle = self
                .table
                .get(slot)
                .is_some_and(|entry| matches!(entry.work, Work::Idle { .. }));
            let not_before = held.not_before().map(UnixTime::from_secs);
            if let Some(not_before) = not_before.filter(|not_before| idle && *not_before > now.wall) {
                let delay = self.draw_spread(now, slot, None, entropy)?;
                self.force(now, slot, delay);
                self.report_not_yet_valid(now, slot, not_before);
            }
        }
        Ok(())
    }

    /// Takes back that an SVID has ended.
    fn revive(&mut self, slot: u32) {
        if let Some(held) = self.table.get_mut(slot).and_then(|entry| entry.held.as_mut()) {
            held.expired = false;
            let end = wall_floor(end_of(held));
            self.wall.set(slot, Some(end));
        }
    }

    pub(super) fn report_not_yet_valid(&mut self, now: Now, slot: u32, not_before: UnixTime) {
        if not_before <= now.wall {
            return;
        }
        if let Some(entry) = self.table.get(slot) {
            let alarm = SvidAlarm::NotYetValid { not_before };
            let id = entry.id.clone();
            self.outputs.push_back(SvidOutput::Alarm { id, alarm });
        }
    }

    pub(super) fn held(&self, slot: u32) -> Option<Held> {
        self.table.get(slot).and_then(|entry: &Entry| entry.held)
    }

    /// The index of an issuer in the list. The list holds the authorities of the CA that were met so far, and forgets those
    /// that have signed nothing that is held when it would grow beyond a few.
    fn issuer_index(&mut self, issuer: Option<&KeyId>) -> u32 {
        let Some(issuer) = issuer else {
            return NO_ISSUER;
        };
        let known = self
            .issuers
            .iter()
            .position(|known| known.as_ref() == Some(issuer));
        let index = known.unwrap_or_else(|| self.note_issuer(issuer.clone()));
        u32::try_from(index).unwrap_or(NO_ISSUER)
    }

    fn note_issuer(&mut self, issuer: KeyId) -> usize {
        let is_free = |issuers: &[Option<KeyId>]| issuers.iter().position(Option::is_none);
        if is_free(&self.issuers).is_none() && self.issuers.len() >= FEW_ISSUERS {
            self.drop_unused_issuers();
        }
        let index = is_free(&self.issuers).unwrap_or(self.issuers.len());
        match self.issuers.get_mut(index) {
            Some(place) => *place = Some(issuer),
            None => self.issuers.push(Some(issuer)),
        }
        index
    }

    fn drop_unused_issuers(&mut self) {
        let mut used = vec![false; self.issuers.len()];
        for (_, entry) in self.table.iter() {
            if let Some(used) = used.get_mut(entry.issuer as usize) {
                *used = true;
            }
        }
        for (issuer, used) in self.issuers.iter_mut().zip(used) {
            if !used {
                *issuer = None;
            }
        }
    }
}

/// The first second at which an SVID is no longer valid: `notAfter` is inclusive.
fn end_of(held: &Held) -> UnixTime {
    UnixTime::from_secs(held.not_after.saturating_add(1))
}

fn has_ended(held: &Held, now: Now) -> bool {
    end_of(held) <= now.wall
}

fn whole_secs(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// Milliseconds since the epoch, cut.
pub(super) fn wall_floor(time: UnixTime) -> i64 {
    let millis = i64::from(time.subsec_nanos() / 1_000_000);
    time.as_secs().saturating_mul(1_000).saturating_add(millis)
}

/// The time of so many milliseconds since the epoch.
pub(super) fn unix(millis: i64) -> UnixTime {
    let nanos = u32::try_from(millis.rem_euclid(1_000)).unwrap_or(0) * 1_000_000;
    UnixTime::new(millis.div_euclid(1_000), nanos)
}

/// Whole milliseconds of the monotonic clock that are over.
pub(super) fn mono_floor(now: Now) -> i64 {
    millis(now.mono.since_origin())
}

/// As [`mono_floor`], with a millisecond that has begun: waits that are counted from it are never too short.
fn mono_ceil(now: Now) -> i64 {
    millis(
        now.mono
            .since_origin()
            .saturating_add(Duration::from_nanos(999_999)),
    )
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The longest time over which forced rotations are spread by default (C-WR-6).
const LONGEST_SPREAD: Duration = Duration::from_secs(300);

/// So many issuers are kept without asking whether they are needed.
const FEW_ISSUERS: usize = 64;
