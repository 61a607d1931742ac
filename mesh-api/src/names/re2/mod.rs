//! The syntax of regular expressions as istiod's Go engine and Envoy's RE2 read it (A-X-20).
//!
//! Only the syntax is checked; nothing is compiled. Where Go and RE2 differ, Go decides, because it is istiod that refuses an
//! object: `\C` is an error, and names of groups are ASCII. Names of Unicode classes are those that both know: general
//! categories, scripts and `Any`, spelled exactly.

mod scripts;
#[cfg(test)]
mod tests;

use std::fmt;

pub use scripts::SCRIPTS;

/// Most repetitions that counted repeats may ask for, nested ones multiplied.
const REPEAT_LIMIT: u32 = 1000;
/// Deepest nesting of groups.
const DEPTH_LIMIT: usize = 1000;

/// Why a text is no regular expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Re2Error {
    offset: usize,
    reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Backreference,
    BadClass,
    BadEscape,
    BadFlags,
    BadGroupName,
    BadRange,
    LookAround,
    MissingBracket,
    MissingOperand,
    MissingParen,
    NestedRepeat,
    RepeatSize,
    TooDeep,
    TrailingBackslash,
    UnexpectedParen,
}

impl Re2Error {
    /// The byte offset of the part that is refused.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for Re2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.reason {
            Reason::Backreference => "RE2 has no back-references",
            Reason::BadClass => "unknown character class",
            Reason::BadEscape => "unknown escape sequence",
            Reason::BadFlags => "unknown kind of group",
            Reason::BadGroupName => {
                "the name of a group needs letters, digits and underscores, and a closing `>`"
            }
            Reason::BadRange => "the range of characters runs backwards",
            Reason::LookAround => "RE2 has no look-around",
            Reason::MissingBracket => "missing closing `]`",
            Reason::MissingOperand => "nothing to repeat",
            Reason::MissingParen => "missing closing `)`",
            Reason::NestedRepeat => "a repetition cannot be repeated, and RE2 has no possessive ones",
            Reason::RepeatSize => "a repetition is counted from 0 to 1000, nested ones multiplied",
            Reason::TooDeep => "groups are nested too deep",
            Reason::TrailingBackslash => "nothing after the last backslash",
            Reason::UnexpectedParen => "closing `)` without an opening one",
        };
        write!(f, "{reason}, at byte {}", self.offset)
    }
}

impl std::error::Error for Re2Error {}

/// Checks that `pattern` is a regular expression in RE2's syntax, in time linear in its length.
///
/// ```
/// use mesh_api::names::re2::check_re2;
///
/// assert!(check_re2(r"/v[0-9]+/.*\Q.json\E").is_ok());
/// let error = check_re2("a(?=b)").unwrap_err();
/// assert_eq!(error.to_string(), "RE2 has no look-around, at byte 1");
/// ```
///
/// # Errors
///
/// If Go's `regexp/syntax` refuses it: look-around, back-references, possessive repeats, counted repeats beyond 1000 and
/// what is malformed in any dialect. The length limit of A-X-20 is not checked here.
pub fn check_re2(pattern: &str) -> Result<(), Re2Error> {
    let mut checker = Checker {
        pattern,
        at: 0,
        groups: Vec::new(),
        level: Level::default(),
        no_posix_end: false,
    };
    while checker.step()? {}
    match checker.groups.pop() {
        Some(_) => Err(Re2Error {
            offset: pattern.len(),
            reason: Reason::MissingParen,
        }),
        None => Ok(()),
    }
}

struct Checker<'a> {
    pattern: &'a str,
    at: usize,
    /// The levels around the innermost open group.
    groups: Vec<Level>,
    level: Level,
    /// No `:]` follows: known after the first look, so that many looks cost no quadratic time.
    no_posix_end: bool,
}

/// What the checker must know of the part that it has read at one depth.
#[derive(Default)]
struct Level {
    /// Nested counted repeats of the last operand, multiplied; `None` where nothing can be repeated.
    last: Option<u32>,
    /// The same for all operands before.
    largest: u32,
    /// Whether the step before was a repetition.
    after_repeat: bool,
}

impl Level {
    fn push(&mut self) {
        self.largest = self.weight();
        self.last = Some(1);
    }

    fn weight(&self) -> u32 {
        self.largest.max(self.last.unwrap_or(1))
    }
}

