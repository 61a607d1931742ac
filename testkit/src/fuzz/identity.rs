//! What must be true of any certificate, signing request and CRL.

use mesh_ca::pem::{self, PemLabel};
use mesh_ca::{
    Caller, Certificate, Crl, CsrPolicy, Limits, PublicKeyInfo, SpiffeId, TrustBundle, VerifyOptions,
};

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

/// A signing request that is accepted has one SPIFFE id with a path, is signed by its own key, and stays accepted in PEM; none is
/// taken for both a workload and an authority.
pub fn csr(bytes: &[u8]) {
    let open = CsrPolicy::istio()
        .with_dns_names(true)
        .with_ip_addresses(true)
        .with_benign_extensions(true);
    let is_authority = open.check_ca(bytes).is_ok();
    let Ok(valid) = open.check(bytes) else {
        assert!(
            CsrPolicy::istio().check(bytes).is_err(),
            "the stricter policy takes more"
        );
        return;
    };
    assert!(!is_authority);
    let id = valid.uri().expect("the policy demands an id");
    assert!(id.is_workload_id());
    assert_eq!(id.as_str().parse::<SpiffeId>().as_ref(), Ok(id));
    assert!(PublicKeyInfo::parse(valid.spki_der()).is_ok());
    if bytes.first() == Some(&0x30) {
        let text = pem::encode(PemLabel::CertificateRequest, bytes);
        let again = open.check(text.as_bytes()).expect("the same request in PEM");
        assert_eq!(again.digest(), valid.digest());
    }
    assert!(valid.authorize(&Caller::from(id)).is_ok());
}
