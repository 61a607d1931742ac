//! Scalars that stand below a `|`.

use super::{Left, Scanner, Step};
use crate::codec::resolve::Resolved;
use crate::codec::tree::ScalarText;

/// What becomes of the line breaks at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Clip,
    Keep,
    Strip,
}

impl<'t> Scanner<'t, '_, '_> {
    /// From the `|` to the start of the line behind.
    pub(super) fn block_scalar(&mut self) -> Step {
        let around = self.open.last().ok_or(Left)?.column;
        self.at += 1;
        let chomping = match self.peek() {
            Some(b'-') => Chomping::Strip,
            Some(b'+') => Chomping::Keep,
            _ => Chomping::Clip,
        };
        if chomping != Chomping::Clip {
            self.at += 1;
        }
        self.end_line()?;
        let mut breaks = 0;
        let indent = loop {
            self.next_start()?;
            let spaces = self.rest().iter().take_while(|byte| **byte == b' ').count();
            match self.byte(self.at + spaces) {
                // the parser guesses from blank lines with spaces too
                Some(b'\n' | b'\r') if spaces == 0 => breaks += 1,
                Some(b'\n' | b'\r' | b'\t') | None => return Err(Left),
                Some(_) if spaces <= around => return Err(Left),
                Some(_) => break spaces,
            }
        };
        self.buffer.clear();
        let start = self.at + indent;
        let mut end = start;
        loop {
            // at the start of a line
            let line = self.line();
            let spaces = line.iter().take_while(|byte| **byte == b' ').count();
            if spaces < indent && spaces < line.len() {
                break;
            }
            let content = line.get(indent..).unwrap_or_default();
            if content.is_empty() {
                // the parser takes an unfinished line of white space for one more
                if self.at + line.len() == self.bytes.len() && !line.is_empty() {
                    return Err(Left);
                }
            } else {
                self.buffer.extend(std::iter::repeat_n('\n', breaks));
                breaks = 0;
                let content = str::from_utf8(content).map_err(|_| Left)?;
                self.buffer.push_str(content);
                let shown = content.trim_end_matches(' ').len();
                if shown > 0 {
                    end = self.at + indent + shown;
                }
            }
            self.at += line.len();
            if self.peek().is_none() {
                breaks += usize::from(!content.is_empty());
                break;
            }
            breaks += 1;
            self.next_start()?;
        }
        let kept = match chomping {
            Chomping::Strip => 0,
            Chomping::Clip => 1,
            Chomping::Keep => breaks,
        };
        self.buffer.extend(std::iter::repeat_n('\n', kept));
        self.builder
            .typed(Resolved::Text, start..end, ScalarText::Owned(&self.buffer), 0)?;
        Ok(())
    }

    /// From the end of a line to the start of the next one.
    fn next_start(&mut self) -> Step {
        match self.peek() {
            Some(b'\r') => self.at += 2,
            Some(b'\n') => self.at += 1,
            _ => return Err(Left),
        }
        Ok(())
    }

    /// The line that starts here, without its break.
    fn line(&self) -> &'t [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        line.strip_suffix(b"\r").unwrap_or(line)
    }
}
