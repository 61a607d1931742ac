//! C-API-2: what is data can be saved, comes back equal, and comes back only if it could have been built.

mod pki;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use mesh_ca::agent::{AgentAlarm, StreamId};
use mesh_ca::federation::Fetched;
use mesh_ca::jwt::{HeaderPolicy, JwsAlgorithm, JwtMinter, JwtRequest, JwtVerifyOptions};
use mesh_ca::registry::{AttestedAgent, RegistrationEntry, Registry, Selector};
use mesh_ca::rotation::{AnchorSet, AnchorSource};
use mesh_ca::{
    Authority, BasicConstraints, Budgets, CaProfile, Caller, CallerError, Certificate, Crl, CrlNumber,
    CrlSet, Csr, CsrBuilder, CsrWarning, IdMatcher, InsecureSeededEntropy, IssueNote, IssuedCa, IssuedCrl,
    IssuedSvid, KeyPair, KeyPurpose, KeyUsage, Limits, NodeView, Pod, PodPhase, Profile, Revocation,
    RevocationPolicy, RevocationStore, RevokedEntry, Severity, SignRequest, SignatureAlgorithm,
    SignatureFormat, SpiffeId, Status, StatusCode, TrustedProxies, UnixTime, UnverifiedClaims, VerifyOptions,
    VerifyPolicy, pem,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use pki::{NOW, issue};

const CRL: &[u8] = include_bytes!("data/crl.pem");
const ROOT: &[u8] = include_bytes!("data/root.pem");

fn web() -> SpiffeId {
    "spiffe://example.org/web".parse().unwrap()
}

fn authority(seed: u64) -> Authority {
    let mut entropy = InsecureSeededEntropy::new(seed);
    Authority::self_signed("example.org".parse().unwrap(), NOW, &mut entropy).unwrap()
}

fn to_value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap()
}

/// Through text, as a file has it.
fn read<T: DeserializeOwned>(saved: &Value) -> Result<T, String> {
    serde_json::from_str(&saved.to_string()).map_err(|error| error.to_string())
}

#[track_caller]
fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Value {
    let saved = to_value(value);
    assert_eq!(read::<T>(&saved).as_ref(), Ok(value));
    saved
}

#[track_caller]
fn is_refused<T: DeserializeOwned + Debug>(saved: &Value) {
    let result = read::<T>(saved);
    assert!(result.is_err(), "{saved} was read as {result:?}");
}

#[test]
fn plain_data_comes_back() {
    assert_eq!(comes_back(&KeyPurpose::ServerAuth), "ServerAuth");
    comes_back(&BasicConstraints {
        ca: true,
        path_len: Some(3),
    });
    assert_eq!(comes_back(&HeaderPolicy::Lenient), "Lenient");
    comes_back(&JwsAlgorithm::Es384);
    comes_back(&JwtVerifyOptions::new(NOW, ["ratings"]));
    comes_back(&CsrWarning::IstioRefusesNames);
    comes_back(&IssueNote::CutToIssuer { not_after: NOW });
    comes_back(&UnverifiedClaims::default());
    comes_back(&SignatureFormat::Raw);
    comes_back(&SignRequest {
        key_ref: "kms/1".to_owned(),
        algorithm: SignatureAlgorithm::EcdsaSha256,
        message: vec![1, 2, 255],
        digest: None,
    });
    comes_back(&RevokedEntry {
        revoked_at: NOW,
        reason: mesh_ca::RevocationReason::Superseded,
        invalid_since: None,
    });
    comes_back(&Fetched::ok(vec![0, 255]));
    comes_back(&AgentAlarm::UnknownResource {
        stream: StreamId(3),
        name: "x".to_owned(),
    });
    is_refused::<KeyPurpose>(&json!("serverAuth2"));
    is_refused::<Fetched>(&json!({"status": 200, "body": "*", "redirects": [], "peer": null}));
}

