//! Verification of peers.
//!
//! A chain is verified in one order (C-VFY-1): the leaf is read and its SPIFFE id taken, the id's trust domain chooses the
//! bundle (never another one beside it), the leaf is checked, a path to an anchor of that bundle is searched, revocation
//! is asked, and last comes the question whether this id is expected.
//!
//! The path search is the crate's own: peers send what they like, so it tries issuers in an order that does not depend on
//! theirs, remembers signature checks, and ends at bounds on its work ([`Budgets`]).

mod cache;
mod checks;
mod constraints;
pub mod danger;
mod error;
mod options;
mod profile;
mod search;
mod trace;

use std::sync::Arc;

pub use self::cache::SignatureCache;
pub use self::checks::Diagnostic;
use self::checks::{Checks, Role};
pub use self::error::{Budget, VerifyError};
pub use self::options::{Budgets, VerifyOptions, VerifyPolicy};
pub use self::profile::{Profile, Rule, Severity};
use self::search::{Search, candidates};
pub use self::trace::{Outcome, PathTrace, Step};
use crate::bundle::{BundleSet, TrustBundle};
use crate::certificate::Certificate;
use crate::{SpiffeId, SpiffeIdRef, UnixTime};

/// A peer that was verified: proof that its chain was good, at the time and with the options of the verification.
///
/// Source: ca.md §12, C-API-1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    id: SpiffeId,
    path: VerifiedPath,
}

impl Verified {
    /// Who the peer is.
    pub fn spiffe_id(&self) -> &SpiffeId {
        &self.id
    }

    /// The path, in DER: the leaf first, the anchor last.
    pub fn path(&self) -> &[Arc<[u8]>] {
        self.path.certificates()
    }

    /// The anchor that the path ends at, in DER.
    pub fn root(&self) -> &[u8] {
        self.path.root()
    }

    /// The last second in which every certificate of the path is valid.
    pub fn not_after(&self) -> UnixTime {
        self.path.not_after()
    }

    /// What the profile let pass with a note.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        self.path.diagnostics()
    }
}

/// A path of certificates that was verified without regard to names; see [`danger::verify_path`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPath {
    certificates: Vec<Arc<[u8]>>,
    not_after: UnixTime,
    diagnostics: Vec<Diagnostic>,
}

impl VerifiedPath {
    /// The path, in DER: the leaf first, the anchor last.
    pub fn certificates(&self) -> &[Arc<[u8]>] {
        &self.certificates
    }

    /// The anchor that the path ends at, in DER.
    pub fn root(&self) -> &[u8] {
        self.certificates.last().map_or(&[], |root| root)
    }

    /// The last second in which every certificate of the path is valid.
    pub fn not_after(&self) -> UnixTime {
        self.not_after
    }

    /// What the profile let pass with a note.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

impl TrustBundle {
    /// Verifies the chain of a peer of this trust domain. The leaf comes first; the order of the others does not matter.
    ///
    /// ```
    /// use mesh_ca::{Limits, TrustBundle, UnixTime, VerifyOptions, pem};
    ///
    /// const ROOT: &[u8] = include_bytes!("../../tests/data/root.pem");
    /// const CHAIN: &[u8] = include_bytes!("../../tests/data/chain.pem");
    /// let bundle = TrustBundle::from_pem("example.org".parse()?, ROOT, &Limits::default())?;
    /// let chain = pem::parse_chain(CHAIN, &Limits::default())?;
    ///
    /// let now = UnixTime::from_secs(1_800_000_000); // the embedder's clock
    /// let peer = bundle.verify(&chain, &VerifyOptions::at(now))?;
    /// assert_eq!(peer.spiffe_id().as_str(), "spiffe://example.org/web");
    ///
    /// let error = bundle.verify(&chain, &VerifyOptions::at(UnixTime::from_secs(2_300_000_000))).unwrap_err();
    /// assert_eq!(error.code(), "verify.expired");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Why the peer is not accepted; [`VerifyError::UntrustedDomain`] if it belongs to another trust domain.
    ///
    /// Source: ca.md C-VFY-1..19.
    pub fn verify<C: AsRef<[u8]>>(
        &self,
        chain: &[C],
        options: &VerifyOptions<'_>,
    ) -> Result<Verified, VerifyError> {
        Request::new(chain, options).verify(|id| self.for_id(id), Extras::default())
    }

