//! An authority that is being made: its key, its certificate, its cross-signed certificate.

use serde::{Deserialize, Serialize};

use crate::KeyId;
use crate::entropy::{Entropy, EntropyError};
use crate::time::{Now, UnixTime};

use super::config::{RotationStrategy, sum};
use super::output::{
    AuthorityAlarm, AuthorityAnswerError, AuthorityCommandError, AuthorityOutput, AuthorityStep,
    CertifyRequest, CrossSignRequest,
};
use super::state::{AuthorityCertificate, AuthorityId, AuthorityRecord, AuthorityStatus, KeySlot};
use super::timers::Attempt;
use super::{AuthorityRotator, CommandError};

/// An authority that is in no state yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Draft {
    pub(super) id: AuthorityId,
    pub(super) slot: KeySlot,
    /// The certificate whose key is used again.
    renews: Option<AuthorityCertificate>,
    pub(super) stage: Stage,
    pub(super) attempt: Attempt,
    in_flight: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    Key,
    Certify {
        key_id: KeyId,
    },
    CrossSign {
        certificate: AuthorityCertificate,
    },
    Ready {
        certificate: AuthorityCertificate,
        new_by_old: Option<AuthorityCertificate>,
    },
}

/// The cross-signed certificate of an old authority that is being made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OldByNew {
    pub(super) subject: AuthorityId,
    issuer: AuthorityId,
    pub(super) made: Option<AuthorityCertificate>,
    pub(super) attempt: Attempt,
    in_flight: bool,
    impossible: bool,
}

impl AuthorityRotator {
    /// Whether the next authority is there, or being made.
    pub(super) fn has_next(&self) -> bool {
        let state = &self.inner.state;
        self.inner.draft.is_some()
            || state.prepared().is_some()
            || state.with_status(AuthorityStatus::Requested).is_some()
    }

    /// Whether the next authority is there, or being made, with another key than this one.
    pub(super) fn has_other_key(&self, key_id: &KeyId) -> bool {
        let mut next = self.inner.state.authorities.iter().filter(|authority| {
            matches!(
                authority.status,
                AuthorityStatus::Prepared | AuthorityStatus::Requested
            )
        });
        next.any(|authority| authority.certificate.key_id != *key_id)
            || self
                .inner
                .draft
                .as_ref()
                .is_some_and(|draft| draft.renews.is_none())
    }

    /// The certificate that the next authority renews, by configuration.
    pub(super) fn renewed_next(&self) -> Option<(KeySlot, AuthorityCertificate)> {
        match self.config.strategy {
            RotationStrategy::Rekey => None,
            RotationStrategy::Renew { .. } => {
                let active = self.inner.state.active().filter(|active| !active.tainted)?;
                Some((active.slot, active.certificate.clone()))
            }
        }
    }

    /// Begins the next authority.
    pub(super) fn begin(
        &mut self,
        now: Now,
        renews: Option<(KeySlot, AuthorityCertificate)>,
        entropy: &mut dyn Entropy,
    ) -> Result<(), CommandError> {
        let authorities = &self.inner.state.authorities;
        if authorities.len() >= self.config.max_authorities.max(1) {
            if !std::mem::replace(&mut self.inner.limit_reported, true) {
                self.alarm(AuthorityAlarm::AuthorityLimit);
            }
            return Err(AuthorityCommandError::AuthorityLimit.into());
        }
        let mut number = [0; 8];
        entropy.fill(&mut number)?;
        let free = (0..)
            .map(KeySlot)
            .find(|slot| authorities.iter().all(|authority| authority.slot != *slot));
        let (slot, renews) = match renews {
            Some((slot, certificate)) => (slot, Some(certificate)),
            None => (free.unwrap_or(KeySlot(u32::MAX)), None),
        };
        let stage = match &renews {
            Some(certificate) => Stage::Certify {
                key_id: certificate.key_id.clone(),
            },
            None => Stage::Key,
        };
        self.inner.limit_reported = false;
        self.inner.draft = Some(Draft {
            id: AuthorityId(u64::from_le_bytes(number)),
            slot,
            renews,
            stage,
            attempt: Attempt::default(),
            in_flight: false,
        });
        self.step_draft(now);
        Ok(())
    }

