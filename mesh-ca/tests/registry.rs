//! The registry: the rules C-REG, and the scenarios that name them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mesh_ca::pb::X509SvidResponse;
use mesh_ca::registry::{
    AttestedAgent, EntryId, HeldSvid, RegistrationEntry, Registry, RegistryError, Selector, X509View,
};
use mesh_ca::{InsecureSeededEntropy, KeyFormat, KeyPair, SpiffeId, StatusCode, UnixTime};
use proptest::prelude::*;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn id(path: &str) -> SpiffeId {
    format!("spiffe://example.org{path}").parse().unwrap()
}

fn selectors(texts: &[&str]) -> BTreeSet<Selector> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn entry(number: &str, parent: &str, path: &str, with: &[&str]) -> RegistrationEntry {
    RegistrationEntry {
        selectors: selectors(with),
        ..RegistrationEntry::new(number, id(parent), id(path))
    }
}

fn agent(path: &str, with: &[&str]) -> AttestedAgent {
    AttestedAgent {
        id: id(path),
        selectors: selectors(with),
        expires_at: None,
        banned: false,
    }
}

fn registry(entries: impl IntoIterator<Item = RegistrationEntry>) -> Registry {
    let mut registry = Registry::new("example.org".parse().unwrap());
    registry.attest_agent(agent("/spire/agent/1", &["k8s_psat:cluster:one", "node:zone:a"]));
    for entry in entries {
        registry.insert(entry).unwrap();
    }
    registry
}

fn matching(registry: &Registry, with: &[&str]) -> Vec<String> {
    let found = registry.matching(&id("/spire/agent/1"), &selectors(with), NOW);
    found.iter().map(|entry| entry.id.to_string()).collect()
}

const AGENT: &str = "/spire/agent/1";

/// C-REG-1: what is no entry is refused, by name.
#[test]
fn entries_are_checked() {
    let mut registry = registry([entry("a", AGENT, "/a", &["x:1"])]);
    let foreign = RegistrationEntry {
        parent_id: "spiffe://other.org/a".parse().unwrap(),
        ..entry("b", AGENT, "/b", &["x:1"])
    };
    let hint = RegistrationEntry {
        hint: "h".repeat(1_025),
        ..entry("b", AGENT, "/b", &["x:1"])
    };
    for (entry, code) in [
        (entry("a", AGENT, "/b", &["x:1"]), "registry.duplicate_id"),
        (entry("b", AGENT, "/a", &["x:1"]), "registry.duplicate"),
        (entry("b", AGENT, "", &["x:1"]), "registry.not_a_workload"),
        (entry("b", AGENT, "/spire/x", &["x:1"]), "registry.reserved"),
        (entry("b", AGENT, "/b", &[]), "registry.no_selectors"),
        (foreign, "registry.foreign_trust_domain"),
        (hint, "registry.hint_too_long"),
    ] {
        assert_eq!(registry.insert(entry).map_err(|error| error.code()), Err(code));
    }
    assert_eq!(registry.len(), 1);
    let longest = RegistrationEntry {
        hint: "h".repeat(1_024),
        ..entry("b", AGENT, "/b", &["x:1"])
    };
    assert_eq!(registry.insert(longest), Ok(()));
    let mut registry = registry.with_reserved(true);
    assert_eq!(registry.insert(entry("c", AGENT, "/spire/x", &["x:1"])), Ok(()));
}

/// C-REG-2: the type of a selector has no colon, its value may.
#[test]
fn selectors_are_parsed() {
    for wrong in ["", ":", "a", "a:", ":b"] {
        assert!(wrong.parse::<Selector>().is_err(), "{wrong}");
    }
    let selector: Selector = "k8s:pod-label:app:x".parse().unwrap();
    assert_eq!((selector.kind(), selector.value()), ("k8s", "pod-label:app:x"));
    assert_eq!(Selector::unix_uid(7).as_str(), "unix:uid:7");
    assert_eq!(
        serde_json::to_string(&selector).unwrap(),
        r#""k8s:pod-label:app:x""#
    );
}

