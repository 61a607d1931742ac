//! Tells a recorder what the evaluator does. Nothing here decides anything.

use std::time::Duration;

use mesh_api::names::Text;

use super::chain::{Chosen, Connection};
use super::decision::{Decision, Outcome, Target};
use super::effects::Effects;
use super::evaluate::{test_route, text_of};
use super::request::Request;
use crate::matching::{DomainIndex, Drawn, RequestView, Truth, first_query_value, test, test_path};
use crate::plan::{
    AbortStatus, At, Condition, Domain, FilterChain, Level, Listener, Missing, Origin, PathMatcher, Route,
    RouteTable, Test, TextMatcher, TextTest, Timeout, VirtualHost, WeightedDestination,
};
use crate::trace::{
    Event, EventKind, FailedPredicate, FaultOutcome, PathStep, PolicyBlock, Recorder, RouteOutcome,
    WeightShare,
};

/// A recorder, with a method for each step.
pub(super) struct Observer<'r, R>(&'r mut R);

impl<'r, R: Recorder> Observer<'r, R> {
    pub(super) fn new(recorder: &'r mut R) -> Self {
        Self(recorder)
    }

    pub(super) fn is_recording(&self) -> bool {
        self.0.is_recording()
    }

    fn tell(&mut self, rule: &'static str, subject: &Origin, kind: impl FnOnce() -> EventKind) {
        self.0.record(|| Event::new(rule, subject.clone(), kind()));
    }

    pub(super) fn connection(
        &mut self,
        listener: &Listener,
        connection: &Connection<'_>,
        chosen: &Chosen<'_>,
    ) {
        self.tell("R-PROTO-6", &listener.origin, || EventKind::ListenerSelected {
            name: listener.name.clone(),
            role: listener.role,
            sniffed: listener.inspect.http,
        });
        let selected = |chain: &FilterChain, default| EventKind::FilterChainSelected {
            name: chain.name.clone(),
            criteria: connection.criteria(&chain.matching),
            default,
        };
        match chosen {
            Chosen::Chain(chain) => self.tell("R-L4-7", &chain.origin, || selected(chain, false)),
            Chosen::Default(chain) => self.tell("R-L4-8", &chain.origin, || selected(chain, true)),
            Chosen::None | Chosen::Unknown(_) => {}
        }
        if self.is_recording() {
            for (chain, at) in connection.losers(listener) {
                let name = chain.name.clone();
                self.tell("R-L4-7", &chain.origin, || EventKind::FilterChainRejected {
                    name,
                    at,
                });
            }
        }
    }

    pub(super) fn normalized(
        &mut self,
        before: &[u8],
        after: &[u8],
        steps: Vec<PathStep>,
        table: &RouteTable,
    ) {
        if before != after {
            self.tell("R-ENV-1", &table.origin, || EventKind::PathNormalized {
                before: text_of(before),
                after: text_of(after),
                steps: steps.into(),
            });
        }
    }

    pub(super) fn no_virtual_host(&mut self, table: &RouteTable, authority: &[u8]) {
        self.tell("R-ENVH-5", &table.origin, || EventKind::NoRoute {
            virtual_host: None,
            authority: text_of(authority),
            nearest: Box::default(),
        });
    }

    pub(super) fn virtual_host(
        &mut self,
        table: &RouteTable,
        host: &VirtualHost,
        domain: &Domain,
        authority: &[u8],
    ) {
        self.tell("R-ENVH-1", &host.origin, || {
            let index = DomainIndex::new(table);
            EventKind::VirtualHostSelected {
                name: host.name.clone(),
                domain: domain.clone(),
                authority: text_of(authority),
                runners_up: index
                    .candidates(authority)
                    .skip(1)
                    .map(|(_, domain)| domain.clone())
                    .collect(),
            }
        });
    }

    pub(super) fn route(&mut self, route: &Route, view: &RequestView<'_>, truth: Truth) {
        let outcome = || match truth {
            Truth::Yes => RouteOutcome::Matched,
            Truth::Unknown => RouteOutcome::Unknown {
                condition: foreign_name(route),
            },
            Truth::No => match first_failure(route, view) {
                Some(failure) => RouteOutcome::Failed(failure),
                None => RouteOutcome::Matched,
            },
        };
        self.tell("R-MATCH-1", &route.origin, || EventKind::RouteEvaluated {
            name: route.name.clone(),
            outcome: outcome(),
        });
    }

