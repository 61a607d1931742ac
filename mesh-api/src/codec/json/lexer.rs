//! The words of JSON: what both ways of reading it are made of.

use std::ops::Range;

use crate::codec::fault::{Fault, codes};
use crate::codec::find::find_byte;
use crate::codec::resolve::Resolved;

/// A place in a text that is JSON.
pub(super) struct Lexer<'t> {
    /// The source up to the end of the document, so that positions are those of the source.
    text: &'t str,
    bytes: &'t [u8],
    pub(super) at: usize,
}

/// A fault that ends the document; in a box, since there is none nearly always.
pub(super) type Step<T = ()> = Result<T, Box<Fault>>;

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str, at: usize) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            at,
        }
    }

    /// The text of a range of bytes.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    #[inline]
    pub(super) fn bytes(&self, range: Range<usize>) -> &'t [u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Goes over `true`, `false` or `null`, and says what it is and where it stands.
    pub(super) fn word(&mut self) -> Step<(Resolved, Range<usize>)> {
        let words = [
            ("null", Resolved::Null),
            ("true", Resolved::Bool(true)),
            ("false", Resolved::Bool(false)),
        ];
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = words.iter().find(|(word, _)| {
            rest.strip_prefix(word)
                .is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
        });
        match word {
            Some((word, resolved)) => Ok((*resolved, self.go_over(word.len()))),
            None => Err(self.fault("a value is needed here")),
        }
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`
    pub(super) fn number(&mut self) -> Step<(Resolved, Range<usize>)> {
        let bytes = self.bytes;
        let byte = |at: usize| bytes.get(at).copied();
        let after_digits = |mut at: usize| {
            while byte(at).is_some_and(|byte| byte.is_ascii_digit()) {
                at += 1;
            }
            at
        };
        let whole = self.at + usize::from(byte(self.at) == Some(b'-'));
        let mut end = after_digits(whole);
        if end == whole || (end - whole > 1 && byte(whole) == Some(b'0')) {
            return Err(self.fault("the number is malformed"));
        }
        let mut resolved = Resolved::Int;
        if byte(end) == Some(b'.') {
            let fraction = end + 1;
            (end, resolved) = (after_digits(fraction), Resolved::Float);
            if end == fraction {
                return Err(self.fault("the number is malformed"));
            }
        }
        if matches!(byte(end), Some(b'e' | b'E')) {
            let exponent = end + 1 + usize::from(matches!(byte(end + 1), Some(b'-' | b'+')));
            (end, resolved) = (after_digits(exponent), Resolved::Float);
            if end == exponent {
                return Err(self.fault("the number is malformed"));
            }
        }
        if resolved == Resolved::Int && end - self.at > MAX_SHORT {
            let text = self.text.get(self.at..end).unwrap_or_default();
            let fits = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
            resolved = if fits { Resolved::Int } else { Resolved::Float };
        }
        Ok((resolved, self.go_over(end - self.at)))
    }

    fn go_over(&mut self, length: usize) -> Range<usize> {
        let start = self.at;
        self.at += length;
        start..self.at
    }

    /// Goes over a string that stands in the text as it is, and says where its content stands. `None` for one with escapes or
    /// faults; then nothing has moved. The opening quote stands here.
    #[inline(always)]
    pub(super) fn plain_string(&mut self) -> Option<Range<usize>> {
        let first = self.at + 1;
        let stop = plain_end(self.bytes, first);
        if self.bytes.get(stop) != Some(&b'"') {
            return None;
        }
        self.at = stop + 1;
        Some(first..stop)
    }

    /// Goes over a string with escapes, from its opening quote to behind the closing one.
    pub(super) fn unescape(&mut self, out: &mut String) -> Step {
        out.clear();
        self.at += 1;
        loop {
            let stop = plain_end(self.bytes, self.at);
            out.push_str(self.text.get(self.at..stop).unwrap_or_default());
            self.at = stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.fault("a line break or tab in a string must be escaped")),
                None => return Err(self.fault("the string does not end")),
            }
        }
    }

    fn escape(&mut self) -> Step<char> {
        let code = self.bytes.get(self.at + 1).copied();
        let simple = match code {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.fault("the escape is not known")),
        };
        self.at += 2;
        Ok(simple)
    }

    /// `\uXXXX`, or two of them for a character beyond U+FFFF.
    fn unicode_escape(&mut self) -> Step<char> {
        let unit = |at: usize| {
            let text = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
            text.bytes()
                .all(|byte| byte.is_ascii_hexdigit())
                .then(|| u16::from_str_radix(text, 16).ok())?
        };
        let Some(first) = unit(self.at) else {
            return Err(self.fault("`\\u` takes four hexadecimal digits"));
        };
        let units = [first, unit(self.at + 6).unwrap_or(0)];
        let Some(Ok(c)) = char::decode_utf16(units).next() else {
            return Err(self.fault("the escape is half of a surrogate pair, the other half is missing"));
        };
        self.at += 6 * c.len_utf16();
        Ok(c)
    }

    #[cold]
    pub(super) fn fault(&self, message: &str) -> Box<Fault> {
        let at = self.at.min(self.text.trim_end().len());
        Fault::error(codes::SYNTAX, at..at + 1, message).into()
    }
}

/// Integers of so many characters fit 64 bits.
const MAX_SHORT: usize = 18;

/// Where what needs no look ends in a string: at a quote, a backslash or a control character.
fn plain_end(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + find_byte(rest, [b'"', b'\\']).unwrap_or(rest.len())
}
