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

pub mod compile;
pub mod decide;
pub mod matching;
mod mesh;
pub mod pattern;
pub mod plan;
pub mod scope;
pub mod snapshot;
pub mod trace;

pub use decide::{Decision, Explanation, Outcome, Request, RequestError, Router, Target};
pub use mesh::{MeshSnapshot, SnapshotOptions};
pub use mesh_api::table;
pub use scope::Workload;