    pub(super) fn no_route(&mut self, host: &VirtualHost, authority: &[u8], view: &RequestView<'_>) {
        self.tell("R-ENVH-1", &host.origin, || EventKind::NoRoute {
            virtual_host: Some(host.name.clone()),
            authority: text_of(authority),
            nearest: host
                .routes
                .iter()
                .filter(|route| failures(route, view) == 1)
                .map(|r| r.origin.clone())
                .collect(),
        });
    }

    pub(super) fn delay(&mut self, route: &Route, delay: Option<Duration>) {
        let outcome = delay.map_or(FaultOutcome::NotDelayed, FaultOutcome::Delayed);
        self.tell("R-FLT-1", &route.origin, || EventKind::Fault(outcome));
    }

    pub(super) fn abort(&mut self, route: &Route, status: AbortStatus, fires: bool) {
        let outcome = if fires {
            FaultOutcome::Aborted(status)
        } else {
            FaultOutcome::NotAborted
        };
        self.tell("R-FLT-1", &route.origin, || EventKind::Fault(outcome));
    }

    pub(super) fn drawn(&mut self, destinations: &[WeightedDestination], drawn: &Drawn<'_>, draw: u64) {
        self.tell("R-W-2", &drawn.destination.origin, || {
            let mut from = 0;
            let shares = destinations.iter().map(|destination| {
                let to = from + u64::from(destination.weight);
                let share = WeightShare {
                    cluster: destination.cluster.clone(),
                    from,
                    to,
                };
                from = to;
                share
            });
            EventKind::WeightDraw {
                draw,
                total: drawn.total,
                shares: shares.collect(),
                chosen: drawn.index,
            }
        });
    }

    pub(super) fn target(&mut self, decision: &Decision<'_>, target: &Target<'_>, service_found: bool) {
        let subject = target
            .destination
            .map_or(decision.origin(), |destination| &destination.origin);
        self.tell("R-DST-3", subject, || EventKind::DestinationResolved {
            cluster: target.name.clone(),
            port: None,
            service_found,
            cluster_found: target.cluster.is_some(),
        });
    }

    /// What follows from a decision: effects, policy, endpoints.
    pub(super) fn outcome(&mut self, decision: &Decision<'_>, request: &Request) {
        if !self.is_recording() {
            return;
        }
        let mut effects = Effects::new();
        decision.effects(request, &mut effects);
        if let (Some(location), Some(code)) = (effects.location(), decision.status()) {
            let location = text_of(location);
            self.tell("R-RD-1", decision.origin(), || EventKind::Redirect {
                location,
                code,
            });
        }
        if matches!(decision.outcome, Outcome::Forward(_) | Outcome::PassThrough(_)) {
            self.rewrites(decision, request, &effects);
        }
        let ops = decision.request_headers().map(|op| (false, op));
        for (response, op) in ops.chain(decision.response_headers().map(|op| (true, op))) {
            let (kind, name, value) = (op.kind, op.name.clone(), op.value.clone());
            self.tell("R-HDR-1", decision.origin(), || EventKind::HeaderOp {
                response,
                kind,
                name,
                value,
            });
        }
        if let Outcome::Forward(target) = &decision.outcome {
            self.forwarding(decision, request);
            self.policy(target);
        }
    }

    fn rewrites(&mut self, decision: &Decision<'_>, request: &Request, effects: &Effects) {
        let rewrite = decision.forward().and_then(|forward| forward.rewrite.as_ref());
        if rewrite.is_some_and(|rewrite| rewrite.path.is_some()) {
            let (before, after) = (text_of(request.target()), text_of(effects.target()));
            self.tell("R-RW-1", decision.origin(), || EventKind::PathRewrite {
                before,
                after,
            });
        }
        let by_destination = decision
            .target()
            .and_then(|target| target.destination?.host.clone());
        let host = rewrite.and_then(|rewrite| rewrite.host.as_ref());
        let level = host.map(|host| host.level).or(by_destination.map(|_| Level::Own));
        if let Some(level) = level {
            let host = text_of(effects.host());
            self.tell("R-HDR-5", decision.origin(), || EventKind::HostRewrite {
                host,
                level,
            });
        }
    }

