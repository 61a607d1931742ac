use std::sync::Arc;
use std::time::Duration;

use super::validate::Expected;
use super::*;
use crate::pem::{self, PemLabel};
use crate::{
    Authority, CaProfile, Caller, CsrBuilder, CsrPolicy, Grant, InsecureSeededEntropy, KeyPair,
    MonotonicTime, NodeView, Now, RequestMeta, SpiffeId, UnixTime, authorize,
};

pub(super) const WALL: UnixTime = UnixTime::from_secs(1_800_000_000);
pub(super) const NOW: Now = Now::new(WALL, MonotonicTime::ORIGIN);
pub(super) const HOUR: Duration = Duration::from_secs(3_600);

pub(super) fn id() -> SpiffeId {
    "spiffe://td/ns/a/sa/b".parse().unwrap()
}

pub(super) fn entropy() -> InsecureSeededEntropy {
    InsecureSeededEntropy::new(4)
}

/// A request, and the grant for it.
pub(super) fn request(seed: u64, signer: &str) -> (Vec<u8>, Grant) {
    let key = KeyPair::generate(&mut InsecureSeededEntropy::new(seed)).unwrap();
    let csr = CsrBuilder::new(&id()).build(&key).unwrap();
    let grant = grant(csr.der(), signer);
    (csr.der().to_vec(), grant)
}

/// The grant for a request of an hour.
pub(super) fn grant(csr: &[u8], signer: &str) -> Grant {
    let meta = RequestMeta {
        cert_signer: signer.to_owned(),
        ..RequestMeta::default()
    };
    let valid = CsrPolicy::istio().check(csr).unwrap();
    let (policy, nodes) = (crate::AuthPolicy::default(), NodeView::default());
    let grant = authorize(&valid, &Caller::from(&id()), &meta, &policy, &nodes);
    grant.unwrap().with_ttl(HOUR)
}

/// The authority behind the signer, with an intermediate.
pub(super) fn authority() -> Authority {
    let domain: crate::TrustDomain = "td".parse().unwrap();
    let mut root = Authority::self_signed(domain.clone(), WALL, &mut InsecureSeededEntropy::new(1)).unwrap();
    let key = KeyPair::generate(&mut InsecureSeededEntropy::new(2)).unwrap();
    let csr = CsrBuilder::for_intermediate(&domain)
        .unwrap()
        .build(&key)
        .unwrap();
    let server: SpiffeId = "spiffe://td/server".parse().unwrap();
    let caller = Caller::from(&server).with_downstream(true);
    let grant = CsrPolicy::istio()
        .check_ca(csr.der())
        .unwrap()
        .authorize(&caller)
        .unwrap();
    let issued = root
        .issue_intermediate(
            &grant,
            &CaProfile::intermediate(domain),
            WALL,
            &mut InsecureSeededEntropy::new(3),
        )
        .unwrap();
    root.intermediate(&issued, Arc::new(key)).unwrap()
}

pub(super) fn kubernetes(domain: &str) -> ExternalCaConfig {
    ExternalCaConfig::new(ExternalSigner::Kubernetes {
        domain: domain.to_owned(),
        default_signer: "example.com/default".to_owned(),
        approve: true,
    })
}

pub(super) fn outputs(machine: &mut ExternalCa) -> Vec<ExternalCaOutput> {
    std::iter::from_fn(|| machine.poll_output()).collect()
}

/// As Kubernetes would give it: the whole chain in one text.
pub(super) fn status(certificates: &[&[u8]]) -> KubernetesCsrStatus {
    use base64::Engine as _;
    let text: String = certificates
        .iter()
        .map(|der| pem::encode(PemLabel::Certificate, der))
        .collect();
    KubernetesCsrStatus {
        conditions: vec![KubernetesCsrCondition {
            kind: "Approved".to_owned(),
            status: "True".to_owned(),
            ..KubernetesCsrCondition::default()
        }],
        certificate: Some(base64::engine::general_purpose::STANDARD.encode(text)),
    }
}

/// A machine that waits for a certificate, and the chain with root that answers it.
pub(super) fn awaiting(config: &ExternalCaConfig) -> (ExternalCa, Vec<Vec<u8>>) {
    let (csr, grant) = request(7, "");
    let mut machine = ExternalCa::new(config, &grant, &csr, NOW, &mut entropy()).unwrap();
    machine.handle_created();
    let _ = outputs(&mut machine);
    let mut ca = authority();
    let svid = ca.issue(&grant, WALL, &mut entropy()).unwrap();
    let mut chain: Vec<Vec<u8>> = svid.chain().iter().map(|der| der.to_vec()).collect();
    chain.extend(svid.roots().iter().cloned());
    (machine, chain)
}

