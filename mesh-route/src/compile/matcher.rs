//! Conditions of a route from a match (R-MATCH, X-RDS-19 to -21).

use mesh_api::names::Text;
use mesh_api::networking::{HttpMatchRequest, StringMatch};

use crate::pattern::{Pattern, PatternError};
use crate::plan::{
    ClaimCondition, Condition, HeaderCondition, Missing, PathMatcher, QueryCondition, RouteMatcher, Test,
    TextMatcher, TextTest,
};
use crate::snapshot::virtual_service::Semantics;

/// Prefix of header names that stand for claims of the request token.
const CLAIMS: &str = "@request.auth.claims";

/// Builds the matcher of a match.
///
/// # Errors
/// When a regular expression is not one of RE2's.
pub(super) fn matcher(
    matching: &HttpMatchRequest,
    semantics: Semantics,
) -> Result<RouteMatcher, PatternError> {
    let HttpMatchRequest {
        name: _,
        uri,
        scheme,
        method,
        authority,
        headers,
        port: _,
        source_labels: _,
        gateways: _,
        query_params,
        ignore_uri_case,
        without_headers,
        source_namespace: _,
        stat_prefix: _,
    } = matching;
    let mut named: Vec<(&str, bool, &StringMatch)> = headers
        .iter()
        .map(|(name, test)| (name.as_str(), false, test))
        .chain(
            without_headers
                .iter()
                .map(|(name, test)| (name.as_str(), true, test)),
        )
        .collect();
    // X-RDS-20: by name; of equal names, headers first.
    named.sort_by_key(|(name, invert, _)| (*name, *invert));
    let (mut conditions, mut claims) = (Vec::new(), Vec::new());
    for (name, invert, test) in named {
        match claim_path(name) {
            Some(path) => claims.push(claim(path, test, invert)?),
            None => conditions.push(header(name, test, invert)?),
        }
    }
    for (name, test) in [
        (":method", method),
        (":authority", authority),
        (":scheme", scheme),
    ] {
        if let Some(test) = test {
            conditions.push(header(name, test, false)?);
        }
    }
    for (name, test) in query_params {
        let test = value_test(test)?;
        conditions.push(Condition::Query(QueryCondition {
            name: Text::new(name),
            test,
        }));
    }
    conditions.extend(claims);
    Ok(RouteMatcher {
        path: path(uri.as_ref(), semantics)?,
        ignore_case: *ignore_uri_case,
        conditions: conditions.into(),
    })
}

/// The matcher of an entry without a match: everything.
pub(super) fn everything(root: &Text) -> RouteMatcher {
    RouteMatcher {
        path: PathMatcher::Prefix(root.clone()),
        ignore_case: false,
        conditions: Box::default(),
    }
}

fn path(uri: Option<&StringMatch>, semantics: Semantics) -> Result<PathMatcher, PatternError> {
    Ok(match uri {
        Some(StringMatch::Exact(text)) => PathMatcher::Exact(Text::new(text)),
        Some(StringMatch::Prefix(text)) if semantics != Semantics::Istio && text != "/" => {
            // R-MATCH-4
            PathMatcher::PathPrefix(Text::new(text.strip_suffix('/').unwrap_or(text)))
        }
        Some(StringMatch::Prefix(text)) => PathMatcher::Prefix(Text::new(text)),
        Some(StringMatch::Regex(text)) => PathMatcher::Regex(Pattern::new(text)?),
        _ => PathMatcher::Prefix(Text::new("/")),
    })
}

fn header(name: &str, test: &StringMatch, invert: bool) -> Result<Condition, PatternError> {
    let test = value_test(test)?;
    // R-MATCH-8: without a value to test, the header must be absent; else a missing one counts as empty.
    let missing = if invert && !matches!(test, Test::Present) {
        Missing::CountsAsEmpty
    } else {
        Missing::Fails
    };
    let name = match name.to_ascii_lowercase() {
        // R-ENV-7
        host if host == "host" => Text::new(":authority"),
        name => Text::from(name),
    };
    Ok(Condition::Header(HeaderCondition {
        name,
        test,
        invert,
        missing,
    }))
}

