use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::FederationOptions;
use crate::bundle::{BundleDiff, BundleDocumentError};
use crate::{DocumentMode, IssuanceRecord, Limits, TrustBundle, TrustDomain, UnixTime, X509Authority};

/// The bundle endpoint of the own trust domain, without its network: it holds the document that is served, counts its
/// versions, says from when on a new key may be used, and lets no key go that is still needed.
///
/// Consumers ask again after each refresh hint. A key that nobody has fetched yet verifies nothing, so a new one is published
/// three hints before its use, which covers two polls that fail; and an old one stays until the last SVID that it signed has
/// ended. The keys of the first bundle can be used at once: whoever has no bundle yet accepts nobody anyway.
///
/// ```
/// use std::time::Duration;
///
/// use mesh_ca::federation::{BundlePublisher, InUse};
/// use mesh_ca::{Authority, InsecureSeededEntropy, UnixTime};
///
/// let now = UnixTime::from_secs(1_800_000_000);
/// let mut entropy = InsecureSeededEntropy::new(1);
/// let first = Authority::self_signed("example.org".parse()?, now, &mut entropy)?;
/// let hint = Some(Duration::from_secs(600));
/// let mut publisher = BundlePublisher::new(first.trust_bundle().clone().with_refresh_hint(hint), now)?;
///
/// let response = publisher.respond("GET", None);
/// assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
/// let tag = response.header("etag").ok_or("a tag")?.to_owned();
/// assert_eq!(publisher.respond("GET", Some(tag.as_bytes())).status, 304);
///
/// // A second root: published now, used half an hour later.
/// let second = Authority::self_signed("example.org".parse()?, now, &mut entropy)?;
/// let mut both = publisher.bundle().clone().with_sequence(None);
/// both.insert_x509(second.certificate_der())?;
/// publisher.publish(both, &InUse::default(), now)?;
/// assert_eq!(publisher.bundle().sequence(), Some(2));
/// assert_eq!(publisher.usable_from(second.certificate_der()), Some(now + Duration::from_secs(1_800)));
/// assert_eq!(publisher.respond("GET", Some(tag.as_bytes())).status, 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Spec: SPIFFE Federation §5, SPIFFE Trust Domain and Bundle §4.1. Source: ca.md C-FED-7, C-BND-4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundlePublisher {
    bundle: TrustBundle,
    document: Arc<[u8]>,
    entity_tag: String,
    /// By DER.
    authorities: BTreeMap<Vec<u8>, UnixTime>,
    /// By name.
    keys: BTreeMap<String, UnixTime>,
}

/// What relies on published keys, so that they cannot leave the bundle.
#[derive(Debug, Clone, Copy, Default)]
pub struct InUse<'l> {
    /// The log of issued certificates; those that have ended can be there too.
    pub certificates: &'l [IssuanceRecord],
    /// The certificates of authorities between the bundle's and those of workloads, in DER.
    pub intermediates: &'l [Vec<u8>],
    /// Names of keys for tokens, with the latest `exp` of a token that each has signed.
    pub tokens: &'l [(String, UnixTime)],
}

/// What a consumer is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleResponse {
    /// 200 with a document, 304 for a consumer that has it, 405 for another method than GET and HEAD.
    pub status: u16,
    /// Header names in lower case, with their values.
    pub headers: Vec<(&'static str, String)>,
    /// The document; empty with another status than 200, and for HEAD.
    pub body: Arc<[u8]>,
}

impl BundleResponse {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What is saved of a publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublisherState {
    /// What is published.
    pub bundle: TrustBundle,
    /// From when on its authorities may be used.
    pub authorities: Vec<(X509Authority, UnixTime)>,
    /// From when on its keys for tokens may be used, by name.
    pub keys: BTreeMap<String, UnixTime>,
}

/// Why a bundle is not published. What was published before stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// Consumers would refuse the document, or a part of it.
    #[error("consumers would refuse the document: {0}")]
    Document(#[from] BundleDocumentError),
    /// The bundle is of another trust domain.
    #[error("the bundle is of `{given}`, and the endpoint of `{own}`")]
    OtherTrustDomain {
        /// Whose endpoint it is.
        own: TrustDomain,
        /// Whose bundle it is.
        given: TrustDomain,
    },
    /// The number would not grow with the content: consumers would ignore the bundle, or not notice the change.
    #[error("the sequence number {given} does not follow {held}")]
    Sequence {
        /// The number that is published.
        held: u64,
        /// The number of the bundle.
        given: u64,
    },
    /// Something that lives on would lose trust.
    #[error("{certificates} certificates and the tokens of {} keys would lose trust", keys.len())]
    StillInUse {
        /// How many certificates.
        certificates: usize,
        /// The names of the keys whose tokens would.
        keys: Vec<String>,
        /// When the last of them ends.
        until: UnixTime,
    },
}

impl PublishError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document(error) => error.code(),
            Self::OtherTrustDomain { .. } => "publish.other_trust_domain",
            Self::Sequence { .. } => "publish.sequence",
            Self::StillInUse { .. } => "publish.still_in_use",
        }
    }
}

