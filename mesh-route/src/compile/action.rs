//! What a route does: destinations, rewrites, redirects, direct responses, faults, CORS.

use std::sync::Arc;
use std::time::Duration;

use mesh_api::names::{Host, Namespace, SubsetName, Text};
use mesh_api::networking as model;

use super::defaults;
use super::forward;
use super::headers::Operations;
use super::view::RouteView;
use crate::pattern::Pattern;
use crate::plan::{
    AbortStatus, Action, At, ClusterName, Cors, Denominator, DirectResponse, Fault, FaultAbort, FaultDelay,
    FixedCluster, Forward, HeaderOps, Level, Origin, PathMatcher, PathRewrite, Redirect, RedirectPath,
    Rewrite, RouteExtras, RouteMatcher, Share, Sourced, Split, TextMatcher, TextTest, WeightedDestination,
    clamp,
};
use crate::snapshot::service::{Resolution, Service};
use crate::snapshot::virtual_service::{HttpEntry, Semantics, VirtualService};
use crate::trace::{Event, EventKind, PortSource, Recorder, StaticSkip};

/// An action, and the header operations that stand at the route with it.
pub(super) struct Built {
    /// The action.
    pub(super) action: Action,
    /// Operations of the route.
    pub(super) headers: Option<HeaderOps>,
}

/// Builds the action of an entry: redirect, else direct response, else destinations (R-RT-9). `None` for an entry that
/// no proxy would accept.
pub(super) fn action(
    service: &VirtualService,
    entry: &HttpEntry,
    matcher: &RouteMatcher,
    origin: &Origin,
    view: &RouteView<'_>,
    recorder: &mut impl Recorder,
) -> Option<Built> {
    let headers = Operations::new(entry.route.headers.as_deref(), Level::Own);
    if let Some(redirect) = &entry.route.redirect {
        let action = redirect_action(redirect, view);
        return Some(Built {
            action,
            headers: headers.into_ops(),
        });
    }
    if let Some(response) = &entry.route.direct_response {
        return Some(Built {
            action: respond(response),
            headers: headers.into_ops(),
        });
    }
    forward_action(service, entry, matcher, origin, headers, view, recorder)
}

/// The rare parts of a route.
pub(super) fn extras(
    entry: &HttpEntry,
    headers: Option<HeaderOps>,
    stat_prefix: Option<&str>,
) -> Option<Box<RouteExtras>> {
    let extras = RouteExtras {
        headers: headers.map(Arc::new),
        fault: entry.route.fault.as_deref().and_then(fault).map(Arc::new),
        cors: entry
            .route
            .cors_policy
            .as_deref()
            .map(|policy| Arc::new(cors(policy))),
        stat_prefix: stat_prefix.map(Text::new),
        parent: entry.parent.clone(),
        foreign: None,
    };
    (extras != RouteExtras::default()).then(|| Box::new(extras))
}

