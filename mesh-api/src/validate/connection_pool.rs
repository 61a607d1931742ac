//! Rules of connection pools (A-DR-14..21), which Sidecar uses too.

use super::at::At;
use super::context::Context;
use super::destination_rule::{DR_14, DR_15, DR_16, DR_17, DR_18, DR_19, DR_20, DR_21};
use super::shared;
use crate::networking::{
    ConnectionKeepalive, ConnectionPoolSettings, H2UpgradePolicy, HttpSettings, TcpKeepalive, TcpSettings,
};

pub(super) fn check(pool: &ConnectionPoolSettings, at: &At<'_>, context: &mut Context<'_>) {
    let ConnectionPoolSettings { tcp, http } = pool;
    if tcp.is_none() && http.is_none() {
        context.report(
            &DR_14,
            at,
            "the connection pool has neither http nor tcp settings",
        );
        return;
    }
    if let Some(tcp) = tcp {
        check_tcp(tcp, &at.field("tcp"), context);
    }
    if let Some(http) = http {
        check_http(http, &at.field("http"), context);
    }
}

fn check_tcp(settings: &TcpSettings, at: &At<'_>, context: &mut Context<'_>) {
    let TcpSettings {
        max_connections,
        connect_timeout,
        tcp_keepalive,
        max_connection_duration,
        idle_timeout,
    } = settings;
    if *max_connections < 0 {
        context.report(
            &DR_19,
            &at.field("maxConnections"),
            format!("the limit {max_connections} is negative"),
        );
    }
    shared::optional_duration(context, &DR_20, &at.field("connectTimeout"), *connect_timeout);
    if let Some(TcpKeepalive {
        probes: _,
        time,
        interval,
    }) = tcp_keepalive
    {
        let at = at.field("tcpKeepalive");
        shared::optional_duration(context, &DR_20, &at.field("time"), *time);
        shared::optional_duration(context, &DR_20, &at.field("interval"), *interval);
    }
    shared::optional_duration(
        context,
        &DR_20,
        &at.field("maxConnectionDuration"),
        *max_connection_duration,
    );
    // quirk A-DR-21: less than a millisecond counts as zero, which switches the limit off
    let limited = idle_timeout.filter(|timeout| timeout.as_millis() != 0);
    shared::optional_duration(context, &DR_21, &at.field("idleTimeout"), limited);
}

fn check_http(settings: &HttpSettings, at: &At<'_>, context: &mut Context<'_>) {
    let HttpSettings {
        http1_max_pending_requests,
        http2_max_requests,
        max_requests_per_connection,
        max_retries,
        idle_timeout,
        h2_upgrade_policy,
        use_client_protocol,
        max_concurrent_streams,
        http2_keep_alive,
    } = settings;
    for (field, limit) in [
        ("http1MaxPendingRequests", http1_max_pending_requests),
        ("http2MaxRequests", http2_max_requests),
        ("maxRequestsPerConnection", max_requests_per_connection),
        ("maxRetries", max_retries),
        ("maxConcurrentStreams", max_concurrent_streams),
    ] {
        if *limit < 0 {
            context.report(&DR_15, &at.field(field), format!("the limit {limit} is negative"));
        }
    }
    shared::optional_duration(context, &DR_16, &at.field("idleTimeout"), *idle_timeout);
    if *h2_upgrade_policy == H2UpgradePolicy::Upgrade && *use_client_protocol {
        let message = "an upgrade to HTTP/2 and the client's protocol exclude each other";
        context.report(&DR_17, &at.field("useClientProtocol"), message);
    }
    if let Some(ConnectionKeepalive { interval, timeout }) = http2_keep_alive {
        let at = at.field("http2KeepAlive");
        for (field, duration) in [("interval", interval), ("timeout", timeout)] {
            match duration {
                None => context.report(&DR_18, &at.field(field), format!("{field} is missing")),
                Some(duration) => {
                    context.check(&DR_18, &at.field(field), shared::duration(*duration));
                }
            }
        }
    }
}
