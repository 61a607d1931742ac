//! Certificate revocation lists.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::RevocationReason;
use super::index::Index;
use crate::base64_serde;
use crate::certificate::{Certificate, DistinguishedName, authority_key_id};
use crate::der::{
    self, BIT_STRING, DerError, DerErrorKind, ENUMERATED, GENERALIZED_TIME, INTEGER, OBJECT_IDENTIFIER,
    OCTET_STRING, Reader, SEQUENCE, context, context_constructed,
};
use crate::pem::{self, PemError, PemLabel};
use crate::signature::{parse_identifier, verify_signature};
use crate::{
    KeyId, KeyUsage, Limits, PublicKeyError, SerialNumber, SignatureAlgorithm, SignatureError,
    SignatureVerifier, UnixTime, oid,
};

/// A CRL, read strictly and indexed. Cloning is cheap (the bytes and the index are shared).
///
/// Reading says nothing about who signed it: that is asked when a certificate is checked, or by
/// [`authenticate`](Self::authenticate), which remembers the answer.
///
/// ```
/// use mesh_ca::{Crl, Limits, RevocationReason, SerialNumber};
///
/// const CRL: &[u8] = include_bytes!("../../tests/data/crl.pem");
/// let crl = Crl::from_pem(CRL, &Limits::default())?;
/// assert_eq!(crl.len(), 2);
/// let serial = SerialNumber::from_bytes(&[0x12, 0x34]).expect("it is in range");
/// assert_eq!(crl.entry(&serial).map(|entry| entry.reason), Some(RevocationReason::KeyCompromise));
/// # Ok::<(), mesh_ca::CrlError>(())
/// ```
///
/// Taken are complete CRLs of version 2 with nextUpdate and CRLNumber; they may be limited to user or to CA certificates.
/// Delta and indirect CRLs, those for some reasons or for one distribution point, and unknown critical extensions make a
/// CRL unusable.
///
/// Spec: RFC 5280 §5; ca.md C-CRL-6.
#[derive(Debug, Clone)]
pub struct Crl {
    der: Arc<[u8]>,
    tbs: Range<usize>,
    issuer: Range<usize>,
    signature: Range<usize>,
    algorithm: SignatureAlgorithm,
    authority_key_id: Option<KeyId>,
    number: CrlNumber,
    this_update: UnixTime,
    next_update: UnixTime,
    scope: Scope,
    index: Arc<Index>,
    /// The key that it was found to be signed with, as SubjectPublicKeyInfo.
    signer: Option<Arc<[u8]>>,
}

/// Which certificates of its issuer a CRL is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    All,
    CaCertificates,
    UserCertificates,
}

/// One entry of a CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedEntry {
    /// When it was revoked, as the issuer says.
    pub revoked_at: UnixTime,
    /// Why.
    pub reason: RevocationReason,
    /// From when on the key may have been in other hands.
    pub invalid_since: Option<UnixTime>,
}

impl Crl {
    /// The one CRL of a PEM text.
    ///
    /// # Errors
    /// As [`Crl::parse`], or when the text is not one CRL in PEM.
    pub fn from_pem(text: &[u8], limits: &Limits) -> Result<Self, CrlError> {
        Self::parse(&pem::parse_one(text, PemLabel::Crl)?, limits)
    }

