//! What an HTTP route does besides choosing an action: retries, faults, mirrors, cross-origin rules, header changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Destination, StringMatch};
use crate::scalar::{Duration, wire_enum};
use crate::wire::{is_default, write_double};

/// A share in percent with a fraction.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Percent {
    /// 0.0..100.0. Fractions are kept to a ten-thousandth of a percent where faults are concerned (A-X-31). Default 0.
    #[serde(skip_serializing_if = "is_default", serialize_with = "write_double")]
    pub value: f64,
}

impl Percent {
    /// `value` percent.
    pub const fn new(value: f64) -> Self {
        Self { value }
    }
}

/// When and how often a failed request is tried again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpRetry {
    /// Number of retries, so that a request is sent at most one time more. Zero switches retries off. Not negative.
    #[serde(skip_serializing_if = "is_default")]
    pub attempts: i32,
    /// Time limit of each try, the first included; whole milliseconds. Absent means the timeout of the route.
    #[serde(skip_serializing_if = "is_default")]
    pub per_try_timeout: Option<Duration>,
    /// Comma-separated conditions, or status codes. Empty means
    /// `connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes`.
    #[serde(skip_serializing_if = "is_default")]
    pub retry_on: String,
    /// Whether retries may go to other localities. Absent means the mesh default, no.
    #[serde(skip_serializing_if = "is_default")]
    pub retry_remote_localities: Option<bool>,
    /// Whether retries avoid hosts that were tried already. Absent means yes.
    #[serde(skip_serializing_if = "is_default")]
    pub retry_ignore_previous_hosts: Option<bool>,
    /// Least time between tries; grows up to ten times as large. Absent means 25 ms.
    #[serde(skip_serializing_if = "is_default")]
    pub backoff: Option<Duration>,
}

/// Cross-origin resource sharing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CorsPolicy {
    /// Origins allowed, compared exactly; `*` allows all. Deprecated and undocumented: use `allow_origins`.
    #[serde(skip_serializing_if = "is_default")]
    pub allow_origin: Vec<String>,
    /// Origins allowed. Takes precedence over `allow_origin`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub allow_origins: Vec<StringMatch>,
    /// Methods for `Access-Control-Allow-Methods`: upper-case names or `*`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub allow_methods: Vec<String>,
    /// Header names for `Access-Control-Allow-Headers`, or `*`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub allow_headers: Vec<String>,
    /// Header names for `Access-Control-Expose-Headers`, or `*`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub expose_headers: Vec<String>,
    /// How long a preflight answer may be cached; whole seconds. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub max_age: Option<Duration>,
    /// Whether the request may carry credentials. Absent leaves the header out.
    #[serde(skip_serializing_if = "is_default")]
    pub allow_credentials: Option<bool>,
    /// What becomes of preflight requests from other origins. Zero means forward.
    #[serde(skip_serializing_if = "is_default")]
    pub unmatched_preflights: UnmatchedPreflights,
}

wire_enum! {
    /// What is done with preflight requests whose origin is not allowed.
    pub enum UnmatchedPreflights {
        /// As [`UnmatchedPreflights::Forward`].
        Unspecified = 0 => "UNSPECIFIED",
        /// They are forwarded to the service.
        Forward = 1 => "FORWARD",
        /// They are answered by the proxy without access headers.
        Ignore = 2 => "IGNORE",
    }
}

/// Faults to inject. At least one of the two must be set (A-VS-47).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpFaultInjection {
    /// Delays before forwarding. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub delay: Option<Delay>,
    /// Answers with an error instead of forwarding. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub abort: Option<Abort>,
}

/// A delay before a request is forwarded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "DelayWire", into = "DelayWire")]
pub struct Delay {
    /// Share of requests in whole percent, 0..100. Deprecated: use `percentage`.
    pub percent: i32,
    /// How the delay is given. Default none.
    pub http_delay_type: Option<HttpDelayType>,
    /// Share of requests. Absent means all, unless `percent` says otherwise.
    pub percentage: Option<Percent>,
}

/// The length of an injected delay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpDelayType {
    /// Always this long; whole milliseconds, at least 1 ms.
    FixedDelay(Duration),
    /// Undocumented and refused by validation (A-VS-54).
    ExponentialDelay(Duration),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Delay(fixedDelay|exponentialDelay)")]