impl BundlePublisher {
    /// An endpoint that serves a first bundle, whose keys may be used at once. A bundle without a sequence number gets 1.
    ///
    /// # Errors
    /// [`PublishError::Document`], when a strict consumer would refuse the document.
    pub fn new(bundle: TrustBundle, now: UnixTime) -> Result<Self, PublishError> {
        let first = bundle.sequence().unwrap_or(1);
        let mut publisher = Self::of(bundle.with_sequence(Some(first)))?;
        publisher.note_keys(now);
        Ok(publisher)
    }

    /// Serves another version of the bundle from now on; `false` when it is the one that is served.
    ///
    /// Without a sequence number it gets the next one. Keys that are new may be used three refresh hints from now, of the
    /// longer hint of both versions. What `in_use` says to rely on a key keeps that key in the bundle; to withdraw a key that
    /// is in the wrong hands, leave its certificates out, or take [`InUse::default`].
    ///
    /// # Errors
    /// Why it is not served; nothing has changed then.
    pub fn publish(
        &mut self,
        bundle: TrustBundle,
        in_use: &InUse<'_>,
        now: UnixTime,
    ) -> Result<bool, PublishError> {
        if bundle.trust_domain() != self.bundle.trust_domain() {
            return Err(PublishError::OtherTrustDomain {
                own: self.bundle.trust_domain().clone(),
                given: bundle.trust_domain().clone(),
            });
        }
        let held = self.bundle.sequence().unwrap_or(0);
        let is_same = bundle.clone().with_sequence(Some(held)) == self.bundle;
        let next = match (bundle.sequence(), is_same) {
            (None, true) => return Ok(false),
            (Some(given), true) if given == held => return Ok(false),
            (Some(given), _) if given <= held => return Err(PublishError::Sequence { held, given }),
            (Some(given), _) => given,
            (None, false) => held
                .checked_add(1)
                .ok_or(PublishError::Sequence { held, given: held })?,
        };
        check_in_use(&self.bundle.diff(&bundle), in_use, now)?;
        let hint = interval(&self.bundle).max(interval(&bundle));
        let mut newer = Self::of(bundle.with_sequence(Some(next)))?;
        newer.authorities = std::mem::take(&mut self.authorities);
        newer.keys = std::mem::take(&mut self.keys);
        newer.note_keys(now + hint.saturating_mul(HINTS_BEFORE_USE));
        *self = newer;
        Ok(true)
    }

    /// Answers a consumer, by the method of its request and its `If-None-Match` header; several such headers are joined with
    /// commas. Which path the endpoint has, and how it proves who it is, is for the embedder to say.
    ///
    /// Caches on the way have to ask each time: one that kept the document for a refresh hint of its own would make consumers
    /// late.
    ///
    /// Spec: RFC 9110 §13.1.2, §15.4.5.
    pub fn respond(&self, method: &str, if_none_match: Option<&[u8]>) -> BundleResponse {
        if method != "GET" && method != "HEAD" {
            return BundleResponse {
                status: 405,
                headers: vec![("allow", "GET, HEAD".to_owned())],
                body: Arc::default(),
            };
        }
        let mut headers = vec![
            ("cache-control", "no-cache".to_owned()),
            ("etag", self.entity_tag.clone()),
        ];
        if if_none_match.is_some_and(|value| is_among(self.entity_tag.as_bytes(), value)) {
            return BundleResponse {
                status: 304,
                headers,
                body: Arc::default(),
            };
        }
        headers.push(("content-type", "application/json".to_owned()));
        let body = match method {
            "GET" => Arc::clone(&self.document),
            _ => Arc::default(),
        };
        BundleResponse {
            status: 200,
            headers,
            body,
        }
    }

    /// What is published.
    pub fn bundle(&self) -> &TrustBundle {
        &self.bundle
    }

    /// From when on an authority may be used, by its certificate in DER; `None` when it is not published.
    pub fn usable_from(&self, der: &[u8]) -> Option<UnixTime> {
        self.authorities.get(der).copied()
    }

    /// From when on a key for tokens may be used, by its name; `None` when it is not published.
    pub fn key_usable_from(&self, key_id: &str) -> Option<UnixTime> {
        self.keys.get(key_id).copied()
    }

