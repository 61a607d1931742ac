//! Reading: one encoding of each value and no other.

use std::ops::Range;

use super::{
    BIT_STRING, BOOLEAN, DerError, DerErrorKind, ENUMERATED, GENERALIZED_TIME, INTEGER, MAX_DEPTH, NULL,
    OBJECT_IDENTIFIER, SEQUENCE, SET, UTC_TIME, UTF8_STRING,
};
use crate::time::{UnixTime, days_from_civil};

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

    /// At the content of the value that was read from here, and at what follows it.
    #[inline]
    fn inside(&self, element: &Element<'a>) -> Self {
        let header = element.der.len().saturating_sub(element.content.len());
        Self {
            rest: self.rest.get(header..).unwrap_or_default(),
            offset: element.offset,
            depth: self.depth,
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
    // How many bytes stand behind the innermost open value, and behind each of those around it.
    let mut behind = 0;
    let mut around = [0; MAX_DEPTH as usize];
    let mut depth = 0_usize;
    loop {
        let start = reader;
        let element = reader.any()?;
        if reader.rest.len() < behind {
            return Err(start.error(DerErrorKind::Truncated));
        }
        if element.tag & 0x20 == 0 {
            check_primitive(&element)?;
        } else {
            check_constructed(&element)?;
            let Some(place) = around.get_mut(depth) else {
                return Err(element.error(DerErrorKind::TooDeep));
            };
            *place = behind;
            depth = depth.saturating_add(1);
            behind = reader.rest.len();
            reader = start.inside(&element);
        }
        while depth > 0 && reader.rest.len() == behind {
            depth = depth.saturating_sub(1);
            behind = around.get(depth).copied().unwrap_or(0);
        }
        if depth == 0 {
            return reader.finish();
        }
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

/// What can be said of a value without those inside, and the order of a SET.
#[inline]
fn check_constructed(element: &Element<'_>) -> Result<(), DerError> {
    match element.tag {
        SET => check_order(element),
        // Strings and other universal types are primitive in DER.
        0x40.. | SEQUENCE => Ok(()),
        _ => Err(element.error(DerErrorKind::Unexpected)),
    }
}

fn check_order(set: &Element<'_>) -> Result<(), DerError> {
    let mut reader = set.reader()?;
    let mut previous: &[u8] = &[];
    while !reader.is_empty() {
        let element = reader.any()?;
        if element.der < previous {
            return Err(element.error(DerErrorKind::SetOrder));
        }
        previous = element.der;
    }
    Ok(())
}

/// How many days a month has; none if there is no such month.
pub(super) fn days_of_month(year: i64, month: i64) -> i64 {
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
