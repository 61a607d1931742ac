//! Reflected messages to JSON.

use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, Value as Field};
use serde_json::Value;

use super::canonical::open_any;
use super::scalar::{base64_encode, print_double, print_duration, print_float, print_timestamp};
use super::{ANY, JsonError, MAX_DEPTH, Problem};

/// The JSON form of a message that lies `depth` levels deep.
pub(super) fn message(message: &DynamicMessage, depth: usize) -> Result<Value, JsonError> {
    if depth > MAX_DEPTH {
        return Err(JsonError::new(Problem::TooDeep));
    }
    match message.descriptor().full_name() {
        ANY => any(message, depth),
        "google.protobuf.Duration" => {
            let (seconds, nanos) = seconds_and_nanos(message);
            Ok(Value::from(print_duration(seconds, nanos)))
        }
        "google.protobuf.Timestamp" => {
            let (seconds, nanos) = seconds_and_nanos(message);
            let text =
                print_timestamp(seconds, nanos).ok_or_else(|| JsonError::new(Problem::TimeOutOfRange))?;
            Ok(Value::from(text))
        }
        "google.protobuf.Struct" | "google.protobuf.ListValue" => single_field(message, depth),
        "google.protobuf.Value" => dynamic_value(message, depth),
        "google.protobuf.FieldMask" => Ok(field_mask(message)),
        name if is_wrapper(name) => single_field(message, depth),
        _ => Ok(object(fields(message, depth)?)),
    }
}

/// Whether this is one of the nine messages that hold one scalar.
pub(super) fn is_wrapper(name: &str) -> bool {
    matches!(
        name.strip_prefix("google.protobuf."),
        Some(
            "BoolValue"
                | "BytesValue"
                | "DoubleValue"
                | "FloatValue"
                | "Int32Value"
                | "Int64Value"
                | "StringValue"
                | "UInt32Value"
                | "UInt64Value"
        )
    )
}

/// Goes through a sorted map, so that the order does not depend on what kind of map `serde_json` was built with.
fn object(fields: BTreeMap<String, Value>) -> Value {
    Value::Object(fields.into_iter().collect())
}

fn fields(message: &DynamicMessage, depth: usize) -> Result<BTreeMap<String, Value>, JsonError> {
    let mut object = BTreeMap::new();
    for (descriptor, value) in message.fields() {
        let name = descriptor.json_name();
        let value = field(&descriptor, value, depth).map_err(|error| error.in_field(name))?;
        object.insert(name.to_owned(), value);
    }
    Ok(object)
}

fn field(descriptor: &FieldDescriptor, value: &Field, depth: usize) -> Result<Value, JsonError> {
    match value {
        Field::List(values) => {
            let list = values.iter().enumerate().map(|(index, value)| {
                single(&descriptor.kind(), value, depth).map_err(|error| error.in_index(index))
            });
            Ok(Value::Array(list.collect::<Result<_, _>>()?))
        }
        Field::Map(entries) => {
            let Kind::Message(entry) = descriptor.kind() else {
                return Ok(Value::Null);
            };
            let kind = entry.map_entry_value_field().kind();
            let mut sorted = BTreeMap::new();
            for (key, value) in entries {
                let key = map_key(key);
                let value = single(&kind, value, depth).map_err(|error| error.in_key(&key))?;
                sorted.insert(key, value);
            }
            Ok(object(sorted))
        }
        value => single(&descriptor.kind(), value, depth),
    }
}

fn map_key(key: &MapKey) -> String {
    match key {
        MapKey::Bool(flag) => flag.to_string(),
        MapKey::I32(number) => number.to_string(),
        MapKey::I64(number) => number.to_string(),
        MapKey::U32(number) => number.to_string(),
        MapKey::U64(number) => number.to_string(),
        MapKey::String(text) => text.clone(),
    }
}

fn single(kind: &Kind, value: &Field, depth: usize) -> Result<Value, JsonError> {
    Ok(match value {
        Field::Bool(flag) => Value::from(*flag),
        Field::I32(number) => Value::from(*number),
        Field::U32(number) => Value::from(*number),
        // JSON readers keep 53 bits: larger integers are text.
        Field::I64(number) => Value::from(number.to_string()),
        Field::U64(number) => Value::from(number.to_string()),
        Field::F32(number) => print_float(*number),
        Field::F64(number) => print_double(*number),
        Field::String(text) => Value::from(text.as_str()),
        Field::Bytes(bytes) => Value::from(base64_encode(bytes)),
        Field::EnumNumber(number) => enumeration(kind, *number),
        Field::Message(inner) => message(inner, depth + 1)?,
        // INVARIANT: protobuf has no lists of lists and no maps in lists.
        Field::List(_) | Field::Map(_) => Value::Null,
    })
}

