//! Keys in AWS-LC.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaKeyPair,
};

use super::{failed, not_offered};
use crate::key::{KeyError, Secret, import};
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
                EcdsaKeyPair::from_private_key_and_public_key(scheme, scalar, point)
                    .map(|key| Self::Ecdsa(key, SystemRandom::new()))
                    .map_err(|_| KeyError::Secret)
            }
            Secret::Ed25519 { seed, public } => Ed25519KeyPair::from_seed_and_public_key(seed, public)
                .map(Self::Ed25519)
                .map_err(|_| KeyError::Secret),
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
                .map_err(|_| failed("AWS-LC's ECDSA signature")),
            Self::Ed25519(key) => Ok(key.sign(message).as_ref().to_vec()),
            Self::Rsa(key, random) => {
                let length = key.public_modulus_len();
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
                    .map_err(|_| failed("AWS-LC's RSA signature"))?;
                Ok(signature)
            }
        }
    }
}

/// The uncompressed point of a scalar; nothing if the scalar is out of range.
#[cfg(not(any(feature = "ring", feature = "soft")))]
pub(in crate::key) fn ec_public(algorithm: KeyAlgorithm, scalar: &[u8]) -> Option<Vec<u8>> {
    use aws_lc_rs::signature::KeyPair as _;
    let (scheme, length) = match algorithm {
        KeyAlgorithm::EcdsaP256 => (&ECDSA_P256_SHA256_ASN1_SIGNING, 32),
        KeyAlgorithm::EcdsaP384 => (&ECDSA_P384_SHA384_ASN1_SIGNING, 48),
        _ => return None,
    };
    if scalar.len() != length {
        return None;
    }
    let sec1 = crate::key::export::sec1_without_point(algorithm, scalar);
    let key = EcdsaKeyPair::from_private_key_der(scheme, &sec1).ok()?;
    Some(key.public_key().as_ref().to_vec())
}

/// A new RSA key. AWS-LC draws it from its own generator.
pub(super) fn generate_rsa(bits: u16) -> Result<Secret, KeyError> {
    let size = match bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        _ => return Err(KeyError::NotOffered(KeyAlgorithm::Rsa(bits))),
    };
    let key = aws_lc_rs::rsa::KeyPair::generate(size).map_err(|_| KeyError::Secret)?;
    let pkcs8: Pkcs8V1Der<'_> = key.as_der().map_err(|_| KeyError::Secret)?;
    import::pkcs8(pkcs8.as_ref())
}
