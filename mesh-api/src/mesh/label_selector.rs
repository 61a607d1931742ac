//! Kubernetes-style label selectors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::names::Labels;
use crate::wire::is_default;

/// A selector over labels: all parts must hold; an empty one matches everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelector {
    /// Labels with exactly these values. Default none, which any labels satisfy.
    #[serde(skip_serializing_if = "is_default")]
    pub match_labels: BTreeMap<String, String>,
    /// Conditions on single keys. Default none, which any labels satisfy.
    #[serde(skip_serializing_if = "is_default")]
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

impl LabelSelector {
    /// Whether the selector matches an object with these labels (A-MSH-1).
    ///
    /// ```
    /// use mesh_api::mesh::{LabelSelector, LabelSelectorRequirement};
    /// use mesh_api::names::Labels;
    ///
    /// let selector = LabelSelector {
    ///     match_expressions: vec![LabelSelectorRequirement {
    ///         key: "env".into(),
    ///         operator: "NotIn".into(),
    ///         values: vec!["dev".into()],
    ///     }],
    ///     ..LabelSelector::default()
    /// };
    /// assert!(selector.matches(&Labels::new())); // NotIn holds where the key is absent
    /// assert!(!selector.matches(&Labels::new().with("env", "dev")));
    /// ```
    pub fn matches(&self, labels: &Labels) -> bool {
        let Self {
            match_labels,
            match_expressions,
        } = self;
        match_labels
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value.as_str()))
            && match_expressions
                .iter()
                .all(|requirement| requirement.matches(labels))
    }
}

/// A condition on one label.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelectorRequirement {
    /// Key of the label. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`. With any other operator the condition never holds. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub operator: String,
    /// Values for `In` and `NotIn`; empty for the others.
    #[serde(skip_serializing_if = "is_default")]
    pub values: Vec<String>,
}

impl LabelSelectorRequirement {
    fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        let listed = || self.values.iter().any(|allowed| Some(allowed.as_str()) == value);
        match self.operator.as_str() {
            "In" => listed(),
            "NotIn" => !listed(),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators() {
        // A-MSH-1
        let labels = Labels::new().with("env", "prod");
        for (key, operator, values, expected) in [
            ("env", "In", &["prod", "test"][..], true),
            ("env", "In", &["dev"], false),
            ("tier", "In", &["dev"], false),
            ("env", "NotIn", &["prod"], false),
            ("tier", "NotIn", &["prod"], true),
            ("env", "Exists", &[], true),
            ("tier", "Exists", &[], false),
            ("env", "DoesNotExist", &[], false),
            ("tier", "DoesNotExist", &[], true),
            ("env", "exists", &[], false),
        ] {
            let requirement = LabelSelectorRequirement {
                key: key.into(),
                operator: operator.into(),
                values: values.iter().map(|value| (*value).to_owned()).collect(),
            };
            assert_eq!(requirement.matches(&labels), expected, "{requirement:?}");
        }
        let mut selector = LabelSelector::default();
        assert!(selector.matches(&labels));
        selector.match_labels.insert("env".into(), "test".into());
        assert!(!selector.matches(&labels));
    }
}
