//! The machine that patches the configurations of the validating webhook.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use proptest::prelude::*;

use crate::admission::{
    ControlPlane, Probe, ProbeResult, ProbeVerb, WebhookOutput, WebhookReconciler, WriteResult,
};
use crate::kubernetes::{FailurePolicy, ValidatingWebhookConfiguration, Webhook};
use crate::object::Object;
use crate::scalar::Bytes;

type Configuration = Object<ValidatingWebhookConfiguration>;

const ROOTS: [&[u8]; 2] = [include_bytes!("one.pem"), include_bytes!("other.pem")];
const DENIED: ProbeResult<'static> = ProbeResult::Failed(
    "admission webhook \"rev.validation.istio.io\" denied the request: configuration is invalid",
);

fn start() -> (WebhookReconciler, Configuration) {
    let control_plane = ControlPlane::default();
    let mut reconciler = WebhookReconciler::new(control_plane.clone());
    reconciler.handle_ca_bundle(ROOTS[0]).unwrap();
    (reconciler, control_plane.validator())
}

fn write(output: Option<WebhookOutput>) -> Configuration {
    match output {
        Some(WebhookOutput::Write(object)) => *object,
        other => panic!("a write is due, not {other:?}"),
    }
}

fn probe(output: Option<WebhookOutput>) -> Probe {
    match output {
        Some(WebhookOutput::Probe(probe)) => *probe,
        other => panic!("a probe is due, not {other:?}"),
    }
}

/// A reconciler that has written the roots and waits for the answer to its first probe.
fn probing() -> WebhookReconciler {
    let (mut reconciler, object) = start();
    let name = object.meta.name.clone();
    reconciler.handle_configuration(object);
    let written = write(reconciler.poll_output());
    reconciler.handle_write(Duration::ZERO, &name, WriteResult::Written(Box::new(written)));
    assert_eq!(probe(reconciler.poll_output()).verb, ProbeVerb::Create);
    assert_eq!(reconciler.poll_output(), None);
    reconciler
}

#[test]
fn the_probe_is_a_gateway_that_asks_to_be_denied() {
    // A-ADM-11, A-MV-4
    let (mut reconciler, mut object) = start();
    object.spec.webhooks[0].client_config.ca_bundle = Bytes::new(ROOTS[0]);
    reconciler.handle_configuration(object);
    let Probe { verb, gateway } = probe(reconciler.poll_output());
    assert_eq!(verb, ProbeVerb::Create);
    assert_eq!(gateway.meta.namespace.as_str(), "istio-system");
    assert_eq!(gateway.meta.labels.get("istio.io/rev"), Some("default"));
    let review = serde_json::json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": { "uid": "u", "operation": "CREATE", "object": gateway },
    });
    let outcome = crate::admission::review_validate(review.to_string().as_bytes(), &Default::default());
    let codes: Vec<&str> = outcome.report.errors().map(|error| error.code.as_str()).collect();
    assert_eq!(codes, ["A-MV-4"]);
}

#[test]
fn the_answer_to_the_probe_decides() {
    // A-ADM-11
    for (result, ready) in [
        (DENIED, true),
        (
            ProbeResult::Failed("the server could not find the requested resource"),
            true,
        ),
        (
            ProbeResult::Failed("admission webhook \"x\" does not support dry run"),
            true,
        ),
        (ProbeResult::Accepted, false),
        (
            ProbeResult::Failed("failed calling webhook: connection refused"),
            false,
        ),
        (ProbeResult::Failed(""), false),
    ] {
        let mut reconciler = probing();
        reconciler.handle_probe(Duration::ZERO, result);
        assert_eq!(reconciler.is_ready(), ready, "{result:?}");
        if ready {
            let [webhook] = &write(reconciler.poll_output()).spec.webhooks[..] else {
                panic!("one webhook");
            };
            assert_eq!(webhook.failure_policy, Some(FailurePolicy::Fail));
            assert_eq!(reconciler.poll_timeout(), None);
        } else {
            assert_eq!(reconciler.poll_output(), None);
            assert_eq!(reconciler.poll_timeout(), Some(Duration::from_millis(100)));
        }
    }
}

#[test]
fn what_exists_is_updated_instead() {
    // A-ADM-11
    let mut reconciler = probing();
    reconciler.handle_probe(Duration::ZERO, ProbeResult::AlreadyExists);
    assert_eq!(probe(reconciler.poll_output()).verb, ProbeVerb::Update);
    reconciler.handle_probe(Duration::ZERO, DENIED);
    assert!(reconciler.is_ready());
}