fn answer(mut machine: ExternalCa, chain: &[Vec<u8>]) -> Result<ExternalSvid, &'static str> {
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    machine.handle_status(NOW, &status(&chain));
    let mut outputs = outputs(&mut machine);
    assert_eq!(machine.poll_timeout(), None);
    let last = outputs.pop();
    // C-SGN-5: the object goes on every exit path.
    assert!(
        matches!(outputs.as_slice(), [ExternalCaOutput::Delete { .. }]),
        "{outputs:?}"
    );
    match last {
        Some(ExternalCaOutput::Issued(svid)) => Ok(*svid),
        Some(ExternalCaOutput::Failed(error)) => Err(error.code()),
        other => panic!("{other:?}"),
    }
}

/// C-SGN-5: what Kubernetes is asked, and in which order.
#[test]
fn kubernetes_is_asked_in_order() {
    let (csr, grant) = request(7, "fast");
    let mut machine = ExternalCa::new(&kubernetes("example.com"), &grant, &csr, NOW, &mut entropy()).unwrap();
    let [ExternalCaOutput::Create(object)] = &outputs(&mut machine)[..] else {
        panic!("no object");
    };
    assert!(object.metadata.name.starts_with("csr-workload-"));
    assert_eq!(object.spec.signer_name, "example.com/fast");
    assert_eq!(object.spec.expiration_seconds, Some(3_600));
    let json = serde_json::to_value(object).unwrap();
    assert_eq!(json["apiVersion"], "certificates.k8s.io/v1");
    assert_eq!(json["spec"]["signerName"], "example.com/fast");
    assert!(json.get("status").is_none());
    let name = object.metadata.name.clone();
    machine.handle_created();
    assert_eq!(
        outputs(&mut machine),
        [
            ExternalCaOutput::Approve { name: name.clone() },
            ExternalCaOutput::Watch { name: name.clone() },
            ExternalCaOutput::Get { name: name.clone() },
        ]
    );
    // Nothing yet.
    machine.handle_status(NOW, &KubernetesCsrStatus::default());
    assert_eq!(outputs(&mut machine), []);
    machine.handle_timeout(NOW + Duration::from_secs(59));
    assert_eq!(outputs(&mut machine), []);
    machine.handle_timeout(NOW + Duration::from_secs(60));
    assert_eq!(
        outputs(&mut machine),
        [
            ExternalCaOutput::Delete { name },
            ExternalCaOutput::Failed(ExternalCaError::TimedOut)
        ]
    );

    let error = ExternalCa::new(&kubernetes(""), &grant, &csr, NOW, &mut entropy()).unwrap_err();
    assert_eq!(error, ExternalCaError::SignerWithoutDomain);
    let (other, _) = request(8, "");
    let error = ExternalCa::new(&kubernetes("example.com"), &grant, &other, NOW, &mut entropy()).unwrap_err();
    assert_eq!(error, ExternalCaError::CsrMismatch);
    let grant = grant.with_ttl(Duration::from_secs(60));
    let mut machine = ExternalCa::new(&kubernetes("example.com"), &grant, &csr, NOW, &mut entropy()).unwrap();
    let [ExternalCaOutput::Create(object)] = &outputs(&mut machine)[..] else {
        panic!("no object");
    };
    assert_eq!(object.spec.expiration_seconds, Some(600));
}

/// C-SGN-5: conditions that end the wait.
#[test]
fn refusals_end_the_wait() {
    for kind in ["Denied", "Failed"] {
        let (mut machine, _) = awaiting(&kubernetes("example.com"));
        let status = KubernetesCsrStatus {
            conditions: vec![KubernetesCsrCondition {
                kind: kind.to_owned(),
                status: "True".to_owned(),
                message: "no".to_owned(),
                ..KubernetesCsrCondition::default()
            }],
            certificate: None,
        };
        machine.handle_status(NOW, &status);
        let reason = format!("{kind} no");
        assert_eq!(
            outputs(&mut machine).pop(),
            Some(ExternalCaOutput::Failed(ExternalCaError::Refused { reason }))
        );
        // Later news change nothing.
        machine.handle_failed("late");
        machine.handle_timeout(NOW + HOUR);
        assert_eq!(outputs(&mut machine), []);
    }
}

