//! Subsets that destinations name, and routes of gateways that pass them by.
//!
//! Source: Istio analysis destinationrules.go.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::codes;
use super::super::path::{field, qualified};
use super::super::sink::Sink;
use super::super::view::View;
use super::targets;
use crate::kind::Kind;

pub(crate) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    if view.knows(&Kind::DestinationRule) {
        unknown_subsets(view, sink);
    }
    passed_by(view, sink);
}

/// IST0101
fn unknown_subsets(view: &View<'_>, sink: &mut Sink<'_>) {
    let mut known: HashSet<(String, &str)> = HashSet::new();
    for rule in view.objects.destination_rules() {
        let host = view.fqdn(rule.meta.namespace.as_str(), &rule.spec.host);
        known.extend(
            rule.spec
                .subsets
                .iter()
                .map(|subset| (host.clone(), subset.name.as_str())),
        );
    }
    for object in view.objects.virtual_services() {
        for target in targets(&object.spec) {
            let destination = target.destination;
            if destination.subset.is_empty() {
                continue;
            }
            let host = view.fqdn(object.meta.namespace.as_str(), &destination.host);
            if !known.contains(&(host, destination.subset.as_str())) {
                let what = match target.is_mirror {
                    true => "mirror+subset in destination rule",
                    false => "host+subset in destination rule",
                };
                let name = format!("{}+{}", destination.host, destination.subset);
                let path = target.path.with_field("host");
                sink.report(
                    codes::REFERENCED_RESOURCE_NOT_FOUND,
                    object,
                    path,
                    [what.to_owned(), name],
                );
            }
        }
    }
}

/// IST0140: the hosts of a VirtualService are taken as text here, as upstream does.
fn passed_by(view: &View<'_>, sink: &mut Sink<'_>) {
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
