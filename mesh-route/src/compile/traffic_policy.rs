//! The effective traffic policy of a cluster (R-TP, X-CDS-13 to -37).

use std::sync::Arc;
use std::time::Duration;

use mesh_api::mesh::MeshConfig;
use mesh_api::names::Text;
use mesh_api::networking as model;
use mesh_api::scalar::Duration as WireDuration;

use super::defaults;
use crate::plan::{
    Balancer, Http2Keepalive, Keepalive, Level, Limit, Outlier, Pool, ProxyProtocol, RetryBudget, RuleId,
    Sourced, TrafficPolicy, Tunnel, Warmup,
};

/// Blocks of a traffic policy, each with the level that gives it (R-TP-5: never merged field by field).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Blocks<'a> {
    /// `connectionPool`.
    pub(super) pool: Option<(&'a model::ConnectionPoolSettings, Level)>,
    /// `loadBalancer`.
    pub(super) balancer: Option<(&'a model::LoadBalancerSettings, Level)>,
    /// `outlierDetection`.
    pub(super) outlier: Option<(&'a model::OutlierDetection, Level)>,
    /// `tls`.
    pub(super) tls: Option<(&'a model::ClientTlsSettings, Level)>,
    /// `tunnel`.
    pub(super) tunnel: Option<(&'a model::TunnelSettings, Level)>,
    /// `proxyProtocol`.
    pub(super) proxy_protocol: Option<(&'a model::ProxyProtocol, Level)>,
    /// `retryBudget`.
    pub(super) retry_budget: Option<(&'a model::RetryBudget, Level)>,
    /// Whether a port item replaced the policy.
    pub(super) from_port: bool,
}

impl<'a> Blocks<'a> {
    /// The blocks of a policy for a port: the first item of that port replaces the whole policy, and its omitted blocks
    /// are unset (R-TP-1).
    pub(super) fn at_port(
        policy: &'a model::TrafficPolicy,
        port: u16,
        own: Level,
        port_level: Level,
    ) -> Self {
        let fits = |item: &&model::PortTrafficPolicy| {
            item.port
                .as_ref()
                .is_some_and(|selector| selector.number == u32::from(port))
        };
        if let Some(item) = policy.port_level_settings.iter().find(fits) {
            let model::PortTrafficPolicy {
                port: _,
                load_balancer,
                connection_pool,
                outlier_detection,
                tls,
            } = item;
            return Self {
                pool: connection_pool.as_deref().map(|block| (block, port_level)),
                balancer: load_balancer.as_deref().map(|block| (block, port_level)),
                outlier: outlier_detection.as_deref().map(|block| (block, port_level)),
                tls: tls.as_deref().map(|block| (block, port_level)),
                tunnel: None,
                proxy_protocol: None,
                retry_budget: None,
                from_port: true,
            };
        }
        let model::TrafficPolicy {
            load_balancer,
            connection_pool,
            outlier_detection,
            tls,
            port_level_settings: _,
            tunnel,
            proxy_protocol,
            retry_budget,
        } = policy;
        Self {
            pool: connection_pool.as_deref().map(|block| (block, own)),
            balancer: load_balancer.as_deref().map(|block| (block, own)),
            outlier: outlier_detection.as_deref().map(|block| (block, own)),
            tls: tls.as_deref().map(|block| (block, own)),
            tunnel: tunnel.as_ref().map(|block| (block, own)),
            proxy_protocol: proxy_protocol.as_ref().map(|block| (block, own)),
            retry_budget: retry_budget.as_ref().map(|block| (block, own)),
            from_port: false,
        }
    }

    /// Fills pool and outlier detection from the mesh baseline, as whole blocks (R-TP-2).
    pub(super) fn with_baseline(mut self, mesh: &'a MeshConfig) -> Self {
        if let Some(baseline) = mesh.default_traffic_policy.as_deref() {
            self.pool = self.pool.or(baseline
                .connection_pool
                .as_deref()
                .map(|block| (block, Level::Mesh)));
            self.outlier = self
                .outlier
                .or(baseline.outlier_detection.as_deref().map(|b| (b, Level::Mesh)));
        }
        self
    }

    /// Lays a subset's blocks over these (R-TP-3). A port item of the subset takes the four blocks even when unset
    /// (R-TP-4, quirk).
    pub(super) fn overlaid(self, subset: Self) -> Self {
        let four = subset.from_port;
        Self {
            pool: if four {
                subset.pool
            } else {
                subset.pool.or(self.pool)
            },
            balancer: if four {
                subset.balancer
            } else {
                subset.balancer.or(self.balancer)
            },
            outlier: if four {
                subset.outlier
            } else {
                subset.outlier.or(self.outlier)
            },
            tls: if four { subset.tls } else { subset.tls.or(self.tls) },
            tunnel: subset.tunnel.or(self.tunnel),
            proxy_protocol: subset.proxy_protocol.or(self.proxy_protocol),
            retry_budget: subset.retry_budget.or(self.retry_budget),
            from_port: self.from_port || subset.from_port,
        }
    }
}

/// What of a policy depends on the cluster it is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct PolicyTarget {
    /// Whether the cluster speaks HTTP/2 explicitly.
    pub(super) http2: bool,
    /// Whether the service may be sent to unhealthy endpoints by its own wish (X-EDS-4).
    pub(super) forced_unhealthy: bool,
    /// Whether panic routing is switched off without outlier detection (X-CDS-29).
    pub(super) no_panic: bool,
    /// Whether the balancer is fixed by the kind of the cluster.
    pub(super) cluster_provided: bool,
}

/// Resolves the blocks to values.
pub(super) fn traffic_policy(blocks: &Blocks<'_>, mesh: &MeshConfig, target: PolicyTarget) -> TrafficPolicy {
    let outlier = blocks
        .outlier
        .map(|(block, level)| Sourced::new(outlier(block), level));
    let panic_percent = match blocks.outlier {
        Some(_) if target.forced_unhealthy => Some(0),
        Some((block, _)) => u8::try_from(block.min_health_percent.clamp(0, 100)).ok(),
        None => target.no_panic.then_some(0),
    };
    TrafficPolicy {
        pool: pool(blocks, mesh, target.http2),
        balancer: balancer(blocks, target.cluster_provided),
        outlier,
        panic_percent,
        keepalive: keepalive(blocks, mesh),
        retry_budget: blocks
            .retry_budget
            .map(|(block, level)| Sourced::new(retry_budget(block), level)),
        proxy_protocol: blocks.proxy_protocol.map(|(block, level)| {
            let version = match block.version {
                model::ProxyProtocolVersion::V2 => ProxyProtocol::V2,
                _ => ProxyProtocol::V1,
            };
            Sourced::new(version, level)
        }),
        tunnel: blocks.tunnel.map(|(block, _)| Arc::new(tunnel(block))),
    }
}

fn std_time(time: &Option<WireDuration>) -> Option<Duration> {
    time.as_ref().and_then(|time| time.to_std())
}

/// A limit; 0 and negative numbers are unset (R-TP-6).
fn limit(number: i32) -> Limit {
    u32::try_from(number)
        .ok()
        .filter(|number| *number > 0)
        .map_or(Limit::Unlimited, Limit::Max)
}

fn positive(number: i32) -> Option<u32> {
    u32::try_from(number).ok().filter(|number| *number > 0)
}

fn pool(blocks: &Blocks<'_>, mesh: &MeshConfig, http2: bool) -> Sourced<Pool> {
    let mut pool = Pool {
        connections: Limit::Unlimited,
        pending: Limit::Unlimited,
        requests: Limit::Unlimited,
        retries: Limit::Unlimited,
        per_connection: None,
        streams: None,
        connect_timeout: mesh.connect_timeout.to_std().unwrap_or(defaults::CONNECT_TIMEOUT),
        idle: None,
        max_connection: None,
        http2_keepalive: None,
        http2_ignored: false,
    };
    let Some((model::ConnectionPoolSettings { tcp, http }, level)) = blocks.pool else {
        return Sourced::new(pool, Level::Default(RuleId::TrafficPolicy));
    };
    if let Some(tcp) = tcp {
        let model::TcpSettings {
            max_connections,
            connect_timeout,
            tcp_keepalive: _,
            max_connection_duration,
            idle_timeout,
        } = tcp;
        pool.connections = limit(*max_connections);
        pool.connect_timeout = std_time(connect_timeout).unwrap_or(pool.connect_timeout);
        pool.max_connection = std_time(max_connection_duration);
        pool.idle = std_time(idle_timeout);
    }
    if let Some(http) = http {
        let model::HttpSettings {
            http1_max_pending_requests,
            http2_max_requests,
            max_requests_per_connection,
            max_retries,
            idle_timeout,
            h2_upgrade_policy: _,
            use_client_protocol: _,
            max_concurrent_streams,
            http2_keep_alive,
        } = http;
        pool.pending = limit(*http1_max_pending_requests);
        pool.requests = limit(*http2_max_requests);
        pool.retries = limit(*max_retries);
        pool.per_connection = positive(*max_requests_per_connection);
        pool.idle = std_time(idle_timeout).or(pool.idle);
        let streams = positive(*max_concurrent_streams);
        let keepalive = http2_keep_alive.as_ref().map(|keepalive| Http2Keepalive {
            interval: std_time(&keepalive.interval),
            timeout: std_time(&keepalive.timeout),
        });
        if http2 {
            (pool.streams, pool.http2_keepalive) = (streams, keepalive);
        } else {
            pool.http2_ignored = streams.is_some() || keepalive.is_some();
        }
    }
    Sourced::new(pool, level)
}

fn balancer(blocks: &Blocks<'_>, cluster_provided: bool) -> Sourced<Balancer> {
    if cluster_provided {
        return Sourced::new(Balancer::ClusterProvided, Level::Default(RuleId::TrafficPolicy));
    }
    let Some((settings, level)) = blocks.balancer else {
        return Sourced::new(
            Balancer::LeastRequest(None),
            Level::Default(RuleId::TrafficPolicy),
        );
    };
    let warmup = match (&settings.warmup, &settings.warmup_duration_secs) {
        (Some(warmup), _) => std_time(&warmup.duration).map(|window| Warmup {
            window,
            minimum_percent: warmup.minimum_percent,
            aggression: warmup.aggression,
        }),
        (None, Some(window)) => window.to_std().map(|window| Warmup {
            window,
            minimum_percent: None,
            aggression: None,
        }),
        (None, None) => None,
    };
    let balancer = match &settings.lb_policy {
        Some(model::LbPolicy::ConsistentHash(hash)) => match &hash.hash_algorithm {
            Some(model::HashAlgorithm::Maglev(maglev)) => Balancer::Maglev {
                table_size: Some(maglev.table_size).filter(|size| *size != 0),
            },
            Some(model::HashAlgorithm::RingHash(ring)) => Balancer::RingHash {
                minimum_size: Some(ring.minimum_ring_size).filter(|size| *size != 0),
            },
            // X-CDS-33
            _ => {
                let size = Some(hash.minimum_ring_size).filter(|size| *size != 0);
                Balancer::RingHash {
                    minimum_size: Some(size.unwrap_or(defaults::RING_SIZE)),
                }
            }
        },
        Some(model::LbPolicy::Simple(simple)) => match simple {
            model::SimpleLb::Random => Balancer::Random,
            model::SimpleLb::RoundRobin => Balancer::RoundRobin(warmup),
            model::SimpleLb::Passthrough => Balancer::ClusterProvided,
            _ => Balancer::LeastRequest(warmup),
        },
        _ => Balancer::LeastRequest(warmup),
    };
    Sourced::new(balancer, level)
}

fn outlier(block: &model::OutlierDetection) -> Outlier {
    let model::OutlierDetection {
        consecutive_errors: _,
        split_external_local_origin_errors,
        consecutive_local_origin_failures,
        consecutive_gateway_errors,
        consecutive_5xx_errors,
        interval,
        base_ejection_time,
        max_ejection_percent,
        min_health_percent: _,
        outlier_detection_http_error_codes,
    } = block;
    Outlier {
        consecutive_5xx: *consecutive_5xx_errors,
        consecutive_gateway_errors: *consecutive_gateway_errors,
        split_local_origin: *split_external_local_origin_errors,
        consecutive_local_origin: consecutive_local_origin_failures
            .filter(|number| *split_external_local_origin_errors && *number > 0),
        interval: std_time(interval),
        base_ejection: std_time(base_ejection_time),
        max_ejection_percent: positive(*max_ejection_percent),
        error_codes: outlier_detection_http_error_codes.as_slice().into(),
    }
}

/// Mesh settings, with the rule's fields over them one by one (X-CDS-20).
fn keepalive(blocks: &Blocks<'_>, mesh: &MeshConfig) -> Option<Keepalive> {
    let rule = blocks
        .pool
        .and_then(|(pool, level)| Some((pool.tcp.as_ref()?.tcp_keepalive.as_ref()?, level)));
    let mesh = mesh
        .tcp_keepalive
        .as_ref()
        .map(|keepalive| (keepalive, Level::Mesh));
    if rule.is_none() && mesh.is_none() {
        return None;
    }
    let mut merged = Keepalive {
        probes: None,
        time: None,
        interval: None,
    };
    for (
        model::TcpKeepalive {
            probes,
            time,
            interval,
        },
        level,
    ) in [mesh, rule].into_iter().flatten()
    {
        let seconds =
            |time: &Option<WireDuration>| std_time(time).and_then(|time| u32::try_from(time.as_secs()).ok());
        merged.probes = (*probes > 0)
            .then(|| Sourced::new(*probes, level))
            .or(merged.probes);
        merged.time = seconds(time)
            .map(|time| Sourced::new(time, level))
            .or(merged.time);
        merged.interval = seconds(interval)
            .map(|time| Sourced::new(time, level))
            .or(merged.interval);
    }
    Some(merged)
}

fn retry_budget(block: &model::RetryBudget) -> RetryBudget {
    let model::RetryBudget {
        percent,
        min_retry_concurrency,
        budget_interval,
    } = block;
    RetryBudget {
        percent: percent.unwrap_or(defaults::RETRY_BUDGET_PERCENT),
        minimum: match min_retry_concurrency {
            0 => defaults::RETRY_BUDGET_MINIMUM,
            number => *number,
        },
        interval: std_time(budget_interval),
    }
}

fn tunnel(block: &model::TunnelSettings) -> Tunnel {
    let model::TunnelSettings {
        protocol,
        target_host,
        target_port,
    } = block;
    Tunnel {
        post: protocol == "POST",
        target: Text::from(format!("{target_host}:{target_port}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(json: serde_json::Value) -> model::TrafficPolicy {
        serde_json::from_value(json).expect("a policy")
    }

    fn balancer_of(policy: &Blocks<'_>) -> &'static str {
        super::balancer(policy, false).value.as_str()
    }

    #[test]
    fn a_subset_beats_a_port_level_of_the_rule() {
        // R-TP-4, E-42
        let top = policy(serde_json::json!({"portLevelSettings": [
            {"port": {"number": 80}, "loadBalancer": {"simple": "RANDOM"}}]}));
        let subset = policy(serde_json::json!({"loadBalancer": {"simple": "ROUND_ROBIN"}}));
        let base = Blocks::at_port(&top, 80, Level::Top, Level::Port);
        assert_eq!(balancer_of(&base), "RANDOM");
        let merged = base.overlaid(Blocks::at_port(&subset, 80, Level::Subset, Level::SubsetPort));
        assert_eq!(balancer_of(&merged), "ROUND_ROBIN");
    }

    #[test]
    fn a_port_item_of_a_subset_erases_the_baseline() {
        // R-TP-4, E-43
        let mesh = MeshConfig {
            default_traffic_policy: serde_json::from_value(
                serde_json::json!({"connectionPool": {"tcp": {"maxConnections": 7}}}),
            )
            .expect("a baseline"),
            ..MeshConfig::default()
        };
        let top = policy(serde_json::json!({"portLevelSettings": [
            {"port": {"number": 80}, "loadBalancer": {"simple": "RANDOM"}}]}));
        let subset = policy(serde_json::json!({"portLevelSettings": [
            {"port": {"number": 80}, "outlierDetection": {"consecutive5xxErrors": 3}}]}));
        let base = Blocks::at_port(&top, 80, Level::Top, Level::Port).with_baseline(&mesh);
        assert_eq!(pool(&base, &mesh, false).value.connections, Limit::Max(7));
        let merged = base.overlaid(Blocks::at_port(&subset, 80, Level::Subset, Level::SubsetPort));
        assert_eq!(pool(&merged, &mesh, false).value.connections, Limit::Unlimited);
        assert_eq!(balancer_of(&merged), "LEAST_REQUEST");
    }

    #[test]
    fn a_port_item_loses_tunnel_and_tls() {
        // R-TP-1, R-TP-10, E-41
        let top = policy(serde_json::json!({
            "tls": {"mode": "SIMPLE"}, "retryBudget": {"percent": 10},
            "portLevelSettings": [{"port": {"number": 80}, "loadBalancer": {"simple": "RANDOM"}}]}));
        let blocks = Blocks::at_port(&top, 80, Level::Top, Level::Port);
        assert!(blocks.tls.is_none() && blocks.retry_budget.is_none());
        let other = Blocks::at_port(&top, 81, Level::Top, Level::Port);
        assert!(other.tls.is_some() && other.retry_budget.is_some());
    }
}
