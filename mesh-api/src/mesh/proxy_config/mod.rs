//! ProxyConfig, the message inside MeshConfig: how proxies start and what they report.
//!
//! Source: Istio API `mesh/v1alpha1/proxy.proto`.

mod connection_settings;
mod headers;
mod private_key_provider;
mod remote_service;
mod topology;
mod tracing;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use connection_settings::{
    ConnectionProfile, ConnectionSettings, HeadersWithUnderscoresAction, PathWithEscapedSlashesAction,
};
pub use headers::{
    AttemptCount, EnvoyDebugHeaders, MetadataExchangeHeaders, MetadataExchangeMode, ProxyHeaders, RequestId,
    ServerHeader, SetCurrentClientCertDetails, XForwardedHost, XForwardedPort,
};
pub use private_key_provider::{CryptoMb, PrivateKeyProvider, PrivateKeyProviderKind, Qat};
pub use remote_service::RemoteService;
pub use topology::{ForwardClientCertDetails, ProxyProtocolConfiguration, Topology};
pub use tracing::{
    CustomTag, CustomTagSource, Datadog, Environment, Lightstep, Literal, OpenCensusAgent, RequestHeader,
    Stackdriver, TraceContext, Tracer, Tracing, Zipkin,
};

use crate::networking::{ProxyImage, ReadinessProbe};
use crate::scalar::{Duration, wire_enum};
use crate::wire::{is_default, oneofs};

