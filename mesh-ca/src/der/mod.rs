//! Strict DER: a reader that takes one encoding of each value and no other, and a small writer.
//!
//! What is refused everywhere: lengths that are indefinite or longer than need be, tag numbers above 30, trailing bytes
//! at any level, INTEGERs that are empty or padded, BOOLEANs other than 00 and FF, BIT STRINGs with unused bits that are
//! set, UTF8Strings that are no UTF-8, SETs out of order, and nesting deeper than [`MAX_DEPTH`]. Spec: X.690 section 10
//! and 11; ca.md C-GEN-9.

mod error;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use self::error::{DerError, DerErrorKind};
#[cfg(any(feature = "x509", test))]
pub(crate) use self::reader::check;
pub(crate) use self::reader::{Element, Reader, single};
pub(crate) use self::writer::Writer;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// How deep values may nest. A certificate needs about ten levels.
pub(crate) const MAX_DEPTH: u8 = 24;

/// The tag `[number]` of a primitive value.
pub(crate) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag `[number]` of a constructed value, explicit tags among them.
pub(crate) const fn context_constructed(number: u8) -> u8 {
    0xa0 | number
}
