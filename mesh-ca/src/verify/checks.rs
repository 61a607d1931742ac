//! What is asked of each certificate by itself.

use serde::{Deserialize, Serialize};

use super::error::VerifyError;
use super::options::VerifyOptions;
use super::profile::{Rule, Severity};
use crate::certificate::Certificate;
use crate::{KeyPurpose, KeyUsage, SpiffeIdRef, TrustDomainRef, oid};

/// A rule that a certificate of an accepted path departs from, which the profile lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Which certificate: 0 is the leaf.
    pub depth: usize,
    /// The rule.
    pub rule: Rule,
}

/// Where a certificate stands in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Anchor,
    Intermediate,
    Leaf,
}

/// Checks certificates one by one against a profile, and notes what it lets pass.
#[derive(Debug)]
pub(super) struct Checks<'o, 'a> {
    pub(super) options: &'o VerifyOptions<'a>,
    /// The trust domain of the leaf, where it is an SVID.
    pub(super) trust_domain: Option<TrustDomainRef<'o>>,
    /// Whether it is known that the key of the leaf is one, since it has signed a request.
    pub(super) is_leaf_key_proven: bool,
    pub(super) notes: Vec<Diagnostic>,
}

impl Checks<'_, '_> {
    /// Applies the profile where a certificate departs from a rule.
    fn depart(&mut self, depth: usize, rule: Rule) -> Result<(), VerifyError> {
        match self.options.profile.severity(rule) {
            Severity::Allow => Ok(()),
            Severity::Note => {
                self.notes.push(Diagnostic { depth, rule });
                Ok(())
            }
            Severity::Refuse => Err(VerifyError::Departure { depth, rule }),
        }
    }

    fn demand(&mut self, is_met: bool, depth: usize, rule: Rule) -> Result<(), VerifyError> {
        match is_met {
            true => Ok(()),
            false => self.depart(depth, rule),
        }
    }

    /// The first certificate of a path (C-VFY-2, without its name).
    pub(super) fn leaf(&mut self, leaf: &Certificate<'_>) -> Result<(), VerifyError> {
        self.validity(leaf, 0)?;
        if leaf.version() != 3 {
            return Err(VerifyError::Version { depth: 0 });
        }
        self.purpose(leaf, 0)?;
        self.common(leaf, 0, Role::Leaf)?;
        // The keys of issuers prove themselves by their signatures; that of a leaf is used after the verification.
        leaf.public_key()
            .and_then(|key| match self.is_leaf_key_proven {
                true => Ok(()),
                false => key.check_point(),
            })
            .map_err(|error| VerifyError::PublicKey { depth: 0, error })?;
        let extensions = leaf.extensions();
        if extensions.name_constraints.is_some() {
            return Err(VerifyError::NameConstraintsInLeaf);
        }
        let signs_others = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN;
        let is_ca = leaf.basic_constraints().is_some_and(|constraints| constraints.ca);
        let may_sign_others = leaf
            .key_usage()
            .is_some_and(|usage| usage.intersects(signs_others));
        self.demand(!is_ca && !may_sign_others, 0, Rule::LeafIsNoCa)?;
        self.demand(
            extensions.basic_constraints.is_some(),
            0,
            Rule::LeafHasBasicConstraints,
        )?;
        match extensions.key_usage {
            None => self.depart(0, Rule::LeafHasKeyUsage)?,
            Some(usage) => {
                let may_sign = usage.value.contains(KeyUsage::DIGITAL_SIGNATURE);
                self.demand(may_sign, 0, Rule::LeafMaySign)?;
                self.demand(usage.critical, 0, Rule::LeafKeyUsageCritical)?;
            }
        }
        let has_both =
            leaf.allows_purpose(KeyPurpose::ServerAuth) && leaf.allows_purpose(KeyPurpose::ClientAuth);
        self.demand(has_both, 0, Rule::LeafHasBothPurposes)?;
        self.demand(leaf.authority_key_id().is_some(), 0, Rule::KeyIds)
    }

    /// An issuer (C-VFY-3, C-VFY-5, C-VFY-6, C-VFY-13). The order is that in which failures are preferred.
    pub(super) fn issuer(
        &mut self,
        issuer: &Certificate<'_>,
        depth: usize,
        role: Role,
        intermediates_below: u64,
    ) -> Result<(), VerifyError> {
        if role != Role::Anchor || self.options.enforce_anchor_validity {
            self.validity(issuer, depth)?;
        }
        let limits = [
            issuer
                .basic_constraints()
                .and_then(|constraints| constraints.path_len),
            self.options.max_path_len.filter(|_| role == Role::Anchor),
        ];
        if limits
            .into_iter()
            .flatten()
            .any(|limit| intermediates_below > limit)
        {
            return Err(VerifyError::PathLen { depth });
        }
        self.purpose(issuer, depth)?;
        self.authority(issuer, depth, role)?;
        self.common(issuer, depth, role)?;
        self.signing_uri(issuer, depth)
    }

