use proptest::prelude::*;

use super::*;
use crate::der::{SEQUENCE, SET, Writer, context, context_constructed};
use crate::signature::write_identifier;
use crate::{
    InsecureSeededEntropy, KeyAlgorithm, KeyPair, Limits, SignatureAlgorithm, Signer, SpiffeId, oid, pem,
};

const KINDS: [KeyAlgorithm; 3] = [
    KeyAlgorithm::EcdsaP256,
    KeyAlgorithm::EcdsaP384,
    KeyAlgorithm::Ed25519,
];

fn key_of(kind: KeyAlgorithm) -> KeyPair {
    KeyPair::generate_for(kind, &mut InsecureSeededEntropy::new(5)).unwrap()
}

fn id() -> SpiffeId {
    "spiffe://td/ns/a/sa/b".parse().unwrap()
}

/// A request that can be wrong in any part, and is signed all the same.
struct Forged {
    version: u8,
    subject: Vec<u8>,
    spki: Option<Vec<u8>>,
    /// The content of the field of attributes; nothing leaves the field out.
    attributes: Option<Vec<u8>>,
    kind: KeyAlgorithm,
}

impl Forged {
    fn new() -> Self {
        Self {
            version: 0,
            subject: vec![0x30, 0],
            spki: None,
            attributes: Some(request(&[san(&[uri("spiffe://td/ns/a/sa/b")])])),
            kind: KeyAlgorithm::EcdsaP256,
        }
    }

    /// With these extensions instead of the one name.
    fn with(extensions: &[Vec<u8>]) -> Self {
        Self {
            attributes: Some(request(extensions)),
            ..Self::new()
        }
    }

    fn der(&self) -> Vec<u8> {
        let key = key_of(self.kind);
        self.signed(key.algorithm(), |info| key.sign(info).unwrap())
    }

    fn signed(&self, algorithm: SignatureAlgorithm, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let mut writer = Writer::new();
        write_identifier(&mut writer, algorithm);
        self.signed_as(&writer.into_bytes(), sign)
    }

    fn signed_as(&self, identifier: &[u8], sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.nested(SEQUENCE, |info| {
            info.unsigned(&[self.version]);
            info.raw(&self.subject);
            let key = key_of(self.kind);
            info.raw(self.spki.as_deref().unwrap_or(key.spki_der()));
            if let Some(attributes) = &self.attributes {
                info.value(context_constructed(0), attributes);
            }
        });
        let info = writer.into_bytes();
        let mut outer = Writer::new();
        outer.nested(SEQUENCE, |outer| {
            outer.raw(&info);
            outer.raw(identifier);
            outer.whole_bits(&sign(&info));
        });
        outer.into_bytes()
    }

    fn code(&self) -> &'static str {
        self.code_with(&CsrPolicy::istio())
    }

    fn code_with(&self, policy: &CsrPolicy) -> &'static str {
        policy
            .check(&self.der())
            .map_or_else(|error| error.code(), |_| "ok")
    }
}

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.value(tag, content);
    writer.into_bytes()
}

fn uri(text: &str) -> Vec<u8> {
    wrap(context(6), text.as_bytes())
}

fn extension(oid: &[u8], value: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.nested(SEQUENCE, |extension| {
        extension.oid(oid);
        extension.value(0x04, value);
    });
    writer.into_bytes()
}

fn san(names: &[Vec<u8>]) -> Vec<u8> {
    extension(oid::SUBJECT_ALT_NAME, &wrap(SEQUENCE, &names.concat()))
}

fn attribute(oid: &[u8], values: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.nested(SEQUENCE, |attribute| {
        attribute.oid(oid);
        attribute.value(SET, &values.concat());
    });
    writer.into_bytes()
}

fn request(extensions: &[Vec<u8>]) -> Vec<u8> {
    attribute(oid::EXTENSION_REQUEST, &[wrap(SEQUENCE, &extensions.concat())])
}

/// C-CSR-1: what is built is what is accepted, in each profile and with each kind of key; the kind comes from the key.
#[test]
fn built_requests_are_valid() {
    for kind in KINDS {
        for profile in [CsrProfile::Spiffe, CsrProfile::IstioAgent] {
            let csr = CsrBuilder::new(&id())
                .with_profile(profile)
                .build(&key_of(kind))
                .unwrap();
            let valid = CsrPolicy::istio().check(csr.der()).unwrap();
            assert_eq!(valid.uri(), Some(&id()));
            assert_eq!(valid.key_algorithm(), kind);
            assert_eq!(valid.spki_der(), key_of(kind).spki_der());
            assert!(valid.subject.is_istio && !valid.subject.has_common_name);
            assert!(csr.warnings().is_empty());
            assert_eq!(
                CsrPolicy::istio()
                    .check(csr.to_pem().as_bytes())
                    .unwrap()
                    .digest(),
                valid.digest()
            );
        }
    }
    assert_eq!(Forged::new().code(), "ok");
}

