//! Whether what the CA sent is what was asked for (C-WR-7).

use crate::KeyId;
use crate::bundle::TrustBundle;
use crate::certificate::Certificate;
use crate::limits::Limits;
use crate::pem::{self, PemLabel};
use crate::revocation::{CrlSet, ExpiredCrl, RevocationPolicy, UnknownStatus};
use crate::rotation::SvidFacts;
use crate::spiffe_id::SpiffeId;
use crate::time::UnixTime;
use crate::verify::VerifyOptions;

/// An answer of the CA that passed.
pub(super) struct Answer {
    /// The leaf and its intermediates in PEM.
    pub(super) chain: String,
    /// The authorities in DER.
    pub(super) roots: Vec<Vec<u8>>,
    pub(super) facts: SvidFacts,
}

/// What an answer is held against.
pub(super) struct Expected<'a> {
    pub(super) id: &'a SpiffeId,
    /// The public key of the pending request.
    pub(super) public_key: &'a [u8],
    /// Authorities of the configuration, in DER.
    pub(super) configured: &'a [Vec<u8>],
    pub(super) trust_returned_roots: bool,
    pub(super) crls: &'a CrlSet,
}

/// Splits an answer by position (leaf, intermediates, authorities; C-SIGN-15), and checks it: the key is the pending one,
/// the identity is the only URI, the chain verifies, and no CRL names it.
pub(super) fn check(elements: &[String], expected: &Expected<'_>, now: UnixTime) -> Result<Answer, String> {
    let Expected {
        id,
        public_key,
        configured,
        trust_returned_roots,
        crls,
    } = *expected;
    let limits = Limits::default();
    let (last, chain) = elements.split_last().ok_or("the answer is empty")?;
    if chain.is_empty() {
        return Err("the answer has no authorities".to_owned());
    }
    let mut certificates = Vec::new();
    for element in chain {
        let parsed = pem::parse_chain(element.as_bytes(), &limits).map_err(|error| error.to_string())?;
        certificates.extend(parsed);
    }
    let mut roots = pem::parse_chain(last.as_bytes(), &limits).map_err(|error| error.to_string())?;
    if !trust_returned_roots {
        roots.retain(|root| configured.contains(root));
    }
    let leaf = certificates.first().ok_or("the answer has no certificate")?;
    let leaf = Certificate::parse(leaf).map_err(|error| error.to_string())?;
    if leaf.public_key_der() != public_key {
        return Err("the certificate is for another key".to_owned());
    }
    let mut uris = leaf.uris();
    if uris.next() != Some(id.as_str().as_bytes()) || uris.next().is_some() {
        return Err("the certificate is for another identity".to_owned());
    }
    let mut bundle = TrustBundle::new(id.trust_domain().to_owned());
    for root in &roots {
        bundle.insert_x509(root).map_err(|error| error.to_string())?;
    }
    for root in configured {
        // One that cannot be used vouches for nothing; it is no fault of the answer.
        let _ = bundle.insert_x509(root);
    }
    // Only a definite "revoked" counts: a CRL that is late must not keep a workload from its certificate.
    let policy = RevocationPolicy {
        unknown: UnknownStatus::Allow,
        expired_crl: ExpiredCrl::Use,
        ..RevocationPolicy::default()
    };
    bundle
        .verify(&certificates, &VerifyOptions::at(now).with_crls(crls, policy))
        .map_err(|error| error.to_string())?;
    let facts = SvidFacts {
        not_before: leaf.not_before(),
        not_after: leaf.not_after(),
        issuer: leaf.authority_key_id().map(KeyId::from),
    };
    let chain = certificates
        .iter()
        .map(|der| pem::encode(PemLabel::Certificate, der))
        .collect();
    Ok(Answer { chain, roots, facts })
}

/// Authorities in PEM, without duplicates, in the order of their text (C-SDS-8).
pub(super) fn merged_roots<'a>(roots: impl IntoIterator<Item = &'a [u8]>) -> String {
    let texts: std::collections::BTreeSet<String> = roots
        .into_iter()
        .map(|der| pem::encode(PemLabel::Certificate, der))
        .collect();
    texts.into_iter().collect()
}
