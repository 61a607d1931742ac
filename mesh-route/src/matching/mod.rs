//! Tests of plan conditions against a request, and what routes do to paths and hosts: pure functions over bytes.
//!
//! Both evaluators use these, so that they cannot differ in what a condition means.

mod condition;
mod domain;
mod fraction;
mod headers;
mod path;
mod query;
mod redirect;
mod rewrite;
mod view;

pub(crate) use condition::test_foreign;
pub use condition::{Truth, test, test_path, test_text};
pub use domain::{DomainIndex, find_domain, matches_domain, normalize_authority, strip_port};
pub use fraction::{Drawn, draw_weighted};
pub use headers::{Headers, is_coalesced};
pub(crate) use path::normalize_with;
pub use path::{BadPath, Normalized, normalize};
pub use query::first_query_value;
pub use redirect::{https_location, location};
pub use rewrite::rewrite_path;
pub use view::RequestView;

#[cfg(test)]
mod tests;
