//! Objects by key, and how a set follows a watch.

mod watch;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

pub use watch::{Applied, Change, ChangeOf, Event, Ignored, Reason, Scope};

use crate::codec::{Document, Locator, Node};
use crate::kind::Kind;
use crate::kubernetes::{EndpointSlice, Namespace as KubernetesNamespace, Pod, Service};
use crate::names::{Namespace, Text};
use crate::networking::{DestinationRule, Gateway, ServiceEntry, Sidecar, VirtualService, WorkloadEntry};
use crate::object::{AnyObject, Model, Object, ObjectKey};
use crate::report::{FieldPath, SourceLocation};
use crate::security::PeerAuthentication;
use crate::table::Table;

/// A set of objects, one per key, in the order of their keys: by kind, then namespace, then name. So two sets of the same
/// objects are iterated alike, whatever the order in which they came.
///
/// Cloning is cheap, and a change after cloning copies the few chunks that it touches; all other objects are shared. A set
/// that follows a cluster is made from the one before by [`apply`](Self::apply).
///
/// ```
/// use mesh_api::networking::VirtualService;
/// use mesh_api::{Kind, Object, ObjectKey, ObjectMeta, ObjectSet};
///
/// let mut set = ObjectSet::new();
/// set.insert(Object::new(ObjectMeta::new("reviews", "shop"), VirtualService::default()));
/// assert!(set.get(&ObjectKey::new(Kind::VirtualService, "shop", "reviews")).is_some());
/// assert_eq!(set.virtual_services().count(), 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct ObjectSet {
    entries: Table<ObjectKey, Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    object: AnyObject,
    origin: Option<Origin>,
}

impl PartialEq for Entry {
    /// Whether the objects are equal, wherever they were read.
    fn eq(&self, other: &Self) -> bool {
        let Self { object, origin: _ } = self;
        object.ptr_eq(&other.object) || *object == other.object
    }
}

/// Where an object was read: a node of a document.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) document: Document,
    pub(crate) node: u32,
}

impl Origin {
    /// The object as it was read.
    pub(crate) fn node(&self) -> Node<'_> {
        self.document.tree().node(self.node)
    }

    pub(crate) fn location(&self, path: &FieldPath) -> SourceLocation {
        self.place(path, self.node().locate(path))
    }

    /// As [`location`](Self::location), for many fields.
    pub(crate) fn location_by(&self, locator: &mut Locator<'_>, path: &FieldPath) -> SourceLocation {
        self.place(path, locator.locate(path))
    }

    fn place(&self, path: &FieldPath, span: Range<usize>) -> SourceLocation {
        // the object itself is shown by its first line
        let span = if path.is_root() {
            span.start..span.start
        } else {
            span
        };
        self.document.source().location(span)
    }
}

impl ObjectSet {
    /// No objects.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts in an object that was made, not read, and returns the one of the same key that was there.
    pub fn insert(&mut self, object: impl Into<AnyObject>) -> Option<AnyObject> {
        self.insert_at(object.into(), None)
    }

    pub(crate) fn insert_at(&mut self, object: AnyObject, origin: Option<Origin>) -> Option<AnyObject> {
        let entry = Arc::new(Entry { object, origin });
        let replaced = self.entries.insert(entry.object.key(), entry);
        replaced.map(|entry| entry.object.clone())
    }

    /// Takes an object out.
    pub fn remove(&mut self, key: &ObjectKey) -> Option<AnyObject> {
        self.entries.remove(key).map(|entry| entry.object.clone())
    }

    /// Puts in all objects of another set, with the places where they were read. Objects of `other` replace those of the
    /// same key; the keys of the replaced ones are returned.
    pub fn extend(&mut self, other: &ObjectSet) -> Vec<ObjectKey> {
        let mut replaced = Vec::new();
        for (key, entry) in other.entries.iter() {
            if self.entries.insert(key.clone(), Arc::clone(entry)).is_some() {
                replaced.push(key.clone());
            }
        }
        replaced
    }

    /// The same objects; those that live in namespaces and name none are put into `namespace`. An object that is there
    /// already under that key stays.
    #[must_use]
    pub fn with_default_namespace(&self, namespace: &Namespace) -> Self {
        let homeless = |key: &ObjectKey| key.namespace.is_empty() && key.kind.is_namespaced();
        let mut set = self.clone();
        for (key, entry) in self.entries.iter().filter(|(key, _)| homeless(key)) {
            set.entries.remove(key);
            let object = entry.object.clone().in_namespace(namespace);
            if !set.entries.contains_key(&object.key()) {
                set.insert_at(object, entry.origin.clone());
            }
        }
        set
    }

    /// The object of a key.
    pub fn get(&self, key: &ObjectKey) -> Option<&AnyObject> {
        self.entries.get(key).map(|entry| &entry.object)
    }

