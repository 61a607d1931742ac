//! The answer for a request: references into the plan and small copies only.

use std::fmt;
use std::time::Duration;

use mesh_api::names::{Labels, SubsetName};

use crate::plan::{
    AbortStatus, Assignment, At, Caveat, Cluster, ClusterName, Cors, DirectResponse, Domain, FilterChain,
    ForeignParts, Forward, ForwardPolicy, Listener, Origin, Redirect, Route, RouteTable, RuleId,
    TrafficPolicy, VirtualHost, WeightedDestination, WeightedEndpoint,
};

/// What happens to a request, and which parts of the plan decided it. Borrows from the plan; [`Decision::to_owned`]
/// keeps it.
///
/// A decision of a warm router allocates nothing, unless the request's path has to be normalised or its host has
/// capitals.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Decision<'p> {
    /// Where the connection arrived; `None`: nowhere.
    pub listener: Option<&'p Listener>,
    /// What took the connection.
    pub chain: Option<&'p FilterChain>,
    /// Where the request was routed.
    pub table: Option<&'p RouteTable>,
    /// The virtual host of its authority.
    pub virtual_host: Option<&'p VirtualHost>,
    /// The domain by which the virtual host was found.
    pub domain: Option<&'p Domain>,
    /// The route that took it.
    pub route: Option<&'p Route>,
    /// A delay that was injected before.
    pub delay: Option<Duration>,
    /// What happens.
    pub outcome: Outcome<'p>,
    /// What the plan does not know and what may change the answer, such as EnvoyFilters.
    pub caveats: &'p [Caveat],
}

/// What happens to a request or connection.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Outcome<'p> {
    /// The request goes to a cluster.
    Forward(Target<'p>),
    /// The bytes of the connection go to a cluster; requests are not looked at.
    Tcp(Target<'p>),
    /// To where the client wanted to go, whatever that is.
    PassThrough(Target<'p>),
    /// Dropped.
    BlackHole,
    /// The client is sent elsewhere.
    Redirect(RedirectTo<'p>),
    /// The proxy answers.
    Respond(&'p DirectResponse),
    /// The proxy answers a cross-origin preflight with 200 (R-CORS-1).
    Preflight {
        /// The rules.
        cors: &'p Cors,
        /// Whether the origin is allowed, so that the headers are sent.
        allowed: bool,
    },
    /// An injected fault answers.
    Fault(AbortStatus),
    /// Nothing takes the request: 404.
    NotFound(NotFound),
    /// A route took the request, but where it leads nobody is.
    Unavailable(Unavailable<'p>),
    /// The request is refused before routing: 400.
    Rejected(Rejection),
    /// A route took the request and does nothing with it.
    NoAction,
    /// The connection is closed, or never accepted.
    Closed,
    /// It depends on an imported part that is not understood; never guessed.
    Undecided(Option<&'p ForeignParts>),
}

/// A cluster that was chosen, and what is known of it.
#[derive(Clone, Copy)]
pub struct Target<'p> {
    /// Its name.
    pub name: &'p ClusterName,
    /// The cluster; `None`: it does not exist (R-DST-3).
    pub cluster: Option<&'p Cluster>,
    /// Which of several weighted destinations it is.
    pub destination: Option<&'p WeightedDestination>,
    /// Its endpoints, if it has its own.
    pub assignment: Option<&'p Assignment>,
}

/// Where a redirect leads.
#[derive(Clone, Copy, Debug)]
pub enum RedirectTo<'p> {
    /// As the route says.
    Route(&'p Redirect),
    /// To the same place over TLS, with 301 (R-GW-14).
    Tls,
}

/// What was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// No virtual host has the authority (R-ENVH-5).
    VirtualHost,
    /// No route of the virtual host matches; there is no fallback to another one (R-ENVH-1).
    Route,
}

/// A destination that cannot take the request.
#[derive(Clone, Copy, Debug)]
pub struct Unavailable<'p> {
    /// The answer: 503, or 500 with gateway semantics where the cluster does not exist (R-DST-3, R-DST-4).
    pub status: u16,
    /// The destination; `None`: a cluster that is named by a header of the request and does not exist.
    pub target: Option<Target<'p>>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// It has no authority (R-ENVH-4).
    NoAuthority,
    /// Its path holds `%00` (R-ENV-1).
    BadPath,
    /// Its target is neither a path nor a URL; `*` is one for `OPTIONS` only (R-ENV-3). A listener that has to recognise
    /// HTTP may take the bytes of other such requests for another protocol, and pass them on as they are.
    BadTarget,
}

impl<'p> Decision<'p> {
    pub(super) fn new(caveats: &'p [Caveat]) -> Self {
        Self {
            listener: None,
            chain: None,
            table: None,
            virtual_host: None,
            domain: None,
            route: None,
            delay: None,
            outcome: Outcome::Closed,
            caveats,
        }
    }

    /// What happens.
    pub fn outcome(&self) -> &Outcome<'p> {
        &self.outcome
    }

    /// Where the request or connection goes; `None`: nowhere.
    pub fn destination(&self) -> Option<&Target<'p>> {
        match &self.outcome {
            Outcome::Forward(target) | Outcome::Tcp(target) | Outcome::PassThrough(target) => Some(target),
            _ => None,
        }
    }

    /// Where it goes, or would go if anybody were there.
    pub fn target(&self) -> Option<&Target<'p>> {
        match &self.outcome {
            Outcome::Unavailable(unavailable) => unavailable.target.as_ref(),
            _ => self.destination(),
        }
    }

    /// The status with which the proxy answers by itself; `None`: the answer is somebody else's.
    pub fn status(&self) -> Option<u16> {
        match &self.outcome {
            Outcome::Redirect(RedirectTo::Route(redirect)) => Some(redirect.code),
            Outcome::Redirect(RedirectTo::Tls) => Some(301),
            Outcome::Respond(response) => Some(response.status),
            Outcome::Fault(AbortStatus::Http(status)) => Some(*status),
            Outcome::Preflight { .. } | Outcome::Fault(AbortStatus::Grpc(_)) => Some(200),
            Outcome::NotFound(_) => Some(404),
            Outcome::Unavailable(unavailable) => Some(unavailable.status),
            Outcome::Rejected(_) => Some(400),
            Outcome::Forward(_)
            | Outcome::Tcp(_)
            | Outcome::PassThrough(_)
            | Outcome::BlackHole
            | Outcome::NoAction
            | Outcome::Closed
            | Outcome::Undecided(_) => None,
        }
    }

    /// Where the deciding part comes from: the route, else the virtual host, the table, the chain, the listener.
    pub fn origin(&self) -> &'p Origin {
        let http = self.route.map(|route| &route.origin);
        let http = http
            .or(self.virtual_host.map(|host| &host.origin))
            .or(self.table.map(|table| &table.origin));
        let connection = || {
            self.chain
                .map(|chain| &chain.origin)
                .or(self.listener.map(|listener| &listener.origin))
        };
        http.or_else(connection).unwrap_or(&NOWHERE)
    }

    /// What the route does, if it forwards.
    pub fn forward(&self) -> Option<&'p Forward> {
        match &self.route?.action {
            crate::plan::Action::Forward(forward) => Some(forward),
            _ => None,
        }
    }

    /// Timeout, retries, mirrors and hashing, if the route forwards.
    pub fn forward_policy(&self) -> Option<&'p ForwardPolicy> {
        self.forward().map(|forward| &*forward.policy)
    }

    /// The clusters that get a copy of the request, by the draws of `request` (R-MIR-1).
    pub fn mirrors<'r>(
        &self,
        request: &'r super::Request,
    ) -> impl Iterator<Item = &'p ClusterName> + use<'p, 'r> {
        let policy = self
            .forward_policy()
            .filter(|_| matches!(self.outcome, Outcome::Forward(_)));
        let mirrors = policy.map_or(&[][..], |policy| &policy.mirrors);
        let draws = request
            .draws()
            .mirrors
            .iter()
            .copied()
            .chain(std::iter::repeat(0));
        mirrors
            .iter()
            .zip(draws)
            .filter(|(mirror, draw)| mirror.share.fires(*draw))
            .map(|(mirror, _)| &mirror.cluster)
    }
}

