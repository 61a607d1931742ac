//! What an authority has revoked, and the CRLs that say so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::RevocationReason;
use super::crl::{Crl, CrlError, CrlNumber, RevokedEntry};
use crate::certificate::Certificate;
use crate::csr::{KeySet, KeyStatus};
use crate::der::{ENUMERATED, OCTET_STRING, SEQUENCE, Writer, context, context_constructed};
use crate::pem::{self, PemLabel};
use crate::signature::write_identifier;
use crate::{
    IssuanceRecord, KeyId, KeyUsage, Limits, PublicKeyError, SerialNumber, SignError, Signer, SpiffeId,
    UnixTime, oid,
};

/// The revoked certificates of any number of issuers, the keys that get no certificate any more, and the identities that
/// get none for a while. It issues the CRLs, and can be saved and read back.
///
/// ```
/// use mesh_ca::{KeyId, Revocation, RevocationReason, RevocationStore, SerialNumber, UnixTime};
///
/// let now = UnixTime::from_secs(1_800_000_000);
/// let issuer = KeyId::new(&[7; 20]);
/// let serial: SerialNumber = "0a0b".parse()?;
/// let mut store = RevocationStore::new();
/// store.revoke(&issuer, Revocation::new(serial, now, now).with_reason(RevocationReason::CertificateHold))?;
/// assert!(store.entry(&issuer, &serial).is_some());
/// store.release(&issuer, &serial)?;
/// assert!(store.entry(&issuer, &serial).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: ca.md C-CRL-1..5.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationStore {
    issuers: BTreeMap<KeyId, IssuerState>,
    denied_keys: BTreeSet<[u8; 32]>,
    blocked: BTreeMap<SpiffeId, UnixTime>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct IssuerState {
    entries: BTreeMap<SerialNumber, Entry>,
    last: Option<LastCrl>,
    /// Something was revoked or released since the last CRL.
    is_changed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    revoked_at: UnixTime,
    reason: RevocationReason,
    invalid_since: Option<UnixTime>,
    not_after: UnixTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LastCrl {
    number: CrlNumber,
    this_update: UnixTime,
    next_update: UnixTime,
}

/// One certificate to revoke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    serial: SerialNumber,
    revoked_at: UnixTime,
    not_after: UnixTime,
    reason: RevocationReason,
    invalid_since: Option<UnixTime>,
    key: Option<[u8; 32]>,
}

impl Revocation {
    /// A certificate by its serial number, when it is revoked, and its notAfter: it leaves the CRL after that.
    pub fn new(serial: SerialNumber, revoked_at: UnixTime, not_after: UnixTime) -> Self {
        Self {
            serial,
            revoked_at,
            not_after,
            reason: RevocationReason::Unspecified,
            invalid_since: None,
            key: None,
        }
    }

    /// Why it is revoked. Default [`RevocationReason::Unspecified`].
    pub fn with_reason(mut self, reason: RevocationReason) -> Self {
        self.reason = reason;
        self
    }

    /// From when on the key may have been in other hands.
    pub fn with_invalid_since(mut self, time: UnixTime) -> Self {
        self.invalid_since = Some(time);
        self
    }

    /// The [digest](crate::PublicKeyInfo::digest) of the certificate's key: with
    /// [`RevocationReason::KeyCompromise`] it goes on the deny list.
    pub fn with_key(mut self, digest: [u8; 32]) -> Self {
        self.key = Some(digest);
        self
    }
}

/// Which certificates of an issuance log are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RevokeBy {
    /// Those of an identity.
    Identity(SpiffeId),
    /// Those of an issuer.
    Issuer(KeyId),
    /// Those with a key, by its [digest](crate::PublicKeyInfo::digest). The key gets no certificate any more.
    Key([u8; 32]),
}

impl RevocationStore {
    /// Nothing is revoked.
    pub fn new() -> Self {
        Self::default()
    }

