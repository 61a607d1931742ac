//! A decision that is kept: the same without borrows.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mesh_api::names::Text;

use super::decision::{Decision, NotFound, Outcome, RedirectTo, Rejection, Target};
use super::effects::Effects;
use super::observe::describe_conditions;
use super::request::Request;
use crate::plan::{
    AbortStatus, Assignment, Caveat, ChainName, Cluster, ClusterName, Domain, ListenerName, Origin,
    RouteTableName, TrafficPolicy, VirtualHostName, WeightedDestination,
};

/// A decision without borrows, for keeping and for printing as data.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OwnedDecision {
    /// Where the connection arrived.
    pub listener: Option<ListenerName>,
    /// What took it.
    pub chain: Option<ChainName>,
    /// Where the request was routed.
    pub table: Option<RouteTableName>,
    /// The virtual host.
    pub virtual_host: Option<VirtualHostName>,
    /// The domain by which it was found.
    pub domain: Option<Domain>,
    /// The name of the route that took the request; may be empty.
    pub route: Option<Text>,
    /// What that route demands, in words.
    pub conditions: Option<Text>,
    /// Where the deciding part comes from.
    pub origin: Origin,
    /// An injected delay.
    pub delay: Option<Duration>,
    /// The status with which the proxy answers by itself.
    pub status: Option<u16>,
    /// What happens.
    pub outcome: OwnedOutcome,
    /// What it does to path, host and location.
    pub effects: Effects,
    /// What the plan does not know.
    pub caveats: Box<[Caveat]>,
}

/// What happens, without borrows. See [`Outcome`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OwnedOutcome {
    /// See [`Outcome::Forward`].
    Forward(OwnedTarget),
    /// See [`Outcome::Tcp`].
    Tcp(OwnedTarget),
    /// See [`Outcome::PassThrough`].
    PassThrough(OwnedTarget),
    /// See [`Outcome::BlackHole`].
    BlackHole,
    /// See [`Outcome::Redirect`].
    Redirect {
        /// The status.
        code: u16,
        /// Where to.
        location: Text,
    },
    /// See [`Outcome::Respond`].
    Respond {
        /// The status.
        status: u16,
        /// The body.
        body: Option<Arc<[u8]>>,
    },
    /// See [`Outcome::Preflight`].
    Preflight {
        /// Whether the origin is allowed.
        allowed: bool,
    },
    /// See [`Outcome::Fault`].
    Fault(AbortStatus),
    /// See [`Outcome::NotFound`].
    NotFound(NotFound),
    /// See [`Outcome::Unavailable`].
    Unavailable {
        /// The status.
        status: u16,
        /// The destination.
        target: Option<OwnedTarget>,
    },
    /// See [`Outcome::Rejected`].
    Rejected(Rejection),
    /// See [`Outcome::NoAction`].
    NoAction,
    /// See [`Outcome::Closed`].
    Closed,
    /// See [`Outcome::Undecided`].
    Undecided {
        /// The name of the part that is not understood.
        because: Text,
    },
}

/// A destination, without borrows. See [`Target`].
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedTarget {
    /// The name of the cluster.
    pub name: ClusterName,
    /// The cluster; `None`: it does not exist.
    pub cluster: Option<Cluster>,
    /// Which of several weighted destinations it is.
    pub destination: Option<WeightedDestination>,
    /// Its endpoints.
    pub assignment: Option<Assignment>,
}

impl Decision<'_> {
    /// The decision for `request`, to be kept.
    pub fn to_owned(&self, request: &Request) -> OwnedDecision {
        let mut effects = Effects::new();
        self.effects(request, &mut effects);
        OwnedDecision {
            listener: self.listener.map(|listener| listener.name.clone()),
            chain: self.chain.map(|chain| chain.name.clone()),
            table: self.table.map(|table| table.name.clone()),
            virtual_host: self.virtual_host.map(|host| host.name.clone()),
            domain: self.domain.cloned(),
            route: self.route.map(|route| route.name.clone()),
            conditions: self.route.map(|route| Text::new(describe_conditions(route))),
            origin: self.origin().clone(),
            delay: self.delay,
            status: self.status(),
            outcome: self.owned_outcome(&effects),
            effects,
            caveats: self.caveats.into(),
        }
    }

    fn owned_outcome(&self, effects: &Effects) -> OwnedOutcome {
        match &self.outcome {
            Outcome::Forward(target) => OwnedOutcome::Forward(target.to_owned()),
            Outcome::Tcp(target) => OwnedOutcome::Tcp(target.to_owned()),
            Outcome::PassThrough(target) => OwnedOutcome::PassThrough(target.to_owned()),
            Outcome::BlackHole => OwnedOutcome::BlackHole,
            Outcome::Redirect(redirect) => OwnedOutcome::Redirect {
                code: match redirect {
                    RedirectTo::Route(redirect) => redirect.code,
                    RedirectTo::Tls => 301,
                },
                location: Text::new(String::from_utf8_lossy(effects.location().unwrap_or_default())),
            },
            Outcome::Respond(response) => OwnedOutcome::Respond {
                status: response.status,
                body: response.body.clone(),
            },
            Outcome::Preflight { cors: _, allowed } => OwnedOutcome::Preflight { allowed: *allowed },
            Outcome::Fault(status) => OwnedOutcome::Fault(*status),
            Outcome::NotFound(what) => OwnedOutcome::NotFound(*what),
            Outcome::Unavailable(unavailable) => OwnedOutcome::Unavailable {
                status: unavailable.status,
                target: unavailable.target.as_ref().map(Target::to_owned),
            },
            Outcome::Rejected(why) => OwnedOutcome::Rejected(*why),
            Outcome::NoAction => OwnedOutcome::NoAction,
            Outcome::Closed => OwnedOutcome::Closed,
            Outcome::Undecided(foreign) => OwnedOutcome::Undecided {
                because: foreign
                    .map_or_else(|| Text::new("the client's address"), |parts| parts.name.clone()),
            },
        }
    }
}

