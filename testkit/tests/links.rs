//! The documents of the repository point at files that are there.

use std::path::{Path, PathBuf};

const DOCUMENTS: &[&str] = &[
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "mesh-api/README.md",
    "mesh-ca/README.md",
    "mesh-route/README.md",
    "mesh-xds/README.md",
];

#[test]
fn relative_links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut checked = 0;
    for document in DOCUMENTS {
        let path = root.join(document);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{document}: {error}"));
        for target in link_targets(&text)
            .into_iter()
            .filter(|target| !target.contains("://"))
        {
            let file: PathBuf = path.parent().expect("a file has a folder").join(&target);
            assert!(
                file.exists(),
                "{document} points at `{target}`, which is not there"
            );
            checked += 1;
        }
    }
    assert!(checked >= 8, "only {checked} links were checked");
}

#[test]
fn each_published_package_carries_both_licences() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for library in ["mesh-api", "mesh-ca", "mesh-route", "mesh-xds"] {
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let text = std::fs::read_to_string(root.join(library).join(licence)).expect("a licence is there");
            assert_eq!(
                text,
                std::fs::read_to_string(root.join(licence)).expect("a licence is there")
            );
        }
    }
}

#[test]
fn both_forms_of_links_are_seen() {
    let text = "a [b](c/d.md#e) and [f]\n\n[f]: https://example.org\n`[g](not a link)` [h](#anchor)";
    assert_eq!(link_targets(text), ["c/d.md", "https://example.org"]);
}

/// What `[text](target)` and `[name]: target` point at, without anchors, outside of code.
fn link_targets(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
            targets.push(target.trim().to_owned());
            continue;
        }
        let plain: String = line.split('`').step_by(2).collect();
        targets.extend(
            plain
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split_once(')'))
                .map(|(t, _)| t.to_owned()),
        );
    }
    targets
        .into_iter()
        .filter_map(|target| {
            target
                .split('#')
                .next()
                .filter(|file| !file.is_empty())
                .map(str::to_owned)
        })
        .collect()
}
