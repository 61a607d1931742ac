//! Timeout, retries, hashing and mirrors of forwarded requests (R-TO, R-RTY, R-HASH, R-MIR).

use std::sync::Arc;
use std::time::Duration;

use mesh_api::mesh::MeshConfig;
use mesh_api::names::{Host, Text};
use mesh_api::networking as model;

use super::action;
use super::defaults;
use super::view::{Common, RouteView};
use crate::plan::{
    At, Denominator, ForwardPolicy, HashKey, HashPolicy, Index, Level, Mirror, Origin, Retry, RuleId, Share,
    Sourced, Timeout,
};
use crate::snapshot::destination_rule::MergedRule;
use crate::snapshot::service::Service;
use crate::snapshot::virtual_service::{HttpEntry, VirtualService};
use crate::trace::Recorder;

impl Common {
    /// Makes the shared values of a compilation.
    pub(super) fn new(mesh: &MeshConfig) -> Self {
        let policy = ForwardPolicy {
            timeout: Sourced::new(Timeout::Disabled, Level::Default(RuleId::RouteTimeout)),
            retry: mesh_retry(mesh),
            hash: Box::default(),
            mirrors: Box::default(),
        };
        Self {
            policy: Arc::new(policy),
            root_path: Text::new("/"),
            default_name: defaults::default_route_name(),
        }
    }
}

/// How requests of an entry are forwarded. The common policy is shared where nothing is said.
pub(super) fn policy(
    service: &VirtualService,
    entry: &HttpEntry,
    view: &RouteView<'_>,
    recorder: &mut impl Recorder,
) -> Arc<ForwardPolicy> {
    let route = &entry.route;
    let level = |from_root| if from_root { Level::Root } else { Level::Own };
    let hash = hash_policies(service, entry, view);
    let common = &view.common.policy;
    let timeout = match route.timeout.as_ref().and_then(|timeout| timeout.to_std()) {
        None => common.timeout,
        Some(Duration::ZERO) => Sourced::new(Timeout::Disabled, level(entry.from_root.timeout)),
        Some(time) => Sourced::new(Timeout::After(time), level(entry.from_root.timeout)),
    };
    let mut retry = match &route.retries {
        None => common.retry.clone(),
        Some(retries) => {
            self::retry(retries).map(|retry| Sourced::new(retry, level(entry.from_root.retries)))
        }
    };
    // R-RTY-3: with one destination and a hash, previous hosts are avoided only where the route says so.
    let said = route
        .retries
        .as_ref()
        .and_then(|retries| retries.retry_ignore_previous_hosts);
    if let (Some(retry), 1, false, None) = (&mut retry, route.route.len(), hash.is_empty(), said) {
        retry.value.avoid_previous = false;
    }
    let mirrors = mirrors(service, entry, view, recorder);
    let policy = ForwardPolicy {
        timeout,
        retry,
        hash,
        mirrors,
    };
    if policy == **common {
        Arc::clone(common)
    } else {
        Arc::new(policy)
    }
}

/// The policy of a service's own default route (R-VH-7, R-HASH-2).
pub(super) fn service_policy(service: &Service, port: u16, view: &RouteView<'_>) -> Arc<ForwardPolicy> {
    let common = &view.common.policy;
    let Some(selected) = view.rule(service) else {
        return Arc::clone(common);
    };
    let Some(hash) = rule_hash(&selected.rule, port) else {
        return Arc::clone(common);
    };
    Arc::new(ForwardPolicy {
        hash: Box::new([hash]),
        ..ForwardPolicy::clone(common)
    })
}

/// The mesh's retry policy, else the built-in one (R-RTY-1).
fn mesh_retry(mesh: &MeshConfig) -> Option<Sourced<Retry>> {
    match &mesh.default_http_retry_policy {
        Some(retries) => retry(retries).map(|retry| Sourced::new(retry, Level::Mesh)),
        None => {
            let retry = Retry {
                attempts: defaults::RETRY_ATTEMPTS,
                on: Text::new(defaults::RETRY_ON),
                codes: Box::default(),
                per_try: None,
                backoff: None,
                host_attempts: defaults::RETRY_HOST_ATTEMPTS,
                avoid_previous: true,
                other_localities: false,
            };
            Some(Sourced::new(retry, Level::Default(RuleId::Retry)))
        }
    }
}

