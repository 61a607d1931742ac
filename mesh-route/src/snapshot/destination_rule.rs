//! DestinationRules merged per view, and the choice of the one that applies (R-DR).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mesh_api::names::{Host, HostIndex, Labels, Namespace, Text};
use mesh_api::networking as model;
use mesh_api::object::ObjectKey;

use super::Age;
use super::service::Service;

/// A DestinationRule as written, with its host resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct DestinationRule {
    /// The object.
    pub key: Arc<ObjectKey>,
    /// Its namespace.
    pub namespace: Namespace,
    /// Its age.
    pub age: Age,
    /// The resolved host (R-DR-1).
    pub host: Host,
    /// `exportTo` as a set, literally; `{.}` for a rule with a workload selector (R-DR-6).
    pub export_to: BTreeSet<Text>,
    /// Whether only its own namespace sees it (R-DR-5).
    pub private: bool,
    /// The workloads it is for; `None`: all.
    pub selector: Option<Arc<Labels>>,
    /// The rule.
    pub spec: model::DestinationRule,
}

/// DestinationRules of one host in one view, merged into one (R-DR-6 to -8).
#[derive(Clone, Debug, PartialEq)]
pub struct MergedRule {
    /// The rule that gives namespace, selector and exportTo: the first one.
    pub first: Arc<DestinationRule>,
    /// All that were merged, in order.
    pub merged: Vec<Arc<DestinationRule>>,
    /// Subsets of all of them; of equal names the first is kept.
    pub subsets: Vec<MergedSubset>,
    /// The rule whose `trafficPolicy` counts: the first that has any.
    pub policy: Option<Arc<DestinationRule>>,
}

/// A subset and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct MergedSubset {
    /// The rule that declares it.
    pub rule: Arc<DestinationRule>,
    /// Its position there.
    pub position: usize,
}

impl MergedSubset {
    /// The subset as written.
    pub fn spec(&self) -> Option<&model::Subset> {
        self.rule.spec.subsets.get(self.position)
    }
}

impl MergedRule {
    fn new(rule: &Arc<DestinationRule>) -> Self {
        let mut merged = Self {
            first: Arc::clone(rule),
            merged: Vec::new(),
            subsets: Vec::new(),
            policy: None,
        };
        merged.absorb(rule);
        merged
    }

    fn absorb(&mut self, rule: &Arc<DestinationRule>) {
        self.merged.push(Arc::clone(rule));
        for (position, subset) in rule.spec.subsets.iter().enumerate() {
            if self.subset(&subset.name).is_none() {
                self.subsets.push(MergedSubset {
                    rule: Arc::clone(rule),
                    position,
                });
            }
        }
        if self.policy.is_none() && rule.spec.traffic_policy.is_some() {
            self.policy = Some(Arc::clone(rule));
        }
    }

    /// The subset of that name.
    pub fn subset(&self, name: &str) -> Option<&MergedSubset> {
        self.subsets
            .iter()
            .find(|subset| subset.spec().is_some_and(|spec| spec.name == name))
    }

    /// The top-level traffic policy.
    pub fn traffic_policy(&self) -> Option<&model::TrafficPolicy> {
        self.policy
            .as_ref()
            .and_then(|rule| rule.spec.traffic_policy.as_deref())
    }
}

/// Where a rule was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleStep {
    /// In the client's namespace.
    ClientNamespace,
    /// In the service's namespace.
    ServiceNamespace,
    /// In the root namespace.
    RootNamespace,
}

/// The rule that applies to a service, and how it was found.
#[derive(Clone, Debug)]
pub struct SelectedRule {
    /// The rule.
    pub rule: Arc<MergedRule>,
    /// Where it was found.
    pub step: RuleStep,
    /// The host by which it was found; a wildcard, or the service's hostname.
    pub host: Host,
}

type View = HostIndex<Vec<Arc<MergedRule>>>;

/// All DestinationRules, by view.
#[derive(Debug, Default)]
pub struct DestinationRuleIndex {
    root: Namespace,
    own: BTreeMap<Namespace, View>,
    exported: BTreeMap<Namespace, View>,
    root_private: View,
}

impl DestinationRuleIndex {
    /// Sorts, merges and indexes.
    pub fn new(mut rules: Vec<Arc<DestinationRule>>, root: Namespace) -> Self {
        // R-ORD-2: rules with a selector first.
        rules.sort_by(|a, b| (a.selector.is_none(), &a.age).cmp(&(b.selector.is_none(), &b.age)));
        let mut index = Self {
            root,
            ..Self::default()
        };
        for rule in &rules {
            if visible_in_own_namespace(rule) {
                merge_into(index.own.entry(rule.namespace.clone()).or_default(), rule);
            }
            if !rule.private {
                merge_into(index.exported.entry(rule.namespace.clone()).or_default(), rule);
            } else if rule.namespace == index.root {
                merge_into(&mut index.root_private, rule);
            }
        }
        index
    }