#[test]
fn probes_are_repeated_ever_more_slowly() {
    // A-ADM-11: 100 ms to a minute
    let mut reconciler = probing();
    let mut now = Duration::ZERO;
    let mut waits = Vec::new();
    for _ in 0..13 {
        reconciler.handle_probe(now, ProbeResult::Accepted);
        let due = reconciler.poll_timeout().unwrap();
        waits.push((due - now).as_millis());
        reconciler.handle_timeout(due - Duration::from_millis(1));
        assert_eq!(reconciler.poll_output(), None, "too early");
        now = due;
        reconciler.handle_timeout(now);
        assert_eq!(probe(reconciler.poll_output()).verb, ProbeVerb::Create);
    }
    assert_eq!(
        waits,
        [
            100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000, 60000
        ]
    );
}

#[test]
fn only_configurations_of_the_revision_are_touched() {
    // A-ADM-11
    let (mut reconciler, mut object) = start();
    object.meta.labels.insert("istio.io/rev", "canary");
    reconciler.handle_configuration(object);
    assert_eq!(reconciler.poll_output(), None, "and nothing is probed");
}

#[test]
fn nothing_is_probed_without_configurations() {
    // A-ADM-11
    let mut reconciler = probing();
    reconciler.handle_probe(Duration::ZERO, ProbeResult::Accepted);
    reconciler.handle_removed("istio-validator-istio-system");
    assert_eq!(
        (reconciler.poll_timeout(), reconciler.poll_output()),
        (None, None)
    );
}

#[test]
fn new_roots_go_into_every_webhook() {
    // A-ADM-11
    let (mut reconciler, mut object) = start();
    let more = Webhook {
        name: "more.validation.istio.io".to_owned(),
        ..object.spec.webhooks[0].clone()
    };
    object.spec.webhooks.push(more);
    let name = object.meta.name.clone();
    reconciler.handle_configuration(object);
    let mut written = write(reconciler.poll_output());
    for roots in [ROOTS[1], ROOTS[0]] {
        reconciler.handle_write(Duration::ZERO, &name, WriteResult::Written(Box::new(written)));
        reconciler.handle_ca_bundle(roots).unwrap();
        written = write(reconciler.poll_output());
        for webhook in &written.spec.webhooks {
            assert_eq!(webhook.client_config.ca_bundle.as_slice(), roots);
            assert_eq!(webhook.failure_policy, Some(FailurePolicy::Ignore));
        }
    }
}

#[test]
fn only_certificates_are_roots() {
    // A-ADM-11
    let (mut reconciler, object) = start();
    let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let both = [ROOTS[0], key].concat();
    for text in [&b""[..], b"roots", key, &both, b"\xff"] {
        assert!(reconciler.handle_ca_bundle(text).is_err());
    }
    assert!(reconciler.handle_ca_bundle(&ROOTS.concat()).is_ok());
    reconciler.handle_configuration(object);
    let written = write(reconciler.poll_output());
    let [webhook] = &written.spec.webhooks[..] else {
        panic!("one webhook")
    };
    assert_eq!(webhook.client_config.ca_bundle.as_slice(), ROOTS.concat());
}

#[test]
fn a_write_that_failed_is_repeated_and_one_that_was_overtaken_is_checked() {
    // A-ADM-11
    let (mut reconciler, object) = start();
    let name = object.meta.name.clone();
    reconciler.handle_configuration(object.clone());
    let written = write(reconciler.poll_output());
    reconciler.handle_write(Duration::ZERO, &name, WriteResult::Failed);
    assert_eq!(probe(reconciler.poll_output()).verb, ProbeVerb::Create);
    assert_eq!(reconciler.poll_output(), None);
    reconciler.handle_timeout(reconciler.poll_timeout().unwrap());
    assert_eq!(write(reconciler.poll_output()), written);

    // while the write is under way, somebody undoes it
    reconciler.handle_configuration(object);
    reconciler.handle_write(
        Duration::ZERO,
        &name,
        WriteResult::Written(Box::new(written.clone())),
    );
    assert_eq!(write(reconciler.poll_output()), written);
}

