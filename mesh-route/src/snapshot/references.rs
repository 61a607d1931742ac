//! References that lead nowhere: gateways, hosts, subsets, subsets without endpoints. Each has a defined outcome when a
//! request gets there (R-DST-3, R-DST-4); here they are found before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mesh_api::FieldPath;
use mesh_api::names::{GatewayRef, Host, Labels};
use mesh_api::networking::Destination;

use super::destination_rule::DestinationRule;
use super::virtual_service::{HttpEntry, Semantics, VirtualService};
use super::{Finding, Indexes, http_entry};

/// Lists all references that lead nowhere, in order of the VirtualServices.
pub(super) fn dangling(indexes: &Indexes, findings: &mut Vec<Finding>) {
    let gateways: BTreeSet<&GatewayRef> = indexes
        .gateways
        .iter()
        .map(|gateway| &gateway.reference)
        .collect();
    let mut rules: BTreeMap<Host, Vec<Arc<DestinationRule>>> = BTreeMap::new();
    for service in indexes.virtual_services.iter() {
        for (position, gateway) in service.gateways.iter().enumerate() {
            if *gateway != GatewayRef::Mesh && !gateways.contains(gateway) {
                findings.push(Finding {
                    object: Arc::clone(&service.key),
                    path: FieldPath::spec().with_field("gateways").with_index(position),
                    rule: "R-GW-10",
                    reason: format!("no Gateway `{gateway}`"),
                });
            }
        }
        for entry in &service.http {
            for (position, target) in entry.route.route.iter().enumerate() {
                let Some(destination) = &target.destination else {
                    continue;
                };
                let path = http_entry(entry.entry).with_field("route").with_index(position);
                if let Some((rule, reason)) = reason(service, destination, indexes, &mut rules) {
                    let HttpEntry { object, .. } = entry;
                    findings.push(Finding {
                        object: Arc::clone(object),
                        path,
                        rule,
                        reason,
                    });
                }
            }
        }
    }
}

/// Why a destination leads nowhere.
fn reason(
    owner: &VirtualService,
    destination: &Destination,
    indexes: &Indexes,
    rules: &mut BTreeMap<Host, Vec<Arc<DestinationRule>>>,
) -> Option<(&'static str, String)> {
    let host = Host::new(destination.host.as_str());
    let services = indexes.services.by_host(&host);
    if services.is_empty() {
        // Gateway semantics name backends that need not be services of this mesh.
        let unknown = owner.semantics == Semantics::Istio;
        return unknown.then(|| ("R-DST-3", format!("no service has the hostname `{host}`")));
    }
    if destination.subset.is_empty() {
        return None;
    }
    let subset = destination.subset.as_str();
    let rules = rules
        .entry(host.clone())
        .or_insert_with(|| indexes.rules.candidates(&host));
    let labels: Vec<Labels> = rules
        .iter()
        .flat_map(|rule| &rule.spec.subsets)
        .filter(|known| known.name == subset)
        .map(|known| known.labels.iter().collect())
        .collect();
    if labels.is_empty() {
        return Some((
            "R-DST-4",
            format!("no DestinationRule of `{host}` has a subset `{subset}`"),
        ));
    }
    let mut endpoints = services.iter().flat_map(|service| &service.endpoints).peekable();
    endpoints.peek()?;
    let selected =
        endpoints.any(|endpoint| labels.iter().any(|wanted| wanted.is_subset_of(&endpoint.labels)));
    (!selected).then(|| {
        (
            "R-DST-4",
            format!("subset `{subset}` of `{host}` selects no endpoint"),
        )
    })
}
