#![doc = include_str!("../README.md")]
//!
//! # Conventions
//!
//! * Models have public fields and `Default`; build them with `..Default::default()`. Istio adds fields with each release, and
//!   a new field is not a breaking change here.
//! * An *object* is configuration of the Kubernetes kind; a *resource* is Envoy's.
//! * Nothing panics on input, and no input costs more than its size allows: [`codec::Limits`] are errors of their own.
//! * Output does not depend on the order of input: sets iterate by key, maps are sorted.
//! * Foreign types in signatures: those of `serde`, `serde_json::Value` for what is carried unread, and `ipnet`.
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

pub mod admission;
pub mod analyze;
pub mod codec;
pub mod crd;
pub mod effective;
pub mod extensions;
pub mod kind;
pub mod kubernetes;
pub mod mesh;
pub mod meta;
pub mod names;
pub mod networking;
pub mod object;
pub mod object_set;
pub mod operator;
pub mod registry;
pub mod report;
pub mod scalar;
pub mod security;
pub mod table;
pub mod telemetry;
pub mod type_;
pub mod validate;
mod wire;

pub use codec::{DecodeOptions, Decoded, Profile, decode, decode_value, decode_with, to_json, to_yaml};
pub use effective::{decode_mesh_config, decode_mesh_networks};
pub use kind::Kind;
pub use meta::ObjectMeta;
pub use object::{AnyObject, Object, ObjectKey, OpaqueObject};
pub use object_set::ObjectSet;
pub use report::{Diagnostic, FieldPath, Report, Severity};
