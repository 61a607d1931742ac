//! The front door: objects in, routers out.

use std::fmt;
use std::sync::Arc;

use mesh_api::ObjectSet;
use mesh_api::mesh::MeshConfig;
use mesh_api::names::{Host, Namespace, Text};
use mesh_api::networking::EnvoyFilter;

use crate::compile::cluster::ClusterView;
use crate::compile::{self, explain};
use crate::decide::{Decision, Router};
use crate::plan::{ClusterStyle, ProxyFacts, ProxyRole, TrafficPlan};
use crate::scope::{GatewayScope, SidecarScope, Workload};
use crate::snapshot::service::Service;
use crate::snapshot::{Builder, Finding, Indexes};
use crate::trace::Trace;

/// The mesh at one moment: all objects resolved, merged and indexed. Immutable, and cheap to clone.
///
/// ```
/// use mesh_route::{MeshSnapshot, Request, Workload};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let decoded = mesh_api::decode("mesh.yaml", b"
/// apiVersion: v1
/// kind: Service
/// metadata: {name: reviews, namespace: shop}
/// spec: {clusterIP: 10.0.0.7, ports: [{name: http, port: 9080}]}
/// ");
/// let snapshot = MeshSnapshot::build(decoded.objects());
/// let router = snapshot.router_for(&Workload::new("shop".parse()?));
/// let request = Request::get("http://reviews:9080/")?;
/// let decision = router.decide(&request);
/// assert_eq!(decision.origin().to_string(), "Service shop/reviews spec.ports[0]");
/// assert_eq!(decision.status(), Some(503), "no endpoint is known");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MeshSnapshot(Arc<Inner>);

struct Inner {
    indexes: Indexes,
    mesh: MeshConfig,
    findings: Vec<Finding>,
}

/// What a snapshot is built with, beside objects.
#[derive(Clone, Debug)]
pub struct SnapshotOptions {
    /// Mesh configuration; Istio's defaults unless given.
    pub mesh: MeshConfig,
    /// The cluster's DNS domain, `cluster.local` unless given.
    pub domain: Text,
    /// The namespace of objects without one, `default` unless given.
    pub default_namespace: Namespace,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self {
            mesh: MeshConfig::default(),
            domain: Text::new("cluster.local"),
            default_namespace: Namespace::new("default"),
        }
    }
}

impl MeshSnapshot {
    /// Builds a snapshot with Istio's default mesh configuration. Never fails as a whole: what could not be used is in
    /// [`MeshSnapshot::findings`].
    pub fn build(objects: &ObjectSet) -> Self {
        Self::build_with(objects, SnapshotOptions::default())
    }

    /// Builds a snapshot.
    pub fn build_with(objects: &ObjectSet, options: SnapshotOptions) -> Self {
        let SnapshotOptions {
            mesh,
            domain,
            default_namespace,
        } = options;
        let objects = objects.with_default_namespace(&default_namespace);
        let (indexes, findings) = collect(&objects).build(&mesh, domain.as_str());
        Self(Arc::new(Inner {
            indexes,
            mesh,
            findings,
        }))
    }

    /// What was left out, and why.
    pub fn findings(&self) -> &[Finding] {
        &self.0.findings
    }

    /// The mesh configuration.
    pub fn mesh(&self) -> &MeshConfig {
        &self.0.mesh
    }

    /// The indexes, for those who look beyond one proxy.
    pub fn indexes(&self) -> &Indexes {
        &self.0.indexes
    }

    /// Compiles the plan of a proxy.
    pub fn plan_for(&self, workload: &Workload) -> TrafficPlan {
        self.compile(workload, None)
    }

    /// Compiles the plan of a proxy with an earlier one of it at hand: every part that comes out equal is shared with
    /// it, and the result equals a fresh plan.
    pub fn plan_after(&self, workload: &Workload, previous: &TrafficPlan) -> TrafficPlan {
        self.compile(workload, Some(previous))
    }

    /// A router for the requests of a workload, or those that reach a gateway.
    pub fn router_for(&self, workload: &Workload) -> Router {
        self.router(workload, self.plan_for(workload))
    }

    /// As [`MeshSnapshot::router_for`], sharing parts with the plan of an earlier router.
    pub fn router_after(&self, workload: &Workload, previous: &Router) -> Router {
        self.router(workload, self.plan_after(workload, previous.plan()))
    }

