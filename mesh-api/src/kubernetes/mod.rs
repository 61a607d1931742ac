//! The Kubernetes kinds that routing and analysis read: Service, Endpoints, EndpointSlice, Pod, Namespace, and for analysis
//! alone Deployment, ConfigMap, Secret, Node, CustomResourceDefinition and the webhook configurations.
//!
//! Only the fields that one of them reads are here, except for webhook configurations, which are whole; all other fields are
//! passed over without a finding. They are not lost: an object that was read is written as it was read, see
//! [`AsRead`](crate::object::AsRead). Each struct is the *body* of the object: its top-level fields without `apiVersion`, `kind` and
//! `metadata`, so that `status` is typed too and EndpointSlice, which has no `spec`, fits the same form.
//!
//! Source: Kubernetes API `core/v1`, `apps/v1`, `discovery/v1`, `admissionregistration.k8s.io/v1`.

mod config;
mod definition;
mod deployment;
mod endpoint_slice;
mod endpoints;
mod namespace;
mod node;
mod pod;
mod service;
mod webhook;

pub use config::{ConfigMap, Secret};
pub use definition::CustomResourceDefinition;
pub use deployment::{Deployment, DeploymentSpec, PodTemplate};
pub use endpoint_slice::{
    AddressType, Endpoint, EndpointConditions, EndpointHints, EndpointPort, EndpointSlice, ForZone,
};
pub use endpoints::{EndpointAddress, EndpointSubset, Endpoints};
pub use namespace::Namespace;
pub use node::Node;
pub use pod::{
    Container, ContainerPort, EnvVar, Pod, PodCondition, PodIp, PodPhase, PodSpec, PodStatus, SecurityContext,
};
pub use service::{
    InternalTrafficPolicy, LoadBalancerIngress, LoadBalancerStatus, Service, ServicePort, ServiceSpec,
    ServiceStatus, ServiceType,
};
pub use webhook::{
    FailurePolicy, MatchCondition, MutatingWebhookConfiguration, ServiceReference,
    ValidatingWebhookConfiguration, Webhook, WebhookClientConfig, WebhookRule,
};

use serde::{Deserialize, Serialize};

use crate::wire::is_default;

/// A fact that a controller reports about an object, such as `Ready`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// What it is about.
    #[serde(skip_serializing_if = "is_default")]
    pub r#type: String,
    /// `True`, `False` or `Unknown`.
    #[serde(skip_serializing_if = "is_default")]
    pub status: String,
    /// Why, as one word.
    #[serde(skip_serializing_if = "is_default")]
    pub reason: String,
    /// Why, as a sentence.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
}

/// A reference to another object, here to the pod behind an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectReference {
    /// Kind, such as `Pod`.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Namespace of the object.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name of the object.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}
