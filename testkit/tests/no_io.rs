//! The four library crates do no I/O: nothing that could is among the crates that they are built of.
//!
//! Two nets. The first names crates that open sockets, files or event loops. The second is a list of every crate that may
//! be there at all, so that a new one is looked at by someone before it comes in.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const LIBRARIES: [&str; 4] = ["mesh-api", "mesh-ca", "mesh-route", "mesh-xds"];

/// Crates that do I/O, start threads or bring a runtime along. None of them may be a normal dependency.
const BANNED: &[&str] = &[
    "async-io",
    "async-net",
    "async-std",
    "calloop",
    "crossbeam-channel",
    "curl",
    "fs2",
    "futures-executor",
    "glommio",
    "h2",
    "h3",
    "hyper",
    "hyper-util",
    "isahc",
    "kube",
    "kube-client",
    "libloading",
    "memmap2",
    "mio",
    "monoio",
    "native-tls",
    "notify",
    "openssl",
    "openssl-sys",
    "polling",
    "quinn",
    "quinn-udp",
    "rayon",
    "reqwest",
    "rustix",
    "smol",
    "socket2",
    "tempfile",
    "threadpool",
    "tokio",
    "tokio-rustls",
    "tokio-util",
    "tonic",
    "tower",
    "trust-dns-resolver",
    "hickory-resolver",
    "ureq",
    "walkdir",
];

/// Every crate that the libraries may be built of, and why it is there.
const ALLOWED: &[(&str, &str)] = &[
    ("aho-corasick", "regex"),
    ("anyhow", "prost-derive, at build time"),
    ("arraydeque", "saphyr-parser"),
    ("autocfg", "num-traits, at build time"),
    ("aws-lc-rs", "mesh-ca, feature aws-lc: RSA keys"),
    ("aws-lc-sys", "aws-lc-rs"),
    ("base16ct", "sec1"),
    ("base64", "prost-reflect: bytes in JSON"),
    ("block-buffer", "digest"),
    ("bstr", "globset"),
    ("bytes", "http, prost"),
    ("cc", "ring and aws-lc-sys, at build time"),
    ("cfg-if", "ring, sha2"),
    ("cmake", "aws-lc-sys, at build time"),
    ("const-oid", "der"),
    ("cpufeatures", "sha2"),
    ("crypto-bigint", "elliptic-curve"),
    ("crypto-common", "digest"),
    ("curve25519-dalek", "ed25519-dalek"),
    ("curve25519-dalek-derive", "curve25519-dalek, at build time"),
    ("der", "sec1, pkcs8"),
    ("digest", "sha2"),
    ("dunce", "aws-lc-sys, at build time"),
    ("ecdsa", "p256, p384"),
    ("ed25519", "ed25519-dalek"),
    ("ed25519-dalek", "mesh-ca, feature soft: deterministic signatures"),
    ("either", "itertools"),
    ("elliptic-curve", "p256, p384"),
    ("ff", "elliptic-curve"),
    ("find-msvc-tools", "cc, at build time"),
    ("fs_extra", "aws-lc-sys, at build time"),
    ("generic-array", "digest, elliptic-curve"),
    (
        "getrandom",
        "ring: nonces of its ECDSA come from the operating system, the one stated exception",
    ),
    ("globset", "mesh-api: patterns of suppressions in analysis"),
    ("group", "elliptic-curve"),
    ("hmac", "rfc6979"),
    ("http", "mesh-route: requests at the edge of the API"),
    ("ipnet", "networks in mesh-api and mesh-route"),
    ("itertools", "prost-derive, at build time"),
    ("itoa", "http, serde_json"),
    ("jobserver", "cc, at build time"),
    ("libc", "getrandom, cpufeatures"),
    ("memchr", "regex, serde_json"),
    ("mesh-api", "this workspace"),
    ("mesh-ca", "this workspace"),
    ("mesh-route", "this workspace"),
    ("mesh-xds", "this workspace"),
    ("num-traits", "ordered-float"),
    ("once_cell", "rustls"),
    ("ordered-float", "serde-value"),
    ("p256", "mesh-ca: keys from given bytes, deterministic signatures"),
    ("p384", "mesh-ca: keys from given bytes, deterministic signatures"),
    ("pkcs8", "ecdsa, ed25519"),
    ("pkg-config", "aws-lc-sys, at build time"),
    ("primeorder", "p256, p384"),
    ("proc-macro2", "derives, at build time"),
    ("prost", "mesh-xds: Envoy messages"),
    ("prost-derive", "prost, at build time"),
    ("prost-reflect", "mesh-xds: JSON of Envoy messages"),
    ("prost-types", "mesh-xds: google.protobuf messages"),
    ("quote", "derives, at build time"),
    ("rand_core", "elliptic-curve"),
    ("regex", "mesh-route: matching, behind the RE2 gate"),
    ("regex-automata", "regex"),
    ("regex-syntax", "mesh-route: the RE2 gate; regex"),
    ("rfc6979", "ecdsa"),
    ("ring", "mesh-ca: fast signatures"),
    ("rustc_version", "curve25519-dalek, at build time"),
    (
        "rustls",
        "mesh-ca, feature rustls: verifiers and resolvers for it",
    ),
    ("rustls-pki-types", "rustls"),
    ("rustls-webpki", "rustls"),
    ("saphyr-parser", "mesh-api: YAML events with positions"),
    ("sec1", "elliptic-curve"),
    ("semver", "rustc_version, at build time"),
    ("serde", "mesh-api: typed objects"),
    ("serde-value", "prost-reflect"),
    ("serde_core", "serde"),
    ("serde_derive", "serde, at build time"),
    ("serde_json", "mesh-api: JSON values; mesh-xds: JSON of messages"),
    ("sha2", "mesh-ca: digests"),
    ("shlex", "cc, at build time"),
    ("signature", "ecdsa, ed25519"),
    ("spki", "pkcs8"),
    ("subtle", "mesh-ca: comparing secrets; elliptic-curve"),
    ("syn", "derives, at build time"),
    ("thiserror", "errors"),
    ("thiserror-impl", "thiserror, at build time"),
    ("typenum", "generic-array"),
    ("unicode-ident", "derives, at build time"),
    ("untrusted", "ring"),
    ("version_check", "generic-array, at build time"),
    ("zeroize", "mesh-ca: key bytes"),
    ("zmij", "serde_json: text of floats"),
];

