//! Runs a corpus of public test data against the libraries, and prints one line for each area.
//!
//! ```text
//! conformance DIR [--area A]... [--json] [--list-failures]
//! ```
//!
//! It ends with 0 when it ran, whatever it found; with 1 when the corpus cannot be read; with 2 for wrong usage.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;
use testkit::corpus::{self, AreaReport};

const USAGE: &str = "usage: conformance DIR [--area A]... [--json] [--list-failures]

  DIR               a directory of areas, each with a MANIFEST.json
  --area A          only this area; may be given several times
  --json            print the ids of all cases with reasons, as JSON
  --list-failures   print the failed cases with reasons under the line of their area";

struct Arguments {
    directory: PathBuf,
    areas: Vec<String>,
    json: bool,
    list_failures: bool,
}

fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("conformance: {why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let reports = match corpus::run(&arguments.directory, &arguments.areas) {
        Ok(reports) => reports,
        Err(error) => {
            eprintln!("conformance: {error}");
            return ExitCode::FAILURE;
        }
    };
    // A reader that closes the pipe early has what it wanted.
    let _ = print(&reports, &arguments);
    ExitCode::SUCCESS
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let mut arguments = Arguments {
        directory: PathBuf::new(),
        areas: Vec::new(),
        json: false,
        list_failures: false,
    };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--area" => arguments.areas.push(words.next().ok_or("--area needs a name")?),
            "--json" => arguments.json = true,
            "--list-failures" => arguments.list_failures = true,
            flag if flag.starts_with('-') => return Err(format!("unknown flag `{flag}`")),
            directory if arguments.directory.as_os_str().is_empty() => arguments.directory = directory.into(),
            other => return Err(format!("one directory, please; what is `{other}`?")),
        }
    }
    if arguments.directory.as_os_str().is_empty() {
        return Err("no directory given".to_owned());
    }
    Ok(Some(arguments))
}

fn print(reports: &[AreaReport], arguments: &Arguments) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if arguments.json {
        let areas: BTreeMap<_, _> = reports
            .iter()
            .map(|report| (&report.area, report.to_json()))
            .collect();
        return writeln!(out, "{}", json!({ "areas": areas }));
    }
    for report in reports {
        writeln!(out, "{report}")?;
        for (id, why) in report.failed.iter().filter(|_| arguments.list_failures) {
            writeln!(out, "  failed {id}: {why}")?;
        }
    }
    Ok(())
}
