//! Access logs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::wire::{is_default, oneofs};

/// Access logs into a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvoyFileAccessLogProvider {
    /// Path of the file. Empty means `/dev/stdout`.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// Form of a line. Absent means Istio's usual text.
    #[serde(skip_serializing_if = "is_default")]
    pub log_format: Option<FileLogFormat>,
    /// Whether empty values are left out in place of a hyphen. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub omit_empty_values: bool,
}

/// Form of a line of a log file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "FileLogFormatWire", into = "FileLogFormatWire")]
pub struct FileLogFormat {
    /// The form. Absent means Istio's usual text.
    pub log_format: Option<FileLogFormatKind>,
}

/// The forms of [`FileLogFormat`].
#[derive(Debug, Clone, PartialEq)]
pub enum FileLogFormatKind {
    /// A text with Envoy's command operators, such as `%PROTOCOL%`. Empty means Istio's usual text.
    Text(String),
    /// A JSON object whose texts hold Envoy's command operators. Empty means Istio's usual fields.
    Labels(Map<String, Value>),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "FileLogFormat(text|labels)")]
struct FileLogFormatWire {
    #[serde(skip_serializing_if = "is_default")]
    text: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    labels: Option<Map<String, Value>>,
}

oneofs! {
    FileLogFormat as FileLogFormatWire {}
    log_format: FileLogFormatKind { text => Text, labels => Labels }
}

/// Access logs of HTTP requests over Envoy's gRPC service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvoyHttpGrpcV3LogProvider {
    /// Host of the service, as `[namespace/]host`, or an address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Its port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Name of the log. Empty means `http_envoy_accesslog`.
    #[serde(skip_serializing_if = "is_default")]
    pub log_name: String,
    /// Filter states to be logged, by key. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub filter_state_objects_to_log: Vec<String>,
    /// More headers of the request to be logged. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub additional_request_headers_to_log: Vec<String>,
    /// More headers of the response to be logged. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub additional_response_headers_to_log: Vec<String>,
    /// More trailers of the response to be logged. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub additional_response_trailers_to_log: Vec<String>,
}

/// Access logs of TCP connections over Envoy's gRPC service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvoyTcpGrpcV3LogProvider {
    /// Host of the service, as `[namespace/]host`, or an address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Its port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Name of the log. Empty means `tcp_envoy_accesslog`.
    #[serde(skip_serializing_if = "is_default")]
    pub log_name: String,
    /// Filter states to be logged, by key. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub filter_state_objects_to_log: Vec<String>,
}

/// Access logs by OpenTelemetry's protocol.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvoyOpenTelemetryLogProvider {
    /// Host of the collector, as `[namespace/]host`, or an address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Its port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Name of the log. Empty means `otel_envoy_accesslog`.
    #[serde(skip_serializing_if = "is_default")]
    pub log_name: String,
    /// Form of an entry. Absent means Istio's usual text.
    #[serde(skip_serializing_if = "is_default")]
    pub log_format: Option<OpenTelemetryLogFormat>,
}

/// Form of an entry of an OpenTelemetry log. Text and labels may stand side by side.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OpenTelemetryLogFormat {
    /// The body: a text with Envoy's command operators. Empty means Istio's usual text.
    #[serde(skip_serializing_if = "is_default")]
    pub text: String,
    /// The attributes: an object whose texts hold Envoy's command operators. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: Option<Map<String, Value>>,
}
