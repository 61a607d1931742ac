//! Providers of authorization, tracing, metrics, access logs and secrets, named for use in Telemetry and
//! AuthorizationPolicy objects.
//!
//! Source: Istio API `mesh/v1alpha1/config.proto`, `ExtensionProvider`.

mod access_log;
mod authorization;
mod tracing;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use access_log::{
    EnvoyFileAccessLogProvider, EnvoyHttpGrpcV3LogProvider, EnvoyOpenTelemetryLogProvider,
    EnvoyTcpGrpcV3LogProvider, FileLogFormat, FileLogFormatKind, OpenTelemetryLogFormat,
};
pub use authorization::{
    EnvoyExternalAuthorizationGrpcProvider, EnvoyExternalAuthorizationHttpProvider,
    EnvoyExternalAuthorizationRequestBody,
};
pub use tracing::{
    DatadogTracingProvider, DynatraceApi, DynatraceResourceDetector, DynatraceSampler,
    EnvironmentResourceDetector, GrpcService, HttpService, LightstepTracingProvider,
    OpenCensusAgentTracingProvider, OpenTelemetrySampling, OpenTelemetryTracingProvider, ProviderHttpHeader,
    ProviderHttpHeaderValue, ResourceDetectors, ServiceAttributeEnrichment, SkyWalkingTracingProvider,
    ZipkinTraceContextOption, ZipkinTracingProvider,
};

use crate::wire::{is_default, oneofs};

/// A provider under a name.
///
/// ```
/// use mesh_api::mesh::{ExtensionProvider, Provider};
///
/// let provider: ExtensionProvider =
///     serde_json::from_str(r#"{"name": "otel", "opentelemetry": {"service": "otel.tracing.svc", "port": 4317}}"#)?;
/// assert!(matches!(provider.provider, Some(Provider::OpenTelemetry(ref otel)) if otel.port == 4317));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "ExtensionProviderWire", into = "ExtensionProviderWire")]
pub struct ExtensionProvider {
    /// The name, unique in the mesh and not empty.
    pub name: String,
    /// What it is. Required.
    pub provider: Option<Provider>,
}

/// The kinds of [`ExtensionProvider`], in the order of their declaration upstream.
#[derive(Debug, Clone, PartialEq)]
pub enum Provider {
    /// External authorization over HTTP.
    EnvoyExtAuthzHttp(Box<EnvoyExternalAuthorizationHttpProvider>),
    /// External authorization over gRPC.
    EnvoyExtAuthzGrpc(EnvoyExternalAuthorizationGrpcProvider),
    /// Traces in Zipkin's format.
    Zipkin(ZipkinTracingProvider),
    /// Traces for Lightstep. Deprecated and undocumented.
    Lightstep(LightstepTracingProvider),
    /// Traces for Datadog.
    Datadog(DatadogTracingProvider),
    /// Traces, metrics and access logs for Google Cloud. Undocumented.
    Stackdriver(StackdriverProvider),
    /// Traces for an OpenCensus agent. Deprecated and undocumented.
    OpenCensus(OpenCensusAgentTracingProvider),
    /// Traces for SkyWalking.
    SkyWalking(SkyWalkingTracingProvider),
    /// Traces by OpenTelemetry's protocol.
    OpenTelemetry(Box<OpenTelemetryTracingProvider>),
    /// Metrics for Prometheus to scrape.
    Prometheus(PrometheusMetricsProvider),
    /// Access logs into a file.
    EnvoyFileAccessLog(EnvoyFileAccessLogProvider),
    /// Access logs of HTTP requests over Envoy's gRPC service.
    EnvoyHttpAls(EnvoyHttpGrpcV3LogProvider),
    /// Access logs of TCP connections over Envoy's gRPC service.
    EnvoyTcpAls(EnvoyTcpGrpcV3LogProvider),
    /// Access logs by OpenTelemetry's protocol.
    EnvoyOtelAls(EnvoyOpenTelemetryLogProvider),
    /// Certificates and keys over Envoy's secret discovery service.
    Sds(SdsProvider),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(
    rename = "ExtensionProvider(envoyExtAuthzHttp|envoyExtAuthzGrpc|zipkin|lightstep|datadog|stackdriver|opencensus|\
              skywalking|opentelemetry|prometheus|envoyFileAccessLog|envoyHttpAls|envoyTcpAls|envoyOtelAls|sds)"
)]
struct ExtensionProviderWire {
    #[serde(skip_serializing_if = "is_default")]
    name: String,
    #[serde(skip_serializing_if = "is_default")]
    envoy_ext_authz_http: Option<Box<EnvoyExternalAuthorizationHttpProvider>>,
    #[serde(skip_serializing_if = "is_default")]
    envoy_ext_authz_grpc: Option<EnvoyExternalAuthorizationGrpcProvider>,
    #[serde(skip_serializing_if = "is_default")]
    zipkin: Option<ZipkinTracingProvider>,
    #[serde(skip_serializing_if = "is_default")]
    lightstep: Option<LightstepTracingProvider>,
    #[serde(skip_serializing_if = "is_default")]
    datadog: Option<DatadogTracingProvider>,
    #[serde(skip_serializing_if = "is_default")]
    stackdriver: Option<StackdriverProvider>,
    #[serde(skip_serializing_if = "is_default")]
    opencensus: Option<OpenCensusAgentTracingProvider>,
    #[serde(skip_serializing_if = "is_default")]
    skywalking: Option<SkyWalkingTracingProvider>,
    #[serde(skip_serializing_if = "is_default")]
    opentelemetry: Option<Box<OpenTelemetryTracingProvider>>,
    #[serde(skip_serializing_if = "is_default")]
    prometheus: Option<PrometheusMetricsProvider>,
    #[serde(skip_serializing_if = "is_default")]
    envoy_file_access_log: Option<EnvoyFileAccessLogProvider>,
    #[serde(skip_serializing_if = "is_default")]
    envoy_http_als: Option<EnvoyHttpGrpcV3LogProvider>,
    #[serde(skip_serializing_if = "is_default")]
    envoy_tcp_als: Option<EnvoyTcpGrpcV3LogProvider>,
    #[serde(skip_serializing_if = "is_default")]
    envoy_otel_als: Option<EnvoyOpenTelemetryLogProvider>,
    #[serde(skip_serializing_if = "is_default")]
    sds: Option<SdsProvider>,
}

