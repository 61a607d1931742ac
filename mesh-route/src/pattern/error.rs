//! What is wrong with a pattern.

use std::fmt;

/// Why a text is no RE2 pattern.
///
/// ```
/// let error = mesh_route::pattern::Pattern::new("a(b").unwrap_err();
/// assert_eq!(error.to_string(), "missing `)` for the group at offset 1");
/// assert_eq!(error.offset(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    kind: Kind,
    offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    BadClass,
    BadEscape,
    BadFlags,
    BadName,
    BadRange,
    MissingBracket,
    MissingParen,
    RepeatArgument,
    RepeatOperator,
    RepeatSize,
    TooDeep,
    TooLarge,
    TooLong,
    TrailingBackslash,
    UnexpectedParen,
}

impl PatternError {
    pub(super) fn new(kind: Kind, offset: usize) -> Self {
        Self { kind, offset }
    }

    pub(super) fn too_large() -> Self {
        Self::new(Kind::TooLarge, 0)
    }

    /// Where in the text, in bytes.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.offset;
        let what = match self.kind {
            Kind::BadClass => "unknown character class",
            Kind::BadEscape => "unknown or incomplete escape",
            Kind::BadFlags => "unsupported group or flag (RE2 has no look-around)",
            Kind::BadName => "bad name of a group",
            Kind::BadRange => "bad character range",
            Kind::MissingBracket => "missing `]` for the class",
            Kind::MissingParen => "missing `)` for the group",
            Kind::RepeatArgument => "nothing to repeat",
            Kind::RepeatOperator => "repetition of a repetition",
            Kind::RepeatSize => "repetition beyond 1000, or of a range that descends,",
            Kind::TooDeep => "groups nested too deep",
            Kind::TooLarge => return f.write_str("the automaton would be too large"),
            Kind::TooLong => return f.write_str("the pattern is too long"),
            Kind::TrailingBackslash => "nothing follows the backslash",
            Kind::UnexpectedParen => "unexpected `)`",
        };
        write!(f, "{what} at offset {offset}")
    }
}

impl std::error::Error for PatternError {}
