//! What a sidecar sees (R-SC).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mesh_api::mesh::MeshConfig;
use mesh_api::names::{GatewayRef, Host, Namespace, Protocol, Text};
use mesh_api::networking as model;
use mesh_api::object::ObjectKey;

use super::hosts::EgressHosts;
use crate::plan::{At, MeshField, Origin, ProxyFacts, RuleId, clamp};
use crate::snapshot::Indexes;
use crate::snapshot::service::{Service, ServicePort};
use crate::snapshot::sidecar::Sidecar;
use crate::snapshot::virtual_service::{HttpEntry, VirtualService};
use crate::trace::{Event, EventKind, Recorder, ServiceExclusion, SidecarSource};

/// What a sidecar sees.
#[derive(Clone, Debug)]
pub struct SidecarScope {
    /// The proxy.
    pub facts: Arc<ProxyFacts>,
    /// The Sidecar that applies; `None`: everything is imported.
    pub sidecar: Option<Arc<Sidecar>>,
    /// Egress listeners, in order; at least one.
    pub listeners: Vec<EgressScope>,
    /// All services, first those of the listeners, then those that only VirtualServices name.
    pub services: Vec<Arc<Service>>,
    by_host: BTreeMap<Host, Arc<Service>>,
    /// What becomes of traffic to unknown destinations.
    pub outbound: OutboundPolicy,
}

/// One egress listener.
#[derive(Clone, Debug)]
pub struct EgressScope {
    /// Where it stands.
    pub origin: Origin,
    /// Its port; `None`: it catches all.
    pub port: Option<EgressPort>,
    /// The address it binds; empty: decided by protocol.
    pub bind: Text,
    /// Whether it has its own socket because traffic is not captured.
    pub uncaptured: bool,
    /// Services, in order (R-ORD-3).
    pub services: Vec<Arc<Service>>,
    /// VirtualServices, in order (R-ORD-4).
    pub virtual_services: Vec<Arc<VirtualService>>,
}

/// The port of an egress listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EgressPort {
    /// Number; 0 with a Unix socket.
    pub number: u16,
    /// What is spoken.
    pub protocol: Protocol,
}

/// What becomes of traffic to unknown destinations (R-SC-10).
#[derive(Clone, Debug, PartialEq)]
pub struct OutboundPolicy {
    /// What is done.
    pub mode: OutboundMode,
    /// Who says so.
    pub origin: Origin,
}

/// Modes of the outbound traffic policy.
#[derive(Clone, Debug, PartialEq)]
pub enum OutboundMode {
    /// It is dropped.
    RegistryOnly,
    /// It goes where the client wanted, or to an egress proxy.
    AllowAny {
        /// Where it goes instead.
        egress_proxy: Option<model::Destination>,
    },
    /// It goes where DNS says.
    DynamicDns,
}

impl SidecarScope {
    /// Finds out what the sidecar sees.
    pub fn new(
        facts: Arc<ProxyFacts>,
        indexes: &Indexes,
        mesh: &MeshConfig,
        recorder: &mut impl Recorder,
    ) -> Self {
        let root = Namespace::new(&mesh.root_namespace);
        let sidecar = indexes
            .sidecars
            .select(&facts.namespace, &facts.labels, &root)
            .cloned();
        record_sidecar(sidecar.as_ref(), &facts, recorder);
        let visible = Visible {
            services: indexes.services.visible_to(&facts.namespace),
            virtual_services: indexes
                .virtual_services
                .visible(&facts.namespace, &GatewayRef::Mesh),
            indexes,
            facts: &facts,
        };
        let spec = sidecar.as_ref().map(|sidecar| (&sidecar.key, &sidecar.spec));
        let listeners = match spec {
            Some((key, spec)) if !spec.egress.is_empty() => {
                let one = |(at, egress)| visible.listener(key, at, egress, recorder);
                spec.egress.iter().enumerate().map(one).collect()
            }
            _ => vec![visible.catch_all()],
        };
        let outbound = outbound_policy(spec, mesh);
        let (services, by_host) = visible.all_services(&listeners);
        Self {
            facts,
            sidecar,
            listeners,
            services,
            by_host,
            outbound,
        }
    }

