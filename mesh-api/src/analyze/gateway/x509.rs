//! As much of X.509 as tells whether a certificate and a key belong together, and until when. Nothing is verified here.
//!
//! Spec: RFC 7468, RFC 5280 §4.1, RFC 5958, RFC 8017 A.1, RFC 5915.

use crate::scalar::{Bytes, Timestamp};

/// The first certificate of a chain.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// End of validity, in seconds since 1970.
    pub(super) not_after: i64,
    algorithm: Vec<u8>,
    public_key: Vec<u8>,
}

/// What a private key tells of its public key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PrivateKey {
    /// The modulus.
    Rsa(Vec<u8>),
    /// The public point, where the key holds it.
    Ec(Option<Vec<u8>>),
    Ed25519,
}

impl Certificate {
    /// The first certificate of a PEM text.
    pub(super) fn from_pem(text: &[u8]) -> Option<Self> {
        let (_, der) = blocks(text).find(|(label, _)| *label == "CERTIFICATE")?;
        Self::from_der(&der)
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        let (certificate, _) = read(der, SEQUENCE)?;
        let (body, _) = read(certificate, SEQUENCE)?;
        let rest = match read(body, VERSION) {
            Some((_, rest)) => rest,
            None => body,
        };
        let (_, rest) = read(rest, INTEGER)?; // serial number
        let (_, rest) = read(rest, SEQUENCE)?; // signature algorithm
        let (_, rest) = read(rest, SEQUENCE)?; // issuer
        let (validity, rest) = read(rest, SEQUENCE)?;
        let (_, rest) = read(rest, SEQUENCE)?; // subject
        let (key, _) = read(rest, SEQUENCE)?;
        let (_, not_after, _) = any(any(validity)?.2)?;
        let (algorithm, rest) = read(key, SEQUENCE)?;
        let (bits, _) = read(rest, BIT_STRING)?;
        Some(Self {
            not_after: time(not_after)?,
            algorithm: read(algorithm, OBJECT_ID)?.0.to_vec(),
            public_key: bits.strip_prefix(&[0])?.to_vec(),
        })
    }
}

impl PrivateKey {
    /// The first private key of a PEM text: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub(super) fn from_pem(text: &[u8]) -> Option<Self> {
        let (label, der) = blocks(text).find(|(label, _)| label.ends_with("PRIVATE KEY"))?;
        match label {
            "PRIVATE KEY" => Self::from_pkcs8(&der),
            "RSA PRIVATE KEY" => Self::from_pkcs1(&der),
            "EC PRIVATE KEY" => Self::from_sec1(&der),
            _ => None,
        }
    }

    /// Whether the certificate may be for this key. EC keys without their public point and Ed25519 keys would need the
    /// curve's arithmetic; there the algorithm decides.
    pub(super) fn fits(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Rsa(modulus) => {
                let public = read(&certificate.public_key, SEQUENCE);
                certificate.algorithm == RSA
                    && public
                        .and_then(|(key, _)| read(key, INTEGER))
                        .is_some_and(|(other, _)| other == modulus)
            }
            Self::Ec(point) => {
                certificate.algorithm == EC
                    && point
                        .as_ref()
                        .is_none_or(|point| *point == certificate.public_key)
            }
            Self::Ed25519 => certificate.algorithm == ED25519,
        }
    }

    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let (key, _) = read(der, SEQUENCE)?;
        let (_, rest) = read(key, INTEGER)?;
        let (algorithm, rest) = read(rest, SEQUENCE)?;
        let (inner, _) = read(rest, OCTET_STRING)?;
        match read(algorithm, OBJECT_ID)?.0 {
            RSA => Self::from_pkcs1(inner),
            EC => Self::from_sec1(inner),
            ED25519 => Some(Self::Ed25519),
            _ => None,
        }
    }

    fn from_pkcs1(der: &[u8]) -> Option<Self> {
        let (key, _) = read(der, SEQUENCE)?;
        let (_, rest) = read(key, INTEGER)?;
        Some(Self::Rsa(read(rest, INTEGER)?.0.to_vec()))
    }

    fn from_sec1(der: &[u8]) -> Option<Self> {
        let (key, _) = read(der, SEQUENCE)?;
        let (_, rest) = read(key, INTEGER)?;
        let (_, mut rest) = read(rest, OCTET_STRING)?;
        while let Some((tag, value, after)) = any(rest) {
            if tag == PUBLIC_KEY {
                let (bits, _) = read(value, BIT_STRING)?;
                return Some(Self::Ec(Some(bits.strip_prefix(&[0])?.to_vec())));
            }
            rest = after;
        }
        Some(Self::Ec(None))
    }
}

/// Whether a PEM text holds certificates, and nothing else.
pub(crate) fn is_certificate_bundle(text: &[u8]) -> bool {
    let mut certificates = 0;
    let only = blocks(text).all(|(label, der)| {
        certificates += 1;
        label == "CERTIFICATE" && Certificate::from_der(&der).is_some()
    });
    only && certificates > 0
}

/// The blocks of a PEM text: label and bytes. Malformed ones are passed over.
fn blocks(text: &[u8]) -> impl Iterator<Item = (&str, Vec<u8>)> {
    let mut rest = std::str::from_utf8(text).unwrap_or_default();
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once("-----BEGIN ")?;
            let (label, after) = after.split_once("-----")?;
            let (body, after) = after.split_once("-----END ")?;
            rest = after;
            let base64: String = body.split_whitespace().collect();
            if let Ok(bytes) = base64.parse::<Bytes>() {
                return Some((label, bytes.into_vec()));
            }
        }
    })
}

/// The value of the first element, and what follows, if it has this tag.
fn read(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, value, rest) = any(der)?;
    (tag == wanted).then_some((value, rest))
}

/// Tag and value of the first element, and what follows.
fn any(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let count = usize::from(first & 0x7f);
        if !(1..=4).contains(&count) {
            return None;
        }
        let (digits, after) = rest.split_at_checked(count)?;
        length = digits
            .iter()
            .fold(0, |length, digit| length << 8 | usize::from(*digit));
        rest = after;
    }
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` in seconds since 1970.
fn time(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match text.len() {
        12 => {
            let (year, rest) = text.split_at_checked(2)?;
            let century = if year < "50" { "20" } else { "19" };
            (format!("{century}{year}"), rest)
        }
        14 => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
        _ => return None,
    };
    let mut pairs = (0..5).map(|at| rest.get(2 * at..2 * at + 2));
    let mut next = || pairs.next().flatten();
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    let text = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    text.parse::<Timestamp>().ok().map(|time| time.unix_seconds())
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// `[0]`, the version of a certificate.
const VERSION: u8 = 0xa0;
/// `[1]`, the public key inside of a private one.
const PUBLIC_KEY: u8 = 0xa1;

/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.3.101.112
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
