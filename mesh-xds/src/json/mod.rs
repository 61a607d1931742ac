//! JSON of Envoy messages, in and out, through the reflected form (feature `reflect`).
//!
//! Out: lowerCamelCase names, object keys in order, 64-bit integers as strings, durations as `1.5s`, bytes as base64,
//! enums by name, the content of an `Any` beside its `@type`. An `Any` of a type that is not part of [`pb`](crate::pb)
//! is `{"@type": .., "value": <base64>}`. In: the same, and snake_case names as well. Equal messages give equal text and
//! equal bytes, in any process.
//!
//! ```
//! use mesh_xds::json;
//! use mesh_xds::pb::envoy::config::cluster::v3::Cluster;
//!
//! let cluster: Cluster = json::from_json_str(r#"{"name": "ratings", "connect_timeout": "0.25s"}"#)?;
//! assert_eq!(json::to_json_string(&cluster)?, r#"{"connectTimeout":"0.25s","name":"ratings"}"#);
//!
//! let error = json::from_json_str::<Cluster>(r#"{"commonLbConfig": {"panic": 0}}"#).unwrap_err();
//! assert_eq!(error.to_string(), "commonLbConfig.panic: unknown field of `envoy.config.cluster.v3.Cluster.CommonLbConfig`");
//! # Ok::<(), json::JsonError>(())
//! ```
//!
//! Spec: proto3 JSON mapping, as Envoy reads and prints it.

use std::fmt;
use std::sync::OnceLock;

use prost::Name;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::Value;

use crate::pb::{DESCRIPTORS, message_name};
use crate::resource::Resource;

mod canonical;
mod parse;
mod print;
mod scalar;
#[cfg(test)]
mod tests;

/// Full name of the message that carries any message.
pub(crate) const ANY: &str = "google.protobuf.Any";

/// How deep messages may lie in each other, those in an `Any` included. Deeper input is refused; a deeper `Any` is
/// printed, and encoded, as the bytes that it holds.
pub(crate) const MAX_DEPTH: usize = 100;

/// A message as JSON.
///
/// # Errors
///
/// When the message nests deeper than 100 levels or holds a time that JSON cannot express (a year outside 1 to 9999).
pub fn to_json<M: Name>(message: &M) -> Result<Value, JsonError> {
    let descriptor = descriptor::<M>()?;
    let dynamic = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())
        .map_err(|error| JsonError::new(Problem::Malformed(error.to_string())))?;
    print::message(&dynamic, 0)
}

/// The message of a resource as JSON.
///
/// # Errors
///
/// As [`to_json`], and when the bytes of the resource are no message of its kind.
pub fn resource_to_json(resource: &Resource) -> Result<Value, JsonError> {
    let type_url = resource.kind().type_url();
    let descriptor = PB.message(message_name(&type_url))?;
    let dynamic = DynamicMessage::decode(descriptor, resource.body())
        .map_err(|error| JsonError::new(Problem::Malformed(error.to_string())))?;
    print::message(&dynamic, 0)
}

/// A message as JSON text on one line.
///
/// # Errors
///
/// As [`to_json`].
pub fn to_json_string<M: Name>(message: &M) -> Result<String, JsonError> {
    Ok(to_json(message)?.to_string())
}

/// Reads a message from JSON. A key that is no field of its message is an error.
///
/// # Errors
///
/// [`JsonError`] names the place and what is wrong there: an unknown field, a value of the wrong type or out of range,
/// two members of a oneof, an `@type` that is no message of [`pb`](crate::pb), nesting over 100 levels.
pub fn from_json<M: Name + Default>(value: &Value) -> Result<M, JsonError> {
    read(value, &mut parse::Unknown::Refused)
}

/// Reads a message from JSON and leaves out unknown fields and `Any` values of unknown types; the second part of the
/// result names their places.
///
/// # Errors
///
/// As [`from_json`], without the two that are collected.
pub fn from_json_lenient<M: Name + Default>(value: &Value) -> Result<(M, Vec<String>), JsonError> {
    let mut unknown = parse::Unknown::Collected(Vec::new());
    let message = read(value, &mut unknown)?;
    Ok((message, unknown.into_paths()))
}

/// Reads a message from JSON text.
///
/// # Errors
///
/// As [`from_json`], and when the text is no JSON.
pub fn from_json_str<M: Name + Default>(text: &str) -> Result<M, JsonError> {
    let value =
        serde_json::from_str(text).map_err(|error| JsonError::new(Problem::Syntax(error.to_string())))?;
    from_json(&value)
}

fn read<M: Name + Default>(value: &Value, unknown: &mut parse::Unknown) -> Result<M, JsonError> {
    let dynamic = parse::message(&descriptor::<M>()?, value, unknown)?;
    M::decode(canonical::encode(&dynamic, 0).as_slice())
        .map_err(|error| JsonError::new(Problem::Malformed(error.to_string())))
}

fn descriptor<M: Name>() -> Result<MessageDescriptor, JsonError> {
    PB.message(&M::full_name())
}

/// Reads JSON as the message of a descriptor, which may be of another set than [`pb`](crate::pb)'s, as istiod does: what is
/// not known is left out, and durations may be written as Go writes them (`500ms`). The second part of the result says what
/// was left out.
#[cfg(feature = "envoy-schema")]
pub(crate) fn read_as_istiod(
    descriptor: &MessageDescriptor,
    value: &Value,
) -> Result<(DynamicMessage, Vec<JsonError>), JsonError> {
    let mut unknown = parse::Unknown::Collected(Vec::new());
    let message = parse::message_as_istiod(descriptor, value, &mut unknown)?;
    Ok((message, unknown.into_errors()))
}

