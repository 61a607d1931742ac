//! A decision, told stage by stage.

use examples::nearest;
use mesh_api::names::Labels;
use mesh_api::{Kind, ObjectKey};
use mesh_route::decide::{Effects, NotFound, RedirectTo, Rejection};
use mesh_route::plan::{AbortStatus, At, Cluster, HeaderOp, HeaderOpKind, Index, Level, Origin, Split};
use mesh_route::{Decision, Explanation, Outcome, Request, Router, Target};
use serde_json::{Map, Value, json};

use crate::answer::{Outcome as Told, Source, Stage, Step};
use crate::places::Places;
use crate::policy;

/// More endpoints than these are counted, not named.
const SHOWN_ENDPOINTS: usize = 8;

/// What is needed to tell a decision.
pub(crate) struct Teller<'a> {
    pub(crate) router: &'a Router,
    pub(crate) request: &'a Request,
    pub(crate) decision: Decision<'a>,
    pub(crate) explanation: &'a Explanation,
    pub(crate) places: &'a Places,
    /// Whether a draw was given; otherwise shares are told in the overview.
    pub(crate) drawn: bool,
}

impl Teller<'_> {
    /// All stages after the entrance, which the caller knows better.
    pub(crate) fn stages(&self) -> Vec<Stage> {
        let mut stages = Vec::new();
        stages.extend(self.rule());
        stages.extend(self.changes());
        if let Some(target) = self.decision.target() {
            stages.push(self.destination(target));
            if let Some(cluster) = target.cluster {
                stages.push(self.destination_rule(cluster));
                stages.push(self.policy(cluster));
                stages.extend(self.endpoints(target, cluster));
            }
        }
        stages.extend(self.mirrors());
        stages.extend(self.caveats());
        stages
    }

    /// The VirtualService's rule, or the default of the service, that took the request.
    fn rule(&self) -> Option<Stage> {
        let route = self.decision.route?;
        let origin = &route.origin;
        let conditions = self
            .explanation
            .decision()
            .conditions
            .as_ref()
            .map_or("", |text| text.as_str());
        let conditions = if conditions.is_empty() {
            "no condition"
        } else {
            conditions
        };
        let name = Some(route.name.as_str()).filter(|name| !name.is_empty());
        let quoted = name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
        let is_virtual_service = origin
            .object
            .as_ref()
            .is_some_and(|object| object.kind == Kind::VirtualService);
        let stage = if is_virtual_service {
            let text = format!("{}  {}{quoted}: {conditions}", object(origin), place(origin));
            Stage::new("virtual service", text, self.places.source(origin))
        } else {
            let text = format!(
                "{}: {conditions}",
                default_route(origin, name.unwrap_or("default"))
            );
            Stage::new("default route", text, self.places.source(origin))
        };
        let virtual_host = self.decision.virtual_host.map(|host| host.name.to_string());
        let domain = self.decision.domain.map(|domain| domain.text.as_str());
        Some(
            stage
                .with("object", object_facts(origin))
                .with("rule", place(origin))
                .with("route", name)
                .with("conditions", conditions)
                .with("virtual_host", virtual_host)
                .with("domain", domain),
        )
    }

    /// What the rule changes about the request and the response.
    fn changes(&self) -> Option<Stage> {
        let mut effects = Effects::new();
        self.decision.effects(self.request, &mut effects);
        let mut parts = Vec::new();
        let mut facts = Map::new();
        if self.decision.target().is_some() {
            let before = text(self.request.target());
            let path = text(effects.target());
            if path != before {
                parts.push(format!("path {before} -> {path}"));
                facts.insert("path".to_owned(), path.into());
            }
            let host = text(effects.host());
            if self.request.authority().map(text).as_ref() != Some(&host) {
                parts.push(format!("host {host}"));
                facts.insert("host".to_owned(), host.into());
            }
        }
        for (of, ops) in [
            ("request", self.decision.request_headers().collect::<Vec<_>>()),
            ("response", self.decision.response_headers().collect::<Vec<_>>()),
        ] {
            parts.extend(
                ops.iter()
                    .map(|op| format!("{} {of} header {}", verb(op.kind), header(op))),
            );
            let ops: Vec<Value> = ops.into_iter().map(header_facts).collect();
            if !ops.is_empty() {
                facts.insert(format!("{of}_headers"), ops.into());
            }
        }
        if let Some(delay) = self.decision.delay {
            parts.push(format!("delayed by {}", policy::duration(delay)));
            facts.insert("delay_seconds".to_owned(), delay.as_secs_f64().into());
        }
        if parts.is_empty() {
            return None;
        }
        let field = if facts.contains_key("path") || facts.contains_key("host") {
            "rewrite"
        } else {
            "headers"
        };
        let source = self.places.of_rule_field(self.decision.origin(), field);
        let mut stage = Stage::new("changes", parts.join(", "), source);
        stage.facts = facts;
        Some(stage)
    }

    fn destination(&self, target: &Target<'_>) -> Stage {
        let (host, port) = (target.host(), target.port());
        let name = if host.is_empty() {
            target.cluster_name().to_string()
        } else {
            format!("{host}:{port}")
        };
        let source = match target.destination {
            Some(destination) => self.places.source(&destination.origin),
            None => self.places.source(&only_destination(self.decision.origin())),
        };
        let mut stage = Stage::new("destination", name, source)
            .with("host", host)
            .with("port", port)
            .with("subset", target.subset());
        if let Some(Split::Weighted(all)) = self.decision.forward().map(|forward| &forward.split) {
            let total: u64 = all.iter().map(|one| u64::from(one.weight)).sum();
            let draw = self.request.draws().weight % total.max(1);
            let shares: Vec<String> = all
                .iter()
                .map(|one| share(&one.cluster, one.weight, total))
                .collect();
            stage = stage.with_line(
                format!("draw {draw} of {total} among {}", shares.join(", ")),
                Source::Unknown,
            );
            let shares: Vec<Value> = all
                .iter()
                .map(|one| json!({ "cluster": one.cluster.to_string(), "weight": one.weight }))
                .collect();
            stage = stage
                .with("draw", draw)
                .with("total", total)
                .with("weights", shares);
        }
        stage
    }

    fn destination_rule(&self, cluster: &Cluster) -> Stage {
        let rule = cluster.rule.as_ref();
        let mut text = rule.map_or_else(|| "none".to_owned(), object);
        let mut source = rule.map_or(Source::Unknown, |rule| self.places.source(rule));
        if let Some(subset) = &cluster.subset {
            text.push_str(&format!(
                "  subset {} {{{}}}",
                subset.name,
                labels(&subset.labels)
            ));
            source = self.places.source(&subset.origin);
        }
        let subset_labels = cluster.subset.as_ref().map(|subset| label_facts(&subset.labels));
        Stage::new("destination rule", text, source)
            .with("object", rule.map_or(Value::Null, object_facts))
            .with(
                "subset",
                cluster.subset.as_ref().map(|subset| subset.name.as_str()),
            )
            .with("labels", subset_labels)
    }

    fn policy(&self, cluster: &Cluster) -> Stage {
        let forward = self.decision.forward_policy();
        let effective = &cluster.policy;
        let levels = [
            Some(effective.pool.level),
            effective.outlier.as_ref().map(|o| o.level),
            Some(effective.balancer.level),
        ];
        let source = levels
            .into_iter()
            .flatten()
            .find_map(|level| self.level_source(cluster, level));
        let of_rule = |level: Level| matches!(level, Level::Own | Level::Root);
        let field = forward.and_then(|policy| match &policy.retry {
            _ if of_rule(policy.timeout.level) => Some("timeout"),
            Some(retry) if of_rule(retry.level) => Some("retries"),
            _ => None,
        });
        let route = field.map_or(Source::Unknown, |field| {
            self.places.of_rule_field(self.decision.origin(), field)
        });
        let mut stage = Stage::new(
            "policy",
            policy::of_cluster(effective),
            source.unwrap_or(Source::Unknown),
        )
        .with_line(policy::of_forwarding(forward, cluster), route);
        stage.facts.extend(policy::facts(forward, cluster));
        stage
    }

    /// Where a block of the cluster's policy is written; `None` where no object says it.
    fn level_source(&self, cluster: &Cluster, level: Level) -> Option<Source> {
        let rule = cluster.rule.as_ref()?;
        let subset = || match &cluster.subset.as_ref()?.origin.at {
            At::Subset(at) => Some(Index::some(usize::from(*at))),
            _ => None,
        };
        let at = match level {
            Level::Top | Level::Port => At::TrafficPolicy {
                subset: Index::NONE,
                port: Index::NONE,
            },
            Level::Subset | Level::SubsetPort => At::TrafficPolicy {
                subset: subset()?,
                port: Index::NONE,
            },
            _ => return None,
        };
        Some(self.places.source(&rule.moved(at)))
    }

    fn endpoints(&self, target: &Target<'_>, cluster: &Cluster) -> Option<Stage> {
        if !cluster.has_endpoints() {
            return None;
        }
        let all: Vec<_> = target.endpoints().collect();
        let of_service = self
            .router
            .plan()
            .endpoints(&cluster.name.with_subset(None))
            .map_or(all.len(), |assignment| assignment.endpoints().count());
        let shown: Vec<String> = all
            .iter()
            .take(SHOWN_ENDPOINTS)
            .map(|one| one.endpoint.to_string())
            .collect();
        let text = match all.len().saturating_sub(SHOWN_ENDPOINTS) {
            _ if all.is_empty() => "none".to_owned(),
            0 => shown.join("  "),
            more => format!("{}  and {more} more", shown.join("  ")),
        };
        let counted = format!("{} of {of_service}", all.len());
        Some(
            Stage::new("endpoints", text, Source::Built(counted))
                .with(
                    "endpoints",
                    all.iter()
                        .map(|one| policy::endpoint_facts(one))
                        .collect::<Vec<_>>(),
                )
                .with("of", of_service),
        )
    }

    fn mirrors(&self) -> Option<Stage> {
        let mirrors: Vec<String> = self
            .decision
            .mirrors(self.request)
            .map(ToString::to_string)
            .collect();
        let source = self.places.of_rule_field(self.decision.origin(), "mirror");
        (!mirrors.is_empty())
            .then(|| Stage::new("mirror", mirrors.join(", "), source).with("clusters", mirrors.clone()))
    }

    fn caveats(&self) -> Option<Stage> {
        let caveats: Vec<String> = self
            .decision
            .caveats
            .iter()
            .map(|caveat| format!("{}: {}", caveat.object, caveat.reason))
            .collect();
        (!caveats.is_empty()).then(|| {
            Stage::new("caveat", caveats.join("; "), Source::Unknown).with("caveats", caveats.clone())
        })
    }

    /// What comes of the request.
    pub(crate) fn outcome(&self) -> Told {
        let by = match self.decision.route.map(|route| &route.origin) {
            Some(origin) if origin.object.is_some() => {
                let place = place(origin);
                format!(
                    "{}{}{place}",
                    object(origin),
                    if place.is_empty() { "" } else { " " }
                )
            }
            _ => String::new(),
        };
        let mut facts = Map::new();
        facts.insert("status".to_owned(), self.decision.status().into());
        let target = self.decision.target();
        facts.insert(
            "cluster".to_owned(),
            target.map(|target| target.cluster_name().to_string()).into(),
        );
        let (kind, text, short) = self.outcome_text(&mut facts);
        Told {
            kind,
            short: short.unwrap_or_else(|| text.clone()),
            text,
            by,
            facts,
        }
    }

    fn outcome_text(&self, facts: &mut Map<String, Value>) -> (&'static str, String, Option<String>) {
        match &self.decision.outcome {
            Outcome::Forward(target) => (
                "forward",
                target.cluster_name().to_string(),
                Some(self.short_target(target)),
            ),
            Outcome::Tcp(target) => (
                "tcp",
                format!("{}, as bytes: requests are not looked at", target.cluster_name()),
                None,
            ),
            Outcome::PassThrough(target) => {
                let text = format!("{}, to where the client wants to go", target.cluster_name());
                ("pass_through", text, None)
            }
            Outcome::BlackHole => (
                "black_hole",
                "dropped (502): the mesh allows known hosts only".to_owned(),
                None,
            ),
            Outcome::Redirect(redirect) => {
                let mut effects = Effects::new();
                self.decision.effects(self.request, &mut effects);
                let location = text(effects.location().unwrap_or_default());
                let code = match redirect {
                    RedirectTo::Route(redirect) => redirect.code,
                    RedirectTo::Tls => 301,
                };
                facts.insert("location".to_owned(), location.clone().into());
                ("redirect", format!("{code}, {location}"), None)
            }
            Outcome::Respond(response) => {
                let body = response.body.as_deref().map(text);
                facts.insert("body".to_owned(), body.clone().into());
                let shown = body.map(|body| format!(", {body:?}")).unwrap_or_default();
                ("respond", format!("{}{shown}", response.status), None)
            }
            Outcome::Preflight { allowed, .. } => {
                let what = if *allowed { "allowed" } else { "not allowed" };
                (
                    "preflight",
                    format!("200, a preflight of an origin that is {what}"),
                    None,
                )
            }
            Outcome::Fault(AbortStatus::Http(status)) => {
                ("fault", format!("{status}, an injected fault"), None)
            }
            Outcome::Fault(AbortStatus::Grpc(status)) => {
                ("fault", format!("gRPC status {status}, an injected fault"), None)
            }
            Outcome::NotFound(NotFound::VirtualHost) => (
                "not_found",
                format!("404, no virtual host for `{}`", self.authority()),
                None,
            ),
            Outcome::NotFound(NotFound::Route) => ("not_found", format!("404, {}", self.no_route()), None),
            Outcome::Unavailable(unavailable) => {
                let why = match unavailable.target.as_ref() {
                    None => "no cluster is named".to_owned(),
                    Some(target) if target.cluster.is_none() => {
                        format!("{} does not exist", target.cluster_name())
                    }
                    Some(target) => format!("{} has no healthy endpoint", target.cluster_name()),
                };
                ("unavailable", format!("{}, {why}", unavailable.status), None)
            }
            Outcome::Rejected(Rejection::NoAuthority) => {
                ("rejected", "400, there is no host".to_owned(), None)
            }
            Outcome::Rejected(Rejection::BadPath) => {
                ("rejected", "400, the path holds `%00`".to_owned(), None)
            }
            Outcome::Rejected(Rejection::BadTarget) => {
                ("rejected", "400, the target is no path".to_owned(), None)
            }
            Outcome::NoAction => ("no_action", "the route does nothing".to_owned(), None),
            Outcome::Closed => (
                "closed",
                format!(
                    "no connection: nothing listens on port {}",
                    self.request.destination().port
                ),
                None,
            ),
            Outcome::Undecided(_) => (
                "undecided",
                "undecided: an imported part is not understood".to_owned(),
                None,
            ),
            _ => ("other", format!("{:?}", self.decision.outcome), None),
        }
    }

    /// Subsets with their shares, or the subset or service.
    fn short_target(&self, target: &Target<'_>) -> String {
        match self.decision.forward().map(|forward| &forward.split) {
            Some(Split::Weighted(all)) if !self.drawn => {
                let total: u64 = all.iter().map(|one| u64::from(one.weight)).sum();
                let shares: Vec<String> = all
                    .iter()
                    .map(|one| share(&one.cluster, one.weight, total))
                    .collect();
                shares.join(", ")
            }
            _ => target
                .subset()
                .map_or_else(|| target.cluster_name().to_string(), str::to_owned),
        }
    }

    /// Whose routes were tried in vain.
    fn no_route(&self) -> String {
        let Some(host) = self.decision.virtual_host else {
            return "no route matches".to_owned();
        };
        let mut objects: Vec<String> = host
            .routes
            .iter()
            .map(|route| &route.origin)
            .filter(|origin| origin.object.is_some())
            .map(object)
            .collect();
        objects.sort();
        objects.dedup();
        match objects.is_empty() {
            true => format!("no route of {} matches", host.name),
            false => format!("no route of {} matches", objects.join(" or ")),
        }
    }

    fn authority(&self) -> String {
        self.request.authority().map(text).unwrap_or_default()
    }

    /// What a destination that does not exist may have been meant to be.
    pub(crate) fn hint(&self) -> Option<String> {
        let target = self.decision.target().filter(|target| target.cluster.is_none())?;
        let (name, plan) = (target.cluster_name(), self.router.plan());
        let Some(service) = plan.clusters.get(name.host()) else {
            let hosts: Vec<&str> = plan.clusters.iter().map(|(host, _)| host.as_str()).collect();
            let near = nearest(name.host().as_str(), hosts.iter().copied());
            let meant = near
                .map(|near| format!(": did you mean `{near}`?"))
                .unwrap_or_default();
            return Some(format!("no service `{}` is in reach{meant}", name.host()));
        };
        let Some(port) = service.ports.iter().find(|port| port.port == name.port()) else {
            let ports: Vec<String> = service.ports.iter().map(|port| port.port.to_string()).collect();
            return Some(format!(
                "{} has no port {}, it has {}",
                name.host(),
                name.port(),
                ports.join(", ")
            ));
        };
        let wanted = name.subset()?;
        let subsets: Vec<&str> = port
            .subsets
            .iter()
            .filter_map(|cluster| cluster.name.subset())
            .map(|it| it.as_str())
            .collect();
        let near = nearest(wanted.as_str(), subsets.iter().copied());
        Some(match (near, subsets.is_empty()) {
            (Some(near), _) => format!("{} has no subset `{wanted}`: did you mean `{near}`?", name.host()),
            (None, false) => format!(
                "{} has no subset `{wanted}`, it has {}",
                name.host(),
                subsets.join(", ")
            ),
            (None, true) => format!(
                "{} has no subset `{wanted}`: no DestinationRule gives it one",
                name.host()
            ),
        })
    }

    /// The explanation, line by line.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let lines = self.explanation.lines().into_iter();
        lines
            .map(|line| Step {
                label: line.label,
                text: line.text,
                rule: line.rule,
                source: self.places.source(&line.origin),
                subject: line.origin.to_string(),
            })
            .collect()
    }
}

