//! Public keys as X.509 carries them.

use sha2::{Digest, Sha256};

use crate::der::{self, BIT_STRING, DerError, INTEGER, NULL, OBJECT_IDENTIFIER, Reader, SEQUENCE, Writer};
use crate::{KeyAlgorithm, KeyId, oid};

/// A SubjectPublicKeyInfo: a public key with its algorithm, borrowed from its DER.
///
/// Parsing takes ECDSA on P-256 and P-384 (named curve, uncompressed point), Ed25519, and RSA of 2048 to 8192 bits. That
/// a point lies on its curve is checked by whoever verifies a signature with the key.
///
/// ```
/// use mesh_ca::{KeyAlgorithm, PublicKeyError, PublicKeyInfo};
///
/// let mut spki = vec![0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 33, 0];
/// spki.extend([9; 32]);
/// let key = PublicKeyInfo::parse(&spki)?;
/// assert_eq!((key.algorithm(), key.key_bytes()), (KeyAlgorithm::Ed25519, &[9; 32][..]));
///
/// spki[8] = 0x71; // Ed448
/// let error = PublicKeyInfo::parse(&spki).unwrap_err();
/// assert_eq!(error.to_string(), "the key algorithm `Ed448` is not supported");
/// # Ok::<(), PublicKeyError>(())
/// ```
///
/// Spec: RFC 5280 §4.1.2.7, RFC 5480, RFC 8017, RFC 8410; ca.md C-KEY-1, C-KEY-4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKeyInfo<'a> {
    der: &'a [u8],
    algorithm: KeyAlgorithm,
    key: &'a [u8],
}

impl<'a> PublicKeyInfo<'a> {
    /// Parses the DER of a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// Which rule the key breaks; [`PublicKeyError::UnsupportedAlgorithm`] names algorithms that are known but not taken.
    pub fn parse(der: &'a [u8]) -> Result<Self, PublicKeyError> {
        let mut reader = der::single(der, SEQUENCE)?.reader()?;
        let identifier = reader.read(SEQUENCE)?;
        let key = reader.read(BIT_STRING)?;
        reader.finish()?;
        let mut parameters = identifier.reader()?;
        let algorithm = parameters.read(OBJECT_IDENTIFIER)?.oid()?;
        let key = key.whole_bits();
        let algorithm = match algorithm {
            oid::EC_PUBLIC_KEY => ec(parameters, key?)?,
            oid::ED25519 => {
                parameters.finish().map_err(|_| PublicKeyError::Parameters)?;
                match key?.len() {
                    32 => KeyAlgorithm::Ed25519,
                    _ => return Err(PublicKeyError::KeyLength),
                }
            }
            oid::RSA_ENCRYPTION => {
                exactly_null(parameters)?;
                KeyAlgorithm::Rsa(rsa_bits(key?)?)
            }
            other => return Err(unsupported(other)),
        };
        Ok(Self {
            der,
            algorithm,
            key: key?,
        })
    }

