//! A serde `Deserializer` over the arena. It speaks istiod's dialect of JSON (api.md 1.4), so that models need not.

mod access;
mod error;
mod pass;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use serde::Deserializer;
use serde::de::Visitor;

use super::Profile;
use super::fault::{Fault, codes, quote};
use super::tree::{Node, NodeKind, Tree, camel_case};
use crate::report::{Code, FieldPath, Segment};

use access::{EnumAccess, ListAccess, MapAccess};
use error::{Error, Place, Reason};

pub(super) use access::Oneofs;
pub(crate) use pass::decode;

/// How a part of a document is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) profile: Profile,
    pub(crate) schema: Schema,
    /// Who says what fields there are.
    pub(crate) models: Models,
}

/// Whose types are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Models {
    /// Those of this crate: all messages are derived and their fields have no aliases. So a field can be told by its number
    /// in the list that serde hands over, which spares the message to look for the name again.
    Own,
    /// Those of others, which may know fields by names only.
    Others,
}

/// Whose messages a part of a document holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// Istio's: the models have every field.
    Istio,
    /// Kubernetes': the models have the fields that the mesh reads, others are none of its business.
    Kubernetes,
}

/// What all deserializers of one document share.
pub(crate) struct Context {
    dialect: Dialect,
    /// Nodes that failed before; they are passed over.
    masked: HashSet<u32>,
    /// The keys of members of a oneof that lose against a later one.
    overruled: RefCell<HashSet<u32>>,
    /// Whether any node is passed over.
    passes_over: Cell<bool>,
    /// The keys of the node that is decoded which are not part of the message: the envelope of an object.
    hidden: Hidden,
    /// Findings beside the value, by node and rule, so that decoding again does not repeat them.
    beside: RefCell<BTreeMap<(u32, Code), Fault>>,
    /// Whether the fields of messages are kept; where there is nothing to report, nobody asks for them.
    recording: bool,
    /// The fields of each message that this pass read, to tell a misplaced field from an unknown one.
    shapes: RefCell<Vec<(u32, &'static [&'static str])>>,
    /// Those of earlier passes.
    known_shapes: BTreeMap<u32, &'static [&'static str]>,
    unknown: RefCell<BTreeMap<u32, UnknownField>>,
    /// How many bytes the values of this pass may still take; `None` once they took too many.
    budget: Cell<Option<usize>>,
    /// How many findings beside the value are kept.
    limit: usize,
    /// Whether some were not kept.
    overflow: Cell<bool>,
}

/// Keys that a message does not have, and the node to which they belong.
#[derive(Debug, Clone, Copy)]
struct Hidden {
    node: u32,
    keys: &'static [&'static str],
}

/// A field that no model has, and what is needed to propose another.
struct UnknownField {
    name: String,
    path: FieldPath,
    span: Range<usize>,
    /// The nodes right inside the message.
    inner: Vec<u32>,
    /// The messages around, from the inside out.
    around: Vec<&'static [&'static str]>,
}

/// The way down to a node, on the stack: a link for each list and map around it.
struct Link<'p> {
    cx: &'p Context,
    parent: Option<&'p Link<'p>>,
    level: Level<'p>,
    /// Which child of it is read: the number of an item, or the node of a key.
    step: u32,
}

/// What a link stands for.
#[derive(Clone, Copy)]
enum Level<'p> {
    /// What is around the node that is decoded.
    Base(&'p FieldPath),
    List,
    /// A map, which takes any key.
    Map,
    /// A message with these fields.
    Message(&'static [&'static str]),
}

impl<'p> Link<'p> {
    /// The node that is decoded.
    fn base(cx: &'p Context, path: &'p FieldPath) -> Self {
        Self {
            cx,
            parent: None,
            level: Level::Base(path),
            step: 0,
        }
    }

    /// The link to the children of the node that is read.
    fn below<'b>(&'b self, level: Level<'b>) -> Link<'b> {
        Link {
            cx: self.cx,
            parent: Some(self),
            level,
            step: 0,
        }
    }

    /// From the object down to the list or map.
    fn container_path(&self, tree: &Tree) -> FieldPath {
        self.parent
            .map_or_else(FieldPath::root, |parent| parent.path(tree))
    }

