//! JSON into the arena.

use std::ops::Range;

use super::fault::{Fault, codes};
use super::resolve::Resolved;
use super::tree::{Builder, ScalarText};

/// Reads one JSON value from the start of `text`, which starts at byte `base` of the source, and returns how many bytes
/// it took, white space around it included.
pub(crate) fn read(text: &str, base: usize, builder: &mut Builder<'_>) -> Result<usize, Fault> {
    let mut scanner = Scanner {
        text,
        base,
        at: 0,
        builder,
        buffer: String::new(),
    };
    scanner.value()?;
    scanner.skip_space();
    Ok(scanner.at)
}

struct Scanner<'t, 'b, 'o> {
    text: &'t str,
    base: usize,
    at: usize,
    builder: &'b mut Builder<'o>,
    buffer: String,
}

/// What is open around the scanner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    List,
    Map,
}

impl Scanner<'_, '_, '_> {
    /// One value with all that it holds; the nesting is on a stack of our own.
    fn value(&mut self) -> Result<(), Fault> {
        let mut open = Vec::new();
        loop {
            // a value begins here
            self.skip_space();
            match self.peek() {
                Some(b'{') => {
                    self.builder.open_map(self.base + self.at, 0)?;
                    self.at += 1;
                    self.skip_space();
                    if self.peek() != Some(b'}') {
                        self.key()?;
                        open.push(Open::Map);
                        continue;
                    }
                    self.close()?;
                }
                Some(b'[') => {
                    self.builder.open_list(self.base + self.at, 0)?;
                    self.at += 1;
                    self.skip_space();
                    if self.peek() != Some(b']') {
                        open.push(Open::List);
                        continue;
                    }
                    self.close()?;
                }
                _ => self.scalar()?,
            }
            // a value has ended
            loop {
                let Some(&container) = open.last() else {
                    return Ok(());
                };
                self.skip_space();
                match (self.peek(), container) {
                    (Some(b','), Open::List) => {
                        self.at += 1;
                        break;
                    }
                    (Some(b','), Open::Map) => {
                        self.at += 1;
                        self.skip_space();
                        self.key()?;
                        break;
                    }
                    (Some(b']'), Open::List) | (Some(b'}'), Open::Map) => {
                        self.close()?;
                        open.pop();
                    }
                    (_, Open::List) => return Err(self.fault("`,` or `]` is needed here")),
                    (_, Open::Map) => return Err(self.fault("`,` or `}` is needed here")),
                }
            }
        }
    }

    fn close(&mut self) -> Result<(), Fault> {
        self.at += 1;
        self.builder.close(Some(self.base + self.at))
    }

    fn key(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault("a key in double quotes is needed here"));
        }
        self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.fault("`:` is needed here"));
        }
        self.at += 1;
        Ok(())
    }

    fn scalar(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => {
                let words = [
                    ("null", Resolved::Null),
                    ("true", Resolved::Bool(true)),
                    ("false", Resolved::Bool(false)),
                ];
                let rest = self.rest();
                let word = words.iter().find(|(word, _)| {
                    rest.strip_prefix(word)
                        .is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
                });
                let Some((word, resolved)) = word else {
                    return Err(self.fault("a value is needed here"));
                };
                let span = self.take(word.len());
                self.builder
                    .typed(*resolved, span.clone(), ScalarText::Slice(span), 0)
            }
            None => Err(self.fault("the text ends where a value is needed")),
        }
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`
    fn number(&mut self) -> Result<(), Fault> {
        let rest = self.rest().as_bytes();
        let byte = |at: usize| rest.get(at).copied();
        let digits = |from: usize| {
            rest.iter()
                .skip(from)
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        };
        let mut end = usize::from(byte(0) == Some(b'-'));
        let whole = digits(end);
        if whole == 0 || (whole > 1 && byte(end) == Some(b'0')) {
            return Err(self.fault("the number is malformed"));
        }
        end += whole;
        let mut resolved = Resolved::Int;
        if byte(end) == Some(b'.') {
            let fraction = digits(end + 1);
            if fraction == 0 {
                return Err(self.fault("the number is malformed"));
            }
            (end, resolved) = (end + 1 + fraction, Resolved::Float);
        }
        if matches!(byte(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(byte(end + 1), Some(b'-' | b'+')));
            let exponent = digits(end + 1 + sign);
            if exponent == 0 {
                return Err(self.fault("the number is malformed"));
            }
            (end, resolved) = (end + 1 + sign + exponent, Resolved::Float);
        }
        let span = self.take(end);
        let text = self
            .text
            .get(span.start - self.base..span.end - self.base)
            .unwrap_or_default();
        let fits = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
        let resolved = if resolved == Resolved::Int && !fits {
            Resolved::Float
        } else {
            resolved
        };
        self.builder
            .typed(resolved, span.clone(), ScalarText::Slice(span), 0)
    }

    fn string(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.at += 1;
        let plain = self
            .rest()
            .bytes()
            .position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20);
        match plain.and_then(|length| {
            self.text
                .as_bytes()
                .get(self.at + length)
                .map(|stop| (length, *stop))
        }) {
            Some((length, b'"')) => {
                self.at += length + 1;
                let span = self.base + start..self.base + self.at;
                let text = span.start + 1..span.end - 1;
                self.builder
                    .typed(Resolved::Text, span, ScalarText::Slice(text), 0)
            }
            _ => {
                let mut buffer = std::mem::take(&mut self.buffer);
                buffer.clear();
                self.unescape(&mut buffer)?;
                let span = self.base + start..self.base + self.at;
                let done = self
                    .builder
                    .typed(Resolved::Text, span, ScalarText::Owned(&buffer), 0);
                self.buffer = buffer;
                done
            }
        }
    }

    /// The rest of a string with escapes, up to and with the closing quote.
    fn unescape(&mut self, out: &mut String) -> Result<(), Fault> {
        loop {
            let Some(c) = self.rest().chars().next() else {
                return Err(self.fault("the string does not end"));
            };
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(());
                }
                '\\' => out.push(self.escape()?),
                c if (c as u32) < 0x20 => {
                    return Err(self.fault("a line break or tab in a string must be escaped"));
                }
                c => {
                    out.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let code = self.text.as_bytes().get(self.at + 1).copied();
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
    fn unicode_escape(&mut self) -> Result<char, Fault> {
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

    fn skip_space(&mut self) {
        let space = self
            .rest()
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            .count();
        self.at += space;
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, length: usize) -> Range<usize> {
        let start = self.base + self.at;
        self.at += length;
        start..start + length
    }

    fn fault(&self, message: &str) -> Fault {
        let at = self.base + self.at.min(self.text.trim_end().len());
        Fault::error(codes::SYNTAX, at..at + 1, message)
    }
}
