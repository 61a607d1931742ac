use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::pem::{self, PemLabel};
use crate::{
    CaGrant, Caller, Certificate, Csr, CsrBuilder, CsrPolicy, EntropyError, GeneralName, Grant,
    InsecureSeededEntropy, KeyAlgorithm, KeyProvider, KeyUsage, Limits, Profile, SignError, SignatureFormat,
    SpiffeId, VerifyError, VerifyOptions,
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn domain(name: &str) -> TrustDomain {
    name.parse().unwrap()
}

fn id() -> SpiffeId {
    "spiffe://td/ns/shop/sa/reviews".parse().unwrap()
}

fn key(seed: u64) -> KeyPair {
    KeyPair::generate(&mut InsecureSeededEntropy::new(seed)).unwrap()
}

fn grant_for(csr: &Csr, id: &SpiffeId) -> Grant {
    let policy = CsrPolicy::istio().with_dns_names(true).with_ip_addresses(true);
    policy
        .check(csr.der())
        .unwrap()
        .authorize(&Caller::from(id))
        .unwrap()
}

fn grant() -> Grant {
    grant_for(&CsrBuilder::new(&id()).build(&key(7)).unwrap(), &id())
}

fn entropy() -> InsecureSeededEntropy {
    InsecureSeededEntropy::new(11)
}

fn root() -> Authority {
    Authority::self_signed(domain("td"), NOW, &mut InsecureSeededEntropy::new(1)).unwrap()
}

fn ca_grant(key: &KeyPair) -> CaGrant {
    let csr = CsrBuilder::for_intermediate(&domain("td"))
        .unwrap()
        .build(key)
        .unwrap();
    let server: SpiffeId = "spiffe://td/server".parse().unwrap();
    let caller = Caller::from(&server).with_downstream(true);
    CsrPolicy::istio()
        .check_ca(csr.der())
        .unwrap()
        .authorize(&caller)
        .unwrap()
}

/// An intermediate below `above`.
fn below(above: &mut Authority, seed: u64, profile: &CaProfile) -> Result<Authority, CaError> {
    let key = key(seed);
    let issued = above.issue_intermediate(
        &ca_grant(&key),
        profile,
        NOW,
        &mut InsecureSeededEntropy::new(seed),
    )?;
    above.intermediate(&issued, Arc::new(key))
}

fn strict(now: UnixTime) -> VerifyOptions<'static> {
    VerifyOptions::at(now).with_profile(Profile::STRICT_SPIFFE)
}

/// C-SIGN-3, C-SIGN-7, C-SIGN-8, scenario 43: what a leaf looks like.
#[test]
fn leaves_are_exact() {
    let mut ca = root();
    let svid = ca
        .issue(&grant(), NOW + Duration::from_millis(900), &mut entropy())
        .unwrap();
    let leaf = Certificate::parse(svid.leaf()).unwrap();
    assert_eq!(leaf.version(), 3);
    assert_eq!(leaf.spiffe_id().unwrap().as_str(), id().as_str());
    assert!(leaf.subject().is_empty());
    assert_eq!(leaf.is_subject_alt_name_critical(), Some(true));
    assert_eq!(leaf.not_before(), NOW - Duration::from_secs(120));
    assert_eq!(leaf.not_after(), NOW + DAY);
    assert_eq!(leaf.key_usage(), Some(KeyUsage::DIGITAL_SIGNATURE));
    assert!(
        leaf.basic_constraints()
            .is_some_and(|constraints| !constraints.ca)
    );
    assert!(
        leaf.names_purpose(crate::KeyPurpose::ServerAuth)
            && leaf.names_purpose(crate::KeyPurpose::ClientAuth)
    );
    let root = Certificate::parse(ca.certificate_der()).unwrap();
    assert_eq!(leaf.authority_key_id(), root.subject_key_id());
    assert_eq!(
        leaf.subject_key_id(),
        Some(leaf.public_key().unwrap().key_id().as_bytes())
    );
    assert_eq!(leaf.issuer(), root.subject());
    assert!(leaf.serial_bytes().len() <= 16);
    let record = svid.record();
    assert_eq!(record.serial, leaf.serial_number().unwrap());
    assert_eq!(record.issuer_key_id, *ca.key_id());
    assert_eq!(
        (record.not_before, record.not_after),
        (leaf.not_before(), leaf.not_after())
    );
    assert!(svid.notes().is_empty());
    let audit = grant().audit().issued(record);
    assert_eq!(audit.serial, Some(record.serial));

    // C-SIGN-7: RSA keys encipher; in Istio's profile all do, and names are critical whatever the subject is.
    ca = ca.with_policy(IssuePolicy {
        profile: LeafProfile::IstioCompat,
        ..IssuePolicy::default()
    });
    let svid = ca.issue(&grant(), NOW, &mut entropy()).unwrap();
    let leaf = Certificate::parse(svid.leaf()).unwrap();
    assert!(leaf.key_usage().unwrap().contains(KeyUsage::KEY_ENCIPHERMENT));
}

