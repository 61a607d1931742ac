//! Plain YAML into the arena, line by line.
//!
//! Most documents that people and tools write for a cluster use little of YAML: block maps and lists, scalars of one line,
//! `|` blocks, and short `[..]` and `{..}`. Those are read here, several times as fast as by the events of a parser. As soon as
//! anything else is met (anchors, tags, `>` blocks, text over several lines, tabs, `? ` keys, and whatever is no YAML at
//! all), the document is left to the parser, from its start. So this scanner has no errors of its own, and a tree from
//! here is the tree that the parser's events make; a property test holds the two together.

mod block_scalar;
mod flow;
mod quoted;

use super::documents::{Segment, has_byte};
use super::fault::Fault;
use super::find::{count_spaces, find_byte};
use super::resolve::{Resolved, is_surely_text, resolve};
use super::source::Source;
use super::tree::{Builder, ScalarText};

/// Reads a document into the builder. After an `Err` the builder holds a part of it and is to be thrown away.
pub(crate) fn read(source: &Source, segment: &Segment, builder: &mut Builder<'_>) -> Result<(), Left> {
    let Segment { span, content, .. } = segment;
    // what stands before the content must be the `---` marker alone, or nothing
    if content.start - span.start != 0 && content.start - span.start != "---".len() {
        return Err(Left);
    }
    let text = source.text().get(..content.end).ok_or(Left)?;
    let body = source.slice(content.clone());
    if !is_plain(body) {
        return Err(Left);
    }
    let marker = content.start > span.start;
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: content.start,
        line_start: content.start,
        open: Vec::new(),
        missing: None,
        buffer: String::new(),
        builder,
    };
    if marker {
        scanner.end_line()?;
    }
    scanner.document()
}

/// The document is left to the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left;

/// The parser reports it again, with all that it found before.
impl From<Box<Fault>> for Left {
    fn from(_: Box<Fault>) -> Self {
        Self
    }
}

type Step<T = ()> = Result<T, Left>;

/// Line breaks are `\n` or `\r\n`, and there are no byte order marks.
fn is_plain(text: &str) -> bool {
    let alone = || text.matches('\r').count() != text.matches("\r\n").count();
    let returns = has_byte(text, |byte| byte == b'\r') && alone();
    !returns && (text.is_ascii() || !text.contains('\u{feff}'))
}

struct Scanner<'t, 'b, 'o> {
    /// The source up to the end of the document, so that positions are those of the source.
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    line_start: usize,
    /// The lists and maps around the scanner, from the outside in.
    open: Vec<Open>,
    /// Where `null` stands, if the last key or dash was followed by nothing yet.
    missing: Option<usize>,
    /// Texts that differ from the source.
    buffer: String,
    builder: &'b mut Builder<'o>,
}

/// A block list or map.
#[derive(Clone, Copy)]
struct Open {
    column: usize,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    List,
    /// A list whose dashes stand in the column of the keys around it.
    FlatList,
    Map,
}

/// A scalar of one line that was read, but not yet put into the tree.
struct Token {
    start: usize,
    end: usize,
    text: TokenText,
}

#[derive(Clone, Copy)]
enum TokenText {
    Plain,
    /// As it stands between the quotes.
    Quoted,
    /// In the buffer.
    Unescaped,
}

impl<'t> Scanner<'t, '_, '_> {
    fn document(&mut self) -> Step {
        while let Some(column) = self.next_line()? {
            let opens = self.settle(column)?;
            self.entry(opens)?;
        }
        self.put_missing()?;
        while self.open.pop().is_some() {
            self.builder.close(None)?;
        }
        if self.builder.is_empty() {
            Err(Left)
        } else {
            Ok(())
        }
    }

    /// Goes to the next line that is not blank and no comment, and returns its indentation.
    #[inline(always)]
    fn next_line(&mut self) -> Step<Option<usize>> {
        loop {
            // at the end of a line, or at the start of the line behind a block scalar
            match self.peek() {
                Some(b'\r') => self.at += 2,
                Some(b'\n') => self.at += 1,
                None => return Ok(None),
                Some(_) => {}
            }
            self.line_start = self.at;
            self.skip_spaces();
            match self.peek() {
                Some(b'\r' | b'\n') => {}
                Some(b'#') => self.skip_comment(),
                Some(b'\t') => return Err(Left),
                Some(_) => return Ok(Some(self.column())),
                None => return Ok(None),
            }
        }
    }

