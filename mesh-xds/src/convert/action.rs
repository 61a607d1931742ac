//! What routes do (X-RDS-24 to X-RDS-30, X-RDS-33).

use std::time::Duration;

use mesh_api::names::Text;
use mesh_route::plan::{
    Action, DirectResponse, Forward, ForwardPolicy, HashKey, HashPolicy, HeaderOps, Mirror, Origin,
    PathRewrite, Redirect, RedirectPath, Retry, Rewrite, Sourced, Split, Timeout, WeightedDestination,
};

use super::common::{duration, regex, runtime_fraction, zero};
use super::headers::lists;
use super::report::{Notes, Problem};
use crate::pb::envoy::config::core::v3::DataSource;
use crate::pb::envoy::config::core::v3::data_source::Specifier;
use crate::pb::envoy::config::route::v3::redirect_action::{
    PathRewriteSpecifier, RedirectResponseCode, SchemeRewriteSpecifier,
};
use crate::pb::envoy::config::route::v3::retry_policy::{
    RetryBackOff, RetryHostPredicate, RetryPriority, retry_host_predicate, retry_priority,
};
use crate::pb::envoy::config::route::v3::route_action::hash_policy::{
    ConnectionProperties, Cookie, CookieAttribute, Header, PolicySpecifier, QueryParameter,
};
use crate::pb::envoy::config::route::v3::route_action::{
    self, ClusterNotFoundResponseCode, ClusterSpecifier, HostRewriteSpecifier, MaxStreamDuration,
    RequestMirrorPolicy,
};
use crate::pb::envoy::config::route::v3::weighted_cluster::{ClusterWeight, cluster_weight};
use crate::pb::envoy::config::route::v3::{
    DirectResponseAction, NonForwardingAction, RedirectAction, RetryPolicy, RouteAction, WeightedCluster,
    route,
};
use crate::pb::envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate;
use crate::pb::envoy::extensions::retry::priority::previous_priorities::v3::PreviousPrioritiesConfig;
use crate::pb::envoy::r#type::matcher::v3::RegexMatchAndSubstitute;
use crate::pb::pack;

/// What an action takes from its route and table.
pub(super) struct ActionView<'a> {
    /// Whether the table serves traffic to the workload.
    pub(super) inbound: bool,
    /// Where the route comes from.
    pub(super) origin: &'a Origin,
}

/// An action; `None` when Envoy has none for it.
pub(super) fn action(action: &Action, view: &ActionView<'_>, notes: &mut Notes) -> Option<route::Action> {
    match action {
        Action::Forward(forward) => Some(route::Action::Route(route_action(forward, view, notes)?)),
        Action::Redirect(redirect) => Some(route::Action::Redirect(redirect_action(redirect))),
        Action::Respond(response) => Some(route::Action::DirectResponse(direct_response(response))),
        Action::NonForwarding => Some(route::Action::NonForwardingAction(NonForwardingAction {})),
        Action::Nothing => {
            notes.warn(Some(view.origin), Problem::NoAction);
            None
        }
        Action::Foreign(parts) => {
            let _ = notes.foreign_parts(view.origin, parts);
            None
        }
    }
}

