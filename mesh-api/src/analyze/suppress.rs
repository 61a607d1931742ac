//! Which messages nobody wants to hear.

use std::fmt;
use std::str::FromStr;

use globset::{Glob, GlobMatcher};

use super::MessageType;
use crate::meta::ObjectMeta;
use crate::object::ObjectKey;

/// The annotation that names codes, separated by commas, or `*`.
const ANNOTATION: &str = "galley.istio.io/analyze-suppress";

/// A rule of the caller: messages of a code about some objects are left out (A-AN-1).
///
/// Written `CODE=Kind name.namespace`, with `*` and `?` as wildcards in the part after the `=`; objects outside namespaces
/// are written `Kind name`. The form `Kind namespace/name` that messages print is understood too.
///
/// ```
/// use mesh_api::analyze::Suppression;
///
/// let rule: Suppression = "IST0103=Pod *.testing".parse()?;
/// assert_eq!(rule.to_string(), "IST0103=Pod *.testing");
/// assert!("IST0103".parse::<Suppression>().is_err());
/// # Ok::<(), mesh_api::analyze::SuppressionError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Suppression {
    code: String,
    pattern: GlobMatcher,
}

impl Suppression {
    pub(super) fn covers(&self, kind: &MessageType, object: &ObjectKey) -> bool {
        if self.code != kind.code.as_str() {
            return false;
        }
        let dotted = match object.namespace.as_str() {
            "" => format!("{} {}", object.kind, object.name),
            namespace => format!("{} {}.{namespace}", object.kind, object.name),
        };
        self.pattern.is_match(dotted) || self.pattern.is_match(object.to_string())
    }
}

impl PartialEq for Suppression {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code && self.pattern.glob() == other.pattern.glob()
    }
}

impl fmt::Display for Suppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.code, self.pattern.glob())
    }
}

impl FromStr for Suppression {
    type Err = SuppressionError;

    fn from_str(text: &str) -> Result<Self, SuppressionError> {
        let (code, pattern) = text.split_once('=').ok_or_else(|| SuppressionError {
            text: text.to_owned(),
            why: "it has no `=`",
        })?;
        if super::codes::find(code).is_none() {
            return Err(SuppressionError {
                text: text.to_owned(),
                why: "no message has this code",
            });
        }
        let glob = Glob::new(pattern).map_err(|_| SuppressionError {
            text: text.to_owned(),
            why: "the pattern is malformed",
        })?;
        Ok(Self {
            code: code.to_owned(),
            pattern: glob.compile_matcher(),
        })
    }
}

/// Why a text is no [`Suppression`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no suppression like `IST0103=Pod *.testing`: {why}")]
pub struct SuppressionError {
    text: String,
    why: &'static str,
}

/// Whether the object asks for silence.
pub(super) fn is_suppressed_by_annotation(meta: &ObjectMeta, kind: &MessageType) -> bool {
    meta.annotation(ANNOTATION).is_some_and(|codes| {
        codes
            .split(',')
            .map(str::trim)
            .any(|code| code == "*" || code == kind.code.as_str())
    })
}
