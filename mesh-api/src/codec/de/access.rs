//! Lists, maps, messages and enums for serde's visitors.

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, IntoDeserializer, VariantAccess, Visitor};

use super::super::Profile;
use super::super::fault::{Fault, codes, quote};
use super::super::find::is_same_name;
use super::super::tree::{Entries, Items, Node, camel_case};
use super::error::{Error, Reason};
use super::{Context, Level, Link, Models, NodeDe, Schema, UnknownField};
use crate::report::FieldPath;

/// The items of a list.
pub(super) struct ListAccess<'t, 'c> {
    items: Items<'t>,
    length: usize,
    /// How many items came.
    seen: u32,
    link: Link<'c>,
}

impl<'t, 'c> ListAccess<'t, 'c> {
    pub(super) fn new(list: NodeDe<'t, 'c>) -> Self {
        Self {
            items: list.node.items(),
            length: list.node.len(),
            seen: 0,
            link: list.link.below(Level::List),
        }
    }
}

impl<'t> de::SeqAccess<'t> for ListAccess<'t, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        for node in self.items.by_ref() {
            self.link.step = self.seen;
            self.seen += 1;
            if self.link.cx.is_masked(node.id()) {
                continue;
            }
            let item = NodeDe {
                node,
                link: &self.link,
            };
            return seed.deserialize(item).map(Some);
        }
        Ok(None)
    }

    fn size_hint(&self) -> Option<usize> {
        // at most what the text holds, so a hint cannot make anyone allocate more
        Some(self.length)
    }
}

/// The members of which a message may have one each, from the name of its private struct: `Name(a|b)(c|d)`.
#[derive(Clone, Copy)]
pub(in crate::codec) struct Oneofs(&'static str);

impl Oneofs {
    pub(in crate::codec) fn of(name: &'static str) -> Self {
        Self(name)
    }

    /// Whether there are any; it costs next to nothing to ask.
    #[inline]
    pub(in crate::codec) fn any(self) -> bool {
        self.0.ends_with(')')
    }

    pub(in crate::codec) fn groups(self) -> impl Iterator<Item = Vec<&'static str>> {
        let groups = self.0.split_once('(').map_or("", |(_, groups)| groups);
        groups
            .split(['(', ')'])
            .filter(|group| !group.is_empty())
            .map(|group| group.split('|').map(str::trim).collect())
    }
}

/// The entries of a map, or the fields of a message.
pub(super) struct MapAccess<'t, 'c> {
    map: Node<'t>,
    entries: Entries<'t>,
    /// Whether some keys are passed over.
    hides: bool,
    /// The value of the entry whose key came last.
    value: Option<Node<'t>>,
    link: Link<'c>,
}

impl<'t, 'c> MapAccess<'t, 'c> {
    pub(super) fn map(map: NodeDe<'t, 'c>) -> Self {
        Self::new(map, Level::Map)
    }

