//! An intermediate authority below somebody else's root (C-CA-8).

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::KeyId;
use crate::authority::{PathFlaw, check_path, check_root, without_doubles};
use crate::certificate::{Certificate, KeyUsage};
use crate::rotation::AuthorityCertificate;
use crate::signature::{SignatureVerifier, default_verifier};
use crate::time::{MonotonicTime, Now, UnixTime};
use crate::trust_domain::TrustDomain;

/// How an intermediate authority is kept fresh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpstreamCaConfig {
    /// How long it takes until every verifier holds a bundle that was published. Default 1 h.
    pub dist: Duration,
    /// The largest difference between the clock of an issuer and that of a verifier. Default 120 s.
    pub skew: Duration,
    /// Over how long a time the SVIDs below an untrusted intermediate are renewed. Default 5 minutes.
    pub spread: Duration,
    /// The wait after the first failure; it doubles up to `retry_max`. Default 1 s.
    pub retry_min: Duration,
    /// The longest wait. Default 5 minutes.
    pub retry_max: Duration,
}

impl Default for UpstreamCaConfig {
    fn default() -> Self {
        Self {
            dist: Duration::from_secs(3_600),
            skew: Duration::from_secs(120),
            spread: Duration::from_secs(300),
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(300),
        }
    }
}

/// An answer of the upstream authority: an intermediate certificate, what is between it and the root, and the roots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamAnswer {
    /// The intermediate authority.
    pub certificate: AuthorityCertificate,
    /// Its issuer, that one's issuer, and so on; without the root.
    pub chain: Vec<AuthorityCertificate>,
    /// Every root that the upstream authority publishes now.
    pub roots: Vec<AuthorityCertificate>,
    /// The root that the certificate hangs on, by its place in `roots`.
    pub root: usize,
}

impl UpstreamAnswer {
    /// Checks what the upstream authority sent: the key is `public_key`, it is an authority that may sign certificates and
    /// CRLs and nothing else, and its URI name is that of the trust domain or absent. Each certificate is valid now, may sign
    /// others, has room for those below it and for a workload, and is signed by the next one, the last one by one of the roots.
    /// What is twice in the chain, and what is a root, is left out of it.
    ///
    /// # Errors
    /// The first rule that is broken.
    ///
    /// Spec: C-CA-8, C-CA-3.
    pub fn check(
        certificate: &[u8],
        chain: &[Vec<u8>],
        roots: &[Vec<u8>],
        public_key: &[u8],
        trust_domain: &TrustDomain,
        now: UnixTime,
    ) -> Result<Self, UpstreamAnswerError> {
        use UpstreamAnswerError as Error;
        let parse = |der: &[u8]| AuthorityCertificate::parse(der).map_err(|_| Error::Malformed);
        let own = read(certificate)?;
        if own.public_key_der() != public_key {
            return Err(Error::OtherKey);
        }
        let allowed = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN | KeyUsage::DIGITAL_SIGNATURE;
        if own.key_usage().is_some_and(|usage| !allowed.contains(usage)) {
            return Err(Error::NotAnAuthority);
        }
        let id = format!("spiffe://{trust_domain}");
        if own.uris().any(|uri| uri != id.as_bytes()) {
            return Err(Error::OtherTrustDomain);
        }
        let chain = chain.iter().map(Vec::as_slice);
        let path = without_doubles(certificate, chain, |der| roots.iter().any(|root| *root == der))?;
        let root = path_to_root(&path, roots, now, default_verifier())?;
        Ok(Self {
            certificate: parse(certificate)?,
            chain: path
                .iter()
                .skip(1)
                .map(|der| parse(der))
                .collect::<Result<_, _>>()?,
            roots: roots.iter().map(|der| parse(der)).collect::<Result<_, _>>()?,
            root,
        })
    }
}

fn read(der: &[u8]) -> Result<Certificate<'_>, UpstreamAnswerError> {
    Certificate::parse(der).map_err(|_| UpstreamAnswerError::Malformed)
}

