//! The extensions of a certificate, each read strictly.

use std::ops::BitOr;

use serde::{Deserialize, Serialize};

use super::CertificateError;
use super::general_name::{GeneralName, GeneralNames};
use crate::der::{
    self, BIT_STRING, DerError, DerErrorKind, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE,
    context, context_constructed,
};
use crate::oid;

/// What a key may be used for.
///
/// ```
/// use mesh_ca::KeyUsage;
///
/// let usage = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN;
/// assert!(usage.contains(KeyUsage::CRL_SIGN));
/// assert!(!usage.contains(KeyUsage::DIGITAL_SIGNATURE));
/// ```
///
/// Spec: RFC 5280 §4.2.1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// Signatures other than those on certificates and CRLs.
    pub const DIGITAL_SIGNATURE: Self = Self(1);
    /// Signatures that commit to a content (non-repudiation).
    pub const CONTENT_COMMITMENT: Self = Self(1 << 1);
    /// Encrypting keys.
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    /// Encrypting data.
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 3);
    /// Agreeing on keys.
    pub const KEY_AGREEMENT: Self = Self(1 << 4);
    /// Signing certificates.
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    /// Signing CRLs.
    pub const CRL_SIGN: Self = Self(1 << 6);
    /// With key agreement: encrypting only.
    pub const ENCIPHER_ONLY: Self = Self(1 << 7);
    /// With key agreement: decrypting only.
    pub const DECIPHER_ONLY: Self = Self(1 << 8);

    /// Whether every usage of `other` is allowed.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any usage of `other` is allowed.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The bits: bit `n` of the standard has the value `1 << n`.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// From [`bits`](Self::bits); bits above 8 are left out.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0x1ff)
    }
}

impl From<KeyUsage> for u16 {
    fn from(usage: KeyUsage) -> Self {
        usage.0
    }
}

impl TryFrom<u16> for KeyUsage {
    type Error = &'static str;

    /// For saved state: unlike [`from_bits`](KeyUsage::from_bits) it leaves nothing out.
    fn try_from(bits: u16) -> Result<Self, Self::Error> {
        let usage = Self::from_bits(bits);
        if usage.0 == bits {
            Ok(usage)
        } else {
            Err("key usage has nine bits")
        }
    }
}

impl BitOr for KeyUsage {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// basicConstraints.
///
/// Spec: RFC 5280 §4.2.1.9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasicConstraints {
    /// Whether the subject is a certificate authority.
    pub ca: bool,
    /// How many intermediate certificates may follow, self-issued ones not counted.
    pub path_len: Option<u64>,
}

/// A purpose of extended key usage, as far as TLS asks for it.
///
/// Spec: RFC 5280 §4.2.1.12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyPurpose {
    /// clientAuth: the peer is a TLS client.
    ClientAuth,
    /// serverAuth: the peer is a TLS server.
    ServerAuth,
}

impl KeyPurpose {
    /// The name that RFC 5280 gives it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientAuth => "clientAuth",
            Self::ServerAuth => "serverAuth",
        }
    }

    pub(crate) fn oid(self) -> &'static [u8] {
        match self {
            Self::ClientAuth => oid::CLIENT_AUTH,
            Self::ServerAuth => oid::SERVER_AUTH,
        }
    }
}

/// An extension with its criticality.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extension<T> {
    pub(crate) critical: bool,
    pub(crate) value: T,
}

/// The extensions that the verification of a path looks at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extensions<'a> {
    pub(crate) authority_key_id: Option<Extension<Option<&'a [u8]>>>,
    pub(crate) basic_constraints: Option<Extension<BasicConstraints>>,
    pub(crate) extended_key_usage: Option<Extension<&'a [u8]>>,
    pub(crate) key_usage: Option<Extension<KeyUsage>>,
    /// Read when a path goes through the certificate.
    pub(crate) name_constraints: Option<Extension<&'a [u8]>>,
    /// policyMappings, policyConstraints or inhibitAnyPolicy.
    pub(crate) has_policy_rules: bool,
    pub(crate) subject_alt_names: Option<Extension<GeneralNames<'a>>>,
    pub(crate) subject_key_id: Option<Extension<&'a [u8]>>,
    /// The first critical extension that is not one of those here.
    pub(crate) unknown_critical: Option<&'a [u8]>,
}