/// The message in an `Any`, if its type is in the same descriptor set.
#[cfg(feature = "envoy-schema")]
pub(crate) fn open_any(any: &DynamicMessage) -> Option<DynamicMessage> {
    canonical::open_any(any)
}

/// The messages of [`pb`](crate::pb).
static PB: Descriptors = Descriptors::new(DESCRIPTORS);

/// A committed descriptor set, decoded at first use.
pub(crate) struct Descriptors {
    encoded: &'static [u8],
    pool: OnceLock<Result<DescriptorPool, String>>,
}

impl Descriptors {
    pub(crate) const fn new(encoded: &'static [u8]) -> Self {
        Self {
            encoded,
            pool: OnceLock::new(),
        }
    }

    pub(crate) fn message(&self, name: &str) -> Result<MessageDescriptor, JsonError> {
        self.pool()?
            .get_message_by_name(name)
            .ok_or_else(|| JsonError::new(Problem::NoDescriptor(name.to_owned())))
    }

    fn pool(&self) -> Result<&DescriptorPool, JsonError> {
        self.pool
            .get_or_init(|| DescriptorPool::decode(self.encoded).map_err(|error| error.to_string()))
            .as_ref()
            .map_err(|error| JsonError::new(Problem::Internal(error.clone())))
    }
}

/// Why JSON and a message could not be turned into each other, and where.
///
/// It prints as `path: reason`; the path has the field names as they were written, `[i]` for list elements and `["k"]`
/// for map entries.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonError {
    /// Innermost last while being built, reversed on display.
    path: Vec<Segment>,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq)]
enum Segment {
    Field(String),
    Index(usize),
    Key(String),
}

#[derive(Clone, Debug, PartialEq)]
enum Problem {
    /// The text is no JSON.
    Syntax(String),
    /// The message has no such field.
    UnknownField { message: String },
    /// No message of that name is known.
    UnknownType(String),
    /// The value cannot be one of this field.
    Expected { expected: String, found: String },
    /// Another member of the oneof is set, or the field is given in both spellings.
    SetTwice { by: String },
    /// Too deep.
    TooDeep,
    /// A time outside what RFC 3339 can say.
    TimeOutOfRange,
    /// Bytes that are no encoding of their message.
    Malformed(String),
    /// A message that is not in the descriptor set: not one of [`pb`](crate::pb).
    NoDescriptor(String),
    /// Ours: the committed descriptor set does not decode.
    Internal(String),
}

impl JsonError {
    fn new(problem: Problem) -> JsonError {
        JsonError {
            path: Vec::new(),
            problem,
        }
    }

    fn expected(expected: impl Into<String>, found: &Value) -> JsonError {
        let mut found = found.to_string();
        if found.chars().count() > 40 {
            found = found.chars().take(40).chain(std::iter::once('…')).collect();
        }
        JsonError::new(Problem::Expected {
            expected: expected.into(),
            found,
        })
    }

    fn in_field(mut self, name: &str) -> JsonError {
        self.path.push(Segment::Field(name.to_owned()));
        self
    }

    fn in_index(mut self, index: usize) -> JsonError {
        self.path.push(Segment::Index(index));
        self
    }

    fn in_key(mut self, key: &str) -> JsonError {
        self.path.push(Segment::Key(key.to_owned()));
        self
    }

    /// Where the problem is, as `virtualHosts[0].routes`; empty for the message itself.
    pub fn path(&self) -> String {
        let mut text = String::new();
        for segment in self.path.iter().rev() {
            match segment {
                Segment::Field(name) if text.is_empty() => text.push_str(name),
                Segment::Field(name) => text.extend([".", name]),
                Segment::Index(index) => text.push_str(&format!("[{index}]")),
                Segment::Key(key) => text.push_str(&format!("[{key:?}]")),
            }
        }
        text
    }

    /// Whether the reason is a field that the message does not have.
    pub fn is_unknown_field(&self) -> bool {
        matches!(self.problem, Problem::UnknownField { .. })
    }

    /// The type URL that is not known, if that is the reason.
    pub(crate) fn unknown_type(&self) -> Option<&str> {
        match &self.problem {
            Problem::UnknownType(type_url) => Some(type_url),
            _ => None,
        }
    }

    fn is_too_deep(&self) -> bool {
        matches!(self.problem, Problem::TooDeep)
    }

    /// Whether the reason is an `@type` that is not part of [`pb`](crate::pb).
    pub fn is_unknown_type(&self) -> bool {
        self.unknown_type().is_some()
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        if !path.is_empty() {
            write!(f, "{path}: ")?;
        }
        match &self.problem {
            Problem::Syntax(error) => write!(f, "malformed JSON: {error}"),
            Problem::UnknownField { message } => write!(f, "unknown field of `{message}`"),
            Problem::UnknownType(type_url) => write!(f, "unknown type `{type_url}`"),
            Problem::Expected { expected, found } => write!(f, "expected {expected}, found `{found}`"),
            Problem::SetTwice { by } => write!(f, "already set by `{by}`"),
            Problem::TooDeep => write!(f, "nested deeper than {MAX_DEPTH} levels"),
            Problem::TimeOutOfRange => f.write_str("time out of range"),
            Problem::Malformed(error) => write!(f, "malformed message: {error}"),
            Problem::NoDescriptor(name) => write!(f, "`{name}` is not one of the messages of this crate"),
            Problem::Internal(error) => {
                write!(f, "internal error: the descriptor set does not decode: {error}")
            }
        }
    }
}

impl std::error::Error for JsonError {}
