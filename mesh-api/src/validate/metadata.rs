//! Rules on metadata, for all kinds. Each ends the evaluation.

use super::at::At;
use super::context::Context;
use super::rule::rules;
use crate::kind::Kind;
use crate::security::AuthorizationAction;

rules! {
    MV_1 "A-MV-1" Error "the annotation `istio.io/dry-run` is for AuthorizationPolicy alone";
    MV_2 "A-MV-2" Error "the annotation `istio.io/dry-run` holds true or false";
    MV_3 "A-MV-3" Error "the annotation `istio.io/dry-run` is for ALLOW and DENY";
    MV_4 "A-MV-4" Error "the annotation `internal.istio.io/webhook-always-reject` asks for a refusal";
    MV_5 "A-MV-5" Error "the annotation `internal.istio.io/parent-namespace` is internal";
    MV_6 "A-MV-6" Error "the annotation `internal.istio.io/parents` is internal";
}

const DRY_RUN: &str = "istio.io/dry-run";

/// Whether the other rules are to be run.
pub(super) fn check(context: &mut Context<'_>) -> bool {
    for (rule, annotation) in [
        (&MV_1, DRY_RUN),
        (&MV_4, "internal.istio.io/webhook-always-reject"),
        (&MV_5, "internal.istio.io/parent-namespace"),
        (&MV_6, "internal.istio.io/parents"),
    ] {
        let allowed = annotation == DRY_RUN && context.kind() == Kind::AuthorizationPolicy;
        if context.meta.annotation(annotation).is_some() && !allowed {
            let message = format!(
                "the annotation `{annotation}` is not allowed on {}",
                context.kind()
            );
            let at = At::top("metadata");
            context.report_with_help(rule, &at.entry("annotations", annotation), message, "remove it");
            return false;
        }
    }
    true
}

/// A-MV-2 and A-MV-3, for AuthorizationPolicy; whether the other rules are to be run.
pub(super) fn check_dry_run(action: AuthorizationAction, context: &mut Context<'_>) -> bool {
    let Some(value) = context.meta.annotation(DRY_RUN) else {
        return true;
    };
    let at = At::top("metadata");
    let at = at.entry("annotations", DRY_RUN);
    if !matches!(action, AuthorizationAction::Allow | AuthorizationAction::Deny) {
        let message = format!("dry runs are for ALLOW and DENY, the action is {action}");
        context.report(&MV_3, &at, message);
        return false;
    }
    // what Go reads as a boolean
    let fits = matches!(
        value,
        "1" | "t" | "T" | "true" | "TRUE" | "True" | "0" | "f" | "F" | "false" | "FALSE" | "False"
    );
    if !fits {
        let message = format!("`{value}` is neither true nor false");
        context.report_with_help(&MV_2, &at, message, "write `\"true\"`");
    }
    fits
}
