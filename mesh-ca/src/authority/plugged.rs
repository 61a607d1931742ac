//! Authorities whose certificates somebody else made (C-CA-3, C-CA-4).

use std::sync::Arc;

use super::path::{PathFlaw, check_path, check_root, without_doubles};
use super::{Authority, AuthorityKey};
use crate::pem::{self, PemError, PemErrorKind};
use crate::{
    BundleError, CaError, Certificate, CertificateError, Crl, CrlError, CrlSet, Limits, PublicKeyError,
    SignatureError, SignatureVerifier, Signer, TrustBundle, TrustDomain, UnixTime, default_verifier,
};

/// The files of an authority that was plugged in, as Istio reads them from the secret `cacerts`.
///
/// Source: ca.md C-CA-3; Istio plugin CA certificates.
#[derive(Debug, Clone)]
pub struct PluggedCa<'a> {
    /// `ca-cert.pem`: the signing certificate.
    pub certificate: &'a [u8],
    /// `ca-key.pem`: its key.
    pub key: Arc<dyn Signer>,
    /// `cert-chain.pem`: the certificates from the signing one's issuer up. It may be empty, begin with the signing
    /// certificate, and end with the root.
    pub chain: &'a [u8],
    /// `root-cert.pem`: the roots.
    pub roots: &'a [u8],
    /// `ca-crl.pem`: CRLs of all authorities of the chain, or none.
    pub crls: Option<&'a [u8]>,
}

impl PluggedCa<'_> {
    /// Checks that everything belongs together at this time, and makes an authority of it. Its default life of SVIDs is
    /// what is left of the chain, if that is less.
    ///
    /// # Errors
    /// What does not belong together.
    pub fn load(&self, trust_domain: TrustDomain, now: UnixTime) -> Result<Authority, PluggedCaError> {
        let verifier = default_verifier();
        let limits = Limits::default();
        let signing_der = one_certificate(self.certificate)?;
        let chain_ders = match self.chain.trim_ascii().is_empty() {
            true => Vec::new(),
            false => pem::parse_chain(self.chain, &limits)?,
        };
        let bundle = TrustBundle::from_pem(trust_domain, self.roots, &limits)?;
        let signing = Certificate::parse(&signing_der)?;
        if signing.public_key_der() != self.key.spki_der() {
            return Err(PluggedCaError::KeyMismatch);
        }
        let chain = chain_ders.iter().map(Vec::as_slice);
        let path = without_doubles(&signing_der, chain, |der| bundle.contains_x509(der))?;
        let parsed: Result<Vec<_>, _> = path.iter().map(|der| Certificate::parse(der)).collect();
        let parsed = parsed?;
        let below = check_path(&parsed, now, verifier)?;
        let last = parsed.last().unwrap_or(&signing);
        let anchor = find_anchor(last, &bundle, below, now, verifier)?;
        if let Some(crls) = self.crls {
            check_crls(crls, &parsed, verifier)?;
        }
        let mut above: Vec<&[u8]> = path.iter().skip(1).copied().collect();
        // A signing certificate that is a root itself has nothing above.
        above.extend(anchor.as_deref());
        let key = AuthorityKey::Local(Arc::clone(&self.key));
        let mut authority = Authority::new(&signing_der, &above, bundle, key)?;
        let left = authority.not_after().saturating_since(now);
        authority.policy.default_ttl = authority.policy.default_ttl.min(left);
        Ok(authority)
    }
}

fn one_certificate(text: &[u8]) -> Result<Vec<u8>, PluggedCaError> {
    let mut all = pem::parse_chain_skip_other(text, &Limits::default())?;
    match (all.pop(), all.pop()) {
        (Some(certificate), None) => Ok(certificate),
        _ => Err(PemError::new(PemErrorKind::MoreThanOne, 0).into()),
    }
}

/// The root that the last certificate leads to, the one with the longest life; nothing if that is one itself.
fn find_anchor(
    last: &Certificate<'_>,
    bundle: &TrustBundle,
    below: u64,
    now: UnixTime,
    verifier: &dyn SignatureVerifier,
) -> Result<Option<Vec<u8>>, PluggedCaError> {
    if bundle.contains_x509(last.der()) {
        return Ok(None);
    }
    let mut best: Option<(UnixTime, Vec<u8>)> = None;
    let mut failure = PluggedCaError::Gap;
    for authority in bundle.x509_authorities() {
        let root = authority.certificate()?;
        if root.subject() != last.issuer() {
            continue;
        }
        match check_root(last, &root, below, now, verifier) {
            Ok(()) if best.as_ref().is_none_or(|(end, _)| *end < root.not_after()) => {
                best = Some((root.not_after(), authority.der().to_vec()));
            }
            Ok(()) => {}
            Err(flaw) => failure = flaw.into(),
        }
    }
    best.map(|(_, der)| Some(der)).ok_or(failure)
}

