//! What a request may ask for, and the proof that it asks for no more.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::CsrError;
use super::parse::{Parsed, Requested, list};
use crate::certificate::{
    BasicConstraints, CertificateError, GeneralName, GeneralNames, SeenExtensions, basic_constraints,
    extended_key_usage, key_usage, purposes,
};
use crate::der::{DerError, Element};
use crate::pem::{self, PemLabel};
use crate::{
    DistinguishedName, KeyAlgorithm, KeyUsage, Limits, SignatureVerifier, SpiffeId, SpiffeIdRef,
    default_verifier, dns_name, oid,
};

/// The largest subject, in bytes (C-CSR-14).
const MAX_SUBJECT: usize = 4 << 10;

/// Whether a request must name its SPIFFE id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SanMode {
    /// The id may be left out: it comes from the caller then.
    OptionalFromCaller,
    /// There must be exactly one. The default.
    #[default]
    Require,
}

/// What a signing request may contain.
///
/// Requests are validated in this order, and the first rule that is broken is reported: size and PEM; strict DER; version;
/// public key; signature algorithm; signature; attributes; extensions; the URI name; other names; subject; key lists.
///
/// ```
/// use mesh_ca::{CsrBuilder, CsrPolicy, InsecureSeededEntropy, KeyPair};
///
/// let key = KeyPair::generate(&mut InsecureSeededEntropy::new(1))?;
/// let csr = CsrBuilder::new(&"spiffe://td/ns/a/sa/b".parse()?)
///     .with_dns_name("b.a.svc")
///     .build(&key)?;
/// let error = CsrPolicy::istio().check(csr.der()).unwrap_err();
/// assert_eq!(error.code(), "csr.san_not_allowed");
/// let valid = CsrPolicy::istio().with_dns_names(true).check(csr.der())?;
/// assert_eq!(valid.dns_names(), ["b.a.svc"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Spec: ca.md C-CSR-3..17.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CsrPolicy {
    san_mode: SanMode,
    allow_benign: bool,
    allow_dns: bool,
    allow_ip: bool,
    ignored_attributes: Vec<String>,
    limits: Limits,
}

impl CsrPolicy {
    /// What Istio's registration authority takes, and the default: one URI name, and nothing else.
    pub fn istio() -> Self {
        Self::default()
    }

    /// Whether the SPIFFE id must stand in the request.
    pub fn with_san_mode(mut self, mode: SanMode) -> Self {
        self.san_mode = mode;
        self
    }

    /// Whether keyUsage, extKeyUsage and basicConstraints may be requested, as far as they ask for nothing that a workload
    /// does not get anyway. They are checked and then ignored. Default no.
    pub fn with_benign_extensions(mut self, allowed: bool) -> Self {
        self.allow_benign = allowed;
        self
    }

    /// Whether DNS names may be requested. Default no.
    pub fn with_dns_names(mut self, allowed: bool) -> Self {
        self.allow_dns = allowed;
        self
    }

    /// Whether IP addresses may be requested. Default no.
    pub fn with_ip_addresses(mut self, allowed: bool) -> Self {
        self.allow_ip = allowed;
        self
    }

    /// Attributes, by their dotted object identifiers, that are passed over, such as `1.2.840.113549.1.9.7`
    /// (challengePassword). Default none; every other attribute than extensionRequest is refused.
    pub fn with_ignored_attributes<S: Into<String>>(mut self, oids: impl IntoIterator<Item = S>) -> Self {
        self.ignored_attributes = oids.into_iter().map(Into::into).collect();
        self
    }