    /// Reads and indexes the DER of a CRL, of at most [`Limits::crl`] bytes and [`Limits::crl_entries`] entries.
    ///
    /// # Errors
    /// When it is no strict DER, or of a kind that is not taken.
    pub fn parse(der: &[u8], limits: &Limits) -> Result<Self, CrlError> {
        if der.len() > limits.crl {
            return Err(CrlError::TooLarge);
        }
        let mut outer = der::single(der, SEQUENCE)?.reader()?;
        let tbs = outer.read(SEQUENCE)?;
        let algorithm = outer.read(SEQUENCE)?;
        let signature = outer.read(BIT_STRING)?;
        signature.whole_bits()?;
        outer.finish()?;
        let mut fields = tbs.reader()?;
        if fields
            .optional(INTEGER)?
            .map(|version| version.u64())
            .transpose()?
            != Some(1)
        {
            return Err(CrlError::Version);
        }
        if fields.read(SEQUENCE)?.der != algorithm.der {
            return Err(CrlError::AlgorithmMismatch);
        }
        let issuer = fields.read(SEQUENCE)?;
        DistinguishedName::parse(&issuer)?;
        let this_update = fields.any()?.time()?;
        let next_update = match fields.peek() {
            Some(der::UTC_TIME | GENERALIZED_TIME) => fields.any()?.time()?,
            _ => return Err(CrlError::NextUpdateMissing),
        };
        let entries = match fields.optional(SEQUENCE)? {
            Some(sequence) => read_entries(sequence.reader()?, limits.crl_entries)?,
            None => Vec::new(),
        };
        let extensions = fields
            .optional(context_constructed(0))?
            .ok_or(CrlError::NumberMissing)?;
        let extensions = CrlExtensions::parse(extensions.reader()?)?;
        fields.finish()?;
        Ok(Self {
            tbs: tbs.range(),
            issuer: issuer.range(),
            signature: signature.content_range_after(1),
            algorithm: parse_identifier(&algorithm)?,
            authority_key_id: extensions.authority_key_id,
            number: extensions.number.ok_or(CrlError::NumberMissing)?,
            this_update,
            next_update,
            scope: extensions.scope,
            index: Arc::new(Index::build(entries.into_iter())),
            signer: None,
            der: Arc::from(der),
        })
    }

    /// The whole CRL.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The DER of the issuer's name.
    pub fn issuer(&self) -> &[u8] {
        self.der.get(self.issuer.clone()).unwrap_or_default()
    }

    /// The key identifier of the issuer, if it is given.
    pub fn authority_key_id(&self) -> Option<&KeyId> {
        self.authority_key_id.as_ref()
    }

    /// Its number: a higher one replaces a lower one of the same issuer.
    pub fn number(&self) -> CrlNumber {
        self.number
    }

    /// When it was issued.
    pub fn this_update(&self) -> UnixTime {
        self.this_update
    }

    /// When the next one is there at the latest.
    pub fn next_update(&self) -> UnixTime {
        self.next_update
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether it has no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entry of a serial number. Takes less than a microsecond among a million entries.
    pub fn entry(&self, serial: &SerialNumber) -> Option<RevokedEntry> {
        let magnitude = serial.as_bytes();
        match magnitude.first() {
            Some(first) if first & 0x80 != 0 => {
                let mut integer = vec![0];
                integer.extend_from_slice(magnitude);
                self.entry_of_integer(&integer)
            }
            _ => self.entry_of_integer(magnitude),
        }
    }

    /// The entry of a serial number by the content of its INTEGER (C-CRL-9).
    pub(crate) fn entry_of_integer(&self, integer: &[u8]) -> Option<RevokedEntry> {
        self.index.candidates(integer).find_map(|at| {
            // INVARIANT: the entries were read when the CRL was.
            let mut reader = Reader::new(self.der.get(at..)?);
            let (serial, entry) = read_entry(reader.nested(SEQUENCE).ok()?).ok()?;
            (serial == integer).then_some(entry)
        })
    }

    /// Checks that a certificate authority signed this CRL, and remembers it, so that the check of each certificate need
    /// not hash all of it again.
    ///
    /// # Errors
    /// [`CrlError::OtherIssuer`], [`CrlError::NotCrlSigner`], or what is wrong with key or signature.
    ///
    /// Source: ca.md C-CRL-3, C-CRL-5.
    pub fn authenticate(
        &mut self,
        issuer: &Certificate<'_>,
        verifier: &dyn SignatureVerifier,
    ) -> Result<(), CrlError> {
        self.check_signer(issuer, verifier)?;
        self.signer = Some(Arc::from(issuer.public_key_der()));
        Ok(())
    }

    /// Whether the name, and the key identifier if both have one, are those of the certificate.
    pub(crate) fn names_issuer(&self, issuer: &Certificate<'_>) -> bool {
        let key_ids = (self.authority_key_id.as_ref(), issuer.subject_key_id());
        self.issuer() == issuer.subject().der()
            && match key_ids {
                (Some(wanted), Some(found)) => wanted.as_bytes() == found,
                _ => true,
            }
    }

    pub(crate) fn check_signer(
        &self,
        issuer: &Certificate<'_>,
        verifier: &dyn SignatureVerifier,
    ) -> Result<(), CrlError> {
        if !self.names_issuer(issuer) {
            return Err(CrlError::OtherIssuer);
        }
        if issuer
            .key_usage()
            .is_some_and(|usage| !usage.contains(KeyUsage::CRL_SIGN))
        {
            return Err(CrlError::NotCrlSigner);
        }
        if self
            .signer
            .as_deref()
            .is_some_and(|signer| signer == issuer.public_key_der())
        {
            return Ok(());
        }
        let key = issuer.public_key()?;
        let message = self.der.get(self.tbs.clone()).unwrap_or_default();
        let signature = self.der.get(self.signature.clone()).unwrap_or_default();
        Ok(verify_signature(
            verifier,
            self.algorithm,
            &key,
            message,
            signature,
        )?)
    }

    /// Whether it says anything about CA certificates, or about others.
    pub(crate) fn covers(&self, is_ca: bool) -> bool {
        match self.scope {
            Scope::All => true,
            Scope::CaCertificates => is_ca,
            Scope::UserCertificates => !is_ca,
        }
    }
}

/// The DER in base64. Who signed it is not saved: a stranger may have written what is read back.
impl Serialize for Crl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        base64_serde::serialize(&self.der, serializer)
    }
}

