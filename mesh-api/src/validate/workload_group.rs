//! Rules of WorkloadGroup (A-WG).

use super::at::At;
use super::context::Context;
use super::rule::rules;
use super::shared;
use crate::names::check;
use crate::networking::{
    ExecHealthCheckConfig, GrpcHealthCheckConfig, HealthCheckMethod, HttpHeader, HttpHealthCheckConfig,
    ReadinessProbe, TcpHealthCheckConfig, WorkloadGroup, WorkloadGroupMetadata,
};

rules! {
    WG_1 "A-WG-1" Error "a group has a template";
    WG_2 "A-WG-2" Error "the labels of the entries are valid labels" cites "A-X-12";
    WG_3 "A-WG-3" Error "times and thresholds of a probe are not negative";
    WG_4 "A-WG-4" Error "the port of a probe is 1 to 65535" cites "A-X-8";
    WG_5 "A-WG-5" Error "the scheme of a probe is HTTP or HTTPS";
    WG_6 "A-WG-6" Error "the name of a probe's header has letters, digits and hyphens" cites "A-X-17";
    WG_7 "A-WG-7" Error "a probe by a command names the command";
    WG_8 "A-WG-8" Error "a probe has a method that istiod knows";
}

pub(super) fn check(spec: &WorkloadGroup, at: At<'_>, context: &mut Context<'_>) {
    let WorkloadGroup {
        metadata,
        template,
        probe,
    } = spec;
    if template.is_none() {
        context.report(
            &WG_1,
            &at.field("template"),
            "the template of the entries is missing",
        );
        return;
    }
    // the template itself has no rule of istiod's: its address comes with the workload
    if let Some(WorkloadGroupMetadata {
        labels,
        annotations: _,
    }) = metadata
        && !shared::label_map(context, &WG_2, &at.field("metadata").field("labels"), labels)
    {
        return;
    }
    if let Some(probe) = probe {
        check_probe(probe, &at.field("probe"), context);
    }
}

fn check_probe(probe: &ReadinessProbe, at: &At<'_>, context: &mut Context<'_>) {
    let ReadinessProbe {
        initial_delay_seconds,
        timeout_seconds,
        period_seconds,
        success_threshold,
        failure_threshold,
        health_check_method,
    } = probe;
    for (field, value) in [
        ("initialDelaySeconds", initial_delay_seconds),
        ("timeoutSeconds", timeout_seconds),
        ("periodSeconds", period_seconds),
        ("successThreshold", success_threshold),
        ("failureThreshold", failure_threshold),
    ] {
        if *value < 0 {
            context.report(&WG_3, &at.field(field), format!("{field} is negative: {value}"));
        }
    }
    match health_check_method {
        Some(HealthCheckMethod::HttpGet(probe)) => check_http(probe, &at.field("httpGet"), context),
        Some(HealthCheckMethod::TcpSocket(TcpHealthCheckConfig { host: _, port })) => {
            context.check(&WG_4, &at.field("tcpSocket").field("port"), check::port(*port));
        }
        Some(HealthCheckMethod::Exec(ExecHealthCheckConfig { command })) => {
            if command.is_empty() {
                let at = at.field("exec");
                context.report(&WG_7, &at.field("command"), "the command of the probe is missing");
            }
        }
        Some(HealthCheckMethod::Grpc(GrpcHealthCheckConfig { port: _, service: _ })) => {
            let message = "istiod refuses probes by gRPC, although the API has them";
            let help = "use httpGet, tcpSocket or exec";
            // quirk A-WG-8: the validator does not know the method
            match context.is_strict() {
                true => context.warn_with_help(&WG_8, &at.field("grpc"), message, help),
                false => context.report_with_help(&WG_8, &at.field("grpc"), message, help),
            }
        }
        None => {
            let message = "the probe has no method";
            context.report_with_help(&WG_8, at, message, "set httpGet, tcpSocket or exec");
        }
    }
}

fn check_http(probe: &HttpHealthCheckConfig, at: &At<'_>, context: &mut Context<'_>) {
    let HttpHealthCheckConfig {
        path: _,
        port,
        host: _,
        scheme,
        http_headers,
    } = probe;
    context.check(&WG_4, &at.field("port"), check::port(*port));
    if !matches!(scheme.as_str(), "" | "HTTP" | "HTTPS") {
        let message = format!("the scheme `{scheme}` is neither HTTP nor HTTPS");
        context.report_with_suggestion(&WG_5, &at.field("scheme"), message, scheme, &["HTTP", "HTTPS"]);
    }
    for (index, HttpHeader { name, value: _ }) in http_headers.iter().enumerate() {
        let at = at.item("httpHeaders", index);
        context.check(&WG_6, &at.field("name"), shared::probe_header_name(name));
    }
}
