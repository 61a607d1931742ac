//! The words of CEL.

use std::cmp::Ordering;

use super::CelError;

/// A word, and the byte where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spanned<'a> {
    pub(super) offset: usize,
    pub(super) token: Token<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Identifier(&'a str),
    /// A text, bytes, or a number that is unsigned.
    Literal,
    /// A number that may have a sign; the smallest integer must have one.
    Number {
        signed_only: bool,
    },
    Symbol(&'static str),
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ",", ".", "(", ")",
    "[", "]", "{", "}",
];

pub(super) fn tokens(text: &str) -> Result<Vec<Spanned<'_>>, CelError> {
    let mut cursor = Cursor { text, offset: 0 };
    let mut tokens = Vec::new();
    loop {
        cursor.skip_blanks();
        if cursor.rest().is_empty() {
            return Ok(tokens);
        }
        let offset = cursor.offset;
        let token = cursor.token()?;
        tokens.push(Spanned { offset, token });
    }
}

struct Cursor<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    /// The byte so many places ahead.
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.rest().as_bytes().get(ahead).copied()
    }

    fn error(&self, problem: impl Into<String>) -> CelError {
        CelError::new(self.offset, problem)
    }

    /// Takes the longest prefix of bytes that fit; they must be ASCII.
    fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii() && fits(*byte))
            .count();
        self.offset += length;
        rest.get(..length).unwrap_or_default()
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.offset += text.len();
        }
        found
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0c));
            if !self.rest().starts_with("//") {
                return;
            }
            let rest = self.rest();
            self.offset += rest.find('\n').unwrap_or(rest.len());
        }
    }

    fn token(&mut self) -> Result<Token<'a>, CelError> {
        let rest = self.rest();
        let second = self.byte(1);
        match self.byte(0) {
            Some(b'0'..=b'9') => self.number(),
            Some(b'.') if second.is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            Some(b'"' | b'\'') => self.quoted(Quoted::TEXT),
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
                let prefix = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
                let quote = self.byte(prefix).is_some_and(|byte| matches!(byte, b'"' | b'\''));
                match (
                    quote,
                    rest.get(..prefix)
                        .unwrap_or_default()
                        .to_ascii_lowercase()
                        .as_str(),
                ) {
                    (true, "r") => self.prefixed(
                        prefix,
                        Quoted {
                            raw: true,
                            bytes: false,
                        },
                    ),
                    (true, "b") => self.prefixed(
                        prefix,
                        Quoted {
                            raw: false,
                            bytes: true,
                        },
                    ),
                    (true, "br") => self.prefixed(
                        prefix,
                        Quoted {
                            raw: true,
                            bytes: true,
                        },
                    ),
                    _ => {
                        let word = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                        Ok(Token::Identifier(word))
                    }
                }
            }
            _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                Some(symbol) => {
                    self.offset += symbol.len();
                    Ok(Token::Symbol(symbol))
                }
                None => Err(self.error("this is no word of CEL")),
            },
        }
    }

    fn number(&mut self) -> Result<Token<'a>, CelError> {
        let start = self.offset;
        if self.rest().starts_with("0x") && self.byte(2).is_some_and(|byte| byte.is_ascii_hexdigit()) {
            self.offset += 2;
            let digits = self.take_while(|byte| byte.is_ascii_hexdigit());
            return self.integer(digits, 16, start);
        }
        let whole = self.take_while(|byte| byte.is_ascii_digit());
        let mut is_float = false;
        if self.byte(0) == Some(b'.') && self.byte(1).is_some_and(|byte| byte.is_ascii_digit()) {
            self.offset += 1;
            self.take_while(|byte| byte.is_ascii_digit());
            is_float = true;
        }
        is_float |= self.exponent();
        if is_float {
            let text = self.text.get(start..self.offset).unwrap_or_default();
            let fits = text.parse::<f64>().is_ok_and(f64::is_finite);
            return match fits {
                true => Ok(Token::Number { signed_only: false }),
                false => Err(out_of_range(start)),
            };
        }
        self.integer(whole, 10, start)
    }

    /// The token of digits that were taken, and of the letter of unsigned numbers after them.
    fn integer(&mut self, digits: &str, radix: u32, start: usize) -> Result<Token<'a>, CelError> {
        const SMALLEST: u64 = 1 << 63;
        let number = u64::from_str_radix(digits, radix).map_err(|_| out_of_range(start))?;
        if self.take("u") || self.take("U") {
            return Ok(Token::Literal);
        }
        match number.cmp(&SMALLEST) {
            Ordering::Less => Ok(Token::Number { signed_only: false }),
            Ordering::Equal => Ok(Token::Number { signed_only: true }),
            Ordering::Greater => Err(out_of_range(start)),
        }
    }

    /// Takes `e`, a sign and digits, if they are all there.
    fn exponent(&mut self) -> bool {
        let start = self.offset;
        if self.take("e") || self.take("E") {
            let _sign = self.take("+") || self.take("-");
            if !self.take_while(|byte| byte.is_ascii_digit()).is_empty() {
                return true;
            }
            self.offset = start;
        }
        false
    }

    fn prefixed(&mut self, prefix: usize, form: Quoted) -> Result<Token<'a>, CelError> {
        self.offset += prefix;
        self.quoted(form)
    }

    fn quoted(&mut self, form: Quoted) -> Result<Token<'a>, CelError> {
        let start = self.offset;
        let quote = if self.byte(0) == Some(b'"') { "\"" } else { "'" };
        let tripled = quote.repeat(3);
        let (end, is_long) = match self.take(&tripled) {
            true => (tripled.as_str(), true),
            false => {
                self.take(quote);
                (quote, false)
            }
        };
        loop {
            if self.take(end) {
                return Ok(Token::Literal);
            }
            match self.rest().chars().next() {
                Some('\\') if !form.raw => self.escape(form)?,
                Some('\n' | '\r') | None if !is_long => break,
                Some(c) => self.offset += c.len_utf8(),
                None => break,
            }
        }
        Err(CelError::new(start, "the text does not end"))
    }

    /// Takes a backslash and what it escapes.
    fn escape(&mut self, form: Quoted) -> Result<(), CelError> {
        let start = self.offset;
        self.offset += 1;
        let fits = match self.byte(0) {
            Some(b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'"' | b'\'' | b'\\' | b'?' | b'`') => {
                self.offset += 1;
                true
            }
            Some(b'x' | b'X') => self.digits(1, 2, 16).is_some(),
            // bytes have no code points
            Some(b'u') => self
                .digits(1, 4, 16)
                .is_some_and(|code| !form.bytes && char::from_u32(code).is_some()),
            Some(b'U') => self
                .digits(1, 8, 16)
                .is_some_and(|code| !form.bytes && char::from_u32(code).is_some()),
            Some(b'0'..=b'3') => self.digits(0, 3, 8).is_some(),
            _ => false,
        };
        match fits {
            true => Ok(()),
            false => Err(CelError::new(start, "the escape sequence is not known")),
        }
    }

    /// Takes `skip` bytes and then a number of exactly `count` digits.
    fn digits(&mut self, skip: usize, count: usize, radix: u32) -> Option<u32> {
        let rest = self.rest();
        let digits = rest.get(skip..skip + count)?;
        let number = digits
            .chars()
            .all(|c| c.is_digit(radix))
            .then(|| u32::from_str_radix(digits, radix).ok())??;
        self.offset += skip + count;
        Some(number)
    }
}

fn out_of_range(start: usize) -> CelError {
    CelError::new(start, "the number is out of range")
}

/// The form of a quoted text.
#[derive(Clone, Copy)]
struct Quoted {
    /// Without escape sequences.
    raw: bool,
    /// Of bytes, not of characters.
    bytes: bool,
}

impl Quoted {
    const TEXT: Self = Self {
        raw: false,
        bytes: false,
    };
}
