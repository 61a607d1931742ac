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

impl KeyAlgorithm {
    /// The kind of key that Istio's agents make for their options `ECC_SIGNATURE_ALGORITHM`, `ECC_CURVE` and
    /// `WORKLOAD_RSA_KEY_SIZE`; nothing for options that name no key of these. A signature algorithm that is empty means
    /// RSA, of 2048, 3072 or 4096 bits; the other one is `ECDSA`, with the curve `P256`, which is the default, or `P384`.
    ///
    /// Istio takes a curve that it does not know for `P256`; here it is refused.
    ///
    /// ```
    /// use mesh_ca::KeyAlgorithm;
    ///
    /// assert_eq!(KeyAlgorithm::from_istio_options("", "", 2048), Some(KeyAlgorithm::Rsa(2048)));
    /// assert_eq!(KeyAlgorithm::from_istio_options("ECDSA", "P384", 2048), Some(KeyAlgorithm::EcdsaP384));
    /// assert_eq!(KeyAlgorithm::from_istio_options("ED25519", "", 2048), None);
    /// ```
    ///
    /// Source: Istio generate_csr.go GenCSR; ca.md C-KEY-1.
    pub fn from_istio_options(
        ecc_signature_algorithm: &str,
        ecc_curve: &str,
        rsa_key_size: u16,
    ) -> Option<Self> {
        match (ecc_signature_algorithm, ecc_curve, rsa_key_size) {
            ("", _, 2048 | 3072 | 4096) => Some(Self::Rsa(rsa_key_size)),
            ("ECDSA", "" | "P256", _) => Some(Self::EcdsaP256),
            ("ECDSA", "P384", _) => Some(Self::EcdsaP384),
            _ => None,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// C-KEY-1: options of Istio's agents name keys that are made here, or none.
    #[test]
    fn options_of_istio_name_keys() {
        let found = KeyAlgorithm::from_istio_options;
        assert_eq!(found("", "P384", 4096), Some(KeyAlgorithm::Rsa(4096)));
        assert_eq!(found("ECDSA", "", 0), Some(KeyAlgorithm::EcdsaP256));
        assert_eq!(found("ECDSA", "P256", 0), Some(KeyAlgorithm::EcdsaP256));
        for (algorithm, curve, bits) in [
            ("", "", 0),
            ("", "", 1024),
            ("", "", 2049),
            ("ECDSA", "P521", 2048),
            ("ecdsa", "P256", 2048),
            ("ED25519", "", 2048),
        ] {
            assert_eq!(found(algorithm, curve, bits), None, "{algorithm} {curve} {bits}");
        }
    }
}
