//! Metadata of objects.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::names::{Labels, Namespace, Text};
use crate::scalar::Timestamp;

/// The `metadata` of an object (A-MET-2).
///
/// ```
/// use mesh_api::ObjectMeta;
///
/// let meta = ObjectMeta::new("reviews", "shop").with_label("team", "books");
/// assert_eq!((meta.namespace.as_str(), meta.name.as_str()), ("shop", "reviews"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    /// The object's name, unique in its kind and namespace. Bounds: an RFC 1123 subdomain of at most 253 bytes.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub name: Text,
    /// A prefix from which the API server makes a name when none is given.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub generate_name: Text,
    /// The object's namespace; empty if absent, which stays as read (A-MET-3).
    #[serde(skip_serializing_if = "Namespace::is_empty")]
    pub namespace: Namespace,
    /// Labels, by which selectors find the object.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Annotations: text that tools attach. Bounds: 256 KiB in all.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<Text, Text>,
    /// When the object was created; decides between objects that claim the same thing ([`age_order`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Timestamp>,
    /// Counts the changes of the desired state; 0 if absent.
    #[serde(skip_serializing_if = "is_zero")]
    pub generation: i64,
    /// The API server's opaque version of the object.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub resource_version: Text,
    /// The API server's unique id of the object.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub uid: Text,
    /// When deletion was asked for; carried unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<serde_json::Value>,
    /// What must finish before the object goes; carried unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finalizers: Option<serde_json::Value>,
    /// The objects that own this one; carried unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_references: Option<serde_json::Value>,
    /// Which manager owns which field; carried unread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_fields: Option<serde_json::Value>,
}

/// The fields of the metadata on the wire.
pub(crate) const FIELDS: [&str; 13] = [
    "name",
    "generateName",
    "namespace",
    "labels",
    "annotations",
    "creationTimestamp",
    "generation",
    "resourceVersion",
    "uid",
    "deletionTimestamp",
    "finalizers",
    "ownerReferences",
    "managedFields",
];

impl ObjectMeta {
    /// Metadata with a name and a namespace.
    pub fn new(name: impl Into<Text>, namespace: impl Into<Text>) -> Self {
        Self {
            name: name.into(),
            namespace: Namespace::new(namespace),
            ..Self::default()
        }
    }

    /// The same with one more label.
    #[must_use]
    pub fn with_label(mut self, key: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.labels.insert(key, value);
        self
    }

    /// The same with one more annotation.
    #[must_use]
    pub fn with_annotation(mut self, key: impl Into<Text>, value: impl Into<Text>) -> Self {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(Text::as_str)
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Orders objects by age wherever "the first wins" is the rule (A-MET-8, R-ORD-1): by creation time in seconds, absent
/// first, then by name, then by namespace.
///
/// ```
/// use mesh_api::{ObjectMeta, meta::age_order};
///
/// let mut objects = [ObjectMeta::new("b", "a"), ObjectMeta::new("a", "z")];
/// objects.sort_by(age_order);
/// assert_eq!(objects[0].name, "a"); // name before namespace
/// ```
pub fn age_order(a: &ObjectMeta, b: &ObjectMeta) -> Ordering {
    a.creation_timestamp
        .cmp(&b.creation_timestamp)
        .then_with(|| a.name.cmp(&b.name))
        .then_with(|| a.namespace.cmp(&b.namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_time_then_name_then_namespace() {
        // A-MET-8, R-ORD-1
        let at = |time: Option<&str>, name: &str, namespace: &str| ObjectMeta {
            creation_timestamp: time.map(|time| time.parse().unwrap()),
            ..ObjectMeta::new(name, namespace)
        };
        let mut objects = [
            at(Some("2024-01-02T00:00:00Z"), "a", "a"),
            at(Some("2024-01-01T00:00:00.7Z"), "b", "a"),
            at(Some("2024-01-01T00:00:00.1Z"), "b", "b"),
            at(Some("2024-01-01T00:00:00.9Z"), "a", "z"),
            at(None, "z", "z"),
        ];
        objects.sort_by(age_order);
        let order: Vec<_> = objects
            .iter()
            .map(|meta| format!("{}/{}", meta.namespace, meta.name))
            .collect();
        assert_eq!(order, ["z/z", "z/a", "a/b", "b/b", "a/a"]);
    }

    #[test]
    fn writes_only_what_is_there() {
        let meta = ObjectMeta::new("a", "b").with_annotation("k", "v");
        assert_eq!(
            serde_json::to_string(&meta).unwrap(),
            r#"{"name":"a","namespace":"b","annotations":{"k":"v"}}"#
        );
        assert_eq!(meta.annotation("k"), Some("v"));
    }
}
