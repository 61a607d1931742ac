//! Traffic policies, block by block (X-CDS-13 to X-CDS-33).

use mesh_route::plan::{
    Balancer, Discovery, Http2Keepalive, Keepalive, Origin, Outlier, Pool, RetryBudget, Sourced,
    TrafficPolicy, UpstreamProtocol, Warmup,
};
use prost_types::Any;

use super::cluster::is_provided;
use super::common::{duration, exact, extension};
use super::report::{Notes, Problem};
use crate::pb::envoy::config::cluster::v3::circuit_breakers::{Thresholds, thresholds};
use crate::pb::envoy::config::cluster::v3::cluster::{
    LbConfig, LbPolicy, LeastRequestLbConfig, MaglevLbConfig, RingHashLbConfig, RoundRobinLbConfig,
    SlowStartConfig,
};
use crate::pb::envoy::config::cluster::v3::{
    CircuitBreakers, Cluster, OutlierDetection, UpstreamConnectionOptions,
};
use crate::pb::envoy::config::common::matcher::v3::match_predicate::{MatchSet, Rule};
use crate::pb::envoy::config::common::matcher::v3::{HttpHeadersMatch, MatchPredicate};
use crate::pb::envoy::config::core::v3::http1_protocol_options::{HeaderKeyFormat, header_key_format};
use crate::pb::envoy::config::core::v3::{
    Http1ProtocolOptions, Http2ProtocolOptions, HttpProtocolOptions as CommonHttpOptions, KeepaliveSettings,
    RuntimeDouble, TcpKeepalive, UpstreamHttpProtocolOptions,
};
use crate::pb::envoy::config::route::v3::HeaderMatcher;
use crate::pb::envoy::config::route::v3::header_matcher::HeaderMatchSpecifier;
use crate::pb::envoy::extensions::http::header_formatters::preserve_case::v3::PreserveCaseFormatterConfig;
use crate::pb::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use crate::pb::envoy::extensions::upstreams::http::v3::http_protocol_options::{
    self, ExplicitHttpConfig, UpstreamProtocolOptions, UseDownstreamHttpConfig,
    explicit_http_config::ProtocolConfig,
};
use crate::pb::envoy::r#type::v3::Percent;
use crate::pb::pack;

/// Where a cluster's HTTP options stand.
const HTTP_OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
/// An impossible key: the ramp of slow start is not to be changed at run time.
const NO_RUNTIME_KEY: &str = "(";
/// Envoy's own speed of the ramp, and its first share in percent.
const AGGRESSION: f64 = 1.0;
const MIN_WEIGHT_PERCENT: f64 = 10.0;

/// The HTTP options of a cluster, collected from policy and TLS; one message in the end (X-CDS-16).
#[derive(Default)]
pub(super) struct HttpOptions {
    protocol: Option<UpstreamProtocolOptions>,
    common: Option<CommonHttpOptions>,
    error_matcher: Option<MatchPredicate>,
    /// What TLS asks of them.
    pub(super) upstream: Option<UpstreamHttpProtocolOptions>,
}

impl HttpOptions {
    /// What the protocol alone asks for (X-CDS-17).
    pub(super) fn new(upstream: UpstreamProtocol) -> HttpOptions {
        let protocol = match upstream {
            UpstreamProtocol::Unspecified => None,
            UpstreamProtocol::Http1PreserveCase => {
                Some(explicit(ProtocolConfig::HttpProtocolOptions(http1(true))))
            }
            UpstreamProtocol::Http2 => Some(explicit(ProtocolConfig::Http2ProtocolOptions(
                Http2ProtocolOptions::default(),
            ))),
            UpstreamProtocol::FollowClient { preserve_case } => Some(
                UpstreamProtocolOptions::UseDownstreamProtocolConfig(UseDownstreamHttpConfig {
                    http_protocol_options: Some(http1(preserve_case)),
                    http2_protocol_options: Some(Http2ProtocolOptions::default()),
                    ..Default::default()
                }),
            ),
        };
        HttpOptions {
            protocol,
            ..Default::default()
        }
    }

    /// X-CDS-18
    fn add_pool(&mut self, pool: &Pool) {
        let Pool {
            connections: _,
            pending: _,
            requests: _,
            retries: _,
            per_connection,
            streams,
            connect_timeout: _,
            idle,
            max_connection,
            http2_keepalive,
            http2_ignored,
        } = pool;
        let common = CommonHttpOptions {
            idle_timeout: idle.map(duration),
            max_connection_duration: max_connection.map(duration),
            max_requests_per_connection: *per_connection,
            ..Default::default()
        };
        // quirk X-CDS-18: settings for HTTP/2 leave an empty message on other clusters.
        if common != CommonHttpOptions::default() || *http2_ignored {
            self.common = Some(common);
        }
        if let Some(UpstreamProtocolOptions::ExplicitHttpConfig(ExplicitHttpConfig {
            protocol_config: Some(ProtocolConfig::Http2ProtocolOptions(http2)),
        })) = &mut self.protocol
        {
            http2.max_concurrent_streams = *streams;
            http2.connection_keepalive =
                http2_keepalive.map(|Http2Keepalive { interval, timeout }| KeepaliveSettings {
                    interval: interval.map(duration),
                    timeout: timeout.map(duration),
                    ..Default::default()
                });
        }
    }

