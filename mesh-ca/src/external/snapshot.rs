//! Saving a request that is under way, and going on with it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::request::{Asked, is_object_name, object_name};
use super::validate::Expected;
use super::{ExternalCa, ExternalCaConfig, ExternalCaError, VaultSignResponse};
use crate::pem::{self, PemLabel};
use crate::{Entropy, Grant, MonotonicTime, Now, SpiffeId, UnixTime};

/// What [`ExternalCa::snapshot`] saves. It holds no keys, no grant and no result. The form of its fields is not for reading,
/// and may change with the version of this crate; one with fields that are not known here is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalCaSnapshot(Saved);

impl ExternalCaSnapshot {
    /// The signing request in PEM. Have it validated and authorised again, for the grant that
    /// [`ExternalCa::restore`] wants.
    pub fn csr(&self) -> &str {
        &self.0.csr
    }
}

/// The state of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    /// The signing request in PEM.
    pub(super) csr: String,
    granted: Granted,
    signer_name: Option<String>,
    /// The object of Kubernetes; empty for a service like Vault's.
    pub(super) name: String,
    pub(super) phase: Phase,
    pub(super) deadline: MonotonicTime,
    last: Now,
    /// What was not polled yet, in order.
    pub(super) pending: VecDeque<Step>,
    /// What [`Step::Result`] is made of.
    pub(super) heard: Option<Heard>,
}

/// What the grant says, to know it again. It is compared, and never used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Granted {
    id: SpiffeId,
    dns: Vec<String>,
    ips: Vec<IpAddr>,
    ttl: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    /// The object is being created.
    Creating,
    /// The object is there, and has no certificate yet.
    Awaiting,
    /// The service has been asked.
    Asked,
    Done,
}

/// An output, in the order in which they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Step {
    Create,
    Sign,
    Approve,
    Watch,
    Get,
    Delete,
    Result,
}

/// How a request ended. The result is made of it when it is polled, by the machine that is asked: a saved result would have
/// to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) enum Heard {
    Answer {
        at: UnixTime,
        answer: Answer,
    },
    /// There was no answer in time.
    Nothing,
    Refused {
        reason: String,
    },
}

/// What came back, as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// PEM in base64.
    Kubernetes(String),
    Vault(VaultSignResponse),
}

/// Why a request cannot go on from a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ExternalCaSnapshotError {
    /// The snapshot contradicts itself: it was damaged, or put together by hand.
    #[error("the snapshot of the request contradicts itself")]
    Contradiction,
    /// The grant is not the one that the request was made for.
    #[error("the snapshot is of a request for another grant")]
    OtherGrant,
    /// The configuration leads to another signer than the one that was asked.
    #[error("the snapshot is of a request to another signer")]
    OtherSigner,
}

impl ExternalCaSnapshotError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Contradiction => "external_ca.snapshot.contradiction",
            Self::OtherGrant => "external_ca.snapshot.other_grant",
            Self::OtherSigner => "external_ca.snapshot.other_signer",
        }
    }
}

impl ExternalCa {
    /// What is needed to go on later, or elsewhere, with outputs that were not polled yet.
    pub fn snapshot(&self) -> ExternalCaSnapshot {
        ExternalCaSnapshot(self.state.clone())
    }

