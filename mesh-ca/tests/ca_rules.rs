//! Rules that concern several parts at once.

mod pki;

use std::collections::BTreeSet;
use std::time::Duration;

use mesh_ca::agent::DeltaSdsRequest;
use mesh_ca::federation::{EndpointProfile, FederationOptions, Relationship};
use mesh_ca::{
    Authority, Budgets, CaProfile, Caller, Certificate, CsrPolicy, DocumentMode, ExternalCaConfig,
    ExternalSigner, InsecureSeededEntropy, KeyAlgorithm, Limits, Revocation, RevocationReason, RevokeBy,
    SpiffeId, TrustBundle, TrustDomain, VerifyOptions, pem,
};

use pki::{NOW, below, issue};

const ROOT: &str = include_str!("data/root.pem");
/// Made by `openssl req -x509 -newkey rsa:1024`, with the extensions of an authority.
const WEAK_ROOT: &str = include_str!("data/rsa_1024_root.pem");
/// Made by `openssl req -new -newkey rsa:2048 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32`, with a name that is
/// not critical, although the subject is empty.
const PSS_CSR: &[u8] = include_bytes!("data/rsa_pss_csr.pem");

fn domain() -> TrustDomain {
    "example.org".parse().unwrap()
}

fn web() -> SpiffeId {
    "spiffe://example.org/web".parse().unwrap()
}

/// Scenario 34, C-KEY-2, C-CSR-15: a request that is signed with RSA-PSS is taken, and whether its name is critical is not
/// asked.
#[test]
fn a_request_can_be_signed_with_pss() {
    let valid = CsrPolicy::istio().check(PSS_CSR).unwrap();
    assert_eq!(
        valid.uri().map(SpiffeId::as_str),
        Some("spiffe://example.org/web")
    );
    assert!(matches!(valid.key_algorithm(), KeyAlgorithm::Rsa(_)));
    let id = web();
    let mut ca = Authority::self_signed(domain(), NOW, &mut InsecureSeededEntropy::new(1)).unwrap();
    let grant = valid.authorize(&Caller::from(&id)).unwrap();
    let svid = ca.issue(&grant, NOW, &mut InsecureSeededEntropy::new(2)).unwrap();
    assert_eq!(
        ca.trust_bundle()
            .verify(svid.chain(), &VerifyOptions::at(NOW))
            .unwrap()
            .spiffe_id(),
        &id
    );
    // Any bit of the signature decides.
    let mut der = pem::parse_one(PSS_CSR, pem::PemLabel::CertificateRequest).unwrap();
    *der.last_mut().unwrap() ^= 1;
    assert_eq!(
        CsrPolicy::istio().check(&der).unwrap_err().code(),
        "csr.signature"
    );
}

