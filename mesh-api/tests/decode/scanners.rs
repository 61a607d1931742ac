//! The scanner for plain documents reads what the parser's events read, or nothing.

use std::fmt::Write;

use mesh_api::Diagnostic;
use mesh_api::codec::scanners::{Scanned, Scanner, scan};
use mesh_api::codec::{DecodeOptions, Limits, Node, NodeKind, Profile, YamlVersion};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::generate::{Writer, value};

/// Kind, bytes and text of every node, in the order of the text.
fn dump(node: Node<'_>, out: &mut String) {
    write!(out, "{:?} {:?} {:?}", node.kind(), node.span(), node.text()).unwrap();
    match node.kind() {
        NodeKind::List => {
            out.push('[');
            node.items().for_each(|item| dump(item, out));
            out.push(']');
        }
        NodeKind::Map => {
            out.push('{');
            for (key, value) in node.entries() {
                dump(key, out);
                out.push_str(": ");
                dump(value, out);
            }
            out.push('}');
        }
        _ => out.push('\n'),
    }
}

fn shown((tree, findings): &Scanned) -> (Option<String>, Option<usize>, &[Diagnostic]) {
    let nodes = tree.as_ref().map(|tree| {
        let mut out = String::new();
        dump(tree.root(), &mut out);
        out
    });
    (nodes, tree.as_ref().map(|tree| tree.len()), findings)
}

/// How many documents the direct scanner read; each must be the same from the events.
fn compare_with(text: &str, options: &DecodeOptions) -> usize {
    let direct = scan(text, Scanner::Direct, options);
    let events = scan(text, Scanner::Events, options);
    assert_eq!(direct.len(), events.len());
    let mut read = 0;
    for (direct, events) in direct.iter().zip(&events) {
        let Some(direct) = direct else { continue };
        let events = events.as_ref().expect("events read everything");
        assert_eq!(shown(direct), shown(events), "{text:?}\n{text}");
        assert!(direct.0.is_some(), "{text:?}");
        read += 1;
    }
    read
}

fn compare(text: &str) -> usize {
    compare_with(text, &DecodeOptions::default())
}

#[test]
fn plain_documents_are_read_directly() {
    for text in [
        "a: b\n",
        "a: b",
        "---\na: b\n",
        "--- # c\na:\n  b: 1\n",
        "# c\n\na: b # c\n# d\n",
        "- a\n- b\n",
        "-\n- a\n-",
        "- - a\n  - b\n- c\n",
        "- a: 1\n  b: 2\n-  c: 3\n   d:\n",
        "a:\n- b\n- c: 1\n  d: 2\ne: f\n",
        "a:\n  - b\n  -\n    c: d\n  - e: [1, x y, 'z', \"w\", {k: v, \"l\":m}, [], {}]\n",
        "a: # c\n  b:\nc:\n",
        "a: - b\n".replace("- ", "-").as_str(),
        "a: it's\nb: 'it''s'\nc: \"it\\\"s \\u00e9 \\x41\"\nd: ''\ne: \"\"\n",
        "a: |\n  x\n   y\n\n  z\n\nb: |-\n  x\nc: |+\n  x\n\nd: |\n\n\n  # no comment\n  k: v\n",
        "a:\n- |\n  x\n- b: |\n    y\n # c\n- z\n",
        "a: |\n  x",
        "\u{feff}a: b\n",
        "a: b\r\nc: |\r\n  x\r\n  y\r\nd:\r\n- e\r\n",
        "a: é ü\nü: \"é\"\n",
        "http://x:80/: y:z\na#b: c#d\n<<: {a: b}\n",
        "y: on\n1.5: .5\ntrue: ~\n",
        "a: {b: c}\nb: [a:b, c-d, -1, e, ]\n",
        "  a: b\n  c: d\n",
        "a: 1\na: 2\n",
        "a: .inf\n~: b\n[]: c\n".replace("[]: c\n", "").as_str(),
    ] {
        assert_eq!(compare(text), 1, "{text:?}");
    }
}

