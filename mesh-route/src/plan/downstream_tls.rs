//! TLS from clients to the proxy.

use std::sync::Arc;

use mesh_api::names::Text;

use super::origin::Origin;
use super::upstream_tls::CertificateRef;

/// TLS of a chain.
#[derive(Clone, Debug, PartialEq)]
pub enum DownstreamTls {
    /// None, or not terminated here.
    Plain,
    /// Mesh identities on both sides.
    Mesh(Arc<MeshServerTls>),
    /// A certificate of its own.
    Server(Arc<ServerTls>),
}

/// Mesh TLS of inbound chains (X-IL-6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MeshServerTls {
    /// Trust domains whose clients are let in; empty: not checked.
    pub trust_domains: Box<[Text]>,
    /// Application protocols offered.
    pub alpn: Box<[Text]>,
    /// Whether 1.3 is the lowest version; 1.2 otherwise.
    pub require_tls13: bool,
    /// Cipher suites up to 1.2.
    pub ciphers: Box<[Text]>,
}

/// TLS of a gateway server or a Sidecar ingress port (X-GW-9).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerTls {
    /// Certificates offered.
    pub certificates: Box<[CertificateRef]>,
    /// What is asked of clients.
    pub client: ClientAuth,
    /// Who signs client certificates.
    pub ca: Option<super::upstream_tls::CaRef>,
    /// Names that a client certificate may have; empty: any.
    pub sans: Box<[Text]>,
    /// Hashes of public keys that a client may have.
    pub spki: Box<[Text]>,
    /// Hashes of certificates that a client may have.
    pub hashes: Box<[Text]>,
    /// Lowest version; `None`: 1.2.
    pub min_version: Option<TlsVersion>,
    /// Highest version; `None`: Envoy's.
    pub max_version: Option<TlsVersion>,
    /// Cipher suites up to 1.2; empty: Envoy's.
    pub ciphers: Box<[Text]>,
    /// Application protocols offered.
    pub alpn: Box<[Text]>,
    /// A file with revoked certificates.
    pub crl: Option<Text>,
    /// Whether clients with unverifiable certificates are let in.
    pub accept_untrusted: bool,
    /// The server.
    pub origin: Origin,
}

/// What is asked of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAuth {
    /// No certificate.
    None,
    /// A certificate is verified if one comes.
    Request,
    /// A certificate must come.
    Require,
}

/// TLS versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// 1.0.
    V1_0,
    /// 1.1.
    V1_1,
    /// 1.2.
    V1_2,
    /// 1.3.
    V1_3,
}
