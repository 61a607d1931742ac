//! What an authority hands out.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::pem::{self, PemLabel};
use crate::{Certificate, CertificateError, KeyId, SerialNumber, SpiffeId, UnixTime};

/// An SVID that was issued: the certificate of a workload with what leads from it to a root.
///
/// Saved, it is the certificates in base64 beside the record, which must be that of the leaf. It is no proof of anything: what
/// is read back may have been written by anybody.
///
/// Source: ca.md C-SIGN-15, C-SIGN-16.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SavedSvid", into = "SavedSvid")]
pub struct IssuedSvid {
    pub(crate) chain: Vec<Arc<[u8]>>,
    pub(crate) roots: Arc<[Vec<u8>]>,
    pub(crate) record: IssuanceRecord,
    pub(crate) notes: Vec<IssueNote>,
}

#[derive(Serialize, Deserialize)]
struct SavedSvid {
    #[serde(with = "crate::base64_serde::list")]
    chain: Vec<Arc<[u8]>>,
    #[serde(with = "crate::base64_serde::list")]
    roots: Vec<Vec<u8>>,
    record: IssuanceRecord,
    #[serde(default)]
    notes: Vec<IssueNote>,
}

impl From<IssuedSvid> for SavedSvid {
    fn from(svid: IssuedSvid) -> Self {
        let IssuedSvid {
            chain,
            roots,
            record,
            notes,
        } = svid;
        Self {
            chain,
            roots: roots.to_vec(),
            record,
            notes,
        }
    }
}

impl TryFrom<SavedSvid> for IssuedSvid {
    type Error = String;

    fn try_from(saved: SavedSvid) -> Result<Self, String> {
        let SavedSvid {
            chain,
            roots,
            record,
            notes,
        } = saved;
        let (leaf, issuers) = chain.split_first().ok_or("there is no certificate")?;
        let parse = |der| Certificate::parse(der).map_err(|error: CertificateError| error.to_string());
        if !record.is_of(&parse(leaf)?) {
            return Err("the record is of another certificate".to_owned());
        }
        let authorities = issuers
            .iter()
            .map(|der| &**der)
            .chain(roots.iter().map(Vec::as_slice));
        for der in authorities {
            if parse(der)?
                .basic_constraints()
                .is_none_or(|constraints| !constraints.ca)
            {
                return Err("a certificate behind the first is none of an authority".to_owned());
            }
        }
        Ok(Self {
            chain,
            roots: roots.into(),
            record,
            notes,
        })
    }
}

impl IssuedSvid {
    /// The certificate of the workload in DER.
    pub fn leaf(&self) -> &[u8] {
        self.chain.first().map_or(&[], |leaf| leaf)
    }

    /// The chain that the workload serves, in DER: its own certificate, then the intermediates. No root is among them.
    pub fn chain(&self) -> &[Arc<[u8]>] {
        &self.chain
    }

    /// The roots of the authority in DER.
    pub fn roots(&self) -> &[Vec<u8>] {
        &self.roots
    }

    /// The chain as PEM.
    pub fn to_pem(&self) -> String {
        self.chain
            .iter()
            .map(|der| pem::encode(PemLabel::Certificate, der))
            .collect()
    }

    /// The elements of `cert_chain` in the response of Istio's certificate service: the leaf, each intermediate, and at the
    /// end all roots in one text. Each ends with one LF.
    ///
    /// Source: ca.md C-SIGN-15; Istio ca.proto IstioCertificateResponse.
    pub fn response_chain(&self) -> Vec<String> {
        let encode = |der: &[u8]| pem::encode(PemLabel::Certificate, der);
        let mut elements: Vec<String> = self.chain.iter().map(|der| encode(der)).collect();
        elements.push(self.roots.iter().map(|der| encode(der)).collect());
        elements
    }

    /// What the log of issued certificates keeps.
    pub fn record(&self) -> &IssuanceRecord {
        &self.record
    }

    /// What differs from what was asked for.
    pub fn notes(&self) -> &[IssueNote] {
        &self.notes
    }
}

/// One line of the log of issued certificates. The embedder keeps it, for revocation and migration.
///
/// Source: ca.md C-SIGN-16.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuanceRecord {
    /// Whose certificate it is.
    pub id: SpiffeId,
    /// Its serial number.
    pub serial: SerialNumber,
    /// The key that signed it.
    pub issuer_key_id: KeyId,
    /// The first second in which it is valid.
    pub not_before: UnixTime,
    /// The last second in which it is valid.
    pub not_after: UnixTime,
    /// SHA-256 over its SubjectPublicKeyInfo.
    pub spki_digest: [u8; 32],
}

impl IssuanceRecord {
    /// Whether this is the line for a certificate.
    fn is_of(&self, leaf: &Certificate<'_>) -> bool {
        let Self {
            id,
            serial,
            issuer_key_id,
            not_before,
            not_after,
            spki_digest,
        } = self;
        let found: [u8; 32] = Sha256::digest(leaf.public_key_der()).into();
        leaf.spiffe_id()
            .is_some_and(|found| found.as_str() == id.as_str())
            && leaf.serial_number() == Some(*serial)
            && leaf.authority_key_id() == Some(issuer_key_id.as_bytes())
            && (leaf.not_before(), leaf.not_after()) == (*not_before, *not_after)
            && found == *spki_digest
    }
}

/// What differs between a certificate and what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum IssueNote {
    /// The common name was left out, since the id has more than 64 bytes.
    #[error("the id is too long for a common name")]
    CommonNameOmitted,
    /// The certificate ends with one of the authority's own.
    #[error("the life is cut to the end of the authority at {not_after}")]
    CutToIssuer {
        /// When it ends.
        not_after: UnixTime,
    },
    /// The longest allowed life was issued instead of the requested one.
    #[error("a life of {} s was asked for, and {} s are the longest", requested.as_secs(), granted.as_secs())]
    TtlClamped {
        /// What was asked for.
        requested: Duration,
        /// What was issued.
        granted: Duration,
    },
}