fn forward_action(
    service: &VirtualService,
    entry: &HttpEntry,
    matcher: &RouteMatcher,
    origin: &Origin,
    mut headers: Operations,
    view: &RouteView<'_>,
    recorder: &mut impl Recorder,
) -> Option<Built> {
    let route = &entry.route;
    let route_host = headers.host.take();
    let mut single_host = None;
    let split = match route.route.as_slice() {
        [] => {
            return Some(Built {
                action: Action::Nothing,
                headers: headers.into_ops(),
            });
        }
        [only] => {
            let mut own = Operations::new(only.headers.as_deref(), Level::Top);
            single_host = own.host.take();
            headers.append(own);
            let at = origin.moved(At::HttpDestination {
                entry: entry.entry,
                destination: 0,
            });
            Split::One(cluster_of(
                only.destination.as_ref(),
                &service.namespace,
                &at,
                view,
                recorder,
            ))
        }
        several => weighted(several, service, entry, origin, view, recorder)?,
    };
    // R-HDR-5: rewrite.authority, then the route's own operation, then the destination's.
    let rewrite_host = route
        .rewrite
        .as_ref()
        .map(|r| &r.authority)
        .filter(|text| !text.is_empty());
    let rewrite_level = if entry.from_root.rewrite {
        Level::Root
    } else {
        Level::Own
    };
    let host = rewrite_host
        .map(|text| Sourced::new(Text::new(text), rewrite_level))
        .or_else(|| route_host.map(|host| Sourced::new(host, Level::Own)))
        .or_else(|| single_host.map(|host| Sourced::new(host, Level::Top)));
    let path = match &route.rewrite {
        Some(rewrite) => path_rewrite(rewrite, matcher, service.semantics)?,
        None => None,
    };
    let rewrite = Rewrite {
        path,
        host,
        append_forwarded_host: false,
    };
    let unknown_cluster = match service.semantics {
        Semantics::GatewayApi => defaults::UNKNOWN_CLUSTER_GATEWAY,
        Semantics::Istio | Semantics::Ingress => defaults::UNKNOWN_CLUSTER,
    };
    let action = Action::Forward(Forward {
        split,
        rewrite: (rewrite != Rewrite::default()).then(|| Box::new(rewrite)),
        policy: forward::policy(service, entry, view, recorder),
        unknown_cluster,
    });
    Some(Built {
        action,
        headers: headers.into_ops(),
    })
}

/// Several destinations: zero weights are removed (R-W-1); without any weight there is no route.
fn weighted(
    several: &[model::HttpRouteDestination],
    service: &VirtualService,
    entry: &HttpEntry,
    origin: &Origin,
    view: &RouteView<'_>,
    recorder: &mut impl Recorder,
) -> Option<Split> {
    let mut kept = Vec::with_capacity(several.len());
    for (position, target) in several.iter().enumerate() {
        let at = At::HttpDestination {
            entry: entry.entry,
            destination: clamp(position),
        };
        let at = origin.moved(at);
        let cluster = cluster_of(
            target.destination.as_ref(),
            &service.namespace,
            &at,
            view,
            recorder,
        );
        let Some(weight) = u32::try_from(target.weight).ok().filter(|weight| *weight > 0) else {
            recorder.record(|| Event::new("R-W-1", at.clone(), EventKind::ZeroWeightRemoved { cluster }));
            continue;
        };
        let mut operations = Operations::new(target.headers.as_deref(), Level::Own);
        let host = operations.host.take();
        let headers = operations.into_ops().map(Arc::new);
        kept.push(WeightedDestination {
            cluster,
            weight,
            headers,
            host,
            origin: at,
        });
    }
    if kept.is_empty() {
        recorder.record(|| {
            let reason = Text::new("all weights are 0");
            Event::new(
                "R-W-1",
                origin.clone(),
                EventKind::RouteSkippedStatic(StaticSkip::Invalid { reason }),
            )
        });
        return None;
    }
    Some(Split::Weighted(kept.into()))
}

/// The cluster of a destination (R-DST-1 to -3).
pub(super) fn cluster_of(
    destination: Option<&model::Destination>,
    namespace: &Namespace,
    origin: &Origin,
    view: &RouteView<'_>,
    recorder: &mut impl Recorder,
) -> ClusterName {
    let Some(destination) = destination.filter(|destination| !destination.host.is_empty()) else {
        return ClusterName::fixed(FixedCluster::UnknownService);
    };
    let host = Host::new(destination.host.as_str());
    let found = view.service(&host, namespace);
    let explicit = destination
        .port
        .as_ref()
        .and_then(|port| u16::try_from(port.number).ok());
    let explicit = explicit.filter(|port| *port != 0);
    let (port, source) = match (explicit, found.and_then(|service| view.single_port(service))) {
        (Some(port), _) => (port, PortSource::Explicit),
        (None, Some(port)) => (port, PortSource::SinglePort),
        (None, None) => (view.port, PortSource::Listener),
    };
    let subset = (!destination.subset.is_empty()).then(|| SubsetName::new(destination.subset.as_str()));
    let cluster = ClusterName::outbound(port, subset, found.map_or(host, |service| cluster_host(service)));
    recorder.record(|| {
        let kind = EventKind::DestinationResolved {
            cluster: cluster.clone(),
            port: Some(source),
            service_found: found.is_some(),
            cluster_found: found.is_some_and(|service| service.port(port).is_some()),
        };
        Event::new("R-DST-1", origin.clone(), kind)
    });
    cluster
}

