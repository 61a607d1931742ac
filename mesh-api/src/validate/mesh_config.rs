//! Rules of MeshConfig (A-MC). They are for the merged document.

use std::collections::BTreeSet;

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::{
    connection_pool, destination_rule, extension_provider, load_balancer, mesh_proxy_config, shared,
    virtual_service,
};
use crate::effective::ProviderCapability;
use crate::mesh::{
    DefaultProviders, DefaultTrafficPolicy, LabelSelector, LabelSelectorRequirement, MeshConfig,
    ServiceSettings, TlsConfig,
};
use crate::names::check;
use crate::networking::{ConnectionPoolSettings, HttpRetry, HttpSettings, OutlierDetection};
use crate::scalar::Duration;

rules! {
    MC_1 "A-MC-1" Error "proxyListenPort is a port from 1 to 65535";
    MC_2 "A-MC-2" Error "connectTimeout is at least 1 ms, in whole milliseconds";
    MC_3 "A-MC-3" Error "connectTimeout is 1 ms to 1 h";
    MC_4 "A-MC-4" Error "protocolDetectionTimeout is 0 or in whole milliseconds";
    MC_5 "A-MC-5" Error "there is a default configuration of proxies";
    MC_6 "A-MC-6" Error "the locality settings of the mesh keep to the rules of load balancing";
    MC_7 "A-MC-7" Error "hosts of service settings are domain names, with a wildcard at most as the first label";
    MC_8 "A-MC-8" Error "the trust domain is made of DNS labels";
    MC_9 "A-MC-9" Error "aliases of the trust domain are made of DNS labels";
    MC_10 "A-MC-10" Error "curves cannot be chosen for mutual TLS inside the mesh";
    MC_11 "A-MC-11" Warning "curves of the TLS defaults are known";
    MC_12 "A-MC-12" Warning "curves of the TLS defaults are listed once";
    MC_13 "A-MC-13" Error "the default connection pool keeps to the rules of DestinationRule";
    MC_14 "A-MC-14" Error "the default outlier detection keeps to the rules of DestinationRule";
    MC_15 "A-MC-15" Error "the default retry policy of inbound routes keeps to the rules of VirtualService";
    MC_16 "A-MC-16" Error "inbound retries that are switched off have no backoff";
    MC_17 "A-MC-17" Warning "inbound retries know no perTryTimeout and no choice among endpoints";
    MC_18 "A-MC-18" Warning "extension providers keep to the rules of their kinds";
    MC_19 "A-MC-19" Warning "the default retry policy keeps to the rules of VirtualService";
    MC_20 "A-MC-20" Error "discovery selectors are selectors as Kubernetes takes them";
    MC_21 "A-MC-21" Warning "default providers name extension providers that can be used so";
}

pub(super) fn check(mesh: &MeshConfig, context: &mut Context<'_>) {
    let MeshConfig {
        proxy_listen_port,
        proxy_inbound_listen_port: _,
        proxy_http_port: _,
        connect_timeout,
        hbone_idle_timeout: _,
        protocol_detection_timeout,
        tcp_keepalive: _,
        ingress_class: _,
        ingress_service: _,
        ingress_controller_mode: _,
        ingress_selector: _,
        enable_tracing: _,
        access_log_file: _,
        access_log_format: _,
        access_log_encoding: _,
        enable_envoy_access_log_service: _,
        disable_envoy_listener_log: _,
        default_config,
        outbound_traffic_policy: _,
        inbound_traffic_policy: _,
        config_sources: _,
        enable_auto_mtls: _,
        trust_domain,
        trust_domain_aliases,
        ca_certificates: _,
        default_service_export_to: _,
        default_virtual_service_export_to: _,
        default_destination_rule_export_to: _,
        root_namespace: _,
        locality_lb_setting,
        zone_aware_lb_setting,
        dns_refresh_rate: _,
        h2_upgrade_policy: _,
        inbound_cluster_stat_name: _,
        outbound_cluster_stat_name: _,
        certificates: _,
        service_settings,
        service_scope_configs: _,
        enable_prometheus_merge: _,
        verify_certificate_at_client: _,
        ca: _,
        extension_providers,
        default_providers,
        discovery_selectors,
        path_normalization: _,
        default_http_retry_policy,
        mesh_mtls,
        tls_defaults,
        default_traffic_policy,
        service_entry_visibility: _,
        default_inbound_http_retry_policy,
    } = mesh;
    context.check(
        &MC_1,
        &At::top("proxyListenPort"),
        check::port(*proxy_listen_port),
    );
    check_connect_timeout(*connect_timeout, context);
    check_detection_timeout(*protocol_detection_timeout, context);
    match default_config {
        None => context.report(
            &MC_5,
            &At::top("defaultConfig"),
            "the default configuration of proxies is missing",
        ),
        Some(config) => mesh_proxy_config::check(config, &At::top("defaultConfig"), context),
    }
    context.check(&MC_8, &At::top("trustDomain"), trust_domain_labels(trust_domain));
    let aliases = At::top("trustDomainAliases");
    for (index, alias) in trust_domain_aliases.iter().enumerate() {
        context.check(&MC_9, &aliases.index(index), trust_domain_labels(alias));
    }
    // both together are fine here: zone-aware routing wins
    let outliers = OutlierDetection::default();
    context.citing(&MC_6, |context| {
        let at = At::top("localityLbSetting");
        load_balancer::check_locality(locality_lb_setting, Some(&outliers), &at, context);
        if let Some(setting) = zone_aware_lb_setting {
            let at = At::top("zoneAwareLbSetting");
            load_balancer::check_zone_aware(setting, Some(&outliers), &at, context);
        }
    });
    check_service_settings(service_settings, context);
    if !extension_provider::check_all(extension_providers, &At::top("extensionProviders"), context) {
        let message = "providers break the rules of their kinds; istiod logs that and takes them as they are";
        extension_provider::report(&MC_18, &At::top("extensionProviders"), message, context);
    }
    if context.is_strict() {
        check_default_providers(default_providers, mesh, context);
    }
    check_discovery_selectors(discovery_selectors, context);
    if let Some(retries) = default_http_retry_policy.as_ref().filter(|_| context.is_strict()) {
        context.citing(&MC_19, |context| {
            virtual_service::check_retries(retries, &At::top("defaultHttpRetryPolicy"), context);
        });
    }
    if mesh_mtls.as_ref().is_some_and(|tls| !tls.ecdh_curves.is_empty()) {
        let message = "the curves of mutual TLS inside the mesh cannot be chosen";
        context.report(&MC_10, &At::top("meshMTLS").field("ecdhCurves"), message);
    }
    if let Some(tls) = tls_defaults {
        check_curves(tls, context);
    }
    if let Some(policy) = default_traffic_policy {
        check_default_traffic_policy(policy, &At::top("defaultTrafficPolicy"), context);
    }
    if let Some(retries) = default_inbound_http_retry_policy {
        check_inbound_retries(retries, &At::top("defaultInboundHttpRetryPolicy"), context);
    }
}

