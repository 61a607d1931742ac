//! Parts of imported configuration that this crate does not understand: carried, named, and able to make an answer
//! undecided; they never vanish and never guess (PLAN 10).

use mesh_api::names::Text;

/// Foreign parts of a node; usually none.
pub type Foreign = Option<Box<ForeignParts>>;

/// An opaque part of an imported resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ForeignParts {
    /// Type URL of the message.
    pub type_url: Text,
    /// Its encoding, given back as it came.
    pub bytes: Box<[u8]>,
    /// The name under which it stood.
    pub name: Text,
    /// What it can change.
    pub effect: ForeignEffect,
}

/// What a foreign part can change in a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForeignEffect {
    /// Nothing that a decision speaks of; a caveat.
    None,
    /// Whether the node applies: its test is unknown.
    Condition,
    /// What is done.
    Action,
}