/// C-CSR-1, C-SIGN-11.
#[test]
fn the_builder_says_what_may_be_unwelcome() {
    let key = key_of(KeyAlgorithm::EcdsaP256);
    let csr = CsrBuilder::new(&id())
        .with_dns_name("B.a.svc")
        .with_dns_name("b.a.svc")
        .with_ip_address("::ffff:10.0.0.1".parse().unwrap())
        .with_common_name(true)
        .build(&key)
        .unwrap();
    assert_eq!(csr.warnings(), [CsrWarning::IstioRefusesNames]);
    let policy = CsrPolicy::istio().with_dns_names(true).with_ip_addresses(true);
    let valid = policy.check(csr.der()).unwrap();
    assert_eq!(valid.dns_names(), ["b.a.svc"]);
    assert_eq!(
        valid.ip_addresses(),
        ["10.0.0.1".parse::<std::net::IpAddr>().unwrap()]
    );
    assert!(valid.subject.has_common_name && !valid.subject.is_istio);

    let long: SpiffeId = format!("spiffe://td/{}", "a".repeat(60)).parse().unwrap();
    let csr = CsrBuilder::new(&long).with_common_name(true).build(&key).unwrap();
    assert_eq!(csr.warnings(), [CsrWarning::CommonNameTooLong]);
    let error = CsrBuilder::new(&id())
        .with_dns_name("a_b")
        .build(&key)
        .unwrap_err();
    assert_eq!(error, CsrBuildError::DnsName("a_b".to_owned()));
    let error = CsrBuilder::new(&"spiffe://td".parse().unwrap())
        .build(&key)
        .unwrap_err();
    assert_eq!(error, CsrBuildError::IdKind);
}

/// C-CSR-3, scenario 28.
#[test]
fn large_requests_are_refused_unread() {
    let check = |bytes: &[u8]| CsrPolicy::istio().check(bytes).unwrap_err().code();
    assert_eq!(check(&vec![0x30; 17 << 10]), "csr.too_large");
    assert_eq!(check(&vec![0x30; 10 << 20]), "csr.too_large");
    assert_eq!(check(&vec![b'-'; 10 << 20]), "csr.too_large");
    let der = Forged::new().der();
    let limits = Limits {
        csr: der.len() - 1,
        ..Limits::default()
    };
    let policy = CsrPolicy::istio().with_limits(limits);
    assert_eq!(policy.check(&der).unwrap_err(), CsrError::TooLarge);
    let text = pem::encode(pem::PemLabel::CertificateRequest, &der);
    assert_eq!(policy.check(text.as_bytes()).unwrap_err(), CsrError::TooLarge);
    assert_eq!(check(format!("{text}{text}").as_bytes()), "csr.pem");
    assert_eq!(check(b""), "csr.pem");
}

/// C-CSR-4, scenario 25: bytes after the request, and after what is inside.
#[test]
fn trailing_bytes_are_refused() {
    let mut der = Forged::new().der();
    der.extend([0; 5]);
    assert_eq!(CsrPolicy::istio().check(&der).unwrap_err().code(), "csr.der");
    let trailing_in_name = extension(
        oid::SUBJECT_ALT_NAME,
        &[wrap(SEQUENCE, &uri("spiffe://td/a")), vec![0]].concat(),
    );
    assert_eq!(Forged::with(&[trailing_in_name]).code(), "csr.extension");
}

/// C-CSR-5.
#[test]
fn other_versions_are_refused() {
    let forged = Forged {
        version: 1,
        ..Forged::new()
    };
    assert_eq!(forged.code(), "csr.version");
}

