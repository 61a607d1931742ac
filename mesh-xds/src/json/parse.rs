//! JSON to reflected messages.

use prost::bytes::Bytes;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value as Field};
use serde_json::{Map, Value};

use super::canonical;
use super::print::{has_own_json_form, is_wrapper};
#[cfg(feature = "envoy-schema")]
use super::scalar::parse_go_duration;
use super::scalar::{base64_decode, parse_double, parse_duration, parse_integer, parse_timestamp};
use super::{ANY, JsonError, MAX_DEPTH, Problem};

/// What to do with fields and types that are not known.
pub(super) enum Unknown {
    /// They are errors.
    Refused,
    /// They are left out, and their places are kept.
    Collected(Vec<JsonError>),
}

impl Unknown {
    /// The places of what was left out, in the order of the text.
    pub(super) fn into_paths(self) -> Vec<String> {
        self.into_errors().iter().map(JsonError::path).collect()
    }

    /// What was left out, in the order of the text.
    pub(super) fn into_errors(self) -> Vec<JsonError> {
        match self {
            Unknown::Refused => Vec::new(),
            Unknown::Collected(errors) => errors,
        }
    }

    fn note(&mut self, error: JsonError) -> Result<(), JsonError> {
        match self {
            Unknown::Refused => Err(error),
            Unknown::Collected(errors) => {
                errors.push(error);
                Ok(())
            }
        }
    }

    /// How many were noted so far.
    fn mark(&self) -> usize {
        match self {
            Unknown::Refused => 0,
            Unknown::Collected(errors) => errors.len(),
        }
    }

    /// Puts a path segment in front of everything noted since `mark`.
    fn extend_paths(&mut self, mark: usize, extend: impl Fn(JsonError) -> JsonError) {
        if let Unknown::Collected(errors) = self {
            for error in errors.iter_mut().skip(mark) {
                *error = extend(error.clone());
            }
        }
    }
}

/// Reads a message of the given type.
pub(super) fn message(
    descriptor: &MessageDescriptor,
    value: &Value,
    unknown: &mut Unknown,
) -> Result<DynamicMessage, JsonError> {
    let parse_duration = parse_duration;
    Reader {
        unknown,
        parse_duration,
    }
    .message(descriptor, value, 0)
}

/// Reads a message of the given type; durations may be written as Go writes them, too.
#[cfg(feature = "envoy-schema")]
pub(super) fn message_as_istiod(
    descriptor: &MessageDescriptor,
    value: &Value,
    unknown: &mut Unknown,
) -> Result<DynamicMessage, JsonError> {
    let parse_duration = parse_go_duration;
    Reader {
        unknown,
        parse_duration,
    }
    .message(descriptor, value, 0)
}

struct Reader<'a> {
    unknown: &'a mut Unknown,
    /// A duration as seconds and nanoseconds.
    parse_duration: fn(&str) -> Option<(i64, i32)>,
}

