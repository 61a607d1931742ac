//! What the next state is. One change at a time, each stored before it takes effect.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::KeyId;
use crate::time::{Now, UnixTime};

use super::output::{AuthorityAlarm, AuthorityCommandError, AuthorityOutput, Issuing};
use super::state::{AuthorityId, AuthorityRecord, AuthorityState, AuthorityStatus};
use super::timers::Attempt;
use super::{AuthorityRotator, EmergencyReport, Persisting};

use std::time::Duration;

/// What an operator wants, or the embedder has to note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Command {
    Activate {
        authority: AuthorityId,
        force: bool,
    },
    NoteCa {
        authority: AuthorityId,
        not_after: UnixTime,
    },
    NoteCrl {
        authority: AuthorityId,
        number: u64,
    },
    Revoke {
        authority: AuthorityId,
    },
    Taint {
        authority: AuthorityId,
    },
}

/// A state that is to be stored.
struct Plan {
    next: AuthorityState,
    alarms: Vec<AuthorityAlarm>,
    handover_since: Option<UnixTime>,
    done: Done,
}

/// What is done when a state is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Done {
    /// The first of the waiting commands.
    Command,
    /// The roll-back.
    Rollback,
    /// Nothing that waits to be done.
    Step,
}

impl AuthorityRotator {
    /// Stores the next state, if there is one, and nothing is being stored.
    pub(super) fn step_persist(&mut self, now: Now) {
        if self.inner.persisting.is_some() || !self.inner.persist.is_due(now) {
            return;
        }
        let Some(Plan {
            mut next,
            alarms,
            handover_since,
            done,
        }) = self.plan(now)
        else {
            return;
        };
        let base_version = self.inner.state.version;
        next.version = base_version.saturating_add(1);
        let next = Arc::new(next);
        self.inner.persisting = Some(Persisting {
            next: Arc::clone(&next),
            alarms,
            handover_since,
            done,
        });
        let state = next;
        self.inner
            .outputs
            .push_back(AuthorityOutput::PersistState { base_version, state });
    }

    /// Publishes the bundle of the stored state, if that was not confirmed yet.
    pub(super) fn step_publish(&mut self, now: Now) {
        let state = &self.inner.state;
        let confirmed = self.inner.confirmed.iter().map(|(sequence, _)| *sequence).max();
        let confirmed = confirmed.unwrap_or(0).max(state.published_sequence);
        let under_way = self.inner.publishing == Some(state.sequence);
        if confirmed >= state.sequence || under_way || !self.inner.publish.is_due(now) {
            return;
        }
        self.inner.publishing = Some(state.sequence);
        let output = AuthorityOutput::PublishBundle {
            sequence: state.sequence,
            certificates: state.bundle().cloned().collect(),
        };
        self.inner.outputs.push_back(output);
    }

    /// A command that fits the state, or the one that is being stored, waits for its turn.
    pub(super) fn command(&mut self, now: Now, command: Command) -> Result<(), AuthorityCommandError> {
        let state = self
            .inner
            .persisting
            .as_ref()
            .map_or(&self.inner.state, |one| &one.next);
        self.check_command(now, state, &command)?;
        self.inner.commands.push_back(command);
        self.run(now);
        Ok(())
    }

    /// What is different between two stored states, as outputs.
    pub(super) fn report_changes(&mut self, now: Now, before: &Arc<AuthorityState>) {
        let state = Arc::clone(&self.inner.state);
        self.inner
            .known_revoked
            .extend(state.revoked_keys.iter().cloned());
        self.forget_what_is_stored(&state);
        for old in &before.authorities {
            let key_id = &old.certificate.key_id;
            let revoked = state.revoked_keys.contains(key_id);
            let left = state.find(old.id);
            let tainted = left.is_some_and(|left| left.tainted) && !old.tainted;
            if tainted || (left.is_none() && revoked) {
                self.notify_rotate(key_id);
                self.revoke_cross_sign(&state, old);
            }
            if left.is_none() && revoked {
                self.revoke_new_by_old(&state, old);
            }
            if left.is_none() {
                self.inner.limit_reported = false;
                self.inner.outputs.push_back(AuthorityOutput::Retired {
                    authority: old.id,
                    slot: old.slot,
                    key_id: key_id.clone(),
                    revoked,
                    crl_until: self.retire_at(old).max(now.wall) + self.config.dist,
                });
            }
        }
        if before.active().map(|active| active.id) != state.active().map(|active| active.id) {
            self.inner.anchor = Some(now);
        }
    }

