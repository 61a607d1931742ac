//! What a route does with a request.

use std::sync::Arc;

use mesh_api::names::{Host, Text};

use super::foreign::ForeignParts;
use super::headers::HeaderOps;
use super::key::ClusterName;
use super::origin::{Origin, Sourced};
use super::resilience::ForwardPolicy;
use crate::pattern::Pattern;

/// What is done with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sent to a cluster.
    Forward(Forward),
    /// Sent elsewhere by the client.
    Redirect(Box<Redirect>),
    /// Answered by the proxy.
    Respond(Box<DirectResponse>),
    /// Matched without an action of its own (proxyless gRPC servers).
    NonForwarding,
    /// No action: a redirect with a code that does not exist (R-RD-2). Envoy has nothing to do with such a route.
    Nothing,
    /// An imported action.
    Foreign(Box<ForeignParts>),
}

/// Forwarding to a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    /// Which cluster.
    pub split: Split,
    /// Changes of path and host.
    pub rewrite: Option<Box<Rewrite>>,
    /// Timeout, retries, mirrors, hashing; shared by most routes.
    pub policy: Arc<ForwardPolicy>,
    /// Status when the cluster does not exist: 503, or 500 with gateway semantics (R-DST-3).
    pub unknown_cluster: u16,
}

/// The choice of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum Split {
    /// Always this one.
    One(ClusterName),
    /// By weight: `draw mod sum`, then the first whose running sum is larger (R-W-2).
    Weighted(Box<[WeightedDestination]>),
    /// Named by a request header (imports only).
    ByHeader(Text),
}

impl Split {
    /// All clusters that can be chosen.
    pub fn clusters(&self) -> impl Iterator<Item = &ClusterName> {
        let (one, weighted) = match self {
            Self::One(cluster) => (Some(cluster), &[][..]),
            Self::Weighted(destinations) => (None, &destinations[..]),
            Self::ByHeader(_) => (None, &[][..]),
        };
        one.into_iter()
            .chain(weighted.iter().map(|destination| &destination.cluster))
    }
}

/// One of several destinations.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedDestination {
    /// Where to.
    pub cluster: ClusterName,
    /// Above 0; the sum of all need not be 100.
    pub weight: u32,
    /// Operations of this destination, which the route's follow (R-HDR-3).
    pub headers: Option<Arc<HeaderOps>>,
    /// Host sent upstream, unless the route rewrites it (R-HDR-5).
    pub host: Option<Text>,
    /// The destination.
    pub origin: Origin,
}

/// Changes of path and host before forwarding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rewrite {
    /// The path.
    pub path: Option<PathRewrite>,
    /// The host, and who gave it.
    pub host: Option<Sourced<Text>>,
    /// Whether `x-forwarded-host` keeps the old host.
    pub append_forwarded_host: bool,
}

/// A change of the path; the query is kept (R-RW).
#[derive(Clone, Debug, PartialEq)]
pub enum PathRewrite {
    /// Replaces what the route matched: the prefix, or the whole path of an exact or regex match.
    Prefix(Text),
    /// Replaces every match; `\0` to `\9` stand for groups.
    Regex {
        /// What is replaced.
        pattern: Pattern,
        /// By what.
        substitution: Text,
    },
    /// Replaces the path (imports only).
    Full(Text),
}

/// A redirect (R-RD).
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    /// The scheme, if it changes.
    pub scheme: Option<Text>,
    /// The authority, if it changes; it may hold a port.
    pub host: Option<Host>,
    /// The port, if one is set; elision is done (R-RD-3).
    pub port: Option<u16>,
    /// The path, if it changes.
    pub path: Option<RedirectPath>,
    /// 301, 302, 303, 307 or 308.
    pub code: u16,
}

/// The path of a redirect.
#[derive(Clone, Debug, PartialEq)]
pub enum RedirectPath {
    /// Replaces the matched prefix.
    Prefix(Text),
    /// Replaces the path; the query too, if it holds a `?`. Empty: unchanged.
    Full(Text),
}

/// An answer of the proxy itself.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectResponse {
    /// The status.
    pub status: u16,
    /// The body, up to 1 MiB; `None`: no body.
    pub body: Option<Arc<[u8]>>,
}
