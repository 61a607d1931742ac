use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::relationship::check;
use super::{
    EndpointProfile, EndpointUrl, FederationConfigError, FederationOptions, FetchAuth, Relationship,
};
use crate::bundle::BundleDocumentError;
use crate::entropy::below;
use crate::{
    BundleUpdate, DocumentMode, Entropy, EntropyError, MonotonicTime, Now, SpiffeId, TrustBundle, TrustDomain,
};

/// Keeps the bundles of federated trust domains fresh.
///
/// Call [`handle_timeout`](Self::handle_timeout) at [`poll_timeout`](Self::poll_timeout), hand in what fetches gave, and
/// after each call take all outputs.
///
/// ```
/// use mesh_ca::federation::{EndpointProfile, FederationClient, FederationOptions, Fetched, Output, Relationship};
/// use mesh_ca::{InsecureSeededEntropy, MonotonicTime, Now, UnixTime};
///
/// let now = Now::new(UnixTime::from_secs(1_800_000_000), MonotonicTime::ORIGIN);
/// let mut entropy = InsecureSeededEntropy::new(1);
/// let partner = Relationship {
///     trust_domain: "partner.example".parse()?,
///     endpoint_url: "https://spire.partner.example/bundle".parse()?,
///     profile: EndpointProfile::HttpsWeb,
/// };
/// let own = "cluster.local".parse()?;
/// let mut client = FederationClient::new(own, [], [partner], FederationOptions::default())?;
///
/// client.handle_timeout(now, &mut entropy)?;
/// let Some(Output::Fetch { id, url, .. }) = client.poll_output() else { panic!("a fetch") };
/// assert_eq!(url.as_str(), "https://spire.partner.example/bundle");
///
/// let body = br#"{"keys": [], "spiffe_refresh_hint": 300}"#.to_vec();
/// client.handle_fetched(now, id, Fetched::ok(body), &mut entropy)?;
/// assert!(matches!(client.poll_output(), Some(Output::Store { .. })));
/// // The next poll comes at the refresh hint, or up to a tenth earlier.
/// let wait = client.poll_timeout().ok_or("a poll")?.since_origin().as_secs();
/// assert!((270..=300).contains(&wait));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: ca.md C-FED-3..9.
#[derive(Debug, Clone)]
pub struct FederationClient {
    own: TrustDomain,
    known: BTreeMap<TrustDomain, TrustBundle>,
    entries: BTreeMap<TrustDomain, Entry>,
    options: FederationOptions,
    outputs: VecDeque<Output>,
    next_fetch: u64,
}

/// What the embedder is to do.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Tell somebody.
    Alarm(Alarm),
    /// Ask for the document, with a GET request. Answer with [`FederationClient::handle_fetched`] or
    /// [`FederationClient::handle_fetch_failed`].
    Fetch {
        /// Which fetch it is.
        id: FetchId,
        /// Whose bundle it is.
        trust_domain: TrustDomain,
        /// Where it is. Redirects may be followed, at most three, each to a URL that parses as an [`EndpointUrl`], and with
        /// the same authentication.
        url: EndpointUrl,
        /// How the endpoint proves who it is.
        auth: FetchAuth,
    },
    /// Use this bundle from now on, and save it.
    Store {
        /// The bundle.
        bundle: TrustBundle,
    },
    /// The bundle is gone: no peer of the trust domain verifies any longer.
    Withdraw {
        /// Whose bundle it was.
        trust_domain: TrustDomain,
    },
}

/// A fetch that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FetchId(u64);

/// What a fetch gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// The status of the last response. Only 200 has a bundle.
    pub status: u16,
    /// The body of the last response.
    #[serde(with = "crate::base64_serde")]
    pub body: Vec<u8>,
    /// Where redirects led, in order; empty without.
    pub redirects: Vec<String>,
    /// The id that the endpoint proved, with SPIFFE authentication.
    pub peer: Option<SpiffeId>,
}

