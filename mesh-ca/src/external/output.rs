//! What the embedder has to do.

use super::{ExternalCaError, ExternalSvid, KubernetesCsr, VaultSignRequest};

/// What the embedder has to do for an [`ExternalCa`](super::ExternalCa).
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum ExternalCaOutput {
    /// Create the object, then call [`handle_created`](super::ExternalCa::handle_created).
    Create(Box<KubernetesCsr>),
    /// Approve the object of this name.
    Approve {
        /// The name.
        name: String,
    },
    /// Watch the object, and pass what is seen to [`handle_status`](super::ExternalCa::handle_status). It comes before
    /// [`Get`](Self::Get), so that no change is missed.
    Watch {
        /// The name.
        name: String,
    },
    /// Read the object once, and pass it to [`handle_status`](super::ExternalCa::handle_status).
    Get {
        /// The name.
        name: String,
    },
    /// Delete the object, whatever became of it.
    Delete {
        /// The name.
        name: String,
    },
    /// Send the request, and pass the answer to [`handle_vault_response`](super::ExternalCa::handle_vault_response).
    VaultSign(VaultSignRequest),
    /// It is done.
    Issued(Box<ExternalSvid>),
    /// It has failed.
    Failed(ExternalCaError),
}
