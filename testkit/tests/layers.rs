//! The waist holds: who evaluates or converts a plan does not look back at the objects that it was compiled from.

use std::path::{Path, PathBuf};

/// A folder of sources, and the paths that nothing in it may name.
const LAYERS: &[(&str, &[&str])] = &[
    (
        "mesh-route/src/plan",
        &[
            "snapshot",
            "scope",
            "compile",
            "decide",
            "mesh_api::networking",
            "mesh_api::security",
        ],
    ),
    (
        "mesh-route/src/matching",
        &["snapshot", "scope", "compile", "decide", "mesh_api::networking"],
    ),
    (
        "mesh-route/src/decide",
        &[
            "snapshot",
            "scope",
            "compile",
            "mesh_api::networking",
            "mesh_api::security",
        ],
    ),
    (
        "mesh-route/src/snapshot",
        &["scope", "compile", "decide", "matching"],
    ),
    (
        "mesh-xds/src/convert",
        &[
            "mesh_api::networking",
            "mesh_api::security",
            "mesh_api::kubernetes",
            "mesh_api::mesh",
            "mesh_route::snapshot",
            "mesh_route::scope",
            "mesh_route::compile",
            "mesh_route::decide",
            "mesh_route::MeshSnapshot",
            "mesh_route::Router",
        ],
    ),
];

#[test]
fn no_layer_names_one_that_it_must_not_know() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut wrong = Vec::new();
    for (folder, banned) in LAYERS {
        let files = sources(&root.join(folder));
        assert!(
            files.len() >= 3,
            "{folder} has {} files: is the layer elsewhere now?",
            files.len()
        );
        for file in files {
            let text = std::fs::read_to_string(&file).expect("a source can be read");
            wrong.extend(offences(&text, banned).map(|line| format!("{}: {line}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn offences_are_seen_and_comments_are_not() {
    let text = "use crate::snapshot::Index;\n//! crate::snapshot\nuse super::snapshot;\nlet x = crate::snapshots::y;\n\
                use mesh_api::networking::Gateway; // why\n/// [`crate::snapshot`]\nuse crate::{plan, snapshot::x};\n";
    let found: Vec<String> = offences(text, &["snapshot", "mesh_api::networking"]).collect();
    assert_eq!(
        found,
        [
            "use crate::snapshot::Index;",
            "use mesh_api::networking::Gateway; // why",
            "use crate::{plan, snapshot::x};",
        ]
    );
}

/// Lines of code that name a banned path: a module of the same crate by one word, of another crate by its full path.
fn offences<'a>(text: &'a str, banned: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .filter_map(move |line| {
            let code = line.split("//").next().unwrap_or_default();
            let found = banned.iter().any(|path| {
                if path.contains("::") {
                    code.contains(path)
                } else {
                    names_module(code, path)
                }
            });
            found.then(|| line.trim().to_owned())
        })
}

/// Whether the line names `crate::MODULE`, also within a group such as `crate::{a, MODULE::b}`.
fn names_module(code: &str, module: &str) -> bool {
    let mut rest = code;
    while let Some((_, after)) = rest.split_once("crate::") {
        let named: Vec<&str> = match after.strip_prefix('{') {
            Some(group) => group.split(['{', '}', ',']).map(str::trim).collect(),
            None => vec![after],
        };
        let is_module =
            |path: &&str| path.split(|c: char| !c.is_alphanumeric() && c != '_').next() == Some(module);
        if named.iter().any(is_module) {
            return true;
        }
        rest = after;
    }
    false
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}
