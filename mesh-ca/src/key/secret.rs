//! Bytes that must not be seen.

use std::fmt;

use zeroize::Zeroizing;

use crate::der::SEQUENCE;

/// Secret bytes, such as the encoding of a private key. They are overwritten with zeros when dropped, and are never
/// printed.
///
/// ```
/// use mesh_ca::{InsecureSeededEntropy, KeyFormat, KeyPair};
///
/// let key = KeyPair::generate(&mut InsecureSeededEntropy::new(1))?;
/// let pem = key.to_pem(KeyFormat::Pkcs8);
/// assert_eq!(format!("{pem:?}"), "SecretBytes(..)");
/// assert!(pem.expose_text().starts_with("-----BEGIN PRIVATE KEY-----\n"));
/// # Ok::<(), mesh_ca::KeyError>(())
/// ```
///
/// Source: ca.md C-GEN-7.
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    pub(crate) fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes. Whoever copies them must see to it that the copy is overwritten.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text; empty if they are none (PEM is text, DER is not).
    pub fn expose_text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

/// A DER value of secret parts. The buffer has its final size from the start, so that growing leaves no copies behind.
pub(super) fn wrap(tag: u8, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.saturating_add(6)));
    bytes.push(tag);
    let digits = length.to_be_bytes();
    let zeros = digits.iter().take_while(|byte| **byte == 0).count();
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => bytes.push(short),
        _ => {
            let significant = digits.get(zeros..).unwrap_or_default();
            // INVARIANT: keys are far smaller than 2^32 bytes, so there are at most four.
            bytes.push(0x80 | u8::try_from(significant.len()).unwrap_or(0));
            bytes.extend_from_slice(significant);
        }
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

pub(super) fn sequence(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    wrap(SEQUENCE, parts)
}
