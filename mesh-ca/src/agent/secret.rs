//! Secrets as the agent hands them out: neither messages of Envoy nor files, but what both are made of.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

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

impl NamedSecret {
    /// The version of the secret as a resource of its own: made from the content, so that it is the same in every process, and
    /// a proxy that comes back to an agent that was restarted gets only what changed. 32 hexadecimal digits.
    ///
    /// ```
    /// use mesh_ca::agent::{NamedSecret, Secret, ValidationSecret};
    ///
    /// let roots = |trusted_ca: &str, version| NamedSecret {
    ///     name: "ROOTCA".to_owned(),
    ///     version,
    ///     secret: Secret::Validation(ValidationSecret { trusted_ca: trusted_ca.to_owned(), crl: None }).into(),
    /// };
    /// assert_eq!(roots("one", 1).resource_version(), roots("one", 7).resource_version());
    /// assert_ne!(roots("one", 1).resource_version(), roots("two", 1).resource_version());
    /// ```
    pub fn resource_version(&self) -> String {
        self.secret.resource_version()
    }
}

/// The content of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// What a workload shows of itself.
    Certificate(CertificateSecret),
    /// What it checks others with.
    Validation(ValidationSecret),
}

impl Secret {
    /// A hash over all but the private key: versions are printed, and the certificate names its key.
    pub(super) fn resource_version(&self) -> String {
        let mut hash = Sha256::new();
        // With its length, so that what follows cannot be taken for a part of it.
        let mut add = |text: &str| {
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        };
        match self {
            Self::Certificate(CertificateSecret {
                chain,
                key: _,
                provider,
            }) => {
                add("certificate");
                add(chain);
                let (name, poll_delay) = match provider {
                    None => ("", Duration::ZERO),
                    Some(PrivateKeyProvider::Cryptomb { poll_delay }) => ("cryptomb", *poll_delay),
                    Some(PrivateKeyProvider::Qat { poll_delay }) => ("qat", *poll_delay),
                };
                add(name);
                add(&poll_delay.as_nanos().to_string());
            }
            Self::Validation(ValidationSecret { trusted_ca, crl }) => {
                add("validation");
                add(trusted_ca);
                add(crl.as_deref().unwrap_or_default());
            }
        }
        hash.finalize()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
