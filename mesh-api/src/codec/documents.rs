//! Bytes to text, and text to documents.

use std::ops::Range;

use super::fault::{Fault, codes};
use super::find::{find_break, find_marker};

/// One document of a stream, found by its borders alone (A-PAR-3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Counts all documents of the stream, empty ones too.
    pub(crate) index: usize,
    /// The bytes, with the `---` line and directives that introduce it.
    pub(crate) span: Range<usize>,
    /// The bytes after the `---` marker.
    pub(crate) content: Range<usize>,
}

/// A place that is no text. Input may be nothing else, so it is kept small until somebody asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BadText {
    pub(crate) start: u32,
    /// Of bytes that are not UTF-8, how many; 0 for a control character.
    length: u8,
    first: u8,
}

impl BadText {
    pub(crate) fn fault(self) -> Fault {
        let Self { start, length, first } = self;
        let at = start as usize;
        if length == 0 {
            let message = format!("control character 0x{first:02x} is not allowed");
            let fault = Fault::error(codes::ENCODING, at..at + 1, message);
            return fault.with_help("write an escape, or remove it");
        }
        let message = format!("byte 0x{first:02x} at offset {at} is not UTF-8");
        Fault::error(codes::ENCODING, at..at + usize::from(length), message)
    }
}

/// Makes text of bytes, at most 4 GiB. What is no text is replaced by question marks of the same length, so that the places of
/// all other documents stay right; where that is comes with it, in order (A-PAR-1).
pub(crate) fn to_text(bytes: &[u8]) -> Result<(String, Vec<BadText>), Fault> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let fault = Fault::error(codes::ENCODING, 0..2, "the text is UTF-16");
        return Err(fault.with_help("save it as UTF-8"));
    }
    let mut bad = Vec::new();
    let mut text = match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => replace_invalid(bytes, &mut bad),
    };
    // without a branch, it is done for many bytes at once
    let control = |byte: u8| (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    if has_byte(&text, control) {
        bad.extend(
            text.bytes()
                .enumerate()
                .filter(|(_, byte)| control(*byte))
                .map(|(at, byte)| BadText {
                    start: at as u32,
                    length: 0,
                    first: byte,
                }),
        );
        let is_control = |c: char| c.is_ascii() && control(c as u8);
        text = text
            .chars()
            .map(|c| if is_control(c) { '?' } else { c })
            .collect();
    }
    bad.sort_by_key(|bad| bad.start);
    Ok((text, bad))
}

/// Whether any byte of a text is of a sort.
pub(super) fn has_byte(text: &str, is: impl Fn(u8) -> bool) -> bool {
    // without a branch in the inner loop, it is done for many bytes at once
    let has = |chunk: &[u8]| chunk.iter().fold(false, |found, byte| found | is(*byte));
    text.as_bytes().chunks(4096).any(has)
}

fn replace_invalid(bytes: &[u8], bad: &mut Vec<BadText>) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let invalid = chunk.invalid();
        if let Some(first) = invalid.first() {
            bad.push(BadText {
                start: text.len() as u32,
                length: invalid.len() as u8,
                first: *first,
            });
            text.extend(std::iter::repeat_n('?', invalid.len()));
        }
    }
    text
}

/// Cuts a stream at `---` and `...` lines (A-PAR-3). Documents without content are left out, but counted.
pub(crate) fn split(text: &str) -> Vec<Segment> {
    let mut cutter = Cutter {
        text,
        segments: Vec::new(),
        index: 0,
    };
    let mut open = Open {
        start: bom_length(text),
        content: bom_length(text),
        explicit: false,
    };
    let rest = |at: usize| text.as_bytes().get(at..).unwrap_or_default();
    // the byte order mark is part of the first line
    let (mut offset, mut start) = (0, text.len() - text.trim_start_matches('\u{feff}').len());
    loop {
        // at a line that may be a marker
        if marker(rest(start), b"---") {
            let directives = cutter.close(&open, offset);
            open = Open {
                start: directives.unwrap_or(start),
                content: start + 3,
                explicit: true,
            };
        } else if marker(rest(start), b"...") {
            let end = find_break(rest(start)).map_or(text.len(), |at| start + at + 1);
            cutter.close(&open, offset);
            open = Open {
                start: end,
                content: end,
                explicit: false,
            };
        }
        match find_marker(rest(start)) {
            Some(at) => offset = start + at + 1,
            None => break,
        }
        start = offset;
    }
    cutter.close(&open, text.len());
    cutter.segments
}

