//! One request to an external authority, from submission to the checked certificate (C-SGN-4, C-SGN-5, C-SGN-7).

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::validate::Expected;
use super::{
    ExternalCaError, ExternalSvid, KubernetesCsr, KubernetesCsrMetadata, KubernetesCsrSpec,
    KubernetesCsrStatus, VaultSignRequest, VaultSignResponse,
};
use crate::pem::{self, PemLabel};
use crate::{Entropy, Grant, Limits, MonotonicTime, Now};

/// The shortest life that the Kubernetes API takes, in seconds.
const MIN_EXPIRATION: i32 = 600;

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

/// What the embedder has to do for an [`ExternalCa`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum ExternalCaOutput {
    /// Create the object, then call [`handle_created`](ExternalCa::handle_created).
    Create(Box<KubernetesCsr>),
    /// Approve the object of this name.
    Approve {
        /// The name.
        name: String,
    },
    /// Watch the object, and pass what is seen to [`handle_status`](ExternalCa::handle_status). It comes before
    /// [`Get`](Self::Get), so that no change is missed.
    Watch {
        /// The name.
        name: String,
    },
    /// Read the object once, and pass it to [`handle_status`](ExternalCa::handle_status).
    Get {
        /// The name.
        name: String,
    },
    /// Delete the object, whatever became of it.
    Delete {
        /// The name.
        name: String,
    },
    /// Send the request, and pass the answer to [`handle_vault_response`](ExternalCa::handle_vault_response).
    VaultSign(VaultSignRequest),
    /// It is done.
    Issued(Box<ExternalSvid>),
    /// It has failed.
    Failed(ExternalCaError),
}

/// One request to an external authority. It asks only for what was validated and authorised, and checks what comes back as
/// if a stranger had sent it.
///
/// Drain [`poll_output`](Self::poll_output) after each call, and call [`handle_timeout`](Self::handle_timeout) at
/// [`poll_timeout`](Self::poll_timeout).
///
/// Source: ca.md C-SGN-4..8.
#[derive(Debug)]
pub struct ExternalCa {
    expected: Expected,
    state: State,
    deadline: MonotonicTime,
    outputs: VecDeque<ExternalCaOutput>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// The object is being created.
    Creating {
        name: String,
        approve: bool,
    },
    /// The object is there, and has no certificate yet.
    Awaiting {
        name: String,
    },
    /// The service has been asked.
    Asked,
    Done,
}

