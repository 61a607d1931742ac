//! An agent with its CA and its proxies.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use mesh_ca::agent::{
    AgentAlarm, AgentOutput, CertificateSecret, CsrRequest, DEFAULT_SECRET, DeltaSdsRequest, NamedSecret,
    NewKey, ROOT_SECRET, SdsAgent, SdsAgentConfig, SdsRequest, Secret, StreamId,
};
use mesh_ca::pem::{self, PemLabel};
use mesh_ca::rotation::{RequestId, SvidFacts, SvidFailure, SvidState};
use mesh_ca::{
    Authority, CaProfile, Caller, Certificate, CsrBuilder, CsrPolicy, InsecureSeededEntropy, KeyAlgorithm,
    KeyFormat, KeyPair, Limits, MonotonicTime, Now, SpiffeId, StatusCode, TrustBundle, UnixTime,
    VerifyOptions,
};

use super::super::bytes::Bytes;
use super::is_same;
use super::proxy::{Proxy, Words};
use super::rotation::Rotation;

/// What the CA answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Good,
    /// For a key that nobody asked with.
    OtherKey,
    OtherId,
    /// From an authority that the answer does not end with.
    OtherIssuer,
    /// With nothing but a leaf.
    NoRoots,
    Empty,
    Nonsense,
    /// From an authority that nobody has configured; it ends with that one.
    Stranger,
}

impl Answer {
    pub(super) fn read(bytes: &mut Bytes<'_>) -> Self {
        bytes.pick(&[
            Self::OtherKey,
            Self::OtherId,
            Self::OtherIssuer,
            Self::NoRoots,
            Self::Empty,
            Self::Nonsense,
            Self::Stranger,
        ])
    }
}

/// The agent, everything around it, and what has to stay true.
pub(super) struct Host {
    agent: SdsAgent,
    rotation: Rotation,
    ca: Authority,
    stranger: Authority,
    now: Now,
    /// How many calls there were: each has entropy of its own.
    calls: u64,
    /// What the CA was asked and has not answered.
    asked: Option<(RequestId, CsrRequest)>,
    requests: BTreeSet<RequestId>,
    proxies: BTreeMap<StreamId, Proxy>,
    /// What the agent has held by name, each with its number.
    contents: BTreeMap<(String, u64), Arc<Secret>>,
    /// Authorities that the agent may trust, in DER.
    trusted: Vec<Vec<u8>>,
    trusts_answers: bool,
    /// The certificate that is held.
    holds: Option<NamedSecret>,
    /// Whether the certificate may change now.
    may_take: bool,
}

impl Host {
    pub(super) fn new(bytes: &mut Bytes<'_>) -> Self {
        let now = Now::new(UnixTime::from_secs(1_800_000_000), MonotonicTime::ORIGIN);
        let (ca, stranger) = (authority(1, now.wall), authority(2, now.wall));
        let trusts_answers = bytes.below(2) == 0;
        let has_anchors = !trusts_answers || bytes.below(2) == 0;
        let root = ca.certificate_der().to_vec();
        let trust_anchors = match has_anchors {
            true => pem::encode(PemLabel::Certificate, &root),
            false => String::new(),
        };
        let agent = SdsAgent::new(SdsAgentConfig {
            trust_anchors,
            trust_returned_roots: trusts_answers,
            ..SdsAgentConfig::new(id())
        });
        let mut host = Self {
            rotation: Rotation::new(now),
            agent,
            ca,
            stranger,
            now,
            calls: 0,
            asked: None,
            requests: BTreeSet::new(),
            proxies: BTreeMap::new(),
            contents: BTreeMap::new(),
            trusted: vec![root],
            trusts_answers,
            holds: None,
            may_take: false,
        };
        if bytes.below(2) == 0 {
            host.call(|agent, now, _| agent.start(now));
        }
        host
    }

    pub(super) fn open(&mut self, stream: StreamId) {
        self.proxies.insert(stream, Proxy::default());
        self.call(|agent, _, _| agent.open_stream(stream));
    }

    pub(super) fn close(&mut self, stream: StreamId) {
        self.proxies.remove(&stream);
        self.call(|agent, _, _| agent.close_stream(stream));
    }

