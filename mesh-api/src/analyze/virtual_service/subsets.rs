//! Subsets that destinations name. Source: Istio analysis destinationrules.go.

use std::collections::HashSet;

use super::super::codes;
use super::super::sink::Sink;
use super::super::view::View;
use super::targets;
use crate::kind::Kind;

/// IST0101
pub(crate) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    if !view.knows(&Kind::DestinationRule) {
        return;
    }
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
