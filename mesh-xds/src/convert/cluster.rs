//! Clusters (X-CDS).

use std::net::IpAddr;
use std::time::Duration;

use mesh_api::names::Text;
use mesh_route::plan::{
    Assignment, Cluster, ClusterName, ClusterStyle, Discovery, DnsCache, DnsFamily, DnsLookup, EndpointRule,
    FixedCluster, LocalityPolicy, Origin, ServiceFacts, Sourced, SubsetRef, UpstreamTls,
};
use prost_types::{Any, Struct};

use super::Profile;
use super::common::{
    ISTIO, ads, bool_value, config_path, duration, extension, list_value, metadata, object, object_value,
    text_value, typed_struct,
};
use super::report::{Notes, Part, Problem, built_in};
use super::traffic_policy::{self, HttpOptions};
use super::{endpoint, upstream_tls};
use crate::pb::envoy::config::cluster::v3::cluster::common_lb_config::{
    LocalityConfigSpecifier, LocalityWeightedLbConfig, ZoneAwareLbConfig,
};
use crate::pb::envoy::config::cluster::v3::cluster::{
    ClusterDiscoveryType, CommonLbConfig, CustomClusterType, DiscoveryType, DnsLookupFamily,
    EdsClusterConfig, LbConfig, OriginalDstLbConfig,
};
use crate::pb::envoy::config::cluster::v3::{self as pb, Filter};
use crate::pb::envoy::config::core::v3::socket_address::PortSpecifier;
use crate::pb::envoy::config::core::v3::{
    BindConfig, HealthStatus, HealthStatusSet, SocketAddress, TypedExtensionConfig,
};
use crate::pb::envoy::config::endpoint::v3::ClusterLoadAssignment;
use crate::pb::envoy::extensions::clusters::dynamic_forward_proxy::v3::ClusterConfig;
use crate::pb::envoy::extensions::clusters::dynamic_forward_proxy::v3::cluster_config::ClusterImplementationSpecifier;
use crate::pb::envoy::extensions::common::dynamic_forward_proxy::v3::DnsCacheConfig;
use crate::pb::envoy::extensions::network::dns_resolver::cares::v3::CaresDnsResolverConfig;
use crate::pb::envoy::r#type::v3::Percent;
use crate::pb::pack;

/// How far apart name look-ups are spread.
const DNS_JITTER: Duration = Duration::from_millis(100);
/// Look-ups after which the resolver takes a new UDP port.
const DNS_MAX_QUERIES: u32 = 100;
/// Hosts in the cache of the cluster that resolves any host.
const ANY_HOSTS: u32 = 1024;

/// What a cluster is converted with, beside itself.
pub(super) struct View<'a> {
    /// The service that it belongs to.
    pub(super) service: Option<&'a ServiceFacts>,
    /// Its endpoints.
    pub(super) assignment: Option<&'a Assignment>,
    /// Which extensions there are.
    pub(super) profile: Profile,
}

/// A cluster; `None` when Envoy would refuse it.
pub(super) fn cluster(cluster: &Cluster, view: &View<'_>, notes: &mut Notes) -> Option<pb::Cluster> {
    let Cluster {
        name,
        discovery,
        upstream,
        policy,
        tls: Sourced { value: tls, level: _ },
        locality,
        endpoints,
        affinity,
        rule,
        subset: _, // in the metadata
        foreign,
    } = cluster;
    let EndpointRule {
        port_name: _,
        labels: _,
        keep_unhealthy: _,
        node_local: _,
        failover: _,
    } = endpoints; // the assignment's
    let text = name.to_string();
    let built_in = built_in();
    let origin = rule.as_ref().or(view.service.map(|service| &service.origin));
    if !notes.foreign(origin.unwrap_or(&built_in), foreign) {
        return None;
    }

    let mut message = pb::Cluster {
        name: text.clone(),
        alt_stat_name: alt_stat_name(name),
        metadata: cluster_metadata(cluster, view.service),
        ..Default::default()
    };
    let mut options = HttpOptions::new(*upstream);
    if has_common_lb_config(name, discovery) {
        message.common_lb_config = Some(common_lb_config(locality.as_ref(), *affinity));
    }
    traffic_policy::apply(
        policy,
        discovery,
        &mut message,
        &mut options,
        (origin, &mut *notes),
    );
    upstream_tls::apply(tls, cluster, view.profile, &mut message, &mut options);
    if has_metadata_exchange(name, discovery) && view.profile.metadata_exchange() {
        message.filters = vec![metadata_exchange()];
    }
    let secure = match tls {
        UpstreamTls::Simple(tls) | UpstreamTls::Mutual(tls) => {
            tls.verify && tls.check_host && tls.sni == mesh_route::plan::ClientSni::FromHost
        }
        UpstreamTls::Plain | UpstreamTls::Auto(_) | UpstreamTls::Mesh(_) => false,
    };
    let http = options.into_extension();
    // Envoy wants both automatic options of a cluster with HTTP options, with TLS or without (X-CDS-56).
    let is_tls = matches!(tls, UpstreamTls::Simple(_) | UpstreamTls::Mutual(_));
    let shared = matches!(name.key().style, ClusterStyle::Fixed(_));
    let insecure = !secure && (is_tls || shared || http.is_some());
    message.typed_extension_protocol_options = http.into_iter().collect();
    discover(discovery, &text, view, insecure, &mut message, (origin, notes)).then_some(message)
}

