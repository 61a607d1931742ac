//! MeshConfig.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{LabelSelector, ServiceEntryVisibility};
use crate::networking::{
    ClientTlsSettings, ConnectionPoolSettings, HttpRetry, LocalityLoadBalancerSetting, OutlierDetection,
    TcpKeepalive, ZoneAwareLoadBalancerSetting,
};
use crate::scalar::{Duration, wire_enum};
use crate::wire::is_default;

/// Settings that hold for the whole mesh.
///
/// [`MeshConfig::default`] is Istio's built-in configuration, and reading a document lays it over that: a field that the
/// document has replaces the built-in value as a whole, nested fields included (A-MRG-1). So `outboundTrafficPolicy: {tls:
/// {}}` sets the mode to REGISTRY_ONLY, as in Istio. The exceptions that A-MRG-1 makes for lists of providers do not apply
/// here: `default_config`, `extension_providers` and the other parts that are kept as JSON are taken as the document has
/// them, and the providers that Istio builds in are not listed.
///
/// ```
/// use mesh_api::mesh::{MeshConfig, OutboundTrafficPolicyMode};
///
/// let mesh: MeshConfig = serde_json::from_str(r#"{"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}"#)?;
/// assert_eq!(mesh.outbound_traffic_policy.mode, OutboundTrafficPolicyMode::RegistryOnly);
/// assert_eq!(mesh.root_namespace, "istio-system");
/// # Ok::<(), serde_json::Error>(())
/// ```
///
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
    /// Default configuration of proxies, as JSON (upstream type `ProxyConfig`). Absent means the built-in one.
    #[serde(skip_serializing_if = "is_default")]
    pub default_config: Option<Value>,
    /// What becomes of outbound traffic to unknown destinations. Default ALLOW_ANY.
    pub outbound_traffic_policy: OutboundTrafficPolicy,
    /// What becomes of inbound traffic to ports that no service has. Default PASSTHROUGH.
    #[serde(skip_serializing_if = "is_default")]
    pub inbound_traffic_policy: InboundTrafficPolicy,
    /// Sources of configuration, as JSON (upstream type `ConfigSource`).
    #[serde(skip_serializing_if = "is_default")]
    pub config_sources: Vec<Value>,
    /// Whether clients use mutual TLS on their own towards workloads that accept it. Default true.
    pub enable_auto_mtls: bool,
    /// Trust domain of the mesh's identities. Default `cluster.local`.
    pub trust_domain: String,
    /// Other trust domains whose identities count as those of `trust_domain`.
    #[serde(skip_serializing_if = "is_default")]
    pub trust_domain_aliases: Vec<String>,
    /// More CA certificates that proxies trust, as JSON (upstream type `CertificateData`).
    #[serde(skip_serializing_if = "is_default")]
    pub ca_certificates: Vec<Value>,
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
    /// Certificates to provision by DNS name, as JSON. Deprecated and undocumented; without effect.
    #[serde(skip_serializing_if = "is_default")]
    pub certificates: Vec<Value>,
    /// Settings of services by host, as JSON (upstream type `ServiceSettings`). Undocumented.
    #[serde(skip_serializing_if = "is_default")]
    pub service_settings: Vec<Value>,
    /// Which services are visible to other clusters, as JSON (upstream type `ServiceScopeConfigs`).
    #[serde(skip_serializing_if = "is_default")]
    pub service_scope_configs: Vec<Value>,
    /// Whether the proxy serves the application's metrics together with its own. Default true.
    pub enable_prometheus_merge: bool,
    /// Whether clients verify server certificates by default. Deprecated and undocumented.
    #[serde(skip_serializing_if = "is_default")]
    pub verify_certificate_at_client: Option<bool>,
    /// An external CA, as JSON (upstream type `CA`). Undocumented.
    #[serde(skip_serializing_if = "is_default")]
    pub ca: Option<Value>,
    /// Providers of tracing, logging and authorization, as JSON (upstream type `ExtensionProvider`).
    #[serde(skip_serializing_if = "is_default")]
    pub extension_providers: Vec<Value>,
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
    /// TLS of mutual TLS inside the mesh.
    #[serde(rename = "meshMTLS", skip_serializing_if = "is_default")]
    pub mesh_mtls: Option<TlsConfig>,
    /// TLS of all other servers and clients. Absent means at least 1.2.
    #[serde(skip_serializing_if = "is_default")]
    pub tls_defaults: Option<TlsConfig>,
    /// Connection limits and outlier detection of hosts whose DestinationRule has none (R-TP-2).
    #[serde(skip_serializing_if = "is_default")]
    pub default_traffic_policy: Option<Box<DefaultTrafficPolicy>>,
    /// Limits on the visibility of ServiceEntry objects by namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub service_entry_visibility: Option<ServiceEntryVisibility>,
    /// Retry policy of inbound routes. Absent means none. New in Istio 1.32.
    #[serde(skip_serializing_if = "is_default")]
    pub default_inbound_http_retry_policy: Option<Box<HttpRetry>>,
}

