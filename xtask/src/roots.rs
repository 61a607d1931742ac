//! The list of files and messages to generate.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::Failure;

/// Messages to keep by file name; an empty list keeps the whole file.
pub(crate) type Roots = BTreeMap<String, Vec<String>>;

/// Every file below the given folders of include folders, whole.
pub(crate) fn every_file(places: &[(PathBuf, &str)]) -> Result<Roots, Failure> {
    let mut roots = Roots::new();
    for (include, package) in places {
        let mut folders = vec![include.join(package)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "proto") {
                    let name = path
                        .strip_prefix(include)?
                        .to_str()
                        .ok_or("a file name is no text")?;
                    roots.insert(name.replace('\\', "/"), Vec::new());
                }
            }
        }
    }
    Ok(roots)
}

/// Reads lines `file Message,Message`; `#` starts a comment.
pub(crate) fn parse(text: &str) -> Result<Roots, Failure> {
    let mut roots = Roots::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(file) = words.next() else { continue };
        let messages = words
            .next()
            .map(|list| list.split(',').map(str::to_owned).collect());
        if words.next().is_some() {
            return Err(format!("roots.txt:{}: more than two words", number + 1).into());
        }
        if roots
            .insert(file.to_owned(), messages.unwrap_or_default())
            .is_some()
        {
            return Err(format!("roots.txt:{}: {file} is listed twice", number + 1).into());
        }
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_files_messages_and_comments() {
        let roots = parse("# head\n\na/b.proto\nc.proto One,Two # why\n").unwrap();
        assert_eq!(roots["a/b.proto"], Vec::<String>::new());
        assert_eq!(roots["c.proto"], ["One", "Two"]);
    }

    #[test]
    fn refuses_repeated_files_and_third_words() {
        assert!(
            parse("a.proto\na.proto\n")
                .unwrap_err()
                .to_string()
                .starts_with("roots.txt:2")
        );
        assert!(parse("a.proto One, Two").is_err());
    }
}
