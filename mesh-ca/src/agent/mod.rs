//! A node agent: gets the certificate of a workload, hands it to its proxies, and keeps it fresh (C-SDS).
//!
//! The five steps of certificate delivery, with what this machine does in each:
//!
//! 1. The proxy and the agent are told where they find each other: [`SdsAgentConfig::bootstrap`].
//! 2. The proxy asks for its secrets over a Unix socket: [`SdsAgent::open_stream`], [`SdsAgent::handle_request`] or, in the
//!    delta variant, [`SdsAgent::handle_delta_request`].
//! 3. The agent makes a key and a signing request, once for however many streams: [`AgentOutput::MakeKey`].
//! 4. The CA authenticates the caller and signs: [`AgentOutput::SendCsr`], [`SdsAgent::handle_signed`].
//! 5. Certificate and key go back to the proxy: [`AgentOutput::SendSecrets`], [`AgentOutput::SendDelta`]. Then the rotation begins, and each new
//!    certificate is pushed.
//!
//! While the CA is away, what is held stays served.

mod answer;
mod config;
mod delta;
mod files;
mod output;
mod push;
mod secret;
mod stream;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::entropy::{Entropy, EntropyError};
use crate::key::SecretBytes;
use crate::limits::Limits;
use crate::pem;
use crate::revocation::{CrlError, CrlSet};
use crate::rotation::{
    RequestId, SvidFailure, SvidOutput, SvidPriority, SvidRotator, SvidRotatorError, SvidState,
};
use crate::status::{Status, StatusCode};
use crate::time::{MonotonicTime, Now};

use answer::{Answer, Expected};
use files::{FileSecret, Files};
use stream::{Stream, Variant};

pub use config::{DEFAULT_SECRET, ROOT_SECRET, SdsAgentConfig, SdsBootstrap, WorkloadFiles};
pub use output::{AgentAlarm, AgentOutput, CsrRequest, DeltaSdsRequest, NewKey, SdsRequest, StreamId};
pub use secret::{CertificateSecret, NamedSecret, PrivateKeyProvider, Secret, ValidationSecret};

/// The agent of one workload, for any number of proxies and streams.
///
/// Drain [`poll_output`](Self::poll_output) after each call, and call [`handle_timeout`](Self::handle_timeout) at
/// [`poll_timeout`](Self::poll_timeout). Keys are in the machine, zeroized when it is dropped; it has therefore no snapshot:
/// after a restart it begins with the files that it wrote (`workload_files`), or asks for a new certificate.
///
/// # States of a stream
///
/// | state | event | next | outputs |
/// |---|---|---|---|
/// | open | first request | subscribed | SendSecrets if held, else it waits |
/// | subscribed | answer to the last response, without an error | subscribed | none |
/// | subscribed | answer to the last response, with an error | subscribed | Alarm; the same content is not sent again |
/// | subscribed | answer to an earlier response | subscribed | none |
/// | subscribed | more names | subscribed | SendSecrets with these alone |
/// | subscribed | new content | subscribed | SendSecrets with what changed; authorities first |
/// | waiting | the CA failed, nothing is held | closed | CloseStream with UNAVAILABLE |
///
/// A stream that speaks the delta variant ([`handle_delta_request`](Self::handle_delta_request)) is in the same states, with
/// SendDelta in place of SendSecrets; it is also told what is there no more.
///
/// Spec: C-SDS, ca.md 24.
#[derive(Debug, Clone)]
pub struct SdsAgent {
    config: SdsAgentConfig,
    rotator: SvidRotator,
    pending: Option<Pending>,
    /// Authorities from the configuration, and from the last answer of the CA, in DER.
    configured: Vec<Vec<u8>>,
    returned: Vec<Vec<u8>>,
    /// CRLs: as they go to proxies, and as answers of the CA are checked with them.
    crl: Option<String>,
    crls: CrlSet,
    contents: BTreeMap<String, (u64, Arc<Secret>)>,
    version: u64,
    streams: BTreeMap<StreamId, Stream>,
    files: Files,
    asked_files: BTreeSet<String>,
    /// Files that do not belong together, and when they are read again and given up.
    mismatches: BTreeMap<String, Mismatch>,
    outputs: VecDeque<AgentOutput>,
}

#[derive(Debug, Clone)]
struct Pending {
    request: RequestId,
    public_key: Vec<u8>,
    key: SecretBytes,
}

#[derive(Debug, Clone, Copy)]
struct Mismatch {
    retry_at: MonotonicTime,
    wait: Duration,
    until: MonotonicTime,
}

