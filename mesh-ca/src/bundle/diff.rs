//! What differs between two versions of a bundle, and whom that costs trust.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{TrustBundle, X509Authority};
use crate::certificate::Certificate;
use crate::{IssuanceRecord, KeyId, UnixTime};

/// What differs between two versions of a bundle.
///
/// Source: ca.md C-BND-11.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleDiff {
    /// Authorities that only the newer one has, in its order.
    pub added: Vec<X509Authority>,
    /// Authorities that both have, in the order of the newer one.
    pub kept: Vec<X509Authority>,
    /// Authorities that only the older one has, in its order. What loses trust with them: [`effect`](Self::effect).
    pub removed: Vec<X509Authority>,
    /// The sequence numbers.
    pub sequence: SequenceChange,
    /// Names of token keys that only the newer one has, or has with another key.
    #[cfg(feature = "jwt")]
    pub added_keys: Vec<String>,
    /// Names of token keys that only the older one has, or has with another key. Tokens that they signed lose trust.
    #[cfg(feature = "jwt")]
    pub removed_keys: Vec<String>,
}

/// The sequence numbers of two versions of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceChange {
    /// That of the older one, if it has one.
    pub from: Option<u64>,
    /// That of the newer one, if it has one.
    pub to: Option<u64>,
}

/// A certificate whose trust ends before its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostTrust<'l> {
    /// The certificate.
    pub record: &'l IssuanceRecord,
    /// The last second in which the newer bundle still vouches for it; `None` when it does not even now.
    pub until: Option<UnixTime>,
}

impl TrustBundle {
    /// What another version of the bundle adds and removes.
    ///
    /// ```
    /// use mesh_ca::{Authority, InsecureSeededEntropy, TrustBundle, UnixTime};
    ///
    /// let now = UnixTime::from_secs(1_800_000_000);
    /// let ca = Authority::self_signed("td".parse()?, now, &mut InsecureSeededEntropy::new(1))?;
    /// let old = ca.trust_bundle().clone().with_sequence(Some(1));
    /// let new = TrustBundle::new("td".parse()?).with_sequence(Some(2));
    /// let diff = old.diff(&new);
    /// assert_eq!((diff.added.len(), diff.kept.len(), diff.removed.len()), (0, 0, 1));
    /// assert_eq!((diff.sequence.from, diff.sequence.to), (Some(1), Some(2)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Source: ca.md C-BND-11.
    pub fn diff(&self, newer: &Self) -> BundleDiff {
        let authorities = |bundle: &Self, others: &Self, in_others: bool| -> Vec<X509Authority> {
            let is_meant = |authority: &&X509Authority| others.contains_x509(authority.der()) == in_others;
            bundle.x509.iter().filter(is_meant).cloned().collect()
        };
        #[cfg(feature = "jwt")]
        let keys = |bundle: &Self, others: &Self| -> Vec<String> {
            let is_missing =
                |(name, key): &(&str, &crate::jwt::JsonWebKey)| others.jwt.key(name) != Some(*key);
            bundle
                .jwt
                .iter()
                .filter(is_missing)
                .map(|(name, _)| name.to_owned())
                .collect()
        };
        BundleDiff {
            added: authorities(newer, self, false),
            kept: authorities(newer, self, true),
            removed: authorities(self, newer, false),
            sequence: SequenceChange {
                from: self.sequence,
                to: newer.sequence,
            },
            #[cfg(feature = "jwt")]
            added_keys: keys(newer, self),
            #[cfg(feature = "jwt")]
            removed_keys: keys(self, newer),
        }
    }
}

impl BundleDiff {
    /// Whether both have the same authorities and token keys.
    pub fn is_empty(&self) -> bool {
        #[cfg(feature = "jwt")]
        let same_keys = self.added_keys.is_empty() && self.removed_keys.is_empty();
        #[cfg(not(feature = "jwt"))]
        let same_keys = true;
        self.added.is_empty() && self.removed.is_empty() && same_keys
    }

