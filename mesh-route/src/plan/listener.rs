//! Listeners: where connections arrive.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_api::names::Text;

use super::chain::FilterChain;
use super::key::ListenerName;
use super::origin::Origin;
use crate::table::Seq;

/// A listener of a proxy.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// Its name.
    pub name: ListenerName,
    /// What it is for.
    pub role: ListenerRole,
    /// Where it listens.
    pub bind: Bind,
    /// How connections reach it.
    pub capture: Capture,
    /// What is read of a connection before a chain is chosen.
    pub inspect: Inspect,
    /// In order of output; the choice is by specificity, not by order (R-L4-7).
    pub chains: Seq<FilterChain>,
    /// Takes what no chain matches; `None`: such connections are closed (gateways).
    pub default_chain: Option<Arc<FilterChain>>,
    /// What it comes from.
    pub origin: Origin,
}

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListenerRole {
    /// Services of a port, at a sidecar.
    Outbound,
    /// Whatever no outbound listener takes.
    VirtualOutbound,
    /// An explicit HTTP proxy.
    HttpProxy,
    /// All inbound traffic of a sidecar.
    VirtualInbound,
    /// A Sidecar ingress port with its own socket.
    InboundPort,
    /// A port of a gateway.
    Gateway,
}

/// Where a listener listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bind {
    /// The address.
    pub at: BindAddress,
    /// The port; 0 for Unix sockets.
    pub port: u16,
    /// The transport.
    pub transport: Transport,
}

/// An address that a listener binds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BindAddress {
    /// The first is the primary one, the others are additional.
    Ip(Box<[IpAddr]>),
    /// A Unix domain socket.
    Uds(Text),
}

impl BindAddress {
    /// Whether the primary address is `0.0.0.0` or `::`.
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::Ip(addresses) if addresses.first().is_some_and(IpAddr::is_unspecified))
    }
}

/// Transports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// QUIC over UDP.
    Quic,
}

/// How connections reach a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capture {
    /// Handed over by the virtual listener, by their original destination.
    Redirected,
    /// The virtual listener itself: takes redirected connections and hands them on.
    OriginalDestination {
        /// Whether the source address is kept (TPROXY).
        transparent: bool,
    },
    /// It has its own socket.
    BoundToPort,
}

/// What is read of a connection before a chain is chosen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Inspect {
    /// Whether the TLS client hello is read, for server name and ALPN.
    pub tls: bool,
    /// Whether plaintext HTTP is recognised.
    pub http: bool,
    /// Whether a PROXY protocol header is expected.
    pub proxy_protocol: bool,
    /// How long is waited for the first bytes; `None`: for ever.
    pub timeout: Option<Duration>,
}