impl<'a> Checker<'a> {
    fn rest(&self) -> &'a str {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn fail<T>(&self, offset: usize, reason: Reason) -> Result<T, Re2Error> {
        Err(Re2Error { offset, reason })
    }

    /// Reads one element; false at the end.
    fn step(&mut self) -> Result<bool, Re2Error> {
        let start = self.at;
        let Some(next) = self.bump() else {
            return Ok(false);
        };
        let after_repeat = std::mem::take(&mut self.level.after_repeat);
        match next {
            '(' => self.open_group(start)?,
            ')' => match self.groups.pop() {
                None => return self.fail(start, Reason::UnexpectedParen),
                Some(outer) => {
                    let weight = std::mem::replace(&mut self.level, outer).weight();
                    self.level.push();
                    self.level.last = Some(weight);
                }
            },
            '|' => {
                self.level.largest = self.level.weight();
                self.level.last = None;
            }
            '*' | '+' | '?' => self.repeat(start, after_repeat, None)?,
            '{' => match self.counted() {
                Some(bounds) => self.repeat(start, after_repeat, Some(bounds))?,
                None => self.level.push(), // a literal brace
            },
            '[' => {
                self.class(start)?;
                self.level.push();
            }
            '\\' => self.escape_outside_class(start)?,
            _ => self.level.push(),
        }
        Ok(true)
    }

    fn open_group(&mut self, start: usize) -> Result<(), Re2Error> {
        if self.eat("?") {
            if ["=", "!", "<=", "<!"]
                .iter()
                .any(|look| self.rest().starts_with(look))
            {
                return self.fail(start, Reason::LookAround);
            }
            if self.eat("P<") || self.eat("<") {
                self.group_name(start)?;
            } else if self.flags(start)? {
                return Ok(()); // `(?i)` opens nothing
            }
        }
        if self.groups.len() >= DEPTH_LIMIT {
            return self.fail(start, Reason::TooDeep);
        }
        self.groups.push(std::mem::take(&mut self.level));
        Ok(())
    }

    fn group_name(&mut self, start: usize) -> Result<(), Re2Error> {
        match self.rest().split_once('>') {
            Some((name, _)) if !name.is_empty() && name.bytes().all(is_word) => {
                self.at += name.len() + 1;
                Ok(())
            }
            _ => self.fail(start, Reason::BadGroupName),
        }
    }

    /// Reads `i-s)` or `i-s:`; true for the first.
    fn flags(&mut self, start: usize) -> Result<bool, Re2Error> {
        let (mut negated, mut any_negated) = (false, false);
        loop {
            match self.bump() {
                Some('i' | 'm' | 's' | 'U') => any_negated = negated,
                Some('-') if !negated => negated = true,
                Some(end @ (')' | ':')) if !negated || any_negated => return Ok(end == ')'),
                _ => return self.fail(start, Reason::BadFlags),
            }
        }
    }

    /// Reads the rest of `{n}`, `{n,}` or `{n,m}`; anything else is literal text and left alone.
    fn counted(&mut self) -> Option<(u32, Option<u32>)> {
        // ends at the first byte that cannot belong to it, so that a run of braces costs no quadratic time
        let end = self.rest().find(|c: char| !c.is_ascii_digit() && c != ',')?;
        let (inside, after) = self.rest().split_at_checked(end)?;
        if !after.starts_with('}') {
            return None;
        }
        let bounds = match inside.split_once(',') {
            None => {
                let count = count(inside)?;
                (count, Some(count))
            }
            Some((least, "")) => (count(least)?, None),
            Some((least, most)) => (count(least)?, Some(count(most)?)),
        };
        self.at += inside.len() + 1;
        Some(bounds)
    }

    fn repeat(
        &mut self,
        start: usize,
        after_repeat: bool,
        counted: Option<(u32, Option<u32>)>,
    ) -> Result<(), Re2Error> {
        self.eat("?");
        if after_repeat {
            return self.fail(start, Reason::NestedRepeat);
        }
        let too_many = |(least, most): (u32, Option<u32>)| {
            least > REPEAT_LIMIT || most.is_some_and(|most| most > REPEAT_LIMIT || most < least)
        };
        if counted.is_some_and(too_many) {
            return self.fail(start, Reason::RepeatSize);
        }
        let Some(inner) = self.level.last else {
            return self.fail(start, Reason::MissingOperand);
        };
        if let Some((least, most)) = counted {
            let weight = match most.unwrap_or(least) {
                0 if most.is_some() => 1, // what is repeated never occurs
                factor => inner.saturating_mul(factor.max(1)),
            };
            if (least >= 2 || most.is_some_and(|most| most >= 2)) && weight > REPEAT_LIMIT {
                return self.fail(start, Reason::RepeatSize);
            }
            self.level.last = Some(weight);
        }
        self.level.after_repeat = true;
        Ok(())
    }

    fn escape_outside_class(&mut self, start: usize) -> Result<(), Re2Error> {
        if self.eat("Q") {
            let (literal, end) = match self.rest().split_once("\\E") {
                Some((literal, _)) => (literal, literal.len() + 2),
                None => (self.rest(), self.rest().len()),
            };
            self.at += end;
            if !literal.is_empty() {
                self.level.push();
            }
            return Ok(());
        }
        if self.eat("A") || self.eat("b") || self.eat("B") || self.eat("z") || self.set_escape(start)? {
            self.level.push();
            return Ok(());
        }
        self.char_escape(start)?;
        self.level.push();
        Ok(())
    }

    /// Reads what follows the backslash of `\d` or `\pN`; false if it is something else.
    fn set_escape(&mut self, start: usize) -> Result<bool, Re2Error> {
        if ["d", "D", "s", "S", "w", "W"].iter().any(|name| self.eat(name)) {
            return Ok(true);
        }
        if !self.eat("p") && !self.eat("P") {
            return Ok(false);
        }
        let name = match self.bump() {
            Some('{') => match self.rest().split_once('}') {
                Some((name, _)) => {
                    self.at += name.len() + 1;
                    name.strip_prefix('^').unwrap_or(name)
                }
                None => return self.fail(start, Reason::BadClass),
            },
            Some(letter) => {
                let from = self.at - letter.len_utf8();
                self.pattern.get(from..self.at).unwrap_or_default()
            }
            None => return self.fail(start, Reason::BadClass),
        };
        if name == "Any" || CATEGORIES.contains(&name) || SCRIPTS.binary_search(&name).is_ok() {
            Ok(true)
        } else {
            self.fail(start, Reason::BadClass)
        }
    }

    /// Reads what follows the backslash of an escape that stands for one character.
    fn char_escape(&mut self, start: usize) -> Result<char, Re2Error> {
        match self.bump() {
            None => self.fail(start, Reason::TrailingBackslash),
            Some(digit @ '0'..='7') => {
                let octal = |c: &char| ('0'..='7').contains(c);
                if digit != '0' && !self.peek().is_some_and(|c| octal(&c)) {
                    return self.fail(start, Reason::Backreference);
                }
                let mut value = digit.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    if let Some(next) = self.peek().filter(octal) {
                        self.at += 1;
                        value = value * 8 + next.to_digit(8).unwrap_or(0);
                    }
                }
                Ok(char::from_u32(value).unwrap_or('\0'))
            }
            Some('8' | '9') => self.fail(start, Reason::Backreference),
            Some('x') => self.hex_escape(start),
            Some('a') => Ok('\x07'),
            Some('f') => Ok('\x0C'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('v') => Ok('\x0B'),
            Some(other) if other.is_ascii() && !other.is_ascii_alphanumeric() => Ok(other),
            Some(_) => self.fail(start, Reason::BadEscape),
        }
    }

    fn hex_escape(&mut self, start: usize) -> Result<char, Re2Error> {
        let digits = if self.eat("{") {
            match self.rest().split_once('}') {
                Some((digits, _)) => {
                    self.at += digits.len() + 1;
                    digits
                }
                None => return self.fail(start, Reason::BadEscape),
            }
        } else {
            let digits = self.rest().get(..2).unwrap_or_default();
            self.at += digits.len();
            digits
        };
        let significant = digits.trim_start_matches('0');
        let hexadecimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = if significant.is_empty() {
            Ok(0)
        } else {
            u32::from_str_radix(significant, 16)
        };
        match value {
            // surrogates are numbers that Go takes; which character they stand for does not matter here
            Ok(value) if hexadecimal && value <= 0x10_FFFF => Ok(char::from_u32(value).unwrap_or('\u{FFFD}')),
            _ => self.fail(start, Reason::BadEscape),
        }
    }

    /// Reads a class after its opening bracket.
    fn class(&mut self, start: usize) -> Result<(), Re2Error> {
        self.eat("^");
        let mut first = true;
        loop {
            match self.peek() {
                None => return self.fail(start, Reason::MissingBracket),
                Some(']') if !first => {
                    self.bump();
                    return Ok(());
                }
                Some(_) => self.class_item(start)?,
            }
            first = false;
        }
    }

    fn class_item(&mut self, start: usize) -> Result<(), Re2Error> {
        let at = self.at;
        if let Some(name) = self.posix_name() {
            self.at += name.len() + 4;
            return match POSIX_CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
                true => Ok(()),
                false => self.fail(at, Reason::BadClass),
            };
        }
        if self.eat("\\") {
            if self.set_escape(at)? {
                return Ok(());
            }
            self.at = at;
        }
        let low = self.class_char(start)?;
        let rest = self.rest();
        if rest.starts_with('-') && !rest.starts_with("-]") && rest.len() > 1 {
            self.bump();
            if self.class_char(start)? < low {
                return self.fail(at, Reason::BadRange);
            }
        }
        Ok(())
    }

    /// The text between `[:` and the next `:]`. Without the latter the bracket stands for itself, as it does in Go.
    fn posix_name(&mut self) -> Option<&'a str> {
        let inside = self.rest().strip_prefix("[:").filter(|_| !self.no_posix_end)?;
        let name = inside.split_once(":]").map(|(name, _)| name);
        self.no_posix_end = name.is_none();
        name
    }

    fn class_char(&mut self, start: usize) -> Result<char, Re2Error> {
        let at = self.at;
        match self.bump() {
            None => self.fail(start, Reason::MissingBracket),
            Some('\\') => self.char_escape(at),
            Some(other) => Ok(other),
        }
    }
}

/// The number of a counted repeat; numbers too large to read stand for "too many".
fn count(digits: &str) -> Option<u32> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // Go takes `{01}` for literal text
    if !plain || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some(digits.parse().unwrap_or(u32::MAX))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

const CATEGORIES: &[&str] = &[
    "C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
    "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
];

const POSIX_CLASSES: &[&str] = &[
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];
