//! TLS and TCP routes (A-VS-81..96).

use super::*;
use crate::names::Host;
use crate::networking::{L4MatchAttributes, RouteDestination, TcpRoute, TlsMatchAttributes};

pub(super) fn check_tls(route: &TlsRoute, scope: &Scope<'_>, at: &At<'_>, context: &mut Context<'_>) {
    let TlsRoute { matches, route } = route;
    if matches.is_empty() {
        context.report(
            &VS_85,
            &at.field("match"),
            "a TLS route needs at least one condition",
        );
    }
    for (index, condition) in matches.iter().enumerate() {
        let at = at.item("match", index);
        let TlsMatchAttributes {
            sni_hosts,
            destination_subnets,
            port,
            source_labels,
            gateways,
            source_namespace: _,
        } = condition;
        if sni_hosts.is_empty() {
            context.report(
                &VS_87,
                &at.field("sniHosts"),
                "a TLS condition needs at least one server name",
            );
        }
        for (index, name) in sni_hosts.iter().enumerate() {
            check_server_name(name, scope, &at.item("sniHosts", index), context);
        }
        check_condition(destination_subnets, *port, source_labels, &at, context);
        shared::gateway_refs(context, &VS_94, &at.field("gateways"), gateways);
    }
    check_route(route, &at.field("route"), context);
}

pub(super) fn check_tcp(route: &TcpRoute, at: &At<'_>, context: &mut Context<'_>) {
    let TcpRoute { matches, route } = route;
    for (index, condition) in matches.iter().enumerate() {
        let at = at.item("match", index);
        let L4MatchAttributes {
            destination_subnets,
            port,
            source_subnet: _,
            source_labels,
            gateways,
            source_namespace: _,
        } = condition;
        check_condition(destination_subnets, *port, source_labels, &at, context);
        // quirk A-GEN-6: the warnings are lost for TCP, not for TLS
        context.without_warnings(|context| {
            shared::gateway_refs(context, &VS_94, &at.field("gateways"), gateways);
        });
    }
    check_route(route, &at.field("route"), context);
}

fn check_server_name(name: &str, scope: &Scope<'_>, at: &At<'_>, context: &mut Context<'_>) {
    if check::ip_address(name).is_ok() {
        let message = format!("`{name}` is an IP address, which clients do not send as a server name");
        context.report(&VS_89, at, message);
        return;
    }
    let verdict = match scope.gateway_bound {
        true => check::gateway_vs_domain(name, GatewayVsDomain::Sni),
        false => check::wildcard_domain(name),
    };
    if context.check(&VS_88, at, verdict) && scope.index.most_specific(&Host::new(name)).is_none() {
        context.report(
            &VS_90,
            at,
            format!("`{name}` lies within none of the object's hosts"),
        );
    }
}

fn check_condition(
    subnets: &[String],
    port: u32,
    source_labels: &BTreeMap<String, String>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    for (index, subnet) in subnets.iter().enumerate() {
        context.check(
            &VS_91,
            &at.item("destinationSubnets", index),
            check::ip_subnet(subnet),
        );
    }
    if port != 0 {
        context.check(&VS_92, &at.field("port"), check::port(port));
    }
    shared::label_map(context, &VS_93, &at.field("sourceLabels"), source_labels);
}

fn check_route(route: &[RouteDestination], at: &At<'_>, context: &mut Context<'_>) {
    if route.is_empty() {
        context.report(&VS_95, at, "the route needs at least one destination");
    }
    for (
        index,
        RouteDestination {
            destination,
            weight: _,
        },
    ) in route.iter().enumerate()
    {
        let at = at.index(index);
        match destination {
            None => context.report(&VS_81, &at.field("destination"), "the destination is missing"),
            Some(destination) => check_destination(destination, false, &at.field("destination"), context),
        }
    }
    check_weights(route.iter().map(|entry| entry.weight), at, context);
}
