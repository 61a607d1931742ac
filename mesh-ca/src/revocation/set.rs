//! The CRLs that a verification asks.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::crl::{Crl, CrlError, CrlNumber};
use crate::certificate::Certificate;
use crate::pem;
use crate::{KeyId, Limits, SignatureVerifier};

/// The CRLs that are in force, of any number of issuers.
///
/// They are replaced all at once or not at all, and never by older ones: the set remembers the highest number of each
/// issuer. An empty set means that nothing is known about revocation.
///
/// ```
/// use mesh_ca::{Crl, CrlSet, Limits};
///
/// const CRL: &[u8] = include_bytes!("../../tests/data/crl.pem");
/// let mut set = CrlSet::new();
/// set.update_from_pem(CRL, &Limits::default())?;
/// assert_eq!(set.crls().len(), 1);
/// assert!(set.update_from_pem(b"-----BEGIN X509 CRL-----", &Limits::default()).is_err());
/// assert_eq!(set.crls().len(), 1, "a bad update changes nothing");
/// # Ok::<(), mesh_ca::CrlError>(())
/// ```
///
/// Saved, it keeps these numbers, so that a restart lets no older CRL in. Who signed the CRLs is not saved: call
/// [`authenticate`](Self::authenticate) again.
///
/// Source: ca.md C-CRL-8, C-CRL-11.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SavedCrls", into = "SavedCrls")]
pub struct CrlSet {
    // INVARIANT: sorted by issuer, then the highest number first, then the latest.
    crls: Vec<Crl>,
    accepted: BTreeMap<Issuer, CrlNumber>,
}

/// An issuer of CRLs: its name, and its key identifier where it is given.
type Issuer = (Vec<u8>, Option<KeyId>);

/// What an update changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrlChange {
    /// The names of the issuers, in DER, whose CRLs differ from those before.
    pub issuers: BTreeSet<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedCrls {
    crls: Vec<Crl>,
    accepted: Vec<SavedNumber>,
}

/// The highest number of an issuer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedNumber {
    #[serde(with = "crate::base64_serde")]
    issuer: Vec<u8>,
    key_id: Option<KeyId>,
    number: CrlNumber,
}

impl From<CrlSet> for SavedCrls {
    fn from(set: CrlSet) -> Self {
        let numbers = set.accepted.into_iter();
        let accepted = numbers.map(|((issuer, key_id), number)| SavedNumber {
            issuer,
            key_id,
            number,
        });
        Self {
            crls: set.crls,
            accepted: accepted.collect(),
        }
    }
}

impl TryFrom<SavedCrls> for CrlSet {
    type Error = CrlError;

    fn try_from(saved: SavedCrls) -> Result<Self, CrlError> {
        let numbers = saved.accepted.into_iter();
        let mut set = Self {
            crls: Vec::new(),
            accepted: numbers
                .map(|saved| ((saved.issuer, saved.key_id), saved.number))
                .collect(),
        };
        set.update(saved.crls)?;
        Ok(set)
    }
}

impl CrlSet {
    /// Without CRLs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces all CRLs by those of a PEM text. A text without any means "no revocations".
    ///
    /// # Errors
    /// When a CRL cannot be used, or is older than one that was accepted before; the set stays as it was then.
    pub fn update_from_pem(&mut self, text: &[u8], limits: &Limits) -> Result<CrlChange, CrlError> {
        let text_limits = Limits {
            // Base64 and line ends of a CRL of the largest size.
            pem_bundle: limits.crl.saturating_mul(2),
            ..limits.clone()
        };
        let crls: Result<Vec<Crl>, CrlError> = pem::parse_crls(text, &text_limits)?
            .iter()
            .map(|der| Crl::parse(der, limits))
            .collect();
        self.update(crls?)
    }

    /// Replaces all CRLs.
    ///
    /// # Errors
    /// [`CrlError::Rollback`] when the highest number of an issuer is lower than one that was accepted before; the set
    /// stays as it was then.
    pub fn update(&mut self, crls: impl IntoIterator<Item = Crl>) -> Result<CrlChange, CrlError> {
        let mut crls: Vec<Crl> = crls.into_iter().collect();
        crls.sort_by(|a, b| {
            a.issuer()
                .cmp(b.issuer())
                .then(b.number().cmp(&a.number()))
                .then(b.this_update().cmp(&a.this_update()))
                .then(a.der().cmp(b.der()))
        });
        crls.dedup();
        let mut highest: BTreeMap<Issuer, CrlNumber> = BTreeMap::new();
        for crl in &crls {
            let number = highest.entry(issuer(crl)).or_insert(crl.number());
            *number = crl.number().max(*number);
        }
        for (issuer, number) in &highest {
            if let Some(accepted) = self.accepted.get(issuer)
                && number < accepted
            {
                return Err(CrlError::Rollback {
                    number: *number,
                    accepted: *accepted,
                });
            }
        }
        let change = self.change(&crls);
        self.accepted.extend(highest);
        self.crls = crls;
        Ok(change)
    }

    /// Finds the signers of the CRLs among these certificates, and remembers them: the check of a peer need not hash whole
    /// CRLs then. How many CRLs have a signer now.
    pub fn authenticate(&mut self, issuers: &[Certificate<'_>], verifier: &dyn SignatureVerifier) -> usize {
        self.crls
            .iter_mut()
            .filter_map(|crl| {
                issuers
                    .iter()
                    .find_map(|issuer| crl.authenticate(issuer, verifier).ok())
            })
            .count()
    }

    /// The CRLs, sorted by issuer, the highest number first.
    pub fn crls(&self) -> &[Crl] {
        &self.crls
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.crls.is_empty()
    }

    /// Those of an issuer, by the DER of its name; the newest first.
    pub(super) fn of_issuer(&self, issuer: &[u8]) -> impl Iterator<Item = &Crl> {
        let start = self.crls.partition_point(|crl| crl.issuer() < issuer);
        self.crls
            .iter()
            .skip(start)
            .take_while(move |crl| crl.issuer() == issuer)
    }

    /// The issuers whose CRLs are not the same as before.
    fn change(&self, newer: &[Crl]) -> CrlChange {
        fn by_issuer(crls: &[Crl]) -> BTreeMap<&[u8], Vec<&[u8]>> {
            let mut map: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
            for crl in crls {
                map.entry(crl.issuer()).or_default().push(crl.der());
            }
            map
        }
        let (before, after) = (by_issuer(&self.crls), by_issuer(newer));
        let names: BTreeSet<&[u8]> = before.keys().chain(after.keys()).copied().collect();
        let differs = |name: &&[u8]| before.get(name) != after.get(name);
        CrlChange {
            issuers: names.into_iter().filter(differs).map(<[u8]>::to_vec).collect(),
        }
    }
}

fn issuer(crl: &Crl) -> Issuer {
    (crl.issuer().to_vec(), crl.authority_key_id().cloned())
}