impl SdsAgent {
    /// An agent that has nothing yet. With `config.trust_anchors` that cannot be read, those that can are used.
    pub fn new(config: SdsAgentConfig) -> Self {
        let configured = pem::parse_chain_skip_other(config.trust_anchors.as_bytes(), &Limits::default());
        Self {
            rotator: SvidRotator::new(config.rotation.clone()),
            pending: None,
            configured: configured.unwrap_or_default(),
            returned: Vec::new(),
            crl: None,
            crls: CrlSet::new(),
            contents: BTreeMap::new(),
            version: 0,
            streams: BTreeMap::new(),
            files: Files::new(),
            asked_files: BTreeSet::new(),
            mismatches: BTreeMap::new(),
            outputs: VecDeque::new(),
            config,
        }
    }

    /// How it works.
    pub fn config(&self) -> &SdsAgentConfig {
        &self.config
    }

    /// Where its certificate stands; `None` before it was asked for.
    pub fn svid_state(&self) -> Option<SvidState> {
        self.rotator.state(&self.config.id)
    }

    /// Asks for the certificate before any proxy does (C-SDS-4), and for the workload's files.
    pub fn start(&mut self, now: Now) {
        match self.config.files().cloned() {
            Some(files) => self.ask_for_files(&[files.certificate, files.key, files.roots]),
            None => self.want(now),
        }
    }

    /// A proxy opened a stream. How many may be open at once is for the embedder to say, which accepts them; what one
    /// stream can ask for is bounded.
    pub fn open_stream(&mut self, stream: StreamId) {
        self.streams.insert(stream, Stream::default());
    }

