//! Paths to fields.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The way from an object down to one of its fields, such as `spec.http[2].route[0].destination.host`.
///
/// A key of a map is a step like a field; one that would not read as a field prints as `["the.key"]`.
///
/// ```
/// use mesh_api::report::FieldPath;
///
/// let route = FieldPath::spec().with_field("http").with_index(2);
/// assert_eq!(route.with_field("name").to_string(), "spec.http[2].name");
/// let label = FieldPath::root().with_field("labels").with_key("app.kubernetes.io/name");
/// assert_eq!(label.to_string(), r#"labels["app.kubernetes.io/name"]"#);
/// assert_eq!("spec.http[2]".parse(), Ok(route));
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath {
    segments: Vec<Segment>,
}

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// An item of a list, counted from 0.
    Index(usize),
    /// A field of a message or a key of a map.
    Name(Cow<'static, str>),
}

impl FieldPath {
    /// The object itself.
    pub const fn root() -> Self {
        Self { segments: Vec::new() }
    }

    /// The object's `spec`.
    pub fn spec() -> Self {
        Self::root().with_field("spec")
    }

    /// The path one field further down.
    #[must_use]
    pub fn with_field(&self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(Segment::Name(name.into()))
    }

    /// The path to one item of the list here.
    #[must_use]
    pub fn with_index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// The path to one entry of the map here.
    #[must_use]
    pub fn with_key(&self, key: impl AsRef<str>) -> Self {
        self.with(Segment::Name(Cow::Owned(key.as_ref().to_owned())))
    }

    /// The path of a field of the value here, given its path in that value.
    ///
    /// ```
    /// use mesh_api::report::FieldPath;
    ///
    /// let below = FieldPath::root().with_field("http").with_index(2);
    /// assert_eq!(FieldPath::spec().join(&below).to_string(), "spec.http[2]");
    /// ```
    #[must_use]
    pub fn join(&self, below: &FieldPath) -> Self {
        Self {
            segments: [self.segments.as_slice(), below.segments.as_slice()].concat(),
        }
    }

    /// The steps from the object down.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The path one step up; `None` at the object itself.
    pub fn parent(&self) -> Option<Self> {
        let (_, parents) = self.segments.split_last()?;
        Some(Self {
            segments: parents.to_vec(),
        })
    }

    /// Whether this is the object itself.
    pub fn is_root(&self) -> bool {
        self.segments.is_empty()
    }

    /// Whether `other` is this path or leads further down from it.
    pub fn is_prefix_of(&self, other: &FieldPath) -> bool {
        other.segments.starts_with(&self.segments)
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = Vec::with_capacity(self.segments.len() + 1);
        segments.extend_from_slice(&self.segments);
        segments.push(segment);
        Self { segments }
    }
}

impl From<Vec<Segment>> for FieldPath {
    fn from(segments: Vec<Segment>) -> Self {
        Self { segments }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Name(name) if is_plain(name) => {
                    let dot = if depth == 0 { "" } else { "." };
                    write!(f, "{dot}{name}")?;
                }
                Segment::Name(name) => write!(f, "[{name:?}]")?,
            }
        }
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@'))
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

impl FromStr for FieldPath {
    type Err = FieldPathError;

    /// Reads what `Display` prints, as long as quoted keys need no escapes.
    fn from_str(text: &str) -> Result<Self, FieldPathError> {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let offset = text.len() - rest.len();
            let error = || FieldPathError { offset };
            if let Some(bracket) = rest.strip_prefix("[\"") {
                let (key, after) = bracket.split_once("\"]").ok_or_else(error)?;
                segments.push(Segment::Name(Cow::Owned(key.to_owned())));
                rest = after;
            } else if let Some(bracket) = rest.strip_prefix('[') {
                let (index, after) = bracket.split_once(']').ok_or_else(error)?;
                segments.push(Segment::Index(index.parse().map_err(|_| error())?));
                rest = after;
            } else {
                let name = if segments.is_empty() {
                    rest
                } else {
                    rest.strip_prefix('.').ok_or_else(error)?
                };
                let end = name.find(['.', '[']).unwrap_or(name.len());
                let (name, after) = name
                    .split_at_checked(end)
                    .filter(|(name, _)| is_plain(name))
                    .ok_or_else(error)?;
                segments.push(Segment::Name(Cow::Owned(name.to_owned())));
                rest = after;
            }
        }
        Ok(Self { segments })
    }
}

/// A text is not a field path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPathError {
    offset: usize,
}

impl FieldPathError {
    /// The byte where the step that cannot be read starts.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for FieldPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no field path, at byte {}", self.offset)
    }
}

impl std::error::Error for FieldPathError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses() {
        for text in [
            "",
            "spec",
            "spec.http[2].route[0].destination.host",
            "labels[\"a.b/c\"]",
            "[\"a b\"].c",
            "x[0][1]",
        ] {
            assert_eq!(text.parse::<FieldPath>().unwrap().to_string(), text);
        }
        for (text, offset) in [
            ("a..b", 1),
            ("a[", 1),
            ("a[x]", 1),
            ("a]", 0),
            (".a", 0),
            ("a[0]b", 4),
        ] {
            assert_eq!(text.parse::<FieldPath>().unwrap_err().offset(), offset, "{text}");
        }
    }

    #[test]
    fn keys_and_fields_are_one() {
        let root = FieldPath::root();
        assert_eq!(root.with_field("a"), root.with_key("a"));
        let deep = root.with_field("a").with_index(1);
        assert!(root.is_prefix_of(&deep) && deep.parent().unwrap().is_prefix_of(&deep));
        assert!(!deep.is_prefix_of(&root.with_field("a").with_index(10)));
        assert_eq!(root.parent(), None);
    }
}
