//! The tree of a document that may not be needed.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::json;
use super::options::{DecodeOptions, Limits, YamlVersion};
use super::source::Source;
use super::tree::{Builder, Tree};

/// A document and its tree. Of one whose objects were read without a tree, the tree is made when somebody asks for it first;
/// it is the one that the objects would have been read from.
#[derive(Debug, Clone)]
pub(crate) struct Document(Form);

#[derive(Debug, Clone)]
enum Form {
    Read(Arc<Tree>),
    Unread(Arc<Unread>),
}

/// JSON that is known to be well-formed.
#[derive(Debug)]
struct Unread {
    source: Arc<Source>,
    span: Range<usize>,
    /// How many nodes it takes.
    nodes: usize,
    yaml: YamlVersion,
    tree: OnceLock<Arc<Tree>>,
}

impl Document {
    /// The document of a tree.
    pub(crate) fn new(tree: &Arc<Tree>) -> Self {
        Self(Form::Read(Arc::clone(tree)))
    }

    /// The JSON value in a range of the text, which was read already without a finding.
    pub(super) fn unread(source: &Arc<Source>, span: Range<usize>, nodes: usize, yaml: YamlVersion) -> Self {
        let source = Arc::clone(source);
        Self(Form::Unread(Arc::new(Unread {
            source,
            span,
            nodes,
            yaml,
            tree: OnceLock::new(),
        })))
    }

    /// The tree. It is empty if the text is not what it was taken for, which cannot be.
    pub(crate) fn tree(&self) -> &Arc<Tree> {
        match &self.0 {
            Form::Read(tree) => tree,
            Form::Unread(unread) => unread.tree.get_or_init(|| unread.read()),
        }
    }

    /// Whether the objects in it were read from the tree.
    pub(super) fn is_by_tree(&self) -> bool {
        matches!(self.0, Form::Read(_))
    }

    /// The text that the document is part of.
    pub(crate) fn source(&self) -> &Arc<Source> {
        match &self.0 {
            Form::Read(tree) => tree.source(),
            Form::Unread(unread) => &unread.source,
        }
    }
}

impl Unread {
    fn read(&self) -> Arc<Tree> {
        // the text was within the limits, whatever they were
        let limits = Limits {
            depth: usize::MAX,
            nodes: usize::MAX,
            scalar_bytes: usize::MAX,
            key_bytes: usize::MAX,
            ..Limits::default()
        };
        let options = DecodeOptions {
            yaml: self.yaml,
            limits,
            ..DecodeOptions::default()
        };
        let mut builder = Builder::with_capacity(Arc::clone(&self.source), &options, self.nodes);
        let text = self.source.slice(0..self.span.end);
        let read = json::read(text, self.span.start, &mut builder);
        let tree = builder.into_tree().filter(|_| read.is_ok());
        Arc::new(tree.unwrap_or_else(|| Tree::empty(&self.source)))
    }
}