    /// The rule that clients of `namespace` with `labels` apply to `service` (R-DR-2 to -5, R-DR-10).
    pub fn select(&self, namespace: &Namespace, labels: &Labels, service: &Service) -> Option<SelectedRule> {
        let pick = |entries: &[Arc<MergedRule>]| pick(entries, namespace, labels);
        let own = if *namespace == self.root {
            Some(&self.root_private)
        } else {
            self.own.get(namespace)
        };
        if let Some((host, entries)) = own.and_then(|view| view.most_specific(&service.host)) {
            let rule = pick(entries)?;
            return Some(SelectedRule {
                rule,
                step: RuleStep::ClientNamespace,
                host: host.clone(),
            });
        }
        let steps = [
            (&service.namespace, RuleStep::ServiceNamespace),
            (&self.root, RuleStep::RootNamespace),
        ];
        for (holder, step) in steps {
            let found = self
                .exported
                .get(holder)
                .and_then(|view| view.most_specific(&service.host));
            let Some((host, entries)) = found else { continue };
            // quirk R-DR-3: the host is chosen before the exportTo filter; no less specific host is tried.
            let seen: Vec<_> = entries
                .iter()
                .filter(|e| exported_to(&e.first, namespace))
                .cloned()
                .collect();
            if seen.is_empty() {
                continue;
            }
            let rule = pick(&seen)?;
            return Some(SelectedRule {
                rule,
                step,
                host: host.clone(),
            });
        }
        None
    }

    /// The objects whose host covers `host`, in whatever view, each once: those that may win or lose for it.
    pub fn candidates(&self, host: &Host) -> Vec<Arc<DestinationRule>> {
        let views = self
            .own
            .values()
            .chain(self.exported.values())
            .chain([&self.root_private]);
        let mut found: BTreeMap<Arc<ObjectKey>, Arc<DestinationRule>> = BTreeMap::new();
        for view in views {
            for (at, entries) in view.iter() {
                if at == host || (at.is_wildcard() && host.is_subset_of(at)) {
                    for rule in entries.iter().flat_map(|entry| &entry.merged) {
                        found.insert(Arc::clone(&rule.key), Arc::clone(rule));
                    }
                }
            }
        }
        found.into_values().collect()
    }
}

/// Whether the rule counts in its own namespace: exportTo empty, `*`, `.`, or the namespace itself (R-DR-2).
fn visible_in_own_namespace(rule: &DestinationRule) -> bool {
    rule.export_to.is_empty()
        || rule
            .export_to
            .iter()
            .any(|t| t == "*" || t == "." || *t == rule.namespace.as_str())
}

/// Whether the rule is exported to `namespace`. `.` is not expanded here (R-DR-5, quirk).
fn exported_to(rule: &DestinationRule, namespace: &Namespace) -> bool {
    rule.export_to.is_empty()
        || rule
            .export_to
            .iter()
            .any(|t| t == "*" || *t == namespace.as_str())
}

/// Merges `rule` into the entries of its host in one view (R-DR-6, R-DR-7).
fn merge_into(view: &mut View, rule: &Arc<DestinationRule>) {
    if view.get(&rule.host).is_none() {
        view.insert(rule.host.clone(), Vec::new());
    }
    let Some(entries) = view.get_mut(&rule.host) else {
        return;
    };
    let mut alone = true;
    for entry in entries.iter_mut() {
        let existing = &entry.first;
        let equal = existing.export_to == rule.export_to;
        let superset = !existing.export_to.is_empty()
            && existing.export_to.len() < rule.export_to.len()
            && existing.export_to.is_subset(&rule.export_to);
        if !equal && !superset {
            alone = true;
            continue;
        }
        match (&existing.selector, &rule.selector) {
            (Some(a), Some(b)) if a != b => {
                // quirk R-DR-7: the last compared entry decides.
                alone = true;
                continue;
            }
            (None, None) | (Some(_), Some(_)) => alone = false,
            (None, Some(_)) | (Some(_), None) => alone = superset,
        }
        Arc::make_mut(entry).absorb(rule);
    }
    if alone {
        entries.push(Arc::new(MergedRule::new(rule)));
    }
}

/// Picks among the entries of a host: the first whose selector fits, else the last without a selector (R-DR-10).
fn pick(entries: &[Arc<MergedRule>], namespace: &Namespace, labels: &Labels) -> Option<Arc<MergedRule>> {
    let selected = entries.iter().find(|entry| {
        entry.first.namespace == *namespace
            && entry
                .first
                .selector
                .as_ref()
                .is_some_and(|selector| selector.is_subset_of(labels))
    });
    selected
        .or_else(|| entries.iter().rfind(|entry| entry.first.selector.is_none()))
        .cloned()
}