struct DelayWire {
    #[serde(skip_serializing_if = "is_default")]
    percent: i32,
    #[serde(skip_serializing_if = "is_default")]
    fixed_delay: Option<Duration>,
    #[serde(skip_serializing_if = "is_default")]
    exponential_delay: Option<Duration>,
    #[serde(skip_serializing_if = "is_default")]
    percentage: Option<Percent>,
}

impl From<DelayWire> for Delay {
    fn from(wire: DelayWire) -> Self {
        let DelayWire {
            percent,
            fixed_delay,
            exponential_delay,
            percentage,
        } = wire;
        let http_delay_type = exponential_delay
            .map(HttpDelayType::ExponentialDelay)
            .or(fixed_delay.map(HttpDelayType::FixedDelay));
        Self {
            percent,
            http_delay_type,
            percentage,
        }
    }
}

impl From<Delay> for DelayWire {
    fn from(value: Delay) -> Self {
        let Delay {
            percent,
            http_delay_type,
            percentage,
        } = value;
        let (fixed_delay, exponential_delay) = match http_delay_type {
            None => (None, None),
            Some(HttpDelayType::FixedDelay(delay)) => (Some(delay), None),
            Some(HttpDelayType::ExponentialDelay(delay)) => (None, Some(delay)),
        };
        Self {
            percent,
            fixed_delay,
            exponential_delay,
            percentage,
        }
    }
}

/// An error in place of an answer of the service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "AbortWire", into = "AbortWire")]
pub struct Abort {
    /// The error. Absent has no effect (A-VS-52).
    pub error_type: Option<AbortErrorType>,
    /// Share of requests. Absent means all.
    pub percentage: Option<Percent>,
}

/// The error of an [`Abort`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbortErrorType {
    /// HTTP status, 200..600.
    HttpStatus(i32),
    /// Name of a gRPC status such as `UNAVAILABLE` (A-X-33).
    GrpcStatus(String),
    /// Undocumented and refused by validation (A-VS-50).
    Http2Error(String),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Abort(httpStatus|grpcStatus|http2Error)")]
struct AbortWire {
    #[serde(skip_serializing_if = "is_default")]
    http_status: Option<i32>,
    #[serde(skip_serializing_if = "is_default")]
    grpc_status: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    http2_error: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    percentage: Option<Percent>,
}

impl From<AbortWire> for Abort {
    fn from(wire: AbortWire) -> Self {
        let AbortWire {
            http_status,
            grpc_status,
            http2_error,
            percentage,
        } = wire;
        let error_type = http2_error
            .map(AbortErrorType::Http2Error)
            .or(grpc_status.map(AbortErrorType::GrpcStatus))
            .or(http_status.map(AbortErrorType::HttpStatus));
        Self {
            error_type,
            percentage,
        }
    }
}

impl From<Abort> for AbortWire {
    fn from(value: Abort) -> Self {
        let Abort {
            error_type,
            percentage,
        } = value;
        let mut wire = Self {
            percentage,
            ..Self::default()
        };
        match error_type {
            None => {}
            Some(AbortErrorType::HttpStatus(status)) => wire.http_status = Some(status),
            Some(AbortErrorType::GrpcStatus(status)) => wire.grpc_status = Some(status),
            Some(AbortErrorType::Http2Error(error)) => wire.http2_error = Some(error),
        }
        wire
    }
}

/// A destination that gets a copy of the traffic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpMirrorPolicy {
    /// The mirror. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub destination: Option<Destination>,
    /// Share of requests to copy. Absent means 100 %.
    #[serde(skip_serializing_if = "is_default")]
    pub percentage: Option<Percent>,
}

/// Header changes for requests and responses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Headers {
    /// Changes before a request is forwarded. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub request: Option<HeaderOperations>,
    /// Changes before a response is returned. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub response: Option<HeaderOperations>,
}

/// Changes to a set of headers. Values may hold Envoy's `%COMMAND%` substitutions (A-X-18).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderOperations {
    /// Headers that replace whatever was there. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub set: BTreeMap<String, String>,
    /// Headers added to what is there. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub add: BTreeMap<String, String>,
    /// Names to remove. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub remove: Vec<String>,
}

/// Names of gRPC statuses; the position is the number (A-X-33).
pub const GRPC_STATUSES: &[&str] = &[
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
