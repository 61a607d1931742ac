//! The command line, read by hand.

use std::collections::BTreeMap;

use examples::nearest;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Resolves a request to a subset and says why.

usage: cargo run --example resolve -- [FILES...] [options] [URL]

  FILES                       YAML or JSON, many documents each, in any order; `-` is standard input.
                              None: the mesh that comes with this example.
  URL                         with `://`, e.g. http://reviews:9080/reviews/7
  --from NAMESPACE[/k=v,..]   the client: a workload of that namespace with those labels
  --gateway NAMESPACE/NAME    the client is outside and enters by that Gateway
                              Neither: every gateway that serves the host, else the namespace of its service.
  -X METHOD                   GET if not given
  -H 'NAME: VALUE'            a request header; may be repeated
  --draw N                    the number that weighted destinations are drawn with, 0 if not given
  --explain                   why the other candidates lost
  --json                      the same for programs
  -h, --help                  this text

exit code: 0 answered, 1 findings of severity error, 2 wrong usage";

const OPTIONS: [&str; 9] = [
    "--from",
    "--gateway",
    "-X",
    "-H",
    "--draw",
    "--explain",
    "--json",
    "--help",
    "-h",
];

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Args {
    /// Input files; `-` is standard input; empty: the bundled mesh.
    pub(crate) files: Vec<String>,
    /// Who asks.
    pub(crate) client: Client,
    /// `GET` if not given.
    pub(crate) method: Option<String>,
    /// In order.
    pub(crate) headers: Vec<(String, String)>,
    /// The draw, if given.
    pub(crate) draw: Option<u64>,
    /// Whether losers are told.
    pub(crate) explain: bool,
    /// Whether the output is JSON.
    pub(crate) json: bool,
    /// Whether only the usage is wanted.
    pub(crate) help: bool,
    /// The request's URL.
    pub(crate) url: Option<String>,
}

/// Who sends the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Client {
    /// Found out from the host of the request.
    #[default]
    Inferred,
    /// Somebody outside, through a Gateway.
    Gateway {
        /// The Gateway's namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A workload.
    Workload {
        /// Its namespace.
        namespace: String,
        /// Its labels.
        labels: BTreeMap<String, String>,
    },
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
        let mut value = |what: &str| {
            let given = inline.clone().or_else(|| rest.next().cloned());
            given.ok_or_else(|| format!("{name} needs {what}"))
        };
        match name {
            "--from" => set_client(&mut args, parse_from(&value("NAMESPACE[/k=v,..]")?)?)?,
            "--gateway" => set_client(&mut args, parse_gateway(&value("NAMESPACE/NAME")?)?)?,
            "-X" => args.method = Some(parse_method(&value("a method")?)?),
            "-H" => args.headers.push(parse_header(&value("a header")?)?),
            "--draw" => args.draw = Some(parse_draw(&value("a number")?)?),
            "--explain" | "--json" | "--help" if inline.is_some() => {
                return Err(format!("{name} takes no value"));
            }
            "--explain" => args.explain = true,
            "--json" => args.json = true,
            "--help" | "-h" => args.help = true,
            "-" => args.files.push(argument.clone()),
            _ if argument.contains("://") => set_url(&mut args, argument)?,
            _ if argument.starts_with('-') => return Err(unknown_option(name)),
            _ => args.files.push(argument.clone()),
        }
    }
    if args.files.iter().filter(|file| *file == "-").count() > 1 {
        return Err("standard input (`-`) can be read once only".to_owned());
    }
    Ok(args)
}

fn set_client(args: &mut Args, client: Client) -> Result<(), String> {
    if args.client != Client::Inferred {
        return Err("one client only: give --from or --gateway, once".to_owned());
    }
    args.client = client;
    Ok(())
}

fn set_url(args: &mut Args, url: &str) -> Result<(), String> {
    match &args.url {
        Some(first) => Err(format!("one URL only, there are `{first}` and `{url}`")),
        None => {
            args.url = Some(url.to_owned());
            Ok(())
        }
    }
}

