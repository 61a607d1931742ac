//! The checks on names that the validators and the checked constructors share (api.md 2.1, A-X).
//!
//! Each takes text and says `Ok(())` or why not. They are istiod's checks, not those of the RFCs: upper case passes in DNS
//! labels, an underscore does not.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why a text is not the name it was meant to be, and at which byte that shows.
///
/// ```
/// use mesh_api::names::check;
///
/// let error = check::fqdn("reviews.shop_1.svc").unwrap_err();
/// assert_eq!(error.offset(), 12);
/// assert_eq!(error.to_string(), "`_` is not allowed in a DNS label");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckError {
    kind: Problem,
    offset: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    Empty(&'static str),
    TooLong {
        what: &'static str,
        length: usize,
        limit: usize,
    },
    BadChar {
        what: &'static str,
        found: char,
    },
    BadEdge {
        what: &'static str,
    },
    NumericTopLevel,
    ShortHost,
    PartialWildcard,
    MissingNamespace,
    PortRange,
    NotAnAddress,
    BadPrefixLength,
    BadSni,
}

impl CheckError {
    /// The byte of the text where the problem shows; 0 if it is with the whole.
    pub fn offset(&self) -> usize {
        self.offset
    }

    fn new(kind: Problem) -> Self {
        Self { kind, offset: 0 }
    }

    fn at(mut self, offset: usize) -> Self {
        self.offset += offset;
        self
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Problem::Empty(what) => write!(f, "{what} must not be empty"),
            Problem::TooLong { what, length, limit } => {
                write!(f, "{what} has {length} bytes, at most {limit} are allowed")
            }
            Problem::BadChar { what, found } => {
                write!(f, "`{}` is not allowed in {what}", found.escape_default())
            }
            Problem::BadEdge { what } => write!(f, "{what} must start and end with a letter or digit"),
            Problem::NumericTopLevel => f.write_str("the last label of a domain name must not be a number"),
            Problem::ShortHost => {
                f.write_str("a short name is not allowed here, a name with a dot is needed")
            }
            Problem::PartialWildcard => {
                f.write_str("a partial wildcard is not allowed, `*` must be followed by a dot")
            }
            Problem::MissingNamespace => f.write_str("the form `namespace/host` is needed"),
            Problem::PortRange => f.write_str("a port is a number from 1 to 65535"),
            Problem::NotAnAddress => f.write_str("not an IPv4 or IPv6 address"),
            Problem::BadPrefixLength => f.write_str("the prefix length does not fit the address"),
            Problem::BadSni => {
                f.write_str("an `outbound_` server name has four parts: outbound_PORT_SUBSET_HOST")
            }
        }
    }
}

impl std::error::Error for CheckError {}

type Check = Result<(), CheckError>;

/// A-X-1 DnsLabel: 1 to 63 letters, digits and hyphens, a letter or digit at both ends.
///
/// # Errors
/// When the text is no such label.
pub fn dns_label(text: &str) -> Check {
    label(text, "a DNS label", 63, |byte| byte == b'-')
}

/// A-X-2 FQDN: 1 to 255 bytes of DNS labels between dots, the last one not a number; one trailing dot is allowed.
///
/// # Errors
/// When a label or the whole breaks these rules.
pub fn fqdn(text: &str) -> Check {
    length(text, "a domain name", 255)?;
    domain_labels(text)
}

/// A-X-3 WildcardDomain: like [`fqdn`], but the first label may be `*`, `*label` or `*-label`.
///
/// # Errors
/// When a label or the whole breaks these rules.
pub fn wildcard_domain(text: &str) -> Check {
    length(text, "a domain name", 255)?;
    let (first, rest) = match cut_at_dot(text) {
        Some((first, rest)) => (first, Some(rest)),
        None => (text, None),
    };
    match first.strip_prefix('*') {
        None => dns_label(first)?,
        Some("") => {}
        Some(tail) => {
            length(first, "a DNS label", 63)?;
            let label = tail.strip_prefix('-').unwrap_or(tail);
            dns_label(label).map_err(|error| error.at(first.len() - label.len()))?;
        }
    }
    match rest {
        None | Some("") => Ok(()),
        Some(rest) => domain_labels(rest).map_err(|error| error.at(first.len() + 1)),
    }
}