    /// Takes over a state that another replica stored.
    pub(super) fn adopt(&mut self, now: Now, stored: AuthorityState) {
        let listed = stored.authorities.iter().map(|authority| authority.id);
        let listed: Vec<AuthorityId> = listed.collect();
        if self
            .inner
            .draft
            .as_ref()
            .is_some_and(|draft| !listed.contains(&draft.id))
        {
            self.discard_draft();
        }
        self.inner.draft = None;
        self.inner.persisting = None;
        self.inner.persist = Attempt::default();
        self.inner.publishing = None;
        self.inner.publish = Attempt::default();
        self.inner.confirmed.clear();
        self.inner.previous = None;
        let before = std::mem::replace(&mut self.inner.state, Arc::new(stored));
        self.report_changes(now, &before);
    }

    /// Says with what to issue, when that is something new.
    pub(super) fn report_issuing(&mut self, now: Now) {
        let issuing = self.issuing_view(now);
        if issuing.is_some() && issuing != self.inner.issuing {
            self.inner
                .outputs
                .extend(issuing.clone().map(AuthorityOutput::IssueWith));
            self.inner.issuing = issuing;
        }
    }

    pub(super) fn issuing_view(&self, now: Now) -> Option<Issuing> {
        let active = self.inner.state.active()?;
        // The active one first; and those before it, where one followed the other so soon (in emergencies) that a verifier
        // may know neither.
        let recent = self.inner.state.authorities.iter().rev().filter(|one| {
            let until = one.activated_at.map(|at| at + self.config.dist);
            until.is_some_and(|until| now.wall <= until)
        });
        let appended = recent
            .filter_map(|one| one.new_by_old.as_ref())
            .filter(|cross| now.wall <= cross.not_after);
        Some(Issuing {
            authority: active.id,
            slot: active.slot,
            certificate: active.certificate.clone(),
            appended: appended.cloned().collect(),
            leaf_max: self.config.leaf_max.min(active.leaf_high_water),
        })
    }

    /// Whether another replica may have replaced the active authority without this one knowing (C-ROT-12).
    pub(super) fn is_stale(&self, now: Now) -> bool {
        let Some(active) = self.inner.state.active() else {
            return false;
        };
        let seen = self.inner.observed_at.unwrap_or_default();
        let recent = now.mono.saturating_since(seen) <= self.config.sync;
        !recent && now.wall >= self.times_of(active).activate_at
    }

    pub(super) fn emergency_report(&self, key_id: &KeyId, revoke_after: Option<Duration>) -> EmergencyReport {
        let mut next = self.inner.state.authorities.iter().filter(|authority| {
            matches!(
                authority.status,
                AuthorityStatus::Prepared | AuthorityStatus::Requested
            ) && authority.certificate.key_id != *key_id
        });
        let next = next.next();
        let since = next.map_or(u64::MAX, |next| next.since_sequence);
        let members = self.inner.members.iter();
        EmergencyReport {
            unconfirmed: members
                .filter(|(_, confirmed)| **confirmed < since)
                .map(|(member, _)| member.clone())
                .collect(),
            cross_signed: next.map_or(self.config.cross_sign, |next| next.new_by_old.is_some()),
            revoked_after: revoke_after,
            replicas_lag: self.config.sync,
        }
    }

