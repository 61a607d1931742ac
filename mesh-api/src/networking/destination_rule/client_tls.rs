//! TLS of a client towards its upstream.

use serde::{Deserialize, Serialize};

use crate::scalar::wire_enum;
use crate::wire::is_default;

/// TLS of connections to an upstream.
///
/// An empty message is [`ClientTlsMode::Disable`], which is not the same as an absent one: absent leaves the choice to
/// auto-mTLS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientTlsSettings {
    /// Whether, and with which certificates, TLS is used. Default DISABLE.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: ClientTlsMode,
    /// Path of the client certificate. Required in MUTUAL mode without `credential_name`; empty in ISTIO_MUTUAL mode.
    #[serde(skip_serializing_if = "is_default")]
    pub client_certificate: String,
    /// Path of the private key. Required in MUTUAL mode without `credential_name`; empty in ISTIO_MUTUAL mode.
    #[serde(skip_serializing_if = "is_default")]
    pub private_key: String,
    /// Path of the certificates to verify the server with. Empty means the operating system's.
    #[serde(skip_serializing_if = "is_default")]
    pub ca_certificates: String,
    /// Name of a secret with client certificate, key and CA certificates. Excludes the paths (A-CT-5).
    ///
    /// `configmap://namespace/name` names a config map with CA certificates, in the object's own namespace. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub credential_name: String,
    /// Names of which one must be in the server's certificate. Empty means those that the service declares.
    #[serde(skip_serializing_if = "is_default")]
    pub subject_alt_names: Vec<String>,
    /// Server name to send. Empty means that of the host for SIMPLE and MUTUAL when it is a DNS name.
    #[serde(skip_serializing_if = "is_default")]
    pub sni: String,
    /// Do not verify the server's certificate. Absent means verify, unless the feature switch for that is off.
    #[serde(skip_serializing_if = "is_default")]
    pub insecure_skip_verify: Option<bool>,
    /// Path of a certificate revocation list. Empty means none.
    #[serde(skip_serializing_if = "is_default")]
    pub ca_crl: String,
}

impl ClientTlsSettings {
    /// Settings with a mode and nothing else.
    pub fn new(mode: ClientTlsMode) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }
}

wire_enum! {
    /// Whether, and with which certificates, a client uses TLS.
    pub enum ClientTlsMode {
        /// No TLS.
        Disable = 0 => "DISABLE",
        /// TLS without a client certificate.
        Simple = 1 => "SIMPLE",
        /// TLS with the given client certificate.
        Mutual = 2 => "MUTUAL",
        /// TLS with the workload's certificate of the mesh.
        IstioMutual = 3 => "ISTIO_MUTUAL",
    }
}
