//! Rules of the proxy configuration inside MeshConfig (A-MP).

use super::at::At;
use super::context::Context;
use super::rule::{Rule, rules};
use super::{client_tls, shared, sidecar};
use crate::mesh::{
    AuthenticationPolicy, ConnectionSettings, CryptoMb, MeshProxyConfig, PrivateKeyProvider,
    PrivateKeyProviderKind, ProxyClusterName, Qat, Tracer, Tracing,
};
use crate::names::check;
use crate::scalar::Duration;

rules! {
    MP_1 "A-MP-1" Error "configPath is not empty";
    MP_2 "A-MP-2" Error "binaryPath is not empty";
    MP_3 "A-MP-3" Error "serviceCluster is not empty";
    MP_4 "A-MP-4" Error "there is a serviceCluster or a tracingServiceName";
    MP_5 "A-MP-5" Error "drainDuration is at least 1 ms, in whole milliseconds";
    MP_6 "A-MP-6" Error "drainDuration is in whole seconds";
    MP_7 "A-MP-7" Error "discoveryAddress is not empty";
    MP_8 "A-MP-8" Error "discoveryAddress is host:port, the host a domain name or an address";
    MP_9 "A-MP-9" Error "lightstep has an address of the form host:port and an access token";
    MP_10 "A-MP-10" Error "addresses of zipkin and datadog are host:port";
    MP_11 "A-MP-11" Error "TLS towards the collector keeps to the rules of client TLS";
    MP_13 "A-MP-13" Error "addresses of services that take metrics and logs are host:port";
    MP_14 "A-MP-14" Warning "ISTIO_META_DNS_AUTO_ALLOCATE is deprecated";
    MP_15 "A-MP-15" Error "proxyAdminPort and statusPort are ports from 1 to 65535";
    MP_16 "A-MP-16" Error "controlPlaneAuthPolicy is NONE or MUTUAL_TLS";
    MP_17 "A-MP-17" Error "a private key provider is of a kind";
    MP_18 "A-MP-18" Error "a private key provider has a pollDelay";
    MP_19 "A-MP-19" Error "the pollDelay of a private key provider is not zero";
    MP_20 "A-MP-20" Error "limits of buffers are not negative";
    MP_21 "A-MP-21" Error "timeouts of connections are not negative";
    MP_22 "A-MP-22" Error "limits of connections and streams are at least 1";
    MP_23 "A-MP-23" Error "windows of HTTP/2 have at least 65535 bytes";
}

/// The smallest window that HTTP/2 allows Envoy to start with.
const MIN_WINDOW: i32 = 65_535;