    /// The message under its key, if anything was set. Envoy demands a protocol beside any other option.
    pub(super) fn into_extension(self) -> Option<(String, Any)> {
        let HttpOptions {
            protocol,
            common,
            error_matcher,
            upstream,
        } = self;
        if protocol.is_none() && common.is_none() && error_matcher.is_none() && upstream.is_none() {
            return None;
        }
        let protocol = protocol.unwrap_or_else(|| {
            explicit(ProtocolConfig::HttpProtocolOptions(
                Http1ProtocolOptions::default(),
            ))
        });
        let message = HttpProtocolOptions {
            common_http_protocol_options: common,
            upstream_http_protocol_options: upstream,
            upstream_protocol_options: Some(protocol),
            outlier_detection: error_matcher.map(|matcher| http_protocol_options::OutlierDetection {
                error_matcher: Some(matcher),
            }),
            ..Default::default()
        };
        Some((HTTP_OPTIONS.to_owned(), pack(&message)))
    }
}

/// Applies a policy to a cluster.
pub(super) fn apply(
    policy: &TrafficPolicy,
    discovery: &Discovery,
    message: &mut Cluster,
    options: &mut HttpOptions,
    (origin, notes): (Option<&Origin>, &mut Notes),
) {
    let TrafficPolicy {
        pool: Sourced {
            value: pool,
            level: _,
        },
        balancer,
        outlier,
        panic_percent,
        keepalive,
        retry_budget,
        proxy_protocol: _, // around the transport socket
        tunnel: _,         // of TCP proxies
    } = policy;
    message.connect_timeout = Some(duration(pool.connect_timeout));
    if *discovery == Discovery::Empty {
        return; // X-CDS-51: nothing is ever connected.
    }
    message.circuit_breakers = Some(CircuitBreakers {
        thresholds: vec![limits(pool, retry_budget.as_ref())],
        ..Default::default()
    });
    options.add_pool(pool);
    message.upstream_connection_options = keepalive.as_ref().map(|keepalive| UpstreamConnectionOptions {
        tcp_keepalive: Some(tcp_keepalive(keepalive)),
        ..Default::default()
    });
    if let Some(percent) = panic_percent {
        let common = message.common_lb_config.get_or_insert_default();
        common.healthy_panic_threshold = Some(Percent {
            value: f64::from(*percent),
        });
    }
    if let Some(outlier) = outlier {
        message.outlier_detection = Some(outlier_detection(&outlier.value));
        options.error_matcher = error_matcher(&outlier.value.error_codes);
    }
    let policy = if is_provided(discovery) {
        LbPolicy::ClusterProvided // X-CDS-11
    } else {
        let (policy, config) = load_balancer(&balancer.value);
        message.lb_config = config;
        if policy == LbPolicy::ClusterProvided {
            notes.warn(origin, Problem::NoOwnBalancer);
            LbPolicy::RoundRobin
        } else {
            policy
        }
    };
    message.lb_policy = policy.into();
}

fn explicit(config: ProtocolConfig) -> UpstreamProtocolOptions {
    UpstreamProtocolOptions::ExplicitHttpConfig(ExplicitHttpConfig {
        protocol_config: Some(config),
    })
}

/// HTTP/1.1, with the case of header names kept if asked for.
pub(super) fn http1(preserve_case: bool) -> Http1ProtocolOptions {
    let formatter = || HeaderKeyFormat {
        header_format: Some(header_key_format::HeaderFormat::StatefulFormatter(extension(
            "preserve_case",
            &PreserveCaseFormatterConfig::default(),
        ))),
    };
    Http1ProtocolOptions {
        header_key_format: preserve_case.then(formatter),
        ..Default::default()
    }
}

/// X-CDS-14, X-CDS-15
fn limits(pool: &Pool, budget: Option<&Sourced<RetryBudget>>) -> Thresholds {
    Thresholds {
        max_connections: Some(pool.connections.number()),
        max_pending_requests: Some(pool.pending.number()),
        max_requests: Some(pool.requests.number()),
        max_retries: Some(pool.retries.number()),
        retry_budget: budget.map(|budget| {
            let RetryBudget {
                percent,
                minimum,
                interval,
            } = budget.value;
            thresholds::RetryBudget {
                budget_percent: Some(Percent { value: percent }),
                min_retry_concurrency: Some(minimum),
                budget_interval: interval.map(duration),
            }
        }),
        ..Default::default()
    }
}

