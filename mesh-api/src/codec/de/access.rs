//! Lists, maps, messages and enums for serde's visitors.

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, IntoDeserializer, VariantAccess, Visitor};

use super::super::Profile;
use super::super::fault::{Fault, codes, quote};
use super::super::tree::{Entries, Items, Node, camel_case};
use super::error::{Error, Reason};
use super::{Hidden, Link, NodeDe, Schema, Step, UnknownField};

/// The items of a list.
pub(super) struct ListAccess<'t, 'c> {
    list: NodeDe<'t, 'c>,
    items: std::iter::Enumerate<Items<'t>>,
}

impl<'t, 'c> ListAccess<'t, 'c> {
    pub(super) fn new(list: NodeDe<'t, 'c>) -> Self {
        Self {
            list,
            items: list.node.items().enumerate(),
        }
    }
}

impl<'t> de::SeqAccess<'t> for ListAccess<'t, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let cx = self.list.cx;
        let Some((index, node)) = self.items.by_ref().find(|(_, node)| !cx.is_masked(node.id())) else {
            return Ok(None);
        };
        let link = Link {
            parent: Some(self.list.link),
            step: Step::Index(index),
            fields: &[],
        };
        let item = NodeDe {
            node,
            link: &link,
            item: true,
            key: None,
            cx,
        };
        seed.deserialize(item).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        // at most what the text holds, so a hint cannot make anyone allocate more
        self.items.size_hint().1.or(Some(self.list.node.len()))
    }
}

/// The members of which a message may have one each, from the name of its private struct: `Name(a|b)(c|d)`.
#[derive(Clone, Copy)]
pub(super) struct Oneofs(&'static str);

impl Oneofs {
    pub(super) fn of(name: &'static str) -> Self {
        Self(name.split_once('(').map_or("", |(_, groups)| groups))
    }

    fn groups(self) -> impl Iterator<Item = Vec<&'static str>> {
        self.0
            .split(['(', ')'])
            .filter(|group| !group.is_empty())
            .map(|group| group.split('|').map(str::trim).collect())
    }
}

/// The entries of a map, or the fields of a message.
pub(super) struct MapAccess<'t, 'c> {
    map: NodeDe<'t, 'c>,
    entries: Entries<'t>,
    /// The fields of a message; `None` for a map, which takes any key.
    fields: Option<&'static [&'static str]>,
    /// Members of a oneof that lose against a later one.
    overruled: Vec<&'static str>,
    /// Keys to pass over.
    hidden: &'static [&'static str],
    /// The entry whose value comes next: its key, the name of the field, and the value.
    current: Option<(Node<'t>, &'t str, Node<'t>)>,
}

impl<'t, 'c> MapAccess<'t, 'c> {
    pub(super) fn map(map: NodeDe<'t, 'c>) -> Self {
        let Hidden { node, keys } = map.cx.hidden;
        Self {
            hidden: if node == map.node.id() { keys } else { &[] },
            map,
            entries: map.node.entries(),
            fields: None,
            overruled: Vec::new(),
            current: None,
        }
    }

