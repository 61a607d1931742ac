#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::todo,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::string_slice
    )
)]

mod error;
mod spiffe_id;
mod trust_domain;

pub use error::{IdError, IdErrorKind};
pub use spiffe_id::{IstioIdentity, SpiffeId, SpiffeIdRef};
pub use trust_domain::{TrustDomain, TrustDomainRef};