pub(super) fn check(config: &MeshProxyConfig, at: &At<'_>, context: &mut Context<'_>) {
    let MeshProxyConfig {
        config_path,
        binary_path,
        cluster_name,
        drain_duration,
        discovery_address,
        discovery_refresh_delay: _,
        zipkin_address: _,
        statsd_udp_address,
        envoy_metrics_service_address,
        proxy_admin_port,
        availability_zone: _,
        control_plane_auth_policy,
        custom_config_file: _,
        stat_name_length: _,
        concurrency: _,
        proxy_bootstrap_template_path: _,
        interception_mode: _,
        tracing,
        sds: _,
        envoy_access_log_service,
        envoy_metrics_service,
        proxy_metadata,
        runtime_values: _,
        status_port,
        extra_stat_tags: _,
        gateway_topology: _,
        termination_drain_duration: _,
        mesh_id: _,
        readiness_probe: _,
        proxy_stats_matcher: _,
        hold_application_until_proxy_starts: _,
        ca_certificates_pem: _,
        image: _,
        private_key_provider,
        proxy_headers: _,
        file_flush_interval: _,
        file_flush_min_size_kb: _,
        stats_compression: _,
        connection_settings,
    } = config;
    for (rule, field, path) in [
        (&MP_1, "configPath", config_path),
        (&MP_2, "binaryPath", binary_path),
    ] {
        if path.is_empty() {
            context.report(rule, &at.field(field), format!("{field} must not be empty"));
        }
    }
    match cluster_name {
        None => context.report(
            &MP_4,
            &at.field("serviceCluster"),
            "the proxy has no name for its service",
        ),
        Some(ProxyClusterName::ServiceCluster(name)) if name.is_empty() => {
            context.report(
                &MP_3,
                &at.field("serviceCluster"),
                "serviceCluster must not be empty",
            );
        }
        Some(ProxyClusterName::ServiceCluster(_) | ProxyClusterName::TracingServiceName(_)) => {}
    }
    check_drain_duration(*drain_duration, &at.field("drainDuration"), context);
    match discovery_address.as_str() {
        "" => context.report(
            &MP_7,
            &at.field("discoveryAddress"),
            "discoveryAddress must not be empty",
        ),
        address => {
            context.check(&MP_8, &at.field("discoveryAddress"), proxy_address(address));
        }
    }
    if let Some(tracing) = tracing {
        check_tracing(tracing, &at.field("tracing"), context);
    }
    let mut reports_to = |at: &At<'_>, address: &str| {
        if !address.is_empty() {
            context.check(&MP_13, at, proxy_address(address));
        }
    };
    reports_to(&at.field("statsdUdpAddress"), statsd_udp_address);
    reports_to(
        &at.field("envoyMetricsServiceAddress"),
        envoy_metrics_service_address,
    );
    for (field, service) in [
        ("envoyAccessLogService", envoy_access_log_service),
        ("envoyMetricsService", envoy_metrics_service),
    ] {
        if let Some(service) = service {
            reports_to(&at.field(field).field("address"), &service.address);
        }
    }
    const AUTO_ALLOCATE: &str = "ISTIO_META_DNS_AUTO_ALLOCATE";
    if proxy_metadata.contains_key(AUTO_ALLOCATE) {
        let at = at.entry("proxyMetadata", AUTO_ALLOCATE);
        let help = "addresses are allocated by default; label a ServiceEntry `networking.istio.io/enable-autoallocate-ip`";
        context.report_with_help(&MP_14, &at, format!("{AUTO_ALLOCATE} is deprecated"), help);
    }
    context.check(
        &MP_15,
        &at.field("proxyAdminPort"),
        check::port(*proxy_admin_port),
    );
    context.check(&MP_15, &at.field("statusPort"), check::port(*status_port));
    let authentication = [AuthenticationPolicy::None, AuthenticationPolicy::MutualTls];
    if !authentication.contains(control_plane_auth_policy) {
        let message = format!("the policy {control_plane_auth_policy} is neither NONE nor MUTUAL_TLS");
        context.report(&MP_16, &at.field("controlPlaneAuthPolicy"), message);
    }
    if let Some(provider) = private_key_provider {
        check_private_key_provider(provider, &at.field("privateKeyProvider"), context);
    }
    if let Some(settings) = connection_settings {
        check_connection_settings(settings, &at.field("connectionSettings"), context);
    }
}

/// A-MP-5, A-MP-6; an absent duration counts as zero.
fn check_drain_duration(duration: Option<Duration>, at: &At<'_>, context: &mut Context<'_>) {
    let duration = duration.unwrap_or(Duration::ZERO);
    if context.check(&MP_5, at, shared::duration(duration)) && duration.as_nanos() % 1_000_000_000 != 0 {
        let message = format!("the duration `{duration}` is not a whole number of seconds");
        context.report(&MP_6, at, message);
    }
}

/// ProxyAddress: `host:port`, the host a domain name or an IP address.
fn proxy_address(address: &str) -> Result<(), String> {
    let Some((host, port)) = sidecar::split_host_port(address) else {
        return Err(format!("`{address}` is not of the form `host:port`"));
    };
    let number = port
        .parse::<i64>()
        .map_err(|_| format!("the port `{port}` is not a number"))?;
    check::port(number).map_err(|error| format!("`{address}`: {error}"))?;
    match check::ip_address(host) {
        Ok(()) => Ok(()),
        Err(_) => check::fqdn(host).map_err(|error| format!("`{host}` is no host: {error}")),
    }
}

/// A-MP-9..11
fn check_tracing(tracing: &Tracing, at: &At<'_>, context: &mut Context<'_>) {
    let Tracing {
        tracer,
        custom_tags: _,
        max_path_tag_length: _,
        sampling: _,
        tls_settings,
        enable_istio_tags: _,
    } = tracing;
    let on_node = |address: &str| proxy_address(&address.replacen("$(HOST_IP)", "127.0.0.1", 1));
    match tracer {
        Some(Tracer::Zipkin(zipkin)) => {
            let at = at.field("zipkin");
            context.check(&MP_10, &at.field("address"), on_node(&zipkin.address));
        }
        Some(Tracer::Datadog(datadog)) => {
            let at = at.field("datadog");
            context.check(&MP_10, &at.field("address"), on_node(&datadog.address));
        }
        Some(Tracer::Lightstep(lightstep)) => {
            let at = at.field("lightstep");
            if lightstep.address.is_empty() {
                context.report(
                    &MP_9,
                    &at.field("address"),
                    "the address of the collector is missing",
                );
            } else {
                context.check(&MP_9, &at.field("address"), proxy_address(&lightstep.address));
            }
            if lightstep.access_token.is_empty() {
                context.report(&MP_9, &at.field("accessToken"), "the access token is missing");
            }
        }
        Some(Tracer::Stackdriver(_) | Tracer::OpenCensusAgent(_)) | None => {}
    }
    if let Some(tls) = tls_settings {
        let at = at.field("tlsSettings");
        context.citing(&MP_11, |context| client_tls::check(tls, &at, context));
    }
}

