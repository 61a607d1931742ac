//! Ids in saved state and configuration: their text, strictly parsed. An empty text is an error, never a default
//! (C-ID-14).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{SpiffeId, TrustDomain};

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
        }
    }
}
