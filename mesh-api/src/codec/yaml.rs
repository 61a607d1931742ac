//! YAML into the arena, by the events of a parser.

use std::borrow::Cow;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::Profile;
use super::fault::{Fault, codes, quote};
use super::options::DecodeOptions;
use super::resolve::{Resolved, resolve};
use super::tree::{Builder, ScalarText};

/// Reads one YAML document, which starts at byte `base` of the source, into the builder.
pub(crate) fn read(
    text: &str,
    base: usize,
    options: &DecodeOptions,
    builder: &mut Builder<'_>,
) -> Result<(), Box<Fault>> {
    let mut reader = Reader {
        text,
        base,
        positions: Positions::new(text),
        options,
        builder,
    };
    let mut parser = Parser::new_from_str(text);
    let mut documents = 0;
    while let Some(event) = parser.next_event() {
        match event {
            Ok((Event::StreamEnd, _)) => break,
            Ok((Event::DocumentStart(_), span)) => {
                documents += 1;
                if documents > 1 {
                    let span = reader.span(span);
                    let message = "another document starts without a `---` line";
                    return Err(Fault::error(codes::SYNTAX, span, message).into());
                }
            }
            Ok((event, span)) => reader.event(event, span)?,
            Err(error) => {
                let at = reader.positions.byte(error.marker().index());
                // an error at the end of the text is shown on its last character
                let at = base + at.min(text.trim_end().len().saturating_sub(1));
                return Err(syntax_error(&error, at, options).into());
            }
        }
    }
    Ok(())
}

/// The text without the tab that the parser stopped at, if that is what it stopped at: a tab alone between a colon and a plain
/// scalar, which YAML takes for a blank and the parser does not (A-PAR-12). The text has the same length.
///
/// Where nothing is in quotes or in a block, every tab behind a colon is one of these, and all go at once.
pub(crate) fn without_tab(text: &str, base: usize, fault: &Fault) -> Option<String> {
    let at = fault.span.start.checked_sub(base)?;
    let (before, rest) = text.split_at_checked(at)?;
    let colon = before.trim_end_matches('\t');
    if fault.message != TAB_REFUSED || colon.len() == before.len() || !colon.ends_with(':') {
        return None;
    }
    if !text.contains(['\'', '"', '|', '>']) {
        return Some(text.replace(":\t", ": "));
    }
    let tabs = before.get(colon.len() + 1..)?;
    Some([colon, " ", tabs, rest].concat())
}

/// What the parser says of such a tab.
const TAB_REFUSED: &str = "':' must be followed by a valid yaml whitespace";

fn syntax_error(error: &ScanError, at: usize, options: &DecodeOptions) -> Fault {
    // the scanner runs ahead of the nodes and has a limit of its own
    if error.info().contains("recursion limit") {
        let limit = options.limits.depth.min(usize::from(u8::MAX));
        return Fault::error(
            codes::LIMIT,
            at..at + 1,
            format!("lists and maps are nested deeper than {limit}"),
        );
    }
    Fault::error(codes::SYNTAX, at..at + 1, error.info().to_lowercase())
}

struct Reader<'t, 'b, 'o> {
    text: &'t str,
    base: usize,
    positions: Positions<'t>,
    options: &'t DecodeOptions,
    builder: &'b mut Builder<'o>,
}

