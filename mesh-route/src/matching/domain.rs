//! The choice of a virtual host by the authority of a request (R-ENVH).

use std::borrow::{Borrow, Cow};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use mesh_api::names::Text;

use crate::plan::{Domain, DomainForm, RouteTable, VirtualHost};

/// The authority as it is looked up: in lower case, without its port if ports are ignored (R-ENVH-2).
pub fn normalize_authority(authority: &[u8], ignore_port: bool) -> Cow<'_, [u8]> {
    let host = if ignore_port {
        strip_port(authority)
    } else {
        authority
    };
    match host.iter().any(u8::is_ascii_uppercase) {
        true => Cow::Owned(host.to_ascii_lowercase()),
        false => Cow::Borrowed(host),
    }
}

/// Cuts a trailing `:port` off; brackets of an IPv6 address stay.
///
/// ```
/// use mesh_route::matching::strip_port;
///
/// assert_eq!(strip_port(b"a.com:8080"), b"a.com");
/// assert_eq!(strip_port(b"[::1]:80"), b"[::1]");
/// assert_eq!(strip_port(b"[::1]"), b"[::1]");
/// ```
pub fn strip_port(authority: &[u8]) -> &[u8] {
    let Some(colon) = authority.iter().rposition(|byte| *byte == b':') else {
        return authority;
    };
    let port = authority.get(colon + 1..).unwrap_or_default();
    let is_number = !port.is_empty()
        && port.iter().all(u8::is_ascii_digit)
        && std::str::from_utf8(port).is_ok_and(|port| port.parse::<u32>().is_ok());
    if is_number {
        authority.get(..colon).unwrap_or_default()
    } else {
        authority
    }
}

/// Whether `host`, as [`normalize_authority`] gives it, belongs to the domain. A wildcard takes at least one character
/// (R-ENVH-3); an empty host belongs to `*` only (R-ENVH-4).
pub fn matches_domain(domain: &Domain, host: &[u8]) -> bool {
    let text = domain.text.as_bytes();
    match domain.form {
        DomainForm::Exact => !host.is_empty() && text == host,
        DomainForm::Suffix => text
            .strip_prefix(b"*")
            .is_some_and(|tail| host.len() > tail.len() && host.ends_with(tail)),
        DomainForm::Prefix => text
            .strip_suffix(b"*")
            .is_some_and(|head| host.len() > head.len() && host.starts_with(head)),
        DomainForm::Any => true,
    }
}

/// The same as [`DomainIndex::find`] by looking at every domain, for tables of few.
pub fn find_domain<'t>(table: &'t RouteTable, host: &[u8]) -> Option<(&'t VirtualHost, &'t Domain)> {
    let mut best: Option<(&VirtualHost, &Domain)> = None;
    let rank = |domain: &Domain| (domain.form, std::cmp::Reverse(domain.text.len()));
    for virtual_host in table.virtual_hosts() {
        for domain in virtual_host
            .domains
            .iter()
            .filter(|domain| matches_domain(domain, host))
        {
            if best.is_none_or(|(_, found)| rank(domain) < rank(found)) {
                best = Some((virtual_host, domain));
            }
        }
    }
    best
}

/// The domains of a route table, for look-up: by hash, and for wildcards once per length that occurs.
#[derive(Debug, Default)]
pub struct DomainIndex {
    exact: HashMap<Key, Place>,
    suffixes: Wildcards,
    prefixes: Wildcards,
    any: Option<Place>,
}

/// A virtual host, and which of its domains.
type Place = (Arc<VirtualHost>, usize);

/// By the text beside the `*`, longest first.
#[derive(Debug, Default)]
struct Wildcards(Vec<(usize, HashMap<Key, Place>)>);

impl DomainIndex {
    /// Indexes the domains of `table`. Should a domain occur twice, the first one stays.
    pub fn new(table: &RouteTable) -> Self {
        let mut index = Self::default();
        for host in table.virtual_hosts() {
            for (at, domain) in host.domains.iter().enumerate() {
                index.add(domain, (Arc::clone(host), at));
            }
        }
        for wildcards in [&mut index.suffixes, &mut index.prefixes] {
            wildcards.0.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
        }
        index
    }

    fn add(&mut self, domain: &Domain, place: Place) {
        let text = domain.text.as_str();
        match domain.form {
            DomainForm::Exact => {
                self.exact.entry(Key(domain.text.clone())).or_insert(place);
            }
            DomainForm::Suffix => self.suffixes.add(text.strip_prefix('*').unwrap_or(text), place),
            DomainForm::Prefix => self.prefixes.add(text.strip_suffix('*').unwrap_or(text), place),
            DomainForm::Any => {
                self.any.get_or_insert(place);
            }
        }
    }

    /// The virtual host of `host`, as [`normalize_authority`] gives it: exact, then suffix wildcards, then prefix
    /// wildcards, both longest first, then `*` (R-ENVH-1).
    pub fn find<'a>(&'a self, host: &[u8]) -> Option<(&'a VirtualHost, &'a Domain)> {
        self.candidates(host).next()
    }

    /// All domains that take `host`, in order of precedence. The first one wins; the others are never fallen back to.
    pub fn candidates<'a>(&'a self, host: &[u8]) -> impl Iterator<Item = (&'a VirtualHost, &'a Domain)> {
        let exact = if host.is_empty() {
            None
        } else {
            self.exact.get(host)
        };
        let suffixes = self.suffixes.0.iter().filter_map(|(length, texts)| {
            let start = host.len().checked_sub(*length).filter(|rest| *rest > 0)?;
            texts.get(host.get(start..)?)
        });
        let prefixes =
            self.prefixes.0.iter().filter_map(|(length, texts)| {
                texts.get(host.get(..*length).filter(|_| host.len() > *length)?)
            });
        let all = exact.into_iter().chain(suffixes).chain(prefixes).chain(&self.any);
        all.filter_map(|(host, at)| Some((&**host, host.domains.get(*at)?)))
    }
}

impl Wildcards {
    fn add(&mut self, text: &str, place: Place) {
        let texts = match self.0.iter().position(|(length, _)| *length == text.len()) {
            Some(at) => self.0.get_mut(at),
            None => {
                self.0.push((text.len(), HashMap::new()));
                self.0.last_mut()
            }
        };
        if let Some((_, texts)) = texts {
            texts.entry(Key(Text::new(text))).or_insert(place);
        }
    }
}

/// A text that is looked up by bytes, since authorities need not be UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key(Text);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_bytes().hash(state);
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
