//! Choices out of an input.

/// An input, taken from its start. When it is used up, each choice is the first one.
pub(super) struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number below a bound of at most 256 from one byte, or of more from two. Below none it is zero.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let number = match bound {
            0 => return 0,
            1..=256 => usize::from(self.byte()),
            _ => usize::from(self.byte()) << 8 | usize::from(self.byte()),
        };
        number % bound
    }

    pub(super) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// So many bytes as the next one says, fewer than a bound, and not more than there are.
    pub(super) fn rest_of(&mut self, bound: usize) -> Vec<u8> {
        let length = self.below(bound).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken.to_vec()
    }

    fn byte(&mut self) -> u8 {
        let (first, rest) = self
            .0
            .split_first()
            .map_or((0, &[][..]), |(first, rest)| (*first, rest));
        self.0 = rest;
        first
    }
}
