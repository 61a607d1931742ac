//! Serial numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The serial number of a certificate: positive, and at most 20 bytes as an INTEGER, so below 2^159.
///
/// Order is that of the numbers. `Display` gives hexadecimal digits; serde has the same text.
///
/// ```
/// use mesh_ca::SerialNumber;
///
/// let serial = SerialNumber::from_bytes(&[0, 0x0a, 0xff]).expect("it is in range");
/// assert_eq!(serial.to_string(), "0aff");
/// assert!(SerialNumber::from_bytes(&[0]).is_none());
/// assert!(SerialNumber::from_bytes(&[0xff; 20]).is_none());
/// ```
///
/// Spec: RFC 5280 §4.1.2.2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber {
    // INVARIANT: most significant byte first, the first bit clear, not all zero.
    bytes: [u8; 20],
}

impl SerialNumber {
    /// From the bytes of the number, most significant first; leading zeros are passed over. `None` for zero and for 2^159
    /// and above.
    pub fn from_bytes(magnitude: &[u8]) -> Option<Self> {
        let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
        let significant = magnitude.get(zeros..)?;
        let mut bytes = [0; 20];
        let start = bytes.len().checked_sub(significant.len())?;
        bytes.get_mut(start..)?.copy_from_slice(significant);
        let is_in_range = !significant.is_empty() && bytes.first().is_some_and(|first| *first < 0x80);
        is_in_range.then_some(Self { bytes })
    }

    /// From the content of an INTEGER in its shortest form. `None` also for negative numbers.
    pub(crate) fn from_integer(content: &[u8]) -> Option<Self> {
        match content.first() {
            Some(first) if first & 0x80 == 0 => Self::from_bytes(content),
            _ => None,
        }
    }

    /// The bytes of the number, most significant first, without leading zeros.
    pub fn as_bytes(&self) -> &[u8] {
        let zeros = self.bytes.iter().take_while(|byte| **byte == 0).count();
        self.bytes.get(zeros..).unwrap_or_default()
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

impl std::str::FromStr for SerialNumber {
    type Err = SerialNumberError;

    /// Hexadecimal digits, an even number of them.
    fn from_str(text: &str) -> Result<Self, SerialNumberError> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes: Option<Vec<u8>> = pairs
            .iter()
            .map(|[high, low]| {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                u8::try_from(digit(high)? << 4 | digit(low)?).ok()
            })
            .collect();
        match bytes {
            Some(bytes) if rest.is_empty() && bytes.len() <= 20 => {
                Self::from_bytes(&bytes).ok_or(SerialNumberError)
            }
            _ => Err(SerialNumberError),
        }
    }
}

impl Serialize for SerialNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SerialNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A text is no serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a serial number is 1 to 20 bytes of hexadecimal digits, above zero and below 2^159")]
pub struct SerialNumberError;
