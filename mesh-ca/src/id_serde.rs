//! Ids in saved state and configuration: their text, strictly parsed. An empty text is an error, never a default
//! (C-ID-14).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{SpiffeId, SpiffeIdRef, TrustDomain, TrustDomainRef};

macro_rules! text_form {
    ($type:ident) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

text_form!(SpiffeId);
text_form!(TrustDomain);

/// Borrowed ids are read where the text can be borrowed as it stands, as from JSON without escapes.
macro_rules! borrowed_text_form {
    ($type:ident) => {
        impl Serialize for $type<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de: 'a, 'a> Deserialize<'de> for $type<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <&str>::deserialize(deserializer)?;
                Self::parse(text).map_err(D::Error::custom)
            }
        }
    };
}

borrowed_text_form!(SpiffeIdRef);
borrowed_text_form!(TrustDomainRef);

#[cfg(test)]
mod tests {
    use super::*;

    /// C-ID-14, scenario 10.
    #[test]
    fn the_form_is_the_strict_text() {
        let id: SpiffeId = serde_json::from_str(r#""spiffe://td/a""#).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""spiffe://td/a""#);
        for wrong in [r#""""#, r#""spiffe://TD/a""#, r#""spiffe://td/""#, "null", "1"] {
            assert!(serde_json::from_str::<SpiffeId>(wrong).is_err(), "{wrong}");
        }
        let domain: TrustDomain = serde_json::from_str(r#""td""#).unwrap();
        assert_eq!(serde_json::to_string(&domain).unwrap(), r#""td""#);
        for wrong in [r#""""#, r#""TD""#, r#""a/b""#, "null"] {
            assert!(serde_json::from_str::<TrustDomain>(wrong).is_err(), "{wrong}");
            assert!(
                serde_json::from_str::<TrustDomainRef<'_>>(wrong).is_err(),
                "{wrong}"
            );
        }
        let id: SpiffeIdRef<'_> = serde_json::from_str(r#""spiffe://td/a""#).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""spiffe://td/a""#);
        assert_eq!(serde_json::to_string(&id.trust_domain()).unwrap(), r#""td""#);
        assert!(serde_json::from_str::<SpiffeIdRef<'_>>(r#""spiffe://TD/a""#).is_err());
    }
}
