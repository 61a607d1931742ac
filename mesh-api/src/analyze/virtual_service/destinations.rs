//! Hosts and ports that destinations name, and what gateways pass by. Source: Istio analysis destinationhosts.go.

use super::super::codes;
use super::super::sink::Sink;
use super::super::view::View;
use super::{ingress, targets};

/// IST0101, IST0112 and IST0140
pub(crate) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    hosts(view, sink);
    ingress::check(view, sink);
}

fn hosts(view: &View<'_>, sink: &mut Sink<'_>) {
    let hosts = view.hosts();
    for object in view.objects.virtual_services() {
        let namespace = object.meta.namespace.as_str();
        for target in targets(&object.spec) {
            let host = target.destination.host.as_str();
            let fqdn = view.fqdn(namespace, host);
            let host_path = target.path.with_field("host");
            let Some(found) = hosts.find(namespace, &object.spec.export_to, &fqdn) else {
                if hosts.can_miss(&fqdn) {
                    let what = if target.is_mirror { "mirror host" } else { "host" };
                    let parameters = [what.to_owned(), host.to_owned()];
                    sink.report(
                        codes::REFERENCED_RESOURCE_NOT_FOUND,
                        object,
                        host_path,
                        parameters,
                    );
                }
                continue;
            };
            match &target.destination.port {
                None if found.ports.len() > 1 => {
                    let ports: Vec<String> = found.ports.iter().take(20).map(u32::to_string).collect();
                    let parameters = [host.to_owned(), ports.join(", ")];
                    sink.report(codes::DESTINATION_PORT_REQUIRED, object, host_path, parameters);
                }
                Some(port) if !found.ports.contains(&port.number) => {
                    let parameters = ["host:port".to_owned(), format!("{host}:{}", port.number)];
                    sink.report(
                        codes::REFERENCED_RESOURCE_NOT_FOUND,
                        object,
                        host_path,
                        parameters,
                    );
                }
                _ => {}
            }
        }
    }
}
