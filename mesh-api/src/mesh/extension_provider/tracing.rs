//! Traces.

use serde::{Deserialize, Serialize};

use crate::mesh::TraceContext;
use crate::scalar::{Duration, wire_enum};
use crate::wire::{is_default, oneofs};

/// Traces in Zipkin's format.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ZipkinTracingProvider {
    /// Host of the collector, as `[namespace/]host`, or an address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Its port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Longest path in the tag of the URL, in characters. Zero means 256.
    #[serde(skip_serializing_if = "is_default")]
    pub max_tag_length: u32,
    /// Whether ids of traces have 64 bits in place of 128. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub enable_64bit_trace_id: bool,
    /// Path of the collector's API. Empty means `/api/v2/spans`.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// Which headers carry the trace. Default USE_B3.
    #[serde(skip_serializing_if = "is_default")]
    pub trace_context_option: ZipkinTraceContextOption,
    /// Time for the collector's answer. Absent means 5 s.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: Option<Duration>,
    /// Headers for the collector. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub headers: Vec<ProviderHttpHeader>,
}

wire_enum! {
    /// Which headers carry a trace of Zipkin's format.
    pub enum ZipkinTraceContextOption {
        /// `x-b3-*`.
        UseB3 = 0 => "USE_B3",
        /// `x-b3-*`, and `traceparent` where they are missing; both are written.
        UseB3WithW3cPropagation = 1 => "USE_B3_WITH_W3C_PROPAGATION",
    }
}

/// Traces for Lightstep. Deprecated and undocumented.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LightstepTracingProvider {
    /// Host of the collector, as `[namespace/]host`, or an address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Its port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// The access token. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub access_token: String,
    /// Longest path in the tag of the URL, in characters. Zero means 256.
    #[serde(skip_serializing_if = "is_default")]
    pub max_tag_length: u32,
}

/// Traces for Datadog.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DatadogTracingProvider {
    /// Host of the agent, as `[namespace/]host`, or an address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Its port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Longest path in the tag of the URL, in characters. Zero means 256.
    #[serde(skip_serializing_if = "is_default")]
    pub max_tag_length: u32,
}

/// Traces for SkyWalking.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SkyWalkingTracingProvider {
    /// Host of the receiver, as `[namespace/]host`, or an address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Its port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// The access token. Empty means none.
    #[serde(skip_serializing_if = "is_default")]
    pub access_token: String,
}

/// Traces for an OpenCensus agent. Deprecated and undocumented.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OpenCensusAgentTracingProvider {
    /// Host of the agent, as `[namespace/]host`, or an address. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Its port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// The headers that carry the trace, in the order of preference. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub context: Vec<TraceContext>,
    /// Longest path in the tag of the URL, in characters. Zero means 256.
    #[serde(skip_serializing_if = "is_default")]
    pub max_tag_length: u32,
}

/// Traces by OpenTelemetry's protocol.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(
    from = "OpenTelemetryTracingProviderWire",
    into = "OpenTelemetryTracingProviderWire"
)]
pub struct OpenTelemetryTracingProvider {
    /// Host of the collector, as `[namespace/]host`, or an address. Required.
    pub service: String,
    /// Its port, 1..65535. Required.
    pub port: u32,
    /// Longest path in the tag of the URL, in characters. Zero means 256.
    pub max_tag_length: u32,
    /// Send over HTTP. Absent means gRPC. Excludes `grpc` (A-EP-10).
    pub http: Option<HttpService>,
    /// Settings of gRPC. Excludes `http`. Default none.
    pub grpc: Option<GrpcService>,
    /// Where attributes of the resource come from. Absent means the proxy's metadata alone.
    pub resource_detectors: Option<ResourceDetectors>,
    /// By which convention the attributes of the service are named. Default ISTIO_CANONICAL.
    pub service_attribute_enrichment: ServiceAttributeEnrichment,
    /// Which requests are traced. Absent means by the sampling percentage of Telemetry.
    pub sampling: Option<OpenTelemetrySampling>,
}

/// Which requests are traced.
#[derive(Debug, Clone, PartialEq)]
pub enum OpenTelemetrySampling {
    /// As Dynatrace says.
    DynatraceSampler(DynatraceSampler),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "OpenTelemetryTracingProvider(dynatraceSampler)")]
