//! External authorization.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scalar::Duration;
use crate::wire::is_default;

/// A service that decides on requests over HTTP: it gets method, host, path and some headers, and 200 allows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvoyExternalAuthorizationHttpProvider {
    /// Its host, as `[namespace/]host` of a service or ServiceEntry, or an address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Its port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Time for its answer. Absent means 600 s.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: Option<Duration>,
    /// What is put before the request's path; starts with a slash. Empty means nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub path_prefix: String,
    /// Whether requests are allowed where it cannot be asked. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub fail_open: bool,
    /// Whether the route is chosen again after it changed the request. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub clear_route_cache: bool,
    /// HTTP status for the client where it cannot be asked: one of Envoy's numbers (A-EP-6). Empty means 403.
    #[serde(skip_serializing_if = "is_default")]
    pub status_on_error: String,
    /// Older name of `include_request_headers_in_check`. Deprecated.
    #[serde(skip_serializing_if = "is_default")]
    pub include_headers_in_check: Vec<String>,
    /// Headers of the request that it gets: names, or `prefix*` or `*suffix`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub include_request_headers_in_check: Vec<String>,
    /// More headers that it gets, with fixed values. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub include_additional_headers_in_check: BTreeMap<String, String>,
    /// How much of the body it gets. Absent means none of it.
    #[serde(skip_serializing_if = "is_default")]
    pub include_request_body_in_check: Option<EnvoyExternalAuthorizationRequestBody>,
    /// Headers of its answer that an allowed request gets: names, or `prefix*` or `*suffix`. Empty means none.
    #[serde(skip_serializing_if = "is_default")]
    pub headers_to_upstream_on_allow: Vec<String>,
    /// Headers of its answer that the client gets on denial. Empty means all but a few.
    #[serde(skip_serializing_if = "is_default")]
    pub headers_to_downstream_on_deny: Vec<String>,
    /// Headers of its answer that the client gets on an allowed request. Empty means none.
    #[serde(skip_serializing_if = "is_default")]
    pub headers_to_downstream_on_allow: Vec<String>,
}

/// A service that decides on requests over Envoy's gRPC protocol of external authorization.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvoyExternalAuthorizationGrpcProvider {
    /// Its host, as `[namespace/]host` of a service or ServiceEntry, or an address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Its port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Time for its answer. Absent means 600 s.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: Option<Duration>,
    /// Whether requests are allowed where it cannot be asked. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub fail_open: bool,
    /// Whether the route is chosen again after it changed the request. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub clear_route_cache: bool,
    /// HTTP status for the client where it cannot be asked: one of Envoy's numbers (A-EP-6). Empty means 403.
    #[serde(skip_serializing_if = "is_default")]
    pub status_on_error: String,
    /// How much of the body it gets. Absent means none of it.
    #[serde(skip_serializing_if = "is_default")]
    pub include_request_body_in_check: Option<EnvoyExternalAuthorizationRequestBody>,
}

/// How much of a request's body goes to external authorization.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvoyExternalAuthorizationRequestBody {
    /// At most this many bytes; more is refused with 413 unless `allow_partial_message` is set. Required: zero is refused by
    /// Envoy.
    #[serde(skip_serializing_if = "is_default")]
    pub max_request_bytes: u32,
    /// Whether of a longer body its beginning is sent. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub allow_partial_message: bool,
    /// Whether it is sent as bytes, not as text; gRPC only. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub pack_as_bytes: bool,
}
