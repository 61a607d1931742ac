//! Which services and bare hosts of a table each VirtualService serves (R-VH-1 to -6, R-VH-19).

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_api::names::{Host, HostIndex, Namespace};

use crate::plan::{At, Origin};
use crate::snapshot::service::Service;
use crate::snapshot::virtual_service::{Semantics, VirtualService};
use crate::trace::{Event, EventKind, Recorder, ShadowReason, VirtualServiceOutcome};

/// The VirtualService that owns each host: the first in order (R-VH-4). Hosts are as written.
pub(super) fn most_specific_index(services: &[Arc<VirtualService>]) -> HostIndex<usize> {
    let mut index = HostIndex::new();
    for (position, service) in services.iter().enumerate() {
        for host in &service.hosts {
            if index.get(host).is_none() {
                index.insert(host.clone(), position);
            }
        }
    }
    index
}

/// Which services and bare hosts of a table a VirtualService serves.
pub(super) struct Attachment<'a> {
    pub(super) service: &'a VirtualService,
    /// All VirtualServices of the listener, in order.
    pub(super) all: &'a [Arc<VirtualService>],
    pub(super) position: usize,
    pub(super) port: u16,
    pub(super) by_host: &'a BTreeMap<Host, Arc<Service>>,
    pub(super) index: &'a HostIndex<usize>,
}

impl Attachment<'_> {
    /// Whether any host is a service of the port, or matches one by wildcard (R-VH-1).
    pub(super) fn touches_port(&self) -> bool {
        self.port == 0
            || self.service.hosts.iter().any(|host| {
                let lower = host.to_lowercase();
                self.by_host.contains_key(&lower)
                    || (host.is_wildcard() && self.by_host.keys().any(|service| lower.matches(service)))
                    || self
                        .by_host
                        .keys()
                        .any(|service| service.is_wildcard() && lower.matches(service))
            })
    }

    pub(super) fn resolve(
        &self,
        proxy: &mesh_api::names::Namespace,
        recorder: &mut impl Recorder,
    ) -> (Vec<Arc<Service>>, Vec<Host>) {
        let (mut attached, mut bare): (Vec<Arc<Service>>, Vec<Host>) = (Vec::new(), Vec::new());
        let gateway_semantics = self.service.semantics == Semantics::GatewayApi;
        for host in &self.service.hosts {
            let lower = host.to_lowercase();
            if let Some(service) = self.by_host.get(&lower) {
                attached.push(Arc::clone(service));
                continue;
            }
            if !host.is_wildcard() || gateway_semantics {
                bare.push(host.clone());
                continue;
            }
            let mut any = false;
            for service in self
                .by_host
                .values()
                .filter(|service| lower.matches(&service.host))
            {
                any = true;
                match self.index.most_specific(&service.host) {
                    Some((_, owner)) if *owner == self.position => attached.push(Arc::clone(service)),
                    owner => recorder.record(|| {
                        let winner = owner.and_then(|(_, owner)| self.all.get(*owner));
                        let winner = winner.map_or(self.service, Arc::as_ref);
                        let outcome = VirtualServiceOutcome::LessSpecificThan(whole(winner));
                        let host = service.host.clone();
                        let kind = EventKind::VirtualServiceConsidered { host, outcome };
                        Event::new("R-VH-4", whole(self.service), kind)
                    }),
                }
            }
            if !any {
                bare.push(host.clone());
            }
        }
        // quirk R-VH-19
        if gateway_semantics {
            let own = &self.service.namespace;
            let related = attached.iter().any(|service| service.namespace == *own) || proxy == own;
            if attached.is_empty() || !related {
                return (Vec::new(), Vec::new());
            }
        }
        (attached, bare)
    }
}

/// The VirtualService as a whole.
pub(super) fn whole(service: &VirtualService) -> Origin {
    Origin::new(Arc::clone(&service.key), At::Object)
}

/// Records the same outcome for each host of a VirtualService.
pub(super) fn considered(
    recorder: &mut impl Recorder,
    service: &VirtualService,
    hosts: impl Iterator<Item = Host>,
    outcome: &VirtualServiceOutcome,
) {
    for host in hosts {
        recorder.record(|| {
            let kind = EventKind::VirtualServiceConsidered {
                host,
                outcome: outcome.clone(),
            };
            Event::new("R-VH-2", whole(service), kind)
        });
    }
}

/// Records that a VirtualService lost a host to an earlier one: an older one of its class, or one of a class that comes
/// first (R-VH-9, R-ORD-4).
pub(super) fn shadowed(
    recorder: &mut impl Recorder,
    all: &[Arc<VirtualService>],
    proxy: &Namespace,
    host: &Host,
    loser: &Origin,
    winner: &Origin,
) {
    if !recorder.is_recording() {
        return;
    }
    let find = |origin: &Origin| {
        all.iter()
            .find(|service| Some(&service.key) == origin.object.as_ref())
    };
    let class = |service: &VirtualService| service.visibility.class_for(proxy, &service.namespace);
    let (mut reason, mut quirk) = (ShadowReason::Older, false);
    if let (Some(lost), Some(won)) = (find(loser), find(winner))
        && class(lost) != class(won)
    {
        reason = ShadowReason::VisibilityClass;
        quirk = lost.age < won.age;
    }
    let outcome = VirtualServiceOutcome::ShadowedBy {
        by: winner.clone(),
        reason,
    };
    recorder.record(|| {
        let kind = EventKind::VirtualServiceConsidered {
            host: host.clone(),
            outcome,
        };
        Event::new("R-VH-9", loser.clone(), kind)
    });
    if quirk {
        recorder.record(|| {
            let expected =
                "the older VirtualService to win, but age decides only inside one visibility class";
            Event::new("R-ORD-4", loser.clone(), EventKind::ConfigQuirk { expected })
        });
    }
}