/// C-API-1: proofs cannot be read back. What a type can be is asked of the compiler: if one of them could be deserialised, two
/// implementations would fit, and this would not build.
#[test]
fn proofs_are_no_data() {
    trait Pick<Case> {
        fn pick() -> bool {
            true
        }
    }
    impl<T> Pick<()> for T {}
    struct CanBeRead;
    impl<T: DeserializeOwned> Pick<CanBeRead> for T {}

    assert!(<mesh_ca::ValidCsr as Pick<_>>::pick());
    assert!(<mesh_ca::ValidCaCsr as Pick<_>>::pick());
    assert!(<mesh_ca::Grant as Pick<_>>::pick());
    assert!(<mesh_ca::CaGrant as Pick<_>>::pick());
    assert!(<mesh_ca::Verified as Pick<_>>::pick());
    assert!(<mesh_ca::VerifiedPath as Pick<_>>::pick());
    assert!(<mesh_ca::ExternalSvid as Pick<_>>::pick());
    assert!(<mesh_ca::jwt::JwtSvid as Pick<_>>::pick());
    // What can be read fits both, so that one has to be named.
    assert!(<IssuedSvid as Pick<CanBeRead>>::pick());
}

#[test]
fn statuses_come_back() {
    let status = Status::new(StatusCode::Internal, "certificate signing failed");
    let saved = comes_back(&status);
    assert_eq!(
        saved,
        json!({"code": "Internal", "message": "certificate signing failed"})
    );
    is_refused::<Status>(&json!({"code": "Fine", "message": ""}));
    is_refused::<Status>(&json!({"code": "Internal"}));
    is_refused::<Status>(&json!({"code": "Internal", "message": "", "detail": ""}));
}

#[test]
fn numbers_keep_their_bounds() {
    let usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::DECIPHER_ONLY;
    assert_eq!(comes_back(&usage), 0x101);
    is_refused::<KeyUsage>(&json!(0x200));
    is_refused::<KeyUsage>(&json!(-1));

    let number = CrlNumber::from_bytes(&[0x7f; 20]).unwrap();
    let mut saved = comes_back(&number);
    // 2^159 has no place in twenty octets that are not negative.
    saved[0] = json!(0x80);
    is_refused::<CrlNumber>(&saved);
}

#[test]
fn trusted_proxies_are_their_text() {
    let proxies = TrustedProxies::parse(" 10.0.0.0/8, ::1/128,192.0.2.1/32").unwrap();
    assert_eq!(comes_back(&proxies), "10.0.0.0/8,::1/128,192.0.2.1/32");
    assert_eq!(comes_back(&TrustedProxies::default()), "");
    for wrong in [
        "10.0.0.0",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "host/8",
        "10.0.0.0/8;::1/128",
    ] {
        assert_eq!(TrustedProxies::parse(wrong), Err(CallerError::Network), "{wrong}");
        is_refused::<TrustedProxies>(&json!(wrong));
    }
    is_refused::<TrustedProxies>(&json!(["10.0.0.0/8"]));
}

fn pod(name: &str, phase: PodPhase) -> Pod {
    Pod {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        uid: format!("uid-{name}"),
        service_account: "reviews".to_owned(),
        node: "node-1".to_owned(),
        phase,
    }
}

#[test]
fn pods_come_back_with_their_counts() {
    let mut nodes = NodeView::default();
    nodes.insert("empty", pod("a", PodPhase::Running));
    nodes.remove("empty", "shop", "a");
    for (name, phase) in [
        ("a", PodPhase::Running),
        ("b", PodPhase::Failed),
        ("c", PodPhase::Succeeded),
    ] {
        nodes.insert("one", pod(name, phase));
    }
    // Equality is that of the counts too.
    let saved = comes_back(&nodes);
    assert_eq!(saved["one"].as_array().unwrap().len(), 3);
    assert_eq!(saved["empty"], json!([]));

    let mut twice = saved.clone();
    let again = twice["one"][0].clone();
    twice["one"].as_array_mut().unwrap().push(again);
    is_refused::<NodeView>(&twice);
    let mut wrong = saved;
    wrong["one"][0]["phase"] = json!("Dreaming");
    is_refused::<NodeView>(&wrong);
}

