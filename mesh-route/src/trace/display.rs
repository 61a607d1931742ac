//! Events as text: one line each, the reason in words, no line break.

use std::fmt::{self, Display};

use super::*;
use crate::plan::{AbortStatus, HashKey, HeaderOpKind, Level, Timeout};

impl Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.subject, self.kind, self.rule)
    }
}

impl EventKind {
    /// The name of the kind, stable: what programs tell events apart by.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SidecarSelected { .. } => "SidecarSelected",
            Self::SidecarRejected(_) => "SidecarRejected",
            Self::ServiceImported { .. } => "ServiceImported",
            Self::ServiceExcluded { .. } => "ServiceExcluded",
            Self::ListenerSelected { .. } => "ListenerSelected",
            Self::ListenerConflict { .. } => "ListenerConflict",
            Self::FilterChainSelected { .. } => "FilterChainSelected",
            Self::FilterChainRejected { .. } => "FilterChainRejected",
            Self::ServerSelected { .. } => "ServerSelected",
            Self::ServerRejected(_) => "ServerRejected",
            Self::VirtualServiceConsidered { .. } => "VirtualServiceConsidered",
            Self::DelegateResolved { .. } => "DelegateResolved",
            Self::DelegateDropped { .. } => "DelegateDropped",
            Self::DomainDropped { .. } => "DomainDropped",
            Self::VirtualHostSelected { .. } => "VirtualHostSelected",
            Self::RouteSkippedStatic(_) => "RouteSkippedStatic",
            Self::RouteEvaluated { .. } => "RouteEvaluated",
            Self::NoRoute { .. } => "NoRoute",
            Self::PathNormalized { .. } => "PathNormalized",
            Self::DestinationResolved { .. } => "DestinationResolved",
            Self::WeightDraw { .. } => "WeightDraw",
            Self::ZeroWeightRemoved { .. } => "ZeroWeightRemoved",
            Self::DestinationRuleSelected { .. } => "DestinationRuleSelected",
            Self::DestinationRuleRejected { .. } => "DestinationRuleRejected",
            Self::TrafficPolicyBlock { .. } => "TrafficPolicyBlock",
            Self::AutoMtls { .. } => "AutoMtls",
            Self::HeaderOp { .. } => "HeaderOp",
            Self::HostRewrite { .. } => "HostRewrite",
            Self::PathRewrite { .. } => "PathRewrite",
            Self::Redirect { .. } => "Redirect",
            Self::Fault(_) => "Fault",
            Self::Mirror { .. } => "Mirror",
            Self::Retry { .. } => "Retry",
            Self::Timeout { .. } => "Timeout",
            Self::HashPolicy { .. } => "HashPolicy",
            Self::Locality { .. } => "Locality",
            Self::ConfigQuirk { .. } => "ConfigQuirk",
        }
    }

    /// Whether it tells of a candidate that lost.
    pub const fn is_loss(&self) -> bool {
        match self {
            Self::SidecarRejected(_)
            | Self::ServiceExcluded { .. }
            | Self::FilterChainRejected { .. }
            | Self::ServerRejected(_)
            | Self::DelegateDropped { .. }
            | Self::DomainDropped { .. }
            | Self::RouteSkippedStatic(_)
            | Self::ZeroWeightRemoved { .. }
            | Self::DestinationRuleRejected { .. } => true,
            Self::ListenerConflict { dropped, .. } => *dropped,
            Self::VirtualServiceConsidered { outcome, .. } => !matches!(
                outcome,
                VirtualServiceOutcome::Selected | VirtualServiceOutcome::Merged { .. }
            ),
            Self::RouteEvaluated { outcome, .. } => matches!(outcome, RouteOutcome::Failed(_)),
            _ => false,
        }
    }
}

