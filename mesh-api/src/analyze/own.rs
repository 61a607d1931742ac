//! What istioctl does not look for (A-AN-3): references that lead nowhere or to nothing, things that nobody uses, and policies
//! that contradict each other. Off by default.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::codes;
use super::destination_rule::service_of;
use super::index::{list, selector_text};
use super::path::{self, field, qualified};
use super::sink::Sink;
use super::view::View;
use super::virtual_service::{gateway_key, targets};
use crate::kind::Kind;
use crate::networking::{ClientTlsMode, Gateway, ProxyConfig, ServerTlsMode, VirtualService};
use crate::object::{Model, Object};
use crate::security::{AuthorizationAction, AuthorizationPolicy, MutualTlsMode, PeerAuthentication};

/// MESH0001
pub(super) fn delegates(view: &View<'_>, sink: &mut Sink<'_>) {
    for object in view.objects.virtual_services() {
        for (at, route) in object.spec.http.iter().enumerate() {
            let Some(delegate) = &route.delegate else { continue };
            let namespace = match delegate.namespace.as_str() {
                "" => object.meta.namespace.as_str(),
                namespace => namespace,
            };
            let target = view.objects.object::<VirtualService>(namespace, &delegate.name);
            let reason = match target {
                None => "there is no such VirtualService",
                Some(target) if target.key() == object.key() => "it is the VirtualService itself",
                Some(target) if !target.spec.hosts.is_empty() => {
                    "it has hosts, and a delegate must have none"
                }
                Some(target) if target.spec.http.iter().any(|route| route.delegate.is_some()) => {
                    "it delegates further, and only one step is followed"
                }
                Some(_) => continue,
            };
            let parameters = [format!("{namespace}/{}", delegate.name), reason.to_owned()];
            let path = field!["spec", "http", at, "delegate", "name"];
            sink.report(codes::UNUSABLE_DELEGATE, object, path, parameters);
        }
    }
}

/// MESH0002, MESH0003, MESH0004
pub(super) fn unused(view: &View<'_>, sink: &mut Sink<'_>) {
    subsets(view, sink);
    exports(view, sink);
    gateways(view, sink);
}

/// MESH0002, where there are VirtualServices at all.
fn subsets(view: &View<'_>, sink: &mut Sink<'_>) {
    if !view.knows(&Kind::VirtualService) {
        return;
    }
    let mut used: HashSet<(String, &str)> = HashSet::new();
    for object in view.objects.virtual_services() {
        for target in targets(&object.spec) {
            let host = view.fqdn(object.meta.namespace.as_str(), &target.destination.host);
            used.insert((host, target.destination.subset.as_str()));
        }
    }
    for rule in view.objects.destination_rules() {
        let host = view.fqdn(rule.meta.namespace.as_str(), &rule.spec.host);
        // hosts below a wildcard may be sent to by their own names
        if host.starts_with('*') {
            continue;
        }
        for (at, subset) in rule.spec.subsets.iter().enumerate() {
            if !used.contains(&(host.clone(), subset.name.as_str())) {
                let parameters = [subset.name.clone(), rule.spec.host.clone()];
                let path = field!["spec", "subsets", at, "name"];
                sink.report(codes::UNUSED_SUBSET, rule, path, parameters);
            }
        }
    }
}

/// MESH0003, where the namespaces are known.
fn exports(view: &View<'_>, sink: &mut Sink<'_>) {
    if !view.knows(&Kind::Namespace) {
        return;
    }
    for rule in view.objects.destination_rules() {
        let exports = &rule.spec.export_to;
        let reaches = |export: &String| {
            matches!(export.as_str(), "." | "*")
                || view.namespace(export).is_some()
                || rule.meta.namespace.as_str() == export.as_str()
        };
        if !exports.is_empty() && !exports.iter().any(reaches) {
            let path = field!["spec", "exportTo"];
            sink.report(codes::EXPORTED_NOWHERE, rule, path, [list(exports)]);
        }
    }
}

/// MESH0004, where there are VirtualServices at all. What passes through by server name needs no route.
fn gateways(view: &View<'_>, sink: &mut Sink<'_>) {
    if !view.knows(&Kind::VirtualService) {
        return;
    }
    let mut named: HashSet<(String, String)> = HashSet::new();
    for object in view.objects.virtual_services() {
        let references = object
            .spec
            .gateways
            .iter()
            .filter(|reference| *reference != "mesh");
        named
            .extend(references.map(|reference| gateway_key(view, object.meta.namespace.as_str(), reference)));
    }
    for gateway in view.objects.gateways() {
        let key = (gateway.meta.namespace.to_string(), gateway.meta.name.to_string());
        if !named.contains(&key) && needs_routes(&gateway.spec) {
            sink.report(
                codes::GATEWAY_WITHOUT_ROUTES,
                gateway,
                path::name(),
                [qualified(&gateway.meta)],
            );
        }
    }
}

fn needs_routes(gateway: &Gateway) -> bool {
    gateway.servers.iter().any(|server| {
        let tls = server.tls.as_ref();
        tls.is_none_or(|tls| tls.mode != ServerTlsMode::AutoPassthrough && !tls.https_redirect)
    })
}

