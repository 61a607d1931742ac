//! Services and endpoints from Kubernetes objects.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use mesh_api::kubernetes::Pod;
use mesh_api::kubernetes::{Endpoint as SliceEndpoint, EndpointSlice};
use mesh_api::kubernetes::{
    InternalTrafficPolicy, Service as ServiceModel, ServicePort as PortModel, ServiceType,
};
use mesh_api::meta::ObjectMeta;
use mesh_api::names::{Host, Labels, Namespace, Protocol, Text};
use mesh_api::object::ObjectKey;
use mesh_api::scalar::IntOrString;
use mesh_ca::{SpiffeId, TrustDomain};

use super::Age;
use super::service::{Resolution, Service, ServicePort, TrafficDistribution};
use super::visibility::Visibility;
use crate::plan::{Address, Endpoint, Health, Locality, Registry, TlsCapability};

/// Annotation by which a Service is exported to some namespaces only.
const EXPORT_TO: &str = "networking.istio.io/exportTo";
/// Label of a pod that has a sidecar.
const TLS_MODE: &str = "security.istio.io/tlsMode";
/// Label by which an EndpointSlice names its Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// What is read of a cluster's pods, by address and by name.
#[derive(Debug, Default)]
pub(super) struct Pods {
    pods: Vec<Arc<KnownPod>>,
    by_address: BTreeMap<IpAddr, Arc<KnownPod>>,
}

/// A pod, as far as endpoints tell of it.
#[derive(Debug)]
pub(super) struct KnownPod {
    name: Text,
    namespace: Namespace,
    labels: Arc<Labels>,
    account: String,
    node: Text,
    addresses: Vec<IpAddr>,
    ports: Vec<(String, u16)>,
    ready: bool,
}

impl Pods {
    /// Adds a pod. One without an address yet, or that has ended, has no endpoints.
    pub(super) fn insert(&mut self, meta: &ObjectMeta, pod: &Pod) {
        use mesh_api::kubernetes::PodPhase::{Failed, Succeeded};
        if matches!(pod.status.phase, Failed | Succeeded) {
            return;
        }
        let listed = pod.status.pod_ips.iter().map(|entry| entry.ip.as_str());
        let mut addresses: Vec<IpAddr> = [pod.status.pod_ip.as_str()]
            .into_iter()
            .chain(listed)
            .filter_map(|ip| ip.parse().ok())
            .collect();
        addresses.dedup();
        let account = match pod.spec.service_account_name.as_str() {
            "" => "default",
            name => name,
        };
        let containers = pod.spec.containers.iter().chain(&pod.spec.init_containers);
        let ports = containers
            .flat_map(|container| &container.ports)
            .filter_map(|port| Some((port.name.clone(), u16::try_from(port.container_port).ok()?)))
            .collect();
        let pod = Arc::new(KnownPod {
            name: meta.name.clone(),
            namespace: meta.namespace.clone(),
            labels: Arc::new(meta.labels.clone()),
            account: account.to_owned(),
            node: Text::new(&pod.spec.node_name),
            addresses,
            ports,
            ready: pod.status.conditions.is_empty() || pod.status.is_ready(),
        });
        for address in &pod.addresses {
            self.by_address
                .entry(*address)
                .or_insert_with(|| Arc::clone(&pod));
        }
        self.pods.push(pod);
    }

    /// Pods of a namespace that have all of `labels`, in order of name.
    pub(super) fn select<'a>(
        &'a self,
        namespace: &'a Namespace,
        labels: &'a Labels,
    ) -> impl Iterator<Item = &'a Arc<KnownPod>> {
        self.pods
            .iter()
            .filter(move |pod| pod.namespace == *namespace && labels.is_subset_of(&pod.labels))
    }

    /// Puts the pods in order of name.
    pub(super) fn sort(&mut self) {
        self.pods
            .sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    }
}

impl KnownPod {
    /// The number of a target port: given, named by a container, or the service port itself.
    fn target(&self, port: &PortModel, service_port: u16) -> Option<u16> {
        match &port.target_port {
            None => Some(service_port),
            Some(IntOrString::Int(0)) => Some(service_port),
            Some(IntOrString::Int(number)) => u16::try_from(*number).ok(),
            Some(IntOrString::String(name)) => self
                .ports
                .iter()
                .find(|(port, _)| port.as_str() == name.as_str())
                .map(|(_, number)| *number),
        }
    }

