//! The kind of the group `telemetry.istio.io`: Telemetry, what proxies report.
//!
//! Source: Istio API `telemetry/v1alpha1/telemetry.proto`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scalar::{Duration, wire_enum};
use crate::type_::{PolicyTargetReference, WorkloadSelector};
use crate::wire::{is_default, oneofs, write_optional_double};

/// Traces, metrics and access logs of workloads. Without selector and targets it holds for its namespace, in the root
/// namespace for the mesh; more specific objects take the rest from less specific ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Telemetry {
    /// Workloads. At most one of this, `target_ref` and `target_refs` (A-X-26). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub selector: Option<WorkloadSelector>,
    /// What the object is attached to. Undocumented, the older form of `target_refs`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub target_ref: Option<PolicyTargetReference>,
    /// What the object is attached to: Gateways, GatewayClasses, Services, ServiceEntries. At most 16. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub target_refs: Vec<PolicyTargetReference>,
    /// Traces. Only the first entry counts (A-TL-8). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub tracing: Vec<Tracing>,
    /// Metrics. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub metrics: Vec<Metrics>,
    /// Access logs. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub access_logging: Vec<AccessLogging>,
}

wire_enum! {
    /// The side of a connection on which a proxy reports.
    pub enum WorkloadMode {
        /// Both.
        ClientAndServer = 0 => "CLIENT_AND_SERVER",
        /// That of the client, and gateways.
        Client = 1 => "CLIENT",
        /// That of the server.
        Server = 2 => "SERVER",
    }
}

/// An extension provider by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProviderRef {
    /// Name of one of the mesh configuration's `extensionProviders`. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// How traces are made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tracing {
    /// On which side. Absent means both.
    #[serde(rename = "match", skip_serializing_if = "is_default")]
    pub matches: Option<TracingSelector>,
    /// Where spans go; one at most (A-TL-9). Empty means the mesh's default providers.
    #[serde(skip_serializing_if = "is_default")]
    pub providers: Vec<ProviderRef>,
    /// Percent of requests that are traced, 0..100. Absent means what the mesh says, 1 % by default.
    #[serde(skip_serializing_if = "is_default", serialize_with = "write_optional_double")]
    pub random_sampling_percentage: Option<f64>,
    /// Whether spans are kept back; headers are passed on all the same. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub disable_span_reporting: Option<bool>,
    /// More tags of spans by name. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub custom_tags: BTreeMap<String, CustomTag>,
    /// Whether the request id decides if a request is traced. Absent means yes. Undocumented.
    #[serde(skip_serializing_if = "is_default")]
    pub use_request_id_for_trace_sampling: Option<bool>,
    /// Whether spans get Istio's tags. Absent means yes.
    #[serde(skip_serializing_if = "is_default")]
    pub enable_istio_tags: Option<bool>,
    /// Whether the proxy leaves out the headers that pass the trace on. Absent means no.
    #[serde(skip_serializing_if = "is_default")]
    pub disable_context_propagation: Option<bool>,
}

/// Which traces are meant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TracingSelector {
    /// The side. Default CLIENT_AND_SERVER.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: WorkloadMode,
}

/// A tag of spans.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "CustomTagWire", into = "CustomTagWire")]
pub struct CustomTag {
    /// Where its value comes from. Required.
    pub source: Option<CustomTagSource>,
}

/// Where the value of a tag comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum CustomTagSource {
    /// A fixed text.
    Literal(Literal),
    /// An environment variable of the proxy.
    Environment(Environment),
    /// A header of the request.
    Header(RequestHeader),
    /// A format string of access logs.
    Formatter(Formatter),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "CustomTag(literal|environment|header|formatter)")]
struct CustomTagWire {
    #[serde(skip_serializing_if = "is_default")]
    literal: Option<Literal>,
    #[serde(skip_serializing_if = "is_default")]
    environment: Option<Environment>,
    #[serde(skip_serializing_if = "is_default")]
    header: Option<RequestHeader>,
    #[serde(skip_serializing_if = "is_default")]
    formatter: Option<Formatter>,
}

oneofs! {
    CustomTag as CustomTagWire {}
    source: CustomTagSource {
        literal => Literal, environment => Environment, header => Header, formatter => Formatter,
    }
}

/// A fixed text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Literal {
    /// The text. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
}

/// An environment variable of the proxy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Environment {
    /// Name of the variable. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Value where it is not set. Empty means no tag.
    #[serde(skip_serializing_if = "is_default")]
    pub default_value: String,
}

/// A header of the request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestHeader {
    /// Name of the header. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Value where it is not there. Empty means no tag.
    #[serde(skip_serializing_if = "is_default")]
    pub default_value: String,
}

/// A format string of access logs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Formatter {
    /// The format, such as `%REQ(x-id)%`. Required by the CRD.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
}

