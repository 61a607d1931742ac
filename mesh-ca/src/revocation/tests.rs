use super::*;
use std::time::Duration;

use crate::certificate::Certificate;
use crate::pem::{self, PemLabel};
use crate::{IssuanceRecord, KeyId, Limits, SerialNumber, UnixTime};

const CRL: &[u8] = include_bytes!("../../tests/data/crl.pem");
const CHAIN: &[u8] = include_bytes!("../../tests/data/chain.pem");

/// C-CRL-6, C-GEN-10: whichever byte is changed, nothing panics, and the signature sees it.
#[test]
fn damage_is_seen() {
    let der = pem::parse_one(CRL, PemLabel::Crl).unwrap();
    let chain = pem::parse_chain(CHAIN, &Limits::default()).unwrap();
    let issuer = Certificate::parse(&chain[1]).unwrap();
    let mut crl = Crl::parse(&der, &Limits::default()).unwrap();
    crl.authenticate(&issuer, crate::default_verifier()).unwrap();
    for at in 0..der.len() {
        assert!(Crl::parse(&der[..at], &Limits::default()).is_err());
        let mut changed = der.clone();
        changed[at] ^= 1;
        if let Ok(crl) = Crl::parse(&changed, &Limits::default()) {
            assert!(
                crl.check_signer(&issuer, crate::default_verifier()).is_err(),
                "byte {at}"
            );
        }
    }
}

/// C-CRL-1: the numbers of reasons; 7 and 8 are not taken.
#[test]
fn reasons_have_numbers() {
    let taken: Vec<u8> = (0..=255)
        .filter(|number| RevocationReason::from_number(*number).is_some())
        .collect();
    assert_eq!(taken, [0, 1, 2, 3, 4, 5, 6, 9, 10]);
    for number in taken {
        assert_eq!(RevocationReason::from_number(number).unwrap().number(), number);
    }
}

/// C-CRL-3: numbers grow to 20 octets and no further.
#[test]
fn numbers_are_ordered() {
    let number = |value: u64| CrlNumber::from(value);
    assert!(number(255) < number(256));
    assert_eq!(number(0xffff).next(), Some(number(0x1_0000)));
    let mut last = [0xff; 20];
    last[0] = 0x7f;
    assert_eq!(CrlNumber::from_bytes(&last).unwrap().next(), None);
    assert_eq!(CrlNumber::from_bytes(&[0x80; 20]), None);
    assert_eq!(number(0).to_string(), "0x00");
}

/// Scenario 80, C-CRL-1: hold and release; other reasons are final.
#[test]
fn holds_can_be_taken_back() {
    let (issuer, now) = (KeyId::new(&[7; 20]), UnixTime::from_secs(1_800_000_000));
    let serial = SerialNumber::from_bytes(&[9]).unwrap();
    let revocation = |reason| Revocation::new(serial, now, now).with_reason(reason);
    let mut store = RevocationStore::new();
    assert_eq!(
        store.release(&issuer, &serial).unwrap_err().code(),
        "revocation.not_revoked"
    );
    store
        .revoke(&issuer, revocation(RevocationReason::CertificateHold))
        .unwrap();
    store.release(&issuer, &serial).unwrap();
    store
        .revoke(&issuer, revocation(RevocationReason::CertificateHold))
        .unwrap();
    store
        .revoke(&issuer, revocation(RevocationReason::Superseded))
        .unwrap();
    assert_eq!(
        store.release(&issuer, &serial).unwrap_err().code(),
        "revocation.final"
    );
    let again = store.revoke(&issuer, revocation(RevocationReason::CertificateHold));
    assert_eq!(again.unwrap_err().code(), "revocation.final");
    assert_eq!(
        store.entry(&issuer, &serial).unwrap().reason,
        RevocationReason::Superseded
    );
}

