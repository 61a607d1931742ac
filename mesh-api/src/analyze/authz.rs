//! Whom AuthorizationPolicies are for, and whom they name. Source: Istio analysis authorizationpolicies.go.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::codes;
use super::index::{LabelIndex, selector_text};
use super::path::field;
use super::sink::Sink;
use super::view::{View, containers};
use crate::kind::Kind;
use crate::meta::ObjectMeta;
use crate::object::Object;
use crate::security::AuthorizationPolicy;

pub(super) fn policies(view: &View<'_>, sink: &mut Sink<'_>) {
    if view.knows(&Kind::Pod) {
        workloads(view, sink);
    }
    if view.knows(&Kind::Namespace) {
        namespaces(view, sink);
    }
}

/// IST0127
fn workloads(view: &View<'_>, sink: &mut Sink<'_>) {
    let in_mesh = view.pods().iter().filter(|(meta, pod)| {
        meta.annotation("ambient.istio.io/redirection") == Some("enabled")
            || view.is_in_mesh(meta.namespace.as_str(), meta, containers(&pod.spec.spec))
    });
    let pods = LabelIndex::new(in_mesh.map(|(meta, _)| (meta, ())));
    for policy in view.objects.objects_of::<AuthorizationPolicy>() {
        let spec = &policy.spec;
        // what is attached by reference selects no pods
        if spec.target_ref.is_some() || !spec.target_refs.is_empty() {
            continue;
        }
        let everything = BTreeMap::new();
        let selector = spec.selector.as_ref().map(|selector| &selector.match_labels);
        let labels = selector.unwrap_or(&everything);
        let found = match view.options.mesh.root_namespace == policy.meta.namespace.as_str() {
            true => selector.is_none() || pods.anywhere(labels).next().is_some(),
            false => pods
                .in_namespace(policy.meta.namespace.as_str(), labels)
                .next()
                .is_some(),
        };
        if !found {
            let path = match labels.keys().next() {
                Some(label) => field!["spec", "selector", "matchLabels", label],
                None => field!["metadata", "name"],
            };
            let text = format!("`{}`", selector_text(labels));
            sink.report(codes::NO_MATCHING_WORKLOADS, policy, path, [text]);
        }
    }
}

/// IST0101
fn namespaces(view: &View<'_>, sink: &mut Sink<'_>) {
    let names: Vec<&ObjectMeta> = view
        .objects
        .namespaces()
        .map(|namespace| &namespace.meta)
        .collect();
    let known = Namespaces::new(&names);
    for policy in view.objects.objects_of::<AuthorizationPolicy>() {
        named_namespaces(policy, |name, path| {
            if !known.has(name) {
                let parameters = ["namespace".to_owned(), name.to_owned()];
                sink.report(codes::REFERENCED_RESOURCE_NOT_FOUND, policy, path, parameters);
            }
        });
    }
}

fn named_namespaces(
    policy: &Object<AuthorizationPolicy>,
    mut visit: impl FnMut(&str, crate::report::FieldPath),
) {
    for (at, rule) in policy.spec.rules.iter().enumerate() {
        for (from, part) in rule.from.iter().enumerate() {
            let Some(source) = &part.source else { continue };
            for (field, names) in [
                ("namespaces", &source.namespaces),
                ("notNamespaces", &source.not_namespaces),
            ] {
                for (nth, name) in names.iter().enumerate() {
                    visit(
                        name,
                        field!["spec", "rules", at, "from", from, "source", field, nth],
                    );
                }
            }
        }
    }
}

/// Names of namespaces, compared without letter case but for wildcards, as upstream does.
struct Namespaces<'a> {
    exact: HashSet<String>,
    names: &'a [&'a ObjectMeta],
    /// Wildcards that were asked for, with the answer.
    asked: std::cell::RefCell<HashMap<String, bool>>,
}

impl<'a> Namespaces<'a> {
    fn new(names: &'a [&'a ObjectMeta]) -> Self {
        Self {
            exact: names.iter().map(|meta| meta.name.to_ascii_lowercase()).collect(),
            names,
            asked: std::cell::RefCell::default(),
        }
    }

    fn has(&self, pattern: &str) -> bool {
        let prefix = pattern.strip_suffix('*');
        let suffix = pattern.strip_prefix('*');
        let matches = |name: &str| match (suffix, prefix) {
            (Some(suffix), _) => name.ends_with(suffix),
            (_, Some(prefix)) => name.starts_with(prefix),
            (None, None) => false,
        };
        if suffix.is_none() && prefix.is_none() {
            return self.exact.contains(&pattern.to_ascii_lowercase());
        }
        let mut asked = self.asked.borrow_mut();
        *asked
            .entry(pattern.to_owned())
            .or_insert_with(|| self.names.iter().any(|meta| matches(&meta.name)))
    }
}
