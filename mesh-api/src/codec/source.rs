//! The text that was read, and places in it.

use std::ops::Range;
use std::sync::OnceLock;

use crate::names::Text;
use crate::report::{Excerpt, SourceLocation};

/// A text with a name, from which lines and columns can be told.
#[derive(Debug)]
pub struct Source {
    name: Text,
    text: String,
    lines: OnceLock<Lines>,
}

#[derive(Debug)]
struct Lines {
    /// The byte at which each line starts.
    starts: Vec<usize>,
    /// How many characters begin before each block of [`BLOCK`] bytes; empty for ASCII text.
    chars: Vec<usize>,
}

const BLOCK: usize = 128;

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
    /// Costs a search among the lines, whatever the length of a line.
    pub fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let lines = self.lines();
        let line = lines.starts.partition_point(|start| *start <= offset);
        let start = line
            .checked_sub(1)
            .and_then(|index| lines.starts.get(index))
            .copied()
            .unwrap_or(0);
        (line, self.char_index(offset) - self.char_index(start) + 1)
    }

    /// The place of a range of bytes, with the text of its line. The range is widened to whole characters, and what of it
    /// lies behind the text is cut off.
    pub fn location(&self, span: Range<usize>) -> SourceLocation {
        let (mut start, mut end) = (span.start.min(self.text.len()), span.end.min(self.text.len()));
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let span = start..end.max(start);
        let (line, column) = self.line_and_column(span.start);
        let starts = &self.lines().starts;
        let start = line
            .checked_sub(1)
            .and_then(|index| starts.get(index))
            .copied()
            .unwrap_or(0);
        let end = starts.get(line).copied().unwrap_or(self.text.len());
        let rest = self.slice(start..end).trim_end_matches(['\n', '\r']);
        let width = self
            .slice(span.start..span.end.min(start + rest.len()))
            .chars()
            .take(MAX_EXCERPT)
            .count();
        SourceLocation {
            file: self.name.clone(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            span,
            excerpt: excerpt(rest, column - 1, width),
        }
    }

    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| {
            let breaks = self.text.match_indices('\n');
            let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
            let mut chars = Vec::new();
            if !self.text.is_ascii() {
                let mut count = 0;
                for block in self.text.as_bytes().chunks(BLOCK) {
                    chars.push(count);
                    count += count_chars(block);
                }
            }
            Lines { starts, chars }
        })
    }

    /// How many characters begin before the byte.
    fn char_index(&self, offset: usize) -> usize {
        match self.lines().chars.get(offset / BLOCK) {
            None if self.lines().chars.is_empty() => offset,
            // the end of a text that fills its last block
            None => count_chars(self.text.as_bytes().get(..offset).unwrap_or_default()),
            Some(before) => {
                let block = self
                    .text
                    .as_bytes()
                    .get(offset / BLOCK * BLOCK..offset)
                    .unwrap_or_default();
                before + count_chars(block)
            }
        }
    }
}

fn count_chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

/// The line, or the part of a long one around `before`, which counts the characters before the place.
fn excerpt(line: &str, before: usize, width: usize) -> Excerpt {
    let skipped = if line.len() > MAX_EXCERPT {
        before.saturating_sub(MAX_EXCERPT / 2)
    } else {
        0
    };
    let text: String = line.chars().skip(skipped).take(MAX_EXCERPT).collect();
    let before = before - skipped;
    let room = text.chars().count().saturating_sub(before);
    Excerpt {
        before,
        width: width.min(room).max(1),
        text: Text::from(text),
    }
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
    fn long_lines_are_shown_in_part() {
        let text = format!("{}X{}", "a".repeat(1000), "b".repeat(1000));
        let location = Source::new("x", text).location(1000..2000);
        let Excerpt { text, before, width } = location.excerpt;
        assert_eq!(text.chars().nth(before), Some('X'));
        assert!(text.len() <= MAX_EXCERPT && before + width <= text.len());
    }
}
