//! Schemas that several kinds use: selectors, targets, ports, durations, TLS of servers, connection pools.

use super::cel::{
    AT_LEAST_1MS, CERTIFICATES_OR_CREDENTIALS, CREDENTIAL_OR_CREDENTIALS, CREDENTIALS_OR_CERTIFICATES,
    DNS_GROUP, KIND_NAME, NO_EMPTY_KEYS, NO_WILDCARD, NO_WILDCARD_KEYS, SAME_NAMESPACE,
};
use super::rules::{CR_10, CR_11, CR_12, CR_17, CR_23};
use super::schema::{
    BOOLEAN, I32, Schema, TEXT, TEXTS, U32, list_by, list_of, map_of, message, name, optional, required, text,
};

pub(super) const OPTIONAL_BOOLEAN: Schema = BOOLEAN.nullable();
pub(super) const OPTIONAL_U32: Schema = U32.nullable();

/// A duration of at least a millisecond.
pub(super) const DURATION: Schema = TEXT.rule(&CR_17).checks(&[AT_LEAST_1MS]);

/// The selector of workloads by `matchLabels`.
pub(super) const SELECTOR: Schema = message(&[optional(
    "matchLabels",
    &map_of(&text(0, 63).checks(&[NO_WILDCARD]), 0, Some(4096)).checks(&[NO_WILDCARD_KEYS, NO_EMPTY_KEYS]),
)])
.rule(&CR_11);

/// The selector of workloads by `labels`.
pub(super) const WORKLOAD_SELECTOR: Schema = message(&[optional(
    "labels",
    // keys may hold a wildcard, a known gap upstream
    &map_of(&text(0, 63).checks(&[NO_WILDCARD]), 0, Some(256)),
)])
.rule(&CR_12);

pub(super) const TARGET_REF: Schema = message(&[
    optional("group", &text(0, 253).checks(&[DNS_GROUP])),
    required("kind", &text(1, 63).checks(&[KIND_NAME])),
    required("name", &text(1, 253)),
    optional("namespace", &TEXT.checks(&[SAME_NAMESPACE])),
])
.rule(&CR_10);

pub(super) const TARGET_REFS: Schema = list_of(&TARGET_REF, 0, 16).rule(&CR_10);

pub(super) const PORT_SELECTOR: Schema = message(&[optional("number", &U32)]);

/// Where traffic goes.
pub(super) const DESTINATION: Schema = message(&[
    required("host", &TEXT),
    optional("subset", &TEXT),
    optional("port", &PORT_SELECTOR),
]);

/// The traffic that an extension sees.
pub(super) const TRAFFIC_SELECTOR: Schema = message(&[
    optional(
        "mode",
        &name(&["UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER"]),
    ),
    optional(
        "ports",
        &list_by(
            "number",
            &message(&[required("number", &super::schema::integer(1, 65535))]),
            None,
        ),
    ),
]);

const TLS_PROTOCOL: Schema = name(&["TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"]);

/// TLS of a server of Gateway or Sidecar.
pub(super) const SERVER_TLS: Schema = message(&[
    optional("httpsRedirect", &BOOLEAN),
    optional(
        "mode",
        &name(&[
            "PASSTHROUGH",
            "SIMPLE",
            "MUTUAL",
            "AUTO_PASSTHROUGH",
            "ISTIO_MUTUAL",
            "OPTIONAL_MUTUAL",
        ]),
    ),
    optional("serverCertificate", &TEXT),
    optional("privateKey", &TEXT),
    optional("caCertificates", &TEXT),
    optional("caCrl", &TEXT),
    optional("credentialName", &TEXT),
    optional("credentialNames", &list_of(&TEXT, 1, 2)),
    optional("caCertCredentialName", &TEXT),
    optional(
        "tlsCertificates",
        &list_of(
            &message(&[
                optional("serverCertificate", &TEXT),
                optional("privateKey", &TEXT),
                optional("caCertificates", &TEXT),
            ]),
            1,
            2,
        ),
    ),
    optional("subjectAltNames", &TEXTS),
    optional("verifyCertificateSpki", &TEXTS),
    optional("verifyCertificateHash", &TEXTS),
    optional("minProtocolVersion", &TLS_PROTOCOL),
    optional("maxProtocolVersion", &TLS_PROTOCOL),
    optional("cipherSuites", &TEXTS),
    optional("ecdhCurves", &TEXTS),
    optional("insecureSkipVerify", &OPTIONAL_BOOLEAN),
])
.checks(&[
    CERTIFICATES_OR_CREDENTIALS,
    CREDENTIAL_OR_CREDENTIALS,
    CREDENTIALS_OR_CERTIFICATES,
])
.rule(&CR_23);

/// Connection pools of DestinationRule and Sidecar.
pub(super) const CONNECTION_POOL: Schema = message(&[
    optional(
        "tcp",
        &message(&[
            optional("maxConnections", &I32),
            optional("connectTimeout", &DURATION),
            optional(
                "tcpKeepalive",
                &message(&[
                    optional("probes", &U32),
                    optional("time", &DURATION),
                    optional("interval", &DURATION),
                ]),
            ),
            optional("maxConnectionDuration", &DURATION),
            // the one duration without a bound
            optional("idleTimeout", &TEXT),
        ]),
    ),
    optional(
        "http",
        &message(&[
            optional("http1MaxPendingRequests", &I32),
            optional("http2MaxRequests", &I32),
            optional("maxRequestsPerConnection", &I32),
            optional("maxRetries", &I32),
            optional("idleTimeout", &DURATION),
            optional(
                "h2UpgradePolicy",
                &name(&["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"]),
            ),
            optional("useClientProtocol", &BOOLEAN),
            optional("maxConcurrentStreams", &I32),
            optional(
                "http2KeepAlive",
                &message(&[optional("interval", &DURATION), optional("timeout", &DURATION)]),
            ),
        ]),
    ),
]);
