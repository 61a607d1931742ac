//! Gateways: their workloads, ports, certificates, and whom they conflict with.

mod certificates;
mod conflicts;
mod credentials;
mod ports;
mod x509;

pub(super) use certificates::check as certificates;
pub(super) use conflicts::check as conflicts;
pub(super) use credentials::check as credentials;
pub(super) use ports::check as ports;
pub(crate) use x509::is_certificate_bundle;

use super::codes;
use super::index::selector_text;
use super::path::field;
use super::sink::Sink;
use crate::networking::Gateway;
use crate::object::Object;

/// IST0101: no workload has the labels of the selector.
fn no_workload(gateway: &Object<Gateway>, sink: &mut Sink<'_>) {
    let parameters = ["selector".to_owned(), selector_text(&gateway.spec.selector)];
    let path = match gateway.spec.selector.keys().next() {
        Some(label) => field!["spec", "selector", label],
        None => field!["spec", "selector"],
    };
    sink.report(codes::REFERENCED_RESOURCE_NOT_FOUND, gateway, path, parameters);
}