/// C-CSR-6, scenarios 22 and 32: weak and unsupported keys, by name.
#[test]
fn keys_must_be_strong_and_known() {
    let spki = |algorithm: &[u8], parameters: &[u8], key: &[u8]| {
        let mut writer = Writer::new();
        writer.nested(SEQUENCE, |info| {
            info.nested(SEQUENCE, |identifier| {
                identifier.oid(algorithm);
                identifier.raw(parameters);
            });
            info.whole_bits(key);
        });
        Some(writer.into_bytes())
    };
    let mut rsa = Writer::new();
    rsa.nested(SEQUENCE, |key| {
        key.unsigned(&[0xff; 128]);
        key.unsigned(&[1, 0, 1]);
    });
    let with = |spki| {
        let forged = Forged {
            spki,
            ..Forged::new()
        };
        CsrPolicy::istio().check(&forged.der()).unwrap_err().to_string()
    };
    let text = with(spki(oid::RSA_ENCRYPTION, &[5, 0], &rsa.into_bytes()));
    assert!(text.contains("RSA key of 1024 bits"), "{text}");
    let p521 = wrap(6, &[0x2b, 0x81, 0x04, 0, 35]);
    let text = with(spki(oid::EC_PUBLIC_KEY, &p521, &[4; 133]));
    assert!(text.contains("`ECDSA P-521`"), "{text}");
    let ml_dsa = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18];
    let text = with(spki(&ml_dsa, &[], &[0; 1952]));
    assert!(text.contains("`ML-DSA-65`"), "{text}");
    // A point that is not on the curve.
    let p256 = wrap(6, oid::P256);
    assert!(with(spki(oid::EC_PUBLIC_KEY, &p256, &[4; 65])).contains("signature"));
}

/// C-CSR-7, C-CSR-8, scenarios 23 and 27.
#[test]
fn signatures_must_be_right() {
    let key = key_of(KeyAlgorithm::EcdsaP256);
    // An algorithm of another kind of key.
    let forged = Forged::new().signed(SignatureAlgorithm::Ed25519, |info| key.sign(info).unwrap());
    let error = CsrPolicy::istio().check(&forged).unwrap_err();
    assert_eq!(error, CsrError::Signature(crate::SignatureError::KeyMismatch));
    // ecdsa-with-SHA1
    let sha1 = wrap(SEQUENCE, &wrap(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1]));
    let sha1 = Forged::new().signed_as(&sha1, |info| key.sign(info).unwrap());
    let error = CsrPolicy::istio().check(&sha1).unwrap_err();
    assert!(error.to_string().contains("ECDSA with SHA-1"), "{error}");
    // A name that was changed after signing.
    let mut tampered = Forged::new().der();
    let at = tampered.windows(4).position(|window| window == b"sa/b").unwrap();
    tampered[at + 3] = b'c';
    assert_eq!(
        CsrPolicy::istio().check(&tampered).unwrap_err(),
        CsrError::Signature(crate::SignatureError::Invalid)
    );
}

/// C-CSR-8: a wrong signature is found before anything that the request asks for.
#[test]
fn the_signature_comes_before_what_is_asked_for() {
    let key = key_of(KeyAlgorithm::EcdsaP256);
    let without_attributes = Forged {
        attributes: None,
        ..Forged::new()
    };
    for faulty in [
        without_attributes,
        Forged::with(&[]),
        Forged::with(&[san(&[uri("spiffe://td")])]),
        Forged::with(&[san(&[uri("spiffe://td/a"), uri("spiffe://td/b")])]),
    ] {
        assert_ne!(faulty.code(), "ok");
        let forged = faulty.signed(SignatureAlgorithm::EcdsaSha256, |_| key.sign(b"another").unwrap());
        assert_eq!(
            CsrPolicy::istio().check(&forged).unwrap_err(),
            CsrError::Signature(crate::SignatureError::Invalid)
        );
    }
}

/// Scenario 24: a P-384 key may sign with SHA-256, and stays a P-384 key.
#[cfg(feature = "soft")]
#[test]
fn the_kind_of_key_is_not_taken_from_the_signature() {
    use p384::ecdsa::signature::hazmat::PrehashSigner as _;
    use sha2::{Digest, Sha256};

    let forged = Forged {
        kind: KeyAlgorithm::EcdsaP384,
        ..Forged::new()
    };
    let key = key_of(KeyAlgorithm::EcdsaP384);
    let sec1 = key.to_der(crate::KeyFormat::Traditional);
    // ECPrivateKey: SEQUENCE, version, OCTET STRING of 48 bytes.
    let scalar = &sec1.expose()[8..56];
    let signing = p384::ecdsa::SigningKey::from_slice(scalar).unwrap();
    let der = forged.signed(SignatureAlgorithm::EcdsaSha256, |info| {
        let signature: p384::ecdsa::Signature = signing.sign_prehash(&Sha256::digest(info)).unwrap();
        signature.to_der().as_bytes().to_vec()
    });
    let valid = CsrPolicy::istio().check(&der).unwrap();
    assert_eq!(valid.key_algorithm(), KeyAlgorithm::EcdsaP384);
}

