//! The command line.

use mesh_api::Severity;
use mesh_api::analyze::{ANALYZERS, Analyzer, Suppression, analyzer};

pub(crate) const HELP: &str = "\
usage: analyze [FILES...] [options]

  FILES                   files with objects, YAML or JSON; - is standard input; none means a broken mesh that comes with it
  --analyzer NAME         run this analyzer only; may be given several times (--list-analyzers names them)
  --complete              take what is given for all there is, as istioctl does: what is not given does not exist
  --failure-threshold L   the severity from which on the exit code is 79: info, warning or error (default: error)
  --list-analyzers        name the analyzers, and what each looks for
  --mesh FILE             the mesh configuration
  --networks FILE         the networks of the mesh
  --output FORMAT         text, json or yaml (default: text)
  --strict                look also for what istioctl does not
  --suppress CODE=PATTERN leave out messages of a code about objects like `Kind name.namespace`, with * and ?; several times

exit codes, as istioctl's: 0 nothing found, 64 wrong usage, 65 objects that cannot be read, 79 issues found
";

/// How messages are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Text,
    Yaml,
}

/// What is wanted.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) files: Vec<String>,
    pub(crate) analyzers: Vec<&'static Analyzer>,
    pub(crate) complete: bool,
    pub(crate) threshold: Severity,
    pub(crate) mesh: Option<String>,
    pub(crate) networks: Option<String>,
    pub(crate) format: Format,
    pub(crate) strict: bool,
    pub(crate) suppressions: Vec<Suppression>,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Wish {
    Analyze(Box<Arguments>),
    Help,
    ListAnalyzers,
}

const FLAGS: [&str; 10] = [
    "--analyzer",
    "--complete",
    "--failure-threshold",
    "--help",
    "--list-analyzers",
    "--mesh",
    "--networks",
    "--output",
    "--strict",
    "--suppress",
];

/// Reads the command line; what is wrong with it comes back as a sentence.
pub(crate) fn parse(words: &[String]) -> Result<Wish, String> {
    let mut arguments = Arguments {
        files: Vec::new(),
        analyzers: Vec::new(),
        complete: false,
        threshold: Severity::Error,
        mesh: None,
        networks: None,
        format: Format::Text,
        strict: false,
        suppressions: Vec::new(),
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (flag, mut given) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let mut value = || match given.take() {
            Some(value) => Ok(value),
            None => words.next().cloned().ok_or(format!("{flag} needs a value")),
        };
        match flag {
            "--help" | "-h" => return Ok(Wish::Help),
            "--list-analyzers" | "-L" => return Ok(Wish::ListAnalyzers),
            "--complete" => arguments.complete = true,
            "--analyzer" => arguments.analyzers.push(named(&value()?)?),
            "--failure-threshold" => arguments.threshold = severity(&value()?)?,
            "--mesh" => arguments.mesh = Some(value()?),
            "--networks" => arguments.networks = Some(value()?),
            "--output" | "-o" => arguments.format = format(&value()?)?,
            "--strict" => arguments.strict = true,
            "--suppress" | "-S" => {
                let rule = value()?
                    .parse::<Suppression>()
                    .map_err(|error| error.to_string())?;
                arguments.suppressions.push(rule);
            }
            file if file == "-" || !file.starts_with('-') => arguments.files.push(word.clone()),
            unknown => return Err(with_nearest(&format!("unknown flag `{unknown}`"), unknown, FLAGS)),
        }
    }
    Ok(Wish::Analyze(Box::new(arguments)))
}

fn named(name: &str) -> Result<&'static Analyzer, String> {
    let names = ANALYZERS.iter().map(|analyzer| analyzer.name);
    analyzer(name).ok_or_else(|| with_nearest(&format!("no analyzer `{name}`"), name, names))
}

fn severity(text: &str) -> Result<Severity, String> {
    match text.to_ascii_lowercase().as_str() {
        "error" => Ok(Severity::Error),
        "warning" => Ok(Severity::Warning),
        "info" => Ok(Severity::Info),
        _ => Err(with_nearest(
            &format!("no severity `{text}`"),
            text,
            ["error", "info", "warning"],
        )),
    }
}

fn format(text: &str) -> Result<Format, String> {
    match text {
        "json" => Ok(Format::Json),
        "log" | "text" => Ok(Format::Text),
        "yaml" => Ok(Format::Yaml),
        _ => Err(with_nearest(
            &format!("no format `{text}`"),
            text,
            ["json", "text", "yaml"],
        )),
    }
}

fn with_nearest<'a>(sentence: &str, wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match examples::nearest(wanted, known) {
        Some(near) => format!("{sentence}; did you mean `{near}`?"),
        None => sentence.to_owned(),
    }
}
