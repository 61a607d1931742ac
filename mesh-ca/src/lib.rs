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

mod algorithm;
mod entropy;
mod error;
mod limits;
mod spiffe_id;
mod status;
mod time;
mod trust_domain;

pub use algorithm::{KeyAlgorithm, SignatureAlgorithm};
#[cfg(feature = "insecure-seeded-entropy")]
pub use entropy::InsecureSeededEntropy;
pub use entropy::{Entropy, EntropyError};
pub use error::{IdError, IdErrorKind};
pub use limits::Limits;
pub use spiffe_id::{IstioIdentity, SpiffeId, SpiffeIdRef};
pub use status::{Status, StatusCode};
pub use time::{MonotonicTime, Now, Ppm, UnixTime};
pub use trust_domain::{TrustDomain, TrustDomainRef};