    /// Other limits for the size and the number of names.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Validates the request of a workload, in DER or PEM, with the default signature verifier and without key lists.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self, request: &[u8]) -> Result<ValidCsr, CsrError> {
        self.check_with(request, default_verifier(), &NoKeySet)
    }

    /// As [`check`](Self::check), with a signature verifier and what is known of keys.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check_with(
        &self,
        request: &[u8],
        verifier: &dyn SignatureVerifier,
        keys: &dyn KeySet,
    ) -> Result<ValidCsr, CsrError> {
        let der = self.to_der(request)?;
        let parsed = Parsed::new(&der)?;
        // Reading is done in one go, before the arithmetic that empties the caches of a processor; what it finds is told
        // after what the signature says.
        let content = self.content(&parsed, &der);
        parsed.check_signature(verifier)?;
        let mut csr = content?;
        csr.bound_to = check_key(keys, &csr.spki_digest)?;
        Ok(csr)
    }

    /// What a workload asks for, if it may ask for that. Whether the request is its own is not known yet.
    fn content(&self, parsed: &Parsed<'_>, der: &[u8]) -> Result<ValidCsr, CsrError> {
        let mut names = Names::default();
        let mut other_extensions = false;
        if let Some(extensions) = parsed.extension_request(&self.ignored_attributes)? {
            let extensions = list(&extensions)?;
            refuse_duplicates(&extensions)?;
            refuse_authorities(&extensions)?;
            for (oid, value) in &extensions {
                match *oid {
                    oid::SUBJECT_ALT_NAME => names = self.names(value)?,
                    other => {
                        self.check_benign(other, value)?;
                        other_extensions = true;
                    }
                }
            }
        }
        if names.uri.is_none() && self.san_mode == SanMode::Require {
            return Err(CsrError::NoUriSan);
        }
        if names.uri.as_ref().is_some_and(SpiffeId::is_trust_domain_id) {
            return Err(CsrError::IdKind);
        }
        Ok(ValidCsr {
            spki: Arc::from(parsed.public_key.der()),
            spki_digest: parsed.public_key.digest(),
            key_id: parsed.public_key.key_id_bytes(),
            key_algorithm: parsed.public_key.algorithm(),
            uri: names.uri,
            dns: names.dns,
            ips: names.ips,
            subject: CsrSubject::parse(&parsed.subject)?,
            other_extensions,
            bound_to: None,
            digest: Sha256::digest(der).into(),
        })
    }

    /// Validates the request of an intermediate authority: it must ask for cA, its only name may be the id of a trust
    /// domain, and of keyUsage it may want what authorities have.
    ///
    /// ```
    /// use mesh_ca::{CsrBuilder, CsrPolicy, InsecureSeededEntropy, KeyPair};
    ///
    /// let key = KeyPair::generate(&mut InsecureSeededEntropy::new(1))?;
    /// let csr = CsrBuilder::for_intermediate(&"td".parse()?)?.build(&key)?;
    /// assert_eq!(CsrPolicy::istio().check(csr.der()).unwrap_err().code(), "csr.ca_requested");
    /// let valid = CsrPolicy::istio().check_ca(csr.der())?;
    /// assert_eq!(valid.trust_domain().map(|domain| domain.to_string()).as_deref(), Some("td"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first rule that is broken.
    ///
    /// Source: ca.md C-CSR-11, C-CA-8.
    pub fn check_ca(&self, request: &[u8]) -> Result<ValidCaCsr, CsrError> {
        self.check_ca_with(request, default_verifier(), &NoKeySet)
    }

    /// As [`check_ca`](Self::check_ca), with a signature verifier and what is known of keys.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check_ca_with(
        &self,
        request: &[u8],
        verifier: &dyn SignatureVerifier,
        keys: &dyn KeySet,
    ) -> Result<ValidCaCsr, CsrError> {
        let der = self.to_der(request)?;
        let parsed = Parsed::new(&der)?;
        parsed.check_signature(verifier)?;
        let mut names = Names::default();
        let mut constraints = None;
        if let Some(extensions) = parsed.extension_request(&self.ignored_attributes)? {
            let extensions = list(&extensions)?;
            refuse_duplicates(&extensions)?;
            let usages = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN | KeyUsage::DIGITAL_SIGNATURE;
            for (oid, value) in &extensions {
                match *oid {
                    oid::SUBJECT_ALT_NAME => names = self.names(value)?,
                    oid::BASIC_CONSTRAINTS => {
                        constraints = Some(named("basicConstraints", basic_constraints(value))?);
                    }
                    oid::KEY_USAGE if usages.contains(named("keyUsage", key_usage(value))?) => {}
                    other => return Err(not_allowed(other)),
                }
            }
        }
        let Some(BasicConstraints { ca: true, path_len }) = constraints else {
            return Err(not_allowed(oid::BASIC_CONSTRAINTS));
        };
        if names.uri.as_ref().is_some_and(SpiffeId::is_workload_id) {
            return Err(CsrError::IdKind);
        }
        if !names.dns.is_empty() || !names.ips.is_empty() {
            return Err(CsrError::SanNotAllowed { kind: "of a host" });
        }
        CsrSubject::parse(&parsed.subject)?;
        check_key(keys, &parsed.public_key.digest())?;
        Ok(ValidCaCsr {
            spki: Arc::from(parsed.public_key.der()),
            key_algorithm: parsed.public_key.algorithm(),
            id: names.uri,
            path_len,
            digest: Sha256::digest(&der).into(),
        })
    }

    /// C-CSR-3. PEM of the largest request has about 1.4 times its size; more text around it is no request.
    fn to_der<'r>(&self, request: &'r [u8]) -> Result<std::borrow::Cow<'r, [u8]>, CsrError> {
        let is_der = request.first() == Some(&crate::der::SEQUENCE);
        let limit = if is_der {
            self.limits.csr
        } else {
            self.limits.csr.saturating_mul(2)
        };
        if request.len() > limit {
            return Err(CsrError::TooLarge);
        }
        if is_der {
            return Ok(request.into());
        }
        let der = pem::parse_one(request, PemLabel::CertificateRequest)?;
        if der.len() > self.limits.csr {
            return Err(CsrError::TooLarge);
        }
        Ok(der.into())
    }

    /// C-CSR-10, the part of `allow_benign`.
    fn check_benign(&self, oid: &[u8], value: &[u8]) -> Result<(), CsrError> {
        let usages = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT | KeyUsage::KEY_AGREEMENT;
        let is_benign = self.allow_benign
            && match oid {
                // cA was refused before.
                oid::BASIC_CONSTRAINTS => named("basicConstraints", basic_constraints(value))?
                    .path_len
                    .is_none(),
                oid::KEY_USAGE => usages.contains(named("keyUsage", key_usage(value))?),
                oid::EXTENDED_KEY_USAGE => {
                    named("extKeyUsage", extended_key_usage(value))?;
                    purposes(value).all(|purpose| matches!(purpose, oid::SERVER_AUTH | oid::CLIENT_AUTH))
                }
                _ => false,
            };
        if is_benign { Ok(()) } else { Err(not_allowed(oid)) }
    }

    /// C-CSR-12, C-CSR-13.
    fn names(&self, value: &[u8]) -> Result<Names, CsrError> {
        let names = named("subjectAltName", GeneralNames::parse(value))?;
        if names.len() > self.limits.subject_alt_names {
            return Err(CsrError::TooManyNames);
        }
        let mut uris = names.iter().filter_map(|name| match name {
            GeneralName::Uri(uri) => Some(uri),
            _ => None,
        });
        let uri = match (uris.next(), uris.next()) {
            (None, _) => None,
            (Some(uri), None) => Some(SpiffeIdRef::parse_bytes(uri).map_err(CsrError::Id)?.to_owned()),
            (Some(_), Some(_)) => return Err(CsrError::MultipleUriSans),
        };
        let (mut dns, mut ips) = (Vec::new(), Vec::new());
        for name in names.iter() {
            let refused = |kind| Err(CsrError::SanNotAllowed { kind });
            match name {
                GeneralName::Uri(_) => {}
                GeneralName::Dns(name) if self.allow_dns => {
                    match std::str::from_utf8(name).ok().and_then(dns_name::canonical) {
                        Some(name) => push_once(&mut dns, name),
                        None => return refused("dNSName"),
                    }
                }
                GeneralName::IpAddress(address) if self.allow_ip => match ip_address(address) {
                    Some(address) => push_once(&mut ips, address),
                    None => return refused("iPAddress"),
                },
                GeneralName::Dns(_) => return refused("dNSName"),
                GeneralName::IpAddress(_) => return refused("iPAddress"),
                GeneralName::Rfc822(_) => return refused("rfc822Name"),
                GeneralName::DirectoryName(_) => return refused("directoryName"),
                GeneralName::Other(8, _) => return refused("registeredID"),
                GeneralName::Other(5, _) => return refused("ediPartyName"),
                GeneralName::Other(3, _) => return refused("x400Address"),
                GeneralName::Other(..) => return refused("otherName"),
            }
        }
        Ok(Names { uri, dns, ips })
    }
}

