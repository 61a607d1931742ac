//! `Table` against `BTreeMap`, and what is shared.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

type Map = BTreeMap<u16, u8>;

fn table(map: &Map) -> Table<u16, u8> {
    map.iter().map(|(k, v)| (*k, *v)).collect()
}

fn contents(table: &Table<u16, u8>) -> Map {
    table.iter().map(|(k, v)| (*k, **v)).collect()
}

/// The invariant of the spine.
fn check<K: Ord, V>(table: &Table<K, V>) {
    assert_eq!(
        table.spine.len,
        table.spine.chunks.iter().map(|chunk| chunk.len()).sum::<usize>()
    );
    assert!(
        table
            .spine
            .chunks
            .iter()
            .all(|chunk| !chunk.is_empty() && chunk.len() <= CHUNK_MAX)
    );
    assert!(table.iter().map(|(key, _)| key).is_sorted_by(|a, b| a < b));
}

/// Edits within a small range of keys, so that they collide, over a table of some chunks.
fn edits() -> impl Strategy<Value = Vec<(u16, Option<u8>)>> {
    vec((0_u16..600, prop::option::weighted(0.5, 0_u8..4)), 0..400)
}

fn maps() -> impl Strategy<Value = Map> {
    prop::collection::btree_map(0_u16..600, 0_u8..4, 0..500)
}

fn model_diff(old: &Map, new: &Map) -> Vec<(u16, Option<u8>, Option<u8>)> {
    let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    keys.into_iter()
        .map(|key| (*key, old.get(key).copied(), new.get(key).copied()))
        .filter(|(_, a, b)| a != b)
        .collect()
}

fn seen_diff(old: &Table<u16, u8>, new: &Table<u16, u8>) -> Vec<(u16, Option<u8>, Option<u8>)> {
    old.diff(new)
        .into_iter()
        .map(|change| match change {
            Change::Added { key, value } => (*key, None, Some(**value)),
            Change::Removed { key, value } => (*key, Some(**value), None),
            Change::Changed { key, old, new } => (*key, Some(**old), Some(**new)),
        })
        .collect()
}

proptest! {
    #[test]
    fn edits_agree_with_a_map(start in maps(), edits in edits()) {
        let old = table(&start);
        let mut model = start.clone();
        for (key, value) in &edits {
            match value {
                Some(value) => model.insert(*key, *value),
                None => model.remove(key),
            };
        }
        let new = old.edit(edits.iter().map(|(key, value)| (*key, value.map(Arc::new))));
        check(&new);
        prop_assert_eq!(contents(&new), model.clone());
        prop_assert_eq!(contents(&old), start.clone());
        prop_assert_eq!(seen_diff(&old, &new), model_diff(&start, &model));
        prop_assert_eq!(seen_diff(&new, &old), model_diff(&model, &start));
        prop_assert_eq!(old == new, start == model);
        prop_assert_eq!(&new, &table(&model)); // whatever the chunks
        for key in 0..600 {
            prop_assert_eq!(new.get(&key).map(|value| **value), model.get(&key).copied());
        }
    }

    #[test]
    fn inserts_and_removes_return_what_was_there(start in maps(), edits in edits()) {
        let (mut table, mut model) = (table(&start), start);
        for (key, value) in edits {
            let (was, expected) = match value {
                Some(value) => (table.insert(key, Arc::new(value)), model.insert(key, value)),
                None => (table.remove(&key), model.remove(&key)),
            };
            prop_assert_eq!(was.map(|value| *value), expected);
        }
        check(&table);
    }

    #[test]
    fn rebuilding_keeps_every_equal_value(old in maps(), new in maps()) {
        let previous = table(&old);
        let rebuilt = Table::rebuild_sharing(&previous, new.iter().map(|(k, v)| (*k, Arc::new(*v))));
        check(&rebuilt);
        prop_assert_eq!(contents(&rebuilt), new.clone());
        for (key, value) in rebuilt.iter() {
            let kept = previous.get(key).is_some_and(|old| Arc::ptr_eq(old, value));
            prop_assert_eq!(kept, old.get(key) == new.get(key));
        }
        prop_assert!(old != new || rebuilt.ptr_eq(&previous));
    }

    #[test]
    fn lists_rebuild_to_what_was_asked_for(old in vec(0_u8..3, 0..400), new in vec(0_u8..3, 0..400), at in 0_usize..400) {
        let previous: Seq<u8> = old.iter().copied().collect();
        let rebuilt = Seq::rebuild_sharing(&previous, new.iter().copied().map(Arc::new));
        prop_assert_eq!(rebuilt.iter().map(|item| **item).collect::<Vec<_>>(), new.clone());
        prop_assert_eq!(rebuilt.get(at).map(|item| **item), new.get(at).copied());
        prop_assert_eq!(rebuilt == previous, old == new);
        prop_assert!(old != new || rebuilt.ptr_eq(&previous));
    }
}

