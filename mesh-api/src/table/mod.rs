//! Sorted maps and lists that share what did not change.
//!
//! A [`Table`] is a spine of chunks of entries. Cloning it costs one counter; an edit copies the spine and the chunks
//! that it touches, and shares the rest; two tables that share chunks are compared by looking at the others only. So
//! one change among ten thousand virtual hosts costs microseconds, and [`Table::diff`] finds it as fast.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

mod seq;

pub use seq::Seq;

/// A sorted map from `K` to shared values, cheap to clone and to change in few places.
///
/// ```
/// use mesh_api::table::{Change, Table};
///
/// let old: Table<&str, u32> = [("b", 2), ("a", 1), ("c", 3)].into_iter().collect();
/// let new = old.edit([("b", Some(20.into())), ("c", None)]);
/// assert_eq!(old.get(&"b").map(|value| **value), Some(2)); // the old one stays
/// assert_eq!(new.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["a", "b"]);
/// assert!(matches!(old.diff(&new)[..], [Change::Changed { key: &"b", .. }, Change::Removed { key: &"c", .. }]));
/// ```
pub struct Table<K, V> {
    spine: Arc<Spine<K, V>>,
}

/// INVARIANT: no chunk is empty, chunks and the entries in them ascend strictly by key, `len` is the sum of theirs.
struct Spine<K, V> {
    chunks: Vec<Arc<Chunk<K, V>>>,
    len: usize,
}

type Chunk<K, V> = Vec<(K, Arc<V>)>;

/// A difference between an older and a newer table.
#[derive(Debug, PartialEq)]
pub enum Change<'a, K, V> {
    /// Only the newer table has the key.
    Added {
        /// The key.
        key: &'a K,
        /// Its value.
        value: &'a Arc<V>,
    },
    /// Only the older table has the key.
    Removed {
        /// The key.
        key: &'a K,
        /// The value it had.
        value: &'a Arc<V>,
    },
    /// Both have the key, with different values.
    Changed {
        /// The key.
        key: &'a K,
        /// The value in the older table.
        old: &'a Arc<V>,
        /// The value in the newer table.
        new: &'a Arc<V>,
    },
}

impl<K, V> Table<K, V> {
    /// An empty table.
    pub fn new() -> Self {
        Self {
            spine: Arc::new(Spine {
                chunks: Vec::new(),
                len: 0,
            }),
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.spine.len
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.spine.len == 0
    }

    /// All entries, in order of key.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Arc<V>)> {
        self.spine
            .chunks
            .iter()
            .flat_map(|chunk| chunk.iter().map(|(key, value)| (key, value)))
    }

    /// The entries from `key` on, in order of key.
    ///
    /// ```
    /// use mesh_api::table::Table;
    ///
    /// let table: Table<u32, u32> = (0..100).map(|n| (2 * n, n)).collect();
    /// let from: Vec<u32> = table.iter_from(&195).map(|(key, _)| *key).collect();
    /// assert_eq!(from, [196, 198]);
    /// ```
    pub fn iter_from<'t, Q: Ord + ?Sized>(
        &'t self,
        key: &Q,
    ) -> impl Iterator<Item = (&'t K, &'t Arc<V>)> + use<'t, Q, K, V>
    where
        K: Borrow<Q> + Ord,
    {
        let at = self.chunk_of(key);
        let before = self.spine.chunks.get(at).map_or(0, |chunk| {
            chunk.partition_point(|(known, _)| known.borrow() < key)
        });
        let chunks = self.spine.chunks.iter().skip(at);
        chunks
            .flat_map(|chunk| chunk.iter().map(|(key, value)| (key, value)))
            .skip(before)
    }

    /// All values, in order of key.
    pub fn values(&self) -> impl Iterator<Item = &Arc<V>> {
        self.iter().map(|(_, value)| value)
    }

    /// Whether both are the same table in memory, so that nothing needs to be compared.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.spine, &other.spine)
    }

    /// How many chunks there are, and how many of them `other` shares. For tests and measurements of sharing.
    pub fn shared_chunks(&self, other: &Self) -> (usize, usize) {
        let mine: std::collections::HashSet<_> = self.spine.chunks.iter().map(Arc::as_ptr).collect();
        let shared = other
            .spine
            .chunks
            .iter()
            .filter(|chunk| mine.contains(&Arc::as_ptr(chunk)))
            .count();
        (self.spine.chunks.len(), shared)
    }
}

