//! OpenSSL's command line, as a judge that shares no code with us.

use std::process::Command;

/// Whether `openssl` can be started. Where it cannot, this says so on standard output, and tests that need it end there; with
/// the variable `REQUIRE_OPENSSL` set they fail instead, so that a run which was to compare has compared.
///
/// # Panics
/// When `openssl` is required and not there.
pub fn is_there() -> bool {
    let is_there = Command::new("openssl")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !is_there {
        let is_required = std::env::var_os("REQUIRE_OPENSSL").is_some();
        assert!(!is_required, "openssl is not there, and REQUIRE_OPENSSL is set");
        println!("skipped: openssl is not there");
    }
    is_there
}
