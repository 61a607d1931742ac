//! Asking CRLs about the certificates of a path.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::crl::{Crl, CrlError};
use super::set::CrlSet;
use crate::certificate::Certificate;
use crate::{SerialNumber, SignatureVerifier, UnixTime, VerifyError};

/// How CRLs are asked.
///
/// ```
/// use mesh_ca::{RevocationPolicy, UnknownStatus};
///
/// let strict = RevocationPolicy { unknown: UnknownStatus::Fail, ..RevocationPolicy::default() };
/// assert_ne!(strict, RevocationPolicy::default());
/// ```
///
/// Source: ca.md C-CRL-6, C-CRL-7.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RevocationPolicy {
    /// Which certificates of a path are asked about. Default: all but the anchor.
    pub depth: CheckDepth,
    /// What happens where no CRL speaks about a certificate. Default: as Envoy does.
    pub unknown: UnknownStatus,
    /// What happens where the CRL should have been replaced. Default: fail.
    pub expired_crl: ExpiredCrl,
    /// How far thisUpdate may lie in the future. Default zero.
    pub skew: Duration,
    /// How long after nextUpdate a CRL is still in force. Default zero.
    pub grace: Duration,
}

/// Which certificates of a path CRLs are asked about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckDepth {
    /// All but the anchor.
    #[default]
    Chain,
    /// The leaf alone.
    Leaf,
}

/// What happens where no CRL speaks about a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownStatus {
    /// It counts as not revoked, as in ztunnel.
    Allow,
    /// The path is refused.
    Fail,
    /// The path is refused if there is a CRL for any of its certificates: once an authority has one, all of them need
    /// one, as in Envoy.
    #[default]
    FailIfAnyKnown,
}

/// What happens where nextUpdate of a CRL has passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiredCrl {
    /// The path is refused.
    #[default]
    Fail,
    /// The CRL is used as if it were in force.
    Use,
}

/// Asks the CRLs about a complete path, leaf first.
pub(crate) fn check_path(
    path: &[&Certificate<'_>],
    crls: &CrlSet,
    policy: &RevocationPolicy,
    now: UnixTime,
    verifier: &dyn SignatureVerifier,
) -> Result<(), VerifyError> {
    if crls.is_empty() && policy.unknown != UnknownStatus::Fail {
        return Ok(());
    }
    let asked = match policy.depth {
        CheckDepth::Chain => path.len(),
        CheckDepth::Leaf => 1,
    };
    let mut unknown = None;
    let mut is_any_known = false;
    for (depth, (certificate, issuer)) in path.iter().zip(path.iter().skip(1)).enumerate() {
        let is_ca = depth > 0;
        let crl = find(crls, issuer, is_ca, verifier).map_err(|error| VerifyError::Crl { depth, error })?;
        is_any_known |= crl.is_some();
        if depth >= asked {
            continue;
        }
        match crl {
            Some(crl) => ask(crl, certificate, depth, policy, now)?,
            None => {
                unknown.get_or_insert(depth);
            }
        }
    }
    let is_refused = match policy.unknown {
        UnknownStatus::Allow => false,
        UnknownStatus::Fail => true,
        UnknownStatus::FailIfAnyKnown => is_any_known,
    };
    match unknown {
        Some(depth) if is_refused => Err(VerifyError::RevocationUnknown { depth }),
        _ => Ok(()),
    }
}

/// The newest CRL of an issuer that speaks about such certificates (C-CRL-8, C-CRL-9).
fn find<'c>(
    crls: &'c CrlSet,
    issuer: &Certificate<'_>,
    is_ca: bool,
    verifier: &dyn SignatureVerifier,
) -> Result<Option<&'c Crl>, CrlError> {
    for crl in crls.of_issuer(issuer.subject().der()) {
        if !crl.covers(is_ca) || !crl.names_issuer(issuer) {
            continue;
        }
        match crl.check_signer(issuer, verifier) {
            Ok(()) => return Ok(Some(crl)),
            // Without key identifiers that agree, it may be of another key with the same name.
            Err(CrlError::Signature(_)) if !has_same_key_id(crl, issuer) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn has_same_key_id(crl: &Crl, issuer: &Certificate<'_>) -> bool {
    let wanted = crl.authority_key_id().map(crate::KeyId::as_bytes);
    wanted.is_some() && wanted == issuer.subject_key_id()
}

fn ask(
    crl: &Crl,
    certificate: &Certificate<'_>,
    depth: usize,
    policy: &RevocationPolicy,
    now: UnixTime,
) -> Result<(), VerifyError> {
    // An entry counts whatever its date, and also in a CRL that is out of date.
    if let Some(entry) = crl.entry_of_integer(certificate.serial_bytes())
        && let Some(serial) = SerialNumber::from_integer(certificate.serial_bytes())
    {
        let reason = entry.reason;
        return Err(VerifyError::Revoked {
            depth,
            serial,
            reason,
        });
    }
    let error = if now.floor_to_secs() + policy.skew < crl.this_update() {
        CrlError::NotYetValid {
            this_update: crl.this_update(),
        }
    } else if now.floor_to_secs() > crl.next_update() + policy.grace && policy.expired_crl == ExpiredCrl::Fail
    {
        CrlError::Outdated {
            next_update: crl.next_update(),
        }
    } else {
        return Ok(());
    };
    Err(VerifyError::Crl { depth, error })
}