/// The host in a cluster name: that of the service, or what an ExternalName stands for (R-SVC-3).
pub(super) fn cluster_host(service: &Service) -> Host {
    match &service.resolution {
        Resolution::Alias(target) => target.clone(),
        _ => service.host.clone(),
    }
}

/// The change of the path (R-RW-1 to -3). `None` when the regular expression is not valid.
fn path_rewrite(
    rewrite: &model::HttpRewrite,
    matcher: &RouteMatcher,
    semantics: Semantics,
) -> Option<Option<PathRewrite>> {
    let model::HttpRewrite {
        uri,
        authority: _,
        uri_regex_rewrite,
    } = rewrite;
    if let Some(regex) = uri_regex_rewrite {
        let pattern = Pattern::new(&regex.r#match).ok()?;
        return Some(Some(PathRewrite::Regex {
            pattern,
            substitution: Text::new(&regex.rewrite),
        }));
    }
    if uri.is_empty() {
        return Some(None);
    }
    let prefix = match &matcher.path {
        PathMatcher::Prefix(text) | PathMatcher::PathPrefix(text) => Some(text),
        PathMatcher::Exact(_) | PathMatcher::Regex(_) => None,
    };
    match prefix {
        // R-RW-2: removing a prefix also removes one slash behind it.
        Some(prefix) if semantics == Semantics::GatewayApi && uri == "/" => {
            let pattern = Pattern::new(&format!("^{}(/?)(.*)", regex::escape(prefix.as_str()))).ok()?;
            Some(Some(PathRewrite::Regex {
                pattern,
                substitution: Text::new("/\\2"),
            }))
        }
        _ => Some(Some(PathRewrite::Prefix(Text::new(uri)))),
    }
}

fn redirect_action(redirect: &model::HttpRedirect, view: &RouteView<'_>) -> Action {
    let model::HttpRedirect {
        uri,
        authority,
        redirect_port,
        scheme,
        redirect_code,
        prefix_rewrite,
    } = redirect;
    // R-RD-2
    let code = match redirect_code {
        0 => defaults::REDIRECT_CODE,
        301 | 302 | 303 | 307 | 308 => u16::try_from(*redirect_code).unwrap_or(defaults::REDIRECT_CODE),
        _ => return Action::Nothing,
    };
    let given = (!scheme.is_empty()).then(|| Text::new(scheme));
    let effective = match &given {
        Some(scheme) => scheme.as_str(),
        // quirk R-RD-3: even a `tls` block that only carries httpsRedirect counts.
        None if view.server_tls => "https",
        None => "http",
    };
    let port = match redirect_port {
        Some(model::RedirectPort::Port(port)) => u16::try_from(*port).ok(),
        Some(model::RedirectPort::DerivePort(model::RedirectPortSelection::FromRequestPort)) => {
            Some(view.listener_port)
        }
        _ => None,
    };
    let port = port.filter(|port| *port != 0 && !matches!((*port, effective), (80, "http") | (443, "https")));
    let path = match (prefix_rewrite.as_str(), uri.as_str()) {
        ("", uri) => Some(RedirectPath::Full(Text::new(uri))),
        (prefix, _) => Some(RedirectPath::Prefix(Text::new(prefix))),
    };
    let host = (!authority.is_empty()).then(|| Host::new(authority.as_str()));
    Action::Redirect(Box::new(Redirect {
        scheme: given,
        host,
        port,
        path,
        code,
    }))
}

fn respond(response: &model::HttpDirectResponse) -> Action {
    let body: Option<Arc<[u8]>> = match &response.body {
        Some(model::HttpBody::String(text)) => Some(text.as_bytes().into()),
        Some(model::HttpBody::Bytes(bytes)) => Some(bytes.as_slice().into()),
        _ => None,
    };
    let status = u16::try_from(response.status).unwrap_or(u16::MAX);
    Action::Respond(Box::new(DirectResponse { status, body }))
}

fn fault(fault: &model::HttpFaultInjection) -> Option<Fault> {
    let delay = fault
        .delay
        .as_ref()
        .and_then(|delay| match &delay.http_delay_type {
            Some(model::HttpDelayType::FixedDelay(time)) => Some(FaultDelay {
                duration: time.to_std().unwrap_or(Duration::ZERO),
                // R-FLT-1: without a percentage the old integer counts, 0 when unset.
                share: delay.percentage.as_ref().map_or_else(
                    || Share {
                        numerator: u32::try_from(delay.percent).unwrap_or(0),
                        denominator: Denominator::Hundred,
                    },
                    share_of,
                ),
            }),
            _ => None,
        });
    let abort = fault.abort.as_ref().and_then(|abort| {
        let status = match &abort.error_type {
            Some(model::AbortErrorType::HttpStatus(status)) => {
                AbortStatus::Http(u16::try_from(*status).ok()?)
            }
            Some(model::AbortErrorType::GrpcStatus(name)) => AbortStatus::Grpc(grpc_status(name)?),
            _ => return None,
        };
        Some(FaultAbort {
            status,
            share: abort.percentage.as_ref().map_or(Share::NEVER, share_of),
        })
    });
    (delay.is_some() || abort.is_some()).then_some(Fault { delay, abort })
}

/// A percentage as millionths, cut off in double precision: 0.57 gives 5699 (R-FLT-1).
pub(super) fn share_of(percent: &model::Percent) -> Share {
    let scaled = (percent.value * 10_000.0).clamp(0.0, 1_000_000.0);
    // A double in 0..=1,000,000 fits; NaN becomes 0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded above"
    )]
    let numerator = scaled as u32;
    Share {
        numerator,
        denominator: Denominator::Million,
    }
}

