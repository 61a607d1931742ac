//! Why a peer is not accepted.

use super::profile::Rule;
use crate::revocation::{CrlError, RevocationReason};
use crate::{
    CertificateError, IdError, KeyPurpose, PublicKeyError, SerialNumber, SignatureError, SpiffeId, Status,
    StatusCode, TrustDomain, UnixTime,
};

/// Why a chain of certificates is not accepted.
///
/// `depth` says which certificate of the path: 0 is the leaf, 1 its issuer, and so on. Where several paths fail, the
/// error is that of the path that got furthest; among equals revoked comes before expired, not yet valid, name
/// constraints, path length, purpose, signature and unknown issuer.
///
/// Source: ca.md C-VFY-1..18.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The search for a path was ended by a bound on its work, or every path is too long.
    #[error("the search for a path ended: {0}")]
    BudgetExceeded(Budget),
    /// keyCertSign without being a certificate authority.
    #[error("certificate {depth} may sign certificates without being an authority")]
    CertSignWithoutCa {
        /// Which certificate.
        depth: usize,
    },
    /// More certificates than the limit.
    #[error("the peer sent too many certificates")]
    ChainTooLong,
    /// A CRL that is needed cannot be used.
    #[error("the CRL for certificate {depth} cannot be used: {error}")]
    Crl {
        /// Whose CRL.
        depth: usize,
        /// Why it cannot.
        error: CrlError,
    },
    /// The profile refuses something.
    #[error("certificate {depth}: {rule}")]
    Departure {
        /// Which certificate.
        depth: usize,
        /// The rule that it departs from.
        rule: Rule,
    },
    /// No certificate at all.
    #[error("the peer sent no certificate")]
    EmptyChain,
    /// The issuer of a certificate, or the subject of an authority, is an empty name.
    #[error("certificate {depth} has an empty name")]
    EmptyName {
        /// Which certificate.
        depth: usize,
    },
    /// A certificate has expired.
    #[error("certificate {depth} expired at {not_after}, and now is {now}")]
    Expired {
        /// Which certificate.
        depth: usize,
        /// Its last second.
        not_after: UnixTime,
        /// The time of the verification.
        now: UnixTime,
    },
    /// The only URI name of the leaf is no SPIFFE id.
    #[error("the URI name is no SPIFFE id: {0}")]
    InvalidSpiffeId(#[from] IdError),
    /// A key identifier is a critical extension.
    #[error("a key identifier of certificate {depth} is critical")]
    KeyIdCritical {
        /// Which certificate.
        depth: usize,
    },
    /// keyUsage of an issuer is missing or does not allow to sign certificates.
    #[error("the key of certificate {depth} may not sign certificates")]
    KeyUsage {
        /// Which certificate.
        depth: usize,
    },
    /// The id of the leaf has no path.
    #[error("the SPIFFE id of the leaf names a trust domain, not a workload")]
    LeafIsTrustDomainId,
    /// A certificate that cannot be read.
    #[error("certificate {depth}: {error}")]
    Malformed {
        /// Which certificate: 0 is the leaf.
        depth: usize,
        /// What is wrong with it.
        error: CertificateError,
    },
    /// Name constraints that cannot be read, or are of a kind that is refused.
    #[error("the name constraints of certificate {depth} are malformed")]
    MalformedNameConstraints {
        /// Whose constraints.
        depth: usize,
    },
    /// More than one URI name in the leaf.
    #[error("the leaf has more than one URI name")]
    MultipleUriSans,
    /// A name is not permitted by the constraints of an issuer, excluded by them, or cannot be compared with them.
    #[error("the name constraints of certificate {depth} do not allow `{name}`")]
    NameConstraint {
        /// Whose constraints.
        depth: usize,
        /// The name.
        name: String,
    },
    /// The leaf has name constraints.
    #[error("the leaf has name constraints")]
    NameConstraintsInLeaf,
    /// The leaf has no URI name.
    #[error("the leaf has no URI name")]
    NoUriSan,
    /// An issuer is no certificate authority.
    #[error("certificate {depth} is not one of an authority")]
    NotCa {
        /// Which certificate.
        depth: usize,
    },
    /// The chain is good, but its id is another one than those expected.
    #[error("the peer is `{id}`, who is not expected here")]
    NotExpected {
        /// The id.
        id: SpiffeId,
    },
    /// A certificate is not valid yet.
    #[error("certificate {depth} is valid from {not_before}, and now is {now}")]
    NotYetValid {
        /// Which certificate.
        depth: usize,
        /// Its first second.
        not_before: UnixTime,
        /// The time of the verification.
        now: UnixTime,
    },
    /// More intermediate certificates than an issuer allows.
    #[error("there are more intermediate certificates than certificate {depth} allows")]
    PathLen {
        /// Whose pathLenConstraint; the depth of the anchor for the limit of the caller.
        depth: usize,
    },
    /// policyMappings, policyConstraints and inhibitAnyPolicy are not processed, and so refused.
    #[error("certificate {depth} has rules about policies")]
    PolicyRules {
        /// Which certificate.
        depth: usize,
    },
    /// A key that is not supported or too weak.
    #[error("certificate {depth}: {error}")]
    PublicKey {
        /// Which certificate.
        depth: usize,
        /// What is wrong with the key.
        error: PublicKeyError,
    },
    /// extKeyUsage does not allow what the certificate is used for.
    #[error("certificate {depth} may not be used for {}", purpose.map_or("TLS", KeyPurpose::as_str))]
    Purpose {
        /// Which certificate.
        depth: usize,
        /// What for; nothing where any purpose of TLS would do.
        purpose: Option<KeyPurpose>,
    },
    /// Whether a certificate is revoked is not known, and the policy wants to know.
    #[error("there is no CRL that says whether certificate {depth} is revoked")]
    RevocationUnknown {
        /// Which certificate.
        depth: usize,
    },
    /// A certificate is revoked.
    #[error("certificate {depth} with serial number {serial} is revoked")]
    Revoked {
        /// Which certificate.
        depth: usize,
        /// Its serial number.
        serial: SerialNumber,
        /// Why it was revoked.
        reason: RevocationReason,
    },
    /// The serial number is zero, negative or too long.
    #[error("the serial number of certificate {depth} is not positive or too long")]
    SerialNumber {
        /// Which certificate.
        depth: usize,
    },
    /// A certificate is not signed by its issuer.
    #[error("certificate {depth}: {error}")]
    Signature {
        /// The certificate that is signed.
        depth: usize,
        /// What is wrong.
        error: SignatureError,
    },
    /// Unique identifiers, which nobody uses.
    #[error("certificate {depth} has unique identifiers")]
    UniqueIds {
        /// Which certificate.
        depth: usize,
    },
    /// A critical extension that is not known.
    #[error("certificate {depth} has an unknown critical extension `{oid}`")]
    UnknownCriticalExtension {
        /// Which certificate.
        depth: usize,
        /// The object identifier of the extension.
        oid: String,
    },
    /// No issuer is known: neither an anchor of the bundle nor an intermediate certificate has the name.
    #[error("the issuer `{issuer}` of certificate {depth} is not known")]
    UnknownIssuer {
        /// The certificate whose issuer is missing.
        depth: usize,
        /// The name of the issuer.
        issuer: String,
    },
    /// There is no bundle for the trust domain of the peer, or it is empty.
    #[error("the trust domain `{trust_domain}` is not trusted")]
    UntrustedDomain {
        /// The trust domain of the peer.
        trust_domain: TrustDomain,
    },
    /// A leaf or an intermediate certificate is not of version 3.
    #[error("certificate {depth} is not of version 3")]
    Version {
        /// Which certificate.
        depth: usize,
    },
}

