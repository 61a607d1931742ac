//! What a workload is answered, as plain data in the form of the Workload API (C-REG-10).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::status::{Status, StatusCode};
use crate::trust_domain::TrustDomain;

use super::entry::{EntryId, RegistrationEntry};

/// The SVID that an agent holds for an entry. Debug output leaves the key out.
#[derive(Clone)]
pub struct HeldSvid {
    /// The certificate and its intermediates, each in DER.
    pub chain: Vec<Arc<[u8]>>,
    /// The key as PKCS#8 in DER.
    pub key: crate::SecretBytes,
}

impl std::fmt::Debug for HeldSvid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldSvid")
            .field("certificates", &self.chain.len())
            .finish_non_exhaustive()
    }
}

/// One SVID of an answer.
#[derive(Debug, Clone)]
pub struct X509SvidView {
    /// The identity, as text.
    pub spiffe_id: String,
    /// The certificate and its intermediates in DER, one after the other.
    pub x509_svid: Vec<u8>,
    /// The key as PKCS#8 in DER.
    pub x509_svid_key: crate::SecretBytes,
    /// The authorities of the trust domain in DER, one after the other.
    pub bundle: Vec<u8>,
    /// Tells the identities of a workload apart.
    pub hint: String,
}

/// The whole state for a workload: what is not in it, the workload has no more.
#[derive(Debug, Clone, Default)]
pub struct X509View {
    /// Its SVIDs; the first one is the default.
    pub svids: Vec<X509SvidView>,
    /// Bundles of foreign trust domains, by their name, authorities in DER one after the other.
    pub federated_bundles: BTreeMap<String, Vec<u8>>,
    /// CRLs in DER.
    pub crl: Vec<Vec<u8>>,
}

impl X509View {
    /// The answer for a workload with these entries. Entries whose SVID is not held yet are left out; foreign bundles are
    /// those of the trust domains that its entries name.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` when the workload may have nothing, as the Workload API demands; `UNAVAILABLE` when none of its
    /// SVIDs is there yet.
    pub fn new(
        entries: &[&Arc<RegistrationEntry>],
        held: &BTreeMap<EntryId, HeldSvid>,
        bundle: &[Arc<[u8]>],
        federated: &BTreeMap<TrustDomain, Vec<Arc<[u8]>>>,
        crl: &[Vec<u8>],
    ) -> Result<Self, Status> {
        if entries.is_empty() {
            return Err(Status::new(StatusCode::PermissionDenied, "no identity issued"));
        }
        let mut view = Self {
            crl: crl.to_vec(),
            ..Self::default()
        };
        for entry in entries {
            let Some(svid) = held.get(&entry.id) else { continue };
            view.svids.push(X509SvidView {
                spiffe_id: entry.spiffe_id.to_string(),
                x509_svid: svid.chain.concat(),
                x509_svid_key: svid.key.clone(),
                bundle: bundle.concat(),
                hint: entry.hint.clone(),
            });
            for domain in &entry.federates_with {
                if let Some(authorities) = federated.get(domain) {
                    view.federated_bundles
                        .insert(domain.to_string(), authorities.concat());
                }
            }
        }
        if view.svids.is_empty() {
            return Err(Status::new(StatusCode::Unavailable, "no SVID yet"));
        }
        Ok(view)
    }
}
