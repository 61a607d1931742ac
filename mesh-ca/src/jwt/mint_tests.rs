use std::time::Duration;

use super::*;
use crate::{
    InsecureSeededEntropy, KeyAlgorithm, KeyPair, KeyProvider, SignError, SignatureAlgorithm,
    SignatureFormat, Signer, SpiffeId, UnixTime,
};

fn now() -> UnixTime {
    UnixTime::new(1_800_000_000, 999)
}

fn id() -> SpiffeId {
    "spiffe://example.org/ns/shop/sa/reviews".parse().unwrap()
}

fn entropy() -> InsecureSeededEntropy {
    InsecureSeededEntropy::new(7)
}

fn minter(algorithm: KeyAlgorithm) -> JwtMinter<KeyPair> {
    JwtMinter::new(KeyPair::generate_for(algorithm, &mut entropy()).unwrap()).unwrap()
}

fn verify<S: Signer>(minter: &JwtMinter<S>, token: &str, at: UnixTime) -> Result<JwtSvid, JwtError> {
    let mut bundle = JwtBundle::new();
    bundle.insert(minter.key_id(), minter.public_key().clone());
    JwtSvid::verify(token, |_| Some(&bundle), &JwtVerifyOptions::new(at, ["ratings"]))
}

/// C-JWT-9: what is minted verifies, for every algorithm.
#[test]
fn minted_tokens_verify() {
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        let minter = minter(algorithm);
        let request = JwtRequest::new(id(), ["ratings", "", "details"]);
        let token = minter.mint(&request, now(), &mut entropy()).unwrap();
        let svid = verify(&minter, &token, now()).unwrap();
        assert_eq!(svid.spiffe_id(), &id());
        assert_eq!(svid.audiences(), ["ratings", "details"]);
        assert_eq!(
            svid.expires(),
            UnixTime::from_secs(1_800_000_300),
            "five minutes unless told otherwise"
        );
    }
}

