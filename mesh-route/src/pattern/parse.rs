//! Reads RE2 syntax and writes it in a form that the engine reads one way only: literals and classes as explicit
//! characters, no flags, groups without names.

use std::str::Chars;

use super::class::{self, CharSet};
use super::error::{Kind, PatternError};

/// Deepest nesting of groups.
pub(super) const MAX_DEPTH: u32 = 200;

/// A pattern in the engine's dialect.
pub(super) struct Translated {
    pub(super) source: String,
    /// How many groups capture.
    pub(super) groups: usize,
    /// About the number of states.
    pub(super) weight: u64,
}

/// Translates `text`.
pub(super) fn translate(text: &str) -> Result<Translated, PatternError> {
    if text.len() > super::Pattern::MAX_LENGTH {
        return Err(PatternError::new(Kind::TooLong, 0));
    }
    let mut parser = Parser {
        length: text.len(),
        rest: text.chars(),
        out: String::with_capacity(text.len() * 2),
        flags: Flags::default(),
        frame: Frame::default(),
        outer: Vec::new(),
        groups: 0,
    };
    parser.parse()?;
    let Parser {
        out, frame, groups, ..
    } = parser;
    Ok(Translated {
        source: out,
        groups,
        weight: frame.summary().weight,
    })
}

struct Parser<'a> {
    length: usize,
    rest: Chars<'a>,
    out: String,
    flags: Flags,
    frame: Frame,
    outer: Vec<Frame>,
    groups: usize,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_newline: bool,
    swap_greed: bool,
}

/// A group that is open, or the whole pattern.
#[derive(Default)]
struct Frame {
    /// Where it starts in the output, and in the text.
    start: usize,
    offset: usize,
    /// The flags to return to.
    flags: Flags,
    /// What is complete of the current alternative.
    items: Vec<Item>,
    /// Over all alternatives before.
    before: Item,
}

/// A complete piece, which a repetition can be applied to.
#[derive(Clone, Copy, Default)]
struct Item {
    start: usize,
    weight: u64,
    /// The largest product of nested counted repetitions, which may not pass 1000.
    repeats: u64,
}

impl Frame {
    /// Weight and repetitions of all that it holds.
    fn summary(&self) -> Item {
        self.items.iter().fold(self.before, |sum, item| Item {
            start: self.start,
            weight: sum.weight.saturating_add(item.weight),
            repeats: sum.repeats.max(item.repeats),
        })
    }
}

