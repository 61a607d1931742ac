use serde::{Deserialize, Serialize};

use super::TrustBundle;

/// What became of a newer version of a bundle (C-BND-8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BundleUpdate {
    /// It was taken.
    Accepted,
    /// It was taken, although its content changed and its number did not: the publisher forgot to count.
    SequenceNotBumped,
    /// It has a lower number than the one that is held, and was not taken.
    Stale,
    /// It is the one that is held.
    Unchanged,
}

impl TrustBundle {
    /// Takes a newer version of this bundle, unless its sequence number says that it is an older one. Where one of them has
    /// no number, the newer one in time is taken.
    ///
    /// ```
    /// use mesh_ca::{BundleUpdate, TrustBundle};
    ///
    /// let version = |number| TrustBundle::new("td".parse().unwrap()).with_sequence(number);
    /// let mut held = version(Some(7));
    /// assert_eq!(held.update(version(Some(6))), BundleUpdate::Stale);
    /// assert_eq!(held.update(version(Some(7))), BundleUpdate::Unchanged);
    /// assert_eq!(held.update(version(Some(8))), BundleUpdate::Accepted);
    /// assert_eq!(held.update(version(None)), BundleUpdate::Accepted);
    /// assert_eq!(held.sequence(), None);
    /// ```
    ///
    /// Source: ca.md C-BND-8.
    pub fn update(&mut self, newer: Self) -> BundleUpdate {
        let outcome = match (self.sequence(), newer.sequence()) {
            _ if *self == newer => BundleUpdate::Unchanged,
            (Some(held), Some(new)) if new < held => BundleUpdate::Stale,
            (Some(held), Some(new)) if new == held => BundleUpdate::SequenceNotBumped,
            _ => BundleUpdate::Accepted,
        };
        match outcome {
            BundleUpdate::Accepted | BundleUpdate::SequenceNotBumped => *self = newer,
            BundleUpdate::Stale | BundleUpdate::Unchanged => {}
        }
        outcome
    }
}