/// Scenarios 78 and 81a, C-CRL-2: by identity, by key, by issuer; compromised keys are denied, however they were named.
#[test]
fn logs_are_searched() {
    let now = UnixTime::from_secs(1_800_000_000);
    let issued = |number: u8, id: &str, age: i64| IssuanceRecord {
        id: id.parse().unwrap(),
        serial: SerialNumber::from_bytes(&[number]).unwrap(),
        issuer_key_id: KeyId::new(&[number % 2]),
        not_before: UnixTime::from_secs(1_799_000_000),
        not_after: UnixTime::from_secs(1_800_000_000 + age),
        spki_digest: [number; 32],
    };
    let log = [
        issued(1, "spiffe://td/a", 10),
        issued(2, "spiffe://td/a", -1),
        issued(3, "spiffe://td/b", 10),
        issued(4, "spiffe://td/a", 10),
    ];
    let mut store = RevocationStore::new();
    let a: crate::SpiffeId = "spiffe://td/a".parse().unwrap();
    let by = RevokeBy::Identity(a.clone());
    assert_eq!(
        store.revoke_issued(&log, &by, RevocationReason::KeyCompromise, now),
        2
    );
    assert!(store.is_key_denied(&[1; 32]) && store.is_key_denied(&[4; 32]) && !store.is_key_denied(&[2; 32]));
    assert!(store.entry(&log[3].issuer_key_id, &log[3].serial).is_some());
    assert_eq!(
        store.revoke_issued(&log, &RevokeBy::Key([3; 32]), RevocationReason::Superseded, now),
        1
    );
    assert!(store.is_key_denied(&[3; 32]));
    let mut store = RevocationStore::new();
    assert_eq!(
        store.revoke_issued(
            &log,
            &RevokeBy::Issuer(KeyId::new(&[1])),
            RevocationReason::CaCompromise,
            now
        ),
        2
    );
    store.block(&a, now + Duration::from_secs(5));
    assert!(store.is_blocked(&a, now) && !store.is_blocked(&a, now + Duration::from_secs(5)));
    let saved = serde_json::to_string(&store).unwrap();
    assert_eq!(serde_json::from_str::<RevocationStore>(&saved).unwrap(), store);
}

/// An authority made for a test: a self-signed certificate with its key.
#[cfg(any(feature = "ring", feature = "soft"))]
mod issuing {
    use proptest::prelude::*;

    use super::*;
    use crate::der::{OCTET_STRING, SEQUENCE, Writer, context_constructed};
    use crate::{InsecureSeededEntropy, KeyAlgorithm, KeyPair, Signer};

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const WEEK: Duration = Duration::from_secs(7 * 86_400);

    fn key() -> KeyPair {
        KeyPair::generate_for(KeyAlgorithm::Ed25519, &mut InsecureSeededEntropy::new(1)).unwrap()
    }

    /// With keyUsage from the content of its BIT STRING.
    fn authority(key: &KeyPair, key_usage: &[u8]) -> Vec<u8> {
        let mut tbs = Writer::new();
        tbs.nested(SEQUENCE, |tbs| {
            tbs.nested(context_constructed(0), |version| version.unsigned(&[2]));
            tbs.unsigned(&[1]);
            crate::signature::write_identifier(tbs, key.algorithm());
            tbs.nested(SEQUENCE, |_| ());
            tbs.nested(SEQUENCE, |validity| {
                validity.time(NOW);
                validity.time(NOW + WEEK);
            });
            tbs.nested(SEQUENCE, |_| ());
            tbs.raw(key.spki_der());
            tbs.nested(context_constructed(3), |tagged| {
                tagged.nested(SEQUENCE, |extensions| {
                    extensions.nested(SEQUENCE, |extension| {
                        extension.oid(crate::oid::BASIC_CONSTRAINTS);
                        extension.nested(OCTET_STRING, |value| value.nested(SEQUENCE, Writer::boolean_true));
                    });
                    extensions.nested(SEQUENCE, |extension| {
                        extension.oid(crate::oid::KEY_USAGE);
                        extension.nested(OCTET_STRING, |value| {
                            value.value(crate::der::BIT_STRING, key_usage);
                        });
                    });
                });
            });
        });
        let tbs = tbs.into_bytes();
        let signature = key.sign(&tbs).unwrap();
        let mut writer = Writer::new();
        writer.nested(SEQUENCE, |certificate| {
            certificate.raw(&tbs);
            crate::signature::write_identifier(certificate, key.algorithm());
            certificate.whole_bits(&signature);
        });
        writer.into_bytes()
    }

