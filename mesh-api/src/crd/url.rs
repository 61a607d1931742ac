//! URLs as the CEL functions `url` and `isURL` read them: like Go, but as the target of a request first, which has a scheme
//! or a path from the root.

use crate::validate::url::parse;

/// The scheme in lower case, empty if there is none; `None` if `url(text)` is an error.
///
/// Kubernetes reads the text twice: as the target of a request, then with its fragment cut off.
pub(super) fn scheme(text: &str) -> Option<String> {
    let url = parse(text).ok().filter(|_| is_url(text))?;
    Some(url.scheme)
}

/// What `isURL` says: whether Go's `ParseRequestURI` takes the text.
pub(super) fn is_url(text: &str) -> bool {
    // a request has no fragment, the sign is part of what it stands in
    let text = text.replace('#', "%23");
    if text.starts_with('/') {
        return parse(&format!("http://host{text}")).is_ok(); // two slashes begin a path here, no host
    }
    parse(&text).is_ok_and(|url| !url.scheme.is_empty()) || text == "*"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_those_of_go() {
        for (text, expected) in [
            ("http://a", Some("http")),
            ("HTTPS://a:443/b?c=%zz#d", Some("https")),
            ("oci://reg/img", Some("oci")),
            ("reg:5000/img", Some("reg")),
            ("file:///a", Some("file")),
            ("/a/b", Some("")),
            ("a/b", None),
            ("", None),
            (":a", None),
            ("1http://a", None),
            ("http://a b", None),
            ("http://a/b c", Some("http")),
            ("http://a:x", None),
            ("http://a:", Some("http")),
            ("http://[::1]:80", Some("http")),
            ("http://[::1", None),
            ("http://[fe80::1%25en0]", Some("http")),
            ("http://a%20b", None),
            ("http://ä", Some("http")),
            ("http://a%C3%A4", Some("http")),
            ("http://u:p@a", Some("http")),
            ("http://u^@a", None),
            ("http://a/%", None),
            ("http://a/#%", None),
            ("http://a\n", None),
            ("//[x", None),
        ] {
            assert_eq!(scheme(text).as_deref(), expected, "{text}");
        }
        // only the second reading sees an authority in it
        assert!(is_url("//[x") && !is_url("a/b"));
    }
}
