//! What must be true of any certificate and any CRL.

use mesh_ca::{Certificate, Crl, Limits, TrustBundle, VerifyOptions};

/// A certificate that is read has the bytes that it was read from; its parts can be asked for, and a chain of it alone is
/// verified to an end, twice alike, with whatever it is trusted by.
pub fn certificate(bytes: &[u8]) {
    let Ok(certificate) = Certificate::parse(bytes) else {
        return;
    };
    assert_eq!(certificate.der(), bytes);
    assert!(
        certificate
            .der()
            .windows(certificate.tbs_der().len())
            .any(|part| part == certificate.tbs_der())
    );
    let _ = (certificate.public_key(), certificate.signature_algorithm());
    assert!(!certificate.subject().to_string().contains('\n'));
    let longer = [bytes, &[0]].concat();
    assert!(Certificate::parse(&longer).is_err(), "bytes after the end");
    let id = certificate.spiffe_id();
    let domain = id.map_or("td", |id| id.trust_domain().as_str());
    let mut bundle = TrustBundle::new(domain.parse().expect("a trust domain"));
    let _ = bundle.insert_x509(bytes);
    let options = VerifyOptions::at(certificate.not_before());
    let chain = [bytes, bytes];
    let verdict = bundle.verify(&chain, &options);
    assert_eq!(
        bundle.explain(&chain, &options).verdict().is_ok(),
        verdict.is_ok()
    );
    assert!(verdict.is_err(), "a certificate vouches for itself");
}

/// A CRL that is read has the bytes that it was read from, and finds every serial number that it lists.
pub fn crl(bytes: &[u8]) {
    let Ok(crl) = Crl::parse(bytes, &Limits::default()) else {
        return;
    };
    assert_eq!(crl.der(), bytes);
    assert!(Crl::parse(&[bytes, &[0]].concat(), &Limits::default()).is_err());
    let one = mesh_ca::SerialNumber::from_bytes(&[0x12, 0x34]).expect("in range");
    assert!(crl.entry(&one).is_none() || !crl.is_empty());
}
