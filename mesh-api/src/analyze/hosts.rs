//! The hosts that traffic can be sent to, seen from a namespace; and which of many hosts overlap with one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::view::View;
use crate::kind::Kind;
use crate::names::{Host, HostIndex};

/// Values by host, several per host, found by hosts that overlap with theirs (R-HOST-2).
///
/// Hosts that a name ends with are looked up by the lengths of their tails. Hosts that end with the tail of a wildcard are
/// neighbours where all hosts are sorted by their letters from the end.
pub(super) struct HostOverlap<T> {
    by_host: HostIndex<Vec<T>>,
    backwards: BTreeMap<Vec<u8>, Host>,
}

impl<T> HostOverlap<T> {
    pub(super) fn insert(&mut self, host: &str, value: T) {
        let host = Host::from(host);
        if let Some(values) = self.by_host.get_mut(&host) {
            values.push(value);
            return;
        }
        self.backwards.insert(backwards(host.as_str()), host.clone());
        self.by_host.insert(host, vec![value]);
    }

    /// The values of exactly this host.
    pub(super) fn get(&self, host: &str) -> Option<&[T]> {
        self.by_host.get(&Host::from(host)).map(Vec::as_slice)
    }

    /// The values of the longest wildcard that covers the host.
    pub(super) fn covering(&self, host: &str) -> Option<&[T]> {
        let name = host.strip_prefix('*').unwrap_or(host);
        self.by_host
            .longest_wildcard(name)
            .map(|(_, values)| values.as_slice())
    }

    /// The values of all hosts that overlap with this one, its own included; the costs grow with what is found.
    pub(super) fn overlapping<'s>(&'s self, host: &'s str) -> impl Iterator<Item = &'s T> + use<'s, T> {
        let tail = host.strip_prefix('*');
        let name = tail.unwrap_or(host);
        let own = tail.is_none().then(|| self.get(host)).flatten();
        let mut covering = Vec::new();
        let mut rest = Some(name);
        while let Some((found, values)) = rest.and_then(|name| self.by_host.longest_wildcard(name)) {
            covering.push(values.as_slice());
            let length = found.as_str().len().saturating_sub(1);
            // wildcards with shorter tails cover what ends the same way
            rest = name
                .len()
                .checked_sub(length)
                .and_then(|start| name.get(start..))
                .and_then(shorter);
        }
        let longer = tail.map(|tail| {
            let prefix = backwards(tail);
            let from = self.backwards.range(prefix.clone()..);
            from.take_while(move |(letters, _)| letters.starts_with(&prefix))
                // wildcards that cover the tail were found above, this one among them
                .filter(move |(_, host)| {
                    host.wildcard_tail()
                        .is_none_or(|longer| longer.len() > tail.len())
                })
                .filter_map(|(_, host)| self.by_host.get(host))
        });
        own.into_iter()
            .chain(covering)
            .chain(longer.into_iter().flatten().map(Vec::as_slice))
            .flatten()
    }
}

impl<T> Default for HostOverlap<T> {
    fn default() -> Self {
        Self {
            by_host: HostIndex::new(),
            backwards: BTreeMap::new(),
        }
    }
}

/// The text without its first character; `None` if there is none.
fn shorter(text: &str) -> Option<&str> {
    let mut letters = text.chars();
    letters.next()?;
    Some(letters.as_str())
}

fn backwards(text: &str) -> Vec<u8> {
    text.bytes().rev().collect()
}

/// A host of a Service or ServiceEntry.
#[derive(Clone)]
pub(super) struct Registered {
    /// The numbers of its ports, as declared.
    pub(super) ports: Vec<u32>,
}

/// Hosts by the namespace they are exported to; `*` is all.
pub(super) struct HostRegistry {
    scopes: HashMap<String, HostOverlap<Registered>>,
    /// Hosts of Kubernetes services end so.
    suffix: String,
    knows_services: bool,
    knows_entries: bool,
}

impl HostRegistry {
    pub(super) fn new(view: &View<'_>) -> Self {
        let mut scopes: HashMap<String, HostOverlap<Registered>> = HashMap::new();
        let mut add = |scope: &str, host: &str, registered: &Registered| {
            let hosts = scopes.entry(scope.to_owned()).or_default();
            hosts.insert(host, registered.clone());
        };
        for service in view.services() {
            let namespace = service.meta.namespace.as_str();
            let registered = Registered {
                ports: service.spec.spec.ports.iter().map(|port| port.port).collect(),
            };
            let exported = service.meta.annotation("networking.istio.io/exportTo");
            let exported: Vec<String> = exported
                .into_iter()
                .flat_map(|list| list.split(','))
                .map(|scope| scope.trim().to_owned())
                .filter(|scope| !scope.is_empty())
                .collect();
            for scope in export_scopes(&exported, namespace) {
                add(scope, &view.fqdn(namespace, &service.meta.name), &registered);
            }
        }
        for entry in view.objects.service_entries() {
            let namespace = entry.meta.namespace.as_str();
            let registered = Registered {
                ports: entry.spec.ports.iter().map(|port| port.number).collect(),
            };
            for host in &entry.spec.hosts {
                for scope in export_scopes(&entry.spec.export_to, namespace) {
                    add(scope, &view.fqdn(namespace, host), &registered);
                }
            }
        }
        Self {
            scopes,
            suffix: format!(".svc.{}", view.options.cluster_domain),
            knows_services: view.knows(&Kind::Service),
            knows_entries: view.knows(&Kind::ServiceEntry),
        }
    }

