//! Name constraints.
//!
//! DNS names, IP addresses, URIs, mail addresses and directory names are compared. A certificate with a name of another
//! kind that is constrained is refused, and so are constraints that cannot be read, whether or not a name of their kind
//! occurs. Spec: RFC 5280 §4.2.1.10; ca.md C-VFY-9, C-VFY-10.

use super::error::{Budget, VerifyError};
use crate::certificate::{Certificate, DistinguishedName, GeneralName, relative_names_match};
use crate::der::{self, DerError, DerErrorKind, Reader, SEQUENCE, context_constructed};
use crate::{SpiffeIdRef, oid};

/// Checks every certificate of a complete path (leaf first) against the constraints of those above it. `left` is how many
/// comparisons may be made.
pub(super) fn check(path: &[&Certificate<'_>], left: &mut usize) -> Result<(), VerifyError> {
    for (depth, issuer) in path.iter().enumerate().skip(1) {
        let Some(extension) = issuer.extensions().name_constraints else {
            continue;
        };
        let constraints = NameConstraints::parse(extension.value)
            .map_err(|_| VerifyError::MalformedNameConstraints { depth })?;
        for (below, certificate) in path.iter().enumerate().take(depth) {
            if below > 0 && certificate.is_self_issued() {
                continue;
            }
            constraints
                .check(certificate, left)
                .map_err(|violation| match violation {
                    Violation::Name(name) => VerifyError::NameConstraint { depth, name },
                    Violation::Budget => VerifyError::BudgetExceeded(Budget::NameComparisons),
                })?;
        }
    }
    Ok(())
}

enum Violation {
    Budget,
    Name(String),
}

#[derive(Debug, Default)]
struct NameConstraints<'a> {
    permitted: Subtrees<'a>,
    excluded: Subtrees<'a>,
}

/// Subtrees by the kind of name.
#[derive(Debug, Default)]
struct Subtrees<'a> {
    directory: Vec<DistinguishedName<'a>>,
    dns: Vec<&'a [u8]>,
    ip: Vec<&'a [u8]>,
    rfc822: Vec<&'a [u8]>,
    uri: Vec<Vec<u8>>,
    /// The numbers of other kinds, as bits.
    others: u16,
}

impl<'a> NameConstraints<'a> {
    fn parse(value: &'a [u8]) -> Result<Self, DerError> {
        let mut reader = der::single(value, SEQUENCE)?.reader()?;
        if reader.is_empty() {
            return Err(reader.error(DerErrorKind::Truncated));
        }
        let mut constraints = Self::default();
        for (number, subtrees) in [&mut constraints.permitted, &mut constraints.excluded]
            .into_iter()
            .enumerate()
        {
            if let Some(tagged) = reader.optional(context_constructed(u8::from(number == 1)))? {
                subtrees.parse(tagged.reader()?)?;
            }
        }
        reader.finish()?;
        Ok(constraints)
    }

    fn check(&self, certificate: &Certificate<'_>, left: &mut usize) -> Result<(), Violation> {
        let mut has_mail_name = false;
        for name in certificate.subject_alt_names() {
            has_mail_name |= matches!(name, GeneralName::Rfc822(_));
            self.check_name(&name, left)?;
        }
        let subject = certificate.subject();
        if !subject.is_empty() {
            self.check_name(&GeneralName::DirectoryName(subject), left)?;
        }
        if !has_mail_name {
            let mails = subject.attributes().filter(|(oid, _)| *oid == oid::EMAIL_ADDRESS);
            for (_, mail) in mails {
                self.check_name(&GeneralName::Rfc822(mail.content), left)?;
            }
        }
        Ok(())
    }

    fn check_name(&self, name: &GeneralName<'_>, left: &mut usize) -> Result<(), Violation> {
        let (permitted, excluded) = (self.permitted.count(name), self.excluded.count(name));
        if permitted == 0 && excluded == 0 {
            return Ok(());
        }
        *left = match left.checked_sub(permitted.saturating_add(excluded)) {
            Some(left) => left,
            None => return Err(Violation::Budget),
        };
        let is_allowed = is_well_formed(name)
            && !self.excluded.matches(name, Side::Excluded)
            && (permitted == 0 || self.permitted.matches(name, Side::Permitted));
        match is_allowed {
            true => Ok(()),
            false => Err(Violation::Name(shown(name))),
        }
    }
}

/// Which list a subtree stands in: wildcard names are compared differently.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Excluded,
    Permitted,
}

