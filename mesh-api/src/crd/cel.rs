//! The CEL expressions and patterns of the CRDs, ported by hand (A-CR-4).
//!
//! Each constant is one text of the CRDs, known by its digest; where the drift check reports a changed one, its port is to be
//! read again. Source: `x-kubernetes-validations` and `pattern` in Istio's customresourcedefinitions.gen.yaml.

use super::schema::{Check, Test, cel, pattern};
use super::url;
use crate::codec::Node;
use crate::scalar::Duration;

// Patterns.

pub(super) const DNS_GROUP: Check = pattern(
    0xbac4_df71_09b5_5f22,
    |text| text.is_empty() || text.split('.').all(is_lower_label),
    "{} is no group of an API",
);
pub(super) const KIND_NAME: Check = pattern(
    0xe718_7a76_b480_ea7c,
    |text| text.starts_with(|c: char| c.is_ascii_alphabetic()) && is_label(text),
    "{} is no kind of an API",
);
pub(super) const SHA256: Check = pattern(
    0xede6_da63_706f_4050,
    |text| {
        text.is_empty() || (text.len() == 64 && text.bytes().all(|b| matches!(b, b'a'..=b'f' | b'0'..=b'9')))
    },
    "{} is no checksum",
)
.help("write 64 hexadecimal digits in lower case");
pub(super) const HEADER_NAME: Check = pattern(
    0xca77_5b04_871e_38a8,
    |text| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    },
    "{} is no name of a header",
)
.help("letters, digits, `-` and `_` are allowed");

// Selectors and targets.

/// WasmPlugin, AuthorizationPolicy, RequestAuthentication, Telemetry.
pub(super) const ONE_TARGET: Check = cel(
    0xba89_94dd_11ce_69d1,
    Test::Node(|spec| at_most_one(spec, &["selector", "targetRef", "targetRefs"])),
    "only one of `selector`, `targetRef` and `targetRefs` may be set",
)
.points_at("selector");
/// TrafficExtension, which never had `targetRef`.
pub(super) const ONE_OF_SELECTOR_AND_TARGETS: Check = cel(
    0x4237_0f6a_1ec8_7798,
    Test::Node(|spec| at_most_one(spec, &["selector", "targetRefs"])),
    "only one of `selector` and `targetRefs` may be set",
)
.points_at("selector");
/// EnvoyFilter.
pub(super) const ONE_OF_WORKLOADS_AND_TARGETS: Check = cel(
    0x19ca_d8c1_fea6_92a1,
    Test::Node(|spec| at_most_one(spec, &["workloadSelector", "targetRefs"])),
    "only one of `workloadSelector` and `targetRefs` may be set",
)
.points_at("workloadSelector");
pub(super) const NO_WILDCARD_KEYS: Check = cel(
    0xeb1a_ee28_beaa_a13a,
    Test::Keys(|key| !key.contains('*')),
    "the key {} has a wildcard, which selectors do not know",
);
pub(super) const NO_EMPTY_KEYS: Check = cel(
    0xf6c2_703d_2dab_53a5,
    Test::Keys(|key| !key.is_empty()),
    "a key of a selector is not empty",
);
pub(super) const NO_WILDCARD: Check = cel(
    0x677a_94ef_387b_ff36,
    Test::Text(|text| !text.contains('*')),
    "{} has a wildcard, which selectors do not know",
);
pub(super) const SAME_NAMESPACE: Check = cel(
    0xdc4e_3ae4_9ca1_1631,
    Test::Text(str::is_empty),
    "a target in another namespace ({}) is not supported",
)
.help("leave `namespace` out");

// Scalars.