    /// The first change that is due.
    fn plan(&mut self, now: Now) -> Option<Plan> {
        self.plan_revoked_keys()
            .or_else(|| self.plan_rollback())
            .or_else(|| self.plan_commands(now))
            .or_else(|| self.plan_emergency(now))
            .or_else(|| self.plan_revocation(now))
            .or_else(|| self.plan_confirmed())
            .or_else(|| self.plan_prepared(now))
            .or_else(|| self.plan_draft(now))
            .or_else(|| self.plan_old_by_new())
            .or_else(|| self.plan_leaf_high_water())
            .or_else(|| self.plan_retirement(now))
            .or_else(|| self.plan_sequence())
    }

    /// A key that is known to be revoked never comes back (C-ROT-8).
    fn plan_revoked_keys(&mut self) -> Option<Plan> {
        let state = Arc::clone(&self.inner.state);
        let known = &self.inner.known_revoked;
        let back = state
            .authorities
            .iter()
            .find(|one| known.contains(&one.certificate.key_id));
        let complete = known.is_subset(&state.revoked_keys);
        if back.is_none() && complete {
            return None;
        }
        let mut plan = self.change();
        plan.next.revoked_keys.extend(known.iter().cloned());
        if let Some(back) = back {
            let key_id = back.certificate.key_id.clone();
            plan.next
                .authorities
                .retain(|one| !known.contains(&one.certificate.key_id));
            self.bump(&mut plan.next);
            plan.alarms.push(AuthorityAlarm::AuthorityRevoked { key_id });
        }
        Some(plan)
    }

    fn plan_rollback(&mut self) -> Option<Plan> {
        let (why, previous) = self.inner.rollback.clone()?;
        let mut plan = self.change();
        plan.done = Done::Rollback;
        let revoked = &plan.next.revoked_keys;
        let kept = previous
            .authorities
            .iter()
            .filter(|one| !revoked.contains(&one.certificate.key_id));
        let kept: Vec<AuthorityRecord> = kept.cloned().collect();
        let same_bundle = kept
            .iter()
            .map(|one| one.id)
            .eq(plan.next.authorities.iter().map(|one| one.id));
        plan.next.authorities = kept;
        if !same_bundle {
            self.bump(&mut plan.next);
        }
        plan.alarms.push(AuthorityAlarm::RolledBack { why });
        Some(plan)
    }

    fn plan_commands(&mut self, now: Now) -> Option<Plan> {
        while let Some(command) = self.inner.commands.front().cloned() {
            let state = Arc::clone(&self.inner.state);
            match self.check_command(now, &state, &command) {
                Err(why) => {
                    self.inner.commands.pop_front();
                    self.alarm(AuthorityAlarm::CommandDropped { why });
                }
                Ok(()) => match self.plan_command(now, command) {
                    Some(plan) => return Some(plan),
                    None => {
                        self.inner.commands.pop_front();
                    }
                },
            }
        }
        None
    }

    fn check_command(
        &self,
        now: Now,
        state: &AuthorityState,
        command: &Command,
    ) -> Result<(), AuthorityCommandError> {
        use AuthorityCommandError as Error;
        let find = |authority: &AuthorityId| state.find(*authority).ok_or(Error::NotFound);
        match command {
            Command::Activate { authority, force } => {
                let prepared = find(authority)?;
                match prepared.status {
                    AuthorityStatus::Prepared if *force || self.is_guard_met(now, prepared) => Ok(()),
                    AuthorityStatus::Prepared => Err(Error::GuardNotMet),
                    _ => Err(Error::NotPrepared),
                }
            }
            Command::Taint { authority } => {
                let old = find(authority)?;
                let active = state.active();
                match old.status {
                    AuthorityStatus::Old
                        if active
                            .is_some_and(|active| active.certificate.key_id == old.certificate.key_id) =>
                    {
                        Err(Error::KeyInUse)
                    }
                    AuthorityStatus::Old => Ok(()),
                    _ => Err(Error::NotOld),
                }
            }
            Command::Revoke { authority } => match find(authority)? {
                old if old.status != AuthorityStatus::Old => Err(Error::NotOld),
                old if !old.tainted => Err(Error::NotTainted),
                _ => Ok(()),
            },
            Command::NoteCa { authority, .. } | Command::NoteCrl { authority, .. } => {
                find(authority).map(|_| ())
            }
        }
    }

