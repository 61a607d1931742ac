//! A proxy on a stream of the agent, as far as it is promised something.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mesh_ca::MonotonicTime;
use mesh_ca::agent::{DEFAULT_SECRET, NamedSecret, ROOT_SECRET};

/// What a proxy says on its stream.
#[derive(Default)]
pub(super) struct Words {
    /// What it wants: all of it, or on a delta stream what it wants too.
    pub(super) names: Vec<String>,
    /// On a delta stream: what it does not want any more.
    pub(super) unsubscribe: Vec<String>,
    pub(super) nonce: String,
    pub(super) error: Option<String>,
}

/// What a proxy asked for on its stream, and got.
#[derive(Default)]
pub(super) struct Proxy {
    /// Whether it speaks the delta variant; not said before its first request.
    pub(super) is_delta: Option<bool>,
    pub(super) wanted: BTreeSet<String>,
    /// The version of each secret that it has.
    pub(super) has: BTreeMap<String, u64>,
    /// The nonces of all responses.
    pub(super) nonces: Vec<String>,
    /// Until when the certificate has to wait for the answer to which response (C-SDS-6).
    hold: Option<(String, MonotonicTime)>,
    /// What was subscribed to anew on a delta stream is sent again.
    again: BTreeSet<String>,
}

impl Proxy {
    /// It asks for something, or answers a response.
    pub(super) fn says(&mut self, words: &Words) {
        let Words {
            names,
            unsubscribe,
            nonce,
            error: _,
        } = words;
        self.hold.take_if(|(held, _)| held == nonce);
        // Of the names that are asked for, the agent has these two.
        let known = names
            .iter()
            .filter(|name| [DEFAULT_SECRET, ROOT_SECRET].contains(&name.as_str()));
        if self.is_delta == Some(true) {
            for name in known {
                self.wanted.insert(name.clone());
                self.again.insert(name.clone());
            }
            for name in unsubscribe {
                self.wanted.remove(name);
                self.has.remove(name);
            }
        } else if self
            .nonces
            .last()
            .is_none_or(|last| nonce.is_empty() || last == nonce)
        {
            // An answer to an earlier response changes nothing.
            self.wanted = known.cloned().collect();
            self.has.retain(|name, _| self.wanted.contains(name));
        }
    }

    /// It gets a response, and holds the agent to its promises.
    pub(super) fn takes(
        &mut self,
        now: MonotonicTime,
        secrets: &[NamedSecret],
        removed: &[String],
        nonce: &str,
    ) {
        assert!(!secrets.is_empty() || !removed.is_empty(), "an empty response");
        assert!(
            !self.nonces.iter().any(|one| one == nonce),
            "nonce {nonce} twice (C-SDS-5)"
        );
        self.nonces.push(nonce.to_owned());
        for secret in secrets {
            assert!(
                self.wanted.contains(&secret.name),
                "nobody asked for {} (C-SDS-5)",
                secret.name
            );
            let is_again = self.again.remove(&secret.name);
            let had = self.has.insert(secret.name.clone(), secret.version);
            let is_newer = had.is_none_or(|had| had < secret.version || is_again && had == secret.version);
            assert!(is_newer, "{} {had:?} {} (C-SDS-5)", secret.name, secret.version);
        }
        for name in removed {
            assert_eq!(self.is_delta, Some(true));
            self.has.remove(name);
        }
        let has = |name: &str| secrets.iter().any(|secret| secret.name == name);
        if self.hold.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.hold = None;
        }
        if has(DEFAULT_SECRET) {
            assert!(
                self.hold.is_none() && !has(ROOT_SECRET),
                "the certificate did not wait (C-SDS-6)"
            );
        }
        if has(ROOT_SECRET) && self.wanted.contains(DEFAULT_SECRET) {
            self.hold = Some((nonce.to_owned(), now + Duration::from_secs(5)));
        }
    }
}
