//! The front door: a file with objects, or one with a single value.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::envelope;
use super::fault::{Fault, codes};
use super::options::DecodeOptions;
use super::parts::{Content, Part, PartOptions, read_parts};
use super::source::Source;
use super::tree::Tree;
use super::{Profile, de};
use crate::kind::Kind;
use crate::names::Text;
use crate::object::{AnyObject, ObjectKey};
use crate::object_set::{ObjectSet, Origin};
use crate::report::{Diagnostic, FieldPath, Report, Severity, SourceLocation};

/// Reads the objects of a file, YAML or JSON, with the default options.
///
/// `file_name` is for messages only; nothing is opened. Nothing fails as a whole: an object that cannot be used is left
/// out, and the report says why.
///
/// Where the fields of an object stand is known at once or, for JSON objects without a finding, worked out when a place in the
/// object is first asked for: [`ObjectSet::location`] and the validators that look at the text do so. The answer is the same.
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
    decode_by(file_name, bytes, options, true)
}

/// As [`decode_with`]; objects without findings may be read without a tree, or not.
pub(super) fn decode_by(file_name: &str, bytes: &[u8], options: &DecodeOptions, typed: bool) -> Decoded {
    let mut decoded = Decoded::default();
    let budget = Cell::new(options.limits.values_of(bytes.len()));
    let how = PartOptions {
        options,
        objects: typed.then_some(&budget),
    };
    let mut full = false;
    let outcome = read_parts(file_name, bytes, how, |source, part| {
        let start = part.start;
        let found = read_part(source, part, &budget, options, &mut decoded);
        keep(found, start, source, options, &mut full, &mut decoded.report);
    });
    if let Err(diagnostic) = outcome {
        decoded.report.push(*diagnostic);
    }
    decoded
}

/// Reads the objects of a part of a file, and returns the findings.
fn read_part(
    source: &Arc<Source>,
    part: Part,
    budget: &Cell<usize>,
    options: &DecodeOptions,
    decoded: &mut Decoded,
) -> Vec<Diagnostic> {
    let Part {
        index,
        start,
        content,
        faults,
    } = part;
    let faults = faults.into_iter();
    let mut diagnostics: Vec<Diagnostic> = faults.map(|fault| fault.into_diagnostic(source)).collect();
    let location = || source.location(start..start);
    match content {
        Content::Object(read) if decoded.documents.len() >= options.limits.documents => {
            let tree = read.document.tree();
            envelope::read(tree, index, false, budget, options, &mut diagnostics, decoded);
        }
        Content::Object(read) => {
            let info = DocumentInfo::unreadable(index, location());
            envelope::accept(*read, info, &mut diagnostics, decoded);
        }
        Content::Tree(tree) => {
            let broken = diagnostics
                .iter()
                .any(|diagnostic| diagnostic.severity == Severity::Error);
            let tree = Arc::new(*tree);
            envelope::read(&tree, index, broken, budget, options, &mut diagnostics, decoded);
        }
        Content::Nothing => decoded
            .documents
            .push(DocumentInfo::unreadable(index, location())),
    }
    diagnostics
}

/// Puts the findings about a part into the report, in the order of the text and as many as there is room for.
fn keep(
    mut found: Vec<Diagnostic>,
    start: usize,
    source: &Source,
    options: &DecodeOptions,
    full: &mut bool,
    report: &mut Report,
) {
    found.sort_by_cached_key(|finding| {
        (
            finding.location.as_ref().map(|location| location.span.start),
            finding.code,
        )
    });
    let limit = options.limits.findings.saturating_mul(100);
    let room = limit.saturating_sub(report.len());
    if found.len() > room {
        found.truncate(room);
        if !*full {
            *full = true;
            let message = format!("there are more than {limit} findings, the others are not listed");
            let fault = Fault::error(codes::LIMIT, start..start, message);
            found.push(fault.into_diagnostic(source));
        }
    }
    found.into_iter().for_each(|finding| report.push(finding));
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
    let budget = Cell::new(options.limits.values_of(bytes.len()));
    let mut value = None;
    let mut number = 0;
    let outcome = read_parts(file_name, bytes, trees(&options), |source, part| {
        let Part {
            start,
            content,
            mut faults,
            ..
        } = part;
        if number > 0 {
            let message = "a second document stands where one value is needed";
            faults.push(Fault::error(codes::SHAPE, start..start, message));
        } else if let Some(tree) = content.into_tree().filter(|tree| !tree.root().is_null()) {
            let dialect = de::Dialect {
                profile: options.profile,
                schema: de::Schema::Istio,
                models: de::Models::Others,
            };
            let limit = options.limits.findings;
            let (read, more) = de::decode::<T>(tree.root(), &FieldPath::root(), &[], dialect, &budget, limit);
            value = read;
            faults.extend(more);
        }
        number += 1;
        faults
            .into_iter()
            .for_each(|fault| report.push(fault.into_diagnostic(source)));
    });
    if let Err(diagnostic) = outcome {
        report.push(*diagnostic);
    }
    report.sort_by_location();
    (value.unwrap_or_default(), report)
}

