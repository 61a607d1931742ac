//! The HTTP end of a chain: which routes, and how requests are read.

use std::sync::Arc;
use std::time::Duration;

use mesh_api::names::Text;

use super::key::RouteTableName;
use super::route_table::RouteTable;

/// Requests of a connection are routed one by one.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpConnection {
    /// Where the routes are.
    pub routes: RouteSource,
    /// How requests are read and connections kept; shared by the listeners of a proxy.
    pub settings: Arc<HttpSettings>,
    /// What statistics are kept under.
    pub stat: Text,
}

/// Where the routes of a connection are.
#[derive(Clone, Debug, PartialEq)]
pub enum RouteSource {
    /// A table of the plan.
    Table(RouteTableName),
    /// A table of its own.
    Inline(Arc<RouteTable>),
}

/// How requests are read and connections kept (X-HCM-1 to X-HCM-3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpSettings {
    /// What is done to the path before anything else sees it.
    pub path: PathNormalization,
    /// Whether the client's address is that of the connection; `x-forwarded-for` is appended to.
    pub use_remote_address: bool,
    /// Proxies in front whose `x-forwarded-*` headers are believed.
    pub trusted_hops: u32,
    /// The `server` header of responses.
    pub server: ServerHeader,
    /// What is done with the client certificate header.
    pub client_certificate: ForwardClientCertificate,
    /// Whether a request id is generated.
    pub request_id: bool,
    /// Whether `x-forwarded-port` is appended.
    pub port_header: bool,
    /// Whether HTTP/1.1 header names keep their case.
    pub preserve_case: bool,
    /// Whether an absolute-form target is taken (explicit proxies).
    pub allow_absolute_url: bool,
    /// Idle connections; `None`: Envoy's 1 h.
    pub idle: Option<Duration>,
    /// Whether Envoy's own debug headers are left out.
    pub hide_envoy_headers: bool,
}

/// Levels of `pathNormalization` (R-ENV-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathNormalization {
    /// The path is taken as it comes.
    None,
    /// RFC 3986.
    #[default]
    Base,
    /// And runs of slashes become one.
    MergeSlashes,
    /// And escaped slashes are decoded first.
    DecodeAndMergeSlashes,
}

/// The `server` header of responses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServerHeader {
    /// Envoy's own.
    Default,
    /// This text.
    Named(Text),
    /// The upstream's is left alone.
    PassThrough,
}

/// What is done with `x-forwarded-client-cert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForwardClientCertificate {
    /// Removed.
    Sanitize,
    /// Replaced by the client's.
    SanitizeSet,
    /// The client's is appended.
    AppendForward,
    /// Left alone for mutual TLS.
    ForwardOnly,
    /// Left alone always.
    AlwaysForwardOnly,
}