    /// Closes what a line with this indentation ends. Whether the line is the start of a list or map.
    #[inline(always)]
    fn settle(&mut self, column: usize) -> Step<bool> {
        let dash = self.is_dash();
        let Some(&Open { column: last, form }) = self.open.last() else {
            // the document's root, unless there was one
            return if self.builder.is_empty() {
                Ok(true)
            } else {
                Err(Left)
            };
        };
        if self.missing.is_some() {
            if column > last || (column == last && dash && form == Form::Map) {
                self.missing = None;
                return Ok(true);
            }
            self.put_missing()?;
        } else if column > last {
            return Err(Left); // a scalar of several lines
        }
        loop {
            let Some(&Open { column: last, form }) = self.open.last() else {
                return Err(Left);
            };
            let ends = column < last || (column == last && form == Form::FlatList && !dash);
            if !ends {
                let fits = column == last && dash == (form != Form::Map);
                return if fits { Ok(false) } else { Err(Left) };
            }
            self.open.pop();
            self.builder.close(None)?;
        }
    }

    /// An entry of the open list or map, or the first one of another: dashes, then a key or the item of a list.
    #[inline(always)]
    fn entry(&mut self, mut opens: bool) -> Step {
        let mut item = false;
        while self.is_dash() {
            let (dash, column) = (self.at, self.column());
            self.at += 1;
            self.skip_spaces();
            let ends = self.at_line_end();
            if ends {
                self.end_line()?;
            }
            if opens {
                self.open_list(dash, column)?;
            }
            if ends {
                self.missing = Some(self.at);
                return Ok(());
            }
            (opens, item) = (true, true);
        }
        let column = self.column();
        match self.peek() {
            Some(b'[' | b'{') if item => self.flow().and_then(|()| self.end_line()),
            Some(b'|') if item => self.block_scalar(),
            _ => {
                let token = self.scalar()?;
                if self.peek() == Some(b':') {
                    self.key(&token, opens, column)
                } else if item {
                    self.put(&token)?;
                    self.end_line()
                } else {
                    Err(Left)
                }
            }
        }
    }

    fn open_list(&mut self, dash: usize, column: usize) -> Step {
        let flat = self.open.last().is_some_and(|around| around.column == column);
        // a flat list starts behind its first dash, says the parser
        self.builder.open_list(if flat { self.at } else { dash }, 0)?;
        let form = if flat { Form::FlatList } else { Form::List };
        self.open.push(Open { column, form });
        Ok(())
    }

    /// A key of a map, from its colon to the end of the line.
    #[inline(always)]
    fn key(&mut self, token: &Token, opens: bool, column: usize) -> Step {
        let white = matches!(self.byte(self.at + 1), None | Some(b' ' | b'\n' | b'\r'));
        if !white || token.end - token.start > MAX_KEY {
            return Err(Left);
        }
        if opens {
            self.builder.open_map(token.start, 0)?;
            let form = Form::Map;
            self.open.push(Open { column, form });
        }
        self.put_key(token)?;
        let colon = self.at;
        self.at += 1;
        self.skip_spaces();
        match self.peek() {
            None | Some(b'\n' | b'\r') => {
                self.missing = Some(colon);
                return Ok(());
            }
            Some(b'#') => self.missing = Some(colon),
            Some(b'[' | b'{') => self.flow()?,
            Some(b'|') => return self.block_scalar(),
            Some(b'-') if self.is_dash() => return Err(Left),
            _ => {
                let token = self.scalar()?;
                self.put(&token)?;
            }
        }
        self.end_line()
    }

    /// A scalar of one line. Behind it stands a colon if it is a key.
    #[inline(always)]
    fn scalar(&mut self) -> Step<Token> {
        match self.peek() {
            Some(byte) if may_start(byte) => self.plain(),
            _ => self.quoted(),
        }
    }

    fn quoted(&mut self) -> Step<Token> {
        match self.peek() {
            Some(b'"') => self.double_quoted(),
            Some(b'\'') => self.single_quoted(),
            _ => Err(Left),
        }
    }

