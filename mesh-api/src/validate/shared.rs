//! Conditions that several kinds share (api.md 2.1); those on names alone are in [`names::check`](crate::names::check).

use std::collections::{BTreeMap, BTreeSet};

use super::at::At;
use super::context::Context;
use super::rule::Rule;
use crate::names::{check, re2};
use crate::networking::GRPC_STATUSES;
use crate::networking::Percent;
use crate::scalar::Duration;

/// Longest regular expression in bytes.
const REGEX_LIMIT: usize = 1024;

type Verdict = Result<(), String>;

/// A-X-11: at least 1 ms, whole milliseconds.
pub(super) fn duration(value: Duration) -> Verdict {
    const MILLI: i64 = 1_000_000;
    match value.as_nanos() {
        nanos if nanos < MILLI => Err(format!("the duration `{value}` is shorter than 1ms")),
        nanos if nanos % MILLI != 0 => Err(format!(
            "the duration `{value}` is not a whole number of milliseconds"
        )),
        _ => Ok(()),
    }
}

/// A-X-11 for a field that may be absent.
pub(super) fn optional_duration(
    context: &mut Context<'_>,
    rule: &Rule,
    at: &At<'_>,
    value: Option<Duration>,
) {
    if let Some(value) = value {
        context.check(rule, at, duration(value));
    }
}

/// A-X-12, each bad entry; true if there is none.
pub(super) fn label_map(
    context: &mut Context<'_>,
    rule: &Rule,
    at: &At<'_>,
    labels: &BTreeMap<String, String>,
) -> bool {
    let mut fits = true;
    for (key, value) in labels {
        let at = at.key(key);
        fits &= context.check(rule, &at, check::label_key(key))
            && context.check(rule, &at, check::label_value(value));
        if context.is_strict() && value.len() > 63 {
            // quirk A-X-12: upstream has no limit on values
            context.report(
                rule,
                &at,
                format!(
                    "the label value has {} bytes, at most 63 are allowed",
                    value.len()
                ),
            );
            fits = false;
        }
    }
    fits
}

/// A-X-13, the text after `unix://`.
pub(super) fn unix_address(path: &str) -> Verdict {
    if path.is_empty() {
        Err("the path of a unix address must not be empty".to_owned())
    } else if path.starts_with('@') || (path.starts_with('/') && !path.ends_with('/')) {
        Ok(())
    } else {
        Err(format!(
            "`{path}` is neither an abstract address `@name` nor an absolute path of a file"
        ))
    }
}

