//! Why a caller gets nothing.

use std::fmt;

use super::AuditRecord;
use crate::{KubernetesNameError, Status, StatusCode};

/// Why a caller does not get a certificate, with the audit record of the decision.
///
/// `Display` is for the log of the authority; what the caller may learn is in [`status`](Self::status).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthError {
    kind: AuthErrorKind,
    audit: Box<AuditRecord>,
}

impl AuthError {
    pub(super) fn new(kind: AuthErrorKind, mut audit: AuditRecord) -> Self {
        audit.refuse(&kind);
        Self {
            kind,
            audit: Box::new(audit),
        }
    }

    /// The reason.
    pub fn kind(&self) -> &AuthErrorKind {
        &self.kind
    }

    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// What to write into the log of decisions.
    pub fn audit(&self) -> &AuditRecord {
        &self.audit
    }

    /// What the caller is told. It is the same for each class of reasons, so that nothing can be probed.
    ///
    /// Source: ca.md C-AUTH-5, C-AUTH-8.
    pub fn status(&self) -> Status {
        match self.kind {
            AuthErrorKind::AmbiguousCaller | AuthErrorKind::KubernetesName(_) => {
                Status::new(StatusCode::Unauthenticated, "request authenticate failure")
            }
            AuthErrorKind::Impersonation(_) => Status::new(
                StatusCode::Unauthenticated,
                "request impersonation authentication failure",
            ),
            AuthErrorKind::KeyBoundToOther
            | AuthErrorKind::Mismatch
            | AuthErrorKind::NotRegistrationAuthorityForm => {
                Status::new(StatusCode::InvalidArgument, "certificate signing request refused")
            }
            AuthErrorKind::IdentityBlocked => {
                Status::new(StatusCode::PermissionDenied, "certificate refused")
            }
            AuthErrorKind::NotDownstream => {
                Status::new(StatusCode::PermissionDenied, "intermediate authority refused")
            }
        }
    }

    /// Whether the same request may succeed later. Pods may not be known yet, and a block ends; everything else stays wrong.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            AuthErrorKind::IdentityBlocked | AuthErrorKind::Impersonation(_)
        )
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for AuthError {}

/// The reason of an [`AuthError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthErrorKind {
    /// The caller has no SPIFFE id, or more than one.
    #[error("the caller has not exactly one SPIFFE id")]
    AmbiguousCaller,
    /// The identity gets no certificate for a while.
    #[error("the identity gets no certificate for a while")]
    IdentityBlocked,
    /// The caller may not ask for that workload's id.
    #[error("impersonation is refused: {0}")]
    Impersonation(#[from] ImpersonationError),
    /// The key belongs to another identity.
    #[error("the key belongs to another identity")]
    KeyBoundToOther,
    /// The id is not one that Kubernetes could have given.
    #[error("the id of the caller is no Kubernetes identity: {0}")]
    KubernetesName(#[source] KubernetesNameError),
    /// The request names another id than the caller's.
    #[error("the request names another identity than the caller's")]
    Mismatch,
    /// The caller may not have an intermediate authority.
    #[error("the caller may not have an intermediate authority")]
    NotDownstream,
    /// The request has a subject or extensions that a registration authority refuses.
    #[error("the request has more than a registration authority takes")]
    NotRegistrationAuthorityForm,
}

impl AuthErrorKind {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AmbiguousCaller => "auth.ambiguous_caller",
            Self::IdentityBlocked => "auth.identity_blocked",
            Self::Impersonation(error) => error.code(),
            Self::KeyBoundToOther => "auth.key_bound_to_other",
            Self::KubernetesName(_) => "auth.kubernetes_name",
            Self::Mismatch => "auth.mismatch",
            Self::NotDownstream => "auth.not_downstream",
            Self::NotRegistrationAuthorityForm => "auth.not_registration_authority_form",
        }
    }
}

/// Why a node agent does not get the id of a workload: the first step of C-AUTH-5 that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ImpersonationError {
    /// The requested text is no id in Istio's form, or not one of a local trust domain.
    #[error("the requested identity is none of a local workload")]
    Identity,
    /// The caller's own pod has failed.
    #[error("the pod of the caller has failed")]
    CallerFailed,
    /// The pod of the caller runs on no node.
    #[error("the pod of the caller runs on no node")]
    NoNode,
    /// No pod with the requested service account runs on the caller's node.
    #[error("no running pod of the requested identity is on the node of the caller")]
    NoSuchPodOnNode,
    /// There are no node agents that may ask.
    #[error("no service account is trusted to ask for others")]
    NotConfigured,
    /// The caller is not one of the node agents that may ask.
    #[error("the service account of the caller is not trusted to ask for others")]
    NotTrusted,
    /// The service account of the caller's pod is another one.
    #[error("the pod of the caller has another service account")]
    ServiceAccount,
    /// The pod with the caller's name is another pod.
    #[error("the pod of the caller has another uid")]
    Uid,
    /// The cluster of the caller, or its pod, is not known.
    #[error("the pod of the caller is not known")]
    UnknownPod,
}

impl ImpersonationError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Identity => "auth.impersonation_identity",
            Self::CallerFailed => "auth.impersonation_caller_failed",
            Self::NoNode => "auth.impersonation_no_node",
            Self::NoSuchPodOnNode => "auth.impersonation_no_such_pod_on_node",
            Self::NotConfigured => "auth.impersonation_not_configured",
            Self::NotTrusted => "auth.impersonation_not_trusted",
            Self::ServiceAccount => "auth.impersonation_service_account",
            Self::Uid => "auth.impersonation_uid",
            Self::UnknownPod => "auth.impersonation_unknown_pod",
        }
    }
}
