//! The schemas of Gateway and Sidecar.

use super::rules::{CR_24, CR_36};
use super::schema::{Schema, TEXT, TEXT_MAP, TEXTS, U32, list, message, name, optional, required};
use super::shared::{CONNECTION_POOL, DESTINATION, SERVER_TLS, WORKLOAD_SELECTOR};

pub(super) const GATEWAY: Schema = message(&[
    optional("servers", &list(&SERVER)),
    optional("selector", &TEXT_MAP),
])
.rule(&CR_24);

const SERVER: Schema = message(&[
    required(
        "port",
        &message(&[
            required("number", &U32),
            required("protocol", &TEXT),
            required("name", &TEXT),
            optional("targetPort", &U32),
        ]),
    ),
    optional("bind", &TEXT),
    required("hosts", &TEXTS),
    optional("tls", &SERVER_TLS),
    optional("defaultEndpoint", &TEXT),
    optional("name", &TEXT),
]);

pub(super) const SIDECAR: Schema = message(&[
    optional("workloadSelector", &WORKLOAD_SELECTOR),
    optional(
        "ingress",
        &list(&message(&[
            required("port", &SIDECAR_PORT),
            optional("bind", &TEXT),
            optional("captureMode", &CAPTURE_MODE),
            optional("defaultEndpoint", &TEXT),
            optional("tls", &SERVER_TLS),
            optional("connectionPool", &CONNECTION_POOL),
        ])),
    ),
    optional(
        "egress",
        &list(&message(&[
            optional("port", &SIDECAR_PORT),
            optional("bind", &TEXT),
            optional("captureMode", &CAPTURE_MODE),
            required("hosts", &TEXTS),
        ])),
    ),
    optional("inboundConnectionPool", &CONNECTION_POOL),
    optional(
        "outboundTrafficPolicy",
        &message(&[
            optional("mode", &name(&["REGISTRY_ONLY", "ALLOW_ANY"])),
            optional("egressProxy", &DESTINATION),
        ]),
    ),
])
.rule(&CR_36);

const SIDECAR_PORT: Schema = message(&[
    optional("number", &U32),
    optional("protocol", &TEXT),
    optional("name", &TEXT),
    optional("targetPort", &U32),
]);

const CAPTURE_MODE: Schema = name(&["DEFAULT", "IPTABLES", "NONE"]);
