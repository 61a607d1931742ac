//! Kubernetes Node.

use serde::{Deserialize, Serialize};

/// A machine that pods run on. All that analysis reads are name and labels of its metadata, so the body is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Node {}
