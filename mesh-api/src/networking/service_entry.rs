//! ServiceEntry: services that the platform's registry does not know.
//!
//! Source: Istio API `networking/v1alpha3/service_entry.proto`.

use serde::{Deserialize, Serialize};

use super::{WorkloadEntry, WorkloadSelector};
use crate::scalar::wire_enum;
use crate::wire::is_default;

/// A service added to the registry: hosts, ports, and how their endpoints are found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceEntry {
    /// Hosts of the service: DNS names, the first label may be a wildcard; `*` alone is refused. Required. Bounds: 1 to 256
    /// entries (A-CR-25).
    #[serde(skip_serializing_if = "is_default")]
    pub hosts: Vec<String>,
    /// Virtual addresses of the service, or ranges with resolution NONE or STATIC. Empty lets Istio allocate one. Bounds:
    /// 256 entries of at most 64 characters (A-CR-25).
    #[serde(skip_serializing_if = "is_default")]
    pub addresses: Vec<String>,
    /// Ports of the service; names and numbers unique. Default none. Bounds: 256 entries (A-CR-25).
    #[serde(skip_serializing_if = "is_default")]
    pub ports: Vec<ServicePort>,
    /// Whether the service is part of the mesh. Zero means outside.
    #[serde(skip_serializing_if = "is_default")]
    pub location: Location,
    /// How endpoints are found. Zero means the address that the client asked for.
    #[serde(skip_serializing_if = "is_default")]
    pub resolution: Resolution,
    /// Endpoints. Excludes `workload_selector`. Default none. Bounds: 4096 entries (A-CR-25).
    #[serde(skip_serializing_if = "is_default")]
    pub endpoints: Vec<WorkloadEntry>,
    /// WorkloadEntry objects and pods of the namespace that are endpoints. Excludes `endpoints`. Default none.
    #[serde(skip_serializing_if = "is_default")]
    pub workload_selector: Option<WorkloadSelector>,
    /// Namespaces to which the service is visible: `.` its own, `*` all, `~` none, or a name.
    ///
    /// Empty means `defaultServiceExportTo` of the mesh, whose default is `*`.
    #[serde(skip_serializing_if = "is_default")]
    pub export_to: Vec<String>,
    /// Names of which one must be in the certificate of an endpoint. Empty means any that verifies.
    #[serde(skip_serializing_if = "is_default")]
    pub subject_alt_names: Vec<String>,
}

/// A port of a service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServicePort {
    /// Number, 1..65535. Required.
    #[serde(skip_serializing_if = "is_default")]
    pub number: u32,
    /// Protocol in any letter case (A-X-14). Empty means detection, or what the prefix of the name says. Bounds: 256
    /// characters (A-CR-25).
    #[serde(skip_serializing_if = "is_default")]
    pub protocol: String,
    /// Name, a DNS label, unique within the object. Required. Bounds: 256 characters in the CRD, 63 in istiod (A-CR-25).
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Port of the endpoints. Zero means `number`.
    #[serde(skip_serializing_if = "is_default")]
    pub target_port: u32,
}

wire_enum! {
    /// Whether a service is part of the mesh.
    pub enum Location {
        /// Outside: no mTLS by default.
        MeshExternal = 0 => "MESH_EXTERNAL",
        /// Inside: its workloads have identities of the mesh.
        MeshInternal = 1 => "MESH_INTERNAL",
    }
}

wire_enum! {
    /// How the endpoints of a service are found.
    pub enum Resolution {
        /// The address that the client asked for.
        None = 0 => "NONE",
        /// The endpoints of the object.
        Static = 1 => "STATIC",
        /// All addresses that DNS returns for the endpoints, or for the host if there are none.
        Dns = 2 => "DNS",
        /// The first address that DNS returns when a connection is needed.
        DnsRoundRobin = 3 => "DNS_ROUND_ROBIN",
        /// DNS for the name of the request, for wildcard hosts.
        DynamicDns = 4 => "DYNAMIC_DNS",
    }
}
