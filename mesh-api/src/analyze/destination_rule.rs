//! DestinationRules: verification of servers, and subsets that nothing is in.

use std::collections::BTreeMap;

use super::codes;
use super::path::field;
use super::sink::Sink;
use super::view::View;
use crate::kind::Kind;
use crate::kubernetes::{Node, Pod, Service};
use crate::meta::ObjectMeta;
use crate::networking::{ClientTlsMode, ClientTlsSettings, DestinationRule};
use crate::object::Object;

/// IST0128 and IST0129. Source: Istio analysis ca-certificate.go.
pub(super) fn certificates(view: &View<'_>, sink: &mut Sink<'_>) {
    for rule in view.objects.destination_rules() {
        let Some(policy) = &rule.spec.traffic_policy else {
            continue;
        };
        let has_selector = rule.spec.workload_selector.is_some();
        let mode = |tls: &Option<Box<ClientTlsSettings>>| unverified(tls.as_deref()?, has_selector);
        let name = rule.meta.name.to_string();
        if let Some(mode) = mode(&policy.tls) {
            let parameters = [name.clone(), mode.to_string(), rule.spec.host.clone()];
            let path = field!["spec", "trafficPolicy", "tls", "mode"];
            sink.report(codes::NO_SERVER_VERIFICATION_DESTINATION, rule, path, parameters);
        }
        for (at, port) in policy.port_level_settings.iter().enumerate() {
            if let Some(mode) = mode(&port.tls) {
                let number = port.port.as_ref().map_or(0, |port| port.number).to_string();
                let parameters = [name.clone(), mode.to_string(), number, rule.spec.host.clone()];
                let path = field!["spec", "trafficPolicy", "portLevelSettings", at, "tls", "mode"];
                sink.report(codes::NO_SERVER_VERIFICATION_PORT, rule, path, parameters);
            }
        }
    }
}

/// The mode of settings that name nothing to verify the server with. A secret is read for the workloads of a selector only.
fn unverified(tls: &ClientTlsSettings, has_selector: bool) -> Option<ClientTlsMode> {
    let has_secret = has_selector && !tls.credential_name.is_empty();
    let is_open = matches!(tls.mode, ClientTlsMode::Simple | ClientTlsMode::Mutual)
        && tls.ca_certificates.is_empty()
        && !has_secret;
    is_open.then_some(tls.mode)
}

/// IST0173 and IST0174. Source: Istio analysis pod-not-selected.go.
pub(super) fn subsets(view: &View<'_>, sink: &mut Sink<'_>) {
    for rule in view.objects.destination_rules() {
        let namespace = rule.meta.namespace.as_str();
        let host = view.fqdn(namespace, &rule.spec.host);
        let hosts = view.hosts();
        if hosts.find(namespace, &[], &host).is_none() && !hosts.has_any(namespace, &host) {
            if hosts.can_miss(&host) {
                let parameters = [rule.spec.host.clone()];
                sink.report(
                    codes::UNKNOWN_DESTINATION_RULE_HOST,
                    rule,
                    field!["spec", "host"],
                    parameters,
                );
            }
            continue;
        }
        if let Some(service) = service_of(view, &host)
            && view.knows(&Kind::Pod)
        {
            empty_subsets(view, rule, service, sink);
        }
    }
}

/// The service of a host of the cluster.
pub(super) fn service_of<'a>(view: &View<'a>, host: &str) -> Option<&'a Object<Service>> {
    let name = host.strip_suffix(view.options.cluster_domain.as_str())?;
    let (name, namespace) = name.strip_suffix(".svc.")?.split_once('.')?;
    view.objects
        .object::<Service>(namespace, name)
        .map(|service| &**service)
}

fn empty_subsets(
    view: &View<'_>,
    rule: &Object<DestinationRule>,
    service: &Object<Service>,
    sink: &mut Sink<'_>,
) {
    // without a selector something else maintains the endpoints
    let selector = &service.spec.spec.selector;
    if selector.is_empty() {
        return;
    }
    for (at, subset) in rule.spec.subsets.iter().enumerate() {
        let mut wanted = selector.clone();
        wanted.extend(subset.labels.clone());
        let (places, labels): (BTreeMap<_, _>, BTreeMap<_, _>) = wanted
            .into_iter()
            .partition(|(key, _)| PLACES.contains(&key.as_str()));
        let found = view.pods().anywhere(&labels).any(|(meta, pod)| {
            places
                .iter()
                .all(|(key, value)| is_at(view, meta, pod, key, value))
        });
        if !found {
            let path = field!["spec", "subsets", at, "name"];
            sink.report(codes::SUBSET_SELECTS_NO_PODS, rule, path, [subset.name.clone()]);
        }
    }
}

/// Labels that endpoints have from the node of their pod.
const PLACES: &[&str] = &[
    "kubernetes.io/hostname",
    "topology.istio.io/subzone",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];

fn is_at(view: &View<'_>, meta: &ObjectMeta, pod: &Object<Pod>, key: &str, value: &str) -> bool {
    let node = view.objects.object::<Node>("", &pod.spec.spec.node_name);
    let of_node = || node.and_then(|node| node.meta.labels.get(key));
    meta.labels.get(key).or_else(of_node) == Some(value)
}
