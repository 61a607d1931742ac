//! Forwards to `testkit::fuzz::decide`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::fuzz::decide(bytes));
