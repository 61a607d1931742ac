//! Resolves a request to a subset (in preparation).
fn main() {}
