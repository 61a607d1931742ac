//! What the builder of routes may see: narrow views, so that a part depends on nothing that it cannot name.

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_api::names::{GatewayRef, Host, Namespace, Text};

use crate::plan::{ForwardPolicy, ProxyFacts};
use crate::scope::GatewayScope;
use crate::snapshot::Indexes;
use crate::snapshot::destination_rule::SelectedRule;
use crate::snapshot::service::Service;

/// What routes of one table and gateway are built from.
#[derive(Clone, Copy)]
pub(super) struct RouteView<'a> {
    /// The proxy.
    pub(super) facts: &'a ProxyFacts,
    /// The snapshot, for DestinationRules.
    pub(super) indexes: &'a Indexes,
    /// The gateway whose routes are built; `mesh` for sidecars.
    pub(super) gateway: &'a GatewayRef,
    /// The port that matches are compared with: the listener's, or the server's declared one (R-RT-4).
    pub(super) port: u16,
    /// The port on which requests arrive (R-RD-3).
    pub(super) listener_port: u16,
    /// Whether the server has a `tls` block (R-RD-3, quirk).
    pub(super) server_tls: bool,
    /// How destinations are looked up.
    pub(super) services: Lookup<'a>,
    /// The policy of routes that set nothing; made once, shared.
    pub(super) common: &'a Common,
}

/// How the service of a destination is looked up (R-DST-2).
#[derive(Clone, Copy)]
pub(super) enum Lookup<'a> {
    /// Services of the listener that have its port, seen as if they had no other.
    Trimmed(&'a BTreeMap<Host, Arc<Service>>),
    /// Services of the listener with all their ports.
    Whole(&'a BTreeMap<Host, Arc<Service>>),
    /// The gateway's scope, the VirtualService's own namespace first (R-SVC-2).
    Gateway(&'a GatewayScope),
}

impl RouteView<'_> {
    /// The service of a destination.
    pub(super) fn service(&self, host: &Host, namespace: &Namespace) -> Option<&Arc<Service>> {
        match self.services {
            Lookup::Trimmed(services) | Lookup::Whole(services) => services.get(host),
            Lookup::Gateway(scope) => scope.service(self.indexes, host, namespace),
        }
    }

    /// The only port of a service, if it has just one here (R-DST-1).
    pub(super) fn single_port(&self, service: &Service) -> Option<u16> {
        match (self.services, service.ports.as_slice()) {
            (Lookup::Trimmed(_), _) => Some(self.port),
            (_, [port]) => Some(port.number),
            _ => None,
        }
    }

    /// The DestinationRule that applies to a service.
    pub(super) fn rule(&self, service: &Service) -> Option<SelectedRule> {
        self.indexes
            .rules
            .select(&self.facts.namespace, &self.facts.labels, service)
    }
}

/// Values that most parts of a plan share; made once for each compilation.
#[derive(Clone, Debug)]
pub(super) struct Common {
    /// Timeout off, retries of the mesh, no hash, no mirrors.
    pub(super) policy: Arc<ForwardPolicy>,
    /// `/`.
    pub(super) root_path: Text,
    /// `default`.
    pub(super) default_name: Text,
}