    fn router(&self, workload: &Workload, plan: TrafficPlan) -> Router {
        let (snapshot, facts) = (self.clone(), Arc::new(workload.facts().clone()));
        Router::with_compile_trace(Arc::new(plan), move |decision| {
            snapshot.compile_trace(&facts, decision)
        })
    }

    fn compile(&self, workload: &Workload, previous: Option<&TrafficPlan>) -> TrafficPlan {
        let Inner {
            indexes,
            mesh,
            findings: _,
        } = &*self.0;
        let facts = Arc::new(workload.facts().clone());
        match facts.role {
            ProxyRole::Sidecar => {
                let scope = SidecarScope::new(facts, indexes, mesh, &mut ());
                compile::sidecar(&scope, indexes, mesh, previous, &mut ())
            }
            ProxyRole::Gateway => compile::gateway(
                &GatewayScope::new(facts, indexes),
                indexes,
                mesh,
                previous,
                &mut (),
            ),
        }
    }

    /// Runs the builders of a decision's parts again, recorded.
    fn compile_trace(&self, facts: &Arc<ProxyFacts>, decision: &Decision<'_>) -> Trace {
        let Inner {
            indexes,
            mesh,
            findings: _,
        } = &*self.0;
        let facts = Arc::clone(facts);
        let mut trace = Trace::new();
        let target = decision.target().map(|target| target.cluster_name().clone());
        let is_service = target
            .as_ref()
            .is_some_and(|name| name.key().style == ClusterStyle::Outbound);
        let host = target
            .as_ref()
            .filter(|_| is_service)
            .map(|name| name.host().clone());
        let parts = decision.table.zip(decision.virtual_host);
        let service: Option<Arc<Service>> = match facts.role {
            ProxyRole::Sidecar => {
                let scope = SidecarScope::new(Arc::clone(&facts), indexes, mesh, &mut ());
                if let Some((table, host)) = parts {
                    trace.extend(explain::sidecar_table(&scope, indexes, mesh, table, host).into_events());
                }
                host.and_then(|host| scope.service(&host).cloned())
            }
            ProxyRole::Gateway => {
                let scope = GatewayScope::new(Arc::clone(&facts), indexes);
                if let Some((table, host)) = parts {
                    trace.extend(explain::gateway_table(&scope, indexes, mesh, table, host).into_events());
                }
                let find = |host: &Host| {
                    scope
                        .services
                        .iter()
                        .find(|service| service.host == *host)
                        .cloned()
                };
                host.as_ref().and_then(find)
            }
        };
        let cluster = decision.target().and_then(|target| target.cluster);
        if let (Some(service), Some(cluster)) = (service, cluster) {
            let view = ClusterView {
                facts: &facts,
                mesh,
                indexes,
                sni_dnat: false,
            };
            explain::cluster(&service, cluster, &view, &mut trace);
        }
        trace
    }
}

impl fmt::Debug for MeshSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services = self.0.indexes.services.iter().count();
        f.debug_struct("MeshSnapshot")
            .field("services", &services)
            .finish_non_exhaustive()
    }
}

/// Hands each object to the builder.
fn collect(objects: &ObjectSet) -> Builder {
    let mut builder = Builder::default();
    macro_rules! add {
        ($($list:ident => $method:ident;)*) => { $(
            for object in objects.$list() {
                builder.$method(Arc::new(object.key()), &object.meta, &object.spec);
            }
        )* };
    }
    add! {
        services => service;
        service_entries => service_entry;
        virtual_services => virtual_service;
        destination_rules => destination_rule;
        gateways => gateway;
        sidecars => sidecar;
        peer_authentications => peer_authentication;
    }
    for object in objects.endpoint_slices() {
        builder.endpoint_slice(&object.meta, &object.spec);
    }
    for object in objects.pods() {
        builder.pod(&object.meta, &object.spec);
    }
    for object in objects.workload_entries() {
        builder.workload_entry(&object.meta, &object.spec);
    }
    for object in objects.objects_of::<EnvoyFilter>() {
        let selector = object.spec.workload_selector.as_ref();
        let labels = selector.iter().flat_map(|selector| &selector.labels);
        builder.envoy_filter(
            object.key(),
            labels
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
        );
    }
    builder
}
