//! Bytes of a reflected message, in the one form that the generated structs write.
//!
//! prost-reflect keeps maps in hash order and copies the bytes of an `Any` as they are, so its own encoding differs from
//! run to run (X-TYPE-4 a and b). This writer orders map entries by key, leaves default keys and values of entries out,
//! and writes the content of an `Any` of a known type anew.

use prost::bytes::BufMut;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value,
};

use super::{ANY, MAX_DEPTH};

/// The canonical encoding; `depth` is how deep the message lies in what is being encoded.
pub(super) fn encode(message: &DynamicMessage, depth: usize) -> Vec<u8> {
    let mut out = Vec::new();
    write_message(message, depth, &mut out);
    out
}

/// The message inside an `Any`, when the pool knows its type, the bytes decode, and no field would be lost.
pub(super) fn open_any(any: &DynamicMessage) -> Option<DynamicMessage> {
    let type_url = any.get_field_by_name("type_url")?;
    let value = any.get_field_by_name("value")?;
    let descriptor = descriptor_of(any, type_url.as_str()?)?;
    DynamicMessage::decode(descriptor, value.as_bytes()?.clone()).ok()
}

/// The descriptor that a type URL names, from the pool that `any` comes from.
pub(super) fn descriptor_of(any: &DynamicMessage, type_url: &str) -> Option<MessageDescriptor> {
    any.descriptor()
        .parent_pool()
        .get_message_by_name(crate::pb::message_name(type_url))
}

fn write_message(message: &DynamicMessage, depth: usize, out: &mut Vec<u8>) {
    let descriptor = message.descriptor();
    let inner = (descriptor.full_name() == ANY && depth < MAX_DEPTH)
        .then(|| open_any(message))
        .flatten()
        // What the pool does not know cannot be ordered and must not be lost: such bytes stay as they are.
        .filter(|inner| !has_unknown_fields(inner));
    let mut fields: Vec<(FieldDescriptor, &Value)> = message.fields().collect();
    fields.sort_by_key(|(field, _)| position(field));
    for (field, value) in fields {
        match &inner {
            Some(inner) if field.name() == "value" => {
                let bytes = encode(inner, depth + 1);
                if !bytes.is_empty() {
                    write_bytes(field.number(), &bytes, out);
                }
            }
            _ => write_field(&field, value, depth, out),
        }
    }
}

/// Where the generated code writes a field: by number, and the members of a oneof where its lowest number is.
fn position(field: &FieldDescriptor) -> u32 {
    field
        .containing_oneof()
        .and_then(|oneof| oneof.fields().map(|member| member.number()).min())
        .unwrap_or_else(|| field.number())
}

fn has_unknown_fields(message: &DynamicMessage) -> bool {
    message.unknown_fields().next().is_some()
        || message.fields().any(|(_, value)| value_has_unknown_fields(value))
}

fn value_has_unknown_fields(value: &Value) -> bool {
    match value {
        Value::Message(message) => has_unknown_fields(message),
        Value::List(values) => values.iter().any(value_has_unknown_fields),
        Value::Map(entries) => entries.values().any(value_has_unknown_fields),
        _ => false,
    }
}

fn write_field(field: &FieldDescriptor, value: &Value, depth: usize, out: &mut Vec<u8>) {
    let number = field.number();
    match value {
        Value::Map(entries) => {
            let mut sorted: Vec<(&MapKey, &Value)> = entries.iter().collect();
            sorted.sort_by_key(|(a, _)| *a);
            for (key, value) in sorted {
                write_map_entry(field, key, value, depth, out);
            }
        }
        Value::List(values) if field.is_packed() => {
            let mut packed = Vec::new();
            values
                .iter()
                .for_each(|value| write_scalar(&field.kind(), value, &mut packed));
            if !packed.is_empty() {
                write_bytes(number, &packed, out);
            }
        }
        Value::List(values) => values
            .iter()
            .for_each(|value| write_single(number, &field.kind(), value, depth, out)),
        value => write_single(number, &field.kind(), value, depth, out),
    }
}

fn write_map_entry(field: &FieldDescriptor, key: &MapKey, value: &Value, depth: usize, out: &mut Vec<u8>) {
    let Kind::Message(entry) = field.kind() else {
        return;
    };
    let (key_field, value_field) = (entry.map_entry_key_field(), entry.map_entry_value_field());
    let key = Value::from(key.clone());
    let mut bytes = Vec::new();
    if !key.is_default(&key_field.kind()) {
        write_single(key_field.number(), &key_field.kind(), &key, depth, &mut bytes);
    }
    if !is_default_entry_value(&value_field.kind(), value) {
        write_single(
            value_field.number(),
            &value_field.kind(),
            value,
            depth,
            &mut bytes,
        );
    }
    write_bytes(field.number(), &bytes, out);
}

/// The generated code compares an entry's value with its type's default, so an empty message is left out as well.
fn is_default_entry_value(kind: &Kind, value: &Value) -> bool {
    match value {
        Value::Message(message) => message.fields().next().is_none(),
        value => value.is_default(kind),
    }
}

fn write_single(number: u32, kind: &Kind, value: &Value, depth: usize, out: &mut Vec<u8>) {
    match value {
        Value::Message(message) => write_bytes(number, &encode(message, depth + 1), out),
        Value::String(text) => write_bytes(number, text.as_bytes(), out),
        Value::Bytes(bytes) => write_bytes(number, bytes, out),
        value => {
            encode_key(number, kind.wire_type(), out);
            write_scalar(kind, value, out);
        }
    }
}

fn write_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.put_slice(bytes);
}

/// A number without its key. INVARIANT: prost-reflect checks that a value fits its field, so the last arm meets none.
fn write_scalar(kind: &Kind, value: &Value, out: &mut Vec<u8>) {
    match (kind, value) {
        (Kind::Sint32, Value::I32(number)) => encode_varint(u64::from(zigzag32(*number)), out),
        (Kind::Sint64, Value::I64(number)) => encode_varint(zigzag64(*number), out),
        (Kind::Sfixed32, Value::I32(number)) => out.put_i32_le(*number),
        (Kind::Sfixed64, Value::I64(number)) => out.put_i64_le(*number),
        (Kind::Fixed32, Value::U32(number)) => out.put_u32_le(*number),
        (Kind::Fixed64, Value::U64(number)) => out.put_u64_le(*number),
        (_, Value::Bool(flag)) => encode_varint(u64::from(*flag), out),
        // Negative numbers take ten bytes: they are extended to 64 bits first.
        (_, Value::I32(number) | Value::EnumNumber(number)) => encode_varint(i64::from(*number) as u64, out),
        (_, Value::I64(number)) => encode_varint(*number as u64, out),
        (_, Value::U32(number)) => encode_varint(u64::from(*number), out),
        (_, Value::U64(number)) => encode_varint(*number, out),
        (_, Value::F32(number)) => out.put_f32_le(*number),
        (_, Value::F64(number)) => out.put_f64_le(*number),
        (_, Value::String(_) | Value::Bytes(_) | Value::Message(_) | Value::List(_) | Value::Map(_)) => {}
    }
}

fn zigzag32(number: i32) -> u32 {
    ((number << 1) ^ (number >> 31)) as u32
}

fn zigzag64(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}
