//! Live connections, and which of them a change of revocation or trust ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::check::{RevocationPolicy, check_path};
use super::set::{CrlChange, CrlSet};
use crate::bundle::BundleDiff;
use crate::certificate::Certificate;
use crate::{RevocationReason, SerialNumber, SignatureVerifier, UnixTime, Verified, VerifyError};

/// The connections of a server or client whose peers were verified. When CRLs or bundles change, it says which of them are
/// to be closed; it looks only at those that the change can concern.
///
/// Expiry alone ends no connection: validity was looked at when it was made. CRLs are judged by the time now, and an entry
/// counts whatever its date. Only a certificate that is revoked for certain closes; what is merely unknown raises an alarm.
///
/// A change between the verification of a peer and its registration is not lost: take a [`generation`](Self::generation)
/// before the handshake, and give it to [`register`](Self::register).
///
/// Source: ca.md C-CRL-10.
#[derive(Debug, Clone)]
pub struct ConnectionIndex<C> {
    connections: BTreeMap<C, Vec<Arc<[u8]>>>,
    /// By the name of an issuer in the path.
    by_issuer: BTreeMap<Vec<u8>, BTreeSet<C>>,
    /// By the anchor of the path.
    by_anchor: BTreeMap<Arc<[u8]>, BTreeSet<C>>,
    generation: u64,
}

/// A state of trust and revocation, as an index has seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation(u64);

/// What a change means for one connection.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionEvent<C> {
    /// Its revocation cannot be told any more: a CRL is missing, outdated or unusable. The connection stays.
    Alarm {
        /// The connection.
        connection: C,
        /// Why.
        error: VerifyError,
    },
    /// The anchor of its path is not in the bundle any more. Closing is a question of policy.
    AnchorRemoved {
        /// The connection.
        connection: C,
    },
    /// A certificate of its path is revoked: close it.
    Revoked {
        /// The connection.
        connection: C,
        /// Which certificate: 0 is the leaf.
        depth: usize,
        /// Its serial number.
        serial: SerialNumber,
        /// Why it was revoked.
        reason: RevocationReason,
    },
}

/// What CRLs are asked with.
#[derive(Debug, Clone, Copy)]
pub struct RevocationCheck<'a> {
    /// The CRLs that are in force now.
    pub crls: &'a CrlSet,
    /// How they are asked.
    pub policy: &'a RevocationPolicy,
    /// Who checks their signatures; see [`CrlSet::authenticate`], which spares it.
    pub verifier: &'a dyn SignatureVerifier,
}

impl<C: Ord + Clone> ConnectionIndex<C> {
    /// Without connections.
    pub fn new() -> Self {
        Self {
            connections: BTreeMap::new(),
            by_issuer: BTreeMap::new(),
            by_anchor: BTreeMap::new(),
            generation: 0,
        }
    }

    /// The state that a handshake begins with.
    pub fn generation(&self) -> Generation {
        Generation(self.generation)
    }

    /// Adds a connection whose peer was verified. If CRLs or bundles have changed since `generation`, it is asked about at
    /// once; the caller verifies peers of an older generation again if an anchor was removed in between.
    pub fn register(
        &mut self,
        connection: C,
        peer: &Verified,
        generation: Generation,
        check: RevocationCheck<'_>,
        now: UnixTime,
    ) -> Option<ConnectionEvent<C>> {
        self.remove(&connection);
        for issuer in issuers(peer.path()) {
            self.by_issuer
                .entry(issuer)
                .or_default()
                .insert(connection.clone());
        }
        if let Some(anchor) = peer.path().last() {
            let anchor = Arc::clone(anchor);
            self.by_anchor
                .entry(anchor)
                .or_default()
                .insert(connection.clone());
        }
        self.connections.insert(connection.clone(), peer.path().to_vec());
        (generation.0 != self.generation)
            .then(|| self.ask(&connection, check, now))
            .flatten()
    }

    /// Forgets a connection that has ended.
    pub fn remove(&mut self, connection: &C) -> bool {
        let Some(path) = self.connections.remove(connection) else {
            return false;
        };
        for issuer in issuers(&path) {
            if let Some(connections) = self.by_issuer.get_mut(&issuer) {
                connections.remove(connection);
                if connections.is_empty() {
                    self.by_issuer.remove(&issuer);
                }
            }
        }
        if let Some(anchor) = path.last()
            && let Some(connections) = self.by_anchor.get_mut(anchor)
        {
            connections.remove(connection);
            if connections.is_empty() {
                self.by_anchor.remove(anchor);
            }
        }
        true
    }

    /// CRLs have changed: asks them about the connections whose issuers are concerned.
    pub fn crls_changed(
        &mut self,
        change: &CrlChange,
        check: RevocationCheck<'_>,
        now: UnixTime,
    ) -> Vec<ConnectionEvent<C>> {
        self.generation = self.generation.saturating_add(1);
        let concerned: BTreeSet<&C> = change
            .issuers
            .iter()
            .filter_map(|issuer| self.by_issuer.get(issuer))
            .flatten()
            .collect();
        concerned
            .into_iter()
            .filter_map(|connection| self.ask(connection, check, now))
            .collect()
    }

    /// A bundle has changed: names the connections whose anchor is gone.
    pub fn bundle_changed(&mut self, diff: &BundleDiff) -> Vec<ConnectionEvent<C>> {
        self.generation = self.generation.saturating_add(1);
        let concerned: BTreeSet<&C> = diff
            .removed
            .iter()
            .filter_map(|authority| self.by_anchor.get(authority.der()))
            .flatten()
            .collect();
        concerned
            .into_iter()
            .map(|connection| ConnectionEvent::AnchorRemoved {
                connection: connection.clone(),
            })
            .collect()
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    fn ask(&self, connection: &C, check: RevocationCheck<'_>, now: UnixTime) -> Option<ConnectionEvent<C>> {
        // INVARIANT: the certificates of a verified path were read before.
        let path = self.connections.get(connection)?;
        let certificates: Vec<Certificate<'_>> = path.iter().filter_map(|der| read(der)).collect();
        let references: Vec<&Certificate<'_>> = certificates.iter().collect();
        let connection = connection.clone();
        match check_path(&references, check.crls, check.policy, now, check.verifier) {
            Ok(()) => None,
            Err(VerifyError::Revoked {
                depth,
                serial,
                reason,
            }) => Some(ConnectionEvent::Revoked {
                connection,
                depth,
                serial,
                reason,
            }),
            Err(error) => Some(ConnectionEvent::Alarm { connection, error }),
        }
    }
}

impl<C: Ord + Clone> Default for ConnectionIndex<C> {
    fn default() -> Self {
        Self::new()
    }
}

/// The names of the issuers in a path: of all its certificates but the anchor.
fn issuers(path: &[Arc<[u8]>]) -> BTreeSet<Vec<u8>> {
    let below = path.split_last().map_or(&[][..], |(_, below)| below);
    below
        .iter()
        .filter_map(|der| Some(read(der)?.issuer().der().to_vec()))
        .collect()
}

fn read(der: &[u8]) -> Option<Certificate<'_>> {
    // The limits were asked when the path was verified.
    let limits = crate::Limits {
        certificate: usize::MAX,
        subject_alt_names: usize::MAX,
        ..crate::Limits::default()
    };
    Certificate::parse_with(der, &limits).ok()
}
