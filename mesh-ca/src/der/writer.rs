//! Writing.

use super::{BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, OBJECT_IDENTIFIER, UTC_TIME};
use crate::time::{UnixTime, civil_from_days};

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

    /// A value that holds the values which `inside` writes, most likely in fewer than 128 bytes.
    pub(crate) fn nested(&mut self, tag: u8, inside: impl FnOnce(&mut Self)) {
        self.bytes.extend_from_slice(&[tag, 0]);
        let start = self.bytes.len();
        inside(self);
        let length = self.bytes.len().saturating_sub(start);
        match (u8::try_from(length), self.bytes.get_mut(start.saturating_sub(1))) {
            (Ok(short @ 0..=0x7f), Some(place)) => *place = short,
            _ => self.set_length(start, 1),
        }
    }

    /// A value that holds the values which `inside` writes, in about so many bytes: they need not move where the length has
    /// as many bytes as that of the guess.
    #[cfg(any(feature = "x509", test))]
    pub(crate) fn nested_about(&mut self, tag: u8, guess: usize, inside: impl FnOnce(&mut Self)) {
        self.header(tag, guess);
        let start = self.bytes.len();
        inside(self);
        self.set_length(start, size_of_length(guess));
    }

    /// Writes the length of what was written from `start` on into the bytes that were kept for it, or into as many as it
    /// needs.
    fn set_length(&mut self, start: usize, kept: usize) {
        let length = self.bytes.len().saturating_sub(start);
        let needed = size_of_length(length);
        let at = start.saturating_sub(kept);
        if kept != needed {
            self.bytes.splice(at..start, std::iter::repeat_n(0, needed));
        }
        if let Some(place) = self.bytes.get_mut(at..at.saturating_add(needed)) {
            write_length(place, length);
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
        match u8::try_from(length) {
            Ok(short @ 0..=0x7f) => self.bytes.extend_from_slice(&[tag, short]),
            _ => self.long_header(tag, length),
        }
    }

    /// The header of a value of 128 bytes or more.
    fn long_header(&mut self, tag: u8, length: usize) {
        self.bytes.push(tag);
        let at = self.bytes.len();
        self.bytes.resize(at.saturating_add(size_of_length(length)), 0);
        write_length(self.bytes.get_mut(at..).unwrap_or_default(), length);
    }

    fn value_after_zero(&mut self, tag: u8, rest: &[u8]) {
        self.header(tag, rest.len().saturating_add(1));
        self.bytes.push(0);
        self.bytes.extend_from_slice(rest);
    }
}

/// How many bytes a length has: one below 128, else those of the number and one before them.
fn size_of_length(length: usize) -> usize {
    match length {
        0..=0x7f => 1,
        _ => 1 + length.ilog2() as usize / 8 + 1,
    }
}

/// Writes a length into as many bytes as [`size_of_length`] says.
fn write_length(place: &mut [u8], length: usize) {
    let number = match place {
        [_] => place,
        [first, number @ ..] => {
            // INVARIANT: a usize has at most eight bytes.
            *first = 0x80 | u8::try_from(number.len()).unwrap_or(0);
            number
        }
        [] => return,
    };
    for (place, byte) in number.iter_mut().rev().zip(length.to_le_bytes()) {
        *place = byte;
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
        // INVARIANT: every part is below 100.
        let value = u8::try_from(value).unwrap_or(0);
        [b'0' + value / 10 % 10, b'0' + value % 10]
    };
    let ([y1, y2], [y3, y4]) = (two(year / 100), two(year % 100));
    let ([mo1, mo2], [d1, d2]) = (two(month), two(day));
    let ([h1, h2], [mi1, mi2], [s1, s2]) = (two(second / 3_600), two(second / 60 % 60), two(second % 60));
    [y1, y2, y3, y4, mo1, mo2, d1, d2, h1, h2, mi1, mi2, s1, s2, b'Z']
}
