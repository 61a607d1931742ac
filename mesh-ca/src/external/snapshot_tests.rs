//! C-GEN-6, P10: requests that are saved and go on; C-API-1: what is saved grants nothing.

use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{HOUR, NOW, WALL, awaiting, entropy, grant, kubernetes, outputs, request, status};
use super::*;
use crate::pem::{self, PemLabel};
use crate::{Authority, Grant, InsecureSeededEntropy, MonotonicTime, Now};

/// A signing request, its grant, and the chain with root that answers it.
struct Scene {
    csr: Vec<u8>,
    grant: Grant,
    chain: Vec<Vec<u8>>,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let (csr, grant) = request(7, "");
    let (_, chain) = awaiting(&kubernetes("example.com"));
    Scene { csr, grant, chain }
});

fn vault() -> ExternalCaConfig {
    ExternalCaConfig::new(ExternalSigner::Vault)
}

fn begin(config: &ExternalCaConfig) -> ExternalCa {
    ExternalCa::new(config, &SCENE.grant, &SCENE.csr, NOW, &mut entropy()).unwrap()
}

fn good_status() -> KubernetesCsrStatus {
    let chain: Vec<&[u8]> = SCENE.chain.iter().map(Vec::as_slice).collect();
    status(&chain)
}

fn good_response() -> VaultSignResponse {
    let text = |at: usize| pem::encode(PemLabel::Certificate, &SCENE.chain[at]);
    VaultSignResponse {
        certificate: text(0),
        issuing_ca: text(1),
        ca_chain: vec![text(2)],
    }
}

fn refused_status() -> KubernetesCsrStatus {
    KubernetesCsrStatus {
        conditions: vec![KubernetesCsrCondition {
            kind: "Denied".to_owned(),
            ..KubernetesCsrCondition::default()
        }],
        certificate: None,
    }
}

/// Through the text that a store would hold.
fn saved(machine: &ExternalCa) -> Value {
    serde_json::to_value(machine.snapshot()).unwrap()
}

fn restore(
    config: &ExternalCaConfig,
    grant: &Grant,
    saved: &Value,
    now: Now,
) -> Result<ExternalCa, &'static str> {
    let text = saved.to_string();
    let snapshot: ExternalCaSnapshot = serde_json::from_str(&text).map_err(|_| "not read")?;
    ExternalCa::restore(config, grant, snapshot, now).map_err(|error| error.code())
}

#[derive(Debug, Clone)]
enum Event {
    Advance(u64),
    Bad,
    Created,
    Denied,
    Empty,
    Failed,
    Good,
    Poll,
}

fn apply(machine: &mut ExternalCa, event: &Event, now: Now) -> Option<ExternalCaOutput> {
    match event {
        Event::Advance(_) => machine.handle_timeout(now),
        Event::Bad => {
            machine.handle_status(now, &status(&[&SCENE.chain[0]]));
            machine.handle_vault_response(now, &VaultSignResponse::default());
        }
        Event::Created => machine.handle_created(),
        Event::Denied => machine.handle_status(now, &refused_status()),
        Event::Empty => machine.handle_status(now, &KubernetesCsrStatus::default()),
        Event::Failed => machine.handle_failed("no"),
        Event::Good => {
            machine.handle_status(now, &good_status());
            machine.handle_vault_response(now, &good_response());
        }
        Event::Poll => return machine.poll_output(),
    }
    None
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0u64..40).prop_map(Event::Advance),
        1 => Just(Event::Bad),
        3 => Just(Event::Created),
        1 => Just(Event::Denied),
        1 => Just(Event::Empty),
        1 => Just(Event::Failed),
        2 => Just(Event::Good),
        6 => Just(Event::Poll),
    ]
}

/// Runs a machine and one that is saved and restored before every step; they must not differ. Returns how it ended.
fn compare(config: &ExternalCaConfig, events: &[Event]) -> Result<Option<ExternalCaOutput>, TestCaseError> {
    let mut machine = begin(config);
    let mut twin = machine.clone();
    let mut now = NOW;
    let mut end = None;
    for event in events {
        if let Event::Advance(seconds) = event {
            let seconds = Duration::from_secs(*seconds);
            now = Now::new(now.wall + seconds, now.mono + seconds);
        }
        twin = restore(config, &SCENE.grant, &saved(&twin), now).map_err(TestCaseError::fail)?;
        // What is overdue is due now.
        let due = |machine: &ExternalCa| machine.poll_timeout().map(|at| at.max(now.mono));
        prop_assert_eq!(due(&machine), due(&twin));
        let output = apply(&mut machine, event, now);
        prop_assert_eq!(&output, &apply(&mut twin, event, now));
        end = output.or(end);
    }
    let rest = outputs(&mut machine);
    prop_assert_eq!(&rest, &outputs(&mut twin));
    Ok(rest.into_iter().last().or(end))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// C-GEN-6, P10: saved and restored at every step, a request behaves as if nothing had happened.
    #[test]
    fn restored_requests_behave_alike(
        is_vault: bool,
        approve: bool,
        events in prop::collection::vec(event(), 0..16),
    ) {
        let mut config = kubernetes("example.com");
        if let ExternalSigner::Kubernetes { approve: wanted, .. } = &mut config.signer {
            *wanted = approve;
        }
        let config = if is_vault { vault() } else { config };
        compare(&config, &events)?;
    }
}