fn parse_from(text: &str) -> Result<Client, String> {
    let (namespace, list) = text.split_once('/').unwrap_or((text, ""));
    if namespace.is_empty() {
        return Err(format!(
            "--from `{text}` names no namespace: write NAMESPACE[/k=v,..]"
        ));
    }
    let mut labels = BTreeMap::new();
    for label in list.split(',').filter(|label| !label.is_empty()) {
        let (key, value) = label
            .split_once('=')
            .ok_or_else(|| format!("label `{label}` of --from has no value: write k=v"))?;
        labels.insert(key.to_owned(), value.to_owned());
    }
    Ok(Client::Workload {
        namespace: namespace.to_owned(),
        labels,
    })
}

fn parse_gateway(text: &str) -> Result<Client, String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(Client::Gateway {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            })
        }
        _ => Err(format!("--gateway `{text}` is no NAMESPACE/NAME")),
    }
}

fn parse_method(text: &str) -> Result<String, String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if !text.is_empty() && text.chars().all(is_token) {
        Ok(text.to_owned())
    } else {
        Err(format!("-X `{text}` is no method"))
    }
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("-H `{text}` is no header: write 'NAME: VALUE'")),
    }
}

fn parse_draw(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("--draw `{text}` is no number from 0 to {}", u64::MAX))
}

fn unknown_option(name: &str) -> String {
    match nearest(name, OPTIONS) {
        Some(known) => format!("unknown option `{name}`: did you mean `{known}`?"),
        None => format!("unknown option `{name}`: see --help"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Args, String> {
        parse(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn every_option_is_read_in_any_place() {
        let args = parsed(&[
            "a.yaml",
            "--from",
            "shop/app=productpage,version=v1",
            "-X",
            "POST",
            "http://reviews:9080/",
            "-",
            "-H",
            "end-user: jason",
            "--draw=42",
            "--explain",
            "-H",
            "x:y:z",
            "--json",
        ]);
        let labels = [("app", "productpage"), ("version", "v1")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(
            args,
            Ok(Args {
                files: vec!["a.yaml".into(), "-".into()],
                client: Client::Workload {
                    namespace: "shop".into(),
                    labels: BTreeMap::from(labels)
                },
                method: Some("POST".into()),
                headers: vec![("end-user".into(), "jason".into()), ("x".into(), "y:z".into())],
                draw: Some(42),
                explain: true,
                json: true,
                help: false,
                url: Some("http://reviews:9080/".into()),
            })
        );
        let gateway = Client::Gateway {
            namespace: "istio-system".into(),
            name: "public".into(),
        };
        assert_eq!(
            parsed(&["--gateway=istio-system/public"]).unwrap().client,
            gateway
        );
        assert_eq!(parsed(&[]), Ok(Args::default()));
    }

    #[test]
    fn wrong_usage_says_what_is_right() {
        let cases: &[(&[&str], &str)] = &[
            (&["--explian"], "did you mean `--explain`"),
            (&["--form", "shop"], "did you mean `--from`"),
            (&["--zzzzzzzz"], "see --help"),
            (&["--from"], "--from needs NAMESPACE[/k=v,..]"),
            (&["--from", "/app=x"], "names no namespace"),
            (&["--from", "shop/app"], "label `app`"),
            (&["--from", "a", "--gateway", "b/c"], "one client only"),
            (&["--gateway", "public"], "NAMESPACE/NAME"),
            (&["--gateway", "a/b/c"], "NAMESPACE/NAME"),
            (&["-X", "GE T"], "is no method"),
            (&["-H", "nothing"], "is no header"),
            (&["-H"], "-H needs a header"),
            (&["--draw", "-1"], "is no number"),
            (&["--json=yes"], "takes no value"),
            (&["http://a/", "http://b/"], "one URL only"),
            (&["-", "-"], "once only"),
        ];
        for (arguments, message) in cases {
            let error = parsed(arguments).unwrap_err();
            assert!(error.contains(message), "{arguments:?}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn the_usage_names_every_option() {
        for option in OPTIONS {
            assert!(USAGE.contains(option), "{option}");
        }
    }
}
