//! Where mesh configuration stands: a document of its own, or a text inside an object.

use std::ops::Range;
use std::sync::Arc;

use crate::codec::{DecodeOptions, Node, Source, Tree, read_trees};
use crate::report::{Diagnostic, FieldPath, Report, SourceLocation};

/// A map in a document, and how its places are those of the file.
#[derive(Debug, Clone)]
pub(super) struct Place {
    tree: Arc<Tree>,
    node: u32,
    shift: Shift,
}

/// How far a text inside a document starts after the beginning of the file.
#[derive(Debug, Clone, Copy, Default)]
struct Shift {
    lines: u32,
    bytes: usize,
}

impl Shift {
    fn apply(self, mut location: SourceLocation) -> SourceLocation {
        let Self { lines, bytes } = self;
        location.line = location.line.saturating_add(lines);
        location.span = location.span.start + bytes..location.span.end + bytes;
        location
    }

    fn apply_to(self, mut finding: Diagnostic) -> Diagnostic {
        finding.location = finding.location.map(|location| self.apply(location));
        finding
    }
}

impl Place {
    /// A node of a document.
    pub(super) fn new(tree: &Arc<Tree>, node: Node<'_>) -> Self {
        Self {
            tree: Arc::clone(tree),
            node: node.id(),
            shift: Shift::default(),
        }
    }

    /// The document inside a text: the value of a ConfigMap or of an annotation. `None` if there is none, or none that can
    /// be read; then the report says so.
    ///
    /// Of a block of lines (`|`) the places are those of the file. Of a text in quotes or folded, lines count in the text,
    /// and the file is named with the key behind it.
    pub(super) fn inside(
        text: Node<'_>,
        key: &str,
        options: &DecodeOptions,
        report: &mut Report,
    ) -> Option<Self> {
        let content = text.as_str()?;
        let source = text.tree().source();
        let block = block_lines(source, text.span(), content);
        let (trees, findings, shift) = match block {
            Some((lines, bytes)) => {
                let (line, _) = source.line_and_column(bytes);
                let shift = Shift {
                    lines: u32::try_from(line.saturating_sub(1)).unwrap_or(u32::MAX),
                    bytes,
                };
                let (trees, findings) = read_trees(source.name(), lines.as_bytes(), options);
                (trees, findings, shift)
            }
            None => {
                let name = format!("{} ({key})", source.name());
                let (trees, findings) = read_trees(&name, content.as_bytes(), options);
                (trees, findings, Shift::default())
            }
        };
        findings
            .into_iter()
            .for_each(|finding| report.push(shift.apply_to(finding)));
        let tree = trees.into_iter().find(|tree| !tree.root().is_null())?;
        let node = tree.root().id();
        Some(Self { tree, node, shift })
    }

    /// The map.
    pub(super) fn node(&self) -> Node<'_> {
        self.tree.node(self.node)
    }

    /// The bytes of the text that the map is part of.
    pub(super) fn text_len(&self) -> usize {
        self.tree.source().text().len()
    }

    /// The place of a field; of the closest one above it if it is not there.
    pub(super) fn location(&self, path: &FieldPath) -> SourceLocation {
        self.location_of(self.node().locate(path))
    }

    /// The place of a range of bytes of the document.
    pub(super) fn location_of(&self, span: Range<usize>) -> SourceLocation {
        self.shift.apply(self.tree.source().location(span))
    }
}

/// The lines of a literal block scalar as they stand in the file, and where they start in it: read as a document of their
/// own they give the same value, since their common indentation means nothing there.
fn block_lines<'s>(source: &'s Source, span: Range<usize>, content: &str) -> Option<(&'s str, usize)> {
    let before = source.slice(0..span.start);
    let indent = before.len() - before.trim_end_matches(' ').len();
    let start = span.start - indent;
    if indent == 0 || !before.trim_end_matches(' ').ends_with('\n') {
        return None;
    }
    let lines = source.slice(start..span.end);
    let mut dedented = lines
        .lines()
        .map(|line| line.get(indent..).unwrap_or_else(|| line.trim_start_matches(' ')));
    let mut wanted = content.trim_matches('\n').lines();
    let same = wanted.all(|line| dedented.next() == Some(line)) && dedented.all(str::is_empty);
    // a document mark counts at the start of a line alone
    let marked = content
        .lines()
        .any(|line| line.starts_with("---") || line.starts_with("..."));
    (same && !marked).then_some((lines, start))
}
