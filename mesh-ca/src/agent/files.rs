//! Secrets from files (C-SDS-1, C-SDS-3).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::certificate::Certificate;
use crate::key::{KeyPair, SecretBytes};
use crate::limits::Limits;
use crate::pem;

use super::secret::{CertificateSecret, Secret, ValidationSecret};

/// The files that a secret is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileSecret {
    Certificate { certificate: String, key: String },
    Root { path: String },
}

/// The content of files, as the embedder read them.
pub(super) type Files = BTreeMap<String, SecretBytes>;

impl FileSecret {
    /// `file-cert:CERT~KEY` or `file-root:CA`. A wrong number of parts is no file secret.
    pub(super) fn parse(name: &str) -> Option<Self> {
        if let Some(path) = name.strip_prefix("file-root:") {
            return (!path.is_empty() && !path.contains('~')).then(|| Self::Root {
                path: path.to_owned(),
            });
        }
        let mut parts = name.strip_prefix("file-cert:")?.split('~');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(certificate), Some(key), None) if !certificate.is_empty() && !key.is_empty() => {
                Some(Self::Certificate {
                    certificate: certificate.to_owned(),
                    key: key.to_owned(),
                })
            }
            _ => None,
        }
    }

    pub(super) fn paths(&self) -> Vec<String> {
        match self {
            Self::Certificate { certificate, key } => vec![certificate.clone(), key.clone()],
            Self::Root { path } => vec![path.clone()],
        }
    }

    /// The secret, when all of its files are there. `Err` when they do not belong together.
    pub(super) fn load(&self, files: &Files) -> Result<Option<Arc<Secret>>, FilesDoNotMatch> {
        let content = |path: &String| {
            files
                .get(path)
                .map(SecretBytes::expose)
                .filter(|content| !content.is_empty())
        };
        match self {
            Self::Root { path } => Ok(content(path).map(|content| {
                let trusted_ca = String::from_utf8_lossy(content).into_owned();
                Arc::new(Secret::Validation(ValidationSecret {
                    trusted_ca,
                    crl: None,
                }))
            })),
            Self::Certificate { certificate, key } => {
                let (Some(certificate), Some(key)) = (content(certificate), content(key)) else {
                    return Ok(None);
                };
                if !belong_together(certificate, key) {
                    return Err(FilesDoNotMatch);
                }
                Ok(Some(Arc::new(Secret::Certificate(CertificateSecret {
                    chain: String::from_utf8_lossy(certificate).into_owned(),
                    key: SecretBytes::new(key.to_vec().into()),
                    provider: None,
                }))))
            }
        }
    }
}

/// The certificate is not for the key, or one of them cannot be read.
pub(super) struct FilesDoNotMatch;

fn belong_together(certificate: &[u8], key: &[u8]) -> bool {
    let chain = pem::parse_chain(certificate, &Limits::default()).unwrap_or_default();
    let leaf = chain.first().and_then(|leaf| Certificate::parse(leaf).ok());
    let public_key = leaf.as_ref().and_then(|leaf| leaf.public_key().ok());
    match (KeyPair::from_pem(key), public_key) {
        (Ok(key), Some(public_key)) => key.matches(&public_key),
        _ => false,
    }
}