impl<'a> Extensions<'a> {
    /// Reads the SEQUENCE OF Extension inside the explicit tag.
    pub(crate) fn parse(mut tagged: Reader<'a>) -> Result<Self, CertificateError> {
        let mut sequence = tagged.nested(SEQUENCE)?;
        tagged.finish()?;
        if sequence.is_empty() {
            return Err(sequence.error(DerErrorKind::Truncated).into());
        }
        let mut extensions = Self::default();
        let mut seen = SeenExtensions::default();
        while !sequence.is_empty() {
            let mut extension = sequence.nested(SEQUENCE)?;
            let oid = extension.read(OBJECT_IDENTIFIER)?.oid()?;
            let critical = extension.default_false()?;
            let value = extension.read(OCTET_STRING)?.content;
            extension.finish()?;
            seen.insert(oid)?;
            extensions.read(oid, critical, value)?;
        }
        seen.finish()?;
        Ok(extensions)
    }

    fn read(&mut self, oid: &'a [u8], critical: bool, value: &'a [u8]) -> Result<(), CertificateError> {
        fn named<T>(name: &'static str, result: Result<T, DerError>) -> Result<T, CertificateError> {
            result.map_err(|error| CertificateError::Extension { name, error })
        }
        match oid {
            oid::AUTHORITY_KEY_ID => {
                let value = named("authorityKeyIdentifier", authority_key_id(value))?;
                self.authority_key_id = Some(Extension { critical, value });
            }
            oid::SUBJECT_KEY_ID => {
                let value = named("subjectKeyIdentifier", der::single(value, OCTET_STRING))?.content;
                self.subject_key_id = Some(Extension { critical, value });
            }
            oid::BASIC_CONSTRAINTS => {
                let value = named("basicConstraints", basic_constraints(value))?;
                self.basic_constraints = Some(Extension { critical, value });
            }
            oid::KEY_USAGE => {
                let value = named("keyUsage", key_usage(value))?;
                self.key_usage = Some(Extension { critical, value });
            }
            oid::EXTENDED_KEY_USAGE => {
                named("extKeyUsage", extended_key_usage(value))?;
                self.extended_key_usage = Some(Extension { critical, value });
            }
            oid::SUBJECT_ALT_NAME => {
                let value = named("subjectAltName", GeneralNames::parse(value))?;
                self.subject_alt_names = Some(Extension { critical, value });
            }
            oid::NAME_CONSTRAINTS => self.name_constraints = Some(Extension { critical, value }),
            oid::POLICY_MAPPINGS | oid::POLICY_CONSTRAINTS | oid::INHIBIT_ANY_POLICY => {
                self.has_policy_rules = true;
            }
            // Parsed and not asked for: policies are no rule here (C-VFY-11), and CRLs come from the embedder.
            oid::CERTIFICATE_POLICIES => named("certificatePolicies", certificate_policies(value))?,
            oid::CRL_DISTRIBUTION_POINTS => named("cRLDistributionPoints", distribution_points(value))?,
            oid::ISSUER_ALT_NAME => {
                named("issuerAltName", GeneralNames::parse(value))?;
            }
            oid::AUTHORITY_INFO_ACCESS => {
                named("authorityInfoAccess", access_descriptions(value))?;
                if critical && self.unknown_critical.is_none() {
                    self.unknown_critical = Some(oid);
                }
            }
            _ if critical && self.unknown_critical.is_none() => self.unknown_critical = Some(oid),
            _ => {}
        }
        Ok(())
    }
}

/// The purposes of an extKeyUsage that was checked.
pub(crate) fn purposes(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut reader = der::single(value, SEQUENCE)
        .and_then(|purposes| purposes.reader())
        .unwrap_or(Reader::new(&[]));
    std::iter::from_fn(move || reader.any().ok().map(|purpose| purpose.content))
}

/// Object identifiers of extensions, each of which may come once. Those of the arc id-ce are bits of a word, and the
/// others are compared at the end, so that many extensions cost no more than sorting.
#[derive(Default)]
pub(crate) struct SeenExtensions<'a> {
    standard: u64,
    others: Vec<&'a [u8]>,
}

