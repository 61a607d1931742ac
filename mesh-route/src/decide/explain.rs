//! Explanations: the events of a decision, and their text.

use std::fmt;

use super::decision::Decision;
use super::owned::OwnedDecision;
use super::request::Request;
use crate::plan::{At, Origin};
use crate::trace::{Event, EventKind, RouteOutcome, Trace};

/// A decision with all that led to it. Prints as text: winners first, then what lost, each with the one reason.
///
/// The data is all there for programs: [`Explanation::decision`], [`Explanation::events`].
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    decision: OwnedDecision,
    /// How the parts were compiled, then how the request was decided.
    events: Vec<Event>,
    has_compile_events: bool,
}

/// A line of an explanation.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What the line is about, e.g. `virtual host`; `won` and `lost` for routes.
    pub label: &'static str,
    /// What happened, with its reason.
    pub text: String,
    /// The object and the place in it, to be shown as a file position.
    pub origin: Origin,
    /// The rule that decided.
    pub rule: &'static str,
}

impl Explanation {
    pub(super) fn new(
        decision: &Decision<'_>,
        request: &Request,
        compile: Option<Trace>,
        run: Trace,
    ) -> Self {
        let has_compile_events = compile.is_some();
        let compiled = compile.map(Trace::into_events).unwrap_or_default();
        // Both passes tell which level gave a block; compile also knows what that level replaced.
        let told = |event: &Event| {
            match &event.kind {
            EventKind::TrafficPolicyBlock { block, .. } => compiled.iter().any(|earlier| {
                matches!(&earlier.kind, EventKind::TrafficPolicyBlock { block: same, .. } if same == block)
            }),
            _ => false,
        }
        };
        let decided: Vec<Event> = run
            .into_events()
            .into_iter()
            .filter(|event| !told(event))
            .collect();
        let events = compiled.into_iter().chain(decided).collect();
        Self {
            decision: decision.to_owned(request),
            events,
            has_compile_events,
        }
    }

    /// The decision.
    pub fn decision(&self) -> &OwnedDecision {
        &self.decision
    }

    /// All events: of compiling the parts, then of deciding the request.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Whether it tells how the parts came to be. A router over an imported plan knows run time only.
    pub fn has_compile_events(&self) -> bool {
        self.has_compile_events
    }

    /// The lines of the text: stage by stage in the order of a request, in each stage the winners first.
    pub fn lines(&self) -> Vec<Line> {
        let mut staged: Vec<(Stage, bool, &Event)> = Vec::with_capacity(self.events.len());
        for event in &self.events {
            let previous = staged
                .last()
                .map_or((Stage::Scope, false), |(stage, loss, _)| (*stage, *loss));
            // A quirk stays with the event that it is about.
            let (stage, loss) = match event.kind {
                EventKind::ConfigQuirk { .. } => previous,
                _ => (Stage::of(&event.kind), event.kind.is_loss()),
            };
            staged.push((stage, loss, event));
        }
        staged.sort_by_key(|(stage, loss, _)| (*stage, *loss)); // stable
        staged
            .into_iter()
            .filter_map(|(stage, _, event)| self.line(stage, event))
            .collect()
    }

    fn line(&self, stage: Stage, event: &Event) -> Option<Line> {
        let (label, text) = match (&event.kind, stage) {
            (EventKind::ConfigQuirk { .. }, _) => ("", format!("quirk {}: {}", event.rule, event.kind)),
            (EventKind::VirtualHostSelected { name, domain, .. }, _) => (
                "virtual host",
                format!("{name}, by domain `{}` ({})", domain.text, form(domain.form)),
            ),
            (
                EventKind::RouteEvaluated {
                    outcome: RouteOutcome::Matched,
                    name,
                },
                _,
            ) => {
                let conditions = self.decision.conditions.as_ref().map_or("", |text| text.as_str());
                (
                    "  won",
                    format!("{}{}  {conditions}", short(&event.subject), quoted(name)),
                )
            }
            (EventKind::RouteEvaluated { outcome, name }, _) => (
                "  lost",
                format!("{}{}  {outcome}", short(&event.subject), quoted(name)),
            ),
            (
                EventKind::DestinationResolved {
                    cluster_found: true,
                    port: None,
                    ..
                },
                _,
            ) => return None,
            (kind, Stage::Routes) if kind.is_loss() => {
                ("  lost", format!("{}  {kind}", short(&event.subject)))
            }
            (kind, _) if kind.is_loss() && event.subject.object.is_some() => {
                (stage.label(), format!("not {}: {kind}", short(&event.subject)))
            }
            (kind, Stage::Rule) => (stage.label(), format!("{}: {kind}", short(&event.subject))),
            (kind, _) => (stage.label(), kind.to_string()),
        };
        let named = text
            .strip_prefix(label)
            .and_then(|rest| rest.strip_prefix(' '))
            .map(str::to_owned);
        let text = named.unwrap_or(text);
        Some(Line {
            label,
            text,
            origin: event.subject.clone(),
            rule: event.rule,
        })
    }
}

/// The stages of a request, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Scope,
    Listener,
    Path,
    VirtualHost,
    Routes,
    Fault,
    Split,
    Destination,
    Rule,
    Policy,
    Forwarding,
    Rewrite,
    Mirror,
    Endpoints,
    Redirect,
}