/// Configuration of proxies: the `defaultConfig` of the mesh, and the text of the annotation `proxy.istio.io/config`.
///
/// A value is a layer: what is not set is left to the layer below ([`effective`](crate::effective) lays them over each
/// other). [`MeshProxyConfig::default`] sets nothing, [`MeshProxyConfig::built_in`] is the lowest layer. Most settings take
/// effect when the proxy starts. The object of the kind ProxyConfig is another message
/// ([`networking::ProxyConfig`](crate::networking::ProxyConfig)).
///
/// ```
/// use mesh_api::mesh::MeshProxyConfig;
///
/// let layer: MeshProxyConfig = serde_json::from_str(r#"{"concurrency": 2, "holdApplicationUntilProxyStarts": true}"#)?;
/// assert_eq!((layer.concurrency, layer.proxy_admin_port), (Some(2), 0));
/// assert_eq!(MeshProxyConfig::built_in().proxy_admin_port, 15000);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "MeshProxyConfigWire", into = "MeshProxyConfigWire")]
pub struct MeshProxyConfig {
    /// Folder in the proxy's container for generated configuration; required. Built in: `./etc/istio/proxy`.
    pub config_path: String,
    /// Path of Envoy's program in the container; required. Built in: `/usr/local/bin/envoy`.
    pub binary_path: String,
    /// The name that the proxy gives as its service in traces; required. Built in: `istio-proxy`.
    pub cluster_name: Option<ProxyClusterName>,
    /// Time that connections get to end while a proxy or listener drains; whole seconds, at least 1 s. Built in: 45 s.
    pub drain_duration: Option<Duration>,
    /// Address of istiod as `host:port`; required. Built in: `istiod.istio-system.svc:15012`.
    pub discovery_address: String,
    /// Pause between two requests to the control plane. Deprecated and undocumented; without effect.
    pub discovery_refresh_delay: Option<Duration>,
    /// Address of Zipkin as `host:port`. Deprecated: `tracing` says the same.
    pub zipkin_address: String,
    /// Address of a StatsD listener over UDP, as `host:port`. Empty means none.
    pub statsd_udp_address: String,
    /// Address of a metrics service. Deprecated and undocumented: `envoy_metrics_service` says the same.
    pub envoy_metrics_service_address: String,
    /// Port of Envoy's administration interface on loopback, 1..65535. Built in: 15000.
    pub proxy_admin_port: i32,
    /// Zone of the proxy. Deprecated and undocumented; without effect.
    pub availability_zone: String,
    /// How the proxy proves itself to the control plane. Built in: MUTUAL_TLS.
    pub control_plane_auth_policy: AuthenticationPolicy,
    /// File with a bootstrap configuration to be used in place of the generated one. Empty means none.
    pub custom_config_file: String,
    /// Longest name of a statistic, in characters. Built in: 189. Zero leaves it to Envoy.
    pub stat_name_length: i32,
    /// Number of worker threads, 0 or more; 0 means one per core. Absent means by the CPU limit of the container.
    pub concurrency: Option<i32>,
    /// File with a template of the bootstrap configuration. Empty means the one of the image.
    pub proxy_bootstrap_template_path: String,
    /// How inbound traffic is redirected to the proxy. Zero is REDIRECT.
    pub interception_mode: InboundInterceptionMode,
    /// Tracing. Absent means no tracer of the proxy's own, and a sampling of 1 %.
    pub tracing: Option<Box<Tracing>>,
    /// Secret discovery. Deprecated and undocumented; it is always on.
    pub sds: Option<Sds>,
    /// Service that takes access logs over gRPC; needs `enableEnvoyAccessLogService` of the mesh. Absent means none.
    pub envoy_access_log_service: Option<Box<RemoteService>>,
    /// Service that takes metrics over gRPC. Absent means none.
    pub envoy_metrics_service: Option<Box<RemoteService>>,
    /// Environment variables of the proxy; those of layers are united by key. `ISTIO_META_` ones become node metadata.
    /// Default none.
    pub proxy_metadata: BTreeMap<String, String>,
    /// Flags of Envoy's runtime for the bootstrap. Default none.
    pub runtime_values: BTreeMap<String, String>,
    /// Port of the agent's health checks and merged metrics, 1..65535. Built in: 15020.
    pub status_port: i32,
    /// More tags for Envoy's statistics, to be taken from names of tags that Telemetry adds. Default none.
    pub extra_stat_tags: Vec<String>,
    /// What stands in front of a gateway. Absent means no trusted proxies.
    pub gateway_topology: Option<Topology>,
    /// Time that connections get to end when the container is stopped. Built in: 5 s.
    pub termination_drain_duration: Option<Duration>,
    /// Id of the mesh, for telemetry of several meshes. Empty means the trust domain.
    pub mesh_id: String,
    /// When a workload outside Kubernetes counts as ready. Absent means always.
    pub readiness_probe: Option<Box<ReadinessProbe>>,
    /// Which of Envoy's statistics exist beside Istio's usual choice. Default none.
    pub proxy_stats_matcher: Option<ProxyStatsMatcher>,
    /// Whether the application's containers start only when the proxy is ready. Absent means false.
    pub hold_application_until_proxy_starts: Option<bool>,
    /// Root certificates for istiod in PEM, used in place of the mounted ones. Default none.
    pub ca_certificates_pem: Vec<String>,
    /// Image of the proxy. Absent means what the installation says.
    pub image: Option<ProxyImage>,
    /// Hardware or library that computes with private keys. Absent means Envoy itself.
    pub private_key_provider: Option<PrivateKeyProvider>,
    /// Headers that the proxy adds or removes. Default none.
    pub proxy_headers: Option<Box<ProxyHeaders>>,
    /// Pause between two flushes of access log files. Absent means 1 s.
    pub file_flush_interval: Option<Duration>,
    /// Size of the buffer of access log files that causes a flush, in KiB. Zero means 64.
    pub file_flush_min_size_kb: u32,
    /// Whether metrics may be compressed on the way to a scraper that asks for it. Absent means true.
    pub stats_compression: Option<bool>,
    /// Limits and timeouts of connections from clients. Absent means Istio's usual ones.
    pub connection_settings: Option<Box<ConnectionSettings>>,
}

