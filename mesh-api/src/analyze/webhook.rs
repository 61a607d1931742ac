//! Webhook configurations: injectors that overlap or lead nowhere, and addresses of external control planes.

use std::collections::BTreeSet;

use super::codes;
use super::index::list;
use super::path::{self, field};
use super::sink::Sink;
use super::view::{INJECT, INJECTION_LABEL, REVISION_LABEL, View};
use crate::kind::Kind;
use crate::kubernetes::{
    MutatingWebhookConfiguration, Service, ValidatingWebhookConfiguration, Webhook, WebhookClientConfig,
};
use crate::mesh::LabelSelector;
use crate::names::{Labels, check};
use crate::object::{Model, Object};

/// Webhooks of one set of objects that are compared with each other.
const MAX_WEBHOOKS: usize = 1000;

/// IST0139. Source: Istio analysis webhook.go.
pub(super) fn injectors(view: &View<'_>, sink: &mut Sink<'_>) {
    let configurations = || view.objects.objects_of::<MutatingWebhookConfiguration>();
    if view.knows(&Kind::Service) {
        for configuration in configurations() {
            dangling(view, configuration, sink);
        }
    }
    let injectors: Vec<(&Object<MutatingWebhookConfiguration>, &Webhook)> = configurations()
        .flat_map(|configuration| {
            configuration
                .spec
                .webhooks
                .iter()
                .map(move |hook| (&**configuration, hook))
        })
        .filter(|(_, hook)| is_injector(hook) && !is_retired(hook))
        .take(MAX_WEBHOOKS)
        .collect();
    for configuration in configurations() {
        let mine = injectors
            .iter()
            .filter(|(owner, _)| std::ptr::eq(*owner, &**configuration));
        let mut rivals = BTreeSet::new();
        for (_, hook) in mine {
            let others = injectors
                .iter()
                .filter(|(owner, _)| !std::ptr::eq(*owner, &**configuration));
            let overlapping = others.filter(|(_, other)| overlap(hook, other));
            rivals.extend(overlapping.map(|(owner, _)| owner.meta.name.as_str()));
        }
        if !rivals.is_empty() {
            let detail = format!(
                "the injector covers pods that others cover too: {}; they may be injected twice",
                list(rivals)
            );
            sink.report(codes::INVALID_WEBHOOK, configuration, path::name(), [detail]);
        }
    }
}

fn dangling(view: &View<'_>, configuration: &Object<MutatingWebhookConfiguration>, sink: &mut Sink<'_>) {
    for (at, hook) in configuration.spec.webhooks.iter().enumerate() {
        let service = hook.client_config.service.as_ref().filter(|_| is_injector(hook));
        if let Some(service) = service
            && view
                .objects
                .object::<Service>(&service.namespace, &service.name)
                .is_none()
        {
            let detail = format!(
                "the injector leads to a service that does not exist: `{}/{}`",
                service.namespace, service.name
            );
            let path = field!["webhooks", at, "clientConfig", "service", "name"];
            sink.report(codes::INVALID_WEBHOOK, configuration, path, [detail]);
        }
    }
}

/// Whether a webhook is one of Istio's injectors.
pub(super) fn is_injector(hook: &Webhook) -> bool {
    hook.name.ends_with("istio.io")
}

/// Whether a webhook was put out of use, which installers do with a label that nothing has.
fn is_retired(hook: &Webhook) -> bool {
    let selectors = [&hook.namespace_selector, &hook.object_selector];
    let mut selectors = selectors.into_iter().flatten();
    selectors.any(|selector| selector.match_labels.contains_key("istio.io/deactivated"))
}

/// Whether some pod of some namespace is covered by both, as far as the labels go by which pods are injected.
fn overlap(a: &Webhook, b: &Webhook) -> bool {
    agree([&a.namespace_selector, &b.namespace_selector]) && agree([&a.object_selector, &b.object_selector])
}