    /// Revokes one certificate of an issuer, named by its key identifier. An entry that is there already keeps its time
    /// and takes over the reason, unless it is final.
    ///
    /// # Errors
    /// [`RevocationError::Final`] if the certificate is revoked for good, with another reason.
    pub fn revoke(&mut self, issuer: &KeyId, revocation: Revocation) -> Result<(), RevocationError> {
        let Revocation {
            serial,
            revoked_at,
            not_after,
            reason,
            invalid_since,
            key,
        } = revocation;
        let state = self.issuers.entry(issuer.clone()).or_default();
        if let Some(before) = state.entries.get(&serial) {
            if before.reason == reason {
                return Ok(());
            }
            if before.reason != RevocationReason::CertificateHold {
                return Err(RevocationError::Final { serial });
            }
        }
        let revoked_at = state
            .entries
            .get(&serial)
            .map_or(revoked_at, |before| before.revoked_at);
        let entry = Entry {
            revoked_at,
            reason,
            invalid_since,
            not_after,
        };
        state.entries.insert(serial, entry);
        state.is_changed = true;
        if reason == RevocationReason::KeyCompromise
            && let Some(key) = key
        {
            self.denied_keys.insert(key);
        }
        Ok(())
    }

    /// Revokes the certificates of a log that are meant and have not expired. How many.
    ///
    /// Certificates that are revoked already stay as they are. With [`RevocationReason::KeyCompromise`] their keys go on
    /// the deny list, too.
    pub fn revoke_issued<'l>(
        &mut self,
        log: impl IntoIterator<Item = &'l IssuanceRecord>,
        by: &RevokeBy,
        reason: RevocationReason,
        now: UnixTime,
    ) -> usize {
        if let RevokeBy::Key(key) = by {
            self.denied_keys.insert(*key);
        }
        let is_meant = |issued: &&IssuanceRecord| match by {
            RevokeBy::Identity(id) => issued.id == *id,
            RevokeBy::Issuer(issuer) => issued.issuer_key_id == *issuer,
            RevokeBy::Key(key) => issued.spki_digest == *key,
        };
        log.into_iter()
            .filter(is_meant)
            .filter(|issued| issued.not_after >= now.floor_to_secs())
            .filter_map(|issued| {
                let revocation = Revocation::new(issued.serial, now, issued.not_after)
                    .with_reason(reason)
                    .with_key(issued.spki_digest);
                self.revoke(&issued.issuer_key_id, revocation).ok()
            })
            .count()
    }

    /// Takes a certificate off hold.
    ///
    /// # Errors
    /// [`RevocationError::NotRevoked`], or [`RevocationError::Final`] for any other reason than
    /// [`RevocationReason::CertificateHold`].
    pub fn release(&mut self, issuer: &KeyId, serial: &SerialNumber) -> Result<(), RevocationError> {
        let not_revoked = RevocationError::NotRevoked { serial: *serial };
        let state = self.issuers.get_mut(issuer).ok_or(not_revoked.clone())?;
        match state.entries.get(serial) {
            None => Err(not_revoked),
            Some(entry) if entry.reason != RevocationReason::CertificateHold => {
                Err(RevocationError::Final { serial: *serial })
            }
            Some(_) => {
                state.entries.remove(serial);
                state.is_changed = true;
                Ok(())
            }
        }
    }

    /// Lets an identity get no certificate until a time.
    pub fn block(&mut self, id: &SpiffeId, until: UnixTime) {
        self.blocked.insert(id.clone(), until);
    }

    /// Whether an identity gets no certificate now. Ask before issuing, or let
    /// [`Grant::check_not_blocked`](crate::Grant::check_not_blocked) do it.
    pub fn is_blocked(&self, id: &SpiffeId, now: UnixTime) -> bool {
        self.blocked.get(id).is_some_and(|until| now < *until)
    }

    /// Lets a key get no certificate any more, by its [digest](crate::PublicKeyInfo::digest).
    pub fn deny_key(&mut self, digest: [u8; 32]) {
        self.denied_keys.insert(digest);
    }

    /// Whether a key gets no certificate. The store is a [`KeySet`] for [`CsrPolicy::check_with`](crate::CsrPolicy::check_with).
    pub fn is_key_denied(&self, digest: &[u8; 32]) -> bool {
        self.denied_keys.contains(digest)
    }

    /// What is known of a certificate.
    pub fn entry(&self, issuer: &KeyId, serial: &SerialNumber) -> Option<RevokedEntry> {
        let entry = self.issuers.get(issuer)?.entries.get(serial)?;
        Some(RevokedEntry {
            revoked_at: entry.revoked_at,
            reason: entry.reason,
            invalid_since: entry.invalid_since,
        })
    }

    /// Whether an issuer needs a new CRL: it has none, something changed, or half of the last one's life has passed.
    pub fn is_crl_due(&self, issuer: &KeyId, now: UnixTime) -> bool {
        let Some(state) = self.issuers.get(issuer) else {
            return true;
        };
        match &state.last {
            Some(last) if !state.is_changed => {
                let life = last.next_update.saturating_since(last.this_update);
                now >= last.this_update + life / 2
            }
            _ => true,
        }
    }

    /// Issues the CRL of an authority, valid from now for so long; a week is usual. The number is above the last one, and
    /// not below the seconds since the epoch, so that an older state that was restored does not fall below a number that
    /// was published.
    ///
    /// Entries whose certificates have expired are in this CRL for the last time.
    ///
    /// # Errors
    /// [`CrlIssueError`].
    ///
    /// Source: ca.md C-CRL-3, C-CRL-4, C-CRL-5.
    pub fn issue_crl(
        &mut self,
        issuer: &Certificate<'_>,
        signer: &dyn Signer,
        now: UnixTime,
        validity: Duration,
    ) -> Result<IssuedCrl, CrlIssueError> {
        if signer.spki_der() != issuer.public_key_der() {
            return Err(CrlIssueError::KeyMismatch);
        }
        let may_sign = issuer
            .key_usage()
            .is_none_or(|usage| usage.contains(KeyUsage::CRL_SIGN));
        if !issuer
            .basic_constraints()
            .is_some_and(|constraints| constraints.ca)
            || !may_sign
        {
            return Err(CrlIssueError::NotCrlSigner);
        }
        let key_id = match issuer.subject_key_id() {
            Some(key_id) => KeyId::new(key_id),
            None => issuer.public_key()?.key_id(),
        };
        let this_update = now.floor_to_secs();
        let next_update = this_update + validity;
        if !(UnixTime::EPOCH..=UnixTime::MAX_X509).contains(&this_update)
            || next_update.floor_to_secs() <= this_update
            || next_update > UnixTime::MAX_X509
        {
            return Err(CrlIssueError::Time);
        }
        let state = self.issuers.entry(key_id.clone()).or_default();
        let seconds = CrlNumber::from(u64::try_from(this_update.as_secs()).unwrap_or(0));
        let number = match &state.last {
            Some(last) => last.number.next().ok_or(CrlIssueError::Number)?.max(seconds),
            None => seconds,
        };
        let next_update = next_update.floor_to_secs();
        let last = LastCrl {
            number,
            this_update,
            next_update,
        };
        let tbs = to_be_signed(issuer, &key_id, signer, &state.entries, &last);
        let signature = signer.sign(&tbs)?;
        let mut writer = Writer::new();
        writer.nested(SEQUENCE, |crl| {
            crl.raw(&tbs);
            write_identifier(crl, signer.algorithm());
            crl.whole_bits(&signature);
        });
        // C-CRL-4: this CRL is the one after their end.
        state.entries.retain(|_, entry| entry.not_after >= this_update);
        state.last = Some(last);
        state.is_changed = false;
        Ok(IssuedCrl {
            der: writer.into_bytes(),
            number,
            next_update,
        })
    }
}

