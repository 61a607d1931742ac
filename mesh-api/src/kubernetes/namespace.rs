//! Kubernetes Namespace.

use serde::{Deserialize, Serialize};

/// A namespace. All that routing reads are the labels of its metadata, so the body is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Namespace {}