impl<'de> Deserialize<'de> for Crl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let der: Vec<u8> = base64_serde::deserialize(deserializer)?;
        Self::parse(&der, &Limits::default()).map_err(serde::de::Error::custom)
    }
}

impl PartialEq for Crl {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Crl {}

/// The number of a CRL: not negative, below 2^159.
///
/// Spec: RFC 5280 §5.2.3; ca.md C-CRL-3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "[u8; 20]", into = "[u8; 20]")]
pub struct CrlNumber([u8; 20]);

impl From<CrlNumber> for [u8; 20] {
    fn from(number: CrlNumber) -> Self {
        number.0
    }
}

impl TryFrom<[u8; 20]> for CrlNumber {
    type Error = &'static str;

    fn try_from(bytes: [u8; 20]) -> Result<Self, Self::Error> {
        Self::from_bytes(&bytes).ok_or("the number of a CRL is below 2^159")
    }
}

impl CrlNumber {
    /// From the bytes of the number, most significant first; leading zeros are passed over. `None` for 2^159 and above.
    pub fn from_bytes(magnitude: &[u8]) -> Option<Self> {
        let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
        let significant = magnitude.get(zeros..)?;
        let mut bytes = [0; 20];
        let start = bytes.len().checked_sub(significant.len())?;
        bytes.get_mut(start..)?.copy_from_slice(significant);
        bytes
            .first()
            .is_some_and(|first| *first < 0x80)
            .then_some(Self(bytes))
    }

    /// The bytes of the number, most significant first, without leading zeros; none for zero.
    pub fn as_bytes(&self) -> &[u8] {
        let zeros = self.0.iter().take_while(|byte| **byte == 0).count();
        self.0.get(zeros..).unwrap_or_default()
    }

    /// The next number; `None` after the last one.
    pub fn next(self) -> Option<Self> {
        let mut bytes = self.0;
        for byte in bytes.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                return Self::from_bytes(&bytes);
            }
        }
        None
    }
}

impl From<u64> for CrlNumber {
    fn from(number: u64) -> Self {
        // INVARIANT: eight bytes are in range.
        Self::from_bytes(&number.to_be_bytes()).unwrap_or_default()
    }
}

impl fmt::Display for CrlNumber {
    /// Hexadecimal digits after `0x`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        match self.as_bytes() {
            [] => f.write_str("00"),
            bytes => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

impl fmt::Debug for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CrlNumber({self})")
    }
}

