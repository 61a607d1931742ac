//! The SDS agent: the rules C-SDS, and the scenarios that name them, with a CA of this crate.

mod sds_host;

use std::sync::Arc;

use mesh_ca::agent::{
    AgentAlarm, CsrRequest, DEFAULT_SECRET, ROOT_SECRET, SdsAgent, SdsAgentConfig, SdsRequest, Secret,
    StreamId, WorkloadFiles,
};
use mesh_ca::pem::{self, PemLabel};
use mesh_ca::rotation::{SvidFailure, SvidState};
use mesh_ca::{
    Authority, CaProfile, Certificate, CsrBuilder, KeyPair, Revocation, RevocationStore, Signer, StatusCode,
};

use sds_host::{Host, down, id, secs};

/// Scenario 106, C-SDS-4: two streams, one key, one request; both are answered.
#[test]
fn many_streams_make_one_request() {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    host.open(1);
    host.open(2);
    host.ask(1, &[DEFAULT_SECRET], "");
    host.ask(2, &[DEFAULT_SECRET], "");
    host.open(3);
    host.ask(3, &[ROOT_SECRET], "");
    assert_eq!((host.keys_made, host.asked.len()), (1, 1));
    let csr = &host.asked[0].1;
    assert_eq!(
        (csr.validity_duration, csr.token_audience.as_str()),
        (86_400, "istio-ca")
    );
    assert_eq!(csr.headers["ClusterID"], "Kubernetes");
    assert!(csr.metadata.is_empty());
    host.sign();
    assert_eq!(host.names(), [DEFAULT_SECRET, DEFAULT_SECRET, ROOT_SECRET]);
    let Secret::Certificate(certificate) = &*host.sent[0].1[0].secret else {
        panic!()
    };
    assert_eq!(
        certificate.chain.matches("BEGIN CERTIFICATE").count(),
        1,
        "without the root (C-SDS-2)"
    );
    // A stream that comes later is answered at once.
    host.open(4);
    host.ask(4, &[DEFAULT_SECRET], "");
    assert_eq!((host.sent.len(), host.keys_made), (4, 1));
}

/// C-SDS-2: Istio's agent serves the authorities in the chain too.
#[test]
fn roots_are_served_in_the_chain_by_configuration() {
    let mut host = Host::new(SdsAgentConfig {
        serve_roots_in_chain: true,
        ..SdsAgentConfig::new(id())
    });
    host.open(1);
    host.ask(1, &[DEFAULT_SECRET], "");
    host.sign();
    let Secret::Certificate(certificate) = &*host.sent[0].1[0].secret else {
        panic!()
    };
    assert_eq!(certificate.chain.matches("BEGIN CERTIFICATE").count(), 2);
}

/// Scenario 107, C-SDS-5: what was refused is not sent again, and the next certificate is.
#[test]
fn a_refusal_and_a_rotation() {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    host.open(1);
    host.ask(1, &[DEFAULT_SECRET], "");
    host.sign();
    let first = host.sent[0].2.clone();
    let refusal = SdsRequest {
        names: vec![DEFAULT_SECRET.to_owned()],
        nonce: host.last_nonce(1),
        error: Some("no".to_owned()),
        ..SdsRequest::default()
    };
    host.request(1, &refusal);
    assert_eq!(host.sent.len(), 1);
    assert!(
        matches!(&host.alarms[..], [AgentAlarm::Nacked { names, message, .. }] if names == &["default"] && message == "no")
    );
    host.wake();
    host.sign();
    assert_eq!(host.names(), [DEFAULT_SECRET, DEFAULT_SECRET]);
    assert_ne!(host.sent[1].2, first, "a new version");
    assert_ne!(host.sent[1].3, host.sent[0].3, "a new nonce");
    assert_eq!(host.keys_made, 2, "a fresh key (C-CSR-2)");
    // An answer to the earlier response means nothing any more.
    host.request(
        1,
        &SdsRequest {
            names: vec![],
            ..refusal
        },
    );
    host.wake();
    host.sign();
    assert_eq!(host.sent.len(), 3, "the names of a stale answer were not taken");
}

