//! Certificate authorities: self-signed, plugged in, and below others; what they issue, and how.

mod error;
mod hierarchy;
mod issue;
mod issued;
mod issuer;
mod path;
mod plugged;
mod policy;
mod template;
#[cfg(all(test, any(feature = "ring", feature = "soft", feature = "aws-lc")))]
mod tests;

use std::fmt;
use std::sync::Arc;

pub use self::error::CaError;
pub use self::hierarchy::{CaJob, CaProfile, IssuedCa, Renewal};
pub use self::issue::IssueJob;
pub use self::issued::{IssuanceRecord, IssueNote, IssuedSvid};
pub use self::plugged::{PluggedCa, PluggedCaError};
pub use self::policy::{IssuePolicy, LeafProfile, PolicyWarning, SelfCheck, TtlPolicy};

use self::issuer::{Issuer, roots_of};
pub(crate) use self::path::{PathFlaw, check_path, check_root, without_doubles};
use crate::{
    BundleSet, KeyId, SignatureAlgorithm, SignatureCache, SignatureVerifier, Signer, TrustBundle,
    TrustDomainSet, UnixTime, default_verifier,
};
#[cfg(any(feature = "ring", feature = "soft", feature = "aws-lc"))]
use crate::{Entropy, KeyPair, TrustDomain};

/// How many signatures of intermediates a self-check remembers.
const CACHED_SIGNATURES: usize = 16;

/// A certificate authority of one trust domain and its aliases: it turns a [`Grant`](crate::Grant) into an SVID.
///
/// It does no I/O and has no clock: the time and the randomness come in with each call. Cloning is cheap; to issue on many
/// threads, give each one a clone. Nothing is locked while a signer signs.
///
/// ```
/// use mesh_ca::{
///     Authority, Caller, CsrBuilder, CsrPolicy, InsecureSeededEntropy, KeyPair, SpiffeId, UnixTime, VerifyOptions,
/// };
///
/// let mut entropy = InsecureSeededEntropy::new(1); // production code passes the system's random device
/// let now = UnixTime::from_secs(1_800_000_000); // the embedder's clock
/// let mut ca = Authority::self_signed("cluster.local".parse()?, now, &mut entropy)?;
///
/// let id: SpiffeId = "spiffe://cluster.local/ns/shop/sa/reviews".parse()?;
/// let key = KeyPair::generate(&mut entropy)?;
/// let csr = CsrBuilder::new(&id).build(&key)?;
/// let grant = CsrPolicy::istio().check(csr.der())?.authorize(&Caller::from(&id))?;
/// let svid = ca.issue(&grant, now, &mut entropy)?;
///
/// let peer = ca.trust_bundle().verify(svid.chain(), &VerifyOptions::at(now))?;
/// assert_eq!(peer.spiffe_id(), &id);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Spec: ca.md C-SIGN-1..16, C-CA-1..7.
#[derive(Debug, Clone)]
pub struct Authority {
    issuer: Arc<Issuer>,
    key: AuthorityKey,
    bundles: BundleSet,
    roots: Arc<[Vec<u8>]>,
    policy: IssuePolicy,
    verifier: &'static dyn SignatureVerifier,
    cache: SignatureCache,
}

/// Where the private key of an authority is.
#[derive(Clone)]
enum AuthorityKey {
    Local(Arc<dyn Signer>),
    Remote {
        key_ref: String,
        algorithm: SignatureAlgorithm,
    },
}

impl AuthorityKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        match self {
            Self::Local(signer) => signer.algorithm(),
            Self::Remote { algorithm, .. } => *algorithm,
        }
    }
}

impl fmt::Debug for AuthorityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(signer) => write!(f, "Local({})", signer.algorithm()),
            Self::Remote { key_ref, algorithm } => write!(f, "Remote({key_ref}, {algorithm})"),
        }
    }
}

impl Authority {
    /// A new root of a trust domain with a new ECDSA P-256 key. The root is valid for ten years.
    ///
    /// # Errors
    /// When the source of randomness fails.
    ///
    /// Source: ca.md C-CA-1.
    #[cfg(any(feature = "ring", feature = "soft", feature = "aws-lc"))]
    pub fn self_signed(
        trust_domain: TrustDomain,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, CaError> {
        let key = KeyPair::generate(entropy).map_err(|error| match error {
            crate::KeyError::Entropy(error) => CaError::Entropy(error),
            other => CaError::Sign(crate::SignError::Failed(other.to_string())),
        })?;
        let profile = CaProfile::root(trust_domain);
        profile.self_sign(Arc::new(key), now, entropy)
    }

    /// `above`: from the issuer of the signing certificate to the root.
    fn new(
        certificate: &[u8],
        above: &[&[u8]],
        bundle: TrustBundle,
        key: AuthorityKey,
    ) -> Result<Self, CaError> {
        Ok(Self {
            issuer: Arc::new(Issuer::new(certificate, above)?),
            key,
            roots: roots_of(&bundle),
            bundles: BundleSet::new(bundle),
            policy: IssuePolicy::default(),
            verifier: default_verifier(),
            cache: SignatureCache::new(CACHED_SIGNATURES),
        })
    }

    /// With other rules.
    pub fn with_policy(mut self, policy: IssuePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// With aliases of the trust domain: it issues for them too.
    pub fn with_trust_domains(mut self, domains: &TrustDomainSet) -> Self {
        let own = self.bundles.local().trust_domain();
        let others: Vec<_> = domains.iter().filter(|domain| *domain != own).cloned().collect();
        // INVARIANT: an authority has no foreign bundles that an alias could collide with, so this succeeds.
        if let Ok(bundles) = self.bundles.clone().with_aliases(others) {
            self.bundles = bundles;
        }
        self
    }

    /// With another signature verifier than the default one.
    pub fn with_verifier(mut self, verifier: &'static dyn SignatureVerifier) -> Self {
        self.verifier = verifier;
        self
    }

    /// With more roots in the bundle that it hands out, such as those of an authority that was rotated out.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn with_roots<'r>(
        mut self,
        roots: impl IntoIterator<Item = &'r [u8]>,
    ) -> Result<Self, crate::BundleError> {
        let mut bundle = self.bundles.local().clone();
        for root in roots {
            bundle.insert_x509(root)?;
        }
        self.roots = roots_of(&bundle);
        // INVARIANT: it is the bundle of the local trust domain, which replaces the local one and keeps its aliases.
        let _ = self.bundles.insert(bundle);
        Ok(self)
    }

    /// The roots that verify what it issues.
    pub fn trust_bundle(&self) -> &TrustBundle {
        self.bundles.local()
    }

    /// The trust domain and its aliases.
    pub fn trust_domains(&self) -> &TrustDomainSet {
        self.bundles.names()
    }

    /// The rules.
    pub fn policy(&self) -> &IssuePolicy {
        &self.policy
    }

    /// The signing certificate in DER.
    pub fn certificate_der(&self) -> &[u8] {
        &self.issuer.certificate
    }

    /// What is served after a leaf: the signing certificate and the intermediates above it. Empty for a root.
    pub fn intermediates(&self) -> &[Arc<[u8]>] {
        &self.issuer.served
    }

    /// The key identifier that goes into what it signs.
    pub fn key_id(&self) -> &KeyId {
        &self.issuer.key_id
    }

    /// The public key: the DER of a SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.issuer.spki
    }

    /// When the first of its certificates expires, the root among them.
    pub fn not_after(&self) -> UnixTime {
        self.issuer.not_after
    }
}
