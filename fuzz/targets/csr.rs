//! Forwards to `testkit::fuzz::csr`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::fuzz::csr(bytes));