    /// From the object down to the child that is read.
    fn path(&self, tree: &Tree) -> FieldPath {
        let mut links: Vec<&Link<'_>> = self.outwards().collect();
        links.reverse();
        let mut segments: Vec<Segment> = Vec::with_capacity(links.len());
        for link in links {
            let key = || tree.node(link.step).text();
            match link.level {
                Level::Base(path) => segments.extend_from_slice(path.segments()),
                Level::List => segments.push(Segment::Index(link.step as usize)),
                Level::Map => segments.push(Segment::Name(key().to_owned().into())),
                Level::Message(fields) => segments.push(Segment::Name(field_name(key(), fields))),
            }
        }
        segments.into()
    }

    /// The fields of the messages around, from the inside out.
    fn around(&self) -> Vec<&'static [&'static str]> {
        let fields = self.outwards().filter_map(|link| match link.level {
            Level::Message(fields) => Some(fields),
            Level::Base(_) | Level::List | Level::Map => None,
        });
        fields.collect()
    }

    fn outwards(&self) -> impl Iterator<Item = &Link<'p>> {
        std::iter::successors(Some(self), |link| link.parent)
    }
}

/// The field that a key of a message means, in the spelling of the wire.
fn field_name(key: &str, fields: &'static [&'static str]) -> Cow<'static, str> {
    let of = |name: &str| fields.iter().find(|field| **field == name).copied();
    match of(key).or_else(|| of(&camel_case(key))) {
        Some(field) => Cow::Borrowed(field),
        None => Cow::Owned(key.to_owned()),
    }
}

/// Deserializes one node.
#[derive(Clone, Copy)]
struct NodeDe<'t, 'c> {
    node: Node<'t>,
    link: &'c Link<'c>,
}

impl Context {
    fn new(dialect: Dialect, hidden: Hidden, budget: usize, limit: usize, recording: bool) -> Self {
        Self {
            dialect,
            masked: HashSet::new(),
            overruled: RefCell::default(),
            passes_over: Cell::new(false),
            hidden,
            recording,
            beside: RefCell::default(),
            shapes: RefCell::default(),
            known_shapes: BTreeMap::new(),
            unknown: RefCell::default(),
            budget: Cell::new(Some(budget)),
            limit,
            overflow: Cell::new(false),
        }
    }

    /// Counts a value against the budget.
    #[inline]
    fn spend(&self, bytes: usize) -> Result<(), Error> {
        let left = self.budget.get().and_then(|left| left.checked_sub(bytes));
        self.budget.set(left);
        match left {
            Some(_) => Ok(()),
            None => Err(Error::new(Reason::Other(String::new()))),
        }
    }

    /// Keeps the fields of a message for the proposals about unknown ones.
    #[inline]
    fn record(&self, node: u32, fields: &'static [&'static str]) {
        if self.recording {
            self.shapes.borrow_mut().push((node, fields));
        }
    }

    /// Passes over a node from now on. `false` if it is passed over already.
    fn mask(&mut self, node: u32) -> bool {
        let seen = std::mem::take(self.shapes.get_mut());
        self.known_shapes.extend(seen);
        self.passes_over.set(true);
        self.masked.insert(node)
    }

    #[inline]
    fn is_masked(&self, node: u32) -> bool {
        self.passes_over.get() && self.masked.contains(&node)
    }

    /// Passes over a key whose field loses against another.
    fn overrule(&self, key: u32) {
        self.passes_over.set(true);
        self.overruled.borrow_mut().insert(key);
    }

    #[inline]
    fn is_overruled(&self, key: u32) -> bool {
        self.passes_over.get() && self.overruled.borrow().contains(&key)
    }

    /// Keeps a finding beside the value.
    fn note(&self, node: u32, fault: Fault) {
        let mut beside = self.beside.borrow_mut();
        if beside.len() < self.limit {
            beside.entry((node, fault.code)).or_insert(fault);
        } else if !beside.contains_key(&(node, fault.code)) {
            self.overflow.set(true);
        }
    }

    fn note_unknown(&self, node: u32, field: impl FnOnce() -> UnknownField) {
        let mut unknown = self.unknown.borrow_mut();
        if unknown.len() < self.limit {
            unknown.entry(node).or_insert_with(field);
        } else if !unknown.contains_key(&node) {
            self.overflow.set(true);
        }
    }
}

