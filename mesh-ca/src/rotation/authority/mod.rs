//! Rotation of the authority of a trust domain (C-ROT).

mod config;
mod draft;
mod output;
mod plan;
mod state;
mod timers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::KeyId;
use crate::entropy::{Entropy, EntropyError};
use crate::time::{MonotonicTime, Now, UnixTime};

use draft::{Draft, OldByNew};
use plan::{Command, Done};
use timers::Attempt;

pub use config::{
    AuthorityRotationConfig, AuthorityTimes, Retirement, RotationFinding, RotationFindingCode,
    RotationStrategy,
};
pub use output::{
    AuthorityAlarm, AuthorityAnswerError, AuthorityCommandError, AuthorityOutput, AuthorityStep,
    CertifyRequest, CrossSignRequest, Issuing, IssuingError,
};
pub use state::{
    AuthorityCertificate, AuthorityId, AuthorityRecord, AuthorityState, AuthorityStatus, KeySlot,
};

/// Replaces the authority of a trust domain again and again, so that no verifier ever meets a certificate whose authority
/// it does not know.
///
/// The machine decides what happens and when. The embedder makes keys and certificates, stores the state and publishes the
/// bundle, each when an [`AuthorityOutput`] asks for it, and **answers every one of them**. Nothing takes effect before it
/// is stored, and no authority issues before its bundle is published. See [`rotation`](crate::rotation) for why that leaves
/// no gap.
///
/// Call [`handle_timeout`](Self::handle_timeout) at [`poll_timeout`](Self::poll_timeout), and drain
/// [`poll_output`](Self::poll_output) after each call.
///
/// ```
/// use mesh_ca::rotation::{AuthorityCertificate, AuthorityOutput, AuthorityRotationConfig, AuthorityRotator};
/// use mesh_ca::{InsecureSeededEntropy, KeyId, MonotonicTime, Now, UnixTime};
///
/// let entropy = &mut InsecureSeededEntropy::new(1);
/// let now = Now::new(UnixTime::from_secs(1_800_000_000), MonotonicTime::ORIGIN);
/// let mut rotator = AuthorityRotator::new(AuthorityRotationConfig::default()).expect("the defaults leave no gap");
/// rotator.handle_timeout(now, entropy)?;
/// let mut steps = Vec::new();
/// while let Some(output) = rotator.poll_output() {
///     match output {
///         AuthorityOutput::GenerateKey { authority, .. } => {
///             steps.push("key");
///             rotator.handle_key(now, authority, KeyId::from([1]));
///         }
///         AuthorityOutput::Certify(request) => {
///             steps.push("certificate");
///             let (not_before, not_after) = (request.not_before, request.not_after);
///             let der = [0x30, 0x00].into(); // where a real one would be
///             let made = AuthorityCertificate { der, key_id: KeyId::from([1]), not_before, not_after };
///             rotator.handle_certified(now, request.authority, made);
///         }
///         AuthorityOutput::PersistState { state, .. } => {
///             steps.push("store");
///             rotator.handle_persisted(now, state.version);
///         }
///         AuthorityOutput::PublishBundle { sequence, .. } => {
///             steps.push("publish");
///             rotator.handle_published(now, sequence);
///         }
///         AuthorityOutput::IssueWith(_) => steps.push("issue"),
///         other => panic!("{other:?}"),
///     }
/// }
/// // Stored before published, published before used; what was confirmed is stored too.
/// assert_eq!(steps, ["key", "certificate", "store", "publish", "store", "store", "issue"]);
/// # Ok::<(), mesh_ca::EntropyError>(())
/// ```
///
/// # States of an authority
///
/// | state | event or guard | next | outputs |
/// |---|---|---|---|
/// | none | there is no active one, or `prepare_at` of the active one | being made | GenerateKey, Certify, CrossSign |
/// | being made | a step failed | being made | again after 1 s to 5 min; Alarm after three times |
/// | being made | certified, stored | Requested | PersistState, PublishBundle |
/// | Requested | published | Prepared | PersistState |
/// | Prepared | there is no active one | Active | PersistState, IssueWith |
/// | Prepared | too little life is left | gone | PersistState, PublishBundle, Retired |
/// | Prepared | `activate_at` of the active one, and the guard is met | Active; the former one Old | PersistState, IssueWith |
/// | Prepared | `force_at` or the end of the active one | Active; the former one Old | the same, and Alarm |
/// | Old | [`taint`](Self::taint) | Old, tainted | PersistState, NotifyRotate |
/// | Old | past its time of retirement, no clock jump | gone | PersistState, PublishBundle, Retired |
/// | Old, tainted | [`revoke`](Self::revoke) | gone | PersistState, PublishBundle, NotifyRotate, Retired |
/// | any | a newer state was stored by another replica | as stored | own work is dropped |
///
/// Spec: C-ROT, ca.md 24.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityRotator {
    config: AuthorityRotationConfig,
    inner: Inner,
}

