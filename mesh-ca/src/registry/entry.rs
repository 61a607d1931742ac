//! What is registered: which workload gets which identity.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::spiffe_id::SpiffeId;
use crate::time::UnixTime;
use crate::trust_domain::TrustDomain;

/// The number of an entry: text that the embedder chooses, and that sorts entries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub Arc<str>);

impl From<&str> for EntryId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One property of a workload or a node that attestation found, `TYPE:VALUE`; the type has no colon, the value may.
///
/// ```
/// use mesh_ca::registry::Selector;
///
/// let selector: Selector = "k8s:ns:shop".parse()?;
/// assert_eq!((selector.kind(), selector.value()), ("k8s", "ns:shop"));
/// assert_eq!(selector, Selector::kubernetes_namespace("shop"));
/// assert!("k8s".parse::<Selector>().is_err());
/// # Ok::<(), mesh_ca::registry::SelectorError>(())
/// ```
///
/// Spec: C-REG-2, C-REG-6.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    text: Arc<str>,
    // INVARIANT: where the first colon of the text is, which is neither its first nor its last byte.
    colon: usize,
}

impl Selector {
    /// `k8s:ns:NAMESPACE`
    pub fn kubernetes_namespace(namespace: &str) -> Self {
        Self::known("k8s", "ns", namespace)
    }

    /// `k8s:sa:SERVICE_ACCOUNT`
    pub fn kubernetes_service_account(service_account: &str) -> Self {
        Self::known("k8s", "sa", service_account)
    }

    /// `k8s:pod-uid:UID`
    pub fn kubernetes_pod_uid(uid: &str) -> Self {
        Self::known("k8s", "pod-uid", uid)
    }

    /// `unix:uid:UID`
    pub fn unix_uid(uid: u32) -> Self {
        Self::known("unix", "uid", &uid.to_string())
    }

    /// What kind of property it is: the part before the first colon.
    pub fn kind(&self) -> &str {
        self.text
            .split_at_checked(self.colon)
            .map_or("", |(kind, _)| kind)
    }

    /// The property: the part after the first colon.
    pub fn value(&self) -> &str {
        self.text.get(self.colon + 1..).unwrap_or("")
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn known(kind: &str, name: &str, value: &str) -> Self {
        Self {
            text: format!("{kind}:{name}:{value}").into(),
            colon: kind.len(),
        }
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let (kind, value) = text.split_once(':').ok_or(SelectorError)?;
        if kind.is_empty() || value.is_empty() {
            return Err(SelectorError);
        }
        Ok(Self {
            text: text.into(),
            colon: kind.len(),
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is no selector: it has no colon, or nothing before or after the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectorError;

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a selector is a type and a value with a colon between them")
    }
}

impl std::error::Error for SelectorError {}

/// A registered identity: workloads below `parent_id` that have all `selectors` get `spiffe_id`.
///
/// ```
/// use mesh_ca::registry::{RegistrationEntry, Selector};
///
/// let agent = "spiffe://example.org/spire/agent/1".parse()?;
/// let entry = RegistrationEntry::new("shop-1", agent, "spiffe://example.org/ns/shop/sa/reviews".parse()?)
///     .with_selector(Selector::kubernetes_namespace("shop"))
///     .with_selector(Selector::kubernetes_service_account("reviews"));
/// assert_eq!(entry.selectors.len(), 2);
/// # Ok::<(), mesh_ca::IdError>(())
/// ```
///
/// Source: SPIRE RegistrationEntry; ca.md C-REG-1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationEntry {
    /// Its number.
    pub id: EntryId,
    /// Under whom it is: an agent, a node alias, another workload, or the server for a node alias.
    pub parent_id: SpiffeId,
    /// The identity; it has a path.
    pub spiffe_id: SpiffeId,
    /// What a workload must have, all of it; at least one.
    pub selectors: BTreeSet<Selector>,
    /// The lifetime of X509-SVIDs; zero means the server's default.
    #[serde(default)]
    pub x509_ttl: Duration,
    /// The lifetime of JWT-SVIDs; zero means the server's default.
    #[serde(default)]
    pub jwt_ttl: Duration,
    /// DNS names of the certificate, in this order.
    #[serde(default)]
    pub dns_names: Vec<String>,
    /// Foreign trust domains whose bundles the workload gets.
    #[serde(default)]
    pub federates_with: BTreeSet<TrustDomain>,
    /// The workload may administer the server.
    #[serde(default)]
    pub admin: bool,
    /// The workload is a server below this one, and may get an intermediate authority (C-AUTH-9).
    #[serde(default)]
    pub downstream: bool,
    /// When the entry ends.
    #[serde(default)]
    pub expires_at: Option<UnixTime>,
    /// Tells the identities of a workload apart; at most 1,024 bytes.
    #[serde(default)]
    pub hint: String,
    /// Counts the changes; set by the registry.
    #[serde(default)]
    pub revision: u64,
    /// The SVID goes to a store, not to a workload.
    #[serde(default)]
    pub store: bool,
    /// JWT-SVIDs get an id of their own.
    #[serde(default)]
    pub include_jti: bool,
}

impl RegistrationEntry {
    /// An entry without selectors yet.
    pub fn new(id: impl Into<EntryId>, parent_id: SpiffeId, spiffe_id: SpiffeId) -> Self {
        Self {
            id: id.into(),
            parent_id,
            spiffe_id,
            selectors: BTreeSet::new(),
            x509_ttl: Duration::ZERO,
            jwt_ttl: Duration::ZERO,
            dns_names: Vec::new(),
            federates_with: BTreeSet::new(),
            admin: false,
            downstream: false,
            expires_at: None,
            hint: String::new(),
            revision: 0,
            store: false,
            include_jti: false,
        }
    }

    /// The same entry with one more selector.
    pub fn with_selector(mut self, selector: Selector) -> Self {
        self.selectors.insert(selector);
        self
    }

    /// Whether the entry has ended.
    pub fn is_expired(&self, now: UnixTime) -> bool {
        self.expires_at.is_some_and(|at| now >= at)
    }

    /// Whether SVIDs made from this entry have to be made again for `newer`: the identity, a lifetime or the DNS names
    /// changed (C-REG-8).
    pub fn needs_new_svid(&self, newer: &Self) -> bool {
        self.spiffe_id != newer.spiffe_id
            || self.x509_ttl != newer.x509_ttl
            || self.jwt_ttl != newer.jwt_ttl
            || self.dns_names != newer.dns_names
    }
}

/// A node whose agent was attested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestedAgent {
    /// The agent's identity.
    pub id: SpiffeId,
    /// What attestation found of the node.
    pub selectors: BTreeSet<Selector>,
    /// When it has to be attested again.
    pub expires_at: Option<UnixTime>,
    /// It gets nothing any more.
    pub banned: bool,
}
