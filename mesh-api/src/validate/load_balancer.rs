//! Rules of load balancing: algorithms (A-DR-22..34) and localities (A-LB).

use std::collections::{BTreeMap, BTreeSet};

use super::at::At;
use super::context::Context;
use super::destination_rule::{
    DR_22, DR_23, DR_24, DR_25, DR_26, DR_27, DR_28, DR_29, DR_30, DR_32, DR_33, DR_34,
};
use super::rule::{Rule, rules};
use super::shared;
use crate::networking::{
    ConsistentHashLb, Distribute, Failover, HashAlgorithm, HashKey, HttpCookie, LbPolicy,
    LoadBalancerSettings, LocalityLoadBalancerSetting, OutlierDetection, WarmupConfiguration,
    ZoneAwareLoadBalancerSetting,
};

rules! {
    LB_1 "A-LB-1" Error "distribute and failover exclude each other";
    LB_2 "A-LB-2" Error "failover and priorities by topology exclude each other";
    LB_3 "A-LB-3" Error "a share of distribute is 1 to 100 percent";
    LB_4 "A-LB-4" Error "the shares of one origin sum to 100 percent";
    LB_5 "A-LB-5" Error "a locality has one wildcard at most, at its end";
    LB_6 "A-LB-6" Error "the parts of a locality are not empty";
    LB_7 "A-LB-7" Error "localities do not overlap";
    LB_8 "A-LB-8" Warning "failover needs outlier detection";
    LB_9 "A-LB-9" Error "a region does not take over for itself";
    LB_10 "A-LB-10" Error "failover names regions, without zones";
    LB_11 "A-LB-11" Error "failover names regions, without wildcards";
    LB_12 "A-LB-12" Error "zone-aware priorities name no topology labels";
    LB_13 "A-LB-13" Warning "zone-aware failover needs outlier detection";
    LB_14 "A-LB-14" Error "zone-aware failover names two different regions, without zones and wildcards";
}

pub(super) fn check(
    spec: &LoadBalancerSettings,
    outlier_detection: Option<&OutlierDetection>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    let LoadBalancerSettings {
        lb_policy,
        locality_lb_setting,
        zone_aware_lb_setting,
        warmup_duration_secs: _,
        warmup,
    } = spec;
    if let Some(LbPolicy::ConsistentHash(settings)) = lb_policy {
        check_consistent_hash(settings, &at.field("consistentHash"), context);
    }
    if locality_lb_setting.is_some() && zone_aware_lb_setting.is_some() {
        let message = "localityLbSetting and zoneAwareLbSetting exclude each other";
        context.report(&DR_30, &at.field("zoneAwareLbSetting"), message);
    }
    if let Some(settings) = locality_lb_setting {
        check_locality(
            settings,
            outlier_detection,
            &at.field("localityLbSetting"),
            context,
        );
    }
    if let Some(settings) = zone_aware_lb_setting {
        check_zone_aware(
            settings,
            outlier_detection,
            &at.field("zoneAwareLbSetting"),
            context,
        );
    }
    if let Some(WarmupConfiguration {
        duration,
        minimum_percent,
        aggression,
    }) = warmup
    {
        let at = at.field("warmup");
        match duration {
            None => context.report(
                &DR_32,
                &at.field("duration"),
                "the duration of the warm-up is missing",
            ),
            Some(duration) => {
                context.check(&DR_32, &at.field("duration"), shared::duration(*duration));
            }
        }
        // NaN is out of range (A-WIRE-6)
        if let Some(percent) = minimum_percent.filter(|percent| percent.is_nan() || *percent > 100.0) {
            context.report(
                &DR_33,
                &at.field("minimumPercent"),
                format!("{percent} percent is more than 100"),
            );
        }
        if let Some(value) = aggression.filter(|value| value.is_nan() || *value <= 0.0) {
            context.report(
                &DR_34,
                &at.field("aggression"),
                format!("the aggression {value} is not above zero"),
            );
        }
    }
}

/// A-DR-22..29
fn check_consistent_hash(spec: &ConsistentHashLb, at: &At<'_>, context: &mut Context<'_>) {
    let ConsistentHashLb {
        hash_key,
        hash_algorithm,
        minimum_ring_size,
    } = spec;
    if let Some(HashKey::HttpCookie(cookie)) = hash_key {
        check_cookie(cookie, &at.field("httpCookie"), context);
    }
    if *minimum_ring_size != 0 {
        let at = at.field("minimumRingSize");
        context.report_with_help(
            &DR_25,
            &at,
            "minimumRingSize is deprecated here",
            "use ringHash.minimumRingSize",
        );
        if hash_algorithm.is_some() {
            context.report(&DR_26, &at, "minimumRingSize and an algorithm exclude each other");
        }
    }
    if let Some(HashAlgorithm::Maglev(table)) = hash_algorithm {
        const LIMIT: u64 = 5_000_011;
        let at = at.field("maglev");
        let (at, size) = (at.field("tableSize"), table.table_size);
        if size == 0 {
            context.report(&DR_27, &at, "the table of Maglev must not be empty");
        }
        if size >= LIMIT {
            context.report(&DR_28, &at, format!("the table size {size} is not below {LIMIT}"));
        }
        // a size beyond the limit is refused already; not testing it bounds the work
        if size < LIMIT && !is_prime(size) {
            context.report(&DR_29, &at, format!("the table size {size} is not prime"));
        }
    }
}

