//! Services and endpoints from ServiceEntries.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use mesh_api::meta::ObjectMeta;
use mesh_api::names::{Host, Labels, Namespace, Protocol, Text};
use mesh_api::networking::WorkloadEntry;
use mesh_api::networking::{Location, Resolution as Wire, ServiceEntry, ServicePort as PortModel};
use mesh_api::object::ObjectKey;
use mesh_ca::{SpiffeId, TrustDomain};

use super::Age;
use super::kubernetes::{Pods, locality_of, tls_of};
use super::service::{Resolution, Service, ServicePort, TrafficDistribution};
use super::visibility::Visibility;
use crate::plan::{Address, Endpoint, Health, Locality, Registry, TlsCapability};

/// A WorkloadEntry object.
#[derive(Debug)]
pub(super) struct KnownWorkload {
    /// Its name.
    pub(super) name: Text,
    /// Its namespace.
    pub(super) namespace: Namespace,
    /// Its labels: those of the object and those of the entry.
    pub(super) labels: Arc<Labels>,
    /// The entry.
    pub(super) entry: WorkloadEntry,
}

impl KnownWorkload {
    /// Reads a WorkloadEntry.
    pub(super) fn new(meta: &ObjectMeta, entry: &WorkloadEntry) -> Self {
        let mut labels = meta.labels.clone();
        for (key, value) in &entry.labels {
            labels.insert(key, value);
        }
        Self {
            name: meta.name.clone(),
            namespace: meta.namespace.clone(),
            labels: Arc::new(labels),
            entry: entry.clone(),
        }
    }
}

/// What endpoints of a ServiceEntry are made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Workloads<'a> {
    /// Pods of the mesh.
    pub(super) pods: &'a Pods,
    /// WorkloadEntries, in order of name.
    pub(super) entries: &'a [KnownWorkload],
    /// The trust domain of identities.
    pub(super) trust_domain: &'a TrustDomain,
}

/// The services of a ServiceEntry: one for each host.
pub(super) fn services(
    key: &Arc<ObjectKey>,
    meta: &ObjectMeta,
    entry: &ServiceEntry,
    default_export_to: &[String],
    workloads: Workloads<'_>,
) -> Vec<Service> {
    let resolution = match entry.resolution {
        Wire::Static => Resolution::ClientSide,
        Wire::Dns => Resolution::Dns,
        Wire::DnsRoundRobin => Resolution::DnsRoundRobin,
        Wire::DynamicDns => Resolution::DynamicDns,
        _ => Resolution::Passthrough,
    };
    let export_to: Vec<Text> = if entry.export_to.is_empty() {
        default_export_to
    } else {
        &entry.export_to
    }
    .iter()
    .map(Text::from)
    .collect();
    let ports: Vec<ServicePort> = entry
        .ports
        .iter()
        .enumerate()
        .filter_map(|(at, port)| service_port(at, port))
        .collect();
    let make = |host: &String| {
        let host = Host::new(host.as_str());
        Service {
            endpoints: endpoints(&host, meta, entry, &resolution, workloads),
            name: host.as_text().clone(),
            host,
            namespace: meta.namespace.clone(),
            registry: Registry::External,
            resolution: resolution.clone(),
            external: entry.location != Location::MeshInternal,
            ports: ports.clone(),
            addresses: entry.addresses.iter().filter_map(|text| network(text)).collect(),
            labels: Arc::new(meta.labels.clone()),
            selector: entry
                .workload_selector
                .as_ref()
                .map(|s| Arc::new(s.labels.iter().collect())),
            visibility: Visibility::of_service(&export_to, &meta.namespace),
            direct_visibility: Visibility::direct_of_service(&export_to, &meta.namespace),
            age: Age::of(meta),
            aliases: Vec::new(),
            publish_not_ready: false,
            node_local: false,
            distribution: TrafficDistribution::Any,
            subject_alt_names: entry.subject_alt_names.iter().map(Text::from).collect(),
            key: Arc::clone(key),
        }
    };
    entry.hosts.iter().map(make).collect()
}

