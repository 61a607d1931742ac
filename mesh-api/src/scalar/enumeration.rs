//! Enums of the wire: by name, or by number (A-WIRE-4).

/// Declares an enum of the wire.
///
/// ```text
/// wire_enum! {
///     /// How a workload accepts mutual TLS. Source: ...
///     pub enum MutualTlsMode {
///         /// Inherit from the parent.
///         Unset = 0 => "UNSET",
///         /// Plain text only.
///         Disable = 1 => "DISABLE",
///     }
/// }
/// ```
///
/// The first variant is the default and must be the one that an absent field means (number 0 in all of Istio's enums).
/// Two variants may not share a number; a second *name* of a number is written as
/// `Random = 1 => "RANDOM" | "RANDOM_OLD"`: all are read, the first is written.
///
/// The enum gets `Unrecognized(i32)` for numbers without a name, `as_str() -> &str`, `number() -> i32`,
/// `from_number(i32)`, `from_name(&str) -> Option<Self>`, `NAMES`, `Default`, `Display`, serde both ways (a name or a
/// number in, the name out), and `Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug`. It is `#[non_exhaustive]`.
///
/// The macro forwards to [`read_enum`](super::enumeration::read_enum) and holds no logic.
#[allow(unused_macros, reason = "used as soon as a model has an enum")]
macro_rules! wire_enum {
    (
        $(#[$attr:meta])*
        pub enum $name:ident {
            $(#[$first_attr:meta])*
            $first:ident = $first_number:literal => $first_text:literal $(| $first_alias:literal)*
            $(, $(#[$variant_attr:meta])* $variant:ident = $number:literal => $text:literal $(| $alias:literal)*)* $(,)?
        }
    ) => {
        $(#[$attr])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[$first_attr])*
            $first,
            $($(#[$variant_attr])* $variant,)*
            /// A number that has no name in this version of the API; kept as read.
            Unrecognized(i32),
        }

        impl $name {
            /// All names that are read, in the order of declaration.
            pub const NAMES: &'static [&'static str] =
                &[$first_text $(, $first_alias)* $(, $text $(, $alias)*)*];

            /// The name on the wire; of an unrecognized number, the empty text.
            pub fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_text,
                    $(Self::$variant => $text,)*
                    Self::Unrecognized(_) => "",
                }
            }

            /// The number on the wire.
            pub fn number(self) -> i32 {
                match self {
                    Self::$first => $first_number,
                    $(Self::$variant => $number,)*
                    Self::Unrecognized(number) => number,
                }
            }

            /// The value of a number; `Unrecognized` if it has no name.
            pub fn from_number(number: i32) -> Self {
                match number {
                    $first_number => Self::$first,
                    $($number => Self::$variant,)*
                    _ => Self::Unrecognized(number),
                }
            }

            /// The value of a name, which must be spelled exactly.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $first_text $(| $first_alias)* => Some(Self::$first),
                    $($text $(| $alias)* => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::$first
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    Self::Unrecognized(number) => std::fmt::Display::fmt(number, f),
                    named => f.pad(named.as_str()),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    Self::Unrecognized(number) => serializer.serialize_i32(*number),
                    named => serializer.serialize_str(named.as_str()),
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::scalar::read_enum(deserializer, Self::NAMES, Self::from_name, Self::from_number)
            }
        }
    };
}
#[allow(unused_imports, reason = "used as soon as a model has an enum")]
pub(crate) use wire_enum;

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

/// Reads an enum by name or 32-bit number; what [`wire_enum`] forwards to.
#[allow(dead_code, reason = "used as soon as a model has an enum")]
pub(crate) fn read_enum<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    names: &'static [&'static str],
    from_name: fn(&str) -> Option<T>,
    from_number: fn(i32) -> T,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(EnumVisitor {
        names,
        from_name,
        from_number,
    })
}

#[allow(dead_code, reason = "used as soon as a model has an enum")]
struct EnumVisitor<T> {
    names: &'static [&'static str],
    from_name: fn(&str) -> Option<T>,
    from_number: fn(i32) -> T,
}

impl<T> Visitor<'_> for EnumVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.names.join(", "))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        (self.from_name)(name).ok_or_else(|| E::unknown_variant(name, self.names))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        match i32::try_from(number) {
            Ok(number) => Ok((self.from_number)(number)),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        match i32::try_from(number) {
            Ok(number) => Ok((self.from_number)(number)),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }
}

#[cfg(test)]
#[allow(unreachable_pub, reason = "the macro declares public enums")]
mod tests {
    wire_enum! {
        /// Something with a mode.
        pub enum Mode {
            /// Nothing said.
            Unset = 0 => "UNSET",
            /// On.
            On = 2 => "TURNED_ON" | "TURNED_ON_LEGACY",
        }
    }

    #[test]
    fn reads_names_and_numbers_and_writes_names() {
        // A-WIRE-4
        for (json, value, written) in [
            ("\"UNSET\"", Mode::Unset, "\"UNSET\""),
            ("\"TURNED_ON_LEGACY\"", Mode::On, "\"TURNED_ON\""),
            ("2", Mode::On, "\"TURNED_ON\""),
            ("1", Mode::Unrecognized(1), "1"),
            ("-7", Mode::Unrecognized(-7), "-7"),
        ] {
            assert_eq!(serde_json::from_str::<Mode>(json).unwrap(), value);
            assert_eq!(serde_json::to_string(&value).unwrap(), written);
        }
        for json in ["\"unset\"", "2147483648", "true", "null", "1.5", "\"2\""] {
            assert!(serde_json::from_str::<Mode>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn has_names_numbers_and_a_default() {
        assert_eq!(Mode::default(), Mode::Unset);
        assert_eq!((Mode::On.number(), Mode::On.as_str()), (2, "TURNED_ON"));
        assert_eq!(Mode::NAMES, ["UNSET", "TURNED_ON", "TURNED_ON_LEGACY"]);
        assert_eq!(format!("{} {}", Mode::On, Mode::Unrecognized(9)), "TURNED_ON 9");
    }
}