/// `namespace/name` of the object; what is built in says so itself.
pub(crate) fn object(origin: &Origin) -> String {
    match &origin.object {
        Some(key) => short_key(key),
        None => origin.to_string(),
    }
}

pub(crate) fn short_key(key: &ObjectKey) -> String {
    if key.namespace.is_empty() {
        key.name.to_string()
    } else {
        format!("{}/{}", key.namespace, key.name)
    }
}

/// The place in the object, without `spec.`.
fn place(origin: &Origin) -> String {
    let entry = match origin.at {
        At::Object => return String::new(),
        // Which match of the entry it was is told by the conditions.
        At::HttpRule { entry, .. } => At::HttpRule {
            entry,
            matching: Index::NONE,
        },
        other => other,
    };
    let text = entry.to_string();
    text.strip_prefix("spec.").unwrap_or(&text).to_owned()
}

fn default_route(origin: &Origin, name: &str) -> String {
    match &origin.object {
        Some(key) => format!(
            "{} {} has no rule here, route \"{name}\"",
            key.kind,
            short_key(key)
        ),
        None => format!("{origin}, route \"{name}\""),
    }
}

/// A destination that stands alone in its entry.
fn only_destination(origin: &Origin) -> Origin {
    match origin.at {
        At::HttpRule { entry, .. } => origin.moved(At::HttpDestination {
            entry,
            destination: 0,
        }),
        _ => origin.clone(),
    }
}

