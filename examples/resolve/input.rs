//! What the user gave to read.

use std::io::{self, Read};
use std::path::Path;

use examples::nearest;
use mesh_api::codec::Decoded;

/// The mesh that is asked when no file is given.
pub(crate) const BUNDLED: &str = include_str!("mesh.yaml");

/// Reads and decodes all files; `-` is standard input. The error is one line for the user.
pub(crate) fn read(files: &[String], stdin: &mut dyn Read) -> Result<Decoded, String> {
    if files.is_empty() {
        return Ok(mesh_api::decode("mesh.yaml", BUNDLED.as_bytes()));
    }
    let mut all = Decoded::default();
    for file in files {
        let (name, bytes) = match file.as_str() {
            "-" => ("stdin".to_owned(), read_all(stdin)),
            path => (label(path, files), std::fs::read(path)),
        };
        let bytes = bytes.map_err(|error| unreadable(file, &error))?;
        all.extend(mesh_api::decode(&name, &bytes));
    }
    Ok(all)
}

/// A path as it is printed: whole while it is short, else the shortest end of it that no other file shares.
pub(crate) fn label(path: &str, files: &[String]) -> String {
    const SHORT: usize = 32;
    if path.len() <= SHORT {
        return path.to_owned();
    }
    let parts: Vec<&str> = path.split('/').collect();
    let ends = |count: usize| {
        parts
            .iter()
            .skip(parts.len() - count)
            .copied()
            .collect::<Vec<_>>()
            .join("/")
    };
    let shared = |end: &str| {
        files
            .iter()
            .filter(|file| file.ends_with(&format!("/{end}")))
            .count()
            > 1
    };
    (1..parts.len())
        .map(ends)
        .find(|end| !shared(end))
        .unwrap_or_else(|| path.to_owned())
}

fn read_all(stdin: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stdin.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(name: &str, error: &io::Error) -> String {
    let meant = if error.kind() == io::ErrorKind::NotFound {
        neighbour(Path::new(name))
    } else {
        None
    };
    let meant = meant
        .map(|near| format!(": did you mean `{near}`?"))
        .unwrap_or_default();
    format!("cannot read `{name}` ({error}){meant}")
}

/// The file in the same folder whose name is nearest.
fn neighbour(path: &Path) -> Option<String> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let near = nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near).display().to_string())
}
