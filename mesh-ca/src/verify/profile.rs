//! How strict a verification is: one struct of switches.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What happens where a certificate departs from a [`Rule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Nothing: it is allowed.
    Allow,
    /// It is allowed, and noted among the [diagnostics](crate::Verified::diagnostics).
    Note,
    /// The certificate is refused.
    Refuse,
}

/// The rules on which profiles differ. Everything else in this module's docs holds in every profile.
///
/// Source: ca.md C-VFY-19.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Rule {
    /// An anchor that is not self-issued has an authorityKeyIdentifier.
    AnchorHasAuthorityKeyId,
    /// basicConstraints of an anchor is critical.
    AnchorBasicConstraintsCritical,
    /// An anchor of version 3 has basicConstraints.
    AnchorHasBasicConstraints,
    /// An anchor has a subjectKeyIdentifier.
    AnchorHasSubjectKeyId,
    /// An anchor is of version 3.
    AnchorIsVersion3,
    /// The serial number of an anchor is positive and has at most 20 bytes.
    AnchorSerialNumber,
    /// basicConstraints of an intermediate certificate is critical.
    CaBasicConstraintsCritical,
    /// DNS names consist of letters, digits and hyphens.
    DnsNameIsLdh,
    /// A subjectAltName is critical where the subject is empty.
    EmptySubjectHasCriticalNames,
    /// Leaves and intermediates have an authorityKeyIdentifier, and intermediates a subjectKeyIdentifier.
    KeyIds,
    /// The leaf has basicConstraints.
    LeafHasBasicConstraints,
    /// The leaf has keyUsage.
    LeafHasKeyUsage,
    /// extKeyUsage of the leaf, if there, names both serverAuth and clientAuth.
    LeafHasBothPurposes,
    /// The leaf is no certificate authority, and its keyUsage does not allow to sign certificates or CRLs.
    LeafIsNoCa,
    /// keyUsage of the leaf, if there, allows digitalSignature.
    LeafMaySign,
    /// keyUsage of the leaf is critical.
    LeafKeyUsageCritical,
    /// nameConstraints is critical.
    NameConstraintsCritical,
    /// A URI name of an issuer is the SPIFFE id of the leaf's trust domain, and the only one.
    SigningUri,
}

impl Rule {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AnchorHasAuthorityKeyId => "verify.anchor_has_authority_key_id",
            Self::AnchorBasicConstraintsCritical => "verify.anchor_basic_constraints_critical",
            Self::AnchorHasBasicConstraints => "verify.anchor_has_basic_constraints",
            Self::AnchorHasSubjectKeyId => "verify.anchor_has_subject_key_id",
            Self::AnchorIsVersion3 => "verify.anchor_is_version_3",
            Self::AnchorSerialNumber => "verify.anchor_serial_number",
            Self::CaBasicConstraintsCritical => "verify.ca_basic_constraints_critical",
            Self::DnsNameIsLdh => "verify.dns_name_is_ldh",
            Self::EmptySubjectHasCriticalNames => "verify.empty_subject_has_critical_names",
            Self::KeyIds => "verify.key_ids",
            Self::LeafHasBasicConstraints => "verify.leaf_has_basic_constraints",
            Self::LeafHasKeyUsage => "verify.leaf_has_key_usage",
            Self::LeafHasBothPurposes => "verify.leaf_has_both_purposes",
            Self::LeafIsNoCa => "verify.leaf_is_no_ca",
            Self::LeafMaySign => "verify.leaf_may_sign",
            Self::LeafKeyUsageCritical => "verify.leaf_key_usage_critical",
            Self::NameConstraintsCritical => "verify.name_constraints_critical",
            Self::SigningUri => "verify.signing_uri",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AnchorHasAuthorityKeyId => "the anchor is cross-signed and has no authorityKeyIdentifier",
            Self::AnchorBasicConstraintsCritical => "basicConstraints of the anchor is not critical",
            Self::AnchorHasBasicConstraints => "the anchor has no basicConstraints",
            Self::AnchorHasSubjectKeyId => "the anchor has no subjectKeyIdentifier",
            Self::AnchorIsVersion3 => "the anchor is not of version 3",
            Self::AnchorSerialNumber => "the serial number of the anchor is not positive or too long",
            Self::CaBasicConstraintsCritical => "basicConstraints of an issuer is not critical",
            Self::DnsNameIsLdh => "a DNS name holds other than letters, digits and hyphens",
            Self::EmptySubjectHasCriticalNames => "the subject is empty and subjectAltName not critical",
            Self::KeyIds => "a key identifier is missing",
            Self::LeafHasBasicConstraints => "the leaf has no basicConstraints",
            Self::LeafHasKeyUsage => "the leaf has no keyUsage",
            Self::LeafHasBothPurposes => {
                "extKeyUsage of the leaf does not name both serverAuth and clientAuth"
            }
            Self::LeafIsNoCa => "the leaf is a certificate authority or may sign certificates or CRLs",
            Self::LeafMaySign => "keyUsage of the leaf does not allow digitalSignature",
            Self::LeafKeyUsageCritical => "keyUsage of the leaf is not critical",
            Self::NameConstraintsCritical => "nameConstraints is not critical",
            Self::SigningUri => "the URI name of an issuer is not the SPIFFE id of the trust domain",
        })
    }
}

