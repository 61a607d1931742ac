//! Analyzes objects across files, as `istioctl analyze` does, without a cluster: unknown gateways, hosts and subsets,
//! conflicts, workloads that nothing selects, certificates that do not fit.
//!
//! `cargo run --example analyze` looks at a broken mesh that comes with it; `--help` tells the rest.

mod args;
mod output;
mod run;

#[cfg(test)]
mod tests;

use std::io;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut stdin, mut stdout, mut stderr) = (io::stdin().lock(), io::stdout().lock(), io::stderr().lock());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut process = run::Process {
        stdin: &mut stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
        now: i64::try_from(now.as_secs()).unwrap_or_default(),
    };
    match run::run(&arguments, &mut process) {
        Ok(code) => ExitCode::from(code),
        // The reader has gone, as with `| head`: nobody is left to be told.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
