//! Trust bundles: what certificates of a trust domain are verified with.

mod diff;
#[cfg(feature = "jwt")]
mod document;
mod roots;
mod saved;
mod set;
#[cfg(feature = "jwt")]
mod update;

use std::sync::Arc;
use std::time::Duration;

pub use self::diff::{BundleDiff, LostTrust, SequenceChange};
#[cfg(feature = "jwt")]
pub use self::document::{
    BundleDocument, BundleDocumentError, BundleNote, BundleNoteKind, DocumentMode, bundle_map_from_json,
    bundle_map_to_json,
};
pub use self::roots::{LenientRoots, RootError, RootErrorKind};
pub use self::set::BundleSet;
#[cfg(feature = "jwt")]
pub use self::update::BundleUpdate;
use serde::{Deserialize, Serialize};

use crate::certificate::Certificate;
#[cfg(feature = "jwt")]
use crate::jwt::JwtBundle;
use crate::pem::{self, PemError, PemLabel};
use crate::{CertificateError, Limits, PublicKeyError, TrustDomain};

/// The authorities of one trust domain.
///
/// X.509 authorities keep the order in which they came, and none is there twice. The trust domain is given by the caller:
/// nothing in a certificate decides it.
///
/// ```
/// use mesh_ca::{Limits, TrustBundle};
///
/// const ROOT: &[u8] = include_bytes!("../../tests/data/root.pem");
/// let mut bundle = TrustBundle::from_pem("example.org".parse()?, ROOT, &Limits::default())?;
/// assert_eq!(bundle.x509_authorities().len(), 1);
/// let root = bundle.x509_authorities()[0].clone();
/// assert!(!bundle.insert_x509(root.der())?, "it is there already");
/// assert!(bundle.remove_x509(root.der()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: SPIFFE Trust Domain and Bundle standard; ca.md C-BND-1.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "saved::SavedBundle", into = "saved::SavedBundle")]
pub struct TrustBundle {
    trust_domain: TrustDomain,
    x509: Vec<X509Authority>,
    // INVARIANT: a permutation of the indices of `x509`, sorted by subject and then DER.
    by_subject: Vec<usize>,
    #[cfg(feature = "jwt")]
    jwt: JwtBundle,
    // Kept for whoever writes the bundle again, in the order in which they came.
    #[cfg(feature = "jwt")]
    wit: Vec<WitKey>,
    sequence: Option<u64>,
    // INVARIANT: whole seconds, and not zero.
    refresh_hint: Option<Duration>,
}

