//! What the machine asks for, and what it reports.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::KeyId;
use crate::time::UnixTime;

use super::config::RotationFinding;
use super::state::{AuthorityCertificate, AuthorityId, AuthorityState, KeySlot};

/// What the embedder has to do, or to know. Outputs come in the order in which they are to be done; a step that needs an
/// answer is followed by the next one only after the answer (C-ROT-11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub enum AuthorityOutput {
    /// Somebody should look.
    Alarm(AuthorityAlarm),
    /// Make the certificate of an authority and sign it, then call
    /// [`handle_certified`](super::AuthorityRotator::handle_certified).
    Certify(CertifyRequest),
    /// Make the certificate of one authority's key, signed by another one, then call
    /// [`handle_cross_signed`](super::AuthorityRotator::handle_cross_signed).
    CrossSign(CrossSignRequest),
    /// The key that was made for this authority is not needed: another replica was first, or it came too late.
    DiscardKey {
        /// The authority, which never was.
        authority: AuthorityId,
        /// Where its key was to be kept.
        slot: KeySlot,
    },
    /// Make a new key for an authority, then call [`handle_key`](super::AuthorityRotator::handle_key). Keep it apart from
    /// other keys of the slot until a state that lists the authority was persisted.
    GenerateKey {
        /// The authority.
        authority: AuthorityId,
        /// Where its key is to be kept.
        slot: KeySlot,
    },
    /// Issue with this authority from now on.
    IssueWith(Issuing),
    /// Renew everything that this key has signed, over so long a time:
    /// [`SvidRotator::rotate_issued_by`](crate::rotation::SvidRotator::rotate_issued_by) of the agents.
    NotifyRotate {
        /// The key of the tainted or revoked authority.
        issuer: KeyId,
        /// Over how long.
        spread: Duration,
    },
    /// Store this state if the stored one still has version `base_version`, then call
    /// [`handle_persisted`](super::AuthorityRotator::handle_persisted) or
    /// [`handle_persist_failed`](super::AuthorityRotator::handle_persist_failed), or, where another version is stored,
    /// [`handle_persist_conflict`](super::AuthorityRotator::handle_persist_conflict).
    PersistState {
        /// The version that is replaced; 0 where nothing is stored.
        base_version: u64,
        /// What is stored.
        state: Arc<AuthorityState>,
    },
    /// Publish these certificates as the bundle of the trust domain, then call
    /// [`handle_published`](super::AuthorityRotator::handle_published) or
    /// [`handle_publish_failed`](super::AuthorityRotator::handle_publish_failed).
    PublishBundle {
        /// The number of the bundle.
        sequence: u64,
        /// The certificates of all authorities.
        certificates: Vec<AuthorityCertificate>,
    },
    /// An authority is in the bundle no more. Its key can be destroyed after a last CRL.
    Retired {
        /// The authority.
        authority: AuthorityId,
        /// Where its key is kept.
        slot: KeySlot,
        /// Its key.
        key_id: KeyId,
        /// It was revoked, and not just no longer needed.
        revoked: bool,
        /// The last CRL has to be valid at least until then (C-ROT-17).
        crl_until: UnixTime,
    },
    /// Put this certificate on the CRL of the authority that signed it, with the reason cACompromise. An embedder that ended
    /// between storing a state and taking this output makes up for it after its restart: every cross-signed certificate
    /// whose key is among [`revoked_keys`](super::AuthorityState::revoked_keys) belongs on the CRL of its issuer.
    RevokeCrossSign {
        /// The authority that signed it.
        issuer: AuthorityId,
        /// The key of a tainted or revoked authority, certified by the one after it, or, once it is revoked, by the one before
        /// it.
        certificate: AuthorityCertificate,
    },
}

/// The authority that issues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuing {
    /// Its number.
    pub authority: AuthorityId,
    /// Where its key is kept.
    pub slot: KeySlot,
    /// Its certificate.
    pub certificate: AuthorityCertificate,
    /// What is appended to the chains of its leaves, so that verifiers accept them that know only the one before.
    pub appended: Vec<AuthorityCertificate>,
    /// The longest life of a leaf.
    pub leaf_max: Duration,
}

/// An order for the certificate of an authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertifyRequest {
    /// The authority.
    pub authority: AuthorityId,
    /// Where its key is kept.
    pub slot: KeySlot,
    /// Where a certificate is renewed: the one whose key, subject and key id are taken over, byte for byte.
    pub renews: Option<AuthorityCertificate>,
    /// Back-dated.
    pub not_before: UnixTime,
    /// The end of its life; a signer above it may shorten it.
    pub not_after: UnixTime,
}

/// An order for a cross-signed certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrossSignRequest {
    /// The authority whose subject, key and key id the certificate has.
    pub subject: AuthorityId,
    /// The certificate of that authority.
    pub subject_certificate: AuthorityCertificate,
    /// The authority that signs.
    pub issuer: AuthorityId,
    /// Where the key of the signing authority is kept.
    pub issuer_slot: KeySlot,
    /// The certificate of the signing authority.
    pub issuer_certificate: AuthorityCertificate,
    /// Back-dated.
    pub not_before: UnixTime,
    /// Not later than the end of either.
    pub not_after: UnixTime,
}

