//! Routes that look at JWT claims. Source: Istio analysis jwtclaimroute.go.

use std::collections::BTreeSet;

use super::super::codes;
use super::super::index::SelectorIndex;
use super::super::path::field;
use super::super::sink::Sink;
use super::super::view::View;
use crate::kind::Kind;
use crate::networking::{Gateway, VirtualService};
use crate::report::FieldPath;
use crate::security::RequestAuthentication;
use crate::validate::is_jwt_claim;

/// IST0149
pub(crate) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    if !view.knows_gateway_pods() || !view.knows(&Kind::RequestAuthentication) {
        return;
    }
    let policies = Policies::new(view);
    for object in view.objects.virtual_services() {
        let Some((claim, path)) = claim_of(&object.spec) else {
            continue;
        };
        for reference in object.spec.gateways.iter().filter(|gateway| *gateway != "mesh") {
            let namespace = object.meta.namespace.as_str();
            let (namespace, name) = reference.split_once('/').unwrap_or((namespace, reference));
            // a gateway that is not there is reported elsewhere
            let Some(gateway) = view.objects.object::<Gateway>(namespace, name) else {
                continue;
            };
            for (pod, _) in view.pods().anywhere(&gateway.spec.selector) {
                if sink.is_full() {
                    return;
                }
                if !policies.cover(pod) {
                    let parameters = [claim.to_owned(), pod.name.to_string(), reference.clone()];
                    let code = codes::JWT_ROUTING_WITHOUT_AUTHENTICATION;
                    sink.report(code, object, path.clone(), parameters);
                }
            }
        }
    }
}

/// The first claim that a route looks at.
fn claim_of(spec: &VirtualService) -> Option<(&str, FieldPath)> {
    for (at, route) in spec.http.iter().enumerate() {
        for (on, condition) in route.matches.iter().enumerate() {
            let headers = condition.headers.keys().map(|key| ("headers", key));
            let without = condition
                .without_headers
                .keys()
                .map(|key| ("withoutHeaders", key));
            if let Some((field, key)) = headers.chain(without).find(|(_, key)| is_jwt_claim(key)) {
                return Some((key, field!["spec", "http", at, "match", on, field, key]));
            }
        }
    }
    None
}

/// RequestAuthentications by what they select.
struct Policies<'a> {
    selecting: SelectorIndex<'a, ()>,
    /// Namespaces with one that selects all workloads.
    whole: BTreeSet<&'a str>,
    root: &'a str,
}

impl<'a> Policies<'a> {
    fn new(view: &View<'a>) -> Self {
        let policies = || view.objects.objects_of::<RequestAuthentication>();
        let selector = |policy: &'a RequestAuthentication| {
            let selector = policy.selector.as_ref().map(|selector| &selector.match_labels);
            selector.filter(|labels| !labels.is_empty())
        };
        let selecting = policies().filter_map(|policy| {
            selector(&policy.spec).map(|labels| (policy.meta.namespace.as_str(), labels, ()))
        });
        let whole = policies().filter(|policy| selector(&policy.spec).is_none());
        Self {
            selecting: SelectorIndex::new(selecting),
            whole: whole.map(|policy| policy.meta.namespace.as_str()).collect(),
            root: view.options.istio_namespace.as_str(),
        }
    }

    fn cover(&self, pod: &crate::meta::ObjectMeta) -> bool {
        [self.root, pod.namespace.as_str()].into_iter().any(|namespace| {
            self.whole.contains(namespace)
                || self.selecting.selecting(namespace, &pod.labels).next().is_some()
        })
    }
}
