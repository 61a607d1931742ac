//! A request as conditions see it.

use super::headers::Headers;

/// A request after normalisation, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'r> {
    /// The method, case-sensitive.
    pub method: &'r [u8],
    /// `http` or `https`.
    pub scheme: &'r [u8],
    /// The host as sent, with its port (R-MATCH-10).
    pub authority: &'r [u8],
    /// Path and query, normalised.
    pub target: &'r [u8],
    /// All other headers.
    pub headers: &'r Headers,
}

impl<'r> RequestView<'r> {
    /// The path without the query.
    pub fn path(&self) -> &'r [u8] {
        split_target(self.target).0
    }

    /// The query without its `?`, if there is one.
    pub fn query(&self) -> Option<&'r [u8]> {
        split_target(self.target).1
    }

    /// The value of a pseudo header, or of `host`, which is the authority (R-ENV-7).
    pub fn pseudo(&self, name: &str) -> Option<&'r [u8]> {
        match name {
            ":authority" | "host" => Some(self.authority),
            ":method" => Some(self.method),
            ":path" => Some(self.target),
            ":scheme" => Some(self.scheme),
            _ => None,
        }
    }
}

/// Splits a target at its first `?`.
pub(super) fn split_target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match target.iter().position(|byte| *byte == b'?') {
        None => (target, None),
        Some(at) => (target.get(..at).unwrap_or_default(), target.get(at + 1..)),
    }
}
