use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::json::Json;
use crate::jwk::{JwkError, spki_of};
use crate::public_key::{PublicKeyError, PublicKeyInfo};
use crate::signature::SignatureVerifier;
use crate::{KeyAlgorithm, SignatureAlgorithm};

use super::{JwsAlgorithm, JwtError};

/// A public key for tokens, as a bundle holds it: without its name, which the bundle knows.
///
/// ```
/// use mesh_ca::KeyAlgorithm;
/// use mesh_ca::jwt::{JsonWebKey, JwsAlgorithm};
///
/// let key = JsonWebKey::parse(br#"{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)?;
/// assert_eq!(key.algorithm(), KeyAlgorithm::Ed25519);
/// assert!(!key.allows(JwsAlgorithm::Es256));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Spec: RFC 7517 §4, RFC 7518 §6, RFC 8037. Source: ca.md C-JWT-4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct JsonWebKey {
    // INVARIANT: a SubjectPublicKeyInfo that parses, of this algorithm, and where the key in it begins.
    spki: Box<[u8]>,
    key_at: usize,
    algorithm: KeyAlgorithm,
    bound_to: Option<JwsAlgorithm>,
}

impl JsonWebKey {
    /// The key of a SubjectPublicKeyInfo, for any algorithm that fits it.
    ///
    /// # Errors
    /// When the key is not taken.
    pub fn from_spki(der: &[u8]) -> Result<Self, PublicKeyError> {
        let key = PublicKeyInfo::parse(der)?;
        // The key is the last value in it.
        let key_at = der.len().saturating_sub(key.key_bytes().len());
        let algorithm = key.algorithm();
        Ok(Self {
            spki: der.into(),
            key_at,
            algorithm,
            bound_to: None,
        })
    }

    /// Reads one JSON Web Key. Members that say nothing about the key are ignored.
    ///
    /// # Errors
    /// When it is no strict JSON, no public key, or not taken.
    pub fn parse(json: &[u8]) -> Result<Self, JwkError> {
        let json = Json::parse(json).map_err(|_| JwkError::KeyType)?;
        Self::from_json(&json)
    }

    pub(crate) fn from_json(json: &Json<'_>) -> Result<Self, JwkError> {
        let key = Self::from_spki(&spki_of(json)?)?;
        let bound_to = match json.get("alg") {
            None => None,
            // A key that is bound to an algorithm of no token serves no token.
            Some(name) => Some(
                name.as_str()
                    .and_then(JwsAlgorithm::from_name)
                    .ok_or(JwkError::KeyType)?,
            ),
        };
        Ok(Self { bound_to, ..key })
    }

    /// The kind of key.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The SubjectPublicKeyInfo, in DER.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The one algorithm that the key may be used with, if its `alg` member names one.
    pub fn bound_to(&self) -> Option<JwsAlgorithm> {
        self.bound_to
    }

    /// Whether a token of this algorithm may have been signed with the key.
    pub fn allows(&self, algorithm: JwsAlgorithm) -> bool {
        algorithm.fits(self.algorithm) && self.bound_to.is_none_or(|bound| bound == algorithm)
    }

    /// Checks a signature in X.509's form.
    pub(super) fn check(
        &self,
        verifier: &dyn SignatureVerifier,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), JwtError> {
        let key_bytes = self.spki.get(self.key_at..).unwrap_or_default();
        let key = PublicKeyInfo::trusted(&self.spki, self.algorithm, key_bytes);
        verifier
            .verify(algorithm, &key, message, signature)
            .map_err(|_| JwtError::Signature)
    }
}

/// How a key is saved.
#[derive(Serialize, Deserialize)]
struct Saved {
    spki: Vec<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
}

impl From<JsonWebKey> for Saved {
    fn from(key: JsonWebKey) -> Self {
        Self {
            spki: key.spki.into_vec(),
            alg: key.bound_to.map(|algorithm| algorithm.as_str().to_owned()),
        }
    }
}

impl TryFrom<Saved> for JsonWebKey {
    type Error = JwkError;

    fn try_from(saved: Saved) -> Result<Self, JwkError> {
        let bound_to = match saved.alg {
            None => None,
            Some(name) => Some(JwsAlgorithm::from_name(&name).ok_or(JwkError::KeyType)?),
        };
        let key = Self::from_spki(&saved.spki)?;
        Ok(Self { bound_to, ..key })
    }
}

/// The keys of one trust domain that sign its JWT-SVIDs, by name (`kid`).
///
/// Source: SPIFFE Trust Domain and Bundle §4; ca.md C-BND-1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JwtBundle {
    keys: BTreeMap<String, JsonWebKey>,
}

impl JwtBundle {
    /// No keys: no token of the trust domain verifies.
    pub fn new() -> Self {
        Self::default()
    }

    /// The key of a name.
    pub fn key(&self, key_id: &str) -> Option<&JsonWebKey> {
        self.keys.get(key_id)
    }

    /// Adds a key, or replaces the one of that name and gives it back. Empty names are names too; bundle documents refuse
    /// them.
    pub fn insert(&mut self, key_id: impl Into<String>, key: JsonWebKey) -> Option<JsonWebKey> {
        self.keys.insert(key_id.into(), key)
    }

    /// Takes a key out.
    pub fn remove(&mut self, key_id: &str) -> Option<JsonWebKey> {
        self.keys.remove(key_id)
    }

    /// Names and keys, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &JsonWebKey)> {
        self.keys.iter().map(|(name, key)| (name.as_str(), key))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
