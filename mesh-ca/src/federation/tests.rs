use std::time::Duration;

use super::*;
use crate::{InsecureSeededEntropy, MonotonicTime, Now, SpiffeId, TrustBundle, TrustDomain, UnixTime};

fn td(name: &str) -> TrustDomain {
    name.parse().unwrap()
}

fn web(name: &str) -> Relationship {
    Relationship {
        trust_domain: td(name),
        endpoint_url: format!("https://{name}/bundle").parse().unwrap(),
        profile: EndpointProfile::HttpsWeb,
    }
}

fn spiffe(name: &str, endpoint_id: &str, initial_bundle: Option<TrustBundle>) -> Relationship {
    let endpoint_id = endpoint_id.parse().unwrap();
    Relationship {
        profile: EndpointProfile::HttpsSpiffe {
            endpoint_id,
            initial_bundle,
        },
        ..web(name)
    }
}

fn document(sequence: u64, hint: u64) -> Vec<u8> {
    format!(r#"{{"keys":[],"spiffe_sequence":{sequence},"spiffe_refresh_hint":{hint}}}"#).into_bytes()
}

/// A client with its clock.
struct Bench {
    client: FederationClient,
    now: Now,
    entropy: InsecureSeededEntropy,
}

impl Bench {
    fn new(relationships: impl IntoIterator<Item = Relationship>) -> Self {
        let client =
            FederationClient::new(td("own.org"), [], relationships, FederationOptions::default()).unwrap();
        Self {
            client,
            now: Now::new(UnixTime::from_secs(1_800_000_000), MonotonicTime::ORIGIN),
            entropy: InsecureSeededEntropy::new(1),
        }
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.client.poll_output()).collect()
    }

    /// Sleeps until the next timer, and lets it act.
    fn wake(&mut self) -> Vec<Output> {
        let at = self.client.poll_timeout().expect("a timer");
        self.now = self.now + at.saturating_since(self.now.mono);
        self.client.handle_timeout(self.now, &mut self.entropy).unwrap();
        self.outputs()
    }

    /// Wakes for one fetch.
    fn fetch(&mut self) -> (FetchId, FetchAuth) {
        match self.wake().as_slice() {
            [Output::Fetch { id, auth, .. }] => (*id, auth.clone()),
            outputs => panic!("{outputs:?}"),
        }
    }

    fn answer(&mut self, id: FetchId, fetched: Fetched) -> Vec<Output> {
        self.client
            .handle_fetched(self.now, id, fetched, &mut self.entropy)
            .unwrap();
        self.outputs()
    }

    fn fail(&mut self, id: FetchId) -> Vec<Output> {
        self.client
            .handle_fetch_failed(self.now, id, &mut self.entropy)
            .unwrap();
        self.outputs()
    }

    fn wait(&self) -> Duration {
        self.client
            .poll_timeout()
            .unwrap()
            .saturating_since(self.now.mono)
    }
}

fn alarm_of(outputs: &[Output]) -> &AlarmKind {
    match outputs {
        [Output::Alarm(alarm)] => &alarm.kind,
        outputs => panic!("{outputs:?}"),
    }
}

/// C-FED-5: first at once, then by the hint, a tenth shorter at the most and never longer.
#[test]
fn polls_follow_the_hint() {
    let mut bench = Bench::new([web("a.org")]);
    assert_eq!(bench.wait(), Duration::ZERO);
    for (sequence, hint, least, most) in [
        (1, 600, 540, 600),
        (2, 1, 54, 60),
        (3, 1_000_000, 77_760, 86_400),
        (4, 0, 270, 300),
    ] {
        let (id, auth) = bench.fetch();
        assert_eq!(auth, FetchAuth::WebPki);
        let outputs = bench.answer(id, Fetched::ok(document(sequence, hint)));
        assert!(
            matches!(outputs.as_slice(), [Output::Store { bundle }] if bundle.sequence() == Some(sequence))
        );
        let wait = bench.wait();
        assert!(
            wait >= Duration::from_secs(least) && wait <= Duration::from_secs(most),
            "{wait:?}"
        );
    }
    // A call that is early, or twice, does nothing.
    bench
        .client
        .handle_timeout(bench.now, &mut bench.entropy)
        .unwrap();
    assert_eq!(bench.outputs(), []);
}

