//! The program, apart from the process: arguments and standard input in, text and an exit code out.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use mesh_api::codec::{DocumentInfo, codes};
use mesh_api::report::TextStyle;
use mesh_api::validate::{self, ValidateOptions, validate_decoded};
use mesh_api::{DecodeOptions, Decoded, Report, decode_with};
use serde_json::{Value, json};

use crate::args::{self, Args, Format, USAGE};

/// What a process gives a program.
pub(crate) struct Process<'a> {
    pub(crate) stdin: &'a mut dyn Read,
    pub(crate) stdout: &'a mut dyn Write,
    pub(crate) stderr: &'a mut dyn Write,
    /// Whether standard output is a terminal that takes colour.
    pub(crate) colour: bool,
}

/// The file that is looked at when none is given.
pub(crate) const BUNDLED: &str = include_str!("broken.yaml");

/// Nothing is refused.
const FINE: u8 = 0;
/// Something is refused.
const REFUSED: u8 = 1;
/// The program was used wrongly.
const USAGE_ERROR: u8 = 2;

/// Refused objects that are named at the end.
const NAMED: usize = 4;

/// Runs the program and gives its exit code.
pub(crate) fn run(arguments: &[String], process: &mut Process<'_>) -> io::Result<u8> {
    let args = match args::parse(arguments) {
        Ok(args) if args.help => {
            writeln!(process.stdout, "{USAGE}")?;
            return Ok(FINE);
        }
        Ok(args) => args,
        Err(error) => return wrong_usage(process, &error),
    };
    let decoded = match read(&args, process.stdin) {
        Ok(decoded) => decoded,
        Err(error) => return wrong_usage(process, &error),
    };
    let report = validate_decoded(&decoded, &ValidateOptions::new(args.profile));
    let refused = refused(&decoded, &report);
    match args.format {
        Format::Json => writeln!(
            process.stdout,
            "{:#}",
            to_json(&args, &decoded, &report, &refused)
        )?,
        Format::Sarif => {
            let rules = codes::RULES.iter().chain(validate::rules());
            writeln!(process.stdout, "{}", report.to_sarif(rules))?;
        }
        Format::Text => {
            let style = TextStyle {
                colour: process.colour,
                ..TextStyle::default()
            };
            write!(process.stdout, "{}", report.to_text(&style))?;
            if !report.is_empty() {
                writeln!(process.stdout)?;
            }
            writeln!(process.stdout, "{}", summary(&decoded, &report, &refused))?;
            if args.files.is_empty() {
                let hint =
                    "Try your files, --profile istiod, --format json: cargo run --example validate -- *.yaml";
                writeln!(process.stdout, "{hint}")?;
            }
        }
    }
    Ok(if report.is_ok() { FINE } else { REFUSED })
}

fn wrong_usage(process: &mut Process<'_>, error: &str) -> io::Result<u8> {
    writeln!(process.stderr, "error: {error}")?;
    Ok(USAGE_ERROR)
}

fn read(args: &Args, stdin: &mut dyn Read) -> Result<Decoded, String> {
    let options = DecodeOptions {
        profile: args.profile,
        ..DecodeOptions::default()
    };
    if args.files.is_empty() {
        return Ok(decode_with("broken.yaml", BUNDLED.as_bytes(), &options));
    }
    let mut all = Decoded::default();
    for (name, bytes) in examples::files::read(&args.files, stdin)? {
        all.extend(decode_with(&name, &bytes, &options));
    }
    Ok(all)
}

/// The documents and items of lists that are refused.
fn refused<'d>(decoded: &'d Decoded, report: &Report) -> Vec<&'d DocumentInfo> {
    // objects of one key are told apart by where they begin
    let mut places: BTreeMap<_, BTreeMap<usize, bool>> = BTreeMap::new();
    let place = |info: &'d DocumentInfo| Some((info.key.as_ref()?, &info.location.file));
    for info in decoded.documents() {
        if let Some(place) = place(info) {
            let starts = places.entry(place).or_default();
            starts.insert(info.location.span.start, false);
        }
    }
    for error in report.errors() {
        if let (Some(key), Some(location)) = (&error.object, &error.location)
            && let Some(starts) = places.get_mut(&(key, &location.file))
            && let Some((_, has_error)) = starts.range_mut(..=location.span.start).next_back()
        {
            *has_error = true;
        }
    }
    let has_error = |info: &'d DocumentInfo| {
        let starts = place(info).and_then(|place| places.get(&place));
        starts.and_then(|starts| starts.get(&info.location.span.start)) == Some(&true)
    };
    let documents = decoded.documents().iter();
    documents
        .filter(|info| !info.accepted || has_error(info))
        .collect()
}

/// `2 errors, 0 warnings: 1 of 6 objects refused (document 3 of 7); the others are fine`
fn summary(decoded: &Decoded, report: &Report, refused: &[&DocumentInfo]) -> String {
    let objects = decoded.documents().len();
    let counts = format!(
        "{}, {}",
        count(report.errors().count(), "error"),
        count(report.warnings().count(), "warning")
    );
    if refused.is_empty() {
        return match report.is_ok() {
            true if objects == 0 => format!("{counts}: there are no objects"),
            true => format!("{counts}: {} fine", count(objects, "object")),
            false => counts,
        };
    }
    let others = if refused.len() < objects {
        "; the others are fine"
    } else {
        ""
    };
    format!(
        "{counts}: {} of {} refused ({}){others}",
        refused.len(),
        count(objects, "object"),
        places(decoded, refused)
    )
}

/// `document 3 of 7`, with the file where there are several.
fn places(decoded: &Decoded, refused: &[&DocumentInfo]) -> String {
    let all = decoded.documents();
    let several = all
        .windows(2)
        .any(|pair| pair[0].location.file != pair[1].location.file);
    let (named, rest) = refused.split_at(refused.len().min(NAMED));
    let of_files = named
        .chunk_by(|a, b| a.location.file == b.location.file)
        .map(|infos| {
            let file = &infos[0].location.file;
            let in_file = all.iter().filter(|info| info.location.file == *file);
            let last = in_file.map(|info| info.document + 1).max().unwrap_or_default();
            let numbers: Vec<String> = infos.iter().map(|info| number(info)).collect();
            let file = if several {
                format!("{file} ")
            } else {
                String::new()
            };
            let word = if numbers.len() == 1 {
                "document"
            } else {
                "documents"
            };
            format!("{file}{word} {} of {last}", numbers.join(", "))
        });
    let mut places: Vec<String> = of_files.collect();
    if !rest.is_empty() {
        places.push(format!("{} more", rest.len()));
    }
    places.join(", ")
}

/// `1 item 2`, counted from 1.
fn number(info: &DocumentInfo) -> String {
    let items: String = info
        .items
        .iter()
        .map(|item| format!(" item {}", item + 1))
        .collect();
    format!("{}{items}", info.document + 1)
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The report with the profile and what became of the objects; see `Report::to_json` for its keys.
fn to_json(args: &Args, decoded: &Decoded, report: &Report, refused: &[&DocumentInfo]) -> Value {
    let refused: Vec<Value> = refused
        .iter()
        .map(|info| {
            json!({
                "file": info.location.file.as_str(),
                "document": info.document + 1,
                "items": info.items.iter().map(|item| item + 1).collect::<Vec<_>>(),
                "object": info.key.as_ref().map(ToString::to_string),
            })
        })
        .collect();
    let mut document: Value = serde_json::from_str(&report.to_json()).unwrap_or_default();
    document["profile"] = json!(args::name_of(args.profile));
    document["objects"] = json!({ "total": decoded.documents().len(), "refused": refused });
    document
}
