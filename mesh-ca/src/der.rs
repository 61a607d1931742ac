//! Strict DER: a reader that takes one encoding of each value and no other, and a small writer.
//!
//! What is refused everywhere: lengths that are indefinite or longer than need be, tag numbers above 30, trailing bytes
//! at any level, INTEGERs that are empty or padded, BOOLEANs other than 00 and FF, BIT STRINGs with unused bits that are
//! set, UTF8Strings that are no UTF-8, SETs out of order, and nesting deeper than [`MAX_DEPTH`]. Spec: X.690 section 10
//! and 11; ca.md C-GEN-9.

use std::fmt;
use std::ops::Range;

use crate::time::{UnixTime, civil_from_days, days_from_civil};

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// How deep values may nest. A certificate needs about ten levels.
pub(crate) const MAX_DEPTH: u8 = 24;

/// The tag `[number]` of a primitive value.
pub(crate) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag `[number]` of a constructed value, explicit tags among them.
pub(crate) const fn context_constructed(number: u8) -> u8 {
    0xa0 | number
}

/// Why bytes are no DER, and where.
///
/// Source: ca.md C-GEN-9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DerError {
    kind: DerErrorKind,
    offset: usize,
}

impl DerError {
    pub(crate) fn new(kind: DerErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// The rule that is broken.
    pub fn kind(&self) -> DerErrorKind {
        self.kind
    }

    /// Where, in bytes from the start of the value that was read. Inside an extension: from the start of its value.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for DerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.kind.message(), self.offset)
    }
}

impl std::error::Error for DerError {}

/// The rule of DER that bytes break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DerErrorKind {
    /// A BIT STRING with a wrong count of unused bits, or with unused bits that are set.
    BitString,
    /// A BOOLEAN that is neither 00 nor FF.
    Boolean,
    /// A value that equals its default is written out.
    DefaultEncoded,
    /// An INTEGER that is empty, padded, or out of the range of its field.
    Integer,
    /// A length that is indefinite, or longer than need be.
    Length,
    /// An OBJECT IDENTIFIER that is empty, cut off or padded.
    ObjectIdentifier,
    /// The elements of a SET are out of order.
    SetOrder,
    /// A tag number above 30.
    Tag,
    /// A time that is no time, or not written as its profile demands.
    Time,
    /// Values nest too deeply.
    TooDeep,
    /// Bytes follow the value.
    TrailingBytes,
    /// The bytes end within a value.
    Truncated,
    /// Another value is expected here.
    Unexpected,
}

impl DerErrorKind {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BitString => "der.bit_string",
            Self::Boolean => "der.boolean",
            Self::DefaultEncoded => "der.default_encoded",
            Self::Integer => "der.integer",
            Self::Length => "der.length",
            Self::ObjectIdentifier => "der.object_identifier",
            Self::SetOrder => "der.set_order",
            Self::Tag => "der.tag",
            Self::Time => "der.time",
            Self::TooDeep => "der.too_deep",
            Self::TrailingBytes => "der.trailing_bytes",
            Self::Truncated => "der.truncated",
            Self::Unexpected => "der.unexpected",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::BitString => "a BIT STRING has wrong unused bits",
            Self::Boolean => "a BOOLEAN is neither 00 nor FF",
            Self::DefaultEncoded => "a default value is written out",
            Self::Integer => "an INTEGER is padded, empty or out of range",
            Self::Length => "a length is not in its shortest definite form",
            Self::ObjectIdentifier => "an OBJECT IDENTIFIER is malformed",
            Self::SetOrder => "the elements of a SET are out of order",
            Self::Tag => "a tag number is above 30",
            Self::Time => "a time is malformed",
            Self::TooDeep => "values nest too deeply",
            Self::TrailingBytes => "bytes follow the value",
            Self::Truncated => "the bytes end within a value",
            Self::Unexpected => "another value is expected",
        }
    }
}

/// One value: its tag, its content, and the whole of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// Tag, length and content.
    pub(crate) der: &'a [u8],
    pub(crate) content: &'a [u8],
    /// Where the content begins.
    offset: usize,
    depth: u8,
}

