//! Reading the arena.

use std::ops::Range;

use super::super::resolve;
use super::{Raw, Tag, Tree};

/// A node of a [`Tree`], aliases followed.
///
/// It is no larger than two words, so that it is handed around in registers.
#[derive(Debug, Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    raw: &'t Raw,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// `true`, `false` and the words that YAML 1.1 takes for them.
    Bool,
    /// A number with a fraction or exponent, or too large for an integer.
    Float,
    /// An integer of up to 64 bits.
    Int,
    /// A list.
    List,
    /// A map; its keys are text.
    Map,
    /// `null`, `~`, or nothing.
    Null,
    /// Text.
    String,
}

impl NodeKind {
    /// The kind in a message: `a list`.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Float | Self::Int => "a number",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Null => "null",
            Self::String => "a string",
        }
    }
}

impl<'t> Node<'t> {
    #[inline]
    pub(super) fn new(tree: &'t Tree, id: u32) -> Self {
        Self::of(tree, tree.raw(id))
    }

    #[inline]
    fn of(tree: &'t Tree, raw: &'t Raw) -> Self {
        if raw.tag == Tag::Alias {
            return Self::behind(tree, raw);
        }
        Self { tree, raw }
    }

    /// The node that an alias refers to.
    #[cold]
    fn behind(tree: &'t Tree, alias: &'t Raw) -> Self {
        let raw = tree.raw(tree.resolve(tree.id_of(alias)));
        Self { tree, raw }
    }