/// The proof that a workload's request was validated: there is no other way to have one.
///
/// Whose it is, is another question: go on with [`authorize`](Self::authorize).
///
/// Source: ca.md C-CSR-16.
#[derive(Debug, Clone)]
pub struct ValidCsr {
    pub(crate) spki: Arc<[u8]>,
    pub(crate) spki_digest: [u8; 32],
    pub(crate) key_id: [u8; 20],
    pub(crate) key_algorithm: KeyAlgorithm,
    pub(crate) uri: Option<SpiffeId>,
    pub(crate) dns: Vec<String>,
    pub(crate) ips: Vec<IpAddr>,
    pub(crate) subject: CsrSubject,
    pub(crate) other_extensions: bool,
    pub(crate) bound_to: Option<SpiffeId>,
    pub(crate) digest: [u8; 32],
}

impl ValidCsr {
    /// The public key: the DER of a SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The kind of key, taken from the key itself, never from the signature (C-CSR-7).
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }

    /// The requested SPIFFE id.
    pub fn uri(&self) -> Option<&SpiffeId> {
        self.uri.as_ref()
    }

    /// The requested DNS names, in lower case.
    pub fn dns_names(&self) -> &[String] {
        &self.dns
    }

    /// The requested IP addresses.
    pub fn ip_addresses(&self) -> &[IpAddr] {
        &self.ips
    }

    /// SHA-256 over the DER of the request.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

/// The proof that the request of an intermediate authority was validated: there is no other way to have one.
#[derive(Debug, Clone)]
pub struct ValidCaCsr {
    pub(crate) spki: Arc<[u8]>,
    key_algorithm: KeyAlgorithm,
    id: Option<SpiffeId>,
    path_len: Option<u64>,
    digest: [u8; 32],
}

