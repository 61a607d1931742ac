//! Forwards to `testkit::fuzz::pem`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::fuzz::pem(bytes));
