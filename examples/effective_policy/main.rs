//! The configuration that a workload's proxy ends up with: every field that is set, its value, the layer that set it, and
//! where in which file.
//!
//! `cargo run --example effective_policy` asks files that come with it; `--help` tells the rest.

mod args;
mod fields;
mod run;

#[cfg(test)]
mod tests;

use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut stdin, mut stdout, mut stderr) = (io::stdin().lock(), io::stdout().lock(), io::stderr().lock());
    let mut process = run::Process {
        stdin: &mut stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
    };
    match run::run(&arguments, &mut process) {
        Ok(code) => ExitCode::from(code),
        // The reader has gone, as with `| head`: nobody is left to be told.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
