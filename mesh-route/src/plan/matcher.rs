//! Conditions of a route. One vocabulary for four readers: the evaluator, the matcher program, RDS and RBAC.

use mesh_api::names::Text;

use crate::pattern::Pattern;

/// When a route applies: the path and all conditions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteMatcher {
    /// The test of the path, without query and fragment.
    pub path: PathMatcher,
    /// Whether `Exact`, `Prefix` and `PathPrefix` ignore the case of ASCII letters. A regex never does (R-MATCH-5).
    pub ignore_case: bool,
    /// All must hold. The order is that of X-RDS-20, and that in which a failing one is reported.
    pub conditions: Box<[Condition]>,
}

impl RouteMatcher {
    /// Whether it is the plain prefix `/` without conditions. Such a route still misses a `*` target (R-ENV-3).
    pub fn is_root_prefix(&self) -> bool {
        self.conditions.is_empty() && matches!(&self.path, PathMatcher::Prefix(text) if text.as_str() == "/")
    }
}

/// A test of the path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PathMatcher {
    /// Equality.
    Exact(Text),
    /// A plain string prefix: `/foo` matches `/foobar`.
    Prefix(Text),
    /// A prefix that ends at a `/` or at the end: `/foo` matches `/foo/x`, not `/foobar`.
    PathPrefix(Text),
    /// A full match of a regular expression.
    Regex(Pattern),
}

/// A condition beside the path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// On a header or pseudo header.
    Header(HeaderCondition),
    /// On a query parameter.
    Query(QueryCondition),
    /// On a claim of the validated request token.
    Claim(ClaimCondition),
}

/// A condition on a header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderCondition {
    /// Lower-cased name; `:method`, `:authority`, `:scheme`, `:path` are ordinary names here.
    pub name: Text,
    /// The test of the value.
    pub test: Test,
    /// Whether the outcome is inverted (`withoutHeaders`).
    pub invert: bool,
    /// What a missing header means.
    pub missing: Missing,
}

/// What a missing header means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Missing {
    /// The test does not hold (R-MATCH-7); inverted, the condition does. So an inverted presence test asks for
    /// absence.
    Fails,
    /// It counts as present and empty (R-MATCH-8).
    CountsAsEmpty,
}

/// A condition on the first value of a query parameter, compared raw (R-MATCH-11).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueryCondition {
    /// The name, case-sensitive.
    pub name: Text,
    /// The test of the value; a parameter without `=` has the empty value.
    pub test: Test,
}

/// A condition on a claim of the request token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClaimCondition {
    /// Path into the payload.
    pub path: Box<[Text]>,
    /// Holds for a string, or for any string element of a list (R-MATCH-13).
    pub test: TextMatcher,
    /// Whether the outcome is inverted (`withoutHeaders`).
    pub invert: bool,
}

/// A test of a header or query value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// Present, with whatever value.
    Present,
    /// A test of the text.
    Text(TextMatcher),
    /// A number in `from..to` (imports only).
    Range {
        /// First number that matches.
        from: i64,
        /// First number that does not match any more.
        to: i64,
    },
    /// Never holds: a claim with an empty matcher (R-MATCH-14).
    Never,
}

/// A test of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TextMatcher {
    /// The test.
    pub test: TextTest,
    /// Whether the case of ASCII letters is ignored; never for a regex.
    pub ignore_case: bool,
}

/// Kinds of text tests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextTest {
    /// Equality.
    Exact(Text),
    /// Starts with.
    Prefix(Text),
    /// Ends with.
    Suffix(Text),
    /// Holds somewhere.
    Contains(Text),
    /// A full match of a regular expression.
    Regex(Pattern),
}