impl Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SidecarSelected { source } => write!(f, "scope taken from {source}"),
            Self::SidecarRejected(reason) => write!(f, "Sidecar not taken: {reason}"),
            Self::ServiceImported { host, namespace } => {
                write!(f, "service {host} of {namespace} is in scope")
            }
            Self::ServiceExcluded {
                host,
                namespace,
                reason,
            } => {
                write!(f, "service {host} of {namespace} is not in scope: {reason}")
            }
            Self::ListenerSelected {
                name,
                role: _,
                sniffed,
            } => {
                write!(
                    f,
                    "listener {name}{}",
                    if *sniffed { ", protocol detected" } else { "" }
                )
            }
            Self::ListenerConflict {
                host,
                protocol,
                with,
                dropped,
            } => {
                let effect = if *dropped {
                    "is dropped"
                } else {
                    "makes the listener detect protocols"
                };
                write!(f, "{protocol} of {host} meets {with} on one address and {effect}")
            }
            Self::FilterChainSelected {
                name,
                criteria,
                default,
            } => {
                f.write_str("chain ")?;
                write_name(f, name)?;
                f.write_str(if *default { ", the default" } else { "" })?;
                write_list(f, ", by ", criteria)
            }
            Self::FilterChainRejected { name, at } => {
                f.write_str("chain ")?;
                write_name(f, name)?;
                write!(f, " lost at {at}")
            }
            Self::ServerSelected {
                port,
                hosts,
                table: _,
            } => {
                write!(f, "server on port {port}")?;
                write_list(f, " for ", hosts)
            }
            Self::ServerRejected(reason) => write!(f, "server not taken: {reason}"),
            Self::VirtualServiceConsidered { host, outcome } => write!(f, "for {host}: {outcome}"),
            Self::DelegateResolved { delegate, routes } => write!(f, "{routes} routes from {delegate}"),
            Self::DelegateDropped { delegate, reason } => write!(f, "delegate {delegate} dropped: {reason}"),
            Self::DomainDropped { domain, winner } => write!(f, "domain `{domain}` belongs to {winner}"),
            Self::RouteSkippedStatic(reason) => write!(f, "never applies here: {reason}"),
            Self::ZeroWeightRemoved { cluster } => write!(f, "{cluster} has weight 0 and is removed"),
            Self::DestinationRuleSelected {
                service,
                step,
                matched,
                merged,
                dropped_subsets,
                ignored_policies,
            } => {
                write!(f, "rule of {service} by host {matched}, from {step}")?;
                write_list(f, ", merged with ", merged)?;
                write_list(f, ", duplicate subsets dropped: ", dropped_subsets)?;
                write_list(f, ", traffic policy ignored of ", ignored_policies)
            }
            Self::DestinationRuleRejected { service, reason } => {
                write!(f, "not the rule of {service}: {reason}")
            }
            Self::TrafficPolicyBlock {
                block,
                level,
                overridden,
                lost_by_port_level,
            } => {
                write!(f, "{block} from {level}")?;
                write_list(f, ", over ", overridden)?;
                f.write_str(if *lost_by_port_level {
                    ", lost by a port-level setting"
                } else {
                    ""
                })
            }
            Self::AutoMtls { mode, used } => {
                write!(
                    f,
                    "server mode {mode}: {}",
                    if *used { "mutual TLS" } else { "plaintext" }
                )
            }
            Self::ConfigQuirk { expected } => write!(f, "one might expect {expected}"),
            _ => self.fmt_of_request(f),
        }
    }
}

