//! Forwards to `testkit::fuzz::spiffe_id`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::fuzz::spiffe_id(bytes));