/// Scenario 100, C-REG-2, C-REG-6: all selectors of an entry have to be there; the first entry is the default.
#[test]
fn selectors_have_to_be_a_subset() {
    let registry = registry([
        entry("b", AGENT, "/two", &["k8s:ns:shop", "k8s:sa:reviews"]),
        entry("a", AGENT, "/one", &["k8s:ns:shop"]),
        entry("c", "/spire/agent/2", "/three", &["k8s:ns:shop"]),
    ]);
    assert_eq!(
        matching(&registry, &["k8s:ns:shop", "k8s:sa:reviews", "k8s:pod-uid:1"]),
        ["a", "b"]
    );
    assert_eq!(matching(&registry, &["k8s:ns:shop"]), ["a"]);
    assert_eq!(matching(&registry, &["k8s:sa:reviews"]), [""; 0]);
    assert_eq!(matching(&registry, &[]), [""; 0]);
}

/// Scenario 101, C-REG-3: an agent has the aliases whose selectors its node has.
#[test]
fn aliases_come_by_the_selectors_of_the_node() {
    let registry = registry([
        entry("alias-a", "/spire/server", "/zone/a", &["node:zone:a"]),
        entry("alias-b", "/spire/server", "/zone/b", &["node:zone:b"]),
        entry("in-a", "/zone/a", "/web", &["unix:uid:1"]),
        entry("in-b", "/zone/b", "/db", &["unix:uid:1"]),
    ]);
    assert_eq!(matching(&registry, &["unix:uid:1"]), ["in-a"]);
    let authorized = registry.authorized(&id(AGENT), NOW);
    assert_eq!(
        authorized.iter().map(|entry| &*entry.id.0).collect::<Vec<_>>(),
        ["in-a"]
    );
}

/// Scenario 102, C-REG-4: entries below entries, and cycles among them.
#[test]
fn cycles_of_parents_end() {
    let registry = registry([
        entry("1", AGENT, "/a", &["x:1"]),
        entry("2", "/a", "/b", &["x:1"]),
        entry("3", "/b", "/a", &["x:1"]),
        entry("4", "/c", "/c", &["x:1"]),
    ]);
    assert_eq!(matching(&registry, &["x:1"]), ["1", "2", "3"]);
}

/// Scenario 103, C-REG-7: what has ended is not found, and pruned; who is banned gets nothing.
#[test]
fn ended_entries_and_banned_agents() {
    let ends = RegistrationEntry {
        expires_at: Some(NOW + Duration::from_secs(10)),
        ..entry("a", AGENT, "/a", &["x:1"])
    };
    let mut registry = registry([ends, entry("b", AGENT, "/b", &["x:1"])]);
    assert_eq!(matching(&registry, &["x:1"]), ["a", "b"]);
    let later = NOW + Duration::from_secs(10);
    let found = registry.matching(&id(AGENT), &selectors(&["x:1"]), later).len();
    assert_eq!(found, 1);
    assert!(registry.entitled(&id(AGENT), &"a".into(), later).is_err());
    assert_eq!(registry.prune(NOW), []);
    assert_eq!(registry.prune(later), [EntryId::from("a")]);
    assert_eq!(registry.len(), 1);
    registry.ban_agent(&id(AGENT));
    assert_eq!(matching(&registry, &["x:1"]), [""; 0]);
    registry.attest_agent(AttestedAgent {
        expires_at: Some(NOW),
        ..agent(AGENT, &[])
    });
    assert_eq!(matching(&registry, &["x:1"]), [""; 0]);
    registry.prune(NOW);
    assert!(registry.agent(&id(AGENT)).is_none());
}

/// Scenario 104, C-REG-9: of two entries with one hint, the first is returned.
#[test]
fn hints_are_unique_in_an_answer() {
    let hinted = |number, path, hint: &str| RegistrationEntry {
        hint: hint.to_owned(),
        ..entry(number, AGENT, path, &["x:1"])
    };
    let registry = registry([
        hinted("1", "/a", "inside"),
        hinted("2", "/b", "inside"),
        hinted("3", "/c", ""),
        hinted("4", "/d", ""),
        hinted("5", "/e", "outside"),
    ]);
    assert_eq!(matching(&registry, &["x:1"]), ["1", "3", "4", "5"]);
}

/// Scenario 105, C-REG-5: an entry of another agent and one that is not there give one error.
#[test]
fn foreign_entries_are_not_told_from_missing_ones() {
    let registry = registry([
        entry("mine", AGENT, "/a", &["x:1"]),
        entry("foreign", "/spire/agent/2", "/b", &["x:1"]),
    ]);
    assert_eq!(
        registry
            .entitled(&id(AGENT), &"mine".into(), NOW)
            .unwrap()
            .spiffe_id,
        id("/a")
    );
    let foreign = registry.entitled(&id(AGENT), &"foreign".into(), NOW).unwrap_err();
    let missing = registry.entitled(&id(AGENT), &"missing".into(), NOW).unwrap_err();
    assert_eq!((&foreign, foreign.status()), (&missing, missing.status()));
    assert_eq!(foreign, RegistryError::NotFoundOrNotAuthorised);
}

