//! Rules of DestinationRule (A-DR).

use std::collections::BTreeSet;

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::shared::{self, ExportScope};
use super::{client_tls, connection_pool, load_balancer, targets};
use crate::names::check;
use crate::networking::{
    ClientTlsSettings, ConnectionPoolSettings, DestinationRule, LoadBalancerSettings, OutlierDetection,
    PortTrafficPolicy, ProxyProtocol, ProxyProtocolVersion, Subset, TrafficPolicy, TunnelSettings,
};

rules! {
    DR_1 "A-DR-1" Error "the host is a domain name, perhaps with a wildcard" cites "A-X-3";
    DR_3 "A-DR-3" Error "names of subsets are unique";
    DR_4 "A-DR-4" Error "exportTo holds `.`, `*` or namespaces, and its own alone with a workload selector" cites "A-X-22";
    DR_5 "A-DR-5" Error "the workload selector has labels without wildcards" cites "A-X-24";
    DR_6 "A-DR-6" Error "the name of a subset is a DNS label" cites "A-X-1";
    DR_7 "A-DR-7" Error "the labels of a subset are valid labels" cites "A-X-12";
    DR_8 "A-DR-8" Error "a traffic policy says something";
    DR_9 "A-DR-9" Error "tunnel and proxyProtocol exclude each other";
    DR_10 "A-DR-10" Error "baseEjectionTime and interval are at least 1 ms, in whole milliseconds" cites "A-X-11";
    DR_11 "A-DR-11" Warning "consecutiveErrors is deprecated";
    DR_12 "A-DR-12" Error "consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors";
    DR_13 "A-DR-13" Error "maxEjectionPercent and minHealthPercent are 0 to 100" cites "A-X-30";
    DR_14 "A-DR-14" Error "a connection pool has http or tcp settings";
    DR_15 "A-DR-15" Error "the limits of HTTP connections are not negative";
    DR_16 "A-DR-16" Error "the idle timeout of HTTP connections is at least 1 ms, in whole milliseconds" cites "A-X-11";
    DR_17 "A-DR-17" Error "an upgrade to HTTP/2 and useClientProtocol exclude each other";
    DR_18 "A-DR-18" Error "interval and timeout of HTTP/2 keep-alive are there, at least 1 ms, in whole milliseconds" cites "A-X-11";
    DR_19 "A-DR-19" Error "the limit of TCP connections is not negative";
    DR_20 "A-DR-20" Error "durations of TCP connections are at least 1 ms, in whole milliseconds" cites "A-X-11";
    DR_21 "A-DR-21" Error "the idle timeout of TCP connections is zero or at least 1 ms, in whole milliseconds" cites "A-X-11";
    DR_22 "A-DR-22" Error "a cookie to hash has a name";
    DR_23 "A-DR-23" Error "an attribute of a cookie has a name";
    DR_24 "A-DR-24" Error "the attributes of a cookie are unique";
    DR_25 "A-DR-25" Warning "minimumRingSize beside the algorithms is deprecated";
    DR_26 "A-DR-26" Error "minimumRingSize and an algorithm exclude each other";
    DR_27 "A-DR-27" Error "the table of Maglev is not empty";
    DR_28 "A-DR-28" Error "the table of Maglev has less than 5000011 entries";
    DR_29 "A-DR-29" Error "the size of the table of Maglev is prime";
    DR_30 "A-DR-30" Error "localityLbSetting and zoneAwareLbSetting exclude each other";
    DR_32 "A-DR-32" Error "the duration of a warm-up is there, at least 1 ms, in whole milliseconds" cites "A-X-11";
    DR_33 "A-DR-33" Error "the least share of a warm-up is at most 100 percent";
    DR_34 "A-DR-34" Error "the aggression of a warm-up is above zero";
    DR_37 "A-DR-37" Error "the settings of a port name the port";
    DR_38 "A-DR-38" Error "the settings of a port say something";
    DR_39 "A-DR-39" Error "the protocol of a tunnel is CONNECT or POST";
    DR_40 "A-DR-40" Error "the target of a tunnel is a domain name or an IP address" cites "A-X-2" "A-X-9";
    DR_41 "A-DR-41" Error "the port of a tunnel is 1 to 65535" cites "A-X-8";
    DR_42 "A-DR-42" Error "the version of the PROXY protocol is known";
}

