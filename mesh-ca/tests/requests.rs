//! Who asks, what of a request counts, and what the one who asked is told.

use std::collections::BTreeSet;
use std::time::Duration;

use mesh_ca::jwt::JwtError;
use mesh_ca::registry::{EntryId, RegistryError};
use mesh_ca::{
    AuthErrorKind, AuthPolicy, CaError, Caller, CallerError, CallerId, CallerSource, CsrBuilder, CsrError,
    CsrPolicy, ExternalCaError, InsecureSeededEntropy, KeyPair, KubernetesCaller, NodeView, Pod, PodPhase,
    RequestMeta, Signer, SpiffeId, Status, StatusCode, TrustDomain, TrustDomainSet, ValidCsr, VerifyError,
    authorize,
};

fn id(text: &str) -> SpiffeId {
    text.parse().unwrap()
}

fn key(seed: u64) -> KeyPair {
    KeyPair::generate(&mut InsecureSeededEntropy::new(seed)).unwrap()
}

fn valid(name: &SpiffeId) -> ValidCsr {
    let csr = CsrBuilder::new(name).build(&key(1)).unwrap();
    CsrPolicy::istio().check(csr.der()).unwrap()
}

/// C-AUTH-1: a caller is what its transport has proved, no more, and the record of the decision keeps all of it.
#[test]
fn a_caller_is_what_was_proved() {
    let name = id("spiffe://td/ns/shop/sa/reviews");
    let pod = KubernetesCaller {
        pod_name: "reviews-1".to_owned(),
        pod_namespace: "shop".to_owned(),
        pod_uid: "1234".to_owned(),
        pod_service_account: "reviews".to_owned(),
    };
    let identities = [
        CallerId::Dns("reviews.shop".to_owned()),
        CallerId::Spiffe(name.clone()),
    ];
    for source in [
        CallerSource::Attested,
        CallerSource::ClientCertificate,
        CallerSource::IdToken,
        CallerSource::Xfcc,
    ] {
        let caller = Caller::new(source, identities.clone());
        assert_eq!((caller.source(), caller.identities()), (source, &identities[..]));
        // What was not said is not there.
        assert_eq!((caller.kubernetes(), caller.cluster_id()), (None, ""));
        assert!(!caller.is_downstream());
        let caller = caller.with_kubernetes(pod.clone()).with_cluster_id("one");
        assert_eq!((caller.kubernetes(), caller.cluster_id()), (Some(&pod), "one"));
        let grant = valid(&name).authorize(&caller).unwrap();
        assert_eq!(grant.audit().caller, caller);
        assert_eq!(grant.id(), &name);
    }
    // Names of other kinds are no SPIFFE ids, whatever their text.
    for other in [
        CallerId::Dns(name.to_string()),
        CallerId::CommonName(name.to_string()),
        CallerId::Uri(name.to_string()),
    ] {
        let caller = Caller::new(CallerSource::ClientCertificate, [other]);
        let error = valid(&name).authorize(&caller).unwrap_err();
        assert_eq!(error.code(), "auth.ambiguous_caller");
    }
}

/// C-AUTH-6: pods are those of the caller's own cluster; a cluster that is not known has none.
#[test]
fn pods_are_those_of_one_cluster() {
    let pod = |name: &str, service_account: &str, node: &str| Pod {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        uid: format!("uid-{name}"),
        service_account: service_account.to_owned(),
        node: node.to_owned(),
        phase: PodPhase::Running,
    };
    let mut nodes = NodeView::default();
    for cluster in ["one", "two"] {
        nodes.insert(cluster, pod("agent", "agent", "node-1"));
    }
    // The workload is on the node of this name in one cluster, and elsewhere in the other.
    nodes.insert("one", pod("reviews", "reviews", "node-1"));
    nodes.insert("two", pod("reviews", "reviews", "node-2"));
    nodes.insert("gone", pod("agent", "agent", "node-1"));
    nodes.remove("gone", "shop", "agent");

    let agent = id("spiffe://td/ns/shop/sa/agent");
    let wanted = id("spiffe://td/ns/shop/sa/reviews");
    let policy = AuthPolicy {
        trust_domains: Some(TrustDomainSet::new("td".parse().unwrap())),
        trusted_node_accounts: BTreeSet::from([("shop".to_owned(), "agent".to_owned())]),
        ..AuthPolicy::default()
    };
    let meta = RequestMeta {
        impersonated_identity: wanted.to_string(),
        ..RequestMeta::default()
    };
    let ask = |cluster: &str| {
        let caller = Caller::from(&agent)
            .with_kubernetes(KubernetesCaller {
                pod_name: "agent".to_owned(),
                pod_namespace: "shop".to_owned(),
                pod_uid: "uid-agent".to_owned(),
                pod_service_account: "agent".to_owned(),
            })
            .with_cluster_id(cluster);
        authorize(&valid(&wanted), &caller, &meta, &policy, &nodes)
            .map(|grant| grant.id().clone())
            .map_err(|error| (error.code(), error.status().to_string()))
    };
    let outward = "UNAUTHENTICATED: request impersonation authentication failure".to_owned();
    assert_eq!(ask("one"), Ok(wanted.clone()));
    assert_eq!(
        ask("two"),
        Err(("auth.impersonation_no_such_pod_on_node", outward.clone()))
    );
    for unknown in ["three", "gone", "", "One"] {
        assert_eq!(
            ask(unknown),
            Err(("auth.impersonation_unknown_pod", outward.clone())),
            "{unknown}"
        );
    }
}