/// How metrics are reported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metrics {
    /// Where they go. Empty means the mesh's default providers.
    #[serde(skip_serializing_if = "is_default")]
    pub providers: Vec<ProviderRef>,
    /// Changes to metrics and their tags, in order. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub overrides: Vec<MetricsOverrides>,
    /// Time between reports of TCP metrics, at least 1 ms. Absent means 5 s.
    #[serde(skip_serializing_if = "is_default")]
    pub reporting_interval: Option<Duration>,
}

/// A change to some metrics.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricsOverrides {
    /// The metrics. Absent means all on both sides.
    #[serde(rename = "match", skip_serializing_if = "is_default")]
    pub matches: Option<MetricSelector>,
    /// Whether they are left out. Absent means as before.
    #[serde(skip_serializing_if = "is_default")]
    pub disabled: Option<bool>,
    /// Changes to their tags, by the tag's name. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub tag_overrides: BTreeMap<String, TagOverride>,
}

/// Which metrics are meant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "MetricSelectorWire", into = "MetricSelectorWire")]
pub struct MetricSelector {
    /// Which of them. Absent means all.
    pub metric_match: Option<MetricMatch>,
    /// On which side. Default CLIENT_AND_SERVER.
    pub mode: WorkloadMode,
}

/// A metric by name.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricMatch {
    /// One of Istio's own.
    Metric(IstioMetric),
    /// One of any name.
    CustomMetric(String),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "MetricSelector(metric|customMetric)")]
struct MetricSelectorWire {
    #[serde(skip_serializing_if = "is_default")]
    metric: Option<IstioMetric>,
    #[serde(skip_serializing_if = "is_default")]
    custom_metric: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    mode: WorkloadMode,
}

oneofs! {
    MetricSelector as MetricSelectorWire { mode }
    metric_match: MetricMatch { metric => Metric, custom_metric => CustomMetric }
}

wire_enum! {
    /// Istio's metrics.
    pub enum IstioMetric {
        /// All of them.
        AllMetrics = 0 => "ALL_METRICS",
        /// `istio_requests_total`.
        RequestCount = 1 => "REQUEST_COUNT",
        /// `istio_request_duration_milliseconds`.
        RequestDuration = 2 => "REQUEST_DURATION",
        /// `istio_request_bytes`.
        RequestSize = 3 => "REQUEST_SIZE",
        /// `istio_response_bytes`.
        ResponseSize = 4 => "RESPONSE_SIZE",
        /// `istio_tcp_connections_opened_total`.
        TcpOpenedConnections = 5 => "TCP_OPENED_CONNECTIONS",
        /// `istio_tcp_connections_closed_total`.
        TcpClosedConnections = 6 => "TCP_CLOSED_CONNECTIONS",
        /// `istio_tcp_sent_bytes_total`.
        TcpSentBytes = 7 => "TCP_SENT_BYTES",
        /// `istio_tcp_received_bytes_total`.
        TcpReceivedBytes = 8 => "TCP_RECEIVED_BYTES",
        /// `istio_request_messages_total`.
        GrpcRequestMessages = 9 => "GRPC_REQUEST_MESSAGES",
        /// `istio_response_messages_total`.
        GrpcResponseMessages = 10 => "GRPC_RESPONSE_MESSAGES",
    }
}

/// A change to a tag of metrics.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TagOverride {
    /// What is done. Default UPSERT.
    #[serde(skip_serializing_if = "is_default")]
    pub operation: TagOperation,
    /// CEL expression of the value. Needed by UPSERT, refused with REMOVE. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
}

wire_enum! {
    /// What is done to a tag.
    pub enum TagOperation {
        /// It gets the value.
        Upsert = 0 => "UPSERT",
        /// It is removed.
        Remove = 1 => "REMOVE",
    }
}

/// How access logs are written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccessLogging {
    /// On which side. Absent means both.
    #[serde(rename = "match", skip_serializing_if = "is_default")]
    pub matches: Option<LogSelector>,
    /// Where they go. Empty means the mesh's default providers.
    #[serde(skip_serializing_if = "is_default")]
    pub providers: Vec<ProviderRef>,
    /// Whether they are left out. Absent means no.
    #[serde(skip_serializing_if = "is_default")]
    pub disabled: Option<bool>,
    /// Which requests are logged. Absent means all.
    #[serde(skip_serializing_if = "is_default")]
    pub filter: Option<LogFilter>,
}

/// Which access logs are meant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogSelector {
    /// The side. Default CLIENT_AND_SERVER.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: WorkloadMode,
}

/// Which requests are logged (upstream message `AccessLogging.Filter`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogFilter {
    /// CEL expression over Envoy's attributes, such as `response.code >= 400`. Required: an empty one is refused.
    #[serde(skip_serializing_if = "is_default")]
    pub expression: String,
}
