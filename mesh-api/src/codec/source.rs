//! The text that was read, and places in it.

use std::ops::Range;
use std::sync::OnceLock;

use super::find::find_break;
use crate::names::Text;
use crate::report::{Excerpt, SourceLocation};

/// A text with a name, from which lines and columns can be told.
#[derive(Debug)]
pub struct Source {
    name: Text,
    text: String,
    lines: OnceLock<Lines>,
}

/// What comes before each block of [`BLOCK`] bytes; so places are found by looking at two blocks, and nothing grows with
/// the number of lines or their lengths.
#[derive(Debug)]
struct Lines {
    /// How many line breaks.
    breaks: Vec<u32>,
    /// How many characters; empty for ASCII text.
    chars: Vec<u32>,
}

/// Few enough that the count of one block fits a byte, which lets it be made for many bytes at once.
const BLOCK: usize = 192;

/// Lines longer than this are shown in part.
const MAX_EXCERPT: usize = 160;

impl Source {
    /// Wraps a text under a name.
    pub fn new(name: impl Into<Text>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            lines: OnceLock::new(),
        }
    }

    /// The name, usually of a file.
    pub fn name(&self) -> &Text {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a range of bytes; empty if the range does not fit.
    pub fn slice(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }

    /// The line (from 1) and column (from 1, in characters) of a byte.
    ///
    /// Costs a search among blocks of the text, whatever the length of a line.
    pub fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let line = self.line_around(offset);
        let column = self.char_index(offset) - self.char_index(line.start) + 1;
        (line.number, column)
    }

    /// The place of a range of bytes, with the text of its line. The range is widened to whole characters, and what of it
    /// lies behind the text is cut off.
    pub fn location(&self, span: Range<usize>) -> SourceLocation {
        let start = self.floor(span.start);
        let mut end = span.end.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let span = start..end.max(start);
        let line = self.line_around(span.start);
        let before = self.char_index(span.start) - self.char_index(line.start);
        SourceLocation {
            file: self.name.clone(),
            line: u32::try_from(line.number).unwrap_or(u32::MAX),
            column: u32::try_from(before + 1).unwrap_or(u32::MAX),
            excerpt: self.excerpt(&line, before, &span),
            span,
        }
    }

    /// The line, or the part of a long one around the place, which has `before` characters before it.
    fn excerpt(&self, line: &Line, before: usize, span: &Range<usize>) -> Excerpt {
        let line_end = |from: usize, limit: usize| {
            let end = self.floor(line.end.min(from + limit));
            from + self.slice(from..end).trim_end_matches(['\n', '\r']).len()
        };
        // a line break may take two bytes more, and half a character is left out
        let is_long = line_end(line.start, MAX_EXCERPT + 6) - line.start > MAX_EXCERPT;
        let (from, before) = if is_long && before > MAX_EXCERPT / 2 {
            (self.chars_back(span.start, MAX_EXCERPT / 2), MAX_EXCERPT / 2)
        } else {
            (line.start, before)
        };
        let rest = self.slice(from..line_end(from, 4 * MAX_EXCERPT));
        let text = match rest.get(..MAX_EXCERPT) {
            Some(ascii) if ascii.is_ascii() => ascii,
            _ => {
                let end = rest.char_indices().nth(MAX_EXCERPT.min(rest.len()));
                end.and_then(|(end, _)| rest.get(..end)).unwrap_or(rest)
            }
        };
        let shown = span.start.saturating_sub(from)..span.end.saturating_sub(from).min(text.len());
        Excerpt {
            before,
            width: text.get(shown).map_or(0, |shown| shown.chars().count()).max(1),
            text: Text::from(text),
        }
    }

    /// The start of the character around a byte.
    fn floor(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    fn chars_back(&self, offset: usize, count: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or_default();
        before
            .char_indices()
            .rev()
            .nth(count - 1)
            .map_or(0, |(start, _)| start)
    }

    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines {
            breaks: count_blocks(&self.text, is_break),
            chars: if self.text.is_ascii() {
                Vec::new()
            } else {
                count_blocks(&self.text, starts_char)
            },
        })
    }

    /// The line that holds a byte.
    fn line_around(&self, offset: usize) -> Line {
        let before = self.count_before(offset, &self.lines().breaks, is_break);
        Line {
            number: before + 1,
            start: self.after_break(before).unwrap_or(0),
            end: self.after_break(before + 1).unwrap_or(self.text.len()),
        }
    }

    /// The byte behind a line break, which are counted from 1.
    fn after_break(&self, number: usize) -> Option<usize> {
        let breaks = &self.lines().breaks;
        let block = breaks
            .partition_point(|before| (*before as usize) < number)
            .checked_sub(1)?;
        let mut at = block * BLOCK;
        for _ in *breaks.get(block)? as usize..number {
            at += find_break(self.text.as_bytes().get(at..)?)? + 1;
        }
        Some(at)
    }

    /// How many characters begin before the byte.
    fn char_index(&self, offset: usize) -> usize {
        match self.lines().chars.as_slice() {
            [] => offset,
            chars => self.count_before(offset, chars, starts_char),
        }
    }

    fn count_before(&self, offset: usize, blocks: &[u32], is: fn(u8) -> bool) -> usize {
        let block = offset / BLOCK;
        let rest = self
            .text
            .as_bytes()
            .get(block * BLOCK..offset)
            .unwrap_or_default();
        let inside = rest.iter().filter(|byte| is(**byte)).count();
        blocks.get(block).copied().unwrap_or(0) as usize + inside
    }
}

