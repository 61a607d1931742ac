//! The clusters of a service: one for each port, and one for each subset of the rule that applies (X-CDS).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_api::mesh::MeshConfig;
use mesh_api::names::{Labels, Protocol, SubsetName, Text};
use mesh_api::networking as model;

use super::action::cluster_host;
use super::defaults;
use super::locality;
use super::traffic_policy::{Blocks, PolicyTarget, traffic_policy};
use super::upstream_tls::{TlsView, identities, upstream_tls};
use crate::plan::{
    At, Cluster, ClusterKey, ClusterName, ClusterStyle, Discovery, DnsCache, DnsFamily, DnsLookup,
    EndpointRule, FixedCluster, Index, Level, Origin, PortClusters, ProxyFacts, ProxyRole, RuleId,
    ServiceClusters, ServiceFacts, Sourced, SubsetRef, UpstreamProtocol, UpstreamTls, clamp,
};
use crate::snapshot::Indexes;
use crate::snapshot::destination_rule::{MergedRule, MergedSubset};
use crate::snapshot::service::{Resolution, Service, ServicePort, TrafficDistribution};

/// What clusters are built from.
#[derive(Clone, Copy)]
pub(crate) struct ClusterView<'a> {
    /// The proxy.
    pub(crate) facts: &'a ProxyFacts,
    /// Mesh configuration.
    pub(crate) mesh: &'a MeshConfig,
    /// The snapshot, for rules and PeerAuthentication.
    pub(crate) indexes: &'a Indexes,
    /// Whether an AUTO_PASSTHROUGH server needs clusters by server name (X-CDS-48).
    pub(crate) sni_dnat: bool,
}

impl ClusterView<'_> {
    /// Whether `namespace` is the mesh's root namespace.
    pub(super) fn is_root(&self, namespace: &mesh_api::names::Namespace) -> bool {
        *namespace == self.mesh.root_namespace.as_str()
    }
}

/// The clusters of `service`; `None` for one without ports of its own.
pub(super) fn service_clusters(service: &Arc<Service>, view: &ClusterView<'_>) -> Option<ServiceClusters> {
    if matches!(service.resolution, Resolution::Alias(_)) {
        return None;
    }
    let rule = view
        .indexes
        .rules
        .select(&view.facts.namespace, &view.facts.labels, service);
    let rule = rule.map(|selected| selected.rule);
    let builder = Builder {
        service,
        view,
        rule: rule.as_ref(),
        identities: &identities(service, &view.mesh.trust_domain_aliases),
    };
    let ports = service.ports.iter().filter(|port| port.protocol != Protocol::Udp);
    let ports: Box<[PortClusters]> = ports.filter_map(|port| builder.port(port)).collect();
    if ports.is_empty() {
        return None;
    }
    let facts = ServiceFacts {
        host: service.host.clone(),
        name: service.name.clone(),
        namespace: service.namespace.clone(),
        registry: service.registry,
        external: service.external,
        origin: Origin::new(Arc::clone(&service.key), At::Object),
    };
    Some(ServiceClusters {
        service: Arc::new(facts),
        ports,
    })
}

/// The clusters that every proxy has (X-CDS-1, X-CDS-2, X-CDS-51).
pub(super) fn own_clusters(facts: &ProxyFacts, mesh: &MeshConfig, dynamic_dns: bool) -> Vec<Arc<Cluster>> {
    let mut clusters = vec![fixed(
        FixedCluster::BlackHole,
        Discovery::Empty,
        UpstreamProtocol::Unspecified,
        mesh,
    )];
    if facts.role == ProxyRole::Sidecar {
        let original = Discovery::OriginalDestination {
            port_override: None,
            bind: None,
        };
        let follow = UpstreamProtocol::FollowClient { preserve_case: false };
        clusters.push(fixed(FixedCluster::Passthrough, original, follow, mesh));
        let bind = Some(IpAddr::from([127, 0, 0, 6]));
        let inbound = Discovery::OriginalDestination {
            port_override: None,
            bind,
        };
        clusters.push(fixed(FixedCluster::InboundPassthrough, inbound, follow, mesh));
    }
    if dynamic_dns {
        let cache = DnsCache {
            name: Text::new("allow_any_dfp_dns_cache"),
            family: dns_family(facts),
            refresh: dns_refresh(mesh),
        };
        let discovery = Discovery::DynamicForward(Box::new(cache));
        let follow = UpstreamProtocol::FollowClient { preserve_case: false };
        clusters.push(fixed(FixedCluster::AllowAnyDynamicDns, discovery, follow, mesh));
    }
    clusters
}

