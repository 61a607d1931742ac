//! Finding by labels without looking at everything.

use std::collections::{BTreeMap, HashMap};

use crate::meta::ObjectMeta;
use crate::names::Labels;

/// Things with labels, found by selectors: the label of a selector that the fewest things have is looked up, and only those
/// are compared.
pub(super) struct LabelIndex<'a, T> {
    items: Vec<(&'a ObjectMeta, T)>,
    by_label: HashMap<(&'a str, &'a str), Vec<usize>>,
    by_label_in_namespace: HashMap<(&'a str, &'a str, &'a str), Vec<usize>>,
    by_namespace: HashMap<&'a str, Vec<usize>>,
}

impl<'a, T> LabelIndex<'a, T> {
    pub(super) fn new(items: impl Iterator<Item = (&'a ObjectMeta, T)>) -> Self {
        let items: Vec<_> = items.collect();
        let mut index = Self {
            items: Vec::new(),
            by_label: HashMap::new(),
            by_label_in_namespace: HashMap::new(),
            by_namespace: HashMap::new(),
        };
        for (at, (meta, _)) in items.iter().enumerate() {
            let namespace = meta.namespace.as_str();
            index.by_namespace.entry(namespace).or_default().push(at);
            for (key, value) in &meta.labels {
                let (key, value) = (key.as_str(), value.as_str());
                index.by_label.entry((key, value)).or_default().push(at);
                index
                    .by_label_in_namespace
                    .entry((namespace, key, value))
                    .or_default()
                    .push(at);
            }
        }
        index.items = items;
        index
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a ObjectMeta, &T)> {
        self.items.iter().map(|(meta, item)| (*meta, item))
    }

    /// Those of a namespace that have all labels of the selector.
    pub(super) fn in_namespace<'s>(
        &'s self,
        namespace: &'s str,
        selector: &'s BTreeMap<String, String>,
    ) -> impl Iterator<Item = (&'a ObjectMeta, &'s T)> + use<'a, 's, T> {
        let rarest = selector
            .iter()
            .map(|(key, value)| {
                self.by_label_in_namespace
                    .get(&(namespace, key.as_str(), value.as_str()))
            })
            .map(|found| found.map_or(&[][..], Vec::as_slice))
            .min_by_key(|found| found.len());
        let all = || self.by_namespace.get(namespace).map_or(&[][..], Vec::as_slice);
        self.having(rarest.unwrap_or_else(all).iter().copied(), selector)
    }

    /// Those of any namespace that have all labels of the selector.
    pub(super) fn anywhere<'s>(
        &'s self,
        selector: &'s BTreeMap<String, String>,
    ) -> impl Iterator<Item = (&'a ObjectMeta, &'s T)> + use<'a, 's, T> {
        let rarest = selector
            .iter()
            .map(|(key, value)| self.by_label.get(&(key.as_str(), value.as_str())))
            .map(|found| found.map_or(&[][..], Vec::as_slice))
            .min_by_key(|found| found.len());
        let (some, all) = match rarest {
            Some(some) => (some, 0..0),
            None => (&[][..], 0..self.items.len()),
        };
        self.having(some.iter().copied().chain(all), selector)
    }

    fn having<'s>(
        &'s self,
        candidates: impl Iterator<Item = usize>,
        selector: &'s BTreeMap<String, String>,
    ) -> impl Iterator<Item = (&'a ObjectMeta, &'s T)> {
        candidates
            .filter_map(|at| self.items.get(at))
            .filter(|(meta, _)| selects(selector, &meta.labels))
            .map(|(meta, item)| (*meta, item))
    }
}

/// Things with selectors, found by the labels that they select: each is kept under the label of its selector that the fewest
/// selectors have.
pub(super) struct SelectorIndex<'a, T> {
    items: Vec<(&'a str, &'a BTreeMap<String, String>, T)>,
    by_label: HashMap<(&'a str, &'a str, &'a str), Vec<usize>>,
}

