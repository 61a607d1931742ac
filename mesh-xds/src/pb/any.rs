//! Packing and unpacking of `Any`.

use prost::Name;
use prost_types::Any;

/// Wraps a message, with its type URL `type.googleapis.com/<full name>`.
///
/// Equal messages give equal bytes.
pub fn pack<M: Name>(message: &M) -> Any {
    Any {
        type_url: M::type_url(),
        value: message.encode_to_vec(),
    }
}

/// Unwraps a message. As Envoy does, only what follows the last `/` of the type URL is compared.
///
/// # Errors
///
/// [`UnpackError::OtherType`] when the type URL names another message, [`UnpackError::Malformed`] when the bytes are not
/// an encoding of it.
pub fn unpack<M: Name + Default>(any: &Any) -> Result<M, UnpackError> {
    let expected = M::full_name();
    if message_name(&any.type_url) != expected {
        return Err(UnpackError::OtherType {
            expected,
            found: any.type_url.clone(),
        });
    }
    M::decode(any.value.as_slice()).map_err(|source| UnpackError::Malformed {
        name: expected,
        source,
    })
}

/// The full name of the message that a type URL names.
pub(crate) fn message_name(type_url: &str) -> &str {
    type_url.rsplit_once('/').map_or(type_url, |(_, name)| name)
}

/// Why an `Any` could not be unwrapped.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// The `Any` holds another message.
    #[error("expected `{expected}`, found `{found}`")]
    OtherType {
        /// Full name of the message asked for.
        expected: String,
        /// The type URL that is there.
        found: String,
    },
    /// The bytes do not decode.
    #[error("malformed `{name}`")]
    Malformed {
        /// Full name of the message.
        name: String,
        /// What the decoder says.
        source: prost::DecodeError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::envoy::config::cluster::v3::Cluster;
    use crate::pb::envoy::config::core::v3::Metadata;
    use crate::pb::envoy::config::listener::v3::Listener;

    #[test]
    fn unpack_compares_the_name_only() {
        let cluster = Cluster {
            name: "a".to_owned(),
            ..Cluster::default()
        };
        let mut any = pack(&cluster);
        any.type_url = "example.com/x/envoy.config.cluster.v3.Cluster".to_owned();
        assert_eq!(unpack::<Cluster>(&any).unwrap(), cluster);
    }

    #[test]
    fn unpack_tells_another_type_from_malformed_bytes() {
        let mut any = pack(&Cluster {
            name: "a".to_owned(),
            ..Cluster::default()
        });
        assert!(matches!(
            unpack::<Listener>(&any),
            Err(UnpackError::OtherType { .. })
        ));
        any.value = vec![0x0a, 0xff];
        assert!(matches!(
            unpack::<Cluster>(&any),
            Err(UnpackError::Malformed { .. })
        ));
    }

    // X-TYPE-2
    #[test]
    fn maps_encode_in_key_order() {
        let names = ["b", "envoy.lb", "a", "istio"];
        let forward = Metadata {
            filter_metadata: names
                .iter()
                .map(|name| ((*name).to_owned(), Default::default()))
                .collect(),
            ..Metadata::default()
        };
        let backward = Metadata {
            filter_metadata: names
                .iter()
                .rev()
                .map(|name| ((*name).to_owned(), Default::default()))
                .collect(),
            ..Metadata::default()
        };
        assert_eq!(pack(&forward).value, pack(&backward).value);
        let mut sorted = names;
        sorted.sort_unstable();
        assert_eq!(
            forward
                .filter_metadata
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>(),
            sorted
        );
    }
}