/// X-NAME-6
fn alt_stat_name(name: &ClusterName) -> String {
    match name.key().style {
        // quirk X-NAME-6: its statistics are those of the outbound one.
        ClusterStyle::Fixed(FixedCluster::InboundPassthrough) => {
            format!("{};", FixedCluster::Passthrough.as_str())
        }
        _ => format!("{name};"),
    }
}

/// X-CDS-13
fn has_common_lb_config(name: &ClusterName, discovery: &Discovery) -> bool {
    let fixed = matches!(name.key().style, ClusterStyle::Fixed(_));
    !fixed && !matches!(discovery, Discovery::DynamicForward(_))
}

/// X-CDS-35, X-CDS-37. The panic threshold is the traffic policy's.
fn common_lb_config(locality: Option<&Sourced<LocalityPolicy>>, affinity: bool) -> CommonLbConfig {
    let specifier = match locality.map(|locality| &locality.value) {
        None | Some(LocalityPolicy::Priorities) => None,
        Some(LocalityPolicy::Weighted) => Some(LocalityConfigSpecifier::LocalityWeightedLbConfig(
            LocalityWeightedLbConfig {},
        )),
        Some(LocalityPolicy::ZoneAware {
            minimum_size,
            disabled,
        }) => Some(LocalityConfigSpecifier::ZoneAwareLbConfig(ZoneAwareLbConfig {
            routing_enabled: disabled.then(Percent::default),
            min_cluster_size: *minimum_size,
            ..Default::default()
        })),
    };
    let statuses = [
        HealthStatus::Healthy,
        HealthStatus::Draining,
        HealthStatus::Unknown,
        HealthStatus::Degraded,
    ];
    CommonLbConfig {
        locality_config_specifier: specifier,
        override_host_status: affinity.then(|| HealthStatusSet {
            statuses: statuses.into_iter().map(i32::from).collect(),
        }),
        ..Default::default()
    }
}

/// How endpoints are found. Says whether Envoy takes the cluster.
#[expect(deprecated, reason = "X-CDS-9: Istio still configures DNS by these fields")]
fn discover(
    discovery: &Discovery,
    name: &str,
    view: &View<'_>,
    insecure: bool,
    message: &mut pb::Cluster,
    (origin, notes): (Option<&Origin>, &mut Notes),
) -> bool {
    let kind = match discovery {
        Discovery::Eds => {
            message.eds_cluster_config = Some(EdsClusterConfig {
                eds_config: Some(ads()),
                service_name: name.to_owned(),
            });
            DiscoveryType::Eds
        }
        Discovery::Dns(DnsLookup {
            logical,
            family,
            refresh,
        }) => {
            message.dns_lookup_family = dns_family(*family).into();
            message.dns_refresh_rate = Some(duration(*refresh));
            message.dns_jitter = Some(duration(DNS_JITTER));
            message.respect_dns_ttl = true;
            message.typed_dns_resolver_config = Some(resolver());
            let Some(listed) = listed(name, view, *logical, (origin, notes)) else {
                return false;
            };
            message.load_assignment = Some(listed);
            if *logical {
                DiscoveryType::LogicalDns
            } else {
                DiscoveryType::StrictDns
            }
        }
        Discovery::Static => {
            let Some(listed) = listed(name, view, false, (origin, notes)) else {
                return false;
            };
            message.load_assignment = Some(listed);
            DiscoveryType::Static
        }
        Discovery::OriginalDestination { port_override, bind } => {
            message.lb_config = port_override.map(|port| {
                LbConfig::OriginalDstLbConfig(OriginalDstLbConfig {
                    upstream_port_override: Some(port.into()),
                    ..Default::default()
                })
            });
            message.upstream_bind_config = bind.map(bind_config);
            DiscoveryType::OriginalDst
        }
        Discovery::DynamicForward(cache) => {
            let built_in = built_in();
            notes.not_expressed(origin.unwrap_or(&built_in), Part::DynamicForwardFilter);
            let shared = view.service.is_none();
            message.cluster_discovery_type = Some(ClusterDiscoveryType::ClusterType(CustomClusterType {
                name: "envoy.clusters.dynamic_forward_proxy".to_owned(),
                typed_config: Some(dynamic_forward(cache, shared, insecure)),
            }));
            return true;
        }
        Discovery::Empty => DiscoveryType::Static,
    };
    message.cluster_discovery_type = Some(ClusterDiscoveryType::Type(kind.into()));
    true
}

