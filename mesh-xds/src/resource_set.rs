//! All resources of one proxy at one time.

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_route::table::{Change, Table};

use crate::pb::Kind;
use crate::resource::{Resource, ResourceVersion};

/// The resources for one proxy: immutable, sorted by kind and name, cheap to clone.
///
/// A set made after another one of the same proxy should share with it ([`ResourceSet::sharing`]): what has the same
/// version is then the same memory, and [`ResourceSet::diff`] looks only at what is not.
///
/// ```
/// use mesh_xds::pb::Kind;
/// use mesh_xds::pb::envoy::config::cluster::v3::Cluster;
/// use mesh_xds::{Resource, ResourceSet};
///
/// let cluster = |name: &str| {
///     Resource::new(Kind::Cluster, name, &Cluster { name: name.to_owned(), ..Default::default() })
/// };
/// let old: ResourceSet = [cluster("a"), cluster("b")].into_iter().collect();
/// let new: ResourceSet = [cluster("b"), cluster("c")].into_iter().collect();
/// let new = new.sharing(&old);
///
/// assert!(std::ptr::eq(old.get(Kind::Cluster, "b").unwrap(), new.get(Kind::Cluster, "b").unwrap()));
/// let delta = old.diff(&new, Kind::Cluster);
/// assert_eq!(delta.changed.iter().map(|resource| resource.name()).collect::<Vec<_>>(), ["c"]);
/// assert_eq!(delta.removed, ["a"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceSet {
    kinds: BTreeMap<Kind, Resources>,
}

/// The resources of one kind, and the version of them all.
#[derive(Clone, Debug, PartialEq)]
struct Resources {
    table: Table<Arc<str>, Resource>,
    version: ResourceVersion,
}

/// A resource under its name, as the table takes it.
type Entry = (Arc<str>, Arc<Resource>);

/// What leads from one set to another, for one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta<'a> {
    /// New resources and those with another version, by name.
    pub changed: Vec<&'a Resource>,
    /// Names that are gone.
    pub removed: Vec<&'a str>,
}

impl ResourceSet {
    /// A set of these. Of two resources of one kind and name the last one stays.
    pub fn new(resources: impl IntoIterator<Item = Resource>) -> ResourceSet {
        let mut kinds: BTreeMap<Kind, Vec<Entry>> = BTreeMap::new();
        for resource in resources {
            kinds
                .entry(resource.kind())
                .or_default()
                .push((resource.shared_name(), Arc::new(resource)));
        }
        let kinds = kinds
            .into_iter()
            .map(|(kind, entries)| (kind, Resources::new(Table::from_entries(entries))));
        ResourceSet {
            kinds: kinds.collect(),
        }
    }

    /// The same set, sharing memory with `previous` wherever kind, name and version are equal.
    #[must_use]
    pub fn sharing(&self, previous: &ResourceSet) -> ResourceSet {
        let share = |(kind, resources): (&Kind, &Resources)| {
            let shared = match previous.kinds.get(kind) {
                Some(old) => {
                    let entries = resources
                        .table
                        .iter()
                        .map(|(name, value)| (Arc::clone(name), Arc::clone(value)));
                    Table::rebuild_sharing(&old.table, entries)
                }
                None => resources.table.clone(),
            };
            (
                *kind,
                Resources {
                    table: shared,
                    version: resources.version,
                },
            )
        };
        ResourceSet {
            kinds: self.kinds.iter().map(share).collect(),
        }
    }

    /// How many resources there are.
    pub fn len(&self) -> usize {
        self.kinds.values().map(|resources| resources.table.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The kinds of which there are any, in push order.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.kinds.keys().copied()
    }

    /// The resource of that kind and name.
    pub fn get(&self, kind: Kind, name: &str) -> Option<&Resource> {
        self.kinds.get(&kind)?.table.get(name).map(AsRef::as_ref)
    }

    /// All resources of a kind, by name.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Resource> {
        self.kinds
            .get(&kind)
            .into_iter()
            .flat_map(|resources| resources.table.values())
            .map(AsRef::as_ref)
    }