/// C-CA-1, C-KEY-9: what a root looks like, in each shape.
#[test]
fn roots_are_exact() {
    let make = |profile: CaProfile| {
        profile
            .self_sign(Arc::new(key(1)), NOW, &mut entropy())
            .unwrap()
            .certificate_der()
            .to_vec()
    };
    let der = make(CaProfile::root(domain("td")));
    let root = Certificate::parse(&der).unwrap();
    assert_eq!(root.subject().to_string(), "O=td");
    assert!(root.is_self_issued());
    assert_eq!(root.spiffe_id().unwrap().as_str(), "spiffe://td");
    assert_eq!(root.is_subject_alt_name_critical(), Some(false));
    assert_eq!(
        root.key_usage(),
        Some(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN)
    );
    let constraints = root.basic_constraints().unwrap();
    assert!(constraints.ca && constraints.path_len.is_none());
    assert_eq!(
        root.subject_key_id(),
        Some(root.public_key().unwrap().key_id().as_bytes())
    );
    assert_eq!(root.authority_key_id(), None);
    assert!(!root.has_extended_key_usage());
    assert_eq!(root.not_after(), NOW + 3_650 * DAY);
    assert_eq!(root.not_before(), NOW - Duration::from_secs(120));

    let der = make(CaProfile::root(domain("td")).with_istio_compat(true));
    let istio = Certificate::parse(&der).unwrap();
    assert_eq!(istio.key_usage(), Some(KeyUsage::KEY_CERT_SIGN));
    assert_eq!(istio.subject_alt_names().count(), 0);

    let der = make(
        CaProfile::root(domain("td"))
            .with_organization("Shop")
            .with_serial_in_subject(true),
    );
    let named = Certificate::parse(&der).unwrap();
    let serial = named.serial_number().unwrap();
    assert_eq!(
        named.subject().to_string(),
        format!("O=Shop, serialNumber={serial}")
    );
}

/// Scenario 41, C-SIGN-4, C-SIGN-5: for how long.
#[test]
fn lives_are_bounded() {
    let mut ca = root();
    let mut issue = |ttl: Duration, policy: &IssuePolicy| {
        ca.policy = policy.clone();
        ca.issue(&grant().with_ttl(ttl), NOW, &mut entropy())
            .map(|svid| (svid.record().not_after.saturating_since(NOW), svid.notes().len()))
            .map_err(|error| error.code())
    };
    let refuse = IssuePolicy::default();
    assert_eq!(issue(Duration::ZERO, &refuse), Ok((DAY, 0)));
    assert_eq!(issue(HOUR, &refuse), Ok((HOUR, 0)));
    assert_eq!(issue(90 * DAY, &refuse), Ok((90 * DAY, 0)));
    assert_eq!(issue(91 * DAY, &refuse), Err("ca.ttl_too_long"));
    assert_eq!(issue(Duration::from_secs(59), &refuse), Err("ca.ttl_too_short"));
    let clamp = IssuePolicy {
        ttl_policy: TtlPolicy::Clamp,
        ..IssuePolicy::default()
    };
    assert_eq!(issue(91 * DAY, &clamp), Ok((90 * DAY, 1)));
    assert_eq!(issue(Duration::MAX, &clamp), Ok((90 * DAY, 1)));
    let small = IssuePolicy {
        max_ttl: HOUR,
        ..IssuePolicy::default()
    };
    assert_eq!(issue(Duration::ZERO, &small), Ok((HOUR, 0)));
}