/// A line from its first byte to behind its break.
struct Line {
    /// Counted from 1.
    number: usize,
    start: usize,
    end: usize,
}

/// How many bytes of a sort come before each block, and before the end.
fn count_blocks(text: &str, is: impl Fn(u8) -> bool) -> Vec<u32> {
    let mut before = 0;
    let blocks = text.as_bytes().chunks(BLOCK).map(|block| {
        let count = block.iter().fold(0_u8, |count, byte| count + u8::from(is(*byte)));
        let next = before + u32::from(count);
        std::mem::replace(&mut before, next)
    });
    let mut counts: Vec<u32> = blocks.collect();
    counts.push(before);
    counts
}

fn is_break(byte: u8) -> bool {
    byte == b'\n'
}

fn starts_char(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let source = Source::new("a.yaml", "ab\nä€x\r\nz");
        let place = |offset| source.line_and_column(offset);
        assert_eq!((place(0), place(1), place(3)), ((1, 1), (1, 2), (2, 1)));
        assert_eq!((place(8), place(11), place(999)), ((2, 3), (3, 1), (3, 2)));
        let location = source.location(8..9);
        assert_eq!(
            (location.to_string().as_str(), &*location.excerpt.text),
            ("a.yaml:2:3", "ä€x")
        );
        assert_eq!((location.excerpt.before, location.excerpt.width), (2, 1));
    }

    #[test]
    fn blocks_agree_with_counting() {
        let text = "aä€😀\n".repeat(200);
        let source = Source::new("x", text.as_str());
        for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let before = &text[..offset];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
            assert_eq!(source.line_and_column(offset), (line, column), "{offset}");
        }
    }

    #[test]
    fn blocks_are_found_wherever_lines_end() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            for gap in [1, 7, BLOCK - 1, BLOCK, 2 * BLOCK] {
                let text: String = (0..length)
                    .map(|at| if at % gap == gap - 1 { '\n' } else { 'x' })
                    .collect();
                let source = Source::new("x", text.as_str());
                for offset in 0..=length {
                    let before = &text[..offset];
                    let line = before.matches('\n').count() + 1;
                    let column = before.rsplit('\n').next().unwrap().len() + 1;
                    assert_eq!(
                        source.line_and_column(offset),
                        (line, column),
                        "{length} {gap} {offset}"
                    );
                    let shown = text.lines().nth(line - 1).unwrap_or_default();
                    let excerpt = source.location(offset..offset).excerpt;
                    if shown.len() <= MAX_EXCERPT {
                        assert_eq!((&*excerpt.text, excerpt.before), (shown, column - 1));
                    }
                }
            }
        }
    }

    #[test]
    fn excerpts_end_where_lines_do() {
        let text = format!("{}é\r\nb\n", "é".repeat(MAX_EXCERPT));
        let source = Source::new("x", text.as_str());
        let place = |span| {
            let Excerpt { text, before, width } = source.location(span).excerpt;
            (text.chars().count(), before, width)
        };
        assert_eq!(place(0..2), (MAX_EXCERPT, 0, 1));
        assert_eq!(place(1..9), (MAX_EXCERPT, 0, 5)); // widened to whole characters
        let last = 2 * MAX_EXCERPT;
        assert_eq!(place(last..last + 2), (MAX_EXCERPT / 2 + 1, MAX_EXCERPT / 2, 1));
        assert_eq!(place(last + 2..last + 3), (MAX_EXCERPT / 2, MAX_EXCERPT / 2, 1)); // the break
        assert_eq!(place(last + 4..last + 9), (1, 0, 1));
    }

    #[test]
    fn long_lines_are_shown_in_part() {
        let text = format!("{}X{}", "a".repeat(1000), "b".repeat(1000));
        let location = Source::new("x", text).location(1000..2000);
        let Excerpt { text, before, width } = location.excerpt;
        assert_eq!(text.chars().nth(before), Some('X'));
        assert!(text.len() <= MAX_EXCERPT && before + width <= text.len());
    }
}