impl<'a> Element<'a> {
    /// Reads the values inside. The caller ends with [`Reader::finish`].
    #[inline]
    pub(crate) fn reader(&self) -> Result<Reader<'a>, DerError> {
        if self.depth >= MAX_DEPTH {
            return Err(DerError::new(DerErrorKind::TooDeep, self.offset));
        }
        Ok(Reader {
            rest: self.content,
            offset: self.offset,
            depth: self.depth.saturating_add(1),
        })
    }

    /// Where the whole value lies in the bytes that the outermost reader began with.
    #[inline]
    pub(crate) fn range(&self) -> Range<usize> {
        let end = self.offset.saturating_add(self.content.len());
        end.saturating_sub(self.der.len())..end
    }

    /// Where the content lies, without its first bytes.
    pub(crate) fn content_range_after(&self, skipped: usize) -> Range<usize> {
        self.offset.saturating_add(skipped)..self.offset.saturating_add(self.content.len())
    }

    pub(crate) fn error(&self, kind: DerErrorKind) -> DerError {
        DerError::new(kind, self.offset)
    }

    #[inline]
    pub(crate) fn boolean(&self) -> Result<bool, DerError> {
        match self.content {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(self.error(DerErrorKind::Boolean)),
        }
    }

    /// The content of an INTEGER in its shortest form: two's complement, most significant byte first.
    #[inline]
    pub(crate) fn integer(&self) -> Result<&'a [u8], DerError> {
        match self.content {
            [] => Err(self.error(DerErrorKind::Integer)),
            [0x00, next, ..] if next & 0x80 == 0 => Err(self.error(DerErrorKind::Integer)),
            [0xff, next, ..] if next & 0x80 != 0 => Err(self.error(DerErrorKind::Integer)),
            content => Ok(content),
        }
    }

    /// The magnitude of an INTEGER that is not negative, without a leading zero; empty for zero.
    #[inline]
    pub(crate) fn unsigned(&self) -> Result<&'a [u8], DerError> {
        match self.integer()? {
            [first, ..] if first & 0x80 != 0 => Err(self.error(DerErrorKind::Integer)),
            [0x00, rest @ ..] => Ok(rest),
            magnitude => Ok(magnitude),
        }
    }

    /// An INTEGER that is not negative and fits.
    pub(crate) fn u64(&self) -> Result<u64, DerError> {
        let magnitude = self.unsigned()?;
        if magnitude.len() > 8 {
            return Err(self.error(DerErrorKind::Integer));
        }
        Ok(magnitude
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// The content of an OBJECT IDENTIFIER, which is compared byte by byte.
    #[inline]
    pub(crate) fn oid(&self) -> Result<&'a [u8], DerError> {
        // A padded number begins with 80: after the last byte of another one, which is below, or at the start.
        let is_padded = || {
            let before = std::iter::once(&0).chain(self.content);
            before
                .zip(self.content)
                .any(|(before, byte)| *before < 0x80 && *byte == 0x80)
        };
        match self.content.last() {
            Some(..0x80) if !self.content.contains(&0x80) || !is_padded() => Ok(self.content),
            _ => Err(self.error(DerErrorKind::ObjectIdentifier)),
        }
    }

    /// The bytes of a BIT STRING, and how many bits of the last one are unused (and clear).
    #[inline]
    pub(crate) fn bits(&self) -> Result<(&'a [u8], u8), DerError> {
        match self.content {
            [unused, bytes @ ..] => {
                let last = bytes.last().copied();
                let mask = 1_u8.checked_shl(u32::from(*unused)).unwrap_or(0).wrapping_sub(1);
                match last {
                    _ if *unused > 7 => Err(self.error(DerErrorKind::BitString)),
                    None if *unused != 0 => Err(self.error(DerErrorKind::BitString)),
                    Some(last) if last & mask != 0 => Err(self.error(DerErrorKind::BitString)),
                    _ => Ok((bytes, *unused)),
                }
            }
            [] => Err(self.error(DerErrorKind::BitString)),
        }
    }

    /// The bytes of a BIT STRING that holds whole bytes: keys and signatures.
    #[inline]
    pub(crate) fn whole_bits(&self) -> Result<&'a [u8], DerError> {
        match self.bits()? {
            (bytes, 0) => Ok(bytes),
            _ => Err(self.error(DerErrorKind::BitString)),
        }
    }

    /// A UTCTime or GeneralizedTime as RFC 5280 profiles them: `Z`, with seconds, without fractions, and UTCTime exactly
    /// for the years 1950 to 2049. Spec: RFC 5280 §4.1.2.5; ca.md C-VFY-6.
    pub(crate) fn time(&self) -> Result<UnixTime, DerError> {
        match (self.tag, self.content) {
            (UTC_TIME, [a, b, rest @ ..]) => {
                let year = number(&[*a, *b]).ok_or(self.error(DerErrorKind::Time))?;
                self.time_in(if year < 50 { 2_000 + year } else { 1_900 + year }, rest)
            }
            (GENERALIZED_TIME, [a, b, c, d, ..]) => match number(&[*a, *b, *c, *d]) {
                Some(1950..2050) => Err(self.error(DerErrorKind::Time)),
                _ => self.generalized_time(),
            },
            _ => Err(self.error(DerErrorKind::Time)),
        }
    }

    /// A GeneralizedTime of any year, otherwise as [`time`](Self::time).
    pub(crate) fn generalized_time(&self) -> Result<UnixTime, DerError> {
        match (self.tag, self.content) {
            (GENERALIZED_TIME, [a, b, c, d, rest @ ..]) => {
                let year = number(&[*a, *b, *c, *d]).ok_or(self.error(DerErrorKind::Time))?;
                self.time_in(year, rest)
            }
            _ => Err(self.error(DerErrorKind::Time)),
        }
    }

    /// The rest of a time after its year.
    fn time_in(&self, year: i64, rest: &[u8]) -> Result<UnixTime, DerError> {
        let malformed = || self.error(DerErrorKind::Time);
        let [mo1, mo2, d1, d2, h1, h2, mi1, mi2, s1, s2, b'Z'] = rest else {
            return Err(malformed());
        };
        let part = |a: &u8, b: &u8| number(&[*a, *b]).ok_or_else(malformed);
        let (month, day) = (part(mo1, mo2)?, part(d1, d2)?);
        let (hour, minute, second) = (part(h1, h2)?, part(mi1, mi2)?, part(s1, s2)?);
        let is_date = (1..=days_of_month(year, month)).contains(&day);
        if !is_date || year == 0 || hour > 23 || minute > 59 || second > 59 {
            return Err(malformed());
        }
        let days = days_from_civil(year, month, day);
        Ok(UnixTime::from_secs(
            days * 86_400 + hour * 3_600 + minute * 60 + second,
        ))
    }
}

