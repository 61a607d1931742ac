//! X.509 certificates, read strictly.

mod encode;
mod error;
mod extensions;
mod general_name;
mod serial;

use sha2::{Digest, Sha256};

pub(crate) use self::encode::*;
pub use self::error::CertificateError;
pub use self::extensions::{BasicConstraints, KeyPurpose, KeyUsage};
pub(crate) use self::extensions::{Extensions, SeenExtensions, authority_key_id};
pub(crate) use self::extensions::{basic_constraints, extended_key_usage, key_usage, purposes};
pub use self::general_name::{DistinguishedName, GeneralName};
pub(crate) use self::general_name::{GeneralNames, relative_names_match};
pub use self::serial::{SerialNumber, SerialNumberError};
use crate::der::{
    self, BIT_STRING, DerErrorKind, Element, INTEGER, Reader, SEQUENCE, context, context_constructed,
};
use crate::oid;
use crate::signature::{parse_identifier, verify_signature};
use crate::{
    Limits, PublicKeyError, PublicKeyInfo, SignatureAlgorithm, SignatureError, SignatureVerifier,
    SpiffeIdRef, UnixTime,
};

/// An X.509 certificate, borrowed from its DER.
///
/// Parsing is strict (one encoding of each value, no extension twice, every extension that matters well-formed), but says
/// nothing about trust: that is the question of [`TrustBundle::verify`](crate::TrustBundle::verify).
///
/// ```
/// use mesh_ca::{Certificate, pem::{self, PemLabel}};
///
/// const ROOT: &[u8] = include_bytes!("../../tests/data/root.pem");
/// let der = pem::parse_one(ROOT, PemLabel::Certificate)?;
/// let root = Certificate::parse(&der)?;
/// assert_eq!(root.subject().to_string(), "O=example, CN=root");
/// assert!(root.basic_constraints().is_some_and(|constraints| constraints.ca));
/// assert!(root.is_self_issued());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Spec: RFC 5280 §4.1, §4.2; ca.md C-GEN-9, C-VFY-6, C-VFY-7, C-VFY-12, C-VFY-18.
#[derive(Debug, Clone)]
pub struct Certificate<'a> {
    der: &'a [u8],
    tbs: &'a [u8],
    version: u8,
    serial: &'a [u8],
    issuer: DistinguishedName<'a>,
    subject: DistinguishedName<'a>,
    not_before: UnixTime,
    not_after: UnixTime,
    public_key: &'a [u8],
    has_unique_ids: bool,
    extensions: Extensions<'a>,
    signature_algorithm: Element<'a>,
    signature: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Parses the DER of one certificate, with the default limits.
    ///
    /// # Errors
    /// The first rule broken. Keys and signature algorithms that are not supported are no error here, but when they are
    /// asked for.
    pub fn parse(der: &'a [u8]) -> Result<Self, CertificateError> {
        Self::parse_with(der, &Limits::default())
    }

    /// Parses the DER of one certificate, of at most [`Limits::certificate`] bytes and [`Limits::subject_alt_names`] names.
    ///
    /// # Errors
    /// As [`Certificate::parse`].
    pub fn parse_with(der: &'a [u8], limits: &Limits) -> Result<Self, CertificateError> {
        if der.len() > limits.certificate {
            return Err(CertificateError::TooLarge);
        }
        der::check(der)?;
        Self::parse_within(der, limits)
    }

    /// Parses a certificate that was just made, and so is strict DER: what its values are is asked, and whether it is within
    /// the limits.
    pub(crate) fn parse_within(der: &'a [u8], limits: &Limits) -> Result<Self, CertificateError> {
        if der.len() > limits.certificate {
            return Err(CertificateError::TooLarge);
        }
        let certificate = Self::parse_checked(der)?;
        let names = certificate.extensions.subject_alt_names;
        if names.map_or(0, |names| names.value.len()) > limits.subject_alt_names {
            return Err(CertificateError::TooManyNames);
        }
        Ok(certificate)
    }

    /// Parses a certificate that was read before, and so is known to be strict DER within the limits.
    pub(crate) fn parse_checked(der: &'a [u8]) -> Result<Self, CertificateError> {
        let mut outer = der::single(der, SEQUENCE)?.reader()?;
        let tbs = outer.read(SEQUENCE)?;
        let signature_algorithm = outer.read(SEQUENCE)?;
        let signature = outer.read(BIT_STRING)?.whole_bits()?;
        outer.finish()?;
        let mut fields = tbs.reader()?;
        let version = version(&mut fields)?;
        let serial = fields.read(INTEGER)?.integer()?;
        if fields.read(SEQUENCE)?.der != signature_algorithm.der {
            return Err(CertificateError::AlgorithmMismatch);
        }
        let issuer = DistinguishedName::parse(&fields.read(SEQUENCE)?)?;
        let mut validity = fields.nested(SEQUENCE)?;
        let not_before = validity.any()?.time()?;
        let not_after = validity.any()?.time()?;
        validity.finish()?;
        let subject = DistinguishedName::parse(&fields.read(SEQUENCE)?)?;
        let public_key = fields.read(SEQUENCE)?.der;
        let issuer_id = fields.optional(context(1))?;
        let subject_id = fields.optional(context(2))?;
        let has_unique_ids = issuer_id.is_some() || subject_id.is_some();
        let extensions = match fields.optional(context_constructed(3))? {
            Some(tagged) if version == 3 => Extensions::parse(tagged.reader()?)?,
            None => Extensions::default(),
            Some(_) => return Err(CertificateError::Version),
        };
        fields.finish()?;
        if has_unique_ids && version == 1 {
            return Err(CertificateError::Version);
        }
        Ok(Self {
            der,
            tbs: tbs.der,
            version,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            public_key,
            has_unique_ids,
            extensions,
            signature_algorithm,
            signature,
        })
    }

    /// The whole certificate.
    pub fn der(&self) -> &'a [u8] {
        self.der
    }

    /// The part that is signed.
    pub fn tbs_der(&self) -> &'a [u8] {
        self.tbs
    }

    /// 1, 2 or 3.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// The serial number, if it is positive and has at most 20 bytes, as it must be.
    pub fn serial_number(&self) -> Option<SerialNumber> {
        SerialNumber::from_integer(self.serial)
    }

    /// The content of the serial number's INTEGER, whatever it is.
    pub fn serial_bytes(&self) -> &'a [u8] {
        self.serial
    }

    /// Who issued it.
    pub fn issuer(&self) -> DistinguishedName<'a> {
        self.issuer
    }

    /// Whose key it is; for SVIDs the name that counts is the [SPIFFE id](Self::spiffe_id).
    pub fn subject(&self) -> DistinguishedName<'a> {
        self.subject
    }

    /// Whether issuer and subject are the same name, byte by byte.
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// The first second in which it is valid.
    pub fn not_before(&self) -> UnixTime {
        self.not_before
    }

    /// The last second in which it is valid.
    pub fn not_after(&self) -> UnixTime {
        self.not_after
    }

    /// The public key.
    ///
    /// # Errors
    /// When the key is malformed, too weak, or of an algorithm that is not supported.
    pub fn public_key(&self) -> Result<PublicKeyInfo<'a>, PublicKeyError> {
        PublicKeyInfo::parse(self.public_key)
    }

    /// The DER of the SubjectPublicKeyInfo, whatever it is.
    pub fn public_key_der(&self) -> &'a [u8] {
        self.public_key
    }

    /// How it is signed.
    ///
    /// # Errors
    /// When the algorithm is not supported.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, SignatureError> {
        parse_identifier(&self.signature_algorithm)
    }

    /// The signature.
    pub fn signature(&self) -> &'a [u8] {
        self.signature
    }

    /// Checks that the certificate was signed with `issuer_key`. That alone says nothing about trust.
    ///
    /// # Errors
    /// When it was not, or the algorithm is not supported or does not fit the key.
    pub fn verify_signature(
        &self,
        issuer_key: &PublicKeyInfo<'_>,
        verifier: &dyn SignatureVerifier,
    ) -> Result<(), SignatureError> {
        let algorithm = self.signature_algorithm()?;
        verify_signature(verifier, algorithm, issuer_key, self.tbs, self.signature)
    }

    /// The subject alternative names, in their order.
    pub fn subject_alt_names(&self) -> impl Iterator<Item = GeneralName<'a>> + Clone {
        let names = self.extensions.subject_alt_names;
        names.into_iter().flat_map(|names| names.value.iter())
    }

    /// Whether subjectAltName is there and critical.
    pub fn is_subject_alt_name_critical(&self) -> Option<bool> {
        self.extensions.subject_alt_names.map(|names| names.critical)
    }

    /// The URI names.
    pub fn uris(&self) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.subject_alt_names().filter_map(|name| match name {
            GeneralName::Uri(uri) => Some(uri),
            _ => None,
        })
    }

    /// The SPIFFE id, if there is exactly one URI name and it is one.
    ///
    /// Spec: X509-SVID standard, section 2.
    pub fn spiffe_id(&self) -> Option<SpiffeIdRef<'a>> {
        let mut uris = self.uris();
        match (uris.next(), uris.next()) {
            (Some(uri), None) => SpiffeIdRef::parse_bytes(uri).ok(),
            _ => None,
        }
    }

    /// basicConstraints.
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.extensions.basic_constraints.map(|extension| extension.value)
    }

    /// keyUsage.
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.extensions.key_usage.map(|extension| extension.value)
    }

    /// Whether extKeyUsage is there.
    pub fn has_extended_key_usage(&self) -> bool {
        self.extensions.extended_key_usage.is_some()
    }

    /// Whether extKeyUsage names the purpose. `anyExtendedKeyUsage` is not counted.
    pub fn names_purpose(&self, purpose: KeyPurpose) -> bool {
        self.purposes().any(|found| found == purpose.oid())
    }

    /// Whether the certificate may be used for the purpose: extKeyUsage is absent, names it, or names
    /// `anyExtendedKeyUsage`.
    pub fn allows_purpose(&self, purpose: KeyPurpose) -> bool {
        let is_allowed = |found: &[u8]| found == purpose.oid() || found == oid::ANY_EXTENDED_KEY_USAGE;
        !self.has_extended_key_usage() || self.purposes().any(is_allowed)
    }

    /// subjectKeyIdentifier.
    pub fn subject_key_id(&self) -> Option<&'a [u8]> {
        self.extensions.subject_key_id.map(|extension| extension.value)
    }

    /// The key identifier of authorityKeyIdentifier.
    pub fn authority_key_id(&self) -> Option<&'a [u8]> {
        self.extensions
            .authority_key_id
            .and_then(|extension| extension.value)
    }

    /// SHA-256 over the whole certificate.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.der).into()
    }

    pub(crate) fn extensions(&self) -> &Extensions<'a> {
        &self.extensions
    }

    pub(crate) fn has_unique_ids(&self) -> bool {
        self.has_unique_ids
    }

    fn purposes(&self) -> impl Iterator<Item = &'a [u8]> {
        let value = self
            .extensions
            .extended_key_usage
            .map(|extension| extension.value);
        value.into_iter().flat_map(purposes)
    }
}

/// 1 by default, 2 or 3 where it is written.
fn version(fields: &mut Reader<'_>) -> Result<u8, CertificateError> {
    let Some(tagged) = fields.optional(context_constructed(0))? else {
        return Ok(1);
    };
    let mut reader = tagged.reader()?;
    let version = reader.read(INTEGER)?.u64()?;
    reader.finish()?;
    match version {
        0 => Err(tagged.error(DerErrorKind::DefaultEncoded).into()),
        1 => Ok(2),
        2 => Ok(3),
        _ => Err(CertificateError::Version),
    }
}

#[cfg(test)]
mod tests;
