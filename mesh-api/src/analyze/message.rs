//! Messages of analysis, and their types.

use std::fmt;

use crate::names::Text;
use crate::object::ObjectKey;
use crate::report::{Code, Diagnostic, FieldPath, Severity, SourceLocation};

/// What an analyzer must be given to find something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Needs {
    /// Objects of Istio alone may do, although some findings need more.
    Istio,
    /// Objects of Kubernetes, alone or beside Istio's.
    Kubernetes,
}

/// A kind of message: what istioctl knows by a code such as `IST0101`.
///
/// ```
/// use mesh_api::analyze::codes::REFERENCED_RESOURCE_NOT_FOUND;
///
/// assert_eq!(REFERENCED_RESOURCE_NOT_FOUND.code.as_str(), "IST0101");
/// assert_eq!(REFERENCED_RESOURCE_NOT_FOUND.number(), 101);
/// assert_eq!(
///     REFERENCED_RESOURCE_NOT_FOUND.documentation_url(),
///     "https://istio.io/latest/docs/reference/config/analysis/ist0101/"
/// );
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct MessageType {
    /// The code that is printed.
    pub code: Code,
    /// The name of the type, such as `ReferencedResourceNotFound`.
    pub name: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What must be given to find it.
    pub needs: Needs,
    /// The text, with a `{name}` for each parameter, in order.
    pub template: &'static str,
}

impl MessageType {
    /// The number in the code.
    pub fn number(&self) -> u16 {
        let digits = self
            .code
            .as_str()
            .trim_start_matches(|c: char| !c.is_ascii_digit());
        digits.parse().unwrap_or_default()
    }

    /// Whether istioctl has it too; the others are this crate's own (A-AN-3).
    pub fn is_istio(&self) -> bool {
        self.code.as_str().starts_with("IST")
    }

    /// The page about it: in Istio's documentation, of the newest release, or in that of this crate.
    pub fn documentation_url(&self) -> String {
        if !self.is_istio() {
            return "https://docs.rs/mesh-api/latest/mesh_api/analyze/codes/".to_owned();
        }
        let code = self.code.as_str().to_ascii_lowercase();
        format!("https://istio.io/latest/docs/reference/config/analysis/{code}/")
    }

    /// The names of the parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> + use<> {
        pieces(self.template).filter_map(|piece| match piece {
            Piece::Parameter(name) => Some(name),
            Piece::Text(_) => None,
        })
    }
}

/// One finding of analysis.
///
/// `Display` is the line that istioctl prints:
///
/// ```
/// use mesh_api::analyze::{AnalyzeOptions, analyze};
///
/// let text = "\
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata: {name: reviews, namespace: shop}
/// spec:
///   hosts: [reviews.example.com]
///   gateways: [missing]
/// ";
/// let decoded = mesh_api::decode("shop.yaml", text.as_bytes());
/// let analysis = analyze(decoded.objects(), &AnalyzeOptions::istioctl());
/// let lines: Vec<String> = analysis.messages().iter().map(ToString::to_string).collect();
/// assert!(lines.contains(
///     &"Error [IST0101] (VirtualService shop/reviews shop.yaml:6) Referenced gateway not found: `missing`".to_owned()
/// ), "{lines:?}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// What kind of message it is.
    pub kind: &'static MessageType,
    /// The analyzer that made it.
    pub analyzer: &'static str,
    /// The object it is about.
    pub object: ObjectKey,
    /// The field it is about.
    pub path: FieldPath,
    /// More fields of the object that the same holds for.
    pub more_paths: Vec<FieldPath>,
    /// The place of the field in the text, where the object was read from one.
    pub location: Option<SourceLocation>,
    /// The values of the parameters, in the order of [`MessageType::parameters`].
    pub parameters: Vec<String>,
}

impl Message {
    /// The text: lower case, no full stop, one line.
    pub fn text(&self) -> String {
        let mut values = self.parameters.iter();
        let mut text = String::new();
        for piece in pieces(self.kind.template) {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Parameter(_) => push_line(&mut text, values.next().map_or("", String::as_str)),
            }
        }
        text
    }

    /// Parameters by name.
    pub fn named_parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.kind
            .parameters()
            .zip(self.parameters.iter().map(String::as_str))
    }

    /// The object as istioctl names it: `VirtualService shop/reviews`.
    pub fn origin(&self) -> String {
        self.object.to_string()
    }

    /// The message as a finding of a [`Report`](crate::report::Report).
    pub fn to_diagnostic(&self) -> Diagnostic {
        let diagnostic = Diagnostic::new(self.kind.code, self.kind.severity, self.text())
            .with_object(self.object.clone())
            .with_path(self.path.clone());
        match &self.location {
            Some(location) => diagnostic.with_location(location.clone()),
            None => diagnostic,
        }
    }

    /// Orders by object, place, code and parameters, so that equal input prints alike.
    pub(super) fn sort_key(&self) -> impl Ord + use<> {
        let place = self
            .location
            .as_ref()
            .map(|location| (location.file.clone(), location.span.start));
        (
            std::cmp::Reverse(self.kind.severity),
            self.kind.code,
            self.object.clone(),
            place,
            self.path.clone(),
            self.parameters.clone(),
        )
    }

    /// Two messages that read the same are one (A-AN-1): by line where there is one, else by field.
    pub(super) fn identity(&self) -> impl Ord + use<> {
        let place: (Option<(Text, u32)>, FieldPath) = match (&self.location, self.path.is_root()) {
            _ if super::codes::is_once_per_object(self.kind) => (None, FieldPath::root()),
            (Some(location), false) => (Some((location.file.clone(), location.line)), FieldPath::root()),
            _ => (None, self.path.clone()),
        };
        (
            self.kind.code,
            self.object.clone(),
            place,
            self.parameters.clone(),
        )
    }
}

impl fmt::Display for Message {
    /// `Error [IST0101] (VirtualService shop/reviews shop.yaml:6) Referenced gateway not found: ...`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.kind.severity {
            Severity::Error => "Error",
            Severity::Warning => "Warning",
            Severity::Info => "Info",
        };
        write!(f, "{severity} [{}] ({}", self.kind.code, self.object)?;
        if let Some(location) = &self.location {
            write!(f, " {}:{}", location.file, location.line)?;
        }
        let text = self.text();
        let mut letters = text.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        write!(
            f,
            ") {}{}",
            first.map(String::from).unwrap_or_default(),
            letters.as_str()
        )
    }
}

enum Piece {
    Text(&'static str),
    Parameter(&'static str),
}

/// A template cut at its parameters.
fn pieces(template: &'static str) -> impl Iterator<Item = Piece> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = match rest.split_once('{') {
            Some(("", after)) => {
                let (name, after) = after.split_once('}').unwrap_or((after, ""));
                (Piece::Parameter(name), after)
            }
            Some((text, _)) => (Piece::Text(text), rest.get(text.len()..).unwrap_or_default()),
            None => (Piece::Text(rest), ""),
        };
        rest = after;
        Some(piece)
    })
}

/// Appends user text with line breaks and the like escaped.
fn push_line(text: &mut String, value: &str) {
    for c in value.chars() {
        match c.is_control() {
            true => text.extend(c.escape_default()),
            false => text.push(c),
        }
    }
}