    /// A proxy asks for secrets, or answers a response, in the state-of-the-world variant. A stream that wants more than 64
    /// secrets is closed with `RESOURCE_EXHAUSTED`.
    pub fn handle_request(&mut self, now: Now, id: StreamId, request: &SdsRequest) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        if *stream.variant.get_or_insert(Variant::StateOfTheWorld) != Variant::StateOfTheWorld {
            return self.refuse(id, StatusCode::InvalidArgument, TWO_VARIANTS);
        }
        // Before the first response there is nothing to answer: the nonce is of a stream that the proxy lost.
        if let Some((nonce, names)) = stream.last.clone().filter(|_| !request.nonce.is_empty()) {
            stream.release(&request.nonce);
            if nonce != request.nonce {
                // An answer to an earlier response: the one to the last one is still to come.
                self.push(now, id);
                return;
            }
            self.note_refusal(id, names, request.error.as_ref());
        }
        if request.names.len() > MAX_NAMES {
            return self.refuse(id, StatusCode::ResourceExhausted, TOO_MANY_NAMES);
        }
        let (known, unknown): (Vec<String>, Vec<String>) =
            request.names.iter().cloned().partition(|name| is_known(name));
        let mut loses = false;
        if let Some(stream) = self.streams.get_mut(&id) {
            loses = stream.wanted.keys().any(|name| !known.contains(name));
            stream.want(&known);
        }
        if loses {
            self.forget_unwanted();
        }
        self.serve(now, id, &known, unknown);
    }

    /// A stream ended. The certificate is kept fresh all the same (C-SDS-14).
    pub fn close_stream(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
        self.forget_unwanted();
    }

    /// What is held of these secrets now: for a fetch without a stream (C-SDS-11).
    pub fn held(&self, names: &[String]) -> Vec<NamedSecret> {
        let held = names.iter().filter_map(|name| {
            let (version, secret) = self.contents.get(name)?;
            Some(NamedSecret {
                name: name.clone(),
                version: *version,
                secret: Arc::clone(secret),
            })
        });
        held.collect()
    }

    /// A key and its signing request were made. One that came too late is dropped.
    pub fn handle_key(&mut self, request: RequestId, key: NewKey) {
        if self
            .rotator
            .in_flight()
            .all(|(in_flight, _)| in_flight != request)
        {
            return;
        }
        let NewKey { key, public_key, csr } = key;
        self.pending = Some(Pending {
            request,
            public_key,
            key,
        });
        let headers = BTreeMap::from([("ClusterID".to_owned(), self.config.cluster_id.clone())]);
        let csr = CsrRequest {
            csr,
            validity_duration: i64::try_from(self.config.secret_ttl.as_secs()).unwrap_or(i64::MAX),
            metadata: self.config.metadata(),
            token_audience: self.config.token_audience.clone(),
            headers,
        };
        self.outputs.push_back(AgentOutput::SendCsr { request, csr });
    }

    /// The CA answered: a certificate, intermediates and, as the last element, authorities, all in PEM (C-SIGN-15). What is
    /// not what was asked for counts as a failure.
    ///
    /// # Errors
    /// When there was no such request, or the entropy fails; nothing has changed then.
    pub fn handle_signed(
        &mut self,
        now: Now,
        request: RequestId,
        chain: &[String],
        entropy: &mut dyn Entropy,
    ) -> Result<(), SvidRotatorError> {
        let checked = match self.pending.as_ref().filter(|pending| pending.request == request) {
            Some(pending) => {
                let expected = Expected {
                    id: &self.config.id,
                    public_key: &pending.public_key,
                    configured: &self.configured,
                    trust_returned_roots: self.config.trust_returned_roots,
                    crls: &self.crls,
                };
                answer::check(chain, &expected, now.wall)
            }
            None => Err("the key of the request is gone".to_owned()),
        };
        match checked {
            Err(why) => {
                self.rotator
                    .handle_failed(now, request, SvidFailure::BadResponse(why), entropy)?;
                self.follow(now);
            }
            Ok(answer) => {
                self.rotator.handle_signed(now, request, &answer.facts, entropy)?;
                self.follow_answer(now, Some((request, answer)));
            }
        }
        Ok(())
    }

    /// The CA, or the way to it, failed.
    ///
    /// # Errors
    /// When there was no such request, or the entropy fails; nothing has changed then.
    pub fn handle_failed(
        &mut self,
        now: Now,
        request: RequestId,
        failure: SvidFailure,
        entropy: &mut dyn Entropy,
    ) -> Result<(), SvidRotatorError> {
        self.rotator.handle_failed(now, request, failure, entropy)?;
        self.follow(now);
        Ok(())
    }

    /// The authorities of the trust domain, from another source than the CA's answers: they are pushed at once, and no new
    /// certificate is asked for (C-WR-6).
    pub fn handle_bundle(&mut self, now: Now, authorities: Vec<Vec<u8>>) {
        self.returned = authorities;
        self.refresh();
        self.follow(now);
    }

    /// CRLs in PEM. They go to proxies along with the authorities, and a certificate that they name is not taken from the CA
    /// (C-WR-7).
    ///
    /// # Errors
    /// When one of them cannot be used, or is older than one before; what was there stays then (C-CRL-11).
    pub fn handle_crl(&mut self, now: Now, crl: Option<String>) -> Result<(), CrlError> {
        let text = crl.as_deref().unwrap_or_default();
        self.crls.update_from_pem(text.as_bytes(), &Limits::default())?;
        self.crl = crl;
        self.refresh();
        self.follow(now);
        Ok(())
    }

    /// Asks for a new certificate soon: the one that is held must not be relied on.
    pub fn rotate(&mut self, now: Now) {
        self.rotator.rotate(now, &self.config.id);
        self.follow(now);
    }

    /// The content of a file; `None` when it is not there. A file is asked for by [`AgentOutput::ReadFiles`].
    pub fn handle_file(&mut self, now: Now, path: &str, content: Option<Vec<u8>>) {
        self.asked_files.remove(path);
        if !self.wanted_files().contains(path) {
            return; // Nobody wants it any more.
        }
        match content {
            Some(content) => drop(
                self.files
                    .insert(path.to_owned(), SecretBytes::new(content.into())),
            ),
            None => drop(self.files.remove(path)),
        }
        let asked = |path: &String| self.asked_files.contains(path);
        let workload = self.config.files();
        let complete = workload.is_some_and(|files| {
            ![&files.certificate, &files.key, &files.roots]
                .into_iter()
                .any(asked)
        });
        if complete && !self.has_files() {
            self.want(now);
        }
        self.load_files(now);
        self.follow(now);
    }

    /// Whatever is due: renewals, next attempts, and secrets that waited for an answer of the proxy.
    ///
    /// # Errors
    /// When the entropy fails; what is due stays due.
    pub fn handle_timeout(&mut self, now: Now, entropy: &mut dyn Entropy) -> Result<(), EntropyError> {
        self.rotator.handle_timeout(now, entropy)?;
        let mut again = Vec::new();
        for (name, mismatch) in &mut self.mismatches {
            if mismatch.retry_at <= now.mono && mismatch.retry_at < mismatch.until {
                mismatch.wait = mismatch.wait.saturating_mul(2);
                mismatch.retry_at = (now.mono + mismatch.wait).min(mismatch.until);
                again.extend(
                    FileSecret::parse(name)
                        .map(|file| file.paths())
                        .unwrap_or_default(),
                );
            }
        }
        if !again.is_empty() {
            self.outputs.push_back(AgentOutput::ReadFiles { paths: again });
        }
        self.give_up_mismatches(now);
        self.follow(now);
        Ok(())
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<MonotonicTime> {
        let holds = self
            .streams
            .values()
            .filter_map(|stream| stream.hold.as_ref().map(|(_, until)| *until));
        let mismatches = self.mismatches.values().map(|mismatch| mismatch.retry_at);
        holds.chain(mismatches).chain(self.rotator.poll_timeout()).min()
    }

    /// The next thing to do or to know.
    pub fn poll_output(&mut self) -> Option<AgentOutput> {
        self.outputs.pop_front()
    }

    /// Forgets keys and certificate, and closes all streams. What was handed out stays with the proxies.
    pub fn shut_down(&mut self, now: Now) {
        self.rotator.forget(now, &self.config.id);
        self.pending = None;
        self.contents.clear();
        self.files.clear();
        self.asked_files.clear();
        self.mismatches.clear();
        // Some of them hold keys.
        self.outputs.clear();
        let status = Status::new(StatusCode::Unavailable, "the agent is shutting down");
        for stream in std::mem::take(&mut self.streams).into_keys() {
            self.outputs.push_back(AgentOutput::CloseStream {
                stream,
                status: status.clone(),
            });
        }
    }

    fn want(&mut self, now: Now) {
        self.rotator.want(now, &self.config.id, SvidPriority::RealTime);
        self.follow(now);
    }

    fn has_files(&self) -> bool {
        let Some(files) = self.config.files() else {
            return false;
        };
        let filled = |path: &String| {
            self.files
                .get(path)
                .is_some_and(|content| !content.expose().is_empty())
        };
        filled(&files.certificate) && filled(&files.key)
    }

    /// The files that the workload or a stream wants.
    fn wanted_files(&self) -> BTreeSet<String> {
        let streams = self.streams.values().flat_map(|stream| stream.wanted.keys());
        let asked = streams.filter_map(|name| FileSecret::parse(name));
        let asked = asked.flat_map(|file| file.paths());
        let workload = self.config.files().into_iter().flat_map(WorkloadFiles::paths);
        asked.chain(workload).collect()
    }

    /// Lets go of files that no stream wants any more, so that what is held is bounded by the streams.
    fn forget_unwanted(&mut self) {
        let paths = self.wanted_files();
        self.files.retain(|path, _| paths.contains(path));
        self.asked_files.retain(|path| paths.contains(path));
        let streams = &self.streams;
        let wanted = |name: &String| {
            name == DEFAULT_SECRET
                || name == ROOT_SECRET
                || streams.values().any(|stream| stream.wanted.contains_key(name))
        };
        self.contents.retain(|name, _| wanted(name));
        self.mismatches.retain(|name, _| wanted(name));
    }

    fn ask_for_files(&mut self, paths: &[String]) {
        let new = paths
            .iter()
            .filter(|path| !self.files.contains_key(*path) && !self.asked_files.contains(*path));
        let new: Vec<String> = new.cloned().collect();
        if !new.is_empty() {
            self.asked_files.extend(new.iter().cloned());
            self.outputs.push_back(AgentOutput::ReadFiles { paths: new });
        }
    }

    /// Serves a new certificate.
    fn take(&mut self, answer: Answer) {
        let Some(Pending { key, .. }) = self.pending.take() else {
            return;
        };
        let Answer { mut chain, roots, .. } = answer;
        if self.config.serve_roots_in_chain {
            chain.push_str(&answer::merged_roots(roots.iter().map(Vec::as_slice)));
        }
        self.returned = roots;
        self.refresh();
        if let Some(dir) = self.config.output_dir.clone() {
            let (key, chain, roots) = (key.clone(), chain.clone(), self.merged_roots());
            self.outputs.push_back(AgentOutput::WriteFiles {
                dir,
                key,
                chain,
                roots,
            });
        }
        let provider = self.config.private_key_provider.clone();
        let secret = Secret::Certificate(CertificateSecret { chain, key, provider });
        self.set(DEFAULT_SECRET, Arc::new(secret));
    }

    fn merged_roots(&self) -> String {
        answer::merged_roots(self.configured.iter().chain(&self.returned).map(Vec::as_slice))
    }

    /// Brings the secret with the authorities up to date.
    fn refresh(&mut self) {
        if self.config.files().is_some() && self.has_files() {
            return;
        }
        let trusted_ca = self.merged_roots();
        if !trusted_ca.is_empty() {
            let crl = self.crl.clone();
            self.set(
                ROOT_SECRET,
                Arc::new(Secret::Validation(ValidationSecret { trusted_ca, crl })),
            );
        }
    }

    /// Sets the content of a secret; an equal one changes nothing.
    fn set(&mut self, name: &str, secret: Arc<Secret>) {
        if self.contents.get(name).is_some_and(|(_, old)| *old == secret) {
            return;
        }
        self.version += 1;
        self.contents.insert(name.to_owned(), (self.version, secret));
    }

    /// Reads secrets from the files that are there.
    fn load_files(&mut self, now: Now) {
        let wanted: BTreeSet<String> = self
            .streams
            .values()
            .flat_map(|stream| stream.wanted.keys().cloned())
            .collect();
        let mut secrets: Vec<(String, FileSecret)> = wanted
            .into_iter()
            .filter_map(|name| FileSecret::parse(&name).map(|file| (name, file)))
            .collect();
        if let Some(files) = self.config.files().filter(|_| self.has_files()) {
            let (certificate, key) = (files.certificate.clone(), files.key.clone());
            secrets.push((
                DEFAULT_SECRET.to_owned(),
                FileSecret::Certificate { certificate, key },
            ));
            secrets.push((
                ROOT_SECRET.to_owned(),
                FileSecret::Root {
                    path: files.roots.clone(),
                },
            ));
        }
        for (name, file) in secrets {
            match file.load(&self.files) {
                Ok(Some(secret)) => {
                    self.mismatches.remove(&name);
                    self.set(&name, secret);
                }
                Ok(None) => {}
                Err(_) => {
                    self.mismatches.entry(name).or_insert(Mismatch {
                        retry_at: now.mono + FIRST_REREAD,
                        wait: FIRST_REREAD,
                        until: now.mono + LAST_REREAD,
                    });
                }
            }
        }
    }

    fn give_up_mismatches(&mut self, now: Now) {
        let ended = |mismatch: &Mismatch| mismatch.until <= now.mono;
        let names: Vec<String> = self
            .mismatches
            .iter()
            .filter(|(_, one)| ended(one))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            self.mismatches.remove(&name);
            self.outputs
                .push_back(AgentOutput::Alarm(AgentAlarm::FilesDoNotMatch { name }));
        }
    }

    /// Does what the rotation says, and pushes what changed.
    fn follow(&mut self, now: Now) {
        self.follow_answer(now, None);
    }

    /// As [`follow`](Self::follow), with the answer that the rotation was just told of: it is served if the rotation takes
    /// it, which it does not with one that has too little life left, or that came too late.
    fn follow_answer(&mut self, now: Now, mut answered: Option<(RequestId, Answer)>) {
        while let Some(output) = self.rotator.poll_output() {
            match output {
                SvidOutput::Request { id, request, .. } => {
                    self.outputs.push_back(AgentOutput::MakeKey { request, id });
                }
                SvidOutput::Failed {
                    request,
                    failure,
                    retry_in,
                    ..
                } => {
                    // The next attempt has a key of its own.
                    self.pending.take_if(|pending| pending.request == request);
                    self.outputs
                        .push_back(AgentOutput::Alarm(AgentAlarm::CaFailed { failure, retry_in }));
                    self.close_waiting();
                }
                SvidOutput::Alarm { alarm, .. } => {
                    self.outputs
                        .push_back(AgentOutput::Alarm(AgentAlarm::Rotation(alarm)));
                }
                SvidOutput::Withdraw { .. } => drop(self.contents.remove(DEFAULT_SECRET)),
                SvidOutput::Accepted { request, .. } => {
                    if let Some((_, answer)) = answered.take_if(|(answered, _)| *answered == request) {
                        self.take(answer);
                    }
                }
            }
        }
        let streams: Vec<StreamId> = self.streams.keys().copied().collect();
        for stream in streams {
            self.push(now, stream);
        }
    }
}

fn is_known(name: &str) -> bool {
    name == DEFAULT_SECRET || name == ROOT_SECRET || FileSecret::parse(name).is_some()
}

/// A proxy has one secret for each certificate that it shows or checks; Envoy even takes a stream for each.
const MAX_NAMES: usize = 64;
const TOO_MANY_NAMES: &str = "more than 64 secrets on one stream";
const TWO_VARIANTS: &str = "one stream speaks one variant of the protocol";
/// Files that do not belong together are read again after this time, then after twice that, and so on (C-SDS-3).
const FIRST_REREAD: Duration = Duration::from_secs(1);
/// Until this time has passed.
const LAST_REREAD: Duration = Duration::from_secs(10);
