//! Reports for people, programs and code scanners.
//!
//! [`Report::to_text`] prints as compilers do, [`Report::to_json`] everything under stable keys, [`Report::to_sarif`] a log
//! in SARIF 2.1.0. All are pure functions of the report.

mod json;
mod sarif;
mod text;

#[cfg(test)]
mod tests;

pub use text::TextStyle;