    /// The endpoint of the pod that serves a port.
    pub(super) fn endpoint(&self, port_name: &Text, port: u16, trust_domain: &TrustDomain) -> Endpoint {
        Endpoint {
            addresses: self.addresses.iter().copied().map(Address::Ip).collect(),
            port,
            port_name: port_name.clone(),
            health: if self.ready {
                Health::Healthy
            } else {
                Health::Unhealthy
            },
            tls: tls_of(&self.labels),
            identity: SpiffeId::istio(trust_domain, self.namespace.as_str(), &self.account).ok(),
            network: label(&self.labels, "topology.istio.io/network"),
            cluster_id: Text::default(),
            locality: locality_of(&self.labels),
            node: self.node.clone(),
            weight: 1,
            workload: self.name.clone(),
            namespace: self.namespace.clone(),
            labels: Arc::clone(&self.labels),
        }
    }
}

fn label(labels: &Labels, key: &str) -> Text {
    labels.get(key).map(Text::new).unwrap_or_default()
}

/// Whether a workload with these labels terminates mesh TLS.
pub(super) fn tls_of(labels: &Labels) -> TlsCapability {
    if labels.get(TLS_MODE) == Some("istio") {
        TlsCapability::Istio
    } else {
        TlsCapability::Disabled
    }
}

/// The locality that labels tell of: topology labels, else `istio-locality` with dots for slashes (X-IN-10).
pub(super) fn locality_of(labels: &Labels) -> Locality {
    let locality = Locality {
        region: label(labels, "topology.kubernetes.io/region"),
        zone: label(labels, "topology.kubernetes.io/zone"),
        subzone: label(labels, "topology.istio.io/subzone"),
    };
    match labels.get("istio-locality") {
        Some(text) if locality.is_empty() => Locality::parse(&text.replace('.', "/")),
        _ => locality,
    }
}

/// Reads a Kubernetes Service; its endpoints come with [`attach_endpoints`].
pub(super) fn service(
    key: &Arc<ObjectKey>,
    meta: &ObjectMeta,
    model: &ServiceModel,
    domain: &str,
    default_export_to: &[String],
) -> Service {
    let spec = &model.spec;
    let host = |name: &str, namespace: &str| Host::from(format!("{name}.{namespace}.svc.{domain}"));
    let headless = spec.cluster_ip == "None";
    let is_alias = spec.r#type == ServiceType::ExternalName;
    let resolution = match () {
        () if is_alias => Resolution::Alias(Host::new(spec.external_name.trim_end_matches('.'))),
        () if headless => Resolution::Passthrough,
        () => Resolution::ClientSide,
    };
    let addresses = [&spec.cluster_ip].into_iter().chain(&spec.cluster_ips);
    let mut addresses: Vec<IpNet> = addresses
        .filter_map(|text| text.parse::<IpAddr>().ok())
        .map(IpNet::from)
        .collect();
    addresses.dedup();
    let export_to = export_tokens(meta.annotation(EXPORT_TO), default_export_to);
    Service {
        host: host(&meta.name, meta.namespace.as_str()),
        name: meta.name.clone(),
        namespace: meta.namespace.clone(),
        registry: Registry::Kubernetes,
        resolution,
        external: is_alias,
        ports: spec
            .ports
            .iter()
            .enumerate()
            .filter_map(|(at, port)| service_port(at, port))
            .collect(),
        addresses,
        labels: Arc::new(meta.labels.clone()),
        selector: (!spec.selector.is_empty()).then(|| Arc::new(spec.selector.iter().collect())),
        visibility: Visibility::of_service(&export_to, &meta.namespace),
        direct_visibility: Visibility::direct_of_service(&export_to, &meta.namespace),
        age: Age::of(meta),
        aliases: Vec::new(),
        publish_not_ready: spec.publish_not_ready_addresses,
        node_local: spec.internal_traffic_policy == InternalTrafficPolicy::Local,
        distribution: distribution(&spec.traffic_distribution),
        subject_alt_names: Vec::new(),
        key: Arc::clone(key),
        endpoints: Vec::new(),
    }
}

/// Splits an exportTo annotation; without one the mesh default counts.
fn export_tokens(annotation: Option<&str>, default: &[String]) -> Vec<Text> {
    match annotation {
        Some(text) if !text.trim().is_empty() => {
            text.split(',').map(|token| Text::new(token.trim())).collect()
        }
        _ => default.iter().map(Text::from).collect(),
    }
}