impl Target<'_> {
    /// The destination, to be kept.
    pub fn to_owned(&self) -> OwnedTarget {
        let Self {
            name,
            cluster,
            destination,
            assignment,
        } = *self;
        OwnedTarget {
            name: name.clone(),
            cluster: cluster.cloned(),
            destination: destination.cloned(),
            assignment: assignment.cloned(),
        }
    }
}

impl OwnedDecision {
    /// Where the request or connection goes; `None`: nowhere.
    pub fn destination(&self) -> Option<&OwnedTarget> {
        match &self.outcome {
            OwnedOutcome::Forward(target) | OwnedOutcome::Tcp(target) | OwnedOutcome::PassThrough(target) => {
                Some(target)
            }
            _ => None,
        }
    }
}

impl OwnedTarget {
    /// The effective traffic policy; `None`: the cluster does not exist.
    pub fn policy(&self) -> Option<&TrafficPolicy> {
        self.cluster.as_ref().map(|cluster| &*cluster.policy)
    }
}

impl OwnedOutcome {
    /// The name of the kind, stable: what programs tell outcomes apart by.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Forward(_) => "Forward",
            Self::Tcp(_) => "Tcp",
            Self::PassThrough(_) => "PassThrough",
            Self::BlackHole => "BlackHole",
            Self::Redirect { .. } => "Redirect",
            Self::Respond { .. } => "Respond",
            Self::Preflight { .. } => "Preflight",
            Self::Fault(_) => "Fault",
            Self::NotFound(_) => "NotFound",
            Self::Unavailable { .. } => "Unavailable",
            Self::Rejected(_) => "Rejected",
            Self::NoAction => "NoAction",
            Self::Closed => "Closed",
            Self::Undecided { .. } => "Undecided",
        }
    }
}

/// One line: the cluster, or the answer and why.
impl fmt::Display for OwnedDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(delay) = self.delay {
            write!(f, "after {delay:?}: ")?;
        }
        match &self.outcome {
            OwnedOutcome::Forward(target) | OwnedOutcome::PassThrough(target) => write!(f, "{}", target.name),
            OwnedOutcome::Tcp(target) => write!(f, "{} (TCP)", target.name),
            OwnedOutcome::BlackHole => f.write_str("dropped"),
            OwnedOutcome::Redirect { code, location } => write!(f, "{code} to {location}"),
            OwnedOutcome::Respond { status, body: _ } => write!(f, "{status}, by the proxy itself"),
            OwnedOutcome::Preflight { allowed: true } => f.write_str("200, preflight of an allowed origin"),
            OwnedOutcome::Preflight { allowed: false } => {
                f.write_str("200, preflight of an origin not allowed")
            }
            OwnedOutcome::Fault(AbortStatus::Http(status)) => write!(f, "{status}, injected"),
            OwnedOutcome::Fault(AbortStatus::Grpc(status)) => {
                write!(f, "200 with gRPC status {status}, injected")
            }
            OwnedOutcome::NotFound(NotFound::VirtualHost) => {
                f.write_str("404, no virtual host for the authority")
            }
            OwnedOutcome::NotFound(NotFound::Route) => {
                f.write_str("404, no route")?;
                match &self.origin.object {
                    Some(object) => write!(f, " of {}/{} matches", object.namespace, object.name),
                    None => f.write_str(" matches"),
                }
            }
            OwnedOutcome::Unavailable {
                status,
                target: Some(target),
            } => {
                let why = if target.cluster.is_some() {
                    "has no healthy endpoint"
                } else {
                    "does not exist"
                };
                write!(f, "{status}, {} {why}", target.name)
            }
            OwnedOutcome::Unavailable { status, target: None } => write!(f, "{status}, no such cluster"),
            OwnedOutcome::Rejected(Rejection::NoAuthority) => f.write_str("400, the request has no host"),
            OwnedOutcome::Rejected(Rejection::BadPath) => f.write_str("400, the path holds %00"),
            OwnedOutcome::Rejected(Rejection::BadTarget) => f.write_str("400, the target is no path"),
            OwnedOutcome::NoAction => f.write_str("nothing: the route has no action"),
            OwnedOutcome::Closed => f.write_str("connection closed"),
            OwnedOutcome::Undecided { because } => write!(f, "undecided: {because} is not understood"),
        }
    }
}
