//! Findings of the decoder before they are placed in a report, and the rules they cite.

use std::ops::Range;

use crate::report::{Code, Diagnostic, FieldPath, Severity};

use super::source::Source;

/// The codes that the decoder reports, each a rule of the API specification.
pub mod codes {
    use crate::report::{Code, Rule, Severity};

    /// Declares codes, and the list of their rules.
    macro_rules! codes {
        ($($name:ident $id:literal $doc:literal;)*) => {
            $(#[doc = concat!($id, ": ", $doc, ".")]
            pub const $name: Code = Code::new($id);)*

            /// The conditions behind the codes. What a finding weighs may depend on the profile; here stands the gravest.
            pub const RULES: &[Rule] = &[$(Rule { code: $name, severity: Severity::Error, doc: $doc, cites: &[] }),*];
        };
    }

    codes! {
        ENCODING "A-PAR-1" "the input is not UTF-8 text, or holds control characters";
        LIST "A-PAR-4" "a list of objects is malformed or nested too deep";
        ENVELOPE "A-PAR-5" "a document is not an object with `apiVersion` and `kind`";
        DUPLICATE_KEY "A-PAR-6" "a key stands twice in one map";
        SCALAR "A-PAR-7" "a scalar has no meaning in JSON";
        KEY "A-PAR-8" "a key is no text, or became text in an unexpected way";
        ALIAS "A-PAR-9" "an alias is broken, or aliases expand to too much";
        TAG "A-PAR-10" "a tag does not fit or is not known";
        LIMIT "A-PAR-11" "a limit is exceeded";
        SYNTAX "A-PAR-12" "the text is not well-formed YAML or JSON";
        SHAPE "A-PAR-13" "a list, map or scalar stands where another is needed";
        SPELLING "A-WIRE-1" "a field is spelled in `snake_case`, or in both spellings";
        UNKNOWN_FIELD "A-WIRE-2" "a field is not known";
        DURATION "A-WIRE-3" "a text is not a duration";
        ENUM "A-WIRE-4" "a value of an enum is not known";
        INTEGER "A-WIRE-5" "an integer is needed, or is out of range";
        FLOAT "A-WIRE-6" "a number is needed";
        BOOL "A-WIRE-7" "a boolean is needed";
        STRING "A-WIRE-8" "a string is needed";
        BYTES "A-WIRE-9" "a text is not base64";
        NULL "A-WIRE-11" "a `null` stands where a value is needed";
        ONEOF "A-WIRE-13" "more than one member of a oneof is set";
        TOP_LEVEL "A-MET-1" "a top-level key does not belong to an object";
        METADATA "A-MET-2" "a field of the metadata is malformed";
        NAME "A-MET-4" "an object has no name";
        VERSION "A-RES-1" "a version of a kind is not served";
        KIND "A-RES-2" "a kind is not known in a group of Istio's";
        OPERATOR_VERSION "A-RES-5" "an IstioOperator is not of version v1alpha1";
        DUPLICATE_OBJECT "A-RES-3" "an object is defined twice";
    }

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
