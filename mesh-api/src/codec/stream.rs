//! The front door: a file with objects, or one with a single value.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::documents::{Segment, split, to_text};
use super::envelope;
use super::fault::{Fault, codes};
use super::options::DecodeOptions;
use super::source::Source;
use super::tree::{Builder, Tree};
use super::{Profile, de, json, yaml};
use crate::kind::Kind;
use crate::names::Text;
use crate::object::ObjectKey;
use crate::object_set::ObjectSet;
use crate::report::{Diagnostic, FieldPath, Report, Severity, SourceLocation};

/// Reads the objects of a file, YAML or JSON, with the default options.
///
/// `file_name` is for messages only; nothing is opened. Nothing fails as a whole: an object that cannot be used is left
/// out, and the report says why.
///
/// ```
/// let text = b"
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata: {name: reviews, namespace: shop}
/// spec:
///   hosts: [reviews]
///   http:
///   - route:
///     - destination: {host: reviews, subset: v2}
/// ---
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata: {name: broken, namespace: shop}
/// spec:
///   hosts: [ratings]
///   htpp: []
/// ";
/// let decoded = mesh_api::decode("shop.yaml", text);
/// assert_eq!(decoded.objects().len(), 1); // one bad object hides no other
/// let finding = decoded.report().iter().next().ok_or("no finding")?;
/// assert_eq!(finding.to_string(), "shop.yaml:16:3: unknown field `htpp`, did you mean `http`? [A-WIRE-2]");
/// # Ok::<(), &str>(())
/// ```
pub fn decode(file_name: &str, bytes: &[u8]) -> Decoded {
    decode_with(file_name, bytes, &DecodeOptions::default())
}

/// Reads the objects of a file with options of one's own; see [`decode`].
pub fn decode_with(file_name: &str, bytes: &[u8], options: &DecodeOptions) -> Decoded {
    let mut decoded = Decoded::default();
    let (source, parts) = match read_parts(file_name, bytes, options) {
        Ok(parsed) => parsed,
        Err(diagnostic) => {
            decoded.report.push(*diagnostic);
            return decoded;
        }
    };
    for part in parts {
        let mut diagnostics: Vec<Diagnostic> = part
            .faults
            .into_iter()
            .map(|fault| fault.into_diagnostic(&source))
            .collect();
        let broken = diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error);
        match part.tree {
            Some(tree) => envelope::read(
                &Arc::new(tree),
                part.index,
                broken,
                options,
                &mut diagnostics,
                &mut decoded,
            ),
            None => decoded.documents.push(DocumentInfo::unreadable(
                part.index,
                source.location(part.start..part.start),
            )),
        }
        diagnostics.sort_by_cached_key(|finding| {
            (
                finding.location.as_ref().map(|location| location.span.start),
                finding.code,
            )
        });
        diagnostics
            .into_iter()
            .for_each(|diagnostic| decoded.report.push(diagnostic));
    }
    decoded
}

/// Reads one value that is no object, such as a MeshConfig, with istiod's dialect.
///
/// The value is what could be read; whether all of it could, the report says. Empty input gives the default.
///
/// ```
/// use mesh_api::names::Labels;
///
/// let (labels, report) = mesh_api::decode_value::<Labels>("labels.yaml", b"app: reviews\n");
/// assert!(report.is_ok());
/// assert_eq!(labels.get("app"), Some("reviews"));
/// ```
pub fn decode_value<T: DeserializeOwned + Default>(file_name: &str, bytes: &[u8]) -> (T, Report) {
    let options = DecodeOptions {
        profile: Profile::Istiod,
        ..DecodeOptions::default()
    };
    let mut report = Report::new();
    let (source, parts) = match read_parts(file_name, bytes, &options) {
        Ok(parsed) => parsed,
        Err(diagnostic) => {
            report.push(*diagnostic);
            return (T::default(), report);
        }
    };
    let mut value = None;
    for (number, part) in parts.into_iter().enumerate() {
        let mut faults = part.faults;
        if number > 0 {
            let message = "a second document stands where one value is needed";
            faults.push(Fault::error(codes::SHAPE, part.start..part.start, message));
        } else if let Some(tree) = part.tree.filter(|tree| !tree.root().is_null()) {
            let dialect = de::Dialect {
                profile: options.profile,
                schema: de::Schema::Istio,
            };
            let (read, more) = de::decode::<T>(
                tree.root(),
                &FieldPath::root(),
                &[],
                dialect,
                options.limits.findings,
            );
            value = read;
            faults.extend(more);
        }
        faults
            .into_iter()
            .for_each(|fault| report.push(fault.into_diagnostic(&source)));
    }
    report.sort_by_location();
    (value.unwrap_or_default(), report)
}