    /// Gives up the authority that is being made.
    pub(super) fn discard_draft(&mut self) {
        if let Some(draft) = self.inner.draft.take()
            && draft.renews.is_none()
        {
            self.inner.outputs.push_back(AuthorityOutput::DiscardKey {
                authority: draft.id,
                slot: draft.slot,
            });
        }
    }

    /// Asks for the next step of the authority that is being made.
    pub(super) fn step_draft(&mut self, now: Now) {
        let Some(mut draft) = self.inner.draft.take() else {
            return;
        };
        if !draft.in_flight && draft.attempt.is_due(now) {
            let (not_before, not_after) = (now.wall - self.config.backdate, now.wall + self.config.lifetime);
            let (not_before, not_after) = (not_before.floor_to_secs(), not_after.floor_to_secs());
            let output = match &draft.stage {
                Stage::Key => Some(AuthorityOutput::GenerateKey {
                    authority: draft.id,
                    slot: draft.slot,
                }),
                Stage::Certify { .. } => Some(AuthorityOutput::Certify(CertifyRequest {
                    authority: draft.id,
                    slot: draft.slot,
                    renews: draft.renews.clone(),
                    not_before,
                    not_after,
                })),
                Stage::CrossSign { certificate } => self.new_by_old(now, &draft, certificate),
                Stage::Ready { .. } => None,
            };
            if let (Stage::CrossSign { certificate }, None) = (&draft.stage, &output) {
                // The authority that was to sign has ended in the meantime.
                draft.stage = Stage::Ready {
                    certificate: certificate.clone(),
                    new_by_old: None,
                };
            }
            draft.in_flight = output.is_some();
            self.inner.outputs.extend(output);
        }
        self.inner.draft = Some(draft);
    }

    pub(super) fn take_key(&mut self, now: Now, authority: AuthorityId, key_id: KeyId) {
        let Some(mut draft) = self.answered(authority, |stage| matches!(stage, Stage::Key)) else {
            return;
        };
        if self.is_taken(&key_id) {
            self.refuse(
                now,
                &mut draft,
                AuthorityStep::GenerateKey,
                AuthorityAnswerError::KeyTaken,
            );
        } else {
            draft.advance(Stage::Certify { key_id });
        }
        self.inner.draft = Some(draft);
    }

    pub(super) fn take_certificate(
        &mut self,
        now: Now,
        authority: AuthorityId,
        certificate: AuthorityCertificate,
    ) {
        let Some(mut draft) = self.answered(authority, |stage| matches!(stage, Stage::Certify { .. })) else {
            return;
        };
        let fits = matches!(&draft.stage, Stage::Certify { key_id } if *key_id == certificate.key_id);
        let least_end = now.wall + sum([self.config.leaf_max, self.config.skew]);
        if !fits {
            self.refuse(
                now,
                &mut draft,
                AuthorityStep::Certify,
                AuthorityAnswerError::OtherKey,
            );
        } else if certificate.not_before > now.wall || certificate.not_after < least_end {
            let (not_before, not_after) = (certificate.not_before, certificate.not_after);
            let why = AuthorityAnswerError::Validity {
                not_before,
                not_after,
            };
            self.refuse(now, &mut draft, AuthorityStep::Certify, why);
        } else if self.config.cross_sign && draft.renews.is_none() {
            draft.advance(Stage::CrossSign { certificate });
        } else {
            draft.advance(Stage::Ready {
                certificate,
                new_by_old: None,
            });
        }
        self.inner.draft = Some(draft);
    }