fn distribution(text: &str) -> TrafficDistribution {
    match text {
        "PreferClose" | "PreferSameZone" => TrafficDistribution::PreferSameZone,
        "PreferSameNode" => TrafficDistribution::PreferSameNode,
        _ => TrafficDistribution::Any,
    }
}

fn service_port(position: usize, port: &PortModel) -> Option<ServicePort> {
    let number = u16::try_from(port.port).ok()?;
    let transport = mesh_api::names::Transport::parse(&port.protocol);
    let protocol = Protocol::for_service_port(&port.name, port.app_protocol.as_deref(), transport, number);
    let target = match &port.target_port {
        Some(IntOrString::Int(target)) if *target != 0 => u16::try_from(*target).ok(),
        Some(IntOrString::String(_)) => None,
        _ => Some(number),
    };
    Some(ServicePort {
        number,
        name: Text::new(&port.name),
        protocol,
        target,
        position,
    })
}

/// Fills the endpoints of a Service: from its EndpointSlices, or, where none is known, from the pods that it selects.
pub(super) fn attach_endpoints(
    service: &mut Service,
    model: &ServiceModel,
    slices: &[(ObjectMeta, Arc<EndpointSlice>)],
    pods: &Pods,
    trust_domain: &TrustDomain,
) {
    let own = slices.iter().filter(|(meta, _)| {
        meta.namespace == service.namespace && meta.labels.get(SERVICE_NAME) == Some(service.name.as_str())
    });
    let mut any = false;
    for (_, slice) in own {
        any = true;
        for endpoint in &slice.endpoints {
            for port in &slice.ports {
                let number = port
                    .port
                    .and_then(|number| u16::try_from(number).ok())
                    .unwrap_or(0);
                let made = slice_endpoint(
                    service,
                    endpoint,
                    &Text::new(&port.name),
                    number,
                    pods,
                    trust_domain,
                );
                service.endpoints.extend(made.map(Arc::new));
            }
        }
    }
    let Some(selector) = service.selector.clone().filter(|_| !any) else {
        return;
    };
    for port in &model.spec.ports {
        let Ok(number) = u16::try_from(port.port) else {
            continue;
        };
        let name = Text::new(&port.name);
        for pod in pods
            .select(&service.namespace, &selector)
            .filter(|pod| !pod.addresses.is_empty())
        {
            if let Some(target) = pod.target(port, number) {
                service
                    .endpoints
                    .push(Arc::new(pod.endpoint(&name, target, trust_domain)));
            }
        }
    }
}

fn slice_endpoint(
    service: &Service,
    endpoint: &SliceEndpoint,
    port_name: &Text,
    port: u16,
    pods: &Pods,
    trust_domain: &TrustDomain,
) -> Option<Endpoint> {
    let addresses: Vec<IpAddr> = endpoint
        .addresses
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let first = addresses.first()?;
    let conditions = &endpoint.conditions;
    let health = match (conditions.ready, conditions.serving, conditions.terminating) {
        _ if service.publish_not_ready => Health::Healthy,
        (Some(true) | None, _, _) => Health::Healthy,
        (_, Some(true), Some(true)) => Health::Draining,
        (_, _, Some(true)) => Health::Terminating,
        _ => Health::Unhealthy,
    };
    let mut made = match pods.by_address.get(first) {
        Some(pod) => pod.endpoint(port_name, port, trust_domain),
        None => Endpoint {
            addresses: Box::default(),
            port,
            port_name: port_name.clone(),
            health,
            tls: TlsCapability::Disabled,
            identity: None,
            network: Text::default(),
            cluster_id: Text::default(),
            locality: Locality::default(),
            node: endpoint.node_name.as_deref().map(Text::new).unwrap_or_default(),
            weight: 1,
            workload: endpoint
                .target_ref
                .as_ref()
                .map(|target| Text::new(&target.name))
                .unwrap_or_default(),
            namespace: service.namespace.clone(),
            labels: Arc::default(),
        },
    };
    made.addresses = addresses.into_iter().map(Address::Ip).collect();
    made.health = health;
    if let (true, Some(zone)) = (made.locality.zone.as_str().is_empty(), &endpoint.zone) {
        made.locality.zone = Text::new(zone);
    }
    Some(made)
}