    /// The service of that hostname, whatever listener it is from.
    pub fn service(&self, host: &Host) -> Option<&Arc<Service>> {
        self.by_host.get(host)
    }

    /// The listener that a request to `port` belongs to: the first that catches all or has the port (R-SC-9).
    pub fn listener_for(&self, port: u16) -> Option<&EgressScope> {
        self.listeners
            .iter()
            .find(|listener| listener.port.is_none_or(|own| own.number == port))
    }
}

fn record_sidecar(sidecar: Option<&Arc<Sidecar>>, facts: &ProxyFacts, recorder: &mut impl Recorder) {
    recorder.record(|| match sidecar {
        None => Event::new(
            "R-SC-1",
            Origin::at(At::Default(RuleId::ServiceRoute)),
            EventKind::SidecarSelected {
                source: SidecarSource::Default,
            },
        ),
        Some(sidecar) => {
            let source = match (&sidecar.selector, sidecar.namespace == facts.namespace) {
                (Some(_), _) => SidecarSource::Selector,
                (None, true) => SidecarSource::Namespace,
                (None, false) => SidecarSource::Root,
            };
            let origin = Origin::new(Arc::clone(&sidecar.key), At::Object);
            Event::new("R-SC-1", origin, EventKind::SidecarSelected { source })
        }
    });
}

fn outbound_policy(sidecar: Option<(&Arc<ObjectKey>, &model::Sidecar)>, mesh: &MeshConfig) -> OutboundPolicy {
    use mesh_api::mesh::OutboundTrafficPolicyMode as MeshMode;
    use model::OutboundTrafficPolicyMode as Mode;
    if let Some((key, policy)) =
        sidecar.and_then(|(key, spec)| Some((key, spec.outbound_traffic_policy.as_ref()?)))
    {
        let mode = match policy.mode {
            Mode::AllowAny => OutboundMode::AllowAny {
                egress_proxy: policy.egress_proxy.clone(),
            },
            // quirk R-SC-10: a block without a mode is REGISTRY_ONLY.
            _ => OutboundMode::RegistryOnly,
        };
        return OutboundPolicy {
            mode,
            origin: Origin::new(Arc::clone(key), At::Object),
        };
    }
    let mode = match mesh.outbound_traffic_policy.mode {
        MeshMode::AllowAny => OutboundMode::AllowAny { egress_proxy: None },
        MeshMode::AllowAnyDynamicDns => OutboundMode::DynamicDns,
        _ => OutboundMode::RegistryOnly,
    };
    OutboundPolicy {
        mode,
        origin: Origin::at(At::Mesh(MeshField::OutboundTrafficPolicy)),
    }
}

/// What is exported to the proxy's namespace, before any Sidecar narrows it.
struct Visible<'a> {
    services: Vec<Arc<Service>>,
    virtual_services: Vec<Arc<VirtualService>>,
    indexes: &'a Indexes,
    facts: &'a ProxyFacts,
}

