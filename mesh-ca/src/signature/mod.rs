//! Checking signatures: the trait, and what each provider offers.

use std::fmt;

use crate::der::{
    DerError, Element, INTEGER, NULL, OBJECT_IDENTIFIER, Reader, SEQUENCE, Writer, context_constructed,
};
use crate::oid;
use crate::{PublicKeyInfo, SignatureAlgorithm};

#[cfg(feature = "aws-lc")]
mod aws_lc;
#[cfg(feature = "ring")]
mod ring;
#[cfg(feature = "soft")]
mod soft;

#[cfg(feature = "aws-lc")]
pub use self::aws_lc::AwsLcVerifier;
#[cfg(feature = "ring")]
pub use self::ring::RingVerifier;
#[cfg(feature = "soft")]
pub use self::soft::SoftVerifier;

/// Checks signatures. The providers behind the features `ring`, `soft` and `aws-lc` implement it, and an embedder can
/// bring another one.
///
/// Spec: ca.md C-KEY-2, C-API-3.
pub trait SignatureVerifier: fmt::Debug + Send + Sync {
    /// Checks that `signature` is one of `key` over `message`. The algorithm fits the key: callers in this crate have
    /// seen to that.
    ///
    /// # Errors
    /// [`SignatureError::Invalid`] for a wrong signature or a point that is not on its curve,
    /// [`SignatureError::NotOffered`] for an algorithm that this provider does not have.
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &PublicKeyInfo<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError>;
}

/// The provider that is used where none is named: that of the feature `ring`, else of `aws-lc`, else of `soft` (which has
/// no RSA). With none of them, every signature is refused with [`SignatureError::NotOffered`].
pub fn default_verifier() -> &'static dyn SignatureVerifier {
    #[cfg(feature = "ring")]
    return &RingVerifier;
    #[cfg(all(feature = "aws-lc", not(feature = "ring")))]
    return &AwsLcVerifier;
    #[cfg(all(feature = "soft", not(any(feature = "ring", feature = "aws-lc"))))]
    return &SoftVerifier;
    #[cfg(not(any(feature = "ring", feature = "aws-lc", feature = "soft")))]
    return &NoProvider;
}

/// Checks a signature after having looked whether such a key can have made it (C-KEY-3).
pub(crate) fn verify_signature(
    verifier: &dyn SignatureVerifier,
    algorithm: SignatureAlgorithm,
    key: &PublicKeyInfo<'_>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    if !algorithm.fits(key.algorithm()) {
        return Err(SignatureError::KeyMismatch);
    }
    verifier.verify(algorithm, key, message, signature)
}

/// Why a signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The algorithm identifier is no strict DER.
    #[error("the signature algorithm is malformed: {0}")]
    Der(#[from] DerError),
    /// The signature is not one of the key over the message.
    #[error("the signature is wrong")]
    Invalid,
    /// A key of this kind cannot have made such a signature.
    #[error("the signature algorithm does not fit the key")]
    KeyMismatch,
    /// The provider does not have the algorithm.
    #[error("the provider does not offer {0}")]
    NotOffered(SignatureAlgorithm),
    /// The algorithm parameters are not those of the algorithm.
    #[error("the parameters of the signature algorithm are wrong")]
    Parameters,
    /// The algorithm is not allowed (SHA-1, MD5), or not known.
    #[error("the signature algorithm `{name}` is not supported")]
    UnsupportedAlgorithm {
        /// Its name, or its object identifier where it has none here.
        name: String,
    },
}

impl SignatureError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Der(_) => "signature.der",
            Self::Invalid => "signature.invalid",
            Self::KeyMismatch => "signature.key_mismatch",
            Self::NotOffered(_) => "signature.not_offered",
            Self::Parameters => "signature.parameters",
            Self::UnsupportedAlgorithm { .. } => "signature.unsupported_algorithm",
        }
    }
}

/// Refuses everything: there is no provider among the features.
#[cfg(not(any(feature = "ring", feature = "aws-lc", feature = "soft")))]
#[derive(Debug)]
struct NoProvider;

#[cfg(not(any(feature = "ring", feature = "aws-lc", feature = "soft")))]
impl SignatureVerifier for NoProvider {
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        _: &PublicKeyInfo<'_>,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), SignatureError> {
        Err(SignatureError::NotOffered(algorithm))
    }
}

/// The algorithm that an AlgorithmIdentifier names, with exactly its parameters (C-KEY-2).
pub(crate) fn parse_identifier(identifier: &Element<'_>) -> Result<SignatureAlgorithm, SignatureError> {
    let mut parameters = identifier.reader()?;
    let algorithm = parameters.read(OBJECT_IDENTIFIER)?.oid()?;
    let (algorithm, wanted): (_, &[u8]) = match algorithm {
        oid::ECDSA_SHA256 => (SignatureAlgorithm::EcdsaSha256, &[]),
        oid::ECDSA_SHA384 => (SignatureAlgorithm::EcdsaSha384, &[]),
        oid::ED25519 => (SignatureAlgorithm::Ed25519, &[]),
        oid::RSA_SHA256 => (SignatureAlgorithm::RsaPkcs1Sha256, &DER_NULL),
        oid::RSA_SHA384 => (SignatureAlgorithm::RsaPkcs1Sha384, &DER_NULL),
        oid::RSA_SHA512 => (SignatureAlgorithm::RsaPkcs1Sha512, &DER_NULL),
        oid::RSA_PSS => return parse_pss(parameters),
        other => return Err(unsupported(other)),
    };
    // Most algorithms have none. Comparing empty slices is not free: they point nowhere, which some `memcmp`s load from.
    if wanted.is_empty() != parameters.is_empty() {
        return Err(SignatureError::Parameters);
    }
    if !wanted.is_empty() && (parameters.any()?.der != wanted || !parameters.is_empty()) {
        return Err(SignatureError::Parameters);
    }
    Ok(algorithm)
}