/// Reads values one after another. [`finish`](Reader::finish) refuses what is left over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
    depth: u8,
}

impl<'a> Reader<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            offset: 0,
            depth: 0,
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next value, if there is one.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(crate) fn error(&self, kind: DerErrorKind) -> DerError {
        DerError::new(kind, self.offset)
    }

    /// The next value, whatever it is.
    #[inline]
    pub(crate) fn any(&mut self) -> Result<Element<'a>, DerError> {
        let start = self.rest;
        let (tag, header, length) = match *start {
            [tag, length @ 0..=0x7f, ..] if tag & 0x1f != 0x1f => (tag, 2, usize::from(length)),
            _ => self.long_header()?,
        };
        let whole = start.split_at_checked(usize::saturating_add(header, length));
        let Some((der, rest)) = whole else {
            return Err(self.error(DerErrorKind::Truncated));
        };
        let element = Element {
            tag,
            der,
            content: der.get(header..).unwrap_or_default(),
            offset: self.offset.saturating_add(header),
            depth: self.depth,
        };
        self.rest = rest;
        self.offset = self.offset.saturating_add(der.len());
        Ok(element)
    }

    /// Tag, size of the header and length of the content, where the length needs more than its first byte.
    fn long_header(&self) -> Result<(u8, usize, usize), DerError> {
        let [tag, length, after @ ..] = self.rest else {
            return Err(self.error(DerErrorKind::Truncated));
        };
        if tag & 0x1f == 0x1f {
            return Err(self.error(DerErrorKind::Tag));
        }
        let wide = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte))
        };
        match (*length, after) {
            (0x81, [length @ 0x80..=0xff, ..]) => Ok((*tag, 3, usize::from(*length))),
            (0x82, [high @ 1..=0xff, low, ..]) => Ok((*tag, 4, wide(&[*high, *low]))),
            (0x83, [high @ 1..=0xff, middle, low, ..]) => Ok((*tag, 5, wide(&[*high, *middle, *low]))),
            (0x84, [a @ 1..=0x7f, b, c, d, ..]) => Ok((*tag, 6, wide(&[*a, *b, *c, *d]))),
            (0x81, []) | (0x82, [] | [_]) | (0x83, [] | [_] | [_, _]) => {
                Err(self.error(DerErrorKind::Truncated))
            }
            _ => Err(self.error(DerErrorKind::Length)),
        }
    }

    /// The next value, which must have this tag.
    #[inline]
    pub(crate) fn read(&mut self, tag: u8) -> Result<Element<'a>, DerError> {
        match self.peek() {
            Some(found) if found == tag => self.any(),
            Some(_) => Err(self.error(DerErrorKind::Unexpected)),
            None => Err(self.error(DerErrorKind::Truncated)),
        }
    }

    /// The next value if it has this tag.
    #[inline]
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, DerError> {
        match self.peek() {
            Some(found) if found == tag => self.any().map(Some),
            _ => Ok(None),
        }
    }

    /// The values of the constructed value that comes next.
    #[inline]
    pub(crate) fn nested(&mut self, tag: u8) -> Result<Reader<'a>, DerError> {
        self.read(tag)?.reader()
    }

    /// A BOOLEAN whose default is FALSE: absent or TRUE.
    #[inline]
    pub(crate) fn default_false(&mut self) -> Result<bool, DerError> {
        match self.optional(BOOLEAN)? {
            None => Ok(false),
            Some(element) if element.boolean()? => Ok(true),
            Some(element) => Err(element.error(DerErrorKind::DefaultEncoded)),
        }
    }

    /// Nothing may be left.
    #[inline]
    pub(crate) fn finish(self) -> Result<(), DerError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error(DerErrorKind::TrailingBytes))
        }
    }
}

