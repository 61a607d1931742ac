//! What comes back is not believed (C-SGN-4, C-SGN-6, C-SGN-7).

use std::net::IpAddr;
use std::time::Duration;

use super::ExternalCaConfig;
use crate::certificate::GeneralName;
use crate::pem::{self, PemError, PemLabel};
use crate::{
    BundleError, Certificate, CertificateError, Grant, Limits, Status, StatusCode, TrustBundle, UnixTime,
    VerifyError, VerifyOptions,
};

/// An SVID that somebody else has made, and that is what was asked for. It proves that it was checked, and so it cannot be read
/// back from saved state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalSvid {
    chain: Vec<Vec<u8>>,
    roots: Vec<Vec<u8>>,
    not_after: UnixTime,
}

impl ExternalSvid {
    /// The chain in DER: the leaf, then the intermediates. No root is among them.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The roots in DER.
    pub fn roots(&self) -> &[Vec<u8>] {
        &self.roots
    }

    /// When it ends. It may be earlier than asked for.
    pub fn not_after(&self) -> UnixTime {
        self.not_after
    }

    /// The elements of `cert_chain` in the response of Istio's certificate service, as
    /// [`IssuedSvid::response_chain`](crate::IssuedSvid::response_chain) has them.
    pub fn response_chain(&self) -> Vec<String> {
        let encode = |der: &Vec<u8>| pem::encode(PemLabel::Certificate, der);
        let mut elements: Vec<String> = self.chain.iter().map(encode).collect();
        elements.push(self.roots.iter().map(encode).collect());
        elements
    }
}

/// Why an external authority gave no certificate that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExternalCaError {
    /// A configured root cannot be used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The request is not the one that was validated and authorised.
    #[error("the signing request is not the one that was authorised")]
    CsrMismatch,
    /// The source of random bytes failed.
    #[error(transparent)]
    Entropy(#[from] crate::EntropyError),
    /// The certificate is of another key.
    #[error("the certificate is of another key")]
    KeyMismatch,
    /// The certificate has other names than those that were authorised.
    #[error("the certificate has other names than those authorised")]
    NameMismatch,
    /// There is no root: none is configured, and the last certificate is no authority.
    #[error("there is no root for the certificate")]
    NoRoot,
    /// The answer is no PEM of certificates.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The authority refused, or the embedder could not ask it.
    #[error("the authority refused: {reason}")]
    Refused {
        /// Its words.
        reason: String,
    },
    /// A signer was named, and there is no domain of signers.
    #[error("a signer is named, and no domain of signers is configured")]
    SignerWithoutDomain,
    /// There was no certificate in time.
    #[error("there was no certificate in time")]
    TimedOut,
    /// The certificate is valid for longer than was asked for.
    #[error("the certificate is valid until {not_after}, longer than asked for")]
    TtlTooLong {
        /// When it ends.
        not_after: UnixTime,
    },
    /// The certificate does not lead to the root.
    #[error("the certificate does not verify: {0}")]
    Verify(#[from] VerifyError),
}

impl ExternalCaError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bundle(_) => "external_ca.bundle",
            Self::Certificate(_) => "external_ca.certificate",
            Self::CsrMismatch => "external_ca.csr_mismatch",
            Self::Entropy(_) => "external_ca.entropy",
            Self::KeyMismatch => "external_ca.key_mismatch",
            Self::NameMismatch => "external_ca.name_mismatch",
            Self::NoRoot => "external_ca.no_root",
            Self::Pem(_) => "external_ca.pem",
            Self::Refused { .. } => "external_ca.refused",
            Self::SignerWithoutDomain => "external_ca.signer_without_domain",
            Self::TimedOut => "external_ca.timed_out",
            Self::TtlTooLong { .. } => "external_ca.ttl_too_long",
            Self::Verify(_) => "external_ca.verify",
        }
    }

    /// What the peer is told: the same for every reason.
    ///
    /// Source: ca.md C-AUTH-8, C-ERR-2.
    pub fn status(&self) -> Status {
        Status::new(StatusCode::Internal, "certificate signing failed")
    }

    /// Whether the same request may succeed later: not, if it is not what was authorised, or if it names a signer that cannot
    /// be.
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::CsrMismatch | Self::SignerWithoutDomain)
    }
}