/// C-FED-5, scenario 99: a failure waits for a whole interval; three of them make the bundle stale, which is said once.
#[test]
fn failures_wait_for_their_turn() {
    let mut bench = Bench::new([web("a.org")]);
    let (id, _) = bench.fetch();
    let _ = bench.answer(id, Fetched::ok(document(1, 600)));
    let mut alarms = Vec::new();
    for attempt in 0..6 {
        let (id, _) = bench.fetch();
        let outputs = match attempt % 3 {
            0 => bench.fail(id),
            1 => bench.answer(
                id,
                Fetched {
                    status: 503,
                    ..Fetched::ok(Vec::new())
                },
            ),
            _ => bench.wake(), // nobody answered
        };
        assert!(bench.wait() >= Duration::from_secs(540), "not faster than usual");
        alarms.extend(outputs);
        assert!(
            bench.client.bundle(&td("a.org")).is_some(),
            "the bundle stays in use"
        );
    }
    assert_eq!(*alarm_of(&alarms), AlarmKind::Stale);
    // An answer that comes after it was given up is ignored.
    let (late, _) = bench.fetch();
    let _ = bench.wake();
    assert_eq!(bench.answer(late, Fetched::ok(document(9, 600))), []);
    assert_eq!(bench.client.bundle(&td("a.org")).unwrap().sequence(), Some(1));
}

/// C-FED-4, scenario 98: the first fetch with the initial bundle, later ones with the one fetched last.
#[test]
fn endpoints_that_serve_themselves() {
    let initial = TrustBundle::new(td("a.org")).with_sequence(Some(1));
    let mut bench = Bench::new([spiffe("a.org", "spiffe://a.org/bundle", Some(initial.clone()))]);
    let endpoint_id: SpiffeId = "spiffe://a.org/bundle".parse().unwrap();
    let good = |sequence| Fetched {
        peer: Some(endpoint_id.clone()),
        ..Fetched::ok(document(sequence, 600))
    };
    let bundle_of = |auth: FetchAuth| match auth {
        FetchAuth::Spiffe { bundle, .. } => bundle,
        FetchAuth::WebPki => panic!("not as a web server"),
    };
    let (id, auth) = bench.fetch();
    assert_eq!(bundle_of(auth), initial);
    let _ = bench.answer(id, good(5));
    let (id, auth) = bench.fetch();
    assert_eq!(bundle_of(auth).sequence(), Some(5));
    // Another id, and none at all, are refused whatever the document says.
    let other = Fetched {
        peer: Some("spiffe://a.org/other".parse().unwrap()),
        ..good(6)
    };
    assert_eq!(*alarm_of(&bench.answer(id, other)), AlarmKind::EndpointId);
    let (id, _) = bench.fetch();
    assert_eq!(
        *alarm_of(&bench.answer(id, Fetched::ok(document(6, 600)))),
        AlarmKind::EndpointId
    );
}

/// C-FED-4: an endpoint of another trust domain waits for that one's bundle; circles without a start are refused.
#[test]
fn endpoints_of_others_wait_for_them() {
    let mut bench = Bench::new([spiffe("a.org", "spiffe://b.org/bundle", None), web("b.org")]);
    let (id, auth) = bench.fetch();
    assert_eq!(auth, FetchAuth::WebPki, "b.org comes first");
    let _ = bench.answer(id, Fetched::ok(document(1, 600)));
    assert_eq!(bench.wait(), Duration::ZERO, "a.org can begin");
    assert!(
        matches!(bench.fetch().1, FetchAuth::Spiffe { bundle, .. } if *bundle.trust_domain() == td("b.org"))
    );

    let new = |known: Vec<TrustBundle>, relationships: Vec<Relationship>| {
        FederationClient::new(td("own.org"), known, relationships, FederationOptions::default())
            .map(|_| ())
            .map_err(|error| error.code())
    };
    let circle = vec![
        spiffe("a.org", "spiffe://b.org/x", None),
        spiffe("b.org", "spiffe://a.org/x", None),
    ];
    let unknown = Err("federation.endpoint_bundle_unknown");
    assert_eq!(new(vec![], circle.clone()), unknown);
    assert_eq!(new(vec![TrustBundle::new(td("a.org"))], circle), Ok(()));
    assert_eq!(
        new(vec![], vec![spiffe("a.org", "spiffe://a.org/x", None)]),
        unknown
    );
    assert_eq!(
        new(vec![], vec![spiffe("a.org", "spiffe://c.org/x", None)]),
        unknown
    );
    // An initial bundle of the served domain says nothing about an endpoint of another one.
    let initial = Some(TrustBundle::new(td("a.org")));
    assert_eq!(
        new(vec![], vec![spiffe("a.org", "spiffe://c.org/x", initial)]),
        unknown
    );
    assert_eq!(
        new(vec![], vec![web("own.org")]),
        Err("federation.own_trust_domain")
    );
    assert_eq!(
        new(vec![], vec![web("a.org"), web("a.org")]),
        Err("federation.two_relationships")
    );
}

