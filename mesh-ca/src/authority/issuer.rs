//! The certificates of an authority, taken apart once.

use std::sync::Arc;

use crate::{
    CaError, Certificate, KeyAlgorithm, KeyId, PublicKeyInfo, SignatureAlgorithm, TrustBundle, UnixTime,
};

/// What of an authority's certificates goes into each certificate that it signs.
#[derive(Debug)]
pub(crate) struct Issuer {
    /// The signing certificate in DER.
    pub(crate) certificate: Vec<u8>,
    /// What is served after a leaf: the signing certificate and the intermediates above it, without the root.
    pub(crate) served: Vec<Arc<[u8]>>,
    /// The subject, byte by byte.
    pub(crate) subject: Vec<u8>,
    pub(crate) spki: Arc<[u8]>,
    pub(crate) key_algorithm: KeyAlgorithm,
    /// The subjectKeyIdentifier, whatever method made it (C-KEY-9).
    pub(crate) key_id: KeyId,
    /// When the last certificate of the path becomes valid.
    pub(crate) not_before: UnixTime,
    /// When the first certificate of the path expires, the root's among them (C-SIGN-4).
    pub(crate) not_after: UnixTime,
    /// How many authorities may follow below; nothing for any number.
    pub(crate) path_len: Option<u64>,
}

impl Issuer {
    /// `above` are the certificates from the signing one's issuer to the root, which is last; it is empty if the signing
    /// certificate is the root.
    pub(crate) fn new(certificate: &[u8], above: &[&[u8]]) -> Result<Self, CaError> {
        let signing = Certificate::parse(certificate)?;
        let key = signing.public_key()?;
        let key_id = signing.subject_key_id().map_or_else(|| key.key_id(), KeyId::new);
        let mut issuer = Self {
            certificate: certificate.to_vec(),
            served: Vec::new(),
            subject: signing.subject().der().to_vec(),
            spki: Arc::from(key.der()),
            key_algorithm: key.algorithm(),
            key_id,
            not_before: signing.not_before(),
            not_after: signing.not_after(),
            path_len: signing
                .basic_constraints()
                .and_then(|constraints| constraints.path_len),
        };
        if let Some((_root, intermediates)) = above.split_last() {
            issuer.served.push(Arc::from(certificate));
            issuer
                .served
                .extend(intermediates.iter().map(|der| Arc::from(*der)));
        }
        for (below, der) in (1_u64..).zip(above) {
            let certificate = Certificate::parse(der)?;
            issuer.not_before = issuer.not_before.max(certificate.not_before());
            issuer.not_after = issuer.not_after.min(certificate.not_after());
            let room = certificate
                .basic_constraints()
                .and_then(|constraints| constraints.path_len);
            if let Some(room) = room {
                let left = room.saturating_sub(below);
                issuer.path_len = Some(issuer.path_len.map_or(left, |path_len| path_len.min(left)));
            }
        }
        Ok(issuer)
    }

    pub(crate) fn public_key(&self) -> Result<PublicKeyInfo<'_>, CaError> {
        Ok(PublicKeyInfo::parse(&self.spki)?)
    }

    pub(crate) fn is_root(&self) -> bool {
        self.served.is_empty()
    }

    /// C-SIGN-5.
    pub(crate) fn check_valid(&self, now: UnixTime) -> Result<(), CaError> {
        if self.not_before <= now.floor_to_secs() && now.floor_to_secs() <= self.not_after {
            return Ok(());
        }
        Err(CaError::IssuerExpired {
            now,
            not_before: self.not_before,
            not_after: self.not_after,
        })
    }

    /// C-SIGN-14: a hash that is weaker than the curve would make the certificates weaker than their issuer.
    pub(crate) fn check_algorithm(&self, algorithm: SignatureAlgorithm) -> Result<(), CaError> {
        let key = self.key_algorithm;
        let usual = SignatureAlgorithm::of_key(key);
        if algorithm.fits(key) && strength(algorithm) >= strength(usual) {
            return Ok(());
        }
        Err(CaError::WeakHash {
            algorithm,
            key_id: self.key_id.clone(),
        })
    }
}

/// The bits of the hash.
fn strength(algorithm: SignatureAlgorithm) -> u16 {
    match algorithm {
        SignatureAlgorithm::EcdsaSha256
        | SignatureAlgorithm::RsaPkcs1Sha256
        | SignatureAlgorithm::RsaPssSha256 => 256,
        SignatureAlgorithm::EcdsaSha384
        | SignatureAlgorithm::RsaPkcs1Sha384
        | SignatureAlgorithm::RsaPssSha384 => 384,
        SignatureAlgorithm::Ed25519
        | SignatureAlgorithm::RsaPkcs1Sha512
        | SignatureAlgorithm::RsaPssSha512 => 512,
    }
}

/// The roots of a bundle in their order.
pub(crate) fn roots_of(bundle: &TrustBundle) -> Arc<[Vec<u8>]> {
    bundle
        .x509_authorities()
        .iter()
        .map(|authority| authority.der().to_vec())
        .collect()
}
