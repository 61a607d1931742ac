//! Bytes in saved state: text in base64, for `#[serde(with = "..")]`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(bytes: &impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

pub(crate) fn deserialize<'de, B: From<Vec<u8>>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<B, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD
        .decode(text)
        .map(Into::into)
        .map_err(serde::de::Error::custom)
}

/// Lists of them.
pub(crate) mod list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Owned(#[serde(with = "super")] Vec<u8>);

    struct Borrowed<'b>(&'b [u8]);

    impl Serialize for Borrowed<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            super::serialize(&self.0, serializer)
        }
    }

    pub(crate) fn serialize<'b, B: AsRef<[u8]> + 'b, S: Serializer>(
        list: impl IntoIterator<Item = &'b B>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.into_iter().map(|bytes| Borrowed(bytes.as_ref())))
    }

    pub(crate) fn deserialize<'de, B: From<Vec<u8>>, L: FromIterator<B>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<L, D::Error> {
        let list = Vec::<Owned>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|bytes| bytes.0.into()).collect())
    }
}