    /// The state after a command; `None` when it changes nothing.
    fn plan_command(&mut self, now: Now, command: Command) -> Option<Plan> {
        let mut plan = self.change();
        plan.done = Done::Command;
        match command {
            Command::Activate { authority, force } => {
                let met = plan
                    .next
                    .find(authority)
                    .is_some_and(|prepared| self.is_guard_met(now, prepared));
                self.activate_in(now, &mut plan, authority);
                if force && !met {
                    self.report_forced(&mut plan, authority);
                }
            }
            Command::Taint { authority } => taint_in(&mut plan.next, authority, None),
            Command::Revoke { authority } => self.revoke_in(&mut plan.next, authority),
            Command::NoteCa { authority, not_after } => {
                let record = plan.next.find_mut(authority)?;
                record.ca_high_water = record.ca_high_water.max(Some(not_after));
            }
            Command::NoteCrl { authority, number } => {
                let record = plan.next.find_mut(authority)?;
                record.last_crl_number = record.last_crl_number.max(number);
            }
        }
        (plan.next != *self.inner.state).then_some(plan)
    }

    /// The new key takes over as soon as it is published, and the compromised one is tainted (C-ROT-9).
    fn plan_emergency(&mut self, now: Now) -> Option<Plan> {
        let emergency = self.inner.emergency.clone()?;
        let state = Arc::clone(&self.inner.state);
        let prepared = state.prepared()?;
        if prepared.certificate.key_id == emergency.key_id {
            // A certificate of the compromised key that was to follow never will.
            let mut plan = self.change();
            plan.next.authorities.retain(|one| one.id != prepared.id);
            self.bump(&mut plan.next);
            return Some(plan);
        }
        let mut plan = self.change();
        let met = self.is_guard_met(now, prepared);
        self.activate_in(now, &mut plan, prepared.id);
        let compromised = plan
            .next
            .authorities
            .iter()
            .filter(|one| one.certificate.key_id == emergency.key_id);
        let compromised: Vec<AuthorityId> = compromised.map(|one| one.id).collect();
        let revoke_at = emergency.revoke_after.map(|after| now.wall + after);
        for authority in compromised {
            taint_in(&mut plan.next, authority, revoke_at);
        }
        if !met {
            self.report_forced(&mut plan, prepared.id);
        }
        Some(plan)
    }

    fn plan_revocation(&mut self, now: Now) -> Option<Plan> {
        let state = Arc::clone(&self.inner.state);
        let due = state
            .authorities
            .iter()
            .find(|one| one.revoke_at.is_some_and(|at| at <= now.wall))?;
        let mut plan = self.change();
        self.revoke_in(&mut plan.next, due.id);
        Some(plan)
    }

    fn plan_confirmed(&mut self) -> Option<Plan> {
        let highest = self.inner.confirmed.iter().map(|(sequence, _)| *sequence).max()?;
        let mut plan = self.change();
        plan.next.published_sequence = plan.next.published_sequence.max(highest);
        for authority in &mut plan.next.authorities {
            let listed = self
                .inner
                .confirmed
                .iter()
                .filter(|(sequence, _)| *sequence >= authority.since_sequence);
            if authority.published_at.is_none()
                && let Some(at) = listed.map(|(_, at)| *at).min()
            {
                authority.published_at = Some(at);
                if authority.status == AuthorityStatus::Requested {
                    authority.status = AuthorityStatus::Prepared;
                }
            }
        }
        Some(plan)
    }

