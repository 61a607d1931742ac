//! Sets that follow a watch are those that hold what is there at its end.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::meta::ObjectMeta;
use crate::networking::ServiceEntry;
use crate::object::Model;

/// A state of one of a few objects: which one, its life, its generation, its resource version.
fn state(name: u8, life: u8, generation: i64, version: u32) -> AnyObject {
    let meta = ObjectMeta {
        uid: Text::from(format!("uid-{name}-{life}")),
        creation_timestamp: crate::scalar::Timestamp::from_unix_seconds(i64::from(life)),
        generation,
        resource_version: Text::from(format!("v{version}")),
        ..ObjectMeta::new(format!("entry-{name:03}"), "shop")
    };
    let spec = ServiceEntry {
        hosts: vec![format!("host-{generation}.example.com")],
        ..ServiceEntry::default()
    };
    Object::new(meta, spec).into()
}

/// What happens to an object in a cluster.
#[derive(Debug, Clone, Copy)]
enum Step {
    Bookmark,
    Create(u8),
    Delete(u8),
    DeleteUnknown(u8),
    Relist,
    Spec(u8),
    Status(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..12u8;
    prop_oneof![
        4 => name.clone().prop_map(Step::Create),
        4 => name.clone().prop_map(Step::Spec),
        2 => name.clone().prop_map(Step::Status),
        2 => name.clone().prop_map(Step::Delete),
        1 => name.prop_map(Step::DeleteUnknown),
        1 => Just(Step::Relist),
        1 => Just(Step::Bookmark),
    ]
}

/// A cluster: what is there, and the events that led to it.
#[derive(Default)]
struct Cluster {
    there: BTreeMap<u8, AnyObject>,
    lives: BTreeMap<u8, u8>,
    version: u32,
    events: Vec<Event>,
    /// Every state that was ever there.
    history: Vec<AnyObject>,
}

impl Cluster {
    fn put(&mut self, name: u8, life: u8, generation: i64) {
        self.version += 1;
        let object = state(name, life, generation, self.version);
        self.there.insert(name, object.clone());
        self.history.push(object.clone());
        self.events.push(Event::Applied(object));
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Bookmark => self.events.push(Event::Bookmark),
            Step::Create(name) if !self.there.contains_key(&name) => {
                let life = self.lives.entry(name).or_default();
                *life += 1;
                let life = *life;
                self.put(name, life, 1);
            }
            Step::Spec(name) | Step::Create(name) => {
                if let Some(object) = self.there.get(&name) {
                    let generation = object.meta().generation + 1;
                    self.put(name, self.lives[&name], generation);
                }
            }
            Step::Status(name) => {
                if let Some(object) = self.there.get(&name) {
                    let generation = object.meta().generation;
                    self.put(name, self.lives[&name], generation);
                }
            }
            Step::Delete(name) => {
                if let Some(object) = self.there.remove(&name) {
                    self.events.push(Event::deleted(&object));
                }
            }
            Step::DeleteUnknown(name) => {
                let key = ObjectKey::new(ServiceEntry::KIND, "shop", format!("entry-{name:03}"));
                let uid = Text::from("uid-of-nobody");
                self.events.push(Event::Deleted { key, uid });
            }
            Step::Relist => {
                let objects = self.list();
                self.events
                    .push(Event::listed(Scope::kind(ServiceEntry::KIND), objects));
            }
        }
    }

    fn list(&self) -> ObjectSet {
        self.there.values().cloned().collect()
    }
}

/// Objects of a kind that no event is about.
fn bystanders() -> ObjectSet {
    let sidecar = |n: usize| Object::new(ObjectMeta::new(format!("s{n}"), "shop"), Sidecar::default());
    (0..300).map(sidecar).collect()
}

fn with_bystanders(objects: &ObjectSet) -> ObjectSet {
    let mut all = bystanders();
    all.extend(objects);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever happens, the set is that of the final list; each event may come twice in a row.
    #[test]
    fn events_lead_to_the_final_list(
        steps in vec((step(), any::<bool>()), 0..60),
        batches in 1usize..5,
    ) {
        let mut cluster = Cluster::default();
        let mut events = Vec::new();
        for (step, twice) in steps {
            let from = cluster.events.len();
            cluster.run(step);
            for event in &cluster.events[from..] {
                events.push(event.clone());
                events.extend(twice.then(|| event.clone()));
            }
        }
        let start = bystanders();
        let mut set = start.clone();
        let mut replayed = start.clone();
        let size = events.len().div_ceil(batches).max(1);
        for batch in events.chunks(size) {
            let applied = set.apply(batch.iter().cloned());
            // the changes lead from one set to the next
            for change in &applied.changes {
                match change {
                    Change::Added(object) => prop_assert!(replayed.insert(object.clone()).is_none()),
                    Change::Removed(object) => prop_assert!(replayed.remove(&object.key()).is_some()),
                    Change::Updated { old, new } => {
                        let before = replayed.insert(new.clone());
                        prop_assert_eq!(before.as_ref(), Some(old));
                    }
                }
            }
            prop_assert_eq!(&replayed, &applied.objects);
            set = applied.objects;
        }
        prop_assert_eq!(&set, &with_bystanders(&cluster.list()));
        // the same events once more change nothing if the last word of each was final
        let relisted = set.apply([Event::listed(Scope::kind(ServiceEntry::KIND), cluster.list())]);
        prop_assert!(relisted.changes.is_empty());
        // nobody else was touched, or copied
        for (key, object) in start.iter() {
            prop_assert!(set.get(key).is_some_and(|same| same.ptr_eq(object)));
        }
    }

    /// States that come late, while their object lives, change nothing.
    #[test]
    fn late_states_are_passed_over(steps in vec(step(), 1..60), late in vec(any::<prop::sample::Index>(), 1..20)) {
        let mut cluster = Cluster::default();
        steps.into_iter().for_each(|step| cluster.run(step));
        let set = ObjectSet::new().apply(cluster.events.clone()).objects;
        let mut seen = 0;
        for index in late.iter().filter(|_| !cluster.history.is_empty()) {
            let old = index.get(&cluster.history).clone();
            let Some(current) = set.get(&old.key()) else { continue };
            let is_same_generation = old.meta().uid == current.meta().uid
                && old.meta().generation == current.meta().generation
                && old != *current;
            if is_same_generation {
                continue; // of states that differ in status alone none is later
            }
            let applied = set.apply([Event::Applied(old.clone())]);
            prop_assert!(applied.changes.is_empty() && applied.objects.ptr_eq(&set));
            let reason = if old == *current { Reason::Known } else { Reason::Stale };
            prop_assert_eq!(&applied.ignored, &[Ignored { key: old.key(), reason }]);
            seen += 1;
        }
        prop_assert!(seen <= late.len());
    }
}

