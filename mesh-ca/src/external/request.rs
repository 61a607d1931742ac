//! What is sent to the external authority, from what was granted (C-SGN-5, C-SGN-7).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{
    ExternalCaConfig, ExternalCaError, ExternalSigner, KubernetesCsr, KubernetesCsrMetadata,
    KubernetesCsrSpec, KubernetesCsrStatus, VaultSignRequest,
};
use crate::{Entropy, Grant};

/// The shortest life that the Kubernetes API takes, in seconds.
const MIN_EXPIRATION: i32 = 600;
/// How the objects are called, before ten letters or digits.
const NAME_PREFIX: &str = "csr-workload-";
const NAME_LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const NAME_LENGTH: usize = 10;

/// How the signer is asked, and for what.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The signer of Kubernetes; none for a service like Vault's.
    pub(super) signer_name: Option<String>,
    pub(super) approve: bool,
    uri: String,
    /// The life that was granted; zero leaves it to the signer.
    pub(super) ttl: Duration,
    /// The life that is asked for.
    pub(super) life: Duration,
}

impl Asked {
    pub(super) fn new(config: &ExternalCaConfig, grant: &Grant) -> Result<Self, ExternalCaError> {
        let ttl = grant.ttl.unwrap_or(config.ttl);
        let (signer_name, approve, minimum) = match &config.signer {
            ExternalSigner::Kubernetes {
                domain,
                default_signer,
                approve,
            } => {
                let name = signer_name(domain, default_signer, grant.cert_signer())?;
                let minimum = Duration::from_secs(MIN_EXPIRATION.unsigned_abs().into());
                (Some(name), *approve, minimum)
            }
            // No time at all would be the default of the role.
            ExternalSigner::Vault => (None, false, Duration::from_secs(1)),
        };
        Ok(Self {
            signer_name,
            approve,
            uri: grant.id().to_string(),
            ttl,
            life: if ttl.is_zero() { ttl } else { ttl.max(minimum) },
        })
    }

    /// The object for a signing request in PEM.
    pub(super) fn object(&self, name: String, csr: &str) -> KubernetesCsr {
        let seconds = i32::try_from(self.life.as_secs()).unwrap_or(i32::MAX);
        KubernetesCsr {
            api_version: "certificates.k8s.io/v1".to_owned(),
            kind: "CertificateSigningRequest".to_owned(),
            metadata: KubernetesCsrMetadata { name },
            spec: KubernetesCsrSpec {
                request: STANDARD.encode(csr),
                signer_name: self.signer_name.clone().unwrap_or_default(),
                expiration_seconds: (!self.life.is_zero()).then_some(seconds),
                usages: [
                    "digital signature",
                    "key encipherment",
                    "server auth",
                    "client auth",
                ]
                .map(str::to_owned)
                .to_vec(),
            },
            status: KubernetesCsrStatus::default(),
        }
    }

    /// The request for a signing request in PEM.
    pub(super) fn sign_request(&self, csr: &str) -> VaultSignRequest {
        VaultSignRequest {
            csr: csr.to_owned(),
            ttl: (!self.life.is_zero()).then(|| format!("{}s", self.life.as_secs())),
            uri_sans: self.uri.clone(),
            exclude_cn_from_sans: true,
        }
    }
}

fn signer_name(domain: &str, default_signer: &str, wanted: &str) -> Result<String, ExternalCaError> {
    match (domain, wanted) {
        (_, "") => Ok(default_signer.to_owned()),
        ("", _) => Err(ExternalCaError::SignerWithoutDomain),
        (domain, name) => Ok(format!("{domain}/{name}")),
    }
}

pub(super) fn object_name(entropy: &mut dyn Entropy) -> Result<String, ExternalCaError> {
    let mut bytes = [0; NAME_LENGTH];
    entropy.fill(&mut bytes)?;
    let letters = bytes
        .iter()
        .filter_map(|byte| NAME_LETTERS.get(usize::from(byte & 31)));
    let suffix: String = letters.map(|letter| char::from(*letter)).collect();
    Ok(format!("{NAME_PREFIX}{suffix}"))
}

/// Whether an object may be one of ours.
pub(super) fn is_object_name(name: &str) -> bool {
    name.strip_prefix(NAME_PREFIX).is_some_and(|rest| {
        rest.len() == NAME_LENGTH && rest.bytes().all(|byte| NAME_LETTERS.contains(&byte))
    })
}
