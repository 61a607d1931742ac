//! A document as an arena of nodes with their places in the text.

mod builder;
mod locator;
mod node;

use std::ops::Range;
use std::sync::Arc;

use crate::report::{FieldPath, Segment, SourceLocation};

use super::YamlVersion;
use super::source::Source;

pub(crate) use builder::{Builder, ScalarText};
pub(crate) use locator::Locator;
pub(crate) use node::camel_case;
pub use node::{Entries, Items, Node, NodeKind};

/// One document: nodes in the order of the text, each with its range of bytes.
///
/// Aliases and merge keys are followed by whoever reads; a key that stands twice is there once, with its last value.
///
/// ```
/// use mesh_api::codec::Tree;
///
/// let tree = Tree::parse("a.yaml", "spec:\n  hosts: [a.com, b.com]\n")?;
/// let hosts = tree.root().get("spec").and_then(|spec| spec.get("hosts")).ok_or("no hosts")?;
/// assert_eq!(hosts.items().filter_map(|host| host.as_str()).collect::<Vec<_>>(), ["a.com", "b.com"]);
///
/// let second = tree.locate(&"spec.hosts[1]".parse()?);
/// assert_eq!(second.to_string(), "a.yaml:2:18");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Tree {
    source: Arc<Source>,
    nodes: Box<[Raw]>,
    /// Text that differs from the source: unescaped, folded, or made from a key.
    owned: Box<str>,
    yaml: YamlVersion,
}

/// A node in the arena.
#[derive(Debug, Clone, Copy)]
struct Raw {
    tag: Tag,
    flags: u8,
    start: u32,
    end: u32,
    /// Scalars: start of the text. Lists and maps: the first child. Aliases: the target.
    a: u32,
    /// Scalars: end of the text. Lists and maps: the number of children; a map counts keys and values.
    b: u32,
    /// The next child of the same parent; of the last child, any number. In maps, keys and values take turns.
    next: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Null,
    False,
    True,
    Int,
    Float,
    Text,
    List,
    Map,
    Alias,
}

/// The text lies in `owned`.
const OWNED: u8 = 1;
/// A scalar without quotes.
const PLAIN: u8 = 2;

impl Tree {
    /// The text that the document is part of.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The node that holds all others.
    pub fn root(&self) -> Node<'_> {
        self.node(0)
    }

    /// The number of nodes, without what aliases repeat.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes; a document that was read has at least one.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The place of a field; of the closest field above it if it is not there (A-PAR-14).
    ///
    /// Both spellings of a field's name are found.
    pub fn locate(&self, path: &FieldPath) -> SourceLocation {
        self.source.location(self.root().locate(path))
    }

    /// A tree without nodes, in which nothing is found.
    pub(in crate::codec) fn empty(source: &Arc<Source>) -> Self {
        Self {
            source: Arc::clone(source),
            nodes: Box::default(),
            owned: Box::default(),
            yaml: YamlVersion::default(),
        }
    }

    /// The node of a number that a node of this tree gave.
    pub(crate) fn node(&self, id: u32) -> Node<'_> {
        Node::new(self, id)
    }

    #[inline]
    fn raw(&self, id: u32) -> &Raw {
        self.nodes.get(id as usize).unwrap_or(&EMPTY)
    }

    /// The number of a node of the arena, by where it lies; of [`EMPTY`], a number that no node has.
    #[inline]
    fn id_of(&self, raw: &Raw) -> u32 {
        let (first, this) = (self.nodes.as_ptr().addr(), std::ptr::from_ref(raw).addr());
        let id = this.wrapping_sub(first) / size_of::<Raw>();
        if id < self.nodes.len() {
            id as u32
        } else {
            u32::MAX
        }
    }

    /// Follows aliases; they never form a circle, since an alias only refers to nodes that ended before it.
    fn resolve(&self, mut id: u32) -> u32 {
        loop {
            let raw = self.raw(id);
            if raw.tag != Tag::Alias || raw.a >= id {
                return id;
            }
            id = raw.a;
        }
    }

    #[inline]
    fn bytes(&self, raw: &Raw) -> &[u8] {
        let text = if raw.flags & OWNED != 0 {
            &self.owned
        } else {
            self.source.text()
        };
        let range = raw.a as usize..raw.b as usize;
        text.as_bytes().get(range).unwrap_or_default()
    }

    #[inline]
    fn text(&self, raw: &Raw) -> &str {
        let range = raw.a as usize..raw.b as usize;
        if raw.flags & OWNED != 0 {
            self.owned.get(range).unwrap_or_default()
        } else {
            self.source.text().get(range).unwrap_or_default()
        }
    }
}

/// What stands for a node that is not there.
const EMPTY: Raw = Raw {
    tag: Tag::Null,
    flags: 0,
    start: 0,
    end: 0,
    a: 0,
    b: 0,
    next: 0,
};

impl<'t> Node<'t> {
    /// The range of bytes to show for a field below this node: a scalar itself, else the key or item that leads to it.
    /// Of a field that is not there, the closest one above it; if not even the first step is there, where the node starts.
    pub fn locate(&self, path: &FieldPath) -> Range<usize> {
        self.locate_by(path, |node, segment| node.step(segment))
    }

    /// As [`locate`](Self::locate), with `step` for the way from a node to one below it.
    fn locate_by(
        &self,
        path: &FieldPath,
        mut step: impl FnMut(Node<'t>, &Segment) -> Option<(Range<usize>, Node<'t>)>,
    ) -> Range<usize> {
        let mut node = *self;
        let mut span = None;
        for segment in path.segments() {
            let Some((shown, next)) = step(node, segment) else {
                break;
            };
            let scalar = !matches!(next.kind(), NodeKind::List | NodeKind::Map);
            span = Some(if scalar && !next.span().is_empty() {
                next.span()
            } else {
                shown
            });
            node = next;
        }
        span.unwrap_or_else(|| match path.is_root() {
            true => self.span(),
            false => self.span().start..self.span().start,
        })
    }

    /// What a segment leads to, and what to show for it.
    fn step(self, segment: &Segment) -> Option<(Range<usize>, Node<'t>)> {
        match segment {
            Segment::Index(index) => self.items().nth(*index).map(|item| (item.span(), item)),
            Segment::Name(name) => self.entry(name),
        }
    }
}
