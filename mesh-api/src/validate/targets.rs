//! What policies are attached to: workloads by labels, or objects by name (A-X-24..26).

use std::collections::BTreeMap;

use super::at::At;
use super::context::Context;
use super::rule::Rule;
use super::shared;
use crate::type_::{PolicyTargetReference, WorkloadSelector};

/// A-X-24: the labels of a selector; what is wrong goes under `rule`.
pub(super) fn selector(context: &mut Context<'_>, rule: &Rule, at: &At<'_>, selector: &WorkloadSelector) {
    let WorkloadSelector { match_labels } = selector;
    let at = at.field("matchLabels");
    shared::selector(context, rule, &at, match_labels);
    warn_of_no_labels(context, rule, &at, match_labels);
}

/// The warning of A-X-23 and A-X-24.
pub(super) fn warn_of_no_labels(
    context: &mut Context<'_>,
    rule: &Rule,
    at: &At<'_>,
    labels: &BTreeMap<String, String>,
) {
    if labels.is_empty() {
        let message = "a selector without labels selects all workloads of the namespace";
        context.warn_with_help(rule, at, message, "name labels, or leave the selector out");
    }
}

/// The three ways in which a policy says what it is for. At most one of them is allowed.
pub(super) struct Targets<'a> {
    pub(super) selector: Option<&'a WorkloadSelector>,
    pub(super) target_ref: Option<&'a PolicyTargetReference>,
    pub(super) target_refs: &'a [PolicyTargetReference],
}

impl Targets<'_> {
    /// A-X-24..26; what is wrong goes under `rule`. `at` is the place of the specification.
    pub(super) fn check(&self, rule: &Rule, at: &At<'_>, context: &mut Context<'_>) {
        let Self {
            selector: by_labels,
            target_ref,
            target_refs,
        } = self;
        let given = [
            ("selector", by_labels.is_some()),
            ("targetRef", target_ref.is_some()),
            ("targetRefs", !target_refs.is_empty()),
        ];
        let mut given = given.iter().filter(|(_, is_set)| *is_set);
        if let (Some((first, _)), Some((second, _))) = (given.next(), given.next()) {
            let message = format!("{first} and {second} exclude each other");
            context.report(rule, &at.field(second), message);
        }
        if let Some(by_labels) = by_labels {
            selector(context, rule, &at.field("selector"), by_labels);
        }
        if let Some(target) = target_ref {
            check_target(rule, target, &at.field("targetRef"), context);
        }
        for (index, target) in target_refs.iter().enumerate() {
            check_target(rule, target, &at.item("targetRefs", index), context);
        }
    }
}

/// A-X-25
fn check_target(rule: &Rule, target: &PolicyTargetReference, at: &At<'_>, context: &mut Context<'_>) {
    let PolicyTargetReference {
        group,
        kind,
        name,
        namespace,
    } = target;
    if name.is_empty() {
        context.report(rule, &at.field("name"), "the name of the target is missing");
    }
    if !namespace.is_empty() {
        let message = format!("a target is in the policy's own namespace, `{namespace}` must not be given");
        context.report_with_help(rule, &at.field("namespace"), message, "remove the namespace");
    }
    let group = if group.is_empty() { "core" } else { group };
    if !ALLOWED.contains(&(group, kind)) {
        let message = format!("the kind `{kind}` of the group `{group}` is no target of policies");
        let help = match ALLOWED.iter().find(|(_, known)| known == kind) {
            Some((group, kind)) => format!("the group of {kind} is `{group}`"),
            None => "Gateway, GatewayClass, Service and ServiceEntry are targets".to_owned(),
        };
        context.report_with_help(rule, &at.field("kind"), message, help);
    }
}

/// Groups and kinds of targets.
const ALLOWED: &[(&str, &str)] = &[
    ("core", "Service"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
    ("networking.istio.io", "ServiceEntry"),
];