/// Keys on the deny list.
///
/// Source: ca.md C-CSR-17, C-CRL-2.
impl KeySet for RevocationStore {
    fn status(&self, spki_digest: &[u8; 32]) -> KeyStatus {
        match self.is_key_denied(spki_digest) {
            true => KeyStatus::Denied,
            false => KeyStatus::Unknown,
        }
    }
}

/// A CRL that was issued. Saved, it is its DER in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SavedCrl", into = "SavedCrl")]
pub struct IssuedCrl {
    der: Vec<u8>,
    number: CrlNumber,
    next_update: UnixTime,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct SavedCrl(#[serde(with = "crate::base64_serde")] Vec<u8>);

impl From<IssuedCrl> for SavedCrl {
    fn from(issued: IssuedCrl) -> Self {
        Self(issued.der)
    }
}

impl TryFrom<SavedCrl> for IssuedCrl {
    type Error = CrlError;

    fn try_from(SavedCrl(der): SavedCrl) -> Result<Self, CrlError> {
        let crl = Crl::parse(&der, &Limits::default())?;
        Ok(Self {
            number: crl.number(),
            next_update: crl.next_update(),
            der,
        })
    }
}

impl IssuedCrl {
    /// The CRL.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The CRL as PEM.
    pub fn to_pem(&self) -> String {
        pem::encode(PemLabel::Crl, &self.der)
    }

    /// Its number.
    pub fn number(&self) -> CrlNumber {
        self.number
    }

    /// When it must be replaced at the latest.
    pub fn next_update(&self) -> UnixTime {
        self.next_update
    }
}

/// Why something is not revoked or released.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationError {
    /// The certificate is revoked for good.
    #[error("the certificate with serial number {serial} is revoked for good")]
    Final {
        /// Its serial number.
        serial: SerialNumber,
    },
    /// The certificate is not revoked.
    #[error("the certificate with serial number {serial} is not revoked")]
    NotRevoked {
        /// Its serial number.
        serial: SerialNumber,
    },
}

impl RevocationError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Final { .. } => "revocation.final",
            Self::NotRevoked { .. } => "revocation.not_revoked",
        }
    }
}