    pub(super) fn message(map: NodeDe<'t, 'c>, fields: &'static [&'static str], oneofs: Oneofs) -> Self {
        let access = Self::new(map, Level::Message(fields));
        // most messages with oneofs are one member and nothing else
        if map.node.len() > 1 && oneofs.any() {
            for group in oneofs.groups() {
                access.settle_oneof(&group);
            }
        }
        access
    }

    fn new(map: NodeDe<'t, 'c>, level: Level<'c>) -> Self {
        Self {
            map: map.node,
            entries: map.node.entries(),
            hides: map.link.cx.hidden.node == map.node.id() && !map.link.cx.hidden.keys.is_empty(),
            value: None,
            link: map.link.below(level),
        }
    }

    fn cx(&self) -> &'c Context {
        self.link.cx
    }

    fn path_of(&self, name: &str) -> FieldPath {
        self.link.container_path(self.map.tree()).with_key(name)
    }

    /// A-WIRE-13: of several members the last in declaration order wins; a cluster refuses them.
    fn settle_oneof(&self, members: &[&'static str]) {
        let means =
            |name: &str, member: &str| name == member || (name.contains('_') && camel_case(name) == member);
        let mut set: Vec<(&'static str, Node<'t>)> = Vec::new();
        for member in members {
            let found = self
                .map
                .entries()
                .find(|(key, value)| !value.is_null() && means(key.text(), member));
            set.extend(found.map(|(key, _)| (*member, key)));
        }
        let Some(((winner, winner_key), losers)) = set.split_last() else {
            return;
        };
        for (loser, loser_key) in losers {
            let spellings = self.map.entries().filter(|(key, _)| means(key.text(), loser));
            spellings.for_each(|(key, _)| self.cx().overrule(key.id()));
            let message = format!("`{loser}` and `{winner}` are both set, only one may be");
            let first = loser_key.span().start.max(winner_key.span().start);
            let key = if loser_key.span().start == first {
                loser_key
            } else {
                winner_key
            };
            let fault = if self.cx().dialect.profile.has_api_server() {
                Fault::error(codes::ONEOF, key.span(), message).with_help("remove one")
            } else {
                Fault::warning(codes::ONEOF, key.span(), message).with_help(format!("`{winner}` is taken"))
            };
            self.cx().note(key.id(), fault.with_path(self.path_of(winner)));
        }
    }

    /// The number of the field that a key means; keys that mean none are noted.
    #[inline(always)]
    fn field_of(&self, key: Node<'t>, fields: &'static [&'static str]) -> Option<usize> {
        let name = key.key_text();
        fields
            .iter()
            .position(|field| is_same_name(field.as_bytes(), name))
            .or_else(|| self.other_field_of(key, fields))
    }

    #[cold]
    fn other_field_of(&self, key: Node<'t>, fields: &'static [&'static str]) -> Option<usize> {
        if self.cx().dialect.schema != Schema::Istio {
            return None;
        }
        let name = key.text();
        if name.contains('_') {
            let camel = camel_case(name);
            if let Some(index) = fields.iter().position(|field| **field == camel) {
                return self.note_spelling(key, &camel).then_some(index);
            }
        }
        self.cx().note_unknown(key.id(), || UnknownField {
            name: name.to_owned(),
            path: self.path_of(name),
            span: key.span(),
            inner: inner_nodes(self.map),
            around: self.link.around(),
        });
        None
    }

    /// A-WIRE-1: a field in its original spelling. `false` if the other spelling is there too and wins.
    fn note_spelling(&self, key: Node<'t>, field: &str) -> bool {
        // the CRDs know these two by both names (api.md 3.3)
        let listed = matches!(key.text(), "jwks_uri" | "mirror_percent");
        let other = self.map.get(field).filter(|value| !value.is_null());
        let both = other.is_some();
        let own = || self.map.get(key.text()).map(|value| value.to_json());
        let differ = other.is_some_and(|other| own() != Some(other.to_json()));
        let profile = self.cx().dialect.profile;
        let path = || self.path_of(key.text());
        if differ && profile == Profile::Strict {
            let message = format!("`{field}` is there in both spellings");
            let fault = Fault::error(codes::SPELLING, key.span(), message).with_help("remove one");
            self.cx().note(key.id(), fault.with_path(path()));
        } else if profile.has_api_server() && !listed {
            let message = format!("the field {} is not known by this spelling", quote(key.text()));
            let fault =
                Fault::error(codes::SPELLING, key.span(), message).with_help(format!("write `{field}`"));
            self.cx().note(key.id(), fault.with_path(path()));
        }
        !both
    }

    /// Whether entries may have to be passed over; hardly ever.
    #[inline]
    fn skips(&self) -> bool {
        self.hides || self.cx().passes_over.get()
    }

    /// Whether an entry is passed over: it failed before, or is part of something else.
    #[cold]
    fn is_skipped(&self, key: Node<'t>, value: Node<'t>) -> bool {
        let cx = self.cx();
        (self.hides && cx.hidden.keys.contains(&key.text()))
            || cx.is_masked(key.id())
            || cx.is_masked(value.id())
    }
}

impl<'t> de::MapAccess<'t> for MapAccess<'t, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'t>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        while let Some((key, value)) = self.entries.next() {
            if self.skips() && self.is_skipped(key, value) {
                continue;
            }
            self.link.step = key.id();
            let Level::Message(fields) = self.link.level else {
                self.value = Some(value);
                let key = NodeDe {
                    node: key,
                    link: &self.link,
                };
                return seed.deserialize(KeyDe(key)).map(Some);
            };
            let Some(field) = self.field_of(key, fields) else {
                continue;
            };
            // A-WIRE-10: null is absent
            if value.is_null() || self.cx().is_overruled(key.id()) {
                continue;
            }
            self.value = Some(value);
            let name = FieldDe {
                index: field,
                fields,
                by_index: self.cx().dialect.models == Models::Own,
            };
            return seed.deserialize(name).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'t>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some(node) = self.value.take() else {
            return Err(Error::new(Reason::Other(
                "a value was asked for before its key".to_owned(),
            )));
        };
        seed.deserialize(NodeDe {
            node,
            link: &self.link,
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.map.len())
    }
}

/// The name of a field.
struct FieldDe {
    index: usize,
    fields: &'static [&'static str],
    /// Whether the message takes the number of the field, which spares it to look for the name again.
    by_index: bool,
}

