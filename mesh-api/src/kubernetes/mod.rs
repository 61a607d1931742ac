//! The Kubernetes built-ins that routing reads: Service, Endpoints, EndpointSlice, Pod, Namespace.
//!
//! Only the fields that decide about traffic are here; all other fields are passed over without a finding. Each struct is
//! the *body* of the object: its top-level fields without `apiVersion`, `kind` and `metadata`, so that `status` is typed too
//! and EndpointSlice, which has no `spec`, fits the same form.
//!
//! Source: Kubernetes API `core/v1` and `discovery/v1`.

mod endpoint_slice;
mod endpoints;
mod namespace;
mod pod;
mod service;

pub use endpoint_slice::{
    AddressType, Endpoint, EndpointConditions, EndpointHints, EndpointPort, EndpointSlice, ForZone,
};
pub use endpoints::{EndpointAddress, EndpointSubset, Endpoints};
pub use namespace::Namespace;
pub use pod::{Container, ContainerPort, Pod, PodCondition, PodIp, PodPhase, PodSpec, PodStatus};
pub use service::{
    InternalTrafficPolicy, LoadBalancerIngress, LoadBalancerStatus, Service, ServicePort, ServiceSpec,
    ServiceStatus, ServiceType,
};

use serde::{Deserialize, Serialize};

use crate::wire::is_default;

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
