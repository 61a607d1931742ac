//! The providers: who computes signatures.

#[cfg(feature = "aws-lc")]
mod aws_lc;
#[cfg(feature = "ring")]
mod ring;
#[cfg(feature = "soft")]
mod soft;

use super::{KeyError, Secret};
use crate::{KeyAlgorithm, SignError, SignatureAlgorithm};

#[cfg(all(feature = "aws-lc", not(any(feature = "ring", feature = "soft"))))]
pub(super) use self::aws_lc::ec_public as aws_lc_ec_public;

/// Who computes the signatures of a [`KeyPair`](crate::KeyPair).
///
/// The default is fixed by the features of the build, in this order: `ring`, `aws-lc`, `soft`. It is the same order as
/// that of [`default_verifier`](crate::default_verifier).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyProvider {
    /// AWS-LC: all kinds of keys, and the only one that makes RSA keys.
    #[cfg(feature = "aws-lc")]
    AwsLc,
    /// ring: all kinds of keys; RSA up to 4096 bits. Its ECDSA nonces come from the operating system, so that two
    /// signatures over one message differ. This is the one exception to "randomness comes in as an argument" (C-SGN-10).
    #[cfg(feature = "ring")]
    Ring,
    /// The RustCrypto crates: ECDSA and Ed25519, no RSA. The same key and message give the same signature (RFC 6979).
    #[cfg(feature = "soft")]
    Soft,
}

impl Default for KeyProvider {
    fn default() -> Self {
        #[cfg(feature = "ring")]
        return Self::Ring;
        #[cfg(all(feature = "aws-lc", not(feature = "ring")))]
        return Self::AwsLc;
        #[cfg(not(any(feature = "ring", feature = "aws-lc")))]
        return Self::Soft;
    }
}

/// A key in the provider's own form.
pub(super) enum Prepared {
    #[cfg(feature = "aws-lc")]
    AwsLc(Box<aws_lc::Key>),
    #[cfg(feature = "ring")]
    Ring(Box<ring::Key>),
    #[cfg(feature = "soft")]
    Soft(Box<soft::Key>),
}

impl Prepared {
    pub(super) fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            #[cfg(feature = "aws-lc")]
            Self::AwsLc(key) => key.sign(algorithm, message),
            #[cfg(feature = "ring")]
            Self::Ring(key) => key.sign(algorithm, message),
            #[cfg(feature = "soft")]
            Self::Soft(key) => key.sign(algorithm, message),
        }
    }
}

pub(super) fn prepare(secret: &Secret, provider: KeyProvider) -> Result<Prepared, KeyError> {
    match provider {
        #[cfg(feature = "aws-lc")]
        KeyProvider::AwsLc => aws_lc::Key::new(secret).map(|key| Prepared::AwsLc(Box::new(key))),
        #[cfg(feature = "ring")]
        KeyProvider::Ring => ring::Key::new(secret).map(|key| Prepared::Ring(Box::new(key))),
        #[cfg(feature = "soft")]
        KeyProvider::Soft => soft::Key::new(secret).map(|key| Prepared::Soft(Box::new(key))),
    }
}

/// A new RSA key, from the provider's own generator.
pub(super) fn generate_rsa(bits: u16) -> Result<Secret, KeyError> {
    #[cfg(feature = "aws-lc")]
    return aws_lc::generate_rsa(bits);
    #[cfg(not(feature = "aws-lc"))]
    return Err(KeyError::NotOffered(KeyAlgorithm::Rsa(bits)));
}

/// A provider refused a key that had passed our own checks, or could not use it.
#[cfg(any(feature = "ring", feature = "aws-lc"))]
fn failed(what: impl std::fmt::Display) -> SignError {
    SignError::Failed(what.to_string())
}

fn not_offered(algorithm: SignatureAlgorithm, key: KeyAlgorithm) -> SignError {
    SignError::NotOffered { algorithm, key }
}