#[test]
fn anchors_are_checked_when_they_come_back() {
    let mut anchors = AnchorSet::default();
    let root = pem::parse_one(ROOT, pem::PemLabel::Certificate).unwrap();
    let own = authority(1).certificate_der().to_vec();
    anchors
        .update(AnchorSource::MeshConfig, vec![root, own.clone()])
        .unwrap();
    anchors.update(AnchorSource::IstioCa, vec![own]).unwrap();
    anchors.update(AnchorSource::IstioRa, Vec::new()).unwrap();
    let saved = comes_back(&anchors);
    assert_eq!(saved["MeshConfig"].as_array().unwrap().len(), 2);

    let mut ca = authority(1);
    let leaf = IssuedSvid::leaf(&issue(&mut ca, &web(), 2)).to_vec();
    let mut wrong = to_value(&anchors);
    // The leaf in base64, as a value that is saved so.
    wrong["IstioRa"] = json!([to_value(&Fetched::ok(leaf))["body"]]);
    is_refused::<AnchorSet>(&wrong);
    wrong["IstioRa"] = json!(["MAA="]);
    is_refused::<AnchorSet>(&wrong);
    wrong["IstioRa"] = json!(["no base64"]);
    is_refused::<AnchorSet>(&wrong);
    is_refused::<AnchorSet>(&json!({"Moon": []}));
}

#[test]
fn policies_of_verification_come_back_and_count() {
    let policy = VerifyPolicy {
        purpose: Some(KeyPurpose::ClientAuth),
        profile: Profile {
            signing_uri: Severity::Refuse,
            ..Profile::STRICT_SPIFFE
        },
        expected: Some(IdMatcher::Exact(web())),
        revocation: RevocationPolicy::default(),
        leeway: Duration::from_millis(1_500),
        enforce_anchor_validity: false,
        max_path_len: Some(0),
        budgets: Budgets {
            signatures: 7,
            ..Budgets::default()
        },
        limits: Limits {
            chain: 3,
            ..Limits::default()
        },
    };
    comes_back(&policy);
    let default = comes_back(&VerifyPolicy::default());
    assert_eq!(read::<VerifyPolicy>(&json!({})), Ok(VerifyPolicy::default()));
    // A name that is not known lets nobody in.
    for wrong in [
        json!({"expect": "any"}),
        json!({"leeway": -1}),
        json!({"purpose": "Any"}),
        json!({"now": default["leeway"]}),
    ] {
        is_refused::<VerifyPolicy>(&wrong);
    }

    // Each part reaches the verification.
    let mut ca = authority(1);
    let svid = issue(&mut ca, &web(), 2);
    let verify = |policy: &VerifyPolicy, now: UnixTime| {
        let options = VerifyOptions::at(now).with_policy(policy);
        let result = ca.trust_bundle().verify(svid.chain(), &options);
        result.map(|_| ()).map_err(|error| error.code())
    };
    let with = |change: &dyn Fn(&mut VerifyPolicy)| {
        let mut policy = VerifyPolicy::default();
        change(&mut policy);
        read::<VerifyPolicy>(&to_value(&policy)).unwrap()
    };
    let late = NOW + Duration::from_secs(86_401);
    assert_eq!(verify(&VerifyPolicy::default(), NOW), Ok(()));
    assert_eq!(verify(&VerifyPolicy::default(), late), Err("verify.expired"));
    let lenient = with(&|policy| policy.leeway = Duration::from_secs(1));
    assert_eq!(verify(&lenient, late), Ok(()));
    let other = IdMatcher::Exact("spiffe://example.org/other".parse().unwrap());
    let expecting = with(&|policy| policy.expected = Some(other.clone()));
    assert_eq!(verify(&expecting, NOW), Err("verify.not_expected"));
    let strict = with(&|policy| policy.budgets.signatures = 0);
    assert_eq!(verify(&strict, NOW), Err("verify.budget_exceeded"));
    let small = with(&|policy| policy.limits.certificate = 10);
    assert!(verify(&small, NOW).is_err());
    // What was set before is replaced.
    let options = VerifyOptions::at(NOW).with_expected(&other);
    let options = options.with_policy(&lenient);
    assert!(ca.trust_bundle().verify(svid.chain(), &options).is_ok());
}

