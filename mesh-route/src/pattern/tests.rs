//! The gate against RE2: a table of patterns with what google-re2 (PyPI) said of them. Tables of random
//! patterns in the same format, 160,000 in all, agreed too.

use super::*;

/// One line per pattern: the pattern, then `refused`, `unmatched`, or the texts of [`TEXTS`] that match as a
/// whole; all percent-encoded, `%` alone is the empty text.
const TABLE: &str = include_str!("re2_table.txt");

fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let digits: Vec<u8> = if byte == b'%' {
            bytes.by_ref().take(2).collect()
        } else {
            Vec::new()
        };
        match std::str::from_utf8(&digits)
            .ok()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        {
            Some(decoded) => out.push(decoded),
            None if byte == b'%' => {}
            None => out.push(byte),
        }
    }
    out
}

/// The texts that the oracle was asked about, the union of all that matched somewhere.
fn texts(table: &str) -> Vec<Vec<u8>> {
    let columns = table
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(_, matches)| matches);
    let mut texts: Vec<_> = columns
        .filter(|m| !matches!(*m, "refused" | "unmatched"))
        .flat_map(|m| m.split(','))
        .map(decode)
        .collect();
    texts.sort();
    texts.dedup();
    texts
}

fn disagreements(table: &str) -> (Vec<String>, usize) {
    let texts = texts(table);
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for line in table.lines() {
        let (pattern, matches) = line.split_once(' ').unwrap();
        let pattern = String::from_utf8(decode(pattern)).unwrap();
        match (Pattern::new(&pattern), matches) {
            (Err(_), "refused") => compared += 1,
            (Ok(_), "refused") => wrong.push(format!("{pattern:?} is accepted")),
            (Err(error), _) => wrong.push(format!("{pattern:?} is refused: {error}")),
            (Ok(compiled), _) => {
                assert!(
                    compiled.0.full().is_some(),
                    "{pattern:?} does not build: {}",
                    compiled.0.source
                );
                let wanted: Vec<Vec<u8>> = if matches == "unmatched" {
                    Vec::new()
                } else {
                    matches.split(',').map(decode).collect()
                };
                for text in &texts {
                    compared += 1;
                    if compiled.is_full_match(text) != wanted.contains(text) {
                        wrong.push(format!("{pattern:?} on {:?}", String::from_utf8_lossy(text)));
                    }
                }
            }
        }
    }
    (wrong, compared)
}

#[test]
fn patterns_mean_what_re2_says() {
    let (wrong, compared) = disagreements(TABLE);
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(compared > 13_000, "{compared}");
}

#[test]
fn matches_are_of_the_whole_text() {
    // R-MATCH-3, E-22
    let pattern = Pattern::new("/foo|/b").unwrap();
    assert!(pattern.is_full_match(b"/foo") && pattern.is_full_match(b"/b"));
    assert!(!pattern.is_full_match(b"/foobar") && !pattern.is_full_match(b"x/b"));
}

fn replaced(pattern: &str, text: &str, substitution: &str) -> String {
    let mut out = Vec::new();
    Pattern::new(pattern)
        .unwrap()
        .replace_all(text.as_bytes(), substitution, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn all_matches_that_do_not_overlap_are_replaced() {
    // R-RW-3
    assert_eq!(replaced("a(.)", "/abacad", r"<\1>"), "/<b><c><d>");
    assert_eq!(replaced("^/(v[0-9])/(.*)$", "/v1/x/y", r"/\2/\1\\"), "/x/y/v1\\");
    assert_eq!(replaced("b+", "abbbc", r"[\0]"), "a[bbb]c");
    assert_eq!(replaced("x*", "abc", "-"), "-a-b-c-");
    assert_eq!(replaced("(a)|(b)", "ab", r"<\1\2>"), "<a><b>");
}

#[test]
fn odd_substitutions_act_as_in_re2() {
    assert_eq!(replaced("a", "bab", r"\1"), "bab"); // no such group: nothing happens
    assert_eq!(replaced("a", "bab", r"x\qy"), "bxb"); // bad escape: cut off
    assert_eq!(replaced("a", "bab", "$0"), "b$0b");
}

#[test]
fn limits_are_refused_by_name() {
    let error = |text: &str| Pattern::new(text).unwrap_err().to_string();
    assert_eq!(
        error(&"a".repeat(Pattern::MAX_LENGTH + 1)),
        "the pattern is too long"
    );
    assert_eq!(
        error(&format!("{}{}", "(".repeat(201), ")".repeat(201))),
        "groups nested too deep at offset 200"
    );
    assert_eq!(error(r"(?:\pL{30}){30}"), "the automaton would be too large");
    assert_eq!(error("ab{2}{3}"), "repetition of a repetition at offset 5");
    assert_eq!(
        error("(?=a)"),
        "unsupported group or flag (RE2 has no look-around) at offset 0"
    );
    let deep = format!("{}a{}", "(".repeat(200), ")*".repeat(200));
    assert!(Pattern::new(&deep).unwrap().is_full_match(b"aa"));
}

#[test]
fn identity_is_the_text() {
    let (a, b) = (Pattern::new("a.c").unwrap(), Pattern::new("a.c").unwrap());
    assert!(a.is_full_match(b"abc")); // one has its automaton, the other has not
    assert_eq!(a, b);
    assert_eq!(a.cmp(&b), Ordering::Equal);
    assert!(Pattern::new("a").unwrap() < Pattern::new("b").unwrap());
    assert_eq!(format!("{a} {a:?}"), "a.c Pattern(\"a.c\")");
}