impl Reader<'_> {
    /// Runs `read` and puts a path segment in front of what it reports.
    fn within<T>(
        &mut self,
        extend: impl Fn(JsonError) -> JsonError,
        read: impl FnOnce(&mut Self) -> Result<T, JsonError>,
    ) -> Result<T, JsonError> {
        let mark = self.unknown.mark();
        let result = read(self).map_err(&extend);
        self.unknown.extend_paths(mark, extend);
        result
    }

    fn message(
        &mut self,
        descriptor: &MessageDescriptor,
        value: &Value,
        depth: usize,
    ) -> Result<DynamicMessage, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::new(Problem::TooDeep));
        }
        match descriptor.full_name() {
            ANY => self.any(descriptor, value, depth),
            "google.protobuf.Duration" => {
                let (seconds, nanos) = text(value, "a duration like `1.5s`", self.parse_duration)?;
                seconds_and_nanos(descriptor, seconds, nanos)
            }
            "google.protobuf.Timestamp" => {
                let (seconds, nanos) = text(value, "an RFC 3339 time", parse_timestamp)?;
                seconds_and_nanos(descriptor, seconds, nanos)
            }
            "google.protobuf.Struct" | "google.protobuf.ListValue" => {
                self.single_field(descriptor, value, depth)
            }
            "google.protobuf.Value" => self.dynamic_value(descriptor, value, depth),
            "google.protobuf.FieldMask" => field_mask(descriptor, value),
            name if is_wrapper(name) => self.single_field(descriptor, value, depth),
            name => {
                let object = value
                    .as_object()
                    .ok_or_else(|| JsonError::expected(format!("a `{name}`"), value))?;
                self.fields(descriptor, object, depth, false)
            }
        }
    }

    /// Reads an object of fields; with `tagged` the key `@type` belongs to an `Any` around the message.
    fn fields(
        &mut self,
        descriptor: &MessageDescriptor,
        object: &Map<String, Value>,
        depth: usize,
        tagged: bool,
    ) -> Result<DynamicMessage, JsonError> {
        let mut message = DynamicMessage::new(descriptor.clone());
        for (name, value) in object {
            if tagged && name == "@type" {
                continue;
            }
            let found = descriptor
                .get_field_by_json_name(name)
                .or_else(|| descriptor.get_field_by_name(name));
            let Some(field) = found else {
                let problem = Problem::UnknownField {
                    message: descriptor.full_name().to_owned(),
                };
                self.unknown.note(JsonError::new(problem).in_field(name))?;
                continue;
            };
            // Null means unset, except where null itself is a value.
            if value.is_null() && !holds_null(&field) {
                continue;
            }
            let in_field = |error: JsonError| error.in_field(name);
            check_unset(&message, &field).map_err(in_field)?;
            if let Some(value) = self.within(in_field, |reader| reader.field(&field, value, depth))? {
                set(&mut message, &field, value).map_err(in_field)?;
            }
        }
        Ok(message)
    }

    /// The value of a field; nothing when it is an `Any` of an unknown type that was left out.
    fn field(
        &mut self,
        field: &FieldDescriptor,
        value: &Value,
        depth: usize,
    ) -> Result<Option<Field>, JsonError> {
        if field.is_map() {
            return self.map(field, value, depth).map(Some);
        }
        if !field.is_list() {
            return self.single(&field.kind(), value, depth);
        }
        let values = value
            .as_array()
            .ok_or_else(|| JsonError::expected("a list", value))?;
        let mut list = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            let element = self.within(
                |error| error.in_index(index),
                |reader| reader.single(&field.kind(), value, depth),
            )?;
            list.extend(element);
        }
        Ok(Some(Field::List(list)))
    }

    fn map(&mut self, field: &FieldDescriptor, value: &Value, depth: usize) -> Result<Field, JsonError> {
        let object = value
            .as_object()
            .ok_or_else(|| JsonError::expected("an object", value))?;
        let Kind::Message(entry) = field.kind() else {
            return Err(JsonError::expected("a map", value));
        };
        let (key_kind, value_kind) = (
            entry.map_entry_key_field().kind(),
            entry.map_entry_value_field().kind(),
        );
        let mut entries = std::collections::HashMap::with_capacity(object.len());
        for (name, value) in object {
            let in_key = |error: JsonError| error.in_key(name);
            let key = map_key(&key_kind, name).map_err(in_key)?;
            if let Some(value) = self.within(in_key, |reader| reader.single(&value_kind, value, depth))? {
                entries.insert(key, value);
            }
        }
        Ok(Field::Map(entries))
    }

    fn single(&mut self, kind: &Kind, value: &Value, depth: usize) -> Result<Option<Field>, JsonError> {
        let Kind::Message(descriptor) = kind else {
            return scalar(kind, value).map(Some);
        };
        match self.message(descriptor, value, depth + 1) {
            Ok(message) => Ok(Some(Field::Message(message))),
            Err(error) if error.is_unknown_type() => self.unknown.note(error).map(|()| None),
            Err(error) => Err(error),
        }
    }

    fn any(
        &mut self,
        descriptor: &MessageDescriptor,
        value: &Value,
        depth: usize,
    ) -> Result<DynamicMessage, JsonError> {
        let object = value
            .as_object()
            .ok_or_else(|| JsonError::expected("an object with `@type`", value))?;
        let mut any = DynamicMessage::new(descriptor.clone());
        let Some(tag) = object.get("@type") else {
            return match object.is_empty() {
                true => Ok(any),
                false => Err(JsonError::expected("an object with `@type`", value)),
            };
        };
        let type_url = tag
            .as_str()
            .ok_or_else(|| JsonError::expected("a type URL", tag).in_field("@type"))?;
        let bytes = match canonical::descriptor_of(&any, type_url) {
            Some(inner) => self.any_of_known_type(&inner, object, depth)?,
            // The form in which an unknown type is printed.
            None => match (object.len(), object.get("value")) {
                (2, Some(Value::String(bytes))) => base64_decode(bytes)
                    .ok_or_else(|| JsonError::expected("base64", value).in_field("value"))?,
                _ => return Err(JsonError::new(Problem::UnknownType(type_url.to_owned()))),
            },
        };
        set_named(&mut any, "type_url", Field::String(type_url.to_owned()))?;
        set_named(&mut any, "value", Field::Bytes(Bytes::from(bytes)))?;
        Ok(any)
    }

    fn any_of_known_type(
        &mut self,
        inner: &MessageDescriptor,
        object: &Map<String, Value>,
        depth: usize,
    ) -> Result<Vec<u8>, JsonError> {
        if depth >= MAX_DEPTH {
            return Err(JsonError::new(Problem::TooDeep));
        }
        let message = if has_own_json_form(inner.full_name()) {
            let value = object.get("value").unwrap_or(&Value::Null);
            self.within(
                |error| error.in_field("value"),
                |reader| reader.message(inner, value, depth + 1),
            )?
        } else {
            self.fields(inner, object, depth + 1, true)?
        };
        Ok(canonical::encode(&message, depth + 1))
    }

    /// Wrappers, `Struct` and `ListValue`: the value of their only field.
    fn single_field(
        &mut self,
        descriptor: &MessageDescriptor,
        value: &Value,
        depth: usize,
    ) -> Result<DynamicMessage, JsonError> {
        let mut message = DynamicMessage::new(descriptor.clone());
        if let Some(field) = descriptor.fields().next()
            && let Some(value) = self.field(&field, value, depth)?
        {
            set(&mut message, &field, value)?;
        }
        Ok(message)
    }

    /// `google.protobuf.Value`: whatever JSON is there.
    fn dynamic_value(
        &mut self,
        descriptor: &MessageDescriptor,
        value: &Value,
        depth: usize,
    ) -> Result<DynamicMessage, JsonError> {
        let member = match value {
            Value::Null => "null_value",
            Value::Bool(_) => "bool_value",
            Value::Number(_) => "number_value",
            Value::String(_) => "string_value",
            Value::Array(_) => "list_value",
            Value::Object(_) => "struct_value",
        };
        let mut message = DynamicMessage::new(descriptor.clone());
        if let Some(field) = descriptor.get_field_by_name(member)
            && let Some(value) = self.field(&field, value, depth)?
        {
            set(&mut message, &field, value)?;
        }
        Ok(message)
    }
}

