//! What a token says of itself, unverified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Limits, UnixTime};

/// Audience and expiry of a token, as far as it says. **Nothing is verified**: an agent uses it to see when its own token
/// has to be renewed, never to decide who somebody is.
///
/// ```
/// use mesh_ca::UnverifiedClaims;
///
/// // {"aud":["istio-ca"],"exp":1800000000}
/// let token = "e30.eyJhdWQiOlsiaXN0aW8tY2EiXSwiZXhwIjoxODAwMDAwMDAwfQ.c2ln";
/// let claims = UnverifiedClaims::of_token(token).expect("its claims are JSON");
/// assert_eq!(claims.audiences, ["istio-ca"]);
/// assert_eq!(claims.expires_at.map(|time| time.as_secs()), Some(1_800_000_000));
/// ```
///
/// Source: Istio jwtutil.go GetExp, GetAud.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnverifiedClaims {
    /// `aud`: a text or a list of texts.
    pub audiences: Vec<String>,
    /// `exp`, cut to whole seconds.
    pub expires_at: Option<UnixTime>,
}

impl UnverifiedClaims {
    /// The claims of a compact token; nothing if its second part is no JSON object in base64url, or the token is larger
    /// than [`Limits::jwt`].
    pub fn of_token(token: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Claims {
            aud: Option<Value>,
            exp: Option<f64>,
        }
        let mut parts = token.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        if token.len() > Limits::default().jwt {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let Claims { aud, exp } = serde_json::from_slice(&payload).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            audiences: match aud {
                Some(Value::Array(list)) => list.iter().filter_map(text).collect(),
                Some(value) => text(&value).into_iter().collect(),
                None => Vec::new(),
            },
            // Saturates, and a number that is none was refused above.
            expires_at: exp.map(|seconds| UnixTime::from_secs(seconds as i64)),
        })
    }
}