/// What somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AuthorityAlarm {
    /// All places for authorities are taken (C-ROT-10).
    AuthorityLimit,
    /// A key that was revoked came back, and was refused (C-ROT-8).
    AuthorityRevoked {
        /// The key.
        key_id: KeyId,
    },
    /// The wall clock jumped: nothing is removed until the jump has proved to be real (C-ROT-16).
    ClockJump {
        /// By how much.
        by: Duration,
    },
    /// The configuration allows a gap.
    Configuration(RotationFinding),
    /// No cross-signed certificate could be made (C-ROT-6).
    CrossSignImpossible {
        /// The authority that was to be signed.
        subject: AuthorityId,
        /// Why.
        why: String,
    },
    /// A command that was waiting could not be done any more.
    CommandDropped {
        /// Why.
        why: AuthorityCommandError,
    },
    /// A step fails again and again.
    Failing {
        /// Which one.
        step: AuthorityStep,
        /// How often in a row.
        failures: u32,
    },
    /// An answer of the embedder was refused.
    Refused {
        /// Why.
        why: AuthorityAnswerError,
    },
    /// The new state did not stand its test: the one before is in force again (C-ROT-11).
    RolledBack {
        /// Why.
        why: String,
    },
    /// The next authority took over before every verifier could have it (C-ROT-4).
    RotationForced {
        /// Verifiers that lack it accept what it issues, until the end of the authority before it.
        cross_signed: bool,
    },
    /// The next authority should have taken over, and not every verifier can have it yet (C-ROT-4).
    RotationLate {
        /// When it was due.
        activate_at: UnixTime,
    },
}

/// A step that the embedder does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AuthorityStep {
    /// Making the certificate.
    Certify,
    /// Making the cross-signed certificate.
    CrossSign,
    /// Making the key.
    GenerateKey,
    /// Storing the state.
    Persist,
    /// Publishing the bundle.
    Publish,
}

/// Why an answer of the embedder was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AuthorityAnswerError {
    /// The certificate is not for the key that was made, or renews another one.
    OtherKey,
    /// The certificate is not valid when it has to be.
    Validity {
        /// Its `notBefore`.
        not_before: UnixTime,
        /// Its `notAfter`.
        not_after: UnixTime,
    },
    /// The key belongs to another authority, or was revoked.
    KeyTaken,
}

impl AuthorityAnswerError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherKey => "rotation.answer.other_key",
            Self::Validity { .. } => "rotation.answer.validity",
            Self::KeyTaken => "rotation.answer.key_taken",
        }
    }
}

impl fmt::Display for AuthorityAnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKey => f.write_str("the certificate is for another key"),
            Self::Validity {
                not_before,
                not_after,
            } => {
                write!(f, "the certificate is valid from {not_before} to {not_after}")
            }
            Self::KeyTaken => f.write_str("the key belongs to another authority, or was revoked"),
        }
    }
}

impl std::error::Error for AuthorityAnswerError {}

/// Why a command was refused. Spec: C-ROT-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AuthorityCommandError {
    /// All places for authorities are taken.
    AuthorityLimit,
    /// Not every verifier can have the authority yet.
    GuardNotMet,
    /// The key is also that of the active authority: rotate with a new key first.
    KeyInUse,
    /// There is no such authority.
    NotFound,
    /// Only an old authority can be tainted or revoked.
    NotOld,
    /// Only a prepared authority can be activated.
    NotPrepared,
    /// Only a tainted authority can be revoked.
    NotTainted,
    /// The next authority is prepared, or being made, already.
    AlreadyPrepared,
}

impl AuthorityCommandError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AuthorityLimit => "rotation.command.authority_limit",
            Self::GuardNotMet => "rotation.command.guard_not_met",
            Self::KeyInUse => "rotation.command.key_in_use",
            Self::NotFound => "rotation.command.not_found",
            Self::NotOld => "rotation.command.not_old",
            Self::NotPrepared => "rotation.command.not_prepared",
            Self::NotTainted => "rotation.command.not_tainted",
            Self::AlreadyPrepared => "rotation.command.already_prepared",
        }
    }
}

impl fmt::Display for AuthorityCommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AuthorityLimit => "all places for authorities are taken",
            Self::GuardNotMet => "not every verifier can have the authority yet",
            Self::KeyInUse => "the active authority has the same key: rotate with a new key first",
            Self::NotFound => "there is no such authority",
            Self::NotOld => "the authority is not old",
            Self::NotPrepared => "the authority is not prepared",
            Self::NotTainted => "the authority is not tainted",
            Self::AlreadyPrepared => "the next authority is prepared, or being made, already",
        })
    }
}

impl std::error::Error for AuthorityCommandError {}

/// Why nothing may be issued now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuingError {
    /// There is no active authority yet, or it has ended.
    NoAuthority,
    /// The state was not compared with the stored one for too long, and another replica may have activated a new authority
    /// (C-ROT-12).
    StateStale,
}

impl IssuingError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoAuthority => "rotation.issuing.no_authority",
            Self::StateStale => "rotation.issuing.state_stale",
        }
    }
}

impl fmt::Display for IssuingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAuthority => "there is no valid authority to issue with",
            Self::StateStale => "the state of the authorities is too old to issue by",
        })
    }
}

impl std::error::Error for IssuingError {}