impl<K: Ord, V> Table<K, V> {
    /// A table of `entries`; of entries with equal keys the last one stays.
    pub fn from_entries(entries: impl IntoIterator<Item = (K, Arc<V>)>) -> Self {
        let entries = sorted(entries);
        let len = entries.len();
        Self {
            spine: Arc::new(Spine {
                chunks: chunked(entries),
                len,
            }),
        }
    }

    /// The value of `key`.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&Arc<V>>
    where
        K: Borrow<Q>,
    {
        let chunk = self.spine.chunks.get(self.chunk_of(key))?;
        let at = chunk.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()?;
        chunk.get(at).map(|(_, value)| value)
    }

    /// Whether there is an entry for `key`.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// The differences that lead from this table to `newer`, in order of key. Values are compared by pointer, then by
    /// value; chunks that both share are not looked into.
    pub fn diff<'a>(&'a self, newer: &'a Self) -> Vec<Change<'a, K, V>>
    where
        V: PartialEq,
    {
        let mut changes = Vec::new();
        walk(self, newer, |pair| {
            changes.extend(match pair {
                (Some((key, value)), None) => Some(Change::Removed { key, value }),
                (None, Some((key, value))) => Some(Change::Added { key, value }),
                (Some((key, old)), Some((_, new))) if !same(old, new) => {
                    Some(Change::Changed { key, old, new })
                }
                _ => None,
            });
            true
        });
        changes
    }

    /// A table of `entries` that shares what it can with `previous`: a value equal to the previous one of its key is
    /// replaced by that one, and chunks whose entries are all the same are taken over whole. When nothing changed, the
    /// result is `previous` itself.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use mesh_api::table::Table;
    ///
    /// let old: Table<u32, String> = (0..1000).map(|n| (n, n.to_string())).collect();
    /// let again: Table<u32, String> = (0..1000).map(|n| (n, n.to_string())).collect();
    /// assert!(!old.ptr_eq(&again) && old == again);
    /// assert!(old.ptr_eq(&Table::rebuild_sharing(&old, again.into_entries())));
    /// ```
    pub fn rebuild_sharing(previous: &Self, entries: impl IntoIterator<Item = (K, Arc<V>)>) -> Self
    where
        K: PartialEq,
        V: PartialEq,
    {
        let mut entries = sorted(entries);
        let len = entries.len();
        keep_equal(previous, &mut entries);
        let mut rest = entries.into_iter().peekable();
        let mut chunks: Vec<Arc<Chunk<K, V>>> = Vec::with_capacity(previous.spine.chunks.len());
        let mut taken_over = 0;
        for (at, old) in previous.spine.chunks.iter().enumerate() {
            // A chunk stands for the keys from its first one up to the next chunk's first one.
            let end = previous
                .spine
                .chunks
                .get(at + 1)
                .and_then(|next| next.first())
                .map(|(key, _)| key);
            let mut part = Vec::new();
            while let Some(entry) = rest.next_if(|(key, _)| end.is_none_or(|end| key < end)) {
                part.push(entry);
            }
            if is_same_chunk(old, &part) {
                taken_over += 1;
                chunks.push(Arc::clone(old));
            } else {
                append(&mut chunks, part);
            }
        }
        append(&mut chunks, rest.collect());
        if taken_over == previous.spine.chunks.len() && len == previous.len() {
            return previous.clone();
        }
        Self {
            spine: Arc::new(Spine { chunks, len }),
        }
    }