    /// A first request, or one that changes what is wanted, with or without an answer to a response.
    pub(super) fn request(&mut self, stream: StreamId, bytes: &mut Bytes<'_>) {
        let words = Words {
            names: match bytes.below(8) {
                0..=3 => both(),
                4 => vec![DEFAULT_SECRET.to_owned()],
                5 => vec![ROOT_SECRET.to_owned()],
                6 => vec!["file-cert:a".to_owned(), ROOT_SECRET.to_owned()],
                _ => Vec::new(),
            },
            unsubscribe: match bytes.below(4) {
                0 => vec![DEFAULT_SECRET.to_owned()],
                _ => Vec::new(),
            },
            nonce: self.nonce(stream, bytes),
            error: (bytes.below(4) == 0).then(|| "no".to_owned()),
        };
        let is_delta = bytes.below(3) == 0;
        self.say(stream, is_delta, words);
    }

    /// An answer to a response that changes nothing; mostly to the last one.
    pub(super) fn acknowledge(&mut self, stream: StreamId, bytes: &mut Bytes<'_>) {
        let nonce = match bytes.below(4) {
            0 => self.nonce(stream, bytes),
            _ => self.last_nonce(stream),
        };
        let error = (bytes.below(4) == 0).then(|| "no".to_owned());
        self.say_the_same(stream, nonce, error);
    }

    /// A nonce of the stream, none, or one that never was.
    fn nonce(&self, stream: StreamId, bytes: &mut Bytes<'_>) -> String {
        let nonces = self.proxies.get(&stream).map_or(&[][..], |proxy| &proxy.nonces);
        match bytes.below(4) {
            0 => String::new(),
            1 => "another".to_owned(),
            _ => bytes.pick(&[&[String::new()], nonces].concat()),
        }
    }

    fn last_nonce(&self, stream: StreamId) -> String {
        let proxy = self.proxies.get(&stream);
        proxy
            .and_then(|proxy| proxy.nonces.last().cloned())
            .unwrap_or_default()
    }

    /// Wants what it wanted, whatever it answers.
    fn say_the_same(&mut self, stream: StreamId, nonce: String, error: Option<String>) {
        let Some(proxy) = self.proxies.get(&stream) else {
            return;
        };
        let is_delta = proxy.is_delta == Some(true);
        let names = match is_delta {
            true => Vec::new(),
            false => proxy.wanted.iter().cloned().collect(),
        };
        let words = Words {
            names,
            nonce,
            error,
            ..Words::default()
        };
        self.say(stream, is_delta, words);
    }

    fn say(&mut self, stream: StreamId, is_delta: bool, words: Words) {
        if let Some(proxy) = self.proxies.get_mut(&stream)
            && *proxy.is_delta.get_or_insert(is_delta) == is_delta
        {
            proxy.says(&words);
        }
        let Words {
            names,
            unsubscribe,
            nonce,
            error,
        } = words;
        if is_delta {
            let request = DeltaSdsRequest {
                subscribe: names,
                unsubscribe,
                nonce,
                error,
                ..DeltaSdsRequest::default()
            };
            self.call(|agent, now, _| agent.handle_delta_request(now, stream, &request));
        } else {
            let request = SdsRequest {
                names,
                nonce,
                error,
                ..SdsRequest::default()
            };
            self.call(|agent, now, _| agent.handle_request(now, stream, &request));
        }
        let variant = self.proxies.get(&stream).and_then(|proxy| proxy.is_delta);
        assert!(
            variant.is_none_or(|variant| variant == is_delta),
            "two variants on one stream"
        );
    }

    /// The CA answers what it was asked, if it was.
    pub(super) fn answer(&mut self, answer: Answer) {
        let Some((request, csr)) = self.asked.take() else {
            return;
        };
        let chain = self.chain(answer, &csr);
        let is_acceptable = match answer {
            Answer::Good => true,
            Answer::Stranger => self.trusts_answers,
            _ => false,
        };
        if is_acceptable && self.trusts_answers {
            for root in chain
                .last()
                .into_iter()
                .flat_map(|roots| pem::parse_chain(roots.as_bytes(), &Limits::default()))
            {
                self.trusted.extend(root);
            }
        }
        self.may_take = is_acceptable;
        let facts = is_acceptable.then(|| facts(&chain[0]));
        self.call(|agent, now, entropy| {
            agent
                .handle_signed(now, request, &chain, entropy)
                .expect("it was asked");
        });
        self.may_take = false;
        self.rotation.answered(self.now, facts);
    }

