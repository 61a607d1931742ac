use super::*;
use crate::der::Writer;
use crate::{InsecureSeededEntropy, default_verifier, pem};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/data/keys/", $name, ".pem"))
    };
}

const KINDS: [KeyAlgorithm; 3] = [
    KeyAlgorithm::EcdsaP256,
    KeyAlgorithm::EcdsaP384,
    KeyAlgorithm::Ed25519,
];

fn generate(kind: KeyAlgorithm, seed: u64) -> KeyPair {
    KeyPair::generate_for(kind, &mut InsecureSeededEntropy::new(seed)).unwrap()
}

fn read(text: &[u8]) -> Result<KeyPair, &'static str> {
    KeyPair::from_pem(text).map_err(|error| error.code())
}

fn spki(text: &[u8]) -> Vec<u8> {
    pem::parse_one(text, pem::PemLabel::PublicKey).unwrap()
}

fn sign_and_verify(key: &KeyPair) {
    let signature = key.sign(b"message").unwrap();
    let check =
        |message: &[u8]| default_verifier().verify(key.algorithm(), &key.public_key(), message, &signature);
    assert!(check(b"message").is_ok(), "{key:?}");
    assert!(check(b"another").is_err(), "{key:?}");
}

/// C-KEY-5: the bytes determine the key.
#[test]
fn the_same_bytes_give_the_same_key() {
    for kind in KINDS {
        let (first, again, other) = (generate(kind, 1), generate(kind, 1), generate(kind, 2));
        assert_eq!(
            first.to_der(KeyFormat::Pkcs8).expose(),
            again.to_der(KeyFormat::Pkcs8).expose()
        );
        assert_ne!(first.public_key(), other.public_key());
        assert_eq!(first.key_algorithm(), kind);
        sign_and_verify(&first);
    }
}

/// A source that gives the same byte for ever.
struct Stuck(u8);

impl Entropy for Stuck {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        buffer.fill(self.0);
        Ok(())
    }
}

struct Broken;

impl Entropy for Broken {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError)
    }
}

/// C-KEY-5, C-GEN-3: scalars out of range are drawn again, not for ever, and failures are passed on.
#[test]
fn broken_randomness_makes_no_key() {
    for kind in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        for byte in [0, 0xff] {
            let error = KeyPair::generate_for(kind, &mut Stuck(byte)).unwrap_err();
            assert_eq!(error, KeyError::Entropy(EntropyError));
        }
    }
    for kind in KINDS {
        assert_eq!(
            KeyPair::generate_for(kind, &mut Broken).unwrap_err().code(),
            "private_key.entropy"
        );
    }
}

/// Scenario 11: each form of a key gives the same public key, which is the one that OpenSSL wrote.
#[test]
fn every_form_is_read() {
    let rsa = read(fixture!("rsa2048.pkcs1")).unwrap();
    assert_eq!(rsa.spki_der(), spki(fixture!("rsa2048.pub")));
    assert_eq!(rsa.key_algorithm(), KeyAlgorithm::Rsa(2048));
    assert_eq!(
        read(fixture!("rsa2048.pkcs8")).unwrap().spki_der(),
        rsa.spki_der()
    );
    sign_and_verify(&rsa);
    let sha512 = rsa
        .clone()
        .with_algorithm(SignatureAlgorithm::RsaPkcs1Sha512)
        .unwrap();
    assert_eq!(sha512.algorithm(), SignatureAlgorithm::RsaPkcs1Sha512);
    sign_and_verify(&sha512);
    let error = rsa.with_algorithm(SignatureAlgorithm::RsaPssSha256).unwrap_err();
    assert_eq!(error.code(), "private_key.algorithm_not_offered");

    // Scenario 14: this one has `EC PARAMETERS` in front.
    let p256 = read(fixture!("p256.sec1")).unwrap();
    assert_eq!(p256.spki_der(), spki(fixture!("p256.pub")));
    assert_eq!(read(fixture!("p256.pkcs8")).unwrap().spki_der(), p256.spki_der());
    sign_and_verify(&p256);

    let p384 = read(fixture!("p384.sec1")).unwrap();
    assert_eq!(p384.spki_der(), spki(fixture!("p384.pub")));
    sign_and_verify(&p384);

    let ed25519 = read(fixture!("ed25519.pkcs8")).unwrap();
    assert_eq!(ed25519.spki_der(), spki(fixture!("ed25519.pub")));
    sign_and_verify(&ed25519);
}

