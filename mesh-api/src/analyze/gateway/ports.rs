//! Ports of gateways that no service leads to. Source: Istio analysis gateway.go.

use std::collections::BTreeSet;

use super::super::codes;
use super::super::index::selector_text;
use super::super::path::field;
use super::super::sink::Sink;
use super::super::view::View;
use crate::kubernetes::ServicePort;
use crate::names::Transport;

/// IST0162, and IST0101 where no workload is there.
pub(crate) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    if !view.knows_gateway_pods() {
        return;
    }
    for gateway in view.objects.gateways() {
        let mut pods = view.pods().anywhere(&gateway.spec.selector).peekable();
        if pods.peek().is_none() {
            super::no_workload(gateway, sink);
            continue;
        }
        let wanted: BTreeSet<u32> = gateway
            .spec
            .servers
            .iter()
            .filter_map(|server| server.port.as_ref())
            .map(|port| port.number)
            .collect();
        let mut open = BTreeSet::new();
        for (pod, _) in pods {
            // most gateways are done after the first pod
            if wanted.is_subset(&open) {
                break;
            }
            for service in view.services_selecting(pod.namespace.as_str(), &pod.labels) {
                open.extend(service.spec.spec.ports.iter().flat_map(reached_by));
            }
        }
        for (at, server) in gateway.spec.servers.iter().enumerate() {
            if let Some(port) = server.port.as_ref().filter(|port| !open.contains(&port.number)) {
                let parameters = [port.number.to_string(), selector_text(&gateway.spec.selector)];
                let path = field!["spec", "servers", at, "port", "number"];
                sink.report(codes::GATEWAY_PORT_NOT_ON_SERVICE, gateway, path, parameters);
            }
        }
    }
}

/// The numbers that lead to a TCP port of a service: its own, and the numeric one behind it.
fn reached_by(port: &ServicePort) -> impl Iterator<Item = u32> {
    let target = port.target_port.as_ref().and_then(|target| target.as_int());
    let numbers = [
        Some(port.port),
        target.and_then(|target| u32::try_from(target).ok()),
    ];
    let is_tcp = Transport::parse(&port.protocol) == Transport::Tcp;
    numbers.into_iter().flatten().filter(move |_| is_tcp)
}