/// Whether null is a value of this field and not the lack of one.
fn holds_null(field: &FieldDescriptor) -> bool {
    match field.kind() {
        Kind::Message(message) => {
            message.full_name() == "google.protobuf.Value" && !field.is_list() && !field.is_map()
        }
        Kind::Enum(kind) => kind.full_name() == "google.protobuf.NullValue",
        _ => false,
    }
}

/// A field may come once, in one spelling, and only one member of a oneof may come.
fn check_unset(message: &DynamicMessage, field: &FieldDescriptor) -> Result<(), JsonError> {
    let members: Vec<FieldDescriptor> = match field.containing_oneof() {
        Some(oneof) => oneof.fields().collect(),
        None => vec![field.clone()],
    };
    match members.iter().find(|member| message.has_field(member)) {
        Some(member) => Err(JsonError::new(Problem::SetTwice {
            by: member.json_name().to_owned(),
        })),
        None => Ok(()),
    }
}

/// Sets a field through the checking method: the other one panics on a value of another kind.
fn set(message: &mut DynamicMessage, field: &FieldDescriptor, value: Field) -> Result<(), JsonError> {
    message
        .try_set_field(field, value)
        .map_err(|error| JsonError::new(Problem::Malformed(error.to_string())))
}

fn set_named(message: &mut DynamicMessage, name: &str, value: Field) -> Result<(), JsonError> {
    message
        .try_set_field_by_name(name, value)
        .map_err(|error| JsonError::new(Problem::Malformed(error.to_string())))
}