impl Default for MeshConfig {
    fn default() -> Self {
        let everywhere = || vec!["*".to_owned()];
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
            default_config: None,
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
            extension_providers: Vec::new(),
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

/// What becomes of outbound traffic to destinations that no service of the registry covers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OutboundTrafficPolicy {
    /// Whether such traffic is let through. An empty message is REGISTRY_ONLY.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: OutboundTrafficPolicyMode,
    /// TLS towards such destinations; only with ALLOW_ANY_DYNAMIC_DNS.
    #[serde(skip_serializing_if = "is_default")]
    pub tls: Option<Box<ClientTlsSettings>>,
}

wire_enum! {
    /// Whether traffic to unknown destinations is let through.
    pub enum OutboundTrafficPolicyMode {
        /// It is dropped.
        RegistryOnly = 0 => "REGISTRY_ONLY",
        /// It is forwarded to the address that the client asked for.
        AllowAny = 1 => "ALLOW_ANY",
        /// It is forwarded to what DNS says about the host of the request.
        AllowAnyDynamicDns = 3 => "ALLOW_ANY_DYNAMIC_DNS",
    }
}

/// What becomes of inbound traffic to ports that no service has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InboundTrafficPolicy {
    /// Where it is forwarded to.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: InboundTrafficPolicyMode,
}

wire_enum! {
    /// Where inbound traffic to unknown ports is forwarded to.
    pub enum InboundTrafficPolicyMode {
        /// The address that the client asked for.
        Passthrough = 0 => "PASSTHROUGH",
        /// 127.0.0.1.
        Localhost = 1 => "LOCALHOST",
    }
}

wire_enum! {
    /// Which Ingress objects are served.
    pub enum IngressControllerMode {
        /// As [`IngressControllerMode::Strict`].
        Unspecified = 0 => "UNSPECIFIED",
        /// None.
        Off = 1 => "OFF",
        /// Those of the class, and those without any.
        Default = 2 => "DEFAULT",
        /// Those of the class.
        Strict = 3 => "STRICT",
    }
}

wire_enum! {
    /// Encoding of access log lines.
    pub enum AccessLogEncoding {
        /// Text.
        Text = 0 => "TEXT",
        /// JSON.
        Json = 1 => "JSON",
    }
}

wire_enum! {
    /// Whether HTTP/1.1 connections inside the mesh are upgraded to HTTP/2.
    pub enum H2UpgradePolicy {
        /// No.
        DoNotUpgrade = 0 => "DO_NOT_UPGRADE",
        /// Yes.
        Upgrade = 1 => "UPGRADE",
    }
}

/// Providers in use where no Telemetry object names one, by name of an extension provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DefaultProviders {
    /// For tracing.
    #[serde(skip_serializing_if = "is_default")]
    pub tracing: Vec<String>,
    /// For metrics.
    #[serde(skip_serializing_if = "is_default")]
    pub metrics: Vec<String>,
    /// For access logs.
    #[serde(skip_serializing_if = "is_default")]
    pub access_logging: Vec<String>,
}

/// How paths are normalised before routing and policies.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyPathNormalization {
    /// The steps. Zero means BASE.
    #[serde(skip_serializing_if = "is_default")]
    pub normalization: NormalizationType,
}

wire_enum! {
    /// Steps of path normalisation.
    pub enum NormalizationType {
        /// As [`NormalizationType::Base`].
        Default = 0 => "DEFAULT",
        /// None.
        None = 1 => "NONE",
        /// RFC 3986: dot segments removed, unreserved characters decoded, backslashes turned into slashes.
        Base = 2 => "BASE",
        /// In addition runs of slashes become one.
        MergeSlashes = 3 => "MERGE_SLASHES",
        /// In addition escaped slashes and backslashes are decoded first.
        DecodeAndMergeSlashes = 4 => "DECODE_AND_MERGE_SLASHES",
    }
}

/// Parameters of TLS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsConfig {
    /// Lowest version. Zero means 1.2.
    #[serde(skip_serializing_if = "is_default")]
    pub min_protocol_version: TlsProtocol,
    /// Curves for the key exchange (A-X-28). Empty means Envoy's default.
    #[serde(skip_serializing_if = "is_default")]
    pub ecdh_curves: Vec<String>,
    /// Cipher suites for versions up to 1.2, in OpenSSL names (A-X-27). Empty means Istio's default.
    #[serde(skip_serializing_if = "is_default")]
    pub cipher_suites: Vec<String>,
}

wire_enum! {
    /// Versions of TLS that the mesh may ask for. Their numbers differ from those of
    /// [`networking::TlsProtocol`](crate::networking::TlsProtocol).
    pub enum TlsProtocol {
        /// The default, 1.2.
        TlsAuto = 0 => "TLS_AUTO",
        /// TLS 1.2
        TlsV1_2 = 1 => "TLSV1_2",
        /// TLS 1.3
        TlsV1_3 = 2 => "TLSV1_3",
    }
}

/// Policies of hosts whose DestinationRule has none. Each block is taken as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DefaultTrafficPolicy {
    /// Limits and timeouts of connections.
    #[serde(skip_serializing_if = "is_default")]
    pub connection_pool: Option<Box<ConnectionPoolSettings>>,
    /// When an endpoint is ejected.
    #[serde(skip_serializing_if = "is_default")]
    pub outlier_detection: Option<Box<OutlierDetection>>,
}
