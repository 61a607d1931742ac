//! Findings: what they say, where, and how they print.

mod collector;
mod diagnostic;
mod path;
mod render;
mod rule;

use std::fmt;

pub use collector::Collector;
pub use diagnostic::{Code, Diagnostic, Excerpt, Severity, SourceLocation};
pub use path::{FieldPath, FieldPathError, Segment};
pub use render::TextStyle;
pub use rule::Rule;
pub(crate) use rule::rules;

/// A list of findings, in the order of the text or of the fields.
///
/// ```
/// use mesh_api::report::{Code, Diagnostic, Report, Severity};
///
/// let mut report = Report::new();
/// report.push(Diagnostic::new(Code::new("A-VS-1"), Severity::Error, "no hosts"));
/// assert!(!report.is_ok());
/// assert_eq!(report.errors().count(), 1);
/// for finding in &report {
///     assert_eq!(finding.to_string(), "no hosts [A-VS-1]");
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// A report without findings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finding at the end.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Adds all findings of another report at the end.
    pub fn extend(&mut self, other: Report) {
        self.diagnostics.extend(other.diagnostics);
    }

    /// All findings.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.diagnostics.iter()
    }

    /// All findings as a slice.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The errors: what makes an object unusable.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The warnings: accepted, but probably not meant.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Warning)
    }

    /// Whether there is no error; warnings and hints may be there.
    pub fn is_ok(&self) -> bool {
        self.errors().next().is_none()
    }

    /// Whether there is no finding at all.
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// The number of findings.
    pub fn len(&self) -> usize {
        self.diagnostics.len()
    }

    /// Gives every finding that has an object but no place in the text the place that `locate` knows.
    pub fn locate_with(
        &mut self,
        mut locate: impl FnMut(&crate::object::ObjectKey, &FieldPath) -> Option<SourceLocation>,
    ) {
        for diagnostic in &mut self.diagnostics {
            if let (None, Some(object)) = (&diagnostic.location, &diagnostic.object) {
                diagnostic.location = locate(object, &diagnostic.path);
            }
        }
    }

    /// Sorts by place in the text, then by code (A-GEN-3); for the findings of one file. Findings without a place stay in
    /// order at the end.
    pub fn sort_by_location(&mut self) {
        self.diagnostics.sort_by_cached_key(|diagnostic| {
            let start = diagnostic
                .location
                .as_ref()
                .map_or(usize::MAX, |location| location.span.start);
            let code = diagnostic.location.as_ref().map(|_| diagnostic.code);
            (start, code)
        });
    }
}

impl fmt::Display for Report {
    /// One line per finding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|diagnostic| writeln!(f, "{diagnostic}"))
    }
}

impl IntoIterator for Report {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.diagnostics.into_iter()
    }
}

impl<'a> IntoIterator for &'a Report {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.diagnostics.iter()
    }
}

impl FromIterator<Diagnostic> for Report {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        Self {
            diagnostics: diagnostics.into_iter().collect(),
        }
    }
}