    fn plan_prepared(&mut self, now: Now) -> Option<Plan> {
        let state = Arc::clone(&self.inner.state);
        let prepared = state.prepared()?;
        let Some(active) = state.active() else {
            let mut plan = self.change();
            self.activate_in(now, &mut plan, prepared.id);
            return Some(plan);
        };
        let times = self.times_of(active);
        let renewed = prepared.certificate.key_id == active.certificate.key_id;
        let met = renewed || self.is_guard_met(now, prepared);
        let forced = now.wall >= times.force_at || now.wall > active.certificate.not_after;
        if now.wall > self.useless_after(prepared) {
            let mut plan = self.change();
            plan.next.authorities.retain(|one| one.id != prepared.id);
            self.bump(&mut plan.next);
            return Some(plan);
        }
        if (met && (renewed || now.wall >= times.activate_at)) || forced {
            let mut plan = self.change();
            self.activate_in(now, &mut plan, prepared.id);
            if !met {
                self.report_forced(&mut plan, prepared.id);
            }
            return Some(plan);
        }
        if now.wall >= times.activate_at && self.inner.late != Some(prepared.id) {
            self.inner.late = Some(prepared.id);
            let activate_at = times.activate_at;
            self.alarm(AuthorityAlarm::RotationLate { activate_at });
        }
        None
    }

    /// An authority that is made enters the bundle.
    fn plan_draft(&mut self, now: Now) -> Option<Plan> {
        let mut record = self.inner.draft.as_ref()?.record(now)?;
        let mut plan = self.change();
        self.bump(&mut plan.next);
        record.since_sequence = plan.next.sequence;
        plan.next.authorities.push(record);
        Some(plan)
    }

    fn plan_old_by_new(&mut self) -> Option<Plan> {
        let one = self.inner.old_by_new.as_ref()?;
        let (subject, made) = (one.subject, one.made.clone()?);
        let mut plan = self.change();
        plan.next.find_mut(subject)?.old_by_new = Some(made);
        Some(plan)
    }

    /// A longer life of leaves is stored before the first one has it (C-SIGN-16).
    fn plan_leaf_high_water(&mut self) -> Option<Plan> {
        let mut plan = self.change();
        let id = plan.next.active()?.id;
        let active = plan.next.find_mut(id)?;
        if active.leaf_high_water >= self.config.leaf_max {
            return None;
        }
        active.leaf_high_water = self.config.leaf_max;
        Some(plan)
    }

    fn plan_retirement(&mut self, now: Now) -> Option<Plan> {
        if self.inner.hold_until.is_some_and(|until| now.mono < until) {
            return None;
        }
        let state = Arc::clone(&self.inner.state);
        let mut old = state
            .authorities
            .iter()
            .filter(|one| one.status == AuthorityStatus::Old);
        let done = old.find(|one| now.wall > self.retire_at(one))?;
        let mut plan = self.change();
        plan.next.authorities.retain(|one| one.id != done.id);
        self.bump(&mut plan.next);
        // A bundle is never pruned to empty.
        (!plan.next.authorities.is_empty()).then_some(plan)
    }

    /// Somebody published a higher number: an older state was restored. Its content is published under a number that
    /// consumers take, and what has not issued yet is distributed anew (C-ROT-13).
    fn plan_sequence(&mut self) -> Option<Plan> {
        if self.inner.observed_sequence <= self.inner.state.sequence
            || self.inner.state.authorities.is_empty()
        {
            return None;
        }
        let mut plan = self.change();
        self.bump(&mut plan.next);
        let sequence = plan.next.sequence;
        for authority in &mut plan.next.authorities {
            if matches!(
                authority.status,
                AuthorityStatus::Prepared | AuthorityStatus::Requested
            ) {
                authority.status = AuthorityStatus::Requested;
                authority.since_sequence = sequence;
                authority.published_at = None;
            }
        }
        Some(plan)
    }