    /// The object of kind `T` with this namespace and name.
    pub fn object<T: Model>(&self, namespace: &str, name: &str) -> Option<&Arc<Object<T>>> {
        self.get(&ObjectKey::new(T::KIND, namespace, name))
            .and_then(T::of)
    }

    /// All objects with their keys, by kind, namespace and name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ObjectKey, &AnyObject)> {
        let entries = self.entries.iter();
        Counted {
            left: self.len(),
            items: entries.map(|(key, entry)| (key, &entry.object)),
        }
    }

    /// All objects of a kind, by namespace and name.
    pub fn iter_kind<'s>(
        &'s self,
        kind: &Kind,
    ) -> impl Iterator<Item = (&'s ObjectKey, &'s AnyObject)> + use<'s> {
        let kind = kind.clone();
        let first = ObjectKey {
            kind: kind.clone(),
            namespace: Namespace::default(),
            name: Text::default(),
        };
        let entries = self
            .entries
            .iter_from(&first)
            .take_while(move |(key, _)| key.kind == kind);
        entries.map(|(key, entry)| (key, &entry.object))
    }

    /// All objects of kind `T`, by namespace and name.
    pub fn objects_of<T: Model>(&self) -> impl Iterator<Item = &Arc<Object<T>>> {
        self.iter_kind(&T::KIND).filter_map(|(_, object)| T::of(object))
    }

    /// All VirtualServices.
    pub fn virtual_services(&self) -> impl Iterator<Item = &Arc<Object<VirtualService>>> {
        self.objects_of()
    }

    /// All DestinationRules.
    pub fn destination_rules(&self) -> impl Iterator<Item = &Arc<Object<DestinationRule>>> {
        self.objects_of()
    }

    /// All Gateways.
    pub fn gateways(&self) -> impl Iterator<Item = &Arc<Object<Gateway>>> {
        self.objects_of()
    }

    /// All ServiceEntries.
    pub fn service_entries(&self) -> impl Iterator<Item = &Arc<Object<ServiceEntry>>> {
        self.objects_of()
    }

    /// All Sidecars.
    pub fn sidecars(&self) -> impl Iterator<Item = &Arc<Object<Sidecar>>> {
        self.objects_of()
    }

    /// All WorkloadEntries.
    pub fn workload_entries(&self) -> impl Iterator<Item = &Arc<Object<WorkloadEntry>>> {
        self.objects_of()
    }

    /// All PeerAuthentications.
    pub fn peer_authentications(&self) -> impl Iterator<Item = &Arc<Object<PeerAuthentication>>> {
        self.objects_of()
    }

    /// All Kubernetes Services.
    pub fn services(&self) -> impl Iterator<Item = &Arc<Object<Service>>> {
        self.objects_of()
    }

    /// All Kubernetes Namespaces.
    pub fn namespaces(&self) -> impl Iterator<Item = &Arc<Object<KubernetesNamespace>>> {
        self.objects_of()
    }

    /// All Kubernetes Pods.
    pub fn pods(&self) -> impl Iterator<Item = &Arc<Object<Pod>>> {
        self.objects_of()
    }

    /// All Kubernetes EndpointSlices.
    pub fn endpoint_slices(&self) -> impl Iterator<Item = &Arc<Object<EndpointSlice>>> {
        self.objects_of()
    }

    /// Whether there is an object of a kind.
    pub fn has(&self, kind: &Kind) -> bool {
        self.iter_kind(kind).next().is_some()
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where a field of an object was read; if it is not there, the closest field above it. `None` for objects that were
    /// made, not read (A-PAR-14).
    pub fn location(&self, key: &ObjectKey, path: &FieldPath) -> Option<SourceLocation> {
        let origin = self.entries.get(key)?.origin.as_ref()?;
        Some(origin.location(path))
    }

    pub(crate) fn origin(&self, key: &ObjectKey) -> Option<&Origin> {
        self.entries.get(key)?.origin.as_ref()
    }

    /// The object of a key, and where it was read.
    pub(crate) fn entry(&self, key: &ObjectKey) -> Option<(AnyObject, Option<Origin>)> {
        let Entry { object, origin } = self.entries.get(key)?.as_ref();
        Some((object.clone(), origin.clone()))
    }
}

impl PartialEq for ObjectSet {
    /// Whether both hold equal objects, wherever they were read.
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl<O: Into<AnyObject>> FromIterator<O> for ObjectSet {
    fn from_iter<I: IntoIterator<Item = O>>(objects: I) -> Self {
        let mut set = Self::new();
        for object in objects {
            set.insert(object);
        }
        set
    }
}

/// An iterator that knows how many items are left.
struct Counted<I> {
    items: I,
    left: usize,
}

impl<I: Iterator> Iterator for Counted<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.left = self.left.saturating_sub(1);
        self.items.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<I: Iterator> ExactSizeIterator for Counted<I> {}
