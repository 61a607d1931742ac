//! Gateways that open the same port for the same hosts. Source: Istio analysis conflictinggateways.go.

use std::collections::{BTreeMap, BTreeSet};

use super::super::codes;
use super::super::hosts::HostOverlap;
use super::super::index::{SelectorIndex, list, selector_text};
use super::super::path::{field, qualified};
use super::super::sink::Sink;
use super::super::view::View;
use crate::networking::{Gateway, Server};
use crate::object::Object;

/// Names that are looked at for one message.
const MAX_RIVALS: usize = 100;

/// IST0145, one for each server.
pub(crate) fn check(view: &View<'_>, sink: &mut Sink<'_>) {
    let groups = Groups::new(view);
    for gateway in view.objects.gateways() {
        let selector = selector_text(&gateway.spec.selector);
        for (at, server) in gateway.spec.servers.iter().enumerate() {
            let Some(port) = &server.port else { continue };
            let mut rivals: BTreeSet<String> = BTreeSet::new();
            for group in groups.facing(&selector) {
                let Some(others) = group.get(&port.number) else {
                    continue;
                };
                for host in hosts_and_bind(server) {
                    let found = others
                        .overlapping(&host)
                        .filter(|other| !std::ptr::eq(**other, &**gateway));
                    rivals.extend(found.take(MAX_RIVALS).map(|other| qualified(&other.meta)));
                }
            }
            if !rivals.is_empty() {
                let parameters = [
                    list(&rivals),
                    selector.clone(),
                    port.number.to_string(),
                    list(&server.hosts),
                ];
                let path = field!["spec", "servers", at, "port", "number"];
                sink.report(codes::CONFLICTING_GATEWAYS, gateway, path, parameters);
            }
        }
    }
}

/// Hosts by port, of the gateways with one selector.
type Group<'a> = BTreeMap<u32, HostOverlap<&'a Object<Gateway>>>;

struct Groups<'a> {
    by_selector: BTreeMap<String, Group<'a>>,
    /// Selectors of which one text holds the other and that select one pod.
    related: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Groups<'a> {
    fn new(view: &View<'a>) -> Self {
        let mut by_selector: BTreeMap<String, Group<'a>> = BTreeMap::new();
        let mut selectors = BTreeMap::new();
        for gateway in view.objects.gateways() {
            let text = selector_text(&gateway.spec.selector);
            selectors.entry(text.clone()).or_insert(&gateway.spec.selector);
            let group = by_selector.entry(text).or_default();
            for server in &gateway.spec.servers {
                let Some(port) = &server.port else { continue };
                for host in hosts_and_bind(server) {
                    group.entry(port.number).or_default().insert(&host, &**gateway);
                }
            }
        }
        let mut related: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        if selectors.len() > 1 {
            let selects_all = selectors.contains_key("");
            let index = SelectorIndex::new(
                selectors
                    .iter()
                    .map(|(text, labels)| ("", *labels, text.as_str())),
            );
            // pods of one workload have the same labels and are looked at once
            let mut seen = BTreeSet::new();
            for (pod, _) in view.pods().iter().filter(|(pod, _)| seen.insert(&pod.labels)) {
                let mut texts: Vec<&str> = index.selecting("", &pod.labels).copied().collect();
                texts.extend(selects_all.then_some(""));
                for a in &texts {
                    let others = texts
                        .iter()
                        .filter(|b| *b != a && (a.contains(**b) || b.contains(*a)));
                    let others: Vec<String> = others.map(|b| (*b).to_owned()).collect();
                    related.entry((*a).to_owned()).or_default().extend(others);
                }
            }
        }
        Self { by_selector, related }
    }

    /// The group of a selector, and those that stand to it as above.
    fn facing<'s>(&'s self, selector: &'s str) -> impl Iterator<Item = &'s Group<'a>> {
        let related = self.related.get(selector).into_iter().flatten();
        std::iter::once(selector)
            .chain(related.map(String::as_str))
            .filter_map(|selector| self.by_selector.get(selector))
    }
}

/// Hosts with the address that is listened on behind them, which is what upstream compares.
fn hosts_and_bind(server: &Server) -> impl Iterator<Item = String> {
    server.hosts.iter().map(|host| format!("{host}{}", server.bind))
}
