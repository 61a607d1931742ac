//! Kubernetes MutatingWebhookConfiguration and ValidatingWebhookConfiguration.

use serde::{Deserialize, Serialize};

use crate::mesh::LabelSelector;
use crate::scalar::{Bytes, wire_enum};
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

/// One webhook: where it is, and for which requests it is asked. All fields of `admissionregistration.k8s.io/v1`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Webhook {
    /// Name, unique within the object: a domain name of three labels or more.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Where it is reached.
    #[serde(skip_serializing_if = "is_default")]
    pub client_config: WebhookClientConfig,
    /// The requests that are meant: those that one of the rules matches.
    #[serde(skip_serializing_if = "is_default")]
    pub rules: Vec<WebhookRule>,
    /// What happens to a request when the webhook does not answer. Absent means [`FailurePolicy::Fail`].
    #[serde(skip_serializing_if = "is_default")]
    pub failure_policy: Option<FailurePolicy>,
    /// `Exact` or `Equivalent`: whether a rule matches requests for other versions of a kind. Empty means `Equivalent`.
    #[serde(skip_serializing_if = "is_default")]
    pub match_policy: String,
    /// Namespaces whose objects are meant. Absent means all.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace_selector: Option<LabelSelector>,
    /// Objects that are meant. Absent means all.
    #[serde(skip_serializing_if = "is_default")]
    pub object_selector: Option<LabelSelector>,
    /// `None` or `NoneOnDryRun`; must be given. Old objects may have `Some` or `Unknown`.
    #[serde(skip_serializing_if = "is_default")]
    pub side_effects: String,
    /// How long the API server waits, in seconds. Absent means 10. Bounds: 1..=30.
    #[serde(skip_serializing_if = "is_default")]
    pub timeout_seconds: Option<u32>,
    /// Versions of AdmissionReview that the webhook understands, the preferred one first.
    #[serde(skip_serializing_if = "is_default")]
    pub admission_review_versions: Vec<String>,
    /// `Never` or `IfNeeded`: whether a webhook that changes objects is asked again after others have. Empty means `Never`.
    #[serde(skip_serializing_if = "is_default")]
    pub reinvocation_policy: String,
    /// Expressions that a request must satisfy as well. Bounds: at most 64.
    #[serde(skip_serializing_if = "is_default")]
    pub match_conditions: Vec<MatchCondition>,
}

wire_enum! {
    /// What happens to a request when a webhook does not answer, or not sensibly.
    pub enum FailurePolicy {
        /// It is refused.
        Fail = 0 => "Fail",
        /// It goes on as if the webhook had allowed it.
        Ignore = 1 => "Ignore",
    }
}

/// Requests that a webhook is asked about: all five lists must hold the request's value, or `*`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WebhookRule {
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT` or `*`.
    #[serde(skip_serializing_if = "is_default")]
    pub operations: Vec<String>,
    /// API groups; the empty text is the core group.
    #[serde(skip_serializing_if = "is_default")]
    pub api_groups: Vec<String>,
    /// Versions of the groups.
    #[serde(skip_serializing_if = "is_default")]
    pub api_versions: Vec<String>,
    /// Resources in the plural, with a subresource after a slash; `*` means all but subresources.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<String>,
    /// `Cluster`, `Namespaced` or `*`. Empty means `*`.
    #[serde(skip_serializing_if = "is_default")]
    pub scope: String,
}

/// An expression over the request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MatchCondition {
    /// Name, unique within the webhook.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The expression, in CEL.
    #[serde(skip_serializing_if = "is_default")]
    pub expression: String,
}

/// Where a webhook is reached: by exactly one of `url` and `service`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WebhookClientConfig {
    /// An `https` URL.
    #[serde(skip_serializing_if = "is_default")]
    pub url: Option<String>,
    /// A service of the cluster.
    #[serde(skip_serializing_if = "is_default")]
    pub service: Option<ServiceReference>,
    /// Roots for the webhook's certificate, as PEM. Empty means those of the API server's system.
    #[serde(skip_serializing_if = "is_default")]
    pub ca_bundle: Bytes,
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
    /// Port of the service. Absent means 443.
    #[serde(skip_serializing_if = "is_default")]
    pub port: Option<u32>,
}