    fn change(&self) -> Plan {
        Plan {
            next: (*self.inner.state).clone(),
            alarms: Vec::new(),
            handover_since: None,
            done: Done::Step,
        }
    }

    fn bump(&self, next: &mut AuthorityState) {
        next.sequence = next.sequence.max(self.inner.observed_sequence).saturating_add(1);
    }

    fn activate_in(&self, now: Now, plan: &mut Plan, id: AuthorityId) {
        for authority in &mut plan.next.authorities {
            if authority.status == AuthorityStatus::Active {
                authority.status = AuthorityStatus::Old;
                authority.deactivated_at = Some(now.wall);
                plan.handover_since = Some(now.wall);
            }
            if authority.id == id {
                authority.status = AuthorityStatus::Active;
                authority.activated_at = Some(now.wall);
                authority.leaf_high_water = self.config.leaf_max;
            }
        }
    }

    fn report_forced(&self, plan: &mut Plan, id: AuthorityId) {
        let cross_signed = plan.next.find(id).is_some_and(|one| one.new_by_old.is_some());
        plan.alarms.push(AuthorityAlarm::RotationForced { cross_signed });
    }

    /// Removes a key, with every certificate of it.
    fn revoke_in(&self, next: &mut AuthorityState, id: AuthorityId) {
        let Some(key_id) = next.find(id).map(|one| one.certificate.key_id.clone()) else {
            return;
        };
        next.authorities.retain(|one| one.certificate.key_id != key_id);
        next.revoked_keys.insert(key_id);
        self.bump(next);
    }

    fn revoke_cross_sign(&mut self, state: &AuthorityState, old: &AuthorityRecord) {
        if let (Some(certificate), Some(active)) = (old.old_by_new.clone(), state.active()) {
            let issuer = active.id;
            self.inner
                .outputs
                .push_back(AuthorityOutput::RevokeCrossSign { issuer, certificate });
        }
    }

    /// The authority before a revoked one has certified its key. While verifiers trust that authority, whoever holds the key
    /// could still use the certificate. A taint alone leaves it: verifiers that are behind need it to the end.
    fn revoke_new_by_old(&mut self, state: &AuthorityState, old: &AuthorityRecord) {
        let Some(began) = old.activated_at else { return };
        // INVARIANT: the one that signed it ceased to issue when it began.
        let signer = state
            .authorities
            .iter()
            .find(|one| one.deactivated_at == Some(began));
        if let (Some(certificate), Some(signer)) = (old.new_by_old.clone(), signer) {
            let issuer = signer.id;
            self.inner
                .outputs
                .push_back(AuthorityOutput::RevokeCrossSign { issuer, certificate });
        }
    }

    /// Drops notes of work that the stored state holds now.
    fn forget_what_is_stored(&mut self, state: &AuthorityState) {
        self.inner
            .confirmed
            .retain(|(sequence, _)| *sequence > state.published_sequence);
        let stored = |id: AuthorityId| state.find(id).is_some();
        self.inner.draft.take_if(|draft| stored(draft.id));
        let tainted = |key_id: &KeyId| {
            let mut active = state.active().into_iter();
            !active.any(|active| active.certificate.key_id == *key_id)
        };
        self.inner
            .emergency
            .take_if(|emergency| tainted(&emergency.key_id));
        let made = |id: AuthorityId| state.find(id).is_none_or(|old| old.old_by_new.is_some());
        self.inner.old_by_new.take_if(|one| made(one.subject));
    }
}

/// Taints a key: every certificate of it.
fn taint_in(next: &mut AuthorityState, id: AuthorityId, revoke_at: Option<UnixTime>) {
    let Some(key_id) = next.find(id).map(|one| one.certificate.key_id.clone()) else {
        return;
    };
    for authority in &mut next.authorities {
        if authority.certificate.key_id == key_id {
            authority.tainted = true;
            authority.revoke_at = authority.revoke_at.or(revoke_at);
        }
    }
}