/// Scenarios 41 and 42: the life of each authority of the path is a bound, and so is its start.
#[test]
fn no_leaf_outlives_its_authorities() {
    let profile = CaProfile::root(domain("td"))
        .with_ttl(2 * HOUR)
        .with_backdate(Duration::from_secs(10));
    let mut short_root = profile.self_sign(Arc::new(key(1)), NOW, &mut entropy()).unwrap();
    let svid = short_root.issue(&grant(), NOW, &mut entropy()).unwrap();
    assert_eq!(svid.record().not_after, NOW + 2 * HOUR);
    assert_eq!(
        svid.notes(),
        [IssueNote::CutToIssuer {
            not_after: NOW + 2 * HOUR
        }]
    );
    assert_eq!(svid.record().not_before, NOW - Duration::from_secs(10));

    // Cut to the root although the signer lives longer on paper: the intermediate is cut to the root already.
    let mut intermediate = below(&mut short_root, 2, &CaProfile::intermediate(domain("td"))).unwrap();
    assert_eq!(intermediate.not_after(), NOW + 2 * HOUR);
    let svid = intermediate.issue(&grant(), NOW, &mut entropy()).unwrap();
    assert_eq!(svid.record().not_after, NOW + 2 * HOUR);

    let late = NOW + 2 * HOUR - Duration::from_secs(59);
    assert_eq!(
        intermediate
            .issue(&grant(), late, &mut entropy())
            .unwrap_err()
            .code(),
        "ca.issuer_too_short"
    );
    for wrong in [
        NOW + 2 * HOUR + Duration::from_secs(1),
        NOW - Duration::from_secs(11),
    ] {
        let error = intermediate.issue(&grant(), wrong, &mut entropy()).unwrap_err();
        assert_eq!(error.code(), "ca.issuer_expired");
        assert_eq!(error.istio_class(), "CA_NOT_READY");
        assert_eq!(
            error.status().to_string(),
            "INTERNAL: certificate authority not ready"
        );
    }
}

/// Scenario 44, C-SIGN-6: the year 2050.
#[test]
fn times_change_their_form_in_2050() {
    let year_2050 = UnixTime::from_secs(2_524_608_000);
    let now = year_2050 - HOUR;
    let mut ca = Authority::self_signed(domain("td"), now, &mut entropy()).unwrap();
    let mut of = |ttl: Duration| {
        let svid = ca.issue(&grant().with_ttl(ttl), now, &mut entropy()).unwrap();
        let leaf = svid.leaf().to_vec();
        let has = |tag: u8, text: &[u8]| {
            let value = [&[tag, u8::try_from(text.len()).unwrap()], text].concat();
            leaf.windows(value.len()).any(|window| window == value)
        };
        (has(0x17, b"491231235959Z"), has(0x18, b"20500101000000Z"))
    };
    assert_eq!(of(HOUR - Duration::from_secs(1)), (true, false));
    assert_eq!(of(HOUR), (false, true));
}

/// Scenario 45, C-SIGN-15: the response with 0, 1 and 2 intermediates and two roots.
#[test]
fn responses_have_their_layout() {
    let other = CaProfile::root(domain("td"))
        .self_sign(Arc::new(key(99)), NOW, &mut entropy())
        .unwrap();
    let root = root().with_roots([other.certificate_der()]).unwrap();
    let check = |ca: &mut Authority, intermediates: usize| {
        let svid = ca.issue(&grant(), NOW, &mut entropy()).unwrap();
        let response = svid.response_chain();
        assert_eq!(response.len(), intermediates + 2);
        assert_eq!(svid.chain().len(), intermediates + 1);
        for element in &response {
            assert!(element.ends_with("-----END CERTIFICATE-----\n"));
        }
        for element in &response[..response.len() - 1] {
            let der = pem::parse_one(element.as_bytes(), PemLabel::Certificate).unwrap();
            let certificate = Certificate::parse(&der).unwrap();
            // A served chain has no root.
            assert!(!certificate.is_self_issued());
        }
        let roots = pem::parse_chain(response.last().unwrap().as_bytes(), &Limits::default()).unwrap();
        assert_eq!(roots.len(), 2);
        ca.trust_bundle().verify(svid.chain(), &strict(NOW)).unwrap();
    };
    check(&mut root.clone(), 0);
    let profile = CaProfile::intermediate(domain("td")).with_path_len(Some(1));
    let mut first = below(&mut root.clone(), 2, &profile).unwrap();
    check(&mut first, 1);
    let mut second = below(&mut first, 3, &CaProfile::intermediate(domain("td"))).unwrap();
    check(&mut second, 2);
    // C-CA-6: below the last one there is no room.
    let error = below(&mut second, 4, &CaProfile::intermediate(domain("td"))).unwrap_err();
    assert_eq!(error, CaError::PathLength);
}

