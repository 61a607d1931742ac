//! `[..]` and `{..}` on one line.

use super::{Bytes, Left, Scanner, Step, Token, TokenText, may_start};

/// Deeper ones are left to the parser, which has a limit of its own.
const MAX_DEPTH: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    List,
    Map,
}

impl Scanner<'_, '_, '_> {
    /// A list or map in brackets with all that it holds; the nesting is on a stack of our own.
    pub(super) fn flow(&mut self) -> Step {
        let mut open: Vec<Open> = Vec::new();
        loop {
            // a value begins here
            match self.peek() {
                Some(b'[') => {
                    self.builder.open_list(self.at, 0)?;
                    open.push(Open::List);
                    self.at += 1;
                }
                Some(b'{') => {
                    self.builder.open_map(self.at, 0)?;
                    open.push(Open::Map);
                    self.at += 1;
                }
                _ => {
                    let token = self.flow_scalar()?;
                    self.put(&token)?;
                    self.skip_spaces();
                    self.flow_comma()?;
                }
            }
            if open.len() > MAX_DEPTH {
                return Err(Left);
            }
            // what ends here
            loop {
                self.skip_spaces();
                match (self.peek(), open.last()) {
                    (Some(b']'), Some(Open::List)) | (Some(b'}'), Some(Open::Map)) => {
                        self.at += 1;
                        self.builder.close(Some(self.at))?;
                        open.pop();
                        if open.is_empty() {
                            return Ok(());
                        }
                        self.skip_spaces();
                        self.flow_comma()?;
                    }
                    (_, Some(Open::List)) => break,
                    (_, Some(Open::Map)) => {
                        self.flow_key()?;
                        break;
                    }
                    (_, None) => return Err(Left),
                }
            }
        }
    }

    /// Behind a value stands a comma or a closing bracket.
    fn flow_comma(&mut self) -> Step {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_spaces();
                // of a map that ends behind a comma, the parser says that it ends before
                if self.peek() == Some(b'}') {
                    return Err(Left);
                }
            }
            Some(b']' | b'}') => {}
            _ => return Err(Left),
        }
        Ok(())
    }

    fn flow_key(&mut self) -> Step {
        let token = self.flow_scalar()?;
        let quoted = !matches!(token.text, TokenText::Plain);
        let white = matches!(self.byte(self.at + 1), Some(b' '));
        if self.peek() != Some(b':') || !(white || quoted) || token.end - token.start > super::MAX_KEY {
            return Err(Left);
        }
        self.put_key(&token)?;
        self.at += 1;
        self.skip_spaces();
        Ok(())
    }

    fn flow_scalar(&mut self) -> Step<Token> {
        match self.peek() {
            Some(b'-')
                if !self
                    .byte(self.at + 1)
                    .is_some_and(|next| next.is_ascii_alphanumeric()) =>
            {
                Err(Left)
            }
            Some(byte) if may_start(byte) => self.flow_plain(),
            _ => self.quoted(),
        }
    }

    fn flow_plain(&mut self) -> Step<Token> {
        let start = self.at;
        self.at += 1;
        loop {
            let rest = self.rest();
            self.at += rest.iter().position(|byte| STOPS.has(*byte)).ok_or(Left)?;
            let (before, after) = (self.byte(self.at - 1), self.byte(self.at + 1));
            match self.peek() {
                Some(b',' | b']' | b'}') => break,
                Some(b':') => match after {
                    Some(b' ') if before != Some(b' ') => break,
                    Some(b' ' | b',' | b'[' | b']' | b'{' | b'}' | b'\t' | b'\n' | b'\r') | None => {
                        return Err(Left);
                    }
                    Some(_) => self.at += 1,
                },
                // words that start so are read in several ways
                Some(b'#' | b'-') if before == Some(b' ') => return Err(Left),
                Some(b'#' | b'-') => self.at += 1,
                _ => return Err(Left),
            }
        }
        let text = self.bytes.get(start..self.at).unwrap_or_default();
        let end = start + text.trim_ascii_end().len();
        Ok(Token {
            start,
            end,
            text: TokenText::Plain,
        })
    }
}

/// Where a plain scalar in brackets may end.
const STOPS: Bytes = Bytes::of(b",[]{}:#-\n\r\t");
