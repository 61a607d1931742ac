//! Kinds of events and their data.

use std::net::IpAddr;
use std::time::Duration;

use mesh_api::names::{Host, Namespace, SubsetName, Text};

use crate::plan::{
    AbortStatus, ChainName, ClusterName, Domain, HashKey, HeaderOpKind, Level, ListenerName, ListenerRole,
    Locality, Origin, RouteTableName, Timeout, VirtualHostName,
};

/// What happened. A losing candidate has the one reason that excluded it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// The scope was chosen. The subject is the Sidecar.
    SidecarSelected {
        /// Where it was found.
        source: SidecarSource,
    },
    /// A Sidecar was not taken.
    SidecarRejected(SidecarRejection),
    /// A service is in scope. The subject declares it.
    ServiceImported {
        /// Its hostname.
        host: Host,
        /// Its namespace.
        namespace: Namespace,
    },
    /// A service is not in scope, or lost to another one.
    ServiceExcluded {
        /// Its hostname.
        host: Host,
        /// Its namespace.
        namespace: Namespace,
        /// Why.
        reason: ServiceExclusion,
    },
    /// The listener of the request.
    ListenerSelected {
        /// Its name.
        name: ListenerName,
        /// What it is for.
        role: ListenerRole,
        /// Whether the protocol is detected from the first bytes.
        sniffed: bool,
    },
    /// Two services want the same address for different protocols.
    ListenerConflict {
        /// The service that lost or had to share. The subject declares it.
        host: Host,
        /// Its protocol.
        protocol: Text,
        /// The service that was there before.
        with: Host,
        /// Whether it lost (R-PROTO-7); otherwise the listener detects protocols.
        dropped: bool,
    },
    /// The chain of the connection.
    FilterChainSelected {
        /// Its name.
        name: ChainName,
        /// What it was chosen by; empty for a chain without conditions.
        criteria: Box<[ChainCriterion]>,
        /// Whether it is the listener's default chain.
        default: bool,
    },
    /// A chain was not taken.
    FilterChainRejected {
        /// Its name.
        name: ChainName,
        /// Where it lost.
        at: ChainCriterion,
    },
    /// A gateway server serves the port. The subject is the server.
    ServerSelected {
        /// The resolved port.
        port: u16,
        /// Its hosts.
        hosts: Box<[Text]>,
        /// Its routes, if it has HTTP routes.
        table: Option<RouteTableName>,
    },
    /// A gateway server was not taken.
    ServerRejected(ServerRejection),
    /// A VirtualService that shares a host with the request was looked at.
    VirtualServiceConsidered {
        /// The host that is shared.
        host: Host,
        /// What came of it.
        outcome: VirtualServiceOutcome,
    },
    /// A delegate was merged into its root entry, which is the subject.
    DelegateResolved {
        /// The delegate.
        delegate: Origin,
        /// How many routes it brought.
        routes: usize,
    },
    /// A delegate, or one of its routes, was dropped. The subject is the root entry.
    DelegateDropped {
        /// The delegate, as `namespace/name`.
        delegate: Text,
        /// Why.
        reason: DelegateDrop,
    },
    /// A domain was taken already (R-VH-10).
    DomainDropped {
        /// The domain.
        domain: Text,
        /// Who has it.
        winner: VirtualHostName,
    },
    /// The virtual host of the request.
    VirtualHostSelected {
        /// Its name.
        name: VirtualHostName,
        /// The domain that matched.
        domain: Domain,
        /// The authority as it was looked up: lower-cased, without port where ports are ignored.
        authority: Text,
        /// Other domains that match too and come later (R-ENVH-1).
        runners_up: Box<[Domain]>,
    },
    /// A match never becomes a route of this proxy. The subject is the match.
    RouteSkippedStatic(StaticSkip),
    /// A route was tried.
    RouteEvaluated {
        /// Its name; may be empty.
        name: Text,
        /// What came of it.
        outcome: RouteOutcome,
    },
    /// No route takes the request: 404.
    NoRoute {
        /// The virtual host, if there is one for the authority.
        virtual_host: Option<VirtualHostName>,
        /// The authority that was looked up.
        authority: Text,
        /// Routes that failed at their last condition only.
        nearest: Box<[Origin]>,
    },
    /// The path was changed before routing.
    PathNormalized {
        /// As sent.
        before: Text,
        /// As routed.
        after: Text,
        /// What was done, in order.
        steps: Box<[PathStep]>,
    },
    /// The cluster of a destination.
    DestinationResolved {
        /// Its name.
        cluster: ClusterName,
        /// Where the port is from; known when the route is compiled.
        port: Option<PortSource>,
        /// Whether the service is in scope.
        service_found: bool,
        /// Whether its cluster exists; a missing subset or port is told by this.
        cluster_found: bool,
    },
    /// One of several destinations was drawn (R-W-2).
    WeightDraw {
        /// The number that was drawn, as given.
        draw: u64,
        /// The sum of weights.
        total: u64,
        /// All destinations with their shares `from..to` of the total; the one drawn is the subject.
        shares: Box<[WeightShare]>,
        /// Which of them was drawn.
        chosen: usize,
    },
    /// A destination of weight zero was removed (R-W-1).
    ZeroWeightRemoved {
        /// Its cluster.
        cluster: ClusterName,
    },
    /// The DestinationRule of a service. The subject is the rule.
    DestinationRuleSelected {
        /// The service.
        service: Host,
        /// Where it was found.
        step: RuleStep,
        /// The rule's host.
        matched: Host,
        /// Rules that were merged into it, in order.
        merged: Box<[Origin]>,
        /// Subsets that were dropped since an earlier rule has the name.
        dropped_subsets: Box<[SubsetName]>,
        /// Rules whose traffic policy was ignored since an earlier rule has one (R-DR-8).
        ignored_policies: Box<[Origin]>,
    },
    /// A DestinationRule was not taken.
    DestinationRuleRejected {
        /// The service.
        service: Host,
        /// Why.
        reason: RuleRejection,
    },
    /// Which level gave a block of the traffic policy. The subject is the rule, or the default.
    TrafficPolicyBlock {
        /// The block.
        block: PolicyBlock,
        /// The level that gave it.
        level: Level,
        /// Levels that had it too.
        overridden: Box<[Level]>,
        /// Whether a port-level setting, which replaces a policy as a whole, lost it (R-TP-1, R-TP-3).
        lost_by_port_level: bool,
    },
    /// TLS was not configured and was inferred (R-TP-9). The subject is the policy that gave the mode.
    AutoMtls {
        /// The server's mode, e.g. `STRICT`.
        mode: &'static str,
        /// Whether mutual TLS is used.
        used: bool,
    },
    /// A header operation took effect.
    HeaderOp {
        /// Whether it is on the response.
        response: bool,
        /// What was done.
        kind: HeaderOpKind,
        /// The header.
        name: Text,
        /// The value; empty for a removal.
        value: Text,
    },
    /// The host was rewritten.
    HostRewrite {
        /// To what.
        host: Text,
        /// Which level asked for it.
        level: Level,
    },
    /// The path was rewritten.
    PathRewrite {
        /// As routed.
        before: Text,
        /// As sent upstream.
        after: Text,
    },
    /// The client is sent elsewhere.
    Redirect {
        /// Where to.
        location: Text,
        /// The status.
        code: u16,
    },
    /// A fault was drawn.
    Fault(FaultOutcome),
    /// A mirror was drawn.
    Mirror {
        /// Where to.
        cluster: ClusterName,
        /// Whether the copy is sent.
        sent: bool,
    },
    /// How often is tried again.
    Retry {
        /// Retries after the first try; 0: none.
        attempts: u32,
        /// On what.
        on: Text,
        /// Who says so.
        level: Level,
    },
    /// How long is waited.
    Timeout {
        /// The timeout.
        timeout: Timeout,
        /// Who says so.
        level: Level,
    },
    /// A key of the consistent hash.
    HashPolicy {
        /// What is hashed.
        key: HashKey,
        /// Which level of the DestinationRule gave it.
        level: Level,
    },
    /// A group of endpoints.
    Locality {
        /// Where they are.
        locality: Locality,
        /// 0 is used first.
        priority: u32,
        /// Among the groups of the priority.
        weight: u32,
        /// How many endpoints.
        endpoints: usize,
    },
    /// A rule whose effect may surprise changed the result.
    ConfigQuirk {
        /// What a reader might have expected.
        expected: &'static str,
    },
}

