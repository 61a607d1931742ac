//! From a plan to Envoy's resources.
//!
//! Conversion is total and keeps the shape of the plan: a listener becomes a Listener, a route table a RouteConfiguration,
//! a cluster a Cluster, an assignment a ClusterLoadAssignment. It decides nothing: names, defaults, order and matches are
//! the plan's. What is its own is the encoding: message fields, filter names, sources of configuration, statistics
//! prefixes, and the refusal of what Envoy refuses (X-REAL-3), which becomes a [`Warning`].
//!
//! What a plan says and the resources do not is listed ([`Conversion::not_expressed`]), never dropped in silence.
//!
//! Features have Istio's default values (X-IN-12), apart from metadata exchange and the ALPN filter, which the [`Profile`]
//! decides. Of several addresses of an endpoint or listener all but the first need dual stack, which is off.

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_route::plan::{At, Caveat, Discovery, Origin, TrafficPlan};

use crate::pb::Kind;
use crate::resource::Resource;
use crate::resource_set::ResourceSet;

mod action;
mod cluster;
mod common;
mod downstream_tls;
mod endpoint;
mod filter_chain;
mod headers;
mod http_connection;
mod listener;
mod listener_filter;
mod matcher;
mod report;
mod route;
mod secret;
mod traffic_policy;
mod upstream_tls;

pub use report::{NotExpressed, Part, Problem, ResourceKey, Warning};

use report::Notes;

/// Which Envoy the resources are for (X-IN-13): what happens to the extensions that only Istio's build of it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Istio's proxy: all of them.
    IstioProxy,
    /// Envoy as released: none of them.
    #[default]
    UpstreamEnvoy,
    /// Either: those that are HTTP filters are marked as optional, so that Envoy as released skips them; the others are
    /// left out.
    UpstreamEnvoyOptional,
}

impl Profile {
    /// Whether peers exchange metadata over TCP, which needs Istio's network and cluster filters.
    fn metadata_exchange(self) -> bool {
        self == Profile::IstioProxy
    }
}

/// The resources of a plan, and what is to be said about them.
#[derive(Clone, Debug)]
pub struct Conversion {
    resources: Arc<ResourceSet>,
    not_expressed: Vec<NotExpressed>,
    warnings: Vec<Warning>,
}

impl Conversion {
    /// The resources.
    pub fn resources(&self) -> &ResourceSet {
        &self.resources
    }

    /// The resources, to be held together with others.
    pub fn share(&self) -> Arc<ResourceSet> {
        Arc::clone(&self.resources)
    }

    /// What the plan says and the resources do not, resource by resource.
    pub fn not_expressed(&self) -> &[NotExpressed] {
        &self.not_expressed
    }

    /// What Envoy would have refused and is left out, resource by resource.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// Converts a plan.
///
/// Equal plans give equal bytes, and so equal versions, in every process.
///
/// ```
/// use mesh_route::{MeshSnapshot, Workload};
/// use mesh_xds::pb::Kind;
/// use mesh_xds::{Profile, convert};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let decoded = mesh_api::decode("mesh.yaml", b"
/// apiVersion: v1
/// kind: Service
/// metadata: {name: reviews, namespace: shop}
/// spec: {clusterIP: 10.0.0.7, ports: [{name: http, port: 9080}]}
/// ");
/// let router = MeshSnapshot::build(decoded.objects()).router_for(&Workload::new("shop".parse()?));
/// let conversion = convert(router.plan(), Profile::UpstreamEnvoy);
/// assert!(conversion.not_expressed().is_empty() && conversion.warnings().is_empty());
///
/// let clusters: Vec<&str> = conversion.resources().of(Kind::Cluster).map(|cluster| cluster.name()).collect();
/// assert_eq!(clusters, [
///     "BlackHoleCluster", "InboundPassthroughCluster", "PassthroughCluster",
///     "outbound|9080||reviews.shop.svc.cluster.local",
/// ]);
/// # Ok(())
/// # }
/// ```
pub fn convert(plan: &TrafficPlan, profile: Profile) -> Conversion {
    let TrafficPlan {
        proxy: _,
        listeners: _,
        route_tables: _,
        clusters: _,
        own_clusters: _,
        endpoints: _,
        caveats,
    } = plan;
    let mut converter = Converter {
        plan,
        profile,
        resources: Vec::new(),
        not_expressed: Vec::new(),
        warnings: Vec::new(),
    };
    converter.clusters();
    converter.listeners();
    converter.route_tables();
    for Caveat { object, reason } in caveats {
        converter.not_expressed.push(NotExpressed {
            resource: None,
            origin: Origin::new(Arc::new(object.clone()), At::Object),
            part: Part::Caveat(reason),
        });
    }
    Conversion {
        resources: Arc::new(ResourceSet::new(converter.resources)),
        not_expressed: converter.not_expressed,
        warnings: converter.warnings,
    }
}

struct Converter<'a> {
    plan: &'a TrafficPlan,
    profile: Profile,
    resources: Vec<Resource>,
    not_expressed: Vec<NotExpressed>,
    warnings: Vec<Warning>,
}

impl Converter<'_> {
    fn clusters(&mut self) {
        let mut made: BTreeMap<String, ()> = BTreeMap::new();
        let plan = self.plan;
        let of_services = plan.clusters.iter().flat_map(|(_, service)| {
            let facts = &service.service;
            service.clusters().map(move |cluster| (Some(&**facts), cluster))
        });
        let own = plan.own_clusters.iter().map(|cluster| (None, cluster));
        for (service, cluster) in of_services.chain(own) {
            let name = cluster.name.to_string();
            let mut notes = Notes::new(Kind::Cluster, &name);
            if made.insert(name.clone(), ()).is_some() {
                // X-CDS-5
                notes.warn(cluster.rule.as_ref(), Problem::DuplicateName);
                self.take(notes);
                continue;
            }
            let assignment = plan.endpoints(&cluster.name);
            let view = cluster::View {
                service,
                assignment,
                profile: self.profile,
            };
            let message = cluster::cluster(cluster, &view, &mut notes);
            self.take(notes);
            let Some(message) = message else { continue };
            self.resources
                .push(Resource::new(Kind::Cluster, name.as_str(), &message));
            if cluster.discovery == Discovery::Eds {
                let mut notes = Notes::new(Kind::Endpoint, &name);
                let message = endpoint::assignment(&name, assignment, &mut notes);
                self.take(notes);
                self.resources
                    .push(Resource::new(Kind::Endpoint, name.as_str(), &message));
            }
        }
    }

    fn listeners(&mut self) {
        for listener in self.plan.listeners.values() {
            let name = listener.name.to_string();
            let mut notes = Notes::new(Kind::Listener, &name);
            let message = listener::listener(listener, self.profile, &mut notes);
            self.take(notes);
            let message = message.map(|message| Resource::new(Kind::Listener, name.as_str(), &message));
            self.resources.extend(message);
        }
    }

    fn route_tables(&mut self) {
        for table in self.plan.route_tables.values() {
            let name = table.name.to_string();
            let mut notes = Notes::new(Kind::Route, &name);
            let message = route::route_configuration(table, &mut notes);
            self.take(notes);
            self.resources
                .push(Resource::new(Kind::Route, name.as_str(), &message));
        }
    }

    fn take(&mut self, notes: Notes) {
        let (not_expressed, warnings) = notes.into_parts();
        self.not_expressed.extend(not_expressed);
        self.warnings.extend(warnings);
    }
}