/// The first document of a text.
pub(super) fn read_tree(
    file_name: &str,
    bytes: &[u8],
    options: &DecodeOptions,
) -> Result<Arc<Tree>, Box<Diagnostic>> {
    let (source, parts) = read_parts(file_name, bytes, options)?;
    let empty = || Fault::error(codes::SHAPE, 0..0, "the text holds no document");
    let part = parts
        .into_iter()
        .next()
        .ok_or_else(|| Box::new(empty().into_diagnostic(&source)))?;
    let error = part
        .faults
        .into_iter()
        .find(|fault| fault.severity == Severity::Error);
    match (error, part.tree) {
        (None, Some(tree)) => Ok(Arc::new(tree)),
        (error, _) => Err(Box::new(error.unwrap_or_else(empty).into_diagnostic(&source))),
    }
}

/// What was read from one file or several.
#[derive(Debug, Clone, Default)]
pub struct Decoded {
    pub(super) report: Report,
    pub(super) objects: ObjectSet,
    pub(super) documents: Vec<DocumentInfo>,
}

impl Decoded {
    /// All findings, in the order of the files and of the text in each.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The objects without errors.
    pub fn objects(&self) -> &ObjectSet {
        &self.objects
    }

    /// What became of each document, and of each item of a list.
    pub fn documents(&self) -> &[DocumentInfo] {
        &self.documents
    }

    /// Adds what was read from another file. Of objects with one key the later one stays, with a warning.
    pub fn extend(&mut self, other: Decoded) {
        let Decoded {
            report,
            objects,
            documents,
        } = other;
        self.report.extend(report);
        self.documents.extend(documents);
        let shared: Vec<ObjectKey> = objects
            .iter()
            .filter(|(key, _)| self.objects.get(key).is_some())
            .map(|(key, _)| key.clone())
            .collect();
        for key in shared {
            let finding = envelope::duplicate(&key, self.objects.origin(&key), objects.origin(&key));
            self.report.push(finding);
        }
        self.objects.extend(&objects);
    }

    /// The parts by value.
    pub fn into_parts(self) -> (ObjectSet, Report) {
        (self.objects, self.report)
    }
}

/// What became of a document, or of an item of a list in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DocumentInfo {
    /// Counts the documents of the file from 0, empty ones included.
    pub document: usize,
    /// The item's place, for objects in a list: one number per level.
    pub items: Vec<usize>,
    /// The `apiVersion`; empty if it could not be read.
    pub api_version: Text,
    /// The kind, if it could be read.
    pub kind: Option<Kind>,
    /// The object's key, if kind and metadata could be read.
    pub key: Option<ObjectKey>,
    /// Whether the object is among [`Decoded::objects`] (unless a later one replaced it).
    pub accepted: bool,
    /// Where the document or item starts.
    pub location: SourceLocation,
}

impl DocumentInfo {
    pub(super) fn unreadable(document: usize, location: SourceLocation) -> Self {
        Self {
            document,
            items: Vec::new(),
            api_version: Text::default(),
            kind: None,
            key: None,
            accepted: false,
            location,
        }
    }
}

impl fmt::Display for DocumentInfo {
    /// `document 3, item 0: VirtualService shop/reviews`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "document {}", self.document)?;
        self.items
            .iter()
            .try_for_each(|item| write!(f, ", item {item}"))?;
        match (&self.key, &self.kind) {
            (Some(key), _) => write!(f, ": {key}"),
            (None, Some(kind)) => write!(f, ": {kind}"),
            (None, None) => Ok(()),
        }
    }
}

