//! The command line, read by hand.

use examples::nearest;
use mesh_api::ObjectMeta;
use mesh_api::effective::PROXY_CONFIG_ANNOTATION;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
The configuration that a workload's proxy ends up with, and where each field comes from.

usage: cargo run --example effective_policy -- [FILES...] [options]

  FILES                       YAML or JSON: ProxyConfig objects, Pods, the ConfigMap `istio`, IstioOperators;
                              `-` is standard input. None: the files that come with this example.
  --mesh FILE                 a mesh configuration that is no object; may be repeated, later ones lie over earlier ones
  --for NAMESPACE[/k=v,..]    a workload of that namespace with those labels
  --config TEXT               with --for: its annotation `proxy.istio.io/config`
  --pod NAMESPACE/NAME        a Pod of the files
                              Neither --for nor --pod: every Pod of the files.
  --without-objects           as `istioctl kube-inject`, which knows no ProxyConfig objects
  --json                      the same for programs
  -h, --help                  this text

exit code: 0 answered, 1 findings of severity error, 2 wrong usage";

const OPTIONS: [&str; 8] = [
    "--mesh",
    "--for",
    "--config",
    "--pod",
    "--without-objects",
    "--json",
    "--help",
    "-h",
];

/// What was asked for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Args {
    /// Files with objects; `-` is standard input.
    pub(crate) files: Vec<String>,
    /// Files with mesh configuration.
    pub(crate) mesh: Vec<String>,
    /// The workloads.
    pub(crate) workload: Wanted,
    /// Whether ProxyConfig objects are left out.
    pub(crate) without_objects: bool,
    /// Whether the output is JSON.
    pub(crate) json: bool,
    /// Whether only the usage is wanted.
    pub(crate) help: bool,
}

/// Which workloads are asked about.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum Wanted {
    /// Every pod.
    #[default]
    AllPods,
    /// A workload that need not be in the files.
    Given(Box<ObjectMeta>),
    /// A pod by namespace and name.
    Pod(String, String),
}

/// Reads the arguments, without the program's name. The error is one line for the user.
pub(crate) fn parse(arguments: &[String]) -> Result<Args, String> {
    let mut args = Args::default();
    let mut config = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        let mut value = |what: &str| {
            let given = inline.clone().or_else(|| rest.next().cloned());
            given.ok_or_else(|| format!("{name} needs {what}"))
        };
        match name {
            "--mesh" => args.mesh.push(value("a file")?),
            "--for" => set(&mut args, parse_workload(&value("NAMESPACE[/k=v,..]")?)?)?,
            "--config" => config = Some(value("a text")?),
            "--pod" => set(&mut args, parse_pod(&value("NAMESPACE/NAME")?)?)?,
            "--without-objects" | "--json" | "--help" if inline.is_some() => {
                return Err(format!("{name} takes no value"));
            }
            "--without-objects" => args.without_objects = true,
            "--json" => args.json = true,
            "--help" | "-h" => args.help = true,
            _ if argument.starts_with('-') && argument != "-" => return Err(unknown_option(name)),
            _ => args.files.push(argument.clone()),
        }
    }
    if let Some(config) = config {
        let Wanted::Given(meta) = &mut args.workload else {
            return Err("--config is for the workload of --for".to_owned());
        };
        meta.annotations
            .insert(PROXY_CONFIG_ANNOTATION.into(), config.into());
    }
    let inputs = args.files.iter().chain(&args.mesh);
    if inputs.filter(|file| *file == "-").count() > 1 {
        return Err("standard input (`-`) can be read once only".to_owned());
    }
    Ok(args)
}

fn set(args: &mut Args, workload: Wanted) -> Result<(), String> {
    if args.workload != Wanted::AllPods {
        return Err("one of --for and --pod is enough".to_owned());
    }
    args.workload = workload;
    Ok(())
}

fn parse_workload(text: &str) -> Result<Wanted, String> {
    let (namespace, labels) = text.split_once('/').unwrap_or((text, ""));
    if namespace.is_empty() {
        return Err(format!("--for `{text}` needs a namespace: NAMESPACE[/k=v,..]"));
    }
    let mut meta = ObjectMeta::new("", namespace);
    for pair in labels.split(',').filter(|pair| !pair.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(format!("`{pair}` is no label: KEY=VALUE is the form"));
        };
        meta.labels.insert(key, value);
    }
    Ok(Wanted::Given(Box::new(meta)))
}

fn parse_pod(text: &str) -> Result<Wanted, String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
            Ok(Wanted::Pod(namespace.to_owned(), name.to_owned()))
        }
        _ => Err(format!("--pod `{text}` is not of the form NAMESPACE/NAME")),
    }
}

fn unknown_option(name: &str) -> String {
    match nearest(name, OPTIONS) {
        Some(near) => format!("there is no option {name}, did you mean {near}?"),
        None => format!("there is no option {name}, see --help"),
    }
}
