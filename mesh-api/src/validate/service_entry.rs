//! Rules of ServiceEntry (A-SE).

use std::collections::BTreeSet;

use super::at::At;
use super::context::Context;
use super::rule::{Rule, rules};
use super::shared::{self, ExportScope};
use super::{targets, workload_entry};
use crate::names::{Protocol, check};
use crate::networking::{Location, Resolution, ServiceEntry, ServicePort, WorkloadEntry};

rules! {
    SE_1 "A-SE-1" Error "the workload selector has labels without wildcards" cites "A-X-23";
    SE_2 "A-SE-2" Warning "a selector without labels selects the whole namespace" cites "A-X-23";
    SE_3 "A-SE-3" Error "workloadSelector and endpoints exclude each other";
    SE_4 "A-SE-4" Error "a service has hosts";
    SE_5 "A-SE-5" Error "a host is not `*`";
    SE_6 "A-SE-6" Error "a host is a domain name, perhaps with a wildcard" cites "A-X-3";
    SE_7 "A-SE-7" Warning "partial wildcards are for DYNAMIC_DNS" cites "A-X-7";
    SE_8 "A-SE-8" Error "an address is an IP address or range" cites "A-X-10";
    SE_9 "A-SE-9" Error "ranges of addresses are for resolution NONE and STATIC";
    SE_11 "A-SE-11" Error "names of ports are unique";
    SE_12 "A-SE-12" Error "numbers of ports are unique";
    SE_13 "A-SE-13" Error "the target port is 1 to 65535" cites "A-X-8";
    SE_14 "A-SE-14" Warning "a TCP service has addresses to be told by";
    SE_15 "A-SE-15" Error "the name of a port is a DNS label" cites "A-X-1";
    SE_16 "A-SE-16" Error "the protocol of a port is known" cites "A-X-14";
    SE_17 "A-SE-17" Error "the number of a port is 1 to 65535" cites "A-X-8";
    SE_18 "A-SE-18" Error "resolution NONE has no endpoints";
    SE_19 "A-SE-19" Warning "resolution NONE makes no use of a workload selector";
    SE_21 "A-SE-21" Error "DNS resolution without endpoints needs hosts that can be looked up" cites "A-X-2";
    SE_22 "A-SE-22" Error "DNS_ROUND_ROBIN has one endpoint at most";
    SE_23 "A-SE-23" Error "the address of a DNS endpoint is an IP address or a domain name" cites "A-X-2" "A-X-9";
    SE_24 "A-SE-24" Error "the labels of an endpoint are valid labels" cites "A-X-12";
    SE_25 "A-SE-25" Error "the ports of an endpoint are ports of the service";
    SE_26 "A-SE-26" Error "the ports of an endpoint have DNS labels as names and numbers from 1 to 65535" cites "A-X-1" "A-X-8";
    SE_27 "A-SE-27" Warning "a TCP service with addresses has one host" cites "A-X-14";
    SE_28 "A-SE-28" Error "DYNAMIC_DNS needs wildcard hosts";
    SE_29 "A-SE-29" Error "DYNAMIC_DNS has no addresses";
    SE_30 "A-SE-30" Error "DYNAMIC_DNS has no endpoints";
    SE_31 "A-SE-31" Error "DYNAMIC_DNS is for HTTP, HTTP2, GRPC and TLS" cites "A-X-14";
    SE_32 "A-SE-32" Error "the location is known";
    SE_33 "A-SE-33" Error "DYNAMIC_DNS inside the mesh uses no waypoint";
    SE_34 "A-SE-34" Error "the resolution is known";
    SE_35 "A-SE-35" Error "several hosts need ports of HTTP or TLS" cites "A-X-14";
    SE_36 "A-SE-36" Error "exportTo holds `.`, `*`, `~` or namespaces" cites "A-X-22";
}

