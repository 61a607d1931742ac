//! Hosts that several VirtualServices claim for sidecars. Source: Istio analysis conflictingmeshgatewayhosts.go.

use std::collections::{BTreeMap, BTreeSet};

use super::super::codes;
use super::super::hosts::{HostOverlap, is_exported_to_all};
use super::super::index::list;
use super::super::path::{field, qualified};
use super::super::sink::Sink;
use super::super::view::View;
use crate::networking::VirtualService;
use crate::object::Object;

/// Names that are looked at for one message.
const MAX_RIVALS: usize = 100;

/// IST0109: once per object, with all hosts that it has to share.
pub(crate) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    let claims = Claims::new(view);
    let mut conflicts: BTreeMap<(String, String), Conflict<'_>> = BTreeMap::new();
    for (scope, host) in claims.narrow.keys().chain(claims.wide.keys()) {
        let mut rivals: Vec<&Object<VirtualService>> = Vec::new();
        let own = claims.narrow.get(&(*scope, host.clone()));
        rivals.extend(own.into_iter().flatten().copied());
        match *scope {
            // two that are visible everywhere must have the very same host
            "*" => rivals.extend(claims.everywhere.get(host).into_iter().flatten().copied()),
            _ => rivals.extend(claims.everywhere.overlapping(host).take(MAX_RIVALS).copied()),
        }
        if rivals.len() < 2 {
            continue;
        }
        let names: BTreeSet<String> = rivals.iter().map(|rival| qualified(&rival.meta)).collect();
        for rival in rivals {
            let key = (rival.meta.namespace.to_string(), rival.meta.name.to_string());
            let conflict = conflicts.entry(key).or_insert_with(|| Conflict {
                object: rival,
                hosts: BTreeSet::new(),
                names: BTreeSet::new(),
            });
            if conflict.hosts.len() < MAX_RIVALS {
                conflict.hosts.insert(host.clone());
                conflict.names.extend(names.iter().take(MAX_RIVALS).cloned());
            }
        }
    }
    for conflict in conflicts.into_values() {
        let parameters = [list(&conflict.names), list(&conflict.hosts)];
        let path = field!["spec", "hosts"];
        sink.report(
            codes::CONFLICTING_MESH_GATEWAY_HOSTS,
            conflict.object,
            path,
            parameters,
        );
    }
}

struct Conflict<'a> {
    object: &'a Object<VirtualService>,
    hosts: BTreeSet<String>,
    names: BTreeSet<String>,
}

/// Who claims which host, and where that is visible.
struct Claims<'a> {
    /// By namespace and host: those that are visible in their own namespace only, or in some others, which upstream takes for
    /// the same.
    narrow: BTreeMap<(&'a str, String), Vec<&'a Object<VirtualService>>>,
    wide: BTreeMap<(&'a str, String), ()>,
    everywhere: HostOverlap<&'a Object<VirtualService>>,
}

impl<'a> Claims<'a> {
    fn new(view: &View<'a>) -> Self {
        let mut claims = Self {
            narrow: BTreeMap::new(),
            wide: BTreeMap::new(),
            everywhere: HostOverlap::default(),
        };
        for object in view.objects.virtual_services() {
            let spec = &object.spec;
            if !spec.gateways.is_empty() && !spec.gateways.iter().any(|gateway| gateway == "mesh") {
                continue;
            }
            let namespace = object.meta.namespace.as_str();
            let hosts: BTreeSet<String> = spec.hosts.iter().map(|host| view.fqdn(namespace, host)).collect();
            for host in hosts {
                if is_exported_to_all(&spec.export_to) {
                    claims.everywhere.insert(&host, object);
                    claims.wide.insert(("*", host), ());
                } else {
                    claims.narrow.entry((namespace, host)).or_default().push(object);
                }
            }
        }
        claims
    }
}