/// C-JWT-9: order of members, arrays, whole numbers, further claims by name; C-JWT-10: the name of the key.
#[test]
fn the_text_is_fixed() {
    let minter = minter(KeyAlgorithm::EcdsaP256).with_jti(true);
    let request = JwtRequest::new(id(), ["ratings"])
        .with_ttl(Duration::from_secs(60))
        .with_claim("tier", &"gold \"1\"")
        .unwrap()
        .with_claim("level", &3)
        .unwrap();
    let token = minter.mint(&request, now(), &mut entropy()).unwrap();
    let svid = verify(&minter, &token, now()).unwrap();
    let payload = svid.payload();
    let (before, after) = payload.split_once(r#""jti":""#).unwrap();
    let (jti, after) = after.split_once('"').unwrap();
    assert_eq!(jti.len(), 22);
    assert_eq!(
        before,
        r#"{"sub":"spiffe://example.org/ns/shop/sa/reviews","aud":["ratings"],"exp":1800000060,"iat":1800000000,"#
    );
    assert_eq!(after, r#","level":3,"tier":"gold \"1\""}"#);
    assert_eq!(minter.key_id().len(), 22);
    assert_eq!(minter.key_id(), jwt_key_id(minter.public_key().spki_der()));
}

/// P11: equal inputs and a deterministic signer give equal tokens.
#[test]
fn minting_is_deterministic_with_such_a_signer() {
    let key = KeyPair::generate(&mut entropy())
        .unwrap()
        .with_provider(KeyProvider::Soft)
        .unwrap();
    let minter = JwtMinter::new(key).unwrap().with_jti(true);
    let request = JwtRequest::new(id(), ["ratings"]);
    let mint = || minter.mint(&request, now(), &mut entropy()).unwrap();
    assert_eq!(mint(), mint());
}

/// C-JWT-9, scenarios 88 and 89.
#[test]
fn what_is_not_minted() {
    let minter = minter(KeyAlgorithm::EcdsaP256);
    let code = |request: &JwtRequest| minter.mint(request, now(), &mut entropy()).unwrap_err().code();
    assert_eq!(
        code(&JwtRequest::new(id(), Vec::<String>::new())),
        "jwt.mint.no_audience"
    );
    assert_eq!(code(&JwtRequest::new(id(), [""])), "jwt.mint.no_audience");
    let domain: SpiffeId = "spiffe://example.org".parse().unwrap();
    assert_eq!(
        code(&JwtRequest::new(domain, ["a"])),
        "jwt.mint.subject_is_trust_domain"
    );
    for name in ["aud", "exp", "iat", "iss", "jti", "nbf", "sub"] {
        let error = JwtRequest::new(id(), ["a"]).with_claim(name, &1).unwrap_err();
        assert_eq!(error.code(), "jwt.mint.claim", "{name}");
    }
    let ended = minter.clone().with_not_after(now());
    let request = JwtRequest::new(id(), ["ratings"]);
    assert_eq!(
        ended.mint(&request, now(), &mut entropy()).unwrap_err().code(),
        "jwt.mint.authority_expired"
    );
    let ends_soon = minter.clone().with_not_after(UnixTime::from_secs(1_800_000_030));
    let token = ends_soon.mint(&request, now(), &mut entropy()).unwrap();
    assert_eq!(
        verify(&minter, &token, now()).unwrap().expires(),
        UnixTime::from_secs(1_800_000_030)
    );
    let days = JwtRequest::new(id(), ["ratings"]).with_ttl(Duration::from_secs(1_000_000));
    let token = minter.mint(&days, now(), &mut entropy()).unwrap();
    assert_eq!(
        verify(&minter, &token, now()).unwrap().expires(),
        UnixTime::from_secs(1_800_086_400)
    );
    let ed25519 = KeyPair::generate_for(KeyAlgorithm::Ed25519, &mut entropy()).unwrap();
    assert_eq!(
        JwtMinter::new(ed25519).unwrap_err().code(),
        "jwt.mint.key_not_offered"
    );
}

/// C-SIGN-13 for tokens: what a signer gives is looked at.
#[test]
fn a_signature_that_does_not_verify_is_not_released() {
    #[derive(Debug)]
    struct Careless(KeyPair);
    impl Signer for Careless {
        fn algorithm(&self) -> SignatureAlgorithm {
            self.0.algorithm()
        }
        fn spki_der(&self) -> &[u8] {
            self.0.spki_der()
        }
        fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
            self.0.sign(b"something else")
        }
    }
    let minter = JwtMinter::new(Careless(KeyPair::generate(&mut entropy()).unwrap())).unwrap();
    let error = minter
        .mint(&JwtRequest::new(id(), ["a"]), now(), &mut entropy())
        .unwrap_err();
    assert_eq!(error.code(), "jwt.mint.signer_misbehaved");
}

/// C-SGN-2, C-SGN-3: a key elsewhere gets what a local one would sign, and gives the same token; both forms of ECDSA
/// signatures are taken, wrong and late ones are not.
#[test]
fn two_steps_give_the_same_token() {
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        let key = KeyPair::generate_for(algorithm, &mut entropy())
            .unwrap()
            .with_provider(KeyProvider::Soft)
            .unwrap();
        let local = JwtMinter::new(key.clone()).unwrap().with_jti(true);
        let remote = JwtMinter::remote("hsm/7", key.spki_der(), key.algorithm())
            .unwrap()
            .with_jti(true);
        assert_eq!(remote.key_id(), local.key_id());
        let request = JwtRequest::new(id(), ["ratings"]);
        let token = local.mint(&request, now(), &mut entropy()).unwrap();
        let (job, to_sign) = remote.begin(&request, now(), &mut entropy()).unwrap();
        assert_eq!(
            (to_sign.key_ref.as_str(), to_sign.algorithm),
            ("hsm/7", key.algorithm())
        );
        assert!(
            to_sign
                .digest
                .is_some_and(|digest| digest.len() == 32 || digest.len() == 48)
        );
        assert!(token.as_bytes().starts_with(&to_sign.message));
        let signature = key.sign(&to_sign.message).unwrap();
        let deadline = job.deadline();
        assert_eq!(deadline, now() + Duration::from_secs(30));
        let finish = |signature: &[u8], format, at| job.clone().finish(signature, format, at);
        assert_eq!(finish(&signature, SignatureFormat::Der, deadline).unwrap(), token);
        let raw = token.rsplit('.').next().unwrap();
        let raw = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, raw).unwrap();
        assert_eq!(finish(&raw, SignatureFormat::Raw, now()).unwrap(), token);
        let code = |signature: &[u8], format, at| finish(signature, format, at).unwrap_err().code();
        let late = deadline + Duration::from_nanos(1);
        assert_eq!(
            code(&signature, SignatureFormat::Der, late),
            "jwt.mint.job_expired"
        );
        let other = key.sign(b"something else").unwrap();
        for (wrong, format) in [
            (&other[..], SignatureFormat::Der),
            (&raw[..], SignatureFormat::Der),
            (&raw[1..], SignatureFormat::Raw),
            (&[], SignatureFormat::Raw),
        ] {
            assert_eq!(code(wrong, format, now()), "jwt.mint.signer_misbehaved");
        }
    }
    let key = KeyPair::generate(&mut entropy()).unwrap();
    let refused = |algorithm| {
        JwtMinter::remote("k", key.spki_der(), algorithm)
            .unwrap_err()
            .code()
    };
    assert_eq!(
        refused(SignatureAlgorithm::EcdsaSha384),
        "jwt.mint.key_not_offered"
    );
    assert_eq!(refused(SignatureAlgorithm::Ed25519), "jwt.mint.key_not_offered");
}
