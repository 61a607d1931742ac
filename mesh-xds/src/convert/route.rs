//! Route tables, virtual hosts and routes (X-RDS).

use std::collections::BTreeSet;

use mesh_api::names::Text;
use mesh_route::plan::{
    Action, At, ClusterStyle, Cors, Domain, Fault, FaultAbort, FaultDelay, Forward, HeaderOps, Origin,
    PathMatcher, RequireTls, Route, RouteExtras, RouteMatcher, RouteTable, RouteTableName, Share, Split,
    VirtualHost,
};
use prost_types::Any;

use super::action::{self, ActionView};
use super::common::{
    ISTIO, config_path, duration, fraction, metadata, object, runtime_fraction, string_matcher, text_value,
    virtual_service,
};
use super::headers::lists;
use super::matcher::{NoMatcher, route_match};
use super::report::{Notes, Part, Problem};
use crate::pb::envoy::config::route::v3::virtual_host::TlsRequirementType;
use crate::pb::envoy::config::route::v3::{self as pb, Decorator, RouteConfiguration};
use crate::pb::envoy::extensions::filters::common::fault::v3::{FaultDelay as DelayMessage, fault_delay};
use crate::pb::envoy::extensions::filters::http::cors::v3::CorsPolicy;
use crate::pb::envoy::extensions::filters::http::fault::v3::{
    FaultAbort as AbortMessage, HttpFault, fault_abort::ErrorType,
};
use crate::pb::pack;

/// The filter that injects faults.
pub(super) const FAULT: &str = "envoy.filters.http.fault";
/// The filter that answers for cross-origin requests.
pub(super) const CORS: &str = "envoy.filters.http.cors";

/// Largest body of a direct response, 1 MiB (X-RDS-2).
const MAX_BODY: u32 = 1 << 20;

/// A route table.
pub(super) fn route_configuration(table: &RouteTable, notes: &mut Notes) -> RouteConfiguration {
    let RouteTable {
        name,
        port,
        hosts,
        catch_all,
        ignore_port,
        attempt_count,
        origin: _,
    } = table;
    let view = TableView {
        port: *port,
        attempt_count: *attempt_count,
        inbound: matches!(name, RouteTableName::Inbound(_)),
    };
    let mut domains = BTreeSet::new();
    let hosts = hosts.values().chain(catch_all);
    RouteConfiguration {
        name: name.to_string(),
        virtual_hosts: hosts
            .filter_map(|host| virtual_host(host, &view, &mut domains, notes))
            .collect(),
        validate_clusters: Some(false),
        max_direct_response_body_size_bytes: Some(MAX_BODY),
        ignore_port_in_host_matching: *ignore_port,
        ..Default::default()
    }
}

/// What routes take from their table.
struct TableView {
    port: u16,
    attempt_count: bool,
    inbound: bool,
}

fn virtual_host(
    host: &VirtualHost,
    view: &TableView,
    taken: &mut BTreeSet<String>,
    notes: &mut Notes,
) -> Option<pb::VirtualHost> {
    let VirtualHost {
        name,
        domains,
        routes,
        require_tls,
        origin,
    } = host;
    let mut kept = Vec::with_capacity(domains.len());
    for Domain { text, form: _ } in domains {
        // Envoy compares domains without case and refuses a table that repeats one (X-RDS-8).
        if taken.insert(text.to_ascii_lowercase()) {
            kept.push(text.to_string());
        } else {
            notes.warn(Some(origin), Problem::DuplicateDomain(text.clone()));
        }
    }
    if kept.is_empty() {
        return None;
    }
    let require_tls = match require_tls {
        RequireTls::None => TlsRequirementType::None,
        RequireTls::All => TlsRequirementType::All,
    };
    Some(pb::VirtualHost {
        name: name.to_string(),
        domains: kept,
        routes: routes
            .iter()
            .filter_map(|item| route(item, view, notes))
            .collect(),
        require_tls: require_tls.into(),
        include_request_attempt_count: view.attempt_count,
        ..Default::default()
    })
}

fn route(route: &Route, view: &TableView, notes: &mut Notes) -> Option<pb::Route> {
    let Route {
        name,
        matcher,
        action,
        extras,
        origin,
    } = route;
    let matched = match route_match(matcher, has_match(origin)) {
        Ok(matched) => matched,
        Err(NoMatcher(parameter)) => {
            notes.not_expressed(origin, Part::QueryRange(parameter));
            return None;
        }
    };
    let view_of_action = ActionView {
        inbound: view.inbound,
        origin,
    };
    let converted = action::action(action, &view_of_action, notes)?;
    let mut message = pb::Route {
        name: name.to_string(),
        r#match: Some(matched),
        action: Some(converted),
        ..Default::default()
    };
    let mut owner = origin;
    if let Some(extras) = extras {
        if !add_extras(&mut message, extras, origin, notes) {
            return None;
        }
        // A delegated route is known by the VirtualService that delegates.
        owner = extras.parent.as_ref().unwrap_or(origin);
    }
    message.decorator = operation(matcher, action, owner, view.port).map(|operation| Decorator {
        operation,
        ..Default::default()
    });
    let path = virtual_service(owner).and_then(config_path);
    message.metadata = metadata(ISTIO, object(path.map(|path| ("config", text_value(path)))));
    Some(message)
}