/// C-REG-8: updates count the revision; agents learn what changed and what is gone.
#[test]
fn agents_learn_what_changed() {
    let mut registry = registry([
        entry("a", AGENT, "/a", &["x:1"]),
        entry("b", AGENT, "/b", &["x:1"]),
    ]);
    let known: BTreeMap<EntryId, u64> = [("a".into(), 0), ("b".into(), 0), ("gone".into(), 3)].into();
    let old = registry.get(&"a".into()).unwrap().clone();
    registry
        .update(RegistrationEntry {
            dns_names: vec!["a.example.org".into()],
            ..entry("a", AGENT, "/a", &["x:1"])
        })
        .unwrap();
    registry.remove(&"b".into());
    registry.insert(entry("c", AGENT, "/c", &["x:1"])).unwrap();
    let changes = registry.changes(&id(AGENT), &known, NOW);
    assert_eq!(
        changes
            .changed
            .iter()
            .map(|entry| (&*entry.id.0, entry.revision))
            .collect::<Vec<_>>(),
        [("a", 1), ("c", 0)]
    );
    assert_eq!(changes.removed, ["b".into(), "gone".into()]);
    assert!(old.needs_new_svid(&changes.changed[0]));
    let hinted = RegistrationEntry {
        hint: "h".into(),
        ..(*old).clone()
    };
    assert!(!old.needs_new_svid(&hinted));
    assert_eq!(
        registry.update(entry("z", AGENT, "/z", &["x:1"])),
        Err(RegistryError::NotFoundOrNotAuthorised)
    );
}

/// C-REG-10: no entitlement is PERMISSION_DENIED, and no SVID yet is UNAVAILABLE.
#[test]
fn views_are_whole_states() {
    let none = X509View::new(&[], &BTreeMap::new(), &[], &BTreeMap::new(), &[]).unwrap_err();
    assert_eq!(none.code(), StatusCode::PermissionDenied);
    let registry = registry([entry("a", AGENT, "/a", &["x:1"])]);
    let entries = registry.matching(&id(AGENT), &selectors(&["x:1"]), NOW);
    let early = X509View::new(&entries, &BTreeMap::new(), &[], &BTreeMap::new(), &[]).unwrap_err();
    assert_eq!(early.code(), StatusCode::Unavailable);
}

/// C-API-6, C-GEN-7: a view as the message of the Workload API; what is printed of it holds no key.
#[test]
fn views_are_sent_as_messages() {
    let federated = RegistrationEntry {
        federates_with: BTreeSet::from(["other.org".parse().unwrap()]),
        ..entry("a", AGENT, "/a", &["x:1"])
    };
    let registry = registry([federated]);
    let entries = registry.matching(&id(AGENT), &selectors(&["x:1"]), NOW);
    let key = KeyPair::generate(&mut InsecureSeededEntropy::new(1)).unwrap();
    let held = HeldSvid {
        chain: vec![[1, 2].into(), [3].into()],
        key: key.to_der(KeyFormat::Pkcs8),
    };
    let held = BTreeMap::from([(EntryId::from("a"), held)]);
    let foreign = BTreeMap::from([("other.org".parse().unwrap(), vec![[7].into(), [8].into()])]);
    let view = X509View::new(&entries, &held, &[[9].into()], &foreign, &[vec![5]]).unwrap();
    let message = X509SvidResponse::from(&view);
    let [svid] = &message.svids[..] else {
        panic!("{message:?}")
    };
    assert_eq!(
        (svid.spiffe_id.as_str(), &*svid.x509_svid),
        ("spiffe://example.org/a", &[1, 2, 3][..])
    );
    assert_eq!(
        (&*svid.bundle, &*svid.x509_svid_key),
        (&[9][..], key.to_der(KeyFormat::Pkcs8).expose())
    );
    assert_eq!(message.crl, [[5]]);
    assert_eq!(
        message.federated_bundles,
        BTreeMap::from([("spiffe://other.org".to_owned(), vec![7, 8])])
    );
    assert!(!format!("{message:?}").contains("x509_svid_key"));
}