/// C-KEY-7: what is written is what OpenSSL writes, and is read back.
#[test]
fn written_keys_are_those_of_openssl() {
    for (text, format) in [
        (&fixture!("p256.pkcs8")[..], KeyFormat::Pkcs8),
        (fixture!("p384.sec1"), KeyFormat::Traditional),
        (fixture!("ed25519.pkcs8"), KeyFormat::Pkcs8),
        (fixture!("ed25519.pkcs8"), KeyFormat::Traditional),
        (fixture!("rsa2048.pkcs1"), KeyFormat::Traditional),
        (fixture!("rsa2048.pkcs8"), KeyFormat::Pkcs8),
    ] {
        let key = read(text).unwrap();
        assert_eq!(key.to_pem(format).expose(), text, "{key:?} {format:?}");
        assert_eq!(
            read(key.to_pem(format).expose()).unwrap().public_key(),
            key.public_key()
        );
    }
    let sec1 = generate(KeyAlgorithm::EcdsaP256, 3);
    let der = sec1.to_der(KeyFormat::Traditional);
    assert_eq!(
        KeyPair::from_sec1_der(der.expose()).unwrap().public_key(),
        sec1.public_key()
    );
}

/// Scenario 12.
#[test]
fn encrypted_keys_are_refused_as_such() {
    for text in [
        &fixture!("rsa2048.encrypted-pkcs8")[..],
        fixture!("rsa2048.encrypted-pkcs1"),
    ] {
        assert_eq!(read(text).unwrap_err(), "private_key.encrypted");
    }
}

/// C-KEY-1, C-KEY-6.
#[test]
fn other_keys_are_refused() {
    let (p256, p384) = (&fixture!("p256.pkcs8")[..], &fixture!("p384.sec1")[..]);
    assert_eq!(
        KeyPair::from_pem(fixture!("p521.sec1")).unwrap_err(),
        KeyError::UnsupportedAlgorithm {
            name: "ECDSA P-521".to_owned()
        }
    );
    assert_eq!(
        read(fixture!("rsa1024.pkcs1")).unwrap_err(),
        "private_key.public_key"
    );
    assert_eq!(read(&[p256, p384].concat()).unwrap_err(), "private_key.pem");
    assert_eq!(read(b"no key").unwrap_err(), "private_key.pem");
    assert_eq!(read(fixture!("p256.pub")).unwrap_err(), "private_key.pem");
    let key = generate(KeyAlgorithm::EcdsaP256, 1);
    let der = key.to_der(KeyFormat::Pkcs8);
    let with_rest = [der.expose(), &[0]].concat();
    assert_eq!(
        KeyPair::from_pkcs8_der(&with_rest).unwrap_err().code(),
        "private_key.der"
    );
}

/// Scenario 13, C-KEY-6: no byte of a key can change without the key being another one or refused, so the public key
/// inside is compared, and so are the curves inside and outside.
#[test]
fn the_parts_of_a_key_must_agree() {
    for kind in KINDS {
        let key = generate(kind, 1);
        for format in [KeyFormat::Pkcs8, KeyFormat::Traditional] {
            let der = key.to_der(format).expose().to_vec();
            for at in 0..der.len() {
                let mut changed = der.clone();
                changed[at] ^= 1;
                let read = KeyPair::from_pkcs8_der(&changed).or_else(|_| KeyPair::from_sec1_der(&changed));
                if let Ok(read) = read {
                    assert_eq!(
                        kind,
                        KeyAlgorithm::Ed25519,
                        "{format:?}: byte {at} is not looked at"
                    );
                    assert_ne!(read.public_key(), key.public_key());
                }
            }
        }
    }
    let mut inside = Writer::new();
    inside.raw(
        generate(KeyAlgorithm::EcdsaP256, 1)
            .to_der(KeyFormat::Traditional)
            .expose(),
    );
    let mut outside = Writer::new();
    outside.nested(0x30, |info| {
        info.unsigned(&[]);
        info.nested(0x30, |identifier| {
            identifier.oid(crate::oid::EC_PUBLIC_KEY);
            identifier.oid(crate::oid::P384);
        });
        info.value(0x04, &inside.into_bytes());
    });
    assert_eq!(
        KeyPair::from_pkcs8_der(&outside.into_bytes()).unwrap_err(),
        KeyError::CurveMismatch
    );
}