impl<'a> Subtrees<'a> {
    /// Reads a SEQUENCE SIZE (1..MAX) OF GeneralSubtree. `minimum` is zero by default and so never written, `maximum` is
    /// never there.
    fn parse(&mut self, mut reader: Reader<'a>) -> Result<(), DerError> {
        loop {
            let mut subtree = reader.nested(SEQUENCE)?;
            let element = subtree.any()?;
            let base = GeneralName::parse(&element)?;
            subtree.finish()?;
            let is_good = match base {
                GeneralName::DirectoryName(name) => {
                    self.directory.push(name);
                    true
                }
                GeneralName::Dns(base) => {
                    self.dns.push(base);
                    base.is_empty() || is_host(base.strip_prefix(b".").unwrap_or(base), is_dns_byte)
                }
                GeneralName::IpAddress(base) => {
                    self.ip.push(base);
                    is_network(base)
                }
                GeneralName::Rfc822(base) => {
                    self.rfc822.push(base);
                    is_mail_subtree(base)
                }
                GeneralName::Uri(base) => {
                    let base = base.to_ascii_lowercase();
                    let is_good = is_uri_subtree(&base);
                    self.uri.push(base);
                    is_good
                }
                GeneralName::Other(kind, _) => {
                    self.others |= 1 << (kind & 0xf);
                    true
                }
            };
            if !is_good {
                return Err(element.error(DerErrorKind::Unexpected));
            }
            if reader.is_empty() {
                return Ok(());
            }
        }
    }

    /// How many subtrees there are of the kind of a name.
    fn count(&self, name: &GeneralName<'_>) -> usize {
        match name {
            GeneralName::DirectoryName(_) => self.directory.len(),
            GeneralName::Dns(_) => self.dns.len(),
            GeneralName::IpAddress(_) => self.ip.len(),
            GeneralName::Other(kind, _) => usize::from(self.others >> (kind & 0xf) & 1),
            GeneralName::Rfc822(_) => self.rfc822.len(),
            GeneralName::Uri(_) => self.uri.len(),
        }
    }

    /// Whether the name lies in one of the subtrees of its kind.
    fn matches(&self, name: &GeneralName<'_>, side: Side) -> bool {
        match name {
            GeneralName::DirectoryName(name) => {
                self.directory.iter().any(|base| directory_matches(base, name))
            }
            GeneralName::Dns(name) => self.dns.iter().any(|base| dns_matches(base, name, side)),
            GeneralName::IpAddress(name) => self.ip.iter().any(|base| ip_matches(base, name)),
            // A name that cannot be compared is refused before it comes here.
            GeneralName::Other(..) => false,
            GeneralName::Rfc822(name) => self.rfc822.iter().any(|base| mail_matches(base, name)),
            GeneralName::Uri(name) => SpiffeIdRef::parse_bytes(name).is_ok_and(|id| {
                let domain = id.trust_domain().as_str().as_bytes();
                self.uri.iter().any(|base| uri_matches(base, domain))
            }),
        }
    }
}

/// Whether a name can be compared with subtrees of its kind at all.
fn is_well_formed(name: &GeneralName<'_>) -> bool {
    match name {
        GeneralName::DirectoryName(_) | GeneralName::IpAddress(_) => true,
        GeneralName::Dns(name) => is_host(name.strip_prefix(b"*.").unwrap_or(name), is_dns_byte),
        GeneralName::Other(..) => false,
        GeneralName::Rfc822(name) => mail_parts(name)
            .is_some_and(|(local, host)| !local.is_empty() && is_host(host, is_mail_host_byte)),
        GeneralName::Uri(name) => SpiffeIdRef::parse_bytes(name).is_ok(),
    }
}

/// For messages; bytes that could deceive are escaped.
fn shown(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DirectoryName(name) => name.to_string(),
        GeneralName::Dns(name) | GeneralName::Rfc822(name) | GeneralName::Uri(name) => {
            name.escape_ascii().to_string()
        }
        GeneralName::IpAddress(address) => {
            match (<[u8; 4]>::try_from(*address), <[u8; 16]>::try_from(*address)) {
                (Ok(v4), _) => std::net::Ipv4Addr::from(v4).to_string(),
                (_, Ok(v6)) => std::net::Ipv6Addr::from(v6).to_string(),
                _ => address.escape_ascii().to_string(),
            }
        }
        GeneralName::Other(kind, _) => format!("a name of kind {kind}"),
    }
}

/// Whether the constraint is the beginning of the name.
fn directory_matches(base: &DistinguishedName<'_>, name: &DistinguishedName<'_>) -> bool {
    let mut parts = name.relative_names();
    base.relative_names().all(|wanted| {
        parts
            .next()
            .is_some_and(|part| relative_names_match(wanted, part))
    })
}

