//! A small language for the schemas of CRDs.
//!
//! A schema is a constant, written beside the others of its kind as the CRD nests them. It says what the API server checks
//! and nothing else: what a field means, the models say.

use crate::codec::Node;
use crate::report::Rule;

/// What the API server wants of one value.
#[derive(Clone, Copy)]
pub(super) struct Schema {
    pub(super) shape: Shape,
    /// Whether `null` is kept as a value. Elsewhere a field that is `null` counts as absent.
    pub(super) nullable: bool,
    /// The rule that findings here and below cite; without one, that of the schema above.
    pub(super) rule: Option<&'static Rule>,
    pub(super) checks: &'static [Check],
}

/// The type of a value with what OpenAPI can say about it.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A map that nobody looks into.
    Any,
    Boolean,
    Integer(Bounds),
    List {
        items: &'static Schema,
        size: Size,
        /// The field that tells the items apart.
        key: Option<&'static str>,
    },
    Map {
        values: &'static Schema,
        size: Size,
    },
    Message {
        fields: &'static [Field],
        /// Groups of fields, of each of which one at most may be set.
        oneofs: &'static [&'static [&'static str]],
    },
    Number {
        min: Option<u32>,
        max: Option<u32>,
    },
    /// One of some names.
    Name(&'static [&'static str]),
    /// Text; the size counts Unicode code points (A-CR-3).
    Text(Size),
    /// Text in base64.
    Base64,
}

/// The smallest and largest integer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) min: Option<i64>,
    pub(super) max: Option<i64>,
}

/// How many code points, items or entries there must be and may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) min: usize,
    pub(super) max: Option<usize>,
}

/// A field of a message.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) schema: &'static Schema,
}

/// A condition beyond OpenAPI's bounds: a pattern, or an expression of CEL, ported by hand.
#[derive(Clone, Copy)]
pub(super) struct Check {
    pub(super) language: Language,
    /// The 64-bit FNV-1a digest of the text in the CRD, by which the drift check sees that it was changed.
    pub(super) digest: u64,
    pub(super) test: Test,
    /// What is wrong. `{}` stands for the text or key that is.
    pub(super) message: &'static str,
    pub(super) help: Option<&'static str>,
    /// The field below to point at, if it is there; empty for the value itself.
    pub(super) points_at: &'static str,
}

/// What a [`Check`] is written in upstream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// `x-kubernetes-validations`: asked only where the structure is sound.
    Cel,
    /// `pattern`: part of the structure.
    Pattern,
}