/// Where the Sidecar of a workload was found (R-SC-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SidecarSource {
    /// In its namespace, by selector.
    Selector,
    /// In its namespace, without selector.
    Namespace,
    /// In the root namespace.
    Root,
    /// There is none: everything that is exported is in scope.
    Default,
}

/// Why a Sidecar was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SidecarRejection {
    /// Its selector does not fit the workload.
    SelectorMismatch,
    /// Another one comes first.
    LowerPriority,
}

/// Why a service is not in scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceExclusion {
    /// It is not exported to the proxy's namespace.
    NotExported,
    /// A `~` entry of the Sidecar takes it out.
    ExcludedByHost,
    /// No entry of the Sidecar names it.
    NotInEgressHosts,
    /// It does not have the listener's port.
    PortNotOwned(u16),
    /// The same hostname of another namespace wins (R-SC-7).
    SameHostOtherNamespace(Namespace),
    /// A Kubernetes service of the same hostname wins (R-SVC-1).
    KubernetesPreferred,
}

/// What a chain is chosen by, in order of precedence (R-L4-7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainCriterion {
    /// The destination port.
    Port(u16),
    /// The network of the destination.
    Destination(IpAddr),
    /// The server name of the client hello; empty: none was sent.
    ServerName(Text),
    /// Plaintext or TLS.
    Transport(&'static str),
    /// Application protocols.
    Alpn(Box<[Text]>),
    /// The client's address.
    Source,
    /// An imported condition that is not understood.
    Foreign(Text),
}

