//! What is persisted (C-ROT-15).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::KeyId;
use crate::certificate::{Certificate, CertificateError};
use crate::time::UnixTime;

/// The state of the authorities of a trust domain, as it is kept in the embedder's store. Restoring any version of it is
/// safe: a lost confirmation only delays.
///
/// Spec: C-ROT-15.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityState {
    /// Counts the changes; the store compares it before it swaps (C-ROT-12).
    pub version: u64,
    /// The number of the bundle that these authorities make (C-ROT-13).
    pub sequence: u64,
    /// The highest number whose publication was confirmed.
    pub published_sequence: u64,
    /// The authorities that are in the bundle, in the order in which they were made.
    pub authorities: Vec<AuthorityRecord>,
    /// Keys that were revoked, for ever.
    pub revoked_keys: BTreeSet<KeyId>,
}

impl AuthorityState {
    /// The authority that issues.
    pub fn active(&self) -> Option<&AuthorityRecord> {
        self.with_status(AuthorityStatus::Active)
    }

    /// The authority that comes next.
    pub fn prepared(&self) -> Option<&AuthorityRecord> {
        self.with_status(AuthorityStatus::Prepared)
    }

    /// An authority by its number.
    pub fn find(&self, id: AuthorityId) -> Option<&AuthorityRecord> {
        self.authorities.iter().find(|authority| authority.id == id)
    }

    /// The certificates that verifiers are to trust, in the order in which they were made.
    pub fn bundle(&self) -> impl Iterator<Item = &AuthorityCertificate> {
        self.authorities.iter().map(|authority| &authority.certificate)
    }

    pub(super) fn find_mut(&mut self, id: AuthorityId) -> Option<&mut AuthorityRecord> {
        self.authorities.iter_mut().find(|authority| authority.id == id)
    }

    pub(super) fn with_status(&self, status: AuthorityStatus) -> Option<&AuthorityRecord> {
        self.authorities
            .iter()
            .find(|authority| authority.status == status)
    }
}

/// One authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityRecord {
    /// Its number.
    pub id: AuthorityId,
    /// Where its key is kept.
    pub slot: KeySlot,
    /// Where it stands.
    pub status: AuthorityStatus,
    /// It must not be relied on: everything that it issued is renewed.
    pub tainted: bool,
    /// Its certificate.
    pub certificate: AuthorityCertificate,
    /// Its key, certified by the authority before it (C-ROT-6).
    pub new_by_old: Option<AuthorityCertificate>,
    /// Its key, certified by the authority after it.
    pub old_by_new: Option<AuthorityCertificate>,
    /// When it was made.
    pub issued_at: UnixTime,
    /// The first bundle that it is in.
    pub since_sequence: u64,
    /// When the publication of such a bundle was confirmed.
    pub published_at: Option<UnixTime>,
    /// When it began to issue.
    pub activated_at: Option<UnixTime>,
    /// When it ceased to issue.
    pub deactivated_at: Option<UnixTime>,
    /// The longest life that its leaves were ever allowed.
    pub leaf_high_water: Duration,
    /// The latest `notAfter` of an intermediate authority that it issued.
    pub ca_high_water: Option<UnixTime>,
    /// The number of its last CRL.
    pub last_crl_number: u64,
    /// When it is revoked, if that is planned.
    pub revoke_at: Option<UnixTime>,
}

/// Where an authority stands. One that is retired or revoked is in no state any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AuthorityStatus {
    /// It issues.
    Active,
    /// It issued, and what it issued still lives.
    Old,
    /// It is in a published bundle, and waits for its time.
    Prepared,
    /// It is in a bundle whose publication was not confirmed yet.
    Requested,
}

impl fmt::Display for AuthorityStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Old => "old",
            Self::Prepared => "prepared",
            Self::Requested => "requested",
        })
    }
}

/// The number of an authority, drawn at random, so that replicas never give the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorityId(pub u64);

impl fmt::Display for AuthorityId {
    /// Sixteen hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A place for the key of an authority: 0 and 1 by turns, others where both are taken (C-ROT-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeySlot(pub u32);

impl fmt::Display for KeySlot {
    /// A letter for the first 26 slots, a number for the others.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u8::try_from(self.0).ok().filter(|slot| *slot < 26) {
            Some(letter) => write!(f, "{}", char::from(b'A' + letter)),
            None => write!(f, "{}", self.0),
        }
    }
}

/// The certificate of an authority, and what the rotation needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityCertificate {
    /// The certificate. Saved in base64.
    #[serde(with = "crate::base64_serde")]
    pub der: Arc<[u8]>,
    /// Its subject key identifier.
    pub key_id: KeyId,
    /// Its `notBefore`.
    pub not_before: UnixTime,
    /// Its `notAfter`.
    pub not_after: UnixTime,
}

impl AuthorityCertificate {
    /// Reads a certificate. One without a subject key identifier gets an empty one.
    ///
    /// # Errors
    /// When it is no certificate; see [`Certificate::parse`].
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        let certificate = Certificate::parse(der)?;
        Ok(Self {
            der: der.into(),
            key_id: KeyId::from(certificate.subject_key_id().unwrap_or_default()),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
        })
    }
}