    /// As [`verify`](Self::verify), remembering the signatures of intermediate certificates in a cache.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_cached<C: AsRef<[u8]>>(
        &self,
        chain: &[C],
        options: &VerifyOptions<'_>,
        cache: &mut SignatureCache,
    ) -> Result<Verified, VerifyError> {
        Request::new(chain, options).verify(|id| self.for_id(id), Extras::cache(cache))
    }

    /// As [`verify`](Self::verify), with everything that was tried.
    ///
    /// ```
    /// use mesh_ca::{Limits, TrustBundle, UnixTime, VerifyOptions, pem};
    ///
    /// const ROOT: &[u8] = include_bytes!("../../tests/data/root.pem");
    /// const CHAIN: &[u8] = include_bytes!("../../tests/data/chain.pem");
    /// let bundle = TrustBundle::from_pem("example.org".parse()?, ROOT, &Limits::default())?;
    /// let chain = pem::parse_chain(CHAIN, &Limits::default())?;
    /// let trace = bundle.explain(&chain[..1], &VerifyOptions::at(UnixTime::from_secs(1_800_000_000)));
    /// assert_eq!(
    ///     trace.to_string(),
    ///     "`O=example` serial 1234: the leaf\n  \
    ///      the issuer `O=example, CN=intermediate` of certificate 0 is not known\n\
    ///      => refused, verify.unknown_issuer: the issuer `O=example, CN=intermediate` of certificate 0 is not known"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain<C: AsRef<[u8]>>(&self, chain: &[C], options: &VerifyOptions<'_>) -> PathTrace {
        let mut steps = Vec::new();
        let verdict = Request::new(chain, options).verify(|id| self.for_id(id), Extras::trace(&mut steps));
        PathTrace { steps, verdict }
    }

    fn for_id(&self, id: SpiffeIdRef<'_>) -> Option<&Self> {
        (id.trust_domain() == *self.trust_domain()).then_some(self)
    }
}

impl BundleSet {
    /// Verifies the chain of a peer of any trust domain of the set, with the bundle of that trust domain alone.
    ///
    /// # Errors
    /// Why the peer is not accepted; [`VerifyError::UntrustedDomain`] if there is no bundle for its trust domain.
    ///
    /// Source: ca.md C-VFY-1, C-VFY-14, C-IST-6.
    pub fn verify<C: AsRef<[u8]>>(
        &self,
        chain: &[C],
        options: &VerifyOptions<'_>,
    ) -> Result<Verified, VerifyError> {
        Request::new(chain, options).verify(|id| self.bundle_for(id.trust_domain()), Extras::default())
    }

    /// As [`verify`](Self::verify), remembering the signatures of intermediate certificates in a cache.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_cached<C: AsRef<[u8]>>(
        &self,
        chain: &[C],
        options: &VerifyOptions<'_>,
        cache: &mut SignatureCache,
    ) -> Result<Verified, VerifyError> {
        Request::new(chain, options).verify(|id| self.bundle_for(id.trust_domain()), Extras::cache(cache))
    }

    /// Whether [`verify_cached`](Self::verify_cached) accepts a chain whose leaf was read already, and whose key has signed a
    /// request.
    pub(crate) fn check_read<C: AsRef<[u8]>>(
        &self,
        leaf: &Certificate<'_>,
        above: &[C],
        options: &VerifyOptions<'_>,
        cache: &mut SignatureCache,
    ) -> Result<(), VerifyError> {
        let request = Request {
            leaf: Some(leaf.der()),
            others: above.iter().map(AsRef::as_ref).collect(),
            options,
            is_leaf_key_proven: true,
        };
        let bundle_for = |id: SpiffeIdRef<'_>| self.bundle_for(id.trust_domain());
        request
            .verify_read(leaf, bundle_for, Extras::cache(cache), |_| ())
            .map(|_| ())
    }

    /// As [`verify`](Self::verify), with everything that was tried.
    pub fn explain<C: AsRef<[u8]>>(&self, chain: &[C], options: &VerifyOptions<'_>) -> PathTrace {
        let mut steps = Vec::new();
        let verdict = Request::new(chain, options)
            .verify(|id| self.bundle_for(id.trust_domain()), Extras::trace(&mut steps));
        PathTrace { steps, verdict }
    }
}

