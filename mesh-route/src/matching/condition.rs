//! Tests of conditions.

use super::query::first_query_value;
use super::view::RequestView;
use crate::plan::{
    ClaimCondition, Condition, ForeignEffect, HeaderCondition, Missing, PathMatcher, QueryCondition, Route,
    Test, TextMatcher, TextTest,
};

/// The outcome of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It depends on something imported that is not understood; never guessed.
    Unknown,
}

impl Truth {
    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// Whether a condition holds for a request.
///
/// Claims are those of a validated token; requests carry none yet, so every claim is missing (R-MATCH-13).
pub fn test(condition: &Condition, request: &RequestView<'_>) -> Truth {
    Truth::of(match condition {
        Condition::Header(condition) => test_header(condition, request),
        Condition::Query(QueryCondition { name, test }) => request
            .query()
            .and_then(|query| first_query_value(query, name.as_bytes()))
            .is_some_and(|value| test_value(test, value)),
        Condition::Claim(ClaimCondition {
            path: _,
            test: _,
            invert,
        }) => *invert,
    })
}

/// What an imported part of the route adds to its conditions: `Unknown` for a condition that is not understood.
#[allow(dead_code, reason = "the evaluator asks it for imported routes")]
pub(crate) fn test_foreign(route: &Route) -> Truth {
    let foreign = route.extras.as_ref().and_then(|extras| extras.foreign.as_ref());
    match foreign.map(|parts| parts.effect) {
        Some(ForeignEffect::Condition) => Truth::Unknown,
        Some(ForeignEffect::None | ForeignEffect::Action) | None => Truth::Yes,
    }
}

/// Several values of a header are tested one by one: any may match, inverted none (R-ENV-4).
fn test_header(condition: &HeaderCondition, request: &RequestView<'_>) -> bool {
    let HeaderCondition {
        name,
        test,
        invert,
        missing,
    } = condition;
    let mut found = false;
    let mut holds = |value: &[u8]| {
        found = true;
        test_value(test, value)
    };
    let any = match request.pseudo(name.as_str()) {
        Some(value) => holds(value),
        None => request.headers.values(name.as_str()).any(holds),
    };
    let any = any || (!found && *missing == Missing::CountsAsEmpty && test_value(test, b""));
    any != *invert
}

fn test_value(test: &Test, value: &[u8]) -> bool {
    match test {
        Test::Present => true,
        Test::Text(matcher) => test_text(matcher, value),
        Test::Range { from, to } => std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
            .is_some_and(|number| (*from..*to).contains(&number)),
        Test::Never => false,
    }
}

/// Whether a text matches.
pub fn test_text(matcher: &TextMatcher, value: &[u8]) -> bool {
    let ignore_case = matcher.ignore_case;
    match &matcher.test {
        TextTest::Exact(text) => equal(text.as_bytes(), value, ignore_case),
        TextTest::Prefix(text) => starts_with(value, text.as_bytes(), ignore_case),
        TextTest::Suffix(text) => value
            .len()
            .checked_sub(text.len())
            .and_then(|at| value.get(at..))
            .is_some_and(|tail| equal(tail, text.as_bytes(), ignore_case)),
        TextTest::Contains(text) => {
            text.is_empty()
                || value
                    .windows(text.len())
                    .any(|window| equal(window, text.as_bytes(), ignore_case))
        }
        TextTest::Regex(pattern) => pattern.is_full_match(value),
    }
}

/// Whether a path (without query) matches. A target that is no path, such as `*`, matches nothing (R-ENV-3).
pub fn test_path(matcher: &PathMatcher, ignore_case: bool, path: &[u8]) -> bool {
    path.starts_with(b"/")
        && match matcher {
            PathMatcher::Exact(text) => equal(text.as_bytes(), path, ignore_case),
            PathMatcher::Prefix(text) => starts_with(path, text.as_bytes(), ignore_case),
            PathMatcher::PathPrefix(text) => {
                starts_with(path, text.as_bytes(), ignore_case)
                    && (text.ends_with('/') || matches!(path.get(text.len()), None | Some(b'/')))
            }
            PathMatcher::Regex(pattern) => pattern.is_full_match(path), // R-MATCH-5: never ignores case
        }
}

fn equal(a: &[u8], b: &[u8], ignore_case: bool) -> bool {
    if ignore_case {
        a.eq_ignore_ascii_case(b)
    } else {
        a == b
    }
}

fn starts_with(text: &[u8], prefix: &[u8], ignore_case: bool) -> bool {
    text.get(..prefix.len())
        .is_some_and(|head| equal(head, prefix, ignore_case))
}