/// Scenario 108, C-SDS-6, C-SDS-9: new authorities go first, once, and the certificate follows their answer.
#[test]
fn authorities_go_before_the_certificate() {
    let mut host = Host::serving();
    let old_root = host.ca.certificate_der().to_vec();
    host.ca = Authority::self_signed(
        "cluster.local".parse().unwrap(),
        host.now.wall + secs(40_000),
        &mut host.entropy,
    )
    .unwrap();
    host.wake();
    host.open(2);
    host.ask(2, &[DEFAULT_SECRET], "");
    host.sent.clear();
    host.sign();
    assert_eq!(host.names(), [ROOT_SECRET, DEFAULT_SECRET]);
    assert_eq!(
        (host.sent[0].0, host.sent[1].0),
        (StreamId(1), StreamId(2)),
        "a stream without authorities does not wait"
    );
    host.ack(1);
    assert_eq!(host.names(), [ROOT_SECRET, DEFAULT_SECRET, DEFAULT_SECRET]);
    host.ack(1);
    assert_eq!(host.sent.len(), 3);
    let Secret::Validation(roots) = &*host.sent[0].1[0].secret else {
        panic!()
    };
    assert!(!roots.trusted_ca.contains(&mesh_ca::pem::encode(
        mesh_ca::pem::PemLabel::Certificate,
        &old_root
    )));

    // A proxy that does not answer gets the certificate after 5 s.
    let mut host = Host::serving();
    host.ca = Authority::self_signed(
        "cluster.local".parse().unwrap(),
        host.now.wall + secs(40_000),
        &mut host.entropy,
    )
    .unwrap();
    host.wake();
    host.sign();
    assert_eq!(host.names(), [ROOT_SECRET]);
    let before = host.now.mono;
    host.wake();
    assert_eq!(host.now.mono.saturating_since(before), secs(5));
    assert_eq!(host.names(), [ROOT_SECRET, DEFAULT_SECRET]);
}

/// C-WR-6: a plain change of the authorities asks for no new certificate.
#[test]
fn a_new_bundle_asks_for_nothing() {
    let mut host = Host::serving();
    let other =
        Authority::self_signed("cluster.local".parse().unwrap(), host.now.wall, &mut host.entropy).unwrap();
    let both = vec![
        host.ca.certificate_der().to_vec(),
        other.certificate_der().to_vec(),
    ];
    host.agent.handle_bundle(host.now, both.clone());
    host.serve();
    assert_eq!(host.names(), [ROOT_SECRET]);
    assert!(host.asked.is_empty());
    host.agent
        .handle_bundle(host.now, both.into_iter().rev().collect());
    host.serve();
    assert_eq!(host.sent.len(), 1, "the order means nothing (C-SDS-8)");
}

/// C-SDS-7: without a certificate the proxy is sent away; with one, nothing is heard of an outage.
#[test]
fn an_outage_of_the_ca() {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    host.open(1);
    host.ask(1, &[DEFAULT_SECRET], "");
    host.fail(down());
    assert_eq!(host.closed, [(StreamId(1), StatusCode::Unavailable)]);
    host.wake();
    assert_eq!(host.asked.len(), 1, "the agent itself goes on");
    host.sign();

    let mut host = Host::serving();
    host.wake();
    for _ in 0..20 {
        host.fail(down());
        host.wake();
    }
    assert!(host.closed.is_empty() && host.sent.is_empty());
    assert!(matches!(
        host.agent.svid_state(),
        Some(SvidState::Renewing { .. })
    ));
    host.open(2);
    host.ask(2, &[DEFAULT_SECRET], "");
    assert_eq!(host.names(), [DEFAULT_SECRET], "the old one is served");
    host.sign();
    assert_eq!(host.names(), [DEFAULT_SECRET; 3]);
}

/// C-WR-7: answers that are not what was asked for are refused.
#[test]
fn wrong_answers_are_refused() {
    let mut host = Host::serving();
    host.wake();
    let (request, csr) = host.asked.pop().unwrap();
    let right = host.answer(&csr);
    let other_key = KeyPair::generate(&mut host.entropy).unwrap();
    let other = CsrBuilder::new(&id()).build(&other_key).unwrap().to_pem();
    let other_key = host.answer(&CsrRequest {
        csr: other,
        ..csr.clone()
    });
    let stranger =
        Authority::self_signed("cluster.local".parse().unwrap(), host.now.wall, &mut host.entropy).unwrap();
    let stranger = pem::encode(PemLabel::Certificate, stranger.certificate_der());
    let other_root = vec![right[0].clone(), stranger];
    let mut request = request;
    for (chain, why) in [
        (vec![], "empty"),
        (vec![right[0].clone()], "no authorities"),
        (vec!["nonsense".to_owned(), right[1].clone()], ""),
        (other_key, "another key"),
        (other_root, ""),
    ] {
        host.alarms.clear();
        host.agent
            .handle_signed(host.now, request, &chain, &mut host.entropy)
            .unwrap();
        host.serve();
        let [
            AgentAlarm::CaFailed {
                failure: SvidFailure::BadResponse(text),
                retry_in,
            },
        ] = &host.alarms[..]
        else {
            panic!("{why}: {:?}", host.alarms)
        };
        assert!(text.contains(why), "{text}");
        assert!(*retry_in >= secs(120));
        host.wake();
        request = host.asked.pop().unwrap().0;
    }
    assert!(host.sent.is_empty());
}

