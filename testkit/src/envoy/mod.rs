//! A real Envoy on loopback, fed with configuration and echo upstreams, as an oracle. Source: X-REAL.
//!
//! ```text
//! Converted (JSON of one mesh) ─┐
//! Converted ────────────────────┼─▶ Loopback ─▶ bootstrap ─▶ Envoy ◀── RawRequest
//! Converted ────────────────────┘      │                      │
//!                                   EchoPool ◀── requests ────┘   answers with the name of the cluster
//! ```
//!
//! Everything binds to 127.0.0.1, waits a bounded time, and ends when its value is dropped.

mod adapter;
mod client;
mod echo;
mod process;
mod wire;

use std::io::Write as _;
use std::path::PathBuf;

pub use adapter::{AdaptError, Converted, Loopback};
pub use client::{RawRequest, RawResponse};
pub use echo::{Echo, EchoPool};
pub use process::{Envoy, EnvoyError};

/// The Envoy program to test against: the value of `ENVOY_BIN`.
///
/// Without it this writes `skipped: ENVOY_BIN is not set` past the capture of the test harness, so that a run says what it
/// left out. With it, whatever keeps Envoy from starting is for the caller to fail on.
pub fn program() -> Option<PathBuf> {
    let program = std::env::var_os("ENVOY_BIN").filter(|value| !value.is_empty());
    if program.is_none() {
        // The harness captures `eprintln!`, not the stream itself.
        let _ = writeln!(std::io::stderr(), "skipped: ENVOY_BIN is not set");
    }
    program.map(PathBuf::from)
}
