//! Settings of MeshConfig: traffic to the unknown, logs, paths, TLS.

use serde::{Deserialize, Serialize};

use crate::networking::{ClientTlsSettings, ConnectionPoolSettings, OutlierDetection};
use crate::scalar::wire_enum;
use crate::wire::is_default;

/// What becomes of outbound traffic to destinations that no service of the registry covers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OutboundTrafficPolicy {
    /// Whether such traffic is let through. An empty message is REGISTRY_ONLY.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: OutboundTrafficPolicyMode,
    /// TLS towards such destinations; only with ALLOW_ANY_DYNAMIC_DNS. Default none.
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
    /// Where it is forwarded to. Default PASSTHROUGH.
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
    /// For tracing. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub tracing: Vec<String>,
    /// For metrics. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub metrics: Vec<String>,
    /// For access logs. Default none.
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
    /// Limits and timeouts of connections. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub connection_pool: Option<Box<ConnectionPoolSettings>>,
    /// When an endpoint is ejected. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub outlier_detection: Option<Box<OutlierDetection>>,
}
