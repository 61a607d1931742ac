//! The draw among weighted destinations.

use crate::plan::WeightedDestination;

/// What was drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawn<'p> {
    /// The destination.
    pub destination: &'p WeightedDestination,
    /// Its position in the list.
    pub index: usize,
    /// First value that draws it.
    pub from: u64,
    /// First value that does not any more.
    pub to: u64,
    /// The sum of all weights.
    pub total: u64,
}

/// Takes `draw` modulo the sum of weights; the first destination whose running sum is larger wins (R-W-2). `None` if
/// there is no weight at all.
pub fn draw_weighted(destinations: &[WeightedDestination], draw: u64) -> Option<Drawn<'_>> {
    let total: u64 = destinations
        .iter()
        .map(|destination| u64::from(destination.weight))
        .sum();
    let value = draw.checked_rem(total)?;
    let mut from = 0;
    for (index, destination) in destinations.iter().enumerate() {
        let to = from + u64::from(destination.weight);
        if value < to {
            return Some(Drawn {
                destination,
                index,
                from,
                to,
                total,
            });
        }
        from = to;
    }
    None
}
