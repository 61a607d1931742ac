//! Names of certificates: GeneralName and distinguished names.

use std::fmt;

use crate::der::{
    self, DerError, DerErrorKind, Element, OBJECT_IDENTIFIER, Reader, SEQUENCE, SET, UTF8_STRING, context,
    context_constructed,
};

/// One name of a subjectAltName, as it stands in the certificate.
///
/// The bytes of DNS names, URIs and mail addresses are not checked here: whoever compares them has to be strict.
///
/// Spec: RFC 5280 §4.2.1.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeneralName<'a> {
    /// A distinguished name: the whole DER of it.
    DirectoryName(DistinguishedName<'a>),
    /// A DNS name.
    Dns(&'a [u8]),
    /// An IP address: 4 or 16 bytes. In name constraints address and mask: 8 or 32 bytes.
    IpAddress(&'a [u8]),
    /// otherName, x400Address, ediPartyName or registeredID: its number in GeneralName, and the content.
    Other(u8, &'a [u8]),
    /// A mail address.
    Rfc822(&'a [u8]),
    /// A URI.
    Uri(&'a [u8]),
}

impl<'a> GeneralName<'a> {
    pub(crate) fn parse(element: &Element<'a>) -> Result<Self, DerError> {
        const DIRECTORY: u8 = context_constructed(4);
        const RFC822: u8 = context(1);
        const DNS: u8 = context(2);
        const URI: u8 = context(6);
        const IP: u8 = context(7);
        Ok(match element.tag {
            RFC822 => Self::Rfc822(element.content),
            DNS => Self::Dns(element.content),
            URI => Self::Uri(element.content),
            IP => Self::IpAddress(element.content),
            DIRECTORY => {
                let mut reader = element.reader()?;
                let name = DistinguishedName::parse(&reader.read(SEQUENCE)?)?;
                reader.finish()?;
                Self::DirectoryName(name)
            }
            // otherName, x400Address and ediPartyName are constructed, registeredID is not.
            0xa0 | 0xa3 | 0xa5 => {
                der::check(element.der)?;
                Self::Other(element.tag & 0x1f, element.content)
            }
            0x88 => Self::Other(8, element.oid()?),
            _ => return Err(element.error(DerErrorKind::Unexpected)),
        })
    }
}

/// GeneralNames that were checked as a whole; read again when they are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GeneralNames<'a> {
    value: &'a [u8],
    count: usize,
}

impl<'a> GeneralNames<'a> {
    /// Checks the names of a subjectAltName: at least one, and addresses of 4 or 16 bytes.
    pub(crate) fn parse(value: &'a [u8]) -> Result<Self, DerError> {
        let mut reader = der::single(value, SEQUENCE)?.reader()?;
        let mut count = 0_usize;
        while !reader.is_empty() {
            let element = reader.any()?;
            if let GeneralName::IpAddress(address) = GeneralName::parse(&element)?
                && !matches!(address.len(), 4 | 16)
            {
                return Err(element.error(DerErrorKind::Unexpected));
            }
            count = count.saturating_add(1);
        }
        match count {
            0 => Err(reader.error(DerErrorKind::Truncated)),
            _ => Ok(Self { value, count }),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = GeneralName<'a>> + Clone {
        // INVARIANT: `parse` has read all of it, so nothing fails here.
        let mut reader = der::single(self.value, SEQUENCE)
            .and_then(|names| names.reader())
            .unwrap_or(Reader::new(&[]));
        std::iter::from_fn(move || GeneralName::parse(&reader.any().ok()?).ok())
    }
}

/// A distinguished name, borrowed as its DER. Equality is that of the bytes.
///
/// `Display` gives a short form for messages, such as `O=shop, CN=root`; characters that could deceive are escaped.
///
/// Spec: RFC 5280 §4.1.2.4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DistinguishedName<'a> {
    der: &'a [u8],
}

impl<'a> DistinguishedName<'a> {
    pub(crate) fn parse(element: &Element<'a>) -> Result<Self, DerError> {
        let mut sequence = element.reader()?;
        while !sequence.is_empty() {
            let mut set = sequence.nested(SET)?;
            loop {
                let mut attribute = set.nested(SEQUENCE)?;
                attribute.read(OBJECT_IDENTIFIER)?.oid()?;
                attribute.any()?;
                attribute.finish()?;
                if set.is_empty() {
                    break;
                }
            }
        }
        Ok(Self { der: element.der })
    }

    /// The whole DER of the name.
    pub fn der(&self) -> &'a [u8] {
        self.der
    }

    /// Whether the name has no part at all.
    pub fn is_empty(&self) -> bool {
        self.der == [SEQUENCE, 0]
    }

    /// The relative names, outermost first, each the DER of a SET.
    pub(crate) fn relative_names(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        // INVARIANT: `parse` has read all of it, so nothing fails here.
        let mut reader = der::single(self.der, SEQUENCE)
            .and_then(|name| name.reader())
            .unwrap_or(Reader::new(&[]));
        std::iter::from_fn(move || reader.any().ok().map(|set| set.der))
    }

    /// The attributes in order: object identifier and value.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'a [u8], Element<'a>)> + use<'a> {
        self.relative_names().flat_map(attributes)
    }
}

impl fmt::Display for DistinguishedName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (oid, value)) in self.attributes().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let name = match oid {
                [0x55, 4, 3] => "CN",
                [0x55, 4, 6] => "C",
                [0x55, 4, 7] => "L",
                [0x55, 4, 8] => "ST",
                [0x55, 4, 10] => "O",
                [0x55, 4, 11] => "OU",
                [0x55, 4, 5] => "serialNumber",
                other => &crate::oid::dotted(other),
            };
            let value = String::from_utf8_lossy(value.content);
            write!(f, "{separator}{name}={}", value.escape_debug())?;
        }
        Ok(())
    }
}