    /// Whether it can be said that a host does not exist: where no services were given, it may be one of theirs.
    pub(super) fn can_miss(&self, fqdn: &str) -> bool {
        self.knows_services || (self.knows_entries && !fqdn.ends_with(&self.suffix) && !fqdn.starts_with('*'))
    }

    /// The host that a destination means, for an object of `namespace` exported to `export_to`. Of several objects with the
    /// host the first counts: services before ServiceEntries.
    ///
    /// Source: Istio analysis hosts.go `GetDestinationHost`.
    pub(super) fn find(&self, namespace: &str, export_to: &[String], fqdn: &str) -> Option<&Registered> {
        let exact = |scope: &str| self.scopes.get(scope).and_then(|hosts| hosts.get(fqdn));
        let wildcard = |scope: &str| self.scopes.get(scope).and_then(|hosts| hosts.covering(fqdn));
        let own = [namespace.to_owned()];
        let scopes = if export_to.is_empty() { &own[..] } else { export_to };
        let found = exact("*")
            .or_else(|| {
                let scopes = scopes
                    .iter()
                    .map(|scope| if scope == "." { namespace } else { scope });
                scopes.filter_map(exact).next()
            })
            .or_else(|| wildcard("*"))
            .or_else(|| wildcard(namespace));
        found.and_then(<[Registered]>::first)
    }

    /// Whether a host, wildcards included, stands for any known one, seen from the namespace.
    pub(super) fn has_any(&self, namespace: &str, fqdn: &str) -> bool {
        ["*", namespace]
            .iter()
            .filter_map(|scope| self.scopes.get(*scope))
            .any(|hosts| hosts.overlapping(fqdn).next().is_some())
    }
}

/// The namespaces that an object of `namespace` is exported to; `*` alone where it is exported to all, none for `~`.
pub(super) fn export_scopes<'a>(export_to: &'a [String], namespace: &'a str) -> BTreeSet<&'a str> {
    if is_exported_to_all(export_to) {
        return BTreeSet::from(["*"]);
    }
    let scopes = export_to.iter().filter(|scope| *scope != "~");
    scopes
        .map(|scope| if scope == "." { namespace } else { scope })
        .collect()
}

/// Whether an object is visible everywhere; without a list it is.
pub(super) fn is_exported_to_all(export_to: &[String]) -> bool {
    export_to.is_empty() || export_to.iter().any(|scope| scope == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R-HOST-2 by scan is the oracle.
    #[test]
    fn overlaps_agree_with_a_scan() {
        let mut texts = vec![String::new()];
        for length in 0..4 {
            let longer: Vec<_> = texts
                .iter()
                .filter(|text| text.len() == length)
                .flat_map(|text| ["a", "b", "."].map(|next| format!("{text}{next}")))
                .collect();
            texts.extend(longer);
        }
        texts.push("é".into());
        let hosts: Vec<String> = texts
            .iter()
            .flat_map(|text| [text.clone(), format!("*{text}")])
            .collect();
        let mut hits = 0;
        for stride in [1, 3, 7, 20] {
            let mut index = HostOverlap::default();
            let some: Vec<&String> = hosts.iter().step_by(stride).collect();
            some.iter().for_each(|host| index.insert(host, (*host).clone()));
            for needle in &hosts {
                let mut found: Vec<&String> = index.overlapping(needle).collect();
                let needle = Host::from(needle.as_str());
                let matches = |host: &&&String| needle.matches(&Host::from(host.as_str()));
                let mut expected: Vec<&String> = some.iter().filter(matches).copied().collect();
                hits += expected.len();
                found.sort();
                expected.sort();
                assert_eq!(found, expected, "stride {stride}, needle {needle}");
            }
        }
        assert!(hits > 1000, "{hits}");
    }

    #[test]
    fn scopes_of_exports() {
        let scopes = |list: &[&str]| {
            let list: Vec<String> = list.iter().map(|scope| (*scope).to_owned()).collect();
            export_scopes(&list, "own")
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(scopes(&[]), ["*"]);
        assert_eq!(scopes(&[".", "b", "own"]), ["b", "own"]);
        assert_eq!(scopes(&["b", "*"]), ["*"]);
        assert!(scopes(&["~"]).is_empty());
    }
}