fn scalar(kind: &Kind, value: &Value) -> Result<Field, JsonError> {
    match kind {
        Kind::Bool => value
            .as_bool()
            .map(Field::Bool)
            .ok_or_else(|| JsonError::expected("true or false", value)),
        Kind::String => {
            let text = value
                .as_str()
                .ok_or_else(|| JsonError::expected("a string", value))?;
            Ok(Field::String(text.to_owned()))
        }
        Kind::Bytes => text(value, "base64", base64_decode).map(|bytes| Field::Bytes(Bytes::from(bytes))),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => integer(value, "a 32-bit integer").map(Field::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => integer(value, "a 64-bit integer").map(Field::I64),
        Kind::Uint32 | Kind::Fixed32 => integer(value, "an unsigned 32-bit integer").map(Field::U32),
        Kind::Uint64 | Kind::Fixed64 => integer(value, "an unsigned 64-bit integer").map(Field::U64),
        Kind::Double => parse_double(value)
            .map(Field::F64)
            .ok_or_else(|| JsonError::expected("a number", value)),
        Kind::Float => {
            let number = parse_double(value).map(|number| (number, number as f32));
            let fits = number.filter(|(wide, narrow)| !wide.is_finite() || narrow.is_finite());
            fits.map(|(_, narrow)| Field::F32(narrow))
                .ok_or_else(|| JsonError::expected("a 32-bit number", value))
        }
        Kind::Enum(descriptor) => {
            let number = match value {
                Value::Null if descriptor.full_name() == "google.protobuf.NullValue" => Some(0),
                Value::String(name) => descriptor.get_value_by_name(name).map(|value| value.number()),
                value => parse_integer(value).and_then(|number| i32::try_from(number).ok()),
            };
            let expected = || JsonError::expected(format!("a value of `{}`", descriptor.full_name()), value);
            number.map(Field::EnumNumber).ok_or_else(expected)
        }
        // INVARIANT: callers hand messages to `Reader::message`.
        Kind::Message(descriptor) => Err(JsonError::expected(
            format!("a `{}`", descriptor.full_name()),
            value,
        )),
    }
}

fn integer<T: TryFrom<i128>>(value: &Value, expected: &str) -> Result<T, JsonError> {
    parse_integer(value)
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| JsonError::expected(expected, value))
}

fn text<T>(value: &Value, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, JsonError> {
    value
        .as_str()
        .and_then(parse)
        .ok_or_else(|| JsonError::expected(expected, value))
}

fn map_key(kind: &Kind, name: &str) -> Result<MapKey, JsonError> {
    let value = Value::from(name);
    match kind {
        Kind::String => Ok(MapKey::String(name.to_owned())),
        Kind::Bool => match name {
            "true" => Ok(MapKey::Bool(true)),
            "false" => Ok(MapKey::Bool(false)),
            _ => Err(JsonError::expected("true or false", &value)),
        },
        kind => scalar(kind, &value)?
            .into_map_key()
            .ok_or_else(|| JsonError::expected("a map key", &value)),
    }
}

fn seconds_and_nanos(
    descriptor: &MessageDescriptor,
    seconds: i64,
    nanos: i32,
) -> Result<DynamicMessage, JsonError> {
    let mut message = DynamicMessage::new(descriptor.clone());
    set_named(&mut message, "seconds", Field::I64(seconds))?;
    set_named(&mut message, "nanos", Field::I32(nanos))?;
    Ok(message)
}

fn field_mask(descriptor: &MessageDescriptor, value: &Value) -> Result<DynamicMessage, JsonError> {
    let text = value
        .as_str()
        .ok_or_else(|| JsonError::expected("a field mask", value))?;
    let paths = text
        .split(',')
        .filter(|path| !path.is_empty())
        .map(|path| Field::String(snake_case(path)));
    let mut message = DynamicMessage::new(descriptor.clone());
    set_named(&mut message, "paths", Field::List(paths.collect()))?;
    Ok(message)
}

fn snake_case(path: &str) -> String {
    let mut text = String::with_capacity(path.len() + 4);
    for character in path.chars() {
        if character.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(character.to_ascii_lowercase());
    }
    text
}