    /// The parts of a key that this crate has made or parsed before.
    #[cfg_attr(
        not(any(feature = "jwt", feature = "ring", feature = "soft", feature = "aws-lc")),
        allow(dead_code, reason = "only key pairs and bundles have such keys")
    )]
    pub(crate) fn trusted(der: &'a [u8], algorithm: KeyAlgorithm, key: &'a [u8]) -> Self {
        Self { der, algorithm, key }
    }

    /// The whole SubjectPublicKeyInfo.
    pub fn der(&self) -> &'a [u8] {
        self.der
    }

    /// The kind of key.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The content of the subjectPublicKey BIT STRING: an uncompressed point, 32 bytes of Ed25519, or an RSAPublicKey.
    pub fn key_bytes(&self) -> &'a [u8] {
        self.key
    }

    /// Modulus and public exponent of an RSA key, most significant byte first, without leading zeros.
    pub fn rsa_components(&self) -> Option<(&'a [u8], &'a [u8])> {
        match self.algorithm {
            KeyAlgorithm::Rsa(_) => rsa_components(self.key).ok(),
            _ => None,
        }
    }

    /// Whether the point of an elliptic curve lies on its curve. [`parse`](Self::parse) looks at its form alone: whoever
    /// checks a signature with the key finds out, and asking costs some arithmetic. Without a provider it is not known, and
    /// nothing is said.
    ///
    /// Spec: RFC 5480 §2.2; ca.md C-KEY-4.
    #[cfg(feature = "x509")]
    pub(crate) fn check_point(&self) -> Result<(), PublicKeyError> {
        #[cfg(any(feature = "ring", feature = "soft", feature = "aws-lc"))]
        if !crate::key::is_on_curve(self.algorithm, self.key) {
            return Err(PublicKeyError::Point);
        }
        Ok(())
    }

    /// The key identifier that certificates of this key get: the leftmost 160 bits of SHA-256 over
    /// [`key_bytes`](Self::key_bytes).
    ///
    /// Spec: RFC 7093 §2, method 1; ca.md C-KEY-9.
    pub fn key_id(&self) -> KeyId {
        KeyId::from(self.key_id_bytes())
    }

    /// The bytes of [`key_id`](Self::key_id).
    pub(crate) fn key_id_bytes(&self) -> [u8; 20] {
        let digest: [u8; 32] = Sha256::digest(self.key).into();
        let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _] = digest;
        id
    }

    /// SHA-256 over the whole SubjectPublicKeyInfo: what deny lists hold.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.der).into()
    }

    /// The DER of a SubjectPublicKeyInfo, from the kind of key and the content of its BIT STRING.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "the keys of this crate are built with it")
    )]
    pub(crate) fn encode(algorithm: KeyAlgorithm, key: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.nested(SEQUENCE, |info| {
            info.nested(SEQUENCE, |identifier| match algorithm {
                KeyAlgorithm::EcdsaP256 => {
                    identifier.oid(oid::EC_PUBLIC_KEY);
                    identifier.oid(oid::P256);
                }
                KeyAlgorithm::EcdsaP384 => {
                    identifier.oid(oid::EC_PUBLIC_KEY);
                    identifier.oid(oid::P384);
                }
                KeyAlgorithm::Ed25519 => identifier.oid(oid::ED25519),
                KeyAlgorithm::Rsa(_) => {
                    identifier.oid(oid::RSA_ENCRYPTION);
                    identifier.value(NULL, &[]);
                }
            });
            info.whole_bits(key);
        });
        writer.into_bytes()
    }
}

/// Why a SubjectPublicKeyInfo is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// The bytes are no strict DER, or not of the right shape.
    #[error("the public key is malformed: {0}")]
    Der(#[from] DerError),
    /// The bytes of the key have the wrong length for its algorithm.
    #[error("the public key has a wrong length")]
    KeyLength,
    /// The algorithm parameters are not those of the algorithm; explicit curve parameters are among them.
    #[error("the parameters of the key algorithm are wrong")]
    Parameters,
    /// The point of an elliptic curve is compressed, infinite, of the wrong length, or not on the curve.
    #[error("the public key is no uncompressed point of its curve")]
    Point,
    /// The public exponent of an RSA key is even, below 3, or 2^33 or more.
    #[error("the RSA exponent is not allowed")]
    RsaExponent,
    /// The modulus of an RSA key has fewer than 2048 or more than 8192 bits, or not a multiple of 8.
    #[error("an RSA key of {bits} bits is not allowed")]
    RsaModulus {
        /// The bits of the modulus.
        bits: usize,
    },
    /// The algorithm is another one than those of [`KeyAlgorithm`].
    #[error("the key algorithm `{name}` is not supported")]
    UnsupportedAlgorithm {
        /// Its name, or its object identifier where it has none here.
        name: String,
    },
}

impl PublicKeyError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Der(_) => "key.der",
            Self::KeyLength => "key.length",
            Self::Parameters => "key.parameters",
            Self::Point => "key.point",
            Self::RsaExponent => "key.rsa_exponent",
            Self::RsaModulus { .. } => "key.rsa_modulus",
            Self::UnsupportedAlgorithm { .. } => "key.unsupported_algorithm",
        }
    }
}