/// Whether a DNS name lies in a subtree: `example.com` holds itself and what is below, `.example.com` only what is below.
/// A wildcard is permitted if everything that it covers is, and excluded if anything is.
fn dns_matches(base: &[u8], name: &[u8], side: Side) -> bool {
    let Some(covered) = name.strip_prefix(b"*.") else {
        return host_is_within(base, name);
    };
    if base.is_empty() {
        return true;
    }
    // What the wildcard covers lies one label below `covered`.
    let (below_only, domain) = match base.strip_prefix(b".") {
        Some(domain) => (true, domain),
        None => (false, base),
    };
    let is_within = covered.eq_ignore_ascii_case(domain) || host_is_below(domain, covered);
    let is_one_of_them = !below_only
        && domain
            .iter()
            .position(|byte| *byte == b'.')
            .and_then(|dot| domain.get(dot.saturating_add(1)..))
            .is_some_and(|parent| parent.eq_ignore_ascii_case(covered));
    is_within || (side == Side::Excluded && is_one_of_them)
}

/// Whether a host lies in a subtree of hosts.
fn host_is_within(base: &[u8], host: &[u8]) -> bool {
    match base.strip_prefix(b".") {
        Some(domain) => host_is_below(domain, host),
        None => base.is_empty() || base.eq_ignore_ascii_case(host) || host_is_below(base, host),
    }
}

/// Whether the host ends in a dot and the domain.
fn host_is_below(domain: &[u8], host: &[u8]) -> bool {
    host.len()
        .checked_sub(domain.len())
        .and_then(|at| host.split_at_checked(at))
        .is_some_and(|(labels, rest)| {
            labels.len() > 1 && labels.ends_with(b".") && rest.eq_ignore_ascii_case(domain)
        })
}

fn ip_matches(network: &[u8], address: &[u8]) -> bool {
    let (base, mask) = network.split_at_checked(network.len() / 2).unwrap_or_default();
    base.len() == address.len()
        && base
            .iter()
            .zip(mask)
            .zip(address)
            .all(|((base, mask), byte)| base & mask == byte & mask)
}

/// Whether a mail address lies in a subtree: one address, all of one host, or all below a domain.
fn mail_matches(base: &[u8], name: &[u8]) -> bool {
    let Some((local, host)) = mail_parts(name) else {
        return false;
    };
    match (mail_parts(base), base.strip_prefix(b".")) {
        (Some((wanted, wanted_host)), _) => local == wanted && host.eq_ignore_ascii_case(wanted_host),
        (None, Some(domain)) => host_is_below(domain, host),
        (None, None) => host.eq_ignore_ascii_case(base),
    }
}

/// Whether a trust domain lies in a subtree: `example.org` holds itself alone, `.example.org` what is below it (C-VFY-10).
fn uri_matches(base: &[u8], domain: &[u8]) -> bool {
    match base.first() {
        Some(b'.') => domain.len() > base.len() && domain.ends_with(base),
        _ => domain == base,
    }
}

/// The parts of a mail address with exactly one `@`.
fn mail_parts(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = name.split(|byte| *byte == b'@');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(local), Some(host), None) => Some((local, host)),
        _ => None,
    }
}

fn is_mail_subtree(base: &[u8]) -> bool {
    match mail_parts(base) {
        Some((local, host)) => !local.is_empty() && is_host(host, is_mail_host_byte),
        None => !base.contains(&b'@') && is_host(base.strip_prefix(b".").unwrap_or(base), is_mail_host_byte),
    }
}

/// Address and mask of equal length, the mask's ones before its zeros.
fn is_network(base: &[u8]) -> bool {
    let (_, mask) = base.split_at_checked(base.len() / 2).unwrap_or_default();
    let ones = mask.iter().take_while(|byte| **byte == 0xff).count();
    let mut rest = mask.iter().skip(ones);
    matches!(base.len(), 8 | 32)
        && rest
            .next()
            .is_none_or(|byte| byte.leading_ones() == byte.count_ones())
        && rest.all(|byte| *byte == 0)
}

/// A trust domain or, after a dot, the end of one; not made of dots alone.
fn is_uri_subtree(base: &[u8]) -> bool {
    base.iter()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'))
        && base.iter().any(|byte| *byte != b'.')
}

/// Labels between dots, none of them empty.
fn is_host(host: &[u8], is_allowed: fn(u8) -> bool) -> bool {
    host.split(|byte| *byte == b'.')
        .all(|label| !label.is_empty() && label.iter().all(|byte| is_allowed(*byte)))
}