impl EventKind {
    /// Events of requests, as against those of configuration.
    fn fmt_of_request(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VirtualHostSelected {
                name,
                domain,
                authority,
                runners_up,
            } => {
                write!(
                    f,
                    "virtual host {name} for `{authority}` by domain `{}`",
                    domain.text
                )?;
                write_list(f, ", before ", runners_up.iter().map(|domain| &domain.text))
            }
            Self::RouteEvaluated { name, outcome } => {
                if !name.is_empty() {
                    write!(f, "\"{name}\" ")?;
                }
                write!(f, "{outcome}")
            }
            Self::NoRoute {
                virtual_host: None,
                authority,
                ..
            } => write!(f, "no virtual host for `{authority}`"),
            Self::NoRoute {
                virtual_host: Some(name),
                authority: _,
                nearest,
            } => {
                write!(f, "no route of {name} matches")?;
                write_list(f, ", nearest: ", nearest)
            }
            Self::PathNormalized { before, after, steps } => {
                write!(f, "path `{before}` is routed as `{after}`")?;
                write_list(f, ": ", steps)
            }
            Self::DestinationResolved {
                cluster,
                port,
                service_found,
                cluster_found,
            } => {
                write!(f, "{cluster}")?;
                if let Some(port) = port {
                    write!(f, ", port {port}")?;
                }
                f.write_str(match (service_found, cluster_found) {
                    (_, true) => "",
                    (true, false) => ", which the service does not have",
                    (false, false) => ", whose service is not in scope",
                })
            }
            Self::WeightDraw {
                draw,
                total,
                shares,
                chosen,
            } => {
                write!(f, "draw {} of {total}", draw.checked_rem(*total).unwrap_or(0))?;
                let won = shares.iter().enumerate().filter(|(at, _)| at == chosen);
                let lost = shares.iter().enumerate().filter(|(at, _)| at != chosen);
                for (at, (index, share)) in won.chain(lost).enumerate() {
                    let mark = [" -> ", "  also "].get(at).copied().unwrap_or(", ");
                    write!(
                        f,
                        "{mark}{} [{}, {})",
                        share_name(shares, index),
                        share.from,
                        share.to
                    )?;
                }
                Ok(())
            }
            Self::HeaderOp {
                response,
                kind,
                name,
                value,
            } => {
                let of = if *response { "response" } else { "request" };
                match kind {
                    HeaderOpKind::Remove => write!(f, "remove {of} header {name}"),
                    HeaderOpKind::Set => write!(f, "set {of} header {name} to `{value}`"),
                    HeaderOpKind::Add => write!(f, "add {of} header {name} `{value}`"),
                }
            }
            Self::HostRewrite { host, level } => {
                write!(f, "host rewritten to `{host}` ({})", of_route(*level))
            }
            Self::PathRewrite { before, after } => write!(f, "path `{before}` rewritten to `{after}`"),
            Self::Redirect { location, code } => write!(f, "redirect {code} to `{location}`"),
            Self::Fault(outcome) => write!(f, "{outcome}"),
            Self::Mirror { cluster, sent } => {
                write!(f, "mirror to {cluster}{}", if *sent { "" } else { " not drawn" })
            }
            Self::Retry {
                attempts: 0,
                on: _,
                level,
            } => write!(f, "no retries ({})", of_route(*level)),
            Self::Retry { attempts, on, level } => {
                write!(f, "{attempts} retries on {on} ({})", of_route(*level))
            }
            Self::Timeout {
                timeout: Timeout::Disabled,
                level,
            } => write!(f, "no timeout ({})", of_route(*level)),
            Self::Timeout {
                timeout: Timeout::After(time),
                level,
            } => write!(f, "timeout {time:?} ({})", of_route(*level)),
            Self::HashPolicy { key, level } => match key {
                HashKey::Header(name) => write!(f, "hash of header {name} ({level})"),
                HashKey::Cookie { name, .. } => write!(f, "hash of cookie {name} ({level})"),
                HashKey::SourceIp => write!(f, "hash of the source address ({level})"),
                HashKey::Query(name) => write!(f, "hash of query parameter {name} ({level})"),
            },
            Self::Locality {
                locality,
                priority,
                weight,
                endpoints,
            } => {
                write!(
                    f,
                    "{endpoints} endpoint{}",
                    if *endpoints == 1 { "" } else { "s" }
                )?;
                if !locality.is_empty() {
                    write!(f, " in {locality}")?;
                }
                write!(f, ", priority {priority}, weight {weight}")
            }
            _ => f.write_str(self.name()),
        }
    }
}

