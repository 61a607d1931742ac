//! JSON into the arena.

use super::fault::{Fault, codes};
use super::find::find_byte;
use super::resolve::Resolved;
use super::tree::{Builder, ScalarText};

/// Reads one JSON value from byte `start` of `text`, which is the source up to the end of the document, and returns where it
/// ends, white space behind it included.
pub(crate) fn read(text: &str, start: usize, builder: &mut Builder<'_>) -> Result<usize, Box<Fault>> {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: start,
        builder,
        buffer: String::new(),
    };
    scanner.value()?;
    scanner.skip_space();
    Ok(scanner.at)
}

struct Scanner<'t, 'b, 'o> {
    text: &'t str,
    bytes: &'t [u8],
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

type Step<T = ()> = Result<T, Box<Fault>>;

impl Scanner<'_, '_, '_> {
    /// One value with all that it holds; the nesting is on a stack of our own.
    fn value(&mut self) -> Step {
        let mut open = Vec::new();
        loop {
            // a value begins here
            self.skip_space();
            match self.peek() {
                Some(b'{') => {
                    self.builder.open_map(self.at, 0)?;
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
                    self.builder.open_list(self.at, 0)?;
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

    #[inline]
    fn close(&mut self) -> Step {
        self.at += 1;
        self.builder.close(Some(self.at))
    }

    #[inline]
    fn key(&mut self) -> Step {
        if self.peek() != Some(b'"') {
            return Err(self.fault("a key in double quotes is needed here"));
        }
        self.string(true)?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.fault("`:` is needed here"));
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn scalar(&mut self) -> Step {
        match self.peek() {
            Some(b'"') => self.string(false),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.word(),
            None => Err(self.fault("the text ends where a value is needed")),
        }
    }

    fn word(&mut self) -> Step {
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
            Some((word, resolved)) => self.unquoted(*resolved, self.at + word.len()),
            None => Err(self.fault("a value is needed here")),
        }
    }

    /// Puts in what stands between here and `end`.
    fn unquoted(&mut self, resolved: Resolved, end: usize) -> Step {
        let start = std::mem::replace(&mut self.at, end);
        self.builder.unquoted(resolved, start, end)
    }

    /// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`
    fn number(&mut self) -> Step {
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
        self.unquoted(resolved, end)
    }

    #[inline(always)]
    fn string(&mut self, is_key: bool) -> Step {
        let (start, first) = (self.at, self.at + 1);
        let stop = plain_end(self.bytes, first);
        if self.bytes.get(stop) == Some(&b'"') {
            self.at = stop + 1;
            self.builder.quoted(start, stop + 1)?;
            if is_key {
                self.builder
                    .note_text_key(self.bytes.get(first..stop).unwrap_or_default());
            }
            return Ok(());
        }
        self.at = first;
        self.escaped(start, is_key)
    }

    /// A string with escapes, whose text differs from what is written.
    #[cold]
    fn escaped(&mut self, start: usize, is_key: bool) -> Step {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        self.unescape(&mut buffer)?;
        let text = ScalarText::Owned(&buffer);
        self.builder.typed(Resolved::Text, start..self.at, text, 0)?;
        if is_key {
            self.builder.note_text_key(buffer.as_bytes());
        }
        self.buffer = buffer;
        Ok(())
    }

    /// The rest of a string with escapes, up to and with the closing quote.
    fn unescape(&mut self, out: &mut String) -> Step {
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

    #[inline]
    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[cold]
    fn fault(&self, message: &str) -> Box<Fault> {
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
