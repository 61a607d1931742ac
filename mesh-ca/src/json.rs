//! Strict JSON for tokens and bundles: no member twice, a depth limit, UTF-8 without a byte order mark.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Levels of lists and objects inside each other (C-BND-5).
const MAX_DEPTH: usize = 16;

/// How many members of an object are compared with each other to find one that stands there twice.
const FEW: usize = 16;

/// A JSON value; members keep their order. Texts without escapes are borrowed from what was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// A number as it was written: without fraction and exponent where it is whole here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Unsigned(u64),
    /// Below zero.
    Negative(i64),
    /// With a fraction or an exponent, or out of the range of the others.
    Float(f64),
}

impl<'a> Json<'a> {
    /// Reads one value; nothing but white space may stand around it.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, JsonError> {
        // All of it at once costs less than each text alone.
        let text = std::str::from_utf8(text).map_err(|error| JsonError(error.to_string()))?;
        Self::parse_str(text)
    }

    /// The same, of a text.
    pub(crate) fn parse_str(text: &'a str) -> Result<Self, JsonError> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = Depth(0)
            .deserialize(&mut deserializer)
            .and_then(|value| deserializer.end().map(|()| value));
        value.map_err(|error| JsonError(error.to_string()))
    }

    /// The same value, which borrows nothing.
    pub(crate) fn into_owned(self) -> Json<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(value),
            Self::Number(number) => Json::Number(number),
            Self::String(text) => Json::String(owned(text)),
            Self::List(items) => Json::List(items.into_iter().map(Json::into_owned).collect()),
            Self::Object(members) => Json::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (owned(name), value.into_owned()))
                    .collect(),
            ),
        }
    }

    /// The value of a member, if this is an object that has it.
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        let Self::Object(members) = self else {
            return None;
        };
        members
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Json<'a>]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn unsigned(number: u64) -> Self {
        Self::Number(Number::Unsigned(number))
    }

    pub(crate) fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(Number::Unsigned(number)) => Some(*number),
            _ => None,
        }
    }
}

impl fmt::Display for Json<'_> {
    /// Without white space, members in their order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(Number::Unsigned(number)) => write!(f, "{number}"),
            Self::Number(Number::Negative(number)) => write!(f, "{number}"),
            // Finite: JSON has no other numbers.
            Self::Number(Number::Float(number)) => write!(f, "{number:?}"),
            Self::String(text) => write_string(f, text),
            Self::List(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (at, (name, value)) in members.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { "," })?;
                    write_string(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str(&serde_json::to_string(text).map_err(|_| fmt::Error)?)
}

/// Why a text is no JSON that is taken here, with line and column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonError(String);

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a value at a depth.
#[derive(Clone, Copy)]
struct Depth(usize);

impl Depth {
    fn below<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.0 < MAX_DEPTH {
            Ok(Self(self.0 + 1))
        } else {
            Err(E::custom(format_args!(
                "lists and objects more than {MAX_DEPTH} deep"
            )))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(Number::Unsigned(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(match u64::try_from(value) {
            Ok(value) => Number::Unsigned(value),
            Err(_) => Number::Negative(value),
        }))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Number(Number::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(value.to_owned())))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Borrowed(value)))
    }

    fn visit_string<E>(self, value: String) -> Result<Json<'de>, E> {
        Ok(Json::String(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json<'de>, A::Error> {
        let below = self.below()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(below)? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let below = self.below()?;
        let mut names = BTreeSet::new();
        let mut members: Vec<(Cow<'de, str>, Json<'de>)> = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            // Few names are compared one by one, many are looked up.
            let is_known = match members.len() {
                0..FEW => members.iter().any(|(known, _)| *known == name),
                FEW => {
                    names.extend(members.iter().map(|(known, _)| known.clone()));
                    !names.insert(name.clone())
                }
                _ => !names.insert(name.clone()),
            };
            if is_known {
                return Err(A::Error::custom(format_args!(
                    "the member `{name}` stands there twice"
                )));
            }
            members.push((name, map.next_value_seed(below)?));
        }
        Ok(Json::Object(members))
    }
}

/// Reads the name of a member.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object of forty members and one more.
    fn with_many(last: &str) -> String {
        let members: String = (0..40).map(|number| format!("\"m{number}\":{number},")).collect();
        format!("{{{members}\"{last}\":1}}")
    }

    /// C-BND-5, scenario 91: duplicate members at any level, depth, byte order mark, trailing text.
    #[test]
    fn refuses_what_readers_disagree_about() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"k":[{"a":1,"b":2,"a":3}]}"#,
            &with_many("m0"),
            &with_many("m7"),
            &with_many("m16"),
            &with_many("m39"),
            "\u{feff}{}",
            "{} {}",
            "",
            r#"{"a":1,}"#,
            "[NaN]",
            r#"{"a":"\ud800"}"#,
        ] {
            assert!(Json::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Json::parse(b"\"\xff\"").is_err());
        assert!(Json::parse(with_many("m40").as_bytes()).is_ok());
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Json::parse(deep(MAX_DEPTH).as_bytes()).is_ok());
        assert!(Json::parse(deep(MAX_DEPTH + 1).as_bytes()).is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = r#"{"a":[1,-1,1.5,1e300,null,true],"b":{"c":"\"\\\u0001é"},"d":{}}"#;
        let json = Json::parse(text.as_bytes()).unwrap();
        assert_eq!(json.to_string(), text);
        assert_eq!(Json::parse(json.to_string().as_bytes()).unwrap(), json);
    }

    #[test]
    fn tells_whole_numbers_from_others() {
        let number = |text: &str| match Json::parse(text.as_bytes()) {
            Ok(Json::Number(number)) => number,
            other => panic!("{other:?}"),
        };
        assert_eq!(number("18446744073709551615"), Number::Unsigned(u64::MAX));
        assert_eq!(number("-1"), Number::Negative(-1));
        for text in ["1.0", "1e3", "18446744073709551616"] {
            assert!(matches!(number(text), Number::Float(_)), "{text}");
        }
    }

    #[test]
    fn prints_fractions_as_what_reads_back_equal() {
        // the inexact reading of fractions takes another number for this one
        let json =
            Json::parse(b"[555555555555555555555555555555555555555555555555555555555555.5515]").unwrap();
        assert_eq!(Json::parse(json.to_string().as_bytes()).unwrap(), json);
    }
}
