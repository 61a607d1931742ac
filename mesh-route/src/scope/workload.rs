//! Who asks: a workload with a sidecar, or a gateway.

use std::net::IpAddr;
use std::sync::Arc;

use mesh_api::names::{Labels, Namespace, Text};

use crate::plan::{Interception, Locality, ProxyFacts, ProxyRole};

/// A proxy for which a plan is compiled.
///
/// ```
/// use mesh_route::Workload;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Workload::new("shop".parse()?).with_label("app", "productpage");
/// let edge = Workload::gateway("istio-system".parse()?).with_label("istio", "ingressgateway");
/// assert_eq!(client.facts().dns_domain.as_str(), "shop.svc.cluster.local");
/// assert_ne!(client.facts().role, edge.facts().role);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    facts: ProxyFacts,
}

impl Workload {
    /// A workload of `namespace` with a sidecar: no labels, IPv4, redirected traffic, the DNS domain
    /// `NAMESPACE.svc.cluster.local`.
    pub fn new(namespace: Namespace) -> Self {
        Self::with_role(namespace, ProxyRole::Sidecar)
    }

    /// A gateway that runs in `namespace`.
    pub fn gateway(namespace: Namespace) -> Self {
        Self::with_role(namespace, ProxyRole::Gateway)
    }

    fn with_role(namespace: Namespace, role: ProxyRole) -> Self {
        let dns_domain = Text::from(format!("{namespace}.svc.cluster.local"));
        let facts = ProxyFacts {
            role,
            namespace,
            labels: Arc::default(),
            locality: Locality::default(),
            addresses: Box::default(),
            network: Text::default(),
            cluster_id: Text::default(),
            node: Text::default(),
            dns_domain,
            interception: Interception::default(),
            unprivileged: false,
        };
        Self { facts }
    }

    /// Adds a label.
    #[must_use]
    pub fn with_label(mut self, key: impl Into<Text>, value: impl Into<Text>) -> Self {
        Arc::make_mut(&mut self.facts.labels).insert(key, value);
        self
    }

    /// Replaces all labels.
    #[must_use]
    pub fn with_labels(mut self, labels: Labels) -> Self {
        self.facts.labels = Arc::new(labels);
        self
    }

    /// Says where the workload is.
    #[must_use]
    pub fn with_locality(mut self, locality: Locality) -> Self {
        self.facts.locality = locality;
        self
    }

    /// Says which addresses the workload has; the first decides the IP family.
    #[must_use]
    pub fn with_addresses(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.facts.addresses = addresses.into_iter().collect();
        self
    }

    /// Says which node the workload runs on.
    #[must_use]
    pub fn with_node(mut self, node: impl Into<Text>) -> Self {
        self.facts.node = node.into();
        self
    }

    /// Replaces the DNS search domain.
    #[must_use]
    pub fn with_dns_domain(mut self, domain: impl Into<Text>) -> Self {
        self.facts.dns_domain = domain.into();
        self
    }

    /// Says whether ports below 1024 cannot be bound (default: they can).
    #[must_use]
    pub fn with_unprivileged(mut self, unprivileged: bool) -> Self {
        self.facts.unprivileged = unprivileged;
        self
    }

    /// Says how traffic reaches the sidecar.
    #[must_use]
    pub fn with_interception(mut self, interception: Interception) -> Self {
        self.facts.interception = interception;
        self
    }

    /// All that is known of the proxy.
    pub fn facts(&self) -> &ProxyFacts {
        &self.facts
    }
}
