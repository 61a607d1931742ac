//! Where validators put their findings.

use super::{Code, Diagnostic, FieldPath, Report, Severity};
use crate::object::ObjectKey;

/// Collects the findings about one object, in the order in which they are made.
///
/// ```
/// use mesh_api::report::{Code, Collector, FieldPath};
/// use mesh_api::{Kind, ObjectKey};
///
/// let mut found = Collector::new(Some(ObjectKey::new(Kind::VirtualService, "shop", "reviews")));
/// let weight = FieldPath::spec().with_field("http").with_index(0).with_field("weight");
/// found.error(Code::new("A-VS-82"), &weight, "weight is below 0");
/// let report = found.into_report();
/// assert_eq!(report.len(), 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Collector {
    object: Option<ObjectKey>,
    report: Report,
}

impl Collector {
    /// A collector for findings about `object`.
    pub fn new(object: Option<ObjectKey>) -> Self {
        Self {
            object,
            report: Report::new(),
        }
    }

    /// Adds a finding.
    pub fn push(
        &mut self,
        code: Code,
        severity: Severity,
        path: &FieldPath,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let mut diagnostic = Diagnostic::new(code, severity, message).with_path(path.clone());
        diagnostic.object = self.object.clone();
        diagnostic.help = help;
        self.report.push(diagnostic);
    }

    /// Adds an error without advice.
    pub fn error(&mut self, code: Code, path: &FieldPath, message: impl Into<String>) {
        self.push(code, Severity::Error, path, message, None);
    }

    /// Adds a warning without advice.
    pub fn warning(&mut self, code: Code, path: &FieldPath, message: impl Into<String>) {
        self.push(code, Severity::Warning, path, message, None);
    }

    /// Whether no error was added.
    pub fn is_ok(&self) -> bool {
        self.report.is_ok()
    }

    /// The findings so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Drops the warnings so far, as the rules marked so want it (A-GEN-6).
    pub fn drop_warnings(&mut self) {
        let kept = std::mem::take(&mut self.report);
        self.report = kept
            .into_iter()
            .filter(|diagnostic| diagnostic.severity != Severity::Warning)
            .collect();
    }

    /// The findings.
    pub fn into_report(self) -> Report {
        self.report
    }
}
