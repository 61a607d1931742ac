//! Lists, maps, messages and names for serde's visitors, straight from JSON.

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer, U64Deserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, VariantAccess, Visitor};

use super::de::{Keys, Left, Reader, Step};
use crate::codec::de::{Oneofs, Schema, TEXT_COST};
use crate::codec::find::is_same_name;

/// The items of a list.
pub(super) struct ListAccess<'r, 't, 'o> {
    reader: &'r mut Reader<'t, 'o>,
    is_first: bool,
    ended: bool,
}

impl<'r, 't, 'o> ListAccess<'r, 't, 'o> {
    /// The items of the list whose bracket was opened.
    pub(super) fn new(reader: &'r mut Reader<'t, 'o>) -> Self {
        Self {
            reader,
            is_first: true,
            ended: false,
        }
    }

    pub(super) fn visit<V: Visitor<'t>>(mut self, visitor: V) -> Step<V::Value> {
        let value = visitor.visit_seq(&mut self)?;
        self.ended.then_some(value).ok_or(Left)
    }
}

impl<'t> de::SeqAccess<'t> for ListAccess<'_, 't, '_> {
    type Error = Left;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Step<Option<T::Value>> {
        if self.ended || !self.reader.advance(self.is_first, b']')? {
            self.ended = true;
            return Ok(None);
        }
        self.is_first = false;
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// The entries of a map, which takes any key.
pub(super) struct MapAccess<'r, 't, 'o> {
    reader: &'r mut Reader<'t, 'o>,
    keys: Keys,
    is_first: bool,
    ended: bool,
}

impl<'r, 't, 'o> MapAccess<'r, 't, 'o> {
    /// The entries of the map whose brace was opened.
    pub(super) fn new(reader: &'r mut Reader<'t, 'o>) -> Self {
        Self {
            keys: reader.keys(),
            reader,
            is_first: true,
            ended: false,
        }
    }

    pub(super) fn visit<V: Visitor<'t>>(mut self, visitor: V) -> Step<V::Value> {
        let value = visitor.visit_map(&mut self)?;
        self.ended.then_some(value).ok_or(Left)
    }
}

impl<'t> de::MapAccess<'t> for MapAccess<'_, 't, '_> {
    type Error = Left;

    fn next_key_seed<K: DeserializeSeed<'t>>(&mut self, seed: K) -> Step<Option<K::Value>> {
        let Self {
            reader,
            keys,
            is_first,
            ended,
        } = self;
        if *ended || !reader.advance(*is_first, b'}')? {
            *ended = true;
            reader.forget(keys);
            return Ok(None);
        }
        *is_first = false;
        if let Some(key) = reader.plain_string()? {
            reader.after_key(key.len())?;
            reader.note_key(key, keys)?;
            let key = Name::Plain(key);
            let budget = &mut reader.budget;
            return seed.deserialize(KeyDe { key, budget }).map(Some);
        }
        reader.unescape()?;
        reader.after_key(reader.buffer.len())?;
        let key = std::mem::take(&mut reader.buffer);
        reader.note_key(&key, keys)?;
        let budget = &mut reader.budget;
        let key = Name::Unescaped(&key);
        seed.deserialize(KeyDe { key, budget }).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'t>>(&mut self, seed: V) -> Step<V::Value> {
        seed.deserialize(&mut *self.reader)
    }
}

/// The fields of a message.
pub(super) struct MessageAccess<'r, 't, 'o> {
    reader: &'r mut Reader<'t, 'o>,
    fields: &'static [&'static str],
    oneofs: Oneofs,
    /// A bit for each field that came.
    seen: u64,
    /// A bit for each field with a value.
    set: u64,
    /// The keys that are no fields.
    others: Keys,
    /// What of an object is not part of the message, if the message is all of the object.
    envelope: Option<&'r mut dyn Envelope<'t>>,
    is_first: bool,
    ended: bool,
}

/// Takes the keys of an object that are not part of its model.
pub(super) trait Envelope<'t> {
    /// Reads the value of a key, if the key is one of those.
    fn take(&mut self, key: &str, reader: &mut Reader<'t, '_>) -> Step<bool>;
}