/// Why a CRL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlError {
    /// The signature algorithms inside and outside the signed part differ.
    #[error("the signature algorithms inside and outside differ")]
    AlgorithmMismatch,
    /// The bytes are no strict DER, or not of the shape of a CRL.
    #[error("the CRL is malformed: {0}")]
    Der(#[from] DerError),
    /// An extension is there twice.
    #[error("the extension `{oid}` is there twice")]
    DuplicateExtension {
        /// Its object identifier.
        oid: String,
    },
    /// There is no nextUpdate.
    #[error("nextUpdate is missing")]
    NextUpdateMissing,
    /// The certificate that should have signed it may not sign CRLs.
    #[error("the key of the issuer may not sign CRLs")]
    NotCrlSigner,
    /// thisUpdate lies in the future.
    #[error("the CRL is of {this_update}, which is still to come")]
    NotYetValid {
        /// When it was issued.
        this_update: UnixTime,
    },
    /// There is no CRLNumber.
    #[error("CRLNumber is missing")]
    NumberMissing,
    /// CRLNumber is critical, negative or too long.
    #[error("CRLNumber is critical or out of range")]
    NumberInvalid,
    /// It is of another issuer.
    #[error("the CRL is of another issuer")]
    OtherIssuer,
    /// nextUpdate has passed.
    #[error("the CRL was to be replaced at {next_update}")]
    Outdated {
        /// When the next one should have been there.
        next_update: UnixTime,
    },
    /// The text is no PEM of CRLs.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The key of the issuer is not supported or too weak.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// The reason of an entry is unknown, or belongs to delta CRLs.
    #[error("the reason of an entry is not allowed")]
    Reason,
    /// Its number is lower than one that was accepted from the same issuer before.
    #[error("CRL number {number} is lower than {accepted}, which was accepted before")]
    Rollback {
        /// The number.
        number: CrlNumber,
        /// The highest number so far.
        accepted: CrlNumber,
    },
    /// It is a delta or indirect CRL, or one for some reasons, one distribution point, or attribute certificates.
    #[error("the CRL does not cover all certificates of its issuer")]
    Scope,
    /// The signature is wrong or not supported.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The CRL is larger than the limit.
    #[error("the CRL is too large")]
    TooLarge,
    /// There are more entries than the limit.
    #[error("the CRL has too many entries")]
    TooManyEntries,
    /// A critical extension of the CRL or of an entry that is not known.
    #[error("the CRL has an unknown critical extension `{oid}`")]
    UnknownCriticalExtension {
        /// Its object identifier.
        oid: String,
    },
    /// The version is not 2.
    #[error("the version of the CRL is not 2")]
    Version,
}

impl CrlError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlgorithmMismatch => "crl.algorithm_mismatch",
            Self::Der(error) => error.kind().code(),
            Self::DuplicateExtension { .. } => "crl.duplicate_extension",
            Self::NextUpdateMissing => "crl.next_update_missing",
            Self::NotCrlSigner => "crl.not_crl_signer",
            Self::NotYetValid { .. } => "crl.not_yet_valid",
            Self::NumberMissing => "crl.number_missing",
            Self::NumberInvalid => "crl.number_invalid",
            Self::OtherIssuer => "crl.other_issuer",
            Self::Outdated { .. } => "crl.outdated",
            Self::Pem(error) => error.kind().code(),
            Self::PublicKey(error) => error.code(),
            Self::Reason => "crl.reason",
            Self::Rollback { .. } => "crl.rollback",
            Self::Scope => "crl.scope",
            Self::Signature(error) => error.code(),
            Self::TooLarge => "crl.too_large",
            Self::TooManyEntries => "crl.too_many_entries",
            Self::UnknownCriticalExtension { .. } => "crl.unknown_critical_extension",
            Self::Version => "crl.version",
        }
    }
}

/// Reads every entry strictly, and returns serial numbers and places. A list that is there is not empty.
fn read_entries<'a>(mut reader: Reader<'a>, limit: usize) -> Result<Vec<(&'a [u8], u32)>, CrlError> {
    let mut entries = Vec::new();
    loop {
        let element = reader.read(SEQUENCE)?;
        let (serial, _) = read_entry(element.reader()?)?;
        if entries.len() >= limit {
            return Err(CrlError::TooManyEntries);
        }
        let at = u32::try_from(element.range().start).map_err(|_| CrlError::TooLarge)?;
        entries.push((serial, at));
        if reader.is_empty() {
            return Ok(entries);
        }
    }
}