pub(super) fn check(spec: &DestinationRule, at: At<'_>, context: &mut Context<'_>) {
    let DestinationRule {
        host,
        traffic_policy,
        subsets,
        export_to,
        workload_selector,
    } = spec;
    context.check(&DR_1, &at.field("host"), check::wildcard_domain(host));
    if let Some(policy) = traffic_policy {
        check_policy(policy, &at.field("trafficPolicy"), context);
    }
    let mut names = BTreeSet::new();
    for (
        index,
        Subset {
            name,
            labels,
            traffic_policy,
        },
    ) in subsets.iter().enumerate()
    {
        let at = at.item("subsets", index);
        if !names.insert(name) {
            context.report(
                &DR_3,
                &at.field("name"),
                format!("the subset `{name}` is there twice"),
            );
        }
        context.check(&DR_6, &at.field("name"), check::dns_label(name));
        shared::label_map(context, &DR_7, &at.field("labels"), labels);
        if let Some(policy) = traffic_policy {
            // quirk A-GEN-6: warnings inside subsets are lost
            context.without_warnings(|context| check_policy(policy, &at.field("trafficPolicy"), context));
        }
    }
    let scope = match workload_selector {
        Some(_) => ExportScope::SelectingDestinationRule,
        None => ExportScope::Other,
    };
    shared::export_to(context, &DR_4, &at.field("exportTo"), export_to, scope);
    if let Some(selector) = workload_selector {
        targets::selector(context, &DR_5, &at.field("workloadSelector"), selector);
    }
}

fn check_policy(policy: &TrafficPolicy, at: &At<'_>, context: &mut Context<'_>) {
    let TrafficPolicy {
        load_balancer,
        connection_pool,
        outlier_detection,
        tls,
        port_level_settings,
        tunnel,
        proxy_protocol,
        retry_budget: _, // no rule of istiod
    } = policy;
    if *policy == TrafficPolicy::default() {
        context.report(&DR_8, at, "the traffic policy says nothing");
        return;
    }
    if tunnel.is_some() && proxy_protocol.is_some() {
        context.report(
            &DR_9,
            &at.field("proxyProtocol"),
            "tunnel and proxyProtocol exclude each other",
        );
        return;
    }
    let settings = Settings {
        load_balancer: load_balancer.as_deref(),
        connection_pool: connection_pool.as_deref(),
        outlier_detection: outlier_detection.as_deref(),
        tls: tls.as_deref(),
    };
    settings.check(at, context);
    for (index, settings) in port_level_settings.iter().enumerate() {
        let at = at.item("portLevelSettings", index);
        // quirk A-GEN-6: warnings inside are lost
        context.without_warnings(|context| check_port(settings, &at, context));
    }
    if let Some(TunnelSettings {
        protocol,
        target_host,
        target_port,
    }) = tunnel
    {
        let at = at.field("tunnel");
        if !matches!(protocol.as_str(), "" | "CONNECT" | "POST") {
            let message = format!("the protocol `{protocol}` of the tunnel is neither CONNECT nor POST");
            context.report(&DR_39, &at.field("protocol"), message);
        }
        let verdict = check::ip_address(target_host).or_else(|_| check::fqdn(target_host));
        context.check(&DR_40, &at.field("targetHost"), verdict);
        context.check(&DR_41, &at.field("targetPort"), check::port(*target_port));
    }
    if let Some(ProxyProtocol {
        version: ProxyProtocolVersion::Unrecognized(number),
    }) = proxy_protocol
    {
        let message = format!("{number} is no version of the PROXY protocol");
        context.report(&DR_42, &at.field("proxyProtocol").field("version"), message);
    }
}

