use proptest::prelude::*;

use super::*;
use crate::{
    CsrBuilder, CsrPolicy, CsrProfile, InsecureSeededEntropy, KeyPair, KeySet, KeyStatus, SanMode,
    StatusCode, TrustDomain, default_verifier,
};

fn id(text: &str) -> SpiffeId {
    text.parse().unwrap()
}

fn key() -> KeyPair {
    KeyPair::generate(&mut InsecureSeededEntropy::new(3)).unwrap()
}

fn csr(text: &str) -> ValidCsr {
    let csr = CsrBuilder::new(&id(text)).build(&key()).unwrap();
    CsrPolicy::istio().check(csr.der()).unwrap()
}

fn policy(mode: AuthMode) -> AuthPolicy {
    AuthPolicy {
        mode,
        ..AuthPolicy::default()
    }
}

fn ask(csr: &ValidCsr, caller: &Caller, policy: &AuthPolicy) -> Result<SpiffeId, &'static str> {
    authorize(csr, caller, &RequestMeta::default(), policy, &NodeView::default())
        .map(|grant| grant.id().clone())
        .map_err(|error| error.code())
}

/// Scenario 35, C-AUTH-3: a request for somebody else.
#[test]
fn the_request_names_the_caller() {
    let request = csr("spiffe://td/ns/a/sa/b");
    let other = Caller::from(&id("spiffe://td/ns/a/sa/c"));
    assert_eq!(
        ask(&request, &other, &policy(AuthMode::Match)),
        Err("auth.mismatch")
    );
    assert_eq!(
        ask(&request, &other, &policy(AuthMode::RaMatch)),
        Err("auth.mismatch")
    );
    // istiod's own authority does not look at the request.
    assert_eq!(
        ask(&request, &other, &policy(AuthMode::IstioCompat)),
        Ok(id("spiffe://td/ns/a/sa/c"))
    );
    let same = Caller::from(&id("spiffe://td/ns/a/sa/b"));
    for mode in [AuthMode::Match, AuthMode::RaMatch, AuthMode::IstioCompat] {
        assert_eq!(
            ask(&request, &same, &policy(mode)),
            Ok(id("spiffe://td/ns/a/sa/b"))
        );
    }
}

/// Scenario 36: a caller with no SPIFFE id, or with two.
#[test]
fn ambiguous_callers_get_nothing() {
    let (a, b) = (
        CallerId::Spiffe(id("spiffe://td/ns/a/sa/b")),
        CallerId::Spiffe(id("spiffe://td/ns/a/sa/c")),
    );
    let text = CallerId::Dns("spiffe://td/ns/a/sa/b".to_owned());
    for mode in [AuthMode::Match, AuthMode::RaMatch, AuthMode::IstioCompat] {
        for identities in [vec![], vec![a.clone(), b.clone()], vec![text.clone()]] {
            let caller = Caller::new(CallerSource::ClientCertificate, identities);
            let request = csr("spiffe://td/ns/a/sa/b");
            assert_eq!(
                ask(&request, &caller, &policy(mode)),
                Err("auth.ambiguous_caller")
            );
        }
        let twice = Caller::new(CallerSource::Xfcc, [a.clone(), text.clone(), a.clone()]);
        assert!(ask(&csr("spiffe://td/ns/a/sa/b"), &twice, &policy(mode)).is_ok());
    }
}

/// Scenario 33: what istiod as a registration authority takes.
#[test]
fn registration_authorities_want_nothing_else() {
    let wanted = id("spiffe://td/ns/a/sa/b");
    let caller = Caller::from(&wanted);
    let open = CsrPolicy::istio()
        .with_dns_names(true)
        .with_benign_extensions(true);
    let ask = |builder: CsrBuilder| {
        let csr = builder.build(&key()).unwrap();
        let csr = open.check(csr.der()).unwrap();
        super::tests::ask(&csr, &caller, &policy(AuthMode::RaMatch))
    };
    let ztunnel = CsrBuilder::new(&wanted);
    let agent = CsrBuilder::new(&wanted).with_profile(CsrProfile::IstioAgent);
    assert_eq!(ask(ztunnel.clone()), Ok(wanted.clone()));
    assert_eq!(ask(agent.clone()), Ok(wanted.clone()));
    for builder in [ztunnel, agent] {
        assert_eq!(ask(builder.clone().with_dns_name("b.a")), Err("auth.mismatch"));
        assert_eq!(
            ask(builder.with_common_name(true)),
            Err("auth.not_registration_authority_form")
        );
    }
}

