//! Kubernetes Pod.

use serde::{Deserialize, Serialize};

use crate::scalar::wire_enum;
use crate::wire::is_default;

/// A Kubernetes Pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pod {
    /// What the pod is meant to be.
    #[serde(skip_serializing_if = "is_default")]
    pub spec: PodSpec,
    /// What the platform reports.
    #[serde(skip_serializing_if = "is_default")]
    pub status: PodStatus,
}

/// The specification of a Pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpec {
    /// Service account of the pod. Empty means `default`.
    #[serde(skip_serializing_if = "is_default")]
    pub service_account_name: String,
    /// Node that it runs on. Empty until it is scheduled.
    #[serde(skip_serializing_if = "is_default")]
    pub node_name: String,
    /// Host name, if it differs from the pod's name.
    #[serde(skip_serializing_if = "is_default")]
    pub hostname: String,
    /// Headless service below which the host name has a DNS entry.
    #[serde(skip_serializing_if = "is_default")]
    pub subdomain: String,
    /// Whether the pod shares the network of its node.
    #[serde(skip_serializing_if = "is_default")]
    pub host_network: bool,
    /// Who the containers run as, unless they say otherwise.
    #[serde(skip_serializing_if = "is_default")]
    pub security_context: Option<SecurityContext>,
    /// Containers that run before the others; those with restart policy `Always` keep running beside them.
    #[serde(skip_serializing_if = "is_default")]
    pub init_containers: Vec<Container>,
    /// Containers.
    #[serde(skip_serializing_if = "is_default")]
    pub containers: Vec<Container>,
}

/// A container of a Pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// Name, unique within the pod.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Image that is run. `auto` asks the sidecar injector to fill it in.
    #[serde(skip_serializing_if = "is_default")]
    pub image: String,
    /// Environment variables.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<EnvVar>,
    /// Who the container runs as.
    #[serde(skip_serializing_if = "is_default")]
    pub security_context: Option<SecurityContext>,
    /// Ports that the container declares.
    #[serde(skip_serializing_if = "is_default")]
    pub ports: Vec<ContainerPort>,
    /// `Always` on an init container makes it a sidecar. Empty means that of the pod.
    #[serde(skip_serializing_if = "is_default")]
    pub restart_policy: String,
}

/// An environment variable of a container.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvVar {
    /// Name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Value. Empty also where it comes from somewhere else.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
    /// Where the value comes from, such as a key of a secret; carried unread.
    #[serde(skip_serializing_if = "is_default")]
    pub value_from: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Who a pod or container runs as.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SecurityContext {
    /// Number of the user. Absent means that of the image. 1337 is the sidecar's own.
    #[serde(skip_serializing_if = "is_default")]
    pub run_as_user: Option<i64>,
}

/// A port that a container declares.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerPort {
    /// Name, by which a Service may refer to it.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Number, 1..65535.
    #[serde(skip_serializing_if = "is_default")]
    pub container_port: u32,
    /// `TCP`, `UDP` or `SCTP`. Empty means `TCP`.
    #[serde(skip_serializing_if = "is_default")]
    pub protocol: String,
}

/// What the platform reports about a Pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    /// Where the pod is in its life.
    #[serde(skip_serializing_if = "is_default")]
    pub phase: PodPhase,
    /// Facts such as `Ready`.
    #[serde(skip_serializing_if = "is_default")]
    pub conditions: Vec<PodCondition>,
    /// Address. Empty until there is one.
    #[serde(rename = "podIP", skip_serializing_if = "is_default")]
    pub pod_ip: String,
    /// Addresses of all IP families; the first equals `pod_ip`.
    #[serde(rename = "podIPs", skip_serializing_if = "is_default")]
    pub pod_ips: Vec<PodIp>,
    /// Address of the node.
    #[serde(rename = "hostIP", skip_serializing_if = "is_default")]
    pub host_ip: String,
}

impl PodStatus {
    /// Whether the condition `Ready` is `True`.
    ///
    /// ```
    /// use mesh_api::kubernetes::{PodCondition, PodStatus};
    ///
    /// let mut status = PodStatus::default();
    /// assert!(!status.is_ready());
    /// status.conditions.push(PodCondition { r#type: "Ready".into(), status: "True".into() });
    /// assert!(status.is_ready());
    /// ```
    pub fn is_ready(&self) -> bool {
        self.conditions
            .iter()
            .any(|condition| condition.r#type == "Ready" && condition.status == "True")
    }
}

/// An address of a Pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodIp {
    /// The IP address.
    #[serde(skip_serializing_if = "is_default")]
    pub ip: String,
}

/// A fact about a Pod.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodCondition {
    /// What it is about, such as `Ready`.
    #[serde(skip_serializing_if = "is_default")]
    pub r#type: String,
    /// `True`, `False` or `Unknown`.
    #[serde(skip_serializing_if = "is_default")]
    pub status: String,
}

wire_enum! {
    /// Where a Pod is in its life.
    pub enum PodPhase {
        /// Nothing is reported.
        Unset = 0 => "",
        /// Accepted, not all containers started.
        Pending = 1 => "Pending",
        /// At least one container runs, starts or restarts.
        Running = 2 => "Running",
        /// All containers ended well.
        Succeeded = 3 => "Succeeded",
        /// All containers ended, at least one in failure.
        Failed = 4 => "Failed",
        /// The node does not report.
        Unknown = 5 => "Unknown",
    }
}