    fn forwarding(&mut self, decision: &Decision<'_>, request: &Request) {
        let Some(policy) = decision.forward_policy() else {
            return;
        };
        let origin = decision.origin();
        let timeout = policy.timeout;
        let default = Origin::at(At::Default(crate::plan::RuleId::RouteTimeout));
        let by = if timeout.value == Timeout::Disabled && matches!(timeout.level, Level::Default(_)) {
            &default
        } else {
            origin
        };
        self.tell("R-TO-1", by, || EventKind::Timeout {
            timeout: timeout.value,
            level: timeout.level,
        });
        match &policy.retry {
            Some(retry) => self.tell("R-RTY-1", origin, || EventKind::Retry {
                attempts: retry.value.attempts,
                on: retry.value.on.clone(),
                level: retry.level,
            }),
            None => self.tell("R-RTY-2", origin, || EventKind::Retry {
                attempts: 0,
                on: Text::default(),
                level: Level::Own,
            }),
        }
        let draws = request
            .draws()
            .mirrors
            .iter()
            .copied()
            .chain(std::iter::repeat(0));
        for (mirror, draw) in policy.mirrors.iter().zip(draws) {
            let sent = mirror.share.fires(draw);
            self.tell("R-MIR-1", &mirror.origin, || EventKind::Mirror {
                cluster: mirror.cluster.clone(),
                sent,
            });
        }
        for hash in &policy.hash {
            let rule = Origin {
                object: hash.rule.clone(),
                at: At::Object,
            };
            self.tell("R-HASH-1", &rule, || EventKind::HashPolicy {
                key: hash.key.clone(),
                level: hash.level,
            });
        }
    }

    fn policy(&mut self, target: &Target<'_>) {
        let Some(cluster) = target.cluster else { return };
        let policy = &cluster.policy;
        let none = Origin::at(At::Default(crate::plan::RuleId::TrafficPolicy));
        let blocks = [
            (PolicyBlock::LoadBalancer, Some(policy.balancer.level)),
            (PolicyBlock::ConnectionPool, Some(policy.pool.level)),
            (
                PolicyBlock::OutlierDetection,
                policy.outlier.as_ref().map(|outlier| outlier.level),
            ),
            (PolicyBlock::Tls, Some(cluster.tls.level)),
            (
                PolicyBlock::ProxyProtocol,
                policy.proxy_protocol.as_ref().map(|protocol| protocol.level),
            ),
            (
                PolicyBlock::RetryBudget,
                policy.retry_budget.as_ref().map(|budget| budget.level),
            ),
        ];
        for (block, level) in blocks
            .into_iter()
            .filter_map(|(block, level)| Some((block, level?)))
        {
            let subject = match level {
                Level::Mesh | Level::Default(_) => &none,
                _ => cluster.rule.as_ref().unwrap_or(&none),
            };
            self.tell("R-TP-3", subject, || EventKind::TrafficPolicyBlock {
                block,
                level,
                overridden: Box::default(),
                lost_by_port_level: false,
            });
        }
        for group in target.assignment.map_or(&[][..], |assignment| &assignment.groups) {
            self.tell("R-LOC-6", cluster.rule.as_ref().unwrap_or(&none), || {
                EventKind::Locality {
                    locality: group.locality.clone(),
                    priority: group.priority,
                    weight: group.weight,
                    endpoints: group.endpoints.len(),
                }
            });
        }
    }
}

fn foreign_name(route: &Route) -> Text {
    let foreign = route.extras.as_ref().and_then(|extras| extras.foreign.as_ref());
    foreign.map_or_else(Text::default, |parts| parts.name.clone())
}

/// How many of the path test and the conditions fail.
fn failures(route: &Route, view: &RequestView<'_>) -> usize {
    let path = test_path(&route.matcher.path, route.matcher.ignore_case, view.path());
    let conditions = route
        .matcher
        .conditions
        .iter()
        .filter(|condition| test(condition, view) == Truth::No)
        .count();
    usize::from(!path) + conditions
}

/// The first predicate that fails, in the order of evaluation.
fn first_failure(route: &Route, view: &RequestView<'_>) -> Option<FailedPredicate> {
    debug_assert_eq!(test_route(route, view), Truth::No);
    let matcher = &route.matcher;
    if !test_path(&matcher.path, matcher.ignore_case, view.path()) {
        let mut expected = describe_path(&matcher.path);
        if matcher.ignore_case {
            expected.push_str(", any case");
        }
        return Some(FailedPredicate {
            subject: Text::new("path"),
            expected: Text::new(expected),
            actual: Some(text_of(view.path())),
        });
    }
    let failed = matcher
        .conditions
        .iter()
        .find(|condition| test(condition, view) == Truth::No)?;
    Some(describe_failure(failed, view))
}

