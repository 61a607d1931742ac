//! What one proxy may see of a snapshot: the step between the mesh and the plan.
//!
//! [`Workload`] says who asks. A sidecar gets a [`SidecarScope`], a gateway a [`GatewayScope`].

mod gateway;
mod hosts;
mod sidecar;
mod workload;

pub use gateway::{GatewayScope, ServiceTarget};
pub use hosts::EgressHosts;
pub use sidecar::{EgressPort, EgressScope, OutboundMode, OutboundPolicy, SidecarScope};
pub use workload::Workload;
