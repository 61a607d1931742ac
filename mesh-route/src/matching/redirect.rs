//! Where redirects lead (R-RD, R-GW-14).

use super::rewrite::after_match;
use super::view::{RequestView, split_target};
use crate::plan::{PathMatcher, Redirect, RedirectPath};

/// Appends the location of a redirect to `out`.
pub fn location(redirect: &Redirect, matcher: &PathMatcher, request: &RequestView<'_>, out: &mut Vec<u8>) {
    let scheme = redirect
        .scheme
        .as_ref()
        .map_or(request.scheme, |scheme| scheme.as_bytes());
    out.extend_from_slice(scheme);
    out.extend_from_slice(b"://");
    match &redirect.host {
        Some(host) => out.extend_from_slice(host.as_str().as_bytes()),
        None => out.extend_from_slice(kept_host(request, scheme, redirect.port.is_some())),
    }
    if let Some(port) = redirect.port {
        out.extend_from_slice(format!(":{port}").as_bytes());
    }
    let (path, _) = split_target(request.target);
    let query = request.target.get(path.len()..).unwrap_or_default();
    match &redirect.path {
        Some(RedirectPath::Full(text)) if text.contains('?') => out.extend_from_slice(text.as_bytes()),
        Some(RedirectPath::Full(text)) if !text.is_empty() => {
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(query);
        }
        Some(RedirectPath::Prefix(text)) => {
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(after_match(matcher, path));
            out.extend_from_slice(query);
        }
        Some(RedirectPath::Full(_)) | None => out.extend_from_slice(request.target),
    }
}

/// Appends the location of a redirect to TLS: the authority as received, port included (R-GW-14).
pub fn https_location(request: &RequestView<'_>, out: &mut Vec<u8>) {
    for part in [b"https://", request.authority, request.target] {
        out.extend_from_slice(part);
    }
}

/// The request's authority, without its port when another one is set, or when the scheme changes and the port is the old
/// scheme's own (R-RD-4).
fn kept_host<'r>(request: &RequestView<'r>, scheme: &[u8], port_is_set: bool) -> &'r [u8] {
    let authority = request.authority;
    let colon = match authority.first() {
        Some(b'[') => authority
            .windows(2)
            .rposition(|pair| pair == b"]:")
            .map(|at| at + 1),
        _ => authority.iter().rposition(|byte| *byte == b':'),
    };
    let Some((host, port)) = colon.and_then(|at| authority.split_at_checked(at)) else {
        return authority;
    };
    let is_own_port = matches!((request.scheme, port), (b"http", b":80") | (b"https", b":443"));
    if port_is_set || (scheme != request.scheme && is_own_port) {
        host
    } else {
        authority
    }
}
