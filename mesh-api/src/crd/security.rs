//! The schemas of AuthorizationPolicy, PeerAuthentication and RequestAuthentication.

use super::cel::{
    HEADER_NAME, HTTP_URL, ONE_KEY_SOURCE, ONE_TARGET, PORT_KEYS, PORTS_NEED_SELECTOR, SERVICE_ACCOUNTS_ALONE,
};
use super::rules::{CR_29, CR_30, CR_31};
use super::schema::{
    BOOLEAN, NON_EMPTY, Schema, TEXT, TEXTS, list, list_of, map_of, message, name, oneof, optional, required,
    text,
};
use super::shared::{DURATION, SELECTOR, TARGET_REF, TARGET_REFS};

pub(super) const AUTHORIZATION_POLICY: Schema = oneof(
    &[
        optional("selector", &SELECTOR),
        optional("targetRef", &TARGET_REF),
        optional("targetRefs", &TARGET_REFS),
        optional("rules", &list_of(&RULE, 0, 512)),
        optional("action", &name(&["ALLOW", "DENY", "AUDIT", "CUSTOM"])),
        optional("provider", &message(&[optional("name", &TEXT)])),
    ],
    // a choice of one, as the CRD has it
    &[&["provider"]],
)
.checks(&[ONE_TARGET])
.rule(&CR_29);

const RULE: Schema = message(&[
    optional("from", &list_of(&message(&[optional("source", &SOURCE)]), 0, 512)),
    optional("to", &list(&message(&[optional("operation", &OPERATION)]))),
    optional(
        "when",
        &list(&message(&[
            required("key", &TEXT),
            optional("values", &TEXTS),
            optional("notValues", &TEXTS),
        ])),
    ),
]);

const SERVICE_ACCOUNTS: Schema = list_of(&text(0, 320), 0, 16);

const SOURCE: Schema = message(&[
    optional("principals", &TEXTS),
    optional("notPrincipals", &TEXTS),
    optional("requestPrincipals", &TEXTS),
    optional("notRequestPrincipals", &TEXTS),
    optional("namespaces", &TEXTS),
    optional("notNamespaces", &TEXTS),
    optional("serviceAccounts", &SERVICE_ACCOUNTS),
    optional("notServiceAccounts", &SERVICE_ACCOUNTS),
    optional("ipBlocks", &TEXTS),
    optional("notIpBlocks", &TEXTS),
    optional("remoteIpBlocks", &TEXTS),
    optional("notRemoteIpBlocks", &TEXTS),
    optional("trustDomains", &TEXTS),
    optional("notTrustDomains", &TEXTS),
])
.checks(&[SERVICE_ACCOUNTS_ALONE]);

const OPERATION: Schema = message(&[
    optional("hosts", &TEXTS),
    optional("notHosts", &TEXTS),
    optional("ports", &TEXTS),
    optional("notPorts", &TEXTS),
    optional("methods", &TEXTS),
    optional("notMethods", &TEXTS),
    optional("paths", &TEXTS),
    optional("notPaths", &TEXTS),
]);

pub(super) const PEER_AUTHENTICATION: Schema = message(&[
    optional("selector", &SELECTOR),
    optional("mtls", &MUTUAL_TLS),
    optional(
        "portLevelMtls",
        &map_of(&MUTUAL_TLS, 1, None).checks(&[PORT_KEYS]),
    ),
])
.checks(&[PORTS_NEED_SELECTOR])
.rule(&CR_31);

const MUTUAL_TLS: Schema = message(&[optional(
    "mode",
    &name(&["UNSET", "DISABLE", "PERMISSIVE", "STRICT"]),
)]);

pub(super) const REQUEST_AUTHENTICATION: Schema = message(&[
    optional("selector", &SELECTOR),
    optional("targetRef", &TARGET_REF),
    optional("targetRefs", &TARGET_REFS),
    optional("jwtRules", &list_of(&JWT_RULE, 0, 4096)),
])
.checks(&[ONE_TARGET])
.rule(&CR_30);

const JWKS_URI: Schema = text(1, 2048).checks(&[HTTP_URL]);

const NAMES: Schema = list(&NON_EMPTY);

const JWT_RULE: Schema = message(&[
    optional("issuer", &NON_EMPTY),
    optional("audiences", &NAMES),
    optional("jwksUri", &JWKS_URI),
    // one of the two names in the CRDs that are not in camelCase
    optional("jwks_uri", &JWKS_URI),
    optional("jwks", &TEXT),
    optional(
        "fromHeaders",
        &list(&message(&[
            required("name", &NON_EMPTY),
            optional("prefix", &TEXT),
        ])),
    ),
    optional("fromParams", &NAMES),
    optional("outputPayloadToHeader", &TEXT),
    optional("fromCookies", &NAMES),
    optional("forwardOriginalToken", &BOOLEAN),
    optional(
        "outputClaimToHeaders",
        &list(&message(&[
            required("header", &NON_EMPTY.checks(&[HEADER_NAME])),
            required("claim", &NON_EMPTY),
        ])),
    ),
    optional("timeout", &DURATION),
    optional("spaceDelimitedClaims", &list_of(&NON_EMPTY, 0, 64)),
    optional("presence", &name(&["OPTIONAL", "REQUIRED"])),
])
.checks(&[ONE_KEY_SOURCE]);