/// A-MC-2, A-MC-3
fn check_connect_timeout(timeout: Duration, context: &mut Context<'_>) {
    let at = At::top("connectTimeout");
    if context.check(&MC_2, &at, shared::duration(timeout)) && timeout > Duration::from_secs(3600) {
        context.report(&MC_3, &at, format!("the duration `{timeout}` is longer than 1h"));
    }
}

/// A-MC-4
fn check_detection_timeout(timeout: Duration, context: &mut Context<'_>) {
    let at = At::top("protocolDetectionTimeout");
    if timeout.as_nanos() % 1_000_000 != 0 {
        let message = format!("the duration `{timeout}` is not a whole number of milliseconds");
        context.report(&MC_4, &at, message);
    } else if context.is_strict() && timeout.as_nanos() < 0 {
        // quirk A-MC-4: upstream lets it pass
        context.report(&MC_4, &at, format!("the duration `{timeout}` is negative"));
    }
}

/// A-MC-8: DNS labels between dots, the last one may be a number; one trailing dot is allowed.
fn trust_domain_labels(domain: &str) -> Result<(), String> {
    if domain.is_empty() {
        return Err("the trust domain must not be empty".to_owned());
    }
    let labels = domain.strip_suffix('.').unwrap_or(domain);
    for label in labels.split('.') {
        check::dns_label(label).map_err(|error| format!("`{domain}` is no trust domain: {error}"))?;
    }
    Ok(())
}

/// A-MC-7
fn check_service_settings(all: &[ServiceSettings], context: &mut Context<'_>) {
    let at = At::top("serviceSettings");
    for (index, ServiceSettings { settings: _, hosts }) in all.iter().enumerate() {
        let at = at.index(index);
        for (index, host) in hosts.iter().enumerate() {
            context.check(&MC_7, &at.item("hosts", index), check::wildcard_domain(host));
        }
    }
}

/// A-MC-21
fn check_default_providers(defaults: &DefaultProviders, mesh: &MeshConfig, context: &mut Context<'_>) {
    let DefaultProviders {
        tracing,
        metrics,
        access_logging,
    } = defaults;
    let at = At::top("defaultProviders");
    for (field, names, capability) in [
        ("tracing", tracing, ProviderCapability::Tracing),
        ("metrics", metrics, ProviderCapability::Metrics),
        ("accessLogging", access_logging, ProviderCapability::AccessLog),
    ] {
        for (index, name) in names.iter().enumerate() {
            if let Err(error) = mesh.provider_for(name, capability) {
                context.report(&MC_21, &at.item(field, index), error.to_string());
            }
        }
    }
}

