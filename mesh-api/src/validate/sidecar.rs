//! Rules of Sidecar (A-SC).

use std::collections::{BTreeMap, BTreeSet};

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::{connection_pool, server_tls, shared, targets, virtual_service};
use crate::names::Protocol;
use crate::names::check::{self, HostScope};
use crate::networking::{
    CaptureMode, IstioEgressListener, IstioIngressListener, OutboundTrafficPolicy, OutboundTrafficPolicyMode,
    ServerTlsMode, ServerTlsSettings, Sidecar, SidecarPort,
};

rules! {
    SC_1 "A-SC-1" Error "the workload selector has labels without wildcards" cites "A-X-23";
    SC_2 "A-SC-2" Warning "a selector without labels selects the whole namespace" cites "A-X-23";
    SC_3 "A-SC-3" Error "a sidecar says something";
    SC_4 "A-SC-4" Error "an ingress listener has a port";
    SC_5 "A-SC-5" Error "a port of a sidecar has no targetPort";
    SC_6 "A-SC-6" Error "the name of a port is a DNS label" cites "A-X-1";
    SC_7 "A-SC-7" Error "the protocol of a port is known" cites "A-X-14";
    SC_8 "A-SC-8" Error "the port of an ingress listener is 1 to 65535" cites "A-X-8";
    SC_9 "A-SC-9" Error "an ingress listener binds to an IP address" cites "A-X-9";
    SC_10 "A-SC-10" Error "ports of ingress listeners are unique";
    SC_11 "A-SC-11" Error "a unix address as default endpoint is well formed" cites "A-X-13";
    SC_12 "A-SC-12" Error "the default endpoint is `host:port`";
    SC_13 "A-SC-13" Error "the default endpoint is on the workload itself";
    SC_14 "A-SC-14" Error "the port of the default endpoint is 1 to 65535" cites "A-X-8";
    SC_15 "A-SC-15" Error "TLS of a sidecar takes certificates from files alone";
    SC_16 "A-SC-16" Error "TLS of a sidecar is neither ISTIO_MUTUAL nor AUTO_PASSTHROUGH";
    SC_17 "A-SC-17" Error "TLS of a sidecar needs a port of HTTPS or TLS" cites "A-X-14";
    SC_20 "A-SC-20" Warning "HTTP limits need a port of HTTP" cites "A-X-14";
    SC_22 "A-SC-22" Error "only the last egress listener has no port";
    SC_24 "A-SC-24" Error "an egress listener without port number binds to a unix address";
    SC_25 "A-SC-25" Error "a unix address to bind to is well formed" cites "A-X-13";
    SC_26 "A-SC-26" Error "a unix listener is not captured by redirection";
    SC_27 "A-SC-27" Error "the port of an egress listener is 1 to 65535" cites "A-X-8";
    SC_28 "A-SC-28" Error "an egress listener with a port number binds to an IP address" cites "A-X-9";
    SC_29 "A-SC-29" Error "unix addresses of egress listeners are unique";
    SC_30 "A-SC-30" Error "ports of egress listeners are unique";
    SC_31 "A-SC-31" Error "an egress listener has hosts";
    SC_32 "A-SC-32" Error "a host is `namespace/host`" cites "A-X-5" "A-X-6" "A-X-7";
    SC_33 "A-SC-33" Warning "hosts do not repeat each other";
    SC_34 "A-SC-34" Warning "the host `*/*` stands alone";
    SC_35 "A-SC-35" Error "ALLOW_ANY_DYNAMIC_DNS is for the mesh alone";
    SC_36 "A-SC-36" Error "an egress proxy needs mode ALLOW_ANY";
    SC_37 "A-SC-37" Error "the host of an egress proxy is a domain name" cites "A-X-2";
    SC_38 "A-SC-38" Error "an egress proxy has a port";
}

pub(super) fn check(spec: &Sidecar, at: At<'_>, context: &mut Context<'_>) {
    let Sidecar {
        workload_selector,
        ingress,
        egress,
        inbound_connection_pool,
        outbound_traffic_policy,
    } = spec;
    if let Some(selector) = workload_selector {
        let at = at.field("workloadSelector");
        let at = at.field("labels");
        if !shared::selector(context, &SC_1, &at, &selector.labels) {
            context.stop();
            return;
        }
        targets::warn_of_no_labels(context, &SC_2, &at, &selector.labels);
    }
    if ingress.is_empty()
        && egress.is_empty()
        && outbound_traffic_policy.is_none()
        && inbound_connection_pool.is_none()
    {
        context.report(&SC_3, &at, "the sidecar says nothing");
        context.stop();
        return;
    }
    let mut ports = BTreeSet::new();
    for (index, listener) in ingress.iter().enumerate() {
        check_ingress(listener, &mut ports, &at.item("ingress", index), context);
    }
    check_egress(egress, &at.field("egress"), context);
    if let Some(pool) = inbound_connection_pool {
        connection_pool::check(pool, &at.field("inboundConnectionPool"), context);
    }
    if let Some(policy) = outbound_traffic_policy {
        check_outbound(policy, &at.field("outboundTrafficPolicy"), context);
    }
}