    /// That an issuer is a certificate authority.
    fn authority(&mut self, issuer: &Certificate<'_>, depth: usize, role: Role) -> Result<(), VerifyError> {
        let extensions = issuer.extensions();
        let is_anchor = role == Role::Anchor;
        if issuer.version() != 3 {
            if !is_anchor {
                return Err(VerifyError::Version { depth });
            }
            self.depart(depth, Rule::AnchorIsVersion3)?;
        }
        match extensions.basic_constraints {
            Some(constraints) if !constraints.value.ca => return Err(VerifyError::NotCa { depth }),
            Some(constraints) => {
                let rule = match is_anchor {
                    true => Rule::AnchorBasicConstraintsCritical,
                    false => Rule::CaBasicConstraintsCritical,
                };
                self.demand(constraints.critical, depth, rule)?;
            }
            None if !is_anchor => return Err(VerifyError::NotCa { depth }),
            None if issuer.version() == 3 => self.depart(depth, Rule::AnchorHasBasicConstraints)?,
            None => {}
        }
        match extensions.key_usage {
            Some(usage) if !usage.value.contains(KeyUsage::KEY_CERT_SIGN) => {
                return Err(VerifyError::KeyUsage { depth });
            }
            None if !is_anchor => return Err(VerifyError::KeyUsage { depth }),
            _ => {}
        }
        if issuer.subject().is_empty() {
            return Err(VerifyError::EmptyName { depth });
        }
        let has_subject_key_id = extensions.subject_key_id.is_some();
        let has_authority_key_id = issuer.authority_key_id().is_some();
        if is_anchor {
            self.demand(has_subject_key_id, depth, Rule::AnchorHasSubjectKeyId)?;
            let is_met = has_authority_key_id || issuer.is_self_issued();
            return self.demand(is_met, depth, Rule::AnchorHasAuthorityKeyId);
        }
        self.demand(has_subject_key_id && has_authority_key_id, depth, Rule::KeyIds)
    }

    /// What holds for every certificate of a path (C-VFY-11, C-VFY-12, C-VFY-13, C-VFY-18).
    fn common(&mut self, certificate: &Certificate<'_>, depth: usize, role: Role) -> Result<(), VerifyError> {
        let extensions = certificate.extensions();
        if let Some(unknown) = extensions.unknown_critical {
            let oid = oid::dotted(unknown);
            return Err(VerifyError::UnknownCriticalExtension { depth, oid });
        }
        if extensions.has_policy_rules {
            return Err(VerifyError::PolicyRules { depth });
        }
        let is_key_id_critical = extensions.subject_key_id.is_some_and(|id| id.critical)
            || extensions.authority_key_id.is_some_and(|id| id.critical);
        if is_key_id_critical {
            return Err(VerifyError::KeyIdCritical { depth });
        }
        if certificate.has_unique_ids() {
            return Err(VerifyError::UniqueIds { depth });
        }
        if certificate.issuer().is_empty() {
            return Err(VerifyError::EmptyName { depth });
        }
        let is_ca = certificate
            .basic_constraints()
            .is_some_and(|constraints| constraints.ca);
        let signs_certificates = certificate
            .key_usage()
            .is_some_and(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN));
        if signs_certificates && !is_ca && (role != Role::Anchor || extensions.basic_constraints.is_some()) {
            return Err(VerifyError::CertSignWithoutCa { depth });
        }
        if certificate.serial_number().is_none() {
            match role {
                Role::Anchor => self.depart(depth, Rule::AnchorSerialNumber)?,
                _ => return Err(VerifyError::SerialNumber { depth }),
            }
        }
        if let Some(constraints) = extensions.name_constraints {
            self.demand(constraints.critical, depth, Rule::NameConstraintsCritical)?;
        }
        if let Some(names) = extensions.subject_alt_names {
            let is_critical = names.critical || !certificate.subject().is_empty();
            self.demand(is_critical, depth, Rule::EmptySubjectHasCriticalNames)?;
            let is_ldh = names.value.iter().all(|name| match name {
                crate::GeneralName::Dns(name) => is_ldh(name),
                _ => true,
            });
            self.demand(is_ldh, depth, Rule::DnsNameIsLdh)?;
        }
        Ok(())
    }

    /// Both ends are included, and fractions of the current second are cut (C-VFY-6).
    fn validity(&self, certificate: &Certificate<'_>, depth: usize) -> Result<(), VerifyError> {
        let (now, leeway) = (self.options.now.floor_to_secs(), self.options.leeway);
        let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
        if now > not_after + leeway {
            return Err(VerifyError::Expired {
                depth,
                not_after,
                now,
            });
        }
        if now < not_before - leeway {
            return Err(VerifyError::NotYetValid {
                depth,
                not_before,
                now,
            });
        }
        Ok(())
    }

    fn purpose(&self, certificate: &Certificate<'_>, depth: usize) -> Result<(), VerifyError> {
        let purpose = self.options.purpose;
        let is_allowed = match purpose {
            Some(purpose) => certificate.allows_purpose(purpose),
            None => {
                certificate.allows_purpose(KeyPurpose::ServerAuth)
                    || certificate.allows_purpose(KeyPurpose::ClientAuth)
            }
        };
        match is_allowed {
            true => Ok(()),
            false => Err(VerifyError::Purpose { depth, purpose }),
        }
    }

    fn signing_uri(&mut self, issuer: &Certificate<'_>, depth: usize) -> Result<(), VerifyError> {
        let Some(trust_domain) = self.trust_domain else {
            return Ok(());
        };
        let mut uris = issuer.uris();
        let is_met = match (uris.next(), uris.next()) {
            (None, _) => true,
            (Some(uri), None) => SpiffeIdRef::parse_bytes(uri)
                .is_ok_and(|id| id.path().is_empty() && id.trust_domain() == trust_domain),
            (Some(_), Some(_)) => false,
        };
        self.demand(is_met, depth, Rule::SigningUri)
    }
}

/// Whether a DNS name consists of labels of letters, digits and inner hyphens; a wildcard may stand for the first label.
fn is_ldh(name: &[u8]) -> bool {
    let labels = name.strip_prefix(b"*.").unwrap_or(name);
    labels.len() <= 253
        && labels.split(|byte| *byte == b'.').all(|label| {
            let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
            (1..=63).contains(&label.len())
                && label.iter().all(is_letter)
                && label.first() != Some(&b'-')
                && label.last() != Some(&b'-')
        })
}