/// C-CSR-9, scenarios 26 and 30.
#[test]
fn attributes_are_counted() {
    let with = |attributes: Option<Vec<u8>>| Forged {
        attributes,
        ..Forged::new()
    };
    assert_eq!(with(None).code(), "csr.attributes_missing");
    assert_eq!(with(Some(Vec::new())).code(), "csr.no_uri_san");
    let (first, second) = (
        request(&[san(&[uri("spiffe://td/a")])]),
        request(&[san(&[uri("spiffe://td/b")])]),
    );
    assert_eq!(
        with(Some([first.clone(), second].concat())).code(),
        "csr.duplicate_attribute"
    );
    let challenge = attribute(
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 7],
        &[wrap(0x13, b"password")],
    );
    // SET OF: the shorter one comes first.
    let both = with(Some([challenge.clone(), first.clone()].concat()));
    assert_eq!(both.code(), "csr.attribute_not_allowed");
    let ignoring = CsrPolicy::istio().with_ignored_attributes(["1.2.840.113549.1.9.7"]);
    assert_eq!(both.code_with(&ignoring), "ok");
    let disordered = with(Some([first.clone(), challenge.clone()].concat()));
    assert_eq!(disordered.code_with(&ignoring), "csr.der");
    let twice = with(Some([challenge.clone(), challenge, first].concat()));
    assert_eq!(twice.code_with(&ignoring), "csr.duplicate_attribute");
    let microsoft = attribute(
        &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 14],
        &[wrap(SEQUENCE, &san(&[uri("spiffe://td/a")]))],
    );
    assert_eq!(with(Some(microsoft)).code(), "csr.attribute_not_allowed");
    let value = wrap(SEQUENCE, &san(&[uri("spiffe://td/a")]));
    for values in [vec![], vec![value.clone(), value]] {
        let attributes = attribute(oid::EXTENSION_REQUEST, &values);
        assert_eq!(with(Some(attributes)).code(), "csr.extension_request_values");
    }
}

/// C-CSR-10, C-CSR-11, scenarios 21 and 29.
#[test]
fn only_names_may_be_requested() {
    let name = || san(&[uri("spiffe://td/a")]);
    let with = |oid: &[u8], value: &[u8]| Forged::with(&[name(), extension(oid, value)]);
    let ca = with(oid::BASIC_CONSTRAINTS, &[0x30, 3, 1, 1, 0xff]);
    let cert_sign = with(oid::KEY_USAGE, &[3, 2, 2, 0x84]);
    let crl_sign = with(oid::KEY_USAGE, &[3, 2, 1, 2]);
    let constraints = with(oid::NAME_CONSTRAINTS, &[0x30, 0]);
    let policies = with(oid::POLICY_CONSTRAINTS, &[0x30, 0]);
    let benign = CsrPolicy::istio().with_benign_extensions(true);
    for authority in [ca, cert_sign, crl_sign, constraints, policies] {
        assert_eq!(authority.code(), "csr.ca_requested");
        assert_eq!(authority.code_with(&benign), "csr.ca_requested");
    }
    let server_auth = wrap(SEQUENCE, &wrap(6, oid::SERVER_AUTH));
    for harmless in [
        with(oid::BASIC_CONSTRAINTS, &[0x30, 0]),
        with(oid::KEY_USAGE, &[3, 2, 5, 0xa0]),
        with(oid::EXTENDED_KEY_USAGE, &server_auth),
    ] {
        assert_eq!(harmless.code(), "csr.extension_not_allowed");
        assert_eq!(harmless.code_with(&benign), "ok");
    }
    let any_purpose = wrap(SEQUENCE, &wrap(6, oid::ANY_EXTENDED_KEY_USAGE));
    for harmful in [
        with(oid::KEY_USAGE, &[3, 2, 6, 0x40]),
        with(oid::EXTENDED_KEY_USAGE, &any_purpose),
        with(oid::BASIC_CONSTRAINTS, &[0x30, 3, 2, 1, 0]),
        with(oid::CERTIFICATE_POLICIES, &[0x30, 0]),
        with(&[0x2a, 3], &[5, 0]),
    ] {
        assert_eq!(harmful.code_with(&benign), "csr.extension_not_allowed");
    }
    // cA written out as FALSE is no DER.
    let written = with(oid::BASIC_CONSTRAINTS, &[0x30, 3, 1, 1, 0]);
    assert_eq!(written.code_with(&benign), "csr.extension");
    assert_eq!(Forged::with(&[name(), name()]).code(), "csr.extension");
}

