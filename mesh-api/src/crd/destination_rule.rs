//! The schema of DestinationRule.

use super::rules::{CR_16, CR_18, CR_19, CR_20, CR_21, CR_22};
use super::schema::{
    BOOLEAN, I32, Schema, TEXT, TEXT_MAP, TEXTS, U32, U64, integer, list, list_of, map, message, name,
    number, oneof, optional, required,
};
use super::shared::{CONNECTION_POOL, DURATION, OPTIONAL_BOOLEAN, OPTIONAL_U32, PORT_SELECTOR, SELECTOR};

pub(super) const SPEC: Schema = message(&[
    required("host", &TEXT),
    optional("trafficPolicy", &TRAFFIC_POLICY),
    optional(
        "subsets",
        &list(&message(&[
            required("name", &TEXT),
            optional("labels", &TEXT_MAP),
            optional("trafficPolicy", &TRAFFIC_POLICY),
        ])),
    ),
    optional("exportTo", &TEXTS),
    optional("workloadSelector", &SELECTOR),
])
.rule(&CR_16);

const TRAFFIC_POLICY: Schema = message(&[
    optional("loadBalancer", &LOAD_BALANCER),
    optional("connectionPool", &CONNECTION_POOL),
    optional("outlierDetection", &OUTLIER_DETECTION),
    optional("tls", &CLIENT_TLS),
    optional(
        "portLevelSettings",
        &list_of(
            &message(&[
                optional("port", &PORT_SELECTOR),
                optional("loadBalancer", &LOAD_BALANCER),
                optional("connectionPool", &CONNECTION_POOL),
                optional("outlierDetection", &OUTLIER_DETECTION),
                optional("tls", &CLIENT_TLS),
            ]),
            0,
            4096,
        ),
    ),
    optional(
        "tunnel",
        &message(&[
            optional("protocol", &TEXT),
            required("targetHost", &TEXT),
            required("targetPort", &U32),
        ]),
    ),
    optional(
        "proxyProtocol",
        &message(&[optional("version", &name(&["V1", "V2"]))]),
    ),
    optional(
        "retryBudget",
        &message(&[
            optional("percent", &number(0, Some(100)).nullable()),
            optional("minRetryConcurrency", &U32),
            optional("budgetInterval", &TEXT),
        ])
        .rule(&CR_19),
    ),
]);

const LOAD_BALANCER: Schema = oneof(
    &[
        optional(
            "simple",
            &name(&[
                "UNSPECIFIED",
                "LEAST_CONN",
                "RANDOM",
                "PASSTHROUGH",
                "ROUND_ROBIN",
                "LEAST_REQUEST",
            ]),
        ),
        optional("consistentHash", &CONSISTENT_HASH),
        optional(
            "backendUtilization",
            &message(&[
                optional("errorUtilizationPenaltyPercent", &U32),
                optional("metricNamesForComputingUtilization", &TEXTS),
                optional("weightExpirationPeriod", &TEXT),
                optional("weightStabilizationPeriod", &TEXT),
                optional("weightUpdatePeriod", &TEXT),
            ]),
        ),
        optional(
            "localityLbSetting",
            &message(&[
                optional(
                    "distribute",
                    &list(&message(&[optional("from", &TEXT), optional("to", &map(&U32))])),
                ),
                optional("failover", &FAILOVER),
                optional("failoverPriority", &TEXTS),
                optional("enabled", &OPTIONAL_BOOLEAN),
            ]),
        ),
        optional(
            "zoneAwareLbSetting",
            &message(&[
                optional("enabled", &OPTIONAL_BOOLEAN),
                optional("failover", &FAILOVER),
                optional("failoverPriority", &TEXTS),
                optional(
                    "minClusterSize",
                    &integer(1, u32::MAX as i64).nullable().rule(&CR_20),
                ),
            ]),
        ),
        optional("warmupDurationSecs", &DURATION),
        optional(
            "warmup",
            &message(&[
                required("duration", &DURATION),
                optional("minimumPercent", &number(0, Some(100)).nullable()),
                optional("aggression", &number(0, None).nullable()),
            ])
            .rule(&CR_16),
        ),
    ],
    &[&["simple", "consistentHash", "backendUtilization"]],
)
.rule(&CR_22);

const FAILOVER: Schema = list(&message(&[optional("from", &TEXT), optional("to", &TEXT)]));

const CONSISTENT_HASH: Schema = oneof(
    &[
        optional("httpHeaderName", &TEXT),
        optional(
            "httpCookie",
            &message(&[
                required("name", &TEXT),
                optional("path", &TEXT),
                optional("ttl", &TEXT),
                optional(
                    "attributes",
                    &list(&message(&[required("name", &TEXT), optional("value", &TEXT)])),
                ),
            ])
            .rule(&CR_16),
        ),
        optional("useSourceIp", &BOOLEAN),
        optional("httpQueryParameterName", &TEXT),
        optional("ringHash", &message(&[optional("minimumRingSize", &U64)])),
        optional("maglev", &message(&[optional("tableSize", &U64)])),
        optional("minimumRingSize", &U64),
    ],
    &[
        &[
            "httpHeaderName",
            "httpCookie",
            "useSourceIp",
            "httpQueryParameterName",
        ],
        &["ringHash", "maglev"],
    ],
);

const OUTLIER_COUNT: Schema = OPTIONAL_U32.rule(&CR_21);

const OUTLIER_DETECTION: Schema = message(&[
    optional("consecutiveErrors", &I32),
    optional("splitExternalLocalOriginErrors", &BOOLEAN),
    optional("consecutiveLocalOriginFailures", &OUTLIER_COUNT),
    optional("consecutiveGatewayErrors", &OUTLIER_COUNT),
    optional("consecutive5xxErrors", &OUTLIER_COUNT),
    optional("interval", &DURATION),
    optional("baseEjectionTime", &DURATION),
    optional("maxEjectionPercent", &I32),
    optional("minHealthPercent", &I32),
    optional(
        "outlierDetectionHttpErrorCodes",
        &list(&integer(100, 599).rule(&CR_18)),
    ),
]);

const CLIENT_TLS: Schema = message(&[
    optional("mode", &name(&["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"])),
    optional("clientCertificate", &TEXT),
    optional("privateKey", &TEXT),
    optional("caCertificates", &TEXT),
    optional("credentialName", &TEXT),
    optional("subjectAltNames", &TEXTS),
    optional("sni", &TEXT),
    optional("insecureSkipVerify", &OPTIONAL_BOOLEAN),
    optional("caCrl", &TEXT),
]);
