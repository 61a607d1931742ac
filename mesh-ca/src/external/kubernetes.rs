//! CertificateSigningRequest of the Kubernetes API `certificates.k8s.io/v1`.

use serde::{Deserialize, Serialize};

/// A CertificateSigningRequest, as far as it is written and read here.
///
/// Source: Kubernetes certificates.k8s.io/v1; ca.md C-SGN-5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesCsr {
    /// `certificates.k8s.io/v1`.
    pub api_version: String,
    /// `CertificateSigningRequest`.
    pub kind: String,
    /// The name.
    pub metadata: KubernetesCsrMetadata,
    /// What is asked for.
    pub spec: KubernetesCsrSpec,
    /// What became of it.
    #[serde(default, skip_serializing_if = "KubernetesCsrStatus::is_empty")]
    pub status: KubernetesCsrStatus,
}

/// `metadata` of a [`KubernetesCsr`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesCsrMetadata {
    /// The name of the object.
    pub name: String,
}

/// `spec` of a [`KubernetesCsr`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubernetesCsrSpec {
    /// The signing request: PEM, in base64.
    pub request: String,
    /// Who is to sign.
    pub signer_name: String,
    /// For how long, in seconds; at least 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration_seconds: Option<i32>,
    /// For what.
    pub usages: Vec<String>,
}

/// `status` of a [`KubernetesCsr`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesCsrStatus {
    /// What was decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<KubernetesCsrCondition>,
    /// The certificates: PEM, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

impl KubernetesCsrStatus {
    fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.certificate.is_none()
    }

    /// The reason, if the request was denied or has failed.
    pub(super) fn refusal(&self) -> Option<String> {
        let refusal = self.conditions.iter().find(|condition| {
            matches!(condition.kind.as_str(), "Denied" | "Failed") && condition.status != "False"
        })?;
        Some(
            format!("{} {}", refusal.kind, refusal.message)
                .trim_end()
                .to_owned(),
        )
    }
}

/// A condition in the `status` of a [`KubernetesCsr`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesCsrCondition {
    /// `Approved`, `Denied` or `Failed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    #[serde(default)]
    pub status: String,
    /// A word for programs.
    #[serde(default)]
    pub reason: String,
    /// Words for people.
    #[serde(default)]
    pub message: String,
}