/// C-CSR-12, C-CSR-13, scenarios 19, 20 and 31.
#[test]
fn exactly_one_spiffe_id() {
    let with = |names: &[Vec<u8>]| Forged::with(&[san(names)]);
    let good = || uri("spiffe://td/a");
    let dns = |text: &str| wrap(context(2), text.as_bytes());
    let ip = |bytes: &[u8]| wrap(context(7), bytes);
    assert_eq!(
        with(&[good(), uri("spiffe://td/b")]).code(),
        "csr.multiple_uri_sans"
    );
    assert_eq!(with(&[good(), good()]).code(), "csr.multiple_uri_sans");
    assert_eq!(
        with(&[good(), uri("https://td/b")]).code(),
        "csr.multiple_uri_sans"
    );
    assert_eq!(with(&[]).code(), "csr.extension");
    for wrong in [
        "",
        "spiffe://TD/a",
        "spiffe://td/a\0b",
        "spiffe://td/ä",
        "spiffe://td/a/",
        "http://td/a",
    ] {
        assert_eq!(with(&[uri(wrong)]).code(), "csr.id", "{wrong:?}");
    }
    assert_eq!(with(&[uri("spiffe://td")]).code(), "csr.id_kind");

    // A DNS name that looks like an id is a DNS name.
    assert_eq!(with(&[dns("spiffe://td/a")]).code(), "csr.san_not_allowed");
    assert_eq!(with(&[good(), ip(&[10, 0, 0, 1])]).code(), "csr.san_not_allowed");
    assert_eq!(with(&[good(), dns("a.b")]).code(), "csr.san_not_allowed");
    let open = CsrPolicy::istio().with_dns_names(true).with_ip_addresses(true);
    assert_eq!(
        with(&[good(), dns("a.b"), ip(&[10, 0, 0, 1])]).code_with(&open),
        "ok"
    );
    assert_eq!(with(&[good(), ip(&[10, 0, 0])]).code_with(&open), "csr.extension");
    for wrong in ["a_b", "", "a.", "spiffe://td/a", "a\0b"] {
        assert_eq!(
            with(&[good(), dns(wrong)]).code_with(&open),
            "csr.san_not_allowed",
            "{wrong:?}"
        );
    }
    assert_eq!(with(&[dns("a.b")]).code_with(&open), "csr.no_uri_san");
    for (tag, content) in [
        (context(1), &b"a@b"[..]),
        (context_constructed(4), &[0x30, 0]),
        (context_constructed(0), &[6, 1, 0x2a, 0xa0, 2, 5, 0]),
        (context(8), &[0x2a]),
        (context_constructed(3), &[]),
        (context_constructed(5), &[]),
    ] {
        let code = with(&[good(), wrap(tag, content)]).code_with(&open);
        assert_eq!(code, "csr.san_not_allowed", "{tag:x}");
    }
    let optional = CsrPolicy::istio().with_san_mode(SanMode::OptionalFromCaller);
    let without = Forged {
        attributes: Some(Vec::new()),
        ..Forged::new()
    };
    assert_eq!(without.code_with(&optional), "ok");
    assert_eq!(
        with(&[good(), good()]).code_with(&optional),
        "csr.multiple_uri_sans"
    );
    let many: Vec<_> = (0..65).map(|number| dns(&format!("a{number}"))).collect();
    assert_eq!(with(&many).code_with(&open), "csr.too_many_names");
}

/// C-CSR-14.
#[test]
fn the_subject_is_well_formed_and_small() {
    let with = |subject: Vec<u8>| Forged {
        subject,
        ..Forged::new()
    };
    let large = crate::distinguished_name::encode(&[(oid::ORGANIZATION, &"a".repeat(4 << 10))]);
    assert_eq!(with(large).code(), "csr.subject");
    assert_eq!(with(vec![0x30, 2, 5, 0]).code(), "csr.subject");
    let common_name = crate::distinguished_name::encode(&[(oid::COMMON_NAME, "a")]);
    assert_eq!(with(common_name).code(), "ok");
}

