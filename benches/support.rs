//! Measuring for benches: CPU time of one thread, medians of several passes, allocations, RATIO lines.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Display;
use std::time::Duration;

/// CPU time that the calling thread has used so far: what other programs do does not count.
pub fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("CPU time is not negative");
    Duration::new(seconds, u32::try_from(time.tv_nsec).expect("less than a second"))
}

/// CPU time of one call.
pub fn time_of<R>(work: impl FnOnce() -> R) -> (Duration, R) {
    let before = thread_time();
    let result = std::hint::black_box(work());
    (thread_time() - before, result)
}

/// The middle of several measurements, in nanoseconds per operation. All candidates run once per pass, one after the
/// other, so that a slow spell of the machine meets all of them; each pass begins with another one, so that none is always
/// first or always after the same other.
pub fn medians<const N: usize>(
    passes: usize,
    operations: usize,
    mut candidates: [&mut dyn FnMut(); N],
) -> [f64; N] {
    let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::with_capacity(passes));
    for pass in 0..passes {
        for turn in 0..N {
            let at = (pass + turn) % N;
            times[at].push(time_of(&mut candidates[at]).0);
        }
    }
    times.map(|mut times| {
        times.sort();
        let middle = times.get(times.len() / 2).copied().unwrap_or_default();
        middle.as_secs_f64() * 1e9 / operations.max(1) as f64
    })
}

/// Prints one line for the readers of benches: `goal` is `none`, or an operator and a number, e.g. `<=2.0`.
pub fn ratio(id: &str, value: f64, goal: &str, basis: impl Display) {
    println!("RATIO id={id} value={value:.3} goal={goal} basis={basis}");
}

/// Numbers that look random and are the same on every run (splitmix64).
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// The sequence that begins with `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// The next number, from 0 to `below - 1`.
    pub fn below(&mut self, below: usize) -> usize {
        usize::try_from(self.next_number() % below.max(1) as u64).expect("smaller than a usize")
    }

    /// The numbers from 0 to `count - 1` in an order that looks random.
    pub fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for at in (1..count).rev() {
            order.swap(at, self.below(at + 1));
        }
        order
    }
}

/// The system's allocator, counting. A bench makes it its own with `#[global_allocator]`.
pub struct CountingAllocator;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LIVE_BYTES: Cell<i64> = const { Cell::new(0) };
    static PEAK_BYTES: Cell<i64> = const { Cell::new(0) };
}

/// How many allocations (growing ones too) `work` makes on this thread; needs [`CountingAllocator`].
pub fn allocations_of<R>(work: impl FnOnce() -> R) -> (u64, R) {
    let before = ALLOCATIONS.get();
    let result = std::hint::black_box(work());
    (ALLOCATIONS.get() - before, result)
}

/// How many bytes more are allocated on this thread after `work` than before, as they were asked for; needs
/// [`CountingAllocator`].
pub fn live_bytes_of<R>(work: impl FnOnce() -> R) -> (i64, R) {
    let before = LIVE_BYTES.get();
    let result = std::hint::black_box(work());
    (LIVE_BYTES.get() - before, result)
}

/// How many bytes more than before `work` are allocated on this thread at once, at most; needs [`CountingAllocator`].
pub fn peak_bytes_of<R>(work: impl FnOnce() -> R) -> (i64, R) {
    let before = LIVE_BYTES.get();
    PEAK_BYTES.set(before);
    let result = std::hint::black_box(work());
    (PEAK_BYTES.get() - before, result)
}

fn count(grown: usize, shrunk: usize) {
    // A thread that ends allocates without its counters: those do not count.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + u64::from(grown > 0)));
    let _ = LIVE_BYTES.try_with(|live| {
        // while memory is moved, both pieces are there
        let _ = PEAK_BYTES.try_with(|peak| peak.set(peak.get().max(live.get() + grown as i64)));
        live.set(live.get() + grown as i64 - shrunk as i64);
    });
}

#[expect(
    unsafe_code,
    reason = "counting allocations needs an allocator; it only forwards to the system's"
)]
// SAFETY: every method forwards its arguments unchanged to the system's allocator, which upholds the contract.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size, layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
