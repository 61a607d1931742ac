//! Strategies for small meshes and for requests to them, as in the tests that compare answers.
//!
//! Everything is made of few words, so that hosts, prefixes and ages collide; and requests aim at what a mesh has, so that
//! most of them are answered by one of its routes.

mod action;
mod mesh;
mod request;
mod words;

pub use action::REPLY_HEADER;
pub use mesh::{Client, Mesh, mesh};
pub use request::{GeneratedRequest, requests};

/// Names of the request headers that generated routes touch.
pub const TOUCHED_HEADERS: &[&str] = &words::HEADERS;
/// Names of the response headers that they touch.
pub const TOUCHED_RESPONSE_HEADERS: &[&str] = &action::RESPONSE_HEADERS;
