//! Why bytes are no DER.

use std::fmt;

/// Why bytes are no DER, and where.
///
/// Source: ca.md C-GEN-9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DerError {
    kind: DerErrorKind,
    offset: usize,
}

impl DerError {
    pub(crate) fn new(kind: DerErrorKind, offset: usize) -> Self {
        Self { kind, offset }
    }

    /// The rule that is broken.
    pub fn kind(&self) -> DerErrorKind {
        self.kind
    }

    /// Where, in bytes from the start of the value that was read. Inside an extension: from the start of its value.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for DerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.kind.message(), self.offset)
    }
}

impl std::error::Error for DerError {}

/// The rule of DER that bytes break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DerErrorKind {
    /// A BIT STRING with a wrong count of unused bits, or with unused bits that are set.
    BitString,
    /// A BOOLEAN that is neither 00 nor FF.
    Boolean,
    /// A value that equals its default is written out.
    DefaultEncoded,
    /// An INTEGER that is empty, padded, or out of the range of its field.
    Integer,
    /// A length that is indefinite, or longer than need be.
    Length,
    /// An OBJECT IDENTIFIER that is empty, cut off or padded.
    ObjectIdentifier,
    /// The elements of a SET are out of order.
    SetOrder,
    /// A tag number above 30.
    Tag,
    /// A time that is no time, or not written as its profile demands.
    Time,
    /// Values nest too deeply.
    TooDeep,
    /// Bytes follow the value.
    TrailingBytes,
    /// The bytes end within a value.
    Truncated,
    /// Another value is expected here.
    Unexpected,
}

impl DerErrorKind {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BitString => "der.bit_string",
            Self::Boolean => "der.boolean",
            Self::DefaultEncoded => "der.default_encoded",
            Self::Integer => "der.integer",
            Self::Length => "der.length",
            Self::ObjectIdentifier => "der.object_identifier",
            Self::SetOrder => "der.set_order",
            Self::Tag => "der.tag",
            Self::Time => "der.time",
            Self::TooDeep => "der.too_deep",
            Self::TrailingBytes => "der.trailing_bytes",
            Self::Truncated => "der.truncated",
            Self::Unexpected => "der.unexpected",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::BitString => "a BIT STRING has wrong unused bits",
            Self::Boolean => "a BOOLEAN is neither 00 nor FF",
            Self::DefaultEncoded => "a default value is written out",
            Self::Integer => "an INTEGER is padded, empty or out of range",
            Self::Length => "a length is not in its shortest definite form",
            Self::ObjectIdentifier => "an OBJECT IDENTIFIER is malformed",
            Self::SetOrder => "the elements of a SET are out of order",
            Self::Tag => "a tag number is above 30",
            Self::Time => "a time is malformed",
            Self::TooDeep => "values nest too deeply",
            Self::TrailingBytes => "bytes follow the value",
            Self::Truncated => "the bytes end within a value",
            Self::Unexpected => "another value is expected",
        }
    }
}