fn describe_failure(condition: &Condition, view: &RequestView<'_>) -> FailedPredicate {
    match condition {
        Condition::Header(header) => {
            let actual = match view.pseudo(header.name.as_str()) {
                Some(value) => Some(text_of(value)),
                None => joined(view.headers.values(header.name.as_str())),
            };
            let subject = match header.name.as_str() {
                ":method" => "method".to_owned(),
                ":scheme" => "scheme".to_owned(),
                ":authority" => "authority".to_owned(),
                name => format!("header {name}"),
            };
            let mut expected = describe_test(&header.test, header.invert);
            if header.missing == Missing::CountsAsEmpty && actual.is_none() {
                expected.push_str(" (missing counts as empty)");
            }
            FailedPredicate {
                subject: Text::new(subject),
                expected: Text::new(expected),
                actual,
            }
        }
        Condition::Query(query) => FailedPredicate {
            subject: Text::new(format!("query {}", query.name)),
            expected: Text::new(describe_test(&query.test, false)),
            actual: view
                .query()
                .and_then(|q| first_query_value(q, query.name.as_bytes()))
                .map(text_of),
        },
        Condition::Claim(claim) => {
            let path: Vec<&str> = claim.path.iter().map(|name| name.as_str()).collect();
            FailedPredicate {
                subject: Text::new(format!("claim {}", path.join("."))),
                expected: Text::new(describe_text(&claim.test, claim.invert)),
                actual: None,
            }
        }
    }
}

/// All values of a header in one text; `None` for none.
fn joined<'v>(values: impl Iterator<Item = &'v [u8]>) -> Option<Text> {
    let values: Vec<_> = values.map(String::from_utf8_lossy).collect();
    (!values.is_empty()).then(|| Text::new(values.join("`, `")))
}

fn describe_path(path: &PathMatcher) -> String {
    match path {
        PathMatcher::Exact(text) => format!("exactly `{text}`"),
        PathMatcher::Prefix(text) => format!("prefix `{text}`"),
        PathMatcher::PathPrefix(text) => format!("path prefix `{text}`"),
        PathMatcher::Regex(pattern) => format!("regex `{pattern}`"),
    }
}

fn describe_test(test: &Test, invert: bool) -> String {
    match (test, invert) {
        (Test::Present, false) => "any value".to_owned(),
        (Test::Present, true) => "it absent".to_owned(),
        (Test::Text(matcher), invert) => describe_text(matcher, invert),
        (Test::Range { from, to }, invert) => format!("{}a number in {from}..{to}", not(invert)),
        (Test::Never, _) => "what no value can be".to_owned(),
    }
}

fn describe_text(matcher: &TextMatcher, invert: bool) -> String {
    let not = not(invert);
    match &matcher.test {
        TextTest::Exact(text) => format!("{not}`{text}`"),
        TextTest::Prefix(text) => format!("{not}prefix `{text}`"),
        TextTest::Suffix(text) => format!("{not}suffix `{text}`"),
        TextTest::Contains(text) => format!("{not}`{text}` inside"),
        TextTest::Regex(pattern) => format!("{not}regex `{pattern}`"),
    }
}

fn not(invert: bool) -> &'static str {
    if invert { "not " } else { "" }
}

/// What a route demands beside the path, in words; for the route that won.
pub(super) fn describe_conditions(route: &Route) -> String {
    let path = match &route.matcher.path {
        PathMatcher::Prefix(text) if text.as_str() == "/" => None,
        path => Some(describe_path(path)),
    };
    let conditions = route.matcher.conditions.iter().map(|condition| match condition {
        Condition::Header(header) => {
            format!(
                "{} {}",
                header.name.trim_start_matches(':'),
                describe_test(&header.test, header.invert)
            )
        }
        Condition::Query(query) => format!("query {} {}", query.name, describe_test(&query.test, false)),
        Condition::Claim(claim) => {
            let path: Vec<&str> = claim.path.iter().map(|name| name.as_str()).collect();
            format!(
                "claim {} {}",
                path.join("."),
                describe_text(&claim.test, claim.invert)
            )
        }
    });
    let all: Vec<String> = path.into_iter().chain(conditions).collect();
    if all.is_empty() {
        "no condition".to_owned()
    } else {
        all.join(", ")
    }
}
