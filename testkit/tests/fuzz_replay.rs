//! Inputs kept from fuzzing, run again.

use std::path::{Path, PathBuf};

use testkit::fuzz::TARGETS;

#[test]
fn kept_inputs_pass() {
    let mut ran = 0;
    for (name, target) in TARGETS {
        let inputs = inputs_of(name);
        assert!(!inputs.is_empty(), "there is no input for {name}");
        for input in inputs {
            let bytes = std::fs::read(&input).expect("an input can be read");
            println!("{}", input.display());
            target(&bytes);
            ran += 1;
        }
    }
    assert!(ran >= TARGETS.len());
}

#[test]
fn every_target_forwards_to_its_function() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/targets");
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder of targets can be read")
        .map(|entry| {
            entry
                .expect("an entry")
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    files.sort();
    let mut names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(files, names);
    for name in names {
        let text = std::fs::read_to_string(folder.join(format!("{name}.rs"))).expect("a target can be read");
        assert!(text.contains(&format!("testkit::fuzz::{name}(")), "{name}");
    }
}

fn inputs_of(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/seeds")
        .join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}