/// C-FED-6.
#[test]
fn redirects_stay_on_https() {
    let mut bench = Bench::new([web("a.org")]);
    for (redirects, is_fine) in [
        (vec!["https://b.org/", "https://c.org/", "https://d.org/"], true),
        (vec!["https://b.org/"; 4], false),
        (vec!["http://b.org/"], false),
        (vec!["https://user@b.org/"], false),
    ] {
        let (id, _) = bench.fetch();
        let redirects = redirects.into_iter().map(str::to_owned).collect();
        let outputs = bench.answer(
            id,
            Fetched {
                redirects,
                ..Fetched::ok(document(1, 600))
            },
        );
        if is_fine {
            assert!(matches!(outputs.as_slice(), [Output::Store { .. }]));
        } else {
            assert_eq!(*alarm_of(&outputs), AlarmKind::Redirect);
        }
    }
}

/// C-BND-8, scenario 93.
#[test]
fn an_older_document_is_not_taken() {
    let mut bench = Bench::new([web("a.org")]);
    let answer = |bench: &mut Bench, sequence| {
        let (id, _) = bench.fetch();
        bench.answer(id, Fetched::ok(document(sequence, 600)))
    };
    assert!(matches!(
        answer(&mut bench, 10).as_slice(),
        [Output::Store { .. }]
    ));
    assert_eq!(answer(&mut bench, 10), []);
    assert_eq!(answer(&mut bench, 1), []);
    assert_eq!(answer(&mut bench, 2), []);
    assert_eq!(*alarm_of(&answer(&mut bench, 3)), AlarmKind::SequenceRolledBack);
    bench.client.reset_sequence(&td("a.org"));
    assert!(matches!(answer(&mut bench, 3).as_slice(), [Output::Store { .. }]));
    let (id, _) = bench.fetch();
    let changed = br#"{"keys":[],"spiffe_sequence":3,"spiffe_refresh_hint":700}"#.to_vec();
    let outputs = bench.answer(id, Fetched::ok(changed));
    assert!(
        matches!(outputs.as_slice(), [Output::Store { .. }, Output::Alarm(_)]),
        "{outputs:?}"
    );
    let (id, _) = bench.fetch();
    let outputs = bench.answer(id, Fetched::ok(b"{}".to_vec()));
    assert!(matches!(alarm_of(&outputs), AlarmKind::DocumentRefused(_)));
}

/// C-FED-9: the own bundle is not fetched, unless that is wanted.
#[test]
fn the_own_trust_domain_is_an_exception() {
    let new = |allow_own: bool| {
        let options = FederationOptions {
            allow_own,
            ..FederationOptions::default()
        };
        FederationClient::new(td("own.org"), [], [web("own.org")], options)
    };
    assert_eq!(
        new(false).unwrap_err(),
        FederationConfigError::OwnTrustDomain(td("own.org"))
    );
    let mut bench = Bench::new([]);
    let refused = bench.client.add(web("own.org")).unwrap_err();
    assert_eq!(refused.code(), "federation.own_trust_domain");
    assert_eq!(bench.client.poll_timeout(), None);
    bench.client = new(true).unwrap();
    let (id, _) = bench.fetch();
    let outputs = bench.answer(id, Fetched::ok(document(1, 600)));
    assert!(
        matches!(&outputs[..], [Output::Store { bundle }] if *bundle.trust_domain() == td("own.org")),
        "{outputs:?}"
    );
}

/// C-FED-8.
#[test]
fn the_end_of_a_relationship_is_the_end_of_trust() {
    let mut bench = Bench::new([web("a.org"), web("b.org")]);
    let outputs = bench.wake();
    let [Output::Fetch { id, .. }, Output::Fetch { id: never, .. }] = outputs.as_slice() else {
        panic!("{outputs:?}");
    };
    let (id, never) = (*id, *never);
    let _ = bench.answer(id, Fetched::ok(document(1, 600)));
    assert!(bench.client.remove(&td("a.org")) && bench.client.remove(&td("b.org")));
    assert_eq!(
        bench.outputs(),
        [Output::Withdraw {
            trust_domain: td("a.org")
        }]
    );
    assert!(!bench.client.remove(&td("a.org")));
    assert_eq!(bench.answer(never, Fetched::ok(document(1, 600))), []);
    assert_eq!(
        (bench.client.bundles().count(), bench.client.poll_timeout()),
        (0, None)
    );
    let circle = spiffe("a.org", "spiffe://c.org/x", None);
    assert!(bench.client.add(circle).is_err() && bench.client.add(web("a.org")).is_ok());
}