/// The one value that the bytes must be, with this tag.
#[inline]
pub(crate) fn single(bytes: &[u8], tag: u8) -> Result<Element<'_>, DerError> {
    let mut reader = Reader::new(bytes);
    let element = reader.read(tag)?;
    reader.finish()?;
    Ok(element)
}

/// Checks that the bytes are one value, and that every value inside is strict DER, known or not. What OCTET STRINGs and
/// BIT STRINGs hold is not looked into.
pub(crate) fn check(bytes: &[u8]) -> Result<(), DerError> {
    let mut reader = Reader::new(bytes);
    check_element(&reader.any()?)?;
    reader.finish()
}

#[inline]
fn check_element(element: &Element<'_>) -> Result<(), DerError> {
    if element.tag & 0x20 != 0 {
        check_inside(element)
    } else {
        check_primitive(element)
    }
}

#[inline]
fn check_primitive(element: &Element<'_>) -> Result<(), DerError> {
    match element.tag {
        BOOLEAN => element.boolean().map(|_| ()),
        INTEGER | ENUMERATED => element.integer().map(|_| ()),
        BIT_STRING => element.bits().map(|_| ()),
        NULL if !element.content.is_empty() => Err(element.error(DerErrorKind::Unexpected)),
        OBJECT_IDENTIFIER => element.oid().map(|_| ()),
        UTF8_STRING if std::str::from_utf8(element.content).is_err() => {
            Err(element.error(DerErrorKind::Unexpected))
        }
        // SEQUENCE and SET are always constructed.
        0x10 | 0x11 | 0x00 => Err(element.error(DerErrorKind::Unexpected)),
        _ => Ok(()),
    }
}