/// The curve by its parameters, and the form of the point (C-KEY-4).
fn ec(mut parameters: Reader<'_>, point: &[u8]) -> Result<KeyAlgorithm, PublicKeyError> {
    // Explicit parameters are a SEQUENCE, an implicit curve a NULL.
    let curve = parameters
        .read(OBJECT_IDENTIFIER)
        .map_err(|_| PublicKeyError::Parameters)?
        .oid()?;
    parameters.finish().map_err(|_| PublicKeyError::Parameters)?;
    let (algorithm, length) = match curve {
        oid::P256 => (KeyAlgorithm::EcdsaP256, 65),
        oid::P384 => (KeyAlgorithm::EcdsaP384, 97),
        other => return Err(unsupported(other)),
    };
    match point.first() {
        Some(0x04) if point.len() == length => Ok(algorithm),
        _ => Err(PublicKeyError::Point),
    }
}

fn exactly_null(mut parameters: Reader<'_>) -> Result<(), PublicKeyError> {
    match parameters.read(NULL) {
        Ok(null) if null.content.is_empty() && parameters.is_empty() => Ok(()),
        _ => Err(PublicKeyError::Parameters),
    }
}

fn rsa_components(key: &[u8]) -> Result<(&[u8], &[u8]), DerError> {
    let mut reader = der::single(key, SEQUENCE)?.reader()?;
    let modulus = reader.read(INTEGER)?.unsigned()?;
    let exponent = reader.read(INTEGER)?.unsigned()?;
    reader.finish()?;
    Ok((modulus, exponent))
}

/// The bits of the modulus, if the key is allowed (C-KEY-1).
fn rsa_bits(key: &[u8]) -> Result<u16, PublicKeyError> {
    let (modulus, exponent) = rsa_components(key)?;
    let unused = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = (modulus.len() * 8).saturating_sub(unused);
    if !(2048..=8192).contains(&bits) || bits % 8 != 0 {
        return Err(PublicKeyError::RsaModulus { bits });
    }
    let value = exponent
        .iter()
        .take(8)
        .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    if exponent.len() > 5 || value % 2 == 0 || !(3..1 << 33).contains(&value) {
        return Err(PublicKeyError::RsaExponent);
    }
    u16::try_from(bits).map_err(|_| PublicKeyError::RsaModulus { bits })
}

fn unsupported(algorithm: &[u8]) -> PublicKeyError {
    PublicKeyError::UnsupportedAlgorithm {
        name: name_of(algorithm),
    }
}

