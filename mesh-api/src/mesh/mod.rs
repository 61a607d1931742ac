//! The mesh's own configuration: the documents `mesh` and `meshNetworks` of Istio's ConfigMap.
//!
//! Data only. [`effective`](crate::effective) lays documents over each other and finds what holds for a workload, and
//! [`validate`](crate::validate) knows the rules.

mod config;
mod extension_provider;
mod label_selector;
mod networks;
mod proxy_config;
mod settings;
mod sources;
mod visibility;

pub use config::MeshConfig;
pub use extension_provider::{
    DatadogTracingProvider, DynatraceApi, DynatraceResourceDetector, DynatraceSampler,
    EnvironmentResourceDetector, EnvoyExternalAuthorizationGrpcProvider,
    EnvoyExternalAuthorizationHttpProvider, EnvoyExternalAuthorizationRequestBody,
    EnvoyFileAccessLogProvider, EnvoyHttpGrpcV3LogProvider, EnvoyOpenTelemetryLogProvider,
    EnvoyTcpGrpcV3LogProvider, ExtensionProvider, FileLogFormat, FileLogFormatKind, GrpcService, HttpService,
    LightstepTracingProvider, OpenCensusAgentTracingProvider, OpenTelemetryLogFormat, OpenTelemetrySampling,
    OpenTelemetryTracingProvider, PrometheusMetricsProvider, Provider, ProviderHttpHeader,
    ProviderHttpHeaderValue, ResourceDetectors, SdsProvider, ServiceAttributeEnrichment,
    SkyWalkingTracingProvider, StackdriverLogging, StackdriverProvider, ZipkinTraceContextOption,
    ZipkinTracingProvider,
};
pub use label_selector::{LabelSelector, LabelSelectorRequirement};
pub use networks::{
    EndpointSource, MeshNetworks, Network, NetworkEndpoints, NetworkGateway, NetworkGatewayAddress,
};
pub use proxy_config::{
    AttemptCount, AuthenticationPolicy, ConnectionProfile, ConnectionSettings, CryptoMb, CustomTag,
    CustomTagSource, Datadog, Environment, EnvoyDebugHeaders, ForwardClientCertDetails,
    HeadersWithUnderscoresAction, InboundInterceptionMode, Lightstep, Literal, MeshProxyConfig,
    MetadataExchangeHeaders, MetadataExchangeMode, OpenCensusAgent, PathWithEscapedSlashesAction,
    PrivateKeyProvider, PrivateKeyProviderKind, ProxyClusterName, ProxyHeaders, ProxyProtocolConfiguration,
    ProxyStatsMatcher, Qat, RemoteService, RequestHeader, RequestId, Sds, ServerHeader,
    SetCurrentClientCertDetails, Stackdriver, Topology, TraceContext, Tracer, Tracing, TracingServiceName,
    XForwardedHost, XForwardedPort, Zipkin,
};
pub use settings::{
    AccessLogEncoding, DefaultProviders, DefaultTrafficPolicy, H2UpgradePolicy, InboundTrafficPolicy,
    InboundTrafficPolicyMode, IngressControllerMode, NormalizationType, OutboundTrafficPolicy,
    OutboundTrafficPolicyMode, ProxyPathNormalization, TlsConfig, TlsProtocol,
};
pub use sources::{
    Ca, Certificate, CertificateData, CertificateSource, ConfigSource, ServiceScope, ServiceScopeConfigs,
    ServiceSettings, ServiceSettingsValues, SubscribedResource,
};
pub use visibility::{MatchRule, ServiceEntryVisibility, Visibility, VisibilityPolicy};
