//! Immutable shared text.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// Immutable text that is cheap to clone: a shared `str`.
///
/// Compares, orders and hashes exactly like the `str` it holds, so a map keyed by `Text` can be asked with `&str`.
/// The default is the empty text.
///
/// ```
/// use std::collections::BTreeMap;
/// use mesh_api::names::Text;
///
/// let reviews = Text::from("reviews");
/// assert_eq!(reviews, "reviews");
/// let map = BTreeMap::from([(reviews.clone(), 1)]);
/// assert_eq!(map.get("reviews"), Some(&1));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Arc<str>);

impl Text {
    /// Copies `text` into a new shared value.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(Arc::from(text.as_ref()))
    }

    /// The text as a slice.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both values share one allocation. Equal texts need not.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Arc::from(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Arc::from(text))
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self(Arc::from(text.as_str()))
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self(text)
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.as_str().to_owned()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<Text> for str {
    fn eq(&self, other: &Text) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<Text> for &str {
    fn eq(&self, other: &Text) -> bool {
        *self == other.as_str()
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text::from(text))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Text, E> {
                Ok(Text::from(text))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// Hands out one shared [`Text`] per distinct text, so that ten thousand mentions of a namespace are one allocation.
///
/// A pool is a hash set: each call costs one look-up, however many texts it holds.
///
/// ```
/// use mesh_api::names::TextPool;
///
/// let mut pool = TextPool::default();
/// let first = pool.intern("shop");
/// let second = pool.intern("shop");
/// assert!(first.ptr_eq(&second));
/// assert_eq!(pool.len(), 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct TextPool {
    texts: HashSet<Text>,
}

impl TextPool {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// The pool's text equal to `text`, added if it is new.
    pub fn intern(&mut self, text: &str) -> Text {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let new = Text::from(text);
        self.texts.insert(new.clone());
        new
    }

    /// The number of distinct texts.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether nothing was interned yet.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

/// The traits that every name over [`Text`] shares; what a name means and what is valid stays in ordinary functions.
macro_rules! text_newtype {
    ($name:ident) => {
        impl $name {
            /// Takes the name as written, unchecked: validity is the validator's business.
            pub fn new(text: impl Into<$crate::names::Text>) -> Self {
                Self(text.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The shared text behind the name.
            pub fn as_text(&self) -> &$crate::names::Text {
                &self.0
            }

            /// Whether the name is the empty text, which stands for "not given".
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl From<$name> for $crate::names::Text {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}
pub(crate) use text_newtype;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behaves_like_the_str_it_holds() {
        let text = Text::from("a");
        assert_eq!(text, *"a");
        assert_eq!("a", text);
        assert_eq!(format!("{text:?} {text:>3}"), "\"a\"   a");
        assert_eq!(Text::default(), "");
        let (a, b) = (Text::from("a"), Text::from("b"));
        assert!(a < b);
        assert_eq!(text.len(), 1);
    }

    #[test]
    fn goes_through_serde_as_a_string_and_as_nothing_else() {
        let text: Text = serde_json::from_str("\"x\\u0041\"").unwrap();
        assert_eq!(text, "xA");
        assert_eq!(serde_json::to_string(&text).unwrap(), "\"xA\"");
        assert!(serde_json::from_str::<Text>("1").is_err()); // A-WIRE-8
        assert!(serde_json::from_str::<Text>("true").is_err());
    }

    #[test]
    fn a_pool_shares_equal_texts() {
        let mut pool = TextPool::new();
        assert!(pool.is_empty());
        let (a, b, c) = (pool.intern("x"), pool.intern("y"), pool.intern("x"));
        assert!(a.ptr_eq(&c) && !a.ptr_eq(&b));
        assert_eq!(pool.len(), 2);
    }
}
