//! Why a text is no trust domain or no SPIFFE id.

use std::fmt;

/// Why a text is not a [`TrustDomain`](crate::TrustDomain) or a [`SpiffeId`](crate::SpiffeId), and where.
///
/// When a text breaks several rules, the one that is reported is fixed, so that messages are stable: an empty
/// text, then the scheme, the total length, a missing trust domain, the leftmost wrong character of the trust
/// domain, its length, and then the path from left to right.
///
/// ```
/// use mesh_ca::{IdErrorKind, SpiffeId};
///
/// let error = "spiffe://cluster.local/ns/shop/../sa".parse::<SpiffeId>().unwrap_err();
/// assert_eq!(error.kind(), IdErrorKind::DotSegment);
/// assert_eq!(error.offset(), 31);
/// assert_eq!(error.to_string(), "a path segment is `.` or `..` (at byte 31)");
/// ```
///
/// Source: ca.md C-ID-7, C-ID-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdError {
    kind: IdErrorKind,
    offset: usize,
}

impl IdError {
    pub(crate) fn new(kind: IdErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// The same error in a longer text, of which the text looked at began at byte `by`.
    pub(crate) fn shifted(self, by: usize) -> Self {
        Self {
            kind: self.kind,
            offset: self.offset.saturating_add(by),
        }
    }

    /// The rule that is broken.
    pub fn kind(&self) -> IdErrorKind {
        self.kind
    }

    /// Where, in bytes from the start of the text that was parsed. For ids that are built from parts: in the text
    /// that the id would have had.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.kind.message(), self.offset)
    }
}

impl std::error::Error for IdError {}

/// The rule of the SPIFFE-ID standard that a text breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdErrorKind {
    /// A path segment is `.` or `..`.
    DotSegment,
    /// The text is empty.
    Empty,
    /// A path segment is empty: two slashes stand side by side, or an empty segment was given to a builder.
    EmptySegment,
    /// The path holds a byte other than `a-z A-Z 0-9 . - _`.
    PathChar,
    /// A path that is not empty does not begin with `/`.
    PathWithoutSlash,
    /// The text does not begin with `spiffe://` in lower case.
    SchemeInvalid,
    /// The id is longer than 2048 bytes.
    TooLong,
    /// The path ends with `/`.
    TrailingSlash,
    /// The trust domain holds a byte other than `a-z 0-9 . - _`.
    TrustDomainChar,
    /// There is no trust domain.
    TrustDomainMissing,
    /// The trust domain is longer than 255 bytes.
    TrustDomainTooLong,
}

impl IdErrorKind {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DotSegment => "id.dot_segment",
            Self::Empty => "id.empty",
            Self::EmptySegment => "id.empty_segment",
            Self::PathChar => "id.path_char",
            Self::PathWithoutSlash => "id.path_without_slash",
            Self::SchemeInvalid => "id.scheme_invalid",
            Self::TooLong => "id.too_long",
            Self::TrailingSlash => "id.trailing_slash",
            Self::TrustDomainChar => "id.trust_domain_char",
            Self::TrustDomainMissing => "id.trust_domain_missing",
            Self::TrustDomainTooLong => "id.trust_domain_too_long",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::DotSegment => "a path segment is `.` or `..`",
            Self::Empty => "the text is empty",
            Self::EmptySegment => "a path segment is empty",
            Self::PathChar => "a character is not allowed in a path, only `a-z A-Z 0-9 . - _`",
            Self::PathWithoutSlash => "the path does not begin with `/`",
            Self::SchemeInvalid => "the text does not begin with `spiffe://`",
            Self::TooLong => "the SPIFFE id is longer than 2048 bytes",
            Self::TrailingSlash => "the path ends with `/`",
            Self::TrustDomainChar => "a character is not allowed in a trust domain, only `a-z 0-9 . - _`",
            Self::TrustDomainMissing => "the trust domain is missing",
            Self::TrustDomainTooLong => "the trust domain is longer than 255 bytes",
        }
    }
}