/// A-X-15: the characters of a header name; quirk: the class as written upstream admits a comma.
pub(super) fn header_name(name: &str) -> Verdict {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+,-.^_`|~".contains(&byte);
    match !name.is_empty() && name.bytes().all(known) {
        true => Ok(()),
        false => Err(format!("`{name}` is no header name")),
    }
}

/// A-X-16: the characters of a header name without those that are rarely meant.
pub(super) fn strict_header_name(name: &str) -> Verdict {
    plain_name(name, b"-_", "letters, digits, `-` and `_`")
}

/// A-X-17: the same without underscores, for probes.
pub(super) fn probe_header_name(name: &str) -> Verdict {
    plain_name(name, b"-", "letters, digits and `-`")
}

fn plain_name(name: &str, others: &[u8], what: &str) -> Verdict {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
    match (name.is_empty(), name.bytes().all(known)) {
        (true, _) => Err("the name of the header is missing".to_owned()),
        (_, true) => Ok(()),
        _ => Err(format!("`{name}` is no name of a header of {what}")),
    }
}

/// A-X-18: the substitutions of a header value.
pub(super) fn header_value(value: &str) -> Verdict {
    if let Some((offset, byte)) = value
        .bytes()
        .enumerate()
        .find(|(_, byte)| matches!(byte, 0..=8 | 10..=31 | 127))
    {
        return Err(format!(
            "a header value must not hold the control character {byte:#04x}, at byte {offset}"
        ));
    }
    let mut state = Substitution::Literal;
    let mut bytes = value.bytes().peekable();
    while let Some(byte) = bytes.next() {
        state = match state.after(byte, &mut bytes) {
            Some(next) => next,
            None => return Err(format!("`{value}` holds a malformed `%` substitution")),
        };
    }
    match state {
        Substitution::Literal => Ok(()),
        _ => Err(format!(
            "`{value}` ends inside a `%` substitution; write `%%` for a percent sign"
        )),
    }
}

/// Where a reader of a header value stands.
#[derive(Clone, Copy)]
enum Substitution {
    Args,
    Close,
    End,
    Literal,
    Name,
    Quote,
    Separator,
    Text,
}

impl Substitution {
    fn after(self, byte: u8, rest: &mut std::iter::Peekable<std::str::Bytes<'_>>) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Literal, b'%') => match rest.peek()? {
                b'%' => {
                    rest.next();
                    Self::Literal
                }
                _ => Self::Name,
            },
            (Self::Name, b'%') => Self::Literal,
            (Self::Name, b'(') => Self::Args,
            (Self::Args, b'[') => Self::Quote,
            // quirk A-X-18: any other byte is swallowed, so that `%VAR()%` never closes
            (Self::Args, byte) if byte != b' ' => Self::Text,
            (Self::Quote, b'"') => Self::Text,
            (Self::Text, b'\\') => {
                rest.next()?;
                Self::Text
            }
            (Self::Text, b')') => Self::End,
            (Self::Text, b'"') => Self::Separator,
            (Self::Separator, b',') => Self::Quote,
            (Self::Separator, b']') => Self::Close,
            (Self::Close, b')') => Self::End,
            (Self::End, b'%') => Self::Literal,
            (Self::Literal | Self::Name | Self::Text, _) | (_, b' ') => self,
            _ => return None,
        })
    }
}

/// A-X-19: whether the key of a header condition means a claim of a verified token.
pub(crate) fn is_jwt_claim(key: &str) -> bool {
    const PREFIX: &str = "@request.auth.claims";
    let Some((prefix, rest)) = key.split_at_checked(PREFIX.len()) else {
        return false;
    };
    let claim = match rest.strip_prefix('.') {
        Some(claim) => Some(claim),
        None => rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')),
    };
    prefix.eq_ignore_ascii_case(PREFIX) && claim.is_some_and(|claim| !claim.is_empty())
}

/// A-X-20
pub(super) fn regex(pattern: &str) -> Verdict {
    if pattern.len() > REGEX_LIMIT {
        return Err(format!(
            "the regular expression has {} bytes, at most {REGEX_LIMIT} are allowed",
            pattern.len()
        ));
    }
    re2::check_re2(pattern).map_err(|error| format!("`{pattern}` is no regular expression of RE2: {error}"))
}

/// A-X-22
pub(super) fn export_to(
    context: &mut Context<'_>,
    rule: &Rule,
    at: &At<'_>,
    entries: &[String],
    scope: ExportScope,
) {
    let namespace = context.namespace();
    let mut seen = BTreeSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let at = at.index(index);
        // `.` and the own namespace are one and the same entry
        let resolved = if entry == "." {
            namespace.as_str()
        } else {
            entry.as_str()
        };
        let fits = match entry.as_str() {
            "*" => true,
            "~" => scope == ExportScope::ServiceEntry,
            _ => check::dns_label(resolved).is_ok(),
        };
        if !fits {
            let message = format!("`{entry}` is no namespace to export to: `.`, `*` or a name is needed");
            context.report(rule, &at, message);
        } else if !seen.insert(resolved) {
            context.report(
                rule,
                &at,
                format!("`{entry}` is there twice, `.` being `{namespace}`"),
            );
        }
    }
    for (all, meaning) in [("*", "every namespace"), ("~", "no namespace")] {
        if seen.contains(all) && seen.len() > 1 {
            context.report(rule, at, format!("`{all}` means {meaning} and must stand alone"));
        }
    }
    if scope == ExportScope::SelectingDestinationRule && !entries.is_empty() {
        if !seen.contains(namespace.as_str()) {
            let message = "a rule with a workload selector must not be exported beyond its own namespace";
            context.report(rule, at, message);
        } else if seen.len() > 1 {
            context.report(
                rule,
                at,
                "a rule with a workload selector must be exported to its own namespace alone",
            );
        }
    }
}

/// Whose `exportTo` it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ExportScope {
    Other,
    SelectingDestinationRule,
    ServiceEntry,
}

/// The errors of A-X-23 and A-X-24; true if there are none.
pub(super) fn selector(
    context: &mut Context<'_>,
    rule: &Rule,
    at: &At<'_>,
    labels: &BTreeMap<String, String>,
) -> bool {
    let mut fits = true;
    for (key, value) in labels {
        let problem = match (key.is_empty(), key.contains('*'), value.contains('*')) {
            (true, ..) => "the key of a label must not be empty",
            (_, true, _) => "wildcards are not supported in keys of labels",
            (.., true) => "wildcards are not supported in values of labels",
            _ => continue,
        };
        context.report(rule, &at.key(key), problem);
        fits = false;
    }
    fits
}

/// A-X-29 for a list; the warnings and errors go under `rule`.
pub(super) fn gateway_refs(context: &mut Context<'_>, rule: &Rule, at: &At<'_>, names: &[String]) {
    let gateway_api = context.gateway_api(super::virtual_service::SEMANTICS);
    for (index, name) in names.iter().enumerate() {
        let at = at.index(index);
        let Some((namespace, gateway)) = name.split_once('/') else {
            if name.contains('.') {
                let message =
                    format!("the domain form `{name}` of a gateway reference is old, write `namespace/name`");
                context.warn(rule, &at, message);
            }
            context.check(rule, &at, check::fqdn(name));
            if !context.is_strict() {
                return; // quirk A-X-29: the other names are not looked at
            }
            continue;
        };
        if namespace.is_empty() || gateway.is_empty() {
            context.report(
                rule,
                &at,
                format!("`{name}` needs a namespace and a name around the slash"),
            );
            continue;
        }
        context.check(rule, &at, check::dns_label(namespace));
        if !gateway_api {
            context.check(rule, &at, check::dns_label(gateway));
        }
    }
}

/// A-X-30
pub(super) fn percent100(value: i32) -> Verdict {
    match (0..=100).contains(&value) {
        true => Ok(()),
        false => Err(format!("{value} is no percentage from 0 to 100")),
    }
}

/// A-X-31
pub(super) fn fraction_percent(percent: &Percent) -> Verdict {
    match percent.value {
        value if value == 0.0 || (0.0001..=100.0).contains(&value) => Ok(()),
        value => Err(format!("{value} is no percentage: 0, or 0.0001 to 100")),
    }
}

/// A-X-32; quirk: upstream lets 600 pass while it says 599.
pub(super) fn http_status(status: i64, strict: bool) -> Verdict {
    let last = if strict { 599 } else { 600 };
    match (200..=last).contains(&status) {
        true => Ok(()),
        false => Err(format!("{status} is no HTTP status from 200 to 599")),
    }
}

/// A-X-33
pub(super) fn grpc_status(name: &str) -> Verdict {
    match GRPC_STATUSES.contains(&name) {
        true => Ok(()),
        false => Err(format!("`{name}` is no gRPC status")),
    }
}

/// A-X-27
pub(super) fn is_cipher(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "AES128-GCM-SHA256",
        "AES128-SHA",
        "AES256-GCM-SHA384",
        "AES256-SHA",
        "ALL",
        "DES-CBC3-SHA",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-SHA",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ];
    let operator = name
        .bytes()
        .next()
        .is_none_or(|byte| !byte.is_ascii_alphanumeric());
    operator || NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        // A-X-11
        for (text, fits) in [
            ("1ms", true),
            ("1.5s", true),
            ("0s", false),
            ("-1s", false),
            ("1500us", false),
            ("999us", false),
        ] {
            assert_eq!(duration(text.parse().unwrap()).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn unix_addresses() {
        // A-X-13
        for (path, fits) in [
            ("/var/run/x", true),
            ("@abstract", true),
            ("", false),
            ("x/y", false),
            ("/dir/", false),
        ] {
            assert_eq!(unix_address(path).is_ok(), fits, "{path}");
        }
    }

    #[test]
    fn header_names_and_values() {
        // A-X-15
        for (name, fits) in [
            ("x-Foo_1", true),
            ("a,b", true),
            ("", false),
            ("a b", false),
            ("a:b", false),
            ("\u{e9}", false),
        ] {
            assert_eq!(header_name(name).is_ok(), fits, "{name}");
        }
        // A-X-18
        for (value, fits) in [
            ("", true),
            ("plain text\t\u{e9}", true),
            ("100%%", true),
            ("%PROTOCOL%", true),
            ("a%START_TIME(%s)%b", true),
            ("%DYNAMIC_METADATA([\"a\", \"b\"])%", true),
            ("%DYNAMIC_METADATA( [\"a\"] ) %", true),
            ("%UPSTREAM_METADATA([\"a\\\"b\"])%", true),
            ("100%", false),
            ("%PROTOCOL", false),
            ("%VAR()%", false),
            ("%VAR(x)y%", false),
            ("%VAR([x])%", false),
            ("%VAR([\"a\" \"b\"])%", false),
            ("%VAR([\"a\"]x)%", false),
            ("%VAR(a\\", false),
            ("line\nbreak", false),
            ("\u{7f}", false),
        ] {
            assert_eq!(header_value(value).is_ok(), fits, "{value}");
        }
    }

    #[test]
    fn jwt_claims() {
        // A-X-19
        for (key, fits) in [
            ("@request.auth.claims.sub", true),
            ("@Request.Auth.Claims.a.b", true),
            ("@request.auth.claims[https://x.y/z]", true),
            ("@request.auth.claims[a][b]", true),
            ("@request.auth.claims", false),
            ("@request.auth.claims.", false),
            ("@request.auth.claims[]", false),
            ("@request.auth.claims[a", false),
            ("@request.auth.claimsx", false),
            ("x", false),
        ] {
            assert_eq!(is_jwt_claim(key), fits, "{key}");
        }
    }

    #[test]
    fn regexes_percents_and_statuses() {
        // A-X-20
        assert!(regex(&"a".repeat(1024)).is_ok() && regex(&"a".repeat(1025)).is_err() && regex("(").is_err());
        // A-X-30, A-X-31; NaN is out of range (A-WIRE-6)
        for (value, fits) in [
            (0.0, true),
            (0.0001, true),
            (100.0, true),
            (0.00001, false),
            (100.1, false),
            (-1.0, false),
            (f64::NAN, false),
        ] {
            assert_eq!(fraction_percent(&Percent::new(value)).is_ok(), fits, "{value}");
        }
        assert!(
            percent100(0).is_ok()
                && percent100(100).is_ok()
                && percent100(101).is_err()
                && percent100(-1).is_err()
        );
        // A-X-32
        for (status, fits, strict) in [
            (200, true, true),
            (599, true, true),
            (600, true, false),
            (601, false, false),
            (199, false, false),
        ] {
            assert_eq!(
                (
                    http_status(status, false).is_ok(),
                    http_status(status, true).is_ok()
                ),
                (fits, strict),
                "{status}"
            );
        }
        // A-X-33
        assert!(
            grpc_status("NOT_FOUND").is_ok() && grpc_status("not_found").is_err() && grpc_status("").is_err()
        );
        // A-X-27
        for (name, fits) in [
            ("", true),
            ("ALL", true),
            ("-ALL", true),
            ("[A|B]", true),
            ("AES128-SHA", true),
            ("aes128-sha", false),
            ("RC4", false),
        ] {
            assert_eq!(is_cipher(name), fits, "{name}");
        }
    }
}