/// The place of the root that the path leads to.
fn path_to_root(
    path: &[&[u8]],
    roots: &[Vec<u8>],
    now: UnixTime,
    verifier: &dyn SignatureVerifier,
) -> Result<usize, UpstreamAnswerError> {
    let parsed = path.iter().map(|der| read(der)).collect::<Result<Vec<_>, _>>()?;
    let below = check_path(&parsed, now, verifier)?;
    let mut failure = UpstreamAnswerError::NoPath;
    for (place, der) in roots.iter().enumerate() {
        let root = read(der)?;
        let Some(last) = parsed.last().filter(|last| last.issuer() == root.subject()) else {
            continue;
        };
        match check_root(last, &root, below, now, verifier) {
            Ok(()) => return Ok(place),
            Err(flaw) => failure = flaw.into(),
        }
    }
    Err(failure)
}

/// Why an answer of the upstream authority is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum UpstreamAnswerError {
    /// There are too many certificates in the chain.
    ChainTooLong,
    /// One of the certificates cannot be read.
    Malformed,
    /// The certificates do not lead from the intermediate to a root, each signed by the next.
    NoPath,
    /// A certificate is not that of an authority, or the first one may do more than sign certificates and CRLs.
    NotAnAuthority,
    /// A certificate of the path is not valid now.
    NotValid,
    /// The certificate is for another key.
    OtherKey,
    /// The certificate names another trust domain.
    OtherTrustDomain,
    /// A path length leaves no room for a workload.
    PathLength,
}

impl From<PathFlaw> for UpstreamAnswerError {
    fn from(flaw: PathFlaw) -> Self {
        match flaw {
            PathFlaw::Gap | PathFlaw::PublicKey(_) | PathFlaw::Signature(_) => Self::NoPath,
            PathFlaw::NotAuthority => Self::NotAnAuthority,
            PathFlaw::NotValid { .. } => Self::NotValid,
            PathFlaw::PathLength => Self::PathLength,
            PathFlaw::TooLong => Self::ChainTooLong,
        }
    }
}

impl UpstreamAnswerError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ChainTooLong => "upstream.chain_too_long",
            Self::Malformed => "upstream.malformed",
            Self::NoPath => "upstream.no_path",
            Self::NotAnAuthority => "upstream.not_an_authority",
            Self::NotValid => "upstream.not_valid",
            Self::OtherKey => "upstream.other_key",
            Self::OtherTrustDomain => "upstream.other_trust_domain",
            Self::PathLength => "upstream.path_length",
        }
    }
}

impl fmt::Display for UpstreamAnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ChainTooLong => "the chain is too long",
            Self::Malformed => "a certificate cannot be read",
            Self::NoPath => "the certificates do not lead to a root",
            Self::NotAnAuthority => "a certificate is not that of an authority",
            Self::NotValid => "a certificate is not valid now",
            Self::OtherKey => "the certificate is for another key",
            Self::OtherTrustDomain => "the certificate names another trust domain",
            Self::PathLength => "a path length leaves no room for a workload",
        })
    }
}

impl std::error::Error for UpstreamAnswerError {}

/// What the embedder has to do, or to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub enum UpstreamOutput {
    /// Issue with this intermediate from now on.
    IssueWith {
        /// The request that brought it; its key is that of the signing request.
        request: u64,
        /// The intermediate, and what follows it in the chains of leaves.
        chain: Vec<AuthorityCertificate>,
    },
    /// Renew everything that this intermediate has signed.
    NotifyRotate {
        /// Its key.
        issuer: KeyId,
        /// Over how long.
        spread: Duration,
    },
    /// Publish these roots, then call [`handle_published`](UpstreamCa::handle_published); publish again when it fails.
    PublishBundle {
        /// The number of the bundle.
        sequence: u64,
        /// The roots.
        roots: Vec<AuthorityCertificate>,
    },
    /// Make a key and a signing request for an authority with the id of the trust domain, send it to the upstream authority,
    /// and call [`handle_answer`](UpstreamCa::handle_answer) or [`handle_failed`](UpstreamCa::handle_failed).
    Request {
        /// The number to answer with.
        request: u64,
    },
    /// The upstream authority dropped a root that an intermediate of ours hangs on: what it issued is trusted no more.
    RootDropped {
        /// The intermediate.
        issuer: KeyId,
        /// Its end.
        not_after: UnixTime,
    },
}

