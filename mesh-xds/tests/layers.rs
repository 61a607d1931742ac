//! Conversion reads plans and nothing behind them.
#![expect(clippy::disallowed_methods, reason = "a test that reads the sources")]

use std::fs;
use std::path::Path;

/// What the sources of `convert/` must not name: what a plan was compiled from, and the compiling itself.
const BEHIND_THE_PLAN: [&str; 10] = [
    "networking::",
    "security::",
    "kubernetes::",
    "mesh_api::mesh",
    "mesh_route::snapshot",
    "mesh_route::scope",
    "mesh_route::compile",
    "mesh_route::decide",
    "MeshSnapshot",
    "ObjectSet",
];

#[test]
fn convert_names_nothing_behind_the_plan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/convert");
    let mut checked = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.is_file(), "{} is not looked into", path.display());
        let text = fs::read_to_string(&path).unwrap();
        let offences = offences(&text);
        assert!(offences.is_empty(), "{} names {offences:?}", path.display());
        checked += 1;
    }
    assert!(checked >= 10, "only {checked} files in {}", folder.display());
}

#[test]
fn offences_are_seen() {
    assert_eq!(offences("use mesh_api::networking::Gateway;"), ["networking::"]);
    assert_eq!(
        offences("/// let s = MeshSnapshot::build()\nfn f() {}"),
        Vec::<&str>::new()
    );
    assert_eq!(offences("fn f(s: &MeshSnapshot) {}"), ["MeshSnapshot"]);
}

/// Names in code; comments, and the examples in them, may show how a plan is made.
fn offences(text: &str) -> Vec<&'static str> {
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    BEHIND_THE_PLAN
        .into_iter()
        .filter(|name| code.iter().any(|line| line.contains(name)))
        .collect()
}