/// Whether some labels satisfy both selectors. Each key is a question of its own, so it is enough to find a value for each:
/// none, one that a selector mentions, or another one.
fn agree(selectors: [&Option<LabelSelector>; 2]) -> bool {
    let mut values: std::collections::BTreeMap<&str, BTreeSet<&str>> = std::collections::BTreeMap::new();
    for selector in selectors.into_iter().flatten() {
        for (key, value) in &selector.match_labels {
            values.entry(key).or_default().insert(value);
        }
        for requirement in &selector.match_expressions {
            let mentioned = requirement.values.iter().map(String::as_str);
            values.entry(&requirement.key).or_default().extend(mentioned);
        }
    }
    values.iter().all(|(key, mentioned)| {
        let is_free = [INJECT, INJECTION_LABEL, REVISION_LABEL].contains(key);
        let candidates = mentioned
            .iter()
            .copied()
            .chain(["another-value"])
            .filter(|_| is_free);
        let labels = candidates
            .map(|value| Labels::new().with(*key, value))
            .chain([Labels::new()]);
        labels.into_iter().any(|labels| {
            let mut both = selectors.into_iter().flatten();
            both.all(|selector| only(selector, key).matches(&labels))
        })
    })
}

/// What a selector says of one key.
fn only(selector: &LabelSelector, key: &str) -> LabelSelector {
    let LabelSelector {
        match_labels,
        match_expressions,
    } = selector;
    let labels = match_labels.iter().filter(|(name, _)| *name == key);
    let expressions = match_expressions
        .iter()
        .filter(|requirement| requirement.key == key);
    LabelSelector {
        match_labels: labels
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        match_expressions: expressions.cloned().collect(),
    }
}

/// IST0163 and IST0164. Source: Istio analysis externalcontrolplane.go.
pub(super) fn external_control_plane(view: &View<'_>, sink: &mut Sink<'_>) {
    for object in view.objects.objects_of::<ValidatingWebhookConfiguration>() {
        let name = object.meta.name.as_str();
        if name == "istiod-default-validator" || name.starts_with("istio-validator") {
            addresses(object, &object.spec.webhooks, sink);
        }
    }
    for object in view.objects.objects_of::<MutatingWebhookConfiguration>() {
        if object.meta.name.starts_with("istio-sidecar-injector") {
            addresses(object, &object.spec.webhooks, sink);
        }
    }
}

fn addresses<T: Model>(object: &Object<T>, hooks: &[Webhook], sink: &mut Sink<'_>) {
    for (at, hook) in hooks.iter().enumerate() {
        let WebhookClientConfig { url, service, .. } = &hook.client_config;
        let path = field!["webhooks", at, "clientConfig", "url"];
        let (address, verdict) = match (url, service) {
            (Some(url), _) => (url.as_str(), judge(url)),
            (None, Some(_)) => continue,
            (None, None) => ("", Err("neither a URL nor a service is given")),
        };
        match verdict {
            Ok(Address::Name) => {}
            Ok(Address::Ip) => {
                let parameters = [address.to_owned(), hook.name.clone()];
                sink.report(codes::EXTERNAL_CONTROL_PLANE_IP, object, path, parameters);
            }
            Err(reason) => {
                let parameters = [hook.name.clone(), address.to_owned(), reason.to_owned()];
                sink.report(codes::INVALID_EXTERNAL_CONTROL_PLANE, object, path, parameters);
            }
        }
    }
}

enum Address {
    Ip,
    Name,
}

/// Whether a text is a URL with a host, and what the host is.
fn judge(url: &str) -> Result<Address, &'static str> {
    if url.is_empty() {
        return Err("the URL is empty");
    }
    if url.chars().any(|c| c.is_control() || c == ' ') {
        return Err("the URL holds a space or control character");
    }
    let (scheme, rest) = url.split_once("://").ok_or("the URL has no scheme")?;
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(is_scheme) {
        return Err("the URL has an invalid scheme");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or("the URL lacks a `]`")?,
        None => host
            .find(':')
            .and_then(|colon| host.split_at_checked(colon))
            .unwrap_or((host, "")),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    if (!port.is_empty() && !port.starts_with(':')) || digits.contains(|c: char| !c.is_ascii_digit()) {
        return Err("the URL has an invalid port");
    }
    if host.is_empty() {
        return Err("the URL has no host");
    }
    Ok(match check::ip_address(host) {
        Ok(()) => Address::Ip,
        Err(_) => Address::Name,
    })
}
