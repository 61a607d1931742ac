//! Kubernetes MutatingWebhookConfiguration and ValidatingWebhookConfiguration.

use serde::{Deserialize, Serialize};

use crate::mesh::LabelSelector;
use crate::wire::is_default;

/// Webhooks that may change objects as they are written; Istio's sidecar injector is one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MutatingWebhookConfiguration {
    /// The webhooks.
    #[serde(skip_serializing_if = "is_default")]
    pub webhooks: Vec<Webhook>,
}

/// Webhooks that may refuse objects as they are written; istiod's validation is one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ValidatingWebhookConfiguration {
    /// The webhooks.
    #[serde(skip_serializing_if = "is_default")]
    pub webhooks: Vec<Webhook>,
}

/// One webhook: where it is, and for which objects it is asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Webhook {
    /// Name, unique within the object.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Where it is reached.
    #[serde(skip_serializing_if = "is_default")]
    pub client_config: WebhookClientConfig,
    /// Namespaces whose objects are meant. Absent means all.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace_selector: Option<LabelSelector>,
    /// Objects that are meant. Absent means all.
    #[serde(skip_serializing_if = "is_default")]
    pub object_selector: Option<LabelSelector>,
}

/// Where a webhook is reached: exactly one of the two.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WebhookClientConfig {
    /// An `https` URL.
    #[serde(skip_serializing_if = "is_default")]
    pub url: Option<String>,
    /// A service of the cluster.
    #[serde(skip_serializing_if = "is_default")]
    pub service: Option<ServiceReference>,
}

/// A service that a webhook stands behind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceReference {
    /// Namespace of the service.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name of the service.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Path of the URL. Empty means `/`.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
}
