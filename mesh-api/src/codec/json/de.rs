//! A serde `Deserializer` over the text itself, for JSON in which there is nothing to find.
//!
//! It takes what every reader would take alike: known fields, each once, with values of their own types. At anything else (a
//! number in quotes, a `null` in a list, an unknown field, two members of a oneof, and whatever is no JSON at all) it leaves
//! the object to the tree, from its start. So it has no findings of its own, and a value from here is the value that the
//! tree gives; a property test holds the two together.

use std::fmt;

use serde::de::{self, Deserializer, Expected, IgnoredAny, Visitor};

use super::access::{ListAccess, MapAccess, MessageAccess, UnitVariant};
use super::lexer::Lexer;
use crate::codec::de::{Dialect, Schema, TEXT_COST};
use crate::codec::fault::Fault;
use crate::codec::options::Limits;
use crate::codec::options::YamlVersion;
use crate::codec::resolve::{self, Resolved};

/// The object is left to the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left;

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("left to the tree")
    }
}

impl std::error::Error for Left {}

impl de::Error for Left {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// The tree's scanner finds it again.
impl From<Box<Fault>> for Left {
    fn from(_: Box<Fault>) -> Self {
        Self
    }
}

pub(super) type Step<T = ()> = Result<T, Left>;

/// The text, and what was read of it so far. Values are asked for when the reader stands at their first byte.
pub(super) struct Reader<'t, 'o> {
    pub(super) lexer: Lexer<'t>,
    pub(super) dialect: Dialect,
    pub(super) limits: &'o Limits,
    /// The bytes that typed values may still take.
    pub(super) budget: usize,
    /// The nodes that a tree would have so far.
    pub(super) nodes: usize,
    /// How many lists and maps are open.
    depth: usize,
    /// Text that differs from what is written.
    pub(super) buffer: String,
    /// The keys of the open maps, by a number that tells them apart.
    prints: Vec<u64>,
}

impl<'t, 'o> Reader<'t, 'o> {
    pub(super) fn new(lexer: Lexer<'t>, dialect: Dialect, limits: &'o Limits, budget: usize) -> Self {
        Self {
            lexer,
            dialect,
            limits,
            budget,
            nodes: 0,
            depth: 0,
            buffer: String::new(),
            prints: Vec::new(),
        }
    }

    /// Goes over the bracket or brace that opens a list or map.
    #[inline]
    pub(super) fn open(&mut self, bracket: u8) -> Step {
        if self.lexer.peek() != Some(bracket) || self.depth >= self.limits.depth {
            return Err(Left);
        }
        self.lexer.at += 1;
        self.depth += 1;
        self.nodes += 1;
        Ok(())
    }

    /// Goes to the next entry or item. `false` if there is none, and the end is behind.
    #[inline]
    pub(super) fn advance(&mut self, is_first: bool, closing: u8) -> Step<bool> {
        self.lexer.skip_space();
        match self.lexer.peek() {
            Some(byte) if byte == closing => {
                self.lexer.at += 1;
                self.depth -= 1;
                return Ok(false);
            }
            Some(b',') if !is_first => {
                self.lexer.at += 1;
                self.lexer.skip_space();
            }
            Some(_) if is_first => {}
            _ => return Err(Left),
        }
        Ok(true)
    }

    /// A key without escapes, up to its value.
    #[inline]
    pub(super) fn key(&mut self) -> Step<&'t str> {
        let content = self.plain_string()?.ok_or(Left)?;
        self.after_key(content.len())?;
        Ok(content)
    }

    #[inline]
    pub(super) fn after_key(&mut self, length: usize) -> Step {
        self.lexer.skip_space();
        if self.lexer.peek() != Some(b':') || length > self.limits.key_bytes {
            return Err(Left);
        }
        self.lexer.at += 1;
        self.lexer.skip_space();
        Ok(())
    }