pub(super) fn check(spec: &ServiceEntry, at: At<'_>, context: &mut Context<'_>) {
    let ServiceEntry {
        hosts,
        addresses,
        ports,
        location: _,
        resolution,
        endpoints,
        workload_selector,
        export_to,
        subject_alt_names: _,
    } = spec;
    if let Some(selector) = workload_selector {
        let selector_at = at.field("workloadSelector");
        let labels_at = selector_at.field("labels");
        if !shared::selector(context, &SE_1, &labels_at, &selector.labels) {
            context.stop();
            return;
        }
        targets::warn_of_no_labels(context, &SE_2, &labels_at, &selector.labels);
        if !endpoints.is_empty() {
            context.report(
                &SE_3,
                &selector_at,
                "workloadSelector and endpoints exclude each other",
            );
        }
    }
    check_hosts(hosts, *resolution, &at.field("hosts"), context);
    check_addresses(addresses, *resolution, &at.field("addresses"), context);
    check_ports(spec, &at.field("ports"), context);
    let names: BTreeSet<&str> = ports.iter().map(|port| port.name.as_str()).collect();
    match resolution {
        Resolution::None => check_none(spec, &at, context),
        Resolution::Static => {
            for (index, endpoint) in endpoints.iter().enumerate() {
                workload_entry::check_endpoint(endpoint, &names, &at.item("endpoints", index), context);
            }
        }
        Resolution::Dns | Resolution::DnsRoundRobin => check_dns(spec, &names, &at, context),
        Resolution::DynamicDns => check_dynamic_dns(spec, &at, context),
        Resolution::Unrecognized(number) => {
            context.report(
                &SE_34,
                &at.field("resolution"),
                format!("{number} is no resolution"),
            );
        }
    }
    check_several_hosts(spec, &at.field("ports"), context);
    shared::export_to(
        context,
        &SE_36,
        &at.field("exportTo"),
        export_to,
        ExportScope::ServiceEntry,
    );
}

/// A-SE-4..7
fn check_hosts(hosts: &[String], resolution: Resolution, at: &At<'_>, context: &mut Context<'_>) {
    if hosts.is_empty() {
        context.report(&SE_4, at, "a service needs at least one host");
    }
    for (index, host) in hosts.iter().enumerate() {
        let at = at.index(index);
        if host == "*" {
            context.report(&SE_5, &at, "the host `*` would cover everything; name a domain");
        } else {
            context.check(&SE_6, &at, check::wildcard_domain(host));
            if check::is_partial_wildcard(host) && resolution != Resolution::DynamicDns {
                let message = format!(
                    "`{host}` is a partial wildcard, which proxies match no further than `*` and a dot"
                );
                context.report(&SE_7, &at, message);
            }
        }
    }
}

/// A-SE-8 and A-SE-9
fn check_addresses(addresses: &[String], resolution: Resolution, at: &At<'_>, context: &mut Context<'_>) {
    for (index, address) in addresses.iter().enumerate() {
        context.check(&SE_8, &at.index(index), check::ip_subnet(address));
    }
    let range = addresses.iter().position(|address| address.contains('/'));
    if let Some(index) = range.filter(|_| !matches!(resolution, Resolution::None | Resolution::Static)) {
        let message = format!("ranges of addresses go with resolution NONE and STATIC, not {resolution}");
        context.report(&SE_9, &at.index(index), message);
    }
}

