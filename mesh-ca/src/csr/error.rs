//! Why a signing request is refused.

use crate::certificate::CertificateError;
use crate::der::DerError;
use crate::pem::PemError;
use crate::{IdError, PublicKeyError, SignatureError, Status, StatusCode};

/// Why a signing request is refused: the first rule that it breaks, in the order of [`CsrPolicy::check`].
///
/// [`CsrPolicy::check`]: crate::CsrPolicy::check
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrError {
    /// An attribute other than extensionRequest is there.
    #[error("the attribute `{oid}` is not allowed")]
    AttributeNotAllowed {
        /// Its object identifier.
        oid: String,
    },
    /// The field of attributes is missing; without attributes it must be there and be empty.
    #[error("the field of attributes is missing")]
    AttributesMissing,
    /// A workload asks for a certificate that could issue others.
    #[error("the request asks for a CA certificate")]
    CaRequested,
    /// The request is no strict DER, or not of the shape of a request.
    #[error("the request is malformed: {0}")]
    Der(#[from] DerError),
    /// An attribute is there twice.
    #[error("the attribute `{oid}` is there twice")]
    DuplicateAttribute {
        /// Its object identifier.
        oid: String,
    },
    /// A requested extension is malformed, or there twice.
    #[error("a requested extension is wrong: {0}")]
    Extension(#[source] CertificateError),
    /// A requested extension is not allowed.
    #[error("the extension `{oid}` is not allowed")]
    ExtensionNotAllowed {
        /// Its object identifier.
        oid: String,
    },
    /// extensionRequest has no value, or more than one.
    #[error("extensionRequest has not exactly one value")]
    ExtensionRequestValues,
    /// The URI name is no SPIFFE id.
    #[error("the URI name is no SPIFFE id: {0}")]
    Id(#[source] IdError),
    /// The SPIFFE id names a trust domain where a workload is asked for, or the other way round.
    #[error("the SPIFFE id has a path where none may be, or none where one must be")]
    IdKind,
    /// The key is on the deny list.
    #[error("the key is denied")]
    KeyDenied,
    /// The key is one of the authority's own.
    #[error("the key is a key of the authority")]
    KeyIsIssuer,
    /// There is more than one URI name.
    #[error("there is more than one URI name")]
    MultipleUriSans,
    /// There is no URI name.
    #[error("there is no URI name")]
    NoUriSan,
    /// The text is no PEM of one request.
    #[error("the request is no PEM of one request: {0}")]
    Pem(#[from] PemError),
    /// The public key is not taken.
    #[error("the key of the request is not taken: {0}")]
    PublicKey(#[source] PublicKeyError),
    /// A name is of a kind that is not allowed, or malformed.
    #[error("a name of the kind {kind} is not allowed or malformed")]
    SanNotAllowed {
        /// The kind, as RFC 5280 has it.
        kind: &'static str,
    },
    /// The signature, or its algorithm, is not accepted.
    #[error("the signature of the request is not accepted: {0}")]
    Signature(#[source] SignatureError),
    /// The subject is malformed or larger than 4 KiB.
    #[error("the subject is malformed or too large")]
    Subject,
    /// The request is larger than the limit.
    #[error("the request is too large")]
    TooLarge,
    /// There are more names than the limit.
    #[error("there are too many names")]
    TooManyNames,
    /// The version is not 0.
    #[error("the version of the request is not 0")]
    Version,
}

impl CsrError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AttributeNotAllowed { .. } => "csr.attribute_not_allowed",
            Self::AttributesMissing => "csr.attributes_missing",
            Self::CaRequested => "csr.ca_requested",
            Self::Der(_) => "csr.der",
            Self::DuplicateAttribute { .. } => "csr.duplicate_attribute",
            Self::Extension(_) => "csr.extension",
            Self::ExtensionNotAllowed { .. } => "csr.extension_not_allowed",
            Self::ExtensionRequestValues => "csr.extension_request_values",
            Self::Id(_) => "csr.id",
            Self::IdKind => "csr.id_kind",
            Self::KeyDenied => "csr.key_denied",
            Self::KeyIsIssuer => "csr.key_is_issuer",
            Self::MultipleUriSans => "csr.multiple_uri_sans",
            Self::NoUriSan => "csr.no_uri_san",
            Self::Pem(_) => "csr.pem",
            Self::PublicKey(_) => "csr.public_key",
            Self::SanNotAllowed { .. } => "csr.san_not_allowed",
            Self::Signature(_) => "csr.signature",
            Self::Subject => "csr.subject",
            Self::TooLarge => "csr.too_large",
            Self::TooManyNames => "csr.too_many_names",
            Self::Version => "csr.version",
        }
    }

    /// Istio's class of the error. Source: Istio pki/error CSRError.
    pub fn istio_class(&self) -> &'static str {
        "CSR_ERROR"
    }

    /// What the peer is told: the same for every reason (C-AUTH-8, C-ERR-2).
    pub fn status(&self) -> Status {
        Status::new(StatusCode::InvalidArgument, "certificate signing request refused")
    }

    /// Asking again with the same request will not help.
    pub fn is_retryable(&self) -> bool {
        false
    }
}
