use std::time::Duration;

use crate::json::{Json, Number};
use crate::time::UnixTime;
use crate::{SpiffeId, SpiffeIdRef};

use super::JwtError;

/// The registered claims of a JWT-SVID, in the forms that the standard allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) subject: SpiffeId,
    pub(super) audiences: Vec<String>,
    pub(super) expires: UnixTime,
    pub(super) not_before: Option<UnixTime>,
    pub(super) issued_at: Option<UnixTime>,
}

/// Most audiences that a token may have (C-JWT-7).
const MAX_AUDIENCES: usize = 32;

impl Claims {
    /// The claims of a payload; nothing is compared with anything yet.
    pub(super) fn read(payload: &Json<'_>) -> Result<Self, JwtError> {
        Self::of(subject(payload)?, payload)
    }

    /// The same, with the subject that was read before.
    pub(super) fn of(subject: SpiffeId, payload: &Json<'_>) -> Result<Self, JwtError> {
        Ok(Self {
            subject,
            audiences: audiences(payload)?,
            expires: date(payload, "exp")?.ok_or(JwtError::ClaimInvalid("exp"))?,
            not_before: date(payload, "nbf")?,
            issued_at: date(payload, "iat")?,
        })
    }

    /// Whether the token is valid at a time, for one of the accepted audiences.
    pub(super) fn check(&self, now: UnixTime, leeway: Duration, accepted: &[String]) -> Result<(), JwtError> {
        // RFC 7519 4.1.4: not on or after; equality is too late.
        if now >= self.expires + leeway {
            return Err(JwtError::Expired {
                expires: self.expires,
                now,
            });
        }
        for valid_from in [self.not_before, self.issued_at].into_iter().flatten() {
            if valid_from > now + leeway {
                return Err(JwtError::NotYetValid { valid_from, now });
            }
        }
        if self.audiences.iter().any(|audience| accepted.contains(audience)) {
            Ok(())
        } else {
            Err(JwtError::Audience)
        }
    }
}

/// The subject of a payload: strict, and the first thing read, since it selects the bundle.
pub(super) fn subject(payload: &Json<'_>) -> Result<SpiffeId, JwtError> {
    let text = payload
        .get("sub")
        .and_then(Json::as_str)
        .ok_or(JwtError::ClaimInvalid("sub"))?;
    SpiffeIdRef::parse(text)
        .map(|id| id.to_owned())
        .map_err(JwtError::Subject)
}

fn audiences(payload: &Json<'_>) -> Result<Vec<String>, JwtError> {
    const INVALID: JwtError = JwtError::ClaimInvalid("aud");
    let one = |value: &Json<'_>| match value.as_str() {
        None | Some("") => Err(INVALID),
        Some(text) => Ok(text.to_owned()),
    };
    match payload.get("aud").ok_or(INVALID)? {
        Json::List(items) if (1..=MAX_AUDIENCES).contains(&items.len()) => items.iter().map(one).collect(),
        Json::List(_) => Err(INVALID),
        value => Ok(vec![one(value)?]),
    }
}

/// A NumericDate: seconds since the epoch, whole or with a fraction, up to the end of the year 9999.
fn date(payload: &Json<'_>, name: &'static str) -> Result<Option<UnixTime>, JwtError> {
    let Some(value) = payload.get(name) else {
        return Ok(None);
    };
    let time = match value {
        Json::Number(Number::Unsigned(secs)) => i64::try_from(*secs).ok().map(UnixTime::from_secs),
        Json::Number(Number::Float(secs)) if secs.is_finite() && *secs >= 0.0 => {
            Duration::try_from_secs_f64(*secs)
                .ok()
                .map(|since| UnixTime::EPOCH + since)
        }
        _ => None,
    };
    match time {
        Some(time) if time <= UnixTime::MAX_X509 => Ok(Some(time)),
        _ => Err(JwtError::ClaimInvalid(name)),
    }
}
