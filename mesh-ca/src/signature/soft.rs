//! Signatures by the RustCrypto crates.

use ed25519_dalek::Verifier as _;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use sha2::{Digest, Sha256, Sha384};

use super::{SignatureError, SignatureVerifier};
use crate::{KeyAlgorithm, PublicKeyInfo, SignatureAlgorithm};

/// Checks signatures with the RustCrypto crates: ECDSA and Ed25519, no RSA. Needs the feature `soft`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SoftVerifier;

impl SignatureVerifier for SoftVerifier {
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &PublicKeyInfo<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let digest = match algorithm {
            SignatureAlgorithm::EcdsaSha256 => Sha256::digest(message).to_vec(),
            SignatureAlgorithm::EcdsaSha384 => Sha384::digest(message).to_vec(),
            SignatureAlgorithm::Ed25519 => return ed25519(key.key_bytes(), message, signature),
            other => return Err(SignatureError::NotOffered(other)),
        };
        match key.algorithm() {
            KeyAlgorithm::EcdsaP256 => p256(key.key_bytes(), &digest, signature),
            KeyAlgorithm::EcdsaP384 => p384(key.key_bytes(), &digest, signature),
            _ => Err(SignatureError::KeyMismatch),
        }
    }
}

fn p256(key: &[u8], digest: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let invalid = |_| SignatureError::Invalid;
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(invalid)?;
    let signature = p256::ecdsa::Signature::from_der(signature).map_err(invalid)?;
    key.verify_prehash(digest, &signature).map_err(invalid)
}

fn p384(key: &[u8], digest: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let invalid = |_| SignatureError::Invalid;
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(invalid)?;
    let signature = p384::ecdsa::Signature::from_der(signature).map_err(invalid)?;
    key.verify_prehash(digest, &signature).map_err(invalid)
}

fn ed25519(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let key: &[u8; 32] = key.try_into().map_err(|_| SignatureError::Invalid)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(key).map_err(|_| SignatureError::Invalid)?;
    let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| SignatureError::Invalid)?;
    key.verify(message, &signature)
        .map_err(|_| SignatureError::Invalid)
}
