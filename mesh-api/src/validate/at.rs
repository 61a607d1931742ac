//! Where in an object a validator stands, without allocation until something is to be reported.

use crate::report::FieldPath;

/// A place in an object: a step below another place.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Entry(&'static str, &'a str),
    Field(&'static str),
    Index(usize),
    Item(&'static str, usize),
    Key(&'a str),
    Root,
}

impl<'a> At<'a> {
    /// The place of a top-level field.
    pub(super) fn top(name: &'static str) -> At<'static> {
        At {
            parent: None,
            step: Step::Field(name),
        }
    }

    /// The place of a value that is no part of an object.
    pub(super) fn root() -> At<'static> {
        At {
            parent: None,
            step: Step::Root,
        }
    }

    /// The place of a field below.
    pub(super) fn field(&'a self, name: &'static str) -> At<'a> {
        At {
            parent: Some(self),
            step: Step::Field(name),
        }
    }

    /// The place of an element of a list that is a field below.
    pub(super) fn item(&'a self, name: &'static str, index: usize) -> At<'a> {
        At {
            parent: Some(self),
            step: Step::Item(name, index),
        }
    }

    /// The place of an entry of a map that is a field below.
    pub(super) fn entry(&'a self, name: &'static str, key: &'a str) -> At<'a> {
        At {
            parent: Some(self),
            step: Step::Entry(name, key),
        }
    }

    /// The place of a list element below.
    pub(super) fn index(&'a self, index: usize) -> At<'a> {
        At {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    /// The place of a map entry below.
    pub(super) fn key(&'a self, key: &'a str) -> At<'a> {
        At {
            parent: Some(self),
            step: Step::Key(key),
        }
    }

    /// The path in the form of reports.
    pub(super) fn path(&self) -> FieldPath {
        let above = self.parent.map_or(FieldPath::root(), At::path);
        match self.step {
            Step::Entry(name, key) => above.with_field(name).with_key(key),
            Step::Field(name) => above.with_field(name),
            Step::Item(name, index) => above.with_field(name).with_index(index),
            Step::Index(index) => above.with_index(index),
            Step::Key(key) => above.with_key(key),
            Step::Root => above,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn becomes_a_path() {
        let (spec, key) = (At::top("spec"), "x.y".to_owned());
        assert_eq!(
            spec.item("http", 2).field("headers").key(&key).path().to_string(),
            "spec.http[2].headers[\"x.y\"]"
        );
    }
}
