//! Tracing by the proxy's own configuration. Telemetry objects with providers of the mesh take precedence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::networking::ClientTlsSettings;
use crate::scalar::wire_enum;
use crate::wire::{is_default, oneofs, write_double};

/// Tracing by the proxy's own configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "TracingWire", into = "TracingWire")]
pub struct Tracing {
    /// Where spans go. Absent means nowhere, unless Telemetry names a provider.
    pub tracer: Option<Tracer>,
    /// Tags of spans, by name. Undocumented. Default none.
    pub custom_tags: BTreeMap<String, CustomTag>,
    /// Longest path in the tag of the URL, in characters. Zero means 256. Undocumented.
    pub max_path_tag_length: u32,
    /// Share of requests that are traced, in percent, 0..100. Zero here means 1 if no Telemetry object says more.
    pub sampling: f64,
    /// TLS towards the collector. Absent means none.
    pub tls_settings: Option<Box<ClientTlsSettings>>,
    /// Whether spans get Istio's own tags. Absent means true.
    pub enable_istio_tags: Option<bool>,
}

/// Where spans go.
#[derive(Debug, Clone, PartialEq)]
pub enum Tracer {
    /// A collector that takes Zipkin's format.
    Zipkin(Zipkin),
    /// Lightstep. Undocumented.
    Lightstep(Lightstep),
    /// Datadog's agent.
    Datadog(Datadog),
    /// Google's Cloud Trace. Undocumented.
    Stackdriver(Stackdriver),
    /// An OpenCensus agent. Undocumented; without effect.
    OpenCensusAgent(OpenCensusAgent),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "Tracing(zipkin|lightstep|datadog|stackdriver|openCensusAgent)")]
struct TracingWire {
    #[serde(skip_serializing_if = "is_default")]
    zipkin: Option<Zipkin>,
    #[serde(skip_serializing_if = "is_default")]
    lightstep: Option<Lightstep>,
    #[serde(skip_serializing_if = "is_default")]
    datadog: Option<Datadog>,
    #[serde(skip_serializing_if = "is_default")]
    stackdriver: Option<Stackdriver>,
    #[serde(skip_serializing_if = "is_default")]
    open_census_agent: Option<OpenCensusAgent>,
    #[serde(skip_serializing_if = "is_default")]
    custom_tags: BTreeMap<String, CustomTag>,
    #[serde(skip_serializing_if = "is_default")]
    max_path_tag_length: u32,
    #[serde(skip_serializing_if = "is_default", serialize_with = "write_double")]
    sampling: f64,
    #[serde(skip_serializing_if = "is_default")]
    tls_settings: Option<Box<ClientTlsSettings>>,
    #[serde(skip_serializing_if = "is_default")]
    enable_istio_tags: Option<bool>,
}

oneofs! {
    Tracing as TracingWire { custom_tags, max_path_tag_length, sampling, tls_settings, enable_istio_tags }
    tracer: Tracer {
        zipkin => Zipkin,
        lightstep => Lightstep,
        datadog => Datadog,
        stackdriver => Stackdriver,
        open_census_agent => OpenCensusAgent,
    }
}

/// A collector that takes Zipkin's format.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Zipkin {
    /// Its address as `host:port`; `$(HOST_IP)` stands for the node's address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub address: String,
}

/// Lightstep.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Lightstep {
    /// Address of the collector as `host:port`. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub address: String,
    /// The access token. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub access_token: String,
}

/// Datadog's agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Datadog {
    /// Its address as `host:port`; `$(HOST_IP)` stands for the node's address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub address: String,
}

/// Google's Cloud Trace. Its fields are undocumented.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Stackdriver {
    /// Whether spans are printed as well. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub debug: bool,
    /// Number of attributes of a span. Absent means 200.
    #[serde(skip_serializing_if = "is_default")]
    pub max_number_of_attributes: Option<i64>,
    /// Number of annotations of a span. Absent means 200.
    #[serde(skip_serializing_if = "is_default")]
    pub max_number_of_annotations: Option<i64>,
    /// Number of message events of a span. Absent means 200.
    #[serde(skip_serializing_if = "is_default")]
    pub max_number_of_message_events: Option<i64>,
}

/// An OpenCensus agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OpenCensusAgent {
    /// Its address as a gRPC target, such as `dns://10.1.1.1:55678`. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub address: String,
    /// The headers that carry the trace, in the order of preference. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub context: Vec<TraceContext>,
}

wire_enum! {
    /// A form of the headers that carry a trace.
    pub enum TraceContext {
        /// None.
        Unspecified = 0 => "UNSPECIFIED",
        /// `traceparent` of the W3C.
        W3cTraceContext = 1 => "W3C_TRACE_CONTEXT",
        /// `grpc-trace-bin`.
        GrpcBin = 2 => "GRPC_BIN",
        /// `x-cloud-trace-context`.
        CloudTraceContext = 3 => "CLOUD_TRACE_CONTEXT",
        /// `x-b3-*` of Zipkin.
        B3 = 4 => "B3",
    }
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
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "CustomTag(literal|environment|header)")]
struct CustomTagWire {
    #[serde(skip_serializing_if = "is_default")]
    literal: Option<Literal>,
    #[serde(skip_serializing_if = "is_default")]
    environment: Option<Environment>,
    #[serde(skip_serializing_if = "is_default")]
    header: Option<RequestHeader>,
}

oneofs! {
    CustomTag as CustomTagWire {}
    source: CustomTagSource { literal => Literal, environment => Environment, header => Header }
}

/// A fixed text as the value of a tag.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Literal {
    /// The text. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
}

/// An environment variable of the proxy as the value of a tag.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Environment {
    /// Name of the variable. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The value where it is not set. Empty means no tag.
    #[serde(skip_serializing_if = "is_default")]
    pub default_value: String,
}

/// A header of the request as the value of a tag.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestHeader {
    /// Name of the header. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The value where the request has no such header. Empty means no tag.
    #[serde(skip_serializing_if = "is_default")]
    pub default_value: String,
}
