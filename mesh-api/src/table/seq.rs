//! Lists that share what did not change.

use std::fmt;
use std::sync::Arc;

use super::{chunked, same};

/// An ordered list of shared values, cheap to clone; a list rebuilt from a previous one shares its unchanged head and
/// tail.
///
/// ```
/// use std::sync::Arc;
/// use mesh_api::table::Seq;
///
/// let old: Seq<u32> = (0..1000).collect();
/// let new = Seq::rebuild_sharing(&old, (0..1001).map(Arc::new));
/// assert_eq!(new.len(), 1001);
/// assert!(Arc::ptr_eq(old.get(500).unwrap(), new.get(500).unwrap()));
/// ```
pub struct Seq<V> {
    /// INVARIANT: no chunk is empty, and `len` is the sum of their lengths.
    chunks: Arc<Vec<Arc<Chunk<V>>>>,
    len: usize,
}

type Chunk<V> = Vec<Arc<V>>;

impl<V> Seq<V> {
    /// An empty list.
    pub fn new() -> Self {
        Self {
            chunks: Arc::default(),
            len: 0,
        }
    }

    /// A list of `items`.
    pub fn from_items(items: impl IntoIterator<Item = Arc<V>>) -> Self {
        let items: Vec<_> = items.into_iter().collect();
        let len = items.len();
        Self {
            chunks: Arc::new(chunked(items)),
            len,
        }
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The item at `index`.
    pub fn get(&self, index: usize) -> Option<&Arc<V>> {
        let mut rest = index;
        for chunk in &*self.chunks {
            match chunk.get(rest) {
                Some(item) => return Some(item),
                None => rest -= chunk.len(),
            }
        }
        None
    }

    /// All items, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<V>> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// Whether both are the same list in memory.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chunks, &other.chunks)
    }

    /// A list of `items` that shares what it can with `previous`: items equal to the previous ones, counted from the
    /// start and from the end, are replaced by those, and chunks whose items are all the same are taken over whole.
    pub fn rebuild_sharing(previous: &Self, items: impl IntoIterator<Item = Arc<V>>) -> Self
    where
        V: PartialEq,
    {
        let mut items: Vec<_> = items.into_iter().collect();
        let len = items.len();
        let head = keep_equal(previous.iter(), items.iter_mut());
        let room = len.min(previous.len) - head;
        let tail = keep_equal(
            previous.iter().rev().take(room),
            items.iter_mut().rev().take(room),
        );
        if head == len && head == previous.len {
            return previous.clone();
        }
        let (first, last) = (
            previous.chunks_within(head, false),
            previous.chunks_within(tail, true),
        );
        let mut chunks: Vec<_> = previous.chunks.iter().take(first.chunks).cloned().collect();
        let middle = items
            .into_iter()
            .skip(first.items)
            .take(len - first.items - last.items)
            .collect();
        chunks.extend(chunked(middle));
        chunks.extend(
            previous
                .chunks
                .iter()
                .skip(previous.chunks.len() - last.chunks)
                .cloned(),
        );
        Self {
            chunks: Arc::new(chunks),
            len,
        }
    }

    /// The chunks that lie whole in the first (or last) `items` items.
    fn chunks_within(&self, items: usize, from_end: bool) -> Extent {
        let mut extent = Extent { chunks: 0, items: 0 };
        let count = self.chunks.len();
        for at in 0..count {
            let at = if from_end { count - 1 - at } else { at };
            let size = self.chunks.get(at).map_or(0, |chunk| chunk.len());
            if extent.items + size > items {
                break;
            }
            extent = Extent {
                chunks: extent.chunks + 1,
                items: extent.items + size,
            };
        }
        extent
    }
}

/// A run of whole chunks.
struct Extent {
    chunks: usize,
    items: usize,
}

/// Replaces items that equal the previous ones by those, up to the first that differs; tells how many.
fn keep_equal<'a, V: PartialEq + 'a>(
    old: impl Iterator<Item = &'a Arc<V>>,
    new: impl Iterator<Item = &'a mut Arc<V>>,
) -> usize {
    old.zip(new)
        .take_while(|(kept, item)| same(kept, item))
        .map(|(kept, item)| *item = Arc::clone(kept))
        .count()
}

impl<V> Clone for Seq<V> {
    fn clone(&self) -> Self {
        Self {
            chunks: Arc::clone(&self.chunks),
            len: self.len,
        }
    }
}

impl<V> Default for Seq<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: fmt::Debug> fmt::Debug for Seq<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<V: PartialEq> PartialEq for Seq<V> {
    fn eq(&self, other: &Self) -> bool {
        self.ptr_eq(other)
            || (self.len == other.len && self.iter().zip(other.iter()).all(|(a, b)| same(a, b)))
    }
}

impl<V: Eq> Eq for Seq<V> {}

impl<V> FromIterator<V> for Seq<V> {
    fn from_iter<I: IntoIterator<Item = V>>(items: I) -> Self {
        Self::from_items(items.into_iter().map(Arc::new))
    }
}
