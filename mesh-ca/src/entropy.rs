//! Randomness comes in as an argument.

use std::fmt;

/// A source of random bytes for keys, serial numbers and jitter, given by the embedder.
///
/// Whatever implements it for production must be cryptographically secure. A failure is passed on as an error of the
/// operation; nothing here falls back to a weaker source (C-GEN-3).
///
/// ```
/// use mesh_ca::{Entropy, EntropyError};
///
/// /// The random device of the system, opened by the embedder.
/// struct Device<R>(R);
///
/// impl<R: std::io::Read> Entropy for Device<R> {
///     fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
///         self.0.read_exact(buffer).map_err(|_| EntropyError)
///     }
/// }
///
/// let mut bytes = [0; 4];
/// Device(&[1, 2, 3, 4, 5][..]).fill(&mut bytes)?;
/// assert_eq!(bytes, [1, 2, 3, 4]);
/// assert!(Device(&[1, 2][..]).fill(&mut bytes).is_err());
/// # Ok::<(), EntropyError>(())
/// ```
pub trait Entropy {
    /// Fills the whole buffer with random bytes.
    ///
    /// # Errors
    /// When the source cannot give as many bytes. The content of the buffer is not used then.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError>;
}

impl<E: Entropy + ?Sized> Entropy for &mut E {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        (**self).fill(buffer)
    }
}

/// A number below `bound`, evenly drawn; 0 where `bound` is 0.
///
/// # Errors
/// When the source fails.
#[allow(dead_code, reason = "read by the parts that features bring")]
pub(crate) fn below(entropy: &mut dyn Entropy, bound: u64) -> Result<u64, EntropyError> {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes)?;
    // 128 random bits against a bound of at most 64: the bias is below 2^-64.
    let draw = u128::from_le_bytes(bytes) % u128::from(bound.max(1));
    Ok(u64::try_from(draw).unwrap_or(0))
}

/// The source of random bytes failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntropyError;

impl fmt::Display for EntropyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source of random bytes failed")
    }
}

impl std::error::Error for EntropyError {}

/// A stream of bytes that a number determines, for tests and simulations. **Not random**: whoever knows the seed knows
/// every key made from it.
///
/// ```
/// use mesh_ca::{Entropy, InsecureSeededEntropy};
///
/// let (mut first, mut second) = ([0; 8], [0; 8]);
/// InsecureSeededEntropy::new(7).fill(&mut first)?;
/// InsecureSeededEntropy::new(7).fill(&mut second)?;
/// assert_eq!(first, second);
/// # Ok::<(), mesh_ca::EntropyError>(())
/// ```
#[cfg(feature = "insecure-seeded-entropy")]
#[derive(Debug, Clone)]
pub struct InsecureSeededEntropy {
    state: u64,
}

#[cfg(feature = "insecure-seeded-entropy")]
impl InsecureSeededEntropy {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// SplitMix64, by Steele, Lea and Flood.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(feature = "insecure-seeded-entropy")]
impl Entropy for InsecureSeededEntropy {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in buffer.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            for (byte, random) in chunk.iter_mut().zip(word) {
                *byte = random;
            }
        }
        Ok(())
    }
}
