//! Load balancing: algorithms, consistent hashing, localities, warm-up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scalar::{Duration, wire_enum};
use crate::wire::{is_default, write_optional_double};

/// How an endpoint of a host is chosen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "LoadBalancerSettingsWire", into = "LoadBalancerSettingsWire")]
pub struct LoadBalancerSettings {
    /// The algorithm. Absent means least requests.
    pub lb_policy: Option<LbPolicy>,
    /// Preference among localities; replaces the setting of the mesh. Excludes `zone_aware_lb_setting` (A-DR-30). Default:
    /// the mesh's.
    pub locality_lb_setting: Option<Box<LocalityLoadBalancerSetting>>,
    /// Keep traffic within its zone as capacity allows. Excludes `locality_lb_setting`. Default: the mesh's.
    pub zone_aware_lb_setting: Option<Box<ZoneAwareLoadBalancerSetting>>,
    /// Older form of `warmup`: time over which a new endpoint's share grows to its full size. Default none.
    pub warmup_duration_secs: Option<Duration>,
    /// Let the share of a new endpoint grow over time. Takes precedence over `warmup_duration_secs`. Default none.
    pub warmup: Option<WarmupConfiguration>,
}

impl LoadBalancerSettings {
    /// Settings with a simple algorithm and nothing else.
    pub fn simple(algorithm: SimpleLb) -> Self {
        Self {
            lb_policy: Some(LbPolicy::Simple(algorithm)),
            ..Self::default()
        }
    }

    /// Settings with consistent hashing and nothing else.
    pub fn consistent_hash(settings: ConsistentHashLb) -> Self {
        Self {
            lb_policy: Some(LbPolicy::ConsistentHash(settings)),
            ..Self::default()
        }
    }
}

/// The algorithm of a [`LoadBalancerSettings`].
#[derive(Debug, Clone, PartialEq)]
pub enum LbPolicy {
    /// An algorithm without parameters.
    Simple(SimpleLb),
    /// An endpoint by the hash of a property of the request.
    ConsistentHash(ConsistentHashLb),
    /// Weights from the load that endpoints report. New in Istio 1.32.
    BackendUtilization(BackendUtilization),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(rename = "LoadBalancerSettings(simple|consistentHash|backendUtilization)")]
struct LoadBalancerSettingsWire {
    #[serde(skip_serializing_if = "is_default")]
    simple: Option<SimpleLb>,
    #[serde(skip_serializing_if = "is_default")]
    consistent_hash: Option<ConsistentHashLb>,
    #[serde(skip_serializing_if = "is_default")]
    backend_utilization: Option<BackendUtilization>,
    #[serde(skip_serializing_if = "is_default")]
    locality_lb_setting: Option<Box<LocalityLoadBalancerSetting>>,
    #[serde(skip_serializing_if = "is_default")]
    zone_aware_lb_setting: Option<Box<ZoneAwareLoadBalancerSetting>>,
    #[serde(skip_serializing_if = "is_default")]
    warmup_duration_secs: Option<Duration>,
    #[serde(skip_serializing_if = "is_default")]
    warmup: Option<WarmupConfiguration>,
}

impl From<LoadBalancerSettingsWire> for LoadBalancerSettings {
    fn from(wire: LoadBalancerSettingsWire) -> Self {
        let LoadBalancerSettingsWire {
            simple,
            consistent_hash,
            backend_utilization,
            locality_lb_setting,
            zone_aware_lb_setting,
            warmup_duration_secs,
            warmup,
        } = wire;
        // Last member in declaration order wins (A-WIRE-13).
        let lb_policy = backend_utilization
            .map(LbPolicy::BackendUtilization)
            .or(consistent_hash.map(LbPolicy::ConsistentHash))
            .or(simple.map(LbPolicy::Simple));
        Self {
            lb_policy,
            locality_lb_setting,
            zone_aware_lb_setting,
            warmup_duration_secs,
            warmup,
        }
    }
}

impl From<LoadBalancerSettings> for LoadBalancerSettingsWire {
    fn from(value: LoadBalancerSettings) -> Self {
        let LoadBalancerSettings {
            lb_policy,
            locality_lb_setting,
            zone_aware_lb_setting,
            warmup_duration_secs,
            warmup,
        } = value;
        let mut wire = Self {
            locality_lb_setting,
            zone_aware_lb_setting,
            warmup_duration_secs,
            warmup,
            ..Self::default()
        };
        match lb_policy {
            None => {}
            Some(LbPolicy::Simple(algorithm)) => wire.simple = Some(algorithm),
            Some(LbPolicy::ConsistentHash(settings)) => wire.consistent_hash = Some(settings),
            Some(LbPolicy::BackendUtilization(settings)) => wire.backend_utilization = Some(settings),
        }
        wire
    }
}

