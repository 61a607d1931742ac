//! PeerAuthentication, as far as clients infer the mode of a server from it (R-PA-6).

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_api::names::Namespace;
use mesh_api::object::ObjectKey;
use mesh_api::security::MutualTlsMode;

use super::Age;

/// Mode per namespace; the mesh-wide one stands under the root namespace.
#[derive(Clone, Debug, Default)]
pub struct PeerAuthenticationIndex {
    root: Namespace,
    modes: BTreeMap<Namespace, (Age, MutualTlsMode, Arc<ObjectKey>)>,
}

impl PeerAuthenticationIndex {
    /// An empty index.
    pub fn new(root: Namespace) -> Self {
        Self {
            root,
            modes: BTreeMap::new(),
        }
    }

    /// Adds a policy without a selector; the oldest of a namespace counts (R-PA-2).
    pub fn insert(&mut self, namespace: Namespace, age: Age, mode: MutualTlsMode, key: Arc<ObjectKey>) {
        let slot = self.modes.entry(namespace);
        slot.and_modify(|held| {
            if age < held.0 {
                *held = (age.clone(), mode, Arc::clone(&key));
            }
        })
        .or_insert((age, mode, key));
    }

    /// The mode that clients expect of servers in `namespace`, and the policy that says so. Only namespace and mesh
    /// level count, never workload or port level (R-PA-6, quirk).
    pub fn inferred(&self, namespace: &Namespace) -> (MutualTlsMode, Option<&Arc<ObjectKey>>) {
        [namespace, &self.root]
            .into_iter()
            .filter_map(|level| self.modes.get(level))
            .find(|(_, mode, _)| *mode != MutualTlsMode::Unset)
            .map_or((MutualTlsMode::Permissive, None), |(_, mode, key)| {
                (*mode, Some(key))
            })
    }
}
