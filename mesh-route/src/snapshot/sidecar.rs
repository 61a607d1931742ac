//! Sidecar objects and the choice of the one that applies (R-SC-1).

use std::sync::Arc;

use mesh_api::names::{Labels, Namespace};
use mesh_api::networking as model;
use mesh_api::object::ObjectKey;

use super::Age;

/// A Sidecar.
#[derive(Clone, Debug, PartialEq)]
pub struct Sidecar {
    /// The object.
    pub key: Arc<ObjectKey>,
    /// Its namespace.
    pub namespace: Namespace,
    /// Its age.
    pub age: Age,
    /// The workloads it is for. Present without labels it fits every workload of the namespace.
    pub selector: Option<Labels>,
    /// The object as written.
    pub spec: model::Sidecar,
}

/// All Sidecars, oldest first.
#[derive(Clone, Debug, Default)]
pub struct SidecarIndex {
    sidecars: Vec<Arc<Sidecar>>,
}

impl SidecarIndex {
    /// Sorts them by age.
    pub fn new(mut sidecars: Vec<Arc<Sidecar>>) -> Self {
        sidecars.sort_by(|a, b| a.age.cmp(&b.age));
        Self { sidecars }
    }

    /// The one that applies to a workload: of its namespace, those with a selector first, then of the root namespace
    /// the oldest without a selector (R-SC-1).
    pub fn select(&self, namespace: &Namespace, labels: &Labels, root: &Namespace) -> Option<&Arc<Sidecar>> {
        let own = || {
            self.sidecars
                .iter()
                .filter(|sidecar| sidecar.namespace == *namespace)
        };
        own()
            .find(|s| {
                s.selector
                    .as_ref()
                    .is_some_and(|selector| selector.is_subset_of(labels))
            })
            .or_else(|| own().find(|sidecar| sidecar.selector.is_none()))
            .or_else(|| {
                self.sidecars
                    .iter()
                    .find(|sidecar| sidecar.namespace == *root && sidecar.selector.is_none())
            })
    }
}
