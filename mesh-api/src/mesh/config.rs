//! MeshConfig.

use serde::{Deserialize, Serialize};

use super::{
    AccessLogEncoding, Ca, Certificate, CertificateData, ConfigSource, DefaultProviders,
    DefaultTrafficPolicy, EnvoyFileAccessLogProvider, ExtensionProvider, H2UpgradePolicy,
    InboundTrafficPolicy, InboundTrafficPolicyMode, IngressControllerMode, LabelSelector, MeshProxyConfig,
    OutboundTrafficPolicy, OutboundTrafficPolicyMode, PrometheusMetricsProvider, Provider,
    ProxyPathNormalization, ServiceEntryVisibility, ServiceScopeConfigs, ServiceSettings,
    StackdriverProvider, TlsConfig,
};
use crate::networking::{HttpRetry, LocalityLoadBalancerSetting, TcpKeepalive, ZoneAwareLoadBalancerSetting};
use crate::scalar::Duration;
use crate::wire::is_default;

/// Settings that hold for the whole mesh.
///
/// [`MeshConfig::default`] is Istio's built-in configuration. The way from a document to a mesh configuration is
/// [`decode_mesh_config`](crate::decode_mesh_config), which merges as Istio does (A-MRG-1):
///
/// ```
/// use mesh_api::mesh::OutboundTrafficPolicyMode;
///
/// let (mesh, report) = mesh_api::decode_mesh_config("mesh.yaml", b"
/// outboundTrafficPolicy: {mode: REGISTRY_ONLY}
/// defaultConfig: {concurrency: 2}
/// ");
/// assert!(report.is_ok());
/// assert_eq!(mesh.outbound_traffic_policy.mode, OutboundTrafficPolicyMode::RegistryOnly);
/// assert_eq!(mesh.root_namespace, "istio-system");
/// let proxies = mesh.default_config.ok_or("the default configuration of proxies")?;
/// assert_eq!((proxies.concurrency, proxies.proxy_admin_port), (Some(2), 15000));
/// # Ok::<(), &str>(())
/// ```
///
/// Its serde form is that of a whole value: what is not there has its built-in value, and what is there is taken as it is,
/// nested fields included. So a `defaultConfig` that is read by serde alone holds just the fields that it names.
/// On write, fields whose built-in value is not zero are always there, so that reading gives back the same value.
///
/// Source: Istio API `mesh/v1alpha1/config.proto`; defaults: Istio `pkg/config/mesh`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MeshConfig {
    /// Port of the sidecar's outbound listener that takes redirected traffic. Default 15001.
    pub proxy_listen_port: i32,
    /// Port of the sidecar's inbound listener that takes redirected traffic. Default 15006.
    pub proxy_inbound_listen_port: i32,
    /// Port of an explicit HTTP proxy in the sidecar. Zero, the default, means none.
    #[serde(skip_serializing_if = "is_default")]
    pub proxy_http_port: i32,
    /// Time to establish a connection, unless a DestinationRule says otherwise; at least 1 ms. Default 10 s.
    pub connect_timeout: Duration,
    /// Idle time after which an HBONE tunnel is closed. Absent means 1 h.
    #[serde(skip_serializing_if = "is_default")]
    pub hbone_idle_timeout: Option<Duration>,
    /// Time to wait for the client's first bytes where the protocol is detected. Zero, the default, means no limit.
    /// Undocumented.
    #[serde(skip_serializing_if = "is_default")]
    pub protocol_detection_timeout: Duration,
    /// Keep-alive of upstream connections, unless a DestinationRule says otherwise. Absent means none.
    #[serde(skip_serializing_if = "is_default")]
    pub tcp_keepalive: Option<TcpKeepalive>,
    /// Class of the Ingress objects to serve. Default `istio`.
    pub ingress_class: String,
    /// Name of the Service of the ingress gateway. Default `istio-ingressgateway`.
    pub ingress_service: String,
    /// Which Ingress objects are served. Default STRICT: those of the class.
    pub ingress_controller_mode: IngressControllerMode,
    /// Value of the label `istio` of the ingress gateway's workloads. Empty means that of the service.
    #[serde(skip_serializing_if = "is_default")]
    pub ingress_selector: String,
    /// Whether tracing is on where a provider is configured. Default true.
    pub enable_tracing: bool,
    /// File for access logs. Empty, the default, means none.
    #[serde(skip_serializing_if = "is_default")]
    pub access_log_file: String,
    /// Format of access log lines. Empty means the proxy's default.
    #[serde(skip_serializing_if = "is_default")]
    pub access_log_format: String,
    /// Encoding of access log lines. Default TEXT.
    #[serde(skip_serializing_if = "is_default")]
    pub access_log_encoding: AccessLogEncoding,
    /// Send access logs to the service that the proxy configuration names. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub enable_envoy_access_log_service: bool,
    /// Leave out the access log of listeners (connections that no filter chain takes). Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub disable_envoy_listener_log: bool,
    /// Default configuration of proxies. Required; built in: [`MeshProxyConfig::built_in`].
    pub default_config: Option<Box<MeshProxyConfig>>,
    /// What becomes of outbound traffic to unknown destinations. Default ALLOW_ANY.
    pub outbound_traffic_policy: OutboundTrafficPolicy,
    /// What becomes of inbound traffic to ports that no service has. Default PASSTHROUGH.
    #[serde(skip_serializing_if = "is_default")]
    pub inbound_traffic_policy: InboundTrafficPolicy,
    /// Sources of configuration. Empty means the API server that istiod runs on.
    #[serde(skip_serializing_if = "is_default")]
    pub config_sources: Vec<ConfigSource>,
    /// Whether clients use mutual TLS on their own towards workloads that accept it. Default true.
    pub enable_auto_mtls: bool,
    /// Trust domain of the mesh's identities. Default `cluster.local`.
    pub trust_domain: String,
    /// Other trust domains whose identities count as those of `trust_domain`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub trust_domain_aliases: Vec<String>,
    /// More CA certificates that proxies trust. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub ca_certificates: Vec<CertificateData>,
    /// Where services without `exportTo` are visible: `.`, `*` or namespaces. Default `*`.
    pub default_service_export_to: Vec<String>,
    /// Where VirtualServices without `exportTo` are visible. Default `*`.
    pub default_virtual_service_export_to: Vec<String>,
    /// Where DestinationRules without `exportTo` are visible. Default `*`.
    pub default_destination_rule_export_to: Vec<String>,
    /// Namespace whose policies hold for the whole mesh. Default `istio-system`.
    pub root_namespace: String,
    /// Preference among localities, unless a DestinationRule says otherwise. Default: enabled, by priority.
    pub locality_lb_setting: LocalityLoadBalancerSetting,
    /// Zone-aware routing, unless a DestinationRule says otherwise. Absent means none.
    #[serde(skip_serializing_if = "is_default")]
    pub zone_aware_lb_setting: Option<ZoneAwareLoadBalancerSetting>,
    /// How often proxies ask DNS for addresses of DNS services. Default 60 s.
    pub dns_refresh_rate: Duration,
    /// Whether HTTP/1.1 is upgraded to HTTP/2 inside the mesh. Default DO_NOT_UPGRADE.
    #[serde(skip_serializing_if = "is_default")]
    pub h2_upgrade_policy: H2UpgradePolicy,
    /// Pattern for the statistics name of inbound clusters. Empty means the cluster's name.
    #[serde(skip_serializing_if = "is_default")]
    pub inbound_cluster_stat_name: String,
    /// Pattern for the statistics name of outbound clusters. Empty means the cluster's name.
    #[serde(skip_serializing_if = "is_default")]
    pub outbound_cluster_stat_name: String,
    /// Certificates to provision by DNS name. Deprecated and undocumented; without effect.
    #[serde(skip_serializing_if = "is_default")]
    pub certificates: Vec<Certificate>,
    /// Settings of services by host. Undocumented. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub service_settings: Vec<ServiceSettings>,
    /// Which services are visible to other clusters; the first entry that matches holds. Without one: in ambient mode their
    /// own cluster alone. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub service_scope_configs: Vec<ServiceScopeConfigs>,
    /// Whether the proxy serves the application's metrics together with its own. Default true.
    pub enable_prometheus_merge: bool,
    /// Whether clients verify server certificates by default. Deprecated and undocumented.
    #[serde(skip_serializing_if = "is_default")]
    pub verify_certificate_at_client: Option<bool>,
    /// An external CA. Absent means that of the installation. Undocumented.
    #[serde(skip_serializing_if = "is_default")]
    pub ca: Option<Box<Ca>>,
    /// Providers of tracing, metrics, access logs and authorization, by name. Built in: `prometheus`, `stackdriver` and
    /// `envoy`, the access log on standard output.
    pub extension_providers: Vec<ExtensionProvider>,
    /// Providers in use where no Telemetry object names one.
    #[serde(skip_serializing_if = "is_default")]
    pub default_providers: DefaultProviders,
    /// Namespaces that the control plane looks at; a namespace is in scope if any selector matches. Empty means all.
    #[serde(skip_serializing_if = "is_default")]
    pub discovery_selectors: Vec<LabelSelector>,
    /// How paths are normalised before routing and policies. Absent, or DEFAULT, means BASE.
    #[serde(skip_serializing_if = "is_default")]
    pub path_normalization: Option<ProxyPathNormalization>,
    /// Retry policy of routes without one. Absent means two retries on connection failures and the like (R-RTY-1).
    #[serde(skip_serializing_if = "is_default")]
    pub default_http_retry_policy: Option<Box<HttpRetry>>,
    /// TLS of mutual TLS inside the mesh. Default none.
    #[serde(rename = "meshMTLS", skip_serializing_if = "is_default")]
    pub mesh_mtls: Option<TlsConfig>,
    /// TLS of all other servers and clients. Absent means at least 1.2.
    #[serde(skip_serializing_if = "is_default")]
    pub tls_defaults: Option<TlsConfig>,
    /// Connection limits and outlier detection of hosts whose DestinationRule has none (R-TP-2).
    #[serde(skip_serializing_if = "is_default")]
    pub default_traffic_policy: Option<Box<DefaultTrafficPolicy>>,
    /// Limits on the visibility of ServiceEntry objects by namespace. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub service_entry_visibility: Option<ServiceEntryVisibility>,
    /// Retry policy of inbound routes. Absent means none. New in Istio 1.32.
    #[serde(skip_serializing_if = "is_default")]
    pub default_inbound_http_retry_policy: Option<Box<HttpRetry>>,
}