fn check_cookie(cookie: &HttpCookie, at: &At<'_>, context: &mut Context<'_>) {
    let HttpCookie {
        name,
        path: _,
        ttl: _,
        attributes,
    } = cookie;
    if name.is_empty() {
        context.report(&DR_22, &at.field("name"), "the name of the cookie is missing");
    }
    let mut names = BTreeSet::new();
    for (index, attribute) in attributes.iter().enumerate() {
        let at = at.item("attributes", index);
        if attribute.name.is_empty() {
            context.report(&DR_23, &at.field("name"), "the name of the attribute is missing");
        } else if !names.insert(&attribute.name) {
            context.report(
                &DR_24,
                &at.field("name"),
                format!("the attribute `{}` is there twice", attribute.name),
            );
        }
    }
}

/// Envoy's test, for which 1 is prime.
fn is_prime(number: u64) -> bool {
    match number {
        1..=3 => true,
        number if number.is_multiple_of(2) => false,
        number => (3..)
            .step_by(2)
            .take_while(|divisor| divisor * divisor <= number)
            .all(|divisor| number % divisor != 0),
    }
}

const TOPOLOGY_LABELS: &[&str] = &[
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.istio.io/subzone",
];

/// A-LB-1..11
pub(super) fn check_locality(
    spec: &LocalityLoadBalancerSetting,
    outlier_detection: Option<&OutlierDetection>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    let LocalityLoadBalancerSetting {
        distribute,
        failover,
        failover_priority,
        enabled: _,
    } = spec;
    if !distribute.is_empty() && !failover.is_empty() {
        context.report(
            &LB_1,
            &at.field("failover"),
            "distribute and failover exclude each other",
        );
        return;
    }
    let by_topology = failover_priority
        .iter()
        .any(|entry| TOPOLOGY_LABELS.contains(&entry.as_str()));
    if !failover.is_empty() && by_topology {
        let message = "failover and priorities by topology labels exclude each other";
        context.report(&LB_2, &at.field("failoverPriority"), message);
        return;
    }
    if !check_shares(distribute, &at.field("distribute"), context) {
        return;
    }
    let origins = distribute
        .iter()
        .enumerate()
        .map(|(index, entry)| (Place::Origin(index), entry.from.as_str()));
    check_localities(origins, &at.field("distribute"), context);
    for (index, Distribute { from: _, to }) in distribute.iter().enumerate() {
        let at = at.item("distribute", index);
        check_localities(
            to.keys().map(|locality| (Place::Target, locality.as_str())),
            &at.field("to"),
            context,
        );
    }
    if outlier_detection.is_none() && (!failover.is_empty() || !failover_priority.is_empty()) {
        context.report(&LB_8, at, "failover has no effect without outlier detection");
    }
    check_failover(&[&LB_9, &LB_10, &LB_11], failover, &at.field("failover"), context);
}

/// A-LB-3 and A-LB-4; false at the first failure, which ends the evaluation.
fn check_shares(distribute: &[Distribute], at: &At<'_>, context: &mut Context<'_>) -> bool {
    for (index, Distribute { from: _, to }) in distribute.iter().enumerate() {
        let at = at.index(index);
        let at = at.field("to");
        let mut sum = 0u64;
        for (locality, share) in to {
            if !(1..=100).contains(share) {
                context.report(
                    &LB_3,
                    &at.key(locality),
                    format!("the share {share} is not from 1 to 100 percent"),
                );
                return false;
            }
            sum += u64::from(*share);
        }
        if sum != 100 {
            context.report(&LB_4, &at, format!("the shares sum to {sum} percent, not to 100"));
            return false;
        }
    }
    true
}

/// Where a locality stands.
#[derive(Clone, Copy)]
enum Place {
    Origin(usize),
    Target,
}

/// A-LB-5..7 over one set of localities, the first failure only.
fn check_localities<'a>(
    localities: impl Iterator<Item = (Place, &'a str)>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    let mut seen = Localities::default();
    for (place, locality) in localities {
        let problem = if locality.matches('*').count() > 1 || locality.trim_end_matches('*').contains('*') {
            Some((&LB_5, "a wildcard may stand once, at the end"))
        } else if locality.splitn(3, '/').any(str::is_empty) {
            Some((&LB_6, "a part is empty"))
        } else if !seen.insert(locality) {
            Some((&LB_7, "it overlaps with one before"))
        } else {
            None
        };
        if let Some((rule, problem)) = problem {
            let message = format!("the locality `{locality}` is not allowed: {problem}");
            match place {
                Place::Origin(index) => context.report(rule, &at.index(index).field("from"), message),
                Place::Target => context.report(rule, &at.key(locality), message),
            }
            return;
        }
    }
}

