//! Policies of HTTP routes: header changes, cross-origin rules, faults, mirrors, retries (A-VS-35..62, 72..75).

use super::*;
use crate::networking::{
    Abort, AbortErrorType, CorsPolicy, Delay, HeaderOperations, Headers, HttpDelayType, HttpFaultInjection,
    HttpMirrorPolicy, HttpRetry, Percent, StringMatch,
};

/// A-VS-35..40
pub(super) fn check_headers(headers: &Headers, at: &At<'_>, context: &mut Context<'_>) {
    let Headers { request, response } = headers;
    if let Some(HeaderOperations { set, add, remove }) = request {
        let at = at.field("request");
        for (field, headers) in [("set", set), ("add", add)] {
            check_values(headers, &at.field(field), context, |name, at, context| {
                if name.is_empty() {
                    context.report(&VS_35, at, "the name of a header must not be empty");
                } else if name.starts_with(':') && !name.eq_ignore_ascii_case(":authority") {
                    context.report(&VS_36, at, format!("the pseudo header `{name}` cannot be set"));
                }
            });
        }
        check_removals(remove, &at.field("remove"), context);
    }
    if let Some(HeaderOperations { set, add, remove }) = response {
        let at = at.field("response");
        for (field, headers) in [("set", set), ("add", add)] {
            check_values(headers, &at.field(field), context, check_fixed_name);
        }
        check_removals(remove, &at.field("remove"), context);
    }
}

fn check_values(
    headers: &BTreeMap<String, String>,
    at: &At<'_>,
    context: &mut Context<'_>,
    check_name: impl Fn(&str, &At<'_>, &mut Context<'_>),
) {
    for (name, value) in headers {
        let at = at.key(name);
        check_name(name, &at, context);
        context.check(&VS_37, &at, shared::header_value(value));
    }
}

fn check_removals(names: &[String], at: &At<'_>, context: &mut Context<'_>) {
    for (index, name) in names.iter().enumerate() {
        check_fixed_name(name, &at.index(index), context);
    }
}

/// A-VS-38..40
fn check_fixed_name(name: &str, at: &At<'_>, context: &mut Context<'_>) {
    if name.is_empty() {
        context.report(&VS_38, at, "the name of a header must not be empty");
    } else if name.eq_ignore_ascii_case("host") {
        context.report(
            &VS_39,
            at,
            "the header `host` cannot be removed, nor set on responses",
        );
    } else if name.starts_with(':') {
        context.report(
            &VS_40,
            at,
            format!("the pseudo header `{name}` cannot be removed, nor set on responses"),
        );
    }
}

/// A-VS-41..46
pub(super) fn check_cors(spec: &CorsPolicy, at: &At<'_>, context: &mut Context<'_>) {
    let CorsPolicy {
        allow_origin: _,
        allow_origins,
        allow_methods,
        allow_headers,
        expose_headers,
        max_age,
        allow_credentials: _,
        unmatched_preflights: _,
    } = spec;
    for (index, origin) in allow_origins.iter().enumerate() {
        let at = at.item("allowOrigins", index);
        match origin {
            StringMatch::Regex(pattern) if !pattern.is_empty() => {
                context.check(&VS_42, &at.field("regex"), shared::regex(pattern));
            }
            origin if origin.text().is_none_or(str::is_empty) => {
                context.report(
                    &VS_41,
                    &at,
                    "an allowed origin needs one of exact, prefix and regex, not empty",
                );
            }
            _ => {}
        }
    }
    for (index, method) in allow_methods.iter().enumerate() {
        const METHODS: &[&str] = &[
            "*", "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
        ];
        if !METHODS.contains(&method.as_str()) {
            let message = format!("`{method}` is no HTTP method; they are written in capitals");
            context.report(&VS_43, &at.item("allowMethods", index), message);
        }
    }
    for (field, names) in [("allowHeaders", allow_headers), ("exposeHeaders", expose_headers)] {
        for (index, name) in names.iter().enumerate() {
            // `*` is a character of header names, so it needs no exception
            context.check(&VS_44, &at.item(field, index), shared::header_name(name));
        }
    }
    if let Some(age) = max_age {
        context.check(&VS_45, &at.field("maxAge"), shared::duration(*age));
        if age.as_nanos() % 1_000_000_000 != 0 {
            context.report(
                &VS_46,
                &at.field("maxAge"),
                format!("`{age}` is not a whole number of seconds"),
            );
        }
    }
}