/// Why a gateway server was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerRejection {
    /// Another protocol is on the port already (R-GW-5).
    ProtocolConflict {
        /// The server that has it.
        with: Origin,
    },
    /// A host is served already (R-GW-6).
    DuplicateHosts {
        /// The hosts, as `namespace/host`.
        hosts: Box<[Text]>,
        /// The server that has them.
        owner: Origin,
    },
    /// The name of its routes is taken (R-GW-8).
    DuplicateRouteName {
        /// The name.
        name: RouteTableName,
    },
    /// The proxy may not bind the port (R-GW-17).
    PrivilegedPort(u16),
    /// The Gateway's selector does not fit the proxy (R-GW-1).
    SelectorMismatch,
}

/// What came of a VirtualService.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VirtualServiceOutcome {
    /// It is not exported to the proxy's namespace.
    NotExported,
    /// It is not bound to this gateway, or not to the mesh.
    GatewayNotBound,
    /// The Sidecar does not name its hosts.
    NotInEgressHosts,
    /// It has no host in common with the server.
    NoHostIntersection,
    /// A host without a service is served on port 80 only (R-VH-1, R-VH-6).
    NotOnPort80,
    /// None of its routes applies to the proxy and port (R-VH-2).
    NoUsableRoute,
    /// Another one has a more specific host.
    LessSpecificThan(Origin),
    /// Another one has the same host and comes first.
    ShadowedBy {
        /// The winner.
        by: Origin,
        /// Why it comes first (R-ORD-4).
        reason: ShadowReason,
    },
    /// Its routes were appended to those of others (R-GW-12).
    Merged {
        /// At which place, from 0.
        position: usize,
    },
    /// It won.
    Selected,
}

/// Why one VirtualService comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShadowReason {
    /// It is older.
    Older,
    /// It is private, or exported to the namespace by name.
    VisibilityClass,
}

