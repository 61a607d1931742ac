//! VirtualServices with names resolved and delegates merged, and the list that each proxy gets.

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_api::names::{GatewayRef, Host, Namespace};
use mesh_api::networking as model;
use mesh_api::object::ObjectKey;

use super::Age;
use super::visibility::{Visibility, VisibilityClass};
use crate::plan::{Index, Origin};

/// A VirtualService that can be routed by: short names are resolved (R-NAME-1, R-NAME-2), delegates merged in (R-DEL).
#[derive(Clone, Debug, PartialEq)]
pub struct VirtualService {
    /// The object.
    pub key: Arc<ObjectKey>,
    /// Its namespace.
    pub namespace: Namespace,
    /// Its age.
    pub age: Age,
    /// Its hosts, resolved; the letter case is as written.
    pub hosts: Vec<Host>,
    /// Its gateways; never empty.
    pub gateways: Vec<GatewayRef>,
    /// Who sees it.
    pub visibility: Visibility,
    /// How its paths and hosts are read.
    pub semantics: Semantics,
    /// HTTP entries, in order.
    pub http: Vec<HttpEntry>,
    /// TLS entries, in order.
    pub tls: Vec<model::TlsRoute>,
    /// TCP entries, in order.
    pub tcp: Vec<model::TcpRoute>,
}

/// How a VirtualService is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Semantics {
    /// As users write them.
    #[default]
    Istio,
    /// Made from Gateway API routes.
    GatewayApi,
    /// Made from Kubernetes Ingress objects.
    Ingress,
}

/// An entry of `spec.http`, after a delegate merge if there was one.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpEntry {
    /// The entry. Match gateways and destination hosts are resolved; it has no delegate any more.
    pub route: model::HttpRoute,
    /// The object that the entry stands in: the delegate, or the VirtualService itself.
    pub object: Arc<ObjectKey>,
    /// Its position there.
    pub entry: u16,
    /// For each match, its position in the object.
    pub match_positions: Vec<Index>,
    /// For a delegated entry, the entry of the root.
    pub parent: Option<Origin>,
    /// Which values the root gave (R-DEL-8).
    pub from_root: FromRoot,
}

/// Which values of a delegated entry the root gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FromRoot {
    /// `timeout`.
    pub timeout: bool,
    /// `retries`.
    pub retries: bool,
    /// `rewrite`.
    pub rewrite: bool,
}

impl VirtualService {
    /// Whether it is bound to `gateway`.
    pub fn is_bound_to(&self, gateway: &GatewayRef) -> bool {
        self.gateways.contains(gateway)
    }
}

/// VirtualServices by gateway, in order of age.
#[derive(Clone, Debug, Default)]
pub struct VirtualServiceIndex {
    by_gateway: BTreeMap<GatewayRef, Vec<Arc<VirtualService>>>,
    all: Vec<Arc<VirtualService>>,
}

impl VirtualServiceIndex {
    /// Sorts and indexes.
    pub fn new(mut all: Vec<Arc<VirtualService>>) -> Self {
        all.sort_by(|a, b| a.age.cmp(&b.age));
        let mut by_gateway: BTreeMap<GatewayRef, Vec<Arc<VirtualService>>> = BTreeMap::new();
        for service in &all {
            for (at, gateway) in service.gateways.iter().enumerate() {
                if !service.gateways.iter().take(at).any(|earlier| earlier == gateway) {
                    by_gateway
                        .entry(gateway.clone())
                        .or_default()
                        .push(Arc::clone(service));
                }
            }
        }
        Self { by_gateway, all }
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<VirtualService>> {
        self.all.iter()
    }

    /// What a proxy of `namespace` gets for `gateway`: private ones, those exported to the namespace, public ones,
    /// each class oldest first (R-ORD-4). Within a class, those with gateway semantics that live in the proxy's own
    /// namespace come first (R-ORD-5).
    pub fn visible(&self, namespace: &Namespace, gateway: &GatewayRef) -> Vec<Arc<VirtualService>> {
        let Some(bound) = self.by_gateway.get(gateway) else {
            return Vec::new();
        };
        let mut seen: Vec<(VisibilityClass, bool, &Arc<VirtualService>)> = bound
            .iter()
            .filter_map(|service| {
                let class = service.visibility.class_for(namespace, &service.namespace)?;
                let consumer = service.semantics == Semantics::GatewayApi && service.namespace == *namespace;
                Some((class, !consumer, service))
            })
            .collect();
        // quirk R-ORD-4: the older object wins only inside one visibility class. The sort is stable.
        seen.sort_by_key(|(class, not_consumer, _)| (*class, *not_consumer));
        seen.into_iter()
            .map(|(_, _, service)| Arc::clone(service))
            .collect()
    }
}
