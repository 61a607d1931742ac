//! An index over the entries of a CRL.

/// Where the entries of a CRL are, by serial number. Twelve to sixteen bytes for each.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// Sorted by key.
    entries: Vec<Entry>,
    /// For each value of the first bits of a key where its entries begin, and at the end how many there are.
    buckets: Vec<u32>,
    shift: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u64,
    /// Where the entry begins in the CRL.
    at: u32,
}

impl Index {
    /// From the content of the serial numbers' INTEGERs and the places of their entries.
    pub(super) fn build<'a>(entries: impl Iterator<Item = (&'a [u8], u32)>) -> Self {
        let mut entries: Vec<Entry> = entries
            .map(|(serial, at)| Entry { key: key(serial), at })
            .collect();
        entries.sort_unstable_by_key(|entry| (entry.key, entry.at));
        // About four entries in a bucket, so that a look-up reads one line of each table.
        let bits = (entries.len() / 4).checked_ilog2().unwrap_or(0).clamp(1, 30);
        let shift = 64 - bits;
        let mut buckets = Vec::with_capacity((1_usize << bits).saturating_add(1));
        let mut place = 0_usize;
        for bucket in 0..1_u64 << bits {
            while entries
                .get(place)
                .is_some_and(|entry| entry.key >> shift < bucket)
            {
                place = place.saturating_add(1);
            }
            buckets.push(u32::try_from(place).unwrap_or(u32::MAX));
        }
        buckets.push(u32::try_from(entries.len()).unwrap_or(u32::MAX));
        Self {
            entries,
            buckets,
            shift,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The places of the entries that may have this serial number: those with the same key.
    pub(super) fn candidates(&self, serial: &[u8]) -> impl Iterator<Item = usize> {
        let key = key(serial);
        self.bucket(key)
            .unwrap_or_default()
            .iter()
            .filter(move |entry| entry.key == key)
            .filter_map(|entry| usize::try_from(entry.at).ok())
    }

    fn bucket(&self, key: u64) -> Option<&[Entry]> {
        let bucket = usize::try_from(key.checked_shr(self.shift)?).ok()?;
        let start = usize::try_from(*self.buckets.get(bucket)?).ok()?;
        let end = usize::try_from(*self.buckets.get(bucket.checked_add(1)?)?).ok()?;
        self.entries.get(start..end)
    }
}

/// A number from a serial number, spread over all its bits. Serial numbers are chosen by the issuer, who also chooses how
/// long its own CRL is: nothing is won by making them collide.
fn key(serial: &[u8]) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ u64::try_from(serial.len()).unwrap_or(0);
    for chunk in serial.chunks(8) {
        let word = chunk
            .iter()
            .fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        state = (state ^ word).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state ^= state >> 29;
        state = state.wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 32;
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_found() {
        for count in [0_u32, 1, 2, 7, 1_000, 70_000] {
            let serials: Vec<[u8; 4]> = (0..count).map(u32::to_be_bytes).collect();
            let index = Index::build(
                serials
                    .iter()
                    .map(|serial| (&serial[..], u32::from_be_bytes(*serial))),
            );
            assert_eq!(index.len(), count as usize);
            for serial in &serials {
                let place = u32::from_be_bytes(*serial) as usize;
                assert!(index.candidates(serial).any(|at| at == place));
            }
            assert!(!index.candidates(&[1, 2, 3, 4, 5]).any(|_| true));
        }
    }

    /// Keys spread evenly, so that buckets stay short whatever the serial numbers look like.
    #[test]
    fn buckets_stay_short() {
        let patterns: [fn(u32) -> Vec<u8>; 3] = [
            |number| number.to_be_bytes().to_vec(),
            |number| [&number.to_be_bytes()[..], &[0; 16]].concat(),
            |number| [&[7; 12][..], &number.to_le_bytes()].concat(),
        ];
        for pattern in patterns {
            let serials: Vec<Vec<u8>> = (0..100_000).map(pattern).collect();
            let index = Index::build(serials.iter().map(|serial| (&serial[..], 0)));
            let longest = index
                .buckets
                .windows(2)
                .map(|pair| pair[1] - pair[0])
                .max()
                .unwrap();
            assert!(longest < 40, "{longest}");
        }
    }
}