/// An intermediate authority below somebody else's root: asks for it, asks for the next one in time, and uses none whose
/// root is not with every verifier yet.
///
/// The upstream authority decides on the roots. New ones are published before what hangs on them is used, for as long as
/// the guard of C-ROT-4 says; one that it drops leaves the bundle at once, since that may be a revocation. Saved and restored
/// as a whole, by serde, where the monotonic clock has the same origin.
///
/// | state | event | next | outputs |
/// |---|---|---|---|
/// | none | [`handle_timeout`](Self::handle_timeout) | asked | Request |
/// | asked | an answer with known roots, or the first one | used when it is due | IssueWith |
/// | asked | an answer with a new root | waits until the root was published for `dist` and `skew` | PublishBundle |
/// | asked | failed | asked again after 1 s to 5 min | Request |
/// | used | half of its life is over | another one is asked for | Request |
/// | used | its root was dropped | another one is asked for | RootDropped, NotifyRotate, Request |
///
/// Spec: C-CA-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamCa {
    config: UpstreamCaConfig,
    roots: Vec<Root>,
    sequence: u64,
    published: u64,
    active: Option<Intermediate>,
    next: Option<Intermediate>,
    /// The request that is out.
    asked: Option<u64>,
    requests: u64,
    failures: u32,
    retry_at: Option<MonotonicTime>,
    last: Option<Now>,
    outputs: VecDeque<UpstreamOutput>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Root {
    certificate: AuthorityCertificate,
    since_sequence: u64,
    published_at: Option<UnixTime>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Intermediate {
    request: u64,
    certificate: AuthorityCertificate,
    chain: Vec<AuthorityCertificate>,
    root: AuthorityCertificate,
    received_at: UnixTime,
    /// What it issued is to be renewed.
    dropped: bool,
}

impl UpstreamCa {
    /// A machine that has nothing yet.
    pub fn new(config: UpstreamCaConfig) -> Self {
        Self {
            config,
            roots: Vec::new(),
            sequence: 0,
            published: 0,
            active: None,
            next: None,
            asked: None,
            requests: 0,
            failures: 0,
            retry_at: None,
            last: None,
            outputs: VecDeque::new(),
        }
    }

    /// The roots that verifiers are to trust.
    pub fn roots(&self) -> impl Iterator<Item = &AuthorityCertificate> {
        self.roots.iter().map(|root| &root.certificate)
    }

    /// The intermediate that issues.
    pub fn active(&self) -> Option<&AuthorityCertificate> {
        self.active.as_ref().map(|active| &active.certificate)
    }

    /// The upstream authority answered, and the answer passed [`UpstreamAnswer::check`].
    pub fn handle_answer(&mut self, now: Now, request: u64, answer: UpstreamAnswer) {
        if self.asked != Some(request) {
            return;
        }
        let UpstreamAnswer {
            certificate,
            chain,
            roots,
            root,
        } = answer;
        let Some(root) = roots.get(root).cloned() else {
            return self.handle_failed(now, request);
        };
        self.asked = None;
        self.failures = 0;
        self.retry_at = None;
        self.take_roots(roots);
        self.next = Some(Intermediate {
            request,
            certificate,
            chain,
            root,
            received_at: now.wall,
            dropped: false,
        });
        self.run(now);
    }

    /// The upstream authority, or the way to it, failed, or its answer did not pass.
    pub fn handle_failed(&mut self, now: Now, request: u64) {
        if self.asked == Some(request) {
            self.asked = None;
            self.failures = self.failures.saturating_add(1);
            let doublings = self.failures.saturating_sub(1).min(16);
            let wait = self
                .config
                .retry_min
                .saturating_mul(1 << doublings)
                .min(self.config.retry_max);
            self.retry_at = Some(now.mono + wait);
        }
        self.run(now);
    }

    /// The roots that the upstream authority publishes, read without asking for an intermediate.
    pub fn handle_roots(&mut self, now: Now, roots: Vec<AuthorityCertificate>) {
        self.take_roots(roots);
        self.run(now);
    }

    /// A bundle was published.
    pub fn handle_published(&mut self, now: Now, sequence: u64) {
        if sequence <= self.sequence {
            self.published = self.published.max(sequence);
            for root in &mut self.roots {
                if root.published_at.is_none() && root.since_sequence <= sequence {
                    root.published_at = Some(now.wall);
                }
            }
        }
        self.run(now);
    }

    /// Whatever is due. May be called at any time.
    pub fn handle_timeout(&mut self, now: Now) {
        self.run(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do. Before the first call: at once.
    pub fn poll_timeout(&self) -> Option<MonotonicTime> {
        let Some(last) = self.last else {
            return Some(MonotonicTime::ORIGIN);
        };
        let at = |time: UnixTime| last.mono + time.saturating_since(last.wall);
        let ask_at = match (&self.active, &self.next, self.asked) {
            (Some(active), None, None) => self.retry_at.or(Some(at(ask_at(active)))),
            (None, None, None) => self.retry_at,
            _ => None,
        };
        let use_at = self.next.as_ref().and_then(|next| self.use_at(next)).map(at);
        ask_at.into_iter().chain(use_at).min()
    }

    /// The next thing to do or to know.
    pub fn poll_output(&mut self) -> Option<UpstreamOutput> {
        self.outputs.pop_front()
    }

    fn run(&mut self, now: Now) {
        self.last = Some(now);
        if let Some(next) = self
            .next
            .take_if(|next| next.certificate.not_after < now.wall || next.dropped)
        {
            drop(next);
        }
        let ready = self
            .next
            .as_ref()
            .and_then(|next| self.use_at(next))
            .is_some_and(|at| at <= now.wall);
        if ready && let Some(next) = self.next.take() {
            let mut chain = vec![next.certificate.clone()];
            chain.extend(next.chain.iter().cloned());
            let request = next.request;
            self.active = Some(next);
            self.outputs
                .push_back(UpstreamOutput::IssueWith { request, chain });
        }
        let due = match &self.active {
            None => true,
            Some(active) => active.dropped || ask_at(active) <= now.wall,
        };
        let may =
            self.asked.is_none() && self.next.is_none() && self.retry_at.is_none_or(|at| at <= now.mono);
        if due && may {
            self.requests += 1;
            self.asked = Some(self.requests);
            self.retry_at = None;
            self.outputs.push_back(UpstreamOutput::Request {
                request: self.requests,
            });
        }
    }

    /// When an intermediate can be used: when its root is with every verifier. The first one ever at once when its root is
    /// published, as nobody relies on another one.
    fn use_at(&self, next: &Intermediate) -> Option<UnixTime> {
        let root = self.roots.iter().find(|root| root.certificate == next.root)?;
        let published_at = root.published_at?;
        let first = self.active.is_none();
        let wait = if first {
            Duration::ZERO
        } else {
            self.config.dist + self.config.skew
        };
        Some(published_at + wait)
    }

    fn take_roots(&mut self, roots: Vec<AuthorityCertificate>) {
        if roots.is_empty() {
            return;
        }
        let wanted: BTreeSet<&[u8]> = roots.iter().map(|root| &*root.der).collect();
        let before = self.roots.len();
        self.roots.retain(|root| wanted.contains(&*root.certificate.der));
        let mut changed = self.roots.len() != before;
        let sequence = self.sequence + 1;
        for certificate in roots {
            if self.roots.iter().all(|root| root.certificate != certificate) {
                changed = true;
                self.roots.push(Root {
                    certificate,
                    since_sequence: sequence,
                    published_at: None,
                });
            }
        }
        if !changed {
            return;
        }
        self.sequence = sequence;
        let roots: Vec<AuthorityCertificate> = self.roots().cloned().collect();
        self.outputs.push_back(UpstreamOutput::PublishBundle {
            sequence,
            roots: roots.clone(),
        });
        for ours in self
            .active
            .iter_mut()
            .chain(&mut self.next)
            .filter(|ours| !ours.dropped)
        {
            if !roots.contains(&ours.root) {
                ours.dropped = true;
                let issuer = ours.certificate.key_id.clone();
                let not_after = ours.certificate.not_after;
                self.outputs.push_back(UpstreamOutput::RootDropped {
                    issuer: issuer.clone(),
                    not_after,
                });
                let spread = self.config.spread;
                self.outputs
                    .push_back(UpstreamOutput::NotifyRotate { issuer, spread });
            }
        }
    }
}

/// The next intermediate is asked for when half of the life of this one is over (C-ROT-3).
fn ask_at(intermediate: &Intermediate) -> UnixTime {
    let end = intermediate.certificate.not_after;
    let life = end.saturating_since(intermediate.received_at);
    end - (life / 2).min(Duration::from_secs(30 * 86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn now(since: Duration) -> Now {
        Now::new(
            UnixTime::from_secs(1_800_000_000) + since,
            MonotonicTime::from_origin(since),
        )
    }

    fn certificate(key: u8, at: Now, life: Duration) -> AuthorityCertificate {
        AuthorityCertificate {
            der: [key].into(),
            key_id: KeyId::from([key]),
            not_before: at.wall,
            not_after: at.wall + life,
        }
    }

    fn root(key: u8) -> AuthorityCertificate {
        certificate(key, now(Duration::ZERO), 1_000 * HOUR)
    }

    fn answer(key: u8, at: Now, roots: &[u8], hangs_on: u8) -> UpstreamAnswer {
        UpstreamAnswer {
            certificate: certificate(key, at, 24 * HOUR),
            chain: Vec::new(),
            roots: roots.iter().map(|key| root(*key)).collect(),
            root: roots.iter().position(|key| *key == hangs_on).unwrap(),
        }
    }

    fn outputs(ca: &mut UpstreamCa) -> Vec<UpstreamOutput> {
        std::iter::from_fn(|| ca.poll_output()).collect()
    }

    fn is_request(output: &UpstreamOutput) -> bool {
        matches!(output, UpstreamOutput::Request { .. })
    }

    /// One that issues with key 10 below root 1.
    fn begun() -> UpstreamCa {
        let start = now(Duration::ZERO);
        let mut ca = UpstreamCa::new(UpstreamCaConfig::default());
        ca.handle_timeout(start);
        assert!(matches!(
            outputs(&mut ca)[..],
            [UpstreamOutput::Request { request: 1 }]
        ));
        ca.handle_answer(start, 1, answer(10, start, &[1], 1));
        assert!(matches!(
            outputs(&mut ca)[..],
            [UpstreamOutput::PublishBundle { sequence: 1, .. }]
        ));
        assert!(ca.active().is_none(), "not before its root is published");
        ca.handle_published(start, 1);
        assert!(matches!(
            outputs(&mut ca)[..],
            [UpstreamOutput::IssueWith { request: 1, .. }]
        ));
        ca
    }

    /// C-CA-8: an intermediate below a known root is used as soon as it is there; below a new one, when every verifier can
    /// have that.
    #[test]
    fn new_roots_are_published_before_they_are_relied_on() {
        let mut ca = begun();
        assert_eq!(ca.poll_timeout(), Some(now(12 * HOUR).mono));
        ca.handle_timeout(now(12 * HOUR));
        assert!(outputs(&mut ca).iter().all(is_request));
        ca.handle_answer(now(12 * HOUR), 2, answer(11, now(12 * HOUR), &[1], 1));
        assert!(matches!(
            outputs(&mut ca)[..],
            [UpstreamOutput::IssueWith { request: 2, .. }]
        ));

        ca.handle_timeout(now(24 * HOUR));
        outputs(&mut ca);
        ca.handle_answer(now(24 * HOUR), 3, answer(12, now(24 * HOUR), &[1, 2], 2));
        assert!(matches!(
            outputs(&mut ca)[..],
            [UpstreamOutput::PublishBundle { sequence: 2, .. }]
        ));
        assert_eq!(ca.poll_timeout(), None, "until the publication is confirmed");
        ca.handle_published(now(25 * HOUR), 2);
        let ready = now(26 * HOUR + Duration::from_secs(120));
        assert_eq!(ca.poll_timeout(), Some(ready.mono));
        ca.handle_timeout(now(26 * HOUR));
        assert_eq!(outputs(&mut ca), []);
        ca.handle_timeout(ready);
        assert!(matches!(
            outputs(&mut ca)[..],
            [UpstreamOutput::IssueWith { request: 3, .. }]
        ));
    }

    /// C-CA-8: a root that is dropped leaves at once, and what hangs on it is replaced.
    #[test]
    fn dropped_roots_leave_at_once() {
        let mut ca = begun();
        ca.handle_roots(now(HOUR), vec![root(1), root(2)]);
        ca.handle_published(now(HOUR), 2);
        outputs(&mut ca);
        ca.handle_roots(now(5 * HOUR), vec![root(2)]);
        let dropped = outputs(&mut ca);
        let key = KeyId::from([10]);
        assert!(
            matches!(&dropped[0], UpstreamOutput::PublishBundle { sequence: 3, roots } if roots == &[root(2)])
        );
        assert!(matches!(&dropped[1], UpstreamOutput::RootDropped { issuer, .. } if *issuer == key));
        assert!(matches!(&dropped[2], UpstreamOutput::NotifyRotate { issuer, .. } if *issuer == key));
        assert!(is_request(&dropped[3]));
        // The other root is known for long: the new intermediate is used at once.
        ca.handle_answer(now(5 * HOUR), 2, answer(11, now(5 * HOUR), &[2], 2));
        assert!(matches!(
            outputs(&mut ca)[..],
            [UpstreamOutput::IssueWith { request: 2, .. }]
        ));
        assert_eq!(ca.roots().count(), 1);
        // Nobody empties the bundle.
        ca.handle_roots(now(6 * HOUR), Vec::new());
        assert_eq!(ca.roots().count(), 1);
    }

    /// Failures are spaced out, and the old intermediate issues on; saved and restored, it goes on alike (P10).
    #[test]
    fn failures_are_spaced_out() {
        let mut ca = begun();
        let mut time = 12 * HOUR;
        ca.handle_timeout(now(time));
        let mut waits = Vec::new();
        for request in 2..14 {
            ca = serde_json::from_str(&serde_json::to_string(&ca).unwrap()).unwrap();
            assert!(
                matches!(outputs(&mut ca)[..], [UpstreamOutput::Request { request: asked }] if asked == request)
            );
            ca.handle_failed(now(time), request);
            let wait = ca.poll_timeout().unwrap().saturating_since(now(time).mono);
            waits.push(wait.as_secs());
            time += wait;
            ca.handle_timeout(now(time));
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(ca.active().unwrap().key_id, KeyId::from([10]));
        ca.handle_answer(now(time), 2, answer(11, now(time), &[1], 1));
        assert_eq!(
            ca.active().unwrap().key_id,
            KeyId::from([10]),
            "an answer to a request that was given up"
        );
    }
}