fn check_ingress(
    listener: &IstioIngressListener,
    ports: &mut BTreeSet<u32>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    let IstioIngressListener {
        port,
        bind,
        capture_mode: _,
        default_endpoint,
        tls,
        connection_pool,
    } = listener;
    let Some(port) = port else {
        context.report(&SC_4, &at.field("port"), "the port is missing");
        return;
    };
    let protocol = check_port(port, &at.field("port"), context);
    context.check(&SC_8, &at.field("port").field("number"), check::port(port.number));
    if !bind.is_empty() {
        context.check(&SC_9, &at.field("bind"), check::ip_address(bind));
    }
    if !ports.insert(port.number) {
        let message = format!("the port number {} is there twice", port.number);
        context.report(&SC_10, &at.field("port").field("number"), message);
    }
    if !default_endpoint.is_empty() {
        check_default_endpoint(default_endpoint, &at.field("defaultEndpoint"), context);
    }
    if let Some(tls) = tls {
        check_tls(tls, protocol, &at.field("tls"), context);
    }
    if let Some(pool) = connection_pool {
        let at = at.field("connectionPool");
        connection_pool::check(pool, &at, context);
        if pool.http.is_some() && !protocol.is_http() {
            let message = "the port is not of HTTP, only the TCP limits apply";
            context.report(&SC_20, &at.field("http"), message);
        }
    }
}

/// A-SC-5..7
fn check_port(port: &SidecarPort, at: &At<'_>, context: &mut Context<'_>) -> Protocol {
    let SidecarPort {
        number: _,
        protocol,
        name,
        target_port,
    } = port;
    if *target_port > 0 {
        context.report(
            &SC_5,
            &at.field("targetPort"),
            "targetPort has no effect on sidecars",
        );
    }
    if !name.is_empty() {
        context.check(&SC_6, &at.field("name"), check::dns_label(name));
    }
    let known = Protocol::parse(protocol);
    if !protocol.is_empty() && known == Protocol::Unsupported {
        context.report(
            &SC_7,
            &at.field("protocol"),
            format!("the protocol `{protocol}` is not known"),
        );
    }
    known
}

/// A-SC-11..14
fn check_default_endpoint(endpoint: &str, at: &At<'_>, context: &mut Context<'_>) {
    if let Some(path) = endpoint.strip_prefix("unix://") {
        context.check(&SC_11, at, shared::unix_address(path));
        return;
    }
    let Some((host, port)) = split_host_port(endpoint) else {
        context.report(&SC_12, at, format!("`{endpoint}` is not of the form `host:port`"));
        return;
    };
    if !matches!(host, "" | "127.0.0.1" | "0.0.0.0" | "::1" | "::") {
        let message =
            format!("the host `{host}` is not the workload itself: 127.0.0.1, 0.0.0.0, [::1] or [::]");
        context.report(&SC_13, at, message);
    }
    match port.parse::<i64>() {
        Ok(number) => {
            context.check(&SC_14, at, check::port(number));
        }
        Err(_) => context.report(&SC_14, at, format!("the port `{port}` is not a number")),
    }
}

/// Host and port as Go splits them: IPv6 addresses need brackets, and there is no other colon.
pub(super) fn split_host_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once("]:")?,
        None => text.split_once(':')?,
    };
    (!port.contains([':', '[', ']']) && !host.contains(['[', ']'])).then_some((host, port))
}

/// A-SC-15..18
fn check_tls(tls: &ServerTlsSettings, protocol: Protocol, at: &At<'_>, context: &mut Context<'_>) {
    for (field, is_set) in [
        ("subjectAltNames", !tls.subject_alt_names.is_empty()),
        ("httpsRedirect", tls.https_redirect),
        ("credentialName", !tls.credential_name.is_empty()),
        ("credentialNames", !tls.credential_names.is_empty()),
        ("tlsCertificates", !tls.tls_certificates.is_empty()),
    ] {
        if is_set {
            context.report(
                &SC_15,
                &at.field(field),
                format!("{field} is not supported on sidecars"),
            );
        }
    }
    if matches!(
        tls.mode,
        ServerTlsMode::IstioMutual | ServerTlsMode::AutoPassthrough
    ) {
        context.report(
            &SC_16,
            &at.field("mode"),
            format!("the mode {} is not supported on sidecars", tls.mode),
        );
    }
    if !protocol.is_tls() {
        context.report(&SC_17, at, "TLS needs a port of protocol HTTPS or TLS");
    }
    server_tls::check(tls, at, context);
}

