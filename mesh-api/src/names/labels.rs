//! Labels and the selectors made of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Text;

/// Kubernetes labels, sorted by key: of a workload, of a subset, or of a selector.
///
/// ```
/// use mesh_api::names::Labels;
///
/// let selector = Labels::new().with("app", "reviews");
/// let pod = Labels::new().with("app", "reviews").with("version", "v2");
/// assert!(selector.is_subset_of(&pod));
/// assert_eq!(pod.get("version"), Some("v2"));
/// assert_eq!(pod.to_string(), "{app: reviews, version: v2}");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<Text, Text>);

impl Labels {
    /// No labels.
    pub fn new() -> Self {
        Self::default()
    }

    /// These labels with one more; a label of the same key is replaced.
    #[must_use]
    pub fn with(mut self, key: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.insert(key, value);
        self
    }

    /// Adds a label and returns the value that the key had before.
    pub fn insert(&mut self, key: impl Into<Text>, value: impl Into<Text>) -> Option<Text> {
        self.0.insert(key.into(), value.into())
    }

    /// Takes a label out.
    pub fn remove(&mut self, key: &str) -> Option<Text> {
        self.0.remove(key)
    }

    /// The value of a label.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(Text::as_str)
    }

    /// Whether a label of this key is there, whatever its value.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// All labels in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Text)> {
        self.0.iter()
    }

    /// The number of labels.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none. As a selector, no labels select everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every label here is in `other` with the same value: as a selector, whether it selects `other`.
    pub fn is_subset_of(&self, other: &Labels) -> bool {
        self.len() <= other.len() && self.0.iter().all(|(key, value)| other.0.get(key) == Some(value))
    }

    /// The labels as an ordered map.
    pub fn as_map(&self) -> &BTreeMap<Text, Text> {
        &self.0
    }
}

impl<K: Into<Text>, V: Into<Text>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

impl<K: Into<Text>, V: Into<Text>, const N: usize> From<[(K, V); N]> for Labels {
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a Text, &'a Text);
    type IntoIter = std::collections::btree_map::Iter<'a, Text, Text>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (key, value)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{key}: {value}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subset_needs_equal_values() {
        let pod = Labels::from([("app", "a"), ("version", "v1")]);
        assert!(Labels::new().is_subset_of(&pod));
        assert!(pod.is_subset_of(&pod));
        assert!(!Labels::from([("app", "b")]).is_subset_of(&pod));
        assert!(!pod.is_subset_of(&Labels::from([("app", "a")])));
    }

    #[test]
    fn is_transparent_to_serde_and_sorted() {
        let labels: Labels = serde_json::from_str(r#"{"b":"2","a":"1"}"#).unwrap();
        assert_eq!(serde_json::to_string(&labels).unwrap(), r#"{"a":"1","b":"2"}"#);
        assert!(serde_json::from_str::<Labels>(r#"{"a":1}"#).is_err());
    }
}