/// A-X-4 GatewayVsDomain: what a VirtualService bound to a gateway may name. As an `sni`, a name that starts with
/// `outbound_` is the name of an AUTO_PASSTHROUGH cluster instead.
///
/// # Errors
/// When it is neither.
pub fn gateway_vs_domain(text: &str, use_as: GatewayVsDomain) -> Check {
    let trimmed = text.trim_matches('.');
    if use_as == GatewayVsDomain::Host || !trimmed.starts_with("outbound_") {
        return wildcard_domain(text);
    }
    let parts: Vec<&str> = trimmed.split('_').collect();
    let fits = match parts.as_slice() {
        ["outbound", port, _, host, ..] => {
            port.bytes().any(|byte| byte.is_ascii_digit())
                && host.bytes().any(|byte| byte.is_ascii_alphabetic())
        }
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(CheckError::new(Problem::BadSni))
    }
}

/// Where the name of [`gateway_vs_domain`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayVsDomain {
    /// In `hosts`.
    Host,
    /// In `sniHosts`.
    Sni,
}

/// Which object a `namespace/host` entry stands in; the rules differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostScope {
    /// `servers[].hosts` of a Gateway: the namespace may be left out, IP addresses are allowed.
    Gateway,
    /// `hosts` of a Sidecar: the namespace is required and may be negated with `~`.
    Sidecar,
}

/// A-X-5 NamespaceHost: `namespace/host`.
///
/// # Errors
/// When a half is missing or breaks its rule.
pub fn namespace_host(text: &str, scope: HostScope) -> Check {
    let Some((namespace, host)) = text.split_once('/') else {
        return match scope {
            HostScope::Gateway => host_part(text, scope),
            HostScope::Sidecar => Err(CheckError::new(Problem::MissingNamespace)),
        };
    };
    if namespace.is_empty() {
        return Err(CheckError::new(Problem::Empty("the namespace before the slash")));
    }
    let host_offset = namespace.len() + 1;
    if host.is_empty() {
        return Err(CheckError::new(Problem::Empty("the host after the slash")).at(host_offset));
    }
    let positive = match scope {
        HostScope::Gateway => namespace,
        HostScope::Sidecar => namespace.strip_prefix('~').unwrap_or(namespace),
    };
    let all_negated = scope == HostScope::Sidecar && positive.is_empty();
    if !all_negated && positive != "*" && positive != "." {
        dns_label(positive).map_err(|error| error.at(namespace.len() - positive.len()))?;
    }
    host_part(host, scope).map_err(|error| error.at(host_offset))
}

/// A-X-6 HostPart: `*` or a name with a dot, wildcards only as a whole label; for gateways also an IPv4 address.
///
/// # Errors
/// When it is none of these.
pub fn host_part(text: &str, scope: HostScope) -> Check {
    if text != "*" && !text.contains('.') {
        // quirk A-X-6: this refuses IPv6 gateway hosts, which have no dot
        return Err(CheckError::new(Problem::ShortHost));
    }
    if is_partial_wildcard(text) {
        return Err(CheckError::new(Problem::PartialWildcard));
    }
    match wildcard_domain(text) {
        Err(_) if scope == HostScope::Gateway && ip_address(text).is_ok() => Ok(()),
        verdict => verdict,
    }
}

/// A-X-7 PartialWildcard: has a `*`, but is neither `*` nor starts with `*.`.
pub fn is_partial_wildcard(text: &str) -> bool {
    text.contains('*') && text.len() > 1 && !text.starts_with("*.")
}

/// A-X-8 Port: 1 to 65535.
///
/// # Errors
/// When the number is outside.
pub fn port(number: impl Into<i64>) -> Check {
    if (1..=65535).contains(&number.into()) {
        Ok(())
    } else {
        Err(CheckError::new(Problem::PortRange))
    }
}

/// A-X-9 IpAddr: an IPv4 or IPv6 address without brackets; an IPv6 address may carry a zone (`fe80::1%eth0`).
///
/// # Errors
/// When it is no address.
pub fn ip_address(text: &str) -> Check {
    parse_ip_address(text)
        .map(|_| ())
        .ok_or(CheckError::new(Problem::NotAnAddress))
}