    #[inline(always)]
    fn plain(&mut self) -> Step<Token> {
        let start = self.at;
        let mut at = start;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            // of control characters there are line breaks and tabs
            at += find_byte(rest, [b':', b'#']).unwrap_or(rest.len());
            let ends = match self.byte(at) {
                Some(b':') => match self.byte(at + 1) {
                    Some(b'\t') => return Err(Left),
                    Some(b' ' | b'\n' | b'\r') | None if self.byte(at - 1) == Some(b' ') => {
                        return Err(Left);
                    }
                    Some(b' ' | b'\n' | b'\r') | None => true,
                    Some(_) => false,
                },
                Some(b'#') => self.byte(at - 1) == Some(b' '),
                Some(b'\t') => return Err(Left),
                _ => true,
            };
            if ends {
                break;
            }
            at += 1;
        }
        self.at = at;
        let mut end = at;
        while self.byte(end - 1) == Some(b' ') {
            end -= 1;
        }
        Ok(Token {
            start,
            end,
            text: TokenText::Plain,
        })
    }

    #[inline(always)]
    fn put_key(&mut self, token: &Token) -> Step {
        let Token { start, end, text } = *token;
        match text {
            TokenText::Plain => {
                let text = self.bytes.get(start..end).unwrap_or_default();
                if is_surely_text(text) {
                    self.builder.unquoted_text(start, end)?;
                    self.builder.note_text_key(text);
                } else {
                    self.put_word(start, end)?;
                    self.builder.note_key(text);
                }
            }
            TokenText::Quoted | TokenText::Unescaped => {
                self.put_quoted(token)?;
                let inner = self.bytes.get(start + 1..end - 1).unwrap_or_default();
                let is_inner = matches!(text, TokenText::Quoted);
                let text = if is_inner { inner } else { self.buffer.as_bytes() };
                self.builder.note_key(text);
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn put(&mut self, token: &Token) -> Step {
        let Token { start, end, text } = *token;
        match text {
            TokenText::Plain => {
                let text = self.bytes.get(start..end).unwrap_or_default();
                if is_surely_text(text) {
                    Ok(self.builder.unquoted_text(start, end)?)
                } else {
                    self.put_word(start, end)
                }
            }
            TokenText::Quoted | TokenText::Unescaped => self.put_quoted(token),
        }
    }

    /// A scalar without quotes that may be more than text.
    fn put_word(&mut self, start: usize, end: usize) -> Step {
        let text = self.text.get(start..end).unwrap_or_default();
        let resolved = resolve(text, self.builder.yaml());
        Ok(self.builder.unquoted(resolved, start, end)?)
    }

    fn put_quoted(&mut self, token: &Token) -> Step {
        let Token { start, end, text } = *token;
        if matches!(text, TokenText::Unescaped) {
            let text = ScalarText::Owned(&self.buffer);
            Ok(self.builder.typed(Resolved::Text, start..end, text, 0)?)
        } else {
            Ok(self.builder.quoted(start, end)?)
        }
    }

    fn put_missing(&mut self) -> Step {
        match self.missing.take() {
            Some(at) => Ok(self.builder.unquoted(Resolved::Null, at, at)?),
            None => Ok(()),
        }
    }

    /// Whether a line ends here but for white space and a comment.
    fn at_line_end(&self) -> bool {
        match self.peek() {
            None | Some(b'\n' | b'\r') => true,
            Some(b'#') => self.byte(self.at.wrapping_sub(1)) == Some(b' '),
            Some(_) => false,
        }
    }

    /// Goes over white space and a comment to the end of the line.
    #[inline(always)]
    fn end_line(&mut self) -> Step {
        if self.peek() == Some(b'\n') {
            return Ok(());
        }
        self.end_other_line()
    }

    fn end_other_line(&mut self) -> Step {
        self.skip_spaces();
        if !self.at_line_end() {
            return Err(Left);
        }
        self.skip_comment();
        Ok(())
    }

    fn skip_comment(&mut self) {
        if self.peek() == Some(b'#') {
            let length = self
                .rest()
                .iter()
                .position(|byte| *byte == b'\n' || *byte == b'\r');
            self.at = length.map_or(self.bytes.len(), |length| self.at + length);
        }
    }

    #[inline(always)]
    fn skip_spaces(&mut self) {
        if self.peek() == Some(b' ') {
            self.at += count_spaces(self.rest());
        }
    }

    /// A dash before white space.
    fn is_dash(&self) -> bool {
        self.peek() == Some(b'-') && matches!(self.byte(self.at + 1), None | Some(b' ' | b'\n' | b'\r'))
    }

    /// Columns count spaces and dashes only, so bytes will do.
    fn column(&self) -> usize {
        self.at - self.line_start
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn rest(&self) -> &'t [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

/// The parser takes no longer keys, in characters.
const MAX_KEY: usize = 1000;

/// Whether a plain scalar may start with this byte; some that YAML allows in some places are not worth it.
#[inline(always)]
fn may_start(byte: u8) -> bool {
    !NO_STARTS.has(byte)
}

const NO_STARTS: Bytes = Bytes::of(b"?:,[]{}#&*!|>%@`\"'\t\n\r ");

/// A set of bytes.
struct Bytes([bool; 256]);

impl Bytes {
    #[expect(
        clippy::indexing_slicing,
        reason = "runs when the crate is compiled, and a byte is below 256"
    )]
    const fn of(members: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut rest = members;
        while let [first, others @ ..] = rest {
            set[*first as usize] = true;
            rest = others;
        }
        Self(set)
    }

    #[inline(always)]
    fn has(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).copied().unwrap_or_default()
    }
}