/// The localities of a set, to find overlaps; each maps to whether it stands there itself.
#[derive(Default)]
struct Localities<'a> {
    any: bool,
    regions: BTreeMap<&'a str, Region<'a>>,
}

#[derive(Default)]
struct Region<'a> {
    /// `r` or `r/*`
    whole: bool,
    zones: BTreeMap<&'a str, Zone<'a>>,
}

#[derive(Default)]
struct Zone<'a> {
    /// `r/z` or `r/z/*`
    whole: bool,
    subzones: BTreeSet<&'a str>,
}

impl<'a> Localities<'a> {
    /// Adds a locality; false if it overlaps with one before.
    fn insert(&mut self, locality: &'a str) -> bool {
        let mut parts = locality.splitn(3, '/');
        let (Some(region), zone, subzone) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        if self.any {
            return false;
        }
        if region == "*" {
            // quirk A-LB-7: a wildcard after narrower entries passes
            self.any = true;
            return true;
        }
        let is_new = !self.regions.contains_key(region);
        let region = self.regions.entry(region).or_default();
        if region.whole {
            return false;
        }
        match (zone, subzone) {
            (None, _) => {
                region.whole = true;
                is_new
            }
            (Some("*"), _) => {
                region.whole = true;
                true
            }
            (Some(zone), subzone) => region.insert(zone, subzone),
        }
    }
}

impl<'a> Region<'a> {
    fn insert(&mut self, zone: &'a str, subzone: Option<&'a str>) -> bool {
        let is_new = !self.zones.contains_key(zone);
        let zone = self.zones.entry(zone).or_default();
        if zone.whole {
            return false;
        }
        match subzone {
            None => {
                zone.whole = true;
                is_new
            }
            Some("*") => {
                zone.whole = true;
                true
            }
            Some(subzone) => zone.subzones.insert(subzone),
        }
    }
}

/// A-LB-12..14
pub(super) fn check_zone_aware(
    spec: &ZoneAwareLoadBalancerSetting,
    outlier_detection: Option<&OutlierDetection>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    let ZoneAwareLoadBalancerSetting {
        enabled: _,
        failover,
        failover_priority,
        min_cluster_size: _,
    } = spec;
    for (index, entry) in failover_priority.iter().enumerate() {
        if TOPOLOGY_LABELS.contains(&entry.as_str()) {
            let message = format!("the topology label `{entry}` is what zone-aware routing goes by already");
            context.report(&LB_12, &at.item("failoverPriority", index), message);
        }
    }
    if outlier_detection.is_none() && (!failover.is_empty() || !failover_priority.is_empty()) {
        context.report(&LB_13, at, "failover has no effect without outlier detection");
    }
    check_failover(
        &[&LB_14, &LB_14, &LB_14],
        failover,
        &at.field("failover"),
        context,
    );
}

/// A-LB-9..11, or 14a to 14c.
fn check_failover(
    [same, zone, wildcard]: &[&Rule; 3],
    failover: &[Failover],
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    for (index, Failover { from, to }) in failover.iter().enumerate() {
        let at = at.index(index);
        if from == to {
            context.report(
                same,
                &at,
                format!("the region `{from}` cannot take over for itself"),
            );
        }
        if from.contains('/') || to.contains('/') {
            context.report(
                zone,
                &at,
                format!("failover is between regions: `{from}` to `{to}` names zones"),
            );
        }
        if from.contains('*') || to.contains('*') {
            context.report(
                wildcard,
                &at,
                format!("failover knows no wildcards: `{from}` to `{to}`"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_envoys() {
        // A-DR-29
        for (number, prime) in [
            (0, false),
            (1, true),
            (2, true),
            (3, true),
            (4, false),
            (9, false),
            (65537, true),
            (65539, true),
            (65541, false),
        ] {
            assert_eq!(is_prime(number), prime, "{number}");
        }
    }

    #[test]
    fn overlapping_localities() {
        // A-LB-7
        for (localities, fits) in [
            (&["r1", "r2"][..], true),
            (&["*", "r"], false),
            (&["r", "*"], true),
            (&["r", "r"], false),
            (&["r", "r/z"], false),
            (&["r/z", "r"], false),
            (&["r/z", "r/z"], false),
            (&["r/z", "r/z/s"], false),
            (&["r/z/s", "r/z"], false),
            (&["r/*", "r/z"], false),
            (&["r/z", "r/*"], true),
            (&["r/z/*", "r/z/s"], false),
            (&["r/z/s", "r/z/*"], true),
            (&["r/*", "r/z/s"], false),
            (&["r/z/s", "r/z/s"], false),
            (&["r/z/s1", "r/z/s2"], true),
            (&["r/z1", "r/z2/s"], true),
            (&["r/*", "r"], false),
        ] {
            let mut seen = Localities::default();
            assert_eq!(
                localities.iter().all(|locality| seen.insert(locality)),
                fits,
                "{localities:?}"
            );
        }
    }
}
