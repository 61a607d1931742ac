//! Where secrets come from (X-SDS-1 to X-SDS-3).

use mesh_route::plan::{CaRef, CertificateRef};

use super::common::zero;
use crate::pb::envoy::config::core::v3::api_config_source::ApiType;
use crate::pb::envoy::config::core::v3::config_source::ConfigSourceSpecifier;
use crate::pb::envoy::config::core::v3::grpc_service::{EnvoyGrpc, TargetSpecifier};
use crate::pb::envoy::config::core::v3::{
    AggregatedConfigSource, ApiConfigSource, ApiVersion, ConfigSource, GrpcService,
};
use crate::pb::envoy::extensions::transport_sockets::tls::v3::SdsSecretConfig;

/// The workload's own certificate, as the agent knows it.
const WORKLOAD: &str = "default";
/// The mesh's authorities, as the agent knows them.
const MESH_CA: &str = "ROOTCA";
/// The cluster that leads to the agent.
const AGENT: &str = "sds-grpc";

/// A certificate and its key.
pub(super) fn certificate(certificate: &CertificateRef) -> SdsSecretConfig {
    match certificate {
        CertificateRef::Workload => from_agent(WORKLOAD),
        CertificateRef::Files { certificate, key } => from_agent(format!("file-cert:{certificate}~{key}")),
        CertificateRef::Credential(name) => credential(name),
    }
}

/// Trusted authorities.
pub(super) fn authorities(ca: &CaRef) -> SdsSecretConfig {
    match ca {
        CaRef::System => from_agent("file-root:system"),
        CaRef::Mesh => from_agent(MESH_CA),
        CaRef::File(path) => from_agent(format!("file-root:{path}")),
        CaRef::Credential(name) => credential(name),
    }
}

fn credential(name: &str) -> SdsSecretConfig {
    const KNOWN: [&str; 4] = [
        "kubernetes://",
        "kubernetes-gateway://",
        "configmap://",
        "invalid://",
    ];
    match name {
        "builtin://" => from_agent(WORKLOAD),
        "builtin://-cacert" => from_agent(MESH_CA),
        name if KNOWN.iter().any(|scheme| name.starts_with(scheme)) => from_server(name.to_owned()),
        name => from_server(format!("kubernetes://{name}")),
    }
}

/// A secret that the local agent holds.
fn from_agent(name: impl Into<String>) -> SdsSecretConfig {
    let service = GrpcService {
        target_specifier: Some(TargetSpecifier::EnvoyGrpc(EnvoyGrpc {
            cluster_name: AGENT.to_owned(),
            ..Default::default()
        })),
        ..Default::default()
    };
    let source = ApiConfigSource {
        api_type: ApiType::Grpc.into(),
        transport_api_version: ApiVersion::V3.into(),
        grpc_services: vec![service],
        set_node_on_first_message_only: true,
        ..Default::default()
    };
    SdsSecretConfig {
        name: name.into(),
        sds_config: Some(ConfigSource {
            initial_fetch_timeout: zero(),
            resource_api_version: ApiVersion::V3.into(),
            config_source_specifier: Some(ConfigSourceSpecifier::ApiConfigSource(source)),
            ..Default::default()
        }),
    }
}

/// A secret that the control plane holds. A missing one must not keep a listener from starting, so Envoy's own time limit
/// stands.
fn from_server(name: String) -> SdsSecretConfig {
    SdsSecretConfig {
        name,
        sds_config: Some(ConfigSource {
            resource_api_version: ApiVersion::V3.into(),
            config_source_specifier: Some(ConfigSourceSpecifier::Ads(AggregatedConfigSource {})),
            ..Default::default()
        }),
    }
}