/// A key of another kind of token, which is carried along and never used (C-BND-12).
#[cfg(feature = "jwt")]
#[derive(Debug, Clone, PartialEq)]
struct WitKey(crate::json::Json<'static>);

impl TrustBundle {
    /// How often a bundle is asked for whose publisher does not say it: every five minutes.
    pub const DEFAULT_REFRESH_HINT: Duration = Duration::from_secs(300);

    /// A bundle without authorities: nobody of the trust domain is trusted.
    pub fn new(trust_domain: TrustDomain) -> Self {
        Self {
            trust_domain,
            x509: Vec::new(),
            by_subject: Vec::new(),
            #[cfg(feature = "jwt")]
            jwt: JwtBundle::new(),
            #[cfg(feature = "jwt")]
            wit: Vec::new(),
            sequence: None,
            refresh_hint: None,
        }
    }

    /// With a sequence number, which grows with each change of the content; `None` for none.
    pub fn with_sequence(mut self, sequence: Option<u64>) -> Self {
        self.sequence = sequence;
        self
    }

    /// With a hint how often to ask for the bundle, in whole seconds; `None` and zero leave it to the consumer.
    pub fn with_refresh_hint(mut self, hint: Option<Duration>) -> Self {
        self.refresh_hint = hint
            .map(|hint| Duration::from_secs(hint.as_secs()))
            .filter(|hint| !hint.is_zero());
        self
    }

    /// With other keys for tokens.
    #[cfg(feature = "jwt")]
    pub fn with_jwt(mut self, jwt: JwtBundle) -> Self {
        self.jwt = jwt;
        self
    }

    /// The certificates of a PEM text.
    ///
    /// # Errors
    /// When the text is no PEM, holds anything but certificates, or a certificate cannot be used. To take what is good from
    /// a text that is not, use [`from_pem_lenient`](Self::from_pem_lenient).
    ///
    /// Source: ca.md C-BND-10.
    pub fn from_pem(trust_domain: TrustDomain, text: &[u8], limits: &Limits) -> Result<Self, BundleError> {
        let mut bundle = Self::new(trust_domain);
        for der in pem::parse_chain(text, limits)? {
            bundle.insert_x509_with(&der, limits)?;
        }
        Ok(bundle)
    }

    /// The authorities as PEM, in their order.
    ///
    /// Source: ca.md C-BND-10, C-PEM-5. No headers and no text between blocks, as `ClusterTrustBundle` of Kubernetes
    /// wants it.
    pub fn to_pem(&self) -> String {
        self.x509
            .iter()
            .map(|authority| pem::encode(PemLabel::Certificate, authority.der()))
            .collect()
    }

    /// Whose authorities they are.
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// The sequence number, if the bundle has one.
    pub fn sequence(&self) -> Option<u64> {
        self.sequence
    }

    /// How often to ask for the bundle; five minutes where it does not say.
    pub fn refresh_hint(&self) -> Duration {
        self.refresh_hint.unwrap_or(Self::DEFAULT_REFRESH_HINT)
    }

    /// The keys of the trust domain's tokens.
    #[cfg(feature = "jwt")]
    pub fn jwt(&self) -> &JwtBundle {
        &self.jwt
    }

    /// The keys of the trust domain's tokens, to be changed.
    #[cfg(feature = "jwt")]
    pub fn jwt_mut(&mut self) -> &mut JwtBundle {
        &mut self.jwt
    }

    /// The X.509 authorities, in the order in which they came.
    pub fn x509_authorities(&self) -> &[X509Authority] {
        &self.x509
    }

    /// Adds an authority from its DER. `false` if it is there already.
    ///
    /// That it is a certificate authority, and valid now, is asked when a path ends at it.
    ///
    /// # Errors
    /// When the certificate cannot be read, or its key is too weak or not supported.
    pub fn insert_x509(&mut self, der: &[u8]) -> Result<bool, BundleError> {
        self.insert_x509_with(der, &Limits::default())
    }

    fn insert_x509_with(&mut self, der: &[u8], limits: &Limits) -> Result<bool, BundleError> {
        Ok(self.insert(X509Authority::parse(der, limits)?))
    }

    fn insert(&mut self, authority: X509Authority) -> bool {
        let place = self
            .by_subject
            .binary_search_by(|index| self.order(*index).cmp(&authority.order()));
        match place {
            Ok(_) => false,
            Err(place) => {
                self.by_subject.insert(place, self.x509.len());
                self.x509.push(authority);
                true
            }
        }
    }

    /// Takes an authority out. `false` if it is not there.
    pub fn remove_x509(&mut self, der: &[u8]) -> bool {
        let before = self.x509.len();
        self.x509.retain(|authority| authority.der() != der);
        self.sort();
        self.x509.len() < before
    }

    /// The authorities of both, without duplicates, ordered by the text of their PEM: whichever is merged into whichever,
    /// the result is the same.
    ///
    /// Source: ca.md C-PEM-5, P7.
    pub fn merge(&mut self, other: &Self) {
        for authority in &other.x509 {
            self.insert(authority.clone());
        }
        self.x509
            .sort_by_cached_key(|authority| pem::encode(PemLabel::Certificate, authority.der()));
        self.sort();
    }

    /// Whether an authority is there.
    pub fn contains_x509(&self, der: &[u8]) -> bool {
        Certificate::parse(der).is_ok_and(|certificate| {
            self.with_subject(certificate.subject().der())
                .any(|authority| authority.der() == der)
        })
    }

    /// The authorities with this subject.
    pub(crate) fn with_subject(&self, subject: &[u8]) -> impl Iterator<Item = &X509Authority> {
        let start = self
            .by_subject
            .partition_point(|index| self.order(*index).0 < subject);
        self.by_subject
            .iter()
            .skip(start)
            .filter_map(|index| self.x509.get(*index))
            .take_while(move |authority| *authority.subject == *subject)
    }

    /// Whether an authority has this subject and key.
    pub(crate) fn holds_key(&self, subject: &[u8], public_key: &[u8]) -> bool {
        self.with_subject(subject)
            .any(|authority| *authority.public_key == *public_key)
    }

    fn order(&self, index: usize) -> (&[u8], &[u8]) {
        self.x509.get(index).map_or((&[], &[]), X509Authority::order)
    }

    fn sort(&mut self) {
        let mut by_subject: Vec<usize> = (0..self.x509.len()).collect();
        by_subject.sort_by(|a, b| self.order(*a).cmp(&self.order(*b)));
        self.by_subject = by_subject;
    }
}

impl PartialEq for TrustBundle {
    fn eq(&self, other: &Self) -> bool {
        #[cfg(feature = "jwt")]
        let same_tokens = (&self.jwt, &self.wit) == (&other.jwt, &other.wit);
        #[cfg(not(feature = "jwt"))]
        let same_tokens = true;
        let facts = |bundle: &Self| (bundle.sequence, bundle.refresh_hint);
        (&self.trust_domain, &self.x509, facts(self)) == (&other.trust_domain, &other.x509, facts(other))
            && same_tokens
    }
}

impl Eq for TrustBundle {}

/// A certificate that paths may end at. Cloning is cheap (the bytes are shared).
#[derive(Debug, Clone)]
pub struct X509Authority {
    der: Arc<[u8]>,
    subject: Arc<[u8]>,
    public_key: Arc<[u8]>,
}

impl X509Authority {
    fn parse(der: &[u8], limits: &Limits) -> Result<Self, BundleError> {
        let certificate = Certificate::parse_with(der, limits)?;
        certificate.public_key()?;
        Ok(Self {
            der: Arc::from(der),
            subject: Arc::from(certificate.subject().der()),
            public_key: Arc::from(certificate.public_key_der()),
        })
    }

    /// The certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate, read.
    ///
    /// # Errors
    /// None in practice: what is in a bundle was read before.
    pub fn certificate(&self) -> Result<Certificate<'_>, CertificateError> {
        Certificate::parse_checked(&self.der)
    }

    fn order(&self) -> (&[u8], &[u8]) {
        (&self.subject, &self.der)
    }
}