/// The switches of a verification, each the severity of departing from one [`Rule`]. The constants are the presets;
/// change single fields from there.
///
/// ```
/// use mesh_ca::{Profile, Severity};
///
/// let profile = Profile { leaf_key_usage_critical: Severity::Refuse, ..Profile::MESH };
/// assert_ne!(profile, Profile::MESH);
/// ```
///
/// Source: ca.md C-VFY-19.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// For [`Rule::AnchorHasAuthorityKeyId`].
    pub anchor_has_authority_key_id: Severity,
    /// For [`Rule::AnchorBasicConstraintsCritical`].
    pub anchor_basic_constraints_critical: Severity,
    /// For [`Rule::AnchorHasBasicConstraints`].
    pub anchor_has_basic_constraints: Severity,
    /// For [`Rule::AnchorHasSubjectKeyId`].
    pub anchor_has_subject_key_id: Severity,
    /// For [`Rule::AnchorIsVersion3`]. Allow it to take version 1 roots, which say nothing about their use.
    pub anchor_is_version_3: Severity,
    /// For [`Rule::AnchorSerialNumber`].
    pub anchor_serial_number: Severity,
    /// For [`Rule::CaBasicConstraintsCritical`].
    pub ca_basic_constraints_critical: Severity,
    /// For [`Rule::DnsNameIsLdh`].
    pub dns_name_is_ldh: Severity,
    /// For [`Rule::EmptySubjectHasCriticalNames`].
    pub empty_subject_has_critical_names: Severity,
    /// For [`Rule::KeyIds`].
    pub key_ids: Severity,
    /// For [`Rule::LeafHasBasicConstraints`].
    pub leaf_has_basic_constraints: Severity,
    /// For [`Rule::LeafHasKeyUsage`].
    pub leaf_has_key_usage: Severity,
    /// For [`Rule::LeafHasBothPurposes`].
    pub leaf_has_both_purposes: Severity,
    /// For [`Rule::LeafIsNoCa`].
    pub leaf_is_no_ca: Severity,
    /// For [`Rule::LeafMaySign`].
    pub leaf_may_sign: Severity,
    /// For [`Rule::LeafKeyUsageCritical`].
    pub leaf_key_usage_critical: Severity,
    /// For [`Rule::NameConstraintsCritical`].
    pub name_constraints_critical: Severity,
    /// For [`Rule::SigningUri`].
    pub signing_uri: Severity,
}

