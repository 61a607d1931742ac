//! Forwards to `testkit::fuzz::crl`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::fuzz::crl(bytes));
