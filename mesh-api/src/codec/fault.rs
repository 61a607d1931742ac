//! Findings of the decoder before they are placed in a report, and the rules they cite.

use std::ops::Range;

use crate::report::{Code, Diagnostic, FieldPath, Severity};

use super::source::Source;

/// The codes that the decoder reports, each a rule of the API specification.
pub mod codes {
    use crate::report::Code;

    /// The input is not UTF-8 text, or holds control characters.
    pub const ENCODING: Code = Code::new("A-PAR-1");
    /// A list of objects is malformed or nested too deep.
    pub const LIST: Code = Code::new("A-PAR-4");
    /// A document is not an object with `apiVersion` and `kind`.
    pub const ENVELOPE: Code = Code::new("A-PAR-5");
    /// A key stands twice in one map.
    pub const DUPLICATE_KEY: Code = Code::new("A-PAR-6");
    /// A scalar has no meaning in JSON.
    pub const SCALAR: Code = Code::new("A-PAR-7");
    /// A key is no text, or became text in an unexpected way.
    pub const KEY: Code = Code::new("A-PAR-8");
    /// An alias is broken, or aliases expand to too much.
    pub const ALIAS: Code = Code::new("A-PAR-9");
    /// A tag does not fit or is not known.
    pub const TAG: Code = Code::new("A-PAR-10");
    /// A limit is exceeded.
    pub const LIMIT: Code = Code::new("A-PAR-11");
    /// The text is not well-formed YAML or JSON.
    pub const SYNTAX: Code = Code::new("A-PAR-12");
    /// A list, map or scalar stands where another is needed.
    pub const SHAPE: Code = Code::new("A-PAR-13");
    /// A field is spelled in `snake_case`, or in both spellings.
    pub const SPELLING: Code = Code::new("A-WIRE-1");
    /// A field is not known.
    pub const UNKNOWN_FIELD: Code = Code::new("A-WIRE-2");
    /// A text is not a duration.
    pub const DURATION: Code = Code::new("A-WIRE-3");
    /// A value of an enum is not known.
    pub const ENUM: Code = Code::new("A-WIRE-4");
    /// An integer is needed, or is out of range.
    pub const INTEGER: Code = Code::new("A-WIRE-5");
    /// A number is needed.
    pub const FLOAT: Code = Code::new("A-WIRE-6");
    /// A boolean is needed.
    pub const BOOL: Code = Code::new("A-WIRE-7");
    /// A string is needed.
    pub const STRING: Code = Code::new("A-WIRE-8");
    /// A text is not base64.
    pub const BYTES: Code = Code::new("A-WIRE-9");
    /// A `null` stands where a value is needed.
    pub const NULL: Code = Code::new("A-WIRE-11");
    /// More than one member of a oneof is set.
    pub const ONEOF: Code = Code::new("A-WIRE-13");
    /// A top-level key does not belong to an object.
    pub const TOP_LEVEL: Code = Code::new("A-MET-1");
    /// A field of the metadata is malformed.
    pub const METADATA: Code = Code::new("A-MET-2");
    /// An object has no name.
    pub const NAME: Code = Code::new("A-MET-4");
    /// An object is defined twice.
    pub const DUPLICATE_OBJECT: Code = Code::new("A-RES-3");

    /// The codes that scalar types put in front of their messages.
    pub(crate) const OF_SCALARS: [Code; 3] = [DURATION, BYTES, METADATA];
}

/// A finding with a range of bytes instead of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) span: Range<usize>,
    pub(crate) path: FieldPath,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Fault {
    pub(crate) fn error(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            span,
            path: FieldPath::root(),
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn warning(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn with_path(mut self, path: FieldPath) -> Self {
        self.path = path;
        self
    }

    pub(crate) fn into_diagnostic(self, source: &Source) -> Diagnostic {
        let Self {
            code,
            severity,
            span,
            path,
            message,
            help,
        } = self;
        let mut diagnostic = Diagnostic::new(code, severity, message)
            .with_path(path)
            .with_location(source.location(span));
        diagnostic.help = help;
        diagnostic
    }
}

/// User text for a message: shortened, and without line breaks.
pub(crate) fn quote(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(60)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(60).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