#[test]
fn no_library_is_built_of_a_crate_that_does_io() {
    for library in LIBRARIES {
        let found: Vec<String> = dependencies(library)
            .into_iter()
            .filter(|name| BANNED.contains(&name.as_str()))
            .collect();
        assert!(found.is_empty(), "{library} is built of {found:?}, which do I/O");
    }
}

#[test]
fn every_dependency_of_the_libraries_is_known() {
    let mut seen = BTreeSet::new();
    for library in LIBRARIES {
        let names = dependencies(library);
        for name in &names {
            assert!(
                ALLOWED.iter().any(|(allowed, _)| allowed == name),
                "{library} is built of `{name}`, which is not in ALLOWED: does it do I/O, and why is it needed?"
            );
        }
        seen.extend(names);
    }
    let gone: Vec<&str> = ALLOWED
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !seen.contains(*name))
        .collect();
    assert!(
        gone.is_empty(),
        "no longer used, take them out of ALLOWED: {gone:?}"
    );
}

#[test]
fn the_identity_crate_stands_alone() {
    let names = dependencies("mesh-ca");
    let workspace: Vec<&String> = names.iter().filter(|name| name.starts_with("mesh-")).collect();
    assert_eq!(
        workspace,
        ["mesh-ca"],
        "trust-critical code depends on nothing of the mesh"
    );
    let names = dependencies("mesh-api");
    assert!(!names.contains("mesh-route") && !names.contains("mesh-xds") && !names.contains("mesh-ca"));
}

#[test]
fn the_reading_of_the_tree_sees_what_is_there() {
    let tree =
        "mesh-route v0.1.0 (/a path/mesh-route)\nhttp v1.0.0\ntokio v1.40.0 (*)\nsyn v2.0.0 (proc-macro)\n\n";
    assert_eq!(
        names_in(tree),
        BTreeSet::from(["mesh-route", "http", "tokio", "syn"].map(String::from))
    );
    // What cargo says of a package that does use such a crate: the benches measure CPU time through rustix.
    assert!(
        dependencies("benches")
            .iter()
            .any(|name| BANNED.contains(&name.as_str()))
    );
}

/// The names of all crates that `package` is built of on this platform with all its features, itself among them;
/// development dependencies do not count.
fn dependencies(package: &str) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--all-features",
        ])
        .args(["--package", package])
        .current_dir(root)
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "cargo tree: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let names = names_in(&String::from_utf8(output.stdout).expect("cargo prints UTF-8"));
    assert!(names.contains(package), "{package} is not in its own tree");
    names
}

/// The first word of each line that cargo tree prints.
fn names_in(tree: &str) -> BTreeSet<String> {
    tree.lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}