/// Each authority of the chain has a CRL that it signed: Envoy refuses a chain in which only some have.
fn check_crls(
    text: &[u8],
    chain: &[Certificate<'_>],
    verifier: &dyn SignatureVerifier,
) -> Result<(), PluggedCaError> {
    let mut set = CrlSet::new();
    set.update_from_pem(text, &Limits::default())?;
    for certificate in chain {
        let is_its_own = |crl: &Crl| crl.check_signer(certificate, verifier).is_ok();
        if !set.crls().iter().any(is_its_own) {
            return Err(PluggedCaError::CrlMissing {
                subject: certificate.subject().to_string(),
            });
        }
    }
    Ok(())
}

/// What does not belong together in a plugged-in authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PluggedCaError {
    /// A root cannot be read.
    #[error("the roots are wrong: {0}")]
    Bundle(#[from] BundleError),
    /// The authority cannot be made of it.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// A certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The chain has too many certificates.
    #[error("the chain is too long")]
    ChainTooLong,
    /// A CRL cannot be used.
    #[error("a CRL is wrong: {0}")]
    Crl(#[from] CrlError),
    /// There are CRLs, but none that this authority of the chain signed.
    #[error("there is no CRL of `{subject}`")]
    CrlMissing {
        /// The subject of the authority.
        subject: String,
    },
    /// A certificate is not valid now.
    #[error("a certificate is valid from {not_before} to {not_after}, and now it is {now}")]
    Expired {
        /// The time of the call.
        now: UnixTime,
        /// Its start.
        not_before: UnixTime,
        /// Its end.
        not_after: UnixTime,
    },
    /// A certificate was not issued by the one that follows, or the last one by no root.
    #[error("the chain has a gap or leads to no root")]
    Gap,
    /// The key is not that of the signing certificate.
    #[error("the key is not that of the signing certificate")]
    KeyMismatch,
    /// A certificate may not sign others.
    #[error("a certificate of the chain is no authority")]
    NotAuthority,
    /// A path length leaves no room for a workload.
    #[error("a path length leaves no room")]
    PathLength,
    /// A text is no PEM of certificates.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// A key is not taken.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// A signature is wrong.
    #[error("a certificate is not signed by the one that follows: {0}")]
    Signature(#[source] SignatureError),
}

impl From<PathFlaw> for PluggedCaError {
    fn from(flaw: PathFlaw) -> Self {
        match flaw {
            PathFlaw::Gap => Self::Gap,
            PathFlaw::NotAuthority => Self::NotAuthority,
            PathFlaw::NotValid {
                now,
                not_before,
                not_after,
            } => Self::Expired {
                now,
                not_before,
                not_after,
            },
            PathFlaw::PathLength => Self::PathLength,
            PathFlaw::PublicKey(error) => Self::PublicKey(error),
            PathFlaw::Signature(error) => Self::Signature(error),
            PathFlaw::TooLong => Self::ChainTooLong,
        }
    }
}

impl PluggedCaError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bundle(_) => "plugged_ca.bundle",
            Self::Ca(_) => "plugged_ca.ca",
            Self::Certificate(_) => "plugged_ca.certificate",
            Self::ChainTooLong => "plugged_ca.chain_too_long",
            Self::Crl(_) => "plugged_ca.crl",
            Self::CrlMissing { .. } => "plugged_ca.crl_missing",
            Self::Expired { .. } => "plugged_ca.expired",
            Self::Gap => "plugged_ca.gap",
            Self::KeyMismatch => "plugged_ca.key_mismatch",
            Self::NotAuthority => "plugged_ca.not_authority",
            Self::PathLength => "plugged_ca.path_length",
            Self::Pem(_) => "plugged_ca.pem",
            Self::PublicKey(_) => "plugged_ca.public_key",
            Self::Signature(_) => "plugged_ca.signature",
        }
    }
}