#[test]
fn requests_for_tokens_are_checked() {
    let request = JwtRequest::new(web(), ["ratings", ""])
        .with_ttl(Duration::from_secs(9))
        .with_claim("tier", &"gold")
        .unwrap()
        .with_claim("limits", &json!({"a": [1.5, -3, null], "b": "\u{1}\"}"}))
        .unwrap();
    let saved = comes_back(&request);
    assert_eq!(saved["claims"]["tier"], "\"gold\"");
    let minter = JwtMinter::new(KeyPair::generate(&mut InsecureSeededEntropy::new(1)).unwrap()).unwrap();
    let mint = |request: &JwtRequest| {
        let token = minter
            .mint(request, NOW, &mut InsecureSeededEntropy::new(2))
            .unwrap();
        token.rsplit_once('.').unwrap().0.to_owned()
    };
    assert_eq!(mint(&read(&saved).unwrap()), mint(&request));

    // Claims that would say more than they seem to.
    for value in [
        "1,\"exp\":9",
        "1}{",
        "",
        " ",
        "nul",
        "1 2",
        "\"a",
        "{\"a\":1,\"a\":2}",
        "\u{feff}1",
    ] {
        let mut wrong = saved.clone();
        wrong["claims"]["tier"] = json!(value);
        is_refused::<JwtRequest>(&wrong);
    }
    for name in ["exp", "sub", "aud", "iat", "nbf", "iss", "jti"] {
        let mut wrong = saved.clone();
        wrong["claims"][name] = json!("1");
        is_refused::<JwtRequest>(&wrong);
    }
    let mut wrong = saved.clone();
    wrong["spiffe_id"] = json!("spiffe://Example.org/web");
    is_refused::<JwtRequest>(&wrong);
    // C-BND-5's depth: nobody could read such a token.
    let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
    assert!(request.with_claim("deep", &deep).is_err());
}

#[test]
fn certificates_come_back_as_what_they_are() {
    let mut root = authority(1);
    let profile = CaProfile::intermediate("example.org".parse().unwrap());
    let mut ca = pki::below(&mut root, &"example.org".parse().unwrap(), &profile, 3);
    let svid = issue(&mut ca, &web(), 2);
    let saved = comes_back(&svid);
    assert_eq!(saved["chain"].as_array().unwrap().len(), 2);

    let other = to_value(&issue(&mut ca, &web(), 5));
    for field in ["serial", "spki_digest"] {
        let mut wrong = saved.clone();
        wrong["record"][field] = other["record"][field].clone();
        is_refused::<IssuedSvid>(&wrong);
    }
    for (field, value) in [
        ("id", json!("spiffe://example.org/root")),
        ("issuer_key_id", json!("00")),
        ("not_before", to_value(&(NOW + Duration::from_secs(1)))),
        ("not_after", to_value(&(NOW + Duration::from_secs(1 << 30)))),
    ] {
        let mut wrong = saved.clone();
        wrong["record"][field] = value;
        is_refused::<IssuedSvid>(&wrong);
    }
    let chain = saved["chain"].as_array().unwrap();
    for (field, value) in [
        ("chain", json!([])),
        ("chain", json!([chain[1], chain[0]])),
        ("chain", json!([chain[0], chain[0]])),
        ("roots", json!([chain[0]])),
        ("roots", json!(["MAA="])),
    ] {
        let mut wrong = saved.clone();
        wrong[field] = value;
        is_refused::<IssuedSvid>(&wrong);
    }

    let id = "spiffe://example.org/server".parse().unwrap();
    let key = KeyPair::generate(&mut InsecureSeededEntropy::new(7)).unwrap();
    let csr = CsrBuilder::for_intermediate(&"example.org".parse().unwrap()).unwrap();
    let csr = csr.build(&key).unwrap();
    let grant = mesh_ca::CsrPolicy::istio().check_ca(csr.der()).unwrap();
    let grant = grant.authorize(&Caller::from(&id).with_downstream(true)).unwrap();
    let issued = root
        .issue_intermediate(&grant, &profile, NOW, &mut InsecureSeededEntropy::new(8))
        .unwrap();
    let saved = comes_back(&issued);
    assert!(saved.is_string());
    is_refused::<IssuedCa>(&chain[0]);
    is_refused::<IssuedCa>(&json!("MAA="));

    let saved = comes_back(&csr);
    for wrong in [json!("MAA="), chain[0].clone()] {
        let mut csr = saved.clone();
        csr["der"] = wrong;
        is_refused::<Csr>(&csr);
    }
}

