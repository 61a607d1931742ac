//! The stream of one proxy.

use std::collections::BTreeMap;

use crate::time::MonotonicTime;

/// What a proxy asked for on its stream, and what it was sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    /// What it wants, and the version of each secret that it was sent.
    pub(super) wanted: BTreeMap<String, Option<u64>>,
    pub(super) nonces: u64,
    /// The nonce of the last response, and what was in it.
    pub(super) last: Option<(String, Vec<String>)>,
    /// The certificate waits until the authorities of this response were taken, or until then (C-SDS-6).
    pub(super) hold: Option<(String, MonotonicTime)>,
}

impl Stream {
    pub(super) fn next_nonce(&mut self) -> String {
        self.nonces += 1;
        self.nonces.to_string()
    }

    /// Replaces what is wanted; what was wanted before keeps its version.
    pub(super) fn want(&mut self, names: &[String]) {
        let old = std::mem::take(&mut self.wanted);
        let kept = |name: &String| (name.clone(), old.get(name).copied().flatten());
        self.wanted = names.iter().map(kept).collect();
    }
}