impl<'a, T> SelectorIndex<'a, T> {
    /// Of namespace, selector and thing. Empty selectors select nothing here.
    pub(super) fn new(items: impl Iterator<Item = (&'a str, &'a BTreeMap<String, String>, T)>) -> Self {
        let items: Vec<_> = items.collect();
        let mut counts: HashMap<(&str, &str, &str), usize> = HashMap::new();
        for (namespace, selector, _) in &items {
            for (key, value) in *selector {
                *counts.entry((namespace, key, value)).or_default() += 1;
            }
        }
        let mut by_label: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, (namespace, selector, _)) in items.iter().enumerate() {
            let rarest = selector
                .iter()
                .map(|(key, value)| (*namespace, key.as_str(), value.as_str()))
                .min_by_key(|label| counts.get(label).copied());
            if let Some(label) = rarest {
                by_label.entry(label).or_default().push(at);
            }
        }
        Self { items, by_label }
    }

    /// Those of the namespace whose selector selects something with these labels.
    pub(super) fn selecting<'s>(
        &'s self,
        namespace: &'s str,
        labels: &'s Labels,
    ) -> impl Iterator<Item = &'s T> + use<'a, 's, T> {
        labels
            .iter()
            .filter_map(move |(key, value)| self.by_label.get(&(namespace, key.as_str(), value.as_str())))
            .flatten()
            .filter_map(|at| self.items.get(*at))
            .filter(|(_, selector, _)| selects(selector, labels))
            .map(|(_, _, item)| item)
    }
}

/// Whether the labels have all that the selector asks for; an empty one asks for nothing.
pub(super) fn selects(selector: &BTreeMap<String, String>, labels: &Labels) -> bool {
    selector.len() <= labels.len()
        && selector
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value.as_str()))
}

/// A selector as Kubernetes prints it: `app=reviews,version=v1`.
pub(super) fn selector_text(selector: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = selector
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(",")
}

/// Names for a message: the first ones, and how many more there are.
pub(super) fn list<I: IntoIterator<Item: std::fmt::Display>>(names: I) -> String {
    let mut names = names.into_iter();
    let mut text: Vec<String> = names
        .by_ref()
        .take(MAX_NAMES)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = names.count();
    if more > 0 {
        text.push(format!("and {more} more"));
    }
    text.join(", ")
}

/// Names that one message lists.
const MAX_NAMES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn selector<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
        pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    /// Both indexes answer as a scan does, over all pairs of small label sets.
    #[test]
    fn indexes_agree_with_a_scan() {
        let mut metas = Vec::new();
        for (at, (a, b)) in (0..3).flat_map(|a| (0..3).map(move |b| (a, b))).enumerate() {
            let mut meta = ObjectMeta::new(format!("p{at}"), if at % 2 == 0 { "even" } else { "odd" });
            for (key, value) in [("a", a), ("b", b)] {
                if value > 0 {
                    meta = meta.with_label(key, value.to_string());
                }
            }
            metas.push(meta);
        }
        let selectors = [
            selector([]),
            selector([("a", "1")]),
            selector([("a", "1"), ("b", "2")]),
            selector([("a", "3")]),
        ];
        let pods = LabelIndex::new(metas.iter().map(|meta| (meta, ())));
        let by_selector = SelectorIndex::new(selectors.iter().map(|selector| ("even", selector, selector)));
        let mut hits = 0;
        for selector in &selectors {
            let expected = |namespace: Option<&str>| -> Vec<&str> {
                let here =
                    |meta: &&ObjectMeta| namespace.is_none_or(|namespace| meta.namespace == *namespace);
                let chosen = metas
                    .iter()
                    .filter(here)
                    .filter(|meta| selects(selector, &meta.labels));
                chosen.map(|meta| meta.name.as_str()).collect()
            };
            let anywhere: Vec<&str> = pods
                .anywhere(selector)
                .map(|(meta, ())| meta.name.as_str())
                .collect();
            assert_eq!(anywhere, expected(None));
            let here = pods.in_namespace("odd", selector);
            assert_eq!(
                here.map(|(meta, ())| meta.name.as_str()).collect::<Vec<_>>(),
                expected(Some("odd"))
            );
            hits += anywhere.len();
        }
        for meta in &metas {
            let mut found: Vec<_> = by_selector.selecting("even", &meta.labels).collect();
            found.sort();
            let mut expected: Vec<_> = selectors
                .iter()
                .filter(|selector| !selector.is_empty() && selects(selector, &meta.labels))
                .collect();
            expected.sort();
            assert_eq!(found, expected.iter().collect::<Vec<_>>());
            hits += found.len();
            assert_eq!(by_selector.selecting("odd", &meta.labels).count(), 0);
        }
        assert!(hits > 15, "{hits}");
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(list(["a", "b"]), "`a`, `b`");
        assert!(list((0..30).map(|n| n.to_string())).ends_with("`9`, and 20 more"));
    }
}
