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
    ("base64", "prost-reflect: bytes in JSON"),
    ("bytes", "http, prost"),
    ("bstr", "globset"),
    ("either", "itertools"),
    ("globset", "mesh-api: patterns of suppressions in analysis"),
    ("http", "mesh-route: requests at the edge of the API"),
    ("ipnet", "networks in mesh-api and mesh-route"),
    ("itertools", "prost-derive, at build time"),
    ("itoa", "http, serde_json"),
    ("memchr", "regex, serde_json"),
    ("mesh-api", "this workspace"),
    ("mesh-ca", "this workspace"),
    ("mesh-route", "this workspace"),
    ("mesh-xds", "this workspace"),
    ("num-traits", "ordered-float"),
    ("ordered-float", "serde-value"),
    ("proc-macro2", "derives, at build time"),
    ("prost", "mesh-xds: Envoy messages"),
    ("prost-derive", "prost, at build time"),
    ("prost-reflect", "mesh-xds: JSON of Envoy messages"),
    ("prost-types", "mesh-xds: google.protobuf messages"),
    ("quote", "derives, at build time"),
    ("regex", "mesh-route: matching, behind the RE2 gate"),
    ("regex-automata", "regex"),
    ("regex-syntax", "mesh-route: the RE2 gate; regex"),
    ("saphyr-parser", "mesh-api: YAML events with positions"),
    ("serde", "mesh-api: typed objects"),
    ("serde-value", "prost-reflect"),
    ("serde_core", "serde"),
    ("serde_derive", "serde, at build time"),
    ("serde_json", "mesh-api: JSON values; mesh-xds: JSON of messages"),
    ("syn", "derives, at build time"),
    ("thiserror", "errors"),
    ("thiserror-impl", "thiserror, at build time"),
    ("unicode-ident", "derives, at build time"),
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
