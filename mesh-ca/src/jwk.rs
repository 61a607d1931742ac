//! Public keys as JSON Web Keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::KeyAlgorithm;
use crate::der::{NULL, SEQUENCE, Writer};
use crate::json::Json;
use crate::oid;
use crate::public_key::{PublicKeyError, PublicKeyInfo};

/// The members that only a private or symmetric key has.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "dp", "dq", "k", "oth", "p", "q", "qi"];

/// Whether a key says something that must stay secret (C-BND-3).
pub(crate) fn has_private_member(key: &Json<'_>) -> bool {
    PRIVATE_MEMBERS.iter().any(|name| key.get(name).is_some())
}

/// The SubjectPublicKeyInfo of a JSON Web Key, in DER.
pub(crate) fn spki_of(key: &Json<'_>) -> Result<Vec<u8>, JwkError> {
    if has_private_member(key) {
        return Err(JwkError::PrivateMember);
    }
    let kty = key.get("kty").and_then(Json::as_str).ok_or(JwkError::KeyType)?;
    let spki = match kty {
        "EC" => ec(key)?,
        "OKP" => okp(key)?,
        "RSA" => rsa(key)?,
        _ => return Err(JwkError::KeyType),
    };
    PublicKeyInfo::parse(&spki)?;
    Ok(spki)
}

/// The members that say which key it is, in the order in which they are written: `kty` first.
pub(crate) fn members_of(key: &PublicKeyInfo<'_>) -> Vec<(&'static str, String)> {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let point = |curve: &str, coordinate: usize| {
        // The first byte says that the point is not compressed.
        let (x, y) = key
            .key_bytes()
            .get(1..)
            .and_then(|point| point.split_at_checked(coordinate))
            .unwrap_or_default();
        vec![
            ("kty", "EC".to_owned()),
            ("crv", curve.to_owned()),
            ("x", text(x)),
            ("y", text(y)),
        ]
    };
    match key.algorithm() {
        KeyAlgorithm::EcdsaP256 => point("P-256", 32),
        KeyAlgorithm::EcdsaP384 => point("P-384", 48),
        KeyAlgorithm::Ed25519 => {
            vec![
                ("kty", "OKP".to_owned()),
                ("crv", "Ed25519".to_owned()),
                ("x", text(key.key_bytes())),
            ]
        }
        KeyAlgorithm::Rsa(_) => {
            let (modulus, exponent) = key.rsa_components().unwrap_or_default();
            vec![
                ("kty", "RSA".to_owned()),
                ("n", text(modulus)),
                ("e", text(exponent)),
            ]
        }
    }
}

/// Why a JSON Web Key is no public key that is taken here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkError {
    /// The curve is missing or not known.
    #[error("`crv` names no curve that is taken")]
    Curve,
    /// The key itself is wrong.
    #[error(transparent)]
    Key(#[from] PublicKeyError),
    /// `kty` is missing or not known.
    #[error("`kty` is missing or names no kind of key that is taken")]
    KeyType,
    /// A parameter of the key is missing, or no unpadded base64url of the right length.
    #[error("`{0}` is missing or no unpadded base64url of the right length")]
    Parameter(&'static str),
    /// The key holds a private or symmetric part.
    #[error("the key holds a private part")]
    PrivateMember,
}

impl JwkError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Curve => "jwk.curve",
            Self::Key(_) => "jwk.key",
            Self::KeyType => "jwk.key_type",
            Self::Parameter(_) => "jwk.parameter",
            Self::PrivateMember => "jwk.private_member",
        }
    }
}

fn ec(key: &Json<'_>) -> Result<Vec<u8>, JwkError> {
    let (curve, coordinate) = match key.get("crv").and_then(Json::as_str) {
        Some("P-256") => (oid::P256, 32),
        Some("P-384") => (oid::P384, 48),
        _ => return Err(JwkError::Curve),
    };
    let mut point = vec![4];
    for name in ["x", "y"] {
        let bytes = parameter(key, name)?;
        if bytes.len() != coordinate {
            return Err(JwkError::Parameter(name));
        }
        point.extend(bytes);
    }
    Ok(spki(&point, |identifier| {
        identifier.oid(oid::EC_PUBLIC_KEY);
        identifier.oid(curve);
    }))
}

fn okp(key: &Json<'_>) -> Result<Vec<u8>, JwkError> {
    match key.get("crv").and_then(Json::as_str) {
        Some("Ed25519") => {}
        _ => return Err(JwkError::Curve),
    }
    let bytes = parameter(key, "x")?;
    Ok(spki(&bytes, |identifier| identifier.oid(oid::ED25519)))
}

fn rsa(key: &Json<'_>) -> Result<Vec<u8>, JwkError> {
    let (modulus, exponent) = (parameter(key, "n")?, parameter(key, "e")?);
    let mut numbers = Writer::new();
    numbers.nested(SEQUENCE, |numbers| {
        numbers.unsigned(&modulus);
        numbers.unsigned(&exponent);
    });
    Ok(spki(&numbers.into_bytes(), |identifier| {
        identifier.oid(oid::RSA_ENCRYPTION);
        identifier.value(NULL, &[]);
    }))
}

fn spki(key: &[u8], identifier: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.nested(SEQUENCE, |whole| {
        whole.nested(SEQUENCE, identifier);
        whole.whole_bits(key);
    });
    writer.into_bytes()
}

fn parameter(key: &Json<'_>, name: &'static str) -> Result<Vec<u8>, JwkError> {
    key.get(name)
        .and_then(Json::as_str)
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .filter(|bytes| !bytes.is_empty())
        .ok_or(JwkError::Parameter(name))
}