struct OpenTelemetryTracingProviderWire {
    #[serde(skip_serializing_if = "is_default")]
    service: String,
    #[serde(skip_serializing_if = "is_default")]
    port: u32,
    #[serde(skip_serializing_if = "is_default")]
    max_tag_length: u32,
    #[serde(skip_serializing_if = "is_default")]
    http: Option<HttpService>,
    #[serde(skip_serializing_if = "is_default")]
    grpc: Option<GrpcService>,
    #[serde(skip_serializing_if = "is_default")]
    resource_detectors: Option<ResourceDetectors>,
    #[serde(skip_serializing_if = "is_default")]
    service_attribute_enrichment: ServiceAttributeEnrichment,
    #[serde(skip_serializing_if = "is_default")]
    dynatrace_sampler: Option<DynatraceSampler>,
}

oneofs! {
    OpenTelemetryTracingProvider as OpenTelemetryTracingProviderWire {
        service, port, max_tag_length, http, grpc, resource_detectors, service_attribute_enrichment,
    }
    sampling: OpenTelemetrySampling { dynatrace_sampler => DynatraceSampler }
}

wire_enum! {
    /// By which convention the attributes of a traced service are named.
    pub enum ServiceAttributeEnrichment {
        /// Istio's canonical name and revision.
        IstioCanonical = 0 => "ISTIO_CANONICAL",
        /// OpenTelemetry's semantic conventions for Kubernetes.
        OtelSemanticConventions = 1 => "OTEL_SEMANTIC_CONVENTIONS",
    }
}

/// Where attributes of the traced resource come from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceDetectors {
    /// The environment variable `OTEL_RESOURCE_ATTRIBUTES`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub environment: Option<EnvironmentResourceDetector>,
    /// Dynatrace's files on the node. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub dynatrace: Option<DynatraceResourceDetector>,
}

/// Attributes from the environment. It has no settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvironmentResourceDetector {}

/// Attributes from Dynatrace's files. It has no settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DynatraceResourceDetector {}

/// Sampling as Dynatrace says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DynatraceSampler {
    /// Id of the tenant. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub tenant: String,
    /// Id of the cluster. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_id: i32,
    /// Number of traces per minute until Dynatrace's answer is there. Zero means 1000.
    #[serde(skip_serializing_if = "is_default")]
    pub root_spans_per_minute: u32,
    /// Dynatrace's API. Absent means the collector's host and its headers.
    #[serde(skip_serializing_if = "is_default")]
    pub http_service: Option<DynatraceApi>,
}

/// Dynatrace's API.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DynatraceApi {
    /// Its host, as `[namespace/]host`. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Its port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
    /// Path, time limit and headers. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub http: Option<HttpService>,
}

/// How a service is asked over HTTP.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpService {
    /// The path. Empty means `/`.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// Time for its answer. Absent means 3 s.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: Option<Duration>,
    /// Headers for it. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub headers: Vec<ProviderHttpHeader>,
}

/// How a service is asked over gRPC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GrpcService {
    /// Time for its answer. Absent means Envoy's default.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout: Option<Duration>,
    /// Metadata for it. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub initial_metadata: Vec<ProviderHttpHeader>,
}

/// A header for a provider's service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "ProviderHttpHeaderWire", into = "ProviderHttpHeaderWire")]
pub struct ProviderHttpHeader {
    /// Its name. Required.
    pub name: String,
    /// Its value. Required.
    pub header_value: Option<ProviderHttpHeaderValue>,
}

/// The value of a [`ProviderHttpHeader`].
#[derive(Debug, Clone, PartialEq)]
pub enum ProviderHttpHeaderValue {
    /// The text itself.
    Value(String),
    /// Name of an environment variable of the control plane that holds it.
    EnvName(String),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "ProviderHttpHeader(value|envName)")]
struct ProviderHttpHeaderWire {
    #[serde(skip_serializing_if = "is_default")]
    name: String,
    #[serde(skip_serializing_if = "is_default")]
    value: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    env_name: Option<String>,
}

oneofs! {
    ProviderHttpHeader as ProviderHttpHeaderWire { name }
    header_value: ProviderHttpHeaderValue { value => Value, env_name => EnvName }
}