/// Scenario 46, C-SIGN-9.
#[test]
fn names_are_in_order() {
    let csr = CsrBuilder::new(&id())
        .with_ip_address("::ffff:10.0.0.1".parse().unwrap())
        .with_ip_address("2001:db8::1".parse().unwrap())
        .build(&key(7))
        .unwrap();
    let grant = grant_for(&csr, &id())
        .with_dns_names(["z.shop.svc", "A.shop.svc", "z.shop.svc"])
        .unwrap();
    let mut ca = root();
    let svid = ca.issue(&grant, NOW, &mut entropy()).unwrap();
    let leaf = Certificate::parse(svid.leaf()).unwrap();
    let names: Vec<_> = leaf.subject_alt_names().collect();
    let v6 = "2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets();
    assert_eq!(
        names,
        [
            GeneralName::Uri(id().as_str().as_bytes()),
            GeneralName::Dns(b"z.shop.svc"),
            GeneralName::Dns(b"a.shop.svc"),
            GeneralName::IpAddress(&[10, 0, 0, 1]),
            GeneralName::IpAddress(&v6),
        ]
    );
    assert_eq!(
        grant.clone().with_dns_names(["a_b"]).unwrap_err().code(),
        "ca.dns_name"
    );
    let many: Vec<String> = (0..33).map(|number| format!("a{number}.x")).collect();
    let grant = grant.with_dns_names(many.iter().map(String::as_str)).unwrap();
    assert_eq!(
        ca.issue(&grant, NOW, &mut entropy()).unwrap_err(),
        CaError::TooManyDnsNames { limit: 32 }
    );
}

/// Scenario 47, C-SIGN-10; an alias is local.
#[test]
fn foreign_ids_are_not_issued() {
    let foreign: SpiffeId = "spiffe://other/a".parse().unwrap();
    let grant = grant_for(&CsrBuilder::new(&foreign).build(&key(7)).unwrap(), &foreign);
    let mut ca = root();
    let error = ca.issue(&grant, NOW, &mut entropy()).unwrap_err();
    assert_eq!(error.code(), "ca.not_authoritative");
    assert_eq!(error.istio_class(), "CSR_ERROR");
    let domains = TrustDomainSet::new(domain("td")).with_aliases([domain("other")]);
    let mut ca = ca.with_trust_domains(&domains);
    assert!(ca.issue(&grant, NOW, &mut entropy()).is_ok());
}

/// Scenario 48, C-SIGN-13: a signer that lies.
#[test]
fn a_wrong_signature_is_not_released() {
    /// Says that it is one key, and signs with another.
    #[derive(Debug)]
    struct Liar {
        spki: Vec<u8>,
        key: KeyPair,
        fails: bool,
    }

    impl Signer for Liar {
        fn algorithm(&self) -> SignatureAlgorithm {
            self.key.algorithm()
        }

        fn spki_der(&self) -> &[u8] {
            &self.spki
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
            match self.fails {
                true => Err(SignError::Failed("no session".to_owned())),
                false => self.key.sign(message),
            }
        }
    }

    let honest = root();
    let with = |fails| Authority {
        key: AuthorityKey::Local(Arc::new(Liar {
            spki: honest.spki_der().to_vec(),
            key: key(66),
            fails,
        })),
        ..honest.clone()
    };
    let error = with(false).issue(&grant(), NOW, &mut entropy()).unwrap_err();
    assert_eq!(error, CaError::SignerMisbehaved(crate::SignatureError::Invalid));
    assert_eq!(error.status().to_string(), "INTERNAL: certificate signing failed");
    assert_eq!(
        with(true)
            .issue(&grant(), NOW, &mut entropy())
            .unwrap_err()
            .code(),
        "ca.sign"
    );
    let liar = Liar {
        spki: key(5).spki_der().to_vec(),
        key: key(66),
        fails: false,
    };
    let error = CaProfile::root(domain("td"))
        .self_sign(Arc::new(liar), NOW, &mut entropy())
        .unwrap_err();
    assert_eq!(error.code(), "ca.signer_misbehaved");
    let error = with(false)
        .issue_intermediate(
            &ca_grant(&key(8)),
            &CaProfile::intermediate(domain("td")),
            NOW,
            &mut entropy(),
        )
        .unwrap_err();
    assert_eq!(error.code(), "ca.signer_misbehaved");
}

