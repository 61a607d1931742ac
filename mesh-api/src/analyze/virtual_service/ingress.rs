//! Routes of gateways that pass by the subsets that sidecars choose. Source: Istio analysis destinationhosts.go.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::codes;
use super::super::path::{field, qualified};
use super::super::sink::Sink;
use super::super::view::View;

/// IST0140: the hosts of a VirtualService are taken as text here, as upstream does.
pub(crate) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    let mut choosers: HashMap<&str, BTreeSet<String>> = HashMap::new();
    for object in view.objects.virtual_services() {
        let hosts: HashSet<&String> = object.spec.hosts.iter().collect();
        let routes = object.spec.http.iter().flat_map(|route| &route.route);
        for destination in routes.filter_map(|target| target.destination.as_ref()) {
            if !destination.subset.is_empty() && hosts.contains(&destination.host) {
                let chooser = qualified(&object.meta);
                choosers.entry(&destination.host).or_default().insert(chooser);
            }
        }
    }
    for object in view
        .objects
        .virtual_services()
        .filter(|object| !object.spec.gateways.is_empty())
    {
        let mut pairs = BTreeMap::new();
        for (at, route) in object.spec.http.iter().enumerate() {
            for (to, target) in route.route.iter().enumerate() {
                let Some(destination) = &target.destination else {
                    continue;
                };
                if !destination.subset.is_empty() || sink.is_full() {
                    continue;
                }
                for chooser in choosers.get(destination.host.as_str()).into_iter().flatten() {
                    let path = || field!["spec", "http", at, "route", to, "destination", "host"];
                    pairs.entry(chooser).or_insert_with(path);
                }
            }
        }
        for (chooser, path) in pairs {
            let parameters = [chooser.clone(), qualified(&object.meta)];
            sink.report(codes::INGRESS_RULES_NOT_AFFECTED, object, path, parameters);
        }
    }
}
