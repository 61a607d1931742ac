use serde::{Deserialize, Serialize};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::der::{self, INTEGER, SEQUENCE, Writer};
use crate::json::Json;
use crate::signature::{SignatureVerifier, default_verifier};

use super::{JsonWebKey, JwsAlgorithm, JwtError};

/// What a header may say besides `alg`, `kid` and `typ` (C-JWT-2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HeaderPolicy {
    /// Nothing. The default.
    #[default]
    Strict,
    /// Anything that changes nothing: members are ignored, except those that name keys or change how the token is read
    /// (`crit`, `b64`, `jku`, `jwk`, `zip`, and all that begin with `x5`).
    Lenient,
}

/// A token in compact form, taken apart, its signature not yet checked.
///
/// The form is strict: three parts of unpadded base64url with canonical last bits, no white space, JSON objects without
/// members that stand twice.
///
/// ```
/// use mesh_ca::jwt::{HeaderPolicy, Jws};
///
/// let refused = Jws::parse("e30.e30.", HeaderPolicy::Strict, 1024).unwrap_err();
/// assert_eq!(refused.code(), "jwt.alg_forbidden"); // no `alg` at all
/// ```
///
/// Spec: RFC 7515 §3.1, §5.2; JWT-SVID §2. Source: ca.md C-JWT-1..5.
#[derive(Debug, Clone)]
pub struct Jws<'t> {
    algorithm: JwsAlgorithm,
    key_id: Option<String>,
    payload: Vec<u8>,
    signature: Vec<u8>,
    signing_input: &'t str,
}

impl<'t> Jws<'t> {
    /// Takes a token of at most `limit` bytes apart.
    ///
    /// # Errors
    /// [`JwtError::TooLarge`], [`Malformed`](JwtError::Malformed), [`HeaderNotAllowed`](JwtError::HeaderNotAllowed),
    /// [`AlgForbidden`](JwtError::AlgForbidden), [`TypForbidden`](JwtError::TypForbidden) and
    /// [`WrongTokenKind`](JwtError::WrongTokenKind), in this order.
    pub fn parse(token: &'t str, policy: HeaderPolicy, limit: usize) -> Result<Self, JwtError> {
        if token.len() > limit {
            return Err(JwtError::TooLarge(limit));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(JwtError::malformed("it has not three parts"));
        };
        let signing_input = token
            .get(..header.len() + 1 + payload.len())
            .ok_or_else(|| JwtError::malformed("it has not three parts"))?;
        let header = decoded("header", header)?;
        let header = object("header", &header)?;
        let (algorithm, key_id) = read_header(&header, policy)?;
        Ok(Self {
            algorithm,
            key_id,
            payload: decoded("payload", payload)?,
            signature: decoded("signature", signature)?,
            signing_input,
        })
    }

    /// The algorithm that the header names.
    pub fn algorithm(&self) -> JwsAlgorithm {
        self.algorithm
    }

    /// The name of the key, if the header has one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The payload as it was signed. Do not act on it before [`verify`](Self::verify).
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(super) fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// Checks the signature, with the provider that [`default_verifier`] gives.
    ///
    /// # Errors
    /// As [`verify_with`](Self::verify_with).
    pub fn verify(&self, key: &JsonWebKey) -> Result<(), JwtError> {
        self.verify_with(key, default_verifier())
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`JwtError::AlgUnsupported`], [`KeyMismatch`](JwtError::KeyMismatch) when the algorithm is none of the key's or not
    /// the one that the key is bound to, [`Signature`](JwtError::Signature).
    pub fn verify_with(&self, key: &JsonWebKey, verifier: &dyn SignatureVerifier) -> Result<(), JwtError> {
        let algorithm = self
            .algorithm
            .signature_algorithm()
            .ok_or(JwtError::AlgUnsupported(self.algorithm))?;
        if !key.allows(self.algorithm) {
            return Err(JwtError::KeyMismatch {
                algorithm: self.algorithm,
                key: key.algorithm(),
            });
        }
        let message = self.signing_input.as_bytes();
        match self.algorithm.coordinate_length() {
            Some(length) => {
                let signature = ecdsa_to_der(&self.signature, length).ok_or(JwtError::Signature)?;
                key.check(verifier, algorithm, message, &signature)
            }
            None => key.check(verifier, algorithm, message, &self.signature),
        }
    }
}

