//! Regular expressions as Envoy and Istio read them: RE2 syntax and meaning, on the `regex` crate's engine.
//!
//! The two dialects accept different texts and give some texts different meanings (`\d` is ASCII in RE2, a lone `{` is
//! a literal, `a++` is an error). So a pattern is parsed as RE2 does and written anew, with explicit classes, in a form
//! that has one meaning only. Limits beside RE2's own: [`Pattern::MAX_LENGTH`], groups nested 200 deep, and about one
//! megabyte of automaton.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use regex::bytes::{Regex, RegexBuilder};

mod class;
mod error;
mod parse;

pub use error::PatternError;

/// A regular expression in RE2 syntax (R-ENV-9). Cheap to clone; compared, ordered and hashed by its text. The
/// automaton is built at the first use, or by [`Pattern::prepare`].
///
/// ```
/// use mesh_route::pattern::Pattern;
///
/// let pattern: Pattern = "/v[12]".parse()?;
/// assert!(pattern.is_full_match(b"/v1"));
/// assert!(!pattern.is_full_match(b"/v1/x")); // the whole text must match
/// assert!(Pattern::new("(?=a)b").is_err());
/// # Ok::<(), mesh_route::pattern::PatternError>(())
/// ```
#[derive(Clone)]
pub struct Pattern(Arc<Inner>);

struct Inner {
    text: Box<str>,
    /// The same in the dialect of the engine. INVARIANT: it compiles.
    source: Box<str>,
    groups: usize,
    full: OnceLock<Option<Regex>>,
    search: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Longest pattern, in bytes.
    pub const MAX_LENGTH: usize = 32 * 1024;

    /// Reads a pattern.
    ///
    /// # Errors
    /// When the text is not valid RE2, or is larger than the limits allow.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let parsed = parse::translate(text)?;
        let inner = Inner {
            text: text.into(),
            source: parsed.source.into(),
            groups: parsed.groups,
            full: OnceLock::new(),
            search: OnceLock::new(),
        };
        if parsed.weight > CHECKED_WEIGHT && build(&inner.full_source(), SIZE_LIMIT).is_none() {
            return Err(PatternError::too_large());
        }
        Ok(Self(Arc::new(inner)))
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether the whole of `text` matches. Text that is not UTF-8 matches only where the pattern says `\C`.
    pub fn is_full_match(&self, text: &[u8]) -> bool {
        self.0.full().is_some_and(|regex| regex.is_match(text))
    }

    /// Replaces all matches in `text` that do not overlap (R-RW-3) and appends the result to `out`. In `substitution`
    /// `\0` stands for the match, `\1` to `\9` for its groups and `\\` for a backslash. A substitution that names a
    /// group that does not exist replaces nothing; from any other escape on, a replacement is cut off.
    pub fn replace_all(&self, text: &[u8], substitution: &str, out: &mut Vec<u8>) {
        let regex = self
            .0
            .search()
            .filter(|_| max_group(substitution) <= self.0.groups);
        let mut rest = 0;
        for found in regex.iter().flat_map(|regex| regex.captures_iter(text)) {
            let Some(all) = found.get(0) else { continue };
            out.extend_from_slice(text.get(rest..all.start()).unwrap_or_default());
            expand(substitution, &found, out);
            rest = all.end();
        }
        out.extend_from_slice(text.get(rest..).unwrap_or_default());
    }

    /// Builds the automaton now, for callers whose first match must be as fast as the next.
    pub fn prepare(&self) {
        self.0.full();
    }
}

impl Inner {
    fn full(&self) -> Option<&Regex> {
        self.full
            .get_or_init(|| build(&self.full_source(), BUILD_LIMIT))
            .as_ref()
    }

    fn search(&self) -> Option<&Regex> {
        self.search
            .get_or_init(|| build(&self.source, BUILD_LIMIT))
            .as_ref()
    }

    fn full_source(&self) -> String {
        format!(r"\A(?:{})\z", self.source)
    }
}

fn build(source: &str, limit: usize) -> Option<Regex> {
    RegexBuilder::new(source)
        .size_limit(limit)
        .nest_limit(NEST_LIMIT)
        .build()
        .ok()
}

/// The highest group that a substitution names.
fn max_group(substitution: &str) -> usize {
    let mut escapes = substitution.bytes();
    let mut highest = 0;
    while let Some(byte) = escapes.next() {
        if byte == b'\\' {
            match escapes.next() {
                Some(digit @ b'0'..=b'9') => highest = highest.max(usize::from(digit - b'0')),
                _ => continue,
            }
        }
    }
    highest
}

fn expand(substitution: &str, found: &regex::bytes::Captures<'_>, out: &mut Vec<u8>) {
    let mut bytes = substitution.bytes();
    while let Some(byte) = bytes.next() {
        match (byte, if byte == b'\\' { bytes.next() } else { None }) {
            (b'\\', Some(digit @ b'0'..=b'9')) => {
                let group = found.get(usize::from(digit - b'0'));
                out.extend_from_slice(group.map_or(&[], |group| group.as_bytes()));
            }
            (b'\\', Some(b'\\')) => out.push(b'\\'),
            (b'\\', _) => return,
            (byte, _) => out.push(byte),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.text == other.0.text
    }
}

impl Eq for Pattern {}

impl Ord for Pattern {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.text.cmp(&other.0.text)
    }
}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.text.hash(state);
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.0.text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::new(text)
    }
}

/// Largest automaton, in bytes.
const SIZE_LIMIT: usize = 1 << 20;
/// What a build after the check may take; more than [`SIZE_LIMIT`], so that it cannot fail.
const BUILD_LIMIT: usize = 8 << 20;
/// Patterns of this weight or less stay far below [`SIZE_LIMIT`] and are not built to find out.
const CHECKED_WEIGHT: u64 = 2_000;
/// Nesting of the rewritten form: each level of ours may take three there.
const NEST_LIMIT: u32 = 4 * parse::MAX_DEPTH + 16;

#[cfg(test)]
mod tests;