impl fmt::Debug for DistinguishedName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

/// The attributes of one relative name.
fn attributes(set: &[u8]) -> impl Iterator<Item = (&[u8], Element<'_>)> {
    let mut reader = der::single(set, SET)
        .and_then(|set| set.reader())
        .unwrap_or(Reader::new(&[]));
    std::iter::from_fn(move || {
        let mut attribute = reader.nested(SEQUENCE).ok()?;
        let oid = attribute.read(OBJECT_IDENTIFIER).ok()?.content;
        Some((oid, attribute.any().ok()?))
    })
}

/// Whether two relative names are the same. Strings are compared as RFC 5280 §7.1 wants it: whatever type of string holds
/// them, without regard to the case of letters and to the amount of white space; other values byte by byte.
pub(crate) fn relative_names_match(first: &[u8], second: &[u8]) -> bool {
    first == second || {
        let (mut first, mut second): (Vec<_>, Vec<_>) =
            (attributes(first).collect(), attributes(second).collect());
        first.sort_by_key(|(oid, _)| *oid);
        second.sort_by_key(|(oid, _)| *oid);
        first.len() == second.len()
            && first
                .iter()
                .zip(&second)
                .all(|((oid, value), (other_oid, other))| oid == other_oid && values_match(value, other))
    }
}

fn values_match(first: &Element<'_>, second: &Element<'_>) -> bool {
    match (text(first), text(second)) {
        (Some(first), Some(second)) => folded(&first) == folded(&second),
        _ => first.der == second.der,
    }
}

/// The text of a string value.
fn text(value: &Element<'_>) -> Option<String> {
    const PRINTABLE_STRING: u8 = 0x13;
    const TELETEX_STRING: u8 = 0x14;
    const IA5_STRING: u8 = 0x16;
    const UNIVERSAL_STRING: u8 = 0x1c;
    const BMP_STRING: u8 = 0x1e;
    match value.tag {
        UTF8_STRING | PRINTABLE_STRING | IA5_STRING => String::from_utf8(value.content.to_vec()).ok(),
        // Read as Latin-1, as is the custom.
        TELETEX_STRING => Some(value.content.iter().copied().map(char::from).collect()),
        BMP_STRING => {
            let (units, rest) = value.content.as_chunks::<2>();
            let units = units.iter().copied().map(u16::from_be_bytes);
            let text: Result<String, _> = char::decode_utf16(units).collect();
            text.ok().filter(|_| rest.is_empty())
        }
        UNIVERSAL_STRING => {
            let (units, rest) = value.content.as_chunks::<4>();
            let text: Option<String> = units
                .iter()
                .map(|unit| char::from_u32(u32::from_be_bytes(*unit)))
                .collect();
            text.filter(|_| rest.is_empty())
        }
        _ => None,
    }
}

fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}