/// Scenario 49, C-SGN-2: a remote key, in both forms of signatures, and too late.
#[test]
fn remote_keys_sign_in_two_steps() {
    let key = key(1);
    let profile = CaProfile::root(domain("td"));
    let (job, request) = profile
        .begin_self_sign("hsm:1", key.spki_der(), key.algorithm(), NOW, &mut entropy())
        .unwrap();
    assert_eq!(request.key_ref, "hsm:1");
    let issued = job
        .finish(&key.sign(&request.message).unwrap(), SignatureFormat::Der, NOW)
        .unwrap();
    let mut ca = profile
        .remote_root(issued.der(), "hsm:1", key.algorithm())
        .unwrap();
    assert_eq!(
        ca.issue(&grant(), NOW, &mut entropy()).unwrap_err(),
        CaError::RemoteKey {
            key_ref: "hsm:1".to_owned()
        }
    );

    let (job, request) = ca.begin(&grant(), NOW, &mut entropy()).unwrap();
    assert_eq!(request.digest.as_ref().map(Vec::len), Some(32));
    let signature = key.sign(&request.message).unwrap();
    let in_time = NOW + Duration::from_secs(30);
    assert_eq!(job.deadline(), in_time);
    let late = job
        .clone()
        .finish(&signature, SignatureFormat::Der, in_time + Duration::from_secs(1));
    assert_eq!(late.unwrap_err(), CaError::JobExpired);
    let svid = job
        .clone()
        .finish(&signature, SignatureFormat::Der, in_time)
        .unwrap();
    ca.trust_bundle().verify(svid.chain(), &strict(NOW)).unwrap();

    // The two numbers side by side.
    let mut numbers = crate::der::single(&signature, crate::der::SEQUENCE)
        .unwrap()
        .reader()
        .unwrap();
    let mut raw = Vec::new();
    for _ in 0..2 {
        let number = numbers.read(crate::der::INTEGER).unwrap().unsigned().unwrap();
        raw.extend(vec![0; 32 - number.len()]);
        raw.extend(number);
    }
    let from_raw = job.clone().finish(&raw, SignatureFormat::Raw, NOW).unwrap();
    assert_eq!(from_raw.leaf(), svid.leaf());
    for wrong in [&raw[..63], &raw[..62], &[]] {
        let error = job.clone().finish(wrong, SignatureFormat::Raw, NOW).unwrap_err();
        assert_eq!(error.code(), "ca.signer_misbehaved");
    }
    let error = job.finish(&raw, SignatureFormat::Der, NOW).unwrap_err();
    assert_eq!(error.code(), "ca.signer_misbehaved");
}

/// C-SIGN-2, C-GEN-3: serial numbers.
#[test]
fn serials_are_positive_and_drawn_anew() {
    struct Bytes(u8);

    impl Entropy for Bytes {
        fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
            buffer.fill(self.0);
            Ok(())
        }
    }

    let mut ca = root();
    assert_eq!(
        ca.issue(&grant(), NOW, &mut Bytes(0)).unwrap_err(),
        CaError::Entropy(EntropyError)
    );
    let svid = ca.issue(&grant(), NOW, &mut Bytes(0xff)).unwrap();
    assert_eq!(svid.record().serial.to_string(), format!("7f{}", "ff".repeat(15)));
}

/// C-SIGN-11.
#[test]
fn common_names_for_those_who_ask() {
    let dual_use = IssuePolicy {
        dual_use: true,
        ..IssuePolicy::default()
    };
    let mut ca = root().with_policy(dual_use);
    let mut subject_of = |id: &SpiffeId, wanted: bool| {
        let csr = CsrBuilder::new(id)
            .with_dns_name("a.b")
            .with_common_name(wanted)
            .build(&key(7))
            .unwrap();
        let svid = ca.issue(&grant_for(&csr, id), NOW, &mut entropy()).unwrap();
        let leaf = Certificate::parse(svid.leaf()).unwrap();
        let critical = leaf.is_subject_alt_name_critical().unwrap();
        (leaf.subject().to_string(), critical, svid.notes().to_vec())
    };
    assert_eq!(subject_of(&id(), true), (format!("CN={}", id()), false, vec![]));
    assert_eq!(subject_of(&id(), false), (String::new(), true, vec![]));
    let long: SpiffeId = format!("spiffe://td/{}", "a".repeat(60)).parse().unwrap();
    assert_eq!(
        subject_of(&long, true),
        (String::new(), true, vec![IssueNote::CommonNameOmitted])
    );
}

