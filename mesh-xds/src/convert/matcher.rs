//! Conditions of routes (X-RDS-19 to X-RDS-21).

use mesh_api::names::Text;
use mesh_route::plan::{
    ClaimCondition, Condition, HeaderCondition, Missing, PathMatcher, QueryCondition, RouteMatcher, Test,
    TextMatcher,
};

use super::common::{regex, string_matcher};
use crate::pb::envoy::config::route::v3::header_matcher::HeaderMatchSpecifier;
use crate::pb::envoy::config::route::v3::query_parameter_matcher::QueryParameterMatchSpecifier;
use crate::pb::envoy::config::route::v3::route_match::PathSpecifier;
use crate::pb::envoy::config::route::v3::{HeaderMatcher, QueryParameterMatcher, RouteMatch};
use crate::pb::envoy::r#type::matcher::v3::metadata_matcher::{PathSegment, path_segment::Segment};
use crate::pb::envoy::r#type::matcher::v3::value_matcher::MatchPattern;
use crate::pb::envoy::r#type::matcher::v3::{
    ListMatcher, MetadataMatcher, OrMatcher, ValueMatcher, list_matcher,
};
use crate::pb::envoy::r#type::v3::Int64Range;

/// The filter that leaves the claims of a validated token behind.
const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// A condition that Envoy has no matcher for: a number range of this query parameter.
pub(super) struct NoMatcher(pub(super) Text);

/// The match of a route. Whether case counts is said of explicit matches only; Envoy's default is the same (X-RDS-19).
pub(super) fn route_match(matcher: &RouteMatcher, is_explicit: bool) -> Result<RouteMatch, NoMatcher> {
    let RouteMatcher {
        path,
        ignore_case,
        conditions,
    } = matcher;
    let mut message = RouteMatch {
        case_sensitive: (is_explicit || *ignore_case).then_some(!ignore_case),
        path_specifier: Some(path_specifier(path)),
        ..Default::default()
    };
    for condition in conditions {
        match condition {
            Condition::Header(condition) => message.headers.push(header(condition)),
            Condition::Query(condition) => message.query_parameters.push(query(condition)?),
            Condition::Claim(condition) => message.dynamic_metadata.push(claim(condition)),
        }
    }
    Ok(message)
}

fn path_specifier(path: &PathMatcher) -> PathSpecifier {
    match path {
        PathMatcher::Exact(text) => PathSpecifier::Path(text.to_string()),
        PathMatcher::Prefix(text) => PathSpecifier::Prefix(text.to_string()),
        // Envoy refuses the separated prefix `/`, which is the plain one.
        PathMatcher::PathPrefix(text) if text.as_str() == "/" => PathSpecifier::Prefix(text.to_string()),
        PathMatcher::PathPrefix(text) => PathSpecifier::PathSeparatedPrefix(text.to_string()),
        PathMatcher::Regex(pattern) => PathSpecifier::SafeRegex(regex(pattern)),
    }
}

fn header(condition: &HeaderCondition) -> HeaderMatcher {
    let HeaderCondition {
        name,
        test,
        invert,
        missing,
    } = condition;
    let specifier = match test {
        Test::Present => HeaderMatchSpecifier::PresentMatch(true),
        Test::Text(matcher) => HeaderMatchSpecifier::StringMatch(string_matcher(matcher)),
        Test::Range { from, to } => range(*from, *to),
        // No number lies in an empty range.
        Test::Never => range(0, 0),
    };
    HeaderMatcher {
        name: name.to_string(),
        invert_match: *invert,
        treat_missing_header_as_empty: *missing == Missing::CountsAsEmpty,
        header_match_specifier: Some(specifier),
    }
}

fn range(start: i64, end: i64) -> HeaderMatchSpecifier {
    HeaderMatchSpecifier::RangeMatch(Int64Range { start, end })
}

fn query(condition: &QueryCondition) -> Result<QueryParameterMatcher, NoMatcher> {
    let QueryCondition { name, test } = condition;
    let specifier = match test {
        Test::Present => QueryParameterMatchSpecifier::PresentMatch(true),
        Test::Text(matcher) => QueryParameterMatchSpecifier::StringMatch(string_matcher(matcher)),
        Test::Range { .. } | Test::Never => return Err(NoMatcher(name.clone())),
    };
    Ok(QueryParameterMatcher {
        name: name.to_string(),
        query_parameter_match_specifier: Some(specifier),
    })
}

/// A string claim that matches, or a list with an element that does.
fn claim(condition: &ClaimCondition) -> MetadataMatcher {
    let ClaimCondition { path, test, invert } = condition;
    let segment = |key: &str| PathSegment {
        segment: Some(Segment::Key(key.to_owned())),
    };
    MetadataMatcher {
        filter: JWT_AUTHN.to_owned(),
        path: std::iter::once("payload")
            .chain(path.iter().map(Text::as_str))
            .map(segment)
            .collect(),
        value: Some(string_or_element(test)),
        invert: *invert,
    }
}

fn string_or_element(test: &TextMatcher) -> ValueMatcher {
    let value = |pattern| ValueMatcher {
        match_pattern: Some(pattern),
    };
    let text = || value(MatchPattern::StringMatch(string_matcher(test)));
    let list = ListMatcher {
        match_pattern: Some(list_matcher::MatchPattern::OneOf(Box::new(text()))),
    };
    value(MatchPattern::OrMatch(OrMatcher {
        value_matchers: vec![value(MatchPattern::ListMatch(Box::new(list))), text()],
    }))
}