impl Display for ServiceExclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotExported => f.write_str("not exported to the proxy's namespace"),
            Self::ExcludedByHost => f.write_str("excluded by a `~` entry"),
            Self::NotInEgressHosts => f.write_str("not in the egress hosts"),
            Self::PortNotOwned(port) => write!(f, "it has no port {port}"),
            Self::SameHostOtherNamespace(namespace) => write!(f, "the same host of {namespace} wins"),
            Self::KubernetesPreferred => f.write_str("a Kubernetes service of the same host wins"),
        }
    }
}

impl Display for ChainCriterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(f, "port {port}"),
            Self::Destination(address) => write!(f, "destination {address}"),
            Self::ServerName(name) if name.is_empty() => f.write_str("no server name"),
            Self::ServerName(name) => write!(f, "server name {name}"),
            Self::Transport(transport) => write!(f, "transport {transport}"),
            Self::Alpn(protocols) => {
                f.write_str("application protocol")?;
                write_list(f, " ", protocols)
            }
            Self::Source => f.write_str("the client's address"),
            Self::Foreign(name) => write!(f, "imported condition {name}"),
        }
    }
}

impl Display for ServerRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProtocolConflict { with } => write!(f, "another protocol is on the port, by {with}"),
            Self::DuplicateHosts { hosts, owner } => {
                write_list(f, "hosts ", hosts)?;
                write!(f, " are served by {owner}")
            }
            Self::DuplicateRouteName { name } => write!(f, "route name {name} is taken"),
            Self::PrivilegedPort(port) => write!(f, "the proxy may not bind port {port}"),
            Self::SelectorMismatch => f.write_str("the Gateway's selector does not fit the proxy"),
        }
    }
}

impl Display for VirtualServiceOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotExported => f.write_str("not exported to the proxy's namespace"),
            Self::GatewayNotBound => f.write_str("not bound to this gateway"),
            Self::NotInEgressHosts => f.write_str("not in the egress hosts"),
            Self::NoHostIntersection => f.write_str("no host in common with the server"),
            Self::NotOnPort80 => f.write_str("a host without a service is served on port 80 only"),
            Self::NoUsableRoute => f.write_str("no route of it applies here"),
            Self::LessSpecificThan(other) => write!(f, "less specific than {other}"),
            Self::ShadowedBy {
                by,
                reason: ShadowReason::Older,
            } => write!(f, "{by} is older"),
            Self::ShadowedBy {
                by,
                reason: ShadowReason::VisibilityClass,
            } => {
                write!(f, "{by} is of a closer visibility")
            }
            Self::Merged { position } => write!(f, "routes merged at place {position}"),
            Self::Selected => f.write_str("selected"),
        }
    }
}

impl Display for DelegateDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("not found"),
            Self::NotExported => f.write_str("not exported to the root's namespace"),
            Self::MatchConflict { entry, field } => {
                write!(f, "its http[{entry}] contradicts the root in {field}")
            }
        }
    }
}

impl Display for StaticSkip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortMismatch { wants, is } => write!(f, "port is {is}, wants {wants}"),
            Self::GatewayMismatch { wants } => write_list(f, "it is for gateways ", wants),
            Self::SourceLabelsMismatch => f.write_str("the workload lacks the source labels"),
            Self::SourceNamespaceMismatch { wants } => write!(f, "the workload is not in namespace {wants}"),
            Self::AfterCatchAll { by } => write!(f, "{by} takes everything before it"),
            Self::Invalid { reason } => write!(f, "{reason}"),
        }
    }
}

impl Display for RouteOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matched => f.write_str("matches"),
            Self::Failed(predicate) => write!(f, "{predicate}"),
            Self::Unknown { condition } => write!(f, "cannot be judged: {condition}"),
            Self::MovedToEnd => f.write_str("takes everything, moved behind the others"),
        }
    }
}

