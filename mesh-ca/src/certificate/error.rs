//! Why bytes are no certificate.

use crate::der::DerError;

/// Why bytes are no X.509 certificate that this crate reads.
///
/// ```
/// use mesh_ca::Certificate;
///
/// assert_eq!(Certificate::parse(&[0x30, 0x80]).unwrap_err().code(), "der.length");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The signature algorithms inside and outside the signed part differ.
    #[error("the signature algorithms inside and outside differ")]
    AlgorithmMismatch,
    /// The bytes are no strict DER, or not of the shape of a certificate.
    #[error("the certificate is malformed: {0}")]
    Der(#[from] DerError),
    /// An extension is there twice.
    #[error("the extension `{oid}` is there twice")]
    DuplicateExtension {
        /// Its object identifier.
        oid: String,
    },
    /// The value of an extension is malformed.
    #[error("the extension `{name}` is malformed: {error}")]
    Extension {
        /// Its name, as RFC 5280 has it.
        name: &'static str,
        /// What is wrong, at an offset within the value.
        error: DerError,
    },
    /// The certificate is larger than the limit.
    #[error("the certificate is too large")]
    TooLarge,
    /// There are more subject alternative names than the limit.
    #[error("there are too many subject alternative names")]
    TooManyNames,
    /// The version is unknown, or fields are there that this version does not have.
    #[error("the version of the certificate is wrong")]
    Version,
}

impl CertificateError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlgorithmMismatch => "certificate.algorithm_mismatch",
            Self::Der(error) => error.kind().code(),
            Self::DuplicateExtension { .. } => "certificate.duplicate_extension",
            Self::Extension { .. } => "certificate.extension",
            Self::TooLarge => "certificate.too_large",
            Self::TooManyNames => "certificate.too_many_names",
            Self::Version => "certificate.version",
        }
    }
}
