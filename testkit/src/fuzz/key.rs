//! What must be true of any private key.

use mesh_ca::pem::{self, PemLabel};
use mesh_ca::{KeyError, KeyFormat, KeyPair, PublicKeyInfo, Signer as _, default_verifier};

/// How a key is read from DER, and the label of that form in PEM.
type Form = (fn(&[u8]) -> Result<KeyPair, KeyError>, PemLabel);

const FORMS: [Form; 3] = [
    (KeyPair::from_pkcs8_der, PemLabel::PrivateKey),
    (KeyPair::from_sec1_der, PemLabel::EcPrivateKey),
    (KeyPair::from_pkcs1_der, PemLabel::RsaPrivateKey),
];

/// A private key that is read, from PEM or from DER in one of its three forms, makes signatures that its public key
/// accepts, and is the same key after it was written in either form. Nothing of the input is shown, neither by a key nor by
/// the error that refuses it (C-KEY-6..8, C-GEN-7).
pub fn private_key(bytes: &[u8]) {
    match KeyPair::from_pem(bytes) {
        Ok(key) => assert_usable(&key),
        Err(error) => assert_discreet(&error, bytes),
    }
    let mut forms = 0;
    for (read, label) in FORMS {
        match read(bytes) {
            Ok(key) => {
                forms += 1;
                assert_usable(&key);
                assert!(read(&[bytes, &[0]].concat()).is_err(), "bytes after the end");
                let text = pem::encode(label, bytes);
                let again = KeyPair::from_pem(text.as_bytes()).expect("the same key in PEM");
                assert_same(&again, &key);
            }
            Err(error) => assert_discreet(&error, bytes),
        }
    }
    assert!(forms <= 1, "one text is two kinds of key");
}

fn assert_usable(key: &KeyPair) {
    let public = PublicKeyInfo::parse(key.spki_der()).expect("its public key is a good one");
    assert!(key.matches(&public));
    let signature = key.sign(b"message").expect("a signature");
    let verifier = default_verifier();
    assert_eq!(
        verifier.verify(key.algorithm(), &public, b"message", &signature),
        Ok(())
    );
    assert!(
        verifier
            .verify(key.algorithm(), &public, b"another", &signature)
            .is_err()
    );
    assert_eq!(format!("{key:?}"), format!("KeyPair({})", key.key_algorithm()));
    for format in [KeyFormat::Pkcs8, KeyFormat::Traditional] {
        let text = key.to_pem(format);
        let again = KeyPair::from_pem(text.expose()).expect("what is written can be read");
        assert_same(&again, key);
        assert_eq!(again.to_pem(format).expose(), text.expose());
    }
}

fn assert_same(left: &KeyPair, right: &KeyPair) {
    assert_eq!(left.spki_der(), right.spki_der());
    let secret = |key: &KeyPair| key.to_der(KeyFormat::Pkcs8);
    assert!(secret(left).expose() == secret(right).expose(), "two secrets");
}

/// An error is one line that repeats no line of base64 that is long enough to be part of a secret. Other lines are left out: a
/// fuzzer that watches comparisons soon gives texts of errors as input.
fn assert_discreet(error: &KeyError, bytes: &[u8]) {
    let text = format!("{error} {error:?}");
    assert!(!text.contains('\n') && !error.code().is_empty());
    let is_base64 = |line: &&[u8]| {
        line.iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
    };
    let lines = bytes.split(|byte| *byte == b'\n');
    for line in lines.filter(|line| line.len() >= 32).filter(is_base64) {
        let shown = text.as_bytes().windows(line.len()).any(|part| part == line);
        assert!(!shown, "{} repeats its input", error.code());
    }
}
