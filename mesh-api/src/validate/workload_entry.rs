//! Rules of WorkloadEntry (A-WE), as an object and as an endpoint of a ServiceEntry.

use std::collections::BTreeSet;

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::shared;
use crate::names::check;
use crate::networking::WorkloadEntry;

rules! {
    WE_1 "A-WE-1" Error "a workload has an address or a network";
    WE_2 "A-WE-2" Warning "a workload without address is reached through its network's gateway";
    WE_3 "A-WE-3" Error "a unix address is well formed" cites "A-X-13";
    WE_4 "A-WE-4" Error "a unix address has no ports";
    WE_5 "A-WE-5" Error "the address is an IP address, or a domain name where DNS is asked" cites "A-X-2" "A-X-9";
    WE_6 "A-WE-6" Error "the ports of an endpoint are ports of the service";
    WE_7 "A-WE-7" Error "the name of a port is a DNS label" cites "A-X-1";
    WE_8 "A-WE-8" Error "the number of a port is 1 to 65535" cites "A-X-8";
    WE_9 "A-WE-9" Error "labels are valid labels" cites "A-X-12";
    WE_10 "A-WE-10" Error "a service with a unix endpoint has exactly one port";
}

pub(super) fn check(spec: &WorkloadEntry, at: At<'_>, context: &mut Context<'_>) {
    check_workload(spec, None, &at, context);
}

/// The rules for an endpoint with resolution STATIC.
pub(super) fn check_endpoint(
    spec: &WorkloadEntry,
    service_ports: &BTreeSet<&str>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    check_workload(spec, Some(service_ports), at, context);
}

fn check_workload(
    spec: &WorkloadEntry,
    service_ports: Option<&BTreeSet<&str>>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    let WorkloadEntry {
        address,
        ports,
        labels,
        network,
        locality: _,
        weight: _,
        service_account: _,
    } = spec;
    let address_at = at.field("address");
    if address.is_empty() && network.is_empty() {
        context.report(&WE_1, &address_at, "the workload needs an address or a network");
        return;
    }
    if address.is_empty() {
        let message = "without address the workload is reached through the gateway of its network";
        context.report(&WE_2, &address_at, message);
    } else if let Some(path) = address.strip_prefix("unix://") {
        context.check(&WE_3, &address_at, shared::unix_address(path));
        if !ports.is_empty() {
            context.report(
                &WE_4,
                &at.field("ports"),
                "a workload at a unix address has no ports",
            );
        }
        if service_ports.is_some_and(|ports| ports.len() != 1) {
            let message = "a service with an endpoint at a unix address needs exactly one port";
            context.report(&WE_10, &address_at, message);
        }
    } else if check::ip_address(address).is_err() {
        if service_ports.is_some() {
            let message = format!("`{address}` is no IP address, which STATIC resolution needs");
            context.report(&WE_5, &address_at, message);
        } else {
            context.check(&WE_5, &address_at, check::fqdn(address));
        }
    }
    for (name, number) in ports {
        let at = at.entry("ports", name);
        if service_ports.is_some_and(|ports| !ports.contains(name.as_str())) {
            context.report(&WE_6, &at, format!("`{name}` is no port of the service"));
        }
        context.check(&WE_7, &at, check::dns_label(name));
        context.check(&WE_8, &at, check::port(*number));
    }
    shared::label_map(context, &WE_9, &at.field("labels"), labels);
}
