//! Secrets as the agent hands them out: neither messages of Envoy nor files, but what both are made of.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::key::SecretBytes;

/// A secret with its name and the number of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSecret {
    /// Its name, for example [`DEFAULT_SECRET`](super::DEFAULT_SECRET).
    pub name: String,
    /// Changes exactly when the content changes.
    pub version: u64,
    /// Its content.
    pub secret: Arc<Secret>,
}

/// The content of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// What a workload shows of itself.
    Certificate(CertificateSecret),
    /// What it checks others with.
    Validation(ValidationSecret),
}

/// A certificate and its key. Debug output leaves the key out; equality compares keys in constant time.
#[derive(Clone)]
pub struct CertificateSecret {
    /// The certificate and its intermediates in PEM.
    pub chain: String,
    /// The key in PEM.
    pub key: SecretBytes,
    /// Who does the key's work in the proxy; the proxy itself where there is none.
    pub provider: Option<PrivateKeyProvider>,
}

impl PartialEq for CertificateSecret {
    fn eq(&self, other: &Self) -> bool {
        let Self { chain, key, provider } = self;
        let (mine, others) = (key.expose(), other.key.expose());
        let differences = mine
            .iter()
            .zip(others)
            .fold(0, |found, (one, other)| found | (one ^ other));
        (mine.len() == others.len()) & (differences == 0)
            && *chain == other.chain
            && *provider == other.provider
    }
}

impl Eq for CertificateSecret {}

impl fmt::Debug for CertificateSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateSecret")
            .field("chain", &self.chain)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// Authorities, and what they revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationSecret {
    /// The authorities in PEM.
    pub trusted_ca: String,
    /// CRLs in PEM.
    pub crl: Option<String>,
}

/// Hardware that does the work of a private key. Source: Istio ProxyConfig `privateKeyProvider`; ca.md C-SDS-12.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrivateKeyProvider {
    /// Multi-buffer instructions of the processor.
    Cryptomb {
        /// How long operations are collected.
        poll_delay: Duration,
    },
    /// An accelerator card.
    Qat {
        /// How long operations are collected.
        poll_delay: Duration,
    },
}