    fn chain(&mut self, answer: Answer, csr: &CsrRequest) -> Vec<String> {
        self.calls += 1;
        let entropy = &mut InsecureSeededEntropy::new(self.calls);
        let other_id: SpiffeId = "spiffe://cluster.local/ns/shop/sa/other".parse().expect("an id");
        let (signer, id) = match answer {
            Answer::Stranger | Answer::OtherIssuer => (&mut self.stranger, id()),
            Answer::OtherId => (&mut self.ca, other_id),
            _ => (&mut self.ca, id()),
        };
        let csr = match answer {
            Answer::OtherKey | Answer::OtherId => request_of(&key(entropy), &id),
            _ => csr.csr.clone(),
        };
        let valid = CsrPolicy::istio().check(csr.as_bytes()).expect("a good request");
        let grant = valid.authorize(&Caller::from(&id)).expect("its own id");
        let issued = signer
            .issue(&grant, self.now.wall, entropy)
            .expect("an authority lives for years");
        let mut chain = issued.response_chain();
        match answer {
            Answer::Good | Answer::OtherKey | Answer::OtherId | Answer::Stranger => {}
            Answer::OtherIssuer => {
                chain.pop();
                chain.push(pem::encode(PemLabel::Certificate, self.ca.certificate_der()));
            }
            Answer::NoRoots => chain.truncate(1),
            Answer::Empty => chain.clear(),
            Answer::Nonsense => chain.insert(0, "-----BEGIN".to_owned()),
        }
        chain
    }

    pub(super) fn fail(&mut self, failure: SvidFailure) {
        let Some((request, _)) = self.asked.take() else {
            return;
        };
        self.call(|agent, now, entropy| {
            agent
                .handle_failed(now, request, failure.clone(), entropy)
                .expect("it was asked");
        });
        self.rotation.failed(self.now, &failure);
    }

    /// Time passes until the agent has something to do.
    pub(super) fn wake(&mut self) {
        if let Some(at) = self.agent.poll_timeout() {
            self.pass(at.saturating_since(self.now.mono));
        }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.call(|agent, now, entropy| agent.handle_timeout(now, entropy).expect("entropy"));
        self.rotation.passed(self.now);
        let later = self.agent.poll_timeout();
        assert!(
            later.is_none_or(|at| at > self.now.mono),
            "it is due at once again"
        );
        // Called again at the same time, there is nothing to do.
        self.agent
            .handle_timeout(self.now, &mut InsecureSeededEntropy::new(self.calls))
            .expect("entropy");
        assert!(self.agent.poll_output().is_none() && self.agent.poll_timeout() == later);
    }

    pub(super) fn rotate(&mut self) {
        self.call(|agent, now, _| agent.rotate(now));
        self.rotation.rotated(self.now);
    }

    /// The CA has another root from now on.
    pub(super) fn renew_root(&mut self, bytes: &mut Bytes<'_>) {
        if self.trusts_answers {
            self.ca = authority(3 + bytes.below(3) as u64, self.now.wall);
        }
    }

    /// Authorities come from another source, the present one among them or not.
    pub(super) fn bundle(&mut self, bytes: &mut Bytes<'_>) {
        let others = [&self.ca, &self.stranger];
        let roots: Vec<Vec<u8>> = others
            .iter()
            .filter(|_| bytes.below(2) == 0)
            .map(|authority| authority.certificate_der().to_vec())
            .collect();
        self.trusted.extend(roots.iter().cloned());
        self.call(|agent, now, _| agent.handle_bundle(now, roots.clone()));
    }

    /// The CA is well, and the proxies answer: everybody gets what is held.
    pub(super) fn settle(&mut self) {
        for _ in 0..LONGEST_SETTLING {
            if !self.proxies.contains_key(&LAST_STREAM) {
                self.open(LAST_STREAM);
                let words = Words {
                    names: both(),
                    ..Words::default()
                };
                self.say(LAST_STREAM, false, words);
            }
            self.answer(Answer::Good);
            for stream in self.proxies.keys().copied().collect::<Vec<_>>() {
                // Twice, since the certificate follows the answer to the authorities.
                for _ in 0..2 {
                    let nonce = self.last_nonce(stream);
                    self.say_the_same(stream, nonce, None);
                }
            }
            if self.is_settled() {
                return;
            }
            self.wake();
        }
        panic!("{:?} never came to rest", self.agent.svid_state());
    }

