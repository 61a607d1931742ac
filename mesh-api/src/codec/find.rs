//! Searches and comparisons that look at eight bytes at once.
//!
//! What is searched is short, mostly, and the searches are inlined: that is what makes them faster than the general ones,
//! which pay for a call and for setting up wider registers.

/// The first byte that is one of two, which are ASCII, or a control character.
#[inline(always)]
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

/// The first line break before a line that starts with `--` or `..`, as the markers of documents do.
#[inline]
pub(super) fn find_marker(bytes: &[u8]) -> Option<usize> {
    let starts = |byte: u8, second: u8, third: u8| {
        (byte == b'\n') & (second == third) & ((second == b'-') | (second == b'.'))
    };
    let mut from = 0;
    while from < bytes.len() {
        // without a branch in the inner loop, it is done for many bytes at once
        let end = bytes.len().min(from + MARKER_BLOCK + 2);
        let block = bytes.get(from..end).unwrap_or_default();
        let (seconds, thirds) = (
            block.get(1..).unwrap_or_default(),
            block.get(2..).unwrap_or_default(),
        );
        let triples = || block.iter().zip(seconds).zip(thirds);
        if triples().fold(false, |found, ((byte, second), third)| {
            found | starts(*byte, *second, *third)
        }) {
            let at = triples().position(|((byte, second), third)| starts(*byte, *second, *third))?;
            return Some(from + at);
        }
        from += MARKER_BLOCK;
    }
    None
}

/// How many bytes are looked at together for a marker.
const MARKER_BLOCK: usize = 256;

/// How many spaces there are at the start.
#[inline(always)]
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

/// Whether two names are the same. Names are short: mostly two words of memory tell, without a call.
#[inline]
pub(crate) fn is_same_name(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if let (Some(first_a), Some(first_b)) = (a.first_chunk::<8>(), b.first_chunk::<8>()) {
        return first_a == first_b && a.last_chunk::<8>() == b.last_chunk::<8>() && (a.len() <= 16 || a == b);
    }
    if let (Some(first_a), Some(first_b)) = (a.first_chunk::<4>(), b.first_chunk::<4>()) {
        return first_a == first_b && a.last_chunk::<4>() == b.last_chunk::<4>();
    }
    a.iter().eq(b)
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
    fn finds_markers_wherever_blocks_end() {
        for marker in ["\n--", "\n...", "\n---\n"] {
            for before in (0..12).chain(MARKER_BLOCK - 6..MARKER_BLOCK + 6) {
                for after in [0, 1, MARKER_BLOCK - 4, MARKER_BLOCK + 4] {
                    let text = format!("{}{marker}{}", "-\n".repeat(before), "x-\n-.\n".repeat(after));
                    let found = find_marker(text.as_bytes());
                    assert_eq!(found, text.find("\n--").or(text.find("\n..")), "{text:?}");
                }
            }
        }
        for text in ["", "\n", "\n-", "--", "a--\n- -\n-.\n.-"] {
            assert_eq!(find_marker(text.as_bytes()), None, "{text:?}");
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
