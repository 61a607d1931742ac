//! The command line, read by hand.

use examples::nearest;
use mesh_api::Profile;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Validates Istio's configuration as a cluster would.

usage: cargo run --example validate -- [FILES...] [options]

  FILES               YAML or JSON, many documents each; `-` is standard input.
                      None: a broken file that comes with this example.
  --profile PROFILE   whose verdict is wanted:
                        cluster      the API server's, then istiod's (if not given)
                        api-server   of an API server that holds Istio's CRDs
                        istiod       of istiod's validating webhook
                        strict       as cluster, without the quirks that are plainly defects
  --format FORMAT     text (if not given), json, or sarif for code scanners
  -h, --help          this text

exit code: 0 nothing refused, 1 findings of severity error, 2 wrong usage";

const OPTIONS: [&str; 4] = ["--profile", "--format", "--help", "-h"];

const PROFILES: [(&str, Profile); 4] = [
    ("api-server", Profile::ApiServer),
    ("cluster", Profile::Cluster),
    ("istiod", Profile::Istiod),
    ("strict", Profile::Strict),
];

const FORMATS: [(&str, Format); 3] = [
    ("text", Format::Text),
    ("json", Format::Json),
    ("sarif", Format::Sarif),
];

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Args {
    /// Input files; `-` is standard input; empty: the bundled file.
    pub(crate) files: Vec<String>,
    /// Whose verdict.
    pub(crate) profile: Profile,
    /// How findings are printed.
    pub(crate) format: Format,
    /// Whether only the usage is wanted.
    pub(crate) help: bool,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Sarif,
    #[default]
    Text,
}

/// Reads the arguments, without the program's name. The error is one line for the user.
pub(crate) fn parse(arguments: &[String]) -> Result<Args, String> {
    let mut args = Args::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        let mut value = || {
            let given = inline.clone().or_else(|| rest.next().cloned());
            given.ok_or_else(|| format!("{name} needs a value"))
        };
        match name {
            "--profile" => args.profile = choose(name, &value()?, &PROFILES)?,
            "--format" => args.format = choose(name, &value()?, &FORMATS)?,
            "--help" if inline.is_some() => return Err("--help takes no value".to_owned()),
            "--help" | "-h" => args.help = true,
            "-" => args.files.push(argument.clone()),
            _ if argument.starts_with('-') => return Err(unknown_option(name)),
            _ => args.files.push(argument.clone()),
        }
    }
    if args.files.iter().filter(|file| *file == "-").count() > 1 {
        return Err("standard input (`-`) can be read once only".to_owned());
    }
    Ok(args)
}

/// The name of a profile on the command line.
pub(crate) fn name_of(profile: Profile) -> &'static str {
    let found = PROFILES.iter().find(|(_, known)| *known == profile);
    found.map_or("", |(name, _)| name)
}

fn choose<T: Copy>(option: &str, given: &str, known: &[(&str, T)]) -> Result<T, String> {
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let found = known.iter().find(|(name, _)| *name == given);
    found
        .map(|(_, value)| *value)
        .ok_or_else(|| match nearest(given, names.iter().copied()) {
            Some(near) => format!("{option} `{given}` is not known: did you mean `{near}`?"),
            None => format!("{option} `{given}` is not known: write {}", names.join(", ")),
        })
}

fn unknown_option(name: &str) -> String {
    match nearest(name, OPTIONS) {
        Some(known) => format!("unknown option `{name}`: did you mean `{known}`?"),
        None => format!("unknown option `{name}`: see --help"),
    }
}
