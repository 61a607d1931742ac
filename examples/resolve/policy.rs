//! The effective policy of a destination, in words and as data.

use std::time::Duration;

use mesh_route::plan::{
    Cluster, ForwardPolicy, Level, Limit, Locality, Outlier, Pool, Retry, Sourced, Timeout, TrafficPolicy,
    WeightedEndpoint,
};
use serde_json::{Map, Value, json};

/// Which level of configuration gave a value, in a word.
pub(crate) fn level(level: Level) -> &'static str {
    match level {
        Level::Own => "route",
        Level::Root => "root virtual service",
        Level::Top => "rule",
        Level::Port => "port of the rule",
        Level::Subset => "subset",
        Level::SubsetPort => "port of the subset",
        Level::ServiceEntry => "service entry",
        Level::Service => "service",
        Level::Mesh => "mesh",
        Level::Default(_) => "default",
    }
}

/// How the cluster treats its endpoints: balancer, limits, ejection.
pub(crate) fn of_cluster(policy: &TrafficPolicy) -> String {
    let mut parts = vec![format!(
        "{} ({})",
        policy.balancer.value.as_str(),
        level(policy.balancer.level)
    )];
    parts.extend(
        limits(&policy.pool.value)
            .into_iter()
            .map(|limit| format!("{limit} ({})", level(policy.pool.level))),
    );
    if let Some(outlier) = &policy.outlier {
        parts.push(format!("{} ({})", ejection(&outlier.value), level(outlier.level)));
    }
    if let Some(budget) = &policy.retry_budget {
        parts.push(format!(
            "retry budget {} % ({})",
            budget.value.percent,
            level(budget.level)
        ));
    }
    parts.join(", ")
}

/// How the request is forwarded: timeout, retries, TLS.
pub(crate) fn of_forwarding(policy: Option<&ForwardPolicy>, cluster: &Cluster) -> String {
    let mut parts = Vec::new();
    if let Some(policy) = policy {
        parts.push(match policy.timeout.value {
            Timeout::Disabled => format!("no timeout ({})", level(policy.timeout.level)),
            Timeout::After(time) => format!("timeout {} ({})", duration(time), level(policy.timeout.level)),
        });
        parts.push(match &policy.retry {
            None => "no retries".to_owned(),
            Some(retry) => retries(retry),
        });
    }
    parts.push(cluster.tls.value.as_str().to_owned());
    parts.join(", ")
}

/// Both as data.
pub(crate) fn facts(forward: Option<&ForwardPolicy>, cluster: &Cluster) -> Map<String, Value> {
    let TrafficPolicy {
        pool,
        balancer,
        outlier,
        ..
    } = &*cluster.policy;
    let mut facts = Map::new();
    facts.insert(
        "load_balancer".to_owned(),
        json!({ "value": balancer.value.as_str(), "level": level(balancer.level) }),
    );
    facts.insert("connection_pool".to_owned(), pool_facts(pool));
    let outlier = outlier.as_ref().map(|outlier| {
        let Outlier {
            consecutive_5xx,
            consecutive_gateway_errors,
            interval,
            base_ejection,
            ..
        } = &outlier.value;
        json!({
            "consecutive_5xx": consecutive_5xx,
            "consecutive_gateway_errors": consecutive_gateway_errors,
            "interval_seconds": interval.map(|time| time.as_secs_f64()),
            "base_ejection_seconds": base_ejection.map(|time| time.as_secs_f64()),
            "level": level(outlier.level),
        })
    });
    facts.insert("outlier_detection".to_owned(), outlier.into());
    facts.insert(
        "tls".to_owned(),
        json!({ "mode": cluster.tls.value.as_str(), "level": level(cluster.tls.level) }),
    );
    if let Some(ForwardPolicy { timeout, retry, .. }) = forward {
        let seconds = match timeout.value {
            Timeout::Disabled => None,
            Timeout::After(time) => Some(time.as_secs_f64()),
        };
        facts.insert(
            "timeout".to_owned(),
            json!({ "seconds": seconds, "level": level(timeout.level) }),
        );
        let retry = retry.as_ref().map(|retry| {
            json!({
                "attempts": retry.value.attempts,
                "on": retry.value.on.as_str(),
                "codes": &*retry.value.codes,
                "per_try_seconds": retry.value.per_try.map(|time| time.as_secs_f64()),
                "level": level(retry.level),
            })
        });
        facts.insert("retries".to_owned(), retry.into());
    }
    facts
}

/// An endpoint as data.
pub(crate) fn endpoint_facts(weighted: &WeightedEndpoint) -> Value {
    let endpoint = &weighted.endpoint;
    let locality = Some(&endpoint.locality)
        .filter(|locality| !locality.is_empty())
        .map(Locality::to_string);
    json!({
        "address": endpoint.to_string(),
        "weight": weighted.weight,
        "mtls": weighted.mtls,
        "locality": locality,
        "workload": endpoint.workload.as_str(),
    })
}

fn pool_facts(pool: &Sourced<Pool>) -> Value {
    let Pool {
        connections,
        pending,
        requests,
        retries,
        per_connection,
        connect_timeout,
        ..
    } = &pool.value;
    let number = |limit: &Limit| match limit {
        Limit::Unlimited => None,
        Limit::Max(number) => Some(*number),
    };
    json!({
        "max_connections": number(connections),
        "max_pending_requests": number(pending),
        "max_requests": number(requests),
        "max_retries": number(retries),
        "max_requests_per_connection": per_connection,
        "connect_timeout_seconds": connect_timeout.as_secs_f64(),
        "level": level(pool.level),
    })
}

/// The limits of a pool that are set.
fn limits(pool: &Pool) -> Vec<String> {
    let named = [
        (pool.connections, "connections"),
        (pool.pending, "pending requests"),
        (pool.requests, "requests"),
        (pool.retries, "concurrent retries"),
    ];
    let limits = named.into_iter().filter_map(|(limit, what)| match limit {
        Limit::Unlimited => None,
        Limit::Max(number) => Some(format!("max {number} {what}")),
    });
    limits
        .chain(
            pool.per_connection
                .map(|number| format!("max {number} requests per connection")),
        )
        .collect()
}

fn ejection(outlier: &Outlier) -> String {
    match (outlier.consecutive_5xx, outlier.consecutive_gateway_errors) {
        (Some(0), None | Some(0)) => "ejection off".to_owned(),
        (Some(0), Some(errors)) => format!("ejection after {errors} gateway errors"),
        (Some(errors), _) => format!("ejection after {errors} x 5xx"),
        (None, _) => "ejection after 5 x 5xx".to_owned(),
    }
}

fn retries(retry: &Sourced<Retry>) -> String {
    let times = if retry.value.attempts == 1 {
        "1 retry".to_owned()
    } else {
        format!("{} retries", retry.value.attempts)
    };
    let per_try = retry
        .value
        .per_try
        .map(|time| format!(" of {} each", duration(time)))
        .unwrap_or_default();
    format!("{times}{per_try} ({})", level(retry.level))
}

/// `2s`, `500ms`, `1.5s`.
pub(crate) fn duration(time: Duration) -> String {
    format!("{time:?}")
}
