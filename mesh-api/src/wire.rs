//! Small helpers of the models' serde attributes.

use serde::Serializer;

/// Whether a field is left out on write: zero values are (A-WIRE-15).
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Writes a floating-point field; what JSON cannot hold goes out as a name (A-WIRE-6).
pub(crate) fn write_double<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        value if value.is_nan() => serializer.serialize_str("NaN"),
        value if *value == f64::INFINITY => serializer.serialize_str("Infinity"),
        value if *value == f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
        value => serializer.serialize_f64(*value),
    }
}

/// As [`write_double`], for fields whose presence means something.
pub(crate) fn write_optional_double<S: Serializer>(
    value: &Option<f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        None => serializer.serialize_none(),
        Some(value) => write_double(value, serializer),
    }
}

/// The two conversions between a message with oneofs and its private form on the wire, which has one `Option` per member.
///
/// ```text
/// oneofs! {
///     RedirectTarget as RedirectTargetWire { plain_field, other_field }
///     port: Port { number => Number, name => Name }
/// }
/// ```
///
/// Plain fields are moved over. Of several members the last in the order given, that of declaration, wins (A-WIRE-13).
macro_rules! oneofs {
    (
        $message:ident as $wire:ident { $($plain:ident),* $(,)? }
        $($field:ident: $oneof:ident { $($member:ident => $variant:ident),* $(,)? })+
    ) => {
        impl From<$wire> for $message {
            fn from(wire: $wire) -> Self {
                let $wire { $($plain,)* $($($member,)*)+ } = wire;
                Self {
                    $($plain,)*
                    $($field: [$($member.map($oneof::$variant)),*].into_iter().flatten().next_back(),)+
                }
            }
        }

        impl From<$message> for $wire {
            fn from(message: $message) -> Self {
                let $message { $($plain,)* $($field,)+ } = message;
                let mut wire = Self { $($plain,)* $($($member: None,)*)+ };
                $(match $field {
                    None => {}
                    $(Some($oneof::$variant(value)) => wire.$member = Some(value),)*
                })+
                wire
            }
        }
    };
}
pub(crate) use oneofs;
