//! Signatures by AWS-LC.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

use super::{SignatureError, SignatureVerifier};
use crate::{KeyAlgorithm, PublicKeyInfo, SignatureAlgorithm};

/// Checks signatures with AWS-LC: all algorithms of [`SignatureAlgorithm`]. Needs the feature `aws-lc`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AwsLcVerifier;

impl SignatureVerifier for AwsLcVerifier {
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &PublicKeyInfo<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let scheme: &'static dyn VerificationAlgorithm = match (algorithm, key.algorithm()) {
            (SignatureAlgorithm::EcdsaSha256, KeyAlgorithm::EcdsaP256) => &signature::ECDSA_P256_SHA256_ASN1,
            (SignatureAlgorithm::EcdsaSha384, KeyAlgorithm::EcdsaP256) => &signature::ECDSA_P256_SHA384_ASN1,
            (SignatureAlgorithm::EcdsaSha256, KeyAlgorithm::EcdsaP384) => &signature::ECDSA_P384_SHA256_ASN1,
            (SignatureAlgorithm::EcdsaSha384, KeyAlgorithm::EcdsaP384) => &signature::ECDSA_P384_SHA384_ASN1,
            (SignatureAlgorithm::Ed25519, KeyAlgorithm::Ed25519) => &signature::ED25519,
            (SignatureAlgorithm::RsaPkcs1Sha256, KeyAlgorithm::Rsa(_)) => {
                &signature::RSA_PKCS1_2048_8192_SHA256
            }
            (SignatureAlgorithm::RsaPkcs1Sha384, KeyAlgorithm::Rsa(_)) => {
                &signature::RSA_PKCS1_2048_8192_SHA384
            }
            (SignatureAlgorithm::RsaPkcs1Sha512, KeyAlgorithm::Rsa(_)) => {
                &signature::RSA_PKCS1_2048_8192_SHA512
            }
            (SignatureAlgorithm::RsaPssSha256, KeyAlgorithm::Rsa(_)) => &signature::RSA_PSS_2048_8192_SHA256,
            (SignatureAlgorithm::RsaPssSha384, KeyAlgorithm::Rsa(_)) => &signature::RSA_PSS_2048_8192_SHA384,
            (SignatureAlgorithm::RsaPssSha512, KeyAlgorithm::Rsa(_)) => &signature::RSA_PSS_2048_8192_SHA512,
            _ => return Err(SignatureError::KeyMismatch),
        };
        UnparsedPublicKey::new(scheme, key.key_bytes())
            .verify(message, signature)
            .map_err(|_| SignatureError::Invalid)
    }
}
