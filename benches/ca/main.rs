//! mesh-ca: what it costs, against limits that are measured or stated in the same run.
//!
//! Without `--bench` (as `cargo test` runs it) everything is small and runs once.

mod issue;
mod registry;
mod svid_rotation;
mod token;
mod verify;

use benches::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    issue::run(full);
    registry::run(full);
    svid_rotation::run(full);
    token::run(full);
    verify::run(full);
}
