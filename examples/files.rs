//! Input files of the examples.

use std::io::{self, Read};
use std::path::Path;

use crate::nearest;

/// Reads all files; `-` is standard input. Each with the name that it has in messages.
///
/// # Errors
/// One line for the user, about the first file that cannot be read.
pub fn read(files: &[String], stdin: &mut dyn Read) -> Result<Vec<(String, Vec<u8>)>, String> {
    let name = |file: &String| match file.as_str() {
        "-" => "stdin".to_owned(),
        path => label(path, files),
    };
    let files = files.iter();
    files
        .map(|file| Ok((name(file), read_one(file, &mut *stdin)?)))
        .collect()
}

/// Reads a file; `-` is standard input.
///
/// # Errors
/// One line for the user, with the file that was meant or what to do instead.
pub fn read_one(file: &str, stdin: &mut dyn Read) -> Result<Vec<u8>, String> {
    let bytes = match file {
        "-" => read_all(stdin),
        path => std::fs::read(path),
    };
    bytes.map_err(|error| unreadable(file, &error))
}

/// A path as it is printed: whole while it is short, else the shortest end of it that no other file shares.
pub fn label(path: &str, files: &[String]) -> String {
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
    let name = if name == "-" { "standard input" } else { name };
    if Path::new(name).is_dir() {
        let folder = name.trim_end_matches('/');
        return format!("`{name}` is a folder: name its files, such as {folder}/*.yaml");
    }
    let meant = match error.kind() {
        io::ErrorKind::NotFound => neighbour(Path::new(name)),
        _ => None,
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