/// Checks a chain as far as that can be done without trust: the leaf is an SVID, and the others are certificates of
/// authorities, all by the profile of the options and valid at their time. An agent asks this of a chain that it is given,
/// before it serves it. **It says nothing about who issued the chain**: only [`TrustBundle::verify`] does.
///
/// ```
/// use mesh_ca::{Limits, UnixTime, VerifyOptions, check_svid, pem};
///
/// const CHAIN: &[u8] = include_bytes!("../../tests/data/chain.pem");
/// let chain = pem::parse_chain(CHAIN, &Limits::default())?;
/// let id = check_svid(&chain, &VerifyOptions::at(UnixTime::from_secs(1_800_000_000)))?;
/// assert_eq!(id.as_str(), "spiffe://example.org/web");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The first rule that a certificate breaks.
///
/// Spec: X509-SVID standard, sections 2 to 4; ca.md C-VFY-2, C-VFY-3.
pub fn check_svid<C: AsRef<[u8]>>(chain: &[C], options: &VerifyOptions<'_>) -> Result<SpiffeId, VerifyError> {
    let request = Request::new(chain, options);
    let leaf = request.leaf()?;
    let id = identify(&leaf)?;
    if id.path().is_empty() {
        return Err(VerifyError::LeafIsTrustDomainId);
    }
    let mut checks = Checks {
        options,
        trust_domain: Some(id.trust_domain()),
        is_leaf_key_proven: false,
        notes: Vec::new(),
    };
    checks.leaf(&leaf)?;
    for (index, der) in request.others.iter().enumerate() {
        let depth = index.saturating_add(1);
        let issuer = Certificate::parse_with(der, &options.limits)
            .map_err(|error| VerifyError::Malformed { depth, error })?;
        checks.issuer(&issuer, depth, Role::Intermediate, 0)?;
    }
    Ok(id.to_owned())
}

/// What a verification may fill beside its verdict.
#[derive(Default)]
struct Extras<'e> {
    cache: Option<&'e mut SignatureCache>,
    steps: Option<&'e mut Vec<Step>>,
}

impl<'e> Extras<'e> {
    fn cache(cache: &'e mut SignatureCache) -> Self {
        Self {
            cache: Some(cache),
            steps: None,
        }
    }

    fn trace(steps: &'e mut Vec<Step>) -> Self {
        Self {
            cache: None,
            steps: Some(steps),
        }
    }

    fn step(&mut self, certificate: Option<&Certificate<'_>>, outcome: Outcome) {
        if let Some(steps) = &mut self.steps {
            steps.push(Step::new(0, certificate, outcome));
        }
    }
}

/// A chain with the options for it.
struct Request<'r> {
    leaf: Option<&'r [u8]>,
    others: Vec<&'r [u8]>,
    options: &'r VerifyOptions<'r>,
    is_leaf_key_proven: bool,
}

impl<'r> Request<'r> {
    fn new<C: AsRef<[u8]>>(chain: &'r [C], options: &'r VerifyOptions<'_>) -> Self {
        let mut certificates = chain.iter().map(AsRef::as_ref);
        // One more than the limit, so that it is seen to be exceeded.
        let count = options.limits.chain.saturating_add(1);
        Self {
            leaf: certificates.next(),
            others: certificates.take(count).collect(),
            options,
            is_leaf_key_proven: false,
        }
    }

    fn verify<'b>(
        &self,
        bundle_for: impl FnOnce(SpiffeIdRef<'_>) -> Option<&'b TrustBundle>,
        extras: Extras<'_>,
    ) -> Result<Verified, VerifyError> {
        let leaf = self.leaf()?;
        let (id, path) = self.verify_read(&leaf, bundle_for, extras, VerifiedPath::found_by)?;
        let id = id.to_owned();
        Ok(Verified { id, path })
    }