/// C-SGN-4, C-SGN-6: what comes back is checked as if a stranger had sent it.
#[test]
fn answers_are_checked() {
    let config = kubernetes("example.com");
    let (machine, chain) = awaiting(&config);
    let svid = answer(machine, &chain).unwrap();
    assert_eq!((svid.chain().len(), svid.roots().len()), (2, 1));
    assert_eq!(svid.not_after(), WALL + HOUR);
    assert_eq!(svid.response_chain().len(), 3);

    // With a configured root, the answer need not bring one.
    let rooted = ExternalCaConfig {
        roots: vec![chain[2].clone()],
        ..config.clone()
    };
    assert_eq!(answer(awaiting(&rooted).0, &chain[..2]).unwrap(), svid);
    assert_eq!(answer(awaiting(&rooted).0, &chain).unwrap(), svid);
    let twice = [chain.clone(), chain.clone()].concat();
    assert_eq!(answer(awaiting(&rooted).0, &twice).unwrap(), svid);
    let foreign =
        Authority::self_signed("td".parse().unwrap(), WALL, &mut InsecureSeededEntropy::new(9)).unwrap();
    let strange = ExternalCaConfig {
        roots: vec![foreign.certificate_der().to_vec()],
        ..config.clone()
    };
    assert_eq!(answer(awaiting(&strange).0, &chain), Err("external_ca.verify"));

    assert_eq!(
        answer(awaiting(&config).0, &chain[..1]),
        Err("external_ca.no_root")
    );
    let leaf_last = [chain[2].clone(), chain[1].clone(), chain[0].clone()];
    assert_eq!(
        answer(awaiting(&config).0, &leaf_last),
        Err("external_ca.no_root")
    );
    assert_eq!(answer(awaiting(&config).0, &[]), Err("external_ca.pem"));

    // Another key, other names, a longer life.
    let mut ca = authority();
    let mut issue = |grant: &Grant| {
        let svid = ca.issue(grant, WALL, &mut entropy()).unwrap();
        let mut chain: Vec<Vec<u8>> = svid.chain().iter().map(|der| der.to_vec()).collect();
        chain.extend(svid.roots().iter().cloned());
        chain
    };
    let (_, other_key) = request(8, "");
    let (_, same) = request(7, "");
    assert_eq!(
        answer(awaiting(&config).0, &issue(&other_key)),
        Err("external_ca.key_mismatch")
    );
    let more_names = same.clone().with_dns_names(["b.a"]).unwrap();
    assert_eq!(
        answer(awaiting(&config).0, &issue(&more_names)),
        Err("external_ca.name_mismatch")
    );
    // As many names, but not the same ones: a name that is asked for twice makes no room for another.
    let key = KeyPair::generate(&mut InsecureSeededEntropy::new(7)).unwrap();
    let twice = CsrBuilder::new(&id())
        .with_dns_name("a.b")
        .with_dns_name("A.b")
        .build(&key)
        .unwrap();
    let policy = CsrPolicy::istio().with_dns_names(true);
    let twice = policy.check(twice.der()).unwrap();
    assert_eq!(twice.dns_names(), ["a.b"]);
    let expected = Expected::new(&config, &twice.authorize(&Caller::from(&id())).unwrap(), HOUR);
    let mut names = |names: &[&str]| {
        let grant = same.clone().with_dns_names(names.iter().copied()).unwrap();
        let check = expected.check(issue(&grant), WALL);
        check.map_or_else(|error| error.code(), |_| "ok")
    };
    assert_eq!(names(&["a.b"]), "ok");
    assert_eq!(names(&[]), "external_ca.name_mismatch");
    assert_eq!(names(&["c.d"]), "external_ca.name_mismatch");
    assert_eq!(names(&["a.b", "c.d"]), "external_ca.name_mismatch");
    let longer = same.clone().with_ttl(2 * HOUR);
    assert_eq!(
        answer(awaiting(&config).0, &issue(&longer)),
        Err("external_ca.ttl_too_long")
    );
    let shorter = same.with_ttl(HOUR / 2);
    assert!(answer(awaiting(&config).0, &issue(&shorter)).is_ok());
}

