//! Rules on metadata, for all kinds. Each ends the evaluation.

use super::at::At;
use super::context::Context;
use super::rule::rules;
use crate::kind::Kind;

rules! {
    MV_1 "A-MV-1" Error "the annotation `istio.io/dry-run` is for AuthorizationPolicy alone";
    MV_4 "A-MV-4" Error "the annotation `internal.istio.io/webhook-always-reject` asks for a refusal";
    MV_5 "A-MV-5" Error "the annotation `internal.istio.io/parent-namespace` is internal";
    MV_6 "A-MV-6" Error "the annotation `internal.istio.io/parents` is internal";
}

/// Whether the other rules are to be run.
pub(super) fn check(context: &mut Context<'_>) -> bool {
    for (rule, annotation) in [
        (&MV_1, "istio.io/dry-run"),
        (&MV_4, "internal.istio.io/webhook-always-reject"),
        (&MV_5, "internal.istio.io/parent-namespace"),
        (&MV_6, "internal.istio.io/parents"),
    ] {
        // on AuthorizationPolicy the first is allowed; what it may say there (A-MV-2, A-MV-3) is not checked yet
        let allowed = rule == &MV_1 && context.kind() == Kind::AuthorizationPolicy;
        if context.meta.annotation(annotation).is_some() && !allowed {
            let message = format!(
                "the annotation `{annotation}` is not allowed on {}",
                context.kind()
            );
            context.report(
                rule,
                &At::top("metadata").entry("annotations", annotation),
                message,
            );
            return false;
        }
    }
    true
}
