//! The stream of one proxy.

use std::collections::{BTreeMap, VecDeque};

use crate::time::MonotonicTime;

use super::output::DeltaSdsRequest;
use super::secret::Secret;

/// What a proxy asked for on its stream, and what it was sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    /// As its first request says.
    pub(super) variant: Option<Variant>,
    /// What it wants, and what it has of that.
    pub(super) wanted: BTreeMap<String, Has>,
    /// What it is to be told to forget.
    pub(super) gone: Vec<String>,
    pub(super) nonces: u64,
    /// The nonce of the last response, and what was in it.
    pub(super) last: Option<(String, Vec<String>)>,
    /// The same of all responses that it has not answered yet; on a delta stream alone, where each one counts.
    pub(super) unanswered: VecDeque<(String, Vec<String>)>,
    /// The certificate waits until the authorities of this response were taken, or until then (C-SDS-6).
    pub(super) hold: Option<(String, MonotonicTime)>,
}

/// How a stream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    Delta,
    StateOfTheWorld,
}

/// What a proxy has of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Has {
    /// Something from before its stream, with this version.
    Earlier(String),
    Nothing,
    /// The content of this number.
    Version(u64),
}

impl Has {
    pub(super) fn is(&self, version: u64, secret: &Secret) -> bool {
        match self {
            Self::Earlier(text) => *text == secret.resource_version(),
            Self::Nothing => false,
            Self::Version(sent) => *sent == version,
        }
    }
}

impl Stream {
    pub(super) fn next_nonce(&mut self) -> String {
        self.nonces += 1;
        self.nonces.to_string()
    }

    /// Notes a response.
    pub(super) fn sent(&mut self, nonce: &str, names: Vec<String>) {
        if self.variant == Some(Variant::Delta) {
            if self.unanswered.len() >= MAX_UNANSWERED {
                self.unanswered.pop_front();
            }
            self.unanswered.push_back((nonce.to_owned(), names.clone()));
        }
        self.last = Some((nonce.to_owned(), names));
    }

    /// The proxy answered a response, so that a certificate that waited for that can go.
    pub(super) fn release(&mut self, nonce: &str) {
        self.hold.take_if(|(held, _)| held == nonce);
    }

    /// What was in a response that is answered now; `None` when the stream never had such a response, or it was answered.
    pub(super) fn answered(&mut self, nonce: &str) -> Option<Vec<String>> {
        let at = self.unanswered.iter().position(|(sent, _)| sent == nonce)?;
        // A proxy answers in order: what was sent before is not answered any more.
        let (_, names) = self.unanswered.drain(..=at).next_back()?;
        Some(names)
    }

    /// Replaces what is wanted; of what was wanted before, the proxy has what it had.
    pub(super) fn want(&mut self, names: &[String]) {
        let mut old = std::mem::take(&mut self.wanted);
        let kept = |name: &String| (name.clone(), old.remove(name).unwrap_or(Has::Nothing));
        self.wanted = names.iter().map(kept).collect();
    }

    /// Changes what is wanted, and gives the names that no agent has. What is subscribed to anew is sent anew, since the proxy
    /// may have forgotten it.
    pub(super) fn change(
        &mut self,
        request: &DeltaSdsRequest,
        held: &BTreeMap<String, String>,
        is_known: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let DeltaSdsRequest {
            subscribe,
            unsubscribe,
            initial_versions: _,
            nonce: _,
            error: _,
        } = request;
        let (mut unknown, mut gone) = (Vec::new(), Vec::new());
        let only_held = held.keys().filter(|name| !subscribe.contains(name));
        for name in subscribe.iter().chain(only_held) {
            if unsubscribe.contains(name) {
                continue;
            }
            let version = held.get(name);
            if is_known(name) {
                // What no version of this agent looks like is not kept.
                let earlier = version.filter(|version| version.len() == VERSION_LENGTH);
                let has = earlier.map_or(Has::Nothing, |version| Has::Earlier(version.clone()));
                self.wanted.insert(name.clone(), has);
            } else {
                unknown.push(name.clone());
                gone.extend(version.map(|_| name.clone()));
            }
        }
        for name in unsubscribe {
            self.wanted.remove(name);
        }
        self.gone.append(&mut gone);
        unknown
    }
}

/// The digits of a resource's version.
const VERSION_LENGTH: usize = 32;
/// More responses than that are not waiting for an answer; of the older ones it is forgotten what was in them.
const MAX_UNANSWERED: usize = 64;
