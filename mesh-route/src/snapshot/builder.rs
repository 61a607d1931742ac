//! Collects objects and builds the snapshot's indexes. Never fails as a whole: what cannot be used is left out, and a
//! finding says why.

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_api::kubernetes::EndpointSlice;
use mesh_api::kubernetes::Pod;
use mesh_api::kubernetes::Service as ServiceModel;
use mesh_api::mesh::MeshConfig;
use mesh_api::meta::ObjectMeta;
use mesh_api::names::{GatewayRef, Host, Labels, Namespace, Protocol, Text};
use mesh_api::networking as vs;
use mesh_api::networking::DestinationRule as RuleModel;
use mesh_api::networking::Gateway as GatewayModel;
use mesh_api::networking::ServiceEntry;
use mesh_api::networking::Sidecar as SidecarModel;
use mesh_api::networking::WorkloadEntry;
use mesh_api::object::ObjectKey;
use mesh_api::security::{MutualTlsMode, PeerAuthentication};
use mesh_ca::TrustDomain;

use super::destination_rule::{DestinationRule, DestinationRuleIndex};
use super::gateway::{Gateway, Server};
use super::kubernetes::{self, Pods};
use super::peer_authentication::PeerAuthenticationIndex;
use super::service::{Service, ServiceIndex};
use super::service_entry::{self, KnownWorkload, Workloads};
use super::sidecar::{Sidecar, SidecarIndex};
use super::virtual_service::{FromRoot, HttpEntry, Semantics, VirtualService, VirtualServiceIndex};
use super::visibility::Visibility;
use super::{Age, EnvoyFilter, Finding, Indexes, delegate, http_entry, references};
use crate::plan::{At, Index, Origin, clamp};

/// Annotation of objects made from Gateway API or Ingress resources.
const ROUTE_SEMANTICS: &str = "internal.istio.io/route-semantics";

type Slice = (ObjectMeta, Arc<EndpointSlice>);

/// What is collected before the indexes are built.
#[derive(Debug, Default)]
pub struct Builder {
    services: Vec<(Arc<ObjectKey>, ObjectMeta, ServiceModel)>,
    slices: Vec<Slice>,
    pods: Pods,
    entries: Vec<(Arc<ObjectKey>, ObjectMeta, ServiceEntry)>,
    workloads: Vec<KnownWorkload>,
    virtual_services: Vec<(Arc<ObjectKey>, ObjectMeta, vs::VirtualService)>,
    rules: Vec<(Arc<ObjectKey>, ObjectMeta, RuleModel)>,
    gateways: Vec<(Arc<ObjectKey>, ObjectMeta, GatewayModel)>,
    sidecars: Vec<(Arc<ObjectKey>, ObjectMeta, SidecarModel)>,
    peers: Vec<(Arc<ObjectKey>, ObjectMeta, PeerAuthentication)>,
    filters: Vec<EnvoyFilter>,
}