/// Whether the route is one match of a VirtualService, and not an entry without any.
fn has_match(origin: &Origin) -> bool {
    match origin.at {
        At::HttpRule { entry: _, matching } => matching.get().is_some(),
        _ => false,
    }
}

/// The rare parts. Says whether all that changes the meaning of the route is there.
fn add_extras(message: &mut pb::Route, extras: &RouteExtras, origin: &Origin, notes: &mut Notes) -> bool {
    let RouteExtras {
        headers,
        fault,
        cors,
        stat_prefix,
        parent: _,
        foreign,
    } = extras;
    if let Some(headers) = headers {
        let HeaderOps { request, response } = &**headers;
        let (request, response) = (lists(request), lists(response));
        message.request_headers_to_add = request.to_add;
        message.request_headers_to_remove = request.to_remove;
        message.response_headers_to_add = response.to_add;
        message.response_headers_to_remove = response.to_remove;
    }
    let per_filter = &mut message.typed_per_filter_config;
    if let Some(fault) = fault {
        per_filter.insert(FAULT.to_owned(), http_fault(fault));
    }
    if let Some(cors) = cors {
        per_filter.insert(CORS.to_owned(), cors_policy(cors));
    }
    message.stat_prefix = stat_prefix.as_ref().map(Text::to_string).unwrap_or_default();
    notes.foreign(origin, foreign)
}

/// What tracing calls the route (X-RDS-22): a single service cluster names it, else its VirtualService does. Routes that
/// no object asked for have no name.
fn operation(matcher: &RouteMatcher, action: &Action, owner: &Origin, port: u16) -> Option<String> {
    let path = match &matcher.path {
        PathMatcher::Exact(text) => text.to_string(),
        PathMatcher::Prefix(text) => format!("{text}*"),
        PathMatcher::PathPrefix(_) => "/*".to_owned(),
        PathMatcher::Regex(pattern) => pattern.as_str().to_owned(),
    };
    owner.object.as_ref()?;
    if let Action::Forward(Forward {
        split: Split::One(cluster),
        rewrite: _,
        policy: _,
        unknown_cluster: _,
    }) = action
        && cluster.key().style == ClusterStyle::Outbound
    {
        return Some(format!("{}:{}{path}", cluster.host(), cluster.port()));
    }
    let name = &virtual_service(owner)?.name;
    Some(format!("{name}:{port}{path}"))
}

/// X-RDS-31
fn http_fault(fault: &Fault) -> Any {
    let Fault { delay, abort } = fault;
    let delay = delay.map(
        |FaultDelay {
             duration: time,
             share,
         }| DelayMessage {
            percentage: Some(fraction(share)),
            fault_delay_secifier: Some(fault_delay::FaultDelaySecifier::FixedDelay(duration(time))),
        },
    );
    let abort = abort.as_ref().map(|FaultAbort { status, share }| AbortMessage {
        percentage: Some(fraction(*share)),
        error_type: Some(match status {
            mesh_route::plan::AbortStatus::Http(status) => ErrorType::HttpStatus((*status).into()),
            mesh_route::plan::AbortStatus::Grpc(status) => ErrorType::GrpcStatus(*status),
        }),
        ..Default::default()
    });
    pack(&HttpFault {
        delay,
        abort,
        ..Default::default()
    })
}

/// X-RDS-32
fn cors_policy(cors: &Cors) -> Any {
    let Cors {
        allow_origins,
        allow_methods,
        allow_headers,
        expose_headers,
        max_age,
        allow_credentials,
        forward_unmatched_preflights,
    } = cors;
    pack(&CorsPolicy {
        allow_origin_string_match: allow_origins.iter().map(string_matcher).collect(),
        allow_methods: allow_methods.to_string(),
        allow_headers: allow_headers.to_string(),
        expose_headers: expose_headers.to_string(),
        max_age: max_age.map(|age| age.to_string()).unwrap_or_default(),
        allow_credentials: *allow_credentials,
        filter_enabled: Some(runtime_fraction(Share {
            numerator: 100,
            denominator: mesh_route::plan::Denominator::Hundred,
        })),
        forward_not_matching_preflights: (!forward_unmatched_preflights).then_some(false),
        ..Default::default()
    })
}