impl Visible<'_> {
    fn catch_all(&self) -> EgressScope {
        EgressScope {
            origin: Origin::at(At::Default(RuleId::ServiceRoute)),
            port: None,
            bind: Text::default(),
            uncaptured: false,
            services: self.one_per_host(self.services.clone(), &mut ()),
            virtual_services: self.virtual_services.clone(),
        }
    }

    fn listener(
        &self,
        key: &Arc<ObjectKey>,
        position: usize,
        egress: &model::IstioEgressListener,
        recorder: &mut impl Recorder,
    ) -> EgressScope {
        let hosts = EgressHosts::parse(&egress.hosts, &self.facts.namespace);
        let port = egress.port.as_ref().map(|port| EgressPort {
            number: u16::try_from(port.number).unwrap_or(0),
            protocol: Protocol::parse(&port.protocol),
        });
        let trim = port.filter(|port| port.number != 0 && port.protocol != Protocol::HttpProxy);
        let mut services = Vec::new();
        for service in &self.services {
            let subject = || Origin::new(Arc::clone(&service.key), At::Object);
            let excluded = |reason| EventKind::ServiceExcluded {
                host: service.host.clone(),
                namespace: service.namespace.clone(),
                reason,
            };
            let Some(aliases) = hosts.import_service(service) else {
                recorder.record(|| {
                    let reason = match hosts.excludes(&service.host, &service.namespace) {
                        true => ServiceExclusion::ExcludedByHost,
                        false => ServiceExclusion::NotInEgressHosts,
                    };
                    Event::new("R-SC-4", subject(), excluded(reason))
                });
                continue;
            };
            let service = if aliases.len() == service.aliases.len() {
                Arc::clone(service)
            } else {
                Arc::new(Service {
                    aliases,
                    ..Service::clone(service)
                })
            };
            // R-SC-6
            match trim {
                None => services.push(service),
                Some(port) => match service.trimmed(|own| own.number == port.number) {
                    Some(trimmed) => services.push(trimmed),
                    None => recorder.record(|| {
                        Event::new(
                            "R-SC-6",
                            subject(),
                            excluded(ServiceExclusion::PortNotOwned(port.number)),
                        )
                    }),
                },
            }
        }
        if hosts.is_all_exact() {
            services.sort_by(|a, b| a.age.cmp(&b.age));
        }
        let virtual_services = self
            .virtual_services
            .iter()
            .filter(|vs| hosts.imports_virtual_service(vs))
            .cloned()
            .collect();
        EgressScope {
            origin: Origin::new(Arc::clone(key), At::EgressListener(clamp(position))),
            port,
            bind: Text::new(&egress.bind),
            uncaptured: egress.capture_mode == model::CaptureMode::None,
            services: self.one_per_host(services, recorder),
            virtual_services,
        }
    }

    /// Keeps the services of one namespace per hostname: the proxy's own, else that of the first Kubernetes service,
    /// else that of the first one (R-SC-7).
    fn one_per_host(&self, services: Vec<Arc<Service>>, recorder: &mut impl Recorder) -> Vec<Arc<Service>> {
        let mut chosen: BTreeMap<&Host, &Arc<Service>> = BTreeMap::new();
        for service in &services {
            let rank = |s: &Service| (s.namespace != self.facts.namespace, !s.is_kubernetes());
            let held = chosen.entry(&service.host).or_insert(service);
            if rank(service) < rank(held) {
                *held = service;
            }
        }
        let keep: Vec<bool> = services
            .iter()
            .map(|s| {
                chosen
                    .get(&s.host)
                    .is_none_or(|held| held.namespace == s.namespace)
            })
            .collect();
        drop(chosen);
        let zipped = services.into_iter().zip(keep);
        zipped
            .filter_map(|(service, kept)| {
                if !kept {
                    recorder.record(|| {
                        let kind = EventKind::ServiceExcluded {
                            host: service.host.clone(),
                            namespace: service.namespace.clone(),
                            reason: ServiceExclusion::SameHostOtherNamespace(self.facts.namespace.clone()),
                        };
                        Event::new("R-SC-7", Origin::new(Arc::clone(&service.key), At::Object), kind)
                    });
                }
                kept.then_some(service)
            })
            .collect()
    }

    /// All services of the listeners, united by hostname, and the destinations of VirtualServices (R-SC-8, R-SVC-4).
    fn all_services(&self, listeners: &[EgressScope]) -> (Vec<Arc<Service>>, BTreeMap<Host, Arc<Service>>) {
        let mut order: Vec<Host> = Vec::new();
        let mut by_host: BTreeMap<Host, Arc<Service>> = BTreeMap::new();
        for listener in listeners {
            for service in &listener.services {
                add_service(&mut order, &mut by_host, service);
            }
            let listed: BTreeSet<&Host> = listener.services.iter().map(|service| &service.host).collect();
            for (host, ports) in destinations(listener, self.facts) {
                if listed.contains(&host) {
                    continue;
                }
                let Some(found) = self.lookup(&host) else { continue };
                let trimmed = match listener.port.filter(|p| p.number != 0) {
                    Some(port) => found.trimmed(|own| own.number == port.number),
                    None if ports.contains(&0) => Some(found),
                    None => found.trimmed(|own: &ServicePort| ports.contains(&u32::from(own.number))),
                };
                if let Some(service) = trimmed {
                    add_service(&mut order, &mut by_host, &service);
                }
            }
        }
        let services = order
            .iter()
            .filter_map(|host| by_host.get(host))
            .cloned()
            .collect();
        (services, by_host)
    }

    /// A service by name: in the proxy's namespace, visible or not; else a visible Kubernetes service; else the oldest
    /// visible one (R-SC-8).
    fn lookup(&self, host: &Host) -> Option<Arc<Service>> {
        let all = self.indexes.services.by_host(host);
        let seen = || {
            all.iter()
                .filter(|s| s.direct_visibility.allows(&self.facts.namespace))
        };
        let own = all
            .iter()
            .find(|service| service.namespace == self.facts.namespace);
        own.or_else(|| seen().find(|service| service.is_kubernetes()))
            .or_else(|| seen().next())
            .cloned()
    }
}

