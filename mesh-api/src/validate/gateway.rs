//! Rules of Gateway (A-GW).

use std::collections::BTreeSet;

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::{server_tls, shared};
use crate::names::Protocol;
use crate::names::check::{self, HostScope};
use crate::networking::{Gateway, Port, Server, ServerTlsMode, ServerTlsSettings};

/// The annotation that marks objects made from Gateway API gateways (A-MV-7).
const SEMANTICS: &str = "internal.istio.io/gateway-semantics";

rules! {
    GW_1 "A-GW-1" Error "the name of a gateway is a DNS label" cites "A-X-1";
    GW_2 "A-GW-2" Error "a gateway has servers";
    GW_4 "A-GW-4" Error "names of ports are unique";
    GW_5 "A-GW-5" Warning "httpsRedirect is for plain HTTP ports" cites "A-X-14";
    GW_6 "A-GW-6" Error "a server has hosts";
    GW_7 "A-GW-7" Error "a host is `namespace/host` or a domain name, perhaps with a wildcard" cites "A-X-5" "A-X-6" "A-X-7";
    GW_8 "A-GW-8" Error "a server has a port";
    GW_9 "A-GW-9" Error "the protocol of a port is known" cites "A-X-14";
    GW_10 "A-GW-10" Error "the number of a port is 1 to 65535" cites "A-X-8";
    GW_11 "A-GW-11" Error "a port of a gateway has no targetPort";
    GW_12 "A-GW-12" Error "a port has a name";
    GW_13 "A-GW-13" Error "a unix address to bind to is well formed" cites "A-X-13";
    GW_14 "A-GW-14" Error "a unix address has no port number";
    GW_15 "A-GW-15" Error "the address to bind to is an IP address" cites "A-X-9";
    GW_16 "A-GW-16" Error "HTTPS and TLS ports have TLS settings" cites "A-X-14";
    GW_17 "A-GW-17" Error "plain HTTP ports have no TLS settings but httpsRedirect" cites "A-X-14";
    GW_18 "A-GW-18" Error "ports without TLS have no TLS settings" cites "A-X-14";
}

pub(super) fn check(spec: &Gateway, at: At<'_>, context: &mut Context<'_>) {
    let Gateway { servers, selector: _ } = spec;
    let gateway_api = context.gateway_api(SEMANTICS);
    if !gateway_api {
        let name = context.meta.name.clone();
        context.check(&GW_1, &At::top("metadata").field("name"), check::dns_label(&name));
    }
    if servers.is_empty() {
        context.report(&GW_2, &at.field("servers"), "a gateway needs at least one server");
    }
    let mut names = BTreeSet::new();
    for (index, server) in servers.iter().enumerate() {
        let at = at.item("servers", index);
        if let Some(Port { name, .. }) = &server.port
            && !name.is_empty()
            && !names.insert(name)
        {
            context.report(
                &GW_4,
                &at.field("port").field("name"),
                format!("the port name `{name}` is there twice"),
            );
        }
        check_server(server, gateway_api, &at, context);
    }
}

fn check_server(server: &Server, gateway_api: bool, at: &At<'_>, context: &mut Context<'_>) {
    let Server {
        port,
        bind,
        hosts,
        tls,
        default_endpoint: _,
        name: _,
    } = server;
    if hosts.is_empty() {
        context.report(&GW_6, &at.field("hosts"), "a server needs at least one host");
    }
    for (index, host) in hosts.iter().enumerate() {
        check_host(host, gateway_api, &at.item("hosts", index), context);
    }
    let Some(port) = port else {
        context.report(&GW_8, &at.field("port"), "the port is missing");
        return;
    };
    let port_fits = check_port(port, bind, &at.field("port"), context);
    check_bind(bind, port.number, &at.field("bind"), context);
    if let Some(tls) = tls {
        server_tls::check(tls, &at.field("tls"), context);
    }
    if port_fits {
        check_tls(
            Protocol::parse(&port.protocol),
            tls.as_deref(),
            &at.field("tls"),
            context,
        );
    }
}

fn check_host(host: &str, gateway_api: bool, at: &At<'_>, context: &mut Context<'_>) {
    // A-X-5: under Gateway API semantics `~` stands for no namespace
    let verdict = match host
        .strip_prefix("~/")
        .filter(|host| gateway_api && !host.is_empty())
    {
        Some(host) => check::host_part(host, HostScope::Gateway),
        None => check::namespace_host(host, HostScope::Gateway),
    };
    let bare = host.split_once('/').map_or(host, |(_, host)| host);
    if context.is_strict() && check::ip_address(bare).is_ok() {
        return; // quirk A-X-6: upstream refuses IPv6 addresses, which have no dot
    }
    context.check(&GW_7, at, verdict);
}

/// A-GW-9..12; true if the port is fine.
fn check_port(port: &Port, bind: &str, at: &At<'_>, context: &mut Context<'_>) -> bool {
    let Port {
        number,
        protocol,
        name,
        target_port,
    } = port;
    let mut fits = true;
    if Protocol::parse(protocol) == Protocol::Unsupported {
        context.report(
            &GW_9,
            &at.field("protocol"),
            format!("the protocol `{protocol}` is not known"),
        );
        fits = false;
    }
    if *number != 0 || !bind.starts_with("unix://") {
        fits &= context.check(&GW_10, &at.field("number"), check::port(*number));
    }
    if *target_port > 0 {
        context.report(
            &GW_11,
            &at.field("targetPort"),
            "targetPort has no effect on gateways",
        );
        fits = false;
    }
    if name.is_empty() {
        context.report(&GW_12, &at.field("name"), "the name of the port is missing");
        fits = false;
    }
    fits
}

/// A-GW-13..15
fn check_bind(bind: &str, number: u32, at: &At<'_>, context: &mut Context<'_>) {
    if let Some(path) = bind.strip_prefix("unix://") {
        context.check(&GW_13, at, shared::unix_address(path));
        if number != 0 {
            context.report(
                &GW_14,
                at,
                format!("a unix address has no port, {number} is given"),
            );
        }
    } else if !bind.is_empty() {
        context.check(&GW_15, at, check::ip_address(bind));
    }
}

/// A-GW-5 and A-GW-16..18
fn check_tls(protocol: Protocol, tls: Option<&ServerTlsSettings>, at: &At<'_>, context: &mut Context<'_>) {
    let Some(tls) = tls else {
        if protocol.is_tls() {
            context.report(
                &GW_16,
                at,
                format!("a port of protocol {protocol} needs TLS settings"),
            );
        }
        return;
    };
    if tls.https_redirect && !protocol.is_http() {
        let message = format!("httpsRedirect has no effect on a port of protocol {protocol}");
        context.report(&GW_5, &at.field("httpsRedirect"), message);
    }
    if protocol.is_tls() {
        return;
    }
    if !protocol.is_http() {
        context.report(&GW_18, at, format!("a port of protocol {protocol} has no TLS"));
        return;
    }
    let passes = matches!(
        tls.mode,
        ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough
    );
    let files = [&tls.ca_certificates, &tls.private_key, &tls.server_certificate];
    if !passes || files.iter().any(|path| !path.is_empty()) {
        let message = format!("a port of protocol {protocol} has no TLS; only httpsRedirect may be set");
        context.report(&GW_17, at, message);
    }
}