#[test]
fn everything_else_is_left_to_the_parser() {
    for text in [
        "a",
        "{a: b}",
        "[a\n]",
        "a: &x b\n",
        "a: *x\n",
        "a: !!str b\n",
        "a: >\n  b\n",
        "? a\n: b\n",
        "a:\tb\n",
        "a: b\n  c\n",
        "a:\n  b\n",
        "a: b: c\n",
        "a: [b\n  ]\n",
        "a: [b: c]\n",
        "a: {b}\n",
        "a: {b: }\n",
        "a: {b: c, }\n",
        "a: \"b\n  c\"\n",
        "\ta: b\n",
        "a : b\n",
        "\"a\" : b\n",
        "a: |2\n    b\n",
        "a: |\n   \n  b\n",
        "a: |\nb: c\n",
        "a: b\n c: d\n",
        "a:\n  b: c\n d: e\n",
        "- a\nb: c\n",
        "a: b\n- c\n",
        "a: b\rc: d\n",
        "%YAML 1.2\n---\na: b\n",
        "--- a: b\n",
        "a: `b`\n",
        "a: @b\n",
        "a: [b, , c]\n",
        "a: ]\n",
        "a: \"b\"c\n",
        "a: 'b'#c\n",
        "a: \"\\ud800\"\n",
        "a: \"\\q\"\n",
        "a: b\u{feff}\n",
        "a: [- b]\n",
        "a: ? b\n",
        "- - \ta\n",
        "a: \"b\n",
        "a: 'b\n",
        "'\n'':",
    ] {
        assert_eq!(compare(text), 0, "{text:?}");
    }
}

#[test]
fn limits_and_profiles_are_the_same() {
    let text = "a:\n- b: [1, 2, 3]\n  c: {d: |\n".replace("{d: |\n", "|\n    e\n  f: g\n  f: h\n");
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        DecodeOptions {
            limits,
            ..DecodeOptions::default()
        }
    };
    assert_eq!(compare_with(&text, &limits(|_| {})), 1);
    for options in [
        limits(|limits| limits.depth = 2),
        limits(|limits| limits.nodes = 7),
        limits(|limits| limits.scalar_bytes = 1),
        limits(|limits| limits.key_bytes = 0),
    ] {
        assert_eq!(compare_with(&text, &options), 0);
    }
    for profile in [
        Profile::ApiServer,
        Profile::Cluster,
        Profile::Istiod,
        Profile::Strict,
    ] {
        let options = DecodeOptions {
            profile,
            yaml: YamlVersion::Core12,
            ..DecodeOptions::default()
        };
        assert_eq!(compare_with(&text, &options), 1);
    }
}

/// What a line may hold behind its indentation and dashes.
const LINES: [&str; 61] = [
    "a: b",
    "a: b",
    "b: c d",
    "c:",
    "d:",
    "e: 1",
    "a",
    "- ",
    "-",
    "'k': v",
    "\"k\": 'v'",
    "\"k\":v",
    "k: \"v\\n\"",
    "k: 'v''w'",
    "k: 'v' w",
    "k: |",
    "k: |-",
    "k: |+",
    "|",
    "| # c",
    "|1",
    "k: >",
    "k: [a, b]",
    "k: {a: b}",
    "k: [a, {b: c}, ]",
    "k: {a: b, }",
    "[a]",
    "{a: b}",
    "{}",
    "[]: a",
    "k: [a",
    "]",
    "k: {a: b",
    "# c",
    "",
    "  ",
    "a # c",
    "a: b # c",
    "a: b #",
    "a: #c",
    "a: b#c",
    "a:b: c",
    "a: :b",
    "a: -b",
    "a: - b",
    "a: b: c",
    "a : b",
    "&x a: b",
    "a: *x",
    "!!str a: b",
    "? a",
    ": b",
    "<<: {a: b}",
    "a: é",
    "k: [é, a-b, c -d]",
    "k: [a:b, -1]",
    "k: {\"a\":b, c: [d]}",
    "\tb: c",
    "b:\tc",
    "b: c\t",
    "y: on",
];

fn line() -> impl Strategy<Value = String> {
    let indent = prop::sample::select(vec![0usize, 0, 0, 1, 2, 2, 2, 3, 4, 4, 6]);
    let dashes = prop::sample::select(vec!["", "", "", "- ", "- ", "-  ", "- - "]);
    (indent, dashes, prop::sample::select(LINES.to_vec()))
        .prop_map(|(indent, dashes, rest)| format!("{}{dashes}{rest}", " ".repeat(indent)))
}