/// A-MC-20
fn check_discovery_selectors(selectors: &[LabelSelector], context: &mut Context<'_>) {
    let at = At::top("discoverySelectors");
    for (index, selector) in selectors.iter().enumerate() {
        let LabelSelector {
            match_labels,
            match_expressions,
        } = selector;
        let at = at.index(index);
        for (key, value) in match_labels {
            let at = at.entry("matchLabels", key);
            if context.check(&MC_20, &at, check::label_key(key)) {
                context.check(&MC_20, &at, kubernetes_value(value));
            }
        }
        for (index, requirement) in match_expressions.iter().enumerate() {
            check_requirement(requirement, &at.item("matchExpressions", index), context);
        }
    }
}

fn check_requirement(requirement: &LabelSelectorRequirement, at: &At<'_>, context: &mut Context<'_>) {
    let LabelSelectorRequirement {
        key,
        operator,
        values,
    } = requirement;
    context.check(&MC_20, &at.field("key"), check::label_key(key));
    match operator.as_str() {
        "In" | "NotIn" if values.is_empty() => {
            context.report(
                &MC_20,
                &at.field("values"),
                format!("the operator {operator} needs values"),
            );
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            context.report(
                &MC_20,
                &at.field("values"),
                format!("the operator {operator} takes no values"),
            );
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => {
            let message = format!("`{other}` is no operator: In, NotIn, Exists or DoesNotExist");
            context.report(&MC_20, &at.field("operator"), message);
        }
    }
    for (index, value) in values.iter().enumerate() {
        context.check(&MC_20, &at.item("values", index), kubernetes_value(value));
    }
}

/// The value of a label as Kubernetes takes it: [`check::label_value`] and at most 63 bytes.
fn kubernetes_value(value: &str) -> Result<(), String> {
    match value.len() {
        length if length > 63 => Err(format!(
            "the label value has {length} bytes, at most 63 are allowed"
        )),
        _ => check::label_value(value).map_err(|error| error.to_string()),
    }
}

/// A-MC-11, A-MC-12
fn check_curves(tls: &TlsConfig, context: &mut Context<'_>) {
    let TlsConfig {
        min_protocol_version: _,
        ecdh_curves,
        cipher_suites: _,
    } = tls;
    let at = At::top("tlsDefaults");
    let at = at.field("ecdhCurves");
    let (mut unknown, mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for curve in ecdh_curves {
        if !is_curve(curve) {
            unknown.insert(curve.as_str());
        } else if !seen.insert(curve.as_str()) {
            twice.insert(curve.as_str());
        }
    }
    let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
    if !unknown.is_empty() {
        context.report(
            &MC_11,
            &at,
            format!("unknown curves are passed over: {}", list(unknown)),
        );
    }
    if !twice.is_empty() {
        context.report(
            &MC_12,
            &at,
            format!("curves that are listed twice: {}", list(twice)),
        );
    }
}

/// A-X-28
fn is_curve(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "",
        "P-224",
        "P-256",
        "P-384",
        "P-521",
        "X25519",
        "X25519Kyber768Draft00",
        "X25519MLKEM768",
    ];
    NAMES.contains(&name)
}

/// A-MC-13, A-MC-14
fn check_default_traffic_policy(policy: &DefaultTrafficPolicy, at: &At<'_>, context: &mut Context<'_>) {
    let DefaultTrafficPolicy {
        connection_pool,
        outlier_detection,
    } = policy;
    if let Some(pool) = connection_pool {
        // quirk A-MC-13: the keep-alive of HTTP/2 is not looked at
        let pool = ConnectionPoolSettings {
            tcp: pool.tcp.clone(),
            http: pool.http.as_ref().map(|http| HttpSettings {
                http2_keep_alive: None,
                ..http.clone()
            }),
        };
        let at = at.field("connectionPool");
        context.citing(&MC_13, |context| connection_pool::check(&pool, &at, context));
    }
    if let Some(detection) = outlier_detection {
        // quirk A-MC-14: nobody is told that consecutiveErrors is deprecated
        let detection = OutlierDetection {
            consecutive_errors: 0,
            ..(**detection).clone()
        };
        let at = at.field("outlierDetection");
        context.citing(&MC_14, |context| {
            destination_rule::check_outlier_detection(&detection, &at, context);
        });
    }
}

/// A-MC-15..17
fn check_inbound_retries(retries: &HttpRetry, at: &At<'_>, context: &mut Context<'_>) {
    context.citing(&MC_15, |context| {
        virtual_service::check_retries(retries, at, context);
    });
    let HttpRetry {
        attempts,
        per_try_timeout,
        retry_on: _,
        retry_remote_localities,
        retry_ignore_previous_hosts,
        backoff,
    } = retries;
    if *attempts == 0 && backoff.is_some() {
        let message = "without attempts retries are switched off, and a backoff contradicts that";
        context.report(&MC_16, &at.field("backoff"), message);
    }
    for (field, is_set) in [
        ("perTryTimeout", per_try_timeout.is_some()),
        ("retryRemoteLocalities", retry_remote_localities.is_some()),
        ("retryIgnorePreviousHosts", retry_ignore_previous_hosts.is_some()),
    ] {
        if is_set {
            context.report(
                &MC_17,
                &at.field(field),
                format!("{field} has no effect on inbound requests"),
            );
        }
    }
}
