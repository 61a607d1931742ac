//! Key and signature algorithms, by their X.509 names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of key it is, with its size.
///
/// Source: ca.md C-KEY-1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// ECDSA on P-256. The default.
    #[default]
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
    /// RSA with a modulus of that many bits: 2048 to 8192, divisible by 8. Keys are generated with 2048, 3072 and 4096.
    Rsa(u16),
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ECDSA P-256"),
            Self::EcdsaP384 => f.write_str("ECDSA P-384"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
        }
    }
}

/// How something is signed. SHA-1 and MD5 have no place here (C-KEY-2).
///
/// ```
/// use mesh_ca::{KeyAlgorithm, SignatureAlgorithm};
///
/// assert_eq!(SignatureAlgorithm::of_key(KeyAlgorithm::EcdsaP384), SignatureAlgorithm::EcdsaSha384);
/// assert!(SignatureAlgorithm::EcdsaSha256.fits(KeyAlgorithm::EcdsaP384));
/// assert!(!SignatureAlgorithm::Ed25519.fits(KeyAlgorithm::EcdsaP256));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// ECDSA with SHA-256; the usual one of P-256.
    EcdsaSha256,
    /// ECDSA with SHA-384; the usual one of P-384.
    EcdsaSha384,
    /// Ed25519.
    Ed25519,
    /// RSA PKCS#1 v1.5 with SHA-256; the usual one of RSA.
    RsaPkcs1Sha256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    RsaPkcs1Sha384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    RsaPkcs1Sha512,
    /// RSA-PSS with SHA-256, MGF1 with the same hash, and a salt of its length; for verification.
    RsaPssSha256,
    /// RSA-PSS with SHA-384, likewise.
    RsaPssSha384,
    /// RSA-PSS with SHA-512, likewise.
    RsaPssSha512,
}

impl SignatureAlgorithm {
    /// The algorithm that a key of this kind signs with unless told otherwise.
    pub const fn of_key(key: KeyAlgorithm) -> Self {
        match key {
            KeyAlgorithm::EcdsaP256 => Self::EcdsaSha256,
            KeyAlgorithm::EcdsaP384 => Self::EcdsaSha384,
            KeyAlgorithm::Ed25519 => Self::Ed25519,
            KeyAlgorithm::Rsa(_) => Self::RsaPkcs1Sha256,
        }
    }

    /// Whether a key of this kind can have made such a signature (C-KEY-3).
    pub const fn fits(self, key: KeyAlgorithm) -> bool {
        match self {
            Self::EcdsaSha256 | Self::EcdsaSha384 => {
                matches!(key, KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384)
            }
            Self::Ed25519 => matches!(key, KeyAlgorithm::Ed25519),
            Self::RsaPkcs1Sha256
            | Self::RsaPkcs1Sha384
            | Self::RsaPkcs1Sha512
            | Self::RsaPssSha256
            | Self::RsaPssSha384
            | Self::RsaPssSha512 => matches!(key, KeyAlgorithm::Rsa(_)),
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaSha256 => "ECDSA with SHA-256",
            Self::EcdsaSha384 => "ECDSA with SHA-384",
            Self::Ed25519 => "Ed25519",
            Self::RsaPkcs1Sha256 => "RSA PKCS#1 v1.5 with SHA-256",
            Self::RsaPkcs1Sha384 => "RSA PKCS#1 v1.5 with SHA-384",
            Self::RsaPkcs1Sha512 => "RSA PKCS#1 v1.5 with SHA-512",
            Self::RsaPssSha256 => "RSA-PSS with SHA-256",
            Self::RsaPssSha384 => "RSA-PSS with SHA-384",
            Self::RsaPssSha512 => "RSA-PSS with SHA-512",
        })
    }
}
