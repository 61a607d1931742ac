//! The `hosts` of a Sidecar egress listener (R-SC-3 to R-SC-5).

use std::collections::{BTreeMap, BTreeSet};

use mesh_api::names::{Host, Namespace};

use crate::snapshot::service::Service;
use crate::snapshot::virtual_service::{Semantics, VirtualService};

/// Which services and VirtualServices an egress listener imports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressHosts {
    included: BTreeMap<Scope, Patterns>,
    excluded: BTreeMap<Scope, Patterns>,
}

/// The namespace part of an entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Any,
    Namespace(Namespace),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Patterns {
    exact: BTreeSet<Host>,
    wildcards: Vec<Host>,
}

impl Patterns {
    fn insert(&mut self, host: Host) {
        if host.is_wildcard() {
            self.wildcards.push(host);
        } else {
            self.exact.insert(host);
        }
    }

    /// Equality with an exact entry, or a subset of a wildcard one.
    fn covers(&self, host: &Host) -> bool {
        self.exact.contains(host) || self.wildcards.iter().any(|wildcard| host.is_subset_of(wildcard))
    }

    /// Equality, or a match in either direction where a wildcard is involved.
    fn touches(&self, host: &Host) -> bool {
        if self.exact.contains(host) || self.wildcards.iter().any(|wildcard| wildcard.matches(host)) {
            return true;
        }
        host.is_wildcard() && self.exact.iter().any(|exact| exact.matches(host))
    }
}

impl EgressHosts {
    /// `*/*`: everything that is exported to the proxy.
    pub fn all() -> Self {
        Self::parse(&["*/*".to_owned()], &Namespace::default())
    }

    /// Reads entries. One that does not hold exactly one `/` is skipped.
    pub fn parse(entries: &[String], own: &Namespace) -> Self {
        let mut hosts = Self::default();
        for entry in entries {
            let Some((scope, host)) = entry.split_once('/').filter(|(_, host)| !host.contains('/')) else {
                continue;
            };
            let (list, scope) = match scope.strip_prefix('~') {
                Some("") => (&mut hosts.excluded, "*"),
                Some(rest) => (&mut hosts.excluded, rest),
                None => (&mut hosts.included, scope),
            };
            let scope = match scope {
                "*" => Scope::Any,
                "." => Scope::Namespace(own.clone()),
                name => Scope::Namespace(Namespace::new(name)),
            };
            list.entry(scope).or_default().insert(Host::new(host));
        }
        hosts
    }

    /// Whether every entry names one host of one namespace, so that services keep one order (R-ORD-3).
    pub fn is_all_exact(&self) -> bool {
        self.included
            .iter()
            .all(|(scope, patterns)| *scope != Scope::Any && patterns.wildcards.is_empty())
    }

    fn scopes<'a>(
        list: &'a BTreeMap<Scope, Patterns>,
        namespace: &Namespace,
    ) -> impl Iterator<Item = &'a Patterns> {
        let own = Scope::Namespace(namespace.clone());
        [own, Scope::Any].into_iter().filter_map(|scope| list.get(&scope))
    }

    /// Whether `service` is excluded by a `~` entry.
    pub fn excludes(&self, host: &Host, namespace: &Namespace) -> bool {
        !self.excluded.is_empty() && Self::scopes(&self.excluded, namespace).any(|p| p.covers(host))
    }

    /// Whether `service` is imported, and the aliases that come with it (R-SC-4).
    pub fn import_service(&self, service: &Service) -> Option<Vec<Host>> {
        if self.excludes(&service.host, &service.namespace) {
            return None;
        }
        let patterns = Self::scopes(&self.included, &service.namespace).find(|p| p.covers(&service.host))?;
        Some(
            service
                .aliases
                .iter()
                .filter(|alias| patterns.covers(alias))
                .cloned()
                .collect(),
        )
    }

    /// Whether `service` is imported: any of its hosts suffices, and it comes whole (R-SC-5).
    pub fn imports_virtual_service(&self, service: &VirtualService) -> bool {
        let touched = |host: &&Host| {
            let gateway_semantics = service.semantics == Semantics::GatewayApi;
            Self::scopes(&self.included, &service.namespace).any(|p| {
                if gateway_semantics {
                    p.covers(host)
                } else {
                    p.touches(host)
                }
            })
        };
        service
            .hosts
            .iter()
            .filter(|host| !self.excludes(host, &service.namespace))
            .any(|host| touched(&host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(entries: &[&str]) -> EgressHosts {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        EgressHosts::parse(&entries, &Namespace::new("own"))
    }

    #[test]
    fn entries_need_one_slash() {
        // R-SC-3
        assert_eq!(hosts(&["a.com", "x/y/z"]), EgressHosts::default());
        assert!(hosts(&["./a.com"]).is_all_exact());
        assert!(!hosts(&["*/a.com"]).is_all_exact());
    }

    #[test]
    fn exclusions_come_first() {
        // R-SC-4
        let set = hosts(&["*/*", "~b/*", "~/c.com"]);
        assert!(set.excludes(&Host::new("x.com"), &Namespace::new("b")));
        assert!(!set.excludes(&Host::new("x.com"), &Namespace::new("a")));
        assert!(set.excludes(&Host::new("c.com"), &Namespace::new("a")));
    }
}
