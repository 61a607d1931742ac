use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::UnixTime;
use crate::{Limits, SpiffeId, TrustDomainRef};

use super::claims::{Claims, subject};
use super::jws::object;
use super::{HeaderPolicy, Jws, JwtBundle, JwtError};

/// A JWT-SVID that was verified: there is no other way to one.
///
/// Source: JWT-SVID standard; ca.md C-JWT-6..8, C-API-1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSvid {
    claims: Claims,
    payload: Box<str>,
}

impl JwtSvid {
    /// Verifies a token: its form, its signature by a key of its subject's trust domain, and then its claims.
    ///
    /// `bundle_of` gives the keys of a trust domain, `None` for one that is not trusted.
    ///
    /// # Errors
    /// See [`JwtError`]; the first fault in the order of the fields above.
    pub fn verify<'b>(
        token: &str,
        bundle_of: impl FnOnce(TrustDomainRef<'_>) -> Option<&'b JwtBundle>,
        options: &JwtVerifyOptions,
    ) -> Result<Self, JwtError> {
        if options.audiences.is_empty() {
            return Err(JwtError::NoAudienceAccepted);
        }
        let jws = Jws::parse(token, options.header, options.limits.jwt)?;
        let payload = object("payload", jws.payload())?;
        let subject = subject(&payload)?;
        let domain = subject.trust_domain();
        let bundle = bundle_of(domain).ok_or_else(|| JwtError::UntrustedDomain(domain.to_owned()))?;
        // Read before the arithmetic that empties the caches of a processor, and told after what the signature says.
        let claims = Claims::of(subject.clone(), &payload);
        verify_signature(&jws, bundle, domain, options.require_key_id)?;

        let claims = claims?;
        claims.check(options.now, options.leeway.min(MAX_LEEWAY), &options.audiences)?;
        let payload = String::from_utf8(jws.into_payload())
            .map_err(|_| JwtError::malformed("the payload is no UTF-8"))?;
        Ok(Self {
            claims,
            payload: payload.into(),
        })
    }

    /// Whose token it is.
    pub fn spiffe_id(&self) -> &SpiffeId {
        &self.claims.subject
    }

    /// For whom it is; never empty.
    pub fn audiences(&self) -> &[String] {
        &self.claims.audiences
    }

    /// When it runs out.
    pub fn expires(&self) -> UnixTime {
        self.claims.expires
    }

    /// When it was made, if it says so.
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.claims.issued_at
    }

    /// All claims, as the JSON object that was signed.
    pub fn payload(&self) -> &str {
        &self.payload
    }
}

/// What a token says about itself, **not verified**: for logs, and to find out whose keys are needed.
///
/// It is a type of its own and never becomes a [`JwtSvid`] (C-JWT-11).
///
/// Named after `ParseInsecure` of go-spiffe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsecureJwtSvid {
    claims: Claims,
    key_id: Option<String>,
}

impl InsecureJwtSvid {
    /// Reads a token without checking its signature, its validity or its audiences.
    ///
    /// # Errors
    /// When its form is wrong.
    pub fn parse(token: &str, limits: &Limits) -> Result<Self, JwtError> {
        let jws = Jws::parse(token, HeaderPolicy::Strict, limits.jwt)?;
        let payload = object("payload", jws.payload())?;
        Ok(Self {
            claims: Claims::read(&payload)?,
            key_id: jws.key_id().map(str::to_owned),
        })
    }

    /// Whose token it claims to be.
    pub fn claimed_spiffe_id(&self) -> &SpiffeId {
        &self.claims.subject
    }

    /// For whom it claims to be.
    pub fn claimed_audiences(&self) -> &[String] {
        &self.claims.audiences
    }

    /// When it says that it runs out.
    pub fn claimed_expires(&self) -> UnixTime {
        self.claims.expires
    }

    /// The name of the key that it says it was signed with.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }
}

/// How a token is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwtVerifyOptions {
    /// The time.
    pub now: UnixTime,
    /// The audiences of which the token must name one, byte for byte; not empty.
    pub audiences: Vec<String>,
    /// How far the clocks may be apart. Default 60 s, at most 300 s.
    pub leeway: Duration,
    /// Whether the token must name its key. Default true. Without, at most 16 fitting keys are tried.
    pub require_key_id: bool,
    /// What the header may say. Default [`HeaderPolicy::Strict`].
    pub header: HeaderPolicy,
    /// Limits on input.
    pub limits: Limits,
}

impl JwtVerifyOptions {
    /// The defaults, at a time and for audiences.
    pub fn new<A: Into<String>>(now: UnixTime, audiences: impl IntoIterator<Item = A>) -> Self {
        Self {
            now,
            audiences: audiences.into_iter().map(Into::into).collect(),
            leeway: Duration::from_secs(60),
            require_key_id: true,
            header: HeaderPolicy::Strict,
            limits: Limits::default(),
        }
    }
}

const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// Most keys that are tried for a token that names none (C-JWT-6).
const MAX_KEYS_TRIED: usize = 16;

fn verify_signature(
    jws: &Jws<'_>,
    bundle: &JwtBundle,
    domain: TrustDomainRef<'_>,
    require_key_id: bool,
) -> Result<(), JwtError> {
    match jws.key_id() {
        Some(key_id) => match bundle.key(key_id) {
            Some(key) => jws.verify(key),
            None => Err(JwtError::UnknownKey(domain.to_owned())),
        },
        None if require_key_id => Err(JwtError::KeyIdMissing),
        None => {
            let mut fitting = bundle
                .iter()
                .map(|(_, key)| key)
                .filter(|key| key.allows(jws.algorithm()))
                .take(MAX_KEYS_TRIED)
                .peekable();
            if fitting.peek().is_none() {
                return Err(JwtError::UnknownKey(domain.to_owned()));
            }
            if fitting.any(|key| jws.verify(key).is_ok()) {
                Ok(())
            } else {
                Err(JwtError::Signature)
            }
        }
    }
}
