use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// An area of a corpus: its manifest, its tables, and where its files are.
#[derive(Clone, Debug)]
pub struct Area {
    /// The name of its directory.
    pub name: String,
    /// All its cases, in the order of the manifest.
    pub cases: Vec<Case>,
    directory: PathBuf,
    tables: Value,
}

/// A case as the manifest has it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Unique in the area.
    pub id: String,
    /// How to run it; empty where the area says so.
    pub kind: String,
    /// Files, relative to the area.
    pub inputs: Vec<String>,
    /// All of it.
    pub value: Value,
}

impl Area {
    /// Reads `MANIFEST.json`, and `TABLES.json` where there is one.
    ///
    /// # Errors
    /// When a file cannot be read or has another shape.
    pub fn read(corpus: &Path, name: &str) -> Result<Self, ManifestError> {
        let directory = corpus.join(name);
        let path = directory.join("MANIFEST.json");
        let manifest = read_json(&path)?;
        let cases = manifest["cases"]
            .as_array()
            .ok_or_else(|| ManifestError::new(&path, "no list `cases`"))?;
        let cases = cases
            .iter()
            .map(|case| Case::read(&path, case))
            .collect::<Result<_, _>>()?;
        let tables = directory.join("TABLES.json");
        let tables = if tables.exists() {
            read_json(&tables)?
        } else {
            Value::Null
        };
        Ok(Self {
            name: name.to_owned(),
            cases,
            directory,
            tables,
        })
    }

    /// The bytes of a file of the area.
    ///
    /// # Errors
    /// When the file cannot be read, or the name leads out of the area.
    pub fn file(&self, name: &str) -> Result<Vec<u8>, ManifestError> {
        if Path::new(name).is_absolute() || name.split('/').any(|part| part == "..") {
            return Err(ManifestError::new(
                &self.directory,
                format!("`{name}` is not inside"),
            ));
        }
        let path = self.directory.join(name);
        fs::read(&path).map_err(|error| ManifestError::new(&path, error))
    }

    /// What `TABLES.json` says of a table; null if nothing.
    pub fn table(&self, package: &str, table: &str) -> &Value {
        &self.tables[package][table]
    }
}

impl Case {
    /// What is expected.
    pub fn expect(&self) -> &Value {
        &self.value["expect"]
    }

    fn read(path: &Path, case: &Value) -> Result<Self, ManifestError> {
        let id = case["id"]
            .as_str()
            .ok_or_else(|| ManifestError::new(path, "a case without `id`"))?;
        let inputs = case["inputs"].as_array().into_iter().flatten();
        Ok(Self {
            id: id.to_owned(),
            kind: case["type"].as_str().unwrap_or_default().to_owned(),
            inputs: inputs
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
            value: case.clone(),
        })
    }
}

/// Why a corpus cannot be read.
#[derive(Debug)]
pub struct ManifestError {
    path: PathBuf,
    why: String,
}

impl ManifestError {
    pub(super) fn new(path: &Path, why: impl fmt::Display) -> Self {
        Self {
            path: path.to_owned(),
            why: why.to_string(),
        }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for ManifestError {}

/// The names of the directories that have a manifest, sorted.
pub(super) fn areas(corpus: &Path) -> Result<Vec<String>, ManifestError> {
    let entries = fs::read_dir(corpus).map_err(|error| ManifestError::new(corpus, error))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("MANIFEST.json").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(ManifestError::new(
            corpus,
            "no directory here has a MANIFEST.json",
        ));
    }
    Ok(names)
}

fn read_json(path: &Path) -> Result<Value, ManifestError> {
    let bytes = fs::read(path).map_err(|error| ManifestError::new(path, error))?;
    serde_json::from_slice(&bytes).map_err(|error| ManifestError::new(path, error))
}