wire_enum! {
    /// Load balancing algorithms without parameters.
    pub enum SimpleLb {
        /// Istio chooses: least requests.
        Unspecified = 0 => "UNSPECIFIED",
        /// Deprecated name of [`SimpleLb::LeastRequest`].
        LeastConn = 1 => "LEAST_CONN",
        /// An endpoint at random.
        Random = 2 => "RANDOM",
        /// The address that the client asked for, without load balancing.
        Passthrough = 3 => "PASSTHROUGH",
        /// One endpoint after the other.
        RoundRobin = 4 => "ROUND_ROBIN",
        /// The one of two random endpoints with fewer requests under way.
        LeastRequest = 5 => "LEAST_REQUEST",
    }
}

/// Consistent hashing: requests with the same key go to the same endpoint as long as the endpoints stay the same.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "ConsistentHashLbWire", into = "ConsistentHashLbWire")]
pub struct ConsistentHashLb {
    /// What is hashed. Default none.
    pub hash_key: Option<HashKey>,
    /// How hashes map to endpoints. Absent means a ring hash.
    pub hash_algorithm: Option<HashAlgorithm>,
    /// Least number of entries on the ring. Deprecated: use [`HashAlgorithm::RingHash`], which it excludes (A-DR-26).
    pub minimum_ring_size: u64,
}

/// The property of a request that is hashed.
#[derive(Debug, Clone, PartialEq)]
pub enum HashKey {
    /// The header of this name.
    HttpHeaderName(String),
    /// A cookie, which the proxy sets if it is missing and has a lifetime.
    HttpCookie(HttpCookie),
    /// The address of the client, if true.
    UseSourceIp(bool),
    /// The query parameter of this name.
    HttpQueryParameterName(String),
}

/// How hashes map to endpoints.
#[derive(Debug, Clone, PartialEq)]
pub enum HashAlgorithm {
    /// A ring with virtual nodes.
    RingHash(RingHash),
    /// Maglev's look-up table.
    Maglev(MagLev),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[serde(
    rename = "ConsistentHashLb(httpHeaderName|httpCookie|useSourceIp|httpQueryParameterName)(ringHash|maglev)"
)]
struct ConsistentHashLbWire {
    #[serde(skip_serializing_if = "is_default")]
    http_header_name: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    http_cookie: Option<HttpCookie>,
    #[serde(skip_serializing_if = "is_default")]
    use_source_ip: Option<bool>,
    #[serde(skip_serializing_if = "is_default")]
    http_query_parameter_name: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    ring_hash: Option<RingHash>,
    #[serde(skip_serializing_if = "is_default")]
    maglev: Option<MagLev>,
    #[serde(skip_serializing_if = "is_default")]
    minimum_ring_size: u64,
}

impl From<ConsistentHashLbWire> for ConsistentHashLb {
    fn from(wire: ConsistentHashLbWire) -> Self {
        let ConsistentHashLbWire {
            http_header_name,
            http_cookie,
            use_source_ip,
            http_query_parameter_name,
            ring_hash,
            maglev,
            minimum_ring_size,
        } = wire;
        // Last member in declaration order wins (A-WIRE-13).
        let hash_key = http_query_parameter_name
            .map(HashKey::HttpQueryParameterName)
            .or(use_source_ip.map(HashKey::UseSourceIp))
            .or(http_cookie.map(HashKey::HttpCookie))
            .or(http_header_name.map(HashKey::HttpHeaderName));
        let hash_algorithm = maglev
            .map(HashAlgorithm::Maglev)
            .or(ring_hash.map(HashAlgorithm::RingHash));
        Self {
            hash_key,
            hash_algorithm,
            minimum_ring_size,
        }
    }
}

impl From<ConsistentHashLb> for ConsistentHashLbWire {
    fn from(value: ConsistentHashLb) -> Self {
        let ConsistentHashLb {
            hash_key,
            hash_algorithm,
            minimum_ring_size,
        } = value;
        let mut wire = Self {
            minimum_ring_size,
            ..Self::default()
        };
        match hash_key {
            None => {}
            Some(HashKey::HttpHeaderName(name)) => wire.http_header_name = Some(name),
            Some(HashKey::HttpCookie(cookie)) => wire.http_cookie = Some(cookie),
            Some(HashKey::UseSourceIp(flag)) => wire.use_source_ip = Some(flag),
            Some(HashKey::HttpQueryParameterName(name)) => wire.http_query_parameter_name = Some(name),
        }
        match hash_algorithm {
            None => {}
            Some(HashAlgorithm::RingHash(ring)) => wire.ring_hash = Some(ring),
            Some(HashAlgorithm::Maglev(table)) => wire.maglev = Some(table),
        }
        wire
    }
}

/// Parameters of the ring hash.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RingHash {
    /// Least number of entries on the ring. Zero means 1024.
    #[serde(skip_serializing_if = "is_default")]
    pub minimum_ring_size: u64,
}

