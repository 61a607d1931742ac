//! A service that proxies report to.

use serde::{Deserialize, Serialize};

use crate::networking::{ClientTlsSettings, TcpKeepalive};
use crate::wire::is_default;

/// A service that takes access logs or metrics over gRPC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RemoteService {
    /// Its address as `host:port`. Empty means there is none.
    #[serde(skip_serializing_if = "is_default")]
    pub address: String,
    /// TLS towards it. Absent means none. With ISTIO_MUTUAL the certificates of the proxy are used.
    #[serde(skip_serializing_if = "is_default")]
    pub tls_settings: Option<Box<ClientTlsSettings>>,
    /// Keep-alive of the connection. Absent means that of the operating system.
    #[serde(skip_serializing_if = "is_default")]
    pub tcp_keepalive: Option<TcpKeepalive>,
}
