//! x
mod args;
fn main() {
    let _ = (args::parse(&[]), args::USAGE);
}