fn check_inside(element: &Element<'_>) -> Result<(), DerError> {
    // Strings and other universal types are primitive in DER.
    if element.tag < 0x40 && !matches!(element.tag, SEQUENCE | SET) {
        return Err(element.error(DerErrorKind::Unexpected));
    }
    let mut reader = element.reader()?;
    let mut previous = None;
    while !reader.is_empty() {
        let inner = reader.any()?;
        if element.tag == SET {
            if previous.is_some_and(|previous| inner.der < previous) {
                return Err(inner.error(DerErrorKind::SetOrder));
            }
            previous = Some(inner.der);
        }
        check_element(&inner)?;
    }
    Ok(())
}

/// How many days a month has; none if there is no such month.
fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    }
}

/// Decimal digits as a number.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value: i64, digit| match digit {
        b'0'..=b'9' => Some(value * 10 + i64::from(digit - b'0')),
        _ => None,
    })
}

/// Writes values one after another, into one buffer.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With room for so many bytes, so that the buffer need not grow.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(capacity),
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A value from its tag and content.
    #[inline]
    pub(crate) fn value(&mut self, tag: u8, content: &[u8]) {
        self.header(tag, content.len());
        self.bytes.extend_from_slice(content);
    }

    /// A value that holds the values which `inside` writes.
    pub(crate) fn nested(&mut self, tag: u8, inside: impl FnOnce(&mut Self)) {
        self.bytes.extend_from_slice(&[tag, 0]);
        let start = self.bytes.len();
        inside(self);
        let length = self.bytes.len().saturating_sub(start);
        // One byte was kept for the length, which is enough for most values.
        let at = start.saturating_sub(1);
        match u8::try_from(length) {
            Ok(short @ 0..=0x7f) => {
                if let Some(byte) = self.bytes.get_mut(at) {
                    *byte = short;
                }
            }
            _ => {
                // The others are written at the end and turned round to the place where they belong.
                let end = self.bytes.len();
                self.long_length(length);
                let last = self.bytes.pop();
                let moved = self.bytes.len().saturating_sub(end);
                if let (Some(tail), Some(last)) = (self.bytes.get_mut(at..), last) {
                    tail.rotate_right(moved.min(tail.len()));
                    if let Some(byte) = tail.get_mut(moved) {
                        *byte = last;
                    }
                }
            }
        }
    }

    /// Values that are encoded already.
    #[inline]
    pub(crate) fn raw(&mut self, der: &[u8]) {
        self.bytes.extend_from_slice(der);
    }

    /// TRUE; FALSE is a default everywhere and not written.
    pub(crate) fn boolean_true(&mut self) {
        self.value(BOOLEAN, &[0xff]);
    }

    /// An INTEGER that is not negative, from its bytes, most significant first; leading zeros are left out.
    pub(crate) fn unsigned(&mut self, magnitude: &[u8]) {
        let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
        match magnitude.get(zeros..).unwrap_or_default() {
            [] => self.value(INTEGER, &[0]),
            significant @ [first, ..] if first & 0x80 != 0 => {
                self.value_after_zero(INTEGER, significant);
            }
            significant => self.value(INTEGER, significant),
        }
    }

    /// An OBJECT IDENTIFIER from its encoded content.
    #[inline]
    pub(crate) fn oid(&mut self, content: &[u8]) {
        self.value(OBJECT_IDENTIFIER, content);
    }

    /// A BIT STRING of whole bytes.
    pub(crate) fn whole_bits(&mut self, bytes: &[u8]) {
        self.value_after_zero(BIT_STRING, bytes);
    }

    /// A GeneralizedTime of any year.
    pub(crate) fn generalized_time(&mut self, time: UnixTime) {
        self.value(GENERALIZED_TIME, &digits_of(time));
    }

    /// A time as RFC 5280 profiles it: UTCTime for the years 1950 to 2049, else GeneralizedTime. Fractions are cut, and
    /// times outside X.509's range are moved to its ends.
    pub(crate) fn time(&mut self, time: UnixTime) {
        let digits = digits_of(time);
        match digits {
            [b'1', b'9', b'5'..=b'9', ..] | [b'2', b'0', b'0'..=b'4', ..] => {
                let [_, _, short @ ..] = digits;
                self.value(UTC_TIME, &short);
            }
            _ => self.value(GENERALIZED_TIME, &digits),
        }
    }

    #[inline]
    fn header(&mut self, tag: u8, length: usize) {
        self.bytes.push(tag);
        match u8::try_from(length) {
            Ok(short @ 0..=0x7f) => self.bytes.push(short),
            _ => self.long_length(length),
        }
    }

    /// A length of 128 or more.
    fn long_length(&mut self, length: usize) {
        let bytes = length.to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let significant = bytes.get(zeros..).unwrap_or_default();
        // INVARIANT: a usize has at most eight bytes.
        self.bytes
            .push(0x80 | u8::try_from(significant.len()).unwrap_or(0));
        self.bytes.extend_from_slice(significant);
    }

    fn value_after_zero(&mut self, tag: u8, rest: &[u8]) {
        self.header(tag, rest.len().saturating_add(1));
        self.bytes.push(0);
        self.bytes.extend_from_slice(rest);
    }
}