fn check_port(spec: &PortTrafficPolicy, at: &At<'_>, context: &mut Context<'_>) {
    let PortTrafficPolicy {
        port,
        load_balancer,
        connection_pool,
        outlier_detection,
        tls,
    } = spec;
    match port {
        None => context.report(&DR_37, &at.field("port"), "the port is missing"),
        Some(port) if context.is_strict() => {
            // quirk A-DR-37: upstream takes any number
            context.check(
                &DR_37,
                &at.field("port").field("number"),
                check::port(port.number),
            );
        }
        Some(_) => {}
    }
    let settings = Settings {
        load_balancer: load_balancer.as_deref(),
        connection_pool: connection_pool.as_deref(),
        outlier_detection: outlier_detection.as_deref(),
        tls: tls.as_deref(),
    };
    if settings.is_empty() {
        context.report(&DR_38, at, "the settings of the port say nothing");
        return;
    }
    settings.check(at, context);
}

/// The settings that a policy of a host and one of a port have in common.
struct Settings<'a> {
    load_balancer: Option<&'a LoadBalancerSettings>,
    connection_pool: Option<&'a ConnectionPoolSettings>,
    outlier_detection: Option<&'a OutlierDetection>,
    tls: Option<&'a ClientTlsSettings>,
}

impl Settings<'_> {
    fn is_empty(&self) -> bool {
        let Self {
            load_balancer,
            connection_pool,
            outlier_detection,
            tls,
        } = self;
        load_balancer.is_none() && connection_pool.is_none() && outlier_detection.is_none() && tls.is_none()
    }

    fn check(&self, at: &At<'_>, context: &mut Context<'_>) {
        let Self {
            load_balancer,
            connection_pool,
            outlier_detection,
            tls,
        } = self;
        if let Some(settings) = load_balancer {
            load_balancer::check(settings, *outlier_detection, &at.field("loadBalancer"), context);
        }
        if let Some(pool) = connection_pool {
            connection_pool::check(pool, &at.field("connectionPool"), context);
        }
        if let Some(detection) = outlier_detection {
            check_outlier_detection(detection, &at.field("outlierDetection"), context);
        }
        if let Some(tls) = tls {
            client_tls::check(tls, &at.field("tls"), context);
        }
    }
}

/// A-DR-10..13
pub(super) fn check_outlier_detection(detection: &OutlierDetection, at: &At<'_>, context: &mut Context<'_>) {
    let OutlierDetection {
        consecutive_errors,
        split_external_local_origin_errors,
        consecutive_local_origin_failures,
        consecutive_gateway_errors: _,
        consecutive_5xx_errors: _,
        interval,
        base_ejection_time,
        max_ejection_percent,
        min_health_percent,
        outlier_detection_http_error_codes: _,
    } = detection;
    if *consecutive_errors != 0 {
        let at = at.field("consecutiveErrors");
        context.report_with_help(
            &DR_11,
            &at,
            "consecutiveErrors is deprecated",
            "use consecutive5xxErrors",
        );
    }
    if !split_external_local_origin_errors && consecutive_local_origin_failures.is_some_and(|count| count > 0)
    {
        let message = "consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true";
        context.report(&DR_12, &at.field("consecutiveLocalOriginFailures"), message);
    }
    shared::optional_duration(context, &DR_10, &at.field("interval"), *interval);
    shared::optional_duration(
        context,
        &DR_10,
        &at.field("baseEjectionTime"),
        *base_ejection_time,
    );
    context.check(
        &DR_13,
        &at.field("maxEjectionPercent"),
        shared::percent100(*max_ejection_percent),
    );
    context.check(
        &DR_13,
        &at.field("minHealthPercent"),
        shared::percent100(*min_health_percent),
    );
}