    /// C-CRL-3, C-CRL-5, scenario 79: numbers rise, also from a state that was restored; an expired entry is in one more
    /// CRL; and not everyone may sign.
    #[test]
    fn crls_follow_one_another() {
        let key = key();
        let der = authority(&key, &[1, 0x06]);
        let issuer = Certificate::parse(&der).unwrap();
        let key_id = key.public_key().key_id();
        let serial = SerialNumber::from_bytes(&[0x80, 5]).unwrap();
        let mut store = RevocationStore::new();
        assert!(store.is_crl_due(&key_id, NOW));
        store
            .revoke(&key_id, Revocation::new(serial, NOW, NOW).with_invalid_since(NOW))
            .unwrap();
        let mut listed = Vec::new();
        let saved = store.clone();
        for seconds in [0, 0, 1, 2] {
            let issued = store
                .issue_crl(&issuer, &key, NOW + Duration::from_secs(seconds), WEEK)
                .unwrap();
            let mut crl = Crl::parse(issued.der(), &Limits::default()).unwrap();
            crl.authenticate(&issuer, crate::default_verifier()).unwrap();
            assert_eq!(crl.number(), issued.number());
            listed.push((crl.number(), crl.entry(&serial).is_some()));
        }
        let number = |offset: u64| CrlNumber::from(1_800_000_000 + offset);
        assert_eq!(
            listed,
            [
                (number(0), true),
                (number(1), true),
                (number(2), true),
                (number(3), false)
            ]
        );
        let mut restored = saved;
        let issued = restored
            .issue_crl(&issuer, &key, NOW + Duration::from_secs(60), WEEK)
            .unwrap();
        assert!(issued.number() > number(3));
        assert!(!store.is_crl_due(&key_id, NOW + WEEK / 3) && store.is_crl_due(&key_id, NOW + WEEK));
        let der = authority(&key, &[2, 0x04]);
        let wrong = Certificate::parse(&der).unwrap();
        assert_eq!(
            store.issue_crl(&wrong, &key, NOW, WEEK),
            Err(CrlIssueError::NotCrlSigner)
        );
        let other = KeyPair::generate_for(KeyAlgorithm::Ed25519, &mut InsecureSeededEntropy::new(2)).unwrap();
        assert_eq!(
            store.issue_crl(&issuer, &other, NOW, WEEK),
            Err(CrlIssueError::KeyMismatch)
        );
        assert_eq!(
            store.issue_crl(&issuer, &key, NOW, Duration::ZERO),
            Err(CrlIssueError::Time)
        );
    }

    fn round_trip(serials: &std::collections::BTreeSet<Vec<u8>>) {
        let key = key();
        let der = authority(&key, &[1, 0x06]);
        let issuer = Certificate::parse(&der).unwrap();
        let mut store = RevocationStore::new();
        let reasons = [
            RevocationReason::Unspecified,
            RevocationReason::KeyCompromise,
            RevocationReason::AaCompromise,
        ];
        let entries: std::collections::BTreeMap<SerialNumber, RevocationReason> = serials
            .iter()
            .filter_map(|bytes| SerialNumber::from_bytes(bytes))
            .map(|serial| (serial, reasons[usize::from(serial.as_bytes()[0]) % reasons.len()]))
            .collect();
        for (serial, reason) in &entries {
            let revocation = Revocation::new(*serial, NOW, NOW + WEEK).with_reason(*reason);
            store.revoke(&key.public_key().key_id(), revocation).unwrap();
        }
        let issued = store.issue_crl(&issuer, &key, NOW, WEEK).unwrap();
        let crl = Crl::from_pem(issued.to_pem().as_bytes(), &Limits::default()).unwrap();
        assert_eq!(crl.len(), entries.len());
        for (serial, reason) in &entries {
            assert_eq!(crl.entry(serial).unwrap().reason, *reason);
            // A neighbour that was not revoked is not.
            let mut other = serial.as_bytes().to_vec();
            *other.last_mut().unwrap() ^= 1;
            if let Some(other) = SerialNumber::from_bytes(&other) {
                assert_eq!(crl.entry(&other).is_some(), entries.contains_key(&other));
            }
        }
    }

    /// P8 for the largest size.
    #[test]
    fn exactly_ten_thousand_are_revoked() {
        round_trip(
            &(0..10_000_u32)
                .map(|number| (number * 7 + 1).to_be_bytes().to_vec())
                .collect(),
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// P8: exactly what was revoked is revoked.
        #[test]
        fn exactly_those_are_revoked(serials in prop::collection::btree_set(prop::collection::vec(any::<u8>(), 1..20), 0..40)) {
            round_trip(&serials);
        }
    }
}