impl ExternalCa {
    /// Begins a request. `csr` is the signing request that the grant was given for, in DER.
    ///
    /// # Errors
    /// [`ExternalCaError::CsrMismatch`] for another signing request, [`ExternalCaError::SignerWithoutDomain`] for a named
    /// signer without a domain, or when randomness fails.
    pub fn new(
        config: &ExternalCaConfig,
        grant: &Grant,
        csr: &[u8],
        now: Now,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, ExternalCaError> {
        let digest: [u8; 32] = Sha256::digest(csr).into();
        if digest != grant.audit().csr_digest {
            return Err(ExternalCaError::CsrMismatch);
        }
        let ttl = grant.ttl.unwrap_or(config.ttl);
        let text = pem::encode(PemLabel::CertificateRequest, csr);
        let (state, output) = match &config.signer {
            ExternalSigner::Kubernetes {
                domain,
                default_signer,
                approve,
            } => {
                let signer_name = signer_name(domain, default_signer, grant.cert_signer())?;
                let name = object_name(entropy)?;
                let object = object(&name, signer_name, &text, ttl);
                let approve = *approve;
                (
                    State::Creating { name, approve },
                    ExternalCaOutput::Create(Box::new(object)),
                )
            }
            ExternalSigner::Vault => {
                let request = VaultSignRequest {
                    csr: text,
                    ttl: (!ttl.is_zero()).then(|| format!("{}s", ttl.as_secs())),
                    uri_sans: grant.id().to_string(),
                    exclude_cn_from_sans: true,
                };
                (State::Asked, ExternalCaOutput::VaultSign(request))
            }
        };
        let life = match &config.signer {
            // What is asked for is not less than the API takes.
            ExternalSigner::Kubernetes { .. } if !ttl.is_zero() => ttl.max(minimum()),
            _ => ttl,
        };
        Ok(Self {
            expected: Expected {
                grant: grant.clone(),
                ttl: life,
                skew: config.skew,
                roots: config.roots.clone(),
            },
            state,
            deadline: now.mono + config.timeout,
            outputs: [output].into(),
        })
    }

    /// The object was created.
    pub fn handle_created(&mut self) {
        if let State::Creating { name, approve } = &self.state {
            let (name, approve) = (name.clone(), *approve);
            if approve {
                self.outputs
                    .push_back(ExternalCaOutput::Approve { name: name.clone() });
            }
            self.outputs
                .push_back(ExternalCaOutput::Watch { name: name.clone() });
            self.outputs
                .push_back(ExternalCaOutput::Get { name: name.clone() });
            self.state = State::Awaiting { name };
        }
    }

    /// The object was seen. Without a certificate or a refusal nothing happens.
    pub fn handle_status(&mut self, now: Now, status: &KubernetesCsrStatus) {
        if !matches!(self.state, State::Awaiting { .. }) {
            return;
        }
        if let Some(reason) = status.refusal() {
            return self.finish(Err(ExternalCaError::Refused { reason }));
        }
        let Some(certificate) = &status.certificate else {
            return;
        };
        let text = STANDARD.decode(certificate).unwrap_or_default();
        let certificates = pem::parse_chain(&text, &Limits::default());
        let result = certificates
            .map_err(Into::into)
            .and_then(|certificates| self.expected.check(certificates, now.wall));
        self.finish(result);
    }

    /// The service has answered.
    pub fn handle_vault_response(&mut self, now: Now, response: &VaultSignResponse) {
        if self.state != State::Asked {
            return;
        }
        let VaultSignResponse {
            certificate,
            issuing_ca,
            ca_chain,
        } = response;
        // The issuer may be in the chain too; what is there twice is taken once.
        let texts = [certificate, issuing_ca].into_iter().chain(ca_chain);
        let mut certificates = Vec::new();
        for text in texts.filter(|text| !text.trim().is_empty()) {
            match pem::parse_chain(text.as_bytes(), &Limits::default()) {
                Ok(more) => certificates.extend(more),
                Err(error) => return self.finish(Err(error.into())),
            }
        }
        let result = self.expected.check(certificates, now.wall);
        self.finish(result);
    }

    /// The embedder could not do what was asked.
    pub fn handle_failed(&mut self, reason: &str) {
        if self.state != State::Done {
            let reason = reason.to_owned();
            self.finish(Err(ExternalCaError::Refused { reason }));
        }
    }

    /// Time has passed. Harmless at any time.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.state != State::Done && now.mono >= self.deadline {
            self.finish(Err(ExternalCaError::TimedOut));
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<ExternalCaOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<MonotonicTime> {
        (self.state != State::Done).then_some(self.deadline)
    }

    /// Whatever came of it, the object goes: even one whose creation was not confirmed may be there.
    fn finish(&mut self, result: Result<ExternalSvid, ExternalCaError>) {
        if let State::Creating { name, .. } | State::Awaiting { name } = &self.state {
            let name = name.clone();
            self.outputs.push_back(ExternalCaOutput::Delete { name });
        }
        self.state = State::Done;
        self.outputs.push_back(match result {
            Ok(svid) => ExternalCaOutput::Issued(Box::new(svid)),
            Err(error) => ExternalCaOutput::Failed(error),
        });
    }
}

fn signer_name(domain: &str, default_signer: &str, wanted: &str) -> Result<String, ExternalCaError> {
    match (domain, wanted) {
        (_, "") => Ok(default_signer.to_owned()),
        ("", _) => Err(ExternalCaError::SignerWithoutDomain),
        (domain, name) => Ok(format!("{domain}/{name}")),
    }
}

/// `csr-workload-` and ten letters or digits.
fn object_name(entropy: &mut dyn Entropy) -> Result<String, ExternalCaError> {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bytes = [0; 10];
    entropy.fill(&mut bytes)?;
    let letters = bytes
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte & 31)));
    let suffix: String = letters.map(|letter| char::from(*letter)).collect();
    Ok(format!("csr-workload-{suffix}"))
}

fn object(name: &str, signer_name: String, csr: &str, ttl: Duration) -> KubernetesCsr {
    let seconds = i32::try_from(ttl.as_secs())
        .unwrap_or(i32::MAX)
        .max(MIN_EXPIRATION);
    KubernetesCsr {
        api_version: "certificates.k8s.io/v1".to_owned(),
        kind: "CertificateSigningRequest".to_owned(),
        metadata: KubernetesCsrMetadata {
            name: name.to_owned(),
        },
        spec: KubernetesCsrSpec {
            request: STANDARD.encode(csr),
            signer_name,
            expiration_seconds: (!ttl.is_zero()).then_some(seconds),
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

fn minimum() -> Duration {
    Duration::from_secs(MIN_EXPIRATION.unsigned_abs().into())
}