fn is_dns_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// In mail addresses `*` is a character as any other.
fn is_mail_host_byte(byte: u8) -> bool {
    is_dns_byte(byte) || byte == b'*'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C-VFY-9: wildcards are permitted if all that they cover is, and excluded if any of it is.
    #[test]
    fn wildcards() {
        let permitted =
            |base: &str, name: &str| dns_matches(base.as_bytes(), name.as_bytes(), Side::Permitted);
        let excluded = |base: &str, name: &str| dns_matches(base.as_bytes(), name.as_bytes(), Side::Excluded);
        assert!(permitted("example.com", "*.example.com"));
        assert!(permitted("EXAMPLE.com", "*.a.example.COM"));
        assert!(permitted(".example.com", "*.example.com"));
        assert!(permitted("", "*.example.com"));
        assert!(!permitted("foo.example.com", "*.example.com"));
        assert!(!permitted("ample.com", "*.example.com"));
        assert!(excluded("bar.example.com", "*.example.com"));
        assert!(excluded("com", "*.example.com"));
        assert!(!excluded("a.bar.example.com", "*.example.com"));
        assert!(!excluded(".bar.example.com", "*.example.com"));
        assert!(!excluded("example.org", "*.example.com"));
    }

    #[test]
    fn dns_names() {
        for (base, name, expected) in [
            ("example.com", "example.com", true),
            ("example.com", "a.b.example.com", true),
            ("example.com", "badexample.com", false),
            (".example.com", "example.com", false),
            (".example.com", "a.example.com", true),
            ("", "anything", true),
        ] {
            let found = dns_matches(base.as_bytes(), name.as_bytes(), Side::Permitted);
            assert_eq!(found, expected, "{base} {name}");
        }
        for name in ["", ".", "a..b", "a.", "a*.b", "a.*", "*", "*.*.b", "a b", "a\0b"] {
            assert!(!is_well_formed(&GeneralName::Dns(name.as_bytes())), "{name:?}");
        }
    }

    /// C-VFY-10, scenario 52.
    #[test]
    fn trust_domains() {
        for (base, domain, expected) in [
            ("td", "td", true),
            ("td", "sub.td", false),
            (".td", "sub.td", true),
            (".td", "a_b.td", true),
            (".td", "a.b.td", true),
            (".td", "td", false),
            (".td", "xtd", false),
            ("1.2.3.4", "1.2.3.4", true),
        ] {
            assert_eq!(
                uri_matches(base.as_bytes(), domain.as_bytes()),
                expected,
                "{base} {domain}"
            );
        }
        for base in ["", ".", "..", "spiffe://td", "td:80", "td/x", "u@td", "t%d"] {
            assert!(!is_uri_subtree(base.as_bytes()), "{base}");
        }
        assert!(!is_well_formed(&GeneralName::Uri(b"https://td/x")));
    }

    #[test]
    fn mail_addresses() {
        for (base, name, expected) in [
            ("a@example.com", "a@EXAMPLE.com", true),
            ("a@example.com", "A@example.com", false),
            ("example.com", "a@example.com", true),
            ("example.com", "a@b.example.com", false),
            (".example.com", "a@b.example.com", true),
            (".example.com", "a@example.com", false),
            ("*.example.com", "a@b.example.com", false),
            ("*.example.com", "a@*.example.com", true),
        ] {
            assert_eq!(
                mail_matches(base.as_bytes(), name.as_bytes()),
                expected,
                "{base} {name}"
            );
        }
        for name in ["a", "a@b@c", "@b", "a@", "a@b..c"] {
            assert!(!is_well_formed(&GeneralName::Rfc822(name.as_bytes())), "{name}");
        }
        for base in ["", "a@", "@", "a@b@c", ".."] {
            assert!(!is_mail_subtree(base.as_bytes()), "{base}");
        }
    }

    #[test]
    fn networks() {
        assert!(ip_matches(&[10, 1, 0, 0, 255, 255, 0, 0], &[10, 1, 2, 3]));
        assert!(!ip_matches(&[10, 1, 0, 0, 255, 255, 0, 0], &[10, 2, 2, 3]));
        assert!(!ip_matches(&[0; 8], &[0; 16]));
        assert!(ip_matches(&[0; 32], &[9; 16]));
        assert!(is_network(&[0, 0, 0, 0, 255, 254, 0, 0]));
        assert!(!is_network(&[0, 0, 0, 0, 255, 253, 0, 0]));
        assert!(!is_network(&[0, 0, 0, 0, 255, 0, 255, 0]));
        assert!(!is_network(&[0; 4]));
    }
}
