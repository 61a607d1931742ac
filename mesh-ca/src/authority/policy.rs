//! For how long, and in which shape, SVIDs are issued.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Limits;

/// How leaves look where the standards leave room.
///
/// Source: ca.md C-SIGN-7, C-SIGN-8.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LeafProfile {
    /// As istiod issues them: keyUsage always has keyEncipherment, and subjectAltName is always critical.
    IstioCompat,
    /// As RFC 5280 and the X509-SVID standard recommend: keyEncipherment for RSA alone, subjectAltName critical where the
    /// subject is empty. The default.
    #[default]
    Rfc,
}

/// What becomes of a request for a longer life than [`IssuePolicy::max_ttl`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TtlPolicy {
    /// The longest allowed life is issued, and the result says so.
    Clamp,
    /// It is refused, as in Istio. The default.
    #[default]
    Refuse,
}

/// Whether a certificate is verified before it leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SelfCheck {
    /// The signature, the content, and the whole path with the authority's own roots. The default.
    #[default]
    Full,
    /// Only the content is read again. For signers in this process that are known to work; a faulty signer then goes
    /// unnoticed.
    ContentOnly,
}

/// The rules of issuing.
///
/// ```
/// use std::time::Duration;
/// use mesh_ca::{IssuePolicy, TtlPolicy};
///
/// let policy = IssuePolicy {
///     default_ttl: Duration::from_secs(3600),
///     ttl_policy: TtlPolicy::Clamp,
///     ..IssuePolicy::default()
/// };
/// assert_eq!(policy.warnings(Duration::from_secs(120)), []);
/// assert_eq!(policy.warnings(Duration::from_secs(121)).len(), 1);
/// ```
///
/// Source: ca.md C-SIGN-3, C-SIGN-4, C-SIGN-5, C-SIGN-7, C-SIGN-8, C-SIGN-11.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IssuePolicy {
    /// The life of an SVID for which none is asked for. Default 24 h.
    pub default_ttl: Duration,
    /// The longest life that can be asked for. Default 90 days.
    pub max_ttl: Duration,
    /// The shortest life that is issued. Default 60 s.
    pub min_ttl: Duration,
    /// What happens above `max_ttl`. Default: refused.
    pub ttl_policy: TtlPolicy,
    /// How far notBefore lies in the past, for verifiers whose clock is behind. Default 120 s, as in Istio.
    pub backdate: Duration,
    /// The shape of leaves.
    pub profile: LeafProfile,
    /// Whether a common name is given to requests that have one: the id, if it has at most 64 bytes. Default no.
    pub dual_use: bool,
    /// Where the CRL of the authority is to be had, as an http URL of ASCII characters. Default nowhere.
    pub crl_url: Option<String>,
    /// How long a signature of a remote key may take. Default 30 s.
    pub job_timeout: Duration,
    /// What is verified before release.
    pub self_check: SelfCheck,
    /// How many DNS names an SVID may have.
    pub limits: Limits,
}

impl Default for IssuePolicy {
    fn default() -> Self {
        Self {
            default_ttl: Duration::from_secs(24 * 3_600),
            max_ttl: Duration::from_secs(90 * 86_400),
            min_ttl: Duration::from_secs(60),
            ttl_policy: TtlPolicy::default(),
            backdate: Duration::from_secs(120),
            profile: LeafProfile::default(),
            dual_use: false,
            crl_url: None,
            job_timeout: Duration::from_secs(30),
            self_check: SelfCheck::default(),
            limits: Limits::default(),
        }
    }
}

impl IssuePolicy {
    /// What is allowed but unwise, where clocks of authorities and verifiers differ by up to `skew`.
    pub fn warnings(&self, skew: Duration) -> Vec<PolicyWarning> {
        let too_small = self.backdate < skew;
        too_small
            .then_some(PolicyWarning::BackdateTooSmall)
            .into_iter()
            .collect()
    }
}

/// What is unwise about an [`IssuePolicy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyWarning {
    /// A verifier whose clock is behind takes new certificates for not yet valid.
    #[error("certificates are dated back by less than clocks differ")]
    BackdateTooSmall,
}
