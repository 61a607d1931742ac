//! A deserializer that offers every field of every message once and notes what is asked for.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Expected, MapAccess, SeqAccess, Visitor};

/// Messages by name; two messages of one name and different fields are two entries.
pub(crate) type Messages = BTreeSet<(String, Vec<String>)>;

/// Notes the messages that `T` is made of.
pub(crate) fn messages_of<T: de::DeserializeOwned>(into: &mut Messages) {
    let mut type_name = String::new();
    T::deserialize(Probe {
        messages: into,
        type_name: &mut type_name,
    })
    .expect("the probe fits every model");
}

struct Probe<'a> {
    messages: &'a mut Messages,
    /// What was asked for, in the notation of the inventory.
    type_name: &'a mut String,
}

impl<'a> Probe<'a> {
    fn note(self, type_name: &str) {
        self.type_name.push_str(type_name);
    }

    fn inner<'b>(messages: &'b mut Messages, type_name: &'b mut String) -> Probe<'b> {
        Probe { messages, type_name }
    }
}

#[derive(Debug)]
pub(crate) struct ProbeError(String);

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ProbeError {}

impl de::Error for ProbeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

macro_rules! scalar {
    ($($method:ident $visit:ident $value:expr, $name:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
            self.note($name);
            visitor.$visit($value)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Probe<'_> {
    type Error = ProbeError;

    scalar! {
        deserialize_bool visit_bool true, "bool";
        deserialize_i32 visit_i32 1, "i32";
        deserialize_i64 visit_i64 1, "i64";
        deserialize_u32 visit_u32 1, "u32";
        deserialize_u64 visit_u64 1, "u64";
        deserialize_f64 visit_f64 1.0, "f64";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        let expected = (&visitor as &dyn Expected).to_string();
        match expected.strip_prefix("one of ") {
            Some(names) => {
                self.note(&format!("enum {}", names.replace(", ", " ")));
                visitor.visit_i64(0)
            }
            None => {
                self.note("any");
                visitor.visit_unit()
            }
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        let expected = (&visitor as &dyn Expected).to_string();
        let (name, value) = match expected.as_str() {
            text if text.starts_with("a duration") => ("dur", "1s"),
            text if text.starts_with("base64") => ("bytes", "aGk="),
            _ => ("str", "x"),
        };
        self.note(name);
        visitor.visit_str(value)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        let Probe { messages, type_name } = self;
        type_name.push('?');
        visitor.visit_some(Probe::inner(messages, type_name))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        let Probe { messages, type_name } = self;
        type_name.push_str("[]");
        visitor.visit_seq(Single {
            messages,
            type_name,
            left: 1,
        })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeError> {
        let Probe { messages, type_name } = self;
        type_name.push('{');
        let mut access = Single {
            messages,
            type_name,
            left: 1,
        };
        let value = visitor.visit_map(&mut access)?;
        access.type_name.push('}');
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ProbeError> {
        let Probe { messages, type_name } = self;
        // a message with oneofs names their members behind its name, for the decoder
        let (name, members) = name.split_once('(').unwrap_or((name, ""));
        for member in members.split(['(', ')', '|']).filter(|member| !member.is_empty()) {
            assert!(
                fields.contains(&member),
                "{name} names the member {member}, which is no field"
            );
        }
        type_name.push_str(name);
        let mut access = Fields {
            messages,
            fields: fields.iter(),
            name: "",
            notes: Vec::new(),
        };
        let value = visitor.visit_map(&mut access)?;
        let Fields { messages, notes, .. } = access;
        messages.insert((name.to_owned(), notes));
        Ok(value)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u128 f32 char bytes byte_buf unit unit_struct newtype_struct tuple tuple_struct enum
        identifier ignored_any
    }
}

/// One element of a list or one entry of a map.
struct Single<'a> {
    messages: &'a mut Messages,
    type_name: &'a mut String,
    left: u32,
}

impl<'de> SeqAccess<'de> for Single<'_> {
    type Error = ProbeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ProbeError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Probe::inner(self.messages, self.type_name))
            .map(Some)
    }
}

impl<'de> MapAccess<'de> for &mut Single<'_> {
    type Error = ProbeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, ProbeError> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ProbeError> {
        self.type_name.push(':');
        seed.deserialize(Probe::inner(self.messages, self.type_name))
    }
}

/// The fields of a message, one after the other.
struct Fields<'a> {
    messages: &'a mut Messages,
    fields: std::slice::Iter<'static, &'static str>,
    name: &'static str,
    notes: Vec<String>,
}

impl<'de> MapAccess<'de> for &mut Fields<'_> {
    type Error = ProbeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, ProbeError> {
        let Some(name) = self.fields.next() else {
            return Ok(None);
        };
        self.name = name;
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ProbeError> {
        let mut type_name = String::new();
        let value = seed.deserialize(Probe::inner(self.messages, &mut type_name))?;
        self.notes.push(format!("{} {type_name}", self.name));
        Ok(value)
    }
}
