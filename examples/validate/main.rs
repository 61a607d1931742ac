//! Validates files of Istio's configuration: what the API server and istiod would say of each object, with the place in the
//! file and a proposal.
//!
//! `cargo run --example validate` looks at a broken file that comes with it; `--help` tells the rest.

mod args;
mod run;

#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut stdin, mut stdout, mut stderr) = (io::stdin().lock(), io::stdout().lock(), io::stderr().lock());
    let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut process = run::Process {
        stdin: &mut stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
        colour,
    };
    match run::run(&arguments, &mut process) {
        Ok(code) => ExitCode::from(code),
        // the reader has gone, as with `| head`: nobody is left to be told
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