/// C-CSR-17, C-SIGN-14: keys of authorities, and hashes that are too weak for them.
#[test]
fn keys_and_hashes_of_the_authority() {
    let mut ca = root();
    let own = KeyPair::generate(&mut InsecureSeededEntropy::new(1)).unwrap();
    let grant = grant_for(&CsrBuilder::new(&id()).build(&own).unwrap(), &id());
    assert_eq!(
        ca.issue(&grant, NOW, &mut entropy()).unwrap_err(),
        CaError::KeyIsIssuer
    );

    #[derive(Debug)]
    struct Weak(KeyPair);

    impl Signer for Weak {
        fn algorithm(&self) -> SignatureAlgorithm {
            SignatureAlgorithm::EcdsaSha256
        }

        fn spki_der(&self) -> &[u8] {
            self.0.spki_der()
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
            self.0.sign(message)
        }
    }

    let p384 = KeyPair::generate_for(KeyAlgorithm::EcdsaP384, &mut entropy()).unwrap();
    let mut ca = CaProfile::root(domain("td"))
        .self_sign(Arc::new(p384.clone()), NOW, &mut entropy())
        .unwrap();
    assert!(ca.issue(&super::tests::grant(), NOW, &mut entropy()).is_ok());
    ca.key = AuthorityKey::Local(Arc::new(Weak(p384)));
    let error = ca.issue(&super::tests::grant(), NOW, &mut entropy()).unwrap_err();
    assert_eq!(error.code(), "ca.weak_hash");
}

/// C-CA-5, C-VFY-10: a constrained authority cannot issue for others, even if it is told to.
#[test]
fn name_constraints_bind_the_authority() {
    let profile = CaProfile::intermediate(domain("td")).with_name_constraints([domain("td")]);
    let mut constrained = below(&mut root(), 2, &profile).unwrap();
    let svid = constrained.issue(&grant(), NOW, &mut entropy()).unwrap();
    constrained
        .trust_bundle()
        .verify(svid.chain(), &strict(NOW))
        .unwrap();
    let domains = TrustDomainSet::new(domain("td")).with_aliases([domain("other")]);
    let mut escaping = constrained.with_trust_domains(&domains);
    let other: SpiffeId = "spiffe://other/a".parse().unwrap();
    let grant = grant_for(&CsrBuilder::new(&other).build(&key(7)).unwrap(), &other);
    let error = escaping.issue(&grant, NOW, &mut entropy()).unwrap_err();
    assert!(matches!(error, CaError::SelfCheckFailed(_)), "{error}");
}

/// C-ROT-1: a renewed root verifies what the old one issued, and the other way round.
#[test]
fn renewed_roots_are_the_same_authority() {
    let mut old = root();
    let svid = old.issue(&grant(), NOW, &mut entropy()).unwrap();
    let later = NOW + DAY / 2;
    let Renewal {
        mut authority,
        issued,
    } = old
        .renew(
            &CaProfile::root(domain("td")),
            later,
            &mut InsecureSeededEntropy::new(77),
        )
        .unwrap();
    let (before, after) = (
        Certificate::parse(old.certificate_der()).unwrap(),
        Certificate::parse(issued.der()).unwrap(),
    );
    assert_eq!(before.subject(), after.subject());
    assert_eq!(before.subject_key_id(), after.subject_key_id());
    assert_eq!(before.public_key_der(), after.public_key_der());
    assert_ne!(before.serial_number(), after.serial_number());
    assert_eq!(authority.trust_bundle().x509_authorities().len(), 2);
    let mut only_new = TrustBundle::new(domain("td"));
    only_new.insert_x509(issued.der()).unwrap();
    only_new.verify(svid.chain(), &strict(later)).unwrap();
    let newer = authority.issue(&grant(), later, &mut entropy()).unwrap();
    old.trust_bundle().verify(newer.chain(), &strict(later)).unwrap();
    let intermediate = below(&mut old, 2, &CaProfile::intermediate(domain("td"))).unwrap();
    let error = intermediate
        .renew(&CaProfile::root(domain("td")), later, &mut entropy())
        .unwrap_err();
    assert_eq!(error.code(), "ca.cross_sign");
}

