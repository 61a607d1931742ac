//! Who signs: the trait, what goes to signers elsewhere and comes back, and the errors of signing.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::der::{SEQUENCE, Writer};
use crate::{KeyAlgorithm, SignatureAlgorithm, SignatureError};

/// A private key that signs in this process, or something that behaves like one.
///
/// [`KeyPair`](crate::KeyPair) implements it; an embedder can bring another one, for example over a PKCS#11 session. Keys
/// that answer later, over a network, use two-step forms instead.
///
/// Spec: ca.md C-SGN-1, C-SGN-9.
pub trait Signer: fmt::Debug + Send + Sync {
    /// How it signs.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Its public key: the DER of a SubjectPublicKeyInfo.
    fn spki_der(&self) -> &[u8];

    /// Signs a message (not a digest of it). ECDSA signatures are in DER.
    ///
    /// # Errors
    /// When the key cannot be used now.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

impl<S: Signer + ?Sized> Signer for Arc<S> {
    fn algorithm(&self) -> SignatureAlgorithm {
        (**self).algorithm()
    }

    fn spki_der(&self) -> &[u8] {
        (**self).spki_der()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        (**self).sign(message)
    }
}

impl<S: Signer + ?Sized> Signer for Box<S> {
    fn algorithm(&self) -> SignatureAlgorithm {
        (**self).algorithm()
    }

    fn spki_der(&self) -> &[u8] {
        (**self).spki_der()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        (**self).sign(message)
    }
}

/// What a remote key is to sign.
///
/// Source: ca.md C-SGN-2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignRequest {
    /// How the embedder calls the key; empty for a key in this process.
    pub key_ref: String,
    /// How to sign.
    pub algorithm: SignatureAlgorithm,
    /// What to sign.
    #[serde(with = "crate::base64_serde")]
    pub message: Vec<u8>,
    /// The digest of the message, for services that sign digests. Ed25519 has none.
    pub digest: Option<Vec<u8>>,
}

impl SignRequest {
    pub(crate) fn new(key_ref: String, algorithm: SignatureAlgorithm, message: Vec<u8>) -> Self {
        let digest = match algorithm {
            SignatureAlgorithm::EcdsaSha256
            | SignatureAlgorithm::RsaPkcs1Sha256
            | SignatureAlgorithm::RsaPssSha256 => Some(Sha256::digest(&message).to_vec()),
            SignatureAlgorithm::EcdsaSha384
            | SignatureAlgorithm::RsaPkcs1Sha384
            | SignatureAlgorithm::RsaPssSha384 => Some(Sha384::digest(&message).to_vec()),
            SignatureAlgorithm::RsaPkcs1Sha512 | SignatureAlgorithm::RsaPssSha512 => {
                Some(Sha512::digest(&message).to_vec())
            }
            SignatureAlgorithm::Ed25519 => None,
        };
        Self {
            key_ref,
            algorithm,
            message,
            digest,
        }
    }
}

/// How a remote signer writes its signatures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SignatureFormat {
    /// As X.509 has them: ECDSA in DER. The default.
    #[default]
    Der,
    /// ECDSA as the two numbers, one after the other, each of the size of the curve, as JWS has them. Other algorithms have
    /// just one form.
    Raw,
}

impl SignatureFormat {
    /// The signature as X.509 has it.
    pub(crate) fn to_der(
        self,
        algorithm: SignatureAlgorithm,
        signature: &[u8],
    ) -> Result<Vec<u8>, SignatureError> {
        let is_ecdsa = matches!(
            algorithm,
            SignatureAlgorithm::EcdsaSha256 | SignatureAlgorithm::EcdsaSha384
        );
        if self == Self::Der || !is_ecdsa {
            return Ok(signature.to_vec());
        }
        let halves = signature.split_at_checked(signature.len() / 2);
        let (r, s) = match halves {
            Some((r, s)) if matches!(r.len(), 32 | 48) && r.len() == s.len() => (r, s),
            _ => return Err(SignatureError::Invalid),
        };
        let mut writer = Writer::new();
        writer.nested(SEQUENCE, |numbers| {
            numbers.unsigned(r);
            numbers.unsigned(s);
        });
        Ok(writer.into_bytes())
    }
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key cannot be used.
    #[error("the key could not sign: {0}")]
    Failed(String),
    /// The signer does not have the algorithm for such a key.
    #[error("the signer does not offer {algorithm} with {key}")]
    NotOffered {
        /// The algorithm.
        algorithm: SignatureAlgorithm,
        /// The kind of key.
        key: KeyAlgorithm,
    },
}

impl SignError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Failed(_) => "sign.failed",
            Self::NotOffered { .. } => "sign.not_offered",
        }
    }
}
