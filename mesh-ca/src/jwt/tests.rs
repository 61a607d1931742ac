use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use proptest::prelude::*;

use super::*;
use crate::{JwkError, Limits, TrustDomainRef, UnixTime};

/// A key of the trust domain `example.org`, named `k`.
fn key() -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap()
}

fn public(key: &p256::ecdsa::SigningKey) -> JsonWebKey {
    let point = key.verifying_key().to_encoded_point(false);
    let coordinate = |bytes: Option<&p256::FieldBytes>| URL_SAFE_NO_PAD.encode(bytes.unwrap());
    let (x, y) = (coordinate(point.x()), coordinate(point.y()));
    JsonWebKey::parse(format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#).as_bytes()).unwrap()
}

fn token_of(key: &p256::ecdsa::SigningKey, header: &str, payload: &str) -> String {
    let input = jws::signing_input(header.as_bytes(), payload.as_bytes());
    let signature: p256::ecdsa::Signature = key.sign(input.as_bytes());
    jws::finish(input, &signature.to_bytes())
}

fn token(header: &str, payload: &str) -> String {
    token_of(&key(), header, payload)
}

const HEADER: &str = r#"{"alg":"ES256","kid":"k","typ":"JWT"}"#;
const PAYLOAD: &str = r#"{"sub":"spiffe://example.org/w","aud":["a","b"],"exp":1800000300,"iat":1800000000}"#;

fn now() -> UnixTime {
    UnixTime::from_secs(1_800_000_000)
}

fn bundle() -> JwtBundle {
    let mut bundle = JwtBundle::new();
    bundle.insert("k", public(&key()));
    bundle
}

fn verify_with(token: &str, options: &JwtVerifyOptions) -> Result<JwtSvid, JwtError> {
    let bundle = bundle();
    let of = |domain: TrustDomainRef<'_>| (domain.as_str() == "example.org").then_some(&bundle);
    JwtSvid::verify(token, of, options)
}

fn verify(token: &str) -> Result<JwtSvid, JwtError> {
    verify_with(token, &JwtVerifyOptions::new(now(), ["a"]))
}

fn refused(header: &str, payload: &str) -> &'static str {
    verify(&token(header, payload)).unwrap_err().code()
}

#[test]
fn a_good_token_verifies() {
    let svid = verify(&token(HEADER, PAYLOAD)).unwrap();
    assert_eq!(svid.spiffe_id().as_str(), "spiffe://example.org/w");
    assert_eq!(svid.audiences(), ["a", "b"]);
    assert_eq!(svid.expires(), UnixTime::from_secs(1_800_000_300));
    assert_eq!((svid.issued_at(), svid.payload()), (Some(now()), PAYLOAD));
}