    /// Every resource, by kind in push order, then by name.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.kinds
            .values()
            .flat_map(|resources| resources.table.values())
            .map(AsRef::as_ref)
    }

    /// The version of all resources of a kind; equal sets have equal versions, in every process.
    pub fn version(&self, kind: Kind) -> ResourceVersion {
        match self.kinds.get(&kind) {
            Some(resources) => resources.version,
            None => ResourceVersion::of_all(std::iter::empty()),
        }
    }

    /// What leads from this set to `newer`, for one kind. Parts that both share are not looked into.
    pub fn diff<'a>(&'a self, newer: &'a ResourceSet, kind: Kind) -> Delta<'a> {
        let mut delta = Delta::default();
        let (old, new) = match (self.kinds.get(&kind), newer.kinds.get(&kind)) {
            (Some(old), Some(new)) => (old, new),
            (Some(old), None) => {
                delta.removed = old.table.iter().map(|(name, _)| name.as_ref()).collect();
                return delta;
            }
            (None, _) => {
                delta.changed = newer.of(kind).collect();
                return delta;
            }
        };
        for change in old.table.diff(&new.table) {
            match change {
                Change::Added { key: _, value }
                | Change::Changed {
                    key: _,
                    old: _,
                    new: value,
                } => {
                    delta.changed.push(value);
                }
                Change::Removed { key, value: _ } => delta.removed.push(key),
            }
        }
        delta
    }
}

impl Resources {
    fn new(table: Table<Arc<str>, Resource>) -> Resources {
        let version = ResourceVersion::of_all(table.values().map(AsRef::as_ref));
        Resources { table, version }
    }
}

impl FromIterator<Resource> for ResourceSet {
    fn from_iter<I: IntoIterator<Item = Resource>>(resources: I) -> ResourceSet {
        ResourceSet::new(resources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::envoy::config::cluster::v3::Cluster;
    use crate::pb::envoy::config::listener::v3::Listener;

    fn cluster(name: &str, alt: &str) -> Resource {
        let message = Cluster {
            name: name.to_owned(),
            alt_stat_name: alt.to_owned(),
            ..Cluster::default()
        };
        Resource::new(Kind::Cluster, name, &message)
    }

    fn listener(name: &str) -> Resource {
        Resource::new(
            Kind::Listener,
            name,
            &Listener {
                name: name.to_owned(),
                ..Listener::default()
            },
        )
    }

    #[test]
    fn order_of_input_does_not_matter() {
        let one = ResourceSet::new([cluster("b", ""), listener("l"), cluster("a", "")]);
        let two = ResourceSet::new([cluster("a", ""), cluster("b", ""), listener("l")]);
        assert_eq!(one, two);
        assert_eq!(one.version(Kind::Cluster), two.version(Kind::Cluster));
        let names: Vec<&str> = one.iter().map(Resource::name).collect();
        assert_eq!(names, ["a", "b", "l"]);
    }

    // X-SNAP-4
    #[test]
    fn versions_follow_content() {
        let one = ResourceSet::new([cluster("a", ""), cluster("b", "")]);
        let two = ResourceSet::new([cluster("a", ""), cluster("b", "x")]);
        assert_ne!(one.version(Kind::Cluster), two.version(Kind::Cluster));
        assert_eq!(one.version(Kind::Listener), two.version(Kind::Listener));
        assert_eq!(
            one.get(Kind::Cluster, "a").unwrap().version(),
            two.get(Kind::Cluster, "a").unwrap().version()
        );
        // The name counts too: moving text from one name to another is a change.
        let ab = ResourceSet::new([Resource::from_bytes(Kind::Cluster, "ab", vec![])]);
        let a = ResourceSet::new([Resource::from_bytes(Kind::Cluster, "a", vec![])]);
        assert_ne!(ab.version(Kind::Cluster), a.version(Kind::Cluster));
    }

    #[test]
    fn sharing_keeps_what_is_equal() {
        let many = |edited: usize| -> ResourceSet {
            (0..1000)
                .map(|n| cluster(&format!("c{n:04}"), if n == edited { "x" } else { "" }))
                .collect()
        };
        let old = many(usize::MAX);
        let new = many(500).sharing(&old);
        let shared = |n: usize| {
            let name = format!("c{n:04}");
            std::ptr::eq(
                old.get(Kind::Cluster, &name).unwrap(),
                new.get(Kind::Cluster, &name).unwrap(),
            )
        };
        assert_eq!((0..1000).filter(|n| shared(*n)).count(), 999);
        let delta = old.diff(&new, Kind::Cluster);
        assert_eq!(delta.changed.len(), 1);
        assert!(delta.removed.is_empty());
        assert_eq!(new, many(500), "sharing changes no content");
    }

    #[test]
    fn diff_against_a_missing_kind() {
        let empty = ResourceSet::default();
        let one = ResourceSet::new([listener("l")]);
        assert_eq!(empty.diff(&one, Kind::Listener).changed.len(), 1);
        assert_eq!(one.diff(&empty, Kind::Listener).removed, ["l"]);
        assert_eq!(empty.diff(&empty, Kind::Listener), Delta::default());
    }
}
