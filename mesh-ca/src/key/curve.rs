//! Public keys from secrets.
//!
//! ring derives no public point from a scalar and takes random bytes only from its own generator, so that with the
//! feature `ring` the RustCrypto crates do this part, and its keys come from the caller's randomness too (C-KEY-5).

use crate::KeyAlgorithm;

/// The uncompressed point of a scalar; nothing if the scalar is out of range.
#[cfg(any(feature = "ring", feature = "soft"))]
pub(super) fn ec_public(algorithm: KeyAlgorithm, scalar: &[u8]) -> Option<Vec<u8>> {
    use p256::elliptic_curve::sec1::ToEncodedPoint as _;
    match algorithm {
        KeyAlgorithm::EcdsaP256 => {
            let point = p256::SecretKey::from_slice(scalar).ok()?.public_key();
            Some(point.to_encoded_point(false).as_bytes().to_vec())
        }
        KeyAlgorithm::EcdsaP384 => {
            let point = p384::SecretKey::from_slice(scalar).ok()?.public_key();
            Some(point.to_encoded_point(false).as_bytes().to_vec())
        }
        _ => None,
    }
}

#[cfg(not(any(feature = "ring", feature = "soft")))]
pub(super) fn ec_public(algorithm: KeyAlgorithm, scalar: &[u8]) -> Option<Vec<u8>> {
    super::provider::aws_lc_ec_public(algorithm, scalar)
}

/// Whether the point of an elliptic curve lies on it; other keys have none.
#[cfg(feature = "x509")]
pub(crate) fn is_on_curve(algorithm: KeyAlgorithm, point: &[u8]) -> bool {
    #[cfg(any(feature = "ring", feature = "soft"))]
    match algorithm {
        KeyAlgorithm::EcdsaP256 => p256::PublicKey::from_sec1_bytes(point).is_ok(),
        KeyAlgorithm::EcdsaP384 => p384::PublicKey::from_sec1_bytes(point).is_ok(),
        _ => true,
    }
    #[cfg(not(any(feature = "ring", feature = "soft")))]
    {
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ParsedPublicKey};
        match algorithm {
            KeyAlgorithm::EcdsaP256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).is_ok(),
            KeyAlgorithm::EcdsaP384 => ParsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, point).is_ok(),
            _ => true,
        }
    }
}

/// The public key of a seed; nothing if it has not 32 bytes.
pub(super) fn ed25519_public(seed: &[u8]) -> Option<Vec<u8>> {
    #[cfg(feature = "ring")]
    {
        use ring::signature::KeyPair as _;
        let key = ring::signature::Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        Some(key.public_key().as_ref().to_vec())
    }
    #[cfg(all(feature = "soft", not(feature = "ring")))]
    {
        let seed: &[u8; 32] = seed.try_into().ok()?;
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        Some(key.verifying_key().to_bytes().to_vec())
    }
    #[cfg(not(any(feature = "ring", feature = "soft")))]
    {
        use aws_lc_rs::signature::KeyPair as _;
        let key = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        Some(key.public_key().as_ref().to_vec())
    }
}