fn network(text: &str) -> Option<IpNet> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn service_port(position: usize, port: &PortModel) -> Option<ServicePort> {
    let number = u16::try_from(port.number).ok()?;
    let target = match port.target_port {
        0 => Some(number),
        target => u16::try_from(target).ok(),
    };
    let protocol = Protocol::parse(&port.protocol);
    Some(ServicePort {
        number,
        name: Text::new(&port.name),
        protocol,
        target,
        position,
    })
}

/// The endpoints of one host of a ServiceEntry: listed ones, selected ones, or the host's own name for DNS.
fn endpoints(
    host: &Host,
    meta: &ObjectMeta,
    entry: &ServiceEntry,
    resolution: &Resolution,
    workloads: Workloads<'_>,
) -> Vec<Arc<Endpoint>> {
    let by_name = matches!(resolution, Resolution::Dns | Resolution::DnsRoundRobin);
    let mut made = Vec::new();
    let mut add = |port: &PortModel, workload: &WorkloadEntry, name: &Text, labels: &Arc<Labels>| {
        made.extend(
            workload_endpoint(
                port,
                workload,
                name,
                &meta.namespace,
                labels,
                workloads.trust_domain,
            )
            .map(Arc::new),
        );
    };
    for port in &entry.ports {
        if let Some(selector) = &entry.workload_selector {
            let selector: Labels = selector.labels.iter().collect();
            let own = |w: &&KnownWorkload| w.namespace == meta.namespace && selector.is_subset_of(&w.labels);
            for workload in workloads.entries.iter().filter(own) {
                add(port, &workload.entry, &workload.name, &workload.labels);
            }
            continue;
        }
        for workload in &entry.endpoints {
            add(
                port,
                workload,
                &Text::default(),
                &Arc::new(workload.labels.iter().collect()),
            );
        }
        if entry.endpoints.is_empty() && by_name && !host.is_wildcard() {
            let own = WorkloadEntry {
                address: host.to_string(),
                ..WorkloadEntry::default()
            };
            add(port, &own, &Text::default(), &Arc::default());
        }
    }
    if let Some(selector) = &entry.workload_selector {
        let selector: Labels = selector.labels.iter().collect();
        for port in &entry.ports {
            let target = if port.target_port == 0 {
                port.number
            } else {
                port.target_port
            };
            let Ok(target) = u16::try_from(target) else {
                continue;
            };
            let pods = workloads.pods.select(&meta.namespace, &selector);
            made.extend(
                pods.map(|pod| {
                    Arc::new(pod.endpoint(&Text::new(&port.name), target, workloads.trust_domain))
                }),
            );
        }
    }
    made
}

fn workload_endpoint(
    port: &PortModel,
    workload: &WorkloadEntry,
    name: &Text,
    namespace: &Namespace,
    labels: &Arc<Labels>,
    trust_domain: &TrustDomain,
) -> Option<Endpoint> {
    let number = workload
        .ports
        .get(&port.name)
        .copied()
        .unwrap_or(match port.target_port {
            0 => port.number,
            target => target,
        });
    let address = match workload.address.strip_prefix("unix://") {
        Some(path) => Address::Unix(Text::new(path)),
        None => match workload.address.parse::<IpAddr>() {
            Ok(address) => Address::Ip(address),
            Err(_) if workload.address.is_empty() => return None,
            Err(_) => Address::Name(Text::new(&workload.address)),
        },
    };
    let port_number = if matches!(address, Address::Unix(_)) {
        0
    } else {
        u16::try_from(number).ok()?
    };
    let account = workload.service_account.as_str();
    let locality = match workload.locality.as_str() {
        "" => locality_of(labels),
        text => Locality::parse(text),
    };
    Some(Endpoint {
        addresses: Box::new([address]),
        port: port_number,
        port_name: Text::new(&port.name),
        health: Health::Healthy,
        tls: if account.is_empty() {
            tls_of(labels)
        } else {
            TlsCapability::Istio
        },
        identity: (!account.is_empty())
            .then(|| SpiffeId::istio(trust_domain, namespace.as_str(), account).ok())
            .flatten(),
        network: Text::new(&workload.network),
        cluster_id: Text::default(),
        locality,
        node: Text::default(),
        weight: workload.weight,
        workload: name.clone(),
        namespace: namespace.clone(),
        labels: Arc::clone(labels),
    })
}