/// C-KEY-6: the two ways in which an Ed25519 public key is found in PKCS#8, version 2.
#[test]
fn version_two_of_pkcs8() {
    let key = generate(KeyAlgorithm::Ed25519, 1);
    let with_public = |tag: u8, public: &[u8], version: &[u8]| {
        let old = key.to_der(KeyFormat::Pkcs8);
        let mut writer = Writer::new();
        writer.nested(0x30, |info| {
            info.unsigned(version);
            info.raw(&old.expose()[5..]);
            info.value(tag, public);
        });
        KeyPair::from_pkcs8_der(&writer.into_bytes()).map_err(|error| error.code())
    };
    let implicit = [&[0], key.public_key().key_bytes()].concat();
    assert!(with_public(0x81, &implicit, &[1]).is_ok());
    let explicit = [&[3, 33, 0], key.public_key().key_bytes()].concat();
    assert!(with_public(0xa1, &explicit, &[1]).is_ok());
    // Version 1 has no public key, and version 3 does not exist.
    assert_eq!(with_public(0x81, &implicit, &[]).unwrap_err(), "private_key.der");
    assert_eq!(with_public(0x81, &implicit, &[2]).unwrap_err(), "private_key.der");
    let mut wrong = implicit;
    wrong[5] ^= 1;
    assert_eq!(
        with_public(0x81, &wrong, &[1]).unwrap_err(),
        "private_key.public_key_mismatch"
    );
}

/// RSA: parts that contradict each other make no key.
#[test]
fn rsa_parts_must_agree() {
    let der = read(fixture!("rsa2048.pkcs1"))
        .unwrap()
        .to_der(KeyFormat::Traditional)
        .expose()
        .to_vec();
    // Within the modulus, the private exponent, both primes and the coefficient.
    for at in [20, 300, 570, 700, 1_150] {
        let mut changed = der.clone();
        changed[at] ^= 4;
        let error = KeyPair::from_pkcs1_der(&changed).map(|key| key.public_key().der().to_vec());
        // The private exponent itself is not used by any provider: signatures come from the primes.
        assert!(error.is_err() || at == 300, "byte {at}");
    }
}

/// C-GEN-7: nothing secret is printed, by keys and by what holds one.
#[test]
fn nothing_secret_is_printed() {
    let key = generate(KeyAlgorithm::EcdsaP256, 1);
    assert_eq!(format!("{key:?}"), "KeyPair(ECDSA P-256)");
    assert_eq!(format!("{:?}", key.to_der(KeyFormat::Pkcs8)), "SecretBytes(..)");
    let signer: Arc<dyn Signer> = Arc::new(key.clone());
    assert_eq!(format!("{signer:?}"), "KeyPair(ECDSA P-256)");
    #[cfg(feature = "x509")]
    {
        let now = crate::UnixTime::from_secs(1_800_000_000);
        let ca = crate::CaProfile::root("td".parse().unwrap())
            .self_sign(signer, now, &mut InsecureSeededEntropy::new(2))
            .unwrap();
        assert!(format!("{ca:?}").contains("key: Local(ECDSA"), "{ca:?}");
    }
    #[cfg(feature = "jwt")]
    {
        let minter = crate::jwt::JwtMinter::new(key).unwrap();
        assert!(format!("{minter:?}").contains("signer: KeyPair(ECDSA P-256)"));
    }
}

