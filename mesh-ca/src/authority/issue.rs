//! Issuing SVIDs, in one step or in two (C-SIGN, C-SGN-2).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::issuer::Issuer;
use super::template::{Fields, LeafExtensions, Template};
use super::{
    Authority, AuthorityKey, CaError, IssuanceRecord, IssueNote, IssuePolicy, IssuedSvid, LeafProfile,
    SelfCheck, TtlPolicy,
};
use crate::certificate::{SubjectAltNames, common_name_of};
use crate::der::SEQUENCE;
use crate::{
    BundleSet, Entropy, EntropyError, Grant, KeyAlgorithm, KeyUsage, SerialNumber, SignRequest,
    SignatureCache, SignatureFormat, SignatureVerifier, SpiffeId, UnixTime, VerifyOptions,
    distinguished_name, oid,
};

/// How often a serial number is drawn before the source of randomness is held to be broken (C-SIGN-2).
const MAX_DRAWS: usize = 8;

impl Authority {
    /// Issues an SVID: template, limits, signature, self-check. It needs a key that signs in this process.
    ///
    /// # Errors
    /// Why nothing was issued; see [`CaError`].
    ///
    /// Source: ca.md C-SIGN-1..14.
    pub fn issue(
        &mut self,
        grant: &Grant,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<IssuedSvid, CaError> {
        let AuthorityKey::Local(signer) = &self.key else {
            return Err(self.key_is_remote());
        };
        let plan = self.plan(grant, now, entropy)?;
        let signature = signer.sign(&plan.template.tbs)?;
        let release = Release {
            issuer: &self.issuer,
            bundles: &self.bundles,
            verifier: self.verifier,
            self_check: self.policy.self_check,
        };
        let chain = release.leaf(&plan, &signature, now, &mut self.cache)?;
        Ok(plan.into_svid(chain, &self.roots))
    }

    /// Begins to issue an SVID with a key that is elsewhere (HSM, KMS): the request is for the embedder to have signed, the
    /// job takes the signature. What is signed is fixed from now on.
    ///
    /// # Errors
    /// As [`issue`](Self::issue).
    ///
    /// Source: ca.md C-SGN-2.
    pub fn begin(
        &self,
        grant: &Grant,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<(IssueJob, SignRequest), CaError> {
        let plan = self.plan(grant, now, entropy)?;
        let request = self.sign_request(&plan.template);
        let job = IssueJob {
            deadline: now + self.policy.job_timeout,
            issuer: Arc::clone(&self.issuer),
            bundles: self.bundles.clone(),
            roots: Arc::clone(&self.roots),
            verifier: self.verifier,
            self_check: self.policy.self_check,
            plan,
        };
        Ok((job, request))
    }

    pub(super) fn sign_request(&self, template: &Template) -> SignRequest {
        let key_ref = match &self.key {
            AuthorityKey::Local(_) => String::new(),
            AuthorityKey::Remote { key_ref, .. } => key_ref.clone(),
        };
        SignRequest::new(key_ref, template.algorithm, template.tbs.clone())
    }

    pub(super) fn key_is_remote(&self) -> CaError {
        let key_ref = match &self.key {
            AuthorityKey::Local(_) => String::new(),
            AuthorityKey::Remote { key_ref, .. } => key_ref.clone(),
        };
        CaError::RemoteKey { key_ref }
    }

    fn plan(&self, grant: &Grant, now: UnixTime, entropy: &mut dyn Entropy) -> Result<Plan, CaError> {
        let algorithm = self.key.algorithm();
        let (issuer, policy) = (&*self.issuer, &self.policy);
        if !self.bundles.names().contains(grant.id.trust_domain()) {
            return Err(CaError::NotAuthoritative {
                trust_domain: grant.id.trust_domain().to_owned(),
            });
        }
        if *grant.spki == *issuer.spki {
            return Err(CaError::KeyIsIssuer);
        }
        let limit = policy.limits.dns_names;
        if grant.dns.len() > limit {
            return Err(CaError::TooManyDnsNames { limit });
        }
        issuer.check_algorithm(algorithm)?;
        let mut notes = Vec::new();
        let (not_before, not_after) = validity(issuer, policy, grant.ttl, now, &mut notes)?;
        let subject = subject(policy, grant, &mut notes);
        let mut key_usage = KeyUsage::DIGITAL_SIGNATURE;
        let is_rsa = matches!(grant.key_algorithm, KeyAlgorithm::Rsa(_));
        if is_rsa || policy.profile == LeafProfile::IstioCompat {
            key_usage = key_usage | KeyUsage::KEY_ENCIPHERMENT;
        }
        let fields = Fields {
            serial: draw_serial(entropy)?,
            algorithm,
            issuer: &issuer.subject,
            not_before,
            not_after,
            subject: &subject,
            spki: &grant.spki,
        };
        let extensions = LeafExtensions {
            authority_key_id: issuer.key_id.as_bytes(),
            subject_key_id: &grant.key_id,
            names: SubjectAltNames {
                uri: grant.id.as_str(),
                dns: &grant.dns,
                ips: &grant.ips,
            },
            names_critical: *subject == [SEQUENCE, 0] || policy.profile == LeafProfile::IstioCompat,
            key_usage,
            crl_url: policy.crl_url.as_deref(),
        };
        Ok(Plan {
            template: Template::leaf(&fields, &extensions),
            record: IssuanceRecord {
                id: grant.id.clone(),
                serial: fields.serial,
                issuer_key_id: issuer.key_id.clone(),
                not_before,
                not_after,
                spki_digest: grant.spki_digest,
            },
            notes,
        })
    }
}

/// An SVID of which everything is decided but the signature.
#[derive(Debug, Clone)]
struct Plan {
    template: Template,
    record: IssuanceRecord,
    notes: Vec<IssueNote>,
}

impl Plan {
    fn into_svid(self, chain: Vec<Arc<[u8]>>, roots: &Arc<[Vec<u8>]>) -> IssuedSvid {
        IssuedSvid {
            chain,
            roots: Arc::clone(roots),
            record: self.record,
            notes: self.notes,
        }
    }
}

/// What stands between a signature and the world (C-SIGN-13, C-SIGN-14).
struct Release<'a> {
    issuer: &'a Issuer,
    bundles: &'a BundleSet,
    verifier: &'a dyn SignatureVerifier,
    self_check: SelfCheck,
}

impl Release<'_> {
    /// The chain that the workload serves.
    fn leaf(
        &self,
        plan: &Plan,
        signature: &[u8],
        now: UnixTime,
        cache: &mut SignatureCache,
    ) -> Result<Vec<Arc<[u8]>>, CaError> {
        let der = plan.template.with_signature(signature);
        let leaf = plan.template.check(&der)?;
        let mut uris = leaf.uris();
        if uris.next() != Some(plan.record.id.as_str().as_bytes()) || uris.next().is_some() {
            return Err(CaError::Template);
        }
        match self.self_check {
            SelfCheck::ContentOnly => {}
            SelfCheck::Full => {
                let options = VerifyOptions::at(now).with_verifier(self.verifier);
                let verdict = self
                    .bundles
                    .check_read(&leaf, &self.issuer.served, &options, cache);
                verdict.map_err(|error| self.explain(plan, signature, error))?;
            }
        }
        let mut chain: Vec<Arc<[u8]>> = vec![Arc::from(der.as_slice())];
        chain.extend(self.issuer.served.iter().cloned());
        Ok(chain)
    }

