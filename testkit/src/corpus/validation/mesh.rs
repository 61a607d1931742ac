//! Tables about the mesh configuration.

use crate::corpus::{Area, Case, Verdict};

/// The tables that are asked here.
const TABLES: &[&str] = &[
    "ApplyMeshConfigLocalityZoneAware",
    "ConvertToMeshConfigProxyConfig",
    "EffectiveProxyConfig",
    "MergeWithPrecedence",
    "ProxyConfigMerge",
    "ServiceSettings",
    "ValidateConnectTimeout",
    "ValidateConnectionSettings",
    "ValidateControlPlaneAuthPolicy",
    "ValidateDrainDuration",
    "ValidateExtensionProviderEnvoyHTTPAls",
    "ValidateExtensionProviderEnvoyOtelAls",
    "ValidateExtensionProviderEnvoyTCPAls",
    "ValidateExtensionProviderService",
    "ValidateExtensionProviderTracingDatadog",
    "ValidateExtensionProviderTracingLightstep",
    "ValidateExtensionProviderTracingOpenCensusAgent",
    "ValidateExtensionProviderTracingOpentelemetry",
    "ValidateExtensionProviderTracingZipkin",
    "ValidateMaxServerConnectionAge",
    "ValidateMeshConfigDefaultInboundHTTPRetryPolicy",
    "ValidateMeshConfigDefaultTrafficPolicy",
    "ValidateMeshConfigProxyConfig",
    "ValidateMeshNetworks",
    "ValidateProtocolDetectionTimeout",
    "ValidateTrustDomain",
];

/// Whether a table is one of these.
pub(super) fn asks(table: &str) -> bool {
    TABLES.contains(&table)
}

pub(super) fn run(_: &Area, _: &Case) -> Verdict {
    Verdict::Unsupported("mesh-api has no rules for the mesh configuration yet".to_owned())
}