impl<'a> SeenExtensions<'a> {
    pub(crate) fn insert(&mut self, oid: &'a [u8]) -> Result<(), CertificateError> {
        match oid {
            [0x55, 0x1d, number @ 0..=63] => {
                let bit = 1_u64 << number;
                if self.standard & bit != 0 {
                    return Err(duplicate(oid));
                }
                self.standard |= bit;
            }
            other => self.others.push(other),
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<(), CertificateError> {
        self.others.sort_unstable();
        match self
            .others
            .iter()
            .zip(self.others.iter().skip(1))
            .find(|(a, b)| a == b)
        {
            Some((oid, _)) => Err(duplicate(oid)),
            None => Ok(()),
        }
    }
}

fn duplicate(oid: &[u8]) -> CertificateError {
    CertificateError::DuplicateExtension {
        oid: oid::dotted(oid),
    }
}

/// The key identifier, if there is one. Spec: RFC 5280 §4.2.1.1.
pub(crate) fn authority_key_id(value: &[u8]) -> Result<Option<&[u8]>, DerError> {
    let mut reader = der::single(value, SEQUENCE)?.reader()?;
    let key_id = reader.optional(context(0))?.map(|element| element.content);
    if let Some(issuer) = reader.optional(context_constructed(1))? {
        let mut names = issuer.reader()?;
        while !names.is_empty() {
            GeneralName::parse(&names.any()?)?;
        }
    }
    if let Some(serial) = reader.optional(context(2))? {
        serial.integer()?;
    }
    reader.finish()?;
    Ok(key_id)
}

pub(crate) fn basic_constraints(value: &[u8]) -> Result<BasicConstraints, DerError> {
    let mut reader = der::single(value, SEQUENCE)?.reader()?;
    let ca = reader.default_false()?;
    let path_len = reader
        .optional(INTEGER)?
        .map(|element| element.u64())
        .transpose()?;
    reader.finish()?;
    Ok(BasicConstraints { ca, path_len })
}

/// A list of named bits: no bits of zero at its end, and at least one that is set.
pub(crate) fn key_usage(value: &[u8]) -> Result<KeyUsage, DerError> {
    let element = der::single(value, BIT_STRING)?;
    let (bytes, unused) = element.bits()?;
    let last = bytes.last().copied().unwrap_or(0);
    if last >> unused & 1 == 0 || bytes.len() > 2 {
        return Err(element.error(DerErrorKind::BitString));
    }
    let word = bytes.iter().zip([0_u32, 8]).fold(0_u16, |word, (byte, shift)| {
        word | u16::from(byte.reverse_bits()) << shift
    });
    Ok(KeyUsage::from_bits(word))
}

pub(crate) fn extended_key_usage(value: &[u8]) -> Result<(), DerError> {
    let mut reader = der::single(value, SEQUENCE)?.reader()?;
    loop {
        reader.read(OBJECT_IDENTIFIER)?.oid()?;
        if reader.is_empty() {
            return Ok(());
        }
    }
}

/// Spec: RFC 5280 §4.2.1.4.
fn certificate_policies(value: &[u8]) -> Result<(), DerError> {
    der::check(value)?;
    let mut reader = der::single(value, SEQUENCE)?.reader()?;
    loop {
        let mut policy = reader.nested(SEQUENCE)?;
        policy.read(OBJECT_IDENTIFIER)?.oid()?;
        policy.optional(SEQUENCE)?;
        policy.finish()?;
        if reader.is_empty() {
            return Ok(());
        }
    }
}

/// Spec: RFC 5280 §4.2.1.13.
fn distribution_points(value: &[u8]) -> Result<(), DerError> {
    der::check(value)?;
    let mut reader = der::single(value, SEQUENCE)?.reader()?;
    loop {
        let mut point = reader.nested(SEQUENCE)?;
        point.optional(context_constructed(0))?;
        point.optional(context(1))?;
        point.optional(context_constructed(2))?;
        point.finish()?;
        if reader.is_empty() {
            return Ok(());
        }
    }
}

/// Spec: RFC 5280 §4.2.2.1.
fn access_descriptions(value: &[u8]) -> Result<(), DerError> {
    let mut reader = der::single(value, SEQUENCE)?.reader()?;
    loop {
        let mut description = reader.nested(SEQUENCE)?;
        description.read(OBJECT_IDENTIFIER)?.oid()?;
        GeneralName::parse(&description.any()?)?;
        description.finish()?;
        if reader.is_empty() {
            return Ok(());
        }
    }
}