/// The random histories end in each way; here each is certain to have been compared.
#[test]
fn every_end_is_restored() {
    use Event::{Advance, Bad, Created, Denied, Failed, Good, Poll};
    let histories: [(&ExternalCaConfig, &[Event], &str); 8] = [
        (&kubernetes(""), &[Poll, Created, Good], "issued"),
        (&kubernetes(""), &[Created, Poll, Good, Poll, Poll], "issued"),
        (&kubernetes(""), &[Created, Denied, Good], "external_ca.refused"),
        (&kubernetes(""), &[Created, Bad], "external_ca.no_root"),
        (
            &kubernetes(""),
            &[Created, Advance(39), Advance(21)],
            "external_ca.timed_out",
        ),
        (&kubernetes(""), &[Failed], "external_ca.refused"),
        (&vault(), &[Poll, Good], "issued"),
        (&vault(), &[Bad], "external_ca.no_root"),
    ];
    for (config, events, wanted) in histories {
        let end = match compare(config, events).unwrap() {
            Some(ExternalCaOutput::Issued(_)) => "issued",
            Some(ExternalCaOutput::Failed(error)) => error.code(),
            other => panic!("{other:?}"),
        };
        assert_eq!(end, wanted, "{events:?}");
    }
}

/// C-GEN-4: after a restart the monotonic clock begins anew; what is left of the wait is told by the wall clock.
#[test]
fn the_wait_goes_on_after_a_restart() {
    let config = kubernetes("");
    let machine = begin(&config);
    let at = |wall: u64, mono: u64| {
        let mono = MonotonicTime::from_origin(Duration::from_secs(mono));
        Now::new(WALL + Duration::from_secs(wall), mono)
    };
    let deadline = |now: Now| {
        let machine = restore(&config, &SCENE.grant, &saved(&machine), now).unwrap();
        machine
            .poll_timeout()
            .unwrap()
            .saturating_since(now.mono)
            .as_secs()
    };
    assert_eq!(deadline(at(20, 0)), 40);
    assert_eq!(deadline(at(20, 7_000)), 40);
    assert_eq!(deadline(at(7_000, 3)), 0);
    let back = Now::new(WALL - HOUR, MonotonicTime::ORIGIN);
    assert_eq!(deadline(back), 60, "never longer than the whole time");
}

/// C-API-1: the grant is not in the snapshot, and another one does not fit.
#[test]
fn snapshots_grant_nothing() {
    let config = kubernetes("example.com");
    let state = saved(&begin(&config));
    let refused = Err("external_ca.snapshot.other_grant");
    let with = |grant: &Grant, state: &Value| restore(&config, grant, state, NOW).map(|_| ());
    assert_eq!(with(&SCENE.grant, &state), Ok(()));
    let (other_csr, other) = request(8, "");
    assert_eq!(with(&other, &state), refused);
    assert_eq!(with(&SCENE.grant.clone().with_ttl(2 * HOUR), &state), refused);
    let named = SCENE.grant.clone().with_dns_names(["a.b"]).unwrap();
    assert_eq!(with(&named, &state), refused);

    // Whatever is written into the snapshot: a foreign signing request, or what it is for.
    let mut forged = state.clone();
    forged["csr"] = json!(pem::encode(PemLabel::CertificateRequest, &other_csr));
    assert_eq!(with(&SCENE.grant, &forged), refused);
    for (field, value) in [
        ("id", json!("spiffe://td/ns/kube-system/sa/admin")),
        ("dns", json!(["evil.example"])),
        ("ips", json!(["192.0.2.1"])),
        ("ttl", json!({"secs": 999_999, "nanos": 0})),
    ] {
        let mut forged = state.clone();
        forged["granted"][field] = value;
        assert_eq!(with(&SCENE.grant, &forged), refused, "{field}");
    }
    // Text around the block goes to nobody.
    let mut forged = state.clone();
    forged["csr"] = json!(format!("words\n{}words\n", state["csr"].as_str().unwrap()));
    let mut machine = restore(&config, &SCENE.grant, &forged, NOW).unwrap();
    assert_eq!(outputs(&mut machine), outputs(&mut begin(&config)));
}

