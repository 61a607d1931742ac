//! Filter chains: what is done with a connection once it is matched.

use std::fmt;
use std::sync::Arc;

use ipnet::IpNet;
use mesh_api::names::Text;

use super::downstream_tls::DownstreamTls;
use super::foreign::Foreign;
use super::http::HttpConnection;
use super::key::ChainName;
use super::l4::TcpProxy;
use super::origin::Origin;

/// One chain of a listener.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterChain {
    /// Its name.
    pub name: ChainName,
    /// What kind of traffic it carries.
    pub class: ChainClass,
    /// Which connections it takes.
    pub matching: ChainMatch,
    /// TLS towards the client.
    pub tls: DownstreamTls,
    /// Where the connection ends.
    pub terminal: Terminal,
    /// What it comes from.
    pub origin: Origin,
}

/// What kind of traffic a chain carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChainClass {
    /// From the workload to a service.
    Outbound,
    /// To the workload.
    Inbound,
    /// To a port of the workload that no service names.
    InboundPassthrough,
    /// Into a gateway.
    Gateway,
    /// Into a gateway, by SNI, without looking into it.
    GatewayAutoPassthrough,
    /// Dropped.
    BlackHole,
    /// To where the client wanted to go.
    Passthrough,
}

/// Which connections a chain takes; empty lists do not restrict. Lists are as they are emitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ChainMatch {
    /// The destination port.
    pub port: Option<u16>,
    /// Networks of the destination.
    pub destinations: Box<[IpNet]>,
    /// Server names, sorted; `*.suffix` takes subdomains. A `*` has been removed.
    pub server_names: Box<[Text]>,
    /// Plaintext or TLS.
    pub transport: Option<TransportProtocol>,
    /// Application protocols.
    pub alpn: Box<[Text]>,
    /// Networks of the client (imports only).
    pub sources: Box<[IpNet]>,
    /// Ports of the client (imports only).
    pub source_ports: Box<[u16]>,
    /// Imported conditions.
    pub foreign: Foreign,
}

impl ChainMatch {
    /// Whether it takes every connection.
    pub fn is_any(&self) -> bool {
        *self == Self::default()
    }
}

/// What the first bytes of a connection say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportProtocol {
    /// Not TLS.
    RawBuffer,
    /// TLS.
    Tls,
}

impl TransportProtocol {
    /// As Envoy spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RawBuffer => "raw_buffer",
            Self::Tls => "tls",
        }
    }
}

impl fmt::Display for TransportProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a connection ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Terminal {
    /// Requests are routed one by one.
    Http(Arc<HttpConnection>),
    /// Bytes go to a cluster.
    Tcp(TcpProxy),
    /// An imported end.
    Foreign(Foreign),
}
