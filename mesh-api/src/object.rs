//! Objects and their keys.

use std::fmt;

use crate::kind::Kind;
use crate::names::{Namespace, Text};

/// What identifies an object: kind, namespace and name (A-RES-3).
///
/// ```
/// use mesh_api::{Kind, ObjectKey};
///
/// let key = ObjectKey::new(Kind::VirtualService, "shop", "reviews");
/// assert_eq!(key.to_string(), "VirtualService shop/reviews");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The kind with its group.
    pub kind: Kind,
    /// The namespace; empty for kinds outside namespaces, and where none was given.
    pub namespace: Namespace,
    /// The name.
    pub name: Text,
}

impl ObjectKey {
    /// The key of these parts.
    pub fn new(kind: Kind, namespace: impl Into<Text>, name: impl Into<Text>) -> Self {
        Self {
            kind,
            namespace: Namespace::new(namespace),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            namespace,
            name,
        } = self;
        if namespace.is_empty() {
            write!(f, "{kind} {name}")
        } else {
            write!(f, "{kind} {namespace}/{name}")
        }
    }
}
