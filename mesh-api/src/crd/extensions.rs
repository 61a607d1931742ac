//! The schemas of WasmPlugin and TrafficExtension.

use super::cel::{
    NO_VALUE_FROM_HOST, ONE_OF_SELECTOR_AND_TARGETS, ONE_TARGET, SHA256, WASM_OR_LUA, WASM_URL,
    WASM_URL_OF_EXTENSION,
};
use super::rules::{CR_33, CR_34};
use super::schema::{
    ANY, I32, NON_EMPTY, Schema, TEXT, list, list_by, message, name, oneof, optional, required, text,
};
use super::shared::{SELECTOR, TARGET_REF, TARGET_REFS, TRAFFIC_SELECTOR};

const PRIORITY: Schema = I32.nullable();
const CHECKSUM: Schema = TEXT.checks(&[SHA256]);
const PULL_POLICY: Schema = name(&["UNSPECIFIED_POLICY", "IfNotPresent", "Always"]);
const PLUGIN_TYPE: Schema = name(&["UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK"]);
const FAIL_STRATEGY: Schema = name(&["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"]);

const VM_CONFIG: Schema = message(&[optional(
    "env",
    &list_by(
        "name",
        &message(&[
            required("name", &text(1, 256)),
            optional("valueFrom", &name(&["INLINE", "HOST"])),
            optional("value", &text(0, 2048)),
        ])
        .checks(&[NO_VALUE_FROM_HOST]),
        Some(256),
    ),
)]);

pub(super) const WASM_PLUGIN: Schema = message(&[
    optional("selector", &SELECTOR),
    optional("targetRef", &TARGET_REF),
    optional("targetRefs", &TARGET_REFS),
    required("url", &NON_EMPTY.checks(&[WASM_URL])),
    optional("sha256", &CHECKSUM),
    optional("imagePullPolicy", &PULL_POLICY),
    optional("imagePullSecret", &text(1, 253)),
    optional("verificationKey", &TEXT),
    optional("pluginConfig", &ANY),
    optional("pluginName", &text(1, 256)),
    optional("phase", &name(&["UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS"])),
    optional("priority", &PRIORITY),
    optional("failStrategy", &FAIL_STRATEGY),
    optional("vmConfig", &VM_CONFIG),
    optional("match", &list(&TRAFFIC_SELECTOR)),
    optional("type", &PLUGIN_TYPE),
])
.checks(&[ONE_TARGET])
.rule(&CR_33);

pub(super) const TRAFFIC_EXTENSION: Schema = oneof(
    &[
        optional("selector", &SELECTOR),
        optional("targetRefs", &TARGET_REFS),
        optional("phase", &name(&["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"])),
        optional("priority", &PRIORITY),
        optional("match", &list(&TRAFFIC_SELECTOR).rule(&CR_33)),
        optional("wasm", &WASM),
        optional("lua", &message(&[required("inlineCode", &text(1, 65536))])),
    ],
    &[&["wasm", "lua"]],
)
.checks(&[ONE_OF_SELECTOR_AND_TARGETS, WASM_OR_LUA])
.rule(&CR_34);

const WASM: Schema = message(&[
    required("url", &NON_EMPTY.checks(&[WASM_URL_OF_EXTENSION])),
    optional("sha256", &CHECKSUM),
    optional("imagePullPolicy", &PULL_POLICY),
    optional("imagePullSecret", &text(1, 253)),
    optional("verificationKey", &TEXT),
    optional("pluginConfig", &ANY),
    optional("pluginName", &text(1, 256)),
    optional("failStrategy", &FAIL_STRATEGY),
    optional("vmConfig", &VM_CONFIG),
    optional("type", &PLUGIN_TYPE),
])
.rule(&CR_33);