fn share(cluster: &mesh_route::plan::ClusterName, weight: u32, total: u64) -> String {
    let name = cluster
        .subset()
        .map_or_else(|| cluster.host().to_string(), ToString::to_string);
    let percent = f64::from(weight) * 100.0 / (total.max(1) as f64);
    // One decimal is enough, and none for whole numbers.
    let percent = (percent * 10.0).round() / 10.0;
    format!("{name} {percent} %")
}

fn verb(kind: HeaderOpKind) -> &'static str {
    match kind {
        HeaderOpKind::Remove => "remove",
        HeaderOpKind::Set => "set",
        HeaderOpKind::Add => "add",
    }
}

fn header(op: &HeaderOp) -> String {
    match op.kind {
        HeaderOpKind::Remove => op.name.to_string(),
        HeaderOpKind::Set | HeaderOpKind::Add => format!("{}: {}", op.name, op.value),
    }
}

fn header_facts(op: &HeaderOp) -> Value {
    json!({ "operation": verb(op.kind), "name": op.name.as_str(), "value": op.value.as_str() })
}

fn object_facts(origin: &Origin) -> Value {
    match &origin.object {
        Some(key) => json!({
            "kind": key.kind.to_string(), "namespace": key.namespace.as_str(), "name": key.name.as_str(),
        }),
        None => Value::Null,
    }
}

fn labels(labels: &Labels) -> String {
    labels
        .iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn label_facts(labels: &Labels) -> Map<String, Value> {
    labels
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string().into()))
        .collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