/// Everything but the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Inner {
    /// What is stored.
    state: Arc<AuthorityState>,
    /// What was stored before, to roll back to.
    previous: Option<Arc<AuthorityState>>,
    draft: Option<Draft>,
    old_by_new: Option<OldByNew>,
    /// The state that is being stored.
    persisting: Option<Persisting>,
    persist: Attempt,
    publish: Attempt,
    publishing: Option<u64>,
    /// Confirmed publications that are not stored yet.
    confirmed: Vec<(u64, UnixTime)>,
    /// The highest number that is known to be published by whomever.
    observed_sequence: u64,
    commands: VecDeque<Command>,
    emergency: Option<Emergency>,
    /// Why, and what to roll back to.
    rollback: Option<(String, Arc<AuthorityState>)>,
    /// Members of the mesh, with the highest bundle that each confirmed.
    members: BTreeMap<String, u64>,
    known_revoked: BTreeSet<KeyId>,
    /// The prepared authority that is known to be late.
    late: Option<AuthorityId>,
    limit_reported: bool,
    last: Option<Now>,
    /// Nothing is removed before.
    hold_until: Option<MonotonicTime>,
    /// Both clocks when the active authority became known.
    anchor: Option<Now>,
    observed_at: Option<MonotonicTime>,
    next_check: Option<MonotonicTime>,
    issuing: Option<Issuing>,
    outputs: VecDeque<AuthorityOutput>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Persisting {
    next: Arc<AuthorityState>,
    /// Reported when it is stored.
    alarms: Vec<AuthorityAlarm>,
    /// The active authority is replaced: its leaves must not outlive what the new state allows for them.
    handover_since: Option<UnixTime>,
    done: Done,
}

/// The active authority is compromised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Emergency {
    key_id: KeyId,
    revoke_after: Option<Duration>,
}

/// What an emergency rotation means for those who rely on the authority. Spec: C-ROT-9.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyReport {
    /// Members that have not confirmed a bundle with the next authority, in so far as members are declared. They accept new
    /// leaves only through a cross-signed certificate.
    pub unconfirmed: Vec<String>,
    /// Whether a cross-signed certificate will be made or is there.
    pub cross_signed: bool,
    /// Until the old authority is revoked, whoever holds its key can go on making certificates that are accepted. `None`: no
    /// revocation is planned.
    pub revoked_after: Option<Duration>,
    /// Replicas that have not read the new state go on issuing with the old authority for so long.
    pub replicas_lag: Duration,
}

/// Everything that [`AuthorityRotator::snapshot`] saves: the stored state, and the work that is under way. Holds no keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorityRotatorSnapshot(Inner);

impl AuthorityRotator {
    /// A machine for a trust domain that has no authority yet: the first one is made with the first call of
    /// [`handle_timeout`](Self::handle_timeout).
    ///
    /// # Errors
    /// What the times of the configuration allow to go wrong; see [`AuthorityRotationConfig::check`].
    pub fn new(config: AuthorityRotationConfig) -> Result<Self, Vec<RotationFinding>> {
        let findings = config.check();
        if findings.is_empty() {
            Ok(Self::permissive(config))
        } else {
            Err(findings)
        }
    }

