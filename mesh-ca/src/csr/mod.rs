//! Certificate signing requests (PKCS#10): built for workloads, and validated strictly for an authority.

mod build;
mod error;
mod parse;
mod policy;
#[cfg(test)]
mod tests;

pub use self::build::{Csr, CsrBuildError, CsrBuilder, CsrProfile, CsrWarning, dual_use_common_name};
pub use self::error::CsrError;
pub use self::policy::{CsrPolicy, KeySet, KeyStatus, NoKeySet, SanMode, ValidCaCsr, ValidCsr};