/// Scenario 40, C-AUTH-4: another local name for the trust domain.
#[test]
fn aliases_lead_to_the_primary_name() {
    let domains = TrustDomainSet::new("new".parse().unwrap()).with_aliases(["old".parse().unwrap()]);
    let with = |alias_ok| AuthPolicy {
        trust_domains: Some(domains.clone()),
        alias_ok,
        ..AuthPolicy::default()
    };
    let (new, old) = ("spiffe://new/ns/a/sa/b", "spiffe://old/ns/a/sa/b");
    let caller = Caller::from(&id(old));
    assert_eq!(ask(&csr(new), &caller, &with(false)), Err("auth.mismatch"));
    assert_eq!(ask(&csr(new), &caller, &with(true)), Ok(id(new)));
    // The caller's own name is no mismatch.
    assert_eq!(ask(&csr(old), &caller, &with(true)), Ok(id(old)));
    for foreign in ["spiffe://foreign/ns/a/sa/b", "spiffe://new/ns/a/sa/c"] {
        assert_eq!(ask(&csr(foreign), &caller, &with(true)), Err("auth.mismatch"));
    }
    let foreigner = Caller::from(&id("spiffe://foreign/ns/a/sa/b"));
    assert_eq!(ask(&csr(new), &foreigner, &with(true)), Err("auth.mismatch"));
}

/// Scenario 38, C-AUTH-2.
#[test]
fn tokens_need_namespace_account_and_audience() {
    let domain: TrustDomain = "td".parse().unwrap();
    let subject = |text: &str| service_account_id(text, &domain);
    assert_eq!(
        subject("system:serviceaccount:a:b"),
        Ok(id("spiffe://td/ns/a/sa/b"))
    );
    for wrong in [
        "",
        "system:serviceaccount:a",
        "system:serviceaccount::b",
        "system:serviceaccount:a:",
        "system:serviceaccount:a:b:c",
        "system:node:a:b",
        "system:serviceaccount:a/../b:c",
    ] {
        assert_eq!(subject(wrong), Err(CallerError::Subject), "{wrong}");
    }
    let token = |audiences: &[&str]| {
        Caller::from_token("system:serviceaccount:a:b", audiences, &domain, "istio-ca").map(|_| ())
    };
    assert_eq!(token(&["other", "istio-ca"]), Ok(()));
    assert_eq!(token(&["istio-ca2"]), Err(CallerError::Audience));
    assert_eq!(token(&[]), Err(CallerError::Audience));
}

/// C-AUTH-2: a forged element of XFCC makes the caller ambiguous.
#[test]
fn forged_headers_help_nobody() {
    let proxies = TrustedProxies::parse("10.0.0.0/8, 2001:db8::/32").unwrap();
    let header = "URI=spiffe://td/ns/victim/sa/v,URI=spiffe://td/ns/a/sa/b";
    let peer = "10.0.0.1".parse().unwrap();
    assert_eq!(
        Caller::from_xfcc(header, peer, &proxies)
            .unwrap()
            .only_spiffe_id(),
        None
    );
    assert_eq!(
        Caller::from_last_xfcc(header, peer, &proxies)
            .unwrap()
            .only_spiffe_id(),
        Some(&id("spiffe://td/ns/a/sa/b"))
    );
    let stranger = "192.0.2.1".parse().unwrap();
    for read in [Caller::from_xfcc, Caller::from_last_xfcc] {
        assert_eq!(read(header, stranger, &proxies), Err(CallerError::UntrustedProxy));
        // What a stranger sends is not even looked at.
        assert_eq!(read("", stranger, &proxies), Err(CallerError::UntrustedProxy));
        assert_eq!(read("", peer, &proxies), Err(CallerError::XfccMissing));
        assert_eq!(read("URI=\"", peer, &proxies), Err(CallerError::XfccMalformed));
    }
    for (address, trusted) in [
        ("127.0.0.1", true),
        ("::1", true),
        ("::ffff:10.9.9.9", true),
        ("11.0.0.1", false),
        ("2001:db8:1::1", true),
        ("2001:db9::1", false),
    ] {
        assert_eq!(proxies.contains(address.parse().unwrap()), trusted, "{address}");
    }
    let everybody = TrustedProxies::parse("0.0.0.0/0").unwrap();
    assert!(everybody.contains("192.0.2.1".parse().unwrap()));
    assert!(!everybody.contains("2001:db8::1".parse().unwrap()));
    for wrong in ["10.0.0.0", "10.0.0.0/33", "a/8", "10.0.0.0/-1"] {
        assert_eq!(TrustedProxies::parse(wrong), Err(CallerError::Network), "{wrong}");
    }
}

