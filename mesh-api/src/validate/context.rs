//! What validators share: the object's surroundings, and where findings go.

use super::at::At;
use super::{Rule, Semantics, ValidateOptions};
use crate::codec::{Profile, suggest};
use crate::meta::ObjectMeta;
use crate::object::ObjectKey;
use crate::report::{Collector, Report, Severity};

pub(super) struct Context<'a> {
    pub(super) meta: &'a ObjectMeta,
    pub(super) options: &'a ValidateOptions,
    key: ObjectKey,
    collector: Collector,
    /// Depth of parts whose warnings upstream drops.
    silent: u32,
    /// The rule that cites those of the part that is checked now.
    citing: Option<&'static Rule>,
}

impl<'a> Context<'a> {
    pub(super) fn new(key: ObjectKey, meta: &'a ObjectMeta, options: &'a ValidateOptions) -> Self {
        Self {
            meta,
            options,
            collector: Collector::new(Some(key.clone())),
            key,
            silent: 0,
            citing: None,
        }
    }

    /// The object's namespace, or the default one.
    pub(super) fn namespace(&self) -> String {
        let namespace = match self.key.namespace.is_empty() {
            true => &self.options.default_namespace,
            false => &self.key.namespace,
        };
        namespace.as_str().to_owned()
    }

    pub(super) fn kind(&self) -> crate::kind::Kind {
        self.key.kind.clone()
    }

    /// Whether upstream's plain defects are mended.
    pub(super) fn is_strict(&self) -> bool {
        self.options.profile == Profile::Strict
    }

    /// Whether the object was made from Gateway API resources (A-MV-7).
    pub(super) fn gateway_api(&self, annotation: &str) -> bool {
        let annotated = || self.meta.annotation(annotation) == Some("gateway");
        // quirk A-MV-7: anybody may write the annotation
        self.options.semantics == Semantics::GatewayApi || (!self.is_strict() && annotated())
    }

    /// Notes a violation with the rule's own severity.
    pub(super) fn report(&mut self, rule: &Rule, at: &At<'_>, message: impl Into<String>) {
        self.note(rule, rule.severity, at, message.into(), None);
    }

    /// The same with a proposal.
    pub(super) fn report_with_help(
        &mut self,
        rule: &Rule,
        at: &At<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.note(rule, rule.severity, at, message.into(), Some(help.into()));
    }

    /// The same with the nearest of the names that would fit, if one is near.
    pub(super) fn report_with_suggestion(
        &mut self,
        rule: &Rule,
        at: &At<'_>,
        message: impl Into<String>,
        written: &str,
        candidates: &[&str],
    ) {
        let nearest = suggest::field(written, candidates.iter().copied());
        let help = nearest.map(|name| format!("did you mean `{name}`?"));
        self.note(rule, rule.severity, at, message.into(), help);
    }

    /// Notes an error of a rule whose findings are warnings elsewhere.
    pub(super) fn error(&mut self, rule: &Rule, at: &At<'_>, message: impl Into<String>) {
        self.note(rule, Severity::Error, at, message.into(), None);
    }

    /// Notes a warning of a rule that also has errors.
    pub(super) fn warn(&mut self, rule: &Rule, at: &At<'_>, message: impl Into<String>) {
        self.note(rule, Severity::Warning, at, message.into(), None);
    }

    /// The same with a proposal.
    pub(super) fn warn_with_help(
        &mut self,
        rule: &Rule,
        at: &At<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.note(rule, Severity::Warning, at, message.into(), Some(help.into()));
    }

    /// Notes the error of a helper under the rule that cites it.
    pub(super) fn check<E: std::fmt::Display>(
        &mut self,
        rule: &Rule,
        at: &At<'_>,
        verdict: Result<(), E>,
    ) -> bool {
        match verdict {
            Ok(()) => true,
            Err(error) => {
                self.report(rule, at, error.to_string());
                false
            }
        }
    }

    /// Runs a part whose warnings upstream drops (quirk A-GEN-6); `Strict` reports them.
    pub(super) fn without_warnings(&mut self, part: impl FnOnce(&mut Self)) {
        self.silent += 1;
        part(self);
        self.silent -= 1;
    }

    /// Runs a part under a rule that cites others: findings have its id, and the cited one behind the message. Those of a
    /// rule that only warns are warnings.
    pub(super) fn citing(&mut self, rule: &'static Rule, part: impl FnOnce(&mut Self)) {
        let outer = self.citing.replace(rule);
        part(self);
        self.citing = outer;
    }

    /// Drops the warnings so far, as upstream does where an error ends the evaluation (A-GEN-6).
    pub(super) fn stop(&mut self) {
        if !self.is_strict() {
            self.collector.drop_warnings();
        }
    }

    pub(super) fn into_report(self) -> Report {
        self.collector.into_report()
    }

    fn note(&mut self, rule: &Rule, severity: Severity, at: &At<'_>, message: String, help: Option<String>) {
        let (code, severity, message) = match self.citing {
            None => (rule.code, severity, message),
            Some(citing) => {
                let message = format!("{message} ({})", rule.code);
                (citing.code, severity.min(citing.severity), message)
            }
        };
        if severity == Severity::Error || self.silent == 0 || self.is_strict() {
            let raised = severity == Severity::Warning && self.is_strict() && self.options.warnings_as_errors;
            let severity = if raised { Severity::Error } else { severity };
            self.collector
                .push(code, severity, &at.path(), one_line(message), help);
        }
    }
}

/// Escapes what would break the line of a message; user text may hold it.
fn one_line(message: String) -> String {
    if !message.contains(char::is_control) {
        return message;
    }
    let mut escaped = String::with_capacity(message.len());
    for c in message.chars() {
        match c.is_control() {
            true => escaped.extend(c.escape_default()),
            false => escaped.push(c),
        }
    }
    escaped
}
