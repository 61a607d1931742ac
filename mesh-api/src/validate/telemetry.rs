//! Rules of Telemetry (A-TL).

use super::at::At;
use super::cel;
use super::context::Context;
use super::rule::rules;
use super::targets::Targets;
use crate::telemetry::{
    AccessLogging, CustomTag, CustomTagSource, Environment, Literal, LogFilter, MetricMatch, MetricSelector,
    Metrics, MetricsOverrides, ProviderRef, RequestHeader, TagOperation, TagOverride, Telemetry, Tracing,
};

rules! {
    TL_1 "A-TL-1" Error "the object is for workloads by labels without wildcards, or for objects that can be targets" cites "A-X-24" "A-X-25" "A-X-26";
    TL_2 "A-TL-2" Error "a provider has a name";
    TL_4 "A-TL-4" Warning "a tag to change has a name";
    TL_5 "A-TL-5" Error "a tag that is set has a value";
    TL_6 "A-TL-6" Error "a tag that is removed has no value";
    TL_7 "A-TL-7" Error "a custom metric has a name";
    TL_8 "A-TL-8" Warning "there is one entry for traces at most";
    TL_9 "A-TL-9" Warning "traces go to one provider at most";
    TL_10 "A-TL-10" Error "the share of traced requests is 0 to 100 percent";
    TL_11 "A-TL-11" Error "a tag of spans has a name";
    TL_12 "A-TL-12" Error "the source of a tag is not empty";
    TL_13 "A-TL-13" Error "a filter is an expression of CEL";
}

pub(super) fn check(spec: &Telemetry, at: At<'_>, context: &mut Context<'_>) {
    let Telemetry {
        selector,
        target_ref,
        target_refs,
        tracing,
        metrics,
        access_logging,
    } = spec;
    let targets = Targets {
        selector: selector.as_ref(),
        target_ref: target_ref.as_ref(),
        target_refs,
    };
    targets.check(&TL_1, &at, context);
    if tracing.len() > 1 {
        let message = format!("there are {} entries, only the first counts", tracing.len());
        context.report(&TL_8, &at.field("tracing"), message);
    }
    for (index, entry) in tracing.iter().enumerate() {
        check_tracing(entry, &at.item("tracing", index), context);
    }
    for (index, entry) in metrics.iter().enumerate() {
        check_metrics(entry, &at.item("metrics", index), context);
    }
    for (index, entry) in access_logging.iter().enumerate() {
        let AccessLogging {
            matches: _,
            providers,
            disabled: _,
            filter,
        } = entry;
        let at = at.item("accessLogging", index);
        check_providers(providers, &at.field("providers"), context);
        if let Some(LogFilter { expression }) = filter {
            let verdict = cel::check(expression)
                .map_err(|error| format!("`{expression}` is no expression of CEL: {error}"));
            context.check(&TL_13, &at.field("filter").field("expression"), verdict);
        }
    }
}

/// A-TL-2, the first failure only.
fn check_providers(providers: &[ProviderRef], at: &At<'_>, context: &mut Context<'_>) {
    let nameless = providers.iter().position(|ProviderRef { name }| name.is_empty());
    if let Some(index) = nameless {
        let at = at.index(index);
        context.report(&TL_2, &at.field("name"), "the name of the provider is missing");
    }
}

/// A-TL-9..12
fn check_tracing(entry: &Tracing, at: &At<'_>, context: &mut Context<'_>) {
    let Tracing {
        matches: _,
        providers,
        random_sampling_percentage,
        disable_span_reporting: _,
        custom_tags,
        use_request_id_for_trace_sampling: _,
        enable_istio_tags: _,
        disable_context_propagation: _,
    } = entry;
    if providers.len() > 1 {
        let message = format!("there are {} providers, only one is supported", providers.len());
        context.report(&TL_9, &at.field("providers"), message);
    }
    check_providers(providers, &at.field("providers"), context);
    // NaN is out of range (A-WIRE-6)
    if let Some(percent) = random_sampling_percentage.filter(|percent| !(0.0..=100.0).contains(percent)) {
        let message = format!("{percent} is no percentage from 0 to 100");
        context.report(&TL_10, &at.field("randomSamplingPercentage"), message);
    }
    for (name, CustomTag { source }) in custom_tags {
        let at = at.entry("customTags", name);
        if name.is_empty() {
            context.report(&TL_11, &at, "the name of the tag is missing");
        }
        let (at, field, value) = match source {
            Some(CustomTagSource::Literal(Literal { value })) => (at.field("literal"), "value", value),
            Some(CustomTagSource::Environment(Environment {
                name,
                default_value: _,
            })) => (at.field("environment"), "name", name),
            Some(CustomTagSource::Header(RequestHeader {
                name,
                default_value: _,
            })) => (at.field("header"), "name", name),
            Some(CustomTagSource::Formatter(_)) | None => continue, // unchecked by istiod
        };
        if value.is_empty() {
            context.report(&TL_12, &at.field(field), format!("the {field} is missing"));
        }
    }
}

/// A-TL-4..7
fn check_metrics(entry: &Metrics, at: &At<'_>, context: &mut Context<'_>) {
    let Metrics {
        providers,
        overrides,
        reporting_interval: _,
    } = entry;
    check_providers(providers, &at.field("providers"), context);
    for (index, change) in overrides.iter().enumerate() {
        let at = at.item("overrides", index);
        let MetricsOverrides {
            matches,
            disabled: _,
            tag_overrides,
        } = change;
        if let Some(MetricSelector {
            metric_match: Some(MetricMatch::CustomMetric(name)),
            mode: _,
        }) = matches
            && name.is_empty()
        {
            let at = at.field("match");
            context.report(
                &TL_7,
                &at.field("customMetric"),
                "the name of the metric is missing",
            );
        }
        for (name, TagOverride { operation, value }) in tag_overrides {
            let at = at.entry("tagOverrides", name);
            if name.is_empty() {
                context.report(&TL_4, &at, "the name of the tag is missing");
            }
            match operation {
                TagOperation::Upsert if value.is_empty() => {
                    let message = "a tag that is set needs a value";
                    context.report_with_help(
                        &TL_5,
                        &at.field("value"),
                        message,
                        "to remove it set `operation: REMOVE`",
                    );
                }
                TagOperation::Remove if !value.is_empty() => {
                    context.report(&TL_6, &at.field("value"), "a tag that is removed has no value");
                }
                _ => {}
            }
        }
    }
}
