//! Certificates of authorities: roots, intermediates, renewals and cross-signs (C-CA, C-ROT-1, C-ROT-6).

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::issue::draw_serial;
use super::issuer::Issuer;
use super::template::{CaExtensions, Fields, Template};
use super::{Authority, AuthorityKey, CaError};
use crate::pem::{self, PemLabel};
use crate::{
    CaGrant, Certificate, Entropy, KeyId, KeyUsage, PublicKeyInfo, SerialNumber, SignRequest,
    SignatureAlgorithm, SignatureFormat, SignatureVerifier, Signer, SpiffeId, TrustBundle, TrustDomain,
    UnixTime, default_verifier, distinguished_name, oid,
};

/// How the certificate of an authority looks.
///
/// ```
/// use std::sync::Arc;
/// use mesh_ca::{CaProfile, Certificate, InsecureSeededEntropy, KeyAlgorithm, KeyPair, UnixTime};
///
/// let mut entropy = InsecureSeededEntropy::new(1);
/// let key = KeyPair::generate_for(KeyAlgorithm::EcdsaP384, &mut entropy)?;
/// let now = UnixTime::from_secs(1_800_000_000);
/// let ca = CaProfile::root("example.org".parse()?)
///     .with_organization("Example")
///     .self_sign(Arc::new(key), now, &mut entropy)?;
/// let root = Certificate::parse(ca.certificate_der())?;
/// assert_eq!(root.subject().to_string(), "O=Example");
/// assert_eq!(root.spiffe_id().map(|id| id.as_str()), Some("spiffe://example.org"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: ca.md C-CA-1, C-CA-2, C-CA-5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaProfile {
    trust_domain: TrustDomain,
    organization: String,
    ttl: Duration,
    backdate: Duration,
    path_len: Option<u8>,
    serial_in_subject: bool,
    istio_compat: bool,
    permitted: Vec<TrustDomain>,
}

impl CaProfile {
    /// A root: `O=TRUST_DOMAIN`, ten years, any number of authorities below.
    pub fn root(trust_domain: TrustDomain) -> Self {
        Self {
            organization: trust_domain.as_str().to_owned(),
            trust_domain,
            ttl: Duration::from_secs(3_650 * 86_400),
            backdate: Duration::from_secs(120),
            path_len: None,
            serial_in_subject: false,
            istio_compat: false,
            permitted: Vec::new(),
        }
    }

    /// An intermediate: as a root, but for one year, with no authority below, and with its serial number in the subject, so
    /// that its name is not that of the root.
    pub fn intermediate(trust_domain: TrustDomain) -> Self {
        Self {
            ttl: Duration::from_secs(365 * 86_400),
            path_len: Some(0),
            serial_in_subject: true,
            ..Self::root(trust_domain)
        }
    }

    /// Another organization in the subject. Default the trust domain.
    pub fn with_organization(mut self, organization: impl Into<String>) -> Self {
        self.organization = organization.into();
        self
    }

    /// For how long it is valid.
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// How far notBefore lies in the past, for verifiers whose clock is behind. Default 120 s.
    pub fn with_backdate(mut self, backdate: Duration) -> Self {
        self.backdate = backdate;
        self
    }

    /// How many authorities may follow below one another; `None` for any number.
    pub fn with_path_len(mut self, path_len: Option<u8>) -> Self {
        self.path_len = path_len;
        self
    }

    /// Whether the subject has the serial number too, so that successive roots have different names.
    pub fn with_serial_in_subject(mut self, wanted: bool) -> Self {
        self.serial_in_subject = wanted;
        self
    }

    /// Whether it looks like istiod's own root: no name of the trust domain, and no right to sign CRLs.
    pub fn with_istio_compat(mut self, wanted: bool) -> Self {
        self.istio_compat = wanted;
        self
    }

    /// Trust domains that are the only ones it may ever speak for, as critical name constraints. Off by default: most
    /// verifiers refuse chains with constraints of URIs altogether.
    pub fn with_name_constraints(mut self, permitted: impl IntoIterator<Item = TrustDomain>) -> Self {
        self.permitted = permitted.into_iter().collect();
        self
    }