/// C-CSR-17.
#[test]
fn keys_that_may_not_be_certified() {
    #[derive(Debug)]
    struct Always(KeyStatus);

    impl KeySet for Always {
        fn status(&self, spki_digest: &[u8; 32]) -> KeyStatus {
            assert_eq!(
                *spki_digest,
                key_of(KeyAlgorithm::EcdsaP256).public_key().digest()
            );
            self.0.clone()
        }
    }

    let check = |status| {
        CsrPolicy::istio().check_with(&Forged::new().der(), crate::default_verifier(), &Always(status))
    };
    assert_eq!(check(KeyStatus::Denied).unwrap_err(), CsrError::KeyDenied);
    assert_eq!(check(KeyStatus::Issuer).unwrap_err(), CsrError::KeyIsIssuer);
    assert!(check(KeyStatus::Unknown).is_ok());
    assert_eq!(check(KeyStatus::BoundTo(id())).unwrap().bound_to, Some(id()));
}

/// C-CSR-11, C-CA-8: the way in for intermediates.
#[test]
fn requests_of_authorities() {
    let policy = CsrPolicy::istio();
    let check = |forged: &Forged| {
        policy
            .check_ca(&forged.der())
            .map_or_else(|error| error.code(), |_| "ok")
    };
    let domain = || san(&[uri("spiffe://td")]);
    let ca = || extension(oid::BASIC_CONSTRAINTS, &[0x30, 6, 1, 1, 0xff, 2, 1, 3]);
    let forged = Forged::with(&[domain(), ca()]);
    let valid = policy.check_ca(&forged.der()).unwrap();
    assert_eq!(valid.path_len(), Some(3));
    assert_eq!(valid.trust_domain().unwrap().as_str(), "td");
    assert_eq!(check(&Forged::with(&[ca()])), "ok");
    assert_eq!(check(&Forged::new()), "csr.extension_not_allowed");
    assert_eq!(
        check(&Forged::with(&[san(&[uri("spiffe://td/a")]), ca()])),
        "csr.id_kind"
    );
    let encipherment = extension(oid::KEY_USAGE, &[3, 2, 5, 0x20]);
    assert_eq!(
        check(&Forged::with(&[ca(), encipherment])),
        "csr.extension_not_allowed"
    );
    let purpose = extension(
        oid::EXTENDED_KEY_USAGE,
        &wrap(SEQUENCE, &wrap(6, oid::SERVER_AUTH)),
    );
    assert_eq!(
        check(&Forged::with(&[ca(), purpose])),
        "csr.extension_not_allowed"
    );
    // An authority has no name of a host, whatever the policy allows to workloads.
    let host = san(&[uri("spiffe://td"), wrap(context(2), b"a.example.org")]);
    let open = CsrPolicy::istio().with_dns_names(true);
    let refused = open.check_ca(&Forged::with(&[host, ca()]).der()).unwrap_err();
    assert_eq!(refused.code(), "csr.san_not_allowed");
}

/// C-CSR-4, C-CSR-9: what is requested is a sequence, and not an empty one.
#[test]
fn requests_of_extensions_have_their_form() {
    let code = |value: Vec<u8>| {
        let forged = Forged {
            attributes: Some(attribute(oid::EXTENSION_REQUEST, &[value])),
            ..Forged::new()
        };
        let optional = CsrPolicy::istio().with_san_mode(SanMode::OptionalFromCaller);
        forged.code_with(&optional)
    };
    let names = san(&[uri("spiffe://td/ns/a/sa/b")]);
    assert_eq!(code(wrap(SEQUENCE, &names)), "ok");
    assert_eq!(code(wrap(SET, &names)), "csr.der");
    assert_eq!(code(wrap(SEQUENCE, &[])), "csr.der");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// P2: no flipped bit gives a request with another meaning.
    #[test]
    fn flipped_bits_change_no_meaning(kind in 0_usize..3, istio in any::<bool>(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let profile = if istio { CsrProfile::IstioAgent } else { CsrProfile::Spiffe };
        let key = key_of(KINDS[kind]);
        let der = CsrBuilder::new(&id()).with_profile(profile).build(&key).unwrap().der().to_vec();
        let mut flipped = der.clone();
        flipped[at.index(der.len())] ^= 1 << bit;
        if let Ok(valid) = CsrPolicy::istio().check(&flipped) {
            prop_assert_eq!(valid.uri(), Some(&id()));
            prop_assert_eq!(valid.spki_der(), key.spki_der());
        }
    }

    /// C-GEN-10.
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = CsrPolicy::istio().check(&bytes);
        let _ = CsrPolicy::istio().check_ca(&bytes);
    }
}
