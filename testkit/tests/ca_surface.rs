//! What the identity crate shows of itself, read from its source: rules on the shape of the API, which no call can test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates that mesh-ca is built of, as they are named in paths.
const DEPENDENCIES: &[&str] = &[
    "aws_lc_rs",
    "base64",
    "ed25519_dalek",
    "p256",
    "p384",
    "prost",
    "ring",
    "rustls",
    "serde_json",
    "sha2",
    "thiserror",
    "zeroize",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of the library without its tests, and their code without comments and without modules of tests.
fn sources() -> BTreeMap<String, String> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|end| end == "rs") {
                files.push(path);
            }
        }
    }
    let source = root().join("mesh-ca/src");
    let mut files = Vec::new();
    walk(&source, &mut files);
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&source).unwrap().display().to_string();
        (name, code_of(&fs::read_to_string(path).unwrap()))
    };
    let sources: BTreeMap<_, _> = files
        .iter()
        .map(read)
        .filter(|(name, _)| !name.ends_with("tests.rs"))
        .collect();
    assert!(sources.len() > 80, "only {} files", sources.len());
    sources
}

fn code_of(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// What an embedder sees of a file: heads of public functions, public fields, types, constants and uses, and heads of
/// implementations, each to the end of its statement.
fn public_parts(code: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = code.lines().peekable();
    while let Some(line) = rest.next() {
        let start = line.trim_start();
        let is_public = start.starts_with("pub ") || start.starts_with("impl");
        if !is_public {
            continue;
        }
        let mut part = start.to_owned();
        // Fields end with a comma, functions and implementations with a brace, the rest with a semicolon.
        let is_field = start.starts_with("pub ")
            && ![
                "fn", "struct", "enum", "trait", "type", "const", "use", "mod", "async", "static",
            ]
            .iter()
            .any(|word| start.starts_with(&format!("pub {word} ")));
        let ends = |part: &str| {
            part.ends_with('{')
                || part.ends_with(';')
                || part.ends_with('}')
                || (is_field && part.ends_with(','))
        };
        while !ends(&part) {
            let Some(next) = rest.next() else { break };
            part.push(' ');
            part.push_str(next.trim());
        }
        parts.push(without_private_fields(part));
    }
    parts
}

/// A tuple struct shows those of its fields that are public.
fn without_private_fields(part: String) -> String {
    match part.split_once('(') {
        Some((head, fields)) if part.starts_with("pub struct ") && !fields.contains("pub ") => {
            head.to_owned()
        }
        _ => part,
    }
}

/// The names that a file imports from crates that it is built of.
fn foreign_names(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for statement in code.split("\nuse ").skip(1) {
        let statement = statement.split(';').next().unwrap_or_default();
        let of = statement
            .trim_start_matches("::")
            .split("::")
            .next()
            .unwrap_or_default();
        if !DEPENDENCIES.contains(&of) {
            continue;
        }
        let words = statement.split(|c: char| !c.is_alphanumeric() && c != '_');
        // Names of types and traits; modules are told by their path.
        let is_type = |word: &&str| word.starts_with(|first: char| first.is_ascii_uppercase());
        names.extend(words.filter(is_type).map(str::to_owned));
    }
    names
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

/// Paths such as `ring::`.
fn names_a_dependency(text: &str) -> bool {
    // Modules of the crate have the names of what they adapt to.
    let bytes = text.replace("crate::rustls", "").replace("self::", "own_");
    DEPENDENCIES.iter().any(|name| {
        bytes.match_indices(&format!("{name}::")).any(|(at, _)| {
            let before = bytes.get(..at).unwrap_or_default();
            !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    })
}

/// C-API-4: no type of a dependency is in the public API, but for those of rustls behind its feature, and those of prost in
/// the messages.
#[test]
fn no_type_of_a_dependency_is_public() {
    let mut looked_at = 0;
    for (file, code) in sources() {
        if file == "rustls.rs" || file == "pb.rs" {
            continue;
        }
        let foreign = foreign_names(&code);
        for part in public_parts(&code) {
            looked_at += 1;
            // Implementing a trait of the backends for a private type shows nothing.
            let is_shown = !(part.starts_with("impl") && is_private_impl(&part, &code));
            let mut named = words(&part).into_iter().filter(|word| foreign.contains(*word));
            let found = named.next().is_some() || names_a_dependency(&part);
            assert!(!(is_shown && found), "{file}: {part}");
        }
    }
    assert!(looked_at > 1_500, "{looked_at}");
}

/// Whether the type that something is implemented for is not public.
fn is_private_impl(part: &str, code: &str) -> bool {
    let of = part
        .rsplit(" for ")
        .next()
        .unwrap_or(part)
        .trim_start_matches("impl ");
    let name: String = of
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    !["struct", "enum", "trait"]
        .iter()
        .any(|kind| code.contains(&format!("pub {kind} {name}")))
}

/// The test above can fail.
#[test]
fn foreign_types_are_found() {
    let code = "\nuse ring::rand::SystemRandom;\npub fn random(\n    source: &SystemRandom,\n) -> u8 {\n}\n";
    let names = foreign_names(code);
    assert_eq!(names, BTreeSet::from(["SystemRandom".to_owned()]));
    let parts = public_parts(code);
    assert_eq!(parts, ["pub fn random( source: &SystemRandom, ) -> u8 {"]);
    assert!(words(&parts[0]).contains("SystemRandom"));
    assert!(names_a_dependency("pub key: p256::SecretKey,"));
    assert!(!names_a_dependency("pub fn spring::x() {"));
    assert!(!names_a_dependency("pub use self::ring::RingVerifier;"));
}

/// C-API-5: no unsafe code, and the oldest compiler is that of the newest dependency.
#[test]
fn the_oldest_compiler_is_that_of_the_dependencies() {
    for library in ["mesh-api", "mesh-ca", "mesh-route", "mesh-xds"] {
        let lib = fs::read_to_string(root().join(library).join("src/lib.rs")).unwrap();
        assert!(lib.contains("#![forbid(unsafe_code)]"), "{library}");
    }
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1"])
        .args(["--manifest-path", "mesh-ca/Cargo.toml"])
        .current_dir(root())
        .output()
        .expect("cargo can be run");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let versions: BTreeMap<&str, (u32, u32)> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .filter_map(|package| {
            Some((
                package["name"].as_str()?,
                version(package["rust_version"].as_str()?)?,
            ))
        })
        .collect();
    let own = versions["mesh-ca"];
    let names = tree(&["--all-features"]);
    let newer: Vec<&String> = names
        .iter()
        .filter(|name| versions.get(name.as_str()).is_some_and(|needed| *needed > own))
        .collect();
    assert!(newer.is_empty(), "{newer:?} need a newer compiler than {own:?}");
    assert_eq!(own, (1, 88));
}

fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// C-API-3: without features the crate is identities, and without a provider there is no cryptography but digests.
#[test]
fn features_bring_their_crates_and_no_others() {
    let at_build = [
        "proc-macro2",
        "quote",
        "syn",
        "unicode-ident",
        "serde_derive",
        "thiserror-impl",
    ];
    let runtime = |features: &[&str]| {
        let mut names = tree(features);
        names.retain(|name| !at_build.contains(&name.as_str()));
        names
    };
    let ids = runtime(&["--no-default-features"]);
    assert_eq!(
        ids,
        ["mesh-ca", "serde", "serde_core", "thiserror"]
            .map(str::to_owned)
            .into()
    );
    let without_provider = runtime(&["--no-default-features", "--features", "x509,jwt"]);
    for backend in [
        "ring",
        "p256",
        "p384",
        "ed25519-dalek",
        "aws-lc-rs",
        "rustls",
        "prost",
        "ecdsa",
    ] {
        assert!(!without_provider.contains(backend), "{backend}");
    }
    assert!(without_provider.contains("sha2"));
    for (features, wanted) in [
        ("ring", "ring"),
        ("soft", "ed25519-dalek"),
        ("aws-lc", "aws-lc-rs"),
        ("rustls", "rustls"),
    ] {
        assert!(
            runtime(&["--no-default-features", "--features", features]).contains(wanted),
            "{features}"
        );
    }
}

/// The crates that mesh-ca is built of with these features.
fn tree(features: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--package",
            "mesh-ca",
        ])
        .args(features)
        .current_dir(root())
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("cargo prints UTF-8");
    let names = text.lines().filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

/// C-GEN-1: no sockets, files, clocks, threads or environment, and nothing global that changes. C-SGN-9: locks are in the
/// adapters for rustls alone, which share what they present, so that none is held while a key signs.
#[test]
fn nothing_is_asked_of_the_system_and_nothing_is_global() {
    const NOWHERE: &[&str] = &[
        "std::net::Tcp",
        "std::net::Udp",
        "std::fs",
        "std::env",
        "std::thread",
        "std::process",
        "std::io",
        "SystemTime",
        "Instant",
        "static mut",
        "thread_local",
        "OnceLock",
        "LazyLock",
        "OnceCell",
        "Atomic",
        "RefCell",
        "extern \"C\"",
        "include_bytes!",
        "println!",
        "eprintln!",
    ];
    for (file, code) in sources() {
        for word in NOWHERE {
            assert!(!code.contains(word), "{file}: {word}");
        }
        for lock in ["Mutex", "RwLock"] {
            assert!(
                file == "rustls.rs" || file == "verify/cache.rs" || !code.contains(lock),
                "{file}: {lock}"
            );
        }
        let statics = code.lines().filter(|line| {
            line.trim_start()
                .trim_start_matches("pub ")
                .starts_with("static ")
        });
        for line in statics {
            assert!(!line.contains("Cell") && !line.contains("Lock"), "{file}: {line}");
        }
    }
}

/// C-ERR-1: errors are matched without reading texts: their enums can grow, and each variant has a code that no other
/// variant of any error has.
#[test]
fn every_error_has_codes_of_its_own() {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    let mut enums = 0;
    for (file, code) in sources() {
        for (at, _) in code.match_indices("pub enum ") {
            let name: String = code[at + "pub enum ".len()..]
                .chars()
                .take_while(|c| c.is_alphanumeric())
                .collect();
            if !name.ends_with("Error") && !name.ends_with("ErrorKind") {
                continue;
            }
            enums += 1;
            let attributes = code[..at].rsplit("\n\n").next().unwrap_or_default();
            assert!(attributes.contains("#[non_exhaustive]"), "{file}: {name}");
            let own = code
                .split(&format!("impl {name} {{\n"))
                .nth(1)
                .unwrap_or_else(|| panic!("{file}: {name}"));
            let own = own.split("\n}\n").next().unwrap_or_default();
            let body = own.split("fn code(&self) -> &'static str {").nth(1);
            let body = body.unwrap_or_else(|| panic!("{file}: {name} has no codes"));
            let body = body.split("\n    }\n").next().unwrap_or_default();
            assert!(
                !body.contains("_ =>"),
                "{file}: {name} has a code for what is to come"
            );
            for text in body.split('"').skip(1).step_by(2) {
                let is_code = text.contains('.')
                    && text.bytes().all(|byte| {
                        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._".contains(&byte)
                    });
                assert!(is_code, "{file}: {name}: `{text}`");
                if let Some(other) = owners.insert(text.to_owned(), name.clone()) {
                    panic!("{file}: {name} and {other} both say `{text}`");
                }
            }
        }
    }
    assert!(enums >= 35, "{enums}");
    assert!(owners.len() > 200, "{}", owners.len());
}