/// Parameters of Maglev.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MagLev {
    /// Size of the table: a prime number below 5000011 (A-DR-27..29). Envoy's own default is 65537.
    #[serde(skip_serializing_if = "is_default")]
    pub table_size: u64,
}

/// A cookie whose value is hashed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpCookie {
    /// Name of the cookie. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Path for which the proxy sets it. Empty leaves the attribute out.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// Lifetime of a cookie that the proxy sets. Absent: the proxy sets none; zero: a session cookie.
    #[serde(skip_serializing_if = "is_default")]
    pub ttl: Option<Duration>,
    /// More attributes of a cookie that the proxy sets, such as `SameSite`. Names must be unique (A-DR-24). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub attributes: Vec<HttpCookieAttribute>,
}

/// An attribute of a cookie.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpCookieAttribute {
    /// Name. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Value. Empty leaves only the name.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
}

/// Weights from utilisation that endpoints report in responses. New in Istio 1.32; no validation rule upstream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BackendUtilization {
    /// How strongly errors reduce a weight, in percent. Absent means Envoy's default.
    #[serde(skip_serializing_if = "is_default")]
    pub error_utilization_penalty_percent: Option<u32>,
    /// Names of reported metrics from which utilisation is computed. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub metric_names_for_computing_utilization: Vec<String>,
    /// How long a weight holds without a new report.
    #[serde(skip_serializing_if = "is_default")]
    pub weight_expiration_period: Option<Duration>,
    /// How long an endpoint must report before its weight is used. Default: Envoy's.
    #[serde(skip_serializing_if = "is_default")]
    pub weight_stabilization_period: Option<Duration>,
    /// How often weights are computed anew. Default: Envoy's.
    #[serde(skip_serializing_if = "is_default")]
    pub weight_update_period: Option<Duration>,
}

/// How the share of a new endpoint grows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WarmupConfiguration {
    /// Time until it gets its full share; whole milliseconds. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub duration: Option<Duration>,
    /// Share at the start in percent of the full one, at most 100. Absent means 10.
    #[serde(skip_serializing_if = "is_default", serialize_with = "write_optional_double")]
    pub minimum_percent: Option<f64>,
    /// Form of the curve, above 0: 1.0 (also if absent) is linear, more is steeper at the start.
    #[serde(skip_serializing_if = "is_default", serialize_with = "write_optional_double")]
    pub aggression: Option<f64>,
}

/// Preference among localities `region/zone/subzone`. `distribute` and `failover` exclude each other (A-LB-1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalityLoadBalancerSetting {
    /// Fixed shares by origin and target. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub distribute: Vec<Distribute>,
    /// Regions that take over for other regions. Needs outlier detection. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub failover: Vec<Failover>,
    /// Labels by which endpoints are ranked: those that share more of them with the client, in order, come first.
    ///
    /// An entry may be `key=value`. Needs outlier detection. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub failover_priority: Vec<String>,
    /// Switch it on or off for the host. Absent means on when the message is there; the mesh default is on.
    #[serde(skip_serializing_if = "is_default")]
    pub enabled: Option<bool>,
}

/// Shares of the traffic that comes from one locality.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Distribute {
    /// Locality of the client, `*` at the end of a part as a wildcard. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub from: String,
    /// Percent by locality of the endpoints, each 1..100, 100 in all (A-LB-3, A-LB-4). Required.
    #[serde(skip_serializing_if = "is_default")]
    pub to: BTreeMap<String, u32>,
}

/// A region that takes over for another one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Failover {
    /// Region of the client: no `/`, no `*`. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub from: String,
    /// Region that takes over; must differ from `from`. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub to: String,
}

/// Zone-aware routing: stay in the zone of the client as far as the endpoints there can carry the load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ZoneAwareLoadBalancerSetting {
    /// Switch it on or off for the host. Absent means on when the message is there.
    #[serde(skip_serializing_if = "is_default")]
    pub enabled: Option<bool>,
    /// Regions that take over for other regions. Needs outlier detection. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub failover: Vec<Failover>,
    /// Labels by which endpoints are ranked; no topology labels here (A-LB-12). Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub failover_priority: Vec<String>,
    /// Least number of endpoints for zone awareness, at least 1. Absent means 6. On the wire up to Istio 1.31 a 64-bit number.
    #[serde(skip_serializing_if = "is_default")]
    pub min_cluster_size: Option<u32>,
}
