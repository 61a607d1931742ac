//! JSON into the arena.

mod access;
mod de;
mod lexer;
mod object;

use super::fault::Fault;
use super::resolve::Resolved;
use super::tree::{Builder, ScalarText};

use lexer::{Lexer, Step};

pub(super) use object::{TypedObject, read_object};

/// Reads one JSON value from byte `start` of `text`, which is the source up to the end of the document, and returns where it
/// ends, white space behind it included.
pub(crate) fn read(text: &str, start: usize, builder: &mut Builder<'_>) -> Result<usize, Box<Fault>> {
    let mut scanner = Scanner {
        lexer: Lexer::new(text, start),
        builder,
        buffer: String::new(),
    };
    scanner.value()?;
    scanner.lexer.skip_space();
    Ok(scanner.lexer.at)
}

struct Scanner<'t, 'b, 'o> {
    lexer: Lexer<'t>,
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
    fn value(&mut self) -> Step {
        let mut open = Vec::new();
        loop {
            // a value begins here
            self.lexer.skip_space();
            match self.lexer.peek() {
                Some(b'{') => {
                    self.builder.open_map(self.lexer.at, 0)?;
                    self.lexer.at += 1;
                    self.lexer.skip_space();
                    if self.lexer.peek() != Some(b'}') {
                        self.key()?;
                        open.push(Open::Map);
                        continue;
                    }
                    self.close()?;
                }
                Some(b'[') => {
                    self.builder.open_list(self.lexer.at, 0)?;
                    self.lexer.at += 1;
                    self.lexer.skip_space();
                    if self.lexer.peek() != Some(b']') {
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
                self.lexer.skip_space();
                match (self.lexer.peek(), container) {
                    (Some(b','), Open::List) => {
                        self.lexer.at += 1;
                        break;
                    }
                    (Some(b','), Open::Map) => {
                        self.lexer.at += 1;
                        self.lexer.skip_space();
                        self.key()?;
                        break;
                    }
                    (Some(b']'), Open::List) | (Some(b'}'), Open::Map) => {
                        self.close()?;
                        open.pop();
                    }
                    (_, Open::List) => return Err(self.lexer.fault("`,` or `]` is needed here")),
                    (_, Open::Map) => return Err(self.lexer.fault("`,` or `}` is needed here")),
                }
            }
        }
    }

    #[inline]
    fn close(&mut self) -> Step {
        self.lexer.at += 1;
        self.builder.close(Some(self.lexer.at))
    }

    #[inline]
    fn key(&mut self) -> Step {
        if self.lexer.peek() != Some(b'"') {
            return Err(self.lexer.fault("a key in double quotes is needed here"));
        }
        self.string(true)?;
        self.lexer.skip_space();
        if self.lexer.peek() != Some(b':') {
            return Err(self.lexer.fault("`:` is needed here"));
        }
        self.lexer.at += 1;
        Ok(())
    }

    #[inline]
    fn scalar(&mut self) -> Step {
        match self.lexer.peek() {
            Some(b'"') => self.string(false),
            Some(b'-' | b'0'..=b'9') => {
                let (resolved, range) = self.lexer.number()?;
                self.builder.unquoted(resolved, range.start, range.end)
            }
            Some(_) => {
                let (resolved, range) = self.lexer.word()?;
                self.builder.unquoted(resolved, range.start, range.end)
            }
            None => Err(self.lexer.fault("the text ends where a value is needed")),
        }
    }

    #[inline(always)]
    fn string(&mut self, is_key: bool) -> Step {
        let Some(content) = self.lexer.plain_string() else {
            return self.escaped(is_key);
        };
        self.builder.quoted(content.start - 1, content.end + 1)?;
        if is_key {
            self.builder.note_text_key(self.lexer.bytes(content));
        }
        Ok(())
    }

    /// A string with escapes, whose text differs from what is written.
    #[cold]
    fn escaped(&mut self, is_key: bool) -> Step {
        let start = self.lexer.at;
        self.lexer.unescape(&mut self.buffer)?;
        let text = ScalarText::Owned(&self.buffer);
        self.builder
            .typed(Resolved::Text, start..self.lexer.at, text, 0)?;
        if is_key {
            self.builder.note_text_key(self.buffer.as_bytes());
        }
        Ok(())
    }
}