    /// What to save.
    pub fn snapshot(&self) -> PublisherState {
        let authorities = self.bundle.x509_authorities().iter();
        let authorities = authorities.filter_map(|one| Some((one.clone(), self.usable_from(one.der())?)));
        PublisherState {
            bundle: self.bundle.clone(),
            authorities: authorities.collect(),
            keys: self.keys.clone(),
        }
    }

    /// A publisher from what was saved. Keys whose time was not saved count as published only now.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn restore(state: PublisherState, now: UnixTime) -> Result<Self, PublishError> {
        let PublisherState {
            bundle,
            authorities,
            keys,
        } = state;
        let hint = interval(&bundle);
        let sequence = bundle.sequence().unwrap_or(1);
        let mut publisher = Self::of(bundle.with_sequence(Some(sequence)))?;
        publisher.authorities = authorities
            .into_iter()
            .map(|(one, from)| (one.der().to_vec(), from))
            .collect();
        publisher.keys = keys;
        publisher.note_keys(now + hint.saturating_mul(HINTS_BEFORE_USE));
        Ok(publisher)
    }

    /// The document of a bundle, checked as a strict consumer would (C-BND-4).
    fn of(bundle: TrustBundle) -> Result<Self, PublishError> {
        let document = bundle.to_spiffe_json().into_bytes();
        let trust_domain = bundle.trust_domain().clone();
        TrustBundle::from_spiffe_json(trust_domain, &document, DocumentMode::Strict, &Limits::default())?;
        let digest = Sha256::digest(&document);
        let digits = digest.iter().map(|byte| format!("{byte:02x}"));
        Ok(Self {
            entity_tag: format!("\"{}\"", digits.collect::<String>()),
            document: document.into(),
            authorities: BTreeMap::new(),
            keys: BTreeMap::new(),
            bundle,
        })
    }

    /// Keeps the times of the keys that are in the bundle; new ones may be used from this time on.
    fn note_keys(&mut self, usable_from: UnixTime) {
        let known = std::mem::take(&mut self.authorities);
        let authorities = self
            .bundle
            .x509_authorities()
            .iter()
            .map(|one| one.der().to_vec());
        let time = |der: Vec<u8>| (known.get(&der).copied().unwrap_or(usable_from), der);
        self.authorities = authorities.map(time).map(|(from, der)| (der, from)).collect();
        let known = std::mem::take(&mut self.keys);
        let time = |(name, _): (&str, _)| (name.to_owned(), known.get(name).copied().unwrap_or(usable_from));
        self.keys = self.bundle.jwt().iter().map(time).collect();
    }
}

/// Whether something that lives on would lose trust.
fn check_in_use(diff: &BundleDiff, in_use: &InUse<'_>, now: UnixTime) -> Result<(), PublishError> {
    let InUse {
        certificates,
        intermediates,
        tokens,
    } = *in_use;
    let lost = diff.effect(certificates, intermediates, now);
    let tokens = tokens
        .iter()
        .filter(|(name, until)| diff.removed_keys.contains(name) && now < *until);
    let keys: Vec<String> = tokens.clone().map(|(name, _)| name.clone()).collect();
    let ends = lost.iter().map(|lost| lost.record.not_after);
    match ends.chain(tokens.map(|(_, until)| *until)).max() {
        None => Ok(()),
        Some(until) => Err(PublishError::StillInUse {
            certificates: lost.len(),
            keys,
            until,
        }),
    }
}

/// How long a consumer waits until it asks again, by C-FED-5.
fn interval(bundle: &TrustBundle) -> Duration {
    let options = FederationOptions::default();
    bundle
        .refresh_hint()
        .min(options.max_interval)
        .max(options.min_interval)
}

/// Whether an entity tag is in the value of an `If-None-Match` header, by weak comparison. A value that is malformed names
/// no tag from there on.
fn is_among(entity_tag: &[u8], value: &[u8]) -> bool {
    let mut rest = value.trim_ascii();
    if rest == b"*" {
        return true;
    }
    loop {
        let tag = rest.strip_prefix(b"W/").unwrap_or(rest);
        let Some(end) = tag
            .strip_prefix(b"\"")
            .and_then(|opaque| opaque.iter().position(|byte| *byte == b'"'))
            .map(|closing| closing.saturating_add(2))
        else {
            return false;
        };
        let Some((tag, after)) = tag.split_at_checked(end) else {
            return false;
        };
        if tag == entity_tag {
            return true;
        }
        match after.trim_ascii_start().strip_prefix(b",") {
            Some(next) => rest = next.trim_ascii_start(),
            None => return false,
        }
    }
}

/// Two polls can fail, and the third still brings a key in time (C-FED-7).
const HINTS_BEFORE_USE: u32 = 3;
