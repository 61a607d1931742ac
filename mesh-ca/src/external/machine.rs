//! One request to an external authority, from submission to the checked certificate (C-SGN-4, C-SGN-5, C-SGN-7).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::request::Asked;
use super::snapshot::{Answer, Heard, Phase, Saved, Step};
use super::validate::Expected;
use super::{
    ExternalCaConfig, ExternalCaError, ExternalCaOutput, ExternalSvid, KubernetesCsrStatus, VaultSignResponse,
};
use crate::pem::{self, PemLabel};
use crate::{Entropy, Grant, Limits, MonotonicTime, Now};

/// One request to an external authority. It asks only for what was validated and authorised, and checks what comes back as
/// if a stranger had sent it.
///
/// Drain [`poll_output`](Self::poll_output) after each call, and call [`handle_timeout`](Self::handle_timeout) at
/// [`poll_timeout`](Self::poll_timeout). A request that is under way survives a restart: see
/// [`snapshot`](Self::snapshot).
///
/// Source: ca.md C-SGN-4..8.
#[derive(Debug, Clone)]
pub struct ExternalCa {
    pub(super) asked: Asked,
    pub(super) expected: Expected,
    /// What is saved. All else comes from the grant and the configuration.
    pub(super) state: Saved,
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
        // C-SGN-8: nothing but what was validated and authorised is passed on.
        let digest: [u8; 32] = Sha256::digest(csr).into();
        if digest != grant.audit().csr_digest {
            return Err(ExternalCaError::CsrMismatch);
        }
        let asked = Asked::new(config, grant)?;
        let text = pem::encode(PemLabel::CertificateRequest, csr);
        let state = Saved::begin(&asked, grant, text, now, config.timeout, entropy)?;
        Ok(Self {
            expected: Expected::new(config, grant, asked.life),
            asked,
            state,
        })
    }

    /// The object was created.
    pub fn handle_created(&mut self) {
        if self.state.phase != Phase::Creating {
            return;
        }
        if self.asked.approve {
            self.state.pending.push_back(Step::Approve);
        }
        self.state.pending.extend([Step::Watch, Step::Get]);
        self.state.phase = Phase::Awaiting;
    }

    /// The object was seen. Without a certificate or a refusal nothing happens.
    pub fn handle_status(&mut self, now: Now, status: &KubernetesCsrStatus) {
        self.state.note(now);
        if self.state.phase != Phase::Awaiting {
            return;
        }
        if let Some(reason) = status.refusal() {
            return self.finish(Heard::Refused { reason });
        }
        if let Some(certificate) = &status.certificate {
            let answer = Answer::Kubernetes(certificate.clone());
            self.finish(Heard::Answer { at: now.wall, answer });
        }
    }

    /// The service has answered.
    pub fn handle_vault_response(&mut self, now: Now, response: &VaultSignResponse) {
        self.state.note(now);
        if self.state.phase == Phase::Asked {
            let answer = Answer::Vault(response.clone());
            self.finish(Heard::Answer { at: now.wall, answer });
        }
    }

    /// The embedder could not do what was asked.
    pub fn handle_failed(&mut self, reason: &str) {
        if self.state.phase != Phase::Done {
            let reason = reason.to_owned();
            self.finish(Heard::Refused { reason });
        }
    }

    /// Time has passed. Harmless at any time.
    pub fn handle_timeout(&mut self, now: Now) {
        self.state.note(now);
        if self.state.phase != Phase::Done && now.mono >= self.state.deadline {
            self.finish(Heard::Nothing);
        }
    }

    /// The next thing to do. What came back is checked here, when it is its turn.
    pub fn poll_output(&mut self) -> Option<ExternalCaOutput> {
        let step = self.state.pending.pop_front()?;
        let name = self.state.name.clone();
        Some(match step {
            Step::Create => ExternalCaOutput::Create(Box::new(self.asked.object(name, &self.state.csr))),
            Step::Approve => ExternalCaOutput::Approve { name },
            Step::Watch => ExternalCaOutput::Watch { name },
            Step::Get => ExternalCaOutput::Get { name },
            Step::Delete => ExternalCaOutput::Delete { name },
            Step::Sign => ExternalCaOutput::VaultSign(self.asked.sign_request(&self.state.csr)),
            Step::Result => match self.judge() {
                Ok(svid) => ExternalCaOutput::Issued(Box::new(svid)),
                Err(error) => ExternalCaOutput::Failed(error),
            },
        })
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<MonotonicTime> {
        (self.state.phase != Phase::Done).then_some(self.state.deadline)
    }

    /// The life that the signer is asked for, where that is more than what was granted: Kubernetes takes no less than 600 s.
    ///
    /// Source: ca.md C-SGN-5.
    pub fn raised_ttl(&self) -> Option<Duration> {
        (self.asked.life > self.asked.ttl).then_some(self.asked.life)
    }

    /// Whatever came of it, the object goes: even one whose creation was not confirmed may be there.
    fn finish(&mut self, heard: Heard) {
        if matches!(self.state.phase, Phase::Creating | Phase::Awaiting) {
            self.state.pending.push_back(Step::Delete);
        }
        self.state.phase = Phase::Done;
        self.state.heard = Some(heard);
        self.state.pending.push_back(Step::Result);
    }

    fn judge(&mut self) -> Result<ExternalSvid, ExternalCaError> {
        match self.state.heard.take() {
            Some(Heard::Answer { at, answer }) => self.expected.check(certificates(&answer)?, at),
            Some(Heard::Refused { reason }) => Err(ExternalCaError::Refused { reason }),
            Some(Heard::Nothing) | None => Err(ExternalCaError::TimedOut),
        }
    }
}

/// The certificates of an answer, the leaf first.
fn certificates(answer: &Answer) -> Result<Vec<Vec<u8>>, ExternalCaError> {
    let limits = Limits::default();
    match answer {
        Answer::Kubernetes(certificate) => {
            let text = STANDARD.decode(certificate).unwrap_or_default();
            Ok(pem::parse_chain(&text, &limits)?)
        }
        Answer::Vault(VaultSignResponse {
            certificate,
            issuing_ca,
            ca_chain,
        }) => {
            // The issuer may be in the chain too; what is there twice is taken once.
            let texts = [certificate, issuing_ca].into_iter().chain(ca_chain);
            let mut certificates = Vec::new();
            for text in texts.filter(|text| !text.trim().is_empty()) {
                certificates.extend(pem::parse_chain(text.as_bytes(), &limits)?);
            }
            Ok(certificates)
        }
    }
}
