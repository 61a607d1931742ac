//! Operations: what is asked for (A-AP-21..26).

use super::source::check_each;
use super::*;

pub(super) fn check(spec: &Operation, at: &At<'_>, context: &mut Context<'_>) {
    let Operation {
        hosts,
        not_hosts,
        ports,
        not_ports,
        methods,
        not_methods,
        paths,
        not_paths,
    } = spec;
    let lists = [
        ("hosts", hosts),
        ("notHosts", not_hosts),
        ("ports", ports),
        ("notPorts", not_ports),
        ("methods", methods),
        ("notMethods", not_methods),
        ("paths", paths),
        ("notPaths", not_paths),
    ];
    if lists.iter().all(|(_, values)| values.is_empty()) {
        context.report(&AP_21, at, "the operation says nothing");
    }
    for (field, values) in lists {
        let at = at.field(field);
        for (index, _) in values.iter().enumerate().filter(|(_, value)| value.is_empty()) {
            context.report(&AP_23, &at.index(index), "the value is empty");
        }
        match field {
            "ports" | "notPorts" => check_each(&AP_22, values, &at, context, port),
            "paths" | "notPaths" => {
                for (index, path) in values.iter().enumerate() {
                    check_path(path, &at.index(index), context);
                }
            }
            _ => {}
        }
    }
}

/// A decimal number up to 65535; zero is allowed.
pub(super) fn port(value: &str) -> Result<(), String> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse::<u64>() {
        Ok(0..=65535) if digits => Ok(()),
        _ => Err(format!("`{value}` is no port from 0 to 65535")),
    }
}

/// A-AP-24..26, the first failure of a path only.
fn check_path(path: &str, at: &At<'_>, context: &mut Context<'_>) {
    const ANY: &str = "{**}";
    const ONE: &str = "{*}";
    let has_operator = path.contains(ANY) || path.contains(ONE);
    let mut ended = false;
    for segment in path.trim_matches('/').split('/') {
        let is_operator = segment == ANY || segment == ONE;
        if is_operator && ended {
            let message = format!("`{path}`: no operator may follow `{{**}}`");
            return context.report(&AP_24, at, message);
        }
        ended |= segment == ANY;
        if is_operator {
            continue;
        }
        if segment.contains(['{', '}']) {
            let message = format!("`{path}`: the segment `{segment}` has braces and is no operator");
            let help = "the operators are `{*}` and `{**}`, each a whole segment";
            return context.report_with_help(&AP_25, at, message, help);
        }
        if has_operator && !is_literal(segment) {
            let message = format!("`{path}`: the segment `{segment}` cannot stand beside operators");
            return context.report(&AP_26, at, message);
        }
    }
}

/// The characters of a path segment by RFC 3986, but for `*`.
fn is_literal(segment: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()+,;:@=".contains(&byte);
    !segment.is_empty() && segment.bytes().all(allowed)
}