/// An empty matcher and the regex `*` ask for presence (R-MATCH-6).
fn value_test(test: &StringMatch) -> Result<Test, PatternError> {
    Ok(match test {
        StringMatch::Regex(text) if text == "*" => Test::Present,
        _ => text_test(test)?.map_or(Test::Present, |test| {
            Test::Text(TextMatcher {
                test,
                ignore_case: false,
            })
        }),
    })
}

fn text_test(test: &StringMatch) -> Result<Option<TextTest>, PatternError> {
    Ok(match test {
        StringMatch::Exact(text) => Some(TextTest::Exact(Text::new(text))),
        StringMatch::Prefix(text) => Some(TextTest::Prefix(Text::new(text))),
        StringMatch::Regex(text) => Some(TextTest::Regex(Pattern::new(text)?)),
        _ => None,
    })
}

fn claim(path: Vec<Text>, test: &StringMatch, invert: bool) -> Result<Condition, PatternError> {
    let Some(test) = text_test(test)? else {
        // R-MATCH-14: invalid configuration; it never matches.
        let name = Text::new(":never");
        return Ok(Condition::Header(HeaderCondition {
            name,
            test: Test::Never,
            invert: false,
            missing: Missing::Fails,
        }));
    };
    let test = TextMatcher {
        test,
        ignore_case: false,
    };
    Ok(Condition::Claim(ClaimCondition {
        path: path.into(),
        test,
        invert,
    }))
}

/// The path of a claim that a header name stands for: `.a.b` or `[a][b]` behind the prefix, which ignores case
/// (R-MATCH-12). Anything else is an ordinary header.
pub fn claim_path(name: &str) -> Option<Vec<Text>> {
    let (prefix, rest) = name.split_at_checked(CLAIMS.len())?;
    if !prefix.eq_ignore_ascii_case(CLAIMS) {
        return None;
    }
    if let Some(dotted) = rest.strip_prefix('.') {
        return (!dotted.is_empty()).then(|| dotted.split('.').map(Text::new).collect());
    }
    let inner = rest.strip_prefix('[')?.strip_suffix(']')?;
    (!inner.is_empty()).then(|| inner.split("][").map(Text::new).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claim_names() {
        // R-MATCH-12, S-41
        let path = |name: &str| {
            claim_path(name).map(|path| path.iter().map(ToString::to_string).collect::<Vec<_>>().join("/"))
        };
        assert_eq!(
            path("@request.auth.claims[key1][key2]").as_deref(),
            Some("key1/key2")
        );
        assert_eq!(
            path("@Request.Auth.Claims.key1.KEY2").as_deref(),
            Some("key1/KEY2")
        );
        assert_eq!(path("@request.auth.claims.[key1]").as_deref(), Some("[key1]"));
        for plain in [
            "claims-abc",
            "@request.auth.claims",
            "@request.auth.claims.",
            "@request.auth.claims-abc",
            "@request.auth.claims[key1",
            "@request.auth.claims]key1",
            "@request.auth.claimskey1",
        ] {
            assert_eq!(path(plain), None, "{plain}");
        }
    }

    #[test]
    fn without_headers_counts_missing_as_empty() {
        // R-MATCH-8, S-33
        let mut matching = HttpMatchRequest::default();
        matching
            .without_headers
            .insert("a".into(), StringMatch::exact("x"));
        matching
            .without_headers
            .insert("b".into(), StringMatch::default());
        let built = matcher(&matching, Semantics::Istio).expect("valid");
        let missing: Vec<_> = built
            .conditions
            .iter()
            .map(|condition| match condition {
                Condition::Header(header) => (header.invert, header.missing),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(missing, [(true, Missing::CountsAsEmpty), (true, Missing::Fails)]);
    }

    #[test]
    fn gateway_semantics_cut_one_slash() {
        // R-MATCH-4, S-32
        let matching = HttpMatchRequest {
            uri: Some(StringMatch::prefix("/a/")),
            ..HttpMatchRequest::default()
        };
        let path = |semantics| matcher(&matching, semantics).expect("valid").path;
        assert_eq!(path(Semantics::Istio), PathMatcher::Prefix(Text::new("/a/")));
        assert_eq!(
            path(Semantics::GatewayApi),
            PathMatcher::PathPrefix(Text::new("/a"))
        );
    }
}
