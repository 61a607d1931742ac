//! What a verification is asked.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::profile::Profile;
use crate::revocation::{CrlSet, RevocationPolicy};
use crate::{IdMatcher, KeyPurpose, Limits, SignatureVerifier, UnixTime, default_verifier};

/// The options of one verification; borrow what they point to. What of them is configuration is a [`VerifyPolicy`], which can
/// be saved.
///
/// ```
/// use mesh_ca::{KeyPurpose, Profile, UnixTime, VerifyOptions};
///
/// let now = UnixTime::from_secs(1_800_000_000); // the embedder's clock
/// let options = VerifyOptions::at(now).with_purpose(KeyPurpose::ClientAuth).with_profile(Profile::STRICT_SPIFFE);
/// assert_eq!(options.now(), now);
/// ```
///
/// Source: ca.md C-VFY-1, C-VFY-4, C-VFY-6, C-VFY-19.
#[derive(Debug, Clone)]
pub struct VerifyOptions<'a> {
    pub(super) now: UnixTime,
    pub(super) leeway: Duration,
    pub(super) purpose: Option<KeyPurpose>,
    pub(super) profile: Profile,
    pub(super) expected: Option<&'a IdMatcher>,
    pub(super) crls: Option<&'a CrlSet>,
    pub(super) revocation: RevocationPolicy,
    pub(super) intermediates: &'a [Vec<u8>],
    pub(super) enforce_anchor_validity: bool,
    pub(super) max_path_len: Option<u64>,
    pub(super) budgets: Budgets,
    pub(super) limits: Limits,
    pub(super) verifier: &'a dyn SignatureVerifier,
}

/// What a verification is asked every time, for configuration: [`VerifyOptions`] without what belongs to one call (the time,
/// CRLs, further certificates, who checks signatures). Names of fields that are not known are refused when it is read, so
/// that a slip of the pen lets nobody in.
///
/// ```
/// use mesh_ca::{Profile, UnixTime, VerifyOptions, VerifyPolicy};
///
/// let policy: VerifyPolicy = serde_json::from_str(r#"{"purpose": "ClientAuth", "max_path_len": 1}"#)?;
/// let options = VerifyOptions::at(UnixTime::from_secs(1_800_000_000)).with_policy(&policy);
/// assert_eq!(policy.profile, Profile::MESH);
/// assert!(serde_json::from_str::<VerifyPolicy>(r#"{"expect": "any"}"#).is_err());
/// # let _ = options;
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Source: ca.md C-VFY-1, C-VFY-4, C-VFY-6, C-VFY-19, C-API-2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VerifyPolicy {
    /// What the peer's certificate is used for; see [`VerifyOptions::with_purpose`]. Default: one of the two.
    pub purpose: Option<KeyPurpose>,
    /// How strict to be. Default [`Profile::MESH`].
    pub profile: Profile,
    /// Who the peer may be. Default: anyone whose chain is good.
    pub expected: Option<IdMatcher>,
    /// How CRLs are asked, where the call has any.
    pub revocation: RevocationPolicy,
    /// How far clocks may differ when validity is looked at. Default zero.
    pub leeway: Duration,
    /// Whether an anchor must be within its own validity. Default true.
    pub enforce_anchor_validity: bool,
    /// How many intermediate certificates a path may have; see [`VerifyOptions::with_max_path_len`]. Default: what the
    /// anchors say.
    pub max_path_len: Option<u64>,
    /// Bounds on the work of the search.
    pub budgets: Budgets,
    /// Bounds on the input.
    pub limits: Limits,
}

impl Default for VerifyPolicy {
    fn default() -> Self {
        Self {
            purpose: None,
            profile: Profile::MESH,
            expected: None,
            revocation: RevocationPolicy::default(),
            leeway: Duration::ZERO,
            enforce_anchor_validity: true,
            max_path_len: None,
            budgets: Budgets::default(),
            limits: Limits::default(),
        }
    }
}