#[expect(
    deprecated,
    reason = "X-RDS-24: Istio still limits gRPC's own timeouts by this field"
)]
fn route_action(forward: &Forward, view: &ActionView<'_>, notes: &mut Notes) -> Option<RouteAction> {
    let Forward {
        split,
        rewrite,
        policy,
        unknown_cluster,
    } = forward;
    let ForwardPolicy {
        timeout: Sourced {
            value: timeout,
            level: _,
        },
        retry,
        hash,
        mirrors,
    } = &**policy;
    let Some(clusters) = cluster_specifier(split) else {
        notes.warn(Some(view.origin), Problem::BadWeights);
        return None;
    };
    let timeout = match timeout {
        Timeout::Disabled => duration(Duration::ZERO),
        Timeout::After(time) => duration(*time),
    };
    let not_found = match unknown_cluster {
        404 => ClusterNotFoundResponseCode::NotFound,
        500 => ClusterNotFoundResponseCode::InternalServerError,
        _ => ClusterNotFoundResponseCode::ServiceUnavailable,
    };
    let mut message = RouteAction {
        cluster_specifier: Some(clusters),
        cluster_not_found_response_code: not_found.into(),
        timeout: Some(timeout),
        retry_policy: retry.as_ref().map(|retry| retry_policy(&retry.value)),
        request_mirror_policies: mirrors.iter().map(mirror_policy).collect(),
        hash_policy: hash.iter().map(hash_policy).collect(),
        ..Default::default()
    };
    if view.inbound {
        // X-RDS-35
        message.max_stream_duration = Some(MaxStreamDuration {
            max_stream_duration: zero(),
            grpc_timeout_header_max: zero(),
            ..Default::default()
        });
    } else {
        message.max_grpc_timeout = Some(timeout);
    }
    if let Some(rewrite) = rewrite {
        add_rewrite(&mut message, rewrite);
    }
    Some(message)
}

/// The choice of the cluster; `None` for weights that Envoy refuses (X-RDS-26).
fn cluster_specifier(split: &Split) -> Option<ClusterSpecifier> {
    Some(match split {
        Split::One(cluster) => ClusterSpecifier::Cluster(cluster.to_string()),
        Split::ByHeader(name) => ClusterSpecifier::ClusterHeader(name.to_string()),
        Split::Weighted(destinations) => {
            let weights = destinations.iter().map(|destination| destination.weight);
            let sum: u64 = weights.map(u64::from).sum();
            if sum == 0 || sum > u64::from(u32::MAX) {
                return None;
            }
            let clusters = destinations.iter().map(cluster_weight).collect();
            ClusterSpecifier::WeightedClusters(WeightedCluster {
                clusters,
                ..Default::default()
            })
        }
    })
}

fn cluster_weight(destination: &WeightedDestination) -> ClusterWeight {
    let WeightedDestination {
        cluster,
        weight,
        headers,
        host,
        origin: _,
    } = destination;
    let mut message = ClusterWeight {
        name: cluster.to_string(),
        weight: Some(*weight),
        host_rewrite_specifier: host
            .as_ref()
            .map(|host| cluster_weight::HostRewriteSpecifier::HostRewriteLiteral(host.to_string())),
        ..Default::default()
    };
    if let Some(headers) = headers {
        let HeaderOps { request, response } = &**headers;
        let (request, response) = (lists(request), lists(response));
        message.request_headers_to_add = request.to_add;
        message.request_headers_to_remove = request.to_remove;
        message.response_headers_to_add = response.to_add;
        message.response_headers_to_remove = response.to_remove;
    }
    message
}

/// X-RDS-28
fn add_rewrite(message: &mut RouteAction, rewrite: &Rewrite) {
    let Rewrite {
        path,
        host,
        append_forwarded_host,
    } = rewrite;
    match path {
        None => {}
        Some(PathRewrite::Prefix(text)) => message.prefix_rewrite = text.to_string(),
        Some(PathRewrite::Full(text)) => message.path_rewrite = text.to_string(),
        Some(PathRewrite::Regex {
            pattern,
            substitution,
        }) => {
            message.regex_rewrite = Some(RegexMatchAndSubstitute {
                pattern: Some(regex(pattern)),
                substitution: substitution.to_string(),
            });
        }
    }
    message.host_rewrite_specifier = host
        .as_ref()
        .map(|host| HostRewriteSpecifier::HostRewriteLiteral(host.value.to_string()));
    message.append_x_forwarded_host = *append_forwarded_host;
}