/// C-GEN-7, C-KEY-6: errors say what is wrong with a key and show nothing of it, whatever byte was damaged.
#[test]
fn errors_show_nothing_of_a_key() {
    for text in [
        &fixture!("p256.sec1")[..],
        fixture!("p384.sec1"),
        fixture!("ed25519.pkcs8"),
        fixture!("rsa1024.pkcs1"),
        fixture!("p521.sec1"),
    ] {
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        for at in 0..text.len() {
            let mut damaged = text.to_vec();
            damaged[at] ^= 1;
            let Err(error) = KeyPair::from_pem(&damaged) else {
                continue;
            };
            let shown = format!("{error} {error:?} {}", error.code());
            assert!(shown.len() < 300 && !shown.contains('\n'), "{shown}");
            let repeats = |line: &&[u8]| {
                let is_secret = line.len() >= 20 && !line.starts_with(b"-----");
                is_secret && shown.as_bytes().windows(20).any(|part| line.starts_with(part))
            };
            assert!(!lines.iter().any(repeats), "{shown}");
        }
    }
}

/// C-KEY-8.
#[test]
fn matching_public_keys() {
    for kind in KINDS {
        let (key, other) = (generate(kind, 1), generate(kind, 2));
        assert!(key.matches(&key.public_key()));
        assert!(!key.matches(&other.public_key()));
    }
}

/// Providers make signatures that the other ones accept, and `soft` makes the same one each time.
#[cfg(all(feature = "ring", feature = "soft"))]
#[test]
fn providers_agree() {
    use crate::{RingVerifier, SignatureVerifier as _, SoftVerifier};

    for kind in KINDS {
        let ring = generate(kind, 1);
        assert_eq!(ring.provider(), KeyProvider::Ring);
        let soft = ring.clone().with_provider(KeyProvider::Soft).unwrap();
        let signature = soft.sign(b"m").unwrap();
        assert_eq!(signature, soft.sign(b"m").unwrap());
        RingVerifier
            .verify(ring.algorithm(), &soft.public_key(), b"m", &signature)
            .unwrap();
        SoftVerifier
            .verify(
                soft.algorithm(),
                &soft.public_key(),
                b"m",
                &ring.sign(b"m").unwrap(),
            )
            .unwrap();
    }
    let rsa = read(fixture!("rsa2048.pkcs1")).unwrap();
    assert_eq!(
        rsa.with_provider(KeyProvider::Soft).unwrap_err(),
        KeyError::NotOffered(KeyAlgorithm::Rsa(2048))
    );
}

/// RFC 6979 appendix A.2.5: the nonce comes from key and message.
#[cfg(feature = "soft")]
#[test]
fn soft_signatures_are_those_of_rfc_6979() {
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap())
            .collect()
    };
    let scalar = hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721");
    let point = curve::ec_public(KeyAlgorithm::EcdsaP256, &scalar).unwrap();
    let secret = Secret::Ec {
        algorithm: KeyAlgorithm::EcdsaP256,
        scalar: Zeroizing::new(scalar),
        point,
    };
    let key = KeyPair::prepare(secret, KeyProvider::Soft).unwrap();
    let mut expected = Writer::new();
    expected.nested(0x30, |signature| {
        signature.unsigned(&hex(
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
        ));
        signature.unsigned(&hex(
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        ));
    });
    assert_eq!(key.sign(b"sample").unwrap(), expected.into_bytes());
}

/// RSA keys come from AWS-LC alone.
#[cfg(feature = "aws-lc")]
#[test]
fn aws_lc_makes_and_uses_keys() {
    for kind in KINDS {
        let key = generate(kind, 1).with_provider(KeyProvider::AwsLc).unwrap();
        sign_and_verify(&key);
    }
    let key = generate(KeyAlgorithm::Rsa(2048), 1)
        .with_provider(KeyProvider::AwsLc)
        .unwrap();
    sign_and_verify(&key);
    let error =
        KeyPair::generate_for(KeyAlgorithm::Rsa(2056), &mut InsecureSeededEntropy::new(1)).unwrap_err();
    assert_eq!(error, KeyError::NotOffered(KeyAlgorithm::Rsa(2056)));
}