pub(super) const AT_LEAST_1MS: Check = cel(
    0x7c95_a9d1_dd63_70a5,
    Test::Text(|text| {
        text.parse::<Duration>()
            .is_ok_and(|duration| duration >= Duration::from_millis(1))
    }),
    "{} is no duration of at least 1ms",
)
.help("write a number with a unit, such as `10s`");
pub(super) const PORT: Check = cel(
    0x1ecb_b6e9_66b3_23c8,
    Test::Integer(|number| (1..=65535).contains(&number)),
    "{} is no port, 1 to 65535 is allowed",
);
pub(super) const PORT_KEYS: Check = cel(
    0xdb86_bf8e_aac1_cd5f,
    Test::Keys(|key| key.parse::<i64>().is_ok_and(|port| (1..=65535).contains(&port))),
    "the key {} is no port, 1 to 65535 is allowed",
);
/// The schemes that Wasm modules are fetched by; a text without a scheme names an image.
pub(super) const WASM_URL: Check = cel(
    0x0d9b_9e17_8500_4fec,
    Test::Text(is_wasm_url),
    "{} is no URL of a Wasm module",
)
.help("begin with `oci://`, `https://`, `http://` or `file://`");
/// The same in TrafficExtension, with the schemes in another order.
pub(super) const WASM_URL_OF_EXTENSION: Check = WASM_URL.with_digest(0xbb96_8689_3c16_8d14);
pub(super) const HTTP_URL: Check = cel(
    0x0eb1_d7a7_6ea3_3d9b,
    Test::Text(|text| url::scheme(text).is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https"))),
    "{} is no URL with the scheme http or https",
);

// Kinds.

pub(super) const WASM_OR_LUA: Check = cel(
    0xb16a_8c06_cae3_b871,
    Test::Node(|spec| has(spec, "wasm") != has(spec, "lua")),
    "exactly one of `wasm` and `lua` must be set",
);
pub(super) const NO_VALUE_FROM_HOST: Check = cel(
    0x8ca8_de4d_37b4_3855,
    Test::Node(|variable| string(variable, "valueFrom") != "HOST" || !has(variable, "value")),
    "a variable that is taken from the host has no `value`",
)
.points_at("value");
pub(super) const WAYPOINT_MATCH: Check = cel(
    0x7828_0fa6_b2e4_1f01,
    Test::Node(|patch| (string(patch, "context") == "WAYPOINT") == has(patch, "waypoint")),
    "`waypoint` must be set if the context is WAYPOINT, and in no other context",
)
.points_at("waypoint");
pub(super) const CERTIFICATES_OR_CREDENTIALS: Check = cel(
    0x9aa4_8128_bb6c_ec6c,
    Test::Node(|tls| at_most_one(tls, &["tlsCertificates", "credentialNames"])),
    "only one of `tlsCertificates` and `credentialNames` may be set",
)
.points_at("credentialNames");
pub(super) const CREDENTIAL_OR_CREDENTIALS: Check = cel(
    0x1a20_fd07_7526_8b1f,
    Test::Node(|tls| at_most_one(tls, &["credentialName", "credentialNames"])),
    "only one of `credentialName` and `credentialNames` may be set",
)
.points_at("credentialNames");
/// Upstream means `credentialName` here, and says the first once more (A-CR-23).
pub(super) const CREDENTIALS_OR_CERTIFICATES: Check =
    CERTIFICATES_OR_CREDENTIALS.with_digest(0xa181_2d95_08b3_6d34);
pub(super) const SELECTOR_OR_ENDPOINTS: Check = cel(
    0x3c7c_87ae_950a_d222,
    Test::Node(|spec| at_most_one(spec, &["workloadSelector", "endpoints"])),
    "only one of `workloadSelector` and `endpoints` may be set",
)
.points_at("endpoints");
pub(super) const CIDR_RESOLUTION: Check = cel(
    0xe965_86bf_6e3c_1c24,
    Test::Node(|spec| {
        let addresses = spec.get("addresses");
        let ranges = addresses.is_some_and(|list| list.items().any(|address| address.text().contains('/')));
        !ranges || matches!(string(spec, "resolution"), "" | "NONE" | "STATIC")
    }),
    "ranges of addresses need the resolution NONE or STATIC",
)
.points_at("resolution");
pub(super) const NO_ENDPOINTS_WITHOUT_RESOLUTION: Check = cel(
    0xe37f_5722_14c7_b8ec,
    Test::Node(|spec| !matches!(string(spec, "resolution"), "" | "NONE") || !has(spec, "endpoints")),
    "endpoints need another resolution than NONE",
)
.points_at("endpoints")
.help("set `resolution: STATIC` or DNS");
pub(super) const ROUND_ROBIN_ENDPOINT: Check = cel(
    0xe7b0_1ee0_47b4_a5e7,
    Test::Node(|spec| {
        string(spec, "resolution") != "DNS_ROUND_ROBIN"
            || spec.get("endpoints").is_none_or(|list| list.len() <= 1)
    }),
    "the resolution DNS_ROUND_ROBIN allows one endpoint",
)
.points_at("endpoints");
pub(super) const NO_WILDCARD_HOST: Check = cel(
    0x8952_db3a_a84b_5b99,
    Test::Text(|host| host != "*"),
    "the host {} stands for all, which a ServiceEntry cannot",
);
pub(super) const UNIQUE_NUMBERS: Check = cel(
    0x0d9b_29d3_0cde_7745,
    Test::Node(|ports| {
        let mut seen = std::collections::BTreeSet::new();
        let mut numbers = ports.items().filter_map(|port| port.get("number")?.as_int());
        numbers.all(|number| seen.insert(number))
    }),
    "two ports have one number",
);
pub(super) const ADDRESS_OR_NETWORK: Check = cel(
    0x527b_f34d_83f7_3c05,
    Test::Node(|workload| has(workload, "address") || has(workload, "network")),
    "one of `address` and `network` must be set",
);
pub(super) const NO_PORTS_OF_SOCKET: Check = cel(
    0x1bf9_7a06_9c1a_5f6d,
    Test::Node(|workload| !string(workload, "address").starts_with(UNIX) || !has(workload, "ports")),
    "a Unix domain socket has no ports",
)
.points_at("ports");
pub(super) const SOCKET_PATH: Check = cel(
    0xb4c3_fddb_45ce_c92a,
    Test::Text(|address| {
        let path = address.strip_prefix(UNIX);
        path.is_none_or(|path| path.starts_with(['/', '@']))
    }),
    "{} is no absolute path or abstract name of a socket",
);
pub(super) const SOCKET_IS_NO_FOLDER: Check = cel(
    0x2c0a_ad22_93cf_a4cd,
    Test::Text(|address| !address.starts_with(UNIX) || !address.ends_with('/')),
    "{} is a folder, no socket",
);
pub(super) const PORT_NAME_KEYS: Check = cel(
    0x92d6_6ca3_0dc0_9acb,
    Test::Keys(|key| key.len() < 63 && is_label(key)),
    "the key {} is no name of a port: at most 62 letters, digits and `-` are",
);
pub(super) const PROBE_SCHEME: Check = cel(
    0xba30_be06_6d4c_2421,
    Test::Text(|scheme| matches!(scheme, "" | "HTTP" | "HTTPS")),
    "the scheme {} is neither HTTP nor HTTPS",
);
pub(super) const SERVICE_ACCOUNTS_ALONE: Check = cel(
    0x25af_0af1_ed3c_ceed,
    Test::Node(|source| {
        let accounts = ["serviceAccounts", "notServiceAccounts"];
        let others = ["principals", "notPrincipals", "namespaces", "notNamespaces"];
        !accounts.iter().any(|field| has(source, field)) || !others.iter().any(|field| has(source, field))
    }),
    "service accounts stand alone, without principals and namespaces",
)
.points_at("serviceAccounts");
pub(super) const PORTS_NEED_SELECTOR: Check = cel(
    0x8aab_a133_66eb_e2ff,
    Test::Node(|spec| {
        let labels = spec
            .get("selector")
            .and_then(|selector| selector.get("matchLabels"));
        !has(spec, "portLevelMtls") || labels.is_some_and(|labels| !labels.is_empty())
    }),
    "modes of ports need a selector with labels",
)
.points_at("portLevelMtls");
pub(super) const ONE_KEY_SOURCE: Check = cel(
    0x9240_7eca_c27d_5f2d,
    Test::Node(|rule| at_most_one(rule, &["jwksUri", "jwks_uri", "jwks"])),
    "only one of `jwks` and `jwksUri` may be set",
)
.points_at("jwks");
pub(super) const UPSERT_HAS_VALUE: Check = cel(
    0xeb68_c7a5_9d06_3911,
    Test::Node(|tag| string(tag, "operation") != "UPSERT" || !string(tag, "value").is_empty()),
    "a tag needs a `value` with the operation UPSERT",
)
.points_at("operation");
pub(super) const REMOVE_HAS_NO_VALUE: Check = cel(
    0xb812_755c_aa94_418b,
    Test::Node(|tag| string(tag, "operation") != "REMOVE" || !has(tag, "value")),
    "a tag has no `value` with the operation REMOVE",
)
.points_at("value");

const UNIX: &str = "unix://";

/// CEL's `has`: a field that is `null` was dropped before.
fn has(node: Node<'_>, field: &str) -> bool {
    node.get(field).is_some_and(|value| !value.is_null())
}

/// The text of a field, or nothing.
fn string<'t>(node: Node<'t>, field: &str) -> &'t str {
    node.get(field)
        .and_then(|value| value.as_str())
        .unwrap_or_default()
}

fn at_most_one(node: Node<'_>, fields: &[&str]) -> bool {
    fields.iter().filter(|field| has(node, field)).count() <= 1
}

/// Letters, digits and inner hyphens.
fn is_label(text: &str) -> bool {
    let inside = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    inside && !text.is_empty() && !text.starts_with('-') && !text.ends_with('-')
}

fn is_lower_label(text: &str) -> bool {
    is_label(text) && !text.contains(|c: char| c.is_ascii_uppercase())
}

fn is_wasm_url(text: &str) -> bool {
    let scheme = if url::is_url(text) {
        url::scheme(text)
    } else {
        url::scheme(&format!("http://{text}"))
    };
    scheme.is_some_and(|scheme| matches!(scheme.as_str(), "" | "http" | "https" | "oci" | "file"))
}