impl Stage {
    fn of(kind: &EventKind) -> Self {
        match kind {
            EventKind::SidecarSelected { .. }
            | EventKind::SidecarRejected(_)
            | EventKind::ServiceImported { .. }
            | EventKind::ServiceExcluded { .. } => Self::Scope,
            EventKind::ListenerSelected { .. }
            | EventKind::ListenerConflict { .. }
            | EventKind::FilterChainSelected { .. }
            | EventKind::FilterChainRejected { .. }
            | EventKind::ServerSelected { .. }
            | EventKind::ServerRejected(_) => Self::Listener,
            EventKind::PathNormalized { .. } => Self::Path,
            EventKind::VirtualHostSelected { .. } | EventKind::DomainDropped { .. } => Self::VirtualHost,
            EventKind::VirtualServiceConsidered { .. }
            | EventKind::DelegateResolved { .. }
            | EventKind::DelegateDropped { .. }
            | EventKind::RouteSkippedStatic(_)
            | EventKind::RouteEvaluated { .. }
            | EventKind::NoRoute { .. } => Self::Routes,
            EventKind::Fault(_) => Self::Fault,
            EventKind::WeightDraw { .. } | EventKind::ZeroWeightRemoved { .. } => Self::Split,
            EventKind::DestinationResolved { .. } => Self::Destination,
            EventKind::DestinationRuleSelected { .. } | EventKind::DestinationRuleRejected { .. } => {
                Self::Rule
            }
            EventKind::TrafficPolicyBlock { .. } | EventKind::AutoMtls { .. } => Self::Policy,
            EventKind::Timeout { .. } | EventKind::Retry { .. } | EventKind::HashPolicy { .. } => {
                Self::Forwarding
            }
            EventKind::HeaderOp { .. } | EventKind::HostRewrite { .. } | EventKind::PathRewrite { .. } => {
                Self::Rewrite
            }
            EventKind::Mirror { .. } => Self::Mirror,
            EventKind::Locality { .. } => Self::Endpoints,
            EventKind::Redirect { .. } => Self::Redirect,
            EventKind::ConfigQuirk { .. } => Self::Scope,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Listener => "listener",
            Self::Path => "path",
            Self::VirtualHost => "virtual host",
            Self::Routes => "routes",
            Self::Fault => "fault",
            Self::Split => "split",
            Self::Destination => "destination",
            Self::Rule => "rule",
            Self::Policy => "policy",
            Self::Forwarding => "forwarding",
            Self::Rewrite => "rewrite",
            Self::Mirror => "mirror",
            Self::Endpoints => "endpoints",
            Self::Redirect => "redirect",
        }
    }
}

fn form(form: crate::plan::DomainForm) -> &'static str {
    match form {
        crate::plan::DomainForm::Exact => "exact",
        crate::plan::DomainForm::Suffix => "suffix wildcard",
        crate::plan::DomainForm::Prefix => "prefix wildcard",
        crate::plan::DomainForm::Any => "any host",
    }
}

/// Namespace, name and place of an object, without its kind: the label says what it is.
fn short(origin: &Origin) -> String {
    let Some(object) = &origin.object else {
        return origin.to_string();
    };
    let place = origin.at.to_string();
    match origin.at {
        At::Object => format!("{}/{}", object.namespace, object.name),
        _ => format!(
            "{}/{} {}",
            object.namespace,
            object.name,
            place.strip_prefix("spec.").unwrap_or(&place)
        ),
    }
}

fn quoted(name: &str) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!(" \"{name}\"")
    }
}

impl fmt::Display for Explanation {
    /// At most 110 columns; longer text goes on in further lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut previous = "";
        for line in self.lines() {
            let label = if line.label == previous && !line.label.starts_with(' ') {
                ""
            } else {
                line.label
            };
            previous = line.label;
            let indent = if line.label.starts_with(' ') { 9 } else { 14 };
            write_line(f, label, indent, &line.text, line.rule)?;
        }
        if !self.has_compile_events {
            writeln!(f, "{:<14}how the plan was compiled is not known here", "note")?;
        }
        for caveat in &self.decision.caveats {
            writeln!(f, "{:<14}{}: {}", "caveat", caveat.object, caveat.reason)?;
        }
        writeln!(f, "=> {}", self.decision)
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, label: &str, indent: usize, text: &str, rule: &str) -> fmt::Result {
    let width = COLUMNS - indent;
    let mut rows: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        match rows.last_mut() {
            Some(row) if row.is_empty() => row.push_str(word),
            Some(row) if row.chars().count() + 1 + word.chars().count() <= width => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push(word.to_owned()),
        }
    }
    let last = rows.pop().unwrap_or_default();
    let mut label = label;
    for row in rows {
        writeln!(f, "{label:<indent$}{}", row.trim_end())?;
        label = "";
    }
    let room = width.saturating_sub(rule.len() + 2);
    match rule.is_empty() || last.chars().count() > room {
        true if rule.is_empty() => writeln!(f, "{label:<indent$}{}", last.trim_end()),
        true => {
            writeln!(f, "{label:<indent$}{}", last.trim_end())?;
            writeln!(f, "{rule:>COLUMNS$}")
        }
        false => writeln!(f, "{label:<indent$}{last:<room$}  {rule}"),
    }
}

const COLUMNS: usize = 110;