/// A node agent on `node-1`, and the pods around it.
struct Mesh {
    nodes: NodeView,
    policy: AuthPolicy,
    agent: Caller,
}

fn pod(name: &str, service_account: &str, node: &str, phase: PodPhase) -> Pod {
    Pod {
        namespace: if name == "agent" { "istio-system" } else { "shop" }.to_owned(),
        name: name.to_owned(),
        uid: format!("{name}-uid"),
        service_account: service_account.to_owned(),
        node: node.to_owned(),
        phase,
    }
}

fn mesh() -> Mesh {
    let mut nodes = NodeView::default();
    for pod in [
        pod("agent", "ztunnel", "node-1", PodPhase::Running),
        pod("reviews-1", "reviews", "node-1", PodPhase::Running),
        pod("failed-1", "failed", "node-1", PodPhase::Failed),
        pod("job-1", "job", "node-1", PodPhase::Succeeded),
        pod("far-1", "far", "node-2", PodPhase::Running),
        pod("starting-1", "starting", "node-1", PodPhase::Pending),
    ] {
        nodes.insert("cluster-1", pod);
    }
    let agent = id("spiffe://new/ns/istio-system/sa/ztunnel");
    let kubernetes = KubernetesCaller {
        pod_name: "agent".to_owned(),
        pod_namespace: "istio-system".to_owned(),
        pod_uid: "agent-uid".to_owned(),
        pod_service_account: "ztunnel".to_owned(),
    };
    Mesh {
        nodes,
        policy: AuthPolicy {
            trust_domains: Some(
                TrustDomainSet::new("new".parse().unwrap()).with_aliases(["old".parse().unwrap()]),
            ),
            trusted_node_accounts: [("istio-system".to_owned(), "ztunnel".to_owned())].into(),
            ..AuthPolicy::default()
        },
        agent: Caller::from(&agent)
            .with_kubernetes(kubernetes)
            .with_cluster_id("cluster-1"),
    }
}

impl Mesh {
    fn ask(&self, wanted: &str) -> Result<SpiffeId, AuthError> {
        let meta = RequestMeta {
            impersonated_identity: wanted.to_owned(),
            ..RequestMeta::default()
        };
        let named = if wanted.parse::<SpiffeId>().is_ok() {
            wanted
        } else {
            "spiffe://new/a"
        };
        authorize(&csr(named), &self.agent, &meta, &self.policy, &self.nodes).map(|grant| grant.id().clone())
    }

    fn code(&self, wanted: &str) -> &'static str {
        self.ask(wanted).map_or_else(|error| error.code(), |_| "ok")
    }
}