fn read_entry(mut entry: Reader<'_>) -> Result<(&[u8], RevokedEntry), CrlError> {
    let serial = entry.read(INTEGER)?.integer()?;
    let revoked_at = entry.any()?.time()?;
    let mut found = RevokedEntry {
        revoked_at,
        reason: RevocationReason::Unspecified,
        invalid_since: None,
    };
    if entry.is_empty() {
        return Ok((serial, found));
    }
    let mut extensions = entry.nested(SEQUENCE)?;
    entry.finish()?;
    let mut has_reason = false;
    loop {
        let (oid, critical, value) = read_extension(&mut extensions)?;
        match oid {
            oid::REASON_CODE if has_reason => return Err(duplicate(oid)),
            oid::REASON_CODE => {
                has_reason = true;
                let number = match der::single(value, ENUMERATED)?.content {
                    [number] => *number,
                    _ => return Err(CrlError::Reason),
                };
                found.reason = RevocationReason::from_number(number).ok_or(CrlError::Reason)?;
            }
            oid::INVALIDITY_DATE if found.invalid_since.is_some() => return Err(duplicate(oid)),
            // Always a GeneralizedTime, in years too that other times write as UTCTime (RFC 5280 §5.3.2).
            oid::INVALIDITY_DATE => {
                let time = der::single(value, GENERALIZED_TIME)?;
                found.invalid_since = Some(time.generalized_time()?);
            }
            // Entries of other issuers make an indirect CRL.
            oid::CERTIFICATE_ISSUER => return Err(CrlError::Scope),
            other if critical => {
                let oid = oid::dotted(other);
                return Err(CrlError::UnknownCriticalExtension { oid });
            }
            _ => {}
        }
        if extensions.is_empty() {
            return Ok((serial, found));
        }
    }
}

fn read_extension<'a>(reader: &mut Reader<'a>) -> Result<(&'a [u8], bool, &'a [u8]), DerError> {
    let mut extension = reader.nested(SEQUENCE)?;
    let oid = extension.read(OBJECT_IDENTIFIER)?.oid()?;
    let critical = extension.default_false()?;
    let value = extension.read(OCTET_STRING)?.content;
    extension.finish()?;
    Ok((oid, critical, value))
}

fn duplicate(oid: &[u8]) -> CrlError {
    CrlError::DuplicateExtension {
        oid: oid::dotted(oid),
    }
}

struct CrlExtensions {
    authority_key_id: Option<KeyId>,
    number: Option<CrlNumber>,
    scope: Scope,
}

impl CrlExtensions {
    fn parse(mut tagged: Reader<'_>) -> Result<Self, CrlError> {
        let mut sequence = tagged.nested(SEQUENCE)?;
        tagged.finish()?;
        let mut found = Self {
            authority_key_id: None,
            number: None,
            scope: Scope::All,
        };
        let mut seen: Vec<&[u8]> = Vec::new();
        loop {
            let (oid, critical, value) = read_extension(&mut sequence)?;
            seen.push(oid);
            match oid {
                oid::AUTHORITY_KEY_ID => found.authority_key_id = authority_key_id(value)?.map(KeyId::new),
                oid::CRL_NUMBER => {
                    let number = der::single(value, INTEGER)?.unsigned();
                    let number = number.ok().and_then(CrlNumber::from_bytes);
                    found.number = number.filter(|_| !critical);
                    if found.number.is_none() {
                        return Err(CrlError::NumberInvalid);
                    }
                }
                oid::ISSUING_DISTRIBUTION_POINT => found.scope = scope(value)?,
                oid::DELTA_CRL_INDICATOR => return Err(CrlError::Scope),
                other if critical => {
                    let oid = oid::dotted(other);
                    return Err(CrlError::UnknownCriticalExtension { oid });
                }
                _ => {}
            }
            if sequence.is_empty() {
                break;
            }
        }
        seen.sort_unstable();
        match seen.iter().zip(seen.iter().skip(1)).find(|(a, b)| a == b) {
            Some((oid, _)) => Err(duplicate(oid)),
            None => Ok(found),
        }
    }
}

/// issuingDistributionPoint, as far as it limits a CRL to a kind of certificate. Spec: RFC 5280 §5.2.5.
fn scope(value: &[u8]) -> Result<Scope, CrlError> {
    let mut reader = der::single(value, SEQUENCE)?.reader()?;
    let mut scope = Scope::All;
    while !reader.is_empty() {
        let element = reader.any()?;
        let limited = match element.tag {
            USER_CERTIFICATES => Scope::UserCertificates,
            CA_CERTIFICATES => Scope::CaCertificates,
            _ => return Err(CrlError::Scope),
        };
        if !element.boolean()? || scope != Scope::All {
            return Err(element.error(DerErrorKind::DefaultEncoded).into());
        }
        scope = limited;
    }
    Ok(scope)
}

const USER_CERTIFICATES: u8 = context(1);
const CA_CERTIFICATES: u8 = context(2);