/// Puts a token together: header and payload in, the bytes to sign out.
pub(super) fn signing_input(header: &[u8], payload: &[u8]) -> String {
    let mut text = URL_SAFE_NO_PAD.encode(header);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    text
}

/// The token of what was signed and its signature.
pub(super) fn finish(mut signing_input: String, signature: &[u8]) -> String {
    signing_input.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut signing_input);
    signing_input
}

/// The object of a part.
pub(super) fn object<'a>(part: &str, bytes: &'a [u8]) -> Result<Json<'a>, JwtError> {
    match Json::parse(bytes) {
        Ok(json @ Json::Object(_)) => Ok(json),
        Ok(_) => Err(JwtError::malformed(format!("the {part} is no JSON object"))),
        Err(error) => Err(JwtError::malformed(format!(
            "the {part} is no strict JSON: {error}"
        ))),
    }
}

fn decoded(part: &str, text: &str) -> Result<Vec<u8>, JwtError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| JwtError::malformed(format!("the {part} is no unpadded base64url")))
}

fn read_header(header: &Json<'_>, policy: HeaderPolicy) -> Result<(JwsAlgorithm, Option<String>), JwtError> {
    let Json::Object(members) = header else {
        return Err(JwtError::malformed("the header is no JSON object"));
    };
    for (name, _) in members {
        if !is_allowed(name, policy) {
            return Err(JwtError::HeaderNotAllowed((**name).into()));
        }
    }
    let algorithm = header
        .get("alg")
        .and_then(Json::as_str)
        .and_then(JwsAlgorithm::from_name)
        .ok_or(JwtError::AlgForbidden)?;
    match header.get("typ").map(Json::as_str) {
        None | Some(Some("JWT" | "JOSE")) => {}
        Some(Some("wit+jwt")) => return Err(JwtError::WrongTokenKind),
        Some(_) => return Err(JwtError::TypForbidden),
    }
    let key_id = match header.get("kid") {
        None => None,
        Some(Json::String(key_id)) => Some(key_id.clone().into_owned()),
        Some(_) => return Err(JwtError::malformed("`kid` is no text")),
    };
    Ok((algorithm, key_id))
}

fn is_allowed(name: &str, policy: HeaderPolicy) -> bool {
    match name {
        "alg" | "kid" | "typ" => true,
        "b64" | "crit" | "jku" | "jwk" | "zip" => false,
        _ if name.starts_with("x5") => false,
        _ => policy == HeaderPolicy::Lenient,
    }
}

/// `r` and `s` side by side, as JWS writes them, to the DER that X.509 has. Zero is no number of a signature.
fn ecdsa_to_der(signature: &[u8], coordinate: usize) -> Option<Vec<u8>> {
    if signature.len() != coordinate * 2 {
        return None;
    }
    let (r, s) = signature.split_at_checked(coordinate)?;
    if [r, s].iter().any(|number| number.iter().all(|byte| *byte == 0)) {
        return None;
    }
    // Two headers and two zeros that keep numbers positive, beside the outer header.
    let mut writer = Writer::with_capacity(signature.len().saturating_add(10));
    writer.nested(SEQUENCE, |numbers| {
        numbers.unsigned(r);
        numbers.unsigned(s);
    });
    Some(writer.into_bytes())
}

/// The inverse: `r` and `s` of a DER signature, each with exactly `coordinate` bytes.
pub(super) fn ecdsa_from_der(der: &[u8], coordinate: usize) -> Option<Vec<u8>> {
    let mut numbers = der::single(der, SEQUENCE).ok()?.reader().ok()?;
    let mut signature = Vec::with_capacity(coordinate * 2);
    for _ in 0..2 {
        let digits = numbers.read(INTEGER).ok()?.unsigned().ok()?;
        signature.extend(std::iter::repeat_n(0, coordinate.checked_sub(digits.len())?));
        signature.extend_from_slice(digits);
    }
    numbers.finish().ok().map(|()| signature)
}