    /// Every proxy has the secrets that it wants, as they are now, and a certificate is held.
    fn is_settled(&self) -> bool {
        let is_served = |proxy: &Proxy| {
            let wanted: Vec<String> = proxy.wanted.iter().cloned().collect();
            let held = self.agent.held(&wanted);
            held.len() == wanted.len()
                && held
                    .iter()
                    .all(|held| proxy.has.get(&held.name) == Some(&held.version))
        };
        let is_valid = matches!(
            self.agent.svid_state(),
            Some(SvidState::Valid { .. } | SvidState::Renewing { .. })
        );
        is_valid && self.proxies.contains_key(&StreamId(9)) && self.proxies.values().all(is_served)
    }

    /// Does the same with the agent and with a copy of it, and looks at what comes of it.
    fn call(&mut self, act: impl Fn(&mut SdsAgent, Now, &mut InsecureSeededEntropy)) {
        self.calls += 1;
        let mut copy = self.agent.clone();
        for agent in [&mut copy, &mut self.agent] {
            act(agent, self.now, &mut InsecureSeededEntropy::new(self.calls));
        }
        assert_eq!(copy.poll_timeout(), self.agent.poll_timeout());
        let mut outputs = drained(&mut self.agent);
        let copied = drained(&mut copy);
        assert_eq!(outputs.len(), copied.len());
        assert!(
            outputs
                .iter()
                .zip(&copied)
                .all(|(output, same)| is_same(output, same))
        );
        while let Some(output) = outputs.pop_front() {
            self.serve(output);
            outputs.extend(drained(&mut self.agent));
        }
        self.assert_holds();
    }

    fn serve(&mut self, output: AgentOutput) {
        match output {
            AgentOutput::MakeKey { request, id: wanted } => {
                assert_eq!(wanted, id());
                assert!(self.requests.insert(request), "{request:?} twice");
                let key = key(&mut InsecureSeededEntropy::new(self.calls));
                let new = NewKey {
                    csr: request_of(&key, &wanted),
                    public_key: key.public_key().der().to_vec(),
                    key: key.to_pem(KeyFormat::Pkcs8),
                };
                self.agent.handle_key(request, new);
            }
            AgentOutput::SendCsr { request, csr } => self.asked = Some((request, csr)),
            AgentOutput::SendSecrets {
                stream,
                secrets,
                version,
                nonce,
            } => {
                self.deliver(stream, false, &secrets, &[], &nonce);
                let newest = secrets.iter().map(|secret| secret.version).max();
                assert_eq!(Some(version), newest.map(|newest| newest.to_string()));
            }
            AgentOutput::SendDelta {
                stream,
                secrets,
                removed,
                nonce,
                ..
            } => {
                self.deliver(stream, true, &secrets, &removed, &nonce);
            }
            AgentOutput::CloseStream { stream, status } => {
                let proxy = self.proxies.remove(&stream).expect("it was open");
                let wanted: Vec<String> = proxy.wanted.into_iter().collect();
                let lacks = self.agent.held(&wanted).len() < wanted.len();
                assert!(
                    lacks || status.code() == StatusCode::InvalidArgument,
                    "{status} (C-SDS-7)"
                );
            }
            // An answer to the request that failed comes too late.
            AgentOutput::Alarm(AgentAlarm::CaFailed { .. }) => self.asked = None,
            AgentOutput::Alarm(_) => {}
            other @ (AgentOutput::ReadFiles { .. } | AgentOutput::WriteFiles { .. }) => panic!("{other:?}"),
        }
    }

    fn deliver(
        &mut self,
        stream: StreamId,
        is_delta: bool,
        secrets: &[NamedSecret],
        removed: &[String],
        nonce: &str,
    ) {
        for secret in secrets {
            self.assert_good(secret);
        }
        let proxy = self.proxies.get_mut(&stream).expect("the stream is open");
        assert_eq!(proxy.is_delta, Some(is_delta));
        proxy.takes(self.now.mono, secrets, removed, nonce);
    }

