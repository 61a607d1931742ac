//! How a cluster treats its endpoints: the effective traffic policy, block by block.

use std::sync::Arc;
use std::time::Duration;

use mesh_api::names::Text;

use super::origin::Sourced;

/// The effective policy of a cluster. Interned: clusters with equal policies share one. Blocks are never merged field
/// by field (R-TP-5), so one level per block says where its values are from; TCP keepalive is the exception.
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficPolicy {
    /// Connection pool and circuit breakers.
    pub pool: Sourced<Pool>,
    /// The load balancer.
    pub balancer: Sourced<Balancer>,
    /// Outlier detection; `None`: off.
    pub outlier: Option<Sourced<Outlier>>,
    /// Share of healthy hosts, in percent, below which all hosts are used; `None`: Envoy's 50 (R-TP-6).
    pub panic_percent: Option<u8>,
    /// TCP keepalive; `None`: off.
    pub keepalive: Option<Keepalive>,
    /// Retry budget; `None`: the limit of retries acts.
    pub retry_budget: Option<Sourced<RetryBudget>>,
    /// PROXY protocol towards the endpoints; `None`: off.
    pub proxy_protocol: Option<Sourced<ProxyProtocol>>,
    /// Tunnelling of TCP routes through the cluster.
    pub tunnel: Option<Arc<Tunnel>>,
}

/// A circuit-breaker limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// 2^32-1, which Istio sets; Envoy's own defaults are 1024 and 3.
    Unlimited,
    /// At most so many.
    Max(u32),
}

impl Limit {
    /// As a number.
    pub const fn number(self) -> u32 {
        match self {
            Self::Unlimited => u32::MAX,
            Self::Max(number) => number,
        }
    }
}

/// Connection pool and circuit breakers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pool {
    /// `tcp.maxConnections`.
    pub connections: Limit,
    /// `http.http1MaxPendingRequests`.
    pub pending: Limit,
    /// `http.http2MaxRequests`.
    pub requests: Limit,
    /// `http.maxRetries`.
    pub retries: Limit,
    /// `http.maxRequestsPerConnection`; `None`: no limit.
    pub per_connection: Option<u32>,
    /// `http.maxConcurrentStreams`, HTTP/2 only; `None`: Envoy's.
    pub streams: Option<u32>,
    /// `tcp.connectTimeout`, else the mesh's.
    pub connect_timeout: Duration,
    /// `http.idleTimeout`, else `tcp.idleTimeout`; `None`: Envoy's 1 h.
    pub idle: Option<Duration>,
    /// `tcp.maxConnectionDuration`; `None`: no limit.
    pub max_connection: Option<Duration>,
    /// `http.http2KeepAlive`, HTTP/2 only.
    pub http2_keepalive: Option<Http2Keepalive>,
    /// Whether HTTP/2 settings were given for a cluster that does not speak it, which leaves a trace in the
    /// configuration (X-CDS-18, quirk).
    pub http2_ignored: bool,
}

/// PING of HTTP/2 connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Http2Keepalive {
    /// Between pings.
    pub interval: Option<Duration>,
    /// Until the answer.
    pub timeout: Option<Duration>,
}

/// A load balancer.
#[derive(Clone, Debug, PartialEq)]
pub enum Balancer {
    /// The host with fewer requests of two.
    LeastRequest(Option<Warmup>),
    /// Each in turn.
    RoundRobin(Option<Warmup>),
    /// At random.
    Random,
    /// Consistent hash on a ring.
    RingHash {
        /// Smallest size; `None`: Envoy's 1024.
        minimum_size: Option<u64>,
    },
    /// Consistent hash on a table.
    Maglev {
        /// Size, a prime; `None`: Envoy's 65537.
        table_size: Option<u64>,
    },
    /// Where the client wanted to go, or what the cluster type brings.
    ClusterProvided,
}

impl Balancer {
    /// The name used in Istio's and Envoy's configuration.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::LeastRequest(_) => "LEAST_REQUEST",
            Self::RoundRobin(_) => "ROUND_ROBIN",
            Self::Random => "RANDOM",
            Self::RingHash { .. } => "RING_HASH",
            Self::Maglev { .. } => "MAGLEV",
            Self::ClusterProvided => "PASSTHROUGH",
        }
    }
}

/// Slow start of new endpoints.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warmup {
    /// How long a new endpoint is warmed up.
    pub window: Duration,
    /// Share of its weight at the start, percent; `None`: Envoy's 10.
    pub minimum_percent: Option<f64>,
    /// Speed of the ramp; `None`: Envoy's 1.0.
    pub aggression: Option<f64>,
}

/// Ejection of failing endpoints (R-TP-7, X-CDS-25 to -28). Success-rate detection is always off.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outlier {
    /// Consecutive 5xx that eject; `Some(0)`: detection off; `None`: Envoy's 5.
    pub consecutive_5xx: Option<u32>,
    /// Consecutive gateway errors that eject; `Some(0)` and `None`: off.
    pub consecutive_gateway_errors: Option<u32>,
    /// Whether local-origin failures are counted apart.
    pub split_local_origin: bool,
    /// Consecutive local-origin failures that eject, if counted apart; `None`: Envoy's 5.
    pub consecutive_local_origin: Option<u32>,
    /// Between sweeps; `None`: Envoy's 10 s.
    pub interval: Option<Duration>,
    /// First ejection time; `None`: Envoy's 30 s.
    pub base_ejection: Option<Duration>,
    /// Largest share that may be ejected, percent; `None`: Envoy's 10.
    pub max_ejection_percent: Option<u32>,
    /// Status codes that count as errors; empty: 5xx.
    pub error_codes: Box<[u32]>,
}

/// TCP keepalive, the one block merged field by field (X-CDS-20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Keepalive {
    /// Unanswered probes until the connection is dead.
    pub probes: Option<Sourced<u32>>,
    /// Idle time before the first probe, whole seconds.
    pub time: Option<Sourced<u32>>,
    /// Between probes, whole seconds.
    pub interval: Option<Sourced<u32>>,
}

/// A budget of retries (X-CDS-15).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    /// Share of active requests that may be retries, percent.
    pub percent: f64,
    /// Retries that are always allowed.
    pub minimum: u32,
    /// The window; `None`: Envoy's.
    pub interval: Option<Duration>,
}

/// Versions of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyProtocol {
    /// The text form.
    V1,
    /// The binary form.
    V2,
}

/// Tunnelling of TCP through HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tunnel {
    /// POST instead of CONNECT.
    pub post: bool,
    /// `HOST:PORT` asked for.
    pub target: Text,
}

/// Locality load balancing as the cluster says it; what it does to endpoints is in the assignment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LocalityPolicy {
    /// Weights of localities count.
    Weighted,
    /// Zone-aware routing.
    ZoneAware {
        /// Smallest cluster for it; `None`: Envoy's 6.
        minimum_size: Option<u64>,
        /// Whether it is switched off explicitly.
        disabled: bool,
    },
    /// A setting exists, but nothing of it reaches the cluster (failover by priorities only).
    Priorities,
}