macro_rules! collectors {
    ($($(#[$doc:meta])* $name:ident($model:ty) => $list:ident;)*) => { $(
        $(#[$doc])*
        pub fn $name(&mut self, key: Arc<ObjectKey>, meta: &ObjectMeta, model: &$model) {
            self.$list.push((key, meta.clone(), model.clone()));
        }
    )* };
}

impl Builder {
    collectors! {
        /// Adds a Kubernetes Service.
        service(ServiceModel) => services;
        /// Adds a ServiceEntry.
        service_entry(ServiceEntry) => entries;
        /// Adds a VirtualService.
        virtual_service(vs::VirtualService) => virtual_services;
        /// Adds a DestinationRule.
        destination_rule(RuleModel) => rules;
        /// Adds a Gateway.
        gateway(GatewayModel) => gateways;
        /// Adds a Sidecar.
        sidecar(SidecarModel) => sidecars;
        /// Adds a PeerAuthentication.
        peer_authentication(PeerAuthentication) => peers;
    }

    /// Adds an EndpointSlice.
    pub fn endpoint_slice(&mut self, meta: &ObjectMeta, slice: &EndpointSlice) {
        self.slices.push((meta.clone(), Arc::new(slice.clone())));
    }

    /// Adds a Pod.
    pub fn pod(&mut self, meta: &ObjectMeta, pod: &Pod) {
        self.pods.insert(meta, pod);
    }

    /// Adds an EnvoyFilter: who it is for, since what it does is not looked into.
    pub fn envoy_filter(&mut self, key: ObjectKey, selector: Labels) {
        self.filters.push(EnvoyFilter { key, selector });
    }

    /// Adds a WorkloadEntry.
    pub fn workload_entry(&mut self, meta: &ObjectMeta, entry: &WorkloadEntry) {
        self.workloads.push(KnownWorkload::new(meta, entry));
    }

    /// Builds the indexes. `domain` is the cluster's DNS domain, normally `cluster.local`.
    pub fn build(mut self, mesh: &MeshConfig, domain: &str) -> (Indexes, Vec<Finding>) {
        let mut findings = Vec::new();
        let root = Namespace::new(&mesh.root_namespace);
        let services = self.build_services(mesh, domain);
        let virtual_services = virtual_services(&self.virtual_services, mesh, domain, &mut findings);
        let rules = self
            .rules
            .iter()
            .map(|(key, meta, spec)| Arc::new(rule(key, meta, spec, mesh, domain)));
        let rules = DestinationRuleIndex::new(rules.collect(), root.clone());
        let mut gateways: Vec<Arc<Gateway>> = self
            .gateways
            .iter()
            .map(|(key, meta, spec)| Arc::new(gateway(key, meta, spec)))
            .collect();
        gateways.sort_by(|a, b| a.age.cmp(&b.age));
        let sidecars = self.sidecars.iter().map(|(key, meta, spec)| {
            Arc::new(Sidecar {
                key: Arc::clone(key),
                namespace: meta.namespace.clone(),
                age: Age::of(meta),
                selector: spec.workload_selector.as_ref().map(|s| s.labels.iter().collect()),
                spec: spec.clone(),
            })
        });
        let sidecars = SidecarIndex::new(sidecars.collect());
        let peer_authentication = self.build_peers(&root);
        let mut envoy_filters = std::mem::take(&mut self.filters);
        envoy_filters.sort_by(|a, b| a.key.cmp(&b.key));
        let indexes = Indexes {
            services,
            virtual_services,
            rules,
            gateways,
            sidecars,
            peer_authentication,
            envoy_filters,
        };
        references::dangling(&indexes, &mut findings);
        (indexes, findings)
    }

    fn build_services(&mut self, mesh: &MeshConfig, domain: &str) -> ServiceIndex {
        self.pods.sort();
        self.workloads
            .sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        self.slices
            .sort_by(|a, b| (&a.0.namespace, &a.0.name).cmp(&(&b.0.namespace, &b.0.name)));
        let trust_domain = trust_domain(mesh);
        let mut services: Vec<Service> = Vec::new();
        let mut by_service: BTreeMap<(Namespace, Text), Vec<Slice>> = BTreeMap::new();
        for (meta, slice) in &self.slices {
            if let Some(name) = meta.labels.get("kubernetes.io/service-name") {
                let key = (meta.namespace.clone(), Text::new(name));
                by_service
                    .entry(key)
                    .or_default()
                    .push((meta.clone(), Arc::clone(slice)));
            }
        }
        for (key, meta, model) in &self.services {
            let mut service = kubernetes::service(key, meta, model, domain, &mesh.default_service_export_to);
            let slices = by_service.get(&(meta.namespace.clone(), meta.name.clone()));
            let slices = slices.map_or(&[][..], Vec::as_slice);
            kubernetes::attach_endpoints(&mut service, model, slices, &self.pods, &trust_domain);
            services.push(service);
        }
        let workloads = Workloads {
            pods: &self.pods,
            entries: &self.workloads,
            trust_domain: &trust_domain,
        };
        for (key, meta, entry) in &self.entries {
            let default = &mesh.default_service_export_to;
            services.extend(service_entry::services(key, meta, entry, default, workloads));
        }
        ServiceIndex::new(services)
    }

    fn build_peers(&self, root: &Namespace) -> PeerAuthenticationIndex {
        let mut index = PeerAuthenticationIndex::new(root.clone());
        for (key, meta, spec) in &self.peers {
            // R-PA-1: a selector without labels counts as none.
            if spec
                .selector
                .as_ref()
                .is_some_and(|selector| !selector.match_labels.is_empty())
            {
                continue;
            }
            let mode = spec.mtls.as_ref().map_or(MutualTlsMode::Unset, |mtls| mtls.mode);
            index.insert(meta.namespace.clone(), Age::of(meta), mode, Arc::clone(key));
        }
        index
    }
}

/// The mesh's trust domain; one that is not valid falls back to `cluster.local`, since identities need one.
fn trust_domain(mesh: &MeshConfig) -> TrustDomain {
    mesh.trust_domain
        .parse()
        .unwrap_or_else(|_| TrustDomain::istio_default())
}

fn rule(
    key: &Arc<ObjectKey>,
    meta: &ObjectMeta,
    spec: &RuleModel,
    mesh: &MeshConfig,
    domain: &str,
) -> DestinationRule {
    let selector = spec
        .workload_selector
        .as_ref()
        .map(|s| Arc::new(s.match_labels.iter().collect::<Labels>()));
    let export_to = match &selector {
        Some(_) => std::iter::once(Text::new(".")).collect(),
        None => spec.export_to.iter().map(Text::from).collect(),
    };
    let own = meta.namespace.as_str();
    let export_list: Vec<&str> = match &selector {
        Some(_) => vec!["."],
        None => spec.export_to.iter().map(String::as_str).collect(),
    };
    let private = match export_list.as_slice() {
        [] => mesh
            .default_destination_rule_export_to
            .iter()
            .any(|token| token == "."),
        [one] => *one == "." || *one == own,
        _ => false,
    };
    DestinationRule {
        key: Arc::clone(key),
        namespace: meta.namespace.clone(),
        age: Age::of(meta),
        host: Host::new(spec.host.as_str()).resolve(own, domain),
        export_to,
        private,
        selector,
        spec: spec.clone(),
    }
}

fn gateway(key: &Arc<ObjectKey>, meta: &ObjectMeta, spec: &GatewayModel) -> Gateway {
    let servers = spec.servers.iter().enumerate().filter_map(|(position, server)| {
        let port = server.port.as_ref()?;
        Some(Server {
            position,
            port: u16::try_from(port.number).ok()?,
            port_name: Text::new(&port.name),
            protocol: Protocol::parse(&port.protocol),
            protocol_text: Text::new(&port.protocol),
            bind: Text::new(&server.bind),
            name: Text::new(&server.name),
            hosts: Server::resolve_hosts(&server.hosts, &meta.namespace),
            tls: server.tls.as_deref().cloned(),
        })
    });
    Gateway {
        key: Arc::clone(key),
        reference: GatewayRef::resolve(&meta.name, meta.namespace.as_str()),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        age: Age::of(meta),
        selector: (!spec.selector.is_empty()).then(|| spec.selector.iter().collect()),
        services: meta
            .annotation(Gateway::SERVICES)
            .map(|hosts| hosts.split(',').map(|host| Host::new(host.trim())).collect()),
        servers: servers.collect(),
    }
}

type Written = (Arc<ObjectKey>, ObjectMeta, vs::VirtualService);

/// Resolves all VirtualServices and merges delegates into their roots.
fn virtual_services(
    written: &[Written],
    mesh: &MeshConfig,
    domain: &str,
    findings: &mut Vec<Finding>,
) -> VirtualServiceIndex {
    let resolve = |(key, meta, spec): &Written| resolve_virtual_service(key, meta, spec, mesh, domain);
    let resolved: Vec<VirtualService> = written.iter().map(resolve).collect();
    let delegates: BTreeMap<(&Namespace, &Text), &VirtualService> = resolved
        .iter()
        .filter(|service| service.hosts.is_empty())
        .map(|service| ((&service.namespace, &service.key.name), service))
        .collect();
    let roots = resolved.iter().filter(|service| !service.hosts.is_empty());
    let merged = roots.map(|root| Arc::new(merge_delegates(root, &delegates, findings)));
    VirtualServiceIndex::new(merged.collect())
}

fn merge_delegates(
    root: &VirtualService,
    delegates: &BTreeMap<(&Namespace, &Text), &VirtualService>,
    findings: &mut Vec<Finding>,
) -> VirtualService {
    let delegates_apply = root.semantics == Semantics::Istio;
    if !delegates_apply || root.http.iter().all(|entry| entry.route.delegate.is_none()) {
        return root.clone();
    }
    let mut http = Vec::new();
    for entry in &root.http {
        let Some(reference) = &entry.route.delegate else {
            http.push(entry.clone());
            continue;
        };
        let namespace = match reference.namespace.as_str() {
            "" => root.namespace.clone(),
            name => Namespace::new(name),
        };
        let name = Text::new(&reference.name);
        let at = At::HttpRule {
            entry: entry.entry,
            matching: Index::NONE,
        };
        let finding = |reason: String| Finding {
            object: Arc::clone(&root.key),
            path: http_entry(entry.entry),
            rule: "R-DEL-2",
            reason,
        };
        let Some(delegate) = delegates.get(&(&namespace, &name)) else {
            findings.push(finding(format!(
                "no delegate VirtualService `{namespace}/{name}`"
            )));
            continue;
        };
        if !delegate.visibility.allows(&root.namespace) {
            let reason = format!(
                "delegate `{namespace}/{name}` is not exported to `{}`",
                root.namespace
            );
            findings.push(finding(reason));
            continue;
        }
        let parent = Origin::new(Arc::clone(&root.key), at);
        for leaf in &delegate.http {
            match delegate::merge_route(&entry.route, &leaf.route) {
                Ok((route, positions, from_root)) => http.push(HttpEntry {
                    route,
                    object: Arc::clone(&leaf.object),
                    entry: leaf.entry,
                    match_positions: positions
                        .into_iter()
                        .map(|at| at.map_or(Index::NONE, Index::some))
                        .collect(),
                    parent: Some(parent.clone()),
                    from_root,
                }),
                Err(conflict) => findings.push(Finding {
                    object: Arc::clone(&leaf.object),
                    path: http_entry(leaf.entry),
                    rule: "R-DEL-3",
                    reason: format!("its match conflicts with the root's on `{}`", conflict.field),
                }),
            }
        }
    }
    VirtualService { http, ..root.clone() }
}

fn resolve_virtual_service(
    key: &Arc<ObjectKey>,
    meta: &ObjectMeta,
    spec: &vs::VirtualService,
    mesh: &MeshConfig,
    domain: &str,
) -> VirtualService {
    let namespace = meta.namespace.as_str();
    let semantics = match meta.annotation(ROUTE_SEMANTICS) {
        Some("gateway") => Semantics::GatewayApi,
        Some("ingress") => Semantics::Ingress,
        _ => Semantics::Istio,
    };
    let names = Names {
        namespace,
        domain,
        resolve: semantics != Semantics::GatewayApi,
    };
    let gateways: Vec<GatewayRef> = match spec.gateways.as_slice() {
        [] => vec![GatewayRef::Mesh],
        list => list
            .iter()
            .map(|text| GatewayRef::resolve(text, namespace))
            .collect(),
    };
    let http = spec.http.iter().enumerate().map(|(at, route)| HttpEntry {
        route: names.http(route),
        object: Arc::clone(key),
        entry: clamp(at),
        match_positions: (0..route.matches.len()).map(Index::some).collect(),
        parent: None,
        from_root: FromRoot::default(),
    });
    VirtualService {
        key: Arc::clone(key),
        namespace: meta.namespace.clone(),
        age: Age::of(meta),
        hosts: spec.hosts.iter().map(|host| names.host(host)).collect(),
        gateways,
        visibility: Visibility::of_virtual_service(
            &spec.export_to,
            &mesh.default_virtual_service_export_to,
            &meta.namespace,
        ),
        semantics,
        http: http.collect(),
        tls: spec.tls.iter().map(|route| names.tls(route)).collect(),
        tcp: spec.tcp.iter().map(|route| names.tcp(route)).collect(),
    }
}

/// Resolves names in the namespace of their object.
struct Names<'a> {
    namespace: &'a str,
    domain: &'a str,
    /// Whether short hosts are completed; not with gateway semantics (R-NAME-1).
    resolve: bool,
}

impl Names<'_> {
    fn host(&self, text: &str) -> Host {
        let host = Host::new(text);
        if self.resolve {
            host.resolve(self.namespace, self.domain)
        } else {
            host
        }
    }

    fn destination(&self, destination: &mut vs::Destination) {
        destination.host = self.host(&destination.host).to_string();
    }

    fn gateways(&self, gateways: &mut [String]) {
        for text in gateways {
            *text = GatewayRef::resolve(text, self.namespace).to_string();
        }
    }

    fn http(&self, route: &vs::HttpRoute) -> vs::HttpRoute {
        let mut route = route.clone();
        for target in &mut route.route {
            target
                .destination
                .iter_mut()
                .for_each(|destination| self.destination(destination));
        }
        route
            .mirror
            .iter_mut()
            .for_each(|destination| self.destination(destination));
        for mirror in &mut route.mirrors {
            mirror
                .destination
                .iter_mut()
                .for_each(|destination| self.destination(destination));
        }
        route
            .matches
            .iter_mut()
            .for_each(|matching| self.gateways(&mut matching.gateways));
        route
    }

    fn tls(&self, route: &vs::TlsRoute) -> vs::TlsRoute {
        let mut route = route.clone();
        route
            .matches
            .iter_mut()
            .for_each(|matching| self.gateways(&mut matching.gateways));
        self.l4(&mut route.route);
        route
    }

    fn tcp(&self, route: &vs::TcpRoute) -> vs::TcpRoute {
        let mut route = route.clone();
        route
            .matches
            .iter_mut()
            .for_each(|matching| self.gateways(&mut matching.gateways));
        self.l4(&mut route.route);
        route
    }

    fn l4(&self, targets: &mut [vs::RouteDestination]) {
        for target in targets {
            target
                .destination
                .iter_mut()
                .for_each(|destination| self.destination(destination));
        }
    }
}
