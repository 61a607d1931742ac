//! Why nothing was issued.

use std::time::Duration;

use crate::{
    CertificateError, EntropyError, IdError, KeyId, PublicKeyError, SignError, SignatureAlgorithm,
    SignatureError, Status, StatusCode, TrustDomain, UnixTime, VerifyError,
};

/// Why an authority issued nothing.
///
/// ```
/// use mesh_ca::{CaError, StatusCode};
///
/// assert_eq!(CaError::JobExpired.code(), "ca.job_expired");
/// assert_eq!(CaError::JobExpired.status().code(), StatusCode::Internal);
/// assert!(CaError::JobExpired.is_retryable());
/// ```
///
/// Source: ca.md C-ERR-1, C-AUTH-8.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaError {
    /// A certificate of the authority, or one that it is to sign for, cannot be read.
    #[error("a certificate of the authority is wrong: {0}")]
    Certificate(#[from] CertificateError),
    /// The certificate to be cross-signed is not one that the authority can sign for.
    #[error("the authority cannot be cross-signed: {reason}")]
    CrossSign {
        /// Why.
        reason: &'static str,
    },
    /// A name for the certificate is no DNS name.
    #[error("`{name}` is no DNS name")]
    DnsName {
        /// The name.
        name: String,
    },
    /// The source of random bytes failed, or gave only zeros.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// An id cannot be built.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A certificate of the authority has expired, or is not valid yet.
    #[error("the authority is valid from {not_before} to {not_after}, and now it is {now}")]
    IssuerExpired {
        /// The time of the call.
        now: UnixTime,
        /// From when on all certificates of the authority are valid.
        not_before: UnixTime,
        /// Until when.
        not_after: UnixTime,
    },
    /// The authority expires so soon that the certificate would be useless.
    #[error("the authority expires at {not_after}, within less than {} s", min_ttl.as_secs())]
    IssuerTooShort {
        /// When the first certificate of the authority expires.
        not_after: UnixTime,
        /// The shortest life that is issued.
        min_ttl: Duration,
    },
    /// The signature came too late; begin again.
    #[error("the signature came too late")]
    JobExpired,
    /// The key to be certified is the authority's own.
    #[error("the key to be certified is the key of the authority")]
    KeyIsIssuer,
    /// The authority may not issue for this trust domain.
    #[error("the authority does not speak for the trust domain `{trust_domain}`")]
    NotAuthoritative {
        /// The trust domain.
        trust_domain: TrustDomain,
    },
    /// The authority cannot have an authority below it: its path length is used up.
    #[error("the path length of the authority leaves no room for another one")]
    PathLength,
    /// A public key is not taken.
    #[error("a public key is not taken: {0}")]
    PublicKey(#[from] PublicKeyError),
    /// The key of the authority is elsewhere: use the two-step form.
    #[error("the key of the authority `{key_ref}` does not sign in this process")]
    RemoteKey {
        /// How the embedder calls the key.
        key_ref: String,
    },
    /// The new certificate does not pass verification with the authority's own roots. It was not released.
    #[error("the new certificate fails verification with the authority's own roots: {0}")]
    SelfCheckFailed(#[source] VerifyError),
    /// The key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The signature of the signer is wrong. Nothing was released.
    #[error("the signer misbehaved: {0}")]
    SignerMisbehaved(#[source] SignatureError),
    /// A named signer does not exist.
    #[error("there is no signer of this name")]
    SignerUnknown {
        /// The name that was asked for.
        name: String,
    },
    /// What was encoded does not read back as what was meant: a fault of this crate. Nothing was released.
    #[error("the new certificate does not read back as it was meant")]
    Template,
    /// There are more DNS names than the limit.
    #[error("there are more than {limit} DNS names")]
    TooManyDnsNames {
        /// The limit.
        limit: usize,
    },
    /// The requested life is longer than allowed.
    #[error("a life of {} s is asked for, and at most {} s are allowed", requested.as_secs(), max.as_secs())]
    TtlTooLong {
        /// What was asked for.
        requested: Duration,
        /// What is allowed.
        max: Duration,
    },
    /// The requested life is shorter than allowed.
    #[error("a life of {} s is asked for, and at least {} s are needed", requested.as_secs(), min.as_secs())]
    TtlTooShort {
        /// What was asked for.
        requested: Duration,
        /// What is needed.
        min: Duration,
    },
    /// The signer signs with a weaker hash than its key deserves.
    #[error("{algorithm} is too weak for the key `{key_id}` of the authority")]
    WeakHash {
        /// How it signs.
        algorithm: SignatureAlgorithm,
        /// The key.
        key_id: KeyId,
    },
}

impl CaError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "ca.certificate",
            Self::CrossSign { .. } => "ca.cross_sign",
            Self::DnsName { .. } => "ca.dns_name",
            Self::Entropy(_) => "ca.entropy",
            Self::Id(_) => "ca.id",
            Self::IssuerExpired { .. } => "ca.issuer_expired",
            Self::IssuerTooShort { .. } => "ca.issuer_too_short",
            Self::JobExpired => "ca.job_expired",
            Self::KeyIsIssuer => "ca.key_is_issuer",
            Self::NotAuthoritative { .. } => "ca.not_authoritative",
            Self::PathLength => "ca.path_length",
            Self::PublicKey(_) => "ca.public_key",
            Self::RemoteKey { .. } => "ca.remote_key",
            Self::SelfCheckFailed(_) => "ca.self_check_failed",
            Self::Sign(_) => "ca.sign",
            Self::SignerMisbehaved(_) => "ca.signer_misbehaved",
            Self::SignerUnknown { .. } => "ca.signer_unknown",
            Self::Template => "ca.template",
            Self::TooManyDnsNames { .. } => "ca.too_many_dns_names",
            Self::TtlTooLong { .. } => "ca.ttl_too_long",
            Self::TtlTooShort { .. } => "ca.ttl_too_short",
            Self::WeakHash { .. } => "ca.weak_hash",
        }
    }

    /// Istio's class of the error: `CSR_ERROR`, `TTL_ERROR`, `CA_NOT_READY` or `CERT_GEN_ERROR`.
    ///
    /// Source: Istio pki/error; ca.md C-ERR-1.
    pub fn istio_class(&self) -> &'static str {
        match self {
            Self::DnsName { .. }
            | Self::KeyIsIssuer
            | Self::NotAuthoritative { .. }
            | Self::TooManyDnsNames { .. } => "CSR_ERROR",
            Self::TtlTooLong { .. } | Self::TtlTooShort { .. } => "TTL_ERROR",
            Self::IssuerExpired { .. } | Self::IssuerTooShort { .. } | Self::RemoteKey { .. } => {
                "CA_NOT_READY"
            }
            _ => "CERT_GEN_ERROR",
        }
    }

    /// What the peer is told: a constant text for each class.
    pub fn status(&self) -> Status {
        match self.istio_class() {
            "CSR_ERROR" => Status::new(StatusCode::InvalidArgument, "certificate signing request refused"),
            "TTL_ERROR" => Status::new(StatusCode::InvalidArgument, "certificate lifetime refused"),
            "CA_NOT_READY" => Status::new(StatusCode::Internal, "certificate authority not ready"),
            _ => Status::new(StatusCode::Internal, "certificate signing failed"),
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.status().code() == StatusCode::Internal
    }
}
