use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::json::Json;
use crate::public_key::PublicKeyError;
use crate::signature::default_verifier;
use crate::signer::{SignError, SignRequest, SignatureFormat, Signer};
use crate::{Entropy, EntropyError, SignatureAlgorithm, SpiffeId, UnixTime};

use super::jws::{ecdsa_from_der, finish, signing_input};
use super::{JsonWebKey, JwsAlgorithm, JwtError};

/// Makes JWT-SVIDs with one authority's key.
///
/// Header and claims are written in a fixed order, so that a deterministic signer gives equal tokens for equal inputs.
///
/// A key in this process makes a token in one step: [`new`](Self::new) and [`mint`](Self::mint). A key that is elsewhere takes
/// two: [`remote`](JwtMinter::remote) and [`begin`](JwtMinter::begin).
///
/// Source: JWT-SVID standard; ca.md C-JWT-9, C-JWT-10, C-SGN-3.
#[derive(Debug, Clone)]
pub struct JwtMinter<S> {
    signer: S,
    signs_with: SignatureAlgorithm,
    algorithm: JwsAlgorithm,
    public_key: JsonWebKey,
    key_id: String,
    not_after: UnixTime,
    max_ttl: Duration,
    with_jti: bool,
}

impl<S: Signer> JwtMinter<S> {
    /// A minter with the key's own algorithm (ES256 for P-256), the name [`jwt_key_id`] for it, tokens of at most 24 hours,
    /// and no `jti`.
    ///
    /// # Errors
    /// [`JwtMintError::KeyNotOffered`] for Ed25519 keys, which JWT-SVIDs do not know.
    pub fn new(signer: S) -> Result<Self, JwtMintError> {
        let public_key = JsonWebKey::from_spki(signer.spki_der())?;
        let signs_with = signer.algorithm();
        Self::with_key(signer, signs_with, public_key)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// See [`JwtMintError`].
    pub fn mint(
        &self,
        request: &JwtRequest,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<String, JwtMintError> {
        let input = self.input(request, now, entropy)?;
        let signature = self.signer.sign(input.as_bytes())?;
        token(self.signs_with, &self.public_key, input, &signature)
    }
}

impl JwtMinter<RemoteJwtKey> {
    /// A minter whose key is elsewhere (HSM, KMS), under a name that its [`SignRequest`]s carry. What else there is to say of
    /// it is as with [`new`](JwtMinter::new); its jobs end after 30 seconds.
    ///
    /// ```
    /// use mesh_ca::jwt::{JwtBundle, JwtMinter, JwtRequest, JwtSvid, JwtVerifyOptions};
    /// use mesh_ca::{InsecureSeededEntropy, KeyPair, SignatureFormat, Signer, UnixTime};
    ///
    /// let mut entropy = InsecureSeededEntropy::new(1);
    /// let now = UnixTime::from_secs(1_800_000_000);
    /// let far_away = KeyPair::generate(&mut entropy)?;
    ///
    /// let minter = JwtMinter::remote("kms/jwt-1", far_away.spki_der(), far_away.algorithm())?;
    /// let request = JwtRequest::new("spiffe://td/web".parse()?, ["ratings"]);
    /// let (job, to_sign) = minter.begin(&request, now, &mut entropy)?;
    /// assert_eq!(to_sign.key_ref, "kms/jwt-1");
    /// let signature = far_away.sign(&to_sign.message)?; // the service does this
    /// let token = job.finish(&signature, SignatureFormat::Der, now)?;
    ///
    /// let mut bundle = JwtBundle::new();
    /// bundle.insert(minter.key_id(), minter.public_key().clone());
    /// let options = JwtVerifyOptions::new(now, ["ratings"]);
    /// assert!(JwtSvid::verify(&token, |_| Some(&bundle), &options).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`JwtMintError::Key`] for a public key that is not taken, [`JwtMintError::KeyNotOffered`] for an algorithm that
    /// JWT-SVIDs do not know or that does not fit the key.
    ///
    /// Source: ca.md C-SGN-2, C-SGN-3.
    pub fn remote(
        key_ref: impl Into<String>,
        spki_der: &[u8],
        algorithm: SignatureAlgorithm,
    ) -> Result<Self, JwtMintError> {
        let key = RemoteJwtKey {
            key_ref: key_ref.into(),
            job_timeout: JOB_TIMEOUT,
        };
        Self::with_key(key, algorithm, JsonWebKey::from_spki(spki_der)?)
    }

    /// With another time that a signature may take.
    pub fn with_job_timeout(mut self, timeout: Duration) -> Self {
        self.signer.job_timeout = timeout;
        self
    }

    /// Begins a token: the request is for the embedder to have signed, the job takes the signature. What the token says is
    /// fixed from now on.
    ///
    /// # Errors
    /// See [`JwtMintError`].
    pub fn begin(
        &self,
        request: &JwtRequest,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<(JwtJob, SignRequest), JwtMintError> {
        let input = self.input(request, now, entropy)?;
        let key_ref = self.signer.key_ref.clone();
        let to_sign = SignRequest::new(key_ref, self.signs_with, input.clone().into_bytes());
        let job = JwtJob {
            input,
            signs_with: self.signs_with,
            public_key: self.public_key.clone(),
            deadline: now + self.signer.job_timeout,
        };
        Ok((job, to_sign))
    }
}

impl<S> JwtMinter<S> {
    fn with_key(
        signer: S,
        signs_with: SignatureAlgorithm,
        public_key: JsonWebKey,
    ) -> Result<Self, JwtMintError> {
        let algorithm = JwsAlgorithm::of_signature(signs_with)
            .filter(|algorithm| algorithm.fits(public_key.algorithm()))
            .ok_or(JwtMintError::KeyNotOffered)?;
        Ok(Self {
            key_id: jwt_key_id(public_key.spki_der()),
            signer,
            signs_with,
            algorithm,
            public_key,
            not_after: UnixTime::MAX_X509,
            max_ttl: Duration::from_secs(24 * 3_600),
            with_jti: false,
        })
    }

    /// With another name for the key; the bundle must have it under the same.
    pub fn with_key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = key_id.into();
        self
    }

    /// With an end of the authority, which no token outlives.
    pub fn with_not_after(mut self, not_after: UnixTime) -> Self {
        self.not_after = not_after;
        self
    }

    /// With another longest life of a token.
    pub fn with_max_ttl(mut self, max_ttl: Duration) -> Self {
        self.max_ttl = max_ttl;
        self
    }

    /// With a random `jti` in each token: 16 bytes in base64url.
    pub fn with_jti(mut self, with_jti: bool) -> Self {
        self.with_jti = with_jti;
        self
    }

    /// The name of the key in tokens and bundles.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The key that verifies the tokens, for the bundle.
    pub fn public_key(&self) -> &JsonWebKey {
        &self.public_key
    }

    fn input(
        &self,
        request: &JwtRequest,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<String, JwtMintError> {
        if request.spiffe_id.is_trust_domain_id() {
            return Err(JwtMintError::SubjectIsTrustDomain);
        }
        let audiences: Vec<&str> = request
            .audiences
            .iter()
            .map(String::as_str)
            .filter(|audience| !audience.is_empty())
            .collect();
        if audiences.is_empty() {
            return Err(JwtMintError::NoAudience);
        }
        let ttl = if request.ttl.is_zero() {
            DEFAULT_TTL
        } else {
            request.ttl
        };
        let now = now.floor_to_secs();
        let expires = (now + ttl.min(self.max_ttl)).min(self.not_after).floor_to_secs();
        if expires <= now {
            return Err(JwtMintError::AuthorityExpired);
        }
        let header = format!(
            r#"{{"alg":"{}","kid":{},"typ":"JWT"}}"#,
            self.algorithm,
            quoted(&self.key_id)?
        );
        let mut payload = format!(
            r#"{{"sub":{},"aud":{},"exp":{},"iat":{}"#,
            quoted(request.spiffe_id.as_str())?,
            serde_json::to_string(&audiences).map_err(|_| JwtMintError::Claim("aud".into()))?,
            expires.as_secs(),
            now.as_secs()
        );
        if self.with_jti {
            let mut random = [0; 16];
            entropy.fill(&mut random)?;
            payload.push_str(&format!(r#","jti":"{}""#, URL_SAFE_NO_PAD.encode(random)));
        }
        for (name, value) in &request.claims {
            payload.push_str(&format!(",{}:{value}", quoted(name)?));
        }
        payload.push('}');
        Ok(signing_input(header.as_bytes(), payload.as_bytes()))
    }
}

/// A key for tokens that is elsewhere; see [`JwtMinter::remote`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteJwtKey {
    key_ref: String,
    job_timeout: Duration,
}

/// A token that waits for its signature.
///
/// Source: ca.md C-SGN-2, C-SGN-3.
#[derive(Debug, Clone)]
pub struct JwtJob {
    input: String,
    signs_with: SignatureAlgorithm,
    public_key: JsonWebKey,
    deadline: UnixTime,
}

impl JwtJob {
    /// When it is too late for a signature.
    pub fn deadline(&self) -> UnixTime {
        self.deadline
    }

    /// Takes the signature, checks it, and releases the token.
    ///
    /// # Errors
    /// [`JwtMintError::JobExpired`] after the deadline, [`JwtMintError::SignerMisbehaved`] for a wrong signature.
    pub fn finish(
        self,
        signature: &[u8],
        format: SignatureFormat,
        now: UnixTime,
    ) -> Result<String, JwtMintError> {
        if now > self.deadline {
            return Err(JwtMintError::JobExpired);
        }
        let signature = format
            .to_der(self.signs_with, signature)
            .map_err(|_| JwtMintError::SignerMisbehaved)?;
        token(self.signs_with, &self.public_key, self.input, &signature)
    }
}

/// Puts the token together, after a look at the signature: whatever the signer is, no token leaves that does not verify.
fn token(
    signs_with: SignatureAlgorithm,
    public_key: &JsonWebKey,
    input: String,
    signature: &[u8],
) -> Result<String, JwtMintError> {
    public_key
        .check(default_verifier(), signs_with, input.as_bytes(), signature)
        .map_err(|_: JwtError| JwtMintError::SignerMisbehaved)?;
    let coordinate = JwsAlgorithm::of_signature(signs_with).and_then(JwsAlgorithm::coordinate_length);
    match coordinate {
        None => Ok(finish(input, signature)),
        Some(length) => {
            let raw = ecdsa_from_der(signature, length).ok_or(JwtMintError::SignerMisbehaved)?;
            Ok(finish(input, &raw))
        }
    }
}

/// What a token is to say.
///
/// ```
/// use std::time::Duration;
/// use mesh_ca::SpiffeId;
/// use mesh_ca::jwt::JwtRequest;
///
/// let id: SpiffeId = "spiffe://example.org/ns/shop/sa/reviews".parse()?;
/// let request = JwtRequest::new(id, ["ratings"])
///     .with_ttl(Duration::from_secs(60))
///     .with_claim("tier", &"gold")?;
/// assert_eq!(request.audiences(), ["ratings"]);
/// // What the standard registers is not for the caller to say.
/// assert!(request.with_claim("exp", &1).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Saved, each further claim is a text of JSON; what [`with_claim`](Self::with_claim) would refuse is not read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SavedRequest", into = "SavedRequest")]
pub struct JwtRequest {
    spiffe_id: SpiffeId,
    audiences: Vec<String>,
    ttl: Duration,
    // INVARIANT: each value is JSON.
    claims: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedRequest {
    spiffe_id: SpiffeId,
    audiences: Vec<String>,
    #[serde(default)]
    ttl: Duration,
    #[serde(default)]
    claims: BTreeMap<String, String>,
}

impl From<JwtRequest> for SavedRequest {
    fn from(request: JwtRequest) -> Self {
        let JwtRequest {
            spiffe_id,
            audiences,
            ttl,
            claims,
        } = request;
        Self {
            spiffe_id,
            audiences,
            ttl,
            claims,
        }
    }
}

impl TryFrom<SavedRequest> for JwtRequest {
    type Error = JwtMintError;

    fn try_from(saved: SavedRequest) -> Result<Self, JwtMintError> {
        let SavedRequest {
            spiffe_id,
            audiences,
            ttl,
            claims,
        } = saved;
        claims
            .iter()
            .try_for_each(|(name, value)| check_claim(name, value))?;
        Ok(Self {
            spiffe_id,
            audiences,
            ttl,
            claims,
        })
    }
}

/// A claim has no registered name, and is one value of JSON that a strict reader takes.
fn check_claim(name: &str, value: &str) -> Result<(), JwtMintError> {
    let refused = || JwtMintError::Claim(name.into());
    // As deep as in a token, and not more than one member.
    let object = format!("{{\"claim\":{value}}}");
    let is_one = |json: &Json<'_>| matches!(json, Json::Object(members) if members.len() == 1);
    let json = Json::parse_str(&object).map_err(|_| refused())?;
    match !REGISTERED.contains(&name) && is_one(&json) {
        true => Ok(()),
        false => Err(refused()),
    }
}

impl JwtRequest {
    /// A token of an id for audiences, of which the empty ones are dropped.
    pub fn new<A: Into<String>>(spiffe_id: SpiffeId, audiences: impl IntoIterator<Item = A>) -> Self {
        Self {
            spiffe_id,
            audiences: audiences.into_iter().map(Into::into).collect(),
            ttl: Duration::ZERO,
            claims: BTreeMap::new(),
        }
    }

    /// With a life other than five minutes; zero is five minutes too.
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// With a further claim. Claims are written in the order of their names.
    ///
    /// # Errors
    /// [`JwtMintError::Claim`] for a registered name, and for a value that is no JSON, or that a strict reader of tokens
    /// refuses: deeper than 16 levels, or with a member twice.
    pub fn with_claim(mut self, name: &str, value: &impl Serialize) -> Result<Self, JwtMintError> {
        let value = serde_json::to_string(value).map_err(|_| JwtMintError::Claim(name.into()))?;
        check_claim(name, &value)?;
        self.claims.insert(name.to_owned(), value);
        Ok(self)
    }

    /// For whom it is to be.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }
}

/// The name that a key gets in bundles and tokens: the first 16 bytes of SHA-256 over its SubjectPublicKeyInfo, in
/// base64url.
pub fn jwt_key_id(spki_der: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(spki_der);
    URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())
}

/// Why no token was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtMintError {
    /// The authority's key is no longer valid.
    #[error("the authority is not valid any longer")]
    AuthorityExpired,
    /// The claim is registered, and not for the caller to set, or its value is no JSON.
    #[error("the claim `{0}` cannot be set")]
    Claim(Box<str>),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The signature came after the end of the job.
    #[error("the signature came too late")]
    JobExpired,
    /// The public key of the signer is wrong.
    #[error(transparent)]
    Key(#[from] PublicKeyError),
    /// JWT-SVIDs do not know such keys, or not with the algorithm of the signer.
    #[error("JWT-SVIDs are not signed with such a key")]
    KeyNotOffered,
    /// No audience, or empty ones only.
    #[error("a token needs an audience")]
    NoAudience,
    /// The signer failed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The signer gave a signature that does not verify.
    #[error("the signer gave a signature that does not verify")]
    SignerMisbehaved,
    /// The subject has no path.
    #[error("the subject is a trust domain, not a workload")]
    SubjectIsTrustDomain,
}

impl JwtMintError {
    /// A stable short text for programs; never used again for something else.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AuthorityExpired => "jwt.mint.authority_expired",
            Self::Claim(_) => "jwt.mint.claim",
            Self::Entropy(_) => "jwt.mint.entropy",
            Self::JobExpired => "jwt.mint.job_expired",
            Self::Key(error) => error.code(),
            Self::KeyNotOffered => "jwt.mint.key_not_offered",
            Self::NoAudience => "jwt.mint.no_audience",
            Self::Sign(error) => error.code(),
            Self::SignerMisbehaved => "jwt.mint.signer_misbehaved",
            Self::SubjectIsTrustDomain => "jwt.mint.subject_is_trust_domain",
        }
    }
}

const DEFAULT_TTL: Duration = Duration::from_secs(300);

/// How long a signature may take (C-SGN-2).
const JOB_TIMEOUT: Duration = Duration::from_secs(30);

/// Spec: RFC 7519 §4.1.
const REGISTERED: [&str; 7] = ["aud", "exp", "iat", "iss", "jti", "nbf", "sub"];

fn quoted(text: &str) -> Result<String, JwtMintError> {
    serde_json::to_string(text).map_err(|_| JwtMintError::Claim(text.into()))
}
