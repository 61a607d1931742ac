//! Headers that a proxy adds or removes.

use serde::{Deserialize, Serialize};

use super::ForwardClientCertDetails;
use crate::scalar::wire_enum;
use crate::wire::is_default;

/// Headers that a proxy adds or removes. A layer replaces the one below, except that five fields fall back to it where
/// they are not set: `forwarded_client_cert`, `request_id`, `attempt_count`, `server` and `envoy_debug_headers` (A-MRG-2).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyHeaders {
    /// What becomes of `x-forwarded-client-cert`. Zero means APPEND_FORWARD for sidecars, SANITIZE_SET for gateways.
    #[serde(skip_serializing_if = "is_default")]
    pub forwarded_client_cert: ForwardClientCertDetails,
    /// Which parts of the client's certificate `x-forwarded-client-cert` gets. Absent means subject and URI.
    #[serde(skip_serializing_if = "is_default")]
    pub set_current_client_cert_details: Option<SetCurrentClientCertDetails>,
    /// The header `x-request-id`. Absent means it is made.
    #[serde(skip_serializing_if = "is_default")]
    pub request_id: Option<RequestId>,
    /// The header `server` of responses. Absent means `istio-envoy` to clients inside the mesh.
    #[serde(skip_serializing_if = "is_default")]
    pub server: Option<ServerHeader>,
    /// The header `x-envoy-attempt-count`. Absent means it is added.
    #[serde(skip_serializing_if = "is_default")]
    pub attempt_count: Option<AttemptCount>,
    /// Envoy's headers about the upstream, such as `x-envoy-upstream-service-time`. Absent means they are added.
    #[serde(skip_serializing_if = "is_default")]
    pub envoy_debug_headers: Option<EnvoyDebugHeaders>,
    /// The headers `x-envoy-peer-metadata` and `-id`. Absent means they are added.
    #[serde(skip_serializing_if = "is_default")]
    pub metadata_exchange_headers: Option<MetadataExchangeHeaders>,
    /// Whether names of headers of HTTP/1 keep their letter case. Absent means false: they become lower case.
    #[serde(skip_serializing_if = "is_default")]
    pub preserve_http1_header_case: Option<bool>,
    /// The header `x-forwarded-host`. Absent means it is not added.
    #[serde(skip_serializing_if = "is_default")]
    pub x_forwarded_host: Option<XForwardedHost>,
    /// The header `x-forwarded-port`. Absent means it is not added.
    #[serde(skip_serializing_if = "is_default")]
    pub x_forwarded_port: Option<XForwardedPort>,
}

/// The header `server` of responses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerHeader {
    /// Whether the header is left as the application sets it. Absent means false.
    #[serde(skip_serializing_if = "is_default")]
    pub disabled: Option<bool>,
    /// Its value. Empty means `istio-envoy`.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
}

/// The header `x-request-id`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequestId {
    /// Whether none is made. Absent means false.
    #[serde(skip_serializing_if = "is_default")]
    pub disabled: Option<bool>,
}

/// The header `x-envoy-attempt-count`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AttemptCount {
    /// Whether it is left out. Absent means false.
    #[serde(skip_serializing_if = "is_default")]
    pub disabled: Option<bool>,
}

/// Envoy's headers about the upstream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvoyDebugHeaders {
    /// Whether they are left out. Absent means false.
    #[serde(skip_serializing_if = "is_default")]
    pub disabled: Option<bool>,
}

/// The headers that tell a peer about the workload.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetadataExchangeHeaders {
    /// To whom they go. Default UNDEFINED.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: MetadataExchangeMode,
}

wire_enum! {
    /// To whom the headers about the workload go.
    pub enum MetadataExchangeMode {
        /// To everybody.
        Undefined = 0 => "UNDEFINED",
        /// To services of the mesh alone.
        InMesh = 1 => "IN_MESH",
    }
}

/// Which parts of the client's certificate `x-forwarded-client-cert` gets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SetCurrentClientCertDetails {
    /// The subject. Absent means true.
    #[serde(skip_serializing_if = "is_default")]
    pub subject: Option<bool>,
    /// The whole certificate in PEM, URL-encoded. Absent means false.
    #[serde(skip_serializing_if = "is_default")]
    pub cert: Option<bool>,
    /// The whole chain in PEM, URL-encoded. Absent means false.
    #[serde(skip_serializing_if = "is_default")]
    pub chain: Option<bool>,
    /// The DNS names. Absent means true.
    #[serde(skip_serializing_if = "is_default")]
    pub dns: Option<bool>,
    /// The URI, which holds the identity. Absent means true.
    #[serde(skip_serializing_if = "is_default")]
    pub uri: Option<bool>,
}

/// The header `x-forwarded-host`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct XForwardedHost {
    /// Whether it is added. Absent means false.
    #[serde(skip_serializing_if = "is_default")]
    pub enabled: Option<bool>,
}

/// The header `x-forwarded-port`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct XForwardedPort {
    /// Whether it is added. Absent means false.
    #[serde(skip_serializing_if = "is_default")]
    pub enabled: Option<bool>,
}