impl<'t> NodeDe<'t, '_> {
    fn place(&self) -> Place {
        Place {
            node: self.node.id(),
            path: self.path(),
            span: self.span(),
        }
    }

    fn path(&self) -> FieldPath {
        self.link.path(self.node.tree())
    }

    /// The bytes of the node; those of its key, if it takes no room.
    fn span(&self) -> Range<usize> {
        let keyed = matches!(self.link.level, Level::Map | Level::Message(_));
        if keyed && self.node.span().is_empty() {
            self.node.tree().node(self.link.step).span()
        } else {
            self.node.span()
        }
    }

    fn cx(&self) -> &Context {
        self.link.cx
    }

    /// Whether the node is an item of a list or a value of a map, where `null` does not mean absent.
    fn is_item(&self) -> bool {
        matches!(self.link.level, Level::List | Level::Map)
    }

    /// Adds this node to an error that has no place yet.
    #[inline]
    fn placed<V>(&self, result: Result<V, Error>) -> Result<V, Error> {
        result.map_err(|error| self.place_error(error))
    }

    #[cold]
    fn place_error(&self, error: Error) -> Error {
        error.or_at(|| self.place())
    }

    fn wrong_type<'de, V: Visitor<'de>>(&self, visitor: &V) -> Error {
        let expected: &dyn serde::de::Expected = visitor;
        Error::new(Reason::Type(expected.to_string()))
    }

    fn note(&self, fault: Fault) {
        self.cx().note(self.node.id(), fault.with_path(self.path()));
    }

    /// `null` among items counts as an empty value (A-WIRE-11); the API server refuses it.
    #[inline]
    fn empty_for_null(&self) -> bool {
        self.node.is_null() && self.null_item()
    }

    #[cold]
    fn null_item(&self) -> bool {
        let istio = self.cx().dialect.schema == Schema::Istio;
        if self.is_item() && istio && self.cx().dialect.profile.has_api_server() {
            let fault = Fault::error(codes::NULL, self.span(), "null stands where a value is needed");
            self.note(fault.with_help("remove it, or write the value"));
        }
        true
    }

    /// A-WIRE-5: an integer, or with istiod its digits in quotes, or with the API server one with a fraction of nothing.
    fn integer(&self) -> Option<i128> {
        if let Some(number) = self.node.as_int().or_else(|| self.whole()) {
            return Some(number);
        }
        let text = self.node.as_str()?;
        let digits = text.strip_prefix('-').unwrap_or(text);
        let canonical = !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'));
        let number = canonical.then(|| text.parse().ok()).flatten()?;
        self.note_quoted(codes::INTEGER)?;
        Some(number)
    }

    /// `80.0`: the API server takes it for 80, and hands 80 on to istiod, which would not take it itself.
    fn whole(&self) -> Option<i128> {
        if self.node.kind() != NodeKind::Float || !self.cx().dialect.profile.has_api_server() {
            return None;
        }
        let (whole, fraction) = self.node.text().split_once('.')?;
        let is_whole = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
        is_whole.then(|| whole.parse().ok()).flatten()
    }

    /// A number in quotes: istiod reads it, the API server does not. `None` where it is no number at all.
    fn note_quoted(&self, code: Code) -> Option<()> {
        if self.cx().dialect.schema == Schema::Kubernetes {
            return None;
        }
        if self.cx().dialect.profile.has_api_server() {
            let message = format!("{} is a string, a number is needed here", quote(self.node.text()));
            self.note(Fault::error(code, self.span(), message).with_help("remove the quotes"));
        }
        Some(())
    }

    /// A-WIRE-6: a number, or with istiod a number or its name in quotes.
    fn float(&self) -> Option<f64> {
        if let Some(number) = self.node.as_float() {
            return Some(number);
        }
        let number = match self.node.as_str()? {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            text if text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')) =>
            {
                text.parse().ok()?
            }
            _ => return None,
        };
        self.note_quoted(codes::FLOAT)?;
        Some(number)
    }

    /// A-WIRE-4: istiod takes the number of an enum's value, the API server only its name.
    fn note_number_of_enum<'de, V: Visitor<'de>>(&self, visitor: &V) {
        if self.cx().dialect.schema != Schema::Istio || !self.cx().dialect.profile.has_api_server() {
            return;
        }
        let expected = (visitor as &dyn serde::de::Expected).to_string();
        if expected.starts_with("one of ") {
            let message = format!("{} is a number, a name is needed here", quote(self.node.text()));
            self.note(Fault::error(codes::ENUM, self.span(), message).with_help(format!("write {expected}")));
        }
    }

    fn visit_integer<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Error> {
        if self.empty_for_null() {
            return self.placed(visitor.visit_u64(0));
        }
        let result = match self.integer() {
            None => Err(self.wrong_type(&visitor)),
            Some(number) => match (u64::try_from(number), i64::try_from(number)) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                _ => Err(Error::new(Reason::Value(
                    (&visitor as &dyn serde::de::Expected).to_string(),
                ))),
            },
        };
        self.placed(result)
    }

    fn visit_text<V: Visitor<'t>>(&self, visitor: V) -> Result<V::Value, Error> {
        if self.empty_for_null() {
            return self.placed(visitor.visit_borrowed_str(""));
        }
        let result = match self.node.as_str() {
            Some(text) => {
                self.cx().spend(TEXT_COST)?;
                visitor.visit_borrowed_str(text)
            }
            None => Err(self.wrong_type(&visitor)),
        };
        self.placed(result)
    }
}