#[test]
fn one_change_among_many_shares_all_chunks_but_one() {
    let many: ObjectSet = (0..=255u8).map(|name| state(name, 1, 1, 1)).collect();
    let applied = many.apply([Event::Applied(state(7, 1, 2, 2))]);
    let (chunks, shared) = many.entries.shared_chunks(&applied.objects.entries);
    assert!(chunks >= 2 && shared == chunks - 1, "{shared} of {chunks}");
    assert!(
        matches!(&applied.changes[..], [Change::Updated { old, new }] if old.meta().generation == 1 && new.meta().generation == 2)
    );
    let nothing = applied.objects.apply([Event::Bookmark]);
    assert!(
        nothing.objects.ptr_eq(&applied.objects) && nothing.changes.is_empty() && nothing.ignored.is_empty()
    );
}

#[test]
fn resource_versions_are_opaque() {
    let set = ObjectSet::new()
        .apply([Event::Applied(state(1, 1, 1, 9))])
        .objects;
    // a lower number is not an earlier version
    let applied = set.apply([Event::Applied(state(1, 1, 1, 3))]);
    assert_eq!(applied.changes.len(), 1);
    // an equal one is the same state, whatever else is said
    let other = set.apply([Event::Applied(state(1, 1, 5, 9))]);
    assert_eq!(other.ignored[0].reason, Reason::Known);
}

#[test]
fn objects_are_told_apart_by_their_ids() {
    let set = ObjectSet::new()
        .apply([Event::Applied(state(1, 2, 7, 1))])
        .objects;
    // a deletion of the object that had the name before
    let late = set.apply([Event::deleted(&state(1, 1, 9, 1))]);
    assert_eq!(late.ignored[0].reason, Reason::Unknown);
    // a state of that object
    let late = set.apply([Event::Applied(state(1, 1, 9, 2))]);
    assert_eq!(late.ignored[0].reason, Reason::Stale);
    // the object that comes after it starts to count anew
    let next = set.apply([Event::Applied(state(1, 3, 1, 3))]);
    assert_eq!(
        next.objects
            .iter()
            .next()
            .map(|(_, object)| object.meta().generation),
        Some(1)
    );
    // who knows no id means any
    let key = state(1, 1, 1, 1).key();
    let gone = set.apply([Event::Deleted {
        key,
        uid: Text::default(),
    }]);
    assert!(gone.objects.is_empty());
}

#[test]
fn a_list_is_the_truth_in_its_scope() {
    let mut set = bystanders();
    set.insert(state(1, 1, 5, 5));
    set.insert(state(2, 1, 1, 1));
    let other = Object::new(ObjectMeta::new("x", "other"), ServiceEntry::default());
    set.insert(other.clone());
    let scope = Scope::kind(ServiceEntry::KIND).in_namespace(Namespace::new("shop"));
    let list: ObjectSet = [state(1, 1, 4, 4), state(3, 1, 1, 1)].into_iter().collect();
    let applied = set.apply([Event::listed(scope, list)]);
    let names: Vec<String> = applied
        .changes
        .iter()
        .map(|change| change.key().name.to_string())
        .collect();
    assert_eq!(names, ["entry-001", "entry-002", "entry-003"]);
    assert!(applied.objects.get(&other.key()).is_some());
    assert_eq!(applied.objects.len(), bystanders().len() + 3);
    let all = applied
        .objects
        .apply([Event::listed(Scope::all(), ObjectSet::new())]);
    assert!(all.objects.is_empty() && all.changes.len() == applied.objects.len());
}

#[test]
fn a_text_that_is_read_again_moves_places_and_keeps_objects() {
    let text = "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: a, namespace: shop}\n";
    let first = crate::decode("a.yaml", text.as_bytes());
    let second = crate::decode("a.yaml", format!("# moved\n{text}").as_bytes());
    let listed = first
        .objects()
        .apply([Event::listed(Scope::all(), second.objects().clone())]);
    assert!(listed.changes.is_empty());
    let (key, object) = listed.objects.iter().next().unwrap();
    assert!(first.objects().get(key).unwrap().ptr_eq(object));
    let line = listed.objects.location(key, &FieldPath::root()).unwrap().line;
    assert_eq!(line, 2);
}

#[test]
fn iteration_counts_down_and_finds_kinds() {
    let set = with_bystanders(&[state(1, 1, 1, 1)].into_iter().collect());
    let mut all = set.iter();
    assert_eq!(all.len(), 301);
    all.next();
    assert_eq!(all.len(), 300);
    assert_eq!(
        (
            set.sidecars().count(),
            set.service_entries().count(),
            set.pods().count()
        ),
        (300, 1, 0)
    );
    assert!(set.has(&Kind::Sidecar) && !set.has(&Kind::Pod));
}
