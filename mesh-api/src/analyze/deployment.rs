//! Deployments and the services in front of them; users that are the proxy's own.

use std::collections::{BTreeMap, BTreeSet};

use super::codes;
use super::index::list;
use super::path::{self, field};
use super::sink::Sink;
use super::view::{PROXY, View, containers, is_control_plane};
use crate::kind::Kind;
use crate::kubernetes::{Deployment, PodSpec, Service, ServicePort};
use crate::meta::ObjectMeta;
use crate::object::{Model, Object};

/// IST0116 and IST0137. Source: Istio analysis services.go.
pub(super) fn services(view: &View<'_>, sink: &mut Sink<'_>) {
    if !view.knows(&Kind::Service) {
        return;
    }
    for deployment in view.objects.objects_of::<Deployment>() {
        let template = &deployment.spec.spec.template;
        let namespace = deployment.meta.namespace.as_str();
        if !view.is_in_mesh(namespace, &template.metadata, containers(&template.spec)) {
            continue;
        }
        let services: Vec<&Object<Service>> = view
            .services_selecting(namespace, &template.metadata.labels)
            .collect();
        if services.len() > 1 {
            by_port(deployment, &services, sink);
            by_target(deployment, &services, sink);
        }
    }
}

/// Ports with the protocols that services use them for.
fn by_port(deployment: &Object<Deployment>, services: &[&Object<Service>], sink: &mut Sink<'_>) {
    let mut ports: BTreeMap<u32, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for service in services {
        for port in &service.spec.spec.ports {
            let protocol = if port.protocol.is_empty() {
                "TCP"
            } else {
                &port.protocol
            };
            let users = ports.entry(port.port).or_default().entry(protocol).or_default();
            users.insert(&service.meta.name);
        }
    }
    for (port, protocols) in ports.iter().filter(|(_, protocols)| protocols.len() > 1) {
        let names: BTreeSet<&&str> = protocols.values().flatten().collect();
        let parameters = [deployment.meta.name.to_string(), port.to_string(), list(names)];
        sink.report(
            codes::DEPLOYMENT_MULTIPLE_SERVICES,
            deployment,
            path::name(),
            parameters,
        );
    }
}

/// Ports of the pods with the ports that services have for them.
fn by_target(deployment: &Object<Deployment>, services: &[&Object<Service>], sink: &mut Sink<'_>) {
    let target = |port: &ServicePort| match &port.target_port {
        Some(target) if target.as_int() != Some(0) => target.to_string(),
        _ => port.port.to_string(),
    };
    let mut targets: BTreeMap<String, BTreeMap<u32, BTreeSet<&str>>> = BTreeMap::new();
    for service in services {
        for port in &service.spec.spec.ports {
            let users = targets
                .entry(target(port))
                .or_default()
                .entry(port.port)
                .or_default();
            users.insert(&service.meta.name);
        }
    }
    for (target, ports) in targets.iter().filter(|(_, ports)| ports.len() > 1) {
        let names: BTreeSet<&&str> = ports.values().flatten().collect();
        if names.len() < 2 {
            continue; // one service may well have two ports for one
        }
        let numbers = ports.keys().map(u32::to_string).collect::<Vec<_>>().join(", ");
        let parameters = [
            deployment.meta.name.to_string(),
            list(names),
            target.clone(),
            numbers,
        ];
        sink.report(
            codes::DEPLOYMENT_CONFLICTING_PORTS,
            deployment,
            path::name(),
            parameters,
        );
    }
}

/// The user that the sidecar runs as, whose traffic is not redirected.
const PROXY_USER: i64 = 1337;

/// IST0144. Source: Istio analysis appuid.go.
pub(super) fn users(view: &View<'_>, sink: &mut Sink<'_>) {
    for pod in view.objects.pods() {
        user(pod, &pod.meta, &pod.spec.spec, &field!["spec"], sink);
    }
    for deployment in view.objects.objects_of::<Deployment>() {
        let spec = &deployment.spec.spec.template.spec;
        user(
            deployment,
            &deployment.meta,
            spec,
            &field!["spec", "template", "spec"],
            sink,
        );
    }
}

fn user<T: Model>(
    object: &Object<T>,
    meta: &ObjectMeta,
    spec: &PodSpec,
    path: &crate::report::FieldPath,
    sink: &mut Sink<'_>,
) {
    if is_control_plane(meta) {
        return;
    }
    let is_proxy_user = |context: &Option<crate::kubernetes::SecurityContext>| {
        context
            .as_ref()
            .is_some_and(|context| context.run_as_user == Some(PROXY_USER))
    };
    let below = |path: crate::report::FieldPath| path.with_field("securityContext").with_field("runAsUser");
    if is_proxy_user(&spec.security_context) {
        sink.report(codes::INVALID_APPLICATION_UID, object, below(path.clone()), []);
    }
    for (at, container) in spec.containers.iter().enumerate() {
        if container.name != PROXY && is_proxy_user(&container.security_context) {
            let path = path.with_field("containers").with_index(at);
            sink.report(codes::INVALID_APPLICATION_UID, object, below(path), []);
        }
    }
}
