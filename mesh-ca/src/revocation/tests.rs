use super::*;
use crate::Limits;
use crate::certificate::Certificate;
use crate::pem::{self, PemLabel};

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
