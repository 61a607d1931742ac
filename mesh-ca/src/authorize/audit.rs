//! The record of a decision.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{AuthErrorKind, Caller};
use crate::{IssuanceRecord, SerialNumber, SpiffeId, UnixTime};

/// What an authority decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Decision {
    /// The caller may have the certificate.
    Granted,
    /// It was issued.
    Issued,
    /// The caller may not have it.
    Refused,
}

/// One decision, for the log of the authority: it is never shown to the caller.
///
/// Source: ca.md C-AUTH-10.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// What was decided.
    pub decision: Decision,
    /// The code of the rule that decided; `granted` where none refused.
    pub rule: Cow<'static, str>,
    /// Who asked.
    pub caller: Caller,
    /// SHA-256 over the DER of the request.
    pub csr_digest: [u8; 32],
    /// The id that the request names.
    pub requested: Option<SpiffeId>,
    /// The id of another workload that a node agent asked for, as it was written.
    pub impersonated: Option<String>,
    /// The id that is issued.
    pub issued: Option<SpiffeId>,
    /// The serial number of the certificate.
    pub serial: Option<SerialNumber>,
    /// When it ends.
    pub not_after: Option<UnixTime>,
    /// More words.
    pub detail: String,
}

impl AuditRecord {
    pub(crate) fn new(caller: &Caller, csr_digest: [u8; 32], requested: Option<SpiffeId>) -> Self {
        Self {
            decision: Decision::Refused,
            rule: Cow::Borrowed(""),
            caller: caller.clone(),
            csr_digest,
            requested,
            impersonated: None,
            issued: None,
            serial: None,
            not_after: None,
            detail: String::new(),
        }
    }

    /// The same decision, carried out.
    pub fn issued(&self, certificate: &IssuanceRecord) -> Self {
        Self {
            decision: Decision::Issued,
            issued: Some(certificate.id.clone()),
            serial: Some(certificate.serial),
            not_after: Some(certificate.not_after),
            ..self.clone()
        }
    }

    /// The same decision, taken back since a later step failed.
    #[cfg_attr(
        not(feature = "messages"),
        allow(dead_code, reason = "handlers of messages do all steps at once")
    )]
    pub(crate) fn failed(&self, code: &'static str, detail: &dyn std::fmt::Display) -> Self {
        Self {
            decision: Decision::Refused,
            rule: Cow::Borrowed(code),
            issued: None,
            detail: detail.to_string(),
            ..self.clone()
        }
    }

    pub(super) fn grant(&mut self, id: Option<&SpiffeId>) {
        self.decision = Decision::Granted;
        self.rule = Cow::Borrowed("granted");
        self.issued = id.cloned();
    }

    pub(super) fn refuse(&mut self, kind: &AuthErrorKind) {
        self.decision = Decision::Refused;
        self.rule = Cow::Borrowed(kind.code());
        self.detail = kind.to_string();
    }
}