/// C-SGN-7: Vault's form, with what it repeats.
#[test]
fn vault_is_asked_once() {
    let config = ExternalCaConfig::new(ExternalSigner::Vault);
    let (csr, grant) = request(7, "");
    let (_, chain) = awaiting(&kubernetes("example.com"));
    let text = |at: usize| pem::encode(PemLabel::Certificate, &chain[at]);
    let mut machine = ExternalCa::new(&config, &grant, &csr, NOW, &mut entropy()).unwrap();
    let [ExternalCaOutput::VaultSign(request)] = &outputs(&mut machine)[..] else {
        panic!("no request");
    };
    assert_eq!(request.ttl.as_deref(), Some("3600s"));
    assert_eq!(request.uri_sans, id().as_str());
    assert!(request.exclude_cn_from_sans);
    let response = VaultSignResponse {
        certificate: text(0),
        issuing_ca: text(1),
        ca_chain: vec![text(1), text(2)],
    };
    machine.handle_vault_response(NOW, &response);
    let [ExternalCaOutput::Issued(svid)] = &outputs(&mut machine)[..] else {
        panic!("nothing issued");
    };
    assert_eq!((svid.chain().len(), svid.roots().len()), (2, 1));

    let mut machine = ExternalCa::new(&config, &grant, &csr, NOW, &mut entropy()).unwrap();
    machine.handle_vault_response(NOW, &VaultSignResponse::default());
    let failed = outputs(&mut machine).pop();
    assert_eq!(failed, Some(ExternalCaOutput::Failed(ExternalCaError::NoRoot)));
}

/// C-SGN-5: Kubernetes signs for no less than ten minutes, which is told; Vault takes whole seconds.
#[test]
fn short_lives_are_raised() {
    let (csr, grant) = request(7, "");
    let begin = |config: &ExternalCaConfig, ttl: Duration| {
        let grant = grant.clone().with_ttl(ttl);
        ExternalCa::new(config, &grant, &csr, NOW, &mut entropy()).unwrap()
    };
    let short = Duration::from_secs(60);
    let mut machine = begin(&kubernetes(""), short);
    assert_eq!(machine.raised_ttl(), Some(10 * short));
    let [ExternalCaOutput::Create(object)] = &outputs(&mut machine)[..] else {
        panic!("no object");
    };
    assert_eq!(object.spec.expiration_seconds, Some(600));
    assert_eq!(begin(&kubernetes(""), 10 * short).raised_ttl(), None);
    assert_eq!(begin(&kubernetes(""), Duration::ZERO).raised_ttl(), None);

    let vault = ExternalCaConfig::new(ExternalSigner::Vault);
    let mut machine = begin(&vault, Duration::from_millis(1));
    let [ExternalCaOutput::VaultSign(asked)] = &outputs(&mut machine)[..] else {
        panic!("no request");
    };
    assert_eq!(asked.ttl.as_deref(), Some("1s"));
    let mut machine = begin(&vault, Duration::ZERO);
    let [ExternalCaOutput::VaultSign(asked)] = &outputs(&mut machine)[..] else {
        panic!("no request");
    };
    assert_eq!(asked.ttl, None);
}

/// C-SGN-8: a request for an authority is no request of a workload, and neither it nor one that was changed after it was
/// validated is passed on. `CaGrant` is another type than `Grant`.
#[test]
fn nothing_unvalidated_is_passed_on() {
    let key = KeyPair::generate(&mut entropy()).unwrap();
    let ca_csr = CsrBuilder::for_intermediate(&"td".parse().unwrap())
        .unwrap()
        .build(&key)
        .unwrap();
    let error = CsrPolicy::istio().check(ca_csr.der()).unwrap_err();
    assert_eq!(error.code(), "csr.ca_requested");
    let (csr, grant) = request(7, "");
    for config in [kubernetes(""), ExternalCaConfig::new(ExternalSigner::Vault)] {
        let begin = |csr: &[u8]| {
            ExternalCa::new(&config, &grant, csr, NOW, &mut entropy())
                .map(|mut machine| outputs(&mut machine))
        };
        assert_eq!(begin(ca_csr.der()), Err(ExternalCaError::CsrMismatch));
        assert_eq!(begin(&[]), Err(ExternalCaError::CsrMismatch));
        for at in 0..csr.len() {
            let mut changed = csr.clone();
            changed[at] ^= 1;
            assert_eq!(begin(&changed), Err(ExternalCaError::CsrMismatch), "{at}");
        }
        assert!(begin(&csr).is_ok());
    }
}
