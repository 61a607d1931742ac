//! Locality load balancing: which setting applies, and what it makes of endpoints (R-LOC, X-EDS-17 to -21).

use std::collections::BTreeMap;

use mesh_api::mesh::MeshConfig;
use mesh_api::names::{Labels, Text};
use mesh_api::networking as model;

use super::traffic_policy::Blocks;
use crate::plan::{Level, Locality, LocalityGroup, LocalityPolicy, ProxyFacts, Sourced, WeightedEndpoint};
use crate::snapshot::service::{Service, TrafficDistribution};

/// Label of the network of an endpoint.
const NETWORK: &str = "topology.istio.io/network";

/// The locality setting of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Setting<'a> {
    /// Distribution or failover by locality.
    Locality(&'a model::LocalityLoadBalancerSetting),
    /// Zone-aware routing.
    ZoneAware(&'a model::ZoneAwareLoadBalancerSetting),
    /// Failover by labels, whatever outlier detection says (a service's traffic distribution).
    Forced(&'static [&'static str]),
}

/// The setting that applies (R-LOC-1): the rule's zone-aware, the rule's locality, the service's traffic distribution,
/// the mesh's zone-aware, the mesh's locality.
pub(super) fn setting<'a>(
    blocks: &Blocks<'a>,
    service: &Service,
    mesh: &'a MeshConfig,
) -> Option<Sourced<Setting<'a>>> {
    if let Some((balancer, level)) = blocks.balancer {
        if let Some(zone) = balancer.zone_aware_lb_setting.as_deref() {
            return Some(Sourced::new(Setting::ZoneAware(zone), level));
        }
        if let Some(locality) = balancer.locality_lb_setting.as_deref() {
            let enabled = locality.enabled != Some(false);
            return enabled.then(|| Sourced::new(Setting::Locality(locality), level));
        }
    }
    match service.distribution {
        TrafficDistribution::Any => {}
        TrafficDistribution::PreferSameZone => {
            let labels = &[
                NETWORK,
                "topology.kubernetes.io/region",
                "topology.kubernetes.io/zone",
            ];
            return Some(Sourced::new(Setting::Forced(labels), Level::Service));
        }
        TrafficDistribution::PreferSameNode => {
            let labels = &[
                NETWORK,
                "topology.kubernetes.io/region",
                "topology.kubernetes.io/zone",
                "topology.istio.io/subzone",
                "kubernetes.io/hostname",
            ];
            return Some(Sourced::new(Setting::Forced(labels), Level::Service));
        }
    }
    if let Some(zone) = &mesh.zone_aware_lb_setting {
        return Some(Sourced::new(Setting::ZoneAware(zone), Level::Mesh));
    }
    let locality = &mesh.locality_lb_setting;
    let enabled = locality.enabled != Some(false);
    enabled.then(|| Sourced::new(Setting::Locality(locality), Level::Mesh))
}

/// What the cluster itself says of locality (X-CDS-35).
pub(super) fn cluster_policy(
    setting: Option<&Sourced<Setting<'_>>>,
    blocks: &Blocks<'_>,
    forced: bool,
) -> Option<Sourced<LocalityPolicy>> {
    let setting = setting?;
    let acts = blocks.outlier.is_some() || forced;
    let policy = match &setting.value {
        Setting::ZoneAware(zone) => LocalityPolicy::ZoneAware {
            minimum_size: zone.min_cluster_size.map(u64::from),
            disabled: zone.enabled == Some(false),
        },
        Setting::Locality(locality) => {
            let model::LocalityLoadBalancerSetting {
                distribute,
                failover,
                failover_priority,
                enabled: _,
            } = locality;
            let weighted =
                !distribute.is_empty() || (acts && (!failover.is_empty() || !failover_priority.is_empty()));
            match (weighted, acts) {
                (true, _) => LocalityPolicy::Weighted,
                (false, true) => LocalityPolicy::Priorities,
                (false, false) => return None,
            }
        }
        Setting::Forced(_) => LocalityPolicy::Weighted,
    };
    Some(Sourced::new(policy, setting.level))
}

/// Applies a setting to the groups of an assignment; `failover` says whether failover acts (R-LOC-2).
pub(super) fn apply(
    groups: Vec<LocalityGroup>,
    setting: &Setting<'_>,
    facts: &ProxyFacts,
    failover: bool,
) -> Vec<LocalityGroup> {
    match setting {
        Setting::Locality(locality) => {
            if !locality.distribute.is_empty() {
                return distribute(groups, &locality.distribute, &facts.locality);
            }
            if !failover {
                return groups;
            }
            let priority: Vec<&str> = locality.failover_priority.iter().map(String::as_str).collect();
            let groups = by_labels(groups, &priority, facts);
            // With failoverPriority alone, localities do not count; the built-in order acts where neither is set.
            if !priority.is_empty() && locality.failover.is_empty() {
                return dense(groups);
            }
            dense(by_region(groups, &locality.failover, &facts.locality))
        }
        Setting::Forced(labels) => dense(by_labels(groups, labels, facts)),
        Setting::ZoneAware(zone) => {
            if zone.enabled == Some(false) {
                return groups;
            }
            let priority: Vec<&str> = zone.failover_priority.iter().map(String::as_str).collect();
            dense(by_zone(
                by_labels(groups, &priority, facts),
                &zone.failover,
                &facts.locality,
            ))
        }
    }
}