/// A-VS-47..54
pub(super) fn check_fault(spec: &HttpFaultInjection, at: &At<'_>, context: &mut Context<'_>) {
    let HttpFaultInjection { delay, abort } = spec;
    if delay.is_none() && abort.is_none() {
        context.report(&VS_47, at, "a fault needs an abort or a delay");
    }
    if let Some(Delay {
        percent: _,
        http_delay_type,
        percentage,
    }) = delay
    {
        let at = at.field("delay");
        if let Some(percentage) = percentage {
            context.check(
                &VS_48,
                &at.field("percentage"),
                shared::fraction_percent(percentage),
            );
        }
        match http_delay_type {
            None => {}
            Some(HttpDelayType::FixedDelay(delay)) => {
                context.check(&VS_53, &at.field("fixedDelay"), shared::duration(*delay));
            }
            Some(HttpDelayType::ExponentialDelay(delay)) => {
                context.check(&VS_53, &at.field("exponentialDelay"), shared::duration(*delay));
                context.report(
                    &VS_54,
                    &at.field("exponentialDelay"),
                    "exponential delays are not supported",
                );
            }
        }
    }
    if let Some(Abort {
        error_type,
        percentage,
    }) = abort
    {
        let at = at.field("abort");
        if let Some(percentage) = percentage {
            context.check(
                &VS_48,
                &at.field("percentage"),
                shared::fraction_percent(percentage),
            );
        }
        match error_type {
            // quirk A-GEN-6: this warning is lost
            None => context.without_warnings(|context| {
                context.report(&VS_52, &at, "an abort without status has no effect");
            }),
            Some(AbortErrorType::GrpcStatus(status)) => {
                context.check(&VS_49, &at.field("grpcStatus"), shared::grpc_status(status));
            }
            Some(AbortErrorType::Http2Error(_)) => {
                context.report(
                    &VS_50,
                    &at.field("http2Error"),
                    "aborts with HTTP/2 errors are not supported",
                );
            }
            Some(AbortErrorType::HttpStatus(status)) => {
                let verdict = shared::http_status(i64::from(*status), context.is_strict());
                context.check(&VS_51, &at.field("httpStatus"), verdict);
            }
        }
    }
}

/// A-VS-57, A-VS-58, A-VS-62
pub(super) fn check_mirrors(mirrors: &[HttpMirrorPolicy], at: &At<'_>, context: &mut Context<'_>) {
    for (
        index,
        HttpMirrorPolicy {
            destination,
            percentage,
        },
    ) in mirrors.iter().enumerate()
    {
        let at = at.index(index);
        match destination {
            None => context.report(
                &VS_62,
                &at.field("destination"),
                "the destination of the mirror is missing",
            ),
            Some(destination) => check_destination(destination, false, &at.field("destination"), context),
        }
        check_mirror_share(percentage.as_ref(), &at.field("percentage"), context);
    }
}

/// A-VS-55, A-VS-56
pub(super) fn check_mirror_percent(percent: u32, at: &At<'_>, context: &mut Context<'_>) {
    if percent > 100 {
        context.report(&VS_55, at, format!("{percent} percent is more than 100"));
    }
    context.report_with_help(&VS_56, at, "mirrorPercent is deprecated", "use mirrorPercentage");
}

/// A-VS-57, A-VS-58
pub(super) fn check_mirror_share(percent: Option<&Percent>, at: &At<'_>, context: &mut Context<'_>) {
    let Some(Percent { value }) = percent else {
        return;
    };
    if *value < 0.0 {
        context.report(&VS_58, at, format!("{value} percent is negative"));
    } else if !(0.0..=100.0).contains(value) {
        context.report(&VS_57, at, format!("{value} percent is more than 100"));
    }
}

/// A-VS-72..75
pub(in crate::validate) fn check_retries(spec: &HttpRetry, at: &At<'_>, context: &mut Context<'_>) {
    let HttpRetry {
        attempts,
        per_try_timeout,
        retry_on,
        retry_remote_localities,
        retry_ignore_previous_hosts: _,
        backoff,
    } = spec;
    if *attempts < 0 {
        context.report(
            &VS_72,
            &at.field("attempts"),
            format!("the number of retries {attempts} is negative"),
        );
    }
    // quirk A-VS-73: backoff alone is let through
    if *attempts == 0
        && (per_try_timeout.is_some() || !retry_on.is_empty() || retry_remote_localities.is_some())
    {
        let message = "without attempts retries are switched off, and the other settings contradict that";
        context.report(&VS_73, at, message);
    }
    shared::optional_duration(context, &VS_74, &at.field("perTryTimeout"), *per_try_timeout);
    shared::optional_duration(context, &VS_74, &at.field("backoff"), *backoff);
    if retry_on.is_empty() {
        return;
    }
    for part in retry_on.split(',') {
        if !is_retry_condition(part) && !is_known_status(part) {
            context.report(
                &VS_75,
                &at.field("retryOn"),
                format!("`{part}` is no condition for retries, nor a status"),
            );
        }
    }
}

fn is_retry_condition(part: &str) -> bool {
    const CONDITIONS: &[&str] = &[
        "5xx",
        "cancelled",
        "connect-failure",
        "deadline-exceeded",
        "envoy-ratelimited",
        "gateway-error",
        "http3-post-connect-failure",
        "internal",
        "refused-stream",
        "reset",
        "reset-before-request",
        "resource-exhausted",
        "retriable-4xx",
        "retriable-headers",
        "retriable-status-codes",
        "unavailable",
    ];
    CONDITIONS.contains(&part)
}

/// Whether Go reads the text as an HTTP status that has a name; a `+` and leading zeros pass.
fn is_known_status(part: &str) -> bool {
    let digits = part.strip_prefix('+').unwrap_or(part);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let significant = digits.trim_start_matches('0');
    matches!(
        significant.parse(),
        Ok(
            100..=103
            | 200..=208
            | 226
            | 300..=305
            | 307
            | 308
            | 400..=418
            | 421..=426
            | 428
            | 429
            | 431
            | 451
            | 500..=508
            | 510
            | 511u32,
        )
    )
}