    /// A new root, signed with its own key.
    ///
    /// # Errors
    /// When randomness or the signer fails, or the signature is wrong.
    pub fn self_sign(
        &self,
        key: Arc<dyn Signer>,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<Authority, CaError> {
        let template = self.self_signed_template(key.spki_der(), key.algorithm(), now, entropy)?;
        let signature = key.sign(&template.tbs)?;
        let root = CaJob::new(template, now, default_verifier(), key.spki_der()).release(&signature)?;
        self.authority(&root.der, AuthorityKey::Local(key))
    }

    /// Begins a new root whose key is elsewhere. [`CaJob::finish`] gives its certificate, and
    /// [`remote_root`](Self::remote_root) the authority.
    ///
    /// # Errors
    /// When randomness fails, or the key is not one that is taken.
    ///
    /// Source: ca.md C-SGN-3.
    pub fn begin_self_sign(
        &self,
        key_ref: &str,
        spki: &[u8],
        algorithm: SignatureAlgorithm,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<(CaJob, SignRequest), CaError> {
        let template = self.self_signed_template(spki, algorithm, now, entropy)?;
        let request = SignRequest::new(key_ref.to_owned(), algorithm, template.tbs.clone());
        Ok((CaJob::new(template, now, default_verifier(), spki), request))
    }

    /// The authority of a root whose key is elsewhere.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub fn remote_root(
        &self,
        certificate: &[u8],
        key_ref: &str,
        algorithm: SignatureAlgorithm,
    ) -> Result<Authority, CaError> {
        let key = AuthorityKey::Remote {
            key_ref: key_ref.to_owned(),
            algorithm,
        };
        self.authority(certificate, key)
    }

    fn authority(&self, root: &[u8], key: AuthorityKey) -> Result<Authority, CaError> {
        let mut bundle = TrustBundle::new(self.trust_domain.clone());
        // The certificate was made or read a moment ago.
        bundle.insert_x509(root).map_err(|_| CaError::Template)?;
        Authority::new(root, &[], bundle, key)
    }

    fn self_signed_template(
        &self,
        spki: &[u8],
        algorithm: SignatureAlgorithm,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<Template, CaError> {
        let key_id = PublicKeyInfo::parse(spki)?.key_id();
        let serial = draw_serial(entropy)?;
        let subject = self.subject(&serial);
        self.template(&Parts {
            issuer: None,
            not_after: (now + self.ttl).floor_to_secs(),
            path_len: self.path_len,
            spki: &Arc::from(spki),
            key_id: &key_id,
            subject: &subject,
            serial,
            algorithm,
            now,
        })
    }

    fn template(&self, parts: &Parts<'_>) -> Result<Template, CaError> {
        let Parts {
            issuer,
            not_after,
            path_len,
            spki,
            key_id,
            subject,
            serial,
            algorithm,
            now,
        } = *parts;
        let mut not_before = (now - self.backdate).floor_to_secs();
        if let Some(issuer) = issuer {
            not_before = not_before.max(issuer.not_before);
        }
        let fields = Fields {
            serial,
            algorithm,
            issuer: issuer.map_or(subject, |issuer| &issuer.subject),
            not_before,
            not_after,
            subject,
            spki,
        };
        let id = SpiffeId::from_path(&self.trust_domain, "")?;
        let permitted: Vec<&str> = self.permitted.iter().map(TrustDomain::as_str).collect();
        let mut key_usage = KeyUsage::KEY_CERT_SIGN;
        if !self.istio_compat {
            key_usage = key_usage | KeyUsage::CRL_SIGN;
        }
        Ok(Template::ca(
            &fields,
            &CaExtensions {
                authority_key_id: issuer.map(|issuer| issuer.key_id.as_bytes()),
                subject_key_id: key_id.as_bytes(),
                id: (!self.istio_compat).then_some(id.as_str()),
                id_critical: false,
                key_usage,
                path_len,
                permitted_hosts: &permitted,
            },
        ))
    }

    fn subject(&self, serial: &SerialNumber) -> Vec<u8> {
        let serial = serial.to_string();
        let mut attributes = vec![(oid::ORGANIZATION, self.organization.as_str())];
        if self.serial_in_subject {
            attributes.push((oid::SERIAL_NUMBER, &serial));
        }
        distinguished_name::encode(&attributes)
    }
}

/// What differs between the ways to make the certificate of an authority.
#[derive(Clone, Copy)]
struct Parts<'a> {
    /// Nothing for a root.
    issuer: Option<&'a Issuer>,
    not_after: UnixTime,
    path_len: Option<u8>,
    spki: &'a Arc<[u8]>,
    key_id: &'a KeyId,
    subject: &'a [u8],
    serial: SerialNumber,
    algorithm: SignatureAlgorithm,
    now: UnixTime,
}

impl Authority {
    /// Issues an intermediate authority. Its life ends with this authority's at the latest.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use mesh_ca::{
    ///     Authority, Caller, CaProfile, CsrBuilder, CsrPolicy, InsecureSeededEntropy, KeyPair, SpiffeId, TrustDomain, UnixTime,
    /// };
    ///
    /// let mut entropy = InsecureSeededEntropy::new(1);
    /// let now = UnixTime::from_secs(1_800_000_000);
    /// let domain: TrustDomain = "example.org".parse()?;
    /// let mut root = Authority::self_signed(domain.clone(), now, &mut entropy)?;
    ///
    /// let key = KeyPair::generate(&mut entropy)?;
    /// let csr = CsrBuilder::for_intermediate(&domain)?.build(&key)?;
    /// let server: SpiffeId = "spiffe://example.org/cluster-1/server".parse()?;
    /// let caller = Caller::from(&server).with_downstream(true);
    /// let grant = CsrPolicy::istio().check_ca(csr.der())?.authorize(&caller)?;
    /// let issued = root.issue_intermediate(&grant, &CaProfile::intermediate(domain), now, &mut entropy)?;
    /// let intermediate = root.intermediate(&issued, Arc::new(key))?;
    /// assert_eq!(intermediate.intermediates().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CaError::PathLength`] if no authority may follow below this one, and as for SVIDs.
    ///
    /// Source: ca.md C-CA-2, C-CA-6, C-AUTH-9.
    pub fn issue_intermediate(
        &mut self,
        grant: &CaGrant,
        profile: &CaProfile,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<IssuedCa, CaError> {
        let (job, request) = self.begin_intermediate(grant, profile, now, entropy)?;
        self.sign_here(&job, &request)
    }

    /// As [`issue_intermediate`](Self::issue_intermediate), with a key that is elsewhere.
    ///
    /// # Errors
    /// As [`issue_intermediate`](Self::issue_intermediate).
    pub fn begin_intermediate(
        &self,
        grant: &CaGrant,
        profile: &CaProfile,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<(CaJob, SignRequest), CaError> {
        let issuer = &*self.issuer;
        issuer.check_valid(now)?;
        issuer.check_algorithm(self.key.algorithm())?;
        if !self.trust_domains().contains(&profile.trust_domain) {
            return Err(CaError::NotAuthoritative {
                trust_domain: profile.trust_domain.clone(),
            });
        }
        if *grant.spki == *issuer.spki {
            return Err(CaError::KeyIsIssuer);
        }
        let key_id = PublicKeyInfo::parse(&grant.spki)?.key_id();
        let serial = draw_serial(entropy)?;
        let subject = profile.subject(&serial);
        let not_after = (now + profile.ttl).floor_to_secs().min(issuer.not_after);
        self.check_life(not_after, now)?;
        let template = profile.template(&Parts {
            issuer: Some(issuer),
            not_after,
            path_len: path_len_below(issuer, profile.path_len)?,
            spki: &grant.spki,
            key_id: &key_id,
            subject: &subject,
            serial,
            algorithm: self.key.algorithm(),
            now,
        })?;
        Ok(self.ca_job(template, now))
    }

    /// The authority of an intermediate that this one has issued, with its key.
    ///
    /// # Errors
    /// When the certificate cannot be read, or the key is another one.
    pub fn intermediate(&self, issued: &IssuedCa, key: Arc<dyn Signer>) -> Result<Self, CaError> {
        let certificate = Certificate::parse(&issued.der)?;
        if certificate.public_key_der() != key.spki_der() {
            return Err(CaError::CrossSign {
                reason: "the key is not that of the certificate",
            });
        }
        // From this authority's certificate to its root. The root of an intermediate is in the bundle.
        let mut above: Vec<&[u8]> = self.issuer.served.iter().map(|der| &**der).collect();
        let root = self.root_of_path()?;
        above.push(&root);
        let intermediate = Self::new(
            &issued.der,
            &above,
            self.trust_bundle().clone(),
            AuthorityKey::Local(key),
        )?;
        Ok(Self {
            bundles: self.bundles.clone(),
            policy: self.policy.clone(),
            verifier: self.verifier,
            ..intermediate
        })
    }

    /// Signs the certificate of another authority, so that verifiers which trust only this one trust it too: with its
    /// subject, key and key identifier, until the first of both expires.
    ///
    /// # Errors
    /// [`CaError::CrossSign`] if it is no authority, or [`CaError::PathLength`] if no authority may follow below this one.
    ///
    /// Source: ca.md C-ROT-6.
    pub fn cross_sign(
        &mut self,
        other: &Certificate<'_>,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<IssuedCa, CaError> {
        let (job, request) = self.begin_cross_sign(other, now, entropy)?;
        self.sign_here(&job, &request)
    }

    /// As [`cross_sign`](Self::cross_sign), with a key that is elsewhere.
    ///
    /// # Errors
    /// As [`cross_sign`](Self::cross_sign).
    pub fn begin_cross_sign(
        &self,
        other: &Certificate<'_>,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<(CaJob, SignRequest), CaError> {
        let issuer = &*self.issuer;
        issuer.check_valid(now)?;
        issuer.check_algorithm(self.key.algorithm())?;
        let constraints = other
            .basic_constraints()
            .filter(|constraints| constraints.ca)
            .ok_or(CaError::CrossSign {
                reason: "it is no authority",
            })?;
        if other.public_key_der() == &*issuer.spki {
            return Err(CaError::KeyIsIssuer);
        }
        let path_len = constraints
            .path_len
            .map(|path_len| u8::try_from(path_len).unwrap_or(u8::MAX));
        let key = other.public_key()?;
        let key_id = other.subject_key_id().map_or_else(|| key.key_id(), KeyId::new);
        let profile =
            CaProfile::root(self.trust_bundle().trust_domain().clone()).with_backdate(self.policy.backdate);
        let not_after = other.not_after().min(issuer.not_after);
        self.check_life(not_after, now)?;
        let template = profile.template(&Parts {
            issuer: Some(issuer),
            not_after,
            path_len: path_len_below(issuer, path_len)?,
            spki: &Arc::from(other.public_key_der()),
            key_id: &key_id,
            subject: other.subject().der(),
            serial: draw_serial(entropy)?,
            algorithm: self.key.algorithm(),
            now,
        })?;
        Ok(self.ca_job(template, now))
    }

    /// A new certificate of this root, with the same key, subject and key identifier: what was issued before verifies with
    /// either.
    ///
    /// # Errors
    /// [`CaError::CrossSign`] for an intermediate, which only its issuer can renew.
    ///
    /// Source: ca.md C-ROT-1.
    pub fn renew(
        &self,
        profile: &CaProfile,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<Renewal, CaError> {
        let AuthorityKey::Local(signer) = &self.key else {
            return Err(self.key_is_remote());
        };
        let (job, request) = self.begin_renew(profile, now, entropy)?;
        let issued = job.release(&signer.sign(&request.message)?)?;
        let renewed = Self::new(&issued.der, &[], self.trust_bundle().clone(), self.key.clone())?;
        let renewed = Self {
            policy: self.policy.clone(),
            verifier: self.verifier,
            ..renewed
        };
        let names = self.trust_domains();
        let authority = renewed
            .with_roots([issued.der.as_slice()])
            .map_err(|_| CaError::Template)?
            .with_trust_domains(names);
        Ok(Renewal { authority, issued })
    }

    /// As [`renew`](Self::renew), with a key that is elsewhere: the job gives the certificate.
    ///
    /// # Errors
    /// As [`renew`](Self::renew).
    pub fn begin_renew(
        &self,
        profile: &CaProfile,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<(CaJob, SignRequest), CaError> {
        if !self.issuer.is_root() {
            return Err(CaError::CrossSign {
                reason: "an intermediate is renewed by its issuer",
            });
        }
        self.issuer.check_algorithm(self.key.algorithm())?;
        let template = profile.template(&Parts {
            issuer: None,
            not_after: (now + profile.ttl).floor_to_secs(),
            path_len: profile.path_len,
            spki: &self.issuer.spki,
            key_id: &self.issuer.key_id,
            subject: &self.issuer.subject,
            serial: draw_serial(entropy)?,
            algorithm: self.key.algorithm(),
            now,
        })?;
        Ok(self.ca_job(template, now))
    }

    fn ca_job(&self, template: Template, now: UnixTime) -> (CaJob, SignRequest) {
        let request = self.sign_request(&template);
        let mut job = CaJob::new(template, now, self.verifier, &self.issuer.spki);
        job.deadline = now + self.policy.job_timeout;
        (job, request)
    }

    fn sign_here(&self, job: &CaJob, request: &SignRequest) -> Result<IssuedCa, CaError> {
        let AuthorityKey::Local(signer) = &self.key else {
            return Err(self.key_is_remote());
        };
        job.release(&signer.sign(&request.message)?)
    }

    /// C-SIGN-5 for authorities.
    fn check_life(&self, not_after: UnixTime, now: UnixTime) -> Result<(), CaError> {
        if not_after >= (now + self.policy.min_ttl).floor_to_secs() {
            return Ok(());
        }
        Err(CaError::IssuerTooShort {
            not_after,
            min_ttl: self.policy.min_ttl,
        })
    }

    /// The root that this authority's path ends at: itself, or the anchor of the bundle that signed the last certificate.
    fn root_of_path(&self) -> Result<Vec<u8>, CaError> {
        let Some(last) = self.issuer.served.last() else {
            return Ok(self.issuer.certificate.clone());
        };
        let last = Certificate::parse(last)?;
        let signed_it = |root: &&Vec<u8>| {
            Certificate::parse(root).is_ok_and(|root| {
                root.subject() == last.issuer()
                    && root
                        .public_key()
                        .is_ok_and(|key| last.verify_signature(&key, self.verifier).is_ok())
            })
        };
        self.roots
            .iter()
            .find(signed_it)
            .cloned()
            .ok_or(CaError::CrossSign {
                reason: "the root of the authority is not in its bundle",
            })
    }
}

/// The path length of an authority below: as wanted, but not more than there is room for.
fn path_len_below(issuer: &Issuer, wanted: Option<u8>) -> Result<Option<u8>, CaError> {
    let Some(room) = issuer.path_len else {
        return Ok(wanted);
    };
    let left = room.checked_sub(1).ok_or(CaError::PathLength)?;
    let left = u8::try_from(left).unwrap_or(u8::MAX);
    Ok(Some(wanted.map_or(left, |wanted| wanted.min(left))))
}

/// The certificate of an authority that waits for its signature.
///
/// Source: ca.md C-SGN-3.
#[derive(Debug, Clone)]
pub struct CaJob {
    template: Template,
    deadline: UnixTime,
    issuer_spki: Vec<u8>,
    verifier: &'static dyn SignatureVerifier,
}

impl CaJob {
    fn new(
        template: Template,
        now: UnixTime,
        verifier: &'static dyn SignatureVerifier,
        issuer_spki: &[u8],
    ) -> Self {
        Self {
            template,
            deadline: now + Duration::from_secs(30),
            issuer_spki: issuer_spki.to_vec(),
            verifier,
        }
    }

    /// When it is too late for a signature.
    pub fn deadline(&self) -> UnixTime {
        self.deadline
    }

    /// Takes the signature, checks it, and releases the certificate.
    ///
    /// # Errors
    /// [`CaError::JobExpired`] after the deadline, [`CaError::SignerMisbehaved`] for a wrong signature.
    pub fn finish(
        self,
        signature: &[u8],
        format: SignatureFormat,
        now: UnixTime,
    ) -> Result<IssuedCa, CaError> {
        let signature = self.template.accept(signature, format, self.deadline, now)?;
        self.release(&signature)
    }

    /// C-SIGN-13.
    fn release(&self, signature: &[u8]) -> Result<IssuedCa, CaError> {
        let key = PublicKeyInfo::parse(&self.issuer_spki)?;
        self.template
            .check_signature(self.verifier, &key, signature)
            .map_err(CaError::SignerMisbehaved)?;
        let der = self.template.with_signature(signature);
        self.template.check(&der)?;
        Ok(IssuedCa {
            not_after: self.template.not_after,
            serial: self.template.serial,
            der,
        })
    }
}

/// The certificate of an authority. Saved, it is its DER in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SavedCa", into = "SavedCa")]
pub struct IssuedCa {
    der: Vec<u8>,
    serial: SerialNumber,
    not_after: UnixTime,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct SavedCa(#[serde(with = "crate::base64_serde")] Vec<u8>);

impl From<IssuedCa> for SavedCa {
    fn from(issued: IssuedCa) -> Self {
        Self(issued.der)
    }
}

impl TryFrom<SavedCa> for IssuedCa {
    type Error = String;

    fn try_from(SavedCa(der): SavedCa) -> Result<Self, String> {
        let certificate = Certificate::parse(&der).map_err(|error| error.to_string())?;
        let is_ca = certificate
            .basic_constraints()
            .is_some_and(|constraints| constraints.ca);
        let serial = certificate.serial_number().filter(|_| is_ca);
        Ok(Self {
            serial: serial.ok_or("the certificate is none of an authority")?,
            not_after: certificate.not_after(),
            der,
        })
    }
}

impl IssuedCa {
    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate in PEM.
    pub fn to_pem(&self) -> String {
        pem::encode(PemLabel::Certificate, &self.der)
    }

    /// Its serial number.
    pub fn serial(&self) -> SerialNumber {
        self.serial
    }

    /// When it ends. Keep the latest one of all that an authority has issued before handing it out (C-SIGN-16).
    pub fn not_after(&self) -> UnixTime {
        self.not_after
    }
}

/// A root with a new certificate; see [`Authority::renew`].
#[derive(Debug, Clone)]
pub struct Renewal {
    /// The authority with its new certificate. Its bundle has both.
    pub authority: Authority,
    /// The new certificate.
    pub issued: IssuedCa,
}