    /// Goes on from a snapshot. The monotonic clock may have another origin than then: what has passed since is told by the
    /// wall clock. Restored at the moment of the snapshot, the machine behaves as the one that was saved.
    ///
    /// A snapshot grants nothing. Whoever can write to where it is kept must not be able to have a certificate made, and so
    /// the grant is not in it: the embedder has the [saved signing request](ExternalCaSnapshot::csr) validated and
    /// authorised again, by the policy of today and with what its own records say of the caller. What was granted, and to
    /// which signer the request went, must be the same as then. What the authority answered is kept as it came, and judged
    /// only now, by this grant and this configuration. What is believed of a snapshot is how far the request got, that an
    /// answer is the authority's, and when it came; an answer still has to lead to the configured roots. Where no roots are
    /// configured, the answer brings its own, and a snapshot is to be kept as safely as the connection to the authority is.
    ///
    /// ```
    /// use mesh_ca::{
    ///     AuthPolicy, Caller, CsrBuilder, CsrPolicy, ExternalCa, ExternalCaConfig, ExternalCaOutput, ExternalCaSnapshot,
    ///     ExternalSigner, InsecureSeededEntropy, KeyPair, MonotonicTime, NodeView, Now, RequestMeta, SpiffeId, UnixTime,
    /// };
    ///
    /// let id: SpiffeId = "spiffe://cluster.local/ns/shop/sa/reviews".parse()?;
    /// let mut entropy = InsecureSeededEntropy::new(1);
    /// let csr = CsrBuilder::new(&id).build(&KeyPair::generate(&mut entropy)?)?;
    /// let grant = CsrPolicy::istio().check(csr.der())?.authorize(&Caller::from(&id))?;
    /// let config = ExternalCaConfig::new(ExternalSigner::Vault);
    /// let now = Now::new(UnixTime::from_secs(1_800_000_000), MonotonicTime::ORIGIN);
    /// let machine = ExternalCa::new(&config, &grant, csr.der(), now, &mut entropy)?;
    /// let saved = serde_json::to_string(&machine.snapshot())?;
    ///
    /// let snapshot: ExternalCaSnapshot = serde_json::from_str(&saved)?;
    /// let csr = CsrPolicy::istio().check(snapshot.csr().as_bytes())?;
    /// let grant = csr.authorize(&Caller::from(&id))?;
    /// let mut machine = ExternalCa::restore(&config, &grant, snapshot, now)?;
    /// assert!(matches!(machine.poll_output(), Some(ExternalCaOutput::VaultSign(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ExternalCaSnapshotError::OtherGrant`] for another grant than that of the request,
    /// [`ExternalCaSnapshotError::OtherSigner`] where the configuration names another signer than then, and
    /// [`ExternalCaSnapshotError::Contradiction`] for what no machine saves.
    ///
    /// Spec: C-GEN-6, C-API-1.
    pub fn restore(
        config: &ExternalCaConfig,
        grant: &Grant,
        snapshot: ExternalCaSnapshot,
        now: Now,
    ) -> Result<Self, ExternalCaSnapshotError> {
        let mut state = snapshot.0;
        let csr = pem::parse_one(state.csr.as_bytes(), PemLabel::CertificateRequest)
            .map_err(|_| ExternalCaSnapshotError::Contradiction)?;
        let digest: [u8; 32] = Sha256::digest(&csr).into();
        if digest != grant.audit().csr_digest || state.granted != Granted::of(grant) {
            return Err(ExternalCaSnapshotError::OtherGrant);
        }
        let asked = Asked::new(config, grant).map_err(|_| ExternalCaSnapshotError::OtherSigner)?;
        if state.signer_name != asked.signer_name {
            return Err(ExternalCaSnapshotError::OtherSigner);
        }
        if !state.is_possible() {
            return Err(ExternalCaSnapshotError::Contradiction);
        }
        // Nothing but the block itself is passed on.
        state.csr = pem::encode(PemLabel::CertificateRequest, &csr);
        state.go_on(now, config.timeout);
        Ok(Self {
            expected: Expected::new(config, grant, asked.life),
            asked,
            state,
        })
    }
}

impl Saved {
    pub(super) fn begin(
        asked: &Asked,
        grant: &Grant,
        csr: String,
        now: Now,
        timeout: Duration,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, ExternalCaError> {
        let (name, phase, step) = match asked.signer_name {
            Some(_) => (object_name(entropy)?, Phase::Creating, Step::Create),
            None => (String::new(), Phase::Asked, Step::Sign),
        };
        Ok(Self {
            csr,
            granted: Granted::of(grant),
            signer_name: asked.signer_name.clone(),
            name,
            phase,
            deadline: now.mono + timeout,
            last: now,
            pending: [step].into(),
            heard: None,
        })
    }

    /// Keeps what time it is.
    pub(super) fn note(&mut self, now: Now) {
        self.last = now;
    }

    /// What is left of the time to wait is left from now on, less what has passed by the wall clock.
    fn go_on(&mut self, now: Now, timeout: Duration) {
        let left = self.deadline.saturating_since(self.last.mono);
        let passed = now.wall.saturating_since(self.last.wall);
        self.deadline = now.mono + left.saturating_sub(passed).min(timeout);
        self.last = now;
    }

    /// Whether a machine can be in this state.
    fn is_possible(&self) -> bool {
        let is_kubernetes = self.signer_name.is_some();
        let fits_signer = match self.phase {
            Phase::Creating | Phase::Awaiting => is_kubernetes,
            Phase::Asked => !is_kubernetes,
            Phase::Done => true,
        };
        let has_name = match is_kubernetes {
            true => is_object_name(&self.name),
            false => self.name.is_empty(),
        };
        let may_be_pending = |step: &Step| match step {
            Step::Create => is_kubernetes,
            Step::Sign => !is_kubernetes,
            Step::Approve | Step::Watch | Step::Get => is_kubernetes && self.phase != Phase::Creating,
            Step::Delete => is_kubernetes && self.phase == Phase::Done,
            Step::Result => self.phase == Phase::Done,
        };
        let in_order = self
            .pending
            .iter()
            .zip(self.pending.iter().skip(1))
            .all(|(a, b)| a < b);
        let answer_fits = match &self.heard {
            Some(Heard::Answer { answer, .. }) => matches!(answer, Answer::Kubernetes(_)) == is_kubernetes,
            Some(Heard::Nothing | Heard::Refused { .. }) | None => true,
        };
        fits_signer
            && has_name
            && in_order
            && self.pending.iter().all(may_be_pending)
            && answer_fits
            && self.heard.is_some() == self.pending.contains(&Step::Result)
    }
}

impl Granted {
    fn of(grant: &Grant) -> Self {
        Self {
            id: grant.id.clone(),
            dns: grant.dns.clone(),
            ips: grant.ips.clone(),
            ttl: grant.ttl,
        }
    }
}
