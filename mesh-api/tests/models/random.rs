//! A deserializer that makes up a document from bytes: which fields are there, how long lists are, what scalars hold.
//!
//! It offers several members of a oneof at once as well, numbers without name for enums, and empty messages.

use serde::de::value::{Error, StrDeserializer};
use serde::de::{self, DeserializeSeed, Error as _, Expected, MapAccess, SeqAccess, Visitor};

/// A value of `T` made from `bytes`; the same bytes give the same value.
pub(crate) fn value_from<T: de::DeserializeOwned>(bytes: &[u8]) -> T {
    let mut source = Source { bytes: bytes.iter() };
    T::deserialize(Random { source: &mut source }).expect("made-up documents fit the model")
}

struct Source<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl Source<'_> {
    /// The next byte; zeros after the end, so that what is made up ends.
    fn draw(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::from(self.draw()) % from.len()]
    }
}

struct Random<'a, 'b> {
    source: &'a mut Source<'b>,
}

macro_rules! scalar {
    ($($method:ident $visit:ident $values:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let value = self.source.pick(&$values);
            visitor.$visit(value)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Random<'_, '_> {
    type Error = Error;

    scalar! {
        deserialize_bool visit_bool [false, true];
        deserialize_i32 visit_i32 [0, 1, -1, 503, i32::MAX, i32::MIN];
        deserialize_i64 visit_i64 [0, 1, -1, i64::MAX, i64::MIN];
        deserialize_u32 visit_u32 [0, 1, 80, 65535, u32::MAX];
        deserialize_u64 visit_u64 [0, 1, 1024, u64::MAX];
        deserialize_f64 visit_f64 [0.0, 1.0, 0.0001, -5.5, 100.0, 1e300];
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let expected = (&visitor as &dyn Expected).to_string();
        if expected.starts_with("one of ") || expected.contains("32-bit number or a string") {
            let number = self.source.pick(&[0, 1, 2, 3, 4, 5, 99, -1]);
            visitor.visit_i64(number)
        } else if expected == "any valid JSON value" {
            visitor.visit_string(self.source.pick(&["", "{}", "x"]).to_owned())
        } else {
            Err(Error::custom(format_args!(
                "the generator does not know {expected}"
            )))
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let expected = (&visitor as &dyn Expected).to_string();
        let text = match expected.as_str() {
            text if text.starts_with("a duration") => self
                .source
                .pick(&["0s", "1ms", "1h30m", "-2.5s", "1ns", "2540400h"]),
            text if text.starts_with("an RFC 3339 time") => self
                .source
                .pick(&["2024-01-31T12:00:00Z", "1970-01-01T00:00:00Z"]),
            text if text.starts_with("base64") => self.source.pick(&["", "aGk=", "AP8="]),
            _ => self.source.pick(&[
                "",
                "a",
                "*",
                "reviews.shop.svc.cluster.local",
                "on",
                "\u{1F980} \"\n",
            ]),
        };
        visitor.visit_str(text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let left = self.source.pick(&[0, 1, 2]);
        visitor.visit_seq(Elements {
            source: self.source,
            left,
        })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let left = self.source.pick(&[0, 1, 2]);
        visitor.visit_map(Elements {
            source: self.source,
            left,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(Fields {
            source: self.source,
            fields: fields.iter(),
        })
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u128 f32 char bytes byte_buf unit unit_struct newtype_struct tuple tuple_struct enum
        identifier ignored_any
    }
}

struct Elements<'a, 'b> {
    source: &'a mut Source<'b>,
    left: u32,
}

impl<'de> SeqAccess<'de> for Elements<'_, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Random { source: self.source }).map(Some)
    }
}

impl<'de> MapAccess<'de> for Elements<'_, '_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(Random { source: self.source })
    }
}

struct Fields<'a, 'b> {
    source: &'a mut Source<'b>,
    fields: std::slice::Iter<'static, &'static str>,
}

impl<'de> MapAccess<'de> for Fields<'_, '_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        // a field is there in three cases of eight
        for name in self.fields.by_ref() {
            if self.source.draw() % 8 > 4 {
                return seed.deserialize(StrDeserializer::new(name)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(Random { source: self.source })
    }
}