/// Scenario 37, C-AUTH-5: each step of impersonation.
#[test]
fn node_agents_get_the_ids_of_their_pods() {
    let good = mesh();
    assert_eq!(
        good.ask("spiffe://new/ns/shop/sa/reviews").unwrap(),
        id("spiffe://new/ns/shop/sa/reviews")
    );
    assert_eq!(good.code("spiffe://new/ns/shop/sa/starting"), "ok");
    // An alias is rewritten to the primary name.
    assert_eq!(
        good.ask("spiffe://old/ns/shop/sa/reviews").unwrap(),
        id("spiffe://new/ns/shop/sa/reviews")
    );
    for (wanted, code) in [
        (
            "spiffe://foreign/ns/shop/sa/reviews",
            "auth.impersonation_identity",
        ),
        ("spiffe://new/reviews", "auth.impersonation_identity"),
        ("reviews", "auth.impersonation_identity"),
        (
            "spiffe://new/ns/shop/sa/far",
            "auth.impersonation_no_such_pod_on_node",
        ),
        (
            "spiffe://new/ns/shop/sa/failed",
            "auth.impersonation_no_such_pod_on_node",
        ),
        (
            "spiffe://new/ns/shop/sa/job",
            "auth.impersonation_no_such_pod_on_node",
        ),
        (
            "spiffe://new/ns/other/sa/reviews",
            "auth.impersonation_no_such_pod_on_node",
        ),
    ] {
        let error = good.ask(wanted).unwrap_err();
        assert_eq!(error.code(), code, "{wanted}");
        assert_eq!(
            error.status().to_string(),
            "UNAUTHENTICATED: request impersonation authentication failure"
        );
        assert_eq!(error.audit().impersonated.as_deref(), Some(wanted));
        assert_eq!(error.audit().rule, code);
    }
}

/// Scenario 37, the caller's side.
#[test]
fn others_do_not() {
    let wanted = "spiffe://new/ns/shop/sa/reviews";
    let mut compat = mesh();
    compat.policy.count_completed_pods = true;
    assert_eq!(compat.code("spiffe://new/ns/shop/sa/job"), "ok");
    assert_eq!(
        compat.code("spiffe://new/ns/shop/sa/failed"),
        "auth.impersonation_no_such_pod_on_node"
    );

    let mut nobody = mesh();
    nobody.policy.trusted_node_accounts.clear();
    assert_eq!(nobody.code(wanted), "auth.impersonation_not_configured");
    let mut other = mesh();
    other.policy.trusted_node_accounts = [("istio-system".to_owned(), "cni".to_owned())].into();
    assert_eq!(other.code(wanted), "auth.impersonation_not_trusted");
    let mut unknown = mesh();
    unknown.agent = unknown.agent.clone().with_cluster_id("cluster-2");
    assert_eq!(unknown.code(wanted), "auth.impersonation_unknown_pod");

    let with_agent = |change: fn(&mut Pod)| {
        let mut mesh = mesh();
        let mut agent = mesh.nodes.remove("cluster-1", "istio-system", "agent").unwrap();
        change(&mut agent);
        mesh.nodes.insert("cluster-1", agent);
        mesh.code(wanted)
    };
    assert_eq!(with_agent(|_| {}), "ok");
    assert_eq!(
        with_agent(|pod| pod.name.push('x')),
        "auth.impersonation_unknown_pod"
    );
    assert_eq!(with_agent(|pod| pod.uid.push('x')), "auth.impersonation_uid");
    assert_eq!(
        with_agent(|pod| pod.service_account.push('x')),
        "auth.impersonation_service_account"
    );
    assert_eq!(with_agent(|pod| pod.node.clear()), "auth.impersonation_no_node");
    assert_eq!(
        with_agent(|pod| pod.phase = PodPhase::Failed),
        "auth.impersonation_caller_failed"
    );
    // The request has to name the id that is asked for.
    let mesh = mesh();
    let meta = RequestMeta {
        impersonated_identity: wanted.to_owned(),
        ..RequestMeta::default()
    };
    let request = csr("spiffe://new/ns/shop/sa/ratings");
    let error = authorize(&request, &mesh.agent, &meta, &mesh.policy, &mesh.nodes).unwrap_err();
    assert_eq!(error.code(), "auth.mismatch");
}

