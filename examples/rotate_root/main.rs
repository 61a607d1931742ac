//! The rotation of a root, hour by hour: what is published, what verifiers hold, and that every certificate verifies all
//! the time, also for a verifier that is as far behind as it may be. Time is simulated, certificates are real.
//!
//! ```text
//! cargo run --example rotate_root                    # a planned rotation, with roots of a day and leaves of three hours
//! cargo run --example rotate_root -- --emergency     # the key of the root is stolen at hour 14
//! ```

mod host;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let emergency = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--emergency"] => true,
        _ => {
            eprintln!("usage: rotate_root [--emergency]");
            return ExitCode::from(2);
        }
    };
    match host::run(emergency, &mut std::io::stdout()) {
        Ok(summary) if summary.refused == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn every_certificate_verifies_all_the_time() {
        for emergency in [false, true] {
            let mut text = Vec::new();
            let summary = host::run(emergency, &mut text).unwrap();
            assert_eq!(summary.refused, 0);
            assert!(summary.checks > 1_000, "{}", summary.checks);
            let text = String::from_utf8(text).unwrap();
            assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
            assert!(text.contains("root B is active"), "{text}");
            assert_eq!(text.contains("revoked"), emergency, "{text}");
        }
    }
}