    /// The verification of the path checks the signature too. Which of the two failed is asked only when something did, so
    /// that a good certificate costs one check.
    fn explain(&self, plan: &Plan, signature: &[u8], error: crate::VerifyError) -> CaError {
        let checked = self
            .issuer
            .public_key()
            .map(|key| plan.template.check_signature(self.verifier, &key, signature));
        match checked {
            Ok(Ok(())) => CaError::SelfCheckFailed(error),
            Ok(Err(error)) => CaError::SignerMisbehaved(error),
            Err(error) => error,
        }
    }
}

/// An SVID that waits for its signature.
///
/// Source: ca.md C-SGN-2.
#[derive(Debug, Clone)]
pub struct IssueJob {
    plan: Plan,
    deadline: UnixTime,
    issuer: Arc<Issuer>,
    bundles: BundleSet,
    roots: Arc<[Vec<u8>]>,
    verifier: &'static dyn SignatureVerifier,
    self_check: SelfCheck,
}

impl IssueJob {
    /// When it is too late for a signature.
    pub fn deadline(&self) -> UnixTime {
        self.deadline
    }

    /// Takes the signature, checks it, and releases the SVID.
    ///
    /// # Errors
    /// [`CaError::JobExpired`] after the deadline, [`CaError::SignerMisbehaved`] for a wrong signature, and whatever else the
    /// self-check finds.
    pub fn finish(
        self,
        signature: &[u8],
        format: SignatureFormat,
        now: UnixTime,
    ) -> Result<IssuedSvid, CaError> {
        let template = &self.plan.template;
        let signature = template.accept(signature, format, self.deadline, now)?;
        let release = Release {
            issuer: &self.issuer,
            bundles: &self.bundles,
            verifier: self.verifier,
            self_check: self.self_check,
        };
        let chain = release.leaf(&self.plan, &signature, now, &mut SignatureCache::new(0))?;
        Ok(self.plan.into_svid(chain, &self.roots))
    }
}

