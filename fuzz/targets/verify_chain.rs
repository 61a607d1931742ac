//! Forwards to `testkit::fuzz::verify_chain`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::fuzz::verify_chain(bytes));