/// Whether `pattern`, parts of which may be missing or `*`, covers a locality.
fn covers(pattern: &str, locality: &Locality) -> bool {
    let parts = [&locality.region, &locality.zone, &locality.subzone];
    pattern
        .splitn(3, '/')
        .zip(parts)
        .all(|(wanted, part)| wanted == "*" || wanted.is_empty() || *part == wanted)
}

/// Weights by the first item that covers the proxy; groups under no key are emptied (R-LOC-3).
fn distribute(
    mut groups: Vec<LocalityGroup>,
    items: &[model::Distribute],
    own: &Locality,
) -> Vec<LocalityGroup> {
    let Some(item) = items.iter().find(|item| covers(&item.from, own)) else {
        return groups;
    };
    let mut weights: Vec<Option<u32>> = vec![None; groups.len()];
    for (pattern, percent) in &item.to {
        let fits = |group: &LocalityGroup, weight: &Option<u32>| {
            weight.is_none() && covers(pattern, &group.locality)
        };
        let total: u64 = groups
            .iter()
            .zip(&weights)
            .filter(|(group, weight)| fits(group, weight))
            .map(|(group, _)| u64::from(group.weight))
            .sum();
        for (group, weight) in groups.iter().zip(&mut weights) {
            if fits(group, weight) && total > 0 {
                let share = (u64::from(group.weight) * u64::from(*percent)).div_ceil(total);
                *weight = Some(u32::try_from(share).unwrap_or(u32::MAX));
            }
        }
    }
    for (group, weight) in groups.iter_mut().zip(weights) {
        match weight {
            Some(weight) => group.weight = weight,
            None => {
                group.weight = 0;
                group.endpoints = Box::default();
            }
        }
    }
    groups
}

/// Priorities by region, zone and subzone (R-LOC-4), after those there are.
fn by_region(
    mut groups: Vec<LocalityGroup>,
    failover: &[model::Failover],
    own: &Locality,
) -> Vec<LocalityGroup> {
    let target = failover
        .iter()
        .find(|item| own.region == item.from.as_str())
        .map(|item| item.to.as_str());
    for group in &mut groups {
        let there = &group.locality;
        let same_region = there.region == own.region;
        let same_zone = same_region && there.zone == own.zone;
        let priority = match (
            same_region,
            same_zone,
            same_zone && there.subzone == own.subzone,
            target,
        ) {
            (_, _, true, _) => 0,
            (_, true, _, _) => 1,
            (true, _, _, _) => 2,
            (_, _, _, Some(target)) if there.region != target => 4,
            _ => 3,
        };
        group.priority = group.priority * 5 + priority;
    }
    groups
}

/// Priorities by region for zone-aware routing: own, failover target, rest (R-LOC-7).
fn by_zone(
    mut groups: Vec<LocalityGroup>,
    failover: &[model::Failover],
    own: &Locality,
) -> Vec<LocalityGroup> {
    let target = failover
        .iter()
        .find(|item| own.region == item.from.as_str())
        .map(|item| item.to.as_str());
    for group in &mut groups {
        let priority = match () {
            () if group.locality.region == own.region => 0,
            () if target.is_some_and(|target| group.locality.region == target) => 1,
            () => 2,
        };
        group.priority = group.priority * 3 + priority;
    }
    groups
}

/// Splits each group by how many leading labels endpoints share with the proxy (R-LOC-5).
fn by_labels(groups: Vec<LocalityGroup>, wanted: &[&str], facts: &ProxyFacts) -> Vec<LocalityGroup> {
    if wanted.is_empty() || facts.labels.is_empty() {
        return groups;
    }
    let own = proxy_labels(facts);
    let wanted: Vec<(&str, Option<Text>)> = wanted
        .iter()
        .map(|label| match label.split('=').collect::<Vec<_>>().as_slice() {
            [name, value] => (*name, Some(Text::new(value))),
            [name, ..] => (*name, own.get(name).map(Text::new)),
            [] => (*label, None),
        })
        .collect();
    let mut split = Vec::new();
    for group in groups {
        let mut parts: BTreeMap<u32, Vec<WeightedEndpoint>> = BTreeMap::new();
        for endpoint in group.endpoints {
            parts
                .entry(label_priority(&endpoint, &wanted))
                .or_default()
                .push(endpoint);
        }
        for (priority, endpoints) in parts {
            let weight = endpoints
                .iter()
                .map(|endpoint| endpoint.weight)
                .fold(0, u32::saturating_add);
            let locality = group.locality.clone();
            split.push(LocalityGroup {
                locality,
                priority,
                weight,
                endpoints: endpoints.into(),
            });
        }
    }
    split
}

