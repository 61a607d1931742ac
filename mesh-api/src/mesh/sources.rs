//! Where the control plane takes configuration, certificates and services from.

use serde::{Deserialize, Serialize};

use super::LabelSelector;
use crate::networking::ClientTlsSettings;
use crate::scalar::{Duration, wire_enum};
use crate::wire::{is_default, oneofs};

/// A source of configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigSource {
    /// Where it is: `fs:///path` for files, `xds://host:port` for a server, `k8s://` for the API server. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub address: String,
    /// TLS towards a server. Absent means none.
    #[serde(skip_serializing_if = "is_default")]
    pub tls_settings: Option<Box<ClientTlsSettings>>,
    /// What is taken from it beside configuration. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub subscribed_resources: Vec<SubscribedResource>,
}

wire_enum! {
    /// What the control plane takes from a source of configuration.
    pub enum SubscribedResource {
        /// Its services.
        ServiceRegistry = 0 => "SERVICE_REGISTRY",
    }
}

/// CA certificates that proxies trust beside the mesh's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "CertificateDataWire", into = "CertificateDataWire")]
pub struct CertificateData {
    /// Where the certificates are. Required.
    pub certificate_data: Option<CertificateSource>,
    /// Signers of the Kubernetes CSR API that issue with them. Empty means any.
    pub cert_signers: Vec<String>,
    /// Trust domains that they are for. Empty means that of the mesh.
    pub trust_domains: Vec<String>,
}

/// Where the certificates of a [`CertificateData`] are.
#[derive(Debug, Clone, PartialEq)]
pub enum CertificateSource {
    /// The certificates in PEM.
    Pem(String),
    /// URL of a SPIFFE bundle endpoint, which is asked again and again.
    SpiffeBundleUrl(String),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "CertificateData(pem|spiffeBundleUrl)")]
struct CertificateDataWire {
    #[serde(skip_serializing_if = "is_default")]
    pem: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    spiffe_bundle_url: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    cert_signers: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    trust_domains: Vec<String>,
}

oneofs! {
    CertificateData as CertificateDataWire { cert_signers, trust_domains }
    certificate_data: CertificateSource { pem => Pem, spiffe_bundle_url => SpiffeBundleUrl }
}

/// A certificate to be provisioned. Deprecated and undocumented; without effect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Certificate {
    /// Name of the Secret for it. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub secret_name: String,
    /// DNS names that it is for. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub dns_names: Vec<String>,
}

/// An external CA. Undocumented.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Ca {
    /// Its address as `host:port`. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub address: String,
    /// TLS towards it. Absent means none.
    #[serde(skip_serializing_if = "is_default")]
    pub tls_settings: Option<Box<ClientTlsSettings>>,
    /// Time for its answer. Absent means 10 s.
    #[serde(skip_serializing_if = "is_default")]
    pub request_timeout: Option<Duration>,
    /// Whether istiod asks it, and proxies ask istiod. Default false: proxies ask it themselves.
    #[serde(skip_serializing_if = "is_default")]
    pub istiod_side: bool,
}

/// Settings of some services.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceSettings {
    /// The settings. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub settings: Option<ServiceSettingsValues>,
    /// Hosts of the services; wildcards allowed. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub hosts: Vec<String>,
}

/// What can be set for a service. Upstream: `ServiceSettings.Settings`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceSettingsValues {
    /// Whether clients reach endpoints of their own cluster alone. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_local: bool,
}

/// How far some services are visible among clusters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceScopeConfigs {
    /// Labels of the services' namespaces. Absent matches all.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace_selector: Option<LabelSelector>,
    /// Labels of the services. Absent matches all.
    #[serde(skip_serializing_if = "is_default")]
    pub services_selector: Option<LabelSelector>,
    /// How far they are visible. Default LOCAL.
    #[serde(skip_serializing_if = "is_default")]
    pub scope: ServiceScope,
}

wire_enum! {
    /// How far a service is visible among clusters.
    pub enum ServiceScope {
        /// In its own cluster.
        Local = 0 => "LOCAL",
        /// In all clusters of the mesh.
        Global = 1 => "GLOBAL",
    }
}