/// All parts as trees.
fn trees(options: &DecodeOptions) -> PartOptions<'_> {
    PartOptions {
        options,
        objects: None,
    }
}

/// The first document of a text.
pub(super) fn read_tree(
    file_name: &str,
    bytes: &[u8],
    options: &DecodeOptions,
) -> Result<Arc<Tree>, Box<Diagnostic>> {
    let empty = || Fault::error(codes::SHAPE, 0..0, "the text holds no document");
    let mut first = None;
    let mut source = None;
    read_parts(file_name, bytes, trees(options), |of, part| {
        source.get_or_insert_with(|| Arc::clone(of));
        first.get_or_insert(part);
    })?;
    let source = source.unwrap_or_else(|| Arc::new(Source::new(file_name, "")));
    let Some(Part { content, faults, .. }) = first else {
        return Err(Box::new(empty().into_diagnostic(&source)));
    };
    let mut faults = faults.into_iter();
    let error = faults.find(|fault| fault.severity == Severity::Error);
    match (error, content.into_tree()) {
        (None, Some(tree)) => Ok(Arc::new(tree)),
        (error, _) => Err(Box::new(error.unwrap_or_else(empty).into_diagnostic(&source))),
    }
}

/// The documents of a text, one tree each; those with errors are in the report alone.
pub(crate) fn read_trees(file_name: &str, bytes: &[u8], options: &DecodeOptions) -> (Vec<Arc<Tree>>, Report) {
    let mut report = Report::new();
    let mut read = Vec::new();
    let outcome = read_parts(file_name, bytes, trees(options), |source, part| {
        let Part { content, faults, .. } = part;
        let broken = faults.iter().any(|fault| fault.severity == Severity::Error);
        read.extend(content.into_tree().filter(|_| !broken).map(Arc::new));
        let findings = faults.into_iter().map(|fault| fault.into_diagnostic(source));
        findings.for_each(|finding| report.push(finding));
    });
    if let Err(diagnostic) = outcome {
        report.push(*diagnostic);
    }
    (read, report)
}

/// What was read from one file or several.
#[derive(Debug, Clone, Default)]
pub struct Decoded {
    pub(super) report: Report,
    pub(super) objects: ObjectSet,
    pub(super) documents: Vec<DocumentInfo>,
    /// The objects with errors, for those who look at trees.
    pub(super) refused: Vec<(ObjectKey, Origin)>,
    /// The objects in whose place a later one of the same key stands.
    pub(super) replaced: Vec<(AnyObject, Option<Origin>)>,
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

    /// Where the objects with errors were read.
    pub(crate) fn refused(&self) -> &[(ObjectKey, Origin)] {
        &self.refused
    }

    /// The objects without errors that are not among [`objects`](Self::objects) as a later one has the same key, and where
    /// they were read.
    pub(crate) fn replaced(&self) -> &[(AnyObject, Option<Origin>)] {
        &self.replaced
    }

    /// Adds what was read from another file. Of objects with one key the later one stays, with a warning.
    pub fn extend(&mut self, other: Decoded) {
        let Decoded {
            report,
            objects,
            documents,
            refused,
            replaced,
        } = other;
        self.report.extend(report);
        self.documents.extend(documents);
        self.refused.extend(refused);
        self.replaced.extend(replaced);
        let shared: Vec<ObjectKey> = objects
            .iter()
            .filter(|(key, _)| self.objects.get(key).is_some())
            .map(|(key, _)| key.clone())
            .collect();
        for key in shared {
            let finding = envelope::duplicate(&key, self.objects.origin(&key), objects.origin(&key));
            self.report.push(finding);
            self.replaced.extend(self.objects.entry(&key));
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
