//! What stands in front of a gateway.

use serde::{Deserialize, Serialize};

use crate::scalar::wire_enum;
use crate::wire::is_default;

/// What stands in front of a gateway, so that it knows which statements about the client to believe.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Topology {
    /// How many proxies in front are trusted: as many entries of `x-forwarded-for` are believed. Zero means none.
    #[serde(skip_serializing_if = "is_default")]
    pub num_trusted_proxies: u32,
    /// What becomes of `x-forwarded-client-cert`. Zero means SANITIZE_SET for gateways, APPEND_FORWARD for sidecars.
    #[serde(skip_serializing_if = "is_default")]
    pub forward_client_cert_details: ForwardClientCertDetails,
    /// That connections begin with the PROXY protocol. Absent means they do not.
    #[serde(skip_serializing_if = "is_default")]
    pub proxy_protocol: Option<ProxyProtocolConfiguration>,
}

/// That connections to a gateway begin with the PROXY protocol. It has no settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProxyProtocolConfiguration {}

wire_enum! {
    /// What becomes of the header `x-forwarded-client-cert` of a request.
    pub enum ForwardClientCertDetails {
        /// As usual for the proxy.
        Undefined = 0 => "UNDEFINED",
        /// It is removed.
        Sanitize = 1 => "SANITIZE",
        /// It is forwarded if the connection is mutual TLS.
        ForwardOnly = 2 => "FORWARD_ONLY",
        /// If the connection is mutual TLS, the client's certificate is added.
        AppendForward = 3 => "APPEND_FORWARD",
        /// If the connection is mutual TLS, the client's certificate replaces what is there.
        SanitizeSet = 4 => "SANITIZE_SET",
        /// It is forwarded whatever the connection is.
        AlwaysForwardOnly = 5 => "ALWAYS_FORWARD_ONLY",
    }
}
