//! Following a watch: events in, a new set and what changed out.

use std::sync::Arc;

use super::{Entry, ObjectSet};
use crate::kind::Kind;
use crate::meta::ObjectMeta;
use crate::names::{Namespace, Text};
use crate::object::{AnyObject, Model, Object, ObjectKey};
use crate::table;

/// What a watch reports.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The object is there, new or changed: `ADDED` and `MODIFIED` of Kubernetes.
    Applied(AnyObject),
    /// Nothing happened up to some resource version. The caller keeps that version for its next request; a set has no use
    /// for it.
    Bookmark,
    /// The object is gone: `DELETED`.
    Deleted {
        /// Its key.
        key: ObjectKey,
        /// Its unique id; empty if it is not known, and then any object of the key goes.
        uid: Text,
    },
    /// These are all objects of the scope: the first list, or a new one after the watch broke off or expired. Objects of the
    /// scope that are not among them are gone; objects outside of it are passed over.
    Listed {
        /// What the list is of.
        scope: Scope,
        /// What is there.
        objects: ObjectSet,
    },
}

impl Event {
    /// The object is there.
    pub fn applied(object: impl Into<AnyObject>) -> Self {
        Self::Applied(object.into())
    }

    /// The object is gone.
    pub fn deleted(object: &AnyObject) -> Self {
        Self::Deleted {
            key: object.key(),
            uid: object.meta().uid.clone(),
        }
    }

    /// These are all objects of the scope.
    pub fn listed(scope: Scope, objects: ObjectSet) -> Self {
        Self::Listed { scope, objects }
    }
}

/// What a list or watch is of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    kind: Option<Kind>,
    namespace: Option<Namespace>,
}

impl Scope {
    /// Everything.
    pub fn all() -> Self {
        Self::default()
    }

    /// All objects of a kind.
    pub fn kind(kind: Kind) -> Self {
        Self {
            kind: Some(kind),
            namespace: None,
        }
    }

    /// The same, in one namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// Whether an object of this key is meant.
    pub fn covers(&self, key: &ObjectKey) -> bool {
        let Self { kind, namespace } = self;
        kind.as_ref().is_none_or(|kind| *kind == key.kind)
            && namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == key.namespace)
    }
}

/// A difference between two sets.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// The object is new.
    Added(AnyObject),
    /// The object is gone.
    Removed(AnyObject),
    /// The object has changed.
    Updated {
        /// As it was.
        old: AnyObject,
        /// As it is.
        new: AnyObject,
    },
}

impl Change {
    /// The object as it is, or was before it went.
    pub fn object(&self) -> &AnyObject {
        match self {
            Self::Added(object) | Self::Removed(object) | Self::Updated { new: object, .. } => object,
        }
    }

    /// The key of the object.
    pub fn key(&self) -> ObjectKey {
        self.object().key()
    }

    /// The change, if the object is of kind `T`.
    ///
    /// ```
    /// use mesh_api::networking::Sidecar;
    /// use mesh_api::object_set::{Change, ChangeOf};
    /// use mesh_api::{Object, ObjectMeta};
    ///
    /// let change = Change::Added(Object::new(ObjectMeta::new("a", "shop"), Sidecar::default()).into());
    /// assert!(matches!(change.of::<Sidecar>(), Some(ChangeOf::Added(sidecar)) if sidecar.meta.name == "a"));
    /// ```
    pub fn of<T: Model>(&self) -> Option<ChangeOf<'_, T>> {
        Some(match self {
            Self::Added(new) => ChangeOf::Added(T::of(new)?),
            Self::Removed(old) => ChangeOf::Removed(T::of(old)?),
            Self::Updated { old, new } => ChangeOf::Updated {
                old: T::of(old)?,
                new: T::of(new)?,
            },
        })
    }
}

/// A [`Change`] of an object of a known kind.
#[derive(Debug)]
pub enum ChangeOf<'c, T> {
    /// The object is new.
    Added(&'c Arc<Object<T>>),
    /// The object is gone.
    Removed(&'c Arc<Object<T>>),
    /// The object has changed.
    Updated {
        /// As it was.
        old: &'c Arc<Object<T>>,
        /// As it is.
        new: &'c Arc<Object<T>>,
    },
}

/// An event, or an object of a list, that changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ignored {
    /// The object that it was about.
    pub key: ObjectKey,
    /// Why it changed nothing.
    pub reason: Reason,
}

/// Why an event changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The set holds this state of the object already.
    Known,
    /// The set holds a later state of the object.
    Stale,
    /// The set holds no such object that could be deleted.
    Unknown,
}

/// What came of some events.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// The set after them.
    pub objects: ObjectSet,
    /// The differences from the set before them, one for each object at most, in the order of the keys.
    pub changes: Vec<Change>,
    /// Events that changed nothing, in their order. Bookmarks are not listed, nor objects of lists that are known.
    pub ignored: Vec<Ignored>,
}