/// What a short text takes: a pointer and a length, and the smallest piece of memory.
pub(super) const TEXT_COST: usize = 48;

/// Methods that read alike.
macro_rules! forward {
    ($to:ident: $($method:ident)*) => {
        $(fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
            self.$to(visitor)
        })*
    };
}

impl<'t> Deserializer<'t> for NodeDe<'t, '_> {
    type Error = Error;

    forward!(visit_integer: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);
    forward!(visit_text: deserialize_str deserialize_string deserialize_char deserialize_identifier
        deserialize_bytes deserialize_byte_buf);

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        let result = match self.node.kind() {
            NodeKind::Null => visitor.visit_unit(),
            NodeKind::Bool => visitor.visit_bool(self.node.as_bool().unwrap_or_default()),
            NodeKind::Int => {
                self.note_number_of_enum(&visitor);
                return self.visit_integer(visitor);
            }
            NodeKind::Float => visitor.visit_f64(self.node.as_float().unwrap_or_default()),
            NodeKind::String => visitor.visit_borrowed_str(self.node.text()),
            NodeKind::List => visitor.visit_seq(ListAccess::new(self)),
            NodeKind::Map => visitor.visit_map(MapAccess::map(self)),
        };
        self.placed(result)
    }

    fn deserialize_bool<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.empty_for_null() {
            return self.placed(visitor.visit_bool(false));
        }
        let result = match self.node.as_bool() {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.wrong_type(&visitor)),
        };
        self.placed(result)
    }

    fn deserialize_f32<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.empty_for_null() {
            return self.placed(visitor.visit_f64(0.0));
        }
        let result = match self.float() {
            Some(value) => visitor.visit_f64(value),
            None => Err(self.wrong_type(&visitor)),
        };
        self.placed(result)
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.node.is_null() {
            self.placed(visitor.visit_none())
        } else {
            self.placed(visitor.visit_some(self))
        }
    }

    fn deserialize_unit<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        let empty = self.node.is_null() || (self.node.kind() == NodeKind::Map && self.node.is_empty());
        let result = if empty {
            visitor.visit_unit()
        } else {
            Err(self.wrong_type(&visitor))
        };
        self.placed(result)
    }

    fn deserialize_unit_struct<V: Visitor<'t>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.placed(visitor.visit_newtype_struct(self))
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        let empty = self.empty_for_null();
        let result = if empty || self.node.kind() == NodeKind::List {
            visitor.visit_seq(ListAccess::new(self))
        } else {
            // A-PAR-13: a single value is not wrapped into a list
            Err(Error::new(Reason::Type("a sequence".to_owned())))
        };
        self.placed(result)
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        let result = if self.empty_for_null() || self.node.kind() == NodeKind::Map {
            visitor.visit_map(MapAccess::map(self))
        } else {
            Err(self.wrong_type(&visitor))
        };
        self.placed(result)
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let result = if self.empty_for_null() || self.node.kind() == NodeKind::Map {
            self.cx().spend(size_of::<V::Value>())?;
            self.cx().record(self.node.id(), fields);
            visitor.visit_map(MapAccess::message(self, fields, Oneofs::of(name)))
        } else {
            Err(Error::new(Reason::Type("struct ".to_owned())))
        };
        self.placed(result)
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let access = match self.node.kind() {
            NodeKind::String => EnumAccess::unit(self),
            NodeKind::Map if self.node.len() == 1 => EnumAccess::newtype(self),
            _ => return self.placed(Err(self.wrong_type(&visitor))),
        };
        self.placed(visitor.visit_enum(access))
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}