impl Default for MeshConfig {
    fn default() -> Self {
        let everywhere = || vec!["*".to_owned()];
        let provider = |name: &str, provider| ExtensionProvider {
            name: name.to_owned(),
            provider: Some(provider),
        };
        let log = EnvoyFileAccessLogProvider {
            path: "/dev/stdout".to_owned(),
            ..EnvoyFileAccessLogProvider::default()
        };
        Self {
            proxy_listen_port: 15001,
            proxy_inbound_listen_port: 15006,
            proxy_http_port: 0,
            connect_timeout: Duration::from_secs(10),
            hbone_idle_timeout: None,
            protocol_detection_timeout: Duration::ZERO,
            tcp_keepalive: None,
            ingress_class: "istio".to_owned(),
            ingress_service: "istio-ingressgateway".to_owned(),
            ingress_controller_mode: IngressControllerMode::Strict,
            ingress_selector: String::new(),
            enable_tracing: true,
            access_log_file: String::new(),
            access_log_format: String::new(),
            access_log_encoding: AccessLogEncoding::Text,
            enable_envoy_access_log_service: false,
            disable_envoy_listener_log: false,
            default_config: Some(Box::new(MeshProxyConfig::built_in())),
            outbound_traffic_policy: OutboundTrafficPolicy {
                mode: OutboundTrafficPolicyMode::AllowAny,
                tls: None,
            },
            inbound_traffic_policy: InboundTrafficPolicy {
                mode: InboundTrafficPolicyMode::Passthrough,
            },
            config_sources: Vec::new(),
            enable_auto_mtls: true,
            trust_domain: "cluster.local".to_owned(),
            trust_domain_aliases: Vec::new(),
            ca_certificates: Vec::new(),
            default_service_export_to: everywhere(),
            default_virtual_service_export_to: everywhere(),
            default_destination_rule_export_to: everywhere(),
            root_namespace: "istio-system".to_owned(),
            locality_lb_setting: LocalityLoadBalancerSetting {
                enabled: Some(true),
                ..Default::default()
            },
            zone_aware_lb_setting: None,
            dns_refresh_rate: Duration::from_secs(60),
            h2_upgrade_policy: H2UpgradePolicy::DoNotUpgrade,
            inbound_cluster_stat_name: String::new(),
            outbound_cluster_stat_name: String::new(),
            certificates: Vec::new(),
            service_settings: Vec::new(),
            service_scope_configs: Vec::new(),
            enable_prometheus_merge: true,
            verify_certificate_at_client: None,
            ca: None,
            extension_providers: vec![
                provider(
                    "prometheus",
                    Provider::Prometheus(PrometheusMetricsProvider::default()),
                ),
                provider(
                    "stackdriver",
                    Provider::Stackdriver(StackdriverProvider::default()),
                ),
                provider("envoy", Provider::EnvoyFileAccessLog(log)),
            ],
            default_providers: DefaultProviders::default(),
            discovery_selectors: Vec::new(),
            path_normalization: None,
            default_http_retry_policy: None,
            mesh_mtls: None,
            tls_defaults: None,
            default_traffic_policy: None,
            service_entry_visibility: None,
            default_inbound_http_retry_policy: None,
        }
    }
}