/// The endpoints of a cluster that carries them itself (X-CDS-10, X-CDS-12).
fn listed(
    name: &str,
    view: &View<'_>,
    only_one: bool,
    (origin, notes): (Option<&Origin>, &mut Notes),
) -> Option<ClusterLoadAssignment> {
    let mut message = endpoint::assignment(name, view.assignment, notes);
    let mut found = 0;
    for group in &mut message.endpoints {
        if only_one && found > 0 {
            found += group.lb_endpoints.len();
            group.lb_endpoints.clear();
            continue;
        }
        found += group.lb_endpoints.len();
        if only_one {
            group.lb_endpoints.truncate(1);
        }
    }
    if found == 0 {
        notes.warn(origin, Problem::NoEndpoints);
        return None;
    }
    if only_one && found > 1 {
        message.endpoints.retain(|group| !group.lb_endpoints.is_empty());
        notes.warn(origin, Problem::ExtraEndpoints(found - 1));
    }
    Some(message)
}

fn bind_config(address: IpAddr) -> BindConfig {
    BindConfig {
        source_address: Some(SocketAddress {
            address: address.to_string(),
            port_specifier: Some(PortSpecifier::PortValue(0)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn dns_family(family: DnsFamily) -> DnsLookupFamily {
    match family {
        DnsFamily::V4 => DnsLookupFamily::V4Only,
        DnsFamily::V6 => DnsLookupFamily::V6Only,
        DnsFamily::All => DnsLookupFamily::All,
    }
}

fn resolver() -> TypedExtensionConfig {
    let config = CaresDnsResolverConfig {
        udp_max_queries: Some(DNS_MAX_QUERIES),
        ..Default::default()
    };
    extension("envoy.network.dns_resolver.cares", &config)
}

/// X-CDS-56
fn dynamic_forward(cache: &DnsCache, shared: bool, insecure: bool) -> Any {
    let DnsCache {
        name,
        family,
        refresh,
    } = cache;
    pack(&ClusterConfig {
        allow_insecure_cluster_options: insecure,
        cluster_implementation_specifier: Some(ClusterImplementationSpecifier::DnsCacheConfig(
            DnsCacheConfig {
                name: name.to_string(),
                dns_lookup_family: dns_family(*family).into(),
                dns_refresh_rate: Some(duration(*refresh)),
                max_hosts: shared.then_some(ANY_HOSTS),
                typed_dns_resolver_config: Some(resolver()),
                ..Default::default()
            },
        )),
        ..Default::default()
    })
}

/// X-CDS-46, X-CDS-49, X-NAME-16
fn cluster_metadata(
    cluster: &Cluster,
    service: Option<&ServiceFacts>,
) -> Option<crate::pb::envoy::config::core::v3::Metadata> {
    let mut fields = Vec::new();
    if let Some(key) = cluster.rule.as_ref().and_then(|rule| rule.object.as_deref()) {
        fields.extend(config_path(key).map(|path| ("config", text_value(path))));
        if matches!(cluster.tls.value, UpstreamTls::Simple(_) | UpstreamTls::Mutual(_)) {
            fields.push(("alpn_override", text_value("false")));
        }
    }
    match &cluster.subset {
        Some(subset) => {
            let SubsetRef {
                name,
                labels: _,
                origin: _,
            } = &**subset;
            fields.push(("subset", text_value(name.as_str())));
        }
        None if service.is_some_and(|service| service.external) => {
            fields.push(("external", bool_value(true)));
        }
        None => {}
    }
    fields.extend(service.map(|service| ("services", list_value([object_value(service_fields(service))]))));
    metadata(ISTIO, object(fields))
}

fn service_fields(service: &ServiceFacts) -> Struct {
    let ServiceFacts {
        host,
        name,
        namespace,
        registry: _,
        external: _,
        origin: _,
    } = service;
    object([
        ("host", text_value(host.as_str())),
        ("name", text_value(Text::as_str(name))),
        ("namespace", text_value(namespace.as_str())),
    ])
}

/// X-CDS-50
fn has_metadata_exchange(name: &ClusterName, discovery: &Discovery) -> bool {
    match name.key().style {
        ClusterStyle::Outbound | ClusterStyle::SniDnat => true,
        ClusterStyle::Fixed(FixedCluster::Passthrough | FixedCluster::AllowAnyDynamicDns) => true,
        ClusterStyle::Fixed(_)
        | ClusterStyle::Inbound
        | ClusterStyle::InboundVip
        | ClusterStyle::Other(_) => matches!(discovery, Discovery::DynamicForward(_)),
    }
}

fn metadata_exchange() -> Filter {
    let config = object([
        ("protocol", text_value("istio-peer-exchange")),
        ("enable_discovery", bool_value(true)),
    ]);
    Filter {
        name: "istio.metadata_exchange".to_owned(),
        typed_config: Some(typed_struct(
            "envoy.tcp.metadataexchange.config.MetadataExchange",
            config,
        )),
        ..Default::default()
    }
}

/// Whether the type of the cluster brings its balancer.
pub(super) fn is_provided(discovery: &Discovery) -> bool {
    matches!(
        discovery,
        Discovery::OriginalDestination { .. } | Discovery::DynamicForward(_)
    )
}
