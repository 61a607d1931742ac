//! A file as the values that it holds: documents of YAML, or JSON in a row.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use super::documents::{BadText, Segment, split, to_text};
use super::fault::{Fault, codes};
use super::json::TypedObject;
use super::options::DecodeOptions;
use super::source::Source;
use super::tree::{Builder, Tree};
use super::{direct, json, yaml};
use crate::report::Diagnostic;

/// One value of a stream: a YAML document, or one of several JSON values in a row.
pub(super) struct Part {
    pub(super) index: usize,
    pub(super) start: usize,
    pub(super) content: Content,
    pub(super) faults: Vec<Fault>,
}

/// What a part holds.
pub(super) enum Content {
    /// Nothing that could be read.
    Nothing,
    /// An object that was read without a tree.
    Object(Box<TypedObject>),
    Tree(Box<Tree>),
}

impl Content {
    fn of(tree: Option<Tree>) -> Self {
        tree.map_or(Self::Nothing, |tree| Self::Tree(Box::new(tree)))
    }

    /// The tree, where objects are not asked for.
    pub(super) fn into_tree(self) -> Option<Tree> {
        match self {
            Self::Tree(tree) => Some(*tree),
            Self::Nothing | Self::Object(_) => None,
        }
    }
}

impl Part {
    fn unreadable(index: usize, start: usize, faults: Vec<Fault>) -> Self {
        Self {
            index,
            start,
            content: Content::Nothing,
            faults,
        }
    }

    fn is_readable(&self) -> bool {
        !matches!(self.content, Content::Nothing)
    }
}

/// How the parts of a file are read.
pub(super) struct PartOptions<'o> {
    pub(super) options: &'o DecodeOptions,
    /// What the typed values may still take in memory, if objects are wanted where they can be had without a tree.
    pub(super) objects: Option<&'o Cell<usize>>,
}

/// Cuts a file into its values, reads each, and gives it to `take` before the next one is read.
pub(super) fn read_parts(
    file_name: &str,
    bytes: &[u8],
    how: PartOptions<'_>,
    mut take: impl FnMut(&Arc<Source>, Part),
) -> Result<(), Box<Diagnostic>> {
    let PartOptions { options, objects } = how;
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
    let mut next = 0;
    let mut reader = Reader {
        builder: Builder::new(Arc::clone(&source), options),
        source: &source,
        options,
        objects,
        take: |part: Part| {
            next += 1;
            take(&source, part);
        },
    };
    for segment in segments {
        if segment.index >= options.limits.documents {
            let start = segment.span.start;
            let fault = too_many(start, options);
            (reader.take)(Part::unreadable(segment.index, start, vec![fault]));
            break;
        }
        let mut bad: Vec<Fault> = Vec::new();
        let mut unlisted = 0usize;
        while let Some(place) = bad_text.next_if(|bad| (bad.start as usize) < segment.span.end) {
            match bad.len() < options.limits.findings.min(BAD_TEXT_LISTED) {
                true => bad.push(place.fault()),
                false => unlisted += 1,
            }
        }
        if unlisted > 0
            && let Some(last) = bad.pop()
        {
            bad.push(last.with_help(format!("{unlisted} more are not listed: is this a text?")));
        }
        if bad.is_empty() {
            reader.segment(&segment);
        } else {
            (reader.take)(Part::unreadable(segment.index, segment.span.start, bad));
        }
    }
    let rest: Vec<Fault> = bad_text
        .take(options.limits.findings.min(BAD_TEXT_LISTED))
        .map(BadText::fault)
        .collect();
    if !rest.is_empty() {
        let end = source.text().len();
        take(&source, Part::unreadable(next, end, rest));
    }
    Ok(())
}

/// Bytes of a document that do not belong into a text, of which more would be noise.
const BAD_TEXT_LISTED: usize = 8;

pub(super) fn too_many(start: usize, options: &DecodeOptions) -> Fault {
    let message = format!(
        "there are more than {} documents, the others are not read",
        options.limits.documents
    );
    Fault::error(codes::LIMIT, start..start, message)
}

/// Reads the parts of one file.
struct Reader<'r, 'o, F> {
    builder: Builder<'o>,
    source: &'r Arc<Source>,
    options: &'o DecodeOptions,
    objects: Option<&'o Cell<usize>>,
    take: F,
}

impl<F: FnMut(Part)> Reader<'_, '_, F> {
    fn segment(&mut self, segment: &Segment) {
        let Segment { index, span, content } = segment.clone();
        let limit = self.options.limits.document_bytes;
        let text = self.source.slice(content);
        // A-PAR-2: what starts like JSON is JSON, unless only YAML can read it
        if starts_like_json(text) {
            self.json(segment);
        } else if span.len() > limit {
            let fault = too_long(span.start, span.len(), self.options);
            (self.take)(Part::unreadable(index, span.start, vec![fault]));
        } else {
            let part = self.yaml(segment);
            (self.take)(part);
        }
    }

    fn yaml(&mut self, segment: &Segment) -> Part {
        read_directly(&mut self.builder, self.source, segment)
            .unwrap_or_else(|| read_events(&mut self.builder, self.source, segment, self.options))
    }