impl ValidCaCsr {
    /// The public key: the DER of a SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The kind of key.
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.key_algorithm
    }

    /// The trust domain that it names, if it names one.
    pub fn trust_domain(&self) -> Option<crate::TrustDomainRef<'_>> {
        self.id.as_ref().map(SpiffeId::trust_domain)
    }

    /// The path length that it asks for.
    pub fn path_len(&self) -> Option<u64> {
        self.path_len
    }

    /// SHA-256 over the DER of the request.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

/// What is known of a public key, by the SHA-256 of its SubjectPublicKeyInfo.
///
/// A captured request can be sent again by somebody else. With a set that says whom a key belongs to, it gets nothing.
///
/// Source: ca.md C-CSR-17.
pub trait KeySet: fmt::Debug {
    /// What is known of the key.
    fn status(&self, spki_digest: &[u8; 32]) -> KeyStatus;
}

/// What a [`KeySet`] knows of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum KeyStatus {
    /// It is the key of a certificate of this identity; others may not have it.
    BoundTo(SpiffeId),
    /// It may not be certified, for example since it was stolen.
    Denied,
    /// It is the key of an authority, perhaps of an old one.
    Issuer,
    /// Nothing is known of it.
    Unknown,
}

/// Knows nothing of any key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoKeySet;

impl KeySet for NoKeySet {
    fn status(&self, _: &[u8; 32]) -> KeyStatus {
        KeyStatus::Unknown
    }
}

/// What of the subject can matter (C-CSR-14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CsrSubject {
    /// It is empty, or one organization whose value is empty, as Istio's agents send.
    pub(crate) is_istio: bool,
    /// There is a common name, and it is not empty.
    pub(crate) has_common_name: bool,
}

impl CsrSubject {
    fn parse(element: &Element<'_>) -> Result<Self, CsrError> {
        if element.der.len() > MAX_SUBJECT {
            return Err(CsrError::Subject);
        }
        let name = DistinguishedName::parse(element).map_err(|_| CsrError::Subject)?;
        let attributes: Vec<_> = name.attributes().collect();
        let is_empty_organization =
            |(oid, value): &(&[u8], Element<'_>)| *oid == oid::ORGANIZATION && value.content.is_empty();
        Ok(Self {
            is_istio: attributes.len() <= 1 && attributes.iter().all(is_empty_organization),
            has_common_name: attributes
                .iter()
                .any(|(oid, value)| *oid == oid::COMMON_NAME && !value.content.is_empty()),
        })
    }
}

#[derive(Default)]
struct Names {
    uri: Option<SpiffeId>,
    dns: Vec<String>,
    ips: Vec<IpAddr>,
}

/// Names are certified once each (C-SIGN-9); how many there are is limited.
fn push_once<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn refuse_duplicates(extensions: &[Requested<'_>]) -> Result<(), CsrError> {
    let mut seen = SeenExtensions::default();
    extensions
        .iter()
        .try_for_each(|(oid, _)| seen.insert(oid))
        .and_then(|()| seen.finish())
        .map_err(CsrError::Extension)
}

/// C-CSR-11. It comes before C-CSR-10, which would refuse the same extensions with a less telling error.
fn refuse_authorities(extensions: &[Requested<'_>]) -> Result<(), CsrError> {
    for (oid, value) in extensions {
        let is_authority = match *oid {
            oid::BASIC_CONSTRAINTS => named("basicConstraints", basic_constraints(value))?.ca,
            oid::KEY_USAGE => {
                named("keyUsage", key_usage(value))?.intersects(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN)
            }
            oid::NAME_CONSTRAINTS | oid::POLICY_CONSTRAINTS => true,
            _ => false,
        };
        if is_authority {
            return Err(CsrError::CaRequested);
        }
    }
    Ok(())
}

/// C-CSR-17. Whom the key belongs to is compared when it is known who asks.
fn check_key(keys: &dyn KeySet, spki_digest: &[u8; 32]) -> Result<Option<SpiffeId>, CsrError> {
    match keys.status(spki_digest) {
        KeyStatus::BoundTo(id) => Ok(Some(id)),
        KeyStatus::Denied => Err(CsrError::KeyDenied),
        KeyStatus::Issuer => Err(CsrError::KeyIsIssuer),
        KeyStatus::Unknown => Ok(None),
    }
}

fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    }
    .map(|address| address.to_canonical())
}

fn named<T>(name: &'static str, result: Result<T, DerError>) -> Result<T, CsrError> {
    result.map_err(|error| CsrError::Extension(CertificateError::Extension { name, error }))
}

fn not_allowed(oid: &[u8]) -> CsrError {
    CsrError::ExtensionNotAllowed {
        oid: oid::dotted(oid),
    }
}