    pub(super) fn take_cross_sign(
        &mut self,
        now: Now,
        subject: AuthorityId,
        issuer: AuthorityId,
        made: AuthorityCertificate,
    ) {
        if let Some(old_by_new) = self.old_by_new_answered(subject, issuer) {
            old_by_new.made = Some(made);
            return;
        }
        let Some(mut draft) = self.answered(subject, |stage| matches!(stage, Stage::CrossSign { .. })) else {
            return;
        };
        if let Stage::CrossSign { certificate } = draft.stage.clone() {
            if made.key_id == certificate.key_id {
                let new_by_old = Some(made);
                draft.advance(Stage::Ready {
                    certificate,
                    new_by_old,
                });
            } else {
                self.refuse(
                    now,
                    &mut draft,
                    AuthorityStep::CrossSign,
                    AuthorityAnswerError::OtherKey,
                );
            }
        }
        self.inner.draft = Some(draft);
    }

    pub(super) fn skip_cross_sign(&mut self, subject: AuthorityId, issuer: AuthorityId, why: String) {
        if let Some(old_by_new) = self.old_by_new_answered(subject, issuer) {
            old_by_new.impossible = true;
        } else {
            let Some(mut draft) = self.answered(subject, |stage| matches!(stage, Stage::CrossSign { .. }))
            else {
                return;
            };
            if let Stage::CrossSign { certificate } = draft.stage.clone() {
                draft.advance(Stage::Ready {
                    certificate,
                    new_by_old: None,
                });
            }
            self.inner.draft = Some(draft);
        }
        self.alarm(AuthorityAlarm::CrossSignImpossible { subject, why });
    }

    pub(super) fn fail_step(&mut self, now: Now, authority: AuthorityId, step: AuthorityStep) {
        if step == AuthorityStep::CrossSign
            && let Some(mut old_by_new) = self
                .inner
                .old_by_new
                .take_if(|one| one.subject == authority && one.in_flight)
        {
            old_by_new.in_flight = false;
            self.note_failure(now, &mut old_by_new.attempt, step);
            self.inner.old_by_new = Some(old_by_new);
            return;
        }
        let expected = |stage: &Stage| match stage {
            Stage::Key => step == AuthorityStep::GenerateKey,
            Stage::Certify { .. } => step == AuthorityStep::Certify,
            Stage::CrossSign { .. } => step == AuthorityStep::CrossSign,
            Stage::Ready { .. } => false,
        };
        if let Some(mut draft) = self.answered(authority, expected) {
            draft.in_flight = false;
            self.note_failure(now, &mut draft.attempt, step);
            self.inner.draft = Some(draft);
        }
    }

    /// Makes the cross-signed certificate of the authority before the active one, where that is configured.
    pub(super) fn step_old_by_new(&mut self, now: Now) {
        if !self.config.old_by_new {
            return;
        }
        let state = std::sync::Arc::clone(&self.inner.state);
        let Some(new) = state.active() else { return };
        let latest = state
            .authorities
            .iter()
            .filter(|old| old.status == AuthorityStatus::Old)
            .max_by_key(|old| old.deactivated_at);
        // Never for a tainted authority, nor for a renewed one, whose key is trusted as it is (C-ROT-6).
        let Some(old) = latest.filter(|old| {
            !old.tainted && old.old_by_new.is_none() && old.certificate.key_id != new.certificate.key_id
        }) else {
            self.inner.old_by_new = None;
            return;
        };
        if self
            .inner
            .old_by_new
            .as_ref()
            .is_none_or(|one| one.subject != old.id || one.issuer != new.id)
        {
            self.inner.old_by_new = Some(OldByNew {
                subject: old.id,
                issuer: new.id,
                made: None,
                attempt: Attempt::default(),
                in_flight: false,
                impossible: false,
            });
        }
        let end = old.deactivated_at.unwrap_or(now.wall)
            + sum([self.config.sync, old.leaf_high_water, self.config.skew]);
        let request = self.cross_sign_request(now, (old.id, &old.certificate), new, end);
        if let Some(one) = &mut self.inner.old_by_new
            && one.made.is_none()
            && !one.in_flight
            && !one.impossible
            && one.attempt.is_due(now)
        {
            one.in_flight = true;
            self.inner.outputs.push_back(AuthorityOutput::CrossSign(request));
        }
    }

