//! How strict the comparison is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::TrustDomainSet;

/// What the names in a signing request have to do with who asks.
///
/// Source: ca.md C-AUTH-3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AuthMode {
    /// Nothing: the certificate gets the caller's id, whatever the request names. istiod's own authority does so.
    IstioCompat,
    /// The request names the caller's id. The default.
    #[default]
    Match,
    /// The request names the caller's id and nothing else, in a subject or extension either. istiod does so as a
    /// registration authority for another one.
    RaMatch,
}

/// The rules of authorising.
///
/// Source: ca.md C-AUTH-3..7.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthPolicy {
    /// What request and caller have in common. Default [`AuthMode::Match`].
    pub mode: AuthMode,
    /// The local trust domains: for aliases and impersonation.
    pub trust_domains: Option<TrustDomainSet>,
    /// Whether a request may name the caller's id under another local trust domain. It gets the primary one. Default no.
    pub alias_ok: bool,
    /// Service accounts, as namespace and name, of node agents that may ask for the ids of pods on their node. Without
    /// any, nobody may.
    pub trusted_node_accounts: BTreeSet<(String, String)>,
    /// Whether pods that have completed count as running on a node, as in istiod. The id of a finished job stays within
    /// reach of a compromised node then. Default no.
    pub count_completed_pods: bool,
    /// Whether namespace and service account of a caller from Kubernetes must be names that Kubernetes accepts. Default
    /// yes.
    pub validate_kubernetes_names: bool,
}

impl Default for AuthPolicy {
    fn default() -> Self {
        Self {
            mode: AuthMode::default(),
            trust_domains: None,
            alias_ok: false,
            trusted_node_accounts: BTreeSet::new(),
            count_completed_pods: false,
            validate_kubernetes_names: true,
        }
    }
}

/// What a caller says beside its signing request.
///
/// Source: ca.md C-AUTH-5, C-AUTH-7; Istio security.go `ImpersonatedIdentity`, `CertSigner`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestMeta {
    /// The id of another workload that a node agent asks for. Empty: the caller asks for itself.
    pub impersonated_identity: String,
    /// The name of the signer. Empty: the default one.
    pub cert_signer: String,
}
