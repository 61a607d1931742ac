//! Rules as data.

pub use crate::report::Rule;
pub(crate) use crate::report::rules;