/// A positive number of at most 127 bits (C-SIGN-2).
pub(super) fn draw_serial(entropy: &mut dyn Entropy) -> Result<SerialNumber, CaError> {
    for _ in 0..MAX_DRAWS {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes)?;
        if let Some(first) = bytes.first_mut() {
            *first &= 0x7f;
        }
        if let Some(serial) = SerialNumber::from_bytes(&bytes) {
            return Ok(serial);
        }
    }
    Err(CaError::Entropy(EntropyError))
}

/// C-SIGN-3 to C-SIGN-5.
fn validity(
    issuer: &Issuer,
    policy: &IssuePolicy,
    requested: Option<Duration>,
    now: UnixTime,
    notes: &mut Vec<IssueNote>,
) -> Result<(UnixTime, UnixTime), CaError> {
    issuer.check_valid(now)?;
    let wanted = requested.unwrap_or(policy.default_ttl);
    let ttl = match policy.ttl_policy {
        _ if wanted <= policy.max_ttl => wanted,
        // The default of the authority is not somebody's request.
        _ if requested.is_none() => policy.max_ttl,
        TtlPolicy::Clamp => {
            notes.push(IssueNote::TtlClamped {
                requested: wanted,
                granted: policy.max_ttl,
            });
            policy.max_ttl
        }
        TtlPolicy::Refuse => {
            return Err(CaError::TtlTooLong {
                requested: wanted,
                max: policy.max_ttl,
            });
        }
    };
    if ttl < policy.min_ttl {
        return Err(CaError::TtlTooShort {
            requested: ttl,
            min: policy.min_ttl,
        });
    }
    let not_before = (now - policy.backdate).floor_to_secs().max(issuer.not_before);
    let mut not_after = (now + ttl).floor_to_secs();
    if not_after > issuer.not_after {
        not_after = issuer.not_after;
        notes.push(IssueNote::CutToIssuer { not_after });
    }
    if not_after < (now + policy.min_ttl).floor_to_secs() {
        return Err(CaError::IssuerTooShort {
            not_after: issuer.not_after,
            min_ttl: policy.min_ttl,
        });
    }
    Ok((not_before, not_after))
}

/// C-SIGN-8, C-SIGN-11: empty, or a common name for those who asked for one.
fn subject(policy: &IssuePolicy, grant: &Grant, notes: &mut Vec<IssueNote>) -> Cow<'static, [u8]> {
    const EMPTY: &[u8] = &[SEQUENCE, 0];
    if !policy.dual_use || !grant.has_common_name {
        return EMPTY.into();
    }
    match common_name_of(SpiffeId::as_str(&grant.id)) {
        Some(name) => distinguished_name::encode(&[(oid::COMMON_NAME, name)]).into(),
        None => {
            notes.push(IssueNote::CommonNameOmitted);
            EMPTY.into()
        }
    }
}