fn check_egress(egress: &[IstioEgressListener], at: &At<'_>, context: &mut Context<'_>) {
    let (mut ports, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for (index, listener) in egress.iter().enumerate() {
        let at = at.index(index);
        let IstioEgressListener {
            port,
            bind,
            capture_mode,
            hosts,
        } = listener;
        match port {
            None if index + 1 < egress.len() => {
                context.report(
                    &SC_22,
                    &at.field("port"),
                    "the port is missing: only the last listener may have none",
                );
            }
            None => {}
            Some(port) => {
                check_port(port, &at.field("port"), context);
                if port.number == 0 {
                    check_unix_listener(bind, *capture_mode, &mut paths, &at, context);
                } else {
                    let number_at = at.field("port");
                    let number_at = number_at.field("number");
                    context.check(&SC_27, &number_at, check::port(port.number));
                    if !bind.is_empty() {
                        context.check(&SC_28, &at.field("bind"), check::ip_address(bind));
                    }
                    if !ports.insert(port.number) {
                        context.report(
                            &SC_30,
                            &number_at,
                            format!("the port number {} is there twice", port.number),
                        );
                    }
                }
            }
        }
        check_hosts(hosts, &at.field("hosts"), context);
    }
}

/// A-SC-24..26 and A-SC-29
fn check_unix_listener<'a>(
    bind: &'a str,
    capture_mode: CaptureMode,
    paths: &mut BTreeSet<&'a str>,
    at: &At<'_>,
    context: &mut Context<'_>,
) {
    match bind.strip_prefix("unix://") {
        None => {
            let message = "a listener without port number needs a unix address to bind to";
            context.report(&SC_24, &at.field("bind"), message);
        }
        Some(path) => {
            context.check(&SC_25, &at.field("bind"), shared::unix_address(path));
        }
    }
    if !matches!(capture_mode, CaptureMode::Default | CaptureMode::None) {
        let message = format!("the capture mode {capture_mode} does not go with a unix address");
        context.report(&SC_26, &at.field("captureMode"), message);
    }
    if !paths.insert(bind) {
        context.report(
            &SC_29,
            &at.field("bind"),
            format!("the address `{bind}` is there twice"),
        );
    }
}

/// A-SC-31..34
fn check_hosts(names: &[String], at: &At<'_>, context: &mut Context<'_>) {
    if names.is_empty() {
        context.report(&SC_31, at, "the listener needs at least one host");
    }
    let own = context.namespace();
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (index, name) in names.iter().enumerate() {
        let at = at.index(index);
        context.check(&SC_32, &at, check::namespace_host(name, HostScope::Sidecar));
        let Some((namespace, host)) = name
            .split_once('/')
            .filter(|(namespace, _)| !namespace.starts_with('~'))
        else {
            continue;
        };
        let namespace = if namespace == "." { own.as_str() } else { namespace };
        let hosts = seen.entry(namespace).or_default();
        if hosts.contains(host) || hosts.contains("*") || (host == "*" && !hosts.is_empty()) {
            context.report(
                &SC_33,
                &at,
                format!("`{name}` repeats or covers hosts of the same namespace before"),
            );
        }
        hosts.insert(host);
    }
    let everything = seen.get("*").is_some_and(|hosts| hosts.contains("*"));
    if everything && seen.len() > 1 {
        context.report(
            &SC_34,
            at,
            "`*/*` imports everything, the other hosts add nothing",
        );
    }
}

/// A-SC-35..38
fn check_outbound(policy: &OutboundTrafficPolicy, at: &At<'_>, context: &mut Context<'_>) {
    const ALLOW_ANY_DYNAMIC_DNS: OutboundTrafficPolicyMode = OutboundTrafficPolicyMode::Unrecognized(3);
    let OutboundTrafficPolicy { mode, egress_proxy } = policy;
    if *mode == ALLOW_ANY_DYNAMIC_DNS {
        context.report(
            &SC_35,
            &at.field("mode"),
            "ALLOW_ANY_DYNAMIC_DNS can be set for the mesh alone",
        );
        return;
    }
    let Some(proxy) = egress_proxy else {
        return;
    };
    let at = at.field("egressProxy");
    if *mode != OutboundTrafficPolicyMode::AllowAny {
        context.report(&SC_36, &at, "an egress proxy needs mode ALLOW_ANY");
        return;
    }
    context.check(&SC_37, &at.field("host"), check::fqdn(&proxy.host));
    match &proxy.port {
        None => context.report(
            &SC_38,
            &at.field("port"),
            "the port of the egress proxy is missing",
        ),
        Some(_) => virtual_service::check_destination(proxy, false, &at, context),
    }
}
