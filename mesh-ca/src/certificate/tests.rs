use super::*;
use crate::der::Writer;
use crate::pem::{self, PemLabel};

fn chain() -> Vec<Vec<u8>> {
    pem::parse_chain(include_bytes!("../../tests/data/chain.pem"), &Limits::default()).unwrap()
}

fn root() -> Vec<u8> {
    pem::parse_one(include_bytes!("../../tests/data/root.pem"), PemLabel::Certificate).unwrap()
}

#[test]
fn a_leaf_is_read() {
    let chain = chain();
    let leaf = Certificate::parse(&chain[0]).unwrap();
    assert_eq!(leaf.version(), 3);
    assert_eq!(leaf.serial_number().unwrap().to_string(), "1234");
    assert_eq!(leaf.issuer().to_string(), "O=example, CN=intermediate");
    assert_eq!(leaf.not_before().to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(leaf.not_after().to_string(), "2036-01-01T00:00:00Z");
    assert_eq!(leaf.spiffe_id().unwrap().as_str(), "spiffe://example.org/web");
    assert_eq!(leaf.subject_alt_names().count(), 2);
    assert_eq!(leaf.is_subject_alt_name_critical(), Some(false));
    assert_eq!(leaf.key_usage(), Some(KeyUsage::DIGITAL_SIGNATURE));
    assert!(leaf.names_purpose(KeyPurpose::ServerAuth) && leaf.allows_purpose(KeyPurpose::ClientAuth));
    let intermediate = Certificate::parse(&chain[1]).unwrap();
    let constraints = intermediate.basic_constraints().unwrap();
    assert_eq!((constraints.ca, constraints.path_len), (true, Some(0)));
    assert_eq!(leaf.authority_key_id(), intermediate.subject_key_id());
    let key = intermediate.public_key().unwrap();
    assert_eq!(leaf.verify_signature(&key, crate::default_verifier()), Ok(()));
    let root = root();
    let key = Certificate::parse(&root).unwrap().public_key().unwrap();
    assert_eq!(
        leaf.verify_signature(&key, crate::default_verifier()),
        Err(SignatureError::Invalid)
    );
}

/// C-GEN-9, C-GEN-10: whichever byte is changed or cut, nothing panics, and bytes after the end are seen.
#[test]
fn damage_is_survived() {
    for der in chain() {
        for at in 0..der.len() {
            assert!(Certificate::parse(&der[..at]).is_err());
            for bit in [0x01, 0x20, 0x80] {
                let mut changed = der.clone();
                changed[at] ^= bit;
                let _ = Certificate::parse(&changed);
            }
        }
        let longer = [&der[..], &[0]].concat();
        let error = Certificate::parse(&longer).unwrap_err();
        assert_eq!(error.code(), "der.trailing_bytes");
    }
    let limits = Limits {
        certificate: 100,
        ..Limits::default()
    };
    assert_eq!(
        Certificate::parse_with(&root(), &limits).unwrap_err(),
        CertificateError::TooLarge
    );
    let limits = Limits {
        subject_alt_names: 1,
        ..Limits::default()
    };
    assert_eq!(
        Certificate::parse_with(&chain()[0], &limits).unwrap_err(),
        CertificateError::TooManyNames
    );
}

fn parsed(extensions: &[(&[u8], bool, &[u8])]) -> Result<(), CertificateError> {
    let mut writer = Writer::new();
    writer.nested(SEQUENCE, |sequence| {
        for (oid, critical, value) in extensions {
            sequence.nested(SEQUENCE, |extension| {
                extension.oid(oid);
                if *critical {
                    extension.boolean_true();
                }
                extension.value(der::OCTET_STRING, value);
            });
        }
    });
    Extensions::parse(Reader::new(&writer.into_bytes())).map(|_| ())
}

/// C-VFY-12: no extension twice, known or not.
#[test]
fn extensions_come_once() {
    let (known, unknown): (&[u8], &[u8]) = (oid::KEY_USAGE, &[0x2a, 3, 4]);
    let usage: &[u8] = &[3, 2, 7, 0x80];
    assert_eq!(parsed(&[(known, true, usage), (unknown, false, &[])]), Ok(()));
    for (oid, dotted) in [(known, "2.5.29.15"), (unknown, "1.2.3.4")] {
        let error =
            parsed(&[(oid, false, usage), (&[0x2a, 9], false, &[]), (oid, false, usage)]).unwrap_err();
        assert_eq!(
            error,
            CertificateError::DuplicateExtension {
                oid: dotted.to_owned()
            }
        );
    }
    assert!(parsed(&[]).is_err());
}

/// C-GEN-9, C-VFY-18: the values of extensions are read strictly.
#[test]
fn extension_values_are_strict() {
    let cases: &[(&[u8], &[u8], bool)] = &[
        (oid::KEY_USAGE, &[3, 2, 7, 0x80], true),
        (oid::KEY_USAGE, &[3, 3, 7, 0x00, 0x80], true),
        // Bits of zero at the end, no bits at all, too many bits, bytes after the value.
        (oid::KEY_USAGE, &[3, 2, 6, 0x80], false),
        (oid::KEY_USAGE, &[3, 2, 0, 0x00], false),
        (oid::KEY_USAGE, &[3, 1, 0], false),
        (oid::KEY_USAGE, &[3, 4, 7, 0, 0, 0x80], false),
        (oid::KEY_USAGE, &[3, 2, 7, 0x80, 5, 0], false),
        (oid::BASIC_CONSTRAINTS, &[0x30, 0], true),
        (oid::BASIC_CONSTRAINTS, &[0x30, 3, 1, 1, 0xff], true),
        (oid::BASIC_CONSTRAINTS, &[0x30, 6, 1, 1, 0xff, 2, 1, 3], true),
        // A default that is written out, a TRUE that is not FF, a negative length of the path.
        (oid::BASIC_CONSTRAINTS, &[0x30, 3, 1, 1, 0x00], false),
        (oid::BASIC_CONSTRAINTS, &[0x30, 3, 1, 1, 0x01], false),
        (oid::BASIC_CONSTRAINTS, &[0x30, 6, 1, 1, 0xff, 2, 1, 0xff], false),
        (oid::EXTENDED_KEY_USAGE, &[0x30, 3, 6, 1, 0x2a], true),
        (oid::EXTENDED_KEY_USAGE, &[0x30, 0], false),
        (oid::SUBJECT_KEY_ID, &[4, 1, 9], true),
        (oid::SUBJECT_KEY_ID, &[4, 2, 9], false),
        (oid::AUTHORITY_KEY_ID, &[0x30, 3, 0x80, 1, 9], true),
        (oid::AUTHORITY_KEY_ID, &[0x30, 3, 0x83, 1, 9], false),
        (oid::SUBJECT_ALT_NAME, &[0x30, 3, 0x82, 1, b'a'], true),
        (oid::SUBJECT_ALT_NAME, &[0x30, 6, 0x87, 4, 1, 2, 3, 4], true),
        // No names, an address of five bytes, a name of no known kind.
        (oid::SUBJECT_ALT_NAME, &[0x30, 0], false),
        (oid::SUBJECT_ALT_NAME, &[0x30, 7, 0x87, 5, 1, 2, 3, 4, 5], false),
        (oid::SUBJECT_ALT_NAME, &[0x30, 3, 0x89, 1, b'a'], false),
        (
            oid::AUTHORITY_INFO_ACCESS,
            &[0x30, 8, 0x30, 6, 6, 1, 0x2a, 0x86, 1, b'a'],
            true,
        ),
        (oid::AUTHORITY_INFO_ACCESS, &[4, 1, 0], false),
        (oid::AUTHORITY_INFO_ACCESS, &[0x30, 0], false),
        (oid::CRL_DISTRIBUTION_POINTS, &[0x30, 2, 0x30, 0], true),
        (oid::CRL_DISTRIBUTION_POINTS, &[0x30, 3, 2, 1, 1], false),
    ];
    for (oid, value, is_good) in cases {
        let result = parsed(&[(oid, false, value)]);
        assert_eq!(
            result.is_ok(),
            *is_good,
            "{} {value:x?}: {result:?}",
            oid::dotted(oid)
        );
    }
}

#[test]
fn key_usage_bits_have_their_names() {
    assert_eq!(
        extensions::key_usage(&[3, 2, 7, 0x80]).unwrap(),
        KeyUsage::DIGITAL_SIGNATURE
    );
    assert_eq!(
        extensions::key_usage(&[3, 2, 1, 0x06]).unwrap(),
        KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN
    );
    assert_eq!(
        extensions::key_usage(&[3, 3, 7, 0, 0x80]).unwrap(),
        KeyUsage::DECIPHER_ONLY
    );
}

/// RFC 5280 §7.1: names under constraints are compared without regard to the type of string, case and white space.
#[test]
fn relative_names_are_compared_by_text() {
    let name = |tag: u8, text: &[u8]| {
        let mut writer = Writer::new();
        writer.nested(der::SET, |set| {
            set.nested(SEQUENCE, |attribute| {
                attribute.oid(&[0x55, 4, 3]);
                attribute.value(tag, text);
            });
        });
        writer.into_bytes()
    };
    let utf8 = name(der::UTF8_STRING, b"Example  Root");
    assert!(relative_names_match(&utf8, &name(0x13, b"example root")));
    assert!(relative_names_match(
        &name(der::UTF8_STRING, b"ab"),
        &name(0x1e, &[0, b'A', 0, b'B'])
    ));
    assert!(!relative_names_match(&utf8, &name(0x13, b"example roots")));
    assert!(!relative_names_match(&name(4, b"a"), &name(4, b"A")));
}

#[test]
fn serial_numbers_are_numbers() {
    let serial = |bytes: &[u8]| SerialNumber::from_bytes(bytes);
    assert!(serial(&[2]).unwrap() < serial(&[1, 0]).unwrap());
    assert_eq!(
        serial(&[0x7f; 20]).unwrap().to_string().parse(),
        serial(&[0x7f; 20]).ok_or(SerialNumberError)
    );
    assert_eq!(serial(&[]), None);
    assert_eq!(SerialNumber::from_integer(&[0x80]), None);
    let json = serde_json::to_string(&serial(&[1, 2]).unwrap()).unwrap();
    assert_eq!(json, "\"0102\"");
    assert_eq!(
        serde_json::from_str::<SerialNumber>(&json).unwrap(),
        serial(&[1, 2]).unwrap()
    );
    for text in ["", "1", "00", "xx", &"f".repeat(40), &"1".repeat(42)] {
        assert!(text.parse::<SerialNumber>().is_err(), "{text}");
    }
}
