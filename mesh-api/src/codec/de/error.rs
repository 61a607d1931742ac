//! The error that travels through serde, until it is a finding.

use std::fmt::{self, Display};
use std::ops::Range;

use serde::de::{self, Expected, Unexpected};

use super::super::fault::{codes, quote};
use super::super::suggest;
use super::super::tree::{Node, NodeKind};
use crate::report::{Code, FieldPath};

/// Why a value does not fit its type. The innermost deserializer that sees it adds node and path.
#[derive(Debug)]
pub(crate) struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    reason: Reason,
    place: Option<Place>,
}

/// Where an error happened.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) node: u32,
    pub(crate) path: FieldPath,
    pub(crate) span: Range<usize>,
}

#[derive(Debug)]
pub(crate) enum Reason {
    /// The node has another type; what was expected, in serde's words.
    Type(String),
    /// The type is right, the value is not.
    Value(String),
    /// A name of an enum is not known.
    Variant {
        written: String,
        known: &'static [&'static str],
    },
    /// A required field is missing.
    Missing(&'static str),
    /// Anything else, in the words of the type.
    Other(String),
}

impl Error {
    pub(crate) fn new(reason: Reason) -> Self {
        Self(Box::new(Inner { reason, place: None }))
    }

    /// Adds the place, unless a deserializer further in did.
    pub(crate) fn or_at(mut self, place: impl FnOnce() -> Place) -> Self {
        self.0.place.get_or_insert_with(place);
        self
    }

    pub(crate) fn into_parts(self) -> (Reason, Option<Place>) {
        (self.0.reason, self.0.place)
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.reason {
            Reason::Type(expected) | Reason::Value(expected) => write!(f, "{expected} is needed"),
            Reason::Variant { written, .. } => write!(f, "unknown value {}", quote(written)),
            Reason::Missing(field) => write!(f, "the field `{field}` is missing"),
            Reason::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(Reason::Other(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Reason::Type(expected.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Reason::Value(expected.to_string()))
    }

    fn unknown_variant(written: &str, known: &'static [&'static str]) -> Self {
        Self::new(Reason::Variant {
            written: written.to_owned(),
            known,
        })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Reason::Missing(field))
    }
}

/// The words of a finding.
pub(crate) struct Wording {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Reason {
    /// Says what is wrong with `node`, with a fix where one is known (A-PAR-13, A-WIRE-3..9).
    pub(crate) fn word(self, node: &Node<'_>) -> Wording {
        match self {
            Self::Type(expected) => wrong_type(node, &expected),
            Self::Value(expected) => {
                let integer = integer_range(&expected);
                let needed = integer.unwrap_or(&expected);
                let code = if integer.is_some() || node.kind() == NodeKind::Int {
                    codes::INTEGER
                } else {
                    codes::SHAPE
                };
                let message = format!("{} is out of range, {needed} is needed here", written(node));
                Wording {
                    code: scalar_code(&expected).unwrap_or(code),
                    message,
                    help: None,
                }
            }
            Self::Variant { written, known } => {
                let near = known
                    .iter()
                    .find(|name| name.eq_ignore_ascii_case(&written))
                    .copied();
                let near = near.or_else(|| suggest::field(&written, known.iter().copied()));
                let help = match near {
                    None if written == "ALLOW" && known.contains(&"PERMISSIVE") => {
                        "write `PERMISSIVE`".to_owned()
                    }
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("write one of {}", known.join(", ")),
                };
                let message = format!("unknown value {}", quote(&written));
                Wording {
                    code: codes::ENUM,
                    message,
                    help: Some(help),
                }
            }
            Self::Missing(field) => Wording {
                code: codes::SHAPE,
                message: format!("the field `{field}` is missing"),
                help: None,
            },
            Self::Other(message) => {
                let coded = codes::OF_SCALARS.into_iter().find_map(|code| {
                    let rest = message
                        .strip_prefix('[')?
                        .strip_prefix(code.as_str())?
                        .strip_prefix("] ")?;
                    Some((code, rest.to_owned()))
                });
                let (code, message) = coded.unwrap_or((codes::SHAPE, message));
                Wording {
                    code,
                    message,
                    help: None,
                }
            }
        }
    }
}

fn written(node: &Node<'_>) -> String {
    match node.kind() {
        NodeKind::List | NodeKind::Map => node.kind().describe().to_owned(),
        NodeKind::Null if node.text().is_empty() => "nothing".to_owned(),
        _ => quote(node.text()),
    }
}

fn wrong_type(node: &Node<'_>, expected: &str) -> Wording {
    let needed = integer_range(expected).unwrap_or(match expected {
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        other if other.starts_with("struct ") => "a map",
        other => other,
    });
    let text = node.text();
    let (code, help) = match needed {
        "a list" => (
            codes::SHAPE,
            (!text.is_empty()).then(|| format!("write [{text}]")),
        ),
        "a map" => (codes::SHAPE, None),
        "a boolean" => (
            codes::BOOL,
            matches!(text, "true" | "false").then(|| "remove the quotes".to_owned()),
        ),
        "a number" => (codes::FLOAT, None),
        _ if integer_range(expected).is_some() => (codes::INTEGER, None),
        _ => {
            let code = if expected.starts_with("one of ") {
                codes::ENUM
            } else {
                codes::STRING
            };
            let quotable = matches!(node.kind(), NodeKind::Bool | NodeKind::Int | NodeKind::Float);
            (
                scalar_code(expected).unwrap_or(code),
                quotable.then(|| format!("write \"{text}\"")),
            )
        }
    };
    let legacy = node.kind() == NodeKind::Bool && !matches!(text, "true" | "false");
    let kind = if legacy {
        "a boolean in YAML 1.1"
    } else {
        node.kind().describe()
    };
    let message = match node.kind() {
        NodeKind::List | NodeKind::Map => format!("{kind} stands where {needed} is needed"),
        NodeKind::Null => format!("null stands where {needed} is needed"),
        _ => format!("{} is {kind}, {needed} is needed here", quote(text)),
    };
    Wording { code, message, help }
}

/// The code of a scalar type, by what it says it expects.
fn scalar_code(expected: &str) -> Option<Code> {
    if expected.starts_with("a duration") {
        Some(codes::DURATION)
    } else if expected.starts_with("base64") {
        Some(codes::BYTES)
    } else if expected.starts_with("an RFC 3339") {
        Some(codes::METADATA)
    } else {
        None
    }
}

/// The bounds behind the name of a Rust integer.
fn integer_range(expected: &str) -> Option<&'static str> {
    Some(match expected {
        "i8" => "an integer from -128 to 127",
        "i16" => "an integer from -32768 to 32767",
        "i32" => "an integer from -2147483648 to 2147483647",
        "i64" => "an integer of 64 bits",
        "u8" => "an integer from 0 to 255",
        "u16" => "an integer from 0 to 65535",
        "u32" => "an integer from 0 to 4294967295",
        "u64" | "usize" => "an integer from 0 to 18446744073709551615",
        _ => return None,
    })
}
