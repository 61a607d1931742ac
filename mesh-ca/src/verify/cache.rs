//! A bounded memory of signature checks.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::certificate::Certificate;
use crate::{PublicKeyInfo, SignatureError, SignatureVerifier};

/// Remembers which intermediate certificates are signed with which key, so that verifying many peers checks the signature
/// of their common intermediates once. The caller owns it.
///
/// It holds nothing else: validity, constraints, revocation and the choice of the bundle are looked at every time. Only
/// checks that succeeded are kept, the most recently used ones.
///
/// ```
/// use mesh_ca::SignatureCache;
///
/// let cache = SignatureCache::new(100);
/// assert!(cache.is_empty());
/// ```
///
/// Source: ca.md C-PERF-2.
#[derive(Debug, Clone)]
pub struct SignatureCache {
    capacity: usize,
    /// SHA-256 over key and certificate, and when it was used last.
    entries: BTreeMap<[u8; 32], u64>,
    /// The same by time of use.
    by_use: BTreeMap<u64, [u8; 32]>,
    uses: u64,
}

impl SignatureCache {
    /// A cache of at most so many checks; about 100 bytes each. With 0 it remembers nothing.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            entries: BTreeMap::new(),
            by_use: BTreeMap::new(),
            uses: 0,
        }
    }

    /// How many checks are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Checks a signature, or remembers that it was checked.
    pub(super) fn verify(
        &mut self,
        certificate: &Certificate<'_>,
        issuer_key: &PublicKeyInfo<'_>,
        verifier: &dyn SignatureVerifier,
    ) -> Result<(), SignatureError> {
        // The key is self-delimiting DER, so the two cannot be confused.
        let mut digest = Sha256::new();
        digest.update(issuer_key.der());
        digest.update(certificate.der());
        let key: [u8; 32] = digest.finalize().into();
        let is_known = self.entries.contains_key(&key);
        if !is_known {
            certificate.verify_signature(issuer_key, verifier)?;
        }
        self.touch(key);
        Ok(())
    }

    fn touch(&mut self, key: [u8; 32]) {
        if self.capacity == 0 {
            return;
        }
        self.uses = self.uses.saturating_add(1);
        if let Some(before) = self.entries.insert(key, self.uses) {
            self.by_use.remove(&before);
        }
        self.by_use.insert(self.uses, key);
        while self.entries.len() > self.capacity {
            let Some((_, oldest)) = self.by_use.pop_first() else {
                break;
            };
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C-PERF-2: bounded, and the entry that was not used for longest goes first.
    #[test]
    fn it_is_bounded() {
        let mut cache = SignatureCache::new(2);
        for byte in [1, 2, 1, 3] {
            cache.touch([byte; 32]);
        }
        assert_eq!(cache.entries.keys().map(|key| key[0]).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(cache.by_use.len(), 2);
        let mut none = SignatureCache::new(0);
        none.touch([1; 32]);
        assert!(none.is_empty());
    }
}