    /// The document.
    pub fn tree(&self) -> &'t Tree {
        self.tree
    }

    /// The number of the node in its arena.
    #[inline]
    pub(crate) fn id(&self) -> u32 {
        self.tree.id_of(self.raw)
    }

    /// What the node is.
    #[inline]
    pub fn kind(&self) -> NodeKind {
        match self.raw.tag {
            Tag::Null | Tag::Alias => NodeKind::Null,
            Tag::False | Tag::True => NodeKind::Bool,
            Tag::Int => NodeKind::Int,
            Tag::Float => NodeKind::Float,
            Tag::Text => NodeKind::String,
            Tag::List => NodeKind::List,
            Tag::Map => NodeKind::Map,
        }
    }

    /// The bytes of the node in the text, with quotes. Of a node behind an alias, where it is defined.
    pub fn span(&self) -> Range<usize> {
        self.raw.start as usize..self.raw.end as usize
    }

    /// The text of a scalar: of a string what it holds, else the word or number as written.
    pub fn text(&self) -> &'t str {
        match self.raw.tag {
            Tag::List | Tag::Map | Tag::Alias => "",
            _ => self.tree.text(self.raw),
        }
    }

    /// The text of a key of a map, which is always a string.
    #[inline]
    pub(crate) fn key_text(&self) -> &'t [u8] {
        self.tree.bytes(self.raw)
    }

    /// The text of a string; `None` for all other nodes.
    #[inline]
    pub fn as_str(&self) -> Option<&'t str> {
        (self.raw.tag == Tag::Text).then(|| self.tree.text(self.raw))
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.raw.tag {
            Tag::True => Some(true),
            Tag::False => Some(false),
            _ => None,
        }
    }

    /// The value of an integer.
    pub fn as_int(&self) -> Option<i128> {
        (self.raw.tag == Tag::Int)
            .then(|| resolve::parse_int(self.text(), self.tree.yaml))
            .flatten()
    }

    /// The value of a number.
    pub fn as_float(&self) -> Option<f64> {
        match self.raw.tag {
            Tag::Int => self.as_int().map(|number| number as f64),
            Tag::Float => resolve::parse_float(self.text()),
            _ => None,
        }
    }

    /// Whether the node is `null` or nothing.
    #[inline]
    pub fn is_null(&self) -> bool {
        matches!(self.raw.tag, Tag::Null | Tag::Alias)
    }

    /// The number of items of a list or entries of a map.
    #[inline]
    pub fn len(&self) -> usize {
        match self.raw.tag {
            Tag::List => self.raw.b as usize,
            Tag::Map => self.raw.b as usize / 2,
            _ => 0,
        }
    }

    /// Whether a list or map holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items of a list; nothing for other nodes.
    #[inline]
    pub fn items(&self) -> Items<'t> {
        let is_list = self.raw.tag == Tag::List;
        Items {
            tree: self.tree,
            next: self.raw.a,
            left: if is_list { self.raw.b } else { 0 },
        }
    }

    /// Keys and values of a map in the order of the text; nothing for other nodes.
    #[inline]
    pub fn entries(&self) -> Entries<'t> {
        let is_map = self.raw.tag == Tag::Map;
        Entries {
            tree: self.tree,
            next: self.raw.a,
            left: if is_map { self.raw.b / 2 } else { 0 },
        }
    }

    /// The value at a key of a map.
    pub fn get(&self, key: &str) -> Option<Node<'t>> {
        self.entries()
            .find(|(name, _)| name.key_text() == key.as_bytes())
            .map(|(_, value)| value)
    }

    /// The span of a key and its value; a field is also found by its other spelling.
    pub(super) fn entry(&self, name: &str) -> Option<(Range<usize>, Node<'t>)> {
        let same = |key: Node<'_>| key.text() == name;
        let twin = |key: Node<'_>| key.text().contains('_') && camel_case(key.text()) == name;
        let found = self
            .entries()
            .find(|(key, _)| same(*key))
            .or_else(|| self.entries().find(|(key, _)| twin(*key)));
        found.map(|(key, value)| (key.span(), value))
    }

    /// The value as JSON. Keys are sorted, and numbers that no JSON number can hold become `null`.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self.kind() {
            NodeKind::Null => Value::Null,
            NodeKind::Bool => Value::Bool(self.as_bool().unwrap_or_default()),
            NodeKind::Int => match self.as_int() {
                Some(number) => i64::try_from(number)
                    .map(Value::from)
                    .or_else(|_| u64::try_from(number).map(Value::from))
                    .unwrap_or_default(),
                None => Value::Null,
            },
            NodeKind::Float => self.as_float().map(Value::from).unwrap_or_default(),
            NodeKind::String => Value::String(self.text().to_owned()),
            // the depth is limited by the decoder, aliases included
            NodeKind::List => Value::Array(self.items().map(|item| item.to_json()).collect()),
            NodeKind::Map => Value::Object(
                self.entries()
                    .map(|(key, value)| (key.text().to_owned(), value.to_json()))
                    .collect(),
            ),
        }
    }
}

/// `some_field` to `someField`.
pub(crate) fn camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else if upper {
            out.push(c.to_ascii_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    out
}

/// The items of a list.
#[derive(Debug, Clone)]
pub struct Items<'t> {
    tree: &'t Tree,
    next: u32,
    left: u32,
}

impl<'t> Iterator for Items<'t> {
    type Item = Node<'t>;

    #[inline]
    fn next(&mut self) -> Option<Node<'t>> {
        self.left = self.left.checked_sub(1)?;
        let raw = self.tree.raw(self.next);
        self.next = raw.next;
        Some(Node::of(self.tree, raw))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

/// The entries of a map.
#[derive(Debug, Clone)]
pub struct Entries<'t> {
    tree: &'t Tree,
    next: u32,
    left: u32,
}

impl<'t> Iterator for Entries<'t> {
    type Item = (Node<'t>, Node<'t>);

    #[inline]
    fn next(&mut self) -> Option<(Node<'t>, Node<'t>)> {
        self.left = self.left.checked_sub(1)?;
        let key = self.tree.raw(self.next);
        let value = self.tree.raw(key.next);
        self.next = value.next;
        Some((Node::of(self.tree, key), Node::of(self.tree, value)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}
