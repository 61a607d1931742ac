//! Where things go in the text.

use super::text::{push_block, push_json, push_yaml, suits_block};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
}

/// The text that is written, and what is open in it.
pub(super) struct Layout {
    format: Format,
    out: String,
    open: Vec<Frame>,
    place: Place,
}

/// What the next value follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    /// The colon of a key that stands in this column.
    Key(usize),
    /// A dash in this column.
    Dash(usize),
}

struct Frame {
    form: Form,
    /// The column of dashes and keys.
    column: usize,
    place: Place,
    /// Where each entry starts.
    starts: Vec<usize>,
    /// The keys of a map, to sort by.
    keys: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    List,
    /// Entries are sorted by key.
    Map,
    /// Fields keep their order.
    Struct,
}

impl Layout {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            out: String::new(),
            open: Vec::new(),
            place: Place::Root,
        }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// A word or number that needs no quotes.
    pub(super) fn word(&mut self, word: &str) {
        self.before_scalar();
        self.out.push_str(word);
    }

    /// A number with a fraction or exponent.
    pub(super) fn float(&mut self, number: &str) {
        self.before_scalar();
        let Some((mantissa, exponent)) = number.split_once('e') else {
            self.out.push_str(number);
            return;
        };
        // YAML 1.1 wants a point, and a sign in the exponent
        let whole = self.format == Format::Yaml && !mantissa.contains('.');
        let point = if whole { ".0" } else { "" };
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        for part in [mantissa, point, "e", sign, exponent] {
            self.out.push_str(part);
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        self.before_scalar();
        match (self.format, self.place) {
            (Format::Json, _) => push_json(&mut self.out, text),
            (Format::Yaml, Place::Key(column) | Place::Dash(column)) if suits_block(text) => {
                push_block(&mut self.out, text, column + 2);
            }
            (Format::Yaml, _) => push_yaml(&mut self.out, text),
        }
    }

    pub(super) fn begin(&mut self, form: Form) {
        let column = match self.place {
            Place::Root => 0,
            Place::Key(column) if form == Form::List => column,
            Place::Key(column) | Place::Dash(column) => column + 2,
        };
        if self.format == Format::Json {
            self.out.push(if form == Form::List { '[' } else { '{' });
        }
        self.open.push(Frame {
            form,
            column,
            place: self.place,
            starts: Vec::new(),
            keys: Vec::new(),
        });
    }

    /// The next value is an item of the open list.
    pub(super) fn item(&mut self) {
        let column = self.separate();
        if self.format == Format::Yaml {
            self.out.push_str("- ");
        }
        self.place = Place::Dash(column);
    }

    /// The next value belongs to this key.
    pub(super) fn key(&mut self, key: &str) {
        let column = self.separate();
        if let Some(frame) = self.open.last_mut().filter(|frame| frame.form == Form::Map) {
            frame.keys.push(key.to_owned());
        }
        match self.format {
            Format::Json => push_json(&mut self.out, key),
            Format::Yaml => self.yaml_key(key, column),
        }
        self.out.push(':');
        self.place = Place::Key(column);
    }

    fn yaml_key(&mut self, key: &str, column: usize) {
        let start = self.out.len();
        push_yaml(&mut self.out, key);
        if self.out.len() - start > MAX_SIMPLE_KEY {
            self.out.insert_str(start, "? ");
            self.line(column);
        }
    }

    pub(super) fn end(&mut self) {
        let Some(frame) = self.open.pop() else { return };
        let list = frame.form == Form::List;
        match self.format {
            Format::Json => {
                self.sort(&frame);
                self.out.push(if list { ']' } else { '}' });
            }
            Format::Yaml if frame.starts.is_empty() => {
                self.place = frame.place;
                self.word(if list { "[]" } else { "{}" });
            }
            Format::Yaml => self.sort(&frame),
        }
    }

    /// Brings entries of a map into the order of their keys, unless they are.
    fn sort(&mut self, frame: &Frame) {
        if frame.keys.is_sorted() {
            return;
        }
        let Some(&first) = frame.starts.first() else {
            return;
        };
        let gap = match self.format {
            Format::Json => 1,
            Format::Yaml => 1 + frame.column,
        };
        let ends = frame
            .starts
            .iter()
            .skip(1)
            .map(|start| start - gap)
            .chain([self.out.len()]);
        let entries = frame
            .starts
            .iter()
            .zip(ends)
            .map(|(start, end)| self.out.get(*start..end).unwrap_or_default());
        let mut sorted: Vec<(&String, String)> = frame.keys.iter().zip(entries.map(str::to_owned)).collect();
        sorted.sort_by_key(|(key, _)| *key);
        self.out.truncate(first);
        for (number, (_, entry)) in sorted.iter().enumerate() {
            if number > 0 {
                self.gap(frame.column);
            }
            self.out.push_str(entry);
        }
    }

    /// Goes to where the next entry of the open list or map starts, and returns its column.
    fn separate(&mut self) -> usize {
        let Some(frame) = self.open.last() else { return 0 };
        let (column, place, first) = (frame.column, frame.place, frame.starts.is_empty());
        if !first {
            self.gap(column);
        } else if self.format == Format::Yaml && matches!(place, Place::Key(_)) {
            self.line(column);
        }
        let start = self.out.len();
        if let Some(frame) = self.open.last_mut() {
            frame.starts.push(start);
        }
        column
    }

    fn gap(&mut self, column: usize) {
        match self.format {
            Format::Json => self.out.push(','),
            Format::Yaml => self.line(column),
        }
    }

    fn line(&mut self, column: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', column));
    }

    fn before_scalar(&mut self) {
        if self.format == Format::Yaml && matches!(self.place, Place::Key(_)) {
            self.out.push(' ');
        }
    }
}

/// Longer keys need a `?`, in bytes; YAML's limit is 1024 characters.
const MAX_SIMPLE_KEY: usize = 1000;
