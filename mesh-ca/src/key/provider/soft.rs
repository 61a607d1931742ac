//! Keys in the RustCrypto crates: deterministic signatures.

use ed25519_dalek::Signer as _;

use super::not_offered;
use crate::key::{KeyError, Secret};
use crate::{KeyAlgorithm, SignError, SignatureAlgorithm};

pub(in crate::key) enum Key {
    P256(Box<p256::ecdsa::SigningKey>),
    P384(Box<p384::ecdsa::SigningKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl Key {
    pub(super) fn new(secret: &Secret) -> Result<Self, KeyError> {
        let wrong = |_| KeyError::Secret;
        match secret {
            Secret::Ec {
                algorithm: KeyAlgorithm::EcdsaP384,
                scalar,
                ..
            } => p384::ecdsa::SigningKey::from_slice(scalar)
                .map(|key| Self::P384(Box::new(key)))
                .map_err(wrong),
            Secret::Ec { scalar, .. } => p256::ecdsa::SigningKey::from_slice(scalar)
                .map(|key| Self::P256(Box::new(key)))
                .map_err(wrong),
            Secret::Ed25519 { seed, .. } => {
                let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| KeyError::Secret)?;
                Ok(Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(
                    seed,
                ))))
            }
            Secret::Rsa { bits, .. } => Err(KeyError::NotOffered(KeyAlgorithm::Rsa(*bits))),
        }
    }

    pub(super) fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let kind = match self {
            Self::P256(_) => KeyAlgorithm::EcdsaP256,
            Self::P384(_) => KeyAlgorithm::EcdsaP384,
            Self::Ed25519(_) => KeyAlgorithm::Ed25519,
        };
        if algorithm != SignatureAlgorithm::of_key(kind) {
            return Err(not_offered(algorithm, kind));
        }
        let failed = |error: p256::ecdsa::Error| SignError::Failed(error.to_string());
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::DerSignature = key.try_sign(message).map_err(failed)?;
                Ok(signature.as_bytes().to_vec())
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::DerSignature = key.try_sign(message).map_err(failed)?;
                Ok(signature.as_bytes().to_vec())
            }
            Self::Ed25519(key) => {
                let signature = key.try_sign(message).map_err(failed)?;
                Ok(signature.to_bytes().to_vec())
            }
        }
    }
}
