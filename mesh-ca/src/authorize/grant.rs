//! The proof that a caller may have a certificate.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{AuditRecord, AuthError, AuthErrorKind, AuthMode, RequestMeta};
use crate::csr::{ValidCaCsr, ValidCsr};
use crate::{CaError, KeyAlgorithm, RevocationStore, SpiffeId, UnixTime, dns_name};

/// The proof that a request was validated and its caller authorised: there is no other way to have one. An authority
/// issues for it.
///
/// Source: ca.md C-API-1.
#[derive(Debug, Clone)]
pub struct Grant {
    pub(crate) spki: Arc<[u8]>,
    pub(crate) spki_digest: [u8; 32],
    pub(crate) key_id: [u8; 20],
    pub(crate) key_algorithm: KeyAlgorithm,
    pub(crate) id: SpiffeId,
    pub(crate) dns: Vec<String>,
    pub(crate) ips: Vec<IpAddr>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) has_common_name: bool,
    cert_signer: String,
    audit: AuditRecord,
}

impl Grant {
    pub(super) fn new(
        csr: &ValidCsr,
        id: SpiffeId,
        meta: &RequestMeta,
        mode: AuthMode,
        audit: AuditRecord,
    ) -> Self {
        // What the request names beside the id counts only where its names are looked at (C-AUTH-3).
        let (dns, ips) = match mode {
            AuthMode::Match | AuthMode::RaMatch => (csr.dns.clone(), csr.ips.clone()),
            AuthMode::IstioCompat => (Vec::new(), Vec::new()),
        };
        Self {
            spki: Arc::clone(&csr.spki),
            spki_digest: csr.spki_digest,
            key_id: csr.key_id,
            key_algorithm: csr.key_algorithm,
            id,
            dns,
            ips,
            ttl: None,
            has_common_name: csr.subject.has_common_name,
            cert_signer: meta.cert_signer.clone(),
            audit,
        }
    }

    /// The life that was asked for, or that the registration entry hints at. Zero means the default of the authority.
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl).filter(|ttl| !ttl.is_zero());
        self
    }

    /// DNS names of the registration entry, in their order, instead of those of the request.
    ///
    /// # Errors
    /// [`CaError::DnsName`] for a text that is none.
    ///
    /// Source: ca.md C-SIGN-9.
    pub fn with_dns_names<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Result<Self, CaError> {
        self.dns = dns_name::canonical_all(names).map_err(|name| CaError::DnsName {
            name: name.to_owned(),
        })?;
        Ok(self)
    }

    /// Asks whether the identity is [blocked](RevocationStore::block): its certificates were revoked, and it gets no others for
    /// a while. `handle_istio_request` (feature `messages`) does that itself.
    ///
    /// # Errors
    /// [`AuthErrorKind::IdentityBlocked`].
    ///
    /// Source: ca.md C-CRL-2.
    pub fn check_not_blocked(&self, store: &RevocationStore, now: UnixTime) -> Result<(), AuthError> {
        match store.is_blocked(&self.id, now) {
            true => Err(AuthError::new(AuthErrorKind::IdentityBlocked, self.audit.clone())),
            false => Ok(()),
        }
    }

    /// The id to be issued.
    pub fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// The kind of key to be certified.
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }

    /// The name of the signer that was asked for; empty for the default one.
    pub fn cert_signer(&self) -> &str {
        &self.cert_signer
    }

    /// What to write into the log of decisions.
    pub fn audit(&self) -> &AuditRecord {
        &self.audit
    }
}

/// The proof that a caller may have an intermediate authority: there is no other way to have one.
///
/// Source: ca.md C-AUTH-9, C-API-1.
#[derive(Debug, Clone)]
pub struct CaGrant {
    pub(crate) spki: Arc<[u8]>,
    audit: AuditRecord,
}

impl CaGrant {
    pub(super) fn new(csr: &ValidCaCsr, audit: AuditRecord) -> Self {
        Self {
            spki: Arc::clone(&csr.spki),
            audit,
        }
    }

    /// What to write into the log of decisions.
    pub fn audit(&self) -> &AuditRecord {
        &self.audit
    }
}