impl Display for FailedPredicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            expected,
            actual,
        } = self;
        match actual {
            None => write!(f, "{subject} is missing, wants {expected}"),
            Some(actual) => write!(f, "{subject} is `{actual}`, wants {expected}"),
        }
    }
}

impl Display for RuleRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LessSpecificHost(host) => write!(f, "host {host} is more specific"),
            Self::NotExported => f.write_str("not exported to the client's namespace"),
            Self::SelectorMismatch => f.write_str("its selector does not fit the workload"),
            Self::LaterStep(step) => write!(f, "a rule was found in {step} before"),
            Self::OtherEntry(origin) => write!(f, "{origin} is taken for the host"),
        }
    }
}

impl Display for FaultOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delayed(time) => write!(f, "delayed by {time:?}"),
            Self::Aborted(AbortStatus::Http(status)) => write!(f, "aborted with status {status}"),
            Self::Aborted(AbortStatus::Grpc(status)) => write!(f, "aborted with gRPC status {status}"),
            Self::NotDelayed => f.write_str("delay not drawn"),
            Self::NotAborted => f.write_str("abort not drawn"),
        }
    }
}

macro_rules! words {
    ($($name:ident { $($variant:ident => $text:literal,)* })*) => {$(
        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)* })
            }
        }
    )*};
}

words! {
    SidecarSource {
        Selector => "the Sidecar of the workload",
        Namespace => "the Sidecar of the namespace",
        Root => "the Sidecar of the root namespace",
        Default => "the default: all that is exported",
    }
    SidecarRejection {
        SelectorMismatch => "its selector does not fit the workload",
        LowerPriority => "another one comes first",
    }
    PathStep {
        FragmentStripped => "fragment cut off",
        SlashesUnescaped => "escaped slashes decoded",
        Normalized => "brought into normal form",
        SlashesMerged => "slashes merged",
    }
    PortSource {
        Explicit => "as given",
        SinglePort => "the only one of the service",
        Listener => "of the listener",
    }
    RuleStep {
        ClientNamespace => "the client's namespace",
        ServiceNamespace => "the service's namespace",
        RootNamespace => "the root namespace",
    }
    PolicyBlock {
        ConnectionPool => "connectionPool",
        LoadBalancer => "loadBalancer",
        OutlierDetection => "outlierDetection",
        Tls => "tls",
        Tunnel => "tunnel",
        ProxyProtocol => "proxyProtocol",
        RetryBudget => "retryBudget",
    }
}

/// The subset where that is all in which the destinations differ, else the cluster.
fn share_name(shares: &[WeightShare], at: usize) -> String {
    let Some(share) = shares.get(at) else {
        return String::new();
    };
    let of_one_service = shares.iter().all(|other| {
        other.cluster.host() == share.cluster.host() && other.cluster.port() == share.cluster.port()
    });
    match share
        .cluster
        .subset()
        .filter(|_| of_one_service && shares.len() > 1)
    {
        Some(subset) => subset.to_string(),
        None => share.cluster.to_string(),
    }
}

/// A level as a route speaks of it.
fn of_route(level: Level) -> String {
    match level {
        Level::Own => "route".to_owned(),
        Level::Root => "root VirtualService".to_owned(),
        Level::Mesh => "mesh default".to_owned(),
        other => other.to_string(),
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, name: &crate::plan::ChainName) -> fmt::Result {
    match name {
        crate::plan::ChainName::Unnamed => f.write_str("without a name"),
        name => write!(f, "{name}"),
    }
}

/// Writes `start` and the items, separated by commas; nothing if there are none.
fn write_list<T: Display>(
    f: &mut fmt::Formatter<'_>,
    start: &str,
    items: impl IntoIterator<Item = T>,
) -> fmt::Result {
    items.into_iter().enumerate().try_for_each(|(at, item)| {
        f.write_str(if at == 0 { start } else { ", " })?;
        write!(f, "{item}")
    })
}