    /// The order of C-VFY-1. What is wanted of the search is made by `take`.
    fn verify_read<'l, 'b, R>(
        &self,
        leaf: &Certificate<'l>,
        bundle_for: impl FnOnce(SpiffeIdRef<'_>) -> Option<&'b TrustBundle>,
        mut extras: Extras<'_>,
        take: impl FnOnce(Search<'_, '_>) -> R,
    ) -> Result<(SpiffeIdRef<'l>, R), VerifyError> {
        let identified = identify(leaf).and_then(|id| {
            let bundle = bundle_for(id).filter(|bundle| !bundle.x509_authorities().is_empty());
            let bundle = bundle.ok_or_else(|| VerifyError::UntrustedDomain {
                trust_domain: id.trust_domain().to_owned(),
            })?;
            match id.path().is_empty() {
                true => Err(VerifyError::LeafIsTrustDomainId),
                false => Ok((id, bundle)),
            }
        });
        let (id, bundle) = identified.inspect_err(|error| {
            extras.step(Some(leaf), Outcome::Refused(error.clone()));
        })?;
        let taken = self.search(leaf, Some(id), bundle, extras, take)?;
        if let Some(expected) = self.options.expected
            && !expected.matches(id)
        {
            return Err(VerifyError::NotExpected { id: id.to_owned() });
        }
        Ok((id, taken))
    }

    fn leaf(&self) -> Result<Certificate<'r>, VerifyError> {
        let der = self.leaf.ok_or(VerifyError::EmptyChain)?;
        if self.others.len() >= self.options.limits.chain {
            return Err(VerifyError::ChainTooLong);
        }
        Certificate::parse_with(der, &self.options.limits)
            .map_err(|error| VerifyError::Malformed { depth: 0, error })
    }

    /// Checks the leaf, and finds a path from it to an anchor of the bundle.
    fn search<R>(
        &self,
        leaf: &Certificate<'_>,
        id: Option<SpiffeIdRef<'_>>,
        bundle: &TrustBundle,
        mut extras: Extras<'_>,
        take: impl FnOnce(Search<'_, '_>) -> R,
    ) -> Result<R, VerifyError> {
        let mut checks = Checks {
            options: self.options,
            trust_domain: id.map(SpiffeIdRef::trust_domain),
            is_leaf_key_proven: self.is_leaf_key_proven,
            notes: Vec::new(),
        };
        checks.leaf(leaf).inspect_err(|error| {
            extras.step(Some(leaf), Outcome::Refused(error.clone()));
        })?;
        extras.step(Some(leaf), Outcome::Leaf);
        let mut malformed = None;
        let sent = self.others.iter().copied();
        let configured = self.options.intermediates.iter().map(Vec::as_slice);
        let intermediates = sent.chain(configured).enumerate().filter_map(|(index, der)| {
            Certificate::parse_with(der, &self.options.limits)
                .map_err(|error| {
                    let depth = index.saturating_add(1);
                    let error = VerifyError::Malformed { depth, error };
                    extras.step(None, Outcome::Refused(error.clone()));
                    malformed.get_or_insert(error);
                })
                .ok()
        });
        let candidates = candidates(leaf, intermediates, bundle);
        let mut search = Search::new(checks, leaf, &candidates);
        search.cache = extras.cache;
        search.trace = extras.steps.is_some().then(Vec::new);
        let result = search.run();
        if let (Some(steps), Some(found)) = (extras.steps, search.trace.take()) {
            steps.extend(found);
        }
        match (result, malformed) {
            // The issuer that is missing may be the one that cannot be read.
            (Err(VerifyError::UnknownIssuer { .. }), Some(error)) => Err(error),
            (Err(error), _) => Err(error),
            (Ok(()), _) => Ok(take(search)),
        }
    }
}

impl VerifiedPath {
    fn found_by(search: Search<'_, '_>) -> Self {
        let path = search.path.iter();
        Self {
            certificates: path
                .clone()
                .map(|certificate| Arc::from(certificate.der()))
                .collect(),
            not_after: path
                .map(|certificate| certificate.not_after())
                .min()
                .unwrap_or(UnixTime::MAX_X509),
            diagnostics: search.checks.notes,
        }
    }
}

/// The SPIFFE id of a leaf: its only URI name (C-VFY-2).
fn identify<'a>(leaf: &Certificate<'a>) -> Result<SpiffeIdRef<'a>, VerifyError> {
    let mut uris = leaf.uris();
    match (uris.next(), uris.next()) {
        (None, _) => Err(VerifyError::NoUriSan),
        (Some(uri), None) => Ok(SpiffeIdRef::parse_bytes(uri)?),
        (Some(_), Some(_)) => Err(VerifyError::MultipleUriSans),
    }
}