#[test]
fn the_last_of_equal_keys_stays() {
    let table: Table<u8, char> = [(2, 'a'), (1, 'b'), (2, 'c'), (2, 'd'), (1, 'e')]
        .into_iter()
        .collect();
    assert_eq!(
        table.iter().map(|(k, v)| (*k, **v)).collect::<Vec<_>>(),
        [(1, 'e'), (2, 'd')]
    );
}

#[test]
fn one_edit_shares_all_other_chunks() {
    // PLAN 2: one change in 10,000 shares 9,999 bodies and all chunks but one.
    let old: Table<u32, u32> = (0..10_000).map(|n| (n, n)).collect();
    let new = old.edit([(5_000, Some(Arc::new(0)))]);
    let (chunks, shared) = old.shared_chunks(&new);
    assert_eq!((chunks, shared), (157, 156));
    assert_eq!(
        new.iter()
            .filter(|(key, value)| Arc::ptr_eq(old.get(*key).unwrap(), value))
            .count(),
        9_999
    );
    assert_eq!(old.diff(&new).len(), 1);
    // The same by building anew beside the previous table.
    let fresh = (0..10_000).map(|n| (n, Arc::new(if n == 5_000 { 0 } else { n })));
    let rebuilt = Table::rebuild_sharing(&old, fresh);
    assert_eq!(old.shared_chunks(&rebuilt), (157, 156));
    assert_eq!(rebuilt, new);
}

#[test]
fn an_insert_among_many_shares_the_rest() {
    let old: Table<u32, u32> = (0..10_000).map(|n| (n * 2, n)).collect();
    let fresh = old
        .clone()
        .into_entries()
        .into_iter()
        .chain([(4_001, Arc::new(7))]);
    let rebuilt = Table::rebuild_sharing(&old, fresh);
    check(&rebuilt);
    let (chunks, shared) = old.shared_chunks(&rebuilt);
    assert_eq!(chunks - shared, 1);
    assert_eq!(old.diff(&rebuilt).len(), 1);
}

#[test]
fn setting_what_is_there_changes_nothing() {
    let old: Table<u32, u32> = (0..200).map(|n| (n, n)).collect();
    let same = old.edit([(7, Some(Arc::clone(old.get(&7).unwrap()))), (1_000, None)]);
    assert!(same.ptr_eq(&old));
}

#[test]
fn removing_all_leaves_nothing() {
    let old: Table<u32, u32> = (0..1_000).map(|n| (n, n)).collect();
    let mut table = old.clone();
    for key in (0..1_000).rev() {
        assert!(table.remove(&key).is_some());
        check(&table);
    }
    assert!(table.is_empty() && table == Table::new() && old.len() == 1_000);
}

#[test]
fn a_change_in_the_middle_of_a_list_keeps_head_and_tail() {
    let old: Seq<u32> = (0..1_000).collect();
    let items = (0..1_000).map(|n| Arc::new(if n == 500 { 0 } else { n }));
    let new = Seq::rebuild_sharing(&old, items);
    let same = old
        .iter()
        .zip(new.iter())
        .filter(|(a, b)| Arc::ptr_eq(a, b))
        .count();
    assert_eq!(same, 999);
}