/// What must be true of the answer.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) grant: Grant,
    pub(super) ttl: Duration,
    pub(super) skew: Duration,
    /// The roots of the signer in DER; none means that the answer brings one.
    pub(super) roots: Vec<Vec<u8>>,
}

impl Expected {
    /// `life` is the one that is asked for.
    pub(super) fn new(config: &ExternalCaConfig, grant: &Grant, life: Duration) -> Self {
        Self {
            grant: grant.clone(),
            ttl: life,
            skew: config.skew,
            roots: config.roots.clone(),
        }
    }

    /// `certificates` are those of the answer, the leaf first.
    pub(super) fn check(
        &self,
        certificates: Vec<Vec<u8>>,
        now: UnixTime,
    ) -> Result<ExternalSvid, ExternalCaError> {
        let mut chain: Vec<Vec<u8>> = Vec::new();
        // No more than a verifier would take.
        for der in certificates
            .into_iter()
            .take(Limits::default().chain.saturating_add(1))
        {
            if !chain.contains(&der) {
                chain.push(der);
            }
        }
        let roots = match self.roots.is_empty() {
            false => self.roots.clone(),
            true => vec![returned_root(&chain)?],
        };
        chain.retain(|der| !roots.contains(der));
        let leaf = chain.first().ok_or(ExternalCaError::NoRoot)?;
        let leaf = Certificate::parse(leaf)?;
        self.check_leaf(&leaf, now)?;
        let not_after = leaf.not_after();
        let mut bundle = TrustBundle::new(self.grant.id.trust_domain().to_owned());
        for root in &roots {
            bundle.insert_x509(root)?;
        }
        bundle.verify(&chain, &VerifyOptions::at(now))?;
        Ok(ExternalSvid {
            chain,
            roots,
            not_after,
        })
    }

    fn check_leaf(&self, leaf: &Certificate<'_>, now: UnixTime) -> Result<(), ExternalCaError> {
        if leaf.public_key_der() != &*self.grant.spki {
            return Err(ExternalCaError::KeyMismatch);
        }
        let addresses: Vec<Vec<u8>> = self.grant.ips.iter().map(|address| octets(*address)).collect();
        let wanted = std::iter::once(GeneralName::Uri(self.grant.id.as_str().as_bytes()))
            .chain(
                self.grant
                    .dns
                    .iter()
                    .map(|name| GeneralName::Dns(name.as_bytes())),
            )
            .chain(addresses.iter().map(|address| GeneralName::IpAddress(address)));
        let wanted: Vec<GeneralName<'_>> = wanted.collect();
        let found: Vec<GeneralName<'_>> = leaf.subject_alt_names().collect();
        // In whatever order, but no others and none missing. Both are bounded by the limit of names.
        let holds =
            |all: &[GeneralName<'_>], some: &[GeneralName<'_>]| some.iter().all(|name| all.contains(name));
        if !holds(&found, &wanted) || !holds(&wanted, &found) {
            return Err(ExternalCaError::NameMismatch);
        }
        if !self.ttl.is_zero() && leaf.not_after() > now + self.ttl + self.skew {
            return Err(ExternalCaError::TtlTooLong {
                not_after: leaf.not_after(),
            });
        }
        Ok(())
    }
}

/// The last certificate of the answer, if it is an authority (C-SGN-6).
fn returned_root(chain: &[Vec<u8>]) -> Result<Vec<u8>, ExternalCaError> {
    let last = chain
        .last()
        .filter(|_| chain.len() > 1)
        .ok_or(ExternalCaError::NoRoot)?;
    let is_authority = Certificate::parse(last)?
        .basic_constraints()
        .is_some_and(|constraints| constraints.ca);
    if is_authority {
        Ok(last.clone())
    } else {
        Err(ExternalCaError::NoRoot)
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
