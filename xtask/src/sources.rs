//! Where the `.proto` files are.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Failure;

/// The package that ships the files.
const PACKAGE: &str = "envoy-types";

/// Its include folders, below `proto/`.
const INCLUDES: [&str; 8] = [
    "data-plane-api",
    "xds",
    "protoc-gen-validate",
    "googleapis",
    "opentelemetry-proto",
    "cel-spec/proto",
    "client_model",
    "ratelimit",
];

/// The folder `proto` of the source package.
pub(crate) fn locate(repository: &Path) -> Result<PathBuf, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--format-version", "1", "--manifest-path"])
        .arg(repository.join("xtask/protos/Cargo.toml"))
        .output()?;
    if !output.status.success() {
        return Err(format!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let manifest = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == PACKAGE)
        .and_then(|package| package["manifest_path"].as_str())
        .ok_or_else(|| format!("cargo metadata names no package {PACKAGE}"))?;
    Ok(Path::new(manifest).with_file_name("proto"))
}

/// The folders of Envoy's API and of xDS's own, each with the include folder that it lies in.
pub(crate) fn envoy_api(repository: &Path, protos: &Path) -> [(PathBuf, &'static str); 5] {
    let ours = repository.join("xtask/protos");
    [
        (protos.join("data-plane-api"), "envoy"),
        (protos.join("xds"), "udpa"),
        (protos.join("xds"), "xds"),
        (ours.clone(), "udpa"),
        (ours, "xds"),
    ]
}

/// The include folders, our own last.
pub(crate) fn includes(repository: &Path, protos: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut folders: Vec<PathBuf> = INCLUDES.iter().map(|name| protos.join(name)).collect();
    folders.push(repository.join("xtask/protos"));
    match folders.iter().find(|folder| !folder.is_dir()) {
        Some(missing) => Err(format!("{} is not a folder", missing.display()).into()),
        None => Ok(folders),
    }
}
