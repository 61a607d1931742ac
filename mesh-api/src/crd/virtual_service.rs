//! The schema of VirtualService.

use super::rules::CR_28;
use super::schema::{
    BASE64, BOOLEAN, I32, NUMBER, Schema, TEXT, TEXT_MAP, TEXTS, U32, list, map, message, name, oneof,
    optional, required,
};
use super::shared::{DESTINATION, DURATION, OPTIONAL_BOOLEAN, OPTIONAL_U32};

pub(super) const SPEC: Schema = message(&[
    optional("hosts", &TEXTS),
    optional("gateways", &TEXTS),
    optional("http", &list(&HTTP_ROUTE)),
    optional("tls", &list(&TLS_ROUTE)),
    optional("tcp", &list(&TCP_ROUTE)),
    optional("exportTo", &TEXTS),
])
.rule(&CR_28);

const HTTP_ROUTE: Schema = message(&[
    optional("name", &TEXT),
    optional("match", &list(&HTTP_MATCH)),
    optional("route", &list(&HTTP_DESTINATION)),
    optional("redirect", &REDIRECT),
    optional("directResponse", &DIRECT_RESPONSE),
    optional(
        "delegate",
        &message(&[optional("name", &TEXT), optional("namespace", &TEXT)]),
    ),
    optional("rewrite", &REWRITE),
    optional("timeout", &DURATION),
    optional("retries", &RETRIES),
    optional("fault", &FAULT),
    optional("mirror", &DESTINATION),
    optional(
        "mirrors",
        &list(&message(&[
            required("destination", &DESTINATION),
            optional("percentage", &PERCENT),
        ])),
    ),
    optional("mirrorPercent", &OPTIONAL_U32),
    // one of the two names in the CRDs that are not in camelCase
    optional("mirror_percent", &OPTIONAL_U32),
    optional("mirrorPercentage", &PERCENT),
    optional("corsPolicy", &CORS_POLICY),
    optional("headers", &HEADERS),
]);

const HTTP_MATCH: Schema = message(&[
    optional("name", &TEXT),
    optional("uri", &STRING_MATCH),
    optional("scheme", &STRING_MATCH),
    optional("method", &STRING_MATCH),
    optional("authority", &STRING_MATCH),
    optional("headers", &map(&STRING_MATCH)),
    optional("port", &U32),
    optional("sourceLabels", &TEXT_MAP),
    optional("gateways", &TEXTS),
    optional("queryParams", &map(&STRING_MATCH)),
    optional("ignoreUriCase", &BOOLEAN),
    optional("withoutHeaders", &map(&STRING_MATCH)),
    optional("sourceNamespace", &TEXT),
    optional("statPrefix", &TEXT),
]);

const STRING_MATCH: Schema = oneof(
    &[
        optional("exact", &TEXT),
        optional("prefix", &TEXT),
        optional("regex", &TEXT),
    ],
    &[&["exact", "prefix", "regex"]],
);

const HTTP_DESTINATION: Schema = message(&[
    required("destination", &DESTINATION),
    optional("weight", &I32),
    optional("headers", &HEADERS),
]);

const HEADERS: Schema = message(&[
    optional("request", &HEADER_OPERATIONS),
    optional("response", &HEADER_OPERATIONS),
]);

const HEADER_OPERATIONS: Schema = message(&[
    optional("set", &TEXT_MAP),
    optional("add", &TEXT_MAP),
    optional("remove", &TEXTS),
]);

const REDIRECT: Schema = oneof(
    &[
        optional("uri", &TEXT),
        optional("authority", &TEXT),
        optional("port", &U32),
        optional(
            "derivePort",
            &name(&["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"]),
        ),
        optional("scheme", &TEXT),
        optional("redirectCode", &U32),
        optional("prefixRewrite", &TEXT),
    ],
    &[&["port", "derivePort"]],
);

const DIRECT_RESPONSE: Schema = message(&[
    required("status", &U32),
    optional(
        "body",
        &oneof(
            &[optional("string", &TEXT), optional("bytes", &BASE64)],
            &[&["string", "bytes"]],
        ),
    ),
]);

const REWRITE: Schema = message(&[
    optional("uri", &TEXT),
    optional("authority", &TEXT),
    optional(
        "uriRegexRewrite",
        &message(&[optional("match", &TEXT), optional("rewrite", &TEXT)]),
    ),
]);

const RETRIES: Schema = message(&[
    optional("attempts", &I32),
    optional("perTryTimeout", &DURATION),
    optional("retryOn", &TEXT),
    optional("retryRemoteLocalities", &OPTIONAL_BOOLEAN),
    optional("retryIgnorePreviousHosts", &OPTIONAL_BOOLEAN),
    optional("backoff", &DURATION),
]);

const FAULT: Schema = message(&[
    optional(
        "delay",
        &oneof(
            &[
                optional("percent", &I32),
                optional("fixedDelay", &DURATION),
                optional("exponentialDelay", &DURATION),
                optional("percentage", &PERCENT),
            ],
            &[&["fixedDelay", "exponentialDelay"]],
        ),
    ),
    optional(
        "abort",
        &oneof(
            &[
                optional("httpStatus", &I32),
                optional("grpcStatus", &TEXT),
                optional("http2Error", &TEXT),
                optional("percentage", &PERCENT),
            ],
            &[&["httpStatus", "grpcStatus", "http2Error"]],
        ),
    ),
]);

const CORS_POLICY: Schema = message(&[
    optional("allowOrigin", &TEXTS),
    optional("allowOrigins", &list(&STRING_MATCH)),
    optional("allowMethods", &TEXTS),
    optional("allowHeaders", &TEXTS),
    optional("exposeHeaders", &TEXTS),
    optional("maxAge", &DURATION),
    optional("allowCredentials", &OPTIONAL_BOOLEAN),
    optional(
        "unmatchedPreflights",
        &name(&["UNSPECIFIED", "FORWARD", "IGNORE"]),
    ),
]);

const PERCENT: Schema = message(&[optional("value", &NUMBER)]);

const TLS_ROUTE: Schema = message(&[
    required(
        "match",
        &list(&message(&[
            required("sniHosts", &TEXTS),
            optional("destinationSubnets", &TEXTS),
            optional("port", &U32),
            optional("sourceLabels", &TEXT_MAP),
            optional("gateways", &TEXTS),
            optional("sourceNamespace", &TEXT),
        ])),
    ),
    optional("route", &list(&L4_DESTINATION)),
]);

const TCP_ROUTE: Schema = message(&[
    optional(
        "match",
        &list(&message(&[
            optional("destinationSubnets", &TEXTS),
            optional("port", &U32),
            optional("sourceSubnet", &TEXT),
            optional("sourceLabels", &TEXT_MAP),
            optional("gateways", &TEXTS),
            optional("sourceNamespace", &TEXT),
        ])),
    ),
    optional("route", &list(&L4_DESTINATION)),
]);

const L4_DESTINATION: Schema = message(&[required("destination", &DESTINATION), optional("weight", &I32)]);