/// A-MP-17..19
fn check_private_key_provider(provider: &PrivateKeyProvider, at: &At<'_>, context: &mut Context<'_>) {
    let (field, poll_delay) = match &provider.provider {
        None => {
            context.report(
                &MP_17,
                at,
                "the private key provider is of no kind: cryptomb or qat",
            );
            return;
        }
        Some(PrivateKeyProviderKind::CryptoMb(CryptoMb {
            poll_delay,
            fallback: _,
        })) => ("cryptomb", poll_delay),
        Some(PrivateKeyProviderKind::Qat(Qat {
            poll_delay,
            fallback: _,
        })) => ("qat", poll_delay),
    };
    let at = at.field(field);
    let at = at.field("pollDelay");
    match poll_delay {
        None => context.report(&MP_18, &at, "pollDelay is missing"),
        Some(delay) if *delay == Duration::ZERO => context.report(&MP_19, &at, "pollDelay must not be zero"),
        Some(_) => {}
    }
}

/// A-MP-20..23
fn check_connection_settings(settings: &ConnectionSettings, at: &At<'_>, context: &mut Context<'_>) {
    let ConnectionSettings {
        profile: _,
        listener_per_connection_buffer_limit_bytes,
        cluster_per_connection_buffer_limit_bytes,
        http_idle_timeout,
        http_max_connection_duration,
        http_drain_timeout,
        http_request_timeout,
        http_request_headers_timeout,
        http_stream_idle_timeout,
        http_max_stream_duration,
        http_max_concurrent_streams,
        http2_initial_stream_window_size,
        http2_initial_connection_window_size,
        http_headers_with_underscores_action: _,
        http_merge_slashes: _,
        http_path_with_escaped_slashes_action: _,
        listener_connection_limit,
        global_downstream_connection_limit,
    } = settings;
    let mut at_least = |rule: &Rule, field: &'static str, value: &Option<i32>, least: i32| {
        if let Some(value) = value.filter(|value| *value < least) {
            context.report(rule, &at.field(field), format!("{value} is less than {least}"));
        }
    };
    at_least(
        &MP_20,
        "listenerPerConnectionBufferLimitBytes",
        listener_per_connection_buffer_limit_bytes,
        0,
    );
    at_least(
        &MP_20,
        "clusterPerConnectionBufferLimitBytes",
        cluster_per_connection_buffer_limit_bytes,
        0,
    );
    at_least(&MP_22, "httpMaxConcurrentStreams", http_max_concurrent_streams, 1);
    at_least(
        &MP_23,
        "http2InitialStreamWindowSize",
        http2_initial_stream_window_size,
        MIN_WINDOW,
    );
    at_least(
        &MP_23,
        "http2InitialConnectionWindowSize",
        http2_initial_connection_window_size,
        MIN_WINDOW,
    );
    at_least(&MP_22, "listenerConnectionLimit", listener_connection_limit, 1);
    at_least(
        &MP_22,
        "globalDownstreamConnectionLimit",
        global_downstream_connection_limit,
        1,
    );
    for (field, timeout) in [
        ("httpIdleTimeout", http_idle_timeout),
        ("httpMaxConnectionDuration", http_max_connection_duration),
        ("httpDrainTimeout", http_drain_timeout),
        ("httpRequestTimeout", http_request_timeout),
        ("httpRequestHeadersTimeout", http_request_headers_timeout),
        ("httpStreamIdleTimeout", http_stream_idle_timeout),
        ("httpMaxStreamDuration", http_max_stream_duration),
    ] {
        if let Some(timeout) = timeout.filter(|timeout| *timeout < Duration::ZERO) {
            context.report(
                &MP_21,
                &at.field(field),
                format!("the duration `{timeout}` is negative"),
            );
        }
    }
}