impl Parser<'_> {
    fn parse(&mut self) -> Result<(), PatternError> {
        let mut after_repeat = false;
        loop {
            let offset = self.offset();
            let Some(next) = self.rest.next() else { break };
            let mut is_repeat = false;
            match next {
                '(' => self.open(offset)?,
                ')' => self.close(offset)?,
                '|' => {
                    self.frame.before = self.frame.summary();
                    self.frame.items.clear();
                    self.out.push('|');
                }
                '^' => self.push(1, if self.flags.multi_line { "(?m:^)" } else { r"\A" }),
                '$' => self.push(1, if self.flags.multi_line { "(?m:$)" } else { r"\z" }),
                '.' if self.flags.dot_newline => self.push(12, "(?s:.)"),
                '.' => self.push(12, r"[^\x{A}]"),
                '[' => self.class(offset)?,
                '*' | '+' | '?' => {
                    is_repeat = true;
                    self.repeat_simple(next, offset, after_repeat)?;
                }
                '{' => match self.count() {
                    None => self.literal('{'),
                    Some((low, high)) => {
                        is_repeat = true;
                        self.repeat_counted(low, high, offset, after_repeat)?;
                    }
                },
                '\\' => self.escape(offset)?,
                other => self.literal(other),
            }
            after_repeat = is_repeat;
        }
        match self.outer.is_empty() {
            true => Ok(()),
            false => Err(PatternError::new(Kind::MissingParen, self.frame.offset)),
        }
    }

    fn offset(&self) -> usize {
        self.length - self.rest.as_str().len()
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.as_str().strip_prefix(text);
        rest.map(|rest| self.rest = rest.chars()).is_some()
    }

    fn push(&mut self, weight: u64, text: &str) {
        self.frame.items.push(Item {
            start: self.out.len(),
            weight,
            repeats: 1,
        });
        self.out.push_str(text);
    }

    fn push_set(&mut self, set: CharSet, negated: bool) {
        let start = self.out.len();
        let weight = class::write(&set.finish(negated), &mut self.out);
        self.frame.items.push(Item {
            start,
            weight,
            repeats: 1,
        });
    }

    fn literal(&mut self, literal: char) {
        if self.flags.fold {
            let mut set = CharSet::new(true);
            set.add(literal, literal);
            return self.push_set(set, false);
        }
        self.frame.items.push(Item {
            start: self.out.len(),
            weight: 1,
            repeats: 1,
        });
        push_char(literal, &mut self.out);
    }

    /// `(`, and what makes the group a special one.
    fn open(&mut self, offset: usize) -> Result<(), PatternError> {
        let flags = self.flags;
        if self.take("?") {
            if self.take("P<") || self.take("<") {
                self.name(offset)?;
            } else {
                // `(?i)` sets flags up to the end of the group, `(?i:` opens one.
                if self.group_flags(offset)? {
                    return Ok(());
                }
                return self.enter("(?:", flags, offset);
            }
        }
        self.groups += 1;
        self.enter("(", flags, offset)
    }

    fn enter(&mut self, open: &str, flags: Flags, offset: usize) -> Result<(), PatternError> {
        if self.outer.len() >= usize::try_from(MAX_DEPTH).unwrap_or(usize::MAX) {
            return Err(PatternError::new(Kind::TooDeep, offset));
        }
        let start = self.out.len();
        let frame = Frame {
            start,
            offset,
            flags,
            items: Vec::new(),
            before: Item::default(),
        };
        self.outer.push(std::mem::replace(&mut self.frame, frame));
        self.out.push_str(open);
        Ok(())
    }

    fn close(&mut self, offset: usize) -> Result<(), PatternError> {
        let Some(outer) = self.outer.pop() else {
            return Err(PatternError::new(Kind::UnexpectedParen, offset));
        };
        let inner = std::mem::replace(&mut self.frame, outer);
        self.flags = inner.flags;
        self.out.push(')');
        let item = inner.summary();
        self.frame.items.push(Item {
            start: inner.start,
            weight: item.weight.saturating_add(2),
            ..item
        });
        Ok(())
    }

    /// The name of a group: letters, digits, marks and connectors.
    fn name(&mut self, offset: usize) -> Result<(), PatternError> {
        let bad = || PatternError::new(Kind::BadName, offset);
        let (name, rest) = self.rest.as_str().split_once('>').ok_or_else(bad)?;
        let is_word = regex_syntax::is_word_character;
        if name.is_empty() || !name.chars().all(is_word) {
            return Err(bad());
        }
        self.rest = rest.chars();
        Ok(())
    }

    /// The flags after `(?`; true when the group ends with them.
    fn group_flags(&mut self, offset: usize) -> Result<bool, PatternError> {
        let (mut flags, mut negated, mut said) = (self.flags, false, false);
        loop {
            let flag = match self.rest.next() {
                Some('i') => &mut flags.fold,
                Some('m') => &mut flags.multi_line,
                Some('s') => &mut flags.dot_newline,
                Some('U') => &mut flags.swap_greed,
                Some('-') if !negated => {
                    (negated, said) = (true, false);
                    continue;
                }
                Some(end @ (':' | ')')) if said || !negated => {
                    self.flags = flags;
                    return Ok(end == ')');
                }
                _ => return Err(PatternError::new(Kind::BadFlags, offset)),
            };
            *flag = !negated;
            said = true;
        }
    }

    fn repeat_simple(
        &mut self,
        operator: char,
        offset: usize,
        after_repeat: bool,
    ) -> Result<(), PatternError> {
        let item = self.repeated(offset, after_repeat)?;
        self.wrap(item);
        self.out.push(operator);
        self.greed();
        Ok(())
    }

    fn repeat_counted(
        &mut self,
        low: u32,
        high: Option<u32>,
        offset: usize,
        after_repeat: bool,
    ) -> Result<(), PatternError> {
        let item = self.repeated(offset, after_repeat)?;
        let times = u64::from(high.unwrap_or(low));
        let repeats = item.repeats.max(1).saturating_mul(times.max(1));
        let descends = high.is_some_and(|high| high < low);
        if descends || low > MAX_REPEAT || times > u64::from(MAX_REPEAT) {
            return Err(PatternError::new(Kind::RepeatSize, offset));
        }
        if times >= 2 && repeats > u64::from(MAX_REPEAT) {
            return Err(PatternError::new(Kind::RepeatSize, offset));
        }
        self.wrap(item);
        match high {
            None => self.out.push_str(&format!("{{{low},}}")),
            Some(high) => self.out.push_str(&format!("{{{low},{high}}}")),
        }
        self.greed();
        if let Some(last) = self.frame.items.last_mut() {
            let weight = item.weight.saturating_mul(times.max(1)).saturating_add(1);
            *last = Item {
                start: item.start,
                weight,
                repeats,
            };
        }
        Ok(())
    }

    /// What a repetition is applied to. Flags between them do not count: in `a(?i)*` it is the `a`.
    fn repeated(&self, offset: usize, after_repeat: bool) -> Result<Item, PatternError> {
        if after_repeat {
            return Err(PatternError::new(Kind::RepeatOperator, offset));
        }
        self.frame
            .items
            .last()
            .copied()
            .ok_or(PatternError::new(Kind::RepeatArgument, offset))
    }

    fn wrap(&mut self, item: Item) {
        self.out.insert_str(item.start, "(?:");
        self.out.push(')');
    }

    fn greed(&mut self) {
        if self.take("?") != self.flags.swap_greed {
            self.out.push('?');
        }
    }

    /// `n}`, `n,}` or `n,m}` after a `{`; anything else makes the `{` a literal.
    fn count(&mut self) -> Option<(u32, Option<u32>)> {
        let mut rest = self.rest.as_str();
        let low = number(&mut rest)?;
        let high = match rest.strip_prefix(',') {
            None => Some(low),
            Some(after) if after.starts_with('}') => {
                rest = after;
                None
            }
            Some(after) => {
                rest = after;
                Some(number(&mut rest)?)
            }
        };
        self.rest = rest.strip_prefix('}')?.chars();
        Some((low, high))
    }

    /// What follows a backslash outside of a class.
    fn escape(&mut self, offset: usize) -> Result<(), PatternError> {
        let rest = self.rest.clone();
        let Some(letter) = self.rest.next() else {
            return Err(PatternError::new(Kind::TrailingBackslash, offset));
        };
        match letter {
            'b' => self.push(1, r"(?-u:\b)"),
            'B' => self.push(1, r"(?-u:\B)"),
            'A' => self.push(1, r"\A"),
            'z' => self.push(1, r"\z"),
            'C' => self.push(1, "(?s-u:.)"),
            'Q' => self.quoted(),
            _ => {
                self.rest = rest;
                let mut set = CharSet::new(self.flags.fold);
                if self.named_set(&mut set, offset)? {
                    self.push_set(set, false);
                } else {
                    let literal = self.escaped(offset)?;
                    match literal {
                        Some(literal) => self.literal(literal),
                        None => self.push_set(CharSet::new(false), false), // a surrogate: matches nothing
                    }
                }
            }
        }
        Ok(())
    }

    /// Literals up to `\E`, or to the end.
    fn quoted(&mut self) {
        while !self.rest.as_str().is_empty() && !self.take(r"\E") {
            if let Some(literal) = self.rest.next() {
                self.literal(literal);
            }
        }
    }

    /// Adds the set of `\d`, `\pL` and so on; the backslash is read. False, with nothing read, for other escapes.
    fn named_set(&mut self, set: &mut CharSet, offset: usize) -> Result<bool, PatternError> {
        let rest = self.rest.clone();
        let Some(letter) = self.rest.next() else {
            return Ok(false);
        };
        if let Some(ranges) = class::perl(letter.to_ascii_lowercase()) {
            set.add_set(ranges.iter().copied(), letter.is_ascii_uppercase());
            return Ok(true);
        }
        if !matches!(letter, 'p' | 'P') {
            self.rest = rest;
            return Ok(false);
        }
        let bad = || PatternError::new(Kind::BadClass, offset);
        let rest = self.rest.as_str();
        let (name, after) = match rest.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or_else(bad)?,
            None => {
                let end = rest.chars().next().map_or(0, char::len_utf8);
                rest.split_at_checked(end).ok_or_else(bad)?
            }
        };
        self.rest = after.chars();
        let (name, caret) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        let ranges = class::unicode(name).ok_or_else(bad)?;
        set.add_set(ranges, caret != (letter == 'P'));
        Ok(true)
    }

    /// An escape that stands for one character; the backslash is read. `None`: a surrogate, which no text holds.
    fn escaped(&mut self, offset: usize) -> Result<Option<char>, PatternError> {
        let bad = || PatternError::new(Kind::BadEscape, offset);
        let letter = self
            .rest
            .next()
            .ok_or(PatternError::new(Kind::TrailingBackslash, offset))?;
        Ok(Some(match letter {
            '1'..='7' if !self.rest.as_str().starts_with(|c| matches!(c, '0'..='7')) => return Err(bad()),
            '0'..='7' => {
                let mut code = letter.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = self.rest.as_str().chars().next().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    code = code * 8 + digit;
                    self.rest.next();
                }
                return Ok(char::from_u32(code));
            }
            'x' => return self.hex().ok_or_else(bad),
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'a' => '\x07',
            'f' => '\x0c',
            'v' => '\x0b',
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => other,
            _ => return Err(bad()),
        }))
    }

    /// Two digits, or any number of them in braces.
    fn hex(&mut self) -> Option<Option<char>> {
        let mut code = 0_u32;
        if self.take("{") {
            let (digits, rest) = self.rest.as_str().split_once('}')?;
            self.rest = rest.chars();
            if digits.is_empty() {
                return None;
            }
            for digit in digits.chars() {
                code = code.checked_mul(16)?.checked_add(digit.to_digit(16)?)?;
            }
        } else {
            for _ in 0..2 {
                code = code * 16 + self.rest.next()?.to_digit(16)?;
            }
        }
        (code <= u32::from(char::MAX)).then(|| char::from_u32(code))
    }

    /// A class; the `[` is read.
    fn class(&mut self, offset: usize) -> Result<(), PatternError> {
        let missing = || PatternError::new(Kind::MissingBracket, offset);
        let negated = self.take("^");
        let mut set = CharSet::new(self.flags.fold);
        let mut first = true;
        while first || !self.take("]") {
            first = false;
            let at = self.offset();
            if self.posix(&mut set, at)? {
                continue;
            }
            if self.take("\\") && self.named_set(&mut set, at)? {
                continue;
            }
            let escaped = self.offset() > at;
            let low = self.class_char(escaped, at)?.ok_or_else(missing)?;
            let is_range = self
                .rest
                .as_str()
                .strip_prefix('-')
                .is_some_and(|rest| !rest.starts_with(']'));
            let high = match is_range && !self.rest.as_str().eq("-") {
                true => {
                    self.take("-");
                    let escaped = self.take("\\");
                    self.class_char(escaped, at)?.ok_or_else(missing)?
                }
                false => low,
            };
            add_range(&mut set, low, high).ok_or(PatternError::new(Kind::BadRange, at))?;
        }
        self.push_set(set, negated);
        Ok(())
    }

    /// One character of a class, after its backslash if it has one; as a number, since it may be a surrogate.
    fn class_char(&mut self, escaped: bool, offset: usize) -> Result<Option<u32>, PatternError> {
        match escaped {
            true => Ok(Some(self.escaped(offset)?.map_or(SURROGATE, u32::from))),
            false => Ok(self.rest.next().map(u32::from)),
        }
    }

    /// `[:name:]` inside a class. Without a closing `:]` the `[` is a literal.
    fn posix(&mut self, set: &mut CharSet, offset: usize) -> Result<bool, PatternError> {
        let Some((name, rest)) = self
            .rest
            .as_str()
            .strip_prefix("[:")
            .and_then(|inner| inner.split_once(":]"))
        else {
            return Ok(false);
        };
        let (plain, negated) = name
            .strip_prefix('^')
            .map_or((name, false), |plain| (plain, true));
        let ranges = class::posix(plain).ok_or(PatternError::new(Kind::BadClass, offset))?;
        set.add_set(ranges.iter().copied(), negated);
        self.rest = rest.chars();
        Ok(true)
    }
}

