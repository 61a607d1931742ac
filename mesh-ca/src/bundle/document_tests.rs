use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::{BundleUpdate, InsecureSeededEntropy, KeyAlgorithm, KeyPair, Signer as _, pem};

fn domain() -> TrustDomain {
    "example.org".parse().unwrap()
}

fn root() -> Vec<u8> {
    let text = include_bytes!("../../tests/data/root.pem");
    pem::parse_chain(text, &Limits::default()).unwrap().remove(0)
}

fn read_mode(json: &str, mode: DocumentMode) -> Result<BundleDocument, BundleDocumentError> {
    TrustBundle::from_spiffe_json(domain(), json.as_bytes(), mode, &Limits::default())
}

fn read(json: &str) -> BundleDocument {
    read_mode(json, DocumentMode::Standard).unwrap()
}

fn code(json: &str) -> &'static str {
    read_mode(json, DocumentMode::Standard).unwrap_err().code()
}

/// A document of entries.
fn of(entries: &[&str]) -> String {
    format!(r#"{{"keys":[{}]}}"#, entries.join(","))
}

fn jwt_key(seed: u64) -> JsonWebKey {
    let key = KeyPair::generate(&mut InsecureSeededEntropy::new(seed)).unwrap();
    JsonWebKey::from_spki(key.spki_der()).unwrap()
}

fn jwt_entry(name: &str, seed: u64) -> String {
    let mut bundle = TrustBundle::new(domain());
    bundle.jwt_mut().insert(name, jwt_key(seed));
    let text = bundle.to_spiffe_json();
    text[r#"{"keys":["#.len()..text.len() - 2].to_owned()
}

fn x509_entry() -> String {
    let mut bundle = TrustBundle::new(domain());
    bundle.insert_x509(&root()).unwrap();
    let text = bundle.to_spiffe_json();
    text[r#"{"keys":["#.len()..text.len() - 2].to_owned()
}

/// C-BND-2: the shape of what is written.
#[test]
fn documents_have_their_shape() {
    let entry = x509_entry();
    let start = r#"{"use":"x509-svid","kty":""#;
    assert!(entry.starts_with(start) && !entry.contains("kid"), "{entry}");
    assert!(
        entry.ends_with(&format!(r#""x5c":["{}"]}}"#, STANDARD.encode(root()))),
        "{entry}"
    );
    let entry = jwt_entry("k1", 1);
    assert!(
        entry.starts_with(r#"{"use":"jwt-svid","kid":"k1","kty":"EC","crv":"P-256","x":""#),
        "{entry}"
    );
    assert!(!entry.contains("x5c"));
}

/// C-BND-3, scenarios 92, 94 and 95.
#[test]
fn consumers_leave_out_what_makes_no_sense() {
    let x509 = x509_entry();
    let der = STANDARD.encode(root());
    let two = x509.replace(&format!(r#"["{der}"]"#), &format!(r#"["{der}","AAAA"]"#));
    let document = read(&of(&[&two]));
    assert_eq!(document.bundle.x509_authorities().len(), 1);
    assert_eq!(document.notes[0].kind, BundleNoteKind::X5cMany);

    let notes = |entry: &str| -> Vec<String> {
        let document = read(&of(&[entry, &jwt_entry("good", 2)]));
        assert_eq!(
            (
                document.bundle.x509_authorities().len(),
                document.bundle.jwt().len()
            ),
            (0, 1),
            "{entry}"
        );
        document.notes.iter().map(ToString::to_string).collect()
    };
    assert_eq!(notes("1"), ["keys[0]: `kty` or `use` is missing or unknown"]);
    assert_eq!(notes("{}"), ["keys[0]: `kty` or `use` is missing or unknown"]);
    assert_eq!(
        notes(&x509.replace("x509-svid", "tls")),
        ["keys[0]: `kty` or `use` is missing or unknown"]
    );
    assert_eq!(
        notes(&x509.replace(r#""kty":"EC""#, r#""kty":"XX""#)),
        ["keys[0]: `kty` or `use` is missing or unknown"]
    );
    assert_eq!(
        notes(&x509.replace(&der, "*")),
        ["keys[0]: `x5c` holds no certificate"]
    );
    assert_eq!(
        notes(r#"{"use":"x509-svid","kty":"EC"}"#),
        ["keys[0]: `x5c` holds no certificate"]
    );
    assert_eq!(
        notes(r#"{"use":"x509-svid","kty":"EC","x5c":[]}"#),
        ["keys[0]: `x5c` holds no certificate"]
    );
    assert!(
        notes(r#"{"use":"x509-svid","kty":"EC","x5c":["AAAA"]}"#)[0]
            .starts_with("keys[0]: the certificate cannot be used")
    );
    let leaf = {
        let text = include_bytes!("../../tests/data/chain.pem");
        STANDARD.encode(&pem::parse_chain(text, &Limits::default()).unwrap()[0])
    };
    assert_eq!(
        notes(&format!(r#"{{"use":"x509-svid","kty":"EC","x5c":["{leaf}"]}}"#)),
        ["keys[0]: the certificate is none of an authority"]
    );
    assert_eq!(
        notes(&jwt_entry("", 3)),
        ["keys[0]: a key of tokens needs a name"]
    );
    let p521 = r#"{"use":"jwt-svid","kid":"p","kty":"EC","crv":"P-521","x":"AA","y":"AA"}"#;
    assert_eq!(
        notes(p521),
        ["keys[0]: the key cannot be used: `crv` names no curve that is taken"]
    );

    let twice = read(&of(&[&jwt_entry("k", 1), &jwt_entry("k", 2)]));
    assert_eq!(
        twice.bundle.jwt().key("k"),
        Some(&jwt_key(1)),
        "the first one stays"
    );
    assert_eq!(twice.notes[0].kind, BundleNoteKind::DuplicateKeyId);
    assert!(
        read(r#"{"keys":[]}"#).bundle.x509_authorities().is_empty(),
        "nobody is trusted"
    );
}

/// C-BND-3, C-BND-5, C-BND-6, C-GEN-8, scenario 91.
#[test]
fn documents_are_refused_as_a_whole() {
    assert_eq!(code("{}"), "bundle.member");
    assert_eq!(code(r#"{"keys":{}}"#), "bundle.member");
    assert_eq!(code("[]"), "bundle.member");
    assert_eq!(code(r#"{"keys":[],"keys":[]}"#), "bundle.json");
    assert_eq!(code(r#"{"keys":[{"kty":"EC","kty":"RSA"}]}"#), "bundle.json");
    assert_eq!(code("\u{feff}{\"keys\":[]}"), "bundle.json");
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let entry = format!(r#"{{"use":"other","kty":"EC","{private}":"AA"}}"#);
        assert_eq!(
            code(&of(&[&jwt_entry("k", 1), &entry])),
            "bundle.private_key",
            "{private}"
        );
    }
    for number in ["-1", "1.0", "1e3", "18446744073709551616", r#""1""#, "null", "[]"] {
        assert_eq!(
            code(&format!(r#"{{"keys":[],"spiffe_sequence":{number}}}"#)),
            "bundle.member",
            "{number}"
        );
        assert_eq!(
            code(&format!(r#"{{"keys":[],"spiffe_refresh_hint":{number}}}"#)),
            "bundle.member",
            "{number}"
        );
    }
    let many = vec!["{}"; 1_001];
    assert_eq!(code(&of(&many)), "bundle.too_many_keys");
    assert_eq!(code(&" ".repeat((1 << 20) + 1)), "bundle.too_large");
    let limit = read(r#"{"keys":[],"spiffe_sequence":18446744073709551615,"spiffe_refresh_hint":0}"#).bundle;
    assert_eq!(
        (limit.sequence(), limit.refresh_hint()),
        (Some(u64::MAX), Duration::from_secs(300))
    );
}

/// C-BND-4, C-BND-12.
#[test]
fn publishers_hear_what_consumers_would_leave_out() {
    let strict = |entries: &[&str]| match read_mode(&of(entries), DocumentMode::Strict) {
        Ok(_) => None,
        Err(BundleDocumentError::Refused(note)) => Some((note.entry, note.kind)),
        Err(error) => panic!("{error}"),
    };
    let (x509, jwt) = (x509_entry(), jwt_entry("k", 1));
    let wit = r#"{"use":"wit-svid","kty":"EC","kid":"k"}"#;
    assert_eq!(strict(&[&x509, &jwt]), None);
    assert_eq!(
        strict(&[&x509, &jwt, &jwt]),
        Some((2, BundleNoteKind::DuplicateKeyId))
    );
    assert_eq!(strict(&[&jwt, wit]), Some((1, BundleNoteKind::DuplicateKeyId)));
    assert_eq!(strict(&[wit, &jwt]), Some((1, BundleNoteKind::DuplicateKeyId)));
    assert_eq!(strict(&["{}"]), Some((0, BundleNoteKind::Unknown)));
    let swapped = x509.replace(
        r#""kty":"#,
        r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","was":"#,
    );
    let swapped = {
        // Take out the parameters of the certificate's own key, so that no member stands there twice.
        let start = swapped.find(r#","was":"#).unwrap();
        let end = swapped.find(r#","x5c""#).unwrap();
        format!("{}{}", &swapped[..start], &swapped[end..])
    };
    assert_eq!(strict(&[&swapped]), Some((0, BundleNoteKind::CertificateKey)));
    assert_eq!(
        read(&of(&[&swapped])).notes,
        [],
        "a consumer does not compare them"
    );
}

/// C-BND-12: carried along, and no key of tokens.
#[test]
fn keys_of_other_tokens_survive() {
    let text = of(&[
        &jwt_entry("j", 1),
        r#"{"use":"wit-svid","kty":"EC","kid":"w","x":"AA","more":[1,null]}"#,
    ]);
    let bundle = read(&text).bundle;
    assert_eq!(bundle.to_spiffe_json(), text);
    assert!(bundle.jwt().key("w").is_none());
}

/// C-BND-9, scenario 96.
#[test]
fn maps_are_taken_whole_or_not_at_all() {
    let map = |text: &str| bundle_map_from_json(text.as_bytes(), DocumentMode::Standard, &Limits::default());
    let good =
        map(r#"{"trust_domains":{"b.org":{"keys":[]},"a.org":{"keys":[],"spiffe_sequence":3}}}"#).unwrap();
    let names: Vec<&str> = good.keys().map(TrustDomain::as_str).collect();
    assert_eq!(names, ["a.org", "b.org"]);
    let written = bundle_map_to_json(good.values().map(|document| &document.bundle));
    assert_eq!(
        written,
        r#"{"trust_domains":{"a.org":{"keys":[],"spiffe_sequence":3},"b.org":{"keys":[]}}}"#
    );
    assert_eq!(map(r#"{"trust_domains":{}}"#).unwrap().len(), 0);
    let refused = |text: &str| map(text).unwrap_err().code();
    assert_eq!(refused("{}"), "bundle.member");
    assert_eq!(
        refused(r#"{"trust_domains":{"a.org":{"keys":[]},"B.org":{"keys":[]}}}"#),
        "bundle.trust_domain"
    );
    assert_eq!(
        refused(r#"{"trust_domains":{"spiffe://a.org":{"keys":[]}}}"#),
        "bundle.trust_domain"
    );
    assert_eq!(
        refused(r#"{"trust_domains":{"a.org":{"keys":[]},"a.org":{"keys":[]}}}"#),
        "bundle.json"
    );
    assert_eq!(refused(r#"{"trust_domains":{"a.org":{}}}"#), "bundle.member");
}

/// C-BND-8, scenario 93.
#[test]
fn versions_go_forward_only() {
    let version = |sequence: Option<u64>, seed: u64| {
        let mut bundle = TrustBundle::new(domain()).with_sequence(sequence);
        bundle.jwt_mut().insert("k", jwt_key(seed));
        bundle
    };
    let mut held = version(Some(5), 1);
    assert_eq!(held.update(version(Some(4), 2)), BundleUpdate::Stale);
    assert_eq!(held, version(Some(5), 1));
    assert_eq!(held.update(version(Some(5), 1)), BundleUpdate::Unchanged);
    assert_eq!(held.update(version(Some(5), 2)), BundleUpdate::SequenceNotBumped);
    assert_eq!(held, version(Some(5), 2));
    assert_eq!(held.update(version(None, 3)), BundleUpdate::Accepted);
    assert_eq!(held.update(version(Some(1), 4)), BundleUpdate::Accepted);
    assert_eq!(held, version(Some(1), 4));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// P7, P11: what is written is read again, and written again the same.
    #[test]
    fn documents_survive(
        keys in prop::collection::btree_map("\\PC{1,8}", 0u64..4, 0..5),
        with_root in any::<bool>(),
        sequence in any::<Option<u64>>(),
        hint in prop::option::of(0u64..100_000),
    ) {
        let mut bundle = TrustBundle::new(domain())
            .with_sequence(sequence)
            .with_refresh_hint(hint.map(Duration::from_secs));
        for (name, seed) in keys {
            bundle.jwt_mut().insert(name, jwt_key(seed));
        }
        if with_root {
            bundle.insert_x509(&root()).unwrap();
        }
        let text = bundle.to_spiffe_json();
        let document = read_mode(&text, DocumentMode::Strict).unwrap();
        prop_assert_eq!(&document.bundle, &bundle);
        prop_assert_eq!(document.bundle.to_spiffe_json(), text);
    }

    /// C-GEN-10.
    #[test]
    fn no_text_panics(text in "[\\[\\]{}\":,a-z0-9 -]{0,60}") {
        let _ = read_mode(&text, DocumentMode::Standard);
        let _ = bundle_map_from_json(text.as_bytes(), DocumentMode::Strict, &Limits::default());
    }
}

#[test]
fn all_kinds_of_keys_survive() {
    for algorithm in [
        KeyAlgorithm::EcdsaP256,
        KeyAlgorithm::EcdsaP384,
        KeyAlgorithm::Ed25519,
    ] {
        let key = KeyPair::generate_for(algorithm, &mut InsecureSeededEntropy::new(1)).unwrap();
        let mut bundle = TrustBundle::new(domain());
        bundle
            .jwt_mut()
            .insert("k", JsonWebKey::from_spki(key.spki_der()).unwrap());
        assert_eq!(
            read_mode(&bundle.to_spiffe_json(), DocumentMode::Strict)
                .unwrap()
                .bundle,
            bundle
        );
    }
}