/// Scenario 18, C-KEY-1, C-PEM-4: a root with a weak key is none, and takes no other one down.
#[test]
fn a_weak_root_is_none() {
    let limits = Limits::default();
    let error = TrustBundle::from_pem(domain(), WEAK_ROOT.as_bytes(), &limits).unwrap_err();
    assert_eq!(error.code(), "key.rsa_modulus");
    let both = format!("{WEAK_ROOT}{ROOT}");
    let roots = TrustBundle::from_pem_lenient(domain(), both.as_bytes(), &limits).unwrap();
    assert_eq!(
        (roots.bundle.x509_authorities().len(), roots.errors.len()),
        (1, 1)
    );
    assert!(TrustBundle::from_pem_lenient(domain(), WEAK_ROOT.as_bytes(), &limits).is_err());

    let good = TrustBundle::from_pem(domain(), ROOT.as_bytes(), &limits).unwrap();
    let der = pem::parse_chain(WEAK_ROOT.as_bytes(), &limits).unwrap();
    let x5c = pem::encode(pem::PemLabel::Certificate, &der[0]);
    let x5c: String = x5c.lines().filter(|line| !line.starts_with('-')).collect();
    let weak = format!(r#"{{"keys":[{{"use":"x509-svid","kty":"RSA","x5c":["{x5c}"]}},"#);
    let document = good.to_spiffe_json().replacen(r#"{"keys":["#, &weak, 1);
    let read = TrustBundle::from_spiffe_json(domain(), document.as_bytes(), DocumentMode::Standard, &limits)
        .unwrap();
    assert_eq!((read.bundle, read.notes.len()), (good, 1));
}

/// C-CA-7: several intermediates of one root issue side by side; the bundle is the root alone. C-SIGN-12: issuers are named
/// byte for byte as they name themselves.
#[test]
fn intermediates_issue_side_by_side() {
    let mut root = Authority::self_signed(domain(), NOW, &mut InsecureSeededEntropy::new(1)).unwrap();
    let mut authorities = [("east", 2), ("west", 3)].map(|(name, seed)| {
        let profile = CaProfile::intermediate(domain()).with_organization(name);
        below(&mut root, &domain(), &profile, seed)
    });
    let bundle = root.trust_bundle().clone();
    assert_eq!(bundle.x509_authorities().len(), 1);
    let mut issuers = BTreeSet::new();
    for ca in &mut authorities {
        assert_eq!(ca.trust_bundle(), &bundle);
        let svid = issue(ca, &web(), 9);
        bundle.verify(svid.chain(), &VerifyOptions::at(NOW)).unwrap();
        let leaf = Certificate::parse(svid.leaf()).unwrap();
        let issuer = Certificate::parse(ca.certificate_der()).unwrap();
        assert_eq!(leaf.issuer().der(), issuer.subject().der());
        assert_eq!(leaf.authority_key_id(), issuer.subject_key_id());
        issuers.insert(issuer.subject().der().to_vec());
    }
    assert_eq!(issuers.len(), 2);
}

/// C-BND-10: nothing stands in the PEM of a bundle but certificates. C-BND-7: an empty bundle trusts nobody.
#[test]
fn bundles_as_pem() {
    let mut root = Authority::self_signed(domain(), NOW, &mut InsecureSeededEntropy::new(1)).unwrap();
    let other = Authority::self_signed(domain(), NOW, &mut InsecureSeededEntropy::new(2)).unwrap();
    let mut bundle = root.trust_bundle().clone();
    bundle.insert_x509(other.certificate_der()).unwrap();
    let text = bundle.to_pem();
    let is_plain = |line: &str| {
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        ["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"].contains(&line)
            || (1..=64).contains(&line.len()) && line.bytes().all(base64)
    };
    assert!(text.lines().all(is_plain) && text.ends_with("-----\n"));
    assert_eq!(
        TrustBundle::from_pem(domain(), text.as_bytes(), &Limits::default()).unwrap(),
        bundle
    );

    let svid = issue(&mut root, &web(), 9);
    let at = VerifyOptions::at(NOW + Duration::from_secs(1));
    bundle.verify(svid.chain(), &at).unwrap();
    let empty = TrustBundle::new(domain());
    assert_eq!(empty.to_pem(), "");
    assert_eq!(
        empty.verify(svid.chain(), &at).unwrap_err().code(),
        "verify.untrusted_domain"
    );
}

/// C-API-2: configuration and requests are data that can be saved.
#[test]
fn configuration_can_be_saved() {
    fn survives<T>(value: &T)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let text = serde_json::to_string(value).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
    }
    let root = Authority::self_signed(domain(), NOW, &mut InsecureSeededEntropy::new(1)).unwrap();
    let by_spiffe = EndpointProfile::HttpsSpiffe {
        endpoint_id: "spiffe://example.org/server".parse().unwrap(),
        initial_bundle: Some(root.trust_bundle().clone()),
    };
    for profile in [by_spiffe, EndpointProfile::HttpsWeb] {
        survives(&Relationship {
            trust_domain: domain(),
            endpoint_url: "https://example.org/bundle".parse().unwrap(),
            profile,
        });
    }
    let options: FederationOptions = serde_json::from_str(r#"{"stale_after": 7}"#).unwrap();
    let expected = FederationOptions {
        stale_after: 7,
        ..FederationOptions::default()
    };
    assert_eq!(options, expected, "what is not said is the default");
    survives(&expected);
    let mut external = ExternalCaConfig::new(ExternalSigner::Vault);
    external.roots.push(root.certificate_der().to_vec());
    survives(&external);
    survives(&Budgets::default());
    let id = web();
    let revocation =
        Revocation::new("0a".parse().unwrap(), NOW, NOW).with_reason(RevocationReason::KeyCompromise);
    survives(&revocation.with_key([7; 32]).with_invalid_since(NOW));
    for by in [
        RevokeBy::Identity(id),
        RevokeBy::Issuer(root.key_id().clone()),
        RevokeBy::Key([7; 32]),
    ] {
        survives(&by);
    }
    survives(&DeltaSdsRequest {
        subscribe: vec!["default".to_owned()],
        ..DeltaSdsRequest::default()
    });
}
