//! The syntax of ids, checked byte by byte.

use crate::spiffe_id::SCHEME;
use crate::trust_domain::{check_name, is_name_byte};
use crate::{IdError, IdErrorKind, SpiffeId, TrustDomain};

/// Checks an id and returns where its path begins.
pub(crate) fn check_id(text: &[u8]) -> Result<usize, IdError> {
    match path_of_plain(text) {
        Some(path_at) => Ok(path_at),
        None => check_by_rules(text),
    }
}

/// What a byte is in an id: one bit, so that several can be barred at once.
mod kind {
    /// In trust domains and in paths, anywhere.
    pub(super) const COMMON: u8 = 1;
    /// In paths, anywhere.
    pub(super) const UPPER: u8 = 1 << 1;
    pub(super) const DOT: u8 = 1 << 2;
    pub(super) const SLASH: u8 = 1 << 3;
    pub(super) const OTHER: u8 = 1 << 4;
}

static KINDS: [u8; 256] = {
    let mut kinds = [kind::OTHER; 256];
    let mut byte = 0_u8;
    let mut places: &mut [u8] = &mut kinds;
    while let [place, rest @ ..] = places {
        *place = match byte {
            b'.' => kind::DOT,
            b'/' => kind::SLASH,
            byte if is_name_byte(byte) => kind::COMMON,
            byte if is_segment_byte(byte) => kind::UPPER,
            _ => kind::OTHER,
        };
        byte = byte.wrapping_add(1);
        places = rest;
    }
    kinds
};

/// Where the path begins, if the id is surely valid: each byte is looked at once. Of valid ids only those with a segment that
/// begins with a dot are not found here; which rule the others break is not asked.
fn path_of_plain(text: &[u8]) -> Option<usize> {
    const NOT_IN_NAMES: u8 = kind::OTHER | kind::UPPER | kind::SLASH;
    const NOT_AFTER_SLASH: u8 = kind::OTHER | kind::SLASH | kind::DOT;
    let kind_of = |byte: &u8| KINDS.get(usize::from(*byte)).copied().unwrap_or(kind::OTHER);
    let rest = text.strip_prefix(SCHEME.as_bytes())?;
    let is_end_of_name = |byte| kind_of(byte) & NOT_IN_NAMES != 0;
    let name_length = rest.iter().position(is_end_of_name).unwrap_or(rest.len());
    if !(1..=TrustDomain::MAX_LENGTH).contains(&name_length) || text.len() > SpiffeId::MAX_LENGTH {
        return None;
    }
    let mut barred = !kind::SLASH;
    for byte in rest.get(name_length..).unwrap_or_default() {
        let kind = kind_of(byte);
        if kind & barred != 0 {
            return None;
        }
        barred = if kind == kind::SLASH {
            NOT_AFTER_SLASH
        } else {
            kind::OTHER
        };
    }
    (barred != NOT_AFTER_SLASH).then_some(SCHEME.len().saturating_add(name_length))
}

/// Checks an id in the order of C-ID-7 and returns where its path begins.
fn check_by_rules(text: &[u8]) -> Result<usize, IdError> {
    if text.is_empty() {
        return Err(IdError::new(IdErrorKind::Empty, 0));
    }
    let Some(rest) = text.strip_prefix(SCHEME.as_bytes()) else {
        let agreeing = text
            .iter()
            .zip(SCHEME.as_bytes())
            .take_while(|(a, b)| a == b)
            .count();
        return Err(IdError::new(IdErrorKind::SchemeInvalid, agreeing));
    };
    if text.len() > SpiffeId::MAX_LENGTH {
        return Err(IdError::new(IdErrorKind::TooLong, SpiffeId::MAX_LENGTH));
    }
    let name_length = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
    let (name, path) = rest.split_at_checked(name_length).unwrap_or((rest, &[]));
    check_name(name).map_err(|error| error.shifted(SCHEME.len()))?;
    let path_at = SCHEME.len().saturating_add(name_length);
    check_path(path).map_err(|error| error.shifted(path_at))?;
    Ok(path_at)
}

/// Checks a path that is empty or begins with `/`; offsets count from its first byte.
fn check_path(path: &[u8]) -> Result<(), IdError> {
    let mut at = 0_usize;
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        at = at.saturating_add(1);
        if segment.is_empty() && segments.peek().is_none() {
            return Err(IdError::new(IdErrorKind::TrailingSlash, at.saturating_sub(1)));
        }
        check_segment(segment).map_err(|error| error.shifted(at))?;
        at = at.saturating_add(segment.len());
    }
    Ok(())
}

/// Checks one segment; offsets count from its first byte.
pub(crate) fn check_segment(segment: &[u8]) -> Result<(), IdError> {
    match segment {
        b"" => return Err(IdError::new(IdErrorKind::EmptySegment, 0)),
        b"." | b".." => return Err(IdError::new(IdErrorKind::DotSegment, 0)),
        _ => {}
    }
    match segment.iter().position(|byte| !is_segment_byte(*byte)) {
        Some(at) => Err(IdError::new(IdErrorKind::PathChar, at)),
        None => Ok(()),
    }
}

const fn is_segment_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        /// C-ID-7: what is found by one look at each byte is what the rules find; and only dots after a slash need the rules.
        #[test]
        fn plain_ids_are_those_of_the_rules(rest in "(\\PC{0,6}|[a-z0-9._/-]{0,12}|([a-zA-Z]?[.]{0,3}/?){0,6}|[a-z]{250,260})") {
            let text = format!("{SCHEME}{rest}");
            let by_rules = check_by_rules(text.as_bytes());
            let expected = by_rules.ok().filter(|_| !rest.contains("/."));
            prop_assert_eq!(path_of_plain(text.as_bytes()), expected);
        }
    }

    /// C-ID-7: so with every byte in every place, and at the limits of length.
    #[test]
    fn every_byte_is_of_its_kind() {
        let alike = |text: &[u8]| {
            let by_rules = check_by_rules(text).ok();
            assert_eq!(path_of_plain(text), by_rules, "{text:?}");
            by_rules.is_some()
        };
        let mut valid = 0;
        for byte in 0..=255 {
            for (before, after) in [
                ("spiffe://t", "d/a"),
                ("spiffe://td/a", "b"),
                ("spiffe://td/a", ""),
            ] {
                valid += usize::from(alike(&[before.as_bytes(), &[byte], after.as_bytes()].concat()));
            }
        }
        // Lower case, digits, and four signs (the slash is one) in names; upper case too within paths, and no slash at the end.
        assert_eq!(valid, (26 + 10 + 4) + (26 + 26 + 10 + 4) + (26 + 26 + 10 + 3));
        for length in [SpiffeId::MAX_LENGTH, SpiffeId::MAX_LENGTH + 1] {
            let id = format!("spiffe://td/{}", "a".repeat(length - "spiffe://td/".len()));
            assert_eq!(alike(id.as_bytes()), length == SpiffeId::MAX_LENGTH);
        }
    }
}