/// C-SGN-4: an answer that was saved is judged when it is told, by the roots of the configuration.
#[test]
fn saved_answers_are_judged_again() {
    let rooted = ExternalCaConfig {
        roots: vec![SCENE.chain[2].clone()],
        ..kubernetes("example.com")
    };
    let end = |state: &Value| {
        let mut machine = restore(&rooted, &SCENE.grant, state, NOW).unwrap();
        match outputs(&mut machine).pop() {
            Some(ExternalCaOutput::Issued(_)) => "issued",
            Some(ExternalCaOutput::Failed(error)) => error.code(),
            other => panic!("{other:?}"),
        }
    };
    let mut machine = begin(&rooted);
    machine.handle_created();
    machine.handle_status(NOW, &good_status());
    let state = saved(&machine);
    assert_eq!(end(&state), "issued");

    // The same from an authority that nobody has configured.
    let mut stranger =
        Authority::self_signed("td".parse().unwrap(), WALL, &mut InsecureSeededEntropy::new(9)).unwrap();
    let svid = stranger.issue(&SCENE.grant, WALL, &mut entropy()).unwrap();
    let chain = [svid.leaf(), svid.roots()[0].as_slice()];
    let mut forged = state.clone();
    let certificate = status(&chain).certificate.unwrap();
    assert!(forged["heard"]["Answer"]["answer"]["Kubernetes"].is_string());
    forged["heard"]["Answer"]["answer"]["Kubernetes"] = json!(certificate);
    assert_eq!(end(&forged), "external_ca.verify");
    forged["heard"]["Answer"]["answer"]["Kubernetes"] = json!("no base64");
    assert_eq!(end(&forged), "external_ca.pem");
}

/// Snapshots that no machine saves are refused, each as what it is.
#[test]
fn damaged_snapshots_are_refused() {
    let config = kubernetes("example.com");
    let mut machine = begin(&config);
    machine.handle_created();
    let state = saved(&machine);
    let with = |state: &Value| restore(&config, &SCENE.grant, state, NOW).map(|_| ());
    let changed = |field: &str, value: Value| {
        let mut state = state.clone();
        state[field] = value;
        with(&state)
    };
    assert_eq!(with(&state), Ok(()));
    let contradiction = Err("external_ca.snapshot.contradiction");
    for (field, value) in [
        // An object of somebody else would be deleted.
        ("name", json!("csr-of-another")),
        ("name", json!("csr-workload-aaaaaaaaa/")),
        ("name", json!("")),
        ("phase", json!("Asked")),
        // A result without an end, an end without an answer, the wrong order, the same twice.
        ("pending", json!(["Result"])),
        ("pending", json!(["Delete"])),
        ("pending", json!(["Sign"])),
        ("pending", json!(["Get", "Watch"])),
        ("pending", json!(["Watch", "Watch"])),
        ("heard", json!("Nothing")),
        ("csr", json!("")),
        (
            "csr",
            json!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ),
    ] {
        let shown = format!("{field} {value}");
        assert_eq!(changed(field, value), contradiction, "{shown}");
    }
    let not_read = Err("not read");
    assert_eq!(changed("more", json!(1)), not_read, "a field of another version");
    assert_eq!(changed("phase", json!("Dreaming")), not_read);
    assert_eq!(changed("granted", json!({})), not_read);
    assert_eq!(with(&json!({})), not_read);
    let mut done = begin(&vault());
    done.handle_vault_response(NOW, &good_response());
    let mut state = saved(&done);
    state["heard"]["Answer"]["answer"] = json!({"Kubernetes": ""});
    assert_eq!(
        restore(&vault(), &SCENE.grant, &state, NOW).map(|_| ()),
        contradiction
    );
}

/// A request goes on with the signer that it went to.
#[test]
fn the_signer_stays() {
    let state = saved(&begin(&kubernetes("example.com")));
    let other = ExternalCaConfig::new(ExternalSigner::Kubernetes {
        domain: String::new(),
        default_signer: "example.com/other".to_owned(),
        approve: true,
    });
    let other_signer = Some("external_ca.snapshot.other_signer");
    assert_eq!(restore(&other, &SCENE.grant, &state, NOW).err(), other_signer);
    assert_eq!(restore(&vault(), &SCENE.grant, &state, NOW).err(), other_signer);
    let state = saved(&begin(&vault()));
    assert_eq!(restore(&other, &SCENE.grant, &state, NOW).err(), other_signer);
    let named = grant(&SCENE.csr, "fast");
    let machine = ExternalCa::new(
        &kubernetes("example.com"),
        &named,
        &SCENE.csr,
        NOW,
        &mut entropy(),
    )
    .unwrap();
    let state = saved(&machine);
    assert_eq!(
        restore(&kubernetes("example.com"), &SCENE.grant, &state, NOW).err(),
        other_signer
    );
    assert_eq!(restore(&kubernetes(""), &named, &state, NOW).err(), other_signer);
    assert!(restore(&kubernetes("example.com"), &named, &state, NOW).is_ok());
}
