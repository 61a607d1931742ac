//! Text to typed objects: one decoder for YAML and JSON, with positions.
//!
//! Text is cut at `---` lines first, so that a broken document hides no other. Each document becomes a [`Tree`]: an arena of
//! nodes that know their bytes. JSON and plain block YAML are scanned into it directly; the rest of YAML comes from a
//! parser's events, which make the same tree several times slower. A serde `Deserializer` over the tree speaks the dialect of
//! the wire, so models are plain structs. It finds all faults of an object, not the first one: what does not fit is masked,
//! and the rest is read again.
//!
//! JSON objects of a known kind in which there is nothing to find need no tree: they are read straight from the text, which is
//! about as fast as `serde_json`. At the first thing that is not plain (an unknown field, a key twice, a value of another
//! type, a limit) the object is read again by its tree, which alone judges. Of an object without a tree, the tree is made when
//! somebody asks for a place in it, and kept. That costs about half of what reading it did; so who validates all that is read
//! pays for places as well.
//!
//! [`to_yaml`] and [`to_json`] write values, and objects have methods of these names. Models are plain serde types, so other
//! crates can read and write them too: `serde_json` for canonical JSON, any serde crate for YAML. They need no feature
//! here, and they know neither the dialect nor positions and limits; leave text of others to [`decode`].
//!
//! # Where YAML differs
//!
//! Plain words mean what the Kubernetes tools take them for (A-PAR-7). A tab is allowed wherever YAML allows white space, but
//! not as the only white space between a key's colon and a word; that is a syntax error here.
//! A lone surrogate in a JSON string is an error, where Go's decoder puts in a replacement character.
//! The limit on what aliases add is not asked where that is less than 64 KiB, since small texts do no harm.
//!
//! # What a model looks like
//!
//! A model is a plain struct with derived serde. The dialect of the wire is the decoder's work, not the model's:
//!
//! * `#[serde(rename_all = "camelCase", default)]` on every message: the decoder finds the original `snake_case` spelling
//!   of a field by itself, takes `null` for absent, reads quoted integers, and reports unknown fields beside the value.
//! * Enums come from [`wire_enum!`](crate::scalar), durations and the like from [`crate::scalar`].
//! * No `flatten` and no `untagged`: both buffer, and lose positions and unknown fields.
//! * A oneof is an enum (or an `Option` of one inside a message) that goes through a private struct with one `Option`
//!   per member. The members are named in the struct's serde name, in parentheses and in the order of declaration, one
//!   pair of parentheses per oneof, with the names that fields have on the wire. From that name the decoder knows that
//!   only one of them may be set (A-WIRE-13); where two are, it reports both, and hands on the last.
//!
//! ```
//! use mesh_api::names::Text;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
//! #[serde(from = "StringMatchFields", into = "StringMatchFields")]
//! enum StringMatch {
//!     Unset,
//!     Exact(Text),
//!     Prefix(Text),
//! }
//!
//! #[derive(Default, Serialize, Deserialize)]
//! #[serde(rename = "StringMatch(exact|prefix)", rename_all = "camelCase", default)]
//! struct StringMatchFields {
//!     #[serde(skip_serializing_if = "Option::is_none")]
//!     exact: Option<Text>,
//!     #[serde(skip_serializing_if = "Option::is_none")]
//!     prefix: Option<Text>,
//! }
//!
//! impl From<StringMatchFields> for StringMatch {
//!     fn from(fields: StringMatchFields) -> Self {
//!         // the last member in declaration order wins
//!         match fields {
//!             StringMatchFields { prefix: Some(text), .. } => Self::Prefix(text),
//!             StringMatchFields { exact: Some(text), .. } => Self::Exact(text),
//!             StringMatchFields { exact: None, prefix: None } => Self::Unset,
//!         }
//!     }
//! }
//!
//! impl From<StringMatch> for StringMatchFields {
//!     fn from(value: StringMatch) -> Self {
//!         match value {
//!             StringMatch::Unset => Self::default(),
//!             StringMatch::Exact(text) => Self { exact: Some(text), ..Self::default() },
//!             StringMatch::Prefix(text) => Self { prefix: Some(text), ..Self::default() },
//!         }
//!     }
//! }
//!
//! let decoded: StringMatch = serde_json::from_str(r#"{"prefix": "/reviews"}"#)?;
//! assert_eq!(decoded, StringMatch::Prefix(Text::from("/reviews")));
//! # Ok::<(), serde_json::Error>(())
//! ```

mod de;
mod direct;
mod documents;
mod emit;
mod envelope;
mod fault;
mod find;
mod json;
mod lazy;
mod options;
mod parts;
mod profile;
mod resolve;
#[doc(hidden)]
pub mod scanners;
mod source;
mod stream;
pub(crate) mod suggest;
mod tree;
mod yaml;

use std::sync::Arc;

pub(crate) use de::{Dialect, Models, Schema, decode as decode_node};
pub use emit::{EncodeError, to_json, to_yaml};
pub(crate) use envelope::read_single;
pub use fault::codes;
pub(crate) use find::is_same_name;
pub(crate) use lazy::Document;
pub use options::{DecodeOptions, Limits, YamlVersion};
pub use profile::Profile;
pub use source::Source;
pub(crate) use stream::read_trees;
pub use stream::{Decoded, DocumentInfo, decode, decode_value, decode_with};
pub(crate) use suggest::field as nearest_name;
pub use tree::{Entries, Items, Node, NodeKind, Tree};
pub(crate) use tree::{Locator, camel_case};

pub(crate) use fault::quote;

use crate::report::Diagnostic;

impl Tree {
    /// Reads one document, YAML or JSON, without asking what it means.
    ///
    /// # Errors
    /// The first finding, if there is one of severity error, or if the text holds no document.
    pub fn parse(file_name: &str, text: &str) -> Result<Arc<Self>, Box<Diagnostic>> {
        stream::read_tree(file_name, text.as_bytes(), &DecodeOptions::default())
    }
}
