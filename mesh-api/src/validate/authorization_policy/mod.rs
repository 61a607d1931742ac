//! Rules of AuthorizationPolicy (A-AP).

mod condition;
mod operation;
mod source;

use super::at::At;
use super::context::Context;
use super::metadata;
use super::rule::rules;
use super::targets::Targets;
use crate::security::{
    AuthorizationAction, AuthorizationPolicy, Condition, ExtensionProviderRef, Operation, Rule as PolicyRule,
    RuleFrom, RuleTo, Source,
};

rules! {
    AP_1 "A-AP-1" Error "the policy is for workloads by labels without wildcards, or for objects that can be targets" cites "A-X-24" "A-X-25" "A-X-26";
    AP_2 "A-AP-2" Error "CUSTOM has rules that say what it is asked about";
    AP_3 "A-AP-3" Error "CUSTOM names its provider";
    AP_4 "A-AP-4" Error "CUSTOM does not go by identities of the peer or the token";
    AP_5 "A-AP-5" Error "CUSTOM has no conditions on identities of the peer or the token";
    AP_6 "A-AP-6" Error "only CUSTOM has a provider";
    AP_7 "A-AP-7" Error "DENY has rules that say what is denied";
    AP_10 "A-AP-10" Error "an element of from has a source";
    AP_11 "A-AP-11" Error "service accounts exclude principals and namespaces";
    AP_12 "A-AP-12" Error "a source says something";
    AP_13 "A-AP-13" Error "an address block is an IP address or range" cites "A-X-10";
    AP_14 "A-AP-14" Error "the values of a source are not empty";
    AP_15 "A-AP-15" Error "there are 16 service accounts at most";
    AP_16 "A-AP-16" Error "a service account has no wildcard";
    AP_17 "A-AP-17" Error "a service account is `name` or `namespace/name`";
    AP_18 "A-AP-18" Error "a service account has at most 320 bytes";
    AP_19 "A-AP-19" Error "a trust domain has one wildcard at most, at an end, and no slash";
    AP_20 "A-AP-20" Error "an element of to has an operation";
    AP_21 "A-AP-21" Error "an operation says something";
    AP_22 "A-AP-22" Error "a port is a decimal number up to 65535";
    AP_23 "A-AP-23" Error "the values of an operation are not empty";
    AP_24 "A-AP-24" Error "`{**}` is the last operator of a path";
    AP_25 "A-AP-25" Error "braces in a path are the operators `{*}` and `{**}`, each a whole segment";
    AP_26 "A-AP-26" Error "the segments beside operators hold characters of paths alone";
    AP_27 "A-AP-27" Error "a condition names an attribute";
    AP_28 "A-AP-28" Error "a condition has values";
    AP_29 "A-AP-29" Error "the values of a condition are not empty";
    AP_30 "A-AP-30" Error "an attribute with entries names the entry as `attribute[entry]`";
    AP_31 "A-AP-31" Error "the values of an address attribute are IP addresses or ranges" cites "A-X-10";
    AP_32 "A-AP-32" Error "the values of `destination.port` are ports";
    AP_33 "A-AP-33" Error "the values of identity attributes have the form of the fields of a source";
    AP_34 "A-AP-34" Error "attributes that were replaced by fields are not used";
    AP_35 "A-AP-35" Error "the attribute is known";
    AP_36 "A-AP-36" Warning "DENY by properties of HTTP alone denies all TCP traffic";
}