/// What a [`Check`] looks at. All say whether the value is fine.
#[derive(Clone, Copy)]
pub(super) enum Test {
    Integer(fn(i128) -> bool),
    /// Each key of a map.
    Keys(fn(&str) -> bool),
    Node(fn(Node<'_>) -> bool),
    Text(fn(&str) -> bool),
}

impl Size {
    pub(super) const ANY: Self = Self { min: 0, max: None };
}

impl Schema {
    const fn new(shape: Shape) -> Self {
        Self {
            shape,
            nullable: false,
            rule: None,
            checks: &[],
        }
    }

    /// The schema, also of `null`.
    pub(super) const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// The schema, with the rule that its findings cite.
    pub(super) const fn rule(mut self, rule: &'static Rule) -> Self {
        self.rule = Some(rule);
        self
    }

    /// The schema, with conditions beyond bounds.
    pub(super) const fn checks(mut self, checks: &'static [Check]) -> Self {
        self.checks = checks;
        self
    }
}

pub(super) const BOOLEAN: Schema = Schema::new(Shape::Boolean);
pub(super) const BASE64: Schema = Schema::new(Shape::Base64);
/// A JSON object that is carried unread.
pub(super) const ANY: Schema = Schema::new(Shape::Any);
pub(super) const TEXT: Schema = Schema::new(Shape::Text(Size::ANY));
pub(super) const TEXTS: Schema = list(&TEXT);
/// A map from text to text.
pub(super) const TEXT_MAP: Schema = map(&TEXT);
/// Text that is not empty.
pub(super) const NON_EMPTY: Schema = Schema::new(Shape::Text(Size { min: 1, max: None }));
pub(super) const I32: Schema = integer(i32::MIN as i64, i32::MAX as i64);
pub(super) const U32: Schema = integer(0, u32::MAX as i64);
pub(super) const U64: Schema = Schema::new(Shape::Integer(Bounds {
    min: Some(0),
    max: None,
}));
/// A number without bounds.
pub(super) const NUMBER: Schema = Schema::new(Shape::Number { min: None, max: None });

pub(super) const fn integer(min: i64, max: i64) -> Schema {
    Schema::new(Shape::Integer(Bounds {
        min: Some(min),
        max: Some(max),
    }))
}

pub(super) const fn number(min: u32, max: Option<u32>) -> Schema {
    Schema::new(Shape::Number { min: Some(min), max })
}

/// Text of that many code points.
pub(super) const fn text(min: usize, max: usize) -> Schema {
    Schema::new(Shape::Text(Size { min, max: Some(max) }))
}

/// An enum.
pub(super) const fn name(names: &'static [&'static str]) -> Schema {
    Schema::new(Shape::Name(names))
}

pub(super) const fn list(items: &'static Schema) -> Schema {
    Schema::new(Shape::List {
        items,
        size: Size::ANY,
        key: None,
    })
}

/// A list of that many items.
pub(super) const fn list_of(items: &'static Schema, min: usize, max: usize) -> Schema {
    let size = Size { min, max: Some(max) };
    Schema::new(Shape::List {
        items,
        size,
        key: None,
    })
}

/// A list whose items are told apart by a field; `max` is the number of items.
pub(super) const fn list_by(key: &'static str, items: &'static Schema, max: Option<usize>) -> Schema {
    let size = Size { min: 0, max };
    Schema::new(Shape::List {
        items,
        size,
        key: Some(key),
    })
}

pub(super) const fn map(values: &'static Schema) -> Schema {
    map_of(values, 0, None)
}

/// A map of that many entries.
pub(super) const fn map_of(values: &'static Schema, min: usize, max: Option<usize>) -> Schema {
    let size = Size { min, max };
    Schema::new(Shape::Map { values, size })
}

pub(super) const fn message(fields: &'static [Field]) -> Schema {
    oneof(fields, &[])
}

/// A message with groups of fields, of each of which one at most may be set.
pub(super) const fn oneof(fields: &'static [Field], oneofs: &'static [&'static [&'static str]]) -> Schema {
    Schema::new(Shape::Message { fields, oneofs })
}

pub(super) const fn optional(name: &'static str, schema: &'static Schema) -> Field {
    Field {
        name,
        required: false,
        schema,
    }
}

pub(super) const fn required(name: &'static str, schema: &'static Schema) -> Field {
    Field {
        name,
        required: true,
        schema,
    }
}

/// A condition in CEL.
pub(super) const fn cel(digest: u64, test: Test, message: &'static str) -> Check {
    Check {
        language: Language::Cel,
        digest,
        test,
        message,
        help: None,
        points_at: "",
    }
}

/// A pattern for text.
pub(super) const fn pattern(digest: u64, test: fn(&str) -> bool, message: &'static str) -> Check {
    Check {
        language: Language::Pattern,
        ..cel(digest, Test::Text(test), message)
    }
}

impl Check {
    /// The check, with advice.
    pub(super) const fn help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    /// The check, with the field to show.
    pub(super) const fn points_at(mut self, field: &'static str) -> Self {
        self.points_at = field;
        self
    }

    /// The same check for another text that says the same.
    pub(super) const fn with_digest(mut self, digest: u64) -> Self {
        self.digest = digest;
        self
    }
}
