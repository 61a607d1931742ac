//! Certificates that somebody else makes: signers of Kubernetes, and services like Vault's PKI.

mod kubernetes;
mod machine;
#[cfg(all(test, any(feature = "ring", feature = "soft", feature = "aws-lc")))]
mod tests;
mod validate;
mod vault;

pub use self::kubernetes::{
    KubernetesCsr, KubernetesCsrCondition, KubernetesCsrMetadata, KubernetesCsrSpec, KubernetesCsrStatus,
};
pub use self::machine::{ExternalCa, ExternalCaConfig, ExternalCaOutput, ExternalSigner};
pub use self::validate::{ExternalCaError, ExternalSvid};
pub use self::vault::{VaultSignRequest, VaultSignResponse};