/// C-CRL-8: a restart lets no older CRL in.
#[test]
fn lists_of_revoked_certificates_come_back() {
    let key = Arc::new(KeyPair::generate(&mut InsecureSeededEntropy::new(3)).unwrap());
    let ca = CaProfile::root("example.org".parse().unwrap())
        .self_sign(
            Arc::<KeyPair>::clone(&key),
            NOW,
            &mut InsecureSeededEntropy::new(4),
        )
        .unwrap();
    let certificate = Certificate::parse(ca.certificate_der()).unwrap();
    let mut store = RevocationStore::new();
    let week = Duration::from_secs(7 * 86_400);
    let issue_crl =
        |store: &mut RevocationStore, at: UnixTime| store.issue_crl(&certificate, &*key, at, week).unwrap();
    let first = issue_crl(&mut store, NOW);
    let issuer = ca.key_id().clone();
    let serial = "0a0b".parse().unwrap();
    let gone = Revocation::new(serial, NOW, NOW + Duration::from_secs(9_999));
    store.revoke(&issuer, gone).unwrap();
    let second = issue_crl(&mut store, NOW + Duration::from_secs(60));
    comes_back(&second);
    is_refused::<IssuedCrl>(&json!("MAA="));

    let parse = |crl: &IssuedCrl| Crl::parse(crl.der(), &Limits::default()).unwrap();
    let saved = comes_back(&parse(&second));
    assert_eq!(saved, to_value(&second));
    is_refused::<Crl>(&json!("MAA="));
    let mut set = CrlSet::new();
    comes_back(&set);
    set.update([parse(&second)]).unwrap();
    let saved = comes_back(&set);
    set.update_from_pem(b"", &Limits::default()).unwrap();
    for set in [set, read(&saved).unwrap()] {
        let mut set: CrlSet = read(&to_value(&set)).unwrap();
        assert!(set.update([parse(&first)]).is_err(), "the number is remembered");
        assert!(set.update([parse(&second)]).is_ok());
    }
    // A CRL below the number that it is saved with.
    let mut wrong = saved.clone();
    wrong["crls"] = json!([to_value(&first)]);
    is_refused::<CrlSet>(&wrong);
    let mut more = saved;
    more["more"] = json!(1);
    is_refused::<CrlSet>(&more);
    let file = Crl::from_pem(CRL, &Limits::default()).unwrap();
    comes_back(&file);
}

