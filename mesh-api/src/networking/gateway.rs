//! Gateway: ports and hosts that a proxy at the edge of the mesh serves.
//!
//! Source: Istio API `networking/v1alpha3/gateway.proto`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scalar::wire_enum;
use crate::wire::is_default;

/// The servers of a group of gateway workloads.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Gateway {
    /// Ports, hosts and TLS to serve. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub servers: Vec<Server>,
    /// Labels of the workloads that the object configures, in any namespace. Empty selects all gateway workloads.
    #[serde(skip_serializing_if = "is_default")]
    pub selector: BTreeMap<String, String>,
}

/// One port with the hosts it serves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Server {
    /// The port. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub port: Option<Port>,
    /// Address to listen on, or `unix:///path`. Empty means all addresses, as the workload's services say.
    #[serde(skip_serializing_if = "is_default")]
    pub bind: String,
    /// Hosts served, as `namespace/host` or `host`. Required.
    ///
    /// The namespace part limits from which namespaces a VirtualService may attach: a name, `.` for the object's own, `*`
    /// (also if left out) for all. The host is a DNS name, may have a wildcard first label, and may be `*`.
    #[serde(skip_serializing_if = "is_default")]
    pub hosts: Vec<String>,
    /// TLS of the port. Required for HTTPS and TLS.
    #[serde(skip_serializing_if = "is_default")]
    pub tls: Option<Box<ServerTlsSettings>>,
    /// Where traffic goes by default. Undocumented; without effect on gateways.
    #[serde(skip_serializing_if = "is_default")]
    pub default_endpoint: String,
    /// Name of the server for statistics; at most used in filter chain names. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// A port that a gateway listens on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Port {
    /// Number, 1..65535. Required, and zero only with a `unix://` bind.
    #[serde(skip_serializing_if = "is_default")]
    pub number: u32,
    /// Protocol in any letter case: HTTP, HTTPS, GRPC, GRPC-Web, HTTP2, MONGO, TCP, TLS and others (A-X-14). Required.
    #[serde(skip_serializing_if = "is_default")]
    pub protocol: String,
    /// Name, unique within the object. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Deprecated and undocumented; refused by validation (A-GW-11).
    #[serde(skip_serializing_if = "is_default")]
    pub target_port: u32,
}

/// TLS of a server port. An empty message is [`ServerTlsMode::Passthrough`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerTlsSettings {
    /// Answer requests on this plain HTTP port with a redirect (301) to HTTPS. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub https_redirect: bool,
    /// Whether TLS is terminated here, and what is asked of clients. Default PASSTHROUGH.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: ServerTlsMode,
    /// Path of the server certificate. Required in SIMPLE and MUTUAL mode without a credential name.
    #[serde(skip_serializing_if = "is_default")]
    pub server_certificate: String,
    /// Path of the private key. Required in SIMPLE and MUTUAL mode without a credential name.
    #[serde(skip_serializing_if = "is_default")]
    pub private_key: String,
    /// Path of the certificates to verify clients with. Required in MUTUAL and OPTIONAL_MUTUAL mode without a credential name.
    #[serde(skip_serializing_if = "is_default")]
    pub ca_certificates: String,
    /// Path of a certificate revocation list. Empty means none.
    #[serde(skip_serializing_if = "is_default")]
    pub ca_crl: String,
    /// Name of the secret with certificate, key and, in mutual modes, CA certificates. Default empty.
    #[serde(skip_serializing_if = "is_default")]
    pub credential_name: String,
    /// Names of secrets, one per key type, at most two. Excludes `credential_name` and `tls_certificates`. Default none.
    /// Bounds: 1 or 2 entries (A-CR-23).
    #[serde(skip_serializing_if = "is_default")]
    pub credential_names: Vec<String>,
    /// Name of the secret or config map with the CA certificates, where they are not in that of `credential_name`. Default
    /// empty.
    #[serde(skip_serializing_if = "is_default")]
    pub ca_cert_credential_name: String,
    /// Certificates by path, one per key type, at most two. Excludes `server_certificate` and the credential names. Default
    /// none. Bounds: 1 or 2 entries (A-CR-23).
    #[serde(skip_serializing_if = "is_default")]
    pub tls_certificates: Vec<TlsCertificate>,
    /// Names of which one must be in the client's certificate. Empty means any.
    #[serde(skip_serializing_if = "is_default")]
    pub subject_alt_names: Vec<String>,
    /// Base64 SHA-256 hashes of client public keys (SPKI), of which one must match. Empty means any.
    #[serde(skip_serializing_if = "is_default")]
    pub verify_certificate_spki: Vec<String>,
    /// Hexadecimal SHA-256 hashes of client certificates, of which one must match. Empty means any.
    #[serde(skip_serializing_if = "is_default")]
    pub verify_certificate_hash: Vec<String>,
    /// Lowest version. Zero means 1.2.
    #[serde(skip_serializing_if = "is_default")]
    pub min_protocol_version: TlsProtocol,
    /// Highest version. Zero means 1.3.
    #[serde(skip_serializing_if = "is_default")]
    pub max_protocol_version: TlsProtocol,
    /// Cipher suites for versions up to 1.2, in OpenSSL names (A-X-27). Empty means Envoy's default.
    #[serde(skip_serializing_if = "is_default")]
    pub cipher_suites: Vec<String>,
    /// Accept client certificates without verification. Absent means verify.
    #[serde(skip_serializing_if = "is_default")]
    pub insecure_skip_verify: Option<bool>,
    /// Curves for the key exchange (A-X-28). Empty means Envoy's default. New in Istio 1.32.
    #[serde(skip_serializing_if = "is_default")]
    pub ecdh_curves: Vec<String>,
}

/// A certificate of a server, by paths.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsCertificate {
    /// Path of the server certificate. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub server_certificate: String,
    /// Path of the private key. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub private_key: String,
    /// Path of the CA certificates. Undocumented; without effect.
    #[serde(skip_serializing_if = "is_default")]
    pub ca_certificates: String,
}

wire_enum! {
    /// Whether a server terminates TLS, and what it asks of clients.
    pub enum ServerTlsMode {
        /// Do not terminate; route by server name.
        Passthrough = 0 => "PASSTHROUGH",
        /// Terminate; ask for no client certificate.
        Simple = 1 => "SIMPLE",
        /// Terminate; ask for a client certificate and verify it.
        Mutual = 2 => "MUTUAL",
        /// As passthrough, with the destination taken from the server name (`outbound_.port_.subset_.host`).
        AutoPassthrough = 3 => "AUTO_PASSTHROUGH",
        /// Terminate with the workload's certificate of the mesh; ask for one of the mesh.
        IstioMutual = 4 => "ISTIO_MUTUAL",
        /// Terminate; verify a client certificate if there is one.
        OptionalMutual = 5 => "OPTIONAL_MUTUAL",
    }
}

wire_enum! {
    /// Versions of TLS.
    pub enum TlsProtocol {
        /// The proxy's default.
        TlsAuto = 0 => "TLS_AUTO",
        /// TLS 1.0
        TlsV1_0 = 1 => "TLSV1_0",
        /// TLS 1.1
        TlsV1_1 = 2 => "TLSV1_1",
        /// TLS 1.2
        TlsV1_2 = 3 => "TLSV1_2",
        /// TLS 1.3
        TlsV1_3 = 4 => "TLSV1_3",
    }
}
