//! Limits and timeouts of connections.

use serde::{Deserialize, Serialize};

use crate::scalar::{Duration, wire_enum};
use crate::wire::is_default;

/// Limits and timeouts of the connections to a host. One of the two must be set (A-DR-14).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionPoolSettings {
    /// Settings for TCP and for HTTP upstream connections alike. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub tcp: Option<TcpSettings>,
    /// Settings for HTTP connections. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub http: Option<HttpSettings>,
}

/// Settings of TCP connections.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TcpSettings {
    /// Most connections to the host. Zero means 2^32-1. Not negative.
    #[serde(skip_serializing_if = "is_default")]
    pub max_connections: i32,
    /// Time to establish a connection; whole milliseconds. Absent means that of the mesh, 10 s.
    #[serde(skip_serializing_if = "is_default")]
    pub connect_timeout: Option<Duration>,
    /// Keep-alive probes of the operating system. Absent means none unless the mesh sets it.
    #[serde(skip_serializing_if = "is_default")]
    pub tcp_keepalive: Option<TcpKeepalive>,
    /// Longest life of a connection; whole milliseconds. Absent means no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub max_connection_duration: Option<Duration>,
    /// Time without traffic after which a TCP connection is closed. Absent means 1 h; zero switches the limit off.
    #[serde(skip_serializing_if = "is_default")]
    pub idle_timeout: Option<Duration>,
}

/// TCP keep-alive (`SO_KEEPALIVE`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TcpKeepalive {
    /// Probes without answer until the connection is dead. Zero means the system's default, 9 on Linux.
    #[serde(skip_serializing_if = "is_default")]
    pub probes: u32,
    /// Idle time until the first probe. Absent means the system's default, 2 h on Linux.
    #[serde(skip_serializing_if = "is_default")]
    pub time: Option<Duration>,
    /// Time between probes. Absent means the system's default, 75 s on Linux.
    #[serde(skip_serializing_if = "is_default")]
    pub interval: Option<Duration>,
}

/// Settings of HTTP connections. No number may be negative (A-DR-15).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpSettings {
    /// Most requests that wait for a connection. Zero means 2^32-1.
    #[serde(skip_serializing_if = "is_default")]
    pub http1_max_pending_requests: i32,
    /// Most requests under way, for HTTP/1.1 and HTTP/2 alike. Zero means 2^32-1.
    #[serde(skip_serializing_if = "is_default")]
    pub http2_max_requests: i32,
    /// Most requests over one connection; 1 switches keep-alive off. Zero means no limit (2^29).
    #[serde(skip_serializing_if = "is_default")]
    pub max_requests_per_connection: i32,
    /// Most retries under way. Zero means 2^32-1.
    #[serde(skip_serializing_if = "is_default")]
    pub max_retries: i32,
    /// Time without requests after which an upstream connection is closed; whole milliseconds. Absent means 1 h.
    #[serde(skip_serializing_if = "is_default")]
    pub idle_timeout: Option<Duration>,
    /// Whether HTTP/1.1 is upgraded to HTTP/2. Zero means as the mesh says.
    #[serde(skip_serializing_if = "is_default")]
    pub h2_upgrade_policy: H2UpgradePolicy,
    /// Use the protocol of the client towards the endpoint. Excludes [`H2UpgradePolicy::Upgrade`] (A-DR-17). Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub use_client_protocol: bool,
    /// Most concurrent streams on one HTTP/2 connection. Zero means 2^31-1.
    #[serde(skip_serializing_if = "is_default")]
    pub max_concurrent_streams: i32,
    /// HTTP/2 PING frames. Absent means none.
    #[serde(skip_serializing_if = "is_default")]
    pub http2_keep_alive: Option<ConnectionKeepalive>,
}

/// HTTP/2 keep-alive. Both fields are required (A-DR-18).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionKeepalive {
    /// Time between PING frames; whole milliseconds. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub interval: Option<Duration>,
    /// Time to wait for the answer; whole milliseconds. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: Option<Duration>,
}

wire_enum! {
    /// Whether HTTP/1.1 connections to a host are upgraded to HTTP/2.
    pub enum H2UpgradePolicy {
        /// As the mesh says.
        Default = 0 => "DEFAULT",
        /// No.
        DoNotUpgrade = 1 => "DO_NOT_UPGRADE",
        /// Yes.
        Upgrade = 2 => "UPGRADE",
    }
}