#[test]
fn registries_come_back() {
    let agent: SpiffeId = "spiffe://example.org/spire/agent/1".parse().unwrap();
    let mut registry = Registry::new("example.org".parse().unwrap());
    registry.attest_agent(AttestedAgent {
        id: agent.clone(),
        selectors: ["a:b".parse().unwrap()].into(),
        expires_at: Some(NOW),
        banned: true,
    });
    let entry = |name: &str| {
        RegistrationEntry::new(name, agent.clone(), web())
            .with_selector(format!("unix:{name}").parse().unwrap())
    };
    registry.insert(entry("one")).unwrap();
    registry.insert(entry("two")).unwrap();
    registry.update(entry("two")).unwrap();
    let saved = comes_back(&registry);
    let restored: Registry = read(&saved).unwrap();
    let attested = ["unix:two".parse::<Selector>().unwrap()].into();
    assert_eq!(
        restored.matching(&agent, &attested, NOW),
        registry.matching(&agent, &attested, NOW)
    );
    assert_eq!(saved["entries"][1]["revision"], 1);

    let mut twice = saved.clone();
    twice["entries"][1] = twice["entries"][0].clone();
    is_refused::<Registry>(&twice);
    let mut foreign = saved.clone();
    foreign["entries"][0]["spiffe_id"] = json!("spiffe://other/web");
    is_refused::<Registry>(&foreign);
    let mut reserved = saved.clone();
    reserved["entries"][0]["spiffe_id"] = json!("spiffe://example.org/spire/x");
    is_refused::<Registry>(&reserved);
    let mut agents = saved.clone();
    let again = agents["agents"][0].clone();
    agents["agents"].as_array_mut().unwrap().push(again);
    is_refused::<Registry>(&agents);
}

#[cfg(feature = "rustls")]
#[test]
fn what_peers_are_verified_with_comes_back() {
    use mesh_ca::rustls::PeerTrust;

    let trust = PeerTrust::new(authority(1).trust_bundle().clone().into());
    comes_back(&trust);
    is_refused::<PeerTrust>(&json!({}));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever is read as a list of networks is written as one that means the same.
    #[test]
    fn networks_come_back(
        parts in prop::collection::vec((any::<std::net::IpAddr>(), 0u8..=128), 0..5),
        peer: std::net::IpAddr,
    ) {
        let text: Vec<String> = parts.iter().map(|(address, length)| format!("{address}/{length}")).collect();
        let text = text.join(",");
        let fits = parts.iter().all(|(address, length)| address.is_ipv6() || *length <= 32);
        match TrustedProxies::parse(&text) {
            Ok(proxies) => {
                prop_assert!(fits);
                let again: TrustedProxies = read(&to_value(&proxies)).map_err(TestCaseError::fail)?;
                prop_assert_eq!(again.contains(peer), proxies.contains(peer));
                prop_assert_eq!(again, proxies);
            }
            Err(_) => prop_assert!(!fits),
        }
    }

    /// Pods, in whatever order they came and went.
    #[test]
    fn views_of_nodes_come_back(
        steps in prop::collection::vec((0u8..3, 0u8..4, 0u8..6), 0..24),
    ) {
        let mut nodes = NodeView::default();
        for (cluster, name, phase) in steps {
            let (cluster, name) = (format!("cluster-{cluster}"), format!("pod-{name}"));
            let phases = [PodPhase::Failed, PodPhase::Pending, PodPhase::Running, PodPhase::Succeeded, PodPhase::Unknown];
            match phases.get(usize::from(phase)) {
                Some(phase) => nodes.insert(&cluster, pod(&name, *phase)),
                None => drop(nodes.remove(&cluster, "shop", &name)),
            }
            let again: NodeView = read(&to_value(&nodes)).map_err(TestCaseError::fail)?;
            prop_assert_eq!(&again, &nodes);
        }
    }

    /// Any claim that is taken comes back, and one that is not is not read either.
    #[test]
    fn claims_come_back(name in "[a-z]{1,4}", value in "\\PC{0,12}", text in "\\PC{0,12}") {
        if let Ok(request) = JwtRequest::new(web(), ["a"]).with_claim(&name, &value) {
            let again: JwtRequest = read(&to_value(&request)).map_err(TestCaseError::fail)?;
            prop_assert_eq!(again, request);
        }
        let saved = json!({"spiffe_id": web(), "audiences": ["a"], "claims": {&name: &text}});
        let is_json = serde_json::from_str::<Value>(&text).is_ok();
        let is_registered = ["aud", "exp", "iat", "iss", "jti", "nbf", "sub"].contains(&name.as_str());
        prop_assert_eq!(read::<JwtRequest>(&saved).is_ok(), is_json && !is_registered);
    }
}
