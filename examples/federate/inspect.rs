//! What is in a bundle document.

use std::error::Error;
use std::io::Write;

use mesh_ca::{DocumentMode, Limits, TrustBundle};

/// Reads each `TRUST_DOMAIN=FILE`; 1 if any is refused or has something to note.
pub(crate) fn inspect(arguments: &[String], out: &mut impl Write) -> Result<u8, Box<dyn Error>> {
    let mut code = 0;
    for argument in arguments {
        let Some((domain, file)) = argument.split_once('=') else {
            return Err(format!("`{argument}` is not TRUST_DOMAIN=FILE; see --help").into());
        };
        let domain = domain
            .parse()
            .map_err(|error| format!("`{domain}` is no trust domain: {error}"))?;
        let json = std::fs::read(file).map_err(|error| format!("cannot read `{file}` ({error})"))?;
        match TrustBundle::from_spiffe_json(domain, &json, DocumentMode::Standard, &Limits::default()) {
            Ok(document) => {
                describe(&document.bundle, out)?;
                for note in &document.notes {
                    code = 1;
                    writeln!(out, "  note       {note}")?;
                }
            }
            Err(error) => {
                code = 1;
                writeln!(out, "{file}: refused: {error} [{}]", error.code())?;
            }
        }
    }
    Ok(code)
}

fn describe(bundle: &TrustBundle, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    writeln!(out, "{}", bundle.trust_domain())?;
    match bundle.sequence() {
        Some(sequence) => writeln!(out, "  sequence   {sequence}")?,
        None => writeln!(
            out,
            "  sequence   none: the document that was fetched last counts"
        )?,
    }
    writeln!(out, "  refresh    every {} s", bundle.refresh_hint().as_secs())?;
    for authority in bundle.x509_authorities() {
        let certificate = authority.certificate()?;
        writeln!(
            out,
            "  root       {}, until {}",
            certificate.subject(),
            certificate.not_after()
        )?;
    }
    for (name, key) in bundle.jwt().iter() {
        writeln!(out, "  token key  {name}, {}", key.algorithm())?;
    }
    Ok(())
}