impl VerifyError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BudgetExceeded(_) => "verify.budget_exceeded",
            Self::CertSignWithoutCa { .. } => "verify.cert_sign_without_ca",
            Self::ChainTooLong => "verify.chain_too_long",
            Self::Crl { .. } => "verify.crl",
            Self::Departure { rule, .. } => rule.code(),
            Self::EmptyChain => "verify.empty_chain",
            Self::EmptyName { .. } => "verify.empty_name",
            Self::Expired { .. } => "verify.expired",
            Self::InvalidSpiffeId(_) => "verify.invalid_spiffe_id",
            Self::KeyIdCritical { .. } => "verify.key_id_critical",
            Self::KeyUsage { .. } => "verify.key_usage",
            Self::LeafIsTrustDomainId => "verify.leaf_is_trust_domain_id",
            Self::Malformed { .. } => "verify.malformed",
            Self::MalformedNameConstraints { .. } => "verify.malformed_name_constraints",
            Self::MultipleUriSans => "verify.multiple_uri_sans",
            Self::NameConstraint { .. } => "verify.name_constraint",
            Self::NameConstraintsInLeaf => "verify.name_constraints_in_leaf",
            Self::NoUriSan => "verify.no_uri_san",
            Self::NotCa { .. } => "verify.not_ca",
            Self::NotExpected { .. } => "verify.not_expected",
            Self::NotYetValid { .. } => "verify.not_yet_valid",
            Self::PathLen { .. } => "verify.path_len",
            Self::PolicyRules { .. } => "verify.policy_rules",
            Self::PublicKey { .. } => "verify.public_key",
            Self::Purpose { .. } => "verify.purpose",
            Self::RevocationUnknown { .. } => "verify.revocation_unknown",
            Self::Revoked { .. } => "verify.revoked",
            Self::SerialNumber { .. } => "verify.serial_number",
            Self::Signature { .. } => "verify.signature",
            Self::UniqueIds { .. } => "verify.unique_ids",
            Self::UnknownCriticalExtension { .. } => "verify.unknown_critical_extension",
            Self::UnknownIssuer { .. } => "verify.unknown_issuer",
            Self::UntrustedDomain { .. } => "verify.untrusted_domain",
            Self::Version { .. } => "verify.version",
        }
    }

    /// What the peer is told: the same for every reason.
    ///
    /// Source: ca.md C-ERR-2.
    pub fn status(&self) -> Status {
        Status::new(
            StatusCode::Unauthenticated,
            "the certificate of the peer is not accepted",
        )
    }

    /// Whether the same chain may be accepted later without a change of configuration: not, but for a certificate that is
    /// not valid yet.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::NotYetValid { .. })
    }

    /// Which of two failures at the same place of a path is reported: the smaller one (C-VFY-17).
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::BudgetExceeded(_) => 0,
            Self::Revoked { .. } => 1,
            Self::Expired { .. } => 2,
            Self::NotYetValid { .. } => 3,
            Self::NameConstraint { .. } | Self::MalformedNameConstraints { .. } => 4,
            Self::PathLen { .. } => 5,
            Self::Purpose { .. } => 6,
            Self::Signature { .. } => 8,
            Self::UnknownIssuer { .. } => 9,
            _ => 7,
        }
    }
}

/// A bound on the work of one verification.
///
/// Source: ca.md C-VFY-4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Budget {
    /// Certificates of authorities between leaf and anchor.
    #[error("too many intermediate certificates in a path")]
    Intermediates,
    /// Comparisons of a name with a name constraint.
    #[error("too many comparisons with name constraints")]
    NameComparisons,
    /// Different signatures that were checked.
    #[error("too many signatures to check")]
    Signatures,
    /// Candidates that were looked at.
    #[error("too many candidates for a path")]
    Visits,
}
