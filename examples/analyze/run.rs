//! From arguments to exit code, on streams that the caller chooses.

use std::io::{self, Read, Write};

use examples::files::read_one;
use mesh_api::analyze::{ANALYZERS, AnalyzeOptions, Analyzer, analyze_with};
use mesh_api::{DecodeOptions, Decoded, Profile, Report};

use super::args::{Arguments, Format, HELP, Wish, parse};
use super::output;

/// Exit codes, those of istioctl.
pub(crate) const CLEAN: u8 = 0;
pub(crate) const USAGE: u8 = 64;
pub(crate) const UNREADABLE: u8 = 65;
pub(crate) const FOUND: u8 = 79;

/// What comes with the program.
const BUNDLED: &str = include_str!("mesh.yaml");

/// The streams and the clock of a process.
pub(crate) struct Process<'p> {
    pub(crate) stdin: &'p mut dyn Read,
    pub(crate) stdout: &'p mut dyn Write,
    pub(crate) stderr: &'p mut dyn Write,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// Runs the program and gives its exit code.
pub(crate) fn run(words: &[String], process: &mut Process<'_>) -> io::Result<u8> {
    match parse(words) {
        Ok(Wish::Help) => {
            write!(process.stdout, "{HELP}")?;
            Ok(CLEAN)
        }
        Ok(Wish::ListAnalyzers) => {
            list_analyzers(process.stdout)?;
            Ok(CLEAN)
        }
        Ok(Wish::Analyze(arguments)) => analyze(&arguments, process),
        Err(why) => {
            writeln!(process.stderr, "error: {why}\nTry --help.")?;
            Ok(USAGE)
        }
    }
}

fn list_analyzers(out: &mut dyn Write) -> io::Result<()> {
    for Analyzer {
        name,
        summary,
        by_default,
        in_strict,
        ..
    } in ANALYZERS
    {
        let when = match (by_default, in_strict) {
            (true, _) => "",
            (false, true) => " (with --strict)",
            (false, false) => " (when it is named)",
        };
        writeln!(out, "{name}: {summary}{when}")?;
    }
    Ok(())
}

fn analyze(arguments: &Arguments, process: &mut Process<'_>) -> io::Result<u8> {
    let mut decoded = Decoded::default();
    let options = DecodeOptions {
        profile: Profile::Istiod,
        ..DecodeOptions::default()
    };
    if arguments.files.is_empty() {
        decoded.extend(mesh_api::decode_with("mesh.yaml", BUNDLED.as_bytes(), &options));
    }
    for file in &arguments.files {
        match read_one(file, process.stdin) {
            Ok(bytes) => decoded.extend(mesh_api::decode_with(file, &bytes, &options)),
            Err(error) => {
                writeln!(process.stderr, "error: {error}")?;
                return Ok(USAGE);
            }
        }
    }
    let profile = if arguments.strict {
        Profile::Strict
    } else {
        Profile::Istiod
    };
    let mut analyze_options = AnalyzeOptions {
        profile,
        complete: arguments.complete,
        default_ingress: true,
        now: mesh_api::scalar::Timestamp::from_unix_seconds(process.now),
        suppressions: arguments.suppressions.clone(),
        ..AnalyzeOptions::default()
    };
    let mut report = decoded.report().clone();
    if let Some(file) = &arguments.mesh {
        match value(file, process) {
            Ok((mesh, more)) => {
                analyze_options.mesh = mesh;
                report.extend(more);
            }
            Err(code) => return code,
        }
    }
    if let Some(file) = &arguments.networks {
        match value(file, process) {
            Ok((networks, more)) => {
                analyze_options.networks = networks;
                report.extend(more);
            }
            Err(code) => return code,
        }
    }
    for finding in &report {
        writeln!(process.stderr, "{}: {finding}", finding.severity)?;
    }
    let chosen: Vec<&Analyzer> = match arguments.analyzers.as_slice() {
        [] => ANALYZERS
            .iter()
            .filter(|analyzer| analyzer.runs_in(profile))
            .collect(),
        chosen => chosen.to_vec(),
    };
    let analysis = analyze_with(&chosen, decoded.objects(), &analyze_options);
    match arguments.format {
        Format::Json => output::json(&analysis, process.stdout)?,
        Format::Text => output::text(&analysis, decoded.objects().len(), process.stdout)?,
        Format::Yaml => output::yaml(&analysis, process.stdout)?,
    }
    Ok(match analysis.worst() {
        _ if !report.is_ok() => UNREADABLE,
        Some(worst) if worst >= arguments.threshold => FOUND,
        _ => CLEAN,
    })
}

/// A file that holds one value; or the exit code, with the error printed.
fn value<T: serde::de::DeserializeOwned + Default>(
    file: &str,
    process: &mut Process<'_>,
) -> Result<(T, Report), io::Result<u8>> {
    match read_one(file, process.stdin) {
        Ok(bytes) => Ok(mesh_api::decode_value(file, &bytes)),
        Err(error) => Err(writeln!(process.stderr, "error: {error}").map(|()| USAGE)),
    }
}