    fn new_by_old(
        &self,
        now: Now,
        draft: &Draft,
        certificate: &AuthorityCertificate,
    ) -> Option<AuthorityOutput> {
        let active = self.inner.state.active()?;
        let valid = now.wall <= active.certificate.not_after;
        valid.then(|| {
            let request =
                self.cross_sign_request(now, (draft.id, certificate), active, certificate.not_after);
            AuthorityOutput::CrossSign(request)
        })
    }

    fn cross_sign_request(
        &self,
        now: Now,
        (subject, subject_certificate): (AuthorityId, &AuthorityCertificate),
        issuer: &AuthorityRecord,
        end: UnixTime,
    ) -> CrossSignRequest {
        let not_before = (now.wall - self.config.backdate).max(issuer.certificate.not_before);
        let not_after = end
            .min(issuer.certificate.not_after)
            .min(subject_certificate.not_after);
        CrossSignRequest {
            subject,
            subject_certificate: subject_certificate.clone(),
            issuer: issuer.id,
            issuer_slot: issuer.slot,
            issuer_certificate: issuer.certificate.clone(),
            not_before: not_before.floor_to_secs(),
            not_after: not_after.floor_to_secs(),
        }
    }

    /// The draft, when the answer is to what it waits for.
    fn answered(&mut self, authority: AuthorityId, expected: impl Fn(&Stage) -> bool) -> Option<Draft> {
        self.inner
            .draft
            .take_if(|draft| draft.id == authority && draft.in_flight && expected(&draft.stage))
    }

    fn old_by_new_answered(&mut self, subject: AuthorityId, issuer: AuthorityId) -> Option<&mut OldByNew> {
        let one = self.inner.old_by_new.as_mut()?;
        let answers = one.subject == subject && one.issuer == issuer && one.in_flight;
        answers.then(|| {
            one.in_flight = false;
            one
        })
    }

    fn refuse(&mut self, now: Now, draft: &mut Draft, step: AuthorityStep, why: AuthorityAnswerError) {
        draft.in_flight = false;
        self.alarm(AuthorityAlarm::Refused { why });
        self.note_failure(now, &mut draft.attempt, step);
    }

    fn is_taken(&self, key_id: &KeyId) -> bool {
        self.inner.known_revoked.contains(key_id)
            || self.inner.state.revoked_keys.contains(key_id)
            || self
                .inner
                .state
                .bundle()
                .any(|certificate| certificate.key_id == *key_id)
    }

    /// Begins the next authority when its time has come. `false` when nothing is to be begun.
    pub(super) fn begin_if_due(&mut self, now: Now, entropy: &mut dyn Entropy) -> Result<bool, EntropyError> {
        let check_due = self.is_check_due(now, entropy)?;
        let wanted = if self.inner.persisting.is_some() || self.has_next() {
            false
        } else {
            let state = &self.inner.state;
            match state.active() {
                None => true,
                Some(active) => check_due && self.is_prepare_due(now, active),
            }
        };
        if !wanted {
            return Ok(false);
        }
        let renews = self.renewed_next();
        match self.begin(now, renews, entropy) {
            Ok(()) => Ok(true),
            Err(CommandError::Entropy(error)) => Err(error),
            Err(CommandError::Refused(_)) => Ok(false),
        }
    }
}

impl Draft {
    fn advance(&mut self, stage: Stage) {
        self.stage = stage;
        self.attempt = Attempt::default();
        self.in_flight = false;
    }

    /// The record of an authority that is made.
    pub(super) fn record(&self, now: Now) -> Option<AuthorityRecord> {
        let Stage::Ready {
            certificate,
            new_by_old,
        } = &self.stage
        else {
            return None;
        };
        Some(AuthorityRecord {
            id: self.id,
            slot: self.slot,
            status: AuthorityStatus::Requested,
            tainted: false,
            certificate: certificate.clone(),
            new_by_old: new_by_old.clone(),
            old_by_new: None,
            issued_at: now.wall,
            since_sequence: 0,
            published_at: None,
            activated_at: None,
            deactivated_at: None,
            leaf_high_water: std::time::Duration::ZERO,
            ca_high_water: None,
            last_crl_number: 0,
            revoke_at: None,
        })
    }
}