/// C-ROT-6: with the cross-signed certificate, verifiers that know only the old root accept the new one's leaves.
#[test]
fn cross_signed_roots_are_trusted_by_the_old_one() {
    let mut old = root();
    let profile = CaProfile::root(domain("td")).with_serial_in_subject(true);
    let mut new = profile.self_sign(Arc::new(key(5)), NOW, &mut entropy()).unwrap();
    let certificate = new.certificate_der().to_vec();
    let cross = old
        .cross_sign(&Certificate::parse(&certificate).unwrap(), NOW, &mut entropy())
        .unwrap();
    assert_eq!(cross.not_after(), old.not_after().min(new.not_after()));
    let svid = new.issue(&grant(), NOW, &mut entropy()).unwrap();
    let leaf_only = old.trust_bundle().verify(svid.chain(), &strict(NOW));
    assert!(
        matches!(leaf_only, Err(VerifyError::UnknownIssuer { .. })),
        "{leaf_only:?}"
    );
    let with_cross = [svid.leaf(), cross.der()];
    old.trust_bundle().verify(&with_cross, &strict(NOW)).unwrap();
    let error = old
        .cross_sign(&Certificate::parse(svid.leaf()).unwrap(), NOW, &mut entropy())
        .unwrap_err();
    assert_eq!(error.code(), "ca.cross_sign");
    let own = old.certificate_der().to_vec();
    let error = old
        .cross_sign(&Certificate::parse(&own).unwrap(), NOW, &mut entropy())
        .unwrap_err();
    assert_eq!(error, CaError::KeyIsIssuer);
}

fn pem_of(der: &[u8]) -> Vec<u8> {
    pem::encode(PemLabel::Certificate, der).into_bytes()
}

/// Scenario 66, C-CA-3, C-CA-4: what must belong together in a plugged-in authority.
#[test]
fn plugged_in_authorities_are_checked() {
    let mut root = root();
    let profile = CaProfile::intermediate(domain("td"))
        .with_path_len(Some(1))
        .with_ttl(12 * HOUR);
    let mut first = below(&mut root, 2, &profile).unwrap();
    let second = below(&mut first, 3, &CaProfile::intermediate(domain("td"))).unwrap();
    let (root_pem, first_pem, second_pem) = (
        pem_of(root.certificate_der()),
        pem_of(first.certificate_der()),
        pem_of(second.certificate_der()),
    );
    let good_key: Arc<dyn Signer> = Arc::new(key(3));
    let good = PluggedCa {
        certificate: &second_pem,
        key: Arc::clone(&good_key),
        chain: &first_pem,
        roots: &root_pem,
        crls: None,
    };
    let load = |plugged: &PluggedCa<'_>, now| {
        plugged
            .load(domain("td"), now)
            .map(|_| "ok")
            .unwrap_or_else(|error| error.code())
    };
    let mut authority = good.load(domain("td"), NOW).unwrap();
    // C-CA-4: half a day is left.
    assert_eq!(authority.policy().default_ttl, 12 * HOUR);
    let svid = authority.issue(&grant(), NOW, &mut entropy()).unwrap();
    assert_eq!(svid.chain().len(), 3);
    root.trust_bundle().verify(svid.chain(), &strict(NOW)).unwrap();

    // The chain may repeat the signing certificate and end with the root.
    let whole = [&second_pem[..], &first_pem, &root_pem].concat();
    assert_eq!(
        load(
            &PluggedCa {
                chain: &whole,
                ..good.clone()
            },
            NOW
        ),
        "ok"
    );
    assert_eq!(
        load(
            &PluggedCa {
                chain: b"\n",
                ..good.clone()
            },
            NOW
        ),
        "plugged_ca.gap"
    );
    assert_eq!(
        load(
            &PluggedCa {
                chain: &[&root_pem[..], &first_pem].concat(),
                ..good.clone()
            },
            NOW
        ),
        "ok"
    );
    let wrong_order = [&first_pem[..], &second_pem].concat();
    assert_eq!(
        load(
            &PluggedCa {
                certificate: &first_pem,
                chain: &wrong_order,
                ..good.clone()
            },
            NOW
        ),
        "plugged_ca.key_mismatch"
    );
    assert_eq!(
        load(
            &PluggedCa {
                key: Arc::new(key(4)),
                ..good.clone()
            },
            NOW
        ),
        "plugged_ca.key_mismatch"
    );
    for wrong in [NOW + DAY, NOW - HOUR] {
        assert_eq!(load(&good, wrong), "plugged_ca.expired");
    }
    let leaf = pem_of(svid.leaf());
    let with_leaf = PluggedCa {
        certificate: &leaf,
        key: Arc::new(key(7)),
        ..good.clone()
    };
    assert_eq!(load(&with_leaf, NOW), "plugged_ca.not_authority");
    let other = CaProfile::root(domain("td"))
        .self_sign(Arc::new(key(50)), NOW, &mut entropy())
        .unwrap();
    let other = pem_of(other.certificate_der());
    // A root of the same name with another key.
    assert_eq!(
        load(
            &PluggedCa {
                roots: &other,
                ..good.clone()
            },
            NOW
        ),
        "plugged_ca.signature"
    );
    // The root itself, plugged in.
    let own = PluggedCa {
        certificate: &root_pem,
        key: Arc::new(KeyPair::generate(&mut InsecureSeededEntropy::new(1)).unwrap()),
        chain: b"",
        roots: &root_pem,
        crls: None,
    };
    assert_eq!(load(&own, NOW), "ok");
    // CRLs are there, but none of these authorities'.
    let crl = include_bytes!("../../tests/data/crl.pem");
    assert_eq!(
        load(
            &PluggedCa {
                crls: Some(crl),
                ..good.clone()
            },
            NOW
        ),
        "plugged_ca.crl_missing"
    );
    assert_eq!(
        load(
            &PluggedCa {
                crls: Some(b""),
                ..good
            },
            NOW
        ),
        "plugged_ca.crl_missing"
    );
}

