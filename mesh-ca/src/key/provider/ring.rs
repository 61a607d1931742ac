//! Keys in ring.

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaKeyPair,
};

use super::{failed, not_offered};
use crate::key::{KeyError, Secret};
use crate::{KeyAlgorithm, SignError, SignatureAlgorithm};

pub(in crate::key) enum Key {
    Ecdsa(EcdsaKeyPair, SystemRandom),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>, SystemRandom),
}

impl Key {
    pub(super) fn new(secret: &Secret) -> Result<Self, KeyError> {
        match secret {
            Secret::Ec {
                algorithm,
                scalar,
                point,
            } => {
                let scheme = match algorithm {
                    KeyAlgorithm::EcdsaP384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
                    _ => &ECDSA_P256_SHA256_ASN1_SIGNING,
                };
                let random = SystemRandom::new();
                EcdsaKeyPair::from_private_key_and_public_key(scheme, scalar, point, &random)
                    .map(|key| Self::Ecdsa(key, random))
                    .map_err(|_| KeyError::Secret)
            }
            Secret::Ed25519 { seed, public } => Ed25519KeyPair::from_seed_and_public_key(seed, public)
                .map(Self::Ed25519)
                .map_err(|_| KeyError::Secret),
            Secret::Rsa { bits, .. } if *bits > 4096 => Err(KeyError::NotOffered(KeyAlgorithm::Rsa(*bits))),
            Secret::Rsa { pkcs1, .. } => {
                let key = RsaKeyPair::from_der(pkcs1).map_err(|_| KeyError::Secret)?;
                Ok(Self::Rsa(Box::new(key), SystemRandom::new()))
            }
        }
    }

    pub(super) fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Ecdsa(key, random) => key
                .sign(random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| failed("ring's source of nonces")),
            Self::Ed25519(key) => Ok(key.sign(message).as_ref().to_vec()),
            Self::Rsa(key, random) => {
                let length = key.public().modulus_len();
                let padding = match algorithm {
                    SignatureAlgorithm::RsaPkcs1Sha256 => &RSA_PKCS1_SHA256,
                    SignatureAlgorithm::RsaPkcs1Sha384 => &RSA_PKCS1_SHA384,
                    SignatureAlgorithm::RsaPkcs1Sha512 => &RSA_PKCS1_SHA512,
                    other => {
                        let bits = u16::try_from(length.saturating_mul(8)).unwrap_or(u16::MAX);
                        return Err(not_offered(other, KeyAlgorithm::Rsa(bits)));
                    }
                };
                let mut signature = vec![0; length];
                key.sign(padding, random, message, &mut signature)
                    .map_err(|_| failed("ring's RSA signature"))?;
                Ok(signature)
            }
        }
    }
}
