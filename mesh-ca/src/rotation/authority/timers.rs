//! When something is due.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::entropy::{Entropy, EntropyError, below};
use crate::time::{MonotonicTime, Now, UnixTime};

use super::AuthorityRotator;
use super::config::{Retirement, RotationStrategy, sum};
use super::output::AuthorityAlarm;
use super::state::{AuthorityRecord, AuthorityStatus};

/// How often a step failed in a row, and when it is tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) failures: u32,
    pub(super) retry_at: Option<MonotonicTime>,
}

impl Attempt {
    pub(super) fn is_due(&self, now: Now) -> bool {
        self.retry_at.is_none_or(|retry_at| retry_at <= now.mono)
    }
}

impl AuthorityRotator {
    /// When [`handle_timeout`](Self::handle_timeout) has something to do, by what both clocks showed at the last call. Before
    /// the first call: at once.
    pub fn poll_timeout(&self) -> Option<MonotonicTime> {
        let Some(last) = self.inner.last else {
            return Some(MonotonicTime::ORIGIN);
        };
        let mut timers = Timers { last, first: None };
        self.retry_timers(&mut timers);
        if self.inner.persisting.is_none() && self.inner.persist.is_due(last) {
            self.plan_timers(&mut timers);
        }
        timers.first
    }

    /// Whether the next authority is to be made, by either clock: a wall clock that is set back postpones nothing
    /// (C-GEN-4). To make it early harms nobody.
    pub(super) fn is_prepare_due(&self, now: Now, active: &AuthorityRecord) -> bool {
        let at = self.times_of(active).prepare_at;
        let by_mono = self
            .inner
            .anchor
            .is_some_and(|anchor| now.mono >= anchor.mono + at.saturating_since(anchor.wall));
        now.wall >= at || by_mono
    }

    /// Whether the active authority is looked at: always, or for Istio's way once in an interval, after a jitter that is cut
    /// to whole seconds (C-ROT-3).
    pub(super) fn is_check_due(&mut self, now: Now, entropy: &mut dyn Entropy) -> Result<bool, EntropyError> {
        let RotationStrategy::Renew { check_interval, .. } = self.config.strategy else {
            return Ok(true);
        };
        let next_check = match self.inner.next_check {
            Some(next_check) => next_check,
            None => {
                let jitter = Duration::from_secs(below(entropy, check_interval.as_secs())?);
                now.mono + jitter
            }
        };
        if self.inner.state.active().is_none() {
            self.inner.next_check = Some(next_check);
            return Ok(true);
        }
        let due = now.mono >= next_check;
        // INVARIANT: an interval of zero would never end.
        let interval = check_interval.max(Duration::from_secs(1));
        self.inner.next_check = Some(if due { now.mono + interval } else { next_check });
        Ok(due)
    }

    /// When an old authority is needed no more (C-ROT-5).
    pub(super) fn retire_at(&self, old: &AuthorityRecord) -> UnixTime {
        let end = old.certificate.not_after;
        let last_ca = old.ca_high_water.unwrap_or(UnixTime::MIN_X509);
        match self.config.retirement {
            Retirement::AfterExpiry => (end + AFTER_EXPIRY).max(last_ca + self.config.skew),
            Retirement::WhenUnused => {
                // The key of a renewed authority signs on: both certificates are published until the old one ends (C-ROT-1).
                let renewed = self.inner.state.authorities.iter().any(|other| {
                    other.id != old.id
                        && other.status == AuthorityStatus::Active
                        && other.certificate.key_id == old.certificate.key_id
                });
                let last_leaf =
                    old.deactivated_at.unwrap_or(end) + sum([self.config.sync, old.leaf_high_water]);
                let last_leaf = if renewed { end } else { last_leaf.min(end) };
                (last_leaf.max(last_ca) + self.config.skew).max(self.bridge_until(old))
            }
        }
    }

    /// Until when verifiers may know only what came before an authority, and need what certifies it to reach the next one
    /// (C-ROT-6). When one emergency follows another that is later than its last leaf.
    fn bridge_until(&self, old: &AuthorityRecord) -> UnixTime {
        match (&old.new_by_old, old.activated_at) {
            (Some(cross), Some(activated)) => (activated + self.config.dist).min(cross.not_after),
            _ => UnixTime::MIN_X509,
        }
    }

    /// Whether every verifier can have this authority by now (C-ROT-4).
    pub(super) fn is_guard_met(&self, now: Now, prepared: &AuthorityRecord) -> bool {
        let by_time = self.guard_time(prepared).is_some_and(|at| now.wall >= at);
        let members = &self.inner.members;
        let by_members = !self.config.federated
            && !members.is_empty()
            && members
                .values()
                .all(|confirmed| *confirmed >= prepared.since_sequence);
        by_time || by_members
    }

    fn guard_time(&self, prepared: &AuthorityRecord) -> Option<UnixTime> {
        let published_at = prepared.published_at?;
        Some(published_at + sum([self.config.dist, self.config.skew]))
    }