/// Lines that go together: each is indented as one before it, or deeper where something is open.
fn shaped() -> impl Strategy<Value = String> {
    let line = prop_oneof![3 => prop::sample::select(LINES[..20].to_vec()), 1 => prop::sample::select(LINES.to_vec())];
    let step = (0u8..12, line, 0u8..8);
    prop::collection::vec(step, 1..12).prop_map(|steps| {
        let mut columns = vec![0usize];
        let mut text = String::new();
        for (depth, rest, dash) in steps {
            let keep = columns.len().saturating_sub(usize::from(depth % 4));
            columns.truncate(keep.max(1));
            let column = columns.last().copied().unwrap_or_default();
            let dashes = ["", "- ", "- ", "- - "][usize::from(dash % 4)];
            writeln!(text, "{}{dashes}{rest}", " ".repeat(column)).unwrap();
            let inner = column + dashes.len();
            if rest.ends_with([':', '|']) {
                columns.push(inner + if dash > 3 { 2 } else { 0 });
            } else if inner > column {
                columns.push(inner);
            }
        }
        text
    })
}

/// Runs a comparison on many texts and returns how many documents the direct scanner read, and how many texts there were.
fn count<S: Strategy>(cases: u32, texts: S, compare: impl Fn(S::Value) -> usize) -> (usize, usize)
where
    S::Value: Clone,
{
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let (mut read, mut total) = (0, 0);
    let counts = std::cell::RefCell::new((&mut read, &mut total));
    TestRunner::new(config)
        .run(&texts, |text| {
            let found = compare(text);
            let mut counts = counts.borrow_mut();
            *counts.0 += found;
            *counts.1 += 1;
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    (read, total)
}

#[test]
fn random_lines_agree() {
    let lines = prop::collection::vec(line(), 1..7);
    let ends = prop::sample::select(vec!["", "\n", "\r\n", "\n\n", "\n  "]);
    let (read, total) = count(20_000, (lines, ends), |(lines, end)| {
        compare(&(lines.join("\n") + end))
    });
    assert!(read * 20 > total, "{read} of {total}");
    let (read, total) = count(20_000, shaped(), |text| compare(&text));
    assert!(read * 12 > total, "{read} of {total}");
}

#[test]
fn random_bytes_agree() {
    let texts = "[ab:\\-#|'\"{}\\[\\], \n&*!>?\té]{0,40}";
    let (read, _) = count(20_000, texts, |text| compare(&text));
    assert!(read > 20, "{read}");
}

#[test]
fn documents_in_random_styles_agree() {
    let choices = prop::collection::vec(any::<u8>(), 1..64);
    let (read, total) = count(1_000, (value(), choices), |(value, choices): (Value, Vec<u8>)| {
        let mut writer = Writer::new(&choices);
        writer.document(&json!({"spec": value}));
        compare(&writer.out)
    });
    assert!(read * 2 > total, "{read} of {total}");
}

#[test]
fn cut_documents_agree() {
    let text = "a:\n- b: |\n    x\n\n  c: [1, 'y', \"\\u00e9\"] # é\n-\n  d: {e: f}\ng:\nh: 'i''j'\r\nk: |+\r\n  l\r\n\r\nm: n\n";
    for (end, _) in text.char_indices() {
        compare(&text[..end]);
        compare(&text[end..]);
    }
}

/// A-PAR-2: JSON values in a row are given away one by one, since no YAML goes on like that.
#[test]
fn a_second_json_value_is_no_yaml() {
    let spaces = prop::sample::select(vec!["", " ", "\n", "\n  ", "\t", "\r\n"]);
    let tails = prop::sample::select(vec![
        "",
        ": a",
        ":\n  b: c",
        "\n- a",
        " # c",
        ", a",
        "\na: b",
        "\n\n",
    ]);
    let texts = (value(), value(), 0..3u8, spaces, tails);
    let (read, total) = count(5_000, texts, |(first, second, form, space, tail)| {
        let (first, second) = match form {
            0 => (json!({"a": first}), json!([second])),
            1 => (json!([first]), json!({"a": second})),
            _ => (json!([first, {}]), json!(second.to_string())),
        };
        let text = format!("{first}{space}{second}{tail}");
        let options = DecodeOptions::default();
        let scanned = [Scanner::Direct, Scanner::Events].map(|scanner| scan(&text, scanner, &options));
        let mut documents = scanned.iter().flatten().flatten();
        assert!(documents.all(|(tree, _)| tree.is_none()), "{text:?}");
        1
    });
    assert_eq!(read, total);
}
