//! TLS from the proxy to endpoints.

use std::sync::Arc;

use mesh_api::names::Text;

/// TLS of a cluster (R-TP-9, X-CDS-38 to -45).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UpstreamTls {
    /// None.
    Plain,
    /// Mutual TLS with mesh identities, to those endpoints that can; plaintext to the others.
    Auto(MeshTls),
    /// Mutual TLS with mesh identities.
    Mesh(MeshTls),
    /// TLS with a server certificate only.
    Simple(Box<ClientTls>),
    /// TLS with certificates on both sides.
    Mutual(Box<ClientTls>),
}

impl UpstreamTls {
    /// A word for it, as used in explanations.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Plain => "plaintext",
            Self::Auto(_) => "mTLS (auto)",
            Self::Mesh(_) => "mTLS (ISTIO_MUTUAL)",
            Self::Simple(_) => "TLS (SIMPLE)",
            Self::Mutual(_) => "TLS (MUTUAL)",
        }
    }
}

/// TLS with the workload's own identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MeshTls {
    /// The server name; `None`: made from the cluster name (X-NAME-2).
    pub sni: Option<Text>,
    /// Identities that the server may have; empty: any of the trust domain.
    pub sans: Arc<[Text]>,
}

/// TLS with certificates of one's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientTls {
    /// The server name.
    pub sni: ClientSni,
    /// Names that the server certificate may have.
    pub sans: Box<[Text]>,
    /// Whether the certificate must be good for the host of the request.
    pub check_host: bool,
    /// Whether the server certificate is verified at all.
    pub verify: bool,
    /// The client certificate.
    pub certificate: Option<CertificateRef>,
    /// Who may sign the server certificate.
    pub ca: CaRef,
    /// A file with revoked certificates.
    pub crl: Option<Text>,
}

/// The server name sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClientSni {
    /// This one.
    Named(Text),
    /// The host of the request.
    FromHost,
}

/// Where a certificate and its key come from; never the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CertificateRef {
    /// The workload's own identity.
    Workload,
    /// Files at the proxy.
    Files {
        /// The certificate.
        certificate: Text,
        /// Its key.
        key: Text,
    },
    /// A named credential.
    Credential(Text),
}

/// Where trusted authorities come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CaRef {
    /// The operating system's.
    System,
    /// The mesh's.
    Mesh,
    /// A file at the proxy.
    File(Text),
    /// A named credential that holds authorities; `NAME-cacert` for the one beside the certificate `NAME`.
    Credential(Text),
}
