//! The trust anchors that workloads are handed: merged from several sources (C-ROT-14).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::certificate::Certificate;
use crate::pem::{self, PemLabel};
use crate::time::UnixTime;

/// Where trust anchors come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AnchorSource {
    /// The authority of this control plane.
    IstioCa,
    /// The authority behind a registration authority.
    IstioRa,
    /// PEM in the mesh's configuration.
    MeshConfig,
    /// SPIFFE bundle endpoints of the own trust domain.
    SpiffeEndpoint,
}

/// Trust anchors of several sources. An update with a bad anchor is refused as a whole, and the source keeps what it had.
///
/// ```
/// use mesh_ca::rotation::{AnchorSet, AnchorSource};
///
/// let mut anchors = AnchorSet::default();
/// assert!(anchors.update(AnchorSource::MeshConfig, vec![vec![0x30, 0x00]]).is_err());
/// assert_eq!(anchors.to_pem(), "");
/// ```
///
/// Saved, it is a list of certificates in base64 for each source; a bad one among them is refused.
///
/// Source: Istio pkg/trustbundle `UpdateTrustAnchor`; ca.md C-ROT-14.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SavedAnchors", into = "SavedAnchors")]
pub struct AnchorSet {
    sources: BTreeMap<AnchorSource, BTreeSet<Vec<u8>>>,
}

type SavedAnchors = BTreeMap<AnchorSource, Vec<SavedAnchor>>;

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct SavedAnchor(#[serde(with = "crate::base64_serde")] Vec<u8>);

impl From<AnchorSet> for SavedAnchors {
    fn from(set: AnchorSet) -> Self {
        let saved = |anchors: BTreeSet<Vec<u8>>| anchors.into_iter().map(SavedAnchor).collect();
        let sources = set.sources.into_iter();
        sources
            .map(|(source, anchors)| (source, saved(anchors)))
            .collect()
    }
}

impl TryFrom<SavedAnchors> for AnchorSet {
    type Error = AnchorError;

    fn try_from(saved: SavedAnchors) -> Result<Self, AnchorError> {
        let mut set = Self::default();
        for (source, anchors) in saved {
            set.replace(source, anchors.into_iter().map(|anchor| anchor.0).collect())?;
        }
        Ok(set)
    }
}

impl AnchorSet {
    /// Replaces the anchors of a source, each in DER. `true` when the merged set is another one, and has to be pushed.
    ///
    /// # Errors
    /// When one of them cannot be read, or is no authority; nothing has changed then.
    pub fn update(&mut self, source: AnchorSource, anchors: Vec<Vec<u8>>) -> Result<bool, AnchorError> {
        let before = self.merged();
        self.replace(source, anchors)?;
        Ok(self.merged() != before)
    }

    fn replace(&mut self, source: AnchorSource, anchors: Vec<Vec<u8>>) -> Result<(), AnchorError> {
        for (place, anchor) in anchors.iter().enumerate() {
            let is_ca = Certificate::parse(anchor).is_ok_and(|anchor| {
                anchor
                    .basic_constraints()
                    .is_some_and(|constraints| constraints.ca)
            });
            if !is_ca {
                return Err(AnchorError { place });
            }
        }
        self.sources.insert(source, anchors.into_iter().collect());
        Ok(())
    }

    /// Removes anchors that ended more than 24 h ago, of every source but the own authority, whose rotation does that
    /// itself. `true` when the merged set is another one. It is never emptied (C-ROT-5).
    pub fn prune(&mut self, now: UnixTime) -> bool {
        let ended =
            |der: &[u8]| Certificate::parse(der).is_ok_and(|anchor| anchor.not_after() + AFTER_EXPIRY < now);
        let before = self.merged();
        if before.iter().all(|der| ended(der)) {
            return false;
        }
        for (source, anchors) in &mut self.sources {
            if *source != AnchorSource::IstioCa {
                anchors.retain(|der| !ended(der));
            }
        }
        self.merged() != before
    }

    /// Every anchor once, in DER.
    pub fn merged(&self) -> BTreeSet<Vec<u8>> {
        self.sources.values().flatten().cloned().collect()
    }

    /// Every anchor once in PEM, ordered by its text (C-PEM-5).
    pub fn to_pem(&self) -> String {
        let texts = self.sources.values().flatten();
        let texts: BTreeSet<String> = texts.map(|der| pem::encode(PemLabel::Certificate, der)).collect();
        texts.into_iter().collect()
    }
}

/// An anchor cannot be read, or is no authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnchorError {
    /// Its place in the update.
    pub place: usize,
}

impl fmt::Display for AnchorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "anchor {} is no certificate of an authority", self.place)
    }
}

impl std::error::Error for AnchorError {}

const AFTER_EXPIRY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authority, InsecureSeededEntropy};

    fn root(seed: u64) -> (Vec<u8>, UnixTime) {
        let mut entropy = InsecureSeededEntropy::new(seed);
        let now = UnixTime::from_secs(1_800_000_000);
        let authority = Authority::self_signed("example.org".parse().unwrap(), now, &mut entropy).unwrap();
        (authority.certificate_der().to_vec(), authority.not_after())
    }

    /// C-ROT-14: sources are merged, a bad anchor refuses its update, equal sets are no change; C-ROT-5: pruned late, and
    /// never to empty.
    #[test]
    fn sources_are_merged() {
        let ((one, end), (two, _)) = (root(1), root(2));
        let mut anchors = AnchorSet::default();
        assert_eq!(anchors.update(AnchorSource::IstioCa, vec![one.clone()]), Ok(true));
        assert_eq!(
            anchors.update(AnchorSource::MeshConfig, vec![one.clone()]),
            Ok(false)
        );
        assert_eq!(
            anchors.update(AnchorSource::MeshConfig, vec![two.clone(), one.clone()]),
            Ok(true)
        );
        let bad = anchors.update(AnchorSource::MeshConfig, vec![one.clone(), vec![1, 2]]);
        assert_eq!(bad, Err(AnchorError { place: 1 }));
        assert_eq!(anchors.merged(), BTreeSet::from([one.clone(), two]));
        assert_eq!(anchors.to_pem().matches("BEGIN CERTIFICATE").count(), 2);
        assert!(!anchors.prune(end + AFTER_EXPIRY), "all have ended: none leaves");
        assert_eq!(anchors.merged().len(), 2);
    }
}