    /// JSON values in a row; the last one has no tree if it is broken.
    fn json(&mut self, segment: &Segment) {
        let Segment { index, content, .. } = segment.clone();
        let limits = &self.options.limits;
        let text = self.source.slice(0..content.end);
        let rest = self.source.slice(content.clone());
        let first = content.start + (rest.len() - rest.trim_start().len());
        // the values are given away one by one as soon as it is sure that YAML cannot read all of it
        let mut waiting = Some(Vec::new());
        let (mut start, mut count) = (first, 0);
        while start < text.len() {
            if count >= limits.documents {
                let fault = too_many(start, self.options);
                self.put(Part::unreadable(index, start, vec![fault]), &mut waiting);
                break;
            }
            count += 1;
            let is_sure = waiting.is_none() || start == first;
            let object = is_sure.then(|| self.object(text, start, index)).flatten();
            let (part, end) = object.unwrap_or_else(|| self.json_tree(text, start, index));
            if start == first && part.is_readable() && end.is_some_and(|end| is_no_yaml(text, end)) {
                waiting = None;
            }
            self.put(part, &mut waiting);
            match end {
                Some(end) => start = end.max(start + 1),
                None => break,
            }
        }
        let waiting = waiting.unwrap_or_default();
        let is_yaml =
            waiting.iter().any(|part| !part.is_readable()) && segment.span.len() <= limits.document_bytes;
        match is_yaml.then(|| self.yaml(segment)).filter(Part::is_readable) {
            Some(part) => (self.take)(part),
            None => waiting.into_iter().for_each(&mut self.take),
        }
    }

    /// An object read without a tree, and where it ends; `None` if it takes one, or if YAML may go on behind it.
    fn object(&self, text: &str, start: usize, index: usize) -> Option<(Part, Option<usize>)> {
        let budget = self.objects?;
        let before = budget.get();
        let (object, end) = json::read_object(self.source, text, start, budget, self.options)?;
        if !is_no_yaml(text, end) {
            budget.set(before);
            return None;
        }
        let part = Part {
            index,
            start,
            content: Content::Object(Box::new(object)),
            faults: Vec::new(),
        };
        Some((part, Some(end)))
    }

    /// The tree of a JSON value, and where it ends; a broken one has no end.
    fn json_tree(&mut self, text: &str, start: usize, index: usize) -> (Part, Option<usize>) {
        self.builder.start();
        match json::read(text, start, &mut self.builder) {
            Ok(end) if end - start > self.options.limits.document_bytes => {
                let fault = too_long(start, end - start, self.options);
                (Part::unreadable(index, start, vec![fault]), Some(end))
            }
            Ok(end) => {
                let (tree, faults) = self.builder.finish();
                let content = Content::of(tree);
                let part = Part {
                    index,
                    start,
                    content,
                    faults,
                };
                (part, Some(end))
            }
            Err(fault) => (Part::unreadable(index, start, vec![*fault]), None),
        }
    }

    fn put(&mut self, part: Part, waiting: &mut Option<Vec<Part>>) {
        match waiting {
            Some(waiting) => waiting.push(part),
            None => (self.take)(part),
        }
    }
}

fn too_long(start: usize, length: usize, options: &DecodeOptions) -> Fault {
    let limit = options.limits.document_bytes;
    let message = format!("the document has {length} bytes, at most {limit} are allowed");
    Fault::error(codes::LIMIT, start..start, message)
}

/// Whether a text that was JSON up to here is no YAML: a second value has no place there. It may still be, if a comment or a
/// colon follows.
fn is_no_yaml(text: &str, end: usize) -> bool {
    matches!(text.as_bytes().get(end), None | Some(b'{' | b'[' | b'"'))
}

/// A brace before a key in quotes, or a bracket: YAML's flow style looks alike, but its keys mostly have no quotes.
fn starts_like_json(text: &str) -> bool {
    let text = text.trim_start();
    match text.strip_prefix('{') {
        Some(rest) => rest.trim_start().starts_with(['"', '}']),
        None => text.starts_with('['),
    }
}

/// By the scanner for plain documents; `None` leaves the document to the parser.
pub(super) fn read_directly(builder: &mut Builder<'_>, source: &Source, segment: &Segment) -> Option<Part> {
    builder.start();
    direct::read(source, segment, builder).ok()?;
    let (tree, faults) = builder.finish();
    Some(Part {
        index: segment.index,
        start: segment.content.start,
        content: Content::of(tree),
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
    // how often a document is read again for the sake of a tab
    const RETRIES: usize = 8;
    let Segment { index, span, .. } = segment.clone();
    let mut text = Cow::Borrowed(source.slice(span.clone()));
    let mut retries = 0;
    let outcome = loop {
        builder.start_with_anchors(span.len());
        let outcome = yaml::read(&text, span.start, options, builder);
        let mended = match &outcome {
            Err(fault) if retries < RETRIES => yaml::without_tab(&text, span.start, fault),
            _ => None,
        };
        match mended {
            Some(mended) => text = Cow::Owned(mended),
            None => break outcome,
        }
        retries += 1;
    };
    let complete = outcome.is_ok() && builder.is_at_top();
    let (tree, mut faults) = builder.finish();
    faults.extend(outcome.err().map(|fault| *fault));
    Part {
        index,
        start: segment.content.start,
        content: Content::of(tree.filter(|_| complete)),
        faults,
    }
}