/// One value of a stream: a YAML document, or one of several JSON values in a row.
struct Part {
    index: usize,
    start: usize,
    tree: Option<Tree>,
    faults: Vec<Fault>,
}

fn read_parts(
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
    for segment in segments {
        if segment.index >= options.limits.documents {
            let message = format!(
                "there are more than {} documents, the others are not read",
                options.limits.documents
            );
            let fault = Fault::error(codes::LIMIT, segment.span.start..segment.span.start, message);
            parts.push(Part {
                index: segment.index,
                start: segment.span.start,
                tree: None,
                faults: vec![fault],
            });
            break;
        }
        let mut bad: Vec<Fault> = Vec::new();
        while let Some(fault) = bad_text.next_if(|fault| fault.span.start < segment.span.end) {
            if bad.len() < options.limits.findings {
                bad.push(fault);
            }
        }
        if bad.is_empty() {
            read_segment(&source, &segment, options, &mut parts);
        } else {
            parts.push(Part {
                index: segment.index,
                start: segment.span.start,
                tree: None,
                faults: bad,
            });
        }
    }
    let rest: Vec<Fault> = bad_text.take(options.limits.findings).collect();
    if !rest.is_empty() {
        let end = source.text().len();
        parts.push(Part {
            index: parts.len(),
            start: end,
            tree: None,
            faults: rest,
        });
    }
    Ok((source, parts))
}

fn read_segment(source: &Arc<Source>, segment: &Segment, options: &DecodeOptions, parts: &mut Vec<Part>) {
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
            parts.push(Part {
                index,
                start: span.start,
                tree: None,
                faults: vec![fault],
            });
            return;
        }
    }
    let text = source.slice(content.clone());
    // A-PAR-2: what starts like JSON is JSON, unless only YAML can read it
    if starts_like_json(text) {
        let values = read_json(source, text, index, content.start, options);
        let failed = values.iter().any(|part| part.tree.is_none());
        let yaml = (failed && span.len() <= limit).then(|| read_yaml(source, segment, options));
        match yaml {
            Some(part) if part.tree.is_some() => parts.push(part),
            _ => parts.extend(values),
        }
        return;
    }
    parts.push(read_yaml(source, segment, options));
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
    source: &Arc<Source>,
    text: &str,
    index: usize,
    base: usize,
    options: &DecodeOptions,
) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = text.len() - text.trim_start().len();
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let start = base + at;
        let mut builder = Builder::new(Arc::clone(source), rest.len(), options);
        match json::read(rest, start, &mut builder) {
            Ok(length) if length > options.limits.document_bytes => {
                let message = format!(
                    "the document has {length} bytes, at most {} are allowed",
                    options.limits.document_bytes
                );
                let fault = Fault::error(codes::LIMIT, start..start, message);
                parts.push(Part {
                    index,
                    start,
                    tree: None,
                    faults: vec![fault],
                });
                at += length;
            }
            Ok(length) => {
                let (tree, faults) = builder.finish();
                parts.push(Part {
                    index,
                    start,
                    tree,
                    faults,
                });
                at += length.max(1);
            }
            Err(fault) => {
                parts.push(Part {
                    index,
                    start,
                    tree: None,
                    faults: vec![fault],
                });
                break;
            }
        }
    }
    parts
}

fn read_yaml(source: &Arc<Source>, segment: &Segment, options: &DecodeOptions) -> Part {
    let Segment { index, span, .. } = segment.clone();
    let mut builder = Builder::new(Arc::clone(source), span.len(), options);
    let outcome = yaml::read(source.slice(span.clone()), span.start, options, &mut builder);
    let complete = outcome.is_ok() && builder.is_at_top();
    let (tree, mut faults) = builder.finish();
    faults.extend(outcome.err());
    Part {
        index,
        start: segment.content.start,
        tree: tree.filter(|_| complete),
        faults,
    }
}