/// C-CSR-16: of a request that was validated there is its key, the kind of it, its names and a digest of its DER, in whatever
/// form it came.
#[test]
fn a_valid_request_is_its_key_and_names() {
    let name = id("spiffe://td/ns/shop/sa/reviews");
    let key = key(7);
    let build = |builder: CsrBuilder| builder.build(&key).unwrap();
    let csr = build(CsrBuilder::new(&name).with_dns_name("b.a").with_common_name(true));
    let policy = CsrPolicy::istio().with_dns_names(true);
    let from_der = policy.check(csr.der()).unwrap();
    let from_pem = policy.check(csr.to_pem().as_bytes()).unwrap();
    for valid in [&from_der, &from_pem] {
        assert_eq!(valid.spki_der(), key.spki_der());
        assert_eq!(valid.key_algorithm(), key.key_algorithm());
        assert_eq!(valid.uri(), Some(&name));
        assert_eq!(valid.dns_names(), ["b.a"]);
        assert!(valid.ip_addresses().is_empty());
        assert_eq!(valid.digest(), from_der.digest());
    }
    let other = policy.check(build(CsrBuilder::new(&name)).der()).unwrap();
    assert_ne!(other.digest(), from_der.digest());
}

/// C-ERR-2, C-AUTH-8: whoever asked is told a constant text for each code; names, keys and reasons stay in the detail.
#[test]
fn what_a_peer_is_told_says_nothing_of_others() {
    fn look(
        code: &'static str,
        detail: &dyn std::fmt::Display,
        status: Status,
        told: &mut Vec<(&'static str, Status)>,
    ) {
        assert!(detail.to_string().contains("tenant"), "{code}: {detail}");
        assert!(!status.to_string().contains("tenant"), "{code}: {status}");
        told.push((code, status));
    }
    let mut told = Vec::new();
    for name in ["tenant-a", "tenant-b"] {
        let text = name.to_owned();
        let domain: TrustDomain = name.parse().unwrap();
        for error in [
            CaError::DnsName { name: text.clone() },
            CaError::NotAuthoritative {
                trust_domain: domain.clone(),
            },
            CaError::RemoteKey {
                key_ref: text.clone(),
            },
        ] {
            look(error.code(), &error, error.status(), &mut told);
        }
        let error = CsrError::ExtensionNotAllowed { oid: text.clone() };
        look(error.code(), &error, error.status(), &mut told);
        for error in [
            JwtError::UnknownKey(domain.clone()),
            JwtError::Malformed(text.clone().into()),
        ] {
            look(error.code(), &error, error.status(), &mut told);
        }
        let error = VerifyError::UntrustedDomain {
            trust_domain: domain.clone(),
        };
        look(error.code(), &error, error.status(), &mut told);
        let error = ExternalCaError::Refused { reason: text.clone() };
        look(error.code(), &error, error.status(), &mut told);
        let error = RegistryError::Duplicate {
            of: EntryId::from(text.as_str()),
        };
        look(error.code(), &error, error.status(), &mut told);
    }
    let half = told.len() / 2;
    assert_eq!(told[..half], told[half..], "the same for each tenant");
    // C-AUTH-8: the classes.
    let code = |status: Status| status.code();
    assert_eq!(code(CallerError::Audience.status()), StatusCode::Unauthenticated);
    assert_eq!(CallerError::Subject.status(), CallerError::XfccMalformed.status());
    assert_eq!(code(CsrError::NoUriSan.status()), StatusCode::InvalidArgument);
    let ttl = CaError::TtlTooLong {
        requested: Duration::MAX,
        max: Duration::ZERO,
    };
    assert_eq!(code(ttl.status()), StatusCode::InvalidArgument);
    assert_eq!(code(CaError::JobExpired.status()), StatusCode::Internal);
    let unknown = CaError::SignerUnknown {
        name: "tenant-a".to_owned(),
    };
    assert_eq!(
        unknown.status().to_string(),
        "INTERNAL: certificate signing failed"
    );
    let error = valid(&id("spiffe://td/ns/a/sa/b"))
        .authorize(&Caller::new(CallerSource::IdToken, []))
        .unwrap_err();
    assert_eq!(error.kind(), &AuthErrorKind::AmbiguousCaller);
    assert_eq!(
        error.status().to_string(),
        "UNAUTHENTICATED: request authenticate failure"
    );
}
