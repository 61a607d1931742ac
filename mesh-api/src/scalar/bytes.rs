//! Bytes as base64 text.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// Bytes, written as standard base64 with padding (A-WIRE-9).
///
/// ```
/// use mesh_api::scalar::Bytes;
///
/// let body: Bytes = "aGk=".parse()?;
/// assert_eq!(body.as_slice(), b"hi");
/// assert_eq!(body.to_string(), "aGk=");
/// # Ok::<(), mesh_api::scalar::BytesError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(Vec<u8>);

impl Bytes {
    /// Wraps the bytes themselves.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes by value.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl FromStr for Bytes {
    type Err = BytesError;

    fn from_str(text: &str) -> Result<Self, BytesError> {
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
        let (mut quad, mut filled, mut padding) = (0u32, 0u32, 0u32);
        for (offset, byte) in text.bytes().enumerate() {
            let value = match byte {
                // line breaks may stand anywhere, as in Go's decoder
                b'\r' | b'\n' => continue,
                b'=' if filled >= 2 => {
                    padding += 1;
                    0
                }
                _ => sextet(byte)
                    .filter(|_| padding == 0)
                    .ok_or(BytesError { offset })?,
            };
            quad = quad << 6 | u32::from(value);
            filled += 1;
            if filled == 4 {
                let [_, decoded @ ..] = quad.to_be_bytes();
                bytes.extend(decoded.iter().take(3 - padding.min(2) as usize));
                (quad, filled) = (0, 0);
            }
        }
        if filled == 0 && padding <= 2 {
            Ok(Self(bytes))
        } else {
            Err(BytesError { offset: text.len() })
        }
    }
}

fn sextet(byte: u8) -> Option<u8> {
    ALPHABET
        .iter()
        .position(|&known| known == byte)
        .and_then(|index| u8::try_from(index).ok())
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.chunks(3) {
            let mut quad = [0u8; 4];
            quad.iter_mut()
                .skip(1)
                .zip(chunk)
                .for_each(|(to, from)| *to = *from);
            let bits = u32::from_be_bytes(quad);
            for place in 0..4u32 {
                let index = (bits >> (18 - 6 * place) & 63) as usize;
                let letter = ALPHABET
                    .get(index)
                    .copied()
                    .filter(|_| place as usize <= chunk.len());
                write!(f, "{}", char::from(letter.unwrap_or(b'=')))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({self})")
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;
        impl Visitor<'_> for BytesVisitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64 text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
                text.parse::<Bytes>()
                    .map_err(|error| E::custom(format_args!("[A-WIRE-9] {error}")))
            }
        }
        deserializer.deserialize_str(BytesVisitor)
    }
}

/// A text is not standard base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytesError {
    offset: usize,
}

impl BytesError {
    /// The byte of the text that does not fit; its length if something is missing at the end.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for BytesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no standard base64, at byte {}", self.offset)
    }
}

impl std::error::Error for BytesError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_vectors_of_rfc_4648() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(Bytes::new(plain).to_string(), text);
            assert_eq!(text.parse(), Ok(Bytes::new(plain)));
        }
    }

    #[test]
    fn every_length_and_byte_comes_back() {
        for length in 0..=256u16 {
            let bytes = Bytes::new((0..length).map(|byte| byte as u8).collect::<Vec<_>>());
            assert_eq!(bytes.to_string().parse(), Ok(bytes));
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Zg==Zg==", "Z-==", "Zm9v=", "Zg=v",
        ] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
        assert_eq!("Zm\n8=\r\n".parse(), Ok(Bytes::new("fo")));
        assert_eq!("Zm9*".parse::<Bytes>().unwrap_err().offset(), 3);
    }
}
