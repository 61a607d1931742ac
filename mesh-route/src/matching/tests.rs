//! Rules of matching, one by one.

use std::sync::Arc;

use mesh_api::names::{Host, Text};

use super::*;
use crate::plan::*;
use crate::table::Table;

fn normalized(target: &str, level: PathNormalization) -> String {
    let normalized = normalize(target.as_bytes(), level).unwrap();
    let path = normalized.target.split(|byte| *byte == b'?').next().unwrap();
    assert_eq!(path.len(), normalized.path_len, "{target}");
    String::from_utf8(normalized.target.into_owned()).unwrap()
}

#[test]
fn paths_are_normalised_in_four_levels() {
    // R-ENV-1: input, then NONE, BASE, MERGE_SLASHES, DECODE_AND_MERGE_SLASHES.
    let table = [
        ("/a/../b", "/a/../b", "/b", "/b", "/b"),
        ("/..", "/..", "/", "/", "/"),
        ("/../../a", "/../../a", "/a", "/a", "/a"),
        ("/a/.", "/a/.", "/a/", "/a/", "/a/"),
        ("/a/b/..", "/a/b/..", "/a/", "/a/", "/a/"),
        ("/a/./b", "/a/./b", "/a/b", "/a/b", "/a/b"),
        ("/a/%2e%2E/b", "/a/%2e%2E/b", "/b", "/b", "/b"),
        ("/%66oo", "/%66oo", "/foo", "/foo", "/foo"),
        ("/a\\b", "/a\\b", "/a/b", "/a/b", "/a/b"),
        ("/a|b", "/a|b", "/a%7Cb", "/a%7Cb", "/a%7Cb"),
        ("/a%2fb", "/a%2fb", "/a%2fb", "/a%2fb", "/a/b"),
        ("/a%5Cb", "/a%5Cb", "/a%5Cb", "/a%5Cb", "/a/b"),
        ("/a//b", "/a//b", "/a//b", "/a/b", "/a/b"),
        ("//", "//", "//", "/", "/"),
        ("/a%2F%2f..", "/a%2F%2f..", "/a%2F%2f..", "/a%2F%2f..", "/a/"),
        (
            "/a;p=1/%3B",
            "/a;p=1/%3B",
            "/a;p=1/%3B",
            "/a;p=1/%3B",
            "/a;p=1/%3B",
        ),
        ("/%zz%4", "/%zz%4", "/%zz%4", "/%zz%4", "/%zz%4"),
        ("/...", "/...", "/...", "/...", "/..."),
        (
            "/.well-known/x",
            "/.well-known/x",
            "/.well-known/x",
            "/.well-known/x",
            "/.well-known/x",
        ),
        (
            "/a//b?c//../%66",
            "/a//b?c//../%66",
            "/a//b?c//../%66",
            "/a/b?c//../%66",
            "/a/b?c//../%66",
        ),
        ("*", "*", "*", "*", "*"),
    ];
    for (input, none, base, merge, decode) in table {
        assert_eq!(normalized(input, PathNormalization::None), none);
        assert_eq!(normalized(input, PathNormalization::Base), base);
        assert_eq!(normalized(input, PathNormalization::MergeSlashes), merge);
        assert_eq!(
            normalized(input, PathNormalization::DecodeAndMergeSlashes),
            decode
        );
    }
}

#[test]
fn fragments_are_stripped_first() {
    // R-ENV-3, E-73
    for level in [PathNormalization::None, PathNormalization::Base] {
        assert_eq!(normalized("/f#x?y", level), "/f");
        assert_eq!(normalized("/f?a#b", level), "/f?a");
    }
}

#[test]
fn a_zero_byte_is_refused() {
    // R-ENV-1; in the query it is not looked at (R-ENV-2).
    assert_eq!(normalize(b"/a%00b", PathNormalization::Base), Err(BadPath));
    assert!(normalize(b"/a?%00", PathNormalization::Base).is_ok());
    assert!(normalize(b"/a%00b", PathNormalization::None).is_ok());
}

