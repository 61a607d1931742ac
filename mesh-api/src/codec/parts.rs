//! A file as the values that it holds: documents of YAML, or JSON in a row.

use std::sync::Arc;

use super::documents::{BadText, Segment, split, to_text};
use super::fault::{Fault, codes};
use super::options::DecodeOptions;
use super::source::Source;
use super::tree::{Builder, Tree};
use super::{direct, json, yaml};
use crate::report::Diagnostic;

/// One value of a stream: a YAML document, or one of several JSON values in a row.
pub(super) struct Part {
    pub(super) index: usize,
    pub(super) start: usize,
    pub(super) tree: Option<Tree>,
    pub(super) faults: Vec<Fault>,
}

impl Part {
    fn unreadable(index: usize, start: usize, faults: Vec<Fault>) -> Self {
        Self {
            index,
            start,
            tree: None,
            faults,
        }
    }
}

/// Cuts a file into its values and reads each.
pub(super) fn read_parts(
    file_name: &str,
    bytes: &[u8],
    options: &DecodeOptions,
) -> Result<(Arc<Source>, Vec<Part>), Box<Diagnostic>> {
    // positions take 32 bits, whatever the limit says
    let limit = options.limits.input_bytes.min(u32::MAX as usize / 2);
    let whole = |fault: Fault| Box::new(fault.into_diagnostic(&Source::new(file_name, "")));
    if bytes.len() > limit {
        let message = format!("the input has {} bytes, at most {limit} are allowed", bytes.len());
        return Err(whole(Fault::error(codes::LIMIT, 0..0, message)));
    }
    let (text, bad_text) = to_text(bytes).map_err(whole)?;
    let source = Arc::new(Source::new(file_name, text));
    let segments = split(source.text());
    let mut bad_text = bad_text.into_iter().peekable();
    let mut parts = Vec::new();
    let mut builder = Builder::new(Arc::clone(&source), options);
    for segment in segments {
        if segment.index >= options.limits.documents {
            let start = segment.span.start;
            parts.push(Part::unreadable(
                segment.index,
                start,
                vec![too_many(start, options)],
            ));
            break;
        }
        let mut bad: Vec<Fault> = Vec::new();
        while let Some(place) = bad_text.next_if(|bad| (bad.start as usize) < segment.span.end) {
            if bad.len() < options.limits.findings {
                bad.push(place.fault());
            }
        }
        if bad.is_empty() {
            read_segment(&mut builder, &source, &segment, options, &mut parts);
        } else {
            parts.push(Part::unreadable(segment.index, segment.span.start, bad));
        }
    }
    let rest: Vec<Fault> = bad_text
        .take(options.limits.findings)
        .map(BadText::fault)
        .collect();
    if !rest.is_empty() {
        let end = source.text().len();
        parts.push(Part::unreadable(parts.len(), end, rest));
    }
    Ok((source, parts))
}

pub(super) fn too_many(start: usize, options: &DecodeOptions) -> Fault {
    let message = format!(
        "there are more than {} documents, the others are not read",
        options.limits.documents
    );
    Fault::error(codes::LIMIT, start..start, message)
}

fn read_segment(
    builder: &mut Builder<'_>,
    source: &Source,
    segment: &Segment,
    options: &DecodeOptions,
    parts: &mut Vec<Part>,
) {
    let Segment { index, span, content } = segment.clone();
    let limit = options.limits.document_bytes;
    if span.len() > limit {
        // a stream of JSON values may be longer than one of them
        if !starts_like_json(source.slice(content.clone())) {
            let message = format!(
                "the document has {} bytes, at most {limit} are allowed",
                span.len()
            );
            let fault = Fault::error(codes::LIMIT, span.start..span.start, message);
            parts.push(Part::unreadable(index, span.start, vec![fault]));
            return;
        }
    }
    let text = source.slice(content.clone());
    // A-PAR-2: what starts like JSON is JSON, unless only YAML can read it
    if starts_like_json(text) {
        let before = parts.len();
        read_json(builder, source, segment, options, parts);
        let failed = parts.iter().skip(before).any(|part| part.tree.is_none());
        let yaml = (failed && span.len() <= limit).then(|| read_yaml(builder, source, segment, options));
        if let Some(part) = yaml.filter(|part| part.tree.is_some()) {
            parts.truncate(before);
            parts.push(part);
        }
        return;
    }
    parts.push(read_yaml(builder, source, segment, options));
}

/// A brace before a key in quotes, or a bracket: YAML's flow style looks alike, but its keys mostly have no quotes.
fn starts_like_json(text: &str) -> bool {
    let text = text.trim_start();
    match text.strip_prefix('{') {
        Some(rest) => rest.trim_start().starts_with(['"', '}']),
        None => text.starts_with('['),
    }
}

/// JSON values in a row; the last one has no tree if it is broken.
fn read_json(
    builder: &mut Builder<'_>,
    source: &Source,
    segment: &Segment,
    options: &DecodeOptions,
    parts: &mut Vec<Part>,
) {
    let Segment { index, content, .. } = segment.clone();
    let text = source.text().get(..content.end).unwrap_or_default();
    let indent = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        rest.len() - rest.trim_start().len()
    };
    let before = parts.len();
    let mut at = content.start + indent(content.start);
    while at < text.len() {
        let start = at;
        if parts.len() - before >= options.limits.documents {
            parts.push(Part::unreadable(index, start, vec![too_many(start, options)]));
            break;
        }
        builder.start();
        match json::read(text, start, builder) {
            Ok(end) if end - start > options.limits.document_bytes => {
                let message = format!(
                    "the document has {} bytes, at most {} are allowed",
                    end - start,
                    options.limits.document_bytes
                );
                let fault = Fault::error(codes::LIMIT, start..start, message);
                parts.push(Part::unreadable(index, start, vec![fault]));
                at = end;
            }
            Ok(end) => {
                let (tree, faults) = builder.finish();
                parts.push(Part {
                    index,
                    start,
                    tree,
                    faults,
                });
                at = end.max(start + 1);
            }
            Err(fault) => {
                parts.push(Part::unreadable(index, start, vec![*fault]));
                break;
            }
        }
    }
}

fn read_yaml(builder: &mut Builder<'_>, source: &Source, segment: &Segment, options: &DecodeOptions) -> Part {
    read_directly(builder, source, segment).unwrap_or_else(|| read_events(builder, source, segment, options))
}

/// By the scanner for plain documents; `None` leaves the document to the parser.
pub(super) fn read_directly(builder: &mut Builder<'_>, source: &Source, segment: &Segment) -> Option<Part> {
    builder.start();
    direct::read(source, segment, builder).ok()?;
    let (tree, faults) = builder.finish();
    Some(Part {
        index: segment.index,
        start: segment.content.start,
        tree,
        faults,
    })
}

/// By the events of a YAML parser.
pub(super) fn read_events(
    builder: &mut Builder<'_>,
    source: &Source,
    segment: &Segment,
    options: &DecodeOptions,
) -> Part {
    let Segment { index, span, .. } = segment.clone();
    builder.start_with_anchors(span.len());
    let outcome = yaml::read(source.slice(span.clone()), span.start, options, builder);
    let complete = outcome.is_ok() && builder.is_at_top();
    let (tree, mut faults) = builder.finish();
    faults.extend(outcome.err().map(|fault| *fault));
    Part {
        index,
        start: segment.content.start,
        tree: tree.filter(|_| complete),
        faults,
    }
}