    pub(super) fn message(map: NodeDe<'t, 'c>, fields: &'static [&'static str], oneofs: Oneofs) -> Self {
        let mut access = Self {
            fields: Some(fields),
            ..Self::map(map)
        };
        // most messages with oneofs are one member and nothing else
        if map.node.len() > 1 {
            for group in oneofs.groups() {
                access.settle_oneof(&group);
            }
        }
        access
    }

    /// A-WIRE-13: of several members the last in declaration order wins; a cluster refuses them.
    fn settle_oneof(&mut self, members: &[&'static str]) {
        let mut set: Vec<(&'static str, Node<'t>)> = Vec::new();
        for member in members {
            let found = self.map.node.entries().find(|(key, value)| {
                let name = key.text();
                !value.is_null() && (name == *member || (name.contains('_') && camel_case(name) == *member))
            });
            set.extend(found.map(|(key, _)| (*member, key)));
        }
        let Some(((winner, winner_key), losers)) = set.split_last() else {
            return;
        };
        for (loser, loser_key) in losers {
            self.overruled.push(loser);
            let message = format!("`{loser}` and `{winner}` are both set, only one may be");
            let first = loser_key.span().start.max(winner_key.span().start);
            let key = if loser_key.span().start == first {
                loser_key
            } else {
                winner_key
            };
            let fault = if self.map.cx.dialect.profile.has_api_server() {
                Fault::error(codes::ONEOF, key.span(), message).with_help("remove one")
            } else {
                Fault::warning(codes::ONEOF, key.span(), message).with_help(format!("`{winner}` is taken"))
            };
            self.map.cx.note(
                key.id(),
                fault.with_path(self.map.link.path().with_field(*winner)),
            );
        }
    }

    /// The field of the message that a key means; keys that mean none are noted.
    fn field_of(&self, key: Node<'t>, fields: &'static [&'static str]) -> Option<&'static str> {
        let name = key.text();
        // nearly all fields that differ differ in length or first letter
        let first = name.as_bytes().first();
        let same =
            |field: &&&str| field.len() == name.len() && field.as_bytes().first() == first && **field == name;
        if let Some(field) = fields.iter().find(same) {
            return Some(field);
        }
        let istio = self.map.cx.dialect.schema == Schema::Istio;
        if istio && name.contains('_') {
            let camel = camel_case(name);
            if let Some(field) = fields.iter().find(|field| **field == camel) {
                return self.note_spelling(key, field).then_some(field);
            }
        }
        if istio {
            self.map.cx.note_unknown(key.id(), || UnknownField {
                name: name.to_owned(),
                path: self.map.link.path().with_key(name),
                span: key.span(),
                inner: inner_nodes(self.map.node),
                around: std::iter::once(fields).chain(self.map.link.around()).collect(),
            });
        }
        None
    }

    /// A-WIRE-1: a field in its original spelling. `false` if the other spelling is there too and wins.
    fn note_spelling(&self, key: Node<'t>, field: &'static str) -> bool {
        // the CRDs know these two by both names (api.md 3.3)
        let listed = matches!(key.text(), "jwks_uri" | "mirror_percent");
        let other = self.map.node.get(field).filter(|value| !value.is_null());
        let both = other.is_some();
        let own = || self.map.node.get(key.text()).map(|value| value.to_json());
        let differ = other.is_some_and(|other| own() != Some(other.to_json()));
        let profile = self.map.cx.dialect.profile;
        let path = || self.map.link.path().with_key(key.text());
        if differ && profile == Profile::Strict {
            let message = format!("`{field}` is there in both spellings");
            let fault = Fault::error(codes::SPELLING, key.span(), message).with_help("remove one");
            self.map.cx.note(key.id(), fault.with_path(path()));
        } else if profile.has_api_server() && !listed {
            let message = format!("the field {} is not known by this spelling", quote(key.text()));
            let fault =
                Fault::error(codes::SPELLING, key.span(), message).with_help(format!("write `{field}`"));
            self.map.cx.note(key.id(), fault.with_path(path()));
        }
        !both
    }
}

impl<'t> de::MapAccess<'t> for MapAccess<'t, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'t>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        loop {
            let Some((key, value)) = self.entries.next() else {
                return Ok(None);
            };
            let cx = self.map.cx;
            let hidden = !self.hidden.is_empty() && self.hidden.contains(&key.text());
            if hidden || cx.is_masked(key.id()) || cx.is_masked(value.id()) {
                continue;
            }
            let Some(fields) = self.fields else {
                self.current = Some((key, key.text(), value));
                let link = Link {
                    parent: Some(self.map.link),
                    step: Step::Name(key.text()),
                    fields: &[],
                };
                let key_de = NodeDe {
                    node: key,
                    link: &link,
                    item: false,
                    ..self.map
                };
                return seed.deserialize(KeyDe(key_de)).map(Some);
            };
            let Some(field) = self.field_of(key, fields) else {
                continue;
            };
            // A-WIRE-10: null is absent
            if value.is_null() || self.overruled.contains(&field) {
                continue;
            }
            self.current = Some((key, field, value));
            return seed.deserialize(BorrowedStrDeserializer::new(field)).map(Some);
        }
    }

    fn next_value_seed<V: DeserializeSeed<'t>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, name, value)) = self.current.take() else {
            return Err(Error::new(Reason::Other(
                "a value was asked for before its key".to_owned(),
            )));
        };
        let link = Link {
            parent: Some(self.map.link),
            step: Step::Name(name),
            fields: self.fields.unwrap_or_default(),
        };
        seed.deserialize(NodeDe {
            node: value,
            link: &link,
            item: self.fields.is_none(),
            key: Some(key.id()),
            cx: self.map.cx,
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.map.node.len())
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
    value: Option<Node<'t>>,
}

impl<'t, 'c> EnumAccess<'t, 'c> {
    pub(super) fn unit(de: NodeDe<'t, 'c>) -> Self {
        Self {
            de,
            name: de.node.text(),
            value: None,
        }
    }

    pub(super) fn newtype(de: NodeDe<'t, 'c>) -> Self {
        let entry = de.node.entries().next();
        Self {
            de,
            name: entry.map_or("", |(key, _)| key.text()),
            value: entry.map(|(_, value)| value),
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
        let Some(node) = self.value else {
            return self.de.placed(Err(Error::new(Reason::Other(format!(
                "`{}` needs a value",
                self.name
            )))));
        };
        let link = Link {
            parent: Some(self.de.link),
            step: Step::Name(self.name),
            fields: &[],
        };
        read(NodeDe {
            node,
            link: &link,
            item: true,
            ..self.de
        })
    }
}

impl<'t> VariantAccess<'t> for EnumAccess<'t, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.value {
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