/// What happens around the reconciler.
#[derive(Debug, Clone)]
enum Event {
    Install {
        name: u8,
        is_ours: bool,
        webhooks: Vec<Option<bool>>,
    },
    Remove(u8),
    Undo(u8),
    Roots(usize),
    Up(bool),
    Refuse,
    Answer,
    Wait(u16),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let policy = prop::option::of(any::<bool>());
    let event = prop_oneof![
        2 => (0..3u8, prop::bool::weighted(0.8), prop::collection::vec(policy, 1..3))
            .prop_map(|(name, is_ours, webhooks)| Event::Install { name, is_ours, webhooks }),
        1 => (0..3u8).prop_map(Event::Remove),
        1 => (0..3u8).prop_map(Event::Undo),
        1 => (0..2usize).prop_map(Event::Roots),
        1 => any::<bool>().prop_map(Event::Up),
        1 => Just(Event::Refuse),
        6 => Just(Event::Answer),
        2 => any::<u16>().prop_map(Event::Wait),
    ];
    prop::collection::vec(event, 1..60)
}

/// An API server with a webhook behind it.
struct Cluster {
    stored: BTreeMap<String, Configuration>,
    version: u64,
    is_up: bool,
    refuses: bool,
    now: Duration,
    roots: Option<usize>,
    /// What was asked and not answered.
    asked: VecDeque<WebhookOutput>,
    was_denied: bool,
    checked: usize,
}

impl Cluster {
    fn new() -> Self {
        Self {
            stored: BTreeMap::new(),
            version: 0,
            is_up: false,
            refuses: false,
            now: Duration::ZERO,
            roots: None,
            asked: VecDeque::new(),
            was_denied: false,
            checked: 0,
        }
    }

    fn store(&mut self, mut object: Configuration) -> Configuration {
        self.version += 1;
        object.meta.resource_version = self.version.to_string().into();
        self.stored.insert(object.meta.name.to_string(), object.clone());
        object
    }

    fn handle(&mut self, event: Event, reconciler: &mut WebhookReconciler) {
        match event {
            Event::Install {
                name,
                is_ours,
                webhooks,
            } => {
                let control_plane = ControlPlane::default();
                let mut object = control_plane.validator();
                object.meta.name = format!("c{name}").into();
                if !is_ours {
                    object.meta.labels.insert("istio.io/rev", "other");
                }
                let template = object.spec.webhooks.remove(0);
                object.spec.webhooks = webhooks
                    .into_iter()
                    .map(|policy| Webhook {
                        failure_policy: policy.map(|fail| match fail {
                            true => FailurePolicy::Fail,
                            false => FailurePolicy::Ignore,
                        }),
                        ..template.clone()
                    })
                    .collect();
                let stored = self.store(object);
                reconciler.handle_configuration(stored);
            }
            Event::Remove(name) => {
                let name = format!("c{name}");
                self.stored.remove(&name);
                reconciler.handle_removed(&name);
            }
            Event::Undo(name) => {
                if let Some(mut object) = self.stored.get(&format!("c{name}")).cloned() {
                    for webhook in &mut object.spec.webhooks {
                        webhook.client_config.ca_bundle = Bytes::new("garbage");
                        webhook.failure_policy = Some(FailurePolicy::Ignore);
                    }
                    let stored = self.store(object);
                    reconciler.handle_configuration(stored);
                }
            }
            Event::Roots(which) => {
                self.roots = Some(which);
                reconciler.handle_ca_bundle(ROOTS[which]).unwrap();
            }
            Event::Up(is_up) => self.is_up = is_up,
            Event::Refuse => self.refuses = true,
            Event::Answer => self.answer(reconciler),
            Event::Wait(milliseconds) => {
                self.now += Duration::from_millis(u64::from(milliseconds));
                reconciler.handle_timeout(self.now);
            }
        }
        while let Some(output) = reconciler.poll_output() {
            self.check(&output, reconciler);
            self.asked.push_back(output);
        }
    }

