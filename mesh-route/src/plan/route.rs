//! A route: when it applies, what it does, and what goes with it.

use std::sync::Arc;
use std::time::Duration;

use mesh_api::names::Text;

use super::action::Action;
use super::foreign::Foreign;
use super::headers::HeaderOps;
use super::matcher::{RouteMatcher, TextMatcher};
use super::origin::Origin;

/// One route of a virtual host.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// `http.name`, and `.match.name` for a named match; `default`, `allow_any`, `block_all` for built-in ones. May be
    /// empty (X-NAME-12).
    pub name: Text,
    /// When it applies.
    pub matcher: RouteMatcher,
    /// What it does.
    pub action: Action,
    /// The rare parts.
    pub extras: Option<Box<RouteExtras>>,
    /// The entry and the match it comes from.
    pub origin: Origin,
}

impl Route {
    /// Whether it takes every request, so that routes behind it are dead (R-RT-3): prefix or path-prefix `/` or the
    /// regex `.*`, and no condition.
    pub fn is_catch_all(&self) -> bool {
        use super::matcher::PathMatcher;
        self.matcher.conditions.is_empty()
            && match &self.matcher.path {
                PathMatcher::Prefix(text) | PathMatcher::PathPrefix(text) => text.as_str() == "/",
                PathMatcher::Regex(pattern) => pattern.as_str() == ".*",
                PathMatcher::Exact(_) => false,
            }
    }
}

/// Parts that few routes have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteExtras {
    /// Header operations of the route.
    pub headers: Option<Arc<HeaderOps>>,
    /// Injected faults.
    pub fault: Option<Arc<Fault>>,
    /// Cross-origin rules.
    pub cors: Option<Arc<Cors>>,
    /// Statistics prefix, as given.
    pub stat_prefix: Option<Text>,
    /// For a delegated route, the entry of the root VirtualService (R-DEL).
    pub parent: Option<Origin>,
    /// Imported parts.
    pub foreign: Foreign,
}

/// Injected faults: the delay first, then the abort (R-FLT-1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fault {
    /// A fixed delay.
    pub delay: Option<FaultDelay>,
    /// An answer in place of the upstream's.
    pub abort: Option<FaultAbort>,
}

/// A fixed delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultDelay {
    /// How long.
    pub duration: Duration,
    /// Share of requests.
    pub share: Share,
}

/// An injected answer.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultAbort {
    /// What is answered.
    pub status: AbortStatus,
    /// Share of requests; an abort without a percentage never fires (R-FLT-1).
    pub share: Share,
}

/// A fraction of requests: fires iff `draw mod denominator < numerator` (R-ENV-8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share {
    /// Numerator.
    pub numerator: u32,
    /// Denominator.
    pub denominator: Denominator,
}

impl Share {
    /// Every request.
    pub const ALWAYS: Self = Self {
        numerator: 1_000_000,
        denominator: Denominator::Million,
    };
    /// No request.
    pub const NEVER: Self = Self {
        numerator: 0,
        denominator: Denominator::Million,
    };

    /// Whether `draw` fires.
    ///
    /// ```
    /// use mesh_route::plan::{Denominator, Share};
    ///
    /// let half = Share { numerator: 50, denominator: Denominator::Hundred };
    /// assert!(half.fires(149) && !half.fires(150));
    /// ```
    pub fn fires(self, draw: u64) -> bool {
        draw % u64::from(self.denominator.number()) < u64::from(self.numerator)
    }
}

/// Denominators that Envoy knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Denominator {
    /// Per cent.
    Hundred,
    /// Per million.
    Million,
}

impl Denominator {
    /// As a number.
    pub const fn number(self) -> u32 {
        match self {
            Self::Hundred => 100,
            Self::Million => 1_000_000,
        }
    }
}

/// Status of an injected answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AbortStatus {
    /// An HTTP status.
    Http(u16),
    /// A gRPC status number; the HTTP status is 200.
    Grpc(u32),
}

/// Cross-origin rules (R-CORS-1).
#[derive(Clone, Debug, PartialEq)]
pub struct Cors {
    /// Origins that are allowed.
    pub allow_origins: Box<[TextMatcher]>,
    /// `access-control-allow-methods`, joined with `,`; empty: not sent.
    pub allow_methods: Text,
    /// `access-control-allow-headers`, joined with `,`; empty: not sent.
    pub allow_headers: Text,
    /// `access-control-expose-headers`, joined with `,`; empty: not sent.
    pub expose_headers: Text,
    /// `access-control-max-age`, whole seconds.
    pub max_age: Option<u64>,
    /// `access-control-allow-credentials`; `None`: not said.
    pub allow_credentials: Option<bool>,
    /// Whether preflights of other origins go upstream; otherwise they are answered 200 without headers.
    pub forward_unmatched_preflights: bool,
}