/// C-WR-7: a certificate that a CRL names is not taken, and the next one of the same authority is.
#[test]
fn revoked_answers_are_refused() {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    let key = Arc::new(KeyPair::generate(&mut host.entropy).unwrap());
    host.ca = CaProfile::root("cluster.local".parse().unwrap())
        .self_sign(
            Arc::clone(&key) as Arc<dyn Signer>,
            host.now.wall,
            &mut host.entropy,
        )
        .unwrap();
    host.open(1);
    host.ask(1, &[DEFAULT_SECRET], "");
    let (request, csr) = host.asked.pop().unwrap();
    let revoked = host.answer(&csr);

    let der = pem::parse_one(revoked[0].as_bytes(), PemLabel::Certificate).unwrap();
    let leaf = Certificate::parse(&der).unwrap();
    let revocation = Revocation::new(leaf.serial_number().unwrap(), host.now.wall, leaf.not_after());
    let mut store = RevocationStore::new();
    store.revoke(host.ca.key_id(), revocation).unwrap();
    let issuer = Certificate::parse(host.ca.certificate_der()).unwrap();
    let crl = store
        .issue_crl(&issuer, &*key, host.now.wall, secs(3_600))
        .unwrap();
    host.agent.handle_crl(host.now, Some(crl.to_pem())).unwrap();

    host.agent
        .handle_signed(host.now, request, &revoked, &mut host.entropy)
        .unwrap();
    host.serve();
    let [
        AgentAlarm::CaFailed {
            failure: SvidFailure::BadResponse(text),
            ..
        },
    ] = &host.alarms[..]
    else {
        panic!("{:?}", host.alarms)
    };
    assert!(text.contains("revoked"), "{text}");
    assert!(host.sent.is_empty());
    assert_eq!(host.closed, [(StreamId(1), StatusCode::Unavailable)]);
    host.wake();
    host.sign();
    host.open(2);
    host.ask(2, &[DEFAULT_SECRET], "");
    assert_eq!(host.names(), [DEFAULT_SECRET]);
}

/// C-WR-7: authorities of an answer are trusted only where that is wanted.
#[test]
fn returned_authorities_can_be_ignored() {
    for (anchors, accepted) in [(true, true), (false, false)] {
        let mut host = Host::new(SdsAgentConfig::new(id()));
        let root = pem::encode(PemLabel::Certificate, host.ca.certificate_der());
        let trust_anchors = if anchors { root } else { String::new() };
        let config = SdsAgentConfig {
            trust_returned_roots: false,
            trust_anchors,
            ..SdsAgentConfig::new(id())
        };
        host.agent = SdsAgent::new(config);
        host.open(1);
        host.ask(1, &[DEFAULT_SECRET], "");
        host.sign();
        assert_eq!(!host.sent.is_empty(), accepted);
    }
}

/// Scenario 109, C-SDS-3: a key that changes before its certificate changes nothing until both are there.
#[test]
fn files_have_to_belong_together() {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    let name = "file-cert:/c~/k";
    host.open(1);
    host.ask(1, &[name, "file-root:/r"], "");
    assert_eq!(host.reads, ["/c", "/k", "/r"]);
    assert_eq!(host.keys_made, 0, "files need no CA");
    let ((old, old_key), (new, new_key)) = (host.pair(), host.pair());
    host.file("/c", &old);
    assert!(host.sent.is_empty());
    host.file("/k", &old_key);
    host.file("/r", "roots");
    assert_eq!(host.names(), [name, "file-root:/r"]);
    host.file("/k", &new_key);
    assert_eq!(host.sent.len(), 2, "the old pair stays");
    host.reads.clear();
    host.wake();
    assert_eq!(host.reads, ["/c", "/k"]);
    host.file("/c", &new);
    assert_eq!(host.names(), [name, "file-root:/r", name]);
    assert_eq!(host.agent.poll_timeout(), None);

    // After 10 s it is given up, and said.
    host.file("/k", &old_key);
    let began = host.now.mono;
    while host.agent.poll_timeout().is_some() {
        host.wake();
    }
    assert_eq!(host.now.mono.saturating_since(began), secs(10));
    assert_eq!(
        host.alarms,
        [AgentAlarm::FilesDoNotMatch {
            name: name.to_owned()
        }]
    );
}