/// C-JWT-1, C-GEN-8.
#[test]
fn only_the_strict_compact_form_is_read() {
    let good = token(HEADER, PAYLOAD);
    let code = |token: &str| verify(token).unwrap_err().code();
    let parts: Vec<&str> = good.split('.').collect();
    for bad in [
        String::new(),
        "a.b".to_owned(),
        format!("{good}."),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{good}="),
        format!("{}..{}", parts[0], parts[2]), // a detached payload
        format!(r#"{{"payload":"{}","signature":"{}"}}"#, parts[1], parts[2]),
        good.replacen('.', "+.", 1),
    ] {
        assert_eq!(code(&bad), "jwt.malformed", "{bad}");
    }
    assert_eq!(code(&"a".repeat(16 * 1024 + 1)), "jwt.too_large");
    // The last character of a signature of 64 bytes carries four bits that must be zero.
    let last = good.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
    assert_eq!(
        code(&format!("{}{next}", &good[..good.len() - 1])),
        "jwt.malformed"
    );
}

/// C-JWT-2, C-JWT-5, scenario 87.
#[test]
fn headers_say_three_things_and_nothing_else() {
    for member in [
        "crit", "b64", "jku", "jwk", "x5u", "x5c", "zip", "cty", "anything",
    ] {
        let header = format!(r#"{{"alg":"ES256","kid":"k","{member}":[]}}"#);
        assert_eq!(refused(&header, PAYLOAD), "jwt.header_not_allowed", "{member}");
        let lenient = JwtVerifyOptions {
            header: HeaderPolicy::Lenient,
            ..JwtVerifyOptions::new(now(), ["a"])
        };
        let is_harmless = matches!(member, "cty" | "anything");
        assert_eq!(
            verify_with(&token(&header, PAYLOAD), &lenient).is_ok(),
            is_harmless,
            "{member}"
        );
    }
    assert_eq!(
        refused(r#"{"alg":"ES256","kid":"k","kid":"k"}"#, PAYLOAD),
        "jwt.malformed"
    );
    for (typ, code) in [
        (r#""JWT""#, None),
        (r#""JOSE""#, None),
        (r#""jwt""#, Some("jwt.typ_forbidden")),
        ("null", Some("jwt.typ_forbidden")),
        (r#""wit+jwt""#, Some("jwt.wrong_token_kind")),
    ] {
        let header = format!(r#"{{"alg":"ES256","kid":"k","typ":{typ}}}"#);
        assert_eq!(
            verify(&token(&header, PAYLOAD)).err().map(|error| error.code()),
            code,
            "{typ}"
        );
    }
}

/// C-JWT-3, C-JWT-4, scenarios 83 and 90: no `none`, no confusion of keys.
#[test]
fn algorithms_are_few_and_bound_to_keys() {
    for alg in [
        "none", "None", "HS256", "HS384", "HS512", "EdDSA", "es256", "ES256K", "",
    ] {
        let header = format!(r#"{{"alg":"{alg}","kid":"k"}}"#);
        assert_eq!(refused(&header, PAYLOAD), "jwt.alg_forbidden", "{alg}");
    }
    assert_eq!(refused(r#"{"kid":"k"}"#, PAYLOAD), "jwt.alg_forbidden");
    assert_eq!(
        refused(r#"{"alg":"ES512","kid":"k"}"#, PAYLOAD),
        "jwt.alg_unsupported"
    );
    for alg in ["ES384", "RS256", "PS512"] {
        let header = format!(r#"{{"alg":"{alg}","kid":"k"}}"#);
        assert_eq!(refused(&header, PAYLOAD), "jwt.key_mismatch", "{alg}");
    }
    // A token without a signature, and one signed with the public key as a secret, name algorithms that are refused.
    let unsigned = jws::signing_input(br#"{"alg":"none"}"#, PAYLOAD.as_bytes()) + ".";
    assert_eq!(verify(&unsigned).unwrap_err().code(), "jwt.alg_forbidden");

    let mut json = String::from_utf8(p256_jwk().into()).unwrap();
    json.insert_str(1, r#""alg":"ES384","#);
    let bound = JsonWebKey::parse(json.as_bytes()).unwrap();
    assert!(!bound.allows(JwsAlgorithm::Es256), "a key's own `alg` binds it");
}

fn p256_jwk() -> Box<[u8]> {
    let key = public(&key());
    let members = crate::jwk::members_of(&crate::PublicKeyInfo::parse(key.spki_der()).unwrap());
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!(r#""{name}":"{value}""#))
        .collect();
    format!("{{{}}}", members.join(",")).into_bytes().into()
}

#[test]
fn keys_survive_their_json() {
    assert_eq!(JsonWebKey::parse(&p256_jwk()).unwrap(), public(&key()));
    let rsa = rsa_key();
    let saved = serde_json::to_string(&rsa).unwrap();
    assert_eq!(serde_json::from_str::<JsonWebKey>(&saved).unwrap(), rsa);
}

/// C-BND-3: a key with a private member is refused whole, and coordinates have their full length.
#[test]
fn keys_are_public_and_exact() {
    let json = String::from_utf8(p256_jwk().into()).unwrap();
    let error = |json: &str| JsonWebKey::parse(json.as_bytes()).unwrap_err();
    for member in ["d", "k", "p"] {
        let private = json.replacen('{', &format!(r#"{{"{member}":"AA","#), 1);
        assert_eq!(error(&private), JwkError::PrivateMember, "{member}");
    }
    let point = key().verifying_key().to_encoded_point(false);
    let y = URL_SAFE_NO_PAD.encode(point.y().unwrap());
    for other in [
        &[&[0], &point.y().unwrap()[..]].concat()[..],
        &point.y().unwrap()[1..],
    ] {
        let other = json.replace(&y, &URL_SAFE_NO_PAD.encode(other));
        assert_eq!(error(&other), JwkError::Parameter("y"));
    }
}

/// C-BND-3: a key is of a kind and on a curve that tokens are signed with.
#[test]
fn keys_have_a_kind_and_a_curve() {
    let json = String::from_utf8(p256_jwk().into()).unwrap();
    let error = |from: &str, to: &str| {
        assert!(json.contains(from), "{json}");
        JsonWebKey::parse(json.replace(from, to).as_bytes()).unwrap_err()
    };
    for kind in [r#""kty":"oct""#, r#""kty":"ec""#, r#""kty":7"#, r#""kind":"EC""#] {
        assert_eq!(error(r#""kty":"EC""#, kind), JwkError::KeyType, "{kind}");
    }
    for curve in [
        r#""crv":"P-521""#,
        r#""crv":"secp256k1""#,
        r#""crv":"p-256""#,
        r#""crv":"Ed25519""#,
        r#""curve":"P-256""#,
    ] {
        assert_eq!(error(r#""crv":"P-256""#, curve), JwkError::Curve, "{curve}");
    }
    // The coordinates of another curve are longer.
    assert_eq!(error("P-256", "P-384"), JwkError::Parameter("x"));
    // Keys for signatures in OKP are of Ed25519.
    for curve in ["X25519", "Ed448", "P-256"] {
        let okp = format!(
            r#"{{"kty":"OKP","crv":"{curve}","x":"{}"}}"#,
            URL_SAFE_NO_PAD.encode([9; 32])
        );
        assert_eq!(
            JsonWebKey::parse(okp.as_bytes()).unwrap_err(),
            JwkError::Curve,
            "{curve}"
        );
    }
    // An algorithm of no token binds the key to nothing that is taken.
    for name in [r#""none""#, r#""HS256""#, r#""es256""#, "1"] {
        let bound = json.replacen('{', &format!(r#"{{"alg":{name},"#), 1);
        assert_eq!(
            JsonWebKey::parse(bound.as_bytes()).unwrap_err(),
            JwkError::KeyType,
            "{name}"
        );
    }
}

/// C-JWT-4: r and s are two numbers of fixed length, neither zero.
#[test]
fn ecdsa_signatures_are_raw_and_exact() {
    let input = jws::signing_input(HEADER.as_bytes(), PAYLOAD.as_bytes());
    let signature: p256::ecdsa::Signature = key().sign(input.as_bytes());
    let raw = signature.to_bytes();
    let code = |signature: &[u8]| verify(&jws::finish(input.clone(), signature)).unwrap_err().code();
    assert_eq!(code(signature.to_der().as_bytes()), "jwt.signature");
    assert_eq!(code(&raw[..63]), "jwt.signature");
    assert_eq!(code(&[&raw[..], &[0]].concat()), "jwt.signature");
    // A zero before the second number makes it no other number, but another text of the signature.
    assert_eq!(code(&[&raw[..32], &[0], &raw[32..]].concat()), "jwt.signature");
    assert_eq!(code(&[&[0; 32], &raw[32..]].concat()), "jwt.signature");
    assert_eq!(code(&[&raw[..32], &[0; 32]].concat()), "jwt.signature");
    assert_eq!(code(&[0xff; 64]), "jwt.signature");
    assert_eq!(
        jws::ecdsa_from_der(signature.to_der().as_bytes(), 32).as_deref(),
        Some(&raw[..])
    );
}

/// C-JWT-6, scenario 86.
#[test]
fn keys_come_from_the_bundle_of_the_subject() {
    let foreign = PAYLOAD.replace("example.org", "other.org");
    assert_eq!(refused(HEADER, &foreign), "jwt.untrusted_domain");
    assert_eq!(
        refused(r#"{"alg":"ES256","kid":"x"}"#, PAYLOAD),
        "jwt.unknown_key"
    );
    assert_eq!(refused(r#"{"alg":"ES256"}"#, PAYLOAD), "jwt.key_id_missing");
    assert_eq!(refused(r#"{"alg":"ES256","kid":1}"#, PAYLOAD), "jwt.malformed");
    let any_key = JwtVerifyOptions {
        require_key_id: false,
        ..JwtVerifyOptions::new(now(), ["a"])
    };
    assert!(verify_with(&token(r#"{"alg":"ES256"}"#, PAYLOAD), &any_key).is_ok());
    let other = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
    let code = |token: &str| verify_with(token, &any_key).unwrap_err().code();
    assert_eq!(
        code(&token_of(&other, r#"{"alg":"ES256"}"#, PAYLOAD)),
        "jwt.signature"
    );
    assert_eq!(code(&token(r#"{"alg":"RS256"}"#, PAYLOAD)), "jwt.unknown_key");
}

/// C-JWT-7, scenario 84.
#[test]
fn claims_have_their_forms() {
    let with = |claims: &str| {
        refused(
            HEADER,
            &format!(r#"{{"sub":"spiffe://example.org/w","exp":1800000300{claims}}}"#),
        )
    };
    let exp = |exp: &str| {
        refused(
            HEADER,
            &format!(r#"{{"sub":"spiffe://example.org/w","aud":"a","exp":{exp}}}"#),
        )
    };
    let claim = "jwt.claim_invalid";
    assert_eq!(with(""), claim);
    for aud in [r#""""#, "[]", r#"["a",""]"#, r#"["a",1]"#, "1", "null"] {
        assert_eq!(with(&format!(r#","aud":{aud}"#)), claim, "{aud}");
    }
    let many = vec![r#""a""#; 33].join(",");
    assert_eq!(with(&format!(r#","aud":[{many}]"#)), claim);
    assert_eq!(with(r#","aud":"c""#), "jwt.audience");
    assert_eq!(with(r#","aud":"A""#), "jwt.audience");
    for value in [r#""1800000300""#, "-1", "253402300800", "1e300", "null", "[]"] {
        assert_eq!(exp(value), claim, "{value}");
    }
    assert!(
        verify(&token(
            HEADER,
            r#"{"sub":"spiffe://example.org/w","aud":"a","exp":1.8000003e9}"#
        ))
        .is_ok()
    );
    for sub in [r#""spiffe://Example.org/w""#, r#""example.org""#, r#""""#] {
        assert_eq!(
            refused(HEADER, &PAYLOAD.replace(r#""spiffe://example.org/w""#, sub)),
            "jwt.subject",
            "{sub}"
        );
    }
    assert_eq!(
        refused(HEADER, &PAYLOAD.replace(r#""spiffe://example.org/w""#, "7")),
        claim
    );
    assert_eq!(
        refused(
            HEADER,
            r#"{"sub":"spiffe://example.org/w","sub":"spiffe://example.org/v"}"#
        ),
        "jwt.malformed"
    );
    assert_eq!(refused(HEADER, "[]"), "jwt.malformed");
    let nobody = JwtVerifyOptions::new(now(), Vec::<String>::new());
    assert_eq!(
        verify_with(&token(HEADER, PAYLOAD), &nobody).unwrap_err().code(),
        "jwt.no_audience_accepted"
    );
}

/// C-JWT-7, scenario 85: the limits to the second.
#[test]
fn validity_ends_on_its_last_moment() {
    let payload =
        r#"{"sub":"spiffe://example.org/w","aud":"a","exp":1800000300,"nbf":1800000100,"iat":1800000000}"#;
    let token = token(HEADER, payload);
    let at = |secs: i64, leeway: u64| {
        let options = JwtVerifyOptions {
            leeway: std::time::Duration::from_secs(leeway),
            ..JwtVerifyOptions::new(UnixTime::from_secs(1_800_000_000 + secs), ["a"])
        };
        verify_with(&token, &options).err().map(|error| error.code())
    };
    assert_eq!(at(360, 60), Some("jwt.expired"));
    assert_eq!(at(359, 60), None);
    assert_eq!(at(40, 60), None);
    assert_eq!(at(39, 60), Some("jwt.not_yet_valid"));
    assert_eq!(at(300, 0), Some("jwt.expired"));
    // No leeway is longer than five minutes.
    assert_eq!(at(600, 10_000), Some("jwt.expired"));
    assert_eq!(at(599, 10_000), None);
}

/// C-JWT-8: a wrong signature is found before anything that the claims say.
#[test]
fn the_signature_comes_before_the_claims() {
    let other = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
    let expired = PAYLOAD.replace("1800000300", "1");
    assert_eq!(
        verify(&token_of(&other, HEADER, &expired)).unwrap_err().code(),
        "jwt.signature"
    );
    assert_eq!(
        verify(&token(HEADER, &expired)).unwrap_err().code(),
        "jwt.expired"
    );
}

/// C-JWT-11.
#[test]
fn what_is_not_verified_has_a_type_of_its_own() {
    let other = p256::ecdsa::SigningKey::from_slice(&[8; 32]).unwrap();
    let seen = InsecureJwtSvid::parse(&token_of(&other, HEADER, PAYLOAD), &Limits::default()).unwrap();
    assert_eq!(seen.claimed_spiffe_id().as_str(), "spiffe://example.org/w");
    assert_eq!((seen.claimed_audiences().len(), seen.key_id()), (2, Some("k")));
    assert_eq!(seen.claimed_expires(), UnixTime::from_secs(1_800_000_300));
}

/// RS256 and PS256 of another implementation.
#[test]
fn rsa_tokens_verify() {
    let mut bundle = JwtBundle::new();
    bundle.insert("r", rsa_key());
    let options = JwtVerifyOptions::new(now(), ["a"]);
    for (alg, signature) in [("RS256", RS256_SIGNATURE), ("PS256", PS256_SIGNATURE)] {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{alg}","kid":"r","typ":"JWT"}}"#));
        let payload =
            URL_SAFE_NO_PAD.encode(r#"{"aud":"a","exp":1800000300,"sub":"spiffe://example.org/w"}"#);
        let token = format!("{header}.{payload}.{signature}");
        let svid = JwtSvid::verify(&token, |_| Some(&bundle), &options).unwrap();
        assert_eq!(svid.spiffe_id().as_str(), "spiffe://example.org/w");
        let changed = token.replacen(signature, &signature.replacen('A', "B", 1), 1);
        assert_eq!(
            JwtSvid::verify(&changed, |_| Some(&bundle), &options)
                .unwrap_err()
                .code(),
            "jwt.signature"
        );
    }
}

fn rsa_key() -> JsonWebKey {
    JsonWebKey::parse(format!(r#"{{"kty":"RSA","e":"AQAB","n":"{MODULUS}"}}"#).as_bytes()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// P9: any edit of one character fails.
    #[test]
    fn one_wrong_character_is_enough(at in any::<prop::sample::Index>(), to in 0usize..65) {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
        let mut token = token(HEADER, PAYLOAD).into_bytes();
        let at = at.index(token.len());
        prop_assume!(token[at] != alphabet[to]);
        token[at] = alphabet[to];
        prop_assert!(verify(&String::from_utf8(token).unwrap()).is_err());
    }

    /// C-GEN-10.
    #[test]
    fn no_text_panics(text in "[A-Za-z0-9_.=-]{0,80}", header in "\\PC{0,40}", payload in "\\PC{0,40}") {
        prop_assert!(verify(&text).is_err());
        prop_assert!(verify(&token(&header, &payload)).is_err());
        prop_assert!(verify(&token(HEADER, &payload)).is_err());
    }
}

const MODULUS: &str = concat!(
    "u0IltDjmTmgaxYkFvLdwns3IVdmBW9sWv2NdTM9uV7-zYjfKLOjxce1XtzdDZZlP3lk7HcVFN1gDM8VjuDkFWyTN2KeJFyfF3Bt7",
    "Pz_YKk60SuIGOmxWXMyf2FhZ4I6MK0ttzuUGdmXlsPs4mNRQ2Ok93J-G9yZCrWmjjXRoj1-7JfDJYXT_X2RVkCdhGe6hV6AyDJHz",
    "0WF-0Tb_N-ziWh1qbBWjOycwL_Np6KS_PHkbD8EXi37KBczbcjDJBfLheECpm5pDVMR0LxV5Q9VH-ue5Y68SztFsQshOG1we2VK2",
    "Y2p0BdQvLuU5OoNhBwDtieyV42WiPGmXKU89OSV3ZQ",
);

const RS256_SIGNATURE: &str = concat!(
    "ablI5fWIk9zXeVzxs8a3NlILGO1lorhGgXLi0PEwyEql4IIL2xoou0TWAxVV_-L2vXuLHZN83SB21u4WzeP9GW3cz3RaErTSJI2J",
    "yDq6_gY8eINXqT7P7kYYT7Vrc01nTWr-r7I9kw5lM_Ea_v6y55AhuCtFzDGCIqn7dCbYQfyXwX0fbOIPri9rpL9u7L2NBxbTVDPU",
    "6yjQTHsKWxgyEqZZ0ZJlGaJcrkAwklhrb8E91G4tCZzqxtoxoUtsTY9IUCadt5GOBcmRFBiWBhJ8XtHpAYblhbiGc_QeXf_FLEWr",
    "WR41011znsePnTEixiAeWj2sFc2ynMZSCwC-koTrUQ",
);

const PS256_SIGNATURE: &str = concat!(
    "qoZbKM0h-dUyb8UbNrv8UCBCGunTbSfIabcBf9QAJi9oe-Cn-FMnNoAowajyS3CmHdz3d-cQ3BOrt376V0gwzPuJS41rLLKQLZFb",
    "RsdzmZZj7tvgb0FAGH6L7LQb3_-HT_vRiWS6-dAatOLXHFnXmpAa03D89KJQMwAfGVNL2Xc3ESxPDWNIhUxSVeO8BISdRG6GLyJO",
    "Sqet0snpuuQt-2Ww0jJG7o7000w6JoPN6DTMavvql7Kf42QdJToJG-EM6pjjSfhxvTChU97oKwPZi5698CjsgUTM92wpQDRX6OAg",
    "rRnYJR4u_kQ8UahfPwzVVo7HF1Xt7Xap5srtznbffQ",
);