/// Names for the algorithms that a user may well meet (C-KEY-1), and numbers for the rest.
pub(crate) fn name_of(algorithm: &[u8]) -> String {
    let dotted = oid::dotted(algorithm);
    let name = match dotted.as_str() {
        "1.2.840.10040.4.1" => "DSA",
        "1.2.840.10045.3.1.1" => "ECDSA P-192",
        "1.2.840.113549.1.1.7" => "RSAES-OAEP",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.3.101.110" => "X25519",
        "1.3.101.111" => "X448",
        "1.3.101.113" => "Ed448",
        "1.3.132.0.10" => "ECDSA secp256k1",
        "1.3.132.0.33" => "ECDSA P-224",
        "1.3.132.0.35" => "ECDSA P-521",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        other => other,
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
        let mut key = Writer::new();
        key.nested(SEQUENCE, |key| {
            key.unsigned(modulus);
            key.unsigned(exponent);
        });
        PublicKeyInfo::encode(KeyAlgorithm::Rsa(0), &key.into_bytes())
    }

    fn code(spki: &[u8]) -> &'static str {
        PublicKeyInfo::parse(spki).map_or_else(|error| error.code(), |_| "ok")
    }

    /// C-KEY-1: which RSA keys are taken.
    #[test]
    fn rsa_keys() {
        let e = [1, 0, 1];
        let spki = rsa(&[0xff; 256], &e);
        let key = PublicKeyInfo::parse(&spki).unwrap();
        assert_eq!(key.algorithm(), KeyAlgorithm::Rsa(2048));
        assert_eq!(key.rsa_components(), Some((&[0xff; 256][..], &e[..])));
        assert_eq!(code(&rsa(&[0xff; 1024], &e)), "ok");
        assert_eq!(code(&rsa(&[0xff; 1025], &e)), "key.rsa_modulus");
        assert_eq!(code(&rsa(&[0xff; 128], &e)), "key.rsa_modulus");
        assert_eq!(code(&rsa(&[0x7f; 257], &e)), "key.rsa_modulus");
        for (exponent, expected) in [
            (&[1][..], "key.rsa_exponent"),
            (&[3], "ok"),
            (&[4], "key.rsa_exponent"),
            (&[1, 0xff, 0xff, 0xff, 0xff], "ok"),
            (&[2, 0, 0, 0, 1], "key.rsa_exponent"),
            (&[1, 0, 0, 0, 0, 1], "key.rsa_exponent"),
            (&[], "key.rsa_exponent"),
        ] {
            assert_eq!(code(&rsa(&[0xff; 256], exponent)), expected, "{exponent:?}");
        }
    }

    /// C-KEY-4: points and parameters.
    #[test]
    fn elliptic_curve_keys() {
        let mut point = vec![4; 65];
        assert_eq!(
            code(&PublicKeyInfo::encode(KeyAlgorithm::EcdsaP256, &point)),
            "ok"
        );
        assert_eq!(
            code(&PublicKeyInfo::encode(KeyAlgorithm::EcdsaP384, &point)),
            "key.point"
        );
        assert_eq!(
            code(&PublicKeyInfo::encode(KeyAlgorithm::EcdsaP256, &[0])),
            "key.point"
        );
        #[cfg(feature = "x509")]
        {
            let beside = PublicKeyInfo::encode(KeyAlgorithm::EcdsaP256, &point);
            let checked = PublicKeyInfo::parse(&beside).unwrap().check_point();
            let has_provider = cfg!(any(feature = "ring", feature = "soft", feature = "aws-lc"));
            assert_eq!(checked.is_err(), has_provider);
        }
        point[0] = 2;
        assert_eq!(
            code(&PublicKeyInfo::encode(KeyAlgorithm::EcdsaP256, &point)),
            "key.point"
        );
        assert_eq!(
            code(&PublicKeyInfo::encode(KeyAlgorithm::Ed25519, &[0; 31])),
            "key.length"
        );
        assert_eq!(
            code(&PublicKeyInfo::encode(KeyAlgorithm::Ed25519, &[0; 32])),
            "ok"
        );
    }

    /// C-KEY-2, C-KEY-4: parameters are exactly those of the algorithm.
    #[test]
    fn parameters_are_exact() {
        let spki = |algorithm: &[u8], parameters: &[u8], key: &[u8]| {
            let mut writer = Writer::new();
            writer.nested(SEQUENCE, |info| {
                info.nested(SEQUENCE, |identifier| {
                    identifier.oid(algorithm);
                    identifier.raw(parameters);
                });
                info.whole_bits(key);
            });
            writer.into_bytes()
        };
        let null = [5, 0];
        assert_eq!(code(&spki(oid::ED25519, &null, &[0; 32])), "key.parameters");
        assert_eq!(code(&spki(oid::RSA_ENCRYPTION, &[], &[0; 32])), "key.parameters");
        assert_eq!(code(&spki(oid::EC_PUBLIC_KEY, &[], &[4; 65])), "key.parameters");
        assert_eq!(
            code(&spki(oid::EC_PUBLIC_KEY, &[0x30, 0], &[4; 65])),
            "key.parameters"
        );
    }

    /// Scenario 32: algorithms that are known but not taken are named.
    #[test]
    fn unsupported_algorithms_are_named() {
        let mut spki = PublicKeyInfo::encode(KeyAlgorithm::EcdsaP384, &[4; 133]);
        let at = spki.windows(5).position(|window| window == oid::P384).unwrap();
        spki[at + 4] = 35;
        let error = PublicKeyInfo::parse(&spki).unwrap_err();
        assert_eq!(
            error,
            PublicKeyError::UnsupportedAlgorithm {
                name: "ECDSA P-521".to_owned()
            }
        );
    }
}
