//! Forwards to `testkit::fuzz::sds_trace`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| testkit::fuzz::sds_trace(bytes));
