//! A serde `Deserializer` over the arena. It speaks istiod's dialect of JSON (api.md 1.4), so that models need not.

mod access;
mod error;
mod pass;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use serde::Deserializer;
use serde::de::Visitor;

use super::Profile;
use super::fault::{Fault, codes, quote};
use super::tree::{Node, NodeKind};
use crate::report::{Code, FieldPath, Segment};

use access::{EnumAccess, ListAccess, MapAccess, Oneofs};
use error::{Error, Place, Reason};

pub(crate) use pass::decode;

/// How a part of a document is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) profile: Profile,
    pub(crate) schema: Schema,
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
    /// The keys of the node that is decoded which are not part of the message: the envelope of an object.
    hidden: Hidden,
    /// Findings beside the value, by node and rule, so that decoding again does not repeat them.
    beside: RefCell<BTreeMap<(u32, Code), Fault>>,
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

/// The way down to a node, on the stack.
#[derive(Clone, Copy)]
struct Link<'p> {
    parent: Option<&'p Link<'p>>,
    step: Step<'p>,
    /// The fields of the message that this link is part of.
    fields: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Base(&'p FieldPath),
    Name(&'p str),
    Index(usize),
}

impl Link<'_> {
    fn path(&self) -> FieldPath {
        let mut links = Vec::new();
        let mut link = Some(self);
        while let Some(current) = link {
            links.push(current.step);
            link = current.parent;
        }
        let mut segments: Vec<Segment> = Vec::with_capacity(links.len());
        for step in links.iter().rev() {
            match step {
                Step::Base(path) => segments.extend_from_slice(path.segments()),
                Step::Name(name) => segments.push(Segment::Name((*name).to_owned().into())),
                Step::Index(index) => segments.push(Segment::Index(*index)),
            }
        }
        segments.into()
    }

    /// The fields of the messages around, from the inside out.
    fn around(&self) -> Vec<&'static [&'static str]> {
        let links = std::iter::successors(self.parent, |link| link.parent);
        std::iter::once(self)
            .chain(links)
            .map(|link| link.fields)
            .filter(|fields| !fields.is_empty())
            .collect()
    }
}

/// Deserializes one node.
#[derive(Clone, Copy)]
struct NodeDe<'t, 'c> {
    cx: &'c Context,
    node: Node<'t>,
    link: &'c Link<'c>,
    /// The node is an item of a list or a value of a map, where `null` does not mean absent.
    item: bool,
    /// The node of the key, for findings about a value that takes no room.
    key: Option<u32>,
}

impl Context {
    fn new(dialect: Dialect, hidden: Hidden, budget: usize, limit: usize) -> Self {
        Self {
            dialect,
            masked: HashSet::new(),
            hidden,
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

    /// Passes over a node from now on. `false` if it is passed over already.
    fn mask(&mut self, node: u32) -> bool {
        let seen = std::mem::take(self.shapes.get_mut());
        self.known_shapes.extend(seen);
        self.masked.insert(node)
    }

    fn is_masked(&self, node: u32) -> bool {
        !self.masked.is_empty() && self.masked.contains(&node)
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
            path: self.link.path(),
            span: self.span(),
        }
    }

    fn span(&self) -> Range<usize> {
        match self.key {
            Some(key) if self.node.span().is_empty() => self.node.tree().node(key).span(),
            _ => self.node.span(),
        }
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
        self.cx.note(self.node.id(), fault.with_path(self.link.path()));
    }

    /// `null` among items counts as an empty value (A-WIRE-11); the API server refuses it.
    #[inline]
    fn empty_for_null(&self) -> bool {
        self.node.is_null() && self.null_item()
    }

    #[cold]
    fn null_item(&self) -> bool {
        let istio = self.cx.dialect.schema == Schema::Istio;
        if self.item && istio && self.cx.dialect.profile.has_api_server() {
            let fault = Fault::error(codes::NULL, self.span(), "null stands where a value is needed");
            self.note(fault.with_help("remove it, or write the value"));
        }
        true
    }

    /// A-WIRE-5: an integer, or with istiod its digits in quotes.
    fn integer(&self) -> Option<i128> {
        if let Some(number) = self.node.as_int() {
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

    /// A number in quotes: istiod reads it, the API server does not. `None` where it is no number at all.
    fn note_quoted(&self, code: Code) -> Option<()> {
        if self.cx.dialect.schema == Schema::Kubernetes {
            return None;
        }
        if self.cx.dialect.profile.has_api_server() {
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
        if self.cx.dialect.schema != Schema::Istio || !self.cx.dialect.profile.has_api_server() {
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
                self.cx.spend(TEXT_COST)?;
                visitor.visit_borrowed_str(text)
            }
            None => Err(self.wrong_type(&visitor)),
        };
        self.placed(result)
    }
}

/// What a short text takes: a pointer and a length, and the smallest piece of memory.
const TEXT_COST: usize = 48;

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
            self.cx.spend(size_of::<V::Value>())?;
            self.cx.shapes.borrow_mut().push((self.node.id(), fields));
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