/// Adds a range that may begin or end at a surrogate; `None` if it descends.
fn add_range(set: &mut CharSet, low: u32, high: u32) -> Option<()> {
    if high < low {
        return None;
    }
    let low = char::from_u32(low).unwrap_or('\u{E000}');
    let high = char::from_u32(high).unwrap_or('\u{D7FF}');
    if low <= high {
        set.add(low, high);
    }
    Some(())
}

/// A decimal number without leading zeros, below 10^9; `rest` moves on only past one.
fn number(rest: &mut &str) -> Option<u32> {
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (text, after) = rest.split_at_checked(digits)?;
    if text.len() > 1 && text.starts_with('0') {
        return None;
    }
    let number: u64 = text.parse().ok()?;
    *rest = after;
    (number < 1_000_000_000).then(|| u32::try_from(number).ok())?
}

/// Writes a character so that it has no other meaning.
pub(super) fn push_char(literal: char, out: &mut String) {
    if literal.is_ascii_alphanumeric() || literal == '/' {
        out.push(literal);
    } else {
        out.push_str(&format!(r"\x{{{:X}}}", u32::from(literal)));
    }
}

/// Largest count of a repetition, and of nested ones together.
const MAX_REPEAT: u32 = 1000;
/// Stands for all surrogates, which are equal here: no text holds one.
const SURROGATE: u32 = 0xD800;
