//! Two trust domains come to trust each other's workloads: bundles are published, fetched, rotated and taken back, and at
//! each step two workloads try to verify each other. Time is simulated; nothing is sent anywhere.
//!
//! `cargo run --example federate` tells the story; `-- TRUST_DOMAIN=FILE...` reads bundle documents and says what is in
//! them.

mod domain;
mod inspect;
mod story;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments, &mut io::stdout().lock()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// 0: all is well; 1: a document is refused or has notes; an error: wrong usage.
fn run(arguments: &[String], out: &mut impl Write) -> Result<u8, Box<dyn Error>> {
    match arguments {
        [] => story::tell(out).map(|()| 0),
        [help] if help == "--help" || help == "-h" => {
            writeln!(out, "{HELP}")?;
            Ok(0)
        }
        files => inspect::inspect(files, out),
    }
}

const HELP: &str = "\
federate                        tells how two trust domains federate, in simulated time
federate TRUST_DOMAIN=FILE...   reads SPIFFE bundle documents and says what is in them

Exit code: 0 all well, 1 a document is refused or has something to note, 2 wrong usage.";
