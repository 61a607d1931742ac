//! Forwards to `testkit::fuzz::bundle_map`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::fuzz::bundle_map(bytes));
