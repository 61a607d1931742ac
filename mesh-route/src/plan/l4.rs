//! The TCP end of a chain.

use std::sync::Arc;
use std::time::Duration;

use mesh_api::names::Text;

use super::action::Split;
use super::traffic_policy::Tunnel;

/// Bytes go to a cluster, drawn once per connection (R-W-4).
#[derive(Clone, Debug, PartialEq)]
pub struct TcpProxy {
    /// Which cluster.
    pub split: Split,
    /// What statistics are kept under.
    pub stat: StatName,
    /// `None`: Envoy's 1 h.
    pub idle: Option<Duration>,
    /// `None`: no limit.
    pub max_connection: Option<Duration>,
    /// Whether the client address is hashed for the choice of the host.
    pub hash_source_ip: bool,
    /// Tunnelling through HTTP.
    pub tunnel: Option<Arc<Tunnel>>,
    /// A protocol whose commands are counted on the way.
    pub codec: Option<TcpCodec>,
}

/// A name for statistics (X-LDS-18).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StatName {
    /// The name of the one cluster.
    Cluster,
    /// `NAME.NAMESPACE` of the VirtualService with several destinations, or a text of the mesh configuration.
    Named(Text),
}

/// Protocols with a codec of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpCodec {
    /// MongoDB.
    Mongo,
    /// Redis.
    Redis,
    /// MySQL.
    Mysql,
}