    /// When a prepared authority has too little life left to be of use.
    pub(super) fn useless_after(&self, prepared: &AuthorityRecord) -> UnixTime {
        prepared.certificate.not_after - sum([self.config.leaf_max, self.config.skew])
    }

    pub(super) fn times_of(&self, authority: &AuthorityRecord) -> super::AuthorityTimes {
        self.config
            .times(authority.issued_at, authority.certificate.not_after)
    }

    /// Notes a jump of the wall clock, while there is something that it could remove (C-ROT-16).
    pub(super) fn note_clock(&mut self, now: Now) {
        let has_old = self.inner.state.with_status(AuthorityStatus::Old).is_some();
        if let Some(last) = self.inner.last.filter(|_| has_old) {
            let by = now.wall.saturating_since(last.wall);
            if by > self.config.dist.max(LONGEST_STEP) {
                self.inner.hold_until = Some(now.mono + self.config.dist);
                self.alarm(AuthorityAlarm::ClockJump { by });
            }
        }
        if self.inner.hold_until.is_some_and(|until| now.mono >= until) {
            self.inner.hold_until = None;
        }
    }

    fn retry_timers(&self, timers: &mut Timers) {
        let inner = &self.inner;
        if let Some(draft) = &inner.draft {
            timers.at_mono_if_later(draft.attempt.retry_at);
        }
        if let Some(old_by_new) = &inner.old_by_new {
            timers.at_mono_if_later(old_by_new.attempt.retry_at);
        }
        if inner.persisting.is_none() {
            timers.at_mono_if_later(inner.persist.retry_at);
        }
        if inner.publishing.is_none() {
            timers.at_mono_if_later(inner.publish.retry_at);
        }
    }

    fn plan_timers(&self, timers: &mut Timers) {
        let state = &self.inner.state;
        let room = state.authorities.len() < self.config.max_authorities.max(1);
        match state.active() {
            None if !self.has_next() && room => timers.at_mono(timers.last.mono),
            Some(active) if !self.has_next() && room => {
                let at = self.times_of(active).prepare_at;
                match (self.config.strategy, self.inner.next_check) {
                    (RotationStrategy::Renew { .. }, Some(next_check)) => timers.at_mono(next_check),
                    (RotationStrategy::Renew { .. }, None) => timers.at_mono(timers.last.mono),
                    (RotationStrategy::Rekey, _) => {
                        timers.at_wall(at);
                        if let Some(anchor) = self.inner.anchor {
                            timers.at_mono(anchor.mono + at.saturating_since(anchor.wall));
                        }
                    }
                }
            }
            _ => {}
        }
        if let (Some(active), Some(prepared)) = (state.active(), state.prepared()) {
            let times = self.times_of(active);
            let guard = self
                .guard_time(prepared)
                .unwrap_or(times.force_at)
                .min(times.force_at);
            timers.at_wall(times.activate_at.max(guard));
            if self.inner.late != Some(prepared.id) {
                timers.at_wall(times.activate_at);
            }
            timers.at_wall(just_after(active.certificate.not_after).min(times.force_at));
            timers.at_wall(just_after(self.useless_after(prepared)));
        }
        for authority in &state.authorities {
            if let Some(at) = authority.revoke_at {
                timers.at_wall(at);
            }
            if authority.status == AuthorityStatus::Old {
                let hold = self.inner.hold_until.unwrap_or(MonotonicTime::ORIGIN);
                timers.at_wall_after(just_after(self.retire_at(authority)), hold);
                // The clock is looked at often enough that a jump is told from a sleep.
                timers.at_mono(timers.last.mono + LONGEST_STEP / 2);
            }
            if let (Some(_), Some(at)) = (&authority.new_by_old, authority.activated_at) {
                timers.at_wall_if_later(just_after(at + self.config.dist));
            }
        }
    }
}

/// The earliest of several times.
struct Timers {
    last: Now,
    first: Option<MonotonicTime>,
}

impl Timers {
    fn at_mono(&mut self, at: MonotonicTime) {
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
    }

    /// A time that counts only while it lies ahead: what was due was done.
    fn at_mono_if_later(&mut self, at: Option<MonotonicTime>) {
        if let Some(at) = at.filter(|at| *at > self.last.mono) {
            self.at_mono(at);
        }
    }

    fn at_wall(&mut self, at: UnixTime) {
        self.at_wall_after(at, MonotonicTime::ORIGIN);
    }

    fn at_wall_after(&mut self, at: UnixTime, earliest: MonotonicTime) {
        let at = self.last.mono + at.saturating_since(self.last.wall);
        self.at_mono(at.max(earliest));
    }

    fn at_wall_if_later(&mut self, at: UnixTime) {
        if at > self.last.wall {
            self.at_wall(at);
        }
    }
}

/// The first moment that is later.
fn just_after(time: UnixTime) -> UnixTime {
    time + Duration::from_nanos(1)
}

/// SPIRE keeps its own roots for so long after their end (C-ROT-5).
const AFTER_EXPIRY: Duration = Duration::from_secs(86_400);

/// A wall clock that moves further than this between two calls has jumped (C-ROT-16).
const LONGEST_STEP: Duration = Duration::from_secs(86_400);