#[test]
fn normal_paths_are_not_copied() {
    for path in [
        "/",
        "/reviews/7?x=%2f..//",
        "/a-b_c~d/e.f;g=1,2",
        "/api/v1/@me:run!$&'()*+",
    ] {
        let normalized = normalize(path.as_bytes(), PathNormalization::DecodeAndMergeSlashes).unwrap();
        assert!(
            matches!(normalized.target, std::borrow::Cow::Borrowed(_)),
            "{path}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn normalising_twice_is_normalising_once(tail in "[/.%a2fFeE5cC\\\\|é?#]{0,12}") {
        for level in [PathNormalization::Base, PathNormalization::MergeSlashes] {
            let once = normalized(&format!("/{tail}"), level);
            // An escape that appears by decoding another one is the exception: `%%66` becomes `%f`.
            if !once.contains('%') {
                assert_eq!(normalized(&once, level), once);
            }
            assert!(once.starts_with('/'));
        }
    }
}

fn text(test: TextTest) -> Test {
    Test::Text(TextMatcher {
        test,
        ignore_case: false,
    })
}

fn exact(value: &str) -> Test {
    text(TextTest::Exact(Text::new(value)))
}

fn regex(pattern: &str) -> Test {
    text(TextTest::Regex(Pattern::new(pattern).unwrap()))
}

fn with(name: &str, test: Test) -> Condition {
    Condition::Header(HeaderCondition {
        name: Text::new(name),
        test,
        invert: false,
        missing: Missing::Fails,
    })
}

fn without(name: &str, test: Test) -> Condition {
    let missing = if test == Test::Present {
        Missing::Fails
    } else {
        Missing::CountsAsEmpty
    };
    Condition::Header(HeaderCondition {
        name: Text::new(name),
        test,
        invert: true,
        missing,
    })
}

fn holds(condition: &Condition, lines: &[(&str, &str)]) -> bool {
    let mut headers = Headers::new();
    lines.iter().for_each(|(name, value)| headers.append(name, value));
    let view = RequestView {
        method: b"GET",
        scheme: b"http",
        authority: b"Auth.x:8080",
        target: b"/p?q=1",
        headers: &headers,
    };
    test(condition, &view) == Truth::Yes
}

#[test]
fn headers_match_by_value() {
    // R-MATCH-6, R-MATCH-7, E-25
    assert!(holds(&with("x", exact("a")), &[("X", "a")]));
    assert!(!holds(&with("x", exact("a")), &[("x", "A")]));
    assert!(!holds(&with("x", exact("a")), &[]));
    assert!(holds(&with("x", Test::Present), &[("x", "")]));
    assert!(!holds(&with("x", Test::Present), &[]));
    assert!(holds(&with("x", exact("")), &[("x", "")]));
    assert!(!holds(&with("x", exact("")), &[]));
    assert!(!holds(&with("x", Test::Never), &[("x", "")]));
    assert!(holds(&with("x", Test::Range { from: -1, to: 2 }), &[("x", "-1")]));
    assert!(!holds(&with("x", Test::Range { from: -1, to: 2 }), &[("x", "2")]));
}

#[test]
fn without_headers_is_a_negation() {
    // R-MATCH-8, E-26, E-27, S-33
    assert!(holds(&without("x", exact("a")), &[]));
    assert!(!holds(&without("x", exact("a")), &[("x", "a")]));
    assert!(holds(&without("x", Test::Present), &[]));
    assert!(!holds(&without("x", Test::Present), &[("x", "")]));
    assert!(!holds(&without("x", regex(".*")), &[]));
    assert!(holds(&without("x", regex(".+")), &[]));
}

#[test]
fn several_lines_are_tested_one_by_one() {
    // R-ENV-4, E-31
    let two = [("x", "a"), ("x", "b")];
    assert!(holds(&with("x", exact("a")), &two) && holds(&with("x", exact("b")), &two));
    assert!(!holds(&with("x", exact("a,b")), &two));
    assert!(!holds(&without("x", exact("b")), &two) && holds(&without("x", exact("c")), &two));
    assert!(
        holds(&with("x", exact("a,b")), &[("x", "a,b")]) && !holds(&with("x", exact("a")), &[("x", "a,b")])
    );
}

#[test]
fn some_headers_are_joined_on_receipt() {
    // R-ENV-5
    for name in [
        "accept",
        "X-Forwarded-For",
        "x-envoy-original-path",
        "if-modified-since",
        "origin",
    ] {
        assert!(
            holds(
                &with(&name.to_lowercase(), exact("a,b")),
                &[(name, "a"), (name, "b")]
            ),
            "{name}"
        );
        assert!(
            !holds(
                &with(&name.to_lowercase(), exact("a")),
                &[(name, "a"), (name, "b")]
            ),
            "{name}"
        );
    }
    for name in [
        "accept-language",
        "range",
        "traceparent",
        "baggage",
        "proxy-authorization",
        "x-b3-traceid",
    ] {
        assert!(
            holds(&with(name, exact("b")), &[(name, "a"), (name, "b")]),
            "{name}"
        );
    }
}

#[test]
fn pseudo_headers_are_ordinary() {
    // R-MATCH-10, R-ENV-7, E-30
    assert!(holds(&with(":authority", exact("Auth.x:8080")), &[]));
    assert!(holds(&with("host", exact("Auth.x:8080")), &[]));
    assert!(!holds(&with(":authority", exact("Auth.x")), &[]));
    assert!(!holds(&with(":authority", exact("auth.x:8080")), &[]));
    assert!(holds(&with(":method", exact("GET")), &[]) && !holds(&with(":method", exact("get")), &[]));
    assert!(holds(&with(":scheme", Test::Present), &[]) && holds(&with(":path", exact("/p?q=1")), &[]));
}

#[test]
fn texts_may_ignore_case() {
    let matcher = |test, ignore_case| TextMatcher { test, ignore_case };
    let sample = || Text::new("Ab");
    for (test, value) in [
        (TextTest::Exact(sample()), "aB"),
        (TextTest::Prefix(sample()), "aBc"),
        (TextTest::Suffix(sample()), "caB"),
        (TextTest::Contains(sample()), "caBc"),
    ] {
        assert!(
            test_text(&matcher(test.clone(), true), value.as_bytes()),
            "{test:?}"
        );
        assert!(
            !test_text(&matcher(test.clone(), false), value.as_bytes()),
            "{test:?}"
        );
        assert!(!test_text(&matcher(test, true), b"b"));
    }
    assert!(test_text(&matcher(TextTest::Contains(Text::new("")), false), b""));
}

#[test]
fn query_parameters_are_raw_and_the_first_counts() {
    // R-MATCH-11, E-28, E-29
    assert_eq!(first_query_value(b"p=a%20b", b"p"), Some(&b"a%20b"[..]));
    assert_eq!(first_query_value(b"p=b&p=a", b"p"), Some(&b"b"[..]));
    assert_eq!(first_query_value(b"p=", b"p"), first_query_value(b"p", b"p"));
    assert_eq!(first_query_value(b"p=a=b", b"p"), Some(&b"a=b"[..]));
    assert_eq!(first_query_value(b"p%20=a&pp=b", b"p"), None);
    let condition = Condition::Query(QueryCondition {
        name: Text::new("q"),
        test: exact("1"),
    });
    assert!(holds(&condition, &[]));
    let absent = Condition::Query(QueryCondition {
        name: Text::new("r"),
        test: Test::Present,
    });
    assert!(!holds(&absent, &[]));
}

#[test]
fn a_missing_claim_fails_and_its_negation_holds() {
    // R-MATCH-13
    let claim = |invert| {
        let test = TextMatcher {
            test: TextTest::Exact(Text::new("a")),
            ignore_case: false,
        };
        Condition::Claim(ClaimCondition {
            path: [Text::new("sub")].into(),
            test,
            invert,
        })
    };
    assert!(!holds(&claim(false), &[("@request.auth.claims.sub", "a")])); // R-MATCH-14: forged
    assert!(holds(&claim(true), &[]));
}

fn path(kind: fn(Text) -> PathMatcher, value: &str) -> PathMatcher {
    kind(Text::new(value))
}

#[test]
fn paths_match() {
    let prefix = path(PathMatcher::Prefix, "/foo");
    let separated = path(PathMatcher::PathPrefix, "/ps");
    let regex = PathMatcher::Regex(Pattern::new("/foo").unwrap());
    assert!(test_path(&prefix, false, b"/foobar")); // R-MATCH-3, E-23
    assert!(!test_path(&regex, false, b"/foobar")); // E-22
    assert!(!test_path(&regex, true, b"/FOO")); // R-MATCH-5, E-24
    assert!(test_path(&prefix, true, b"/FOObar") && !test_path(&prefix, false, b"/FOObar"));
    assert!(test_path(&path(PathMatcher::Exact, "/a"), true, b"/A"));
    for (target, matches) in [
        ("/ps", true),
        ("/ps/", true),
        ("/ps/x", true),
        ("/psx", false),
        ("/p", false),
    ] {
        assert_eq!(
            test_path(&separated, false, target.as_bytes()),
            matches,
            "{target}"
        ); // R-MATCH-4
    }
    for matcher in [
        path(PathMatcher::Prefix, "/"),
        PathMatcher::Regex(Pattern::new(".*").unwrap()),
    ] {
        assert!(!test_path(&matcher, false, b"*")); // R-ENV-3
    }
}

fn table(hosts: &[&[&str]]) -> RouteTable {
    let virtual_host = |at: usize, domains: &[&str]| VirtualHost {
        name: VirtualHostName::Host {
            host: Host::new(format!("h{at}")),
            port: 80,
        },
        domains: domains.iter().map(|domain| Domain::new(*domain)).collect(),
        routes: Vec::new().into(),
        require_tls: RequireTls::None,
        origin: Origin::at(At::Object),
    };
    RouteTable {
        name: RouteTableName::Port(80),
        port: 80,
        hosts: hosts
            .iter()
            .enumerate()
            .map(|(at, d)| (virtual_host(at, d).name, virtual_host(at, d)))
            .collect(),
        catch_all: None,
        ignore_port: true,
        attempt_count: false,
        origin: Origin::at(At::Object),
    }
}

fn found(index: &DomainIndex, authority: &str) -> Option<String> {
    let host = normalize_authority(authority.as_bytes(), true);
    index.find(&host).map(|(_, domain)| domain.text.to_string())
}

#[test]
fn the_most_specific_domain_wins() {
    // R-ENVH-1
    let all: &[&[&str]] = &[
        &["*"],
        &["a.*", "a.foo.*"],
        &["*.com", "*.foo.com"],
        &["a.foo.com"],
    ];
    let index = DomainIndex::new(&table(all));
    for (host, domain) in [
        ("a.foo.com", "a.foo.com"),
        ("b.foo.com", "*.foo.com"),
        ("a.b.com", "*.com"),
        ("a.foo.net", "a.foo.*"),
        ("a.net", "a.*"),
        ("b.net", "*"),
        ("", "*"), // R-ENVH-4, E-63
    ] {
        assert_eq!(found(&index, host).as_deref(), Some(domain), "{host}");
    }
    let host = normalize_authority(b"a.foo.com", true);
    let order: Vec<_> = index
        .candidates(&host)
        .map(|(_, domain)| domain.text.to_string())
        .collect();
    assert_eq!(order, ["a.foo.com", "*.foo.com", "*.com", "a.foo.*", "a.*", "*"]);
}

#[test]
fn domains_are_compared_in_lower_case_and_without_port() {
    // R-ENVH-2, R-ENVH-3, E-60
    let index = DomainIndex::new(&table(&[
        &["foo.com", "[::1]", "foo.com:80"],
        &["*.foo.com", "pre.*", "*bar.org"],
    ]));
    for (host, domain) in [
        ("FOO.com:8080", Some("foo.com")),
        ("[::1]:80", Some("[::1]")),
        ("foo.com:80", Some("foo.com")),
        ("foo.com:", None),
        (".foo.com", None),
        ("a.b.foo.com", Some("*.foo.com")),
        ("a.foo.com.", None),
        ("pre.", None),
        ("pre.x", Some("pre.*")),
        ("bar.org", None),
        ("xbar.org", Some("*bar.org")),
        ("", None),
    ] {
        assert_eq!(found(&index, host).as_deref(), domain, "{host}");
    }
    assert_eq!(found(&index, "\u{e9}.foo.com").as_deref(), Some("*.foo.com"));
}

proptest::proptest! {
    #[test]
    fn the_index_agrees_with_a_scan(
        domains in proptest::collection::btree_set("\\*?[ab.]{0,3}|[ab.]{1,3}\\*", 0..8),
        host in "[ab.]{0,5}",
    ) {
        let domains: Vec<&str> = domains.iter().map(String::as_str).filter(|domain| !domain.is_empty()).collect();
        let all: Vec<&[&str]> = domains.iter().map(std::slice::from_ref).collect();
        let index = DomainIndex::new(&table(&all));
        let mut scan: Vec<Domain> = domains.iter().map(|domain| Domain::new(*domain)).collect();
        scan.retain(|domain| matches_domain(domain, host.as_bytes()));
        scan.sort_by_key(|domain| (domain.form, std::cmp::Reverse(domain.text.len())));
        let indexed: Vec<Domain> = index.candidates(host.as_bytes()).map(|(_, domain)| domain.clone()).collect();
        proptest::prop_assert_eq!(indexed, scan);
    }
}

fn rewritten(matcher: &PathMatcher, rewrite: &PathRewrite, target: &str) -> String {
    let mut out = Vec::new();
    rewrite_path(matcher, rewrite, target.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn prefix_rewrites_replace_what_matched() {
    // R-RW-1, E-32
    let to = |value: &str| PathRewrite::Prefix(Text::new(value));
    let foo = path(PathMatcher::Prefix, "/foo");
    assert_eq!(rewritten(&foo, &to("/"), "/foo/bar"), "//bar");
    assert_eq!(rewritten(&foo, &to("/"), "/foobar"), "/bar");
    assert_eq!(rewritten(&foo, &to("/x"), "/FOO/b?q=/foo"), "/x/b?q=/foo"); // R-RW-3: by length
    assert_eq!(
        rewritten(&path(PathMatcher::Exact, "/foo"), &to("/x"), "/foo?q"),
        "/x?q"
    );
    assert_eq!(
        rewritten(
            &PathMatcher::Regex(Pattern::new("/.*").unwrap()),
            &to("/x"),
            "/foo?q"
        ),
        "/x?q"
    );
    assert_eq!(
        rewritten(&foo, &PathRewrite::Full(Text::new("/y")), "/foo/z?q"),
        "/y?q"
    );
}

#[test]
fn regex_rewrites_leave_the_query() {
    // R-RW-2 as compiled, and R-RW-3
    let regex = |pattern: &str, substitution: &str| PathRewrite::Regex {
        pattern: Pattern::new(pattern).unwrap(),
        substitution: Text::new(substitution),
    };
    let root = path(PathMatcher::Prefix, "/");
    assert_eq!(
        rewritten(&root, &regex("a(.)", r"<\1>"), "/abacad?a1"),
        "/<b><c><d>?a1"
    );
    assert_eq!(
        rewritten(&root, &regex("^/foo/?(.*)", r"/\1"), "/foo//bar?x"),
        "//bar?x"
    );
}

fn redirected(redirect: &Redirect, matcher: &PathMatcher, url: &str, target: &str) -> String {
    let (scheme, authority) = url.split_once("://").unwrap();
    let headers = Headers::new();
    let view = RequestView {
        method: b"GET",
        scheme: scheme.as_bytes(),
        authority: authority.as_bytes(),
        target: target.as_bytes(),
        headers: &headers,
    };
    let mut out = Vec::new();
    location(redirect, matcher, &view, &mut out);
    String::from_utf8(out).unwrap()
}

const PLAIN: Redirect = Redirect {
    scheme: None,
    host: None,
    port: None,
    path: None,
    code: 301,
};

#[test]
fn redirects_keep_what_is_not_said() {
    // R-RD-4, E-33
    let root = path(PathMatcher::Prefix, "/");
    let to = |scheme: &str| Redirect {
        scheme: Some(Text::new(scheme)),
        ..PLAIN
    };
    for (url, scheme, location) in [
        ("http://hh:80", "https", "https://hh/p?q"),
        ("http://hh:8080", "https", "https://hh:8080/p?q"),
        ("https://hh:443", "http", "http://hh/p?q"),
        ("http://hh:443", "http", "http://hh:443/p?q"),
        ("http://[::1]:80", "https", "https://[::1]/p?q"),
        ("http://[::1]", "https", "https://[::1]/p?q"),
    ] {
        assert_eq!(redirected(&to(scheme), &root, url, "/p?q"), location, "{url}");
    }
    assert_eq!(
        redirected(&PLAIN, &root, "http://hh:80", "/p?q"),
        "http://hh:80/p?q"
    );
    let host = Redirect {
        host: Some(Host::new("other")),
        ..PLAIN
    };
    assert_eq!(redirected(&host, &root, "http://hh:80", "/p"), "http://other/p");
    let port = Redirect {
        port: Some(81),
        ..PLAIN
    };
    assert_eq!(redirected(&port, &root, "http://hh:80", "/p"), "http://hh:81/p"); // R-RD-3
}

#[test]
fn redirects_change_the_path() {
    // R-RD-1
    let foo = path(PathMatcher::Prefix, "/foo");
    let to = |path| Redirect {
        path: Some(path),
        ..PLAIN
    };
    let full = |value: &str| to(RedirectPath::Full(Text::new(value)));
    assert_eq!(
        redirected(&full("/new"), &foo, "http://h", "/foo/x?q"),
        "http://h/new?q"
    );
    assert_eq!(
        redirected(&full("/new?r"), &foo, "http://h", "/foo/x?q"),
        "http://h/new?r"
    );
    assert_eq!(
        redirected(&full(""), &foo, "http://h", "/foo/x?q"),
        "http://h/foo/x?q"
    );
    let prefix = to(RedirectPath::Prefix(Text::new("/new")));
    assert_eq!(
        redirected(&prefix, &foo, "http://h", "/foo/x?q"),
        "http://h/new/x?q"
    );
}

#[test]
fn redirects_to_tls_keep_the_port() {
    // R-GW-14, E-34
    let headers = Headers::new();
    let view = RequestView {
        method: b"GET",
        scheme: b"http",
        authority: b"hh:80",
        target: b"/a?b",
        headers: &headers,
    };
    let mut out = Vec::new();
    https_location(&view, &mut out);
    assert_eq!(out, b"https://hh:80/a?b");
}

#[test]
fn weights_are_drawn_modulo_their_sum() {
    // R-W-2, and E-20: weights need not sum up to 100
    let destination = |weight, subset: &str| WeightedDestination {
        cluster: ClusterName::parse(&format!("outbound|80|{subset}|a")),
        weight,
        headers: None,
        host: None,
        origin: Origin::at(At::Object),
    };
    let destinations = [destination(1, "v1"), destination(3, "v2")];
    let drawn = |draw| draw_weighted(&destinations, draw).map(|drawn| drawn.index);
    assert_eq!([0, 1, 3, 4, 7].map(drawn), [0, 1, 1, 0, 1].map(Some));
    let last = draw_weighted(&destinations, 3).unwrap();
    assert_eq!((last.from, last.to, last.total), (1, 4, 4));
    assert_eq!(draw_weighted(&[], 1), None);
}

#[test]
fn operations_change_lines() {
    let op = |kind, name: &str, value: &str| HeaderOp {
        kind,
        name: Text::new(name),
        value: Text::new(value),
        level: Level::Own,
    };
    let mut headers = Headers::new();
    headers.append("x", "1");
    headers.append("x", "2");
    headers.apply(&op(HeaderOpKind::Add, "X", "3"));
    assert_eq!(headers.values("x").count(), 3);
    headers.apply(&op(HeaderOpKind::Set, "X", "4"));
    assert_eq!(headers.values("x").collect::<Vec<_>>(), [b"4"]);
    headers.apply(&op(HeaderOpKind::Remove, "X", ""));
    assert_eq!(headers, Headers::new());
}

#[test]
fn a_table_of_many_hosts_is_indexed_once() {
    let hosts: Vec<String> = (0..10_000).map(|n| format!("h{n}.example.com")).collect();
    let mut table = table(&[]);
    table.hosts = Table::from_entries(hosts.iter().enumerate().map(|(at, host)| {
        let name = VirtualHostName::Host {
            host: Host::new(host.as_str()),
            port: at as u16,
        };
        let domains = [Domain::new(host.as_str())].into();
        let origin = Origin::at(At::Object);
        let host = VirtualHost {
            name: name.clone(),
            domains,
            routes: Vec::new().into(),
            require_tls: RequireTls::None,
            origin,
        };
        (name, Arc::new(host))
    }));
    let index = DomainIndex::new(&table);
    assert!(
        hosts
            .iter()
            .all(|host| found(&index, host).as_deref() == Some(host))
    );
}
