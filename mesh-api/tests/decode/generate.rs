//! Random values, and YAML of them in random styles.

use proptest::prelude::*;
use serde_json::{Map, Value};

/// Texts that are hard to write or to read.
const TEXTS: [&str; 28] = [
    "",
    "a",
    "reviews",
    "on",
    "No",
    "~",
    "null",
    "1",
    "1.20",
    "0x1",
    "1_0",
    "- a",
    "a: b",
    "a #b",
    "#b",
    " a",
    "a ",
    "it's",
    "say \"hi\"",
    "é",
    "😀 ok",
    "two\nlines",
    "three\n\nlines\n",
    "\ttab",
    "{a",
    "[a]",
    "*a",
    "&a",
];

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(TEXTS.to_vec()).prop_map(str::to_owned),
        "[a-z][a-z0-9._/-]{0,12}",
        "[ -~äß€😀]{0,8}",
    ]
}

/// Any JSON value without a fraction, five levels deep at most.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0u64..100).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Writes YAML; the bytes choose among styles, again and again from the start.
pub(crate) struct Writer<'a> {
    choices: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    pub(crate) out: String,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(choices: &'a [u8]) -> Self {
        Self {
            choices: choices.iter().cycle(),
            out: String::new(),
        }
    }

    fn choose(&mut self, of: u8) -> u8 {
        self.choices.next().map_or(0, |choice| choice % of)
    }

    /// Writes a document.
    pub(crate) fn document(&mut self, value: &Value) {
        self.node(value, 0, false);
        if !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    /// A value after a key or dash; `inline` says that something stands on the line already.
    fn node(&mut self, value: &Value, indent: usize, inline: bool) {
        let small = matches!(value, Value::Array(items) if items.is_empty());
        let small = small || matches!(value, Value::Object(map) if map.is_empty());
        match value {
            Value::Array(items) if !small && self.choose(3) > 0 => {
                for (number, item) in items.iter().enumerate() {
                    // a list may begin on the line of its dash, and then goes on below it
                    if number > 0 || inline {
                        self.line(indent);
                    }
                    self.out.push_str("- ");
                    self.entry(item, indent);
                }
            }
            Value::Object(map) if !small && self.choose(3) > 0 => {
                for (number, (key, item)) in map.iter().enumerate() {
                    if number > 0 || inline {
                        self.line(indent);
                    }
                    self.key(key);
                    self.out.push_str(": ");
                    self.entry(item, indent);
                }
            }
            other => self.flow(other, indent, false),
        }
    }

    fn entry(&mut self, item: &Value, indent: usize) {
        self.node(item, indent + 2, true);
        if self.choose(5) == 0 && !self.ends_in_block() {
            self.out.push_str(" # comment");
        }
    }

    /// Whether the last line could belong to a block scalar, where a comment is text.
    fn ends_in_block(&self) -> bool {
        self.out.contains('|')
    }

    fn line(&mut self, indent: usize) {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn flow(&mut self, value: &Value, indent: usize, in_flow: bool) {
        match value {
            Value::Array(items) => {
                self.out.push('[');
                for (number, item) in items.iter().enumerate() {
                    self.comma(number);
                    self.flow(item, indent, true);
                }
                self.out.push(']');
            }
            Value::Object(map) => {
                self.out.push('{');
                for (number, (key, item)) in map.iter().enumerate() {
                    self.comma(number);
                    self.key(key);
                    self.out.push_str(": ");
                    self.flow(item, indent, true);
                }
                self.out.push('}');
            }
            Value::String(text) => self.text(text, indent, in_flow),
            Value::Null => {
                let word = ["null", "~", "Null"][usize::from(self.choose(3))];
                self.out.push_str(word);
            }
            Value::Bool(true) => {
                let word = ["true", "on", "Yes", "y"][usize::from(self.choose(4))];
                self.out.push_str(word);
            }
            Value::Bool(false) => {
                let word = ["false", "off", "NO", "n"][usize::from(self.choose(4))];
                self.out.push_str(word);
            }
            Value::Number(number) => self.out.push_str(&number.to_string()),
        }
    }

    fn comma(&mut self, number: usize) {
        if number > 0 {
            self.out.push_str(", ");
        }
    }

    fn key(&mut self, key: &str) {
        self.text(key, 0, true);
    }

    fn text(&mut self, text: &str, indent: usize, in_flow: bool) {
        let word = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c))
            && !["y", "n", "on", "no", "off", "yes", "null", "true", "false"].contains(&text);
        let block = !in_flow
            && indent > 0
            && text.contains('\n')
            && text
                .lines()
                .all(|line| !line.is_empty() && !line.starts_with([' ', '\t']));
        match self.choose(4) {
            0 | 1 if word => self.out.push_str(text),
            0 | 1 if block => {
                self.out.push_str(if text.ends_with('\n') { "|" } else { "|-" });
                for line in text.lines() {
                    self.out.push('\n');
                    self.out.extend(std::iter::repeat_n(' ', indent));
                    self.out.push_str(line);
                }
                self.out.push('\n');
            }
            2 if !text.chars().any(char::is_control) => {
                self.out.push('\'');
                self.out.push_str(&text.replace('\'', "''"));
                self.out.push('\'');
            }
            // JSON's escapes are YAML's too
            _ => self
                .out
                .push_str(&serde_json::to_string(text).expect("text is JSON")),
        }
    }
}
