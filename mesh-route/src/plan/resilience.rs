//! Timeout, retries, mirrors and hashing of forwarded requests.

use std::sync::Arc;
use std::time::Duration;

use mesh_api::names::Text;
use mesh_api::object::ObjectKey;

use super::key::ClusterName;
use super::origin::{Level, Origin, Sourced};

/// How a request is forwarded. Interned: most routes share one.
#[derive(Clone, Debug, PartialEq)]
pub struct ForwardPolicy {
    /// Over all tries (R-TO-1).
    pub timeout: Sourced<Timeout>,
    /// `None`: no retries.
    pub retry: Option<Sourced<Retry>>,
    /// Consistent-hash keys, in order (R-HASH).
    pub hash: Box<[HashPolicy]>,
    /// Copies of the request (R-MIR).
    pub mirrors: Box<[Mirror]>,
}

/// A response timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timeout {
    /// Switched off; Envoy's own default would be 15 s.
    Disabled,
    /// This long.
    After(Duration),
}

/// Retries (R-RTY).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Retry {
    /// Retries after the first try; at least 1.
    pub attempts: u32,
    /// Conditions, joined with `,`.
    pub on: Text,
    /// Status codes that are retried.
    pub codes: Box<[u32]>,
    /// Timeout of each try; `None`: the route's.
    pub per_try: Option<Duration>,
    /// Base interval; `None`: Envoy's 25 ms.
    pub backoff: Option<Duration>,
    /// How often another host is looked for.
    pub host_attempts: u32,
    /// Whether hosts that were tried are avoided.
    pub avoid_previous: bool,
    /// Whether retries go to other localities.
    pub other_localities: bool,
}

/// A copy of the request to another cluster, whose response is dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct Mirror {
    /// Where to.
    pub cluster: ClusterName,
    /// Share of requests; never 0, an explicit 0 is removed (R-MIR-1).
    pub share: super::route::Share,
    /// The mirror.
    pub origin: Origin,
}

/// One key of a consistent hash.
#[derive(Clone, Debug, PartialEq)]
pub struct HashPolicy {
    /// What is hashed.
    pub key: HashKey,
    /// Which level of the DestinationRule gave it.
    pub level: Level,
    /// The DestinationRule.
    pub rule: Option<Arc<ObjectKey>>,
}

/// What is hashed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HashKey {
    /// A header's value.
    Header(Text),
    /// A cookie's value; generated when missing, if a lifetime is given.
    Cookie {
        /// Its name.
        name: Text,
        /// Its path.
        path: Text,
        /// Its lifetime.
        ttl: Option<Duration>,
        /// Attributes, name and value.
        attributes: Box<[(Text, Text)]>,
    },
    /// The client's address.
    SourceIp,
    /// A query parameter's first value.
    Query(Text),
}