/// Why no CRL was issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlIssueError {
    /// The signer's key is not that of the certificate.
    #[error("the key of the signer is not that of the authority")]
    KeyMismatch,
    /// The certificate is not one of an authority that may sign CRLs.
    #[error("the authority may not sign CRLs")]
    NotCrlSigner,
    /// The last number was the highest one that there is.
    #[error("there is no higher CRL number")]
    Number,
    /// The key of the certificate cannot be read.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// The signer failed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The time is outside of what X.509 can express, or the validity is below a second.
    #[error("the time of the CRL is out of range")]
    Time,
}

impl CrlIssueError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyMismatch => "crl_issue.key_mismatch",
            Self::NotCrlSigner => "crl_issue.not_crl_signer",
            Self::Number => "crl_issue.number",
            Self::PublicKey(error) => error.code(),
            Self::Sign(_) => "crl_issue.sign",
            Self::Time => "crl_issue.time",
        }
    }
}

/// TBSCertList, version 2. Spec: RFC 5280 §5.1.2.
fn to_be_signed(
    issuer: &Certificate<'_>,
    key_id: &KeyId,
    signer: &dyn Signer,
    entries: &BTreeMap<SerialNumber, Entry>,
    crl: &LastCrl,
) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.nested(SEQUENCE, |tbs| {
        tbs.unsigned(&[1]);
        write_identifier(tbs, signer.algorithm());
        tbs.raw(issuer.subject().der());
        tbs.time(crl.this_update);
        tbs.time(crl.next_update);
        if !entries.is_empty() {
            tbs.nested(SEQUENCE, |list| {
                for (serial, entry) in entries {
                    list.nested(SEQUENCE, |revoked| write_entry(revoked, serial, entry));
                }
            });
        }
        tbs.nested(context_constructed(0), |tagged| {
            tagged.nested(SEQUENCE, |extensions| {
                write_extension(extensions, oid::AUTHORITY_KEY_ID, |value| {
                    value.nested(SEQUENCE, |aki| aki.value(context(0), key_id.as_bytes()));
                });
                write_extension(extensions, oid::CRL_NUMBER, |value| {
                    value.unsigned(crl.number.as_bytes());
                });
            });
        });
    });
    writer.into_bytes()
}

fn write_entry(revoked: &mut Writer, serial: &SerialNumber, entry: &Entry) {
    revoked.unsigned(serial.as_bytes());
    revoked.time(entry.revoked_at);
    let has_reason = entry.reason != RevocationReason::Unspecified;
    if !has_reason && entry.invalid_since.is_none() {
        return;
    }
    revoked.nested(SEQUENCE, |extensions| {
        if has_reason {
            write_extension(extensions, oid::REASON_CODE, |value| {
                value.value(ENUMERATED, &[entry.reason.number()]);
            });
        }
        if let Some(time) = entry.invalid_since {
            write_extension(extensions, oid::INVALIDITY_DATE, |value| {
                value.generalized_time(time);
            });
        }
    });
}

fn write_extension(extensions: &mut Writer, oid: &[u8], write: impl FnOnce(&mut Writer)) {
    extensions.nested(SEQUENCE, |extension| {
        extension.oid(oid);
        extension.nested(OCTET_STRING, write);
    });
}
