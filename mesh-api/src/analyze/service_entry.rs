//! ServiceEntries: addresses that are needed, and protocols that differ.

use std::collections::{BTreeMap, BTreeSet};

use super::codes;
use super::hosts::export_scopes;
use super::index::list;
use super::path::{field, qualified};
use super::sink::Sink;
use super::view::View;
use crate::networking::ServiceEntry;
use crate::object::Object;

/// IST0134, one for each port. Source: Istio analysis protocoladdresses.go.
pub(super) fn addresses(view: &View<'_>, sink: &mut Sink<'_>) {
    if view.mesh().allocates_addresses {
        return;
    }
    for entry in view.objects.service_entries() {
        let assigned = entry.status.as_ref().and_then(|status| status.get("addresses"));
        let has_assigned = assigned
            .and_then(|list| list.as_array())
            .is_some_and(|list| !list.is_empty());
        if !entry.spec.addresses.is_empty() || has_assigned {
            continue;
        }
        for (at, port) in entry.spec.ports.iter().enumerate() {
            if port.protocol.is_empty() || port.protocol.eq_ignore_ascii_case("TCP") {
                let protocol = if port.protocol.is_empty() { "unset" } else { "TCP" };
                let path = field!["spec", "ports", at, "name"];
                let parameters = [port.number.to_string(), protocol.to_owned()];
                sink.report(codes::ADDRESSES_REQUIRED, entry, path, parameters);
            }
        }
    }
}

/// A port of a ServiceEntry, as the namespaces see it.
struct Claim<'a> {
    entry: &'a Object<ServiceEntry>,
    port_at: usize,
    protocol: String,
    scopes: BTreeSet<&'a str>,
}

/// IST0177, once for each object.
pub(super) fn protocols(view: &View<'_>, sink: &mut Sink<'_>) {
    let mut claims: BTreeMap<(&str, u32), Vec<Claim<'_>>> = BTreeMap::new();
    for entry in view.objects.service_entries() {
        let hosts: BTreeSet<&String> = entry.spec.hosts.iter().collect();
        for host in hosts {
            for (port_at, port) in entry.spec.ports.iter().enumerate() {
                claims.entry((host, port.number)).or_default().push(Claim {
                    entry,
                    port_at,
                    protocol: port.protocol.to_ascii_uppercase(),
                    scopes: export_scopes(&entry.spec.export_to, entry.meta.namespace.as_str()),
                });
            }
        }
    }
    let mut reported: BTreeSet<(&str, &str)> = BTreeSet::new();
    for ((host, number), claims) in &claims {
        let first = claims.first().map(|claim| &claim.protocol);
        if claims.iter().all(|claim| Some(&claim.protocol) == first) {
            continue;
        }
        let protocols = Protocols::new(claims);
        for claim in claims.iter().filter(|claim| protocols.differ(claim)) {
            let key = (
                claim.entry.meta.namespace.as_str(),
                claim.entry.meta.name.as_str(),
            );
            if reported.insert(key) {
                let names: BTreeSet<String> = claims
                    .iter()
                    .take(100)
                    .map(|claim| qualified(&claim.entry.meta))
                    .collect();
                let path = field!["spec", "ports", claim.port_at, "protocol"];
                let parameters = [list(names), number.to_string(), (*host).to_owned()];
                sink.report(
                    codes::CONFLICTING_SERVICE_ENTRY_PROTOCOL,
                    claim.entry,
                    path,
                    parameters,
                );
            }
        }
    }
}

/// The protocols of a host's port, by where they can be seen.
struct Protocols<'c> {
    by_scope: BTreeMap<&'c str, BTreeSet<&'c str>>,
    all: BTreeSet<&'c str>,
}

impl<'c> Protocols<'c> {
    fn new(claims: &'c [Claim<'_>]) -> Self {
        let mut protocols = Self {
            by_scope: BTreeMap::new(),
            all: BTreeSet::new(),
        };
        // what is exported nowhere meets nobody
        for claim in claims.iter().filter(|claim| !claim.scopes.is_empty()) {
            protocols.all.insert(&claim.protocol);
            for scope in &claim.scopes {
                protocols
                    .by_scope
                    .entry(scope)
                    .or_default()
                    .insert(&claim.protocol);
            }
        }
        protocols
    }

    /// Whether somewhere both this claim and one with another protocol are seen.
    fn differ(&self, claim: &Claim<'_>) -> bool {
        let others = |protocols: &BTreeSet<&str>| protocols.iter().any(|other| *other != claim.protocol);
        let seen_at = |scope: &&str| self.by_scope.get(scope).is_some_and(others);
        match claim.scopes.contains("*") {
            true => others(&self.all),
            false => !claim.scopes.is_empty() && (seen_at(&"*") || claim.scopes.iter().any(seen_at)),
        }
    }
}