impl<'a> VerifyOptions<'a> {
    /// At this time; profile [`Profile::MESH`], any purpose, no CRLs, and the [default provider](default_verifier) for
    /// signatures.
    pub fn at(now: UnixTime) -> Self {
        Self {
            now,
            leeway: Duration::ZERO,
            purpose: None,
            profile: Profile::MESH,
            expected: None,
            crls: None,
            revocation: RevocationPolicy::default(),
            intermediates: &[],
            enforce_anchor_validity: true,
            max_path_len: None,
            budgets: Budgets::default(),
            limits: Limits::default(),
            verifier: default_verifier(),
        }
    }

    /// All that a configuration says, instead of what was set before.
    pub fn with_policy(mut self, policy: &'a VerifyPolicy) -> Self {
        let VerifyPolicy {
            purpose,
            profile,
            expected,
            revocation,
            leeway,
            enforce_anchor_validity,
            max_path_len,
            budgets,
            limits,
        } = policy;
        self.purpose = *purpose;
        self.profile = profile.clone();
        self.expected = expected.as_ref();
        self.revocation = revocation.clone();
        self.leeway = *leeway;
        self.enforce_anchor_validity = *enforce_anchor_validity;
        self.max_path_len = *max_path_len;
        self.budgets = *budgets;
        self.limits = limits.clone();
        self
    }

    /// What the peer's certificate is used for: [`KeyPurpose::ServerAuth`] if the peer is the server of a connection,
    /// [`KeyPurpose::ClientAuth`] if it is the client. Without it, extKeyUsage must allow one of the two.
    pub fn with_purpose(mut self, purpose: KeyPurpose) -> Self {
        self.purpose = Some(purpose);
        self
    }

    /// How strict to be. Default [`Profile::MESH`].
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Who the peer may be. Default: anyone whose chain is good.
    pub fn with_expected(mut self, expected: &'a IdMatcher) -> Self {
        self.expected = Some(expected);
        self
    }

    /// CRLs to ask, and how.
    pub fn with_crls(mut self, crls: &'a CrlSet, policy: RevocationPolicy) -> Self {
        self.crls = Some(crls);
        self.revocation = policy;
        self
    }

    /// Further intermediate certificates in DER, cross-signed ones for example, beside those that the peer sends. They are
    /// candidates only, and trusted no more than those.
    pub fn with_intermediates(mut self, intermediates: &'a [Vec<u8>]) -> Self {
        self.intermediates = intermediates;
        self
    }

    /// How far clocks may differ when validity is looked at. Default zero.
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Whether an anchor must be within its own validity. Default true.
    pub fn with_anchor_validity(mut self, is_enforced: bool) -> Self {
        self.enforce_anchor_validity = is_enforced;
        self
    }

    /// How many intermediate certificates a path may have, self-issued ones not counted, as if each anchor had that
    /// pathLenConstraint. Default: what the anchors say.
    pub fn with_max_path_len(mut self, max: u64) -> Self {
        self.max_path_len = Some(max);
        self
    }

    /// Bounds on the work of the search.
    pub fn with_budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = budgets;
        self
    }

    /// Bounds on the input.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Who checks signatures. Default [`default_verifier`].
    pub fn with_verifier(mut self, verifier: &'a dyn SignatureVerifier) -> Self {
        self.verifier = verifier;
        self
    }

    /// The time of the verification.
    pub fn now(&self) -> UnixTime {
        self.now
    }
}

/// Bounds on the work of one verification. A search that meets one ends, and the peer is not accepted.
///
/// Source: ca.md C-VFY-4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budgets {
    /// Certificates of authorities between leaf and anchor. Default 8.
    pub intermediates: usize,
    /// Different signatures. Default 100.
    pub signatures: usize,
    /// Candidates that are looked at. Default 1,000.
    pub visits: usize,
    /// Comparisons of a name with a name constraint. Default 200,000.
    pub name_comparisons: usize,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            intermediates: 8,
            signatures: 100,
            visits: 1_000,
            name_comparisons: 200_000,
        }
    }
}
