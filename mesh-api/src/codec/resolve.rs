//! What a plain YAML scalar means.

use super::YamlVersion;

/// The type of a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolved {
    Null,
    Bool(bool),
    Int,
    Float,
    /// Infinity or not a number, which JSON cannot hold.
    NotFinite,
    Text,
}

/// Resolves a plain scalar as the Kubernetes tools do, or by the core schema of YAML 1.2 (A-PAR-7).
#[inline]
pub(crate) fn resolve(text: &str, version: YamlVersion) -> Resolved {
    match text.as_bytes().first() {
        None => Resolved::Null,
        Some(first) if !is_surely_text(text.as_bytes()) => resolve_by_tables(text, *first, version),
        Some(_) => Resolved::Text,
    }
}

/// Whether a plain scalar is text in every version of YAML, by its first byte and its length alone. It is so for most words,
/// so that they need not be compared with those that have a meaning.
#[inline(always)]
pub(crate) fn is_surely_text(text: &[u8]) -> bool {
    let Some(first) = text.first() else {
        return false;
    };
    let lengths = MEANINGFUL.get(usize::from(*first)).copied().unwrap_or_default();
    lengths >> text.len().min(7) & 1 == 0
}

/// For each first byte a bit for each length, up to 7 and more, that a scalar with a meaning may have.
const MEANINGFUL: [u8; 256] = meaningful();

#[expect(
    clippy::indexing_slicing,
    reason = "runs when the crate is compiled, and a byte is below 256"
)]
const fn meaningful() -> [u8; 256] {
    let mut lengths = [0; 256];
    let mut rest: &[(&[u8], u8)] = &[
        (b"0123456789+-.~", 0xff),
        (b"nN", 1 << 1 | 1 << 2 | 1 << 4), // n, no, null
        (b"tT", 1 << 4),
        (b"fF", 1 << 5),
        (b"yY", 1 << 1 | 1 << 3),
        (b"oO", 1 << 2 | 1 << 3),
    ];
    while let [(bytes, bits), others @ ..] = rest {
        let mut bytes = *bytes;
        while let [first, others @ ..] = bytes {
            lengths[*first as usize] = *bits;
            bytes = others;
        }
        rest = others;
    }
    lengths
}

fn resolve_by_tables(text: &str, first: u8, version: YamlVersion) -> Resolved {
    match text {
        "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "true" | "True" | "TRUE" => return Resolved::Bool(true),
        "false" | "False" | "FALSE" => return Resolved::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" | ".nan"
        | ".NaN" | ".NAN" => return Resolved::NotFinite,
        _ => {}
    }
    if version == YamlVersion::Kubernetes {
        match text {
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Resolved::Bool(true),
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Resolved::Bool(false),
            _ => {}
        }
    }
    if !matches!(first, b'0'..=b'9' | b'+' | b'-' | b'.') {
        return Resolved::Text;
    }
    if parse_int(text, version).is_some() {
        Resolved::Int
    } else if is_float(text, version) {
        Resolved::Float
    } else {
        Resolved::Text
    }
}

/// The value of an integer that fits 64 bits, signed or not.
///
/// Source: Go `strconv.ParseInt` with base 0, as the YAML library of the Kubernetes tools calls it.
pub(crate) fn parse_int(text: &str, version: YamlVersion) -> Option<i128> {
    if let Some(number) = short_decimal(text) {
        return Some(number.into());
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let plain;
    let digits = match version {
        YamlVersion::Kubernetes if digits.contains('_') => {
            plain = digits.replace('_', "");
            plain.as_str()
        }
        _ => digits,
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] if version == YamlVersion::Kubernetes => (2, digits.get(2..)?),
        [b'0', _, ..] if version == YamlVersion::Kubernetes => (8, digits),
        _ => (10, digits),
    };
    // the standard parser would take another sign
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    let value = if negative {
        -i128::from(magnitude)
    } else {
        i128::from(magnitude)
    };
    (value >= i128::from(i64::MIN)).then_some(value)
}

/// The value of digits that are an integer in every version of YAML and in JSON; nearly all integers are like that.
fn short_decimal(text: &str) -> Option<u64> {
    let digits = text.as_bytes();
    let canonical = matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && digits.len() <= 18;
    if !canonical {
        return None;
    }
    digits.iter().try_fold(0, |number: u64, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u64::from(digit - b'0'))
    })
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str, version: YamlVersion) -> bool {
    let plain;
    let text = match version {
        YamlVersion::Kubernetes if text.contains('_') => {
            plain = text.replace('_', "");
            plain.as_str()
        }
        _ => text,
    };
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = unsigned.split_at_checked(digits(unsigned)).unwrap_or_default();
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at_checked(digits(rest)).unwrap_or_default(),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        None => rest.is_empty(),
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
    }
}

/// The value of a float, as resolved.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    if text.contains('_') {
        text.replace('_', "").parse().ok()
    } else {
        text.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_par_7_kubernetes_words_and_numbers() {
        use Resolved::{Bool, Float, Int, NotFinite, Null, Text};
        for (text, expected) in [
            ("", Null),
            ("~", Null),
            ("Null", Null),
            ("nUll", Text),
            ("y", Bool(true)),
            ("Yes", Bool(true)),
            ("ON", Bool(true)),
            ("oN", Text),
            ("n", Bool(false)),
            ("off", Bool(false)),
            ("FALSE", Bool(false)),
            ("0", Int),
            ("-1", Int),
            ("+80", Int),
            ("1_000", Int),
            ("0b101", Int),
            ("0o17", Int),
            ("017", Int),
            ("0x1F", Int),
            ("18446744073709551615", Int),
            ("18446744073709551616", Float),
            ("-9223372036854775808", Int),
            ("-9223372036854775809", Float),
            ("1.10", Float),
            (".5", Float),
            ("1.", Float),
            ("1e3", Float),
            ("08", Float),
            ("1_0.5", Float),
            (".inf", NotFinite),
            ("-.INF", NotFinite),
            (".NaN", NotFinite),
            ("12:30:45", Text),
            ("2024-01-01", Text),
            ("1.2.3", Text),
            ("v1", Text),
            ("-", Text),
            ("--1", Text),
            ("0x", Text),
            ("1e", Text),
            (".", Text),
            ("=", Text),
            ("_1", Text),
            ("+-1", Text),
            ("1 2", Text),
        ] {
            assert_eq!(resolve(text, YamlVersion::Kubernetes), expected, "{text}");
        }
        assert_eq!(parse_int("0x1F", YamlVersion::Kubernetes), Some(31));
        assert_eq!(parse_int("-017", YamlVersion::Kubernetes), Some(-15));
    }

    #[test]
    fn a_par_7_core_schema_of_1_2() {
        for (text, expected) in [
            ("on", Resolved::Text),
            ("y", Resolved::Text),
            ("True", Resolved::Bool(true)),
            ("1_000", Resolved::Text),
            ("017", Resolved::Int),
            ("0o17", Resolved::Int),
            ("0b1", Resolved::Text),
            ("1.5", Resolved::Float),
        ] {
            assert_eq!(resolve(text, YamlVersion::Core12), expected, "{text}");
        }
        assert_eq!(parse_int("017", YamlVersion::Core12), Some(17));
    }
}