/// C-SDS-3: files of the workload come before the CA, unless the agent writes them itself.
#[test]
fn files_of_the_workload_come_first() {
    let files = WorkloadFiles {
        dir: "/files".to_owned(),
        certificate: "/files/cert".to_owned(),
        key: "/files/key".to_owned(),
        roots: "/files/root".to_owned(),
    };
    let config = SdsAgentConfig {
        workload_files: Some(files),
        ..SdsAgentConfig::new(id())
    };
    let mut host = Host::new(config.clone());
    host.agent.start(host.now);
    host.serve();
    assert_eq!(host.reads.len(), 3);
    let (certificate, key) = host.pair();
    host.file("/files/cert", &certificate);
    host.file("/files/key", &key);
    host.file("/files/root", "roots");
    host.open(1);
    host.ask(1, &[DEFAULT_SECRET], "");
    assert_eq!((host.names(), host.keys_made), (vec![DEFAULT_SECRET], 0));

    let mut host = Host::new(config.clone());
    host.agent.start(host.now);
    for path in ["/files/cert", "/files/key", "/files/root"] {
        host.agent.handle_file(host.now, path, None);
    }
    host.serve();
    assert_eq!(host.keys_made, 1, "no files: the CA is asked");

    let mut host = Host::new(SdsAgentConfig {
        output_dir: Some("/files".to_owned()),
        ..config
    });
    host.agent.start(host.now);
    host.serve();
    assert_eq!((host.reads.len(), host.keys_made), (0, 1));
    // C-SDS-13: the three files are written together.
    host.sign();
    assert_eq!(host.written.len(), 1);
    assert_eq!(host.written[0].0, "/files");
}

/// Scenario 110, C-SDS-4: a stream that is there before the agent was started, and one that was not opened.
#[test]
fn a_stream_before_the_start() {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    host.open(1);
    host.ask(9, &[DEFAULT_SECRET], "");
    assert_eq!(host.keys_made, 0);
    host.ask(1, &[DEFAULT_SECRET], "");
    host.agent.start(host.now);
    host.serve();
    assert_eq!(host.keys_made, 1);
    host.sign();
    assert_eq!(host.names(), [DEFAULT_SECRET]);
}

/// Scenario 111, C-SDS-14: the rotation goes on without streams, and a shut-down ends everything.
#[test]
fn rotation_goes_on_without_streams() {
    let mut host = Host::serving();
    host.agent.close_stream(StreamId(1));
    host.wake();
    assert_eq!(host.asked.len(), 1);
    host.sign();
    assert!(host.sent.is_empty());
    assert_eq!(host.agent.held(&[DEFAULT_SECRET.to_owned()]).len(), 1);
    host.open(2);
    host.ask(2, &["file-root:system"], "");
    host.agent.shut_down(host.now);
    host.serve();
    assert_eq!(host.closed, [(StreamId(2), StatusCode::Unavailable)]);
    assert!(
        host.agent
            .held(&[DEFAULT_SECRET.to_owned(), ROOT_SECRET.to_owned()])
            .is_empty()
    );
    assert_eq!(host.agent.poll_timeout(), None);
}

/// Scenario 112, C-SDS-1: names that no agent has.
#[test]
fn unknown_names_are_not_answered() {
    for name in [
        "file-cert:a~b~c",
        "file-cert:a",
        "file-cert:~b",
        "file-root:",
        "kubernetes://x",
        "other",
        "",
    ] {
        let mut host = Host::new(SdsAgentConfig::new(id()));
        host.open(1);
        host.ask(1, &[name], "");
        assert_eq!(
            host.alarms,
            [AgentAlarm::UnknownResource {
                stream: StreamId(1),
                name: name.to_owned()
            }]
        );
        assert!(host.sent.is_empty() && host.reads.is_empty() && host.keys_made == 0);
    }
}

/// C-SDS-5: only what is new in a subscription is answered, and what is not wanted any more is not pushed.
#[test]
fn subscriptions_change() {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    host.open(1);
    host.ask(1, &[DEFAULT_SECRET], "");
    host.sign();
    let nonce = host.last_nonce(1);
    host.ask(1, &[DEFAULT_SECRET, ROOT_SECRET], &nonce);
    assert_eq!(host.names(), [DEFAULT_SECRET, ROOT_SECRET]);
    let nonce = host.last_nonce(1);
    host.ask(1, &[ROOT_SECRET], &nonce);
    host.wake();
    while host.asked.is_empty() {
        host.wake();
    }
    host.sign();
    assert_eq!(host.sent.len(), 2);
}