impl Reader<'_, '_, '_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Fault>> {
        let span = self.span(span);
        match event {
            Event::Alias(anchor) => self.builder.alias(span, anchor),
            Event::Scalar(value, style, anchor, tag) => {
                self.scalar(&value, style, anchor, tag.as_deref(), span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.container_tag(tag, "seq", &span);
                self.builder.open_list(span.start, anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.container_tag(tag, "map", &span);
                self.builder.open_map(span.start, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                // the end of a block has no text of its own
                let bracket = self.slice(&span).starts_with([']', '}']);
                if !bracket && self.builder.close_colon() {
                    return Ok(());
                }
                self.builder.close(bracket.then_some(span.start + 1))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        value: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        span: Range<usize>,
    ) -> Result<(), Box<Fault>> {
        let (span, text) = self.place(value, style, span);
        let Some(tag) = tag else {
            return match style {
                ScalarStyle::Plain => self.builder.plain(span, text, anchor),
                _ => self.builder.typed(Resolved::Text, span, text, anchor),
            };
        };
        let core = tag.is_yaml_core_schema();
        let resolved = resolve(value, self.options.yaml);
        let typed = match tag.suffix.as_str() {
            "str" if core => Some(Resolved::Text),
            "null" if core => (resolved == Resolved::Null).then_some(resolved),
            "bool" if core => matches!(resolved, Resolved::Bool(_)).then_some(resolved),
            "int" if core => (resolved == Resolved::Int).then_some(resolved),
            "float" if core => {
                matches!(resolved, Resolved::Int | Resolved::Float | Resolved::NotFinite).then_some(resolved)
            }
            "binary" if core => return self.binary(value, span, anchor),
            "map" | "seq" if core => None,
            // the tag `!` alone says that the scalar is text
            "!" if tag.handle.is_empty() => Some(Resolved::Text),
            _ => {
                self.foreign_tag(tag, &span);
                Some(if style == ScalarStyle::Plain {
                    resolved
                } else {
                    Resolved::Text
                })
            }
        };
        let typed = typed.unwrap_or_else(|| {
            let message = format!("{} does not fit the tag !!{}", quote(value), tag.suffix);
            self.builder
                .report(Fault::error(codes::TAG, span.clone(), message));
            Resolved::Text
        });
        self.builder.typed(typed, span, text, anchor)
    }

    /// `!!binary`: base64 of what must be text, since JSON knows nothing else.
    fn binary(&mut self, value: &str, span: Range<usize>, anchor: usize) -> Result<(), Box<Fault>> {
        let compact: String = value.chars().filter(|c| !c.is_whitespace()).collect();
        let bytes = compact
            .parse::<crate::scalar::Bytes>()
            .map(crate::scalar::Bytes::into_vec);
        match bytes.map(String::from_utf8) {
            Ok(Ok(text)) => self
                .builder
                .typed(Resolved::Text, span, ScalarText::Owned(&text), anchor),
            _ => {
                let message = "the tag !!binary needs base64 of UTF-8 text";
                self.builder
                    .report(Fault::error(codes::TAG, span.clone(), message));
                self.builder
                    .typed(Resolved::Text, span, ScalarText::Owned(""), anchor)
            }
        }
    }

    fn container_tag(&mut self, tag: Option<Cow<'_, Tag>>, fitting: &str, span: &Range<usize>) {
        let Some(tag) = tag else { return };
        if !tag.is_yaml_core_schema() {
            self.foreign_tag(&tag, span);
        } else if tag.suffix != fitting {
            let message = format!("the tag !!{} does not fit here", tag.suffix);
            self.builder
                .report(Fault::error(codes::TAG, span.clone(), message));
        }
    }

    /// A-PAR-10: a tag that means nothing here.
    fn foreign_tag(&mut self, tag: &Tag, span: &Range<usize>) {
        if self.options.profile == Profile::Strict {
            let message = format!("the tag {}{} is not known", tag.handle, tag.suffix);
            self.builder
                .report(Fault::error(codes::TAG, span.clone(), message).with_help("remove it"));
        }
    }

    /// Narrows the span to the scalar's own characters, and finds its text in the source where it stands there as is.
    fn place<'v>(
        &self,
        value: &'v str,
        style: ScalarStyle,
        span: Range<usize>,
    ) -> (Range<usize>, ScalarText<'v>) {
        let written = self.slice(&span);
        let quotes = match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => 1,
            _ => 0,
        };
        let start = span.start + quotes;
        let same = written.get(quotes..).is_some_and(|rest| rest.starts_with(value));
        let length = match style {
            ScalarStyle::Plain if same => value.len(),
            ScalarStyle::Plain => written.trim_end().len(),
            // the parser counts a comment behind it too
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => quoted_length(written),
            ScalarStyle::Literal | ScalarStyle::Folded => written.trim_end_matches(['\n', '\r', ' ']).len(),
        };
        let span = span.start..span.start + length;
        if same && style != ScalarStyle::Literal && style != ScalarStyle::Folded {
            (span, ScalarText::Slice(start..start + value.len()))
        } else {
            (span, ScalarText::Owned(value))
        }
    }

    fn slice(&self, span: &Range<usize>) -> &str {
        self.text
            .get(span.start - self.base..span.end - self.base)
            .unwrap_or_default()
    }

    fn span(&mut self, span: Span) -> Range<usize> {
        let start = self.positions.byte(span.start.index());
        let end = self.positions.byte(span.end.index()).max(start);
        start + self.base..end + self.base
    }
}

/// The length of a scalar in quotes with both of them.
fn quoted_length(written: &str) -> usize {
    let bytes = written.as_bytes();
    let quote = bytes.first().copied();
    let mut at = 1;
    loop {
        match bytes.get(at).copied() {
            None => return bytes.len(),
            Some(b'\\') if quote == Some(b'"') => at += 2,
            byte if byte == quote && quote == Some(b'\'') && bytes.get(at + 1).copied() == quote => at += 2,
            byte if byte == quote => return at + 1,
            Some(_) => at += 1,
        }
    }
}

/// Bytes of characters: the parser counts characters.
struct Positions<'t> {
    text: &'t str,
    ascii: bool,
    /// The byte of every [`STRIDE`]th character, as far as it was needed.
    known: Vec<usize>,
}

const STRIDE: usize = 64;

impl<'t> Positions<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            ascii: text.is_ascii(),
            known: vec![0],
        }
    }

    /// The byte at which a character starts; the length of the text behind its end.
    fn byte(&mut self, index: usize) -> usize {
        if self.ascii {
            return index.min(self.text.len());
        }
        while self.known.len() <= index / STRIDE {
            let next = self.after(self.known.last().copied().unwrap_or(0), STRIDE);
            self.known.push(next);
        }
        self.after(
            self.known.get(index / STRIDE).copied().unwrap_or(0),
            index % STRIDE,
        )
    }

    fn after(&self, byte: usize, chars: usize) -> usize {
        let rest = self.text.get(byte..).unwrap_or_default();
        rest.char_indices()
            .nth(chars)
            .map_or(self.text.len(), |(offset, _)| byte + offset)
    }
}