/// Adds a service unless one of its name is there: a Kubernetes one replaces an external one (R-SVC-1), and copies of
/// one service are united port by port (R-SVC-4).
fn add_service(order: &mut Vec<Host>, by_host: &mut BTreeMap<Host, Arc<Service>>, service: &Arc<Service>) {
    let Some(held) = by_host.get_mut(&service.host) else {
        order.push(service.host.clone());
        by_host.insert(service.host.clone(), Arc::clone(service));
        return;
    };
    if Arc::ptr_eq(held, service) {
        return;
    }
    if service.is_kubernetes() && !held.is_kubernetes() {
        *held = Arc::clone(service);
        return;
    }
    let same = held.key == service.key && held.resolution == service.resolution;
    if same {
        let missing: Vec<ServicePort> = service
            .ports
            .iter()
            .filter(|port| held.port(port.number).is_none())
            .cloned()
            .collect();
        if !missing.is_empty() {
            let united = Arc::make_mut(held);
            united.ports.extend(missing);
            united.ports.sort_by_key(|port| port.position);
        }
    }
}

/// Hosts that the VirtualServices of a listener send to, with the ports they name; 0 stands for all ports (R-SC-8).
fn destinations(listener: &EgressScope, facts: &ProxyFacts) -> BTreeMap<Host, BTreeSet<u32>> {
    let mut found: BTreeMap<Host, BTreeSet<u32>> = BTreeMap::new();
    let mut add = |destination: Option<&model::Destination>| {
        if let Some(destination) = destination {
            let port = destination.port.as_ref().map_or(0, |port| port.number);
            found
                .entry(Host::new(destination.host.as_str()))
                .or_default()
                .insert(port);
        }
    };
    for service in &listener.virtual_services {
        for HttpEntry { route, .. } in service.http.iter().filter(|entry| !is_foreign(entry, facts)) {
            route
                .route
                .iter()
                .for_each(|target| add(target.destination.as_ref()));
            add(route.mirror.as_deref());
            route
                .mirrors
                .iter()
                .for_each(|mirror| add(mirror.destination.as_ref()));
        }
        let tls = service.tls.iter().flat_map(|route| &route.route);
        let tcp = service.tcp.iter().flat_map(|route| &route.route);
        tls.chain(tcp).for_each(|target| add(target.destination.as_ref()));
    }
    found
}

/// Whether an entry is left out: a match has a foreign source namespace and none has the proxy's own (R-SC-8, quirk).
fn is_foreign(entry: &HttpEntry, facts: &ProxyFacts) -> bool {
    let named = || {
        entry
            .route
            .matches
            .iter()
            .map(|m| m.source_namespace.as_str())
            .filter(|ns| !ns.is_empty())
    };
    named().any(|ns| facts.namespace != ns) && !named().any(|ns| facts.namespace == ns)
}