/// P10: a client that was restored goes on as the one that was saved, apart from polling at once.
#[test]
fn bundles_survive_a_restart() {
    let mut bench = Bench::new([web("a.org"), web("b.org")]);
    for output in bench.wake() {
        let Output::Fetch { id, .. } = output else {
            panic!("{output:?}")
        };
        bench
            .client
            .handle_fetched(bench.now, id, Fetched::ok(document(4, 600)), &mut bench.entropy)
            .unwrap();
    }
    let saved = serde_json::to_string(&bench.client.snapshot()).unwrap();
    let state: FederationState = serde_json::from_str(&saved).unwrap();
    let mut restored = Bench::new([web("a.org")]);
    restored.client.restore(&state);
    assert_eq!(
        restored.client.bundle(&td("a.org")),
        bench.client.bundle(&td("a.org"))
    );
    assert_eq!(
        restored.client.bundles().count(),
        1,
        "relationships are configuration"
    );
    let (id, _) = restored.fetch();
    assert_eq!(
        restored.answer(id, Fetched::ok(document(3, 600))),
        [],
        "an older one is still older"
    );
}

/// C-FED-1: a relationship is what it says: the host of its URL names no trust domain, its profile is not guessed, and it has
/// no other direction.
#[test]
fn nothing_follows_from_the_url() {
    let mut elsewhere = web("a.org");
    elsewhere.endpoint_url = "https://b.org/a.org".parse().unwrap();
    let mut own = web("c.org");
    own.endpoint_url = "https://own.org/bundle".parse().unwrap();
    let mut bench = Bench::new([elsewhere, own]);
    let outputs = bench.wake();
    let asked = outputs.iter().map(|output| match output {
        Output::Fetch {
            trust_domain,
            url,
            auth,
            ..
        } => (trust_domain.to_string(), url.to_string(), auth.clone()),
        other => panic!("{other:?}"),
    });
    let asked: Vec<_> = asked.collect();
    let web_pki = |domain: &str, url: &str| (domain.to_owned(), url.to_owned(), FetchAuth::WebPki);
    assert_eq!(
        asked,
        [
            web_pki("a.org", "https://b.org/a.org"),
            web_pki("c.org", "https://own.org/bundle")
        ]
    );
    for name in ["b.org", "own.org"] {
        assert!(bench.client.bundle(&td(name)).is_none());
    }
}

/// C-FED-3: what the machine is told, what it asks for, and how a fetch is to be authenticated.
#[test]
fn events_and_outputs() {
    let initial = TrustBundle::new(td("a.org"));
    let profile = spiffe("a.org", "spiffe://a.org/endpoint", Some(initial.clone()));
    let mut bench = Bench::new([profile]);
    let (id, auth) = bench.fetch();
    let endpoint_id: SpiffeId = "spiffe://a.org/endpoint".parse().unwrap();
    assert_eq!(
        auth,
        FetchAuth::Spiffe {
            endpoint_id: endpoint_id.clone(),
            bundle: initial,
        }
    );
    // Nothing else is asked for while it is under way; a failure asks again at the next interval.
    bench
        .client
        .handle_timeout(bench.now, &mut bench.entropy)
        .unwrap();
    assert_eq!(bench.outputs(), []);
    assert_eq!(bench.fail(id), []);
    let (id, _) = bench.fetch();
    let fetched = |status: u16, body: Vec<u8>| Fetched {
        status,
        peer: Some(endpoint_id.clone()),
        ..Fetched::ok(body)
    };
    // A body counts with status 200 alone.
    assert_eq!(bench.answer(id, fetched(404, document(1, 300))), []);
    let (id, _) = bench.fetch();
    let outputs = bench.answer(id, fetched(200, document(1, 300)));
    let [Output::Store { bundle }] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert_eq!(bench.client.bundle(&td("a.org")), Some(bundle));
    // The same answer again is one to a question that nobody asked.
    assert_eq!(bench.answer(id, fetched(200, document(2, 300))), []);
    let (id, _) = bench.fetch();
    let outputs = bench.answer(id, fetched(200, b"{}".to_vec()));
    let is_refusal = |output: &Output| matches!(output, Output::Alarm(alarm) if matches!(alarm.kind, AlarmKind::DocumentRefused(_)));
    assert!(matches!(&outputs[..], [one] if is_refusal(one)), "{outputs:?}");
    // Another peer than the one that must be there.
    let (id, _) = bench.fetch();
    let stranger = Fetched {
        peer: Some("spiffe://a.org/other".parse().unwrap()),
        ..Fetched::ok(document(3, 300))
    };
    let outputs = bench.answer(id, stranger);
    let is_stranger =
        |output: &Output| matches!(output, Output::Alarm(alarm) if alarm.kind == AlarmKind::EndpointId);
    assert!(matches!(&outputs[..], [one] if is_stranger(one)), "{outputs:?}");
    assert!(bench.client.remove(&td("a.org")));
    assert!(matches!(&bench.outputs()[..], [Output::Withdraw { .. }]));
}
