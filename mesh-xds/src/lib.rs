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

pub mod convert;
#[cfg(feature = "envoy-schema")]
pub mod envoy_schema;
mod hash;
#[cfg(feature = "reflect")]
pub mod json;
pub mod pb;
mod resource;
mod resource_set;
#[cfg(feature = "sds")]
pub mod secret;

pub use convert::{Conversion, Profile, convert};
pub use resource::{Resource, ResourceVersion};
pub use resource_set::{Delta, ResourceSet};
