//! Requests of services like Vault's PKI: `sign` in, certificates out.

use serde::{Deserialize, Serialize};

/// What is sent to `PKI/sign/ROLE`.
///
/// Source: Vault PKI API, sign certificate; ca.md C-SGN-7.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultSignRequest {
    /// The signing request in PEM.
    pub csr: String,
    /// The life, such as `3600s`; absent for the default of the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// The URI names, separated by commas: one SPIFFE id.
    pub uri_sans: String,
    /// That the common name is no name of a host. Always true.
    pub exclude_cn_from_sans: bool,
}

/// `data` of the answer.
///
/// Source: Vault PKI API, sign certificate; ca.md C-SGN-7.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VaultSignResponse {
    /// The certificate in PEM.
    pub certificate: String,
    /// The certificate of its issuer in PEM.
    pub issuing_ca: String,
    /// What leads from there to a root, each in PEM.
    pub ca_chain: Vec<String>,
}
