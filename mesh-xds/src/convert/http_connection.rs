//! HTTP connection managers and their filters (X-HCM).

use std::time::Duration;

use mesh_route::plan::{
    ChainClass, ForwardClientCertificate, HttpConnection, HttpSettings, PathNormalization, RouteSource,
    ServerHeader, Transport,
};
use prost::Name;
use prost_types::{Any, Struct, Value};

use super::Profile;
use super::common::{ads, duration, list_value, object, object_value, text_value, typed_struct};
use super::filter_chain::{ChainView, network_filter};
use super::report::Notes;
use super::route::{CORS, FAULT, route_configuration};
use super::traffic_policy::http1;
use crate::pb::envoy::config::core::v3::{Http1ProtocolOptions, HttpProtocolOptions};
use crate::pb::envoy::config::listener::v3::Filter;
use crate::pb::envoy::extensions::filters::http::cors::v3::Cors;
use crate::pb::envoy::extensions::filters::http::fault::v3::HttpFault;
use crate::pb::envoy::extensions::filters::http::grpc_stats::v3::FilterConfig as GrpcStats;
use crate::pb::envoy::extensions::filters::http::grpc_stats::v3::filter_config::PerMethodStatSpecifier;
use crate::pb::envoy::extensions::filters::http::router::v3::Router;
use crate::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::{
    CodecType, ForwardClientCertDetails, PathWithEscapedSlashesAction, RouteSpecifier,
    ServerHeaderTransformation, SetCurrentClientCertDetails, UpgradeConfig,
};
use crate::pb::envoy::extensions::filters::network::http_connection_manager::v3::{
    HttpConnectionManager, HttpFilter, Rds, RequestIdExtension, http_filter,
};
use crate::pb::envoy::extensions::request_id::uuid::v3::UuidRequestIdConfig;
use crate::pb::pack;

/// The filter at which requests of a connection are routed.
pub(super) fn filter(
    connection: &HttpConnection,
    class: ChainClass,
    view: &ChainView,
    notes: &mut Notes,
) -> Filter {
    let HttpConnection {
        routes,
        settings,
        stat,
    } = connection;
    let routes = match routes {
        RouteSource::Table(name) => RouteSpecifier::Rds(Rds {
            config_source: Some(ads()),
            route_config_name: name.to_string(),
        }),
        RouteSource::Inline(table) => RouteSpecifier::RouteConfig(route_configuration(table, notes)),
    };
    let codec = match view.transport {
        Transport::Tcp => CodecType::Auto,
        Transport::Quic => CodecType::Http3,
    };
    let side = Side::of(class);
    let mut message = HttpConnectionManager {
        codec_type: codec.into(),
        stat_prefix: format!("{}_{stat};", side.stat_prefix()),
        route_specifier: Some(routes),
        http_filters: http_filters(side, settings, view.profile),
        upgrade_configs: vec![UpgradeConfig {
            upgrade_type: "websocket".to_owned(),
            ..Default::default()
        }],
        stream_idle_timeout: Some(duration(Duration::ZERO)),
        proxy_100_continue: true,
        request_id_extension: Some(RequestIdExtension {
            typed_config: Some(pack(&UuidRequestIdConfig {
                use_request_id_for_trace_sampling: Some(true),
                ..Default::default()
            })),
        }),
        ..Default::default()
    };
    add_settings(&mut message, settings, side);
    network_filter("envoy.filters.network.http_connection_manager", &message)
}

/// Which way requests go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Outbound,
    Inbound,
    Gateway,
}

impl Side {
    fn of(class: ChainClass) -> Side {
        match class {
            ChainClass::Outbound | ChainClass::BlackHole | ChainClass::Passthrough => Side::Outbound,
            ChainClass::Inbound | ChainClass::InboundPassthrough => Side::Inbound,
            ChainClass::Gateway | ChainClass::GatewayAutoPassthrough => Side::Gateway,
        }
    }

    fn stat_prefix(self) -> &'static str {
        match self {
            Side::Outbound | Side::Gateway => "outbound",
            Side::Inbound => "inbound",
        }
    }
}

/// X-HCM-1 to X-HCM-3, X-GW-11, X-IL-8
fn add_settings(message: &mut HttpConnectionManager, settings: &HttpSettings, side: Side) {
    let HttpSettings {
        path,
        use_remote_address,
        trusted_hops,
        server,
        client_certificate,
        request_id,
        port_header,
        preserve_case,
        allow_absolute_url,
        idle,
        hide_envoy_headers: _, // of the router filter
    } = settings;
    message.normalize_path = Some(*path != PathNormalization::None);
    message.merge_slashes = *path >= PathNormalization::MergeSlashes;
    let escaped = match path {
        PathNormalization::DecodeAndMergeSlashes => PathWithEscapedSlashesAction::UnescapeAndForward,
        PathNormalization::None | PathNormalization::Base | PathNormalization::MergeSlashes => {
            PathWithEscapedSlashesAction::KeepUnchanged
        }
    };
    message.path_with_escaped_slashes_action = escaped.into();
    message.use_remote_address = Some(*use_remote_address);
    message.xff_num_trusted_hops = *trusted_hops;
    match server {
        ServerHeader::Default => {}
        ServerHeader::Named(name) => message.server_name = name.to_string(),
        ServerHeader::PassThrough => {
            message.server_header_transformation = ServerHeaderTransformation::PassThrough.into();
        }
    }
    message.forward_client_cert_details = client_certificate_details(*client_certificate).into();
    message.set_current_client_cert_details = sent_details(*client_certificate, side);
    message.generate_request_id = (!request_id).then_some(false);
    message.append_x_forwarded_port = *port_header;
    let http1 = Http1ProtocolOptions {
        allow_absolute_url: allow_absolute_url.then_some(true),
        ..http1(*preserve_case)
    };
    if side == Side::Gateway || http1 != Http1ProtocolOptions::default() {
        message.http_protocol_options = Some(http1);
    }
    message.common_http_protocol_options = idle.map(|idle| HttpProtocolOptions {
        idle_timeout: Some(duration(idle)),
        ..Default::default()
    });
}