/// A retry policy as given; `None` without attempts (R-RTY-2). Unset fields take the built-in defaults (R-RTY-4).
fn retry(retries: &model::HttpRetry) -> Option<Retry> {
    let model::HttpRetry {
        attempts,
        per_try_timeout,
        retry_on,
        retry_remote_localities,
        retry_ignore_previous_hosts,
        backoff,
    } = retries;
    let attempts = u32::try_from(*attempts).ok().filter(|attempts| *attempts > 0)?;
    let (on, codes) = retry_conditions(retry_on);
    let time = |duration: &Option<mesh_api::scalar::Duration>| {
        duration
            .as_ref()
            .and_then(|time| time.to_std())
            .filter(|time| !time.is_zero())
    };
    Some(Retry {
        attempts,
        on,
        codes,
        per_try: time(per_try_timeout),
        backoff: time(backoff),
        host_attempts: defaults::RETRY_HOST_ATTEMPTS,
        avoid_previous: retry_ignore_previous_hosts.unwrap_or(true),
        other_localities: retry_remote_localities.unwrap_or(false),
    })
}

fn retry_conditions(text: &str) -> (Text, Box<[u32]>) {
    if text.is_empty() {
        return (Text::new(defaults::RETRY_ON), Box::default());
    }
    let (mut words, mut codes) = (Vec::new(), Vec::new());
    for token in text.split(',').map(str::trim) {
        match token.parse::<u32>() {
            Ok(code) if defaults::is_known_status(code) => codes.push(code),
            _ => words.push(token),
        }
    }
    if !codes.is_empty() && !words.contains(&defaults::RETRIABLE_STATUS_CODES) {
        words.push(defaults::RETRIABLE_STATUS_CODES);
    }
    (Text::from(words.join(",")), codes.into())
}

/// The hash policies of all destinations, in order (R-HASH-1, R-HASH-3).
fn hash_policies(service: &VirtualService, entry: &HttpEntry, view: &RouteView<'_>) -> Box<[HashPolicy]> {
    let targets = entry
        .route
        .route
        .iter()
        .filter_map(|target| target.destination.as_ref());
    targets
        .filter_map(|destination| {
            let found = view.service(&Host::new(destination.host.as_str()), &service.namespace)?;
            let rule = view.rule(found)?.rule;
            let port = destination.port.as_ref().map(|port| port.number);
            destination_hash(&rule, &destination.subset, port)
        })
        .collect()
}

/// Subset port level, subset, rule port level, rule top level. Port levels need the destination to name the port.
fn destination_hash(rule: &Arc<MergedRule>, subset: &str, port: Option<u32>) -> Option<HashPolicy> {
    let found = rule.subset(subset).filter(|_| !subset.is_empty());
    let subset = found.and_then(|found| Some((&found.rule, found.spec()?.traffic_policy.as_deref()?)));
    let top = rule
        .policy
        .as_ref()
        .and_then(|owner| Some((owner, rule.traffic_policy()?)));
    let candidates = [
        (subset, true, Level::SubsetPort),
        (subset, false, Level::Subset),
        (top, true, Level::Port),
        (top, false, Level::Top),
    ];
    candidates.into_iter().find_map(|(policy, port_level, level)| {
        let (owner, policy) = policy?;
        let balancer = if port_level {
            port_balancer(policy, port?)?
        } else {
            policy.load_balancer.as_deref()?
        };
        Some(HashPolicy {
            key: hash_key(balancer)?,
            level,
            rule: Some(Arc::clone(&owner.key)),
        })
    })
}

/// For a service without a VirtualService: the setting of its port, else the top level (R-HASH-2).
fn rule_hash(rule: &Arc<MergedRule>, port: u16) -> Option<HashPolicy> {
    let policy = rule.traffic_policy()?;
    let (balancer, level) = match port_balancer(policy, u32::from(port)) {
        Some(balancer) => (balancer, Level::Port),
        None => (policy.load_balancer.as_deref()?, Level::Top),
    };
    Some(HashPolicy {
        key: hash_key(balancer)?,
        level,
        rule: rule.policy.as_ref().map(|owner| Arc::clone(&owner.key)),
    })
}