impl Fetched {
    /// A response with status 200, without redirects, authenticated as a web server.
    pub fn ok(body: Vec<u8>) -> Self {
        Self {
            status: 200,
            body,
            redirects: Vec::new(),
            peer: None,
        }
    }
}

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Whose bundle it is about.
    pub trust_domain: TrustDomain,
    /// What it is.
    pub kind: AlarmKind,
}

/// What a person should know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlarmKind {
    /// The document is refused.
    #[error("the bundle document is refused: {0}")]
    DocumentRefused(BundleDocumentError),
    /// The endpoint proved another id than the one it must have.
    #[error("the endpoint did not prove the id that it must have")]
    EndpointId,
    /// A redirect led to no URL of a bundle endpoint, or there were more than three.
    #[error("a redirect led to where bundles are not fetched from")]
    Redirect,
    /// Three documents in a row had a lower sequence number than the one held: the publisher started anew, or an old one is
    /// replayed. [`FederationClient::reset_sequence`] forgets the number.
    #[error("the bundle document is older than the one held, three times in a row")]
    SequenceRolledBack,
    /// The content changed and the sequence number did not.
    #[error("the bundle document changed without a new sequence number")]
    SequenceNotBumped,
    /// The bundle could not be fetched for several intervals. It stays in use.
    #[error("the bundle could not be fetched for several intervals")]
    Stale,
}

/// What is saved: restoring it and polling at once loses nothing. Relationships are configuration and not part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederationState {
    /// The bundles that were fetched, as SPIFFE bundle documents.
    pub bundles: BTreeMap<TrustDomain, String>,
}

#[derive(Debug, Clone)]
struct Entry {
    relationship: Relationship,
    bundle: Option<TrustBundle>,
    poll_at: MonotonicTime,
    in_flight: Option<InFlight>,
    /// When a fetch succeeded last, or when the relationship began.
    fresh_at: Option<MonotonicTime>,
    is_stale: bool,
    rolled_back: u32,
}

#[derive(Debug, Clone, Copy)]
struct InFlight {
    id: FetchId,
    give_up_at: MonotonicTime,
}

impl FederationClient {
    /// A client of relationships. `known` are bundles that are there without a fetch, the own one for example; endpoints of
    /// these trust domains can be verified from the start.
    ///
    /// # Errors
    /// When two relationships are with one trust domain, one is with the own, or one can never start.
    pub fn new(
        own: TrustDomain,
        known: impl IntoIterator<Item = TrustBundle>,
        relationships: impl IntoIterator<Item = Relationship>,
        options: FederationOptions,
    ) -> Result<Self, FederationConfigError> {
        let known = known
            .into_iter()
            .map(|bundle| (bundle.trust_domain().clone(), bundle))
            .collect();
        let mut client = Self {
            own,
            known,
            entries: BTreeMap::new(),
            options,
            outputs: VecDeque::new(),
            next_fetch: 0,
        };
        for relationship in relationships {
            client.insert(relationship)?;
        }
        client.check()?;
        Ok(client)
    }

    /// Takes up saved bundles, for relationships that are there; documents that cannot be read any longer are left out, and
    /// will be fetched anew. Nothing is put out.
    pub fn restore(&mut self, state: &FederationState) {
        for (trust_domain, document) in &state.bundles {
            let limits = &self.options.limits;
            let Some(entry) = self.entries.get_mut(trust_domain) else {
                continue;
            };
            let json = document.as_bytes();
            if let Ok(read) =
                TrustBundle::from_spiffe_json(trust_domain.clone(), json, DocumentMode::Standard, limits)
            {
                entry.bundle = Some(read.bundle);
            }
        }
    }

    /// What to save.
    pub fn snapshot(&self) -> FederationState {
        let bundles = self
            .bundles()
            .map(|bundle| (bundle.trust_domain().clone(), bundle.to_spiffe_json()));
        FederationState {
            bundles: bundles.collect(),
        }
    }

    /// The bundles that were fetched, by trust domain.
    pub fn bundles(&self) -> impl Iterator<Item = &TrustBundle> {
        self.entries.values().filter_map(|entry| entry.bundle.as_ref())
    }

