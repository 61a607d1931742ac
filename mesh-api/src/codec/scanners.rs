//! The ways of reading one by one, for tests and benches that hold them together. No part of the API.

use std::sync::Arc;

use super::documents::{split, to_text};
use super::options::DecodeOptions;
use super::parts::{Part, read_directly, read_events};
use super::source::Source;
use super::stream::{Decoded, decode_by};
use super::tree::{Builder, Tree};
use crate::report::Diagnostic;

/// A way from YAML into a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scanner {
    /// The one for plain documents.
    Direct,
    /// The events of a parser, which read all of YAML.
    Events,
}

/// A document as a scanner reads it: the tree, unless it is broken, and the findings.
pub type Scanned = (Option<Arc<Tree>>, Vec<Diagnostic>);

/// Reads the documents of a text as YAML with one scanner; `None` stands for those that it leaves to the other. Text that is
/// no UTF-8 has no documents here.
pub fn scan(text: &str, scanner: Scanner, options: &DecodeOptions) -> Vec<Option<Scanned>> {
    let Ok((text, bad)) = to_text(text.as_bytes()) else {
        return Vec::new();
    };
    if !bad.is_empty() {
        return Vec::new();
    }
    let source = Arc::new(Source::new("input", text));
    let mut builder = Builder::new(Arc::clone(&source), options);
    let read = |segment| match scanner {
        Scanner::Direct => read_directly(&mut builder, &source, segment),
        Scanner::Events => Some(read_events(&mut builder, &source, segment, options)),
    };
    let segments = split(source.text());
    let parts = segments.iter().map(read);
    parts
        .map(|part| {
            let Part { content, faults, .. } = part?;
            let findings = faults.into_iter().map(|fault| fault.into_diagnostic(&source));
            Some((content.into_tree().map(Arc::new), findings.collect()))
        })
        .collect()
}

/// Decodes as [`decode_with`](super::decode_with) does, all objects by trees.
pub fn decode_by_trees(file_name: &str, bytes: &[u8], options: &DecodeOptions) -> Decoded {
    decode_by(file_name, bytes, options, false)
}

/// How many objects were read without a tree.
pub fn count_typed(decoded: &Decoded) -> usize {
    let objects = decoded.objects();
    let origins = objects.iter().filter_map(|(key, _)| objects.origin(key));
    origins.filter(|origin| !origin.document.is_by_tree()).count()
}