    /// The content of a string; `None` for one with escapes, which stands here still.
    #[inline]
    pub(super) fn plain_string(&mut self) -> Step<Option<&'t str>> {
        if self.lexer.peek() != Some(b'"') {
            return Err(Left);
        }
        self.nodes += 1;
        let content = self.lexer.plain_string();
        Ok(content.map(|content| self.lexer.slice(content)))
    }

    /// A string without escapes that is not empty.
    pub(super) fn name(&mut self) -> Step<&'t str> {
        let name = self.plain_string()?;
        name.filter(|name| !name.is_empty()).ok_or(Left)
    }

    /// A string with escapes.
    #[cold]
    pub(super) fn unescape(&mut self) -> Step<&str> {
        self.lexer.unescape(&mut self.buffer)?;
        Ok(&self.buffer)
    }

    /// Goes over a `null`, if one stands here.
    #[inline]
    pub(super) fn null(&mut self) -> Step<bool> {
        if self.lexer.peek() != Some(b'n') {
            return Ok(false);
        }
        self.nodes += 1;
        self.lexer.word()?;
        Ok(true)
    }

    /// Goes over a value that nobody asks for.
    pub(super) fn skip(&mut self) -> Step {
        (&mut *self).deserialize_any(IgnoredAny)?;
        Ok(())
    }

    /// Counts a value against the budget.
    #[inline]
    pub(super) fn spend(&mut self, bytes: usize) -> Step {
        self.budget = self.budget.checked_sub(bytes).ok_or(Left)?;
        Ok(())
    }

    fn number(&mut self) -> Step<(Resolved, &'t str)> {
        self.nodes += 1;
        let (resolved, range) = self.lexer.number()?;
        Ok((resolved, self.lexer.slice(range)))
    }

    fn bool(&mut self) -> Step<bool> {
        self.nodes += 1;
        match self.lexer.word()? {
            (Resolved::Bool(value), _) => Ok(value),
            _ => Err(Left),
        }
    }

    /// Notes a key of the map whose keys start at `start`. A key that may be there already is left to the tree, and so are
    /// maps with very many.
    pub(super) fn note_key(&mut self, key: &str, map: &mut Keys) -> Step {
        let print = fingerprint(key.as_bytes());
        let bit = 1 << (print >> 58);
        if map.bits & bit != 0 {
            let known = self.prints.get(map.start..).unwrap_or_default();
            if known.len() > MAX_KEYS || known.contains(&print) {
                return Err(Left);
            }
        }
        map.bits |= bit;
        self.prints.push(print);
        Ok(())
    }

    pub(super) fn keys(&self) -> Keys {
        Keys {
            start: self.prints.len(),
            bits: 0,
        }
    }

    /// Forgets the keys of a map that ended.
    #[inline]
    pub(super) fn forget(&mut self, keys: &Keys) {
        self.prints.truncate(keys.start);
    }

    fn visit_integer<'de, V: Visitor<'de>>(&mut self, visitor: V) -> Step<V::Value> {
        match self.number()? {
            (Resolved::Int, text) => visit_integer(text, visitor),
            _ => Err(Left),
        }
    }

    #[inline]
    fn visit_string<V: Visitor<'t>>(&mut self, visitor: V) -> Step<V::Value> {
        match self.plain_string()? {
            Some(text) => visitor.visit_borrowed_str(text),
            None => visitor.visit_str(self.unescape()?),
        }
    }

    fn visit_text<V: Visitor<'t>>(&mut self, visitor: V) -> Step<V::Value> {
        self.spend(TEXT_COST)?;
        self.visit_string(visitor)
    }

    fn visit_list<V: Visitor<'t>>(&mut self, visitor: V) -> Step<V::Value> {
        self.open(b'[')?;
        ListAccess::new(self).visit(visitor)
    }

    fn visit_map<V: Visitor<'t>>(&mut self, visitor: V) -> Step<V::Value> {
        self.open(b'{')?;
        MapAccess::new(self).visit(visitor)
    }

    /// A number where its type does not say what it takes: A-WIRE-4 has a finding about numbers of enums.
    #[cold]
    fn visit_number<V: Visitor<'t>>(&mut self, visitor: V) -> Step<V::Value> {
        let (resolved, text) = self.number()?;
        if resolved != Resolved::Int {
            return visitor.visit_f64(resolve::parse_float(text).unwrap_or_default());
        }
        if self.dialect.schema == Schema::Istio && self.dialect.profile.has_api_server() {
            let expected = (&visitor as &dyn Expected).to_string();
            if expected.starts_with("one of ") {
                return Err(Left);
            }
        }
        visit_integer(text, visitor)
    }
}