fn client_certificate_details(forward: ForwardClientCertificate) -> ForwardClientCertDetails {
    match forward {
        ForwardClientCertificate::Sanitize => ForwardClientCertDetails::Sanitize,
        ForwardClientCertificate::SanitizeSet => ForwardClientCertDetails::SanitizeSet,
        ForwardClientCertificate::AppendForward => ForwardClientCertDetails::AppendForward,
        ForwardClientCertificate::ForwardOnly => ForwardClientCertDetails::ForwardOnly,
        ForwardClientCertificate::AlwaysForwardOnly => ForwardClientCertDetails::AlwaysForwardOnly,
    }
}

/// What of the client's certificate is told upstream, where anything is.
fn sent_details(forward: ForwardClientCertificate, side: Side) -> Option<SetCurrentClientCertDetails> {
    let is_set = matches!(
        forward,
        ForwardClientCertificate::SanitizeSet | ForwardClientCertificate::AppendForward
    );
    (is_set && side != Side::Outbound).then(|| SetCurrentClientCertDetails {
        subject: Some(true),
        cert: side == Side::Gateway,
        dns: true,
        uri: true,
        ..Default::default()
    })
}

/// X-HCM-7, X-HCM-8. Those for policies, telemetry and extensions come with their parts of the plan.
fn http_filters(side: Side, settings: &HttpSettings, profile: Profile) -> Vec<HttpFilter> {
    let mut filters = Vec::new();
    filters.extend(of_istio(profile, "istio.metadata_exchange", || {
        peer_metadata(side)
    }));
    filters.push(http_filter(
        "envoy.filters.http.grpc_stats",
        &GrpcStats {
            emit_filter_state: true,
            per_method_stat_specifier: Some(PerMethodStatSpecifier::StatsForAllMethods(false)),
            ..Default::default()
        },
    ));
    if side != Side::Inbound {
        filters.extend(of_istio(profile, "istio.alpn", alpn));
    }
    filters.push(http_filter(FAULT, &HttpFault::default()));
    filters.push(http_filter(CORS, &Cors::default()));
    filters.push(http_filter(
        "envoy.filters.http.router",
        &Router {
            suppress_envoy_headers: settings.hide_envoy_headers,
            ..Default::default()
        },
    ));
    filters
}

fn http_filter<M: Name>(name: &str, message: &M) -> HttpFilter {
    HttpFilter {
        name: name.to_owned(),
        config_type: Some(http_filter::ConfigType::TypedConfig(pack(message))),
        ..Default::default()
    }
}

/// A filter that only Istio's build of Envoy has (X-IN-13).
fn of_istio(profile: Profile, name: &str, config: impl FnOnce() -> Any) -> Option<HttpFilter> {
    let is_optional = match profile {
        Profile::IstioProxy => false,
        Profile::UpstreamEnvoyOptional => true,
        Profile::UpstreamEnvoy => return None,
    };
    Some(HttpFilter {
        name: name.to_owned(),
        is_optional,
        config_type: Some(http_filter::ConfigType::TypedConfig(config())),
        ..Default::default()
    })
}

/// Finds out who the peer is, and tells it who this is: the client inbound, the server else.
fn peer_metadata(side: Side) -> Any {
    let method = |name| object_value(object([(name, object_value(Struct::default()))]));
    let discovery = list_value([method("istio_headers"), method("workload_discovery")]);
    let propagation = list_value([method("istio_headers")]);
    let fields = match side {
        Side::Inbound => [
            ("downstream_discovery", discovery),
            ("downstream_propagation", propagation),
        ],
        Side::Outbound | Side::Gateway => [
            ("upstream_discovery", discovery),
            ("upstream_propagation", propagation),
        ],
    };
    typed_struct("io.istio.http.peer_metadata.Config", object(fields))
}

/// Tells the server which protocol is spoken inside mesh TLS (X-HCM-11).
fn alpn() -> Any {
    let names = |names: [&str; 3]| list_value(names.map(text_value));
    let http10 = object([("alpn_override", names(["istio-http/1.0", "istio", "http/1.0"]))]);
    let named = |protocol: &str, alpn: Value| {
        object([
            ("upstream_protocol", text_value(protocol)),
            ("alpn_override", alpn),
        ])
    };
    let overrides = [
        http10,
        named("HTTP11", names(["istio-http/1.1", "istio", "http/1.1"])),
        named("HTTP2", names(["istio-h2", "istio", "h2"])),
    ];
    typed_struct(
        "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig",
        object([("alpn_override", list_value(overrides.map(object_value)))]),
    )
}