impl MeshProxyConfig {
    /// What Istio builds in: the start of every merge. Nothing else is stored, what an absent field means is decided by
    /// its consumer.
    ///
    /// Source: Istio `pkg/config/mesh` DefaultProxyConfig.
    pub fn built_in() -> Self {
        Self {
            config_path: "./etc/istio/proxy".to_owned(),
            binary_path: "/usr/local/bin/envoy".to_owned(),
            cluster_name: Some(ProxyClusterName::ServiceCluster("istio-proxy".to_owned())),
            drain_duration: Some(Duration::from_secs(45)),
            termination_drain_duration: Some(Duration::from_secs(5)),
            proxy_admin_port: 15000,
            control_plane_auth_policy: AuthenticationPolicy::MutualTls,
            discovery_address: "istiod.istio-system.svc:15012".to_owned(),
            stat_name_length: 189,
            status_port: 15020,
            ..Self::default()
        }
    }
}

/// The name that a proxy gives as its service in traces.
#[derive(Debug, Clone, PartialEq)]
pub enum ProxyClusterName {
    /// A fixed name, not empty (A-MP-3).
    ServiceCluster(String),
    /// A name made from labels of the workload.
    TracingServiceName(TracingServiceName),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "MeshProxyConfig(serviceCluster|tracingServiceName)")]
struct MeshProxyConfigWire {
    #[serde(skip_serializing_if = "is_default")]
    config_path: String,
    #[serde(skip_serializing_if = "is_default")]
    binary_path: String,
    #[serde(skip_serializing_if = "is_default")]
    service_cluster: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    tracing_service_name: Option<TracingServiceName>,
    #[serde(skip_serializing_if = "is_default")]
    drain_duration: Option<Duration>,
    #[serde(skip_serializing_if = "is_default")]
    discovery_address: String,
    #[serde(skip_serializing_if = "is_default")]
    discovery_refresh_delay: Option<Duration>,
    #[serde(skip_serializing_if = "is_default")]
    zipkin_address: String,
    #[serde(skip_serializing_if = "is_default")]
    statsd_udp_address: String,
    #[serde(skip_serializing_if = "is_default")]
    envoy_metrics_service_address: String,
    #[serde(skip_serializing_if = "is_default")]
    proxy_admin_port: i32,
    #[serde(skip_serializing_if = "is_default")]
    availability_zone: String,
    #[serde(skip_serializing_if = "is_default")]
    control_plane_auth_policy: AuthenticationPolicy,
    #[serde(skip_serializing_if = "is_default")]
    custom_config_file: String,
    #[serde(skip_serializing_if = "is_default")]
    stat_name_length: i32,
    #[serde(skip_serializing_if = "is_default")]
    concurrency: Option<i32>,
    #[serde(skip_serializing_if = "is_default")]
    proxy_bootstrap_template_path: String,
    #[serde(skip_serializing_if = "is_default")]
    interception_mode: InboundInterceptionMode,
    #[serde(skip_serializing_if = "is_default")]
    tracing: Option<Box<Tracing>>,
    #[serde(skip_serializing_if = "is_default")]
    sds: Option<Sds>,
    #[serde(skip_serializing_if = "is_default")]
    envoy_access_log_service: Option<Box<RemoteService>>,
    #[serde(skip_serializing_if = "is_default")]
    envoy_metrics_service: Option<Box<RemoteService>>,
    #[serde(skip_serializing_if = "is_default")]
    proxy_metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_default")]
    runtime_values: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_default")]
    status_port: i32,
    #[serde(skip_serializing_if = "is_default")]
    extra_stat_tags: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    gateway_topology: Option<Topology>,
    #[serde(skip_serializing_if = "is_default")]
    termination_drain_duration: Option<Duration>,
    #[serde(skip_serializing_if = "is_default")]
    mesh_id: String,
    #[serde(skip_serializing_if = "is_default")]
    readiness_probe: Option<Box<ReadinessProbe>>,
    #[serde(skip_serializing_if = "is_default")]
    proxy_stats_matcher: Option<ProxyStatsMatcher>,
    #[serde(skip_serializing_if = "is_default")]
    hold_application_until_proxy_starts: Option<bool>,
    #[serde(skip_serializing_if = "is_default")]
    ca_certificates_pem: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    image: Option<ProxyImage>,
    #[serde(skip_serializing_if = "is_default")]
    private_key_provider: Option<PrivateKeyProvider>,
    #[serde(skip_serializing_if = "is_default")]
    proxy_headers: Option<Box<ProxyHeaders>>,
    #[serde(skip_serializing_if = "is_default")]
    file_flush_interval: Option<Duration>,
    #[serde(skip_serializing_if = "is_default")]
    file_flush_min_size_kb: u32,
    #[serde(skip_serializing_if = "is_default")]
    stats_compression: Option<bool>,
    #[serde(skip_serializing_if = "is_default")]
    connection_settings: Option<Box<ConnectionSettings>>,
}