fn label_priority(endpoint: &WeightedEndpoint, wanted: &[(&str, Option<Text>)]) -> u32 {
    let count = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
    let mut extra = 0;
    for (at, (name, value)) in wanted.iter().enumerate() {
        let theirs = endpoint_label(endpoint, name);
        if theirs.as_deref() != value.as_ref().map(Text::as_str) {
            if at == 0 && *name == NETWORK {
                extra = count;
                continue;
            }
            return extra + count - u32::try_from(at).unwrap_or(0);
        }
    }
    extra
}

/// A label of an endpoint; topology labels also follow from what is known of it (X-IN-10).
fn endpoint_label(endpoint: &WeightedEndpoint, name: &str) -> Option<String> {
    let endpoint = &endpoint.endpoint;
    let known = match name {
        NETWORK => &endpoint.network,
        "topology.kubernetes.io/region" => &endpoint.locality.region,
        "topology.kubernetes.io/zone" => &endpoint.locality.zone,
        "topology.istio.io/subzone" => &endpoint.locality.subzone,
        "kubernetes.io/hostname" => &endpoint.node,
        _ => return endpoint.labels.get(name).map(str::to_owned),
    };
    let known = (!known.as_str().is_empty()).then(|| known.to_string());
    known.or_else(|| endpoint.labels.get(name).map(str::to_owned))
}

fn proxy_labels(facts: &ProxyFacts) -> Labels {
    let mut labels = Labels::clone(&facts.labels);
    let known = [
        (NETWORK, &facts.network),
        ("topology.kubernetes.io/region", &facts.locality.region),
        ("topology.kubernetes.io/zone", &facts.locality.zone),
        ("topology.istio.io/subzone", &facts.locality.subzone),
        ("kubernetes.io/hostname", &facts.node),
    ];
    for (name, value) in known {
        if !value.as_str().is_empty() {
            labels.insert(name, value);
        }
    }
    labels
}

/// Renumbers priorities from 0 without gaps.
fn dense(mut groups: Vec<LocalityGroup>) -> Vec<LocalityGroup> {
    let mut used: Vec<u32> = groups.iter().map(|group| group.priority).collect();
    used.sort_unstable();
    used.dedup();
    for group in &mut groups {
        let at = used.binary_search(&group.priority).unwrap_or(0);
        group.priority = u32::try_from(at).unwrap_or(u32::MAX);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(locality: &str, weight: u32) -> LocalityGroup {
        LocalityGroup {
            locality: Locality::parse(locality),
            priority: 0,
            weight,
            endpoints: Box::default(),
        }
    }

    #[test]
    fn failover_by_region() {
        // R-LOC-4, S-64
        let own = Locality::parse("region1/zone1/subzone1");
        let to = [model::Failover {
            from: "region1".into(),
            to: "region2".into(),
        }];
        let names = [
            "region1/zone1/subzone1",
            "region1/zone1/subzone2",
            "region1/zone2",
            "region2/z",
            "region3/z",
        ];
        let groups = by_region(names.iter().map(|name| group(name, 1)).collect(), &to, &own);
        assert_eq!(
            groups.iter().map(|group| group.priority).collect::<Vec<_>>(),
            [0, 1, 2, 3, 4]
        );
        let two = by_region(
            vec![group("region1/zone1/x", 1), group("region2/z", 1)],
            &to,
            &own,
        );
        assert_eq!(
            dense(two).iter().map(|group| group.priority).collect::<Vec<_>>(),
            [0, 1]
        );
    }

    #[test]
    fn distribution_shares_by_weight() {
        // R-LOC-3, S-64
        let items = [model::Distribute {
            from: "region1/zone1/*".into(),
            to: [
                ("region1/zone1/subzone1", 80),
                ("region1/zone1/subzone2", 15),
                ("region1/zone1/subzone3", 5),
            ]
            .into_iter()
            .map(|(name, weight)| (name.to_owned(), weight))
            .collect(),
        }];
        let names = ["subzone1", "subzone1", "subzone2", "subzone3"].map(|s| format!("region1/zone1/{s}"));
        let mut groups: Vec<_> = names.iter().map(|name| group(name, 1)).collect();
        groups.push(group("region2/zone1", 1));
        let own = Locality::parse("region1/zone1/subzone1");
        let weights: Vec<u32> = distribute(groups, &items, &own)
            .iter()
            .map(|group| group.weight)
            .collect();
        assert_eq!(weights, [40, 40, 15, 5, 0]);
    }
}
