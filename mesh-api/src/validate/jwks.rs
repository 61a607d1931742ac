//! Key sets of JWTs: what istiod can read, and which keys hold secrets (A-RA-5, A-RA-12).
//!
//! Source: lestrrat-go/jwx `jwk.Parse`. Spec: RFC 7517, RFC 7518 §6, RFC 8037 §2.

use serde_json::{Map, Value};

/// Reads a key, or a set of keys. Gives the index of each key with secret parts and what it is.
///
/// # Errors
/// Why it is neither.
pub(super) fn check(text: &str) -> Result<Vec<(usize, &'static str)>, String> {
    let value: Value = serde_json::from_str(text).map_err(|_| "it is no JSON".to_owned())?;
    let Value::Object(object) = value else {
        return Err("it is no JSON object".to_owned());
    };
    let keys = match object.get("keys") {
        None => vec![&object],
        Some(Value::Array(keys)) => {
            let objects = keys.iter().enumerate().map(|(index, key)| {
                key.as_object()
                    .ok_or_else(|| format!("its key {index} is no JSON object"))
            });
            objects.collect::<Result<_, _>>()?
        }
        // quirk: Go reads null as a list without elements
        Some(Value::Null) => Vec::new(),
        Some(_) => return Err("its `keys` are no list".to_owned()),
    };
    let mut secrets = Vec::new();
    for (index, key) in keys.into_iter().enumerate() {
        if let Some(secret) = check_key(key).map_err(|why| format!("its key {index} {why}"))? {
            secrets.push((index, secret));
        }
    }
    Ok(secrets)
}

/// What of a key is secret, if anything is.
fn check_key(key: &Map<String, Value>) -> Result<Option<&'static str>, String> {
    let is_private = key.get("d").is_some_and(|d| !d.is_null());
    let (public, secret): (&[&str], _) = match key.get("kty").and_then(Value::as_str) {
        Some("RSA") => (&["n", "e"], "an RSA private key"),
        Some("EC") => (&["crv", "x", "y"], "an EC private key"),
        Some("OKP") => (&["crv", "x"], "an OKP private key"),
        Some("oct") => (&["k"], "a symmetric key"),
        Some(other) => return Err(format!("is of the type `{other}`, which is not known")),
        None => return Err("has no type `kty`".to_owned()),
    };
    let is_symmetric = public == ["k"];
    for name in public {
        let value = key
            .get(*name)
            .filter(|value| !value.is_null())
            .ok_or_else(|| format!("has no `{name}`"))?;
        let text = value
            .as_str()
            .ok_or_else(|| format!("has a `{name}` that is no text"))?;
        let fits = match *name {
            "crv" => is_curve(text),
            _ => is_base64(text),
        };
        if !fits {
            return Err(format!("has a `{name}` that cannot be read"));
        }
    }
    if is_private && !key.get("d").and_then(Value::as_str).is_some_and(is_base64) {
        return Err("has a `d` that cannot be read".to_owned());
    }
    for name in ["alg", "kid", "use", "x5t", "x5t#S256", "x5u"] {
        if key
            .get(name)
            .is_some_and(|value| !value.is_string() && !value.is_null())
        {
            return Err(format!("has a `{name}` that is no text"));
        }
    }
    Ok((is_symmetric || is_private).then_some(secret))
}

fn is_curve(name: &str) -> bool {
    matches!(
        name,
        "Ed25519" | "Ed448" | "P-256" | "P-384" | "P-521" | "X25519" | "X448" | "secp256k1"
    )
}

/// Whether a text is base64 of any kind: with the alphabet of URLs or the other one, padded or not.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let alphabet = |extra: &[u8]| {
        digits
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
    };
    let padding = text.len() - digits.len();
    (alphabet(b"-_") || alphabet(b"+/"))
        && digits.len() % 4 != 1
        && (padding == 0 || (padding < 3 && text.len().is_multiple_of(4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_sets_are_read() {
        // A-RA-5, A-RA-12
        for (text, secrets) in [
            (r#"{"keys": []}"#, &[][..]),
            (r#"{"kty": "RSA", "n": "AQ", "e": "AQAB"}"#, &[]),
            (
                r#"{"keys": [{"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ", "kid": "a"}]}"#,
                &[],
            ),
            (
                r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AQ=="}]}"#,
                &[],
            ),
            (
                r#"{"keys": [{"kty": "RSA", "n": "AQ", "e": "AQ"}, {"kty": "RSA", "n": "AQ", "e": "AQ", "d": "AQ"}]}"#,
                &[(1, "an RSA private key")],
            ),
            (
                r#"{"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ", "d": "AQ"}"#,
                &[(0, "an EC private key")],
            ),
            (
                r#"{"keys": [{"kty": "OKP", "crv": "X25519", "x": "AQ", "d": "AQ"}, {"kty": "oct", "k": "AQ"}]}"#,
                &[(0, "an OKP private key"), (1, "a symmetric key")],
            ),
        ] {
            assert_eq!(check(text), Ok(secrets.to_vec()), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        // A-RA-5
        for text in [
            "",
            "foo",
            "[]",
            "{}",
            r#"{"keys": {}}"#,
            r#"{"keys": "a"}"#,
            r#"{"keys": [1]}"#,
            r#"{"keys": [{}]}"#,
            r#"{"kty": "rsa", "n": "AQ", "e": "AQ"}"#,
            r#"{"kty": "RSA", "n": "AQ"}"#,
            r#"{"kty": "RSA", "n": "?", "e": "AQ"}"#,
            r#"{"kty": "RSA", "n": 1, "e": "AQ"}"#,
            r#"{"kty": "EC", "crv": "P-257", "x": "AQ", "y": "AQ"}"#,
            r#"{"kty": "oct", "k": "AQ", "kid": 1}"#,
            r#"{"kty": "RSA", "n": "AQ", "e": "AQ"} x"#,
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