/// C-IST-3: Kubernetes could not have given this name.
#[test]
fn names_of_kubernetes_callers_are_checked() {
    let odd = id("spiffe://td/ns/Shop/sa/b");
    let caller = Caller::from(&odd).with_kubernetes(KubernetesCaller::default());
    let mut policy = AuthPolicy::default();
    assert_eq!(
        ask(&csr(odd.as_str()), &caller, &policy),
        Err("auth.kubernetes_name")
    );
    policy.validate_kubernetes_names = false;
    assert!(ask(&csr(odd.as_str()), &caller, &policy).is_ok());
    assert!(ask(&csr(odd.as_str()), &Caller::from(&odd), &AuthPolicy::default()).is_ok());
}

/// C-CSR-17: a captured request of somebody else, where the names are not compared.
#[test]
fn keys_stay_with_their_owner() {
    #[derive(Debug)]
    struct Owned;

    impl KeySet for Owned {
        fn status(&self, _: &[u8; 32]) -> KeyStatus {
            KeyStatus::BoundTo(id("spiffe://td/ns/a/sa/victim"))
        }
    }

    let captured = CsrBuilder::new(&id("spiffe://td/ns/a/sa/victim"))
        .build(&key())
        .unwrap();
    let captured = CsrPolicy::istio()
        .check_with(captured.der(), default_verifier(), &Owned)
        .unwrap();
    let thief = Caller::from(&id("spiffe://td/ns/a/sa/thief"));
    let compat = policy(AuthMode::IstioCompat);
    assert_eq!(ask(&captured, &thief, &compat), Err("auth.key_bound_to_other"));
    let owner = Caller::from(&id("spiffe://td/ns/a/sa/victim"));
    assert!(ask(&captured, &owner, &compat).is_ok());
}

/// C-AUTH-9, C-AUTH-10, C-CSR-12.
#[test]
fn the_rest_of_the_ways() {
    let domain: TrustDomain = "td".parse().unwrap();
    let csr_of_ca = CsrBuilder::for_intermediate(&domain)
        .unwrap()
        .build(&key())
        .unwrap();
    let valid = CsrPolicy::istio().check_ca(csr_of_ca.der()).unwrap();
    let server = Caller::from(&id("spiffe://td/server"));
    let error = valid.authorize(&server).unwrap_err();
    assert_eq!(error.code(), "auth.not_downstream");
    assert_eq!(error.status().code(), StatusCode::PermissionDenied);
    assert!(valid.authorize(&server.with_downstream(true)).is_ok());

    let anonymous = CsrPolicy::istio().with_san_mode(SanMode::OptionalFromCaller);
    let named = CsrBuilder::new(&id("spiffe://td/a")).build(&key()).unwrap();
    let caller = Caller::from(&id("spiffe://td/a"));
    let grant = anonymous.check(named.der()).unwrap().authorize(&caller).unwrap();
    assert_eq!(grant.audit().decision, Decision::Granted);
    assert_eq!(grant.audit().issued, Some(id("spiffe://td/a")));
    let text = serde_json::to_string(grant.audit()).unwrap();
    assert_eq!(
        &serde_json::from_str::<AuditRecord>(&text).unwrap(),
        grant.audit()
    );
}

proptest! {
    #[test]
    fn no_header_panics(header in "[a-zA-Z=;,\"\\\\ :/.]{0,80}") {
        let _ = Caller::from_xfcc(&header, "127.0.0.1".parse().unwrap(), &TrustedProxies::default());
    }

    /// Pods come and go, and the counts stay right.
    #[test]
    fn counts_follow_the_pods(steps in prop::collection::vec((0_usize..4, 0_usize..5, any::<bool>()), 0..40)) {
        let phases = [PodPhase::Failed, PodPhase::Pending, PodPhase::Running, PodPhase::Succeeded, PodPhase::Unknown];
        let mut view = NodeView::default();
        for (name, phase, insert) in steps {
            let name = format!("pod-{name}");
            if insert {
                view.insert("c", pod(&name, "sa", "node", phases[phase]));
            } else {
                view.remove("c", "shop", &name);
            }
            let mut fresh = NodeView::default();
            for number in 0..4 {
                if let Some(pod) = view.pod("c", "shop", &format!("pod-{number}")) {
                    fresh.insert("c", pod.clone());
                }
            }
            if fresh != NodeView::default() {
                prop_assert_eq!(&fresh, &view);
            }
        }
    }
}