impl ObjectSet {
    /// The set after some events, which shares with this one all objects that did not change.
    ///
    /// Events may come twice and late. What decides is this:
    ///
    /// * Two states with the same `uid` and the same `resourceVersion`, which is not empty, are one: the second is
    ///   [`Reason::Known`]. Resource versions are opaque, so nothing follows from two that differ: neither is later.
    /// * Of two states with the same `uid`, one with a lower `generation` is [`Reason::Stale`], where both have one. A
    ///   generation counts changes of the desired state; of states that differ in status or metadata alone, which have the
    ///   same, the one that comes last is taken.
    /// * An object with another `uid` is another object of the same name: it is stale where both have a
    ///   `creationTimestamp` and its is the earlier one, and takes the place of the old one otherwise.
    /// * A deletion is for the object of its `uid`; if an object of another one is there, or none, it is
    ///   [`Reason::Unknown`]. A state that comes after the deletion of its object brings it back, until the next list; a
    ///   watch of the API server, which is in order, never does that.
    /// * A list is the truth: what it holds is taken whatever the generations say.
    ///
    /// An empty `uid` is taken for any. Objects that are equal stay the same allocation.
    ///
    /// ```
    /// use mesh_api::networking::Sidecar;
    /// use mesh_api::object_set::{Change, Event, Reason};
    /// use mesh_api::{Object, ObjectMeta, ObjectSet};
    ///
    /// let sidecar = |generation| {
    ///     let meta = ObjectMeta { generation, ..ObjectMeta::new("default", "shop") };
    ///     Event::applied(Object::new(meta, Sidecar::default()))
    /// };
    /// let first = ObjectSet::new().apply([sidecar(2)]);
    /// assert!(matches!(first.changes[..], [Change::Added(_)]));
    ///
    /// let late = first.objects.apply([sidecar(1)]);
    /// assert_eq!(late.ignored[0].reason, Reason::Stale);
    /// assert!(late.changes.is_empty() && late.objects.ptr_eq(&first.objects));
    /// ```
    pub fn apply(&self, events: impl IntoIterator<Item = Event>) -> Applied {
        let mut next = self.clone();
        let mut ignored = Vec::new();
        for event in events {
            match event {
                Event::Applied(object) => ignored.extend(next.put(object)),
                Event::Bookmark => {}
                Event::Deleted { key, uid } => ignored.extend(next.delete(key, &uid)),
                Event::Listed { scope, objects } => next.list(&scope, &objects),
            }
        }
        Applied {
            changes: self.changes_to(&next),
            objects: next,
            ignored,
        }
    }

    /// The differences that lead from this set to a newer one, in the order of the keys. What both share is not looked at, so
    /// sets that were made from each other by [`apply`](Self::apply) are compared in the time of their difference.
    pub fn changes_to(&self, newer: &ObjectSet) -> Vec<Change> {
        let changes = self.entries.diff(&newer.entries).into_iter();
        let changes = changes.map(|change| match change {
            table::Change::Added { value, .. } => Change::Added(value.object.clone()),
            table::Change::Removed { value, .. } => Change::Removed(value.object.clone()),
            table::Change::Changed { old, new, .. } => Change::Updated {
                old: old.object.clone(),
                new: new.object.clone(),
            },
        });
        changes.collect()
    }

    /// Whether both are one allocation, so that nothing needs to be compared.
    pub fn ptr_eq(&self, other: &ObjectSet) -> bool {
        self.entries.ptr_eq(&other.entries)
    }

    fn put(&mut self, object: AnyObject) -> Option<Ignored> {
        let key = object.key();
        let reason = self
            .get(&key)
            .and_then(|current| judge(current.meta(), object.meta()));
        if reason.is_none() && self.get(&key).is_none_or(|current| *current != object) {
            self.insert_at(object, None);
            return None;
        }
        Some(Ignored {
            key,
            reason: reason.unwrap_or(Reason::Known),
        })
    }

    fn delete(&mut self, key: ObjectKey, uid: &Text) -> Option<Ignored> {
        let is_there = |current: &AnyObject| is_same_uid(&current.meta().uid, uid);
        match self.get(&key).is_some_and(is_there) {
            true => {
                self.remove(&key);
                None
            }
            false => Some(Ignored {
                key,
                reason: Reason::Unknown,
            }),
        }
    }

    fn list(&mut self, scope: &Scope, objects: &ObjectSet) {
        let gone: Vec<ObjectKey> = self
            .iter()
            .map(|(key, _)| key)
            .filter(|key| scope.covers(key) && !objects.entries.contains_key(*key))
            .cloned()
            .collect();
        gone.iter().for_each(|key| drop(self.remove(key)));
        for (key, entry) in objects.entries.iter().filter(|(key, _)| scope.covers(key)) {
            match self.entries.get(key) {
                // places in texts may have moved although the object is the same
                Some(current) if **current == **entry => {
                    if entry.origin.is_some() {
                        let moved = Entry {
                            object: current.object.clone(),
                            origin: entry.origin.clone(),
                        };
                        self.entries.insert(key.clone(), Arc::new(moved));
                    }
                }
                _ => drop(self.entries.insert(key.clone(), Arc::clone(entry))),
            }
        }
    }
}

/// Why a state of an object changes nothing, where its metadata tell.
fn judge(current: &ObjectMeta, new: &ObjectMeta) -> Option<Reason> {
    if !is_same_uid(&current.uid, &new.uid) {
        let is_older = match (&current.creation_timestamp, &new.creation_timestamp) {
            (Some(current), Some(new)) => new < current,
            _ => false,
        };
        return is_older.then_some(Reason::Stale);
    }
    if !new.resource_version.is_empty() && new.resource_version == current.resource_version {
        return Some(Reason::Known);
    }
    let is_older = new.generation != 0 && new.generation < current.generation;
    is_older.then_some(Reason::Stale)
}

/// An id that is not known may be any.
fn is_same_uid(a: &str, b: &str) -> bool {
    a.is_empty() || b.is_empty() || a == b
}
