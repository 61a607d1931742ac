use std::sync::{Arc, LazyLock};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::jwt::JsonWebKey;
use crate::{
    Authority, Caller, CsrBuilder, CsrPolicy, InsecureSeededEntropy, IssuanceRecord, KeyPair, MonotonicTime,
    Now, SpiffeId, TrustBundle, TrustDomain, UnixTime,
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const HINT: Duration = Duration::from_secs(600);

fn td() -> TrustDomain {
    "example.org".parse().unwrap()
}

fn key(seed: u64) -> KeyPair {
    KeyPair::generate(&mut InsecureSeededEntropy::new(seed)).unwrap()
}

fn token_key(seed: u64) -> JsonWebKey {
    JsonWebKey::from_spki(key(seed).public_key().der()).unwrap()
}

/// Three roots with a certificate of each.
static ROOTS: LazyLock<Vec<(Vec<u8>, IssuanceRecord)>> = LazyLock::new(|| {
    let id: SpiffeId = "spiffe://example.org/web".parse().unwrap();
    let csr = CsrBuilder::new(&id).build(&key(99)).unwrap();
    let grant = CsrPolicy::istio()
        .check(csr.der())
        .unwrap()
        .authorize(&Caller::from(&id))
        .unwrap();
    let root = |seed: u64| {
        let mut entropy = InsecureSeededEntropy::new(seed);
        let mut ca = Authority::self_signed(td(), NOW, &mut entropy).unwrap();
        let record = ca.issue(&grant, NOW, &mut entropy).unwrap().record().clone();
        (ca.certificate_der().to_vec(), record)
    };
    [1, 2, 3].map(root).to_vec()
});

fn bundle(roots: &[usize], keys: &[&str]) -> TrustBundle {
    let mut bundle = TrustBundle::new(td()).with_refresh_hint(Some(HINT));
    for root in roots {
        bundle.insert_x509(&ROOTS[*root].0).unwrap();
    }
    for name in keys {
        bundle.jwt_mut().insert(*name, token_key(name.len() as u64));
    }
    bundle
}

fn log() -> Vec<IssuanceRecord> {
    ROOTS.iter().map(|(_, record)| record.clone()).collect()
}

/// C-FED-7: the first keys may be used at once, new ones after three hints, and each keeps its time.
#[test]
fn new_keys_appear_three_hints_before_their_use() {
    let mut publisher = BundlePublisher::new(bundle(&[0], &["a"]), NOW).unwrap();
    assert_eq!(publisher.usable_from(&ROOTS[0].0), Some(NOW));
    assert_eq!(publisher.key_usable_from("a"), Some(NOW));
    assert_eq!(
        (
            publisher.usable_from(&ROOTS[1].0),
            publisher.key_usable_from("bb")
        ),
        (None, None)
    );

    let later = NOW + HINT;
    assert!(
        publisher
            .publish(bundle(&[0, 1], &["a", "bb"]), &InUse::default(), later)
            .unwrap()
    );
    assert_eq!(publisher.usable_from(&ROOTS[0].0), Some(NOW));
    assert_eq!(publisher.usable_from(&ROOTS[1].0), Some(later + 3 * HINT));
    assert_eq!(publisher.key_usable_from("a"), Some(NOW));
    assert_eq!(publisher.key_usable_from("bb"), Some(later + 3 * HINT));

    // A hint that grows or shrinks: consumers may wait for the longer one. Below a minute nobody polls.
    let hour = Duration::from_secs(3_600);
    let with_hint = |roots: &[usize], hint: Duration| bundle(roots, &["a"]).with_refresh_hint(Some(hint));
    publisher
        .publish(with_hint(&[0, 1, 2], hour), &InUse::default(), later)
        .unwrap();
    assert_eq!(publisher.usable_from(&ROOTS[2].0), Some(later + 3 * hour));
    publisher
        .publish(with_hint(&[0], Duration::from_secs(1)), &InUse::default(), later)
        .unwrap();
    assert_eq!(publisher.usable_from(&ROOTS[1].0), None);
    publisher
        .publish(
            with_hint(&[0, 1], Duration::from_secs(1)),
            &InUse::default(),
            later,
        )
        .unwrap();
    assert_eq!(
        publisher.usable_from(&ROOTS[1].0),
        Some(later + Duration::from_secs(180))
    );
}

/// C-FED-7 with C-FED-5: a consumer that keeps to the hints has each key before it may be used, although two polls fail.
#[test]
fn a_consumer_has_a_key_before_it_is_used() {
    for seed in 0..50 {
        let mut entropy = InsecureSeededEntropy::new(seed);
        let mut now = Now::new(NOW, MonotonicTime::ORIGIN);
        let mut publisher = BundlePublisher::new(bundle(&[0], &[]), now.wall).unwrap();
        let relationship = Relationship {
            trust_domain: td(),
            endpoint_url: "https://example.org/bundle".parse().unwrap(),
            profile: EndpointProfile::HttpsWeb,
        };
        let own = "own.org".parse().unwrap();
        let mut client =
            FederationClient::new(own, [], [relationship], FederationOptions::default()).unwrap();
        let mut polls = 0;
        let mut usable = None;
        while client
            .bundle(&td())
            .is_none_or(|held| !held.contains_x509(&ROOTS[1].0))
        {
            client.handle_timeout(now, &mut entropy).unwrap();
            while let Some(output) = client.poll_output() {
                let Output::Fetch { id, .. } = output else {
                    continue;
                };
                polls += 1;
                match polls {
                    // The new root appears right after the first poll, and the next two polls fail.
                    2 | 3 => client.handle_fetch_failed(now, id, &mut entropy).unwrap(),
                    _ => {
                        let body = publisher.respond("GET", None).body.to_vec();
                        client
                            .handle_fetched(now, id, Fetched::ok(body), &mut entropy)
                            .unwrap();
                    }
                }
            }
            if polls == 1 && usable.is_none() {
                publisher
                    .publish(bundle(&[0, 1], &[]), &InUse::default(), now.wall)
                    .unwrap();
                usable = publisher.usable_from(&ROOTS[1].0);
            }
            let wake = client.poll_timeout().unwrap();
            if polls < 4 {
                now = now + wake.saturating_since(now.mono);
            }
        }
        assert_eq!(polls, 4);
        assert!(now.wall <= usable.unwrap());
    }
}

/// C-FED-7: what was issued keeps its key in the bundle until it has ended; a key in the wrong hands leaves at once.
#[test]
fn old_keys_leave_after_the_last_svid() {
    let mut publisher = BundlePublisher::new(bundle(&[0, 1], &["a", "bb"]), NOW).unwrap();
    let log = log();
    let end = log[0].not_after;
    let tokens = [("a".to_owned(), end + HINT), ("bb".to_owned(), end)];
    let in_use = InUse {
        certificates: &log,
        tokens: &tokens,
        ..InUse::default()
    };
    let before = publisher.clone();
    let error = publisher
        .publish(bundle(&[1], &["a", "bb"]), &in_use, end)
        .unwrap_err();
    assert_eq!(
        error,
        PublishError::StillInUse {
            certificates: 1,
            keys: vec![],
            until: end
        }
    );
    let error = publisher
        .publish(bundle(&[0, 1], &["bb"]), &in_use, end)
        .unwrap_err();
    assert_eq!(
        error,
        PublishError::StillInUse {
            certificates: 0,
            keys: vec!["a".to_owned()],
            until: end + HINT
        }
    );
    let mut other_key = bundle(&[0, 1], &["bb"]);
    other_key.jwt_mut().insert("a", token_key(7));
    let error = publisher.publish(other_key, &in_use, end).unwrap_err();
    assert_eq!(
        error.code(),
        "publish.still_in_use",
        "the name stays, the key does not"
    );
    assert_eq!(publisher, before);

    let ended = end + Duration::from_secs(1);
    publisher.publish(bundle(&[1], &["a"]), &in_use, ended).unwrap();
    publisher.publish(bundle(&[1], &[]), &in_use, end + HINT).unwrap();
    publisher
        .publish(bundle(&[], &[]), &InUse::default(), NOW)
        .unwrap();
    assert_eq!(publisher.bundle().sequence(), Some(4));
}

/// C-BND-8, C-ROT-13: the number grows with each change of the content, and never without one that somebody counted.
#[test]
fn the_number_grows_with_the_content() {
    let mut publisher = BundlePublisher::new(bundle(&[0], &[]), NOW).unwrap();
    assert_eq!(publisher.bundle().sequence(), Some(1));
    let mut publish = |bundle: TrustBundle| {
        let outcome = publisher
            .publish(bundle, &InUse::default(), NOW)
            .map_err(|error| error.code());
        (outcome, publisher.bundle().sequence().unwrap())
    };
    assert_eq!(publish(bundle(&[0], &[])), (Ok(false), 1));
    assert_eq!(publish(bundle(&[0], &[]).with_sequence(Some(1))), (Ok(false), 1));
    assert_eq!(publish(bundle(&[0, 1], &[])), (Ok(true), 2));
    assert_eq!(
        publish(bundle(&[0], &[]).with_sequence(Some(2))),
        (Err("publish.sequence"), 2)
    );
    assert_eq!(
        publish(bundle(&[0], &[]).with_sequence(Some(1))),
        (Err("publish.sequence"), 2)
    );
    assert_eq!(publish(bundle(&[0], &[]).with_sequence(Some(9))), (Ok(true), 9));
    assert_eq!(
        publish(bundle(&[0], &[]).with_sequence(Some(8))),
        (Err("publish.sequence"), 9)
    );
    assert_eq!(
        publish(bundle(&[0], &[]).with_sequence(Some(u64::MAX))),
        (Ok(true), u64::MAX)
    );
    assert_eq!(publish(bundle(&[0, 1], &[])), (Err("publish.sequence"), u64::MAX));
    let other = TrustBundle::new("other.org".parse().unwrap());
    assert_eq!(publish(other), (Err("publish.other_trust_domain"), u64::MAX));
}

/// C-BND-4: the publisher checks its own document as a strict consumer.
#[test]
fn documents_that_consumers_refuse_are_not_published() {
    let leaf = crate::pem::parse_chain(
        include_bytes!("../../tests/data/chain.pem"),
        &crate::Limits::default(),
    );
    let mut with_leaf = bundle(&[0], &[]);
    with_leaf.insert_x509(&leaf.unwrap()[0]).unwrap();
    let error = BundlePublisher::new(with_leaf.clone(), NOW).unwrap_err();
    assert_eq!(error.code(), "bundle.refused");
    let mut publisher = BundlePublisher::new(bundle(&[0], &[]), NOW).unwrap();
    let before = publisher.clone();
    assert!(publisher.publish(with_leaf, &InUse::default(), NOW).is_err());
    let without_name = bundle(&[0], &[""]);
    assert!(publisher.publish(without_name, &InUse::default(), NOW).is_err());
    assert_eq!(publisher, before);
}

/// C-FED-7: answers, conditional ones too. Spec: RFC 9110 §13.1.2.
#[test]
fn consumers_are_answered() {
    let mut publisher = BundlePublisher::new(bundle(&[0], &["a"]), NOW).unwrap();
    let plain = publisher.respond("GET", None);
    assert_eq!(plain.status, 200);
    assert_eq!(&*plain.body, publisher.bundle().to_spiffe_json().as_bytes());
    assert_eq!(plain.header("content-type"), Some("application/json"));
    assert_eq!(plain.header("cache-control"), Some("no-cache"));
    let tag = plain.header("etag").unwrap().to_owned();
    let head = publisher.respond("HEAD", None);
    assert_eq!(
        (head.status, &head.headers, head.body.len()),
        (200, &plain.headers, 0)
    );

    let status =
        |publisher: &BundlePublisher, value: &str| publisher.respond("GET", Some(value.as_bytes())).status;
    let values = |tag: &str| {
        [
            tag.to_owned(),
            format!(" {tag} "),
            format!("W/{tag}"),
            format!(r#""other", W/"a,b" , {tag}"#),
            format!(r#""","x",{tag},"y""#),
        ]
    };
    for value in values(&tag) {
        let response = publisher.respond("GET", Some(value.as_bytes()));
        assert_eq!((response.status, response.body.len()), (304, 0), "{value}");
        assert_eq!(response.header("etag"), Some(tag.as_str()));
    }
    assert_eq!(
        (
            status(&publisher, "*"),
            publisher.respond("HEAD", Some(b"*")).status
        ),
        (304, 304)
    );
    let bare = tag.trim_matches('"');
    for value in [
        "",
        "\"",
        "\"other\"",
        bare,
        &format!("nonsense, {tag}"),
        &format!("w/{tag}"),
        "*, \"x\"",
    ] {
        assert_eq!(status(&publisher, value), 200, "{value}");
    }
    for method in ["POST", "PUT", "DELETE", "get", ""] {
        let response = publisher.respond(method, None);
        assert_eq!(
            (response.status, response.header("allow")),
            (405, Some("GET, HEAD")),
            "{method}"
        );
    }

    publisher
        .publish(bundle(&[0, 1], &["a"]), &InUse::default(), NOW)
        .unwrap();
    assert!(
        values(&tag).iter().all(|value| status(&publisher, value) == 200),
        "another content"
    );
}

/// C-GEN-6: a publisher that is restored behaves equally; a time that is missing is taken as late as it can be.
#[test]
fn a_publisher_survives_a_restart() {
    let mut publisher = BundlePublisher::new(bundle(&[0], &["a"]), NOW).unwrap();
    publisher
        .publish(bundle(&[0, 1], &["a", "bb"]), &InUse::default(), NOW)
        .unwrap();
    let text = serde_json::to_string(&publisher.snapshot()).unwrap();
    let state: PublisherState = serde_json::from_str(&text).unwrap();
    let restored = BundlePublisher::restore(state.clone(), NOW + 9 * HINT).unwrap();
    assert_eq!(restored, publisher);
    let state = PublisherState {
        authorities: vec![],
        keys: [].into(),
        ..state
    };
    let restored = BundlePublisher::restore(state, NOW + HINT).unwrap();
    assert_eq!(restored.usable_from(&ROOTS[0].0), Some(NOW + 4 * HINT));
    assert_eq!(restored.key_usable_from("a"), Some(NOW + 4 * HINT));
    assert!(Arc::ptr_eq(
        &restored.respond("GET", None).body,
        &restored.respond("GET", None).body
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// C-FED-7, over random histories: what is served is the bundle, equal tags mean equal documents, no certificate that
    /// lives on loses its root, and no key is usable earlier than three polls after it appeared.
    #[test]
    fn histories_keep_the_rules(
        steps in prop::collection::vec((0u8..8, 0u8..4, 0u64..90_000, any::<bool>()), 1..20),
    ) {
        let (log, tokens) = (log(), [("a".to_owned(), NOW + Duration::from_secs(40_000))]);
        let mut now = NOW;
        let mut publisher = BundlePublisher::new(bundle(&[0], &["a"]), now).unwrap();
        let mut served = vec![publisher.respond("GET", None)];
        for (roots, keys, wait, is_emergency) in steps {
            now += Duration::from_secs(wait);
            let roots: Vec<usize> = (0..3).filter(|root| roots >> root & 1 == 1).collect();
            let keys: Vec<&str> = ["a", "bb"].into_iter().enumerate().filter(|(at, _)| keys >> at & 1 == 1).map(|(_, key)| key).collect();
            let in_use = match is_emergency {
                true => InUse::default(),
                false => InUse { certificates: &log, tokens: &tokens, ..InUse::default() },
            };
            let before = publisher.clone();
            match publisher.publish(bundle(&roots, &keys), &in_use, now) {
                Err(error) => {
                    prop_assert_eq!(error.code(), "publish.still_in_use");
                    prop_assert_eq!(&publisher, &before);
                }
                Ok(false) => prop_assert_eq!(&publisher, &before),
                Ok(true) => {
                    prop_assert_eq!(publisher.bundle().sequence(), before.bundle().sequence().map(|number| number + 1));
                    for (root, record) in &*ROOTS {
                        let (had, has) = (before.usable_from(root), publisher.usable_from(root));
                        prop_assert_eq!(has.is_some(), publisher.bundle().contains_x509(root));
                        if has.is_some() {
                            prop_assert_eq!(has, had.or(Some(now + 3 * HINT)));
                        } else if had.is_some() && !is_emergency {
                            prop_assert!(now > record.not_after);
                        }
                    }
                    if !is_emergency && before.key_usable_from("a").is_some() && publisher.key_usable_from("a").is_none() {
                        prop_assert!(now >= tokens[0].1);
                    }
                }
            }
            served.push(publisher.respond("GET", None));
            for one in &served {
                for other in &served {
                    prop_assert_eq!(one.header("etag") == other.header("etag"), one.body == other.body);
                }
            }
        }
    }

    /// C-GEN-10.
    #[test]
    fn no_header_panics(value in prop::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'W'), Just(b'/'), any::<u8>()], 0..40)) {
        let publisher = BundlePublisher::new(bundle(&[], &[]), NOW).unwrap();
        publisher.respond("GET", Some(&value));
    }
}
