//! Forwards to `testkit::fuzz::admission`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::fuzz::admission(bytes));