fn grpc_status(name: &str) -> Option<u32> {
    let at = model::GRPC_STATUSES.iter().position(|known| *known == name)?;
    u32::try_from(at).ok()
}

fn cors(policy: &model::CorsPolicy) -> Cors {
    let model::CorsPolicy {
        allow_origin,
        allow_origins,
        allow_methods,
        allow_headers,
        expose_headers,
        max_age,
        allow_credentials,
        unmatched_preflights,
    } = policy;
    let exact = |text: &String| TextTest::Exact(Text::new(text));
    let tests: Vec<TextTest> = if allow_origins.is_empty() {
        allow_origin.iter().map(exact).collect()
    } else {
        allow_origins.iter().filter_map(origin_test).collect()
    };
    let join = |list: &[String]| Text::from(list.join(","));
    Cors {
        allow_origins: tests
            .into_iter()
            .map(|test| TextMatcher {
                test,
                ignore_case: false,
            })
            .collect(),
        allow_methods: join(allow_methods),
        allow_headers: join(allow_headers),
        expose_headers: join(expose_headers),
        max_age: max_age
            .as_ref()
            .and_then(|age| age.to_std())
            .map(|age| age.as_secs()),
        allow_credentials: *allow_credentials,
        forward_unmatched_preflights: *unmatched_preflights != model::UnmatchedPreflights::Ignore,
    }
}

fn origin_test(origin: &model::StringMatch) -> Option<TextTest> {
    match origin {
        model::StringMatch::Exact(text) => Some(TextTest::Exact(Text::new(text))),
        model::StringMatch::Prefix(text) => Some(TextTest::Prefix(Text::new(text))),
        model::StringMatch::Regex(text) => Pattern::new(text).ok().map(TextTest::Regex),
        _ => None,
    }
}
