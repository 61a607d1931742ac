//! A-TL-13.

use super::*;

#[test]
fn expressions_are_taken() {
    for text in [
        "response.code >= 400 && connection.mtls",
        "!has(request.auth.principal) || request.headers['x-a'] == \"b\"",
        "a ? b : c ? d : e",
        "(a ? b : c) ? d : e",
        "1 + 2 * -3 - - 4 % 5u / 0x1F",
        "-9223372036854775808 < 1.5e-3 || .5 > 1e10",
        "!-1 == !!true",
        "--a",
        "'it' + r'\\d' + b\"\\xff\\177\" + br'x' + '''long\n'quote'''",
        "\"\\u00e9\\U0001F980\\n\\?\\`\"",
        "[1, 2, 3,]",
        "[,]",
        "{'a': 1, b: [c]}",
        "{}",
        "google.protobuf.Duration{seconds: 1}.seconds",
        ".a.B{}",
        "x in [1, 2] // a comment",
        "a.b.c().d[0]",
        "requests.all(r, r.size < 3) && requests.exists_one(r, r.a)",
        "requests.map(r, r.a, r.b).filter(x, x > 1)",
        "all(1, 2) || x.all(1) || has(a, b)",
        "a.if && 1.double",
        "has((a.b))",
        "f(a ? b : c)",
        "a < b < c",
    ] {
        assert_eq!(check(text), Ok(()), "{text}");
    }
}

#[test]
fn other_texts_are_refused_at_their_place() {
    for (text, offset) in [
        ("", 0),
        ("  // only a comment", 19),
        (")++++", 0),
        ("a +", 3),
        ("a b", 2),
        ("a ? b", 5),
        ("a ? b ? c : d : e", 6),
        ("if", 0),
        ("f(while)", 2),
        ("a.in", 2),
        ("a.true", 2),
        ("(a", 2),
        ("[1 2]", 3),
        ("[1,,2]", 3),
        ("f(1,)", 4),
        ("{a}", 2),
        ("a{b}", 3),
        ("a().b{}", 5),
        ("!-a", 2),
        ("-!a", 1),
        ("1.", 2),
        ("9223372036854775809", 0),
        ("9223372036854775808", 0),
        ("0xFFFFFFFFFFFFFFFF", 0),
        ("18446744073709551616u", 0),
        ("1e999", 0),
        ("'a", 0),
        ("'a\nb'", 0),
        ("'\\q'", 1),
        ("'\\ud800'", 1),
        ("b'\\u0061'", 2),
        ("'\\400'", 1),
        ("a = b", 2),
        ("a & b", 2),
        ("`a`", 0),
        ("a.?b", 2),
        ("a[?b]", 2),
        ("\u{e9}", 0),
        ("has(a)", 6),
        ("has(a[0])", 9),
        ("x.all(1, a)", 11),
        ("x.map(a.b, c, d)", 16),
        ("1u2", 2),
    ] {
        let found = check(text).map_err(|error| error.offset);
        assert_eq!(found, Err(offset), "{text}");
    }
}

#[test]
fn depth_and_size_are_limited() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(check(&nested(249)).is_ok());
    assert!(check(&nested(250)).is_err());
    assert!(check(&"[".repeat(90_000)).is_err());
    assert!(check(&"-".repeat(90_000)).is_err());
    assert!(check(&format!("a{}", " + a".repeat(20_000))).is_ok());
    assert!(check(&format!("a{}", " ? a : a".repeat(10_000))).is_ok());
    assert!(check(&format!("a{}", ".a".repeat(40_000))).is_ok());
    assert!(check(&format!("'{}'", "a".repeat(SIZE_LIMIT))).is_err());
}