impl Profile {
    /// What a mesh needs: everything that security rests on, with room for certificates as Istio, SPIRE and their
    /// plugged-in authorities issue them. The default.
    pub const MESH: Self = Self {
        anchor_has_authority_key_id: Severity::Allow,
        anchor_basic_constraints_critical: Severity::Note,
        anchor_has_basic_constraints: Severity::Refuse,
        anchor_has_subject_key_id: Severity::Allow,
        anchor_is_version_3: Severity::Refuse,
        anchor_serial_number: Severity::Note,
        ca_basic_constraints_critical: Severity::Note,
        dns_name_is_ldh: Severity::Note,
        empty_subject_has_critical_names: Severity::Refuse,
        key_ids: Severity::Allow,
        leaf_has_basic_constraints: Severity::Allow,
        leaf_has_key_usage: Severity::Refuse,
        leaf_has_both_purposes: Severity::Allow,
        leaf_is_no_ca: Severity::Refuse,
        leaf_may_sign: Severity::Refuse,
        leaf_key_usage_critical: Severity::Note,
        name_constraints_critical: Severity::Note,
        signing_uri: Severity::Note,
    };

    /// The X509-SVID standard to the letter.
    pub const STRICT_SPIFFE: Self = Self {
        anchor_has_authority_key_id: Severity::Note,
        anchor_has_subject_key_id: Severity::Refuse,
        ca_basic_constraints_critical: Severity::Refuse,
        key_ids: Severity::Refuse,
        leaf_has_basic_constraints: Severity::Refuse,
        leaf_has_both_purposes: Severity::Refuse,
        leaf_key_usage_critical: Severity::Refuse,
        name_constraints_critical: Severity::Refuse,
        signing_uri: Severity::Refuse,
        ..Self::MESH
    };

    /// What Istio itself accepts beyond [`MESH`](Self::MESH): leaves without keyUsage, bare roots without extensions, of
    /// version 1 too, and an empty subject whose names are not critical.
    pub const ISTIO_COMPAT: Self = Self {
        anchor_has_basic_constraints: Severity::Allow,
        anchor_is_version_3: Severity::Allow,
        empty_subject_has_critical_names: Severity::Note,
        leaf_has_key_usage: Severity::Allow,
        signing_uri: Severity::Allow,
        ..Self::MESH
    };

    /// RFC 5280 for certificates that are no SVIDs, for use with [`danger::verify_path`](crate::danger::verify_path).
    pub const RFC5280: Self = Self {
        anchor_basic_constraints_critical: Severity::Refuse,
        anchor_has_authority_key_id: Severity::Note,
        anchor_has_subject_key_id: Severity::Refuse,
        ca_basic_constraints_critical: Severity::Refuse,
        dns_name_is_ldh: Severity::Refuse,
        key_ids: Severity::Refuse,
        leaf_has_key_usage: Severity::Allow,
        leaf_is_no_ca: Severity::Allow,
        leaf_may_sign: Severity::Allow,
        leaf_key_usage_critical: Severity::Allow,
        name_constraints_critical: Severity::Refuse,
        signing_uri: Severity::Allow,
        ..Self::MESH
    };

    /// What happens where a certificate departs from the rule.
    pub fn severity(&self, rule: Rule) -> Severity {
        match rule {
            Rule::AnchorHasAuthorityKeyId => self.anchor_has_authority_key_id,
            Rule::AnchorBasicConstraintsCritical => self.anchor_basic_constraints_critical,
            Rule::AnchorHasBasicConstraints => self.anchor_has_basic_constraints,
            Rule::AnchorHasSubjectKeyId => self.anchor_has_subject_key_id,
            Rule::AnchorIsVersion3 => self.anchor_is_version_3,
            Rule::AnchorSerialNumber => self.anchor_serial_number,
            Rule::CaBasicConstraintsCritical => self.ca_basic_constraints_critical,
            Rule::DnsNameIsLdh => self.dns_name_is_ldh,
            Rule::EmptySubjectHasCriticalNames => self.empty_subject_has_critical_names,
            Rule::KeyIds => self.key_ids,
            Rule::LeafHasBasicConstraints => self.leaf_has_basic_constraints,
            Rule::LeafHasKeyUsage => self.leaf_has_key_usage,
            Rule::LeafHasBothPurposes => self.leaf_has_both_purposes,
            Rule::LeafIsNoCa => self.leaf_is_no_ca,
            Rule::LeafMaySign => self.leaf_may_sign,
            Rule::LeafKeyUsageCritical => self.leaf_key_usage_critical,
            Rule::NameConstraintsCritical => self.name_constraints_critical,
            Rule::SigningUri => self.signing_uri,
        }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::MESH
    }
}
