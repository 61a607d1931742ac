//! Forwards to `testkit::fuzz::private_key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::fuzz::private_key(bytes));