    /// The certificates of the issuance log that lose trust: at `now` the older bundle vouches for them, and the newer one
    /// does not, or not for as long. They come in the order of the log.
    ///
    /// `intermediates` are the certificates, in DER, of authorities between the bundle's and those of workloads; without
    /// them, only what the bundle's own authorities have issued is found. Both logs are taken at their word: issuers are
    /// found by name and key identifier, and no signature is checked. A root that was renewed with its key goes on
    /// vouching for what the old one has issued.
    ///
    /// ```
    /// use mesh_ca::{Authority, Caller, CsrBuilder, CsrPolicy, InsecureSeededEntropy, KeyPair, SpiffeId, TrustBundle};
    /// use mesh_ca::UnixTime;
    ///
    /// let now = UnixTime::from_secs(1_800_000_000);
    /// let mut entropy = InsecureSeededEntropy::new(1);
    /// let mut ca = Authority::self_signed("td".parse()?, now, &mut entropy)?;
    /// let id: SpiffeId = "spiffe://td/web".parse()?;
    /// let csr = CsrBuilder::new(&id).build(&KeyPair::generate(&mut entropy)?)?;
    /// let grant = CsrPolicy::istio().check(csr.der())?.authorize(&Caller::from(&id))?;
    /// let log = [ca.issue(&grant, now, &mut entropy)?.record().clone()];
    ///
    /// let diff = ca.trust_bundle().diff(&TrustBundle::new("td".parse()?));
    /// let lost = diff.effect(&log, &[], now);
    /// assert_eq!((lost[0].record.id.as_str(), lost[0].until), ("spiffe://td/web", None));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Source: ca.md C-BND-11.
    pub fn effect<'l>(
        &self,
        log: impl IntoIterator<Item = &'l IssuanceRecord>,
        intermediates: &[Vec<u8>],
        now: UnixTime,
    ) -> Vec<LostTrust<'l>> {
        let intermediates: Vec<Node> = intermediates.iter().filter_map(|der| Node::read(der)).collect();
        let trusted = |own: &[X509Authority]| {
            let anchors = own
                .iter()
                .chain(&self.kept)
                .filter_map(|anchor| Node::read(anchor.der()));
            TrustedUntil::new(anchors, &intermediates, now)
        };
        let (before, after) = (trusted(&self.removed), trusted(&self.added));
        let lost = log.into_iter().filter_map(|record| {
            let before = before.of(record, now)?;
            let until = after.of(record, now);
            (until < Some(before)).then_some(LostTrust { record, until })
        });
        lost.collect()
    }
}

/// What links the certificate of an authority to others.
#[derive(Debug, Clone)]
struct Node {
    subject: Vec<u8>,
    key_id: KeyId,
    issuer: Vec<u8>,
    issuer_key_id: Option<KeyId>,
    not_before: UnixTime,
    not_after: UnixTime,
}

impl Node {
    fn read(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::parse(der).ok()?;
        // As an issuer without the extension names itself in what it signs (C-KEY-9).
        let key_id = match certificate.subject_key_id() {
            Some(key_id) => KeyId::new(key_id),
            None => certificate.public_key().ok()?.key_id(),
        };
        Some(Self {
            subject: certificate.subject().der().to_vec(),
            key_id,
            issuer: certificate.issuer().der().to_vec(),
            issuer_key_id: certificate.authority_key_id().map(KeyId::new),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
        })
    }

    fn is_valid(&self, now: UnixTime) -> bool {
        (self.not_before..=self.not_after).contains(&now.floor_to_secs())
    }
}

/// Until when the authorities of a bundle vouch for what a key has issued: the latest end of a path, which is the earliest
/// end on it. Paths that begin only later do not count.
struct TrustedUntil(BTreeMap<KeyId, UnixTime>);

impl TrustedUntil {
    fn new(anchors: impl Iterator<Item = Node>, intermediates: &[Node], now: UnixTime) -> Self {
        let mut reached = Reached::default();
        for anchor in anchors.filter(|anchor| anchor.is_valid(now)) {
            reached.insert(&anchor, anchor.not_after);
        }
        // No accepted path has more authorities below its anchor (C-VFY-4).
        for _ in 0..crate::Budgets::default().intermediates {
            let mut has_changed = false;
            for node in intermediates.iter().filter(|node| node.is_valid(now)) {
                if let Some(until) = reached.issuer_of(node) {
                    has_changed |= reached.insert(node, until.min(node.not_after));
                }
            }
            if !has_changed {
                break;
            }
        }
        let mut by_key = BTreeMap::new();
        for (key_id, until) in reached.0.into_values().flatten() {
            let end = by_key.entry(key_id).or_insert(until);
            *end = until.max(*end);
        }
        Self(by_key)
    }

    /// Until when a certificate is trusted; `None` when it is not at `now`.
    fn of(&self, record: &IssuanceRecord, now: UnixTime) -> Option<UnixTime> {
        let until = *self.0.get(&record.issuer_key_id)?;
        Some(until.min(record.not_after)).filter(|until| now.floor_to_secs() <= *until)
    }
}

/// The latest ends of the authorities that are trusted, by name and key.
#[derive(Default)]
struct Reached(BTreeMap<Vec<u8>, BTreeMap<KeyId, UnixTime>>);

impl Reached {
    /// `true` when the authority was not there, or ended earlier.
    fn insert(&mut self, node: &Node, until: UnixTime) -> bool {
        let known = self.0.entry(node.subject.clone()).or_default();
        match known.get(&node.key_id) {
            Some(end) if *end >= until => false,
            _ => {
                known.insert(node.key_id.clone(), until);
                true
            }
        }
    }

    fn issuer_of(&self, node: &Node) -> Option<UnixTime> {
        let issuers = self.0.get(&node.issuer)?;
        match &node.issuer_key_id {
            Some(key_id) => issuers.get(key_id).copied(),
            None => issuers.values().copied().max(),
        }
    }
}