impl PartialEq for X509Authority {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for X509Authority {}

/// Why something is no trust bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The text is no PEM of certificates.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The key of a certificate is too weak or not supported.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
}

impl BundleError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Certificate(error) => error.code(),
            Self::Pem(error) => error.kind().code(),
            Self::PublicKey(error) => error.code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificates() -> Vec<Vec<u8>> {
        let chain = include_bytes!("../../tests/data/chain.pem");
        let mut all = pem::parse_chain(chain, &Limits::default()).unwrap();
        let root = include_bytes!("../../tests/data/root.pem");
        all.extend(pem::parse_chain(root, &Limits::default()).unwrap());
        all
    }

    fn bundle(certificates: &[Vec<u8>]) -> TrustBundle {
        let mut bundle = TrustBundle::new("td".parse().unwrap());
        for der in certificates {
            assert!(bundle.insert_x509(der).unwrap());
        }
        bundle
    }

    /// C-BND-1: a set by DER that keeps its order.
    #[test]
    fn an_ordered_set() {
        let all = certificates();
        let mut bundle = bundle(&all);
        for der in &all {
            assert!(!bundle.insert_x509(der).unwrap());
            assert!(bundle.contains_x509(der));
            let certificate = Certificate::parse(der).unwrap();
            let found: Vec<_> = bundle.with_subject(certificate.subject().der()).collect();
            assert_eq!(found.len(), 1);
            assert!(bundle.holds_key(certificate.subject().der(), certificate.public_key_der()));
        }
        let order: Vec<_> = bundle
            .x509_authorities()
            .iter()
            .map(|authority| authority.der().to_vec())
            .collect();
        assert_eq!(order, all);
        assert!(bundle.remove_x509(&all[1]) && !bundle.remove_x509(&all[1]));
        assert!(!bundle.contains_x509(&all[1]) && bundle.contains_x509(&all[2]));
        let text = bundle.to_pem();
        let read = TrustBundle::from_pem("td".parse().unwrap(), text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(read, bundle);
    }

    /// P7: merging is commutative, associative and idempotent; C-BND-11: and a difference says what it did.
    #[test]
    fn merging() {
        let all = certificates();
        let parts = [&all[..2], &all[1..], &all[..1]].map(bundle);
        let merged = |order: &[usize]| {
            let mut result = parts[order[0]].clone();
            for index in order {
                result.merge(&parts[*index]);
            }
            result
        };
        let expected = merged(&[0, 1, 2]);
        for order in [&[0, 2, 1][..], &[1, 0, 2], &[2, 1, 0], &[1, 0], &[0, 1, 0, 1]] {
            assert_eq!(merged(order), expected);
        }
        assert_eq!(expected.x509_authorities().len(), 3);
        let diff = parts[0].diff(&parts[1]);
        assert_eq!(diff.added[0].der(), all[2]);
        assert_eq!(diff.removed[0].der(), all[0]);
        assert!(parts[0].diff(&parts[0].clone()).is_empty());
    }
}
