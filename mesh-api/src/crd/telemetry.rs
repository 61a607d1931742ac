//! The schema of Telemetry.

use super::cel::{ONE_TARGET, REMOVE_HAS_NO_VALUE, UPSERT_HAS_VALUE};
use super::rules::CR_32;
use super::schema::{NON_EMPTY, Schema, TEXT, list, map, message, name, number, oneof, optional, required};
use super::shared::{DURATION, OPTIONAL_BOOLEAN, SELECTOR, TARGET_REF, TARGET_REFS};

pub(super) const SPEC: Schema = message(&[
    optional("selector", &SELECTOR),
    optional("targetRef", &TARGET_REF),
    optional("targetRefs", &TARGET_REFS),
    optional("tracing", &list(&TRACING)),
    optional("metrics", &list(&METRICS)),
    optional("accessLogging", &list(&ACCESS_LOGGING)),
])
.checks(&[ONE_TARGET])
.rule(&CR_32);

const MODE: Schema = name(&["CLIENT_AND_SERVER", "CLIENT", "SERVER"]);

const PROVIDERS: Schema = list(&message(&[required("name", &NON_EMPTY)]));

const TRACING: Schema = message(&[
    optional("match", &message(&[optional("mode", &MODE)])),
    optional("providers", &PROVIDERS),
    optional("randomSamplingPercentage", &number(0, Some(100)).nullable()),
    optional("disableSpanReporting", &OPTIONAL_BOOLEAN),
    optional("customTags", &map(&CUSTOM_TAG)),
    optional("useRequestIdForTraceSampling", &OPTIONAL_BOOLEAN),
    optional("enableIstioTags", &OPTIONAL_BOOLEAN),
    optional("disableContextPropagation", &OPTIONAL_BOOLEAN),
]);

const CUSTOM_TAG: Schema = oneof(
    &[
        optional("literal", &VALUE),
        optional("environment", &NAME_WITH_DEFAULT),
        optional("header", &NAME_WITH_DEFAULT),
        optional("formatter", &VALUE),
    ],
    &[&["literal", "environment", "header", "formatter"]],
);

const VALUE: Schema = message(&[required("value", &NON_EMPTY)]);

const NAME_WITH_DEFAULT: Schema = message(&[required("name", &NON_EMPTY), optional("defaultValue", &TEXT)]);

const METRICS: Schema = message(&[
    optional("providers", &PROVIDERS),
    optional(
        "overrides",
        &list(&message(&[
            optional("match", &METRIC_SELECTOR),
            optional("disabled", &OPTIONAL_BOOLEAN),
            optional("tagOverrides", &map(&TAG_OVERRIDE)),
        ])),
    ),
    optional("reportingInterval", &DURATION),
]);

const METRIC_SELECTOR: Schema = oneof(
    &[
        optional(
            "metric",
            &name(&[
                "ALL_METRICS",
                "REQUEST_COUNT",
                "REQUEST_DURATION",
                "REQUEST_SIZE",
                "RESPONSE_SIZE",
                "TCP_OPENED_CONNECTIONS",
                "TCP_CLOSED_CONNECTIONS",
                "TCP_SENT_BYTES",
                "TCP_RECEIVED_BYTES",
                "GRPC_REQUEST_MESSAGES",
                "GRPC_RESPONSE_MESSAGES",
            ]),
        ),
        optional("customMetric", &NON_EMPTY),
        optional("mode", &MODE),
    ],
    &[&["metric", "customMetric"]],
);

const TAG_OVERRIDE: Schema = message(&[
    optional("operation", &name(&["UPSERT", "REMOVE"])),
    optional("value", &TEXT),
])
.checks(&[UPSERT_HAS_VALUE, REMOVE_HAS_NO_VALUE]);

const ACCESS_LOGGING: Schema = message(&[
    optional("match", &message(&[optional("mode", &MODE)])),
    optional("providers", &PROVIDERS),
    optional("disabled", &OPTIONAL_BOOLEAN),
    optional("filter", &message(&[optional("expression", &TEXT)])),
]);
