//! Why the parts of a decision came out as they did: the touched builders run again, recorded.

use std::collections::BTreeSet;
use std::sync::Arc;

use mesh_api::mesh::MeshConfig;
use mesh_api::names::{GatewayRef, Host, SubsetName};

use super::cluster::ClusterView;
use super::sidecar::SidecarTables;
use super::traffic_policy::Blocks;
use super::view::Common;
use super::{attach, gateway};
use crate::plan::{
    At, Cluster, Level, Origin, ProxyFacts, RouteTable, RouteTableName, UpstreamTls, VirtualHost,
    VirtualHostName,
};
use crate::scope::{GatewayScope, SidecarScope};
use crate::snapshot::Indexes;
use crate::snapshot::destination_rule::RuleStep as FoundAt;
use crate::snapshot::destination_rule::{DestinationRule, MergedRule, SelectedRule};
use crate::snapshot::service::Service;
use crate::snapshot::virtual_service::VirtualService;
use crate::trace::{
    Event, EventKind, PolicyBlock, Recorder, RuleRejection, RuleStep, Trace, VirtualServiceOutcome,
};

/// Events of compiling the table of a decision at a sidecar, as far as they are about its virtual host.
pub(crate) fn sidecar_table(
    scope: &SidecarScope,
    indexes: &Indexes,
    mesh: &MeshConfig,
    table: &RouteTable,
    host: &VirtualHost,
) -> Trace {
    let common = Common::new(mesh);
    let tables = SidecarTables {
        scope,
        indexes,
        common: &common,
    };
    let mut trace = Trace::new();
    if let Some(egress) = scope.listener_for(table.port) {
        let recorder = &mut trace;
        match &table.name {
            RouteTableName::HostPort { host, port } => {
                if let Some(service) = egress.services.iter().find(|service| service.host == *host) {
                    tables.sniffed_table(service, *port, egress, None, recorder);
                }
            }
            name => drop(tables.table(name.clone(), table.port, egress, None, recorder)),
        }
        let imported: BTreeSet<_> = egress
            .virtual_services
            .iter()
            .map(|service| &service.key)
            .collect();
        let absent = |service: &VirtualService| !imported.contains(&service.key);
        out_of_scope(indexes, &scope.facts, &GatewayRef::Mesh, host, absent, &mut trace);
    }
    about(trace, host)
}

/// Events of compiling the table of a decision at a gateway, as far as they are about its virtual host.
pub(crate) fn gateway_table(
    scope: &GatewayScope,
    indexes: &Indexes,
    mesh: &MeshConfig,
    table: &RouteTable,
    host: &VirtualHost,
) -> Trace {
    let common = Common::new(mesh);
    let tables = gateway::GatewayTables {
        scope,
        indexes,
        common: &common,
    };
    let mut trace = Trace::new();
    let servers = gateway::merge_servers(scope, &mut trace);
    let own: Vec<_> = servers
        .iter()
        .filter(|server| server.table.as_ref() == Some(&table.name))
        .collect();
    tables.table(&table.name, &own, None, &mut trace);
    let references: Vec<&GatewayRef> = own.iter().map(|server| &server.gateway.reference).collect();
    if let Some(reference) = references.first() {
        let absent = |service: &VirtualService| {
            let bound = references.iter().any(|reference| service.is_bound_to(reference));
            !(bound && service.visibility.allows(&scope.facts.namespace))
        };
        out_of_scope(indexes, &scope.facts, reference, host, absent, &mut trace);
    }
    about(trace, host)
}

/// Names VirtualServices that share a host with a virtual host and that the proxy does not see, with the reason
/// (R-EX-1).
fn out_of_scope(
    indexes: &Indexes,
    facts: &ProxyFacts,
    gateway: &GatewayRef,
    host: &VirtualHost,
    absent: impl Fn(&VirtualService) -> bool,
    trace: &mut Trace,
) {
    let VirtualHostName::Host { host, port: _ } = &host.name else {
        return;
    };
    let candidates = indexes.virtual_services.iter().filter(|service| absent(service));
    for service in candidates.filter(|s| s.hosts.iter().any(|own| own.to_lowercase().matches(host))) {
        let outcome = match () {
            () if !service.visibility.allows(&facts.namespace) => VirtualServiceOutcome::NotExported,
            () if !service.is_bound_to(gateway) => VirtualServiceOutcome::GatewayNotBound,
            () => VirtualServiceOutcome::NotInEgressHosts,
        };
        let rule = match outcome {
            VirtualServiceOutcome::NotExported => "R-VIS-2",
            VirtualServiceOutcome::GatewayNotBound => "R-NAME-3",
            _ => "R-SC-5",
        };
        trace.record(|| {
            let kind = EventKind::VirtualServiceConsidered {
                host: host.clone(),
                outcome,
            };
            Event::new(rule, attach::whole(service), kind)
        });
    }
}