fn bom_length(text: &str) -> usize {
    if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    }
}

/// Whether a line starts with a marker: the three characters, then white space or nothing.
#[inline]
fn marker(text: &[u8], marker: &[u8; 3]) -> bool {
    text.strip_prefix(marker)
        .is_some_and(|rest| matches!(rest, [] | [b' ' | b'\t' | b'\n' | b'\r', ..]))
}

struct Open {
    start: usize,
    content: usize,
    explicit: bool,
}

struct Cutter<'t> {
    text: &'t str,
    segments: Vec<Segment>,
    index: usize,
}

impl Cutter<'_> {
    /// Ends a document before `end`. One that holds nothing but directives gives its start to the next one.
    fn close(&mut self, open: &Open, end: usize) -> Option<usize> {
        let content = self.text.get(open.content..end).unwrap_or_default();
        let mut directives = false;
        let blank = content.lines().enumerate().all(|(number, line)| {
            let line = line.trim();
            directives |= line.starts_with('%') && !open.explicit;
            let directive = line.starts_with('%') && !open.explicit;
            line.is_empty() || line.starts_with('#') || directive || (number == 0 && line == "\u{feff}")
        });
        if !blank {
            self.segments.push(Segment {
                index: self.index,
                span: open.start..end,
                content: open.content..end,
            });
        }
        // what stands before the first marker is a document only if something stands there
        if !blank || open.explicit {
            self.index += 1;
        }
        (blank && directives).then_some(open.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(text: &str) -> Vec<(usize, &str)> {
        split(text)
            .into_iter()
            .map(|segment| (segment.index, text[segment.content].trim()))
            .collect()
    }

    #[test]
    fn a_par_3_cuts_at_markers() {
        assert_eq!(contents("a: 1\n---\nb: 2\n"), [(0, "a: 1"), (1, "b: 2")]);
        assert_eq!(
            contents("---\na: 1\n--- # x\n---\n# only\n---\nb: 2"),
            [(0, "a: 1"), (3, "b: 2")]
        );
        assert_eq!(contents("a: 1\r\n---\r\nb: 2\r\n"), [(0, "a: 1"), (1, "b: 2")]);
        assert_eq!(
            contents("a: 1\n...\nb: 2\n...\n---\nc: 3\n"),
            [(0, "a: 1"), (1, "b: 2"), (2, "c: 3")]
        );
        assert_eq!(contents("--- {a: 1}\n---\tb: 2"), [(0, "{a: 1}"), (1, "b: 2")]);
        assert_eq!(
            contents("a: |\n  ---\n  x\n----\n---x\n"),
            [(0, "a: |\n  ---\n  x\n----\n---x")]
        );
        assert_eq!(contents("\u{feff}---\na: 1"), [(0, "a: 1")]);
        assert_eq!(contents("\u{feff}a: 1"), [(0, "a: 1")]);
        assert!(contents("").is_empty() && contents("# a\n---\n\n").is_empty());
    }

    #[test]
    fn directives_belong_to_the_next_document() {
        let text = "# c\n%YAML 1.1\n---\na: 1\n";
        let segments = split(text);
        assert_eq!(segments.len(), 1);
        assert_eq!((segments[0].index, &text[segments[0].span.clone()]), (0, text));
    }

    #[test]
    fn a_par_1_names_what_is_no_text() {
        assert!(to_text(b"\xFF\xFEa\0").unwrap_err().message.contains("UTF-16"));
        let (text, bad) = to_text(b"a: \xC3\x28\nb: \x01\n").unwrap();
        assert_eq!(text, "a: ?(\nb: ?\n");
        let places: Vec<_> = bad.iter().map(|bad| bad.fault().span).collect();
        assert_eq!(places, [3..4, 9..10]);
    }
}