/// The name of an enum value, or its number when it has none.
fn enumeration(kind: &Kind, number: i32) -> Value {
    let Kind::Enum(descriptor) = kind else {
        return Value::from(number);
    };
    if descriptor.full_name() == "google.protobuf.NullValue" {
        return Value::Null;
    }
    match descriptor.get_value(number) {
        Some(value) => Value::from(value.name()),
        None => Value::from(number),
    }
}

fn any(message: &DynamicMessage, depth: usize) -> Result<Value, JsonError> {
    let type_url = text_of(message, "type_url");
    if type_url.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    let mut object = match any_content(message, depth) {
        // Too deep to be spelled out: shown as bytes, like a type that is not known.
        Some(Err(error)) if error.is_too_deep() => undecoded(message),
        Some(content) => content?,
        None => undecoded(message),
    };
    object.insert("@type".to_owned(), Value::from(type_url));
    Ok(self::object(object))
}

/// The fields beside `@type` of an `Any` that can be opened.
fn any_content(message: &DynamicMessage, depth: usize) -> Option<Result<BTreeMap<String, Value>, JsonError>> {
    let inner = open_any(message).filter(|_| depth < MAX_DEPTH)?;
    if has_own_json_form(inner.descriptor().full_name()) {
        let value = self::message(&inner, depth + 1);
        return Some(value.map(|value| BTreeMap::from([("value".to_owned(), value)])));
    }
    Some(fields(&inner, depth + 1))
}

fn undecoded(message: &DynamicMessage) -> BTreeMap<String, Value> {
    let bytes = message.get_field_by_name("value");
    let bytes = bytes.as_ref().and_then(|value| value.as_bytes());
    let text = bytes.map_or_else(String::new, |bytes| base64_encode(bytes));
    BTreeMap::from([("value".to_owned(), Value::from(text))])
}

/// Whether the JSON form of a message is something else than an object of its fields.
pub(super) fn has_own_json_form(name: &str) -> bool {
    is_wrapper(name)
        || matches!(
            name.strip_prefix("google.protobuf."),
            Some("Any" | "Duration" | "FieldMask" | "ListValue" | "Struct" | "Timestamp" | "Value")
        )
}

fn text_of(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value
        .as_ref()
        .and_then(|value| value.as_str())
        .unwrap_or_default()
        .to_owned()
}

fn seconds_and_nanos(message: &DynamicMessage) -> (i64, i32) {
    let seconds = message
        .get_field_by_name("seconds")
        .and_then(|value| value.as_i64());
    let nanos = message
        .get_field_by_name("nanos")
        .and_then(|value| value.as_i32());
    (seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

/// Wrappers, `Struct` and `ListValue`: the form of their only field, set or not.
fn single_field(message: &DynamicMessage, depth: usize) -> Result<Value, JsonError> {
    match message.descriptor().fields().next() {
        Some(descriptor) => field(&descriptor, &message.get_field(&descriptor), depth),
        None => Ok(Value::Null),
    }
}

/// `google.protobuf.Value`: the form of the member that is set.
fn dynamic_value(message: &DynamicMessage, depth: usize) -> Result<Value, JsonError> {
    match message.fields().next() {
        Some((descriptor, value)) => field(&descriptor, value, depth),
        None => Ok(Value::Null),
    }
}

fn field_mask(message: &DynamicMessage) -> Value {
    let paths = message.get_field_by_name("paths");
    let paths = paths
        .as_ref()
        .and_then(|paths| paths.as_list())
        .unwrap_or_default();
    let names: Vec<String> = paths
        .iter()
        .filter_map(Field::as_str)
        .map(lower_camel_case)
        .collect();
    Value::from(names.join(","))
}

fn lower_camel_case(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    let mut upper = false;
    for character in path.chars() {
        match character {
            '_' => upper = true,
            character if upper => {
                text.push(character.to_ascii_uppercase());
                upper = false;
            }
            character => text.push(character),
        }
    }
    text
}