/// A-SE-11..17
fn check_ports(spec: &ServiceEntry, at: &At<'_>, context: &mut Context<'_>) {
    let allocates = auto_allocates(spec, context);
    let (mut names, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for (
        index,
        ServicePort {
            number,
            protocol,
            name,
            target_port,
        },
    ) in spec.ports.iter().enumerate()
    {
        let at = at.index(index);
        if !names.insert(name) {
            context.report(
                &SE_11,
                &at.field("name"),
                format!("the port name `{name}` is there twice"),
            );
        }
        if !numbers.insert(number) {
            context.report(
                &SE_12,
                &at.field("number"),
                format!("the port number {number} is there twice"),
            );
        }
        if *target_port != 0 {
            context.check(&SE_13, &at.field("targetPort"), check::port(*target_port));
        }
        if spec.addresses.is_empty() && matches!(protocol.as_str(), "" | "TCP") && !allocates {
            let message =
                "without addresses this port takes the traffic of all services with the same number";
            context.report(&SE_14, &at, message);
        }
        context.check(&SE_15, &at.field("name"), check::dns_label(name));
        if !protocol.is_empty() && Protocol::parse(protocol) == Protocol::Unsupported {
            context.report(
                &SE_16,
                &at.field("protocol"),
                format!("the protocol `{protocol}` is not known"),
            );
        }
        context.check(&SE_17, &at.field("number"), check::port(*number));
    }
}

/// Whether istiod gives the hosts addresses of its own (A-SE-14).
fn auto_allocates(spec: &ServiceEntry, context: &Context<'_>) -> bool {
    let label = context
        .meta
        .labels
        .get("networking.istio.io/enable-autoallocate-ip");
    context.options.auto_allocate_addresses
        && spec.resolution != Resolution::None
        && !label.is_some_and(|value| value.eq_ignore_ascii_case("false"))
}

/// A-SE-18 and A-SE-19
fn check_none(spec: &ServiceEntry, at: &At<'_>, context: &mut Context<'_>) {
    if !spec.endpoints.is_empty() {
        let message =
            "with resolution NONE traffic goes where the client asked for: endpoints must not be set";
        context.report(&SE_18, &at.field("endpoints"), message);
    }
    if spec.workload_selector.is_some() {
        let message = "with resolution NONE the workload selector has no effect";
        context.report(&SE_19, &at.field("workloadSelector"), message);
    }
}

/// A-SE-21..27
fn check_dns(spec: &ServiceEntry, ports: &BTreeSet<&str>, at: &At<'_>, context: &mut Context<'_>) {
    if spec.endpoints.is_empty()
        && let Some((index, host, error)) = spec
            .hosts
            .iter()
            .enumerate()
            .find_map(|(index, host)| check::fqdn(host).err().map(|error| (index, host, error)))
    {
        let message = format!("`{host}` is to be looked up in DNS as there are no endpoints: {error}");
        context.report(&SE_21, &at.item("hosts", index), message);
    }
    if spec.resolution == Resolution::DnsRoundRobin && spec.endpoints.len() > 1 {
        let message = format!(
            "there are {} endpoints, DNS_ROUND_ROBIN takes one",
            spec.endpoints.len()
        );
        context.report(&SE_22, &at.field("endpoints"), message);
    }
    for (index, endpoint) in spec.endpoints.iter().enumerate() {
        let at = at.item("endpoints", index);
        let WorkloadEntry {
            address,
            ports: own_ports,
            labels,
            network: _,
            locality: _,
            weight: _,
            service_account: _,
        } = endpoint;
        let verdict = check::ip_address(address).or_else(|_| check::fqdn(address));
        context.check(&SE_23, &at.field("address"), verdict);
        shared::label_map(context, &SE_24, &at.field("labels"), labels);
        for (name, number) in own_ports {
            let at = at.entry("ports", name);
            if !ports.contains(name.as_str()) {
                context.report(&SE_25, &at, format!("`{name}` is no port of the service"));
            }
            context.check(&SE_26, &at, check::dns_label(name));
            context.check(&SE_26, &at, check::port(*number));
        }
    }
    let tcp = spec
        .ports
        .iter()
        .any(|port| Protocol::parse(&port.protocol).is_tcp());
    if !spec.addresses.is_empty() && tcp && spec.hosts.len() > 1 {
        let message = "hosts that share addresses cannot be told apart in TCP traffic";
        context.report(&SE_27, &at.field("hosts"), message);
    }
}

/// A-SE-28..33
fn check_dynamic_dns(spec: &ServiceEntry, at: &At<'_>, context: &mut Context<'_>) {
    let plain = spec.hosts.iter().position(|host| !host.starts_with('*'));
    if spec.hosts.is_empty() {
        context.report(&SE_28, &at.field("hosts"), "DYNAMIC_DNS needs wildcard hosts");
    } else if let Some(index) = plain {
        context.report(
            &SE_28,
            &at.item("hosts", index),
            "DYNAMIC_DNS needs wildcard hosts",
        );
    }
    for (rule, field, is_set) in [
        (&SE_29, "addresses", !spec.addresses.is_empty()),
        (&SE_30, "endpoints", !spec.endpoints.is_empty()),
    ] {
        if is_set {
            context.report(rule, &at.field(field), format!("DYNAMIC_DNS takes no {field}"));
        }
    }
    for (index, port) in spec.ports.iter().enumerate() {
        let protocol = Protocol::parse(&port.protocol);
        if !matches!(
            protocol,
            Protocol::Http | Protocol::Tls | Protocol::Grpc | Protocol::Http2
        ) {
            let at = at.item("ports", index);
            let message = format!(
                "DYNAMIC_DNS is for HTTP, HTTP2, GRPC and TLS, not for `{}`",
                port.protocol
            );
            context.report(&SE_31, &at.field("protocol"), message);
        }
    }
    match spec.location {
        Location::MeshExternal => {}
        Location::MeshInternal => {
            let waypoint = context
                .meta
                .labels
                .get("istio.io/use-waypoint")
                .unwrap_or_default();
            if !matches!(waypoint, "" | "none") {
                let message =
                    format!("a DYNAMIC_DNS service inside the mesh cannot use the waypoint `{waypoint}`");
                let at = At::top("metadata");
                context.report(&SE_33, &at.entry("labels", "istio.io/use-waypoint"), message);
            }
        }
        Location::Unrecognized(number) => {
            context.report(&SE_32, &at.field("location"), format!("{number} is no location"));
        }
    }
}

/// A-SE-35
fn check_several_hosts(spec: &ServiceEntry, at: &At<'_>, context: &mut Context<'_>) {
    const RULE: &Rule = &SE_35;
    if spec.resolution == Resolution::None || spec.hosts.len() < 2 {
        return;
    }
    let opaque = spec.ports.iter().position(|port| {
        let protocol = Protocol::parse(&port.protocol);
        !protocol.is_http() && !protocol.is_tls()
    });
    if let Some(index) = opaque {
        let message = "several hosts cannot be told apart on a port that is neither HTTP nor TLS";
        context.report(RULE, &at.index(index).field("protocol"), message);
    }
}
