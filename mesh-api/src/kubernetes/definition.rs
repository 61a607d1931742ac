//! Kubernetes CustomResourceDefinition.

use serde::{Deserialize, Serialize};

/// The definition of a kind. All that analysis reads are name and annotations of its metadata, so the body is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CustomResourceDefinition {}