/// X-RDS-25
fn retry_policy(retry: &Retry) -> RetryPolicy {
    let Retry {
        attempts,
        on,
        codes,
        per_try,
        backoff,
        host_attempts,
        avoid_previous,
        other_localities,
    } = retry;
    let previous_hosts = || RetryHostPredicate {
        name: "envoy.retry_host_predicates.previous_hosts".to_owned(),
        config_type: Some(retry_host_predicate::ConfigType::TypedConfig(pack(
            &PreviousHostsPredicate {},
        ))),
    };
    let previous_priorities = || RetryPriority {
        name: "envoy.retry_priorities.previous_priorities".to_owned(),
        config_type: Some(retry_priority::ConfigType::TypedConfig(pack(
            &PreviousPrioritiesConfig { update_frequency: 2 },
        ))),
    };
    RetryPolicy {
        retry_on: on.to_string(),
        num_retries: Some(*attempts),
        per_try_timeout: per_try.map(duration),
        retry_priority: other_localities.then(previous_priorities),
        retry_host_predicate: avoid_previous.then(previous_hosts).into_iter().collect(),
        host_selection_retry_max_attempts: i64::from(*host_attempts),
        retriable_status_codes: codes.to_vec(),
        retry_back_off: backoff.map(|base| RetryBackOff {
            base_interval: Some(duration(base)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// X-RDS-30
fn mirror_policy(mirror: &Mirror) -> RequestMirrorPolicy {
    let Mirror {
        cluster,
        share,
        origin: _,
    } = mirror;
    RequestMirrorPolicy {
        cluster: cluster.to_string(),
        runtime_fraction: Some(runtime_fraction(*share)),
        trace_sampled: Some(false),
        disable_shadow_host_suffix_append: true,
        ..Default::default()
    }
}

/// X-RDS-33
fn hash_policy(policy: &HashPolicy) -> route_action::HashPolicy {
    let HashPolicy {
        key,
        level: _,
        rule: _,
    } = policy;
    let specifier = match key {
        HashKey::Header(name) => PolicySpecifier::Header(Header {
            header_name: name.to_string(),
            ..Default::default()
        }),
        HashKey::Cookie {
            name,
            path,
            ttl,
            attributes,
        } => {
            let attribute = |(name, value): &(Text, Text)| CookieAttribute {
                name: name.to_string(),
                value: value.to_string(),
            };
            PolicySpecifier::Cookie(Cookie {
                name: name.to_string(),
                ttl: ttl.map(duration),
                path: path.to_string(),
                attributes: attributes.iter().map(attribute).collect(),
            })
        }
        HashKey::SourceIp => PolicySpecifier::ConnectionProperties(ConnectionProperties { source_ip: true }),
        HashKey::Query(name) => PolicySpecifier::QueryParameter(QueryParameter {
            name: name.to_string(),
        }),
    };
    route_action::HashPolicy {
        terminal: false,
        policy_specifier: Some(specifier),
    }
}

/// X-RDS-29
fn redirect_action(redirect: &Redirect) -> RedirectAction {
    let Redirect {
        scheme,
        host,
        port,
        path,
        code,
    } = redirect;
    let code = match code {
        302 => RedirectResponseCode::Found,
        303 => RedirectResponseCode::SeeOther,
        307 => RedirectResponseCode::TemporaryRedirect,
        308 => RedirectResponseCode::PermanentRedirect,
        _ => RedirectResponseCode::MovedPermanently,
    };
    RedirectAction {
        host_redirect: host.as_ref().map(ToString::to_string).unwrap_or_default(),
        port_redirect: port.map(u32::from).unwrap_or_default(),
        response_code: code.into(),
        scheme_rewrite_specifier: scheme
            .as_ref()
            .map(|scheme| SchemeRewriteSpecifier::SchemeRedirect(scheme.to_string())),
        path_rewrite_specifier: path.as_ref().map(|path| match path {
            RedirectPath::Prefix(text) => PathRewriteSpecifier::PrefixRewrite(text.to_string()),
            RedirectPath::Full(text) => PathRewriteSpecifier::PathRedirect(text.to_string()),
        }),
        ..Default::default()
    }
}

fn direct_response(response: &DirectResponse) -> DirectResponseAction {
    let DirectResponse { status, body } = response;
    DirectResponseAction {
        status: u32::from(*status),
        body: body.as_deref().map(|body| DataSource {
            specifier: Some(match std::str::from_utf8(body) {
                Ok(text) => Specifier::InlineString(text.to_owned()),
                Err(_) => Specifier::InlineBytes(body.to_vec()),
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}
