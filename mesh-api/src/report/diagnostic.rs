//! One finding.

use std::fmt;
use std::ops::Range;

use super::FieldPath;
use crate::names::Text;
use crate::object::ObjectKey;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Accepted, but probably not meant.
    Warning,
    /// The object, or what the finding names of it, is refused.
    Error,
}

impl Severity {
    /// `info`, `warning` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The stable id of the rule behind a finding, such as `A-WIRE-2`. An id is never used for another rule.
///
/// ```
/// use mesh_api::report::Code;
///
/// const UNKNOWN_FIELD: Code = Code::new("A-WIRE-2");
/// assert_eq!(UNKNOWN_FIELD.as_str(), "A-WIRE-2");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

impl Code {
    /// The code of a rule id.
    pub const fn new(id: &'static str) -> Self {
        Self(id)
    }

    /// The rule id.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A place in a text that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLocation {
    /// The name of the text, as the caller gave it: usually a file name.
    pub file: Text,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1 in characters.
    pub column: u32,
    /// The bytes in the text.
    pub span: Range<usize>,
    /// The line's text, or the part of a long line around the place, to be shown under the message.
    pub excerpt: Excerpt,
}

/// The part of a line that a [`SourceLocation`] points into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The text, without a line break.
    pub text: Text,
    /// How many characters of it stand before the place.
    pub before: usize,
    /// How many characters the place covers in it, at least 1.
    pub width: usize,
}

impl fmt::Display for SourceLocation {
    /// `file:line:column`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One finding: which rule, how bad, where, and what to do.
///
/// `Display` is one line, [`render`](Self::render) is the long form with the line of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// The rule.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The object, if the finding is about one.
    pub object: Option<ObjectKey>,
    /// The field in the object.
    pub path: FieldPath,
    /// The place in the text, where text is at hand.
    pub location: Option<SourceLocation>,
    /// What is wrong: lower case, no full stop, user text in backticks.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A finding without object, field and place; the `with_` methods add them.
    pub fn new(code: Code, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            object: None,
            path: FieldPath::root(),
            location: None,
            message: message.into(),
            help: None,
        }
    }

    /// The finding, about an object.
    #[must_use]
    pub fn with_object(mut self, object: ObjectKey) -> Self {
        self.object = Some(object);
        self
    }

    /// The finding, about a field.
    #[must_use]
    pub fn with_path(mut self, path: FieldPath) -> Self {
        self.path = path;
        self
    }

    /// The finding, at a place in a text.
    #[must_use]
    pub fn with_location(mut self, location: SourceLocation) -> Self {
        self.location = Some(location);
        self
    }

    /// The finding, with advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    /// One line: place or object, message, advice, rule.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.location, &self.object) {
            (Some(location), _) => write!(f, "{location}: ")?,
            (None, Some(object)) if self.path.is_root() => write!(f, "{object}: ")?,
            (None, Some(object)) => write!(f, "{object} {}: ", self.path)?,
            (None, None) => {}
        }
        f.write_str(&self.message)?;
        if let Some(help) = &self.help {
            write!(f, ", {help}")?;
        }
        write!(f, " [{}]", self.code)
    }
}

impl std::error::Error for Diagnostic {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    fn finding() -> Diagnostic {
        Diagnostic::new(Code::new("A-WIRE-2"), Severity::Error, "unknown field `perfix`")
            .with_object(ObjectKey::new(Kind::VirtualService, "shop", "reviews"))
            .with_path("spec.http[0].match[0].uri.perfix".parse().unwrap())
            .with_help("did you mean `prefix`?")
    }

    #[test]
    fn prints_one_line() {
        assert_eq!(
            finding().to_string(),
            "VirtualService shop/reviews spec.http[0].match[0].uri.perfix: unknown field `perfix`, \
             did you mean `prefix`? [A-WIRE-2]"
        );
    }
}
