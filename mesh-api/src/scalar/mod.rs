//! Scalars with a wire form of their own: durations, timestamps, bytes, enums by name or number.
//!
//! Each type reads the forms that istiod reads and writes the canonical one (api.md 1.4).

mod bytes;
pub mod cidr;
mod duration;
mod enumeration;
mod int_or_string;
mod timestamp;

pub use bytes::{Bytes, BytesError};
pub use duration::{Duration, DurationError};
pub use int_or_string::IntOrString;
pub use timestamp::{Timestamp, TimestampError};

#[allow(unused_imports, reason = "used as soon as a model has an enum")]
pub(crate) use enumeration::{read_enum, wire_enum};
