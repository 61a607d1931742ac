//! Certificates that somebody else makes: signers of Kubernetes, and services like Vault's PKI.

mod config;
mod kubernetes;
mod machine;
mod output;
mod request;
mod snapshot;
#[cfg(all(test, any(feature = "ring", feature = "soft", feature = "aws-lc")))]
mod snapshot_tests;
#[cfg(all(test, any(feature = "ring", feature = "soft", feature = "aws-lc")))]
mod tests;
mod validate;
mod vault;

pub use self::config::{ExternalCaConfig, ExternalSigner};
pub use self::kubernetes::{
    KubernetesCsr, KubernetesCsrCondition, KubernetesCsrMetadata, KubernetesCsrSpec, KubernetesCsrStatus,
};
pub use self::machine::ExternalCa;
pub use self::output::ExternalCaOutput;
pub use self::snapshot::{ExternalCaSnapshot, ExternalCaSnapshotError};
pub use self::validate::{ExternalCaError, ExternalSvid};
pub use self::vault::{VaultSignRequest, VaultSignResponse};
