//! Short ways to write field paths.

use crate::meta::ObjectMeta;
use crate::report::FieldPath;

/// A step of a path: a field, a key, or an index.
pub(super) trait Step {
    fn below(self, path: &FieldPath) -> FieldPath;
}

impl Step for &'static str {
    fn below(self, path: &FieldPath) -> FieldPath {
        path.with_field(self)
    }
}

impl Step for &String {
    fn below(self, path: &FieldPath) -> FieldPath {
        path.with_key(self)
    }
}

impl Step for usize {
    fn below(self, path: &FieldPath) -> FieldPath {
        path.with_index(self)
    }
}

/// `field!["spec", "http", 2, "route"]`
macro_rules! field {
    ($($step:expr),*) => {{
        let path = $crate::report::FieldPath::root();
        $(let path = $crate::analyze::path::Step::below($step, &path);)*
        path
    }};
}
pub(super) use field;

/// The object's name.
pub(super) fn name() -> FieldPath {
    field!["metadata", "name"]
}

/// `namespace/name`, or the name alone.
pub(super) fn qualified(meta: &ObjectMeta) -> String {
    match meta.namespace.as_str() {
        "" => meta.name.to_string(),
        namespace => format!("{namespace}/{}", meta.name),
    }
}