oneofs! {
    MeshProxyConfig as MeshProxyConfigWire {
        config_path, binary_path, drain_duration, discovery_address, discovery_refresh_delay, zipkin_address,
        statsd_udp_address, envoy_metrics_service_address, proxy_admin_port, availability_zone,
        control_plane_auth_policy, custom_config_file, stat_name_length, concurrency, proxy_bootstrap_template_path,
        interception_mode, tracing, sds, envoy_access_log_service, envoy_metrics_service, proxy_metadata,
        runtime_values, status_port, extra_stat_tags, gateway_topology, termination_drain_duration, mesh_id,
        readiness_probe, proxy_stats_matcher, hold_application_until_proxy_starts, ca_certificates_pem, image,
        private_key_provider, proxy_headers, file_flush_interval, file_flush_min_size_kb, stats_compression,
        connection_settings,
    }
    cluster_name: ProxyClusterName {
        service_cluster => ServiceCluster,
        tracing_service_name => TracingServiceName,
    }
}

wire_enum! {
    /// How a proxy's name in traces is made from labels.
    pub enum TracingServiceName {
        /// The label `app` and the namespace, `reviews.shop`; without it the name `istio-proxy` and the namespace.
        AppLabelAndNamespace = 0 => "APP_LABEL_AND_NAMESPACE",
        /// The canonical name alone.
        CanonicalNameOnly = 1 => "CANONICAL_NAME_ONLY",
        /// The canonical name and the namespace.
        CanonicalNameAndNamespace = 2 => "CANONICAL_NAME_AND_NAMESPACE",
    }
}

wire_enum! {
    /// How a proxy proves itself to the control plane.
    pub enum AuthenticationPolicy {
        /// Not at all.
        None = 0 => "NONE",
        /// By mutual TLS.
        MutualTls = 1 => "MUTUAL_TLS",
        /// As the level above says. Refused in MeshConfig (A-MP-16).
        Inherit = 1000 => "INHERIT",
    }
}

wire_enum! {
    /// How inbound traffic is redirected to the proxy.
    pub enum InboundInterceptionMode {
        /// By NAT: the source address is lost.
        Redirect = 0 => "REDIRECT",
        /// By TPROXY: addresses of both sides are kept.
        Tproxy = 1 => "TPROXY",
        /// Not at all: the application speaks to the proxy.
        None = 2 => "NONE",
    }
}

/// Secret discovery. Deprecated and undocumented; without effect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sds {
    /// Whether it is on. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub enabled: bool,
    /// File of the Kubernetes token. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub k8s_sa_jwt_path: String,
}

/// Which of Envoy's statistics exist beside Istio's usual choice: those whose name any of the lists matches.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyStatsMatcher {
    /// Beginnings of names. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub inclusion_prefixes: Vec<String>,
    /// Ends of names. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub inclusion_suffixes: Vec<String>,
    /// Regular expressions (RE2) for whole names. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub inclusion_regexps: Vec<String>,
}
