use super::*;
use crate::{KeyAlgorithm, der};

const ALL: [SignatureAlgorithm; 9] = [
    SignatureAlgorithm::EcdsaSha256,
    SignatureAlgorithm::EcdsaSha384,
    SignatureAlgorithm::Ed25519,
    SignatureAlgorithm::RsaPkcs1Sha256,
    SignatureAlgorithm::RsaPkcs1Sha384,
    SignatureAlgorithm::RsaPkcs1Sha512,
    SignatureAlgorithm::RsaPssSha256,
    SignatureAlgorithm::RsaPssSha384,
    SignatureAlgorithm::RsaPssSha512,
];

fn identifier(algorithm: SignatureAlgorithm) -> Vec<u8> {
    let mut writer = Writer::new();
    write_identifier(&mut writer, algorithm);
    writer.into_bytes()
}

fn parse(der: &[u8]) -> Result<SignatureAlgorithm, SignatureError> {
    parse_identifier(&der::single(der, SEQUENCE)?)
}

/// C-KEY-2: each algorithm is read as it is written, and any other byte in its place is no other algorithm by accident.
#[test]
fn identifiers_are_exact() {
    for algorithm in ALL {
        let der = identifier(algorithm);
        assert_eq!(parse(&der), Ok(algorithm));
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 0x40;
            assert!(parse(&changed).is_err(), "{algorithm} with byte {at} changed");
        }
    }
}

/// C-KEY-2: parameters are absent for ECDSA and Ed25519 and NULL for RSA PKCS#1.
#[test]
fn parameters_are_exact() {
    let build = |algorithm: &[u8], parameters: &[u8]| {
        let mut writer = Writer::new();
        writer.nested(SEQUENCE, |identifier| {
            identifier.oid(algorithm);
            identifier.raw(parameters);
        });
        writer.into_bytes()
    };
    for (algorithm, parameters) in [
        (oid::ECDSA_SHA256, &[5, 0][..]),
        (oid::ED25519, &[5, 0]),
        (oid::RSA_SHA256, &[]),
        (oid::RSA_SHA256, &[5, 0, 5, 0]),
        (oid::RSA_SHA256, &[0x30, 0]),
        (oid::RSA_PSS, &[]),
        (oid::RSA_PSS, &[0x30, 0]),
    ] {
        assert_eq!(
            parse(&build(algorithm, parameters)),
            Err(SignatureError::Parameters)
        );
    }
}

/// C-KEY-2: SHA-1 and MD5 are named in the refusal.
#[test]
fn weak_hashes_are_refused() {
    let mut rsa = identifier(SignatureAlgorithm::RsaPkcs1Sha256);
    for (last, name) in [(5, "RSA with SHA-1"), (4, "RSA with MD5")] {
        rsa[12] = last;
        let expected = SignatureError::UnsupportedAlgorithm {
            name: name.to_owned(),
        };
        assert_eq!(parse(&rsa), Err(expected));
    }
}

/// C-KEY-3: the kind of key is compared before any provider is asked.
#[test]
fn algorithm_and_key_must_agree() {
    let spki = PublicKeyInfo::encode(KeyAlgorithm::EcdsaP256, &[4; 65]);
    let key = PublicKeyInfo::parse(&spki).unwrap();
    for algorithm in ALL {
        let result = verify_signature(default_verifier(), algorithm, &key, b"m", b"s");
        match algorithm {
            SignatureAlgorithm::EcdsaSha256 | SignatureAlgorithm::EcdsaSha384 => {
                assert_eq!(result, Err(SignatureError::Invalid));
            }
            _ => assert_eq!(result, Err(SignatureError::KeyMismatch)),
        }
    }
}

/// Ed25519, RFC 8032 §7.1, test 2: both providers accept it, and nothing near it.
#[cfg(all(feature = "ring", feature = "soft"))]
#[test]
fn providers_agree_on_ed25519() {
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap())
            .collect()
    };
    let key = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    let signature = hex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
    let spki = PublicKeyInfo::encode(KeyAlgorithm::Ed25519, &key);
    let key = PublicKeyInfo::parse(&spki).unwrap();
    let providers: [&dyn SignatureVerifier; 2] = [&RingVerifier, &SoftVerifier];
    for provider in providers {
        let check = |message: &[u8], signature: &[u8]| {
            provider.verify(SignatureAlgorithm::Ed25519, &key, message, signature)
        };
        assert_eq!(check(&[0x72], &signature), Ok(()));
        assert_eq!(check(&[0x73], &signature), Err(SignatureError::Invalid));
        assert_eq!(check(&[0x72], &signature[1..]), Err(SignatureError::Invalid));
    }
}

/// The two providers agree on ECDSA with each curve and each hash, right and wrong.
#[cfg(all(feature = "ring", feature = "soft"))]
#[test]
fn providers_agree_on_ecdsa() {
    use p256::ecdsa::signature::hazmat::PrehashSigner as _;
    use sha2::{Digest, Sha256, Sha384};

    let providers: [&dyn SignatureVerifier; 2] = [&RingVerifier, &SoftVerifier];
    let message = b"a message";
    for (hash, algorithm) in [
        (Sha256::digest(message).to_vec(), SignatureAlgorithm::EcdsaSha256),
        (Sha384::digest(message).to_vec(), SignatureAlgorithm::EcdsaSha384),
    ] {
        let p256 = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let signed: p256::ecdsa::Signature = p256.sign_prehash(&hash).unwrap();
        let point = p256.verifying_key().to_encoded_point(false);
        let first = (
            KeyAlgorithm::EcdsaP256,
            point.as_bytes().to_vec(),
            signed.to_der().as_bytes().to_vec(),
        );
        let p384 = p384::ecdsa::SigningKey::from_slice(&[7; 48]).unwrap();
        let point = p384.verifying_key().to_encoded_point(false);
        // A P-384 signer takes no digest shorter than half its field; 32 bytes are enough.
        let signed: p384::ecdsa::Signature = p384.sign_prehash(&hash).unwrap();
        let second = (
            KeyAlgorithm::EcdsaP384,
            point.as_bytes().to_vec(),
            signed.to_der().as_bytes().to_vec(),
        );
        for (kind, mut point, signature) in [first, second] {
            let spki = PublicKeyInfo::encode(kind, &point);
            let key = PublicKeyInfo::parse(&spki).unwrap();
            for provider in providers {
                let check = |message: &[u8]| provider.verify(algorithm, &key, message, &signature);
                assert_eq!(check(message), Ok(()), "{algorithm} {kind} {provider:?}");
                assert_eq!(check(b"another"), Err(SignatureError::Invalid));
            }
            // C-KEY-4: a point beside the curve.
            *point.last_mut().unwrap() ^= 1;
            let spki = PublicKeyInfo::encode(kind, &point);
            let key = PublicKeyInfo::parse(&spki).unwrap();
            for provider in providers {
                let result = provider.verify(algorithm, &key, message, &signature);
                assert_eq!(result, Err(SignatureError::Invalid));
            }
        }
    }
}
