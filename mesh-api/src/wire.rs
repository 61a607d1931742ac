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