/// An SVID that comes while another one was already asked for is served all the same, and the next one follows.
#[test]
fn a_rotation_during_a_request_loses_nothing() {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    host.open(1);
    host.ask(1, &[DEFAULT_SECRET], "");
    // The CA takes longer than the shortest wait, and meanwhile the authority is tainted.
    host.now = host.now + secs(10);
    host.agent.rotate(host.now);
    host.serve();
    host.sign();
    assert_eq!(host.names(), [DEFAULT_SECRET]);
    while host.asked.is_empty() {
        host.wake();
    }
    host.sign();
    assert_eq!((host.names(), host.keys_made), (vec![DEFAULT_SECRET; 2], 2));
}

/// A proxy that comes back with the nonce of a stream that it lost is answered.
#[test]
fn a_nonce_of_a_lost_stream_is_a_first_request() {
    let mut host = Host::serving();
    host.agent.close_stream(StreamId(1));
    host.open(2);
    host.ask(2, &[DEFAULT_SECRET], "17");
    assert_eq!(host.names(), [DEFAULT_SECRET]);
}

/// C-GEN-8: what a proxy can make the agent hold is bounded.
#[test]
fn a_stream_holds_a_bounded_number_of_secrets() {
    let mut host = Host::new(SdsAgentConfig::new(id()));
    host.open(1);
    let names: Vec<String> = (0..65).map(|number| format!("file-root:/{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    host.ask(1, &names, "");
    assert_eq!(host.closed, [(StreamId(1), StatusCode::ResourceExhausted)]);
    assert!(host.reads.is_empty() && host.sent.is_empty());

    // What no stream wants any more is let go of, and read anew when it is wanted again.
    host.open(2);
    host.ask(2, &names[..64], "");
    host.file("/0", "roots");
    assert_eq!(host.names(), ["file-root:/0"]);
    host.agent.close_stream(StreamId(2));
    assert!(host.agent.held(&["file-root:/0".to_owned()]).is_empty());
    host.file("/1", "too late");
    assert!(host.agent.held(&["file-root:/1".to_owned()]).is_empty());
    host.reads.clear();
    host.open(3);
    host.ask(3, &["file-root:/0"], "");
    assert_eq!(host.reads, ["/0"]);
}

/// C-CRL-11: CRLs that cannot be read leave what was there; those that can go to proxies.
#[test]
fn revocation_lists_go_along_with_the_authorities() {
    let mut host = Host::serving();
    let good = include_str!("data/crl.pem").to_owned();
    host.agent.handle_crl(host.now, Some(good.clone())).unwrap();
    host.serve();
    let crl = |host: &Host| match &*host.sent[0].1[0].secret {
        Secret::Validation(validation) => validation.crl.clone(),
        Secret::Certificate(_) => None,
    };
    assert_eq!((host.names(), crl(&host)), (vec![ROOT_SECRET], Some(good)));
    let bad = "-----BEGIN X509 CRL-----".to_owned();
    assert!(host.agent.handle_crl(host.now, Some(bad)).is_err());
    host.serve();
    assert_eq!(host.sent.len(), 1);
}

/// C-SDS-10: a named signer and the impersonated identity go along.
#[test]
fn metadata_goes_along() {
    let config = SdsAgentConfig {
        cert_signer: Some("mesh".to_owned()),
        impersonate: true,
        ..SdsAgentConfig::new(id())
    };
    let mut host = Host::new(config);
    host.agent.start(host.now);
    host.serve();
    let metadata = &host.asked[0].1.metadata;
    assert_eq!(
        (
            metadata["CertSigner"].as_str(),
            metadata["ImpersonatedIdentity"].as_str()
        ),
        ("mesh", id().as_str())
    );
}

/// C-GEN-7: nothing that is printed holds a key.
#[test]
fn keys_are_not_printed() {
    let mut host = Host::serving();
    let shown = format!(
        "{:?} {:?}",
        host.agent,
        host.agent.held(&[DEFAULT_SECRET.to_owned()])
    );
    let Secret::Certificate(certificate) = &*host.agent.held(&[DEFAULT_SECRET.to_owned()])[0].secret else {
        panic!()
    };
    let key = certificate.key.expose_text().lines().nth(1).unwrap().to_owned();
    assert!(!shown.contains(&key) && shown.contains("CertificateSecret"));
    host.agent.shut_down(host.now);
}
