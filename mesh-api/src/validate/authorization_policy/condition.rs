//! Conditions on attributes (A-AP-27..35).

use super::operation::port;
use super::source::{check_accounts, check_each, wildcard_at_end};
use super::*;
use crate::names::check;

/// Attributes that stand for themselves.
const PLAIN: &[&str] = &[
    "connection.sni",
    "destination.ip",
    "destination.port",
    "remote.ip",
    "request.auth.audiences",
    "request.auth.presenter",
    "request.auth.principal",
    "source.ip",
    "source.namespace",
    "source.principal",
    "source.serviceAccount",
    "source.trustDomain",
];

/// Beginnings of attributes that have entries.
const MAPS: &[&str] = &[
    "experimental.envoy.filters.",
    "request.auth.claims",
    "request.headers",
];

pub(super) fn check(spec: &Condition, at: &At<'_>, context: &mut Context<'_>) {
    let Condition {
        key,
        values,
        not_values,
    } = spec;
    let key_at = at.field("key");
    if key.is_empty() {
        return context.report(&AP_27, &key_at, "the attribute of the condition is missing");
    }
    if values.is_empty() && not_values.is_empty() {
        context.report(&AP_28, at, "the condition has neither values nor notValues");
    }
    check_key(key, &key_at, context);
    for (field, values) in [("values", values), ("notValues", not_values)] {
        let at = at.field(field);
        for (index, _) in values.iter().enumerate().filter(|(_, value)| value.is_empty()) {
            context.report(&AP_29, &at.index(index), "the value is empty");
        }
        match key.as_str() {
            "source.ip" | "remote.ip" | "destination.ip" => {
                check_each(&AP_31, values, &at, context, check::ip_subnet);
            }
            "destination.port" => check_each(&AP_32, values, &at, context, port),
            "source.serviceAccount" => check_accounts(&[&AP_33; 4], values, &at, context),
            "source.trustDomain" => check_each(&AP_33, values, &at, context, wildcard_at_end),
            _ => {}
        }
    }
}

/// A-AP-30, A-AP-34, A-AP-35
fn check_key(key: &str, at: &At<'_>, context: &mut Context<'_>) {
    if let Some(prefix) = MAPS.iter().find(|prefix| key.starts_with(**prefix)) {
        let entry = key.split_once('[').and_then(|(_, entry)| entry.strip_suffix(']'));
        if entry.is_none_or(str::is_empty) {
            let message = format!("`{key}` does not say which entry is meant");
            let help = format!("write `{}[entry]`", prefix.trim_end_matches('.'));
            context.report_with_help(&AP_30, at, message, help);
        }
        return;
    }
    if PLAIN.contains(&key) {
        return;
    }
    let instead = match key {
        "destination.namespace" => "the policy's own namespace",
        "destination.user" => "nothing: it was removed",
        "destination.name" => "nothing: it was removed; use the selector",
        key if key.starts_with("destination.labels") => "the selector",
        _ => {
            let message = format!("the attribute `{key}` is not known");
            let known: Vec<&str> = PLAIN.iter().chain(MAPS).copied().collect();
            return context.report_with_suggestion(&AP_35, at, message, key, &known);
        }
    };
    context.report(&AP_34, at, format!("`{key}` is replaced by {instead}"));
}