impl<'p> Target<'p> {
    /// The name of the cluster, e.g. `outbound|9080|v2|reviews.default.svc.cluster.local`.
    pub fn cluster_name(&self) -> &'p ClusterName {
        self.name
    }

    /// The hostname of the service; empty for fixed clusters.
    pub fn host(&self) -> &'p str {
        self.name.host().as_str()
    }

    /// The service port; 0 for fixed clusters.
    pub fn port(&self) -> u16 {
        self.name.port()
    }

    /// The subset.
    pub fn subset(&self) -> Option<&'p str> {
        self.name.subset().map(SubsetName::as_str)
    }

    /// The labels that select the subset's endpoints.
    pub fn subset_labels(&self) -> Option<&'p Labels> {
        self.cluster?.subset.as_ref().map(|subset| &*subset.labels)
    }

    /// The effective traffic policy; `None`: the cluster does not exist.
    pub fn policy(&self) -> Option<&'p TrafficPolicy> {
        self.cluster.map(|cluster| &*cluster.policy)
    }

    /// The endpoints, in order of locality and priority.
    pub fn endpoints(&self) -> impl Iterator<Item = &'p WeightedEndpoint> + use<'p> {
        self.assignment.into_iter().flat_map(Assignment::endpoints)
    }
}

/// By the names of its parts, which are too large to be shown whole.
impl fmt::Debug for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            listener,
            chain,
            table,
            virtual_host,
            domain,
            route,
            delay,
            outcome,
            caveats,
        } = self;
        f.debug_struct("Decision")
            .field("listener", &listener.map(|listener| listener.name.to_string()))
            .field("chain", &chain.map(|chain| chain.name.to_string()))
            .field("table", &table.map(|table| table.name.to_string()))
            .field("virtual_host", &virtual_host.map(|host| host.name.to_string()))
            .field("domain", &domain.map(|domain| domain.text.as_str()))
            .field("route", &route.map(|route| (route.name.as_str(), &route.origin)))
            .field("delay", delay)
            .field("outcome", outcome)
            .field("caveats", &caveats.len())
            .finish()
    }
}

/// By name, and whether there is anybody.
impl fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            cluster,
            destination,
            assignment,
        } = self;
        f.debug_struct("Target")
            .field("name", name)
            .field("exists", &cluster.is_some())
            .field("destination", &destination.map(|destination| &destination.origin))
            .field(
                "endpoints",
                &assignment.map(|assignment| assignment.endpoints().count()),
            )
            .finish()
    }
}

/// The origin of what no part of the plan decided.
static NOWHERE: Origin = Origin {
    object: None,
    at: At::Default(RuleId::VirtualListeners),
};
