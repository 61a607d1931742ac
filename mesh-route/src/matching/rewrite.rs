//! Rewriting of paths (R-RW).

use super::view::split_target;
use crate::plan::{PathMatcher, PathRewrite};

/// Appends the target that goes upstream to `out`: the rewritten path and the query of `target`, which is kept.
///
/// A prefix rewrite replaces what the route matched: the prefix, by its length, or the whole path where the route
/// matched all of it (R-RW-1). A regex rewrite replaces every match in the path (R-RW-3).
pub fn rewrite_path(matcher: &PathMatcher, rewrite: &PathRewrite, target: &[u8], out: &mut Vec<u8>) {
    let (path, _) = split_target(target);
    let query = target.get(path.len()..).unwrap_or_default();
    match rewrite {
        PathRewrite::Prefix(text) => {
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(after_match(matcher, path));
        }
        PathRewrite::Regex {
            pattern,
            substitution,
        } => pattern.replace_all(path, substitution.as_str(), out),
        PathRewrite::Full(text) => out.extend_from_slice(text.as_bytes()),
    }
    out.extend_from_slice(query);
}

/// What a route leaves of the path that it matched.
pub(super) fn after_match<'t>(matcher: &PathMatcher, path: &'t [u8]) -> &'t [u8] {
    match matcher {
        PathMatcher::Prefix(prefix) | PathMatcher::PathPrefix(prefix) => {
            path.get(prefix.len()..).unwrap_or_default()
        }
        PathMatcher::Exact(_) | PathMatcher::Regex(_) => &[],
    }
}