    /// Which chunk holds `key`, or would hold it.
    fn chunk_of<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
    {
        let starts_after =
            |chunk: &Arc<Chunk<K, V>>| chunk.first().is_none_or(|(first, _)| first.borrow() > key);
        self.spine
            .chunks
            .partition_point(|chunk| !starts_after(chunk))
            .saturating_sub(1)
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    /// Adds or replaces an entry; the value it had is given back. A value that is there already is left alone.
    pub fn insert(&mut self, key: K, value: Arc<V>) -> Option<Arc<V>> {
        if self.get(&key).is_some_and(|old| Arc::ptr_eq(old, &value)) {
            return Some(value);
        }
        let at = self.chunk_of(&key);
        let spine = Arc::make_mut(&mut self.spine);
        let Some(chunk) = spine.chunks.get_mut(at) else {
            spine.chunks.push(Arc::new(vec![(key, value)]));
            spine.len += 1;
            return None;
        };
        let chunk = Arc::make_mut(chunk);
        let place = match chunk.binary_search_by(|(k, _)| k.cmp(&key)) {
            Ok(place) => {
                return chunk
                    .get_mut(place)
                    .map(|(_, slot)| std::mem::replace(slot, value));
            }
            Err(place) => place,
        };
        chunk.insert(place, (key, value));
        spine.len += 1;
        if chunk.len() > CHUNK_MAX {
            let upper = chunk.split_off(chunk.len() / 2);
            spine.chunks.insert(at + 1, Arc::new(upper));
        }
        None
    }

    /// Removes an entry; its value is given back.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<Arc<V>>
    where
        K: Borrow<Q>,
    {
        self.get(key)?;
        let at = self.chunk_of(key);
        let spine = Arc::make_mut(&mut self.spine);
        let chunk = Arc::make_mut(spine.chunks.get_mut(at)?);
        let place = chunk.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()?;
        let (_, value) = chunk.remove(place);
        spine.len -= 1;
        if chunk.len() < CHUNK_MIN {
            spine.join(at);
        }
        Some(value)
    }

    /// A table with some entries set (`Some`) or removed (`None`). Each touched chunk is copied once, the others are
    /// shared with this table.
    pub fn edit(&self, changes: impl IntoIterator<Item = (K, Option<Arc<V>>)>) -> Self {
        let mut next = self.clone();
        for (key, value) in changes {
            match value {
                Some(value) => drop(next.insert(key, value)),
                None => drop(next.remove(&key)),
            }
        }
        next
    }

    /// The entries, in order of key.
    pub fn into_entries(self) -> Vec<(K, Arc<V>)> {
        self.iter()
            .map(|(key, value)| (key.clone(), Arc::clone(value)))
            .collect()
    }
}

impl<K: Clone, V> Spine<K, V> {
    /// Joins the small chunk `at` with a neighbour, or removes it when it is empty.
    fn join(&mut self, at: usize) {
        let left = at.saturating_sub(1);
        if self.chunks.get(at).is_some_and(|chunk| chunk.is_empty()) {
            self.chunks.remove(at);
        } else if self.chunks.len() > 1 && left + 1 < self.chunks.len() {
            let right = self.chunks.remove(left + 1);
            let Some(joined) = self.chunks.get_mut(left).map(Arc::make_mut) else {
                return;
            };
            joined.extend(right.iter().map(|(key, value)| (key.clone(), Arc::clone(value))));
            if joined.len() > CHUNK_MAX {
                let upper = joined.split_off(joined.len() / 2);
                self.chunks.insert(left + 1, Arc::new(upper));
            }
        }
    }
}

impl<K: Clone, V> Clone for Spine<K, V> {
    fn clone(&self) -> Self {
        Self {
            chunks: self.chunks.clone(),
            len: self.len,
        }
    }
}

impl<K, V> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        Self {
            spine: Arc::clone(&self.spine),
        }
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Ord, V: PartialEq> PartialEq for Table<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.ptr_eq(other)
            || (self.len() == other.len()
                && walk(
                    self,
                    other,
                    |pair| matches!(pair, (Some((_, a)), Some((_, b))) if same(a, b)),
                ))
    }
}

impl<K: Ord, V: Eq> Eq for Table<K, V> {}

impl<K: Ord, V> FromIterator<(K, V)> for Table<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::from_entries(entries.into_iter().map(|(key, value)| (key, Arc::new(value))))
    }
}

/// An entry, seen.
type Entry<'a, K, V> = (&'a K, &'a Arc<V>);

