//! The command line.

pub(crate) const USAGE: &str = "usage: admission_webhook [--name DNS_NAME] [--serve ADDRESS:PORT | FILES...]";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    /// The DNS name of the server, in its certificate.
    pub(crate) name: String,
    /// Where to listen; none to ask itself and end.
    pub(crate) serve: Option<String>,
    /// The objects to ask about; none for the bundled ones.
    pub(crate) files: Vec<String>,
}

impl Args {
    /// Reads the arguments, without the program's name.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut args = Self {
            name: "istiod.istio-system.svc".to_owned(),
            serve: None,
            files: Vec::new(),
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value
                    .cloned()
                    .ok_or_else(|| format!("`{argument}` needs a value"))
            };
            match argument.as_str() {
                "--name" => args.name = value()?,
                "--serve" => args.serve = Some(value()?),
                other if other.starts_with("--") => return Err(format!("unknown argument `{other}`")),
                file => args.files.push(file.to_owned()),
            }
        }
        if args.serve.is_some() && !args.files.is_empty() {
            return Err("a server is asked by others: give no files with `--serve`".to_owned());
        }
        Ok(args)
    }
}