    /// What must be true of everything that is asked.
    fn check(&mut self, output: &WebhookOutput, reconciler: &WebhookReconciler) {
        self.checked += 1;
        let roots = ROOTS[self.roots.expect("nothing is asked before there are roots")];
        match output {
            WebhookOutput::Probe(_) => {
                assert!(!reconciler.is_ready(), "ready is ready");
                let probes = self
                    .asked
                    .iter()
                    .filter(|asked| matches!(asked, WebhookOutput::Probe(_)));
                assert_eq!(probes.count(), 0, "one probe at a time");
            }
            WebhookOutput::Write(object) => {
                let stored = &self.stored[object.meta.name.as_str()];
                assert_eq!(object.meta.labels.get("istio.io/rev"), Some("default"));
                assert_ne!(**object, *stored, "a write changes something");
                let mut same = (**object).clone();
                for (webhook, before) in same.spec.webhooks.iter_mut().zip(&stored.spec.webhooks) {
                    assert_eq!(webhook.client_config.ca_bundle.as_slice(), roots);
                    let (old, new) = (before.failure_policy, webhook.failure_policy);
                    assert!(
                        new == old || new == Some(FailurePolicy::Fail),
                        "{old:?} -> {new:?}"
                    );
                    assert!(
                        new == old || self.was_denied,
                        "the webhook has not been seen to work"
                    );
                    webhook.client_config.ca_bundle = before.client_config.ca_bundle.clone();
                    webhook.failure_policy = before.failure_policy;
                }
                assert_eq!(same, *stored, "nothing else changes");
            }
        }
    }

    fn answer(&mut self, reconciler: &mut WebhookReconciler) {
        match self.asked.pop_front() {
            None => {}
            Some(WebhookOutput::Probe(_)) => {
                let is_asked = self.roots.is_some_and(|roots| {
                    let mut webhooks = self.stored.values().flat_map(|object| &object.spec.webhooks);
                    webhooks.any(|webhook| webhook.client_config.ca_bundle.as_slice() == ROOTS[roots])
                });
                let result = match self.is_up && is_asked {
                    true => DENIED,
                    false => ProbeResult::Accepted,
                };
                self.was_denied |= result == DENIED;
                reconciler.handle_probe(self.now, result);
                if let Some(due) = reconciler.poll_timeout() {
                    assert!(due <= self.now + Duration::from_secs(60));
                }
            }
            Some(WebhookOutput::Write(object)) => {
                let name = object.meta.name.to_string();
                let result = match self.stored.get(&name) {
                    None => WriteResult::NotFound,
                    Some(stored)
                        if self.refuses || stored.meta.resource_version != object.meta.resource_version =>
                    {
                        WriteResult::Failed
                    }
                    Some(_) => WriteResult::Written(Box::new(self.store(*object))),
                };
                self.refuses = false;
                let watched = match &result {
                    WriteResult::Written(object) => Some((**object).clone()),
                    _ => None,
                };
                reconciler.handle_write(self.now, &name, result);
                // the watch tells of it as well
                watched
                    .into_iter()
                    .for_each(|object| reconciler.handle_configuration(object));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A-ADM-11: whatever happens, roots and policies alone change, no policy turns back, and none turns to `Fail` before the
    /// webhook has denied something; and once the webhook works, everything comes to be in order.
    #[test]
    fn everything_comes_to_be_in_order(events in events()) {
        let mut cluster = Cluster::new();
        let mut reconciler = WebhookReconciler::new(ControlPlane::default());
        for event in events {
            cluster.handle(event, &mut reconciler);
        }
        cluster.handle(Event::Roots(0), &mut reconciler);
        cluster.handle(Event::Install { name: 7, is_ours: true, webhooks: vec![Some(false)] }, &mut reconciler);
        cluster.handle(Event::Up(true), &mut reconciler);
        for _ in 0..1000 {
            if cluster.asked.is_empty() {
                match reconciler.poll_timeout() {
                    None => break,
                    Some(due) => cluster.now = cluster.now.max(due),
                }
                cluster.handle(Event::Wait(0), &mut reconciler);
            }
            cluster.handle(Event::Answer, &mut reconciler);
        }
        prop_assert!(cluster.asked.is_empty() && reconciler.poll_timeout().is_none(), "it comes to rest");
        prop_assert!(reconciler.is_ready() && cluster.checked > 0);
        for object in cluster.stored.values() {
            let is_ours = object.meta.labels.get("istio.io/rev") == Some("default");
            for webhook in &object.spec.webhooks {
                prop_assert_eq!(webhook.client_config.ca_bundle.as_slice() == ROOTS[0], is_ours);
                // an absent policy means Fail
                prop_assert!(!is_ours || webhook.failure_policy != Some(FailurePolicy::Ignore));
            }
        }
    }
}