    /// One number, one content; and a certificate is of the key that goes with it, names the workload, and comes from an
    /// authority that the agent was to trust.
    fn assert_good(&mut self, named: &NamedSecret) {
        let number = (named.name.clone(), named.version);
        let newest = self
            .contents
            .keys()
            .filter(|(name, _)| *name == named.name)
            .map(|(_, version)| *version)
            .max();
        match self.contents.get(&number) {
            Some(known) => return assert!(*known == named.secret, "another content with the same number"),
            None => assert!(
                newest.is_none_or(|newest| newest < named.version),
                "a number that goes back"
            ),
        }
        let kept = self.contents.values().any(|known| *known == named.secret);
        assert!(!kept || named.name == ROOT_SECRET, "a certificate comes back");
        self.contents.insert(number, Arc::clone(&named.secret));
        match &*named.secret {
            Secret::Certificate(CertificateSecret {
                chain,
                key,
                provider: None,
            }) => {
                assert_eq!(named.name, DEFAULT_SECRET);
                let chain = pem::parse_chain(chain.as_bytes(), &Limits::default()).expect("a chain");
                let leaf = Certificate::parse(&chain[0]).expect("a certificate");
                let key = KeyPair::from_pem(key.expose()).expect("a key");
                assert!(
                    key.matches(&leaf.public_key().expect("a public key")),
                    "another key (C-WR-7)"
                );
                let mut bundle = TrustBundle::new(id().trust_domain().to_owned());
                for root in &self.trusted {
                    bundle.insert_x509(root).expect("a root");
                }
                // A stream that came later may get it when its time is over, which its verifiers see.
                let verified = bundle
                    .verify(&chain, &VerifyOptions::at(leaf.not_before()))
                    .expect("a good chain");
                assert_eq!(*verified.spiffe_id(), id());
            }
            Secret::Validation(roots) => {
                assert_eq!(named.name, ROOT_SECRET);
                let roots = pem::parse_chain(roots.trusted_ca.as_bytes(), &Limits::default()).expect("roots");
                assert!(roots.iter().all(|root| self.trusted.contains(root)));
                let distinct: BTreeSet<&Vec<u8>> = roots.iter().collect();
                assert_eq!(distinct.len(), roots.len());
            }
            Secret::Certificate(_) => panic!("no provider was configured"),
        }
    }

    /// What is held stays until there is something newer, which only a good answer brings.
    fn assert_holds(&mut self) {
        let held = self.agent.held(&[DEFAULT_SECRET.to_owned()]).pop();
        if self.holds != held {
            assert!(
                held.is_some(),
                "the old certificate is gone, and there is no new one"
            );
            assert!(self.may_take, "a certificate that the CA did not give");
        }
        self.holds = held;
        let state = self.agent.svid_state();
        let is_held = matches!(
            state,
            Some(SvidState::Valid { .. } | SvidState::Renewing { .. } | SvidState::Expired { .. })
        );
        assert_eq!(self.holds.is_some(), is_held, "{state:?}");
    }
}

/// The stream that is open at the end, if no other one is.
const LAST_STREAM: StreamId = StreamId(9);

/// So many times the agent has something to do before everything is as it should be.
const LONGEST_SETTLING: usize = 16;

pub(super) fn id() -> SpiffeId {
    "spiffe://cluster.local/ns/shop/sa/reviews"
        .parse()
        .expect("an id")
}

fn both() -> Vec<String> {
    vec![DEFAULT_SECRET.to_owned(), ROOT_SECRET.to_owned()]
}

fn authority(seed: u64, now: UnixTime) -> Authority {
    // Of its own: the calls are counted from 1.
    let entropy = &mut InsecureSeededEntropy::new(u64::MAX - seed);
    let profile = CaProfile::root(id().trust_domain().to_owned());
    let authority = profile.self_sign(Arc::new(key(entropy)), now, entropy);
    authority.expect("an authority")
}

/// Of the kind that is made and used the fastest.
fn key(entropy: &mut InsecureSeededEntropy) -> KeyPair {
    KeyPair::generate_for(KeyAlgorithm::Ed25519, entropy).expect("a key")
}

fn request_of(key: &KeyPair, id: &SpiffeId) -> String {
    CsrBuilder::new(id).build(key).expect("a request").to_pem()
}

fn facts(leaf: &str) -> SvidFacts {
    let der = pem::parse_one(leaf.as_bytes(), PemLabel::Certificate).expect("a leaf");
    let leaf = Certificate::parse(&der).expect("a leaf");
    SvidFacts {
        not_before: leaf.not_before(),
        not_after: leaf.not_after(),
        issuer: None,
    }
}

fn drained(agent: &mut SdsAgent) -> VecDeque<AgentOutput> {
    std::iter::from_fn(|| agent.poll_output()).collect()
}