/// Keeps events about a virtual host: VirtualServices considered for it and their skipped matches, rejected servers,
/// domains it lost.
fn about(trace: Trace, host: &VirtualHost) -> Trace {
    let served = match &host.name {
        VirtualHostName::Host { host, port: _ } => Some(host.clone()),
        _ => None,
    };
    let events = trace.into_events();
    let is_served = |of: &Host| served.as_ref().is_some_and(|served| of.to_lowercase() == *served);
    let considered: BTreeSet<_> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::VirtualServiceConsidered { host, .. } if is_served(host) => {
                event.subject.object.clone()
            }
            _ => None,
        })
        .chain(host.routes.iter().filter_map(|route| route.origin.object.clone()))
        .collect();
    let mut kept = Trace::new();
    kept.extend(events.into_iter().filter(|event| {
        match &event.kind {
            EventKind::VirtualServiceConsidered { host, .. } => is_served(host),
            EventKind::RouteSkippedStatic(_) => event
                .subject
                .object
                .as_ref()
                .is_some_and(|object| considered.contains(object)),
            EventKind::DomainDropped { .. } => event.subject == host.origin,
            EventKind::ConfigQuirk { .. } => event
                .subject
                .object
                .as_ref()
                .is_some_and(|object| considered.contains(object)),
            EventKind::ServerRejected(_) | EventKind::ServerSelected { .. } => true,
            _ => false,
        }
    }));
    kept
}

/// Events of compiling the cluster of a decision: which rule applies and why not another, where each block is from,
/// why there is mutual TLS.
pub(crate) fn cluster(service: &Arc<Service>, cluster: &Cluster, view: &ClusterView<'_>, trace: &mut Trace) {
    let selected = view
        .indexes
        .rules
        .select(&view.facts.namespace, &view.facts.labels, service);
    record_rules(service, selected.as_ref(), view, trace);
    let rule = selected.as_ref().map(|selected| &selected.rule);
    record_blocks(cluster, rule, view.mesh, trace);
    if matches!(cluster.tls.level, Level::Default(_)) {
        let (mode, policy) = view.indexes.peer_authentication.inferred(&service.namespace);
        let origin = policy.map_or(Origin::at(At::Default(crate::plan::RuleId::AutoMtls)), |key| {
            Origin::new(Arc::clone(key), At::Object)
        });
        let used = matches!(cluster.tls.value, UpstreamTls::Auto(_));
        let mode = mode.as_str();
        trace.record(|| Event::new("R-PA-6", origin, EventKind::AutoMtls { mode, used }));
    }
}

fn step(step: FoundAt) -> RuleStep {
    match step {
        FoundAt::ClientNamespace => RuleStep::ClientNamespace,
        FoundAt::ServiceNamespace => RuleStep::ServiceNamespace,
        FoundAt::RootNamespace => RuleStep::RootNamespace,
    }
}

fn whole(rule: &DestinationRule) -> Origin {
    Origin::new(Arc::clone(&rule.key), At::Object)
}

fn record_rules(
    service: &Service,
    selected: Option<&SelectedRule>,
    view: &ClusterView<'_>,
    trace: &mut Trace,
) {
    if let Some(SelectedRule {
        rule,
        step: found,
        host,
    }) = selected
    {
        let (dropped, ignored) = lost_in_merge(rule);
        let kind = EventKind::DestinationRuleSelected {
            service: service.host.clone(),
            step: step(*found),
            matched: host.clone(),
            merged: rule.merged.iter().skip(1).map(|rule| whole(rule)).collect(),
            dropped_subsets: dropped,
            ignored_policies: ignored,
        };
        trace.record(|| Event::new("R-DR-2", whole(&rule.first), kind));
    }
    for candidate in view.indexes.rules.candidates(&service.host) {
        let taken = selected.is_some_and(|s| s.rule.merged.iter().any(|rule| rule.key == candidate.key));
        if taken {
            continue;
        }
        let reason = rejection(&candidate, service, selected, view);
        let kind = EventKind::DestinationRuleRejected {
            service: service.host.clone(),
            reason,
        };
        trace.record(|| Event::new("R-DR-2", whole(&candidate), kind));
    }
}

