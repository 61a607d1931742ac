//! Where things are written: origins to `file:line`.

use mesh_api::report::{Code, SourceLocation};
use mesh_api::{Diagnostic, FieldPath, ObjectKey, ObjectSet, Severity};
use mesh_route::plan::{At, Origin};
use mesh_route::snapshot::Finding;

use crate::answer::Source;

/// Looks up places in the objects that were read.
pub(crate) struct Places {
    objects: ObjectSet,
}

impl Places {
    pub(crate) fn new(objects: ObjectSet) -> Self {
        Self { objects }
    }

    /// The line of the object's field, of the nearest field around it that is written, or the name of the default.
    pub(crate) fn source(&self, origin: &Origin) -> Source {
        match &origin.object {
            Some(key) => self.of_object(key, &path(origin.at)),
            None => Source::Built(origin.to_string()),
        }
    }

    /// The line of a field of the rule that `origin` stands in, e.g. `timeout` of `spec.http[0]`; of the rule itself
    /// where the field is not written.
    pub(crate) fn of_rule_field(&self, origin: &Origin, field: &'static str) -> Source {
        match (&origin.object, origin.at) {
            (Some(key), At::HttpRule { entry, .. }) => {
                let rule = FieldPath::spec()
                    .with_field("http")
                    .with_index(usize::from(entry));
                self.of_object(key, &rule.with_field(field))
            }
            _ => self.source(origin),
        }
    }

    /// The same for a path, e.g. `spec.servers[0]`.
    pub(crate) fn of_object(&self, key: &ObjectKey, path: &FieldPath) -> Source {
        match self.location(key, path) {
            Some(location) => Source::File {
                name: location.file.to_string(),
                line: location.line,
            },
            None => Source::Unknown,
        }
    }

    /// A finding of the snapshot, with its place.
    pub(crate) fn diagnostic(&self, finding: &Finding) -> Diagnostic {
        let location = self.location(&finding.object, &finding.path);
        let diagnostic = Diagnostic::new(Code::new(finding.rule), Severity::Warning, &*finding.reason)
            .with_object(ObjectKey::clone(&finding.object))
            .with_path(finding.path.clone());
        match location {
            Some(location) => diagnostic.with_location(location),
            None => diagnostic,
        }
    }

    fn location(&self, key: &ObjectKey, path: &FieldPath) -> Option<SourceLocation> {
        let around = std::iter::successors(Some(path.clone()), FieldPath::parent);
        around
            .into_iter()
            .find_map(|path| self.objects.location(key, &path))
    }
}

/// The place as a path; places that are no fields stand for the object.
fn path(at: At) -> FieldPath {
    match at {
        At::Object | At::Mesh(_) | At::Default(_) | At::Imported(_) => FieldPath::root(),
        field => field.to_string().parse().unwrap_or_else(|_| FieldPath::root()),
    }
}
