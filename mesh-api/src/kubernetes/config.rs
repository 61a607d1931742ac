//! Kubernetes ConfigMap and Secret.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::scalar::Bytes;
use crate::wire::is_default;

/// Texts by key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigMap {
    /// The texts.
    #[serde(skip_serializing_if = "is_default")]
    pub data: BTreeMap<String, String>,
}

/// Confidential bytes by key. `Debug` prints the keys, never the bytes.
///
/// ```
/// use mesh_api::kubernetes::Secret;
///
/// let secret: Secret = serde_json::from_str(r#"{"data": {"tls.key": "aGk="}, "stringData": {"tls.crt": "there"}}"#)?;
/// assert_eq!(secret.value("tls.key"), Some(&b"hi"[..]));
/// assert_eq!(secret.value("tls.crt"), Some(&b"there"[..]));
/// assert_eq!(format!("{secret:?}"), r#"Secret { keys: ["tls.crt", "tls.key"], type_: "" }"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Secret {
    /// The bytes, base64 on the wire.
    #[serde(skip_serializing_if = "is_default")]
    pub data: BTreeMap<String, Bytes>,
    /// Texts that the API server merges into `data`; they win over entries there.
    #[serde(skip_serializing_if = "is_default")]
    pub string_data: BTreeMap<String, String>,
    /// What the secret is for, such as `kubernetes.io/tls`. Empty means `Opaque`.
    #[serde(rename = "type", skip_serializing_if = "is_default")]
    pub type_: String,
}

impl Secret {
    /// The bytes of a key.
    pub fn value(&self, key: &str) -> Option<&[u8]> {
        let text = self.string_data.get(key).map(String::as_bytes);
        text.or_else(|| self.data.get(key).map(Bytes::as_slice))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            data,
            string_data,
            type_,
        } = self;
        let keys: std::collections::BTreeSet<&String> = data.keys().chain(string_data.keys()).collect();
        f.debug_struct("Secret")
            .field("keys", &keys.into_iter().collect::<Vec<_>>())
            .field("type_", type_)
            .finish()
    }
}
