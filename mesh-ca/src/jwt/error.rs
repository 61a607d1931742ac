use crate::time::UnixTime;
use crate::{IdError, KeyAlgorithm, Status, StatusCode, TrustDomain};

use super::JwsAlgorithm;

/// Why a token is refused.
///
/// The texts name no key material and no claim but those that the caller's own policy is about.
///
/// Spec: JWT-SVID; RFC 7515, 7519. Source: ca.md C-JWT-1..11.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// The algorithm is `none`, symmetric, or another that JWT-SVIDs may not use.
    #[error("the algorithm of the token is not allowed")]
    AlgForbidden,
    /// The algorithm is legal, but nothing here verifies it.
    #[error("no backend verifies {0}")]
    AlgUnsupported(JwsAlgorithm),
    /// The token is for none of the accepted audiences.
    #[error("the token is for none of the accepted audiences")]
    Audience,
    /// A claim that is needed is missing or has a wrong type.
    #[error("the claim `{0}` is missing or has a wrong form")]
    ClaimInvalid(&'static str),
    /// The token ran out.
    #[error("the token ran out at {expires}, it is {now}")]
    Expired {
        /// When it ran out.
        expires: UnixTime,
        /// The time that was given.
        now: UnixTime,
    },
    /// The header has a member that is not allowed: all but `alg`, `kid` and `typ`.
    #[error("the header has the member `{0}`")]
    HeaderNotAllowed(Box<str>),
    /// The token names no key, and the policy wants one.
    #[error("the token names no key")]
    KeyIdMissing,
    /// The algorithm of the token is none for the key that it names.
    #[error("{algorithm} is no algorithm of a key of {key}")]
    KeyMismatch {
        /// What the token says.
        algorithm: JwsAlgorithm,
        /// What the key is.
        key: KeyAlgorithm,
    },
    /// The token is no compact JWS of strict base64url and JSON.
    #[error("the token is malformed: {0}")]
    Malformed(Box<str>),
    /// No audience is accepted: a mistake of the caller, which must name one.
    #[error("no accepted audience was given")]
    NoAudienceAccepted,
    /// The token is not valid yet (`nbf`), or was made in the future (`iat`).
    #[error("the token is not valid before {valid_from}, it is {now}")]
    NotYetValid {
        /// When it becomes valid.
        valid_from: UnixTime,
        /// The time that was given.
        now: UnixTime,
    },
    /// The signature is wrong.
    #[error("the signature of the token is wrong")]
    Signature,
    /// The subject is no SPIFFE id.
    #[error("the subject is no SPIFFE id: {0}")]
    Subject(IdError),
    /// The token is larger than the limit.
    #[error("the token is larger than {0} bytes")]
    TooLarge(usize),
    /// The type in the header is neither `JWT` nor `JOSE`.
    #[error("the type of the token is neither `JWT` nor `JOSE`")]
    TypForbidden,
    /// No key of that name is in the bundle of the subject's trust domain.
    #[error("the trust domain `{0}` has no such key")]
    UnknownKey(TrustDomain),
    /// There is no bundle of the subject's trust domain.
    #[error("there is no bundle of the trust domain `{0}`")]
    UntrustedDomain(TrustDomain),
    /// It is a token of another kind, such as a WIT.
    #[error("the token is of another kind")]
    WrongTokenKind,
}

impl JwtError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlgForbidden => "jwt.alg_forbidden",
            Self::AlgUnsupported(_) => "jwt.alg_unsupported",
            Self::Audience => "jwt.audience",
            Self::ClaimInvalid(_) => "jwt.claim_invalid",
            Self::Expired { .. } => "jwt.expired",
            Self::HeaderNotAllowed(_) => "jwt.header_not_allowed",
            Self::KeyIdMissing => "jwt.key_id_missing",
            Self::KeyMismatch { .. } => "jwt.key_mismatch",
            Self::Malformed(_) => "jwt.malformed",
            Self::NoAudienceAccepted => "jwt.no_audience_accepted",
            Self::NotYetValid { .. } => "jwt.not_yet_valid",
            Self::Signature => "jwt.signature",
            Self::Subject(_) => "jwt.subject",
            Self::TooLarge(_) => "jwt.too_large",
            Self::TypForbidden => "jwt.typ_forbidden",
            Self::UnknownKey(_) => "jwt.unknown_key",
            Self::UntrustedDomain(_) => "jwt.untrusted_domain",
            Self::WrongTokenKind => "jwt.wrong_token_kind",
        }
    }

    /// What the peer is told: the same for every reason.
    ///
    /// Source: ca.md C-ERR-2.
    pub fn status(&self) -> Status {
        Status::new(
            StatusCode::Unauthenticated,
            "the token of the peer is not accepted",
        )
    }

    /// Whether the same token may be accepted later without a change of configuration: not, but for one that is not valid
    /// yet.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::NotYetValid { .. })
    }

    pub(super) fn malformed(why: impl Into<Box<str>>) -> Self {
        Self::Malformed(why.into())
    }
}
