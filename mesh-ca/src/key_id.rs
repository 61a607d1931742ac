//! Key identifiers.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A key identifier: what the subject key identifier of an authority holds, and the authority key identifier of what it signed.
/// Usually 20 bytes; any length is taken. As text, in serde too, in hexadecimal. Cloning is cheap.
///
/// ```
/// use mesh_ca::KeyId;
///
/// let id = KeyId::from([0x0a, 0xff]);
/// assert_eq!(id.to_string(), "0aff");
/// assert_eq!("0AFF".parse::<KeyId>(), Ok(id));
/// ```
///
/// Spec: RFC 5280 §4.2.1.2; C-KEY-9.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Arc<[u8]>);

impl KeyId {
    /// From its bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for KeyId {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl<const N: usize> From<[u8; N]> for KeyId {
    fn from(bytes: [u8; N]) -> Self {
        Self(Arc::from(bytes))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let bytes = text.as_bytes().chunks(2).map(|pair| match pair {
            [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
            _ => None,
        });
        let bytes: Option<Vec<u8>> = bytes.collect();
        bytes.map(|bytes| Self(bytes.into())).ok_or(KeyIdError)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is not an even number of hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyIdError;

impl fmt::Display for KeyIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key id is an even number of hexadecimal digits")
    }
}

impl std::error::Error for KeyIdError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_hexadecimal() {
        for bytes in [&[][..], &[0], &[0x0a, 0xff, 0x10], &[7; 64]] {
            let id = KeyId::new(bytes);
            assert_eq!(id.as_bytes(), bytes);
            assert_eq!(id.to_string().parse(), Ok(id.clone()));
            let saved = serde_json::to_string(&id).unwrap();
            assert_eq!(saved, format!("\"{id}\""));
            assert_eq!(serde_json::from_str::<KeyId>(&saved).unwrap(), id);
        }
        for wrong in ["0", "0g", "+1", "0x00", " 00", "00 ", "é", "000"] {
            assert_eq!(wrong.parse::<KeyId>(), Err(KeyIdError), "{wrong}");
            assert!(
                serde_json::from_str::<KeyId>(&format!("\"{wrong}\"")).is_err(),
                "{wrong}"
            );
        }
        assert!(serde_json::from_str::<KeyId>("[1]").is_err());
    }
}
