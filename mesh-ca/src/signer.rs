//! Who signs: the trait, and the errors of signing.

use std::fmt;
use std::sync::Arc;

use crate::{KeyAlgorithm, SignatureAlgorithm};

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
