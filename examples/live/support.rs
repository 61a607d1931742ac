//! Shared by the live examples: the clocks and the random device of the system, as the libraries take them.

use std::fs::File;
use std::io::Read;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use mesh_ca::{Entropy, EntropyError, MonotonicTime, Now, UnixTime};

/// The clocks of the system.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    /// A monotonic clock that begins now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Both clocks.
    pub fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now::new(
            UnixTime::EPOCH + wall,
            MonotonicTime::from_origin(self.0.elapsed()),
        )
    }
}

/// The random device of the system.
#[derive(Debug)]
pub struct Device(File);

impl Device {
    /// Opens it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open() -> std::io::Result<Self> {
        File::open("/dev/urandom").map(Self)
    }
}

impl Entropy for Device {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.read_exact(buffer).map_err(|_| EntropyError)
    }
}
