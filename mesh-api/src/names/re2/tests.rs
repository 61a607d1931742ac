//! Patterns that Go accepts and refuses.

use super::*;

#[test]
fn accepts_what_go_accepts() {
    // A-X-20
    for pattern in [
        "",
        "a",
        "a*",
        "a+?",
        "a{1}",
        "a{0,1000}",
        "a{2,}?",
        "(a|b)*",
        "(?:a)",
        "(?i)a",
        "(?i-s:a)",
        "(?)",
        "(?P<n>a)",
        "(?<n_1>a)",
        "(?P<n>a)(?P<n>b)",
        "[a]",
        "[]a]",
        "[^]a]",
        "[a-z]",
        "[a-]",
        "[-a]",
        "[a-b-c]",
        "[[:alpha:]]",
        "[[:^alpha:]]",
        "[[a]",
        "[\\d-z]",
        "[\\pL]",
        "\\pL",
        "\\PL",
        "\\p{^L}",
        "\\p{Greek}",
        "\\p{Any}",
        "\\Q*\\E",
        "\\Q(",
        "\\Qab\\E*",
        "\\x41",
        "\\x{10FFFF}",
        "\\x{000000041}",
        "\\0",
        "\\01",
        "\\12",
        "\\777",
        "\\_",
        "\\-",
        "\\A\\z\\b\\B",
        "^*",
        "()*",
        "|",
        "a||b",
        "{",
        "a{",
        "a{,2}",
        "a{01}",
        "a{1,",
        "{a}",
        "(a{100}){10}",
        "(a{0}){1000}",
        "a(?i)*",
        "a*(?i)*",
        "(?:(?:a){2}){500}",
        "\\a\\f\\n\\r\\t\\v",
        "\u{e9}+",
        "(?U)a+",
        "a{1,1}",
        "x{2}(?:y{1000})",
        "[a\\-z]",
        "[:alpha:]",
    ] {
        assert_eq!(check_re2(pattern), Ok(()), "{pattern}");
    }
}

#[test]
fn refuses_with_the_reason_and_the_place() {
    // A-X-20
    for (pattern, offset, reason) in [
        ("a(?=b)", 1, Reason::LookAround),
        ("(?!b)", 0, Reason::LookAround),
        ("(?<=b)a", 0, Reason::LookAround),
        ("(?<!b)a", 0, Reason::LookAround),
        ("(a)\\1", 3, Reason::Backreference),
        ("\\8", 0, Reason::Backreference),
        ("a++", 2, Reason::NestedRepeat),
        ("a**", 2, Reason::NestedRepeat),
        ("a*??", 3, Reason::NestedRepeat),
        ("a{1,2}{3}", 6, Reason::NestedRepeat),
        ("*", 0, Reason::MissingOperand),
        ("(*a)", 1, Reason::MissingOperand),
        ("a|*", 2, Reason::MissingOperand),
        ("(?i)*", 4, Reason::MissingOperand),
        ("\\Q\\E*", 4, Reason::MissingOperand),
        ("{2}", 0, Reason::MissingOperand),
        ("a{1001}", 1, Reason::RepeatSize),
        ("a{1001,}", 1, Reason::RepeatSize),
        ("a{2,1}", 1, Reason::RepeatSize),
        ("a{99999999999}", 1, Reason::RepeatSize),
        ("(a{100}){11}", 8, Reason::RepeatSize),
        ("((a{100}b)c{2}){11}", 15, Reason::RepeatSize),
        ("(a", 2, Reason::MissingParen),
        ("a)", 1, Reason::UnexpectedParen),
        ("[a", 0, Reason::MissingBracket),
        ("[]", 0, Reason::MissingBracket),
        ("[a-", 0, Reason::MissingBracket),
        ("x[z-a]", 2, Reason::BadRange),
        ("[a--b]", 1, Reason::BadRange),
        ("[a-\\d]", 3, Reason::BadEscape),
        ("[[:foo:]]", 1, Reason::BadClass),
        ("\\p{greek}", 0, Reason::BadClass),
        ("\\pX", 0, Reason::BadClass),
        ("\\p", 0, Reason::BadClass),
        ("\\p{L", 0, Reason::BadClass),
        ("\\C", 0, Reason::BadEscape),
        ("\\Z", 0, Reason::BadEscape),
        ("\\E", 0, Reason::BadEscape),
        ("[\\b]", 1, Reason::BadEscape),
        ("\\u0041", 0, Reason::BadEscape),
        ("\\\u{e9}", 0, Reason::BadEscape),
        ("\\x4", 0, Reason::BadEscape),
        ("\\x{}", 0, Reason::BadEscape),
        ("\\x{110000}", 0, Reason::BadEscape),
        ("\\x\u{e9}", 0, Reason::BadEscape),
        ("\\", 0, Reason::TrailingBackslash),
        ("(?x)a", 0, Reason::BadFlags),
        ("(?i-)a", 0, Reason::BadFlags),
        ("(?P=n)", 0, Reason::BadFlags),
        ("(?#c)", 0, Reason::BadFlags),
        ("(?", 0, Reason::BadFlags),
        ("(?P<n", 0, Reason::BadGroupName),
        ("(?P<>a)", 0, Reason::BadGroupName),
        ("(?P<a.b>a)", 0, Reason::BadGroupName),
        ("(?P<\u{e9}>a)", 0, Reason::BadGroupName),
    ] {
        assert_eq!(check_re2(pattern), Err(Re2Error { offset, reason }), "{pattern}");
    }
}

#[test]
fn nesting_is_capped() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(check_re2(&nested(1000)), Ok(()));
    assert!(check_re2(&nested(1001)).is_err());
    assert!(check_re2(&"(".repeat(1_000_000)).is_err());
}

#[test]
fn takes_linear_time() {
    for part in ["{", "{1", "[[:", "\\Q", "\\x{1", "(?P<n"] {
        let _ = check_re2(&part.repeat(300_000)); // minutes, if any of them were quadratic
    }
}

#[test]
fn names_of_scripts_are_sorted() {
    assert!(SCRIPTS.is_sorted() && SCRIPTS.len() > 150);
}