impl<'de> de::Deserializer<'de> for FieldDe {
    type Error = Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.by_index {
            visitor.visit_u64(self.index as u64)
        } else {
            visitor.visit_borrowed_str(self.fields.get(self.index).copied().unwrap_or_default())
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The values in a message, and the items of the lists among them; a few suffice to find a misplaced field.
fn inner_nodes(message: Node<'_>) -> Vec<u32> {
    let values = message.entries().take(64).map(|(_, value)| value);
    values
        .flat_map(|value| std::iter::once(value).chain(value.items().take(4)))
        .map(|node| node.id())
        .collect()
}

/// A key of a map: text, or the number that the text holds.
struct KeyDe<'de, 'c>(NodeDe<'de, 'c>);

macro_rules! integer_keys {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let text = self.0.node.text();
            let result = match (text.parse::<u64>(), text.parse::<i64>()) {
                (Ok(number), _) if !text.starts_with('+') => visitor.visit_u64(number),
                (_, Ok(number)) if !text.starts_with('+') => visitor.visit_i64(number),
                _ => Err(self.0.wrong_type(&visitor)),
            };
            self.0.placed(result)
        })*
    };
}

impl<'de> de::Deserializer<'de> for KeyDe<'de, '_> {
    type Error = Error;

    integer_keys!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.visit_text(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let de = self.0;
        de.placed(visitor.visit_newtype_struct(self))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0
            .placed(visitor.visit_enum(StrDeserializer::<Error>::new(self.0.node.text())))
    }

    serde::forward_to_deserialize_any! {
        bool f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// A variant of an enum: its name, or a map with the name as its only key.
pub(super) struct EnumAccess<'t, 'c> {
    de: NodeDe<'t, 'c>,
    name: &'t str,
    /// The key and the value behind it.
    entry: Option<(Node<'t>, Node<'t>)>,
}

impl<'t, 'c> EnumAccess<'t, 'c> {
    pub(super) fn unit(de: NodeDe<'t, 'c>) -> Self {
        Self {
            de,
            name: de.node.text(),
            entry: None,
        }
    }

    pub(super) fn newtype(de: NodeDe<'t, 'c>) -> Self {
        let entry = de.node.entries().next();
        Self {
            de,
            name: entry.map_or("", |(key, _)| key.text()),
            entry,
        }
    }
}

impl<'t> de::EnumAccess<'t> for EnumAccess<'t, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'t>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name: BorrowedStrDeserializer<'t, Error> = BorrowedStrDeserializer::new(self.name);
        let variant = self.de.placed(seed.deserialize(name.into_deserializer()))?;
        Ok((variant, self))
    }
}

impl<'t> EnumAccess<'t, '_> {
    fn content<T>(self, read: impl FnOnce(NodeDe<'t, '_>) -> Result<T, Error>) -> Result<T, Error> {
        let Some((key, node)) = self.entry else {
            return self.de.placed(Err(Error::new(Reason::Other(format!(
                "`{}` needs a value",
                self.name
            )))));
        };
        let link = Link {
            step: key.id(),
            ..self.de.link.below(Level::Map)
        };
        read(NodeDe { node, link: &link })
    }
}

impl<'t> VariantAccess<'t> for EnumAccess<'t, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.entry {
            None => Ok(()),
            Some(_) => self.content(|value| <() as serde::Deserialize>::deserialize(value)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'t>>(self, seed: T) -> Result<T::Value, Error> {
        self.content(|value| seed.deserialize(value))
    }

    fn tuple_variant<V: Visitor<'t>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.content(|value| de::Deserializer::deserialize_tuple(value, length, visitor))
    }

    fn struct_variant<V: Visitor<'t>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.content(|value| de::Deserializer::deserialize_struct(value, "", fields, visitor))
    }
}
