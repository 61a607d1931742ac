//! Searches that look at eight bytes at once.
//!
//! What is searched is short, mostly, and the searches are inlined: that is what makes them faster than the general ones,
//! which pay for a call and for setting up wider registers.

/// The first byte that is one of two, which are ASCII, or a control character.
#[inline]
pub(super) fn find_byte(bytes: &[u8], stops: [u8; 2]) -> Option<usize> {
    let [first, second] = stops.map(spread);
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // the stops are ASCII, so the upper bits of what differs from them are those of the word
        let found = (below(word, 0x20) | below(word ^ first, 1) | below(word ^ second, 1)) & upper(!word);
        if found != 0 {
            return Some(index * 8 + (found.trailing_zeros() / 8) as usize);
        }
    }
    let at = rest
        .iter()
        .position(|byte| *byte < 0x20 || stops.contains(byte))?;
    Some(bytes.len() - rest.len() + at)
}

/// The first line break.
#[inline]
pub(super) fn find_break(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let others = u64::from_le_bytes(*word) ^ spread(b'\n');
        let found = below(others, 1) & upper(!others);
        if found != 0 {
            return Some(index * 8 + (found.trailing_zeros() / 8) as usize);
        }
    }
    let at = rest.iter().position(|byte| *byte == b'\n')?;
    Some(bytes.len() - rest.len() + at)
}

/// How many spaces there are at the start.
#[inline]
pub(super) fn count_spaces(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let others = u64::from_le_bytes(*word) ^ spread(b' ');
        if others != 0 {
            return index * 8 + (others.trailing_zeros() / 8) as usize;
        }
    }
    let more = rest.iter().take_while(|byte| **byte == b' ').count();
    bytes.len() - rest.len() + more
}

/// Of each byte that has no upper bit, that bit, if the byte is less than `limit`. Bytes above the first such one may be
/// marked without need, and so may those that have it.
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(spread(limit))
}

fn upper(word: u64) -> u64 {
    word & spread(0x80)
}

/// A word of eight equal bytes.
fn spread(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_plain_search_finds() {
        let stops = [b'"', b'\\'];
        let bytes: Vec<u8> = (0..=255)
            .chain([b'a'; 20])
            .chain([0x1f, 0x20, 0x80, 0xff])
            .collect();
        for start in 0..bytes.len() {
            for end in start..bytes.len().min(start + 40) {
                let part = &bytes[start..end];
                let plain = part.iter().position(|byte| *byte < 0x20 || stops.contains(byte));
                assert_eq!(find_byte(part, stops), plain, "{part:?}");
            }
        }
        // each byte at each place of a word, with others of the upper half around
        for around in [b'a', 0x80, 0xff, 0x22 ^ 0x01, 0x21, 0x5b] {
            for byte in 0..=255 {
                for at in 0..16 {
                    let mut text = [around; 16];
                    text[at] = byte;
                    let plain = text.iter().position(|byte| *byte < 0x20 || stops.contains(byte));
                    assert_eq!(find_byte(&text, stops), plain, "{text:?}");
                    let plain = text.iter().position(|byte| *byte == b'\n');
                    assert_eq!(find_break(&text), plain, "{text:?}");
                }
            }
        }
    }
    #[test]
    fn counts_spaces_of_any_number() {
        for spaces in 0..40 {
            for after in ["", "a", "\n", "a  ", "\u{a0}", "\t"] {
                let text = format!("{}{after}", " ".repeat(spaces));
                assert_eq!(count_spaces(text.as_bytes()), spaces, "{text:?}");
            }
        }
    }
}