/// Writes the AlgorithmIdentifier.
pub(crate) fn write_identifier(writer: &mut Writer, algorithm: SignatureAlgorithm) {
    writer.nested(SEQUENCE, |identifier| match algorithm {
        SignatureAlgorithm::EcdsaSha256 => identifier.oid(oid::ECDSA_SHA256),
        SignatureAlgorithm::EcdsaSha384 => identifier.oid(oid::ECDSA_SHA384),
        SignatureAlgorithm::Ed25519 => identifier.oid(oid::ED25519),
        SignatureAlgorithm::RsaPkcs1Sha256 => with_null(identifier, oid::RSA_SHA256),
        SignatureAlgorithm::RsaPkcs1Sha384 => with_null(identifier, oid::RSA_SHA384),
        SignatureAlgorithm::RsaPkcs1Sha512 => with_null(identifier, oid::RSA_SHA512),
        SignatureAlgorithm::RsaPssSha256 => write_pss(identifier, oid::SHA256, 32),
        SignatureAlgorithm::RsaPssSha384 => write_pss(identifier, oid::SHA384, 48),
        SignatureAlgorithm::RsaPssSha512 => write_pss(identifier, oid::SHA512, 64),
    });
}

const DER_NULL: [u8; 2] = [NULL, 0];

fn with_null(identifier: &mut Writer, algorithm: &[u8]) {
    identifier.oid(algorithm);
    identifier.value(NULL, &[]);
}

fn write_pss(identifier: &mut Writer, hash: &[u8], salt: u8) {
    identifier.oid(oid::RSA_PSS);
    identifier.nested(SEQUENCE, |parameters| {
        parameters.nested(context_constructed(0), |tagged| {
            tagged.nested(SEQUENCE, |identifier| with_null(identifier, hash));
        });
        parameters.nested(context_constructed(1), |tagged| {
            tagged.nested(SEQUENCE, |identifier| {
                identifier.oid(oid::MGF1);
                identifier.nested(SEQUENCE, |inner| with_null(inner, hash));
            });
        });
        parameters.nested(context_constructed(2), |tagged| tagged.unsigned(&[salt]));
    });
}

/// RSASSA-PSS-params with one hash for both, a salt of its length and the default trailer. Spec: RFC 4055 §3.1.
fn parse_pss(mut parameters: Reader<'_>) -> Result<SignatureAlgorithm, SignatureError> {
    let wrong = |_: DerError| SignatureError::Parameters;
    let mut fields = parameters.nested(SEQUENCE).map_err(wrong)?;
    parameters.finish().map_err(wrong)?;
    let mut tagged = fields.nested(context_constructed(0)).map_err(wrong)?;
    let hash = hash_identifier(&mut tagged)?;
    tagged.finish().map_err(wrong)?;
    let mut tagged = fields.nested(context_constructed(1)).map_err(wrong)?;
    let mut generator = tagged.nested(SEQUENCE).map_err(wrong)?;
    tagged.finish().map_err(wrong)?;
    let is_mgf1 = generator.read(OBJECT_IDENTIFIER).map_err(wrong)?.content == oid::MGF1;
    let generator_hash = hash_identifier(&mut generator)?;
    generator.finish().map_err(wrong)?;
    let mut tagged = fields.nested(context_constructed(2)).map_err(wrong)?;
    let salt = tagged.read(INTEGER).map_err(wrong)?.u64().map_err(wrong)?;
    tagged.finish().map_err(wrong)?;
    fields.finish().map_err(wrong)?;
    if !is_mgf1 || hash != generator_hash {
        return Err(SignatureError::Parameters);
    }
    match (hash, salt) {
        (oid::SHA256, 32) => Ok(SignatureAlgorithm::RsaPssSha256),
        (oid::SHA384, 48) => Ok(SignatureAlgorithm::RsaPssSha384),
        (oid::SHA512, 64) => Ok(SignatureAlgorithm::RsaPssSha512),
        _ => Err(SignatureError::Parameters),
    }
}

/// The object identifier of a hash, whose parameters are NULL or absent (RFC 4055 §2.1 allows both).
fn hash_identifier<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], SignatureError> {
    let wrong = |_: DerError| SignatureError::Parameters;
    let mut identifier = reader.nested(SEQUENCE).map_err(wrong)?;
    let hash = identifier.read(OBJECT_IDENTIFIER).map_err(wrong)?.content;
    if let Some(null) = identifier.optional(NULL).map_err(wrong)?
        && !null.content.is_empty()
    {
        return Err(SignatureError::Parameters);
    }
    identifier.finish().map_err(wrong)?;
    Ok(hash)
}

fn unsupported(algorithm: &[u8]) -> SignatureError {
    let dotted = oid::dotted(algorithm);
    let name = match dotted.as_str() {
        "1.2.840.10045.4.1" => "ECDSA with SHA-1",
        "1.2.840.10045.4.3.1" => "ECDSA with SHA-224",
        "1.2.840.10045.4.3.4" => "ECDSA with SHA-512",
        "1.2.840.113549.1.1.2" => "RSA with MD2",
        "1.2.840.113549.1.1.4" => "RSA with MD5",
        "1.2.840.113549.1.1.5" => "RSA with SHA-1",
        "1.2.840.113549.1.1.14" => "RSA with SHA-224",
        "1.2.840.10040.4.3" => "DSA with SHA-1",
        "1.3.101.113" => "Ed448",
        "2.16.840.1.101.3.4.3.2" => "DSA with SHA-256",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        other => other,
    };
    SignatureError::UnsupportedAlgorithm {
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
