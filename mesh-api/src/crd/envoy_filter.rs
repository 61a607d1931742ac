//! The schema of EnvoyFilter.

use super::cel::{ONE_OF_WORKLOADS_AND_TARGETS, PORT, WAYPOINT_MATCH};
use super::rules::{CR_13, CR_14, CR_15};
use super::schema::{ANY, I32, Schema, TEXT, TEXT_MAP, U32, list, message, name, oneof, optional};
use super::shared::{TARGET_REFS, WORKLOAD_SELECTOR};

pub(super) const SPEC: Schema = message(&[
    optional("workloadSelector", &WORKLOAD_SELECTOR),
    optional("targetRefs", &TARGET_REFS),
    optional(
        "configPatches",
        &list(&message(&[
            optional(
                "applyTo",
                &name(&[
                    "INVALID",
                    "LISTENER",
                    "FILTER_CHAIN",
                    "NETWORK_FILTER",
                    "HTTP_FILTER",
                    "ROUTE_CONFIGURATION",
                    "VIRTUAL_HOST",
                    "HTTP_ROUTE",
                    "CLUSTER",
                    "EXTENSION_CONFIG",
                    "BOOTSTRAP",
                    "LISTENER_FILTER",
                ]),
            ),
            optional("match", &MATCH),
            optional("patch", &PATCH),
        ])),
    ),
    optional("priority", &I32),
])
.checks(&[ONE_OF_WORKLOADS_AND_TARGETS])
.rule(&CR_13);

const MATCH: Schema = oneof(
    &[
        optional(
            "context",
            &name(&[
                "ANY",
                "SIDECAR_INBOUND",
                "SIDECAR_OUTBOUND",
                "GATEWAY",
                "WAYPOINT",
            ]),
        ),
        optional(
            "proxy",
            &message(&[optional("proxyVersion", &TEXT), optional("metadata", &TEXT_MAP)]),
        ),
        optional("listener", &LISTENER_MATCH),
        optional("routeConfiguration", &ROUTE_CONFIGURATION_MATCH),
        optional(
            "cluster",
            &message(&[
                optional("portNumber", &U32),
                optional("service", &TEXT),
                optional("subset", &TEXT),
                optional("name", &TEXT),
            ]),
        ),
        optional(
            "waypoint",
            &message(&[
                optional("portNumber", &U32.checks(&[PORT]).rule(&CR_15)),
                optional("filter", &FILTER),
                optional("route", &NAMED),
            ]),
        ),
    ],
    &[&["listener", "routeConfiguration", "cluster", "waypoint"]],
)
.checks(&[WAYPOINT_MATCH])
.rule(&CR_14);

const NAMED: Schema = message(&[optional("name", &TEXT)]);

const FILTER: Schema = message(&[optional("name", &TEXT), optional("subFilter", &NAMED)]);

const LISTENER_MATCH: Schema = message(&[
    optional("portNumber", &U32),
    optional("portName", &TEXT),
    optional(
        "filterChain",
        &message(&[
            optional("name", &TEXT),
            optional("sni", &TEXT),
            optional("transportProtocol", &TEXT),
            optional("transportSocket", &TEXT),
            optional("applicationProtocols", &TEXT),
            optional("filter", &FILTER),
            optional("destinationPort", &U32),
        ]),
    ),
    optional("listenerFilter", &TEXT),
    optional("name", &TEXT),
]);

const ROUTE_CONFIGURATION_MATCH: Schema = message(&[
    optional("portNumber", &U32),
    optional("portName", &TEXT),
    optional("gateway", &TEXT),
    optional(
        "vhost",
        &message(&[
            optional("name", &TEXT),
            optional("domainName", &TEXT),
            optional(
                "route",
                &message(&[
                    optional("name", &TEXT),
                    optional("action", &name(&["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"])),
                ]),
            ),
        ]),
    ),
    optional("name", &TEXT),
]);

const PATCH: Schema = message(&[
    optional(
        "operation",
        &name(&[
            "INVALID",
            "MERGE",
            "ADD",
            "REMOVE",
            "INSERT_BEFORE",
            "INSERT_AFTER",
            "INSERT_FIRST",
            "REPLACE",
            "MERGE_AND_REPLACE_LIST",
        ]),
    ),
    optional("value", &ANY),
    optional("filterClass", &name(&["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"])),
]);