/// Walks two tables in order of key, skipping chunks that both share, and shows the entries of each key. Stops when
/// `visit` says no, and tells whether it never did.
fn walk<'a, K: Ord, V>(
    old: &'a Table<K, V>,
    new: &'a Table<K, V>,
    mut visit: impl FnMut((Option<Entry<'a, K, V>>, Option<Entry<'a, K, V>>)) -> bool,
) -> bool {
    let (mut left, mut right) = (Cursor::new(old), Cursor::new(new));
    loop {
        while let (Some(a), Some(b)) = (left.whole_chunk(), right.whole_chunk()) {
            if !Arc::ptr_eq(a, b) {
                break;
            }
            left.skip_chunk();
            right.skip_chunk();
        }
        let (a, b) = (left.peek(), right.peek());
        let (take_left, take_right) = match (a, b) {
            (None, None) => return true,
            (Some((a, _)), Some((b, _))) => (a <= b, b <= a),
            (a, b) => (a.is_some(), b.is_some()),
        };
        if take_left {
            left.advance();
        }
        if take_right {
            right.advance();
        }
        if !visit((a.filter(|_| take_left), b.filter(|_| take_right))) {
            return false;
        }
    }
}

/// A place in a table.
struct Cursor<'a, K, V> {
    chunks: std::slice::Iter<'a, Arc<Chunk<K, V>>>,
    chunk: Option<&'a Arc<Chunk<K, V>>>,
    at: usize,
}

impl<'a, K, V> Cursor<'a, K, V> {
    fn new(table: &'a Table<K, V>) -> Self {
        let mut chunks = table.spine.chunks.iter();
        let chunk = chunks.next();
        Self { chunks, chunk, at: 0 }
    }

    fn whole_chunk(&self) -> Option<&'a Arc<Chunk<K, V>>> {
        self.chunk.filter(|_| self.at == 0)
    }

    fn skip_chunk(&mut self) {
        self.chunk = self.chunks.next();
        self.at = 0;
    }

    fn peek(&self) -> Option<Entry<'a, K, V>> {
        self.chunk?.get(self.at).map(|(key, value)| (key, value))
    }

    fn advance(&mut self) {
        self.at += 1;
        if self.chunk.is_some_and(|chunk| self.at >= chunk.len()) {
            self.skip_chunk();
        }
    }
}

/// By pointer, then by value.
fn same<V: PartialEq>(a: &Arc<V>, b: &Arc<V>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}

/// Sorts by key; of equal keys the last entry stays.
fn sorted<K: Ord, V>(entries: impl IntoIterator<Item = (K, Arc<V>)>) -> Vec<(K, Arc<V>)> {
    let mut entries: Vec<_> = entries.into_iter().collect();
    if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
        entries.sort_by(|(a, _), (b, _)| a.cmp(b)); // stable
        entries.dedup_by(|later, earlier| {
            let equal = later.0 == earlier.0;
            if equal {
                std::mem::swap(later, earlier);
            }
            equal
        });
    }
    entries
}

/// Replaces values that equal the previous ones by those.
fn keep_equal<K: Ord, V: PartialEq>(previous: &Table<K, V>, entries: &mut [(K, Arc<V>)]) {
    let mut old = previous.iter().peekable();
    for (key, value) in entries {
        while old.next_if(|(k, _)| *k < key).is_some() {}
        if let Some((_, kept)) = old.next_if(|(k, v)| *k == key && same(v, value)) {
            *value = Arc::clone(kept);
        }
    }
}

fn is_same_chunk<K: PartialEq, V>(old: &Chunk<K, V>, new: &[(K, Arc<V>)]) -> bool {
    old.len() == new.len()
        && old
            .iter()
            .zip(new)
            .all(|((k, v), (l, w))| k == l && Arc::ptr_eq(v, w))
}

/// Appends `part` as new chunks of fair size.
fn append<T>(chunks: &mut Vec<Arc<Vec<T>>>, part: Vec<T>) {
    if !part.is_empty() {
        chunks.extend(chunked(part));
    }
}

/// Cuts a list into chunks of about equal size, near [`CHUNK_FILL`].
fn chunked<T>(items: Vec<T>) -> Vec<Arc<Vec<T>>> {
    let count = items.len().div_ceil(CHUNK_FILL);
    let (size, larger) = (items.len() / count.max(1), items.len() % count.max(1));
    let mut items = items.into_iter();
    (0..count)
        .map(|at| Arc::new(items.by_ref().take(size + usize::from(at < larger)).collect()))
        .collect()
}

/// A chunk that grows past this is split.
const CHUNK_MAX: usize = 128;
/// A chunk that shrinks below this joins its neighbour.
const CHUNK_MIN: usize = 32;
/// Size of chunks of a new table.
const CHUNK_FILL: usize = 64;

#[cfg(test)]
mod tests;