fn port_balancer(policy: &model::TrafficPolicy, port: u32) -> Option<&model::LoadBalancerSettings> {
    let fits = |own: &&model::PortTrafficPolicy| own.port.as_ref().is_some_and(|own| own.number == port);
    policy
        .port_level_settings
        .iter()
        .find(fits)?
        .load_balancer
        .as_deref()
}

/// What a balancer hashes, if it does.
fn hash_key(balancer: &model::LoadBalancerSettings) -> Option<HashKey> {
    let Some(model::LbPolicy::ConsistentHash(hash)) = &balancer.lb_policy else {
        return None;
    };
    match hash.hash_key.as_ref()? {
        model::HashKey::HttpHeaderName(name) => Some(HashKey::Header(Text::new(name))),
        model::HashKey::HttpCookie(cookie) => {
            let model::HttpCookie {
                name,
                path,
                ttl,
                attributes,
            } = cookie;
            Some(HashKey::Cookie {
                name: Text::new(name),
                path: Text::new(path),
                ttl: ttl.as_ref().and_then(|ttl| ttl.to_std()),
                attributes: attributes
                    .iter()
                    .map(|a| (Text::new(&a.name), Text::new(&a.value)))
                    .collect(),
            })
        }
        model::HashKey::UseSourceIp(true) => Some(HashKey::SourceIp),
        model::HashKey::HttpQueryParameterName(name) => Some(HashKey::Query(Text::new(name))),
        _ => None,
    }
}

/// `mirror`, then `mirrors` (R-MIR-1).
fn mirrors(
    service: &VirtualService,
    entry: &HttpEntry,
    view: &RouteView<'_>,
    recorder: &mut impl Recorder,
) -> Box<[Mirror]> {
    let route = &entry.route;
    let at = |mirror| {
        Origin::new(
            Arc::clone(&entry.object),
            At::Mirror {
                entry: entry.entry,
                mirror,
            },
        )
    };
    let old = route.mirror.as_deref().map(|destination| {
        let share = match (&route.mirror_percentage, route.mirror_percent) {
            (Some(percent), _) => action::share_of(percent),
            (None, Some(numerator)) => Share {
                numerator,
                denominator: Denominator::Hundred,
            },
            (None, None) => Share {
                numerator: 100,
                denominator: Denominator::Hundred,
            },
        };
        (Some(destination), share, at(Index::NONE))
    });
    let new = route.mirrors.iter().enumerate().map(|(position, mirror)| {
        let share = mirror.percentage.as_ref().map_or(
            Share {
                numerator: 100,
                denominator: Denominator::Hundred,
            },
            action::share_of,
        );
        (mirror.destination.as_ref(), share, at(Index::some(position)))
    });
    old.into_iter()
        .chain(new)
        .filter(|(_, share, _)| share.numerator > 0)
        .map(|(destination, share, origin)| Mirror {
            cluster: action::cluster_of(destination, &service.namespace, &origin, view, recorder),
            share,
            origin,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_among_retry_conditions() {
        // R-RTY-2, S-42
        let (on, codes) = retry_conditions("some,fake,5xx,404,conditions,503");
        assert_eq!(on, "some,fake,5xx,conditions,retriable-status-codes");
        assert_eq!(*codes, [404, 503]);
        let (on, codes) = retry_conditions("1000, 5xx");
        assert_eq!((on.as_str(), codes.len()), ("1000,5xx", 0));
    }

    #[test]
    fn percentages_are_cut_off() {
        // R-FLT-1
        let numerator = |value| action::share_of(&model::Percent { value }).numerator;
        assert_eq!(
            (
                numerator(0.57),
                numerator(100.0),
                numerator(-1.0),
                numerator(f64::NAN)
            ),
            (5699, 1_000_000, 0, 0)
        );
    }
}
