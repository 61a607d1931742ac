//! Names of service ports. Source: Istio analysis portname.go.

use super::codes;
use super::path::field;
use super::sink::Sink;
use super::view::{View, is_control_plane, is_system_namespace};
use crate::kubernetes::ServiceType;
use crate::names::{Protocol, Transport};

/// IST0118 and IST0150
pub(super) fn port_names(view: &View<'_>, sink: &mut Sink<'_>) {
    for service in view.objects.services() {
        if is_system_namespace(service.meta.namespace.as_str()) || is_control_plane(&service.meta) {
            continue;
        }
        let is_alias = service.spec.spec.r#type == ServiceType::ExternalName;
        for (at, port) in service.spec.spec.ports.iter().enumerate() {
            let number = u16::try_from(port.port).unwrap_or_default();
            let transport = Transport::parse(&port.protocol);
            let protocol =
                Protocol::for_service_port(&port.name, port.app_protocol.as_deref(), transport, number);
            let is_unknown = protocol == Protocol::Unsupported;
            let path = field!["spec", "ports", at, "port"];
            if is_alias && (is_unknown || port.name == "tcp") {
                let parameters = [port.port.to_string()];
                sink.report(codes::EXTERNAL_NAME_PORT_NAME, service, path, parameters);
            } else if is_unknown {
                let target = port.target_port.as_ref().map(ToString::to_string);
                let parameters = [
                    port.name.clone(),
                    port.port.to_string(),
                    target.unwrap_or_else(|| port.port.to_string()),
                ];
                sink.report(codes::PORT_NAME_CONVENTION, service, path, parameters);
            }
        }
    }
}
