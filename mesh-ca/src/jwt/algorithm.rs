use std::fmt;

use serde::{Deserialize, Serialize};

use crate::algorithm::{KeyAlgorithm, SignatureAlgorithm};

/// The signature algorithm of a token, as its header names it. `none`, the `HS` family and `EdDSA` have no place here
/// (C-JWT-3).
///
/// ```
/// use mesh_ca::jwt::JwsAlgorithm;
///
/// assert_eq!(JwsAlgorithm::from_name("ES256"), Some(JwsAlgorithm::Es256));
/// for refused in ["none", "HS256", "EdDSA", "es256", "ES256K"] {
///     assert_eq!(JwsAlgorithm::from_name(refused), None);
/// }
/// ```
///
/// Spec: RFC 7518 §3.1; JWT-SVID §3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum JwsAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512. Known by name; no backend of this crate verifies it.
    Es512,
    /// RSA-PSS with SHA-256.
    Ps256,
    /// RSA-PSS with SHA-384.
    Ps384,
    /// RSA-PSS with SHA-512.
    Ps512,
    /// RSA PKCS#1 v1.5 with SHA-256.
    Rs256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    Rs384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    Rs512,
}

impl JwsAlgorithm {
    const ALL: [Self; 9] = [
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
    ];

    /// The algorithm of a name, upper and lower case told apart; `None` for all that a JWT-SVID may not use.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// The algorithm of a signer; `None` for Ed25519, which JWT-SVIDs do not know. That it fits the key is another question.
    pub(crate) fn of_signature(algorithm: SignatureAlgorithm) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.signature_algorithm() == Some(algorithm))
    }

    /// The name in a header, for example `ES256`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }

    /// The same in X.509's terms; `None` where nothing here verifies it.
    pub const fn signature_algorithm(self) -> Option<SignatureAlgorithm> {
        Some(match self {
            Self::Es256 => SignatureAlgorithm::EcdsaSha256,
            Self::Es384 => SignatureAlgorithm::EcdsaSha384,
            Self::Es512 => return None,
            Self::Ps256 => SignatureAlgorithm::RsaPssSha256,
            Self::Ps384 => SignatureAlgorithm::RsaPssSha384,
            Self::Ps512 => SignatureAlgorithm::RsaPssSha512,
            Self::Rs256 => SignatureAlgorithm::RsaPkcs1Sha256,
            Self::Rs384 => SignatureAlgorithm::RsaPkcs1Sha384,
            Self::Rs512 => SignatureAlgorithm::RsaPkcs1Sha512,
        })
    }

    /// Whether a key may be used with it: one curve for each ECDSA algorithm, RSA for the others (C-JWT-4).
    pub const fn fits(self, key: KeyAlgorithm) -> bool {
        match self {
            Self::Es256 => matches!(key, KeyAlgorithm::EcdsaP256),
            Self::Es384 => matches!(key, KeyAlgorithm::EcdsaP384),
            Self::Es512 => false,
            Self::Ps256 | Self::Ps384 | Self::Ps512 | Self::Rs256 | Self::Rs384 | Self::Rs512 => {
                matches!(key, KeyAlgorithm::Rsa(_))
            }
        }
    }

    /// The length of a coordinate in bytes, for ECDSA: a signature is two of them.
    pub(crate) const fn coordinate_length(self) -> Option<usize> {
        match self {
            Self::Es256 => Some(32),
            Self::Es384 => Some(48),
            Self::Es512 => Some(66),
            _ => None,
        }
    }
}

impl fmt::Display for JwsAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