/// The address behind [`ip_address`], its zone dropped.
pub fn parse_ip_address(text: &str) -> Option<IpAddr> {
    if !text.contains(':') {
        return text.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let address = match text.split_once('%') {
        Some((_, "")) => return None,
        Some((address, _zone)) => address,
        None => text,
    };
    address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// A-X-10 IpSubnet: with exactly one slash an address prefix (host bits allowed), else an address.
///
/// # Errors
/// When it is neither.
pub fn ip_subnet(text: &str) -> Check {
    let Some((address, length)) = text.split_once('/') else {
        return ip_address(text);
    };
    // Go's ParsePrefix takes no zone
    let width = match parse_ip_address(address) {
        Some(_) if address.contains('%') => return Err(CheckError::new(Problem::NotAnAddress)),
        Some(IpAddr::V4(_)) => 32,
        Some(IpAddr::V6(_)) => 128,
        None => return Err(CheckError::new(Problem::NotAnAddress)),
    };
    let leading_zero = length.len() > 1 && length.starts_with('0');
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    match length.parse::<u32>() {
        Ok(bits) if digits && !leading_zero && bits <= width => Ok(()),
        _ => Err(CheckError::new(Problem::BadPrefixLength).at(address.len() + 1)),
    }
}

/// A-X-12, the key half: `(prefix/)?name` of a label.
///
/// # Errors
/// When the prefix is no domain or the name no label name.
pub fn label_key(text: &str) -> Check {
    let Some((prefix, name)) = text.split_once('/') else {
        return label_name(text, "a label key");
    };
    length(prefix, "the prefix of a label key", 253)?;
    let mut offset = 0;
    for part in prefix.split('.') {
        dns_label(part).map_err(|error| error.at(offset))?;
        offset += part.len() + 1;
    }
    label_name(name, "a label key").map_err(|error| error.at(prefix.len() + 1))
}

/// A-X-12, the value half: empty, or letters, digits, `.`, `_` and `-` with a letter or digit at both ends.
///
/// # Errors
/// When it has another character or edge.
pub fn label_value(text: &str) -> Check {
    if text.is_empty() {
        return Ok(());
    }
    // quirk A-X-12: istiod sets no length limit on values
    label(text, "a label value", usize::MAX, |byte| {
        matches!(byte, b'-' | b'_' | b'.')
    })
}

/// A-X-12 LabelMap: every key and value of a map of labels. The offset of the error counts inside the key or value.
///
/// # Errors
/// The first bad key or value, in the order of the keys.
pub fn label_map(labels: &super::Labels) -> Check {
    labels
        .iter()
        .try_for_each(|(key, value)| label_key(key).and_then(|()| label_value(value)))
}

fn label_name(text: &str, what: &'static str) -> Check {
    label(text, what, 63, |byte| matches!(byte, b'-' | b'_' | b'.'))
}

/// ASCII letters and digits anywhere, `inner` bytes everywhere but at the ends.
#[inline]
fn label(text: &str, what: &'static str, limit: usize, inner: impl Fn(u8) -> bool) -> Check {
    length(text, what, limit)?;
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    // without a way out, it is done for many bytes at once
    let fits = bytes.iter().fold(true, |fits, byte| {
        fits & (byte.is_ascii_alphanumeric() | (byte.is_ascii() & inner(*byte)))
    });
    if fits && edge(bytes.first()) && edge(bytes.last()) {
        return Ok(());
    }
    bad_label(text, what, inner)
}

/// What is wrong with a label.
#[cold]
fn bad_label(text: &str, what: &'static str, inner: impl Fn(u8) -> bool) -> Check {
    // what is no ASCII begins with a byte that is none
    let bad = text
        .bytes()
        .position(|byte| !(byte.is_ascii_alphanumeric() || byte.is_ascii() && inner(byte)));
    if let Some((offset, found)) = bad.and_then(|at| Some((at, text.get(at..)?.chars().next()?))) {
        return Err(CheckError::new(Problem::BadChar { what, found }).at(offset));
    }
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let offset = if edge(text.bytes().next()) {
        text.len() - 1
    } else {
        0
    };
    Err(CheckError::new(Problem::BadEdge { what }).at(offset))
}

#[inline]
fn length(text: &str, what: &'static str, limit: usize) -> Check {
    if text.is_empty() {
        return Err(CheckError::new(Problem::Empty(what)));
    }
    if text.len() > limit {
        return Err(CheckError::new(Problem::TooLong {
            what,
            length: text.len(),
            limit,
        })
        .at(limit));
    }
    Ok(())
}

/// The labels of a domain name; only the last may be empty, and it must not be a number.
fn domain_labels(text: &str) -> Check {
    let mut offset = 0;
    let mut rest = text;
    loop {
        let (part, more) = match cut_at_dot(rest) {
            Some((part, more)) => (part, Some(more)),
            None => (rest, None),
        };
        let last = more.is_none();
        if last && may_be_number(part) && part.parse::<i64>().is_ok() {
            return Err(CheckError::new(Problem::NumericTopLevel).at(offset));
        }
        if !(last && part.is_empty() && offset > 0) {
            dns_label(part).map_err(|error| error.at(offset))?;
        }
        offset += part.len() + 1;
        match more {
            Some(more) => rest = more,
            None => return Ok(()),
        }
    }
}

/// What stands before the first dot, and what behind it. Labels are short, so they are looked at byte by byte.
fn cut_at_dot(text: &str) -> Option<(&str, &str)> {
    let dot = text.bytes().position(|byte| byte == b'.')?;
    Some((text.get(..dot)?, text.get(dot + 1..)?))
}

fn may_be_number(text: &str) -> bool {
    text.bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(check: impl Fn(&str) -> Check, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for text in bad {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_x_1_dns_label() {
        let (fits, long) = ("a".repeat(63), "a".repeat(64));
        table(
            dns_label,
            &["a", "A", "0", "a-b", &fits],
            &["", "-a", "a-", "a_b", "a.b", "é", &long],
        );
        assert_eq!(dns_label("ab_c").unwrap_err().offset(), 2);
        assert_eq!(dns_label("ab-").unwrap_err().offset(), 2);
    }

    #[test]
    fn a_x_2_fqdn() {
        let fits = format!("{}com", "a.".repeat(126));
        let long = format!("{}comm", "a.".repeat(126));
        table(
            fqdn,
            &["a", "a.b", "a.b.", "1.a", "foo.99999999999999999999", &fits],
            &[
                "", ".", ".a", "a..b", "1.2.3.4", "foo.80", "x.-1", "a.+5", "*.a", &long,
            ],
        );
        assert_eq!(fqdn("aa.b_b").unwrap_err().offset(), 4);
    }

    #[test]
    fn a_x_3_wildcard_domain() {
        table(
            wildcard_domain,
            &["*", "*.", "*.a.com", "*a.com", "*-a.com", "a.com", "80", "*a"],
            &[
                "", "a.*", "**", "*.*.com", "*_.com", "*.80", "*--a.com", "*a-.com",
            ],
        );
    }

    #[test]
    fn a_x_4_gateway_vs_domain() {
        let sni = |text: &str| gateway_vs_domain(text, GatewayVsDomain::Sni);
        let host = |text: &str| gateway_vs_domain(text, GatewayVsDomain::Host);
        table(
            sni,
            &["outbound_.80_.v1_.a.b", "a.com", "*.a"],
            &["outbound_80", "outbound_x_v1_a", "outbound_80_v1_1"],
        );
        table(host, &["a.com"], &["outbound_.80_.v1_.a.b"]);
    }

    #[test]
    fn a_x_5_to_7_namespace_host() {
        let gateway = |text: &str| namespace_host(text, HostScope::Gateway);
        let sidecar = |text: &str| namespace_host(text, HostScope::Sidecar);
        table(
            gateway,
            &["*", "a.com", "./*", "*/a.com", "ns/*.a.com", "10.0.0.1"],
            &[
                "a",
                "ns/short",
                "/a.com",
                "ns/",
                "*foo.com",
                "::1",
                "~/a.com",
                "n_s/a.com",
                "a/b/c.com",
            ],
        );
        table(
            sidecar,
            &["*/*", "./a.com", "~/*", "~prod/*", "~./*", "ns/a.com"],
            &["a.com", "ns/10.0.0.1", "~~/*"],
        );
        assert_eq!(gateway("ns/a_b.com").unwrap_err().offset(), 4);
        assert!(is_partial_wildcard("*a") && !is_partial_wildcard("*") && !is_partial_wildcard("*.a"));
    }

    #[test]
    fn a_x_8_to_10_ports_and_addresses() {
        assert!(
            port(0u32).is_err() && port(65536i64).is_err() && port(1u16).is_ok() && port(65535i32).is_ok()
        );
        table(
            ip_address,
            &["1.2.3.4", "::1", "fe80::1%eth0"],
            &["", "1.2.3", "01.2.3.4", "[::1]", "fe80::1%", "1.2.3.4%x"],
        );
        table(
            ip_subnet,
            &["1.2.3.4", "10.0.0.1/8", "::/0", "10.0.0.0/0"],
            &[
                "10.0.0.0/33",
                "10.0.0.0/08",
                "10.0.0.0/",
                "10.0.0.0/+8",
                "10.0.0.0/8/8",
                "fe80::1%a/64",
                "x/8",
            ],
        );
    }

    #[test]
    fn a_x_12_labels() {
        table(
            label_key,
            &["app", "a.b/c_d", "A", "x/y.z"],
            &["", "/a", "a/", "a/b/c", "-a", "a b", "x_y/z"],
        );
        let long = "v".repeat(100);
        table(label_value, &["", "v1", "a_b.c-d", &long], &["-a", "a b", "a/"]);
        assert!(label_map(&super::super::Labels::from([("app", "ok"), ("b", "not ok")])).is_err());
    }
}