/// P11: with a deterministic signer, the same inputs give the same bytes.
#[cfg(feature = "soft")]
#[test]
fn equal_inputs_give_equal_bytes() {
    let run = || {
        let mut entropy = InsecureSeededEntropy::new(42);
        let key = KeyPair::generate(&mut entropy)
            .unwrap()
            .with_provider(KeyProvider::Soft)
            .unwrap();
        let profile = CaProfile::root(domain("td"));
        let mut ca = profile.self_sign(Arc::new(key), NOW, &mut entropy).unwrap();
        let workload = KeyPair::generate(&mut entropy)
            .unwrap()
            .with_provider(KeyProvider::Soft)
            .unwrap();
        let csr = CsrBuilder::new(&id()).build(&workload).unwrap();
        let svid = ca.issue(&grant_for(&csr, &id()), NOW, &mut entropy).unwrap();
        (
            ca.certificate_der().to_vec(),
            csr.der().to_vec(),
            svid.leaf().to_vec(),
        )
    };
    assert_eq!(run(), run());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// P3: every leaf verifies from its first second to its last, and in neither neighbour.
    #[test]
    fn leaves_verify_exactly_while_they_are_valid(
        kind in 0_usize..3,
        ttl in 60_u64..7_776_000,
        backdate in 0_u64..600,
        offset in 0_u64..86_400,
        compat in any::<bool>(),
        inside in 0_u64..1_000,
    ) {
        let kinds = [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519];
        // P-384 is slow: one case in twenty.
        let kind = if kind == 1 && offset % 20 != 0 { 0 } else { kind };
        let now = NOW + Duration::from_secs(offset);
        let mut ca = root().with_policy(IssuePolicy {
            backdate: Duration::from_secs(backdate),
            profile: if compat { LeafProfile::IstioCompat } else { LeafProfile::Rfc },
            ..IssuePolicy::default()
        });
        let key = KeyPair::generate_for(kinds[kind], &mut InsecureSeededEntropy::new(offset)).unwrap();
        let grant = grant_for(&CsrBuilder::new(&id()).build(&key).unwrap(), &id()).with_ttl(Duration::from_secs(ttl));
        let svid = ca.issue(&grant, now, &mut InsecureSeededEntropy::new(offset)).unwrap();
        let (first, last) = (svid.record().not_before, svid.record().not_after);
        prop_assert_eq!(last, now + Duration::from_secs(ttl));
        let bundle = ca.trust_bundle();
        let between = first + Duration::from_secs(last.saturating_since(first).as_secs() * inside / 1_000);
        for time in [first, between, last, last + Duration::from_millis(999)] {
            prop_assert!(bundle.verify(svid.chain(), &strict(time)).is_ok());
        }
        let second = Duration::from_secs(1);
        for time in [first - second, last + second] {
            prop_assert!(bundle.verify(svid.chain(), &strict(time)).is_err());
        }
    }
}
