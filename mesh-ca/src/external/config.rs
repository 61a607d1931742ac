//! How an external authority is asked.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ExternalSigner {
    /// A signer of Kubernetes.
    Kubernetes {
        /// The domain of signers, such as `example.com`. Requests that name a signer are for `DOMAIN/NAME`.
        domain: String,
        /// The whole name of the signer for requests that name none.
        default_signer: String,
        /// Whether the requests have to be approved, and the embedder does that.
        approve: bool,
    },
    /// A service like Vault's PKI.
    Vault,
}

/// How an external authority is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalCaConfig {
    /// Whom to ask.
    pub signer: ExternalSigner,
    /// The roots of the signer in DER. Without any, the last certificate of the answer is taken, if it is an authority.
    pub roots: Vec<Vec<u8>>,
    /// The life that is asked for; zero leaves it to the signer.
    pub ttl: Duration,
    /// By how much clocks may differ. Default 120 s.
    pub skew: Duration,
    /// How long to wait. Default 60 s.
    pub timeout: Duration,
}

impl ExternalCaConfig {
    /// With the defaults.
    pub fn new(signer: ExternalSigner) -> Self {
        Self {
            signer,
            roots: Vec::new(),
            ttl: Duration::ZERO,
            skew: Duration::from_secs(120),
            timeout: Duration::from_secs(60),
        }
    }
}