    /// As [`new`](Self::new), for a configuration that allows gaps: each finding becomes an alarm.
    pub fn permissive(config: AuthorityRotationConfig) -> Self {
        let mut inner = Inner::default();
        for finding in config.check() {
            let alarm = AuthorityAlarm::Configuration(finding);
            inner.outputs.push_back(AuthorityOutput::Alarm(alarm));
        }
        Self { config, inner }
    }

    /// Goes on from the stored state, after a restart or as another replica. A bundle whose publication was not confirmed is
    /// published again, and nothing is removed before [`dist`](AuthorityRotationConfig::dist) has passed: the clock may be
    /// wrong. Tell the highest published number with [`observe_published`](Self::observe_published).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_state(
        config: AuthorityRotationConfig,
        state: AuthorityState,
        now: Now,
    ) -> Result<Self, Vec<RotationFinding>> {
        let mut rotator = Self::new(config)?;
        for authority in state.authorities.iter().filter(|authority| authority.tainted) {
            rotator.notify_rotate(&authority.certificate.key_id);
        }
        let inner = &mut rotator.inner;
        inner.known_revoked.clone_from(&state.revoked_keys);
        inner.state = Arc::new(state);
        inner.hold_until = Some(now.mono + rotator.config.dist);
        inner.observed_at = Some(now.mono);
        inner.anchor = Some(now);
        rotator.run(now);
        Ok(rotator)
    }

    /// Everything, work under way and outputs that were not polled included.
    pub fn snapshot(&self) -> AuthorityRotatorSnapshot {
        AuthorityRotatorSnapshot(self.inner.clone())
    }

    /// Goes on exactly as the saved machine would. Only where the monotonic clock has the same origin; after a restart use
    /// [`from_state`](Self::from_state).
    pub fn restore(config: AuthorityRotationConfig, snapshot: AuthorityRotatorSnapshot) -> Self {
        Self {
            config,
            inner: snapshot.0,
        }
    }

    /// How it rotates.
    pub fn config(&self) -> &AuthorityRotationConfig {
        &self.config
    }

    /// What is stored.
    pub fn state(&self) -> &Arc<AuthorityState> {
        &self.inner.state
    }

    /// Changes the longest life of a leaf. A longer one is allowed when it is stored (see [`Issuing::leaf_max`]).
    ///
    /// # Errors
    /// When the times would not fit together any more; nothing has changed then.
    pub fn set_leaf_max(&mut self, now: Now, leaf_max: Duration) -> Result<(), Vec<RotationFinding>> {
        let config = AuthorityRotationConfig {
            leaf_max,
            ..self.config.clone()
        };
        let findings = config.check();
        if !findings.is_empty() {
            return Err(findings);
        }
        self.config = config;
        self.run(now);
        Ok(())
    }

    /// What to issue with now.
    ///
    /// # Errors
    /// When there is nothing valid to issue with, or another replica may have replaced it.
    pub fn issuing(&self, now: Now) -> Result<Issuing, IssuingError> {
        let mut issuing = self.issuing_view(now).ok_or(IssuingError::NoAuthority)?;
        if now.wall > issuing.certificate.not_after {
            return Err(IssuingError::NoAuthority);
        }
        if !self.config.sync.is_zero() && self.is_stale(now) {
            return Err(IssuingError::StateStale);
        }
        // The state that is being stored says when the last leaf of this authority ends.
        if let Some(since) = self.inner.persisting.as_ref().and_then(|one| one.handover_since) {
            issuing.leaf_max = issuing.leaf_max.saturating_sub(now.wall.saturating_since(since));
        }
        Ok(issuing)
    }

    /// Declares who has to confirm bundles. With members, an authority can take over as soon as all of them have confirmed a
    /// bundle with it. New members have confirmed nothing; an empty list never speeds anything up (C-ROT-4).
    pub fn set_members(&mut self, now: Now, members: impl IntoIterator<Item = String>) {
        let old = std::mem::take(&mut self.inner.members);
        let members = members.into_iter().map(|member| {
            let confirmed = old.get(&member).copied().unwrap_or(0);
            (member, confirmed)
        });
        self.inner.members = members.collect();
        self.run(now);
    }

    /// A member holds the bundle of this number. Others than members are ignored.
    pub fn handle_ack(&mut self, now: Now, member: &str, sequence: u64) {
        if let Some(confirmed) = self.inner.members.get_mut(member) {
            *confirmed = sequence.max(*confirmed);
        }
        self.run(now);
    }

    /// A key was made for an authority.
    pub fn handle_key(&mut self, now: Now, authority: AuthorityId, key_id: KeyId) {
        self.take_key(now, authority, key_id);
        self.run(now);
    }

    /// The certificate of an authority was made.
    pub fn handle_certified(&mut self, now: Now, authority: AuthorityId, certificate: AuthorityCertificate) {
        self.take_certificate(now, authority, certificate);
        self.run(now);
    }

    /// The cross-signed certificate of `subject` was made.
    pub fn handle_cross_signed(
        &mut self,
        now: Now,
        subject: AuthorityId,
        issuer: AuthorityId,
        certificate: AuthorityCertificate,
    ) {
        self.take_cross_sign(now, subject, issuer, certificate);
        self.run(now);
    }

    /// No cross-signed certificate of `subject` can be made: the path length or the name constraints of the issuer exclude
    /// it (C-ROT-6). The rotation goes on without.
    pub fn handle_cross_sign_impossible(
        &mut self,
        now: Now,
        subject: AuthorityId,
        issuer: AuthorityId,
        why: impl Into<String>,
    ) {
        self.skip_cross_sign(subject, issuer, why.into());
        self.run(now);
    }

    /// A step for an authority failed: making its key, its certificate or its cross-signed certificate. It is asked for
    /// again after a while.
    pub fn handle_step_failed(&mut self, now: Now, authority: AuthorityId, step: AuthorityStep) {
        self.fail_step(now, authority, step);
        self.run(now);
    }

    /// A state was stored.
    pub fn handle_persisted(&mut self, now: Now, version: u64) {
        let stored = self.inner.persisting.take_if(|one| one.next.version == version);
        if let Some(Persisting {
            next, alarms, done, ..
        }) = stored
        {
            self.inner.persist = Attempt::default();
            match done {
                Done::Command => drop(self.inner.commands.pop_front()),
                Done::Rollback => {
                    self.inner.rollback = None;
                    // What failed is not done again at once.
                    self.inner.persist.retry_at = Some(now.mono + AFTER_ROLLBACK);
                }
                Done::Step => {}
            }
            self.inner.observed_at = Some(now.mono);
            let before = std::mem::replace(&mut self.inner.state, next);
            self.report_changes(now, &before);
            self.inner.previous = Some(before);
            for alarm in alarms {
                self.alarm(alarm);
            }
        }
        self.run(now);
    }

    /// The state was **not** stored. Where that is not certain, read the store first, and call
    /// [`handle_persist_conflict`](Self::handle_persist_conflict) or [`handle_persisted`](Self::handle_persisted).
    pub fn handle_persist_failed(&mut self, now: Now) {
        if self.inner.persisting.take().is_some() {
            let mut attempt = self.inner.persist;
            self.note_failure(now, &mut attempt, AuthorityStep::Persist);
            self.inner.persist = attempt;
        }
        self.run(now);
    }

    /// The store holds another version than the one that was to be replaced: another replica was first. Its state is taken
    /// over, and own work is dropped (C-ROT-12).
    pub fn handle_persist_conflict(&mut self, now: Now, stored: AuthorityState) {
        self.inner.persisting = None;
        self.observe(now, stored);
    }

    /// The new state did not stand a test of the embedder, for example because a chain does not verify with the new bundle:
    /// the state before it is stored again. What was revoked stays revoked (C-ROT-11).
    pub fn roll_back(&mut self, now: Now, why: impl Into<String>) {
        if let Some(previous) = self.inner.previous.clone() {
            self.inner.rollback = Some((why.into(), previous));
        }
        self.run(now);
    }

    /// The state that is stored, read by the embedder every now and then. A newer one is taken over, and own work is
    /// dropped; an older one is ignored.
    pub fn observe(&mut self, now: Now, stored: AuthorityState) {
        if stored.version >= self.inner.state.version {
            self.inner.observed_at = Some(now.mono);
        }
        if stored.version > self.inner.state.version {
            self.adopt(now, stored);
        }
        self.run(now);
    }

    /// A bundle was published.
    pub fn handle_published(&mut self, now: Now, sequence: u64) {
        if sequence <= self.inner.state.sequence {
            if self
                .inner
                .publishing
                .is_some_and(|publishing| publishing <= sequence)
            {
                self.inner.publishing = None;
                self.inner.publish = Attempt::default();
            }
            if sequence > self.inner.state.published_sequence {
                self.inner.confirmed.push((sequence, now.wall));
            }
        }
        self.run(now);
    }

    /// Publishing a bundle failed. It is tried again after a while.
    pub fn handle_publish_failed(&mut self, now: Now, sequence: u64) {
        if self.inner.publishing == Some(sequence) {
            self.inner.publishing = None;
            let mut attempt = self.inner.publish;
            self.note_failure(now, &mut attempt, AuthorityStep::Publish);
            self.inner.publish = attempt;
        }
        self.run(now);
    }

    /// The highest number that is published, as far as the embedder knows. Consumers ignore lower numbers, so the next one
    /// is higher, even where an older state was restored (C-ROT-13).
    pub fn observe_published(&mut self, now: Now, sequence: u64) {
        self.inner.observed_sequence = self.inner.observed_sequence.max(sequence);
        self.run(now);
    }

    /// Whatever is due. May be called at any time; at least every [`gap`](AuthorityRotationConfig::gap) while work is due.
    ///
    /// # Errors
    /// When the entropy fails, which gives new authorities their numbers: nothing new was begun then.
    pub fn handle_timeout(&mut self, now: Now, entropy: &mut dyn Entropy) -> Result<(), EntropyError> {
        self.note_clock(now);
        self.run(now);
        let begun = self.begin_if_due(now, entropy);
        self.run(now);
        begun.map(|_| ())
    }

    /// Makes the next authority now.
    ///
    /// # Errors
    /// [`AlreadyPrepared`](AuthorityCommandError::AlreadyPrepared), or
    /// [`AuthorityLimit`](AuthorityCommandError::AuthorityLimit).
    pub fn prepare(&mut self, now: Now, entropy: &mut dyn Entropy) -> Result<(), CommandError> {
        if self.has_next() {
            return Err(AuthorityCommandError::AlreadyPrepared.into());
        }
        let renews = self.renewed_next();
        self.begin(now, renews, entropy)?;
        self.run(now);
        Ok(())
    }

    /// Activates a prepared authority, if every verifier can have it, or with `force` in any case.
    ///
    /// # Errors
    /// [`NotFound`](AuthorityCommandError::NotFound), [`NotPrepared`](AuthorityCommandError::NotPrepared), or
    /// [`GuardNotMet`](AuthorityCommandError::GuardNotMet) without `force`.
    pub fn activate(
        &mut self,
        now: Now,
        authority: AuthorityId,
        force: bool,
    ) -> Result<(), AuthorityCommandError> {
        self.command(now, Command::Activate { authority, force })
    }

    /// Declares that an old authority must not be relied on: what it issued is renewed. It stays in the bundle until it is
    /// revoked. Cannot be undone.
    ///
    /// # Errors
    /// [`NotFound`](AuthorityCommandError::NotFound), [`NotOld`](AuthorityCommandError::NotOld), or
    /// [`KeyInUse`](AuthorityCommandError::KeyInUse).
    pub fn taint(&mut self, now: Now, authority: AuthorityId) -> Result<(), AuthorityCommandError> {
        self.command(now, Command::Taint { authority })
    }

    /// Removes a tainted authority from the bundle, for ever: its key never comes back.
    ///
    /// # Errors
    /// [`NotFound`](AuthorityCommandError::NotFound), [`NotOld`](AuthorityCommandError::NotOld), or
    /// [`NotTainted`](AuthorityCommandError::NotTainted).
    pub fn revoke(&mut self, now: Now, authority: AuthorityId) -> Result<(), AuthorityCommandError> {
        self.command(now, Command::Revoke { authority })
    }

    /// The active authority is compromised: a new key is made, activated as soon as it is published, and the old authority
    /// tainted. `revoke_after` plans its revocation; see [`AuthorityRotationConfig::default_revoke_after`].
    ///
    /// # Errors
    /// [`NotFound`](AuthorityCommandError::NotFound) without an active authority,
    /// [`AuthorityLimit`](AuthorityCommandError::AuthorityLimit), or a failure of the entropy.
    ///
    /// Spec: C-ROT-9.
    pub fn emergency_rotate(
        &mut self,
        now: Now,
        revoke_after: Option<Duration>,
        entropy: &mut dyn Entropy,
    ) -> Result<EmergencyReport, CommandError> {
        let state = Arc::clone(&self.inner.state);
        let active = state.active().ok_or(AuthorityCommandError::NotFound)?;
        let key_id = active.certificate.key_id.clone();
        let report = self.emergency_report(&key_id, revoke_after);
        if !self.has_other_key(&key_id) {
            self.discard_draft();
            self.begin(now, None, entropy)?;
        }
        self.inner.emergency = Some(Emergency { key_id, revoke_after });
        self.run(now);
        Ok(report)
    }

    /// An intermediate authority was issued by the active one: it stays in the bundle until that one has ended.
    pub fn note_ca_issued(&mut self, now: Now, authority: AuthorityId, not_after: UnixTime) {
        self.inner
            .commands
            .push_back(Command::NoteCa { authority, not_after });
        self.run(now);
    }

    /// A CRL with this number was issued.
    pub fn note_crl(&mut self, now: Now, authority: AuthorityId, number: u64) {
        self.inner
            .commands
            .push_back(Command::NoteCrl { authority, number });
        self.run(now);
    }

    /// The next thing to do or to know.
    pub fn poll_output(&mut self) -> Option<AuthorityOutput> {
        self.inner.outputs.pop_front()
    }

    /// Whatever can go on without an answer.
    fn run(&mut self, now: Now) {
        self.inner.last = Some(now);
        self.step_draft(now);
        self.step_old_by_new(now);
        self.step_persist(now);
        self.step_publish(now);
        self.report_issuing(now);
    }

    fn alarm(&mut self, alarm: AuthorityAlarm) {
        self.inner.outputs.push_back(AuthorityOutput::Alarm(alarm));
    }

    fn notify_rotate(&mut self, issuer: &KeyId) {
        let (issuer, spread) = (issuer.clone(), self.config.spread);
        self.inner
            .outputs
            .push_back(AuthorityOutput::NotifyRotate { issuer, spread });
    }

    fn note_failure(&mut self, now: Now, attempt: &mut Attempt, step: AuthorityStep) {
        attempt.failures = attempt.failures.saturating_add(1);
        attempt.retry_at = Some(now.mono + self.config.retry_after(attempt.failures));
        if attempt.failures == FAILURES_BEFORE_ALARM {
            let failures = attempt.failures;
            self.alarm(AuthorityAlarm::Failing { step, failures });
        }
    }
}

/// A command failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// The source of random bytes failed.
    Entropy(EntropyError),
    /// The command does not fit the state.
    Refused(AuthorityCommandError),
}

impl CommandError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Entropy(_) => "rotation.entropy",
            Self::Refused(error) => error.code(),
        }
    }
}

impl From<EntropyError> for CommandError {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}

impl From<AuthorityCommandError> for CommandError {
    fn from(error: AuthorityCommandError) -> Self {
        Self::Refused(error)
    }
}

impl std::fmt::Display for CommandError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Entropy(error) => error.fmt(f),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CommandError {}

/// So long nothing is changed after a roll-back.
const AFTER_ROLLBACK: Duration = Duration::from_secs(300);

/// So many failures in a row are an alarm (ca.md 24).
const FAILURES_BEFORE_ALARM: u32 = 3;
