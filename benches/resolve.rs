//! Resolve speed (in preparation).
fn main() {}
