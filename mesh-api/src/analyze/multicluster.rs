//! Meshes of several clusters.

use std::collections::{BTreeMap, BTreeSet};

use super::codes;
use super::index::list;
use super::path::{self, field};
use super::sink::Sink;
use super::view::View;
use crate::kind::Kind;
use crate::kubernetes::{Secret, Service};
use crate::mesh::EndpointSource;
use crate::object::{Object, ObjectKey};

/// The label of secrets that give access to another cluster, named by their keys.
const REMOTE_SECRET: &str = "istio/multiCluster";

/// IST0126. Source: Istio analysis meshnetworks.go.
pub(super) fn networks(view: &View<'_>, sink: &mut Sink<'_>) {
    if !view.knows(&Kind::Secret) {
        return;
    }
    let mut registries = BTreeSet::from(["Kubernetes", "External", "Mock"]);
    for secret in view.objects.objects_of::<Secret>() {
        if secret.meta.labels.get(REMOTE_SECRET) == Some("true") {
            let Secret {
                data,
                string_data,
                type_: _,
            } = &secret.spec;
            registries.extend(data.keys().chain(string_data.keys()).map(String::as_str));
        }
    }
    let key = || ObjectKey {
        kind: Kind::of("", "MeshNetworks"),
        namespace: view.options.istio_namespace.clone(),
        name: "meshnetworks".into(),
    };
    for (name, network) in &view.options.networks.networks {
        for (nth, endpoints) in network.endpoints.iter().enumerate() {
            let Some(EndpointSource::FromRegistry(registry)) = &endpoints.source else {
                continue;
            };
            if !registries.contains(registry.as_str()) {
                let path = field!["networks", name, "endpoints", nth, "fromRegistry"];
                let parameters = [registry.clone(), name.clone()];
                sink.report_key(codes::UNKNOWN_REGISTRY, key(), path, parameters);
            }
        }
    }
}

/// IST0170, once for each service. Source: Istio analysis multicluster/service.go.
pub(super) fn services(view: &View<'_>, sink: &mut Sink<'_>) {
    let options = view.options;
    if options.remote_clusters.is_empty() {
        return;
    }
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    let clusters: BTreeMap<&str, &crate::object_set::ObjectSet> = options
        .remote_clusters
        .iter()
        .map(|(name, objects)| (name.as_str(), objects))
        .chain([(options.cluster.as_str(), view.objects)])
        .collect();
    for objects in clusters.values() {
        for service in objects.services() {
            let (namespace, name) = (service.meta.namespace.as_str(), service.meta.name.as_str());
            if !seen.insert((namespace, name)) {
                continue;
            }
            let copies: BTreeMap<&str, &Object<Service>> = clusters
                .iter()
                .filter_map(|(cluster, objects)| {
                    let copy = objects.object::<Service>(namespace, name)?;
                    Some((*cluster, &**copy))
                })
                .collect();
            if let Some(reason) = difference(&copies) {
                let names = list(copies.keys());
                let parameters = [name.to_owned(), namespace.to_owned(), names, reason.to_owned()];
                sink.report(
                    codes::INCONSISTENT_MULTICLUSTER_SERVICE,
                    service,
                    path::name(),
                    parameters,
                );
            }
        }
    }
}

fn difference(copies: &BTreeMap<&str, &Object<Service>>) -> Option<&'static str> {
    let mut copies = copies.values().map(|copy| &copy.spec.spec);
    let first = copies.next()?;
    let ports = |spec: &crate::kubernetes::ServiceSpec| -> BTreeSet<(u32, String)> {
        let name = |port: &crate::kubernetes::ServicePort| match port.protocol.as_str() {
            "" => "TCP".to_owned(),
            protocol => protocol.to_owned(),
        };
        spec.ports.iter().map(|port| (port.port, name(port))).collect()
    };
    for other in copies {
        if (first.cluster_ip == "None") != (other.cluster_ip == "None") {
            return Some("it is headless in some only");
        }
        if first.r#type != other.r#type {
            return Some("its type differs");
        }
        if ports(first) != ports(other) {
            return Some("its ports differ");
        }
    }
    None
}