/// X-CDS-20
fn tcp_keepalive(keepalive: &Keepalive) -> TcpKeepalive {
    let Keepalive {
        probes,
        time,
        interval,
    } = keepalive;
    let value = |sourced: &Option<Sourced<u32>>| sourced.as_ref().map(|sourced| sourced.value);
    TcpKeepalive {
        keepalive_probes: value(probes),
        keepalive_time: value(time),
        keepalive_interval: value(interval),
    }
}

/// X-CDS-25, X-CDS-26
fn outlier_detection(outlier: &Outlier) -> OutlierDetection {
    let Outlier {
        consecutive_5xx,
        consecutive_gateway_errors,
        split_local_origin,
        consecutive_local_origin,
        interval,
        base_ejection,
        max_ejection_percent,
        error_codes: _, // with the HTTP options
    } = outlier;
    let enforced = |value: Option<u32>| value.map(|value| if value > 0 { 100 } else { 0 });
    let mut message = OutlierDetection {
        consecutive_5xx: *consecutive_5xx,
        enforcing_consecutive_5xx: enforced(*consecutive_5xx),
        consecutive_gateway_failure: *consecutive_gateway_errors,
        enforcing_consecutive_gateway_failure: enforced(*consecutive_gateway_errors),
        enforcing_success_rate: Some(0),
        interval: interval.map(duration),
        base_ejection_time: base_ejection.map(duration),
        max_ejection_percent: *max_ejection_percent,
        ..Default::default()
    };
    if *split_local_origin {
        message.split_external_local_origin_errors = true;
        message.enforcing_local_origin_success_rate = Some(0);
        message.consecutive_local_origin_failure = *consecutive_local_origin;
        message.enforcing_consecutive_local_origin_failure = enforced(*consecutive_local_origin);
    }
    message
}

/// X-CDS-28
fn error_matcher(codes: &[u32]) -> Option<MatchPredicate> {
    let status = |code: &u32| MatchPredicate {
        rule: Some(Rule::HttpResponseHeadersMatch(HttpHeadersMatch {
            headers: vec![HeaderMatcher {
                name: ":status".to_owned(),
                header_match_specifier: Some(HeaderMatchSpecifier::StringMatch(exact(&code.to_string()))),
                ..Default::default()
            }],
        })),
    };
    match codes {
        [] => None,
        [code] => Some(status(code)),
        codes => Some(MatchPredicate {
            rule: Some(Rule::OrMatch(MatchSet {
                rules: codes.iter().map(status).collect(),
            })),
        }),
    }
}

/// X-CDS-31 to X-CDS-33
fn load_balancer(balancer: &Balancer) -> (LbPolicy, Option<LbConfig>) {
    match balancer {
        Balancer::LeastRequest(warmup) => {
            let config = warmup.as_ref().map(|warmup| {
                LbConfig::LeastRequestLbConfig(LeastRequestLbConfig {
                    slow_start_config: Some(slow_start(warmup)),
                    ..Default::default()
                })
            });
            (LbPolicy::LeastRequest, config)
        }
        Balancer::RoundRobin(warmup) => {
            let config = warmup.as_ref().map(|warmup| {
                LbConfig::RoundRobinLbConfig(RoundRobinLbConfig {
                    slow_start_config: Some(slow_start(warmup)),
                })
            });
            (LbPolicy::RoundRobin, config)
        }
        Balancer::Random => (LbPolicy::Random, None),
        Balancer::RingHash { minimum_size } => {
            let config = RingHashLbConfig {
                minimum_ring_size: *minimum_size,
                ..Default::default()
            };
            (LbPolicy::RingHash, Some(LbConfig::RingHashLbConfig(config)))
        }
        Balancer::Maglev { table_size } => {
            let config = table_size.map(|size| {
                LbConfig::MaglevLbConfig(MaglevLbConfig {
                    table_size: Some(size),
                })
            });
            (LbPolicy::Maglev, config)
        }
        Balancer::ClusterProvided => (LbPolicy::ClusterProvided, None),
    }
}

fn slow_start(warmup: &Warmup) -> SlowStartConfig {
    let Warmup {
        window,
        minimum_percent,
        aggression,
    } = warmup;
    SlowStartConfig {
        slow_start_window: Some(duration(*window)),
        aggression: Some(RuntimeDouble {
            default_value: aggression.unwrap_or(AGGRESSION),
            runtime_key: NO_RUNTIME_KEY.to_owned(),
        }),
        min_weight_percent: Some(Percent {
            value: minimum_percent.unwrap_or(MIN_WEIGHT_PERCENT),
        }),
    }
}