/// What changes a registry.
#[derive(Debug, Clone)]
enum Step {
    Insert {
        number: u8,
        parent: u8,
        path: u8,
        selectors: Vec<u8>,
        ends: Option<u8>,
    },
    Remove(u8),
    Prune(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let insert = (
        0u8..30,
        0u8..7,
        0u8..6,
        prop::collection::vec(0u8..5, 1..4),
        prop::option::weighted(0.2, 0u8..20),
    )
        .prop_map(|(number, parent, path, selectors, ends)| Step::Insert {
            number,
            parent,
            path,
            selectors,
            ends,
        });
    prop::collection::vec(
        prop_oneof![8 => insert, 2 => (0u8..30).prop_map(Step::Remove), 1 => (0u8..20).prop_map(Step::Prune)],
        0..60,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// The indices give what looking at every entry gives (C-REG-2 to C-REG-5, C-REG-7).
    #[test]
    fn indices_agree_with_a_scan(steps in steps(), attested in prop::collection::btree_set(0u8..5, 0..5), at in 0u8..20) {
        let mut registry = registry([]);
        let mut all: BTreeMap<String, RegistrationEntry> = BTreeMap::new();
        let parents = ["/spire/agent/1", "/spire/server", "/0", "/1", "/2", "/spire/agent/2", "/3"];
        let selector = |number: &u8| format!("node:zone:{}", char::from(b'a' + number));
        let time = |at: u8| NOW + Duration::from_secs(u64::from(at));
        for step in steps {
            match step {
                Step::Insert { number, parent, path, selectors: with, ends } => {
                    let with: Vec<String> = with.iter().map(selector).collect();
                    let with: Vec<&str> = with.iter().map(String::as_str).collect();
                    let number = number.to_string();
                    let made = entry(&number, parents[usize::from(parent)], &format!("/{path}"), &with);
                    let made = RegistrationEntry { expires_at: ends.map(time), ..made };
                    if registry.insert(made.clone()).is_ok() {
                        prop_assert!(all.insert(number, made).is_none());
                    } else {
                        let same = |other: &RegistrationEntry| (&other.parent_id, &other.spiffe_id, &other.selectors) == (&made.parent_id, &made.spiffe_id, &made.selectors);
                        prop_assert!(all.contains_key(&number) || all.values().any(same));
                    }
                }
                Step::Remove(number) => {
                    let number = number.to_string();
                    prop_assert_eq!(registry.remove(&number.as_str().into()).is_some(), all.remove(&number).is_some());
                }
                Step::Prune(at) => {
                    registry.prune(time(at));
                    all.retain(|_, entry| !entry.is_expired(time(at)));
                }
            }
        }
        let now = time(at);
        // By looking at everything, again and again until nothing is added.
        let node = selectors(&["k8s_psat:cluster:one", "node:zone:a"]);
        let alive = || all.values().filter(|entry| !entry.is_expired(now));
        let mut reachable = BTreeSet::from([id(AGENT)]);
        reachable.extend(alive().filter(|e| e.parent_id == id("/spire/server") && e.selectors.is_subset(&node)).map(|e| e.spiffe_id.clone()));
        loop {
            let more: Vec<SpiffeId> = alive().filter(|e| reachable.contains(&e.parent_id)).map(|e| e.spiffe_id.clone()).collect();
            let before = reachable.len();
            reachable.extend(more);
            if reachable.len() == before { break; }
        }
        let expected: BTreeSet<&str> = alive().filter(|e| reachable.contains(&e.parent_id)).map(|e| &*e.id.0).collect();
        let found = registry.authorized(&id(AGENT), now);
        prop_assert_eq!(found.iter().map(|e| &*e.id.0).collect::<BTreeSet<_>>(), expected.clone());
        let attested: BTreeSet<Selector> = attested.iter().map(|number| selector(number).parse().unwrap()).collect();
        let matches: BTreeSet<&str> = alive().filter(|e| expected.contains(&*e.id.0) && e.selectors.is_subset(&attested)).map(|e| &*e.id.0).collect();
        let found = registry.matching(&id(AGENT), &attested, now);
        prop_assert_eq!(found.iter().map(|e| &*e.id.0).collect::<BTreeSet<_>>(), matches);
        for number in all.keys() {
            let entitled = registry.entitled(&id(AGENT), &number.as_str().into(), now).is_ok();
            prop_assert_eq!(entitled, expected.contains(number.as_str()));
        }
    }
}