oneofs! {
    ExtensionProvider as ExtensionProviderWire { name }
    provider: Provider {
        envoy_ext_authz_http => EnvoyExtAuthzHttp,
        envoy_ext_authz_grpc => EnvoyExtAuthzGrpc,
        zipkin => Zipkin,
        lightstep => Lightstep,
        datadog => Datadog,
        stackdriver => Stackdriver,
        opencensus => OpenCensus,
        skywalking => SkyWalking,
        opentelemetry => OpenTelemetry,
        prometheus => Prometheus,
        envoy_file_access_log => EnvoyFileAccessLog,
        envoy_http_als => EnvoyHttpAls,
        envoy_tcp_als => EnvoyTcpAls,
        envoy_otel_als => EnvoyOtelAls,
        sds => Sds,
    }
}

/// Google Cloud, formerly Stackdriver. Undocumented.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StackdriverProvider {
    /// Whether spans are printed as well. Deprecated.
    #[serde(skip_serializing_if = "is_default")]
    pub debug: bool,
    /// Number of attributes of a span. Deprecated. Absent means 200.
    #[serde(skip_serializing_if = "is_default")]
    pub max_number_of_attributes: Option<i64>,
    /// Number of annotations of a span. Deprecated. Absent means 200.
    #[serde(skip_serializing_if = "is_default")]
    pub max_number_of_annotations: Option<i64>,
    /// Number of message events of a span. Deprecated. Absent means 200.
    #[serde(skip_serializing_if = "is_default")]
    pub max_number_of_message_events: Option<i64>,
    /// Longest path in the tag of the URL, in characters. Zero means 256.
    #[serde(skip_serializing_if = "is_default")]
    pub max_tag_length: u32,
    /// Settings of access logs. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub logging: Option<StackdriverLogging>,
}

/// Settings of access logs for Google Cloud.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StackdriverLogging {
    /// More labels of a log entry: CEL expressions over the request, by label. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
}

/// Metrics for Prometheus to scrape. It has no settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PrometheusMetricsProvider {}

/// A service that hands out certificates and keys over Envoy's secret discovery service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SdsProvider {
    /// The name by which a `credentialName` of the form `sds://NAME` means it. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Its host, as `[namespace/]host`. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub service: String,
    /// Its port, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: u32,
}
