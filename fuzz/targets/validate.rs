//! Forwards to `testkit::fuzz::validate`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::fuzz::validate(bytes));