fn fixed(
    name: FixedCluster,
    discovery: Discovery,
    upstream: UpstreamProtocol,
    mesh: &MeshConfig,
) -> Arc<Cluster> {
    let level = Level::Default(RuleId::FixedClusters);
    let target = PolicyTarget {
        http2: false,
        forced_unhealthy: false,
        no_panic: false,
        cluster_provided: true,
    };
    let mut policy = traffic_policy(&Blocks::default().with_baseline(mesh), mesh, target);
    policy.outlier = None;
    policy.panic_percent = None;
    if name == FixedCluster::Passthrough || name == FixedCluster::InboundPassthrough {
        policy.pool.value.idle = Some(Duration::from_secs(300));
    }
    Arc::new(Cluster {
        name: ClusterName::fixed(name),
        discovery,
        upstream,
        policy: Arc::new(policy),
        tls: Sourced::new(UpstreamTls::Plain, level),
        locality: None,
        endpoints: EndpointRule {
            port_name: Text::default(),
            labels: Arc::default(),
            keep_unhealthy: false,
            node_local: false,
            failover: false,
        },
        affinity: false,
        rule: None,
        subset: None,
        foreign: None,
    })
}

/// Address families that a proxy asks DNS for (X-CDS-9).
fn dns_family(facts: &ProxyFacts) -> DnsFamily {
    let all_v6 = !facts.addresses.is_empty() && facts.addresses.iter().all(IpAddr::is_ipv6);
    if all_v6 { DnsFamily::V6 } else { DnsFamily::V4 }
}

fn dns_refresh(mesh: &MeshConfig) -> Duration {
    mesh.dns_refresh_rate
        .to_std()
        .filter(|time| !time.is_zero())
        .unwrap_or(defaults::DNS_REFRESH)
}

struct Builder<'a> {
    service: &'a Arc<Service>,
    view: &'a ClusterView<'a>,
    rule: Option<&'a Arc<MergedRule>>,
    identities: &'a Arc<[Text]>,
}