/// `YYYYMMDDhhmmssZ` of a time within X.509's range, which has four digits for the year.
fn digits_of(time: UnixTime) -> [u8; 15] {
    let seconds = time
        .clamp(UnixTime::MIN_X509, UnixTime::MAX_X509)
        .floor_to_secs()
        .as_secs();
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    let two = |value: i64| -> [u8; 2] {
        // INVARIANT: the remainders are digits.
        [value / 10 % 10, value % 10].map(|digit| b'0' | u8::try_from(digit).unwrap_or(0))
    };
    let ([y1, y2], [y3, y4]) = (two(year / 100), two(year % 100));
    let ([mo1, mo2], [d1, d2]) = (two(month), two(day));
    let ([h1, h2], [mi1, mi2], [s1, s2]) = (two(second / 3_600), two(second / 60 % 60), two(second % 60));
    [y1, y2, y3, y4, mo1, mo2, d1, d2, h1, h2, mi1, mi2, s1, s2, b'Z']
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind(bytes: &[u8]) -> Option<DerErrorKind> {
        check(bytes).err().map(|error| error.kind())
    }

    /// C-GEN-9: one encoding of each value.
    #[test]
    fn other_encodings_are_refused() {
        let cases: &[(&[u8], DerErrorKind)] = &[
            (&[0x30, 0x80, 0, 0], DerErrorKind::Length),
            (&[0x30, 0x81, 0x01, 0x00], DerErrorKind::Length),
            (&[0x04, 0x82, 0x00, 0x01, 0x00], DerErrorKind::Length),
            (&[0x04, 0x85, 1, 0, 0, 0, 0], DerErrorKind::Length),
            (&[0x30, 0x02, 0x05], DerErrorKind::Truncated),
            (&[0x05, 0x00, 0x00], DerErrorKind::TrailingBytes),
            (&[0x02, 0x00], DerErrorKind::Integer),
            (&[0x02, 0x02, 0x00, 0x7f], DerErrorKind::Integer),
            (&[0x02, 0x02, 0xff, 0x80], DerErrorKind::Integer),
            (&[0x01, 0x01, 0x01], DerErrorKind::Boolean),
            (&[0x03, 0x02, 0x01, 0x01], DerErrorKind::BitString),
            (&[0x03, 0x01, 0x01], DerErrorKind::BitString),
            (&[0x03, 0x02, 0x08, 0x00], DerErrorKind::BitString),
            (&[0x03, 0x00], DerErrorKind::BitString),
            (&[0x06, 0x00], DerErrorKind::ObjectIdentifier),
            (&[0x06, 0x01, 0x80], DerErrorKind::ObjectIdentifier),
            (&[0x06, 0x02, 0x55, 0x80], DerErrorKind::ObjectIdentifier),
            (&[0x1f, 0x01, 0x00], DerErrorKind::Tag),
            (&[0x24, 0x00], DerErrorKind::Unexpected),
            (&[0x10, 0x00], DerErrorKind::Unexpected),
            (&[0x05, 0x01, 0x00], DerErrorKind::Unexpected),
            (&[0x0c, 0x01, 0xff], DerErrorKind::Unexpected),
            (&[0x31, 0x06, 2, 1, 2, 2, 1, 1], DerErrorKind::SetOrder),
        ];
        for (bytes, expected) in cases {
            assert_eq!(kind(bytes), Some(*expected), "{bytes:x?}");
        }
        assert_eq!(kind(&[0x31, 0x06, 2, 1, 1, 2, 1, 2]), None);
    }

    /// C-GEN-9: nesting is capped.
    #[test]
    fn depth_is_capped() {
        let nested = |depth: usize| {
            (0..depth).fold(Vec::new(), |inner, _| {
                let mut writer = Writer::new();
                writer.value(SEQUENCE, &inner);
                writer.into_bytes()
            })
        };
        assert_eq!(kind(&nested(usize::from(MAX_DEPTH))), None);
        assert_eq!(
            kind(&nested(usize::from(MAX_DEPTH) + 1)),
            Some(DerErrorKind::TooDeep)
        );
    }

    fn time_of(tag: u8, text: &str) -> Option<UnixTime> {
        let mut writer = Writer::new();
        writer.value(tag, text.as_bytes());
        single(&writer.into_bytes(), tag).unwrap().time().ok()
    }

    /// C-VFY-6: one way to write a time.
    #[test]
    fn times_are_strict() {
        assert_eq!(time_of(UTC_TIME, "700101000000Z"), Some(UnixTime::EPOCH));
        assert_eq!(
            time_of(GENERALIZED_TIME, "00010101000000Z"),
            Some(UnixTime::MIN_X509)
        );
        assert_eq!(
            time_of(GENERALIZED_TIME, "99991231235959Z"),
            Some(UnixTime::MAX_X509)
        );
        for (tag, text) in [
            (UTC_TIME, "7001010000Z"),
            (UTC_TIME, "700101000000+0000"),
            (UTC_TIME, "700101000060Z"),
            (UTC_TIME, "700229000000Z"),
            (UTC_TIME, "701301000000Z"),
            (UTC_TIME, "70010100000 Z"),
            (GENERALIZED_TIME, "20300101000000Z"),
            (GENERALIZED_TIME, "20500101000000.5Z"),
            (GENERALIZED_TIME, "205001010000Z"),
            (GENERALIZED_TIME, "00000101000000Z"),
            (GENERALIZED_TIME, ""),
        ] {
            assert_eq!(time_of(tag, text), None, "{text}");
        }
    }

    /// C-VFY-6: the days of a month are those of the calendar, in all 400 years after which it repeats itself.
    #[test]
    fn months_have_their_days() {
        for year in 1_600..2_000 {
            for month in -1..=14 {
                let days = (-1..=33)
                    .filter(|day| civil_from_days(days_from_civil(year, month, *day)) == (year, month, *day));
                assert_eq!(days_of_month(year, month), days.count() as i64, "{year}-{month}");
            }
        }
    }

    proptest! {
        #[test]
        fn written_times_read_back(secs in UnixTime::MIN_X509.as_secs()..=UnixTime::MAX_X509.as_secs()) {
            let mut writer = Writer::new();
            writer.time(UnixTime::from_secs(secs));
            let bytes = writer.into_bytes();
            prop_assert_eq!(Reader::new(&bytes).any().unwrap().time().unwrap(), UnixTime::from_secs(secs));
        }

        #[test]
        fn written_values_are_strict(magnitude in prop::collection::vec(any::<u8>(), 0..70_000)) {
            let mut writer = Writer::new();
            writer.nested(SEQUENCE, |inner| {
                inner.unsigned(&magnitude);
                inner.whole_bits(&magnitude);
            });
            let bytes = writer.into_bytes();
            prop_assert_eq!(check(&bytes), Ok(()));
            let mut reader = single(&bytes, SEQUENCE).unwrap().reader().unwrap();
            let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
            prop_assert_eq!(reader.read(INTEGER).unwrap().unsigned().unwrap(), &magnitude[zeros..]);
            prop_assert_eq!(reader.read(BIT_STRING).unwrap().whole_bits().unwrap(), &magnitude[..]);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes);
        }
    }
}
