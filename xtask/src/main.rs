//! Code generation and drift checks. Not published.
fn main() {}