impl Builder<'_> {
    fn port(&self, port: &ServicePort) -> Option<PortClusters> {
        let dynamic = self.service.resolution == Resolution::DynamicDns;
        if dynamic
            && !matches!(
                port.protocol,
                Protocol::Http | Protocol::Http2 | Protocol::Grpc | Protocol::Tls
            )
        {
            return None; // X-CDS-4
        }
        let subsets: Box<[Arc<Cluster>]> = match self.rule {
            Some(rule) if !dynamic => rule
                .subsets
                .iter()
                .filter_map(|subset| self.cluster(port, Some(subset)))
                .map(Arc::new)
                .collect(),
            _ => Box::default(),
        };
        let default = Arc::new(self.cluster(port, None)?);
        let sni_dnat = match self.view.sni_dnat && !self.service.external {
            true => std::iter::once(&default)
                .chain(&*subsets)
                .map(|cluster| sni_dnat(cluster))
                .collect(),
            false => Box::default(),
        };
        Some(PortClusters {
            port: port.number,
            default,
            subsets,
            sni_dnat,
        })
    }

    /// The blocks of the rule for a port, over the mesh baseline (R-TP-1, R-TP-2).
    fn blocks(&self, port: u16) -> Blocks<'_> {
        let top = self.rule.and_then(|rule| rule.traffic_policy());
        let base = top.map_or_else(Blocks::default, |top| {
            Blocks::at_port(top, port, Level::Top, Level::Port)
        });
        base.with_baseline(self.view.mesh)
    }

    fn cluster(&self, port: &ServicePort, subset: Option<&MergedSubset>) -> Option<Cluster> {
        let spec = match subset {
            Some(subset) => Some(subset.spec()?),
            None => None,
        };
        let mut blocks = self.blocks(port.number);
        let own = spec.and_then(|spec| spec.traffic_policy.as_deref());
        if let Some(policy) = own {
            blocks = blocks.overlaid(Blocks::at_port(
                policy,
                port.number,
                Level::Subset,
                Level::SubsetPort,
            ));
        }
        let passthrough_balancer = is_passthrough(blocks.balancer.map(|(balancer, _)| balancer));
        let discovery = self.discovery(port, passthrough_balancer);
        let upstream = self.upstream(port, &blocks);
        let provided = matches!(
            discovery,
            Discovery::OriginalDestination { .. } | Discovery::DynamicForward(_)
        );
        let forced = self.service.distribution != TrafficDistribution::Any;
        let target = PolicyTarget {
            http2: upstream == UpstreamProtocol::Http2,
            forced_unhealthy: forced,
            no_panic: !matches!(discovery, Discovery::DynamicForward(_)),
            cluster_provided: provided,
        };
        let policy = traffic_policy(&blocks, self.view.mesh, target);
        let top_level = match subset {
            Some(_) => own,
            None => self.rule.and_then(|rule| rule.traffic_policy()),
        };
        let tls = upstream_tls(
            &blocks,
            TlsView {
                indexes: self.view.indexes,
                mesh: self.view.mesh,
                service: self.service,
                identities: self.identities,
                // R-PA-6: only the top level of the rule or of the subset counts.
                passthrough: self.service.is_headless()
                    || is_passthrough(top_level.and_then(|policy| policy.load_balancer.as_deref())),
                sidecar: self.view.facts.role == ProxyRole::Sidecar,
                selected: self.rule.is_some_and(|rule| rule.first.selector.is_some()),
            },
        );
        let locality = locality::setting(&blocks, self.service, self.view.mesh);
        let labels: Arc<Labels> =
            spec.map_or_else(Arc::default, |spec| Arc::new(spec.labels.iter().collect()));
        let endpoints = EndpointRule {
            port_name: port.name.clone(),
            labels: Arc::clone(&labels),
            keep_unhealthy: forced || !drops_unhealthy(&blocks),
            node_local: self.service.node_local,
            failover: forced || blocks.outlier.is_some_and(|(_, level)| level != Level::Mesh),
        };
        let subset_name = spec.map(|spec| SubsetName::new(spec.name.as_str()));
        Some(Cluster {
            name: ClusterName::outbound(port.number, subset_name.clone(), cluster_host(self.service)),
            discovery,
            upstream,
            locality: locality::cluster_policy(locality.as_ref(), &blocks, forced),
            policy: Arc::new(policy),
            tls,
            endpoints,
            affinity: false,
            rule: self.rule_origin(),
            subset: subset.zip(subset_name).map(|(subset, name)| {
                let origin = Origin::new(Arc::clone(&subset.rule.key), At::Subset(clamp(subset.position)));
                Box::new(SubsetRef { name, labels, origin })
            }),
            foreign: None,
        })
    }

    fn rule_origin(&self) -> Option<Origin> {
        let rule = self.rule?;
        let (owner, at) = match &rule.policy {
            Some(owner) => (
                owner,
                At::TrafficPolicy {
                    subset: Index::NONE,
                    port: Index::NONE,
                },
            ),
            None => (&rule.first, At::Object),
        };
        Some(Origin::new(Arc::clone(&owner.key), at))
    }

    /// X-CDS-7 to -12
    fn discovery(&self, port: &ServicePort, passthrough_balancer: bool) -> Discovery {
        let original = || Discovery::OriginalDestination {
            port_override: port.target.filter(|target| *target != port.number),
            bind: None,
        };
        let dns = |logical| {
            Discovery::Dns(DnsLookup {
                logical,
                family: dns_family(self.view.facts),
                refresh: dns_refresh(self.view.mesh),
            })
        };
        match &self.service.resolution {
            Resolution::DynamicDns => Discovery::DynamicForward(Box::new(DnsCache {
                name: Text::from(format!("{}_dfp_dns_cache", self.service.host)),
                family: dns_family(self.view.facts),
                refresh: dns_refresh(self.view.mesh),
            })),
            _ if passthrough_balancer => original(),
            Resolution::ClientSide | Resolution::Alias(_) => Discovery::Eds,
            Resolution::Dns => dns(false),
            Resolution::DnsRoundRobin => dns(true),
            Resolution::Passthrough if self.view.facts.role == ProxyRole::Gateway => Discovery::Eds,
            Resolution::Passthrough => original(),
        }
    }

    /// X-CDS-17 to -19
    fn upstream(&self, port: &ServicePort, blocks: &Blocks<'_>) -> UpstreamProtocol {
        use mesh_api::mesh::H2UpgradePolicy as MeshUpgrade;
        let http = blocks.pool.and_then(|(pool, _)| pool.http.as_ref());
        if http.is_some_and(|http| http.use_client_protocol) {
            return UpstreamProtocol::FollowClient { preserve_case: false };
        }
        let upgrade = match http.map_or(model::H2UpgradePolicy::Default, |http| http.h2_upgrade_policy) {
            model::H2UpgradePolicy::Upgrade => true,
            model::H2UpgradePolicy::DoNotUpgrade => false,
            _ => port.protocol.is_http() && self.view.mesh.h2_upgrade_policy == MeshUpgrade::Upgrade,
        };
        if upgrade || port.protocol.is_http2() {
            return UpstreamProtocol::Http2;
        }
        if port.protocol.is_sniffed() && self.view.facts.role == ProxyRole::Sidecar {
            return UpstreamProtocol::FollowClient { preserve_case: false };
        }
        UpstreamProtocol::Unspecified
    }
}

/// The same cluster by server name: without TLS, since the client's own passes through (X-CDS-48).
fn sni_dnat(cluster: &Cluster) -> Arc<Cluster> {
    let ClusterKey {
        style: _,
        host,
        port,
        subset,
    } = cluster.name.key().clone();
    Arc::new(Cluster {
        name: ClusterName::new(ClusterKey {
            style: ClusterStyle::SniDnat,
            host,
            port,
            subset,
        }),
        tls: Sourced::new(UpstreamTls::Plain, Level::Default(RuleId::AutoMtls)),
        ..cluster.clone()
    })
}

fn is_passthrough(balancer: Option<&model::LoadBalancerSettings>) -> bool {
    let simple = balancer.and_then(|balancer| balancer.lb_policy.as_ref());
    matches!(
        simple,
        Some(model::LbPolicy::Simple(model::SimpleLb::Passthrough))
    )
}

/// Whether a rule asks for healthy endpoints only (X-EDS-4). The mesh baseline does not count.
fn drops_unhealthy(blocks: &Blocks<'_>) -> bool {
    blocks
        .outlier
        .is_some_and(|(block, level)| level != Level::Mesh && block.min_health_percent > 0)
}
