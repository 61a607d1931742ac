//! The schemas of ServiceEntry, WorkloadEntry, WorkloadGroup and ProxyConfig.

use super::cel::{
    ADDRESS_OR_NETWORK, CIDR_RESOLUTION, HEADER_NAME, NO_ENDPOINTS_WITHOUT_RESOLUTION, NO_PORTS_OF_SOCKET,
    NO_WILDCARD_HOST, PORT, PORT_NAME_KEYS, PROBE_SCHEME, ROUND_ROBIN_ENDPOINT, SELECTOR_OR_ENDPOINTS,
    SOCKET_IS_NO_FOLDER, SOCKET_PATH, UNIQUE_NUMBERS,
};
use super::rules::{CR_25, CR_26, CR_27, CR_35};
use super::schema::{
    Field, NON_EMPTY, Schema, TEXT, TEXTS, U32, integer, list, list_by, list_of, map, map_of, message, name,
    oneof, optional, required, text,
};
use super::shared::{SELECTOR, WORKLOAD_SELECTOR};

const PORT_NUMBER: Schema = U32.checks(&[PORT]);

pub(super) const SERVICE_ENTRY: Schema = message(&[
    required("hosts", &list_of(&TEXT.checks(&[NO_WILDCARD_HOST]), 1, 256)),
    optional("addresses", &list_of(&text(0, 64), 0, 256)),
    optional(
        "ports",
        &list_by(
            "name",
            &message(&[
                required("number", &PORT_NUMBER),
                optional("protocol", &text(0, 256)),
                required("name", &text(0, 256)),
                optional("targetPort", &PORT_NUMBER),
            ]),
            Some(256),
        )
        .checks(&[UNIQUE_NUMBERS]),
    ),
    optional("location", &name(&["MESH_EXTERNAL", "MESH_INTERNAL"])),
    optional(
        "resolution",
        &name(&["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"]),
    ),
    optional("endpoints", &list_of(&WORKLOAD_ENTRY, 0, 4096)),
    optional("workloadSelector", &WORKLOAD_SELECTOR),
    optional("exportTo", &TEXTS),
    optional("subjectAltNames", &TEXTS),
])
.checks(&[
    SELECTOR_OR_ENDPOINTS,
    CIDR_RESOLUTION,
    NO_ENDPOINTS_WITHOUT_RESOLUTION,
    ROUND_ROBIN_ENDPOINT,
])
.rule(&CR_25);

const WORKLOAD: &[Field] = &[
    optional(
        "address",
        &text(0, 256).checks(&[SOCKET_PATH, SOCKET_IS_NO_FOLDER]),
    ),
    optional(
        "ports",
        &map_of(&PORT_NUMBER, 0, Some(128)).checks(&[PORT_NAME_KEYS]),
    ),
    optional("labels", &map_of(&TEXT, 0, Some(256))),
    optional("network", &text(0, 2048)),
    optional("locality", &text(0, 2048)),
    optional("weight", &U32),
    optional("serviceAccount", &text(0, 253)),
];

/// A WorkloadEntry, and an endpoint of a ServiceEntry.
pub(super) const WORKLOAD_ENTRY: Schema = message(WORKLOAD)
    .checks(&[ADDRESS_OR_NETWORK, NO_PORTS_OF_SOCKET])
    .rule(&CR_26);

pub(super) const WORKLOAD_GROUP: Schema = message(&[
    optional(
        "metadata",
        &message(&[
            optional("labels", &map_of(&TEXT, 0, Some(256))),
            optional("annotations", &map_of(&TEXT, 0, Some(256))),
        ]),
    ),
    // its address is known only when a workload comes
    required(
        "template",
        &message(WORKLOAD).checks(&[NO_PORTS_OF_SOCKET]).rule(&CR_26),
    ),
    optional("probe", &PROBE),
])
.rule(&CR_27);

const NATURAL: Schema = integer(0, i32::MAX as i64);

const PROBE: Schema = oneof(
    &[
        optional("initialDelaySeconds", &NATURAL),
        optional("timeoutSeconds", &NATURAL),
        optional("periodSeconds", &NATURAL),
        optional("successThreshold", &NATURAL),
        optional("failureThreshold", &NATURAL),
        optional(
            "httpGet",
            &message(&[
                optional("path", &TEXT),
                required("port", &PORT_NUMBER),
                optional("host", &TEXT),
                optional("scheme", &TEXT.checks(&[PROBE_SCHEME])),
                optional(
                    "httpHeaders",
                    &list(&message(&[
                        optional("name", &TEXT.checks(&[HEADER_NAME])),
                        optional("value", &TEXT),
                    ])),
                ),
            ]),
        ),
        optional(
            "tcpSocket",
            &message(&[optional("host", &TEXT), required("port", &PORT_NUMBER)]),
        ),
        optional("exec", &message(&[required("command", &list(&NON_EMPTY))])),
        optional(
            "grpc",
            &message(&[optional("port", &PORT_NUMBER), optional("service", &TEXT)]),
        ),
    ],
    &[&["httpGet", "tcpSocket", "exec", "grpc"]],
);

pub(super) const PROXY_CONFIG: Schema = message(&[
    optional("selector", &SELECTOR),
    optional("concurrency", &NATURAL.nullable().rule(&CR_35)),
    optional("environmentVariables", &map(&text(0, 2048))),
    optional("image", &message(&[optional("imageType", &TEXT)])),
])
.rule(&CR_35);