impl<'r, 't, 'o> MessageAccess<'r, 't, 'o> {
    /// The fields of the message whose brace was opened.
    pub(super) fn new(
        reader: &'r mut Reader<'t, 'o>,
        name: &'static str,
        fields: &'static [&'static str],
    ) -> Self {
        Self {
            others: reader.keys(),
            reader,
            fields,
            oneofs: Oneofs::of(name),
            seen: 0,
            set: 0,
            envelope: None,
            is_first: true,
            ended: false,
        }
    }

    /// The same for the rest of an object of which some entries came.
    pub(super) fn of_object(mut self, envelope: &'r mut dyn Envelope<'t>) -> Self {
        self.envelope = Some(envelope);
        self.is_first = false;
        self
    }

    pub(super) fn visit<V: Visitor<'t>>(mut self, visitor: V) -> Step<V::Value> {
        if self.fields.len() > u64::BITS as usize {
            return Err(Left);
        }
        self.reader.spend(size_of::<V::Value>())?;
        let value = visitor.visit_map(&mut self)?;
        self.ended.then_some(value).ok_or(Left)
    }

    /// A key that is no field: only the messages of Kubernetes may have some.
    #[cold]
    fn other(&mut self, key: &'t str) -> Step {
        if self.reader.dialect.schema == Schema::Istio {
            return Err(Left);
        }
        self.reader.note_key(key, &mut self.others)?;
        self.reader.skip()
    }

    #[inline]
    fn end(&mut self) -> Step {
        self.ended = true;
        self.reader.forget(&self.others);
        // most messages with oneofs are one member and nothing else
        if self.oneofs.any() && self.set.count_ones() > 1 {
            self.check_oneofs()?;
        }
        Ok(())
    }

    /// A-WIRE-13: of the members of a oneof one may be set.
    fn check_oneofs(&self) -> Step {
        let is_set = |member: &&str| {
            let index = self.fields.iter().position(|field| field == member);
            index.is_some_and(|index| self.set >> index & 1 == 1)
        };
        for group in self.oneofs.groups() {
            if group.iter().filter(|member| is_set(member)).count() > 1 {
                return Err(Left);
            }
        }
        Ok(())
    }
}

impl<'t> de::MapAccess<'t> for MessageAccess<'_, 't, '_> {
    type Error = Left;

    fn next_key_seed<K: DeserializeSeed<'t>>(&mut self, seed: K) -> Step<Option<K::Value>> {
        loop {
            if self.ended || !self.reader.advance(self.is_first, b'}')? {
                self.end()?;
                return Ok(None);
            }
            self.is_first = false;
            let key = self.reader.key()?;
            if let Some(envelope) = &mut self.envelope
                && envelope.take(key, self.reader)?
            {
                continue;
            }
            let same = |field: &&str| is_same_name(field.as_bytes(), key.as_bytes());
            let Some(index) = self.fields.iter().position(same) else {
                self.other(key)?;
                continue;
            };
            let bit = 1 << index;
            if self.seen & bit != 0 {
                return Err(Left);
            }
            self.seen |= bit;
            // A-WIRE-10: null is absent
            if self.reader.null()? {
                continue;
            }
            self.set |= bit;
            let index: U64Deserializer<Left> = (index as u64).into_deserializer();
            return seed.deserialize(index).map(Some);
        }
    }

    fn next_value_seed<V: DeserializeSeed<'t>>(&mut self, seed: V) -> Step<V::Value> {
        seed.deserialize(&mut *self.reader)
    }
}

/// A key of a map: text, or the number that the text holds.
struct KeyDe<'t, 'b> {
    key: Name<'t, 'b>,
    budget: &'b mut usize,
}

#[derive(Clone, Copy)]
enum Name<'t, 'b> {
    Plain(&'t str),
    Unescaped(&'b str),
}

impl Name<'_, '_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Unescaped(text) => text,
        }
    }
}

macro_rules! integer_keys {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
            let text = self.key.as_str();
            match (text.parse::<u64>(), text.parse::<i64>()) {
                (Ok(number), _) if !text.starts_with('+') => visitor.visit_u64(number),
                (_, Ok(number)) if !text.starts_with('+') => visitor.visit_i64(number),
                _ => Err(Left),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for KeyDe<'de, '_> {
    type Error = Left;

    integer_keys!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        *self.budget = self.budget.checked_sub(TEXT_COST).ok_or(Left)?;
        match self.key {
            Name::Plain(text) => visitor.visit_borrowed_str(text),
            Name::Unescaped(text) => visitor.visit_str(text),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Step<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Step<V::Value> {
        visitor.visit_enum(StrDeserializer::<Left>::new(self.key.as_str()))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Step<V::Value> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct
        identifier
    }
}

/// A variant of an enum that is written as its name.
pub(super) struct UnitVariant<'t>(pub(super) &'t str);

impl<'t> de::EnumAccess<'t> for UnitVariant<'t> {
    type Error = Left;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'t>>(self, seed: V) -> Step<(V::Value, Self)> {
        let name: BorrowedStrDeserializer<'t, Left> = BorrowedStrDeserializer::new(self.0);
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'t> VariantAccess<'t> for UnitVariant<'t> {
    type Error = Left;

    fn unit_variant(self) -> Step {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'t>>(self, _: T) -> Step<T::Value> {
        Err(Left)
    }

    fn tuple_variant<V: Visitor<'t>>(self, _: usize, _: V) -> Step<V::Value> {
        Err(Left)
    }

    fn struct_variant<V: Visitor<'t>>(self, _: &'static [&'static str], _: V) -> Step<V::Value> {
        Err(Left)
    }
}