/// MESH0005
pub(super) fn weights(view: &View<'_>, sink: &mut Sink<'_>) {
    for object in view.objects.virtual_services() {
        for (at, route) in object.spec.http.iter().enumerate() {
            let sum: i64 = route.route.iter().map(|target| i64::from(target.weight)).sum();
            if route.route.len() > 1 && sum != 100 && sum != 0 {
                let path = field!["spec", "http", at, "route"];
                sink.report(codes::UNUSUAL_WEIGHTS, object, path, [sum.to_string()]);
            }
        }
    }
}

/// MESH0006
pub(super) fn providers(view: &View<'_>, sink: &mut Sink<'_>) {
    let providers = &view.options.mesh.extension_providers;
    let known: BTreeSet<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
    for policy in view.objects.objects_of::<AuthorizationPolicy>() {
        let provider = policy
            .spec
            .provider
            .as_ref()
            .filter(|_| policy.spec.action == AuthorizationAction::Custom);
        if let Some(provider) = provider.filter(|provider| !known.contains(provider.name.as_str())) {
            let path = field!["spec", "provider", "name"];
            sink.report(
                codes::UNKNOWN_AUTHORIZATION_PROVIDER,
                policy,
                path,
                [provider.name.clone()],
            );
        }
    }
}

/// MESH0007, MESH0008, MESH0009
pub(super) fn policies(view: &View<'_>, sink: &mut Sink<'_>) {
    plain_text(view, sink);
    let selector =
        |policy: &Object<PeerAuthentication>| policy.spec.selector.clone().map(|one| one.match_labels);
    equals::<PeerAuthentication>(view, sink, selector);
    let selector = |config: &Object<ProxyConfig>| config.spec.selector.clone().map(|one| one.match_labels);
    equals::<ProxyConfig>(view, sink, selector);
}

/// MESH0008 for those of a whole namespace, MESH0009 for those with the same selector. The oldest of them counts.
fn equals<T: Model>(
    view: &View<'_>,
    sink: &mut Sink<'_>,
    selector: impl Fn(&Object<T>) -> Option<BTreeMap<String, String>>,
) {
    let mut groups: BTreeMap<_, Vec<&Object<T>>> = BTreeMap::new();
    for object in view.objects.objects_of::<T>() {
        let key = (
            object.meta.namespace.clone(),
            selector(object).unwrap_or_default(),
        );
        groups.entry(key).or_default().push(object);
    }
    for ((_, selector), objects) in groups.iter().filter(|(_, objects)| objects.len() > 1) {
        let names = list(objects.iter().map(|object| &object.meta.name));
        for object in objects {
            let kind = T::KIND.name().to_owned();
            if selector.is_empty() {
                let parameters = [kind, names.clone()];
                sink.report(codes::SEVERAL_FOR_NAMESPACE, object, path::name(), parameters);
            } else {
                let parameters = [kind, names.clone(), selector_text(selector)];
                let path = field!["spec", "selector", "matchLabels"];
                sink.report(codes::SEVERAL_FOR_SELECTOR, object, path, parameters);
            }
        }
    }
}

/// MESH0007: what the workloads of a service are told by the policy that counts for them, most special first.
fn plain_text(view: &View<'_>, sink: &mut Sink<'_>) {
    let mut of_namespace: BTreeMap<&str, &Object<PeerAuthentication>> = BTreeMap::new();
    let mut of_workloads: BTreeMap<&str, Vec<&Object<PeerAuthentication>>> = BTreeMap::new();
    for policy in view.objects.peer_authentications() {
        let namespace = policy.meta.namespace.as_str();
        let labels = policy
            .spec
            .selector
            .as_ref()
            .map(|selector| &selector.match_labels);
        if labels.is_none_or(BTreeMap::is_empty) {
            of_namespace.entry(namespace).or_insert(policy);
        } else {
            of_workloads.entry(namespace).or_default().push(policy);
        }
    }
    let mode = |policy: &Object<PeerAuthentication>| {
        let mode = policy
            .spec
            .mtls
            .as_ref()
            .map_or(MutualTlsMode::Unset, |mtls| mtls.mode);
        (mode != MutualTlsMode::Unset).then_some(mode)
    };
    let root = view.options.mesh.root_namespace.as_str();
    for rule in view.objects.destination_rules() {
        let tls = rule
            .spec
            .traffic_policy
            .as_ref()
            .and_then(|policy| policy.tls.as_ref());
        if tls.is_none_or(|tls| tls.mode != ClientTlsMode::Disable) {
            continue;
        }
        let host = view.fqdn(rule.meta.namespace.as_str(), &rule.spec.host);
        let Some(service) = service_of(view, &host) else {
            continue;
        };
        let namespace = service.meta.namespace.as_str();
        let special = of_workloads
            .get(namespace)
            .into_iter()
            .flatten()
            .copied()
            .filter(|policy| {
                let selector = policy.spec.selector.iter();
                let mut labels = selector.flat_map(|selector| &selector.match_labels);
                labels.all(|(key, value)| service.spec.spec.selector.get(key) == Some(value))
            });
        let general = [namespace, root]
            .into_iter()
            .filter_map(|namespace| of_namespace.get(namespace).copied());
        let decisive = special
            .chain(general)
            .find_map(|policy| Some((policy, mode(policy)?)));
        if let Some((policy, MutualTlsMode::Strict)) = decisive {
            let path = field!["spec", "trafficPolicy", "tls", "mode"];
            let parameters = [rule.spec.host.clone(), qualified(&policy.meta)];
            sink.report(codes::PLAIN_TEXT_TO_STRICT, rule, path, parameters);
        }
    }
}