/// Why a delegate or one of its routes was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DelegateDrop {
    /// No such VirtualService without hosts.
    NotFound,
    /// It is not exported to the root's namespace.
    NotExported,
    /// Its match contradicts the root's (R-DEL-5).
    MatchConflict {
        /// Position of the delegate's entry.
        entry: usize,
        /// The field that is in conflict, e.g. `uri`.
        field: Text,
    },
}

/// Why a match never becomes a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaticSkip {
    /// It is for another port.
    PortMismatch {
        /// The port it names.
        wants: u32,
        /// The listener's or server's port.
        is: u16,
    },
    /// It is for other gateways.
    GatewayMismatch {
        /// The gateways it names.
        wants: Box<[Text]>,
    },
    /// The workload lacks labels.
    SourceLabelsMismatch,
    /// The workload is in another namespace.
    SourceNamespaceMismatch {
        /// The namespace it names.
        wants: Namespace,
    },
    /// An earlier one takes everything.
    AfterCatchAll {
        /// The earlier one.
        by: Origin,
    },
    /// It could not be built.
    Invalid {
        /// Why.
        reason: Text,
    },
}

/// What came of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteOutcome {
    /// It takes the request.
    Matched,
    /// Its first condition that does not hold.
    Failed(FailedPredicate),
    /// All that is known holds, but an imported condition cannot be judged.
    Unknown {
        /// The condition.
        condition: Text,
    },
    /// It takes everything, and so was moved behind the others (R-GW-12).
    MovedToEnd,
}

/// A condition that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedPredicate {
    /// What was looked at, e.g. `path`, `header end-user`, `query debug`.
    pub subject: Text,
    /// What was wanted, e.g. `prefix /reviews`; begins with `not` when inverted.
    pub expected: Text,
    /// What was there; `None`: nothing.
    pub actual: Option<Text>,
}

/// A step of path normalisation (R-ENV-1, R-ENV-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathStep {
    /// The fragment was cut off.
    FragmentStripped,
    /// `%2f` and `%5c` were decoded.
    SlashesUnescaped,
    /// Dots, unreserved escapes and illegal characters were brought into the form of RFC 3986.
    Normalized,
    /// Runs of slashes became one.
    SlashesMerged,
}

/// Where the port of a destination is from (R-DST-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortSource {
    /// The destination names it.
    Explicit,
    /// The service has one port only.
    SinglePort,
    /// It is the listener's or the server's.
    Listener,
}

/// The share of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightShare {
    /// Its cluster.
    pub cluster: ClusterName,
    /// First value that draws it.
    pub from: u64,
    /// First value that does not any more.
    pub to: u64,
}

/// Where a DestinationRule was found (R-DR-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleStep {
    /// In the client's namespace.
    ClientNamespace,
    /// In the service's namespace.
    ServiceNamespace,
    /// In the root namespace.
    RootNamespace,
}

/// Why a DestinationRule was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleRejection {
    /// Another rule of the step has a more specific host.
    LessSpecificHost(Host),
    /// It is not exported to the client's namespace.
    NotExported,
    /// Its selector does not fit the workload.
    SelectorMismatch,
    /// A rule was found before its namespace was looked at.
    LaterStep(RuleStep),
    /// Another entry for the same host is taken (R-DR-10).
    OtherEntry(Origin),
}

/// A block of a traffic policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyBlock {
    /// `connectionPool`.
    ConnectionPool,
    /// `loadBalancer`.
    LoadBalancer,
    /// `outlierDetection`.
    OutlierDetection,
    /// `tls`.
    Tls,
    /// `tunnel`.
    Tunnel,
    /// `proxyProtocol`.
    ProxyProtocol,
    /// `retryBudget`.
    RetryBudget,
}

/// What came of injected faults (R-FLT-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultOutcome {
    /// The request is delayed.
    Delayed(Duration),
    /// The request is answered.
    Aborted(AbortStatus),
    /// A delay was configured and not drawn.
    NotDelayed,
    /// An abort was configured and not drawn.
    NotAborted,
}