pub(super) fn check(spec: &AuthorizationPolicy, at: At<'_>, context: &mut Context<'_>) {
    let AuthorizationPolicy {
        selector,
        target_ref,
        target_refs,
        rules,
        action,
        provider,
    } = spec;
    if !metadata::check_dry_run(*action, context) {
        return;
    }
    let targets = Targets {
        selector: selector.as_ref(),
        target_ref: target_ref.as_ref(),
        target_refs,
    };
    targets.check(&AP_1, &at, context);
    match action {
        AuthorizationAction::Custom => check_custom(spec, &at, context),
        _ if provider.is_some() => {
            let message = format!("only CUSTOM has a provider, the action is {action}");
            context.report_with_help(&AP_6, &at.field("provider"), message, "set `action: CUSTOM`");
        }
        _ => {}
    }
    if *action == AuthorizationAction::Deny && rules.is_empty() {
        let message = "DENY without rules never denies anything";
        context.report_with_help(&AP_7, &at.field("rules"), message, EMPTY_RULE);
    }
    for (index, rule) in rules.iter().enumerate() {
        check_rule(rule, *action, &at.item("rules", index), context);
    }
}

const EMPTY_RULE: &str = "add an empty rule `{}` to have it for every request";

fn check_rule(rule: &PolicyRule, action: AuthorizationAction, at: &At<'_>, context: &mut Context<'_>) {
    let PolicyRule { from, to, when } = rule;
    for (index, RuleFrom { source }) in from.iter().enumerate() {
        let at = at.item("from", index);
        match source {
            Some(source) => source::check(source, &at.field("source"), context),
            None => context.report(&AP_10, &at.field("source"), "the source is missing"),
        }
    }
    for (index, RuleTo { operation }) in to.iter().enumerate() {
        let at = at.item("to", index);
        match operation {
            Some(operation) => operation::check(operation, &at.field("operation"), context),
            None => context.report(&AP_20, &at.field("operation"), "the operation is missing"),
        }
    }
    for (index, condition) in when.iter().enumerate() {
        condition::check(condition, &at.item("when", index), context);
    }
    if action == AuthorizationAction::Deny && denies_all_tcp(rule) {
        let message = "connections that are not HTTP have none of these properties, and are all denied";
        context.report_with_help(&AP_36, at, message, "add ports to the operations of the rule");
    }
}

/// A-AP-2..5
fn check_custom(spec: &AuthorizationPolicy, at: &At<'_>, context: &mut Context<'_>) {
    if spec.rules.is_empty() {
        let message = "CUSTOM without rules never asks its provider";
        context.report_with_help(&AP_2, &at.field("rules"), message, EMPTY_RULE);
    } else if !matches!(&spec.provider, Some(ExtensionProviderRef { name }) if !name.is_empty()) {
        let at = at.field("provider");
        context.report(&AP_3, &at.field("name"), "the name of the provider is missing");
    }
    for (index, rule) in spec.rules.iter().enumerate() {
        let at = at.item("rules", index);
        for (index, RuleFrom { source }) in rule.from.iter().enumerate() {
            let at = at.item("from", index);
            let identities = source.iter().flat_map(source::identities);
            for (field, _) in identities.filter(|(_, values)| !values.is_empty()) {
                let message = format!("{field} is not supported with CUSTOM");
                context.report(&AP_4, &at.field("source").field(field), message);
            }
        }
        for (index, condition) in rule.when.iter().enumerate() {
            let key = condition.key.as_str();
            let by_peer = matches!(
                key,
                "source.namespace" | "source.principal" | "source.serviceAccount" | "source.trustDomain"
            );
            if by_peer || key.starts_with("request.auth.") {
                let message = format!("conditions on `{key}` are not supported with CUSTOM");
                context.report(&AP_5, &at.item("when", index).field("key"), message);
            }
        }
    }
}

/// A-AP-36
fn denies_all_tcp(rule: &PolicyRule) -> bool {
    let mut sources = rule.from.iter().filter_map(|from| from.source.as_ref());
    let mut operations = rule.to.iter().filter_map(|to| to.operation.as_ref());
    let by_peer = sources.any(source::knows_tcp);
    let by_port = operations.any(|operation| !operation.ports.is_empty() || !operation.not_ports.is_empty());
    (!rule.from.is_empty() && rule.to.is_empty() && !by_peer) || (!rule.to.is_empty() && !by_port)
}
