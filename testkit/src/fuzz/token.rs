//! What must be true of any token and any bundle document.

use mesh_ca::jwt::{HeaderPolicy, InsecureJwtSvid, JsonWebKey, Jws, JwtBundle, JwtSvid, JwtVerifyOptions};
use mesh_ca::{
    DocumentMode, InsecureSeededEntropy, KeyPair, KeyProvider, Limits, Signer as _, TrustBundle, UnixTime,
};

/// No text is a token that nobody signed. What is signed is read as it stands: the input is a header and a payload, each a
/// line, which are signed with a key that the verifier knows; if the token is accepted, its claims say what the verifier asked for.
pub fn jwt(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let key = KeyPair::generate(&mut InsecureSeededEntropy::new(1))
        .and_then(|key| key.with_provider(KeyProvider::Soft))
        .expect("a key");
    let mut bundle = JwtBundle::new();
    bundle.insert("k", JsonWebKey::from_spki(key.spki_der()).expect("a public key"));
    let now = UnixTime::from_secs(1_800_000_000);
    let options = JwtVerifyOptions::new(now, ["a"]);
    let verify = |token: &str| JwtSvid::verify(token, |_| Some(&bundle), &options);

    assert!(verify(text).is_err(), "nobody signed it");
    let _ = InsecureJwtSvid::parse(text, &Limits::default());
    let _ = Jws::parse(text, HeaderPolicy::Lenient, 1 << 16);
    let Some((header, payload)) = text.split_once('\n') else {
        return;
    };
    let token = sign(&key, header, payload);
    if let Ok(svid) = verify(&token) {
        assert!(svid.audiences().iter().any(|audience| audience == "a"));
        assert!(svid.expires() + options.leeway > now);
        assert!(
            svid.issued_at()
                .is_none_or(|issued| issued <= now + options.leeway)
        );
        assert_eq!(svid.payload(), payload);
        let claimed = InsecureJwtSvid::parse(&token, &Limits::default()).expect("it was verified");
        assert_eq!(claimed.claimed_spiffe_id(), svid.spiffe_id());
    }
}

/// A token of any header and payload.
fn sign(key: &KeyPair, header: &str, payload: &str) -> String {
    let mut token = format!(
        "{}.{}",
        base64url(header.as_bytes()),
        base64url(payload.as_bytes())
    );
    let der = key.sign(token.as_bytes()).expect("a signature");
    token.push('.');
    token.push_str(&base64url(&raw(&der)));
    token
}

/// The two numbers of an ECDSA signature in DER, 32 bytes each.
fn raw(der: &[u8]) -> Vec<u8> {
    let first = usize::from(der[3]);
    let (r, s) = (&der[4..4 + first], &der[6 + first..]);
    let mut both = Vec::new();
    for number in [r, s] {
        let digits: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
        both.extend(std::iter::repeat_n(0, 32 - digits.len()));
        both.extend(digits);
    }
    both
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * at) & 63) as usize]));
        }
    }
    text
}

/// What a document says survives writing and reading again; what a publisher may write, a consumer reads without a note.
pub fn bundle(bytes: &[u8]) {
    let limits = Limits::default();
    let read = |json: &[u8], mode| {
        let domain = "example.org".parse().expect("a trust domain");
        TrustBundle::from_spiffe_json(domain, json, mode, &limits)
    };
    let standard = read(bytes, DocumentMode::Standard);
    if let Ok(document) = &standard {
        let written = document.bundle.to_spiffe_json();
        let again = read(written.as_bytes(), DocumentMode::Standard).expect("what is written can be read");
        assert_eq!(again.bundle, document.bundle);
        assert_eq!(again.bundle.to_spiffe_json(), written);
    }
    if let Ok(strict) = read(bytes, DocumentMode::Strict) {
        let standard = standard.expect("a consumer takes what a publisher may write");
        assert_eq!((strict.bundle, standard.notes.len()), (standard.bundle, 0));
    }
}