fn visit_integer<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Step<V::Value> {
    // JSON's integers mean the same in all versions of YAML
    let number = resolve::parse_int(text, YamlVersion::Core12).ok_or(Left)?;
    match (u64::try_from(number), i64::try_from(number)) {
        (Ok(number), _) => visitor.visit_u64(number),
        (_, Ok(number)) => visitor.visit_i64(number),
        _ => Err(Left),
    }
}

/// Methods that read alike.
macro_rules! forward {
    ($to:ident: $($method:ident)*) => {
        $(fn $method<V: Visitor<'t>>(self, visitor: V) -> Step<V::Value> {
            self.$to(visitor)
        })*
    };
}

impl<'t> Deserializer<'t> for &mut Reader<'t, '_> {
    type Error = Left;

    forward!(visit_integer: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);
    forward!(visit_text: deserialize_str deserialize_string deserialize_char deserialize_identifier
        deserialize_bytes deserialize_byte_buf);
    forward!(visit_list: deserialize_seq);
    forward!(visit_map: deserialize_map);

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Step<V::Value> {
        match self.lexer.peek() {
            Some(b'"') => self.visit_string(visitor),
            Some(b'{') => self.visit_map(visitor),
            Some(b'[') => self.visit_list(visitor),
            Some(b'-' | b'0'..=b'9') => self.visit_number(visitor),
            Some(b'n') if self.null()? => visitor.visit_unit(),
            _ => visitor.visit_bool(self.bool()?),
        }
    }

    fn deserialize_bool<V: Visitor<'t>>(self, visitor: V) -> Step<V::Value> {
        visitor.visit_bool(self.bool()?)
    }

    fn deserialize_f32<V: Visitor<'t>>(self, visitor: V) -> Step<V::Value> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'t>>(self, visitor: V) -> Step<V::Value> {
        let (resolved, text) = self.number()?;
        let number = match resolved {
            Resolved::Int => resolve::parse_int(text, YamlVersion::Core12).map(|number| number as f64),
            _ => resolve::parse_float(text),
        };
        visitor.visit_f64(number.ok_or(Left)?)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Step<V::Value> {
        // where `null` is absent, it does not come here
        if self.lexer.peek() == Some(b'n') {
            return Err(Left);
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'t>>(self, visitor: V) -> Step<V::Value> {
        self.open(b'{')?;
        match self.advance(true, b'}')? {
            true => Err(Left),
            false => visitor.visit_unit(),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'t>>(self, _: &'static str, visitor: V) -> Step<V::Value> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'t>>(self, _: &'static str, visitor: V) -> Step<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, _: usize, visitor: V) -> Step<V::Value> {
        self.visit_list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Step<V::Value> {
        self.visit_list(visitor)
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Step<V::Value> {
        self.open(b'{')?;
        MessageAccess::new(self, name, fields).visit(visitor)
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Step<V::Value> {
        let name = self.plain_string()?.ok_or(Left)?;
        visitor.visit_enum(UnitVariant(name))
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Step<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }
}

/// The keys of a map that came.
pub(super) struct Keys {
    /// Where they start among those of the maps around.
    start: usize,
    /// A bit for each.
    bits: u64,
}

/// A map with more keys than this is left to the tree, which tells them apart by another means.
const MAX_KEYS: usize = 256;

/// A number that differs for texts that differ, as good as always.
fn fingerprint(text: &[u8]) -> u64 {
    let mix = |print: u64, word: u64| (print ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    let (words, rest) = text.as_chunks::<8>();
    let print = words.iter().fold(text.len() as u64, |print, word| {
        mix(print, u64::from_le_bytes(*word))
    });
    let rest = rest.iter().fold(0, |rest, byte| (rest << 8) | u64::from(*byte));
    mix(print, rest).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