    /// The bundle of a trust domain, if it was fetched.
    pub fn bundle(&self, trust_domain: &TrustDomain) -> Option<&TrustBundle> {
        self.entries.get(trust_domain)?.bundle.as_ref()
    }

    /// Begins a relationship. Its first poll is due at once.
    ///
    /// # Errors
    /// As [`new`](Self::new); nothing changes then.
    pub fn add(&mut self, relationship: Relationship) -> Result<(), FederationConfigError> {
        let trust_domain = relationship.trust_domain.clone();
        self.insert(relationship)?;
        self.check().inspect_err(|_| {
            self.entries.remove(&trust_domain);
        })
    }

    /// Ends a relationship, and with it the trust in whoever is of the trust domain. `false` if there is none.
    pub fn remove(&mut self, trust_domain: &TrustDomain) -> bool {
        let Some(entry) = self.entries.remove(trust_domain) else {
            return false;
        };
        if entry.bundle.is_some() {
            let trust_domain = trust_domain.clone();
            self.outputs.push_back(Output::Withdraw { trust_domain });
        }
        true
    }

    /// Forgets the sequence number that is held, so that the next document is taken whatever its number (C-BND-8).
    pub fn reset_sequence(&mut self, trust_domain: &TrustDomain) {
        if let Some(entry) = self.entries.get_mut(trust_domain) {
            entry.bundle = entry.bundle.take().map(|bundle| bundle.with_sequence(None));
            entry.rolled_back = 0;
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` for never.
    pub fn poll_timeout(&self) -> Option<MonotonicTime> {
        let due = |entry: &Entry| match entry.in_flight {
            Some(in_flight) => Some(in_flight.give_up_at),
            None => self.auth(entry).map(|_| entry.poll_at),
        };
        self.entries.values().filter_map(due).min()
    }

    /// Does what is due. Calling it early or twice does no harm.
    ///
    /// # Errors
    /// When there are no random bytes; what was due stays due.
    pub fn handle_timeout(&mut self, now: Now, entropy: &mut dyn Entropy) -> Result<(), EntropyError> {
        let domains: Vec<TrustDomain> = self.entries.keys().cloned().collect();
        for trust_domain in domains {
            let late = |entry: &Entry| {
                entry
                    .in_flight
                    .is_some_and(|in_flight| now.mono >= in_flight.give_up_at)
            };
            if self.entries.get(&trust_domain).is_some_and(late) {
                self.fail(now, &trust_domain, None, entropy)?;
            }
            self.fetch_if_due(now, &trust_domain);
        }
        Ok(())
    }

    /// Takes what a fetch gave. Answers that come too late, or of relationships that are gone, are ignored.
    ///
    /// # Errors
    /// When there are no random bytes; hand the answer in again.
    pub fn handle_fetched(
        &mut self,
        now: Now,
        id: FetchId,
        fetched: Fetched,
        entropy: &mut dyn Entropy,
    ) -> Result<(), EntropyError> {
        let Some(trust_domain) = self.domain_of(id) else {
            return Ok(());
        };
        let document = self.read(&trust_domain, &fetched);
        let bundle = match document {
            Ok(Some(bundle)) => bundle,
            Ok(None) => return self.fail(now, &trust_domain, None, entropy),
            Err(kind) => return self.fail(now, &trust_domain, Some(kind), entropy),
        };
        let wait = self.interval(bundle.refresh_hint(), entropy)?;
        let Some(entry) = self.entries.get_mut(&trust_domain) else {
            return Ok(());
        };
        entry.in_flight = None;
        entry.poll_at = now.mono + wait;
        entry.fresh_at = Some(now.mono);
        entry.is_stale = false;
        let outcome = match &mut entry.bundle {
            Some(held) => held.update(bundle),
            None => {
                entry.bundle = Some(bundle);
                BundleUpdate::Accepted
            }
        };
        self.settle(&trust_domain, outcome);
        Ok(())
    }

    /// A fetch failed: no connection, no authentication, no answer.
    ///
    /// # Errors
    /// When there are no random bytes; say it again.
    pub fn handle_fetch_failed(
        &mut self,
        now: Now,
        id: FetchId,
        entropy: &mut dyn Entropy,
    ) -> Result<(), EntropyError> {
        match self.domain_of(id) {
            Some(trust_domain) => self.fail(now, &trust_domain, None, entropy),
            None => Ok(()),
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn insert(&mut self, relationship: Relationship) -> Result<(), FederationConfigError> {
        let trust_domain = relationship.trust_domain.clone();
        if trust_domain == self.own && !self.options.allow_own {
            return Err(FederationConfigError::OwnTrustDomain(trust_domain));
        }
        if self.entries.contains_key(&trust_domain) {
            return Err(FederationConfigError::TwoRelationships(trust_domain));
        }
        let entry = Entry {
            relationship,
            bundle: None,
            poll_at: MonotonicTime::ORIGIN,
            in_flight: None,
            fresh_at: None,
            is_stale: false,
            rolled_back: 0,
        };
        self.entries.insert(trust_domain, entry);
        Ok(())
    }

    fn check(&self) -> Result<(), FederationConfigError> {
        check(
            self.entries.values().map(|entry| &entry.relationship),
            &self.known,
        )
    }

    fn fetch_if_due(&mut self, now: Now, trust_domain: &TrustDomain) {
        let Some(entry) = self.entries.get(trust_domain) else {
            return;
        };
        if entry.in_flight.is_some() || now.mono < entry.poll_at {
            return;
        }
        let Some(auth) = self.auth(entry) else {
            return;
        };
        let url = entry.relationship.endpoint_url.clone();
        let id = FetchId(self.next_fetch);
        self.next_fetch = self.next_fetch.saturating_add(1);
        let give_up_at = now.mono + self.options.fetch_timeout;
        if let Some(entry) = self.entries.get_mut(trust_domain) {
            entry.in_flight = Some(InFlight { id, give_up_at });
            entry.fresh_at.get_or_insert(now.mono);
        }
        self.outputs.push_back(Output::Fetch {
            id,
            trust_domain: trust_domain.clone(),
            url,
            auth,
        });
    }

    /// How the endpoint is authenticated now; `None` while the bundle for it is missing (C-FED-4).
    fn auth(&self, entry: &Entry) -> Option<FetchAuth> {
        let (endpoint_id, initial) = match &entry.relationship.profile {
            EndpointProfile::HttpsWeb => return Some(FetchAuth::WebPki),
            EndpointProfile::HttpsSpiffe {
                endpoint_id,
                initial_bundle,
            } => (endpoint_id, initial_bundle),
        };
        let domain = endpoint_id.trust_domain().to_owned();
        let fetched = self.bundle(&domain).or_else(|| self.known.get(&domain));
        let serves_itself = domain == entry.relationship.trust_domain;
        let bundle = fetched.or(initial.as_ref().filter(|_| serves_itself))?;
        Some(FetchAuth::Spiffe {
            endpoint_id: endpoint_id.clone(),
            bundle: bundle.clone(),
        })
    }

    fn domain_of(&self, id: FetchId) -> Option<TrustDomain> {
        let is_it = |entry: &&Entry| entry.in_flight.is_some_and(|in_flight| in_flight.id == id);
        let entry = self.entries.values().find(is_it)?;
        Some(entry.relationship.trust_domain.clone())
    }

    /// The bundle of a response; `None` for a response that has none.
    fn read(&self, trust_domain: &TrustDomain, fetched: &Fetched) -> Result<Option<TrustBundle>, AlarmKind> {
        let Fetched {
            status,
            body,
            redirects,
            peer,
        } = fetched;
        if redirects.len() > MAX_REDIRECTS || redirects.iter().any(|url| url.parse::<EndpointUrl>().is_err())
        {
            return Err(AlarmKind::Redirect);
        }
        let profile = self
            .entries
            .get(trust_domain)
            .map(|entry| &entry.relationship.profile);
        if let Some(EndpointProfile::HttpsSpiffe { endpoint_id, .. }) = profile
            && peer.as_ref() != Some(endpoint_id)
        {
            return Err(AlarmKind::EndpointId);
        }
        if *status != 200 {
            return Ok(None);
        }
        let mode = DocumentMode::Standard;
        TrustBundle::from_spiffe_json(trust_domain.clone(), body, mode, &self.options.limits)
            .map(|document| Some(document.bundle))
            .map_err(AlarmKind::DocumentRefused)
    }

    /// Says what became of a fetched bundle.
    fn settle(&mut self, trust_domain: &TrustDomain, outcome: BundleUpdate) {
        let Some(entry) = self.entries.get_mut(trust_domain) else {
            return;
        };
        let alarm = match outcome {
            BundleUpdate::Stale => {
                entry.rolled_back = entry.rolled_back.saturating_add(1);
                (entry.rolled_back == ROLLED_BACK_ALARM).then_some(AlarmKind::SequenceRolledBack)
            }
            BundleUpdate::SequenceNotBumped => Some(AlarmKind::SequenceNotBumped),
            BundleUpdate::Accepted | BundleUpdate::Unchanged => None,
        };
        if outcome != BundleUpdate::Stale {
            entry.rolled_back = 0;
        }
        let changed = matches!(outcome, BundleUpdate::Accepted | BundleUpdate::SequenceNotBumped);
        if let Some(bundle) = entry.bundle.clone().filter(|_| changed) {
            self.outputs.push_back(Output::Store { bundle });
        }
        self.alarm(trust_domain, alarm);
    }

    /// The next poll comes after a whole interval, not sooner (SPIFFE Federation 6.2).
    fn fail(
        &mut self,
        now: Now,
        trust_domain: &TrustDomain,
        alarm: Option<AlarmKind>,
        entropy: &mut dyn Entropy,
    ) -> Result<(), EntropyError> {
        let held = self.bundle(trust_domain).map(TrustBundle::refresh_hint);
        let hint = held.unwrap_or(TrustBundle::DEFAULT_REFRESH_HINT);
        let wait = self.interval(hint, entropy)?;
        let stale_after = self.clamped(hint).saturating_mul(self.options.stale_after);
        let Some(entry) = self.entries.get_mut(trust_domain) else {
            return Ok(());
        };
        entry.in_flight = None;
        entry.poll_at = now.mono + wait;
        let unanswered = entry.fresh_at.map(|fresh_at| now.mono.saturating_since(fresh_at));
        let became_stale = !entry.is_stale && unanswered.is_some_and(|unanswered| unanswered >= stale_after);
        entry.is_stale |= became_stale;
        self.alarm(trust_domain, alarm);
        self.alarm(trust_domain, became_stale.then_some(AlarmKind::Stale));
        Ok(())
    }

    fn alarm(&mut self, trust_domain: &TrustDomain, kind: Option<AlarmKind>) {
        let alarm = kind.map(|kind| Alarm {
            trust_domain: trust_domain.clone(),
            kind,
        });
        self.outputs.extend(alarm.map(Output::Alarm));
    }

    fn clamped(&self, hint: Duration) -> Duration {
        // `clamp` would panic where the settings are the wrong way round.
        hint.min(self.options.max_interval).max(self.options.min_interval)
    }

    /// The time until the next poll: jitter only ever shortens it, by up to a tenth, so that three refresh hints cover two
    /// polls that failed (C-FED-5).
    fn interval(&self, hint: Duration, entropy: &mut dyn Entropy) -> Result<Duration, EntropyError> {
        let interval = self.clamped(hint);
        let tenth = u64::try_from((interval / 10).as_nanos()).unwrap_or(u64::MAX);
        let jitter = below(entropy, tenth.saturating_add(1))?;
        Ok(interval.saturating_sub(Duration::from_nanos(jitter)))
    }
}

const MAX_REDIRECTS: usize = 3;

const ROLLED_BACK_ALARM: u32 = 3;
