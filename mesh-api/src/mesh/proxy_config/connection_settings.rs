//! Limits and timeouts of the connections that a proxy accepts.

use serde::{Deserialize, Serialize};

use crate::scalar::{Duration, wire_enum};
use crate::wire::is_default;

/// Limits and timeouts of the connections that a proxy accepts. What is absent is as the profile says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionSettings {
    /// Where the values of absent fields come from. Zero is SIDECAR.
    #[serde(skip_serializing_if = "is_default")]
    pub profile: ConnectionProfile,
    /// Soft limit of the buffers of a connection from a client, in bytes; 0 or more. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub listener_per_connection_buffer_limit_bytes: Option<i32>,
    /// Soft limit of the buffers of a connection to an endpoint, in bytes; 0 or more. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_per_connection_buffer_limit_bytes: Option<i32>,
    /// Time after which an HTTP connection without requests is closed; 0 or more, 0 means never.
    #[serde(skip_serializing_if = "is_default")]
    pub http_idle_timeout: Option<Duration>,
    /// Time after which an HTTP connection is drained, however busy; 0 or more. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub http_max_connection_duration: Option<Duration>,
    /// Time between the first and the last notice to a client that its connection ends; 0 or more. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub http_drain_timeout: Option<Duration>,
    /// Time for a client to send its whole request; 0 or more, 0 means no limit. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub http_request_timeout: Option<Duration>,
    /// Time for a client to send the headers of a request; 0 or more, 0 means no limit. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub http_request_headers_timeout: Option<Duration>,
    /// Time after which a silent request is reset; 0 or more, 0 means never. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub http_stream_idle_timeout: Option<Duration>,
    /// Longest life of a request and its response; 0 or more, 0 means no limit. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub http_max_stream_duration: Option<Duration>,
    /// Number of requests at a time on an HTTP/2 connection; 1 or more. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub http_max_concurrent_streams: Option<i32>,
    /// Flow-control window of an HTTP/2 stream, in bytes; 65535 or more. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub http2_initial_stream_window_size: Option<i32>,
    /// Flow-control window of an HTTP/2 connection, in bytes; 65535 or more. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub http2_initial_connection_window_size: Option<i32>,
    /// What becomes of headers with an underscore in their name. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub http_headers_with_underscores_action: HeadersWithUnderscoresAction,
    /// Whether runs of slashes in paths become one. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub http_merge_slashes: Option<bool>,
    /// What becomes of requests with an escaped slash in their path. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub http_path_with_escaped_slashes_action: PathWithEscapedSlashesAction,
    /// Number of connections at a time to one listener; 1 or more. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub listener_connection_limit: Option<i32>,
    /// Number of connections at a time to the whole proxy; 1 or more. Default: the profile's.
    #[serde(skip_serializing_if = "is_default")]
    pub global_downstream_connection_limit: Option<i32>,
}

wire_enum! {
    /// A set of values for connections.
    pub enum ConnectionProfile {
        /// For proxies beside a workload: Istio's usual values.
        Sidecar = 0 => "SIDECAR",
        /// For proxies that clients on the internet reach: Envoy's advice for edges.
        Edge = 1 => "EDGE",
    }
}

wire_enum! {
    /// What becomes of headers with an underscore in their name.
    pub enum HeadersWithUnderscoresAction {
        /// As the profile says.
        Unspecified = 0 => "HEADERS_WITH_UNDERSCORES_UNSPECIFIED",
        /// They pass.
        Allow = 1 => "HEADERS_WITH_UNDERSCORES_ALLOW",
        /// The request is refused.
        RejectRequest = 2 => "HEADERS_WITH_UNDERSCORES_REJECT_REQUEST",
        /// The header is dropped.
        DropHeader = 3 => "HEADERS_WITH_UNDERSCORES_DROP_HEADER",
    }
}

wire_enum! {
    /// What becomes of requests with an escaped slash or backslash in their path.
    pub enum PathWithEscapedSlashesAction {
        /// As the profile says.
        Unspecified = 0 => "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED",
        /// The path stays as it is.
        KeepUnchanged = 1 => "KEEP_UNCHANGED",
        /// The request is refused.
        RejectRequest = 2 => "REJECT_REQUEST",
        /// The client is redirected to the path with plain slashes.
        UnescapeAndRedirect = 3 => "UNESCAPE_AND_REDIRECT",
        /// The request goes on with plain slashes.
        UnescapeAndForward = 4 => "UNESCAPE_AND_FORWARD",
    }
}