/// Why a rule whose host covers the service does not apply.
fn rejection(
    candidate: &DestinationRule,
    service: &Service,
    selected: Option<&SelectedRule>,
    view: &ClusterView<'_>,
) -> RuleRejection {
    let facts = view.facts;
    let own = candidate.namespace == facts.namespace;
    let exported = candidate.export_to.is_empty()
        || candidate
            .export_to
            .iter()
            .any(|token| token == "*" || *token == facts.namespace.as_str())
        || (own && candidate.export_to.iter().any(|token| token == "."));
    let relevant = own || candidate.namespace == service.namespace || view.is_root(&candidate.namespace);
    if !exported || !relevant {
        return RuleRejection::NotExported;
    }
    if let Some(selector) = &candidate.selector
        && (!own || !selector.is_subset_of(&facts.labels))
    {
        return RuleRejection::SelectorMismatch;
    }
    match selected {
        Some(winner) if winner.rule.first.namespace != candidate.namespace => {
            RuleRejection::LaterStep(step(winner.step))
        }
        Some(winner) if winner.host != candidate.host => RuleRejection::LessSpecificHost(winner.host.clone()),
        Some(winner) => RuleRejection::OtherEntry(whole(&winner.rule.first)),
        None => RuleRejection::NotExported,
    }
}

/// Subsets and policies that a merge left out (R-DR-8).
fn lost_in_merge(rule: &MergedRule) -> (Box<[SubsetName]>, Box<[Origin]>) {
    let mut dropped = Vec::new();
    for source in &rule.merged {
        for (position, subset) in source.spec.subsets.iter().enumerate() {
            let kept = rule
                .subsets
                .iter()
                .any(|kept| kept.rule.key == source.key && kept.position == position);
            if !kept {
                dropped.push(SubsetName::new(subset.name.as_str()));
            }
        }
    }
    let winner = rule.policy.as_ref().map(|rule| &rule.key);
    let ignored = rule
        .merged
        .iter()
        .filter(|source| source.spec.traffic_policy.is_some() && Some(&source.key) != winner)
        .map(|source| whole(source));
    (dropped.into(), ignored.collect())
}

/// One event for each block that some level gives (R-TP).
fn record_blocks(cluster: &Cluster, rule: Option<&Arc<MergedRule>>, mesh: &MeshConfig, trace: &mut Trace) {
    let port = cluster.name.port();
    let top = rule.and_then(|rule| rule.traffic_policy());
    let subset = cluster.subset.as_ref().and_then(|subset| {
        rule?
            .subset(subset.name.as_str())?
            .spec()?
            .traffic_policy
            .as_deref()
    });
    let at = |policy, own, port_level| Blocks::at_port(policy, port, own, port_level);
    let layers: Vec<Blocks<'_>> = [
        Some(Blocks::default().with_baseline(mesh)),
        top.map(|policy| at(policy, Level::Top, Level::Port)),
        subset.map(|policy| at(policy, Level::Subset, Level::SubsetPort)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let unport = |policy| Blocks::at_port(policy, 0, Level::Top, Level::Top);
    let hidden = [top, subset]
        .into_iter()
        .flatten()
        .map(unport)
        .collect::<Vec<_>>();
    let replaced = layers.iter().any(|layer| layer.from_port);
    let origin = cluster
        .rule
        .clone()
        .unwrap_or(Origin::at(At::Default(crate::plan::RuleId::TrafficPolicy)));
    let mut block = |block, level: Level, levels: Vec<Level>, set_somewhere: bool| {
        let given = !matches!(level, Level::Default(_));
        let lost = replaced && !given && set_somewhere;
        if !given && !lost {
            return;
        }
        let overridden = levels.into_iter().filter(|other| *other != level).collect();
        let kind = EventKind::TrafficPolicyBlock {
            block,
            level,
            overridden,
            lost_by_port_level: lost,
        };
        trace.record(|| Event::new(if lost { "R-TP-1" } else { "R-TP-3" }, origin.clone(), kind));
    };
    let policy = &cluster.policy;
    let none = Level::Default(crate::plan::RuleId::TrafficPolicy);
    block(
        PolicyBlock::ConnectionPool,
        policy.pool.level,
        layers.iter().filter_map(|layer| Some(layer.pool?.1)).collect(),
        hidden.iter().any(|layer| layer.pool.is_some()),
    );
    block(
        PolicyBlock::LoadBalancer,
        policy.balancer.level,
        layers
            .iter()
            .filter_map(|layer| Some(layer.balancer?.1))
            .collect(),
        hidden.iter().any(|layer| layer.balancer.is_some()),
    );
    block(
        PolicyBlock::OutlierDetection,
        policy.outlier.as_ref().map_or(none, |outlier| outlier.level),
        layers.iter().filter_map(|layer| Some(layer.outlier?.1)).collect(),
        hidden.iter().any(|layer| layer.outlier.is_some()),
    );
    block(
        PolicyBlock::Tls,
        cluster.tls.level,
        layers.iter().filter_map(|layer| Some(layer.tls?.1)).collect(),
        hidden.iter().any(|layer| layer.tls.is_some()),
    );
}
