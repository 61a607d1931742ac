//! Scalars in quotes, on one line.

use super::{Left, Scanner, Step, Token, TokenText};

impl Scanner<'_, '_, '_> {
    pub(super) fn single_quoted(&mut self) -> Step<Token> {
        let start = self.at;
        self.at += 1;
        let first = self.until(|byte| matches!(byte, b'\'' | b'\n' | b'\r'))?;
        if !self.is_doubled() {
            return self.closed(start, b'\'', TokenText::Quoted);
        }
        self.buffer.clear();
        self.push(first)?;
        while self.is_doubled() {
            // the second one of the two begins the next piece
            let quote = self.at + 1;
            self.at += 2;
            self.until(|byte| matches!(byte, b'\'' | b'\n' | b'\r'))?;
            self.push(quote)?;
        }
        self.closed(start, b'\'', TokenText::Unescaped)
    }

    fn is_doubled(&self) -> bool {
        self.peek() == Some(b'\'') && self.byte(self.at + 1) == Some(b'\'')
    }

    pub(super) fn double_quoted(&mut self) -> Step<Token> {
        let start = self.at;
        self.at += 1;
        let first = self.until(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r'))?;
        if self.peek() == Some(b'"') {
            return self.closed(start, b'"', TokenText::Quoted);
        }
        self.buffer.clear();
        self.push(first)?;
        while self.peek() == Some(b'\\') {
            let c = self.escape()?;
            self.buffer.push(c);
            let piece = self.until(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r'))?;
            self.push(piece)?;
        }
        self.closed(start, b'"', TokenText::Unescaped)
    }

    /// Goes on to a byte that stops, and returns where it started.
    fn until(&mut self, stops: impl Fn(u8) -> bool) -> Step<usize> {
        let start = self.at;
        let length = self.rest().iter().position(|byte| stops(*byte)).ok_or(Left)?;
        self.at += length;
        Ok(start)
    }

    /// Adds what was passed over since `start` to the buffer.
    fn push(&mut self, start: usize) -> Step {
        let piece = self.bytes.get(start..self.at).unwrap_or_default();
        self.buffer.push_str(str::from_utf8(piece).map_err(|_| Left)?);
        Ok(())
    }

    /// A colon may follow where white space follows the colon; the caller looks for it.
    fn closed(&mut self, start: usize, quote: u8, text: TokenText) -> Step<Token> {
        if self.peek() != Some(quote) {
            return Err(Left);
        }
        self.at += 1;
        let end = self.at;
        Ok(Token { start, end, text })
    }

    /// An escape of one character.
    fn escape(&mut self) -> Step<char> {
        let digits = match self.byte(self.at + 1).ok_or(Left)? {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            code => {
                self.at += 2;
                return simple_escape(code).ok_or(Left);
            }
        };
        let hex = self.bytes.get(self.at + 2..self.at + 2 + digits).ok_or(Left)?;
        let mut value: u32 = 0;
        for digit in hex {
            let digit = char::from(*digit).to_digit(16).ok_or(Left)?;
            value = value.checked_mul(16).ok_or(Left)? + digit;
        }
        self.at += 2 + digits;
        char::from_u32(value).ok_or(Left)
    }
}

fn simple_escape(code: u8) -> Option<char> {
    Some(match code {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'0' => '\0',
        b'a' => '\u{7}',
        b'e' => '\u{1b}',
        b'v' => '\u{b}',
        b' ' => ' ',
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
