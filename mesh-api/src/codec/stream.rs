//! The front door: a file with objects, or one with a single value.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::envelope;
use super::fault::{Fault, codes};
use super::options::DecodeOptions;
use super::parts::read_parts;
use super::tree::Tree;
use super::{Profile, de};
use crate::kind::Kind;
use crate::names::Text;
use crate::object::ObjectKey;
use crate::object_set::{ObjectSet, Origin};
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
    let budget = Cell::new(options.limits.values_of(bytes.len()));
    let limit = options.limits.findings.saturating_mul(100);
    let mut full = false;
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
                &budget,
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
        let room = limit.saturating_sub(decoded.report.len());
        if diagnostics.len() > room {
            diagnostics.truncate(room);
            if !full {
                full = true;
                let message = format!("there are more than {limit} findings, the others are not listed");
                let fault = Fault::error(codes::LIMIT, part.start..part.start, message);
                diagnostics.push(fault.into_diagnostic(&source));
            }
        }
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
                models: de::Models::Others,
            };
            let (read, more) = de::decode::<T>(
                tree.root(),
                &FieldPath::root(),
                &[],
                dialect,
                &Cell::new(options.limits.values_of(bytes.len())),
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

/// The documents of a text, one tree each; those with errors are in the report alone.
pub(crate) fn read_trees(file_name: &str, bytes: &[u8], options: &DecodeOptions) -> (Vec<Arc<Tree>>, Report) {
    let mut report = Report::new();
    let (source, parts) = match read_parts(file_name, bytes, options) {
        Ok(parsed) => parsed,
        Err(diagnostic) => {
            report.push(*diagnostic);
            return (Vec::new(), report);
        }
    };
    let mut trees = Vec::new();
    for part in parts {
        let broken = part.faults.iter().any(|fault| fault.severity == Severity::Error);
        trees.extend(part.tree.filter(|_| !broken).map(Arc::new));
        let findings = part
            .faults
            .into_iter()
            .map(|fault| fault.into_diagnostic(&source));
        findings.for_each(|finding| report.push(finding));
    }
    (trees, report)
}

/// What was read from one file or several.
#[derive(Debug, Clone, Default)]
pub struct Decoded {
    pub(super) report: Report,
    pub(super) objects: ObjectSet,
    pub(super) documents: Vec<DocumentInfo>,
    /// The objects with errors, for those who look at trees.
    pub(super) refused: Vec<(ObjectKey, Origin)>,
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

    /// Adds what was read from another file. Of objects with one key the later one stays, with a warning.
    pub fn extend(&mut self, other: Decoded) {
        let Decoded {
            report,
            objects,
            documents,
            refused,
        } = other;
        self.report.extend(report);
        self.documents.extend(documents);
        self.refused.extend(refused);
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
