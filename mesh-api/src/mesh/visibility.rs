//! Limits on the visibility of ServiceEntry objects.

use serde::{Deserialize, Serialize};

use super::LabelSelector;
use crate::scalar::wire_enum;
use crate::wire::is_default;

/// How far ServiceEntry objects may be visible, by namespace. Limits only narrow what `exportTo` says (R-VIS-4).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceEntryVisibility {
    /// Limit where no policy matches. Zero means none.
    #[serde(skip_serializing_if = "is_default")]
    pub default_visibility: Visibility,
    /// Whether the limits hold for sidecars and gateways too, and not just for ambient proxies. Default false.
    #[serde(skip_serializing_if = "is_default")]
    pub apply_to_sidecars: bool,
    /// Limits by namespace. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub policies: Vec<VisibilityPolicy>,
}

/// A limit for some namespaces.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VisibilityPolicy {
    /// The limit. Default VISIBILITY_UNSPECIFIED.
    #[serde(skip_serializing_if = "is_default")]
    pub visibility: Visibility,
    /// The namespaces: those that any of the rules matches. Default none, which no namespace matches.
    #[serde(skip_serializing_if = "is_default")]
    pub matching_rules: Vec<MatchRule>,
}

/// A choice of namespaces. Upstream it is a oneof with a single member so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MatchRule {
    /// Labels of the namespace. Absent matches nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace_selector: Option<LabelSelector>,
}

wire_enum! {
    /// How far a ServiceEntry may be visible.
    pub enum Visibility {
        /// No limit.
        Unspecified = 0 => "VISIBILITY_UNSPECIFIED",
        /// Nowhere.
        None = 1 => "NONE",
        /// In its own namespace.
        Namespace = 2 => "NAMESPACE",
        /// Everywhere that `exportTo` says.
        Public = 3 => "PUBLIC",
    }
}
