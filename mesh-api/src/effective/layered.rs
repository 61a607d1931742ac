//! Messages that are laid over each other field by field.

use crate::mesh::{DefaultProviders, MeshConfig, MeshProxyConfig, ProxyHeaders};
use crate::wire::is_default;

/// A message whose fields are taken over by their JSON names.
pub(super) trait Layered {
    /// The names of all fields.
    const FIELDS: &'static [&'static str];

    /// Takes a field over from another message; nothing for a name that is no field.
    fn take(&mut self, field: &str, from: &Self);

    /// The fields that are not zero: what a message sets that came without a document.
    fn set_fields(&self) -> Vec<&'static str>;
}

/// Lists the fields of a message. A field with several names is a oneof; the first name stands for it in `set_fields`.
macro_rules! layered {
    ($message:ident { $($field:ident: $name:literal $(| $other:literal)*),* $(,)? }) => {
        impl Layered for $message {
            const FIELDS: &'static [&'static str] = &[$($name, $($other,)*)*];

            fn take(&mut self, field: &str, from: &Self) {
                match field {
                    $($name $(| $other)* => self.$field.clone_from(&from.$field),)*
                    _ => {}
                }
            }

            fn set_fields(&self) -> Vec<&'static str> {
                let $message { $($field),* } = self;
                let mut set = Vec::new();
                $(if !is_default($field) {
                    set.push($name);
                })*
                set
            }
        }
    };
}

layered! {
    MeshProxyConfig {
        config_path: "configPath",
        binary_path: "binaryPath",
        cluster_name: "serviceCluster" | "tracingServiceName",
        drain_duration: "drainDuration",
        discovery_address: "discoveryAddress",
        discovery_refresh_delay: "discoveryRefreshDelay",
        zipkin_address: "zipkinAddress",
        statsd_udp_address: "statsdUdpAddress",
        envoy_metrics_service_address: "envoyMetricsServiceAddress",
        proxy_admin_port: "proxyAdminPort",
        availability_zone: "availabilityZone",
        control_plane_auth_policy: "controlPlaneAuthPolicy",
        custom_config_file: "customConfigFile",
        stat_name_length: "statNameLength",
        concurrency: "concurrency",
        proxy_bootstrap_template_path: "proxyBootstrapTemplatePath",
        interception_mode: "interceptionMode",
        tracing: "tracing",
        sds: "sds",
        envoy_access_log_service: "envoyAccessLogService",
        envoy_metrics_service: "envoyMetricsService",
        proxy_metadata: "proxyMetadata",
        runtime_values: "runtimeValues",
        status_port: "statusPort",
        extra_stat_tags: "extraStatTags",
        gateway_topology: "gatewayTopology",
        termination_drain_duration: "terminationDrainDuration",
        mesh_id: "meshId",
        readiness_probe: "readinessProbe",
        proxy_stats_matcher: "proxyStatsMatcher",
        hold_application_until_proxy_starts: "holdApplicationUntilProxyStarts",
        ca_certificates_pem: "caCertificatesPem",
        image: "image",
        private_key_provider: "privateKeyProvider",
        proxy_headers: "proxyHeaders",
        file_flush_interval: "fileFlushInterval",
        file_flush_min_size_kb: "fileFlushMinSizeKb",
        stats_compression: "statsCompression",
        connection_settings: "connectionSettings",
    }
}

layered! {
    ProxyHeaders {
        forwarded_client_cert: "forwardedClientCert",
        set_current_client_cert_details: "setCurrentClientCertDetails",
        request_id: "requestId",
        server: "server",
        attempt_count: "attemptCount",
        envoy_debug_headers: "envoyDebugHeaders",
        metadata_exchange_headers: "metadataExchangeHeaders",
        preserve_http1_header_case: "preserveHttp1HeaderCase",
        x_forwarded_host: "xForwardedHost",
        x_forwarded_port: "xForwardedPort",
    }
}

layered! {
    DefaultProviders {
        tracing: "tracing",
        metrics: "metrics",
        access_logging: "accessLogging",
    }
}

layered! {
    MeshConfig {
        proxy_listen_port: "proxyListenPort",
        proxy_inbound_listen_port: "proxyInboundListenPort",
        proxy_http_port: "proxyHttpPort",
        connect_timeout: "connectTimeout",
        hbone_idle_timeout: "hboneIdleTimeout",
        protocol_detection_timeout: "protocolDetectionTimeout",
        tcp_keepalive: "tcpKeepalive",
        ingress_class: "ingressClass",
        ingress_service: "ingressService",
        ingress_controller_mode: "ingressControllerMode",
        ingress_selector: "ingressSelector",
        enable_tracing: "enableTracing",
        access_log_file: "accessLogFile",
        access_log_format: "accessLogFormat",
        access_log_encoding: "accessLogEncoding",
        enable_envoy_access_log_service: "enableEnvoyAccessLogService",
        disable_envoy_listener_log: "disableEnvoyListenerLog",
        default_config: "defaultConfig",
        outbound_traffic_policy: "outboundTrafficPolicy",
        inbound_traffic_policy: "inboundTrafficPolicy",
        config_sources: "configSources",
        enable_auto_mtls: "enableAutoMtls",
        trust_domain: "trustDomain",
        trust_domain_aliases: "trustDomainAliases",
        ca_certificates: "caCertificates",
        default_service_export_to: "defaultServiceExportTo",
        default_virtual_service_export_to: "defaultVirtualServiceExportTo",
        default_destination_rule_export_to: "defaultDestinationRuleExportTo",
        root_namespace: "rootNamespace",
        locality_lb_setting: "localityLbSetting",
        zone_aware_lb_setting: "zoneAwareLbSetting",
        dns_refresh_rate: "dnsRefreshRate",
        h2_upgrade_policy: "h2UpgradePolicy",
        inbound_cluster_stat_name: "inboundClusterStatName",
        outbound_cluster_stat_name: "outboundClusterStatName",
        certificates: "certificates",
        service_settings: "serviceSettings",
        service_scope_configs: "serviceScopeConfigs",
        enable_prometheus_merge: "enablePrometheusMerge",
        verify_certificate_at_client: "verifyCertificateAtClient",
        ca: "ca",
        extension_providers: "extensionProviders",
        default_providers: "defaultProviders",
        discovery_selectors: "discoverySelectors",
        path_normalization: "pathNormalization",
        default_http_retry_policy: "defaultHttpRetryPolicy",
        mesh_mtls: "meshMTLS",
        tls_defaults: "tlsDefaults",
        default_traffic_policy: "defaultTrafficPolicy",
        service_entry_visibility: "serviceEntryVisibility",
        default_inbound_http_retry_policy: "defaultInboundHttpRetryPolicy",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_those_of_the_wire() {
        fn written<T: Layered + serde::Serialize>(value: &T) -> BTreeSet<String> {
            let json = serde_json::to_value(value).unwrap();
            json.as_object().unwrap().keys().cloned().collect()
        }
        let known: BTreeSet<String> = MeshConfig::FIELDS
            .iter()
            .map(|field| (*field).to_owned())
            .collect();
        let built_in = written(&MeshConfig::default());
        assert!(built_in.is_subset(&known), "{:?}", built_in.difference(&known));

        let proxies = MeshProxyConfig::built_in();
        let set: BTreeSet<String> = proxies.set_fields().into_iter().map(str::to_owned).collect();
        assert_eq!(set, written(&proxies));
    }
}
